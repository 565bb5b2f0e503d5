/* carry.h: 32-bit additions and products chained by a carry: PTX's on a device, the same in plain C
 * elsewhere.
 *
 * A name's end says what it does with the carry flag: _cc sets it; addc, subc and madc add or
 * subtract it first. lo and hi are halves of the 64-bit product a * b, to which c is added. Between
 * the links of a chain nothing else may use the flag. On the host each thread has its own. */
#ifndef SY_GPU_CARRY_H
#define SY_GPU_CARRY_H

#include "gpu/device_code.h"

#ifdef __CUDACC__

#define SY_CARRY_2(name, instruction)                                        \
    SY_DEVICE uint32_t name(uint32_t a, uint32_t b)                          \
    {                                                                        \
        uint32_t r;                                                          \
        asm volatile(instruction " %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); \
        return r;                                                            \
    }
#define SY_CARRY_3(name, instruction)                                                    \
    SY_DEVICE uint32_t name(uint32_t a, uint32_t b, uint32_t c)                          \
    {                                                                                    \
        uint32_t r;                                                                      \
        asm volatile(instruction " %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); \
        return r;                                                                        \
    }

SY_CARRY_2(sy_add_cc, "add.cc.u32")
SY_CARRY_2(sy_addc_cc, "addc.cc.u32")
SY_CARRY_2(sy_addc, "addc.u32")
SY_CARRY_2(sy_sub_cc, "sub.cc.u32")
SY_CARRY_2(sy_subc_cc, "subc.cc.u32")
SY_CARRY_2(sy_subc, "subc.u32")
SY_CARRY_3(sy_mad_lo_cc, "mad.lo.cc.u32")
SY_CARRY_3(sy_madc_lo_cc, "madc.lo.cc.u32")
SY_CARRY_3(sy_mad_hi_cc, "mad.hi.cc.u32")
SY_CARRY_3(sy_madc_hi_cc, "madc.hi.cc.u32")
SY_CARRY_3(sy_madc_hi, "madc.hi.u32")

#undef SY_CARRY_2
#undef SY_CARRY_3

#else

/* 0 or 1; after a subtraction 1 says that it borrowed. */
static __thread uint32_t sy_carry;

static inline uint32_t sy_carry_add(uint64_t sum)
{
    sy_carry = (uint32_t)(sum >> 32);
    return (uint32_t)sum;
}

static inline uint32_t sy_add_cc(uint32_t a, uint32_t b)
{
    return sy_carry_add((uint64_t)a + b);
}

static inline uint32_t sy_addc_cc(uint32_t a, uint32_t b)
{
    return sy_carry_add((uint64_t)a + b + sy_carry);
}

static inline uint32_t sy_addc(uint32_t a, uint32_t b)
{
    return a + b + sy_carry;
}

static inline uint32_t sy_sub_cc(uint32_t a, uint32_t b)
{
    sy_carry = a < b;
    return a - b;
}

static inline uint32_t sy_subc_cc(uint32_t a, uint32_t b)
{
    uint64_t take = (uint64_t)b + sy_carry;
    sy_carry = a < take;
    return (uint32_t)(a - take);
}

static inline uint32_t sy_subc(uint32_t a, uint32_t b)
{
    return a - b - sy_carry;
}

static inline uint32_t sy_high_half(uint32_t a, uint32_t b)
{
    return (uint32_t)((uint64_t)a * b >> 32);
}

static inline uint32_t sy_mad_lo_cc(uint32_t a, uint32_t b, uint32_t c)
{
    return sy_add_cc(a * b, c);
}

static inline uint32_t sy_madc_lo_cc(uint32_t a, uint32_t b, uint32_t c)
{
    return sy_addc_cc(a * b, c);
}

static inline uint32_t sy_mad_hi_cc(uint32_t a, uint32_t b, uint32_t c)
{
    return sy_add_cc(sy_high_half(a, b), c);
}

static inline uint32_t sy_madc_hi_cc(uint32_t a, uint32_t b, uint32_t c)
{
    return sy_addc_cc(sy_high_half(a, b), c);
}

static inline uint32_t sy_madc_hi(uint32_t a, uint32_t b, uint32_t c)
{
    return sy_addc(sy_high_half(a, b), c);
}

#endif
#endif
