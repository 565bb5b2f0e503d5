/* test_asker.c: nothing is believed from one validator: whatever the others do, one that tells the
 * truth is enough, and what nobody can prove is believed only when all say it.
 * ctest: threaded */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/asker.h"
#include "core/wire/state.h"
#include "tests/support/witness.h"

static struct witnesses all;
static struct sy_proven answer;

static sy_asker *open_asker(int call_ms, int validator)
{
    return witnesses_ask(
        &all, validator < 0 ? NULL : all.block.genesis.roster.validators[validator].name, call_ms);
}

static struct sy_hash tx_id(unsigned number)
{
    struct sy_tx tx;
    struct sy_hash id;
    assert_int_equal(sy_tx_decode(&tx, NULL, all.block.txs[number], NULL), SY_APPLIED);
    sy_tx_id(&id, &tx);
    return id;
}

/* Modes that never give a proven answer, and answer at once. */
static const enum witness_mode quick_modes[] = {WITNESS_BUSY, WITNESS_GARBLED, WITNESS_OTHER,
                                                WITNESS_DENIES, WITNESS_NONSENSE};
#define QUICK_MODES (sizeof quick_modes / sizeof quick_modes[0])

CASE(one_that_tells_the_truth_is_enough_for_a_read)
{
    struct sy_read_request read = witness_read(92);
    for (size_t m = 0; m < QUICK_MODES; m++) {
        struct sy_error err = {SY_OK, ""};
        sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
        witnesses_set(&all, quick_modes[m], (unsigned)(m % WITNESSES));
        if (sy_asker_read(asker, &answer, &read, test_key(300), 0, &err) != SY_OK) {
            fail_msg("mode %d: %s", (int)quick_modes[m], err.text);
        }
        assert_true(answer.proof.state.present);
        assert_true(sy_slice_equal(answer.proof.state.value, all.block.state[2].value));
        sy_asker_close(asker);
    }
}

CASE(one_that_tells_the_truth_is_enough_for_a_receipt)
{
    for (size_t m = 0; m < QUICK_MODES; m++) {
        struct sy_error err = {SY_OK, ""};
        sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
        struct sy_read_request read = {
            .subject = SY_READ_TX, .id = tx_id(3), .purpose = SY_PURPOSE_AUDIT};
        witnesses_set(&all, quick_modes[m], (unsigned)((m + 1) % WITNESSES));
        if (sy_asker_read(asker, &answer, &read, test_key(300), 0, &err) != SY_OK) {
            fail_msg("mode %d: %s", (int)quick_modes[m], err.text);
        }
        assert_int_equal(answer.receipt.index, 3);
        assert_true(answer.proof.receipt.with_tx);
        sy_asker_close(asker);
    }
}

CASE(one_that_tells_the_truth_is_enough_for_a_block)
{
    for (size_t m = 0; m < QUICK_MODES; m++) {
        struct sy_error err = {SY_OK, ""};
        static struct sy_client_block block;
        struct sy_block_ids ids;
        sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
        unsigned honest = (unsigned)((m + 2) % WITNESSES);
        witnesses_set(&all, quick_modes[m], honest);
        if (sy_asker_block(asker, &block, all.block.header.height, &err) != SY_OK) {
            fail_msg("mode %d: %s", (int)quick_modes[m], err.text);
        }
        assert_int_equal(block.order.count, all.block.proposal.count);
        // A list of ids that one validator tells is marked as its own: a changed id is no proof.
        if (quick_modes[m] == WITNESS_GARBLED) {
            sy_asker_close(asker);
            continue;
        }
        if (sy_asker_ids(asker, &ids, all.block.header.height, SY_PURPOSE_AUDIT, test_key(300),
                         &err) != SY_OK) {
            fail_msg("mode %d: %s", (int)quick_modes[m], err.text);
        }
        assert_int_equal(ids.count, TEST_BLOCK_TXS);
        for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
            struct sy_hash id = tx_id(i);
            assert_true(sy_hash_equal(&ids.ids[i], &id));
        }
        assert_string_equal(ids.told_by, all.block.genesis.roster.validators[honest].name);
        sy_block_ids_free(&ids);
        sy_asker_close(asker);
    }
}

CASE(one_that_tells_the_truth_is_enough_to_settle)
{
    for (size_t m = 0; m < QUICK_MODES; m++) {
        struct sy_error err = {SY_OK, ""};
        uint16_t code;
        sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
        witnesses_set(&all, quick_modes[m], (unsigned)(m % WITNESSES));
        if (sy_asker_settle(asker, &answer, &code, all.block.txs[1], true, WITNESS_PATIENCE_MS,
                            &err) != SY_OK) {
            fail_msg("mode %d: %s", (int)quick_modes[m], err.text);
        }
        assert_int_equal(answer.receipt.index, 1);
        const char *what = "";
        assert_true(sy_proof_verify(&answer.proof, &all.block.genesis, NULL, &what));
        sy_asker_close(asker);
    }
}

CASE(a_silent_validator_costs_time_and_nothing_else)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_read_request read = witness_read(94);
    sy_asker *asker = open_asker(3000, -1);
    witnesses_set(&all, WITNESS_SILENT, 2);
    sy_status status = SY_ERR_NETWORK;
    // On a busy machine the honest one may be late too.
    for (unsigned i = 0; i < 20 && status != SY_OK; i++) {
        status = sy_asker_read(asker, &answer, &read, test_key(300), 0, &err);
    }
    if (status != SY_OK) fail_msg("%s", err.text);
    assert_true(answer.proof.state.present);
    sy_asker_close(asker);
}

CASE(what_is_absent_is_proven_absent)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_read_request read = witness_read(5555);
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    witnesses_set(&all, WITNESS_DENIES, 3);
    if (sy_asker_read(asker, &answer, &read, test_key(300), 0, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    assert_false(answer.proof.state.present);
    sy_asker_close(asker);
}

CASE(a_denial_is_believed_only_when_all_deny)
{
    struct sy_error err = {SY_OK, ""};
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    struct sy_read_request read = {
        .subject = SY_READ_RECEIPT, .id = tx_id(0), .purpose = SY_PURPOSE_AUDIT};
    uint16_t code;
    witnesses_set(&all, WITNESS_DENIES, WITNESSES);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err),
                     SY_ERR_NOT_FOUND);
    for (unsigned i = 0; i < WITNESSES; i++) assert_int_equal(atomic_load(&all.of[i].asked), 1);
    assert_int_equal(sy_asker_submit(asker, &code, all.block.txs[0], &err), SY_ERR_PERMISSION);
    assert_int_equal(code, SY_E_VERSION);
    assert_non_null(strstr(err.text, "E_VERSION"));
    sy_asker_close(asker);
}

CASE(ids_are_refused_only_when_all_refuse)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_block_ids ids;
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    witnesses_set(&all, WITNESS_DENIES, WITNESSES);
    assert_int_equal(sy_asker_ids(asker, &ids, 7, SY_PURPOSE_AUDIT, test_key(300), &err),
                     SY_ERR_PERMISSION);
    assert_null(ids.ids);
    for (unsigned i = 0; i < WITNESSES; i++) assert_int_equal(atomic_load(&all.of[i].asked), 1);
    witnesses_set(&all, WITNESS_OTHER, WITNESSES);
    assert_int_equal(sy_asker_ids(asker, &ids, 7, SY_PURPOSE_AUDIT, test_key(300), &err),
                     SY_ERR_FORMAT);
    sy_asker_close(asker);
}

CASE(a_denial_is_none_while_somebody_has_pruned)
{
    struct sy_error err = {SY_OK, ""};
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    struct sy_read_request read = {
        .subject = SY_READ_RECEIPT, .id = tx_id(0), .purpose = SY_PURPOSE_AUDIT};
    witnesses_set(&all, WITNESS_DENIES, WITNESSES);
    atomic_store(&all.of[1].mode, WITNESS_PRUNED);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_ERR_PRUNED);
    assert_non_null(strstr(err.text, "pruned at 7"));
    for (unsigned i = 0; i < WITNESSES; i++) assert_int_equal(atomic_load(&all.of[i].asked), 1);
    sy_asker_close(asker);
}

CASE(nobody_who_tells_the_truth_is_no_answer)
{
    static const struct {
        enum witness_mode mode;
        sy_status status;
        const char *words;
    } modes[] = {
        {WITNESS_GARBLED, SY_ERR_CRYPTO, "does not hold"},
        {WITNESS_OTHER, SY_ERR_CRYPTO, "something else than was asked"},
        {WITNESS_NONSENSE, SY_ERR_FORMAT, "not canonical"},
        {WITNESS_BUSY, SY_ERR_BUSY, "too much to do"},
    };
    struct sy_read_request read = witness_read(92);
    for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        struct sy_error err = {SY_OK, ""};
        sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
        witnesses_set(&all, modes[m].mode, WITNESSES);
        assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err),
                         modes[m].status);
        if (!strstr(err.text, modes[m].words)) fail_msg("%s", err.text);
        // Every one of them is named.
        for (unsigned i = 0; i < WITNESSES; i++) {
            assert_non_null(strstr(err.text, all.block.genesis.roster.validators[i].name));
        }
        sy_asker_close(asker);
    }
}

CASE(a_state_that_is_old_is_not_taken_for_the_present)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_read_request read = witness_read(92);
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 60000, &err),
                     SY_ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "s ago"));
    // A receipt does not grow old.
    read = (struct sy_read_request){
        .subject = SY_READ_RECEIPT, .id = tx_id(2), .purpose = SY_PURPOSE_AUDIT};
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 60000, &err), SY_OK);
    sy_asker_close(asker);
}

CASE(a_state_from_before_what_is_known_is_not_taken)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_read_request read = witness_read(92);
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    uint64_t height = all.block.header.height;
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    sy_asker_expect(asker, height);
    sy_asker_expect(asker, height - 1); // it never falls
    assert_int_equal(sy_asker_expected(asker), height);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    sy_asker_expect(asker, height + 1);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "is known"));
    read = (struct sy_read_request){
        .subject = SY_READ_RECEIPT, .id = tx_id(2), .purpose = SY_PURPOSE_AUDIT};
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    sy_asker_close(asker);
}

CASE(the_newest_block_is_none_from_before_what_is_known)
{
    struct sy_error err = {SY_OK, ""};
    static struct sy_client_block block;
    unsigned height = (unsigned)all.block.header.height;
    for (unsigned honest = 0; honest < WITNESSES; honest++) {
        sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
        witnesses_set(&all, WITNESS_TRUE, WITNESSES);
        for (unsigned i = 0; i < WITNESSES; i++) {
            if (i != honest) atomic_store(&all.of[i].told, height - 1);
        }
        sy_asker_expect(asker, height);
        assert_int_equal(sy_asker_block(asker, &block, SY_HEIGHT_NEWEST, &err), SY_OK);
        assert_int_equal(block.header.height, height);
        // One that is asked for by its height is what it is.
        assert_int_equal(sy_asker_block(asker, &block, height - 1, &err), SY_OK);
        assert_int_equal(block.header.height, height - 1);
        if (honest == 0) {
            sy_asker_expect(asker, height + 1);
            assert_int_equal(sy_asker_block(asker, &block, SY_HEIGHT_NEWEST, &err), SY_ERR_TIMEOUT);
            assert_non_null(strstr(err.text, "is known"));
        }
        sy_asker_close(asker);
    }
}

CASE(what_is_not_final_in_time_is_unknown)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_awaited unknown = test_block_awaited(&all.block, 1);
    unknown.witness.bytes[31] ^= 0x80; /* only who has the transaction is told */
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    assert_int_equal(sy_asker_wait(asker, &answer, &unknown, false, 300, &err), SY_ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "unknown"));
    unknown = test_block_awaited(&all.block, 1);
    assert_int_equal(sy_asker_wait(asker, &answer, &unknown, false, WITNESS_PATIENCE_MS, &err),
                     SY_OK);
    sy_asker_close(asker);
}

CASE(the_validator_asked_for_is_the_only_one_asked)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_read_request read = witness_read(92);
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, 1);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    atomic_store(&all.of[1].mode, WITNESS_DENIES);
    read.subject = SY_READ_RECEIPT;
    read.state_kind = 0;
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err),
                     SY_ERR_NOT_FOUND);
    for (unsigned i = 0; i < WITNESSES; i++) {
        assert_int_equal(atomic_load(&all.of[i].asked), i == 1 ? 1 : 0);
    }
    sy_asker_close(asker);
}

/* It is in no roster, and what it says is checked like a validator's words. */
CASE(an_observer_is_asked_by_name_and_believed_no_more_than_others)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_read_request read = witness_read(92);
    struct sy_client_observer observers[2] = {{.name = "absent"}, {.name = "replica"}};
    observers[0].link_key = all.block.genesis.roster.validators[0].link_key;
    observers[1].link_key = all.block.genesis.roster.validators[1].link_key;
    (void)snprintf(observers[0].address, sizeof observers[0].address, "%s", all.addresses[1]);
    (void)snprintf(observers[1].address, sizeof observers[1].address, "%s", all.addresses[1]);
    struct sy_asker_config config = {.genesis = &all.block.genesis,
                                     .addresses = all.addresses,
                                     .validator = "replica",
                                     .observers = observers,
                                     .observer_count = 2,
                                     .call_ms = WITNESS_PATIENCE_MS};
    sy_asker *asker = NULL;
    witnesses_set(&all, WITNESS_DENIES, WITNESSES); /* they are not asked */
    atomic_store(&all.of[1].mode, WITNESS_TRUE);
    assert_int_equal(sy_asker_open(&asker, &config, &err), SY_OK);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    atomic_store(&all.of[1].mode, WITNESS_GARBLED);
    assert_int_not_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    assert_non_null(strstr(err.text, "replica"));
    for (unsigned i = 0; i < WITNESSES; i++) {
        if (i != 1) assert_int_equal(atomic_load(&all.of[i].asked), 0);
    }
    sy_asker_close(asker);

    config.validator = "absent"; /* another key answers there */
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    assert_int_equal(sy_asker_open(&asker, &config, &err), SY_OK);
    assert_int_not_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    sy_asker_close(asker);
    config.validator = NULL; /* any validator, and no observer */
    assert_int_equal(sy_asker_open(&asker, &config, &err), SY_OK);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    sy_asker_close(asker);
}

/* What was kept is as good as what was told; what was cut off or changed is no proof. */
CASE(a_proof_that_was_kept_is_loaded_and_checked)
{
    struct sy_error err = {SY_OK, ""};
    static struct sy_proven kept;
    struct sy_read_request read = witness_read(92);
    char folder[256], path[300];
    test_folder(folder, sizeof folder, "asker");
    (void)snprintf(path, sizeof path, "%s/a.syproof", folder);
    sy_asker *asker = open_asker(WITNESS_PATIENCE_MS, -1);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    assert_int_equal(sy_asker_read(asker, &answer, &read, test_key(300), 0, &err), SY_OK);
    sy_asker_close(asker);
    assert_int_equal(sy_proven_load(&kept, path, &all.block.genesis, &err), SY_ERR_NOT_FOUND);
    for (size_t at = 0; at < answer.size; at += 1 + answer.size / 40) {
        assert_int_equal(sy_os_write_file(path, answer.bytes, at, 0600, &err), SY_OK);
        assert_int_equal(sy_proven_load(&kept, path, &all.block.genesis, &err), SY_ERR_FORMAT);
        assert_non_null(strstr(err.text, path));
    }
    assert_int_equal(sy_os_write_file(path, answer.bytes, answer.size, 0600, &err), SY_OK);
    if (sy_proven_load(&kept, path, &all.block.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(sy_slice_equal(kept.proof.state.value, all.block.state[2].value));
    // Sealed by nobody of this roster, and put together well.
    static uint8_t room[1u << 16];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    answer.proof.certificate.seals[0].signature.bytes[9] ^= 1;
    sy_proof_encode(&w, &answer.proof);
    assert_int_equal(sy_os_write_file(path, room, w.used, 0600, &err), SY_OK);
    assert_int_equal(sy_proven_load(&kept, path, &all.block.genesis, &err), SY_ERR_CRYPTO);
    assert_non_null(strstr(err.text, "does not hold"));
    sy_proven_free(&kept);
    assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
}

static int begin(void **state)
{
    (void)state;
    witnesses_start(&all);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sy_proven_free(&answer);
    witnesses_stop(&all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(one_that_tells_the_truth_is_enough_for_a_read),
        cmocka_unit_test(one_that_tells_the_truth_is_enough_for_a_receipt),
        cmocka_unit_test(one_that_tells_the_truth_is_enough_for_a_block),
        cmocka_unit_test(one_that_tells_the_truth_is_enough_to_settle),
        cmocka_unit_test(a_silent_validator_costs_time_and_nothing_else),
        cmocka_unit_test(what_is_absent_is_proven_absent),
        cmocka_unit_test(a_denial_is_believed_only_when_all_deny),
        cmocka_unit_test(ids_are_refused_only_when_all_refuse),
        cmocka_unit_test(a_denial_is_none_while_somebody_has_pruned),
        cmocka_unit_test(nobody_who_tells_the_truth_is_no_answer),
        cmocka_unit_test(a_state_that_is_old_is_not_taken_for_the_present),
        cmocka_unit_test(a_state_from_before_what_is_known_is_not_taken),
        cmocka_unit_test(the_newest_block_is_none_from_before_what_is_known),
        cmocka_unit_test(what_is_not_final_in_time_is_unknown),
        cmocka_unit_test(the_validator_asked_for_is_the_only_one_asked),
        cmocka_unit_test(an_observer_is_asked_by_name_and_believed_no_more_than_others),
        cmocka_unit_test(a_proof_that_was_kept_is_loaded_and_checked),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
