/* cuda_lane.c: see cuda_lane.h. */
#include "gpu/cuda_lane.h"

#include "core/base/assert.h"

static void lock_state(struct sy_gpu_state *state)
{
    int failed = pthread_mutex_lock(&state->lock);
    SY_ASSERT(!failed);
}

static void unlock_state(struct sy_gpu_state *state)
{
    int failed = pthread_mutex_unlock(&state->lock);
    SY_ASSERT(!failed);
}

sy_status sy_gpu_judge(struct sy_gpu_state *state, sy_status status)
{
    if (status == SY_OK) return SY_OK;
    lock_state(state);
    state->failed = true;
    unlock_state(state);
    return status;
}

sy_status sy_gpu_check(struct sy_gpu_state *state)
{
    lock_state(state);
    bool failed = state->failed;
    unlock_state(state);
    return failed ? SY_ERR_IO : SY_OK;
}

// --- a lane's memory -----------------------------------------------------------------------------

static void close_half(const struct sy_gpu_state *state, struct sy_gpu_half *half)
{
    const struct sy_gpu_driver *driver = state->driver;
    // The stream first: what is still on it uses the memory.
    if (half->stream) driver->close_stream(state->device, half->stream);
    if (half->staging) driver->unpin(state->device, half->staging);
    if (half->out) driver->unpin(state->device, half->out);
    if (half->staged) driver->release(state->device, half->staged);
    if (half->work) driver->release(state->device, half->work);
    half->stream = NULL;
    half->staging = half->out = NULL;
    half->staged = half->work = 0;
}

static sy_status open_half(struct sy_gpu_state *state, struct sy_gpu_half *half)
{
    const struct sy_gpu_driver *driver = state->driver;
    void *staging = NULL, *out = NULL;
    half->state = state;
    half->count = 0;
    sy_status status = driver->open_stream(state->device, &half->stream);
    if (status == SY_OK) status = driver->pin(state->device, &staging, SY_GPU_STAGING_BYTES);
    half->staging = (uint8_t *)staging;
    if (status == SY_OK) status = driver->pin(state->device, &out, SY_GPU_OUT_BYTES);
    half->out = (uint8_t *)out;
    if (status == SY_OK) {
        status = driver->reserve(state->device, &half->staged, SY_GPU_STAGING_BYTES);
    }
    if (status == SY_OK) status = driver->reserve(state->device, &half->work, SY_GPU_WORK_BYTES);
    return status;
}

void sy_gpu_lane_close(struct sy_gpu_state *state, struct sy_gpu_lane *lane)
{
    close_half(state, &lane->half[0]);
    close_half(state, &lane->half[1]);
    if (lane->hashes) state->driver->release(state->device, lane->hashes);
    if (lane->nodes) state->driver->release(state->device, lane->nodes);
    lane->hashes = lane->nodes = 0;
    lane->hash_room = lane->node_room = 0;
    lane->is_open = false;
}

static sy_status grow(struct sy_gpu_state *state, uint64_t *address, uint32_t *room, uint32_t need)
{
    uint64_t most = *room > 0 ? *room : 1024;
    if (need <= *room) return SY_OK;
    while (most < need) most *= 2;
    if (*address) state->driver->release(state->device, *address);
    *address = 0;
    *room = 0;
    SY_TRY(state->driver->reserve(state->device, address, most * 32));
    *room = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
    return SY_OK;
}

sy_status sy_gpu_lane_need(struct sy_gpu_state *state, struct sy_gpu_lane *lane, uint32_t hashes,
                           uint32_t nodes)
{
    SY_TRY(sy_gpu_check(state));
    sy_status status = grow(state, &lane->hashes, &lane->hash_room, hashes);
    if (status == SY_OK) status = grow(state, &lane->nodes, &lane->node_room, nodes);
    return sy_gpu_judge(state, status);
}

// --- taking and giving ---------------------------------------------------------------------------

static struct sy_gpu_lane *find_free(struct sy_gpu_state *state)
{
    for (unsigned i = 0; i < SY_GPU_LANES; i++) {
        if (!state->lanes[i].is_taken) return &state->lanes[i];
    }
    return NULL;
}

sy_status sy_gpu_lane_take(struct sy_gpu_state *state, struct sy_gpu_lane **out)
{
    struct sy_gpu_lane *lane = NULL;
    *out = NULL;
    lock_state(state);
    while (!(lane = find_free(state))) {
        int failed = pthread_cond_wait(&state->released, &state->lock);
        SY_ASSERT(!failed);
    }
    lane->is_taken = true;
    unlock_state(state);
    sy_status status = sy_gpu_check(state);
    if (status == SY_OK && !lane->is_open) {
        status = open_half(state, &lane->half[0]);
        if (status == SY_OK) status = open_half(state, &lane->half[1]);
        lane->is_open = status == SY_OK;
    }
    if (status != SY_OK) {
        (void)sy_gpu_judge(state, status);
        sy_gpu_lane_give(state, lane);
        return status;
    }
    *out = lane;
    return SY_OK;
}

void sy_gpu_lane_give(struct sy_gpu_state *state, struct sy_gpu_lane *lane)
{
    lock_state(state);
    lane->is_taken = false;
    int failed = pthread_cond_signal(&state->released);
    SY_ASSERT(!failed);
    unlock_state(state);
}

// --- a half's calls ------------------------------------------------------------------------------

sy_status sy_gpu_half_send(struct sy_gpu_half *half, size_t bytes)
{
    struct sy_gpu_state *state = half->state;
    SY_ASSERT(bytes > 0 && bytes <= SY_GPU_STAGING_BYTES);
    SY_TRY(sy_gpu_check(state));
    return sy_gpu_judge(state, state->driver->upload(state->device, half->stream, half->staged,
                                                     half->staging, bytes));
}

sy_status sy_gpu_half_fetch(struct sy_gpu_half *half, size_t out_at, uint64_t from, size_t bytes)
{
    struct sy_gpu_state *state = half->state;
    SY_ASSERT(out_at + bytes <= SY_GPU_OUT_BYTES);
    SY_TRY(sy_gpu_check(state));
    return sy_gpu_judge(state, state->driver->download(state->device, half->stream,
                                                       half->out + out_at, from, bytes));
}

sy_status sy_gpu_half_launch(struct sy_gpu_half *half, enum sy_gpu_kernel kernel, uint32_t items,
                             const void *arguments)
{
    struct sy_gpu_state *state = half->state;
    const struct sy_gpu_kernel_info *info = &sy_gpu_kernels[kernel];
    SY_ASSERT(items > 0);
    SY_TRY(sy_gpu_check(state));
    return sy_gpu_judge(state, state->driver->launch(state->device, half->stream, kernel,
                                                     (items - 1) / info->items + 1, arguments));
}

sy_status sy_gpu_half_wait(struct sy_gpu_half *half)
{
    struct sy_gpu_state *state = half->state;
    SY_TRY(sy_gpu_check(state));
    return sy_gpu_judge(state, state->driver->wait(state->device, half->stream, SY_GPU_WAIT_NS));
}
