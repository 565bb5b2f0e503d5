/* main_bench.c: systole-bench, the program that stresses and measures. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/chaos.h"
#include "bench/cluster.h"
#include "bench/crypto.h"
#include "bench/demo.h"
#include "bench/failover.h"
#include "bench/ledger.h"
#include "bench/ndjson.h"
#include "bench/state.h"
#include "bench/streams.h"

static const char usage[] =
    "usage: systole-bench COMMAND [OPTION...]\n"
    "\n"
    "  chaos     everything that goes wrong with machines, and what is left of the network\n"
    "  cluster   real validators on this machine under open-loop load\n"
    "  crypto    how fast each engine checks signatures and hashes\n"
    "  demo      a network, a FHIR stream, and the proof that it holds\n"
    "  failover  how long commits stall when the primary is killed\n"
    "  jobs      what an engine says of given signatures\n"
    "  ledger    what each kind of transaction costs in execution\n"
    "  ndjson    made-up FHIR resources, as many as wanted\n"
    "  state     how fast the state trie is rebuilt, updated and checked\n"
    "  streams   gateways of devices that commit in turns, and what becomes of it\n"
    "\n"
    "`systole-bench COMMAND --help` explains each.\n";

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "chaos") == 0) return sy_bench_chaos(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "cluster") == 0) return sy_bench_cluster(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "crypto") == 0) return sy_bench_crypto(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "demo") == 0) return sy_bench_demo(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "failover") == 0) return sy_bench_failover(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "jobs") == 0) return sy_bench_jobs(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "ledger") == 0) return sy_bench_ledger(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "ndjson") == 0) return sy_bench_ndjson(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "state") == 0) return sy_bench_state(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "streams") == 0) return sy_bench_streams(argc - 1, argv + 1);
    bool asked = argc >= 2 && strcmp(argv[1], "--help") == 0;
    fputs(usage, asked ? stdout : stderr);
    return asked ? 0 : 2;
}
