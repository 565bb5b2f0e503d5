/* engine_window.c: see engine_window.h. */
#include "core/crypto/engine_window.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/crypto/sha256_many.h"

#define BUCKETS_MIN 8u
#define BUCKETS_MAX 2048u
#define BATCH_MAX 512u

bool sy_job_hash_raw(uint8_t out[64], const struct sy_raw_job *job)
{
    size_t size = 64 + job->message.size;
    uint8_t *input = (uint8_t *)malloc(size); // SHA-512 takes it in one piece.
    if (!input) return false;
    memcpy(input, job->signature.bytes, 32);
    memcpy(input + 32, job->key.bytes, 32);
    if (job->message.size > 0) memcpy(input + 64, job->message.data, job->message.size);
    sy_sha512(out, input, size);
    free(input);
    return true;
}

static void hash_submission(struct sy_submission *submission, struct sy_hash *scratch)
{
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
}

// --- windows -------------------------------------------------------------------------------------

// Some jobs in their order, those without a table first.
struct window {
    const void *tables[SY_JOB_WINDOW];  // as they came
    const void *ordered[SY_JOB_WINDOW]; // in order
    uint32_t indices[SY_JOB_WINDOW];    // in order, into the source
    uint32_t starts[BUCKETS_MAX + 2];   // of buckets; the first is of those without a table
};

static uint32_t bucket_of(const void *table, uint32_t buckets)
{
    // Fibonacci hashing of the address.
    uint64_t spread = (uint64_t)(uintptr_t)table / 64 * 0x9e3779b97f4a7c15u;
    return table ? 1 + ((uint32_t)(spread >> 40) & (buckets - 1)) : 0;
}

// A counting sort. Returns how many have no table.
static uint32_t sort_window(struct window *window, const sy_key_tables *tables,
                            const struct sy_job_source *source, uint32_t first, uint32_t count)
{
    uint32_t buckets = BUCKETS_MIN; // A few votes shall not pay for thousands.
    while (buckets < BUCKETS_MAX && buckets < count) buckets *= 2;
    memset(window->starts, 0, (buckets + 2) * sizeof window->starts[0]);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t handle = source->submission ? source->submission->jobs[first + i].key_handle
                                             : SY_KEY_HANDLE_NONE;
        window->tables[i] = sy_key_tables_find(tables, handle, sy_job_key(source, first + i));
        window->starts[bucket_of(window->tables[i], buckets) + 1]++;
    }
    uint32_t without = window->starts[1];
    for (uint32_t i = 0; i <= buckets; i++) window->starts[i + 1] += window->starts[i];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = window->starts[bucket_of(window->tables[i], buckets)]++;
        window->ordered[place] = window->tables[i];
        window->indices[place] = first + i;
    }
    return without;
}

// What a call for jobs goes by.
struct call {
    const struct sy_job_way *way;
    const void *own;
    sy_key_tables *tables;
    struct sy_job_source source;
    uint8_t *verdicts;
};

static sy_status verify_batch(const struct call *call, const struct sy_job_batch *batch)
{
    uint8_t good[BATCH_MAX];
    SY_TRY(call->way->verify(call->own, good, batch));
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t index = batch->indices[i];
        call->verdicts[index] = good[i];
        if (good[i]) {
            sy_key_tables_credit(call->tables, batch->tables[i], sy_job_key(&call->source, index));
        }
    }
    return SY_OK;
}

static sy_status verify_window(const struct call *call, uint32_t first, uint32_t count)
{
    struct window window;
    uint32_t without = sort_window(&window, call->tables, &call->source, first, count);
    struct sy_job_batch batch = {.source = &call->source};
    for (uint32_t done = 0; done < count; done += batch.count) {
        batch.tabled = done >= without;
        uint32_t left = batch.tabled ? count - done : without - done;
        batch.indices = window.indices + done;
        batch.tables = window.ordered + done;
        batch.count = left < call->way->batch_max ? left : call->way->batch_max;
        SY_TRY(verify_batch(call, &batch));
    }
    return SY_OK;
}

static sy_status verify_all(const struct call *call, uint32_t count)
{
    SY_ASSERT(call->way->batch_max >= 1 && call->way->batch_max <= BATCH_MAX);
    unsigned pin = sy_key_tables_pin(call->tables);
    sy_status status = SY_OK;
    for (uint32_t first = 0; status == SY_OK && first < count; first += SY_JOB_WINDOW) {
        uint32_t most = count - first < SY_JOB_WINDOW ? count - first : SY_JOB_WINDOW;
        status = verify_window(call, first, most);
    }
    sy_key_tables_unpin(call->tables, pin);
    return status;
}

sy_status sy_job_way_run(const struct sy_job_way *way, const void *own, sy_key_tables *tables,
                         struct sy_submission *submission, struct sy_hash *scratch)
{
    struct call call = {way, own, tables, {.submission = submission}, submission->verdicts};
    hash_submission(submission, scratch);
    SY_TRY(verify_all(&call, submission->job_count));
    size_t builds = submission->urgent ? 1 : 8 + submission->job_count / way->per_build;
    (void)sy_key_tables_build(tables, builds);
    return SY_OK;
}

sy_status sy_job_way_run_raw(const struct sy_job_way *way, const void *own, sy_key_tables *tables,
                             const struct sy_raw_job *jobs, uint32_t count, uint8_t *verdicts)
{
    struct call call = {way, own, tables, {.raw = jobs}, verdicts};
    SY_TRY(verify_all(&call, count));
    (void)sy_key_tables_build(tables, SIZE_MAX);
    return SY_OK;
}
