/* report.c: see report.h. */
#include "tests/sim/report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/telemetry.h"

bool sim_plan_options(struct sim_options *options, const struct sim_plan *plan, uint64_t seed)
{
    sim_options_draw(options, seed, plan->validators);
    for (unsigned i = 0; i < plan->set_count; i++) {
        if (!sim_options_set(options, plan->sets[i])) return false;
    }
    return true;
}

/* ---- summing up -------------------------------------------------------------------------- */

static void add_failure(struct sim_report *report, const struct sim_options *options,
                        enum sim_check check, const char *text)
{
    uint64_t place = report->seeds_failed++;
    if (place >= SIM_FAILURES_MAX) return;
    while (place > 0 && report->failures[place - 1].options.seed > options->seed) {
        report->failures[place] = report->failures[place - 1];
        place--;
    }
    struct sim_failure *failure = &report->failures[place];
    failure->options = *options;
    failure->check = check;
    (void)snprintf(failure->text, sizeof failure->text, "%s", text);
}

static void keep_most(uint64_t *most, uint64_t value)
{
    if (value > *most) *most = value;
}

static void add_result(struct sim_report *report, const struct sim_options *options,
                       const struct sim_result *result)
{
    report->seeds++;
    report->slots += result->heights;
    report->txs += result->txs;
    report->applied += result->applied;
    report->frames += result->frames;
    report->events += result->events;
    report->view_changes += result->view_changes;
    keep_most(&report->view_max, result->view);
    report->with_liars += options->liars > 0;
    report->real_signatures += options->real_signatures != 0;
    report->cpu_us += result->cpu_us;
    if (result->cpu_us > report->cpu_us_max) {
        report->cpu_us_max = result->cpu_us;
        report->cpu_us_max_seed = options->seed;
    }
    if (options->liars == 0 && result->failed == SIM_CHECK_NONE) {
        keep_most(&report->settled_ms_max, result->settled_ms);
        keep_most(&report->lonely_ms_max, result->lonely_ms);
    } else if (result->failed == SIM_CHECK_NONE) {
        keep_most(&report->settled_among_liars_ms_max, result->settled_ms);
        keep_most(&report->lonely_among_liars_ms_max, result->lonely_ms);
    }
    for (int i = 0; i < SIM_FAULT_COUNT; i++) report->faults[i] += result->faults[i];
    for (int i = 0; i < SIM_BRANCH_COUNT; i++) report->branches[i] += result->branches[i];
    if (result->failed == SIM_CHECK_NONE) return;
    add_failure(report, options, result->failed, result->failure);
}

/* ---- the processes ----------------------------------------------------------------------- */

/* What a process tells of a seed; below PIPE_BUF, so that tellings do not mix. */
struct told {
    struct sim_options options;
    struct sim_result result;
};
_Static_assert(sizeof(struct told) <= 4096, "written to a pipe at once");

struct worker {
    pid_t pid;
    int words;                 /* a file in memory: what the process wrote to stderr */
    struct progress *progress; /* shared with the process */
};

struct progress {
    uint64_t seed; /* being played */
    bool over;     /* the last one was */
};

static bool next_seed(const struct sim_plan *plan, uint64_t *seed)
{
    if (plan->last - *seed < plan->jobs) return false;
    *seed += plan->jobs;
    return true;
}

__attribute__((noreturn)) static void work(const struct sim_plan *plan, struct worker *worker,
                                           int out)
{
    static struct told told;
    struct sy_error err;
    struct progress *progress = worker->progress;
    if (dup2(worker->words, STDERR_FILENO) < 0) _exit(2);
    if (sy_log_open("/dev/null", SY_LOG_ERROR, &err) != SY_OK) _exit(2);
    do {
        bool set = sim_plan_options(&told.options, plan, progress->seed);
        SY_ASSERT(set);
        sim_run(&told.result, &told.options);
        if (write(out, &told, sizeof told) != (ssize_t)sizeof told) _exit(2);
    } while (next_seed(plan, &progress->seed));
    progress->over = true;
    exit(0); /* not _exit: a build that measures coverage writes its counts now */
}

static void start(const struct sim_plan *plan, struct worker *worker, int in, int out)
{
    fflush(NULL);
    worker->words = memfd_create("words", MFD_CLOEXEC);
    SY_ASSERT(worker->words >= 0);
    worker->pid = fork();
    SY_ASSERT(worker->pid >= 0);
    if (worker->pid > 0) return;
    close(in);
    work(plan, worker, out);
}

/* The last of what a process had to say, on one line. */
static void last_words(char *out, size_t out_size, int words)
{
    off_t end = lseek(words, 0, SEEK_END);
    off_t start = end < (off_t)out_size ? 0 : end - (off_t)out_size + 1;
    ssize_t got = end > 0 ? pread(words, out, out_size - 1, start) : 0;
    if (got < 0) got = 0;
    while (got > 0 && out[got - 1] == '\n') got--;
    out[got] = '\0';
    for (char *c = out; *c != '\0'; c++) {
        if (*c == '\n') *c = ' ';
    }
}

/* A process has ended: by itself, or in the middle of a seed, which then failed. */
static void bury(struct sim_report *report, const struct sim_plan *plan, struct worker *worker)
{
    int how = 0;
    struct sim_options options;
    char words[256], text[400];
    pid_t pid = waitpid(worker->pid, &how, 0);
    SY_ASSERT(pid == worker->pid);
    worker->pid = 0;
    last_words(words, sizeof words, worker->words);
    close(worker->words);
    if (worker->progress->over) return;
    (void)sim_plan_options(&options, plan, worker->progress->seed);
    (void)snprintf(text, sizeof text, "the process ended with %s %d: %s",
                   WIFSIGNALED(how) ? "signal" : "status",
                   WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how), words);
    report->seeds++;
    add_failure(report, &options, SIM_CHECK_NONE, text);
    if (!next_seed(plan, &worker->progress->seed)) worker->progress->over = true;
}

static bool read_told(struct told *told, int in)
{
    size_t got = 0;
    while (got < sizeof *told) {
        ssize_t more = read(in, (char *)told + got, sizeof *told - got);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return false;
        got += (size_t)more;
    }
    return true;
}

/* Reads until the last process has ended. */
static void drain(struct sim_report *report, const struct sim_plan *plan, int in)
{
    static struct told told;
    while (read_told(&told, in)) {
        add_result(report, &told.options, &told.result);
        if (!plan->verbose) continue;
        fprintf(stderr, "seed %" PRIu64 " n %u: %s; %" PRIu64 " slots, %" PRIu64 " ms CPU\n",
                told.options.seed, told.options.validators,
                told.result.failed == SIM_CHECK_NONE ? "clean" : told.result.failure,
                told.result.heights, told.result.cpu_us / 1000);
    }
}

/* A round: every worker that is not over runs until it is, or dies. Those that died go on with
 * their next seed in the next round. */
static bool play_round(struct sim_report *report, const struct sim_plan *plan,
                       struct worker *workers)
{
    int ends[2];
    bool any = false;
    int failed = pipe(ends);
    SY_ASSERT(!failed);
    for (unsigned i = 0; i < plan->jobs; i++) {
        if (workers[i].progress->over) continue;
        start(plan, &workers[i], ends[0], ends[1]);
        any = true;
    }
    close(ends[1]);
    drain(report, plan, ends[0]);
    close(ends[0]);
    for (unsigned i = 0; i < plan->jobs; i++) {
        if (workers[i].pid > 0) bury(report, plan, &workers[i]);
    }
    return any;
}

void sim_plan_run(struct sim_report *report, const struct sim_plan *plan)
{
    SY_ASSERT(plan->first <= plan->last && plan->jobs >= 1 && plan->jobs <= SIM_JOBS_MAX);
    static struct worker workers[SIM_JOBS_MAX];
    size_t bytes = plan->jobs * sizeof(struct progress);
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SY_ASSERT(shared != MAP_FAILED);
    memset(report, 0, sizeof *report);
    for (unsigned i = 0; i < plan->jobs; i++) {
        workers[i] = (struct worker){.progress = (struct progress *)shared + i};
        workers[i].progress->over = plan->last - plan->first < i;
        workers[i].progress->seed = plan->first + i;
    }
    while (play_round(report, plan, workers)) {}
    int failed = munmap(shared, bytes);
    SY_ASSERT(!failed);
}

/* ---- telling ----------------------------------------------------------------------------- */

static double seconds(uint64_t us)
{
    return (double)us / 1e6;
}

static uint64_t failures_kept(const struct sim_report *report)
{
    return report->seeds_failed < SIM_FAILURES_MAX ? report->seeds_failed : SIM_FAILURES_MAX;
}

static void print_failures(FILE *out, const struct sim_report *report)
{
    for (uint64_t i = 0; i < failures_kept(report); i++) {
        char command[1024];
        const struct sim_failure *failure = &report->failures[i];
        sim_options_command(command, sizeof command, &failure->options);
        fprintf(out, "FAILED seed %" PRIu64 ": %s\n    %s\n", failure->options.seed, failure->text,
                command);
    }
}

void sim_report_print(FILE *out, const struct sim_report *report)
{
    uint64_t seeds = report->seeds == 0 ? 1 : report->seeds;
    print_failures(out, report);
    fprintf(out,
            "seeds run          %" PRIu64 " (%" PRIu64 " with liars, %" PRIu64 " with Ed25519)\n",
            report->seeds, report->with_liars, report->real_signatures);
    fprintf(out, "seeds failed       %" PRIu64 "\n", report->seeds_failed);
    fprintf(out,
            "view changes       %" PRIu64 " by single validators; the highest view is %" PRIu64
            "\n",
            report->view_changes, report->view_max);
    fprintf(out, "slots              %" PRIu64 "\n", report->slots);
    fprintf(out, "transactions       %" PRIu64 " ordered, %" PRIu64 " applied\n", report->txs,
            report->applied);
    fprintf(out, "frames, events     %" PRIu64 ", %" PRIu64 "\n", report->frames, report->events);
    fprintf(out, "settled within     %" PRIu64 " ms, a lonely transaction within %" PRIu64 " ms\n",
            report->settled_ms_max, report->lonely_ms_max);
    fprintf(out, "   among liars     %" PRIu64 " ms, %" PRIu64 " ms\n",
            report->settled_among_liars_ms_max, report->lonely_among_liars_ms_max);
    fprintf(out, "CPU-s a seed       %.3f mean, %.3f most (seed %" PRIu64 "), %.1f in all\n",
            seconds(report->cpu_us) / (double)seeds, seconds(report->cpu_us_max),
            report->cpu_us_max_seed, seconds(report->cpu_us));
    fprintf(out, "faults\n");
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        fprintf(out, "  %-22s %12" PRIu64 "\n", sim_fault_name((enum sim_fault)i),
                report->faults[i]);
    }
    fprintf(out, "branches\n");
    for (int i = 0; i < SIM_BRANCH_COUNT; i++) {
        fprintf(out, "  %-22s %12" PRIu64 "%s\n", sim_branch_name((enum sim_branch)i),
                report->branches[i], report->branches[i] == 0 ? "  NEVER TAKEN" : "");
    }
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *failures_json(const struct sim_report *report)
{
    json_t *list = json_array();
    for (uint64_t i = 0; i < failures_kept(report); i++) {
        char command[1024];
        const struct sim_failure *failure = &report->failures[i];
        sim_options_command(command, sizeof command, &failure->options);
        json_t *one = json_object();
        json_object_set_new(one, "seed", number(failure->options.seed));
        json_object_set_new(one, "check", json_string(sim_check_name(failure->check)));
        json_object_set_new(one, "saw", json_string(failure->text));
        json_object_set_new(one, "command", json_string(command));
        json_array_append_new(list, one);
    }
    return list;
}

void sim_report_json(FILE *out, const struct sim_report *report)
{
    json_t *root = json_object();
    json_t *faults = json_object();
    json_t *branches = json_object();
    SY_ASSERT(root != NULL && faults != NULL && branches != NULL);
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        json_object_set_new(faults, sim_fault_name((enum sim_fault)i), number(report->faults[i]));
    }
    for (int i = 0; i < SIM_BRANCH_COUNT; i++) {
        json_object_set_new(branches, sim_branch_name((enum sim_branch)i),
                            number(report->branches[i]));
    }
    json_object_set_new(root, "seeds_run", number(report->seeds));
    json_object_set_new(root, "seeds_failed", number(report->seeds_failed));
    json_object_set_new(root, "seeds_with_liars", number(report->with_liars));
    json_object_set_new(root, "seeds_with_ed25519", number(report->real_signatures));
    json_object_set_new(root, "view_changes", number(report->view_changes));
    json_object_set_new(root, "slots", number(report->slots));
    json_object_set_new(root, "txs_ordered", number(report->txs));
    json_object_set_new(root, "txs_applied", number(report->applied));
    json_object_set_new(root, "frames", number(report->frames));
    json_object_set_new(root, "events", number(report->events));
    json_object_set_new(root, "settled_ms_max", number(report->settled_ms_max));
    json_object_set_new(root, "lonely_ms_max", number(report->lonely_ms_max));
    json_object_set_new(root, "settled_among_liars_ms_max",
                        number(report->settled_among_liars_ms_max));
    json_object_set_new(root, "lonely_among_liars_ms_max",
                        number(report->lonely_among_liars_ms_max));
    json_object_set_new(root, "view_max", number(report->view_max));
    json_object_set_new(root, "cpu_us", number(report->cpu_us));
    json_object_set_new(root, "cpu_us_max", number(report->cpu_us_max));
    json_object_set_new(root, "faults", faults);
    json_object_set_new(root, "branches", branches);
    json_object_set_new(root, "failures", failures_json(report));
    (void)json_dumpf(root, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(root);
}
