/* may_words.h: what a decision of core/ledger/may.h says, in words. Static text; any thread. */
#ifndef SY_CLIENT_MAY_WORDS_H
#define SY_CLIENT_MAY_WORDS_H

#include "core/ledger/may.h"

/* For scripts, and for people. */
const char *sy_may_ground_word(enum sy_may_ground ground);
const char *sy_may_ground_sentence(enum sy_may_ground ground);
const char *sy_may_miss_word(enum sy_may_miss miss);
const char *sy_may_miss_sentence(enum sy_may_miss miss);

/* sy_may_say writes a whole answer as one sentence: "not allowed: nothing allows it; nearest is
 * consent ..., but: it is over since ...". SY_MAY_WORDS_BYTES are enough. */
#define SY_MAY_WORDS_BYTES 400
void sy_may_say(char *out, size_t size, const struct sy_may_answer *answer);

#endif
