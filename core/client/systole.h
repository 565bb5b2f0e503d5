/* systole.h: libsystole, the client of a systole health ledger.
 *
 * A systole network is a group of validators, run by different organisations, that agree on one
 * order of signed health transactions and prove to everybody what came of each. This library makes
 * transactions from JSON, signs and submits them, waits until they are final, reads what the
 * ledger holds, and checks proofs, online or offline.
 *
 *     systole_network *net;            a genesis file names the network and all its validators
 *     systole_key *key;                an Ed25519 key in a PKCS#8 PEM file
 *     systole_tx *tx;                  make -> prove new keys -> sign, each signer -> settle
 *     systole_proof *proof;            what became of it, as anybody can check offline
 *
 *     systole_network_open(&net, "genesis.json", NULL, 0);
 *     systole_key_load(&key, "gateway.pem", NULL);
 *     systole_tx_make(&tx, net, &config);
 *     systole_tx_sign(tx, net, key);
 *     systole_settle(net, &proof, tx, 30000);
 *
 * Nothing is believed from one validator. Every answer is checked before you see it: transaction,
 * Merkle path, block header, and the certificate, which is the signatures of a quorum of validators
 * named in the genesis file, or of those that took their place since, each change being certified
 * by those before. A validator that is down, slow or lying costs time: the next is asked.
 *
 * Results. Every function that can fail returns an enum systole_result; systole_error_text then
 * gives one sentence for a person: what failed, where, and what to do. A function that fails leaves
 * its outputs as they were.
 *
 * A transaction that the ledger refuses is not a failure of this library: it has a proof like any
 * other, and systole_proof_get_info tells the code. systole_explain has the words for it.
 *
 * Ownership. What a function makes (systole_network, key, tx, proof) is yours to close, by the
 * function named for it; texts and bytes given through char ** and void ** are yours, for
 * systole_free. Everything passed
 * in is borrowed for the call only, unless its comment says otherwise. Closing NULL is fine.
 *
 * Threads. A handle belongs to one thread at a time; different handles may be used by different
 * threads at the same time. A network handle keeps one conversation a validator, so give each
 * thread that talks its own. Texts about errors are kept a thread.
 *
 * Keys, ids and hashes are 32 bytes; in JSON they are 64 lower-case hex digits. Times are
 * milliseconds since 1970, UTC. */
#ifndef SYSTOLE_H
#define SYSTOLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. systole_version tells that of the library. */
#define SYSTOLE_VERSION_MAJOR 0
#define SYSTOLE_VERSION_MINOR 1
#define SYSTOLE_VERSION_PATCH 0

typedef struct systole_network systole_network;
typedef struct systole_key systole_key;
typedef struct systole_tx systole_tx;
typedef struct systole_proof systole_proof;
typedef struct systole_watch systole_watch;
typedef struct systole_x25519_key systole_x25519_key;
typedef struct systole_opened systole_opened;

/* ---- results ------------------------------------------------------------------------------ */

enum systole_result {
    SYSTOLE_OK = 0,
    SYSTOLE_ERR_ARGUMENT = 1,   /* what was passed makes no sense: a field, a kind, a length */
    SYSTOLE_ERR_NOT_FOUND = 2,  /* no such file; every validator says there is no such thing */
    SYSTOLE_ERR_EXISTS = 3,     /* a file that would be overwritten */
    SYSTOLE_ERR_MEMORY = 4,     /* no memory left */
    SYSTOLE_ERR_FILE = 5,       /* a file could not be read or written */
    SYSTOLE_ERR_FORMAT = 6,     /* bytes or text that are not of their form */
    SYSTOLE_ERR_VERSION = 7,    /* of a version that this library does not know */
    SYSTOLE_ERR_LIMIT = 8,      /* larger than a stated bound */
    SYSTOLE_ERR_NOT_PROVEN = 9, /* a signature, certificate or proof does not hold, or is missing */
    SYSTOLE_ERR_FORBIDDEN = 10, /* every validator refuses it: before ordering, or this reader */
    SYSTOLE_ERR_NETWORK = 11,   /* no validator answers */
    SYSTOLE_ERR_UNKNOWN = 12,   /* the time is over and the outcome unknown: asking again is safe */
    SYSTOLE_ERR_PRUNED = 13     /* not in the history that the validators asked still keep */
};

/* systole_result_name is the result's name in lower case ("not proven"). Never NULL; static. */
const char *systole_result_name(enum systole_result result);

/* systole_error_text is one sentence about the last failure in this thread; "" before any. Good
 * until this thread's next call of the library. */
const char *systole_error_text(void);

/* systole_version is the library's version, "0.1.0". Static. */
const char *systole_version(void);

/* systole_free frees a text, or bytes, that the library gave. NULL is fine. */
void systole_free(void *text);

/* ---- networks ----------------------------------------------------------------------------- */

/* systole_network_open reads a genesis file and checks it; it talks to nobody yet, so it serves for
 * offline work too. addresses: where the validators listen for clients, one a validator in the
 * genesis's order ("tcp://10.0.0.5:27102"), copied; NULL and 0: the genesis's own. The caller
 * closes the network. SYSTOLE_ERR_NOT_FOUND, _FORMAT, _VERSION; _ARGUMENT: a value in the file that
 * cannot be, or another number of addresses; _NOT_PROVEN: the file's hash does not fit its
 * contents. */
enum systole_result systole_network_open(systole_network **network, const char *genesis_path,
                                         const char *const *addresses, size_t address_count);
void systole_network_close(systole_network *network);

/* systole_network_observe makes everything that this handle asks from then on go to one observer
 * alone: a node of no roster, which follows the network and serves reads. link_key, 32 bytes, is
 * what it must show, and address where it listens for clients; both are copied. Its answers are
 * checked like a validator's, and what it refuses or does not have is its word alone; it takes no
 * transactions. SYSTOLE_ERR_ARGUMENT: no address; the handle is then as it was. */
enum systole_result systole_network_observe(systole_network *network, const uint8_t link_key[32],
                                            const char *address);

/* systole_network_get_hash copies the genesis's hash, which names the network. Compare it with what
 * its operators publish: everything that is proven is proven relative to it. */
void systole_network_get_hash(const systole_network *network, uint8_t hash[32]);

/* systole_network_count is the number of validators, of the newest roster that any answer was of:
 * the genesis's at first. */
unsigned systole_network_count(const systole_network *network);

/* ---- keys --------------------------------------------------------------------------------- */

/* systole_key_load reads a PKCS#8 PEM file of mode 0600. passphrase_path: a file whose first line
 * decrypts it; NULL: it is not encrypted. The secret stays in OpenSSL's hands and is wiped by
 * systole_key_close. SYSTOLE_ERR_NOT_FOUND; _FORBIDDEN: others can read the file; _FORMAT;
 * _NOT_PROVEN: the passphrase is wrong; _ARGUMENT: another kind of key. */
enum systole_result systole_key_load(systole_key **key, const char *path,
                                     const char *passphrase_path);

/* systole_key_generate makes a fresh key and, unless path is NULL, saves it to a new file of mode
 * 0600. SYSTOLE_ERR_EXISTS: there is such a file. */
enum systole_result systole_key_generate(systole_key **key, const char *path,
                                         const char *passphrase_path);
void systole_key_close(systole_key *key);

/* systole_key_get_public copies the public half. */
void systole_key_get_public(const systole_key *key, uint8_t public_key[32]);

/* ---- transactions ------------------------------------------------------------------------- */

/* What a transaction is made of. Zero the whole struct first, and set struct_bytes: a later version
 * may have more members at the end. */
struct systole_tx_config {
    size_t struct_bytes;      /* sizeof(struct systole_tx_config) */
    const char *kind;         /* "record.create"; systole_explain lists a kind's fields */
    const char *fields;       /* a JSON object: {"record_id": "random", "class": "Patient", ...} */
    const uint8_t *signer;    /* 32: public key of the first signer */
    const uint8_t *cosigners; /* 32 bytes each: further signers, at most 16; NULL: none */
    size_t cosigner_count;
    const uint8_t *organisation; /* 32: id of the organisation that the first signer acts for; NULL
                                    for a regulator or a patient */
    uint64_t nonce;              /* a number that the first signer has not used: see
                                    systole_next_nonce */
    int64_t valid_until_ms;      /* last block time at which it may run, at most 24 hours ahead; 0:
                                    an hour from now */
};

/* systole_tx_make makes a transaction; nobody has signed it yet. An id of "random" and a time of
 * "now" are filled in. Checks every field against its kind's rules, and names the one that breaks
 * one. SYSTOLE_ERR_ARGUMENT, _FORMAT (no JSON), _LIMIT. The caller closes it. */
enum systole_result systole_tx_make(systole_tx **tx, const systole_network *network,
                                    const struct systole_tx_config *config);

/* systole_tx_parse reads what systole_tx_get_text wrote: the way in which a transaction travels
 * between its signers, and the file of `systole tx`. SYSTOLE_ERR_FORMAT, _VERSION; _ARGUMENT: it is
 * another network's. */
enum systole_result systole_tx_parse(systole_tx **tx, const systole_network *network,
                                     const char *text, size_t size);
void systole_tx_close(systole_tx *tx);

/* systole_tx_get_text gives the transaction with the signatures that it has, as JSON. */
enum systole_result systole_tx_get_text(const systole_tx *tx, char **text);

/* systole_tx_get_id copies the transaction's id: the hash of everything that is signed. It is final
 * once the first signature stands; proving a possession or approving changes it. */
void systole_tx_get_id(const systole_tx *tx, uint8_t tx_id[32]);

/* systole_tx_prove makes the proof of possession of a key that the transaction enrols. It must come
 * before the first signature. SYSTOLE_ERR_NOT_FOUND: the transaction enrols no such key;
 * _FORBIDDEN: somebody signed or approved already. */
enum systole_result systole_tx_prove(systole_tx *tx, const systole_network *network,
                                     const systole_key *key);

/* systole_tx_approve adds the approval of a validator's admin key to a change of the roster or of a
 * parameter (validator.add, validator.remove, validator.rekey, param.enact). It comes after proofs
 * of possession, which it signs too, and before the first signature. SYSTOLE_ERR_NOT_FOUND: there
 * is nothing to approve in the transaction; _FORBIDDEN: somebody signed already; _NOT_PROVEN: a
 * proof of possession is missing; _EXISTS: the key approved before; _LIMIT. */
enum systole_result systole_tx_approve(systole_tx *tx, const systole_network *network,
                                       const systole_key *key);

/* systole_tx_sign signs in the key's place, first signer or cosigner. SYSTOLE_ERR_NOT_FOUND: the
 * transaction names no such signer; _NOT_PROVEN: a proof of possession is missing, or there are
 * fewer approvals than any roster takes. */
enum systole_result systole_tx_sign(systole_tx *tx, const systole_network *network,
                                    const systole_key *key);

/* systole_tx_missing counts the signers that have not signed. */
unsigned systole_tx_missing(const systole_tx *tx);

/* ---- submitting --------------------------------------------------------------------------- */

/* systole_next_nonce reads, with proof, the number after the highest that signer has used. reader
 * signs the read; the signer's own key may always ask. A signer that sends several transactions
 * before they are final counts on by itself: gaps are allowed, 4,096 above the highest. */
enum systole_result systole_next_nonce(systole_network *network, uint64_t *nonce,
                                       const uint8_t signer[32], const systole_key *reader);

/* systole_submit hands a complete transaction to one validator. SYSTOLE_OK: it was received, which
 * promises nothing yet. SYSTOLE_ERR_NOT_PROVEN: a signature is missing or wrong, nothing was sent;
 * _FORBIDDEN: every validator refuses it, and it was not ordered; _NETWORK. */
enum systole_result systole_submit(systole_network *network, const systole_tx *tx);

/* systole_wait waits until a transaction is final and gives its proof, which says what became of
 * it: applied or refused. The transaction must be complete: validators tell only who can show that
 * they have it, signatures included (whoever has no more than its id reads it, systole_read_tx).
 * SYSTOLE_ERR_UNKNOWN: not within timeout_ms; wait or submit again. SYSTOLE_ERR_NOT_PROVEN: a
 * signature is missing or wrong. The caller closes the proof. */
enum systole_result systole_wait(systole_network *network, systole_proof **proof,
                                 const systole_tx *tx, int timeout_ms);

/* systole_settle submits and waits; when a validator makes no progress, the same bytes go to
 * another. A transaction runs at most once however often it is sent. Results as of the two above.
 */
enum systole_result systole_settle(systole_network *network, systole_proof **proof,
                                   const systole_tx *tx, int timeout_ms);

/* ---- reading ------------------------------------------------------------------------------ */

/* Why somebody reads; judged against roles, care relations and consent, and recorded. */
enum systole_purpose {
    SYSTOLE_PURPOSE_TREATMENT = 1,
    SYSTOLE_PURPOSE_PAYMENT = 2,
    SYSTOLE_PURPOSE_OPERATIONS = 3,
    SYSTOLE_PURPOSE_SELF = 4,
    SYSTOLE_PURPOSE_AUDIT = 5,
    SYSTOLE_PURPOSE_RESEARCH = 6,
    SYSTOLE_PURPOSE_PUBLIC_HEALTH = 7,
    SYSTOLE_PURPOSE_EMERGENCY = 8
};

/* systole_read_tx reads a transaction with its receipt; systole_read_receipt the receipt alone.
 * SYSTOLE_ERR_NOT_FOUND, _FORBIDDEN: every validator that answers says so; _PRUNED: none has it,
 * and at least one keeps no history that old. */
enum systole_result systole_read_tx(systole_network *network, systole_proof **proof,
                                    const uint8_t tx_id[32], const systole_key *reader,
                                    enum systole_purpose purpose);
enum systole_result systole_read_receipt(systole_network *network, systole_proof **proof,
                                         const uint8_t tx_id[32], const systole_key *reader,
                                         enum systole_purpose purpose);

/* systole_read_state reads what the ledger holds under a name now: entry is "record",
 * "record version" (second: the version's number, little-endian in the first four of 32 bytes),
 * "cosignatures" (of a version: likewise), "record link" (second: its number, in eight bytes),
 * "duplicate" (second: the other record), "organisation", "credential", "patient", "care",
 * "open care" (id: the patient; second: the organisation), "nonces", "consent", "device",
 * "consents" (id: the patient), "consent place" or "patient place" (id: the patient; second: the
 * number, likewise in eight bytes). second is NULL for the others. The proof says whether there is
 * such an entry at all: absence is proven too, and is SYSTOLE_OK.
 *
 * Of access and notices: "access log", "dispute", "notify prefs" and "notify ack" (id: the
 * patient), "export" and "id map" (id: as the patient's place names it), and with second "access
 * request" (id: the patient; second: the organisation), "disclosure" (id: the log; second: the
 * patient) and "subscription" (id: the organisation; second: the patient).
 *
 * Of money: "plan", "coverage", "claim", "payment", "denied lines" (id: the claim), "balance" (id:
 * the organisation), "claims" (id: the patient; how many), and with second "claim place" (id: the
 * patient; second: the number, in eight bytes), "remittance" and "settlement place" (id: the
 * organisation; likewise), "used" (id: the coverage; second: the year), "coverages" (id: the
 * patient; second: the order), "owed" (id: the payer; second: the payee) and "settlement" (second:
 * the payee). Of goods: "product" (id: the GTIN's fourteen digits, then zeros), "shipment",
 * "recall", "prescription", and whatever else FORMAT.md lists, under its words there.
 *
 * max_age_ms: an answer that was so longer ago is not taken, since it may be valid and yet hide
 * what happened after; 0: any age. SYSTOLE_ERR_UNKNOWN: only older ones. */
enum systole_result systole_read_state(systole_network *network, systole_proof **proof,
                                       const char *entry, const uint8_t id[32],
                                       const uint8_t *second, const systole_key *reader,
                                       enum systole_purpose purpose, int64_t max_age_ms);

/* How a key's credential stood at some time. */
enum systole_standing {
    SYSTOLE_STANDING_VALID = 0,
    SYSTOLE_STANDING_NOT_ENROLLED = 1, /* yet; or never */
    SYSTOLE_STANDING_EARLY = 2,        /* before its window */
    SYSTOLE_STANDING_EXPIRED = 3,
    SYSTOLE_STANDING_REVOKED = 4,
    SYSTOLE_STANDING_SUSPENDED = 5 /* its organisation was */
};

/* What systole_credential_at tells. Zero it first, and set struct_bytes. */
struct systole_credential_info {
    size_t struct_bytes;          /* sizeof(struct systole_credential_info) */
    uint8_t credential[32];       /* the key */
    enum systole_standing stands; /* at time_ms, after the block of this height */
    uint64_t height;
    int64_t time_ms;
};

/* systole_credential_at asks, with proof, how a key's credential stood at a time in ms, or, below
 * 10^12, at a height, or, UINT64_MAX, at the newest block: across enrolment, revocation and all
 * suspensions of its organisation. A height stands for the time of its block. proof: NULL, or where
 * the bytes of a .syvalid file go, which anybody can check (systole_credential_verify, `systole
 * verify`). SYSTOLE_ERR_ARGUMENT: it is no key that signs transactions; _NOT_FOUND: there is no
 * such block, or, with proof, none that is later, so that nothing bounds the time yet; _FORBIDDEN,
 * _PRUNED, _NETWORK; _UNKNOWN: only answers older than a minute. */
enum systole_result systole_credential_at(systole_network *network,
                                          struct systole_credential_info *info, void **proof,
                                          size_t *proof_size, const uint8_t credential[32],
                                          uint64_t at, const systole_key *reader,
                                          enum systole_purpose purpose);

/* systole_credential_verify checks the bytes of a .syvalid file against the genesis alone.
 * SYSTOLE_ERR_FORMAT: it is none; _NOT_PROVEN. */
enum systole_result systole_credential_verify(struct systole_credential_info *info,
                                              const systole_network *network, const void *bytes,
                                              size_t size);

/* What is searched for in the directory. Zero the whole struct first, and set struct_bytes and
 * entry; NULL and 0 stand for any. */
struct systole_search {
    size_t struct_bytes;         /* sizeof(struct systole_search) */
    const char *entry;           /* "organisation" or "credential" */
    const char *id_begins;       /* with these hex digits, up to 64; a credential's id is its key */
    int active;                  /* 1: those that count now; -1: the others */
    const char *kind;            /* an organisation's: "hospital", ... */
    const char *name;            /* an organisation's, exactly */
    const char *role;            /* a credential's: "doctor", ... */
    const char *specialty;       /* a credential's */
    const uint8_t *organisation; /* whose credentials; 32 bytes */
    const uint8_t *behind;       /* the last id of the page before; 32 bytes */
};

/* systole_find searches the directory of organisations and credentials; keys of patients,
 * guardians and devices are not in it. count: room for how many ids, at least 1 (more than 128 are
 * never given); then how many there are, ascending. more: 1, others follow the last one. An id is
 * the word of one validator: read its entry by systole_read_state, and see whether it fits. That
 * there are no others is not proven. SYSTOLE_ERR_ARGUMENT: a word that is not known, or goes with
 * the other entry; _FORBIDDEN: the reader may not search; _NETWORK. */
enum systole_result systole_find(systole_network *network, uint8_t (*ids)[32], size_t *count,
                                 int *more, const struct systole_search *search,
                                 const systole_key *reader, enum systole_purpose purpose);

/* ---- notices ------------------------------------------------------------------------------ */

/* What a subject is. */
enum systole_subject {
    SYSTOLE_SUBJECT_ORGANISATION = 1,
    SYSTOLE_SUBJECT_KEY = 2,
    SYSTOLE_SUBJECT_PATIENT = 3
};

/* What happened to a subject. Zero it first, and set struct_bytes. */
struct systole_notice {
    size_t struct_bytes;    /* sizeof(struct systole_notice) */
    uint64_t number;        /* among the subject's, from 1, without gaps */
    int shown;              /* 0: this reader may not see it, and nothing below is filled */
    const char *event;      /* "record.created"; static */
    uint8_t object[32];     /* what it is about: a record, a consent, ... */
    uint8_t tx_id[32];      /* the transaction that did it */
    uint64_t height;        /* of the block that proves it */
    int64_t time_ms;        /* of that block */
    uint64_t global_number; /* among all events of the ledger */
};

/* systole_watch_open begins with the notice of number `from` (1: the first). key signs the
 * questions: a patient's own or a guardian's, an organisation's admin's or gateway's, or the
 * subject's own. It talks to nobody yet. network and key are borrowed until the watch is closed,
 * and systole_network_observe may not be called meanwhile. SYSTOLE_ERR_ARGUMENT: from is 0, or
 * there is no such kind. */
enum systole_result systole_watch_open(systole_watch **watch, systole_network *network,
                                       enum systole_subject kind, const uint8_t subject[32],
                                       uint64_t from, const systole_key *key,
                                       enum systole_purpose purpose);
void systole_watch_close(systole_watch *watch);

/* systole_watch_next waits up to timeout_ms for the notice of the next number, verified. Keep its
 * number once you have dealt with it: whoever goes on from the number after it is told each notice
 * at least once, whatever dies meanwhile. SYSTOLE_ERR_UNKNOWN: none yet. _FORBIDDEN; _PRUNED: it
 * happened, and no validator asked keeps history so old; _NOT_FOUND: it happened, and nobody shows
 * it; _NETWORK. After any of these the next call asks for the same number. */
enum systole_result systole_watch_next(systole_watch *watch, struct systole_notice *notice,
                                       int timeout_ms);

/* ---- proofs ------------------------------------------------------------------------------- */

/* systole_proof_verify checks the bytes of a .syproof file against the network's genesis alone; no
 * validator is asked. SYSTOLE_ERR_FORMAT: no proof; _NOT_PROVEN: it does not hold, and the error
 * text says what does not. Only a proof that holds becomes a handle. bytes are copied. */
enum systole_result systole_proof_verify(systole_proof **proof, const systole_network *network,
                                         const void *bytes, size_t size);
void systole_proof_close(systole_proof *proof);

/* systole_proof_get_bytes gives the proof as it is kept in files; borrowed until it is closed. */
void systole_proof_get_bytes(const systole_proof *proof, const void **bytes, size_t *size);

enum systole_proof_kind { SYSTOLE_PROOF_RECEIPT = 1, SYSTOLE_PROOF_STATE = 2 };

/* What a proof says. Zero it first, and set struct_bytes. */
struct systole_proof_info {
    size_t struct_bytes; /* sizeof(struct systole_proof_info) */
    int kind;            /* enum systole_proof_kind */
    uint64_t height;     /* of the block that proves it */
    int64_t time_ms;     /* of that block */
    unsigned seals;      /* validators whose signatures it bears: always a quorum */
    uint8_t state_root[32];
    /* A receipt's: */
    uint8_t tx_id[32];
    uint32_t index; /* of the transaction in the block */
    uint16_t code;  /* 0: applied; else systole_explain says what it means */
    uint16_t part;  /* of an atomic transaction: which payload was refused */
    /* An entry's: */
    int present;       /* 0: there is no such entry */
    const void *value; /* its canonical bytes, borrowed until the proof is closed */
    size_t value_size;
};
void systole_proof_get_info(const systole_proof *proof, struct systole_proof_info *info);

/* systole_proof_get_json renders everything in a proof for people and scripts. */
enum systole_result systole_proof_get_json(const systole_proof *proof,
                                           const systole_network *network, char **json);

/* ---- envelopes ---------------------------------------------------------------------------- */

/* systole_x25519_key_load reads the secret half of a key that envelopes are sealed to, as `systole
 * keygen --x25519` wrote it. Fails as systole_key_load. */
enum systole_result systole_x25519_key_load(systole_x25519_key **key, const char *path,
                                            const char *passphrase_path);
void systole_x25519_key_close(systole_x25519_key *key);
void systole_x25519_key_get_public(const systole_x25519_key *key, uint8_t public_key[32]);

/* What is shared, and with whom. Zero the whole struct first, and set struct_bytes. */
struct systole_share {
    size_t struct_bytes;   /* sizeof(struct systole_share) */
    const uint8_t *record; /* 32: its id */
    uint32_t version;      /* 0: whichever is current */
    const uint8_t *salt;   /* 32: of the content's commitment */
    const void *content;   /* the bytes as they were registered */
    size_t content_size;
    const uint8_t *recipients;    /* 32 bytes each: keys, or ids of organisations or patients */
    size_t recipient_count;       /* 1 to 63 */
    enum systole_purpose purpose; /* what for they would read it */
    int before_grant;   /* 1: they need not be allowed to yet: a grant is to commit to it */
    int64_t max_age_ms; /* an older answer is not taken: a right may have ended since; 0: a
                           minute; SYSTOLE_AGE_ANY: none is too old */
};
#define SYSTOLE_AGE_ANY (-1)

/* systole_share seals content to those who may read it, and to the record's custodian for
 * emergencies. Checked first, with state that is proven: that the content is that version, whose
 * X25519 keys these are, and that they may read it. Nothing of the content leaves this process.
 * *envelope gets the bytes of a .syenvelope file. wrapped_key_hashes: NULL, or room for one a
 * recipient: what consent.grant commits to. reader signs the reads and must see the patient's
 * consents. SYSTOLE_ERR_FORBIDDEN: the content is not that version's, or a recipient may not read
 * it, or has no key; _NOT_FOUND: a recipient is unknown; _NOT_PROVEN: nothing can be sealed to a
 * recipient's key; _ARGUMENT, _LIMIT, _UNKNOWN, _NETWORK. */
enum systole_result systole_share(systole_network *network, void **envelope, size_t *size,
                                  uint8_t (*wrapped_key_hashes)[32],
                                  const struct systole_share *what, const systole_key *reader);

/* systole_open opens an envelope and checks, offline, that its content is what the ledger committed
 * to. The bytes are copied. SYSTOLE_ERR_FORBIDDEN: it is not sealed to this key; _FORMAT: no
 * envelope; _NOT_PROVEN: it was changed, or is not what the ledger has; _ARGUMENT: another
 * network's. The caller closes it, which wipes the content. */
enum systole_result systole_open(systole_opened **opened, const systole_network *network,
                                 const void *envelope, size_t size, const systole_x25519_key *key);
void systole_opened_close(systole_opened *opened);

/* What was in it. Zero it first, and set struct_bytes. */
struct systole_opened_info {
    size_t struct_bytes; /* sizeof(struct systole_opened_info) */
    uint8_t record[32];
    uint32_t version;
    int current;     /* 1: it was then, and the record not retracted */
    uint64_t height; /* of the block that proves it */
    int64_t time_ms; /* of that block */
    uint8_t salt[32];
    uint8_t wrapped_key_hash[32]; /* what a grant for this key commits to */
    const void *content;          /* borrowed until it is closed */
    size_t content_size;
};
void systole_opened_get_info(const systole_opened *opened, struct systole_opened_info *info);

/* ---- health cards ------------------------------------------------------------------------- */

/* systole_card_check checks a SMART Health Card (a .smart-health-card file's text, a jws, or the
 * shc:/ text of a QR code) at now_ms, offline. keys: the issuer's key set, as it stands at
 * ISSUER/.well-known/jwks.json: that it is the issuer's is for you to know. revocations: NULL, or
 * the issuer's revocation list of that key. *payload gets the card's JSON, *jws_hash what names its
 * entry on the ledger ("cert"; id: the organisation). SYSTOLE_ERR_NOT_PROVEN: not signed by a key
 * of the set; _FORBIDDEN: not valid yet, or no more, or revoked; _FORMAT, _LIMIT; _ARGUMENT:
 * another key's list. */
enum systole_result systole_card_check(char **payload, uint8_t jws_hash[32], const char *card,
                                       const char *keys, const char *revocations, int64_t now_ms);

/* ---- words -------------------------------------------------------------------------------- */

/* systole_explain writes what a kind of transaction ("record.create") or a refusal code
 * ("E_NO_CARE", or its number) means: fields and rules, or what happened and what to do.
 * SYSTOLE_ERR_NOT_FOUND. */
enum systole_result systole_explain(char **text, const char *word);

/* The name, sentence and remedy of a refusal code; static texts, which for an unknown number say
 * that it is unknown. */
const char *systole_code_name(uint16_t code);
const char *systole_code_sentence(uint16_t code);
const char *systole_code_remedy(uint16_t code);

#ifdef __cplusplus
}
#endif
#endif
