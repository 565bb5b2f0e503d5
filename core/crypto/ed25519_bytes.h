/* ed25519_bytes.h: field elements and points as the bytes of RFC 8032 5.1.2 and 5.1.3. Pure. */
#ifndef SY_CRYPTO_ED25519_BYTES_H
#define SY_CRYPTO_ED25519_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto/ed25519_point.h"

/* An element below p in four words, the least first: how tables keep it. */
struct sy_packed {
    uint64_t word[4];
};

/* sy_field_pack writes the one number below p that a (tight) stands for. sy_field_unpack reads any
 * 255 bits, whether below p or not, and leaves the top bit out. */
static inline void sy_field_pack(struct sy_packed *r, const struct sy_field *a)
{
    struct sy_field f;
    sy_field_freeze(&f, a);
    r->word[0] = f.v[0] | f.v[1] << 51;
    r->word[1] = f.v[1] >> 13 | f.v[2] << 38;
    r->word[2] = f.v[2] >> 26 | f.v[3] << 25;
    r->word[3] = f.v[3] >> 39 | f.v[4] << 12;
}

static inline void sy_field_unpack(struct sy_field *r, const struct sy_packed *a)
{
    r->v[0] = a->word[0] & SY_LIMB_MASK;
    r->v[1] = (a->word[0] >> 51 | a->word[1] << 13) & SY_LIMB_MASK;
    r->v[2] = (a->word[1] >> 38 | a->word[2] << 26) & SY_LIMB_MASK;
    r->v[3] = (a->word[2] >> 25 | a->word[3] << 39) & SY_LIMB_MASK;
    r->v[4] = a->word[3] >> 12 & SY_LIMB_MASK;
}

/* sy_point_decode reads an encoded point exactly as OpenSSL does for a public key: y may be p or
 * above and is taken mod p, and for x = 0 the sign bit says nothing (RFC 8032 5.1.3 refuses both).
 * False: no point of the curve has this y. negate: gives minus the point. */
bool sy_point_decode(struct sy_point *r, const uint8_t bytes[32], bool negate);

/* sy_fields_invert inverts count elements (loose, none of them 0) in place with one inversion and
 * three products each (Montgomery 1987). scratch: count elements. */
void sy_fields_invert(struct sy_field *elements, struct sy_field *scratch, size_t count);

/* sy_field_is_zero says whether a (tight) is 0 mod p. */
bool sy_field_is_zero(const struct sy_field *a);

#endif
