/* Streams of devices: who opens them, that windows follow one another without hole or overlap, what
 * a window may hold, and who is told. On which consent: test_ledger_stream_consent.c. */
#include <string.h>

#include "tests/unit/stream_rig.h"

// --- opening -----------------------------------------------------------------------------------

CASE(a_device_opens_a_stream_of_its_patient)
{
    struct world_tx tx = open_stream(STREAM, WEARABLE, WEARABLE_KEY);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    assert_stream_told(0, SY_EVENT_STREAM_OPENED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    struct sy_stream stream = find_stream(STREAM);
    struct sy_hash device = test_hash(WEARABLE), organisation = test_hash(ORG_A);
    assert_memory_equal(&stream.device, &device, sizeof device);
    assert_memory_equal(&stream.organisation, &organisation, sizeof organisation);
    assert_true(sy_slice_equal(stream.kind, words("8867-4")));
    assert_int_equal(stream.rate, 60);
    assert_int_equal(stream.commits, 0);
    assert_false(stream.closed);
    assert_refused(&tx, SY_E_STREAM_EXISTS);
    assert_detail(STREAM);
    tx = open_stream(OTHER_STREAM, OTHER_DEVICE, WEARABLE_KEY);
    assert_refused(&tx, SY_E_DEVICE_UNKNOWN);
    assert_detail(OTHER_DEVICE);
    tx = open_stream(OTHER_STREAM, WEARABLE, GATEWAY_A);
    assert_refused(&tx, SY_E_ROLE);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.patient_id = test_hash(PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx.payload.stream_open.patient_id = test_hash(PATIENT);
    assert_refused(&tx, SY_E_PATIENT_MISMATCH);
    assert_detail(WEARABLE);
}

CASE(an_opened_stream_is_one_of_the_patients_entries)
{
    struct sy_hash key_hash, id = test_hash(PATIENT_CLAIMED), stream = test_hash(STREAM);
    struct sy_slice value;
    struct sy_patient patient;
    struct sy_patient_place place;
    sy_state_key_id(&key_hash, SY_STATE_PATIENT, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_patient_decode(&patient, value));
    sy_state_key_patient_place(&key_hash, &id, patient.places);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_patient_place_decode(&place, value));
    assert_int_equal(place.what, SY_PLACE_STREAM);
    assert_memory_equal(&place.id, &stream, sizeof stream);
}

CASE(a_kind_has_its_units)
{
    struct world_tx tx = open_stream(STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.unit = words("mg/dL");
    assert_refused(&tx, SY_E_UNIT);
    assert_path("unit");
    tx.payload.stream_open.unit = words("/mi"); // not a part of one either
    assert_refused(&tx, SY_E_UNIT);
    tx.payload.stream_open.unit = words("/min {beats}/min");
    assert_refused(&tx, SY_E_UNIT);
    tx.payload.stream_open.unit = words("/min");
    tx.payload.stream_open.kind = words("8867-5");
    assert_refused(&tx, SY_E_UNIT);
    assert_path("kind");
    tx.payload.stream_open.kind = words("8867-4");
    tx.payload.stream_open.system = SY_STREAM_IEEE_1752; // which has no such name
    assert_refused(&tx, SY_E_UNIT);
    assert_path("kind");
    tx.payload.stream_open.kind = words("total-sleep-time");
    tx.payload.stream_open.unit = words("min");
    assert_applied(&tx);
}

CASE(another_device_signs_for_none)
{
    struct world_tx tx = add_device(OTHER_DEVICE, OTHER_KEY, SY_SUBJECT_ORG, ORG_A);
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, WEARABLE, OTHER_KEY);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(WEARABLE);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    tx.keys[0] = OTHER_KEY;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = alert(OTHER_KEY, 1);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = close_stream(OTHER_KEY);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(WEARABLE);
}

// --- windows -----------------------------------------------------------------------------------

CASE(windows_follow_one_another)
{
    int64_t t = stream_now();
    struct world_tx tx = commit_window(2, t - 10 * MINUTE_MS, t);
    assert_refused(&tx, SY_E_SEQ);
    assert_int_equal(world.receipt.detail, 1);
    tx = commit_window(1, t - 10 * MINUTE_MS, t);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    assert_stream_told(0, SY_EVENT_STREAM_COMMITTED, SY_SUBJECT_ORG, ORG_A);
    struct sy_stream_commit_entry found = find_commit(1);
    struct sy_public_key key = test_public(WEARABLE_KEY);
    struct sy_hash root = test_hash(5001);
    assert_memory_equal(&found.key, &key, sizeof key);
    assert_memory_equal(&found.root, &root, sizeof root);
    assert_int_equal(found.samples, 10);
    assert_int_equal(found.to_ms, t);
    assert_false(found.gap || found.backfill);
    tx = commit_window(1, t, t + MINUTE_MS); // another one under the same number
    assert_refused(&tx, SY_E_SEQ);
    assert_int_equal(world.receipt.detail, 2);
    tx = commit_window(3, t, t + MINUTE_MS);
    assert_refused(&tx, SY_E_SEQ);
    assert_int_equal(world.receipt.detail, 2);
    tx = commit_window(2, t - 1, t + MINUTE_MS);
    assert_refused(&tx, SY_E_OVERLAP);
    assert_int_equal(world.receipt.detail, t);
    tx = commit_window(2, t - 10 * MINUTE_MS, t); // the same hour, told otherwise
    assert_refused(&tx, SY_E_OVERLAP);
    tx = commit_window(2, t, t + MINUTE_MS);
    assert_applied(&tx);
    struct sy_stream stream = find_stream(STREAM);
    assert_int_equal(stream.commits, 2);
    assert_int_equal(stream.samples, 11);
    assert_int_equal(stream.until_ms, t + MINUTE_MS);
    tx = commit_window(1, t, t + MINUTE_MS);
    tx.payload.stream_commit.stream_id = test_hash(OTHER_STREAM);
    assert_refused(&tx, SY_E_STREAM_UNKNOWN);
    assert_detail(OTHER_STREAM);
}

CASE(the_same_again_is_no_second_entry)
{
    int64_t t = stream_now();
    struct world_tx first = commit_window(1, t - 10 * MINUTE_MS, t);
    assert_applied(&first);
    assert_refused(&first, SY_E_DUP_COMMIT);
    assert_int_equal(world.receipt.detail, 1);
    assert_detail(STREAM);
    struct world_tx tx = commit_window(2, t, t + MINUTE_MS);
    assert_applied(&tx);
    assert_refused(&first, SY_E_DUP_COMMIT); // not the newest either
    assert_int_equal(world.receipt.detail, 1);
    assert_int_equal(find_stream(STREAM).commits, 2);
    assert_int_equal(find_stream(STREAM).samples, 11);
    // All of it has to be the same.
    for (unsigned i = 0; i < 6; i++) {
        struct world_tx other = first;
        struct sy_stream_commit *p = &other.payload.stream_commit;
        if (i == 0) p->samples--;
        if (i == 1) p->from++;
        if (i == 2) p->to--;
        if (i == 3) p->root = test_hash(9);
        if (i == 4) p->release++;
        if (i == 5) p->backfill = !p->backfill;
        assert_refused(&other, SY_E_SEQ);
        assert_int_equal(world.receipt.detail, 3);
    }
    tx = close_stream(WEARABLE_KEY);
    assert_applied(&tx);
    assert_refused(&first, SY_E_DUP_COMMIT); // who resends learns that it arrived
}

CASE(a_window_has_a_length)
{
    int64_t t = stream_now();
    struct world_tx tx = commit_window(1, t, t);
    tx.payload.stream_commit.samples = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("to");
    tx = commit_window(1, t, t - MINUTE_MS);
    tx.payload.stream_commit.samples = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    tx = commit_window(1, t - SY_STREAM_SPAN_MS_MAX - 1, t);
    tx.payload.stream_commit.samples = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    tx = commit_window(1, 0, SY_TIME_MS_MAX);
    tx.payload.stream_commit.samples = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    tx = commit_window(1, t - SY_STREAM_SPAN_MS_MAX, t);
    assert_applied(&tx);
}

CASE(samples_come_no_faster_than_the_rate)
{
    int64_t t = stream_now();
    struct world_tx tx =
        commit_window(1, t - 10 * MINUTE_MS, t); // eleven: a tenth above sixty an hour
    tx.payload.stream_commit.samples = 12;
    assert_refused(&tx, SY_E_RATE);
    assert_int_equal(world.receipt.detail, 11);
    tx.payload.stream_commit.samples = 11;
    assert_applied(&tx);
    tx = commit_window(2, t, t + 1); // a millisecond has none
    tx.payload.stream_commit.samples = 1;
    assert_refused(&tx, SY_E_RATE);
    assert_int_equal(world.receipt.detail, 0);
}

CASE(a_window_ends_about_now_unless_it_is_late)
{
    int64_t t = stream_now();
    struct world_tx tx = commit_window(1, t, t + SY_STREAM_SKEW_MS + 1 + world.step_ms);
    assert_refused(&tx, SY_E_SKEW);
    tx.payload.stream_commit.backfill = true; // which no future is
    assert_refused(&tx, SY_E_SKEW);
    t = stream_now();
    tx = commit_window(1, t - HOUR_MS, t - SY_STREAM_SKEW_MS - 1);
    tx.payload.stream_commit.backfill = false;
    assert_refused(&tx, SY_E_SKEW);
    assert_int_equal(world.receipt.detail, world.header.time_ms);
    tx = commit_window(1, stream_now() - HOUR_MS, stream_now() - SY_STREAM_SKEW_MS);
    tx.payload.stream_commit.backfill = false;
    assert_applied(&tx);
    tx = commit_window(2, stream_now() - 4 * MINUTE_MS, stream_now() - SY_STREAM_LATE_MS + 1);
    tx.payload.stream_commit.backfill = true; // it is not late
    assert_refused(&tx, SY_E_SKEW);
    tx = commit_window(2, stream_now() - 4 * MINUTE_MS, stream_now() + SY_STREAM_SKEW_MS);
    assert_applied(&tx);
    wait_ms(2 * HOUR_MS);
    t = find_stream(STREAM).until_ms;
    tx = commit_window(3, t, t + 10 * MINUTE_MS);
    assert_true(tx.payload.stream_commit.backfill);
    assert_applied(&tx);
    assert_true(find_commit(3).backfill);
}

CASE(what_is_missing_shows)
{
    int64_t t = stream_now() - 20 * MINUTE_MS;
    struct sy_stream_gap gap;
    struct world_tx tx = commit_window(1, t, t + 2 * MINUTE_MS);
    assert_applied(&tx);
    assert_int_equal(find_stream(STREAM).gaps, 0); // of before the first nothing is missing
    tx = commit_window(2, t + 4 * MINUTE_MS, t + 6 * MINUTE_MS); // what is tolerated
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    assert_false(find_gap(&gap, 1));
    tx = commit_window(3, t + 8 * MINUTE_MS + 1, t + 10 * MINUTE_MS + 1);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 3);
    assert_stream_told(1, SY_EVENT_GAP_DETECTED, SY_SUBJECT_ORG, ORG_A);
    assert_stream_told(2, SY_EVENT_GAP_DETECTED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    assert_true(find_gap(&gap, 1));
    assert_int_equal(gap.from_ms, t + 6 * MINUTE_MS);
    assert_int_equal(gap.to_ms, t + 8 * MINUTE_MS + 1);
    assert_int_equal(gap.sequence, 3);
    assert_true(find_commit(3).gap);
    assert_false(find_commit(2).gap);
    assert_int_equal(find_stream(STREAM).gaps, 1);
    assert_false(find_gap(&gap, 2));
    tx = commit_window(4, t + 7 * MINUTE_MS, t + 8 * MINUTE_MS); // and is not filled in afterwards
    assert_refused(&tx, SY_E_OVERLAP);
}

/* A second account of the same minutes, under another id. */
CASE(a_device_has_one_open_stream_of_a_patient_and_kind)
{
    enum { AGAIN = STREAM + STREAM_KINDS };
    struct world_tx tx = open_stream(AGAIN, WEARABLE, WEARABLE_KEY);
    assert_refused(&tx, SY_E_STREAM_OPEN);
    assert_detail(STREAM);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY); // of another kind
    assert_applied(&tx);
    tx = close_stream(WEARABLE_KEY); // which had nothing
    assert_applied(&tx);
    tx = open_stream(AGAIN, WEARABLE, WEARABLE_KEY);
    assert_applied(&tx);
    assert_int_equal(find_stream(AGAIN).until_ms, 0);
    int64_t t = stream_now();
    tx = commit_window(1, t - 10 * MINUTE_MS, t);
    tx.payload.stream_commit.stream_id = test_hash(AGAIN);
    assert_applied(&tx);
    assert_int_equal(find_stream(AGAIN).gaps, 0);
    tx = open_stream(AGAIN + STREAM_KINDS, WEARABLE, WEARABLE_KEY);
    assert_refused(&tx, SY_E_STREAM_OPEN);
    assert_detail(AGAIN);
}

CASE(a_stream_goes_on_where_the_one_before_ended)
{
    enum { AGAIN = STREAM + STREAM_KINDS };
    int64_t t = stream_now();
    struct world_tx tx = commit_window(1, t - 10 * MINUTE_MS, t);
    assert_applied(&tx);
    tx = close_stream(WALLET_CLAIMED); // whoever closes it
    assert_applied(&tx);
    tx = open_stream(AGAIN, WEARABLE, WEARABLE_KEY);
    assert_applied(&tx);
    assert_int_equal(find_stream(AGAIN).until_ms, t);
    wait_ms(10 * MINUTE_MS);
    tx = commit_window(1, t - MINUTE_MS, t + 8 * MINUTE_MS);
    tx.payload.stream_commit.stream_id = test_hash(AGAIN);
    assert_refused(&tx, SY_E_OVERLAP);
    assert_int_equal(world.receipt.detail, (uint64_t)t);
    tx.payload.stream_commit.from = t + 5 * MINUTE_MS;
    tx.payload.stream_commit.samples = 3;
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 3); // it is told what is missing
    struct sy_stream stream = find_stream(AGAIN);
    assert_int_equal(stream.gaps, 1);
    struct sy_hash key_hash, id = test_hash(AGAIN);
    struct sy_slice value;
    struct sy_stream_gap gap;
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_GAP, &id, 1);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_stream_gap_decode(&gap, value));
    assert_int_equal(gap.sequence, 1);
    assert_true(gap.from_ms == t && gap.to_ms == t + 5 * MINUTE_MS);
}

/* A hospital's device goes from patient to patient. */
CASE(another_patients_stream_of_the_same_device_is_open_beside)
{
    enum { OTHER_PATIENT = FRESH_ID + 782, OTHER_WALLET = FRESH_KEY + 21 };
    enum { THEIRS = STREAM + STREAM_KINDS, LET = GRANT + 1 };
    enrol_with_wallet(OTHER_PATIENT, OTHER_WALLET);
    struct world_tx tx = add_device(OTHER_DEVICE, OTHER_KEY, SY_SUBJECT_ORG, ORG_A);
    assert_applied(&tx);
    tx = attest(OTHER_DEVICE, OTHER_KEY, 1);
    assert_applied(&tx);
    for (unsigned i = 0; i < 2; i++) {
        unsigned patient = i == 0 ? PATIENT_CLAIMED : OTHER_PATIENT;
        tx = world_grant(&world, i == 0 ? WALLET_CLAIMED : OTHER_WALLET, LET + i, patient,
                         SY_GRANTEE_KEY, OTHER_KEY);
        assert_applied(&tx);
        tx = open_stream(THEIRS + i * STREAM_KINDS, OTHER_DEVICE, OTHER_KEY);
        tx.payload.stream_open.patient_id = test_hash(patient);
        tx.payload.stream_open.consent = test_hash(LET + i);
        assert_applied(&tx);
    }
    tx.payload.stream_open.stream_id = test_hash(THEIRS + 2 * STREAM_KINDS);
    assert_refused(&tx, SY_E_STREAM_OPEN);
    assert_detail(THEIRS + STREAM_KINDS);
}

// --- keys and firmware -------------------------------------------------------------------------

CASE(a_revoked_device_says_nothing_more)
{
    struct world_tx tx = world_tx_of(SY_KIND_cred_revoke, ADMIN_A, ORG_A);
    tx.payload.cred_revoke.subject_key = test_public(WEARABLE_KEY);
    tx.payload.cred_revoke.reason = SY_REVOKE_LOST;
    assert_applied(&tx);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = alert(WEARABLE_KEY, 1);
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = attest(WEARABLE, WEARABLE_KEY, 2);
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = close_stream(GATEWAY_A);
    assert_applied(&tx);
}

CASE(a_stream_goes_on_with_the_devices_next_key)
{
    struct world_tx tx = world_tx_of(SY_KIND_key_rotate, WEARABLE_KEY, ORG_A);
    tx.payload.key_rotate.old_key = test_public(WEARABLE_KEY);
    tx.payload.key_rotate.role = SY_ROLE_DEVICE;
    tx.payload.key_rotate.new_key = test_public(NEXT_KEY);
    assert_applied(&tx);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx.keys[0] = NEXT_KEY;
    assert_applied(&tx);
}

CASE(streams_need_the_firmware_that_is_attested)
{
    struct world_tx tx = add_device(OTHER_DEVICE, OTHER_KEY, SY_SUBJECT_ORG, ORG_A);
    assert_applied(&tx);
    tx = world_grant(&world, WALLET_CLAIMED, GRANT + 1, PATIENT_CLAIMED, SY_GRANTEE_KEY, OTHER_KEY);
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, OTHER_DEVICE, OTHER_KEY);
    tx.payload.stream_open.consent = test_hash(GRANT + 1);
    assert_refused(&tx, SY_E_FIRMWARE); // none was
    assert_int_equal(world.receipt.detail, 0);
    tx = attest(WEARABLE, WEARABLE_KEY, 2);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    assert_refused(&tx, SY_E_FIRMWARE); // the old one took them
    assert_int_equal(world.receipt.detail, 2);
    tx.payload.stream_commit.release = 3;
    assert_refused(&tx, SY_E_FIRMWARE);
    tx.payload.stream_commit.release = 2;
    assert_applied(&tx);
    wait_ms(51 * 24 * HOUR_MS);
    tx = commit_window(2, stream_now() - 10 * MINUTE_MS, stream_now());
    tx.payload.stream_commit.release = 2;
    assert_refused(&tx, SY_E_FIRMWARE); // the attestation is over
    tx = alert(WEARABLE_KEY, 1);
    assert_refused(&tx, SY_E_FIRMWARE);
    tx = attest(WEARABLE, WEARABLE_KEY, 2);
    assert_applied(&tx);
    tx = commit_window(2, stream_now() - 10 * MINUTE_MS, stream_now());
    tx.payload.stream_commit.release = 2;
    assert_applied(&tx);
}

CASE(firmware_is_attested_by_device_and_organisation_and_never_goes_back)
{
    struct world_tx tx = attest(OTHER_DEVICE, WEARABLE_KEY, 2);
    assert_refused(&tx, SY_E_DEVICE_UNKNOWN);
    assert_detail(OTHER_DEVICE);
    tx = attest(WEARABLE, WEARABLE_KEY, 2);
    tx.keys[0] = GATEWAY_B;
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    tx = attest(WEARABLE, WEARABLE_KEY, 2);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(WEARABLE);
    tx = attest(WEARABLE, DOCTOR_A, 2); // not just anybody's beside it
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = attest(WEARABLE, WEARABLE_KEY, 2);
    tx.payload.device_firmware.until = world.header.time_ms;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("until");
    tx.payload.device_firmware.until = stream_now() + SY_FIRMWARE_MS_MAX + 1000;
    assert_refused(&tx, SY_E_SCHEMA);
    tx = attest(WEARABLE, WEARABLE_KEY, 7);
    assert_applied(&tx);
    tx = attest(WEARABLE, WEARABLE_KEY, 6);
    assert_refused(&tx, SY_E_FIRMWARE);
    assert_int_equal(world.receipt.detail, 7);
    tx = attest(WEARABLE, WEARABLE_KEY, 7);
    tx.payload.device_firmware.firmware = test_hash(8); // another image under the same number
    assert_refused(&tx, SY_E_FIRMWARE);
    tx = attest(WEARABLE, WEARABLE_KEY, 7);
    assert_applied(&tx); // once more, for longer
}

// --- alerts ------------------------------------------------------------------------------------

static struct world_tx open_told(unsigned first, unsigned second)
{
    struct world_tx tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    struct sy_hash ids[] = {test_hash(first), test_hash(second)};
    struct sy_writer w = sy_writer_of(world.list_room, 256);
    for (unsigned i = 0; i < 2; i++) {
        sy_list_add_id(&tx.payload.stream_open.care_team, &w, &ids[i]);
    }
    return tx;
}

static struct world_tx alert_told(unsigned key, uint32_t sequence)
{
    struct world_tx tx = alert(key, sequence);
    tx.payload.stream_alert.stream_id = test_hash(OTHER_STREAM);
    return tx;
}

/* The newest receipt has one event, about this organisation, among its `count` of them. */
static void assert_organisation_told(unsigned count, unsigned organisation)
{
    struct sy_event event;
    size_t offset = 0;
    unsigned found = 0;
    struct sy_hash id = test_hash(organisation);
    assert_int_equal(world.receipt.event_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
        assert_int_equal(event.kind, SY_EVENT_ALERT_RAISED);
        if (event.subject_kind == SY_SUBJECT_ORG && sy_hash_equal(&event.subject, &id)) found++;
    }
    assert_int_equal(found, 1);
}

/* B does not treat the patient: nothing that the device's side sends shows it. */
CASE(an_alert_reaches_the_patient_and_whom_the_patient_named)
{
    struct world_tx tx = open_told(ORG_A, ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT); // nobody names them in the patient's place
    assert_detail(PATIENT_CLAIMED);
    tx = open_told(ORG_A, FRESH_ID + 790);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    assert_detail(FRESH_ID + 790);
    tx = open_told(ORG_A, ORG_B);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    tx = alert_told(WEARABLE_KEY, 1);
    assert_applied(&tx);
    assert_organisation_told(3, ORG_A);
    assert_organisation_told(3, ORG_B);
    assert_refused(&tx, SY_E_DUP_COMMIT);
    tx.payload.stream_alert.level = SY_ALERT_WARNING;
    assert_refused(&tx, SY_E_SEQ);
    assert_int_equal(world.receipt.detail, 2);
    assert_int_equal(find_stream(OTHER_STREAM).alerts, 1);
    tx = alert(GATEWAY_A, 1); // which saw it in the samples
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    assert_stream_told(0, SY_EVENT_ALERT_RAISED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    tx = alert(GATEWAY_B, 2);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = alert(NURSE_A, 2);
    assert_refused(&tx, SY_E_ROLE);
}

CASE(whom_the_patient_denied_since_is_not_told)
{
    struct world_tx tx = open_told(ORG_A, ORG_B);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    tx = world_deny(&world, WALLET_CLAIMED, GRANT + 1, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    tx.payload.consent_deny.actions = SY_SET_BIT(SY_ACTION_SHARE); // which is not reading
    assert_applied(&tx);
    tx = alert_told(WEARABLE_KEY, 1);
    assert_applied(&tx);
    assert_organisation_told(3, ORG_B);
    tx = world_deny(&world, WALLET_CLAIMED, GRANT + 2, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&tx);
    wait_ms(2 * MINUTE_MS);
    tx = alert_told(WEARABLE_KEY, 2);
    assert_applied(&tx);
    assert_organisation_told(2, ORG_A);
}

CASE(alerts_ascend_and_are_few)
{
    int64_t at = stream_now() - 10 * MINUTE_MS;
    struct world_tx tx = alert(WEARABLE_KEY, 1);
    tx.payload.stream_alert.level = SY_ALERT_INFORMATION;
    tx.payload.stream_alert.at = at;
    assert_applied(&tx);
    int64_t told_ms = world.header.time_ms;
    tx = alert(WEARABLE_KEY, 2);
    tx.payload.stream_alert.level = SY_ALERT_INFORMATION;
    assert_refused(&tx, SY_E_ALERT_SOON);
    assert_int_equal(world.receipt.detail, told_ms + SY_STREAM_ALERT_MS);
    tx.payload.stream_alert.at = at;
    assert_refused(&tx, SY_E_ALERT_TIME);
    assert_int_equal(world.receipt.detail, at);
    tx.payload.stream_alert.level = SY_ALERT_CRITICAL; // which does not wait behind the other
    assert_applied(&tx);
    tx = alert(GATEWAY_A, 3);
    assert_refused(&tx, SY_E_ALERT_SOON);
    wait_ms(SY_STREAM_ALERT_MS);
    tx = alert(GATEWAY_A, 3);
    assert_applied(&tx);
    assert_int_equal(find_stream(STREAM).alerts, 3);
}

/* By less than is refused. */
CASE(a_clock_that_is_ahead_holds_no_alert_back)
{
    struct world_tx tx = alert(GATEWAY_A, 1);
    tx.payload.stream_alert.at += SY_STREAM_SKEW_MS;
    assert_applied(&tx);
    wait_ms(SY_STREAM_ALERT_MS);
    tx = alert(WEARABLE_KEY, 2);
    assert_applied(&tx);
}

CASE(an_alert_is_of_its_stream_and_not_of_the_future)
{
    struct world_tx tx = alert(WEARABLE_KEY, 1);
    tx.payload.stream_alert.at = stream_now() + SY_STREAM_SKEW_MS + 1;
    assert_refused(&tx, SY_E_SKEW);
    tx = alert(WEARABLE_KEY, 2);
    assert_refused(&tx, SY_E_SEQ);
    assert_int_equal(world.receipt.detail, 1);
    tx = alert(WEARABLE_KEY, 1);
    tx.payload.stream_alert.stream_id = test_hash(OTHER_STREAM);
    assert_refused(&tx, SY_E_STREAM_UNKNOWN);
}

// --- closing -----------------------------------------------------------------------------------

CASE(a_closed_stream_is_closed_for_good)
{
    int64_t t = stream_now();
    struct world_tx tx = commit_window(1, t - 10 * MINUTE_MS, t);
    assert_applied(&tx);
    tx = close_stream(GATEWAY_B);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    tx = close_stream(WALLET_CLAIMED);
    tx.payload.stream_close.stream_id = test_hash(OTHER_STREAM);
    assert_refused(&tx, SY_E_STREAM_UNKNOWN);
    tx = close_stream(WALLET_CLAIMED);
    tx.payload.stream_close.reason = SY_STREAM_CLOSE_PATIENT;
    assert_applied(&tx);
    assert_stream_told(0, SY_EVENT_STREAM_CLOSED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    struct sy_stream stream = find_stream(STREAM);
    assert_true(stream.closed);
    assert_int_equal(stream.close_reason, SY_STREAM_CLOSE_PATIENT);
    tx = close_stream(WEARABLE_KEY);
    assert_refused(&tx, SY_E_STREAM_STATE);
    assert_detail(STREAM);
    tx = commit_window(2, t, t + MINUTE_MS);
    assert_refused(&tx, SY_E_STREAM_STATE);
    tx = alert(WEARABLE_KEY, 1);
    assert_refused(&tx, SY_E_STREAM_STATE);
    tx = open_stream(STREAM, WEARABLE, WEARABLE_KEY);
    assert_refused(&tx, SY_E_STREAM_EXISTS);
    assert_int_equal(find_commit(1).samples, 10); // what was committed to stays
}

CASE(another_patient_closes_nothing)
{
    enum { OTHER_PATIENT = FRESH_ID + 781, OTHER_WALLET = FRESH_KEY + 20 };
    enrol_with_wallet(OTHER_PATIENT, OTHER_WALLET);
    struct world_tx tx = close_stream(OTHER_WALLET);
    tx.organisation = (struct sy_hash){{0}};
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(STREAM); // not whose it is
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_DEVICE(a_device_opens_a_stream_of_its_patient),
        WITH_STREAM(an_opened_stream_is_one_of_the_patients_entries),
        WITH_DEVICE(a_kind_has_its_units),
        WITH_STREAM(another_device_signs_for_none),
        WITH_STREAM(windows_follow_one_another),
        WITH_STREAM(the_same_again_is_no_second_entry),
        WITH_STREAM(a_window_has_a_length),
        WITH_STREAM(samples_come_no_faster_than_the_rate),
        WITH_STREAM(a_window_ends_about_now_unless_it_is_late),
        WITH_STREAM(what_is_missing_shows),
        WITH_STREAM(a_device_has_one_open_stream_of_a_patient_and_kind),
        WITH_STREAM(a_stream_goes_on_where_the_one_before_ended),
        WITH_STREAM(another_patients_stream_of_the_same_device_is_open_beside),
        WITH_STREAM(a_revoked_device_says_nothing_more),
        WITH_STREAM(a_stream_goes_on_with_the_devices_next_key),
        WITH_STREAM(streams_need_the_firmware_that_is_attested),
        WITH_STREAM(firmware_is_attested_by_device_and_organisation_and_never_goes_back),
        WITH_STREAM(an_alert_reaches_the_patient_and_whom_the_patient_named),
        WITH_STREAM(whom_the_patient_denied_since_is_not_told),
        WITH_STREAM(alerts_ascend_and_are_few),
        WITH_STREAM(a_clock_that_is_ahead_holds_no_alert_back),
        WITH_STREAM(an_alert_is_of_its_stream_and_not_of_the_future),
        WITH_STREAM(a_closed_stream_is_closed_for_good),
        WITH_STREAM(another_patient_closes_nothing),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
