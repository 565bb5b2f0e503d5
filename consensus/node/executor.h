/* executor.h: blocks from order to durable ledger: the work of the execution thread.
 *
 *     proposal --> bodies from the store --> sy_ledger_execute --> ledger append (durable)
 *                                                              --> state apply --> ran batches
 *
 * The stored order of a block is a proposal that holds exactly the entries that ran and the
 * block's own time, so that every validator stores and serves the same bytes, and a block that was
 * adopted gives the same header as one that was voted. One thread at a time. */
#ifndef SY_NODE_EXECUTOR_H
#define SY_NODE_EXECUTOR_H

#include "consensus/node/node.h"
#include "core/ledger/ledger.h"
#include "core/store/store.h"

typedef struct sy_executor sy_executor;

/* What a block did, for the node and for whoever answers clients. Owned by the executor until its
 * next run. */
struct sy_executed {
    struct sy_header header;
    struct sy_hash header_hash;
    uint64_t next_epoch; /* height from which another roster orders, as known now; 0: none */
    struct sy_node_ran ran[SY_PROPOSAL_ENTRIES_MAX];
    uint32_t ran_count;
    uint32_t tx_count;
    uint32_t applied_count;
    uint32_t refused_count;
};

/* sy_executor_open opens the ledger over the store's state. A store without blocks gets the
 * genesis block. Checks that the state root is that of the newest header. store is borrowed. */
sy_status sy_executor_open(sy_executor **executor, sy_store *store,
                           const struct sy_genesis *genesis, struct sy_error *err);
void sy_executor_close(sy_executor *executor); /* NULL is fine */

/* sy_executor_run executes, stores and applies the next block: a proposal as voted, or the stored
 * order of a certified block; both give the same block. After a failure (disk full, damage) the
 * executor must be closed: what was durable before is still there, and the block is run again
 * after the next start. */
sy_status sy_executor_run(sy_executor *executor, struct sy_executed *done,
                          const struct sy_proposal *proposal, struct sy_error *err);

/* Called by sy_executor_run with the trie's top after a block at a multiple of `every`; whoever is
 * called owns its memory. */
typedef void (*sy_executor_top)(void *self, uint64_t height, struct sy_snapshot_top *top);

/* sy_executor_give_tops sets who gets them; every 0: nobody. Before the first run. */
void sy_executor_give_tops(sy_executor *executor, uint32_t every, sy_executor_top give, void *self);

/* sy_executor_give_signers sets who is told of the signers of what is applied (ledger.h); NULL:
 * nobody. While no run is under way. */
void sy_executor_give_signers(sy_executor *executor, sy_ledger_signed give, void *self);

/* sy_executor_head is the newest executed header. */
void sy_executor_head(const sy_executor *executor, struct sy_header *header, struct sy_hash *hash);

/* sy_executor_prove proves a state key under the newest header. Borrowed as in ledger.h. */
sy_status sy_executor_prove(sy_executor *executor, struct sy_state_proof *proof,
                            const struct sy_hash *key_hash, struct sy_error *err);

/* sy_executor_next_seq is what the state holds as a maker's next seq. */
sy_status sy_executor_next_seq(sy_executor *executor, uint64_t *next,
                               const struct sy_public_key *maker);

/* sy_executor_roster is the roster that orders a height, which is not above the newest block's
 * successor nor below the height at which that roster began. Borrowed until the next run. */
const struct sy_roster *sy_executor_roster(const sy_executor *executor, uint64_t height);

/* sy_executor_epoch_base is the height before the first one that this roster orders; 0: it is the
 * genesis's. sy_executor_next_epoch is the first one that it does not order any more, 0: none is
 * known. */
uint64_t sy_executor_epoch_base(const sy_executor *executor, uint64_t height);
uint64_t sy_executor_next_epoch(const sy_executor *executor, uint64_t height);

void sy_executor_get_trie_info(const sy_executor *executor, struct sy_trie_info *info);

#endif
