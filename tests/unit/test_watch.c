/* test_watch.c: whatever the others do, one validator that tells the truth is enough to be told
 * every notice, and nobody passes off another one, or silence, for the next.
 * ctest: threaded timeout=300 */
#include "core/client/watch.h"

#include "core/base/os.h"
#include "core/wire/state.h"
#include "tests/support/test.h"
#include "tests/support/witness.h"

/* In the block three transactions have one event each about patient 50: 1, 3 and 4. */
#define PATIENT 50u
#define FIRST 3u
#define LAST 4u

static struct witnesses all;
static struct test_entry entries[TEST_BLOCK_ENTRIES];
static uint8_t values[TEST_BLOCK_ENTRIES][256];

/* A state in which the patient has had four events. */
static int start(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEST_BLOCK_ENTRIES; i++) {
        struct sy_hash id = test_hash(PATIENT + i);
        struct sy_patient patient = {.organisation = test_hash(1), .events = LAST};
        struct sy_writer w = sy_writer_of(values[i], sizeof values[i]);
        sy_patient_encode(&w, &patient);
        assert_false(w.failed);
        sy_state_key_id(&entries[i].key_hash, SY_STATE_PATIENT, &id);
        entries[i].value = sy_writer_slice(&w);
    }
    witnesses_start_with(&all, entries);
    witnesses_set_time(&all, sy_os_wall_ms() + 3600000); // current for as long as any test runs
    return 0;
}

static int stop(void **state)
{
    (void)state;
    witnesses_stop(&all);
    return 0;
}

static sy_watch *open_watch(sy_asker *asker, uint64_t from)
{
    struct sy_error err = {SY_OK, ""};
    sy_watch *watch = NULL;
    const struct sy_watch_config config = {.asker = asker,
                                           .key = test_key(300),
                                           .subject_kind = SY_SUBJECT_PATIENT,
                                           .subject = test_hash(PATIENT),
                                           .from = from,
                                           .purpose = SY_PURPOSE_SELF};
    if (sy_watch_open(&watch, &config, &err) != SY_OK) fail_msg("%s", err.text);
    return watch;
}

CASE(one_that_tells_the_truth_is_enough_for_every_notice)
{
    static const enum witness_mode modes[] = {WITNESS_TRUE,     WITNESS_BUSY,   WITNESS_GARBLED,
                                              WITNESS_OTHER,    WITNESS_DENIES, WITNESS_PRUNED,
                                              WITNESS_NONSENSE, WITNESS_EMPTY,  WITNESS_HIDING};
    for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        for (unsigned honest = 0; honest < WITNESSES; honest++) {
            struct sy_error err = {SY_OK, ""};
            sy_asker *asker = witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS);
            witnesses_set(&all, modes[m], honest);
            sy_watch *watch = open_watch(asker, FIRST);
            for (uint64_t number = FIRST; number <= LAST; number++) {
                struct sy_notice notice;
                sy_status status = sy_watch_next(watch, &notice, WITNESS_PATIENCE_MS, &err);
                if (status != SY_OK) fail_msg("mode %d: %s", (int)modes[m], err.text);
                struct sy_hash object = test_hash(60 + (unsigned)number);
                assert_true(notice.number == number && notice.shown);
                assert_int_equal(notice.kind, SY_EVENT_RECORD_CREATED);
                assert_true(sy_hash_equal(&notice.object, &object));
                assert_true(notice.height == all.block.header.height);
                assert_true(notice.time_ms == all.block.header.time_ms);
            }
            assert_true(sy_watch_number(watch) == LAST + 1);
            assert_false(sy_watch_more(watch));
            if (modes[m] != WITNESS_TRUE) {
                assert_string_equal(sy_watch_told_by(watch),
                                    all.block.genesis.roster.validators[honest].name);
            }
            sy_watch_close(watch);
            sy_asker_close(asker);
        }
    }
}

/* However little time there is: a validator that says "nothing yet" does not end a watch. */
CASE(silence_of_some_does_not_pass_for_the_end)
{
    static const enum witness_mode modes[] = {WITNESS_EMPTY, WITNESS_HIDING};
    for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        for (unsigned honest = 0; honest < WITNESSES; honest++) {
            struct sy_error err = {SY_OK, ""};
            struct sy_notice notice;
            sy_asker *asker = witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS);
            witnesses_set(&all, modes[m], honest);
            sy_watch *watch = open_watch(asker, FIRST);
            for (uint64_t number = FIRST; number <= LAST; number++) {
                sy_status status = sy_watch_next(watch, &notice, 0, &err);
                if (status != SY_OK) fail_msg("mode %d: %s", (int)modes[m], err.text);
                assert_true(notice.number == number && notice.shown);
            }
            assert_int_equal(sy_watch_next(watch, &notice, 0, &err), SY_ERR_TIMEOUT);
            sy_watch_close(watch);
            sy_asker_close(asker);
        }
    }
}

static sy_status next_of(enum witness_mode mode, uint64_t from, int timeout_ms,
                         struct sy_error *err)
{
    struct sy_notice notice;
    sy_asker *asker = witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS);
    witnesses_set(&all, mode, WITNESSES + 1);
    sy_watch *watch = open_watch(asker, from);
    sy_status status = sy_watch_next(watch, &notice, timeout_ms, err);
    if (status != SY_OK) assert_true(sy_watch_number(watch) == from); // the same one comes next
    sy_watch_close(watch);
    sy_asker_close(asker);
    return status;
}

CASE(what_has_not_happened_is_not_made_up)
{
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(next_of(WITNESS_TRUE, LAST + 1, 0, &err), SY_ERR_TIMEOUT);
    assert_int_equal(next_of(WITNESS_TRUE, UINT64_MAX, 0, &err), SY_ERR_TIMEOUT);
    assert_int_equal(next_of(WITNESS_OTHER, FIRST, 0, &err), SY_ERR_CRYPTO); // number 4 for 3
}

/* All keep silent about what the ledger is proven to have counted. */
CASE(silence_of_all_is_told_from_nothing_having_happened)
{
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(next_of(WITNESS_EMPTY, FIRST, WITNESS_PATIENCE_MS, &err), SY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "has counted 4 events"));
    assert_int_equal(next_of(WITNESS_EMPTY, FIRST, 0, &err), SY_ERR_NOT_FOUND);
    assert_int_equal(next_of(WITNESS_EMPTY, LAST + 1, 0, &err), SY_ERR_TIMEOUT);
}

/* What all say is hidden is passed over; one who says so for more numbers than the others is not
 * believed for those. */
CASE(what_all_hide_is_passed_over)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_notice notice;
    sy_asker *asker = witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS);
    witnesses_set(&all, WITNESS_HIDING, WITNESSES + 1);
    sy_watch *watch = open_watch(asker, FIRST);
    assert_int_equal(sy_watch_next(watch, &notice, 0, &err), SY_OK);
    assert_true(notice.number == FIRST && !notice.shown);
    for (unsigned i = 0; i < WITNESSES; i++) assert_true(atomic_load(&all.of[i].asked) > 0);
    sy_watch_close(watch);
    sy_asker_close(asker);
}

CASE(what_nobody_may_tell_or_has_is_said)
{
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(next_of(WITNESS_DENIES, FIRST, 0, &err), SY_ERR_PERMISSION);
    assert_int_equal(next_of(WITNESS_PRUNED, FIRST, 0, &err), SY_ERR_PRUNED);
    assert_int_equal(next_of(WITNESS_GARBLED, FIRST, 0, &err), SY_ERR_CRYPTO);
}

/* A watch that lost its validator goes on with the others where it was. */
CASE(a_watch_moves_on_when_its_validator_stops_answering)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_notice notice;
    sy_asker *asker = witnesses_ask(&all, NULL, 3000);
    witnesses_set(&all, WITNESS_TRUE, 0);
    sy_watch *watch = open_watch(asker, LAST);
    assert_int_equal(sy_watch_next(watch, &notice, WITNESS_PATIENCE_MS, &err), SY_OK);
    sy_watch_close(watch);
    for (unsigned i = 0; i < WITNESSES; i++) {
        if (atomic_load(&all.of[i].asked) > 0) atomic_store(&all.of[i].mode, (int)WITNESS_SILENT);
    }
    watch = open_watch(asker, FIRST);
    sy_status status = SY_ERR_NETWORK;
    // On a busy machine the others may be late too.
    for (unsigned i = 0; i < 20 && status != SY_OK; i++) {
        status = sy_watch_next(watch, &notice, WITNESS_PATIENCE_MS, &err);
    }
    if (status != SY_OK) fail_msg("%s", err.text);
    assert_true(notice.number == FIRST);
    sy_watch_close(watch);
    sy_asker_close(asker);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(one_that_tells_the_truth_is_enough_for_every_notice),
        cmocka_unit_test(silence_of_some_does_not_pass_for_the_end),
        cmocka_unit_test(what_has_not_happened_is_not_made_up),
        cmocka_unit_test(silence_of_all_is_told_from_nothing_having_happened),
        cmocka_unit_test(what_all_hide_is_passed_over),
        cmocka_unit_test(what_nobody_may_tell_or_has_is_said),
        cmocka_unit_test(a_watch_moves_on_when_its_validator_stops_answering),
    };
    return cmocka_run_group_tests(cases, start, stop);
}
