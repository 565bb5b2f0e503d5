/* sim_internal.h: what the simulator's files share. */
#ifndef SY_TESTS_SIM_SIM_INTERNAL_H
#define SY_TESTS_SIM_SIM_INTERNAL_H

#include "bench/population.h"
#include "consensus/node/committer.h"
#include "consensus/node/cutter.h"
#include "consensus/node/executor.h"
#include "consensus/node/fetcher.h"
#include "consensus/node/node.h"
#include "consensus/node/serve.h"
#include "core/base/arena.h"
#include "core/base/prng.h"
#include "core/base/table.h"
#include "core/crypto/engine.h"
#include "core/store/store.h"
#include "tests/sim/keyed.h"
#include "tests/sim/sim.h"
#include "tests/support/changes.h"

#define MS 1000000ull
#define US 1000ull
#define SUBMIT_TXS_MAX 24u
#define RUNS_MAX (2u * SY_PBFT_WINDOW)
/* Blocks that gather before a slice of history goes. */
#define SIM_PRUNE_EVERY 3u
/* Validators that there ever are: those of the genesis, and one that comes later. */
#define MEMBERS_MAX (SIM_VALIDATORS_MAX + 1u)
/* Those that run: each of them, and perhaps a twin of the odd one. */
#define PLACES_MAX (MEMBERS_MAX + 1u)

/* ---- events ------------------------------------------------------------------------------ */

enum event_type {
    EVENT_FRAME,   /* arrives at a validator */
    EVENT_SEND,    /* a liar's late frame leaves */
    EVENT_SUBMIT,  /* a client's request arrives */
    EVENT_CHECKED, /* the engine is done */
    EVENT_DISK,    /* a group of commits is written */
    EVENT_RUN,     /* a block is executed */
    EVENT_FOUND,   /* a look-up is answered */
    EVENT_TICK,
    EVENT_CLIENTS, /* the clients look what is to be sent */
    EVENT_CRASH,   /* somewhere in the next few effects, or at once */
    EVENT_RESTART,
    EVENT_FAIL_WRITE, /* one of the next writes fails */
    EVENT_CUT,        /* a link goes dead one way */
    EVENT_MEND,       /* and comes back */
    EVENT_SPLIT,      /* a partition into the validators of a mask and the others */
    EVENT_JOIN,       /* all links come back */
    EVENT_CALM,       /* the faults are over */
    EVENT_POWER,      /* everybody crashes */
    EVENT_PRUNE,      /* there may be more history to forget */
    EVENT_JOINER,     /* a joining validator has waited long enough */
    EVENT_NUDGE       /* effects of a start are carried out: look at the clock */
};

struct event {
    uint64_t at_ns;
    uint64_t number;
    enum event_type type;
    uint16_t node;  /* a place */
    uint32_t life;  /* of the validator that waits for it; 0: whoever is there */
    uint16_t peer;  /* FRAME: who sent it; SEND: to whom */
    uint32_t mask;  /* CRASH: 1: of the primary. SPLIT: bits 0..15 one side, 16..17 which
                       ways, 24..31 a bridge, and one. JOINER: which question */
    uint8_t *bytes; /* owned */
    size_t size;
    struct sy_submission *submission;
    struct sy_hash digest;
};

struct queue {
    struct event *heap;
    size_t count;
    size_t room;
    uint64_t numbers;
};

void queue_put(struct queue *queue, const struct event *event);
bool queue_take(struct queue *queue, struct event *event);
void queue_free(struct queue *queue);

/* ---- validators -------------------------------------------------------------------------- */

/* A COMMIT or CERTIFY on its way to the disk; bytes are copied. */
struct disk_item {
    struct sy_node_effect effect;
    uint8_t *bytes;
};

struct disk {
    struct disk_item *items; /* [first, count) wait; the first `flying` of them are being written */
    size_t first, count, room;
    size_t flying;
    uint64_t told_token; /* LYING_DISK: what was said to be durable */
};

struct validator {
    struct world *world;
    uint16_t place;
    uint16_t index; /* which one it is, in all epochs: as in the genesis's roster, or above those
                       that has; a twin has another's */
    uint16_t self;  /* its index in `roster`, or SY_PBFT_OBSERVER */
    bool faulty;    /* lies or has a twin: nothing that it does is judged */
    bool up;
    bool left;     /* the roster has it no more, and it has ended for good */
    uint32_t life; /* counts starts, from 1 */
    int64_t skew_ms;
    uint64_t engine_free_ns; /* world time; check_us */
    uint64_t clock_base_ns;  /* monotonic clock = world time + base */
    uint64_t tick_at_ns;     /* world time of the tick that is queued; UINT64_MAX: none */
    uint64_t ticks;          /* since the last whole simulated second */
    uint64_t tick_second;
    int crash_after; /* effects from now; -1: not planned */
    int fail_after;  /* writes from now; -1: not planned */
    bool starting;
    bool joins;  /* it begins with a state from peers, if it can */
    bool doomed; /* it crashes as soon as its step returns; effects have no effect any more */
    sy_store *store;
    sy_store_reader *reader;
    struct sy_serve serve;
    sy_executor *executor;
    struct sy_roster roster; /* of the epoch that it is in */
    sy_arena arena;
    size_t arena_used; /* after start-up */
    sy_node *node;
    struct disk disk;
    struct sy_proposal *runs; /* ring of RUNS_MAX */
    uint64_t runs_in, runs_out;
    bool running;
    struct sy_pruning pruning;
    bool prunes_later; /* a PRUNE is queued */
    struct sy_cutter cutter;
    sy_fetcher *fetcher; /* it is joining, and not up; else NULL */
    uint32_t question;   /* that was asked last */
    uint64_t left_below; /* in this epoch, all lives: it has asked for this view, and votes in none
                            below */
    uint64_t promised;   /* highest height told as certified, all lives */
};

/* ---- clients ----------------------------------------------------------------------------- */

enum tx_kind { TX_GOOD, TX_STRANGER, TX_BAD_SIGNATURE, TX_DAMAGED };

struct client_tx {
    enum tx_kind kind;
    unsigned stage; /* 3: records and rubbish; 4: the lonely one */
    struct sy_hash id;
    uint8_t *bytes;
    size_t size;
    uint64_t due_ns; /* when it is sent (again) */
    uint32_t epoch;  /* it is not sent before this one is known to have begun */
    bool answered;   /* rubbish: refused, nothing more to do */
    bool applied;
    uint64_t told_height; /* a client was told that it is final there; 0: not yet */
    unsigned copies;      /* ordered */
};

struct request {
    uint16_t count;
    uint32_t txs[SUBMIT_TXS_MAX];
};

struct clients {
    sy_population *population;
    sy_population *strangers;
    struct client_tx *txs;
    uint32_t count, room;
    uint32_t stage;     /* of the good ones */
    uint64_t lonely_ns; /* when the last one, which has a stage of its own, was sent; 0: not yet */
    struct request *requests;
    uint32_t request_count, request_room;
};

/* ---- what was seen ----------------------------------------------------------------------- */

struct height {
    uint8_t header[SY_HEADER_BYTES];
    struct sy_hash hash;
    struct sy_hash order, receipts;           /* hashes of the stored bytes */
    struct sy_hash certificates[MEMBERS_MAX]; /* that were verified */
    unsigned certificate_count;
};

/* A roster, and who is who in it. */
struct epoch {
    struct sy_roster roster;
    struct test_change change;   /* that ends it; none ends the last one */
    uint16_t index[MEMBERS_MAX]; /* each validator's in the roster, or SY_PBFT_OBSERVER */
    uint16_t whose[MEMBERS_MAX]; /* the validator that has a roster index */
    unsigned keys[MEMBERS_MAX];  /* the test key with which it votes, by roster index */
};

struct signing {
    sy_engine *engine; /* real_signatures */
    struct sim_keyed keyed;
    struct sy_hash *scratch;
};

/* What a lying primary proposed in place of its node's proposal; all liars and their victims'
 * groups keep to it. */
enum second_kind {
    SECOND_TWICE = 1, /* to some, while the others get the first */
    SECOND_PAST,      /* to all: a time below the parent's */
    SECOND_OLD        /* to all: a batch that stands in an earlier slot */
};
struct second_proposal {
    uint64_t view, slot;
    uint32_t victims; /* bit a peer */
    enum second_kind kind;
    int64_t time_ms;       /* PAST */
    struct sy_entry entry; /* OLD */
    struct sy_hash digest;
};

struct kept_frame {
    uint8_t *bytes; /* owned */
    size_t size;
};

#define KEPT_FRAMES 64u
#define KEPT_EPOCH_FRAMES 16u
#define KEPT_ENTRIES 64u
#define KEPT_FIRST_ENTRIES 16u /* of these the first are kept for ever */
struct liars {
    uint32_t mask;    /* bit a validator */
    uint16_t victim;  /* whose batches a censor leaves out */
    uint32_t shunned; /* bit a validator: the silent ones never say anything to it */
    struct second_proposal second[SY_PBFT_WINDOW];
    struct kept_frame kept[KEPT_FRAMES];                                /* to be said again, */
    struct kept_frame of_epochs[SIM_EPOCHS_MAX + 1][KEPT_EPOCH_FRAMES]; /* in a later epoch */
    struct sy_entry entries[KEPT_ENTRIES];                              /* to be proposed again */
    uint64_t entry_slots[KEPT_ENTRIES];
    uint64_t entry_count;
    struct sy_pre_prepare proposal; /* the newest one: to be certified by nobody; view, slot */
    uint64_t flood_seq;
    uint8_t *scratch; /* SY_FRAME_BYTES_MAX, for what is made up, */
    uint8_t *claims;  /* and SY_VIEW_CHANGE_BYTES_MAX, for certificates in it */
};

struct world {
    struct sim_options options;
    struct sim_result *result;
    sy_prng prng;
    uint64_t now_ns;
    uint64_t calm_ns; /* when faults end */
    bool calm;
    bool done;
    uint16_t n; /* validators that there ever are, a twin aside */
    struct sy_genesis *genesis;
    struct epoch *epochs;     /* every one that there will be */
    uint32_t epoch;           /* the newest that a correct validator is in */
    bool hushes;              /* nobody hears the last seal of who leaves, */
    uint64_t hushed_until_ns; /* from its first sending until then */
    struct signing signing;
    struct liars liars;
    struct sy_node_effects *effects;
    struct sy_executed *executed;
    struct queue queue;
    struct validator validators[PLACES_MAX];
    uint16_t places;
    uint16_t odd; /* the validator of which nothing is expected: first liar, bad clock, garbler */
    struct validator *starting;
    uint32_t unsound;                   /* bit a validator: it lies, or its clock is wrong */
    uint16_t late;                      /* who begins late, or UINT16_MAX */
    uint16_t newcomer;                  /* who comes with a later roster, or UINT16_MAX */
    uint32_t archives;                  /* bit a validator: it keeps all history */
    bool cut[MEMBERS_MAX][MEMBERS_MAX]; /* [from][to] */
    struct clients clients;
    struct height *heights; /* [0] is genesis */
    size_t height_count, height_room;
    sy_arena arena;
    struct sy_table signed_things; /* (validator, phase, view, slot) -> digest */
    struct sy_table tx_index;      /* tx id -> place in clients.txs, and one */
    struct sy_table ran_bodies;    /* digests of batches that ran -> height */
    uint8_t *scratch;              /* SY_FRAME_BYTES_MAX */
    uint8_t *chunk;                /* SY_CHUNK_ENTRIES_BYTES_MAX */
    bool planted;                  /* the planted fault has happened */
};

/* ---- sim.c ------------------------------------------------------------------------------- */

/* sim_fail notes the first failed check; the world then ends. */
__attribute__((format(printf, 3, 4))) void sim_fail(struct world *world, enum sim_check check,
                                                    const char *format, ...);
/* sim_later queues an event `delay_ns` from now. */
void sim_later(struct world *world, struct event event, uint64_t delay_ns);
/* sim_draw is a delay around `usual_us`: mostly up to 4 times, one in 32 up to 50 times as long;
 * without those when calm. */
uint64_t sim_draw(struct world *world, unsigned usual_us);
bool sim_plants(const struct world *world, enum sim_plant plant, const struct validator *validator);
void sim_note_fault(struct world *world, enum sim_fault fault);
void sim_note_branch(struct world *world, enum sim_branch branch, uint64_t times);

/* ---- signing.c --------------------------------------------------------------------------- */

void sim_signing_open(struct world *world);
void sim_signing_close(struct world *world);
/* sim_sign signs with the consensus key that a validator has in the epoch that it is in, or has
 * with sim_sign_in in another one, whose roster must have it. */
void sim_sign(const struct world *world, struct sy_signature *out, uint16_t index,
              enum sy_sig_kind kind, const struct sy_hash *digest);
void sim_sign_in(const struct world *world, struct sy_signature *out, uint32_t epoch,
                 uint16_t index, enum sy_sig_kind kind, const struct sy_hash *digest);
struct sy_signer sim_signer(struct validator *validator);
bool sim_verify(const struct world *world, const struct sy_public_key *key, enum sy_sig_kind kind,
                const struct sy_hash *digest, const struct sy_signature *signature);
struct sy_verifier sim_verifier(struct world *world);
/* sim_check_jobs is the engine. */
void sim_check_jobs(struct world *world, struct sy_submission *submission);
/* sim_sign_tx puts the keyed signatures into a whole transaction of the population. */
void sim_sign_tx(const struct world *world, uint8_t *bytes, size_t size);

/* ---- liar.c, liar_unasked.c -------------------------------------------------------------- */

void sim_liars_open(struct world *world);
void sim_liars_close(struct world *world);
/* sim_lie sends to one peer what a liar makes of its node's message. */
void sim_lie(struct world *world, struct validator *liar, uint16_t to, struct sy_slice bytes);
/* sim_liar_hears: whether its node is to see a frame. */
bool sim_liar_hears(struct world *world, struct validator *liar, uint16_t from,
                    struct sy_slice bytes);
/* sim_lie_sync sends what a liar makes of its node's answer beside consensus (sync.h). */
void sim_lie_sync(struct world *world, const struct validator *liar, uint16_t to,
                  struct sy_slice bytes);
/* sim_lie_unasked is a liar's turn to do something that its node did not ask for. */
void sim_lie_unasked(struct world *world, struct validator *liar);

/* ---- validator.c ------------------------------------------------------------------------- */

static inline uint64_t sim_clock_ns(const struct world *world, const struct validator *validator)
{
    return world->now_ns + validator->clock_base_ns;
}
int64_t sim_wall_ms(const struct world *world, const struct validator *validator);
bool sim_clock_is_off(const struct world *world, uint16_t index);
/* sim_info is what a node says of itself, until the next call. */
const struct sy_node_info *sim_info(const struct world *world, const struct validator *validator);
void sim_validator_open(struct world *world, uint16_t index);
void sim_validator_close(struct world *world, struct validator *validator);
void sim_start(struct world *world, struct validator *validator);
void sim_restart_later(struct world *world, const struct validator *validator);
/* sim_wipe gives it an empty store. It may not be up. */
void sim_wipe(struct world *world, struct validator *validator);
void sim_crash(struct world *world, struct validator *validator);
/* sim_feed gives the validator one event and carries out what follows. */
void sim_feed(struct world *world, struct validator *validator, struct sy_node_event *event);
void sim_on_tick(struct world *world, struct validator *validator);

/* sim_validator_stop throws away all but the store. */
void sim_validator_stop(struct validator *validator);

/* ---- epochs.c ---------------------------------------------------------------------------- */

/* sim_epochs_count says how many validators the options' changes ever bring together. */
uint16_t sim_epochs_count(const struct sim_options *options);
/* After the liars: whom the network can do without depends on them. */
void sim_epochs_open(struct world *world);
void sim_epochs_close(struct world *world);
const struct sy_roster *sim_roster(const struct world *world, uint32_t epoch);
/* sim_index_in is a validator's index in an epoch's roster, or SY_PBFT_OBSERVER; sim_whose is the
 * validator that has an index there. */
uint16_t sim_index_in(const struct world *world, uint32_t epoch, uint16_t validator);
uint16_t sim_whose(const struct world *world, uint32_t epoch, uint16_t index);
/* sim_stays says whether the last roster has a validator. */
bool sim_stays(const struct world *world, const struct validator *validator);
/* sim_epoch_change writes the transaction that ends an epoch and gives its id. */
struct sy_slice sim_epoch_change(const struct world *world, struct sy_writer *room,
                                 struct sy_hash *id, uint32_t epoch);
/* sim_lingers: its epoch is over and it will leave, but others may need it to get there. */
bool sim_lingers(struct world *world, const struct validator *validator);
/* sim_turn goes on with the next roster, as systoled does. */
void sim_turn(struct world *world, struct validator *validator);

/* ---- effects.c --------------------------------------------------------------------------- */

void sim_carry(struct world *world, struct validator *validator,
               const struct sy_node_effects *effects);
void sim_on_run(struct world *world, struct validator *validator);
void sim_on_checked(struct world *world, struct validator *validator, const struct event *event);

/* ---- disk.c ------------------------------------------------------------------------------ */

void sim_disk_put(struct world *world, struct validator *validator,
                  const struct sy_node_effect *effect);
/* sim_write_fails: this is the write that the disk was to refuse. */
bool sim_write_fails(struct validator *validator);
void sim_on_disk(struct world *world, struct validator *validator);
/* sim_disk_flush writes all that waits, untold. False: the disk refused. */
bool sim_disk_flush(struct world *world, struct validator *validator);
/* sim_disk_crash loses what is not durable; the group under way may have made it, or half of it. */
void sim_disk_crash(struct world *world, struct validator *validator);

/* ---- history.c --------------------------------------------------------------------------- */

/* Who keeps history, and who begins late. */
void sim_history_open(struct world *world);
/* What a start needs of it; then tops come from the executor. */
void sim_history_start(struct world *world, struct validator *validator);
void sim_history_stop(struct validator *validator);
/* sim_prune forgets a slice. The disk may refuse: the validator crashes. */
void sim_prune(struct world *world, struct validator *validator);
void sim_send_pruned(struct world *world, struct validator *validator, uint16_t to,
                     struct sy_slice message, uint64_t asked);
void sim_send_chunk(struct world *world, struct validator *validator,
                    const struct sy_node_effect *effect);
void sim_send_handovers(struct world *world, struct validator *validator,
                        const struct sy_node_effect *effect);

/* ---- joining.c --------------------------------------------------------------------------- */

/* sim_join begins to fetch a state, or goes on. */
void sim_join(struct world *world, struct validator *validator);
/* An event for a validator that joins. */
void sim_on_join_event(struct world *world, struct validator *validator, const struct event *event);
void sim_join_crash(struct world *world, struct validator *validator);

/* ---- network.c --------------------------------------------------------------------------- */

/* A twin gets its share of what is for the other one. */
void sim_send(struct world *world, uint16_t from, uint16_t to, struct sy_slice bytes);
void sim_split(struct world *world, uint32_t mask);
void sim_plan_splits(struct world *world);

/* ---- clients.c --------------------------------------------------------------------------- */

void sim_clients_open(struct world *world);
void sim_clients_close(struct world *world);
void sim_on_clients(struct world *world);
void sim_on_submit(struct world *world, struct validator *validator, const struct event *event);
void sim_on_outcomes(struct world *world, const struct validator *validator, uint64_t token,
                     uint32_t count, const struct sy_submit_outcome *outcomes);
/* sim_clients_done: every good transaction is applied, all rubbish was answered. */
bool sim_clients_done(const struct world *world);
/* sim_clients_lonely sends the last transaction into a network at rest. False: that has been done.
 */
bool sim_clients_lonely(struct world *world);

/* ---- wrong_clocks.c ---------------------------------------------------------------------- */

void sim_check_clock(struct world *world, const struct validator *validator,
                     const struct sy_clocks_info *clocks);
/* sim_clocks_told: every wrong clock is known, to its validator and to the others. */
bool sim_clocks_told(struct world *world);

/* ---- branches.c -------------------------------------------------------------------------- */

void sim_note_effect(struct world *world, const struct sy_node_effect *effect);
void sim_note_message(struct world *world, const struct validator *validator,
                      const struct sy_message *message);
void sim_note_start(struct world *world, const struct validator *validator);
void sim_note_resumed(struct world *world, const struct validator *validator);
/* What a validator's own counters say: sampled now and then, and before its node is thrown away. */
void sim_note_sample(struct world *world, struct validator *validator);
void sim_note_totals(struct world *world, struct validator *validator);

/* ---- checks.c ---------------------------------------------------------------------------- */

/* What a validator sends to others. */
void sim_check_send(struct world *world, struct validator *validator, struct sy_slice bytes);
/* A validator tells that everything up to height is certified. */
void sim_check_certified(struct world *world, struct validator *validator, uint64_t height);
/* What a validator says of its history is so. */
void sim_check_pruned(struct world *world, const struct validator *validator, uint64_t asked,
                      uint64_t said);
/* After a restart, and at the end: what was promised is there. */
void sim_check_promises(struct world *world, struct validator *validator);
void sim_check_memory(struct world *world, struct validator *validator);
/* At the end. */
void sim_check_told(struct world *world, struct validator *validator);
void sim_check_replay(struct world *world, struct validator *validator);
void sim_check_end(struct world *world);

#endif
