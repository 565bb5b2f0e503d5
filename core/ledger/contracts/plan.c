/* plan.c: plans, whom they cover, and the lists that claims are judged by.
 *
 * plan.publish (a payer's key answers for it)
 *   the id is taken                                       E_PLAN_EXISTS {plan id}
 *   a list it names is not there, or counts later         E_SCHEDULE {its kind}, path the field
 *   writes   plan
 *   event    plan.published about the payer, object: the plan
 *
 * coverage.add (a payer's key answers for it)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   the id is taken                                       E_COVERAGE_EXISTS {coverage id}
 *   the payer has no such plan                            E_PLAN_UNKNOWN {plan id}
 *   from is after until                                   E_COVERAGE_WINDOW
 *   one of that order stands in that time                 E_COVERAGE_OVERLAP {that coverage}
 *   there are 32 of that order for which claims may come  E_COVERAGES {32}
 *   writes   coverage, coverages
 *   event    coverage.changed about the patient, object: the coverage
 *
 * coverage.end (a payer's key answers for it)
 *   there is no such coverage                             E_COVERAGE_UNKNOWN {coverage id}
 *   it is another payer's                                 E_NOT_PAYER {that payer}
 *   until is before its begin, or not before its end      E_COVERAGE_WINDOW {its end}
 *   writes   coverage, coverages
 *   event    as above
 *
 * schedule.rows (a regulator or a payer's key answers for it)
 *   there is no such version of the publisher's list      E_SCHEDULE {its kind}, path version
 *   the page does not lead to the list's root             E_SCHEDULE_PAGE
 *   a row is not key=value[+flags]                        E_SCHEMA, path rows[i]
 *   the list has that row with another value already      E_SCHEDULE_PAGE, path rows[i]
 *   writes   a schedule row for each
 *
 * A list's root is the Merkle root (RFC 6962) of its pages; a page's leaf is its rows as they are
 * encoded. The root stands long before a list counts, so that nobody can put other rows in its
 * place, and pages may come in any order, again and by any key of the publisher. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/ledger/contracts/claim_rules.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/money_state.h"

static const struct sy_hash regulators; /* publish for all: their holder is zero */

/* There is such a version, and it counts already. */
static bool counts(struct sy_exec *x, const struct sy_hash *publisher, uint16_t kind,
                   uint32_t version)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_schedule schedule;
    sy_state_key_schedule_version(&place, publisher, kind, version);
    if (!sy_exec_find(x, &value, &place)) return false;
    if (!sy_schedule_decode(&schedule, value)) {
        x->failed = SY_ERR_CORRUPT;
        return false;
    }
    return schedule.activation_height <= x->height;
}

enum sy_refusal sy_contract_plan_publish(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_plan_publish *p = &payload->plan_publish;
    SY_ASSERT(x->kind->number == SY_KIND_plan_publish && x->by->role == SY_ROLE_PAYER);
    static const char *const paths[] = {
        [SY_SCHEDULE_FEES] = "fees_version",   [SY_SCHEDULE_PAIRS] = "pairs_version",
        [SY_SCHEDULE_UNITS] = "units_version", [SY_SCHEDULE_EXCLUSIONS] = "exclusions_version",
        [SY_SCHEDULE_CODES] = "codes_version",
    };
    if (sy_exec_has(x, SY_STATE_PLAN, &p->plan_id)) {
        return sy_refuse_hash(x, SY_E_PLAN_EXISTS, &p->plan_id);
    }
    struct sy_plan plan = {
        .payer = x->by->holder,
        .deductible = p->deductible,
        .copays = {p->copay_office, p->copay_emergency, p->copay_inpatient, p->copay_pharmacy},
        .coinsurance_bp = p->coinsurance_bp,
        .out_of_pocket_max = p->out_of_pocket_max,
        .benefit_max = p->benefit_max,
        .filing_days = p->filing_days,
        .dispute_days = p->dispute_days,
        .versions = {0, p->fees_version, p->pairs_version, p->units_version, p->exclusions_version,
                     p->codes_version},
        .height = x->height,
        .encounters = p->has_encounters && p->encounters,
    };
    for (uint16_t kind = SY_SCHEDULE_FEES; kind <= SY_SCHEDULE_CODES; kind++) {
        const struct sy_hash *publisher = kind == SY_SCHEDULE_FEES ? &plan.payer : &regulators;
        if (plan.versions[kind] == 0 || counts(x, publisher, kind, plan.versions[kind])) continue;
        x->detail = kind;
        return sy_refuse_path(x, SY_E_SCHEDULE, paths[kind]);
    }
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash place;
    sy_plan_encode(&w, &plan);
    sy_exec_key(x, &place, SY_STATE_PLAN, &p->plan_id);
    sy_exec_save(x, &place, &w);
    sy_exec_event(x, SY_EVENT_PLAN_PUBLISHED, SY_SUBJECT_ORG, &plan.payer, &p->plan_id);
    return SY_APPLIED;
}

// --- coverage ----------------------------------------------------------------------------------

/* The longest that a claim comes after the first moment of its service: then a coverage that ended
 * before is nobody's to bill, and gives its place to another. */
#define COVERAGE_MS_MAX (SY_CLAIM_SPAN_MS_MAX + SY_FILING_DAYS_MAX * 86400000ll)

static void forget_old(struct sy_coverages *coverages, int64_t time_ms)
{
    uint8_t left = 0;
    for (unsigned i = 0; i < coverages->count; i++) {
        const struct sy_coverage_span *span = &coverages->spans[i];
        if (span->until_ms >= time_ms - COVERAGE_MS_MAX) coverages->spans[left++] = *span;
    }
    coverages->count = left;
}

/* Puts it among those of its order, which it must not overlap. */
static enum sy_refusal place_coverage(struct sy_exec *x, const struct sy_coverage_add *p)
{
    struct sy_coverages coverages;
    sy_money_find_coverages(x, &coverages, &p->patient_id, p->order);
    for (unsigned i = 0; i < coverages.count; i++) {
        const struct sy_coverage_span *span = &coverages.spans[i];
        bool apart = p->until < span->from_ms || p->from > span->until_ms;
        if (!apart) return sy_refuse_hash(x, SY_E_COVERAGE_OVERLAP, &span->coverage);
    }
    if (coverages.count == SY_COVERAGES_MAX) forget_old(&coverages, x->time_ms);
    if (coverages.count == SY_COVERAGES_MAX) {
        x->detail = SY_COVERAGES_MAX;
        return SY_E_COVERAGES;
    }
    struct sy_coverage_span *span = &coverages.spans[coverages.count++];
    span->coverage = p->coverage_id;
    span->from_ms = p->from;
    span->until_ms = p->until;
    sy_money_save_coverages(x, &p->patient_id, p->order, &coverages);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_coverage_add(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_coverage_add *p = &payload->coverage_add;
    SY_ASSERT(x->kind->number == SY_KIND_coverage_add && x->by->role == SY_ROLE_PAYER);
    struct sy_patient patient;
    struct sy_plan plan;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (sy_exec_has(x, SY_STATE_COVERAGE, &p->coverage_id)) {
        return sy_refuse_hash(x, SY_E_COVERAGE_EXISTS, &p->coverage_id);
    }
    if (!sy_money_find_plan(x, &plan, &p->plan_id) || !sy_hash_equal(&plan.payer, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_PLAN_UNKNOWN, &p->plan_id);
    }
    if (p->from > p->until) return SY_E_COVERAGE_WINDOW;
    code = place_coverage(x, p);
    if (code != SY_APPLIED) return code;
    struct sy_coverage coverage = {.patient = p->patient_id,
                                   .plan = p->plan_id,
                                   .payer = plan.payer,
                                   .from_ms = p->from,
                                   .until_ms = p->until,
                                   .order = p->order,
                                   .height = x->height};
    sy_money_save_coverage(x, &p->coverage_id, &coverage);
    sy_exec_event(x, SY_EVENT_COVERAGE_CHANGED, SY_SUBJECT_PATIENT, &p->patient_id,
                  &p->coverage_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_coverage_end(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_coverage_end *p = &payload->coverage_end;
    SY_ASSERT(x->kind->number == SY_KIND_coverage_end && x->by->role == SY_ROLE_PAYER);
    struct sy_coverage coverage;
    struct sy_coverages coverages;
    if (!sy_money_find_coverage(x, &coverage, &p->coverage_id)) {
        return sy_refuse_hash(x, SY_E_COVERAGE_UNKNOWN, &p->coverage_id);
    }
    if (!sy_hash_equal(&coverage.payer, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_PAYER, &coverage.payer);
    }
    if (p->until < coverage.from_ms || p->until >= coverage.until_ms) {
        x->detail = (uint64_t)coverage.until_ms;
        return SY_E_COVERAGE_WINDOW;
    }
    coverage.until_ms = p->until;
    coverage.ended_height = x->height;
    sy_money_find_coverages(x, &coverages, &coverage.patient, coverage.order);
    for (unsigned i = 0; i < coverages.count; i++) {
        struct sy_coverage_span *span = &coverages.spans[i];
        if (sy_hash_equal(&span->coverage, &p->coverage_id)) span->until_ms = p->until;
    }
    sy_money_save_coverage(x, &p->coverage_id, &coverage);
    sy_money_save_coverages(x, &coverage.patient, coverage.order, &coverages);
    sy_exec_event(x, SY_EVENT_COVERAGE_CHANGED, SY_SUBJECT_PATIENT, &coverage.patient,
                  &p->coverage_id);
    return SY_APPLIED;
}

// --- rows --------------------------------------------------------------------------------------

/* Does the page belong to what was published? */
static bool proves(const struct sy_schedule_rows *p, const struct sy_hash *root)
{
    struct sy_merkle_path path = {.leaf_index = p->page, .leaf_count = p->pages};
    struct sy_hash leaf, found, sibling;
    if (p->path.count != sy_merkle_path_length(p->page, p->pages)) return false;
    for (size_t offset = 0; sy_list_next_id(&p->path, &offset, &sibling);) {
        path.siblings[path.count++] = sibling;
    }
    sy_hash_leaf(&leaf, p->rows.items);
    return sy_merkle_path_root(&found, &path, &leaf) && sy_hash_equal(&found, root);
}

static enum sy_refusal save_rows(struct sy_exec *x, const struct sy_schedule_rows *p)
{
    struct sy_hash list, place;
    struct sy_slice text, key;
    struct sy_schedule_row row, before;
    unsigned number = 0;
    sy_schedule_id(&list, &x->by->holder, p->kind, p->version);
    for (size_t offset = 0; sy_list_next_text(&p->rows, &offset, &text); number++) {
        uint8_t room[16];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        if (!sy_row_parse(&key, &row, text)) {
            return sy_money_refuse_item(x, SY_E_SCHEMA, "rows", number);
        }
        // A list that has a row twice would let its publisher choose, again and again.
        if (sy_money_find_row(x, &before, &list, key) &&
            (before.value != row.value || before.flags != row.flags)) {
            return sy_money_refuse_item(x, SY_E_SCHEDULE_PAGE, "rows", number);
        }
        sy_schedule_row_encode(&w, &row);
        sy_state_key_schedule_row(&place, &list, key);
        sy_exec_save(x, &place, &w);
    }
    return SY_APPLIED;
}

enum sy_refusal sy_contract_schedule_rows(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_schedule_rows *p = &payload->schedule_rows;
    SY_ASSERT(x->kind->number == SY_KIND_schedule_rows && x->by->valid);
    struct sy_hash place;
    struct sy_slice value;
    struct sy_schedule schedule;
    sy_state_key_schedule_version(&place, &x->by->holder, p->kind, p->version);
    if (!sy_exec_find(x, &value, &place)) {
        x->detail = p->kind;
        return sy_refuse_path(x, SY_E_SCHEDULE, "version");
    }
    if (!sy_schedule_decode(&schedule, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_E_SCHEDULE;
    }
    if (!proves(p, &schedule.root)) return SY_E_SCHEDULE_PAGE;
    return save_rows(x, p);
}
