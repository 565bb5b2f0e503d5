/* systole_read.c: libsystole's reading: transactions, entries and the directory. See systole.h. */
#include <string.h>

#include "core/client/find_words.h"
#include "core/client/systole_internal.h"
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
