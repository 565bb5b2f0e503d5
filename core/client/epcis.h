/* epcis.h: EPCIS 2.0 documents in JSON and JSON-LD: what is in them, whether it is as it has to be,
 * and each event's hash.
 *
 *     bytes -> checked as JSON, depth and size bounded -> events -> checked -> pre-hash -> hash
 *
 * A document is an EPCISDocument, an EPCISQueryDocument, a list of events, or one event. The hash
 * is the CBV 2.0 event hash (section 8.9): SHA-256 of a canonical text, the pre-hash, as
 * ni:///sha-256;HEX?ver=CBV2.0. Two documents that say the same event in different ways (order,
 * time zones, URNs or Digital Links, bare words or URIs) give the same hash; who declared an error
 * (errorDeclaration), eventID and recordTime are left out of it. Where the standard's words and the
 * published test vectors of its reference differ, the vectors decide: bizTransactionList, ilmd,
 * sourceList, destinationList and extensions follow the rest sorted by their text, a type stands
 * before its value, and certificationInfo comes behind the time zone.
 *
 * Sources: EPCIS 2.0 and CBV 2.0 (GS1, 2022); github.com/RalphTro/epcis-event-hash-generator, its
 * README (rules 1 to 24) and test vectors. */
#ifndef SY_CLIENT_EPCIS_H
#define SY_CLIENT_EPCIS_H

#include <jansson.h>
#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_EPCIS_DOCUMENT_BYTES_MAX (64u << 20)
#define SY_EPCIS_DEPTH_MAX 32u                 /* of nesting in a document */
#define SY_EPCIS_PREHASH_BYTES_MAX (32u << 20) /* of one event */
#define SY_EPCIS_HASH_BYTES 96u                /* room of "ni:///sha-256;...?ver=CBV2.0" */
#define SY_EPCIS_PATH_BYTES 128u
#define SY_EPCIS_TEXT_BYTES 240u

enum sy_epcis_type {
    SY_EPCIS_OBJECT = 1,
    SY_EPCIS_AGGREGATION,
    SY_EPCIS_TRANSACTION,
    SY_EPCIS_TRANSFORMATION,
    SY_EPCIS_ASSOCIATION
};

typedef struct sy_epcis sy_epcis;

/* One event. All of it lives as long as the document. */
struct sy_epcis_event {
    uint8_t type; /* enum sy_epcis_type; 0: none of them */
    json_t *json; /* an object; borrowed */
    const sy_epcis *document;
    char path[SY_EPCIS_PATH_BYTES]; /* "epcisBody.eventList[3]" */
    const char *event_id;           /* "" if it has none */
    bool declared_wrong;            /* it has an errorDeclaration */
};

/* What is wrong with an event. Texts are printable; values of a document are cut in them. */
struct sy_epcis_issue {
    const struct sy_epcis_event *event;
    bool warning; /* it may be meant so: an eventID that is the hash of something else */
    char path[SY_EPCIS_PATH_BYTES]; /* in the event: "epcList[2]"; "" is the event itself */
    char what[SY_EPCIS_TEXT_BYTES];
};
typedef void (*sy_epcis_tell)(void *self, const struct sy_epcis_issue *issue);

/* sy_epcis_open reads a whole document, which it does not keep; sy_epcis_close frees it (NULL is
 * fine). SY_ERR_FORMAT, with line and path, what is no JSON, has a key twice, nests deeper than
 * SY_EPCIS_DEPTH_MAX, or is no document of EPCIS events; SY_ERR_LIMIT: too large;
 * SY_ERR_NO_MEMORY. One thread per document. */
sy_status sy_epcis_open(sy_epcis **document, struct sy_slice bytes, struct sy_error *err);
void sy_epcis_close(sy_epcis *document);

/* sy_epcis_count tells how many events there are; sy_epcis_event gives one (position < count,
 * asserted). */
size_t sy_epcis_count(const sy_epcis *document);
struct sy_epcis_event sy_epcis_event(const sy_epcis *document, size_t position);

/* sy_epcis_check holds an event to EPCIS 2.0: type, times, action, what has to be there for its
 * type, known words, check digits of GS1 keys. Tells each issue; returns how many are no warnings.
 */
size_t sy_epcis_check(const struct sy_epcis_event *event, sy_epcis_tell tell, void *self);

/* sy_epcis_prehash writes the pre-hash into fresh memory (free() it), terminated. SY_ERR_FORMAT
 * names the path of a time or type that cannot be read; SY_ERR_LIMIT: longer than
 * SY_EPCIS_PREHASH_BYTES_MAX. */
sy_status sy_epcis_prehash(char **out, size_t *size, const struct sy_epcis_event *event,
                           struct sy_error *err);

/* sy_epcis_hash hashes it; sy_epcis_hash_text writes that as a named information URI. */
sy_status sy_epcis_hash(struct sy_hash *out, const struct sy_epcis_event *event,
                        struct sy_error *err);
void sy_epcis_hash_text(char out[SY_EPCIS_HASH_BYTES], const struct sy_hash *hash);

/* sy_epcis_type_word gives "ObjectEvent"; "event" for 0. */
const char *sy_epcis_type_word(uint8_t type);

/* sy_epcis_time reads an RFC 3339 time into milliseconds since 1970, rounded half up as the fourth
 * decimal says. False: it is none, or outside of the years 1 to 9999. */
bool sy_epcis_time(int64_t *ms, const char *text);

#endif
