/* Excursions: goods that were too warm or too cold, held until who made them answers, whatever
 * becomes of them meanwhile; and containers, which have the temperatures of all that is in them. */
#include <string.h>

#include "tests/unit/cold_rig.h"

// --- too warm ----------------------------------------------------------------------------------

/* The pharmacy has a, which it kept at 12 degrees. */
static struct sy_hash warm_one(void)
{
    make_two();
    hand_to(MAKER, PHARMACY_P, texts(a, b, NULL));
    wait_hours(3);
    struct world_tx tx = hour(PHARMACIST_P, a, 1, now() - HOUR_MS, 5, 12);
    assert_applied(&tx);
    return event_id;
}

CASE(what_was_too_warm_is_held_until_its_maker_answers)
{
    struct sy_hash event = warm_one();
    assert_goods_told(0, SY_EVENT_COND_BREACHED, ORG_MAKER, &event);
    assert_goods_told(1, SY_EVENT_COND_COMMITTED, ORG_P, &event);
    assert_goods_told(2, SY_EVENT_COND_GAP, ORG_P, &event); // two hours after it came
    assert_goods_told(3, SY_EVENT_COND_BREACHED, ORG_P, &event);
    assert_held(a, &event);
    assert_int_equal(last_step(a).kind, SY_STEP_EXCURSION);
    assert_int_equal(find_goods(b).status, SY_UNIT_HELD);
    assert_true(find_conditions(&event).breached);
    struct sy_exception exception;
    struct sy_hash maker = test_hash(ORG_MAKER), holder = test_hash(ORG_P);
    assert_true(find_exception(&exception, &event));
    assert_int_equal(exception.kind, SY_EXCEPTION_TEMPERATURE);
    assert_memory_equal(&exception.to, &maker, sizeof maker);
    assert_memory_equal(&exception.organisation, &holder, sizeof holder);
    assert_int_equal(exception.items.count, 1);
    struct world_tx tx = ship(PHARMACY_P, ORG_Q, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_QUARANTINED);
    tx = verify(TRADER, PRODUCT_1, "a", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_ENDED);
    tx = respond(PHARMACY_P, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_PREFIX);
    tx = respond(MAKER, &event, SY_OUTCOME_ILLEGITIMATE, texts(a, NULL));
    assert_refused(&tx, SY_E_SCHEMA); // nobody doubts what it is
    assert_path("outcome");
    tx = respond(MAKER, &event, SY_OUTCOME_AGREED, texts(NULL, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    tx = respond(MAKER, &event, SY_OUTCOME_CLEARED, texts(b, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = respond(MAKER, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_EXCEPTION_ANSWERED, ORG_P, &event);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD);
    assert_false(find_goods(a).has_excursion);
    assert_int_equal(last_step(a).kind, SY_STEP_RELEASED);
    hand_to(PHARMACY_P, PHARMACY_Q, texts(a, NULL));
}

CASE(what_was_too_cold_and_is_unfit_stays_held_and_can_be_ended)
{
    (void)warm_one();
    struct world_tx tx = hour(PHARMACY_P, b, 1, now() - HOUR_MS, 1, 5);
    assert_applied(&tx);
    struct sy_hash event = event_id;
    assert_held(b, &event);
    tx = respond(MAKER, &event, SY_OUTCOME_UNFIT, texts(b, NULL));
    assert_applied(&tx);
    assert_held(b, &event);
    assert_int_equal(last_step(b).kind, SY_STEP_UNFIT);
    tx = decommission(PHARMACY_P, b, SY_DECOMMISSION_DESTROYED);
    assert_applied(&tx);
    struct sy_hash ended = event_id;
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_P), 1);
    tx = correct(PHARMACY_P, &ended, SY_CORRECTION_DID_NOT_OCCUR);
    tx.payload.event_correct.has_item = true;
    tx.payload.event_correct.item = text_of(b);
    assert_applied(&tx);
    assert_held(b, &event); // again
    tx = respond(REGULATOR_1, &event, SY_OUTCOME_CLEARED, texts(b, NULL));
    assert_applied(&tx); // who may, when a maker does not
    assert_int_equal(find_goods(b).status, SY_UNIT_HELD);
}

CASE(what_is_unfit_is_let_go_by_a_regulator_alone)
{
    make_two(); // whose owner made it
    struct world_tx tx = hour(MAKER, a, 1, now() - 9 * HOUR_MS, 5, 12);
    assert_applied(&tx);
    struct sy_hash first = event_id;
    tx = respond(REGULATOR_1, &first, SY_OUTCOME_UNFIT, texts(a, NULL));
    assert_applied(&tx);
    assert_true(find_goods(a).condemned);
    tx = respond(MAKER, &first, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_EVENT_STATE);
    assert_int_equal(world.receipt.detail, 1);
    assert_memory_equal(&world.receipt.detail_hash, &first, sizeof first);
    assert_path("items[0]");
    tx = hour(MAKER, a, 2, now() - 8 * HOUR_MS, 5, 8);
    tx.payload.cond_commit.max++; // out of range by hardly anything
    assert_applied(&tx);
    struct sy_hash second = event_id;
    assert_held(a, &second);
    tx = respond(MAKER, &second, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_EVENT_STATE); // that newer one is no way around the older
    assert_held(a, &second);
    tx = respond(MAKER, &second, SY_OUTCOME_UNFIT, texts(a, NULL));
    assert_applied(&tx);
    tx = respond(REGULATOR_1, &second, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD);
    assert_false(find_goods(a).condemned);
    tx = hour(MAKER, a, 3, now() - 7 * HOUR_MS, 5, 12);
    assert_applied(&tx);
    tx = respond(MAKER, &event_id, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx); // which is another matter
    tx = hour(MAKER, a, 4, now() - 6 * HOUR_MS, 5, 12);
    assert_applied(&tx);
    first = event_id;
    tx = respond(MAKER, &first, SY_OUTCOME_UNFIT, texts(a, NULL));
    assert_applied(&tx);
    tx = respond(MAKER, &first, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_EVENT_STATE); // nor does who said it take it back
}

CASE(what_is_unfit_stays_so_beside_a_suspicion_and_out_of_its_box)
{
    make_two();
    struct world_tx tx = pack(MAKER, box, texts(a, b, NULL));
    assert_applied(&tx);
    wait_hours(3);
    tx = report(MAKER, SY_EXCEPTION_SUSPECT, texts(case_epc(box), NULL));
    assert_applied(&tx);
    struct sy_hash suspicion = event_id;
    tx = hour(MAKER, case_epc(box), 1, now() - 2 * HOUR_MS, 5, 12);
    assert_applied(&tx);
    struct sy_hash event = event_id;
    tx = respond(REGULATOR_1, &event, SY_OUTCOME_UNFIT, texts(case_epc(box), NULL));
    assert_applied(&tx);
    tx = unpack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    tx = respond(REGULATOR_1, &suspicion, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_held(a, &event);
    tx = respond(MAKER, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_EVENT_STATE);
    tx = respond(MAKER, &event, SY_OUTCOME_CLEARED, texts(case_epc(box), NULL));
    assert_refused(&tx, SY_E_EVENT_STATE);
    tx = respond(REGULATOR_1, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD);
}

CASE(nobody_reports_a_temperature_by_hand)
{
    make_two();
    struct sy_hash shipment = send_away(b, NULL);
    struct world_tx tx = report(MAKER, SY_EXCEPTION_TEMPERATURE, texts(a, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("reason");
    tx = report_of(MAKER, SY_EXCEPTION_TEMPERATURE, &shipment, texts(a, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("reason");
    tx = report(MAKER, SY_EXCEPTION_SUSPECT, texts(a, NULL));
    assert_applied(&tx);
    struct sy_hash suspicion = event_id;
    tx = respond(MAKER, &suspicion, SY_OUTCOME_UNFIT, texts(a, NULL));
    assert_refused(&tx, SY_E_SCHEMA); // of a temperature alone
}

CASE(a_suspicion_and_a_temperature_hold_apart)
{
    make_two();
    hand_to(MAKER, PHARMACY_P, texts(a, NULL));
    wait_hours(5);
    struct world_tx tx = report(PHARMACY_P, SY_EXCEPTION_SUSPECT, texts(a, NULL));
    assert_applied(&tx);
    struct sy_hash suspicion = event_id;
    tx = hour(PHARMACY_P, a, 1, now() - 4 * HOUR_MS, 5, 12); // what is held is kept on
    assert_applied(&tx);
    struct sy_hash first = event_id;
    tx = respond(MAKER, &first, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(a).status, SY_UNIT_QUARANTINED); // it is suspect all the same
    tx = hour(PHARMACY_P, a, 2, now() - 3 * HOUR_MS, 5, 12);
    assert_applied(&tx);
    first = event_id;
    tx = respond(MAKER, &suspicion, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_held(a, &first);
    tx = hour(PHARMACY_P, a, 3, now() - 2 * HOUR_MS, 5, 40);
    assert_applied(&tx);
    struct sy_hash second = event_id;
    tx = respond(MAKER, &first, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE); // who answered did not know of 40 degrees
    tx = respond(MAKER, &suspicion, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = hour(PHARMACY_P, a, 4, now() - HOUR_MS, 5, 8); // good again, which mends nothing
    assert_applied(&tx);
    assert_held(a, &second);
    tx = respond(MAKER, &second, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD);
}

CASE(what_a_product_bears_is_judged_as_it_is_said_then)
{
    make_two();
    struct world_tx tx = storage(MAKER, PRODUCT_1, 2, 25);
    assert_applied(&tx);
    tx = hour(MAKER, a, 1, now() - 3 * HOUR_MS, 2, 25); // the bounds themselves are borne
    assert_applied(&tx);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD);
    tx = hour(MAKER, a, 2, now() - 2 * HOUR_MS, 2, 25);
    tx.payload.cond_commit.max++;
    assert_applied(&tx);
    assert_held(a, &event_id);
    tx = hour(MAKER, b, 1, now() - 2 * HOUR_MS, 1, 25);
    assert_applied(&tx);
    assert_held(b, &event_id);
    tx = commission(MAKER, PRODUCT_2, "L2", texts("c", NULL));
    assert_applied(&tx);
    tx = hour(MAKER, unit_epc(PRODUCT_2, "c"), 1, now() - HOUR_MS, -40, 90);
    assert_applied(&tx); // which bears any
    assert_int_equal(find_goods(unit_epc(PRODUCT_2, "c")).status, SY_UNIT_HELD);
}

// --- containers --------------------------------------------------------------------------------

CASE(a_container_is_kept_as_the_narrowest_of_what_is_in_it)
{
    make_two();
    const char *inner = sscc_of(MAKER, 2);
    struct world_tx tx = commission(MAKER, PRODUCT_2, "L2", texts("c", NULL));
    assert_applied(&tx);
    tx = storage(MAKER, PRODUCT_1, -10, 30);
    assert_applied(&tx);
    tx = storage(MAKER, PRODUCT_2, 2, 8);
    assert_applied(&tx);
    tx = pack(MAKER, inner, texts(a, NULL));
    assert_applied(&tx);
    tx = pack(MAKER, box, texts(case_epc(inner), unit_epc(PRODUCT_2, "c"), NULL));
    assert_applied(&tx);
    int64_t filled_ms = world.header.time_ms;
    wait_hours(3);
    tx = hour(MAKER, case_epc(box), 1, filled_ms - 1, 4, 20);
    assert_refused(&tx, SY_E_COND_WINDOW); // of what was not in it yet
    assert_int_equal(world.receipt.detail, filled_ms);
    tx = hour(MAKER, case_epc(box), 1, filled_ms, 4, 8);
    assert_applied(&tx);
    assert_int_equal(find_goods(case_epc(box)).status, SY_UNIT_HELD);
    tx = hour(MAKER, case_epc(box), 2, filled_ms + HOUR_MS, 4, 20);
    assert_applied(&tx);
    assert_held(case_epc(box), &event_id);
    tx = hour(MAKER, case_epc(inner), 1, filled_ms + HOUR_MS, 4, 5);
    assert_refused(&tx, SY_E_AGGREGATED);
}

CASE(goods_of_two_makers_in_one_container_are_not_held_for_ever)
{
    char other[SY_GTIN_BYTES + 1] = "04012345000010";
    make_two();
    other[SY_GTIN_BYTES - 1] = (char)sy_goods_check_digit(text_of(other));
    struct world_tx tx = register_product(TRADER, other, "4012345");
    assert_applied(&tx);
    tx = commission(TRADER, other, "L2", texts("d", NULL));
    assert_applied(&tx);
    hand_to(MAKER, TRADER, texts(a, NULL));
    const char *mixed = sscc_of(TRADER, 1), *d = unit_epc(other, "d");
    tx = pack(TRADER, mixed, texts(a, d, NULL));
    assert_applied(&tx);
    wait_hours(2);
    tx = hour(TRADER, case_epc(mixed), 1, world.header.time_ms - HOUR_MS, 4, 20);
    assert_applied(&tx);
    struct sy_hash event = event_id;
    assert_held(case_epc(mixed), &event);
    tx = respond(MAKER, &event, SY_OUTCOME_CLEARED, texts(case_epc(mixed), NULL));
    assert_refused(&tx, SY_E_PREFIX); // neither is the other's to clear
    tx = respond(TRADER, &event, SY_OUTCOME_CLEARED, texts(case_epc(mixed), NULL));
    assert_refused(&tx, SY_E_PREFIX);
    tx = unpack(TRADER, mixed, texts(a, d, NULL));
    assert_applied(&tx);
    assert_held(a, &event);
    assert_held(d, &event);
    tx = ship(TRADER, ORG_P, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = respond(TRADER, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_PREFIX);
    tx = respond(MAKER, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    tx = respond(TRADER, &event, SY_OUTCOME_CLEARED, texts(d, case_epc(mixed), NULL));
    assert_applied(&tx);
    tx = pack(TRADER, mixed, texts(a, d, NULL));
    assert_applied(&tx);
    hand_to(TRADER, PHARMACY_P, texts(case_epc(mixed), NULL));
}

CASE(what_is_unpacked_begins_anew_and_under_way_nothing_is)
{
    make_two();
    struct world_tx tx = pack(MAKER, box, texts(a, b, NULL));
    assert_applied(&tx);
    struct sy_hash shipment = send_away(case_epc(box), NULL);
    tx = road_hour(MAKER, &shipment, 1, world.header.time_ms, 20);
    assert_refused(&tx, SY_E_COND_WINDOW); // not over yet
    wait_hours(2);
    tx = road_hour(MAKER, &shipment, 1, world.header.time_ms - HOUR_MS, 20);
    assert_applied(&tx);
    struct sy_hash event = event_id;
    tx = unpack(MAKER, box, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE); // it is on the road, whatever holds it
    tx = receive(TRADER, &shipment, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    tx = unpack(TRADER, box, texts(a, NULL));
    assert_applied(&tx);
    assert_held(a, &event);
    assert_int_equal(find_goods(a).known_ms, world.header.time_ms);
    assert_int_equal(owner_of(a), ORG_TRADER);
    assert_int_equal(find_goods(b).status, SY_UNIT_HELD); // with the box, which is held
    tx = pack(TRADER, box, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
}
CASE(packing_and_unpacking_hides_no_gap)
{
    make_two();
    int64_t t = now() - 10 * HOUR_MS;
    struct world_tx tx = hour(MAKER, a, 1, t, 3, 7);
    assert_applied(&tx);
    tx = hour(MAKER, b, 1, t + 4 * HOUR_MS, 3, 7);
    assert_applied(&tx);
    tx = pack(MAKER, box, texts(a, b, NULL));
    assert_applied(&tx);
    tx = unpack(MAKER, box, texts(a, b, NULL));
    assert_applied(&tx);
    int64_t unpacked_ms = world.header.time_ms;
    wait_hours(2);
    tx = hour(MAKER, a, 2, unpacked_ms - 1, 3, 7);
    assert_refused(&tx, SY_E_COND_WINDOW); // nor is it filled in
    tx = hour(MAKER, a, 2, unpacked_ms, 3, 7);
    assert_applied(&tx);
    assert_goods_told(1, SY_EVENT_COND_GAP, ORG_MAKER, &event_id);
    assert_int_equal(find_conditions(&event_id).gap_ms, unpacked_ms - t - HOUR_MS);
    tx = hour(MAKER, b, 2, unpacked_ms, 3, 7); // whose own is shorter
    assert_applied(&tx);
    assert_int_equal(find_conditions(&event_id).gap_ms, unpacked_ms - t - 5 * HOUR_MS);
}

CASE(a_gap_of_what_is_in_a_container_is_the_containers)
{
    make_two();
    int64_t t = now() - 10 * HOUR_MS;
    struct world_tx tx = hour(MAKER, a, 1, t, 3, 7);
    assert_applied(&tx);
    tx = pack(MAKER, box, texts(b, NULL)); // of which nothing was known
    assert_applied(&tx);
    int64_t filled_ms = world.header.time_ms;
    assert_int_equal(find_goods(case_epc(box)).since_ms, filled_ms);
    tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(case_epc(box)).since_ms, t + HOUR_MS);
    wait_hours(3);
    int64_t from = find_goods(case_epc(box)).known_ms;
    tx = hour(MAKER, case_epc(box), 1, from, 4, 5);
    assert_applied(&tx);
    assert_goods_told(1, SY_EVENT_COND_GAP, ORG_MAKER, &event_id);
    assert_int_equal(find_conditions(&event_id).gap_ms, from - t - HOUR_MS);
    tx = unpack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(a).since_ms, from + HOUR_MS); // that one was told
    assert_int_equal(find_goods(case_epc(box)).since_ms, from + HOUR_MS);
    tx = unpack(MAKER, box, texts(b, NULL));
    assert_applied(&tx);
    wait_hours(20);
    tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    tx = pack(MAKER, sscc_of(MAKER, 2), texts(b, NULL));
    assert_applied(&tx);
    tx = unpack(MAKER, sscc_of(MAKER, 2), texts(b, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(b).since_ms, from + HOUR_MS);
    tx = commission(MAKER, PRODUCT_1, "L1", texts("c", NULL));
    assert_applied(&tx);
    tx = pack(MAKER, sscc_of(MAKER, 2), texts(unit_epc(PRODUCT_1, "c"), NULL));
    assert_applied(&tx); // it was empty, so nothing is missing of what was in it
    assert_int_equal(find_goods(case_epc(sscc_of(MAKER, 2))).since_ms, world.header.time_ms);
    hand_to(MAKER, TRADER, texts(case_epc(box), NULL));
    int64_t received_ms = world.header.time_ms;
    wait_hours(1);
    tx = unpack(TRADER, box, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(a).since_ms, received_ms); // the rest was the maker's
    assert_int_equal(find_goods(a).known_ms, world.header.time_ms);
}

CASE(an_hour_ahead_is_not_committed_to_again_in_a_container)
{
    make_two();
    struct world_tx tx = hour(MAKER, a, 1, now() - 11 * HOUR_MS, 4, 5);
    tx.payload.cond_commit.interval = 3600;
    assert_applied(&tx);
    int64_t ahead_ms = find_goods(a).known_ms;
    tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    assert_true(world.header.time_ms < ahead_ms);
    assert_int_equal(find_goods(case_epc(box)).known_ms, ahead_ms);
    tx = unpack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    assert_int_equal(find_goods(a).known_ms, ahead_ms);
    assert_int_equal(find_goods(a).since_ms, ahead_ms);
    tx = hour(MAKER, a, 2, ahead_ms - 1, 4, 5);
    tx.payload.cond_commit.readings = 1;
    assert_refused(&tx, SY_E_COND_WINDOW);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_GOODS(what_was_too_warm_is_held_until_its_maker_answers),
        WITH_GOODS(what_was_too_cold_and_is_unfit_stays_held_and_can_be_ended),
        WITH_GOODS(what_is_unfit_is_let_go_by_a_regulator_alone),
        WITH_GOODS(what_is_unfit_stays_so_beside_a_suspicion_and_out_of_its_box),
        WITH_GOODS(nobody_reports_a_temperature_by_hand),
        WITH_GOODS(a_suspicion_and_a_temperature_hold_apart),
        WITH_GOODS(what_a_product_bears_is_judged_as_it_is_said_then),
        WITH_GOODS(a_container_is_kept_as_the_narrowest_of_what_is_in_it),
        WITH_GOODS(goods_of_two_makers_in_one_container_are_not_held_for_ever),
        WITH_GOODS(what_is_unpacked_begins_anew_and_under_way_nothing_is),
        WITH_GOODS(packing_and_unpacking_hides_no_gap),
        WITH_GOODS(a_gap_of_what_is_in_a_container_is_the_containers),
        WITH_GOODS(an_hour_ahead_is_not_committed_to_again_in_a_container),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
