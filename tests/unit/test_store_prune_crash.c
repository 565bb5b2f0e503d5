/* Kills a process that adds and prunes blocks, or installs a state, at every write, every sync and
 * every failpoint of the store, with a power cut, and looks whether every block is either there
 * whole or pruned as it should be, and the state right. ctest: timeout=900 */
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
#include "tests/support/chronicle.h"
#include "tests/support/powercut.h"
#include "tests/support/test.h"

POWERCUT_INSTALL

#define KEPT 6u
#define INSTALLED 64u

static struct chronicle chronicle = {.body_bytes = 3000, .part_bytes = 3000};

struct crash {
    char folder[256];
    uint64_t steps; /* how many the child makes */
    bool by_failpoint;
    uint64_t nth;
    uint64_t seed;
};

static struct sy_store_config config_for(const struct crash *crash, bool init)
{
    struct sy_store_config config = {.path = crash->folder,
                                     .genesis = test_hash_of(0),
                                     .init = init,
                                     .generation_bytes = 1u << 16,
                                     .generation_count = 2,
                                     .generation_blocks = 2,
                                     .view_count_max = 2,
                                     .recent_txs = 16,
                                     .votes_map_bytes = 1u << 20,
                                     .ledger_map_bytes = 1u << 20,
                                     .state_map_bytes = 1u << 20};
    return config;
}

static void must(sy_status status, const struct sy_error *err)
{
    if (status == SY_OK) return;
    fprintf(stdout, "child: %s: %s\n", sy_status_name(status), err->text);
    fflush(stdout);
    _exit(3);
}

// The child: adds blocks and prunes until it is killed.
static void work(void *context)
{
    const struct crash *crash = (const struct crash *)context;
    struct sy_store_config config = config_for(crash, false);
    struct sy_error err = {0};
    sy_store *store;
    if (crash->by_failpoint) {
        sy_os_failpoint_arm("*", crash->nth, "kill");
        powercut_arm(POWERCUT_COUNT, 0, 0, false);
    } else {
        powercut_arm(POWERCUT_DIE, crash->nth, crash->seed, false);
    }
    must(sy_store_open_lmdb(&store, &config, &err), &err);
    for (uint64_t i = 0; i < crash->steps; i++) {
        bool more = true;
        uint64_t height = sy_ledger_next(store);
        must(chronicle_try_step(&chronicle, store, &err), &err);
        if (height % 4 != 3) continue;
        must(sy_state_flush(store, &err), &err);
        while (more)
            must(sy_store_prune(store, &more, height > KEPT ? height - KEPT : 0, &err), &err);
    }
    sy_store_close(store);
}

// The child: installs a state from elsewhere, and adds some blocks to it.
static void install(void *context)
{
    const struct crash *crash = (const struct crash *)context;
    struct sy_store_config config = config_for(crash, false);
    struct sy_error err = {0};
    sy_store *store;
    if (crash->by_failpoint) {
        sy_os_failpoint_arm("*", crash->nth, "kill");
        powercut_arm(POWERCUT_COUNT, 0, 0, false);
    } else {
        powercut_arm(POWERCUT_DIE, crash->nth, crash->seed, false);
    }
    must(sy_store_open_lmdb(&store, &config, &err), &err);
    if (sy_ledger_next(store) == 0) {
        must(chronicle_try_install(&chronicle, store, INSTALLED, 40, &err), &err);
    }
    for (uint64_t i = 0; i < crash->steps; i++) {
        must(chronicle_try_step(&chronicle, store, &err), &err);
    }
    sy_store_close(store);
}

// Opens what the crash left: a state that is on its way, or a store that began with it.
static void look_at_install(const struct crash *crash)
{
    struct sy_store_config config = config_for(crash, false);
    struct sy_error err = {0};
    struct sy_install now;
    sy_store *store = NULL;
    sy_status status = sy_store_open_lmdb(&store, &config, &err);
    if (status != SY_OK) fail_msg("opening after a crash at %lu: %s", crash->nth, err.text);
    sy_install_get(store, &now);
    if (sy_ledger_next(store) > 0) {
        assert_false(now.active);
        assert_int_equal(sy_ledger_base(store), INSTALLED);
        assert_int_equal(chronicle_check(&chronicle, store, sy_ledger_pruned(store)), SY_OK);
    }
    sy_store_close(store);
}

// Opens what the crash left, lets the pruning that was begun end, and checks all of it.
static void look(const struct crash *crash)
{
    struct sy_store_config config = config_for(crash, false);
    struct sy_error err = {0};
    sy_store *store = NULL;
    sy_status status = sy_store_open_lmdb(&store, &config, &err);
    if (status != SY_OK) fail_msg("opening after a crash at %lu: %s", crash->nth, err.text);
    uint64_t pruned = sy_ledger_pruned(store);
    // What is between a crash's swept and pruned heights is refused, wherever its bytes are.
    assert_int_equal(chronicle_check(&chronicle, store, 0), SY_OK);
    test_store_prune(store, 0);
    assert_int_equal(sy_ledger_pruned(store), pruned);
    assert_int_equal(chronicle_check(&chronicle, store, pruned), SY_OK);
    sy_store_close(store);
}

static void make_store(struct crash *crash, unsigned blocks)
{
    struct sy_error err = {0};
    sy_store *store = NULL;
    test_folder(crash->folder, sizeof crash->folder, "prune");
    struct sy_store_config config = config_for(crash, true);
    powercut_arm(POWERCUT_COUNT, 0, 0, false);
    assert_int_equal(sy_store_open_lmdb(&store, &config, &err), SY_OK);
    for (unsigned i = 0; i < blocks; i++) chronicle_step(&chronicle, store);
    sy_store_close(store);
}

// Crashes at call 1, 2, 3 ... of the same store, until the child gets through its work.
static void crash_everywhere(struct crash *crash, unsigned blocks, void (*child)(void *),
                             void (*check)(const struct crash *))
{
    sy_prng prng;
    uint64_t crashes = 0;
    sy_prng_seed(&prng, crash->seed);
    make_store(crash, blocks);
    for (crash->nth = 1;; crash->nth++) {
        crash->seed = sy_prng_next(&prng);
        int status = test_child(child, crash);
        powercut_arm(POWERCUT_COUNT, 0, 0, false);
        check(crash);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            break;
        }
        assert_int_equal(WTERMSIG(status), SIGKILL);
        crashes++;
    }
    print_message("%llu crashes\n", (unsigned long long)crashes);
    assert_true(crashes > 20);
    assert_int_equal(sy_os_remove_tree(crash->folder, NULL), SY_OK);
}

CASE(a_power_cut_at_any_write_or_sync_leaves_whole_blocks_or_pruned_ones)
{
    struct crash crash = {.steps = 5, .seed = test_seed()};
    crash_everywhere(&crash, 12, work, look);
}

CASE(a_kill_at_any_failpoint_leaves_whole_blocks_or_pruned_ones)
{
    struct crash crash = {.by_failpoint = true, .steps = 9};
    crash_everywhere(&crash, 12, work, look);
}

CASE(a_power_cut_at_any_write_or_sync_leaves_an_install_that_goes_on)
{
    struct crash crash = {.steps = 3, .seed = test_seed()};
    crash_everywhere(&crash, 0, install, look_at_install);
}

CASE(a_kill_at_any_failpoint_leaves_an_install_that_goes_on)
{
    struct crash crash = {.by_failpoint = true, .steps = 3};
    crash_everywhere(&crash, 0, install, look_at_install);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_power_cut_at_any_write_or_sync_leaves_whole_blocks_or_pruned_ones),
        cmocka_unit_test(a_kill_at_any_failpoint_leaves_whole_blocks_or_pruned_ones),
        cmocka_unit_test(a_power_cut_at_any_write_or_sync_leaves_an_install_that_goes_on),
        cmocka_unit_test(a_kill_at_any_failpoint_leaves_an_install_that_goes_on),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
