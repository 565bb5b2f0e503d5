/* test_key_tables.c: who gets a table, who keeps it, and that a reader never sees a torn one.
 * ctest: threaded */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/key_tables.h"
#include "tests/support/test.h"

// A table is its key, eight times over; keys whose first byte is 0xff are no point.
#define TABLE_BYTES 256u

static void build_copies(void *context, void *const *tables, const struct sy_public_key *keys,
                         bool *built, size_t count)
{
    (void)context;
    assert_in_range(count, 1, SY_KEY_TABLES_BUILD_MAX);
    for (size_t i = 0; i < count; i++) {
        built[i] = keys[i].bytes[0] != 0xff;
        for (size_t at = 0; at < TABLE_BYTES; at += 32) {
            memcpy((uint8_t *)tables[i] + at, keys[i].bytes, 32);
        }
    }
}

static const struct sy_key_table_format copies = {.table_bytes = TABLE_BYTES,
                                                  .build = build_copies};

static struct sy_public_key key_of(uint32_t number)
{
    struct sy_public_key key = {{0}};
    sy_store_u32(key.bytes + 4, number);
    return key;
}

static sy_key_tables *open_tables(uint32_t room, uint32_t share_percent)
{
    struct sy_key_tables_config config = {.format = &copies,
                                          .bytes_max = (uint64_t)room * TABLE_BYTES,
                                          .share_percent = share_percent};
    sy_key_tables *tables = NULL;
    assert_int_equal(sy_key_tables_open(&tables, &config, NULL), SY_OK);
    struct sy_key_tables_info info;
    sy_key_tables_get_info(tables, &info);
    assert_int_equal(info.room, room);
    return tables;
}

static bool is_whole(const void *table, const struct sy_public_key *key)
{
    for (size_t at = 0; at < TABLE_BYTES; at += 32) {
        if (memcmp((const uint8_t *)table + at, key->bytes, 32) != 0) return false;
    }
    return true;
}

static bool has_table(sy_key_tables *tables, uint32_t number)
{
    struct sy_public_key key = key_of(number);
    unsigned pin = sy_key_tables_pin(tables);
    const void *table = sy_key_tables_find(tables, 0, &key);
    if (table) assert_true(is_whole(table, &key));
    sy_key_tables_unpin(tables, pin);
    return table != NULL;
}

// One batch with `times` valid signatures of a key.
static void use_key(sy_key_tables *tables, uint32_t number, unsigned times)
{
    struct sy_public_key key = key_of(number);
    unsigned pin = sy_key_tables_pin(tables);
    const void *table = sy_key_tables_find(tables, 0, &key);
    for (unsigned i = 0; i < times; i++) sy_key_tables_credit(tables, table, &key);
    sy_key_tables_unpin(tables, pin);
    (void)sy_key_tables_build(tables, SIZE_MAX);
}

static void hint_key(sy_key_tables *tables, uint32_t number, uint8_t organisation)
{
    struct sy_public_key key = key_of(number);
    struct sy_hash hash = {{organisation}};
    (void)sy_key_tables_hint(tables, &key, &hash);
}

CASE(the_fourth_valid_signature_earns_a_table)
{
    sy_key_tables *tables = open_tables(16, 100);
    for (unsigned i = 0; i < 3; i++) {
        use_key(tables, 7, 1);
        assert_false(has_table(tables, 7));
    }
    use_key(tables, 7, 1);
    assert_true(has_table(tables, 7));
    assert_false(has_table(tables, 8));
    sy_key_tables_close(tables);
}

CASE(another_keys_place_costs_more)
{
    sy_key_tables *tables = open_tables(1, 100);
    use_key(tables, 1, 4);
    for (unsigned i = 1; i < SY_KEY_TABLES_VALID_FULL; i++) {
        use_key(tables, 2, 1);
        assert_true(has_table(tables, 1));
    }
    use_key(tables, 2, 1);
    assert_false(has_table(tables, 1));
    assert_true(has_table(tables, 2));
    sy_key_tables_close(tables);
}

CASE(many_keys_of_one_batch_are_built_together)
{
    enum { KEYS = 100 };
    sy_key_tables *tables = open_tables(KEYS, 100);
    for (uint32_t i = 0; i < KEYS; i++) {
        struct sy_public_key key = key_of(i);
        for (unsigned j = 0; j < 4; j++) sy_key_tables_credit(tables, NULL, &key);
    }
    assert_int_equal(sy_key_tables_build(tables, 3), 3);
    assert_int_equal(sy_key_tables_build(tables, SIZE_MAX), KEYS - 3);
    assert_int_equal(sy_key_tables_build(tables, SIZE_MAX), 0);
    for (uint32_t i = 0; i < KEYS; i++) assert_true(has_table(tables, i));
    sy_key_tables_close(tables);
}

// As many keys as tables would hold in a sixteenth of their memory go by before one comes back.
CASE(a_key_is_remembered_while_many_others_go_by)
{
    enum { ROOM = 256, KEYS = 4000 };
    static const struct sy_key_table_format large = {.table_bytes = 64u << 10,
                                                     .build = build_copies};
    struct sy_key_tables_config config = {.format = &large, .bytes_max = (64u << 10) * ROOM};
    struct sy_key_tables_info info;
    sy_key_tables *tables = NULL;
    assert_int_equal(sy_key_tables_open(&tables, &config, NULL), SY_OK);
    for (unsigned pass = 0; pass < SY_KEY_TABLES_VALID_MIN; pass++) {
        for (uint32_t i = 0; i < KEYS; i++) use_key(tables, i, 1);
    }
    sy_key_tables_get_info(tables, &info);
    assert_int_equal(info.tables, ROOM);
    sy_key_tables_close(tables);
}

CASE(what_is_no_point_has_no_table)
{
    sy_key_tables *tables = open_tables(4, 100);
    struct sy_public_key key = {{0xff}};
    for (unsigned i = 0; i < 20; i++) sy_key_tables_credit(tables, NULL, &key);
    (void)sy_key_tables_build(tables, SIZE_MAX);
    unsigned pin = sy_key_tables_pin(tables);
    assert_null(sy_key_tables_find(tables, 0, &key));
    sy_key_tables_unpin(tables, pin);
    for (uint32_t i = 0; i < 4; i++) use_key(tables, i, 4); // Its slot came back.
    for (uint32_t i = 0; i < 4; i++) assert_true(has_table(tables, i));
    sy_key_tables_close(tables);
}

// A key with torsion signs validly and has no table in some formats: it must not cost a build, and
// somebody's table, again and again.
CASE(a_key_without_a_table_is_tried_once)
{
    enum { ROOM = 4 };
    sy_key_tables *tables = open_tables(ROOM, 100);
    struct sy_public_key key = {{0xff}};
    for (uint32_t i = 0; i < ROOM; i++) use_key(tables, i, 4);
    size_t tried = 0;
    for (unsigned i = 0; i < 1000; i++) {
        sy_key_tables_credit(tables, NULL, &key);
        tried += sy_key_tables_build(tables, SIZE_MAX);
    }
    assert_int_equal(tried, 1);
    struct sy_key_tables_info info;
    sy_key_tables_get_info(tables, &info);
    assert_int_equal(info.evicted, 1);
    sy_key_tables_close(tables);
}

CASE(a_handle_leads_to_its_own_key_only)
{
    sy_key_tables *tables = open_tables(2, 100);
    struct sy_hash organisation = {{1}};
    struct sy_public_key first = key_of(1), second = key_of(2);
    assert_int_equal(sy_key_tables_hint(tables, &first, &organisation), 0);
    use_key(tables, 1, 4);
    uint32_t handle = sy_key_tables_hint(tables, &first, &organisation);
    assert_int_not_equal(handle, 0);
    unsigned pin = sy_key_tables_pin(tables);
    const void *table = sy_key_tables_find(tables, handle, &first);
    assert_non_null(table);
    assert_ptr_equal(table, sy_key_tables_find(tables, 0, &first));
    assert_ptr_equal(table, sy_key_tables_find(tables, handle + 1, &first)); // By the key itself.
    assert_ptr_equal(table, sy_key_tables_find(tables, UINT32_MAX, &first));
    assert_null(sy_key_tables_find(tables, handle, &second));
    sy_key_tables_unpin(tables, pin);
    // The slot goes to others, and the old handle with the old key finds nothing.
    for (uint32_t i = 10; i < 40; i++) use_key(tables, i, 16);
    assert_false(has_table(tables, 1));
    pin = sy_key_tables_pin(tables);
    assert_null(sy_key_tables_find(tables, handle, &first));
    sy_key_tables_unpin(tables, pin);
    sy_key_tables_close(tables);
}

CASE(a_flood_of_keys_leaves_those_in_use)
{
    enum { ROOM = 64, REGULARS = 32, FLOOD = 2000 };
    sy_key_tables *tables = open_tables(ROOM, 100);
    for (uint32_t i = 0; i < REGULARS; i++) use_key(tables, i, 8);
    for (uint32_t i = 0; i < FLOOD; i++) {
        use_key(tables, 1000 + i, 16);
        use_key(tables, i % REGULARS, 1);
    }
    for (uint32_t i = 0; i < REGULARS; i++) assert_true(has_table(tables, i));
    struct sy_key_tables_info info;
    sy_key_tables_get_info(tables, &info);
    assert_true(info.tables <= ROOM);
    assert_true(info.evicted > 0);
    sy_key_tables_close(tables);
}

CASE(an_organisation_displaces_only_its_own_beyond_its_share)
{
    enum { ROOM = 40 }; // A share is 10.
    sy_key_tables *tables = open_tables(ROOM, 25);
    for (uint32_t i = 0; i < ROOM; i++) { // Four organisations, 10 tables each.
        hint_key(tables, i, (uint8_t)(1 + i / 10));
        use_key(tables, i, 4);
    }
    for (uint32_t i = 0; i < 1000; i++) { // The first one brings more, and brings them again.
        hint_key(tables, 1000 + i % 300, 1);
        use_key(tables, 1000 + i % 300, 16);
    }
    for (uint32_t i = 10; i < ROOM; i++) assert_true(has_table(tables, i));
    struct sy_key_tables_info info;
    sy_key_tables_get_info(tables, &info);
    assert_true(info.evicted >= 10);
    sy_key_tables_close(tables);
}

CASE(what_was_free_to_take_is_given_back)
{
    enum { ROOM = 40 };
    sy_key_tables *tables = open_tables(ROOM, 25);
    for (uint32_t i = 0; i < ROOM; i++) { // Strangers take all there is.
        use_key(tables, i, 4);
        assert_true(has_table(tables, i));
    }
    unsigned got = 0;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < 10; i++) {
            hint_key(tables, 100 + i, 1);
            use_key(tables, 100 + i, 16);
        }
    }
    for (uint32_t i = 0; i < 10; i++) got += has_table(tables, 100 + i);
    assert_int_equal(got, 10);
    sy_key_tables_close(tables);
}

CASE(a_pinned_table_stays_whole_though_evicted)
{
    sy_key_tables *tables = open_tables(1, 100);
    struct sy_public_key key = key_of(1);
    use_key(tables, 1, 4);
    unsigned pin = sy_key_tables_pin(tables);
    const void *table = sy_key_tables_find(tables, 0, &key);
    assert_non_null(table);
    for (uint32_t i = 2; i < 50; i++) use_key(tables, i, 16);
    assert_false(has_table(tables, 1));
    assert_true(is_whole(table, &key));
    sy_key_tables_unpin(tables, pin);
    use_key(tables, 60, 16);
    use_key(tables, 60, 16);
    assert_true(has_table(tables, 60)); // The slot is in use again.
    sy_key_tables_close(tables);
}

CASE(figures_out_of_range_are_refused)
{
    struct sy_key_tables_config config = {.format = &copies, .bytes_max = 1, .share_percent = 101};
    struct sy_error err;
    sy_key_tables *tables = NULL;
    assert_int_equal(sy_key_tables_open(&tables, &config, &err), SY_ERR_ARGUMENT);
    assert_null(tables);
    sy_key_tables_close(NULL);
    assert_in_range(sy_key_tables_default_bytes(), 1, 1u << 30);
}

// --- threads -------------------------------------------------------------------------------------

#define THREADS 4
#define ROUNDS 3000

struct reader {
    sy_key_tables *tables;
    uint64_t seed;
    uint32_t found;
    uint32_t torn;
    pthread_t thread;
};

// Batches over few slots and many keys: tables come and go all the time.
static void *run_batches(void *context)
{
    struct reader *reader = (struct reader *)context;
    struct sy_hash organisation = {{(uint8_t)reader->seed}};
    sy_prng prng;
    sy_prng_seed(&prng, reader->seed);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        unsigned pin = sy_key_tables_pin(reader->tables);
        for (unsigned i = 0; i < 16; i++) {
            struct sy_public_key key = key_of((uint32_t)sy_prng_below(&prng, 24));
            uint32_t handle = 0;
            if (i == 0) handle = sy_key_tables_hint(reader->tables, &key, &organisation);
            const void *table = sy_key_tables_find(reader->tables, handle, &key);
            if (table) {
                reader->found++;
                reader->torn += !is_whole(table, &key);
            }
            sy_key_tables_credit(reader->tables, table, &key);
        }
        sy_key_tables_unpin(reader->tables, pin);
        (void)sy_key_tables_build(reader->tables, 2);
    }
    return NULL;
}

CASE(readers_never_see_a_torn_table)
{
    struct reader readers[THREADS];
    struct sy_key_tables_info info;
    uint32_t found = 0;
    uint64_t seed = test_seed();
    sy_key_tables *tables = open_tables(8, 60);
    for (unsigned i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){.tables = tables, .seed = seed + i};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, run_batches, &readers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        assert_int_equal(readers[i].torn, 0);
        found += readers[i].found;
    }
    sy_key_tables_get_info(tables, &info);
    printf("%u tables found, %llu built, %llu evicted\n", found, (unsigned long long)info.built,
           (unsigned long long)info.evicted);
    assert_true(found > 0 && info.evicted > 0);
    assert_true(info.tables <= 8);
    sy_key_tables_close(tables);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_fourth_valid_signature_earns_a_table),
        cmocka_unit_test(another_keys_place_costs_more),
        cmocka_unit_test(many_keys_of_one_batch_are_built_together),
        cmocka_unit_test(a_key_is_remembered_while_many_others_go_by),
        cmocka_unit_test(what_is_no_point_has_no_table),
        cmocka_unit_test(a_key_without_a_table_is_tried_once),
        cmocka_unit_test(a_handle_leads_to_its_own_key_only),
        cmocka_unit_test(a_flood_of_keys_leaves_those_in_use),
        cmocka_unit_test(an_organisation_displaces_only_its_own_beyond_its_share),
        cmocka_unit_test(what_was_free_to_take_is_given_back),
        cmocka_unit_test(a_pinned_table_stays_whole_though_evicted),
        cmocka_unit_test(figures_out_of_range_are_refused),
        cmocka_unit_test(readers_never_see_a_torn_table),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
