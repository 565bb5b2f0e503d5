/* ledger.h: execution: blocks of admitted batches in, receipts, deltas and headers out.
 *
 * Execution is deterministic and does no I/O: it reads state through a source (source.h), and
 * everything else it knows is the genesis and its own memory. The same blocks over the same
 * genesis give the same bytes on every machine.
 *
 *     sy_ledger_genesis ------> deltas of height 0, applied to an empty source by the caller
 *     sy_ledger_open ---------> the trie is rebuilt from the source
 *     sy_ledger_execute ------> header, receipts, deltas, owned by the ledger
 *       the caller makes the block durable and applies the deltas to the source
 *     sy_ledger_execute ...
 *
 * A batch runs when the entry names a maker of the roster and that maker's next seq, the batch is
 * of that maker and seq, and it fits what a proposal may hold beside those before it; otherwise the
 * entry is skipped and leaves nothing behind. Every transaction of a
 * batch that runs gets a receipt. Checks stand in this order (ledger catalogue, "Envelope"):
 *
 *     of every signer   E_KEY_UNKNOWN, then E_KEY_REVOKED      a new key that the payload itself
 *                                                              enrols may sign, first or later, if
 *                                                              a known one signs too
 *     of the first      E_REPLAY, E_EXPIRED                    up to here nothing is consumed
 *     of every signer   E_ORG_SUSPENDED
 *     payload by payload  E_ROLE, E_SCHEMA, E_CRED_EXPIRED, the contract's own
 *
 * Nonces belong to the first signer's key alone: a cosigner signs the same body, nonce included,
 * so its signature can be replayed no more than the body can, and it spends no nonce of its own.
 * The signer that answers for a payload is the first whose role the kind allows; in an atomic
 * transaction the one that the part names. The organisation field must be that of the first signer
 * (zero for a patient or a regulator), or of whoever answers when the first signer's key is new.
 *
 * A transaction refused from E_ORG_SUSPENDED on writes its key's nonce window and nothing else; its
 * receipt lists no keys, because no contract wrote any. An atomic transaction is executed part by
 * part; the first refusal takes back all parts, and the receipt carries that part's own code and
 * the part's index.
 *
 * All calls from the execution thread. */
#ifndef SY_LEDGER_LEDGER_H
#define SY_LEDGER_LEDGER_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/ledger/snapshot.h"
#include "core/ledger/source.h"
#include "core/ledger/trie.h"
#include "core/wire/block.h"
#include "core/wire/genesis.h"
#include "core/wire/proof.h"

typedef struct sy_ledger sy_ledger;

struct sy_ledger_config {
    const struct sy_genesis *genesis; /* sealed; copied */
    struct sy_state_source source;    /* kept; must outlive the ledger */
    unsigned trie_bucket_leaves;      /* 0: the default */
    size_t trie_bytes_max;            /* memory for the trie's heap; 0: 256 MiB */
};

/* One entry of the proposal and the batch it names. */
struct sy_block_entry {
    struct sy_entry entry;
    struct sy_slice batch;        /* borrowed for the call: the whole batch, admitted before */
    const struct sy_hash *tx_ids; /* what admission computed, one a tx; NULL: computed here */
};

struct sy_block_input {
    uint64_t height;
    uint32_t epoch;
    int64_t time_ms;                  /* the proposal's; of a null slot 0 */
    const struct sy_header *previous; /* header of height - 1 */
    const struct sy_block_entry *entries;
    size_t entry_count; /* at most SY_PROPOSAL_ENTRIES_MAX */
};

struct sy_entry_result {
    bool ran;
    uint32_t first_tx; /* index in the block; receipts and ids of this entry start here */
    uint32_t tx_count; /* 0 unless ran */
};

/* Everything here is owned by the ledger and stands until the next execute or close. */
struct sy_block_result {
    struct sy_header header;
    struct sy_hash header_hash;
    struct sy_slice header_bytes;
    const struct sy_entry_result *entries; /* as many as were given */
    size_t ran_count;
    const struct sy_hash *ran_digests; /* batch digests of the entries that ran, in order */
    uint32_t tx_count;
    const struct sy_hash *tx_ids;         /* tx_count */
    struct sy_slice receipts;             /* u32 count, then u32 length and receipt, each */
    const uint32_t *receipt_offsets;      /* tx_count: where each length stands in receipts */
    const struct sy_hash *receipt_leaves; /* tx_count: leaf hashes under the receipts root */
    struct sy_slice deltas;               /* core/wire/delta.h */
    uint32_t applied_count;
    uint32_t refused_count;
    uint64_t first_event; /* global number of the block's first event */
    uint64_t event_count;
    uint32_t delta_count;
};

/* Called for each transaction that was applied, with its first signer and the organisation it acts
 * for (zero: none). From sy_ledger_execute; decides nothing. */
typedef void (*sy_ledger_signed)(void *self, const struct sy_public_key *signer,
                                 const struct sy_hash *organisation);

/* Room that sy_ledger_genesis needs at most. */
#define SY_LEDGER_GENESIS_BYTES_MAX (512u << 10)

/* sy_ledger_genesis writes the deltas that make the genesis state and gives its root (for
 * sy_genesis_header). genesis must be sealed. SY_ERR_LIMIT: the writer's buffer is too small. */
sy_status sy_ledger_genesis(struct sy_writer *deltas, struct sy_hash *state_root,
                            const struct sy_genesis *genesis);

/* sy_ledger_genesis_hash derives the hash of block 0's header, which has no certificate. Fails as
 * sy_ledger_genesis does, and with SY_ERR_NO_MEMORY. */
sy_status sy_ledger_genesis_hash(struct sy_hash *header_hash, const struct sy_genesis *genesis);

/* sy_ledger_open carves everything execution needs and rebuilds the trie by scanning the source,
 * which must show genesis or a later height. The caller compares sy_ledger_state_root with the
 * header of that height. */
sy_status sy_ledger_open(sy_ledger **ledger, const struct sy_ledger_config *config,
                         struct sy_error *err);

/* sy_ledger_close frees it. NULL is fine. */
void sy_ledger_close(sy_ledger *ledger);

void sy_ledger_state_root(const sy_ledger *ledger, struct sy_hash *root);

/* sy_ledger_execute runs one block. Failures: SY_ERR_FORMAT, SY_ERR_CORRUPT (bytes that no
 * admission could have passed, or not those that the entry names), SY_ERR_LIMIT (more entries than
 * a proposal may hold), SY_ERR_ARGUMENT (height does not follow the previous header), the source's
 * own. After a failure of the source the ledger refuses everything and must be opened again; after
 * the others nothing has changed. */
sy_status sy_ledger_execute(sy_ledger *ledger, struct sy_block_result *result,
                            const struct sy_block_input *input, struct sy_error *err);

/* sy_ledger_prove fills a proof of presence or absence under the newest executed block's state
 * root, whether its deltas were applied yet or not. proof->value is borrowed until the next call
 * on the ledger or the source. */
sy_status sy_ledger_prove(sy_ledger *ledger, struct sy_state_proof *proof,
                          const struct sy_hash *key_hash, struct sy_error *err);

/* sy_ledger_take_top copies the top of the state trie as it is after the newest block
 * (snapshot.h). SY_ERR_NO_MEMORY. */
sy_status sy_ledger_take_top(const sy_ledger *ledger, struct sy_snapshot_top *top);

/* sy_ledger_roster is the roster that orders and seals a height: the newest executed one, or the
 * next. It stands until the next execute or close. */
const struct sy_roster *sy_ledger_roster(const sy_ledger *ledger, uint64_t height);

/* sy_ledger_epoch_base is the height before the first one that this roster orders; 0: it is the
 * genesis's. sy_ledger_next_epoch is the height above `height` at which a change that was executed
 * takes effect; 0: none is known. */
uint64_t sy_ledger_epoch_base(const sy_ledger *ledger, uint64_t height);
uint64_t sy_ledger_next_epoch(const sy_ledger *ledger, uint64_t height);

/* sy_ledger_give_signers sets who is told; NULL: nobody, as at first. Between two blocks. */
void sy_ledger_give_signers(sy_ledger *ledger, sy_ledger_signed give, void *self);

void sy_ledger_get_trie_info(const sy_ledger *ledger, struct sy_trie_info *info);

#endif
