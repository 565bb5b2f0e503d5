/* sha256_many.h: SHA-256 of many short messages at once, by the best means of this processor.
 *
 *     messages   SHA-256(message)
 *     leaves     SHA-256(0x00 || leaf), the RFC 6962 leaf hash (hash.h)
 *     pairs      SHA-256(prefix || left || right): nodes of RFC 6962 (0x01) and of the state trie
 *
 * Every way gives the same bytes; they differ in speed alone:
 *
 *     openssl         one at a time, through hash.h: the reference, and for processors without the
 *                     extensions below the fastest
 *     portable        plain C, one at a time; runs anywhere
 *     sha-ni          the SHA extensions, four messages interleaved
 *     avx512          sixteen messages in the lanes of AVX-512
 *     avx512-sha-ni   both at once: message schedules in lanes, rounds by the SHA extensions
 *
 * A pair is 65 bytes, so its second block has one byte that varies, the last of the right child;
 * its whole message schedule comes from a table of 64 KiB that is made at the first use.
 *
 * Nothing fails and nothing is kept. Any thread. Time depends on lengths, and the cache on content:
 * for public data only. */
#ifndef SY_CRYPTO_SHA256_MANY_H
#define SY_CRYPTO_SHA256_MANY_H

#include <stdbool.h>

#include "core/base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_HASH_NODE_PREFIX 0x01

struct sy_sha256_many {
    const char *name;
    /* messages and leaves: out[i] is the hash of the i-th slice. Lengths may differ. The slices'
     * bytes and out must not overlap. A slice of size 0 may have data NULL. */
    void (*messages)(struct sy_hash *out, const struct sy_slice *messages, size_t count);
    void (*leaves)(struct sy_hash *out, const struct sy_slice *leaves, size_t count);
    /* pairs: out[i] is the hash of prefix, children[2i] and children[2i + 1]. out may be children
     * (or begin before it): nothing is written before it was read. */
    void (*pairs)(struct sy_hash *out, const struct sy_hash *children, size_t count,
                  uint8_t prefix);
};

/* The reference, always there: for whatever judges another way. */
extern const struct sy_sha256_many sy_sha256_openssl;

#define SY_SHA256_WAYS_MAX 5u

/* sy_sha256_many_best is the fastest on this processor that is right. The first call finds it, in
 * one to five milliseconds: each way is tried (sy_sha256_many_is_right; one that fails is passed
 * over with an error in the log), and those that are right are timed. */
const struct sy_sha256_many *sy_sha256_many_best(void);

/* sy_sha256_many_fastest times count ways, 1 to SY_SHA256_WAYS_MAX, over messages and pairs, and
 * returns the one whose best of some rounds is the shortest; of equal ones the first. */
const struct sy_sha256_many *sy_sha256_many_fastest(const struct sy_sha256_many *const *ways,
                                                    size_t count);

/* sy_sha256_many_is_right says whether a way's hashes of some messages, leaves and pairs, of all
 * lengths up to a few blocks, are OpenSSL's. Roots of blocks are made by the best way, unsampled,
 * so one that is wrong here would part this validator from the others. */
bool sy_sha256_many_is_right(const struct sy_sha256_many *way);

/* sy_sha256_many_named returns one by its name, or NULL when this processor cannot run it or there
 * is none of that name. "openssl" and "portable" are always there. */
const struct sy_sha256_many *sy_sha256_many_named(const char *name);

/* sy_sha256_many_at returns the ways that this processor can run one after the other, "openssl" and
 * "portable" among them; NULL from the end on. */
const struct sy_sha256_many *sy_sha256_many_at(size_t index);

#ifdef __cplusplus
}
#endif
#endif
