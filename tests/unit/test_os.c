#include "core/base/os.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

static char folder[256];

static int make_folder(__attribute__((unused)) void **state)
{
    test_folder(folder, sizeof folder, "test_os");
    return 0;
}

static int remove_folder(__attribute__((unused)) void **state)
{
    sy_os_failpoint_arm(NULL, 0, NULL);
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t count_entries(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) count++;
    }
    closedir(dir);
    return count;
}

static void assert_content(const char *path, const char *expected)
{
    uint8_t *data;
    size_t size;
    assert_int_equal(sy_os_read_file(&data, &size, path, 1 << 20, NULL), SY_OK);
    assert_int_equal(size, strlen(expected));
    assert_string_equal((const char *)data, expected);
    free(data);
}

CASE(clocks_move_forward_and_agree_with_the_calendar)
{
    uint64_t before = sy_os_monotonic_ns();
    assert_true(sy_os_monotonic_ns() >= before);
    // Later than 2024 and earlier than 2200.
    assert_true(sy_os_wall_ms() > 1704067200000 && sy_os_wall_ms() < 7258118400000);
}

CASE(random_fills_every_byte)
{
    uint8_t seen[300] = {0};
    for (int round = 0; round < 32; round++) {
        uint8_t bytes[300];
        sy_os_random(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++) seen[i] |= bytes[i];
    }
    // 32 zeros in a row at one place of 300 have probability 300 * 2^-256.
    for (size_t i = 0; i < sizeof seen; i++) assert_true(seen[i] != 0);
}

CASE(write_file_replaces_the_content_and_sets_the_mode)
{
    const char *path = in_folder("file");
    assert_int_equal(sy_os_write_file(path, "one", 3, 0600, NULL), SY_OK);
    assert_content(path, "one");
    assert_int_equal(sy_os_write_file(path, "", 0, 0644, NULL), SY_OK);
    assert_content(path, "");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    assert_int_equal(count_entries(folder), 1);
}

CASE(write_file_replaces_no_folder_and_no_pipe)
{
    struct sy_error err;
    struct stat info;
    char pipe[512], inner[512];
    snprintf(pipe, sizeof pipe, "%s", in_folder("pipe"));
    snprintf(inner, sizeof inner, "%s", in_folder("inner"));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(sy_os_write_file(pipe, "one", 3, 0600, &err), SY_ERR_ARGUMENT);
    assert_int_equal(sy_os_write_file(inner, "one", 3, 0600, &err), SY_ERR_ARGUMENT);
    assert_int_equal(stat(pipe, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(count_entries(folder), 2);
    assert_int_equal(unlink(pipe), 0);
    assert_int_equal(rmdir(inner), 0);
}

CASE(write_new_file_replaces_nothing)
{
    assert_int_equal(sy_os_write_new_file(in_folder("once"), "first", 5, 0600, NULL), SY_OK);
    size_t entries = count_entries(folder);
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(sy_os_write_new_file(in_folder("once"), "second", 6, 0600, &err),
                     SY_ERR_EXISTS);
    assert_non_null(strstr(err.text, "once"));
    assert_content(in_folder("once"), "first");
    assert_int_equal(count_entries(folder), entries);
}

CASE(a_lock_is_one_holders_at_a_time)
{
    int lock = -1, other = -1;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(sy_os_lock(&lock, in_folder("batch"), NULL), SY_OK);
    assert_int_equal(sy_os_lock(&other, in_folder("batch"), &err), SY_ERR_BUSY);
    assert_non_null(strstr(err.text, "another run is at work"));
    assert_int_equal(other, -1);
    sy_os_unlock(other);
    sy_os_unlock(lock);
    assert_int_equal(sy_os_lock(&other, in_folder("batch"), NULL), SY_OK);
    sy_os_unlock(other);
}

CASE(write_file_that_fails_leaves_the_old_bytes_and_no_litter)
{
    static const char *const places[] = {"os.write", "os.fsync", "os.rename"};
    const char *path = in_folder("file");
    assert_int_equal(sy_os_write_file(path, "old", 3, 0600, NULL), SY_OK);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct sy_error err;
        sy_os_failpoint_arm(places[i], 1, "enospc");
        assert_int_equal(sy_os_write_file(path, "new", 3, 0600, &err), SY_ERR_DISK_FULL);
        assert_non_null(strstr(err.text, path));
        assert_non_null(strstr(err.text, "make room"));
        assert_content(path, "old");
        assert_int_equal(count_entries(folder), 1);
    }
    assert_int_equal(sy_os_write_file(path, "new", 3, 0600, NULL), SY_OK);
    assert_content(path, "new");
}

struct write_job {
    const char *path;
    uint64_t nth;
};

static void write_and_die(void *context)
{
    const struct write_job *job = (const struct write_job *)context;
    sy_os_failpoint_arm("*", job->nth, "kill");
    if (sy_os_write_file(job->path, "new", 3, 0600, NULL) != SY_OK) _exit(1);
}

CASE(write_file_killed_at_any_point_leaves_old_or_new_whole)
{
    const char *path = in_folder("file");
    struct write_job job = {path, 0};
    for (job.nth = 1;; job.nth++) {
        assert_int_equal(sy_os_write_file(path, "old", 3, 0600, NULL), SY_OK);
        int status = test_child(write_and_die, &job);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            assert_content(path, "new");
            break;
        }
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_content(path, "old");
    }
    // Three places, so the fourth call never comes.
    assert_int_equal(job.nth, 4);
}

static void write_past_the_limit(void *context)
{
    static uint8_t data[8192];
    struct rlimit limit = {4096, 4096};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    sy_status status = sy_os_write_file((const char *)context, data, sizeof data, 0600, NULL);
    _exit(status == SY_ERR_DISK_FULL ? 0 : 1);
}

CASE(write_file_says_disk_full_at_the_file_size_limit)
{
    char path[512];
    snprintf(path, sizeof path, "%s", in_folder("file"));
    int status = test_child(write_past_the_limit, path);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(count_entries(folder), 0);
}

CASE(read_file_reads_whole_files_up_to_the_limit)
{
    size_t size = 100001;
    char *data = (char *)malloc(size + 1);
    assert_non_null(data);
    memset(data, 'q', size);
    data[size] = '\0';
    const char *path = in_folder("big");
    assert_int_equal(sy_os_write_file(path, data, size, 0600, NULL), SY_OK);
    assert_content(path, data);
    uint8_t *back;
    size_t back_size;
    struct sy_error err;
    assert_int_equal(sy_os_read_file(&back, &back_size, path, size, &err), SY_OK);
    free(back);
    assert_int_equal(sy_os_read_file(&back, &back_size, path, size - 1, &err), SY_ERR_LIMIT);
    assert_null(back);
    assert_non_null(strstr(err.text, "big"));
    free(data);
}

CASE(read_file_names_what_is_missing)
{
    uint8_t *data;
    size_t size;
    struct sy_error err;
    assert_int_equal(sy_os_read_file(&data, &size, in_folder("none"), 10, &err), SY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/none"));
    assert_int_equal(sy_os_read_file(&data, &size, folder, 10, &err), SY_ERR_IO);
    assert_null(data);
}

CASE(make_dirs_makes_parents_and_accepts_existing_ones)
{
    struct sy_error err;
    struct stat info;
    assert_int_equal(sy_os_make_dirs(in_folder("a/b/c"), 0700, &err), SY_OK);
    assert_int_equal(sy_os_make_dirs(in_folder("a/b/c/"), 0700, &err), SY_OK);
    assert_int_equal(stat(in_folder("a/b/c"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(sy_os_write_file(in_folder("a/file"), "", 0, 0600, &err), SY_OK);
    assert_int_equal(sy_os_make_dirs(in_folder("a/file"), 0700, &err), SY_ERR_EXISTS);
    assert_int_not_equal(sy_os_make_dirs(in_folder("a/file/d"), 0700, &err), SY_OK);
    assert_int_equal(sy_os_make_dirs("", 0700, &err), SY_ERR_ARGUMENT);
}

CASE(remove_tree_removes_links_but_not_what_they_lead_to)
{
    assert_int_equal(sy_os_make_dirs(in_folder("kept"), 0700, NULL), SY_OK);
    assert_int_equal(sy_os_write_file(in_folder("kept/file"), "x", 1, 0600, NULL), SY_OK);
    assert_int_equal(sy_os_make_dirs(in_folder("gone/deep/er"), 0700, NULL), SY_OK);
    assert_int_equal(sy_os_write_file(in_folder("gone/deep/file"), "x", 1, 0600, NULL), SY_OK);
    assert_int_equal(symlink("../../kept", in_folder("gone/deep/link")), 0);
    assert_int_equal(sy_os_remove_tree(in_folder("gone"), NULL), SY_OK);
    assert_int_equal(access(in_folder("gone"), F_OK), -1);
    assert_content(in_folder("kept/file"), "x");
    assert_int_equal(sy_os_remove_tree(in_folder("gone"), NULL), SY_OK);
    assert_int_equal(sy_os_remove_tree(in_folder("kept/file"), NULL), SY_OK);
    assert_int_equal(count_entries(in_folder("kept")), 0);
}

// A socket that listens on 127.0.0.1 at port, or -1.
static int listen_on(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

CASE(free_port_steps_over_a_port_in_use)
{
    uint16_t first = sy_os_free_port(20000, 3);
    int fd = listen_on((uint16_t)(first + 1));
    // Another process may have been quicker.
    for (unsigned tries = 0; tries < 1000 && fd < 0; tries++) {
        first = sy_os_free_port((uint16_t)(first + 1), 3);
        assert_true(first >= 20000);
        fd = listen_on((uint16_t)(first + 1));
    }
    assert_true(fd >= 0);
    uint16_t next = sy_os_free_port(first, 3);
    assert_true(next == 0 || next > first + 1);
    close(fd);
    assert_int_equal(sy_os_free_port(65535, 2), 0);
    assert_int_equal(sy_os_free_port(1, 0), 0);
}

CASE(memory_limit_is_positive_and_at_most_physical)
{
    uint64_t physical = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = sy_os_memory_limit_bytes();
    assert_true(limit > 0);
    assert_true(limit <= physical);
}

CASE(failpoint_does_nothing_unless_armed)
{
    assert_int_equal(sy_os_failpoint("anything"), SY_OK);
    assert_int_equal(sy_os_failpoint_calls(), 0);
}

CASE(failpoint_fails_the_nth_call_at_its_place_only)
{
    sy_os_failpoint_arm("here", 2, "eio");
    assert_int_equal(sy_os_failpoint("here"), SY_OK);
    assert_int_equal(sy_os_failpoint("there"), SY_OK);
    assert_int_equal(sy_os_failpoint("here"), SY_ERR_IO);
    assert_int_equal(sy_os_failpoint("here"), SY_OK);
    assert_int_equal(sy_os_failpoint_calls(), 4);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_int_equal(sy_os_failpoint_calls(), 0);
}

CASE(failpoint_with_a_plus_fails_every_later_call)
{
    sy_os_failpoint_arm("*", 2, "enospc+");
    assert_int_equal(sy_os_failpoint("a"), SY_OK);
    assert_int_equal(sy_os_failpoint("b"), SY_ERR_DISK_FULL);
    assert_int_equal(sy_os_failpoint("c"), SY_ERR_DISK_FULL);
}

CASE(failpoint_armed_at_zero_only_counts)
{
    sy_os_failpoint_arm("*", 0, "kill");
    for (int i = 0; i < 10; i++) assert_int_equal(sy_os_failpoint("a"), SY_OK);
    assert_int_equal(sy_os_failpoint_calls(), 10);
}

static void arm_nonsense(__attribute__((unused)) void *context)
{
    sy_os_failpoint_arm("a", 1, "explode");
}

static void call_killer(__attribute__((unused)) void *context)
{
    sy_os_failpoint_arm("a", 1, "kill");
    if (sy_os_failpoint("a") != SY_OK) _exit(1);
}

CASE(failpoint_kills_by_sigkill_and_asserts_on_nonsense)
{
    int status = test_child(call_killer, NULL);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_aborts(arm_nonsense, NULL);
}

// Runs this program again with SYSTOLE_FAILPOINT set; main sees the argument and calls the place.
static void run_armed(void *context)
{
    if (setenv("SYSTOLE_FAILPOINT", (const char *)context, 1) != 0) _exit(99);
    execl("/proc/self/exe", "test_os", "call-failpoints", (char *)NULL);
    _exit(98);
}

static int run_with_environment(const char *text)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    return test_child(run_armed, copy);
}

CASE(failpoint_is_armed_from_the_environment)
{
    assert_int_equal(WEXITSTATUS(run_with_environment("place:1:eio")), 11);
    assert_int_equal(WEXITSTATUS(run_with_environment("place:2:enospc")), 12);
    assert_int_equal(WEXITSTATUS(run_with_environment("place:3:eio")), 10);
    int status = run_with_environment("place:2:kill");
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    static const char *const wrong[] = {"place",    "place:1", "place:x:eio",
                                        "place:1:", ":1:eio",  "place:1:eiox"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(WEXITSTATUS(run_with_environment(wrong[i])), 2);
    }
}

// What the child above does: two calls; which one failed is the exit status.
static int call_failpoints(void)
{
    if (sy_os_failpoint("place") == SY_ERR_IO) return 11;
    if (sy_os_failpoint("place") == SY_ERR_DISK_FULL) return 12;
    return 10;
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(int argc, __attribute__((unused)) char **argv)
{
    if (argc > 1) return call_failpoints();
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(clocks_move_forward_and_agree_with_the_calendar),
        cmocka_unit_test(random_fills_every_byte),
        IN_FOLDER(write_file_replaces_the_content_and_sets_the_mode),
        IN_FOLDER(write_file_replaces_no_folder_and_no_pipe),
        IN_FOLDER(write_new_file_replaces_nothing),
        IN_FOLDER(a_lock_is_one_holders_at_a_time),
        IN_FOLDER(write_file_that_fails_leaves_the_old_bytes_and_no_litter),
        IN_FOLDER(write_file_killed_at_any_point_leaves_old_or_new_whole),
        IN_FOLDER(write_file_says_disk_full_at_the_file_size_limit),
        IN_FOLDER(read_file_reads_whole_files_up_to_the_limit),
        IN_FOLDER(read_file_names_what_is_missing),
        IN_FOLDER(make_dirs_makes_parents_and_accepts_existing_ones),
        IN_FOLDER(remove_tree_removes_links_but_not_what_they_lead_to),
        cmocka_unit_test(free_port_steps_over_a_port_in_use),
        cmocka_unit_test(memory_limit_is_positive_and_at_most_physical),
        IN_FOLDER(failpoint_does_nothing_unless_armed),
        IN_FOLDER(failpoint_fails_the_nth_call_at_its_place_only),
        IN_FOLDER(failpoint_with_a_plus_fails_every_later_call),
        IN_FOLDER(failpoint_armed_at_zero_only_counts),
        IN_FOLDER(failpoint_kills_by_sigkill_and_asserts_on_nonsense),
        cmocka_unit_test(failpoint_is_armed_from_the_environment),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
