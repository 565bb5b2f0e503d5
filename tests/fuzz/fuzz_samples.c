/* fuzz_samples.c: any bytes as a device's input (first byte 0), as a batch of samples (1) and as a
 * proof of one sample (2), the last 32 bytes of the latter two mended to be the right checksum.
 * What is taken has one encoding, keeps its bounds, and proves nothing: nobody here can sign. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/samples.h"
#include "core/crypto/hash.h"
#include "core/wire/checked.h"
#include "tests/support/network.h"

#define ROOM (1u << 17)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bounds(const struct sy_samples *samples)
{
    SY_ASSERT(samples->count > 0 && samples->count <= SY_STREAM_SAMPLES_MAX);
    for (uint32_t i = 0; i < samples->count; i++) {
        const struct sy_sample *sample = &samples->items[i];
        SY_ASSERT(sample->time_ms >= 0 && sample->time_ms <= SY_TIME_MS_MAX);
        SY_ASSERT(i == 0 || sample->time_ms >= samples->items[i - 1].time_ms);
        SY_ASSERT(sample->value[0] != '\0' && strlen(sample->value) <= SY_SAMPLE_VALUE_BYTES_MAX);
    }
}

static void take_input(struct sy_slice bytes)
{
    static const struct sy_stream stream = {.rate = 60, .tolerance_s = 60};
    struct sy_samples samples = {.count = 0};
    struct sy_error err = {SY_OK, ""};
    if (sy_samples_read(&samples, bytes, "input", &err) != SY_OK) {
        SY_ASSERT(err.text[0] != '\0' && samples.items == NULL);
        return;
    }
    check_bounds(&samples);
    if (sy_samples_window(&samples, &stream, TEST_GENESIS_MS, &err) == SY_OK) {
        int64_t span_ms = samples.to_ms - samples.from_ms;
        SY_ASSERT(span_ms > 0 && span_ms <= SY_STREAM_SPAN_MS_MAX);
        SY_ASSERT(samples.count <= sy_stream_samples_max(stream.rate, span_ms));
    }
    sy_samples_free(&samples);
}

static void take_batch(struct sy_slice bytes)
{
    static uint8_t again[ROOM];
    struct sy_samples samples = {.count = 0};
    struct sy_error err = {SY_OK, ""};
    struct sy_hash root;
    if (sy_samples_decode(&samples, bytes, "batch", &err) != SY_OK) return;
    check_bounds(&samples);
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_samples_encode(&w, &samples);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    SY_ASSERT(sy_samples_root(&root, &samples, &err) == SY_OK);
    sy_samples_free(&samples);
}

static void take_proof(struct sy_slice bytes, const struct sy_genesis *genesis)
{
    static uint8_t again[ROOM];
    static struct sy_proven proven;
    struct sy_sample_proof proof;
    struct sy_stream_commit_entry commit;
    struct sy_error err = {SY_OK, ""};
    const char *what = NULL;
    if (!sy_sample_proof_decode(&proof, bytes, &what)) {
        SY_ASSERT(what != NULL);
        return;
    }
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_sample_proof_encode(&w, &proof);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    sy_status status =
        sy_sample_proof_verify_by(&sy_verifier_openssl, &proof, &commit, &proven, genesis, &err);
    SY_ASSERT(status != SY_OK && err.text[0] != '\0');
    sy_proven_free(&proven);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_genesis genesis;
    static uint8_t mended[ROOM];
    struct sy_hash sum;
    if (genesis.format == 0) test_genesis(&genesis, 4);
    if (size < 1 || size > sizeof mended) return 0;
    if (data[0] % 3 == 0) {
        take_input(sy_slice_of(data + 1, size - 1));
        return 0;
    }
    if (size < 1 + sizeof sum.bytes) return 0;
    size_t whole = size - 1;
    memcpy(mended, data + 1, whole);
    sy_sha256(&sum, mended, whole - sizeof sum.bytes);
    memcpy(mended + whole - sizeof sum.bytes, sum.bytes, sizeof sum.bytes);
    if (data[0] % 3 == 1) take_batch(sy_slice_of(mended, whole));
    if (data[0] % 3 == 2) take_proof(sy_slice_of(mended, whole), &genesis);
    return 0;
}
