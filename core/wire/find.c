#include "core/wire/find.h"

enum { FLAG_ORGANISATION = 1, FLAG_NAME = 2, FLAG_BEHIND = 4 };

void sy_find_encode(struct sy_writer *w, const struct sy_find *find)
{
    unsigned flags = (find->has_organisation ? FLAG_ORGANISATION : 0u) |
                     (find->has_name ? FLAG_NAME : 0u) | (find->has_behind ? FLAG_BEHIND : 0u);
    sy_write_u8(w, find->what);
    sy_write_u8(w, find->active);
    sy_write_u8(w, find->digits);
    sy_write_hash(w, &find->prefix);
    sy_write_u8(w, (uint8_t)flags);
    sy_write_u16(w, find->org_kind);
    sy_write_u16(w, find->role);
    sy_write_bytes16(w, find->specialty);
    if (find->has_organisation) sy_write_hash(w, &find->organisation);
    if (find->has_name) sy_write_hash(w, &find->name_hash);
    if (find->has_behind) sy_write_hash(w, &find->behind);
    sy_write_u16(w, find->max);
}

/* Nothing stands behind the digits that count. */
static bool is_plain_prefix(const struct sy_find *find)
{
    for (unsigned i = find->digits; i < 64; i++) {
        unsigned byte = find->prefix.bytes[i / 2];
        if ((byte >> (i % 2 == 0 ? 4 : 0) & 15u) != 0) return false;
    }
    return true;
}

/* Each filter is one of what is searched for. */
static bool makes_sense(const struct sy_find *find)
{
    bool org = find->what == SY_STATE_ORG, dataset = find->what == SY_STATE_DATASET;
    if (!org && !dataset && find->what != SY_STATE_CREDENTIAL) return false;
    if (find->active > SY_FIND_INACTIVE || find->digits > 64 || !is_plain_prefix(find)) {
        return false;
    }
    if (find->max < 1 || find->max > SY_FIND_MAX) return false;
    bool of_credentials = find->role != 0 || find->specialty.size > 0 || find->has_organisation;
    bool of_orgs = find->org_kind != 0 || find->has_name;
    return !(of_credentials && (org || dataset)) && !(of_orgs && !org);
}

bool sy_find_decode(struct sy_find *find, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *find = (struct sy_find){.what = sy_read_u8(&r, "what")};
    find->active = sy_read_u8(&r, "active");
    find->digits = sy_read_u8(&r, "digits");
    sy_read_hash(&r, &find->prefix, "prefix");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > (FLAG_ORGANISATION | FLAG_NAME | FLAG_BEHIND)) sy_reader_fail(&r, "flags");
    find->has_organisation = (flags & FLAG_ORGANISATION) != 0;
    find->has_name = (flags & FLAG_NAME) != 0;
    find->has_behind = (flags & FLAG_BEHIND) != 0;
    find->org_kind = sy_read_u16(&r, "kind");
    find->role = sy_read_u16(&r, "role");
    find->specialty = sy_read_bytes16(&r, SY_CODE_BYTES_MAX, "specialty");
    if (find->has_organisation) sy_read_hash(&r, &find->organisation, "organisation");
    if (find->has_name) sy_read_hash(&r, &find->name_hash, "name");
    if (find->has_behind) sy_read_hash(&r, &find->behind, "behind");
    find->max = sy_read_u16(&r, "max");
    return sy_reader_done(&r) && makes_sense(find);
}

bool sy_find_begins_with(const struct sy_hash *id, const struct sy_hash *prefix, uint8_t digits)
{
    size_t whole = digits / 2;
    if (whole > 0 && memcmp(id->bytes, prefix->bytes, whole) != 0) return false;
    return digits % 2 == 0 || id->bytes[whole] >> 4 == prefix->bytes[whole] >> 4;
}

static bool fits_active(const struct sy_find *find, bool active)
{
    return find->active == SY_FIND_ANY || active == (find->active == SY_FIND_ACTIVE);
}

bool sy_find_org(const struct sy_find *find, const struct sy_org *org)
{
    if (find->org_kind != 0 && find->org_kind != org->kind) return false;
    if (find->has_name && !sy_hash_equal(&find->name_hash, &org->name_hash)) return false;
    return fits_active(find, !org->suspended);
}

bool sy_find_credential(const struct sy_find *find, const struct sy_credential *credential,
                        bool suspended, int64_t time_ms)
{
    if (find->role != 0 && find->role != credential->role) return false;
    if (find->has_organisation && !sy_hash_equal(&find->organisation, &credential->holder)) {
        return false;
    }
    struct sy_slice wanted = find->specialty, specialty = credential->specialty;
    bool same = wanted.size == specialty.size &&
                (wanted.size == 0 || memcmp(wanted.data, specialty.data, wanted.size) == 0);
    if (wanted.size > 0 && !same) return false;
    // Keys that sign no transactions have no window: they count while they are not revoked.
    bool valid = credential->use == SY_KEY_TX ? sy_credential_valid(credential, time_ms)
                                              : !credential->revoked;
    return fits_active(find, valid && !suspended);
}

bool sy_find_dataset(const struct sy_find *find, bool withdrawn)
{
    return fits_active(find, !withdrawn);
}

void sy_found_encode(struct sy_writer *w, const struct sy_found *found)
{
    sy_write_u64(w, found->next);
    sy_write_u64(w, found->from);
    sy_write_u8(w, found->more ? 1 : 0);
    if (found->more) sy_write_hash(w, &found->last);
    sy_write_u16(w, found->count);
    for (unsigned i = 0; i < found->count; i++) sy_write_hash(w, &found->ids[i]);
}

bool sy_found_decode(struct sy_reader *r, struct sy_found *found)
{
    memset(found, 0, sizeof *found);
    found->next = sy_read_u64(r, "next");
    found->from = sy_read_u64(r, "from");
    found->more = sy_read_bool(r, "more");
    if (found->more) sy_read_hash(r, &found->last, "last");
    found->count = sy_read_count16(r, SY_FIND_MAX, 32, "count");
    for (unsigned i = 0; i < found->count; i++) {
        sy_read_hash(r, &found->ids[i], "id");
        // In order, so no entry is told twice.
        bool rises = i == 0 || memcmp(found->ids[i - 1].bytes, found->ids[i].bytes, 32) < 0;
        if (!rises) sy_reader_fail(r, "id");
    }
    return sy_reader_done(r);
}
