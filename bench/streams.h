/* streams.h: `systole-bench streams`: gateways that commit in turns, and what becomes of it. */
#ifndef SY_BENCH_STREAMS_H
#define SY_BENCH_STREAMS_H

/* Returns the program's exit status. */
int sy_bench_streams(int argc, char **argv);

#endif
