/* cpu.h: what the processor can do, for code that has more than one way.
 *
 * systole is built for the architecture's baseline. A file that uses more is compiled for it alone,
 * by the end of its name (CMakeLists.txt, "instruction sets"), and nothing in it runs before sy_cpu
 * says that processor and operating system allow it. On other architectures everything is false. */
#ifndef SY_CRYPTO_CPU_H
#define SY_CRYPTO_CPU_H

#include <stdbool.h>

struct sy_cpu {
    bool sha_ni;      /* SHA extensions, with SSE4.1 */
    bool avx2;        /* and BMI2 */
    bool avx512;      /* F, BW, DQ and VL; and AVX2 and BMI2 */
    bool avx512_ifma; /* on top of avx512: 52-bit multiply-add */
    bool avx512_vbmi; /* on top of avx512: byte permutations */
};

/* sy_cpu asks once (CPUID, XGETBV) and returns the same answer ever after. Any thread. */
const struct sy_cpu *sy_cpu(void);

#endif
