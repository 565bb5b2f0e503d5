/* test_tx_approve.c: what a quorum of validators decides, through several hands: possessions, then
 * approvals, then signatures, and no other order. */
#include "tests/support/test.h"

#include <stdlib.h>

#include "core/client/tx_draft.h"
#include "tests/support/changes.h"

#define NEWCOMER 20u /* keys 60 to 62 */

static struct sy_genesis genesis;
static struct test_change change;

/* A draft of one change by a regulator. */
static sy_draft *make(uint16_t kind, struct sy_slice payload)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_tx tx;
    sy_draft *draft = NULL;
    memset(&tx, 0, sizeof tx);
    tx.kind = kind;
    tx.signer = test_public(TEST_REGULATOR);
    tx.nonce = 1;
    tx.valid_until_ms = TEST_GENESIS_MS + 3600000;
    tx.payload = payload;
    if (sy_draft_make(&draft, &genesis, &tx, &err) != SY_OK) fail_msg("%s", err.text);
    return draft;
}

static sy_draft *make_change(void)
{
    static uint8_t room[16384];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_payload_encode(&w, sy_kind_by_number(change.kind), &change.payload);
    assert_false(w.failed);
    return make(change.kind, sy_writer_slice(&w));
}

static sy_draft *make_remove(void)
{
    test_change_remove(&change, &genesis.hash, &genesis.roster, 1);
    return make_change();
}

static sy_draft *make_add(void)
{
    test_change_add(&change, &genesis.hash, &genesis.roster, NEWCOMER);
    return make_change();
}

static sy_draft *make_param(void)
{
    static const struct sy_param_set set = {SY_PARAM_RECORD_BYTES_MAX, 5000, 1, 200};
    test_change_param(&change, &genesis.hash, &genesis.roster, &set);
    return make_change();
}

static void expect(sy_status got, const struct sy_error *err, sy_status wanted, const char *words)
{
    assert_int_equal(got, wanted);
    if (!strstr(err->text, words)) fail_msg("'%s' does not say '%s'", err->text, words);
}

static void must(sy_status status, const struct sy_error *err)
{
    if (status != SY_OK) fail_msg("%s", err->text);
}

static void approve(sy_draft *draft, unsigned validator)
{
    struct sy_error err = {SY_OK, ""};
    must(sy_draft_approve(draft, test_key(3 * validator + 2), &genesis, &err), &err);
}

static void prove_all(sy_draft *draft)
{
    struct sy_error err = {SY_OK, ""};
    for (unsigned i = 0; i < 3; i++) {
        unsigned proven = 0;
        const sy_secret_key *key = test_key(3 * NEWCOMER + i);
        must(sy_draft_prove(draft, &proven, key, &genesis, &err), &err);
        assert_int_equal(proven, 1);
    }
}

static void sign(sy_draft *draft)
{
    struct sy_error err = {SY_OK, ""};
    unsigned place;
    must(sy_draft_sign(draft, &place, test_key(TEST_REGULATOR), &genesis, &err), &err);
    must(sy_draft_check(draft, &genesis, &err), &err);
}

CASE(change_is_proven_then_approved_then_signed)
{
    sy_draft *draft = make_add();
    prove_all(draft);
    for (unsigned i = 0; i < 3; i++) approve(draft, i);
    sign(draft);
    // What was collected by hand is what the network's own rules make of it.
    struct sy_tx_proof proofs[8];
    const struct sy_tx *tx = sy_draft_tx(draft);
    assert_int_equal(sy_tx_proofs(proofs, 8, tx, &genesis.hash), 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(proofs[i].sig_kind, i < 3 ? SY_SIG_POSSESSION : SY_SIG_APPROVAL);
        assert_true(sy_verify_one(&proofs[i].key, (enum sy_sig_kind)proofs[i].sig_kind,
                                  &proofs[i].digest, &proofs[i].signature));
    }
    sy_draft_close(draft);
}

CASE(every_kind_of_change_is_approved)
{
    for (unsigned what = 0; what < 4; what++) {
        test_change_rekey(&change, &genesis.hash, &genesis.roster, 2, TEST_REKEY_ADDRESSES, 300);
        sy_draft *draft = what == 0   ? make_remove()
                          : what == 1 ? make_change()
                          : what == 2 ? make_add()
                                      : make_param();
        if (what == 2) prove_all(draft);
        for (unsigned i = 0; i < 4; i++) approve(draft, i);
        sign(draft);
        sy_draft_close(draft);
    }
}

CASE(approvals_come_after_possessions)
{
    struct sy_error err = {SY_OK, ""};
    unsigned number;
    sy_draft *draft = make_add();
    size_t size = sy_draft_bytes(draft).size;
    expect(sy_draft_approve(draft, test_key(2), &genesis, &err), &err, SY_ERR_CRYPTO,
           "comes before approvals");
    assert_int_equal(sy_draft_bytes(draft).size, size);
    prove_all(draft);
    approve(draft, 0);
    expect(sy_draft_prove(draft, &number, test_key(3 * NEWCOMER), &genesis, &err), &err,
           SY_ERR_PERMISSION, "approved already");
    approve(draft, 1);
    sy_draft_close(draft);
}

CASE(approvals_come_before_signatures)
{
    struct sy_error err = {SY_OK, ""};
    unsigned place;
    sy_draft *draft = make_remove();
    for (unsigned i = 0; i < 3; i++) {
        expect(sy_draft_sign(draft, &place, test_key(TEST_REGULATOR), &genesis, &err), &err,
               SY_ERR_CRYPTO, "approvals are too few");
        assert_int_equal(sy_draft_missing(draft), 1);
        approve(draft, i);
    }
    sign(draft);
    struct sy_hash before, after;
    sy_draft_id(draft, &before);
    expect(sy_draft_approve(draft, test_key(11), &genesis, &err), &err, SY_ERR_PERMISSION,
           "signed this transaction already");
    sy_draft_id(draft, &after);
    assert_true(sy_hash_equal(&before, &after));
    sy_draft_close(draft);
}

CASE(key_approves_once)
{
    struct sy_error err = {SY_OK, ""};
    sy_draft *draft = make_remove();
    approve(draft, 0);
    approve(draft, 1);
    size_t size = sy_draft_bytes(draft).size;
    for (unsigned i = 0; i < 2; i++) {
        expect(sy_draft_approve(draft, test_key(3 * i + 2), &genesis, &err), &err, SY_ERR_EXISTS,
               "approved already");
    }
    assert_int_equal(sy_draft_bytes(draft).size, size);
    approve(draft, 2);
    sign(draft);
    sy_draft_close(draft);
}

CASE(nothing_else_is_approved)
{
    struct sy_error err = {SY_OK, ""};
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    payload.care_close.care_id = test_hash(1);
    sy_payload_encode(&w, sy_kind_by_number(SY_KIND_care_close), &payload);
    sy_draft *draft = make(SY_KIND_care_close, sy_writer_slice(&w));
    expect(sy_draft_approve(draft, test_key(2), &genesis, &err), &err, SY_ERR_NOT_FOUND,
           "not for validators to approve");
    sy_draft_close(draft);
}

CASE(approval_of_another_change_is_found)
{
    struct sy_error err = {SY_OK, ""};
    unsigned place;
    test_change_remove(&change, &genesis.hash, &genesis.roster, 1);
    test_change_approve_by(&change, &genesis.hash, &genesis.roster, 3);
    change.payload.validator_remove.validator = genesis.roster.validators[2].consensus_key;
    sy_draft *draft = make_change();
    expect(sy_draft_approve(draft, test_key(11), &genesis, &err), &err, SY_ERR_CRYPTO,
           "not of this content");
    expect(sy_draft_sign(draft, &place, test_key(TEST_REGULATOR), &genesis, &err), &err,
           SY_ERR_CRYPTO, "not of this content");
    sy_draft_close(draft);
}

CASE(approval_of_another_value_is_found)
{
    struct sy_error err = {SY_OK, ""};
    unsigned place;
    sy_draft *draft = make_param();
    test_change_approve_by(&change, &genesis.hash, &genesis.roster, 3);
    change.payload.param_enact.value++;
    sy_draft_close(draft);
    draft = make_change();
    expect(sy_draft_approve(draft, test_key(11), &genesis, &err), &err, SY_ERR_CRYPTO,
           "not of this content");
    expect(sy_draft_sign(draft, &place, test_key(TEST_REGULATOR), &genesis, &err), &err,
           SY_ERR_CRYPTO, "not of this content");
    sy_draft_close(draft);
}

CASE(no_change_has_more_approvals_than_validators_there_can_be)
{
    struct sy_error err = {SY_OK, ""};
    sy_draft *draft = make_remove();
    for (unsigned i = 0; i < SY_VALIDATORS_MAX; i++) approve(draft, i);
    size_t size = sy_draft_bytes(draft).size;
    expect(sy_draft_approve(draft, test_key(400), &genesis, &err), &err, SY_ERR_LIMIT, "100");
    assert_int_equal(sy_draft_bytes(draft).size, size);
    sign(draft);
    sy_draft_close(draft);
}

/* care.close, validator.remove, care.close. */
static sy_draft *make_atomic(void)
{
    static uint8_t room[4096], bytes[4096];
    struct sy_writer list = sy_writer_of(room, sizeof room);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload whole, inner;
    memset(&whole, 0, sizeof whole);
    memset(&inner, 0, sizeof inner);
    test_change_remove(&change, &genesis.hash, &genesis.roster, 1);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t part_room[256];
        struct sy_writer part_writer = sy_writer_of(part_room, sizeof part_room);
        uint16_t kind = i == 1 ? change.kind : SY_KIND_care_close;
        inner.care_close.care_id = test_hash(i);
        sy_payload_encode(&part_writer, sy_kind_by_number(kind), i == 1 ? &change.payload : &inner);
        struct sy_part part = {kind, 0, sy_writer_slice(&part_writer)};
        sy_list_add_part(&whole.atomic.payloads, &list, &part);
    }
    sy_payload_encode(&w, sy_kind_by_number(SY_KIND_atomic), &whole);
    assert_false(w.failed || list.failed);
    return make(SY_KIND_atomic, sy_writer_slice(&w));
}

CASE(change_among_parts_is_approved_and_the_others_stay)
{
    struct sy_error err = {SY_OK, ""};
    unsigned place;
    union sy_payload whole;
    struct sy_part part;
    sy_draft *draft = make_atomic();
    expect(sy_draft_sign(draft, &place, test_key(TEST_REGULATOR), &genesis, &err), &err,
           SY_ERR_CRYPTO, "approvals are too few");
    for (unsigned i = 0; i < 3; i++) approve(draft, i);
    expect(sy_draft_approve(draft, test_key(5), &genesis, &err), &err, SY_ERR_EXISTS,
           "approved already");
    sign(draft);
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_atomic);
    assert_true(sy_payload_decode(&whole, kind, sy_draft_tx(draft)->payload, NULL));
    size_t offset = 0;
    for (unsigned i = 0; i < 3; i++) {
        union sy_payload inner;
        assert_true(sy_list_next_part(&whole.atomic.payloads, &offset, &part));
        assert_true(sy_payload_decode(&inner, sy_kind_by_number(part.kind), part.payload, NULL));
        struct sy_hash id = test_hash(i);
        if (i == 1) {
            assert_int_equal(inner.validator_remove.approvals.count, 3);
        } else {
            assert_memory_equal(inner.care_close.care_id.bytes, id.bytes, 32);
        }
    }
    sy_draft_close(draft);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(change_is_proven_then_approved_then_signed),
        cmocka_unit_test(every_kind_of_change_is_approved),
        cmocka_unit_test(approvals_come_after_possessions),
        cmocka_unit_test(approvals_come_before_signatures),
        cmocka_unit_test(key_approves_once),
        cmocka_unit_test(nothing_else_is_approved),
        cmocka_unit_test(approval_of_another_change_is_found),
        cmocka_unit_test(approval_of_another_value_is_found),
        cmocka_unit_test(no_change_has_more_approvals_than_validators_there_can_be),
        cmocka_unit_test(change_among_parts_is_approved_and_the_others_stay),
    };
    test_genesis(&genesis, 4);
    return cmocka_run_group_tests(cases, NULL, NULL);
}
