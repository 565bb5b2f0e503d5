#include "core/wire/sync.h"

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
    sy_write_u64(w, message->height);
    if (message->type == SY_SYNC_SNAPSHOT_FETCH) sy_write_hash(w, &message->key);
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
    default: sy_reader_fail(&r, "sync.type");
    }
    return sy_reader_done(&r);
}
