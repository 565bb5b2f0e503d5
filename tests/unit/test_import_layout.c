/* test_import_layout.c: where versions of another network's record go here, over several exports:
 * what stands stays, and nothing that was superseded there is the newest here. */
#include "core/client/import_layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "tests/support/test.h"

#define VERSIONS 12u
#define TREES 300u

static const struct sy_hash genesis = {{42}};
static char folder[256];
static sy_client_store *store;
static struct sy_record_version versions[VERSIONS];
static uint32_t count;
static struct sy_hash record;
static struct sy_layout layout;
static struct sy_error err;

/* A record of its own, whose versions come from these. */
static void begin_record(uint8_t number, const uint32_t *parents, uint32_t parent_count)
{
    memset(record.bytes, number, sizeof record.bytes);
    count = parent_count;
    for (uint32_t v = 1; v <= count; v++) {
        versions[v - 1] = (struct sy_record_version){.version = v, .parent = parents[v - 1]};
    }
}

/* The next export comes to a client that has begun anew since. */
static void begin_export(uint32_t known)
{
    if (store && sy_client_store_commit(store, &err) != SY_OK) fail_msg("%s", err.text);
    sy_layout_close(&layout);
    sy_client_store_close(store);
    if (sy_client_store_open(&store, folder, &genesis, SY_CLIENT_STORE_WRITE, &err) != SY_OK ||
        sy_layout_open(&layout, store, "systole 2a", &record, sy_slice_of("Observation", 11),
                       versions, known, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
}

static const struct sy_client_place *take(uint32_t version)
{
    const struct sy_client_place *place = sy_layout_place(&layout, version);
    if (place && sy_layout_keep(&layout, version, &err) != SY_OK) fail_msg("%s", err.text);
    return place;
}

static void expect(uint32_t version, uint32_t number, uint32_t base, bool branch)
{
    const struct sy_client_place *place = take(version);
    assert_non_null(place);
    assert_int_equal(place->number, number);
    assert_int_equal(place->base, base);
    assert_int_equal(place->branch, branch);
}

static bool same_record(uint32_t a, uint32_t b)
{
    return sy_hash_equal(&layout.places[a - 1].label, &layout.places[b - 1].label);
}

CASE(what_comes_later_is_added)
{
    begin_record(1, (const uint32_t[]){0, 1, 2}, 3);
    begin_export(2);
    expect(1, 1, 0, false);
    expect(2, 2, 1, false);
    begin_export(3);
    expect(1, 1, 0, false);
    expect(2, 2, 1, false);
    expect(3, 3, 2, false);
}

/* The header's picture. */
CASE(later_numbers_do_not_move_earlier_ones)
{
    begin_record(2, (const uint32_t[]){0, 1, 1, 2, 3}, 5);
    begin_export(4);
    expect(1, 1, 0, false);
    expect(3, 2, 1, false);
    expect(4, 3, 1, true);
    begin_export(5);
    expect(1, 1, 0, false);
    assert_null(take(2));
    expect(3, 2, 1, false);
    expect(4, 3, 1, true);
    expect(5, 4, 2, false);
}

/* A version that nothing here comes from is no late one, whatever its number. */
CASE(a_branch_that_comes_later_is_a_branch)
{
    begin_record(9, (const uint32_t[]){0, 1, 1, 2}, 4);
    begin_export(3);
    expect(1, 1, 0, false);
    expect(3, 2, 1, false);
    begin_export(4);
    expect(2, 3, 1, true);
    expect(4, 4, 3, false);
}

CASE(what_was_superseded_there_is_late)
{
    begin_record(3, (const uint32_t[]){0, 1, 2, 1}, 4);
    begin_export(3);
    expect(3, 1, 0, false);
    begin_export(4);
    assert_null(take(1));
    assert_null(take(2));
    expect(3, 1, 0, false);
    expect(4, 1, 0, false); // from what is late: a record of its own
    assert_false(same_record(3, 4));
    begin_export(4);
    expect(4, 1, 0, false);
    assert_false(same_record(3, 4));
}

/* A branch from a version that is late is made from the nearest one that stands here. */
CASE(a_late_version_is_passed_over)
{
    begin_record(4, (const uint32_t[]){0, 1, 2, 2}, 4);
    begin_export(3);
    expect(1, 1, 0, false);
    expect(3, 2, 1, false);
    begin_export(4);
    assert_null(take(2));
    expect(4, 3, 1, true);
}

/* Contents of an export before this one are what others come from, though they did not come again.
 */
CASE(what_came_before_is_a_base_without_its_content)
{
    begin_record(5, (const uint32_t[]){0, 1, 2}, 3);
    begin_export(2);
    expect(1, 1, 0, false);
    expect(2, 2, 1, false);
    begin_export(3);
    expect(3, 3, 2, false);
}

CASE(records_do_not_share_places)
{
    begin_record(6, (const uint32_t[]){0, 1}, 2);
    begin_export(2);
    expect(1, 1, 0, false);
    expect(2, 2, 1, false);
    begin_record(7, (const uint32_t[]){0, 1}, 2);
    begin_export(2);
    assert_int_equal(layout.places[0].number, 0);
    expect(2, 1, 0, false);
}

/* What was not committed has no place. */
CASE(a_place_is_durable_with_its_commit_alone)
{
    begin_record(8, (const uint32_t[]){0}, 1);
    begin_export(1);
    expect(1, 1, 0, false);
    sy_client_store_close(store);
    store = NULL;
    begin_export(1);
    assert_int_equal(layout.places[0].number, 0);
}

// --- any tree, in any order --------------------------------------------------------------------

/* Does b come from a, as things are there? */
static bool comes_from(uint32_t b, uint32_t a)
{
    for (b = versions[b - 1].parent; b != 0; b = versions[b - 1].parent) {
        if (b == a) return true;
    }
    return false;
}

/* The version that has this number of v's record here. */
static uint32_t holder_of(uint32_t v, uint32_t number)
{
    for (uint32_t w = 1; w <= count; w++) {
        const struct sy_client_place *place = &layout.places[w - 1];
        if (place->number == number && number != 0 && same_record(v, w)) return w;
    }
    return 0;
}

/* The ledger's rule (core/ledger/contracts/record.c, move_heads), number after number: what is
 * made from no head has to be a branch. */
static void check_heads(uint32_t root)
{
    bool head[VERSIONS + 1] = {false};
    uint32_t v;
    for (uint32_t number = 1; (v = holder_of(root, number)) != 0; number++) {
        const struct sy_client_place *place = &layout.places[v - 1];
        if (number > 1) assert_int_equal(place->branch, !head[place->base]);
        head[place->base] = false;
        head[number] = true;
    }
    for (v = 1; v <= count; v++) {
        bool superseded = false;
        if (layout.places[v - 1].number == 0 || !same_record(root, v)) continue;
        for (uint32_t w = 1; w <= count; w++) {
            superseded = superseded || (layout.places[w - 1].number != 0 && comes_from(w, v));
        }
        assert_int_equal(head[layout.places[v - 1].number], !superseded);
    }
}

static void check_all(void)
{
    for (uint32_t v = 1; v <= count; v++) {
        const struct sy_client_place *place = &layout.places[v - 1];
        if (place->number == 0) continue;
        assert_int_equal(holder_of(v, place->number), v); // nobody else's
        uint32_t base = holder_of(v, place->base);
        if (place->number == 1) {
            assert_int_equal(place->base, 0);
            check_heads(v);
        } else {
            assert_true(base != 0 && comes_from(v, base));
            assert_true(holder_of(v, place->number - 1) != 0);
        }
    }
}

static void take_some(sy_prng *prng, struct sy_client_place *before)
{
    for (uint32_t v = 1; v <= count; v++) {
        bool superseded = false;
        for (uint32_t w = 1; w <= count; w++) {
            superseded = superseded || (layout.places[w - 1].number != 0 && comes_from(w, v));
        }
        if (sy_prng_chance(prng, 1, 2)) {
            bool stood = layout.places[v - 1].number != 0;
            assert_int_equal(take(v) == NULL, superseded && !stood);
        }
        if (before[v - 1].number != 0) {
            assert_memory_equal(&layout.places[v - 1], &before[v - 1], sizeof *before);
        }
    }
}

CASE(whatever_comes_when_nothing_old_is_new)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned tree = 0; tree < TREES; tree++) {
        uint32_t parents[VERSIONS];
        struct sy_client_place before[VERSIONS] = {{.number = 0}};
        for (uint32_t v = 0; v < VERSIONS; v++) {
            parents[v] = (uint32_t)sy_prng_below(&prng, v + 1u);
        }
        begin_record(100, parents, VERSIONS);
        sy_prng_fill(&prng, record.bytes, sizeof record.bytes);
        for (unsigned i = 0; i < 3; i++) {
            sy_layout_close(&layout);
            assert_int_equal(sy_layout_open(&layout, store, "systole 2a", &record,
                                            sy_slice_of("Observation", 11), versions, count, &err),
                             SY_OK);
            memcpy(before, layout.places, sizeof before);
            take_some(&prng, before);
            check_all();
        }
    }
}

static int begin(void **state)
{
    (void)state;
    test_folder(folder, sizeof folder, "import_layout");
    return 0;
}

static int finish(void **state)
{
    (void)state;
    sy_layout_close(&layout);
    sy_client_store_close(store);
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_comes_later_is_added),
        cmocka_unit_test(later_numbers_do_not_move_earlier_ones),
        cmocka_unit_test(a_branch_that_comes_later_is_a_branch),
        cmocka_unit_test(what_was_superseded_there_is_late),
        cmocka_unit_test(a_late_version_is_passed_over),
        cmocka_unit_test(what_came_before_is_a_base_without_its_content),
        cmocka_unit_test(records_do_not_share_places),
        cmocka_unit_test(a_place_is_durable_with_its_commit_alone),
        cmocka_unit_test(whatever_comes_when_nothing_old_is_new),
    };
    return cmocka_run_group_tests(cases, begin, finish);
}
