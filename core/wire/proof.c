/* proof.c: .syproof files: bytes, and what makes one hold. */
#include "core/wire/proof.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/wire/checked.h"
#include "core/wire/limits.h"
#include "core/wire/roster_change.h"
#include "core/wire/tx.h"

static const uint8_t magic[SY_CHECKED_MAGIC_BYTES] = {'S', 'Y', 'P', 'R', 'O', 'O', 'F', '1'};

/* --- RFC 6962 paths ------------------------------------------------------------------------ */

// Bit k: the path's k-th sibling is on the left. At a level where the node is the last one and even
// it rises without a sibling (RFC 6962 2.1.1), so sides are not simply the index's bits.
static uint32_t sides_of(const struct sy_merkle_path *path)
{
    uint64_t index = path->leaf_index;
    uint64_t last = path->leaf_count - 1;
    uint32_t sides = 0;
    unsigned level = 0;
    for (; last > 0; index /= 2, last /= 2) {
        if (index == last && index % 2 == 0) continue;
        sides |= (uint32_t)(index % 2) << level++;
    }
    return sides;
}

void sy_path_encode(struct sy_writer *w, const struct sy_merkle_path *path)
{
    if (path->count > SY_MERKLE_PATH_MAX ||
        path->count != sy_merkle_path_length(path->leaf_index, path->leaf_count)) {
        w->failed = true;
        return;
    }
    sy_write_u8(w, (uint8_t)path->count);
    sy_write_u32(w, sides_of(path));
    for (unsigned i = 0; i < path->count; i++) sy_write_hash(w, &path->siblings[i]);
}

void sy_path_decode(struct sy_reader *r, struct sy_merkle_path *path, const char *what)
{
    path->count = sy_read_u8(r, what);
    path->leaf_index = sy_read_u32(r, what);
    if (path->count > SY_MERKLE_PATH_MAX) sy_reader_fail(r, what);
    if (r->failed) path->count = 0;
    path->leaf_count = UINT64_C(1) << path->count;
    if (path->leaf_index >= path->leaf_count) sy_reader_fail(r, what);
    for (unsigned i = 0; i < path->count; i++) sy_read_hash(r, &path->siblings[i], what);
}

static bool path_leads_to(const struct sy_merkle_path *path, const struct sy_hash *leaf,
                          const struct sy_hash *root)
{
    struct sy_hash reached;
    return sy_merkle_path_root(&reached, path, leaf) && sy_hash_equal(&reached, root);
}

/* --- bodies -------------------------------------------------------------------------------- */

void sy_receipt_proof_encode(struct sy_writer *w, const struct sy_receipt_proof *proof)
{
    sy_write_bytes32(w, proof->receipt);
    sy_path_encode(w, &proof->receipt_path);
    sy_write_u8(w, proof->with_tx ? 1 : 0);
    if (!proof->with_tx) return;
    sy_write_bytes32(w, proof->tx);
    sy_path_encode(w, &proof->tx_path);
    sy_batch_header_encode(w, &proof->batch);
    sy_path_encode(w, &proof->batch_path);
}

bool sy_receipt_proof_decode(struct sy_reader *r, struct sy_receipt_proof *proof)
{
    memset(proof, 0, sizeof *proof);
    proof->receipt = sy_read_bytes32(r, SY_FRAME_BYTES_MAX, "receipt");
    sy_path_decode(r, &proof->receipt_path, "receipt path");
    proof->with_tx = sy_read_bool(r, "with_tx");
    if (!proof->with_tx) return !r->failed;
    proof->tx = sy_read_bytes32(r, SY_TX_BYTES_MAX, "transaction");
    sy_path_decode(r, &proof->tx_path, "transaction path");
    (void)sy_batch_header_decode(r, &proof->batch);
    sy_path_decode(r, &proof->batch_path, "batch path");
    return !r->failed;
}

void sy_state_proof_encode(struct sy_writer *w, const struct sy_state_proof *proof)
{
    if (proof->count > SY_TRIE_DEPTH_MAX || (proof->present && proof->other)) w->failed = true;
    sy_write_hash(w, &proof->key_hash);
    sy_write_u8(w, proof->present ? 1 : 0);
    if (proof->present) {
        sy_write_bytes32(w, proof->value);
    } else {
        sy_write_u8(w, proof->other ? 1 : 0);
        if (proof->other) sy_write_hash(w, &proof->other_key_hash);
        if (proof->other) sy_write_hash(w, &proof->other_value_hash);
    }
    sy_write_u16(w, proof->count);
    for (unsigned i = 0; i < proof->count && !w->failed; i++) {
        sy_write_hash(w, &proof->siblings[i]);
    }
}

bool sy_state_proof_decode(struct sy_reader *r, struct sy_state_proof *proof)
{
    memset(proof, 0, sizeof *proof);
    sy_read_hash(r, &proof->key_hash, "key_hash");
    proof->present = sy_read_bool(r, "present");
    if (proof->present) {
        proof->value = sy_read_bytes32(r, SY_STATE_VALUE_BYTES_MAX, "value");
    } else {
        proof->other = sy_read_bool(r, "other");
        if (proof->other) sy_read_hash(r, &proof->other_key_hash, "other_key_hash");
        if (proof->other) sy_read_hash(r, &proof->other_value_hash, "other_value_hash");
    }
    proof->count = sy_read_count16(r, SY_TRIE_DEPTH_MAX, 32, "siblings");
    for (unsigned i = 0; i < proof->count; i++) sy_read_hash(r, &proof->siblings[i], "siblings");
    return !r->failed;
}

/* --- whole proofs -------------------------------------------------------------------------- */

void sy_proof_encode(struct sy_writer *w, const struct sy_proof *proof)
{
    size_t start = sy_checked_begin(w, magic);
    sy_write_raw(w, proof->network, sizeof proof->network);
    sy_write_u8(w, proof->kind);
    sy_header_encode(w, &proof->header);
    if (proof->header.height > 0) sy_certificate_encode(w, &proof->certificate);
    switch (proof->kind) {
    case SY_PROOF_RECEIPT: sy_receipt_proof_encode(w, &proof->receipt); break;
    case SY_PROOF_STATE: sy_state_proof_encode(w, &proof->state); break;
    default: w->failed = true;
    }
    if (proof->handovers.size > 0) {
        sy_write_raw(w, proof->handovers.data, proof->handovers.size);
    }
    sy_checked_end(w, start);
}

bool sy_proof_decode(struct sy_proof *proof, struct sy_slice bytes, const struct sy_roster *genesis,
                     const char **what)
{
    struct sy_reader r = sy_checked_open(bytes, magic, "magic: not a .syproof file");
    memset(proof, 0, sizeof *proof);
    struct sy_slice network = sy_read_raw(&r, sizeof proof->network, "network");
    if (network.size > 0) memcpy(proof->network, network.data, network.size);
    proof->kind = sy_read_u8(&r, "kind");
    (void)sy_header_decode(&r, &proof->header);
    if (proof->header.height > 0) {
        unsigned n = proof->header.epoch == 0 ? genesis->count : SY_ROSTER_UNKNOWN;
        (void)sy_certificate_decode(&r, &proof->certificate, n);
    }
    switch (proof->kind) {
    case SY_PROOF_RECEIPT: (void)sy_receipt_proof_decode(&r, &proof->receipt); break;
    case SY_PROOF_STATE: (void)sy_state_proof_decode(&r, &proof->state); break;
    default: sy_reader_fail(&r, "kind");
    }
    if (!r.failed && sy_reader_left(&r) > 0) {
        (void)sy_handovers_decode(&r, &proof->handovers, proof->header.epoch);
    }
    if (sy_reader_done(&r)) return true;
    if (what) *what = r.what;
    return false;
}

/* --- the trie ------------------------------------------------------------------------------ */

void sy_trie_leaf(struct sy_hash *out, const struct sy_hash *key_hash,
                  const struct sy_hash *value_hash)
{
    sy_hash_prefixed(out, 0x03, key_hash, value_hash);
}

void sy_trie_inner(struct sy_hash *out, const struct sy_hash *left, const struct sy_hash *right)
{
    sy_hash_prefixed(out, 0x05, left, right);
}

void sy_state_key_hash(struct sy_hash *out, uint8_t state_kind, const struct sy_hash *id)
{
    uint8_t bytes[1 + 32];
    bytes[0] = state_kind;
    memcpy(bytes + 1, id->bytes, sizeof id->bytes);
    sy_sha256(out, bytes, sizeof bytes);
}

// Bit `depth` of a key hash, most significant first: the child that its path takes there.
static bool goes_right(const struct sy_hash *key_hash, unsigned depth)
{
    return (key_hash->bytes[depth / 8] >> (7 - depth % 8) & 1) != 0;
}

static bool shares_path(const struct sy_hash *a, const struct sy_hash *b, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        if (goes_right(a, i) != goes_right(b, i)) return false;
    }
    return true;
}

// What stands at the end of the path: the leaf claimed, another leaf, or nothing.
static bool bottom_of(struct sy_hash *node, const struct sy_state_proof *proof, const char **what)
{
    struct sy_hash value_hash;
    memset(node, 0, sizeof *node);
    if (proof->present) {
        sy_sha256(&value_hash, proof->value.data, proof->value.size);
        sy_trie_leaf(node, &proof->key_hash, &value_hash);
        return true;
    }
    if (!proof->other) return true;
    if (sy_hash_equal(&proof->other_key_hash, &proof->key_hash)) {
        *what = "the other leaf is the key itself";
        return false;
    }
    // A leaf off the key's path says nothing about what stands on it.
    if (!shares_path(&proof->other_key_hash, &proof->key_hash, proof->count)) {
        *what = "the other leaf does not lie on the key's path";
        return false;
    }
    sy_trie_leaf(node, &proof->other_key_hash, &proof->other_value_hash);
    return true;
}

bool sy_state_proof_verify(const struct sy_state_proof *proof, const struct sy_header *header,
                           const char **what)
{
    const char *ignored;
    struct sy_hash node;
    if (!what) what = &ignored;
    if (proof->count > SY_TRIE_DEPTH_MAX) {
        *what = "the path is longer than a key";
        return false;
    }
    if (!bottom_of(&node, proof, what)) return false;

    for (unsigned i = 0; i < proof->count; i++) {
        const struct sy_hash *sibling = &proof->siblings[i];
        if (goes_right(&proof->key_hash, proof->count - 1u - i)) {
            sy_trie_inner(&node, sibling, &node);
        } else {
            sy_trie_inner(&node, &node, sibling);
        }
    }
    if (sy_hash_equal(&node, &header->state_root)) return true;
    *what = "the path does not lead to the header's state root";
    return false;
}

/* --- receipts ------------------------------------------------------------------------------ */

static bool signatures_hold(const struct sy_verifier *verifier, const struct sy_tx *tx,
                            const struct sy_hash *id)
{
    for (unsigned i = 0; i < sy_tx_signer_count(tx); i++) {
        struct sy_signature signature;
        memcpy(signature.bytes, tx->signatures.data + 64u * i, sizeof signature.bytes);
        const struct sy_public_key *key = sy_tx_signer_key(tx, i);
        if (!verifier->verify(verifier->self, key, SY_SIG_TX, id, &signature)) return false;
    }
    return true;
}

// The tx is the receipt's, was signed by its signers, and stood in a batch of this block.
static bool verify_tx(const struct sy_verifier *verifier, const struct sy_receipt_proof *proof,
                      const struct sy_receipt *receipt, const struct sy_header *header,
                      const struct sy_genesis *genesis, const char **what)
{
    struct sy_tx tx;
    struct sy_hash id;
    struct sy_hash digest;
    uint8_t batch[SY_BATCH_HEADER_BYTES];
    struct sy_writer w = sy_writer_of(batch, sizeof batch);

    if (sy_tx_decode(&tx, what, proof->tx, sy_network_tag(genesis)) != SY_APPLIED) {
        *what = "the transaction is not one of this network";
        return false;
    }
    sy_tx_id(&id, &tx);
    if (!sy_hash_equal(&id, &receipt->tx_id)) {
        *what = "the receipt is of another transaction";
        return false;
    }
    if (!signatures_hold(verifier, &tx, &id)) {
        *what = "a signature of the transaction does not verify";
        return false;
    }
    if (!path_leads_to(&proof->tx_path, &id, &proof->batch.id_root)) {
        *what = "the transaction's path does not lead to the batch";
        return false;
    }
    sy_batch_header_encode(&w, &proof->batch);
    sy_batch_digest(&digest, &genesis->hash, sy_writer_slice(&w));
    sy_hash_leaf(&digest, sy_slice_of(digest.bytes, sizeof digest.bytes));
    if (!path_leads_to(&proof->batch_path, &digest, &header->batches_root)) {
        *what = "the batch's path does not lead to the header's batches root";
        return false;
    }
    return true;
}

bool sy_receipt_proof_verify(const struct sy_receipt_proof *proof, const struct sy_header *header,
                             const struct sy_genesis *genesis, const char **what)
{
    return sy_receipt_proof_verify_by(&sy_verifier_openssl, proof, header, genesis, what);
}

bool sy_receipt_proof_verify_by(const struct sy_verifier *verifier,
                                const struct sy_receipt_proof *proof,
                                const struct sy_header *header, const struct sy_genesis *genesis,
                                const char **what)
{
    const char *ignored;
    struct sy_receipt receipt;
    struct sy_hash leaf;
    struct sy_reader r = sy_reader_of(proof->receipt);
    if (!what) what = &ignored;

    if (!sy_receipt_decode(&r, &receipt) || !sy_reader_done(&r)) {
        *what = "the receipt is not canonical";
        return false;
    }
    if (receipt.height != header->height) {
        *what = "the receipt names another height";
        return false;
    }
    if (!sy_receipt_leaves(&leaf, &proof->receipt, 1)) {
        *what = "the receipt is not canonical";
        return false;
    }
    if (!path_leads_to(&proof->receipt_path, &leaf, &header->receipts_root)) {
        *what = "the receipt's path does not lead to the header's receipts root";
        return false;
    }
    return !proof->with_tx || verify_tx(verifier, proof, &receipt, header, genesis, what);
}

static bool find_roster(const struct sy_verifier *verifier, struct sy_roster *roster,
                        const struct sy_proof *proof, const struct sy_genesis *genesis,
                        const char **what)
{
    uint64_t ended;
    *roster = genesis->roster;
    *what = "it does not show how the roster of its epoch came from the genesis's";
    if (sy_handovers_follow_by(verifier, roster, &ended, &genesis->hash, proof->handovers,
                               proof->header.epoch, NULL) != SY_OK) {
        return false;
    }
    *what = "the header is of a height before its epoch";
    return proof->header.epoch == 0 || proof->header.height > ended;
}

bool sy_proof_roster(struct sy_roster *roster, const struct sy_proof *proof,
                     const struct sy_genesis *genesis, const char **what)
{
    const char *ignored;
    if (!what) what = &ignored;
    return find_roster(&sy_verifier_openssl, roster, proof, genesis, what);
}

// The header is sealed by a quorum, or is the one that the caller trusts already.
static bool verify_header(const struct sy_verifier *verifier, const struct sy_proof *proof,
                          const struct sy_genesis *genesis, const struct sy_hash *trusted,
                          const char **what)
{
    struct sy_hash hash;
    sy_header_hash(&hash, &genesis->hash, &proof->header);
    if (trusted) {
        *what = "the header is not the trusted one";
        return sy_hash_equal(&hash, trusted);
    }
    if (proof->header.height == 0) {
        *what = "the genesis header has no certificate: derive it and pass its hash";
        return false;
    }
    struct sy_roster roster;
    if (!find_roster(verifier, &roster, proof, genesis, what)) return false;
    *what = "the certificate does not seal this header";
    return sy_certificate_verify_by(verifier, &proof->certificate, &roster, &genesis->hash,
                                    &proof->header);
}

bool sy_proof_verify(const struct sy_proof *proof, const struct sy_genesis *genesis,
                     const struct sy_hash *trusted, const char **what)
{
    return sy_proof_verify_by(&sy_verifier_openssl, proof, genesis, trusted, what);
}

bool sy_proof_verify_by(const struct sy_verifier *verifier, const struct sy_proof *proof,
                        const struct sy_genesis *genesis, const struct sy_hash *trusted,
                        const char **what)
{
    const char *ignored;
    if (!what) what = &ignored;
    if (memcmp(proof->network, sy_network_tag(genesis), sizeof proof->network) != 0) {
        *what = "the proof is of another network";
        return false;
    }
    if (!verify_header(verifier, proof, genesis, trusted, what)) return false;
    switch (proof->kind) {
    case SY_PROOF_RECEIPT:
        return sy_receipt_proof_verify_by(verifier, &proof->receipt, &proof->header, genesis, what);
    case SY_PROOF_STATE: return sy_state_proof_verify(&proof->state, &proof->header, what);
    default: *what = "kind"; return false;
    }
}
