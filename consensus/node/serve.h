/* serve.h: stored bodies and certified blocks as messages for peers. */
#ifndef SY_NODE_SERVE_H
#define SY_NODE_SERVE_H

#include "core/store/store.h"
#include "core/wire/limits.h"

/* Room for either message. */
#define SY_SERVE_BYTES_MAX SY_FRAME_BYTES_MAX

/* sy_serve_body writes a BATCH message with the stored body of digest into out (room for
 * SY_SERVE_BYTES_MAX). SY_ERR_NOT_FOUND: it is not here. */
sy_status sy_serve_body(struct sy_slice *message, uint8_t *out, sy_store_reader *reader,
                        const struct sy_hash *digest);

/* sy_serve_block writes a BLOCK message: order | header | certificate, as stored. SY_ERR_NOT_FOUND:
 * no such block, or it is not certified here. */
sy_status sy_serve_block(struct sy_slice *message, uint8_t *out, sy_store_reader *reader,
                         uint64_t height);

#endif
