/* openssl_ctx.c: see openssl_ctx.h. The process-wide context hangs on pthread_once; the per-thread
 * one on a thread-local pointer, beside a pthread key whose only purpose is its destructor. */
#include "core/crypto/openssl_ctx.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"

static struct sy_openssl process_ctx;
static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static _Thread_local struct sy_openssl_thread *thread_ctx;

void sy_openssl_panic(const char *file, int line, const char *call)
{
    char reason[256];
    char text[512];
    unsigned long code = ERR_peek_last_error();
    ERR_error_string_n(code, reason, sizeof reason);
    (void)snprintf(text, sizeof text, "OpenSSL: %s: %s", call, code ? reason : "no reason given");
    sy_panic(file, line, text);
}

static void free_thread_ctx(void *data)
{
    struct sy_openssl_thread *thread = data;
    for (size_t i = 0; i < SY_OPENSSL_VERIFIERS; i++) EVP_MD_CTX_free(thread->verifiers[i].ctx);
    EVP_MAC_CTX_free(thread->hmac);
    EVP_MD_CTX_free(thread->sha512);
    EVP_MD_CTX_free(thread->sha256_running);
    EVP_MD_CTX_free(thread->sha256);
    free(thread);
    thread_ctx = NULL;
}

static void make_process_ctx(void)
{
    struct sy_openssl *ctx = &process_ctx;
    // A machine's openssl.cnf could add providers or properties to the default context; it has no
    // say in ours, and libcrypto need not read it at all.
    SY_OPENSSL_MUST(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    SY_OPENSSL_MUST((ctx->lib = OSSL_LIB_CTX_new()) != NULL);
    SY_OPENSSL_MUST(OSSL_PROVIDER_load(ctx->lib, "default") != NULL);
    SY_OPENSSL_MUST((ctx->sha256 = EVP_MD_fetch(ctx->lib, "SHA256", NULL)) != NULL);
    SY_OPENSSL_MUST((ctx->sha512 = EVP_MD_fetch(ctx->lib, "SHA512", NULL)) != NULL);
    SY_OPENSSL_MUST((ctx->hmac = EVP_MAC_fetch(ctx->lib, "HMAC", NULL)) != NULL);
    SY_OPENSSL_MUST((ctx->aes_256_gcm = EVP_CIPHER_fetch(ctx->lib, "AES-256-GCM", NULL)) != NULL);
    SY_OPENSSL_MUST((ctx->aes_256_cbc = EVP_CIPHER_fetch(ctx->lib, "AES-256-CBC", NULL)) != NULL);
    int failed = pthread_key_create(&thread_key, free_thread_ctx);
    SY_ASSERT(!failed);
}

const struct sy_openssl *sy_openssl(void)
{
    int failed = pthread_once(&process_once, make_process_ctx);
    SY_ASSERT(!failed);
    return &process_ctx;
}

static struct sy_openssl_thread *make_thread_ctx(void)
{
    const struct sy_openssl *ctx = sy_openssl();
    struct sy_openssl_thread *thread = calloc(1, sizeof *thread);
    char digest[] = "SHA256";
    OSSL_PARAM hmac_params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                OSSL_PARAM_construct_end()};
    SY_OPENSSL_MUST(thread != NULL);
    SY_OPENSSL_MUST((thread->sha256 = EVP_MD_CTX_new()) != NULL);
    SY_OPENSSL_MUST((thread->sha256_running = EVP_MD_CTX_new()) != NULL);
    SY_OPENSSL_MUST((thread->sha512 = EVP_MD_CTX_new()) != NULL);
    SY_OPENSSL_MUST(EVP_DigestInit_ex2(thread->sha256, ctx->sha256, NULL) == 1);
    SY_OPENSSL_MUST(EVP_DigestInit_ex2(thread->sha256_running, ctx->sha256, NULL) == 1);
    SY_OPENSSL_MUST(EVP_DigestInit_ex2(thread->sha512, ctx->sha512, NULL) == 1);
    SY_OPENSSL_MUST((thread->hmac = EVP_MAC_CTX_new(ctx->hmac)) != NULL);
    SY_OPENSSL_MUST(EVP_MAC_CTX_set_params(thread->hmac, hmac_params) == 1);
    int failed = pthread_setspecific(thread_key, thread);
    SY_ASSERT(!failed);
    return thread;
}

struct sy_openssl_thread *sy_openssl_thread(void)
{
    if (thread_ctx == NULL) thread_ctx = make_thread_ctx();
    return thread_ctx;
}
