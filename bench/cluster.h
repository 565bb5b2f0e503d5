/* cluster.h: `systole-bench cluster`: what a network of real processes sustains on this machine. */
#ifndef SY_BENCH_CLUSTER_H
#define SY_BENCH_CLUSTER_H

/* sy_bench_cluster runs the command; argv[0] is its name. Returns the exit code. */
int sy_bench_cluster(int argc, char **argv);

#endif
