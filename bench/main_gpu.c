/* main_gpu.c: systole-gpu, the CUDA engine alone: is it right on this machine, and how fast (./run
 * gpu). It needs no library beyond the CUDA driver's. Exit status: 0 all is right, 1 something is
 * wrong, 2 usage, 3 there is no device. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bench/gpu_trial.h"
#include "gpu/cuda_engine.h"

#define NO_DEVICE 3

static const char usage[] =
    "usage: systole-gpu check|time|name [OPTION...]\n"
    "\n"
    "  check           published vectors, and jobs, leaves and trees by chance against plain C\n"
    "  time            how fast: signatures, leaves, nodes and trees, resident and from the host\n"
    "  name            the device's name\n"
    "\n"
    "  --vectors DIR   with wycheproof-ed25519.json and ed25519-sign.input\n"
    "  --jobs N        so many by chance (70001, with --twin 700)\n"
    "  --out FILE      where the figures go, as JSON\n"
    "  --twin          on the host twin of a device, which is slow and has no figures\n";

static bool print_name(const struct sy_gpu_trial *trial, void *device)
{
    struct sy_gpu_info info;
    if (trial->driver->get_info(device, &info) != SY_OK) return false;
    return printf("%s\n", info.name) > 0;
}

// Says so when there is none.
static int ask_device(const struct sy_gpu_trial *trial, bool name)
{
    struct sy_error err = {.text = ""};
    void *device = NULL;
    sy_status status = trial->driver->open(&device, &err);
    if (status != SY_OK) {
        fprintf(stderr, "systole-gpu: %s\n", err.text);
        return status == SY_ERR_NOT_FOUND ? NO_DEVICE : 1;
    }
    bool fine = !name || print_name(trial, device);
    trial->driver->close(device);
    return fine ? 0 : 1;
}

static int run(const struct sy_gpu_trial *trial, const char *what)
{
    int status = ask_device(trial, strcmp(what, "name") == 0);
    if (status != 0 || strcmp(what, "name") == 0) return status;
    bool fine = strcmp(what, "check") == 0 ? sy_gpu_trial_check(trial) : sy_gpu_trial_time(trial);
    return fine ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"vectors", required_argument, NULL, 'v'}, {"out", required_argument, NULL, 'o'},
        {"jobs", required_argument, NULL, 'j'},    {"twin", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    struct sy_gpu_trial trial = {.driver = &sy_gpu_cuda, .impl = &sy_engine_cuda};
    int option;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'v': trial.vectors = optarg; break;
        case 'o': trial.out = optarg; break;
        case 'j':
            if (sy_parse_u64(&trial.jobs, optarg, 2, 10000000)) break;
            fputs(usage, stderr);
            return 2;
        case 't':
            trial.twin = true;
            trial.driver = &sy_gpu_host;
            trial.impl = &sy_engine_cuda_twin;
            break;
        case 'h': fputs(usage, stdout); return 0;
        default: fputs(usage, stderr); return 2;
        }
    }
    const char *what = optind + 1 == argc ? argv[optind] : "";
    if (strcmp(what, "check") != 0 && strcmp(what, "time") != 0 && strcmp(what, "name") != 0) {
        fputs(usage, stderr);
        return 2;
    }
    if (trial.jobs == 0) trial.jobs = trial.twin ? 700 : 70001;
    return run(&trial, what);
}
