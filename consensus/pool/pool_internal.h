/* pool_internal.h: what the pool's files share. Not for other rooms. */
#ifndef SY_POOL_POOL_INTERNAL_H
#define SY_POOL_POOL_INTERNAL_H

#include "consensus/pool/pace.h"
#include "consensus/pool/pool.h"
#include "core/wire/tx.h"

#define BATCH_OVERHEAD_BYTES (SY_BATCH_HEADER_BYTES + 64u)
#define LANE_TXS_MAX SY_BATCH_TXS_MAX
#define LANE_REQUESTS_MAX 256u
#define LANE_JOBS_MAX (SY_FRAME_BYTES_MAX / 64u) /* a signature takes 64 bytes of the batch */
#define LANE_BYTES_MAX SY_FRAME_BYTES_MAX        /* whatever one SUBMIT can hold */
#define BUILDERS 4u
#define WANTS_MAX 256u

/* Bodies of one maker that the pool knows at once: those of its window and as many that went
 * stale; twice that when the consensus machine asks for more. So no maker fills the table. */
#define BODIES_MAX (2u * SY_BATCH_WINDOW)
#define BODIES_WANTED_MAX (4u * SY_BATCH_WINDOW)
#define OWN_RESPREAD_SHIFT_MAX \
    3u /* each spreading of an own batch waits twice as long, to 8 times */

/* Where a body stands. Absent: never seen, dropped, or it ran. */
enum body_state { BODY_QUEUED = 1, BODY_CHECKING, BODY_STORING, BODY_STORED, BODY_CONDEMNED };

struct body {
    enum body_state state;
    uint16_t maker;
    bool ran;   /* executed by catch-up before it was stored through the pool */
    bool old;   /* may be part of history: dropped from the store only if it is not */
    bool far;   /* READY when its seq was above the window: to be told again inside it */
    bool stale; /* its seq is outside the window since the certified height stale_height */
    uint64_t seq;
    uint32_t txs;
    uint32_t bytes;
    uint64_t stale_height;
};

/* A peer's batch on its way from the frame to the store. */
struct inbox {
    bool used;
    bool checked; /* at the engine, or back from there */
    uint16_t maker;
    uint16_t sender; /* index into shares: whose room this takes */
    uint16_t flow;   /* index into served: among whose checks this one is */
    uint64_t order;  /* arrival, so that a sender's batches are checked in order */
    struct sy_hash digest;
    struct sy_batch batch; /* views into bytes */
    uint32_t size;
    uint8_t *bytes; /* SY_BATCH_BYTES_MAX */
};

struct lane_tx {
    struct sy_slice bytes;
    uint32_t first_job;
    uint32_t job_count;
    uint32_t leaf;
    uint16_t code; /* refused before the check */
    bool held;     /* put off, and why: code */
};

struct lane_request {
    uint64_t token;
    uint32_t first;
    uint32_t count;
};

enum lane_use { LANE_FREE, LANE_FILLING, LANE_INGRESS, LANE_PEER };

/* A check at the engine: clients' transactions that came together, or one peer's batch. */
struct lane {
    enum lane_use use;
    struct sy_submission submission;
    uint32_t tx_count;
    uint32_t leaf_count;
    uint32_t job_count;
    struct lane_tx *txs;                /* LANE_TXS_MAX */
    struct sy_slice *leaves;            /* bodies, then signatures: 2 * LANE_TXS_MAX */
    struct sy_hash *hashes;             /* the same */
    struct sy_sig_job *jobs;            /* LANE_JOBS_MAX */
    uint8_t *verdicts;                  /* LANE_JOBS_MAX */
    struct sy_submit_outcome *outcomes; /* LANE_TXS_MAX */
    struct sy_tree_job trees[2];
    struct inbox *inbox; /* PEER */
    uint64_t since_ns;   /* FILLING, INGRESS: when the first of its transactions came */
    uint32_t bytes_used; /* likewise */
    uint8_t *bytes;      /* LANE_BYTES_MAX */
    uint32_t request_count;
    struct lane_request requests[LANE_REQUESTS_MAX];
};

enum builder_state { BUILDER_FREE, BUILDER_OPEN, BUILDER_STORING };

struct builder {
    enum builder_state state;
    uint32_t txs;
    uint32_t used; /* bytes, header and signature included */
    uint64_t opened_ns;
    uint64_t since_ns; /* when its first transaction came */
    struct sy_hash digest;
    uint8_t *bytes;       /* SY_BATCH_BYTES_MAX */
    struct sy_hash *ids;  /* SY_BATCH_TXS_MAX */
    struct sy_hash *sigs; /* leaf hashes of signatures */
    struct sy_hash *scratch;
};

/* An own batch from sealing to execution. */
struct own {
    bool used;
    bool stored;
    uint64_t seq;
    uint32_t txs;
    uint64_t since_ns;  /* when its first transaction came; 0: before the start */
    uint32_t spreads;   /* how often it was spread */
    uint64_t spread_ns; /* when it was spread last */
    struct sy_hash digest;
};

struct maker {
    uint64_t next;                            /* what the state expects */
    uint32_t bodies;                          /* entries of the body table, condemned ones apart */
    struct sy_hash admitted[SY_BATCH_WINDOW]; /* by seq % window; zero: none */
};

struct sy_pool {
    struct sy_pool_config config;
    struct sy_table bodies;  /* digest -> struct body */
    struct sy_table pending; /* own tx id -> nothing */
    struct maker *makers;    /* roster->count */
    uint32_t *shares;        /* inboxes in use by each sender; the last is for outsiders */
    struct inbox *inboxes;
    uint32_t inbox_count;
    struct lane *lanes;
    struct builder builders[BUILDERS];
    struct builder *open; /* NULL: none */
    struct own own[SY_BATCH_WINDOW];
    uint64_t next_seq; /* of the next own batch */
    uint64_t arrivals;
    uint64_t *served;      /* signatures taken for a check: of each sender, and of what is wanted */
    uint64_t served_least; /* of the flow that came last, before that */
    uint64_t certified;    /* the height told last */
    bool draining;
    uint32_t ingress_flying;
    uint32_t peers_flying;
    uint32_t peers_jobs; /* in them */
    uint32_t pending_txs;
    uint32_t checking_txs; /* clients', in lanes */
    struct sy_pace pace;
    struct sy_hash wants[WANTS_MAX];
    uint32_t want_at;
    struct sy_hash condemned[WANTS_MAX]; /* ring: the table forgets the oldest */
    uint32_t condemned_at;
    uint64_t condemned_count;
    uint64_t signatures;
    struct sy_submit_outcome busy[SY_SUBMIT_TXS_MAX];
    uint8_t *tx_scratch;
};

/* pool.c */
struct sy_pool_effect *sy_pool_emit(struct sy_pool_effects *effects, enum sy_pool_effect_type type);
/* sy_pool_body_add makes an entry for a digest that has none; the table has room for as many as
 * the bounds above allow. sy_pool_body_forget removes it. */
struct body *sy_pool_body_add(sy_pool *pool, const struct sy_hash *digest, uint16_t maker,
                              enum body_state state);
void sy_pool_body_forget(sy_pool *pool, const struct sy_hash *digest);
bool sy_pool_in_window(const struct maker *maker, uint64_t seq);
/* sy_pool_place makes digest the admitted one of its maker's seq, if that has none. */
void sy_pool_place(struct maker *maker, uint64_t seq, const struct sy_hash *digest);
bool sy_pool_wanted(const sy_pool *pool, const struct sy_hash *digest);
/* sy_pool_unwant forgets a want; false: there was none. */
bool sy_pool_unwant(sy_pool *pool, const struct sy_hash *digest);
void sy_pool_inbox_free(sy_pool *pool, struct inbox *inbox);
struct lane *sy_pool_lane_take(sy_pool *pool);
/* sy_pool_lane_add appends a decoded tx's leaves and jobs; false: the lane has no room. */
bool sy_pool_lane_add(sy_pool *pool, struct lane *lane, const struct sy_tx *tx,
                      struct sy_slice bytes);
void sy_pool_lane_send(struct lane *lane, struct sy_pool_effects *effects);
bool sy_pool_tx_good(const struct lane *lane, const struct lane_tx *tx);
void sy_pool_refused(struct sy_pool_effects *effects, const struct sy_hash *digest,
                     const struct body *body);
void sy_pool_ready(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest);

/* admit.c */
/* sy_pool_hasten takes a batch that waits for its check out of its sender's: it is wanted. */
void sy_pool_hasten(sy_pool *pool, const struct sy_hash *digest);
void sy_pool_check_next(sy_pool *pool, struct sy_pool_effects *effects);
void sy_pool_admit_checked(sy_pool *pool, struct sy_pool_effects *effects, struct lane *lane);

/* ingress.c */
void sy_pool_ingress_checked(sy_pool *pool, struct sy_pool_effects *effects, struct lane *lane,
                             uint64_t now_ns);
void sy_pool_ingress_send(sy_pool *pool, struct sy_pool_effects *effects);
void sy_pool_seal(sy_pool *pool, struct sy_pool_effects *effects, uint64_t now_ns);

#endif
