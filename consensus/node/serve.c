#include "consensus/node/serve.h"

#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/store/handovers.h"
#include "core/wire/sync.h"
#include "core/wire/vote.h"

#define LOOK_BYTES 4096u /* what looking for something that is not here costs, in bytes served */

static sy_status write_body(struct sy_writer *writer, sy_store_reader *reader,
                            const struct sy_hash *digest)
{
    struct sy_slice body;
    SY_TRY(sy_body_get(reader, &body, digest));
    sy_write_u8(writer, SY_MESSAGE_BATCH);
    sy_write_raw(writer, body.data, body.size);
    return writer->failed ? SY_ERR_LIMIT : SY_OK;
}

static sy_status write_pruned(struct sy_writer *writer, sy_store_reader *reader)
{
    struct sy_sync_message pruned = {.type = SY_SYNC_PRUNED,
                                     .height = sy_ledger_pruned(sy_store_of(reader))};
    writer->used = 0;
    sy_sync_encode(writer, &pruned);
    return SY_ERR_PRUNED;
}

static sy_status write_block(struct sy_writer *writer, sy_store_reader *reader, uint64_t height)
{
    static const enum sy_block_part parts[] = {SY_BLOCK_ORDER, SY_BLOCK_HEADER,
                                               SY_BLOCK_CERTIFICATE};
    sy_write_u8(writer, SY_MESSAGE_BLOCK);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct sy_slice part;
        sy_status status = sy_ledger_get(reader, &part, height, parts[i]);
        if (status == SY_ERR_PRUNED) return write_pruned(writer, reader);
        if (status != SY_OK) return status;
        sy_write_raw(writer, part.data, part.size);
    }
    return writer->failed ? SY_ERR_LIMIT : SY_OK;
}

/* True when the peer may be served now. */
static bool may_serve(struct sy_serve *serve, uint16_t peer, uint64_t now_ns)
{
    if (peer == SY_NODE_ALL) return true;
    SY_ASSERT(peer < SY_NODE_PEERS_MAX);
    if (sy_share_left(&serve->shares[peer], now_ns)) return true;
    sy_metric_add(SY_M_node_requests_shed_total, 1);
    return false;
}

static uint64_t rate_of(uint16_t peer)
{
    return peer >= SY_NODE_OBSERVER ? SY_SERVE_OBSERVER_BYTES_PER_S : SY_SERVE_BYTES_PER_S;
}

static void charge(struct sy_serve *serve, uint16_t peer, size_t bytes)
{
    if (peer == SY_NODE_ALL) return;
    sy_share_spend(&serve->shares[peer], bytes > LOOK_BYTES ? bytes : LOOK_BYTES, rate_of(peer));
}

sy_status sy_serve_body(struct sy_serve *serve, struct sy_slice *message, uint16_t peer,
                        uint64_t now_ns, const struct sy_hash *digest)
{
    struct sy_writer writer = sy_writer_of(serve->out, SY_SERVE_BYTES_MAX);
    if (!may_serve(serve, peer, now_ns)) return SY_ERR_BUSY;
    sy_status status = write_body(&writer, serve->reader, digest);
    charge(serve, peer, writer.used);
    *message = sy_writer_slice(&writer);
    return status;
}

sy_status sy_serve_block(struct sy_serve *serve, struct sy_slice *message, uint16_t peer,
                         uint64_t now_ns, uint64_t height)
{
    struct sy_writer writer = sy_writer_of(serve->out, SY_SERVE_BYTES_MAX);
    if (!may_serve(serve, peer, now_ns)) return SY_ERR_BUSY;
    sy_status status = write_block(&writer, serve->reader, height);
    charge(serve, peer, writer.used);
    *message = sy_writer_slice(&writer);
    return status;
}

sy_status sy_serve_handovers(struct sy_serve *serve, struct sy_slice *message, uint16_t peer,
                             uint64_t now_ns, uint32_t epoch)
{
    sy_store *store = sy_store_of(serve->reader);
    sy_state_view *view = NULL;
    if (!may_serve(serve, peer, now_ns)) return SY_ERR_BUSY;
    SY_TRY(sy_state_view_open(&view, store));
    struct sy_writer writer = sy_writer_of(serve->out, SY_SERVE_BYTES_MAX);
    sy_write_u8(&writer, SY_SYNC_HANDOVERS);
    (void)sy_store_handovers(&writer, serve->reader, view, epoch, sy_ledger_certified(store));
    sy_state_view_close(view);
    charge(serve, peer, writer.used);
    *message = sy_writer_slice(&writer);
    return SY_OK;
}

sy_status sy_serve_claim(struct sy_serve *serve, uint16_t peer, uint64_t now_ns)
{
    if (!may_serve(serve, peer, now_ns)) return SY_ERR_BUSY;
    charge(serve, peer, SY_SERVE_BYTES_MAX);
    return SY_OK;
}
