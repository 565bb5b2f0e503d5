/* valid.c: see valid.h. */
#include "core/client/valid.h"

#include "core/base/assert.h"
#include "core/store/epochs.h"
#include "core/wire/checked.h"

static const uint8_t magic[SY_CHECKED_MAGIC_BYTES] = {'S', 'Y', 'V', 'A', 'L', 'I', 'D', '1'};

/* ---- bytes -------------------------------------------------------------------------------- */

bool sy_valid_is(struct sy_slice bytes)
{
    return sy_checked_is(bytes, magic);
}

/* The newest epoch that a header of it is of. */
static uint32_t newest_epoch(const struct sy_valid *valid)
{
    uint32_t newest = valid->next.epoch;
    for (unsigned i = 0; i < valid->entry_count; i++) {
        uint32_t epoch = valid->entries[i].header.epoch;
        if (epoch > newest) newest = epoch;
    }
    return newest;
}

void sy_valid_encode(struct sy_writer *w, const struct sy_valid *valid)
{
    SY_ASSERT(valid->entry_count >= 1 && valid->entry_count <= SY_VALID_ENTRIES_MAX);
    size_t start = sy_checked_begin(w, magic);
    sy_write_raw(w, valid->network, sizeof valid->network);
    sy_write_public_key(w, &valid->key);
    sy_write_i64(w, valid->time_ms);
    sy_write_u8(w, valid->block.height > 0 ? 1 : 0);
    if (valid->block.height > 0) sy_header_encode(w, &valid->block);
    sy_header_encode(w, &valid->next);
    sy_certificate_encode(w, &valid->next_certificate);
    sy_write_u64(w, valid->suspension);
    sy_write_u8(w, valid->entry_count);
    for (unsigned i = 0; i < valid->entry_count; i++) {
        sy_header_encode(w, &valid->entries[i].header);
        sy_certificate_encode(w, &valid->entries[i].certificate);
        sy_state_proof_encode(w, &valid->entries[i].state);
    }
    if (valid->handovers.size > 0) {
        sy_write_raw(w, valid->handovers.data, valid->handovers.size);
    }
    sy_checked_end(w, start);
}

bool sy_valid_decode(struct sy_valid *valid, struct sy_slice bytes, const char **what)
{
    struct sy_reader r = sy_checked_open(bytes, magic, "magic: not a .syvalid file");
    memset(valid, 0, sizeof *valid);
    struct sy_slice network = sy_read_raw(&r, sizeof valid->network, "network");
    if (network.size > 0) memcpy(valid->network, network.data, network.size);
    sy_read_public_key(&r, &valid->key, "key");
    valid->time_ms = sy_read_i64(&r, "time");
    if (sy_read_bool(&r, "has header")) {
        (void)sy_header_decode(&r, &valid->block);
        if (valid->block.height == 0) sy_reader_fail(&r, "header");
    }
    (void)sy_header_decode(&r, &valid->next);
    (void)sy_certificate_decode(&r, &valid->next_certificate, SY_ROSTER_UNKNOWN);
    valid->suspension = sy_read_u64(&r, "suspension");
    valid->entry_count = sy_read_u8(&r, "entries");
    if (valid->entry_count < 1 || valid->entry_count > SY_VALID_ENTRIES_MAX) {
        valid->entry_count = 0;
        sy_reader_fail(&r, "entries");
    }
    for (unsigned i = 0; i < valid->entry_count; i++) {
        (void)sy_header_decode(&r, &valid->entries[i].header);
        (void)sy_certificate_decode(&r, &valid->entries[i].certificate, SY_ROSTER_UNKNOWN);
        (void)sy_state_proof_decode(&r, &valid->entries[i].state);
    }
    if (!r.failed) (void)sy_handovers_decode(&r, &valid->handovers, newest_epoch(valid));
    if (sy_reader_done(&r)) return true;
    if (what) *what = r.what;
    return false;
}

/* ---- judging ------------------------------------------------------------------------------ */

/* An entry is of this place, and of a state that has seen block H. */
static sy_status check_entry(const struct sy_valid *valid, unsigned index,
                             const struct sy_hash *place, const char *name, struct sy_error *err)
{
    const struct sy_valid_entry *entry = &valid->entries[index];
    const char *what = "";
    if (!sy_hash_equal(&entry->state.key_hash, place)) {
        return sy_fail(err, SY_ERR_CRYPTO, "an entry that it shows is not the %s", name);
    }
    // Of an older state nothing follows: the key may have been revoked since, and before H.
    if (entry->header.height < valid->block.height) {
        return sy_fail(err, SY_ERR_CRYPTO, "the %s is shown of a state before block %llu", name,
                       (unsigned long long)valid->block.height);
    }
    if (sy_state_proof_verify(&entry->state, &entry->header, &what)) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "the %s: %s", name, what);
}

static sy_status read_suspension(struct sy_suspension *out, const struct sy_valid *valid,
                                 unsigned index, struct sy_error *err)
{
    if (sy_suspension_decode(out, valid->entries[index].state.value)) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "a suspension that it shows cannot be read");
}

/* Number k is there and began by H; number k + 1 is not, or began later. *has: whether k > 0. */
static sy_status find_last(struct sy_suspension *last, bool *has, const struct sy_valid *valid,
                           const struct sy_hash *organisation, struct sy_error *err)
{
    struct sy_hash place;
    struct sy_suspension next;
    uint64_t height = valid->block.height;
    unsigned behind = valid->suspension > 0 ? 2 : 1;
    *has = valid->suspension > 0;
    if (valid->entry_count != behind + 1 || valid->suspension == UINT64_MAX) {
        return sy_fail(err, SY_ERR_CRYPTO, "it does not show what its organisation was");
    }
    if (*has) {
        sy_state_key_suspension(&place, organisation, valid->suspension);
        SY_TRY(check_entry(valid, 1, &place, "last suspension", err));
        if (!valid->entries[1].state.present) {
            return sy_fail(err, SY_ERR_CRYPTO, "the last suspension that it names was never");
        }
        SY_TRY(read_suspension(last, valid, 1, err));
        if (last->begun.height > height) {
            return sy_fail(err, SY_ERR_CRYPTO, "the last suspension that it names began later");
        }
    }
    sy_state_key_suspension(&place, organisation, valid->suspension + 1);
    SY_TRY(check_entry(valid, behind, &place, "next suspension", err));
    if (!valid->entries[behind].state.present) return SY_OK;
    SY_TRY(read_suspension(&next, valid, behind, err));
    if (next.begun.height > height) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "a later suspension had begun by then");
}

sy_status sy_valid_judge(enum sy_at_verdict *verdict, const struct sy_valid *valid,
                         struct sy_error *err)
{
    struct sy_hash place;
    struct sy_credential credential;
    struct sy_suspension last;
    bool has_last = false;
    uint64_t height = valid->block.height;
    const struct sy_state_proof *state = &valid->entries[0].state;
    SY_ASSERT(valid->entry_count >= 1 && valid->entry_count <= SY_VALID_ENTRIES_MAX);
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &valid->key);
    SY_TRY(check_entry(valid, 0, &place, "credential", err));
    *verdict = SY_AT_NOT_ENROLLED;
    bool of_org = false;
    if (state->present) {
        if (!sy_credential_decode(&credential, state->value) || credential.use != SY_KEY_TX) {
            return sy_fail(err, SY_ERR_CRYPTO, "it is no credential of a key for transactions");
        }
        *verdict = sy_credential_at(&credential, NULL, height, valid->time_ms);
        of_org = *verdict == SY_AT_VALID && sy_credential_is_of_org(&credential);
    }
    if (!of_org) {
        if (valid->entry_count == 1 && valid->suspension == 0) return SY_OK;
        return sy_fail(err, SY_ERR_CRYPTO, "it shows entries that have no part in it");
    }
    SY_TRY(find_last(&last, &has_last, valid, &credential.holder, err));
    *verdict = sy_credential_at(&credential, has_last ? &last : NULL, height, valid->time_ms);
    return SY_OK;
}

/* ---- verifying ---------------------------------------------------------------------------- */

static sy_status follow_handovers(sy_epochs *epochs, const struct sy_valid *valid,
                                  struct sy_error *err)
{
    struct sy_reader r = sy_reader_of(valid->handovers);
    for (uint32_t epoch = 0; epoch < newest_epoch(valid); epoch++) {
        struct sy_handover handover;
        size_t start = r.used;
        bool decodes = sy_handover_decode(&r, &handover, SY_ROSTER_UNKNOWN);
        if (!decodes) return sy_fail(err, SY_ERR_CRYPTO, "a handover in it cannot be read");
        SY_TRY(sy_epochs_take(epochs, sy_slice_of(r.data + start, r.used - start), err));
    }
    if (sy_reader_done(&r)) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "it has more handovers than epochs");
}

/* H and H + 1 follow one another, and lie around the time. */
static sy_status check_blocks(const struct sy_valid *valid, const struct sy_genesis *genesis,
                              struct sy_error *err)
{
    struct sy_hash hash;
    if (valid->next.height != valid->block.height + 1) {
        return sy_fail(err, SY_ERR_CRYPTO, "its two blocks do not follow one another");
    }
    if (valid->next.time_ms <= valid->time_ms) {
        return sy_fail(err, SY_ERR_CRYPTO, "block %llu is not later than its time",
                       (unsigned long long)valid->next.height);
    }
    if (valid->block.height == 0) return SY_OK;
    sy_header_hash(&hash, &genesis->hash, &valid->block);
    if (!sy_hash_equal(&hash, &valid->next.previous)) {
        return sy_fail(err, SY_ERR_CRYPTO, "block %llu does not stand on the one it shows",
                       (unsigned long long)valid->next.height);
    }
    if (valid->block.time_ms <= valid->time_ms) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "block %llu is later than its time",
                   (unsigned long long)valid->block.height);
}

static sy_status check_seals(sy_epochs *epochs, const struct sy_valid *valid, struct sy_error *err)
{
    SY_TRY(follow_handovers(epochs, valid, err));
    bool sealed = sy_epochs_certified(epochs, &valid->next, &valid->next_certificate);
    for (unsigned i = 0; sealed && i < valid->entry_count; i++) {
        const struct sy_valid_entry *entry = &valid->entries[i];
        sealed = sy_epochs_certified(epochs, &entry->header, &entry->certificate);
    }
    return sealed ? SY_OK : sy_fail(err, SY_ERR_CRYPTO, "a certificate in it does not hold");
}

sy_status sy_valid_verify_by(const struct sy_verifier *verifier, enum sy_at_verdict *verdict,
                             const struct sy_valid *valid, const struct sy_genesis *genesis,
                             struct sy_error *err)
{
    sy_epochs *epochs = NULL;
    if (memcmp(valid->network, sy_network_tag(genesis), sizeof valid->network) != 0) {
        return sy_fail(err, SY_ERR_CRYPTO, "it is of another network");
    }
    SY_TRY(check_blocks(valid, genesis, err));
    SY_TRY(sy_valid_judge(verdict, valid, err));
    SY_TRY(sy_epochs_open_by(&epochs, genesis, verifier, err));
    sy_status status = check_seals(epochs, valid, err);
    sy_epochs_close(epochs);
    return status;
}

sy_status sy_valid_verify(enum sy_at_verdict *verdict, const struct sy_valid *valid,
                          const struct sy_genesis *genesis, struct sy_error *err)
{
    return sy_valid_verify_by(&sy_verifier_openssl, verdict, valid, genesis, err);
}
