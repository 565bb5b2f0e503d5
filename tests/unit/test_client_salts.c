/* Salts in the client's store: where they stand, and that nothing of them is left once a record is
 * erased, a version taken back, or the machine stopped in between. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "core/base/os.h"
#include "core/client/client_salts.h"
#include "core/client/client_store.h"
#include "core/wire/schema.h"
#include "tests/support/salt_scan.h"
#include "tests/support/test.h"

static const struct sy_hash genesis = {{42}};

struct bench {
    char folder[256];
    char path[300];
    sy_client_store *store;
    struct sy_error err;
};

static void reopen(struct bench *bench)
{
    sy_client_store_close(bench->store);
    if (sy_client_store_open(&bench->store, bench->path, &genesis, SY_CLIENT_STORE_WRITE,
                             &bench->err) != SY_OK) {
        fail_msg("%s", bench->err.text);
    }
}

static void open_bench(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    test_folder(bench->folder, sizeof bench->folder, "salts");
    snprintf(bench->path, sizeof bench->path, "%s/client", bench->folder);
    reopen(bench);
}

static void close_bench(struct bench *bench)
{
    sy_client_store_close(bench->store);
    assert_int_equal(sy_os_remove_tree(bench->folder, NULL), SY_OK);
}

static void commit(struct bench *bench)
{
    if (sy_client_store_commit(bench->store, &bench->err) != SY_OK) fail_msg("%s", bench->err.text);
}

// --- records -----------------------------------------------------------------------------------

static struct sy_hash label_of(unsigned record)
{
    struct sy_hash label = {{(uint8_t)record, 1}};
    return label;
}

static struct sy_slice content_of(char out[64], unsigned record, unsigned version)
{
    int size = snprintf(out, 64, "{\"record\":%u,\"version\":%u}", record, version);
    return sy_slice_of(out, (size_t)size);
}

static struct sy_client_version version_of(unsigned record, uint32_t number)
{
    char text[64];
    struct sy_slice content = content_of(text, record, number);
    struct sy_client_version version = {.version = number, .size = content.size, .seq = number};
    sy_os_random(&version.salt, sizeof version.salt);
    sy_content_commit(&version.commit, SY_FORM_RAW, &version.salt, content);
    return version;
}

static void know(struct bench *bench, unsigned record, uint32_t versions)
{
    struct sy_hash label = label_of(record);
    struct sy_client_record known = {.id = {{(uint8_t)record, 2}}, .type = "Observation"};
    known.head = version_of(record, 1);
    assert_int_equal(sy_client_put_record(bench->store, &label, &known, NULL), SY_OK);
    for (uint32_t number = 2; number <= versions; number++) {
        struct sy_client_version version = version_of(record, number);
        assert_int_equal(sy_client_add_version(bench->store, &label, &known, &version, NULL),
                         SY_OK);
    }
    commit(bench);
}

static struct sy_client_record get_record(struct bench *bench, unsigned record)
{
    struct sy_client_record known;
    struct sy_hash label = label_of(record);
    assert_int_equal(sy_client_get_record(bench->store, &known, &label, NULL), SY_OK);
    return known;
}

static struct sy_client_version get_version(struct bench *bench, unsigned record, uint32_t number)
{
    struct sy_client_record known = get_record(bench, record);
    struct sy_client_version version;
    struct sy_hash label = label_of(record);
    assert_int_equal(sy_client_get_version(bench->store, &version, &label, &known, number, NULL),
                     SY_OK);
    return version;
}

/* In how many places of the store's folder the salt of a commitment lies. */
static unsigned count_salts(struct bench *bench, const struct sy_hash *made, unsigned record,
                            unsigned version)
{
    char text[64];
    struct salt_scan scan = {.commit = *made, .content = content_of(text, record, version)};
    assert_true(salt_scan_path(&scan, bench->folder));
    assert_true(scan.bytes > 4096);
    return scan.found;
}

static uint32_t find(struct bench *bench, unsigned record, unsigned version)
{
    char text[64];
    struct sy_client_record known = get_record(bench, record);
    struct sy_hash label = label_of(record);
    uint32_t found = 99;
    assert_int_equal(sy_client_find_version(bench->store, &found, &label, &known,
                                            content_of(text, record, version), NULL),
                     SY_OK);
    return found;
}

static void erase_record(struct bench *bench, unsigned record, unsigned expected)
{
    struct sy_hash label = label_of(record);
    unsigned salts = 99;
    if (sy_client_erase_record(bench->store, &salts, &label, &bench->err) != SY_OK) {
        fail_msg("%s", bench->err.text);
    }
    assert_int_equal(salts, expected);
}

// --- cases -------------------------------------------------------------------------------------

CASE(a_salt_stands_in_one_place_alone)
{
    struct bench bench;
    open_bench(&bench);
    know(&bench, 1, 3);
    for (unsigned turn = 0; turn < 2; turn++) {
        for (uint32_t number = 1; number <= 3; number++) {
            struct sy_client_version version = get_version(&bench, 1, number);
            assert_int_equal(count_salts(&bench, &version.commit, 1, number), 1);
            assert_int_equal(find(&bench, 1, number), number);
        }
        assert_int_equal(find(&bench, 1, 4), 0);
        reopen(&bench);
    }
    close_bench(&bench);
}

/* The scan knows no salt: it tries every one that the bytes could be. */
CASE(nothing_of_a_salt_is_left_after_an_erasure)
{
    struct bench bench;
    struct sy_hash made[3], other;
    open_bench(&bench);
    know(&bench, 1, 3);
    know(&bench, 2, 2);
    for (uint32_t i = 0; i < 3; i++) made[i] = get_version(&bench, 1, i + 1).commit;
    other = get_version(&bench, 2, 1).commit;
    erase_record(&bench, 1, 3);
    commit(&bench);
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(count_salts(&bench, &made[i], 1, i + 1), 0);
            assert_int_equal(find(&bench, 1, i + 1), 0);
        }
        assert_true(get_record(&bench, 1).erased);
        assert_int_equal(get_record(&bench, 1).id.bytes[0], 1); // that it was, is known
        assert_int_equal(count_salts(&bench, &other, 2, 1), 1); // nobody else's is gone
        assert_int_equal(find(&bench, 2, 1), 1);
        assert_int_equal(find(&bench, 2, 2), 2);
        reopen(&bench);
    }
    erase_record(&bench, 1, 0); // again: nothing to do
    know(&bench, 3, 2);         // and the store goes on
    assert_int_equal(find(&bench, 3, 1), 1);
    assert_int_equal(find(&bench, 2, 2), 2);
    close_bench(&bench);
}

CASE(a_version_that_is_taken_back_leaves_no_salt)
{
    struct bench bench;
    struct sy_hash made[2], label = label_of(1);
    open_bench(&bench);
    know(&bench, 1, 3);
    for (uint32_t i = 0; i < 2; i++) made[i] = get_version(&bench, 1, i + 2).commit;
    assert_int_equal(sy_client_drop_versions(bench.store, &label, 2, NULL), SY_OK);
    commit(&bench);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(count_salts(&bench, &made[i], 1, i + 2), 0);
    }
    assert_int_equal(find(&bench, 1, 1), 1);
    struct sy_hash first = get_version(&bench, 1, 1).commit;
    assert_int_equal(sy_client_drop_versions(bench.store, &label, 1, NULL), SY_OK);
    commit(&bench);
    assert_int_equal(count_salts(&bench, &first, 1, 1), 0);
    close_bench(&bench);
}

static void die_erasing(void *context)
{
    struct bench *bench = context;
    struct sy_hash label = label_of(1);
    unsigned salts;
    if (sy_client_store_open(&bench->store, bench->path, &genesis, SY_CLIENT_STORE_WRITE,
                             &bench->err) != SY_OK) {
        _Exit(3);
    }
    (void)sy_client_erase_record(bench->store, &salts, &label, NULL);
    (void)sy_client_store_commit(bench->store, NULL);
    _Exit(4);
}

/* Killed when the salts are gone and the rows are not: nothing is told from nothing, and erasing
 * again ends it. */
CASE(killed_in_an_erasure_the_salts_are_gone_all_the_same)
{
    struct bench bench;
    open_bench(&bench);
    know(&bench, 1, 2);
    struct sy_hash made = get_version(&bench, 1, 1).commit;
    sy_client_store_close(bench.store);
    bench.store = NULL;
    sy_os_failpoint_arm("client.commit", 2, "kill"); /* the first makes the trees */
    int status = test_child(die_erasing, &bench);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    reopen(&bench);
    assert_int_equal(count_salts(&bench, &made, 1, 1), 0);
    assert_false(get_record(&bench, 1).erased);
    assert_int_equal(get_record(&bench, 1).head.version, 2);
    assert_int_equal(find(&bench, 1, 1), 0);
    erase_record(&bench, 1, 0);
    commit(&bench);
    assert_true(get_record(&bench, 1).erased);
    close_bench(&bench);
}

/* Stopped before the salts are on the disk, the erasure has failed, and says so. */
CASE(an_erasure_that_does_not_reach_the_disk_fails)
{
    struct bench bench;
    struct sy_hash label = label_of(1);
    unsigned salts;
    open_bench(&bench);
    know(&bench, 1, 1);
    sy_os_failpoint_arm("client.salts", 1, "eio");
    assert_int_equal(sy_client_erase_record(bench.store, &salts, &label, &bench.err), SY_ERR_IO);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_false(get_record(&bench, 1).erased);
    erase_record(&bench, 1, 0); // the second try syncs what the first one wrote
    commit(&bench);
    close_bench(&bench);
}

/* What a run remembers of a document it read is worth nothing after an erasure. */
CASE(an_erasure_forgets_what_was_read)
{
    struct bench bench;
    struct sy_hash before, after, input = {{9}};
    struct sy_client_cursor cursor = {.next_offset = 5};
    static const char document[] = "{\"resourceType\":\"Observation\"}";
    struct sy_slice bytes = sy_slice_of(document, sizeof document - 1);
    open_bench(&bench);
    know(&bench, 1, 1);
    sy_client_digest(bench.store, &before, bytes);
    cursor.last_digest = before;
    assert_int_equal(sy_client_put_cursor(bench.store, &input, &cursor, NULL), SY_OK);
    commit(&bench);
    reopen(&bench);
    sy_client_digest(bench.store, &after, bytes);
    assert_memory_equal(after.bytes, before.bytes, 32);
    erase_record(&bench, 1, 1);
    commit(&bench);
    for (unsigned turn = 0; turn < 2; turn++) {
        sy_client_digest(bench.store, &after, bytes);
        assert_memory_not_equal(after.bytes, before.bytes, 32);
        assert_int_equal(sy_client_get_cursor(bench.store, &cursor, &input, NULL), SY_OK);
        assert_int_equal(cursor.next_offset, 0); // as of an input that nobody read
        reopen(&bench);
    }
    close_bench(&bench);
}

/* A rehearsal sees the store's salts, has others of its own, and destroys nothing. */
CASE(a_rehearsal_leaves_the_salts_alone)
{
    struct bench bench;
    struct sy_hash label = label_of(1);
    open_bench(&bench);
    know(&bench, 1, 2);
    sy_client_store_close(bench.store);
    assert_int_equal(sy_client_store_open(&bench.store, bench.path, &genesis,
                                          SY_CLIENT_STORE_SCRATCH, &bench.err),
                     SY_OK);
    assert_int_equal(find(&bench, 1, 1), 1);
    struct sy_client_record known = get_record(&bench, 1);
    struct sy_client_version third = version_of(1, 3);
    assert_int_equal(sy_client_add_version(bench.store, &label, &known, &third, NULL), SY_OK);
    know(&bench, 7, 2);
    assert_int_equal(find(&bench, 7, 1), 1);
    for (unsigned number = 1; number <= 3; number++) {
        assert_int_equal(find(&bench, 1, number), number);
    }
    assert_int_equal(sy_client_drop_versions(bench.store, &label, 2, NULL), SY_OK);
    assert_int_equal(find(&bench, 1, 2), 0);
    sy_client_store_close(bench.store);
    bench.store = NULL;
    reopen(&bench);
    assert_int_equal(find(&bench, 1, 1), 1);
    assert_int_equal(find(&bench, 1, 2), 2);
    assert_int_equal(get_record(&bench, 1).head.version, 2);
    close_bench(&bench);
}

CASE(a_store_without_its_salts_is_told)
{
    struct bench bench;
    char path[400];
    open_bench(&bench);
    know(&bench, 1, 1);
    sy_client_store_close(bench.store);
    bench.store = NULL;
    snprintf(path, sizeof path, "%s/salts", bench.path);
    assert_int_equal(sy_os_write_file(path, "something else, of 32 bytes.....", 32, 0600, NULL),
                     SY_OK);
    assert_int_equal(
        sy_client_store_open(&bench.store, bench.path, &genesis, SY_CLIENT_STORE_WRITE, &bench.err),
        SY_ERR_CORRUPT);
    assert_int_equal(remove(path), 0);
    assert_int_equal(
        sy_client_store_open(&bench.store, bench.path, &genesis, SY_CLIENT_STORE_READ, &bench.err),
        SY_ERR_NOT_FOUND);
    assert_non_null(strstr(bench.err.text, "salts is missing"));
    assert_null(bench.store);
    close_bench(&bench);
}

CASE(a_record_is_found_by_its_id)
{
    struct bench bench;
    struct sy_hash label, id = {{2, 2}}, nobody = {{77}}, wanted = label_of(2);
    open_bench(&bench);
    assert_int_equal(sy_client_find_label(bench.store, &label, &id, NULL), SY_ERR_NOT_FOUND);
    for (unsigned i = 1; i <= 3; i++) know(&bench, i, 1);
    assert_int_equal(sy_client_find_label(bench.store, &label, &id, NULL), SY_OK);
    assert_memory_equal(label.bytes, wanted.bytes, 32);
    assert_int_equal(sy_client_find_label(bench.store, &label, &nobody, NULL), SY_ERR_NOT_FOUND);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_salt_stands_in_one_place_alone),
        cmocka_unit_test(nothing_of_a_salt_is_left_after_an_erasure),
        cmocka_unit_test(a_version_that_is_taken_back_leaves_no_salt),
        cmocka_unit_test(killed_in_an_erasure_the_salts_are_gone_all_the_same),
        cmocka_unit_test(an_erasure_that_does_not_reach_the_disk_fails),
        cmocka_unit_test(an_erasure_forgets_what_was_read),
        cmocka_unit_test(a_rehearsal_leaves_the_salts_alone),
        cmocka_unit_test(a_store_without_its_salts_is_told),
        cmocka_unit_test(a_record_is_found_by_its_id),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
