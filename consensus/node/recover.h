/* recover.h: a validator's start: what its store holds, told to the node in the order it wants. */
#ifndef SY_NODE_RECOVER_H
#define SY_NODE_RECOVER_H

#include "consensus/node/executor.h"
#include "consensus/node/node.h"
#include "core/store/store.h"

/* What carries out the effects of the start; the same function that the runner uses later. */
typedef void (*sy_node_carry)(void *self, const struct sy_node_effects *effects);

/* sy_node_recover feeds START, the blocks above the certified height, every vote record, every
 * stored body and RESUME, and hands all effects to carry. now_* as in events. */
sy_status sy_node_recover(sy_node *node, struct sy_node_effects *effects, sy_store *store,
                          sy_executor *executor, const struct sy_genesis *genesis,
                          const struct sy_roster *roster, sy_node_carry carry, void *self,
                          int64_t now_ms, uint64_t now_ns, struct sy_error *err);

#endif
