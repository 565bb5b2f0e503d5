#include "core/net/frame.h"

#include "core/base/assert.h"

#define KEY_BYTES 32u

static sy_status parse_body(struct sy_frame *frame, struct sy_slice body)
{
    switch (frame->type) {
    case SY_FRAME_HELLO:
        if (body.size <= KEY_BYTES || body.size > KEY_BYTES + SY_FLIGHT_BYTES_MAX) break;
        memcpy(frame->sender.bytes, body.data, KEY_BYTES);
        frame->flight = sy_slice_of(body.data + KEY_BYTES, body.size - KEY_BYTES);
        return SY_OK;
    case SY_FRAME_FLIGHT:
        if (body.size == 0 || body.size > SY_FLIGHT_BYTES_MAX) break;
        frame->flight = body;
        return SY_OK;
    case SY_FRAME_DATA:
        if (body.size < SY_FRAME_OVERHEAD - SY_FRAME_PREFIX) break;
        frame->counter = sy_load_u64(body.data);
        frame->sealed = sy_slice_of(body.data + 8, body.size - 8);
        return SY_OK;
    case SY_FRAME_KNOCK:
        if (body.size != KEY_BYTES) break;
        memcpy(frame->sender.bytes, body.data, KEY_BYTES);
        return SY_OK;
    case SY_FRAME_RESET: return body.size == 0 ? SY_OK : SY_ERR_FORMAT;
    case SY_FRAME_BUSY:
        if (body.size != 4) break;
        frame->retry_ms = sy_load_u32(body.data);
        return SY_OK;
    }
    return SY_ERR_FORMAT;
}

sy_status sy_frame_parse(struct sy_frame *frame, struct sy_slice bytes)
{
    memset(frame, 0, sizeof *frame);
    if (bytes.size > SY_FRAME_BYTES_MAX) return SY_ERR_LIMIT;
    if (bytes.size < SY_FRAME_PREFIX) return SY_ERR_FORMAT;
    if (bytes.data[0] != SY_FRAME_VERSION) return SY_ERR_VERSION;
    if (bytes.data[1] < SY_FRAME_HELLO || bytes.data[1] > SY_FRAME_BUSY) return SY_ERR_FORMAT;
    if (bytes.data[2] != 0 || bytes.data[3] != 0) return SY_ERR_FORMAT;
    frame->type = (enum sy_frame_type)bytes.data[1];
    memcpy(frame->id.bytes, bytes.data + 4, sizeof frame->id.bytes);
    return parse_body(frame,
                      sy_slice_of(bytes.data + SY_FRAME_PREFIX, bytes.size - SY_FRAME_PREFIX));
}

static void encode_prefix(uint8_t *out, enum sy_frame_type type, const struct sy_session_id *id)
{
    out[0] = SY_FRAME_VERSION;
    out[1] = (uint8_t)type;
    out[2] = 0;
    out[3] = 0;
    memcpy(out + 4, id->bytes, sizeof id->bytes);
}

size_t sy_frame_encode(uint8_t *out, size_t out_bytes, const struct sy_frame *frame)
{
    size_t at = SY_FRAME_PREFIX;
    bool has_key = frame->type == SY_FRAME_HELLO || frame->type == SY_FRAME_KNOCK;
    size_t size = SY_FRAME_PREFIX + (has_key ? KEY_BYTES : 0) + frame->flight.size +
                  (frame->type == SY_FRAME_BUSY ? 4u : 0u);
    SY_ASSERT(frame->type != SY_FRAME_DATA && size <= out_bytes);
    encode_prefix(out, frame->type, &frame->id);
    if (has_key) {
        memcpy(out + at, frame->sender.bytes, KEY_BYTES);
        at += KEY_BYTES;
    }
    if (frame->flight.size > 0) memcpy(out + at, frame->flight.data, frame->flight.size);
    if (frame->type == SY_FRAME_BUSY) sy_store_u32(out + at, frame->retry_ms);
    return size;
}

void sy_frame_encode_data(uint8_t out[SY_FRAME_HEAD], const struct sy_session_id *id,
                          uint64_t counter)
{
    encode_prefix(out, SY_FRAME_DATA, id);
    sy_store_u64(out + SY_FRAME_PREFIX, counter);
}
