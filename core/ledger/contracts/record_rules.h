/* record_rules.h: what the contracts about records judge alike (internal to core/ledger/contracts).
 *
 * The author is the signer, or a practitioner whom a gateway of the same organisation names:
 *   another key named by a signer that is no gateway      E_ROLE {gateway}
 *   the named key has no credential                       E_CRED_UNKNOWN {key}
 *   it belongs to another organisation                    E_NOT_AUTHOR {its holder}
 *   it is revoked or outside its window at block time     E_CRED_EXPIRED {key}
 *   author_role is not the role of its credential         E_ROLE {that role}, path author_role
 *   its credential is limited to other classes            E_ROLE {}, path class
 *   the class is an order and the author no prescriber    E_ROLE {doctor, gateway}, path class
 *   size is above the network's record_bytes_max          E_SCHEMA {that maximum}, path size
 * A gateway that names nobody is its own author: the source system knew no practitioner.
 *
 * About a patient:
 *   not enrolled                                          E_PATIENT_UNKNOWN {id}
 *   signed by another patient, or by the patient without
 *   patient_reported                                      E_ROLE {roles of the kind but patient}
 *   the author may not write, see may.h:
 *     a consent forbids it                                E_CONSENT {consent id}
 *     one that is over allowed it                         E_CONSENT_EXPIRED {consent id, its end}
 *     nothing allows it                                   E_NO_CARE {patient id}
 *
 * Changing a record ("may amend it"):
 *   it was created for another organisation or patient,
 *   and no consent lets the author write                  E_NOT_AUTHOR {holder}
 *                         one that is over did            E_CONSENT_EXPIRED {consent id, its end}
 *                         a consent forbids it            E_CONSENT {consent id}
 *   it was erased                                         E_RECORD_ERASED {id}
 *   it was retracted                                      E_RECORD_STATE {id}
 *
 * Writing is judged with the purpose treatment. Whoever registered a record may change it whatever
 * the patient's consents say: what was written has to be kept right. */
#ifndef SY_LEDGER_CONTRACTS_RECORD_RULES_H
#define SY_LEDGER_CONTRACTS_RECORD_RULES_H

#include "core/ledger/exec.h"

struct sy_record_author {
    struct sy_public_key key;
    uint8_t role;
};

/* sy_record_judge_author finds out who wrote it; named: NULL unless the payload names somebody. */
enum sy_refusal sy_record_judge_author(struct sy_exec *x, struct sy_record_author *author,
                                       const struct sy_public_key *named, uint16_t stated_role,
                                       struct sy_slice record_class);

/* sy_record_scope_allows: the credential's scope has the class, or is none. */
bool sy_record_scope_allows(const struct sy_list *scope, struct sy_slice record_class);

/* sy_record_prescribes: may this role give orders? */
bool sy_record_prescribes(unsigned role);

enum sy_refusal sy_record_check_size(struct sy_exec *x, uint64_t size);

/* sy_record_check_patient: the patient is there, and a patient who signs is that one. */
enum sy_refusal sy_record_check_patient(struct sy_exec *x, const struct sy_hash *patient_id,
                                        bool patient_reported);

/* sy_record_ask asks whether a key may read or write (action) a record about a patient: one that is
 * there. sy_record_refuse is a refusal that names the consent behind the answer, or, where there is
 * none, `otherwise` with its hash. */
void sy_record_ask(struct sy_exec *x, struct sy_may_answer *answer, const struct sy_record *record,
                   const struct sy_public_key *who, uint16_t action);
enum sy_refusal sy_record_refuse(struct sy_exec *x, const struct sy_may_answer *answer,
                                 enum sy_refusal otherwise, const struct sy_hash *hash);

/* sy_record_check_writing: the author may write a new record of the patient, of this class and with
 * this label (NULL: none). */
enum sy_refusal sy_record_check_writing(struct sy_exec *x, const struct sy_hash *patient_id,
                                        struct sy_slice record_class, const struct sy_tag *label,
                                        const struct sy_public_key *author);

/* sy_record_same_subject: the record is about this subject; a patient's ids that were merged are
 * all the patient. */
bool sy_record_same_subject(struct sy_exec *x, const struct sy_record *record, uint8_t subject_kind,
                            const struct sy_hash *subject);

/* sy_record_find_linked finds a record that another one, of this subject, may point at:
 * E_RECORD_UNKNOWN, E_PATIENT_MISMATCH (about somebody else), E_RECORD_ERASED, each {id}. */
enum sy_refusal sy_record_find_linked(struct sy_exec *x, struct sy_record *record,
                                      const struct sy_hash *record_id, uint8_t subject_kind,
                                      const struct sy_hash *subject);

/* sy_record_check_own: may the author (NULL: nobody but the record's own may) change it? */
enum sy_refusal sy_record_check_own(struct sy_exec *x, const struct sy_record *record,
                                    const struct sy_public_key *author);

/* sy_record_find_own finds a record that the author may change: one that is there (else
 * E_RECORD_UNKNOWN {id}), and neither erased nor retracted. */
enum sy_refusal sy_record_find_own(struct sy_exec *x, struct sy_record *record,
                                   const struct sy_hash *record_id,
                                   const struct sy_public_key *author);

/* sy_record_find_version reads a version that the record has (1 to record->versions, asserted). */
bool sy_record_find_version(struct sy_exec *x, struct sy_record_version *version,
                            const struct sy_record *record, const struct sy_hash *record_id,
                            uint32_t number);

/* sy_record_save_version writes a version from 2 on. */
void sy_record_save_version(struct sy_exec *x, const struct sy_hash *record_id,
                            const struct sy_record_version *version);

#endif
