/* sim.h: whole validators in one thread, from one seed.
 *
 *     clients --SUBMIT--> +------------------------------+ --SEND--> network: delay, loss, copies,
 *     with retries,       | sy_node (pool, pbft) and     |           reordering, one-way cuts
 *     copies and rubbish  | executor, ledger, wire, all  | --COMMIT-> disk: groups, later; a crash
 *                         | as in systoled; the store's  |           loses what is not durable,
 *                         | in-memory twin; a keyed hash |           a write that fails stops it
 *                         | for signatures (keyed.h)     | --CHECK, EXECUTE-> later
 *                         +------------------------------+
 *
 * Time is simulated: an event queue ordered by (time, number). Everything, the faults included, is
 * drawn from the seed, so the same options play the same world, event by event (`trace` is a hash
 * of them all). Validators crash between any two effects and start again from their store. When
 * the faults stop, everybody comes back and the network is good: from then on progress is owed.
 *
 * Up to f validators lie, from the first message to the last (liar.c): what their correct nodes
 * send is withheld, contradicted, forged, replayed and flooded, a different way to each peer, or
 * one of them runs twice under one key. The first primary may be among them.
 *
 * In some worlds the roster changes (epochs.c): a validator comes, with an empty store, one goes,
 * or some get other keys or addresses.
 *
 * In long worlds all but weak(n) validators prune (history.c), and who lags behind is told so. In
 * most worlds states are held, and in some one validator begins in the middle, with an empty store,
 * and asks for one (joining.c): fetcher and cutter are systoled's. A state of a world fits one
 * chunk; states of many chunks are test_node_fetcher's and test_node_join's. What a client is told
 * of pruned history is not seen here: nobody reads (test_api).
 *
 * What is checked, by code that knows nothing of the inside of the machines:
 *   - agreement: at each height every validator has the same header, order and receipts, unless
 *     that is pruned, and then it says so; headers form a chain whose time rises; who says where
 *     its history begins is right; at rest all have the same state
 *   - certificate: every stored certificate holds quorum(n) good seals over that header, and those
 *     of correct validators are seals that they sent
 *   - once: no transaction is applied twice
 *   - validity: what no client signed is never ordered; a good transaction is never refused; no
 *     block's time is further ahead than correct clocks and the skew allow
 *   - durable: a vote, a seal or a status leaves only after what it says is in the store; a vote
 *     only after the bodies that it names
 *   - amnesia: no validator ever signs two different things for one (phase, view, slot), or votes
 *     in a view below one that it asked for
 *   - promise: what a validator once held under a certificate is there after every crash
 *   - alarm: no correct validator raises an alarm, blames a correct one, or refuses its batch;
 *     nobody finds fault with a clock that is right, and whoever has a wrong one is told
 *   - final: what a client was told is final stands in every ledger, where it was told, as far back
 *     as that goes
 *   - replay: a validator's stored orders and bodies, executed from genesis in a fresh store, give
 *     the same headers
 *   - memory: arenas stay as they were carved; vote records stay within the window, bodies that
 *     never ran within a bound a maker; of pruned blocks no body is left, and history is as long as
 *     it is to be; no node asks to be woken all the time
 *   - liveness: within a stated time after the faults stop every good transaction is applied and
 *     every validator has the same certified height; then one more is, much sooner
 *
 * A planted fault is something that the world does wrong on purpose, so that a test can see a
 * checker fail. */
#ifndef SY_TESTS_SIM_SIM_H
#define SY_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_VALIDATORS_MIN 4u
#define SIM_VALIDATORS_MAX 7u

/* From the end of the faults until everything is final everywhere, in simulated time, with nobody
 * lying, and with liars: a view that a liar leads can take 32 s (PROTOCOL.md, timers). */
#define SIM_LIVENESS_MS 40000u
#define SIM_LIVENESS_AMONG_LIARS_MS 120000u
/* From the sending of one lonely transaction to a correct validator of a network at rest until it
 * is final somewhere, with nobody lying, and with liars. */
#define SIM_LONELY_MS 400u
#define SIM_LONELY_AMONG_LIARS_MS 8000u
enum sim_check {
    SIM_CHECK_NONE = 0,
    SIM_CHECK_AGREEMENT,
    SIM_CHECK_CERTIFICATE,
    SIM_CHECK_ONCE,
    SIM_CHECK_VALIDITY,
    SIM_CHECK_DURABLE,
    SIM_CHECK_AMNESIA,
    SIM_CHECK_PROMISE,
    SIM_CHECK_ALARM,
    SIM_CHECK_REPLAY,
    SIM_CHECK_MEMORY,
    SIM_CHECK_LIVENESS,
    SIM_CHECK_FINAL
};

enum sim_plant {
    SIM_PLANT_NONE = 0,
    SIM_PLANT_LYING_DISK,     /* one validator's disk says "durable" before it is */
    SIM_PLANT_OLD_VOTES,      /* one validator loses its vote records in a crash */
    SIM_PLANT_WIPED,          /* one validator comes back from a crash with an empty store */
    SIM_PLANT_OTHER_TIME,     /* one validator executes a block at another time */
    SIM_PLANT_BAD_HEADER,     /* a bit of a stored header turns */
    SIM_PLANT_BAD_SEAL,       /* a bit of a stored certificate turns */
    SIM_PLANT_NO_REPLAY,      /* a receipt that refuses a copy says that it was applied */
    SIM_PLANT_UNKNOWN_TX,     /* a transaction is ordered that no client signed */
    SIM_PLANT_DEAF_EXECUTOR,  /* one validator never hears that its blocks were executed */
    SIM_PLANT_SHORT_REPLAY,   /* the replay leaves out one batch */
    SIM_PLANT_KEPT_VOTES,     /* one validator's disk forgets to drop old records */
    SIM_PLANT_STOLEN_KEY,     /* somebody seals in the name of a validator that has not executed */
    SIM_PLANT_TOLD_EARLY,     /* a client is told "final" when its transaction was received */
    SIM_PLANT_TOO_MANY_LIARS, /* two liars of four, who propose and vote two ways together */
    SIM_PLANT_KEPT_BODIES,    /* one validator's store is filled with bodies that never run */
    SIM_PLANT_FAR_TIME,       /* the clocks of all validators are an hour ahead */
    SIM_PLANT_LOST_VIEW,      /* one validator forgets in a crash which view it asked for */
    SIM_PLANT_WRONG_CLOCK,    /* a clock is an hour ahead, of which the checkers are not told */
    SIM_PLANT_TIMELESS,       /* the checkers believe so of a clock that is right */
    SIM_PLANT_KEPT_HISTORY,   /* validators that are to prune do not */
    SIM_PLANT_WRONG_PRUNED,   /* they say that history begins elsewhere */
    SIM_PLANT_OTHER_STATE,    /* a bit of one validator's state turns */
    SIM_PLANT_DEATH,          /* an assertion fails */
    SIM_PLANT_COUNT
};

#define SIM_EPOCHS_MAX 3u

/* What liars do, as bits of sim_options.lies. */
enum sim_lie {
    SIM_LIE_WITHHOLD = 1 << 0,
    SIM_LIE_VOTE = 1 << 1,
    SIM_LIE_FORGE = 1 << 2,
    SIM_LIE_SEAL = 1 << 3,
    SIM_LIE_STATUS = 1 << 4,
    SIM_LIE_BLOCK = 1 << 5,
    SIM_LIE_REPLAY = 1 << 6,
    SIM_LIE_HIDE = 1 << 7,
    SIM_LIE_FLOOD = 1 << 8,
    SIM_LIE_ASK = 1 << 9,
    SIM_LIE_TWIN = 1 << 10,
    SIM_LIE_PROPOSAL = 1 << 11,
    SIM_LIE_SLOW = 1 << 12,
    SIM_LIE_CENSOR = 1 << 13,
    SIM_LIE_VIEW = 1 << 14,
    SIM_LIE_CHUNK = 1 << 15,
    SIM_LIE_PRUNED = 1 << 16,
    SIM_LIE_EPOCH = 1 << 17,
    SIM_LIE_SILENT = 1 << 18,
    SIM_LIE_PAST = 1 << 19,
    SIM_LIE_OLD = 1 << 20,
    SIM_LIE_CERTIFICATE = 1 << 21,
    SIM_LIE_FETCH = 1 << 22,
    SIM_LIE_ALL = (1 << 23) - 1
};

/* All figures are unsigned, so that they can be set by name and halved (options.h). */
struct sim_options {
    uint64_t seed;
    unsigned validators;
    unsigned real_signatures;
    unsigned records;         /* good transactions after the population is enrolled */
    unsigned rubbish;         /* bad signatures, damaged bytes, strangers' transactions */
    unsigned faults_ms;       /* how long faults go on */
    unsigned crashes;         /* single crashes meanwhile, half of them of the primary, */
    unsigned power_cuts;      /* and of all at once */
    unsigned write_failures;  /* disks that refuse a write */
    unsigned away_ms;         /* a crashed validator is away for at most so long, mostly a tenth */
    unsigned cuts;            /* links that go dead one way for a while */
    unsigned splits;          /* partitions into two groups */
    unsigned loss_permille;   /* frames lost, */
    unsigned copy_permille;   /* delivered twice, */
    unsigned garble_permille; /* and delivered again with some bytes changed */
    unsigned delay_us;  /* of a frame, at least; mostly up to 4 times that, at times 50 times */
    unsigned disk_us;   /* of a group of commits; likewise */
    unsigned slow_disk; /* the odd validator's disk is so many times slower */
    unsigned bad_clock; /* its clock is off: 1: an hour behind, 2: ahead, 3: ten years ahead, those
                          of f validators */
    unsigned liars;     /* how many validators lie, at most f; the odd validator is the first */
    unsigned lies;      /* enum sim_lie */
    unsigned bad_primary; /* the first liar is the first primary */
    unsigned epochs;      /* changes of the roster, one after another; at most SIM_EPOCHS_MAX */
    unsigned added;       /* one of them brings a validator, which begins with an empty store */
    unsigned removed;     /* one of them takes one away, if four are left then */
    unsigned check_us; /* what a transaction's signature costs, one after the other; 0: 20 us each,
                          checks side by side */
    unsigned batch_txs_max;
    unsigned pipeline_slots;
    unsigned lanes;
    unsigned snapshot_blocks; /* the state at each multiple is held for who is new; 0: none is */
    unsigned history_blocks;  /* kept by those that prune, which are all but weak(n); 0: nobody */
    unsigned late;            /* one validator begins in the middle, with an empty store */
    unsigned plant;           /* enum sim_plant */
};

enum sim_fault {
#define SIM_FAULT(name) SIM_FAULT_##name,
#include "tests/sim/seen.def"
#undef SIM_FAULT
    SIM_FAULT_COUNT
};

enum sim_branch {
#define SIM_BRANCH(name) SIM_BRANCH_##name,
#include "tests/sim/seen.def"
#undef SIM_BRANCH
    SIM_BRANCH_COUNT
};

struct sim_result {
    enum sim_check failed; /* SIM_CHECK_NONE: every check held */
    char failure[512];
    uint64_t trace;
    uint64_t events;
    uint64_t heights; /* certified everywhere at the end */
    uint64_t txs;     /* ordered copies */
    uint64_t applied; /* transactions */
    uint64_t replays; /* copies refused by their nonce */
    uint64_t refused; /* at admission: what deserved it */
    uint64_t frames;
    uint64_t view;         /* the highest that a correct validator was in */
    uint64_t view_changes; /* views that correct validators left, all of them together */
    uint64_t settled_ms;   /* simulated, from the end of the faults until all was final */
    uint64_t lonely_ms;    /* until the last transaction was final */
    uint64_t simulated_ms;
    uint64_t cpu_us; /* of this process, for this world */
    uint64_t faults[SIM_FAULT_COUNT];
    uint64_t branches[SIM_BRANCH_COUNT];
};

/* sim_options_draw chooses a world: validators 0 draws that too. */
void sim_options_draw(struct sim_options *options, uint64_t seed, unsigned validators);

/* sim_run plays one world to its end or to the first failed check. */
void sim_run(struct sim_result *result, const struct sim_options *options);

const char *sim_check_name(enum sim_check check);
const char *sim_fault_name(enum sim_fault fault);
const char *sim_branch_name(enum sim_branch branch);

#endif
