/* signers.h: tells the engine whose keys are in use, so that its tables of keys are shared out
 * among organisations (core/crypto/key_tables.h).
 *
 *     applied transaction --> signer, organisation --> seen lately? --> sy_engine_key_hint
 *     roster              --> consensus keys       ------------------>
 *
 * Only who signed what was applied is told: others have no organisation that this ledger knows of.
 * The validators count as one organisation of their own, the genesis's hash, which is nobody's id;
 * patients, who act for no organisation, count together. What was seen lately is a small table of
 * fingerprints under a secret seed, forgotten every so often: a hint is forgotten by the engine
 * too, when many other keys come by. One thread, but sy_signers_roster before any note. */
#ifndef SY_NODE_SIGNERS_H
#define SY_NODE_SIGNERS_H

#include "core/crypto/engine.h"
#include "core/wire/roster.h"

#define SY_SIGNERS_SEEN 16384u

struct sy_signers {
    sy_engine *engine;
    uint64_t seed[2];
    uint32_t told; /* hints since the table was forgotten */
    uint64_t seen[SY_SIGNERS_SEEN];
};

/* sy_signers_start begins anew with an engine, which is borrowed. */
void sy_signers_start(struct sy_signers *signers, sy_engine *engine);

/* sy_signers_roster hints the consensus keys of a roster. */
void sy_signers_roster(struct sy_signers *signers, const struct sy_roster *roster,
                       const struct sy_hash *genesis);

/* sy_signers_note hints a key unless it was seen lately. self: a struct sy_signers; a
 * sy_ledger_signed (core/ledger/ledger.h). */
void sy_signers_note(void *self, const struct sy_public_key *key,
                     const struct sy_hash *organisation);

#endif
