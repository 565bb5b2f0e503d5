/* research_query.c: what is asked of data sets, and who decides about it.
 *
 * query.propose (a researcher answers for it)
 *   the id is taken                                       E_DATASET_EXISTS {id}
 *   codes, phenotypes or variants do not ascend           E_SCHEMA, path that
 *   ages or devices are all that there are: say none      E_SCHEMA, path that
 *   columns are not above rows, but one for all           E_SCHEMA, path columns
 *   more terms and axes than may be                       E_PREDICATE {how many may be}
 *   a data set is unknown, or withdrawn                   E_DATASET_UNKNOWN {it},
 *                                                         E_DATASET_STATE {height} {it}
 *   it has no genetic data, no phenotypes or no devices,
 *   and is asked about them                               E_PREDICATE {0} {it}
 *   too few of its custodians, or no ethics board, are of
 *   another organisation than the researcher's; or the
 *   board of one is of a custodian of another             E_CONFLICT {the organisation}
 *   the same was asked of it in this epoch                E_ASKED {that query}
 *   the researcher, or their organisation, has not so
 *   many cells left in this epoch                         E_BUDGET {how many} {key, organisation}
 *   writes   query, research budget of both
 *   event    query.proposed about every ethics board and custodian, each once; object: the query
 *
 * query.approve (a custodian's admin or an ethics board answers for it)
 *   there is no such query                                E_QUERY_UNKNOWN {id}
 *   it was proposed over 90 days ago                      E_QUERY_STATE {5}
 *   it was approved, denied or answered                   E_QUERY_STATE {2, 3, 4}
 *   it is of the researcher's organisation                E_CONFLICT {that}
 *   the organisation decided before                       E_QUERY_STATE {6}
 *   a data set is withdrawn                               E_DATASET_STATE {height} {it}
 *   it decides about none of the data sets                E_DATA_CUSTODIAN {the first of them}
 *   with the last approval that it takes:
 *     the same was approved in this epoch                 E_ASKED {that query}
 *     a data set or a custodian has not so many cells
 *     left in this epoch                                  E_BUDGET {how many} {it}
 *   writes   query decision, query; with the last approval also research budget of each data set
 *            and custodian, query asked
 *   event    query.approved about the researcher's organisation and as above, with the last one
 *
 * query.deny (likewise)
 *   unknown, too old                                      as above
 *   it was denied or answered                             E_QUERY_STATE {3, 4}
 *   it is of the researcher's organisation, or of none
 *   that decides                                          as above
 *   writes   query decision, query
 *   event    query.denied as above
 *
 * Who asks is charged when they ask, whatever becomes of it: only their own signature spends it,
 * and proposals are not tried on custodians for nothing. The budget is the person's and, four
 * times, the organisation's, so many keys of one organisation do not ask more. A data set is
 * charged when it says yes: nobody uses it up by asking. It counts for the data set and, four
 * times, for each custodian: a data set that is withdrawn and published anew, a little changed, or
 * cut into many, has no fresh budget. Two that ask the same at once are told apart when the second
 * is approved. Whoever approved may deny until there is an answer: an approval is not a duty to
 * answer. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/research_rules.h"
#include "core/ledger/contracts/trial_rules.h"

// --- what is asked -----------------------------------------------------------------------------

static unsigned count_terms(const struct sy_predicate *predicate)
{
    return (unsigned)(predicate->codes.count + predicate->phenotypes.count +
                      predicate->variants.count) +
           (predicate->devices != 0) + (predicate->ages != 0) + (predicate->rows != SY_AXIS_NONE) +
           (predicate->columns != SY_AXIS_NONE);
}

static bool has_axis(const struct sy_predicate *predicate, unsigned axis)
{
    return predicate->rows == axis || predicate->columns == axis;
}

/* All of a set asks what none of it does. */
static bool is_all(const struct sy_enum *names, uint32_t set)
{
    for (unsigned i = 0; i < names->count; i++) {
        if ((set & SY_SET_BIT(names->values[i].number)) == 0) return false;
    }
    return true;
}

static enum sy_refusal check_predicate(struct sy_exec *x, const struct sy_predicate *predicate)
{
    // One way to write what is asked, so that the same is seen to be the same.
    bool both = predicate->rows == SY_AXIS_NONE && predicate->columns == SY_AXIS_NONE;
    if (!sy_texts_ascend(&predicate->codes)) return sy_refuse_path(x, SY_E_SCHEMA, "codes");
    if (!sy_texts_phenotypes(&predicate->phenotypes)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "phenotypes");
    }
    if (!sy_texts_ascend(&predicate->variants)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "variants");
    }
    if (is_all(&sy_enum_age_band, predicate->ages)) return sy_refuse_path(x, SY_E_SCHEMA, "ages");
    if (is_all(&sy_enum_device_class, predicate->devices)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "devices");
    }
    if (!both && predicate->columns <= predicate->rows) {
        return sy_refuse_path(x, SY_E_SCHEMA, "columns");
    }
    if (count_terms(predicate) <= SY_QUERY_TERMS_MAX) return SY_APPLIED;
    x->detail = SY_QUERY_TERMS_MAX;
    return SY_E_PREDICATE;
}

static enum sy_refusal check_has(struct sy_exec *x, const struct sy_predicate *predicate,
                                 const struct sy_query_dataset *asked)
{
    struct sy_dataset_version version;
    if (!sy_dataset_find_version(x, &version, &asked->id, asked->version)) {
        return SY_E_DATASET_UNKNOWN; // the block is abandoned
    }
    bool genetic = predicate->variants.count > 0 || has_axis(predicate, SY_AXIS_VARIANT);
    bool observed = predicate->phenotypes.count > 0 || has_axis(predicate, SY_AXIS_PHENOTYPE);
    bool worn = predicate->devices != 0 || has_axis(predicate, SY_AXIS_DEVICE);
    bool lacks = (genetic && !version.genetic) || (worn && !version.wearable) ||
                 (observed && version.phenotypes.count == 0);
    return lacks ? sy_refuse_hash(x, SY_E_PREDICATE, &asked->id) : SY_APPLIED;
}

static enum sy_refusal check_asked(struct sy_exec *x, const struct sy_hash *dataset,
                                   const struct sy_hash *predicate)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_query_asked asked;
    sy_state_key_pair(&key_hash, SY_STATE_QUERY_ASKED, dataset, predicate);
    bool found = sy_exec_find(x, &value, &key_hash) &&
                 sy_exec_decoded(x, sy_query_asked_decode(&asked, value));
    if (!found || asked.epoch != sy_research_epoch(x)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_ASKED, &asked.query);
}

// --- proposals ---------------------------------------------------------------------------------

/* Does anybody but the researcher's organisation decide about the data set? */
static enum sy_refusal check_apart(struct sy_exec *x, const struct sy_dataset *dataset,
                                   const struct sy_hash *organisation)
{
    unsigned others = dataset->custodians.count;
    if (sy_dataset_kept_by(dataset, organisation)) others--;
    bool own_board = sy_hash_equal(&dataset->ethics, organisation);
    if (!own_board && others >= dataset->needed) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_CONFLICT, organisation);
}

/* Does no organisation decide as a custodian of one data set and as the board of another? */
static enum sy_refusal check_boards(struct sy_exec *x, const struct sy_query *query,
                                    const struct sy_dataset *dataset)
{
    struct sy_dataset other;
    for (unsigned i = 0; i < query->dataset_count; i++) {
        if (sy_dataset_find(x, &other, &query->datasets[i].id) != SY_APPLIED) {
            sy_exec_corrupt(x);
            return SY_E_DATASET_UNKNOWN; // the block is abandoned
        }
        if (sy_dataset_kept_by(&other, &dataset->ethics)) {
            return sy_refuse_hash(x, SY_E_CONFLICT, &dataset->ethics);
        }
        if (sy_dataset_kept_by(dataset, &other.ethics)) {
            return sy_refuse_hash(x, SY_E_CONFLICT, &other.ethics);
        }
    }
    return SY_APPLIED;
}

static enum sy_refusal add_dataset(struct sy_exec *x, struct sy_query *query,
                                   const struct sy_hash *id, const struct sy_hash *predicate)
{
    struct sy_dataset dataset;
    enum sy_refusal code = sy_dataset_find_open(x, &dataset, id);
    if (code != SY_APPLIED) return code;
    struct sy_query_dataset asked = {.id = *id, .version = dataset.version};
    code = check_has(x, &query->predicate, &asked);
    if (code == SY_APPLIED) code = check_apart(x, &dataset, &query->organisation);
    if (code == SY_APPLIED) code = check_boards(x, query, &dataset);
    if (code == SY_APPLIED) code = check_asked(x, id, predicate);
    if (code != SY_APPLIED) return code;
    SY_ASSERT(query->dataset_count < SY_QUERY_DATASETS_MAX); // by the field's rule
    query->datasets[query->dataset_count++] = asked;
    return SY_APPLIED;
}

static enum sy_refusal charge_asker(struct sy_exec *x, const struct sy_query *query)
{
    uint64_t most = x->params.research_cells;
    enum sy_refusal code =
        sy_research_charge(x, &query->researcher, SY_BUDGET_RESEARCHER, query->budget, most);
    if (code != SY_APPLIED) return code;
    return sy_research_charge(x, &query->organisation, SY_BUDGET_ORGANISATION, query->budget,
                              most * SY_RESEARCH_ORG_FACTOR);
}

enum sy_refusal sy_contract_query_propose(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_query_propose *p = &payload->query_propose;
    SY_ASSERT(x->kind->number == SY_KIND_query_propose && x->by->valid);
    struct sy_hash id, predicate;
    struct sy_query query = {
        .researcher = x->by->line,
        .organisation = x->by->holder,
        .status = SY_QUERY_PROPOSED,
        .purpose = p->purpose,
        .ethics_ref = p->ethics_ref,
        .budget = p->budget,
        .height = x->height,
        .time_ms = x->time_ms,
        .predicate = {.rows = p->rows,
                      .columns = p->columns,
                      .devices = p->devices,
                      .ages = p->ages,
                      .codes = p->codes,
                      .phenotypes = p->phenotypes,
                      .variants = p->variants},
    };
    if (sy_exec_has(x, SY_STATE_QUERY, &p->query_id)) {
        return sy_refuse_hash(x, SY_E_DATASET_EXISTS, &p->query_id);
    }
    enum sy_refusal code = check_predicate(x, &query.predicate);
    sy_predicate_hash(&predicate, &query.predicate);
    for (size_t offset = 0; code == SY_APPLIED && sy_list_next_id(&p->datasets, &offset, &id);) {
        code = add_dataset(x, &query, &id, &predicate);
    }
    if (code == SY_APPLIED) code = charge_asker(x, &query);
    if (code != SY_APPLIED) return code;
    sy_query_save(x, &p->query_id, &query);
    sy_query_tell(x, SY_EVENT_QUERY_PROPOSED, &query, &p->query_id, false);
    return SY_APPLIED;
}

// --- decisions ---------------------------------------------------------------------------------

static void save_decision(struct sy_exec *x, const struct sy_hash *id, uint16_t reason)
{
    uint8_t room[64];
    struct sy_hash key_hash;
    struct sy_query_decision decision = {
        .key = x->by->key, .reason = reason, .height = x->height, .time_ms = x->time_ms};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_query_decision_encode(&w, &decision);
    sy_state_key_pair(&key_hash, SY_STATE_QUERY_DECISION, id, &x->by->holder);
    sy_exec_save(x, &key_hash, &w);
}

/* Counts the signer's approval for each data set that it decides about, and says whether the query
 * has all that it takes. */
static enum sy_refusal count_approval(struct sy_exec *x, struct sy_query *query, bool *complete)
{
    bool decides = false, board = x->by->role == SY_ROLE_ETHICS;
    *complete = true;
    for (unsigned i = 0; i < query->dataset_count; i++) {
        struct sy_query_dataset *asked = &query->datasets[i];
        struct sy_dataset dataset;
        enum sy_refusal code = sy_dataset_find_open(x, &dataset, &asked->id);
        if (code != SY_APPLIED) return code;
        if (board && sy_hash_equal(&dataset.ethics, &x->by->holder)) {
            decides = asked->ethics = true;
        } else if (!board && sy_dataset_kept_by(&dataset, &x->by->holder)) {
            decides = true;
            asked->approvals++;
        }
        *complete = *complete && asked->ethics && asked->approvals >= dataset.needed;
    }
    if (decides) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_DATA_CUSTODIAN, &query->datasets[0].id);
}

/* Custodians that were charged for this query. */
struct charged {
    unsigned count;
    struct sy_hash ids[SY_QUERY_DATASETS_MAX * SY_DATASET_CUSTODIANS_MAX];
};

static enum sy_refusal charge_custodians(struct sy_exec *x, struct charged *charged,
                                         const struct sy_dataset *dataset, unsigned cells)
{
    struct sy_hash custodian;
    uint64_t most = (uint64_t)x->params.dataset_cells * SY_DATASET_CUSTODIAN_FACTOR;
    for (size_t offset = 0; sy_list_next_id(&dataset->custodians, &offset, &custodian);) {
        bool done = false;
        for (unsigned i = 0; i < charged->count; i++) {
            done = done || sy_hash_equal(&charged->ids[i], &custodian);
        }
        if (done) continue;
        enum sy_refusal code = sy_research_charge(x, &custodian, SY_BUDGET_CUSTODIAN, cells, most);
        if (code != SY_APPLIED) return code;
        charged->ids[charged->count++] = custodian;
    }
    return SY_APPLIED;
}

static void save_asked(struct sy_exec *x, const struct sy_hash *dataset,
                       const struct sy_hash *predicate, const struct sy_hash *query)
{
    uint8_t room[64];
    struct sy_hash key_hash;
    struct sy_query_asked asked = {.epoch = sy_research_epoch(x), .query = *query};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_query_asked_encode(&w, &asked);
    sy_state_key_pair(&key_hash, SY_STATE_QUERY_ASKED, dataset, predicate);
    sy_exec_save(x, &key_hash, &w);
}

static enum sy_refusal charge_datasets(struct sy_exec *x, const struct sy_query *query,
                                       const struct sy_hash *id)
{
    struct charged charged = {.count = 0};
    struct sy_hash predicate;
    sy_predicate_hash(&predicate, &query->predicate);
    for (unsigned i = 0; i < query->dataset_count; i++) {
        const struct sy_hash *asked = &query->datasets[i].id;
        struct sy_dataset dataset;
        enum sy_refusal code = check_asked(x, asked, &predicate);
        if (code == SY_APPLIED) code = sy_dataset_find_open(x, &dataset, asked);
        if (code == SY_APPLIED) {
            code = sy_research_charge(x, asked, SY_BUDGET_DATASET, query->budget,
                                      x->params.dataset_cells);
        }
        if (code == SY_APPLIED) code = charge_custodians(x, &charged, &dataset, query->budget);
        if (code != SY_APPLIED) return code;
        save_asked(x, asked, &predicate, id);
    }
    return SY_APPLIED;
}

static enum sy_refusal check_decides(struct sy_exec *x, const struct sy_query *query)
{
    if (!sy_hash_equal(&query->organisation, &x->by->holder)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_CONFLICT, &query->organisation);
}

static bool decided_before(struct sy_exec *x, const struct sy_hash *id)
{
    struct sy_slice value;
    struct sy_hash key_hash;
    sy_state_key_pair(&key_hash, SY_STATE_QUERY_DECISION, id, &x->by->holder);
    return sy_exec_find(x, &value, &key_hash);
}

enum sy_refusal sy_contract_query_approve(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_query_approve *p = &payload->query_approve;
    struct sy_query query;
    bool complete = false;
    SY_ASSERT(x->kind->number == SY_KIND_query_approve && x->by->valid);
    enum sy_refusal code = sy_query_find_open(x, &query, &p->query_id);
    if (code != SY_APPLIED) return code;
    if (query.status != SY_QUERY_PROPOSED) return sy_query_refuse(x, query.status);
    code = check_decides(x, &query);
    if (code != SY_APPLIED) return code;
    if (decided_before(x, &p->query_id)) return sy_query_refuse(x, SY_QUERY_DECIDED);
    code = count_approval(x, &query, &complete);
    if (code == SY_APPLIED && complete) code = charge_datasets(x, &query, &p->query_id);
    if (code != SY_APPLIED) return code;
    if (complete) {
        query.status = SY_QUERY_APPROVED;
        query.approved_height = x->height;
        query.optouts = sy_optouts_count(x);
    }
    save_decision(x, &p->query_id, 0);
    sy_query_save(x, &p->query_id, &query);
    if (complete) sy_query_tell(x, SY_EVENT_QUERY_APPROVED, &query, &p->query_id, true);
    return SY_APPLIED;
}

/* As count_approval, but that a withdrawn data set keeps nobody from denying. */
static enum sy_refusal check_denies(struct sy_exec *x, const struct sy_query *query)
{
    for (unsigned i = 0; i < query->dataset_count; i++) {
        struct sy_dataset dataset;
        enum sy_refusal code = sy_dataset_find(x, &dataset, &query->datasets[i].id);
        if (code != SY_APPLIED) return code;
        bool decides = x->by->role == SY_ROLE_ETHICS
                           ? sy_hash_equal(&dataset.ethics, &x->by->holder)
                           : sy_dataset_kept_by(&dataset, &x->by->holder);
        if (decides) return SY_APPLIED;
    }
    return sy_refuse_hash(x, SY_E_DATA_CUSTODIAN, &query->datasets[0].id);
}

enum sy_refusal sy_contract_query_deny(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_query_deny *p = &payload->query_deny;
    struct sy_query query;
    SY_ASSERT(x->kind->number == SY_KIND_query_deny && x->by->valid);
    enum sy_refusal code = sy_query_find_open(x, &query, &p->query_id);
    if (code != SY_APPLIED) return code;
    bool ended = query.status == SY_QUERY_DENIED || query.status == SY_QUERY_ANSWERED;
    if (ended) return sy_query_refuse(x, query.status);
    code = check_decides(x, &query);
    if (code == SY_APPLIED) code = check_denies(x, &query);
    if (code != SY_APPLIED) return code;
    query.status = SY_QUERY_DENIED;
    query.ended_height = x->height;
    save_decision(x, &p->query_id, p->reason);
    sy_query_save(x, &p->query_id, &query);
    sy_query_tell(x, SY_EVENT_QUERY_DENIED, &query, &p->query_id, true);
    return SY_APPLIED;
}
