/* chaos.c: the whole of a run.
 *
 *     load (its own thread)    transactions due at a steady rate, to every validator in turn; each
 *                              is final for it only with a proof that it has checked
 *     this thread              one fault after the other, to at most f validators at a time, each
 *                              until everybody is where the network is; then all at once; then one
 *                              loses its disk
 *     at the end               every store audited, and searched for whatever was told final
 *
 * What is drawn (the order of the faults, victims, lengths, strengths) comes from one seed; what
 * the processes make of it does not. */
#include "bench/chaos.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/chaos_internal.h"
#include "bench/sandbox.h"
#include "core/base/os.h"
#include "core/base/thread.h"
#include "core/wire/roster.h"

#define SILENT_MS 1000u
#define LIFETIME_MS (12ll * 3600 * 1000)
#define RATE_MAX 1000u
#define SECONDS_MAX 3600u
#define SPARE_SECONDS                                                          \
    900u /* of load, signed beforehand, for a run that takes longer than asked \
          */
#define SEEDS (UINT32_MAX + 1ull)

static const char usage[] =
    "usage: systole-bench chaos [SECONDS] [--validators N] [--seed S] [--rate R]\n"
    "                           [--faults LIST] [--set 'KEY = VALUE'] [--json] [--keep]\n"
    "\n"
    "  SECONDS          how long faults are drawn, each at least once (180)\n"
    "  --validators N   systoled processes, 4 to 64 (4); at most f of them are hurt at a time\n"
    "  --seed S         draws faults, victims, lengths (random; it is printed)\n"
    "  --rate R         transactions offered a second all the while, 1 to 1000 (50)\n"
    "  --faults LIST    only these, with commas between them (all):\n";

static const char usage_end[] =
    "  --set LINE       a line for every systoled.conf\n"
    "  --json           one JSON object instead of a table\n"
    "  --keep           leave the network's folder behind\n"
    "\n"
    "What the system does not permit (network namespaces, mounts) is left out, and said.\n"
    "Exit code 0 only if nothing final is lost, nothing stands twice, nothing stays\n"
    "undecided, all audits are equal, everybody recovers, and overload changes no view.\n";

static const uint32_t on_lan =
    1u << SY_CHAOS_CUT | 1u << SY_CHAOS_ONE_WAY | 1u << SY_CHAOS_LOSS | 1u << SY_CHAOS_DELAY;

/* ---- the load's thread ------------------------------------------------------------------- */

static void on_final(void *self, uint32_t tx, uint64_t sent_ns, uint64_t final_ns)
{
    struct sy_chaos *chaos = (struct sy_chaos *)self;
    (void)sent_ns;
    chaos->told_final[tx] = true;
    sy_chaos_note_final(chaos, final_ns);
}

static void *run_load(void *self)
{
    struct sy_chaos *chaos = (struct sy_chaos *)self;
    struct sy_load_config config = {.genesis = sy_network_genesis(chaos->network),
                                    .txs = &chaos->txs,
                                    .rate_per_s = chaos->options.rate,
                                    .drain_ms = SY_CHAOS_PATIENCE_MS,
                                    .silent_ms = SILENT_MS,
                                    .stop = &chaos->stop,
                                    .on_final = on_final,
                                    .self = chaos};
    chaos->load_status = sy_load_run(&chaos->load, &config, &chaos->load_err);
    pthread_mutex_lock(&chaos->feed.mutex);
    chaos->feed.ended = true;
    pthread_mutex_unlock(&chaos->feed.mutex);
    return NULL;
}

/* ---- what is possible here --------------------------------------------------------------- */

static void leave_out(struct sy_chaos *chaos, uint32_t faults, const struct sy_error *why)
{
    for (unsigned f = 0; f < SY_CHAOS_FAULTS; f++) {
        if (!(chaos->options.faults & faults) || !(faults >> f & 1)) continue;
        if (!(chaos->options.faults >> f & 1)) continue;
        snprintf(chaos->left_out[f], sizeof chaos->left_out[f], "%.150s", why->text);
        fprintf(stderr, "left out: %s: %s\n", sy_chaos_kinds[f].name, why->text);
    }
    chaos->options.faults &= ~faults;
}

static sy_status open_clocks(struct sy_chaos *chaos, struct sy_error *err)
{
    char program[512];
    char path[600];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) return sy_fail(err, SY_ERR_IO, "this program cannot find its own folder");
    program[size] = '\0';
    *strrchr(program, '/') = '\0';
    snprintf(path, sizeof path, "%s/../lib/libsystole-clock.so", program);
    return sy_clocks_open(&chaos->clocks, chaos->options.validators, path, err);
}

/* Before there is a second thread: rights and places are had for all threads to come. */
static void open_ground(struct sy_chaos *chaos)
{
    const struct sy_chaos_options *options = &chaos->options;
    uint32_t sandboxed = on_lan | 1u << SY_CHAOS_DISK;
    struct sy_error err = {SY_OK, ""};
    if ((options->faults & sandboxed) && sy_sandbox_enter(&err) != SY_OK) {
        leave_out(chaos, sandboxed, &err);
    }
    if ((options->faults & on_lan) &&
        sy_lan_open(&chaos->lan, options->validators + 1, options->seed, &err) != SY_OK) {
        leave_out(chaos, on_lan, &err);
    }
    if ((options->faults >> SY_CHAOS_CLOCK & 1) && open_clocks(chaos, &err) != SY_OK) {
        leave_out(chaos, 1u << SY_CHAOS_CLOCK, &err);
    }
}

/* ---- the run ----------------------------------------------------------------------------- */

static sy_status set_up(struct sy_chaos *chaos, struct sy_error *err)
{
    struct sy_population_config config = {.genesis = sy_network_genesis(chaos->network),
                                          .regulator = sy_network_regulator(chaos->network),
                                          .organisations = 4,
                                          .gateways = 256,
                                          .patients = 256,
                                          .seed = chaos->options.seed};
    uint32_t count = chaos->options.rate * (2 * chaos->options.seconds + SPARE_SECONDS);
    int64_t until_ms = sy_os_wall_ms() + LIFETIME_MS;
    SY_TRY(sy_population_open(&chaos->population, &config, err));
    SY_TRY(sy_load_set_up(&chaos->set_up_count, chaos->population, err));
    SY_TRY(
        sy_load_sign(&chaos->txs, chaos->population, SY_POPULATION_STAGES, count, until_ms, err));
    chaos->told_final = (bool *)calloc(count, sizeof(bool));
    if (chaos->told_final != NULL) return SY_OK;
    return sy_fail(err, SY_ERR_NO_MEMORY, "chaos: no memory");
}

static unsigned shuffle(struct sy_chaos *chaos, enum sy_chaos_fault deck[SY_CHAOS_FAULTS])
{
    unsigned count = 0;
    for (unsigned f = 0; f < SY_CHAOS_EVERYBODY; f++) {
        if (chaos->options.faults >> f & 1) deck[count++] = (enum sy_chaos_fault)f;
    }
    for (unsigned i = count; i > 1; i--) {
        unsigned j = (unsigned)sy_prng_below(&chaos->prng, i);
        enum sy_chaos_fault kept = deck[i - 1];
        deck[i - 1] = deck[j];
        deck[j] = kept;
    }
    return count;
}

/* All once, then again and again in other orders until the time is over. */
static sy_status play_drawn(struct sy_chaos *chaos, struct sy_error *err)
{
    uint64_t end_ns = sy_os_monotonic_ns() + chaos->options.seconds * 1000000000ull;
    enum sy_chaos_fault deck[SY_CHAOS_FAULTS];
    unsigned count;
    bool again = false;
    do {
        count = shuffle(chaos, deck);
        for (unsigned i = 0; i < count; i++) {
            if (again && sy_os_monotonic_ns() >= end_ns) return SY_OK;
            SY_TRY(sy_chaos_play(chaos, deck[i], err));
            if (chaos->round_count + 2 >= SY_CHAOS_ROUNDS_MAX) return SY_OK;
        }
        again = true;
    } while (count > 0 && sy_os_monotonic_ns() < end_ns);
    return SY_OK;
}

static sy_status play_all(struct sy_chaos *chaos, struct sy_error *err)
{
    SY_TRY(play_drawn(chaos, err));
    for (unsigned f = SY_CHAOS_EVERYBODY; f < SY_CHAOS_FAULTS; f++) {
        if (chaos->options.faults >> f & 1)
            SY_TRY(sy_chaos_play(chaos, (enum sy_chaos_fault)f, err));
    }
    return SY_OK;
}

static sy_status load_and_play(struct sy_chaos *chaos, struct sy_error *err)
{
    pthread_t thread;
    SY_TRY(sy_thread_start(&thread, "load", run_load, chaos, err));
    while (sy_chaos_look(chaos, false).finals == 0 && !sy_chaos_look(chaos, false).ended) {
        sy_chaos_sleep_ms(10);
    }
    sy_status status = play_all(chaos, err);
    atomic_store(&chaos->stop, true);
    sy_thread_join(thread);
    if (status != SY_OK) return status;
    if (chaos->load_status == SY_OK) return SY_OK;
    return sy_fail(err, chaos->load_status, "%s", chaos->load_err.text);
}

static sy_status examine(struct sy_chaos *chaos, struct sy_error *err)
{
    static struct sy_told told[SY_CHAOS_ROUNDS_MAX + 1];
    const struct sy_chaos_overload *overload = &chaos->overload;
    size_t count = 0;
    told[count++] = (struct sy_told){.txs = &chaos->txs, .told_final = chaos->told_final};
    for (unsigned i = 0; i < SY_CHAOS_ROUNDS_MAX && overload->txs[i].count > 0; i++) {
        told[count++] =
            (struct sy_told){.txs = &overload->txs[i], .told_final = overload->told_final[i]};
    }
    struct sy_examine_config config = {.network = chaos->network,
                                       .validators = chaos->options.validators,
                                       .skip = chaos->gone,
                                       .told = told,
                                       .told_count = count,
                                       .applied_max = (uint64_t)chaos->set_up_count +
                                                      chaos->load.final + chaos->load.lost +
                                                      overload->final + overload->undecided};
    return sy_examine(&chaos->found, &config, err);
}

static sy_status run(struct sy_chaos *chaos, struct sy_error *err)
{
    open_ground(chaos);
    struct sy_network_config config = {
        .validators = chaos->options.validators, .lan = chaos->lan, .clocks = chaos->clocks};
    SY_TRY(sy_network_open(&chaos->network, &config, err));
    SY_TRY(set_up(chaos, err));
    SY_TRY(load_and_play(chaos, err));
    SY_TRY(sy_network_stop_level(chaos->network, SY_CHAOS_PATIENCE_MS, err));
    if (chaos->lan != NULL) sy_lan_count(chaos->lan, &chaos->packets);
    return examine(chaos, err);
}

/* ---- the command ------------------------------------------------------------------------- */

static void print_usage(FILE *out)
{
    fputs(usage, out);
    for (unsigned f = 0; f < SY_CHAOS_FAULTS; f++) {
        fprintf(out, "      %-12s %s\n", sy_chaos_kinds[f].name, sy_chaos_kinds[f].what);
    }
    fputs(usage_end, out);
}

static bool parse_faults(uint32_t *faults, char *list)
{
    char *rest = NULL;
    *faults = 0;
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        unsigned f = 0;
        while (f < SY_CHAOS_FAULTS && strcmp(name, sy_chaos_kinds[f].name) != 0) f++;
        if (f == SY_CHAOS_FAULTS) {
            fprintf(stderr, "systole-bench: there is no fault '%s'\n\n", name);
            return false;
        }
        *faults |= 1u << f;
    }
    return *faults != 0;
}

static bool parse_number(unsigned *out, const char *text, unsigned least, unsigned most)
{
    uint64_t number;
    if (!sy_parse_u64(&number, text, least, most)) return false;
    *out = (unsigned)number;
    return true;
}

static bool take_option(struct sy_chaos_options *options, int option)
{
    switch (option) {
    case 'n':
        return parse_number(&options->validators, optarg, SY_VALIDATORS_MIN,
                            SY_CHAOS_VALIDATORS_MAX);
    case 's': return sy_parse_u64(&options->seed, optarg, 0, UINT64_MAX);
    case 'r': return parse_number(&options->rate, optarg, 1, RATE_MAX);
    case 'f': return parse_faults(&options->faults, optarg);
    case 'l': options->setting = optarg; return true;
    case 'j': options->json = true; return true;
    case 'k': options->keep = true; return true;
    default: return false;
    }
}

static bool parse(struct sy_chaos_options *options, int argc, char **argv)
{
    static const struct option longs[] = {{"validators", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"faults", required_argument, NULL, 'f'},
                                          {"set", required_argument, NULL, 'l'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"keep", no_argument, NULL, 'k'},
                                          {NULL, 0, NULL, 0}};
    *options = (struct sy_chaos_options){
        .validators = 4, .seconds = 180, .rate = 50, .faults = (1u << SY_CHAOS_FAULTS) - 1};
    sy_os_random(&options->seed, sizeof options->seed);
    options->seed %= SEEDS; /* short enough to be typed */
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (!take_option(options, option)) return false;
    }
    if (optind < argc && !parse_number(&options->seconds, argv[optind++], 1, SECONDS_MAX)) {
        return false;
    }
    return optind == argc;
}

static void clean_up(struct sy_chaos *chaos, bool keep)
{
    sy_population_close(chaos->population);
    if (chaos->network != NULL && keep) {
        fprintf(stderr, "the network's folder: %s\n", sy_network_dir(chaos->network));
        sy_network_close(chaos->network);
    } else {
        sy_network_discard(chaos->network);
    }
    sy_lan_close(chaos->lan);
    sy_clocks_close(chaos->clocks);
    for (unsigned i = 0; i < SY_CHAOS_ROUNDS_MAX; i++) {
        if (chaos->overload.txs[i].count > 0) sy_load_free(&chaos->overload.txs[i]);
        free(chaos->overload.told_final[i]);
    }
    sy_load_free(&chaos->txs);
    free(chaos->told_final);
}

int sy_bench_chaos(int argc, char **argv)
{
    static struct sy_chaos chaos = {.feed = {.mutex = PTHREAD_MUTEX_INITIALIZER}};
    struct sy_error err = {SY_OK, ""};
    if (!parse(&chaos.options, argc, argv)) {
        print_usage(stderr);
        return 2;
    }
    fprintf(stderr, "seed %llu\n", (unsigned long long)chaos.options.seed);
    chaos.faulty_max = sy_faulty_max(chaos.options.validators);
    sy_prng_seed(&chaos.prng, chaos.options.seed);
    sy_status status = run(&chaos, &err);
    bool good = status == SY_OK && sy_chaos_holds(&chaos);
    if (status == SY_OK) {
        sy_chaos_report(&chaos);
    } else {
        fprintf(stderr, "systole-bench: %s\nagain: the same command with --seed %llu\n", err.text,
                (unsigned long long)chaos.options.seed);
    }
    clean_up(&chaos, chaos.options.keep || !good);
    return good ? 0 : 1;
}
