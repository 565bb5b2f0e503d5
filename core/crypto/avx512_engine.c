/* avx512_engine.c: the implementation for processors with AVX-512 IFMA: signatures eight at a time
 * (avx512_ed25519.h), challenges by the fastest way of sha512_many.h, all else by engine_window.h.
 * Nothing here is compiled for AVX-512: it decides whether that may be run. */
#include <stdlib.h>
#include <sys/mman.h>

#include "core/crypto/avx512_ed25519.h"
#include "core/crypto/cpu.h"
#include "core/crypto/engine.h"
#include "core/crypto/engine_window.h"

#define HUGE_PAGE ((size_t)1 << 21)

struct avx512 {
    sy_key_tables *tables;
    void *base; // the base point's table
    const struct sy_sha512_many *sha512;
};

#if defined(__x86_64__)

static void build_tables(void *context, void *const *tables, const struct sy_public_key *keys,
                         bool *built, size_t count)
{
    (void)context;
    sy_avx512_build_tables(tables, keys, built, count);
}

static const struct sy_key_table_format format = {.table_bytes = SY_AVX512_KEY_BYTES,
                                                  .build = build_tables};

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

// --- signatures ----------------------------------------------------------------------------------

// Hashes one job of each lane: these have one block.
static void hash_jobs(struct sy_lane_group *group, const struct sy_sha512_many *sha512,
                      const struct sy_submission *submission, const uint32_t indices[SY_LANE_GROUP])
{
    struct sy_challenge challenges[SY_LANE_GROUP];
    for (size_t lane = 0; lane < SY_LANE_GROUP; lane++) {
        challenges[lane] = sy_job_challenge(submission, indices[lane]);
    }
    sha512->lanes(group->hashes, (const struct sy_challenge *)challenges);
}

// And these are of any length. False: no memory to put one together.
static bool hash_raw(struct sy_lane_group *group, const struct sy_raw_job *jobs,
                     const uint32_t indices[SY_LANE_GROUP])
{
    for (size_t lane = 0; lane < SY_LANE_GROUP; lane++) {
        uint8_t hash[64];
        if (!sy_job_hash_raw(hash, &jobs[indices[lane]])) return false;
        for (size_t i = 0; i < 8; i++) group->hashes[i][lane] = sy_load_u64(hash + 8 * i);
    }
    return true;
}

static bool fill_group(struct sy_lane_group *group, const struct sy_sha512_many *sha512,
                       const struct sy_job_batch *batch, uint32_t at)
{
    const struct sy_job_source *source = batch->source;
    uint32_t indices[SY_LANE_GROUP];
    for (uint32_t lane = 0; lane < SY_LANE_GROUP; lane++) {
        // Lanes without a job of their own repeat the last.
        uint32_t place = at + lane < batch->count ? at + lane : batch->count - 1;
        indices[lane] = batch->indices[place];
        group->keys[lane] = sy_job_key(source, indices[lane])->bytes;
        group->signatures[lane] = sy_job_signature(source, indices[lane])->bytes;
        group->tables[lane] = batch->tables[place];
    }
    if (!source->submission) return hash_raw(group, source->raw, indices);
    hash_jobs(group, sha512, source->submission, indices);
    return true;
}

static sy_status verify_batch(const void *state, uint8_t *good, const struct sy_job_batch *batch)
{
    const struct avx512 *own = (const struct avx512 *)state;
    struct sy_lane_group groups[SY_LANE_GROUPS_MAX];
    uint8_t masks[SY_LANE_GROUPS_MAX];
    size_t count = (batch->count + SY_LANE_GROUP - 1) / SY_LANE_GROUP;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)i * SY_LANE_GROUP;
        if (!fill_group(&groups[i], own->sha512, batch, at)) return SY_ERR_NO_MEMORY;
    }
    if (batch->tabled) {
        sy_avx512_verify_tabled(masks, groups, count, own->base);
    } else {
        sy_avx512_verify_general(masks, groups, count, own->base);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        good[i] = masks[i / SY_LANE_GROUP] >> (i % SY_LANE_GROUP) & 1;
    }
    return SY_OK;
}

// Eight tables are built at once, in the time of 28 verifications without.
static const struct sy_job_way way = {SY_LANE_GROUPS_MAX * SY_LANE_GROUP, 16, verify_batch};

static sy_status run_avx512(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    return sy_job_way_run(&way, state, ((struct avx512 *)state)->tables, submission, scratch);
}

static sy_status raw_avx512(void *state, const struct sy_raw_job *jobs, uint32_t count,
                            uint8_t *verdicts)
{
    struct avx512 *own = (struct avx512 *)state;
    return sy_job_way_run_raw(&way, own, own->tables, jobs, count, verdicts);
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
