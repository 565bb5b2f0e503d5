/* stores.h: stores and their contents for tests: both implementations, numbered blocks, and a model
 * of the state to compare with. */
#ifndef SY_TESTS_SUPPORT_STORES_H
#define SY_TESTS_SUPPORT_STORES_H

#include "core/base/prng.h"
#include "core/store/store.h"
#include "core/wire/delta.h"

enum test_store_kind { TEST_STORE_LMDB, TEST_STORE_MEMORY };

/* A store that can be "restarted": LMDB is closed and opened again, the twin crashes. */
struct test_store {
    enum test_store_kind kind;
    char folder[256]; /* LMDB's, removed by test_store_end */
    struct sy_store_config config;
    sy_store *store;
};

/* No view of a test grows too old, however busy the machine. */
#define TEST_VIEW_AGE_MS 3600000u

/* test_store_begin opens a new store with small limits; begin_with takes limits from config. */
void test_store_begin(struct test_store *t, enum test_store_kind kind);
void test_store_begin_with(struct test_store *t, enum test_store_kind kind,
                           const struct sy_store_config *config);
void test_store_restart(struct test_store *t);
void test_store_end(struct test_store *t);

/* test_store_suite runs cases over every implementation, each in turn, and returns how many failed.
 * A case asks test_kind_of its state for the one that it is to begin. */
#define test_store_suite(name, cases) \
    test_store_suite_run(name, cases, sizeof(cases) / sizeof(cases)[0])
struct CMUnitTest;
int test_store_suite_run(const char *name, const struct CMUnitTest *cases, size_t count);
enum test_store_kind test_kind_of(void *const *state);

/* test_reader_open opens a reader of a store. Close it with sy_store_reader_close. */
sy_store_reader *test_reader_open(sy_store *store);

/* test_store_prune calls sy_store_prune until there is no more to do. A failure ends the test. */
void test_store_prune(sy_store *store, uint64_t below);

/* test_hash_of gives the 32 bytes that stand for a number, the same everywhere. */
struct sy_hash test_hash_of(uint64_t number);

/* test_fill writes the bytes that stand for a number; test_is_filled checks them. */
void test_fill(uint8_t *out, size_t size, uint64_t number);
bool test_is_filled(struct sy_slice bytes, size_t size, uint64_t number);

/* A block of known bytes: parts of sizes that depend on the height, tx_count ids from
 * test_hash_of(height * 1000 + i), and deltas. Free with test_stored_free. */
struct test_stored {
    struct sy_block_write write;
    uint8_t *memory;
};
void test_stored_make(struct test_stored *block, uint64_t height, size_t tx_count,
                      struct sy_slice deltas);
void test_stored_free(struct test_stored *block);
/* test_stored_check reads every part back and compares. */
void test_stored_check(sy_store_reader *reader, uint64_t height, size_t tx_count,
                       struct sy_slice deltas);

/* A model of the state: keys are test_hash_of(0 .. keys - 1), values known by a number. */
#define TEST_MODEL_KEYS 600u
struct test_model {
    uint64_t version[TEST_MODEL_KEYS]; /* 0: absent */
};

/* test_model_step changes about `changes` random keys for a block and packs the deltas into out
 * (TEST_MODEL_BYTES); returns the packed slice of it. */
#define TEST_MODEL_BYTES (TEST_MODEL_KEYS * 140u)
struct sy_slice test_model_step(struct test_model *model, uint8_t *out, sy_prng *prng,
                                uint64_t height, unsigned changes);
/* test_model_pack packs the whole state into out (as large as for test_model_step): deltas, all of
 * them puts. */
struct sy_slice test_model_pack(const struct test_model *model, uint8_t *out);
/* test_model_check compares every key, by get, and a whole walk, with a view at its height. */
void test_model_check(sy_state_view *view, const struct test_model *model);
/* test_newest_check does the same with the store's newest state, in another view when the store
 * ends one. Nothing may be applied meanwhile. */
void test_newest_check(sy_store *store, const struct test_model *model);
/* test_model_value is the value that goes with a version; at most 100 bytes. */
struct sy_slice test_model_value(uint8_t out[100], uint64_t version);

#endif
