/* batch.h: transactions collected, signed and spread by one validator, its maker.
 *
 *   header  32 maker's consensus key | u64 seq | u32 count | u32 bytes (of the tx section)
 *           | 32 id root (RFC 6962 over tx ids) | 32 signature root (RFC 6962, leaf = a tx's
 *           signatures as they stand)
 *   batch   header | 64 maker's signature, kind BATCH over digest(BATCH, header) | tx section:
 *           u32 length, tx  (count times)
 *
 * The digest covers the header, the header covers every byte: one digest, one byte string. */
#ifndef SY_WIRE_BATCH_H
#define SY_WIRE_BATCH_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"

#define SY_BATCH_HEADER_BYTES (32 + 8 + 4 + 4 + 32 + 32)

struct sy_batch_header {
    struct sy_public_key maker;
    uint64_t seq; /* from 1 */
    uint32_t count;
    uint32_t bytes;
    struct sy_hash id_root;
    struct sy_hash signature_root;
};

struct sy_batch {
    struct sy_batch_header header;
    struct sy_signature signature;
    struct sy_slice header_bytes; /* borrowed */
    struct sy_slice txs;          /* borrowed: the tx section */
};

void sy_batch_header_encode(struct sy_writer *w, const struct sy_batch_header *header);
bool sy_batch_header_decode(struct sy_reader *r, struct sy_batch_header *header);
void sy_batch_digest(struct sy_hash *digest, const struct sy_hash *genesis,
                     struct sy_slice header_bytes);

/* sy_batch_decode checks limits and form: count, bytes, seq >= 1, and that the section holds
 * exactly count lengths and transactions of 1 to SY_TX_BYTES_MAX bytes. batch borrows bytes. The
 * transactions themselves, the roots and the signature are admission's. */
bool sy_batch_decode(struct sy_batch *batch, struct sy_slice bytes);

/* sy_batch_next gives the next tx's bytes: start with *offset = 0; false at the end or when the
 * section is malformed (then *offset != txs.size). */
bool sy_batch_next(const struct sy_batch *batch, size_t *offset, struct sy_slice *tx_bytes);

/* A maker's builder over a caller's buffer, which keeps the batch: room for header and signature
 * stays in front, transactions are appended behind it.
 *
 *     init, add until it says no, compute both roots, head (gives the digest to sign), finish */
#define SY_BATCH_FRONT_BYTES (SY_BATCH_HEADER_BYTES + 64)
struct sy_batch_builder {
    uint8_t *data;
    size_t size;    /* room, never counted above SY_BATCH_BYTES_MAX */
    uint32_t count; /* transactions so far */
    uint32_t bytes; /* of the tx section so far */
};

/* sy_batch_builder_init starts an empty batch; size must be at least SY_BATCH_FRONT_BYTES. */
void sy_batch_builder_init(struct sy_batch_builder *builder, void *data, size_t size);
/* sy_batch_builder_add copies one tx in. False: it does not fit any more; nothing changed. */
bool sy_batch_builder_add(struct sy_batch_builder *builder, struct sy_slice tx_bytes);
/* sy_batch_builder_head fills header->count and header->bytes, writes the header (maker, seq and
 * roots are the caller's) and gives the digest that the maker signs. */
void sy_batch_builder_head(struct sy_batch_builder *builder, struct sy_hash *digest,
                           struct sy_batch_header *header, const struct sy_hash *genesis);
/* sy_batch_builder_finish writes the signature and returns the whole batch. */
struct sy_slice sy_batch_builder_finish(struct sy_batch_builder *builder,
                                        const struct sy_signature *signature);

#endif
