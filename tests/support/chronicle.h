/* chronicle.h: a store filled as a validator fills it: blocks whose orders name stored bodies, with
 * deltas, receipts and certificates, all of it following from the height alone, so that any of it
 * can be checked later, and nothing need be remembered. */
#ifndef SY_TESTS_SUPPORT_CHRONICLE_H
#define SY_TESTS_SUPPORT_CHRONICLE_H

#include "tests/support/stores.h"

#define CHRONICLE_TXS 3u

struct chronicle {
    size_t body_bytes; /* of the largest body; their sizes go round */
    size_t part_bytes; /* of the largest receipts */
    struct test_model model;
    uint8_t packed[TEST_MODEL_BYTES];
};

/* chronicle_step adds the next block (any height from 0) with its bodies, applies and certifies
 * it. The model is the state after it. Failures end the test with what the store said. */
void chronicle_step(struct chronicle *chronicle, sy_store *store);

/* chronicle_try_step does the same and gives the first failure. */
sy_status chronicle_try_step(struct chronicle *chronicle, sy_store *store, struct sy_error *err);

/* chronicle_model makes the state after `blocks` blocks. */
void chronicle_model(struct chronicle *chronicle, uint64_t blocks);

/* chronicle_check_block says whether a block is there whole: every part, its bodies, its
 * transactions' places. SY_ERR_CORRUPT: something differs. */
sy_status chronicle_check_block(const struct chronicle *chronicle, sy_store *store,
                                sy_store_reader *reader, uint64_t height);

/* chronicle_check_pruned says whether a block is there as a pruned one should be: header and
 * certificate, and refusals with SY_ERR_PRUNED. swept: nothing of it may be left behind either. */
sy_status chronicle_check_pruned(sy_store *store, sy_store_reader *reader, uint64_t height,
                                 bool swept);

/* chronicle_check checks every block of the store, below and above its pruned height, and its
 * newest state. Everything but the blocks from `swept` to the pruned height is gone. */
sy_status chronicle_check(struct chronicle *chronicle, sy_store *store, uint64_t swept);

/* chronicle_try_install makes a store without blocks begin with the state after the block at
 * height, `entries` of it at a time, going on where an earlier try stopped. The model is that
 * state. */
sy_status chronicle_try_install(struct chronicle *chronicle, sy_store *store, uint64_t height,
                                size_t entries, struct sy_error *err);
/* chronicle_root stands for the root of that state. */
struct sy_hash chronicle_root(uint64_t height);

#endif
