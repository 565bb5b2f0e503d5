/* client_store.c: opening, labels, nonces, transactions, headers, inputs and runs. Rows of things
 * are in client_store_things.c, LMDB in client_store_lmdb.c. */
#include "core/client/client_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/client_store_internal.h"
#include "core/crypto/hash.h"

#define LABEL_PART_BYTES_MAX 4096u

/* --- rows ------------------------------------------------------------------------------------ */

struct sy_writer sy_client_row_writer(sy_client_store *store)
{
    return sy_writer_of(store->row, SY_CLIENT_ROW_BYTES_MAX);
}

sy_status sy_client_row_corrupt(const char *what, struct sy_error *err)
{
    return sy_fail(err, SY_ERR_CORRUPT,
                   "the client store's row of %s does not decode; restore the store from a backup",
                   what);
}

sy_status sy_client_row_get(sy_client_store *store, struct sy_slice *value,
                            enum sy_client_tree tree, struct sy_slice key, struct sy_error *err)
{
    sy_status status = sy_client_db_get(store->db, value, tree, key, err);
    if (status != SY_ERR_NOT_FOUND || store->base == NULL) return status;
    return sy_client_db_get(store->base, value, tree, key, err);
}

sy_status sy_client_row_put(sy_client_store *store, enum sy_client_tree tree, struct sy_slice key,
                            const struct sy_writer *w, struct sy_error *err)
{
    SY_ASSERT(!w->failed);
    return sy_client_db_put(store->db, tree, key, sy_writer_slice(w), err);
}

static struct sy_slice name_slice(const char *name)
{
    return sy_slice_of(name, strlen(name));
}

static sy_status get_meta_hash(sy_client_db *db, struct sy_hash *out, const char *name,
                               struct sy_error *err)
{
    struct sy_slice value;
    SY_TRY(sy_client_db_get(db, &value, SY_TREE_META, name_slice(name), err));
    if (value.size != sizeof out->bytes) return sy_client_row_corrupt(name, err);
    memcpy(out->bytes, value.data, sizeof out->bytes);
    return SY_OK;
}

static sy_status get_meta_u64(sy_client_db *db, uint64_t *out, const char *name,
                              struct sy_error *err)
{
    struct sy_slice value;
    SY_TRY(sy_client_db_get(db, &value, SY_TREE_META, name_slice(name), err));
    if (value.size != 8) return sy_client_row_corrupt(name, err);
    *out = sy_load_u64(value.data);
    return SY_OK;
}

static sy_status put_meta_u64(sy_client_db *db, const char *name, uint64_t number,
                              struct sy_error *err)
{
    uint8_t bytes[8];
    sy_store_u64(bytes, number);
    return sy_client_db_put(db, SY_TREE_META, name_slice(name), sy_slice_of(bytes, 8), err);
}

/* --- opening --------------------------------------------------------------------------------- */

static sy_status write_identity(sy_client_store *store, const struct sy_hash *genesis,
                                struct sy_error *err)
{
    store->genesis = *genesis;
    SY_TRY(put_meta_u64(store->db, "format", SY_CLIENT_STORE_FORMAT, err));
    SY_TRY(sy_client_db_put(store->db, SY_TREE_META, name_slice("genesis"), sy_hash_slice(genesis),
                            err));
    SY_TRY(sy_client_db_put(store->db, SY_TREE_META, name_slice("secret"),
                            sy_hash_slice(&store->secret), err));
    SY_TRY(put_meta_u64(store->db, "next_place", store->next_place, err));
    return put_meta_u64(store->db, "next_seq", store->next_seq, err);
}

/* SY_ERR_NOT_FOUND: the store is new. */
static sy_status read_identity(sy_client_store *store, sy_client_db *db,
                               const struct sy_hash *genesis, const char *path,
                               struct sy_error *err)
{
    uint64_t format = 0;
    SY_TRY(get_meta_u64(db, &format, "format", err));
    if (format != SY_CLIENT_STORE_FORMAT) {
        return sy_fail(err, SY_ERR_VERSION,
                       "client store %s has format %llu, this program knows %u; use the program "
                       "that made it",
                       path, (unsigned long long)format, SY_CLIENT_STORE_FORMAT);
    }
    SY_TRY(get_meta_hash(db, &store->genesis, "genesis", err));
    SY_TRY(get_meta_hash(db, &store->secret, "secret", err));
    SY_TRY(get_meta_u64(db, &store->next_seq, "next_seq", err));
    SY_TRY(get_meta_u64(db, &store->next_place, "next_place", err));
    store->stored_seq = store->next_seq;
    store->stored_place = store->next_place;
    if (genesis != NULL && !sy_hash_equal(genesis, &store->genesis)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "client store %s belongs to another network; name another store, or the "
                       "genesis file it was made for",
                       path);
    }
    return SY_OK;
}

/* A new store's file of salts is whole before the store says that there is one. */
static sy_status make_salts(sy_client_store *store, const char *path, struct sy_error *err)
{
    store->next_place = SY_CLIENT_PLACE_PROGRESS + 1;
    sy_os_random(&store->progress, sizeof store->progress);
    SY_TRY(sy_client_salts_open(&store->salts, path, true, true, err));
    SY_TRY(sy_client_salts_put(store->salts, SY_CLIENT_PLACE_PROGRESS, &store->progress, err));
    return sy_client_salts_sync(store->salts, err);
}

static sy_status open_salts(sy_client_store *store, sy_client_salts **salts, const char *path,
                            bool writes, struct sy_error *err)
{
    SY_TRY(sy_client_salts_open(salts, path, writes, false, err));
    sy_status status = sy_client_salts_get(*salts, &store->progress, SY_CLIENT_PLACE_PROGRESS, err);
    return status == SY_ERR_NOT_FOUND ? SY_OK : status; // it is only a cursor that is not believed
}

static sy_status open_real(sy_client_store *store, const char *path, const struct sy_hash *genesis,
                           enum sy_client_db_mode mode, struct sy_error *err)
{
    SY_TRY(sy_client_db_open(&store->db, path, mode, err));
    sy_status status = read_identity(store, store->db, genesis, path, err);
    if (status == SY_OK) {
        return open_salts(store, &store->salts, path, mode != SY_CLIENT_DB_READ, err);
    }
    if (status != SY_ERR_NOT_FOUND) return status;
    if (mode == SY_CLIENT_DB_READ) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "%s holds no client store", path);
    }
    sy_os_random(&store->secret, sizeof store->secret);
    SY_TRY(make_salts(store, path, err));
    SY_TRY(write_identity(store, genesis, err));
    store->stored_place = store->next_place;
    return sy_client_db_commit(store->db, err);
}

/* A folder of its own for what a rehearsal writes; the secret is not among it. */
static sy_status open_scratch(sy_client_store *store, const char *path,
                              const struct sy_hash *genesis, struct sy_error *err)
{
    sy_status status = sy_client_db_open(&store->base, path, SY_CLIENT_DB_READ, err);
    if (status == SY_OK) status = read_identity(store, store->base, genesis, path, err);
    if (status == SY_OK) SY_TRY(open_salts(store, &store->base_salts, path, false, err));
    if (status == SY_ERR_NOT_FOUND) {
        sy_client_db_close(store->base);
        store->base = NULL;
        sy_os_random(&store->secret, sizeof store->secret);
        status = SY_OK;
    }
    if (status != SY_OK) return status;
    const char *parent = getenv("TMPDIR");
    snprintf(store->scratch_path, sizeof store->scratch_path, "%s/systole-rehearsal-XXXXXX",
             parent == NULL || parent[0] == '\0' ? "/tmp" : parent);
    if (mkdtemp(store->scratch_path) == NULL) {
        sy_status failed = sy_fail(err, SY_ERR_IO, "cannot make the folder %s: %s",
                                   store->scratch_path, strerror(errno));
        store->scratch_path[0] = '\0';
        return failed;
    }
    store->genesis = *genesis;
    struct sy_hash progress = store->progress;
    SY_TRY(sy_client_db_open(&store->db, store->scratch_path, SY_CLIENT_DB_WRITE, err));
    SY_TRY(make_salts(store, store->scratch_path, err));
    store->stored_place = store->next_place;
    if (store->base != NULL) store->progress = progress;
    return SY_OK;
}

sy_status sy_client_store_open(sy_client_store **store, const char *path,
                               const struct sy_hash *genesis, enum sy_client_store_mode mode,
                               struct sy_error *err)
{
    *store = NULL;
    SY_ASSERT(genesis != NULL || mode == SY_CLIENT_STORE_READ);
    sy_client_store *fresh = calloc(1, sizeof *fresh);
    uint8_t *row = malloc(SY_CLIENT_ROW_BYTES_MAX);
    if (fresh == NULL || row == NULL) {
        free(fresh);
        free(row);
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the client store");
    }
    fresh->row = row;
    fresh->next_seq = 1;
    sy_status status =
        mode == SY_CLIENT_STORE_SCRATCH
            ? open_scratch(fresh, path, genesis, err)
            : open_real(fresh, path, genesis,
                        mode == SY_CLIENT_STORE_READ ? SY_CLIENT_DB_READ : SY_CLIENT_DB_WRITE, err);
    if (status != SY_OK) {
        sy_client_store_close(fresh);
        return status;
    }
    *store = fresh;
    return SY_OK;
}

void sy_client_store_close(sy_client_store *store)
{
    if (store == NULL) return;
    sy_client_db_close(store->db);
    sy_client_db_close(store->base);
    sy_client_salts_close(store->salts);
    sy_client_salts_close(store->base_salts);
    if (store->scratch_path[0] != '\0' && sy_os_remove_tree(store->scratch_path, NULL) != SY_OK) {
        fprintf(stderr, "%s could not be removed; remove it by hand\n", store->scratch_path);
    }
    free(store->row);
    sy_wipe(&store->secret, sizeof store->secret);
    sy_wipe(&store->progress, sizeof store->progress);
    free(store);
}

sy_status sy_client_store_commit(sy_client_store *store, struct sy_error *err)
{
    if (store->next_seq != store->stored_seq) {
        SY_TRY(put_meta_u64(store->db, "next_seq", store->next_seq, err));
        store->stored_seq = store->next_seq;
    }
    if (store->next_place != store->stored_place) {
        SY_TRY(put_meta_u64(store->db, "next_place", store->next_place, err));
        store->stored_place = store->next_place;
    }
    // No row is durable before the salt that it names.
    SY_TRY(sy_client_salts_sync(store->salts, err));
    if (sy_client_db_uncommitted(store->db) == 0) return SY_OK;
    return sy_client_db_commit(store->db, err);
}

uint64_t sy_client_store_uncommitted(const sy_client_store *store)
{
    return sy_client_db_uncommitted(store->db);
}

void sy_client_store_genesis(const sy_client_store *store, struct sy_hash *out)
{
    *out = store->genesis;
}

/* --- labels ---------------------------------------------------------------------------------- */

void sy_client_label(const sy_client_store *store, struct sy_hash *out, enum sy_label_kind kind,
                     struct sy_slice a, struct sy_slice b, struct sy_slice c)
{
    uint8_t text[3 * LABEL_PART_BYTES_MAX + 16];
    struct sy_writer w = sy_writer_of(text, sizeof text);
    const struct sy_slice parts[3] = {a, b, c};
    sy_write_u8(&w, (uint8_t)kind);
    for (int i = 0; i < 3; i++) {
        struct sy_hash folded;
        struct sy_slice part = parts[i];
        if (part.size > LABEL_PART_BYTES_MAX) {
            // A part this long cannot be told from its hash's bytes by length.
            sy_sha256(&folded, part.data, part.size);
            sy_write_u32(&w, (uint32_t)part.size);
            sy_write_hash(&w, &folded);
        } else {
            sy_write_bytes32(&w, part);
        }
    }
    SY_ASSERT(!w.failed);
    sy_hmac_sha256(out, sy_hash_slice(&store->secret), sy_writer_slice(&w));
}

void sy_client_label_resource(const sy_client_store *store, struct sy_hash *out, const char *source,
                              struct sy_slice type, struct sy_slice id)
{
    sy_client_label(store, out, SY_LABEL_RESOURCE, name_slice(source), type, id);
}

void sy_client_label_of(const sy_client_store *store, struct sy_hash *out, enum sy_label_kind kind,
                        const struct sy_hash *a, const struct sy_hash *b)
{
    struct sy_slice none = {NULL, 0};
    sy_client_label(store, out, kind, sy_hash_slice(a), b == NULL ? none : sy_hash_slice(b), none);
}

void sy_client_digest(const sy_client_store *store, struct sy_hash *out, struct sy_slice bytes)
{
    sy_hmac_sha256(out, sy_hash_slice(&store->progress), bytes);
}

/* --- salts ----------------------------------------------------------------------------------- */

/* The file that a place is in; the place there. */
static sy_client_salts *salts_of(const sy_client_store *store, uint64_t *place)
{
    bool own = (*place & SY_CLIENT_PLACE_SCRATCH) != 0 || store->base_salts == NULL;
    *place &= ~SY_CLIENT_PLACE_SCRATCH;
    return own ? store->salts : store->base_salts;
}

sy_status sy_client_salt_read(sy_client_store *store, struct sy_client_version *version,
                              struct sy_error *err)
{
    uint64_t place = version->place;
    const sy_client_salts *salts = salts_of(store, &place);
    sy_status status = sy_client_salts_get(salts, &version->salt, place, err);
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

sy_status sy_client_salt_keep(sy_client_store *store, struct sy_client_version *version,
                              struct sy_error *err)
{
    uint64_t place = store->next_place++;
    version->place = place | (store->base_salts != NULL ? SY_CLIENT_PLACE_SCRATCH : 0);
    return sy_client_salts_put(store->salts, place, &version->salt, err);
}

sy_status sy_client_salt_drop(sy_client_store *store, const struct sy_client_version *version,
                              struct sy_error *err)
{
    uint64_t place = version->place;
    sy_client_salts *salts = salts_of(store, &place);
    if (salts != store->salts) return SY_OK; // a rehearsal takes nothing from the real store
    return sy_client_salts_wipe(salts, place, err);
}

static sy_status erase_salts(sy_client_store *store, unsigned *count, const struct sy_hash *label,
                             const struct sy_client_record *record, struct sy_error *err)
{
    struct sy_client_version version;
    for (uint32_t number = record->head.version; number >= 1; number--) {
        SY_TRY(sy_client_get_version(store, &version, label, record, number, err));
        if (!sy_hash_is_zero(&version.salt)) (*count)++;
        sy_wipe(&version.salt, sizeof version.salt);
        SY_TRY(sy_client_salt_drop(store, &version, err));
    }
    sy_os_random(&store->progress, sizeof store->progress);
    SY_TRY(sy_client_salts_put(store->salts, SY_CLIENT_PLACE_PROGRESS, &store->progress, err));
    return sy_client_salts_sync(store->salts, err);
}

sy_status sy_client_erase_record(sy_client_store *store, unsigned *salts,
                                 const struct sy_hash *label, struct sy_error *err)
{
    struct sy_client_record record;
    *salts = 0;
    SY_ASSERT(store->base == NULL);
    SY_TRY(sy_client_get_record(store, &record, label, err));
    // First the salts: a crash leaves rows of versions that nobody can make a commitment of.
    SY_TRY(erase_salts(store, salts, label, &record, err));
    sy_wipe(&record.head.salt, sizeof record.head.salt);
    if (record.head.version > 1) SY_TRY(sy_client_drop_versions(store, label, 2, err));
    memset(&record.head, 0, sizeof record.head);
    record.erased = true;
    SY_TRY(sy_client_put_record(store, label, &record, err));
    return sy_client_forget_progress(store, err);
}

/* --- nonces ---------------------------------------------------------------------------------- */

sy_status sy_client_next_nonce(sy_client_store *store, uint64_t *nonce,
                               const struct sy_public_key *key, struct sy_error *err)
{
    struct sy_slice value;
    sy_status status = sy_client_row_get(store, &value, SY_TREE_NONCES,
                                         sy_slice_of(key->bytes, sizeof key->bytes), err);
    *nonce = 1;
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    if (value.size != 8) return sy_client_row_corrupt("a nonce", err);
    *nonce = sy_load_u64(value.data);
    return SY_OK;
}

sy_status sy_client_set_next_nonce(sy_client_store *store, const struct sy_public_key *key,
                                   uint64_t nonce, struct sy_error *err)
{
    uint8_t bytes[8];
    sy_store_u64(bytes, nonce);
    return sy_client_db_put(store->db, SY_TREE_NONCES, sy_slice_of(key->bytes, sizeof key->bytes),
                            sy_slice_of(bytes, 8), err);
}

/* --- transactions ---------------------------------------------------------------------------- */

void sy_client_made_write(struct sy_writer *w, const struct sy_client_made *made)
{
    sy_write_u16(w, made->type);
    sy_write_hash(w, &made->label);
    sy_write_u32(w, made->version);
}

void sy_client_made_at(struct sy_client_made *out, const struct sy_client_queued *queued,
                       uint32_t index)
{
    SY_ASSERT(index < queued->made_count);
    struct sy_reader r = sy_reader_of(
        sy_slice_of(queued->made.data + index * SY_CLIENT_MADE_BYTES, SY_CLIENT_MADE_BYTES));
    out->type = sy_read_u16(&r, "type");
    sy_read_hash(&r, &out->label, "label");
    out->version = sy_read_u32(&r, "version");
}

uint64_t sy_client_next_seq(sy_client_store *store)
{
    return store->next_seq++;
}

sy_status sy_client_put_queued(sy_client_store *store, const struct sy_client_queued *queued,
                               struct sy_error *err)
{
    uint8_t key[8];
    struct sy_writer w = sy_client_row_writer(store);
    sy_store_u64_be(key, queued->seq);
    sy_write_u64(&w, queued->run);
    sy_write_u16(&w, queued->kind);
    sy_write_hash(&w, &queued->tx_id);
    sy_write_public_key(&w, &queued->signer);
    sy_write_bytes16(&w, queued->names);
    sy_write_u64(&w, queued->nonce);
    sy_write_i64(&w, queued->valid_until_ms);
    sy_write_u8(&w, queued->has_thing);
    sy_write_hash(&w, &queued->thing);
    sy_write_hash(&w, &queued->key_name);
    sy_write_bytes16(&w, name_slice(queued->place));
    sy_write_u32(&w, queued->made_count);
    sy_write_raw(&w, queued->made.data, queued->made.size);
    sy_write_u32(&w, queued->after_count);
    sy_write_raw(&w, queued->after.data, queued->after.size);
    sy_write_bytes32(&w, queued->tx);
    return sy_client_row_put(store, SY_TREE_QUEUE, sy_slice_of(key, 8), &w, err);
}

static sy_status decode_queued(struct sy_client_queued *out, struct sy_slice key,
                               struct sy_slice value, struct sy_error *err)
{
    struct sy_reader r = sy_reader_of(value);
    memset(out, 0, sizeof *out);
    out->seq = key.size == 8 ? sy_load_u64_be(key.data) : 0;
    out->run = sy_read_u64(&r, "run");
    out->kind = sy_read_u16(&r, "kind");
    sy_read_hash(&r, &out->tx_id, "id");
    sy_read_public_key(&r, &out->signer, "signer");
    out->names = sy_read_bytes16(&r, 32 * SY_TX_SIGNERS_MAX, "names");
    out->nonce = sy_read_u64(&r, "nonce");
    out->valid_until_ms = sy_read_i64(&r, "valid until");
    out->has_thing = sy_read_bool(&r, "has thing");
    sy_read_hash(&r, &out->thing, "thing");
    sy_read_hash(&r, &out->key_name, "key name");
    struct sy_slice place = sy_read_bytes16(&r, SY_CLIENT_PLACE_BYTES_MAX, "place");
    if (place.size != 0) memcpy(out->place, place.data, place.size);
    out->made_count = sy_read_count(&r, UINT32_MAX, SY_CLIENT_MADE_BYTES, "made");
    out->made = sy_read_raw(&r, (size_t)out->made_count * SY_CLIENT_MADE_BYTES, "made");
    out->after_count = sy_read_count(&r, UINT32_MAX, 8, "after");
    out->after = sy_read_raw(&r, (size_t)out->after_count * 8, "after");
    out->tx = sy_read_bytes32(&r, UINT32_MAX, "tx");
    return sy_reader_done(&r) && out->seq != 0 ? SY_OK
                                               : sy_client_row_corrupt("a transaction", err);
}

sy_status sy_client_get_queued(sy_client_store *store, struct sy_client_queued *out, uint64_t seq,
                               struct sy_error *err)
{
    uint8_t key[8];
    struct sy_slice value;
    sy_store_u64_be(key, seq);
    SY_TRY(sy_client_db_get(store->db, &value, SY_TREE_QUEUE, sy_slice_of(key, 8), err));
    return decode_queued(out, sy_slice_of(key, 8), value, err);
}

sy_status sy_client_queued_from(sy_client_store *store, struct sy_client_queued *out, uint64_t seq,
                                struct sy_error *err)
{
    uint8_t from[8];
    struct sy_slice key;
    struct sy_slice value;
    sy_store_u64_be(from, seq);
    SY_TRY(sy_client_db_seek(store->db, &key, &value, SY_TREE_QUEUE, sy_slice_of(from, 8), err));
    return decode_queued(out, key, value, err);
}

sy_status sy_client_put_done(sy_client_store *store, const struct sy_client_done *done,
                             struct sy_error *err)
{
    uint8_t key[8];
    struct sy_writer w = sy_client_row_writer(store);
    sy_store_u64_be(key, done->seq);
    sy_write_hash(&w, &done->tx_id);
    sy_write_u64(&w, done->height);
    sy_write_u16(&w, done->code);
    sy_write_bytes32(&w, done->proof);
    if (w.failed) return sy_fail(err, SY_ERR_LIMIT, "a receipt proof is larger than any can be");
    SY_TRY(sy_client_db_remove(store->db, SY_TREE_QUEUE, sy_slice_of(key, 8), err));
    return sy_client_row_put(store, SY_TREE_DONE, sy_slice_of(key, 8), &w, err);
}

sy_status sy_client_done_from(sy_client_store *store, struct sy_client_done *out, uint64_t seq,
                              struct sy_error *err)
{
    uint8_t from[8];
    struct sy_slice key;
    struct sy_slice value;
    sy_store_u64_be(from, seq);
    SY_TRY(sy_client_db_seek(store->db, &key, &value, SY_TREE_DONE, sy_slice_of(from, 8), err));
    struct sy_reader r = sy_reader_of(value);
    out->seq = key.size == 8 ? sy_load_u64_be(key.data) : 0;
    sy_read_hash(&r, &out->tx_id, "id");
    out->height = sy_read_u64(&r, "height");
    out->code = sy_read_u16(&r, "code");
    out->proof = sy_read_bytes32(&r, UINT32_MAX, "proof");
    return sy_reader_done(&r) && out->seq != 0
               ? SY_OK
               : sy_client_row_corrupt("a decided transaction", err);
}

sy_status sy_client_put_header(sy_client_store *store, const struct sy_header *header,
                               struct sy_slice certificate, struct sy_error *err)
{
    uint8_t key[8];
    struct sy_slice value;
    sy_store_u64_be(key, header->height);
    sy_status status =
        sy_client_db_get(store->db, &value, SY_TREE_HEADERS, sy_slice_of(key, 8), err);
    if (status != SY_ERR_NOT_FOUND) return status;
    struct sy_writer w = sy_client_row_writer(store);
    sy_header_encode(&w, header);
    sy_write_bytes32(&w, certificate);
    if (w.failed) return sy_fail(err, SY_ERR_LIMIT, "a certificate is larger than any can be");
    return sy_client_row_put(store, SY_TREE_HEADERS, sy_slice_of(key, 8), &w, err);
}

sy_status sy_client_get_header(sy_client_store *store, struct sy_header *header,
                               struct sy_slice *certificate, uint64_t height, struct sy_error *err)
{
    uint8_t key[8];
    struct sy_slice value;
    sy_store_u64_be(key, height);
    SY_TRY(sy_client_db_get(store->db, &value, SY_TREE_HEADERS, sy_slice_of(key, 8), err));
    struct sy_reader r = sy_reader_of(value);
    bool fine = sy_header_decode(&r, header);
    *certificate = sy_read_bytes32(&r, UINT32_MAX, "certificate");
    return fine && sy_reader_done(&r) ? SY_OK : sy_client_row_corrupt("a header", err);
}

/* Heights end at SY_SLOT_MAX. */
static void handover_key(uint8_t key[8], uint32_t epoch)
{
    sy_store_u64_be(key, (uint64_t)SY_SLOT_MAX + 1 + epoch);
}

sy_status sy_client_put_handover(sy_client_store *store, uint32_t epoch, struct sy_slice handover,
                                 struct sy_error *err)
{
    uint8_t key[8];
    handover_key(key, epoch);
    struct sy_writer w = sy_client_row_writer(store);
    sy_write_raw(&w, handover.data, handover.size);
    return sy_client_row_put(store, SY_TREE_HEADERS, sy_slice_of(key, 8), &w, err);
}

sy_status sy_client_get_handover(sy_client_store *store, struct sy_slice *handover, uint32_t epoch,
                                 struct sy_error *err)
{
    uint8_t key[8];
    handover_key(key, epoch);
    return sy_client_db_get(store->db, handover, SY_TREE_HEADERS, sy_slice_of(key, 8), err);
}

/* --- inputs and runs ------------------------------------------------------------------------- */

sy_status sy_client_get_cursor(sy_client_store *store, struct sy_client_cursor *out,
                               const struct sy_hash *input, struct sy_error *err)
{
    struct sy_slice value;
    memset(out, 0, sizeof *out);
    out->next_line = 1;
    sy_status status =
        sy_client_db_get(store->db, &value, SY_TREE_CURSORS, sy_hash_slice(input), err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    struct sy_reader r = sy_reader_of(value);
    out->finished = sy_read_bool(&r, "finished");
    out->next_offset = sy_read_u64(&r, "offset");
    out->next_line = sy_read_u64(&r, "line");
    out->entries_done = sy_read_u32(&r, "entries");
    out->last_offset = sy_read_u64(&r, "last offset");
    out->last_size = sy_read_u64(&r, "last size");
    sy_read_hash(&r, &out->last_digest, "last digest");
    return sy_reader_done(&r) ? SY_OK : sy_client_row_corrupt("a cursor", err);
}

sy_status sy_client_put_cursor(sy_client_store *store, const struct sy_hash *input,
                               const struct sy_client_cursor *cursor, struct sy_error *err)
{
    struct sy_writer w = sy_client_row_writer(store);
    sy_write_u8(&w, cursor->finished);
    sy_write_u64(&w, cursor->next_offset);
    sy_write_u64(&w, cursor->next_line);
    sy_write_u32(&w, cursor->entries_done);
    sy_write_u64(&w, cursor->last_offset);
    sy_write_u64(&w, cursor->last_size);
    sy_write_hash(&w, &cursor->last_digest);
    return sy_client_row_put(store, SY_TREE_CURSORS, sy_hash_slice(input), &w, err);
}

static void deferred_key(uint8_t key[40], const struct sy_hash *input, uint64_t offset)
{
    memcpy(key, input->bytes, 32);
    sy_store_u64_be(key + 32, offset);
}

sy_status sy_client_put_deferred(sy_client_store *store, const struct sy_hash *input,
                                 const struct sy_client_deferred *deferred, struct sy_error *err)
{
    uint8_t key[40];
    struct sy_writer w = sy_client_row_writer(store);
    deferred_key(key, input, deferred->offset);
    sy_write_u64(&w, deferred->size);
    sy_write_u64(&w, deferred->line);
    sy_write_u64(&w, deferred->handle);
    sy_write_u32(&w, deferred->entries_done);
    sy_write_u8(&w, deferred->in_stream);
    return sy_client_row_put(store, SY_TREE_DEFERRED, sy_slice_of(key, sizeof key), &w, err);
}

sy_status sy_client_deferred_from(sy_client_store *store, struct sy_client_deferred *out,
                                  const struct sy_hash *input, uint64_t offset,
                                  struct sy_error *err)
{
    uint8_t from[40];
    struct sy_slice key;
    struct sy_slice value;
    deferred_key(from, input, offset);
    SY_TRY(sy_client_db_seek(store->db, &key, &value, SY_TREE_DEFERRED,
                             sy_slice_of(from, sizeof from), err));
    if (key.size != 40 || memcmp(key.data, input->bytes, 32) != 0) return SY_ERR_NOT_FOUND;
    struct sy_reader r = sy_reader_of(value);
    out->offset = sy_load_u64_be(key.data + 32);
    out->size = sy_read_u64(&r, "size");
    out->line = sy_read_u64(&r, "line");
    out->handle = sy_read_u64(&r, "handle");
    out->entries_done = sy_read_u32(&r, "entries");
    out->in_stream = sy_read_bool(&r, "in stream");
    return sy_reader_done(&r) ? SY_OK : sy_client_row_corrupt("a deferred document", err);
}

sy_status sy_client_drop_deferred(sy_client_store *store, const struct sy_hash *input,
                                  uint64_t offset, struct sy_error *err)
{
    uint8_t key[40];
    deferred_key(key, input, offset);
    return sy_client_db_remove(store->db, SY_TREE_DEFERRED, sy_slice_of(key, sizeof key), err);
}

sy_status sy_client_get_run(sy_client_store *store, struct sy_slice *out, struct sy_error *err)
{
    return sy_client_db_get(store->db, out, SY_TREE_META, name_slice("run"), err);
}

sy_status sy_client_put_run(sy_client_store *store, struct sy_slice packed, struct sy_error *err)
{
    return sy_client_db_put(store->db, SY_TREE_META, name_slice("run"), packed, err);
}

sy_status sy_client_forget_progress(sy_client_store *store, struct sy_error *err)
{
    SY_TRY(sy_client_db_clear(store->db, SY_TREE_CURSORS, err));
    return sy_client_db_clear(store->db, SY_TREE_DEFERRED, err);
}
