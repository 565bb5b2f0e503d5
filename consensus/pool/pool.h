/* pool.h: admission and batches. Nothing unverified passes.
 *
 *   clients' txs --> ingress lane --engine--> open batch --seal--> stored --> READY, spread
 *   peers' batches --> queue a maker --engine--> admitted --> stored --> READY
 *
 * Admission is a pure function of a batch's bytes (DESIGN.md, "Admission reads no state"): form,
 * limits, network tag, roots, the maker's signature, every transaction's signatures and the inner
 * ones its payload carries. So validators at different heights agree on it, always. What needs
 * state (enrolment, nonce, role) is judged at execution.
 *
 * Own batches: transactions are checked before they enter, so an own batch is READY once stored.
 * A batch is sealed when it is full or when batch_timeout passed since its first transaction; it
 * is spread only after it is durable, which is also what keeps its seq from being used twice.
 *
 * Peers' batches: a peer keeps next <= seq < next + SY_BATCH_WINDOW and one admitted digest per
 * (maker, seq); another digest, or a seq outside the window, only if the consensus machine wants
 * it (a pre-prepare names it). A refusal condemns these bytes, and blames the maker only when its
 * signature over this very digest is good. What waits for a check is counted to the peer that sent
 * it, since anybody can write another's name on a batch, and peers are checked in turn; what was
 * admitted is bounded by maker. So nobody can starve another. A wanted body whose seq is over may
 * be a second copy of what ran: it is dropped from the store only where no kept block names it.
 *
 * The pool is a state machine of the consensus thread: events in, effects out; no clock, I/O or
 * keys (a signer signs batch digests). Memory is carved at init. */
#ifndef SY_POOL_POOL_H
#define SY_POOL_POOL_H

#include "core/base/arena.h"
#include "core/base/table.h"
#include "core/crypto/engine.h"
#include "core/crypto/signer.h"
#include "core/wire/batch.h"
#include "core/wire/genesis.h"
#include "core/wire/request.h"

typedef struct sy_pool sy_pool;

struct sy_pool_config {
    const struct sy_genesis *genesis; /* borrowed for the pool's life */
    const struct sy_roster *roster;   /* makers, by index; borrowed */
    uint16_t self;                    /* own index; SY_POOL_OBSERVER: makes no batches */
    struct sy_signer signer;          /* signs own batches */
    uint64_t batch_timeout_ns;        /* a lonely transaction waits this long */
    uint32_t batch_txs_max;           /* <= SY_BATCH_TXS_MAX */
    uint32_t pending_txs_max;         /* own transactions not executed yet; beyond: BUSY */
    uint64_t pace_ns;                 /* BUSY also as soon as batches take longer than this from
                                         their first transaction to execution (pace.h); 0: never */
    uint32_t lanes;                   /* checks at the engine at once, 2..64 */
    uint32_t queued_per_maker;        /* batches that one peer has waiting here */
    uint64_t respread_ns;             /* own batches not executed after this are spread again, then
                                         after twice as long, up to eight times */
    uint64_t seed[2];                 /* for hash tables that strangers fill */
};

#define SY_POOL_OBSERVER UINT16_MAX

/* When a transaction that was put off may be tried again. */
#define SY_HELD_RETRY_MS 250u

enum sy_pool_effect_type {
    SY_POOL_CHECK,   /* hand `submission` to the engine; it comes back by sy_pool_on_checked */
    SY_POOL_STORE,   /* make `body` durable under `digest`; then sy_pool_on_stored */
    SY_POOL_SPREAD,  /* send the stored body of `digest` to every peer, bulk channel */
    SY_POOL_READY,   /* admitted and durable: tell the consensus machine */
    SY_POOL_REFUSED, /* these bytes are condemned: no validator may vote for them */
    SY_POOL_DROP,    /* forget the stored body of `digest`; old: unless history needs it */
    SY_POOL_OUTCOMES /* answer a client's SUBMIT */
};

struct sy_pool_effect {
    enum sy_pool_effect_type type;
    struct sy_submission *submission; /* CHECK */
    struct sy_hash digest;            /* STORE, SPREAD, READY, REFUSED, DROP */
    struct sy_slice body;             /* STORE: good until sy_pool_on_stored */
    uint16_t maker;                   /* READY, REFUSED */
    uint64_t seq;
    uint32_t txs;
    uint32_t bytes;
    bool old;       /* DROP: its seq was over when it came, so it may have run before */
    uint64_t token; /* OUTCOMES */
    uint32_t count;
    const struct sy_submit_outcome *outcomes; /* good until the next call on the pool */
};

/* Effects are appended to a caller's list; one call appends at most SY_POOL_EFFECTS_MAX. */
#define SY_POOL_EFFECTS_MAX 512u
struct sy_pool_effects {
    uint32_t count;
    struct sy_pool_effect items[SY_POOL_EFFECTS_MAX];
};

/* sy_pool_init carves the pool from the arena. SY_ERR_NO_MEMORY: the arena is too small. */
sy_status sy_pool_init(sy_pool **pool, sy_arena *arena, const struct sy_pool_config *config);

/* sy_pool_footprint bounds the arena bytes that sy_pool_init needs. */
size_t sy_pool_footprint(const struct sy_pool_config *config);

/* sy_pool_restore tells of a body found in the store at start: `head` holds its header. Bodies
 * that already ran are ignored. Call sy_pool_set_next for every maker first. */
void sy_pool_restore(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest,
                     struct sy_slice head);

/* sy_pool_set_next says what the state holds as a maker's next seq. */
void sy_pool_set_next(sy_pool *pool, uint16_t maker, uint64_t next);

/* sy_pool_on_submit takes a client's transactions (a decoded SUBMIT, whose bytes are copied). held:
 * a refusal code a transaction, because of which the caller puts it off: it is not checked, and its
 * outcome is BUSY with this code; SY_APPLIED: it is taken; NULL: all are. The outcomes come as one
 * OUTCOMES effect with this token, now or after a check. */
void sy_pool_on_submit(sy_pool *pool, struct sy_pool_effects *effects, uint64_t token,
                       const struct sy_client_request *submit, const uint16_t *held,
                       uint64_t now_ns);

/* sy_pool_on_batch takes a batch that a peer sent: from is its roster index, anything else an
 * outsider. Bytes are copied when it is of use. */
void sy_pool_on_batch(sy_pool *pool, struct sy_pool_effects *effects, uint16_t from,
                      struct sy_slice bytes);

/* sy_pool_want says that the consensus machine needs this body: it is admitted whatever its seq
 * when it comes. Bounded; the oldest wants are forgotten. */
void sy_pool_want(sy_pool *pool, const struct sy_hash *digest);

/* sy_pool_coming: bytes under this digest are here, but not checked or not durable yet. READY will
 * follow, unless they turn out to be no good. */
bool sy_pool_coming(const sy_pool *pool, const struct sy_hash *digest);

/* sy_pool_on_checked takes a submission back from the engine. */
void sy_pool_on_checked(sy_pool *pool, struct sy_pool_effects *effects,
                        struct sy_submission *submission, uint64_t now_ns);

/* sy_pool_on_stored: the body of a STORE effect is durable. */
void sy_pool_on_stored(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest,
                       uint64_t now_ns);

/* sy_pool_on_ran: the batch (maker, seq, digest) was executed; the ids of its transactions, when it
 * is an own batch, are in ids. */
void sy_pool_on_ran(sy_pool *pool, uint16_t maker, uint64_t seq, const struct sy_hash *digest,
                    const struct sy_hash *ids, uint32_t id_count, uint64_t now_ns);

/* sy_pool_on_certified drops bodies that never ran and can be voted for no more, and repeats READY
 * for those that were announced above their maker's window and lie inside it now. */
void sy_pool_on_certified(sy_pool *pool, struct sy_pool_effects *effects, uint64_t height);

/* sy_pool_on_tick seals a batch whose time has come, and spreads late ones again. */
void sy_pool_on_tick(sy_pool *pool, struct sy_pool_effects *effects, uint64_t now_ns);

/* sy_pool_wake_ns is when sy_pool_on_tick is wanted next. */
uint64_t sy_pool_wake_ns(const sy_pool *pool);

/* sy_pool_drain stops taking transactions (SUBMIT is answered BUSY) and seals what is open. */
void sy_pool_drain(sy_pool *pool, struct sy_pool_effects *effects, uint64_t now_ns);

/* sy_pool_offer repeats READY for a body that is admitted and durable here (or REFUSED for one that
 * is condemned). False: it is neither. */
bool sy_pool_offer(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest);

struct sy_pool_info {
    uint32_t pending_txs;    /* own, accepted and not executed */
    uint32_t pace_txs;       /* how many may be so, or waiting for their check, before BUSY */
    uint32_t own_batches;    /* own, sealed and not executed */
    uint32_t peer_batches;   /* admitted and not executed */
    uint32_t queued_batches; /* waiting for a check */
    uint64_t next_seq;       /* own */
    uint64_t condemned;      /* batches refused so far */
    uint64_t signatures;     /* checked by admission so far */
};
void sy_pool_get_info(const sy_pool *pool, struct sy_pool_info *out);

#endif
