/* fuzz_net_handshake: the first flight of a handshake, as anybody may send it to a validator's
 * link and to its client server. The first byte says to which. Nobody becomes established by one
 * flight, whatever it holds, and the flight sent back stays within its bound. */
#include "core/base/assert.h"
#include "core/net/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sy_tls *tls;
    static const struct sy_session_id id;
    static const struct sy_public_key expected = {{1}};
    uint8_t out[SY_FLIGHT_BYTES_MAX];
    size_t out_size = 0;
    sy_session *session;
    if (!tls) {
        static const uint8_t seed[32] = {42};
        static sy_secret_key *key;
        sy_status opened = sy_secret_key_from_seed(&key, seed);
        SY_ASSERT(opened == SY_OK);
        opened = sy_tls_open(&tls, key, NULL);
        SY_ASSERT(opened == SY_OK);
    }
    if (size == 0) return 0;
    bool is_server = data[0] & 1;
    sy_status status =
        sy_session_open(&session, tls, is_server ? SY_SESSION_SERVER : SY_SESSION_RESPONDER, &id,
                        is_server ? NULL : &expected);
    SY_ASSERT(status == SY_OK);
    status = sy_session_step(session, out, &out_size, sy_slice_of(data + 1, size - 1));
    SY_ASSERT(out_size <= sizeof out);
    SY_ASSERT(!sy_session_established(session));
    if (status != SY_OK) {
        // A failed handshake stays failed.
        status = sy_session_step(session, out, &out_size, sy_slice_of(data + 1, size - 1));
        SY_ASSERT(status != SY_OK && out_size == 0);
    }
    sy_session_close(session);
    return 0;
}
