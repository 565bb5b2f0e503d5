/* pool_rig.h: a pool with an engine behind it, and its effects written down, for tests. */
#ifndef SY_TESTS_UNIT_POOL_RIG_H
#define SY_TESTS_UNIT_POOL_RIG_H

#include "consensus/pool/pool.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define PRIG_LOG_MAX 4096u
#define PRIG_SECOND 1000000000ull
#define PRIG_MS 1000000ull

/* One effect, with copies of what it borrowed. */
struct prig_effect {
    enum sy_pool_effect_type type;
    struct sy_hash digest;
    uint16_t maker;
    uint64_t seq;
    uint32_t txs;
    uint32_t bytes;
    bool old;
    uint64_t token;
    uint32_t count;
    struct sy_submit_outcome first; /* OUTCOMES: the first and the last one */
    struct sy_submit_outcome last;
    struct sy_slice body; /* STORE */
};

struct pool_rig {
    struct sy_genesis genesis;
    struct sy_pool_config config;
    sy_arena arena;
    sy_pool *pool;
    sy_engine *engine;
    struct sy_pool_effects *effects;
    struct sy_submission *flying[64]; /* checks that wait, oldest first */
    unsigned flying_count;
    bool hold_checks; /* checks wait for prig_check, */
    bool hold_stores; /* stores for prig_store; otherwise both are done at once */
    struct sy_hash storing[512];
    unsigned storing_count;
    struct prig_effect *log;
    unsigned logged;
    const uint16_t *held; /* given with every SUBMIT; NULL at first */
    uint64_t now_ns;
    uint8_t *room; /* transactions and batches are made here */
    struct sy_writer writer;
    sy_prng prng;
};

/* prig_config is what prig_open uses unless it is given something else: validator 0 of 4. */
void prig_config(struct pool_rig *rig, struct sy_pool_config *config);
void prig_open(struct pool_rig *rig);
void prig_open_with(struct pool_rig *rig, const struct sy_pool_config *config);
void prig_close(struct pool_rig *rig);

/* prig_tx makes a good transaction, another one each time. */
struct sy_slice prig_tx(struct pool_rig *rig);
/* prig_copy copies bytes into the rig's room, to be changed. */
uint8_t *prig_copy(struct pool_rig *rig, struct sy_slice bytes);
/* prig_batch makes a batch of `count` good transactions by validator `maker`. */
struct sy_slice prig_batch(struct pool_rig *rig, unsigned maker, uint64_t seq, unsigned count);
struct sy_hash prig_digest(const struct pool_rig *rig, struct sy_slice batch);

void prig_submit(struct pool_rig *rig, uint64_t token, const struct sy_slice *txs, unsigned count);
void prig_submit_one(struct pool_rig *rig, uint64_t token, struct sy_slice tx);
void prig_receive(struct pool_rig *rig, uint16_t from, struct sy_slice batch);
/* prig_check lets the oldest waiting check come back; prig_store says that all is durable. */
void prig_check(struct pool_rig *rig);
void prig_store(struct pool_rig *rig);
void prig_tick(struct pool_rig *rig, uint64_t later_ns);
void prig_ran(struct pool_rig *rig, uint16_t maker, uint64_t seq, const struct sy_hash *digest);
void prig_certified(struct pool_rig *rig, uint64_t height);
bool prig_offer(struct pool_rig *rig, const struct sy_hash *digest);

/* prig_count counts logged effects of a type; prig_last is the newest one (asserted). */
unsigned prig_count(const struct pool_rig *rig, enum sy_pool_effect_type type);
const struct prig_effect *prig_last(const struct pool_rig *rig, enum sy_pool_effect_type type);
/* prig_about: the newest effect of a type about a digest, or NULL. */
const struct prig_effect *prig_about(const struct pool_rig *rig, enum sy_pool_effect_type type,
                                     const struct sy_hash *digest);
/* prig_forget empties the log. */
void prig_forget(struct pool_rig *rig);
/* prig_outcome is what a SUBMIT was told about its first transaction. */
struct sy_submit_outcome prig_outcome(const struct pool_rig *rig, uint64_t token);

#endif
