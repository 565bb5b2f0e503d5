/* What `systole trial` tells, from entries as execution writes them: test_ledger_trial's world
 * stands for the network, and what it has for proven. */
#include <string.h>

#include "core/client/at_time.h"
#include "core/client/trial_view.h"
#include "tests/unit/trial_rig.h"

/* A source over the world's state; some numbers may be withheld, or told otherwise. */
struct source {
    uint64_t lie; /* this data commit's rows; 0: none */
    bool withholds;
    bool hides; /* beacons */
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
};

static sy_status get(void *self, struct sy_slice *value, enum sy_state_kind kind,
                     const struct sy_hash *id, const struct sy_hash *second, struct sy_error *err)
{
    struct source *source = self;
    struct sy_hash key_hash;
    if (source->withholds && kind == SY_STATE_TRIAL_DATA) {
        return sy_fail(err, SY_ERR_PERMISSION, "withheld");
    }
    assert_true(sy_state_key_of(&key_hash, kind, id, second));
    bool hidden = source->hides && kind == SY_STATE_TRIAL_BEACON;
    if (hidden || !world_find(&world, value, &key_hash))
        return sy_fail(err, SY_ERR_NOT_FOUND, "absent");
    if (kind != SY_STATE_TRIAL_DATA || sy_load_u64(second->bytes) != source->lie) return SY_OK;
    memcpy(source->room, value->data, value->size);
    source->room[value->size - 1] ^= 1;
    *value = sy_slice_of(source->room, value->size);
    return SY_OK;
}

static struct source honest;
static struct sy_trial_view view;
static struct sy_error err;

static struct sy_trial_view *look(void)
{
    struct sy_hash id = test_hash(TRIAL);
    assert_int_equal(sy_trial_look(&view, get, &honest, &id, &err), SY_OK);
    return &view;
}

static uint32_t version_at(uint64_t at)
{
    struct sy_hash id = test_hash(TRIAL);
    uint32_t number;
    assert_int_equal(sy_trial_version_at(&number, look(), get, &honest, &id, at, &err), SY_OK);
    return number;
}

CASE(what_is_not_registered_is_not_told)
{
    struct sy_hash id = test_hash(TRIAL);
    assert_int_equal(sy_trial_look(&view, get, &honest, &id, &err), SY_ERR_NOT_FOUND);
    make_trial();
    assert_false(look()->has_draw || view.has_lock || view.has_result);
}

CASE(the_version_of_a_time_is_told)
{
    uint64_t heights[6];
    make_trial();
    heights[1] = world.header.height;
    for (uint32_t version = 2; version <= 5; version++) {
        struct world_tx tx = trial_amend(version, 0, 0);
        assert_applied(&tx);
        heights[version] = world.header.height;
    }
    assert_int_equal(version_at(heights[1] - 1), 0);
    for (uint32_t version = 1; version <= 5; version++) {
        struct sy_trial_version found = find_protocol(version);
        assert_int_equal(version_at(heights[version]), version);
        assert_int_equal(version_at((uint64_t)found.time_ms), version);
        assert_int_equal(version_at((uint64_t)found.time_ms - 1), version - 1);
    }
    assert_int_equal(version_at(SY_AT_NOW), 5);
}

static uint32_t counts[SY_TRIAL_ARMS_MAX];

static bool count_arms(void)
{
    struct sy_hash id = test_hash(TRIAL);
    bool known;
    assert_int_equal(sy_trial_arms(&known, counts, look(), get, &honest, &id, &err), SY_OK);
    return known;
}

CASE(arms_are_counted_once_the_seed_is_revealed)
{
    uint32_t expected[2] = {0};
    struct source none = {.hides = true};
    struct sy_hash id = test_hash(TRIAL);
    bool known;
    make_enrolled(4);
    assert_false(count_arms());
    struct world_tx tx = db_lock(0);
    assert_applied(&tx);
    assert_false(count_arms()); // nobody can, not even now
    tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    assert_false(count_arms());
    tx = draw_reveal(SPONSOR, SEED);
    assert_applied(&tx);
    assert_true(count_arms());
    for (uint32_t place = 1; place <= 4; place++) {
        struct sy_trial_lot lot;
        assert_true(sy_trial_lot_decode(&lot, find_number(SY_STATE_TRIAL_BEACON, place)));
        expected[sy_trial_arm(&view.trial, &view.draw, place, &lot.beacon)]++;
    }
    assert_memory_equal(counts, expected, sizeof expected);
    assert_int_equal(counts[0] + counts[1], 4);
    assert_int_equal(counts[2], 0);
    assert_int_equal(sy_trial_arms(&known, counts, &view, get, &none, &id, &err), SY_ERR_CORRUPT);
}

CASE(data_that_were_changed_show)
{
    struct sy_hash id = test_hash(TRIAL);
    struct source lies = {.lie = 2}, withholds = {.withholds = true};
    make_sites();
    for (uint16_t visit = 1; visit <= 3; visit++) {
        struct world_tx tx = data_commit(GATEWAY_A, visit);
        assert_applied(&tx);
    }
    assert_int_equal(sy_trial_check_data(look(), get, &honest, &id, &err), SY_OK);
    struct world_tx tx = db_lock(3);
    assert_applied(&tx);
    assert_int_equal(sy_trial_check_data(look(), get, &honest, &id, &err), SY_OK);
    assert_int_equal(sy_trial_check_data(&view, get, &lies, &id, &err), SY_ERR_CRYPTO);
    assert_int_equal(sy_trial_check_data(&view, get, &withholds, &id, &err), SY_ERR_PERMISSION);
    view.lock.commits = 4;
    assert_int_equal(sy_trial_check_data(&view, get, &honest, &id, &err), SY_ERR_CORRUPT);
    view.lock.commits = 2; // one was left out
    assert_int_equal(sy_trial_check_data(&view, get, &honest, &id, &err), SY_ERR_CRYPTO);
}

CASE(what_is_overdue_is_told)
{
    make_locked();
    int64_t due_ms = look()->lock.reveal_due_ms;
    assert_false(sy_trial_seed_overdue(&view, due_ms));
    assert_true(sy_trial_seed_overdue(&view, due_ms + 1));
    assert_false(
        sy_trial_result_overdue(&view, COMPLETION_MS, COMPLETION_MS + SY_TRIAL_RESULT_MS_MAX));
    assert_true(
        sy_trial_result_overdue(&view, COMPLETION_MS, COMPLETION_MS + SY_TRIAL_RESULT_MS_MAX + 1));
    struct world_tx tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    tx = draw_reveal(SPONSOR, SEED);
    assert_applied(&tx);
    tx = result_post(0);
    assert_applied(&tx);
    assert_false(sy_trial_seed_overdue(look(), due_ms + 1));
    assert_true(view.has_result && !view.result.switched);
    assert_false(
        sy_trial_result_overdue(&view, COMPLETION_MS, COMPLETION_MS + SY_TRIAL_RESULT_MS_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_TRIALS(what_is_not_registered_is_not_told),
        WITH_TRIALS(the_version_of_a_time_is_told),
        WITH_TRIALS(arms_are_counted_once_the_seed_is_revealed),
        WITH_TRIALS(data_that_were_changed_show),
        WITH_TRIALS(what_is_overdue_is_told),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
