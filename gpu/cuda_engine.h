/* cuda_engine.h: the engine implementation on a device (core/crypto/engine.h).
 *
 *     run:  raw bytes --> leaf hashes --> roots
 *                              |
 *                              +--> verdicts, of jobs that sign a leaf or a given digest
 *
 * What goes up is packed into pinned memory, piece by piece, two pieces at once: while one is
 * copied and computed, the next is packed. Up to SY_GPU_LANES submissions are on the device at a
 * time; others wait. Any failure of the device, and a wait that takes longer than SY_GPU_WAIT_NS,
 * fails the run and every one after it, so that the engine retires the device.
 *
 * Tables of keys lie in device memory. Which keys have one is decided as on the processor
 * (core/crypto/key_tables.h). */
#ifndef SY_GPU_CUDA_ENGINE_H
#define SY_GPU_CUDA_ENGINE_H

#include "core/crypto/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_GPU_LANES 4u
#define SY_GPU_WAIT_NS 10000000000ull

/* On a CUDA device. Where there is none, or in a build without CUDA, its open says so. */
extern const struct sy_engine_impl sy_engine_cuda;
/* The same on sy_gpu_host (gpu_device.h), for tests. */
extern const struct sy_engine_impl sy_engine_cuda_twin;

/* What a program with this room offers an operator: CUDA, and then the processor's
 * (core/crypto/engine_choice.h). */
extern const struct sy_engine_impl *const sy_engine_all_impls[];

#ifdef __cplusplus
}
#endif
#endif
