/* state_goods.h: what the ledger's state holds of goods: products, lots, units, containers, and
 * whose they are.
 *
 *   kind         id                                       value
 *   product      GTIN, zero padded                        struct sy_product
 *   lot          pair(GTIN, lot), each zero padded        struct sy_lot
 *   unit         pair(GTIN, serial), each zero padded; a  struct sy_unit
 *                container: pair(SSCC, zeros)
 *   unit step    pair(unit, u64 number padded)            struct sy_unit_step, from 1
 *   lot recall   as the lot                               32 recall id; absent: not recalled
 *   goods event  event id                                 struct sy_goods_event
 *   shipment     event id of the custody.ship             struct sy_shipment
 *   lot holder   pair(lot, organisation)                  struct sy_lot_holder
 *   lot place    pair(lot, u64 number padded)             32 organisation id
 *
 * where `unit` and `lot` within a pair are the 32 bytes of their own pair (sy_goods_id).
 *
 * What is packed is moved by its outermost container alone: `owner` of a unit that has a parent is
 * whose it was when it was packed, and whose it is now is said by the outermost one. A container
 * knows how many units of which lots are in it, at any depth, so that moving it costs what its lots
 * cost. Each organisation that ever held units of a lot has a number among its holders, and a count
 * of those that it holds now: who holds a lot is found without looking at units.
 *
 * Conserved, for each lot: commissioned = what holders hold + dispensed + ended; what is under way
 * is held by who sent it.
 *
 * Encodings as in state.h. */
#ifndef SY_WIRE_STATE_GOODS_H
#define SY_WIRE_STATE_GOODS_H

#include "core/wire/state.h"

#define SY_GTIN_BYTES 14u
#define SY_SSCC_BYTES 18u

/* sy_goods_text is a text of at most 32 bytes (asserted), zero padded. */
struct sy_hash sy_goods_text(struct sy_slice text);
/* sy_goods_id names a lot (GTIN, lot), a unit (GTIN, serial) or a container (SSCC, nothing). */
struct sy_hash sy_goods_id(struct sy_slice first, struct sy_slice second);

/* sy_goods_key_of is sy_state_key_of for what stands here and in state_rx.h and state_cond.h. */
bool sy_goods_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second);

/* sy_goods_check_digit is the digit (GS1 General Specifications 7.9) that ends a number of so many
 * digits, as a character; the last one is not looked at. */
uint8_t sy_goods_check_digit(struct sy_slice digits);

/* An EPC in the words of a GS1 Digital Link path: 01/GTIN/21/SERIAL or 00/SSCC. */
struct sy_epc {
    bool container;
    struct sy_slice number; /* GTIN or SSCC: borrowed, as is */
    struct sy_slice serial; /* empty for a container */
};
/* sy_epc_read judges form and characters, not check digits; false: it is none. */
bool sy_epc_read(struct sy_epc *epc, struct sy_slice text);
/* sy_goods_serial_good: only characters of GS1's AI encodable set 82, 1 to 20 of them. */
bool sy_goods_serial_good(struct sy_slice text);

/*   32 organisation | bytes16 prefix | u16 class | bytes16 ndc | u64 height */
struct sy_product {
    struct sy_hash organisation;
    struct sy_slice prefix; /* borrowed digits */
    uint16_t product_class; /* enum sy_product_class */
    struct sy_slice ndc;    /* borrowed; empty: none */
    uint64_t height;
};
void sy_product_encode(struct sy_writer *w, const struct sy_product *product);
bool sy_product_decode(struct sy_product *product, struct sy_slice bytes);

/*   32 organisation | i64 expiry | u64 commissioned | u64 dispensed | u64 ended | u64 holders
 *   | u64 patients | u64 height */
struct sy_lot {
    struct sy_hash organisation; /* the product's */
    int64_t expiry_ms;
    uint64_t commissioned; /* units, ever */
    uint64_t dispensed;
    uint64_t ended;
    uint64_t holders;  /* how many organisations ever held any: each has a lot place */
    uint64_t patients; /* how many ever got any: each has a lot patient place (state_rx.h) */
    uint64_t height;   /* of the first unit */
};
void sy_lot_encode(struct sy_writer *w, const struct sy_lot *lot);
bool sy_lot_decode(struct sy_lot *lot, struct sy_slice bytes);

/*   u64 number, from 1 | u64 units that it holds now */
struct sy_lot_holder {
    uint64_t number;
    uint64_t units;
};
void sy_lot_holder_encode(struct sy_writer *w, const struct sy_lot_holder *holder);
bool sy_lot_holder_decode(struct sy_lot_holder *holder, struct sy_slice bytes);

enum sy_unit_status {
    SY_UNIT_HELD = 1,
    SY_UNIT_DISPENSED = 2,
    SY_UNIT_RETURNED = 3, /* by a patient: it is dispensed no more */
    SY_UNIT_ENDED = 4,
    SY_UNIT_QUARANTINED = 5 /* suspect, or was too warm or cold: it is not moved until its maker
                               answers, but unpacked, received if it was under way, or ended */
};

struct sy_lot_name {
    uint8_t gtin[SY_GTIN_BYTES];
    uint8_t lot_size;
    uint8_t lot[SY_SERIAL_BYTES_MAX]; /* zeros behind its size */
};
struct sy_hash sy_lot_name_id(const struct sy_lot_name *name);
/* Within a value: 14 GTIN | bytes16 lot. */
void sy_lot_name_write(struct sy_writer *w, const struct sy_lot_name *name);
void sy_lot_name_read(struct sy_reader *r, struct sy_lot_name *name);

/* So many units of a lot in a container, and in containers in it. */
struct sy_lot_count {
    struct sy_lot_name name;
    uint32_t units;
};

/* A unit or a container.
 *
 *   u8 flags (1 container, 2 packed, 4 under way, 8 hold, 16 excursion, 32 conditions,
 *   64 condemned, 128 since; not 2 and 4; 64 with 8 or 16; 128 with 32)
 *   | u8 status | 32 owner | [18 parent's SSCC] | [32 shipment]
 *   | [32 exception that holds it] | [32 cond.commit that holds it]
 *   | [u32 commitments | i64 from when on, one of them not 0]
 *   | [i64 since when nothing is known, if before then, from 1] | u64 steps | u64 height
 *   unit:      | lot name: 14 GTIN, bytes16 lot
 *   container: | u8 level | u32 children | u8 lots, each a lot name and u32 units, ascending */
struct sy_unit {
    bool container;
    bool packed;
    bool under_way;
    uint8_t status; /* enum sy_unit_status */
    struct sy_hash owner;
    uint8_t parent[SY_SSCC_BYTES];
    struct sy_hash shipment;
    bool has_hold; /* quarantined, or was when it ended */
    struct sy_hash hold;
    bool
        has_excursion; /* likewise, by a temperature: the newest commitment that was out of range */
    struct sy_hash excursion;
    bool condemned;      /* found unfit or illegitimate: only a regulator lets it go */
    uint32_t conditions; /* commitments to its temperatures, those of its shipments too */
    int64_t known_ms;    /* readings from before are not committed to any more; 0: all can be */
    int64_t since_ms; /* from then to the next commitment nothing is known: known_ms, or earlier */
    uint64_t steps;   /* how many unit steps it has */
    uint64_t height;
    struct sy_lot_name name; /* of a unit */
    uint8_t level;           /* of a container: 1 has units alone, 2 such containers, ... */
    uint32_t children;       /* directly in it */
    uint8_t lot_count;
    struct sy_lot_count lots[SY_CONTAINER_LOTS_MAX];
};
void sy_unit_encode(struct sy_writer *w, const struct sy_unit *unit);
bool sy_unit_decode(struct sy_unit *unit, struct sy_slice bytes);
const char *sy_unit_status_name(unsigned status); /* "held"; NULL: there is none */

enum sy_step_kind {
    SY_STEP_PACKED = 1,    /* into `parent` */
    SY_STEP_UNPACKED = 2,  /* from `parent` */
    SY_STEP_FILLED = 3,    /* a container: something was packed into it, ... */
    SY_STEP_EMPTIED = 4,   /* ... or unpacked from it */
    SY_STEP_SHIPPED = 5,   /* to `organisation` */
    SY_STEP_RECEIVED = 6,  /* by `organisation` */
    SY_STEP_REFUSED = 7,   /* by `organisation`: it stays whose it was */
    SY_STEP_DISPENSED = 8, /* by `organisation` */
    SY_STEP_RETURNED = 9,  /* to `organisation` */
    SY_STEP_ENDED = 10,
    SY_STEP_QUARANTINED = 11, /* by `organisation`, whose it is; event: the exception */
    SY_STEP_RELEASED = 12,    /* by `organisation`, which made it; zero: a regulator */
    SY_STEP_CONDEMNED = 13,   /* likewise: found illegitimate, so it stays quarantined */
    SY_STEP_REINSTATED = 14,  /* by `organisation`, whose it is: it had been ended in error */
    SY_STEP_MONITORED = 15,   /* by `organisation`, whose it is; event: the cond.commit */
    SY_STEP_EXCURSION = 16,   /* likewise, and out of range: it is quarantined */
    SY_STEP_UNFIT = 17,       /* as CONDEMNED, because of a temperature */
    SY_STEP_COUNT
};

/* What happened to a unit or container itself, after it was commissioned or first filled. While it
 * was packed, its parent's steps count, too: those after the number that PACKED has, up to the one
 * that UNPACKED has.
 *
 *   u8 kind | u64 height | i64 time | 32 organisation | 32 event | u8 flags (1 parent)
 *   | [18 parent's SSCC | u64 parent's steps then] */
struct sy_unit_step {
    uint8_t kind; /* enum sy_step_kind */
    uint64_t height;
    int64_t time_ms;
    struct sy_hash organisation; /* that did it; of SHIPPED: to whom */
    struct sy_hash event;
    bool has_parent;
    uint8_t parent[SY_SSCC_BYTES];
    uint64_t parent_steps;
};
void sy_unit_step_encode(struct sy_writer *w, const struct sy_unit_step *step);
bool sy_unit_step_decode(struct sy_unit_step *step, struct sy_slice bytes);
const char *sy_step_name(unsigned kind); /* "shipped"; NULL: there is none */

/* An event of goods was applied: so it is not applied twice.
 *
 *   u16 kind of the transaction | 32 organisation | u64 height | i64 time | u16 answer of a
 *   unit.verify, else 0 */
struct sy_goods_event {
    uint16_t kind;
    struct sy_hash organisation;
    uint64_t height;
    int64_t time_ms;
    uint16_t answer; /* enum sy_verify_answer */
};
void sy_goods_event_encode(struct sy_writer *w, const struct sy_goods_event *event);
bool sy_goods_event_decode(struct sy_goods_event *event, struct sy_slice bytes);

/*   32 from | 32 to | u64 height | i64 time | u8 flags (1 document, 2 received)
 *   | [32 document hash] | [u16 result | u64 height received | i64 time] | u32 commitments to its
 *   temperatures | list items */
struct sy_shipment {
    struct sy_hash from, to;
    uint64_t height;
    int64_t time_ms;
    bool has_document;
    struct sy_hash document;
    bool received;   /* or refused */
    uint16_t result; /* enum sy_receive_result */
    uint64_t received_height;
    int64_t received_ms;
    uint32_t conditions;  /* commitments to its temperatures */
    struct sy_list items; /* borrowed texts: EPCs */
};
/* sy_epcs_read reads such items, each an EPC; perhaps none. */
void sy_epcs_read(struct sy_reader *r, struct sy_list *items);
void sy_shipment_encode(struct sy_writer *w, const struct sy_shipment *shipment);
bool sy_shipment_decode(struct sy_shipment *shipment, struct sy_slice bytes);

#endif
