/* client_store_things.c: rows of organisations, practitioners, patients, care relations, aliases,
 * places and records, and the commitment to content. A row begins with a byte that says what it is.
 */
#include "core/base/assert.h"
#include "core/client/client_store_internal.h"
#include "core/crypto/hash.h"
#include "core/wire/schema.h"

enum row_tag {
    ROW_ORG = 1,
    ROW_PRACTITIONER,
    ROW_AFFILIATION,
    ROW_PATIENT,
    ROW_CARE,
    ROW_ALIAS,
    ROW_RECORD,
    ROW_PLACE
};

static sy_status get_thing(sy_client_store *store, struct sy_reader *r, const struct sy_hash *label,
                           enum row_tag tag, struct sy_error *err)
{
    struct sy_slice value;
    SY_TRY(sy_client_row_get(store, &value, SY_TREE_THINGS, sy_hash_slice(label), err));
    *r = sy_reader_of(value);
    if (sy_read_u8(r, "tag") != tag) return sy_client_row_corrupt("a thing", err);
    return SY_OK;
}

static sy_status finish_thing(struct sy_reader *r, struct sy_error *err)
{
    return sy_reader_done(r) ? SY_OK : sy_client_row_corrupt("a thing", err);
}

static struct sy_writer begin_thing(sy_client_store *store, enum row_tag tag)
{
    struct sy_writer w = sy_client_row_writer(store);
    sy_write_u8(&w, (uint8_t)tag);
    return w;
}

static sy_status put_thing(sy_client_store *store, const struct sy_hash *label,
                           const struct sy_writer *w, struct sy_error *err)
{
    return sy_client_row_put(store, SY_TREE_THINGS, sy_hash_slice(label), w, err);
}

sy_status sy_client_drop_thing(sy_client_store *store, const struct sy_hash *label,
                               struct sy_error *err)
{
    return sy_client_db_remove(store->db, SY_TREE_THINGS, sy_hash_slice(label), err);
}

/* --- who is who ------------------------------------------------------------------------------ */

sy_status sy_client_get_org(sy_client_store *store, struct sy_client_org *out,
                            const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_ORG, err));
    sy_read_hash(&r, &out->id, "id");
    out->kind = sy_read_u16(&r, "kind");
    sy_read_public_key(&r, &out->admin_key, "admin key");
    sy_read_public_key(&r, &out->gateway_key, "gateway key");
    out->seq = sy_read_u64(&r, "seq");
    out->gateway_seq = sy_read_u64(&r, "gateway seq");
    return finish_thing(&r, err);
}

sy_status sy_client_put_org(sy_client_store *store, const struct sy_hash *label,
                            const struct sy_client_org *org, struct sy_error *err)
{
    struct sy_writer w = begin_thing(store, ROW_ORG);
    sy_write_hash(&w, &org->id);
    sy_write_u16(&w, org->kind);
    sy_write_public_key(&w, &org->admin_key);
    sy_write_public_key(&w, &org->gateway_key);
    sy_write_u64(&w, org->seq);
    sy_write_u64(&w, org->gateway_seq);
    return put_thing(store, label, &w, err);
}

sy_status sy_client_get_practitioner(sy_client_store *store, struct sy_client_practitioner *out,
                                     const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_PRACTITIONER, err));
    sy_read_hash(&r, &out->org_label, "organisation");
    out->role = sy_read_u8(&r, "role");
    return finish_thing(&r, err);
}

sy_status sy_client_put_practitioner(sy_client_store *store, const struct sy_hash *label,
                                     const struct sy_client_practitioner *practitioner,
                                     struct sy_error *err)
{
    struct sy_writer w = begin_thing(store, ROW_PRACTITIONER);
    sy_write_hash(&w, &practitioner->org_label);
    sy_write_u8(&w, practitioner->role);
    return put_thing(store, label, &w, err);
}

sy_status sy_client_get_affiliation(sy_client_store *store, struct sy_client_affiliation *out,
                                    const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_AFFILIATION, err));
    sy_read_hash(&r, &out->name, "name");
    sy_read_public_key(&r, &out->key, "key");
    out->role = sy_read_u8(&r, "role");
    out->seq = sy_read_u64(&r, "seq");
    return finish_thing(&r, err);
}

sy_status sy_client_put_affiliation(sy_client_store *store, const struct sy_hash *label,
                                    const struct sy_client_affiliation *affiliation,
                                    struct sy_error *err)
{
    struct sy_writer w = begin_thing(store, ROW_AFFILIATION);
    sy_write_hash(&w, &affiliation->name);
    sy_write_public_key(&w, &affiliation->key);
    sy_write_u8(&w, affiliation->role);
    sy_write_u64(&w, affiliation->seq);
    return put_thing(store, label, &w, err);
}

sy_status sy_client_get_patient(sy_client_store *store, struct sy_client_patient *out,
                                const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_PATIENT, err));
    sy_read_hash(&r, &out->id, "id");
    sy_read_hash(&r, &out->org_label, "organisation");
    out->seq = sy_read_u64(&r, "seq");
    return finish_thing(&r, err);
}

sy_status sy_client_put_patient(sy_client_store *store, const struct sy_hash *label,
                                const struct sy_client_patient *patient, struct sy_error *err)
{
    struct sy_writer w = begin_thing(store, ROW_PATIENT);
    sy_write_hash(&w, &patient->id);
    sy_write_hash(&w, &patient->org_label);
    sy_write_u64(&w, patient->seq);
    return put_thing(store, label, &w, err);
}

sy_status sy_client_get_care(sy_client_store *store, struct sy_client_care *out,
                             const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_CARE, err));
    sy_read_hash(&r, &out->id, "id");
    out->seq = sy_read_u64(&r, "seq");
    return finish_thing(&r, err);
}

sy_status sy_client_put_care(sy_client_store *store, const struct sy_hash *label,
                             const struct sy_client_care *care, struct sy_error *err)
{
    struct sy_writer w = begin_thing(store, ROW_CARE);
    sy_write_hash(&w, &care->id);
    sy_write_u64(&w, care->seq);
    return put_thing(store, label, &w, err);
}

sy_status sy_client_get_alias(sy_client_store *store, struct sy_client_alias *out,
                              const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_ALIAS, err));
    sy_read_hash(&r, &out->label, "label");
    return finish_thing(&r, err);
}

sy_status sy_client_put_alias(sy_client_store *store, const struct sy_hash *label,
                              const struct sy_client_alias *alias, struct sy_error *err)
{
    struct sy_writer w = begin_thing(store, ROW_ALIAS);
    sy_write_hash(&w, &alias->label);
    return put_thing(store, label, &w, err);
}

sy_status sy_client_get_place(sy_client_store *store, struct sy_client_place *out,
                              const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_PLACE, err));
    sy_read_hash(&r, &out->label, "label");
    out->number = sy_read_u32(&r, "number");
    out->base = sy_read_u32(&r, "base");
    out->branch = sy_read_bool(&r, "branch");
    if (out->number == 0 || out->base >= out->number) sy_reader_fail(&r, "number");
    return finish_thing(&r, err);
}

sy_status sy_client_put_place(sy_client_store *store, const struct sy_hash *label,
                              const struct sy_client_place *place, struct sy_error *err)
{
    SY_ASSERT(place->number > place->base);
    struct sy_writer w = begin_thing(store, ROW_PLACE);
    sy_write_hash(&w, &place->label);
    sy_write_u32(&w, place->number);
    sy_write_u32(&w, place->base);
    sy_write_u8(&w, place->branch);
    return put_thing(store, label, &w, err);
}

/* --- records --------------------------------------------------------------------------------- */

static void write_version(struct sy_writer *w, const struct sy_client_version *version)
{
    sy_write_u32(w, version->version);
    sy_write_u64(w, version->place);
    sy_write_hash(w, &version->commit);
    sy_write_u64(w, version->size);
    sy_write_u64(w, version->seq);
}

static void read_version(struct sy_reader *r, struct sy_client_version *out)
{
    out->version = sy_read_u32(r, "version");
    out->place = sy_read_u64(r, "place");
    sy_read_hash(r, &out->commit, "commit");
    out->size = sy_read_u64(r, "size");
    out->seq = sy_read_u64(r, "seq");
}

static void version_key(uint8_t key[36], const struct sy_hash *label, uint32_t version)
{
    memcpy(key, label->bytes, 32);
    for (int i = 0; i < 4; i++) key[32 + i] = (uint8_t)(version >> (24 - 8 * i));
}

sy_status sy_client_get_record(sy_client_store *store, struct sy_client_record *out,
                               const struct sy_hash *label, struct sy_error *err)
{
    struct sy_reader r;
    SY_TRY(get_thing(store, &r, label, ROW_RECORD, err));
    memset(out, 0, sizeof *out);
    sy_read_hash(&r, &out->id, "id");
    struct sy_slice type = sy_read_bytes16(&r, sizeof out->type - 1, "type");
    if (type.size != 0) memcpy(out->type, type.data, type.size);
    out->subject_kind = sy_read_u8(&r, "subject kind");
    sy_read_hash(&r, &out->subject, "subject");
    sy_read_hash(&r, &out->org_label, "organisation");
    sy_read_hash(&r, &out->author_label, "author");
    sy_read_hash(&r, &out->patient_label, "patient");
    out->erased = sy_read_bool(&r, "erased");
    read_version(&r, &out->head);
    SY_TRY(finish_thing(&r, err));
    return sy_client_salt_read(store, &out->head, err);
}

/* Writes the row as it is. */
static sy_status put_record_row(sy_client_store *store, const struct sy_hash *label,
                                const struct sy_client_record *record, struct sy_error *err)
{
    struct sy_writer w = begin_thing(store, ROW_RECORD);
    sy_write_hash(&w, &record->id);
    sy_write_bytes16(&w, sy_slice_of(record->type, strlen(record->type)));
    sy_write_u8(&w, record->subject_kind);
    sy_write_hash(&w, &record->subject);
    sy_write_hash(&w, &record->org_label);
    sy_write_hash(&w, &record->author_label);
    sy_write_hash(&w, &record->patient_label);
    sy_write_u8(&w, record->erased);
    write_version(&w, &record->head);
    return put_thing(store, label, &w, err);
}

sy_status sy_client_put_record(sy_client_store *store, const struct sy_hash *label,
                               const struct sy_client_record *record, struct sy_error *err)
{
    struct sy_client_record kept = *record;
    if (kept.head.place == 0 && !sy_hash_is_zero(&kept.head.salt)) {
        SY_TRY(sy_client_salt_keep(store, &kept.head, err));
    }
    return put_record_row(store, label, &kept, err);
}

sy_status sy_client_add_version(sy_client_store *store, const struct sy_hash *label,
                                struct sy_client_record *record,
                                const struct sy_client_version *version, struct sy_error *err)
{
    uint8_t key[36];
    struct sy_client_record stored;
    struct sy_client_version fresh = *version;
    // The head's place is the store's to know: the caller may have made the record itself.
    SY_TRY(sy_client_get_record(store, &stored, label, err));
    struct sy_writer w = sy_client_row_writer(store);
    version_key(key, label, stored.head.version);
    write_version(&w, &stored.head);
    SY_TRY(sy_client_row_put(store, SY_TREE_VERSIONS, sy_slice_of(key, 36), &w, err));
    SY_TRY(sy_client_salt_keep(store, &fresh, err));
    record->head = fresh;
    return put_record_row(store, label, record, err);
}

sy_status sy_client_get_version(sy_client_store *store, struct sy_client_version *out,
                                const struct sy_hash *label, const struct sy_client_record *record,
                                uint32_t version, struct sy_error *err)
{
    if (version == record->head.version) {
        *out = record->head;
        return SY_OK;
    }
    uint8_t key[36];
    struct sy_slice value;
    version_key(key, label, version);
    SY_TRY(sy_client_row_get(store, &value, SY_TREE_VERSIONS, sy_slice_of(key, 36), err));
    struct sy_reader r = sy_reader_of(value);
    read_version(&r, out);
    if (!sy_reader_done(&r)) return sy_client_row_corrupt("a version", err);
    return sy_client_salt_read(store, out, err);
}

sy_status sy_client_find_version(sy_client_store *store, uint32_t *version,
                                 const struct sy_hash *label, const struct sy_client_record *record,
                                 struct sy_slice bytes, struct sy_error *err)
{
    struct sy_client_version known;
    *version = 0;
    for (uint32_t number = record->head.version; number >= 1 && *version == 0; number--) {
        struct sy_hash commit;
        SY_TRY(sy_client_get_version(store, &known, label, record, number, err));
        if (known.size != bytes.size || sy_hash_is_zero(&known.salt)) continue;
        sy_content_commit(&commit, SY_FORM_RAW, &known.salt, bytes);
        if (sy_hash_equal(&commit, &known.commit)) *version = number;
    }
    return SY_OK;
}

sy_status sy_client_find_label(sy_client_store *store, struct sy_hash *label,
                               const struct sy_hash *record_id, struct sy_error *err)
{
    uint8_t from[33] = {0};
    size_t size = 0;
    struct sy_slice key, value;
    for (;;) {
        SY_TRY(sy_client_db_seek(store->db, &key, &value, SY_TREE_THINGS, sy_slice_of(from, size),
                                 err));
        if (key.size != sizeof label->bytes) return sy_client_row_corrupt("a thing", err);
        memcpy(label->bytes, key.data, key.size);
        bool named = value.size > 33 && value.data[0] == ROW_RECORD &&
                     memcmp(value.data + 1, record_id->bytes, 32) == 0;
        if (named) return SY_OK;
        memcpy(from, label->bytes, 32); // the next key is the first behind this one
        size = sizeof from;
    }
}

sy_status sy_client_drop_versions(sy_client_store *store, const struct sy_hash *label,
                                  uint32_t version, struct sy_error *err)
{
    struct sy_client_record record;
    sy_status status = sy_client_get_record(store, &record, label, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    if (record.head.version < version) return SY_OK;
    uint8_t key[36];
    while (record.head.version >= version && record.head.version > 1) {
        struct sy_client_version older;
        SY_TRY(sy_client_salt_drop(store, &record.head, err));
        SY_TRY(sy_client_get_version(store, &older, label, &record, record.head.version - 1, err));
        version_key(key, label, older.version);
        SY_TRY(sy_client_db_remove(store->db, SY_TREE_VERSIONS, sy_slice_of(key, 36), err));
        record.head = older;
    }
    if (version > 1) return put_record_row(store, label, &record, err);
    SY_TRY(sy_client_salt_drop(store, &record.head, err));
    return sy_client_drop_thing(store, label, err);
}

/* --- content --------------------------------------------------------------------------------- */

void sy_content_commit(struct sy_hash *out, uint8_t form, const struct sy_hash *salt,
                       struct sy_slice bytes)
{
    static const char domain[] = "systole-commit-v1";
    uint8_t length[8];
    sy_store_u64(length, bytes.size);
    sy_sha256_init();
    sy_sha256_update(domain, sizeof domain - 1);
    sy_sha256_update(&form, 1);
    sy_sha256_update(salt->bytes, sizeof salt->bytes);
    sy_sha256_update(length, sizeof length);
    sy_sha256_update(bytes.data, bytes.size);
    sy_sha256_final(out);
}

uint64_t sy_content_size_rounded(uint64_t size)
{
    if (size <= 256) return 256;
    uint64_t step = 32;
    while (step * 16 <= size) step *= 2;
    return (size + step - 1) / step * step;
}
