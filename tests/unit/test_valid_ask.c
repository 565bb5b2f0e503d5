/* test_valid_ask.c: asking how a credential stood at a time, while validators hide the blocks that
 * came since.
 * ctest: threaded */
#include "core/client/valid.h"
#include "tests/support/test.h"
#include "tests/support/witness.h"

static struct witnesses all;
static struct sy_valid_asked asked;
static struct sy_error err;

/* At a time that no block has reached. Nobody's key: who is not enrolled was not. */
static sy_status ask(sy_asker *asker)
{
    struct sy_public_key nobody = test_public(399);
    uint64_t at = SY_AT_TIME_FROM_MS * 4;
    return sy_valid_ask(&asked, asker, &nobody, at, SY_PURPOSE_AUDIT, test_key(300), 0, &err);
}

static sy_asker *begin_asking(void)
{
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    return witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS);
}

/* Where n say that the newest is this one, and show no later one. */
static void hide_behind(unsigned n, unsigned told)
{
    for (unsigned i = 0; i < n; i++) {
        atomic_store(&all.of[i].told, told);
        atomic_store(&all.of[i].shown, told);
    }
}

CASE(one_honest_validator_shows_the_last_block)
{
    sy_asker *asker = begin_asking();
    hide_behind(3, 4);
    if (ask(asker) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(asked.valid.block.height, all.block.header.height);
    assert_int_equal(asked.verdict, SY_AT_NOT_ENROLLED);
    assert_false(asked.has_next);
    sy_valid_asked_free(&asked);
    sy_asker_close(asker);
}

/* All hide it, and the entries prove that there are more: that is no answer. */
CASE(what_entries_prove_to_have_come_is_not_overlooked)
{
    sy_asker *asker = begin_asking();
    hide_behind(WITNESSES, (unsigned)all.block.header.height - 1);
    assert_int_equal(ask(asker), SY_ERR_BUSY);
    assert_non_null(strstr(err.text, "nobody shows"));
    sy_valid_asked_free(&asked);
    sy_asker_close(asker);
}

/* More blocks come behind the newest than are followed: none of them is judged at. */
CASE(a_newest_block_that_is_far_behind_is_no_answer)
{
    sy_asker *asker = begin_asking();
    for (unsigned i = 0; i < WITNESSES; i++) atomic_store(&all.of[i].shown, 200);
    assert_int_equal(ask(asker), SY_ERR_BUSY);
    assert_non_null(strstr(err.text, "before that time"));
    sy_valid_asked_free(&asked);
    sy_asker_close(asker);
}

/* Nobody has pruned what comes behind all that is proven. */
CASE(one_that_claims_to_have_pruned_the_next_block_is_overheard)
{
    for (unsigned liar = 0; liar < WITNESSES; liar++) {
        sy_asker *asker = begin_asking();
        atomic_store(&all.of[liar].mode, WITNESS_PRUNED);
        sy_asker_expect(asker, all.block.header.height);
        if (ask(asker) != SY_OK) fail_msg("%s", err.text);
        assert_int_equal(asked.valid.block.height, all.block.header.height);
        sy_valid_asked_free(&asked);
        sy_asker_close(asker);
    }
}

/* Of an old block that may be so. */
CASE(a_block_that_may_be_pruned_is_no_last_one)
{
    sy_asker *asker = begin_asking();
    witnesses_set(&all, WITNESS_PRUNED, WITNESSES);
    hide_behind(WITNESSES, 4);
    sy_asker_expect(asker, all.block.header.height);
    struct sy_public_key nobody = test_public(399);
    assert_int_equal(
        sy_valid_ask(&asked, asker, &nobody, 4, SY_PURPOSE_AUDIT, test_key(300), 0, &err),
        SY_ERR_PRUNED);
    unsigned all_asked = 0;
    for (unsigned i = 0; i < WITNESSES; i++) all_asked += atomic_load(&all.of[i].asked);
    assert_int_equal(all_asked, 1 + WITNESSES); // block 4, and block 5 of all; no entry
    sy_valid_asked_free(&asked);
    sy_asker_close(asker);
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
    witnesses_stop(&all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(one_honest_validator_shows_the_last_block),
        cmocka_unit_test(what_entries_prove_to_have_come_is_not_overlooked),
        cmocka_unit_test(a_newest_block_that_is_far_behind_is_no_answer),
        cmocka_unit_test(one_that_claims_to_have_pruned_the_next_block_is_overheard),
        cmocka_unit_test(a_block_that_may_be_pruned_is_no_last_one),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
