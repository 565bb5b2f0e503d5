/* failover.h: `systole-bench failover`: how long commits stall when the primary is killed. */
#ifndef SY_BENCH_FAILOVER_H
#define SY_BENCH_FAILOVER_H

/* sy_bench_failover runs the command; argv[0] is its name. Returns the exit code. */
int sy_bench_failover(int argc, char **argv);

#endif
