/* os.h: the operating system as the rest of systole sees it: clocks, randomness, files.
 *
 * Failpoints: tests kill the process, or make the N-th call fail, at named places. A place calls
 * sy_os_failpoint("ledger.commit"); in production nothing is armed and the call is a load and a
 * branch. Arm with the environment variable SYSTOLE_FAILPOINT=name:N:action, read once when the
 * program starts (a misspelt one ends the program with status 2), or with sy_os_failpoint_arm in
 * tests.
 *
 *     name    one place, or * for any
 *     N       which call, 1 = the next; 0 = none, calls are only counted
 *     action  kill | eio | enospc, with a trailing + for the N-th call and every one after it
 *
 * Places in this file: os.write, os.fsync, os.rename, in that order, in sy_os_write_file. All
 * functions here may be called from any thread. */
#ifndef SY_BASE_OS_H
#define SY_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Milliseconds since 1970 (wall clock) and nanoseconds on a clock that never jumps. */
int64_t sy_os_wall_ms(void);
uint64_t sy_os_monotonic_ns(void);

/* sy_os_status says which status an errno value is: no room, no permission, not found ... */
sy_status sy_os_status(int errno_value);

/* sy_os_random fills out from getrandom(2). Aborts if the kernel refuses: there is no fallback. */
void sy_os_random(void *out, size_t size);

/* sy_os_read_file reads a whole file of at most max_bytes into fresh memory (free it) and adds a
 * terminator beyond *size. SY_ERR_NOT_FOUND, SY_ERR_LIMIT, SY_ERR_PERMISSION, SY_ERR_IO. */
sy_status sy_os_read_file(uint8_t **out, size_t *size, const char *path, size_t max_bytes,
                          struct sy_error *err);

/* sy_os_write_file replaces path, a file or none (SY_ERR_ARGUMENT: a folder, a device),
 * atomically: temporary file with the given mode, fsync, rename, fsync of the folder. After a
 * failure, and after a crash at any point, path holds the old bytes or the new ones, whole; a crash
 * can leave a file path.tmp.XXXXXX behind. */
sy_status sy_os_write_file(const char *path, const void *data, size_t size, unsigned mode,
                           struct sy_error *err);

/* sy_os_write_new_file does the same where nothing stands yet. SY_ERR_EXISTS: something does, and
 * stays as it is. */
sy_status sy_os_write_new_file(const char *path, const void *data, size_t size, unsigned mode,
                               struct sy_error *err);

/* sy_os_lock takes the lock of path, the file path.lock, which is made and stays; path itself need
 * not be there. It ends with sy_os_unlock, or the process. SY_ERR_BUSY: somebody has it. */
sy_status sy_os_lock(int *lock, const char *path, struct sy_error *err);
void sy_os_unlock(int lock); /* -1 is fine */

/* sy_os_make_dirs makes path and its parents with the given mode; existing ones are fine. */
sy_status sy_os_make_dirs(const char *path, unsigned mode, struct sy_error *err);

/* sy_os_remove_tree removes path and everything under it; missing is fine. Does not follow
 * links and stays on one file system. */
sy_status sy_os_remove_tree(const char *path, struct sy_error *err);

/* sy_os_fsync_dir makes a folder's entries durable. */
sy_status sy_os_fsync_dir(const char *path, struct sy_error *err);

/* sy_os_free_port finds a TCP port in [first, 65535 - count] such that count consecutive ports
 * on 127.0.0.1 are free right now. 0: none. */
uint16_t sy_os_free_port(uint16_t first, unsigned count);

/* sy_os_memory_limit_bytes is the smaller of physical memory and the cgroup's limit. */
uint64_t sy_os_memory_limit_bytes(void);

/* SY_OK, or the armed action's status; the action "kill" ends the process by SIGKILL. */
sy_status sy_os_failpoint(const char *name);
/* sy_os_failpoint_arm arms one failpoint in place of the one before, as described above, and
 * starts counting calls anew; NULL disarms. The texts are copied. Asserts on an unknown action. */
void sy_os_failpoint_arm(const char *name, uint64_t nth, const char *action);
/* sy_os_failpoint_calls counts calls at any failpoint since the last arm (tests enumerate); none
 * are counted while nothing is armed. */
uint64_t sy_os_failpoint_calls(void);

#ifdef __cplusplus
}
#endif
#endif
