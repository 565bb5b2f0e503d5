/* failover.c: kill -9 of the primary, over and over, under load.
 *
 *     load (its own thread)    transactions due at a steady rate, to every validator in turn
 *     this thread              STATUS: who is primary? -- kill -9 -- the first transaction that was
 *                              sent after the kill is final -- the killed one is started again over
 *                              its store -- it has caught up -- and again
 *
 * The stall is the time from the kill to that first final. A killed primary is counted as one
 * stall; each later gap between finals of more than GAP_MS before the next kill is one more.
 * At the end every store is audited and searched for whatever the clients were told is final. */
#include "bench/failover.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/examine.h"
#include "bench/load.h"
#include "bench/network.h"
#include "core/base/json.h"
#include "core/base/os.h"
#include "core/base/thread.h"

#define KILLS_MAX 200u
#define RATE_MAX 1000u
#define SECONDS_A_KILL 20u /* of load, signed beforehand */
#define LIFETIME_MS (12ll * 3600 * 1000)
#define SILENT_MS 1000u
#define GAP_MS 400u
#define SETTLE_MS 500u
#define RECOVER_MS 120000u
#define CATCH_UP_MS 120000u
#define NEAR_BLOCKS 8u

static const char usage[] =
    "usage: systole-bench failover [--validators N] [--kills K] [--rate R] [--json] [--keep]\n"
    "\n"
    "  --validators N   systoled processes, 4 to 100 (4)\n"
    "  --kills K        how often the primary is killed, 1 to 200 (50)\n"
    "  --rate R         transactions offered a second, 1 to 1000 (100)\n"
    "  --json           one JSON object instead of a table\n"
    "  --keep           leave the network's folder behind\n"
    "\n"
    "Exit code 0 only if nothing final is lost, nothing stands twice and all audits are equal.\n";

struct options {
    unsigned validators;
    unsigned kills;
    unsigned rate;
    bool json;
    bool keep;
};

/* What the load's thread tells this one. */
struct feed {
    pthread_mutex_t mutex;
    uint64_t kill_ns;      /* of the last kill; 0: none yet */
    uint64_t recovered_ns; /* first final after it of what was sent after it; 0: none yet */
    uint64_t last_ns;      /* newest final */
    unsigned gaps;         /* since the recovery: later stalls */
    uint64_t gap_ns;       /* the longest of them, and when it began */
    uint64_t gap_start_ns;
    bool ended; /* the load's thread did */
};

struct failover {
    struct options options;
    sy_network *network;
    sy_population *population;
    uint32_t set_up_count;
    struct sy_load_txs txs;
    bool *told_final; /* a transaction; the load's thread writes until it is joined */
    atomic_bool stop;
    struct sy_load_result load;
    sy_status load_status;
    struct sy_error load_err;
    struct feed feed;
    uint64_t first_view;
    uint64_t last_view;
    uint64_t stalls_us[KILLS_MAX]; /* sorted at the end */
    unsigned kills;
    unsigned stalls_a_kill_max;
    struct sy_examination found;
};

static void sleep_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}

/* ---- the load's thread ------------------------------------------------------------------- */

static void take_gap(struct feed *feed, uint64_t now_ns)
{
    uint64_t gap_ns = now_ns - feed->last_ns;
    if (gap_ns <= GAP_MS * 1000000ull) return;
    feed->gaps++;
    if (gap_ns <= feed->gap_ns) return;
    feed->gap_ns = gap_ns;
    feed->gap_start_ns = feed->last_ns;
}

static void on_final(void *self, uint32_t tx, uint64_t sent_ns, uint64_t final_ns)
{
    struct failover *run = (struct failover *)self;
    struct feed *feed = &run->feed;
    run->told_final[tx] = true;
    pthread_mutex_lock(&feed->mutex);
    if (feed->recovered_ns != 0) {
        take_gap(feed, final_ns);
    } else if (feed->kill_ns != 0 && sent_ns >= feed->kill_ns) {
        feed->recovered_ns = final_ns;
    }
    feed->last_ns = final_ns;
    pthread_mutex_unlock(&feed->mutex);
}

static void *run_load(void *self)
{
    struct failover *run = (struct failover *)self;
    struct sy_load_config config = {.genesis = sy_network_genesis(run->network),
                                    .txs = &run->txs,
                                    .rate_per_s = run->options.rate,
                                    .drain_ms = RECOVER_MS,
                                    .silent_ms = SILENT_MS,
                                    .stop = &run->stop,
                                    .on_final = on_final,
                                    .self = run};
    run->load_status = sy_load_run(&run->load, &config, &run->load_err);
    pthread_mutex_lock(&run->feed.mutex);
    run->feed.ended = true;
    pthread_mutex_unlock(&run->feed.mutex);
    return NULL;
}

/* ---- one kill ---------------------------------------------------------------------------- */

static struct feed look(struct failover *run)
{
    pthread_mutex_lock(&run->feed.mutex);
    struct feed now = run->feed;
    pthread_mutex_unlock(&run->feed.mutex);
    return now;
}

/* What followed the last kill is over: its stalls are counted. */
static void close_count(struct failover *run)
{
    struct feed feed = look(run);
    if (feed.kill_ns == 0) return;
    take_gap(&feed, sy_os_monotonic_ns()); /* one that lasts still */
    if (1 + feed.gaps > run->stalls_a_kill_max) run->stalls_a_kill_max = 1 + feed.gaps;
    if (feed.gaps == 0) return;
    fprintf(stderr, "kill %u: %u later stalls, the longest %llu ms, begun %llu ms after the kill\n",
            run->kills, feed.gaps, (unsigned long long)(feed.gap_ns / 1000000),
            (unsigned long long)((feed.gap_start_ns - feed.kill_ns) / 1000000));
}

static sy_status await_recovery(struct failover *run, struct sy_error *err)
{
    uint64_t deadline_ns = sy_os_monotonic_ns() + RECOVER_MS * 1000000ull;
    while (sy_os_monotonic_ns() < deadline_ns) {
        struct feed feed = look(run);
        if (feed.recovered_ns != 0) {
            run->stalls_us[run->kills] = (feed.recovered_ns - feed.kill_ns) / 1000;
            return SY_OK;
        }
        if (feed.ended) {
            return sy_fail(err, SY_ERR_LIMIT,
                           "the load ended after %u of %u kills (%s): %u s of it are signed for "
                           "each; ask for fewer kills when the machine is this slow",
                           run->kills, run->options.kills,
                           run->load_status == SY_OK ? "all is sent" : run->load_err.text,
                           SECONDS_A_KILL);
        }
        sleep_ms(2);
    }
    return sy_fail(err, SY_ERR_TIMEOUT, "kill %u: nothing sent after it was final within %u s",
                   run->kills + 1, RECOVER_MS / 1000);
}

/* Waits until this validator is near the others, who go on meanwhile. */
static sy_status await_caught_up(struct failover *run, unsigned validator, struct sy_error *err)
{
    uint64_t goal;
    do {
        goal = sy_network_highest(run->network, validator);
        SY_TRY(sy_network_await(run->network, validator, goal, CATCH_UP_MS, err));
    } while (sy_network_highest(run->network, validator) > goal + NEAR_BLOCKS);
    return SY_OK;
}

static sy_status kill_primary(struct failover *run, struct sy_error *err)
{
    unsigned primary = 0;
    int code;
    SY_TRY(sy_network_primary(run->network, &primary, &run->last_view, RECOVER_MS, err));
    close_count(run);
    pthread_mutex_lock(&run->feed.mutex);
    run->feed.recovered_ns = 0;
    run->feed.gaps = 0;
    run->feed.gap_ns = 0;
    run->feed.kill_ns = sy_os_monotonic_ns();
    pthread_mutex_unlock(&run->feed.mutex);
    sy_network_kill(run->network, primary, SIGKILL, &code);
    SY_TRY(await_recovery(run, err));
    run->kills++;
    SY_TRY(sy_network_start(run->network, primary, err));
    SY_TRY(await_caught_up(run, primary, err));
    fprintf(stderr, "kill %u of %u: view %llu, validator %u: %.0f ms\n", run->kills,
            run->options.kills, (unsigned long long)run->last_view, primary,
            (double)run->stalls_us[run->kills - 1] / 1000);
    sleep_ms(SETTLE_MS);
    return SY_OK;
}

static sy_status kill_all(struct failover *run, struct sy_error *err)
{
    unsigned primary;
    while (run->kills < run->options.kills) SY_TRY(kill_primary(run, err));
    close_count(run);
    return sy_network_primary(run->network, &primary, &run->last_view, RECOVER_MS, err);
}

/* ---- the run ----------------------------------------------------------------------------- */

static sy_status set_up(struct failover *run, struct sy_error *err)
{
    struct sy_population_config config = {.genesis = sy_network_genesis(run->network),
                                          .regulator = sy_network_regulator(run->network),
                                          .organisations = 4,
                                          .gateways = 64,
                                          .patients = 256,
                                          .seed = 1};
    uint32_t count = run->options.kills * run->options.rate * SECONDS_A_KILL;
    int64_t until_ms = sy_os_wall_ms() + LIFETIME_MS;
    SY_TRY(sy_population_open(&run->population, &config, err));
    SY_TRY(sy_load_set_up(&run->set_up_count, run->population, err));
    SY_TRY(sy_load_sign(&run->txs, run->population, SY_POPULATION_STAGES, count, until_ms, err));
    run->told_final = (bool *)calloc(count, sizeof(bool));
    if (run->told_final == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "failover: no memory");
    unsigned primary;
    return sy_network_primary(run->network, &primary, &run->first_view, RECOVER_MS, err);
}

static sy_status measure(struct failover *run, struct sy_error *err)
{
    pthread_t thread;
    SY_TRY(sy_thread_start(&thread, "load", run_load, run, err));
    while (look(run).last_ns == 0 && !look(run).ended) sleep_ms(10);
    sy_status status = kill_all(run, err);
    atomic_store(&run->stop, true);
    sy_thread_join(thread);
    if (status != SY_OK) return status;
    if (run->load_status != SY_OK) return sy_fail(err, run->load_status, "%s", run->load_err.text);
    return SY_OK;
}

/* Every applied transaction of the ledger is one that was sent. */
static sy_status examine(struct failover *run, struct sy_error *err)
{
    struct sy_told told = {.txs = &run->txs, .told_final = run->told_final};
    struct sy_examine_config config = {.network = run->network,
                                       .validators = run->options.validators,
                                       .told = &told,
                                       .told_count = 1,
                                       .applied_max = (uint64_t)run->set_up_count +
                                                      run->load.final + run->load.lost};
    return sy_examine(&run->found, &config, err);
}

/* ---- reporting --------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* The smallest stall that per_cent of them do not exceed. */
static uint64_t stall_us(const struct failover *run, unsigned per_cent)
{
    return run->stalls_us[(run->kills * per_cent + 99) / 100 - 1];
}

static bool holds(const struct failover *run)
{
    return run->found.lost == 0 && run->found.twice == 0 && run->found.audits_equal;
}

static void put_ms(sy_json *json, const char *name, uint64_t us)
{
    sy_json_key(json, name);
    sy_json_decimal(json, (int64_t)us, 3);
}

static void report_json(const struct failover *run)
{
    sy_json json;
    char text[1024];
    sy_json_init_fixed(&json, text, sizeof text);
    sy_json_object_begin(&json);
    sy_json_put_u64(&json, "validators", run->options.validators);
    sy_json_put_u64(&json, "kills", run->kills);
    sy_json_put_u64(&json, "rate_per_s", run->options.rate);
    put_ms(&json, "median_ms", stall_us(run, 50));
    put_ms(&json, "p99_ms", stall_us(run, 99));
    put_ms(&json, "max_ms", stall_us(run, 100));
    sy_json_put_u64(&json, "stalls_per_kill_max", run->stalls_a_kill_max);
    sy_json_put_u64(&json, "final", run->load.final);
    sy_json_put_u64(&json, "refused", run->load.refused);
    sy_json_put_u64(&json, "undecided", run->load.lost);
    sy_json_put_u64(&json, "lost", run->found.lost);
    sy_json_put_u64(&json, "twice", run->found.twice);
    sy_json_put_u64(&json, "views", run->last_view - run->first_view);
    sy_json_key(&json, "audits_equal");
    sy_json_bool(&json, run->found.audits_equal);
    sy_json_object_end(&json);
    printf("%.*s\n", (int)json.size, json.data);
}

static void report_table(const struct failover *run)
{
    printf("validators              %u\n", run->options.validators);
    printf("kills of the primary    %u\n", run->kills);
    printf("offered per second      %u\n", run->options.rate);
    printf("stall median, p99, max  %.0f ms, %.0f ms, %.0f ms\n", (double)stall_us(run, 50) / 1000,
           (double)stall_us(run, 99) / 1000, (double)stall_us(run, 100) / 1000);
    printf("stalls a kill, at most  %u\n", run->stalls_a_kill_max);
    printf("final                   %u\n", run->load.final);
    printf("refused, undecided      %u, %u\n", run->load.refused, run->load.lost);
    printf("lost, twice             %llu, %llu\n", (unsigned long long)run->found.lost,
           (unsigned long long)run->found.twice);
    printf("views                   %llu\n",
           (unsigned long long)(run->last_view - run->first_view));
    printf("audits equal            %s\n", run->found.audits_equal ? "yes" : "no");
}

/* ---- the command ------------------------------------------------------------------------- */

static bool parse(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = {{"validators", required_argument, NULL, 'n'},
                                          {"kills", required_argument, NULL, 'x'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"keep", no_argument, NULL, 'k'},
                                          {NULL, 0, NULL, 0}};
    *options = (struct options){.validators = 4, .kills = 50, .rate = 100};
    uint64_t number;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'n':
            if (!sy_parse_u64(&number, optarg, SY_VALIDATORS_MIN, SY_VALIDATORS_MAX)) return false;
            options->validators = (unsigned)number;
            break;
        case 'x':
            if (!sy_parse_u64(&number, optarg, 1, KILLS_MAX)) return false;
            options->kills = (unsigned)number;
            break;
        case 'r':
            if (!sy_parse_u64(&number, optarg, 1, RATE_MAX)) return false;
            options->rate = (unsigned)number;
            break;
        case 'j': options->json = true; break;
        case 'k': options->keep = true; break;
        default: return false;
        }
    }
    return optind == argc;
}

static sy_status fail_over(struct failover *run, struct sy_error *err)
{
    struct sy_network_config config = {.validators = run->options.validators};
    SY_TRY(sy_network_open(&run->network, &config, err));
    SY_TRY(set_up(run, err));
    SY_TRY(measure(run, err));
    SY_TRY(sy_network_stop_level(run->network, CATCH_UP_MS, err));
    SY_TRY(examine(run, err));
    qsort(run->stalls_us, run->kills, sizeof run->stalls_us[0], compare);
    return SY_OK;
}

int sy_bench_failover(int argc, char **argv)
{
    static struct failover run = {.feed = {.mutex = PTHREAD_MUTEX_INITIALIZER}};
    struct sy_error err = {SY_OK, ""};
    if (!parse(&run.options, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    sy_status status = fail_over(&run, &err);
    bool good = status == SY_OK && holds(&run);
    sy_population_close(run.population);
    if (run.network != NULL && (run.options.keep || !good)) {
        fprintf(stderr, "the network's folder: %s\n", sy_network_dir(run.network));
        sy_network_close(run.network);
    } else {
        sy_network_discard(run.network);
    }
    sy_load_free(&run.txs);
    free(run.told_final);
    if (status != SY_OK) {
        fprintf(stderr, "systole-bench: %s\n", err.text);
        return 1;
    }
    if (run.options.json) {
        report_json(&run);
    } else {
        report_table(&run);
    }
    return good ? 0 : 1;
}
