/* Two ids that are one person's: links, and merges with what becomes of records, care, consents. */
#include "core/wire/state_research.h"
#include "tests/unit/consent_rig.h"

enum {
    DOE = FRESH_ID + 600, /* enrolled by B, unclaimed */
    RECORD_DOE = FRESH_ID + 700,
    RECORD_KNOWN,
    CARE_B = 700,
    GUARDIAN = 171,
    KEEN_DOCTOR = 170
};

static struct world_tx merge(unsigned key, unsigned org, unsigned from, unsigned into)
{
    struct world_tx tx = world_tx_of(SY_KIND_patient_merge, key, org);
    tx.payload.patient_merge.patient_id = test_hash(from);
    tx.payload.patient_merge.into_id = test_hash(into);
    tx.payload.patient_merge.evidence_hash = test_hash(1);
    return tx;
}

static struct world_tx link(unsigned key, unsigned org, unsigned one, unsigned other)
{
    struct world_tx tx = world_tx_of(SY_KIND_patient_link, key, org);
    tx.payload.patient_link.patient_id = test_hash(one);
    tx.payload.patient_link.other_id = test_hash(other);
    tx.payload.patient_link.evidence_hash = test_hash(1);
    return tx;
}

static struct sy_patient find_patient(unsigned patient)
{
    struct sy_hash id = test_hash(patient), key_hash;
    struct sy_slice value;
    struct sy_patient found;
    sy_state_key_id(&key_hash, SY_STATE_PATIENT, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_patient_decode(&found, value));
    return found;
}

static void assert_leads(unsigned from, unsigned into, unsigned merges)
{
    struct sy_hash id = test_hash(into);
    struct sy_patient found = find_patient(from);
    assert_true(found.merged);
    assert_memory_equal(found.into.bytes, id.bytes, 32);
    assert_int_equal(found.merged_height, world.header.height);
    found = find_patient(into);
    assert_false(found.merged);
    assert_int_equal(found.merges, merges);
}

/* The newest receipt's events are of this kind, one about each, the other being the object. */
static void assert_told_both(enum sy_event_kind kind, unsigned one, unsigned other)
{
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_hash ids[2] = {test_hash(one), test_hash(other)};
    for (unsigned i = 0; i < 2; i++) {
        struct sy_event event;
        assert_true(sy_event_decode(&r, &event));
        assert_int_equal(event.kind, kind);
        assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
        assert_memory_equal(event.subject.bytes, ids[i].bytes, 32);
        assert_memory_equal(event.object.bytes, ids[1 - i].bytes, 32);
    }
    assert_true(sy_reader_done(&r));
}

/* An emergency department enrols somebody whom nobody knows, and treats and writes. */
static void enrol_doe(unsigned patient)
{
    struct world_tx tx = world_enrol(GATEWAY_B, ORG_B, patient);
    assert_applied(&tx);
}

static void merge_doe(void)
{
    struct world_tx tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
}

CASE(merge_ends_an_id_and_tells_both)
{
    enrol_doe(DOE);
    merge_doe();
    assert_leads(DOE, PATIENT_CLAIMED, 1);
    assert_told_both(SY_EVENT_PATIENT_MERGED, DOE, PATIENT_CLAIMED);
    assert_int_equal(world.receipt.key_count, 3);  // and the place of the one
    assert_int_equal(find_patient(DOE).events, 2); // enrolled, merged
}

CASE(merge_needs_an_organisation_and_the_patient_or_another)
{
    enrol_doe(DOE);
    struct world_tx tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(PATIENT_CLAIMED);
    world_cosign(&tx, DOCTOR_A); // of an organisation that treats, but does not speak for it
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = merge(GATEWAY_A, ORG_A, DOE, PATIENT_CLAIMED); // does not treat the one that ends
    world_cosign(&tx, WALLET_CLAIMED);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(DOE);
    tx = merge(WALLET_CLAIMED, 0, DOE, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_ROLE);
    // One organisation that treats both is no two.
    enrol_doe(DOE + 1);
    tx = merge(GATEWAY_B, ORG_B, DOE, DOE + 1);
    world_cosign(&tx, ADMIN_B);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    world_cosign(&tx, GATEWAY_A);
    assert_applied(&tx);
    assert_leads(DOE, PATIENT_CLAIMED, 1);
    // Whichever of them answers.
    tx = merge(GATEWAY_A, ORG_A, DOE + 1, PATIENT_CLAIMED);
    world_cosign(&tx, ADMIN_B);
    assert_applied(&tx);
    assert_leads(DOE + 1, PATIENT_CLAIMED, 1);
}

CASE(merge_keeps_its_rules)
{
    enrol_doe(DOE);
    struct world_tx tx = merge(GATEWAY_B, ORG_B, DOE, DOE);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("into_id");
    tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    assert_detail(PATIENT_NONE);
    tx = merge(GATEWAY_B, ORG_B, PATIENT_NONE, DOE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = merge(GATEWAY_A, ORG_A, PATIENT_CLAIMED, DOE); // a key is not taken away
    world_cosign(&tx, GATEWAY_B);
    assert_refused(&tx, SY_E_PATIENT_CLAIMED);
    assert_detail(PATIENT_CLAIMED);
    merge_doe();
    tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    assert_detail(PATIENT_CLAIMED);
    enrol_doe(DOE + 1);
    tx = merge(GATEWAY_B, ORG_B, DOE + 1, DOE); // into one that has ended: no ring
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    assert_detail(PATIENT_CLAIMED);
}

/* Merges DOE + i into DOE + i + 1, all of them B's, with A treating all, too. */
CASE(merges_go_on_and_have_an_end)
{
    for (unsigned i = 0; i < SY_MERGES_MAX + 2; i++) {
        enrol_doe(DOE + i);
        struct world_tx care = world_open_care(GATEWAY_A, ORG_A, CARE_B + i, DOE + i);
        care.payload.care_open.reason = SY_CARE_REFERRAL;
        assert_applied(&care);
    }
    for (unsigned i = 0; i < SY_MERGES_MAX; i++) {
        struct world_tx tx = merge(GATEWAY_B, ORG_B, DOE + i, DOE + i + 1);
        world_cosign(&tx, GATEWAY_A);
        assert_applied(&tx);
        assert_leads(DOE + i, DOE + i + 1, i + 1);
    }
    struct world_tx tx = merge(GATEWAY_B, ORG_B, DOE + SY_MERGES_MAX, DOE + SY_MERGES_MAX + 1);
    world_cosign(&tx, GATEWAY_A);
    assert_refused(&tx, SY_E_MERGES);
    assert_int_equal(world.receipt.detail, SY_MERGES_MAX);
    tx = merge(GATEWAY_B, ORG_B, DOE + SY_MERGES_MAX + 1, DOE + SY_MERGES_MAX); // the other way
    world_cosign(&tx, GATEWAY_A);
    assert_applied(&tx);
    assert_leads(DOE + SY_MERGES_MAX + 1, DOE + SY_MERGES_MAX, SY_MERGES_MAX);
    tx = world_record(GATEWAY_B, SY_ROLE_GATEWAY, ORG_B, RECORD_DOE, DOE);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    assert_detail(DOE + SY_MERGES_MAX); // at the end of it
}

CASE(nothing_new_is_written_under_an_id_that_ended)
{
    enrol_doe(DOE);
    merge_doe();
    struct world_tx issue = world_issue(&world, ADMIN_B, ORG_B, SY_ROLE_DOCTOR, KEEN_DOCTOR);
    issue.payload.cred_issue.has_break_glass = true;
    issue.payload.cred_issue.break_glass = true;
    assert_applied(&issue);
    struct world_tx txs[7];
    txs[0] = world_record(GATEWAY_B, SY_ROLE_GATEWAY, ORG_B, RECORD_DOE, DOE);
    txs[1] = world_open_care(GATEWAY_A, ORG_A, CARE_B, DOE);
    txs[2] = world_grant(&world, WALLET_CLAIMED, CONSENT, DOE, SY_GRANTEE_ORG, ORG_A);
    txs[3] = world_revoke(WALLET_CLAIMED, CONSENT, DOE);
    txs[4] = world_delegate(&world, GATEWAY_A, ORG_A, CONSENT + 1, DOE, CONSENT, SY_GRANTEE_KEY,
                            DOCTOR_A);
    txs[5] = world_tx_of(SY_KIND_access_breakglass, KEEN_DOCTOR, ORG_B);
    txs[5].payload.access_breakglass.break_id = test_hash(CONSENT);
    txs[5].payload.access_breakglass.patient_id = test_hash(DOE);
    txs[5].payload.access_breakglass.reason = SY_BREAK_LIFE;
    txs[6] = world_tx_of(SY_KIND_patient_claim, GATEWAY_B, ORG_B);
    txs[6].payload.patient_claim.patient_id = test_hash(DOE);
    txs[6].payload.patient_claim.wallet_key = test_public(FRESH_KEY);
    world_cosign(&txs[6], FRESH_KEY);
    for (size_t i = 0; i < sizeof txs / sizeof txs[0]; i++) {
        assert_refused(&txs[i], SY_E_PATIENT_MERGED);
        assert_detail(PATIENT_CLAIMED);
    }
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, DOE); // nor is it given to anybody else
    assert_refused(&tx, SY_E_PATIENT_EXISTS);
}

CASE(records_under_both_ids_are_the_patients)
{
    enrol_doe(DOE);
    struct world_tx tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, RECORD_DOE, DOE);
    assert_applied(&tx);
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD_DOE, 1);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    merge_doe();
    // Who wrote it keeps it right; the patient is told, and counts on without a gap.
    uint64_t events = find_patient(PATIENT_CLAIMED).events;
    tx = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, RECORD_DOE, 1);
    assert_applied(&tx);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash patient = test_hash(PATIENT_CLAIMED);
    assert_true(sy_event_decode(&r, &event));
    assert_memory_equal(event.subject.bytes, patient.bytes, 32);
    assert_int_equal(event.subject_number, events + 1);
    // A consent of the patient's reaches it.
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD_DOE, 2);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_A);
    assert_applied(&tx);
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD_DOE, 2);
    assert_applied(&tx);
    // New records link to it.
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD_KNOWN, PATIENT_CLAIMED);
    tx.payload.record_create.has_encounter = true;
    tx.payload.record_create.encounter = test_hash(RECORD_DOE);
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD_KNOWN + 1, PATIENT);
    tx.payload.record_create.has_encounter = true;
    tx.payload.record_create.encounter = test_hash(RECORD_DOE);
    assert_refused(&tx, SY_E_PATIENT_MISMATCH);
    // Treating the one that ended opens nothing of the other.
    tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, RECORD_KNOWN + 2, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_NO_CARE);
}

/* Notices, requests and logs are of the id in use; what stood under the old one is disputed there.
 */
CASE(notices_of_an_id_that_ended_are_the_patients)
{
    enrol_doe(DOE);
    struct world_tx tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, RECORD_DOE, DOE);
    assert_applied(&tx);
    merge_doe();
    tx = world_tx_of(SY_KIND_notify_prefs, WALLET_CLAIMED, 0);
    tx.payload.notify_prefs.patient_id = test_hash(DOE);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    assert_detail(PATIENT_CLAIMED);
    tx = world_tx_of(SY_KIND_access_request, DOCTOR_A, ORG_A);
    tx.payload.access_request.patient_id = test_hash(DOE);
    tx.payload.access_request.actions = SY_SET_BIT(SY_ACTION_READ);
    tx.payload.access_request.purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    tx = world_tx_of(SY_KIND_sub_create, GATEWAY_B, ORG_B);
    tx.payload.sub_create.patient_id = test_hash(DOE);
    tx.payload.sub_create.purpose = SY_PURPOSE_TREATMENT;
    tx.payload.sub_create.from_number = 1;
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    tx = world_tx_of(SY_KIND_notify_dispute, WALLET_CLAIMED, 0);
    tx.payload.notify_dispute.dispute_id = test_hash(CONSENT);
    tx.payload.notify_dispute.patient_id = test_hash(PATIENT_CLAIMED);
    tx.payload.notify_dispute.number = 1;
    tx.payload.notify_dispute.reason = SY_DISPUTE_WRONG;
    tx.payload.notify_dispute.has_record_id = true;
    tx.payload.notify_dispute.record_id = test_hash(RECORD_DOE);
    assert_applied(&tx);
}

static void enrol_guarded_doe(void)
{
    struct sy_public_key key = test_public(GUARDIAN);
    struct sy_hash guardian;
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    enrol_with_wallet(FRESH_ID + 501, GUARDIAN);
    memcpy(guardian.bytes, key.bytes, sizeof guardian.bytes);
    struct world_tx tx = world_enrol(GATEWAY_B, ORG_B, DOE);
    tx.payload.patient_enrol.guardian_needed = 1;
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &w, &guardian);
    assert_applied(&tx);
}

CASE(merge_takes_nothing_from_guardians)
{
    enrol_guarded_doe();
    struct world_tx deny = world_deny(&world, GUARDIAN, CONSENT, DOE, SY_GRANTEE_ORG, ORG_A);
    assert_applied(&deny);
    struct world_tx tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(DOE);
    world_cosign(&tx, GUARDIAN);
    assert_refused(&tx, SY_E_MERGE_CONSENT); // what is forbidden does not open by a merge
    assert_detail(CONSENT);
    struct world_tx revoke = world_revoke(GUARDIAN, CONSENT, DOE);
    assert_applied(&revoke);
    assert_applied(&tx);
    assert_leads(DOE, PATIENT_CLAIMED, 1);
}

/* What the guardian said of an id that ends: research is as shut as before. */
CASE(merge_takes_an_opt_out_along)
{
    struct sy_contribution said;
    struct sy_hash key_hash, into = test_hash(PATIENT_CLAIMED);
    struct sy_slice value;
    enrol_guarded_doe();
    struct world_tx tx = world_tx_of(SY_KIND_contribute_optin, WALLET_CLAIMED, 0);
    tx.payload.contribute_optin.patient_id = into;
    tx.payload.contribute_optin.genetic = true;
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_contribute_optout, GUARDIAN, 0);
    tx.payload.contribute_optout.patient_id = test_hash(DOE);
    tx.payload.contribute_optout.genetic = true;
    assert_applied(&tx);
    tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    world_cosign(&tx, GUARDIAN);
    assert_applied(&tx);
    sy_state_key_id(&key_hash, SY_STATE_CONTRIBUTION, &into);
    assert_true(world_find(&world, &value, &key_hash) && sy_contribution_decode(&said, value));
    assert_false(said.in);
    assert_true(said.genetic);
    assert_int_equal(said.classes.count, 0);
    assert_int_equal(said.times, 2);
}

CASE(merge_passes_over_what_is_over)
{
    enrol_guarded_doe();
    struct world_tx deny = world_deny(&world, GUARDIAN, CONSENT, DOE, SY_GRANTEE_ORG, ORG_A);
    deny.payload.consent_deny.until = world.header.time_ms + 1500;
    assert_applied(&deny);
    struct world_tx tx = merge(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    world_cosign(&tx, GUARDIAN);
    assert_applied(&tx); // a second later
}

CASE(guardians_agree_for_whom_they_speak_for)
{
    enrol_guarded_doe();
    struct world_tx tx = merge(GATEWAY_A, ORG_A, PATIENT, DOE); // into theirs
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    world_cosign(&tx, GUARDIAN);
    assert_applied(&tx);
    assert_leads(PATIENT, DOE, 1);
}

CASE(links_stand_on_both_and_open_nothing)
{
    enrol_doe(DOE);
    struct world_tx tx = link(GATEWAY_B, ORG_B, DOE, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    assert_told_both(SY_EVENT_PATIENT_LINKED, DOE, PATIENT_CLAIMED);
    struct sy_patient found = find_patient(DOE);
    struct sy_hash id;
    size_t offset = 0;
    assert_false(found.merged);
    assert_int_equal(found.links.count, 1);
    assert_true(sy_list_next_id(&found.links, &offset, &id));
    struct sy_hash known = test_hash(PATIENT_CLAIMED);
    assert_memory_equal(id.bytes, known.bytes, 32);
    assert_int_equal(find_patient(PATIENT_CLAIMED).links.count, 1);
    tx = link(GATEWAY_A, ORG_A, PATIENT_CLAIMED, DOE); // the same, whoever says it
    world_cosign(&tx, GATEWAY_B);
    assert_refused(&tx, SY_E_LINKED);
    tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, RECORD_DOE, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_NO_CARE);
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT, DOE, SY_GRANTEE_ORG, ORG_A);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    merge_doe(); // and may be merged all the same
}

CASE(links_keep_their_rules)
{
    struct world_tx tx = link(GATEWAY_A, ORG_A, PATIENT, PATIENT);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("other_id");
    tx = link(GATEWAY_A, ORG_A, PATIENT, PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    enrol_doe(DOE);
    enrol_doe(DOE + 1);
    tx = link(GATEWAY_A, ORG_A, DOE, DOE + 1); // treats neither
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(DOE);
    for (unsigned i = 0; i < SY_LINKS_MAX + 1; i++) {
        if (i > 0) enrol_doe(DOE + 10 + i);
        tx = link(GATEWAY_B, ORG_B, i > 0 ? DOE + 10 + i : DOE, PATIENT_CLAIMED);
        world_cosign(&tx, WALLET_CLAIMED);
        if (i < SY_LINKS_MAX) assert_applied(&tx);
    }
    assert_refused(&tx, SY_E_LINKS);
    assert_int_equal(world.receipt.detail, SY_LINKS_MAX);
    assert_int_equal(find_patient(DOE + 10 + SY_LINKS_MAX).links.count, 0); // half is none
    merge_doe();
    tx = link(GATEWAY_B, ORG_B, DOE, DOE + 1);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(merge_ends_an_id_and_tells_both),
        WITH_WORLD(merge_needs_an_organisation_and_the_patient_or_another),
        WITH_WORLD(merge_keeps_its_rules),
        WITH_WORLD(merges_go_on_and_have_an_end),
        WITH_WORLD(nothing_new_is_written_under_an_id_that_ended),
        WITH_WORLD(records_under_both_ids_are_the_patients),
        WITH_WORLD(notices_of_an_id_that_ended_are_the_patients),
        WITH_WORLD(merge_takes_nothing_from_guardians),
        WITH_WORLD(merge_takes_an_opt_out_along),
        WITH_WORLD(merge_passes_over_what_is_over),
        WITH_WORLD(guardians_agree_for_whom_they_speak_for),
        WITH_WORLD(links_stand_on_both_and_open_nothing),
        WITH_WORLD(links_keep_their_rules),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
