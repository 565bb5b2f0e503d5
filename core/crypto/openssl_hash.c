/* openssl_hash.c: SHA-256, SHA-512 and HMAC on contexts that are kept per thread (openssl_ctx.h).
 *
 * EVP_DigestInit_ex2 without an algorithm starts the context's own one again; that is the cheap
 * way in OpenSSL 3.0, where SHA256() and EVP_Q_digest fetch the algorithm by name at every call. */
#include <openssl/evp.h>

#include "core/crypto/hash.h"
#include "core/crypto/openssl_ctx.h"

static void start(EVP_MD_CTX *ctx)
{
    SY_OPENSSL_MUST(EVP_DigestInit_ex2(ctx, NULL, NULL) == 1);
}

static void add(EVP_MD_CTX *ctx, const void *data, size_t size)
{
    SY_OPENSSL_MUST(size == 0 || EVP_DigestUpdate(ctx, data, size) == 1);
}

static void finish(EVP_MD_CTX *ctx, uint8_t *out)
{
    SY_OPENSSL_MUST(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

void sy_sha256_init(void)
{
    start(sy_openssl_thread()->sha256_running);
}

void sy_sha256_update(const void *data, size_t size)
{
    add(sy_openssl_thread()->sha256_running, data, size);
}

void sy_sha256_final(struct sy_hash *out)
{
    finish(sy_openssl_thread()->sha256_running, out->bytes);
}

void sy_sha256(struct sy_hash *out, const void *data, size_t size)
{
    EVP_MD_CTX *ctx = sy_openssl_thread()->sha256;
    start(ctx);
    add(ctx, data, size);
    finish(ctx, out->bytes);
}

void sy_sha512(uint8_t out[64], const void *data, size_t size)
{
    EVP_MD_CTX *ctx = sy_openssl_thread()->sha512;
    start(ctx);
    add(ctx, data, size);
    finish(ctx, out);
}

void sy_hash_leaf(struct sy_hash *out, struct sy_slice data)
{
    static const uint8_t prefix = 0x00;
    EVP_MD_CTX *ctx = sy_openssl_thread()->sha256;
    start(ctx);
    add(ctx, &prefix, 1);
    add(ctx, data.data, data.size);
    finish(ctx, out->bytes);
}

void sy_hash_node(struct sy_hash *out, const struct sy_hash *left, const struct sy_hash *right)
{
    sy_hash_prefixed(out, 0x01, left, right);
}

void sy_hash_prefixed(struct sy_hash *out, uint8_t prefix, const struct sy_hash *a,
                      const struct sy_hash *b)
{
    uint8_t input[65];
    input[0] = prefix;
    memcpy(input + 1, a->bytes, 32);
    memcpy(input + 33, b->bytes, 32);
    sy_sha256(out, input, sizeof input);
}

void sy_hash_digest(struct sy_hash *out, enum sy_digest_kind kind, const struct sy_hash *genesis,
                    struct sy_slice layout)
{
    uint8_t head[34];
    EVP_MD_CTX *ctx = sy_openssl_thread()->sha256;
    head[0] = 0x02;
    head[1] = (uint8_t)kind;
    memcpy(head + 2, genesis->bytes, 32);
    start(ctx);
    add(ctx, head, sizeof head);
    add(ctx, layout.data, layout.size);
    finish(ctx, out->bytes);
}

void sy_hmac_sha256(struct sy_hash *out, struct sy_slice key, struct sy_slice data)
{
    static const uint8_t none[1];
    EVP_MAC_CTX *ctx = sy_openssl_thread()->hmac;
    size_t size = 0;
    // A NULL key would mean "the key of the last call", so an empty one needs an address.
    SY_OPENSSL_MUST(EVP_MAC_init(ctx, key.size > 0 ? key.data : none, key.size, NULL) == 1);
    SY_OPENSSL_MUST(data.size == 0 || EVP_MAC_update(ctx, data.data, data.size) == 1);
    SY_OPENSSL_MUST(EVP_MAC_final(ctx, out->bytes, &size, sizeof out->bytes) == 1);
}
