/* jobs.c: lines of key, message and signature in hex, each answered by the engine's own point
 * arithmetic: 1 or 0 a line, in order. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/crypto.h"
#include "core/crypto/engine_choice.h"
#include "gpu/cuda_engine.h"

static const char usage[] =
    "usage: systole-bench jobs [--engine NAME] [FILE]\n"
    "\n"
    "Reads lines \"key message signature\" in hex (an empty message is -) and prints 1 for a\n"
    "valid signature and 0 for another, one a line, in order. FILE: - or none is the standard\n"
    "input.\n"
    "\n"
    "  --engine NAME   auto, or the engine to ask (auto)\n"
    "  --repeat N      ask so many times over; answers that differ end the program (1): with 5 or\n"
    "                  more, valid keys have tables in the end\n";

struct jobs {
    struct sy_raw_job *jobs;
    size_t count, room;
};

static void free_jobs(struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) free((void *)(uintptr_t)jobs->jobs[i].message.data);
    free(jobs->jobs);
}

static bool read_message(struct sy_slice *out, const char *text)
{
    size_t digits = strcmp(text, "-") == 0 ? 0 : strlen(text);
    uint8_t *bytes = (uint8_t *)malloc(digits / 2 + 1);
    if (!bytes) return false;
    *out = sy_slice_of(bytes, digits / 2);
    if (digits == 0 || sy_hex_decode(bytes, digits / 2, text)) return true;
    free(bytes);
    return false;
}

// False: the line is not three hex words of the right lengths (or there is no memory for it).
static bool add_line(struct jobs *jobs, char *line)
{
    char *rest = NULL;
    const char *key = strtok_r(line, " \t\r\n", &rest);
    const char *message = strtok_r(NULL, " \t\r\n", &rest);
    const char *signature = strtok_r(NULL, " \t\r\n", &rest);
    if (!signature) { // An empty message between two blanks is no word.
        signature = message;
        message = "-";
    }
    if (!key || !signature || strtok_r(NULL, " \t\r\n", &rest)) return false;
    if (jobs->count == jobs->room) {
        size_t room = jobs->room > 0 ? 2 * jobs->room : 1024;
        void *grown = realloc(jobs->jobs, room * sizeof *jobs->jobs);
        if (!grown) return false;
        jobs->jobs = (struct sy_raw_job *)grown;
        jobs->room = room;
    }
    struct sy_raw_job *job = &jobs->jobs[jobs->count];
    if (!sy_hex_decode(job->key.bytes, sizeof job->key.bytes, key)) return false;
    if (!sy_hex_decode(job->signature.bytes, sizeof job->signature.bytes, signature)) return false;
    if (!read_message(&job->message, message)) return false;
    jobs->count++;
    return true;
}

static bool read_jobs(struct jobs *jobs, FILE *file, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    bool fine = true;
    for (size_t number = 1; fine && getline(&line, &room, file) >= 0; number++) {
        if (line[strspn(line, " \t\r\n")] == '\0') continue;
        fine = add_line(jobs, line);
        if (!fine) {
            fprintf(stderr,
                    "systole-bench jobs: %s, line %zu: not \"key message signature\" in hex\n",
                    path, number);
        }
    }
    if (fine && ferror(file)) {
        fprintf(stderr, "systole-bench jobs: %s: %s\n", path, strerror(errno));
        fine = false;
    }
    free(line);
    return fine;
}

static bool answer_jobs(sy_engine *engine, const struct jobs *jobs, uint64_t repeat)
{
    uint8_t *first = (uint8_t *)calloc(jobs->count + 1, 1);
    uint8_t *verdicts = (uint8_t *)calloc(jobs->count + 1, 1);
    bool fine = first && verdicts;
    for (uint64_t i = 0; fine && i < repeat; i++) {
        uint8_t *out = i == 0 ? first : verdicts;
        fine = sy_engine_run_raw(engine, out, jobs->jobs, (uint32_t)jobs->count) == SY_OK;
        if (!fine) fputs("systole-bench jobs: the engine could not answer\n", stderr);
        if (fine && i > 0 && memcmp(first, verdicts, jobs->count) != 0) {
            fprintf(stderr, "systole-bench jobs: other answers in round %llu\n",
                    (unsigned long long)i + 1);
            fine = false;
        }
    }
    for (size_t i = 0; fine && i < jobs->count; i++) fine = printf("%u\n", first[i]) > 0;
    free(first);
    free(verdicts);
    return fine && fflush(stdout) == 0;
}

static int run_jobs(const char *name, const char *path, uint64_t repeat)
{
    struct jobs jobs = {NULL, 0, 0};
    struct sy_engine_choice choice;
    struct sy_error err = {.text = ""};
    sy_engine *engine = NULL;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!file) {
        fprintf(stderr, "systole-bench jobs: %s: %s\n", path, strerror(errno));
        return 1;
    }
    bool fine = read_jobs(&jobs, file, path);
    if (file != stdin) (void)fclose(file);
    if (fine) {
        struct sy_engine_config config = {.queue = 1, .impls = choice.impls};
        sy_status status = sy_engine_choose(&choice, name, sy_engine_all_impls, 0, &err);
        if (status == SY_OK) status = sy_engine_open(&engine, &config, &err);
        fine = status == SY_OK;
        if (!fine) fprintf(stderr, "systole-bench jobs: %s\n", err.text);
    }
    if (fine) fine = answer_jobs(engine, &jobs, repeat);
    sy_engine_close(engine);
    free_jobs(&jobs);
    return fine ? 0 : 1;
}

int sy_bench_jobs(int argc, char **argv)
{
    static const struct option longs[] = {{"engine", required_argument, NULL, 'e'},
                                          {"repeat", required_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    const char *engine = "auto";
    uint64_t repeat = 1;
    bool fine = true;
    int option;
    optind = 1;
    while (fine && (option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'e': engine = optarg; break;
        case 'r': fine = sy_parse_u64(&repeat, optarg, 1, 1000000); break;
        case 'h': fputs(usage, stdout); return 0;
        default: fine = false;
        }
    }
    if (!fine || argc - optind > 1) {
        fputs(usage, stderr);
        return 2;
    }
    return run_jobs(engine, optind < argc ? argv[optind] : "-", repeat);
}
