/* letin.h: whether anybody lets this node in, and what its operator is told if not.
 *
 * Links answer no key that they do not know, and say nothing to it: a stranger only sees that
 * nobody talks. So a node that is in no roster and has no link for SY_LETIN_PATIENCE_MS says in its
 * log what its operator has to ask for, and again every minute; and when the first link stands,
 * with whom. One thread. */
#ifndef SY_NODE_LETIN_H
#define SY_NODE_LETIN_H

#include "consensus/node/peers.h"

#define SY_LETIN_PATIENCE_MS 5000u

/* Zero it first. */
struct sy_letin {
    uint64_t since_ns; /* nobody has let it in since then; 0: it has not been looked */
    uint64_t told_ns;  /* 0: nothing was said of that yet */
    bool linked;
};

/* sy_letin_look looks at the links to the first `members` peers and logs what is new. now_ns:
 * monotonic. */
void sy_letin_look(struct sy_letin *letin, sy_link *link, const struct sy_peers *peers,
                   uint64_t now_ns);

#endif
