/* ed25519_comb.h: tables of multiples of a point, by which k times the point is a few additions.
 *
 * Signed combs (Lim and Lee 1994; Hamburg, "Fast and compact elliptic-curve cryptography", 2012).
 * A number is a sum of +-2^(j + 16 i) over 16 columns j and 16 teeth i (ed25519_scalar.h), so
 *
 *     k P = sum over j of 2^j (sum over i of +-2^(16 i) P)
 *
 * The inner sums lie ready. A key's table has them of teeth 0 to 7 and of 8 to 15: 2 x 128 points,
 * the sign of the highest tooth being taken out; then k P costs 32 additions and 15 doublings. B's
 * table has all 16 teeth at once, 32,768 points, and shares the doublings: 16 additions more.
 *
 * An odd number has such signs, an even one has not. S may be made odd by adding L, for B has order
 * L. A key may have a part of small order (traps.md 19), to which L matters, so k + 1 is taken
 * instead, and the key once less: for that its table has the point itself too. */
#ifndef SY_CRYPTO_ED25519_COMB_H
#define SY_CRYPTO_ED25519_COMB_H

#include "core/crypto/ed25519_bytes.h"

/* A point with Z = 1, every element below p. */
struct sy_comb_entry {
    struct sy_packed plus, minus, t2d;
};

#define SY_COMB_POINTS 128

/* Of MINUS a key A, since R' = S B - k A. */
struct sy_comb_table {
    _Alignas(64) struct sy_comb_entry blocks[2][SY_COMB_POINTS];
    struct sy_comb_entry point;
};

/* sy_comb_build fills the table of a key; false: its bytes are no point. Pure; any thread. */
bool sy_comb_build(struct sy_comb_table *table, const uint8_t key[32]);

#define SY_COMB_BASE_POINTS 32768

/* sy_comb_base returns B's table, made by the first caller (some 10 ms) and kept for the life of
 * the process: 3 MiB. Any thread. */
const struct sy_comb_entry *sy_comb_base(void);

static inline void sy_comb_load(struct sy_affine *r, const struct sy_comb_entry *entry)
{
    sy_field_unpack(&r->plus, &entry->plus);
    sy_field_unpack(&r->minus, &entry->minus);
    sy_field_unpack(&r->t2d, &entry->t2d);
}

#endif
