/* serve.h: stored bodies, certified blocks and handovers as messages for peers.
 *
 * A request for bodies is two kilobytes and its answer 64 MiB, so a peer is served within a share
 * of bytes (core/base/share.h): whoever asks for more than it could use costs the others nothing.
 * What is not served is asked of another peer, or again. */
#ifndef SY_NODE_SERVE_H
#define SY_NODE_SERVE_H

#include "consensus/node/node.h"
#include "core/base/share.h"
#include "core/store/store.h"
#include "core/wire/limits.h"

/* Room for any of these messages. */
#define SY_SERVE_BYTES_MAX SY_FRAME_BYTES_MAX
/* What a peer that catches up can use. */
#define SY_SERVE_BYTES_PER_S (UINT64_C(64) << 20)
/* All observers together are served no more than one peer of the roster: they are strangers whose
 * only right is an operator's word, and they have n validators to ask. */
#define SY_SERVE_OBSERVER_BYTES_PER_S (SY_SERVE_BYTES_PER_S / SY_NODE_OBSERVERS_MAX)

/* What peers are served from, and how much each was served. Zero the shares first. */
struct sy_serve {
    sy_store_reader *reader; /* borrowed */
    uint8_t *out;            /* borrowed: room for SY_SERVE_BYTES_MAX, holds the newest message */
    struct sy_share shares[SY_NODE_PEERS_MAX];
};

/* sy_serve_body makes a BATCH message of the stored body of digest, good until the next call. peer:
 * who asked, as node.h numbers peers, or SY_NODE_ALL for an own batch that everybody gets and
 * nobody pays for. SY_ERR_NOT_FOUND: it is not here, and the looking is paid for; SY_ERR_BUSY: the
 * peer has used its share. */
sy_status sy_serve_body(struct sy_serve *serve, struct sy_slice *message, uint16_t peer,
                        uint64_t now_ns, const struct sy_hash *digest);

/* sy_serve_block makes a BLOCK message: order | header | certificate, as stored. SY_ERR_NOT_FOUND:
 * no such block, or it is not certified here; SY_ERR_PRUNED: a PRUNED message was made instead, to
 * be sent once for all that was asked; SY_ERR_BUSY. */
sy_status sy_serve_block(struct sy_serve *serve, struct sy_slice *message, uint16_t peer,
                         uint64_t now_ns, uint64_t height);

/* sy_serve_handovers makes a HANDOVERS message: what the store can prove of how this epoch and
 * those after it ended, which may be nothing. SY_ERR_BUSY; or the state cannot be opened. */
sy_status sy_serve_handovers(struct sy_serve *serve, struct sy_slice *message, uint16_t peer,
                             uint64_t now_ns, uint32_t epoch);

/* sy_serve_claim charges a whole frame for an answer that another thread makes (holder.h): making
 * it is what it costs. SY_ERR_BUSY: the peer has used its share. */
sy_status sy_serve_claim(struct sy_serve *serve, uint16_t peer, uint64_t now_ns);

#endif
