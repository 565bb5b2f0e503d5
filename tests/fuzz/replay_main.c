/* replay_main.c: runs a fuzz target over its corpus without libFuzzer, so that every build, under
 * every compiler and sanitizer, replays what fuzzing has found.
 *
 *     fuzz_<decoder> PATH...
 *
 * A path is a file or a folder of files. Every input also runs cut short at each quarter and with
 * single bits flipped, so that a small corpus reaches the refusals around it. Fails when nothing
 * was there to replay: an empty corpus tests nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "tests/support/sanitized.h"

#define INPUT_BYTES_MAX (8u << 20)
#define FLIPS_MAX (TEST_SANITIZED ? 64u : 256u) // a story takes ten times as long there

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The target gets bytes of exactly this size, so that a read past the end is a finding.
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = (uint8_t *)malloc(size ? size : 1);
    SY_ASSERT(copy);
    if (size) memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
    run_copy(data, size);
    for (size_t quarter = 0; quarter < 4; quarter++) run_copy(data, size * quarter / 4);
    // At most FLIPS_MAX flips, spread evenly over the input.
    size_t bits = size * 8;
    size_t stride = bits / FLIPS_MAX + 1;
    for (size_t bit = 0; bit < bits; bit += stride) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        run_copy(data, size);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static bool replay_file(const char *path, size_t *count)
{
    struct sy_error err;
    uint8_t *data;
    size_t size;
    if (sy_os_read_file(&data, &size, path, INPUT_BYTES_MAX, &err) != SY_OK) {
        fprintf(stderr, "%s\n", err.text);
        return false;
    }
    run_variants(data, size);
    free(data);
    (*count)++;
    return true;
}

static bool replay_folder(const char *path, size_t *count)
{
    struct dirent **entries;
    int found = scandir(path, &entries, NULL, alphasort);
    if (found < 0) {
        fprintf(stderr, "cannot read the corpus %s: %s\n", path, strerror(errno));
        return false;
    }
    bool fine = true;
    for (int i = 0; i < found; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') fine = replay_file(file, count) && fine;
        free(entries[i]);
    }
    free(entries);
    return fine;
}

int main(int argc, char **argv)
{
    bool fine = true;
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        bool is_folder = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode);
        fine = (is_folder ? replay_folder(argv[i], &count) : replay_file(argv[i], &count)) && fine;
    }
    printf("replayed %zu inputs\n", count);
    if (count == 0) fprintf(stderr, "no inputs: name a corpus folder with at least one file\n");
    return fine && count > 0 ? 0 : 1;
}
