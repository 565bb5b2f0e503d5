#include "consensus/node/directory.h"

#include <stdlib.h>

#include "consensus/node/follower.h"
#include "core/base/assert.h"
#include "core/wire/receipt.h"
#include "core/wire/state_research.h"

#define BLOCKS_MAX 64u       /* in one transaction of the index, */
#define CANDIDATES_MANY 512u /* unless so many ids changed in fewer */
#define ROW_KEYS 4u
#define ROW_BYTES_MAX 96u
#define KEY_BYTES_MAX (1u + 32u + 32u)
#define VISITED_MAX 4096u /* rows, for one question */

_Static_assert(KEY_BYTES_MAX <= SY_DIRECTORY_KEY_BYTES_MAX, "keys fit");
_Static_assert(ROW_BYTES_MAX <= SY_DIRECTORY_VALUE_BYTES_MAX, "rows fit");
_Static_assert(SY_CODE_BYTES_MAX == 32, "a specialty is as long as an id");

/* ---- rows -------------------------------------------------------------------------------- */

/* What a row says is what is searched for; all else of the entry is left out.
 *
 *   organisation  u16 kind | u8 suspended | 32 name hash
 *   credential    u8 role | u8 revoked | i64 from | i64 until | 32 holder | bytes16 specialty
 *   data set      u8 withdrawn */
static bool read_org_row(struct sy_org *org, struct sy_slice row)
{
    struct sy_reader r = sy_reader_of(row);
    *org = (struct sy_org){.kind = sy_read_u16(&r, "kind")};
    org->suspended = sy_read_bool(&r, "suspended");
    sy_read_hash(&r, &org->name_hash, "name");
    return sy_reader_done(&r);
}

static bool read_credential_row(struct sy_credential *credential, struct sy_slice row)
{
    struct sy_reader r = sy_reader_of(row);
    *credential = (struct sy_credential){.use = SY_KEY_TX, .role = sy_read_u8(&r, "role")};
    credential->revoked = sy_read_bool(&r, "revoked");
    credential->not_before_ms = sy_read_i64(&r, "from");
    credential->not_after_ms = sy_read_i64(&r, "until");
    sy_read_hash(&r, &credential->holder, "holder");
    credential->specialty = sy_read_bytes16(&r, SY_CODE_BYTES_MAX, "specialty");
    return sy_reader_done(&r);
}

static bool read_dataset_row(bool *withdrawn, struct sy_slice row)
{
    struct sy_reader r = sy_reader_of(row);
    *withdrawn = sy_read_bool(&r, "withdrawn");
    return sy_reader_done(&r);
}

/* A key of a row: what it is sorted by, and the id behind it. */
struct row_key {
    uint8_t bytes[KEY_BYTES_MAX];
    size_t size;
};

static void begin_key(struct row_key *key, char how, const void *by, size_t by_size)
{
    SY_ASSERT(1 + by_size + 32 <= KEY_BYTES_MAX);
    key->bytes[0] = (uint8_t)how;
    if (by_size > 0) memcpy(key->bytes + 1, by, by_size);
    key->size = 1 + by_size;
}

static void end_key(struct row_key *key, const void *id, size_t size)
{
    SY_ASSERT(size <= 32 && key->size + size <= KEY_BYTES_MAX);
    memcpy(key->bytes + key->size, id, size);
    key->size += size;
}

static void begin_kind_key(struct row_key *key, uint16_t kind)
{
    const uint8_t big[2] = {(uint8_t)(kind >> 8), (uint8_t)kind};
    begin_key(key, 'k', big, sizeof big);
}

static void begin_specialty_key(struct row_key *key, struct sy_slice specialty)
{
    uint8_t padded[SY_CODE_BYTES_MAX] = {0};
    memcpy(padded, specialty.data, specialty.size);
    begin_key(key, 's', padded, sizeof padded);
}

/* ---- writing ----------------------------------------------------------------------------- */

struct candidate {
    enum sy_state_kind kind; /* organisation, credential or data set */
    struct sy_hash id;
};

/* One entry's. */
struct rows {
    struct row_key keys[ROW_KEYS];
    unsigned count;
    uint8_t row[ROW_BYTES_MAX];
};

struct sy_directory {
    sy_store *store;
    const struct sy_genesis *genesis;
    sy_store_reader *reader;
    sy_follower *follower;
    /* Who changed in the blocks under way, and room for the rows of each; as many as one block may
     * bring, which its size bounds. */
    struct candidate *candidates;
    size_t candidate_count, candidate_room;
    struct rows *rows;
    size_t rows_room;
    struct sy_directory_write *writes;
    size_t writes_room, write_count;
};

static struct row_key *next_key(struct rows *rows)
{
    SY_ASSERT(rows->count < ROW_KEYS);
    return &rows->keys[rows->count++];
}

static void put_org(struct rows *rows, struct sy_writer *w, const struct sy_hash *id,
                    const struct sy_org *org)
{
    sy_write_u16(w, org->kind);
    sy_write_u8(w, org->suspended ? 1 : 0);
    sy_write_hash(w, &org->name_hash);
    struct row_key *key = next_key(rows);
    begin_key(key, 'o', NULL, 0);
    end_key(key, id->bytes, 32);
    key = next_key(rows);
    begin_kind_key(key, org->kind);
    end_key(key, id->bytes, 32);
    key = next_key(rows);
    begin_key(key, 'n', org->name_hash.bytes, 32);
    end_key(key, id->bytes, 32);
}

static void put_credential(struct rows *rows, struct sy_writer *w, const struct sy_hash *id,
                           const struct sy_credential *credential)
{
    sy_write_u8(w, credential->role);
    sy_write_u8(w, credential->revoked ? 1 : 0);
    sy_write_i64(w, credential->not_before_ms);
    sy_write_i64(w, credential->not_after_ms);
    sy_write_hash(w, &credential->holder);
    sy_write_bytes16(w, credential->specialty);
    struct row_key *key = next_key(rows);
    begin_key(key, 'c', NULL, 0);
    end_key(key, id->bytes, 32);
    key = next_key(rows);
    begin_key(key, 'h', credential->holder.bytes, 32);
    end_key(key, id->bytes, 32);
    key = next_key(rows);
    begin_key(key, 'r', &credential->role, 1);
    end_key(key, id->bytes, 32);
    if (credential->specialty.size == 0) return;
    key = next_key(rows);
    begin_specialty_key(key, credential->specialty);
    end_key(key, id->bytes, 32);
}

static void put_dataset(struct rows *rows, struct sy_writer *w, const struct sy_hash *id,
                        const struct sy_dataset *dataset)
{
    sy_write_u8(w, dataset->withdrawn ? 1 : 0);
    struct row_key *key = next_key(rows);
    begin_key(key, 'd', NULL, 0);
    end_key(key, id->bytes, 32);
}

/* A credential that anybody may look for. A validator's keys stand in the roster. */
static bool is_listed(const struct sy_credential *credential)
{
    return credential->use == SY_KEY_TX && credential->role != SY_ROLE_PATIENT &&
           credential->role != SY_ROLE_GUARDIAN && credential->role != SY_ROLE_DEVICE;
}

/* The value that is found becomes rows. */
static bool put_rows(struct rows *rows, struct sy_writer *w, const struct candidate *candidate,
                     struct sy_slice value)
{
    struct sy_org org;
    struct sy_credential credential;
    struct sy_dataset dataset;
    switch (candidate->kind) {
    case SY_STATE_ORG:
        if (!sy_org_decode(&org, value)) return false;
        put_org(rows, w, &candidate->id, &org);
        return true;
    case SY_STATE_DATASET:
        if (!sy_dataset_decode(&dataset, value)) return false;
        put_dataset(rows, w, &candidate->id, &dataset);
        return true;
    default:
        if (!sy_credential_decode(&credential, value)) return false;
        if (is_listed(&credential)) put_credential(rows, w, &candidate->id, &credential);
        return true;
    }
}

/* The entry as it is now. */
static sy_status make_rows(struct sy_directory *directory, sy_state_view *view,
                           const struct candidate *candidate, struct rows *rows)
{
    struct sy_writer w = sy_writer_of(rows->row, sizeof rows->row);
    struct sy_hash place;
    struct sy_slice value;
    rows->count = 0;
    sy_state_key_id(&place, candidate->kind, &candidate->id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return SY_OK; // a key in an event need not be enrolled
    if (status != SY_OK) return status;
    if (!put_rows(rows, &w, candidate, value)) return SY_ERR_CORRUPT;
    SY_ASSERT(!w.failed);
    for (unsigned i = 0; i < rows->count; i++) {
        struct sy_directory_write *write = &directory->writes[directory->write_count++];
        write->key = sy_slice_of(rows->keys[i].bytes, rows->keys[i].size);
        write->value = sy_writer_slice(&w);
    }
    return SY_OK;
}

static bool grow(void **array, size_t *room, size_t needed, size_t item_bytes)
{
    if (needed <= *room) return true;
    void *moved = realloc(*array, 2 * needed * item_bytes);
    if (moved == NULL) return false;
    *array = moved;
    *room = 2 * needed;
    return true;
}

static sy_status make_all(struct sy_directory *directory)
{
    sy_state_view *view = NULL;
    size_t count = directory->candidate_count;
    directory->write_count = 0;
    if (count == 0) return SY_OK;
    if (!grow((void **)&directory->rows, &directory->rows_room, count, sizeof *directory->rows) ||
        !grow((void **)&directory->writes, &directory->writes_room, ROW_KEYS * count,
              sizeof *directory->writes)) {
        return SY_ERR_NO_MEMORY;
    }
    SY_TRY(sy_state_view_open(&view, directory->store));
    sy_status status = SY_OK;
    for (size_t i = 0; status == SY_OK && i < count; i++) {
        status = make_rows(directory, view, &directory->candidates[i], &directory->rows[i]);
    }
    sy_state_view_close(view);
    return status;
}

/* ---- who changed ------------------------------------------------------------------------- */

static sy_status add(struct sy_directory *directory, enum sy_state_kind kind, const void *id)
{
    if (!grow((void **)&directory->candidates, &directory->candidate_room,
              directory->candidate_count + 1, sizeof *directory->candidates)) {
        return SY_ERR_NO_MEMORY;
    }
    struct candidate *candidate = &directory->candidates[directory->candidate_count++];
    candidate->kind = kind;
    memcpy(candidate->id.bytes, id, sizeof candidate->id.bytes);
    return SY_OK;
}

/* An organisation's first admin is enrolled with it and has no event. */
static sy_status add_org(struct sy_directory *directory, const struct sy_hash *id)
{
    sy_state_view *view = NULL;
    struct sy_hash place;
    struct sy_slice value;
    struct sy_org org;
    SY_TRY(add(directory, SY_STATE_ORG, id));
    SY_TRY(sy_state_view_open(&view, directory->store));
    sy_state_key_id(&place, SY_STATE_ORG, id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_OK) {
        bool decoded = sy_org_decode(&org, value);
        status =
            decoded ? add(directory, SY_STATE_CREDENTIAL, org.admin_key.bytes) : SY_ERR_CORRUPT;
    }
    sy_state_view_close(view);
    return status;
}

static sy_status add_event(struct sy_directory *directory, const struct sy_event *event)
{
    bool about_key = event->subject_kind == SY_SUBJECT_KEY;
    switch (event->kind) {
    case SY_EVENT_ORG_ADDED: return add_org(directory, &event->subject);
    case SY_EVENT_ORG_SUSPENDED:
    case SY_EVENT_ORG_REINSTATED: return add(directory, SY_STATE_ORG, event->subject.bytes);
    case SY_EVENT_CRED_ISSUED:
    case SY_EVENT_CRED_REVOKED: return add(directory, SY_STATE_CREDENTIAL, event->subject.bytes);
    case SY_EVENT_KEY_ROTATED:
        if (!about_key) return SY_OK; // a patient's
        SY_TRY(add(directory, SY_STATE_CREDENTIAL, event->subject.bytes));
        return add(directory, SY_STATE_CREDENTIAL, event->object.bytes);
    case SY_EVENT_DATASET_PUBLISHED:
    case SY_EVENT_DATASET_WITHDRAWN: return add(directory, SY_STATE_DATASET, event->object.bytes);
    default: return SY_OK;
    }
}

static sy_status add_block(struct sy_directory *directory, uint64_t height)
{
    struct sy_slice packed;
    SY_TRY(sy_ledger_get(directory->reader, &packed, height, SY_BLOCK_RECEIPTS));
    struct sy_reader in = sy_reader_of(packed);
    uint32_t receipts = packed.size == 0 ? 0 : sy_read_u32(&in, "count");
    for (uint32_t i = 0; i < receipts && !in.failed; i++) {
        struct sy_reader one = sy_reader_of(sy_read_bytes32(&in, packed.size, "receipt"));
        struct sy_receipt receipt;
        struct sy_event event;
        size_t offset = 0;
        if (!sy_receipt_decode(&one, &receipt)) return SY_ERR_CORRUPT;
        while (sy_receipt_next_event(&receipt, &offset, &event)) {
            SY_TRY(add_event(directory, &event));
        }
    }
    return sy_reader_done(&in) ? SY_OK : SY_ERR_CORRUPT;
}

/* ---- following --------------------------------------------------------------------------- */

static uint64_t next(void *self)
{
    return sy_directory_next(((struct sy_directory *)self)->store);
}

static sy_status take(void *self, uint64_t height, uint64_t certified, struct sy_error *err)
{
    struct sy_directory *directory = (struct sy_directory *)self;
    uint64_t last = height;
    directory->candidate_count = 0;
    if (next(self) == 0) { // the genesis enrols without an event
        for (unsigned i = 0; i < directory->genesis->regulator_count; i++) {
            SY_TRY(add(directory, SY_STATE_CREDENTIAL, directory->genesis->regulators[i].bytes));
        }
    }
    SY_TRY(add_block(directory, height));
    while (last < certified && last - height + 1 < BLOCKS_MAX &&
           directory->candidate_count < CANDIDATES_MANY) {
        SY_TRY(add_block(directory, last + 1));
        last++;
    }
    SY_TRY(make_all(directory));
    return sy_directory_append(directory->store, height, last, directory->writes,
                               directory->write_count, err);
}

static sy_status open_parts(struct sy_directory *directory, struct sy_error *err)
{
    const struct sy_follower_config config = {directory->store, "directory", next, take, directory};
    SY_TRY(sy_store_reader_open(&directory->reader, directory->store));
    return sy_follower_open(&directory->follower, &config, err);
}

sy_status sy_directory_open(sy_directory **out, sy_store *store, const struct sy_genesis *genesis,
                            struct sy_error *err)
{
    struct sy_directory *directory = (struct sy_directory *)calloc(1, sizeof *directory);
    if (directory == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "directory: no memory");
    directory->store = store;
    directory->genesis = genesis;
    sy_status status = open_parts(directory, err);
    if (status == SY_OK) {
        *out = directory;
    } else {
        sy_directory_close(directory);
    }
    return status;
}

void sy_directory_certified(sy_directory *directory)
{
    sy_follower_wake(directory->follower);
}

void sy_directory_close(sy_directory *directory)
{
    if (directory == NULL) return;
    sy_follower_close(directory->follower);
    sy_store_reader_close(directory->reader);
    free(directory->candidates);
    free(directory->rows);
    free(directory->writes);
    free(directory);
}

/* ---- finding ----------------------------------------------------------------------------- */

/* The rows that a question goes through: the fewest that have all it asks for, as far as its words
 * tell. */
static void choose_rows(struct row_key *prefix, const struct sy_find *find)
{
    uint8_t role = (uint8_t)find->role;
    if (find->what == SY_STATE_DATASET) {
        begin_key(prefix, 'd', NULL, 0);
    } else if (find->what == SY_STATE_ORG) {
        if (find->has_name) {
            begin_key(prefix, 'n', find->name_hash.bytes, 32);
        } else if (find->org_kind != 0 && find->digits < 4) {
            begin_kind_key(prefix, find->org_kind);
        } else {
            begin_key(prefix, 'o', NULL, 0);
        }
    } else if (find->has_organisation) {
        begin_key(prefix, 'h', find->organisation.bytes, 32);
    } else if (find->digits >= 4) {
        begin_key(prefix, 'c', NULL, 0);
    } else if (find->specialty.size > 0) {
        begin_specialty_key(prefix, find->specialty);
    } else if (find->role != 0) {
        begin_key(prefix, 'r', &role, 1);
    } else {
        begin_key(prefix, 'c', NULL, 0);
    }
}

/* A walk under way. It may not call the store: organisations of credentials are asked behind it. */
struct walk {
    const struct sy_find *find;
    int64_t time_ms;
    uint64_t visited, visited_max;
    bool full; /* there are more rows */
    bool damaged;
    struct sy_hash last;
    uint16_t count, max;
    struct matched {
        struct sy_hash id, holder;
        bool valid; /* if its organisation is active */
    } matches[SY_FIND_MAX];
};

static bool fits_row(struct walk *walk, struct matched *out, struct sy_slice row)
{
    struct sy_org org;
    struct sy_credential credential;
    struct sy_find any = *walk->find;
    bool withdrawn = false;
    if (any.what == SY_STATE_DATASET) {
        walk->damaged |= !read_dataset_row(&withdrawn, row);
        return !walk->damaged && sy_find_dataset(&any, withdrawn);
    }
    if (any.what == SY_STATE_ORG) {
        walk->damaged |= !read_org_row(&org, row);
        return !walk->damaged && sy_find_org(&any, &org);
    }
    walk->damaged |= !read_credential_row(&credential, row);
    if (walk->damaged) return false;
    any.active = SY_FIND_ANY;
    out->holder = credential.holder;
    out->valid = sy_credential_valid(&credential, walk->time_ms);
    return sy_find_credential(&any, &credential, false, walk->time_ms);
}

static bool visit(void *user, struct sy_slice key, struct sy_slice value)
{
    struct walk *walk = (struct walk *)user;
    const struct sy_find *find = walk->find;
    struct matched match = {.valid = false};
    if (walk->count == walk->max || walk->visited == walk->visited_max) {
        walk->full = true;
        return false;
    }
    walk->damaged |= key.size < 33;
    if (walk->damaged) return false;
    walk->visited++;
    memcpy(match.id.bytes, key.data + key.size - 32, 32);
    walk->last = match.id;
    bool fits = sy_find_begins_with(&match.id, &find->prefix, find->digits) &&
                fits_row(walk, &match, value);
    if (fits) walk->matches[walk->count++] = match;
    return !walk->damaged;
}

static bool take_org(void *user, struct sy_slice key, struct sy_slice value)
{
    (void)key;
    return !read_org_row((struct sy_org *)user, value);
}

/* Whether an organisation is suspended, as the index knows it. */
static sy_status is_suspended(sy_store_reader *reader, bool *suspended, const struct sy_hash *id)
{
    struct row_key key;
    struct sy_org org = {.suspended = false};
    begin_key(&key, 'o', NULL, 0);
    end_key(&key, id->bytes, 32);
    SY_TRY(sy_directory_scan(reader, sy_slice_of(key.bytes, key.size), sy_slice_of(NULL, 0),
                             take_org, &org));
    *suspended = org.suspended;
    return SY_OK;
}

static sy_status take_matches(sy_store_reader *reader, struct sy_found *found,
                              const struct walk *walk)
{
    bool by_state = walk->find->what == SY_STATE_CREDENTIAL && walk->find->active != SY_FIND_ANY;
    bool wanted = walk->find->active == SY_FIND_ACTIVE;
    for (unsigned i = 0; i < walk->count; i++) {
        const struct matched *match = &walk->matches[i];
        bool suspended = false;
        if (by_state && match->valid) SY_TRY(is_suspended(reader, &suspended, &match->holder));
        if (by_state && (match->valid && !suspended) != wanted) continue;
        SY_ASSERT(found->count < SY_FIND_MAX);
        found->ids[found->count++] = match->id;
    }
    return SY_OK;
}

sy_status sy_directory_find(sy_store_reader *reader, struct sy_found *found, uint64_t *visited,
                            const struct sy_find *find, int64_t time_ms)
{
    sy_store *store = sy_store_of(reader);
    struct row_key sorted, prefix, behind;
    struct walk walk;
    memset(found, 0, sizeof *found);
    found->next = sy_directory_next(store); // before anything is looked for
    found->from = sy_directory_from(store);
    *visited = 0;
    choose_rows(&sorted, find);
    prefix = behind = sorted;
    end_key(&prefix, find->prefix.bytes, find->digits / 2);
    if (find->has_behind) end_key(&behind, find->behind.bytes, 32);
    do {
        bool begun = behind.size > sorted.size;
        walk = (struct walk){.find = find,
                             .time_ms = time_ms,
                             .visited_max = VISITED_MAX - *visited,
                             .max = (uint16_t)(find->max - found->count)};
        SY_TRY(sy_directory_scan(reader, sy_slice_of(prefix.bytes, prefix.size),
                                 sy_slice_of(behind.bytes, begun ? behind.size : 0), visit, &walk));
        if (walk.damaged) return SY_ERR_CORRUPT;
        *visited += walk.visited;
        SY_TRY(take_matches(reader, found, &walk));
        behind = sorted;
        end_key(&behind, walk.last.bytes, 32);
    } while (walk.full && found->count < find->max && *visited < VISITED_MAX);
    found->more = walk.full;
    if (walk.full) found->last = walk.last;
    return SY_OK;
}
