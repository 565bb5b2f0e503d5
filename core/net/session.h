/* session.h: one authenticated, encrypted session between two keys, as bytes in and bytes out.
 *
 * A session knows no sockets and no clock. It runs a TLS 1.3 handshake through memory, checks that
 * the other side holds exactly the key it is expected to hold, and then throws TLS away and keeps
 * only keys: frames are sealed one by one with AES-256-GCM under keys from the TLS exporter
 * (RFC 8446 7.5), one key per direction and channel. So a lost, reordered or forged frame costs
 * that frame and nothing else, where a TLS record stream would die.
 *
 *     open -> step, step ... -> established (both Finished seen, key compared) -> seal / unseal
 *
 * Exporter: label "EXPORTER-systole-link", context = direction (1) || channel (1) || session id
 * (16). Nonce = 32 zero bits || counter as it stands in the frame, never reused; additional data =
 * session id || counter. A window of SY_REPLAY_WINDOW counters per channel
 * accepts each frame once in any order.
 *
 * The certificate is self-signed and carries the Ed25519 link key; nothing in it is believed but
 * the key, which is compared byte for byte. No tickets, no early data, no resumption, no second
 * cipher or group: TLS_AES_256_GCM_SHA384, X25519, ed25519.
 *
 * Threads: a sy_tls may be shared; a sy_session belongs to one thread at a time. */
#ifndef SY_NET_SESSION_H
#define SY_NET_SESSION_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/crypto/keys.h"
#include "core/net/frame.h"
#include "core/net/replay.h"

/* A session seals fewer frames than this per channel (AES-GCM under one key, NIST SP 800-38D 8.3
 * with deterministic nonces); owners start a new handshake well before. */
#define SY_SESSION_FRAMES_MAX (1ull << 32)

typedef struct sy_tls sy_tls;         /* a certificate and its TLS settings */
typedef struct sy_session sy_session; /* one handshake, then one set of frame keys */

/* INITIATOR and RESPONDER prove themselves to each other (validators). CLIENT proves nothing and
 * pins SERVER's key. */
enum sy_session_role {
    SY_SESSION_INITIATOR,
    SY_SESSION_RESPONDER,
    SY_SESSION_CLIENT,
    SY_SESSION_SERVER
};

/* What frames of one session are told apart by; each has its own keys and counters. */
enum sy_channel { SY_CHANNEL_CONTROL = 0, SY_CHANNEL_BULK = 1, SY_CHANNEL_CLIENT = 2 };
#define SY_CHANNEL_COUNT 3

/* sy_tls_open makes the certificate of key, which may be closed afterwards. key may be NULL
 * for a side that only opens CLIENT sessions. SY_ERR_CRYPTO: OpenSSL refused, err says where. */
sy_status sy_tls_open(sy_tls **tls, const sy_secret_key *key, struct sy_error *err);

/* sy_tls_close frees it; sessions opened from it may live on. NULL is fine. */
void sy_tls_close(sy_tls *tls);

/* sy_session_open starts a session. expected is the key that the other side must hold; it is
 * copied, and NULL for SERVER only. An INITIATOR or CLIENT has its first flight ready: call
 * sy_session_step with no input. */
sy_status sy_session_open(sy_session **session, sy_tls *tls, enum sy_session_role role,
                          const struct sy_session_id *id, const struct sy_public_key *expected);

/* sy_session_close wipes the keys and frees. NULL is fine. */
void sy_session_close(sy_session *session);

/* sy_session_step takes one flight in (empty at the start) and writes the flight to send, if any,
 * to out; *out_size says how long it is (0: nothing to send). out has SY_FLIGHT_BYTES_MAX of room.
 * SY_ERR_PERMISSION: the other side holds another key, or none. SY_ERR_CRYPTO: anything else is
 * wrong with the handshake. After a failure, or once established, it only fails. */
sy_status sy_session_step(sy_session *session, uint8_t *out, size_t *out_size,
                          struct sy_slice flight);

/* sy_session_established: both Finished were seen, the key compared, frame keys derived. */
bool sy_session_established(const sy_session *session);

const struct sy_session_id *sy_session_id(const sy_session *session);

/* sy_session_seal turns frame, of SY_FRAME_OVERHEAD + plain_bytes bytes with the plaintext already
 * in place at frame + SY_FRAME_HEAD, into a sealed data frame. SY_ERR_LIMIT: the channel's counter
 * is used up, start a new session. Established sessions only (asserted). */
sy_status sy_session_seal(sy_session *session, enum sy_channel channel, uint8_t *frame,
                          size_t plain_bytes);

/* sy_session_unseal decrypts a data frame in place and points *plain into it. SY_ERR_FORMAT: not
 * a data frame of this session. SY_ERR_EXISTS: this counter was seen, or is older than the window.
 * SY_ERR_CRYPTO: forged or damaged. A refused frame changes nothing in the session. */
sy_status sy_session_unseal(sy_session *session, struct sy_slice *plain, enum sy_channel channel,
                            uint8_t *frame, size_t frame_bytes);

/* sy_session_sealed is the highest number of frames sealed on any channel. */
uint64_t sy_session_sealed(const sy_session *session);

#endif
