/* One promise, every implementation: what store.h says must hold for LMDB and for the twin.
 * The votes and the ledger; state_suite.c has the state. ctest: timeout=600 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/store/store.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

/* ---- votes ------------------------------------------------------------------------------ */

static struct sy_vote_write put_of(uint8_t type, uint64_t slot, uint64_t extra, const char *text)
{
    struct sy_vote_write write = {.op = SY_VOTE_PUT_RECORD, .key = {type, slot, extra}};
    write.value = sy_slice_of(text, strlen(text));
    return write;
}

struct listing {
    char text[4096];
    size_t used;
    sy_status give; /* what the callback returns */
};

static sy_status list_record(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    struct listing *listing = (struct listing *)context;
    int length = snprintf(listing->text + listing->used, sizeof listing->text - listing->used,
                          "%u.%llu.%llu=%.*s ", key->type, (unsigned long long)key->slot,
                          (unsigned long long)key->extra, (int)value.size,
                          value.size ? (const char *)value.data : "");
    listing->used += (size_t)length;
    return listing->give;
}

static void assert_records(sy_store *store, const char *expected)
{
    struct listing listing = {.give = SY_OK};
    sy_store_reader *reader = test_reader_open(store);
    assert_int_equal(sy_votes_each(reader, list_record, &listing, NULL), SY_OK);
    assert_string_equal(listing.text, expected);
    sy_store_reader_close(reader);
}

CASE(records_come_back_in_key_order)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[] = {put_of(2, 300, 1, "f"),        put_of(1, 2, 0, "c"),
                                     put_of(1, 1, 256, "b"),        put_of(1, 1, 2, "a"),
                                     put_of(1, UINT64_MAX, 0, "d"), put_of(2, 7, 9, "")};
    assert_int_equal(sy_votes_commit(t.store, writes, 6, NULL), SY_OK);
    const char *all = "1.1.2=a 1.1.256=b 1.2.0=c 1.18446744073709551615.0=d 2.7.9= 2.300.1=f ";
    assert_records(t.store, all);
    test_store_restart(&t);
    assert_records(t.store, all);
    test_store_end(&t);
}

CASE(a_record_is_replaced_and_dropped)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write first[] = {put_of(1, 5, 0, "old"), put_of(1, 5, 0, "new"),
                                    put_of(1, 6, 0, "x")};
    assert_int_equal(sy_votes_commit(t.store, first, 3, NULL), SY_OK);
    struct sy_vote_write second[] = {put_of(1, 5, 0, "newest"),
                                     {.op = SY_VOTE_DROP_RECORD, .key = {1, 6, 0}},
                                     {.op = SY_VOTE_DROP_RECORD, .key = {9, 9, 9}}};
    assert_int_equal(sy_votes_commit(t.store, second, 3, NULL), SY_OK);
    assert_records(t.store, "1.5.0=newest ");
    test_store_end(&t);
}

CASE(drop_below_takes_one_type_and_only_lower_slots)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[8];
    for (unsigned i = 0; i < 4; i++) {
        writes[i] = put_of(1, i, 7, "x");
        writes[4 + i] = put_of(2, i, 7, "y");
    }
    assert_int_equal(sy_votes_commit(t.store, writes, 8, NULL), SY_OK);
    struct sy_vote_write drop = {.op = SY_VOTE_DROP_BELOW, .key = {1, 3, 0}};
    assert_int_equal(sy_votes_commit(t.store, &drop, 1, NULL), SY_OK);
    assert_records(t.store, "1.3.7=x 2.0.7=y 2.1.7=y 2.2.7=y 2.3.7=y ");
    drop.key.slot = UINT64_MAX;
    assert_int_equal(sy_votes_commit(t.store, &drop, 1, NULL), SY_OK);
    assert_records(t.store, "2.0.7=y 2.1.7=y 2.2.7=y 2.3.7=y ");
    test_store_end(&t);
}

CASE(a_walk_ends_when_the_callback_says_so)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[] = {put_of(1, 1, 0, "a"), put_of(1, 2, 0, "b")};
    assert_int_equal(sy_votes_commit(t.store, writes, 2, NULL), SY_OK);
    struct listing listing = {.give = SY_ERR_LIMIT};
    sy_store_reader *reader = test_reader_open(t.store);
    assert_int_equal(sy_votes_each(reader, list_record, &listing, NULL), SY_ERR_LIMIT);
    assert_string_equal(listing.text, "1.1.0=a ");
    sy_store_reader_close(reader);
    test_store_end(&t);
}

static const size_t body_sizes[] = {0,     1,      319,    320,     321,
                                    65519, 65520,  65521,  131040,  131041,
                                    70000, 300000, 999999, 1048575, SY_BODY_BYTES_MAX};
#define BODY_SIZES (sizeof body_sizes / sizeof body_sizes[0])

static void put_body(sy_store *store, uint64_t number, size_t size)
{
    uint8_t *bytes = (uint8_t *)malloc(size + 1);
    assert_non_null(bytes);
    test_fill(bytes, size, number);
    struct sy_vote_write write = {
        .op = SY_VOTE_PUT_BODY, .body = test_hash_of(number), .value = sy_slice_of(bytes, size)};
    assert_int_equal(sy_votes_commit(store, &write, 1, NULL), SY_OK);
    free(bytes);
}

static void drop_body(sy_store *store, uint64_t number)
{
    struct sy_vote_write write = {.op = SY_VOTE_DROP_BODY, .body = test_hash_of(number)};
    assert_int_equal(sy_votes_commit(store, &write, 1, NULL), SY_OK);
}

struct body_walk {
    size_t at;
    const uint64_t *numbers;
    const size_t *sizes;
};

static sy_status check_head(void *context, const struct sy_hash *digest, size_t body_bytes,
                            struct sy_slice head)
{
    struct body_walk *walk = (struct body_walk *)context;
    uint64_t number = walk->numbers[walk->at];
    size_t size = walk->sizes[walk->at];
    struct sy_hash expected = test_hash_of(number);
    assert_true(sy_hash_equal(digest, &expected));
    assert_int_equal(body_bytes, size);
    size_t shown = size < SY_BODY_HEAD_BYTES ? size : SY_BODY_HEAD_BYTES;
    assert_int_equal(head.size, shown);
    uint8_t *bytes = (uint8_t *)malloc(size + 1);
    assert_non_null(bytes);
    test_fill(bytes, size, number);
    assert_true(shown == 0 || memcmp(bytes, head.data, shown) == 0);
    free(bytes);
    walk->at++;
    return SY_OK;
}

static void assert_bodies(sy_store *store, const uint64_t *numbers, const size_t *sizes,
                          size_t count)
{
    struct body_walk walk = {0, numbers, sizes};
    sy_store_reader *reader = test_reader_open(store);
    assert_int_equal(sy_bodies_each(reader, check_head, &walk, NULL), SY_OK);
    assert_int_equal(walk.at, count);
    for (size_t i = 0; i < count; i++) {
        struct sy_slice body;
        struct sy_hash digest = test_hash_of(numbers[i]);
        assert_int_equal(sy_body_get(reader, &body, &digest), SY_OK);
        assert_true(test_is_filled(body, sizes[i], numbers[i]));
    }
    sy_store_reader_close(reader);
}

CASE(bodies_of_every_size_come_back_in_order)
{
    struct test_store t;
    uint64_t numbers[BODY_SIZES];
    test_store_begin(&t, test_kind_of(state));
    for (size_t i = 0; i < BODY_SIZES; i++) {
        numbers[i] = 100 - i;
        put_body(t.store, numbers[i], body_sizes[i]);
    }
    put_body(t.store, numbers[3], body_sizes[3]); // again is fine, and does not move it
    assert_bodies(t.store, numbers, body_sizes, BODY_SIZES);
    test_store_restart(&t);
    assert_bodies(t.store, numbers, body_sizes, BODY_SIZES);
    test_store_end(&t);
}

CASE(dropped_bodies_are_gone_and_the_others_stay)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    uint64_t numbers[200];
    size_t sizes[200];
    size_t kept = 0;
    for (uint64_t i = 0; i < 200; i++) put_body(t.store, i, (size_t)i * 700);
    for (uint64_t i = 0; i < 200; i++) {
        if (i % 5 != 2) {
            drop_body(t.store, i);
        } else {
            numbers[kept] = i;
            sizes[kept++] = (size_t)i * 700;
        }
    }
    drop_body(t.store, 7777); // absent is fine
    assert_bodies(t.store, numbers, sizes, kept);
    struct sy_slice body;
    struct sy_hash dropped = test_hash_of(3);
    sy_store_reader *reader = test_reader_open(t.store);
    assert_int_equal(sy_body_get(reader, &body, &dropped), SY_ERR_NOT_FOUND);
    sy_store_reader_close(reader);
    put_body(t.store, 3, 1234); // a dropped one may come again, with other bytes: at the end
    numbers[kept] = 3;
    sizes[kept++] = 1234;
    test_store_restart(&t);
    assert_bodies(t.store, numbers, sizes, kept);
    test_store_end(&t);
}

CASE(values_over_their_limit_are_refused_and_change_nothing)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    uint8_t *large = (uint8_t *)calloc(1, SY_VOTE_VALUE_BYTES_MAX + 1);
    assert_non_null(large);
    struct sy_vote_write writes[] = {put_of(1, 1, 0, "a"),
                                     {.op = SY_VOTE_PUT_BODY, .body = test_hash_of(1)}};
    struct sy_error err;
    writes[1].value = sy_slice_of(large, SY_BODY_BYTES_MAX + 1);
    assert_int_equal(sy_votes_commit(t.store, writes, 2, &err), SY_ERR_LIMIT);
    writes[1].op = SY_VOTE_PUT_RECORD;
    writes[1].value.size = SY_VOTE_VALUE_BYTES_MAX + 1;
    assert_int_equal(sy_votes_commit(t.store, writes, 2, &err), SY_ERR_LIMIT);
    assert_records(t.store, "");
    writes[1].value.size = SY_VOTE_VALUE_BYTES_MAX;
    assert_int_equal(sy_votes_commit(t.store, writes, 2, &err), SY_OK);
    free(large);
    test_store_end(&t);
}

/* ---- failures --------------------------------------------------------------------------- */

static void append_one(sy_store *store, uint64_t height, size_t tx_count);

CASE(a_failed_votes_commit_happens_not_at_all)
{
    static const char *const places[] = {"store.votes.begin", "store.votes.commit"};
    for (unsigned i = 0; i < 2; i++) {
        struct test_store t;
        test_store_begin(&t, test_kind_of(state));
        struct sy_vote_write good = put_of(1, 1, 0, "kept");
        struct sy_vote_write lost[] = {put_of(1, 1, 0, "lost"), put_of(1, 2, 0, "lost")};
        struct sy_error err;
        assert_int_equal(sy_votes_commit(t.store, &good, 1, NULL), SY_OK);
        sy_os_failpoint_arm(places[i], 1, "enospc");
        assert_int_equal(sy_votes_commit(t.store, lost, 2, &err), SY_ERR_DISK_FULL);
        assert_non_null(strstr(err.text, "make room"));
        // The failpoint fires once; the store stays full until it is resumed.
        assert_int_equal(sy_votes_commit(t.store, lost, 2, &err), SY_ERR_DISK_FULL);
        append_one(t.store, 0, 3); // the other environments go on
        assert_records(t.store, "1.1.0=kept ");
        assert_int_equal(sy_store_resume(t.store, &err), SY_OK);
        lost[0].op = SY_VOTE_DROP_RECORD;
        assert_int_equal(sy_votes_commit(t.store, lost, 2, &err), SY_OK);
        assert_records(t.store, "1.2.0=lost ");
        sy_os_failpoint_arm(NULL, 0, NULL);
        test_store_end(&t);
    }
}

CASE(a_device_error_stops_writes_until_the_store_is_opened_again)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write write = put_of(1, 1, 0, "a");
    struct sy_store_stats stats;
    sy_os_failpoint_arm("store.votes.commit", 1, "eio");
    assert_int_equal(sy_votes_commit(t.store, &write, 1, NULL), SY_ERR_IO);
    assert_int_equal(sy_votes_commit(t.store, &write, 1, NULL), SY_ERR_IO);
    assert_int_equal(sy_store_resume(t.store, NULL), SY_ERR_IO);
    sy_store_stats_get(t.store, &stats);
    assert_true(stats.env[SY_ENV_VOTES].failed);
    sy_os_failpoint_arm(NULL, 0, NULL);
    test_store_restart(&t);
    assert_int_equal(sy_votes_commit(t.store, &write, 1, NULL), SY_OK);
    assert_records(t.store, "1.1.0=a ");
    test_store_end(&t);
}

CASE(a_failed_append_happens_not_at_all)
{
    static const char *const places[] = {"store.ledger.begin", "store.ledger.commit"};
    for (unsigned i = 0; i < 2; i++) {
        struct test_store t;
        struct test_stored block;
        size_t found = 99;
        struct sy_tx_position at;
        struct sy_hash id = test_hash_of(1000);
        test_store_begin(&t, test_kind_of(state));
        append_one(t.store, 0, 3);
        test_stored_make(&block, 1, 100, sy_slice_of(NULL, 0));
        sy_os_failpoint_arm(places[i], 1, "enospc");
        assert_int_equal(sy_ledger_append(t.store, &block.write, 1, NULL), SY_ERR_DISK_FULL);
        assert_int_equal(sy_ledger_next(t.store), 1);
        sy_store_reader *reader = test_reader_open(t.store);
        assert_int_equal(sy_ledger_find_tx(reader, &at, &found, 1, &id), SY_OK);
        assert_int_equal(found, 0);
        assert_int_equal(sy_store_resume(t.store, NULL), SY_OK);
        assert_int_equal(sy_ledger_append(t.store, &block.write, 1, NULL), SY_OK);
        assert_int_equal(sy_ledger_find_tx(reader, &at, &found, 1, &id), SY_OK);
        assert_int_equal(found, 1);
        sy_store_reader_close(reader);
        test_stored_free(&block);
        sy_os_failpoint_arm(NULL, 0, NULL);
        test_store_end(&t);
    }
}

CASE(a_failed_apply_happens_not_at_all)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    sy_os_failpoint_arm("store.state.apply", 1, "enospc");
    assert_int_equal(sy_state_apply(t.store, 0, sy_slice_of(NULL, 0), NULL), SY_ERR_DISK_FULL);
    assert_int_equal(sy_state_next(t.store), 0);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_int_equal(sy_state_apply(t.store, 0, sy_slice_of(NULL, 0), NULL), SY_OK);
    assert_int_equal(sy_state_next(t.store), 1);
    test_store_end(&t);
}

/* ---- ledger ----------------------------------------------------------------------------- */

static void append_one(sy_store *store, uint64_t height, size_t tx_count)
{
    struct test_stored block;
    struct sy_error err = {0};
    test_stored_make(&block, height, tx_count, sy_slice_of(NULL, 0));
    sy_status status = sy_ledger_append(store, &block.write, 1, &err);
    if (status != SY_OK) print_error("%s\n", err.text);
    assert_int_equal(status, SY_OK);
    test_stored_free(&block);
}

CASE(a_new_ledger_is_empty)
{
    struct test_store t;
    struct sy_slice part;
    test_store_begin(&t, test_kind_of(state));
    sy_store_reader *reader = test_reader_open(t.store);
    assert_int_equal(sy_ledger_next(t.store), 0);
    assert_int_equal(sy_ledger_height(t.store), 0);
    assert_int_equal(sy_ledger_certified(t.store), 0);
    assert_int_equal(sy_ledger_get(reader, &part, 0, SY_BLOCK_HEADER), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_ledger_get(reader, &part, UINT64_MAX, SY_BLOCK_CERTIFICATE),
                     SY_ERR_NOT_FOUND);
    sy_store_reader_close(reader);
    test_store_end(&t);
}

CASE(blocks_come_back_part_by_part)
{
    struct test_store t;
    struct test_stored run[5];
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t h = 0; h < 20; h++) append_one(t.store, h, (size_t)h % 4);
    struct sy_block_write writes[5];
    for (uint64_t i = 0; i < 5; i++) {
        test_stored_make(&run[i], 20 + i, 2, sy_slice_of(NULL, 0));
        writes[i] = run[i].write;
    }
    assert_int_equal(sy_ledger_append(t.store, writes, 5, NULL), SY_OK);
    for (uint64_t i = 0; i < 5; i++) test_stored_free(&run[i]);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(sy_ledger_next(t.store), 25);
        assert_int_equal(sy_ledger_height(t.store), 24);
        sy_store_reader *reader = test_reader_open(t.store);
        for (uint64_t h = 0; h < 25; h++) {
            test_stored_check(reader, h, h < 20 ? h % 4 : 2, sy_slice_of(NULL, 0));
        }
        sy_store_reader_close(reader);
        test_store_restart(&t);
    }
    test_store_end(&t);
}

CASE(only_the_next_height_is_appended)
{
    struct test_store t;
    struct test_stored block;
    struct sy_error err;
    test_store_begin(&t, test_kind_of(state));
    test_stored_make(&block, 1, 0, sy_slice_of(NULL, 0));
    assert_int_equal(sy_ledger_append(t.store, &block.write, 1, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "block 1 was offered where block 0"));
    append_one(t.store, 0, 0);
    struct sy_block_write gap[2] = {block.write, block.write};
    gap[1].height = 3;
    assert_int_equal(sy_ledger_append(t.store, gap, 2, &err), SY_ERR_ARGUMENT);
    assert_int_equal(sy_ledger_next(t.store), 1);
    assert_int_equal(sy_ledger_append(t.store, &block.write, 1, &err), SY_OK);
    assert_int_equal(sy_ledger_append(t.store, &block.write, 1, &err), SY_ERR_ARGUMENT);
    test_stored_free(&block);
    test_store_end(&t);
}

CASE(malformed_deltas_are_not_appended_nor_applied)
{
    struct test_store t;
    struct test_stored block;
    uint8_t junk[40] = {1, 2, 3};
    test_store_begin(&t, test_kind_of(state));
    test_stored_make(&block, 0, 0, sy_slice_of(junk, sizeof junk));
    assert_int_equal(sy_ledger_append(t.store, &block.write, 1, NULL), SY_ERR_FORMAT);
    assert_int_equal(sy_state_apply(t.store, 0, sy_slice_of(junk, sizeof junk), NULL),
                     SY_ERR_FORMAT);
    assert_int_equal(sy_ledger_next(t.store), 0);
    assert_int_equal(sy_state_next(t.store), 0);
    test_stored_free(&block);
    test_store_end(&t);
}

static sy_status certify(sy_store *store, uint64_t height, const char *text)
{
    struct sy_certificate_write write = {height, sy_slice_of(text, strlen(text))};
    return sy_ledger_put_certificates(store, &write, 1, NULL);
}

CASE(certified_is_the_end_of_the_unbroken_certificates)
{
    struct test_store t;
    struct sy_slice part;
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t h = 0; h < 6; h++) append_one(t.store, h, 0);
    assert_int_equal(certify(t.store, 2, "two"), SY_OK);
    assert_int_equal(certify(t.store, 3, "three"), SY_OK);
    assert_int_equal(sy_ledger_certified(t.store), 0);
    assert_int_equal(certify(t.store, 1, "one"), SY_OK);
    assert_int_equal(sy_ledger_certified(t.store), 3);
    assert_int_equal(certify(t.store, 5, "five"), SY_OK);
    assert_int_equal(certify(t.store, 2, "another two"), SY_OK);
    assert_int_equal(certify(t.store, 6, "too early"), SY_ERR_ARGUMENT);
    for (unsigned round = 0; round < 2; round++) {
        sy_store_reader *reader = test_reader_open(t.store);
        assert_int_equal(sy_ledger_certified(t.store), 3);
        assert_int_equal(sy_ledger_get(reader, &part, 2, SY_BLOCK_CERTIFICATE), SY_OK);
        assert_true(sy_slice_equal(part, sy_slice_of("two", 3)));
        assert_int_equal(sy_ledger_get(reader, &part, 4, SY_BLOCK_CERTIFICATE), SY_ERR_NOT_FOUND);
        sy_store_reader_close(reader);
        test_store_restart(&t);
    }
    assert_int_equal(certify(t.store, 4, "four"), SY_OK);
    assert_int_equal(sy_ledger_certified(t.store), 5);
    test_store_end(&t);
}

CASE(a_slice_stays_until_its_reader_reads_the_same_part)
{
    struct test_store t;
    struct sy_slice header;
    struct sy_slice receipts;
    struct sy_slice other;
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t h = 0; h < 4; h++) append_one(t.store, h, 0);
    sy_store_reader *reader = test_reader_open(t.store);
    assert_int_equal(sy_ledger_get(reader, &header, 0, SY_BLOCK_HEADER), SY_OK);
    assert_int_equal(sy_ledger_get(reader, &receipts, 2, SY_BLOCK_RECEIPTS), SY_OK);
    assert_int_equal(sy_ledger_get(reader, &other, 3, SY_BLOCK_ORDER), SY_OK);
    for (uint64_t h = 4; h < 40; h++) append_one(t.store, h, 0);
    assert_true(test_is_filled(header, 184, 0));
    assert_true(test_is_filled(receipts, 5000, 2 * 16 + 2));
    sy_store_reader_close(reader);
    test_store_end(&t);
}

/* ---- transactions ----------------------------------------------------------------------- */

#define FIND_IDS 3000u

// Which id the block at height has in place i: some are ordered again and again, in one block too,
// and some share their first 8 bytes.
static struct sy_hash drawn_id(sy_prng *prng, uint64_t *number)
{
    *number = sy_prng_chance(prng, 1, 10) ? sy_prng_below(prng, 5) : sy_prng_below(prng, FIND_IDS);
    struct sy_hash id = test_hash_of(*number);
    if (*number % 7 == 0) memset(id.bytes, 0x5a, 8);
    return id;
}

struct found_model {
    struct sy_tx_position *positions[FIND_IDS];
    size_t counts[FIND_IDS];
};

static void note_position(struct found_model *model, uint64_t number, uint64_t height,
                          uint32_t index)
{
    size_t count = model->counts[number]++;
    size_t bytes = (count + 1) * sizeof(struct sy_tx_position);
    struct sy_tx_position *grown =
        (struct sy_tx_position *)realloc(model->positions[number], bytes);
    assert_non_null(grown);
    model->positions[number] = grown;
    grown[count].height = height;
    grown[count].index = index;
}

static void check_found(sy_store *store, const struct found_model *model)
{
    static struct sy_tx_position found_at[20000];
    sy_store_reader *reader = test_reader_open(store);
    for (uint64_t number = 0; number < FIND_IDS; number++) {
        struct sy_hash id = test_hash_of(number);
        if (number % 7 == 0) memset(id.bytes, 0x5a, 8);
        size_t found = 0;
        assert_int_equal(sy_ledger_find_tx(reader, found_at, &found, 20000, &id), SY_OK);
        assert_int_equal(found, model->counts[number]);
        for (size_t i = 0; i < found; i++) {
            assert_int_equal(found_at[i].height, model->positions[number][i].height);
            assert_int_equal(found_at[i].index, model->positions[number][i].index);
        }
        // A short array gets the oldest, and the count is still the whole.
        if (found < 2) continue;
        struct sy_tx_position one;
        assert_int_equal(sy_ledger_find_tx(reader, &one, &found, 1, &id), SY_OK);
        assert_int_equal(found, model->counts[number]);
        assert_int_equal(one.height, model->positions[number][0].height);
    }
    sy_store_reader_close(reader);
}

CASE(every_ordered_copy_of_a_transaction_is_found)
{
    struct test_store t;
    sy_prng prng;
    static struct sy_hash ids[400];
    static struct found_model model;
    memset(&model, 0, sizeof model);
    sy_prng_seed(&prng, test_seed());
    test_store_begin(&t, test_kind_of(state));
    uint64_t blocks = 2000;
    for (uint64_t height = 0; height < blocks; height++) {
        size_t count = sy_prng_chance(&prng, 1, 50) ? 400 : (size_t)sy_prng_below(&prng, 12);
        for (size_t i = 0; i < count; i++) {
            uint64_t number;
            ids[i] = drawn_id(&prng, &number);
            note_position(&model, number, height, (uint32_t)i);
        }
        struct sy_block_write write = {.height = height, .tx_ids = ids, .tx_count = count};
        assert_int_equal(sy_ledger_append(t.store, &write, 1, NULL), SY_OK);
        if (height % 701 == 700) test_store_restart(&t);
    }
    check_found(t.store, &model);
    test_store_restart(&t);
    check_found(t.store, &model);
    for (unsigned i = 0; i < FIND_IDS; i++) free(model.positions[i]);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(records_come_back_in_key_order),
        cmocka_unit_test(a_record_is_replaced_and_dropped),
        cmocka_unit_test(drop_below_takes_one_type_and_only_lower_slots),
        cmocka_unit_test(a_walk_ends_when_the_callback_says_so),
        cmocka_unit_test(bodies_of_every_size_come_back_in_order),
        cmocka_unit_test(dropped_bodies_are_gone_and_the_others_stay),
        cmocka_unit_test(values_over_their_limit_are_refused_and_change_nothing),
        cmocka_unit_test(a_failed_votes_commit_happens_not_at_all),
        cmocka_unit_test(a_device_error_stops_writes_until_the_store_is_opened_again),
        cmocka_unit_test(a_failed_append_happens_not_at_all),
        cmocka_unit_test(a_failed_apply_happens_not_at_all),
        cmocka_unit_test(a_new_ledger_is_empty),
        cmocka_unit_test(blocks_come_back_part_by_part),
        cmocka_unit_test(only_the_next_height_is_appended),
        cmocka_unit_test(malformed_deltas_are_not_appended_nor_applied),
        cmocka_unit_test(certified_is_the_end_of_the_unbroken_certificates),
        cmocka_unit_test(a_slice_stays_until_its_reader_reads_the_same_part),
        cmocka_unit_test(every_ordered_copy_of_a_transaction_is_found),
    };
    return test_store_suite("store", cases);
}
