/* fuzz_tx.c: any bytes as a transaction. What is accepted has one encoding, names its network, and
 * brings no more inner signatures than the limit; what is refused names a field. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/render.h"
#include "core/wire/schema.h"
#include "core/wire/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[SY_TX_BYTES_MAX];

static void check_encoding(const struct sy_tx *tx, struct sy_slice bytes)
{
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_tx_encode_body(&w, tx);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), tx->body));
    SY_ASSERT(tx->signatures.size == 64u * sy_tx_signer_count(tx));
    SY_ASSERT(tx->body.size + tx->signatures.size == bytes.size);
}

static void check_proofs(const struct sy_tx *tx)
{
    static const struct sy_hash genesis;
    struct sy_tx_proof proofs[SY_TX_PAYLOAD_SIGS_MAX];
    unsigned all = sy_tx_proofs(proofs, SY_TX_PAYLOAD_SIGS_MAX, tx, &genesis);
    SY_ASSERT(all <= SY_TX_PAYLOAD_SIGS_MAX);
    SY_ASSERT(sy_tx_proofs(NULL, 0, tx, &genesis) == all);
    SY_ASSERT(sy_tx_proofs(proofs, 1, tx, &genesis) == all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_slice bytes = sy_slice_of(data, size);
    struct sy_tx tx;
    struct sy_tx same;
    const char *what = NULL;
    enum sy_refusal code = sy_tx_decode(&tx, &what, bytes, NULL);
    if (code != SY_APPLIED) {
        SY_ASSERT(what != NULL && code < SY_E_SIG);
        return 0;
    }
    check_encoding(&tx, bytes);
    check_proofs(&tx);
    SY_ASSERT(sy_tx_decode(&same, NULL, bytes, tx.network) == SY_APPLIED);
    tx.network[0] ^= 1;
    SY_ASSERT(sy_tx_decode(&same, NULL, bytes, tx.network) == SY_E_NETWORK);
    tx.network[0] ^= 1;

    sy_json json;
    sy_json_init_growing(&json, 16u << 20);
    sy_tx_to_json(&json, &tx);
    SY_ASSERT(sy_json_finish(&json) != NULL);
    sy_json_free(&json);
    return 0;
}
