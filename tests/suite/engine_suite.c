/* engine_suite.c: what engine.h promises, held against every implementation there is
 * (engine_choice.h).
 * OpenSSL's own verdict, asked directly, and the plain hash and Merkle functions are the oracles.
 * ctest: threaded timeout=600 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/engines.h"
#include "tests/support/test.h"

#define KEYS 12
#define LEAVES_MAX 1100

static sy_secret_key *secret_keys[KEYS];
static struct sy_public_key public_keys[KEYS];

// --- fixture -------------------------------------------------------------------------------------

static int make_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        if (sy_secret_key_from_seed(&secret_keys[i], seed) != SY_OK) return -1;
        sy_secret_key_public(secret_keys[i], &public_keys[i]);
    }
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) sy_secret_key_close(secret_keys[i]);
    return 0;
}

static void make_good_job(struct sy_sig_job *job, uint32_t number)
{
    size_t key = number % KEYS;
    uint8_t text[4];
    sy_store_u32(text, number);
    *job = (struct sy_sig_job){.key = public_keys[key], .leaf = SY_JOB_NO_LEAF};
    job->kind = (uint8_t)(SY_SIG_TX + number % (SY_SIG_KIND_COUNT - 1));
    sy_sha256(&job->digest, text, sizeof text);
    sy_sign(secret_keys[key], &job->signature, (enum sy_sig_kind)job->kind, &job->digest);
}

// --- signatures ----------------------------------------------------------------------------------

CASE(good_batches_of_every_size_are_good)
{
    enum { MOST = 70 };
    static struct sy_sig_job jobs[MOST];
    uint8_t verdicts[MOST];
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    for (uint32_t i = 0; i < MOST; i++) make_good_job(&jobs[i], i);
    for (uint32_t count = 0; count <= MOST; count++) {
        struct sy_submission submission = {.jobs = jobs, .job_count = count, .verdicts = verdicts};
        memset(verdicts, 0, sizeof verdicts);
        assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
        for (uint32_t i = 0; i < count; i++) assert_int_equal(verdicts[i], 1);
    }
    engines_close(engine);
}

CASE(one_bad_signature_is_found_at_every_place)
{
    enum { COUNT = 67 };
    static struct sy_sig_job jobs[COUNT];
    uint8_t verdicts[COUNT];
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    for (uint32_t i = 0; i < COUNT; i++) make_good_job(&jobs[i], i);
    for (uint32_t bad = 0; bad < COUNT; bad++) {
        struct sy_submission submission = {.jobs = jobs, .job_count = COUNT, .verdicts = verdicts};
        jobs[bad].signature.bytes[bad % 64] ^= 0x01;
        assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
        for (uint32_t i = 0; i < COUNT; i++) assert_int_equal(verdicts[i], i != bad);
        jobs[bad].signature.bytes[bad % 64] ^= 0x01;
    }
    engines_close(engine);
}

static void damage_job(struct sy_sig_job *job, sy_prng *prng)
{
    switch (sy_prng_below(prng, 8)) {
    case 0:
        job->key.bytes[sy_prng_below(prng, 32)] ^= (uint8_t)(1u << sy_prng_below(prng, 8));
        break;
    case 1:
        job->signature.bytes[sy_prng_below(prng, 64)] ^= (uint8_t)(1u << sy_prng_below(prng, 8));
        break;
    case 2:
        job->digest.bytes[sy_prng_below(prng, 32)] ^= (uint8_t)(1u << sy_prng_below(prng, 8));
        break;
    case 3: job->kind = (uint8_t)(1 + sy_prng_below(prng, SY_SIG_KIND_COUNT - 1)); break;
    case 4: sy_prng_fill(prng, job->key.bytes, 32); break;
    case 5: sy_prng_fill(prng, job->signature.bytes, 64); break;
    case 6: job->key = public_keys[sy_prng_below(prng, KEYS)]; break;
    default: break; // left good
    }
}

CASE(random_damage_gets_openssls_verdict)
{
    enum { COUNT = 500 };
    static struct sy_sig_job jobs[COUNT];
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (uint32_t i = 0; i < COUNT; i++) {
        make_good_job(&jobs[i], i);
        damage_job(&jobs[i], &prng);
    }
    (void)engines_check(engine, jobs, COUNT);
    engines_close(engine);
}

#define ODD ENGINES_ODD_POINTS

CASE(the_grid_of_odd_keys_and_odd_r_gets_openssls_verdict)
{
    enum { DIGESTS = 3 };
    static struct sy_sig_job jobs[ODD * ODD * DIGESTS];
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    uint32_t count = 0, good = 0;
    for (size_t key = 0; key < ODD; key++) {
        for (size_t r = 0; r < ODD; r++) {
            for (uint8_t digest = 0; digest < DIGESTS; digest++) {
                struct sy_sig_job *job = &jobs[count++];
                *job = (struct sy_sig_job){.leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
                sy_sha256(&job->digest, &digest, 1);
                assert_true(sy_hex_decode(job->key.bytes, 32, engines_odd_points[key]));
                assert_true(sy_hex_decode(job->signature.bytes, 32, engines_odd_points[r]));
                good += engines_oracle(job);
            }
        }
    }
    assert_true(good > 0 && good < count); // A grid of one colour would show nothing.
    (void)engines_check(engine, jobs, count);
    engines_close(engine);
}

// S + n L for every n that fits 256 bits names the same point; S = L and above is refused.
CASE(s_at_and_above_the_order_is_refused)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    struct sy_sig_job jobs[16];
    uint8_t verdicts[16];
    uint32_t count = 1;
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    make_good_job(&jobs[0], 5);
    for (bool fits = true; fits && count < 16; count++) {
        unsigned carry = 0;
        jobs[count] = jobs[count - 1];
        for (size_t i = 0; i < 32; i++) {
            carry += (unsigned)jobs[count].signature.bytes[32 + i] + order[i];
            jobs[count].signature.bytes[32 + i] = (uint8_t)carry;
            carry >>= 8;
        }
        fits = carry == 0;
    }
    struct sy_submission submission = {.jobs = jobs, .job_count = count, .verdicts = verdicts};
    assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(verdicts[i], i == 0);
    engines_close(engine);
}

CASE(a_key_handle_never_decides)
{
    enum { COUNT = 24 };
    static struct sy_sig_job jobs[COUNT];
    struct sy_hash organisation = {{1}};
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    for (int round = 0; round < 6; round++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t own = sy_engine_key_hint(engine, &public_keys[i % KEYS], &organisation);
            uint32_t other =
                sy_engine_key_hint(engine, &public_keys[(i + 1) % KEYS], &organisation);
            const uint32_t handles[] = {own, other, SY_KEY_HANDLE_NONE, UINT32_MAX, i + 1};
            make_good_job(&jobs[i], i);
            jobs[i].key_handle = handles[i % 5];
            if (i % 7 == 3) jobs[i].signature.bytes[40] ^= 1;
        }
        (void)engines_check(engine, jobs, COUNT);
    }
    engines_close(engine);
}

// --- leaves and trees ----------------------------------------------------------------------------

struct forest {
    uint8_t bytes[LEAVES_MAX * 3];
    struct sy_slice leaves[LEAVES_MAX];
    struct sy_hash hashes[LEAVES_MAX];
    struct sy_hash scratch[LEAVES_MAX];
};

// Leaves of every length from 0 to 300 bytes or so, which overlap in one random field.
static struct forest *make_forest(sy_prng *prng)
{
    struct forest *forest = malloc(sizeof *forest);
    assert_non_null(forest);
    sy_prng_fill(prng, forest->bytes, sizeof forest->bytes);
    for (size_t i = 0; i < LEAVES_MAX; i++) {
        forest->leaves[i] = sy_slice_of(forest->bytes + i, i % 301);
    }
    return forest;
}

CASE(leaf_hashes_of_every_length_are_right)
{
    sy_prng prng;
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    sy_prng_seed(&prng, test_seed());
    struct forest *forest = make_forest(&prng);
    struct sy_submission submission = {
        .leaves = forest->leaves, .leaf_count = LEAVES_MAX, .leaf_hashes = forest->hashes};
    assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
    for (size_t i = 0; i < LEAVES_MAX; i++) {
        struct sy_hash hash;
        sy_hash_leaf(&hash, forest->leaves[i]);
        assert_true(sy_hash_equal(&forest->hashes[i], &hash));
    }
    free(forest);
    engines_close(engine);
}

CASE(roots_of_every_size_and_range_are_right)
{
    enum { BATCH = 64 };
    struct sy_tree_job trees[BATCH];
    sy_prng prng;
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    sy_prng_seed(&prng, test_seed());
    struct forest *forest = make_forest(&prng);
    for (uint32_t size = 0; size <= LEAVES_MAX; size += BATCH) {
        for (uint32_t i = 0; i < BATCH; i++) {
            uint32_t count = size + i <= LEAVES_MAX ? size + i : LEAVES_MAX;
            uint32_t first = (uint32_t)sy_prng_below(&prng, LEAVES_MAX - count + 1);
            trees[i] = (struct sy_tree_job){.first = first, .count = count};
        }
        struct sy_submission submission = {.leaves = forest->leaves,
                                           .leaf_count = LEAVES_MAX,
                                           .leaf_hashes = forest->hashes,
                                           .trees = trees,
                                           .tree_count = BATCH};
        assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
        for (uint32_t i = 0; i < BATCH; i++) {
            struct sy_hash root;
            sy_merkle_root(&root, forest->scratch, forest->hashes + trees[i].first, trees[i].count);
            assert_true(sy_hash_equal(&trees[i].root, &root));
        }
    }
    free(forest);
    engines_close(engine);
}

// The definition of RFC 6962 2.1 read from the left: subtrees that are full are closed at once.
static struct sy_hash root_of(const struct sy_hash *leaves, size_t count)
{
    struct sy_hash open[32], root;
    size_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        open[depth++] = leaves[i];
        for (size_t full = i + 1; full % 2 == 0; full /= 2, depth--) {
            sy_hash_node(&open[depth - 2], &open[depth - 2], &open[depth - 1]);
        }
    }
    if (depth == 0) sy_sha256(&root, NULL, 0);
    if (depth > 0) root = open[depth - 1];
    for (size_t i = depth; i > 1; i--) sy_hash_node(&root, &open[i - 2], &root);
    return root;
}

CASE(roots_of_given_hashes_are_right_up_to_2_20)
{
    enum { MOST = 1 << 20 };
    struct sy_hash *hashes = malloc(MOST * sizeof *hashes);
    sy_engine *engine = engines_open(*state, 0, MOST);
    sy_prng prng;
    assert_non_null(hashes);
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, hashes, MOST * sizeof *hashes);
    for (unsigned round = 0; round < 24; round++) {
        uint32_t most = (uint32_t)1 << (20 - round % 12);
        uint32_t count = round == 0 ? MOST : (uint32_t)sy_prng_below(&prng, most + 1);
        uint32_t first = (uint32_t)sy_prng_below(&prng, MOST - count + 1);
        struct sy_tree_job tree = {.first = first, .count = count};
        struct sy_submission submission = {
            .leaf_count = MOST, .leaf_hashes = hashes, .trees = &tree, .tree_count = 1};
        struct sy_hash before = hashes[first < MOST ? first : 0];
        assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
        struct sy_hash root = root_of(hashes + first, count);
        assert_true(sy_hash_equal(&tree.root, &root));
        assert_true(sy_hash_equal(&before, &hashes[first < MOST ? first : 0]));
    }
    free(hashes);
    engines_close(engine);
}

CASE(a_tree_of_no_leaves_needs_no_leaves)
{
    struct sy_tree_job tree = {.first = 0, .count = 0};
    struct sy_submission submission = {.trees = &tree, .tree_count = 1};
    struct sy_hash empty;
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    sy_sha256(&empty, NULL, 0);
    assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
    assert_true(sy_hash_equal(&tree.root, &empty));
    engines_close(engine);
}

CASE(an_empty_submission_is_done)
{
    struct sy_submission submission = {.owner = &submission};
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    assert_int_equal(sy_engine_submit(engine, &submission), SY_OK);
    assert_ptr_equal(sy_engine_done(engine), &submission);
    assert_ptr_equal(submission.owner, &submission);
    engines_close(engine);
}

// A transaction's way: its id is a leaf hash of the submission, its signature signs that id, and
// ids are gathered into a root.
CASE(jobs_sign_leaves_of_the_same_submission)
{
    enum { COUNT = 40 };
    uint8_t bodies[COUNT][50];
    struct sy_slice leaves[COUNT];
    struct sy_hash hashes[COUNT], scratch[COUNT], root;
    struct sy_sig_job jobs[2 * COUNT];
    uint8_t verdicts[2 * COUNT];
    struct sy_tree_job tree = {.first = 0, .count = COUNT};
    sy_engine *engine = engines_open(*state, 0, LEAVES_MAX);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct sy_hash id;
        memset(bodies[i], (int)i, sizeof bodies[i]);
        leaves[i] = sy_slice_of(bodies[i], sizeof bodies[i]);
        sy_hash_leaf(&id, leaves[i]);
        for (uint32_t j = 0; j < 2; j++) {
            struct sy_sig_job *job = &jobs[2 * i + j];
            *job = (struct sy_sig_job){.key = public_keys[j], .leaf = i, .kind = SY_SIG_TX};
            sy_sign(secret_keys[j], &job->signature, SY_SIG_TX, &id);
        }
    }
    jobs[2 * 7 + 1].leaf = 8;                                 // A signature over another body.
    memset(&jobs[2 * 9].digest, 0xff, sizeof jobs[0].digest); // Ignored: the leaf decides.
    struct sy_submission submission = {.leaves = leaves,
                                       .leaf_count = COUNT,
                                       .leaf_hashes = hashes,
                                       .jobs = jobs,
                                       .job_count = 2 * COUNT,
                                       .verdicts = verdicts,
                                       .trees = &tree,
                                       .tree_count = 1};
    assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
    for (uint32_t i = 0; i < 2 * COUNT; i++) assert_int_equal(verdicts[i], i != 2 * 7 + 1);
    sy_merkle_root(&root, scratch, hashes, COUNT);
    assert_true(sy_hash_equal(&tree.root, &root));
    engines_close(engine);
}

// --- threads -------------------------------------------------------------------------------------

#define SENDERS 3
#define EACH 60
#define BATCH_JOBS 4

struct parcel {
    struct sy_submission submission;
    struct sy_sig_job jobs[BATCH_JOBS];
    uint8_t verdicts[BATCH_JOBS];
    struct sy_slice leaf;
    struct sy_hash leaf_hash;
    uint32_t number;
    uint32_t deliveries;
};

struct sender {
    sy_engine *engine;
    struct parcel *parcels;
    uint32_t busy;
    pthread_t thread;
};

// Job j of a parcel is bad when bit j of its number is set.
static void make_parcel(struct parcel *parcel, uint32_t number)
{
    parcel->number = number;
    parcel->deliveries = 0;
    for (uint32_t j = 0; j < BATCH_JOBS; j++) {
        make_good_job(&parcel->jobs[j], number * BATCH_JOBS + j);
        if (number >> j & 1) parcel->jobs[j].signature.bytes[j] ^= 4;
    }
    parcel->leaf = sy_slice_of(&parcel->number, sizeof parcel->number);
    parcel->submission = (struct sy_submission){.leaves = &parcel->leaf,
                                                .leaf_count = 1,
                                                .leaf_hashes = &parcel->leaf_hash,
                                                .jobs = parcel->jobs,
                                                .job_count = BATCH_JOBS,
                                                .verdicts = parcel->verdicts,
                                                .owner = parcel};
}

static void *send_parcels(void *context)
{
    struct sender *sender = context;
    for (uint32_t i = 0; i < EACH; i++) {
        sy_status status;
        while ((status = sy_engine_submit(sender->engine, &sender->parcels[i].submission)) ==
               SY_ERR_BUSY) {
            sender->busy++;
            (void)poll(NULL, 0, 1);
        }
        if (status != SY_OK) return sender;
    }
    return NULL;
}

static void check_parcel(const struct parcel *parcel)
{
    struct sy_hash hash;
    for (uint32_t j = 0; j < BATCH_JOBS; j++) {
        assert_int_equal(parcel->verdicts[j], !(parcel->number >> j & 1));
    }
    sy_hash_leaf(&hash, parcel->leaf);
    assert_true(sy_hash_equal(&hash, &parcel->leaf_hash));
}

CASE(every_submission_of_many_threads_comes_back_once)
{
    static struct parcel parcels[SENDERS * EACH];
    struct sender senders[SENDERS];
    sy_engine *engine = engines_open(*state, 3, LEAVES_MAX);
    for (uint32_t i = 0; i < SENDERS * EACH; i++) make_parcel(&parcels[i], i);
    for (size_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.engine = engine, .parcels = parcels + i * EACH};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_parcels, &senders[i]), 0);
    }
    struct pollfd wait = {.fd = sy_engine_done_fd(engine), .events = POLLIN};
    for (uint32_t taken = 0; taken < SENDERS * EACH;) {
        struct sy_submission *submission = sy_engine_done(engine);
        if (submission == NULL) {
            assert_int_equal(poll(&wait, 1, -1), 1);
            continue;
        }
        struct parcel *parcel = submission->owner;
        parcel->deliveries++;
        check_parcel(parcel);
        taken++;
    }
    for (size_t i = 0; i < SENDERS; i++) {
        void *failed;
        assert_int_equal(pthread_join(senders[i].thread, &failed), 0);
        assert_null(failed);
    }
    assert_null(sy_engine_done(engine));
    for (uint32_t i = 0; i < SENDERS * EACH; i++) assert_int_equal(parcels[i].deliveries, 1);
    engines_close(engine);
}

CASE(callers_and_workers_run_beside_each_other)
{
    static struct parcel parcels[24];
    sy_engine *engine = engines_open(*state, 2, LEAVES_MAX);
    for (uint32_t i = 0; i < 24; i++) make_parcel(&parcels[i], i);
    for (uint32_t i = 0; i < 12; i++) {
        assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
    }
    for (uint32_t i = 12; i < 24; i++) {
        assert_int_equal(sy_engine_run(engine, &parcels[i].submission), SY_OK);
        check_parcel(&parcels[i]);
    }
    struct pollfd wait = {.fd = sy_engine_done_fd(engine), .events = POLLIN};
    for (uint32_t taken = 0; taken < 12; taken++) {
        assert_int_equal(poll(&wait, 1, -1), 1);
        struct sy_submission *submission = sy_engine_done(engine);
        assert_non_null(submission);
        check_parcel(submission->owner);
    }
    engines_close(engine);
}

int main(void)
{
    int failed = 0;
    for (size_t i = 0; engines_under_test[i]; i++) {
        void *impl = (void *)(uintptr_t)engines_under_test[i];
        if (!engines_have(engines_under_test[i])) continue;
#define OVER(name) cmocka_unit_test_prestate(name, impl)
        const struct CMUnitTest cases[] = {
            OVER(good_batches_of_every_size_are_good),
            OVER(one_bad_signature_is_found_at_every_place),
            OVER(random_damage_gets_openssls_verdict),
            OVER(the_grid_of_odd_keys_and_odd_r_gets_openssls_verdict),
            OVER(s_at_and_above_the_order_is_refused),
            OVER(a_key_handle_never_decides),
            OVER(leaf_hashes_of_every_length_are_right),
            OVER(roots_of_every_size_and_range_are_right),
            OVER(roots_of_given_hashes_are_right_up_to_2_20),
            OVER(a_tree_of_no_leaves_needs_no_leaves),
            OVER(an_empty_submission_is_done),
            OVER(jobs_sign_leaves_of_the_same_submission),
            OVER(every_submission_of_many_threads_comes_back_once),
            OVER(callers_and_workers_run_beside_each_other),
        };
#undef OVER
        printf("engine: %s\n", engines_under_test[i]->name);
        failed +=
            cmocka_run_group_tests_name(engines_under_test[i]->name, cases, make_keys, close_keys);
    }
    return failed;
}
