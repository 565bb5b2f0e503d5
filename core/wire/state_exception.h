/* state_exception.h: what the ledger's state holds of goods that something is amiss with, and of
 * events that were corrected.
 *
 *   kind         id                              value
 *   exception    event id of exception.report,   struct sy_exception
 *                or of a cond.commit out of range
 *   correction   id of the event in error        struct sy_correction; absent: it stands
 *
 * What is held (a unit or container that is quarantined) names its exception itself
 * (state_goods.h), so how far a suspicion was answered stands on the goods. Encodings as in
 * state.h. */
#ifndef SY_WIRE_STATE_EXCEPTION_H
#define SY_WIRE_STATE_EXCEPTION_H

#include "core/wire/state_rx.h"

/*   u16 kind | 32 organisation | 32 to | u64 height | i64 time
 *   | u8 flags (1 shipment, 2 document, 4 answered) | [32 shipment] | [32 document hash]
 *   | [u16 outcome | u64 height | i64 time] | list items: EPCs */
struct sy_exception {
    uint16_t kind;               /* enum sy_exception_kind */
    struct sy_hash organisation; /* that reported it */
    struct sy_hash to;           /* that is to answer; of what is held: the first item's maker */
    uint64_t height;
    int64_t time_ms;
    bool has_shipment;
    struct sy_hash shipment;
    bool has_document;
    struct sy_hash document;
    bool answered;    /* never of what is held, which says so itself */
    uint16_t outcome; /* enum sy_exception_outcome */
    uint64_t answered_height;
    int64_t answered_ms;
    struct sy_list items; /* borrowed texts */
};
void sy_exception_encode(struct sy_writer *w, const struct sy_exception *exception);
bool sy_exception_decode(struct sy_exception *exception, struct sy_slice bytes);

/* sy_exception_of_shipment and sy_exception_holds: which sort of thing is amiss. */
bool sy_exception_of_shipment(unsigned kind);
bool sy_exception_holds(unsigned kind);

/*   32 event of the correction | 32 organisation | u16 reason | u64 height | i64 time
 *   | u8 flags (1 document) | [32 document hash] | list corrective: ids */
struct sy_correction {
    struct sy_hash event;
    struct sy_hash organisation;
    uint16_t reason; /* enum sy_correction_reason */
    uint64_t height;
    int64_t time_ms;
    bool has_document;
    struct sy_hash document;
    struct sy_list corrective; /* borrowed ids, at most SY_CORRECTIVE_MAX */
};
void sy_correction_encode(struct sy_writer *w, const struct sy_correction *correction);
bool sy_correction_decode(struct sy_correction *correction, struct sy_slice bytes);

#endif
