/* import_rig.h: an importer and a whole ledger in one process: what the importer hands out is
 * checked like admission would (form, signatures, possessions), executed in blocks, and told back
 * with receipts and real proofs under certificates. Mischief of the network is switched on by the
 * rig's fields. */
#ifndef SY_TESTS_SUPPORT_IMPORT_RIG_H
#define SY_TESTS_SUPPORT_IMPORT_RIG_H

#include "core/client/importer.h"
#include "tests/support/ledger_world.h"

#define RIG_TXS_MAX 4096u

/* A transaction that was decided, with everything a validator would tell about it. */
struct rig_outcome {
    struct sy_hash id;
    uint8_t *receipt, *proof, *certificate; /* owned */
    size_t receipt_bytes, proof_bytes, certificate_bytes;
    struct sy_header header;
    bool decides;
};

struct import_rig {
    struct ledger_world world;
    char folder[256];
    char store[300];
    char regulator[300];
    struct rig_outcome *outcomes;
    size_t outcome_count, outcome_capacity;
    /* how the network behaves */
    unsigned block_txs;   /* transactions a block at most; 0: 256 */
    unsigned lose_every;  /* every n-th outcome is not told at first */
    bool executes_copies; /* what is sent again is ordered again: a replay's receipt comes first */
    bool swallows;        /* nothing is ordered at all */
    bool hides;           /* what was ordered is not told */
    const sy_epochs *epochs; /* headers are told as of their newest epoch; NULL: as they are */
    /* what happened */
    unsigned sends, again, blocks, nonces_read;
    unsigned idle; /* half hours that passed with nothing on its way */
    sy_prng prng;
};

/* rig_open makes a fresh folder, a regulator's key file and a ledger whose block time is now. */
void rig_open(struct import_rig *rig);
void rig_close(struct import_rig *rig);

struct sy_importer_config rig_config(const struct import_rig *rig);

/* rig_jump makes an empty block that many ms later. */
void rig_jump(struct import_rig *rig, int64_t ms);

/* rig_decide orders one transaction in a block of its own, unless it was decided before, and gives
 * what a validator would tell. Only tx, tx_id and again of the action count. */
const struct rig_outcome *rig_decide(struct import_rig *rig, const struct sy_import_action *send);

/* rig_run does what the importer asks until it is done, or until it only waits while the network
 * swallows or hides. Gives the importer's own failure. */
sy_status rig_run(struct import_rig *rig, sy_importer *importer, struct sy_error *err);

/* rig_import opens, adds the paths (NULL-terminated), runs, gives the totals, closes. */
sy_status rig_import(struct import_rig *rig, const struct sy_importer_config *config,
                     const char *const *paths, struct sy_import_totals *totals,
                     struct sy_error *err);

/* rig_records counts the records in the ledger's state, and their versions beyond the first. */
void rig_records(struct import_rig *rig, size_t *records, size_t *amendments);

/* rig_samples is the path of the sample set, or of a file in it. */
void rig_samples(char *out, size_t size, const char *file);
/* rig_write writes a file into the rig's folder and gives its path. */
void rig_write(const struct import_rig *rig, char *path, size_t size, const char *name,
               const char *text);

#endif
