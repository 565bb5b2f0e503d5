/* state.h: what the ledger's state holds, entry by entry, and how each value is encoded.
 *
 * State is a map from a key hash to a value (DESIGN.md, "State"). key hash = SHA-256(u8 state kind
 * || 32 id); kinds start at 16 so that the first byte of that preimage is none of the prefixes that
 * tell the other classes of hashes apart (core/crypto/hash.h). The id of an entry about two things
 * is SHA-256(0x04 || a || b).
 *
 *   kind             id                                  value
 *   params           zero                                struct sy_params
 *   roster           zero                                epoch, count, roster hash
 *   validator        u16 index, zero padded              one struct sy_validator
 *   maker            consensus key                       u64 next seq; absent: 1
 *   roster change    u32 epoch that it begins, padded    struct sy_roster_next
 *   event count      zero                                u64 events so far; absent: 0
 *   nonces           signing key                         struct sy_nonces; absent: nothing seen
 *   credential       public key, of any use, ever        struct sy_credential
 *   organisation     organisation id                     struct sy_org
 *   org events       organisation id                     u64 events about it; absent: 0
 *   prefix           its digits, zero padded             32 organisation id
 *   patient          patient id                          struct sy_patient
 *   care             care id                             struct sy_care
 *   open care        pair(patient, organisation)         32 care id; absent: none is open
 *   record           record id                           struct sy_record, first version inside
 *   record version   pair(record, u32 version padded)    struct sy_record_version, from 2 on
 *   consent          consent id                          struct sy_consent
 *   consents         patient id                          struct sy_consents; absent: none ever
 *   consent place    pair(patient, u64 number padded)    32 consent id
 *   break            break id                            struct sy_break
 *   break of         pair(patient, key)                  32 id of the newest by that key
 *   breaks           key                                 list of ids not reviewed; absent: none
 *
 * Encodings are canonical, little-endian, without padding; core/wire/FORMAT.md has the offset
 * tables. A list is u16 count | bytes16 items, the items as in the payload that brought them; what
 * stands in [] is there when its flag is set. A decoder accepts what the encoder writes and nothing
 * else, and gives slices and lists that borrow from the bytes it was given. No value is longer than
 * SY_STATE_VALUE_BYTES_MAX. Everything here is pure and may be called from any thread. */
#ifndef SY_WIRE_STATE_H
#define SY_WIRE_STATE_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/genesis.h"
#include "core/wire/limits.h"
#include "core/wire/roster.h"
#include "core/wire/schema.h"

enum sy_state_kind {
    SY_STATE_PARAMS = 16,
    SY_STATE_ROSTER = 17,
    SY_STATE_VALIDATOR = 18,
    SY_STATE_MAKER = 19,
    SY_STATE_EVENT_COUNT = 20,
    SY_STATE_NONCES = 21,
    SY_STATE_CREDENTIAL = 22,
    SY_STATE_ORG = 23,
    SY_STATE_PREFIX = 24,
    SY_STATE_PATIENT = 25,
    SY_STATE_CARE = 26,
    SY_STATE_OPEN_CARE = 27,
    SY_STATE_RECORD = 28,
    SY_STATE_RECORD_VERSION = 29,
    SY_STATE_ORG_EVENTS = 30,
    SY_STATE_ROSTER_CHANGE = 31,
    SY_STATE_CONSENT = 32,
    SY_STATE_CONSENTS = 33,
    SY_STATE_CONSENT_PLACE = 34,
    SY_STATE_BREAK = 35,
    SY_STATE_BREAK_OF = 36,
    SY_STATE_BREAKS = 37,
    SY_STATE_KIND_COUNT = 38
};

/* Key hashes by what they name. */
void sy_state_key_zero(struct sy_hash *out, enum sy_state_kind kind);
void sy_state_key_id(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *id);
void sy_state_key_public(struct sy_hash *out, enum sy_state_kind kind,
                         const struct sy_public_key *key);
void sy_state_key_validator(struct sy_hash *out, uint16_t index);
void sy_state_key_roster_change(struct sy_hash *out, uint32_t epoch);
void sy_state_key_open_care(struct sy_hash *out, const struct sy_hash *patient,
                            const struct sy_hash *organisation);
void sy_state_key_record_version(struct sy_hash *out, const struct sy_hash *record,
                                 uint32_t version);
/* number: from 1, in the order in which the patient's consents were given. */
void sy_state_key_consent_place(struct sy_hash *out, const struct sy_hash *patient,
                                uint64_t number);

void sy_state_key_break_of(struct sy_hash *out, const struct sy_hash *patient,
                           const struct sy_hash *key);

/* sy_state_key_of is the key hash of an entry by its kind and what names it: id, and second for an
 * entry about two things (the organisation of an open care, the key of a break, the number of a
 * record version or of a consent, little-endian and zero padded). False: there is no such kind. */
bool sy_state_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second);

/* digits: a GS1 company prefix, at most 32 bytes (asserted: kinds.def allows 12). */
void sy_state_key_prefix(struct sy_hash *out, struct sy_slice digits);

/* --- governance -------------------------------------------------------------------------------*/

void sy_params_encode(struct sy_writer *w, const struct sy_params *params);
bool sy_params_decode(struct sy_params *params, struct sy_slice bytes);

struct sy_roster_head {
    uint32_t epoch;
    uint16_t count;
    struct sy_hash hash; /* sy_roster_hash */
};
void sy_roster_head_encode(struct sy_writer *w, const struct sy_roster_head *head);
bool sy_roster_head_decode(struct sy_roster_head *head, struct sy_slice bytes);

/* How an epoch begins: kept for ever, so that anybody can follow from the genesis.
 *
 *   u64 first | u16 kind | bytes16 change (roster_change.h) */
struct sy_roster_next {
    uint64_t first;         /* height that its roster orders first */
    uint16_t kind;          /* of the transaction */
    struct sy_slice change; /* borrowed */
};
void sy_roster_next_encode(struct sy_writer *w, const struct sy_roster_next *next);
bool sy_roster_next_decode(struct sy_roster_next *next, struct sy_slice bytes);

void sy_validator_state_encode(struct sy_writer *w, const struct sy_validator *validator);
bool sy_validator_state_decode(struct sy_validator *validator, struct sy_slice bytes);

/* A bare u64: next(maker), the event count. */
void sy_count_encode(struct sy_writer *w, uint64_t count);
bool sy_count_decode(uint64_t *count, struct sy_slice bytes);

/* A bare 32-byte id: prefix, open care. */
void sy_id_encode(struct sy_writer *w, const struct sy_hash *id);
bool sy_id_decode(struct sy_hash *id, struct sy_slice bytes);

/* --- nonces -----------------------------------------------------------------------------------*/

/* The nonces a key has used (DESIGN.md, "State"). Everything up to and including `floor` counts as
 * seen, floor >= highest - SY_NONCE_WINDOW; above it, bit i of the map stands for floor + 1 + i.
 * A key that counts upwards without gaps has floor == highest and no map at all, so its entry is
 * 16 bytes long instead of 528.
 *
 *   u64 highest | u64 floor | ceil((highest - floor) / 8) bytes of map, low bit first
 *
 * Canonical: floor is as high as it can be (bit 0 is clear), highest is seen (the last bit is set
 * unless highest == floor), bits beyond it are clear. */
struct sy_nonces {
    uint64_t highest;
    uint64_t floor;
    uint8_t map[SY_NONCE_WINDOW / 8];
};

/* sy_nonces_accept says whether nonce is fresh: highest - 4096 < nonce <= highest + 4096, not
 * seen, not 0. A zeroed struct is the window of a key that never signed. */
bool sy_nonces_accept(const struct sy_nonces *nonces, uint64_t nonce);
/* sy_nonces_use marks an accepted nonce as seen (asserts that it is accepted). */
void sy_nonces_use(struct sy_nonces *nonces, uint64_t nonce);
/* sy_nonces_seen: did this nonce run, or can it never run any more because it fell below? */
bool sy_nonces_seen(const struct sy_nonces *nonces, uint64_t nonce);
void sy_nonces_encode(struct sy_writer *w, const struct sy_nonces *nonces);
bool sy_nonces_decode(struct sy_nonces *nonces, struct sy_slice bytes);

/* --- identities -------------------------------------------------------------------------------*/

/* A key has one use, for ever; what is enrolled for one can never be enrolled for another. */
enum sy_key_use { SY_KEY_TX = 1, SY_KEY_CONSENSUS = 2, SY_KEY_LINK = 3, SY_KEY_ADMIN = 4 };

/* Room for what kinds.def allows at most. */
#define SY_ENDPOINTS_BYTES_MAX (8u * (2u + SY_TEXT_BYTES_MAX))
#define SY_PREFIXES_BYTES_MAX (16u * (2u + 12u))
#define SY_SCOPE_BYTES_MAX (16u * (2u + SY_CODE_BYTES_MAX))
#define SY_GUARDIANS_MAX 16u
#define SY_CONSENT_CLASSES_BYTES_MAX (SY_CONSENT_ITEMS_MAX * (2u + SY_CODE_BYTES_MAX))

/*   u8 use | u8 role | 32 holder | u8 flags (1 revoked, 2 x25519, 4 break glass) | i64 not before |
 * i64 not after | [32 x25519 key] | [i64 revoked at | u16 reason | u64 height revoked] | u64 height
 * issued | u64 events | bytes16 specialty | list scope */
struct sy_credential {
    uint8_t use;  /* enum sy_key_use */
    uint8_t role; /* enum sy_role; 0 unless use is SY_KEY_TX */
    /* Who acts with the key: an organisation id; for a patient's key the patient id; for a
     * regulator zero; for a validator's keys its organisation. */
    struct sy_hash holder;
    bool revoked;
    bool has_x25519_key;
    bool break_glass;      /* may open records in an emergency */
    int64_t not_before_ms; /* valid from this block time on ... */
    int64_t not_after_ms;  /* ... up to and including this one; INT64_MAX: no end */
    struct sy_public_key x25519_key;
    int64_t revoked_at_ms; /* as stated by whoever revoked it; effective from the block on */
    uint16_t revoke_reason;
    uint64_t revoked_height;
    uint64_t issued_height;
    uint64_t events;           /* events about this key so far */
    struct sy_slice specialty; /* borrowed text */
    struct sy_list scope;      /* borrowed texts: record classes; none: no limit */
};
void sy_credential_encode(struct sy_writer *w, const struct sy_credential *credential);
bool sy_credential_decode(struct sy_credential *credential, struct sy_slice bytes);
/* sy_credential_valid: usable for signing transactions at this block time. */
bool sy_credential_valid(const struct sy_credential *credential, int64_t time_ms);

/*   u16 kind | u8 flags (1 suspended, 2 npi) | 32 name hash | 32 admin key | 32 x25519 key
 *   | [32 npi hash] | [u16 reason | i64 from | u64 height suspended] | u64 height
 *   | list endpoints | list prefixes
 *
 * Its events are counted apart, because an organisation's entry can be long. */
struct sy_org {
    uint16_t kind; /* enum sy_org_kind */
    bool suspended;
    bool has_npi_hash;
    struct sy_hash name_hash;
    struct sy_public_key admin_key; /* the first one, registered with the organisation */
    struct sy_public_key x25519_key;
    struct sy_hash npi_hash;
    uint16_t suspend_reason;
    int64_t suspended_from_ms;
    uint64_t suspended_height;
    uint64_t registered_height;
    struct sy_list endpoints; /* borrowed texts */
    struct sy_list prefixes;  /* borrowed texts */
};
void sy_org_encode(struct sy_writer *w, const struct sy_org *org);
bool sy_org_decode(struct sy_org *org, struct sy_slice bytes);

/*   32 organisation | u8 flags (1 claimed, 2 x25519) | [32 wallet key] | [32 x25519 key]
 *   | u64 height | u64 events | u8 guardians needed | list guardians */
struct sy_patient {
    struct sy_hash organisation; /* who enrolled the patient */
    bool claimed;
    bool has_x25519_key;
    struct sy_public_key wallet_key;
    struct sy_public_key x25519_key;
    uint64_t enrolled_height;
    uint64_t events; /* events about this patient so far */
    uint8_t guardians_needed;
    struct sy_list guardians; /* borrowed ids: their keys */
};
void sy_patient_encode(struct sy_writer *w, const struct sy_patient *patient);
bool sy_patient_decode(struct sy_patient *patient, struct sy_slice bytes);

/*   32 patient | 32 organisation | u16 reason | u64 height opened | u64 height closed, 0: open */
struct sy_care {
    struct sy_hash patient;
    struct sy_hash organisation;
    uint16_t reason; /* 0: opened by both sides */
    uint64_t opened_height;
    uint64_t closed_height;
};
void sy_care_encode(struct sy_writer *w, const struct sy_care *care);
bool sy_care_decode(struct sy_care *care, struct sy_slice bytes);

/* --- consents ---------------------------------------------------------------------------------*/

/* What a patient allows or forbids. Once given it changes in one way: it is revoked.
 *
 *   32 patient | u64 number | u8 grantee kind | 32 grantee | u8 flags (1 denies, 2 revoked,
 *   4 wrapped key, 8 passed on) | u32 actions | u32 purposes | i64 from | i64 until
 *   | u64 height given | [u64 height revoked] | [32 wrapped key hash] | [32 parent]
 *   | list classes | list labels */
struct sy_consent {
    struct sy_hash patient;
    uint64_t number;        /* among all that the patient ever gave, from 1 */
    uint8_t grantee_kind;   /* enum sy_grantee_kind */
    struct sy_hash grantee; /* key, organisation's id, or role (u16, zero padded) */
    bool denies;            /* else it grants */
    bool revoked;
    bool has_wrapped_key_hash;
    bool passed_on;   /* by whom the parent grants to; never a denial */
    uint32_t actions; /* SETs of enum sy_action, enum sy_purpose */
    uint32_t purposes;
    int64_t from_ms;  /* counts from this block time on ... */
    int64_t until_ms; /* ... up to and including this one; INT64_MAX: no end */
    uint64_t given_height;
    uint64_t revoked_height;
    struct sy_hash wrapped_key_hash;
    struct sy_hash parent;  /* the grant that was passed on; no narrower in anything */
    struct sy_list classes; /* borrowed texts */
    struct sy_list labels;  /* borrowed tags */
};
void sy_consent_encode(struct sy_writer *w, const struct sy_consent *consent);
bool sy_consent_decode(struct sy_consent *consent, struct sy_slice bytes);

/* A patient's consents.
 *
 *   u64 given, ever | list live */
struct sy_consents {
    uint64_t given;      /* how many there ever were: each has a consent place */
    struct sy_list live; /* borrowed ids, in the order of their numbers: those not revoked, but for
                            some that are over */
};
void sy_consents_encode(struct sy_writer *w, const struct sy_consents *consents);
bool sy_consents_decode(struct sy_consents *consents, struct sy_slice bytes);

/* --- emergency access -------------------------------------------------------------------------*/

/* A key opened a patient's records for an emergency.
 *
 *   32 patient | 32 key | 32 organisation | u16 reason | u64 height | i64 from | i64 until
 *   | u8 flags (1 reviewed, 2 previous) | [u16 outcome | u64 height | 32 reviewer] | [32 previous]
 */
struct sy_break {
    struct sy_hash patient;
    struct sy_public_key key;
    struct sy_hash organisation; /* that the key acted for */
    uint16_t reason;
    uint64_t height;
    int64_t from_ms;  /* block time at which it was opened ... */
    int64_t until_ms; /* ... and the last one at which it counts */
    bool reviewed;
    bool has_previous;
    uint16_t outcome;
    uint64_t reviewed_height;
    struct sy_public_key reviewer;
    struct sy_hash previous; /* the one before, of the same key and patient */
};
void sy_break_encode(struct sy_writer *w, const struct sy_break *entry);
bool sy_break_decode(struct sy_break *entry, struct sy_slice bytes);

/* The ids of a key's emergency accesses that are not reviewed, the oldest first. */
void sy_breaks_encode(struct sy_writer *w, const struct sy_list *open);
bool sy_breaks_decode(struct sy_list *open, struct sy_slice bytes);

/* --- records ----------------------------------------------------------------------------------*/

/* One version of a record: a node of the record's version graph.
 *
 *   u32 version | u32 parent | u16 form | 32 commit | u64 size | 32 author | u8 author role
 *   | 32 holder | u16 reason | u64 height | i64 time | u8 flags (1 locator, 2 patient reported)
 *   | [32 locator commit] */
struct sy_record_version {
    uint32_t version; /* from 1, in the order of execution */
    uint32_t parent;  /* the version it amends; 0: the first */
    uint16_t form;
    struct sy_hash commit;
    uint64_t size;
    struct sy_public_key author;
    uint8_t author_role;
    struct sy_hash holder; /* organisation of the author; a patient id for a patient's own */
    uint16_t reason;       /* of the amendment; 0 for the first version */
    uint64_t height;
    int64_t time_ms;
    bool has_locator_commit;
    bool patient_reported;
    struct sy_hash locator_commit;
};
void sy_record_version_encode(struct sy_writer *w, const struct sy_record_version *version);
bool sy_record_version_decode(struct sy_record_version *version, struct sy_slice bytes);

#define SY_RECORD_HEADS_MAX 8u
#define SY_RECORD_PARENTS_MAX 8u

/* A record: what it is about, its heads, and its first version, since most never get a second.
 *
 *   u8 subject kind | 32 subject | 32 holder | bytes16 class | u8 flags (1 retracted, 2 tag,
 *   4 encounter) | [16 tag] | [32 encounter] | [u16 reason | u64 height retracted]
 *   | u32 versions | u8 heads, u32 each ascending | list parents | first version */
struct sy_record {
    uint8_t subject_kind; /* enum sy_subject_kind */
    struct sy_hash subject;
    struct sy_hash holder;        /* organisation (or patient) that created it and may change it */
    struct sy_slice record_class; /* borrowed text: a FHIR resource type */
    bool retracted;
    bool has_sens_tag;
    bool has_encounter;
    uint8_t sens_tag[16];
    struct sy_hash encounter;
    uint16_t retract_reason;
    uint64_t retracted_height;
    uint32_t versions; /* how many there are */
    uint8_t head_count;
    uint32_t heads[SY_RECORD_HEADS_MAX];
    struct sy_list parents; /* borrowed ids: records it links to */
    struct sy_record_version first;
};
void sy_record_encode(struct sy_writer *w, const struct sy_record *record);
bool sy_record_decode(struct sy_record *record, struct sy_slice bytes);

/* sy_state_kind_name is the word used in JSON renderings ("credential"); NULL beyond. */
const char *sy_state_kind_name(unsigned kind);

#endif
