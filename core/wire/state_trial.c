/* state_trial.c: encodings of clinical trials, and how arms are drawn; see state_trial.h. */
#include "core/wire/state_trial.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define PAIR_PREFIX 0x04

enum {
    TRIAL_DRAWN = 1,
    TRIAL_LOCKED = 2,
    TRIAL_UNBLINDED = 4,
    TRIAL_REVEALED = 8,
    TRIAL_POSTED = 16,
    TRIAL_ENDPOINTS = 32,
    VERSION_AMENDS = 1,
    VERSION_ENDPOINTS = 2,
    VERSION_AFTER = 4,
    SUBJECT_UNBLINDED = 1,
    SUBJECT_WITHDREW = 2,
    REPORT_SERIOUS = 1,
    REPORT_LATE = 2,
    DRAW_SALTED = 1,
    DRAW_REVEALED = 2,
    DRAW_LATE = 4,
    RESULT_SWITCHED = 1,
    RESULT_LATE = 2
};

// --- names -------------------------------------------------------------------------------------

bool sy_trial_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second)
{
    switch (kind) {
    case SY_STATE_TRIAL:
    case SY_STATE_TRIAL_DRAW:
    case SY_STATE_TRIAL_LOCK:
    case SY_STATE_TRIAL_KEY:
    case SY_STATE_TRIAL_RESULT: sy_state_key_id(out, (enum sy_state_kind)kind, id); return true;
    case SY_STATE_TRIAL_VERSION:
    case SY_STATE_TRIAL_SITE:
    case SY_STATE_TRIAL_SUBJECT:
    case SY_STATE_TRIAL_PLACE:
    case SY_STATE_TRIAL_BEACON:
    case SY_STATE_TRIAL_DATA:
    case SY_STATE_TRIAL_REPORT:
        sy_state_key_pair(out, (enum sy_state_kind)kind, id, second);
        return true;
    default: return false;
    }
}

void sy_trial_key_number(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *trial,
                         uint64_t number)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, number);
    sy_state_key_pair(out, kind, trial, &padded);
}

// --- lists -------------------------------------------------------------------------------------

static void write_ids(struct sy_writer *w, const struct sy_list *list)
{
    sy_write_u16(w, list->count);
    sy_write_raw(w, list->items.data, list->items.size);
}

static void read_ids(struct sy_reader *r, struct sy_list *list, unsigned max, const char *what)
{
    uint16_t count = sy_read_u16(r, what);
    if (count == 0 || count > max) sy_reader_fail(r, what);
    if (r->failed) return;
    list->count = count;
    list->items = sy_read_raw(r, (size_t)count * 32, what);
}

bool sy_trial_list_has(const struct sy_list *list, const struct sy_hash *id)
{
    struct sy_hash item;
    for (size_t offset = 0; sy_list_next_id(list, &offset, &item);) {
        if (sy_hash_equal(&item, id)) return true;
    }
    return false;
}

bool sy_trial_lists_same(const struct sy_list *a, const struct sy_list *b)
{
    struct sy_hash item;
    if (a->count != b->count) return false;
    for (size_t offset = 0; sy_list_next_id(a, &offset, &item);) {
        if (!sy_trial_list_has(b, &item)) return false;
    }
    return true;
}

static uint8_t read_flags(struct sy_reader *r, uint8_t known)
{
    uint8_t flags = sy_read_u8(r, "flags");
    if ((flags & ~known) != 0) sy_reader_fail(r, "flags");
    return flags;
}

static uint16_t read_word(struct sy_reader *r, const struct sy_enum *names, const char *what)
{
    uint16_t number = sy_read_u16(r, what);
    if (!sy_enum_word(names, number)) sy_reader_fail(r, what);
    return number;
}

static void write_signers(struct sy_writer *w, const struct sy_trial_signers *signers)
{
    for (unsigned i = 0; i < 2; i++) {
        sy_write_public_key(w, &signers->keys[i]);
        sy_write_u16(w, signers->meanings[i]);
    }
}

static void read_signers(struct sy_reader *r, struct sy_trial_signers *signers)
{
    for (unsigned i = 0; i < 2; i++) {
        sy_read_public_key(r, &signers->keys[i], "key");
        signers->meanings[i] = read_word(r, &sy_enum_trial_meaning, "meaning");
    }
}

// --- trials ------------------------------------------------------------------------------------

void sy_trial_encode(struct sy_writer *w, const struct sy_trial *trial)
{
    SY_ASSERT(trial->arm_count > 0 && trial->arm_count <= SY_TRIAL_ARMS_MAX);
    sy_write_hash(w, &trial->sponsor);
    sy_write_hash(w, &trial->ethics);
    sy_write_u8(w, (uint8_t)((trial->drawn ? TRIAL_DRAWN : 0) | (trial->locked ? TRIAL_LOCKED : 0) |
                             (trial->unblinded ? TRIAL_UNBLINDED : 0) |
                             (trial->revealed ? TRIAL_REVEALED : 0) |
                             (trial->posted ? TRIAL_POSTED : 0) |
                             (trial->endpoints_amended ? TRIAL_ENDPOINTS : 0)));
    sy_write_u32(w, trial->version);
    sy_write_u32(w, trial->form_version);
    sy_write_hash(w, &trial->form_commit);
    sy_write_u32(w, trial->target);
    sy_write_bytes16(w, sy_slice_of(trial->shares, trial->arm_count));
    sy_write_u32(w, trial->sites);
    sy_write_u32(w, trial->subjects);
    sy_write_u32(w, trial->enrolled);
    sy_write_u32(w, trial->withdrawn);
    sy_write_u32(w, trial->first_version);
    sy_write_u64(w, trial->first_height);
    sy_write_i64(w, trial->first_ms);
    sy_write_u64(w, trial->commits);
    sy_write_hash(w, &trial->data_root);
    sy_write_u64(w, trial->reports);
    sy_write_u64(w, trial->serious);
    sy_write_u64(w, trial->late);
    sy_write_u64(w, trial->locked_height);
    sy_write_u64(w, trial->height);
    sy_write_i64(w, trial->time_ms);
}

static void read_trial_flags(struct sy_reader *r, struct sy_trial *trial)
{
    uint8_t flags = read_flags(r, 2 * TRIAL_ENDPOINTS - 1);
    trial->drawn = (flags & TRIAL_DRAWN) != 0;
    trial->locked = (flags & TRIAL_LOCKED) != 0;
    trial->unblinded = (flags & TRIAL_UNBLINDED) != 0;
    trial->revealed = (flags & TRIAL_REVEALED) != 0;
    trial->posted = (flags & TRIAL_POSTED) != 0;
    trial->endpoints_amended = (flags & TRIAL_ENDPOINTS) != 0;
    bool ordered = (!trial->unblinded || trial->locked) &&
                   (!trial->revealed || (trial->unblinded && trial->drawn)) &&
                   (!trial->posted || trial->revealed || (trial->locked && !trial->drawn));
    if (!ordered) sy_reader_fail(r, "flags");
}

static void read_shares(struct sy_reader *r, struct sy_trial *trial)
{
    struct sy_slice shares = sy_read_bytes16(r, SY_TRIAL_ARMS_MAX, "shares");
    if (shares.size == 0) sy_reader_fail(r, "shares");
    if (r->failed) return;
    trial->arm_count = (uint8_t)shares.size;
    memcpy(trial->shares, shares.data, shares.size);
    for (unsigned i = 0; i < trial->arm_count; i++) {
        if (trial->shares[i] == 0) sy_reader_fail(r, "shares");
    }
}

static void read_counts(struct sy_reader *r, struct sy_trial *trial)
{
    trial->sites = sy_read_u32(r, "sites");
    trial->subjects = sy_read_u32(r, "subjects");
    trial->enrolled = sy_read_u32(r, "enrolled");
    trial->withdrawn = sy_read_u32(r, "withdrawn");
    trial->first_version = sy_read_u32(r, "first");
    trial->first_height = sy_read_u64(r, "first");
    trial->first_ms = sy_read_i64(r, "first");
    if (trial->sites > SY_TRIAL_SITES_MAX) sy_reader_fail(r, "sites");
    bool counts = trial->enrolled <= trial->subjects && trial->enrolled <= trial->target &&
                  trial->withdrawn <= trial->subjects;
    if (!counts) sy_reader_fail(r, "enrolled");
    if ((trial->enrolled > 0) != (trial->first_version > 0)) sy_reader_fail(r, "first");
    if (trial->first_version > trial->version) sy_reader_fail(r, "first");
}

bool sy_trial_decode(struct sy_trial *trial, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *trial = (struct sy_trial){.version = 0};
    sy_read_hash(&r, &trial->sponsor, "sponsor");
    sy_read_hash(&r, &trial->ethics, "ethics");
    read_trial_flags(&r, trial);
    trial->version = sy_read_u32(&r, "version");
    trial->form_version = sy_read_u32(&r, "form version");
    if (trial->form_version == 0 || trial->form_version > trial->version) {
        sy_reader_fail(&r, "form version");
    }
    sy_read_hash(&r, &trial->form_commit, "form commit");
    trial->target = sy_read_u32(&r, "target");
    if (trial->target == 0 || trial->target > SY_TRIAL_SUBJECTS_MAX) sy_reader_fail(&r, "target");
    read_shares(&r, trial);
    read_counts(&r, trial);
    trial->commits = sy_read_u64(&r, "commits");
    sy_read_hash(&r, &trial->data_root, "data root");
    trial->reports = sy_read_u64(&r, "reports");
    trial->serious = sy_read_u64(&r, "serious");
    trial->late = sy_read_u64(&r, "late");
    if (trial->commits > SY_SLOT_MAX) sy_reader_fail(&r, "commits"); // one more never wraps
    bool reports = trial->late <= trial->serious && trial->serious <= trial->reports &&
                   trial->reports <= SY_SLOT_MAX;
    if (!reports) sy_reader_fail(&r, "reports");
    trial->locked_height = sy_read_u64(&r, "locked");
    if ((trial->locked_height != 0) != trial->locked) sy_reader_fail(&r, "locked");
    trial->height = sy_read_u64(&r, "height");
    trial->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

void sy_trial_version_encode(struct sy_writer *w, const struct sy_trial_version *version)
{
    sy_write_hash(w, &version->protocol_commit);
    sy_write_hash(w, &version->sap_commit);
    sy_write_hash(w, &version->form_commit);
    sy_write_u32(w, version->form_version);
    sy_write_u32(w, version->target);
    sy_write_i64(w, version->completion_ms);
    sy_write_u8(w, (uint8_t)((version->amends ? VERSION_AMENDS : 0) |
                             (version->other_endpoints ? VERSION_ENDPOINTS : 0) |
                             (version->after_first ? VERSION_AFTER : 0)));
    if (version->amends) {
        sy_write_hash(w, &version->changes_commit);
        sy_write_u16(w, version->reason);
    }
    sy_write_public_key(w, &version->sponsor_key);
    sy_write_public_key(w, &version->ethics_key);
    sy_write_u64(w, version->height);
    sy_write_i64(w, version->time_ms);
    write_ids(w, &version->endpoints);
    write_ids(w, &version->sites);
}

bool sy_trial_version_decode(struct sy_trial_version *version, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *version = (struct sy_trial_version){.target = 0};
    sy_read_hash(&r, &version->protocol_commit, "protocol commit");
    sy_read_hash(&r, &version->sap_commit, "sap commit");
    sy_read_hash(&r, &version->form_commit, "form commit");
    version->form_version = sy_read_u32(&r, "form version");
    if (version->form_version == 0) sy_reader_fail(&r, "form version");
    version->target = sy_read_u32(&r, "target");
    if (version->target == 0 || version->target > SY_TRIAL_SUBJECTS_MAX) {
        sy_reader_fail(&r, "target");
    }
    version->completion_ms = sy_read_i64(&r, "completion");
    uint8_t flags = read_flags(&r, 2 * VERSION_AFTER - 1);
    version->amends = (flags & VERSION_AMENDS) != 0;
    version->other_endpoints = (flags & VERSION_ENDPOINTS) != 0;
    version->after_first = (flags & VERSION_AFTER) != 0;
    if (!version->amends && flags != 0) sy_reader_fail(&r, "flags");
    if (version->amends) {
        sy_read_hash(&r, &version->changes_commit, "changes commit");
        version->reason = read_word(&r, &sy_enum_trial_reason, "reason");
    }
    sy_read_public_key(&r, &version->sponsor_key, "sponsor's key");
    sy_read_public_key(&r, &version->ethics_key, "ethics board's key");
    version->height = sy_read_u64(&r, "height");
    version->time_ms = sy_read_i64(&r, "time");
    read_ids(&r, &version->endpoints, SY_TRIAL_ENDPOINTS_MAX, "endpoints");
    read_ids(&r, &version->sites, SY_TRIAL_SITES_MAX, "sites");
    return sy_reader_done(&r);
}

_Static_assert(4 * 32 + 4 + 4 + 8 + 1 + 2 + 2 * 32 + 8 + 8 + 2 + 2 +
                       32 * (SY_TRIAL_ENDPOINTS_MAX + SY_TRIAL_SITES_MAX) <=
                   SY_STATE_VALUE_BYTES_MAX,
               "a trial of the most sites and endpoints fits a state value");

void sy_trial_site_encode(struct sy_writer *w, const struct sy_trial_site *site)
{
    sy_write_public_key(w, &site->investigator);
    sy_write_u32(w, site->subjects);
    sy_write_u32(w, site->enrolled);
    sy_write_u32(w, site->withdrawn);
    sy_write_u64(w, site->height);
    sy_write_i64(w, site->time_ms);
}

bool sy_trial_site_decode(struct sy_trial_site *site, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_public_key(&r, &site->investigator, "investigator");
    site->subjects = sy_read_u32(&r, "subjects");
    site->enrolled = sy_read_u32(&r, "enrolled");
    site->withdrawn = sy_read_u32(&r, "withdrawn");
    if (site->enrolled > site->subjects || site->withdrawn > site->subjects) {
        sy_reader_fail(&r, "enrolled");
    }
    site->height = sy_read_u64(&r, "height");
    site->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

// --- subjects ----------------------------------------------------------------------------------

void sy_trial_subject_encode(struct sy_writer *w, const struct sy_trial_subject *subject)
{
    sy_write_hash(w, &subject->site);
    sy_write_public_key(w, &subject->consent_key);
    sy_write_u16(w, subject->by);
    sy_write_u32(w, subject->form_version);
    sy_write_u16(w, subject->status);
    sy_write_u32(w, subject->place);
    sy_write_u64(w, subject->height);
    sy_write_i64(w, subject->time_ms);
    sy_write_u64(w, subject->enrolled_height);
    sy_write_u64(w, subject->renewed_height);
    sy_write_u8(w, (uint8_t)((subject->unblinded ? SUBJECT_UNBLINDED : 0) |
                             (subject->withdrew ? SUBJECT_WITHDREW : 0)));
    if (subject->status == SY_SUBJECT_WITHDRAWN) {
        sy_write_u16(w, subject->reason);
        sy_write_u64(w, subject->ended_height);
    }
    if (!subject->unblinded) return;
    sy_write_u16(w, subject->unblinded_for);
    sy_write_public_key(w, &subject->unblinded_by);
    sy_write_u64(w, subject->unblinded_height);
    sy_write_i64(w, subject->unblinded_ms);
}

bool sy_trial_subject_decode(struct sy_trial_subject *subject, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *subject = (struct sy_trial_subject){.place = 0};
    sy_read_hash(&r, &subject->site, "site");
    sy_read_public_key(&r, &subject->consent_key, "consent key");
    subject->by = read_word(&r, &sy_enum_trial_consenter, "by");
    subject->form_version = sy_read_u32(&r, "form version");
    if (subject->form_version == 0) sy_reader_fail(&r, "form version");
    subject->status = read_word(&r, &sy_enum_trial_status, "status");
    subject->place = sy_read_u32(&r, "place");
    subject->height = sy_read_u64(&r, "height");
    subject->time_ms = sy_read_i64(&r, "time");
    subject->enrolled_height = sy_read_u64(&r, "enrolled");
    subject->renewed_height = sy_read_u64(&r, "renewed");
    if (subject->renewed_height > 0 && subject->place == 0) sy_reader_fail(&r, "renewed");
    bool withdrawn = subject->status == SY_SUBJECT_WITHDRAWN;
    if ((subject->place > 0) != (subject->enrolled_height > 0)) sy_reader_fail(&r, "enrolled");
    if (!withdrawn && (subject->status == SY_SUBJECT_ENROLLED) != (subject->place > 0)) {
        sy_reader_fail(&r, "place");
    }
    uint8_t flags = read_flags(&r, 2 * SUBJECT_WITHDREW - 1);
    subject->unblinded = (flags & SUBJECT_UNBLINDED) != 0;
    subject->withdrew = (flags & SUBJECT_WITHDREW) != 0;
    if (subject->withdrew && !withdrawn) sy_reader_fail(&r, "flags");
    if (subject->unblinded && subject->place == 0) sy_reader_fail(&r, "flags");
    if (withdrawn) {
        subject->reason = read_word(&r, &sy_enum_trial_withdrawal, "reason");
        subject->ended_height = sy_read_u64(&r, "ended");
    }
    if (subject->unblinded) {
        subject->unblinded_for = read_word(&r, &sy_enum_trial_emergency, "unblinded for");
        sy_read_public_key(&r, &subject->unblinded_by, "unblinded by");
        subject->unblinded_height = sy_read_u64(&r, "unblinded");
        subject->unblinded_ms = sy_read_i64(&r, "unblinded");
    }
    return sy_reader_done(&r);
}

void sy_trial_key_encode(struct sy_writer *w, const struct sy_trial_key *key)
{
    sy_write_hash(w, &key->trial);
    sy_write_hash(w, &key->subject);
}

bool sy_trial_key_decode(struct sy_trial_key *key, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &key->trial, "trial");
    sy_read_hash(&r, &key->subject, "subject");
    return sy_reader_done(&r);
}

// --- data and adverse events -------------------------------------------------------------------

void sy_trial_data_encode(struct sy_writer *w, const struct sy_trial_data *data)
{
    sy_write_hash(w, &data->site);
    sy_write_public_key(w, &data->key);
    sy_write_u16(w, data->visit);
    sy_write_u16(w, data->form);
    sy_write_u32(w, data->rows);
    sy_write_hash(w, &data->root);
    sy_write_u64(w, data->height);
    sy_write_i64(w, data->time_ms);
}

bool sy_trial_data_decode(struct sy_trial_data *data, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &data->site, "site");
    sy_read_public_key(&r, &data->key, "key");
    data->visit = sy_read_u16(&r, "visit");
    data->form = sy_read_u16(&r, "form");
    data->rows = sy_read_u32(&r, "rows");
    if (data->rows == 0 || data->rows > SY_TRIAL_ROWS_MAX) sy_reader_fail(&r, "rows");
    sy_read_hash(&r, &data->root, "root");
    data->height = sy_read_u64(&r, "height");
    data->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

void sy_trial_data_add(struct sy_hash *root, struct sy_slice value)
{
    struct sy_hash before = *root, leaf;
    sy_hash_leaf(&leaf, value);
    sy_hash_prefixed(root, PAIR_PREFIX, &before, &leaf);
}

void sy_trial_report_encode(struct sy_writer *w, const struct sy_trial_report *report)
{
    sy_write_hash(w, &report->subject);
    sy_write_hash(w, &report->site);
    sy_write_public_key(w, &report->key);
    sy_write_u8(w, report->grade);
    sy_write_u8(
        w, (uint8_t)((report->serious ? REPORT_SERIOUS : 0) | (report->late ? REPORT_LATE : 0)));
    sy_write_u16(w, report->related);
    sy_write_i64(w, report->aware_ms);
    sy_write_u64(w, report->height);
    sy_write_i64(w, report->time_ms);
}

bool sy_trial_report_decode(struct sy_trial_report *report, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &report->subject, "subject");
    sy_read_hash(&r, &report->site, "site");
    sy_read_public_key(&r, &report->key, "key");
    report->grade = sy_read_u8(&r, "grade");
    if (report->grade == 0 || report->grade > 5) sy_reader_fail(&r, "grade");
    uint8_t flags = read_flags(&r, REPORT_SERIOUS | REPORT_LATE);
    report->serious = (flags & REPORT_SERIOUS) != 0;
    report->late = (flags & REPORT_LATE) != 0;
    if (report->late && !report->serious) sy_reader_fail(&r, "flags");
    report->related = read_word(&r, &sy_enum_trial_related, "related");
    report->aware_ms = sy_read_i64(&r, "aware");
    report->height = sy_read_u64(&r, "height");
    report->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

// --- arms --------------------------------------------------------------------------------------

void sy_trial_draw_encode(struct sy_writer *w, const struct sy_trial_draw *draw)
{
    sy_write_hash(w, &draw->commit);
    sy_write_u16(w, draw->reveal_days);
    sy_write_u64(w, draw->height);
    sy_write_u8(w, (uint8_t)((draw->salted ? DRAW_SALTED : 0) |
                             (draw->revealed ? DRAW_REVEALED : 0) | (draw->late ? DRAW_LATE : 0)));
    if (draw->salted) {
        sy_write_hash(w, &draw->salt);
        sy_write_u64(w, draw->salted_height);
    }
    if (!draw->revealed) return;
    sy_write_hash(w, &draw->seed);
    sy_write_u64(w, draw->revealed_height);
    sy_write_i64(w, draw->revealed_ms);
}

bool sy_trial_draw_decode(struct sy_trial_draw *draw, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *draw = (struct sy_trial_draw){.salted = false};
    sy_read_hash(&r, &draw->commit, "commit");
    draw->reveal_days = sy_read_u16(&r, "reveal days");
    if (draw->reveal_days == 0 || draw->reveal_days > SY_TRIAL_REVEAL_DAYS_MAX) {
        sy_reader_fail(&r, "reveal days");
    }
    draw->height = sy_read_u64(&r, "height");
    uint8_t flags = read_flags(&r, 2 * DRAW_LATE - 1);
    draw->salted = (flags & DRAW_SALTED) != 0;
    draw->revealed = (flags & DRAW_REVEALED) != 0;
    draw->late = (flags & DRAW_LATE) != 0;
    if ((draw->revealed && !draw->salted) || (draw->late && !draw->revealed)) {
        sy_reader_fail(&r, "flags");
    }
    if (draw->salted) {
        sy_read_hash(&r, &draw->salt, "salt");
        draw->salted_height = sy_read_u64(&r, "salted");
    }
    if (draw->revealed) {
        sy_read_hash(&r, &draw->seed, "seed");
        draw->revealed_height = sy_read_u64(&r, "revealed");
        draw->revealed_ms = sy_read_i64(&r, "revealed");
    }
    return sy_reader_done(&r);
}

void sy_trial_seed_commit(struct sy_hash *out, const struct sy_hash *trial,
                          const struct sy_hash *seed)
{
    sy_hash_prefixed(out, PAIR_PREFIX, trial, seed);
}

void sy_trial_lot_encode(struct sy_writer *w, const struct sy_trial_lot *lot)
{
    sy_write_hash(w, &lot->beacon);
    sy_write_u64(w, lot->height);
}

bool sy_trial_lot_decode(struct sy_trial_lot *lot, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &lot->beacon, "beacon");
    lot->height = sy_read_u64(&r, "height");
    if (lot->height == 0) sy_reader_fail(&r, "height");
    return sy_reader_done(&r);
}

void sy_trial_beacon(struct sy_hash *out, const struct sy_hash *previous, int64_t time_ms)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, (uint64_t)time_ms);
    sy_hash_prefixed(out, PAIR_PREFIX, previous, &padded);
}

unsigned sy_trial_arm(const struct sy_trial *trial, const struct sy_trial_draw *draw,
                      uint32_t place, const struct sy_hash *beacon)
{
    struct sy_hash both, padded = {{0}}, placed, drawn;
    unsigned sum = 0, arm = 0;
    SY_ASSERT(trial->arm_count > 0 && trial->arm_count <= SY_TRIAL_ARMS_MAX);
    for (unsigned i = 0; i < trial->arm_count; i++) sum += trial->shares[i];
    SY_ASSERT(sum > 0);
    sy_hash_prefixed(&both, PAIR_PREFIX, &draw->seed, &draw->salt);
    sy_store_u32(padded.bytes, place);
    sy_hash_prefixed(&placed, PAIR_PREFIX, &both, &padded);
    sy_hash_prefixed(&drawn, PAIR_PREFIX, &placed, beacon);
    unsigned left = (unsigned)(sy_load_u64(drawn.bytes) % sum);
    while (left >= trial->shares[arm]) left -= trial->shares[arm++];
    SY_ASSERT(arm < trial->arm_count);
    return arm;
}

// --- locks and results -------------------------------------------------------------------------

void sy_trial_lock_encode(struct sy_writer *w, const struct sy_trial_lock *lock)
{
    sy_write_u64(w, lock->commits);
    sy_write_hash(w, &lock->data_root);
    sy_write_hash(w, &lock->root);
    sy_write_u32(w, lock->enrolled);
    write_signers(w, &lock->signers);
    sy_write_i64(w, lock->reveal_due_ms);
    sy_write_u64(w, lock->height);
    sy_write_i64(w, lock->time_ms);
    sy_write_u64(w, lock->unblinded_height);
    sy_write_i64(w, lock->unblinded_ms);
}

bool sy_trial_lock_decode(struct sy_trial_lock *lock, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    lock->commits = sy_read_u64(&r, "commits");
    sy_read_hash(&r, &lock->data_root, "data root");
    sy_read_hash(&r, &lock->root, "root");
    lock->enrolled = sy_read_u32(&r, "enrolled");
    read_signers(&r, &lock->signers);
    lock->reveal_due_ms = sy_read_i64(&r, "reveal due");
    lock->height = sy_read_u64(&r, "height");
    lock->time_ms = sy_read_i64(&r, "time");
    lock->unblinded_height = sy_read_u64(&r, "unblinded");
    lock->unblinded_ms = sy_read_i64(&r, "unblinded");
    return sy_reader_done(&r);
}

void sy_trial_result_encode(struct sy_writer *w, const struct sy_trial_result *result)
{
    sy_write_hash(w, &result->effect_commit);
    sy_write_hash(w, &result->tables_root);
    sy_write_u8(
        w, (uint8_t)((result->switched ? RESULT_SWITCHED : 0) | (result->late ? RESULT_LATE : 0)));
    sy_write_u32(w, result->registered_version);
    write_signers(w, &result->signers);
    sy_write_u64(w, result->height);
    sy_write_i64(w, result->time_ms);
    write_ids(w, &result->endpoints);
}

bool sy_trial_result_decode(struct sy_trial_result *result, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *result = (struct sy_trial_result){.switched = false};
    sy_read_hash(&r, &result->effect_commit, "effect commit");
    sy_read_hash(&r, &result->tables_root, "tables root");
    uint8_t flags = read_flags(&r, RESULT_SWITCHED | RESULT_LATE);
    result->switched = (flags & RESULT_SWITCHED) != 0;
    result->late = (flags & RESULT_LATE) != 0;
    result->registered_version = sy_read_u32(&r, "registered version");
    if (result->registered_version == 0) sy_reader_fail(&r, "registered version");
    read_signers(&r, &result->signers);
    result->height = sy_read_u64(&r, "height");
    result->time_ms = sy_read_i64(&r, "time");
    read_ids(&r, &result->endpoints, SY_TRIAL_ENDPOINTS_MAX, "endpoints");
    return sy_reader_done(&r);
}
