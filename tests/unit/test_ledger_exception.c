/* Exceptions: what is amiss with a shipment, serial numbers nobody made, goods that are suspect and
 * held until their maker answers. Corrections: events declared errors, and what that undoes. */
#include <stdio.h>
#include <string.h>

#include "core/wire/state_exception.h"
#include "tests/unit/goods_rig.h"

#define DAY_MS (24ll * 3600 * 1000)

static const char *a, *b;
static uint8_t kept[SY_STATE_VALUE_BYTES_MAX];

static void make_two(void)
{
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", "b", NULL));
    assert_applied(&tx);
    a = unit_epc(PRODUCT_1, "a"), b = unit_epc(PRODUCT_1, "b");
}

static struct sy_exception find_exception(const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_exception exception;
    sy_state_key_id(&key_hash, SY_STATE_EXCEPTION, id);
    assert_true(world_find(&world, &value, &key_hash));
    memcpy(kept, value.data, value.size);
    assert_true(sy_exception_decode(&exception, sy_slice_of(kept, value.size)));
    return exception;
}

static struct sy_unit_step last_step(const char *epc)
{
    struct sy_epc name;
    struct sy_hash key_hash, number = {{0}};
    struct sy_slice value;
    struct sy_unit_step step;
    assert_true(sy_epc_read(&name, text_of(epc)));
    struct sy_hash id = sy_goods_id(name.number, name.serial);
    sy_store_u64(number.bytes, find_goods(epc).steps);
    sy_state_key_pair(&key_hash, SY_STATE_UNIT_STEP, &id, &number);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_unit_step_decode(&step, value));
    return step;
}

static struct sy_hash send_two(void)
{
    struct world_tx tx = ship(MAKER, ORG_TRADER, texts(a, b, NULL));
    assert_applied(&tx);
    return event_id;
}

CASE(a_shipment_is_short_and_its_sender_answers)
{
    make_two();
    struct sy_hash shipment = send_two(), none = test_hash(next_event());
    struct world_tx tx = report(TRADER, SY_EXCEPTION_SHORTAGE, texts(a, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("shipment");
    tx = report_of(TRADER, SY_EXCEPTION_SHORTAGE, &none, texts(a, NULL));
    assert_refused(&tx, SY_E_SHIPMENT_UNKNOWN);
    tx = report_of(PHARMACY_P, SY_EXCEPTION_SHORTAGE, &shipment, texts(a, NULL));
    assert_refused(&tx, SY_E_NOT_RECEIVER);
    assert_detail(ORG_TRADER);
    tx = report_of(TRADER, SY_EXCEPTION_SHORTAGE, &shipment,
                   texts(a, unit_epc(PRODUCT_1, "zz"), NULL));
    assert_refused(&tx, SY_E_UNIT_UNKNOWN);
    assert_path("items[1]");
    tx = report_of(TRADER, SY_EXCEPTION_SHORTAGE, &shipment, texts(a, NULL));
    assert_applied(&tx);
    struct sy_hash exception = event_id;
    assert_goods_told(0, SY_EVENT_EXCEPTION_REPORTED, ORG_TRADER, &exception);
    assert_goods_told(1, SY_EVENT_EXCEPTION_REPORTED, ORG_MAKER, &exception);
    assert_refused(&tx, SY_E_DUP_EVENT);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD); // nothing is held by that
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(NULL, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("outcome");
    tx = respond(MAKER, &exception, SY_OUTCOME_AGREED, texts(a, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("items");
    tx = respond(TRADER, &exception, SY_OUTCOME_AGREED, texts(NULL, NULL));
    assert_refused(&tx, SY_E_NOT_RECEIVER); // one's own
    assert_detail(ORG_MAKER);
    tx = respond(MAKER, &exception, SY_OUTCOME_AGREED, texts(NULL, NULL));
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_EXCEPTION_ANSWERED, ORG_TRADER, &exception);
    assert_goods_told(1, SY_EVENT_EXCEPTION_ANSWERED, ORG_MAKER, &exception);
    assert_true(find_exception(&exception).answered);
    assert_int_equal(find_exception(&exception).outcome, SY_OUTCOME_AGREED);
    assert_refused(&tx, SY_E_DUP_EVENT);
    tx = respond(MAKER, &exception, SY_OUTCOME_DISPUTED, texts(NULL, NULL));
    assert_refused(&tx, SY_E_EVENT_STATE);
    assert_int_equal(world.receipt.detail, 1);
    tx = respond(MAKER, &shipment, SY_OUTCOME_AGREED, texts(NULL, NULL));
    assert_refused(&tx, SY_E_EVENT_STATE); // an event, and no exception
    assert_int_equal(world.receipt.detail, 0);
    tx = report_of(MAKER, SY_EXCEPTION_DATA, &shipment,
                   texts(NULL, NULL)); // the sender, about itself
    assert_applied(&tx);
    assert_goods_told(1, SY_EVENT_EXCEPTION_REPORTED, ORG_TRADER, &event_id);
}

CASE(a_serial_number_that_nobody_made_is_its_makers_to_know)
{
    make_two();
    struct sy_hash shipment = send_two();
    const char *fake = unit_epc(PRODUCT_1, "fake");
    struct world_tx tx = report(TRADER, SY_EXCEPTION_SERIAL, texts(NULL, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("items");
    tx = report_of(TRADER, SY_EXCEPTION_SERIAL, &shipment, texts(fake, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("shipment");
    tx = report(TRADER, SY_EXCEPTION_SERIAL, texts(fake, a, NULL));
    assert_refused(&tx, SY_E_UNIT_EXISTS);
    assert_path("items[1]");
    tx = report(TRADER, SY_EXCEPTION_SERIAL, texts(case_epc(sscc_of(MAKER, 1)), NULL));
    assert_refused(&tx, SY_E_EPC);
    tx = report(TRADER, SY_EXCEPTION_SERIAL, texts("01/09506000134351/21/x", NULL));
    assert_refused(&tx, SY_E_GTIN);
    tx = report(TRADER, SY_EXCEPTION_SERIAL, texts("01/09506000134376/21/x", NULL));
    assert_refused(&tx, SY_E_PRODUCT_UNKNOWN);
    tx = report(TRADER, SY_EXCEPTION_SERIAL, texts(fake, NULL));
    assert_applied(&tx);
    struct sy_hash exception = event_id;
    assert_goods_told(0, SY_EVENT_SUSPECT_FOUND, ORG_MAKER, &exception);
    tx = respond(TRADER, &exception, SY_OUTCOME_ILLEGITIMATE, texts(NULL, NULL));
    assert_refused(&tx, SY_E_NOT_RECEIVER);
    tx = respond(MAKER, &exception, SY_OUTCOME_DISPUTED, texts(NULL, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    tx = respond(MAKER_KEY, &exception, SY_OUTCOME_ILLEGITIMATE, texts(NULL, NULL));
    assert_applied(&tx);
}

/* a is the pharmacy's and suspect. */
static struct sy_hash suspect_one(void)
{
    make_two();
    hand_to(MAKER, PHARMACY_P, texts(a, b, NULL));
    struct world_tx tx = report(PHARMACIST_P, SY_EXCEPTION_SUSPECT, texts(a, NULL));
    assert_applied(&tx);
    return event_id;
}

CASE(what_is_suspect_is_held_until_its_maker_answers)
{
    struct sy_hash exception = suspect_one();
    assert_goods_told(0, SY_EVENT_SUSPECT_FOUND, ORG_MAKER, &exception);
    assert_goods_told(1, SY_EVENT_EXCEPTION_REPORTED, ORG_P, &exception);
    struct sy_unit unit = find_goods(a);
    assert_int_equal(unit.status, SY_UNIT_QUARANTINED);
    assert_memory_equal(&unit.hold, &exception, sizeof exception);
    assert_int_equal(last_step(a).kind, SY_STEP_QUARANTINED);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_P), 2); // it is still theirs
    struct world_tx tx = ship(PHARMACY_P, ORG_Q, texts(b, a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_path("items[1]");
    assert_int_equal(world.receipt.detail, SY_UNIT_QUARANTINED);
    tx = pack(PHARMACY_P, sscc_of(PHARMACY_P, 1), texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = report(PHARMACY_P, SY_EXCEPTION_SUSPECT, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE); // once at a time
    tx = verify(TRADER, PRODUCT_1, "a", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_ENDED);
    tx = respond(PHARMACY_P, &exception, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_PREFIX);
    assert_detail(ORG_MAKER);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(NULL, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("items");
    tx = respond(MAKER, &exception, SY_OUTCOME_AGREED, texts(a, NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(a, b, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE); // b is not held
    assert_path("items[1]");
    assert_int_equal(world.receipt.detail, SY_UNIT_HELD);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_EXCEPTION_ANSWERED, ORG_P, &exception);
    assert_goods_told(1, SY_EVENT_EXCEPTION_ANSWERED, ORG_MAKER, &exception);
    unit = find_goods(a);
    assert_int_equal(unit.status, SY_UNIT_HELD);
    assert_false(unit.has_hold);
    assert_int_equal(last_step(a).kind, SY_STEP_RELEASED);
    hand_to(PHARMACY_P, PHARMACY_Q, texts(a, NULL));
}

CASE(what_is_illegitimate_stays_held_and_can_be_ended)
{
    struct sy_hash exception = suspect_one(), other;
    struct world_tx tx = report(PHARMACY_P, SY_EXCEPTION_ILLEGITIMATE, texts(b, NULL));
    assert_applied(&tx);
    other = event_id;
    tx = respond(MAKER, &other, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE); // another exception holds it
    tx = respond(REGULATOR_1, &exception, SY_OUTCOME_ILLEGITIMATE, texts(a, NULL));
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_EXCEPTION_ANSWERED, ORG_P, &exception);
    assert_int_equal(world.receipt.event_count, 1);
    assert_int_equal(find_goods(a).status, SY_UNIT_QUARANTINED);
    assert_int_equal(last_step(a).kind, SY_STEP_CONDEMNED);
    tx = ship(PHARMACY_P, ORG_Q, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_EVENT_STATE); // a regulator's word is the last one
    assert_int_equal(world.receipt.detail, 1);
    assert_int_equal(find_goods(a).status, SY_UNIT_QUARANTINED);
    tx = decommission(PHARMACY_P, a, SY_DECOMMISSION_DESTROYED);
    assert_applied(&tx);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_P), 1);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE); // it has ended
    assert_int_equal(world.receipt.detail, SY_UNIT_ENDED);
}

CASE(only_the_owner_holds_what_can_be_moved)
{
    make_two();
    const char *box = sscc_of(MAKER, 1);
    struct world_tx tx = report(TRADER, SY_EXCEPTION_SUSPECT, texts(a, NULL));
    assert_refused(&tx, SY_E_NOT_OWNER);
    assert_detail(ORG_MAKER);
    tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    tx = report(MAKER, SY_EXCEPTION_SUSPECT, texts(b, a, NULL));
    assert_refused(&tx, SY_E_AGGREGATED);
    assert_path("items[1]");
    assert_int_equal(find_goods(b).status, SY_UNIT_HELD);
    tx = report(MAKER, SY_EXCEPTION_SUSPECT, texts(case_epc(box), NULL));
    assert_applied(&tx);
    struct sy_hash exception = event_id;
    tx = pack(MAKER, box, texts(b, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = unpack(MAKER, box, texts(a, NULL));
    assert_applied(&tx); // and what comes out is held by the same
    assert_int_equal(find_goods(a).status, SY_UNIT_QUARANTINED);
    struct sy_unit unit = find_goods(a);
    assert_memory_equal(&unit.hold, &exception, sizeof exception);
    tx = ship(MAKER, ORG_TRADER, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(a, case_epc(box), NULL));
    assert_applied(&tx);
    tx = report(MAKER, SY_EXCEPTION_SUSPECT, texts(case_epc(box), NULL));
    assert_applied(&tx); // an empty one, which nobody made
    exception = event_id;
    tx = respond(TRADER, &exception, SY_OUTCOME_CLEARED, texts(case_epc(box), NULL));
    assert_refused(&tx, SY_E_PREFIX);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(case_epc(box), NULL));
    assert_applied(&tx);
}

// --- corrections -------------------------------------------------------------------------------

CASE(a_shipment_that_did_not_occur_is_undone)
{
    make_two();
    struct sy_hash shipment = send_two();
    struct world_tx tx = correct(TRADER, &shipment, SY_CORRECTION_DID_NOT_OCCUR);
    assert_refused(&tx, SY_E_NOT_OWNER);
    assert_detail(ORG_MAKER);
    assert_path("corrected");
    tx = correct(MAKER, &shipment, SY_CORRECTION_DID_NOT_OCCUR);
    tx.payload.event_correct.has_item = true;
    tx.payload.event_correct.item = text_of(a);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("item");
    tx = correct(MAKER, &shipment, SY_CORRECTION_DID_NOT_OCCUR);
    assert_applied(&tx);
    struct sy_hash correction = event_id;
    assert_goods_told(0, SY_EVENT_CUSTODY_REFUSED, ORG_MAKER, &shipment);
    assert_goods_told(1, SY_EVENT_CUSTODY_REFUSED, ORG_TRADER, &shipment);
    assert_goods_told(2, SY_EVENT_EVENT_CORRECTED, ORG_MAKER, &shipment);
    assert_false(find_goods(a).under_way);
    struct sy_unit_step step = last_step(b);
    assert_int_equal(step.kind, SY_STEP_REFUSED);
    assert_memory_equal(&step.event, &correction, sizeof correction);
    assert_refused(&tx, SY_E_DUP_EVENT);
    tx = receive(TRADER, &shipment, SY_RECEIVE_ACCEPT);
    assert_refused(&tx, SY_E_SHIPMENT_STATE);
    tx = correct(MAKER, &shipment, SY_CORRECTION_DATA);
    assert_refused(&tx, SY_E_EVENT_STATE);
    assert_int_equal(world.receipt.detail, 1);
    hand_to(MAKER, TRADER, texts(a, NULL));
    tx = ship(MAKER, ORG_TRADER, texts(b, NULL));
    assert_applied(&tx);
    shipment = event_id;
    tx = receive(TRADER, &shipment, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    tx = correct(MAKER, &shipment, SY_CORRECTION_DID_NOT_OCCUR);
    assert_refused(&tx, SY_E_SHIPMENT_STATE); // others built on it
    assert_int_equal(owner_of(b), ORG_TRADER);
}

static struct world_tx reinstate(unsigned key, const struct sy_hash *ended, const char *item)
{
    struct world_tx tx = correct(key, ended, SY_CORRECTION_DID_NOT_OCCUR);
    tx.payload.event_correct.has_item = true;
    tx.payload.event_correct.item = text_of(item);
    tx.valid_until_ms = world.header.time_ms + world.step_ms + 3600 * 1000;
    return tx;
}

CASE(an_end_that_did_not_occur_is_undone)
{
    make_two();
    struct world_tx tx = decommission(MAKER, a, SY_DECOMMISSION_DAMAGED);
    assert_applied(&tx);
    struct sy_hash ended = event_id;
    tx = correct(MAKER, &ended, SY_CORRECTION_DID_NOT_OCCUR);
    assert_refused(&tx, SY_E_SCHEMA); // of what?
    assert_path("item");
    tx = reinstate(MAKER, &ended, b);
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_HELD);
    tx = reinstate(MAKER, &ended, unit_epc(PRODUCT_1, "zz"));
    assert_refused(&tx, SY_E_UNIT_UNKNOWN);
    assert_path("item");
    tx = decommission(MAKER, b, SY_DECOMMISSION_DAMAGED);
    assert_applied(&tx);
    tx = reinstate(MAKER, &ended, b);
    assert_refused(&tx, SY_E_EVENT_STATE); // another event ended it
    assert_int_equal(world.receipt.detail, 2);
    assert_int_equal(find_lot(PRODUCT_1, "L1").ended, 2);
    tx = reinstate(MAKER, &ended, a);
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_EVENT_CORRECTED, ORG_MAKER, &ended);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD);
    assert_int_equal(last_step(a).kind, SY_STEP_REINSTATED);
    assert_int_equal(find_lot(PRODUCT_1, "L1").ended, 1);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_MAKER), 1);
    hand_to(MAKER, TRADER, texts(a, NULL));
}

CASE(an_end_is_final_after_ten_days)
{
    make_two();
    struct world_tx tx = decommission(MAKER, a, SY_DECOMMISSION_DAMAGED);
    assert_applied(&tx);
    struct sy_hash first = event_id;
    tx = decommission(MAKER, b, SY_DECOMMISSION_DAMAGED);
    assert_applied(&tx);
    struct sy_hash second = event_id;
    int64_t step_ms = world.step_ms;
    world.step_ms = 10 * DAY_MS - step_ms;
    tx = reinstate(MAKER, &first, a);
    assert_applied(&tx); // the last moment of it
    world.step_ms = 2 * step_ms;
    tx = reinstate(MAKER, &second, b);
    assert_refused(&tx, SY_E_EVENT_STATE);
    assert_int_equal(world.receipt.detail, 3);
    world.step_ms = step_ms;
}

CASE(what_was_suspect_when_it_ended_is_suspect_again)
{
    struct sy_hash exception = suspect_one();
    struct world_tx tx = decommission(PHARMACY_P, a, SY_DECOMMISSION_DESTROYED);
    assert_applied(&tx);
    struct sy_hash ended = event_id;
    tx = reinstate(PHARMACY_P, &ended, a);
    assert_applied(&tx);
    assert_int_equal(find_goods(a).status, SY_UNIT_QUARANTINED);
    tx = respond(MAKER, &exception, SY_OUTCOME_CLEARED, texts(a, NULL));
    assert_applied(&tx);
}

CASE(other_events_are_annotated_and_stay)
{
    make_two();
    struct sy_hash made = event_id, none = test_hash(next_event());
    struct world_tx tx = correct(MAKER, &none, SY_CORRECTION_DATA);
    assert_refused(&tx, SY_E_EVENT_STATE);
    assert_int_equal(world.receipt.detail, 0);
    assert_path("corrected");
    tx = correct(MAKER, &made, SY_CORRECTION_DID_NOT_OCCUR);
    assert_refused(&tx, SY_E_EVENT_STATE);
    assert_int_equal(world.receipt.detail, 2);
    tx = commission(MAKER, PRODUCT_1, "L1", texts("c", NULL));
    assert_applied(&tx);
    struct sy_hash right = event_id;
    uint8_t ids[96];
    struct sy_writer w = sy_writer_of(ids, sizeof ids);
    struct sy_list corrective = {.count = 0};
    sy_list_add_id(&corrective, &w, &right);
    sy_list_add_id(&corrective, &w, &none);
    tx = correct(MAKER, &made, SY_CORRECTION_DATA);
    tx.payload.event_correct.corrective = corrective;
    assert_refused(&tx, SY_E_EVENT_STATE);
    assert_path("corrective");
    w = sy_writer_of(ids, sizeof ids);
    corrective = (struct sy_list){.count = 0};
    sy_list_add_id(&corrective, &w, &made);
    tx.payload.event_correct.corrective = corrective;
    assert_refused(&tx, SY_E_SCHEMA); // itself
    tx = verify(TRADER, PRODUCT_1, "a", "L1");
    assert_applied(&tx);
    struct sy_hash others = event_id;
    w = sy_writer_of(ids, sizeof ids);
    corrective = (struct sy_list){.count = 0};
    sy_list_add_id(&corrective, &w, &others);
    tx = correct(MAKER, &made, SY_CORRECTION_DATA);
    tx.payload.event_correct.corrective = corrective;
    assert_refused(&tx, SY_E_EVENT_STATE); // another organisation's
    w = sy_writer_of(ids, sizeof ids);
    corrective = (struct sy_list){.count = 0};
    sy_list_add_id(&corrective, &w, &right);
    tx.payload.event_correct.corrective = corrective;
    assert_applied(&tx);
    struct sy_hash correction = tx.payload.event_correct.event_id, key_hash;
    struct sy_slice value;
    struct sy_correction found;
    sy_state_key_id(&key_hash, SY_STATE_CORRECTION, &made);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_correction_decode(&found, value));
    assert_memory_equal(&found.event, &correction, sizeof correction);
    assert_int_equal(found.corrective.count, 1);
    assert_int_equal(find_goods(a).status, SY_UNIT_HELD); // it stays
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_GOODS(a_shipment_is_short_and_its_sender_answers),
        WITH_GOODS(a_serial_number_that_nobody_made_is_its_makers_to_know),
        WITH_GOODS(what_is_suspect_is_held_until_its_maker_answers),
        WITH_GOODS(what_is_illegitimate_stays_held_and_can_be_ended),
        WITH_GOODS(only_the_owner_holds_what_can_be_moved),
        WITH_GOODS(a_shipment_that_did_not_occur_is_undone),
        WITH_GOODS(an_end_that_did_not_occur_is_undone),
        WITH_GOODS(an_end_is_final_after_ten_days),
        WITH_GOODS(what_was_suspect_when_it_ended_is_suspect_again),
        WITH_GOODS(other_events_are_annotated_and_stay),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
