/* chaos_report.c: the figures of a run. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/chaos_internal.h"
#include "core/base/json.h"

struct summary {
    unsigned rounds;
    uint64_t recovery_ms_median;
    uint64_t recovery_ms_max;
    uint64_t stall_ms_max;
    uint64_t views;
    unsigned outside;
};

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static struct summary sum_up(const struct sy_chaos *chaos, unsigned fault)
{
    static uint64_t recoveries[SY_CHAOS_ROUNDS_MAX];
    struct summary summary = {0};
    for (unsigned i = 0; i < chaos->round_count; i++) {
        const struct sy_chaos_round *round = &chaos->rounds[i];
        if (round->fault != fault) continue;
        recoveries[summary.rounds++] = round->recovery_ms;
        if (round->stall_ms > summary.stall_ms_max) summary.stall_ms_max = round->stall_ms;
        summary.views += round->views;
        summary.outside += round->outside;
    }
    if (summary.rounds == 0) return summary;
    qsort(recoveries, summary.rounds, sizeof recoveries[0], compare);
    summary.recovery_ms_median = recoveries[(summary.rounds - 1) / 2];
    summary.recovery_ms_max = recoveries[summary.rounds - 1];
    return summary;
}

bool sy_chaos_holds(const struct sy_chaos *chaos)
{
    const struct sy_examination *found = &chaos->found;
    const struct sy_chaos_overload *overload = &chaos->overload;
    return found->lost == 0 && found->twice == 0 && found->audits_equal &&
           chaos->load.refused + overload->refused == 0 &&
           chaos->load.lost + overload->undecided == 0 && overload->views == 0;
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void put_faults(sy_json *json, const struct sy_chaos *chaos)
{
    sy_json_key(json, "faults");
    sy_json_array_begin(json);
    for (unsigned f = 0; f < SY_CHAOS_FAULTS; f++) {
        struct summary summary = sum_up(chaos, f);
        if (summary.rounds == 0) continue;
        sy_json_object_begin(json);
        sy_json_put_text(json, "fault", sy_chaos_kinds[f].name);
        sy_json_put_u64(json, "rounds", summary.rounds);
        sy_json_put_u64(json, "recovery_ms_median", summary.recovery_ms_median);
        sy_json_put_u64(json, "recovery_ms_max", summary.recovery_ms_max);
        sy_json_put_u64(json, "stall_ms_max", summary.stall_ms_max);
        sy_json_put_u64(json, "views", summary.views);
        sy_json_put_u64(json, "outside", summary.outside);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    sy_json_key(json, "left_out");
    sy_json_array_begin(json);
    for (unsigned f = 0; f < SY_CHAOS_FAULTS; f++) {
        if (chaos->left_out[f][0] == '\0') continue;
        sy_json_object_begin(json);
        sy_json_put_text(json, "fault", sy_chaos_kinds[f].name);
        sy_json_put_text(json, "why", chaos->left_out[f]);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

static void put_overload(sy_json *json, const struct sy_chaos_overload *overload)
{
    sy_json_key(json, "overload");
    sy_json_object_begin(json);
    sy_json_put_u64(json, "possible_per_s", (uint64_t)overload->possible_per_s);
    sy_json_put_u64(json, "offered_per_s", (uint64_t)overload->offered_per_s);
    sy_json_put_u64(json, "sent", overload->sent);
    sy_json_put_u64(json, "final", overload->final);
    sy_json_put_u64(json, "busy", overload->busy);
    sy_json_put_u64(json, "overload_views", overload->views);
    sy_json_object_end(json);
}

static void put_packets(sy_json *json, const struct sy_lan_counts *packets)
{
    sy_json_key(json, "packets");
    sy_json_object_begin(json);
    sy_json_put_u64(json, "passed", packets->passed);
    sy_json_put_u64(json, "delayed", packets->delayed);
    sy_json_put_u64(json, "lost", packets->lost);
    sy_json_put_u64(json, "cut", packets->cut);
    sy_json_object_end(json);
}

static void report_json(const struct sy_chaos *chaos)
{
    static char text[16384];
    sy_json json;
    sy_json_init_fixed(&json, text, sizeof text);
    sy_json_object_begin(&json);
    sy_json_put_u64(&json, "validators", chaos->options.validators);
    sy_json_put_u64(&json, "seconds", chaos->options.seconds);
    sy_json_put_u64(&json, "seed", chaos->options.seed);
    sy_json_put_u64(&json, "rate_per_s", chaos->options.rate);
    sy_json_put_u64(&json, "rounds_total", chaos->round_count);
    put_faults(&json, chaos);
    put_overload(&json, &chaos->overload);
    put_packets(&json, &chaos->packets);
    sy_json_put_u64(&json, "height", chaos->found.height);
    sy_json_put_u64(&json, "final", chaos->load.final + chaos->overload.final);
    sy_json_put_u64(&json, "refused", chaos->load.refused + chaos->overload.refused);
    sy_json_put_u64(&json, "undecided", chaos->load.lost + chaos->overload.undecided);
    sy_json_put_u64(&json, "lost", chaos->found.lost);
    sy_json_put_u64(&json, "twice", chaos->found.twice);
    sy_json_put_u64(&json, "audits", chaos->found.audits);
    sy_json_key(&json, "audits_equal");
    sy_json_bool(&json, chaos->found.audits_equal);
    sy_json_key(&json, "passed");
    sy_json_bool(&json, sy_chaos_holds(chaos));
    sy_json_object_end(&json);
    printf("%.*s\n", (int)json.size, json.data);
}

/* ---- the table --------------------------------------------------------------------------- */

static void print_faults(const struct sy_chaos *chaos)
{
    printf("%-10s %6s %16s %16s %14s %6s %8s\n", "fault", "rounds", "recovery median",
           "recovery max", "longest stall", "views", "outside");
    for (unsigned f = 0; f < SY_CHAOS_FAULTS; f++) {
        struct summary summary = sum_up(chaos, f);
        if (chaos->left_out[f][0] != '\0') {
            printf("%-10s left out: %s\n", sy_chaos_kinds[f].name, chaos->left_out[f]);
        }
        if (summary.rounds == 0) continue;
        printf("%-10s %6u %13llu ms %13llu ms %11llu ms %6llu %8u\n", sy_chaos_kinds[f].name,
               summary.rounds, (unsigned long long)summary.recovery_ms_median,
               (unsigned long long)summary.recovery_ms_max,
               (unsigned long long)summary.stall_ms_max, (unsigned long long)summary.views,
               summary.outside);
    }
}

static void report_table(const struct sy_chaos *chaos)
{
    const struct sy_chaos_overload *overload = &chaos->overload;
    print_faults(chaos);
    printf("\nvalidators, seed        %u, %llu\n", chaos->options.validators,
           (unsigned long long)chaos->options.seed);
    printf("offered per second      %u; overload %.0f, possible %.0f\n", chaos->options.rate,
           overload->offered_per_s, overload->possible_per_s);
    printf("height                  %llu\n", (unsigned long long)chaos->found.height);
    printf("final                   %llu\n",
           (unsigned long long)chaos->load.final + overload->final);
    printf("refused, undecided      %llu, %llu\n",
           (unsigned long long)chaos->load.refused + overload->refused,
           (unsigned long long)chaos->load.lost + overload->undecided);
    printf("lost, twice             %llu, %llu\n", (unsigned long long)chaos->found.lost,
           (unsigned long long)chaos->found.twice);
    printf("views from overload     %llu\n", (unsigned long long)overload->views);
    printf("audits equal            %s, %u of them\n", chaos->found.audits_equal ? "yes" : "no",
           chaos->found.audits);
    printf("%s\n", sy_chaos_holds(chaos) ? "passed" : "FAILED");
}

void sy_chaos_report(const struct sy_chaos *chaos)
{
    if (chaos->options.json) {
        report_json(chaos);
    } else {
        report_table(chaos);
    }
}
