/* message.h: which signatures stand in a message, to be checked (jobs) or made (own).
 *
 * The machine holds no key and checks no signature. The node runs the jobs of a message on the
 * engine before the machine sees it, and fills in the own signatures of an effect before it is
 * carried out. Pure; any thread. */
#ifndef SY_CONSENSUS_PBFT_MESSAGE_H
#define SY_CONSENSUS_PBFT_MESSAGE_H

#include "consensus/pbft/pbft.h"
#include "core/crypto/engine.h"

/* The most jobs any message has but VIEW_CHANGE: a block's certificate. */
#define SY_MESSAGE_JOBS_MAX SY_VALIDATORS_MAX

/* sy_view_change_jobs_max is the most jobs that a VIEW_CHANGE of a roster of n has: its own, its
 * stable certificate's, and those of a prepared certificate for every slot of a window. */
size_t sy_view_change_jobs_max(unsigned n);

/* sy_message_jobs lists the signature checks of a decoded message, nested ones included, into jobs
 * (room for SY_MESSAGE_JOBS_MAX, or sy_view_change_jobs_max(n)) and says how many. Requests,
 * batches and a STATUS of a later epoch have none (links authenticate requests and who tells of a
 * later epoch; the pool admits batches). False: a signer or
 * epoch that the roster does not have: drop the message. key_handle is left at SY_KEY_HANDLE_NONE.
 */
SY_MUST_CHECK bool sy_message_jobs(struct sy_sig_job *jobs, size_t *count,
                                   const struct sy_message *message, const struct sy_roster *roster,
                                   const struct sy_hash *genesis);

/* One signature that this validator owes: sign (kind, digest) into *signature. */
struct sy_own_signature {
    struct sy_signature *signature; /* points into the effect */
    enum sy_sig_kind kind;
    struct sy_hash digest;
};
#define SY_PBFT_OWN_MAX 2u

/* sy_pbft_effect_own lists the signatures to be made before the effect is carried out and returns
 * how many, at most SY_PBFT_OWN_MAX. 0 for most effects. */
size_t sy_pbft_effect_own(struct sy_own_signature out[SY_PBFT_OWN_MAX],
                          struct sy_pbft_effect *effect, const struct sy_pbft_config *config);

#endif
