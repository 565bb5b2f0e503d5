/* chain_rig.h: an executor over an in-memory store, and real blocks for it: a small population's
 * transactions in batches of the test network's validators, certified by their keys. */
#ifndef SY_TESTS_UNIT_CHAIN_RIG_H
#define SY_TESTS_UNIT_CHAIN_RIG_H

#include "bench/population.h"
#include "consensus/node/executor.h"
#include "tests/support/changes.h"
#include "tests/support/test.h"

#define CHAIN_VALIDATORS 4u
#define CHAIN_TXS_MAX 64u

struct chain_rig {
    struct sy_genesis genesis;
    sy_store *store;
    sy_store_reader *reader;
    sy_executor *executor;
    sy_population *population;
    uint8_t *room; /* transactions, and the batch made last */
    size_t room_used;
    struct sy_slice txs[CHAIN_TXS_MAX]; /* of the batch being made */
    unsigned tx_count;
    uint64_t seqs[CHAIN_VALIDATORS]; /* of the next batch */
    struct sy_proposal proposal;     /* being made */
    int64_t step_ms;                 /* to the next block; 0: a second */
    struct sy_executed *done;        /* of the newest block */
    struct sy_roster roster;         /* that orders and seals it */
    uint64_t change_nonce;           /* the regulator's, of the last change */
    struct sy_error err;
};

/* chain_open starts at genesis; chain_reopen closes the executor and opens it again. */
void chain_open(struct chain_rig *rig);
void chain_close(struct chain_rig *rig);
sy_status chain_reopen(struct chain_rig *rig);

/* chain_add_stage adds all transactions of a population's stage to the batch being made,
 * chain_add_records `count` records. */
void chain_add_stage(struct chain_rig *rig, unsigned stage);
void chain_add_records(struct chain_rig *rig, unsigned count);

/* chain_batch ends the batch being made as `maker`'s next, stores its body and puts it into the
 * proposal. The bytes are good until the next batch. */
struct sy_slice chain_batch(struct chain_rig *rig, uint16_t maker);

/* chain_run executes the proposal as the next block; asserts that it succeeds. */
void chain_run(struct chain_rig *rig);

/* chain_certify stores the newest block's certificate. */
void chain_certify(struct chain_rig *rig);

/* chain_change runs a change of the roster, approved by a quorum, as a regulator's transaction in
 * validator 0's next batch, and certifies the block. chain_end_epoch then runs and certifies empty
 * blocks to the last one of the epoch. */
void chain_change(struct chain_rig *rig, struct test_change *change);
void chain_end_epoch(struct chain_rig *rig);

/* chain_change_thrice goes through three epochs: validator 4 comes, validator 1 gets the keys from
 * CHAIN_REKEYED on, validator 4 goes. Validator 0 makes the batches. The newest block is the first
 * of epoch 3. */
#define CHAIN_REKEYED 310u
void chain_change_thrice(struct chain_rig *rig);

/* chain_populate runs and certifies a block a stage, then one of two batches of records. */
void chain_populate(struct chain_rig *rig);

#endif
