/* sim.h: whole validators in one thread, from one seed.
 *
 *     clients --SUBMIT--> +------------------------------+ --SEND--> network: delay, loss, copies,
 *     with retries,       | sy_node (pool, pbft) and     |           reordering, one-way cuts
 *     copies and rubbish  | executor, ledger, wire, all  | --COMMIT-> disk: groups, later; a crash
 *                         | as in systoled; the store's  |           loses what is not durable
 *                         | in-memory twin; real Ed25519 | --CHECK, EXECUTE-> later
 *                         +------------------------------+
 *
 * Time is simulated: an event queue ordered by (time, number). Everything, the faults included, is
 * drawn from the seed, so the same options play the same world, event by event (`trace` is a hash
 * of them all). Validators crash between any two effects and start again from their store. When
 * the faults stop, everybody comes back and the network is good: from then on progress is owed.
 *
 * What is checked, by code that knows nothing of the inside of the machines:
 *   agreement     at each height every validator has the same header, order and receipts; headers
 *                 form a chain whose time rises
 *   certificate   every stored certificate holds quorum(n) good seals over that header
 *   once          no transaction is applied twice
 *   validity      what no client signed is never ordered; a good transaction is never refused
 *   durable       a vote, a seal or a status leaves only after what it says is in the store; a vote
 *                 only after the bodies that it names
 *   amnesia       no validator ever signs two different things for one (phase, view, slot)
 *   promise       what a validator once held under a certificate is there after every crash
 *   alarm         no machine raises an alarm or finds evidence: nobody lies in these worlds
 *   replay        a validator's stored orders and bodies, executed from genesis in a fresh store,
 *                 give the same headers
 *   memory        arenas stay as they were carved; vote records stay within the window; no node
 *                 asks to be woken all the time
 *   liveness      within a stated time after the faults stop every good transaction is applied and
 * every validator has the same certified height; then one more is, much sooner
 *
 * A planted fault is something that the world does wrong on purpose, so that a test can see a
 * checker fail. */
#ifndef SY_TESTS_SIM_SIM_H
#define SY_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_VALIDATORS_MIN 4u
#define SIM_VALIDATORS_MAX 7u

/* From the end of the faults until everything is final everywhere, in simulated time. */
#define SIM_LIVENESS_MS 20000u
/* From the sending of one lonely transaction into a network at rest until it is final somewhere. */
#define SIM_LONELY_MS 400u

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
    SIM_CHECK_LIVENESS
};

enum sim_plant {
    SIM_PLANT_NONE = 0,
    SIM_PLANT_LYING_DISK,    /* one validator's disk says "durable" before it is */
    SIM_PLANT_OLD_VOTES,     /* one validator loses its vote records in a crash */
    SIM_PLANT_WIPED,         /* one validator comes back from a crash with an empty store */
    SIM_PLANT_OTHER_TIME,    /* one validator executes a block at another time */
    SIM_PLANT_BAD_HEADER,    /* a bit of a stored header turns */
    SIM_PLANT_BAD_SEAL,      /* a bit of a stored certificate turns */
    SIM_PLANT_NO_REPLAY,     /* a receipt that refuses a copy says that it was applied */
    SIM_PLANT_UNKNOWN_TX,    /* a transaction is ordered that no client signed */
    SIM_PLANT_DEAF_EXECUTOR, /* one validator never hears that its blocks were executed */
    SIM_PLANT_SHORT_REPLAY,  /* the replay leaves out one batch */
    SIM_PLANT_KEPT_VOTES,    /* one validator's disk forgets to drop old records */
    SIM_PLANT_COUNT
};

struct sim_options {
    uint64_t seed;
    uint16_t validators;
    unsigned records;         /* good transactions after the population is enrolled */
    unsigned rubbish;         /* bad signatures, damaged bytes, strangers' transactions */
    unsigned faults_ms;       /* how long faults go on */
    unsigned crashes;         /* single crashes meanwhile, */
    bool power_cut;           /* and one of all at once */
    unsigned away_ms;         /* a crashed validator is away for at most so long, mostly a tenth */
    unsigned cuts;            /* links that go dead one way for a while */
    unsigned loss_permille;   /* frames lost, */
    unsigned copy_permille;   /* delivered twice, */
    unsigned garble_permille; /* and delivered again with some bytes changed */
    unsigned delay_us;  /* of a frame, at least; mostly up to 4 times that, at times 50 times */
    unsigned disk_us;   /* of a group of commits; likewise */
    unsigned slow_disk; /* the second validator's disk is so many times slower */
    bool bad_clock;     /* the last validator's clock is an hour off */
    unsigned batch_txs_max;
    unsigned pipeline_slots;
    unsigned lanes;
    enum sim_plant plant;
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
    uint64_t frames, frames_lost, frames_garbled, frames_malformed;
    uint64_t crashes;
    uint64_t crashes_in_step; /* between two effects of one step */
    uint64_t adopted;         /* blocks executed from certified ones */
    uint64_t settled_ms;      /* simulated, from the end of the faults until all was final */
    uint64_t lonely_ms;       /* until the last transaction was final */
    uint64_t simulated_ms;
};

/* sim_options_draw chooses a world: validators 0 draws that too. */
void sim_options_draw(struct sim_options *options, uint64_t seed, uint16_t validators);

/* sim_run plays one world to its end or to the first failed check. */
void sim_run(struct sim_result *result, const struct sim_options *options);

const char *sim_check_name(enum sim_check check);

#endif
