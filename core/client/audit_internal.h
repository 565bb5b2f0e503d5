/* audit_internal.h: what the replay from genesis (audit.c) and the check of a pruned store
 * (audit_pruned.c) share. */
#ifndef SY_CLIENT_AUDIT_INTERNAL_H
#define SY_CLIENT_AUDIT_INTERNAL_H

#include "core/client/audit.h"
#include "core/client/audit_batch.h"
#include "core/client/replay_state.h"
#include "core/crypto/sig_queue.h"
#include "core/ledger/ledger.h"
#include "core/store/epochs.h"

/* Certificates that wait to be judged, each of a block that was compared. */
#define AUDIT_CERTIFICATES_MAX 256u

struct audit_certificate {
    uint64_t height;
    struct sy_hash header_hash;
    struct sy_hash state_root;
    struct sy_audit_figures before; /* the block */
    bool holds;
};

struct audit_certificates {
    sy_sig_queue *queue;
    unsigned count;
    struct audit_certificate certificates[AUDIT_CERTIFICATES_MAX];
};

struct audit {
    const struct sy_audit_config *config;
    struct sy_audit_figures *figures;
    struct sy_error *err;
    sy_store_reader *reader;
    sy_replay_state *state;
    sy_ledger *ledger;
    sy_audit_batches *batches;
    struct audit_certificates waiting;
    sy_epochs *epochs;     /* as far as the store shows them */
    struct sy_header head; /* of the block made last */
    uint64_t height;       /* the block at hand */
    struct sy_proposal order;
    struct sy_block_entry entries[SY_PROPOSAL_ENTRIES_MAX];
    uint8_t *bodies; /* SY_PROPOSAL_BYTES_MAX */
};

/* Each fails with a sentence in audit->err that names the block at hand. */
sy_status sy_audit_get_part(struct audit *audit, struct sy_slice *out, enum sy_block_part part);
sy_status sy_audit_load_order(struct audit *audit);
/* sy_audit_load_bodies puts the signatures of the order's batches under way, too. */
sy_status sy_audit_load_bodies(struct audit *audit);
/* sy_audit_check_certificate checks that of audit->head, up to the newest certified block; its
 * signatures wait, so a failure may be that of an earlier block. */
sy_status sy_audit_check_certificate(struct audit *audit);

/* audit_certificates.c. open: the batches are open. add takes an encoded certificate of
 * audit->head, whose roster has n validators. settle judges all that wait. Both fail for the first
 * block, in order, whose certificate does not hold, and the figures are then as they were before
 * it. */
sy_status sy_audit_certificates_open(struct audit *audit);
sy_status sy_audit_certificates_add(struct audit *audit, struct sy_slice bytes, unsigned n);
sy_status sy_audit_certificates_settle(struct audit *audit);

/* sy_audit_pruned checks what a store can show whose history does not begin at genesis. The reader
 * and the batches of the audit are open. */
sy_status sy_audit_pruned(struct audit *audit);

#endif
