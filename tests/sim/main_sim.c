/* main_sim.c: systole-sim: many simulated worlds, and what they showed (sim.h says what is in one).
 *
 * Exit status 0: every check held in every world; 1: some did not; 2: usage. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/telemetry.h"
#include "tests/sim/report.h"

#define MINIMISE_RUNS_MAX 400u
#define MINIMISED_MAX 3u

static void usage(FILE *out)
{
    fprintf(out,
            "usage: systole-sim --seeds A..B [OPTION...]\n"
            "\n"
            "  --seeds A..B      the worlds to play\n"
            "  --validators N    4 to 7 in each; else every seed draws its own\n"
            "  --jobs J          processes at once (default: one a processor)\n"
            "  --set NAME=VALUE  changes an option of every world; --options lists them\n"
            "  --minimise        makes the first %u failing worlds smaller and prints them\n"
            "  --json            the report as one JSON object\n"
            "  --verbose         a line for each seed, to stderr\n"
            "  --options         what seed A draws, and the names that --set takes\n"
            "  --help            this text\n",
            MINIMISED_MAX);
}

struct request {
    struct sim_plan plan;
    bool json, minimise, options;
};

static bool parse_seeds(struct sim_plan *plan, const char *text)
{
    int used = 0;
    if (sscanf(text, "%" SCNu64 "..%" SCNu64 "%n", &plan->first, &plan->last, &used) != 2) {
        return false;
    }
    return text[used] == '\0' && plan->first <= plan->last;
}

static bool parse_number(unsigned *out, const char *text, unsigned least, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value < least || value > most) return false;
    *out = (unsigned)value;
    return true;
}

/* An option with a value. NULL: fine; else what is wrong with it. */
static const char *take_value(struct sim_plan *plan, const char *name, const char *value)
{
    if (strcmp(name, "--seeds") == 0) {
        return parse_seeds(plan, value) ? NULL : "wants A..B with A <= B, say 1..100";
    }
    if (strcmp(name, "--validators") == 0) {
        bool fine = parse_number(&plan->validators, value, SIM_VALIDATORS_MIN, SIM_VALIDATORS_MAX);
        return fine ? NULL : "wants a number from 4 to 7";
    }
    if (strcmp(name, "--jobs") == 0) {
        bool fine = parse_number(&plan->jobs, value, 1, SIM_JOBS_MAX);
        return fine ? NULL : "wants a number from 1 to 64";
    }
    if (strcmp(name, "--set") == 0) {
        struct sim_options scratch;
        sim_options_draw(&scratch, 0, SIM_VALIDATORS_MIN);
        if (!sim_options_set(&scratch, value)) return "wants NAME=VALUE; --options lists the names";
        if (scratch.validators < SIM_VALIDATORS_MIN || scratch.validators > SIM_VALIDATORS_MAX) {
            return "wants 4 to 7 validators";
        }
        if (scratch.epochs > SIM_EPOCHS_MAX) return "wants at most 3 changes of the roster";
        if (plan->set_count == SIM_SETS_MAX) return "is there too often";
        plan->sets[plan->set_count++] = value;
        return NULL;
    }
    return "is no option; try --help";
}

static bool take_flag(struct request *request, const char *name)
{
    if (strcmp(name, "--json") == 0) return request->json = true;
    if (strcmp(name, "--minimise") == 0) return request->minimise = true;
    if (strcmp(name, "--options") == 0) return request->options = true;
    if (strcmp(name, "--verbose") == 0) return request->plan.verbose = true;
    return false;
}

static bool parse(struct request *request, int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    request->plan.first = 1;
    request->plan.jobs = processors < 1 ? 1 : processors > 64 ? 64 : (unsigned)processors;
    for (int i = 1; i < argc; i++) {
        if (take_flag(request, argv[i])) continue;
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        const char *wrong = take_value(&request->plan, argv[i], value);
        if (wrong != NULL) {
            fprintf(stderr, "systole-sim: %s %s: %s\n", argv[i], value, wrong);
            return false;
        }
        i++;
    }
    if (request->plan.last != 0) return true;
    fprintf(stderr, "systole-sim: which seeds? Say --seeds A..B\n");
    return false;
}

/* More faults than a network can bear are no finding. */
static bool is_sound(const struct sim_plan *plan)
{
    for (uint64_t seed = plan->first; seed <= plan->last && seed >= plan->first; seed++) {
        struct sim_options options;
        (void)sim_plan_options(&options, plan, seed);
        const char *why = sim_options_refuse(&options);
        if (why == NULL) continue;
        fprintf(stderr, "systole-sim: seed %" PRIu64 ", %u validators: %s\n", seed,
                options.validators, why);
        return false;
    }
    return true;
}

static void print_options(const struct sim_plan *plan)
{
    struct sim_options options;
    (void)sim_plan_options(&options, plan, plan->first);
    for (size_t i = 0; i < sim_option_count(); i++) {
        printf("%s=%u\n", sim_option_name(i), *sim_option_value(&options, i));
    }
}

static void minimise(const struct sim_report *report)
{
    unsigned done = 0;
    for (uint64_t i = 0; i < report->seeds_failed && i < SIM_FAILURES_MAX; i++) {
        struct sim_options options = report->failures[i].options;
        struct sim_result result = {.failed = report->failures[i].check};
        char command[1024];
        if (result.failed == SIM_CHECK_NONE) continue; /* it would end this process, too */
        if (done++ == MINIMISED_MAX) return;
        unsigned runs = sim_minimise(&options, &result, MINIMISE_RUNS_MAX);
        sim_options_command(command, sizeof command, &options);
        fprintf(stderr, "seed %" PRIu64 " in %u runs: %s\n    %s\n", options.seed, runs,
                result.failure, command);
    }
}

int main(int argc, char **argv)
{
    static struct sim_report report;
    struct request request;
    struct sy_error err;
    memset(&request, 0, sizeof request);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (argc < 2 || !parse(&request, argc, argv)) {
        if (argc < 2) usage(stderr);
        return 2;
    }
    if (request.options) {
        print_options(&request.plan);
        return 0;
    }
    if (!is_sound(&request.plan)) return 2;
    /* Planted alarms are none of the operator's. */
    if (sy_log_open("/dev/null", SY_LOG_ERROR, &err) != SY_OK) return 2;
    sim_plan_run(&report, &request.plan);
    if (request.json) {
        sim_report_json(stdout, &report);
    } else {
        sim_report_print(stdout, &report);
    }
    if (request.minimise) minimise(&report);
    return report.seeds_failed == 0 ? 0 : 1;
}
