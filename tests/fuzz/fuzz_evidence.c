/* fuzz_evidence.c: any bytes as a .syevidence file of the test network, whose last 32 bytes are
 * mended to be the right checksum. What decodes has one encoding; what holds is one of the samples,
 * as nobody here can sign anything else. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/render.h"
#include "tests/support/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_sample(struct sy_slice bytes)
{
    static const char *const names[] = {"evidence/pre_prepare", "evidence/prepare",
                                        "evidence/commit", "evidence/seal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (sy_slice_equal(test_sample(names[i]), bytes)) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_genesis genesis;
    static uint8_t mended[8192]; /* room for handovers, too */
    static uint8_t again[8192];
    struct sy_evidence evidence;
    struct sy_hash checksum;
    const char *what = NULL;
    if (genesis.format == 0) test_genesis(&genesis, 4);
    if (size < sizeof checksum || size > sizeof mended) return 0;
    memcpy(mended, data, size - sizeof checksum);
    sy_sha256(&checksum, mended, size - sizeof checksum);
    memcpy(mended + size - sizeof checksum, checksum.bytes, sizeof checksum);

    struct sy_slice bytes = sy_slice_of(mended, size);
    if (!sy_evidence_decode(&evidence, bytes, &what)) {
        SY_ASSERT(what != NULL);
        return 0;
    }
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_evidence_encode(&w, &evidence);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    if (sy_evidence_verify(&evidence, &genesis, &what)) {
        SY_ASSERT(is_sample(bytes));
    } else {
        SY_ASSERT(what != NULL);
    }
    sy_json json;
    sy_json_init_growing(&json, 1u << 16);
    sy_evidence_to_json(&json, &evidence, &genesis);
    SY_ASSERT(sy_json_finish(&json) != NULL);
    sy_json_free(&json);
    return 0;
}
