/* crypto_hash.c: hashes a second, engine by engine, beside OpenSSL with a reused EVP context
 * (core/crypto/hash.h) in the same round.
 *
 *     leaf201   leaves of 200 bytes, 4,096 a submission
 *     node65    inner nodes: trees over 4,096 leaf hashes that are given
 *     tree20    the same, one tree of 2^20 leaf hashes: trees a second */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/crypto_internal.h"
#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "gpu/cuda_engine.h"

#define LEAF_BYTES 200u
#define SMALL 4096u
#define LARGE (1u << 20)

struct fixture {
    uint8_t *bytes; // SMALL leaves
    struct sy_slice *leaves;
    struct sy_hash *hashes; // LARGE
    struct sy_hash *work;   // LARGE, for the reference
};

static bool make_fixture(struct fixture *fixture)
{
    sy_prng prng;
    sy_prng_seed(&prng, 20);
    fixture->bytes = (uint8_t *)malloc((size_t)SMALL * LEAF_BYTES);
    fixture->leaves = (struct sy_slice *)calloc(SMALL, sizeof *fixture->leaves);
    fixture->hashes = (struct sy_hash *)calloc(LARGE, sizeof *fixture->hashes);
    fixture->work = (struct sy_hash *)calloc(LARGE, sizeof *fixture->work);
    if (!fixture->bytes || !fixture->leaves || !fixture->hashes || !fixture->work) return false;
    sy_prng_fill(&prng, fixture->bytes, (size_t)SMALL * LEAF_BYTES);
    sy_prng_fill(&prng, fixture->hashes, (size_t)LARGE * sizeof *fixture->hashes);
    for (uint32_t i = 0; i < SMALL; i++) {
        fixture->leaves[i] = sy_slice_of(fixture->bytes + (size_t)i * LEAF_BYTES, LEAF_BYTES);
    }
    return true;
}

static void free_fixture(struct fixture *fixture)
{
    free(fixture->bytes);
    free(fixture->leaves);
    free(fixture->hashes);
    free(fixture->work);
}

// The reference's tree, level by level; count is a power of two.
static struct sy_hash make_root(struct fixture *fixture, uint32_t count)
{
    memcpy(fixture->work, fixture->hashes, count * sizeof *fixture->work);
    for (; count > 1; count /= 2) {
        for (uint32_t i = 0; i < count / 2; i++) {
            sy_hash_node(&fixture->work[i], &fixture->work[2 * i], &fixture->work[2 * i + 1]);
        }
    }
    return fixture->work[0];
}

// One run of the engine's, or, without one, of the reference's. False: a wrong hash.
static bool run_once(struct fixture *fixture, sy_engine *engine, bool leaves, uint32_t count,
                     struct sy_hash *last)
{
    struct sy_tree_job tree = {.count = count};
    struct sy_submission submission = {.leaf_count = count, .leaf_hashes = fixture->hashes};
    if (leaves) {
        submission.leaves = fixture->leaves;
        submission.leaf_hashes = fixture->work;
    } else {
        submission.trees = &tree;
        submission.tree_count = 1;
    }
    if (engine) {
        bool fine = sy_engine_run(engine, &submission) == SY_OK;
        *last = leaves ? fixture->work[count - 1] : tree.root;
        return fine;
    }
    if (leaves) {
        for (uint32_t i = 0; i < count; i++) sy_hash_leaf(&fixture->work[i], fixture->leaves[i]);
        *last = fixture->work[count - 1];
    } else {
        *last = make_root(fixture, count);
    }
    return true;
}

// Runs a second.
static double run_for(struct fixture *fixture, sy_engine *engine, bool leaves, uint32_t count,
                      uint64_t least_ns, struct sy_hash *last)
{
    uint64_t start = sy_os_monotonic_ns(), took = 0;
    unsigned runs = 0;
    do {
        if (!run_once(fixture, engine, leaves, count, last)) return 0;
        runs++;
        took = sy_os_monotonic_ns() - start;
    } while (took < least_ns);
    return runs * 1e9 / (double)(took > 0 ? took : 1);
}

static bool measure_row(struct sy_crypto_bench *bench, struct fixture *fixture, sy_engine *engine,
                        const char *name, const char *what)
{
    bool leaves = strcmp(what, "leaf201") == 0;
    uint32_t count = strcmp(what, "tree20") == 0 ? LARGE : SMALL;
    double hashes = leaves ? count : count == LARGE ? 1 : count - 1;
    struct sy_crypto_row row = {.engine = name, .what = what, .batch = count};
    uint64_t least_ns = bench->options.round_ms * 1000000;
    struct sy_hash expected, found;
    for (unsigned i = 0; i < bench->options.rounds; i++) {
        double base = run_for(fixture, NULL, leaves, count, least_ns, &expected);
        double own = run_for(fixture, engine, leaves, count, least_ns, &found);
        if (own == 0 || !sy_hash_equal(&expected, &found)) {
            fprintf(stderr, "systole-bench crypto: %s hashed wrong (%s)\n", name, what);
            return false;
        }
        row.per_s[row.rounds] = own * hashes;
        row.ratio[row.rounds++] = own / base;
    }
    sy_bench_crypto_put_row(bench, &row);
    return true;
}

bool sy_bench_crypto_measure_hashes(struct sy_crypto_bench *bench)
{
    static const char *const whats[] = {"leaf201", "node65", "tree20"};
    struct fixture fixture = {NULL, NULL, NULL, NULL};
    bool fine = make_fixture(&fixture);
    for (size_t i = 0; fine && sy_engine_all_impls[i]; i++) {
        const struct sy_engine_impl *impl = sy_engine_all_impls[i];
        bool absent = false;
        sy_engine *engine = sy_bench_crypto_open(bench, impl, 1, LARGE, &absent);
        fine = engine || absent;
        for (size_t j = 0; fine && engine && j < sizeof whats / sizeof whats[0]; j++) {
            if (!sy_bench_crypto_wants(bench, impl->name, whats[j])) continue;
            fine = measure_row(bench, &fixture, engine, impl->name, whats[j]);
        }
        sy_engine_close(engine);
    }
    free_fixture(&fixture);
    return fine;
}
