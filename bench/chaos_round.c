/* chaos_round.c: a fault begins, lasts, ends, and everybody is where the network is again. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/chaos_internal.h"
#include "core/base/os.h"
#include "core/wire/roster.h"

#define LASTS_MS_MIN 1500u
#define LASTS_MS_MORE 4500u
#define SETTLE_MS 500u
#define BEHIND_MS 1000u
#define LIFETIME_MS (12ll * 3600 * 1000)
#define MEASURE_TXS 4000u
#define MEASURE_WINDOW 2048u
#define TIMES 4u
#define OVERLOAD_SECONDS 5u

void sy_chaos_sleep_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}

void sy_chaos_note_final(struct sy_chaos *chaos, uint64_t now_ns)
{
    struct sy_chaos_feed *feed = &chaos->feed;
    pthread_mutex_lock(&feed->mutex);
    uint64_t since_ns = feed->last_ns == 0 || now_ns < feed->last_ns ? 0 : now_ns - feed->last_ns;
    if (since_ns > feed->stall_ns) feed->stall_ns = since_ns;
    if (now_ns > feed->last_ns) feed->last_ns = now_ns;
    feed->finals++;
    pthread_mutex_unlock(&feed->mutex);
}

struct sy_chaos_feed sy_chaos_look(struct sy_chaos *chaos, bool forget)
{
    struct sy_chaos_feed *feed = &chaos->feed;
    pthread_mutex_lock(&feed->mutex);
    uint64_t since_ns = feed->last_ns == 0 ? 0 : sy_os_monotonic_ns() - feed->last_ns;
    if (since_ns > feed->stall_ns) feed->stall_ns = since_ns;
    struct sy_chaos_feed now = *feed;
    if (forget) feed->stall_ns = 0;
    pthread_mutex_unlock(&feed->mutex);
    return now;
}

/* ---- who, and how long ------------------------------------------------------------------- */

static bool is_in(uint64_t set, unsigned validator)
{
    return set >> validator & 1;
}

static uint64_t everybody(const struct sy_chaos *chaos)
{
    unsigned count = chaos->options.validators;
    return (count == 64 ? UINT64_MAX : (1ull << count) - 1) & ~chaos->gone;
}

/* One to f of those that are there. */
static uint64_t draw_victims(struct sy_chaos *chaos, enum sy_chaos_fault fault)
{
    if (fault == SY_CHAOS_OVERLOAD) return 0;
    if (fault == SY_CHAOS_EVERYBODY) return everybody(chaos);
    uint64_t count = 1 + sy_prng_below(&chaos->prng, chaos->faulty_max);
    if (fault == SY_CHAOS_WIPE) count = 1;
    uint64_t victims = 0;
    while (count > 0) {
        unsigned victim = (unsigned)sy_prng_below(&chaos->prng, chaos->options.validators);
        if (is_in(victims | chaos->gone, victim)) continue;
        victims |= 1ull << victim;
        count--;
    }
    return victims;
}

static sy_status each(struct sy_chaos *chaos, uint64_t victims,
                      sy_status (*act)(struct sy_chaos *, unsigned, struct sy_error *),
                      struct sy_error *err)
{
    for (unsigned i = 0; i < chaos->options.validators; i++) {
        if (is_in(victims, i)) SY_TRY(act(chaos, i, err));
    }
    return SY_OK;
}

/* ---- recovery ---------------------------------------------------------------------------- */

/* What the others had at a time, and a validator is to have soon after. */
struct goal {
    uint64_t height;
    uint64_t set_ns;
};

/* A validator has recovered when it has certified what the others had at most BEHIND_MS ago, and
 * more than anybody had when the fault began. Whoever waits alone in a later view, as PBFT lets it,
 * follows by blocks and never stands exactly where the others stand. */
static bool has_recovered(struct sy_chaos *chaos, struct goal *goal, unsigned validator,
                          uint64_t before)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    if (goal->set_ns == 0 || now_ns - goal->set_ns > BEHIND_MS * 1000000ull) {
        goal->height = sy_network_highest(chaos->network, validator);
        goal->set_ns = now_ns;
    }
    uint64_t height = sy_network_height(chaos->network, validator);
    return height >= goal->height && height > before;
}

static sy_status all_run(struct sy_chaos *chaos, struct sy_error *err)
{
    for (unsigned i = 0; i < chaos->options.validators; i++) {
        int code;
        if (is_in(chaos->gone, i) || !sy_network_ended(chaos->network, i, &code)) continue;
        return sy_fail(err, SY_ERR_CLOSED, "validator %u has ended by itself: see %s/v%u/output", i,
                       sy_network_dir(chaos->network), i);
    }
    return SY_OK;
}

static sy_status load_goes_on(struct sy_chaos *chaos, struct sy_error *err)
{
    if (!sy_chaos_look(chaos, false).ended) return SY_OK;
    return sy_fail(err, SY_ERR_LIMIT, "the load has ended before the faults: %s",
                   chaos->load_status == SY_OK ? "all that was signed is sent; ask for less"
                                               : chaos->load_err.text);
}

static sy_status await_recovery(struct sy_chaos *chaos, uint64_t victims, uint64_t before,
                                struct sy_error *err)
{
    uint64_t deadline_ns = sy_os_monotonic_ns() + SY_CHAOS_PATIENCE_MS * 1000000ull;
    uint64_t waiting = victims;
    struct goal goals[SY_CHAOS_VALIDATORS_MAX] = {{0}};
    while (waiting != 0) {
        SY_TRY(all_run(chaos, err));
        SY_TRY(load_goes_on(chaos, err));
        for (unsigned i = 0; i < chaos->options.validators; i++) {
            if (!is_in(waiting, i)) continue;
            if (has_recovered(chaos, &goals[i], i, before)) waiting &= ~(1ull << i);
        }
        if (waiting != 0 && sy_os_monotonic_ns() > deadline_ns) {
            return sy_fail(err, SY_ERR_TIMEOUT,
                           "validators %#llx have not certified the network's height %u s after "
                           "the fault ended",
                           (unsigned long long)waiting, SY_CHAOS_PATIENCE_MS / 1000);
        }
        if (waiting != 0) sy_chaos_sleep_ms(10);
    }
    return SY_OK;
}

/* ---- overload ---------------------------------------------------------------------------- */

static sy_status sign(struct sy_chaos *chaos, struct sy_load_txs **txs, double count,
                      struct sy_error *err)
{
    /* A round's transactions stay until its finals are looked for in the stores. */
    unsigned place = 0;
    while (chaos->overload.txs[place].count > 0) place++;
    if (place == SY_CHAOS_ROUNDS_MAX) return sy_fail(err, SY_ERR_LIMIT, "too many rounds");
    *txs = &chaos->overload.txs[place];
    int64_t until_ms = sy_os_wall_ms() + LIFETIME_MS;
    SY_TRY(sy_load_sign(*txs, chaos->population, SY_POPULATION_STAGES, (uint32_t)count, until_ms,
                        err));
    chaos->overload.told_final[place] = (bool *)calloc((*txs)->count, sizeof(bool));
    if (chaos->overload.told_final[place] != NULL) return SY_OK;
    return sy_fail(err, SY_ERR_NO_MEMORY, "chaos: no memory");
}

struct offer {
    struct sy_chaos *chaos;
    bool *told_final;
};

static void on_final(void *self, uint32_t tx, uint64_t sent_ns, uint64_t final_ns)
{
    struct offer *offer = (struct offer *)self;
    (void)sent_ns;
    offer->told_final[tx] = true;
    sy_chaos_note_final(offer->chaos, final_ns);
}

static sy_status make_offer(struct sy_chaos *chaos, const struct sy_load_txs *txs, double rate,
                            struct sy_load_result *result, struct sy_error *err)
{
    struct sy_chaos_overload *overload = &chaos->overload;
    struct offer offer = {.chaos = chaos, .told_final = overload->told_final[txs - overload->txs]};
    struct sy_load_config config = {.genesis = sy_network_genesis(chaos->network),
                                    .txs = txs,
                                    .skip = chaos->gone,
                                    .rate_per_s = rate,
                                    .closed_window = MEASURE_WINDOW,
                                    .drain_ms = SY_CHAOS_PATIENCE_MS,
                                    .on_final = on_final,
                                    .self = &offer};
    SY_TRY(sy_load_run(result, &config, err));
    overload->sent += result->sent;
    overload->final += result->final;
    overload->refused += result->refused;
    overload->busy += result->busy;
    overload->undecided += result->lost;
    return SY_OK;
}

/* As fast as answers come: what can be had here, beside the steady load. */
static sy_status measure(struct sy_chaos *chaos, struct sy_error *err)
{
    struct sy_load_result result;
    struct sy_load_txs *txs;
    SY_TRY(sign(chaos, &txs, MEASURE_TXS, err));
    SY_TRY(make_offer(chaos, txs, 0, &result, err));
    if (result.final == 0) return sy_fail(err, SY_ERR_TIMEOUT, "nothing was final");
    chaos->overload.possible_per_s = result.final / result.seconds;
    chaos->overload.offered_per_s = TIMES * chaos->overload.possible_per_s;
    return SY_OK;
}

static sy_status prepare_overload(struct sy_chaos *chaos, struct sy_load_txs **txs,
                                  struct sy_error *err)
{
    if (chaos->overload.possible_per_s <= 0) SY_TRY(measure(chaos, err));
    return sign(chaos, txs, chaos->overload.offered_per_s * OVERLOAD_SECONDS, err);
}

/* ---- rounds ------------------------------------------------------------------------------ */

static void tell(const struct sy_chaos *chaos, const struct sy_chaos_round *round)
{
    fprintf(stderr, "%3u  %-9s", chaos->round_count, sy_chaos_kinds[round->fault].name);
    for (unsigned i = 0; i < chaos->options.validators; i++) {
        if (is_in(round->victims, i)) fprintf(stderr, " v%u", i);
    }
    fprintf(stderr, "  lasted %llu ms, recovered after %llu ms, stall %llu ms, views %llu%s\n",
            (unsigned long long)round->lasted_ms, (unsigned long long)round->recovery_ms,
            (unsigned long long)round->stall_ms, (unsigned long long)round->views,
            round->outside > 0 ? ", outside the view" : "");
}

static sy_status view_of(struct sy_chaos *chaos, uint64_t *view, struct sy_error *err)
{
    unsigned primary;
    return sy_network_primary(chaos->network, &primary, view, SY_CHAOS_PATIENCE_MS, err);
}

/* How many victims are in another view than the network: they do not vote. */
static unsigned count_outside(struct sy_chaos *chaos, uint64_t victims, uint64_t view)
{
    unsigned outside = 0;
    for (unsigned i = 0; i < chaos->options.validators; i++) {
        if (is_in(victims & ~chaos->gone, i)) outside += sy_network_view(chaos->network, i) != view;
    }
    return outside;
}

/* From the last moment before it to the first after it. */
static sy_status hurt(struct sy_chaos *chaos, struct sy_chaos_round *round, uint64_t before,
                      struct sy_error *err)
{
    const struct sy_chaos_kind *kind = &sy_chaos_kinds[round->fault];
    unsigned lasts_ms = LASTS_MS_MIN + (unsigned)sy_prng_below(&chaos->prng, LASTS_MS_MORE + 1);
    uint64_t begun_ns = sy_os_monotonic_ns();
    if (round->fault == SY_CHAOS_EVERYBODY) {
        for (unsigned i = 0; i < chaos->options.validators; i++) {
            if (is_in(round->victims, i)) (void)kill(sy_network_pid(chaos->network, i), SIGKILL);
        }
    }
    SY_TRY(each(chaos, round->victims, kind->begin, err));
    sy_chaos_sleep_ms(lasts_ms);
    SY_TRY(each(chaos, round->victims, kind->end, err));
    uint64_t ended_ns = sy_os_monotonic_ns();
    round->lasted_ms = (ended_ns - begun_ns) / 1000000;
    uint64_t all = everybody(chaos);
    SY_TRY(
        await_recovery(chaos, round->fault == SY_CHAOS_WIPE ? all : round->victims, before, err));
    round->recovery_ms = (sy_os_monotonic_ns() - ended_ns) / 1000000;
    return SY_OK;
}

static sy_status flood(struct sy_chaos *chaos, struct sy_chaos_round *round,
                       const struct sy_load_txs *txs, struct sy_error *err)
{
    struct sy_load_result result;
    SY_TRY(make_offer(chaos, txs, chaos->overload.offered_per_s, &result, err));
    round->lasted_ms = (uint64_t)(result.send_seconds * 1000);
    round->recovery_ms = (uint64_t)((result.seconds - result.send_seconds) * 1000);
    return SY_OK;
}

sy_status sy_chaos_play(struct sy_chaos *chaos, enum sy_chaos_fault fault, struct sy_error *err)
{
    struct sy_chaos_round *round = &chaos->rounds[chaos->round_count];
    struct sy_load_txs *txs = NULL;
    uint64_t view = 0;
    uint64_t after = 0;
    *round = (struct sy_chaos_round){.fault = fault, .victims = draw_victims(chaos, fault)};
    if (fault == SY_CHAOS_OVERLOAD) SY_TRY(prepare_overload(chaos, &txs, err));
    SY_TRY(view_of(chaos, &view, err));
    uint64_t before = sy_network_highest(chaos->network, UINT_MAX);
    (void)sy_chaos_look(chaos, true);
    if (fault == SY_CHAOS_OVERLOAD) {
        SY_TRY(flood(chaos, round, txs, err));
        SY_TRY(await_recovery(chaos, everybody(chaos), before, err));
    } else {
        SY_TRY(hurt(chaos, round, before, err));
    }
    round->stall_ms = sy_chaos_look(chaos, false).stall_ns / 1000000;
    SY_TRY(view_of(chaos, &after, err));
    round->views = after > view ? after - view : 0;
    round->outside = count_outside(chaos, round->victims, after);
    if (fault == SY_CHAOS_OVERLOAD) chaos->overload.views += round->views;
    chaos->round_count++;
    tell(chaos, round);
    sy_chaos_sleep_ms(SETTLE_MS);
    return SY_OK;
}
