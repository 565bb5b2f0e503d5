/* show_research.c: see show_research.h. */
#include "core/client/show_research.h"

#include "core/wire/schema.h"

static void put_hash(sy_json *json, const char *name, const struct sy_hash *hash)
{
    sy_json_put_hex(json, name, hash->bytes, sizeof hash->bytes);
}

static void put_key(sy_json *json, const char *name, const struct sy_public_key *key)
{
    sy_json_put_hex(json, name, key->bytes, sizeof key->bytes);
}

/* A word of a decoded value: it has one. */
static void put_word(sy_json *json, const char *name, const struct sy_enum *names, uint16_t number)
{
    sy_json_put_text(json, name, sy_enum_word(names, number));
}

static void put_words(sy_json *json, const char *name, const struct sy_enum *names, uint32_t set)
{
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (unsigned i = 0; i < names->count; i++) {
        if ((set & SY_SET_BIT(names->values[i].number)) != 0) {
            sy_json_text(json, names->values[i].word);
        }
    }
    sy_json_array_end(json);
}

static void put_when(sy_json *json, uint64_t height, int64_t time_ms)
{
    sy_json_put_u64(json, "height", height);
    sy_json_put_i64(json, "time_ms", time_ms);
}

static void put_ids(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_hash id;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_id(list, &offset, &id);) {
        sy_json_hex(json, id.bytes, sizeof id.bytes);
    }
    sy_json_array_end(json);
}

static void put_texts(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_slice text;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_text(list, &offset, &text);) {
        sy_json_text_bytes(json, text.data, text.size);
    }
    sy_json_array_end(json);
}

// --- data sets ---------------------------------------------------------------------------------

static bool put_dataset(sy_json *json, struct sy_slice value)
{
    struct sy_dataset dataset;
    if (!sy_dataset_decode(&dataset, value)) return false;
    put_ids(json, "custodians", &dataset.custodians);
    sy_json_put_u64(json, "needed", dataset.needed);
    put_hash(json, "ethics_board", &dataset.ethics);
    sy_json_put_u64(json, "version", dataset.version);
    sy_json_put_bool(json, "withdrawn", dataset.withdrawn);
    if (dataset.withdrawn) {
        put_word(json, "reason", &sy_enum_dataset_withdrawal, dataset.reason);
        sy_json_put_u64(json, "withdrawn_height", dataset.withdrawn_height);
        sy_json_put_i64(json, "withdrawn_ms", dataset.withdrawn_ms);
    }
    put_when(json, dataset.height, dataset.time_ms);
    return true;
}

static bool put_version(sy_json *json, struct sy_slice value)
{
    struct sy_dataset_version version;
    if (!sy_dataset_version_decode(&version, value)) return false;
    put_hash(json, "schema_commit", &version.schema_commit);
    put_hash(json, "counts_root", &version.counts_root);
    put_hash(json, "record_root", &version.record_root);
    sy_json_put_u64(json, "as_of", version.as_of);
    put_word(json, "basis", &sy_enum_dataset_basis, version.basis);
    sy_json_put_bool(json, "genetic", version.genetic);
    sy_json_put_bool(json, "wearable", version.wearable);
    put_texts(json, "codes", &version.codes);
    put_texts(json, "phenotypes", &version.phenotypes);
    put_words(json, "devices", &sy_enum_device_class, version.devices);
    put_words(json, "ages", &sy_enum_age_band, version.ages);
    put_word(json, "people", &sy_enum_count_bucket, version.people);
    if (version.has_beacon) put_hash(json, "beacon_root", &version.beacon_root);
    put_key(json, "custodian_key", &version.custodian_key);
    put_key(json, "ethics_board_key", &version.ethics_key);
    put_when(json, version.height, version.time_ms);
    return true;
}

// --- queries -----------------------------------------------------------------------------------

static void put_predicate(sy_json *json, const struct sy_predicate *predicate)
{
    put_texts(json, "codes", &predicate->codes);
    put_texts(json, "phenotypes", &predicate->phenotypes);
    put_texts(json, "variants", &predicate->variants);
    put_words(json, "devices", &sy_enum_device_class, predicate->devices);
    put_words(json, "ages", &sy_enum_age_band, predicate->ages);
    put_word(json, "rows", &sy_enum_query_axis, predicate->rows);
    put_word(json, "columns", &sy_enum_query_axis, predicate->columns);
}

static bool put_query(sy_json *json, struct sy_slice value)
{
    struct sy_query query;
    if (!sy_query_decode(&query, value)) return false;
    put_hash(json, "researcher", &query.researcher);
    put_hash(json, "organisation", &query.organisation);
    put_word(json, "status", &sy_enum_query_status, query.status);
    put_word(json, "purpose", &sy_enum_query_purpose, query.purpose);
    put_hash(json, "ethics_ref", &query.ethics_ref);
    sy_json_put_u64(json, "budget", query.budget);
    sy_json_key(json, "datasets");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < query.dataset_count; i++) {
        sy_json_object_begin(json);
        put_hash(json, "id", &query.datasets[i].id);
        sy_json_put_u64(json, "version", query.datasets[i].version);
        sy_json_put_u64(json, "custodians_approved", query.datasets[i].approvals);
        sy_json_put_bool(json, "ethics_board_approved", query.datasets[i].ethics);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    put_predicate(json, &query.predicate);
    if (query.approved_height > 0) {
        sy_json_put_u64(json, "approved_height", query.approved_height);
    }
    if (query.ended_height > 0) sy_json_put_u64(json, "ended_height", query.ended_height);
    put_when(json, query.height, query.time_ms);
    return true;
}

static bool put_decision(sy_json *json, struct sy_slice value)
{
    struct sy_query_decision decision;
    if (!sy_query_decision_decode(&decision, value)) return false;
    sy_json_put_bool(json, "approves", decision.reason == 0);
    if (decision.reason != 0) {
        put_word(json, "reason", &sy_enum_query_denial, decision.reason);
    }
    put_key(json, "key", &decision.key);
    put_when(json, decision.height, decision.time_ms);
    return true;
}

/* A count, or null for one that is not told. */
static void put_count(sy_json *json, const uint8_t *bytes)
{
    uint32_t count = sy_load_u32(bytes);
    if (count == SY_QUERY_HIDDEN) {
        sy_json_null(json);
    } else {
        sy_json_u64(json, count);
    }
}

/* Counts, `each` in an array of their own; 0: all in one. */
static void put_counts(sy_json *json, const char *name, struct sy_slice counts, size_t each)
{
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (size_t i = 0; i < counts.size / 4; i++) {
        if (each > 0 && i % each == 0) sy_json_array_begin(json);
        put_count(json, counts.data + 4 * i);
        if (each > 0 && i % each == each - 1) sy_json_array_end(json);
    }
    sy_json_array_end(json);
}

static bool put_answer(sy_json *json, struct sy_slice value)
{
    struct sy_query_answer answer;
    if (!sy_query_answer_decode(&answer, value)) return false;
    sy_json_put_u64(json, "k", answer.k);
    sy_json_put_u64(json, "optouts", answer.optouts);
    put_texts(json, "rows", &answer.rows);
    put_texts(json, "columns", &answer.columns);
    put_counts(json, "cells", answer.cells, answer.columns.count);
    put_counts(json, "row_totals", answer.row_totals, 0);
    put_counts(json, "column_totals", answer.column_totals, 0);
    if (answer.has_total) {
        uint8_t bytes[4];
        sy_store_u32(bytes, answer.total);
        sy_json_key(json, "total");
        put_count(json, bytes);
    }
    sy_json_key(json, "custodians_keys");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < answer.key_count; i++) {
        sy_json_hex(json, answer.keys[i].bytes, sizeof answer.keys[i].bytes);
    }
    sy_json_array_end(json);
    put_when(json, answer.height, answer.time_ms);
    return true;
}

// --- people ------------------------------------------------------------------------------------

static bool put_contribution(sy_json *json, struct sy_slice value)
{
    struct sy_contribution contribution;
    if (!sy_contribution_decode(&contribution, value)) return false;
    sy_json_put_bool(json, "in", contribution.in);
    put_texts(json, "classes", &contribution.classes);
    sy_json_put_bool(json, "genetic", contribution.genetic);
    sy_json_put_u64(json, "times", contribution.times);
    put_when(json, contribution.height, contribution.time_ms);
    return true;
}

static bool put_optouts(sy_json *json, struct sy_slice value)
{
    struct sy_optouts optouts;
    if (!sy_optouts_decode(&optouts, value)) return false;
    sy_json_put_u64(json, "count", optouts.count);
    put_when(json, optouts.height, optouts.time_ms);
    return true;
}

static bool put_budget(sy_json *json, struct sy_slice value)
{
    struct sy_research_budget budget;
    if (!sy_research_budget_decode(&budget, value)) return false;
    sy_json_put_u64(json, "epoch", budget.epoch);
    sy_json_put_u64(json, "cells", budget.cells);
    return true;
}

bool sy_show_research(sy_json *json, uint8_t state_kind, struct sy_slice value)
{
    switch (state_kind) {
    case SY_STATE_DATASET: return put_dataset(json, value);
    case SY_STATE_DATASET_VERSION: return put_version(json, value);
    case SY_STATE_QUERY: return put_query(json, value);
    case SY_STATE_QUERY_DECISION: return put_decision(json, value);
    case SY_STATE_QUERY_RESULT: return put_answer(json, value);
    case SY_STATE_RESEARCH_BUDGET: return put_budget(json, value);
    case SY_STATE_CONTRIBUTION: return put_contribution(json, value);
    case SY_STATE_OPTOUTS: return put_optouts(json, value);
    default: return false;
    }
}
