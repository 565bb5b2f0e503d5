/* exec.h: what a contract sees while it runs (internal to core/ledger).
 *
 * A contract is a function of its payload and of this context. It reads and writes typed state
 * through the calls below and answers with a refusal code, having filled detail, detail_hash or
 * path when the code has something to say. It may write before it refuses: whatever it wrote is
 * taken back. It must not write what it borrowed from after that was written again.
 *
 * A failing source (or a value in it that does not decode) is nobody's transaction's fault: the
 * call then answers "absent" and `failed` keeps the reason; the block is abandoned as soon as the
 * contract returns, whatever it returned. So no contract asserts anything about state. */
#ifndef SY_LEDGER_EXEC_H
#define SY_LEDGER_EXEC_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/ledger/may.h"
#include "core/ledger/overlay.h"
#include "core/wire/receipt.h"
#include "core/wire/refusal.h"
#include "core/wire/schema.h"
#include "core/wire/state.h"
#include "core/wire/tx.h"

/* What state says about one signer's key when the payload begins. */
struct sy_exec_signer {
    struct sy_public_key key;
    bool known; /* enrolled for transactions */
    bool revoked;
    bool valid;     /* known, not revoked, within its window at block time */
    bool suspended; /* its organisation is */
    uint8_t role;
    struct sy_hash holder; /* organisation, patient id, or zero for a regulator */
    struct sy_hash line;   /* the first key of its line (state.h); its own when it is unknown */
};

/* Key hashes are computed once for an id that comes again: 33 bytes decide the place. */
#define SY_EXEC_MEMO 4096u
struct sy_exec_memo {
    uint8_t kind; /* 0: empty */
    struct sy_hash id;
    struct sy_hash key_hash;
};

/* What a transaction of so many bytes may write whatever the block has done before: a key for
 * every 11 of them and two more, 64 bytes of values for each, 6 bytes of keys and events in its
 * receipt. That is more than what any payload takes that writes a few things of its own (ledger.c),
 * so nobody's work can be crowded out. What takes more (goods in containers, recalls: a few bytes
 * name very much) shares a surplus; when a block has none left, it is refused. */
#define SY_EXEC_BYTES_PER_KEY 11u
#define SY_EXEC_KEYS_PER_TX 2u
#define SY_EXEC_VALUE_BYTES_PER_BYTE 64u
#define SY_EXEC_LIST_BYTES_PER_BYTE 6u
struct sy_exec_surplus {
    size_t keys, value_bytes, list_bytes;
};
/* Of a block. */
#define SY_EXEC_SURPLUS_KEYS 131072u
#define SY_EXEC_SURPLUS_VALUE_BYTES (64u << 20)
#define SY_EXEC_SURPLUS_LIST_BYTES (16u << 20)

struct sy_exec {
    /* the block's */
    struct sy_exec_surplus surplus; /* that is left */
    sy_overlay *state;
    uint64_t height;
    int64_t time_ms;
    struct sy_hash beacon; /* what nobody knew before the block was proposed: sy_trial_beacon */
    struct sy_params params;
    const struct sy_hash *genesis;  /* the genesis's hash */
    const struct sy_roster *roster; /* that orders this block */
    struct sy_hash roster_hash;
    bool roster_changed;       /* a change was written, and perhaps taken back */
    uint64_t next_event;       /* global number of the next event, from 1 */
    sy_status failed;          /* the source's first failure */
    struct sy_exec_memo *memo; /* SY_EXEC_MEMO */
    /* the transaction's */
    const struct sy_tx *tx;
    unsigned signer_count;
    struct sy_exec_signer signers[SY_TX_SIGNERS_MAX];
    bool signers_stale;      /* a credential or an organisation was written since they were read */
    struct sy_writer events; /* SY_EVENT_BYTES each */
    uint32_t event_count;
    bool events_lost; /* the transaction made more than there may be; it is refused */
    /* the payload's */
    const struct sy_kind *kind;
    const struct sy_exec_signer *by; /* the signer that answers for it */
    /* the refusal's */
    uint64_t detail;
    struct sy_hash detail_hash;
    struct sy_path path;
};

/* A contract, by the number of its kind. */
typedef enum sy_refusal (*sy_contract)(struct sy_exec *x, const union sy_payload *payload);
sy_contract sy_contract_of(uint16_t kind);

/* --- refusing --------------------------------------------------------------------------------- */

/* Each fills its detail and returns the code, so that a rule reads `return sy_refuse_...`. */
enum sy_refusal sy_refuse_role(struct sy_exec *x, uint32_t roles);
enum sy_refusal sy_refuse_path(struct sy_exec *x, enum sy_refusal code, const char *path);
enum sy_refusal sy_refuse_hash(struct sy_exec *x, enum sy_refusal code, const struct sy_hash *hash);
enum sy_refusal sy_refuse_key(struct sy_exec *x, enum sy_refusal code,
                              const struct sy_public_key *key);

/* --- state ------------------------------------------------------------------------------------ */

/* sy_exec_key is the key hash of an id, from the memo where it can. */
void sy_exec_key(struct sy_exec *x, struct sy_hash *out, enum sy_state_kind kind,
                 const struct sy_hash *id);

/* sy_exec_corrupt: the state is not what execution wrote; a failure that came before stays.
 * sy_exec_decoded says so of a value that is there and does not decode; it returns good. */
void sy_exec_corrupt(struct sy_exec *x);
static inline bool sy_exec_decoded(struct sy_exec *x, bool good)
{
    if (!good) sy_exec_corrupt(x);
    return good;
}

/* find: false when absent. has: presence alone. What is found borrows until the payload ends or
 * the same entry is written. save writes the whole value. find_at, save_at: an id's entry. */
bool sy_exec_find(struct sy_exec *x, struct sy_slice *value, const struct sy_hash *key_hash);
bool sy_exec_find_at(struct sy_exec *x, struct sy_slice *value, enum sy_state_kind kind,
                     const struct sy_hash *id);
bool sy_exec_has(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *id);
void sy_exec_save(struct sy_exec *x, const struct sy_hash *key_hash, const struct sy_writer *value);
void sy_exec_save_at(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *id,
                     const struct sy_writer *value);
void sy_exec_remove(struct sy_exec *x, const struct sy_hash *key_hash);

bool sy_exec_find_credential(struct sy_exec *x, struct sy_credential *out,
                             const struct sy_public_key *key);
bool sy_exec_find_org(struct sy_exec *x, struct sy_org *out, const struct sy_hash *id);
bool sy_exec_find_patient(struct sy_exec *x, struct sy_patient *out, const struct sy_hash *id);
bool sy_exec_find_care(struct sy_exec *x, struct sy_care *out, const struct sy_hash *id);
bool sy_exec_find_consent(struct sy_exec *x, struct sy_consent *out, const struct sy_hash *id);
/* No consents were ever given: out is then zeroed. */
void sy_exec_find_consents(struct sy_exec *x, struct sy_consents *out,
                           const struct sy_hash *patient_id);
bool sy_exec_find_record(struct sy_exec *x, struct sy_record *out, const struct sy_hash *id);
bool sy_exec_find_open_care(struct sy_exec *x, struct sy_hash *care, const struct sy_hash *patient,
                            const struct sy_hash *organisation);
void sy_exec_save_credential(struct sy_exec *x, const struct sy_public_key *key,
                             const struct sy_credential *credential);
void sy_exec_save_org(struct sy_exec *x, const struct sy_hash *id, const struct sy_org *org);
void sy_exec_save_patient(struct sy_exec *x, const struct sy_hash *id,
                          const struct sy_patient *patient);
void sy_exec_save_care(struct sy_exec *x, const struct sy_hash *id, const struct sy_care *care);
void sy_exec_save_consent(struct sy_exec *x, const struct sy_hash *id,
                          const struct sy_consent *consent);
void sy_exec_save_consents(struct sy_exec *x, const struct sy_hash *patient_id,
                           const struct sy_consents *consents);
void sy_exec_save_record(struct sy_exec *x, const struct sy_hash *id,
                         const struct sy_record *record);

/* --- what several contracts ask --------------------------------------------------------------- */

/* sy_exec_guardians_signed: the patient has guardians, and as many as it takes have signed. Whoever
 * holds a guardian's key now is the guardian; each counts once, whichever of their keys are named.
 */
bool sy_exec_guardians_signed(struct sy_exec *x, const struct sy_patient *patient);

/* sy_exec_wallet_signed: the patient has a key, and it signed. sy_exec_subject_signed: it did, or
 * as many guardians as it takes. */
bool sy_exec_wallet_signed(const struct sy_exec *x, const struct sy_patient *patient);
bool sy_exec_subject_signed(struct sy_exec *x, const struct sy_patient *patient);

/* sy_exec_live_patient finds a patient whose id is in use. E_PATIENT_UNKNOWN {id}: there is none;
 * E_PATIENT_MERGED {the id that is}: it was merged; both fill the refusal. */
enum sy_refusal sy_exec_live_patient(struct sy_exec *x, struct sy_patient *out,
                                     const struct sy_hash *id);

/* sy_exec_live_id is the id that a patient's id was merged into, at last; itself: it was not, or is
 * none. */
struct sy_hash sy_exec_live_id(struct sy_exec *x, const struct sy_hash *id);

/* sy_exec_signer finds a signer of the transaction by key; NULL: it did not sign. */
const struct sy_exec_signer *sy_exec_signer(const struct sy_exec *x,
                                            const struct sy_public_key *key);

/* sy_exec_acts_for: the role acts for an organisation (not a regulator or a patient). */
bool sy_exec_acts_for_org(unsigned role);

/* sy_exec_treats: the organisation enrolled the patient or holds an open care relation. */
bool sy_exec_treats(struct sy_exec *x, const struct sy_patient *patient,
                    const struct sy_hash *patient_id, const struct sy_hash *organisation);

/* sy_exec_may decides (may.h) whether a key may do something with a patient's records at this
 * block's time. What the answer says when the source failed means nothing. */
void sy_exec_may(struct sy_exec *x, struct sy_may_answer *answer, struct sy_may_question *question);

/* sy_exec_place gives something new of a patient's its place among all that is the patient's, which
 * must be there (what is written under an id that was merged would be lost: contracts refuse it
 * before). records: how many records come with it. */
void sy_exec_place(struct sy_exec *x, const struct sy_hash *patient_id, enum sy_place_what what,
                   const struct sy_hash *id, uint64_t records);

/* sy_exec_event emits an event: global number and the subject's own, both without gaps. The
 * subject must have been found by the contract before. What happens to a patient's id that was
 * merged happens to the patient, under the id that is in use. */
void sy_exec_event(struct sy_exec *x, enum sy_event_kind kind, enum sy_subject_kind subject_kind,
                   const struct sy_hash *subject, const struct sy_hash *object);

/* sy_exec_enrol checks that a key may be enrolled (E_KEY_IN_USE, E_KEY_WEAK) and writes its
 * credential with this height as the height of issue. */
enum sy_refusal sy_exec_enrol(struct sy_exec *x, const struct sy_public_key *key,
                              struct sy_credential *credential);

/* sy_exec_line is what stands for a key's holder: the key itself when it has no credential. */
struct sy_hash sy_exec_line(struct sy_exec *x, const struct sy_public_key *key);

/* sy_exec_count_regulators: how many distinct regulators signed. */
unsigned sy_exec_count_regulators(const struct sy_exec *x);

/* sy_exec_enrol_validator does so for a validator's key, for one of the uses other than SY_KEY_TX:
 * it signs no transactions. */
enum sy_refusal sy_exec_enrol_validator(struct sy_exec *x, const struct sy_public_key *key,
                                        uint8_t use, const struct sy_hash *organisation);

/* --- running transactions (exec.c) ------------------------------------------------------------ */

/* sy_exec_run judges and executes one transaction and fills what its receipt says. One that writes
 * more keys or makes more events than a receipt can name, or more than its bytes let it write and
 * the block's surplus holds, is refused with E_KEYS, whatever its kinds are: nothing else bounds
 * these by the bytes of a transaction. keys has room
 * for SY_RECEIPT_KEYS_MAX and, like x->events, is borrowed by the receipt. Of the context the
 * block's part must be filled. Anything but SY_OK: the source failed, or tx is nothing that
 * admission could have passed (SY_ERR_FORMAT); the block is abandoned. */
sy_status sy_exec_run(struct sy_exec *x, struct sy_receipt *receipt, struct sy_hash *keys,
                      const struct sy_tx *tx);

static inline struct sy_hash sy_hash_of_key(const struct sy_public_key *key)
{
    struct sy_hash hash;
    memcpy(hash.bytes, key->bytes, sizeof hash.bytes);
    return hash;
}

#endif
