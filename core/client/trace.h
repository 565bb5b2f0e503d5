/* trace.h: where goods have been, whose they are and whether they are recalled, from entries that
 * are proven one by one.
 *
 *     unit --> step 1 ... step n            while it was packed, its container's steps count, too:
 *                 |                         those after the number that PACKED has, up to the one
 *                 +-- PACKED --> container --> its steps --> its own container ...     UNPACKED has
 *
 * A unit's entry counts its steps, and so does a container's, so a step that is kept back is
 * missed. Containers are trees of at most SY_CONTAINER_LEVELS_MAX levels. Where the entries come
 * from, a network that is asked or a folder of proofs, is the caller's. One thread at a time. */
#ifndef SY_CLIENT_TRACE_H
#define SY_CLIENT_TRACE_H

#include "core/client/asker.h"
#include "core/wire/state_cond.h"
#include "core/wire/state_rx.h"

#define SY_EPC_TEXT_BYTES 48u /* "01/GTIN/21/SERIAL" or "00/SSCC", and its end */

/* sy_trace_get proves an entry, named as in a read (request.h). *value borrows until the next call.
 * SY_ERR_NOT_FOUND: proven to be absent. SY_ERR_PERMISSION: withheld from who asks. */
typedef sy_status (*sy_trace_get)(void *self, struct sy_slice *value, enum sy_state_kind kind,
                                  const struct sy_hash *id, const struct sy_hash *second,
                                  struct sy_error *err);

/* A step on the way of what is traced. */
struct sy_trace_step {
    unsigned depth;               /* 0: its own; 1: of the container it was in; ... */
    char item[SY_EPC_TEXT_BYTES]; /* whose step it is */
    bool withheld;                /* what happened to item then is not shown; only `item` is set */
    uint64_t number;              /* among the item's steps */
    struct sy_unit_step step;
    bool has_from; /* it is known whose it was before */
    struct sy_hash from;
    bool has_conditions; /* of a step that says that its temperature is known, unless withheld */
    struct sy_conditions conditions; /* without its items */
};
typedef sy_status (*sy_trace_visit)(void *self, const struct sy_trace_step *step,
                                    struct sy_error *err);

struct sy_trace {
    sy_trace_get get;
    void *self; /* get's */
    sy_trace_visit visit;
    void *visitor; /* visit's self */
    /* filled by sy_trace_walk, before the first visit: */
    struct sy_unit unit;
    bool has_maker; /* of a unit: who commissioned it */
    struct sy_hash maker;
    /* and at its end, the outermost container, or the unit itself: */
    bool has_top; /* false: withheld */
    struct sy_unit top;
    char top_item[SY_EPC_TEXT_BYTES];
};

/* sy_trace_walk visits every step of a unit or container, the oldest first. SY_ERR_ARGUMENT: epc is
 * none. SY_ERR_NOT_FOUND: it was never commissioned or packed. SY_ERR_PERMISSION: its own entry is
 * withheld. SY_ERR_CORRUPT: what was proven contradicts itself. SY_ERR_BUSY: it was moved
 * meanwhile; ask again. */
sy_status sy_trace_walk(struct sy_trace *trace, const char *epc, struct sy_error *err);

/* What is known of a lot. */
struct sy_trace_lot {
    bool seen; /* false: its counts are withheld, or there is none */
    bool absent;
    struct sy_lot lot;
    bool recalled;
    struct sy_hash recall_id;
    struct sy_recall recall; /* without its lots */
};

/* sy_trace_lot asks for a lot and its recall; gtin and name are judged by the caller. */
sy_status sy_trace_lot(struct sy_trace_lot *out, sy_trace_get get, void *self, struct sy_slice gtin,
                       struct sy_slice name, struct sy_error *err);

/* sy_trace_answer is what a pack of the unit that was walked is answered at a block time (enum
 * sy_verify_answer), as unit.verify would; 0: what is withheld decides. */
uint16_t sy_trace_answer(const struct sy_trace *trace, const struct sy_trace_lot *lot,
                         int64_t time_ms);

/* --- where entries come from ------------------------------------------------------------------ */

/* A get that asks the network; self: this. It takes no answer that is older than the one before,
 * and keeps each proof in `folder`, unless that is NULL. Free `answer`. */
struct sy_trace_asked {
    sy_asker *asker;
    const sy_secret_key *key; /* borrowed: signs the reads */
    uint8_t purpose;
    int64_t max_age_ms;
    const char *folder;
    struct sy_proven answer;
    uint64_t lowest, highest; /* heights of the blocks that proved it so far */
    int64_t time_ms;          /* of the highest */
};
sy_status sy_trace_ask(void *self, struct sy_slice *value, enum sy_state_kind kind,
                       const struct sy_hash *id, const struct sy_hash *second,
                       struct sy_error *err);

/* A get that reads what the one above kept; self: this. Each proof is verified with the genesis
 * alone. What is not in the folder counts as withheld. Free `answer`. */
struct sy_trace_kept {
    const struct sy_genesis *genesis;
    const char *folder;
    struct sy_proven answer;
    uint64_t lowest, highest;
    int64_t time_ms;
};
sy_status sy_trace_load(void *self, struct sy_slice *value, enum sy_state_kind kind,
                        const struct sy_hash *id, const struct sy_hash *second,
                        struct sy_error *err);

#endif
