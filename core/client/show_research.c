/* show_research.c: see show_research.h. */
#include "core/client/show_research.h"
#include "core/client/show_fields.h"

#include "core/wire/schema.h"

// --- data sets ---------------------------------------------------------------------------------

static bool put_dataset(sy_json *json, struct sy_slice value)
{
    struct sy_dataset dataset;
    if (!sy_dataset_decode(&dataset, value)) return false;
    sy_show_ids(json, "custodians", &dataset.custodians);
    sy_json_put_u64(json, "needed", dataset.needed);
    sy_show_hash(json, "ethics_board", &dataset.ethics);
    sy_json_put_u64(json, "version", dataset.version);
    sy_json_put_bool(json, "withdrawn", dataset.withdrawn);
    if (dataset.withdrawn) {
        sy_show_word(json, "reason", &sy_enum_dataset_withdrawal, dataset.reason);
        sy_json_put_u64(json, "withdrawn_height", dataset.withdrawn_height);
        sy_json_put_i64(json, "withdrawn_ms", dataset.withdrawn_ms);
    }
    sy_show_when(json, dataset.height, dataset.time_ms);
    return true;
}

static bool put_version(sy_json *json, struct sy_slice value)
{
    struct sy_dataset_version version;
    if (!sy_dataset_version_decode(&version, value)) return false;
    sy_show_hash(json, "schema_commit", &version.schema_commit);
    sy_show_hash(json, "counts_root", &version.counts_root);
    sy_show_hash(json, "record_root", &version.record_root);
    sy_json_put_u64(json, "as_of", version.as_of);
    sy_show_word(json, "basis", &sy_enum_dataset_basis, version.basis);
    sy_json_put_bool(json, "genetic", version.genetic);
    sy_json_put_bool(json, "wearable", version.wearable);
    sy_show_texts(json, "codes", &version.codes);
    sy_show_texts(json, "phenotypes", &version.phenotypes);
    sy_show_set(json, "devices", &sy_enum_device_class, version.devices);
    sy_show_set(json, "ages", &sy_enum_age_band, version.ages);
    sy_show_word(json, "people", &sy_enum_count_bucket, version.people);
    if (version.has_beacon) sy_show_hash(json, "beacon_root", &version.beacon_root);
    sy_show_key(json, "custodian_key", &version.custodian_key);
    sy_show_key(json, "ethics_board_key", &version.ethics_key);
    sy_show_when(json, version.height, version.time_ms);
    return true;
}

// --- queries -----------------------------------------------------------------------------------

static void put_predicate(sy_json *json, const struct sy_predicate *predicate)
{
    sy_show_texts(json, "codes", &predicate->codes);
    sy_show_texts(json, "phenotypes", &predicate->phenotypes);
    sy_show_texts(json, "variants", &predicate->variants);
    sy_show_set(json, "devices", &sy_enum_device_class, predicate->devices);
    sy_show_set(json, "ages", &sy_enum_age_band, predicate->ages);
    sy_show_word(json, "rows", &sy_enum_query_axis, predicate->rows);
    sy_show_word(json, "columns", &sy_enum_query_axis, predicate->columns);
}

static bool put_query(sy_json *json, struct sy_slice value)
{
    struct sy_query query;
    if (!sy_query_decode(&query, value)) return false;
    sy_show_hash(json, "researcher", &query.researcher);
    sy_show_hash(json, "organisation", &query.organisation);
    sy_show_word(json, "status", &sy_enum_query_status, query.status);
    sy_show_word(json, "purpose", &sy_enum_query_purpose, query.purpose);
    sy_show_hash(json, "ethics_ref", &query.ethics_ref);
    sy_json_put_u64(json, "budget", query.budget);
    sy_json_key(json, "datasets");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < query.dataset_count; i++) {
        sy_json_object_begin(json);
        sy_show_hash(json, "id", &query.datasets[i].id);
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
    sy_show_when(json, query.height, query.time_ms);
    return true;
}

static bool put_decision(sy_json *json, struct sy_slice value)
{
    struct sy_query_decision decision;
    if (!sy_query_decision_decode(&decision, value)) return false;
    sy_json_put_bool(json, "approves", decision.reason == 0);
    if (decision.reason != 0) {
        sy_show_word(json, "reason", &sy_enum_query_denial, decision.reason);
    }
    sy_show_key(json, "key", &decision.key);
    sy_show_when(json, decision.height, decision.time_ms);
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
    sy_show_texts(json, "rows", &answer.rows);
    sy_show_texts(json, "columns", &answer.columns);
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
    sy_show_when(json, answer.height, answer.time_ms);
    return true;
}

// --- people ------------------------------------------------------------------------------------

static bool put_contribution(sy_json *json, struct sy_slice value)
{
    struct sy_contribution contribution;
    if (!sy_contribution_decode(&contribution, value)) return false;
    sy_json_put_bool(json, "in", contribution.in);
    sy_show_texts(json, "classes", &contribution.classes);
    sy_json_put_bool(json, "genetic", contribution.genetic);
    sy_json_put_u64(json, "times", contribution.times);
    sy_show_when(json, contribution.height, contribution.time_ms);
    return true;
}

static bool put_optouts(sy_json *json, struct sy_slice value)
{
    struct sy_optouts optouts;
    if (!sy_optouts_decode(&optouts, value)) return false;
    sy_json_put_u64(json, "count", optouts.count);
    sy_show_when(json, optouts.height, optouts.time_ms);
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
