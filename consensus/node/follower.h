/* follower.h: a thread that goes through certified blocks one after the other, for an index that is
 * derived from them (notices.h, directory.h). No block waits for it; it is woken when more blocks
 * are certified, and tries again a second later what failed. */
#ifndef SY_NODE_FOLLOWER_H
#define SY_NODE_FOLLOWER_H

#include "core/store/store.h"

typedef struct sy_follower sy_follower;

struct sy_follower_config {
    sy_store *store;  /* borrowed */
    const char *name; /* of the thread, and the room of its log lines; static */
    /* The height that the index is to have next. */
    uint64_t (*next)(void *self);
    /* Takes the block at height, which is certified and was not pruned a moment ago; and more
     * behind it, up to certified, if it likes. SY_ERR_PRUNED: it was overtaken. */
    sy_status (*take)(void *self, uint64_t height, uint64_t certified, struct sy_error *err);
    void *self;
};

/* sy_follower_open starts the thread. */
sy_status sy_follower_open(sy_follower **follower, const struct sy_follower_config *config,
                           struct sy_error *err);

/* sy_follower_wake: more blocks are certified. Any thread. */
void sy_follower_wake(sy_follower *follower);

/* sy_follower_close ends the thread behind what is under way. NULL is fine. */
void sy_follower_close(sy_follower *follower);

#endif
