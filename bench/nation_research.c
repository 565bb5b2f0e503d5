/* nation_research.c: what a custodian, an ethics board, a researcher and patients do for the
 * research commons, by number: each number is a data set of its own, and a query of it. The first
 * organisation keeps them all; the board is that of the trials. */
#include "bench/nation.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/wire/state_research.h"

static void begin(struct sy_nation_plan *plan, uint16_t kind, struct sy_nation_person *first,
                  struct sy_nation_person *second)
{
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->signers[0] = first;
    plan->signers[1] = second;
    plan->signer_count = second != NULL ? 2 : 1;
}

static void add_id(sy_nation *nation, struct sy_list *list, struct sy_hash id)
{
    sy_list_add_id(list, &nation->lists, &id);
    SY_ASSERT(!nation->lists.failed);
}

static void add_text(sy_nation *nation, struct sy_list *list, const char *text)
{
    sy_list_add_text(list, &nation->lists, sy_slice_of(text, strlen(text)));
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_widen(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_param_set, &nation->regulators[0], &nation->regulators[1]);
    struct sy_param_set *p = &plan->payload.param_set;
    p->name = number == 0 ? SY_PARAM_RESEARCH_CELLS : SY_PARAM_DATASET_CELLS;
    p->value = SY_RESEARCH_CELLS_MAX;
    p->version = (uint32_t)number + 1;
    p->activation_height = nation->header.height + 1 + SY_ACTIVATION_DELAY;
}

// --- data sets ---------------------------------------------------------------------------------

/* Lists are added in the order of a payload's fields: each list's items stand together. */
void sy_nation_publish_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_dataset_publish, &nation->orgs[0].admin, &nation->board.clerk);
    struct sy_dataset_publish *p = &plan->payload.dataset_publish;
    p->dataset_id = sy_nation_id('q', number);
    add_id(nation, &p->custodians, nation->orgs[0].id);
    p->needed = 1;
    p->ethics = nation->board.id;
    p->schema_commit = p->counts_root = p->record_root = sy_nation_id('j', number);
    p->as_of = 1;
    p->basis = SY_BASIS_OPTIN;
    add_text(nation, &p->codes, "icd10|E11.9");
    add_text(nation, &p->phenotypes, "HP:0001250");
    p->ages = SY_SET_BIT(SY_AGES_20S);
    p->people = SY_COUNT_HUNDREDS;
}

void sy_nation_update_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_dataset_update, &nation->orgs[0].admin, &nation->board.clerk);
    struct sy_dataset_update *p = &plan->payload.dataset_update;
    p->dataset_id = sy_nation_id('q', number);
    p->version = 2;
    p->schema_commit = p->counts_root = p->record_root = sy_nation_id('k', number);
    p->as_of = 2;
    p->basis = SY_BASIS_OPTIN;
    add_text(nation, &p->codes, "icd10|E11.9");
    p->ages = SY_SET_BIT(SY_AGES_20S);
    p->people = SY_COUNT_HUNDREDS;
}

void sy_nation_withdraw_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_dataset_withdraw, &nation->orgs[0].admin, NULL);
    plan->payload.dataset_withdraw.dataset_id = sy_nation_id('q', number);
    plan->payload.dataset_withdraw.reason = SY_DATASET_ENDED;
}

// --- queries -----------------------------------------------------------------------------------

void sy_nation_ask_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_query_propose, &nation->researcher, NULL);
    struct sy_query_propose *p = &plan->payload.query_propose;
    p->query_id = sy_nation_id('l', number);
    add_id(nation, &p->datasets, sy_nation_id('q', number));
    add_text(nation, &p->codes, "icd10|E11.9");
    p->rows = SY_AXIS_AGE;
    p->columns = SY_AXIS_SEX;
    p->purpose = SY_QUERY_STUDY;
    p->ethics_ref = sy_nation_id('m', number);
    p->budget = 6;
}

static void decide(struct sy_nation_plan *plan, uint16_t kind, struct sy_nation_person *person,
                   uint64_t number)
{
    begin(plan, kind, person, NULL);
    plan->payload.query_approve.query_id = sy_nation_id('l', number); // each kind begins with it
}

void sy_nation_agree_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    decide(plan, SY_KIND_query_approve, &nation->board.clerk, number);
}

void sy_nation_approve_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    decide(plan, SY_KIND_query_approve, &nation->orgs[0].admin, number);
}

void sy_nation_deny_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    decide(plan, SY_KIND_query_deny, &nation->orgs[0].admin, number);
    plan->payload.query_deny.reason = SY_DENIED_CONSENT;
}

/* Three age bands by two, four cells of which are hidden, and all totals told. */
void sy_nation_answer_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static const char *const bands[] = {"0", "18", "30"};
    static uint8_t cells[4 * 6], rows[4 * 3], columns[4 * 2];
    decide(plan, SY_KIND_query_result, &nation->orgs[0].admin, number);
    struct sy_query_result *p = &plan->payload.query_result;
    p->k = SY_RESEARCH_K_MIN;
    for (unsigned row = 0; row < 3; row++) {
        add_text(nation, &p->rows, bands[row]);
        sy_store_u32(cells + 8 * (size_t)row, row < 2 ? SY_QUERY_HIDDEN : 100);
        sy_store_u32(cells + 8 * (size_t)row + 4, row < 2 ? SY_QUERY_HIDDEN : 100);
        sy_store_u32(rows + 4 * (size_t)row, row < 2 ? 40 : 200);
    }
    add_text(nation, &p->columns, "f");
    add_text(nation, &p->columns, "m");
    sy_store_u32(columns, 140);
    sy_store_u32(columns + 4, 140);
    p->cells = sy_slice_of(cells, sizeof cells);
    p->row_totals = sy_slice_of(rows, sizeof rows);
    p->column_totals = sy_slice_of(columns, sizeof columns);
    p->has_total = true;
    p->total = 280;
}

// --- who takes part ----------------------------------------------------------------------------

void sy_nation_opt_in(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_contribute_optin, sy_nation_fresh(nation, number), NULL);
    plan->payload.contribute_optin.patient_id = sy_nation_id('P', number);
}

void sy_nation_opt_out(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_contribute_optout, sy_nation_fresh(nation, number), NULL);
    plan->payload.contribute_optout.patient_id = sy_nation_id('P', number);
    plan->payload.contribute_optout.genetic = true;
}
