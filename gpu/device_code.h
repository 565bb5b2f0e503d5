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
/* 1, which the compiler cannot know: grids here have one row. */
#define SY_OPAQUE_ONE gridDim.y
#else
#define SY_DEVICE static inline
#define SY_DEVICE_CALL static inline
#define SY_DEVICE_TABLE static const
#define SY_UNROLL
#define SY_ROLL
#define SY_OPAQUE_ONE 1u
#endif

/* a + b by the pipe that multiplies, a * one + b, where the other one, which shifts and combines
 * bits, has all the work: one is SY_OPAQUE_ONE. */
SY_DEVICE uint32_t sy_add_by_mad(uint32_t a, uint32_t b, uint32_t one)
{
#ifdef __CUDACC__
    uint32_t r;
    asm("mad.lo.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(one), "r"(b));
    return r;
#else
    return a * one + b;
#endif
}

/* Four of the eight bytes low, high, numbered from low's least one on: that which the selector's
 * lowest digit (of 16) names becomes the least, and so on. Digits are 0 to 7. */
SY_DEVICE uint32_t sy_pick_bytes(uint32_t low, uint32_t high, uint32_t selector)
{
#ifdef __CUDACC__
    return __byte_perm(low, high, selector);
#else
    uint64_t both = (uint64_t)high << 32 | low;
    uint32_t r = 0;
    for (unsigned i = 0; i < 4; i++) {
        r |= (uint32_t)(both >> 8 * (selector >> 4 * i & 7u) & 0xffu) << 8 * i;
    }
    return r;
#endif
}

/* The other way round. */
SY_DEVICE uint32_t sy_swap_32(uint32_t x)
{
    return sy_pick_bytes(x, 0, 0x0123u);
}

/* Four bytes, the least first, at an address that is a multiple of 4. */
SY_DEVICE uint32_t sy_load_word(const uint8_t *bytes)
{
#ifdef __CUDACC__
    return __ldg((const unsigned int *)bytes);
#else
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
#endif
}

/* Four words at an address that is a multiple of 16, which nothing writes while this kernel runs.
 */
SY_DEVICE void sy_load_4(uint32_t out[4], const uint32_t *in)
{
#ifdef __CUDACC__
    uint4 v = __ldg((const uint4 *)in);
    out[0] = v.x;
    out[1] = v.y;
    out[2] = v.z;
    out[3] = v.w;
#else
    for (int i = 0; i < 4; i++) out[i] = in[i];
#endif
}

#endif
