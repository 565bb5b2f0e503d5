/* Kills a process that commits numbered writes at every write, every sync and every failpoint of
 * the store, with a power cut, and looks whether all that was promised is there and nothing is
 * torn. ctest: timeout=900 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Step i of the work: record (1, i, 0), body i, evidence i, block i with 3 txs and its deltas, and,
 * every second step, the certificates that are missing. Records below i - 8 are dropped. */
#define STEP_TXS 3u
#define STEP_SIGNERS(i) ((i) / SY_EVIDENCE_SIGNER_MAX)

// What a child has been promised, as it told through a pipe.
struct promised {
    uint64_t votes; /* steps */
    uint64_t blocks;
    uint64_t certified;
};

struct crash {
    char folder[256];
    uint64_t steps; /* how many the child makes */
    enum { BY_POWERCUT, BY_FAILPOINT, BY_LIES } how;
    uint64_t nth;
    uint64_t seed;
    int pipe_fd;
};

static struct sy_store_config config_for(const struct crash *crash, bool init)
{
    struct sy_store_config config = {.path = crash->folder,
                                     .genesis = test_hash_of(0),
                                     .init = init,
                                     .generation_bytes = 1u << 16,
                                     .generation_count = 2,
                                     .generation_blocks = 3,
                                     .view_count_max = 2,
                                     .recent_txs = 16,
                                     .votes_map_bytes = 1u << 16,
                                     .ledger_map_bytes = 1u << 16,
                                     .state_map_bytes = 1u << 16};
    return config;
}

static size_t body_size(uint64_t step)
{
    return (size_t)(step % 4) * 30000 + 100;
}

// The deltas of a block follow from its height alone.
static struct sy_slice deltas_of(struct test_model *model, uint8_t *packed, uint64_t height)
{
    sy_prng prng;
    sy_prng_seed(&prng, height + 1);
    return test_model_step(model, packed, &prng, height, 25);
}

static void must(sy_status status, const struct sy_error *err)
{
    if (status == SY_OK) return;
    fprintf(stdout, "child: %s: %s\n", sy_status_name(status), err->text);
    fflush(stdout);
    _exit(3);
}

static void promise(int fd, char kind, uint64_t number)
{
    uint8_t line[9] = {(uint8_t)kind};
    sy_store_u64(line + 1, number);
    if (write(fd, line, sizeof line) != (ssize_t)sizeof line) _exit(4);
}

static void commit_votes(sy_store *store, uint64_t step, int fd)
{
    static uint8_t body[200000];
    uint8_t record[64];
    struct sy_error err;
    test_fill(body, body_size(step), step);
    test_fill(record, sizeof record, step);
    struct sy_vote_write writes[] = {
        {.op = SY_VOTE_PUT_BODY,
         .body = test_hash_of(step),
         .value = sy_slice_of(body, body_size(step))},
        {.op = SY_VOTE_PUT_RECORD, .key = {1, step, 0}, .value = sy_slice_of(record, 64)},
        {.op = SY_VOTE_DROP_BELOW, .key = {1, step < 8 ? 0 : step - 8, 0}},
        {.op = SY_VOTE_PUT_EVIDENCE,
         .body = test_hash_of(STEP_SIGNERS(step)),
         .key = {1, step, 0},
         .value = sy_slice_of(record, 64)},
        {.op = SY_VOTE_DROP_BODY, .body = test_hash_of(step - 9)},
    };
    must(sy_votes_commit(store, writes, step < 9 ? 4 : 5, &err), &err);
    promise(fd, 'v', step + 1);
}

// Certificates of all that lacks one, every second step.
static void certify(sy_store *store, uint64_t height, int fd)
{
    struct sy_certificate_write writes[64];
    struct sy_error err;
    size_t count = 0;
    if (height % 2 == 0) return;
    for (uint64_t h = sy_ledger_certified(store) + 1; h <= height && count < 64; h++) {
        writes[count].height = h;
        writes[count++].certificate = sy_slice_of("certificate", 11);
    }
    must(sy_ledger_put_certificates(store, writes, count, &err), &err);
    promise(fd, 'c', sy_ledger_certified(store));
}

static void commit_block(sy_store *store, uint64_t height, int fd)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_model unused = {0};
    struct test_stored block;
    struct sy_error err;
    struct sy_slice deltas = deltas_of(&unused, packed, height);
    test_stored_make(&block, height, STEP_TXS, deltas);
    must(sy_ledger_append(store, &block.write, 1, &err), &err);
    promise(fd, 'b', height + 1);
    test_stored_free(&block);
    sy_status status;
    while ((status = sy_state_apply(store, height, deltas, &err)) == SY_ERR_BUSY) {
        must(sy_state_wait(store, 60000), &err);
    }
    must(status, &err);
    certify(store, height, fd);
}

// The child: takes up the work where the store stands and goes on until it is killed.
static void work(void *context)
{
    const struct crash *crash = (const struct crash *)context;
    struct sy_store_config config = config_for(crash, false);
    struct sy_error err;
    sy_store *store;
    if (crash->how == BY_FAILPOINT) {
        sy_os_failpoint_arm("*", crash->nth, "kill");
        powercut_arm(POWERCUT_COUNT, 0, 0, false);
    } else {
        powercut_arm(POWERCUT_DIE, crash->nth, crash->seed, crash->how == BY_LIES);
    }
    must(sy_store_open_lmdb(&store, &config, &err), &err);
    for (uint64_t i = 0; i < crash->steps; i++) {
        uint64_t step = sy_ledger_next(store);
        commit_votes(store, step, crash->pipe_fd);
        commit_block(store, step, crash->pipe_fd);
    }
    must(sy_state_flush(store, &err), &err);
    sy_store_close(store);
}

static void read_promises(struct promised *promised, int fd)
{
    uint8_t line[9];
    while (read(fd, line, sizeof line) == (ssize_t)sizeof line) {
        uint64_t number = sy_load_u64(line + 1);
        if (line[0] == 'v') promised->votes = number;
        if (line[0] == 'b') promised->blocks = number;
        if (line[0] == 'c') promised->certified = number;
    }
}

// Runs the child once; its promises are added to what was promised before. Returns wait status.
static int run_child(struct crash *crash, struct promised *promised)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        crash->pipe_fd = ends[1];
        work(crash);
        _exit(0);
    }
    close(ends[1]);
    read_promises(promised, ends[0]);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* ---- looking ---------------------------------------------------------------------------- */

struct seen {
    uint64_t newest;
    uint64_t count;
};

static sy_status see_record(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    struct seen *seen = (struct seen *)context;
    if (key->type != 1 || !test_is_filled(value, 64, key->slot)) return SY_ERR_CORRUPT;
    if (seen->count > 0 && key->slot != seen->newest + 1) return SY_ERR_CORRUPT;
    seen->newest = key->slot;
    seen->count++;
    return SY_OK;
}

static sy_status see_evidence(void *context, const struct sy_hash *signer,
                              const struct sy_record_key *key, struct sy_slice value)
{
    struct sy_hash expected = test_hash_of(STEP_SIGNERS(key->slot));
    if (!sy_hash_equal(signer, &expected)) return SY_ERR_CORRUPT;
    if (key->type != 1 || !test_is_filled(value, 64, key->slot)) return SY_ERR_CORRUPT;
    ++*(uint64_t *)context;
    return SY_OK;
}

// A piece a step, until there is no place for more.
static sy_status check_evidence(sy_store_reader *reader, uint64_t steps)
{
    struct sy_error err;
    uint64_t count = 0;
    SY_TRY(sy_evidence_each(reader, see_evidence, &count, &err));
    uint64_t expected = steps < SY_EVIDENCE_KEPT_MAX ? steps : SY_EVIDENCE_KEPT_MAX;
    return count == expected ? SY_OK : SY_ERR_NOT_FOUND;
}

static sy_status check_votes(sy_store_reader *reader, const struct promised *promised)
{
    struct seen seen = {0, 0};
    struct sy_error err;
    SY_TRY(sy_votes_each(reader, see_record, &seen, &err));
    uint64_t steps = seen.count > 0 ? seen.newest + 1 : 0;
    if (steps < promised->votes) return SY_ERR_NOT_FOUND;
    SY_TRY(check_evidence(reader, steps));
    if (seen.count != (steps < 9 ? steps : 9)) return SY_ERR_NOT_FOUND;
    for (uint64_t step = steps - seen.count; step < steps; step++) {
        struct sy_slice body;
        struct sy_hash digest = test_hash_of(step);
        SY_TRY(sy_body_get(reader, &body, &digest));
        if (!test_is_filled(body, body_size(step), step)) return SY_ERR_CORRUPT;
    }
    return SY_OK;
}

static sy_status check_txs(sy_store_reader *reader, uint64_t height)
{
    for (size_t i = 0; i < STEP_TXS; i++) {
        struct sy_hash id = test_hash_of(height * 1000 + i);
        struct sy_tx_position at;
        size_t found = 0;
        SY_TRY(sy_ledger_find_tx(reader, &at, &found, 1, &id));
        if (found != 1 || at.height != height || at.index != i) return SY_ERR_NOT_FOUND;
    }
    return SY_OK;
}

static sy_status check_ledger(sy_store *store, sy_store_reader *reader,
                              const struct promised *promised)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_model model = {0};
    uint64_t next = sy_ledger_next(store);
    if (next < promised->blocks) return SY_ERR_NOT_FOUND;
    if (sy_ledger_certified(store) < promised->certified) return SY_ERR_NOT_FOUND;
    for (uint64_t height = 0; height < next; height++) {
        struct sy_slice deltas = deltas_of(&model, packed, height);
        test_stored_check(reader, height, STEP_TXS, deltas);
        SY_TRY(check_txs(reader, height));
    }
    if (next == 0) return SY_OK;
    if (sy_state_next(store) != next) return SY_ERR_NOT_FOUND;
    sy_state_view *view;
    SY_TRY(sy_state_view_open(&view, store));
    test_model_check(view, &model);
    sy_state_view_close(view);
    return SY_OK;
}

static sy_status look(const struct crash *crash, const struct promised *promised)
{
    struct sy_store_config config = config_for(crash, false);
    struct sy_error err = {0};
    sy_store *store;
    sy_store_reader *reader;
    sy_status status = sy_store_open_lmdb(&store, &config, &err);
    if (status != SY_OK) {
        print_message("opening after the crash: %s\n", err.text);
        return status;
    }
    assert_int_equal(sy_store_reader_open(&reader, store), SY_OK);
    status = check_votes(reader, promised);
    if (status == SY_OK) status = check_ledger(store, reader, promised);
    sy_store_reader_close(reader);
    sy_store_close(store);
    return status;
}

static void make_store(struct crash *crash)
{
    struct sy_error err = {0};
    sy_store *store = NULL;
    test_folder(crash->folder, sizeof crash->folder, "crash");
    struct sy_store_config config = config_for(crash, true);
    powercut_arm(POWERCUT_COUNT, 0, 0, false);
    assert_int_equal(sy_store_open_lmdb(&store, &config, &err), SY_OK);
    sy_store_close(store);
}

// Crashes at call 1, 2, 3 ... of the same store (under a sanitizer at every third, from any on),
// until the child gets through its work.
static void crash_everywhere(struct crash *crash)
{
    uint64_t stride = TEST_SANITIZED ? 3 : 1;
    struct promised promised = {0};
    sy_prng prng;
    sy_prng_seed(&prng, crash->seed);
    make_store(crash);
    uint64_t crashes = 0;
    for (crash->nth = 1 + test_seed() % stride;; crash->nth += stride) {
        crash->seed = sy_prng_next(&prng);
        int status = run_child(crash, &promised);
        powercut_arm(POWERCUT_COUNT, 0, 0, false);
        sy_status found = look(crash, &promised);
        if (found != SY_OK) {
            fail_msg("after a crash at call %llu: %s", (unsigned long long)crash->nth,
                     sy_status_name(found));
        }
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            break;
        }
        assert_int_equal(WTERMSIG(status), SIGKILL);
        crashes++;
    }
    print_message("%llu crashes, %llu blocks\n", (unsigned long long)crashes,
                  (unsigned long long)promised.blocks);
    assert_true(crashes > 20);
    assert_int_equal(sy_os_remove_tree(crash->folder, NULL), SY_OK);
}

CASE(a_power_cut_at_any_write_or_sync_loses_nothing_that_was_promised)
{
    struct crash crash = {.how = BY_POWERCUT, .steps = 7, .seed = test_seed()};
    crash_everywhere(&crash);
}

CASE(a_kill_at_any_failpoint_loses_nothing_that_was_promised)
{
    struct crash crash = {.how = BY_FAILPOINT, .steps = 9, .seed = 0};
    crash_everywhere(&crash);
}

// The test's test: on a disk whose syncs do nothing the same work must be seen to fail.
CASE(the_power_cut_finds_a_disk_that_does_not_sync)
{
    struct crash crash = {.how = BY_LIES, .steps = 20, .seed = test_seed()};
    sy_prng prng;
    bool caught = false;
    sy_prng_seed(&prng, crash.seed);
    for (unsigned round = 0; round < 60 && !caught; round++) {
        struct promised promised = {0};
        make_store(&crash);
        crash.nth = 20 + sy_prng_below(&prng, 100);
        crash.seed = sy_prng_next(&prng);
        (void)run_child(&crash, &promised);
        powercut_arm(POWERCUT_COUNT, 0, 0, false);
        // The tree may be so damaged that LMDB dies of it: look from a child.
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) _exit(look(&crash, &promised) == SY_OK ? 0 : 1);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        caught = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        assert_int_equal(sy_os_remove_tree(crash.folder, NULL), SY_OK);
    }
    assert_true(caught);
}

static void init_until_cut(void *context)
{
    const struct crash *crash = (const struct crash *)context;
    struct sy_store_config config = config_for(crash, true);
    struct sy_error err;
    sy_store *store;
    powercut_arm(POWERCUT_DIE, crash->nth, crash->seed, false);
    must(sy_store_open_lmdb(&store, &config, &err), &err);
    sy_store_close(store);
}

CASE(a_crash_while_a_store_is_made_leaves_none_or_a_whole_one)
{
    struct crash crash = {.seed = test_seed()};
    int status;
    for (crash.nth = 1;; crash.nth++) {
        struct sy_error err = {0};
        sy_store *store = NULL;
        test_folder(crash.folder, sizeof crash.folder, "init");
        status = test_child(init_until_cut, &crash);
        struct sy_store_config config = config_for(&crash, false);
        sy_status opened = sy_store_open_lmdb(&store, &config, &err);
        if (WIFEXITED(status)) assert_int_equal(opened, SY_OK);
        if (opened == SY_OK) {
            assert_int_equal(sy_ledger_next(store), 0);
            sy_store_close(store);
        } else {
            assert_int_equal(opened, SY_ERR_NOT_FOUND);
            assert_non_null(strstr(err.text, "initialise"));
        }
        assert_int_equal(sy_os_remove_tree(crash.folder, NULL), SY_OK);
        if (WIFEXITED(status)) break;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(crash.nth > 6);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_power_cut_at_any_write_or_sync_loses_nothing_that_was_promised),
        cmocka_unit_test(a_kill_at_any_failpoint_loses_nothing_that_was_promised),
        cmocka_unit_test(the_power_cut_finds_a_disk_that_does_not_sync),
        cmocka_unit_test(a_crash_while_a_store_is_made_leaves_none_or_a_whole_one),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
