/* sodium_point.c: may this public key be enrolled? The only file that uses libsodium, which never
 * verifies signatures here: its predicate differs from OpenSSL's.
 *
 * crypto_core_ed25519_is_valid_point does all of it: canonical, on the curve, not of small order,
 * in the subgroup of order L. Releases before the end of 2025 however looked at one coordinate only
 * in the last step and took points P + (0, -1) as well (CVE-2025-69277). What may be enrolled is
 * consensus, so validators with an old and a new library must not differ: P is multiplied by
 * 8 * (1/8 mod L), which keeps its part of order L and takes any torsion away, and must come out
 * unchanged. */
#include <sodium.h>

#include "core/base/assert.h"
#include "core/crypto/keys.h"

_Static_assert(crypto_core_ed25519_BYTES == sizeof(((struct sy_public_key *)0)->bytes),
               "a point is a public key");

// 1/8 mod L, where L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032 5.1).
static const uint8_t eighth[crypto_core_ed25519_SCALARBYTES] = {
    0x79, 0x2f, 0xdc, 0xe2, 0x29, 0xe5, 0x06, 0x61, 0xd0, 0xda, 0x1c, 0x7d, 0xb3, 0x9d, 0xd3, 0x07,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06};

static bool is_torsion_free(const uint8_t *point)
{
    uint8_t out[crypto_core_ed25519_BYTES];
    if (crypto_scalarmult_ed25519_noclamp(out, eighth, point) != 0) return false;
    for (int doubling = 0; doubling < 3; doubling++) {
        uint8_t in[crypto_core_ed25519_BYTES];
        memcpy(in, out, sizeof in);
        if (crypto_core_ed25519_add(out, in, in) != 0) return false;
    }
    return memcmp(out, point, sizeof out) == 0;
}

bool sy_key_enrollable(const struct sy_public_key *key)
{
    int failed = sodium_init(); // Thread-safe; 1 after the first time.
    SY_ASSERT(failed >= 0);
    return crypto_core_ed25519_is_valid_point(key->bytes) == 1 && is_torsion_free(key->bytes);
}
