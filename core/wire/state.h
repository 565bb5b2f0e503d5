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
 *   break of         pair(patient, first key of a line)  32 id of the newest by that holder
 *   breaks           first key of a line                 list of ids not reviewed; absent: none
 *   device           device id                           struct sy_device
 *   schedule         pair(publisher, u16 kind padded)    struct sy_schedule: the newest version
 *   schedule version pair(publisher, u16 kind, u32       struct sy_schedule
 *                    version, padded)
 *   cosignatures     pair(record, u32 version padded)    struct sy_cosignature list; absent: none
 *   record link      pair(record, u64 number padded)     struct sy_record_link
 *   duplicate        pair of records, the lesser first   struct sy_duplicate
 *   signer           a validator's consensus key         struct sy_validator_key; absent: none
 *   signer of        a validator's signing key           32 consensus key
 *   patient place    pair(patient, u64 number padded)    struct sy_patient_place
 *   export           export id                           struct sy_export
 *   id map           pair(organisation, pair(system, identifier)) struct sy_mapped_id
 *   access request   pair(patient, organisation)         struct sy_access_asked, the newest
 *   access log       log id                              struct sy_access_logged
 *   disclosure       pair(log, patient)                  struct sy_disclosure
 *   notify prefs     patient id                          struct sy_notify_choice
 *   notify ack       patient id                          u64 number; absent: none
 *   dispute          dispute id                          struct sy_dispute
 *   subscription     pair(organisation, patient)         struct sy_subscription
 *   cert             pair(organisation, jws hash)        struct sy_cert
 *   cert index       pair(organisation, u64 index padded) 32 jws hash of the card that has it
 *   suspensions      organisation id                     u64 how many; absent: none (state_org.h)
 *   suspension       pair(organisation, u64 number padded) struct sy_suspension
 *   goods            state_goods.h; prescriptions, recalls: state_rx.h; temperatures:
 *                    state_cond.h; claims: money.h; streams: state_stream.h;
 *                    trials: state_trial.h; the research commons: state_research.h
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
#include "core/wire/state_access.h"
#include "core/wire/state_org.h"

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
    SY_STATE_DEVICE = 38,
    SY_STATE_SCHEDULE = 39,
    SY_STATE_SCHEDULE_VERSION = 40,
    SY_STATE_COSIGNATURES = 45,
    SY_STATE_RECORD_LINK = 46,
    SY_STATE_DUPLICATE = 47,
    SY_STATE_SIGNER = 48,
    SY_STATE_SIGNER_OF = 49,
    SY_STATE_PATIENT_PLACE = 50,
    SY_STATE_EXPORT = 51,
    SY_STATE_ID_MAP = 52,
    SY_STATE_ACCESS_REQUEST = 53,
    SY_STATE_ACCESS_LOG = 54,
    SY_STATE_DISCLOSURE = 55,
    SY_STATE_NOTIFY_PREFS = 56,
    SY_STATE_NOTIFY_ACK = 57,
    SY_STATE_DISPUTE = 58,
    SY_STATE_SUBSCRIPTION = 59,
    SY_STATE_CERT = 60,
    SY_STATE_CERT_INDEX = 61,
    SY_STATE_SUSPENSIONS = 62,
    SY_STATE_SUSPENSION = 63,
    SY_STATE_PLAN = 70,
    SY_STATE_COVERAGE = 71,
    SY_STATE_COVERAGES = 72,
    SY_STATE_CLAIM = 73,
    SY_STATE_CLAIM_KEY = 74,
    SY_STATE_USED = 75,
    SY_STATE_BALANCE = 76,
    SY_STATE_OWED = 77,
    SY_STATE_PAYMENT = 78,
    SY_STATE_CLAIM_PLACE = 79,
    SY_STATE_CLAIMS = 80,
    SY_STATE_REMITTANCE = 81,
    SY_STATE_SCHEDULE_ROW = 82,
    SY_STATE_AUTH = 83,
    SY_STATE_CONTEST = 84,
    SY_STATE_FILL_BILLED = 85,
    SY_STATE_BILLED_DAY = 86,
    SY_STATE_SETTLEMENT = 87,
    SY_STATE_SETTLEMENT_PLACE = 88,
    SY_STATE_DENIED_LINES = 89,
    SY_STATE_PRODUCT = 90,
    SY_STATE_LOT = 91,
    SY_STATE_UNIT = 92,
    SY_STATE_UNIT_STEP = 93,
    SY_STATE_GOODS_EVENT = 94,
    SY_STATE_SHIPMENT = 95,
    SY_STATE_LOT_HOLDER = 96,
    SY_STATE_LOT_PLACE = 97,
    SY_STATE_LOT_RECALL = 98,
    SY_STATE_RX = 99,
    SY_STATE_RX_FILL = 100,
    SY_STATE_DISPENSED = 101,
    SY_STATE_LOT_PATIENT = 102,
    SY_STATE_LOT_PATIENT_PLACE = 103,
    SY_STATE_RECALL = 104,
    SY_STATE_RECALL_TOLD = 105,
    SY_STATE_EXCEPTION = 106,
    SY_STATE_CORRECTION = 107,
    SY_STATE_STORAGE = 108,
    SY_STATE_CONDITIONS = 109,
    SY_STATE_TRIAL = 110,
    SY_STATE_TRIAL_VERSION = 111,
    SY_STATE_TRIAL_SITE = 112,
    SY_STATE_TRIAL_SUBJECT = 113,
    SY_STATE_TRIAL_PLACE = 114,
    SY_STATE_TRIAL_DATA = 115,
    SY_STATE_TRIAL_REPORT = 116,
    SY_STATE_TRIAL_DRAW = 117,
    SY_STATE_TRIAL_LOCK = 118,
    SY_STATE_TRIAL_RESULT = 119,
    SY_STATE_STREAM = 120,
    SY_STATE_STREAM_COMMIT = 121,
    SY_STATE_STREAM_GAP = 122,
    SY_STATE_STREAM_ALERT = 123,
    SY_STATE_FIRMWARE = 124,
    SY_STATE_TRIAL_BEACON = 125,
    SY_STATE_TRIAL_KEY = 126,
    SY_STATE_DATASET = 127,
    SY_STATE_STREAM_NEWEST = 128,
    SY_STATE_DATASET_VERSION = 130,
    SY_STATE_DATASET_ROOT = 131,
    SY_STATE_QUERY = 132,
    SY_STATE_QUERY_DECISION = 133,
    SY_STATE_QUERY_RESULT = 134,
    SY_STATE_QUERY_ASKED = 135,
    SY_STATE_RESEARCH_BUDGET = 136,
    SY_STATE_CONTRIBUTION = 137,
    SY_STATE_OPTOUTS = 138,
    SY_STATE_KIND_COUNT = 140 /* not every number below is one: sy_state_kind_name */
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

/* number: from 1, in the order in which entries of the patient's came to be. */
void sy_state_key_patient_place(struct sy_hash *out, const struct sy_hash *patient,
                                uint64_t number);

void sy_state_key_break_of(struct sy_hash *out, const struct sy_hash *patient,
                           const struct sy_hash *key);

/* publisher: a payer's organisation; zero: the regulators. kind: enum sy_schedule_kind. */
void sy_state_key_schedule(struct sy_hash *out, const struct sy_hash *publisher, uint16_t kind);
void sy_state_key_schedule_version(struct sy_hash *out, const struct sy_hash *publisher,
                                   uint16_t kind, uint32_t version);

/* version: of the record, from 1. */
void sy_state_key_cosignatures(struct sy_hash *out, const struct sy_hash *record, uint32_t version);
/* number: from 1, in the order in which other records came to name this one. */
void sy_state_key_record_link(struct sy_hash *out, const struct sy_hash *record, uint64_t number);
/* The two in either order. */
void sy_state_key_duplicate(struct sy_hash *out, const struct sy_hash *a, const struct sy_hash *b);

void sy_state_key_access_request(struct sy_hash *out, const struct sy_hash *patient,
                                 const struct sy_hash *organisation);
void sy_state_key_subscription(struct sy_hash *out, const struct sy_hash *organisation,
                               const struct sy_hash *patient);
void sy_state_key_disclosure(struct sy_hash *out, const struct sy_hash *log,
                             const struct sy_hash *patient);

void sy_state_key_cert(struct sy_hash *out, const struct sy_hash *organisation,
                       const struct sy_hash *jws_hash);
void sy_state_key_cert_index(struct sy_hash *out, const struct sy_hash *organisation,
                             uint64_t index);

/* sy_state_key_pair is the key hash of an entry about two things, in this order. */
void sy_state_key_pair(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *id,
                       const struct sy_hash *second);

/* sy_state_key_of is the key hash of an entry by its kind and what names it: id, and second for an
 * entry about two things (the organisation of an open care, the key of a break, the other record of
 * a duplicate, the jws hash of a card; the number of a record version, of a record link or of a
 * consent or of a suspension, a schedule's kind and version, or a card's index, little-endian and
 * zero padded). False: there is no such kind. */
bool sy_state_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second);

/* digits: a GS1 company prefix, at most 32 bytes (asserted: kinds.def allows 12). */
void sy_state_key_prefix(struct sy_hash *out, struct sy_slice digits);

/* --- governance -------------------------------------------------------------------------------*/

#define SY_PARAMS_PENDING_MAX 7u /* one of each */

/* The network's parameters, and those that change at a height to come. As the genesis has them:
 *
 *   u32 regulators needed | i64 longest credential | u64 largest record
 *
 * and, once any was set, behind it:
 *
 *   u32 research k | u32 research cells | u32 dataset cells | u32 research days | u32 version
 *   | u8 pending, each: u16 name | u64 value | u64 height; names ascend */
struct sy_params_state {
    struct sy_params params;
    uint32_t version; /* how often one was set */
    uint8_t pending_count;
    struct sy_param_next {
        uint16_t name; /* enum sy_param */
        uint64_t value;
        uint64_t height; /* the first block that it is for */
    } pending[SY_PARAMS_PENDING_MAX];
};
void sy_params_encode(struct sy_writer *w, const struct sy_params *params);
/* sy_params_of_research fills those that no genesis has. */
void sy_params_of_research(struct sy_params *params);
void sy_params_state_encode(struct sy_writer *w, const struct sy_params_state *state);
bool sy_params_state_decode(struct sy_params_state *state, struct sy_slice bytes);
/* sy_params_at moves what is due at this height from `pending` to the parameters. */
void sy_params_at(struct sy_params_state *state, uint64_t height);

/* One version of a list that claims are judged by.
 *
 *   u32 version | 32 root | u64 height from which it counts | u64 height published */
struct sy_schedule {
    uint32_t version;
    struct sy_hash root;
    uint64_t activation_height;
    uint64_t height;
};
void sy_schedule_encode(struct sy_writer *w, const struct sy_schedule *schedule);
bool sy_schedule_decode(struct sy_schedule *schedule, struct sy_slice bytes);

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

/* A bare u64: next(maker), the event count, how many suspensions. */
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

/* A line: a key, the key that replaced it, and so on (key.rotate). It is one holder's, and the
 * first key of it stands for all of them wherever state names a holder by a key.
 *
 *   u8 use | u8 role | 32 holder | u8 flags (1 revoked, 2 x25519, 4 break glass, 8 successor, which
 *   only what is revoked has, 16 line) | i64 not before | i64 not after | [32 x25519 key]
 *   | [i64 revoked at | u16 reason | u64 height revoked] | [32 successor] | [32 line]
 *   | u64 height issued | u64 events | bytes16 specialty | list scope */
struct sy_credential {
    uint8_t use;  /* enum sy_key_use */
    uint8_t role; /* enum sy_role; 0 unless use is SY_KEY_TX */
    /* Who acts with the key: an organisation id; for a patient's key the patient id; for a
     * regulator zero; for a validator's keys its organisation. */
    struct sy_hash holder;
    bool revoked;
    bool has_x25519_key;
    bool break_glass;      /* may open records in an emergency */
    bool has_successor;    /* another key stands in its place */
    bool has_line;         /* it stands in another's place itself */
    int64_t not_before_ms; /* valid from this block time on ... */
    int64_t not_after_ms;  /* ... up to and including this one; INT64_MAX: no end */
    struct sy_public_key x25519_key;
    int64_t revoked_at_ms; /* as stated by whoever revoked it; effective from the block on */
    uint16_t revoke_reason;
    uint64_t revoked_height;
    struct sy_public_key successor;
    struct sy_public_key line; /* the first key of its line */
    uint64_t issued_height;
    uint64_t events;           /* events about this key so far */
    struct sy_slice specialty; /* borrowed text */
    struct sy_list scope;      /* borrowed texts: record classes; none: no limit */
};
void sy_credential_encode(struct sy_writer *w, const struct sy_credential *credential);
bool sy_credential_decode(struct sy_credential *credential, struct sy_slice bytes);
/* sy_credential_valid: usable for signing transactions at this block time. */
bool sy_credential_valid(const struct sy_credential *credential, int64_t time_ms);
/* sy_credential_line is what stands for the holder of `key`, whose credential this is. */
struct sy_hash sy_credential_line(const struct sy_credential *credential,
                                  const struct sy_public_key *key);

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

/* A patient's id ends when it is merged into another one (patient.merge): `into` leads there. As
 * the other may end, too, ids form trees; `merges` bounds how deep they are.
 *
 *   32 organisation | u8 flags (1 claimed, 2 x25519, 4 merged, 8 merges, 16 links; 1 and 4 exclude
 *   each other; 32 places, 64 died) | [32 wallet key] | [32 x25519 key] | [32 into | u64 height
 *   merged] | [u8 merges] | [i64 died | 32 said by] | u64 height | u64 events | [u64 places, from 1
 * | u64 records] | u8 guardians needed | list guardians | [list links] */
struct sy_patient {
    struct sy_hash organisation; /* who enrolled the patient */
    bool claimed;
    bool has_x25519_key;
    struct sy_public_key wallet_key;
    struct sy_public_key x25519_key;
    uint64_t enrolled_height;
    uint64_t events;  /* events about this patient so far */
    uint64_t places;  /* entries of this patient's: each has a patient place */
    uint64_t records; /* records among them, those of merged ids included */
    uint8_t guardians_needed;
    struct sy_list guardians; /* borrowed ids: their keys */
    bool merged;
    struct sy_hash into; /* another patient's id */
    uint64_t merged_height;
    uint8_t merges; /* so many ids at most lead here, one after the other; 0: none */
    bool died;      /* as an organisation said when it closed care */
    int64_t died_ms;
    struct sy_hash died_by; /* that organisation */
    struct sy_list links;   /* borrowed ids of patients who are the same person */
};
void sy_patient_encode(struct sy_writer *w, const struct sy_patient *patient);
bool sy_patient_decode(struct sy_patient *patient, struct sy_slice bytes);

enum sy_place_what {
    SY_PLACE_RECORD = 1, /* id: the record */
    SY_PLACE_MERGED = 2, /* id: a patient's that was merged into this one; it gets no more places */
    SY_PLACE_EXPORT = 3, /* id: the export */
    SY_PLACE_ID_MAP = 4, /* id: the map's (sy_mapped_id_of) */
    SY_PLACE_RX = 5,     /* id: the prescription */
    SY_PLACE_UNIT = 6,   /* id: the unit that was dispensed (sy_goods_id) */
    SY_PLACE_STREAM = 7, /* id: the stream of a device */
    SY_PLACE_COUNT = 8
};

/* One entry of a patient's, by its number: as the patient's entry counts them and nothing is ever
 * taken out, places 1 to n prove that there is no other. What becomes of a record later (it is
 * retracted, erased, kept by somebody else) stands in the record. Heights do not fall.
 *
 *   u8 what | 32 id | u64 height | u64 records so far, this place's and those of merged ids
 *   included */
struct sy_patient_place {
    uint8_t what; /* enum sy_place_what */
    struct sy_hash id;
    uint64_t height;
    uint64_t records;
};
/* sy_place_word is a place's `what` in words ("prescription"); NULL: none has that number. */
const char *sy_place_word(unsigned what);
void sy_patient_place_encode(struct sy_writer *w, const struct sy_patient_place *place);
bool sy_patient_place_decode(struct sy_patient_place *place, struct sy_slice bytes);

/* A patient's whole record, asked for and handed over.
 *
 *   32 patient | 32 organisation | 32 recipient key | i64 due | u64 height | i64 time
 *   | u8 flags (1 partly, 2 fulfilled, which only what is partly is)
 *   | [u64 as of | u64 excepted | 32 last exception, zero: none | 32 exceptions, zero: none]
 *   | [u64 places | u64 records | 32 manifest root | 32 wrapped key hash | u64 height | i64 time]
 */
struct sy_export {
    struct sy_hash patient;
    struct sy_hash organisation;        /* that was asked */
    struct sy_public_key recipient_key; /* X25519 */
    int64_t due_ms;
    uint64_t requested_height;
    int64_t requested_ms;
    bool partly; /* a first part of the answer came */
    bool fulfilled;
    uint64_t as_of;
    uint64_t excepted; /* records that were left out, rightly */
    struct sy_hash last_exception;
    struct sy_hash exceptions; /* pair(pair(zero, first), second) ... of all of them */
    uint64_t places, records;  /* as of as_of */
    struct sy_hash manifest_root, wrapped_key_hash;
    uint64_t fulfilled_height;
    int64_t fulfilled_ms;
};
void sy_export_encode(struct sy_writer *w, const struct sy_export *exported);
bool sy_export_decode(struct sy_export *exported, struct sy_slice bytes);
/* sy_export_except counts one more exception. */
void sy_export_except(struct sy_export *exported, const struct sy_hash *record);

/* An identifier of another system or network, as one organisation says whose it is.
 *
 *   32 patient | 32 organisation | 32 system | 32 identifier | u64 height | i64 time */
struct sy_mapped_id {
    struct sy_hash patient;
    struct sy_hash organisation;
    struct sy_hash system;     /* genesis hash, or SHA-256 of a URI */
    struct sy_hash identifier; /* a commitment */
    uint64_t height;
    int64_t time_ms;
};
void sy_mapped_id_encode(struct sy_writer *w, const struct sy_mapped_id *mapped);
bool sy_mapped_id_decode(struct sy_mapped_id *mapped, struct sy_slice bytes);
/* sy_mapped_id_of is what names a map: pair(organisation, pair(system, identifier)). */
void sy_mapped_id_of(struct sy_hash *out, const struct sy_hash *organisation,
                     const struct sy_hash *system, const struct sy_hash *identifier);

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

/* --- devices ----------------------------------------------------------------------------------*/

/* A device, as it was registered. What its key may is its credential's business.
 *
 *   32 key | 32 organisation | u8 owner kind | 32 owner | u16 class | 32 udi commit | u64 height */
struct sy_device {
    struct sy_public_key key;    /* the first of its line */
    struct sy_hash organisation; /* that answers for it */
    uint8_t owner_kind;          /* SY_SUBJECT_ORG or SY_SUBJECT_PATIENT */
    struct sy_hash owner;
    uint16_t device_class; /* enum sy_device_class */
    struct sy_hash udi_commit;
    uint64_t height;
};
void sy_device_encode(struct sy_writer *w, const struct sy_device *device);
bool sy_device_decode(struct sy_device *device, struct sy_slice bytes);
/* --- health cards -----------------------------------------------------------------------------*/

/* A card that an organisation anchored. Whom it is about does not stand here: whoever is shown the
 * card may ask.
 *
 *   u16 kind | 32 key id | u64 index | u64 height | i64 time | u8 flags (1 until) | [i64 until] */
struct sy_cert {
    uint16_t kind;         /* enum sy_cert_kind */
    struct sy_hash key_id; /* thumbprint of the key that signed it */
    uint64_t index;        /* in the organisation's revocation list */
    uint64_t height;
    int64_t time_ms;
    bool has_until;
    int64_t until_ms;
};
void sy_cert_encode(struct sy_writer *w, const struct sy_cert *cert);
bool sy_cert_decode(struct sy_cert *cert, struct sy_slice bytes);

/* --- records ----------------------------------------------------------------------------------*/

/* One version of a record: a node of the record's version graph.
 *
 *   u32 version | u32 parent | u16 form | 32 commit | u64 size | 32 author | u8 author role
 *   | 32 holder | u16 reason | u64 height | i64 time | u8 flags (1 locator, 2 patient reported,
 *   4 merged) | [32 locator commit] | [u8 others, u32 each ascending | 32 resolution hash] */
struct sy_record_version {
    uint32_t version; /* from 1, in the order of execution */
    uint32_t parent;  /* the version it amends, or the first that it joins; 0: the first version */
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
    uint8_t other_count; /* what it joins besides parent; 0: it joins nothing */
    uint32_t others[SY_RECORD_HEADS_MAX - 1u]; /* ascending, above parent and below version */
    struct sy_hash resolution_hash;            /* of one that joins */
};
void sy_record_version_encode(struct sy_writer *w, const struct sy_record_version *version);
bool sy_record_version_decode(struct sy_record_version *version, struct sy_slice bytes);

/* A record: what it is about, its heads, and its first version, since most never get a second.
 *
 *   u8 subject kind | 32 subject | 32 holder | bytes16 class | u8 flags (1 retracted, 2 tag,
 *   4 encounter, 8 linked, 16 erased, 32 relation) | [16 tag] | [32 encounter]
 *   | [u16 reason | u64 height retracted] | [u64 links, from 1] | [u16 basis | u64 height erased
 *   | i64 time] | [u16 relation]
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
    uint64_t links; /* how many others name it: each has a record link */
    bool erased;
    uint16_t erase_basis;
    uint64_t erased_height;
    int64_t erased_ms;
    uint16_t relation; /* what it is to its parents; 0: it was made by record.create */
    uint32_t versions; /* how many there are */
    uint8_t head_count;
    uint32_t heads[SY_RECORD_HEADS_MAX];
    struct sy_list parents; /* borrowed ids: records it links to */
    struct sy_record_version first;
};
void sy_record_encode(struct sy_writer *w, const struct sy_record *record);
bool sy_record_decode(struct sy_record *record, struct sy_slice bytes);

/* A signature beside the author's.
 *
 *   32 key | u8 role | 32 holder | u16 meaning | u64 height | i64 time */
struct sy_cosignature {
    struct sy_public_key key;
    uint8_t role;
    struct sy_hash holder; /* organisation that the key acted for */
    uint16_t meaning;      /* enum sy_cosign_meaning's numbers */
    uint64_t height;
    int64_t time_ms;
};

/* Those of one version, in the order of their heights, no key twice.
 *
 *   u8 count, from 1, cosignatures */
struct sy_cosignatures {
    uint8_t count;
    struct sy_cosignature items[SY_COSIGNATURES_MAX];
};
void sy_cosignatures_encode(struct sy_writer *w, const struct sy_cosignatures *list);
bool sy_cosignatures_decode(struct sy_cosignatures *list, struct sy_slice bytes);

/* A link of a duplicate is no relation of a payload. */
#define SY_LINK_DUPLICATE 100u

/* Another record that names this one.
 *
 *   u16 relation | 32 other record | u64 height */
struct sy_record_link {
    uint16_t relation; /* a relation's number, or SY_LINK_DUPLICATE */
    struct sy_hash other;
    uint64_t height;
};
void sy_record_link_encode(struct sy_writer *w, const struct sy_record_link *link);
bool sy_record_link_decode(struct sy_record_link *link, struct sy_slice bytes);

/* Two records were said to be the same thing twice.
 *
 *   32 reporter | 32 holder | u64 height | i64 time */
struct sy_duplicate {
    struct sy_public_key reporter;
    struct sy_hash holder; /* whom the reporter acted for */
    uint64_t height;
    int64_t time_ms;
};
void sy_duplicate_encode(struct sy_writer *w, const struct sy_duplicate *duplicate);
bool sy_duplicate_decode(struct sy_duplicate *duplicate, struct sy_slice bytes);

/* sy_state_kind_name is the word used in JSON renderings ("credential"); NULL: no kind. */
const char *sy_state_kind_name(unsigned kind);

#endif
