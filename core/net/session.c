/* session.c: see session.h. Owns the frame keys; the handshake is tls_session.c's. */
#include "core/net/session.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/aead.h"
#include "core/net/tls_session.h"

// The two directions, as the exporter's context names them.
enum { DIRECTION_FROM_INITIATOR = 0, DIRECTION_FROM_RESPONDER = 1 };

// One channel's keys and counters.
struct lane {
    sy_aead_key *out;
    sy_aead_key *in;
    uint64_t sealed; // also the next counter
    struct sy_replay seen;
};

struct sy_session {
    struct sy_session_id id;
    enum sy_session_role role;
    sy_handshake *handshake; // NULL once established or failed
    bool established;
    struct lane lanes[SY_CHANNEL_COUNT];
};

sy_status sy_session_open(sy_session **out, sy_tls *tls, enum sy_session_role role,
                          const struct sy_session_id *id, const struct sy_public_key *expected)
{
    sy_session *session = calloc(1, sizeof *session);
    *out = session;
    if (!session) return SY_ERR_NO_MEMORY;
    session->id = *id;
    session->role = role;
    session->handshake = sy_handshake_open(tls, role, expected);
    return SY_OK;
}

void sy_session_close(sy_session *session)
{
    if (!session) return;
    sy_handshake_close(session->handshake);
    for (size_t i = 0; i < SY_CHANNEL_COUNT; i++) {
        sy_aead_key_close(session->lanes[i].out);
        sy_aead_key_close(session->lanes[i].in);
    }
    free(session);
}

static bool is_initiator(const sy_session *session)
{
    return session->role == SY_SESSION_INITIATOR || session->role == SY_SESSION_CLIENT;
}

static bool has_channel(const sy_session *session, enum sy_channel channel)
{
    bool is_link = session->role == SY_SESSION_INITIATOR || session->role == SY_SESSION_RESPONDER;
    return is_link == (channel != SY_CHANNEL_CLIENT);
}

static sy_aead_key *derive_key(sy_session *session, uint8_t direction, enum sy_channel channel)
{
    uint8_t context[2 + sizeof session->id.bytes] = {direction, (uint8_t)channel};
    uint8_t bytes[SY_EXPORT_BYTES];
    _Static_assert(SY_EXPORT_BYTES == SY_AEAD_KEY_BYTES, "the exporter gives one AES-256 key");
    memcpy(context + 2, session->id.bytes, sizeof session->id.bytes);
    sy_handshake_export(session->handshake, bytes, sy_slice_of(context, sizeof context));
    sy_aead_key *key = sy_aead_key_open(bytes);
    sy_wipe(bytes, sizeof bytes);
    return key;
}

static void derive_keys(sy_session *session)
{
    uint8_t out = is_initiator(session) ? DIRECTION_FROM_INITIATOR : DIRECTION_FROM_RESPONDER;
    uint8_t in = is_initiator(session) ? DIRECTION_FROM_RESPONDER : DIRECTION_FROM_INITIATOR;
    for (size_t i = 0; i < SY_CHANNEL_COUNT; i++) {
        enum sy_channel channel = (enum sy_channel)i;
        if (!has_channel(session, channel)) continue;
        session->lanes[i].out = derive_key(session, out, channel);
        session->lanes[i].in = derive_key(session, in, channel);
    }
}

sy_status sy_session_step(sy_session *session, uint8_t *out, size_t *out_size,
                          struct sy_slice flight)
{
    bool done = false;
    *out_size = 0;
    if (!session->handshake) return SY_ERR_CRYPTO;
    sy_status status = sy_handshake_step(session->handshake, out, out_size, &done, flight);
    if (status == SY_OK && done) {
        derive_keys(session);
        session->established = true;
    }
    if (status != SY_OK || done) {
        sy_handshake_close(session->handshake);
        session->handshake = NULL;
    }
    return status;
}

bool sy_session_established(const sy_session *session)
{
    return session->established;
}

const struct sy_session_id *sy_session_id(const sy_session *session)
{
    return &session->id;
}

static void make_nonce(uint8_t nonce[SY_AEAD_NONCE_BYTES], const uint8_t counter[8])
{
    _Static_assert(SY_AEAD_NONCE_BYTES == 4 + 8, "nonce = 32 zero bits || counter");
    memset(nonce, 0, 4);
    memcpy(nonce + 4, counter, 8);
}

// Session id || counter stand side by side in the header, and are the additional data as they are.
#define AAD_OFFSET 4u
#define COUNTER_OFFSET 20u
_Static_assert(AAD_OFFSET + 16u == COUNTER_OFFSET && COUNTER_OFFSET + 8u == SY_FRAME_HEAD,
               "session id || counter end the header");

sy_status sy_session_seal(sy_session *session, enum sy_channel channel, uint8_t *frame,
                          size_t plain_bytes)
{
    SY_ASSERT(session->established && has_channel(session, channel));
    SY_ASSERT(plain_bytes <= SY_FRAME_BYTES_MAX - SY_FRAME_OVERHEAD);
    struct lane *lane = &session->lanes[channel];
    uint8_t nonce[SY_AEAD_NONCE_BYTES];
    if (lane->sealed >= SY_SESSION_FRAMES_MAX) return SY_ERR_LIMIT;
    sy_frame_encode_data(frame, &session->id, lane->sealed);
    make_nonce(nonce, frame + COUNTER_OFFSET);
    sy_aead_seal(lane->out, frame + SY_FRAME_HEAD, nonce,
                 sy_slice_of(frame + AAD_OFFSET, SY_FRAME_HEAD - AAD_OFFSET),
                 sy_slice_of(frame + SY_FRAME_HEAD, plain_bytes));
    lane->sealed++;
    return SY_OK;
}

sy_status sy_session_unseal(sy_session *session, struct sy_slice *plain, enum sy_channel channel,
                            uint8_t *bytes, size_t size)
{
    struct sy_frame frame;
    uint8_t nonce[SY_AEAD_NONCE_BYTES];
    *plain = sy_slice_of(NULL, 0);
    if (!session->established || !has_channel(session, channel)) return SY_ERR_FORMAT;
    if (sy_frame_parse(&frame, sy_slice_of(bytes, size)) != SY_OK) return SY_ERR_FORMAT;
    if (frame.type != SY_FRAME_DATA || !sy_session_id_equal(&frame.id, &session->id)) {
        return SY_ERR_FORMAT;
    }
    struct lane *lane = &session->lanes[channel];
    if (!sy_replay_is_fresh(&lane->seen, frame.counter)) return SY_ERR_EXISTS;
    make_nonce(nonce, bytes + COUNTER_OFFSET);
    if (!sy_aead_open(lane->in, bytes + SY_FRAME_HEAD, nonce,
                      sy_slice_of(bytes + AAD_OFFSET, SY_FRAME_HEAD - AAD_OFFSET), frame.sealed)) {
        return SY_ERR_CRYPTO;
    }
    // Marked only now: a forged counter must not close the window to the real one.
    sy_replay_mark(&lane->seen, frame.counter);
    *plain = sy_slice_of(bytes + SY_FRAME_HEAD, size - SY_FRAME_OVERHEAD);
    return SY_OK;
}

uint64_t sy_session_sealed(const sy_session *session)
{
    uint64_t most = 0;
    for (size_t i = 0; i < SY_CHANNEL_COUNT; i++) {
        if (session->lanes[i].sealed > most) most = session->lanes[i].sealed;
    }
    return most;
}
