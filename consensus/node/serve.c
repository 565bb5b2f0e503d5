#include "consensus/node/serve.h"

#include "core/base/assert.h"
#include "core/wire/vote.h"

/* 64 MiB a second is what a catching-up peer can use; saved up for a second at most. */
#define BYTES_PER_S (64ull << 20)
#define SECOND_NS 1000000000ull
#define LOOK_BYTES 4096u /* what looking for something that is not here costs, in bytes served */

bool sy_serve_may(struct sy_serve_share *share, uint64_t now_ns)
{
    uint64_t floor_ns = now_ns > SECOND_NS ? now_ns - SECOND_NS : 0;
    if (share->spent_ns < floor_ns) share->spent_ns = floor_ns;
    return share->spent_ns <= now_ns;
}

void sy_serve_spend(struct sy_serve_share *share, size_t bytes)
{
    uint64_t cost = bytes > LOOK_BYTES ? bytes : LOOK_BYTES;
    SY_ASSERT(bytes <= SY_SERVE_BYTES_MAX);
    share->spent_ns += cost * SECOND_NS / BYTES_PER_S;
}

sy_status sy_serve_body(struct sy_slice *message, uint8_t *out, sy_store_reader *reader,
                        const struct sy_hash *digest)
{
    struct sy_slice body;
    SY_TRY(sy_body_get(reader, &body, digest));
    struct sy_writer writer = sy_writer_of(out, SY_SERVE_BYTES_MAX);
    sy_write_u8(&writer, SY_MESSAGE_BATCH);
    sy_write_raw(&writer, body.data, body.size);
    if (writer.failed) return SY_ERR_LIMIT;
    *message = sy_writer_slice(&writer);
    return SY_OK;
}

sy_status sy_serve_block(struct sy_slice *message, uint8_t *out, sy_store_reader *reader,
                         uint64_t height)
{
    static const enum sy_block_part parts[] = {SY_BLOCK_ORDER, SY_BLOCK_HEADER,
                                               SY_BLOCK_CERTIFICATE};
    struct sy_writer writer = sy_writer_of(out, SY_SERVE_BYTES_MAX);
    sy_write_u8(&writer, SY_MESSAGE_BLOCK);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct sy_slice part;
        SY_TRY(sy_ledger_get(reader, &part, height, parts[i]));
        sy_write_raw(&writer, part.data, part.size);
    }
    if (writer.failed) return SY_ERR_LIMIT;
    *message = sy_writer_slice(&writer);
    return SY_OK;
}
