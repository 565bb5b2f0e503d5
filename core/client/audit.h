/* audit.h: is a validator's store what its network's rules make of its blocks?
 *
 * The store of a stopped validator is opened for reading and every block is made again from
 * genesis:
 *
 *     bodies of the batches that ran: digest, maker's signature, both roots, and every signature
 *                                     and proof of possession of every transaction (the engine)
 *     execution                       the same contracts over a state of the audit's own
 *     compared, byte for byte         header, receipts, deltas, transaction ids
 *     certificate                     quorum seals over the header, up to the newest certified one
 *                                     (the engine, many blocks at a time)
 *     the store's own state           entry by entry, at the end
 *
 * Certificates and makers are judged by the roster of their epoch, which the handovers in the store
 * lead to from the genesis (epochs.h).
 *
 * A store whose history was pruned cannot be replayed. Of it the audit checks what is left, and its
 * figures say so (`pruned`):
 *
 *     every header, linked to the one before, and its certificate
 *     of the blocks kept whole: bodies and all their signatures, batches root, receipts root
 *     the store's own state: its root is the newest header's
 *
 * The first difference ends it and is named. Two validators whose audits give the same height and
 * state root have the same ledger. One thread, and the engine's workers. */
#ifndef SY_CLIENT_AUDIT_H
#define SY_CLIENT_AUDIT_H

#include "core/store/store.h"
#include "core/wire/genesis.h"

struct sy_audit_figures {
    uint64_t base;      /* lowest height with a header; 0 unless the store began with a state */
    uint64_t pruned;    /* history is kept from here on; above 0: nothing was replayed */
    uint64_t height;    /* blocks replayed above genesis; of a pruned store: headers checked */
    uint64_t certified; /* of these, under a checked certificate */
    uint64_t txs;
    uint64_t applied;
    uint64_t refused;
    uint64_t batches;
    uint64_t signatures; /* checked */
    uint64_t state_entries;
    struct sy_hash state_root;  /* at height */
    struct sy_hash header_hash; /* of the newest certified block (of genesis, if there is none) */
    struct sy_hash certified_state_root;
};

struct sy_audit_config {
    const struct sy_genesis *genesis; /* borrowed */
    sy_store *store;                  /* borrowed */
    unsigned threads;                 /* of the engine; 0: one a processor, at most 8 */
    void (*progress)(void *self, uint64_t height, uint64_t of, uint64_t txs); /* may be NULL */
    void *self;
};

/* sy_audit_run does it all. SY_ERR_CORRUPT, SY_ERR_CRYPTO or SY_ERR_FORMAT: a difference, err says
 * where and which; figures then tell how far it came. */
sy_status sy_audit_run(const struct sy_audit_config *config, struct sy_audit_figures *figures,
                       struct sy_error *err);

#endif
