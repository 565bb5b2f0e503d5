#include "core/wire/sync.h"

#include "core/wire/limits.h"

_Static_assert(1 + 4 + 2 + SY_HANDOVERS_MAX * SY_HANDOVER_BYTES_MAX < SY_FRAME_BYTES_MAX,
               "an answer of handovers is one frame");

bool sy_sync_is(struct sy_slice bytes)
{
    return bytes.size > 0 && bytes.data[0] >= SY_SYNC_PRUNED;
}

void sy_sync_encode(struct sy_writer *w, const struct sy_sync_message *message)
{
    sy_write_u8(w, message->type);
    if (message->type == SY_SYNC_SNAPSHOT) {
        sy_header_encode(w, &message->header);
        sy_certificate_encode(w, &message->certificate);
        sy_chunk_encode(w, &message->chunk);
        return;
    }
    if (message->type == SY_SYNC_HANDOVER_FETCH || message->type == SY_SYNC_HANDOVERS) {
        sy_write_u32(w, message->epoch);
        if (message->type == SY_SYNC_HANDOVER_FETCH) return;
        sy_write_u16(w, message->count);
        sy_write_raw(w, message->handovers.data, message->handovers.size);
        return;
    }
    sy_write_u64(w, message->height);
    if (message->type == SY_SYNC_SNAPSHOT_FETCH) sy_write_hash(w, &message->key);
}

static void decode_handovers(struct sy_reader *r, struct sy_sync_message *message)
{
    message->epoch = sy_read_u32(r, "handovers.epoch");
    message->count = sy_read_u16(r, "handovers.count");
    if (message->count > SY_HANDOVERS_MAX) sy_reader_fail(r, "handovers.count");
    if (!r->failed) (void)sy_handovers_decode(r, &message->handovers, message->count);
}

bool sy_sync_decode(struct sy_sync_message *message, struct sy_slice bytes, unsigned validators)
{
    struct sy_reader r = sy_reader_of(bytes);
    memset(message, 0, sizeof *message);
    message->type = sy_read_u8(&r, "sync.type");
    switch (message->type) {
    case SY_SYNC_SNAPSHOT:
        if (!sy_header_decode(&r, &message->header)) sy_reader_fail(&r, "snapshot.header");
        if (message->header.height == 0) sy_reader_fail(&r, "snapshot.height");
        if (!sy_certificate_decode(&r, &message->certificate, validators)) {
            sy_reader_fail(&r, "snapshot.certificate");
        }
        if (!r.failed) (void)sy_chunk_decode(&r, &message->chunk);
        break;
    case SY_SYNC_PRUNED:
    case SY_SYNC_SNAPSHOT_NONE:
    case SY_SYNC_SNAPSHOT_FETCH:
        message->height = sy_read_slot(&r, "sync.height");
        if (message->type == SY_SYNC_PRUNED && message->height == 0) {
            sy_reader_fail(&r, "sync.height");
        }
        if (message->type == SY_SYNC_SNAPSHOT_FETCH) sy_read_hash(&r, &message->key, "sync.key");
        break;
    case SY_SYNC_HANDOVER_FETCH: message->epoch = sy_read_u32(&r, "handovers.epoch"); break;
    case SY_SYNC_HANDOVERS: decode_handovers(&r, message); break;
    default: sy_reader_fail(&r, "sync.type");
    }
    return sy_reader_done(&r);
}
