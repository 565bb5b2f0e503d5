/* sha512_many.h: the SHA-512 inside Ed25519 verification, for many signatures at once.
 *
 * The challenge of a signature is SHA-512(R || A || message) (RFC 8032 5.1.7), and our messages are
 * 47 bytes (keys.h), so its input is always 111 bytes: with padding exactly one block.
 *
 *     0    32  R, the first half of the signature
 *     32   32  A, the public key
 *     64   14  "systole-sig-v1"
 *     78    1  kind
 *     79   32  digest
 *     111   1  0x80
 *     112  16  888, the length in bits, big-endian
 *
 * Both ways give the same bytes:
 *
 *     portable   plain C, one at a time; runs anywhere
 *     avx512     eight in the lanes of AVX-512
 *
 * Nothing fails and nothing is kept. Any thread. For public data only. */
#ifndef SY_CRYPTO_SHA512_MANY_H
#define SY_CRYPTO_SHA512_MANY_H

#include "core/base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_SHA512_LANES 8

/* One challenge; all pointers are borrowed for the call. */
struct sy_challenge {
    const uint8_t *r;             /* the signature's first 32 bytes */
    const uint8_t *key;           /* 32 bytes */
    const struct sy_hash *digest; /* what is signed */
    uint8_t kind;                 /* enum sy_sig_kind; any byte is hashed as it is */
};

struct sy_sha512_many {
    const char *name;
    /* hashes: out[i] is the hash of the i-th challenge. out must not overlap what they point at. */
    void (*hashes)(uint8_t (*out)[64], const struct sy_challenge *challenges, size_t count);
    /* lanes: the same of eight, transposed and as the number that RFC 8032 reduces mod L: limbs[i]
     * [lane] holds bytes 8i to 8i + 7 of that lane's hash, read little-endian. Any alignment. */
    void (*lanes)(uint64_t limbs[8][SY_SHA512_LANES],
                  const struct sy_challenge challenges[SY_SHA512_LANES]);
};

/* sy_sha512_parts hashes parts one after the other, 2^61 bytes at most, in plain C: for messages of
 * any length where they are rare. */
void sy_sha512_parts(uint8_t out[64], const struct sy_slice *parts, size_t count);

/* sy_sha512_many_best is the fastest on this processor. */
const struct sy_sha512_many *sy_sha512_many_best(void);

/* sy_sha512_many_named returns one by its name, or NULL when this processor cannot run it or there
 * is none of that name. "portable" is always there. */
const struct sy_sha512_many *sy_sha512_many_named(const char *name);

/* sy_sha512_many_at returns the ways that this processor can run, the best first; NULL from the end
 * on. */
const struct sy_sha512_many *sy_sha512_many_at(size_t index);

#ifdef __cplusplus
}
#endif
#endif
