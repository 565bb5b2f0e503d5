/* sha256_many.c: which way of sha256_many.h this processor takes, and the reference among them. */
#include "core/crypto/sha256_many.h"

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

const struct sy_sha256_many *sy_sha256_many_best(void)
{
    return sy_sha256_many_at(0);
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
