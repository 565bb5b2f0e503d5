/* What joins versions and records: merges, contributions, cosignatures, reports of duplicates. */
#include "tests/unit/record_rig.h"

// --- record.merge ------------------------------------------------------------------------------

CASE(merge_joins_the_branches_of_two_hospitals)
{
    branch_twice(FRESH_ID);
    struct world_tx tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "23");
    assert_applied(&tx);
    struct sy_record record = find_record(FRESH_ID);
    assert_int_equal(record.versions, 4);
    assert_int_equal(record.head_count, 1);
    assert_int_equal(record.heads[0], 4);
    struct sy_record_version version = find_version(FRESH_ID, 4);
    assert_int_equal(version.parent, 2);
    assert_int_equal(version.other_count, 1);
    assert_int_equal(version.others[0], 3);
    assert_int_equal(version.author_role, SY_ROLE_DOCTOR);
    assert_int_equal(version.height, world.header.height);
    struct sy_hash resolution = tx.payload.record_merge.resolution_hash;
    assert_memory_equal(version.resolution_hash.bytes, resolution.bytes, 32);
    assert_told(SY_EVENT_RECORD_MERGED, PATIENT_CLAIMED, FRESH_ID);
    assert_int_equal(world.receipt.key_count, 3); // record, version, the patient's counter
    // Nothing is lost, and the joined version goes on like any head.
    assert_int_equal(find_version(FRESH_ID, 3).parent, 1);
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 4);
    assert_applied(&tx);
    assert_int_equal(find_version(FRESH_ID, 5).other_count, 0);
}

CASE(merge_names_heads_in_any_order_and_leaves_the_others)
{
    create(FRESH_ID);
    struct world_tx amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    for (unsigned i = 0; i < 4; i++) {
        assert_applied(&amend);
        amend.payload.record_amend.branch = true;
    }
    struct world_tx tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "532");
    assert_applied(&tx);
    struct sy_record record = find_record(FRESH_ID);
    assert_int_equal(record.head_count, 2);
    assert_int_equal(record.heads[0], 4);
    assert_int_equal(record.heads[1], 6);
    struct sy_record_version version = find_version(FRESH_ID, 6);
    assert_int_equal(version.parent, 2);
    assert_int_equal(version.other_count, 2);
    assert_int_equal(version.others[0], 3);
    assert_int_equal(version.others[1], 5);
    tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "64");
    assert_applied(&tx);
    assert_int_equal(find_record(FRESH_ID).head_count, 1);
}

CASE(merge_joins_as_many_heads_as_a_record_may_have)
{
    create(FRESH_ID);
    struct world_tx amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    for (unsigned i = 0; i < SY_RECORD_HEADS_MAX; i++) {
        assert_applied(&amend);
        amend.payload.record_amend.branch = true;
    }
    struct world_tx tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "23456789");
    assert_applied(&tx);
    assert_int_equal(find_version(FRESH_ID, 10).other_count, SY_RECORD_HEADS_MAX - 1);
    assert_int_equal(find_record(FRESH_ID).head_count, 1);
}

CASE(merge_joins_current_heads_only)
{
    branch_twice(FRESH_ID);
    static const char *const wrong[] = {"12", "34", "234", "29"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct world_tx tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, wrong[i]);
        assert_refused(&tx, SY_E_STALE_HEAD);
        assert_path("heads");
        assert_int_equal(world.receipt.detail, 3);
    }
    struct world_tx tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "22");
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("heads[1]");
    tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "2");
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("heads");
    tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "23");
    assert_applied(&tx);
    assert_refused(&tx, SY_E_STALE_HEAD); // joined before: there is one head now
    assert_int_equal(world.receipt.detail, 4);
}

CASE(merge_is_for_doctors_who_may_amend)
{
    branch_twice(FRESH_ID);
    struct world_tx tx = world_merge(&world, NURSE_A, ORG_A, FRESH_ID, "23");
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail & SY_ROLE_BIT(SY_ROLE_NURSE), 0);
    tx = world_merge(&world, GATEWAY_A, ORG_A, FRESH_ID, "23"); // who names a nurse
    tx.payload.record_merge.has_author = true;
    tx.payload.record_merge.author = test_public(NURSE_A);
    tx.payload.record_merge.author_role = SY_ROLE_NURSE;
    assert_refused(&tx, SY_E_ROLE);
    assert_path("author_role");
    tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID + 1, "23");
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    assert_detail(FRESH_ID + 1);
    // B's doctor is let in by the patient, until that is taken back.
    struct world_tx revoke = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&revoke);
    tx = world_merge(&world, DOCTOR_B, ORG_B, FRESH_ID, "23");
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    struct world_tx deny =
        world_deny(&world, WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&deny);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(CONSENT + 1);
    revoke = world_revoke(WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED);
    assert_applied(&revoke);
    struct world_tx grant = grant_b(CONSENT + 2);
    assert_applied(&grant);
    assert_applied(&tx);
    struct sy_hash org = test_hash(ORG_B);
    assert_memory_equal(find_version(FRESH_ID, 4).holder.bytes, org.bytes, 32);
}

CASE(merge_judges_size_and_state_like_amend)
{
    branch_twice(FRESH_ID);
    struct world_tx tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "23");
    tx.payload.record_merge.size = world.genesis.params.record_bytes_max + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("size");
    struct world_tx retract = world_retract(DOCTOR_A, ORG_A, FRESH_ID);
    assert_applied(&retract);
    tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "23");
    assert_refused(&tx, SY_E_RECORD_STATE);
}

CASE(merge_of_a_patients_own_record_is_the_patients)
{
    struct world_tx tx =
        world_record(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID, PATIENT_CLAIMED);
    tx.payload.record_create.patient_reported = true;
    assert_applied(&tx);
    struct world_tx amend = world_amend(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID, 1);
    assert_applied(&amend);
    amend.payload.record_amend.branch = true;
    assert_applied(&amend);
    tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "23"); // A treats, and no more
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = world_merge(&world, WALLET_CLAIMED, 0, FRESH_ID, "23");
    tx.payload.record_merge.author_role = SY_ROLE_PATIENT;
    assert_applied(&tx);
    assert_true(find_version(FRESH_ID, 4).patient_reported);
}

// --- record.contribute -------------------------------------------------------------------------

CASE(contribute_links_records_of_several_organisations)
{
    create(FRESH_ID);
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
    struct world_tx tx =
        world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, FRESH_ID, FRESH_ID + 1);
    tx.payload.record_contribute.relation = SY_RELATION_APPENDS;
    assert_applied(&tx);
    assert_told(SY_EVENT_RECORD_LINKED, PATIENT_CLAIMED, FRESH_ID + 2);
    struct sy_record record = find_record(FRESH_ID + 2);
    struct sy_hash org = test_hash(ORG_B), id = test_hash(FRESH_ID + 2), parent;
    assert_memory_equal(record.holder.bytes, org.bytes, 32);
    assert_int_equal(record.relation, SY_RELATION_APPENDS);
    assert_int_equal(record.parents.count, 2);
    size_t offset = 0;
    assert_true(sy_list_next_id(&record.parents, &offset, &parent));
    struct sy_hash first = test_hash(FRESH_ID);
    assert_memory_equal(parent.bytes, first.bytes, 32);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(find_record(FRESH_ID + i).links, 1);
        struct sy_record_link link = find_link(FRESH_ID + i, 1);
        assert_int_equal(link.relation, SY_RELATION_APPENDS);
        assert_memory_equal(link.other.bytes, id.bytes, 32);
        assert_int_equal(link.height, world.header.height);
    }
    // Another child, and children of children; the first one's stay in their places.
    tx = contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 3, FRESH_ID, FRESH_ID + 2);
    assert_applied(&tx);
    assert_int_equal(find_record(FRESH_ID).links, 2);
    struct sy_hash third = test_hash(FRESH_ID + 3);
    struct sy_record_link second = find_link(FRESH_ID, 2), still = find_link(FRESH_ID, 1);
    assert_memory_equal(second.other.bytes, third.bytes, 32);
    assert_memory_equal(still.other.bytes, id.bytes, 32);
    // And what it says of the parents is no amendment of theirs.
    assert_int_equal(find_record(FRESH_ID).versions, 1);
}

CASE(contribute_needs_parents_of_the_same_patient)
{
    create(FRESH_ID);
    struct world_tx other = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT);
    assert_applied(&other);
    struct world_tx directory =
        world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID + 2, PATIENT);
    directory.payload.record_create.subject_kind = SY_SUBJECT_ORG;
    directory.payload.record_create.subject = test_hash(ORG_A);
    assert_applied(&directory);
    static const struct {
        unsigned parent;
        enum sy_refusal code;
    } cases[] = {{FRESH_ID + 1, SY_E_PATIENT_MISMATCH},
                 {FRESH_ID + 2, SY_E_PATIENT_MISMATCH},
                 {FRESH_ID + 50, SY_E_RECORD_UNKNOWN},
                 {FRESH_ID + 9, SY_E_RECORD_UNKNOWN}, // itself
                 {FRESH_ID, SY_E_SCHEMA}};            // twice
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world_tx tx =
            contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 9, FRESH_ID, cases[i].parent);
        assert_refused(&tx, cases[i].code);
        if (cases[i].code != SY_E_SCHEMA) assert_detail(cases[i].parent);
    }
    struct world_tx tx = contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 9, 0, 0);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("parents");
    assert_int_equal(find_record(FRESH_ID).links, 0);
    tx = contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, FRESH_ID, 0);
    assert_refused(&tx, SY_E_RECORD_EXISTS);
}

CASE(contribute_is_judged_like_create)
{
    create(FRESH_ID);
    struct world_tx tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, FRESH_ID, 0);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    tx.payload.record_contribute.patient_id = test_hash(PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = contribute(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID + 1, FRESH_ID, 0);
    tx.payload.record_contribute.class = sy_slice_of("MedicationRequest", 17);
    assert_refused(&tx, SY_E_ROLE);
    assert_path("class");
    tx = contribute(GATEWAY_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, FRESH_ID, 0);
    tx.payload.record_contribute.has_author = true;
    tx.payload.record_contribute.author = test_public(DOCTOR_B);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx.payload.record_contribute.author = test_public(DOCTOR_A);
    tx.payload.record_contribute.size = world.genesis.params.record_bytes_max + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    tx.payload.record_contribute.size = 100;
    assert_applied(&tx);
    tx = contribute(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID + 2, FRESH_ID, 0);
    assert_refused(&tx, SY_E_ROLE);
    tx.payload.record_contribute.patient_reported = true;
    assert_applied(&tx); // the patient says something of what A registered
    struct world_tx deny = deny_a(CONSENT);
    assert_applied(&deny);
    tx = contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 3, FRESH_ID, 0);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(CONSENT);
}

/* B may write of the patient; a record of A's is another matter. */
CASE(contribute_needs_to_read_parents_and_to_amend_what_it_replaces)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT_CLAIMED);
    tx.payload.record_create.has_sens_tag = true;
    memset(tx.payload.record_create.sens_tag.bytes, 7, 16);
    assert_applied(&tx);
    create(FRESH_ID + 1);
    struct world_tx care = world_open_care(GATEWAY_B, ORG_B, FRESH_ID + 90, PATIENT_CLAIMED);
    assert_applied(&care);
    tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, FRESH_ID, 0);
    assert_refused(&tx, SY_E_NO_CARE); // the label keeps it from who treats
    tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, FRESH_ID + 1, 0);
    tx.payload.record_contribute.relation = SY_RELATION_REPLACES;
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    for (unsigned relation = SY_RELATION_DERIVED; relation <= SY_RELATION_SIGNS; relation++) {
        if (relation == SY_RELATION_REPLACES) continue;
        tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 10 + relation, FRESH_ID + 1, 0);
        tx.payload.record_contribute.relation = (uint16_t)relation;
        assert_applied(&tx);
    }
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
    tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, FRESH_ID + 1, 0);
    tx.payload.record_contribute.relation = SY_RELATION_REPLACES;
    assert_applied(&tx);
    tx.payload.record_contribute.relation = 6;
    tx.payload.record_contribute.record_id = test_hash(FRESH_ID + 3);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("relation");
}

/* A consent to write alone does not let B say something of what it may not read. */
CASE(contribute_reads_by_the_consents_that_stand)
{
    create(FRESH_ID);
    struct world_tx grant = grant_b(CONSENT);
    grant.payload.consent_grant.actions = SY_SET_BIT(SY_ACTION_WRITE);
    assert_applied(&grant);
    struct world_tx tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, FRESH_ID, 0);
    assert_refused(&tx, SY_E_NO_CARE);
    grant = grant_b(CONSENT + 1);
    grant.payload.consent_grant.actions = SY_SET_BIT(SY_ACTION_READ);
    grant.payload.consent_grant.until = world.header.time_ms + 4 * world.step_ms;
    assert_applied(&grant);
    assert_applied(&tx);
    world.step_ms *= 10;
    tx = contribute(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, FRESH_ID, 0);
    assert_refused(&tx, SY_E_CONSENT_EXPIRED);
    assert_detail(CONSENT + 1);
}

// --- record.cosign -----------------------------------------------------------------------------

CASE(cosign_keeps_who_signed_as_what)
{
    create(FRESH_ID);
    struct world_tx tx = cosign(NURSE_A, ORG_A, FRESH_ID, 1, SY_COSIGN_VERIFIER);
    assert_applied(&tx);
    assert_told(SY_EVENT_RECORD_SIGNED, PATIENT_CLAIMED, FRESH_ID);
    tx = cosign(LAB_A, ORG_A, FRESH_ID, 1, SY_COSIGN_LEGAL);
    assert_applied(&tx);
    struct sy_cosignatures list = find_cosignatures(FRESH_ID, 1);
    struct sy_public_key nurse = test_public(NURSE_A);
    struct sy_hash org = test_hash(ORG_A);
    assert_int_equal(list.count, 2);
    assert_memory_equal(list.items[0].key.bytes, nurse.bytes, 32);
    assert_memory_equal(list.items[0].holder.bytes, org.bytes, 32);
    assert_int_equal(list.items[0].role, SY_ROLE_NURSE);
    assert_int_equal(list.items[0].meaning, SY_COSIGN_VERIFIER);
    assert_int_equal(list.items[1].meaning, SY_COSIGN_LEGAL);
    assert_int_equal(list.items[1].height, world.header.height);
    assert_int_equal(list.items[1].time_ms, world.header.time_ms);
    assert_int_equal(find_record(FRESH_ID).versions, 1);
}

CASE(cosign_names_a_version_once)
{
    create(FRESH_ID);
    struct world_tx tx = cosign(NURSE_A, ORG_A, FRESH_ID, 2, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_VERSION_UNKNOWN);
    assert_int_equal(world.receipt.detail, 1);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID + 1, 1, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID, 1, SY_COSIGN_LEGAL);
    assert_applied(&tx);
    assert_refused(&tx, SY_E_COSIGNED);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID, 1, SY_COSIGN_VERIFIER); // whatever it means
    assert_refused(&tx, SY_E_COSIGNED);
    assert_int_equal(find_cosignatures(FRESH_ID, 1).count, 1);
    struct world_tx amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_applied(&amend);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID, 2, SY_COSIGN_LEGAL); // another version is another
    assert_applied(&tx);
    tx = cosign(LAB_A, ORG_A, FRESH_ID, 1, SY_COSIGN_LEGAL); // an old one may be signed, too
    assert_applied(&tx);
    assert_int_equal(find_cosignatures(FRESH_ID, 1).count, 2);
    assert_int_equal(find_cosignatures(FRESH_ID, 2).count, 1);
    struct world_tx retract = world_retract(DOCTOR_A, ORG_A, FRESH_ID);
    assert_applied(&retract);
    tx = cosign(DOCTOR_A, ORG_A, FRESH_ID, 1, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_RECORD_STATE);
}

CASE(cosign_means_what_the_signer_can_mean)
{
    create(FRESH_ID);
    struct world_tx tx = cosign(DOCTOR_A, ORG_A, FRESH_ID, 1, SY_COSIGN_VERIFIER);
    assert_refused(&tx, SY_E_SELF_VERIFIED);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID, 1, SY_COSIGN_AUTHOR);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    struct sy_public_key doctor = test_public(DOCTOR_A);
    assert_memory_equal(world.receipt.detail_hash.bytes, doctor.bytes, 32);
    tx = cosign(DOCTOR_A, ORG_A, FRESH_ID, 1, SY_COSIGN_AUTHOR);
    assert_applied(&tx);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID, 1, 4);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("meaning");
    // What the gateway registered without a name is its organisation's to own up to.
    tx = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID + 1, PATIENT_CLAIMED);
    tx.payload.record_create.class = sy_slice_of("MedicationRequest", 17);
    assert_applied(&tx);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID + 1, 1, SY_COSIGN_AUTHOR);
    assert_refused(&tx, SY_E_ROLE); // a nurse gives no orders
    assert_path("class");
    tx = cosign(DOCTOR_A, ORG_A, FRESH_ID + 1, 1, SY_COSIGN_AUTHOR);
    assert_applied(&tx);
    tx = cosign(GATEWAY_A, ORG_A, FRESH_ID + 1, 1, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_ROLE); // persons sign
}

CASE(cosign_is_for_who_may_write_of_the_patient)
{
    create(FRESH_ID);
    struct world_tx tx = cosign(DOCTOR_B, ORG_B, FRESH_ID, 1, SY_COSIGN_VERIFIER);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
    struct world_tx amend = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, 1);
    assert_applied(&amend);
    struct world_tx revoke = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&revoke);
    tx = cosign(NURSE_B, ORG_B, FRESH_ID, 2, SY_COSIGN_LEGAL); // its own version
    assert_applied(&tx);
    tx = cosign(NURSE_B, ORG_B, FRESH_ID, 1, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_NO_CARE);
    struct world_tx care = world_open_care(GATEWAY_B, ORG_B, FRESH_ID + 90, PATIENT_CLAIMED);
    assert_applied(&care);
    assert_applied(&tx); // who treats may verify what another one registered
    struct world_tx deny =
        world_deny(&world, WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&deny);
    tx = cosign(DOCTOR_B, ORG_B, FRESH_ID, 1, SY_COSIGN_VERIFIER);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(CONSENT + 1);
    // Directory entries: their organisation alone.
    tx = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID + 1, PATIENT);
    tx.payload.record_create.subject_kind = SY_SUBJECT_ORG;
    tx.payload.record_create.subject = test_hash(ORG_A);
    assert_applied(&tx);
    tx = cosign(DOCTOR_B, ORG_B, FRESH_ID + 1, 1, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = cosign(DOCTOR_A, ORG_A, FRESH_ID + 1, 1, SY_COSIGN_LEGAL);
    assert_applied(&tx);
}

CASE(cosign_keeps_to_the_credentials_classes)
{
    create(FRESH_ID);
    struct world_tx issue = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_LAB, FRESH_KEY);
    sy_list_add_text(&issue.payload.cred_issue.scope, &world.lists, sy_slice_of("Claim", 5));
    assert_applied(&issue);
    struct world_tx tx = cosign(FRESH_KEY, ORG_A, FRESH_ID, 1, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_ROLE);
    assert_path("class");
}

CASE(cosign_is_done_by_sixteen_at_most)
{
    create(FRESH_ID);
    for (unsigned i = 0; i <= SY_COSIGNATURES_MAX; i++) {
        struct world_tx issue = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_NURSE, FRESH_KEY + i);
        assert_applied(&issue);
        struct world_tx tx = cosign(FRESH_KEY + i, ORG_A, FRESH_ID, 1, SY_COSIGN_VERIFIER);
        if (i < SY_COSIGNATURES_MAX) {
            assert_applied(&tx);
            continue;
        }
        assert_refused(&tx, SY_E_COSIGNATURES);
        assert_int_equal(world.receipt.detail, SY_COSIGNATURES_MAX);
    }
    assert_int_equal(find_cosignatures(FRESH_ID, 1).count, SY_COSIGNATURES_MAX);
}

// --- record.dup_report -------------------------------------------------------------------------

CASE(dup_report_links_both_and_keeps_both)
{
    create(FRESH_ID);
    create(FRESH_ID + 1);
    struct world_tx tx = dup_report(DOCTOR_A, ORG_A, FRESH_ID, FRESH_ID + 1);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_told(SY_EVENT_RECORD_DUPLICATE, PATIENT_CLAIMED, FRESH_ID);
    struct sy_hash ids[] = {test_hash(FRESH_ID), test_hash(FRESH_ID + 1)}, key_hash;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(find_record(FRESH_ID + i).links, 1);
        assert_false(find_record(FRESH_ID + i).retracted);
        struct sy_record_link link = find_link(FRESH_ID + i, 1);
        assert_int_equal(link.relation, SY_LINK_DUPLICATE);
        assert_memory_equal(link.other.bytes, ids[1 - i].bytes, 32);
    }
    struct sy_slice value;
    struct sy_duplicate duplicate;
    struct sy_public_key reporter = test_public(DOCTOR_A);
    sy_state_key_duplicate(&key_hash, &ids[1], &ids[0]);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_duplicate_decode(&duplicate, value));
    assert_memory_equal(duplicate.reporter.bytes, reporter.bytes, 32);
    assert_int_equal(duplicate.height, world.header.height);
    assert_refused(&tx, SY_E_DUPLICATE);
    tx = dup_report(NURSE_A, ORG_A, FRESH_ID + 1, FRESH_ID); // the other way round is the same
    assert_refused(&tx, SY_E_DUPLICATE);
    assert_int_equal(find_record(FRESH_ID).links, 1);
}

CASE(dup_report_is_about_two_records_of_one_subject)
{
    create(FRESH_ID);
    struct world_tx other = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT);
    assert_applied(&other);
    struct world_tx tx = dup_report(DOCTOR_A, ORG_A, FRESH_ID, FRESH_ID + 1);
    assert_refused(&tx, SY_E_PATIENT_MISMATCH);
    tx = dup_report(DOCTOR_A, ORG_A, FRESH_ID, FRESH_ID);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("other_id");
    tx = dup_report(DOCTOR_A, ORG_A, FRESH_ID, FRESH_ID + 2);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    assert_detail(FRESH_ID + 2);
    tx = dup_report(DOCTOR_A, ORG_A, FRESH_ID + 2, FRESH_ID);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
}

CASE(dup_report_is_by_a_holder_who_reads_both_or_the_patient)
{
    create(FRESH_ID);
    create(FRESH_ID + 1);
    struct world_tx care = world_open_care(GATEWAY_B, ORG_B, FRESH_ID + 90, PATIENT_CLAIMED);
    assert_applied(&care);
    struct world_tx tx = dup_report(DOCTOR_B, ORG_B, FRESH_ID, FRESH_ID + 1);
    assert_refused(&tx, SY_E_NOT_AUTHOR); // it treats, and holds neither
    assert_detail(ORG_A);
    tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = dup_report(ADMIN_B, ORG_B, FRESH_ID, FRESH_ID + 2);
    assert_applied(&tx);
    struct world_tx deny =
        world_deny(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&deny);
    tx = dup_report(DOCTOR_B, ORG_B, FRESH_ID + 1, FRESH_ID + 2);
    assert_refused(&tx, SY_E_CONSENT);
    tx = dup_report(WALLET_CLAIMED, 0, FRESH_ID + 1, FRESH_ID + 2);
    assert_applied(&tx);
    struct world_tx wallet = world_enrol(GATEWAY_A, ORG_A, PATIENT_NONE);
    wallet.payload.patient_enrol.has_wallet_key = true;
    wallet.payload.patient_enrol.wallet_key = test_public(FRESH_KEY);
    world_cosign(&wallet, FRESH_KEY);
    assert_applied(&wallet);
    tx = dup_report(FRESH_KEY, 0, FRESH_ID, FRESH_ID + 1); // another patient
    assert_refused(&tx, SY_E_NOT_AUTHOR);
}

// --- what a receipt can name -------------------------------------------------------------------

/* An atomic transaction whose parts would change more entries than a receipt has room for. */
CASE(transactions_change_no_more_than_a_receipt_names)
{
    enum { PARENTS = 700 * SY_RECORD_PARENTS_MAX };
    for (unsigned done = 0; done < PARENTS;) {
        for (unsigned i = 0; i < 2000 && done < PARENTS; i++, done++) {
            struct world_tx tx =
                world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, 20000 + done, PATIENT_CLAIMED);
            assert_true(world_add(&world, &tx));
        }
        world_run(&world);
    }
    for (unsigned fits = 0; fits < 2; fits++) {
        struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
        // Each: a record, its place and 8 links; and the parents, the patient.
        unsigned parts = fits ? 1080 : 1300;
        world.lists.used = 0;
        static uint8_t room[1 << 20];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        for (unsigned i = 0; i < parts; i++) {
            struct world_tx part =
                contribute(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, 40000 + 2000 * fits + i, 0, 0);
            unsigned first = i * SY_RECORD_PARENTS_MAX % PARENTS;
            for (unsigned k = 0; k < SY_RECORD_PARENTS_MAX; k++) {
                struct sy_hash id = test_hash(20000 + first + k);
                sy_list_add_id(&part.payload.record_contribute.parents, &w, &id);
            }
            world_part(&world, &tx, SY_KIND_record_contribute, 0, &part.payload);
        }
        enum sy_refusal code = world_submit(&world, &tx);
        if (fits) {
            assert_int_equal(code, SY_APPLIED);
            assert_true(world.receipt.key_count <= SY_RECEIPT_KEYS_MAX);
            continue;
        }
        assert_int_equal(code, SY_E_KEYS);
        assert_int_equal(world.receipt.detail, SY_RECEIPT_KEYS_MAX);
        assert_int_equal(world.receipt.event_count, 0);
        assert_int_equal(find_record(20000).links, 0); // nothing of it happened
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(merge_joins_the_branches_of_two_hospitals),
        WITH_WORLD(merge_names_heads_in_any_order_and_leaves_the_others),
        WITH_WORLD(merge_joins_as_many_heads_as_a_record_may_have),
        WITH_WORLD(merge_joins_current_heads_only),
        WITH_WORLD(merge_is_for_doctors_who_may_amend),
        WITH_WORLD(merge_judges_size_and_state_like_amend),
        WITH_WORLD(merge_of_a_patients_own_record_is_the_patients),
        WITH_WORLD(contribute_links_records_of_several_organisations),
        WITH_WORLD(contribute_needs_parents_of_the_same_patient),
        WITH_WORLD(contribute_is_judged_like_create),
        WITH_WORLD(contribute_needs_to_read_parents_and_to_amend_what_it_replaces),
        WITH_WORLD(contribute_reads_by_the_consents_that_stand),
        WITH_WORLD(cosign_keeps_who_signed_as_what),
        WITH_WORLD(cosign_names_a_version_once),
        WITH_WORLD(cosign_means_what_the_signer_can_mean),
        WITH_WORLD(cosign_is_for_who_may_write_of_the_patient),
        WITH_WORLD(cosign_keeps_to_the_credentials_classes),
        WITH_WORLD(cosign_is_done_by_sixteen_at_most),
        WITH_WORLD(dup_report_links_both_and_keeps_both),
        WITH_WORLD(dup_report_is_about_two_records_of_one_subject),
        WITH_WORLD(dup_report_is_by_a_holder_who_reads_both_or_the_patient),
        WITH_WORLD(transactions_change_no_more_than_a_receipt_names),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
