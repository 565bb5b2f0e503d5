/* test_gpu_verify.c: verification on the device, kernel after kernel, run as C: every verdict, by
 * table and without, is OpenSSL's. */
#include <stdlib.h>
#include <string.h>

#include "core/base/prng.h"
#include "core/crypto/ed25519_scalar.h"
#include "core/crypto/hash.h"
#include "gpu/device_kernels.h"
#include "tests/support/engines.h"
#include "tests/support/hard_jobs.h"
#include "tests/support/test.h"
#include "tests/support/torsion.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define JOBS_MAX 1024u
#define TABLES 12u // of keys, and behind them B's

static struct {
    uint8_t *tables;
    uint64_t *scratch;
    struct sy_public_key keys[TABLES];
    uint32_t keys_used;
} rig;

static void each_thread(void (*body)(const void *args, uint32_t block, uint32_t thread),
                        const void *args, uint32_t items)
{
    for (uint32_t block = 0; block <= (items - 1) / SY_GPU_BLOCK; block++) {
        for (uint32_t i = 0; i < SY_GPU_BLOCK; i++) body(args, block, i);
    }
}

static void challenge(const void *args, uint32_t block, uint32_t thread)
{
    sy_dev_challenge((const struct sy_gpu_challenge *)args, block, thread);
}

static void tabled(const void *args, uint32_t block, uint32_t thread)
{
    sy_dev_tabled((const struct sy_gpu_points *)args, block, thread);
}

static void general(const void *args, uint32_t block, uint32_t thread)
{
    sy_dev_general((const struct sy_gpu_points *)args, block, thread);
}

static void finish(const void *args, uint32_t block, uint32_t thread)
{
    sy_dev_finish((const struct sy_gpu_finish *)args, block, thread);
}

static bool build_table(const struct sy_public_key *key, uint32_t place, uint32_t plus)
{
    uint8_t built = 7;
    struct sy_gpu_build args = {.keys = (uintptr_t)key->bytes,
                                .places = (uintptr_t)&place,
                                .tables = (uintptr_t)rig.tables,
                                .built = (uintptr_t)&built,
                                .scratch = (uintptr_t)rig.scratch,
                                .plus = plus,
                                .count = 1};
    for (uint32_t i = 0; i < SY_GPU_WINDOWS; i++) sy_dev_build(&args, 0, i);
    assert_true(built <= 1);
    return built == 1;
}

static int open_rig(void **state)
{
    struct sy_public_key base;
    (void)state;
    rig.tables = (uint8_t *)aligned_alloc(256, (size_t)(TABLES + 1) * SY_GPU_TABLE_BYTES);
    rig.scratch = (uint64_t *)malloc(SY_GPU_BUILD_SCRATCH);
    assert_true(rig.tables && rig.scratch);
    memset(base.bytes, 0x66, sizeof base.bytes); // y = 4/5
    base.bytes[0] = 0x58;
    assert_true(build_table(&base, TABLES, 1));
    hard_jobs_open();
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    hard_jobs_close();
    free(rig.tables);
    free(rig.scratch);
    return 0;
}

// Where the table of a key lies, built now if there is room; TABLES: it has none.
static uint32_t place_of(const struct sy_public_key *key)
{
    for (uint32_t i = 0; i < rig.keys_used; i++) {
        if (memcmp(key, &rig.keys[i], sizeof *key) == 0) return i;
    }
    if (rig.keys_used == TABLES || !build_table(key, rig.keys_used, 0)) return TABLES;
    rig.keys[rig.keys_used] = *key;
    return rig.keys_used++;
}

/* The device's memory of a run, one longer than its jobs. */
static struct {
    uint8_t signatures[JOBS_MAX][64], keys[JOBS_MAX][32], digests[JOBS_MAX][32];
    struct sy_gpu_head heads[JOBS_MAX];
    uint32_t scalars[SY_GPU_SCALAR_WORDS * JOBS_MAX], points[SY_GPU_POINT_WORDS * JOBS_MAX],
        products[SY_GPU_PRODUCT_WORDS * JOBS_MAX];
    uint8_t flags[JOBS_MAX], verdicts[JOBS_MAX + 1];
} memory;

// Runs the kernels: the first tabled_count jobs by table, the others without, `threads` at the end.
static void run(const struct sy_sig_job *jobs, uint32_t count, uint32_t tabled_count,
                uint32_t threads)
{
    memset(&memory, 0xa5, sizeof memory);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(memory.signatures[i], jobs[i].signature.bytes, 64);
        memcpy(memory.keys[i], jobs[i].key.bytes, 32);
        memcpy(memory.digests[i], jobs[i].digest.bytes, 32);
        // Every second one is named as a leaf hash.
        memory.heads[i].hash = i | (i % 2 ? SY_GPU_DIGEST : 0u);
        memory.heads[i].kind = jobs[i].kind;
        if (i < tabled_count) memory.heads[i].table = place_of(&jobs[i].key);
    }
    struct sy_gpu_challenge first = {.signatures = (uintptr_t)memory.signatures,
                                     .keys = (uintptr_t)memory.keys,
                                     .heads = (uintptr_t)memory.heads,
                                     .leaf_hashes = (uintptr_t)memory.digests,
                                     .digests = (uintptr_t)memory.digests,
                                     .scalars = (uintptr_t)memory.scalars,
                                     .flags = (uintptr_t)memory.flags,
                                     .stride = JOBS_MAX,
                                     .count = count};
    struct sy_gpu_points points = {.keys = (uintptr_t)memory.keys,
                                   .heads = (uintptr_t)memory.heads,
                                   .scalars = (uintptr_t)memory.scalars,
                                   .tables = (uintptr_t)rig.tables,
                                   .base =
                                       (uintptr_t)rig.tables + (size_t)TABLES * SY_GPU_TABLE_BYTES,
                                   .points = (uintptr_t)memory.points,
                                   .flags = (uintptr_t)memory.flags,
                                   .stride = JOBS_MAX,
                                   .count = tabled_count};
    struct sy_gpu_finish last = {.points = (uintptr_t)memory.points,
                                 .signatures = (uintptr_t)memory.signatures,
                                 .flags = (uintptr_t)memory.flags,
                                 .products = (uintptr_t)memory.products,
                                 .verdicts = (uintptr_t)memory.verdicts,
                                 .stride = JOBS_MAX,
                                 .count = count,
                                 .threads = threads};
    each_thread(challenge, &first, count);
    if (tabled_count > 0) each_thread(tabled, &points, tabled_count);
    points.first = tabled_count;
    points.count = count - tabled_count;
    if (points.count > 0) each_thread(general, &points, points.count);
    each_thread(finish, &last, threads);
    assert_int_equal(memory.verdicts[count], 0xa5);
}

// Compares all verdicts with OpenSSL's, without tables and, where all keys can have one, with.
static uint32_t check(const struct sy_sig_job *jobs, uint32_t count)
{
    static uint8_t expected[JOBS_MAX];
    uint32_t good = 0;
    bool can_have_tables = true;
    rig.keys_used = 0;
    for (uint32_t i = 0; i < count; i++) {
        expected[i] = engines_oracle(&jobs[i]);
        good += expected[i];
        can_have_tables = can_have_tables && place_of(&jobs[i].key) < TABLES;
    }
    run(jobs, count, 0, (count + 6) / 7);
    assert_memory_equal(memory.verdicts, expected, count);
    if (can_have_tables) {
        run(jobs, count, count, 3);
        assert_memory_equal(memory.verdicts, expected, count);
        run(jobs, count, count / 3, 1);
        assert_memory_equal(memory.verdicts, expected, count);
    }
    return good;
}

// --- cases ---------------------------------------------------------------------------------------

CASE(hard_jobs_are_decided_as_openssl_does)
{
    static struct sy_sig_job jobs[JOBS_MAX];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < JOBS_MAX; i++) hard_jobs_draw(&jobs[i], &prng);
        uint32_t good = check(jobs, JOBS_MAX);
        assert_true(0 < good && good < JOBS_MAX);
    }
}

// Any key that is a point, odd ones as well, has a table that decides as OpenSSL does.
CASE(odd_keys_by_table)
{
    static struct sy_sig_job jobs[JOBS_MAX];
    sy_prng prng;
    uint32_t good = 0, by_table = 0;
    sy_prng_seed(&prng, test_seed());
    for (unsigned turn = 0; turn < 10; turn++) {
        uint32_t count = 0;
        rig.keys_used = 0;
        while (rig.keys_used < TABLES && count < JOBS_MAX) {
            hard_jobs_draw(&jobs[count], &prng);
            count += place_of(&jobs[count].key) < TABLES;
        }
        good += check(jobs, count);
        by_table += count;
    }
    assert_true(0 < good && good < by_table);
}

CASE(torsion)
{
    enum { NONCES = 4 };
    static struct sy_sig_job jobs[8 * 8 * NONCES];
    uint32_t count = 0;
    for (unsigned key_part = 0; key_part < 8; key_part++) {
        for (unsigned r_part = 0; r_part < 8; r_part++) {
            for (uint32_t nonce = 0; nonce < NONCES; nonce++) {
                struct sy_sig_job *job = &jobs[count++];
                memset(job, 0, sizeof *job);
                job->kind = SY_SIG_TX;
                sy_sha256(&job->digest, &nonce, sizeof nonce);
                torsion_sign(job, 1, nonce + 1, key_part, r_part);
            }
        }
    }
    uint32_t good = check(jobs, count);
    assert_true(count / 24 < good && good < count / 4); // One R in eight is right.
}

/* S, L - 1, L, L + 1, S + L, and 0, 2^252, 2^256 - 1 under the digest of a good one. */
CASE(odd_scalars)
{
    static struct sy_sig_job jobs[64 * 8];
    static const char *const odd[] = {
        "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000010",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    uint8_t order[32];
    assert_true(sy_hex_decode(order, 32, odd[1]));
    for (uint32_t i = 0; i < COUNT(jobs); i++) {
        uint8_t *s = jobs[i].signature.bytes + 32;
        jobs[i] = *hard_jobs_good(i / 64 * 64);
        jobs[i].key_handle = 0;
        if (i % 8 < COUNT(odd)) {
            assert_true(sy_hex_decode(s, 32, odd[i % 8]));
        } else if (i % 8 == 7) {
            unsigned carry = 0; // The same multiple of B, and yet to be refused.
            for (int k = 0; k < 32; k++) {
                carry += (unsigned)s[k] + order[k];
                s[k] = (uint8_t)carry;
                carry >>= 8;
            }
        }
    }
    assert_int_equal(check(jobs, COUNT(jobs)), COUNT(jobs) / 8);
}

CASE(one_bad_signature_at_every_place)
{
    enum { SOME = 2 * SY_GPU_BLOCK + 5 };
    static struct sy_sig_job jobs[SOME];
    rig.keys_used = 0;
    for (uint32_t i = 0; i < SOME; i++) {
        for (uint32_t k = 0; k < HARD_JOBS_GOOD; k++) { // Of keys with a table, as many as go.
            jobs[i] = *hard_jobs_good((i + k) % HARD_JOBS_GOOD);
            if (place_of(&jobs[i].key) < TABLES) break;
        }
        assert_true(place_of(&jobs[i].key) < TABLES);
    }
    for (uint32_t bad = 0; bad < SOME; bad += bad < 2 || bad > SOME - 4 ? 1 : 31) {
        jobs[bad].signature.bytes[bad % 64] ^= 0x10;
        for (uint32_t tabled_count = 0; tabled_count <= SOME; tabled_count += SOME) {
            run(jobs, SOME, tabled_count, 1 + bad % SOME);
            for (uint32_t i = 0; i < SOME; i++) {
                assert_int_equal(memory.verdicts[i], i != bad);
            }
        }
        jobs[bad].signature.bytes[bad % 64] ^= 0x10;
    }
}

CASE(what_is_no_point_gets_no_table)
{
    struct sy_public_key key = {{2}}; // No point has y = 2.
    memset(rig.tables, 0xa5, SY_GPU_TABLE_BYTES);
    assert_false(build_table(&key, 0, 0));
    for (uint32_t i = 0; i < SY_GPU_TABLE_BYTES; i++) assert_int_equal(rig.tables[i], 0xa5);
    assert_true(build_table(&hard_jobs_good(0)->key, 0, 0));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(hard_jobs_are_decided_as_openssl_does),
        cmocka_unit_test(odd_keys_by_table),
        cmocka_unit_test(torsion),
        cmocka_unit_test(odd_scalars),
        cmocka_unit_test(one_bad_signature_at_every_place),
        cmocka_unit_test(what_is_no_point_gets_no_table),
    };
    return cmocka_run_group_tests(cases, open_rig, close_rig);
}
