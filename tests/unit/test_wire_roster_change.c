/* test_wire_roster_change.c: what a change says, what its approvals sign, and what a handover needs
 * before somebody who knows only the genesis follows it. */
#include "tests/support/test.h"

#include <stdlib.h>

#include "core/crypto/hash.h"
#include "tests/support/changes.h"
#include "tests/support/samples.h"

static struct sy_genesis genesis;
static struct sy_roster four, five; /* epochs 0 and 1 */
static struct test_change change;
static struct sy_handover handover;
static uint8_t change_room[SY_ROSTER_CHANGE_BYTES_MAX];

static int make_rosters(void **state)
{
    (void)state;
    test_genesis(&genesis, 4);
    four = genesis.roster;
    test_change_add(&change, &genesis.hash, &four, 4);
    test_change_follow(&five, &four, &change);
    return 0;
}

static struct sy_slice change_bytes(void)
{
    struct sy_writer w = sy_writer_of(change_room, sizeof change_room);
    sy_approved_encode(&w, sy_kind_by_number(change.kind), &change.payload);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

/* --- changes ------------------------------------------------------------------------------- */

static void make(unsigned number, const struct sy_roster *now)
{
    if (number == 0) test_change_add(&change, &genesis.hash, now, 20);
    if (number == 1) test_change_remove(&change, &genesis.hash, now, 2);
    if (number > 1) test_change_rekey(&change, &genesis.hash, now, 2, number - 1, 300);
}
#define MAKES 5u /* add, remove, and a rekey of keys, of addresses, of all */

CASE(change_is_the_payload_without_approvals)
{
    for (unsigned number = 0; number < MAKES; number++) {
        uint8_t bare[SY_ROSTER_CHANGE_BYTES_MAX], whole[16384];
        make(number, &five);
        struct sy_writer w = sy_writer_of(bare, sizeof bare);
        sy_payload_encode(&w, sy_kind_by_number(change.kind), &change.payload);
        test_change_approve_by(&change, &genesis.hash, &five, 5);
        assert_true(sy_slice_equal(change_bytes(), sy_writer_slice(&w)));
        struct sy_writer all = sy_writer_of(whole, sizeof whole);
        sy_payload_encode(&all, sy_kind_by_number(change.kind), &change.payload);
        assert_int_equal(all.used, w.used + 5 * SY_APPROVAL_BYTES);
        assert_memory_equal(all.data, w.data, w.used - 2); // all but the count
        struct sy_roster_named named =
            sy_approved_roster(sy_kind_by_number(change.kind), &change.payload);
        struct sy_hash hash;
        sy_roster_hash(&hash, &genesis.hash, &five);
        assert_int_equal(named.epoch, 1);
        assert_memory_equal(named.hash.bytes, hash.bytes, 32);
    }
}

CASE(longest_changes_fit)
{
    char text[SY_ADDRESS_BYTES_MAX];
    memset(text, 'a', sizeof text);
    memcpy(text, "tcp://", 6);
    memcpy(text + sizeof text - 3, ":99", 3);
    struct sy_slice longest = sy_slice_of(text, sizeof text);
    test_change_add(&change, &genesis.hash, &four, 20);
    struct sy_validator_add *add = &change.payload.validator_add;
    add->name = sy_slice_of(text + 6, SY_NAME_BYTES_MAX);
    add->control_address = add->bulk_address = add->client_address = longest;
    struct sy_roster next;
    struct sy_slice bytes = change_bytes();
    assert_int_equal(sy_roster_follow(&next, &genesis.hash, &four, change.kind, bytes), SY_OK);
    test_change_rekey(&change, &genesis.hash, &four, 1, TEST_REKEY_ALL, 300);
    struct sy_validator_rekey *rekey = &change.payload.validator_rekey;
    rekey->control_address = rekey->bulk_address = rekey->client_address = longest;
    bytes = change_bytes();
    assert_int_equal(sy_roster_follow(&next, &genesis.hash, &four, change.kind, bytes), SY_OK);
}

CASE(approval_digest_is_what_the_format_says)
{
    uint8_t preimage[2 + 32 + 2 + SY_ROSTER_CHANGE_BYTES_MAX];
    for (unsigned number = 0; number < MAKES; number++) {
        struct sy_hash expected, digest;
        make(number, &four);
        struct sy_slice bytes = change_bytes();
        preimage[0] = 0x02;
        preimage[1] = SY_DIGEST_APPROVAL;
        memcpy(preimage + 2, genesis.hash.bytes, 32);
        sy_store_u16(preimage + 34, change.kind);
        memcpy(preimage + 36, bytes.data, bytes.size);
        sy_sha256(&expected, preimage, 36 + bytes.size);
        sy_approval_digest(&digest, &genesis.hash, sy_kind_by_number(change.kind), &change.payload);
        assert_memory_equal(digest.bytes, expected.bytes, 32);
    }
}

/* The proofs of a transaction around the change, as admission asks for them. */
static unsigned proofs_of(struct sy_tx_proof *proofs, const struct sy_genesis *of)
{
    static uint8_t room[32768];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_tx tx;
    struct sy_slice bytes =
        test_tx(&w, &genesis, sy_kind_by_number(change.kind), &change.payload, TEST_REGULATOR);
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    return sy_tx_proofs(proofs, SY_TX_PAYLOAD_SIGS_MAX, &tx, &of->hash);
}

static unsigned good_approvals(const struct sy_genesis *of)
{
    static struct sy_tx_proof proofs[SY_TX_PAYLOAD_SIGS_MAX];
    unsigned good = 0;
    unsigned count = proofs_of(proofs, of);
    for (unsigned i = 0; i < count; i++) {
        if (proofs[i].sig_kind != SY_SIG_APPROVAL) continue;
        good +=
            sy_verify_one(&proofs[i].key, SY_SIG_APPROVAL, &proofs[i].digest, &proofs[i].signature);
    }
    return good;
}

CASE(admission_is_given_every_approval_after_the_possessions)
{
    static const unsigned possessions[MAKES] = {3, 0, 3, 0, 3};
    static struct sy_tx_proof proofs[SY_TX_PAYLOAD_SIGS_MAX];
    for (unsigned number = 0; number < MAKES; number++) {
        make(number, &five);
        test_change_approve_by(&change, &genesis.hash, &five, 4);
        assert_int_equal(proofs_of(proofs, &genesis), possessions[number] + 4);
        for (unsigned i = 0; i < possessions[number] + 4; i++) {
            bool approval = i >= possessions[number];
            assert_int_equal(proofs[i].sig_kind, approval ? SY_SIG_APPROVAL : SY_SIG_POSSESSION);
            if (!approval) continue;
            unsigned validator = i - possessions[number];
            assert_memory_equal(&proofs[i].key, &five.validators[validator].admin_key, 32);
        }
        assert_int_equal(good_approvals(&genesis), 4);
    }
}

CASE(approvals_are_good_for_their_change_alone)
{
    static struct sy_genesis other;
    test_genesis(&other, 5);
    make(0, &four);
    test_change_approve_by(&change, &genesis.hash, &four, 3);
    assert_int_equal(good_approvals(&genesis), 3);
    assert_int_equal(good_approvals(&other), 0); // another network
    struct sy_validator_add *p = &change.payload.validator_add;
    const struct sy_validator_add good = *p;
    p->epoch++;
    assert_int_equal(good_approvals(&genesis), 0);
    *p = good;
    p->roster_hash.bytes[31] ^= 1;
    assert_int_equal(good_approvals(&genesis), 0);
    *p = good;
    p->link_possession.bytes[0] ^= 1;
    assert_int_equal(good_approvals(&genesis), 0);
    *p = good;
    p->org_id.bytes[5] ^= 1;
    assert_int_equal(good_approvals(&genesis), 0);
    *p = good;
    change.texts[3][0] ^= 1;
    assert_int_equal(good_approvals(&genesis), 0);
    change.texts[3][0] ^= 1;
    assert_int_equal(good_approvals(&genesis), 3);
}

CASE(approvals_of_a_parameter_are_good_for_what_it_says_alone)
{
    static const struct sy_param_set set = {SY_PARAM_RECORD_BYTES_MAX, 5000, 1, 200};
    struct sy_param_enact *p = &change.payload.param_enact;
    test_change_param(&change, &genesis.hash, &four, &set);
    test_change_approve_by(&change, &genesis.hash, &four, 4);
    const struct sy_param_enact good = *p;
    struct sy_param_enact others[6] = {good, good, good, good, good, good};
    assert_int_equal(good_approvals(&genesis), 4);
    others[0].epoch++;
    others[1].roster_hash.bytes[0] ^= 1;
    others[2].name = SY_PARAM_CREDENTIAL_MS_MAX;
    others[3].value++;
    others[4].version++;
    others[5].activation_height++;
    for (unsigned i = 0; i < 6; i++) {
        *p = others[i];
        assert_int_equal(good_approvals(&genesis), 0);
    }
    *p = good;
    assert_int_equal(good_approvals(&genesis), 4);
}

CASE(changes_are_followed_as_they_say)
{
    static struct sy_roster next, expected;
    for (unsigned number = 0; number < MAKES; number++) {
        make(number, &five);
        test_change_follow(&expected, &five, &change);
        struct sy_slice bytes = change_bytes();
        assert_int_equal(sy_roster_follow(&next, &genesis.hash, &five, change.kind, bytes), SY_OK);
        assert_memory_equal(&next, &expected, sizeof next);
        // It is a change of that roster alone.
        sy_status status = sy_roster_follow(&next, &genesis.hash, &four, change.kind, bytes);
        assert_int_equal(status, SY_ERR_FORMAT);
    }
}

CASE(bytes_that_are_no_change_are_not_followed)
{
    static struct sy_roster next;
    for (unsigned number = 0; number < MAKES; number++) {
        make(number, &five);
        struct sy_slice bytes = change_bytes();
        uint8_t longer[SY_ROSTER_CHANGE_BYTES_MAX + SY_APPROVAL_BYTES];
        memcpy(longer, bytes.data, bytes.size);
        memset(longer + bytes.size, 0, sizeof longer - bytes.size);
        for (size_t size = 0; size <= bytes.size + 1; size++) {
            sy_status status = sy_roster_follow(&next, &genesis.hash, &five, change.kind,
                                                sy_slice_of(longer, size));
            assert_int_equal(status == SY_OK, size == bytes.size);
        }
        for (unsigned kind = 0; kind < 70; kind++) {
            sy_status status = sy_roster_follow(&next, &genesis.hash, &five, (uint16_t)kind, bytes);
            assert_int_equal(status == SY_OK, kind == change.kind);
        }
        longer[bytes.size - 2] = 1; // with an approval it is another encoding of the same
        sy_status status = sy_roster_follow(&next, &genesis.hash, &five, change.kind,
                                            sy_slice_of(longer, bytes.size + SY_APPROVAL_BYTES));
        assert_int_equal(status, SY_ERR_FORMAT);
    }
}

/* --- handovers ----------------------------------------------------------------------------- */

static void make_handover(unsigned number)
{
    struct sy_writer room = sy_writer_of(change_room, sizeof change_room);
    make(number, &five);
    test_handover(&handover, &room, &genesis.hash, &five, &change, 1000);
}

/* Offers the handover to a roster: taken, or refused with words, and the roster as it was. */
static bool takes(const struct sy_roster *to)
{
    static struct sy_roster roster;
    struct sy_error err = {SY_OK, ""};
    roster = *to;
    sy_status status = sy_handover_take(&roster, &genesis.hash, &handover, &err);
    if (status == SY_OK) {
        struct sy_hash hash;
        sy_roster_hash(&hash, &genesis.hash, &roster);
        assert_memory_equal(hash.bytes, handover.header.next_roster.bytes, 32);
        assert_int_equal(roster.epoch, to->epoch + 1);
        return true;
    }
    assert_int_equal(status, SY_ERR_CRYPTO);
    assert_true(strlen(err.text) > 20);
    assert_memory_equal(&roster, to, sizeof roster);
    return false;
}

CASE(handovers_are_taken_and_survive_their_encoding)
{
    static uint8_t bytes[SY_HANDOVER_BYTES_MAX];
    static struct sy_handover back;
    for (unsigned number = 0; number < MAKES; number++) {
        make_handover(number);
        assert_true(takes(&five));
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        sy_handover_encode(&w, &handover);
        assert_false(w.failed);
        struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
        assert_true(sy_handover_decode(&r, &back, 5) && sy_reader_done(&r));
        handover = back;
        assert_true(takes(&five));
        for (size_t size = 0; size < w.used; size++) {
            r = sy_reader_of(sy_slice_of(bytes, size));
            assert_false(sy_handover_decode(&r, &back, 5) && sy_reader_done(&r));
        }
    }
}

/* Where the proofs of possession stand in a change, which no header knows. */
static bool is_possession(size_t at)
{
    const struct sy_kind *kind = sy_kind_by_number(change.kind);
    union sy_payload before, after;
    uint8_t flipped[SY_ROSTER_CHANGE_BYTES_MAX];
    memcpy(flipped, handover.change.data, handover.change.size);
    flipped[at] ^= 1;
    if (!sy_payload_decode(&before, kind, handover.change, NULL)) return false;
    struct sy_slice bytes = sy_slice_of(flipped, handover.change.size);
    if (!sy_payload_decode(&after, kind, bytes, NULL)) return false;
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        if (field->type != SY_FIELD_POSSESSION) continue;
        if (memcmp(sy_field_of(field, &before), sy_field_of(field, &after), 64) != 0) return true;
    }
    return false;
}

CASE(every_bit_of_a_change_and_its_header_matters)
{
    static uint8_t flipped[SY_ROSTER_CHANGE_BYTES_MAX];
    for (unsigned number = 0; number < MAKES; number++) {
        make_handover(number);
        const struct sy_handover good = handover;
        memcpy(flipped, good.change.data, good.change.size);
        for (size_t bit = 0; bit < 8 * good.change.size; bit++) {
            if (is_possession(bit / 8)) continue;
            handover.change.data = flipped;
            flipped[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            assert_false(takes(&five));
            flipped[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            handover = good;
        }
        uint8_t header[SY_HEADER_BYTES];
        struct sy_writer w = sy_writer_of(header, sizeof header);
        sy_header_encode(&w, &good.header);
        for (size_t bit = 0; bit < 8 * sizeof header; bit++) {
            header[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            struct sy_reader r = sy_reader_of(sy_slice_of(header, sizeof header));
            if (sy_header_decode(&r, &handover.header)) assert_false(takes(&five));
            header[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            handover = good;
        }
        assert_true(takes(&five));
    }
}

CASE(every_seal_of_a_handover_matters)
{
    make_handover(4);
    const struct sy_handover good = handover;
    assert_int_equal(good.certificate.count, 4); // quorum(5)
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned bit = 0; bit < 512; bit += 7) {
            handover = good;
            handover.certificate.seals[i].signature.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            assert_false(takes(&five));
        }
        handover = good;
        handover.certificate.seals[i].signer = 4; // who did not seal
        assert_false(takes(&five));
    }
    handover = good;
    handover.certificate.count = 3; // enough for four validators, not for five
    assert_false(takes(&five));
    handover.certificate.seals[3] = handover.certificate.seals[2]; // one of them twice
    handover.certificate.count = 4;
    assert_false(takes(&five));
}

CASE(handover_is_sealed_by_the_roster_that_hands_over)
{
    static struct sy_roster next;
    make_handover(2); // new keys for validator 2, who is in the first quorum
    test_change_follow(&next, &five, &change);
    test_certify(&handover.certificate, &genesis.hash, &next, &handover.header);
    assert_false(takes(&five)); // the new one vouches for itself
    handover.header.epoch = next.epoch;
    test_certify(&handover.certificate, &genesis.hash, &next, &handover.header);
    assert_false(takes(&five));
    handover.header.epoch = five.epoch;
    test_certify(&handover.certificate, &genesis.hash, &five, &handover.header);
    assert_true(takes(&five));
    static struct sy_genesis other;
    test_genesis(&other, 5);
    test_certify(&handover.certificate, &other.hash, &five, &handover.header); // another network's
    assert_false(takes(&five));
}

CASE(handover_needs_the_header_that_names_the_next_roster)
{
    make_handover(0);
    sy_roster_hash(&handover.header.next_roster, &genesis.hash, &five); // any header before
    test_certify(&handover.certificate, &genesis.hash, &five, &handover.header);
    assert_false(takes(&five));
    // A certified header of the same epoch, and a change that was never executed.
    static struct sy_handover meant;
    make_handover(1);
    meant = handover;
    make_handover(4);
    handover.header = meant.header;
    handover.certificate = meant.certificate;
    assert_false(takes(&five));
}

CASE(handovers_are_taken_in_the_order_of_epochs)
{
    static struct sy_handover steps[3];
    static uint8_t rooms[3][SY_ROSTER_CHANGE_BYTES_MAX];
    static struct sy_roster rosters[4];
    rosters[0] = four;
    for (unsigned i = 0; i < 3; i++) {
        struct sy_writer room = sy_writer_of(rooms[i], sizeof rooms[i]);
        test_change_add(&change, &genesis.hash, &rosters[i], 10 + i);
        test_change_follow(&rosters[i + 1], &rosters[i], &change);
        test_handover(&steps[i], &room, &genesis.hash, &rosters[i], &change, 200 * (i + 1));
    }
    for (unsigned at = 0; at < 4; at++) {
        for (unsigned i = 0; i < 3; i++) {
            handover = steps[i];
            assert_int_equal(takes(&rosters[at]), i == at);
        }
    }
}

CASE(samples_of_handovers_are_taken)
{
    static const char *const names[] = {"handover/add", "handover/rekey", "handover/remove"};
    for (unsigned i = 0; i < 3; i++) {
        const struct sy_roster *to = i < 2 ? &four : &five;
        struct sy_reader r = sy_reader_of(test_sample(names[i]));
        assert_true(sy_handover_decode(&r, &handover, to->count) && sy_reader_done(&r));
        assert_true(takes(to));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(change_is_the_payload_without_approvals),
        cmocka_unit_test(longest_changes_fit),
        cmocka_unit_test(approval_digest_is_what_the_format_says),
        cmocka_unit_test(admission_is_given_every_approval_after_the_possessions),
        cmocka_unit_test(approvals_are_good_for_their_change_alone),
        cmocka_unit_test(approvals_of_a_parameter_are_good_for_what_it_says_alone),
        cmocka_unit_test(changes_are_followed_as_they_say),
        cmocka_unit_test(bytes_that_are_no_change_are_not_followed),
        cmocka_unit_test(handovers_are_taken_and_survive_their_encoding),
        cmocka_unit_test(every_bit_of_a_change_and_its_header_matters),
        cmocka_unit_test(every_seal_of_a_handover_matters),
        cmocka_unit_test(handover_is_sealed_by_the_roster_that_hands_over),
        cmocka_unit_test(handover_needs_the_header_that_names_the_next_roster),
        cmocka_unit_test(handovers_are_taken_in_the_order_of_epochs),
        cmocka_unit_test(samples_of_handovers_are_taken),
    };
    return cmocka_run_group_tests(cases, make_rosters, NULL);
}
