/* pbft_world_internal.h: what pbft_world.c, pbft_nodes.c and pbft_checks.c share, and what
 * pbft_whole.c, which takes the place of the queue, drives. */
#ifndef SY_TESTS_SCENARIO_PBFT_WORLD_INTERNAL_H
#define SY_TESTS_SCENARIO_PBFT_WORLD_INTERNAL_H

#include "tests/scenario/pbft_world.h"

#define MS 1000000ull
#define NODES_MAX 16u
#define RECORDS_MAX 512u
#define SIGNED_MAX 16384u

enum happening {
    HAPPENS_DELIVER,   /* bytes of a message for node, from peer */
    HAPPENS_TIMER,     /* number = enum sy_pbft_timer */
    HAPPENS_DURABLE,   /* number = token */
    HAPPENS_EXECUTED,  /* the oldest EXECUTE under way */
    HAPPENS_CERTIFIED, /* number = height */
    HAPPENS_BODY,      /* number = batch */
    HAPPENS_ASK_BODY,  /* peer asks node for batch number */
    HAPPENS_BATCH,     /* a new batch is made */
    HAPPENS_CRASH,     /* number: 1 = comes back */
    HAPPENS_START,
    HAPPENS_POWER_CUT
};

struct occurrence {
    uint64_t at_ns, order;
    enum happening what;
    uint16_t node, peer;
    uint32_t life; /* of the node it was meant for: a restarted node is another one */
    uint64_t number;
    uint8_t *bytes; /* owned */
    size_t size;
};

struct batch_model {
    struct sy_hash digest;
    uint16_t maker;
    uint64_t seq;
};

struct block_model {
    bool executed, certified;
    struct sy_proposal ran; /* time and the entries that ran */
    struct sy_header header;
    struct sy_hash hash;
    struct sy_certificate certificate;
};

struct record_model {
    uint64_t token; /* 0: durable */
    uint8_t type;
    uint64_t slot, view;
    uint8_t *bytes; /* owned */
    size_t size;
};

struct signed_model {
    uint8_t kind;
    uint64_t view, slot;
    struct sy_hash digest;
};

struct node_model {
    bool correct, up;
    uint32_t life;
    sy_arena *arena;
    sy_pbft *pbft;
    struct sy_pbft_config config;
    int64_t clock_ms; /* its wall clock minus the world's */
    uint64_t timers[SY_PBFT_TIMER_COUNT];

    struct record_model records[RECORDS_MAX]; /* ends at record_count; durable and not yet */
    unsigned record_count;
    uint64_t durable_at_ns;     /* the disk is busy until then */
    struct block_model *blocks; /* by height; 0 is genesis */
    uint64_t executed, certified;
    struct sy_proposal queue[SY_PBFT_WINDOW]; /* EXECUTE under way */
    bool queue_adopted[SY_PBFT_WINDOW];
    unsigned queued;
    uint64_t next_seqs[NODES_MAX];
    bool has_body[WORLD_BATCHES_MAX];

    struct signed_model *signatures; /* all it ever signed */
    unsigned signed_count;
    uint64_t promised_view; /* the highest one of a VIEW_CHANGE that it sent */
};

struct world {
    struct world_rules rules;
    struct world_result *result;
    sy_prng prng;
    uint64_t now_ns;
    uint64_t order;
    struct occurrence **heap;
    size_t heap_count, heap_room;
    struct sy_hash genesis;
    struct sy_roster roster;
    struct batch_model batches[WORLD_BATCHES_MAX];
    unsigned batch_count;
    struct node_model nodes[NODES_MAX];
    struct sy_pbft_effects *effects;
    /* What an equivocating primary proposed to either half; digests by slot. */
    struct sy_hash faces[2][WORLD_HEIGHTS_MAX];
    uint64_t face_views[WORLD_HEIGHTS_MAX];
    uint64_t halves[WORLD_HEIGHTS_MAX]; /* bit i: validator i sees the second face; 0: none yet */
};

/* pbft_world.c: the queue and the network. world_open starts every node of a zeroed world whose
 * rules, result and effects are set; one world at a time. world_pop gives what happens next, owned
 * by the caller with its bytes, or NULL. */
void world_open(struct world *world);
void world_close(struct world *world);
struct occurrence *world_pop(struct world *world);
void world_schedule(struct world *world, uint64_t delay_ns, enum happening what, uint16_t node,
                    uint16_t peer, uint64_t number);
void world_transmit(struct world *world, uint16_t from, uint16_t to, const struct sy_message *m);
/* Keeps a message back for a while. */
void world_hold_back(struct world *world, uint64_t delay_ns, uint16_t from, uint16_t to,
                     const struct sy_message *m);
bool world_link_cut(const struct world *world, uint16_t from, uint16_t to);
bool world_faults_last(const struct world *world);
bool world_chance(struct world *world, unsigned percent);

/* pbft_nodes.c: what surrounds each machine. */
void node_start(struct world *world, uint16_t index);
void node_crash(struct world *world, uint16_t index);
void node_step(struct world *world, uint16_t index, struct sy_pbft_event *event);
void node_on_message(struct world *world, uint16_t index, uint16_t from,
                     const struct sy_message *message);
void node_on_durable(struct world *world, uint16_t index, uint64_t token);
void node_on_executed(struct world *world, uint16_t index);
void node_on_certified(struct world *world, uint16_t index, uint64_t height);
void node_on_body(struct world *world, uint16_t index, uint64_t batch);
void node_on_timer(struct world *world, uint16_t index, enum sy_pbft_timer timer);

/* pbft_faults.c: what a faulty validator sends instead of what its machine wants. */
void fault_send(struct world *world, uint16_t index, uint16_t to, struct sy_message *message);
void fault_sign(struct world *world, uint16_t index, struct sy_message *message);
void fault_forge_block(struct world *world, struct sy_block_message *block);

/* pbft_checks.c: true when the check holds; else the result's failure is set. */
void check_fail(struct world *world, const char *format, ...) SY_PRINTF(2, 3);
void check_sent(struct world *world, uint16_t index, const struct sy_message *message);
void check_executed(struct world *world, uint16_t index, uint64_t height);
void check_certificate(struct world *world, uint16_t index, uint64_t height,
                       const struct sy_hash *hash, const struct sy_certificate *certificate);
bool check_signatures(const struct world *world, const struct sy_message *message);
void check_end(struct world *world);

#endif
