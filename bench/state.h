/* state.h: `systole-bench state`: how fast the state trie is made anew, updated and checked. */
#ifndef SY_BENCH_STATE_H
#define SY_BENCH_STATE_H

/* Returns the program's exit status. */
int sy_bench_state(int argc, char **argv);

#endif
