/* fuzz_proof.c: any bytes as a .syproof file of the test network, whose last 32 bytes are mended to
 * be the right checksum. What decodes has one encoding; what holds is true of the test block. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/proof.h"
#include "core/wire/render.h"
#include "tests/support/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[2u << 20];

static uint8_t mended[2u << 20];

static const struct test_block *known_block(void)
{
    static struct test_block block;
    if (block.header.height == 0) test_block_make(&block);
    return &block;
}

static bool is_true(const struct sy_proof *proof, const struct test_block *block)
{
    bool found = false;
    if (proof->kind == SY_PROOF_RECEIPT) {
        for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
            found = found || sy_slice_equal(block->receipts[i], proof->receipt.receipt);
        }
        return found;
    }
    for (unsigned i = 0; i < 7; i++) {
        const struct test_entry *entry = &block->state[i];
        if (!sy_hash_equal(&entry->key_hash, &proof->state.key_hash)) continue;
        found = true;
        if (proof->state.present && !sy_slice_equal(entry->value, proof->state.value)) return false;
    }
    return found == proof->state.present;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_proof proof;
    const struct test_block *block = known_block();
    const struct sy_genesis *genesis = &block->genesis;
    struct sy_hash checksum;
    const char *what = NULL;
    if (size < sizeof checksum || size > sizeof mended) return 0;
    memcpy(mended, data, size - sizeof checksum);
    sy_sha256(&checksum, mended, size - sizeof checksum);
    memcpy(mended + size - sizeof checksum, checksum.bytes, sizeof checksum);

    struct sy_slice bytes = sy_slice_of(mended, size);
    if (!sy_proof_decode(&proof, bytes, &genesis->roster, &what)) {
        SY_ASSERT(what != NULL);
        return 0;
    }
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_proof_encode(&w, &proof);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));

    if (sy_proof_verify(&proof, genesis, NULL, &what)) {
        SY_ASSERT(is_true(&proof, block));
    } else {
        SY_ASSERT(what != NULL);
    }
    sy_json json;
    sy_json_init_growing(&json, 16u << 20);
    sy_proof_to_json(&json, &proof, genesis);
    SY_ASSERT(sy_json_finish(&json) != NULL);
    sy_json_free(&json);
    return 0;
}
