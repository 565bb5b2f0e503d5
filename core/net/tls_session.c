/* tls_session.c: see tls_session.h. TLS runs between two memory BIOs; nothing of it survives the
 * handshake but the exporter's output, so records, alerts, tickets and key updates never matter.
 *
 * The certificate is a vessel for the link key: TLS proves that the other side holds the key in it
 * (CertificateVerify), and the verify callback that it is the expected one. Names, dates and the
 * certificate's own signature say nothing that is not known from the roster. */
#include "core/net/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/openssl_ctx.h"
#include "core/crypto/openssl_internal.h"

static const char exporter_label[] = "EXPORTER-systole-link";

// Certificates of ours are about 250 bytes; nobody needs to make us read longer ones.
#define CERTIFICATES_BYTES_MAX 4096

struct sy_tls {
    SSL_CTX *ctx;
};

struct sy_handshake {
    SSL *ssl; /* owns both BIOs */
    BIO *in;
    BIO *out;
    struct sy_public_key expected;
    bool wrong_key;
};

// Says why OpenSSL's newest call failed, and leaves its error queue empty.
static sy_status fail_openssl(struct sy_error *err, const char *what)
{
    char reason[256];
    unsigned long code = ERR_peek_last_error();
    ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return sy_fail(err, SY_ERR_CRYPTO, "TLS set-up: %s: %s", what,
                   code ? reason : "no reason given");
}

// A self-signed certificate around the link key, valid for ever: when a key stops being accepted
// is the roster's decision.
static X509 *make_certificate(EVP_PKEY *pkey)
{
    X509 *cert = X509_new_ex(sy_openssl()->lib, NULL);
    SY_OPENSSL_MUST(cert != NULL);
    SY_OPENSSL_MUST(X509_set_version(cert, X509_VERSION_3) == 1);
    SY_OPENSSL_MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1);
    SY_OPENSSL_MUST(ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), "19700101000000Z") == 1);
    SY_OPENSSL_MUST(ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "99991231235959Z") == 1);
    static const unsigned char common_name[] = "systole link";
    X509_NAME *name = X509_get_subject_name(cert);
    SY_OPENSSL_MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) ==
                    1);
    SY_OPENSSL_MUST(X509_set_issuer_name(cert, name) == 1);
    SY_OPENSSL_MUST(X509_set_pubkey(cert, pkey) == 1);
    SY_OPENSSL_MUST(X509_sign(cert, pkey, NULL) > 0);
    return cert;
}

// Compares the one certificate's raw key with the expected one; everything else is ignored.
static int verify_key(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    sy_handshake *handshake = SSL_get_app_data(ssl);
    X509 *cert = X509_STORE_CTX_get0_cert(store);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
    EVP_PKEY *pkey = cert ? X509_get0_pubkey(cert) : NULL;
    struct sy_public_key key;
    size_t size = sizeof key.bytes;
    bool good = pkey && (!chain || sk_X509_num(chain) <= 1) && EVP_PKEY_is_a(pkey, "ED25519") &&
                EVP_PKEY_get_raw_public_key(pkey, key.bytes, &size) == 1 &&
                size == sizeof key.bytes && sy_public_key_equal(&key, &handshake->expected);
    if (good) return 1;
    handshake->wrong_key = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static const char *restrict_ctx(SSL_CTX *ctx)
{
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1) return "TLS 1.3";
    if (SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1) return "TLS 1.3";
    if (SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") != 1) return "cipher suite";
    if (SSL_CTX_set1_groups_list(ctx, "X25519") != 1) return "key exchange group";
    if (SSL_CTX_set1_sigalgs_list(ctx, "ed25519") != 1) return "signature algorithm";
    if (SSL_CTX_set_num_tickets(ctx, 0) != 1) return "tickets";
    if (SSL_CTX_set_max_early_data(ctx, 0) != 1) return "early data";
    if (SSL_CTX_set_recv_max_early_data(ctx, 0) != 1) return "early data";
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_max_cert_list(ctx, CERTIFICATES_BYTES_MAX);
    (void)SSL_CTX_clear_options(ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    (void)SSL_CTX_set_options(ctx,
                              SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_cert_verify_callback(ctx, verify_key, NULL);
    return NULL;
}

sy_status sy_tls_open(sy_tls **out, const sy_secret_key *key, struct sy_error *err)
{
    *out = NULL;
    // libssl would read the machine's openssl.cnf, which has no say here (see openssl_ctx.h).
    SY_OPENSSL_MUST(OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new_ex(sy_openssl()->lib, NULL, TLS_method());
    if (!ctx) return fail_openssl(err, "context");
    const char *failed = restrict_ctx(ctx);
    if (!failed && key) {
        X509 *cert = make_certificate(sy_secret_key_evp(key));
        if (SSL_CTX_use_certificate(ctx, cert) != 1) failed = "certificate";
        X509_free(cert);
        if (!failed && SSL_CTX_use_PrivateKey(ctx, sy_secret_key_evp(key)) != 1) failed = "key";
    }
    sy_tls *tls = failed ? NULL : calloc(1, sizeof *tls);
    if (!tls) {
        sy_status status = fail_openssl(err, failed ? failed : "memory");
        SSL_CTX_free(ctx);
        return status;
    }
    tls->ctx = ctx;
    *out = tls;
    return SY_OK;
}

void sy_tls_close(sy_tls *tls)
{
    if (!tls) return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

static int verify_mode(enum sy_session_role role)
{
    if (role == SY_SESSION_SERVER) return SSL_VERIFY_NONE;
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

sy_handshake *sy_handshake_open(const sy_tls *tls, enum sy_session_role role,
                                const struct sy_public_key *expected)
{
    SY_ASSERT((expected != NULL) == (role != SY_SESSION_SERVER));
    sy_handshake *handshake = calloc(1, sizeof *handshake);
    SY_OPENSSL_MUST(handshake != NULL);
    SY_OPENSSL_MUST((handshake->ssl = SSL_new(tls->ctx)) != NULL);
    SY_OPENSSL_MUST((handshake->in = BIO_new(BIO_s_mem())) != NULL);
    SY_OPENSSL_MUST((handshake->out = BIO_new(BIO_s_mem())) != NULL);
    if (expected) handshake->expected = *expected;
    SSL_set_bio(handshake->ssl, handshake->in, handshake->out);
    SY_OPENSSL_MUST(SSL_set_app_data(handshake->ssl, handshake) == 1);
    SSL_set_verify(handshake->ssl, verify_mode(role), NULL);
    // A client stays unknown even if the server asks who it is.
    if (role == SY_SESSION_CLIENT) SSL_certs_clear(handshake->ssl);
    if (role == SY_SESSION_INITIATOR || role == SY_SESSION_CLIENT) {
        SSL_set_connect_state(handshake->ssl);
    } else {
        SSL_set_accept_state(handshake->ssl);
    }
    return handshake;
}

void sy_handshake_close(sy_handshake *handshake)
{
    if (!handshake) return;
    SSL_free(handshake->ssl);
    free(handshake);
}

sy_status sy_handshake_step(sy_handshake *handshake, uint8_t *out, size_t *out_size, bool *done,
                            struct sy_slice flight)
{
    *out_size = 0;
    *done = false;
    if (flight.size > SY_FLIGHT_BYTES_MAX) return SY_ERR_CRYPTO;
    if (flight.size > 0) {
        int written = BIO_write(handshake->in, flight.data, (int)flight.size);
        SY_OPENSSL_MUST(written == (int)flight.size);
    }
    ERR_clear_error();
    int result = SSL_do_handshake(handshake->ssl);
    int reason = result == 1 ? SSL_ERROR_NONE : SSL_get_error(handshake->ssl, result);
    ERR_clear_error();
    if (handshake->wrong_key) return SY_ERR_PERMISSION;
    if (reason != SSL_ERROR_NONE && reason != SSL_ERROR_WANT_READ) return SY_ERR_CRYPTO;
    // A flight holds what this step needs and nothing more.
    if (BIO_ctrl_pending(handshake->in) != 0) return SY_ERR_CRYPTO;
    size_t pending = BIO_ctrl_pending(handshake->out);
    if (pending > SY_FLIGHT_BYTES_MAX) return SY_ERR_CRYPTO;
    if (pending > 0) {
        int taken = BIO_read(handshake->out, out, (int)pending);
        SY_OPENSSL_MUST(taken == (int)pending);
    }
    *out_size = pending;
    *done = result == 1;
    return SY_OK;
}

void sy_handshake_export(sy_handshake *handshake, uint8_t out[SY_EXPORT_BYTES],
                         struct sy_slice context)
{
    SY_OPENSSL_MUST(SSL_export_keying_material(handshake->ssl, out, SY_EXPORT_BYTES, exporter_label,
                                               sizeof exporter_label - 1, context.data,
                                               context.size, 1) == 1);
}
