/* cpu.c: CPUID says what the processor has, XGETBV which registers the system saves; a vector
 * extension is there only if both agree (Intel SDM 1, 14.3 and 15.2). */
#include "core/crypto/cpu.h"

#include <pthread.h>

#include "core/base/assert.h"

static struct sy_cpu cpu;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#ifdef __x86_64__

#include <cpuid.h>
#include <stdint.h>

#define XCR0_AVX 0x06u    /* XMM and YMM */
#define XCR0_AVX512 0xe6u /* and the masks, the upper halves of ZMM 0-15, ZMM 16-31 */

static uint32_t saved_state(uint32_t leaf1_ecx)
{
    uint32_t low;
    uint32_t high;
    if ((leaf1_ecx & bit_OSXSAVE) == 0) return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool has_all(uint32_t word, uint32_t bits)
{
    return (word & bits) == bits;
}

static void ask(void)
{
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx1;
    uint32_t ecx7;
    uint32_t edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx1, &edx)) return;
    uint32_t saved = saved_state(ecx1);
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx7, &edx)) return;
    cpu.sha_ni = has_all(ebx, bit_SHA) && has_all(ecx1, bit_SSSE3 | bit_SSE4_1);
    cpu.avx2 = has_all(saved, XCR0_AVX) && has_all(ebx, bit_AVX2 | bit_BMI2);
    cpu.avx512 =
        cpu.avx2 && has_all(saved, XCR0_AVX512) &&
        has_all(ebx, bit_AVX512F | bit_AVX512BW | (uint32_t)bit_AVX512DQ | (uint32_t)bit_AVX512VL);
    cpu.avx512_ifma = cpu.avx512 && has_all(ebx, bit_AVX512IFMA);
    cpu.avx512_vbmi = cpu.avx512 && has_all(ecx7, bit_AVX512VBMI);
}

#else

static void ask(void)
{
}

#endif

const struct sy_cpu *sy_cpu(void)
{
    int failed = pthread_once(&once, ask);
    SY_ASSERT(!failed);
    return &cpu;
}
