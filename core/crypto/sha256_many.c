/* sha256_many.c: which way of sha256_many.h this processor takes, and the reference among them. */
#include "core/crypto/sha256_many.h"

#include <pthread.h>

#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/crypto/cpu.h"
#include "core/crypto/hash.h"
#include "core/crypto/sha256_tables.h"

static void hash_messages(struct sy_hash *out, const struct sy_slice *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) sy_sha256(&out[i], messages[i].data, messages[i].size);
}

static void hash_leaves(struct sy_hash *out, const struct sy_slice *leaves, size_t count)
{
    for (size_t i = 0; i < count; i++) sy_hash_leaf(&out[i], leaves[i]);
}

static void hash_pairs(struct sy_hash *out, const struct sy_hash *children, size_t count,
                       uint8_t prefix)
{
    for (size_t i = 0; i < count; i++) {
        sy_hash_prefixed(&out[i], prefix, &children[2 * i], &children[2 * i + 1]);
    }
}

const struct sy_sha256_many sy_sha256_openssl = {
    .name = "openssl", .messages = hash_messages, .leaves = hash_leaves, .pairs = hash_pairs};

const struct sy_sha256_many *sy_sha256_many_at(size_t index)
{
    const struct sy_sha256_many *ways[5];
    size_t count = 0;
#ifdef __x86_64__
    if (sy_cpu()->avx512 && sy_cpu()->sha_ni) ways[count++] = &sy_sha256_avx512_sha_ni;
    if (sy_cpu()->sha_ni) ways[count++] = &sy_sha256_sha_ni;
    if (sy_cpu()->avx512) ways[count++] = &sy_sha256_avx512;
#endif
    ways[count++] = &sy_sha256_openssl;
    ways[count++] = &sy_sha256_portable;
    return index < count ? ways[index] : NULL;
}

// --- the best that is right ----------------------------------------------------------------------

#define LENGTHS 208u // 0 to three blocks and a bit: every place in a block is a message's end
#define TRIED 210u   // and lanes are left over at the end

static bool are_equal(const struct sy_hash *a, const struct sy_hash *b, size_t count)
{
    return memcmp(a, b, count * sizeof *a) == 0;
}

bool sy_sha256_many_is_right(const struct sy_sha256_many *way)
{
    const struct sy_sha256_many *reference = &sy_sha256_openssl;
    struct sy_hash expected[TRIED], got[TRIED];
    struct sy_slice slices[TRIED];
    uint8_t bytes[LENGTHS + TRIED];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 167 + 13);
    // 61 has no factor in common with LENGTHS: all lengths, and no two neighbours alike.
    for (size_t i = 0; i < TRIED; i++) slices[i] = sy_slice_of(bytes + i, i * 61 % LENGTHS);
    reference->messages(expected, slices, TRIED);
    way->messages(got, slices, TRIED);
    if (!are_equal(expected, got, TRIED)) return false;
    reference->leaves(expected, slices, TRIED);
    way->leaves(got, slices, TRIED);
    if (!are_equal(expected, got, TRIED)) return false;
    for (size_t count = TRIED / 2; count > 0; count /= 2) { // A tree's levels, in place.
        reference->pairs(expected, expected, count, SY_HASH_NODE_PREFIX);
        way->pairs(got, got, count, SY_HASH_NODE_PREFIX);
        if (!are_equal(expected, got, count)) return false;
    }
    return true;
}

static const struct sy_sha256_many *best;
static pthread_once_t best_once = PTHREAD_ONCE_INIT;

// Ends at OpenSSL's at the latest, which is as good as itself.
static void find_best(void)
{
    for (size_t i = 0;; i++) {
        best = sy_sha256_many_at(i);
        if (sy_sha256_many_is_right(best)) return;
        SY_LOG(SY_LOG_ERROR, "crypto", "hashing_refused", SY_F_TEXT("way", best->name),
               SY_F_TEXT("reason", "its hashes are not OpenSSL's"));
    }
}

const struct sy_sha256_many *sy_sha256_many_best(void)
{
    int failed = pthread_once(&best_once, find_best);
    SY_ASSERT(!failed);
    return best;
}

const struct sy_sha256_many *sy_sha256_many_named(const char *name)
{
    const struct sy_sha256_many *way;
    size_t i = 0;
    while ((way = sy_sha256_many_at(i++)) != NULL) {
        if (strcmp(way->name, name) == 0) return way;
    }
    return NULL;
}
