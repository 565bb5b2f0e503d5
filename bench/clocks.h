/* clocks.h: wall clocks that jump under running processes, each process its own.
 *
 * A process is started with a small library in front of the C library (bench/preload_clock.c),
 * which adds a number to CLOCK_REALTIME as clock_gettime, gettimeofday and time tell it; the number
 * lies in memory that this process shares with it. Monotonic clocks are left alone, as they are
 * when a real wall clock is set; so are clocks that the kernel reads itself (the times of files,
 * absolute timeouts).
 * Children inherit the memory as a descriptor of a fixed number. One thread at a time. */
#ifndef SY_BENCH_CLOCKS_H
#define SY_BENCH_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

/* The descriptor under which a program finds its clock: an int64_t, nanoseconds to be added. */
#define SY_CLOCKS_FD 777

typedef struct sy_clocks sy_clocks;

/* sy_clocks_open prepares so many clocks, all right. From then on every program that this process
 * starts has the library in front. library: its path. SY_ERR_NOT_FOUND: it is not there. */
sy_status sy_clocks_open(sy_clocks **clocks, unsigned count, const char *library,
                         struct sy_error *err);
void sy_clocks_close(sy_clocks *clocks); /* NULL is fine */

/* sy_clocks_enter gives the calling process, a child before its exec, the clock of that number;
 * false: it cannot. */
bool sy_clocks_enter(const sy_clocks *clocks, unsigned number);

/* sy_clocks_set puts a clock so many milliseconds before (or behind, below 0) the right one. */
void sy_clocks_set(sy_clocks *clocks, unsigned number, int64_t offset_ms);

#endif
