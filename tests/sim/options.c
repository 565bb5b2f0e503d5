/* options.c: see options.h. */
#include "tests/sim/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/roster.h"

static const struct option {
    const char *name;
    size_t offset;
    enum sim_shrink shrink;
} table[] = {
#define OPTION(name, shrink)                                           \
    {                                                                  \
#name, offsetof(struct sim_options, name), SIM_SHRINK_##shrink \
    }
    OPTION(liars, HALVE),         OPTION(lies, BITS),
    OPTION(faults_ms, HALVE),     OPTION(records, HALVE),
    OPTION(rubbish, HALVE),       OPTION(crashes, HALVE),
    OPTION(power_cuts, HALVE),    OPTION(write_failures, HALVE),
    OPTION(away_ms, HALVE),       OPTION(cuts, HALVE),
    OPTION(splits, HALVE),        OPTION(loss_permille, HALVE),
    OPTION(copy_permille, HALVE), OPTION(garble_permille, HALVE),
    OPTION(bad_clock, HALVE),     OPTION(slow_disk, HALVE),
    OPTION(bad_primary, HALVE),   OPTION(delay_us, HALVE),
    OPTION(added, HALVE),         OPTION(removed, HALVE),
    OPTION(epochs, HALVE),        OPTION(disk_us, HALVE),
    OPTION(batch_txs_max, NOT),   OPTION(pipeline_slots, NOT),
    OPTION(lanes, NOT),           OPTION(late, HALVE),
    OPTION(history_blocks, NOT),  OPTION(snapshot_blocks, NOT),
    OPTION(real_signatures, NOT), OPTION(plant, NOT),
    OPTION(validators, NOT),      OPTION(check_us, NOT),
#undef OPTION
};

size_t sim_option_count(void)
{
    return sizeof table / sizeof table[0];
}

const char *sim_option_name(size_t index)
{
    return table[index].name;
}

enum sim_shrink sim_option_shrink(size_t index)
{
    return table[index].shrink;
}

unsigned *sim_option_value(struct sim_options *options, size_t index)
{
    return (unsigned *)(void *)((char *)options + table[index].offset);
}

bool sim_options_set(struct sim_options *options, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals[1] < '0' || equals[1] > '9') return false;
    char *end;
    unsigned long value = strtoul(equals + 1, &end, 10);
    if (*end != '\0' || value > 100000000u) return false;
    for (size_t i = 0; i < sim_option_count(); i++) {
        size_t length = strlen(table[i].name);
        if (length != (size_t)(equals - text) || memcmp(table[i].name, text, length) != 0) continue;
        *sim_option_value(options, i) = (unsigned)value;
        return true;
    }
    return false;
}

/* The first liar's, or where nobody lies perhaps those of f (sim_clock_is_off). */
static unsigned wrong_clocks(const struct sim_options *options)
{
    if (options->bad_clock == 0) return 0;
    bool most = options->bad_clock == 3 && options->liars == 0;
    return most ? sy_faulty_max(options->validators) : 1;
}

const char *sim_options_refuse(const struct sim_options *options)
{
    unsigned n = options->validators;
    if (options->plant != SIM_PLANT_NONE) return NULL;
    if (options->liars > sy_faulty_max(n)) {
        return "more liars than the f validators that may be faulty, 1 of 4 to 6 and 2 of 7: set "
               "fewer liars";
    }
    bool waits = options->late > 0 && options->epochs > 0 && options->bad_clock > 0;
    if (!waits || n - 1 - wrong_clocks(options) >= sy_quorum(n)) return NULL;
    return "who begins late and who has a wrong clock are together more than a change of the "
           "roster can do without: set late=0 or bad_clock=0, or epochs=0";
}

void sim_options_command(char *out, size_t out_size, const struct sim_options *options)
{
    struct sim_options drawn, own = *options;
    sim_options_draw(&drawn, options->seed, options->validators);
    int used = snprintf(out, out_size, "systole-sim --seeds %llu..%llu --validators %u",
                        (unsigned long long)options->seed, (unsigned long long)options->seed,
                        options->validators);
    for (size_t i = 0; i < sim_option_count() && (size_t)used < out_size; i++) {
        unsigned value = *sim_option_value(&own, i);
        if (value == *sim_option_value(&drawn, i)) continue;
        used += snprintf(out + used, out_size - (size_t)used, " --set %s=%u", table[i].name, value);
    }
}

/* ---- the minimiser ----------------------------------------------------------------------- */

struct shrinking {
    struct sim_options *options;
    struct sim_result *result;
    unsigned runs, runs_max;
};

static bool still_fails(struct shrinking *shrinking, const struct sim_options *smaller)
{
    static struct sim_result result;
    if (shrinking->runs >= shrinking->runs_max) return false;
    shrinking->runs++;
    sim_run(&result, smaller);
    if (result.failed != shrinking->result->failed) return false;
    *shrinking->options = *smaller;
    *shrinking->result = result;
    return true;
}

/* To nothing if that will do, else by halves. */
static bool halve(struct shrinking *shrinking, size_t index)
{
    bool smaller = false;
    struct sim_options next = *shrinking->options;
    unsigned value = *sim_option_value(&next, index);
    if (value == 0) return false;
    *sim_option_value(&next, index) = 0;
    if (still_fails(shrinking, &next)) return true;
    for (value /= 2; value > 0; value /= 2, smaller = true) {
        *sim_option_value(&next, index) = value;
        if (!still_fails(shrinking, &next)) break;
    }
    return smaller;
}

static bool drop_bits(struct shrinking *shrinking, size_t index)
{
    bool smaller = false;
    for (unsigned bit = 1; bit != 0; bit <<= 1) {
        struct sim_options next = *shrinking->options;
        if ((*sim_option_value(&next, index) & bit) == 0) continue;
        *sim_option_value(&next, index) &= ~bit;
        if (still_fails(shrinking, &next)) smaller = true;
    }
    return smaller;
}

unsigned sim_minimise(struct sim_options *options, struct sim_result *result, unsigned runs_max)
{
    struct shrinking shrinking = {options, result, 0, runs_max};
    for (bool smaller = true; smaller && shrinking.runs < runs_max;) {
        smaller = false;
        for (size_t i = 0; i < sim_option_count(); i++) {
            if (table[i].shrink == SIM_SHRINK_HALVE && halve(&shrinking, i)) smaller = true;
            if (table[i].shrink == SIM_SHRINK_BITS && drop_bits(&shrinking, i)) smaller = true;
        }
    }
    return shrinking.runs;
}
