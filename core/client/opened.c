/* opened.c: see opened.h. */
#include "core/client/opened.h"

#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/client_store.h"

#define FILE_BYTES_MAX (SY_ENVELOPE_BODY_MAX + (1u << 20))

static sy_status decrypt(struct sy_opened *opened, const sy_x25519_key *key, struct sy_error *err)
{
    const struct sy_envelope *envelope = &opened->envelope;
    const char *what = NULL;
    if (!sy_envelope_unwrap(&opened->content_key, &opened->wrap, envelope, key)) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "it is not sealed to this key, or was changed on its way");
    }
    opened->clear = malloc((size_t)envelope->body_bytes);
    if (opened->clear == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    if (!sy_envelope_open(opened->clear, envelope, &opened->content_key)) {
        return sy_fail(err, SY_ERR_CRYPTO, "it was changed on its way, or cut off");
    }
    if (!sy_envelope_body_decode(&opened->body,
                                 sy_slice_of(opened->clear, (size_t)envelope->body_bytes), &what)) {
        return sy_fail(err, SY_ERR_FORMAT, "what is sealed in it cannot be read: %s", what);
    }
    struct sy_public_key half;
    sy_x25519_key_public(key, &half);
    sy_envelope_wrapped_hash(&opened->wrapped_hash, envelope, opened->wrap, &half,
                             &opened->body.record, opened->body.version);
    return SY_OK;
}

/* Proof i holds and is about the entry that it should be about. */
static sy_status check_proof(struct sy_opened *opened, unsigned i, const struct sy_genesis *genesis,
                             struct sy_error *err)
{
    struct sy_slice bytes = opened->body.proofs[i];
    struct sy_proven *proven = &opened->proofs[i];
    const struct sy_proof *proof = &proven->proof;
    const char *what = NULL;
    struct sy_hash place;
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    if (copy == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    if (sy_proven_take(proven, copy, bytes.size, genesis, err) != SY_OK) {
        return sy_fail(err, SY_ERR_CRYPTO, "a proof in it is none");
    }
    if (!sy_proof_verify(proof, genesis, NULL, &what)) {
        return sy_fail(err, SY_ERR_CRYPTO, "a proof in it does not hold: %s", what);
    }
    if (i == 0) {
        sy_state_key_id(&place, SY_STATE_RECORD, &opened->body.record);
    } else {
        sy_state_key_record_version(&place, &opened->body.record, opened->body.version);
    }
    if (proof->kind != SY_PROOF_STATE || !proof->state.present ||
        !sy_hash_equal(&proof->state.key_hash, &place)) {
        return sy_fail(err, SY_ERR_CRYPTO, "a proof in it is about something else");
    }
    return SY_OK;
}

static sy_status check_content(struct sy_opened *opened, struct sy_error *err)
{
    const struct sy_envelope_body *body = &opened->body;
    struct sy_record_version version;
    struct sy_hash commit;
    if (!sy_record_decode(&opened->record, opened->proofs[0].proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the record proven is of an unknown form: upgrade");
    }
    version = opened->record.first;
    if (body->version > 1 &&
        !sy_record_version_decode(&version, opened->proofs[1].proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the version proven is of an unknown form: upgrade");
    }
    for (unsigned i = 0; i < opened->record.head_count; i++) {
        opened->is_head = opened->is_head || opened->record.heads[i] == body->version;
    }
    sy_content_commit(&commit, (uint8_t)version.form, &body->salt, body->content);
    if (version.form != body->form || !sy_hash_equal(&commit, &version.commit)) {
        return sy_fail(err, SY_ERR_CRYPTO,
                       "altered: the content is not what the ledger committed to");
    }
    return SY_OK;
}

sy_status sy_opened_load(struct sy_opened *opened, const char *path, const sy_x25519_key *key,
                         const struct sy_genesis *genesis, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(sy_os_read_file(&bytes, &size, path, FILE_BYTES_MAX, err));
    return sy_opened_take(opened, bytes, size, path, key, genesis, err);
}

sy_status sy_opened_take(struct sy_opened *opened, uint8_t *bytes, size_t size, const char *name,
                         const sy_x25519_key *key, const struct sy_genesis *genesis,
                         struct sy_error *err)
{
    const char *what = NULL;
    opened->file = bytes;
    opened->file_size = size;
    if (!sy_envelope_decode(&opened->envelope, sy_slice_of(bytes, size), &what)) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: %s", name, what);
    }
    if (memcmp(opened->envelope.network, sy_network_tag(genesis), SY_NETWORK_TAG_BYTES) != 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s is of another network than the genesis file",
                       name);
    }
    SY_TRY(decrypt(opened, key, err));
    for (unsigned i = 0; i < opened->body.proof_count; i++) {
        SY_TRY(check_proof(opened, i, genesis, err));
    }
    return check_content(opened, err);
}

void sy_opened_free(struct sy_opened *opened)
{
    for (unsigned i = 0; i < SY_ENVELOPE_PROOFS_MAX; i++) sy_proven_free(&opened->proofs[i]);
    if (opened->clear != NULL) sy_wipe(opened->clear, (size_t)opened->envelope.body_bytes);
    free(opened->clear);
    free(opened->file);
    sy_wipe(opened, sizeof *opened);
}
