/* openssl_ed25519.c: see openssl_ed25519.h.
 *
 * A thread keeps verification contexts of the keys it saw last, one for each value of a few bits
 * of the key. Making one costs about 5 % of a verification, so the cache serves the keys that come
 * back all the time (validators, gateways), and a flood of keys costs no more than having none.
 *
 * OpenSSL says false both for a bad signature and for lack of memory. The second must never become
 * a verdict, so a false is looked at: memory failures leave a reason in the error queue. */
#include "core/crypto/openssl_ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "core/crypto/openssl_ctx.h"

static bool is_out_of_memory(void)
{
    unsigned long code = ERR_peek_last_error();
    return code != 0 && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
}

// NULL: OpenSSL does not take these bytes for a key.
static EVP_MD_CTX *make_verifier(const struct sy_public_key *key)
{
    OSSL_LIB_CTX *lib = sy_openssl()->lib;
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key_ex(lib, "ED25519", NULL, key->bytes, sizeof key->bytes);
    if (pkey == NULL) {
        SY_OPENSSL_MUST(!is_out_of_memory());
        return NULL;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    SY_OPENSSL_MUST(ctx != NULL);
    SY_OPENSSL_MUST(EVP_DigestVerifyInit_ex(ctx, NULL, NULL, lib, NULL, pkey, NULL) == 1);
    EVP_PKEY_free(pkey); // The context holds its own reference.
    return ctx;
}

static struct sy_openssl_verifier *choose_slot(const struct sy_public_key *key)
{
    // The high bytes of y are as even as any; a key chosen to collide only loses the cache.
    return &sy_openssl_thread()->verifiers[sy_load_u32(key->bytes + 8) % SY_OPENSSL_VERIFIERS];
}

// The key's context, ready for one verification; NULL when the key cannot be taken.
static EVP_MD_CTX *ready_verifier(const struct sy_public_key *key)
{
    struct sy_openssl_verifier *slot = choose_slot(key);
    if (slot->ctx != NULL && sy_public_key_equal(&slot->key, key)) {
        // OpenSSL 3.2 refuses a second one-shot verification on a context; without a key this call
        // starts it again (100 ns).
        if (EVP_DigestVerifyInit_ex(slot->ctx, NULL, NULL, NULL, NULL, NULL, NULL) == 1) {
            return slot->ctx;
        }
    }
    EVP_MD_CTX_free(slot->ctx);
    slot->key = *key;
    slot->ctx = make_verifier(key);
    return slot->ctx;
}

bool sy_openssl_ed25519_verify(const struct sy_public_key *key, const void *message, size_t size,
                               const struct sy_signature *signature)
{
    static const uint8_t nothing[1];
    ERR_set_mark();
    EVP_MD_CTX *ctx = ready_verifier(key);
    bool good = ctx != NULL && EVP_DigestVerify(ctx, signature->bytes, sizeof signature->bytes,
                                                size > 0 ? message : nothing, size) == 1;
    SY_OPENSSL_MUST(good || !is_out_of_memory());
    ERR_pop_to_mark();
    return good;
}
