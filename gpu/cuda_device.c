/* cuda_device.c: a CUDA device, by the driver's own library (the CUDA driver API).
 *
 * The library is opened when a device is, never linked: a program built with CUDA starts on
 * machines without a driver, and says there what is missing. The kernels come from the image that
 * nvcc made of kernels.cu (CMakeLists.txt), which lies in this file's read-only data; the driver
 * takes from it the code made for its device, or translates the PTX in it. */
#include <cuda.h>
#include <dlfcn.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "gpu/gpu_device.h"

#define LIBRARY "libcuda.so.1"
#define CAPABILITY_LEAST 80u
// A wait looks again at once for so long, then after rests: a batch takes some 100 us and more.
#define SPIN_NS 50000u
#define REST_NS 20000u

__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        ".globl sy_gpu_image\n"
        ".hidden sy_gpu_image\n"
        "sy_gpu_image:\n"
        ".incbin \"" SY_GPU_IMAGE_PATH "\"\n"
        ".popsection\n");
extern const char sy_gpu_image[];

// --- the driver's library ------------------------------------------------------------------------

#define CALLS(X)                 \
    X(cuInit)                    \
    X(cuGetErrorName)            \
    X(cuDeviceGetCount)          \
    X(cuDeviceGet)               \
    X(cuDeviceGetName)           \
    X(cuDeviceGetAttribute)      \
    X(cuDevicePrimaryCtxRetain)  \
    X(cuDevicePrimaryCtxRelease) \
    X(cuCtxSetCurrent)           \
    X(cuModuleLoadData)          \
    X(cuModuleUnload)            \
    X(cuModuleGetFunction)       \
    X(cuMemGetInfo)              \
    X(cuMemAlloc)                \
    X(cuMemFree)                 \
    X(cuMemHostAlloc)            \
    X(cuMemFreeHost)             \
    X(cuStreamCreate)            \
    X(cuStreamDestroy)           \
    X(cuStreamQuery)             \
    X(cuMemcpyHtoDAsync)         \
    X(cuMemcpyDtoHAsync)         \
    X(cuLaunchKernel)

// cuda.h renames calls to their newest version by macros, which name and type alike go through.
#define TEXT(name) #name
#define SYMBOL(name) TEXT(name)

struct cuda {
    void *library;
    struct {
#define MEMBER(call) __typeof__(&call) p_##call;
        CALLS(MEMBER)
#undef MEMBER
    } api;
    CUdevice device;
    CUcontext context;
    CUmodule module;
    CUfunction kernels[SY_GPU_KERNEL_COUNT];
    atomic_bool lost; // a wait timed out
};

static sy_status load_library(struct cuda *cuda, struct sy_error *err)
{
    cuda->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!cuda->library) {
        (void)sy_fail(err, SY_ERR_NOT_FOUND, "there is no CUDA driver here (%s)", dlerror());
        return SY_ERR_NOT_FOUND;
    }
#define LOAD(call)                                                                    \
    {                                                                                 \
        void *found = dlsym(cuda->library, SYMBOL(call));                             \
        if (!found) {                                                                 \
            (void)sy_fail(err, SY_ERR_NOT_FOUND, LIBRARY " has no %s: it is too old", \
                          SYMBOL(call));                                              \
            return SY_ERR_NOT_FOUND;                                                  \
        }                                                                             \
        cuda->api.p_##call = (__typeof__(&call))(uintptr_t)found;                     \
    }
    CALLS(LOAD)
#undef LOAD
    return SY_OK;
}

// Says what a call answered, unless it was good.
static sy_status judge(struct cuda *cuda, CUresult result, const char *call, struct sy_error *err)
{
    const char *name = NULL;
    if (result == CUDA_SUCCESS) return SY_OK;
    if (cuda->api.p_cuGetErrorName(result, &name) != CUDA_SUCCESS || !name) name = "unknown";
    SY_LOG(SY_LOG_ERROR, "gpu", "cuda_failed", SY_F_TEXT("call", call), SY_F_TEXT("error", name),
           SY_F_U64("code", result));
    sy_status status = result == CUDA_ERROR_OUT_OF_MEMORY ? SY_ERR_NO_MEMORY : SY_ERR_IO;
    return sy_fail(err, status, "%s: %s (%d)", call, name, (int)result);
}

#define CUDA_TRY(cuda, call, err, ...) \
    SY_TRY(judge((cuda), (cuda)->api.p_##call(__VA_ARGS__), SYMBOL(call), (err)))

// --- opening and closing -------------------------------------------------------------------------

static void close_cuda(void *device)
{
    struct cuda *cuda = (struct cuda *)device;
    if (!cuda) return;
    if (atomic_load(&cuda->lost)) return; // See gpu_device.h: what it may write to stays.
    if (cuda->context) {
        (void)cuda->api.p_cuCtxSetCurrent(cuda->context);
        if (cuda->module) (void)cuda->api.p_cuModuleUnload(cuda->module);
        (void)cuda->api.p_cuCtxSetCurrent(NULL);
        (void)cuda->api.p_cuDevicePrimaryCtxRelease(cuda->device);
    }
    if (cuda->library) (void)dlclose(cuda->library);
    free(cuda);
}

static uint32_t get_attribute(struct cuda *cuda, CUdevice_attribute attribute)
{
    int value = 0;
    CUresult result = cuda->api.p_cuDeviceGetAttribute(&value, attribute, cuda->device);
    return result == CUDA_SUCCESS && value > 0 ? (uint32_t)value : 0;
}

static uint32_t capability_of(struct cuda *cuda)
{
    return 10 * get_attribute(cuda, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
           get_attribute(cuda, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}

// The first device; CUDA_VISIBLE_DEVICES, which the driver obeys, says which that is.
static sy_status find_device(struct cuda *cuda, struct sy_error *err)
{
    int count = 0;
    CUresult result = cuda->api.p_cuInit(0);
    if (result == CUDA_SUCCESS) result = cuda->api.p_cuDeviceGetCount(&count);
    if (result != CUDA_SUCCESS || count == 0) {
        const char *name = NULL;
        (void)cuda->api.p_cuGetErrorName(result, &name);
        return sy_fail(err, SY_ERR_NOT_FOUND, "there is no CUDA device here (%s)",
                       result == CUDA_SUCCESS || !name ? "none is visible" : name);
    }
    CUDA_TRY(cuda, cuDeviceGet, err, &cuda->device, 0);
    uint32_t capability = capability_of(cuda);
    if (capability < CAPABILITY_LEAST) {
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "the CUDA device has compute capability %u.%u; it must be %u.%u or more",
                       capability / 10, capability % 10, CAPABILITY_LEAST / 10,
                       CAPABILITY_LEAST % 10);
    }
    return SY_OK;
}

static sy_status load_kernels(struct cuda *cuda, struct sy_error *err)
{
    CUDA_TRY(cuda, cuDevicePrimaryCtxRetain, err, &cuda->context, cuda->device);
    CUDA_TRY(cuda, cuCtxSetCurrent, err, cuda->context);
    CUDA_TRY(cuda, cuModuleLoadData, err, &cuda->module, sy_gpu_image);
    for (size_t i = 0; i < SY_GPU_KERNEL_COUNT; i++) {
        CUDA_TRY(cuda, cuModuleGetFunction, err, &cuda->kernels[i], cuda->module,
                 sy_gpu_kernels[i].name);
    }
    return SY_OK;
}

static sy_status open_cuda(void **device, struct sy_error *err)
{
    *device = NULL;
    struct cuda *cuda = (struct cuda *)calloc(1, sizeof *cuda);
    if (!cuda) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the CUDA device");
    sy_status status = load_library(cuda, err);
    if (status == SY_OK) status = find_device(cuda, err);
    if (status == SY_OK) status = load_kernels(cuda, err);
    if (status != SY_OK) {
        close_cuda(cuda);
        return status;
    }
    *device = cuda;
    return SY_OK;
}

// Contexts belong to threads; every call may come from another one.
static sy_status enter(struct cuda *cuda)
{
    if (atomic_load(&cuda->lost)) return SY_ERR_TIMEOUT;
    CUDA_TRY(cuda, cuCtxSetCurrent, NULL, cuda->context);
    return SY_OK;
}

static sy_status get_info(void *device, struct sy_gpu_info *out)
{
    struct cuda *cuda = (struct cuda *)device;
    size_t unused = 0, all = 0;
    *out = (struct sy_gpu_info){.name = ""};
    SY_TRY(enter(cuda));
    CUDA_TRY(cuda, cuDeviceGetName, NULL, out->name, (int)sizeof out->name, cuda->device);
    CUDA_TRY(cuda, cuMemGetInfo, NULL, &unused, &all);
    out->memory_bytes = all;
    out->free_bytes = unused;
    out->processors = get_attribute(cuda, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    out->clock_mhz = get_attribute(cuda, CU_DEVICE_ATTRIBUTE_CLOCK_RATE) / 1000;
    out->capability = capability_of(cuda);
    return SY_OK;
}

// --- memory --------------------------------------------------------------------------------------

static sy_status reserve(void *device, uint64_t *address, uint64_t bytes)
{
    struct cuda *cuda = (struct cuda *)device;
    CUdeviceptr found = 0;
    *address = 0;
    SY_TRY(enter(cuda));
    CUDA_TRY(cuda, cuMemAlloc, NULL, &found, bytes);
    *address = found;
    return SY_OK;
}

static void release(void *device, uint64_t address)
{
    struct cuda *cuda = (struct cuda *)device;
    if (address == 0 || enter(cuda) != SY_OK) return;
    (void)judge(cuda, cuda->api.p_cuMemFree(address), SYMBOL(cuMemFree), NULL);
}

static sy_status pin(void *device, void **memory, size_t bytes)
{
    struct cuda *cuda = (struct cuda *)device;
    *memory = NULL;
    SY_TRY(enter(cuda));
    CUDA_TRY(cuda, cuMemHostAlloc, NULL, memory, bytes, CU_MEMHOSTALLOC_PORTABLE);
    return SY_OK;
}

static void unpin(void *device, void *memory)
{
    struct cuda *cuda = (struct cuda *)device;
    if (!memory || enter(cuda) != SY_OK) return;
    (void)judge(cuda, cuda->api.p_cuMemFreeHost(memory), SYMBOL(cuMemFreeHost), NULL);
}

// --- streams -------------------------------------------------------------------------------------

static sy_status open_stream(void *device, void **stream)
{
    struct cuda *cuda = (struct cuda *)device;
    CUstream found = NULL;
    *stream = NULL;
    SY_TRY(enter(cuda));
    CUDA_TRY(cuda, cuStreamCreate, NULL, &found, CU_STREAM_NON_BLOCKING);
    *stream = found;
    return SY_OK;
}

static void close_stream(void *device, void *stream)
{
    struct cuda *cuda = (struct cuda *)device;
    if (!stream || enter(cuda) != SY_OK) return;
    (void)judge(cuda, cuda->api.p_cuStreamDestroy((CUstream)stream), SYMBOL(cuStreamDestroy), NULL);
}

static sy_status upload(void *device, void *stream, uint64_t to, const void *from, size_t bytes)
{
    struct cuda *cuda = (struct cuda *)device;
    SY_TRY(enter(cuda));
    CUDA_TRY(cuda, cuMemcpyHtoDAsync, NULL, to, from, bytes, (CUstream)stream);
    return SY_OK;
}

static sy_status download(void *device, void *stream, void *to, uint64_t from, size_t bytes)
{
    struct cuda *cuda = (struct cuda *)device;
    SY_TRY(enter(cuda));
    CUDA_TRY(cuda, cuMemcpyDtoHAsync, NULL, to, from, bytes, (CUstream)stream);
    return SY_OK;
}

static sy_status launch(void *device, void *stream, enum sy_gpu_kernel kernel, uint32_t blocks,
                        const void *arguments)
{
    struct cuda *cuda = (struct cuda *)device;
    void *parameters[] = {(void *)(uintptr_t)arguments};
    SY_TRY(enter(cuda));
    CUDA_TRY(cuda, cuLaunchKernel, NULL, cuda->kernels[kernel], blocks, 1, 1,
             sy_gpu_kernels[kernel].threads, 1, 1, 0, (CUstream)stream, parameters, NULL);
    return SY_OK;
}

// The driver has no wait that ends by itself, so this one asks again and again.
static sy_status wait_stream(void *device, void *stream, uint64_t timeout_ns)
{
    static const struct timespec rest = {.tv_nsec = REST_NS};
    struct cuda *cuda = (struct cuda *)device;
    SY_TRY(enter(cuda));
    uint64_t start = sy_os_monotonic_ns();
    for (;;) {
        CUresult result = cuda->api.p_cuStreamQuery((CUstream)stream);
        if (result != CUDA_ERROR_NOT_READY) {
            return judge(cuda, result, SYMBOL(cuStreamQuery), NULL);
        }
        uint64_t waited = sy_os_monotonic_ns() - start;
        if (waited > timeout_ns) break;
        if (waited < SPIN_NS) {
            (void)sched_yield();
        } else {
            (void)nanosleep(&rest, NULL);
        }
    }
    atomic_store(&cuda->lost, true);
    SY_LOG(SY_LOG_ERROR, "gpu", "cuda_lost", SY_F_U64("after_ms", timeout_ns / 1000000));
    return SY_ERR_TIMEOUT;
}

const struct sy_gpu_driver sy_gpu_cuda = {.name = "cuda",
                                          // As many threads as a large device runs at once.
                                          .piece = SY_GPU_PIECE_MAX,
                                          .open = open_cuda,
                                          .close = close_cuda,
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
