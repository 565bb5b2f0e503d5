/* What a store refuses to be opened as: another network's, another format's, one put together from
 * different times, one that somebody else has open. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/store/store.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

struct place {
    char folder[256];
    struct sy_store_config config;
};

static sy_store *open_ok(const struct place *place, bool init)
{
    struct sy_store_config config = place->config;
    struct sy_error err = {0};
    sy_store *store = NULL;
    config.init = init;
    sy_status status = sy_store_open_lmdb(&store, &config, &err);
    if (status != SY_OK) print_error("%s\n", err.text);
    assert_int_equal(status, SY_OK);
    return store;
}

static void assert_refused(const struct sy_store_config *config, sy_status expected,
                           const char *word)
{
    struct sy_error err = {0};
    sy_store *store = NULL;
    assert_int_equal(sy_store_open_lmdb(&store, config, &err), expected);
    assert_null(store);
    if (!strstr(err.text, word)) fail_msg("'%s' does not say '%s'", err.text, word);
}

static void put_record(sy_store *store, uint64_t slot)
{
    struct sy_vote_write write = {.op = SY_VOTE_PUT_RECORD, .key = {1, slot, 0}};
    assert_int_equal(sy_votes_commit(store, &write, 1, NULL), SY_OK);
}

static void append(sy_store *store)
{
    struct test_stored block;
    test_stored_make(&block, sy_ledger_next(store), 2, sy_slice_of(NULL, 0));
    assert_int_equal(sy_ledger_append(store, &block.write, 1, NULL), SY_OK);
    assert_int_equal(sy_state_apply(store, block.write.height, sy_slice_of(NULL, 0), NULL), SY_OK);
    test_stored_free(&block);
}

// A closed store with a few votes and blocks.
static void make(struct place *place)
{
    memset(place, 0, sizeof *place);
    test_folder(place->folder, sizeof place->folder, "open");
    place->config.path = place->folder;
    place->config.genesis = test_hash_of(0);
    place->config.votes_map_bytes = place->config.ledger_map_bytes = 1u << 20;
    place->config.state_map_bytes = 1u << 20;
    place->config.generation_bytes = 1u << 16;
    sy_store *store = open_ok(place, true);
    put_record(store, 1);
    append(store);
    append(store);
    sy_store_close(store);
}

static void drop(struct place *place)
{
    assert_int_equal(sy_os_remove_tree(place->folder, NULL), SY_OK);
}

static void copy_file(const char *to_folder, const char *from_folder, const char *name)
{
    char path[512];
    uint8_t *bytes = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", from_folder, name);
    assert_int_equal(sy_os_read_file(&bytes, &size, path, 1u << 30, NULL), SY_OK);
    snprintf(path, sizeof path, "%s/%s", to_folder, name);
    assert_int_equal(sy_os_write_file(path, bytes, size, 0600, NULL), SY_OK);
    free(bytes);
}

CASE(a_missing_store_is_not_found)
{
    struct place place;
    make(&place);
    struct sy_store_config config = place.config;
    char path[300];
    snprintf(path, sizeof path, "%s/none", place.folder);
    config.path = path;
    assert_refused(&config, SY_ERR_NOT_FOUND, "initialise one first");
    config.path = "";
    assert_refused(&config, SY_ERR_ARGUMENT, "no folder");
    drop(&place);
}

CASE(init_refuses_an_existing_store)
{
    struct place place;
    make(&place);
    struct sy_store_config config = place.config;
    config.init = true;
    assert_refused(&config, SY_ERR_EXISTS, "already");
    char path[300];
    snprintf(path, sizeof path, "%s/STORE", place.folder);
    assert_int_equal(unlink(path), 0);
    assert_refused(&config, SY_ERR_EXISTS, "remove it");
    config.init = false;
    assert_refused(&config, SY_ERR_NOT_FOUND, "interrupted");
    drop(&place);
}

CASE(another_networks_store_is_refused)
{
    struct place place;
    make(&place);
    struct sy_store_config config = place.config;
    config.genesis = test_hash_of(77);
    assert_refused(&config, SY_ERR_ARGUMENT, "belongs to the network");
    drop(&place);
}

CASE(an_unknown_format_is_refused_with_what_to_do)
{
    struct place place;
    char path[300];
    char text[300];
    make(&place);
    snprintf(path, sizeof path, "%s/STORE", place.folder);
    int size = snprintf(text, sizeof text, "systole store\nformat 99\nwhatever\n");
    assert_int_equal(sy_os_write_file(path, text, (size_t)size, 0600, NULL), SY_OK);
    assert_refused(&place.config, SY_ERR_VERSION, "use the release that wrote it");
    assert_int_equal(sy_os_write_file(path, "junk", 4, 0600, NULL), SY_OK);
    assert_refused(&place.config, SY_ERR_CORRUPT, "not a systole store");
    drop(&place);
}

CASE(limits_out_of_bounds_are_refused_by_name)
{
    struct place place;
    make(&place);
    struct sy_store_config config = place.config;
    config.generation_count = 99;
    assert_refused(&config, SY_ERR_ARGUMENT, "generation_count is 99");
    config = place.config;
    config.recent_txs = 3;
    assert_refused(&config, SY_ERR_ARGUMENT, "recent_txs is 3");
    drop(&place);
}

CASE(a_store_without_its_votes_never_votes_again)
{
    struct place place;
    char path[300];
    make(&place);
    snprintf(path, sizeof path, "%s/votes/data.mdb", place.folder);
    assert_int_equal(unlink(path), 0);
    assert_refused(&place.config, SY_ERR_CORRUPT, "must never vote again");
    // Nothing was made in its place by the attempt.
    assert_refused(&place.config, SY_ERR_CORRUPT, "must never vote again");
    drop(&place);
}

CASE(a_missing_ledger_or_state_is_refused)
{
    static const char *const names[] = {"ledger", "state"};
    for (unsigned i = 0; i < 2; i++) {
        struct place place;
        char path[300];
        make(&place);
        snprintf(path, sizeof path, "%s/%s/data.mdb", place.folder, names[i]);
        assert_int_equal(unlink(path), 0);
        assert_refused(&place.config, SY_ERR_CORRUPT, "missing");
        drop(&place);
    }
}

CASE(votes_older_than_the_ledger_are_refused)
{
    struct place place;
    char saved[256];
    char votes[300];
    make(&place);
    snprintf(votes, sizeof votes, "%s/votes", place.folder);
    test_folder(saved, sizeof saved, "saved");
    copy_file(saved, votes, "data.mdb");
    sy_store *store = open_ok(&place, false);
    put_record(store, 2);
    append(store);
    sy_store_close(store);
    copy_file(votes, saved, "data.mdb");
    assert_refused(&place.config, SY_ERR_CORRUPT, "older than the ledger");
    assert_int_equal(sy_os_remove_tree(saved, NULL), SY_OK);
    drop(&place);
}

CASE(a_state_newer_than_the_ledger_is_refused_an_older_one_is_replayed)
{
    struct place place;
    char saved[256];
    char ledger[300];
    char states[300];
    make(&place);
    snprintf(ledger, sizeof ledger, "%s/ledger", place.folder);
    snprintf(states, sizeof states, "%s/state", place.folder);
    test_folder(saved, sizeof saved, "saved");
    copy_file(saved, ledger, "data.mdb");
    sy_store *store = open_ok(&place, false);
    append(store);
    assert_int_equal(sy_state_flush(store, NULL), SY_OK);
    sy_store_close(store);
    char newest[256];
    test_folder(newest, sizeof newest, "newest");
    copy_file(newest, ledger, "data.mdb");
    copy_file(ledger, saved, "data.mdb");
    assert_refused(&place.config, SY_ERR_CORRUPT, "state has 3 blocks, the ledger only 2");
    copy_file(ledger, newest, "data.mdb");
    store = open_ok(&place, false);
    assert_int_equal(sy_state_next(store), 3);
    sy_store_close(store);
    assert_int_equal(sy_os_remove_tree(saved, NULL), SY_OK);
    assert_int_equal(sy_os_remove_tree(newest, NULL), SY_OK);
    drop(&place);
}

CASE(environments_of_two_stores_do_not_mix)
{
    static const char *const names[] = {"votes", "ledger", "state"};
    struct place one;
    struct place two;
    char to[300];
    char from[300];
    for (unsigned i = 0; i < 3; i++) {
        make(&one);
        make(&two);
        snprintf(to, sizeof to, "%s/%s", one.folder, names[i]);
        snprintf(from, sizeof from, "%s/%s", two.folder, names[i]);
        copy_file(to, from, "data.mdb");
        assert_refused(&one.config, SY_ERR_CORRUPT, "another store");
        drop(&two);
        drop(&one);
    }
    make(&one);
    snprintf(to, sizeof to, "%s/state", one.folder);
    snprintf(from, sizeof from, "%s/votes", one.folder);
    copy_file(to, from, "data.mdb");
    assert_refused(&one.config, SY_ERR_CORRUPT, "folders were exchanged");
    drop(&one);
}

static void open_and_wait(void *context)
{
    const struct place *place = (const struct place *)context;
    sy_store *store = open_ok(place, false);
    char path[300];
    snprintf(path, sizeof path, "%s/ready", place->folder);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    char pid[32];
    int length = snprintf(pid, sizeof pid, "%ld", (long)getpid());
    if (fd < 0 || write(fd, pid, (size_t)length) != length || close(fd) != 0) _exit(9);
    // Until the other side lets go.
    fd = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    if (fd < 0 || read(fd, &byte, 1) < 0) _exit(9);
    sy_store_close(store);
}

CASE(a_store_that_is_open_here_is_refused)
{
    struct place place;
    char self[64];
    make(&place);
    sy_store *store = open_ok(&place, false);
    snprintf(self, sizeof self, "process %ld;", (long)getpid());
    assert_refused(&place.config, SY_ERR_BUSY, self);
    struct sy_store_config config = place.config;
    config.read_only = true;
    assert_refused(&config, SY_ERR_BUSY, self);
    sy_store_close(store);
    sy_store_close(open_ok(&place, false));
    drop(&place);
}

CASE(a_store_that_another_process_has_open_is_refused_by_its_pid)
{
    struct place place;
    char path[300];
    char pid[32] = {0};
    char word[64];
    make(&place);
    snprintf(path, sizeof path, "%s/ready", place.folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        open_and_wait(&place);
        _exit(0);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, pid, sizeof pid - 1) > 0);
    close(fd);
    snprintf(word, sizeof word, "process %s;", pid);
    assert_refused(&place.config, SY_ERR_BUSY, word);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    sy_store_close(open_ok(&place, false));
    drop(&place);
}

CASE(a_read_only_store_reads_and_writes_nothing)
{
    struct place place;
    make(&place);
    struct sy_store_config config = place.config;
    config.read_only = true;
    sy_store *store = NULL;
    assert_int_equal(sy_store_open_lmdb(&store, &config, NULL), SY_OK);
    sy_store_reader *reader = NULL;
    assert_int_equal(sy_store_reader_open(&reader, store), SY_OK);
    test_stored_check(reader, 1, 2, sy_slice_of(NULL, 0));
    sy_store_reader_close(reader);
    sy_state_view *view = NULL;
    assert_int_equal(sy_state_view_open(&view, store), SY_OK);
    assert_int_equal(sy_state_view_height(view), 1);
    sy_state_view_close(view);
    struct sy_vote_write write = {.op = SY_VOTE_PUT_RECORD};
    struct sy_block_write block = {.height = 2};
    struct sy_certificate_write certificate = {1, {(const uint8_t *)"c", 1}};
    assert_int_equal(sy_votes_commit(store, &write, 1, NULL), SY_ERR_PERMISSION);
    assert_int_equal(sy_ledger_append(store, &block, 1, NULL), SY_ERR_PERMISSION);
    assert_int_equal(sy_ledger_put_certificates(store, &certificate, 1, NULL), SY_ERR_PERMISSION);
    sy_store_close(store);
    config.init = true;
    assert_refused(&config, SY_ERR_ARGUMENT, "read-only");
    drop(&place);
}

CASE(the_id_is_random_and_stays)
{
    struct place place;
    struct place other;
    make(&place);
    make(&other);
    sy_store *store = open_ok(&place, false);
    struct sy_hash id = *sy_store_id(store);
    sy_store_close(store);
    store = open_ok(&place, false);
    assert_true(sy_hash_equal(&id, sy_store_id(store)));
    sy_store_close(store);
    store = open_ok(&other, false);
    assert_false(sy_hash_equal(&id, sy_store_id(store)));
    assert_false(sy_hash_is_zero(sy_store_id(store)));
    sy_store_close(store);
    drop(&other);
    drop(&place);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_missing_store_is_not_found),
        cmocka_unit_test(init_refuses_an_existing_store),
        cmocka_unit_test(another_networks_store_is_refused),
        cmocka_unit_test(an_unknown_format_is_refused_with_what_to_do),
        cmocka_unit_test(limits_out_of_bounds_are_refused_by_name),
        cmocka_unit_test(a_store_without_its_votes_never_votes_again),
        cmocka_unit_test(a_missing_ledger_or_state_is_refused),
        cmocka_unit_test(votes_older_than_the_ledger_are_refused),
        cmocka_unit_test(a_state_newer_than_the_ledger_is_refused_an_older_one_is_replayed),
        cmocka_unit_test(environments_of_two_stores_do_not_mix),
        cmocka_unit_test(a_store_that_is_open_here_is_refused),
        cmocka_unit_test(a_store_that_another_process_has_open_is_refused_by_its_pid),
        cmocka_unit_test(a_read_only_store_reads_and_writes_nothing),
        cmocka_unit_test(the_id_is_random_and_stays),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
