/* state_cond.h: what the ledger's state holds of temperatures: those that products bear, and those
 * that goods had.
 *
 *   kind         id                               value
 *   storage      GTIN, zero padded                struct sy_storage; absent: the product bears any
 *   conditions   event id of the cond.commit      struct sy_conditions
 *
 * Whose readings they are stands with the goods: each unit or container knows how many commitments
 * there are, up to when its temperature is known, and in its steps which they are (state_goods.h).
 * The first reading stands for the time from `from` on, each for one interval, so that a commitment
 * is about the time from `from` up to sy_conditions_end. Encodings as in state.h. */
#ifndef SY_WIRE_STATE_COND_H
#define SY_WIRE_STATE_COND_H

#include "core/wire/state_goods.h"

#define SY_KELVIN_OF_ZERO_CELSIUS 27315 /* hundredths, as all temperatures are */

/*   u32 min | u32 max | u32 version | u64 height */
struct sy_storage {
    uint32_t min, max; /* hundredths of a kelvin, min <= max */
    uint32_t version;  /* how often it was said, from 1 */
    uint64_t height;   /* of this version */
};
void sy_storage_encode(struct sy_writer *w, const struct sy_storage *storage);
bool sy_storage_decode(struct sy_storage *storage, struct sy_slice bytes);

/*   32 organisation | 32 key | u8 flags (1 device, 2 shipment, 4 out of range) | [32 device]
 *   | [32 shipment] | u32 sequence | i64 from | u32 interval | u32 readings | u32 min | u32 max
 *   | 32 root | i64 gap | u64 height | i64 time | list items: EPCs */
struct sy_conditions {
    struct sy_hash organisation;
    struct sy_public_key key; /* that answered for it */
    bool has_device;
    struct sy_hash device;
    bool has_shipment;
    struct sy_hash shipment;
    bool breached;     /* some of it is out of range, so there is an exception of the same id */
    uint32_t sequence; /* of the item, or of the shipment; from 1 */
    int64_t from_ms;
    uint32_t interval_s;
    uint32_t readings;
    uint32_t min, max; /* hundredths of a kelvin */
    struct sy_hash root;
    int64_t gap_ms; /* of the items, the longest time before `from` of which nothing is known */
    uint64_t height;
    int64_t time_ms;
    struct sy_list items; /* borrowed texts: what it is about, at least one */
};
void sy_conditions_encode(struct sy_writer *w, const struct sy_conditions *conditions);
bool sy_conditions_decode(struct sy_conditions *conditions, struct sy_slice bytes);

/* sy_conditions_end is up to when the temperature is known by it; sums cannot wrap. */
int64_t sy_conditions_end(int64_t from_ms, uint32_t interval_s, uint32_t readings);

#endif
