/* gpu_device.h: what the CUDA engine needs of a device, and the two there are.
 *
 *     sy_gpu_cuda   a CUDA device, by the driver's library (cuda_device.c); in a build without CUDA
 *                   its open says so (cuda_none.c)
 *     sy_gpu_host   runs the same kernels' code on the processor, thread by thread (host_device.c):
 *                   for tests, on machines without a device; no program offers it to anybody
 *
 * Work goes through streams: what is put on one is done in that order, beside other streams, and
 * the caller waits for it. Memory that uploads and downloads use is pinned; nothing may touch it
 * between the call and the wait. A device address is a number, 0 is none.
 *
 * Any call may fail, and then nothing that was on the stream is known to be done: SY_ERR_IO, with
 * the driver's word for it in the log; SY_ERR_NO_MEMORY; SY_ERR_TIMEOUT from wait. After a time-out
 * the device may still write to memory, so it is never touched again: closing leaves its memory as
 * it is until the process ends.
 *
 * Threads: everything but close from any thread at once; a stream from one thread at a time. */
#ifndef SY_GPU_GPU_DEVICE_H
#define SY_GPU_GPU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "gpu/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_GPU_PIECE_MAX 65536u

struct sy_gpu_info {
    char name[96];         /* the device's own */
    uint64_t memory_bytes; /* all of it */
    uint64_t free_bytes;   /* at the time of asking */
    uint32_t processors;   /* streaming multiprocessors */
    uint32_t capability;   /* 10 x major + minor: 90 for sm_90; 0: none */
    uint32_t clock_mhz;    /* the highest; 0: not known */
};

struct sy_gpu_driver {
    const char *name;
    uint32_t piece; /* jobs or leaves that are worth sending at once, SY_GPU_PIECE_MAX at most */
    /* open makes the device ready (on a CUDA device some tenths of a second). SY_ERR_NOT_FOUND:
     * none is here, with the reason. */
    sy_status (*open)(void **device, struct sy_error *err);
    void (*close)(void *device);
    sy_status (*get_info)(void *device, struct sy_gpu_info *out);

    /* Device memory, aligned to 256 bytes, its contents unspecified; bytes > 0. */
    sy_status (*reserve)(void *device, uint64_t *address, uint64_t bytes);
    void (*release)(void *device, uint64_t address);
    /* Pinned memory of this machine. */
    sy_status (*pin)(void *device, void **memory, size_t bytes);
    void (*unpin)(void *device, void *memory);

    sy_status (*open_stream)(void *device, void **stream);
    void (*close_stream)(void *device, void *stream);
    /* The next three come back at once. launch copies the arguments: the struct that kernels.h
     * names for this kernel; blocks >= 1. */
    sy_status (*upload)(void *device, void *stream, uint64_t to, const void *from, size_t bytes);
    sy_status (*download)(void *device, void *stream, void *to, uint64_t from, size_t bytes);
    sy_status (*launch)(void *device, void *stream, enum sy_gpu_kernel kernel, uint32_t blocks,
                        const void *arguments);
    /* wait comes back when everything on the stream is done, or after so long. */
    sy_status (*wait)(void *device, void *stream, uint64_t timeout_ns);
};

extern const struct sy_gpu_driver sy_gpu_cuda;
extern const struct sy_gpu_driver sy_gpu_host;

#ifdef __cplusplus
}
#endif
#endif
