/* demo.h: `systole-bench demo`: the whole story once: a network, a real stream, and the proof. */
#ifndef SY_BENCH_DEMO_H
#define SY_BENCH_DEMO_H

/* sy_bench_demo runs the command; argv[0] is its name. Returns the exit code. */
int sy_bench_demo(int argc, char **argv);

#endif
