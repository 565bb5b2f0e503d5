/* research_result.c: the table that answers a query.
 *
 * query.result (a custodian's admin answers for it)
 *   there is no such query                                E_QUERY_UNKNOWN {id}
 *   it was proposed over 90 days ago                      E_QUERY_STATE {5}
 *   it is not approved, or was answered                   E_QUERY_STATE {1, 3, 4}
 *   a data set is withdrawn                               E_DATASET_STATE {height} {it}
 *   fewer of its custodians signed than it takes, those
 *   of the researcher's organisation aside                E_CUSTODIANS {how many} {it}
 *   k is below the network's research_k                   E_K {that}
 *   it knows of fewer opt-outs than there were when it
 *   was approved, or of more than there are               E_OPTOUTS {how many there are}
 *   cells are not rows times columns, a side that is one
 *   for all has more, or totals are neither none nor one
 *   for each                                              E_TABLE
 *   there are more cells than were asked for              E_BUDGET {how many were} {the query}
 *   nothing is told in a table about genes, variants or
 *   phenotypes                                            E_CARRIERS {k}
 *   a number is not rounded                               E_ROUNDING {row x 65,536 + column}
 *   a number may stand for fewer than k                   E_SMALL_CELL {row x 65,536 + column}
 *   what is hidden can be computed                        E_RECOVERABLE {row x 65,536 + column}
 *   no table has such totals                              E_TABLE
 *   writes   query result, query
 *   event    query.answered about the researcher's organisation, every ethics board and custodian,
 *            each once; object: the query
 *
 * Only the table itself is judged (small_cells.h), as nobody here has the data: that it is what the
 * data say is the custodians' word, which is why as many sign as it takes and not one. A zero is
 * below k, so it is hidden, too: that nobody carries a variant would be told of each one who was
 * asked about. Who opted out before the approval is in no answer: it says how many opt-outs it
 * knows of. Of later ones it may know; were it to know of all, anybody could keep every answer away
 * by opting out while it is signed. A result is written once; nobody mends one, as the difference
 * of two would tell more than either. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/query_table.h"
#include "core/ledger/contracts/research_rules.h"
#include "core/ledger/contracts/trial_rules.h"

// --- who signs ---------------------------------------------------------------------------------

static enum sy_refusal check_signed(struct sy_exec *x, const struct sy_query *query)
{
    for (unsigned i = 0; i < query->dataset_count; i++) {
        const struct sy_hash *id = &query->datasets[i].id;
        struct sy_dataset dataset;
        enum sy_refusal code = sy_dataset_find_open(x, &dataset, id);
        if (code != SY_APPLIED) return code;
        if (sy_dataset_signed(x, &dataset, &query->organisation) >= dataset.needed) continue;
        x->detail = dataset.needed;
        return sy_refuse_hash(x, SY_E_CUSTODIANS, id);
    }
    return SY_APPLIED;
}

/* Keeps the keys of custodians who signed, in the order of the transaction's. */
static void take_keys(struct sy_exec *x, const struct sy_query *query,
                      struct sy_query_answer *result)
{
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool keeps = false;
        for (unsigned k = 0; k < query->dataset_count && !keeps; k++) {
            struct sy_dataset dataset;
            keeps = signer->valid && signer->role == SY_ROLE_ORG_ADMIN &&
                    !sy_hash_equal(&signer->holder, &query->organisation) &&
                    sy_dataset_find(x, &dataset, &query->datasets[k].id) == SY_APPLIED &&
                    sy_dataset_kept_by(&dataset, &signer->holder);
        }
        if (keeps) result->keys[result->key_count++] = signer->key;
    }
}

static enum sy_refusal check_optouts(struct sy_exec *x, const struct sy_query *query,
                                     uint64_t known)
{
    uint64_t count = sy_optouts_count(x);
    if (known >= query->optouts && known <= count) return SY_APPLIED;
    x->detail = count;
    return SY_E_OPTOUTS;
}

// --- the table ---------------------------------------------------------------------------------

static bool shape_good(const struct sy_query *query, const struct sy_query_answer *p)
{
    size_t rows = p->rows.count, columns = p->columns.count;
    bool one_row = query->predicate.rows != SY_AXIS_NONE || rows == 1;
    bool one_column = query->predicate.columns != SY_AXIS_NONE || columns == 1;
    return one_row && one_column && sy_query_table_shape(p);
}

static enum sy_refusal check_table(struct sy_exec *x, const struct sy_query_answer *p)
{
    unsigned row = 0, column = 0;
    enum sy_refusal code = sy_query_table_check(p, &row, &column);
    if (code != SY_APPLIED) x->detail = (uint64_t)row << 16 | column;
    return code;
}

/* Does anything at all stand there, where there is a gene, variant or phenotype asked about? */
static enum sy_refusal check_carriers(struct sy_exec *x, const struct sy_predicate *predicate,
                                      const struct sy_query_answer *p)
{
    bool carried = predicate->variants.count > 0 || predicate->phenotypes.count > 0 ||
                   predicate->rows == SY_AXIS_VARIANT || predicate->columns == SY_AXIS_VARIANT ||
                   predicate->rows == SY_AXIS_PHENOTYPE || predicate->columns == SY_AXIS_PHENOTYPE;
    for (size_t i = 0; i < p->cells.size / 4; i++) {
        if (sy_load_u32(p->cells.data + 4 * i) != SY_QUERY_HIDDEN) return SY_APPLIED;
    }
    if (!carried) return SY_APPLIED;
    x->detail = p->k;
    return SY_E_CARRIERS;
}

static enum sy_refusal check_counts(struct sy_exec *x, const struct sy_query *query,
                                    const struct sy_query_answer *p, const struct sy_hash *id)
{
    if (!shape_good(query, p)) return SY_E_TABLE;
    if (p->cells.size / 4 > query->budget) {
        x->detail = query->budget;
        return sy_refuse_hash(x, SY_E_BUDGET, id);
    }
    enum sy_refusal code = check_carriers(x, &query->predicate, p);
    return code == SY_APPLIED ? check_table(x, p) : code;
}

static enum sy_refusal check_k(struct sy_exec *x, unsigned k)
{
    if (k >= x->params.research_k && k >= SY_RESEARCH_K_MIN) return SY_APPLIED;
    x->detail = x->params.research_k;
    return SY_E_K;
}

static void save_result(struct sy_exec *x, const struct sy_hash *id,
                        const struct sy_query_answer *result)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_query_answer_encode(&w, result);
    sy_exec_save_at(x, SY_STATE_QUERY_RESULT, id, &w);
}

enum sy_refusal sy_contract_query_result(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_query_result *p = &payload->query_result;
    struct sy_query query;
    struct sy_query_answer answer = {
        .k = p->k,
        .optouts = p->optouts,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_total = p->has_total,
        .total = p->total,
        .rows = p->rows,
        .columns = p->columns,
        .cells = p->cells,
        .row_totals = p->row_totals,
        .column_totals = p->column_totals,
    };
    SY_ASSERT(x->kind->number == SY_KIND_query_result && x->by->valid);
    enum sy_refusal code = sy_query_find_open(x, &query, &p->query_id);
    if (code != SY_APPLIED) return code;
    if (query.status != SY_QUERY_APPROVED) return sy_query_refuse(x, query.status);
    code = check_signed(x, &query);
    if (code == SY_APPLIED) code = check_k(x, p->k);
    if (code == SY_APPLIED) code = check_optouts(x, &query, p->optouts);
    if (code == SY_APPLIED) code = check_counts(x, &query, &answer, &p->query_id);
    if (code != SY_APPLIED) return code;
    take_keys(x, &query, &answer);
    query.status = SY_QUERY_ANSWERED;
    query.ended_height = x->height;
    save_result(x, &p->query_id, &answer);
    sy_query_save(x, &p->query_id, &query);
    sy_query_tell(x, SY_EVENT_QUERY_ANSWERED, &query, &p->query_id, true);
    return SY_APPLIED;
}
