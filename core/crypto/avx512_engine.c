/* avx512_engine.c: the implementation for processors with AVX-512 IFMA: signatures eight at a time
 * (avx512_ed25519.h), hashes by the fastest way of sha256_many.h and sha512_many.h.
 *
 * Jobs whose key has a table go one way, the others another. Those with a table are taken in the
 * order of their tables, so that one stays next to the core until all its jobs are done; verdicts
 * know nothing of it. Nothing here is compiled for AVX-512: it decides whether that may be run. */
#include <stdlib.h>
#include <sys/mman.h>

#include "core/crypto/avx512_ed25519.h"
#include "core/crypto/cpu.h"
#include "core/crypto/engine.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/crypto/sha256_many.h"
#include "core/crypto/sha512_many.h"

#define WINDOW 8192u // jobs that are sorted together
#define BUCKETS 2048u
#define BATCH (SY_LANE_GROUPS_MAX * SY_LANE_GROUP)
#define HUGE_PAGE ((size_t)1 << 21)

struct avx512 {
    sy_key_tables *tables;
    void *base; // the base point's table
    const struct sy_sha512_many *sha512;
};

#if defined(__x86_64__)

static const struct sy_key_table_format format = {SY_AVX512_KEY_BYTES, sy_avx512_build_tables};

static void close_avx512(void *state)
{
    struct avx512 *own = (struct avx512 *)state;
    if (!own) return;
    sy_key_tables_close(own->tables);
    free(own->base);
    free(own);
}

static sy_status open_avx512(void **state, const struct sy_engine_config *config,
                             struct sy_error *err)
{
    struct sy_key_tables_config tables = {.format = &format, .bytes_max = config->table_bytes};
    if (!sy_cpu()->avx512_ifma) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "this processor has no AVX-512 IFMA");
    }
    struct avx512 *own = (struct avx512 *)calloc(1, sizeof *own);
    size_t pages = (SY_AVX512_BASE_BYTES + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    if (own) own->base = aligned_alloc(HUGE_PAGE, pages);
    if (!own || !own->base) {
        close_avx512(own);
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the AVX-512 engine");
    }
    (void)madvise(own->base, pages, MADV_HUGEPAGE); // Faster where it is granted.
    sy_avx512_build_base(own->base);
    own->sha512 = sy_sha512_many_best();
    sy_status status = sy_key_tables_open(&own->tables, &tables, err);
    if (status != SY_OK) {
        close_avx512(own);
        return status;
    }
    *state = own;
    return SY_OK;
}

static uint32_t hint_avx512(void *state, const struct sy_public_key *key,
                            const struct sy_hash *organisation)
{
    return sy_key_tables_hint(((struct avx512 *)state)->tables, key, organisation);
}

// --- where jobs come from: a submission, or raw ones ---------------------------------------------

struct source {
    const struct sy_submission *submission; // NULL: raw ones
    const struct sy_raw_job *raw;
};

static const struct sy_public_key *key_at(const struct source *source, uint32_t index)
{
    return source->submission ? &source->submission->jobs[index].key : &source->raw[index].key;
}

static const struct sy_signature *signature_at(const struct source *source, uint32_t index)
{
    return source->submission ? &source->submission->jobs[index].signature
                              : &source->raw[index].signature;
}

static uint32_t handle_at(const struct source *source, uint32_t index)
{
    return source->submission ? source->submission->jobs[index].key_handle : SY_KEY_HANDLE_NONE;
}

// Hashes one job of each lane: these have one block.
static void hash_jobs(struct sy_lane_group *group, const struct sy_sha512_many *sha512,
                      const struct sy_submission *submission, const uint32_t indices[SY_LANE_GROUP])
{
    struct sy_challenge challenges[SY_LANE_GROUP];
    for (size_t lane = 0; lane < SY_LANE_GROUP; lane++) {
        const struct sy_sig_job *job = &submission->jobs[indices[lane]];
        challenges[lane].r = job->signature.bytes;
        challenges[lane].key = job->key.bytes;
        challenges[lane].digest =
            job->leaf == SY_JOB_NO_LEAF ? &job->digest : &submission->leaf_hashes[job->leaf];
        challenges[lane].kind = job->kind;
    }
    sha512->lanes(group->hashes, (const struct sy_challenge *)challenges);
}

// And these are of any length. False: no memory to put one together.
static bool hash_raw(struct sy_lane_group *group, const struct sy_raw_job *jobs,
                     const uint32_t indices[SY_LANE_GROUP])
{
    for (size_t lane = 0; lane < SY_LANE_GROUP; lane++) {
        const struct sy_raw_job *job = &jobs[indices[lane]];
        uint8_t hash[64];
        size_t size = 64 + job->message.size;
        uint8_t *input = (uint8_t *)malloc(size);
        if (!input) return false;
        memcpy(input, job->signature.bytes, 32);
        memcpy(input + 32, job->key.bytes, 32);
        if (job->message.size > 0) memcpy(input + 64, job->message.data, job->message.size);
        sy_sha512(hash, input, size);
        free(input);
        for (size_t i = 0; i < 8; i++) group->hashes[i][lane] = sy_load_u64(hash + 8 * i);
    }
    return true;
}

// --- windows -------------------------------------------------------------------------------------

// Some jobs, sorted by table; first come those that have none.
struct window {
    const void *tables[WINDOW];
    uint32_t order[WINDOW]; // indices into the window
    uint32_t starts[BUCKETS + 1];
};

static uint32_t bucket_of(const void *table)
{
    // Fibonacci hashing of the address.
    uint64_t spread = (uint64_t)(uintptr_t)table / 64 * 0x9e3779b97f4a7c15u;
    return table ? 1 + (uint32_t)(spread >> 40) % (BUCKETS - 1) : 0;
}

// A counting sort. Returns how many have no table.
static uint32_t sort_window(struct window *window, const sy_key_tables *tables,
                            const struct source *source, uint32_t first, uint32_t count)
{
    memset(window->starts, 0, sizeof window->starts);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t handle = handle_at(source, first + i);
        window->tables[i] = sy_key_tables_find(tables, handle, key_at(source, first + i));
        window->starts[bucket_of(window->tables[i]) + 1]++;
    }
    uint32_t without = window->starts[1];
    for (uint32_t i = 0; i < BUCKETS; i++) window->starts[i + 1] += window->starts[i];
    for (uint32_t i = 0; i < count; i++) {
        window->order[window->starts[bucket_of(window->tables[i])]++] = i;
    }
    return without;
}

// Up to BATCH jobs of a window, all with a table or all without.
struct batch {
    const struct window *window;
    const uint32_t *order; // of the batch's first
    uint32_t first;        // of the window, in the source
    uint32_t count;
    bool tabled;
};

static bool fill_group(struct sy_lane_group *group, const struct avx512 *own,
                       const struct source *source, const struct batch *batch, uint32_t at)
{
    uint32_t indices[SY_LANE_GROUP];
    for (uint32_t lane = 0; lane < SY_LANE_GROUP; lane++) {
        // Lanes without a job of their own repeat the last.
        uint32_t place = at + lane < batch->count ? at + lane : batch->count - 1;
        uint32_t in_window = batch->order[place];
        indices[lane] = batch->first + in_window;
        group->keys[lane] = key_at(source, indices[lane])->bytes;
        group->signatures[lane] = signature_at(source, indices[lane])->bytes;
        group->tables[lane] = batch->window->tables[in_window];
    }
    if (!source->submission) return hash_raw(group, source->raw, indices);
    hash_jobs(group, own->sha512, source->submission, indices);
    return true;
}

static sy_status verify_batch(const struct avx512 *own, uint8_t *verdicts,
                              const struct source *source, const struct batch *batch)
{
    struct sy_lane_group groups[SY_LANE_GROUPS_MAX];
    uint8_t good[SY_LANE_GROUPS_MAX];
    size_t count = (batch->count + SY_LANE_GROUP - 1) / SY_LANE_GROUP;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)i * SY_LANE_GROUP;
        if (!fill_group(&groups[i], own, source, batch, at)) return SY_ERR_NO_MEMORY;
    }
    if (batch->tabled) {
        sy_avx512_verify_tabled(good, groups, count, own->base);
    } else {
        sy_avx512_verify_general(good, groups, count, own->base);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t in_window = batch->order[i], index = batch->first + in_window;
        verdicts[index] = good[i / SY_LANE_GROUP] >> (i % SY_LANE_GROUP) & 1;
        if (verdicts[index]) {
            sy_key_tables_credit(own->tables, batch->window->tables[in_window],
                                 key_at(source, index));
        }
    }
    return SY_OK;
}

static sy_status verify_window(const struct avx512 *own, uint8_t *verdicts,
                               const struct source *source, uint32_t first, uint32_t count)
{
    struct window window;
    struct batch batch = {.window = &window, .first = first};
    uint32_t without = sort_window(&window, own->tables, source, first, count);
    for (uint32_t done = 0; done < count; done += batch.count) {
        batch.tabled = done >= without;
        uint32_t left = batch.tabled ? count - done : without - done;
        batch.order = window.order + done;
        batch.count = left < BATCH ? left : BATCH;
        SY_TRY(verify_batch(own, verdicts, source, &batch));
    }
    return SY_OK;
}

static sy_status verify_all(const struct avx512 *own, uint8_t *verdicts,
                            const struct source *source, uint32_t count)
{
    unsigned pin = sy_key_tables_pin(own->tables);
    sy_status status = SY_OK;
    for (uint32_t first = 0; status == SY_OK && first < count; first += WINDOW) {
        uint32_t most = count - first < WINDOW ? count - first : WINDOW;
        status = verify_window(own, verdicts, source, first, most);
    }
    sy_key_tables_unpin(own->tables, pin);
    return status;
}

static sy_status run_avx512(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    struct avx512 *own = (struct avx512 *)state;
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
    SY_TRY(verify_all(own, submission->verdicts, &source, submission->job_count));
    // Eight tables are built at once, in the time of 28 verifications without.
    size_t builds = submission->urgent ? 1 : 8 + submission->job_count / 16;
    (void)sy_key_tables_build(own->tables, builds);
    return SY_OK;
}

static sy_status raw_avx512(void *state, const struct sy_raw_job *jobs, uint32_t count,
                            uint8_t *verdicts)
{
    struct avx512 *own = (struct avx512 *)state;
    struct source source = {.raw = jobs};
    SY_TRY(verify_all(own, verdicts, &source, count));
    (void)sy_key_tables_build(own->tables, SIZE_MAX);
    return SY_OK;
}

const struct sy_engine_impl sy_engine_avx512 = {.name = "avx512",
                                                .open = open_avx512,
                                                .close = close_avx512,
                                                .run = run_avx512,
                                                .hint = hint_avx512,
                                                .raw = raw_avx512};

#else

static sy_status open_nowhere(void **state, const struct sy_engine_config *config,
                              struct sy_error *err)
{
    (void)state;
    (void)config;
    return sy_fail(err, SY_ERR_NOT_FOUND, "this processor has no AVX-512 IFMA");
}

const struct sy_engine_impl sy_engine_avx512 = {.name = "avx512", .open = open_nowhere};

#endif
