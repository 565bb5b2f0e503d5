/* research_rules.c: see research_rules.h. */
#include "core/ledger/contracts/research_rules.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/ledger/contracts/trial_rules.h"

#define DAY_MS 86400000ll

_Static_assert(SY_QUERY_DATASETS_MAX *SY_DATASET_CUSTODIANS_MAX <= SY_TX_COSIGNERS_MAX,
               "all custodians of a query can sign its result");

enum sy_refusal sy_query_refuse(struct sy_exec *x, unsigned why)
{
    x->detail = why;
    return SY_E_QUERY_STATE;
}

// --- data sets ---------------------------------------------------------------------------------

enum sy_refusal sy_dataset_find(struct sy_exec *x, struct sy_dataset *dataset,
                                const struct sy_hash *id)
{
    struct sy_slice value;
    bool found = sy_exec_find_at(x, &value, SY_STATE_DATASET, id) &&
                 sy_exec_decoded(x, sy_dataset_decode(dataset, value));
    return found ? SY_APPLIED : sy_refuse_hash(x, SY_E_DATASET_UNKNOWN, id);
}

enum sy_refusal sy_dataset_find_open(struct sy_exec *x, struct sy_dataset *dataset,
                                     const struct sy_hash *id)
{
    enum sy_refusal code = sy_dataset_find(x, dataset, id);
    if (code != SY_APPLIED || !dataset->withdrawn) return code;
    x->detail = dataset->withdrawn_height;
    return sy_refuse_hash(x, SY_E_DATASET_STATE, id);
}

void sy_dataset_save(struct sy_exec *x, const struct sy_hash *id, const struct sy_dataset *dataset)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_dataset_encode(&w, dataset);
    sy_exec_save_at(x, SY_STATE_DATASET, id, &w);
}

bool sy_dataset_find_version(struct sy_exec *x, struct sy_dataset_version *version,
                             const struct sy_hash *id, uint32_t number)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_research_key_version(&key_hash, id, number);
    bool found = sy_exec_find(x, &value, &key_hash) && sy_dataset_version_decode(version, value);
    return sy_exec_decoded(x, found);
}

void sy_dataset_save_version(struct sy_exec *x, const struct sy_hash *id, uint32_t number,
                             const struct sy_dataset_version *version)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_hash key_hash;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_dataset_version_encode(&w, version);
    sy_research_key_version(&key_hash, id, number);
    sy_exec_save(x, &key_hash, &w);
}

bool sy_dataset_kept_by(const struct sy_dataset *dataset, const struct sy_hash *organisation)
{
    return sy_trial_list_has(&dataset->custodians, organisation);
}

unsigned sy_dataset_signed(const struct sy_exec *x, const struct sy_dataset *dataset,
                           const struct sy_hash *except)
{
    struct sy_hash custodian;
    unsigned count = 0;
    for (size_t offset = 0; sy_list_next_id(&dataset->custodians, &offset, &custodian);) {
        if (except != NULL && sy_hash_equal(except, &custodian)) continue;
        if (sy_trial_signer(x, SY_ROLE_ORG_ADMIN, &custodian) != NULL) count++;
    }
    return count;
}

// --- queries -----------------------------------------------------------------------------------

enum sy_refusal sy_query_find_open(struct sy_exec *x, struct sy_query *query,
                                   const struct sy_hash *id)
{
    struct sy_slice value;
    bool found = sy_exec_find_at(x, &value, SY_STATE_QUERY, id) &&
                 sy_exec_decoded(x, sy_query_decode(query, value));
    if (!found) return sy_refuse_hash(x, SY_E_QUERY_UNKNOWN, id);
    if (x->time_ms - query->time_ms <= SY_QUERY_MS_MAX) return SY_APPLIED;
    return sy_query_refuse(x, SY_QUERY_LAPSED);
}

void sy_query_save(struct sy_exec *x, const struct sy_hash *id, const struct sy_query *query)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_query_encode(&w, query);
    sy_exec_save_at(x, SY_STATE_QUERY, id, &w);
}

/* Organisations that are told, each once. */
struct told {
    unsigned count;
    struct sy_hash ids[1 + SY_QUERY_DATASETS_MAX * (1 + SY_DATASET_CUSTODIANS_MAX)];
};

static void tell_once(struct sy_exec *x, struct told *told, enum sy_event_kind kind,
                      const struct sy_hash *organisation, const struct sy_hash *object)
{
    for (unsigned i = 0; i < told->count; i++) {
        if (sy_hash_equal(&told->ids[i], organisation)) return;
    }
    SY_ASSERT(told->count < sizeof told->ids / sizeof told->ids[0]);
    told->ids[told->count++] = *organisation;
    sy_exec_event(x, kind, SY_SUBJECT_ORG, organisation, object);
}

void sy_query_tell(struct sy_exec *x, enum sy_event_kind kind, const struct sy_query *query,
                   const struct sy_hash *id, bool asker)
{
    struct told told = {.count = 0};
    struct sy_dataset dataset;
    struct sy_hash custodian;
    if (asker) tell_once(x, &told, kind, &query->organisation, id);
    for (unsigned i = 0; i < query->dataset_count; i++) {
        if (sy_dataset_find(x, &dataset, &query->datasets[i].id) != SY_APPLIED) {
            sy_exec_corrupt(x); // no data set vanishes
            return;
        }
        tell_once(x, &told, kind, &dataset.ethics, id);
        for (size_t offset = 0; sy_list_next_id(&dataset.custodians, &offset, &custodian);) {
            tell_once(x, &told, kind, &custodian, id);
        }
    }
}

// --- budgets -----------------------------------------------------------------------------------

uint64_t sy_research_epoch(const struct sy_exec *x)
{
    int64_t days = x->params.research_days > 0 ? x->params.research_days : 1; // the source failed
    return x->time_ms > 0 ? (uint64_t)(x->time_ms / (days * DAY_MS)) : 0;
}

enum sy_refusal sy_research_charge(struct sy_exec *x, const struct sy_hash *whose,
                                   enum sy_budget_of what, unsigned cells, uint64_t most)
{
    uint8_t room[32];
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_research_budget budget = {.epoch = sy_research_epoch(x)}, before;
    sy_research_key_budget(&key_hash, whose, what);
    bool found = sy_exec_find(x, &value, &key_hash) &&
                 sy_exec_decoded(x, sy_research_budget_decode(&before, value));
    // Block time does not fall; an epoch that does is one of other parameters.
    if (found && before.epoch == budget.epoch) budget.cells = before.cells;
    if (budget.cells + cells > most) {
        x->detail = budget.cells < most ? most - budget.cells : 0;
        return sy_refuse_hash(x, SY_E_BUDGET, whose);
    }
    budget.cells += cells;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_research_budget_encode(&w, &budget);
    sy_exec_save(x, &key_hash, &w);
    return SY_APPLIED;
}

// --- texts -------------------------------------------------------------------------------------

static bool above(struct sy_slice a, struct sy_slice b)
{
    size_t both = a.size < b.size ? a.size : b.size;
    int order = both > 0 ? memcmp(a.data, b.data, both) : 0;
    return order != 0 ? order > 0 : a.size > b.size;
}

bool sy_texts_ascend(const struct sy_list *list)
{
    struct sy_slice text, before = {0};
    bool first = true;
    for (size_t offset = 0; sy_list_next_text(list, &offset, &text); first = false) {
        if (!first && !above(text, before)) return false;
        before = text;
    }
    return true;
}

bool sy_texts_phenotypes(const struct sy_list *list)
{
    struct sy_slice text;
    for (size_t offset = 0; sy_list_next_text(list, &offset, &text);) {
        if (text.size != 10 || memcmp(text.data, "HP:", 3) != 0) return false;
        for (size_t i = 3; i < text.size; i++) {
            if (text.data[i] < '0' || text.data[i] > '9') return false;
        }
    }
    return sy_texts_ascend(list);
}

uint64_t sy_optouts_count(struct sy_exec *x)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_optouts optouts = {.count = 0};
    sy_state_key_zero(&key_hash, SY_STATE_OPTOUTS);
    bool any = sy_exec_find(x, &value, &key_hash) &&
               sy_exec_decoded(x, sy_optouts_decode(&optouts, value));
    return any ? optouts.count : 0;
}
