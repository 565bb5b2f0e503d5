/* test_wire_evidence.c: what two statements must be to prove that their signer told two stories,
 * and that nothing else does. */
#include "tests/support/test.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "tests/support/samples.h"

static struct sy_genesis genesis;
static struct sy_evidence evidence;
static uint8_t room[SY_EVIDENCE_BYTES];
static const char *what;

static int prepare(void **state)
{
    (void)state;
    test_genesis(&genesis, 4);
    return 0;
}

static void make(uint8_t type)
{
    test_evidence(&evidence, &genesis, type, 2, type == SY_MESSAGE_SEAL ? 0 : 6, 77);
}

static struct sy_slice encoded(void)
{
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_evidence_encode(&w, &evidence);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

static bool holds(void)
{
    what = "";
    bool fine = sy_evidence_verify(&evidence, &genesis, &what);
    assert_int_equal(fine, sy_evidence_verify(&evidence, &genesis, NULL));
    return fine;
}

static void assert_refuted(const char *reason)
{
    assert_false(holds());
    if (!strstr(what, reason)) fail_msg("\"%s\" does not say \"%s\"", what, reason);
}

static void assert_unreadable(struct sy_slice bytes, const char *reason)
{
    what = "";
    assert_false(sy_evidence_decode(&evidence, bytes, NULL));
    assert_false(sy_evidence_decode(&evidence, bytes, &what));
    if (!strstr(what, reason)) fail_msg("\"%s\" does not say \"%s\"", what, reason);
}

/* --- evidence that holds ------------------------------------------------------------------- */

CASE(two_statements_of_every_type_hold)
{
    for (uint8_t type = SY_MESSAGE_PRE_PREPARE; type <= SY_MESSAGE_SEAL; type++) {
        make(type);
        assert_true(holds());
        struct sy_evidence before = evidence;
        struct sy_slice bytes = encoded();
        assert_int_equal(bytes.size, SY_EVIDENCE_BYTES);
        assert_true(sy_evidence_is(bytes));
        assert_true(sy_evidence_decode(&evidence, bytes, &what));
        assert_true(holds());
        assert_int_equal(evidence.type, before.type);
        assert_int_equal(evidence.signer, 2);
        assert_int_equal(evidence.slot, 77);
        assert_int_equal(evidence.view, before.view);
        assert_memory_equal(evidence.statements, before.statements, sizeof before.statements);
    }
}

CASE(the_order_of_arrival_makes_no_difference)
{
    make(SY_MESSAGE_PREPARE);
    struct sy_evidence_statement first = evidence.statements[0];
    struct sy_evidence_statement second = evidence.statements[1];
    assert_true(sy_hash_compare(&first.digest, &second.digest) < 0);
    assert_true(sy_evidence_pair(&evidence, &second, &first));
    assert_memory_equal(&evidence.statements[0], &first, sizeof first);
    assert_memory_equal(&evidence.statements[1], &second, sizeof second);
    assert_true(holds());
}

/* The offsets of FORMAT.md and evidence.h. */
CASE(fields_stand_where_the_table_says)
{
    struct sy_hash checksum;
    make(SY_MESSAGE_COMMIT);
    evidence.epoch = 0x04030201;
    evidence.view = 0x0807060504030201;
    evidence.slot = 0x1817161514131211;
    evidence.signer = 0x0042;
    struct sy_slice bytes = encoded();
    assert_memory_equal(bytes.data, "SYEVDNC1", 8);
    assert_memory_equal(bytes.data + 8, sy_network_tag(&genesis), 16);
    assert_int_equal(bytes.data[24], SY_MESSAGE_COMMIT);
    assert_int_equal(sy_load_u32(bytes.data + 25), evidence.epoch);
    assert_int_equal(sy_load_u64(bytes.data + 29), evidence.view);
    assert_int_equal(sy_load_u64(bytes.data + 37), evidence.slot);
    assert_int_equal(sy_load_u16(bytes.data + 45), evidence.signer);
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *at = bytes.data + 47 + 96 * i;
        assert_memory_equal(at, evidence.statements[i].digest.bytes, 32);
        assert_memory_equal(at + 32, evidence.statements[i].signature.bytes, 64);
    }
    sy_sha256(&checksum, bytes.data, 239);
    assert_memory_equal(bytes.data + 239, checksum.bytes, 32);
    assert_int_equal(bytes.size, 271);
}

/* --- damage -------------------------------------------------------------------------------- */

static bool believed(struct sy_slice bytes)
{
    return sy_evidence_decode(&evidence, bytes, &what) && holds();
}

/* With a mended checksum it is the signatures that refuse: every bit is bound by them, or has only
 * one value. */
static void flip_every_bit(uint8_t type, bool mend)
{
    make(type);
    struct sy_slice bytes = encoded();
    assert_true(believed(bytes));
    size_t end = mend ? SY_EVIDENCE_BYTES - 32 : SY_EVIDENCE_BYTES;
    for (size_t bit = 0; bit < end * 8; bit++) {
        struct sy_hash checksum;
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sy_sha256(&checksum, room, SY_EVIDENCE_BYTES - 32);
        if (mend) memcpy(room + SY_EVIDENCE_BYTES - 32, checksum.bytes, 32);
        if (believed(bytes)) fail_msg("type %u holds with bit %zu changed", type, bit);
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

CASE(every_single_bit_change_is_refused)
{
    for (uint8_t type = SY_MESSAGE_PRE_PREPARE; type <= SY_MESSAGE_SEAL; type++) {
        flip_every_bit(type, false);
    }
}

CASE(mending_the_checksum_does_not_help)
{
    for (uint8_t type = SY_MESSAGE_PRE_PREPARE; type <= SY_MESSAGE_SEAL; type++) {
        flip_every_bit(type, true);
    }
}

CASE(a_file_of_something_else_says_so)
{
    assert_unreadable(sy_slice_of(NULL, 0), "not a .syevidence file");
    assert_unreadable(sy_slice_of("{\"evidence\": 1}", 15), "not a .syevidence file");
    assert_unreadable(test_sample("proof/receipt"), "not a .syevidence file");
    assert_false(sy_evidence_is(test_sample("proof/receipt")));
    make(SY_MESSAGE_SEAL);
    struct sy_slice bytes = encoded();
    assert_unreadable(sy_slice_of(bytes.data, bytes.size - 1), "checksum");
}

/* --- what is no evidence ------------------------------------------------------------------- */

/* A copy of a value that no encoder writes, with a sound checksum. */
static struct sy_slice forced(size_t at, const void *data, size_t size)
{
    struct sy_hash checksum;
    make(SY_MESSAGE_PREPARE);
    struct sy_slice bytes = encoded();
    memcpy(room + at, data, size);
    sy_sha256(&checksum, room, SY_EVIDENCE_BYTES - 32);
    memcpy(room + SY_EVIDENCE_BYTES - 32, checksum.bytes, 32);
    return bytes;
}

CASE(the_same_statement_twice_is_none)
{
    make(SY_MESSAGE_PREPARE);
    struct sy_evidence_statement one = evidence.statements[0];
    assert_false(sy_evidence_pair(&evidence, &one, &one));
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_evidence_encode(&w, &evidence);
    assert_true(w.failed);
    assert_refuted("contradict nothing");
    assert_unreadable(forced(143, &one, sizeof one), "contradict nothing");
    // Nor is one digest under two signatures: signing again is no lie.
    assert_unreadable(forced(143, &one.digest, 32), "contradict nothing");
}

CASE(only_the_ascending_order_is_an_encoding)
{
    make(SY_MESSAGE_PREPARE);
    struct sy_evidence_statement swapped[2] = {evidence.statements[1], evidence.statements[0]};
    assert_unreadable(forced(47, swapped, sizeof swapped), "out of order");
}

CASE(fields_out_of_their_bounds_are_refused)
{
    static const uint8_t above[8] = {0, 0, 0, 0, 0, 0, 0, 0x80};
    static const uint8_t none[8] = {0};
    static const uint8_t outsider[2] = {100, 0};
    assert_unreadable(forced(24, "\0", 1), "type");
    assert_unreadable(forced(24, "\5", 1), "does not know"); // a status
    assert_unreadable(forced(29, above, 8), "view");
    assert_unreadable(forced(37, above, 8), "slot");
    assert_unreadable(forced(37, none, 8), "slot");
    assert_unreadable(forced(45, outsider, 2), "signer");
    assert_unreadable(forced(24, "\4", 1), "view"); // a seal has none
}

CASE(signatures_of_two_phases_slots_or_validators_are_none)
{
    struct sy_evidence other;
    // A PREPARE for one digest and a COMMIT for another: rule P9 allows it.
    make(SY_MESSAGE_PREPARE);
    test_evidence(&other, &genesis, SY_MESSAGE_COMMIT, 2, 6, 77);
    evidence.statements[1] = other.statements[1];
    assert_refuted("second signature");
    make(SY_MESSAGE_PREPARE);
    test_evidence(&other, &genesis, SY_MESSAGE_PREPARE, 2, 6, 78);
    evidence.statements[0] = other.statements[0];
    assert_refuted("first signature");
    make(SY_MESSAGE_PREPARE);
    test_evidence(&other, &genesis, SY_MESSAGE_PREPARE, 2, 7, 77);
    evidence.statements[1] = other.statements[1];
    assert_refuted("second signature");
    make(SY_MESSAGE_PREPARE);
    test_evidence(&other, &genesis, SY_MESSAGE_PREPARE, 3, 6, 77);
    evidence.statements[0] = other.statements[0];
    assert_refuted("first signature");
}

CASE(another_is_not_blamed)
{
    make(SY_MESSAGE_PREPARE);
    evidence.signer = 3;
    assert_refuted("first signature");
    evidence.signer = 4;
    assert_refuted("no such validator");
}

CASE(evidence_of_another_network_or_epoch_is_none)
{
    make(SY_MESSAGE_SEAL);
    evidence.network[3] ^= 1;
    assert_refuted("another network");
    make(SY_MESSAGE_SEAL);
    evidence.epoch = 1;
    assert_refuted("roster of its epoch");
    // Whoever gives it this network's tag still lacks signatures over this genesis.
    struct sy_genesis five;
    test_genesis(&five, 5);
    test_evidence(&evidence, &five, SY_MESSAGE_SEAL, 2, 0, 77);
    memcpy(evidence.network, sy_network_tag(&genesis), sizeof evidence.network);
    assert_refuted("first signature");
}

CASE(phases_have_words)
{
    assert_string_equal(sy_evidence_phase(SY_MESSAGE_PRE_PREPARE), "pre_prepare");
    assert_string_equal(sy_evidence_phase(SY_MESSAGE_SEAL), "seal");
    assert_null(sy_evidence_phase(0));
    assert_null(sy_evidence_phase(SY_MESSAGE_STATUS));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(two_statements_of_every_type_hold),
        cmocka_unit_test(the_order_of_arrival_makes_no_difference),
        cmocka_unit_test(fields_stand_where_the_table_says),
        cmocka_unit_test(every_single_bit_change_is_refused),
        cmocka_unit_test(mending_the_checksum_does_not_help),
        cmocka_unit_test(a_file_of_something_else_says_so),
        cmocka_unit_test(the_same_statement_twice_is_none),
        cmocka_unit_test(only_the_ascending_order_is_an_encoding),
        cmocka_unit_test(fields_out_of_their_bounds_are_refused),
        cmocka_unit_test(signatures_of_two_phases_slots_or_validators_are_none),
        cmocka_unit_test(another_is_not_blamed),
        cmocka_unit_test(evidence_of_another_network_or_epoch_is_none),
        cmocka_unit_test(phases_have_words),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
