/* crypto.c: options and output of `systole-bench crypto`; crypto_verify.c and crypto_hash.c
 * measure. Each figure is the median of rounds, each ratio the median of the rounds' ratios to
 * OpenSSL, which runs just before in the same process. */
#include "bench/crypto.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/crypto_internal.h"
#include "core/crypto/key_tables.h"

static const char usage[] =
    "usage: systole-bench crypto [--json] [OPTION...]\n"
    "\n"
    "Times every engine of this build beside OpenSSL: verify-enrolled (keys that come back),\n"
    "verify-cold (keys never seen), leaf201, node65 (hashes a second), tree20 (trees of 2^20\n"
    "leaves a second). All of it takes some minutes.\n"
    "\n"
    "  --json          one JSON object instead of lines\n"
    "  --engine NAME   this engine only\n"
    "  --what WHAT     these rows only\n"
    "  --keys N        so many different keys only: 1, 16, 256, 4096 or 65536\n"
    "  --batch N       this batch size only: 1, 4, 16, 64, 512, 4096 or 65536\n"
    "  --jobs N        so many different signatures; no larger batches or more keys (65536)\n"
    "  --rounds N      rounds of each row, 1 to 101 (9)\n"
    "  --round-ms N    length of a round (40)\n"
    "  --threads N     worker threads of each engine; 0: none (0)\n"
    "  --table-mib N   memory for tables of keys; 0: the default (0)\n";

bool sy_bench_crypto_wants(const struct sy_crypto_bench *bench, const char *engine,
                           const char *what)
{
    const struct sy_crypto_options *options = &bench->options;
    return (!options->engine || strcmp(options->engine, engine) == 0) &&
           (!options->what || strcmp(options->what, what) == 0);
}

sy_engine *sy_bench_crypto_open(const struct sy_crypto_bench *bench,
                                const struct sy_engine_impl *impl, uint64_t table_bytes,
                                uint32_t leaves_max, bool *absent)
{
    const struct sy_engine_impl *impls[3] = {impl, NULL, NULL};
    struct sy_engine_config config = {.threads = (unsigned)bench->options.threads,
                                      .queue = 64,
                                      .leaves_max = leaves_max,
                                      .table_bytes = table_bytes,
                                      .impls = impls};
    struct sy_engine_info info;
    struct sy_error err = {.text = ""};
    sy_engine *engine = NULL;
    if (impl != &sy_engine_openssl) impls[1] = &sy_engine_openssl;
    if (sy_engine_open(&engine, &config, &err) != SY_OK) {
        fprintf(stderr, "systole-bench crypto: %s: %s\n", impl->name, err.text);
        return NULL;
    }
    sy_engine_get_info(engine, &info);
    if (strcmp(info.impl, impl->name) == 0) return engine;
    *absent = info.retired == 0;
    if (!*absent) fprintf(stderr, "systole-bench crypto: %s fails its self-test\n", impl->name);
    sy_engine_close(engine);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sy_bench_crypto_put_row(struct sy_crypto_bench *bench, const struct sy_crypto_row *row)
{
    double per_s[CRYPTO_ROUNDS_MAX], ratio[CRYPTO_ROUNDS_MAX];
    unsigned last = row->rounds - 1;
    memcpy(per_s, row->per_s, sizeof per_s);
    memcpy(ratio, row->ratio, sizeof ratio);
    qsort(per_s, row->rounds, sizeof per_s[0], compare);
    qsort(ratio, row->rounds, sizeof ratio[0], compare);
    double median = per_s[last / 2], median_ratio = ratio[last / 2];
    if (!bench->options.json) {
        printf("%-9s %-16s batch %7u keys %6u %12.1f/s (%.1f..%.1f) %10.1f ns %7.2f x OpenSSL\n",
               row->engine, row->what, row->batch, row->keys, median, per_s[0], per_s[last],
               1e9 / median, median_ratio);
        (void)fflush(stdout);
        return;
    }
    sy_json *json = &bench->json;
    sy_json_object_begin(json);
    sy_json_put_text(json, "engine", row->engine);
    sy_json_put_text(json, "what", row->what);
    sy_json_put_u64(json, "batch", row->batch);
    sy_json_put_u64(json, "keys", row->keys);
    sy_json_put_decimal(json, "per_s", (int64_t)(median * 10), 1);
    sy_json_put_decimal(json, "per_s_min", (int64_t)(per_s[0] * 10), 1);
    sy_json_put_decimal(json, "per_s_max", (int64_t)(per_s[last] * 10), 1);
    sy_json_put_decimal(json, "ns", (int64_t)(1e10 / median), 1);
    sy_json_put_decimal(json, "ratio_to_openssl", (int64_t)(median_ratio * 100), 2);
    sy_json_put_decimal(json, "transfer_share", 0, 2); // To and from a device; these have none.
    sy_json_object_end(json);
}

static bool measure(struct sy_crypto_bench *bench)
{
    uint64_t table_bytes = bench->options.table_mib << 20;
    sy_json *json = &bench->json;
    sy_json_init_growing(json, 8u << 20);
    sy_json_set_pretty(json);
    sy_json_object_begin(json);
    sy_json_put_u64(json, "rounds", bench->options.rounds);
    sy_json_put_u64(json, "round_ms", bench->options.round_ms);
    sy_json_put_u64(json, "threads", bench->options.threads);
    sy_json_put_u64(json, "table_bytes",
                    table_bytes > 0 ? table_bytes : sy_key_tables_default_bytes());
    sy_json_key(json, "rows");
    sy_json_array_begin(json);
    bool fine = sy_bench_crypto_measure_signatures(bench) && sy_bench_crypto_measure_hashes(bench);
    sy_json_array_end(json);
    sy_json_object_end(json);
    fine = fine && !json->cut;
    if (fine && bench->options.json) fine = puts(json->data) >= 0 && fflush(stdout) == 0;
    sy_json_free(json);
    return fine;
}

static bool take_option(struct sy_crypto_options *options, int option, const char *value)
{
    switch (option) {
    case 'j': options->json = true; return true;
    case 'e': options->engine = value; return true;
    case 'w': options->what = value; return true;
    case 'k': return sy_parse_u64(&options->keys, value, 1, CRYPTO_JOBS);
    case 'b': return sy_parse_u64(&options->batch, value, 1, CRYPTO_JOBS);
    case 'n': return sy_parse_u64(&options->jobs, value, 1, CRYPTO_JOBS);
    case 'r': return sy_parse_u64(&options->rounds, value, 1, CRYPTO_ROUNDS_MAX);
    case 'm': return sy_parse_u64(&options->round_ms, value, 1, 60000);
    case 't': return sy_parse_u64(&options->threads, value, 0, SY_ENGINE_THREADS_MAX);
    case 'g': return sy_parse_u64(&options->table_mib, value, 0, 1u << 20);
    default: return false;
    }
}

int sy_bench_crypto(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"engine", required_argument, NULL, 'e'},
                                          {"what", required_argument, NULL, 'w'},
                                          {"keys", required_argument, NULL, 'k'},
                                          {"batch", required_argument, NULL, 'b'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"round-ms", required_argument, NULL, 'm'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"table-mib", required_argument, NULL, 'g'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"jobs", required_argument, NULL, 'n'},
                                          {NULL, 0, NULL, 0}};
    struct sy_crypto_bench bench = {.options = {.rounds = 9, .round_ms = 40, .jobs = CRYPTO_JOBS}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!take_option(&bench.options, option, optarg)) {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    return measure(&bench) ? 0 : 1;
}
