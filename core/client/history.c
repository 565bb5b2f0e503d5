/* history.c: see history.h. */
#include "core/client/history.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/crypto/hash.h"

#define FILE_BYTES_MAX (256u << 20)
#define MAGIC_BYTES 8u
#define FRONT_BYTES (MAGIC_BYTES + SY_HPKE_ENC_BYTES)
#define AAD_BYTES 96u

static const uint8_t magic[MAGIC_BYTES] = {'S', 'Y', 'H', 'I', 'S', 'T', 'O', '1'};
static const char info[] = "systole-history-v1";

static sy_status path_of(char out[SY_MANIFEST_PATH_BYTES], const char *folder,
                         const struct sy_hash *record, struct sy_error *err)
{
    char hex[65];
    sy_hex_encode(hex, record->bytes, sizeof record->bytes);
    int size = snprintf(out, SY_MANIFEST_PATH_BYTES, "%s/histories/%s.syhistory", folder, hex);
    if (size > 0 && size < SY_MANIFEST_PATH_BYTES) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
}

/* What it goes with: it opens as no other record's, and in no other export. */
static struct sy_slice aad_of(uint8_t room[AAD_BYTES], const struct sy_manifest *manifest,
                              const struct sy_hash *record)
{
    memcpy(room, manifest->genesis.bytes, 32);
    memcpy(room + 32, manifest->export_id.bytes, 32);
    memcpy(room + 64, record->bytes, 32);
    return sy_slice_of(room, AAD_BYTES);
}

// --- making ------------------------------------------------------------------------------------

/* The proofs as they are collected. */
struct collected {
    uint8_t *bytes;
    size_t size, room;
    uint32_t count;
};

static sy_status collect(struct collected *all, const struct sy_proven *answer,
                         struct sy_error *err)
{
    size_t more = 4 + answer->size, used = all->size > 0 ? all->size : 4;
    if (used + more > FILE_BYTES_MAX)
        return sy_fail(err, SY_ERR_LIMIT, "it has too many versions, or links");
    if (all->bytes == NULL || used + more > all->room) {
        size_t room = 2 * all->room + more + 4096;
        uint8_t *moved = realloc(all->bytes, room);
        if (moved == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
        all->bytes = moved;
        all->room = room;
    }
    sy_store_u32(all->bytes + used, (uint32_t)answer->size);
    memcpy(all->bytes + used + 4, answer->bytes, answer->size);
    all->size = used + more;
    all->count++;
    sy_store_u32(all->bytes, all->count);
    return SY_OK;
}

/* may_lack: that there is no such entry is told, too. */
static sy_status ask(struct collected *all, struct sy_places_asked *asked, enum sy_state_kind kind,
                     const struct sy_hash *record, uint64_t number, bool may_lack,
                     struct sy_error *err)
{
    struct sy_slice value;
    uint64_t height;
    struct sy_error inner = {SY_OK, ""};
    sy_status status = sy_places_ask(asked, &value, &height, kind, record, number, &inner);
    bool absent = status == SY_ERR_NOT_FOUND && may_lack;
    if (status != SY_OK && !absent) return sy_fail(err, status, "%s", inner.text);
    return collect(all, &asked->answer, err);
}

static sy_status ask_all(struct collected *all, struct sy_record *record,
                         struct sy_places_asked *asked, const struct sy_hash *id,
                         struct sy_error *err)
{
    SY_TRY(ask(all, asked, SY_STATE_RECORD, id, 0, false, err));
    if (!sy_record_decode(record, asked->answer.proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "a record proven is of an unknown form: upgrade");
    }
    uint32_t versions = record->versions;
    uint64_t links = record->links;
    if (versions > SY_HISTORY_VERSIONS_MAX || links > SY_HISTORY_LINKS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "a record has more than %u versions, or %u links",
                       SY_HISTORY_VERSIONS_MAX, SY_HISTORY_LINKS_MAX);
    }
    for (uint32_t v = 2; v <= versions; v++) {
        SY_TRY(ask(all, asked, SY_STATE_RECORD_VERSION, id, v, false, err));
    }
    for (uint32_t v = 1; v <= versions; v++) {
        SY_TRY(ask(all, asked, SY_STATE_COSIGNATURES, id, v, true, err));
    }
    for (uint64_t n = 1; n <= links; n++) {
        SY_TRY(ask(all, asked, SY_STATE_RECORD_LINK, id, n, false, err));
    }
    return SY_OK;
}

static sy_status seal(struct sy_manifest *manifest, struct sy_manifest_item *item, const char *path,
                      const struct collected *all, struct sy_error *err)
{
    uint8_t aad[AAD_BYTES];
    size_t size = FRONT_BYTES + all->size + SY_HPKE_TAG_BYTES;
    uint8_t *file = malloc(size);
    if (file == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    memcpy(file, magic, MAGIC_BYTES);
    sy_status status = SY_OK;
    if (!sy_hpke_seal(file + MAGIC_BYTES, file + FRONT_BYTES, &manifest->recipient_key,
                      sy_slice_of(info, sizeof info - 1), aad_of(aad, manifest, &item->record),
                      sy_slice_of(all->bytes, all->size))) {
        status = sy_fail(err, SY_ERR_CRYPTO, "nothing can be sealed to the recipient's key");
    }
    if (status == SY_OK) status = sy_os_write_file(path, file, size, 0600, err);
    sy_sha256(&item->history, file, size);
    free(file);
    return status;
}

sy_status sy_history_make(struct sy_manifest *manifest, struct sy_record *record, uint32_t item,
                          const char *folder, struct sy_places_asked *asked, struct sy_error *err)
{
    char path[SY_MANIFEST_PATH_BYTES];
    struct collected all = {.bytes = NULL};
    struct sy_hash id = manifest->items[item].record;
    SY_TRY(path_of(path, folder, &id, err));
    asked->folder = NULL; // these are kept together, and sealed
    sy_status status = ask_all(&all, record, asked, &id, err);
    if (status == SY_OK) status = seal(manifest, &manifest->items[item], path, &all, err);
    free(all.bytes);
    return status;
}

// --- reading -----------------------------------------------------------------------------------

void sy_history_free(struct sy_history *history)
{
    sy_proven_free(&history->proven);
    free(history->clear);
    free(history->versions);
    free(history->signatures);
    free(history->links);
    memset(history, 0, sizeof *history);
}

uint64_t sy_history_count(const struct sy_history *history)
{
    uint64_t count = 0;
    for (uint32_t v = 0; v < history->record.versions; v++) count += history->signatures[v].count;
    return count;
}

static sy_status read_named(uint8_t **bytes, size_t *size, const struct sy_manifest *manifest,
                            uint32_t item, const char *folder, struct sy_error *err)
{
    char path[SY_MANIFEST_PATH_BYTES];
    struct sy_hash hash;
    SY_TRY(path_of(path, folder, &manifest->items[item].record, err));
    sy_status status = sy_os_read_file(bytes, size, path, FILE_BYTES_MAX, err);
    if (status == SY_ERR_NOT_FOUND) return sy_fail(err, status, "its history is missing");
    if (status != SY_OK) return status;
    sy_sha256(&hash, *bytes, *size);
    if (sy_hash_equal(&hash, &manifest->items[item].history)) return SY_OK;
    free(*bytes);
    *bytes = NULL;
    return sy_fail(err, SY_ERR_FORMAT, "its history was changed");
}

sy_status sy_history_check_file(const struct sy_manifest *manifest, uint32_t item,
                                const char *folder, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    sy_status status = read_named(&bytes, &size, manifest, item, folder, err);
    free(bytes);
    return status;
}

/* What is read one after the other. */
struct reading {
    struct sy_reader in;
    struct sy_proven proven; /* the newest proof */
    const struct sy_genesis *genesis;
    const struct sy_hash *record;
    uint64_t as_of;
};

/* The next proof is of this entry, which has to be present unless it may lack. */
static sy_status next_proof(struct reading *reading, enum sy_state_kind kind, uint64_t number,
                            bool may_lack, struct sy_error *err)
{
    const struct sy_proof *proof = &reading->proven.proof;
    struct sy_hash place, second = {{0}};
    const char *what = NULL;
    struct sy_slice bytes = sy_read_bytes32(&reading->in, FILE_BYTES_MAX, "proof");
    if (reading->in.failed) return sy_fail(err, SY_ERR_FORMAT, "its history is cut off");
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    if (copy == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    if (sy_proven_take(&reading->proven, copy, bytes.size, reading->genesis, err) != SY_OK) {
        return sy_fail(err, SY_ERR_CRYPTO, "a proof in its history is none");
    }
    if (!sy_proof_verify(proof, reading->genesis, NULL, &what)) {
        return sy_fail(err, SY_ERR_CRYPTO, "a proof in its history does not hold: %s", what);
    }
    sy_store_u64(second.bytes, number);
    if (proof->kind != SY_PROOF_STATE || !sy_state_key_of(&place, kind, reading->record, &second) ||
        !sy_hash_equal(&proof->state.key_hash, &place)) {
        return sy_fail(err, SY_ERR_CRYPTO, "a proof in its history is about something else");
    }
    if (proof->header.height < reading->as_of) {
        return sy_fail(err, SY_ERR_CRYPTO, "a proof in its history is from before the export");
    }
    if (proof->state.present || may_lack) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "its history lacks something that it counts");
}

static sy_status fail_form(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_VERSION, "an entry of its history is of an unknown form: upgrade");
}

static sy_status read_record(struct reading *reading, struct sy_history *history,
                             struct sy_error *err)
{
    SY_TRY(next_proof(reading, SY_STATE_RECORD, 0, false, err));
    history->proven = reading->proven; // which the record borrows
    memset(&reading->proven, 0, sizeof reading->proven);
    struct sy_record *record = &history->record;
    if (!sy_record_decode(record, history->proven.proof.state.value)) return fail_form(err);
    if (record->versions > SY_HISTORY_VERSIONS_MAX || record->links > SY_HISTORY_LINKS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "it has too many versions, or links");
    }
    if (record->links > sy_reader_left(&reading->in) / 4) { // each has a size at least
        return sy_fail(err, SY_ERR_FORMAT, "its history is cut off");
    }
    history->versions = calloc(record->versions + 1u, sizeof *history->versions);
    history->signatures = calloc(record->versions + 1u, sizeof *history->signatures);
    history->links = calloc((size_t)record->links + 1u, sizeof *history->links);
    if (!history->versions || !history->signatures || !history->links) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    }
    history->versions[0] = record->first;
    return SY_OK;
}

static sy_status read_entries(struct reading *reading, struct sy_history *history,
                              struct sy_error *err)
{
    const struct sy_state_proof *state = &reading->proven.proof.state;
    SY_TRY(read_record(reading, history, err));
    uint32_t versions = history->record.versions;
    for (uint32_t v = 2; v <= versions; v++) {
        SY_TRY(next_proof(reading, SY_STATE_RECORD_VERSION, v, false, err));
        if (!sy_record_version_decode(&history->versions[v - 1], state->value) ||
            history->versions[v - 1].version != v) {
            return fail_form(err);
        }
    }
    for (uint32_t v = 1; v <= versions; v++) {
        SY_TRY(next_proof(reading, SY_STATE_COSIGNATURES, v, true, err));
        if (state->present && !sy_cosignatures_decode(&history->signatures[v - 1], state->value)) {
            return fail_form(err);
        }
    }
    for (uint64_t n = 1; n <= history->record.links; n++) {
        SY_TRY(next_proof(reading, SY_STATE_RECORD_LINK, n, false, err));
        if (!sy_record_link_decode(&history->links[n - 1], state->value)) return fail_form(err);
    }
    return SY_OK;
}

static sy_status open_file(struct sy_history *history, const struct sy_manifest *manifest,
                           uint32_t item, const sy_x25519_key *key, struct sy_slice file,
                           struct sy_error *err)
{
    uint8_t aad[AAD_BYTES];
    if (file.data == NULL || file.size < FRONT_BYTES + SY_HPKE_TAG_BYTES ||
        memcmp(file.data, magic, MAGIC_BYTES) != 0) {
        return sy_fail(err, SY_ERR_FORMAT, "its history cannot be read");
    }
    struct sy_slice sealed = sy_slice_of(file.data + FRONT_BYTES, file.size - FRONT_BYTES);
    history->clear_size = sealed.size - SY_HPKE_TAG_BYTES;
    history->clear = malloc(history->clear_size + 1);
    if (history->clear == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    if (!sy_hpke_open(history->clear, key, file.data + MAGIC_BYTES,
                      sy_slice_of(info, sizeof info - 1),
                      aad_of(aad, manifest, &manifest->items[item].record), sealed)) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "its history is not sealed to this key, or of another record or export");
    }
    return SY_OK;
}

sy_status sy_history_load(struct sy_history *history, const struct sy_manifest *manifest,
                          uint32_t item, const char *folder, const sy_x25519_key *key,
                          const struct sy_genesis *genesis, struct sy_error *err)
{
    static struct reading reading; // too large for a small stack
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(read_named(&bytes, &size, manifest, item, folder, err));
    sy_status status = open_file(history, manifest, item, key, sy_slice_of(bytes, size), err);
    free(bytes);
    if (status != SY_OK) return status;
    memset(&reading, 0, sizeof reading);
    reading.in = sy_reader_of(sy_slice_of(history->clear, history->clear_size));
    reading.genesis = genesis;
    reading.record = &manifest->items[item].record;
    reading.as_of = manifest->as_of;
    uint32_t count = sy_read_u32(&reading.in, "count");
    status = read_entries(&reading, history, err);
    sy_proven_free(&reading.proven);
    if (status != SY_OK) return status;
    uint64_t all = 2ull * history->record.versions + history->record.links;
    if (sy_reader_done(&reading.in) && count == all) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "its history has more than it counts");
}
