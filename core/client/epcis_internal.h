/* epcis_internal.h: what the parts of EPCIS share.
 *
 *   epcis.c         documents and their events
 *   epcis_check.c   is an event as it has to be?
 *   epcis_hash.c    the pre-hash: fields in their order
 *   epcis_value.c   values in their one form: words, numbers, times */
#ifndef SY_CLIENT_EPCIS_INTERNAL_H
#define SY_CLIENT_EPCIS_INTERNAL_H

#include "core/client/epcis.h"

struct sy_epcis {
    json_t *root;
    json_t *events; /* an array; borrowed from root, or owned if made */
    bool events_owned;
    const char *events_path;
    json_t *ignored; /* names of fields that the document wants left out; NULL: none */
};

/* Which vocabulary a bare word is of. */
enum sy_epcis_words {
    SY_EPCIS_NO_WORDS = 0,
    SY_EPCIS_BIZ_STEPS,
    SY_EPCIS_DISPOSITIONS,
    SY_EPCIS_TRANSACTION_TYPES,
    SY_EPCIS_PARTY_TYPES,
    SY_EPCIS_MEASUREMENTS,
    SY_EPCIS_EXCEPTIONS,
    SY_EPCIS_COMPONENTS
};

/* A buffer that grows up to SY_EPCIS_PREHASH_BYTES_MAX. */
struct sy_epcis_text {
    char *data;
    size_t size, capacity;
    sy_status status; /* SY_OK until it does not fit or memory ran out; what follows is ignored */
};
void sy_epcis_put(struct sy_epcis_text *out, const void *bytes, size_t size);

/* sy_epcis_word_uri gives the URI in front of a word of a vocabulary ("https://.../BizStep-"), NULL
 * if it is none. */
const char *sy_epcis_word_uri(enum sy_epcis_words words, struct sy_slice word);

/* sy_epcis_namespace finds what a prefix stands for: in the event's or the document's context, or
 * in EPCIS's own; NULL: nothing. */
const char *sy_epcis_namespace(const struct sy_epcis_event *event, struct sy_slice prefix);

/* sy_epcis_put_key writes a field's name, {namespace}local for a prefixed one. */
void sy_epcis_put_key(struct sy_epcis_text *out, const struct sy_epcis_event *event,
                      struct sy_slice key);

/* sy_epcis_put_value writes a scalar in its one form; nothing for null. */
void sy_epcis_put_value(struct sy_epcis_text *out, const struct sy_epcis_event *event,
                        enum sy_epcis_words words, const json_t *value);

/* sy_epcis_put_time writes a time in UTC with milliseconds; false if it cannot be read. */
bool sy_epcis_put_time(struct sy_epcis_text *out, const json_t *value);

#endif
