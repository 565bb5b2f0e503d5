/* batch.c: a maker's batch: bytes, limits, and the builder. */
#include "core/wire/batch.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define LENGTH_BYTES 4u

void sy_batch_header_encode(struct sy_writer *w, const struct sy_batch_header *header)
{
    sy_write_public_key(w, &header->maker);
    sy_write_u64(w, header->seq);
    sy_write_u32(w, header->count);
    sy_write_u32(w, header->bytes);
    sy_write_hash(w, &header->id_root);
    sy_write_hash(w, &header->signature_root);
}

bool sy_batch_header_decode(struct sy_reader *r, struct sy_batch_header *header)
{
    sy_read_public_key(r, &header->maker, "batch.maker");
    header->seq = sy_read_u64(r, "batch.seq");
    header->count = sy_read_u32(r, "batch.count");
    header->bytes = sy_read_u32(r, "batch.bytes");
    sy_read_hash(r, &header->id_root, "batch.id_root");
    sy_read_hash(r, &header->signature_root, "batch.signature_root");

    if (header->seq == 0) sy_reader_fail(r, "batch.seq");
    if (header->count == 0 || header->count > SY_BATCH_TXS_MAX) sy_reader_fail(r, "batch.count");
    if (header->bytes > SY_BATCH_BYTES_MAX - SY_BATCH_FRONT_BYTES) {
        sy_reader_fail(r, "batch.bytes");
    }
    return !r->failed;
}

void sy_batch_digest(struct sy_hash *digest, const struct sy_hash *genesis,
                     struct sy_slice header_bytes)
{
    SY_ASSERT(header_bytes.size == SY_BATCH_HEADER_BYTES);
    sy_hash_digest(digest, SY_DIGEST_BATCH, genesis, header_bytes);
}

bool sy_batch_next(const struct sy_batch *batch, size_t *offset, struct sy_slice *tx_bytes)
{
    if (*offset >= batch->txs.size) return false;
    struct sy_slice rest = sy_slice_of(batch->txs.data + *offset, batch->txs.size - *offset);
    struct sy_reader r = sy_reader_of(rest);
    *tx_bytes = sy_read_bytes32(&r, SY_TX_BYTES_MAX, "batch.tx");
    if (r.failed || tx_bytes->size == 0) return false;
    *offset += r.used;
    return true;
}

bool sy_batch_decode(struct sy_batch *batch, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    struct sy_slice tx;
    size_t offset = 0;
    uint32_t count = 0;

    memset(batch, 0, sizeof *batch);
    if (bytes.size > SY_BATCH_BYTES_MAX) return false;
    if (!sy_batch_header_decode(&r, &batch->header)) return false;
    sy_read_signature(&r, &batch->signature, "batch.signature");
    batch->txs = sy_read_raw(&r, batch->header.bytes, "batch.txs");
    if (!sy_reader_done(&r)) return false;

    batch->header_bytes = sy_slice_of(bytes.data, SY_BATCH_HEADER_BYTES);
    while (sy_batch_next(batch, &offset, &tx)) count++;
    return offset == batch->txs.size && count == batch->header.count;
}

void sy_batch_builder_init(struct sy_batch_builder *builder, void *data, size_t size)
{
    SY_ASSERT(size >= SY_BATCH_FRONT_BYTES);
    memset(builder, 0, sizeof *builder);
    builder->data = (uint8_t *)data;
    builder->size = size < SY_BATCH_BYTES_MAX ? size : SY_BATCH_BYTES_MAX;
}

bool sy_batch_builder_add(struct sy_batch_builder *builder, struct sy_slice tx_bytes)
{
    size_t used = SY_BATCH_FRONT_BYTES + builder->bytes;
    if (builder->count == SY_BATCH_TXS_MAX) return false;
    if (tx_bytes.size == 0 || tx_bytes.size > SY_TX_BYTES_MAX) return false;
    if (tx_bytes.size + LENGTH_BYTES > builder->size - used) return false;

    struct sy_writer w = sy_writer_of(builder->data + used, builder->size - used);
    sy_write_bytes32(&w, tx_bytes);
    SY_ASSERT(!w.failed);
    builder->bytes += (uint32_t)w.used;
    builder->count++;
    return true;
}

void sy_batch_builder_head(struct sy_batch_builder *builder, struct sy_hash *digest,
                           struct sy_batch_header *header, const struct sy_hash *genesis)
{
    struct sy_writer w = sy_writer_of(builder->data, SY_BATCH_HEADER_BYTES);
    SY_ASSERT(builder->count > 0 && header->seq > 0);
    header->count = builder->count;
    header->bytes = builder->bytes;
    sy_batch_header_encode(&w, header);
    SY_ASSERT(!w.failed && w.used == SY_BATCH_HEADER_BYTES);
    sy_batch_digest(digest, genesis, sy_writer_slice(&w));
}

struct sy_slice sy_batch_builder_finish(struct sy_batch_builder *builder,
                                        const struct sy_signature *signature)
{
    memcpy(builder->data + SY_BATCH_HEADER_BYTES, signature->bytes, sizeof signature->bytes);
    return sy_slice_of(builder->data, SY_BATCH_FRONT_BYTES + builder->bytes);
}
