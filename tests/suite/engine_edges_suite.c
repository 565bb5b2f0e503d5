/* engine_edges_suite.c: every implementation where the predicate has edges, against OpenSSL:
 * encodings at and beyond p, S around L, keys and R of small and of mixed order; and published
 * vectors, through each implementation's own arithmetic. ctest: timeout=1800 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/crypto/openssl_ed25519.h"
#include "tests/support/engines.h"
#include "tests/support/test.h"
#include "tests/support/torsion.h"
#include "tests/support/vectors.h"

// --- encodings and S -----------------------------------------------------------------------------

// y from p - 1 to 2^255 - 1: the canonical one and the nineteen that are not; and small ones.
#define ENCODINGS 2u * (20u + 6u)
static void write_encoding(uint8_t out[32], unsigned number)
{
    unsigned y = number / 2;
    memset(out, y < 20 ? 0xff : 0, 32);
    out[0] = (uint8_t)(y < 20 ? 0xec + y : y - 20);
    if (y < 20) out[31] = 0x7f;
    if (number % 2) out[31] |= 0x80;
}

static const char *const edge_scalars[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", // L - 1
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", // L
    "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", // L + 1
    "0000000000000000000000000000000000000000000000000000000000000010", // 2^252
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff1f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};
#define SCALARS (sizeof edge_scalars / sizeof edge_scalars[0])

static struct sy_sig_job *make_room(uint32_t count)
{
    struct sy_sig_job *jobs = (struct sy_sig_job *)calloc(count, sizeof *jobs);
    assert_non_null(jobs);
    for (uint32_t i = 0; i < count; i++) {
        jobs[i].leaf = SY_JOB_NO_LEAF;
        jobs[i].kind = (uint8_t)(SY_SIG_TX + i % (SY_SIG_KIND_COUNT - 1));
        sy_sha256(&jobs[i].digest, &i, sizeof i);
    }
    return jobs;
}

CASE(encodings_around_p_get_openssls_verdict_with_every_edge_of_s)
{
    uint32_t count = 0, most = ENCODINGS * ENCODINGS * 3;
    struct sy_sig_job *jobs = make_room(most);
    sy_engine *engine = engines_open(*state, 0, 1);
    for (unsigned key = 0; key < ENCODINGS; key++) {
        for (unsigned r = 0; r < ENCODINGS; r++) {
            for (unsigned i = 0; i < 3;
                 i++) { // All pairs with S = 0; the other S spread over them.
                struct sy_sig_job *job = &jobs[count];
                size_t s = i == 0 ? 0 : count % SCALARS;
                write_encoding(job->key.bytes, key);
                write_encoding(job->signature.bytes, r);
                assert_true(sy_hex_decode(job->signature.bytes + 32, 32, edge_scalars[s]));
                count++;
            }
        }
    }
    assert_int_equal(count, most);
    uint32_t good = engines_check(engine, jobs, count);
    printf("%u jobs, %u good\n", count, good);
    assert_true(good > 0 && good < count);
    free(jobs);
    engines_close(engine);
}

CASE(points_of_small_order_get_openssls_verdict_with_every_edge_of_s)
{
    uint32_t count = 0, most = ENGINES_ODD_POINTS * ENGINES_ODD_POINTS * SCALARS * 2;
    struct sy_sig_job *jobs = make_room(most);
    sy_engine *engine = engines_open(*state, 0, 1);
    for (uint32_t i = 0; i < most; i++, count++) {
        struct sy_sig_job *job = &jobs[i];
        const char *key = engines_odd_points[i % ENGINES_ODD_POINTS];
        const char *r = engines_odd_points[i / ENGINES_ODD_POINTS % ENGINES_ODD_POINTS];
        size_t s = i / ENGINES_ODD_POINTS / ENGINES_ODD_POINTS % (2 * SCALARS);
        assert_true(sy_hex_decode(job->key.bytes, 32, key));
        assert_true(sy_hex_decode(job->signature.bytes, 32, r));
        assert_true(sy_hex_decode(job->signature.bytes + 32, 32, edge_scalars[s % SCALARS]));
    }
    uint32_t good = engines_check(engine, jobs, count);
    assert_true(good > 0 && good < count);
    free(jobs);
    engines_close(engine);
}

// S of an honest signature with L added or taken away, and its edges put in its place.
CASE(edges_of_s_under_honest_keys_get_openssls_verdict)
{
    enum { COUNT = 200 };
    struct sy_sig_job *jobs = make_room(COUNT);
    uint8_t seed[32] = {77};
    sy_secret_key *secret;
    sy_engine *engine = engines_open(*state, 0, 1);
    assert_int_equal(sy_secret_key_from_seed(&secret, seed), SY_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        sy_secret_key_public(secret, &jobs[i].key);
        sy_sign(secret, &jobs[i].signature, (enum sy_sig_kind)jobs[i].kind, &jobs[i].digest);
        if (i % 4 == 1) {
            assert_true(sy_hex_decode(jobs[i].signature.bytes + 32, 32, edge_scalars[i % SCALARS]));
        }
        if (i % 4 == 2) jobs[i].signature.bytes[63] ^= (uint8_t)(0x10 << i / 4 % 4);
    }
    assert_true(engines_check(engine, jobs, COUNT) >= COUNT / 2);
    sy_secret_key_close(secret);
    free(jobs);
    engines_close(engine);
}

// --- mixed order ---------------------------------------------------------------------------------

CASE(keys_and_r_with_a_part_of_small_order_get_openssls_verdict)
{
    enum { EACH = 48, COUNT = 8 * EACH };
    struct sy_sig_job *jobs = make_room(COUNT);
    sy_engine *engine = engines_open(*state, 0, 1);
    // Eight keys, one for each multiple of the point of order 8; R has all of them by turns.
    for (uint32_t i = 0; i < COUNT; i++) torsion_sign(&jobs[i], 1 + i % 8, i, i % 8, i / 8 % 8);
    uint32_t good = engines_check(engine, jobs, COUNT);
    printf("%u jobs, %u good\n", (unsigned)COUNT, good);
    // The key without such a part has earned a table. Of the others an implementation may keep
    // none: they cannot be enrolled.
    const struct sy_engine_impl *impl = (const struct sy_engine_impl *)*state;
    struct sy_hash organisation = {{1}};
    unsigned tables = 0;
    for (uint32_t i = 0; i < 8; i++) {
        bool has = sy_engine_key_hint(engine, &jobs[i].key, &organisation) != SY_KEY_HANDLE_NONE;
        if (impl->hint && i == 0) assert_true(has);
        tables += has;
    }
    printf("tables of %u keys\n", tables);
    // One in eight is, by chance; all of them, or none, would be another predicate.
    assert_in_range(good, COUNT / 24, COUNT / 3);
    free(jobs);
    engines_close(engine);
}

// --- vectors -------------------------------------------------------------------------------------

struct raw_jobs {
    struct sy_raw_job *jobs;
    uint8_t *expected;
    uint32_t count, room;
};

// Keeps its own copy of the message.
static void add_raw(struct raw_jobs *raw, const struct sy_public_key *key,
                    const struct sy_signature *signature, const uint8_t *message, size_t size,
                    bool expected)
{
    if (raw->count == raw->room) {
        raw->room = raw->room > 0 ? 2 * raw->room : 256;
        raw->jobs = realloc(raw->jobs, raw->room * sizeof *raw->jobs);
        raw->expected = realloc(raw->expected, raw->room);
        assert_true(raw->jobs && raw->expected);
    }
    uint8_t *copy = (uint8_t *)malloc(size + 1);
    assert_non_null(copy);
    if (size > 0) memcpy(copy, message, size);
    raw->jobs[raw->count] = (struct sy_raw_job){*key, *signature, sy_slice_of(copy, size)};
    raw->expected[raw->count++] = expected;
}

// Runs them until valid keys have tables, and frees them.
static void check_raw(const struct sy_engine_impl *impl, struct raw_jobs *raw)
{
    sy_engine *engine = engines_open(impl, 0, 1);
    uint8_t *verdicts = (uint8_t *)calloc(raw->count + 1, 1);
    assert_non_null(verdicts);
    for (unsigned round = 0; round < ENGINES_ROUNDS; round++) {
        memset(verdicts, 0x5a, raw->count);
        assert_int_equal(sy_engine_run_raw(engine, verdicts, raw->jobs, raw->count), SY_OK);
        for (uint32_t i = 0; i < raw->count; i++) {
            if (verdicts[i] != raw->expected[i]) fail_msg("vector %u, round %u", i, round);
        }
    }
    for (uint32_t i = 0; i < raw->count; i++) free((void *)(uintptr_t)raw->jobs[i].message.data);
    free(raw->jobs);
    free(raw->expected);
    free(verdicts);
    engines_close(engine);
}

static size_t decode_message(uint8_t *out, size_t room, const char *text)
{
    assert_non_null(text);
    assert_true(strlen(text) / 2 <= room);
    assert_true(sy_hex_decode(out, strlen(text) / 2, text));
    return strlen(text) / 2;
}

CASE(wycheproof_vectors_are_decided_as_published)
{
    FILE *stream = vectors_open("wycheproof-ed25519.json", NULL);
    if (!stream) skip();
    json_t *root = json_loadf(stream, 0, NULL), *group, *test;
    struct raw_jobs raw = {NULL, NULL, 0, 0};
    uint8_t message[4096];
    size_t i, j;
    vectors_close(stream);
    assert_non_null(root);
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        struct sy_public_key key;
        json_t *pk = json_object_get(json_object_get(group, "publicKey"), "pk");
        assert_int_equal(decode_message(key.bytes, 32, json_string_value(pk)), 32);
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            const char *result = json_string_value(json_object_get(test, "result"));
            const char *sig = json_string_value(json_object_get(test, "sig"));
            struct sy_signature signature;
            if (strlen(sig) != 128) continue; // Of another length: none of this type.
            size_t size = decode_message(message, sizeof message,
                                         json_string_value(json_object_get(test, "msg")));
            assert_true(sy_hex_decode(signature.bytes, 64, sig));
            add_raw(&raw, &key, &signature, message, size, strcmp(result, "valid") == 0);
        }
    }
    json_decref(root);
    assert_true(raw.count > 100);
    check_raw((const struct sy_engine_impl *)*state, &raw);
}

// Lines are secret||public:public:message:signature||message: in hex. Each is asked as it stands
// and once more with a bit turned.
CASE(sign_input_lines_are_good_and_spoilt_ones_are_not)
{
    FILE *stream = vectors_open("ed25519-sign.input.xz", NULL);
    struct raw_jobs raw = {NULL, NULL, 0, 0};
    char *line = NULL;
    size_t room = 0;
    uint8_t message[4096];
    if (!stream) skip();
    while (getline(&line, &room, stream) > 0) {
        struct sy_public_key key;
        struct sy_signature signature;
        char *rest = line;
        (void)strsep(&rest, ":");
        assert_int_equal(decode_message(key.bytes, 32, strsep(&rest, ":")), 32);
        size_t size = decode_message(message, sizeof message, strsep(&rest, ":"));
        char *signed_message = strsep(&rest, ":");
        assert_non_null(signed_message);
        assert_int_equal(strlen(signed_message), 128 + 2 * size);
        signed_message[128] = '\0';
        assert_true(sy_hex_decode(signature.bytes, 64, signed_message));
        add_raw(&raw, &key, &signature, message, size, true);
        signature.bytes[raw.count % 64] ^= (uint8_t)(1u << raw.count % 8);
        add_raw(&raw, &key, &signature, message, size, false);
    }
    free(line);
    vectors_close(stream);
    assert_int_equal(raw.count, 2048);
    check_raw((const struct sy_engine_impl *)*state, &raw);
}

CASE(raw_messages_of_every_length_get_openssls_verdict)
{
    enum { LENGTHS = 400 };
    struct raw_jobs raw = {NULL, NULL, 0, 0};
    uint8_t message[LENGTHS];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, message, sizeof message);
    for (size_t size = 0; size < LENGTHS; size++) {
        // A neutral key takes R = S B of any S for any message.
        struct sy_public_key key = {{1}};
        struct sy_signature signature = {{1}};
        if (size % 3 == 1) signature.bytes[32] = 1;
        if (size % 3 == 2) key.bytes[0] = 0xff;
        add_raw(&raw, &key, &signature, message, size,
                sy_openssl_ed25519_verify(&key, message, size, &signature));
        assert_int_equal(raw.expected[raw.count - 1], size % 3 == 0);
    }
    check_raw((const struct sy_engine_impl *)*state, &raw);
}

int main(void)
{
    int failed = 0;
    for (size_t i = 0; engines_under_test[i]; i++) {
        void *impl = (void *)(uintptr_t)engines_under_test[i];
        if (!engines_have(engines_under_test[i])) continue;
#define OVER(name) cmocka_unit_test_prestate(name, impl)
        const struct CMUnitTest cases[] = {
            OVER(encodings_around_p_get_openssls_verdict_with_every_edge_of_s),
            OVER(points_of_small_order_get_openssls_verdict_with_every_edge_of_s),
            OVER(edges_of_s_under_honest_keys_get_openssls_verdict),
            OVER(keys_and_r_with_a_part_of_small_order_get_openssls_verdict),
            OVER(wycheproof_vectors_are_decided_as_published),
            OVER(sign_input_lines_are_good_and_spoilt_ones_are_not),
            OVER(raw_messages_of_every_length_get_openssls_verdict),
        };
#undef OVER
        printf("engine: %s\n", engines_under_test[i]->name);
        failed += cmocka_run_group_tests_name(engines_under_test[i]->name, cases, NULL, NULL);
    }
    return failed;
}
