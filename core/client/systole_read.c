/* systole_read.c: libsystole's reading: transactions, entries, how credentials stood, and the
 * directory. See systole.h. */
#include <stdlib.h>
#include <string.h>

#include "core/client/find_words.h"
#include "core/client/systole_internal.h"
#include "core/client/valid.h"
#include "core/wire/state_kind.h"

#define READ_AGE_MS_MAX 60000

static enum systole_result read_proof(systole_network *network, systole_proof **out,
                                      struct sy_read_request *read, const uint8_t id[32],
                                      const systole_key *reader, int64_t max_age_ms)
{
    systole_proof *proof = sy_systole_new_proof();
    if (!proof) return sy_systole_no_memory();
    memcpy(read->id.bytes, id, sizeof read->id.bytes);
    sy_status status = sy_asker_read(network->net, &proof->proven, read, reader->key, max_age_ms,
                                     &sy_systole_error);
    return sy_systole_give_proof(out, proof, status);
}

enum systole_result systole_read_tx(systole_network *network, systole_proof **proof,
                                    const uint8_t tx_id[32], const systole_key *reader,
                                    enum systole_purpose purpose)
{
    struct sy_read_request read = {.subject = SY_READ_TX, .purpose = (uint8_t)purpose};
    return read_proof(network, proof, &read, tx_id, reader, 0);
}

enum systole_result systole_read_receipt(systole_network *network, systole_proof **proof,
                                         const uint8_t tx_id[32], const systole_key *reader,
                                         enum systole_purpose purpose)
{
    struct sy_read_request read = {.subject = SY_READ_RECEIPT, .purpose = (uint8_t)purpose};
    return read_proof(network, proof, &read, tx_id, reader, 0);
}

enum systole_result systole_read_state(systole_network *network, systole_proof **proof,
                                       const char *entry, const uint8_t id[32],
                                       const uint8_t *second, const systole_key *reader,
                                       enum systole_purpose purpose, int64_t max_age_ms)
{
    struct sy_read_request read = {.subject = SY_READ_STATE, .purpose = (uint8_t)purpose};
    unsigned kind = sy_state_kind_by_name(entry);
    if (kind == 0) {
        return sy_systole_result(sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                                         "there is no kind of entry '%.40s'", entry));
    }
    if (sy_state_kind_is_of_two(kind) != (second != NULL)) {
        return sy_systole_result(sy_fail(&sy_systole_error, SY_ERR_ARGUMENT, "'%.40s': %s", entry,
                                         second ? "is named by id alone: second must be NULL"
                                                : "is named by two things: second is missing"));
    }
    read.state_kind = (uint8_t)kind;
    if (second) memcpy(read.second.bytes, second, sizeof read.second.bytes);
    return read_proof(network, proof, &read, id, reader, max_age_ms < 0 ? 0 : max_age_ms);
}

enum systole_result systole_next_nonce(systole_network *network, uint64_t *nonce,
                                       const uint8_t signer[32], const systole_key *reader)
{
    systole_proof *proof = NULL;
    struct sy_nonces nonces;
    memset(&nonces, 0, sizeof nonces);
    enum systole_result result = systole_read_state(network, &proof, "nonces", signer, NULL, reader,
                                                    SYSTOLE_PURPOSE_OPERATIONS, READ_AGE_MS_MAX);
    if (result != SYSTOLE_OK || !proof) return result;
    const struct sy_state_proof *state = &proof->proven.proof.state;
    sy_status status = SY_OK;
    if (state->present && !sy_nonces_decode(&nonces, state->value)) {
        status =
            sy_fail(&sy_systole_error, SY_ERR_VERSION, "the nonces proven are of an unknown form");
    }
    if (status == SY_OK) *nonce = nonces.highest + 1;
    systole_proof_close(proof);
    return sy_systole_result(status);
}

/* ---- how a credential stood --------------------------------------------------------------- */

static enum systole_standing standing_of(enum sy_at_verdict verdict)
{
    switch (verdict) {
    case SY_AT_VALID: return SYSTOLE_STANDING_VALID;
    case SY_AT_EARLY: return SYSTOLE_STANDING_EARLY;
    case SY_AT_EXPIRED: return SYSTOLE_STANDING_EXPIRED;
    case SY_AT_REVOKED: return SYSTOLE_STANDING_REVOKED;
    case SY_AT_ORG_SUSPENDED: return SYSTOLE_STANDING_SUSPENDED;
    default: return SYSTOLE_STANDING_NOT_ENROLLED;
    }
}

static void tell_credential(struct systole_credential_info *info, const struct sy_valid *valid,
                            enum sy_at_verdict verdict)
{
    memcpy(info->credential, valid->key.bytes, sizeof info->credential);
    info->stands = standing_of(verdict);
    info->height = valid->block.height;
    info->time_ms = valid->time_ms;
}

static sy_status check_info(const struct systole_credential_info *info)
{
    if (info->struct_bytes >= sizeof *info) return SY_OK;
    return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT, "set the info's struct_bytes");
}

/* First the credential as it is now, so that no older block stands for the newest one. */
static sy_status ask_credential(struct sy_valid_asked *asked, systole_network *network,
                                const uint8_t credential[32], uint64_t at, const sy_secret_key *key,
                                uint8_t purpose)
{
    struct sy_public_key half;
    struct sy_read_request read = {
        .subject = SY_READ_STATE, .state_kind = SY_STATE_CREDENTIAL, .purpose = purpose};
    memcpy(half.bytes, credential, sizeof half.bytes);
    memcpy(read.id.bytes, credential, sizeof read.id.bytes);
    SY_TRY(sy_asker_read(network->net, &asked->answers[0], &read, key, READ_AGE_MS_MAX,
                         &sy_systole_error));
    sy_asker_expect(network->net, asked->answers[0].proof.header.height);
    return sy_valid_ask(asked, network->net, &half, at, purpose, key, READ_AGE_MS_MAX,
                        &sy_systole_error);
}

enum systole_result systole_credential_at(systole_network *network,
                                          struct systole_credential_info *info, void **proof,
                                          size_t *proof_size, const uint8_t credential[32],
                                          uint64_t at, const systole_key *reader,
                                          enum systole_purpose purpose)
{
    uint8_t *bytes = NULL;
    sy_status status = check_info(info);
    if (status != SY_OK) return sy_systole_result(status);
    struct sy_valid_asked *asked = (struct sy_valid_asked *)calloc(1, sizeof *asked);
    if (!asked) return sy_systole_no_memory();
    status = ask_credential(asked, network, credential, at, reader->key, (uint8_t)purpose);
    if (status == SY_OK && proof) {
        status = sy_valid_pack(asked, network->net, &bytes, proof_size, &sy_systole_error);
    }
    if (status == SY_OK) {
        if (proof) *proof = bytes;
        tell_credential(info, &asked->valid, asked->verdict);
    }
    sy_valid_asked_free(asked);
    free(asked);
    return sy_systole_result(status);
}

enum systole_result systole_credential_verify(struct systole_credential_info *info,
                                              const systole_network *network, const void *bytes,
                                              size_t size)
{
    const char *what = "";
    enum sy_at_verdict verdict;
    sy_status status = check_info(info);
    if (status != SY_OK) return sy_systole_result(status);
    struct sy_valid *valid = (struct sy_valid *)calloc(1, sizeof *valid);
    if (!valid) return sy_systole_no_memory();
    if (!sy_valid_decode(valid, sy_slice_of(bytes, size), &what)) {
        status = sy_fail(&sy_systole_error, SY_ERR_FORMAT,
                         "this is no .syvalid that can be read (%s)", what);
    }
    if (status == SY_OK) {
        status = sy_valid_verify(&verdict, valid, &network->genesis, &sy_systole_error);
    }
    if (status == SY_OK) tell_credential(info, valid, verdict);
    free(valid);
    return sy_systole_result(status);
}

/* ---- the directory ------------------------------------------------------------------------ */

static sy_status take_search(struct sy_find *find, const struct systole_search *search, size_t room)
{
    struct sy_hash organisation;
    const struct sy_find_words words = {.id = search->id_begins,
                                        .kind = search->kind,
                                        .name = search->name,
                                        .role = search->role,
                                        .specialty = search->specialty,
                                        .organisation =
                                            search->organisation ? &organisation : NULL};
    if (search->organisation) memcpy(organisation.bytes, search->organisation, 32);
    unsigned kind = sy_state_kind_by_name(search->entry);
    if (kind != SY_STATE_ORG && kind != SY_STATE_CREDENTIAL) {
        return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                       "an organisation or a credential is searched for, not '%.40s'",
                       search->entry);
    }
    find->what = (uint8_t)kind;
    find->max = (uint16_t)(room < SY_FIND_MAX ? room : SY_FIND_MAX);
    find->active = search->active > 0   ? SY_FIND_ACTIVE
                   : search->active < 0 ? SY_FIND_INACTIVE
                                        : SY_FIND_ANY;
    if (search->behind) {
        find->has_behind = true;
        memcpy(find->behind.bytes, search->behind, sizeof find->behind.bytes);
    }
    return sy_find_take_words(find, &words, &sy_systole_error);
}

enum systole_result systole_find(systole_network *network, uint8_t (*ids)[32], size_t *count,
                                 int *more, const struct systole_search *search,
                                 const systole_key *reader, enum systole_purpose purpose)
{
    struct sy_find find = {0};
    struct sy_found found;
    char told_by[SY_NAME_BYTES_MAX + 1];
    if (search->struct_bytes < sizeof *search || !search->entry || *count == 0) {
        return sy_systole_result(
            sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                    "set struct_bytes and entry of the search, and give room for ids"));
    }
    sy_status status = take_search(&find, search, *count);
    if (status == SY_OK) {
        status = sy_asker_find(network->net, &found, told_by, &find, (uint8_t)purpose, reader->key,
                               &sy_systole_error);
    }
    if (status != SY_OK) return sy_systole_result(status);
    for (size_t i = 0; i < found.count && i < *count; i++) memcpy(ids[i], found.ids[i].bytes, 32);
    *count = found.count < *count ? found.count : *count;
    *more = found.more;
    return SYSTOLE_OK;
}
