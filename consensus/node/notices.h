/* notices.h: the thread that follows certified blocks and notes where each subject's events stand,
 * so that they are found by number (core/store/store.h). It reads receipts and writes the index of
 * notices, nothing else; no block waits for it, and what it has not come to yet is told later. */
#ifndef SY_NODE_NOTICES_H
#define SY_NODE_NOTICES_H

#include "core/store/store.h"

typedef struct sy_notices sy_notices;

/* Called on the follower's thread, after a block's places can be found. */
typedef void (*sy_notices_added)(void *self, uint64_t height);

/* sy_notices_open starts the thread, which goes on where the index ends. store is borrowed. */
sy_status sy_notices_open(sy_notices **notices, sy_store *store, sy_notices_added added, void *self,
                          struct sy_error *err);

/* sy_notices_certified wakes it: more blocks are certified. Any thread. */
void sy_notices_certified(sy_notices *notices);

/* sy_notices_close ends the thread behind the block under way. NULL is fine. */
void sy_notices_close(sy_notices *notices);

#endif
