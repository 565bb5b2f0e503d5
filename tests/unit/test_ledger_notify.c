/* notify.prefs and notify.ack: what may be switched off, what was read, and by whose word. */
#include "tests/unit/consent_rig.h"

static struct world_tx choose(unsigned key, unsigned patient, uint32_t off, uint32_t digest)
{
    struct world_tx tx = world_tx_of(SY_KIND_notify_prefs, key, 0);
    tx.payload.notify_prefs.patient_id = test_hash(patient);
    tx.payload.notify_prefs.off = off;
    tx.payload.notify_prefs.digest = digest;
    return tx;
}

static struct world_tx acknowledge(unsigned key, unsigned patient, uint64_t number)
{
    struct world_tx tx = world_tx_of(SY_KIND_notify_ack, key, 0);
    tx.payload.notify_ack.patient_id = test_hash(patient);
    tx.payload.notify_ack.number = number;
    return tx;
}

static uint64_t events_of(unsigned patient)
{
    struct sy_hash id = test_hash(patient), place;
    struct sy_slice value;
    struct sy_patient entry;
    sy_state_key_id(&place, SY_STATE_PATIENT, &id);
    assert_true(world_find(&world, &value, &place) && sy_patient_decode(&entry, value));
    return entry.events;
}

CASE(a_patient_chooses_how_notices_are_brought)
{
    struct sy_hash id = test_hash(PATIENT_CLAIMED), place;
    struct sy_slice value;
    struct sy_notify_choice choice;
    uint32_t off = SY_SET_BIT(SY_NOTICES_CARE) | SY_SET_BIT(SY_NOTICES_IDENTITY);
    uint32_t digest = SY_SET_BIT(SY_NOTICES_RECORDS) | SY_SET_BIT(SY_NOTICES_CONSENTS);
    struct world_tx tx = choose(WALLET_CLAIMED, PATIENT_CLAIMED, off, digest);
    tx.payload.notify_prefs.has_channel_commit = true;
    tx.payload.notify_prefs.channel_commit = test_hash(7);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1); /* who took the key over is noticed */
    sy_state_key_id(&place, SY_STATE_NOTIFY_PREFS, &id);
    assert_true(world_find(&world, &value, &place) && sy_notify_choice_decode(&choice, value));
    assert_int_equal(choice.off, off);
    assert_int_equal(choice.digest, digest);
    assert_true(choice.has_channel);
    tx = choose(WALLET_CLAIMED, PATIENT_CLAIMED, 0, 0);
    assert_applied(&tx);
    assert_true(world_find(&world, &value, &place) && sy_notify_choice_decode(&choice, value));
    assert_true(choice.off == 0 && !choice.has_channel);
}

CASE(mandatory_notices_cannot_be_switched_off)
{
    for (unsigned group = SY_NOTICES_RECORDS; group <= SY_NOTICES_IDENTITY; group++) {
        uint32_t bit = SY_SET_BIT(group);
        struct world_tx tx = choose(WALLET_CLAIMED, PATIENT_CLAIMED, bit, 0);
        if (group <= SY_NOTICES_CONSENTS) {
            assert_refused(&tx, SY_E_MANDATORY);
            assert_true(world.receipt.detail == bit);
        } else {
            assert_applied(&tx);
        }
        tx = choose(WALLET_CLAIMED, PATIENT_CLAIMED, 0, bit);
        if (group == SY_NOTICES_EMERGENCY || group == SY_NOTICES_RECALLS) {
            assert_refused(&tx, SY_E_MANDATORY);
            assert_true(world.receipt.detail == bit);
        } else {
            assert_applied(&tx);
        }
    }
}

CASE(only_the_patient_chooses_and_acknowledges)
{
    struct world_tx tx = choose(DOCTOR_A, PATIENT_CLAIMED, 0, 0);
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
    tx = choose(WALLET_CLAIMED, PATIENT, 0, 0);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(PATIENT);
    tx = choose(WALLET_CLAIMED, PATIENT_NONE, 0, 0);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = acknowledge(WALLET_CLAIMED, PATIENT, 1);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = acknowledge(WALLET_CLAIMED, PATIENT_NONE, 1);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = acknowledge(GATEWAY_A, PATIENT_CLAIMED, 1);
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
}

CASE(what_has_not_happened_is_not_acknowledged)
{
    struct sy_hash id = test_hash(PATIENT_CLAIMED), place;
    struct sy_slice value;
    uint64_t acked, newest = events_of(PATIENT_CLAIMED);
    assert_true(newest >= 1);
    struct world_tx tx = acknowledge(WALLET_CLAIMED, PATIENT_CLAIMED, newest + 1);
    assert_refused(&tx, SY_E_RANGE);
    assert_true(world.receipt.detail == newest);
    tx = acknowledge(WALLET_CLAIMED, PATIENT_CLAIMED, INT64_MAX);
    assert_refused(&tx, SY_E_RANGE);
    tx = acknowledge(WALLET_CLAIMED, PATIENT_CLAIMED, newest);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 0);
    assert_true(events_of(PATIENT_CLAIMED) == newest);
    sy_state_key_id(&place, SY_STATE_NOTIFY_ACK, &id);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_count_decode(&acked, value) && acked == newest);
    tx = acknowledge(WALLET_CLAIMED, PATIENT_CLAIMED, newest);
    assert_refused(&tx, SY_E_ACKED);
    assert_true(world.receipt.detail == newest);
}

/* ---- disputes and subscriptions ----------------------------------------------------------- */

enum { DISPUTE = CONSENT + 200, RECORD };

static struct world_tx dispute(unsigned key, unsigned patient, unsigned id, uint64_t number)
{
    struct world_tx tx = world_tx_of(SY_KIND_notify_dispute, key, 0);
    tx.payload.notify_dispute.dispute_id = test_hash(id);
    tx.payload.notify_dispute.patient_id = test_hash(patient);
    tx.payload.notify_dispute.number = number;
    tx.payload.notify_dispute.reason = SY_DISPUTE_WRONG;
    return tx;
}

CASE(a_dispute_is_told_to_the_patient_and_who_holds_the_record)
{
    struct sy_hash id = test_hash(DISPUTE), org = test_hash(ORG_A), place;
    struct sy_slice value;
    struct sy_dispute entry;
    struct sy_event event;
    size_t offset = 0;
    struct world_tx made = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, PATIENT_CLAIMED);
    assert_applied(&made);
    struct world_tx tx = dispute(WALLET_CLAIMED, PATIENT_CLAIMED, DISPUTE, 1);
    tx.payload.notify_dispute.has_record_id = true;
    tx.payload.notify_dispute.record_id = test_hash(RECORD);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    assert_int_equal(event.subject_kind, SY_SUBJECT_ORG);
    assert_int_equal(event.kind, SY_EVENT_NOTIFY_DISPUTED);
    assert_memory_equal(event.subject.bytes, org.bytes, 32);
    assert_memory_equal(event.object.bytes, id.bytes, 32);
    sy_state_key_id(&place, SY_STATE_DISPUTE, &id);
    assert_true(world_find(&world, &value, &place) && sy_dispute_decode(&entry, value));
    assert_true(entry.has_record && entry.number == 1 && entry.reason == SY_DISPUTE_WRONG);
    assert_refused(&tx, SY_E_DISPUTE_EXISTS);
    assert_detail(DISPUTE);
}

CASE(a_dispute_is_of_what_happened_to_the_patient)
{
    uint64_t newest = events_of(PATIENT_CLAIMED);
    struct world_tx made = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, PATIENT);
    assert_applied(&made);
    struct world_tx tx = dispute(WALLET_CLAIMED, PATIENT_CLAIMED, DISPUTE, newest + 1);
    assert_refused(&tx, SY_E_RANGE);
    assert_true(world.receipt.detail == newest);
    tx = dispute(WALLET_CLAIMED, PATIENT, DISPUTE, 1);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = dispute(WALLET_CLAIMED, PATIENT_NONE, DISPUTE, 1);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = dispute(WALLET_CLAIMED, PATIENT_CLAIMED, DISPUTE, 1);
    tx.payload.notify_dispute.has_record_id = true;
    tx.payload.notify_dispute.record_id = test_hash(RECORD); /* another patient's */
    assert_refused(&tx, SY_E_PATIENT_MISMATCH);
    tx.payload.notify_dispute.record_id = test_hash(RECORD + 1);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
}

static struct world_tx subscribe(uint16_t kind, unsigned key, unsigned org, unsigned patient)
{
    struct world_tx tx = world_tx_of(kind, key, org);
    if (kind == SY_KIND_sub_cancel) {
        tx.payload.sub_cancel.patient_id = test_hash(patient);
        return tx;
    }
    tx.payload.sub_create.patient_id = test_hash(patient);
    tx.payload.sub_create.purpose = SY_PURPOSE_TREATMENT;
    tx.payload.sub_create.from_number = 1;
    return tx;
}

CASE(who_may_see_a_patient_subscribes_and_nobody_else)
{
    struct world_tx tx = subscribe(SY_KIND_sub_create, GATEWAY_B, ORG_B, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(PATIENT_CLAIMED);
    tx = subscribe(SY_KIND_sub_create, GATEWAY_A, ORG_A, PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = subscribe(SY_KIND_sub_create, DOCTOR_A, ORG_A, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_ROLE);
    tx = subscribe(SY_KIND_sub_create, GATEWAY_A, ORG_A, PATIENT_CLAIMED); /* it treats */
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1); /* the patient is told */
    tx = subscribe(SY_KIND_sub_create, ADMIN_A, ORG_A, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_SUB_STATE);
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
    tx = subscribe(SY_KIND_sub_create, GATEWAY_B, ORG_B, PATIENT_CLAIMED);
    assert_applied(&tx);
}

/* What it is of stands in its entry, and stays there when it ends. */
CASE(a_subscription_keeps_its_filter)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_subscription entry;
    struct sy_slice value, named;
    struct sy_hash place, org = test_hash(ORG_A), patient = test_hash(PATIENT_CLAIMED);
    struct world_tx tx = subscribe(SY_KIND_sub_create, GATEWAY_A, ORG_A, PATIENT_CLAIMED);
    tx.payload.sub_create.has_groups = true;
    tx.payload.sub_create.groups = SY_SET_BIT(SY_NOTICES_RECORDS);
    tx.payload.sub_create.has_classes = true;
    sy_list_add_text(&tx.payload.sub_create.classes, &w, sy_slice_of("Observation", 11));
    tx.payload.sub_create.has_org_id = true;
    tx.payload.sub_create.org_id = test_hash(ORG_NONE);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    tx.payload.sub_create.org_id = test_hash(PATIENT_CLAIMED); // no organisation
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    tx.payload.sub_create.org_id = test_hash(ORG_B);
    tx.payload.sub_create.has_from_height = true;
    tx.payload.sub_create.from_height = 0;
    assert_refused(&tx, SY_E_SCHEMA);
    tx.payload.sub_create.from_height = 9000;
    assert_applied(&tx);
    for (unsigned turn = 0; turn < 2; turn++) {
        size_t offset = 0;
        sy_state_key_subscription(&place, &org, &patient);
        assert_true(world_find(&world, &value, &place) && sy_subscription_decode(&entry, value));
        assert_true(entry.has_groups && entry.groups == SY_SET_BIT(SY_NOTICES_RECORDS));
        assert_true(entry.has_classes && sy_list_next_text(&entry.classes, &offset, &named));
        assert_true(sy_slice_equal(named, sy_slice_of("Observation", 11)));
        struct sy_hash other = test_hash(ORG_B);
        assert_true(entry.has_organisation && sy_hash_equal(&entry.organisation, &other));
        assert_int_equal(entry.from_height, 9000);
        assert_true((entry.cancelled_height != 0) == (turn == 1));
        tx = subscribe(SY_KIND_sub_cancel, GATEWAY_A, ORG_A, PATIENT_CLAIMED);
        if (turn == 0) assert_applied(&tx);
    }
}

CASE(a_subscription_ends_once)
{
    struct world_tx tx = subscribe(SY_KIND_sub_cancel, GATEWAY_A, ORG_A, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_SUB_STATE);
    struct world_tx begin = subscribe(SY_KIND_sub_create, GATEWAY_A, ORG_A, PATIENT_CLAIMED);
    assert_applied(&begin);
    tx = subscribe(SY_KIND_sub_cancel, GATEWAY_B, ORG_B, PATIENT_CLAIMED); /* not its own */
    assert_refused(&tx, SY_E_SUB_STATE);
    tx = subscribe(SY_KIND_sub_cancel, ADMIN_A, ORG_A, PATIENT_CLAIMED);
    assert_applied(&tx);
    assert_refused(&tx, SY_E_SUB_STATE);
    begin = subscribe(SY_KIND_sub_create, GATEWAY_A, ORG_A, PATIENT_CLAIMED);
    assert_applied(&begin); /* and may begin again */
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(a_patient_chooses_how_notices_are_brought),
        WITH_WORLD(mandatory_notices_cannot_be_switched_off),
        WITH_WORLD(only_the_patient_chooses_and_acknowledges),
        WITH_WORLD(what_has_not_happened_is_not_acknowledged),
        WITH_WORLD(a_dispute_is_told_to_the_patient_and_who_holds_the_record),
        WITH_WORLD(a_dispute_is_of_what_happened_to_the_patient),
        WITH_WORLD(who_may_see_a_patient_subscribes_and_nobody_else),
        WITH_WORLD(a_subscription_keeps_its_filter),
        WITH_WORLD(a_subscription_ends_once),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
