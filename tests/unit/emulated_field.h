/* emulated_field.h: products of ed25519_field.h as a compiler without a 128-bit type makes them. */
#ifndef SY_TESTS_UNIT_EMULATED_FIELD_H
#define SY_TESTS_UNIT_EMULATED_FIELD_H

#include <stdint.h>

/* Limbs of loose elements in, of tight ones out. */
void emulated_mul(uint64_t r[5], const uint64_t a[5], const uint64_t b[5]);
void emulated_sqr(uint64_t r[5], const uint64_t a[5]);

#endif
