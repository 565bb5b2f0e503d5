/* epochs.h: which roster sealed what: the rosters of all epochs that somebody has followed, from
 * the genesis by verified handovers (core/wire/roster_change.h).
 *
 *     genesis --handover--> epoch 1 --handover--> ... --handover--> newest known
 *
 * Whoever checks something certified asks here, and learns (client.h does) when it is of a later
 * epoch than the newest known. Handovers are kept as they came, for files that must be checked
 * without a network; rosters are made from them again when an older one is asked for. So a followed
 * epoch costs one handover of memory, and SY_EPOCHS_MAX of them are the most.
 *
 * One thread at a time. */
#ifndef SY_STORE_EPOCHS_H
#define SY_STORE_EPOCHS_H

#include "core/crypto/keys.h"
#include "core/store/store.h"
#include "core/wire/genesis.h"
#include "core/wire/roster_change.h"

#define SY_EPOCHS_MAX 4096u

typedef struct sy_epochs sy_epochs;

/* sy_epochs_open knows epoch 0. The genesis (sealed) is borrowed. */
sy_status sy_epochs_open(sy_epochs **epochs, const struct sy_genesis *genesis,
                         struct sy_error *err);
/* sy_epochs_open_by lets somebody else decide each signature, as long as the epochs are open. */
sy_status sy_epochs_open_by(sy_epochs **epochs, const struct sy_genesis *genesis,
                            const struct sy_verifier *verifier, struct sy_error *err);
void sy_epochs_close(sy_epochs *epochs); /* NULL is fine */
const struct sy_genesis *sy_epochs_genesis(const sy_epochs *epochs);

/* sy_epochs_newest is the newest roster known. It stays where it is, and changes when a handover is
 * taken. */
const struct sy_roster *sy_epochs_newest(const sy_epochs *epochs);

/* sy_epochs_roster is an epoch's roster, good until the next call; NULL: it is not known. */
const struct sy_roster *sy_epochs_roster(sy_epochs *epochs, uint32_t epoch);

/* sy_epochs_address is where a validator of the newest roster is looked for, given addresses in the
 * order of the genesis's roster (or NULL). Each stands for the client address that the genesis
 * names; who came later, or moved since, is looked for where the roster says. */
const char *sy_epochs_address(const sy_epochs *epochs, const char *const *addresses,
                              unsigned validator);

/* sy_epochs_take follows one encoded handover of the newest roster known. SY_ERR_CRYPTO,
 * SY_ERR_FORMAT: it proves nothing, and nothing has changed; SY_ERR_LIMIT: SY_EPOCHS_MAX. */
sy_status sy_epochs_take(sy_epochs *epochs, struct sy_slice handover, struct sy_error *err);

/* sy_epochs_take_store follows all that a validator's store shows: epochs that ended at certified
 * heights, as long as their last headers are there. SY_ERR_CRYPTO, SY_ERR_FORMAT: they prove
 * nothing; or the store's failure. */
sy_status sy_epochs_take_store(sy_epochs *epochs, sy_store *store, sy_store_reader *reader,
                               struct sy_error *err);

/* sy_epochs_certified says whether the roster that sealed the header's height sealed this header: a
 * roster's signatures count for the heights of its epoch alone, so that keys which have left the
 * network certify nothing new. An epoch that is not known: false. */
bool sy_epochs_certified(sy_epochs *epochs, const struct sy_header *header,
                         const struct sy_certificate *certificate);

/* sy_epochs_certified_by lets somebody else decide each signature of it. */
bool sy_epochs_certified_by(sy_epochs *epochs, const struct sy_verifier *verifier,
                            const struct sy_header *header,
                            const struct sy_certificate *certificate);

/* sy_epochs_handovers are the handovers from the genesis to an epoch that is known, good until the
 * next one is taken. */
struct sy_slice sy_epochs_handovers(const sy_epochs *epochs, uint32_t epoch);

#endif
