#define SY_LIMB_EMULATED
#include "tests/unit/emulated_field.h"

#include <string.h>

#include "core/crypto/ed25519_field.h"

void emulated_mul(uint64_t r[5], const uint64_t a[5], const uint64_t b[5])
{
    struct sy_field x, y;
    memcpy(x.v, a, sizeof x.v);
    memcpy(y.v, b, sizeof y.v);
    sy_field_mul(&x, &x, &y);
    memcpy(r, x.v, sizeof x.v);
}

void emulated_sqr(uint64_t r[5], const uint64_t a[5])
{
    struct sy_field x;
    memcpy(x.v, a, sizeof x.v);
    sy_field_sqr(&x, &x);
    memcpy(r, x.v, sizeof x.v);
}
