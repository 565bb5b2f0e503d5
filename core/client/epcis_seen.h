/* epcis_seen.h: is an event there for the second time?
 *
 * An event is what its hash says, and its eventID stands for it. The same event again is a
 * duplicate, whatever its eventID; but one with an errorDeclaration repeats, on purpose, the event
 * that it declares wrong, and its eventID (EPCIS 2.0 section 7.4.1.4): once, that is a correction.
 * Another event under an eventID that was there is a conflict. Order does not matter: a declaration
 * may come before the event it is about. */
#ifndef SY_CLIENT_EPCIS_SEEN_H
#define SY_CLIENT_EPCIS_SEEN_H

#include "core/base/table.h"
#include "core/client/epcis.h"

#define SY_EPCIS_EVENTS_MAX (1u << 20) /* of one run */

enum sy_epcis_fate {
    SY_EPCIS_NEW = 1,
    SY_EPCIS_DUPLICATE,  /* the same event, or the same declaration */
    SY_EPCIS_CORRECTION, /* declares an event wrong, for the first time */
    SY_EPCIS_CONFLICT    /* its eventID stands for another event */
};

/* Where an event stood; the caller's numbers. */
struct sy_epcis_place {
    uint32_t file, document, event;
};

struct sy_epcis_seen {
    sy_arena arena;
    struct sy_table by_hash, by_id;
};

/* sy_epcis_seen_open makes room for SY_EPCIS_EVENTS_MAX events, touched as they come;
 * sy_epcis_seen_close frees it (a zeroed one is fine). SY_ERR_NO_MEMORY. */
sy_status sy_epcis_seen_open(struct sy_epcis_seen *seen, struct sy_error *err);
void sy_epcis_seen_close(struct sy_epcis_seen *seen);

/* sy_epcis_seen_add judges an event by its hash and keeps it. *earlier is the event that it
 * repeats, declares wrong or conflicts with, if has_earlier. SY_ERR_LIMIT: there were too many. */
struct sy_epcis_verdict {
    uint8_t fate; /* enum sy_epcis_fate */
    bool has_earlier;
    struct sy_epcis_place earlier;
};
sy_status sy_epcis_seen_add(struct sy_epcis_seen *seen, struct sy_epcis_verdict *verdict,
                            const struct sy_epcis_event *event, const struct sy_hash *hash,
                            struct sy_epcis_place place, struct sy_error *err);

#endif
