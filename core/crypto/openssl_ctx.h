/* openssl_ctx.h: the one library context through which systole uses OpenSSL's libcrypto.
 *
 * Verdicts are consensus, so nothing on the machine may change them: the context is private, has
 * the default provider only and reads no configuration file. Algorithms are fetched by name once,
 * at first use, because OpenSSL 3.0 spends more on a fetch than on hashing 64 bytes. Contexts
 * that cannot be shared are kept per thread and freed when the thread ends.
 *
 * Nothing here can fail for a reason that a caller could mend: a machine whose OpenSSL lacks
 * SHA-256, or that is out of memory, cannot run a validator, and guessing a verdict would blame
 * somebody. Such a failure ends the process with OpenSSL's own reason. Only files named openssl_*
 * or tls_* may include this header. */
#ifndef SY_CRYPTO_OPENSSL_CTX_H
#define SY_CRYPTO_OPENSSL_CTX_H

#include <openssl/evp.h>

#include "core/base/bytes.h"

struct sy_openssl {
    OSSL_LIB_CTX *lib;
    EVP_MD *sha256;
    EVP_MD *sha512;
    EVP_MAC *hmac;
    EVP_CIPHER *aes_256_gcm;
    EVP_CIPHER *aes_256_cbc;
};

/* Verification contexts a thread keeps, indexed by a few bits of the key. Each costs about 1 KiB;
 * a miss costs what having no cache costs. */
#define SY_OPENSSL_VERIFIERS 1024

struct sy_openssl_verifier {
    struct sy_public_key key;
    EVP_MD_CTX *ctx; /* NULL: the slot is empty */
};

struct sy_openssl_thread {
    EVP_MD_CTX *sha256;
    EVP_MD_CTX *sha256_running; /* the incremental hash, so that others may come in between */
    EVP_MD_CTX *sha512;
    EVP_MAC_CTX *hmac;
    struct sy_openssl_verifier verifiers[SY_OPENSSL_VERIFIERS];
};

/* sy_openssl returns the process's context, made at the first call. It lives until exit. Any
 * thread. */
const struct sy_openssl *sy_openssl(void);

/* sy_openssl_thread returns the calling thread's contexts, made at its first call and freed when
 * the thread ends. */
struct sy_openssl_thread *sy_openssl_thread(void);

/* sy_openssl_panic ends the process, naming the call and OpenSSL's newest error. */
__attribute__((noreturn, cold)) void sy_openssl_panic(const char *file, int line, const char *call);

/* SY_OPENSSL_MUST makes a call that cannot fail on a sound machine; unlike SY_ASSERT's condition
 * the call may have side effects. */
#define SY_OPENSSL_MUST(call) ((call) ? (void)0 : sy_openssl_panic(__FILE__, __LINE__, #call))

#endif
