/* chaos_fault.c: what each fault does to one validator. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "bench/chaos_internal.h"
#include "bench/sandbox.h"
#include "core/base/os.h"

#define SPARE_BYTES ((size_t)1 << 20) /* what is left on a disk that will be full */
#define HOUR_MS (3600ll * 1000)
#define YEAR_MS (365ll * 24 * HOUR_MS)

static void data_path(const struct sy_chaos *chaos, char out[600], unsigned validator)
{
    snprintf(out, 600, "%s/v%u/data", sy_network_dir(chaos->network), validator);
}

/* ---- processes --------------------------------------------------------------------------- */

static sy_status kill_validator(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    int code;
    (void)err;
    sy_network_kill(chaos->network, victim, SIGKILL, &code);
    return SY_OK;
}

static sy_status start_validator(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    return sy_network_start(chaos->network, victim, err);
}

static sy_status freeze(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    (void)err;
    (void)kill(sy_network_pid(chaos->network, victim), SIGSTOP);
    return SY_OK;
}

static sy_status thaw(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    (void)err;
    (void)kill(sy_network_pid(chaos->network, victim), SIGCONT);
    return SY_OK;
}

/* ---- the network ------------------------------------------------------------------------- */

/* Sets what comes in to a validator and what goes out of it; with clients: theirs, too. */
static void set_ways(struct sy_chaos *chaos, unsigned victim, const struct sy_lan_way *in,
                     const struct sy_lan_way *out, bool clients)
{
    unsigned hosts = chaos->options.validators + clients;
    for (unsigned i = 0; i < hosts; i++) {
        if (i == victim) continue;
        sy_lan_set(chaos->lan, i, victim, in);
        sy_lan_set(chaos->lan, victim, i, out);
    }
}

static sy_status heal(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    static const struct sy_lan_way good;
    (void)err;
    set_ways(chaos, victim, &good, &good, true);
    return SY_OK;
}

static sy_status cut(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    static const struct sy_lan_way none = {.cut = true};
    (void)err;
    set_ways(chaos, victim, &none, &none, false);
    return SY_OK;
}

static sy_status cut_one_way(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    static const struct sy_lan_way good;
    static const struct sy_lan_way none = {.cut = true};
    bool deaf = sy_prng_chance(&chaos->prng, 1, 2);
    (void)err;
    set_ways(chaos, victim, deaf ? &none : &good, deaf ? &good : &none, false);
    return SY_OK;
}

static sy_status lose(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    struct sy_lan_way way = {.lost_per_mille = 50 + (uint32_t)sy_prng_below(&chaos->prng, 351)};
    (void)err;
    set_ways(chaos, victim, &way, &way, true);
    return SY_OK;
}

static sy_status delay(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    uint32_t ms = 20 + (uint32_t)sy_prng_below(&chaos->prng, 281);
    struct sy_lan_way way = {.delay_ms = ms, .jitter_ms = ms};
    (void)err;
    set_ways(chaos, victim, &way, &way, true);
    return SY_OK;
}

/* ---- disks ------------------------------------------------------------------------------- */

sy_status sy_chaos_end_by_itself(struct sy_chaos *chaos, unsigned validator, const char *why,
                                 struct sy_error *err)
{
    uint64_t deadline_ns = sy_os_monotonic_ns() + SY_CHAOS_PATIENCE_MS * 1000000ull;
    int code = 0;
    while (!sy_network_ended(chaos->network, validator, &code)) {
        if (sy_os_monotonic_ns() > deadline_ns) {
            return sy_fail(err, SY_ERR_TIMEOUT, "validator %u still runs %u s after %s", validator,
                           SY_CHAOS_PATIENCE_MS / 1000, why);
        }
        sy_chaos_sleep_ms(10);
    }
    if (WIFEXITED(code) && WEXITSTATUS(code) == 1) return SY_OK;
    return sy_fail(err, SY_ERR_CLOSED, "validator %u ended with %s %d after %s: see %s/v%u/output",
                   validator, WIFEXITED(code) ? "exit code" : "signal",
                   WIFEXITED(code) ? WEXITSTATUS(code) : WTERMSIG(code), why,
                   sy_network_dir(chaos->network), validator);
}

/* Its store comes to lie on a disk that has only little room left, which the next blocks take. */
static sy_status fill_disk(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    char path[600];
    data_path(chaos, path, victim);
    SY_TRY(kill_validator(chaos, victim, err));
    SY_TRY(sy_sandbox_shrink(path, SPARE_BYTES, err));
    SY_TRY(start_validator(chaos, victim, err));
    return sy_chaos_end_by_itself(chaos, victim, "its disk had no more room", err);
}

static sy_status make_room(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    char path[600];
    data_path(chaos, path, victim);
    SY_TRY(sy_sandbox_restore(path, err));
    return start_validator(chaos, victim, err);
}

static sy_status await_halted(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    uint64_t deadline_ns = sy_os_monotonic_ns() + SY_CHAOS_PATIENCE_MS * 1000000ull;
    while (!sy_network_state_is(chaos->network, victim, "halted")) {
        if (sy_os_monotonic_ns() > deadline_ns) {
            return sy_fail(err, SY_ERR_TIMEOUT,
                           "validator %u, without its store and started with --init, has not "
                           "halted after %u s: it may vote under its old key",
                           victim, SY_CHAOS_PATIENCE_MS / 1000);
        }
        sy_chaos_sleep_ms(20);
    }
    return SY_OK;
}

/* Without its store a validator must refuse to run; with a new one, made against all advice, it
 * must halt. Either way it stays out. */
static sy_status wipe(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    char path[600];
    data_path(chaos, path, victim);
    SY_TRY(kill_validator(chaos, victim, err));
    SY_TRY(sy_os_remove_tree(path, err));
    SY_TRY(start_validator(chaos, victim, err));
    SY_TRY(sy_chaos_end_by_itself(chaos, victim, "its store was gone", err));
    SY_TRY(sy_network_start_new(chaos->network, victim, err));
    SY_TRY(await_halted(chaos, victim, err));
    return kill_validator(chaos, victim, err);
}

static sy_status leave_out(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    (void)err;
    chaos->gone |= 1ull << victim;
    return SY_OK;
}

/* ---- clocks ------------------------------------------------------------------------------ */

static sy_status jump(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    static const int64_t jumps[] = {30000, -30000, HOUR_MS, -HOUR_MS, 10 * YEAR_MS, -10 * YEAR_MS};
    (void)err;
    sy_clocks_set(chaos->clocks, victim,
                  jumps[sy_prng_below(&chaos->prng, sizeof jumps / sizeof jumps[0])]);
    return SY_OK;
}

static sy_status set_right(struct sy_chaos *chaos, unsigned victim, struct sy_error *err)
{
    (void)err;
    sy_clocks_set(chaos->clocks, victim, 0);
    return SY_OK;
}

const struct sy_chaos_kind sy_chaos_kinds[SY_CHAOS_FAULTS] = {
    [SY_CHAOS_KILL] = {"kill", "kill -9, later started again", kill_validator, start_validator},
    [SY_CHAOS_STOP] = {"stop", "SIGSTOP, later SIGCONT", freeze, thaw},
    [SY_CHAOS_CUT] = {"cut", "cut off from every other validator", cut, heal},
    [SY_CHAOS_ONE_WAY] = {"one-way", "hears nobody, or nobody hears it", cut_one_way, heal},
    [SY_CHAOS_LOSS] = {"loss", "5 to 40 % of its packets are lost, both ways", lose, heal},
    [SY_CHAOS_DELAY] = {"delay", "its packets take 20 to 600 ms more, both ways", delay, heal},
    [SY_CHAOS_DISK] = {"disk", "its disk is full, later there is room", fill_disk, make_room},
    [SY_CHAOS_CLOCK] = {"clock", "30 s, 1 h or 10 years off, later right again", jump, set_right},
    [SY_CHAOS_OVERLOAD] = {"overload", "4 times what is possible is asked for; nobody is hurt",
                           NULL, NULL},
    [SY_CHAOS_EVERYBODY] = {"everybody", "kill -9 of all at once, then all start", kill_validator,
                            start_validator},
    [SY_CHAOS_WIPE] = {"wipe", "loses its store and must stay out", wipe, leave_out},
};
