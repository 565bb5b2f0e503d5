/* A store whose disk fills up, in every way that can be had here: system calls that find no room,
 * a file size limit, a small tmpfs. It must stop cleanly, keep what it promised, go on reading, and
 * take up work again once there is room. ctest: timeout=900 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/store/store.h"
#include "tests/support/powercut.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

POWERCUT_INSTALL

#define STEP_TXS 2u
#define BODY_BYTES 40000u

struct filling {
    char folder[256];
    sy_store *store;
    sy_store_reader *reader;
    uint64_t votes; /* promised steps */
    uint64_t blocks;
    struct test_model model;
};

static void open_filling(struct filling *f, bool init)
{
    struct sy_store_config config = {.path = f->folder,
                                     .genesis = test_hash_of(0),
                                     .init = init,
                                     .generation_bytes = 1u << 16,
                                     .generation_count = 2,
                                     .generation_blocks = 2,
                                     .recent_txs = 16,
                                     .votes_map_bytes = 1u << 18,
                                     .ledger_map_bytes = 1u << 18,
                                     .state_map_bytes = 1u << 18};
    struct sy_error err = {0};
    sy_status status = sy_store_open_lmdb(&f->store, &config, &err);
    if (status != SY_OK) print_error("%s\n", err.text);
    assert_int_equal(status, SY_OK);
    assert_int_equal(sy_store_reader_open(&f->reader, f->store), SY_OK);
}

static void close_filling(struct filling *f)
{
    sy_store_reader_close(f->reader);
    sy_store_close(f->store);
}

static sy_status step_votes(struct filling *f)
{
    static uint8_t body[BODY_BYTES];
    test_fill(body, sizeof body, f->votes);
    struct sy_vote_write writes[] = {
        {.op = SY_VOTE_PUT_BODY,
         .body = test_hash_of(f->votes),
         .value = sy_slice_of(body, sizeof body)},
        {.op = SY_VOTE_PUT_RECORD, .key = {1, f->votes, 0}, .value = sy_slice_of(body, 50)},
        {.op = SY_VOTE_PUT_EVIDENCE,
         .body = test_hash_of(f->votes / SY_EVIDENCE_SIGNER_MAX),
         .key = {1, f->votes, 0},
         .value = sy_slice_of(body, 50)},
    };
    SY_TRY(sy_votes_commit(f->store, writes, 3, NULL));
    f->votes++;
    return SY_OK;
}

static struct sy_slice deltas_of(struct test_model *model, uint8_t *packed, uint64_t height)
{
    sy_prng prng;
    sy_prng_seed(&prng, height + 1);
    return test_model_step(model, packed, &prng, height, 200);
}

static sy_status step_block(struct filling *f)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_model next = f->model;
    struct test_stored block;
    struct sy_slice deltas = deltas_of(&next, packed, f->blocks);
    test_stored_make(&block, f->blocks, STEP_TXS, deltas);
    sy_status status = sy_ledger_append(f->store, &block.write, 1, NULL);
    test_stored_free(&block);
    if (status != SY_OK) return status;
    f->model = next;
    f->blocks++;
    return SY_OK;
}

// Applies what is in the ledger and not yet in the state.
static sy_status step_state(struct filling *f)
{
    while (sy_state_next(f->store) < f->blocks) {
        struct sy_slice deltas;
        uint64_t height = sy_state_next(f->store);
        SY_TRY(sy_ledger_get(f->reader, &deltas, height, SY_BLOCK_DELTAS));
        sy_status status = sy_state_apply(f->store, height, deltas, NULL);
        if (status == SY_ERR_BUSY) status = sy_state_wait(f->store, 60000);
        if (status != SY_OK) return status;
    }
    return SY_OK;
}

static sy_status step_all(struct filling *f)
{
    SY_TRY(step_votes(f));
    SY_TRY(step_block(f));
    return step_state(f);
}

static sy_status see_evidence(void *context, const struct sy_hash *signer,
                              const struct sy_record_key *key, struct sy_slice value)
{
    (void)signer;
    (void)context;
    assert_true(test_is_filled(value, 50, key->slot));
    return SY_OK;
}

static void check_body(struct filling *f, uint64_t number)
{
    struct sy_slice body;
    struct sy_hash digest = test_hash_of(number);
    assert_int_equal(sy_body_get(f->reader, &body, &digest), SY_OK);
    assert_true(test_is_filled(body, BODY_BYTES, number));
}

// The newest `depth` of all that was promised are there, and reads go on whatever the disk does.
static void check_newest(struct filling *f, uint64_t depth)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_model model = {0};
    uint64_t state_next = sy_state_next(f->store);
    struct test_model shown = {0};
    for (uint64_t i = f->votes > depth ? f->votes - depth : 0; i < f->votes; i++) check_body(f, i);
    assert_int_equal(sy_evidence_each(f->reader, see_evidence, NULL, NULL), SY_OK);
    assert_int_equal(sy_ledger_next(f->store), f->blocks);
    for (uint64_t height = 0; height < f->blocks; height++) {
        struct sy_slice deltas = deltas_of(&model, packed, height);
        if (height + depth >= f->blocks) test_stored_check(f->reader, height, STEP_TXS, deltas);
        if (height + 1 == state_next) shown = model;
    }
    if (state_next == 0) return;
    test_newest_check(f->store, &shown);
}

static void check_all(struct filling *f)
{
    check_newest(f, UINT32_MAX);
}

static void begin(struct filling *f, const char *name)
{
    memset(f, 0, sizeof *f);
    test_folder(f->folder, sizeof f->folder, name);
    powercut_arm(POWERCUT_COUNT, 0, 0, false);
    open_filling(f, true);
}

static void end(struct filling *f)
{
    close_filling(f);
    assert_int_equal(sy_os_remove_tree(f->folder, NULL), SY_OK);
}

/* ---- the N-th call ---------------------------------------------------------------------- */

static bool is_refusal(sy_status status)
{
    return status == SY_ERR_DISK_FULL || status == SY_ERR_IO;
}

// Works with the nth system call failing; *failed: something was refused.
static void work_until_refused(struct filling *f, bool *failed)
{
    *failed = false;
    for (unsigned i = 0; i < 6 && !*failed; i++) {
        sy_status status = step_all(f);
        if (status != SY_OK) assert_true(is_refusal(status));
        *failed = status != SY_OK;
    }
    struct sy_store_stats stats;
    sy_store_stats_get(f->store, &stats);
    // A merge may have met the failure where no step did.
    for (int env = 0; env < SY_ENV_COUNT; env++) {
        *failed |= stats.env[env].full || stats.env[env].failed;
    }
}

// After a device error the last append may have happened or not.
static void adopt_last(struct filling *f)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    if (sy_ledger_next(f->store) == f->blocks) return;
    assert_int_equal(sy_ledger_next(f->store), f->blocks + 1);
    (void)deltas_of(&f->model, packed, f->blocks);
    f->blocks++;
}

static void fail_every_call(enum powercut_action action, uint64_t stride)
{
    struct filling f;
    uint64_t refused = 0;
    uint64_t calls = 0;
    begin(&f, "full");
    for (uint64_t nth = 1;; nth += stride) {
        bool failed;
        powercut_arm(action, nth, 0, false);
        work_until_refused(&f, &failed);
        if (action != POWERCUT_EIO) check_newest(&f, 20);
        calls = powercut_calls();
        powercut_arm(POWERCUT_COUNT, 0, 0, false); // room is made
        sy_status resumed = sy_store_resume(f.store, NULL);
        if (resumed == SY_OK) {
            sy_status status = step_state(&f);
            if (status == SY_OK) status = step_all(&f);
            assert_int_equal(status, SY_OK);
        } else {
            assert_int_equal(resumed, SY_ERR_IO);
            assert_int_equal(action, POWERCUT_EIO);
        }
        close_filling(&f);
        open_filling(&f, false);
        adopt_last(&f);
        check_newest(&f, 20);
        assert_int_equal(step_all(&f), SY_OK);
        refused += failed;
        if (!failed && calls < nth) break;
    }
    check_all(&f);
    assert_true(refused > 10);
    end(&f);
}

CASE(no_room_at_any_call_loses_nothing_and_work_resumes)
{
    fail_every_call(POWERCUT_ENOSPC, 1);
}

// The merger's write is still failing when room has been made and the store is told so.
CASE(work_resumes_while_the_merger_meets_the_end_of_the_room)
{
    powercut_linger(50);
    fail_every_call(POWERCUT_ENOSPC, 5);
    fail_every_call(POWERCUT_SHORT, 5);
    powercut_linger(0);
}

CASE(a_short_write_at_any_call_loses_nothing_and_work_resumes)
{
    fail_every_call(POWERCUT_SHORT, 3);
}

CASE(a_device_error_at_any_call_loses_nothing)
{
    fail_every_call(POWERCUT_EIO, 3);
}

/* ---- a full device ---------------------------------------------------------------------- */

// Works until the disk is full, checks, lets make_room make room, and works on.
static void fill_and_resume(struct filling *f, void (*make_room)(void *context), void *context)
{
    sy_status status = SY_OK;
    struct sy_error err;
    unsigned steps = 0;
    while (status == SY_OK && steps++ < 1000) status = step_all(f);
    assert_int_equal(status, SY_ERR_DISK_FULL);
    check_all(f);
    // It stays stopped, with a reason, as long as nobody resumes it; what has no room has none.
    struct sy_store_stats stats;
    sy_store_stats_get(f->store, &stats);
    assert_true(stats.env[SY_ENV_VOTES].full || stats.env[SY_ENV_LEDGER].full ||
                stats.env[SY_ENV_STATE].full);
    assert_int_equal(sy_store_resume(f->store, &err), SY_OK);
    for (steps = 0; status != SY_ERR_DISK_FULL && steps < 1000; steps++) status = step_all(f);
    assert_int_equal(status, SY_ERR_DISK_FULL);
    check_all(f);
    // Whether a write was cut short for want of room is asked of the device right after it.
    sy_status merged = sy_state_flush(f->store, &err);
    assert_true(merged == SY_OK || merged == SY_ERR_DISK_FULL);
    make_room(context);
    assert_int_equal(sy_store_resume(f->store, &err), SY_OK);
    assert_int_equal(step_state(f), SY_OK);
    for (steps = 0; steps < 10; steps++) assert_int_equal(step_all(f), SY_OK);
    check_all(f);
    close_filling(f);
    open_filling(f, false);
    check_all(f);
}

static void raise_limit(void *context)
{
    (void)context;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void fill_under_limit(void *context)
{
    struct filling *f = (struct filling *)context;
    struct rlimit limit;
    begin(f, "limit");
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(9);
    limit.rlim_cur = 1500000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(9);
    fill_and_resume(f, raise_limit, NULL);
    end(f);
}

CASE(a_file_size_limit_stops_the_store_cleanly_and_it_resumes)
{
    static struct filling f;
    print_message("full disk by RLIMIT_FSIZE\n");
    int status = test_child(fill_under_limit, &f);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Votes that find their room in what dropped votes leave behind, beside a flood of evidence that
 * does not: the file cannot grow, and not one vote is refused. */
static void flood_under_limit(void *context)
{
    struct filling *f = (struct filling *)context;
    static uint8_t value[SY_EVIDENCE_VALUE_BYTES_MAX];
    struct rlimit limit;
    begin(f, "flood");
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(9);
    limit.rlim_cur = 600000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(9);
    for (uint64_t i = 0; i < 500; i++) {
        struct sy_vote_write writes[] = {
            {.op = SY_VOTE_PUT_RECORD, .key = {1, i, 0}, .value = sy_slice_of(value, 3000)},
            {.op = SY_VOTE_DROP_BELOW, .key = {1, i < 8 ? 0 : i - 8, 0}},
            {.op = SY_VOTE_PUT_EVIDENCE,
             .body = test_hash_of(i),
             .key = {1, i, 0},
             .value = sy_slice_of(value, i < 8 ? 1 : sizeof value)},
        };
        struct sy_error err;
        sy_status status = sy_votes_commit(f->store, writes, 3, &err);
        if (status != SY_OK) fail_msg("vote %llu: %s", (unsigned long long)i, err.text);
    }
    uint64_t kept = sy_evidence_count(f->reader);
    print_message("%llu of 500 pieces found room\n", (unsigned long long)kept);
    assert_true(kept > 8 && kept < 400);
    end(f);
}

CASE(a_flood_of_evidence_on_a_full_disk_refuses_no_vote)
{
    static struct filling f;
    int status = test_child(flood_under_limit, &f);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

struct small_disk {
    struct filling f;
    char ballast[300];
};

static void remove_ballast(void *context)
{
    const struct small_disk *disk = (const struct small_disk *)context;
    assert_int_equal(unlink(disk->ballast), 0);
}

// In a mount namespace of its own, so that nobody else sees the mount and it goes with the child.
// Exits with 77 where that is not permitted.
static void fill_tmpfs(void *context)
{
    struct small_disk *disk = (struct small_disk *)context;
    char mount_at[256];
    test_folder(mount_at, sizeof mount_at, "tmpfs");
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", mount_at, "tmpfs", 0, "size=4m") != 0) {
        (void)rmdir(mount_at);
        _exit(77);
    }
    static uint8_t weight[1500000];
    snprintf(disk->ballast, sizeof disk->ballast, "%s/ballast", mount_at);
    FILE *ballast = fopen(disk->ballast, "w");
    if (!ballast || fwrite(weight, sizeof weight, 1, ballast) != 1 || fclose(ballast)) _exit(9);
    struct filling *f = &disk->f;
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "%.200s/store", mount_at);
    powercut_arm(POWERCUT_COUNT, 0, 0, false);
    open_filling(f, true);
    fill_and_resume(f, remove_ballast, disk);
    close_filling(f);
    (void)umount(mount_at);
    (void)rmdir(mount_at);
}

CASE(a_full_tmpfs_stops_the_store_cleanly_and_it_resumes)
{
    static struct small_disk disk;
    int status = test_child(fill_tmpfs, &disk);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("full disk by tmpfs: skipped: mounting is not permitted here\n");
        skip();
    }
    print_message("full disk by a tmpfs of 4 MiB\n");
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(no_room_at_any_call_loses_nothing_and_work_resumes),
        cmocka_unit_test(work_resumes_while_the_merger_meets_the_end_of_the_room),
        cmocka_unit_test(a_short_write_at_any_call_loses_nothing_and_work_resumes),
        cmocka_unit_test(a_device_error_at_any_call_loses_nothing),
        cmocka_unit_test(a_file_size_limit_stops_the_store_cleanly_and_it_resumes),
        cmocka_unit_test(a_flood_of_evidence_on_a_full_disk_refuses_no_vote),
        cmocka_unit_test(a_full_tmpfs_stops_the_store_cleanly_and_it_resumes),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
