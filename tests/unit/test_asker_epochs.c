/* test_asker_epochs.c: a client that knows the genesis alone, and a network two changes of its
 * roster later: it follows by handovers, whoever lies about them, and speaks to whom the newest
 * roster names.
 * ctest: threaded */
#include "tests/support/test.h"

#include <stdio.h>

#include "core/client/asker.h"
#include "core/wire/state.h"
#include "tests/support/witness.h"

#define NOBODY (WITNESSES + 1)

static struct witnesses all;
static struct sy_proven answer;
static struct sy_error err;

static sy_asker *open_asker_of(const char *validator)
{
    return witnesses_ask(&all, validator, WITNESS_PATIENCE_MS);
}

static sy_asker *open_asker(int validator)
{
    return open_asker_of(validator < 0 ? NULL
                                       : all.block.genesis.roster.validators[validator].name);
}

static sy_status read_state(sy_asker *asker)
{
    struct sy_read_request read = witness_read(92);
    err.text[0] = '\0';
    return sy_asker_read(asker, &answer, &read, test_key(300), 0, &err);
}

static sy_status read_block(sy_asker *asker)
{
    static struct sy_client_block block;
    err.text[0] = '\0';
    return sy_asker_block(asker, &block, all.block.header.height, &err);
}

static sy_status settle(sy_asker *asker)
{
    uint16_t code;
    err.text[0] = '\0';
    return sy_asker_settle(asker, &answer, &code, all.block.txs[1], true, WITNESS_PATIENCE_MS,
                           &err);
}

/* A kept answer is proof to anybody who has the genesis. */
static void assert_kept(void)
{
    const char *what = "";
    if (!sy_proof_verify(&answer.proof, &all.block.genesis, NULL, &what)) fail_msg("%s", what);
    assert_int_equal(answer.proof.header.epoch, WITNESS_EPOCH);
    assert_int_equal(answer.proof.handovers.size, all.epochs.ends[WITNESS_EPOCH]);
}

static void assert_followed(const sy_asker *asker)
{
    const struct sy_roster *newest = sy_epochs_newest(sy_asker_epochs(asker));
    assert_memory_equal(newest, &all.epochs.rosters[WITNESS_EPOCH], sizeof *newest);
}

/* One way for each of the answers that are certified. */
static sy_status (*const ways[])(sy_asker *asker) = {read_state, read_block, settle};
#define WAYS (sizeof ways / sizeof ways[0])

CASE(every_answer_makes_the_client_follow)
{
    for (size_t way = 0; way < WAYS; way++) {
        sy_asker *asker = open_asker(-1);
        witnesses_set(&all, WITNESS_TRUE, NOBODY);
        if (ways[way](asker) != SY_OK) fail_msg("way %zu: %s", way, err.text);
        assert_followed(asker);
        if (ways[way] != read_block) assert_kept();
        sy_asker_close(asker);
    }
}

static void lie_about_handovers(enum witness_mode mode, unsigned but)
{
    witnesses_set(&all, WITNESS_TRUE, NOBODY);
    for (unsigned i = 0; i < all.count; i++) {
        if (i != but) atomic_store(&all.of[i].handovers, (int)mode);
    }
}

static const enum witness_mode lies[] = {WITNESS_GARBLED, WITNESS_OTHER, WITNESS_DENIES,
                                         WITNESS_NONSENSE, WITNESS_BUSY};
#define LIES (sizeof lies / sizeof lies[0])

CASE(one_that_shows_true_handovers_is_enough)
{
    for (size_t m = 0; m < LIES; m++) {
        for (size_t way = 0; way < WAYS; way++) {
            sy_asker *asker = open_asker(-1);
            lie_about_handovers(lies[m], (unsigned)((m + way) % WITNESSES));
            if (ways[way](asker) != SY_OK) fail_msg("lie %zu, way %zu: %s", m, way, err.text);
            assert_followed(asker);
            sy_asker_close(asker);
        }
    }
}

CASE(nobody_who_shows_true_handovers_is_no_answer)
{
    for (size_t m = 0; m < LIES; m++) {
        sy_asker *asker = open_asker(-1);
        lie_about_handovers(lies[m], NOBODY);
        assert_int_equal(read_state(asker), SY_ERR_CRYPTO);
        assert_int_equal(read_block(asker), SY_ERR_CRYPTO);
        // Every one of those asked is named.
        for (unsigned i = 0; i < WITNESSES; i++) {
            assert_non_null(strstr(err.text, all.block.genesis.roster.validators[i].name));
        }
        if (lies[m] != WITNESS_GARBLED) {
            assert_int_equal(sy_epochs_newest(sy_asker_epochs(asker))->epoch, 0);
        }
        sy_asker_close(asker);
    }
}

CASE(those_who_came_later_are_asked_and_those_of_another_key_are_not)
{
    sy_asker *asker = open_asker(-1);
    witnesses_set(&all, WITNESS_TRUE, NOBODY);
    assert_int_equal(sy_asker_learn(asker, &err), SY_OK);
    assert_followed(asker);
    // Only validator 4, whom the genesis does not know, helps from now on.
    witnesses_set(&all, WITNESS_DENIES, WITNESSES);
    sy_client *client = NULL;
    if (sy_asker_client(asker, &client, WITNESSES, &err) != SY_OK) fail_msg("%s", err.text);
    if (settle(asker) != SY_OK) fail_msg("%s", err.text);
    assert_kept();
    assert_true(atomic_load(&all.of[WITNESSES].asked) > 0);
    // Validator 1 has its old link key there, which is no longer anybody's.
    assert_int_equal(sy_asker_client(asker, &client, 1, &err), SY_ERR_PERMISSION);
    assert_int_equal(atomic_load(&all.of[1].asked), 0);
    sy_asker_close(asker);
}

CASE(one_asked_alone_is_followed_by_its_name)
{
    sy_asker *asker = open_asker(3);
    witnesses_set(&all, WITNESS_TRUE, NOBODY);
    assert_int_equal(read_state(asker), SY_OK);
    assert_int_equal(read_state(asker), SY_OK);
    for (unsigned i = 0; i < all.count; i++) {
        assert_int_equal(atomic_load(&all.of[i].asked) > 0, i == 3);
    }
    sy_asker_close(asker);
}

CASE(one_who_came_later_can_be_asked_alone)
{
    sy_asker *asker = open_asker_of("validator 4");
    witnesses_set(&all, WITNESS_TRUE, NOBODY);
    if (read_state(asker) != SY_OK) fail_msg("%s", err.text);
    assert_true(atomic_load(&all.of[WITNESSES].asked) > 0);
    sy_asker_close(asker);
    asker = open_asker_of("validator 9");
    assert_int_equal(read_state(asker), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "no such name as 'validator 9'"));
    sy_asker_close(asker);
}

/* Keys that have left can sign whatever they like. */
CASE(a_roster_of_before_certifies_nothing_new)
{
    struct sy_header header = all.block.header;
    struct sy_certificate certificate = all.block.certificate;
    sy_asker *knowing = open_asker(-1);
    witnesses_set(&all, WITNESS_TRUE, NOBODY);
    assert_int_equal(sy_asker_learn(knowing, &err), SY_OK);
    for (unsigned epoch = 0; epoch < WITNESS_EPOCH; epoch++) {
        all.block.header.epoch = epoch;
        test_certify(&all.block.certificate, &all.block.genesis.hash, &all.epochs.rosters[epoch],
                     &all.block.header);
        assert_int_equal(read_state(knowing), SY_ERR_CRYPTO);
        assert_int_equal(read_block(knowing), SY_ERR_CRYPTO);
    }
    all.block.header = header;
    all.block.certificate = certificate;
    assert_int_equal(read_state(knowing), SY_OK);
    sy_asker_close(knowing);
}

static int begin(void **state)
{
    (void)state;
    witnesses_start_late(&all);
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
        cmocka_unit_test(every_answer_makes_the_client_follow),
        cmocka_unit_test(one_that_shows_true_handovers_is_enough),
        cmocka_unit_test(nobody_who_shows_true_handovers_is_no_answer),
        cmocka_unit_test(those_who_came_later_are_asked_and_those_of_another_key_are_not),
        cmocka_unit_test(one_asked_alone_is_followed_by_its_name),
        cmocka_unit_test(one_who_came_later_can_be_asked_alone),
        cmocka_unit_test(a_roster_of_before_certifies_nothing_new),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
