/* submitter.h: from an importer to final: transactions out to several validators at once, verified
 * proofs back.
 *
 *     importer --> outgoing --SUBMIT--> validators --RECEIVED--> watched --WAIT--> FINAL -->
 * importer ^                    | busy, silent, gone        | unknown for long
 *                     +--------------------+---------------------------+
 *
 * Validators are used in turn, so every one makes batches. One that does not answer, or keeps back
 * what others overtake (resend.h), costs a resend to another; the same bytes may reach several, and
 * are executed once. When the roster changes, the
 * run goes on with the validators of the new one. */
#ifndef SY_CLIENT_SUBMITTER_H
#define SY_CLIENT_SUBMITTER_H

#include "core/base/quantile.h"
#include "core/client/importer.h"
#include "core/crypto/keys.h"
#include "core/store/epochs.h"

struct sy_submit_progress {
    struct sy_import_totals totals;
    double seconds;
    double tx_per_s; /* final, over the last seconds */
    uint64_t height;
    unsigned validators; /* that answer */
};

struct sy_submit_result {
    double seconds;
    uint64_t resent;               /* transactions sent again, to the same or another validator */
    struct sy_quantile latency_us; /* from first send to verified proof */
    uint64_t first_height;         /* certified when the run began */
    uint64_t last_height;          /* newest certified height seen */
};

struct sy_submitter_config {
    sy_epochs *epochs; /* its newest roster is whom the run speaks to; later ones are learned */
    sy_importer *importer;
    const char *const *addresses; /* one a validator of the genesis (sy_epochs_address), or NULL */
    const sy_secret_key *reader;  /* signs reads of nonce windows; a regulator's key */
    uint32_t patience_ms;         /* give up after so long without anything final; 0: 60,000 */
    void (*progress)(void *self, const struct sy_submit_progress *progress); /* may be NULL */
    void *self;
};

/* sy_submitter_run works until everything the importer has is decided. SY_ERR_NETWORK: no
 * validator answers; SY_ERR_TIMEOUT: nothing became final for patience_ms. Either way nothing is
 * lost: run again with resume. */
sy_status sy_submitter_run(const struct sy_submitter_config *config,
                           struct sy_submit_result *result, struct sy_error *err);

#endif
