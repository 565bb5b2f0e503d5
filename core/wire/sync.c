#include "core/wire/sync.h"

#include "core/wire/limits.h"

bool sy_sync_is(struct sy_slice bytes)
{
    return bytes.size > 0 && bytes.data[0] >= SY_SYNC_PRUNED;
}

void sy_sync_encode(struct sy_writer *w, const struct sy_sync_message *message)
{
    sy_write_u8(w, message->type);
    sy_write_u64(w, message->height);
}

bool sy_sync_decode(struct sy_sync_message *message, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    message->type = sy_read_u8(&r, "sync.type");
    if (message->type != SY_SYNC_PRUNED) sy_reader_fail(&r, "sync.type");
    message->height = sy_read_u64(&r, "pruned.height");
    if (message->height == 0 || message->height > SY_SLOT_MAX) sy_reader_fail(&r, "pruned.height");
    return sy_reader_done(&r);
}
