/* find_words.h: a search of the directory (core/wire/find.h) in a user's words. */
#ifndef SY_CLIENT_FIND_WORDS_H
#define SY_CLIENT_FIND_WORDS_H

#include "core/wire/find.h"

/* What is searched for; NULL: any. Texts are borrowed. */
struct sy_find_words {
    const char *id;                     /* begins with these hex digits */
    const char *kind;                   /* an organisation's: "hospital" */
    const char *name;                   /* an organisation's, exactly */
    const char *role;                   /* a credential's: "doctor" */
    const char *specialty;              /* a credential's */
    const struct sy_hash *organisation; /* whose credentials */
};

/* sy_find_take_words fills find, whose `what` says of what it is, from words. find borrows the
 * specialty. SY_ERR_ARGUMENT: a word is not known, too long, or goes with the other thing. */
sy_status sy_find_take_words(struct sy_find *find, const struct sy_find_words *words,
                             struct sy_error *err);

#endif
