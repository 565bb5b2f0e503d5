/* demo.c: what `./run demo` does.
 *
 *   1  a network of real systoled processes in a fresh folder
 *   2  `systole submit` streams the given FHIR data into it
 *   3  a story (bench/story.sh) is played on it
 *   4  the network is stopped
 *   5  every validator's `systole audit` replays its store from genesis, in a fresh process
 *   6  `systole verify --store` checks every kept proof with only the genesis file
 *   7  a table; exit 0 only if all of it holds
 *
 * Everything the table says comes out of those processes' own JSON. */
#include "bench/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "bench/network.h"
#include "core/base/os.h"

static const char usage[] =
    "usage: systole-bench demo [--validators N] [--story PROGRAM] [--report FILE] [--keep]\n"
    "                          [--dir DIR] [PATH...]\n"
    "\n"
    "  PATH             files or folders of FHIR R4 JSON Bundles or NDJSON\n"
    "  --sample DIR     what to stream when no PATH is given\n"
    "  --validators N   systoled processes, 4 to 100 (4)\n"
    "  --story PROGRAM  what to run with the network's folder, behind the stream\n"
    "  --report FILE    write the figures as JSON\n"
    "  --keep           start the network again after the checks and leave it up\n"
    "  --dir DIR        folder of the network; must not exist (a fresh one under TMPDIR)\n";

#define WORDS_MAX 512

struct demo {
    unsigned validators;
    const char *story;
    const char *report;
    bool keep;
    char dir[256];
    char bin[PATH_MAX];
    char *sample[1];
    char **paths;
    int path_count;
    sy_network *network;
    json_t *submitted; /* the report of `systole submit` */
    json_int_t proofs;
    bool roots_equal;
    char root[65];
    uint64_t audited; /* validators whose audit held */
};

/* ---- other processes --------------------------------------------------------------------- */

/* Runs a program; its stdout goes to `output` when given. Gives the exit code, or -1. */
static int run_program(char *const argv[], const char *output)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (output != NULL) {
            int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) _exit(126);
        }
        execv(argv[0], argv);
        _exit(127);
    }
    int code;
    if (pid < 0 || waitpid(pid, &code, 0) != pid || !WIFEXITED(code)) return -1;
    return WEXITSTATUS(code);
}

static json_t *load_object(const char *path)
{
    json_t *json = json_load_file(path, 0, NULL);
    if (json_is_object(json)) return json;
    json_decref(json);
    return NULL;
}

static json_int_t figure(const struct demo *demo, const char *name)
{
    return json_integer_value(json_object_get(demo->submitted, name));
}

static void program_path(char out[PATH_MAX + 16], const struct demo *demo)
{
    snprintf(out, PATH_MAX + 16, "%s/systole", demo->bin);
}

/* ---- the steps --------------------------------------------------------------------------- */

static sy_status stream(struct demo *demo, struct sy_error *err)
{
    char program[PATH_MAX + 16];
    char report[300];
    char *argv[WORDS_MAX + 8] = {program, "submit", "--net", demo->dir, "--report", report, "--"};
    int count = 7;
    program_path(program, demo);
    snprintf(report, sizeof report, "%s/submit.json", demo->dir);
    for (int i = 0; i < demo->path_count && i < WORDS_MAX; i++) argv[count++] = demo->paths[i];
    argv[count] = NULL;
    int code = run_program(argv, NULL);
    demo->submitted = load_object(report);
    if (demo->submitted == NULL) {
        return sy_fail(err, SY_ERR_IO, "`systole submit` ended with %d and left no report", code);
    }
    if (code != 0) {
        return sy_fail(err, SY_ERR_IO, "`systole submit` ended with %d; see the lines above", code);
    }
    return SY_OK;
}

/* The story finds this build's programs first. */
static sy_status tell_story(struct demo *demo, struct sy_error *err)
{
    char story[PATH_MAX];
    char path[2 * PATH_MAX];
    const char *others = getenv("PATH");
    int size = snprintf(path, sizeof path, "%s:%s", demo->bin, others ? others : "/usr/bin:/bin");
    snprintf(story, sizeof story, "%s", demo->story);
    if (size >= (int)sizeof path || setenv("PATH", path, 1) != 0) {
        return sy_fail(err, SY_ERR_LIMIT, "PATH is too long");
    }
    char *argv[] = {story, demo->dir, NULL};
    int code = run_program(argv, NULL);
    if (code == 0) return SY_OK;
    return sy_fail(err, SY_ERR_IO, "%s ended with %d; see the lines above", story, code);
}

static sy_status audit_one(struct demo *demo, unsigned validator, char root[65],
                           struct sy_error *err)
{
    char program[PATH_MAX + 16];
    char folder[300];
    char output[320];
    program_path(program, demo);
    snprintf(folder, sizeof folder, "%s/v%u", demo->dir, validator);
    snprintf(output, sizeof output, "%s/audit.json", folder);
    char *argv[] = {program, "audit", "--json", folder, NULL};
    int code = run_program(argv, output);
    json_t *json = load_object(output);
    const char *text = json_string_value(json_object_get(json, "state_root"));
    bool fine = code == 0 && text != NULL && strlen(text) == 64;
    if (fine) memcpy(root, text, 65);
    json_decref(json);
    if (fine) return SY_OK;
    return sy_fail(err, SY_ERR_CORRUPT, "the audit of validator %u ended with %d: see %s",
                   validator, code, output);
}

static sy_status audit_all(struct demo *demo, struct sy_error *err)
{
    demo->roots_equal = true;
    for (unsigned i = 0; i < demo->validators; i++) {
        char root[65];
        fprintf(stderr, "auditing validator %u of %u\n", i + 1, demo->validators);
        SY_TRY(audit_one(demo, i, root, err));
        demo->audited++;
        if (i == 0) memcpy(demo->root, root, sizeof demo->root);
        demo->roots_equal = demo->roots_equal && strcmp(root, demo->root) == 0;
    }
    if (demo->roots_equal) return SY_OK;
    return sy_fail(err, SY_ERR_CORRUPT, "the validators' state roots differ: see the audits in %s",
                   demo->dir);
}

static sy_status verify_all(struct demo *demo, struct sy_error *err)
{
    char program[PATH_MAX + 16];
    char store[300];
    char genesis[300];
    char output[300];
    program_path(program, demo);
    snprintf(store, sizeof store, "%s/client", demo->dir);
    snprintf(genesis, sizeof genesis, "%s/genesis.json", demo->dir);
    snprintf(output, sizeof output, "%s/verify.json", demo->dir);
    fprintf(stderr, "verifying every proof\n");
    char *argv[] = {program, "verify", "--json", "--genesis", genesis, "--store", store, NULL};
    int code = run_program(argv, output);
    json_t *json = load_object(output);
    demo->proofs = json_integer_value(json_object_get(json, "good"));
    json_decref(json);
    if (code != 0) {
        return sy_fail(err, SY_ERR_CRYPTO, "`systole verify` ended with %d: see %s", code, output);
    }
    /* Whatever became final left its proof behind. */
    json_int_t wanted = figure(demo, "transactions_final");
    if (demo->proofs >= wanted) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO,
                   "only %" JSON_INTEGER_FORMAT " proofs are kept for %" JSON_INTEGER_FORMAT
                   " final transactions",
                   demo->proofs, wanted);
}

/* A network that outlives this process. */
static sy_status leave_up(struct demo *demo, struct sy_error *err)
{
    for (unsigned i = 0; i < demo->validators; i++) {
        SY_TRY(sy_network_start_detached(demo->network, i, err));
    }
    for (unsigned i = 0; i < demo->validators; i++) {
        SY_TRY(sy_network_await(demo->network, i, 1, 30000, err));
    }
    return SY_OK;
}

/* ---- telling ----------------------------------------------------------------------------- */

static double real_figure(const struct demo *demo, const char *name)
{
    return json_number_value(json_object_get(demo->submitted, name));
}

static sy_status write_report(const struct demo *demo, struct sy_error *err)
{
    static const char *const copied[] = {"validators", "resources", "transactions", "final",
                                         "duplicates", "refused",   "blocks",       "seconds",
                                         "tx_per_s",   "p50_ms",    "p99_ms"};
    json_t *report = json_object();
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
        json_object_set(report, copied[i], json_object_get(demo->submitted, copied[i]));
    }
    json_object_set_new(report, "proofs_checked", json_integer(demo->proofs));
    json_object_set_new(report, "state_roots_equal", json_boolean(demo->roots_equal));
    json_object_set_new(report, "state_root", json_string(demo->root));
    int failed = json_dump_file(report, demo->report, JSON_INDENT(2));
    json_decref(report);
    return failed ? sy_fail(err, SY_ERR_IO, "%s cannot be written", demo->report) : SY_OK;
}

static void print_table(const struct demo *demo)
{
    printf("\nvalidators           %u\n", demo->validators);
    printf("resources read       %" JSON_INTEGER_FORMAT "\n", figure(demo, "resources"));
    printf("final                %" JSON_INTEGER_FORMAT "\n", figure(demo, "final"));
    printf("duplicates           %" JSON_INTEGER_FORMAT "\n", figure(demo, "duplicates"));
    printf("refused              %" JSON_INTEGER_FORMAT "\n", figure(demo, "refused"));
    printf("transactions         %" JSON_INTEGER_FORMAT "\n", figure(demo, "transactions"));
    printf("blocks               %" JSON_INTEGER_FORMAT "\n", figure(demo, "blocks"));
    printf("seconds              %.1f\n", real_figure(demo, "seconds"));
    printf("transactions/s       %.0f\n", real_figure(demo, "tx_per_s"));
    printf("latency p50, p99     %.0f ms, %.0f ms\n", real_figure(demo, "p50_ms"),
           real_figure(demo, "p99_ms"));
    printf("audits equal         %llu of %u\n",
           demo->roots_equal ? (unsigned long long)demo->audited : 0ull, demo->validators);
    printf("proofs verified      %" JSON_INTEGER_FORMAT "\n", demo->proofs);
    printf("state root           %s\n", demo->root);
}

static void print_kept(const struct demo *demo)
{
    printf("\nthe network is up in %s\n", demo->dir);
    printf("  ask it        %s/systole status --net %s\n", demo->bin, demo->dir);
    printf("  send more     %s/systole submit --net %s PATH...\n", demo->bin, demo->dir);
    if (demo->story != NULL) {
        printf("  the patient   %s/systole watch --net %s --key %s/story/wallet.pem "
               "$(cat %s/story/patient.id)\n",
               demo->bin, demo->dir, demo->dir, demo->dir);
    }
    printf("  stop it       kill $(cat %s/v*/pid)\n", demo->dir);
}

/* ---- the command ------------------------------------------------------------------------- */

static bool parse(struct demo *demo, int argc, char **argv)
{
    static const struct option longs[] = {{"validators", required_argument, NULL, 'n'},
                                          {"story", required_argument, NULL, 's'},
                                          {"report", required_argument, NULL, 'r'},
                                          {"keep", no_argument, NULL, 'k'},
                                          {"dir", required_argument, NULL, 'd'},
                                          {"sample", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    uint64_t number;
    int option;
    demo->validators = 4;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'n':
            if (!sy_parse_u64(&number, optarg, SY_VALIDATORS_MIN, SY_VALIDATORS_MAX)) return false;
            demo->validators = (unsigned)number;
            break;
        case 's': demo->story = optarg; break;
        case 'r': demo->report = optarg; break;
        case 'k': demo->keep = true; break;
        case 'p': demo->sample[0] = optarg; break;
        case 'd':
            if (strlen(optarg) >= sizeof demo->dir) return false;
            memcpy(demo->dir, optarg, strlen(optarg) + 1);
            break;
        default: return false;
        }
    }
    demo->paths = optind < argc ? argv + optind : demo->sample;
    demo->path_count = optind < argc ? argc - optind : demo->sample[0] != NULL;
    return demo->path_count > 0 && demo->path_count <= WORDS_MAX;
}

static sy_status find_places(struct demo *demo, struct sy_error *err)
{
    ssize_t size = readlink("/proc/self/exe", demo->bin, sizeof demo->bin - 1);
    if (size <= 0) return sy_fail(err, SY_ERR_IO, "this program cannot find its own folder");
    demo->bin[size] = '\0';
    *strrchr(demo->bin, '/') = '\0';
    if (demo->dir[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(demo->dir, sizeof demo->dir, "%.200s/systole-demo-%ld", base ? base : "/tmp",
                 (long)getpid());
    }
    return SY_OK;
}

/* A misspelt path is told before a network starts for it. */
static sy_status check_paths(const struct demo *demo, struct sy_error *err)
{
    for (int i = 0; i < demo->path_count; i++) {
        if (access(demo->paths[i], R_OK) == 0 || strcmp(demo->paths[i], "-") == 0) continue;
        return sy_fail(err, SY_ERR_NOT_FOUND, "%s: %s", demo->paths[i], strerror(errno));
    }
    return SY_OK;
}

static sy_status demonstrate(struct demo *demo, struct sy_error *err)
{
    struct sy_network_config config = {
        .bin = demo->bin, .dir = demo->dir, .validators = demo->validators};
    fprintf(stderr, "starting %u validators in %s\n", demo->validators, demo->dir);
    SY_TRY(sy_network_open(&demo->network, &config, err));
    SY_TRY(stream(demo, err));
    if (demo->story != NULL) SY_TRY(tell_story(demo, err));
    fprintf(stderr, "stopping the network\n");
    sy_network_stop(demo->network);
    SY_TRY(audit_all(demo, err));
    SY_TRY(verify_all(demo, err));
    if (demo->report != NULL) SY_TRY(write_report(demo, err));
    return demo->keep ? leave_up(demo, err) : SY_OK;
}

int sy_bench_demo(int argc, char **argv)
{
    static struct demo demo;
    struct sy_error err = {SY_OK, ""};
    if (!parse(&demo, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    sy_status status = check_paths(&demo, &err);
    if (status == SY_OK) status = find_places(&demo, &err);
    if (status != SY_OK) {
        fprintf(stderr, "demo: %s\n", err.text);
        return 1;
    }
    status = demonstrate(&demo, &err);
    if (demo.submitted != NULL) print_table(&demo);
    if (status == SY_OK && demo.keep) {
        print_kept(&demo);
        sy_network_leave(demo.network);
    } else {
        sy_network_close(demo.network);
    }
    json_decref(demo.submitted);
    if (status == SY_OK) {
        if (!demo.keep) (void)sy_os_remove_tree(demo.dir, NULL);
        return 0;
    }
    fprintf(stderr, "demo: %s\nthe network's folder is left for you to look at: %s\n", err.text,
            demo.dir);
    return 1;
}
