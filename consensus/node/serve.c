#include "consensus/node/serve.h"

#include "core/wire/vote.h"

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
