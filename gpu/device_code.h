/* device_code.h: how code that runs on a device is written here, so that nvcc compiles it for one
 * and gcc and clang, as C17, for the host twin and the tests. */
#ifndef SY_GPU_DEVICE_CODE_H
#define SY_GPU_DEVICE_CODE_H

#include <stdint.h>

#ifdef __CUDACC__
#define SY_DEVICE static __device__ __forceinline__
/* For what is large and called seldom: loops over it must stay in the instruction cache. */
#define SY_DEVICE_CALL static __device__ __noinline__
#define SY_DEVICE_TABLE constexpr
#define SY_UNROLL _Pragma("unroll")
#define SY_ROLL _Pragma("unroll 1")
#else
#define SY_DEVICE static inline
#define SY_DEVICE_CALL static inline
#define SY_DEVICE_TABLE static const
#define SY_UNROLL
#define SY_ROLL
#endif

#endif
