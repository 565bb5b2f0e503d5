/* ptx_arithmetic.h: what the instructions that touch nothing but values compute. */
#ifndef SY_TESTS_PTX_PTX_ARITHMETIC_H
#define SY_TESTS_PTX_PTX_ARITHMETIC_H

#include "tests/ptx/ptx_program.h"

/* ptx_compute is the result of an instruction up to PTX_LAST_PURE, to be masked; v: its sources. No
 * remainder by 0. */
uint64_t ptx_compute(const struct ptx_op *op, const uint64_t v[PTX_IN_MAX]);

/* ptx_compute_carry is the result of one from there to PTX_LAST_CARRY, and the flag after it; carry
 * is 0 or 1 before, whether it takes it or not. */
uint32_t ptx_compute_carry(uint32_t *carry, const struct ptx_op *op, const uint64_t v[PTX_IN_MAX]);

#endif
