/* ledger.h: `systole-bench ledger`: what each kind of transaction costs in execution. */
#ifndef SY_BENCH_LEDGER_H
#define SY_BENCH_LEDGER_H

int sy_bench_ledger(int argc, char **argv);

#endif
