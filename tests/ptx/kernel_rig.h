/* kernel_rig.h: blocks of all kernels of gpu/kernels.h, each run twice on the same arguments: as
 * PTX, interpreted (ptx.h), and as C on the host twin of a device (gpu/host_device.h).
 *
 * The cases stand in an order in which each finds what those before it left. Jobs are good and bad
 * ones, by table and without; beside them stand tables and points of edges, words of zeros or ones,
 * which belong to no key. Threads: one at a time. */
#ifndef SY_TESTS_PTX_KERNEL_RIG_H
#define SY_TESTS_PTX_KERNEL_RIG_H

#include "core/base/prng.h"
#include "tests/ptx/ptx.h"

#define KERNEL_RIG_CASES 10u

/* kernel_rig_open draws keys, jobs and leaves; close releases what it holds. */
void kernel_rig_open(sy_prng *prng);
void kernel_rig_close(void);

/* kernel_rig_name is a case's: its kernel's, and which way if there are several. */
const char *kernel_rig_name(unsigned number);

/* kernel_rig_run runs all blocks of a case both ways. SY_OK: every byte is the same; SY_ERR_EXISTS:
 * one is not, with the first; else as ptx_run. The C's results are what stays. */
sy_status kernel_rig_run(ptx_program *program, unsigned number, struct sy_error *err);

/* kernel_rig_check fails the test unless what the cases, all run, left is right by OpenSSL. */
void kernel_rig_check(void);

#endif
