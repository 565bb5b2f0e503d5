/* test_wire_roster.c: quorums, and what a roster and a genesis must keep. */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "tests/support/network.h"

static struct sy_genesis genesis;
static struct sy_error err;

static int prepare(void **state)
{
    (void)state;
    test_genesis(&genesis, 7);
    return 0;
}

/* --- quorums ------------------------------------------------------------------------------- */

// What quorums are for, by counting and not by the formula: any two of them share more validators
// than may be faulty, the correct ones alone make one, and any weak set holds a correct one. n and
// the number of faulty ones grow side by side: PBFT needs more than three times as many.
CASE(quorums_intersect_in_a_correct_validator_for_any_n)
{
    unsigned faulty = 0;
    for (unsigned n = 1; n <= SY_VALIDATORS_MAX; n++) {
        while (n > (faulty + 1) * 3) faulty++;
        assert_int_equal(sy_faulty_max(n), faulty);
        unsigned quorum = sy_quorum(n);
        unsigned correct = n - faulty;
        unsigned shared = quorum - (n - quorum); // by two quorums that overlap least
        assert_true(shared > faulty);
        assert_true(quorum <= correct);
        assert_true(sy_weak(n) > faulty);
        assert_true(sy_weak(n) - 1 == faulty);
        // And no smaller number would do.
        unsigned smaller = quorum - 1;
        assert_true(smaller < n - smaller || smaller - (n - smaller) <= faulty);
    }
}

CASE(quorums_of_small_rosters)
{
    static const unsigned expected[][3] = {{4, 1, 3}, {5, 1, 4}, {6, 1, 4},  {7, 2, 5},
                                           {8, 2, 6}, {9, 2, 6}, {10, 3, 7}, {100, 33, 67}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(sy_faulty_max(expected[i][0]), expected[i][1]);
        assert_int_equal(sy_quorum(expected[i][0]), expected[i][2]);
    }
}

/* --- rosters ------------------------------------------------------------------------------- */

CASE(roster_finds_validators_by_consensus_key_only)
{
    for (unsigned i = 0; i < 7; i++) {
        struct sy_public_key consensus = test_public(3 * i);
        struct sy_public_key link = test_public(3 * i + 1);
        struct sy_public_key admin = test_public(3 * i + 2);
        assert_int_equal(sy_roster_find(&genesis.roster, &consensus), (int)i);
        assert_int_equal(sy_roster_find(&genesis.roster, &link), -1);
        assert_int_equal(sy_roster_find(&genesis.roster, &admin), -1);
    }
}

CASE(roster_comes_back_from_its_bytes)
{
    static struct sy_roster back;
    static uint8_t bytes[SY_ROSTER_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_roster_encode(&w, &genesis.roster);
    assert_false(w.failed);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(sy_roster_decode(&r, &back));
    assert_true(sy_reader_done(&r));
    assert_int_equal(back.count, 7);
    for (unsigned i = 0; i < 7; i++) {
        const struct sy_validator *a = &genesis.roster.validators[i];
        const struct sy_validator *b = &back.validators[i];
        assert_string_equal(a->name, b->name);
        assert_true(sy_hash_equal(&a->organisation, &b->organisation));
        assert_true(sy_public_key_equal(&a->consensus_key, &b->consensus_key));
        assert_true(sy_public_key_equal(&a->link_key, &b->link_key));
        assert_true(sy_public_key_equal(&a->admin_key, &b->admin_key));
        assert_string_equal(a->control_address, b->control_address);
        assert_string_equal(a->bulk_address, b->bulk_address);
        assert_string_equal(a->client_address, b->client_address);
    }
}

CASE(largest_roster_fits_the_room_that_its_limit_promises)
{
    static struct sy_roster roster;
    static uint8_t bytes[SY_ROSTER_BYTES_MAX];
    memset(&roster, 0, sizeof roster);
    roster.count = SY_VALIDATORS_MAX;
    for (unsigned i = 0; i < SY_VALIDATORS_MAX; i++) {
        struct sy_validator *validator = &roster.validators[i];
        (void)snprintf(validator->name, sizeof validator->name, "%0*u", (int)SY_NAME_BYTES_MAX, i);
        memcpy(validator->consensus_key.bytes, test_hash(3 * i).bytes, 32);
        memcpy(validator->link_key.bytes, test_hash(3 * i + 1).bytes, 32);
        memcpy(validator->admin_key.bytes, test_hash(3 * i + 2).bytes, 32);
        memset(validator->control_address, 'a', SY_ADDRESS_BYTES_MAX - 3);
        memcpy(validator->control_address, "tcp://", 6);
        memcpy(validator->control_address + SY_ADDRESS_BYTES_MAX - 3, ":99", 4);
        memcpy(validator->bulk_address, validator->control_address, SY_ADDRESS_BYTES_MAX + 1);
        memcpy(validator->client_address, validator->control_address, SY_ADDRESS_BYTES_MAX + 1);
    }
    if (sy_roster_check(&roster, &err) != SY_OK) fail_msg("%s", err.text);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_roster_encode(&w, &roster);
    assert_false(w.failed);
    assert_int_equal(w.used, sizeof bytes);
}

CASE(roster_hash_names_network_epoch_and_members)
{
    static struct sy_roster roster;
    struct sy_hash a;
    struct sy_hash b;
    struct sy_hash network = test_hash(1);
    roster = genesis.roster;
    sy_roster_hash(&a, &genesis.hash, &roster);
    sy_roster_hash(&b, &network, &roster);
    assert_false(sy_hash_equal(&a, &b));
    roster.epoch = 1;
    sy_roster_hash(&b, &genesis.hash, &roster);
    assert_false(sy_hash_equal(&a, &b));
    roster.epoch = 0;
    roster.validators[6].client_address[6] = '2';
    sy_roster_hash(&b, &genesis.hash, &roster);
    assert_false(sy_hash_equal(&a, &b));
}

static void assert_refused(const struct sy_roster *roster, const char *expected)
{
    static uint8_t bytes[SY_ROSTER_BYTES_MAX];
    static struct sy_roster back;
    assert_int_equal(sy_roster_check(roster, &err), SY_ERR_ARGUMENT);
    if (!strstr(err.text, expected)) fail_msg("\"%s\" does not say %s", err.text, expected);
    assert_int_equal(sy_roster_check(roster, NULL), SY_ERR_ARGUMENT);
    // The decoder keeps the same rules.
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_roster_encode(&w, roster);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(w.failed || !sy_roster_decode(&r, &back));
}

static struct sy_roster *fresh(void)
{
    static struct sy_roster roster;
    roster = genesis.roster;
    return &roster;
}

CASE(roster_has_4_to_100_validators)
{
    struct sy_roster *roster = fresh();
    roster->count = 3;
    assert_refused(roster, "3 validators");
    roster->count = 0;
    assert_refused(roster, "0 validators");
    roster->count = 101;
    assert_refused(roster, "101 validators");
    roster->count = 4;
    assert_int_equal(sy_roster_check(roster, NULL), SY_OK);
}

CASE(names_are_printable_and_different)
{
    static const char *const bad[] = {"",          " leading",   "trailing ",
                                      "tab\there", "\xC3\xBCwe", "del\x7F"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sy_roster *roster = fresh();
        (void)snprintf(roster->validators[2].name, sizeof roster->validators[2].name, "%s", bad[i]);
        assert_refused(roster, "validator 2");
    }
    struct sy_roster *roster = fresh();
    memcpy(roster->validators[5].name, roster->validators[1].name, SY_NAME_BYTES_MAX);
    assert_refused(roster, "validators 1 and 5");
    roster = fresh();
    // No terminator: only a caller's struct can be so, bytes cannot.
    memset(roster->validators[0].name, 'x', sizeof roster->validators[0].name);
    assert_int_equal(sy_roster_check(roster, NULL), SY_ERR_ARGUMENT);
}

/* What links refuse would stop every validator at once when the roster takes effect. */
CASE(addresses_are_what_links_can_dial)
{
    static const char *const bad[] = {"",
                                      "host",
                                      "tcp://host",
                                      "tcp://host:",
                                      "tcp://host:0",
                                      "tcp://host:65536",
                                      "tcp://host:080",
                                      "tcp://:27100",
                                      "tcp://ho st:27100",
                                      "tcp://host:27100 ",
                                      "tcp://host:-1",
                                      "tcp://host:27100/x",
                                      "127.0.0.1:27100",
                                      "node.example.org:27100",
                                      "http://host:27100",
                                      "tcp://[::1]:27100",
                                      "tcp://*:27100",
                                      "tcp://eth0;host:27100"};
    static const char *const fine[] = {"tcp://127.0.0.1:1", "tcp://node.example.org:65535",
                                       "tcp://node_7-b:27100"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sy_roster *roster = fresh();
        struct sy_validator *validator = &roster->validators[3];
        (void)snprintf(validator->bulk_address, sizeof validator->bulk_address, "%s", bad[i]);
        assert_refused(roster, "bulk_address of validator 3");
    }
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        struct sy_roster *roster = fresh();
        struct sy_validator *validator = &roster->validators[3];
        (void)snprintf(validator->client_address, sizeof validator->client_address, "%s", fine[i]);
        if (sy_roster_check(roster, &err) != SY_OK) fail_msg("%s", err.text);
    }
}

CASE(no_key_stands_twice_whatever_its_role)
{
    struct sy_roster *roster = fresh();
    roster->validators[4].link_key = roster->validators[1].consensus_key;
    assert_refused(roster, "validators 1 and 4");
    roster = fresh();
    roster->validators[2].admin_key = roster->validators[2].link_key;
    assert_refused(roster, "validators 2 and 2");
}

CASE(zero_byte_inside_a_name_is_no_second_form)
{
    static uint8_t bytes[SY_ROSTER_BYTES_MAX];
    static struct sy_roster back;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_roster_encode(&w, &genesis.roster);
    size_t last_of_name = 4 + 2 + 2 + strlen(genesis.roster.validators[0].name) - 1;
    bytes[last_of_name] = 0;
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_false(sy_roster_decode(&r, &back));
    assert_string_equal(r.what, "roster.name");
}

/* --- genesis ------------------------------------------------------------------------------- */

static struct sy_genesis *fresh_genesis(void)
{
    static struct sy_genesis copy;
    copy = genesis;
    return &copy;
}

static void assert_genesis_refused(struct sy_genesis *bad, sy_status status, const char *expected)
{
    static uint8_t bytes[SY_GENESIS_BYTES_MAX];
    static struct sy_genesis back;
    assert_int_equal(sy_genesis_seal(bad, &err), status);
    if (!strstr(err.text, expected)) fail_msg("\"%s\" does not say %s", err.text, expected);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_genesis_encode(&w, bad);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(w.failed || !sy_genesis_decode(&r, &back));
}

CASE(genesis_comes_back_with_its_hash)
{
    static uint8_t bytes[SY_GENESIS_BYTES_MAX];
    static struct sy_genesis back;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_genesis_encode(&w, &genesis);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(sy_genesis_decode(&r, &back));
    assert_true(sy_reader_done(&r));
    assert_true(sy_hash_equal(&back.hash, &genesis.hash));
    assert_int_equal(back.params.regulators_needed, genesis.params.regulators_needed);
    assert_int_equal(back.params.credential_ms_max, genesis.params.credential_ms_max);
    assert_int_equal(back.params.record_bytes_max, genesis.params.record_bytes_max);
    assert_int_equal(back.regulator_count, 2);
    assert_true(sy_public_key_equal(&back.regulators[1], &genesis.regulators[1]));
    assert_ptr_equal(sy_network_tag(&back), back.hash.bytes);
}

CASE(genesis_hash_is_over_the_canonical_form)
{
    static uint8_t preimage[2 + 32 + SY_GENESIS_BYTES_MAX];
    struct sy_hash expected;
    struct sy_writer w = sy_writer_of(preimage + 34, SY_GENESIS_BYTES_MAX);
    preimage[0] = 0x02;
    preimage[1] = SY_DIGEST_GENESIS;
    sy_genesis_encode(&w, &genesis);
    sy_sha256(&expected, preimage, 34 + w.used);
    assert_true(sy_hash_equal(&genesis.hash, &expected));
}

CASE(every_member_of_a_genesis_moves_its_hash)
{
    struct sy_genesis *copy = fresh_genesis();
    copy->created_ms++;
    assert_int_equal(sy_genesis_seal(copy, NULL), SY_OK);
    assert_false(sy_hash_equal(&copy->hash, &genesis.hash));
    copy = fresh_genesis();
    copy->params.record_bytes_max--;
    assert_int_equal(sy_genesis_seal(copy, NULL), SY_OK);
    assert_false(sy_hash_equal(&copy->hash, &genesis.hash));
    copy = fresh_genesis();
    copy->regulators[0] = genesis.regulators[1];
    copy->regulators[1] = genesis.regulators[0];
    assert_int_equal(sy_genesis_seal(copy, NULL), SY_OK);
    assert_false(sy_hash_equal(&copy->hash, &genesis.hash));
}

CASE(genesis_numbers_have_bounds)
{
    struct sy_genesis *bad = fresh_genesis();
    bad->format = 2;
    assert_genesis_refused(bad, SY_ERR_VERSION, "format 2");
    bad = fresh_genesis();
    bad->protocol = 9;
    assert_genesis_refused(bad, SY_ERR_VERSION, "protocol 9");
    bad = fresh_genesis();
    bad->created_ms = 0;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "created_ms");
    bad = fresh_genesis();
    bad->created_ms = SY_TIME_MS_MAX + 1;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "created_ms");
    bad = fresh_genesis();
    bad->params.regulators_needed = 3; // of two
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "regulators_needed");
    bad = fresh_genesis();
    bad->params.regulators_needed = 0;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "regulators_needed");
    bad = fresh_genesis();
    bad->params.credential_ms_max = 6ll * 366 * 24 * 3600 * 1000;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "credential_ms_max");
    bad = fresh_genesis();
    bad->params.credential_ms_max = -1;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "credential_ms_max");
    bad = fresh_genesis();
    bad->params.record_bytes_max = SY_RECORD_BYTES_MAX + 1;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "record_bytes_max");
    bad = fresh_genesis();
    bad->roster.epoch = 1;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "epoch");
    bad = fresh_genesis();
    bad->roster.count = 2;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "2 validators");
}

CASE(regulators_keys_are_nobody_elses)
{
    struct sy_genesis *bad = fresh_genesis();
    bad->regulators[1] = bad->regulators[0];
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "regulator 1");
    bad = fresh_genesis();
    bad->regulators[0] = bad->roster.validators[6].admin_key;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "regulator 0");
    bad = fresh_genesis();
    bad->params.regulators_needed = 1;
    bad->regulator_count = SY_REGULATORS_MAX + 1;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "17 regulators");
    bad = fresh_genesis();
    bad->regulator_count = 0;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "regulators");
}

// The identity point verifies signatures that nobody made.
CASE(weak_keys_found_no_network)
{
    static const struct sy_public_key identity = {{1}};
    struct sy_genesis *bad = fresh_genesis();
    bad->regulators[1] = identity;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "regulator 1");
    bad = fresh_genesis();
    bad->roster.validators[3].consensus_key = identity;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "consensus_key of validator 3");
    bad = fresh_genesis();
    bad->roster.validators[2].link_key = identity;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "link_key of validator 2");
    bad = fresh_genesis();
    bad->roster.validators[1].admin_key = identity;
    assert_genesis_refused(bad, SY_ERR_ARGUMENT, "admin_key of validator 1");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(quorums_intersect_in_a_correct_validator_for_any_n),
        cmocka_unit_test(quorums_of_small_rosters),
        cmocka_unit_test(roster_finds_validators_by_consensus_key_only),
        cmocka_unit_test(roster_comes_back_from_its_bytes),
        cmocka_unit_test(largest_roster_fits_the_room_that_its_limit_promises),
        cmocka_unit_test(roster_hash_names_network_epoch_and_members),
        cmocka_unit_test(roster_has_4_to_100_validators),
        cmocka_unit_test(names_are_printable_and_different),
        cmocka_unit_test(addresses_are_what_links_can_dial),
        cmocka_unit_test(no_key_stands_twice_whatever_its_role),
        cmocka_unit_test(zero_byte_inside_a_name_is_no_second_form),
        cmocka_unit_test(genesis_comes_back_with_its_hash),
        cmocka_unit_test(genesis_hash_is_over_the_canonical_form),
        cmocka_unit_test(every_member_of_a_genesis_moves_its_hash),
        cmocka_unit_test(genesis_numbers_have_bounds),
        cmocka_unit_test(regulators_keys_are_nobody_elses),
        cmocka_unit_test(weak_keys_found_no_network),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
