/* state_rx.h: what the ledger's state holds of prescriptions and of what was dispensed and
 * recalled.
 *
 *   kind              id                                   value
 *   prescription      prescription id                      struct sy_rx
 *   fill              pair(prescription, u64 number padded) struct sy_rx_fill, from 1
 *   dispensed         unit (sy_goods_id)                   struct sy_dispensed
 *   lot patient       pair(lot, patient)                   struct sy_lot_holder: units that the
 *                                                          patient has
 *   lot patient place pair(lot, u64 number padded)         32 patient id
 *   recall            recall id                            struct sy_recall
 *   recall told       lot (sy_goods_id)                    struct sy_recall_told
 *
 * Who got which unit stands in entries of its own, so that a unit's own entry, which the whole
 * chain of supply reads, leads to nobody. Encodings as in state.h. */
#ifndef SY_WIRE_STATE_RX_H
#define SY_WIRE_STATE_RX_H

#include "core/wire/state_goods.h"

/*   32 patient | 32 organisation | 32 author | 32 drug commit | u16 control | u32 quantity
 *   | u16 days | u8 refills | i64 from | i64 until | u64 height | u64 height cancelled, 0: it
 * stands | u8 fills | u8 flags (1 pharmacy, which a fill sets) | [32 pharmacy | i64 last fill] */
struct sy_rx {
    struct sy_hash patient;
    struct sy_hash organisation; /* the prescriber's */
    struct sy_public_key author;
    struct sy_hash drug_commit;
    uint16_t control; /* enum sy_rx_control */
    uint32_t quantity;
    uint16_t days;
    uint8_t refills;
    int64_t from_ms, until_ms;
    uint64_t height;
    uint64_t cancelled_height;
    uint8_t fills;
    bool has_pharmacy;
    struct sy_hash pharmacy; /* that holds it */
    int64_t filled_ms;       /* when last */
};
void sy_rx_encode(struct sy_writer *w, const struct sy_rx *rx);
bool sy_rx_decode(struct sy_rx *rx, struct sy_slice bytes);

/*   32 organisation | 32 key | u32 quantity | u64 height | i64 time */
struct sy_rx_fill {
    struct sy_hash organisation;
    struct sy_public_key key;
    uint32_t quantity;
    uint64_t height;
    int64_t time_ms;
};
void sy_rx_fill_encode(struct sy_writer *w, const struct sy_rx_fill *fill);
bool sy_rx_fill_decode(struct sy_rx_fill *fill, struct sy_slice bytes);

/* A unit was dispensed to a patient, or implanted.
 *
 *   32 patient | 32 organisation | 32 cause | u64 height | i64 time | u64 height returned, 0: not
 *   | 14 GTIN | bytes16 lot | bytes16 serial */
struct sy_dispensed {
    struct sy_hash patient;
    struct sy_hash organisation;
    struct sy_hash cause; /* a prescription, or the record of an implantation */
    uint64_t height;
    int64_t time_ms;
    uint64_t returned_height;
    struct sy_lot_name name;
    struct sy_slice serial; /* borrowed */
};
void sy_dispensed_encode(struct sy_writer *w, const struct sy_dispensed *dispensed);
bool sy_dispensed_decode(struct sy_dispensed *dispensed, struct sy_slice bytes);

/*   32 organisation | 14 GTIN | u16 class | u16 reason | u64 height | i64 time
 *   | u64 height closed, 0: open | u16 outcome, 0: open | list lots */
struct sy_recall {
    struct sy_hash organisation; /* that issued it; zero: a regulator */
    uint8_t gtin[SY_GTIN_BYTES];
    uint16_t recall_class; /* enum sy_recall_class */
    uint16_t reason;       /* enum sy_recall_reason */
    uint64_t height;
    int64_t time_ms;
    uint64_t closed_height;
    uint16_t outcome;    /* enum sy_recall_outcome */
    struct sy_list lots; /* borrowed texts */
};
void sy_recall_encode(struct sy_writer *w, const struct sy_recall *recall);
bool sy_recall_decode(struct sy_recall *recall, struct sy_slice bytes);

/* How many of a lot's holders, and of the patients who got any, were told of its recall.
 *
 *   u64 holders | u64 patients */
struct sy_recall_told {
    uint64_t holders;
    uint64_t patients;
};
void sy_recall_told_encode(struct sy_writer *w, const struct sy_recall_told *told);
bool sy_recall_told_decode(struct sy_recall_told *told, struct sy_slice bytes);

#endif
