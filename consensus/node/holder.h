/* holder.h: the thread that cuts chunks (cutter.h) of the held state for peers that are new.
 *
 *     execution: the trie's top at a multiple of SY_SNAPSHOT_BLOCKS --> sy_holder_put_top
 *     store:     the state there, once it is merged                     sy_snapshot_scan
 *     loop:      a peer's SNAPSHOT_FETCH --> sy_holder_ask --> chunk --> send
 *
 * It waits for nobody and nobody waits for it: what a peer asks while two of its questions wait is
 * not answered, and the peer asks again, or another. */
#ifndef SY_NODE_HOLDER_H
#define SY_NODE_HOLDER_H

#include "consensus/node/cutter.h"
#include "consensus/node/node.h"

typedef struct sy_holder sy_holder;

/* Called on the holder's thread; bytes are borrowed for the call. */
typedef void (*sy_holder_send)(void *self, uint16_t peer, struct sy_slice message);

/* sy_holder_open starts the thread. store is borrowed. */
sy_status sy_holder_open(sy_holder **holder, sy_store *store, sy_holder_send send, void *self,
                         struct sy_error *err);
void sy_holder_close(sy_holder *holder); /* NULL is fine */

/* sy_holder_put_top keeps the trie's top after the block at height, and takes its memory over. Any
 * one thread. */
void sy_holder_put_top(sy_holder *holder, uint64_t height, struct sy_snapshot_top *top);

/* sy_holder_take_tops moves the tops out, oldest first, for another holder of the same store to be
 * given: they cannot be made again before the next height that is held. */
void sy_holder_take_tops(sy_holder *holder, struct sy_cutter_top tops[SY_CUTTER_TOPS]);

/* sy_holder_ask queues a question of the peer at this place in the links' list. False: two of that
 * peer's wait already, so that nobody's questions keep those of others out; or there is no such
 * place. Any one thread. */
bool sy_holder_ask(sy_holder *holder, uint16_t peer, uint64_t height, const struct sy_hash *key);

#endif
