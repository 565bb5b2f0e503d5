/* Cold chains: what products bear, what goods had, who says so and about which time; what was too
 * warm: test_ledger_excursion. */
#include <string.h>

#include "tests/unit/cold_rig.h"

enum {
    LOGGER = FRESH_KEY,
    NEXT_KEY,
    OTHER_KEY,
    DEVICE = FRESH_ID + 600,
    OTHER_DEVICE,
    RECORD = FRESH_ID + 620
};

// --- what products bear ------------------------------------------------------------------------

CASE(a_product_bears_what_its_maker_says)
{
    struct sy_hash id = sy_goods_text(text_of(PRODUCT_1)), key_hash;
    struct sy_slice value;
    struct sy_storage found;
    struct world_tx tx = storage(MAKER, PRODUCT_1, 8, 2);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("max");
    tx = storage(MAKER, "09506000134376", 2, 8);
    assert_refused(&tx, SY_E_PRODUCT_UNKNOWN);
    tx = storage(TRADER, PRODUCT_1, 2, 40);
    assert_refused(&tx, SY_E_PREFIX);
    assert_detail(ORG_MAKER);
    tx = storage(PHARMACIST_P, PRODUCT_1, 2, 40);
    assert_refused(&tx, SY_E_ROLE);
    tx = storage(MAKER_KEY, PRODUCT_1, 2, 8);
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_PRODUCT_STORAGE, ORG_MAKER, &id);
    tx = storage(MAKER, PRODUCT_1, -25, -15);
    assert_applied(&tx);
    sy_state_key_id(&key_hash, SY_STATE_STORAGE, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_storage_decode(&found, value));
    assert_int_equal(found.min, CELSIUS(-25));
    assert_int_equal(found.max, CELSIUS(-15));
    assert_int_equal(found.version, 2);
    assert_int_equal(found.height, world.header.height);
}

// --- what goods had ----------------------------------------------------------------------------

CASE(temperatures_follow_one_another_without_overlap)
{
    make_two();
    int64_t t = now() - 10 * HOUR_MS;
    struct world_tx tx = hour(MAKER, a, 2, t, 3, 7);
    assert_refused(&tx, SY_E_COND_SEQUENCE);
    assert_int_equal(world.receipt.detail, 1);
    tx = hour(MAKER, a, 1, t, 3, 7);
    assert_applied(&tx);
    struct sy_hash event = event_id;
    assert_int_equal(world.receipt.event_count, 1); // of before the first nothing is missing
    assert_goods_told(0, SY_EVENT_COND_COMMITTED, ORG_MAKER, &event);
    struct sy_unit unit = find_goods(a);
    assert_int_equal(unit.status, SY_UNIT_HELD);
    assert_int_equal(unit.conditions, 1);
    assert_int_equal(unit.known_ms, t + HOUR_MS);
    struct sy_unit_step step = last_step(a);
    assert_int_equal(step.kind, SY_STEP_MONITORED);
    assert_memory_equal(&step.event, &event, sizeof event);
    struct sy_conditions found = find_conditions(&event);
    struct sy_public_key key = test_public(MAKER);
    assert_int_equal(found.items.count, 1);
    assert_int_equal(found.from_ms, t);
    assert_int_equal(found.min, CELSIUS(3));
    assert_int_equal(found.max, CELSIUS(7));
    assert_memory_equal(&found.key, &key, sizeof key);
    assert_false(found.breached || found.has_device || found.has_shipment);
    struct sy_exception none;
    assert_false(find_exception(&none, &event));
    assert_refused(&tx, SY_E_DUP_EVENT);
    tx = hour(MAKER, a, 1, t + HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_COND_SEQUENCE);
    assert_int_equal(world.receipt.detail, 2);
    tx = hour(MAKER, a, 2, t + HOUR_MS - 1, 3, 7);
    assert_refused(&tx, SY_E_COND_WINDOW); // of the last millisecond two readings would say
    assert_int_equal(world.receipt.detail, t + HOUR_MS);
    tx = hour(MAKER, a, 2, t - 5 * HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_COND_WINDOW);
    tx = hour(MAKER, a, 2, t + HOUR_MS + 300 * 1000, 3, 7); // within an interval
    assert_applied(&tx);
    assert_int_equal(find_conditions(&event_id).gap_ms, 0);
    tx = hour(MAKER, b, 1, t - 5 * HOUR_MS, 3, 7); // b's are its own
    assert_applied(&tx);
}

CASE(what_is_not_known_shows)
{
    make_two();
    int64_t t = now() - 10 * HOUR_MS;
    struct world_tx tx = hour(MAKER, a, 1, t, 3, 7);
    assert_applied(&tx);
    tx = hour(MAKER, a, 2, t + 3 * HOUR_MS, 3, 7);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_goods_told(1, SY_EVENT_COND_GAP, ORG_MAKER, &event_id);
    assert_int_equal(find_conditions(&event_id).gap_ms, 2 * HOUR_MS);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD); // which is for whoever reads it to judge
    tx = hour(MAKER, a, 3, t + 2 * HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_COND_WINDOW); // and is not filled in afterwards
}

CASE(readings_are_of_the_past)
{
    make_two();
    int64_t t = now();
    struct world_tx tx = hour(MAKER, a, 1, t - 11 * 300 * 1000 + 1, 3, 7);
    assert_refused(&tx, SY_E_COND_WINDOW);
    assert_int_equal(world.receipt.detail, t);
    tx = hour(MAKER, a, 1, SY_TIME_MS_MAX, 3, 7);
    tx.payload.cond_commit.interval = SY_COND_INTERVAL_S_MAX;
    tx.payload.cond_commit.readings = SY_COND_READINGS_MAX;
    assert_refused(&tx, SY_E_COND_WINDOW);
    tx = hour(MAKER, a, 1, now() - 11 * 300 * 1000, 3, 7);
    assert_applied(&tx); // the last one is this moment's
}

CASE(a_commitment_is_about_one_thing)
{
    make_two();
    struct sy_hash shipment = test_hash(next_event());
    struct world_tx tx = hour_of(MAKER, 1, now() - HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("item");
    tx = hour(MAKER, a, 1, now() - HOUR_MS, 3, 7);
    tx.payload.cond_commit.has_shipment = true;
    tx.payload.cond_commit.shipment = shipment;
    assert_refused(&tx, SY_E_SCHEMA);
    tx = hour(MAKER, a, 1, now() - HOUR_MS, 7, 3);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("max");
    tx = road_hour(MAKER, &shipment, 1, now() - HOUR_MS, 5);
    assert_refused(&tx, SY_E_SHIPMENT_UNKNOWN);
}

CASE(only_who_has_goods_says_what_they_had)
{
    make_two();
    struct world_tx tx = hour(TRADER, a, 1, now() - HOUR_MS, 3, 30);
    assert_refused(&tx, SY_E_NOT_OWNER);
    assert_detail(ORG_MAKER);
    tx = hour(NURSE_A, a, 1, now() - HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_ROLE);
    tx = hour(MAKER, unit_epc(PRODUCT_1, "zz"), 1, now() - HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_UNIT_UNKNOWN);
    assert_path("item");
    tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    tx = hour(MAKER, a, 1, now() - HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_AGGREGATED); // its container is what is kept
    tx = decommission(MAKER, b, SY_DECOMMISSION_DAMAGED);
    assert_applied(&tx);
    tx = hour(MAKER, b, 1, now() - HOUR_MS, 3, 7);
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_ENDED);
    struct sy_hash shipment = send_away(case_epc(box), NULL);
    tx = road_hour(TRADER, &shipment, 1, now() - HOUR_MS, 30);
    assert_refused(&tx, SY_E_NOT_OWNER); // not yet
    assert_detail(ORG_MAKER);
}

// --- loggers -----------------------------------------------------------------------------------

static struct world_tx logger(unsigned id, unsigned key, unsigned owner_kind, unsigned owner)
{
    struct world_tx tx = world_tx_of(SY_KIND_device_register, MAKER, ORG_MAKER);
    struct sy_device_register *p = &tx.payload.device_register;
    p->device_id = test_hash(id);
    p->device_key = test_public(key);
    p->org_id = test_hash(ORG_MAKER);
    p->owner_kind = (uint16_t)owner_kind;
    p->owner = test_hash(owner);
    p->udi_commit = test_hash(1);
    p->class = SY_DEVICE_OTHER;
    p->not_before = world.header.time_ms;
    p->not_after = world.header.time_ms + 1000 * HOUR_MS;
    return tx;
}

static struct world_tx logged(unsigned key, unsigned device, uint32_t sequence)
{
    struct world_tx tx = hour(key, a, sequence, now() - (10 - sequence) * HOUR_MS, 3, 7);
    tx.organisation = test_hash(ORG_MAKER);
    tx.payload.cond_commit.has_device_id = true;
    tx.payload.cond_commit.device_id = test_hash(device);
    return tx;
}

CASE(a_logger_answers_with_its_own_key)
{
    make_two();
    struct world_tx tx = logger(DEVICE, LOGGER, SY_SUBJECT_ORG, ORG_MAKER);
    assert_applied(&tx);
    tx = logged(LOGGER, DEVICE, 1);
    tx.payload.cond_commit.has_device_id = false;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("device_id");
    tx = logged(LOGGER, OTHER_DEVICE, 1);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(OTHER_DEVICE);
    tx = logger(OTHER_DEVICE, OTHER_KEY, SY_SUBJECT_ORG, ORG_MAKER);
    assert_applied(&tx);
    tx = logged(LOGGER, OTHER_DEVICE, 1); // each in its own name
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(OTHER_DEVICE);
    tx = logged(MAKER, DEVICE, 1); // who handles goods says nothing in a logger's name
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = logged(LOGGER, DEVICE, 1);
    assert_applied(&tx);
    struct sy_conditions found = find_conditions(&event_id);
    struct sy_hash device = test_hash(DEVICE);
    assert_true(found.has_device);
    assert_memory_equal(&found.device, &device, sizeof device);
    tx = world_tx_of(SY_KIND_key_rotate, LOGGER, ORG_MAKER);
    tx.payload.key_rotate.old_key = test_public(LOGGER);
    tx.payload.key_rotate.role = SY_ROLE_DEVICE;
    tx.payload.key_rotate.new_key = test_public(NEXT_KEY);
    assert_applied(&tx);
    tx = logged(NEXT_KEY, DEVICE, 2);
    assert_applied(&tx);
    hand_to(MAKER, TRADER, texts(a, NULL));
    tx = logged(NEXT_KEY, DEVICE, 3);
    tx.payload.cond_commit.from = now() - 55 * 60 * 1000;
    assert_refused(&tx, SY_E_NOT_OWNER); // it went along, and is nobody's there
}

CASE(a_device_of_another_logs_no_goods)
{
    make_two();
    struct world_tx tx = logger(DEVICE, LOGGER, SY_SUBJECT_ORG, ORG_A);
    world_cosign(&tx, ADMIN_A);
    assert_applied(&tx);
    tx = logged(LOGGER, DEVICE, 1); // a hospital's, which the maker registered
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(DEVICE);
}

CASE(a_patients_device_logs_no_goods)
{
    make_two();
    struct world_tx tx = logger(DEVICE, LOGGER, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    tx = logged(LOGGER, DEVICE, 1);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(DEVICE);
}

// --- on the road -------------------------------------------------------------------------------

CASE(what_was_too_warm_on_the_road_is_received_and_held)
{
    make_two();
    struct world_tx tx = commission(MAKER, PRODUCT_2, "L2", texts("c", NULL));
    assert_applied(&tx);
    const char *c = unit_epc(PRODUCT_2, "c");
    struct sy_hash shipment = send_away(a, c);
    tx = road_hour(MAKER, &shipment, 2, now() - 3 * HOUR_MS, 5);
    assert_refused(&tx, SY_E_COND_SEQUENCE);
    assert_int_equal(world.receipt.detail, 1);
    tx = road_hour(MAKER, &shipment, 1, now() - 3 * HOUR_MS, 5);
    assert_applied(&tx);
    assert_int_equal(find_conditions(&event_id).items.count, 2);
    tx = road_hour(MAKER, &shipment, 2, now() - 2 * HOUR_MS, 15);
    assert_applied(&tx);
    struct sy_hash event = event_id;
    assert_goods_told(0, SY_EVENT_COND_BREACHED, ORG_TRADER, &event); // who awaits it
    assert_held(a, &event);
    assert_true(find_goods(a).under_way);
    assert_int_equal(find_goods(c).status, SY_UNIT_HELD); // it bears that
    struct sy_exception exception;
    assert_true(find_exception(&exception, &event));
    assert_int_equal(exception.items.count, 1);
    assert_true(exception.has_shipment);
    tx = hour(MAKER, a, 3, now() - HOUR_MS, 4, 16); // by itself, too
    assert_applied(&tx);
    event = event_id;
    assert_goods_told(0, SY_EVENT_COND_BREACHED, ORG_TRADER, &event);
    tx = road_hour(MAKER, &shipment, 3, now() - HOUR_MS, 5);
    assert_refused(&tx, SY_E_COND_WINDOW); // which is known of a
    assert_path("items[0]");
    tx = receive(TRADER, &shipment, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    assert_held(a, &event);
    assert_int_equal(owner_of(a), ORG_TRADER);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_TRADER), 1);
    tx = road_hour(MAKER, &shipment, 3, now() - HOUR_MS, 5);
    assert_refused(&tx, SY_E_SHIPMENT_STATE);
    tx = ship(TRADER, ORG_P, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = respond(TRADER, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_PREFIX);
    tx = respond(MAKER, &event, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    hand_to(TRADER, PHARMACY_P, texts(a, c, NULL));
}

CASE(what_is_refused_on_arrival_is_the_senders_and_held)
{
    make_two();
    struct sy_hash shipment = send_away(a, b);
    struct world_tx tx = road_hour(MAKER, &shipment, 1, now() - HOUR_MS, 15);
    assert_applied(&tx);
    struct sy_hash event = event_id;
    tx = receive(TRADER, &shipment, SY_RECEIVE_REJECT);
    assert_applied(&tx);
    assert_int_equal(owner_of(a), ORG_MAKER);
    assert_held(a, &event);
    assert_false(find_goods(a).under_way);
    tx = ship(MAKER, ORG_TRADER, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
}

CASE(a_shipment_goes_on_without_what_was_stolen)
{
    make_two();
    struct sy_hash shipment = send_away(a, b);
    struct world_tx tx = decommission(MAKER, a, SY_DECOMMISSION_STOLEN);
    assert_applied(&tx);
    tx = road_hour(MAKER, &shipment, 1, now() - HOUR_MS, 5);
    assert_applied(&tx);
    assert_int_equal(find_conditions(&event_id).items.count, 1);
    assert_int_equal(find_goods(a).conditions, 0);
    tx = decommission(MAKER, b, SY_DECOMMISSION_STOLEN);
    assert_applied(&tx);
    tx = road_hour(MAKER, &shipment, 2, now() - 55 * 60 * 1000, 5);
    assert_refused(&tx, SY_E_SHIPMENT_STATE);
}

CASE(whoever_receives_goods_says_what_they_have_from_then_on)
{
    make_two();
    struct world_tx tx = hour(MAKER, a, 1, now() - 11 * HOUR_MS, 4, 5);
    tx.payload.cond_commit.interval = 3600; // its last reading stands for the hour to come
    assert_applied(&tx);
    assert_true(find_goods(a).known_ms >= world.header.time_ms);
    hand_to(MAKER, TRADER, texts(a, NULL));
    int64_t received_ms = world.header.time_ms;
    assert_int_equal(find_goods(a).known_ms, received_ms);
    wait_hours(2);
    tx = hour(TRADER, a, 2, received_ms - 1, 4, 5);
    assert_refused(&tx, SY_E_COND_WINDOW); // they were another's
    assert_int_equal(world.receipt.detail, received_ms);
    tx = hour(MAKER, a, 2, received_ms, 4, 5);
    assert_refused(&tx, SY_E_NOT_OWNER);
    tx = hour(TRADER, a, 2, received_ms, 4, 5);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1); // no gap
}

// --- given back --------------------------------------------------------------------------------

CASE(what_a_patient_gave_back_is_kept_by_nobody)
{
    make_two();
    struct world_tx tx = ship(MAKER, ORG_A, texts(a, NULL));
    assert_applied(&tx);
    tx = receive(ADMIN_A, &event_id, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_unit_dispense, DOCTOR_A, ORG_A);
    tx.payload.unit_dispense.event_id = test_hash(next_event());
    tx.payload.unit_dispense.unit = text_of(a);
    tx.payload.unit_dispense.has_record_id = true;
    tx.payload.unit_dispense.record_id = test_hash(RECORD);
    assert_applied(&tx);
    wait_hours(2);
    tx = hour(ADMIN_A, a, 1, world.header.time_ms - HOUR_MS, 4, 5);
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_DISPENSED);
    tx = world_tx_of(SY_KIND_unit_return, DOCTOR_A, ORG_A);
    tx.payload.unit_return.event_id = test_hash(next_event());
    tx.payload.unit_return.unit = text_of(a);
    tx.payload.unit_return.reason = SY_RETURN_UNUSED;
    assert_applied(&tx);
    // A step between a return and an end would hide from event.correct that it came back.
    tx = hour(ADMIN_A, a, 1, world.header.time_ms - HOUR_MS, 4, 5);
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_RETURNED);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_GOODS(a_product_bears_what_its_maker_says),
        WITH_GOODS(temperatures_follow_one_another_without_overlap),
        WITH_GOODS(what_is_not_known_shows),
        WITH_GOODS(readings_are_of_the_past),
        WITH_GOODS(a_commitment_is_about_one_thing),
        WITH_GOODS(only_who_has_goods_says_what_they_had),
        WITH_GOODS(a_logger_answers_with_its_own_key),
        WITH_GOODS(a_device_of_another_logs_no_goods),
        WITH_GOODS(a_patients_device_logs_no_goods),
        WITH_GOODS(what_was_too_warm_on_the_road_is_received_and_held),
        WITH_GOODS(what_is_refused_on_arrival_is_the_senders_and_held),
        WITH_GOODS(a_shipment_goes_on_without_what_was_stolen),
        WITH_GOODS(whoever_receives_goods_says_what_they_have_from_then_on),
        WITH_GOODS(what_a_patient_gave_back_is_kept_by_nobody),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
