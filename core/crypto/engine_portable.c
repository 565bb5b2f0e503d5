/* engine_portable.c: the implementation in plain C, for every processor: Ed25519 of
 * ed25519_verify.h, with tables of keys that come back (key_tables.h).
 *
 * Jobs are taken in the order of their keys' tables, so that one table at a time is in the cache
 * next to the core; verdicts know nothing of it. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/ed25519_verify.h"
#include "core/crypto/engine.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_tables.h"
#include "core/crypto/merkle.h"
#include "core/crypto/sha256_many.h"

#define WINDOW 2048u // jobs that are sorted together
#define BUCKETS 512u
#define TOGETHER SY_ED25519_TOGETHER

static void build_tables(void *const *tables, const struct sy_public_key *keys, bool *built,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        built[i] = sy_comb_build((struct sy_comb_table *)tables[i], keys[i].bytes);
    }
}

static const struct sy_key_table_format format = {sizeof(struct sy_comb_table), build_tables};

static sy_status open_portable(void **state, const struct sy_engine_config *config,
                               struct sy_error *err)
{
    struct sy_key_tables_config tables = {.format = &format, .bytes_max = config->table_bytes};
    (void)sy_comb_base(); // Made now, not under the first job.
    return sy_key_tables_open((sy_key_tables **)state, &tables, err);
}

static void close_portable(void *state)
{
    sy_key_tables_close((sy_key_tables *)state);
}

static uint32_t hint_portable(void *state, const struct sy_public_key *key,
                              const struct sy_hash *organisation)
{
    return sy_key_tables_hint((sy_key_tables *)state, key, organisation);
}

// --- signatures ----------------------------------------------------------------------------------

// Where jobs come from: a submission's, or raw ones.
struct source {
    const struct sy_submission *submission;
    const struct sy_raw_job *raw;
};

static const struct sy_public_key *key_at(const struct source *source, uint32_t index)
{
    return source->raw ? &source->raw[index].key : &source->submission->jobs[index].key;
}

static void hash_job(uint8_t out[64], const struct sy_submission *submission,
                     const struct sy_sig_job *job)
{
    const struct sy_hash *digest =
        job->leaf == SY_JOB_NO_LEAF ? &job->digest : &submission->leaf_hashes[job->leaf];
    uint8_t input[64 + SY_SIG_MESSAGE_BYTES];
    memcpy(input, job->signature.bytes, 32);
    memcpy(input + 32, job->key.bytes, 32);
    sy_sig_message(input + 64, (enum sy_sig_kind)job->kind, digest);
    sy_sha512(out, input, sizeof input);
}

// SHA-512 takes its input in one piece. False: no memory for it.
static bool hash_raw(uint8_t out[64], const struct sy_raw_job *job)
{
    size_t size = 64 + job->message.size;
    uint8_t *input = (uint8_t *)malloc(size);
    if (!input) return false;
    memcpy(input, job->signature.bytes, 32);
    memcpy(input + 32, job->key.bytes, 32);
    if (job->message.size > 0) memcpy(input + 64, job->message.data, job->message.size);
    sy_sha512(out, input, size);
    free(input);
    return true;
}

static bool fill_job(struct sy_ed25519_job *job, const struct source *source, uint32_t index)
{
    if (source->raw) {
        job->key = source->raw[index].key.bytes;
        job->signature = source->raw[index].signature.bytes;
        return hash_raw(job->hash, &source->raw[index]);
    }
    const struct sy_sig_job *from = &source->submission->jobs[index];
    job->key = from->key.bytes;
    job->signature = from->signature.bytes;
    hash_job(job->hash, source->submission, from);
    return true;
}

// Some jobs on their way from the first to the last verdict.
struct window {
    const void *tables[WINDOW];
    uint32_t order[WINDOW]; // of the jobs, counted from the window's first
    uint32_t starts[BUCKETS + 1];
};

static uint32_t bucket_of(const void *table)
{
    // Fibonacci hashing of the address; what has no table comes first.
    uint64_t spread = (uint64_t)(uintptr_t)table / 64 * 0x9e3779b97f4a7c15u;
    return (uint32_t)(spread >> 55) % BUCKETS;
}

// Finds the tables and puts jobs of the same one beside each other: a counting sort by buckets.
static void order_jobs(struct window *window, const sy_key_tables *tables,
                       const struct source *source, uint32_t first, uint32_t count)
{
    memset(window->starts, 0, sizeof window->starts);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t handle =
            source->raw ? SY_KEY_HANDLE_NONE : source->submission->jobs[first + i].key_handle;
        window->tables[i] = sy_key_tables_find(tables, handle, key_at(source, first + i));
        window->starts[bucket_of(window->tables[i]) + 1]++;
    }
    for (uint32_t i = 0; i < BUCKETS; i++) window->starts[i + 1] += window->starts[i];
    for (uint32_t i = 0; i < count; i++) {
        window->order[window->starts[bucket_of(window->tables[i])]++] = i;
    }
}

static sy_status verify_window(sy_key_tables *tables, uint8_t *verdicts,
                               const struct source *source, uint32_t first, uint32_t count)
{
    struct window window;
    struct sy_ed25519_job jobs[TOGETHER];
    uint8_t answers[TOGETHER];
    order_jobs(&window, tables, source, first, count);
    for (uint32_t done = 0; done < count; done += TOGETHER) {
        const uint32_t *order = window.order + done;
        size_t together = count - done < TOGETHER ? count - done : TOGETHER;
        for (size_t i = 0; i < together; i++) {
            jobs[i].table = (const struct sy_comb_table *)window.tables[order[i]];
            if (!fill_job(&jobs[i], source, first + order[i])) return SY_ERR_NO_MEMORY;
        }
        sy_ed25519_verify(answers, jobs, together);
        for (size_t i = 0; i < together; i++) {
            uint32_t index = first + order[i];
            verdicts[index] = answers[i];
            if (answers[i]) sy_key_tables_credit(tables, jobs[i].table, key_at(source, index));
        }
    }
    return SY_OK;
}

static sy_status verify_all(sy_key_tables *tables, uint8_t *verdicts, const struct source *source,
                            uint32_t count)
{
    unsigned pin = sy_key_tables_pin(tables);
    sy_status status = SY_OK;
    for (uint32_t first = 0; status == SY_OK && first < count; first += WINDOW) {
        uint32_t most = count - first < WINDOW ? count - first : WINDOW;
        status = verify_window(tables, verdicts, source, first, most);
    }
    sy_key_tables_unpin(tables, pin);
    return status;
}

static sy_status run_portable(void *state, struct sy_submission *submission,
                              struct sy_hash *scratch)
{
    sy_key_tables *tables = (sy_key_tables *)state;
    struct source source = {.submission = submission};
    if (submission->leaves) {
        sy_sha256_many_best()->leaves(submission->leaf_hashes, submission->leaves,
                                      submission->leaf_count);
    }
    for (uint32_t i = 0; i < submission->tree_count; i++) {
        struct sy_tree_job *tree = &submission->trees[i];
        const struct sy_hash *first =
            tree->count > 0 ? submission->leaf_hashes + tree->first : NULL;
        sy_merkle_root(&tree->root, scratch, first, tree->count);
    }
    SY_TRY(verify_all(tables, submission->verdicts, &source, submission->job_count));
    // A table takes about as long as two verifications without it: a batch pays for few of others'.
    size_t builds = submission->urgent ? 1 : 8 + submission->job_count / 8;
    (void)sy_key_tables_build(tables, builds);
    return SY_OK;
}

static sy_status raw_portable(void *state, const struct sy_raw_job *jobs, uint32_t count,
                              uint8_t *verdicts)
{
    struct source source = {.raw = jobs};
    if (count == 0) return SY_OK;
    SY_ASSERT(jobs);
    SY_TRY(verify_all((sy_key_tables *)state, verdicts, &source, count));
    (void)sy_key_tables_build((sy_key_tables *)state, SIZE_MAX);
    return SY_OK;
}

const struct sy_engine_impl sy_engine_portable = {.name = "portable",
                                                  .open = open_portable,
                                                  .close = close_portable,
                                                  .run = run_portable,
                                                  .hint = hint_portable,
                                                  .raw = raw_portable};
