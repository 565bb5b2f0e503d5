#include "bench/cluster.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load.h"
#include "bench/network.h"
#include "core/base/json.h"
#include "core/base/os.h"

#define ORGANISATIONS 16u
#define GATEWAYS 256u
#define PATIENTS 1024u
#define LIFETIME_MS (3600ll * 1000)
#define TRIAL_SECONDS 8.0
#define P99_MS_MAX 1000.0
#define START_RATE 500.0
#define RATE_STEPS 5

static const char usage[] =
    "usage: systole-bench cluster [--validators N] [--seconds S] [--rate R] [--json] [--keep]\n"
    "\n"
    "  --validators N   systoled processes, 4 to 100 (4)\n"
    "  --seconds S      length of the measured run (30)\n"
    "  --rate R         transactions offered a second; without it the highest sustained rate is\n"
    "                   looked for: p99 <= 1 s and a backlog that does not grow\n"
    "  --json           one JSON object instead of a table\n"
    "  --keep           leave the network's folder behind\n";

struct options {
    unsigned validators;
    double seconds;
    double rate;
    bool json;
    bool keep;
};

struct bench {
    struct options options;
    sy_network *network;
    sy_population *population;
    struct sy_load_result load;
    struct sy_network_usage used; /* by the measured run */
    double offered;
};

/* ---- runs -------------------------------------------------------------------------------- */

static sy_status trial(struct bench *bench, double rate, double seconds, struct sy_error *err)
{
    struct sy_load_txs txs;
    int64_t until_ms = sy_os_wall_ms() + LIFETIME_MS;
    bench->offered = rate;
    SY_TRY(sy_load_sign(&txs, bench->population, SY_POPULATION_STAGES, (uint32_t)(rate * seconds),
                        until_ms, err));
    struct sy_load_config config = {.genesis = sy_network_genesis(bench->network),
                                    .txs = &txs,
                                    .rate_per_s = rate,
                                    .drain_ms = 30000};
    struct sy_network_usage before;
    struct sy_network_usage after;
    sy_status status = sy_network_use(bench->network, &before, err);
    if (status == SY_OK) status = sy_load_run(&bench->load, &config, err);
    if (status == SY_OK) status = sy_network_use(bench->network, &after, err);
    sy_load_free(&txs);
    if (status != SY_OK) return status;
    bench->used = (struct sy_network_usage){.cpu_us = after.cpu_us - before.cpu_us,
                                            .disk_bytes = after.disk_bytes - before.disk_bytes,
                                            .net_bytes = after.net_bytes - before.net_bytes,
                                            .signatures = after.signatures - before.signatures};
    memcpy(bench->used.engine, after.engine, sizeof after.engine);
    return SY_OK;
}

static sy_status set_up(struct bench *bench, struct sy_error *err)
{
    struct sy_population_config config = {.genesis = sy_network_genesis(bench->network),
                                          .regulator = sy_network_regulator(bench->network),
                                          .organisations = ORGANISATIONS,
                                          .gateways = GATEWAYS,
                                          .patients = PATIENTS,
                                          .seed = 1};
    SY_TRY(sy_population_open(&bench->population, &config, err));
    return sy_load_set_up(NULL, bench->population, err);
}

/* Sustained: nothing lost or refused, p99 within a second, and the backlog of the last third no
 * larger than that of the second third but for noise (a fifth, or what 50 ms of load leave). */
static bool sustained(const struct bench *bench)
{
    const struct sy_load_result *load = &bench->load;
    double p99_ms = (double)sy_quantile_get(&load->latency_us, 990) / 1000;
    double allowed = load->backlog_middle * 1.2 + bench->offered * 0.05;
    return load->lost == 0 && load->refused == 0 && p99_ms <= P99_MS_MAX &&
           load->backlog_end <= allowed;
}

static void tell(const struct bench *bench, const char *what)
{
    fprintf(stderr, "%-8s %8.0f/s offered  p50 %6.1f ms  p99 %7.1f ms  backlog %.0f -> %.0f  %s\n",
            what, bench->offered, (double)sy_quantile_get(&bench->load.latency_us, 500) / 1000,
            (double)sy_quantile_get(&bench->load.latency_us, 990) / 1000,
            bench->load.backlog_middle, bench->load.backlog_end,
            sustained(bench) ? "sustained" : "not sustained");
}

/* Doubles until it fails, then halves the gap a few times, with short trials; the measured run is
 * long, and steps down if it does not hold what the trials promised. */
static sy_status find_rate(struct bench *bench, double *rate, struct sy_error *err)
{
    double good = 0;
    double bad = START_RATE;
    for (;;) {
        SY_TRY(trial(bench, bad, TRIAL_SECONDS, err));
        tell(bench, "trial");
        if (!sustained(bench)) break;
        good = bad;
        bad *= 2;
    }
    for (int step = 0; step < RATE_STEPS && bad - good > 0.04 * bad; step++) {
        double middle = (good + bad) / 2;
        SY_TRY(trial(bench, middle, TRIAL_SECONDS, err));
        tell(bench, "trial");
        if (sustained(bench)) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    *rate = good > 0 ? good : START_RATE / 2;
    return SY_OK;
}

static sy_status measure(struct bench *bench, struct sy_error *err)
{
    double rate = bench->options.rate;
    if (rate > 0) {
        SY_TRY(trial(bench, rate, bench->options.seconds, err));
        tell(bench, "run");
        return SY_OK;
    }
    SY_TRY(find_rate(bench, &rate, err));
    for (;;) {
        SY_TRY(trial(bench, rate, bench->options.seconds, err));
        tell(bench, "run");
        if (sustained(bench) || rate < 50) return SY_OK;
        rate *= 0.93;
    }
}

/* ---- reporting --------------------------------------------------------------------------- */

static void report_json(const struct bench *bench)
{
    const struct sy_load_result *load = &bench->load;
    uint64_t txs = load->final ? load->final : 1;
    sy_json json;
    char text[2048];
    sy_json_init_fixed(&json, text, sizeof text);
    sy_json_object_begin(&json);
    sy_json_put_u64(&json, "validators", bench->options.validators);
    sy_json_key(&json, "seconds");
    sy_json_decimal(&json, (int64_t)(load->send_seconds * 1000), 3);
    sy_json_put_u64(&json, "offered_per_s", (uint64_t)bench->offered);
    sy_json_put_u64(&json, "committed_per_s", (uint64_t)load->committed_per_s);
    sy_json_key(&json, "p50_ms");
    sy_json_decimal(&json, (int64_t)sy_quantile_get(&load->latency_us, 500), 3);
    sy_json_key(&json, "p99_ms");
    sy_json_decimal(&json, (int64_t)sy_quantile_get(&load->latency_us, 990), 3);
    sy_json_put_u64(&json, "cpu_us_per_tx", bench->used.cpu_us / txs);
    sy_json_put_u64(&json, "disk_bytes_per_tx", bench->used.disk_bytes / txs);
    sy_json_put_u64(&json, "net_bytes_per_tx", bench->used.net_bytes / txs);
    sy_json_key(&json, "durable");
    sy_json_bool(&json, true);
    sy_json_key(&json, "signatures_verified_per_tx");
    sy_json_decimal(&json, (int64_t)(bench->used.signatures * 1000 / txs), 3);
    sy_json_put_text(&json, "engine", bench->used.engine);
    sy_json_key(&json, "sustained");
    sy_json_bool(&json, sustained(bench));
    sy_json_put_u64(&json, "final", load->final);
    sy_json_put_u64(&json, "refused", load->refused);
    sy_json_put_u64(&json, "lost", load->lost);
    sy_json_put_u64(&json, "busy", load->busy);
    sy_json_object_end(&json);
    printf("%.*s\n", (int)json.size, json.data);
}

static void report_table(const struct bench *bench)
{
    const struct sy_load_result *load = &bench->load;
    uint64_t txs = load->final ? load->final : 1;
    printf("validators                  %u\n", bench->options.validators);
    printf("seconds                     %.1f\n", load->send_seconds);
    printf("offered per second          %.0f\n", bench->offered);
    printf("committed per second        %.0f\n", load->committed_per_s);
    printf("latency p50, p99            %.1f ms, %.1f ms\n",
           (double)sy_quantile_get(&load->latency_us, 500) / 1000,
           (double)sy_quantile_get(&load->latency_us, 990) / 1000);
    printf("CPU a transaction           %llu us, all validators\n",
           (unsigned long long)(bench->used.cpu_us / txs));
    printf("disk a transaction          %llu bytes, all validators\n",
           (unsigned long long)(bench->used.disk_bytes / txs));
    printf("network a transaction       %llu bytes, all validators\n",
           (unsigned long long)(bench->used.net_bytes / txs));
    printf("signatures a transaction    %.2f, all validators\n",
           (double)bench->used.signatures / (double)txs);
    printf("sustained                   %s\n", sustained(bench) ? "yes" : "no");
}

/* ---- the command ------------------------------------------------------------------------- */

static bool parse(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = {{"validators", required_argument, NULL, 'n'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"keep", no_argument, NULL, 'k'},
                                          {NULL, 0, NULL, 0}};
    *options = (struct options){.validators = 4, .seconds = 30};
    uint64_t number;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'n':
            if (!sy_parse_u64(&number, optarg, SY_VALIDATORS_MIN, SY_VALIDATORS_MAX)) return false;
            options->validators = (unsigned)number;
            break;
        case 's':
            if (!sy_parse_u64(&number, optarg, 1, 3600)) return false;
            options->seconds = (double)number;
            break;
        case 'r':
            if (!sy_parse_u64(&number, optarg, 1, 1000000)) return false;
            options->rate = (double)number;
            break;
        case 'j': options->json = true; break;
        case 'k': options->keep = true; break;
        default: return false;
        }
    }
    return optind == argc;
}

int sy_bench_cluster(int argc, char **argv)
{
    static struct bench bench;
    struct sy_error err = {SY_OK, ""};
    if (!parse(&bench.options, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    struct sy_network_config config = {.validators = bench.options.validators};
    sy_status status = sy_network_open(&bench.network, &config, &err);
    if (status == SY_OK) status = set_up(&bench, &err);
    if (status == SY_OK) status = measure(&bench, &err);
    sy_population_close(bench.population);
    if (bench.options.keep && bench.network != NULL) {
        fprintf(stderr, "the network's folder: %s\n", sy_network_dir(bench.network));
        sy_network_close(bench.network);
    } else {
        sy_network_discard(bench.network);
    }
    if (status != SY_OK) {
        fprintf(stderr, "systole-bench: %s\n", err.text);
        return 1;
    }
    if (bench.options.json) {
        report_json(&bench);
    } else {
        report_table(&bench);
    }
    return 0;
}
