/* crypto.h: `systole-bench crypto`: how fast each engine checks signatures and hashes, and
 * `systole-bench jobs`: what each engine says of given signatures. */
#ifndef SY_BENCH_CRYPTO_H
#define SY_BENCH_CRYPTO_H

/* Both return the program's exit status. */
int sy_bench_crypto(int argc, char **argv);
int sy_bench_jobs(int argc, char **argv);

#endif
