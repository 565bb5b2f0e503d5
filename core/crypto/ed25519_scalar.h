/* ed25519_scalar.h: numbers mod L, the order of the base point (RFC 8032 5.1), and their digits.
 *
 * L = 2^252 + 27742317777372353535851937790883648493. Variable time; public numbers only. Pure. */
#ifndef SY_CRYPTO_ED25519_SCALAR_H
#define SY_CRYPTO_ED25519_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

struct sy_scalar {
    uint64_t word[4]; /* the least first */
};

/* sy_scalar_read reads 32 bytes, little-endian; false when they are L or more. */
bool sy_scalar_read(struct sy_scalar *r, const uint8_t bytes[32]);

/* sy_scalar_reduce is the 64-byte number mod L: below L. */
void sy_scalar_reduce(struct sy_scalar *r, const uint8_t bytes[64]);

/* sy_scalar_make_odd_vartime adds L, which is odd, to an even number below L: the same multiple of
 * every point of order L. */
void sy_scalar_make_odd_vartime(struct sy_scalar *r);

#define SY_COMB_COLUMNS 16
#define SY_COMB_TEETH 16

/* sy_scalar_comb writes the signed comb of an odd number below 2^255 (Hamburg, "Fast and compact
 * elliptic-curve cryptography", 2012): bit i of columns[j] stands for the sign of 2^(j + 16 i), 1
 * for plus, and the sum of all 256 of them is the number. Bit 15 of columns[15] is 1. */
void sy_scalar_comb(uint16_t columns[SY_COMB_COLUMNS], const struct sy_scalar *odd);

#define SY_NAF_DIGITS 257

/* sy_scalar_naf_vartime writes a number below 2^255 in signed digits of base 2: each is 0 or odd,
 * from -15 to 15, and of five that follow each other at most one is not 0. */
void sy_scalar_naf_vartime(int16_t digits[SY_NAF_DIGITS], const struct sy_scalar *a);

#endif
