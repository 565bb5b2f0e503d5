/* host_device.h: how tests make sy_gpu_host (gpu_device.h) fail, and see that nothing is left held.
 * What is put on a stream of its is done when it is waited for, not before, so that whoever touches
 * memory too early finds it as it was. Any thread. */
#ifndef SY_GPU_HOST_DEVICE_H
#define SY_GPU_HOST_DEVICE_H

#include "gpu/gpu_device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sy_gpu_call {
    SY_GPU_CALL_OPEN,
    SY_GPU_CALL_INFO,
    SY_GPU_CALL_RESERVE,
    SY_GPU_CALL_PIN,
    SY_GPU_CALL_STREAM,
    SY_GPU_CALL_UPLOAD,
    SY_GPU_CALL_DOWNLOAD,
    SY_GPU_CALL_LAUNCH,
    SY_GPU_CALL_WAIT,
    SY_GPU_CALL_COUNT
};

/* sy_gpu_host_fail makes the nth call of this kind from now on (1 is the next) answer status, and
 * do nothing; 0: none does. */
void sy_gpu_host_fail(enum sy_gpu_call call, uint64_t nth, sy_status status);

/* sy_gpu_host_lie makes the nth launch from now on leave one bit of what finish, leaves or subtrees
 * write, at a place that seed says, wrong: as a device does that is ill. 0: none does.
 * sy_gpu_host_lies counts those told. */
void sy_gpu_host_lie(uint64_t nth, uint64_t seed);
uint64_t sy_gpu_host_lies(void);

/* Calls of a kind since the process began; and devices, memory and streams that are open now. */
uint64_t sy_gpu_host_calls(enum sy_gpu_call call);
uint64_t sy_gpu_host_held(void);

#ifdef __cplusplus
}
#endif
#endif
