/* cuda_engine.c: see cuda_engine.h. */
#include "gpu/cuda_engine.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "gpu/cuda_lane.h"

// What stands in the host's cache for a table on the device.
#define MARK_BYTES 64u

static const struct sy_key_table_format format = {
    .table_bytes = MARK_BYTES, .build = sy_gpu_build_tables, .together = SY_GPU_BUILD_TOGETHER};

// --- opening and closing -------------------------------------------------------------------------

static void close_engine(void *opened)
{
    struct sy_gpu_state *state = (struct sy_gpu_state *)opened;
    const struct sy_gpu_driver *driver = state->driver;
    if (state->device) {
        for (unsigned i = 0; i < SY_GPU_LANES; i++) sy_gpu_lane_close(state, &state->lanes[i]);
        if (state->tables) driver->release(state->device, state->tables);
        if (state->base) driver->release(state->device, state->base);
        driver->close(state->device);
    }
    sy_key_tables_close(state->keys);
    int failed = pthread_cond_destroy(&state->released);
    SY_ASSERT(!failed);
    failed = pthread_mutex_destroy(&state->lock);
    SY_ASSERT(!failed);
    free(state->lanes);
    free(state);
}

// By default half of the device's memory that is free: others may have the same device.
static sy_status open_tables(struct sy_gpu_state *state, uint64_t bytes, struct sy_error *err)
{
    struct sy_gpu_info info;
    SY_TRY(state->driver->get_info(state->device, &info));
    uint64_t room = (bytes > 0 ? bytes : info.free_bytes / 2) / SY_GPU_TABLE_BYTES;
    if (room < 1) room = 1;
    if (room > 1u << 20) room = 1u << 20;
    struct sy_key_tables_config config = {
        .format = &format, .context = state, .bytes_max = room * MARK_BYTES};
    SY_TRY(sy_key_tables_open(&state->keys, &config, err));
    sy_status status =
        state->driver->reserve(state->device, &state->tables, room * SY_GPU_TABLE_BYTES);
    if (status != SY_OK) {
        return sy_fail(err, status,
                       "%s has no room for %llu tables of keys of %u bytes each: set a lower limit",
                       info.name, (unsigned long long)room, SY_GPU_TABLE_BYTES);
    }
    return SY_OK;
}

static sy_status prepare(struct sy_gpu_state *state, const struct sy_engine_config *config,
                         struct sy_error *err)
{
    SY_TRY(state->driver->open(&state->device, err));
    SY_TRY(open_tables(state, config->table_bytes, err));
    sy_status status = state->driver->reserve(state->device, &state->base, SY_GPU_TABLE_BYTES);
    if (status == SY_OK) status = sy_gpu_build_base(state);
    if (status != SY_OK)
        return sy_fail(err, status, "the device fails: %s", sy_status_name(status));
    return SY_OK;
}

static sy_status open_on(const struct sy_gpu_driver *driver, void **opened,
                         const struct sy_engine_config *config, struct sy_error *err)
{
    struct sy_error reason = {.text = ""};
    struct sy_gpu_state *state = (struct sy_gpu_state *)calloc(1, sizeof *state);
    struct sy_gpu_lane *lanes = (struct sy_gpu_lane *)calloc(SY_GPU_LANES, sizeof *lanes);
    if (!state || !lanes) {
        free(state);
        free(lanes);
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the engine on %s", driver->name);
    }
    state->driver = driver;
    state->lanes = lanes;
    int failed = pthread_mutex_init(&state->lock, NULL);
    SY_ASSERT(!failed);
    failed = pthread_cond_init(&state->released, NULL);
    SY_ASSERT(!failed);
    sy_status status = prepare(state, config, &reason);
    if (status != SY_OK) {
        close_engine(state);
        return sy_fail(err, status, "%s",
                       reason.text[0] ? reason.text : "the device fails; the log says how");
    }
    *opened = state;
    return SY_OK;
}

static sy_status open_cuda(void **opened, const struct sy_engine_config *config,
                           struct sy_error *err)
{
    return open_on(&sy_gpu_cuda, opened, config, err);
}

static sy_status open_twin(void **opened, const struct sy_engine_config *config,
                           struct sy_error *err)
{
    return open_on(&sy_gpu_host, opened, config, err);
}

// --- running -------------------------------------------------------------------------------------

static uint32_t hint(void *opened, const struct sy_public_key *key,
                     const struct sy_hash *organisation)
{
    return sy_key_tables_hint(((struct sy_gpu_state *)opened)->keys, key, organisation);
}

// What a table failed to be built with shows here, or in the next run.
static sy_status build_tables(struct sy_gpu_state *state, size_t most)
{
    (void)sy_key_tables_build(state->keys, most);
    return sy_gpu_check(state);
}

static sy_status run_on(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                        struct sy_submission *submission)
{
    SY_TRY(sy_gpu_hash_leaves(state, lane, submission));
    SY_TRY(sy_gpu_raise_trees(state, lane, submission));
    return sy_gpu_verify_jobs(state, lane, submission);
}

static sy_status run(void *opened, struct sy_submission *submission, struct sy_hash *scratch)
{
    struct sy_gpu_state *state = (struct sy_gpu_state *)opened;
    struct sy_gpu_lane *lane = NULL;
    (void)scratch;
    SY_TRY(sy_gpu_lane_take(state, &lane));
    sy_status status = run_on(state, lane, submission);
    sy_gpu_lane_give(state, lane);
    SY_TRY(status);
    // All that are built at once take about as long as one.
    return build_tables(state, submission->urgent ? 1 : 8 * SY_GPU_BUILD_TOGETHER);
}

static sy_status run_raw(void *opened, const struct sy_raw_job *jobs, uint32_t count,
                         uint8_t *verdicts)
{
    struct sy_gpu_state *state = (struct sy_gpu_state *)opened;
    struct sy_gpu_lane *lane = NULL;
    SY_TRY(sy_gpu_lane_take(state, &lane));
    sy_status status = sy_gpu_verify_raw(state, lane, jobs, count, verdicts);
    sy_gpu_lane_give(state, lane);
    SY_TRY(status);
    return build_tables(state, SIZE_MAX);
}

const struct sy_engine_impl sy_engine_cuda = {.name = "cuda",
                                              .device = true,
                                              .open = open_cuda,
                                              .close = close_engine,
                                              .run = run,
                                              .hint = hint,
                                              .raw = run_raw};

const struct sy_engine_impl sy_engine_cuda_twin = {.name = "cuda-twin",
                                                   .device = true,
                                                   .open = open_twin,
                                                   .close = close_engine,
                                                   .run = run,
                                                   .hint = hint,
                                                   .raw = run_raw};
