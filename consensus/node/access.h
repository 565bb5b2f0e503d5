/* access.h: who may read what: the one place that judges signed reads.
 *
 * A reader is an enrolled key whose credential is valid at the newest certified block's time (a
 * patient's wallet key and a guardian's included) and whose organisation is not suspended.
 * Regulators, and auditors for the purpose audit, read everything. Others:
 *
 * - The directory (organisations, prefixes, credentials but patients', roster and its changes,
 *   makers, parameters, schedules, counts, validators' signing keys): any reader.
 * - Searching it (core/wire/find.h): any reader, too.
 * - A key's nonces: that key, or its organisation.
 * - A patient's credential, patient, care, open care, records and versions about the patient, and
 *   receipts and transactions about the patient: whom core/ledger/may.h lets read for the purpose
 * of the request, a record by its class, label and holder, all else as class Patient; a care also
 * the organisation whose care it is or was.
 * - A patient's consents, their list and their places: the patient, and organisations that treat
 * the patient as far as they may see the patient, because who keeps records must know whom to show
 *   them; a single consent also whoever it is about (the key, the organisation, holders of the
 * role).
 * - While a patient has no key, each of the guardians sees the patient, care and consents, too,
 * about which they decide; records only by a consent.
 * - A device of an organisation: any reader; of a patient: who may see the patient, the
 * organisation that answers for the device, and the device itself. A device's key sees nothing of
 * what others of its organisation see.
 * - An emergency access: who may see the patient's consents, and the organisation whose key it was;
 *   those of a key that are not reviewed: that key, or its organisation.
 * - Plans, rows of lists, and whether a service whose key one can make was billed: any reader. A
 *   coverage and what it used: its payer, the patient and guardians, who may see the patient. A
 *   claim and its payment: its payer, who billed, the patient and guardians; the list of a
 * patient's claims: these two. Balances, remittances and the list of settlements: the organisation;
 * what one owes another, and a settlement: both.
 * - A record's versions, cosignatures and links: who may see the record, not therefore what it
 * links to; a duplicate: who may see both records.
 * - Records about an organisation or a credential: any reader.
 * - A transaction and its receipt: its signers and the organisation it was signed for, besides the
 *   above.
 * - Notices, the events of a subject by number: a patient's wallet, each of the patient's
 * guardians; an organisation's admins and gateways; a credential's own key, and admins of its
 * organisation.
 *   Of a patient's also to admins and gateways of an organisation that subscribed, while it may see
 *   the patient, and then only those notices that it may see.
 * - The ids of a block's transactions: members, which are regulators, keys of active organisations
 *   (patients, guardians and devices are none), and the validators' own keys, of whatever use. */
#ifndef SY_NODE_ACCESS_H
#define SY_NODE_ACCESS_H

#include <stdbool.h>

#include "core/store/store.h"
#include "core/wire/disclosed.h"
#include "core/wire/receipt.h"
#include "core/wire/request.h"
#include "core/wire/tx.h"

/* What a read that is granted tells of patients, and why: what is noted of it (reads.h). Nothing of
 * a patient's or a guardian's reading of their own, nor of what the reader is party to: a consent
 * or a care relation of its own, its own transaction. */
#define SY_GRANTS_MAX SY_EVENTS_PER_TX_MAX

struct sy_grants {
    uint32_t count;
    struct sy_disclosed items[SY_GRANTS_MAX]; /* no two of the same; salts are zero */
};

struct sy_access {
    sy_state_view *view;            /* borrowed */
    int64_t time_ms;                /* block time at which credentials are judged */
    const struct sy_roster *roster; /* borrowed */
    struct sy_grants *grants; /* borrowed, filled by those below, good if they say yes; or NULL */
};

/* sy_access_state says whether the reader may see the state entry that the read names. */
bool sy_access_state(const struct sy_access *access, const struct sy_read_request *read);

/* sy_access_tx says whether the reader may see a transaction and its receipt. */
bool sy_access_tx(const struct sy_access *access, const struct sy_read_request *read,
                  const struct sy_receipt *receipt, const struct sy_tx *tx);

/* sy_access_notices says whether the reader may ask for the notices of the subject that the read
 * names; sy_access_notice, who may, whether this one of that height is shown: it adds to the
 * grants. */
bool sy_access_notices(const struct sy_access *access, const struct sy_read_request *read);
bool sy_access_notice(const struct sy_access *access, const struct sy_read_request *read,
                      const struct sy_event *event, uint64_t height);

/* sy_access_notice_count is how many events the state has counted about a subject: the number of
 * its newest one, certified or not. 0: none, or there is no such subject. */
uint64_t sy_access_notice_count(const struct sy_access *access, uint8_t subject_kind,
                                const struct sy_hash *subject);

/* sy_access_known says whether a key may read anything at all. */
bool sy_access_known(const struct sy_access *access, const struct sy_public_key *key);

/* sy_access_find says whether the reader may search the directory. */
bool sy_access_find(const struct sy_access *access, const struct sy_read_request *read);

/* sy_access_ids says whether the reader may see which transactions stand in a block. */
bool sy_access_ids(const struct sy_access *access, const struct sy_read_request *read);

#endif
