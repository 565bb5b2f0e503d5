/* pbft_world.h: a small world for the PBFT machine: n validators over one seeded event queue.
 *
 * Network (delay, loss, duplication, reordering), vote store (records become durable later, and a
 * crash loses what was not), ledger (executes in order, later), bodies and clocks are models; the
 * machines are the real ones. Everything follows from the seed.
 *
 * Signatures are modelled: a signature is the digest, the kind and the signer's index, so that a
 * message that leaves a machine unsigned, or is relayed with a wrong signature, is refused here as
 * the engine would refuse it. Faulty validators sign with their own index only.
 *
 * Checked on the way, by code that knows nothing of the machine's inside:
 *   - agreement: no two correct validators execute different blocks at one height;
 *   - certificates hold quorum(n) valid seals over the block that was executed;
 *   - no amnesia: no correct validator signs two digests for one (view, slot, phase), restarts
 *     included, and whatever it signs had its record durable (its bodies too) beforehand;
 *   - who sent a VIEW_CHANGE votes in no lower view, and shows in it every slot that it committed;
 *   - every height is executed once, in order; every batch runs once, in its maker's order. */
#ifndef SY_TESTS_SCENARIO_PBFT_WORLD_H
#define SY_TESTS_SCENARIO_PBFT_WORLD_H

#include "consensus/pbft/message.h"
#include "consensus/pbft/pbft.h"
#include "core/base/prng.h"

#define WORLD_HEIGHTS_MAX 512u
#define WORLD_BATCHES_MAX 256u

enum world_fault {
    WORLD_HONEST,
    WORLD_SILENT,      /* sends nothing at all */
    WORLD_TWO_FACED,   /* tells different peers different proposals, votes and seals, and lies */
    WORLD_EQUIVOCATES, /* as primary: two proposals a slot, with a commit for each */
    WORLD_FORGES,      /* certified blocks with made-up entries, wrong labels, wrong times */
    WORLD_SLOW,        /* sends its proposals late */
    WORLD_CENSORS,     /* does not know the batches of one maker */
    WORLD_HOARDS,      /* keeps its seals and certified blocks to itself, and runs ahead in views */
    WORLD_PARTIAL      /* sends nothing to some validators, always the same ones */
};

struct world_rules {
    uint16_t n;
    uint16_t faulty;     /* the validators that behave badly: the last ones, or from 0 on */
    bool primary_faulty; /* then validator 0 is one of them */
    enum world_fault fault;
    unsigned loss_percent, duplicate_percent;
    uint64_t delay_max_ns;
    unsigned restarts;     /* crashes of correct validators during the faults */
    bool primary_restarts; /* validator 0 may be among them */
    bool all_at_once;      /* one power cut for everybody in the middle */
    unsigned batches;      /* made by random correct makers */
    uint64_t faults_until_ns;
    uint64_t end_ns;
    int64_t clock_spread_ms; /* wall clocks differ by at most this */
    uint16_t lagging;        /* a validator whose links are cut while the faults last; n: none */
};

struct world_result {
    uint64_t heights; /* certified by all correct validators */
    uint64_t steps, messages, refused;
    uint64_t spared;  /* messages that were not wanted (P35) */
    uint64_t skipped; /* entries that execution skipped */
    uint64_t equivocations, retransmissions, adopted, restarts;
    uint64_t view_changes; /* of correct validators, up to their last crash or the end */
    uint64_t highest_view; /* in which a correct validator is */
    bool all_ran;          /* every batch ran at every correct validator */
    bool stalled;          /* some correct validator says so at the end */
    char failure[256];     /* empty: every check held */
};

/* world_rules_default is an honest world of n with loss, duplication and two restarts. */
void world_rules_default(struct world_rules *rules, uint16_t n);

/* world_run plays a whole world; the same rules and seed give the same result. */
void world_run(struct world_result *result, const struct world_rules *rules, uint64_t seed);

/* The model of a signature, for tests that build messages by hand. */
void world_sign(struct sy_signature *out, enum sy_sig_kind kind, const struct sy_hash *digest,
                uint16_t signer);

#endif
