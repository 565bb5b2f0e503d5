/* access.h: who may read what: the one place that judges signed reads.
 *
 * A reader is an enrolled key whose credential is valid at the newest certified block's time (a
 * patient's wallet key included). Regulators, and auditors for the purpose audit, read everything.
 * Others:
 *
 *   directory      organisations, prefixes, credentials (but patients'), roster, makers,
 *                  parameters, counts                 any reader
 *   own            a key's nonces                     that key, or its organisation
 *   patient        a patient's credential, patient, care, open care, records and versions about the
 * patient, and receipts and transactions about the patient the patient's wallet key; organisations
 * that enrolled the patient or hold an open care with the patient; of a care also the organisation
 * whose care it is or was organisation   records about an organisation or a credential: any reader
 *   transaction    its signers and the organisation it was signed for, besides the above
 *
 * Consent-based grants arrive with the consent contract. */
#ifndef SY_NODE_ACCESS_H
#define SY_NODE_ACCESS_H

#include <stdbool.h>

#include "core/store/store.h"
#include "core/wire/receipt.h"
#include "core/wire/request.h"
#include "core/wire/tx.h"

struct sy_access {
    sy_state_view *view; /* borrowed */
    int64_t time_ms;     /* block time at which credentials are judged */
};

/* sy_access_state says whether the reader may see the state entry that the read names. */
bool sy_access_state(const struct sy_access *access, const struct sy_read_request *read);

/* sy_access_tx says whether the reader may see a transaction and its receipt. */
bool sy_access_tx(const struct sy_access *access, const struct sy_read_request *read,
                  const struct sy_receipt *receipt, const struct sy_tx *tx);

#endif
