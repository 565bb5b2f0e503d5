/* host_device.c: the host twin of a device; see host_device.h. */
#include "gpu/host_device.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "gpu/device_kernels.h"

#define MEMORY_BYTES ((uint64_t)1 << 30)
#define ALIGNMENT 256u
#define PIECE 200u // Small and no multiple of a block, so that tests meet many.
#define ARGUMENT_BYTES_MAX 128u

// --- faults --------------------------------------------------------------------------------------

static struct {
    atomic_ullong calls;
    atomic_ullong fails_at; // the number of the call; 0: none
    atomic_uint status;
} faults[SY_GPU_CALL_COUNT];

static atomic_ullong lies_in, lie_seed, lies_told, held;

void sy_gpu_host_fail(enum sy_gpu_call call, uint64_t nth, sy_status status)
{
    atomic_store(&faults[call].status, (unsigned)status);
    atomic_store(&faults[call].fails_at, nth > 0 ? atomic_load(&faults[call].calls) + nth : 0);
}

void sy_gpu_host_lie(uint64_t nth, uint64_t seed)
{
    atomic_store(&lie_seed, seed);
    atomic_store(&lies_in, nth);
}

uint64_t sy_gpu_host_lies(void)
{
    return atomic_load(&lies_told);
}

uint64_t sy_gpu_host_calls(enum sy_gpu_call call)
{
    return atomic_load(&faults[call].calls);
}

uint64_t sy_gpu_host_held(void)
{
    return atomic_load(&held);
}

static sy_status count_call(enum sy_gpu_call call)
{
    uint64_t number = atomic_fetch_add(&faults[call].calls, 1) + 1;
    if (number != atomic_load(&faults[call].fails_at)) return SY_OK;
    return (sy_status)atomic_load(&faults[call].status);
}

// --- what is put on a stream ---------------------------------------------------------------------

struct operation {
    enum { COPY, LAUNCH } what;
    void *to;
    const void *from;
    size_t bytes;
    enum sy_gpu_kernel kernel;
    uint32_t blocks;
    _Alignas(8) uint8_t arguments[ARGUMENT_BYTES_MAX];
};

struct stream {
    struct operation *operations;
    size_t count, room;
};

static struct operation *add_operation(struct stream *stream)
{
    if (stream->count == stream->room) {
        size_t room = stream->room > 0 ? 2 * stream->room : 16;
        struct operation *grown =
            (struct operation *)realloc(stream->operations, room * sizeof *grown);
        if (!grown) return NULL;
        stream->operations = grown;
        stream->room = room;
    }
    struct operation *added = &stream->operations[stream->count++];
    memset(added, 0, sizeof *added);
    return added;
}

static void run_thread(const struct operation *operation, uint32_t block, uint32_t thread)
{
    const void *args = operation->arguments;
    switch (operation->kernel) {
    case SY_GPU_LEAVES: sy_dev_leaves((const struct sy_gpu_leaves *)args, block, thread); break;
    case SY_GPU_CHALLENGE:
        sy_dev_challenge((const struct sy_gpu_challenge *)args, block, thread);
        break;
    case SY_GPU_TABLED: sy_dev_tabled((const struct sy_gpu_points *)args, block, thread); break;
    case SY_GPU_GENERAL: sy_dev_general((const struct sy_gpu_points *)args, block, thread); break;
    case SY_GPU_FINISH: sy_dev_finish((const struct sy_gpu_finish *)args, block, thread); break;
    case SY_GPU_BUILD: sy_dev_build((const struct sy_gpu_build *)args, block, thread); break;
    default: SY_UNREACHABLE("a kernel without threads of their own");
    }
}

static void run_subtrees(const struct operation *operation, uint32_t block)
{
    struct sy_gpu_shared shared;
    // What a phase does not write must not matter.
    memset(&shared, 0xa5, sizeof shared);
    for (uint32_t phase = 0; phase < SY_GPU_SUBTREE_PHASES; phase++) {
        for (uint32_t thread = 0; thread < SY_GPU_BLOCK; thread++) {
            sy_dev_subtrees((const struct sy_gpu_subtrees *)(const void *)operation->arguments,
                            block, thread, phase, &shared);
        }
    }
}

// One bit of what a kernel answers.
static void tell_lie(const struct operation *operation)
{
    const void *args = operation->arguments;
    uint64_t seed = atomic_load(&lie_seed), address = 0, bytes = 0;
    if (operation->kernel == SY_GPU_FINISH) {
        const struct sy_gpu_finish *finish = (const struct sy_gpu_finish *)args;
        uint8_t *verdict = SY_AT(uint8_t, finish->verdicts, seed % finish->count);
        *verdict ^= 1;
        atomic_fetch_add(&lies_told, 1);
        return;
    }
    if (operation->kernel == SY_GPU_LEAVES) {
        address = ((const struct sy_gpu_leaves *)args)->hashes;
        bytes = 32ull * ((const struct sy_gpu_leaves *)args)->count;
    }
    if (operation->kernel == SY_GPU_SUBTREES) {
        address = ((const struct sy_gpu_subtrees *)args)->to;
        bytes = 32ull * operation->blocks;
    }
    if (bytes == 0) return;
    atomic_fetch_add(&lies_told, 1);
    *SY_AT(uint8_t, address, seed / 8 % bytes) ^= (uint8_t)(1u << seed % 8);
}

static void run_operation(const struct operation *operation)
{
    if (operation->what == COPY) {
        memcpy(operation->to, operation->from, operation->bytes);
        return;
    }
    for (uint32_t block = 0; block < operation->blocks; block++) {
        if (operation->kernel == SY_GPU_SUBTREES) {
            run_subtrees(operation, block);
            continue;
        }
        for (uint32_t i = 0; i < sy_gpu_kernels[operation->kernel].threads; i++) {
            run_thread(operation, block, i);
        }
    }
    unsigned long long left = atomic_load(&lies_in);
    if (left == 0) return;
    if (atomic_compare_exchange_strong(&lies_in, &left, left - 1) && left == 1) {
        tell_lie(operation);
    }
}

// --- the driver's calls --------------------------------------------------------------------------

static sy_status open_host(void **device, struct sy_error *err)
{
    *device = NULL;
    sy_status status = count_call(SY_GPU_CALL_OPEN);
    if (status != SY_OK) return sy_fail(err, status, "the host twin was told to fail");
    *device = &held;
    atomic_fetch_add(&held, 1);
    return SY_OK;
}

static void close_host(void *device)
{
    (void)device;
    atomic_fetch_sub(&held, 1);
}

static sy_status get_info(void *device, struct sy_gpu_info *out)
{
    (void)device;
    *out = (struct sy_gpu_info){.name = "host twin",
                                .memory_bytes = MEMORY_BYTES,
                                .free_bytes = MEMORY_BYTES / 4,
                                .processors = 1};
    return count_call(SY_GPU_CALL_INFO);
}

static sy_status hold(enum sy_gpu_call call, void **memory, uint64_t bytes)
{
    *memory = NULL;
    SY_TRY(count_call(call));
    *memory = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (!*memory) return SY_ERR_NO_MEMORY;
    atomic_fetch_add(&held, 1);
    return SY_OK;
}

static sy_status reserve(void *device, uint64_t *address, uint64_t bytes)
{
    void *memory = NULL;
    (void)device;
    sy_status status = hold(SY_GPU_CALL_RESERVE, &memory, bytes);
    *address = (uintptr_t)memory;
    return status;
}

static void unpin(void *device, void *memory)
{
    (void)device;
    free(memory);
    atomic_fetch_sub(&held, 1);
}

static void release(void *device, uint64_t address)
{
    unpin(device, (void *)(uintptr_t)address);
}

static sy_status pin(void *device, void **memory, size_t bytes)
{
    (void)device;
    return hold(SY_GPU_CALL_PIN, memory, bytes);
}

static sy_status open_stream(void *device, void **stream)
{
    (void)device;
    *stream = NULL;
    SY_TRY(count_call(SY_GPU_CALL_STREAM));
    *stream = calloc(1, sizeof(struct stream));
    if (!*stream) return SY_ERR_NO_MEMORY;
    atomic_fetch_add(&held, 1);
    return SY_OK;
}

static void close_stream(void *device, void *stream)
{
    (void)device;
    free(((struct stream *)stream)->operations);
    free(stream);
    atomic_fetch_sub(&held, 1);
}

static sy_status copy(enum sy_gpu_call call, void *stream, void *to, const void *from, size_t bytes)
{
    SY_TRY(count_call(call));
    struct operation *added = add_operation((struct stream *)stream);
    if (!added) return SY_ERR_NO_MEMORY;
    added->what = COPY;
    added->to = to;
    added->from = from;
    added->bytes = bytes;
    return SY_OK;
}

static sy_status upload(void *device, void *stream, uint64_t to, const void *from, size_t bytes)
{
    (void)device;
    return copy(SY_GPU_CALL_UPLOAD, stream, (void *)(uintptr_t)to, from, bytes);
}

static sy_status download(void *device, void *stream, void *to, uint64_t from, size_t bytes)
{
    (void)device;
    return copy(SY_GPU_CALL_DOWNLOAD, stream, to, (const void *)(uintptr_t)from, bytes);
}

static sy_status launch(void *device, void *stream, enum sy_gpu_kernel kernel, uint32_t blocks,
                        const void *arguments)
{
    size_t bytes = sy_gpu_kernels[kernel].argument_bytes;
    (void)device;
    SY_ASSERT(blocks > 0 && bytes <= ARGUMENT_BYTES_MAX);
    SY_TRY(count_call(SY_GPU_CALL_LAUNCH));
    struct operation *added = add_operation((struct stream *)stream);
    if (!added) return SY_ERR_NO_MEMORY;
    added->what = LAUNCH;
    added->kernel = kernel;
    added->blocks = blocks;
    memcpy(added->arguments, arguments, bytes);
    return SY_OK;
}

static sy_status wait_stream(void *device, void *opened, uint64_t timeout_ns)
{
    struct stream *stream = (struct stream *)opened;
    (void)device;
    (void)timeout_ns; // Nothing here hangs but by order.
    sy_status status = count_call(SY_GPU_CALL_WAIT);
    for (size_t i = 0; status == SY_OK && i < stream->count; i++) {
        run_operation(&stream->operations[i]);
    }
    stream->count = 0;
    return status;
}

const struct sy_gpu_driver sy_gpu_host = {.name = "host",
                                          .piece = PIECE,
                                          .open = open_host,
                                          .close = close_host,
                                          .get_info = get_info,
                                          .reserve = reserve,
                                          .release = release,
                                          .pin = pin,
                                          .unpin = unpin,
                                          .open_stream = open_stream,
                                          .close_stream = close_stream,
                                          .upload = upload,
                                          .download = download,
                                          .launch = launch,
                                          .wait = wait_stream};
