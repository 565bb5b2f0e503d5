/* The research commons: what is answered, who takes part, and what holds whatever happens. */
#include "core/base/prng.h"
#include "tests/unit/research_rig.h"

// --- results -----------------------------------------------------------------------------------

CASE(a_result_is_posted_once_by_custodians)
{
    refuse_tx(good_answer(0), SY_E_QUERY_UNKNOWN);
    apply_tx(publish_dataset(0));
    make_approved(0);
    struct world_tx tx = good_answer(0);
    tx.key_count = 1;
    refuse_tx(tx, SY_E_CUSTODIANS);
    assert_research_number(2);
    tx = good_answer(0), tx.keys[1] = UNI_ADMIN;
    refuse_tx(tx, SY_E_CUSTODIANS);
    tx = good_answer(0), tx.payload.query_result.k = 10;
    refuse_tx(tx, SY_E_K);
    assert_research_number(11);
    apply_tx(good_answer(0));
    assert_research_told(0, SY_EVENT_QUERY_ANSWERED, ORG_LAB, QUERY);
    refuse_tx(good_answer(0), SY_E_QUERY_STATE);
    assert_research_number(SY_QUERY_ANSWERED);
    struct sy_query_answer kept;
    struct sy_slice value = find_research(SY_STATE_QUERY_RESULT, test_hash(QUERY), test_hash(0));
    assert_true(sy_query_answer_decode(&kept, value));
    assert_int_equal(kept.key_count, 2);
    assert_int_equal(sy_load_u32(kept.cells.data), 40);
    make_approved(1);
    apply_tx(withdraw_dataset(ADMIN_C, 0));
    refuse_tx(good_answer(1), SY_E_DATASET_STATE);
}

/* What the result rests on follows from entries: the version that was asked stays. */
CASE(a_result_leads_to_the_records)
{
    apply_tx(publish_dataset(0));
    make_approved(0);
    apply_tx(update_dataset(0, 2, 5));
    apply_tx(good_answer(0));
    struct sy_query query = find_query(0);
    assert_int_equal(query.datasets[0].version, 1);
    assert_int_equal(query.datasets[0].approvals, 2);
    assert_true(query.datasets[0].ethics);
    struct sy_hash number = {{0}}, root = test_hash(ROOT);
    sy_store_u32(number.bytes, query.datasets[0].version);
    struct sy_dataset_version version;
    struct sy_slice value = find_research(SY_STATE_DATASET_VERSION, query.datasets[0].id, number);
    assert_true(sy_dataset_version_decode(&version, value));
    assert_memory_equal(&version.record_root, &root, sizeof root);
    static const unsigned deciders[] = {ORG_A, ORG_B, ORG_BOARD};
    for (unsigned i = 0; i < 3; i++) {
        struct sy_query_decision decision;
        value = find_research(SY_STATE_QUERY_DECISION, test_hash(QUERY), test_hash(deciders[i]));
        assert_true(sy_query_decision_decode(&decision, value));
        assert_int_equal(decision.reason, 0);
        assert_true(decision.height <= query.approved_height);
    }
}

CASE(a_table_has_a_shape)
{
    static const uint32_t two[] = {40, 60}, many[] = {40, 60, 70, 80};
    apply_tx(publish_dataset(0));
    make_approved(0);
    struct world_tx tx = good_answer(0);
    tx.payload.query_result.cells = some_numbers(two, 1);
    refuse_tx(tx, SY_E_TABLE);
    tx = good_answer(0), tx.payload.query_result.rows = some_texts("x y");
    tx.payload.query_result.cells = some_numbers(many, 4);
    tx.payload.query_result.row_totals = some_numbers(two, 2);
    refuse_tx(tx, SY_E_TABLE); // rows were one for all
    tx = good_answer(0), tx.payload.query_result.column_totals = some_numbers(two, 1);
    refuse_tx(tx, SY_E_TABLE);
    tx = good_answer(0), tx.payload.query_result.total = 500;
    refuse_tx(tx, SY_E_TABLE); // no such sum
    tx = propose_query(RESEARCHER, 1), tx.payload.query_propose.budget = 3;
    apply_tx(tx);
    apply_tx(approve_query(ADMIN_A, 1));
    apply_tx(approve_query(ADMIN_B, 1));
    apply_tx(approve_query(BOARD, 1));
    refuse_tx(answer_query(1, many, 4), SY_E_BUDGET);
    assert_research_number(3);
    apply_tx(answer_query(1, many, 3));
}

/* 3, 12, 40: what is small is hidden, and so is what it could be told from. */
CASE(small_counts_are_hidden_so_that_they_stay_hidden)
{
    static const uint32_t told[] = {5, 15, 40}, raw[] = {40, 60, 43}, zero[] = {40, 0, 50};
    static const uint32_t lone[] = {NONE, 15, 40}, pair[] = {NONE, NONE, 40};
    uint32_t total = 55;
    apply_tx(publish_dataset(0));
    make_approved(0);
    refuse_tx(answer_query(0, told, 3), SY_E_SMALL_CELL);
    assert_research_number(0); // row 0, column 0
    refuse_tx(answer_query(0, zero, 3), SY_E_SMALL_CELL);
    assert_research_number(1);
    refuse_tx(answer_query(0, raw, 3), SY_E_ROUNDING);
    assert_research_number(2);
    struct world_tx tx = answer_query(0, lone, 3);
    tx.payload.query_result.row_totals = some_numbers(&total, 1);
    refuse_tx(tx, SY_E_RECOVERABLE);
    tx = answer_query(0, pair, 3); // the two of them are 15, and each may be all of it
    tx.payload.query_result.row_totals = some_numbers(&total, 1);
    refuse_tx(tx, SY_E_RECOVERABLE); // the total of all is the row's
    tx.payload.query_result.has_total = true, tx.payload.query_result.total = total;
    apply_tx(tx);
}

CASE(a_gene_that_too_few_carry_is_not_answered)
{
    static const uint32_t none[] = {NONE, NONE};
    apply_tx(publish_dataset(0));
    struct world_tx tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.variants = some_texts("BRCA1");
    apply_tx(tx);
    apply_tx(approve_query(ADMIN_A, 0));
    apply_tx(approve_query(ADMIN_B, 0));
    apply_tx(approve_query(BOARD, 0));
    refuse_tx(answer_query(0, none, 2), SY_E_CARRIERS);
    assert_research_number(11);
    apply_tx(good_answer(0));
    make_approved(1); // no gene: that all are few may be told
    apply_tx(answer_query(1, none, 2));
}

// --- who takes part ----------------------------------------------------------------------------

CASE(a_patient_opts_in_and_out)
{
    struct world_tx tx = say_contribution(true, "Observation", false);
    tx.payload.contribute_optin.patient_id = test_hash(PATIENT_NONE);
    refuse_tx(tx, SY_E_PATIENT_UNKNOWN);
    tx = say_contribution(true, "Observation", false);
    tx.payload.contribute_optin.patient_id = test_hash(PATIENT);
    refuse_tx(tx, SY_E_NOT_SUBJECT);
    tx = say_contribution(true, "Observation", false), tx.keys[0] = ADMIN_A;
    tx.organisation = test_hash(ORG_A);
    refuse_tx(tx, SY_E_ROLE);
    apply_tx(say_contribution(true, "Observation", false));
    assert_research_told(0, SY_EVENT_OPTIN_APPLIED, PATIENT_CLAIMED, PATIENT_CLAIMED);
    refuse_tx(say_contribution(true, "Observation", false), SY_E_CONTRIBUTION);
    assert_research_number(0);
    refuse_tx(say_contribution(true, "", false), SY_E_CONTRIBUTION); // so soon
    assert_true(world.receipt.detail > 0);
    refuse_tx(say_contribution(false, "", false), SY_E_SCHEMA);
    assert_path("genetic");
    apply_tx(say_contribution(false, "Condition", false));
    assert_research_told(0, SY_EVENT_OPTOUT_APPLIED, PATIENT_CLAIMED, PATIENT_CLAIMED);
    refuse_tx(say_contribution(false, "Observation", false), SY_E_CONTRIBUTION);
    apply_tx(say_contribution(false, "", true)); // of all, at any time
    tx = say_contribution(false, "", true),
    tx.payload.contribute_optin.patient_id = test_hash(PATIENT);
    refuse_tx(tx, SY_E_NOT_SUBJECT);
    pass_research_days(1);
    apply_tx(say_contribution(true, "", true));
    struct sy_contribution said;
    struct sy_slice value =
        find_research(SY_STATE_CONTRIBUTION, test_hash(PATIENT_CLAIMED), test_hash(0));
    assert_true(sy_contribution_decode(&said, value));
    assert_true(said.in && said.genetic);
    assert_int_equal(said.times, 4);
}

/* Who opts out before the approval is in no answer; later opt-outs keep none away. */
CASE(an_answer_knows_of_every_opt_out_before_its_approval)
{
    apply_tx(publish_dataset(0));
    make_query(0);
    apply_tx(say_contribution(false, "", true));
    apply_tx(approve_query(ADMIN_A, 0));
    apply_tx(approve_query(ADMIN_B, 0));
    apply_tx(approve_query(BOARD, 0));
    struct world_tx tx = good_answer(0);
    refuse_tx(tx, SY_E_OPTOUTS);
    assert_research_number(1);
    tx.payload.query_result.optouts = 2;
    refuse_tx(tx, SY_E_OPTOUTS);
    assert_research_number(1);
    pass_research_days(2);
    apply_tx(say_contribution(true, "", true));
    apply_tx(say_contribution(false, "", true));
    tx.payload.query_result.optouts = 1; // of the second one it need not know
    apply_tx(tx);
}

// --- over seeds --------------------------------------------------------------------------------

/* A checker of its own, by the rules' words alone: each told number stands for at least k, and no
 * line with a total hides exactly one. */
static bool naive_good(const struct sy_query_answer *a)
{
    unsigned rows = a->rows.count, columns = a->columns.count;
    for (unsigned r = 0; r < rows; r++) {
        unsigned hidden = 0;
        for (unsigned c = 0; c < columns; c++) {
            uint32_t n = sy_load_u32(a->cells.data + 4 * (size_t)(r * columns + c));
            hidden += n == NONE ? 1 : 0;
            if (n != NONE && (n % 5 != 0 || n < a->k)) return false;
        }
        bool told =
            a->row_totals.size > 0 && sy_load_u32(a->row_totals.data + 4 * (size_t)r) != NONE;
        if (told && hidden == 1) return false;
    }
    for (unsigned c = 0; c < columns; c++) {
        unsigned hidden = 0;
        for (unsigned r = 0; r < rows; r++) {
            hidden += sy_load_u32(a->cells.data + 4 * (size_t)(r * columns + c)) == NONE ? 1 : 0;
        }
        bool told =
            a->column_totals.size > 0 && sy_load_u32(a->column_totals.data + 4 * (size_t)c) != NONE;
        if (told && hidden == 1) return false;
    }
    return true;
}

static void check_answered(unsigned n)
{
    struct sy_query query = find_query(n);
    struct sy_query_answer kept;
    assert_int_equal(query.status, SY_QUERY_ANSWERED);
    struct sy_slice value =
        find_research(SY_STATE_QUERY_RESULT, test_hash(QUERY + n), test_hash(0));
    assert_true(sy_query_answer_decode(&kept, value));
    assert_true(naive_good(&kept));
    unsigned custodians = 0;
    static const unsigned orgs[] = {ORG_A, ORG_B, ORG_C, ORG_BOARD};
    for (unsigned i = 0; i < 4; i++) {
        struct sy_hash id = test_hash(QUERY + n), org = test_hash(orgs[i]), key_hash;
        sy_state_key_pair(&key_hash, SY_STATE_QUERY_DECISION, &id, &org);
        bool decided = world_find(&world, &value, &key_hash);
        if (orgs[i] == ORG_BOARD) assert_true(decided);
        if (orgs[i] != ORG_BOARD && decided) custodians++;
    }
    assert_true(custodians >= 2);
}

static uint32_t random_cell(sy_prng *rng)
{
    static const uint32_t usual[] = {NONE, NONE, 0, 5, 10, 15, 20, 40, 43, 100};
    return usual[sy_prng_below(rng, 10)];
}

/* Everybody does anything: whatever is applied keeps the promises. */
CASE(whatever_happens_budgets_hold_and_answers_were_approved)
{
    static const unsigned askers[] = {RESEARCHER, RESEARCHER_2, STRANGER, OWN_RESEARCHER,
                                      BOARD_RESEARCHER};
    static const unsigned deciders[] = {ADMIN_A, ADMIN_B, ADMIN_C, BOARD, BOARD_2, UNI_ADMIN};
    sy_prng rng;
    sy_prng_seed(&rng, test_seed());
    unsigned answered = 0, optouts = 0;
    apply_tx(publish_dataset(0));
    set_research_param(SY_PARAM_RESEARCH_CELLS, 60, 1);
    set_research_param(SY_PARAM_DATASET_CELLS, 100, 2);
    for (unsigned step = 0; step < 6000; step++) {
        unsigned n = (unsigned)sy_prng_below(&rng, 4) + step / 150 * 4;
        struct world_tx tx = propose_query(askers[sy_prng_below(&rng, 5)], n);
        uint32_t cells[3] = {random_cell(&rng), random_cell(&rng), random_cell(&rng)};
        switch (sy_prng_below(&rng, 12)) {
        case 0: break;
        case 1:
            if (sy_prng_below(&rng, 8) != 0) continue;
            tx = deny_query(deciders[sy_prng_below(&rng, 6)], n);
            break;
        case 2: tx = good_answer(n); break;
        case 3: tx = say_contribution(sy_prng_below(&rng, 2) == 0, "", true); break;
        case 4:
            if (step % 50 == 0) pass_research_days(31);
            continue;
        case 5:
        case 6: tx = answer_query(n, cells, 2 + (unsigned)sy_prng_below(&rng, 2)); break;
        default: tx = approve_query(deciders[sy_prng_below(&rng, 6)], n); break;
        }
        bool answers = tx.kind == SY_KIND_query_result,
             leaves = tx.kind == SY_KIND_contribute_optout;
        if (answers) tx.payload.query_result.optouts = optouts;
        if (world_submit(&world, &tx) != SY_APPLIED) continue;
        optouts += leaves ? 1 : 0;
        if (answers) check_answered(n);
        answered += answers ? 1 : 0;
        assert_true(cells_spent(0, RESEARCHER, SY_BUDGET_RESEARCHER) <= 60);
        assert_true(cells_spent(0, STRANGER, SY_BUDGET_RESEARCHER) <= 60);
        assert_true(cells_spent(ORG_LAB, 0, SY_BUDGET_ORGANISATION) <= 240);
        assert_true(cells_spent(DATASET, 0, SY_BUDGET_DATASET) <= 100);
        assert_true(cells_spent(ORG_A, 0, SY_BUDGET_CUSTODIAN) <= 400);
    }
    print_message("%u answered, %u opted out\n", answered, optouts);
    assert_true(answered > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_RESEARCH(a_result_is_posted_once_by_custodians),
        WITH_RESEARCH(a_result_leads_to_the_records),
        WITH_RESEARCH(a_table_has_a_shape),
        WITH_RESEARCH(small_counts_are_hidden_so_that_they_stay_hidden),
        WITH_RESEARCH(a_gene_that_too_few_carry_is_not_answered),
        WITH_RESEARCH(a_patient_opts_in_and_out),
        WITH_RESEARCH(an_answer_knows_of_every_opt_out_before_its_approval),
        WITH_RESEARCH(whatever_happens_budgets_hold_and_answers_were_approved),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
