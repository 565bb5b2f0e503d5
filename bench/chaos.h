/* chaos.h: `systole-bench chaos`: real validators, everything that goes wrong, and what is left. */
#ifndef SY_BENCH_CHAOS_H
#define SY_BENCH_CHAOS_H

/* sy_bench_chaos runs the command; argv[0] is its name. Returns the exit code. */
int sy_bench_chaos(int argc, char **argv);

#endif
