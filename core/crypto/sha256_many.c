/* sha256_many.c: which way of sha256_many.h this processor takes, and the reference among them. */
#include "core/crypto/sha256_many.h"

#include <pthread.h>

#include "core/base/assert.h"
#include "core/base/os.h"
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
    const struct sy_sha256_many *ways[SY_SHA256_WAYS_MAX];
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

// --- the fastest that is right
// ----------------------------------------------------------------------

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

#define ROUNDS 5u
#define TIMED 64u       // messages and pairs of a round
#define TIMED_BYTES 201 // a transaction's and a receipt's likely length
#define HOPELESS 3u     // so many times slower than the fastest is not asked again

// Some messages, and a level of a tree: what blocks and states are made of.
static uint64_t time_once(const struct sy_sha256_many *way)
{
    static const uint8_t bytes[TIMED_BYTES];
    struct sy_slice messages[TIMED];
    struct sy_hash hashes[2 * TIMED] = {0};
    for (size_t i = 0; i < TIMED; i++) messages[i] = sy_slice_of(bytes, sizeof bytes);
    uint64_t begin = sy_os_monotonic_ns();
    way->leaves(hashes, messages, TIMED);
    way->pairs(hashes, hashes, TIMED, SY_HASH_NODE_PREFIX);
    return sy_os_monotonic_ns() - begin;
}

const struct sy_sha256_many *sy_sha256_many_fastest(const struct sy_sha256_many *const *ways,
                                                    size_t count)
{
    uint64_t least[SY_SHA256_WAYS_MAX];
    size_t fastest = 0;
    SY_ASSERT(count >= 1 && count <= SY_SHA256_WAYS_MAX);
    for (size_t i = 0; i < count; i++) least[i] = UINT64_MAX;
    // In turns, so that what disturbs a moment disturbs no way alone.
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            if (round > 0 && least[i] / HOPELESS > least[fastest]) continue;
            uint64_t ns = time_once(ways[i]);
            if (ns < least[i]) least[i] = ns;
            if (least[i] < least[fastest]) fastest = i;
        }
    }
    return ways[fastest];
}

static const struct sy_sha256_many *best;
static pthread_once_t best_once = PTHREAD_ONCE_INIT;

// OpenSSL's, at least, is as good as itself.
static void find_best(void)
{
    const struct sy_sha256_many *right[SY_SHA256_WAYS_MAX];
    const struct sy_sha256_many *way;
    size_t count = 0;
    for (size_t i = 0; (way = sy_sha256_many_at(i)) != NULL; i++) {
        if (sy_sha256_many_is_right(way)) {
            right[count++] = way;
            continue;
        }
        SY_LOG(SY_LOG_ERROR, "crypto", "hashing_refused", SY_F_TEXT("way", way->name),
               SY_F_TEXT("reason", "its hashes are not OpenSSL's"));
    }
    best = sy_sha256_many_fastest(right, count);
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
