/* tls_session.h: the TLS 1.3 half of a session (session.h): flights in, flights out, then exporter
 * keys. Internal to core/net. The only user of OpenSSL's SSL is tls_session.c. */
#ifndef SY_NET_TLS_SESSION_H
#define SY_NET_TLS_SESSION_H

#include "core/net/session.h"

#define SY_EXPORT_BYTES 32u

typedef struct sy_handshake sy_handshake;

/* sy_handshake_open starts one side of a handshake. expected as in sy_session_open. Never fails. */
sy_handshake *sy_handshake_open(const sy_tls *tls, enum sy_session_role role,
                                const struct sy_public_key *expected);

/* sy_handshake_close frees it and everything secret in it; NULL is fine. */
void sy_handshake_close(sy_handshake *handshake);

/* sy_handshake_step: see sy_session_step. *done: both Finished were seen. */
sy_status sy_handshake_step(sy_handshake *handshake, uint8_t *out, size_t *out_size, bool *done,
                            struct sy_slice flight);

/* sy_handshake_export derives SY_EXPORT_BYTES bytes (RFC 8446 7.5) once the handshake is done.
 * Both sides get the same bytes for the same context. */
void sy_handshake_export(sy_handshake *handshake, uint8_t out[SY_EXPORT_BYTES],
                         struct sy_slice context);

#endif
