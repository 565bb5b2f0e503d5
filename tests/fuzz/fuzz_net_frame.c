/* fuzz_net_frame: frames as strangers send them. What parses must encode to the same bytes, and no
 * frame may pass an established session that its peer did not seal. */
#include <string.h>

#include "core/base/assert.h"
#include "core/net/session.h"

static sy_session *sessions[2];

static void step(sy_session *session, uint8_t *flight, size_t *size)
{
    uint8_t answer[SY_FLIGHT_BYTES_MAX];
    size_t answer_size;
    sy_status status = sy_session_step(session, answer, &answer_size, sy_slice_of(flight, *size));
    SY_ASSERT(status == SY_OK);
    memcpy(flight, answer, answer_size);
    *size = answer_size;
}

// Two sessions whose id is all zeros, so that inputs can name it.
static void open_sessions(void)
{
    static const struct sy_session_id id;
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size = 0;
    struct sy_public_key public_keys[2];
    sy_tls *tls[2];
    for (int i = 0; i < 2; i++) {
        uint8_t seed[32] = {(uint8_t)i};
        sy_secret_key *key;
        sy_status status = sy_secret_key_from_seed(&key, seed);
        SY_ASSERT(status == SY_OK);
        sy_secret_key_public(key, &public_keys[i]);
        status = sy_tls_open(&tls[i], key, NULL);
        SY_ASSERT(status == SY_OK);
        sy_secret_key_close(key);
    }
    for (int i = 0; i < 2; i++) {
        sy_status status = sy_session_open(&sessions[i], tls[i],
                                           i == 0 ? SY_SESSION_INITIATOR : SY_SESSION_RESPONDER,
                                           &id, &public_keys[1 - i]);
        SY_ASSERT(status == SY_OK);
        sy_tls_close(tls[i]);
    }
    for (int turn = 0; turn < 4; turn++) step(sessions[turn % 2], flight, &size);
    SY_ASSERT(sy_session_established(sessions[0]) && sy_session_established(sessions[1]));
}

static void check_encoding(const struct sy_frame *frame, const uint8_t *data, size_t size)
{
    uint8_t again[SY_FRAME_PLAIN_MAX];
    if (frame->type == SY_FRAME_DATA) {
        sy_frame_encode_data(again, &frame->id, frame->counter);
        SY_ASSERT(memcmp(again, data, SY_FRAME_HEAD) == 0);
        return;
    }
    SY_ASSERT(sy_frame_encode(again, sizeof again, frame) == size);
    SY_ASSERT(memcmp(again, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[SY_FRAME_BYTES_MAX];
    struct sy_frame frame;
    struct sy_slice plain;
    if (!sessions[0]) open_sessions();
    sy_status status = sy_frame_parse(&frame, sy_slice_of(data, size));
    SY_ASSERT(size <= SY_FRAME_BYTES_MAX || status == SY_ERR_LIMIT);
    if (status != SY_OK) return 0;
    check_encoding(&frame, data, size);
    for (int channel = 0; channel < SY_CHANNEL_COUNT; channel++) {
        memcpy(copy, data, size);
        status = sy_session_unseal(sessions[1], &plain, (enum sy_channel)channel, copy, size);
        SY_ASSERT(status != SY_OK && plain.size == 0);
    }
    return 0;
}
