/* Prescriptions, units that reach patients, recalls that reach holders and patients. */
#include <stdio.h>

#include "tests/unit/goods_rig.h"

enum { RX = EVENT + 10000, RECALL = EVENT + 11000, DOCTOR_OF_MORE = 145, RECORD_IMPLANT = 30000 };

#define DAY_MS (24ll * 3600 * 1000)

static struct world_tx issue(unsigned key, unsigned rx)
{
    struct world_tx tx = world_tx_of(SY_KIND_rx_issue, key, org_of(key));
    struct sy_rx_issue *p = &tx.payload.rx_issue;
    p->rx_id = test_hash(rx);
    p->patient_id = test_hash(PATIENT_CLAIMED);
    p->drug_commit = test_hash(rx + 500);
    p->control = SY_CONTROL_NONE;
    p->quantity = 30;
    p->days = 20;
    p->refills = 1;
    p->from = world.header.time_ms;
    p->until = world.header.time_ms + 200 * DAY_MS;
    p->author_role = SY_ROLE_DOCTOR;
    return tx;
}

static struct world_tx fill(unsigned key, unsigned rx)
{
    struct world_tx tx = world_tx_of(SY_KIND_rx_dispense, key, org_of(key));
    event_id = test_hash(next_event());
    tx.payload.rx_dispense.event_id = event_id;
    tx.payload.rx_dispense.rx_id = test_hash(rx);
    tx.payload.rx_dispense.quantity = 30;
    return tx;
}

static struct world_tx cancel(unsigned key, unsigned rx)
{
    struct world_tx tx = world_tx_of(SY_KIND_rx_cancel, key, org_of(key));
    tx.payload.rx_cancel.rx_id = test_hash(rx);
    tx.payload.rx_cancel.reason = SY_RX_CANCEL_CHANGED;
    return tx;
}

static struct world_tx transfer(unsigned key, unsigned rx, unsigned to)
{
    struct world_tx tx = world_tx_of(SY_KIND_rx_transfer, key, org_of(key));
    tx.payload.rx_transfer.rx_id = test_hash(rx);
    tx.payload.rx_transfer.to = test_hash(to);
    return tx;
}

static struct world_tx dispense(unsigned key, const char *epc, unsigned rx)
{
    struct world_tx tx = world_tx_of(SY_KIND_unit_dispense, key, org_of(key));
    event_id = test_hash(next_event());
    tx.payload.unit_dispense.event_id = event_id;
    tx.payload.unit_dispense.unit = text_of(epc);
    tx.payload.unit_dispense.has_rx_id = true;
    tx.payload.unit_dispense.rx_id = test_hash(rx);
    return tx;
}

static struct world_tx give_back(unsigned key, const char *epc)
{
    struct world_tx tx = world_tx_of(SY_KIND_unit_return, key, org_of(key));
    event_id = test_hash(next_event());
    tx.payload.unit_return.event_id = event_id;
    tx.payload.unit_return.unit = text_of(epc);
    tx.payload.unit_return.reason = SY_RETURN_UNUSED;
    return tx;
}

static struct world_tx recall(unsigned key, unsigned number, struct sy_list lots)
{
    struct world_tx tx = world_tx_of(SY_KIND_recall_issue, key, org_of(key));
    if (key == REGULATOR_1) tx.organisation = (struct sy_hash){{0}};
    struct sy_recall_issue *p = &tx.payload.recall_issue;
    p->recall_id = test_hash(number);
    p->gtin = text_of(PRODUCT_1);
    p->lots = lots;
    p->class = SY_RECALL_I;
    p->reason = SY_RECALL_CONTAMINATED;
    return tx;
}

static struct world_tx notify(unsigned key, unsigned number)
{
    struct world_tx tx = world_tx_of(SY_KIND_recall_notify, key, org_of(key));
    tx.payload.recall_notify.recall_id = test_hash(number);
    return tx;
}

static struct world_tx close_recall(unsigned key, unsigned number, unsigned outcome)
{
    struct world_tx tx = world_tx_of(SY_KIND_recall_close, key, org_of(key));
    if (key == REGULATOR_1) tx.organisation = (struct sy_hash){{0}};
    tx.payload.recall_close.recall_id = test_hash(number);
    tx.payload.recall_close.outcome = (uint16_t)outcome;
    return tx;
}

/* Valid in a block that comes a step later than the newest, however long that is. */
static struct world_tx later(struct world_tx tx)
{
    tx.valid_until_ms = world.header.time_ms + world.step_ms + 3600 * 1000;
    return tx;
}

static struct world_tx by_patient(struct world_tx tx)
{
    tx.organisation = (struct sy_hash){{0}};
    return tx;
}

static void assert_patient_told(unsigned n, unsigned kind, unsigned patient,
                                const struct sy_hash *object)
{
    struct sy_event event = goods_told(n);
    struct sy_hash id = test_hash(patient);
    assert_string_equal(sy_event_name(event.kind), sy_event_name((uint16_t)kind));
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_memory_equal(event.subject.bytes, id.bytes, 32);
    assert_memory_equal(event.object.bytes, object->bytes, 32);
}

// --- prescriptions -----------------------------------------------------------------------------

CASE(a_prescription_is_filled_as_often_as_it_may)
{
    struct sy_hash id = test_hash(RX);
    struct world_tx tx = fill(PHARMACIST_P, RX);
    assert_refused(&tx, SY_E_RX_UNKNOWN);
    tx = issue(DOCTOR_A, RX);
    assert_applied(&tx);
    assert_patient_told(0, SY_EVENT_RX_ISSUED, PATIENT_CLAIMED, &id);
    assert_refused(&tx, SY_E_RX_EXISTS);
    tx = fill(PHARMACIST_P, RX);
    tx.payload.rx_dispense.quantity = 31;
    assert_refused(&tx, SY_E_RX_QUANTITY);
    assert_int_equal(world.receipt.detail, 30);
    tx = fill(PHARMACIST_P, RX);
    assert_applied(&tx);
    assert_patient_told(0, SY_EVENT_RX_DISPENSED, PATIENT_CLAIMED, &id);
    assert_refused(&tx, SY_E_DUP_EVENT);
    int64_t filled_ms = world.header.time_ms;
    filled_ms -= world.step_ms; // the block before, which filled it
    tx = fill(PHARMACIST_P, RX);
    assert_refused(&tx, SY_E_RX_WINDOW); // too soon: the first 30 last 20 days
    assert_int_equal(world.receipt.detail, filled_ms + 15 * DAY_MS);
    tx = fill(PHARMACIST_Q, RX);
    assert_refused(&tx, SY_E_RX_PHARMACY);
    assert_detail(ORG_P);
    int64_t step_ms = world.step_ms;
    world.step_ms = 16 * DAY_MS;
    tx = later(fill(PHARMACIST_P, RX));
    assert_applied(&tx);
    tx = later(fill(PHARMACIST_P, RX));
    assert_refused(&tx, SY_E_REFILLS);
    assert_int_equal(world.receipt.detail, 1);
    world.step_ms = step_ms;
}

CASE(only_prescribers_prescribe)
{
    struct world_tx tx = issue(NURSE_A, RX);
    assert_refused(&tx, SY_E_ROLE);
    tx = issue(DOCTOR_B, RX);
    assert_refused(&tx, SY_E_NO_CARE);
    tx = issue(DOCTOR_A, RX);
    tx.payload.rx_issue.control = SY_CONTROL_SOME;
    assert_refused(&tx, SY_E_ROLE); // needs a credential that names it
    assert_path("control");
    tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, DOCTOR_OF_MORE);
    tx.payload.cred_issue.scope = texts("MedicationRequest", "controlled", NULL);
    assert_applied(&tx);
    tx = issue(DOCTOR_OF_MORE, RX);
    tx.payload.rx_issue.control = SY_CONTROL_STRICT;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("refills");
    tx.payload.rx_issue.refills = 0;
    assert_applied(&tx);
    tx = issue(GATEWAY_A, RX + 1); // names nobody
    tx.payload.rx_issue.author_role = SY_ROLE_GATEWAY;
    tx.payload.rx_issue.control = SY_CONTROL_SOME;
    assert_refused(&tx, SY_E_ROLE);
    tx = issue(GATEWAY_A, RX + 1);
    tx.payload.rx_issue.has_author = true;
    tx.payload.rx_issue.author = test_public(DOCTOR_OF_MORE);
    tx.payload.rx_issue.control = SY_CONTROL_SOME;
    assert_applied(&tx);
    tx = issue(DOCTOR_A, RX + 2);
    tx.payload.rx_issue.until += 400 * DAY_MS;
    assert_refused(&tx, SY_E_RX_WINDOW);
    tx = fill(DOCTOR_A, RX);
    assert_refused(&tx, SY_E_ROLE);
    tx = fill(GATEWAY_B, RX); // of a practice
    assert_refused(&tx, SY_E_ROLE_KIND);
}

CASE(a_prescription_is_cancelled_and_moved)
{
    struct world_tx tx = issue(DOCTOR_A, RX);
    assert_applied(&tx);
    tx = transfer(PHARMACIST_P, RX, ORG_Q);
    assert_refused(&tx, SY_E_RX_STATE); // nobody holds it yet
    tx = fill(PHARMACIST_P, RX);
    assert_applied(&tx);
    tx = transfer(PHARMACIST_Q, RX, ORG_Q);
    assert_refused(&tx, SY_E_RX_PHARMACY);
    tx = transfer(PHARMACIST_P, RX, ORG_TRADER);
    assert_refused(&tx, SY_E_PARTNER);
    tx = by_patient(transfer(WALLET_CLAIMED, RX, ORG_Q));
    assert_applied(&tx);
    struct sy_hash id = test_hash(RX);
    assert_patient_told(0, SY_EVENT_RX_TRANSFERRED, PATIENT_CLAIMED, &id);
    assert_goods_told(1, SY_EVENT_RX_TRANSFERRED, ORG_Q, &id);
    tx = cancel(DOCTOR_B, RX);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = cancel(DOCTOR_A, RX);
    assert_applied(&tx);
    assert_refused(&tx, SY_E_RX_STATE);
    int64_t step_ms = world.step_ms;
    world.step_ms = 16 * DAY_MS;
    tx = later(fill(PHARMACIST_Q, RX));
    assert_refused(&tx, SY_E_RX_STATE);
    world.step_ms = step_ms;
}

// --- units to patients -------------------------------------------------------------------------

/* a, b at pharmacy P, c at Q, d at the maker; P filled RX. */
static void stock(void)
{
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", "b", "c", "d", NULL));
    assert_applied(&tx);
    hand_to(
        MAKER, TRADER,
        texts(unit_epc(PRODUCT_1, "a"), unit_epc(PRODUCT_1, "b"), unit_epc(PRODUCT_1, "c"), NULL));
    hand_to(TRADER, PHARMACY_P, texts(unit_epc(PRODUCT_1, "a"), unit_epc(PRODUCT_1, "b"), NULL));
    hand_to(TRADER, PHARMACY_Q, texts(unit_epc(PRODUCT_1, "c"), NULL));
    tx = issue(DOCTOR_A, RX);
    assert_applied(&tx);
    tx = fill(PHARMACIST_P, RX);
    assert_applied(&tx);
}

static void assert_conserved(void)
{
    static const unsigned orgs[] = {ORG_MAKER, ORG_TRADER, ORG_P, ORG_Q};
    struct sy_lot lot = find_lot(PRODUCT_1, "L1");
    uint64_t held = 0;
    for (unsigned i = 0; i < 4; i++) held += held_by(PRODUCT_1, "L1", orgs[i]);
    assert_int_equal(lot.commissioned, held + lot.dispensed + lot.ended);
}

CASE(a_unit_is_dispensed_once)
{
    const char *a = unit_epc(PRODUCT_1, "a");
    stock();
    struct sy_hash unit_id = sy_goods_id(text_of(PRODUCT_1), text_of("a"));
    struct world_tx tx = dispense(PHARMACIST_P, a, RX + 1);
    assert_refused(&tx, SY_E_RX_UNKNOWN);
    tx = dispense(PHARMACIST_Q, unit_epc(PRODUCT_1, "c"), RX);
    assert_refused(&tx, SY_E_RX_PHARMACY); // Q did not fill it
    tx = dispense(PHARMACIST_P, unit_epc(PRODUCT_1, "forged"), RX);
    assert_refused(&tx, SY_E_UNIT_UNKNOWN);
    tx = dispense(PHARMACIST_P, unit_epc(PRODUCT_1, "c"), RX);
    assert_refused(&tx, SY_E_NOT_OWNER);
    assert_detail(ORG_Q);
    tx = dispense(PHARMACIST_P, case_epc(sscc_of(MAKER, 1)), RX);
    assert_refused(&tx, SY_E_EPC);
    tx = dispense(PHARMACIST_P, a, RX);
    tx.payload.unit_dispense.has_record_id = true;
    tx.payload.unit_dispense.record_id = test_hash(RX);
    assert_refused(&tx, SY_E_SCHEMA);
    tx = dispense(PHARMACIST_P, a, RX);
    assert_applied(&tx);
    assert_patient_told(0, SY_EVENT_UNIT_DISPENSED, PATIENT_CLAIMED, &unit_id);
    assert_conserved();
    assert_int_equal(find_lot(PRODUCT_1, "L1").patients, 1);
    tx = dispense(PHARMACIST_P, a, RX); // a clone of it
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_DISPENSED);
    tx = verify(PHARMACIST_Q, PRODUCT_1, "a", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_ENDED);
    assert_goods_told(1, SY_EVENT_SUSPECT_FOUND, ORG_MAKER, &event_id);
    tx = cancel(DOCTOR_A, RX);
    assert_applied(&tx);
    tx = dispense(PHARMACIST_P, unit_epc(PRODUCT_1, "b"), RX);
    assert_refused(&tx, SY_E_RX_STATE);
}

CASE(a_unit_comes_back_once_and_goes_nowhere)
{
    const char *a = unit_epc(PRODUCT_1, "a");
    stock();
    struct world_tx tx = give_back(PHARMACIST_P, a);
    assert_refused(&tx, SY_E_UNIT_STATE); // it is there
    tx = dispense(PHARMACIST_P, a, RX);
    assert_applied(&tx);
    tx = give_back(PHARMACIST_Q, a);
    assert_refused(&tx, SY_E_NOT_OWNER);
    assert_detail(ORG_P);
    tx = give_back(PHARMACIST_P, a);
    assert_applied(&tx);
    assert_conserved();
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_P), 2);
    tx = give_back(PHARMACIST_P, a);
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = dispense(PHARMACIST_P, a, RX);
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_RETURNED);
    tx = ship(PHARMACY_P, ORG_Q, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = decommission(PHARMACY_P, a, SY_DECOMMISSION_DESTROYED);
    assert_applied(&tx);
    assert_conserved();
}

CASE(an_implant_needs_its_record)
{
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", NULL));
    assert_applied(&tx);
    tx = ship(MAKER, ORG_A, texts(unit_epc(PRODUCT_1, "a"), NULL));
    assert_applied(&tx);
    tx = receive(ADMIN_A, &event_id, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    tx = dispense(DOCTOR_A, unit_epc(PRODUCT_1, "a"), RX);
    tx.payload.unit_dispense.has_rx_id = false;
    tx.payload.unit_dispense.has_record_id = true;
    tx.payload.unit_dispense.record_id = test_hash(RECORD_IMPLANT);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    struct world_tx record =
        world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD_IMPLANT, PATIENT_CLAIMED);
    assert_applied(&record);
    assert_applied(&tx);
    struct sy_hash unit_id = sy_goods_id(text_of(PRODUCT_1), text_of("a"));
    assert_patient_told(0, SY_EVENT_UNIT_DISPENSED, PATIENT_CLAIMED, &unit_id);
    tx = recall(REGULATOR_1, RECALL, texts("L1", NULL));
    assert_applied(&tx);
    struct sy_hash id = test_hash(RECALL);
    assert_int_equal(world.receipt.event_count, 3);
    assert_goods_told(0, SY_EVENT_RECALL_ISSUED, ORG_MAKER, &id);
    assert_goods_told(1, SY_EVENT_RECALL_ISSUED, ORG_A, &id);
    assert_patient_told(2, SY_EVENT_RECALL_ISSUED, PATIENT_CLAIMED, &id);
}

// --- recalls -----------------------------------------------------------------------------------

CASE(a_recall_reaches_holders_and_patients_and_stops_all)
{
    const char *a = unit_epc(PRODUCT_1, "a"), *b = unit_epc(PRODUCT_1, "b");
    struct sy_hash id = test_hash(RECALL);
    stock();
    struct world_tx tx = dispense(PHARMACIST_P, a, RX);
    assert_applied(&tx);
    tx = ship(PHARMACY_Q, ORG_A, texts(unit_epc(PRODUCT_1, "c"), NULL)); // under way when recalled
    assert_applied(&tx);
    struct sy_hash shipment = event_id;
    tx = recall(TRADER, RECALL, texts("L1", NULL));
    assert_refused(&tx, SY_E_PREFIX);
    tx = recall(MAKER, RECALL, texts("L1", "L9", NULL));
    assert_refused(&tx, SY_E_LOT_UNKNOWN);
    assert_path("lots[1]");
    tx = recall(MAKER, RECALL, texts("L1", NULL));
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 5);
    assert_goods_told(0, SY_EVENT_RECALL_ISSUED, ORG_MAKER, &id);
    assert_goods_told(1, SY_EVENT_RECALL_ISSUED, ORG_TRADER, &id); // holds none any more
    assert_goods_told(2, SY_EVENT_RECALL_ISSUED, ORG_P, &id);
    assert_goods_told(3, SY_EVENT_RECALL_ISSUED, ORG_Q, &id);
    assert_patient_told(4, SY_EVENT_RECALL_ISSUED, PATIENT_CLAIMED, &id);
    assert_refused(&tx, SY_E_RECALL_EXISTS);
    tx = recall(MAKER, RECALL + 1, texts("L1", NULL));
    assert_refused(&tx, SY_E_RECALLED);
    assert_detail(RECALL);
    tx = dispense(PHARMACIST_P, b, RX);
    assert_refused(&tx, SY_E_RECALLED);
    assert_detail(RECALL);
    tx = ship(PHARMACY_P, ORG_Q, texts(b, NULL));
    assert_refused(&tx, SY_E_RECALLED);
    tx = commission(MAKER, PRODUCT_1, "L1", texts("e", NULL));
    assert_refused(&tx, SY_E_RECALLED);
    tx = verify(PHARMACIST_P, PRODUCT_1, "b", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_RECALLED);
    assert_int_equal(world.receipt.event_count, 1); // recalled, not suspect
    tx = notify(PHARMACIST_P, RECALL);
    assert_refused(&tx, SY_E_RECALL_STATE);
    tx = receive(ADMIN_A, &shipment, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_RECALL_ISSUED, ORG_A, &id); // who gets it is told at once
    tx = notify(PHARMACIST_P, RECALL);
    assert_refused(&tx, SY_E_RECALL_STATE); // and not again
    tx = decommission(PHARMACY_P, b, SY_DECOMMISSION_RECALLED);
    assert_applied(&tx);
}

CASE(a_case_with_one_recalled_lot_is_not_shipped)
{
    const char *box = sscc_of(MAKER, 1);
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", NULL));
    assert_applied(&tx);
    tx = commission(MAKER, PRODUCT_1, "L2", texts("b", NULL));
    assert_applied(&tx);
    tx = pack(MAKER, box, texts(unit_epc(PRODUCT_1, "a"), unit_epc(PRODUCT_1, "b"), NULL));
    assert_applied(&tx);
    tx = recall(MAKER, RECALL, texts("L2", NULL));
    assert_applied(&tx);
    tx = ship(MAKER, ORG_TRADER, texts(case_epc(box), NULL));
    assert_refused(&tx, SY_E_RECALLED);
    tx = unpack(MAKER, box, texts(unit_epc(PRODUCT_1, "b"), NULL));
    assert_applied(&tx);
    tx = ship(MAKER, ORG_TRADER, texts(case_epc(box), NULL));
    assert_applied(&tx);
}

CASE(a_recall_is_closed_by_who_issued_it)
{
    const char *d = unit_epc(PRODUCT_1, "d");
    stock();
    struct world_tx tx = close_recall(MAKER, RECALL, SY_RECALL_COMPLETED);
    assert_refused(&tx, SY_E_RECALL_UNKNOWN);
    tx = recall(REGULATOR_1, RECALL, texts("L1", NULL));
    assert_applied(&tx);
    tx = close_recall(MAKER, RECALL, SY_RECALL_WITHDRAWN);
    assert_refused(&tx, SY_E_ROLE);
    tx = close_recall(REGULATOR_1, RECALL, SY_RECALL_WITHDRAWN);
    assert_applied(&tx);
    assert_refused(&tx, SY_E_RECALL_STATE);
    tx = notify(MAKER, RECALL);
    assert_refused(&tx, SY_E_RECALL_STATE);
    tx = ship(MAKER, ORG_TRADER, texts(d, NULL));
    assert_applied(&tx);
    tx = receive(TRADER, &event_id, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    tx = recall(MAKER, RECALL + 1, texts("L1", NULL));
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 4); // all of them again
    tx = close_recall(MAKER, RECALL + 1, SY_RECALL_COMPLETED);
    assert_applied(&tx);
    tx = ship(TRADER, ORG_P, texts(d, NULL));
    assert_refused(&tx, SY_E_RECALLED); // what was recalled for good stays so
}

/* Few bytes that write very much, again and again in one block: from some transaction on these are
 * refused, the block is executed, and nobody else's work suffers. */
static void crowd_a_block(void)
{
    enum { PAIRS = 300 };
    unsigned applied = 0, crowded = 0;
    for (unsigned i = 0; i < PAIRS; i++) {
        struct world_tx tx = recall(MAKER, RECALL + 1 + i, texts("L1", NULL));
        assert_true(world_add(&world, &tx));
        tx = close_recall(MAKER, RECALL + 1 + i, SY_RECALL_WITHDRAWN);
        assert_true(world_add(&world, &tx));
    }
    struct world_tx other = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECALL - 1, PATIENT);
    assert_true(world_add(&world, &other));
    world_run(&world);
    for (unsigned i = 0; i < PAIRS; i++) {
        world_receipt(&world, &world.receipt, 2 * i);
        applied += world.receipt.code == SY_APPLIED ? 1 : 0;
        crowded += world.receipt.code == SY_E_KEYS ? 1 : 0;
        if (world.receipt.code != SY_E_KEYS) continue;
        assert_int_equal(world.receipt.event_count, 0);
        assert_int_equal(world.receipt.path.size, 0); // it is about no one of its lots
        world_receipt(&world, &world.receipt, 2 * i + 1);
        assert_int_equal(world.receipt.code, SY_E_RECALL_UNKNOWN); // there is none to close
    }
    assert_true(applied >= 100 && crowded > 0);
    assert_int_equal(applied + crowded, PAIRS);
    world_receipt(&world, &world.receipt, 2 * PAIRS);
    assert_int_equal(world.receipt.code, SY_APPLIED);
    struct world_tx tx = recall(MAKER, RECALL + 1 + PAIRS, texts("L1", NULL));
    assert_applied(&tx); // the next block has room again
}

/* More patients than one transaction tells: each is told once, in the order of their numbers. */
CASE(a_recall_of_many_goes_on_where_it_stopped)
{
    enum { MANY = SY_RECALL_TOLD_MAX + 40, PATIENTS = 40000 };
    struct world_tx tx;
    unsigned told = 0;
    for (unsigned i = 0; i < MANY; i++) {
        char serial[8];
        (void)snprintf(serial, sizeof serial, "%u", i);
        if (i % 100 == 0) {
            char names[100][8];
            const char *items[100];
            for (unsigned k = 0; k < 100; k++) {
                (void)snprintf(names[k], sizeof names[k], "%u", i + k);
                items[k] = names[k];
            }
            tx = commission(MAKER, PRODUCT_1, "L1", texts_of(items, 100));
            assert_applied(&tx);
            for (unsigned k = 0; k < 100; k += 25) {
                const char *epcs[25];
                for (unsigned n = 0; n < 25; n++) epcs[n] = unit_epc(PRODUCT_1, items[k + n]);
                tx = ship(MAKER, ORG_A, texts_of(epcs, 25));
                assert_applied(&tx);
                tx = receive(ADMIN_A, &event_id, SY_RECEIVE_ACCEPT);
                assert_applied(&tx);
            }
        }
        tx = world_enrol(GATEWAY_A, ORG_A, PATIENTS + i);
        assert_applied(&tx);
        tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, PATIENTS + 5000 + i, PATIENTS + i);
        assert_applied(&tx);
        tx = dispense(DOCTOR_A, unit_epc(PRODUCT_1, serial), RX);
        tx.payload.unit_dispense.has_rx_id = false;
        tx.payload.unit_dispense.has_record_id = true;
        tx.payload.unit_dispense.record_id = test_hash(PATIENTS + 5000 + i);
        assert_applied(&tx);
    }
    struct sy_hash id = test_hash(RECALL);
    tx = recall(MAKER, RECALL, texts("L1", NULL));
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, SY_RECALL_TOLD_MAX);
    for (unsigned i = 2; i < SY_RECALL_TOLD_MAX; i++) { // after two organisations
        assert_patient_told(i, SY_EVENT_RECALL_ISSUED, PATIENTS + told++, &id);
    }
    tx = notify(PHARMACIST_P, RECALL);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, MANY - told);
    for (unsigned i = 0; told < MANY; i++) {
        assert_patient_told(i, SY_EVENT_RECALL_ISSUED, PATIENTS + told++, &id);
    }
    tx = notify(PHARMACIST_P, RECALL);
    assert_refused(&tx, SY_E_RECALL_STATE);
    tx = close_recall(MAKER, RECALL, SY_RECALL_WITHDRAWN);
    assert_applied(&tx);
    crowd_a_block();
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_GOODS(a_prescription_is_filled_as_often_as_it_may),
        WITH_GOODS(only_prescribers_prescribe),
        WITH_GOODS(a_prescription_is_cancelled_and_moved),
        WITH_GOODS(a_unit_is_dispensed_once),
        WITH_GOODS(a_unit_comes_back_once_and_goes_nowhere),
        WITH_GOODS(an_implant_needs_its_record),
        WITH_GOODS(a_recall_reaches_holders_and_patients_and_stops_all),
        WITH_GOODS(a_case_with_one_recalled_lot_is_not_shipped),
        WITH_GOODS(a_recall_is_closed_by_who_issued_it),
        WITH_GOODS(a_recall_of_many_goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
