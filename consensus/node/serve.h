/* serve.h: stored bodies and certified blocks as messages for peers.
 *
 * A request for bodies is two kilobytes and its answer 64 MiB, so a peer is served within a share:
 * whoever asks for more than it could use costs the others nothing. */
#ifndef SY_NODE_SERVE_H
#define SY_NODE_SERVE_H

#include <stdbool.h>

#include "core/store/store.h"
#include "core/wire/limits.h"

/* Room for either message. */
#define SY_SERVE_BYTES_MAX SY_FRAME_BYTES_MAX

/* The time up to which a peer has used its share; zero at first. */
struct sy_serve_share {
    uint64_t spent_ns;
};

/* sy_serve_may says whether the peer may be served now. */
bool sy_serve_may(struct sy_serve_share *share, uint64_t now_ns);

/* sy_serve_spend charges what it was served; 0: it was looked for in vain, which costs too. */
void sy_serve_spend(struct sy_serve_share *share, size_t bytes);

/* sy_serve_body writes a BATCH message with the stored body of digest into out (room for
 * SY_SERVE_BYTES_MAX). SY_ERR_NOT_FOUND: it is not here. */
sy_status sy_serve_body(struct sy_slice *message, uint8_t *out, sy_store_reader *reader,
                        const struct sy_hash *digest);

/* sy_serve_block writes a BLOCK message: order | header | certificate, as stored. SY_ERR_NOT_FOUND:
 * no such block, or it is not certified here. */
sy_status sy_serve_block(struct sy_slice *message, uint8_t *out, sy_store_reader *reader,
                         uint64_t height);

#endif
