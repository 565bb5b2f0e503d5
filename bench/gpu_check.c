/* gpu_check.c: is what the device answers right? Published vectors, where they are given, and jobs,
 * leaves and trees by chance against plain C; see gpu_trial.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gpu_trial.h"
#include "core/base/os.h"
#include "core/base/prng.h"
#include "gpu/device_hash.h"

// So many times, so that keys have no table at first and one in the end.
#define ROUNDS 6u
#define MESSAGE_MAX 4096u
#define VECTORS_MAX 4096u

struct vectors {
    struct sy_raw_job *jobs;
    uint8_t *expected;
    uint8_t *messages; // MESSAGE_MAX each
    uint32_t count;
};

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "systole-gpu: %s: %s\n", what, why);
    return false;
}

// --- reading -------------------------------------------------------------------------------------

static bool open_room(struct vectors *vectors)
{
    vectors->count = 0;
    vectors->jobs = (struct sy_raw_job *)calloc(VECTORS_MAX, sizeof *vectors->jobs);
    vectors->expected = (uint8_t *)calloc(VECTORS_MAX, 1);
    vectors->messages = (uint8_t *)malloc((size_t)VECTORS_MAX * MESSAGE_MAX);
    return vectors->jobs && vectors->expected && vectors->messages;
}

static void free_room(struct vectors *vectors)
{
    free(vectors->jobs);
    free(vectors->expected);
    free(vectors->messages);
}

static bool add_vector(struct vectors *vectors, const char *key, const char *signature,
                       const char *message, bool expected)
{
    size_t size = strlen(message) / 2;
    if (vectors->count == VECTORS_MAX || size > MESSAGE_MAX) return false;
    struct sy_raw_job *job = &vectors->jobs[vectors->count];
    uint8_t *bytes = vectors->messages + (size_t)vectors->count * MESSAGE_MAX;
    if (!sy_hex_decode(job->key.bytes, 32, key) || !sy_hex_decode(bytes, size, message) ||
        !sy_hex_decode(job->signature.bytes, 64, signature)) {
        return false;
    }
    job->message = sy_slice_of(bytes, size);
    vectors->expected[vectors->count++] = expected;
    return true;
}

// The text behind `"name": "`, up to its quote, from *at on; NULL: no more. The file's names and
// values are plain.
static char *next_text(char **at, const char *name, char *end)
{
    char *found = strstr(*at, name);
    if (!found || found >= end) return NULL;
    found = strchr(found + strlen(name), '"');
    if (!found || found >= end) return NULL;
    char *stop = strchr(++found, '"');
    if (!stop) return NULL;
    *stop = '\0';
    *at = stop + 1;
    return found;
}

static bool read_wycheproof(struct vectors *vectors, char *text, size_t size)
{
    char *at = text, *end = text + size, *key = NULL;
    while ((key = next_text(&at, "\"pk\":", end))) {
        char *group_end = strstr(at, "\"pk\":");
        if (!group_end) group_end = end;
        char *message = NULL;
        while ((message = next_text(&at, "\"msg\":", group_end))) {
            const char *signature = next_text(&at, "\"sig\":", group_end);
            const char *result = next_text(&at, "\"result\":", group_end);
            if (!signature || !result) return false;
            if (strlen(signature) != 128) continue; // Of another length: none of this type.
            bool valid = strcmp(result, "valid") == 0;
            if (!add_vector(vectors, key, signature, message, valid)) return false;
        }
    }
    return vectors->count > 100;
}

// secret||public:public:message:signature||message: in hex; each once as it is and once spoilt.
static bool read_sign_input(struct vectors *vectors, char *text, size_t size)
{
    (void)size;
    char *rest_of_text = text, *line = NULL;
    while ((line = strsep(&rest_of_text, "\n")) && *line) {
        (void)strsep(&line, ":");
        const char *key = strsep(&line, ":"), *message = strsep(&line, ":");
        char *both = strsep(&line, ":");
        if (!key || !message || !both || strlen(both) < 128) return false;
        both[128] = '\0';
        if (!add_vector(vectors, key, both, message, true)) return false;
        if (!add_vector(vectors, key, both, message, false)) return false;
        vectors->jobs[vectors->count - 1].signature.bytes[vectors->count % 64] ^= 4;
    }
    return vectors->count == 2048;
}

// --- checking ------------------------------------------------------------------------------------

static bool run_vectors(const struct sy_gpu_trial *trial, void *state,
                        const struct vectors *vectors, const char *name)
{
    uint8_t verdicts[VECTORS_MAX];
    for (unsigned round = 0; round < ROUNDS; round++) {
        memset(verdicts, 0x5a, sizeof verdicts);
        if (trial->impl->raw(state, vectors->jobs, vectors->count, verdicts) != SY_OK) {
            return complain(name, "the device fails");
        }
        for (uint32_t i = 0; i < vectors->count; i++) {
            if (verdicts[i] == vectors->expected[i]) continue;
            fprintf(stderr, "systole-gpu: %s: vector %u, round %u: the device says %u\n", name, i,
                    round, verdicts[i]);
            return false;
        }
    }
    printf("%-28s %6u verdicts as published, %u rounds\n", name, vectors->count, ROUNDS);
    return true;
}

// A file that is not there is said and left out.
static bool check_file(const struct sy_gpu_trial *trial, void *state, const char *name,
                       bool (*read)(struct vectors *, char *, size_t))
{
    char path[1024];
    struct vectors vectors = {NULL, NULL, NULL, 0};
    uint8_t *text = NULL;
    size_t size = 0;
    if (!trial->vectors) return true;
    (void)snprintf(path, sizeof path, "%s/%s", trial->vectors, name);
    if (sy_os_read_file(&text, &size, path, 64u << 20, NULL) != SY_OK) {
        printf("skipped: no %s\n", path);
        return true;
    }
    char *copy = (char *)malloc(size + 1);
    bool fine = copy && open_room(&vectors);
    if (fine) {
        memcpy(copy, text, size);
        copy[size] = '\0';
        fine = read(&vectors, copy, size);
        if (!fine) (void)complain(path, "cannot be read as what its name says");
    }
    if (fine) fine = run_vectors(trial, state, &vectors, name);
    free_room(&vectors);
    free(copy);
    free(text);
    return fine;
}

static bool expected_verdict(const struct sy_sig_job *job, const struct sy_hash *hashes)
{
    uint8_t message[SY_SIG_MESSAGE_BYTES];
    const struct sy_hash *digest = job->leaf == SY_JOB_NO_LEAF ? &job->digest : &hashes[job->leaf];
    sy_sig_message(message, (enum sy_sig_kind)job->kind, digest);
    return sy_gpu_trial_verdict(&job->key, &job->signature, message, sizeof message);
}

static void damage(struct sy_sig_job *job, sy_prng *prng)
{
    uint8_t bit = (uint8_t)(1u << sy_prng_below(prng, 8));
    switch (sy_prng_below(prng, 8)) {
    case 0: job->key.bytes[sy_prng_below(prng, 32)] ^= bit; break;
    case 1: job->signature.bytes[sy_prng_below(prng, 64)] ^= bit; break;
    case 2: job->digest.bytes[sy_prng_below(prng, 32)] ^= bit; break;
    case 3: job->signature.bytes[63] |= 0xe0; break;
    case 4: job->leaf = (uint32_t)sy_prng_below(prng, 64); break;
    case 5: // A neutral key and R sign anything with S = 0.
        memset(&job->key, 0, sizeof job->key);
        memset(&job->signature, 0, sizeof job->signature);
        job->key.bytes[0] = job->signature.bytes[0] = 1;
        break;
    default: break;
    }
}

struct chance {
    struct sy_sig_job *jobs;
    uint8_t *expected, *verdicts, *bytes;
    struct sy_slice *leaves;
    struct sy_hash *hashes, *roots;
    uint32_t count;
};

static bool open_chance(struct chance *chance, uint32_t count)
{
    *chance = (struct chance){.count = count};
    chance->jobs = (struct sy_sig_job *)calloc(count, sizeof *chance->jobs);
    chance->expected = (uint8_t *)malloc(count);
    chance->verdicts = (uint8_t *)malloc(count);
    chance->bytes = (uint8_t *)malloc((size_t)count + 512);
    chance->leaves = (struct sy_slice *)calloc(count, sizeof *chance->leaves);
    chance->hashes = (struct sy_hash *)calloc(count, sizeof *chance->hashes);
    chance->roots = (struct sy_hash *)calloc(count, sizeof *chance->roots);
    return chance->jobs && chance->expected && chance->verdicts && chance->bytes &&
           chance->leaves && chance->hashes && chance->roots;
}

static void free_chance(struct chance *chance)
{
    free(chance->jobs);
    free(chance->expected);
    free(chance->verdicts);
    free(chance->bytes);
    free(chance->leaves);
    free(chance->hashes);
    free(chance->roots);
}

static void words_of(uint32_t words[8], const struct sy_hash *hash)
{
    for (size_t i = 0; i < 8; i++) words[i] = sy_swap_32(sy_load_u32(hash->bytes + 4 * i));
}

static void hash_of(struct sy_hash *hash, const uint32_t words[8])
{
    for (size_t i = 0; i < 8; i++) sy_store_u32(hash->bytes + 4 * i, sy_swap_32(words[i]));
}

// Level by level, in place.
static struct sy_hash root_of(struct sy_hash *nodes, uint32_t count)
{
    for (; count > 1; count = (count + 1) / 2) {
        for (uint32_t i = 0; i < count / 2; i++) {
            uint32_t left[8], right[8], node[8];
            words_of(left, &nodes[2 * i]);
            words_of(right, &nodes[2 * i + 1]);
            sy_dev_hash_node(node, left, right);
            hash_of(&nodes[i], node);
        }
        if (count % 2 == 1) nodes[count / 2] = nodes[count - 1];
    }
    return nodes[0];
}

static bool run_chance(const struct sy_gpu_trial *trial, void *state, struct chance *chance)
{
    struct sy_tree_job tree = {.first = 1, .count = chance->count - 1};
    struct sy_submission submission = {.leaves = chance->leaves,
                                       .leaf_count = chance->count,
                                       .leaf_hashes = chance->hashes,
                                       .jobs = chance->jobs,
                                       .job_count = chance->count,
                                       .verdicts = chance->verdicts,
                                       .trees = &tree,
                                       .tree_count = 1};
    memset(chance->verdicts, 0x5a, chance->count);
    if (trial->impl->run(state, &submission, chance->roots) != SY_OK) {
        return complain("by chance", "the device fails");
    }
    for (uint32_t i = 0; i < chance->count; i++) {
        uint32_t words[8];
        struct sy_hash hash;
        sy_dev_hash_leaf(words, chance->leaves[i].data, chance->leaves[i].size);
        hash_of(&hash, words);
        if (!sy_hash_equal(&hash, &chance->hashes[i])) return complain("leaf", "wrong hash");
        if (chance->verdicts[i] != chance->expected[i]) return complain("job", "wrong verdict");
    }
    memcpy(chance->roots, chance->hashes + 1, (chance->count - 1) * sizeof *chance->roots);
    struct sy_hash root = root_of(chance->roots, chance->count - 1);
    return sy_hash_equal(&root, &tree.root) || complain("tree", "wrong root");
}

static bool check_chance(const struct sy_gpu_trial *trial, void *state)
{
    struct chance chance;
    uint32_t count = (uint32_t)trial->jobs, good = 0;
    sy_prng prng;
    sy_prng_seed(&prng, 7);
    bool fine = open_chance(&chance, count) && sy_gpu_trial_make(chance.jobs, count, 64) == SY_OK;
    if (fine) sy_prng_fill(&prng, chance.bytes, (size_t)count + 512);
    for (uint32_t i = 0; fine && i < count; i++) {
        uint32_t words[8];
        chance.leaves[i] = sy_slice_of(chance.bytes + i, i % 509);
        sy_dev_hash_leaf(words, chance.leaves[i].data, chance.leaves[i].size);
        hash_of(&chance.hashes[i], words);
    }
    for (uint32_t i = 0; fine && i < count; i++) {
        damage(&chance.jobs[i], &prng);
        chance.expected[i] = expected_verdict(&chance.jobs[i], chance.hashes);
        good += chance.expected[i];
    }
    if (fine && (good == 0 || good == count)) fine = complain("by chance", "all are alike");
    for (unsigned round = 0; fine && round < ROUNDS; round++) {
        fine = run_chance(trial, state, &chance);
    }
    if (fine) {
        printf("%-28s %6u jobs (%u good), leaves and their root as plain C says, %u rounds\n",
               "by chance", count, good, ROUNDS);
    }
    free_chance(&chance);
    return fine;
}

bool sy_gpu_trial_check(const struct sy_gpu_trial *trial)
{
    const struct sy_engine_config config = {.table_bytes = (uint64_t)SY_GPU_TABLE_BYTES * 96};
    struct sy_error err = {.text = ""};
    void *state = NULL;
    if (trial->impl->open(&state, &config, &err) != SY_OK) return complain("open", err.text);
    bool fine = check_file(trial, state, "wycheproof-ed25519.json", read_wycheproof) &&
                check_file(trial, state, "ed25519-sign.input", read_sign_input) &&
                check_chance(trial, state);
    trial->impl->close(state);
    return fine;
}
