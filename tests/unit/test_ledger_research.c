/* The research commons: data sets, what is asked of them, who decides, and budgets. What is
 * answered: test_ledger_research_result. */
#include "tests/unit/research_rig.h"

// --- data sets ---------------------------------------------------------------------------------

CASE(a_data_set_takes_every_custodian_and_a_board_of_its_own)
{
    struct world_tx tx = publish_dataset(0);
    tx.key_count = 3; // without the board
    refuse_tx(tx, SY_E_ETHICS);
    assert_detail(ORG_BOARD);
    tx = publish_dataset(0), tx.keys[2] = BOARD_2; // without C
    refuse_tx(tx, SY_E_CUSTODIANS);
    assert_detail(ORG_C);
    tx = publish_dataset(0), tx.payload.dataset_publish.needed = 4;
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("needed");
    tx = publish_dataset(0), tx.payload.dataset_publish.ethics = test_hash(ORG_B);
    refuse_tx(tx, SY_E_CONFLICT);
    assert_detail(ORG_B);
    tx = publish_dataset(0), tx.payload.dataset_publish.custodians = some_ids(ORG_B, ORG_C, 0);
    refuse_tx(tx, SY_E_DATA_CUSTODIAN);
    apply_tx(publish_dataset(0));
    assert_int_equal(world.receipt.event_count, 4);
    assert_research_told(0, SY_EVENT_DATASET_PUBLISHED, ORG_BOARD, DATASET);
    assert_research_told(3, SY_EVENT_DATASET_PUBLISHED, ORG_C, DATASET);
    refuse_tx(publish_dataset(0), SY_E_DATASET_EXISTS);
    assert_detail(DATASET);
}

CASE(what_a_data_set_says_fits)
{
    struct world_tx tx = publish_dataset(0);
    tx.payload.dataset_publish.codes = some_texts("loinc|8867-4 icd|E11");
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("codes");
    tx = publish_dataset(0), tx.payload.dataset_publish.codes = some_texts("E11");
    refuse_tx(tx, SY_E_SCHEMA);
    tx = publish_dataset(0), tx.payload.dataset_publish.phenotypes = some_texts("HP:000125x");
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("phenotypes");
    tx = publish_dataset(0), tx.payload.dataset_publish.wearable = false;
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("devices");
    tx = publish_dataset(0), tx.payload.dataset_publish.genetic = false;
    tx.payload.dataset_publish.has_beacon_root = true;
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("beacon_root");
    tx = publish_dataset(0), tx.payload.dataset_publish.as_of = world.header.height + 1;
    refuse_tx(tx, SY_E_LINEAGE); // this block is not over
    assert_research_number(world.header.height - 1);
    tx = publish_dataset(0), tx.payload.dataset_publish.as_of = world.header.height;
    apply_tx(tx);
}

/* The same records are not published again to be asked anew. */
CASE(records_are_one_data_sets)
{
    apply_tx(publish_dataset(0));
    struct world_tx tx = publish_dataset(1);
    tx.payload.dataset_publish.record_root = test_hash(ROOT);
    refuse_tx(tx, SY_E_LINEAGE);
    assert_detail(DATASET);
    apply_tx(withdraw_dataset(ADMIN_B, 0));
    tx = publish_dataset(1), tx.payload.dataset_publish.record_root = test_hash(ROOT);
    refuse_tx(tx, SY_E_LINEAGE);
    apply_tx(publish_dataset(1));
}

CASE(an_update_is_the_next_version)
{
    refuse_tx(update_dataset(0, 2, 5), SY_E_DATASET_UNKNOWN);
    apply_tx(publish_dataset(0));
    refuse_tx(update_dataset(0, 3, 5), SY_E_NEXT_VERSION);
    assert_research_number(1);
    struct world_tx tx = update_dataset(0, 2, 5);
    tx.keys[1] = UNI_ADMIN;
    refuse_tx(tx, SY_E_CUSTODIANS);
    assert_research_number(2);
    tx = update_dataset(0, 2, 5), tx.key_count = 2;
    refuse_tx(tx, SY_E_ETHICS);
    tx = update_dataset(0, 2, 5), tx.keys[0] = UNI_ADMIN, tx.organisation = test_hash(ORG_UNI);
    refuse_tx(tx, SY_E_DATA_CUSTODIAN);
    tx = update_dataset(0, 2, 5), tx.payload.dataset_update.as_of = 3;
    apply_tx(tx);
    tx = update_dataset(0, 3, 6), tx.payload.dataset_update.as_of = 2;
    refuse_tx(tx, SY_E_LINEAGE); // older records than before
    assert_research_number(3);
    tx = update_dataset(0, 3, 0), tx.payload.dataset_update.as_of = 4;
    apply_tx(tx); // a root that was its own
    apply_tx(withdraw_dataset(ADMIN_C, 0));
    tx = update_dataset(0, 4, 7), tx.payload.dataset_update.as_of = 4;
    refuse_tx(tx, SY_E_DATASET_STATE);
    assert_research_number(world.header.height - 1);
}

CASE(one_alone_withdraws_a_data_set)
{
    refuse_tx(withdraw_dataset(ADMIN_A, 0), SY_E_DATASET_UNKNOWN);
    apply_tx(publish_dataset(0));
    refuse_tx(withdraw_dataset(UNI_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    struct world_tx tx = withdraw_dataset(BOARD_ADMIN, 0); // an admin is no board
    refuse_tx(tx, SY_E_DATA_CUSTODIAN);
    apply_tx(withdraw_dataset(BOARD, 0));
    refuse_tx(withdraw_dataset(ADMIN_A, 0), SY_E_DATASET_STATE);
    apply_tx(publish_dataset(1));
    apply_tx(withdraw_dataset(REGULATOR_1, 1));
    refuse_tx(propose_query(RESEARCHER, 0), SY_E_DATASET_STATE);
}

// --- queries -----------------------------------------------------------------------------------

CASE(a_query_is_written_one_way_and_asks_little)
{
    refuse_tx(propose_query(RESEARCHER, 0), SY_E_DATASET_UNKNOWN);
    apply_tx(publish_dataset(0));
    struct world_tx tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.codes = some_texts("icd|b icd|a");
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("codes");
    tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.phenotypes = some_texts("XX:0001250");
    refuse_tx(tx, SY_E_SCHEMA);
    tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.variants = some_texts("b a");
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("variants");
    tx = propose_query(RESEARCHER, 0); // the same table on its side
    tx.payload.query_propose.rows = SY_AXIS_SEX, tx.payload.query_propose.columns = SY_AXIS_NONE;
    refuse_tx(tx, SY_E_SCHEMA);
    assert_path("columns");
    tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.codes = some_texts("icd|a icd|b icd|c icd|d");
    refuse_tx(tx, SY_E_PREDICATE);
    assert_research_number(SY_QUERY_TERMS_MAX);
    tx.payload.query_propose.columns = SY_AXIS_NONE;
    apply_tx(tx);
    refuse_tx(propose_query(RESEARCHER, 0), SY_E_DATASET_EXISTS);
    assert_int_equal(find_query(0).status, SY_QUERY_PROPOSED);
}

CASE(a_data_set_is_asked_for_what_it_has)
{
    struct world_tx tx = publish_dataset(0);
    struct sy_dataset_publish *p = &tx.payload.dataset_publish;
    p->genetic = p->wearable = false;
    p->devices = 0;
    p->phenotypes = some_texts("");
    apply_tx(tx);
    tx = propose_query(RESEARCHER, 0), tx.payload.query_propose.variants = some_texts("BRCA1");
    refuse_tx(tx, SY_E_PREDICATE);
    assert_detail(DATASET);
    tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.devices = SY_SET_BIT(SY_DEVICE_WEARABLE);
    refuse_tx(tx, SY_E_PREDICATE);
    tx = propose_query(RESEARCHER, 0), tx.payload.query_propose.columns = SY_AXIS_PHENOTYPE;
    refuse_tx(tx, SY_E_PREDICATE);
    apply_tx(propose_query(RESEARCHER, 0));
    assert_int_equal(world.receipt.event_count, 4);
    assert_research_told(0, SY_EVENT_QUERY_PROPOSED, ORG_BOARD, QUERY);
}

CASE(who_asks_does_not_decide)
{
    struct world_tx tx = publish_dataset(0);
    apply_tx(tx);
    refuse_tx(propose_query(BOARD_RESEARCHER, 0), SY_E_CONFLICT);
    assert_detail(ORG_BOARD);
    apply_tx(propose_query(OWN_RESEARCHER, 0)); // B and C are enough
    refuse_tx(approve_query(ADMIN_A, 0), SY_E_CONFLICT);
    refuse_tx(deny_query(ADMIN_A, 0), SY_E_CONFLICT);
    apply_tx(approve_query(ADMIN_B, 0));
    apply_tx(approve_query(BOARD, 0));
    apply_tx(approve_query(ADMIN_C, 0));
    refuse_tx(good_answer(0), SY_E_CUSTODIANS); // A and B signed, and A asked
    tx = good_answer(0), tx.keys[0] = ADMIN_C, tx.organisation = test_hash(ORG_C);
    apply_tx(tx);
    tx = publish_dataset(1), tx.payload.dataset_publish.needed = 3;
    apply_tx(tx);
    tx = propose_query(OWN_RESEARCHER, 1),
    tx.payload.query_propose.datasets = some_ids(DATASET + 1, 0, 0);
    refuse_tx(tx, SY_E_CONFLICT);
    assert_detail(ORG_A);
}

/* The board of one data set that keeps another would decide twice. */
CASE(a_board_keeps_no_data_that_are_asked_with_its_own)
{
    struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_ETHICS, FRESH_KEY);
    assert_applied(&tx);
    apply_tx(publish_dataset(0));
    tx = publish_dataset(1);
    tx.keys[0] = ADMIN_B, tx.keys[1] = ADMIN_C, tx.keys[2] = FRESH_KEY, tx.key_count = 3;
    tx.organisation = test_hash(ORG_B);
    tx.payload.dataset_publish.custodians = some_ids(ORG_B, ORG_C, 0);
    tx.payload.dataset_publish.ethics = test_hash(ORG_A);
    apply_tx(tx);
    tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.datasets = some_ids(DATASET, DATASET + 1, 0);
    refuse_tx(tx, SY_E_CONFLICT);
    assert_detail(ORG_A);
    tx.payload.query_propose.datasets = some_ids(DATASET + 1, DATASET, 0);
    refuse_tx(tx, SY_E_CONFLICT);
    assert_detail(ORG_A);
}

CASE(a_query_takes_as_many_custodians_as_needed_and_the_board)
{
    refuse_tx(approve_query(ADMIN_A, 0), SY_E_QUERY_UNKNOWN);
    apply_tx(publish_dataset(0));
    make_query(0);
    refuse_tx(approve_query(UNI_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    refuse_tx(approve_query(BOARD_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    apply_tx(approve_query(ADMIN_A, 0));
    assert_int_equal(world.receipt.event_count, 0);
    refuse_tx(approve_query(ADMIN_A, 0), SY_E_QUERY_STATE);
    assert_research_number(6);
    apply_tx(approve_query(BOARD, 0));
    refuse_tx(approve_query(BOARD_2, 0), SY_E_QUERY_STATE); // of the same board
    refuse_tx(good_answer(0), SY_E_QUERY_STATE);
    assert_research_number(SY_QUERY_PROPOSED);
    assert_int_equal(cells_spent(DATASET, 0, SY_BUDGET_DATASET), 0);
    apply_tx(approve_query(ADMIN_C, 0));
    assert_int_equal(world.receipt.event_count, 5);
    assert_research_told(0, SY_EVENT_QUERY_APPROVED, ORG_LAB, QUERY);
    assert_int_equal(find_query(0).status, SY_QUERY_APPROVED);
    assert_int_equal(cells_spent(DATASET, 0, SY_BUDGET_DATASET), 16);
    assert_int_equal(cells_spent(ORG_B, 0, SY_BUDGET_CUSTODIAN), 16);
    refuse_tx(approve_query(ADMIN_B, 0), SY_E_QUERY_STATE);
    assert_research_number(SY_QUERY_APPROVED);
}

CASE(a_query_that_was_denied_is_over)
{
    refuse_tx(deny_query(ADMIN_A, 0), SY_E_QUERY_UNKNOWN);
    apply_tx(publish_dataset(0));
    make_query(0);
    refuse_tx(deny_query(UNI_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    apply_tx(deny_query(BOARD, 0));
    assert_research_told(0, SY_EVENT_QUERY_DENIED, ORG_LAB, QUERY);
    refuse_tx(deny_query(ADMIN_A, 0), SY_E_QUERY_STATE);
    assert_research_number(SY_QUERY_DENIED);
    refuse_tx(approve_query(ADMIN_A, 0), SY_E_QUERY_STATE);
    make_approved(1);
    apply_tx(deny_query(ADMIN_A, 1)); // who approved it, too
    refuse_tx(good_answer(1), SY_E_QUERY_STATE);
    assert_research_number(SY_QUERY_DENIED);
    make_approved(2);
    apply_tx(good_answer(2));
    refuse_tx(deny_query(ADMIN_A, 2), SY_E_QUERY_STATE);
    assert_research_number(SY_QUERY_ANSWERED);
}

CASE(a_query_does_not_wait_for_ever)
{
    apply_tx(publish_dataset(0));
    make_query(0);
    make_approved(1);
    pass_research_days(91);
    refuse_tx(approve_query(ADMIN_A, 0), SY_E_QUERY_STATE);
    assert_research_number(5);
    refuse_tx(deny_query(ADMIN_A, 0), SY_E_QUERY_STATE);
    refuse_tx(good_answer(1), SY_E_QUERY_STATE);
    assert_research_number(5);
}

CASE(the_same_is_asked_once_an_epoch)
{
    apply_tx(publish_dataset(0));
    make_query(0);
    struct world_tx tx = propose_query(STRANGER, 0);
    tx.payload.query_propose.query_id = test_hash(QUERY + 1);
    apply_tx(tx); // nobody said yes so far
    apply_tx(approve_query(ADMIN_A, 0));
    apply_tx(approve_query(ADMIN_B, 0));
    apply_tx(approve_query(BOARD, 0));
    apply_tx(approve_query(ADMIN_A, 1));
    apply_tx(approve_query(ADMIN_B, 1));
    refuse_tx(approve_query(BOARD, 1), SY_E_ASKED);
    assert_detail(QUERY);
    tx.payload.query_propose.query_id = test_hash(QUERY + 2);
    tx.payload.query_propose.budget = 4;
    refuse_tx(tx, SY_E_ASKED);
    pass_research_days(31);
    apply_tx(tx);
}

// --- budgets -----------------------------------------------------------------------------------

/* Refused queries, denied queries and keys of one organisation do not make more. */
CASE(a_researcher_and_their_organisation_have_a_budget)
{
    apply_tx(publish_dataset(0));
    struct world_tx tx = propose_query(RESEARCHER, 0);
    tx.payload.query_propose.budget = 128;
    apply_tx(tx);
    apply_tx(deny_query(BOARD, 0));
    tx = propose_query(RESEARCHER, 1), tx.payload.query_propose.budget = 120;
    apply_tx(tx);
    tx = propose_query(RESEARCHER, 2), tx.payload.query_propose.budget = 9;
    refuse_tx(tx, SY_E_BUDGET);
    assert_research_number(8);
    tx.payload.query_propose.budget = 8;
    apply_tx(tx);
    assert_int_equal(cells_spent(0, RESEARCHER, SY_BUDGET_RESEARCHER), 256);
    refuse_tx(propose_query(RESEARCHER, 3), SY_E_BUDGET);
    assert_research_number(0);
    for (unsigned i = 0; i < 3; i++) { // three colleagues have what is the organisation's
        add_research_key(LAB_ADMIN, SY_ROLE_RESEARCHER, FRESH_KEY + i);
        for (unsigned n = 0; n < 2; n++) {
            tx = propose_query(RESEARCHER, 4 + 2 * i + n);
            tx.keys[0] = FRESH_KEY + i;
            tx.payload.query_propose.budget = 128;
            apply_tx(tx);
        }
    }
    refuse_tx(propose_query(RESEARCHER_2, 20), SY_E_BUDGET);
    assert_detail(ORG_LAB);
    apply_tx(propose_query(STRANGER, 20));
    pass_research_days(31);
    apply_tx(propose_query(RESEARCHER, 21));
}

/* Only who says yes spends a data set's budget. */
CASE(a_data_set_has_a_budget)
{
    apply_tx(publish_dataset(0));
    set_research_param(SY_PARAM_DATASET_CELLS, 20, 1);
    make_approved(0);
    make_query(1);
    apply_tx(approve_query(ADMIN_A, 1));
    apply_tx(approve_query(ADMIN_B, 1));
    refuse_tx(approve_query(BOARD, 1), SY_E_BUDGET);
    assert_research_number(4);
    assert_detail(DATASET);
    assert_int_equal(find_query(1).status, SY_QUERY_PROPOSED);
    pass_research_days(31);
    apply_tx(approve_query(BOARD, 1));
}

/* Withdrawn and published anew, or cut into many, it has no fresh budget. */
CASE(a_custodian_has_a_budget_for_all_its_data_sets)
{
    set_research_param(SY_PARAM_DATASET_CELLS, 16, 1);
    for (unsigned i = 0; i < 5; i++) {
        apply_tx(publish_dataset(i));
        struct world_tx tx = propose_query(RESEARCHER, i);
        tx.payload.query_propose.datasets = some_ids(DATASET + i, 0, 0);
        apply_tx(tx);
        apply_tx(approve_query(ADMIN_A, i));
        apply_tx(approve_query(BOARD, i));
        if (i < 4) {
            apply_tx(approve_query(ADMIN_B, i));
        } else {
            refuse_tx(approve_query(ADMIN_B, i), SY_E_BUDGET);
            assert_detail(ORG_A);
        }
        apply_tx(withdraw_dataset(ADMIN_C, i));
    }
}

CASE(parameters_of_research_have_bounds)
{
    struct world_tx tx = world_tx_of(SY_KIND_param_set, REGULATOR_1, 0);
    struct sy_param_set *p = &tx.payload.param_set;
    world_cosign(&tx, REGULATOR_2);
    p->name = SY_PARAM_RESEARCH_K, p->value = 10, p->version = 1;
    p->activation_height = world.header.height + 200;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_research_number(SY_RESEARCH_K_MIN);
    p->value = SY_RESEARCH_K_MAX + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    p->name = SY_PARAM_RESEARCH_DAYS, p->value = 367;
    assert_refused(&tx, SY_E_SCHEMA);
    set_research_param(SY_PARAM_RESEARCH_K, 20, 1);
    apply_tx(publish_dataset(0));
    make_approved(0);
    refuse_tx(good_answer(0), SY_E_K);
    assert_research_number(20);
    tx = good_answer(0), tx.payload.query_result.k = 20;
    apply_tx(tx);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_RESEARCH(a_data_set_takes_every_custodian_and_a_board_of_its_own),
        WITH_RESEARCH(what_a_data_set_says_fits),
        WITH_RESEARCH(records_are_one_data_sets),
        WITH_RESEARCH(an_update_is_the_next_version),
        WITH_RESEARCH(one_alone_withdraws_a_data_set),
        WITH_RESEARCH(a_query_is_written_one_way_and_asks_little),
        WITH_RESEARCH(a_data_set_is_asked_for_what_it_has),
        WITH_RESEARCH(who_asks_does_not_decide),
        WITH_RESEARCH(a_board_keeps_no_data_that_are_asked_with_its_own),
        WITH_RESEARCH(a_query_takes_as_many_custodians_as_needed_and_the_board),
        WITH_RESEARCH(a_query_that_was_denied_is_over),
        WITH_RESEARCH(a_query_does_not_wait_for_ever),
        WITH_RESEARCH(the_same_is_asked_once_an_epoch),
        WITH_RESEARCH(a_researcher_and_their_organisation_have_a_budget),
        WITH_RESEARCH(a_data_set_has_a_budget),
        WITH_RESEARCH(a_custodian_has_a_budget_for_all_its_data_sets),
        WITH_RESEARCH(parameters_of_research_have_bounds),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
