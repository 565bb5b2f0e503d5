/* sandbox.h: rights that faults need, on this process's own ground: mounts that nobody else sees
 * and that end with it. */
#ifndef SY_BENCH_SANDBOX_H
#define SY_BENCH_SANDBOX_H

#include <stddef.h>

#include "core/base/status.h"

/* sy_sandbox_enter gives the process mounts of its own. Where that is not its right, it becomes
 * root of a user namespace first, in which it stays the same user to the world outside. Call it
 * while there is one thread. SY_ERR_PERMISSION: the system allows neither. */
sy_status sy_sandbox_enter(struct sy_error *err);

/* sy_sandbox_shrink moves a folder and what is in it to a disk of so many more bytes than it takes
 * now. Nobody may use it meanwhile. sy_sandbox_restore moves it back, with what is in it then. */
sy_status sy_sandbox_shrink(const char *folder, size_t spare_bytes, struct sy_error *err);
sy_status sy_sandbox_restore(const char *folder, struct sy_error *err);

#endif
