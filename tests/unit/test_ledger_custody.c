/* custody.move: who may hand a record over and take it, what has to be shown, and what follows. */
#include "tests/unit/consent_rig.h"

enum { RECORD = FRESH_ID + 100 };

static struct sy_record find_record(unsigned number)
{
    struct sy_hash id = test_hash(number), key_hash;
    struct sy_slice value;
    struct sy_record record;
    sy_state_key_id(&key_hash, SY_STATE_RECORD, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_record_decode(&record, value));
    return record;
}

/* A record of A's, and (let: true) a grant that lets B write. */
static void create(unsigned number, bool let)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, number, PATIENT_CLAIMED);
    assert_applied(&tx);
    if (!let) return;
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
}

/* A hands over to B, whose gateway signs that it has the first version's content. */
static struct world_tx move(unsigned number)
{
    struct world_tx tx = world_tx_of(SY_KIND_custody_move, GATEWAY_A, ORG_A);
    tx.payload.custody_move.record_id = test_hash(number);
    tx.payload.custody_move.org_id = test_hash(ORG_B);
    tx.payload.custody_move.version = 1;
    tx.payload.custody_move.commit = find_record(number).first.commit;
    world_cosign(&tx, GATEWAY_B);
    return tx;
}

CASE(a_record_moves_and_the_patient_is_told)
{
    create(RECORD, true);
    struct world_tx tx = move(RECORD);
    assert_applied(&tx);
    struct sy_hash b = test_hash(ORG_B), a = test_hash(ORG_A), record_id = test_hash(RECORD);
    struct sy_record record = find_record(RECORD);
    assert_memory_equal(record.holder.bytes, b.bytes, 32);
    assert_memory_equal(record.first.holder.bytes, a.bytes, 32); // who wrote it stays
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event) && sy_reader_done(&r));
    assert_int_equal(event.kind, SY_EVENT_CUSTODY_MOVED);
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_memory_equal(event.object.bytes, record_id.bytes, 32);
    // B keeps it right from now on, whatever is denied, and A does so no more.
    struct world_tx revoke = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&revoke);
    struct world_tx deny = deny_a(CONSENT + 1);
    assert_applied(&deny);
    struct world_tx amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, 1);
    assert_refused(&amend, SY_E_CONSENT);
    amend = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, RECORD, 1);
    assert_applied(&amend);
    tx = move(RECORD);
    assert_refused(&tx, SY_E_CUSTODY); // it is there
    assert_detail(RECORD);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_NOT_CUSTODIAN);
    assert_detail(ORG_B);
}

CASE(only_who_keeps_it_hands_it_over)
{
    create(RECORD, true);
    struct world_tx tx = move(RECORD);
    tx.keys[0] = GATEWAY_B;
    tx.key_count = 1;
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_CUSTODIAN);
    assert_detail(ORG_A);
    tx = move(RECORD);
    tx.keys[0] = DOCTOR_A; // then B's gateway answers for it
    assert_refused(&tx, SY_E_NOT_CUSTODIAN);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_ROLE);
    tx = move(RECORD);
    tx.payload.custody_move.record_id = test_hash(RECORD + 1);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    assert_detail(RECORD + 1);
}

CASE(who_takes_it_has_to_sign_and_to_be_let_in)
{
    create(RECORD, false);
    struct world_tx tx = move(RECORD);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
    tx = move(RECORD);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(ORG_B);
    tx = move(RECORD);
    tx.keys[1] = DOCTOR_B;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = move(RECORD);
    tx.payload.custody_move.org_id = test_hash(ORG_NONE);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    assert_detail(ORG_NONE);
    tx = move(RECORD);
    tx.payload.custody_move.org_id = test_hash(ORG_A);
    assert_refused(&tx, SY_E_CUSTODY);
    struct world_tx deny =
        world_deny(&world, WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&deny);
    tx = move(RECORD);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(CONSENT + 1);
}

CASE(a_grant_that_is_over_is_told)
{
    create(RECORD, false);
    struct world_tx grant = grant_b(CONSENT);
    grant.payload.consent_grant.until = world.header.time_ms + 5 * world.step_ms;
    assert_applied(&grant);
    world.step_ms *= 20;
    struct world_tx tx = move(RECORD);
    assert_refused(&tx, SY_E_CONSENT_EXPIRED);
    assert_detail(CONSENT);
}

CASE(the_content_has_to_be_the_heads)
{
    create(RECORD, true);
    struct world_tx tx = move(RECORD);
    tx.payload.custody_move.commit.bytes[0] ^= 1;
    assert_refused(&tx, SY_E_CONTENT);
    struct sy_hash first = find_record(RECORD).first.commit;
    assert_memory_equal(world.receipt.detail_hash.bytes, first.bytes, 32);
    struct world_tx amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, 1);
    amend.payload.record_amend.commit = test_hash(RECORD + 7);
    assert_applied(&amend);
    tx = move(RECORD);
    assert_refused(&tx, SY_E_STALE_HEAD);
    assert_int_equal(world.receipt.detail, 2);
    tx.payload.custody_move.version = 2; // with the first one's content
    assert_refused(&tx, SY_E_CONTENT);
    tx.payload.custody_move.version = 0;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("version");
    tx.payload.custody_move.version = 2;
    tx.payload.custody_move.commit = amend.payload.record_amend.commit;
    assert_applied(&tx);
}

CASE(a_label_is_handed_over_only_to_whom_it_is_granted)
{
    struct world_tx record = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, PATIENT_CLAIMED);
    record.payload.record_create.has_sens_tag = true;
    record.payload.record_create.sens_tag = (struct sy_tag){{7}};
    assert_applied(&record);
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
    struct world_tx tx = move(RECORD);
    assert_refused(&tx, SY_E_NO_CARE);
}

CASE(what_was_retracted_has_to_be_kept_and_moves)
{
    create(RECORD, true);
    struct world_tx retract = world_retract(DOCTOR_A, ORG_A, RECORD);
    assert_applied(&retract);
    struct world_tx tx = move(RECORD);
    assert_applied(&tx);
    assert_true(find_record(RECORD).retracted);
}

CASE(what_was_erased_is_not_there_to_be_handed_over)
{
    create(RECORD, true);
    struct world_tx erase = world_tx_of(SY_KIND_record_erase, ADMIN_A, ORG_A);
    erase.payload.record_erase.record_id = test_hash(RECORD);
    erase.payload.record_erase.basis = SY_ERASE_UNLAWFUL;
    world_cosign(&erase, WALLET_CLAIMED);
    assert_applied(&erase);
    struct world_tx tx = move(RECORD);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    assert_detail(RECORD);
}

CASE(either_side_may_sign_first)
{
    create(RECORD, true);
    struct world_tx tx = move(RECORD);
    tx.keys[0] = GATEWAY_B;
    tx.keys[1] = GATEWAY_A;
    tx.organisation = test_hash(ORG_B);
    assert_applied(&tx);
    struct sy_hash b = test_hash(ORG_B);
    assert_memory_equal(find_record(RECORD).holder.bytes, b.bytes, 32);
}

CASE(many_move_together_or_not_at_all)
{
    create(RECORD, true);
    create(RECORD + 1, false);
    struct sy_hash a = test_hash(ORG_A), b = test_hash(ORG_B);
    for (unsigned good = 0; good < 2; good++) {
        struct world_tx first = move(RECORD), second = move(RECORD + 1);
        struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
        world_cosign(&tx, GATEWAY_B);
        if (good == 0) second.payload.custody_move.commit.bytes[0] ^= 1;
        world_part(&world, &tx, SY_KIND_custody_move, 0, &first.payload);
        world_part(&world, &tx, SY_KIND_custody_move, 0, &second.payload);
        assert_int_equal(world_submit(&world, &tx), good == 1 ? SY_APPLIED : SY_E_CONTENT);
        for (unsigned i = 0; i < 2; i++) {
            struct sy_record record = find_record(RECORD + i);
            assert_memory_equal(record.holder.bytes, good == 1 ? b.bytes : a.bytes, 32);
        }
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(a_record_moves_and_the_patient_is_told),
        WITH_WORLD(only_who_keeps_it_hands_it_over),
        WITH_WORLD(who_takes_it_has_to_sign_and_to_be_let_in),
        WITH_WORLD(a_grant_that_is_over_is_told),
        WITH_WORLD(the_content_has_to_be_the_heads),
        WITH_WORLD(a_label_is_handed_over_only_to_whom_it_is_granted),
        WITH_WORLD(what_was_retracted_has_to_be_kept_and_moves),
        WITH_WORLD(what_was_erased_is_not_there_to_be_handed_over),
        WITH_WORLD(either_side_may_sign_first),
        WITH_WORLD(many_move_together_or_not_at_all),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
