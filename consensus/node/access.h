/* access.h: who may read what: the one place that judges signed reads.
 *
 * A reader is an enrolled key whose credential is valid at the newest certified block's time (a
 * patient's wallet key included) and whose organisation is not suspended. Regulators, and auditors
 * for the purpose audit, read everything. Others:
 *
 * - The directory (organisations, prefixes, credentials but patients', roster and its changes,
 *   makers, parameters, counts): any reader.
 * - A key's nonces: that key, or its organisation.
 * - A patient's credential, patient, care, open care, records and versions about the patient, and
 *   receipts and transactions about the patient: whom core/ledger/may.h lets read for the purpose
 * of the request, a record by its class, label and holder, all else as class Patient; a care also
 * the organisation whose care it is or was.
 * - A patient's consents, their list and their places: the patient, and organisations that treat
 * the patient as far as they may see the patient, because who keeps records must know whom to show
 *   them; a single consent also whoever it is about (the key, the organisation, holders of the
 * role).
 * - An emergency access: who may see the patient's consents, and the organisation whose key it was;
 *   those of a key that are not reviewed: that key, or its organisation.
 * - Records about an organisation or a credential: any reader.
 * - A transaction and its receipt: its signers and the organisation it was signed for, besides the
 *   above.
 * - The ids of a block's transactions: members, which are regulators, keys of active organisations
 *   (patients are none), and the validators' own keys, of whatever use. */
#ifndef SY_NODE_ACCESS_H
#define SY_NODE_ACCESS_H

#include <stdbool.h>

#include "core/store/store.h"
#include "core/wire/receipt.h"
#include "core/wire/request.h"
#include "core/wire/tx.h"

struct sy_access {
    sy_state_view *view;            /* borrowed */
    int64_t time_ms;                /* block time at which credentials are judged */
    const struct sy_roster *roster; /* borrowed */
};

/* sy_access_state says whether the reader may see the state entry that the read names. */
bool sy_access_state(const struct sy_access *access, const struct sy_read_request *read);

/* sy_access_tx says whether the reader may see a transaction and its receipt. */
bool sy_access_tx(const struct sy_access *access, const struct sy_read_request *read,
                  const struct sy_receipt *receipt, const struct sy_tx *tx);

/* sy_access_known says whether a key may read anything at all. */
bool sy_access_known(const struct sy_access *access, const struct sy_public_key *key);

/* sy_access_ids says whether the reader may see which transactions stand in a block. */
bool sy_access_ids(const struct sy_access *access, const struct sy_read_request *read);

#endif
