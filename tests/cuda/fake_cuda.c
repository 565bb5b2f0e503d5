/* fake_cuda.c: a libcuda.so.1 for tests: the calls of the CUDA driver that gpu/cuda_device.c makes,
 * on the host twin's memory and kernels (gpu/host_device.h). So what is handed to the driver is
 * tried where there is none: names, arguments, streams, errors, a device that hangs.
 *
 * FAKE_CUDA_FAIL=CALL:NTH:CODE makes the NTH call of that name answer CODE; FAKE_CUDA_HANG=NTH
 * makes streams never end from the NTH question on. */
#include <cuda.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "gpu/host_device.h"

// A stream is asked so often before it has ended.
#define QUESTIONS 3u

struct stream {
    void *own;
    unsigned asked;
    bool busy;
};

// What is current: every call must be in a context, as with the driver.
static _Thread_local CUcontext current;
static void *device;
static char the_context, the_module;
static int functions[SY_GPU_KERNEL_COUNT];

// --- failures ------------------------------------------------------------------------------------

static atomic_uint matching, questions;

static CUresult count_call(const char *name)
{
    const char *wanted = getenv("FAKE_CUDA_FAIL");
    char call[64] = "";
    unsigned nth = 0, code = 0;
    if (!wanted || sscanf(wanted, "%63[^:]:%u:%u", call, &nth, &code) != 3) return CUDA_SUCCESS;
    // cuda.h gives some of the names here a version at the end.
    size_t size = strlen(call);
    if (strncmp(call, name, size) != 0) return CUDA_SUCCESS;
    if (strcmp(name + size, "") != 0 && strcmp(name + size, "_v2") != 0) return CUDA_SUCCESS;
    return atomic_fetch_add(&matching, 1) + 1 == nth ? (CUresult)code : CUDA_SUCCESS;
}

static CUresult enter(const char *name)
{
    if (!current) return CUDA_ERROR_INVALID_CONTEXT;
    return count_call(name);
}

static CUresult result_of(sy_status status)
{
    if (status == SY_ERR_NO_MEMORY) return CUDA_ERROR_OUT_OF_MEMORY;
    return status == SY_OK ? CUDA_SUCCESS : CUDA_ERROR_UNKNOWN;
}

#define ENTER()                                      \
    do {                                             \
        CUresult entered = enter(__func__);          \
        if (entered != CUDA_SUCCESS) return entered; \
    } while (0)

// --- device and context --------------------------------------------------------------------------

CUresult CUDAAPI cuInit(unsigned flags)
{
    return flags == 0 ? count_call(__func__) : CUDA_ERROR_INVALID_VALUE;
}

CUresult CUDAAPI cuGetErrorName(CUresult error, const char **name)
{
    *name = error == CUDA_SUCCESS ? "CUDA_SUCCESS" : "FAKE_CUDA_ERROR";
    return CUDA_SUCCESS;
}

CUresult CUDAAPI cuDeviceGetCount(int *count)
{
    *count = 1;
    return count_call(__func__);
}

CUresult CUDAAPI cuDeviceGet(CUdevice *out, int ordinal)
{
    *out = 7;
    return ordinal == 0 ? count_call(__func__) : CUDA_ERROR_INVALID_DEVICE;
}

CUresult CUDAAPI cuDeviceGetName(char *name, int size, CUdevice number)
{
    if (number != 7) return CUDA_ERROR_INVALID_DEVICE;
    (void)snprintf(name, (size_t)size, "fake device for tests");
    return count_call(__func__);
}

CUresult CUDAAPI cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice number)
{
    if (number != 7) return CUDA_ERROR_INVALID_DEVICE;
    *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 9 : 0;
    return count_call(__func__);
}

CUresult CUDAAPI cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice number)
{
    CUresult result = number == 7 ? count_call(__func__) : CUDA_ERROR_INVALID_DEVICE;
    if (result != CUDA_SUCCESS) return result;
    if (!device && sy_gpu_host.open(&device, NULL) != SY_OK) return CUDA_ERROR_UNKNOWN;
    *context = (CUcontext)(void *)&the_context;
    return CUDA_SUCCESS;
}

CUresult CUDAAPI cuDevicePrimaryCtxRelease(CUdevice number)
{
    return number == 7 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult CUDAAPI cuCtxSetCurrent(CUcontext context)
{
    current = context;
    return count_call(__func__);
}

CUresult CUDAAPI cuModuleLoadData(CUmodule *module, const void *image)
{
    // What nvcc -fatbin writes begins so.
    static const uint8_t magic[4] = {0x50, 0xed, 0x55, 0xba};
    ENTER();
    if (memcmp(image, magic, sizeof magic) != 0) return CUDA_ERROR_INVALID_IMAGE;
    *module = (CUmodule)(void *)&the_module;
    return CUDA_SUCCESS;
}

CUresult CUDAAPI cuModuleUnload(CUmodule module)
{
    return module == (CUmodule)(void *)&the_module ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult CUDAAPI cuModuleGetFunction(CUfunction *out, CUmodule module, const char *name)
{
    ENTER();
    if (module != (CUmodule)(void *)&the_module) return CUDA_ERROR_INVALID_HANDLE;
    for (size_t i = 0; i < SY_GPU_KERNEL_COUNT; i++) {
        if (strcmp(sy_gpu_kernels[i].name, name) != 0) continue;
        *out = (CUfunction)(void *)&functions[i];
        return CUDA_SUCCESS;
    }
    return CUDA_ERROR_NOT_FOUND;
}

// --- memory --------------------------------------------------------------------------------------

CUresult CUDAAPI cuMemGetInfo(size_t *unused, size_t *all)
{
    ENTER();
    *unused = (size_t)256 << 20;
    *all = (size_t)1 << 30;
    return CUDA_SUCCESS;
}

CUresult CUDAAPI cuMemAlloc(CUdeviceptr *out, size_t bytes)
{
    uint64_t address = 0;
    ENTER();
    sy_status status = sy_gpu_host.reserve(device, &address, bytes);
    *out = address;
    return result_of(status);
}

CUresult CUDAAPI cuMemFree(CUdeviceptr address)
{
    ENTER();
    sy_gpu_host.release(device, address);
    return CUDA_SUCCESS;
}

CUresult CUDAAPI cuMemHostAlloc(void **out, size_t bytes, unsigned flags)
{
    (void)flags;
    ENTER();
    return result_of(sy_gpu_host.pin(device, out, bytes));
}

CUresult CUDAAPI cuMemFreeHost(void *memory)
{
    ENTER();
    sy_gpu_host.unpin(device, memory);
    return CUDA_SUCCESS;
}

// --- streams -------------------------------------------------------------------------------------

CUresult CUDAAPI cuStreamCreate(CUstream *out, unsigned flags)
{
    ENTER();
    struct stream *stream = (struct stream *)calloc(1, sizeof *stream);
    if (!stream || flags != CU_STREAM_NON_BLOCKING) {
        free(stream);
        return CUDA_ERROR_INVALID_VALUE;
    }
    sy_status status = sy_gpu_host.open_stream(device, &stream->own);
    *out = (CUstream)(void *)stream;
    return result_of(status);
}

CUresult CUDAAPI cuStreamDestroy(CUstream opened)
{
    ENTER();
    struct stream *stream = (struct stream *)(void *)opened;
    sy_gpu_host.close_stream(device, stream->own);
    free(stream);
    return CUDA_SUCCESS;
}

CUresult CUDAAPI cuStreamQuery(CUstream opened)
{
    struct stream *stream = (struct stream *)(void *)opened;
    const char *hangs = getenv("FAKE_CUDA_HANG");
    ENTER();
    unsigned number = atomic_fetch_add(&questions, 1) + 1;
    if (hangs && number >= (unsigned)atoi(hangs)) return CUDA_ERROR_NOT_READY;
    if (stream->busy && ++stream->asked < QUESTIONS) return CUDA_ERROR_NOT_READY;
    stream->busy = false;
    stream->asked = 0;
    return result_of(sy_gpu_host.wait(device, stream->own, 0));
}

CUresult CUDAAPI cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream opened)
{
    struct stream *stream = (struct stream *)(void *)opened;
    ENTER();
    stream->busy = true;
    return result_of(sy_gpu_host.upload(device, stream->own, to, from, bytes));
}

CUresult CUDAAPI cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream opened)
{
    struct stream *stream = (struct stream *)(void *)opened;
    ENTER();
    stream->busy = true;
    return result_of(sy_gpu_host.download(device, stream->own, to, from, bytes));
}

CUresult CUDAAPI cuLaunchKernel(CUfunction function, unsigned blocks_x, unsigned blocks_y,
                                unsigned blocks_z, unsigned threads_x, unsigned threads_y,
                                unsigned threads_z, unsigned shared_bytes, CUstream opened,
                                void **parameters, void **extra)
{
    struct stream *stream = (struct stream *)(void *)opened;
    size_t kernel = (size_t)((int *)(void *)function - functions);
    ENTER();
    if (kernel >= SY_GPU_KERNEL_COUNT || blocks_x == 0 || blocks_y != 1 || blocks_z != 1 ||
        threads_x != sy_gpu_kernels[kernel].threads || threads_y != 1 || threads_z != 1 ||
        shared_bytes != 0 || extra) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    stream->busy = true;
    return result_of(sy_gpu_host.launch(device, stream->own, (enum sy_gpu_kernel)kernel, blocks_x,
                                        parameters[0]));
}
