/* Samples off the ledger: inputs of a device, windows that fit a stream, batches with salts, and
 * proofs of one sample, which hold for what was committed to and for nothing else. */
#include "core/client/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/wire/checked.h"
#include "core/wire/refusal.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define MINUTE_MS 60000ll
#define FILE_BYTES (1u << 20)
#define STREAM_HASH 8u
#define DEVICE_KEY 350u
#define NOW_MS (TEST_GENESIS_MS + 3600000ll)

static struct sy_samples samples, other;
static struct sy_error err;
static uint8_t file[FILE_BYTES];

static sy_status take(const char *text)
{
    sy_samples_free(&samples);
    err = (struct sy_error){SY_OK, ""};
    return sy_samples_read(&samples, sy_slice_of(text, strlen(text)), "in", &err);
}

static void assert_not_taken(const char *text, const char *why)
{
    if (take(text) == SY_OK) fail_msg("taken: %s", text);
    assert_null(samples.items);
    if (!strstr(err.text, why)) fail_msg("'%s' is not in '%s'", why, err.text);
}

static int clean(void **state)
{
    (void)state;
    sy_samples_free(&samples);
    sy_samples_free(&other);
    return 0;
}

// --- inputs ------------------------------------------------------------------------------------

CASE(lines_of_samples_are_read_as_they_are_written)
{
    assert_int_equal(take("{\"time\": 1000, \"value\": 72.50}\n\n"
                          " {\"value\":-1e+3 , \"time\":1000}\r\n"
                          "{\"time\": 2000, \"value\": 0}"),
                     SY_OK);
    assert_int_equal(samples.count, 3);
    assert_int_equal(samples.items[0].time_ms, 1000);
    assert_string_equal(samples.items[0].value, "72.50");
    assert_string_equal(samples.items[1].value, "-1e+3");
    assert_int_equal(samples.items[2].time_ms, 2000);
    assert_string_equal(samples.items[2].value, "0");
}

CASE(what_is_no_line_of_samples_is_named)
{
    static const char *const bad[] = {
        "{\"time\": 1}",
        "{\"value\": 1}",
        "{\"time\": 1, \"time\": 1}",
        "{\"time\": 1, \"value\": 1, \"more\": 1}",
        "{\"time\": 1, \"value\": \"72\"}",
        "{\"time\": 1, \"value\": 07}",
        "{\"time\": 1, \"value\": 1.}",
        "{\"time\": 1, \"value\": .5}",
        "{\"time\": 1, \"value\": 1e}",
        "{\"time\": 1, \"value\": NaN}",
        "{\"time\": -1, \"value\": 1}",
        "{\"time\": 1.5, \"value\": 1}",
        "{\"time\": 253402300800000, \"value\": 1}",
        "{\"time\": 99999999999999999999, \"value\": 1}",
        "{\"time\": 1, \"value\": 123456789012345678901234567890123}",
        "{\"time\": 1, \"value\": 1} x",
        "[{\"time\": 1, \"value\": 1}]",
        "{\"time\": 1 \"value\": 1}",
        "\x00",
    };
    char line[512];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(line, sizeof line, "{\"time\": 0, \"value\": 1}\n%s", bad[i]);
        if (bad[i][0] != '\0') assert_not_taken(line, "in, line 2");
    }
    assert_not_taken("", "no samples");
    assert_not_taken(" \n\t\n", "no samples");
    assert_not_taken("{\"time\": 2, \"value\": 1}\n{\"time\": 1, \"value\": 1}", "line 2");
    (void)snprintf(line, sizeof line, "{\"time\": 2, %250s \"value\": 1}", "");
    assert_not_taken(line, "line 1");
}

CASE(more_samples_than_one_commitment_takes_are_refused)
{
    static const char line[] = "{\"time\":1,\"value\":1}\n";
    size_t size = sizeof line - 1, count = SY_STREAM_SAMPLES_MAX + 1;
    char *text = (char *)malloc(count * size + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) memcpy(text + i * size, line, size);
    text[count * size] = '\0';
    assert_int_equal(take(text), SY_ERR_LIMIT);
    text[(count - 1) * size] = '\0';
    assert_int_equal(take(text), SY_OK);
    assert_int_equal(samples.count, SY_STREAM_SAMPLES_MAX);
    free(text);
}

// --- windows -----------------------------------------------------------------------------------

static const struct sy_stream hourly = {.rate = 60, .tolerance_s = 120};

/* `count` samples, one a minute. */
static void fill(int64_t from_ms, unsigned count)
{
    static char text[1u << 14];
    size_t used = 0;
    for (unsigned i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "{\"time\":%lld,\"value\":%u}\n",
                                 (long long)(from_ms + i * MINUTE_MS), 60 + i);
    }
    assert_int_equal(take(text), SY_OK);
}

/* As execution judges it (contracts/stream.c). */
static void assert_window(const struct sy_stream *stream)
{
    assert_int_equal(sy_samples_window(&samples, stream, NOW_MS, &err), SY_OK);
    assert_true(samples.from_ms >= stream->until_ms && samples.from_ms < samples.to_ms);
    assert_true(samples.from_ms <= samples.items[0].time_ms);
    assert_true(samples.to_ms > samples.items[samples.count - 1].time_ms);
    int64_t span_ms = samples.to_ms - samples.from_ms;
    assert_true(samples.count <= sy_stream_samples_max(stream->rate, span_ms));
    assert_true(samples.to_ms <= NOW_MS + SY_STREAM_SKEW_MS);
    assert_true(samples.backfill || samples.to_ms >= NOW_MS - SY_STREAM_SKEW_MS);
}

CASE(windows_fit_the_stream)
{
    struct sy_stream stream = hourly;
    fill(NOW_MS - 20 * MINUTE_MS, 10);
    assert_window(&stream);
    assert_true(samples.backfill);
    stream.commits = 1;
    stream.until_ms = samples.to_ms;
    fill(NOW_MS - 10 * MINUTE_MS - 300, 10); // the next ones, a little early
    assert_window(&stream);
    assert_int_equal(samples.from_ms, stream.until_ms); // no gap
    assert_false(samples.backfill);
    stream.until_ms = NOW_MS - 30 * MINUTE_MS;
    fill(NOW_MS - 10 * MINUTE_MS, 10);
    assert_window(&stream);
    assert_true(samples.from_ms - stream.until_ms > 120000); // a gap, and it shows
    stream.until_ms = NOW_MS - 1;
    fill(NOW_MS, 1); // just taken: it stands for the minute that begins
    assert_window(&stream);
}

CASE(samples_without_a_window_are_refused)
{
    struct sy_stream stream = hourly;
    stream.commits = 1;
    stream.until_ms = NOW_MS - 5 * MINUTE_MS;
    fill(NOW_MS - 10 * MINUTE_MS, 2);
    assert_int_equal(sy_samples_window(&samples, &stream, NOW_MS, &err), SY_ERR_ARGUMENT);
    fill(NOW_MS + SY_STREAM_SKEW_MS, 1);
    assert_int_equal(sy_samples_window(&samples, &stream, NOW_MS, &err), SY_ERR_ARGUMENT);
    stream.rate = 1;
    stream.until_ms = NOW_MS - 20 * MINUTE_MS;
    fill(NOW_MS - 10 * MINUTE_MS, 10); // ten an hour
    assert_int_equal(sy_samples_window(&samples, &stream, NOW_MS, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "rate of 1 an hour"));
    stream = hourly;
    assert_int_equal(take("{\"time\":1,\"value\":1}\n{\"time\":2678400001,\"value\":1}"), SY_OK);
    assert_int_equal(sy_samples_window(&samples, &stream, NOW_MS, &err), SY_ERR_ARGUMENT);
}

// --- batches -----------------------------------------------------------------------------------

static struct sy_genesis genesis;

static void make_batch(unsigned count)
{
    struct sy_stream stream = hourly;
    if (genesis.format == 0) test_genesis(&genesis, 4);
    fill(NOW_MS - 20 * MINUTE_MS, count);
    assert_int_equal(sy_samples_window(&samples, &stream, NOW_MS, &err), SY_OK);
    memcpy(samples.network, sy_network_tag(&genesis), sizeof samples.network);
    samples.stream = test_hash(STREAM_HASH);
    samples.sequence = 3;
    samples.release = 2;
    sy_samples_salt(&samples);
}

CASE(batches_come_back_and_changed_ones_do_not)
{
    make_batch(5);
    struct sy_hash root, again;
    struct sy_writer w = sy_writer_of(file, sizeof file);
    sy_samples_encode(&w, &samples);
    assert_false(w.failed);
    assert_int_equal(sy_samples_decode(&other, sy_writer_slice(&w), "f", &err), SY_OK);
    assert_true(sy_samples_same(&samples, &other));
    assert_int_equal(sy_samples_root(&root, &samples, &err), SY_OK);
    assert_int_equal(sy_samples_root(&again, &other, &err), SY_OK);
    assert_memory_equal(&root, &again, sizeof root);
    sy_samples_salt(&other); // other salts of the same samples
    assert_int_equal(sy_samples_root(&again, &other, &err), SY_OK);
    assert_memory_not_equal(&root, &again, sizeof root);
    assert_true(sy_samples_same(&samples, &other));
    other.items[4].value[0] = '9';
    assert_false(sy_samples_same(&samples, &other));
    sy_samples_free(&other);
    for (size_t i = 0; i < w.used; i++) {
        file[i] ^= 1;
        assert_int_equal(sy_samples_decode(&other, sy_writer_slice(&w), "f", &err), SY_ERR_FORMAT);
        file[i] ^= 1;
        struct sy_slice cut = sy_slice_of(file, i);
        assert_int_equal(sy_samples_decode(&other, cut, "f", &err), SY_ERR_FORMAT);
    }
}

/* Two samples of the same value at the same time have leaves of their own. */
CASE(a_leaf_does_not_tell_its_value)
{
    struct sy_merkle_path path;
    assert_int_equal(take("{\"time\":1,\"value\":72}\n{\"time\":1,\"value\":72}"), SY_OK);
    sy_samples_salt(&samples);
    assert_int_equal(sy_samples_path(&path, &samples, 0, &err), SY_OK);
    struct sy_hash second = path.siblings[0];
    assert_int_equal(sy_samples_path(&path, &samples, 1, &err), SY_OK);
    assert_memory_not_equal(&second, &path.siblings[0], sizeof second);
}

// --- one sample --------------------------------------------------------------------------------

/* What the network certifies of the batch. */
static struct sy_stream_commit_entry entry;
static uint8_t entry_proof[FILE_BYTES];
static struct sy_sample_proof proof;
static bool entry_forged;

static void certify(uint64_t number)
{
    static struct sy_proof whole;
    struct sy_hash stream = test_hash(STREAM_HASH);
    uint8_t room[512];
    struct sy_writer value = sy_writer_of(room, sizeof room);
    struct test_entry entries[2];
    memset(&whole, 0, sizeof whole);
    sy_stream_commit_encode(&value, &entry);
    sy_state_key_stream(&entries[0].key_hash, SY_STATE_STREAM_COMMIT, &stream, number);
    entries[0].value = sy_writer_slice(&value);
    entries[1].key_hash = test_hash(99);
    entries[1].value = sy_slice_of("x", 1);
    memcpy(whole.network, sy_network_tag(&genesis), sizeof whole.network);
    whole.kind = SY_PROOF_STATE;
    whole.header = (struct sy_header){.protocol = 1, .height = 7, .time_ms = NOW_MS};
    test_trie_root(&whole.header.state_root, entries, 2);
    test_certificate(&whole.certificate, &genesis, &whole.header);
    if (entry_forged) whole.header.time_ms++; // which nobody sealed
    test_trie_prove(&whole.state, entries, 2, &entries[0].key_hash);
    struct sy_writer w = sy_writer_of(entry_proof, sizeof entry_proof);
    sy_proof_encode(&w, &whole);
    assert_false(w.failed);
    proof.entry = sy_writer_slice(&w);
}

static void make_proof(uint32_t index)
{
    entry = (struct sy_stream_commit_entry){.key = test_public(DEVICE_KEY),
                                            .release = 2,
                                            .from_ms = samples.from_ms,
                                            .to_ms = samples.to_ms,
                                            .samples = samples.count,
                                            .height = 7,
                                            .time_ms = NOW_MS};
    assert_int_equal(sy_samples_root(&entry.root, &samples, &err), SY_OK);
    memset(&proof, 0, sizeof proof);
    memcpy(proof.network, samples.network, sizeof proof.network);
    proof.stream = samples.stream;
    proof.sequence = samples.sequence;
    proof.sample = samples.items[index];
    assert_int_equal(sy_samples_path(&proof.path, &samples, index, &err), SY_OK);
    certify(samples.sequence);
}

/* Through its file, as everybody reads it. */
static sy_status check(void)
{
    static struct sy_proven proven;
    struct sy_stream_commit_entry found;
    struct sy_sample_proof read;
    const char *what = "";
    struct sy_writer w = sy_writer_of(file, sizeof file);
    sy_sample_proof_encode(&w, &proof);
    assert_false(w.failed);
    err = (struct sy_error){SY_OK, ""};
    if (!sy_sample_proof_decode(&read, sy_writer_slice(&w), &what)) return SY_ERR_FORMAT;
    sy_status status =
        sy_sample_proof_verify_by(&sy_verifier_openssl, &read, &found, &proven, &genesis, &err);
    if (status == SY_OK) assert_int_equal(found.samples, entry.samples);
    sy_proven_free(&proven);
    return status;
}

static void assert_no_proof(const char *why)
{
    assert_int_equal(check(), SY_ERR_CRYPTO);
    if (!strstr(err.text, why)) fail_msg("'%s' is not in '%s'", why, err.text);
}

CASE(each_sample_of_a_batch_is_proven)
{
    for (unsigned count = 1; count <= 9; count++) {
        make_batch(count);
        for (uint32_t i = 0; i < count; i++) {
            make_proof(i);
            if (check() != SY_OK) fail_msg("%u of %u: %s", (unsigned)i, count, err.text);
        }
    }
}

CASE(another_sample_is_not_proven)
{
    make_batch(6);
    for (unsigned i = 0; i < 10; i++) {
        make_proof(2);
        if (i == 0) proof.sample.value[0] = '9';
        if (i == 1) proof.sample.time_ms++;
        if (i == 2) proof.sample.salt[15] ^= 1;
        if (i == 3) proof.sample = samples.items[3];
        if (i == 4) proof.path.leaf_index = 3;
        if (i == 5) proof.path.siblings[1].bytes[0] ^= 1;
        if (i == 6) proof.path.count--;
        if (i == 7) entry.samples = 4, certify(samples.sequence); // and so a shorter path
        if (i == 8) entry.root.bytes[0] ^= 1, certify(samples.sequence);
        if (i == 9) proof.sample.value[1] = '\0';
        assert_no_proof("none of those");
    }
}

CASE(an_entry_of_something_else_proves_nothing)
{
    make_batch(6);
    make_proof(2);
    proof.sequence++;
    assert_no_proof("is not this stream's commitment 4");
    make_proof(2);
    proof.stream = test_hash(STREAM_HASH + 1);
    assert_no_proof("is not this stream's");
    make_proof(2);
    proof.network[0] ^= 1;
    assert_no_proof("another network");
    make_proof(2);
    entry.to_ms = proof.sample.time_ms; // the window ends before it
    certify(samples.sequence);
    assert_no_proof("outside the window");
    make_proof(2);
    entry.from_ms = proof.sample.time_ms + 1;
    certify(samples.sequence);
    assert_no_proof("outside the window");
    make_proof(2);
    proof.entry.size = 0;
    assert_int_equal(check(), SY_ERR_FORMAT);
}

/* An entry that no quorum sealed. */
CASE(an_entry_of_nobodys_proves_nothing)
{
    make_batch(3);
    make_proof(1);
    struct sy_genesis own = genesis;
    test_genesis(&genesis, 5); // another network's validators
    assert_int_equal(check(), SY_ERR_CRYPTO);
    memcpy(proof.network, sy_network_tag(&genesis), sizeof proof.network);
    assert_true(check() != SY_OK);
    genesis = own;
    memcpy(proof.network, sy_network_tag(&genesis), sizeof proof.network);
    assert_int_equal(check(), SY_OK);
    for (size_t i = 0; i < proof.entry.size; i += 7) { // wherever it is changed
        entry_proof[i] ^= 1;
        assert_true(check() != SY_OK);
        entry_proof[i] ^= 1;
    }
    entry_forged = true;
    certify(samples.sequence);
    entry_forged = false;
    assert_no_proof("it does not hold");
}

CASE(changed_files_prove_nothing)
{
    make_batch(3);
    make_proof(1);
    assert_int_equal(check(), SY_OK);
    struct sy_writer w = sy_writer_of(file, sizeof file);
    struct sy_sample_proof read;
    const char *what = "";
    sy_sample_proof_encode(&w, &proof);
    assert_true(sy_sample_proof_is(sy_writer_slice(&w)));
    for (size_t i = 0; i < w.used; i++) {
        file[i] ^= 4;
        assert_false(sy_sample_proof_decode(&read, sy_writer_slice(&w), &what));
        file[i] ^= 4;
        assert_false(sy_sample_proof_decode(&read, sy_slice_of(file, i), &what));
    }
}

CASE(a_batch_goes_only_when_no_commitment_to_it_can_stand)
{
    static const uint16_t stand_or_may[] = {SY_APPLIED, SY_E_DUP_COMMIT, SY_E_REPLAY, SY_E_EXPIRED};
    for (size_t i = 0; i < sizeof stand_or_may / sizeof stand_or_may[0]; i++) {
        assert_false(sy_samples_refused(stand_or_may[i], false));
        assert_false(sy_samples_refused(stand_or_may[i], true));
    }
    assert_true(sy_samples_refused(SY_E_CONSENT, false));
    assert_false(sy_samples_refused(SY_E_CONSENT, true)); // the one sent first may have applied
    assert_false(sy_samples_refused(SY_E_SEQ, true));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_teardown(lines_of_samples_are_read_as_they_are_written, clean),
        cmocka_unit_test_teardown(what_is_no_line_of_samples_is_named, clean),
        cmocka_unit_test_teardown(more_samples_than_one_commitment_takes_are_refused, clean),
        cmocka_unit_test_teardown(windows_fit_the_stream, clean),
        cmocka_unit_test_teardown(samples_without_a_window_are_refused, clean),
        cmocka_unit_test_teardown(batches_come_back_and_changed_ones_do_not, clean),
        cmocka_unit_test_teardown(a_leaf_does_not_tell_its_value, clean),
        cmocka_unit_test_teardown(each_sample_of_a_batch_is_proven, clean),
        cmocka_unit_test_teardown(another_sample_is_not_proven, clean),
        cmocka_unit_test_teardown(an_entry_of_something_else_proves_nothing, clean),
        cmocka_unit_test_teardown(an_entry_of_nobodys_proves_nothing, clean),
        cmocka_unit_test_teardown(changed_files_prove_nothing, clean),
        cmocka_unit_test(a_batch_goes_only_when_no_commitment_to_it_can_stand),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
