/* sample_proof.c: one sample of a stream, proven; see samples.h. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/client/samples_internal.h"
#include "core/crypto/hash.h"

#define PROOF_MAGIC "SYSMPRF1"

bool sy_sample_proof_is(struct sy_slice bytes)
{
    return bytes.size >= 8 && memcmp(bytes.data, PROOF_MAGIC, 8) == 0;
}

void sy_sample_proof_encode(struct sy_writer *w, const struct sy_sample_proof *proof)
{
    struct sy_hash sum;
    size_t start = w->used;
    SY_ASSERT(proof->path.count <= SY_MERKLE_PATH_MAX);
    sy_write_raw(w, PROOF_MAGIC, 8);
    sy_write_raw(w, proof->network, sizeof proof->network);
    sy_write_hash(w, &proof->stream);
    sy_write_u32(w, proof->sequence);
    sy_sample_write(w, &proof->sample);
    sy_write_u32(w, (uint32_t)proof->path.leaf_index);
    sy_write_u8(w, (uint8_t)proof->path.count);
    for (uint32_t i = 0; i < proof->path.count; i++) sy_write_hash(w, &proof->path.siblings[i]);
    sy_write_bytes32(w, proof->entry);
    if (w->failed) return;
    sy_sha256(&sum, w->data + start, w->used - start);
    sy_write_hash(w, &sum);
}

static void read_path(struct sy_reader *r, struct sy_merkle_path *path)
{
    path->leaf_index = sy_read_u32(r, "index");
    path->count = sy_read_u8(r, "path");
    if (path->leaf_index >= SY_STREAM_SAMPLES_MAX) sy_reader_fail(r, "index");
    if (path->count > SY_MERKLE_PATH_MAX) sy_reader_fail(r, "path");
    if (r->failed) path->count = 0;
    for (uint32_t i = 0; i < path->count; i++) sy_read_hash(r, &path->siblings[i], "path");
}

bool sy_sample_proof_decode(struct sy_sample_proof *proof, struct sy_slice bytes, const char **what)
{
    struct sy_hash sum, told;
    *proof = (struct sy_sample_proof){.sequence = 0};
    *what = "magic";
    if (!sy_sample_proof_is(bytes) || bytes.size < 8 + sizeof sum.bytes) return false;
    size_t size = bytes.size - sizeof sum.bytes;
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes.data + 8, size - 8));
    struct sy_slice network = sy_read_raw(&r, sizeof proof->network, "network");
    if (!r.failed) memcpy(proof->network, network.data, network.size);
    sy_read_hash(&r, &proof->stream, "stream");
    proof->sequence = sy_read_u32(&r, "sequence");
    if (proof->sequence == 0) sy_reader_fail(&r, "sequence");
    sy_sample_read(&r, &proof->sample);
    read_path(&r, &proof->path);
    proof->entry = sy_read_bytes32(&r, SY_SAMPLE_PROOF_BYTES_MAX, "entry");
    bool good = sy_reader_done(&r);
    *what = good ? "checksum" : r.what;
    sy_sha256(&sum, bytes.data, size);
    memcpy(told.bytes, bytes.data + size, sizeof told.bytes);
    return good && sy_hash_equal(&sum, &told);
}

/* The entry of the stream's commitment, as the network has certified it. */
static sy_status check_entry(const struct sy_verifier *verifier,
                             const struct sy_sample_proof *proof,
                             struct sy_stream_commit_entry *commit, struct sy_proven *proven,
                             const struct sy_genesis *genesis, struct sy_error *err)
{
    const char *what = "";
    struct sy_hash place;
    const struct sy_state_proof *state = &proven->proof.state;
    uint8_t *copy = (uint8_t *)malloc(proof->entry.size + 1);
    if (copy == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the proof");
    if (proof->entry.size > 0) memcpy(copy, proof->entry.data, proof->entry.size);
    SY_TRY(sy_proven_take(proven, copy, proof->entry.size, genesis, err));
    if (!sy_proof_verify_by(verifier, &proven->proof, genesis, NULL, &what)) {
        return sy_fail(err, SY_ERR_CRYPTO, "it does not hold: %s", what);
    }
    sy_state_key_stream(&place, SY_STATE_STREAM_COMMIT, &proof->stream, proof->sequence);
    bool fits = proven->proof.kind == SY_PROOF_STATE && sy_hash_equal(&state->key_hash, &place);
    if (!fits) {
        return sy_fail(err, SY_ERR_CRYPTO, "the entry proven is not this stream's commitment %u",
                       (unsigned)proof->sequence);
    }
    if (state->present && sy_stream_commit_decode(commit, state->value)) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "the stream has no commitment %u",
                   (unsigned)proof->sequence);
}

sy_status sy_sample_proof_verify_by(const struct sy_verifier *verifier,
                                    struct sy_sample_proof *proof,
                                    struct sy_stream_commit_entry *commit, struct sy_proven *proven,
                                    const struct sy_genesis *genesis, struct sy_error *err)
{
    struct sy_hash leaf, root;
    if (memcmp(proof->network, sy_network_tag(genesis), sizeof proof->network) != 0) {
        return sy_fail(err, SY_ERR_CRYPTO, "it is of another network");
    }
    SY_TRY(check_entry(verifier, proof, commit, proven, genesis, err));
    proof->path.leaf_count = commit->samples;
    sy_sample_hash(&leaf, &proof->sample);
    if (!sy_merkle_path_root(&root, &proof->path, &leaf) || !sy_hash_equal(&root, &commit->root)) {
        return sy_fail(err, SY_ERR_CRYPTO,
                       "the sample is none of those that the stream committed to");
    }
    int64_t time_ms = proof->sample.time_ms;
    if (time_ms >= commit->from_ms && time_ms < commit->to_ms) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "the sample's time is outside the window committed to");
}
