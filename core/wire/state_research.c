/* state_research.c: encodings of the research commons; see state_research.h. */
#include "core/wire/state_research.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

enum {
    DATASET_WITHDRAWN = 1,
    VERSION_GENETIC = 1,
    VERSION_WEARABLE = 2,
    VERSION_BEACON = 4,
    RESULT_TOTAL = 1,
    CONTRIBUTION_IN = 1,
    CONTRIBUTION_GENETIC = 2,
    CODES_BYTES_MAX = SY_DATASET_CODES_MAX * (2 + SY_CODE_BYTES_MAX),
    TERMS_BYTES_MAX = SY_QUERY_TERMS_MAX * (2 + SY_CODE_BYTES_MAX),
    NAMES_BYTES_MAX = SY_QUERY_SIDE_MAX * (2 + SY_CODE_BYTES_MAX),
    CLASSES_BYTES_MAX = SY_CONSENT_ITEMS_MAX * (2 + SY_CODE_BYTES_MAX),
    PREDICATE_BYTES_MAX = 2 + 2 + 4 + 4 + 3 * (4 + TERMS_BYTES_MAX)
};

// --- names -------------------------------------------------------------------------------------

bool sy_research_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                        const struct sy_hash *second)
{
    switch (kind) {
    case SY_STATE_DATASET:
    case SY_STATE_DATASET_ROOT:
    case SY_STATE_QUERY:
    case SY_STATE_QUERY_RESULT:
    case SY_STATE_CONTRIBUTION: sy_state_key_id(out, (enum sy_state_kind)kind, id); return true;
    case SY_STATE_OPTOUTS: sy_state_key_zero(out, SY_STATE_OPTOUTS); return true;
    case SY_STATE_DATASET_VERSION:
    case SY_STATE_QUERY_DECISION:
    case SY_STATE_QUERY_ASKED:
    case SY_STATE_RESEARCH_BUDGET:
        sy_state_key_pair(out, (enum sy_state_kind)kind, id, second);
        return true;
    default: return false;
    }
}

void sy_research_key_version(struct sy_hash *out, const struct sy_hash *dataset, uint32_t number)
{
    struct sy_hash padded = {{0}};
    sy_store_u32(padded.bytes, number);
    sy_state_key_pair(out, SY_STATE_DATASET_VERSION, dataset, &padded);
}

void sy_research_key_budget(struct sy_hash *out, const struct sy_hash *whose,
                            enum sy_budget_of what)
{
    struct sy_hash padded = {{0}};
    sy_store_u16(padded.bytes, (uint16_t)what);
    sy_state_key_pair(out, SY_STATE_RESEARCH_BUDGET, whose, &padded);
}

// --- lists -------------------------------------------------------------------------------------

static void write_list(struct sy_writer *w, const struct sy_list *list)
{
    sy_write_u16(w, list->count);
    sy_write_bytes16(w, list->items);
}

static void read_texts(struct sy_reader *r, struct sy_list *list, size_t bytes_max,
                       const char *what)
{
    list->count = sy_read_u16(r, what);
    list->items = sy_read_bytes16(r, bytes_max, what);
    struct sy_reader items = sy_reader_of(list->items);
    for (unsigned i = 0; i < list->count && !items.failed; i++) {
        (void)sy_read_bytes16(&items, SY_CODE_BYTES_MAX, what);
    }
    if (!sy_reader_done(&items)) sy_reader_fail(r, what);
    if (r->failed) *list = (struct sy_list){.count = 0};
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

static uint32_t read_set(struct sy_reader *r, const struct sy_enum *names, const char *what)
{
    uint32_t set = sy_read_u32(r, what);
    if ((set & ~sy_set_known(names)) != 0) sy_reader_fail(r, what);
    return set;
}

// --- data sets ---------------------------------------------------------------------------------

void sy_dataset_encode(struct sy_writer *w, const struct sy_dataset *dataset)
{
    sy_write_hash(w, &dataset->ethics);
    sy_write_u8(w, dataset->needed);
    sy_write_u8(w, dataset->withdrawn ? DATASET_WITHDRAWN : 0);
    sy_write_u32(w, dataset->version);
    sy_write_u64(w, dataset->height);
    sy_write_i64(w, dataset->time_ms);
    if (dataset->withdrawn) {
        sy_write_u16(w, dataset->reason);
        sy_write_u64(w, dataset->withdrawn_height);
        sy_write_i64(w, dataset->withdrawn_ms);
    }
    write_list(w, &dataset->custodians);
}

bool sy_dataset_decode(struct sy_dataset *dataset, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *dataset = (struct sy_dataset){.needed = 0};
    sy_read_hash(&r, &dataset->ethics, "ethics");
    dataset->needed = sy_read_u8(&r, "needed");
    dataset->withdrawn = read_flags(&r, DATASET_WITHDRAWN) != 0;
    dataset->version = sy_read_u32(&r, "version");
    if (dataset->version == 0) sy_reader_fail(&r, "version");
    dataset->height = sy_read_u64(&r, "height");
    dataset->time_ms = sy_read_i64(&r, "time");
    if (dataset->withdrawn) {
        dataset->reason = read_word(&r, &sy_enum_dataset_withdrawal, "reason");
        dataset->withdrawn_height = sy_read_u64(&r, "withdrawn");
        dataset->withdrawn_ms = sy_read_i64(&r, "withdrawn");
    }
    struct sy_list *custodians = &dataset->custodians;
    custodians->count = sy_read_u16(&r, "custodians");
    custodians->items = sy_read_bytes16(&r, (size_t)SY_DATASET_CUSTODIANS_MAX * 32, "custodians");
    if (custodians->items.size != (size_t)custodians->count * 32) sy_reader_fail(&r, "custodians");
    if (r.failed) *custodians = (struct sy_list){.count = 0};
    bool fits = dataset->needed >= 1 && dataset->needed <= custodians->count;
    if (!fits) sy_reader_fail(&r, "needed");
    return sy_reader_done(&r);
}

void sy_dataset_version_encode(struct sy_writer *w, const struct sy_dataset_version *version)
{
    sy_write_hash(w, &version->schema_commit);
    sy_write_hash(w, &version->counts_root);
    sy_write_hash(w, &version->record_root);
    sy_write_u64(w, version->as_of);
    sy_write_u16(w, version->basis);
    sy_write_u8(w, (uint8_t)((version->genetic ? VERSION_GENETIC : 0) |
                             (version->wearable ? VERSION_WEARABLE : 0) |
                             (version->has_beacon ? VERSION_BEACON : 0)));
    sy_write_u32(w, version->devices);
    sy_write_u32(w, version->ages);
    sy_write_u16(w, version->people);
    if (version->has_beacon) sy_write_hash(w, &version->beacon_root);
    sy_write_public_key(w, &version->custodian_key);
    sy_write_public_key(w, &version->ethics_key);
    sy_write_u64(w, version->height);
    sy_write_i64(w, version->time_ms);
    write_list(w, &version->codes);
    write_list(w, &version->phenotypes);
}

bool sy_dataset_version_decode(struct sy_dataset_version *version, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *version = (struct sy_dataset_version){.as_of = 0};
    sy_read_hash(&r, &version->schema_commit, "schema commit");
    sy_read_hash(&r, &version->counts_root, "counts root");
    sy_read_hash(&r, &version->record_root, "record root");
    version->as_of = sy_read_u64(&r, "as of");
    version->basis = read_word(&r, &sy_enum_dataset_basis, "basis");
    uint8_t flags = read_flags(&r, VERSION_GENETIC | VERSION_WEARABLE | VERSION_BEACON);
    version->genetic = (flags & VERSION_GENETIC) != 0;
    version->wearable = (flags & VERSION_WEARABLE) != 0;
    version->has_beacon = (flags & VERSION_BEACON) != 0;
    version->devices = read_set(&r, &sy_enum_device_class, "devices");
    version->ages = read_set(&r, &sy_enum_age_band, "ages");
    version->people = read_word(&r, &sy_enum_count_bucket, "people");
    if (version->has_beacon) sy_read_hash(&r, &version->beacon_root, "beacon root");
    if (version->has_beacon && !version->genetic) sy_reader_fail(&r, "beacon root");
    if (version->devices != 0 && !version->wearable) sy_reader_fail(&r, "devices");
    sy_read_public_key(&r, &version->custodian_key, "custodian's key");
    sy_read_public_key(&r, &version->ethics_key, "ethics board's key");
    version->height = sy_read_u64(&r, "height");
    if (version->as_of == 0 || version->as_of >= version->height) sy_reader_fail(&r, "as of");
    version->time_ms = sy_read_i64(&r, "time");
    read_texts(&r, &version->codes, CODES_BYTES_MAX, "codes");
    read_texts(&r, &version->phenotypes, CODES_BYTES_MAX, "phenotypes");
    return sy_reader_done(&r);
}

// --- queries -----------------------------------------------------------------------------------

static void write_predicate(struct sy_writer *w, const struct sy_predicate *predicate)
{
    sy_write_u16(w, predicate->rows);
    sy_write_u16(w, predicate->columns);
    sy_write_u32(w, predicate->devices);
    sy_write_u32(w, predicate->ages);
    write_list(w, &predicate->codes);
    write_list(w, &predicate->phenotypes);
    write_list(w, &predicate->variants);
}

static void read_predicate(struct sy_reader *r, struct sy_predicate *predicate)
{
    predicate->rows = read_word(r, &sy_enum_query_axis, "rows");
    predicate->columns = read_word(r, &sy_enum_query_axis, "columns");
    predicate->devices = read_set(r, &sy_enum_device_class, "devices");
    predicate->ages = read_set(r, &sy_enum_age_band, "ages");
    read_texts(r, &predicate->codes, TERMS_BYTES_MAX, "codes");
    read_texts(r, &predicate->phenotypes, TERMS_BYTES_MAX, "phenotypes");
    read_texts(r, &predicate->variants, TERMS_BYTES_MAX, "variants");
}

void sy_predicate_hash(struct sy_hash *out, const struct sy_predicate *predicate)
{
    uint8_t room[PREDICATE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    write_predicate(&w, predicate);
    SY_ASSERT(!w.failed); // by the fields' rules
    sy_hash_leaf(out, sy_writer_slice(&w));
}

void sy_query_encode(struct sy_writer *w, const struct sy_query *query)
{
    SY_ASSERT(query->dataset_count >= 1 && query->dataset_count <= SY_QUERY_DATASETS_MAX);
    sy_write_hash(w, &query->researcher);
    sy_write_hash(w, &query->organisation);
    sy_write_u16(w, query->status);
    sy_write_u16(w, query->purpose);
    sy_write_hash(w, &query->ethics_ref);
    sy_write_u16(w, query->budget);
    sy_write_u64(w, query->height);
    sy_write_i64(w, query->time_ms);
    sy_write_u64(w, query->approved_height);
    sy_write_u64(w, query->optouts);
    sy_write_u64(w, query->ended_height);
    sy_write_u8(w, query->dataset_count);
    for (unsigned i = 0; i < query->dataset_count; i++) {
        sy_write_hash(w, &query->datasets[i].id);
        sy_write_u32(w, query->datasets[i].version);
        sy_write_u8(w, query->datasets[i].approvals);
        sy_write_u8(w, query->datasets[i].ethics ? 1 : 0);
    }
    write_predicate(w, &query->predicate);
}

static void read_datasets(struct sy_reader *r, struct sy_query *query)
{
    query->dataset_count = sy_read_u8(r, "data sets");
    bool fits = query->dataset_count >= 1 && query->dataset_count <= SY_QUERY_DATASETS_MAX;
    if (!fits) sy_reader_fail(r, "data sets");
    for (unsigned i = 0; !r->failed && i < query->dataset_count; i++) {
        struct sy_query_dataset *asked = &query->datasets[i];
        sy_read_hash(r, &asked->id, "data set");
        asked->version = sy_read_u32(r, "version");
        asked->approvals = sy_read_u8(r, "approvals");
        asked->ethics = sy_read_bool(r, "ethics");
        if (asked->version == 0) sy_reader_fail(r, "version");
        if (asked->approvals > SY_DATASET_CUSTODIANS_MAX) sy_reader_fail(r, "approvals");
    }
    if (r->failed) query->dataset_count = 0;
}

bool sy_query_decode(struct sy_query *query, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *query = (struct sy_query){.status = 0};
    sy_read_hash(&r, &query->researcher, "researcher");
    sy_read_hash(&r, &query->organisation, "organisation");
    query->status = read_word(&r, &sy_enum_query_status, "status");
    query->purpose = read_word(&r, &sy_enum_query_purpose, "purpose");
    sy_read_hash(&r, &query->ethics_ref, "ethics ref");
    query->budget = sy_read_u16(&r, "budget");
    if (query->budget == 0 || query->budget > SY_QUERY_CELLS_MAX) sy_reader_fail(&r, "budget");
    query->height = sy_read_u64(&r, "height");
    query->time_ms = sy_read_i64(&r, "time");
    query->approved_height = sy_read_u64(&r, "approved");
    query->optouts = sy_read_u64(&r, "opt-outs");
    if (query->optouts > (query->approved_height == 0 ? 0 : SY_SLOT_MAX)) {
        sy_reader_fail(&r, "opt-outs");
    }
    query->ended_height = sy_read_u64(&r, "ended");
    bool approved = query->status == SY_QUERY_APPROVED || query->status == SY_QUERY_ANSWERED;
    bool ended = query->status == SY_QUERY_DENIED || query->status == SY_QUERY_ANSWERED;
    // One that was approved may be denied yet.
    if (query->status != SY_QUERY_DENIED && approved != (query->approved_height != 0)) {
        sy_reader_fail(&r, "approved");
    }
    if (ended != (query->ended_height != 0)) sy_reader_fail(&r, "ended");
    read_datasets(&r, query);
    read_predicate(&r, &query->predicate);
    return sy_reader_done(&r);
}

void sy_query_decision_encode(struct sy_writer *w, const struct sy_query_decision *decision)
{
    sy_write_public_key(w, &decision->key);
    sy_write_u16(w, decision->reason);
    sy_write_u64(w, decision->height);
    sy_write_i64(w, decision->time_ms);
}

bool sy_query_decision_decode(struct sy_query_decision *decision, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *decision = (struct sy_query_decision){.reason = 0};
    sy_read_public_key(&r, &decision->key, "key");
    decision->reason = sy_read_u16(&r, "reason");
    bool known = decision->reason == 0 || sy_enum_word(&sy_enum_query_denial, decision->reason);
    if (!known) sy_reader_fail(&r, "reason");
    decision->height = sy_read_u64(&r, "height");
    decision->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

void sy_query_asked_encode(struct sy_writer *w, const struct sy_query_asked *asked)
{
    sy_write_u64(w, asked->epoch);
    sy_write_hash(w, &asked->query);
}

bool sy_query_asked_decode(struct sy_query_asked *asked, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *asked = (struct sy_query_asked){.epoch = 0};
    asked->epoch = sy_read_u64(&r, "epoch");
    sy_read_hash(&r, &asked->query, "query");
    return sy_reader_done(&r);
}

// --- results -----------------------------------------------------------------------------------

void sy_query_answer_encode(struct sy_writer *w, const struct sy_query_answer *result)
{
    SY_ASSERT(result->key_count <= SY_TX_SIGNERS_MAX);
    sy_write_u16(w, result->k);
    sy_write_u64(w, result->optouts);
    sy_write_u64(w, result->height);
    sy_write_i64(w, result->time_ms);
    sy_write_u8(w, result->has_total ? RESULT_TOTAL : 0);
    if (result->has_total) sy_write_u32(w, result->total);
    write_list(w, &result->rows);
    write_list(w, &result->columns);
    sy_write_bytes16(w, result->cells);
    sy_write_bytes16(w, result->row_totals);
    sy_write_bytes16(w, result->column_totals);
    sy_write_u8(w, result->key_count);
    for (unsigned i = 0; i < result->key_count; i++) sy_write_public_key(w, &result->keys[i]);
}

static void read_table(struct sy_reader *r, struct sy_query_answer *result)
{
    read_texts(r, &result->rows, NAMES_BYTES_MAX, "rows");
    read_texts(r, &result->columns, NAMES_BYTES_MAX, "columns");
    result->cells = sy_read_bytes16(r, (size_t)4 * SY_QUERY_CELLS_MAX, "cells");
    result->row_totals = sy_read_bytes16(r, (size_t)4 * SY_QUERY_SIDE_MAX, "row totals");
    result->column_totals = sy_read_bytes16(r, (size_t)4 * SY_QUERY_SIDE_MAX, "column totals");
    size_t rows = result->rows.count, columns = result->columns.count;
    bool cells = rows > 0 && columns > 0 && result->cells.size == 4 * rows * columns;
    bool of_rows = result->row_totals.size == 0 || result->row_totals.size == 4 * rows;
    bool of_columns = result->column_totals.size == 0 || result->column_totals.size == 4 * columns;
    if (!cells) sy_reader_fail(r, "cells");
    if (!of_rows) sy_reader_fail(r, "row totals");
    if (!of_columns) sy_reader_fail(r, "column totals");
}

bool sy_query_answer_decode(struct sy_query_answer *result, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *result = (struct sy_query_answer){.k = 0};
    result->k = sy_read_u16(&r, "k");
    if (result->k == 0) sy_reader_fail(&r, "k");
    result->optouts = sy_read_u64(&r, "opt-outs");
    result->height = sy_read_u64(&r, "height");
    result->time_ms = sy_read_i64(&r, "time");
    result->has_total = read_flags(&r, RESULT_TOTAL) != 0;
    if (result->has_total) result->total = sy_read_u32(&r, "total");
    if (result->has_total && result->total == SY_QUERY_HIDDEN) sy_reader_fail(&r, "total");
    read_table(&r, result);
    result->key_count = sy_read_u8(&r, "keys");
    bool fits = result->key_count >= 1 && result->key_count <= SY_TX_SIGNERS_MAX;
    if (!fits) sy_reader_fail(&r, "keys");
    for (unsigned i = 0; !r.failed && i < result->key_count; i++) {
        sy_read_public_key(&r, &result->keys[i], "key");
    }
    if (r.failed) result->key_count = 0;
    return sy_reader_done(&r);
}

// --- budgets, and who takes part ---------------------------------------------------------------

void sy_research_budget_encode(struct sy_writer *w, const struct sy_research_budget *budget)
{
    sy_write_u64(w, budget->epoch);
    sy_write_u64(w, budget->cells);
}

bool sy_research_budget_decode(struct sy_research_budget *budget, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    budget->epoch = sy_read_u64(&r, "epoch");
    budget->cells = sy_read_u64(&r, "cells");
    if (budget->cells > SY_SLOT_MAX) sy_reader_fail(&r, "cells");
    return sy_reader_done(&r);
}

void sy_contribution_encode(struct sy_writer *w, const struct sy_contribution *contribution)
{
    sy_write_u8(w, (uint8_t)((contribution->in ? CONTRIBUTION_IN : 0) |
                             (contribution->genetic ? CONTRIBUTION_GENETIC : 0)));
    sy_write_u32(w, contribution->times);
    sy_write_u64(w, contribution->height);
    sy_write_i64(w, contribution->time_ms);
    write_list(w, &contribution->classes);
}

bool sy_contribution_decode(struct sy_contribution *contribution, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *contribution = (struct sy_contribution){.times = 0};
    uint8_t flags = read_flags(&r, CONTRIBUTION_IN | CONTRIBUTION_GENETIC);
    contribution->in = (flags & CONTRIBUTION_IN) != 0;
    contribution->genetic = (flags & CONTRIBUTION_GENETIC) != 0;
    contribution->times = sy_read_u32(&r, "times");
    if (contribution->times == 0) sy_reader_fail(&r, "times");
    contribution->height = sy_read_u64(&r, "height");
    contribution->time_ms = sy_read_i64(&r, "time");
    read_texts(&r, &contribution->classes, CLASSES_BYTES_MAX, "classes");
    return sy_reader_done(&r);
}

void sy_optouts_encode(struct sy_writer *w, const struct sy_optouts *optouts)
{
    sy_write_u64(w, optouts->count);
    sy_write_u64(w, optouts->height);
    sy_write_i64(w, optouts->time_ms);
}

bool sy_optouts_decode(struct sy_optouts *optouts, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    optouts->count = sy_read_u64(&r, "count");
    optouts->height = sy_read_u64(&r, "height");
    optouts->time_ms = sy_read_i64(&r, "time");
    if (optouts->count == 0 || optouts->count > SY_SLOT_MAX) sy_reader_fail(&r, "count");
    return sy_reader_done(&r);
}
