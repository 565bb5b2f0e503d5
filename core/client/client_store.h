/* client_store.h: what the client knows that the ledger must not: which source id is which random
 * id, the salt of every version, its keys' nonces, its signed transactions, and the proofs of what
 * became of them.
 *
 * Source ids never stand in it. A label is HMAC-SHA-256(organisation secret, kind | parts), each
 * part behind its length; the secret is 32 random bytes drawn when the store is made:
 *
 *   resource   source | type | id                 -> the record of its bytes
 *   thing      resource's label                   -> organisation, practitioner, patient
 *   pair       two labels                         -> affiliation (practitioner, organisation),
 *                                                    care (patient, organisation)
 *   identifier source | type | "system|value"     -> alias of a resource
 *   place      network | class | record, version  -> where that version of an export's record is
 *
 * Salts stand apart (client_salts.h), because they must be destroyed one by one; of content there
 * is nothing else but commitments, which say nothing without their salts. What tells whether the
 * document before a cursor is still the same is keyed with a secret that stands there, too, and
 * that every erasure replaces.
 *
 * All writes between two commits become durable together or not at all. A store that is opened
 * `scratch` keeps its writes in a folder of its own that goes away at close, and reads through to
 * the real one: a rehearsal. Values are decoded strictly; a row that does not decode is
 * SY_ERR_CORRUPT. One thread at a time per store. */
#ifndef SY_CLIENT_CLIENT_STORE_H
#define SY_CLIENT_CLIENT_STORE_H

#include "core/client/client_store_lmdb.h"
#include "core/wire/block.h"
#include "core/wire/codec.h"

#define SY_CLIENT_STORE_FORMAT 2u
#define SY_CLIENT_PLACE_BYTES_MAX 600u

typedef struct sy_client_store sy_client_store;

enum sy_client_store_mode {
    SY_CLIENT_STORE_WRITE,   /* the importer's: exclusive */
    SY_CLIENT_STORE_SCRATCH, /* rehearsal */
    SY_CLIENT_STORE_READ
};

/* sy_client_store_open opens (WRITE: or makes) the store of one network in the folder path.
 * Another network's store is SY_ERR_ARGUMENT, an unknown format SY_ERR_VERSION. genesis may be
 * NULL for READ: any network. */
sy_status sy_client_store_open(sy_client_store **store, const char *path,
                               const struct sy_hash *genesis, enum sy_client_store_mode mode,
                               struct sy_error *err);
void sy_client_store_close(sy_client_store *store); /* drops what was not committed */

/* sy_client_store_commit makes everything so far durable; see client_store_lmdb.h. */
sy_status sy_client_store_commit(sy_client_store *store, struct sy_error *err);
uint64_t sy_client_store_uncommitted(const sy_client_store *store);
void sy_client_store_genesis(const sy_client_store *store, struct sy_hash *out);

/* --- labels ---------------------------------------------------------------------------------- */

enum sy_label_kind {
    SY_LABEL_RESOURCE = 1,
    SY_LABEL_ORG,
    SY_LABEL_PRACTITIONER,
    SY_LABEL_PATIENT,
    SY_LABEL_AFFILIATION,
    SY_LABEL_CARE,
    SY_LABEL_IDENTIFIER,
    SY_LABEL_HOME,
    SY_LABEL_INPUT,
    SY_LABEL_KEY,
    SY_LABEL_BYTES,
    SY_LABEL_PLACE
};

/* sy_client_label makes a label of up to three parts; unused ones are {NULL, 0}. */
void sy_client_label(const sy_client_store *store, struct sy_hash *out, enum sy_label_kind kind,
                     struct sy_slice a, struct sy_slice b, struct sy_slice c);
/* The label of a resource by type and id, and of what hangs on one or two labels. */
void sy_client_label_resource(const sy_client_store *store, struct sy_hash *out, const char *source,
                              struct sy_slice type, struct sy_slice id);
void sy_client_label_of(const sy_client_store *store, struct sy_hash *out, enum sy_label_kind kind,
                        const struct sy_hash *a, const struct sy_hash *b);
/* sy_client_digest is the digest by which a cursor's document is known again. */
void sy_client_digest(const sy_client_store *store, struct sy_hash *out, struct sy_slice bytes);

/* --- rows of things -------------------------------------------------------------------------- */

/* `seq`s name the transaction that makes the thing so; sy_client_store_decided tells whether it is
 * still under way. */
struct sy_client_org {
    struct sy_hash id;
    uint16_t kind; /* enum sy_org_kind */
    struct sy_public_key admin_key, gateway_key;
    uint64_t seq;         /* org.register */
    uint64_t gateway_seq; /* cred.issue of the gateway */
};
struct sy_client_practitioner {
    struct sy_hash org_label; /* resource label of the organisation of the first affiliation */
    uint8_t role;             /* enum sy_role */
};
struct sy_client_affiliation {
    struct sy_hash name; /* of the key in the keyring */
    struct sy_public_key key;
    uint8_t role;
    uint64_t seq;
};
struct sy_client_patient {
    struct sy_hash id;
    struct sy_hash org_label; /* who enrolled */
    uint64_t seq;
};
struct sy_client_care {
    struct sy_hash id;
    uint64_t seq;
};
struct sy_client_alias {
    struct sy_hash label; /* of a resource */
};

/* Where a version of another network's record stands here (import_layout.h). */
struct sy_client_place {
    struct sy_hash label; /* of the record */
    uint32_t number;      /* of the version, from 1 */
    uint32_t base;        /* the version that it was made from; 0: it is the first */
    bool branch;          /* that one was no head any more */
};

struct sy_client_version {
    uint32_t version;
    struct sy_hash salt;   /* zeros: it was destroyed */
    uint64_t place;        /* of the salt; set by the store */
    struct sy_hash commit; /* what the ledger has, over the bytes as they stand (raw) */
    uint64_t size;         /* of the bytes, exactly */
    uint64_t seq;
};
struct sy_client_record {
    struct sy_hash id;
    char type[33];
    uint8_t subject_kind; /* enum sy_subject_kind */
    struct sy_hash subject;
    struct sy_hash org_label;      /* the author's organisation */
    struct sy_hash author_label;   /* resource label of the practitioner; zero: none */
    struct sy_hash patient_label;  /* resource label of the patient it is about; zero: none */
    bool erased;                   /* what was known of its content is destroyed; head is zeros */
    struct sy_client_version head; /* the newest version */
};

/* get: SY_ERR_NOT_FOUND when there is none. label is what the kind's label says above: for an
 * organisation, practitioner or patient the label made by sy_client_label_of from the resource's.
 */
sy_status sy_client_get_org(sy_client_store *store, struct sy_client_org *out,
                            const struct sy_hash *label, struct sy_error *err);
sy_status sy_client_put_org(sy_client_store *store, const struct sy_hash *label,
                            const struct sy_client_org *org, struct sy_error *err);
sy_status sy_client_get_practitioner(sy_client_store *store, struct sy_client_practitioner *out,
                                     const struct sy_hash *label, struct sy_error *err);
sy_status sy_client_put_practitioner(sy_client_store *store, const struct sy_hash *label,
                                     const struct sy_client_practitioner *practitioner,
                                     struct sy_error *err);
sy_status sy_client_get_affiliation(sy_client_store *store, struct sy_client_affiliation *out,
                                    const struct sy_hash *label, struct sy_error *err);
sy_status sy_client_put_affiliation(sy_client_store *store, const struct sy_hash *label,
                                    const struct sy_client_affiliation *affiliation,
                                    struct sy_error *err);
sy_status sy_client_get_patient(sy_client_store *store, struct sy_client_patient *out,
                                const struct sy_hash *label, struct sy_error *err);
sy_status sy_client_put_patient(sy_client_store *store, const struct sy_hash *label,
                                const struct sy_client_patient *patient, struct sy_error *err);
sy_status sy_client_get_care(sy_client_store *store, struct sy_client_care *out,
                             const struct sy_hash *label, struct sy_error *err);
sy_status sy_client_put_care(sy_client_store *store, const struct sy_hash *label,
                             const struct sy_client_care *care, struct sy_error *err);
sy_status sy_client_get_alias(sy_client_store *store, struct sy_client_alias *out,
                              const struct sy_hash *label, struct sy_error *err);
sy_status sy_client_put_alias(sy_client_store *store, const struct sy_hash *label,
                              const struct sy_client_alias *alias, struct sy_error *err);
sy_status sy_client_get_place(sy_client_store *store, struct sy_client_place *out,
                              const struct sy_hash *label, struct sy_error *err);
sy_status sy_client_put_place(sy_client_store *store, const struct sy_hash *label,
                              const struct sy_client_place *place, struct sy_error *err);
sy_status sy_client_get_record(sy_client_store *store, struct sy_client_record *out,
                               const struct sy_hash *label, struct sy_error *err);
/* sy_client_put_record writes a record with its first version. sy_client_add_version makes version
 * the head of an existing one; the old head stays findable. */
sy_status sy_client_put_record(sy_client_store *store, const struct sy_hash *label,
                               const struct sy_client_record *record, struct sy_error *err);
sy_status sy_client_add_version(sy_client_store *store, const struct sy_hash *label,
                                struct sy_client_record *record,
                                const struct sy_client_version *version, struct sy_error *err);
/* sy_client_drop_versions takes back every version from `version` on (a refused one and what was
 * built on it); version 1 takes the record itself. */
sy_status sy_client_drop_versions(sy_client_store *store, const struct sy_hash *label,
                                  uint32_t version, struct sy_error *err);
/* sy_client_find_version finds the version of a record that has these bytes: 0: none has. It is
 * known by its size, then by its commitment made again. */
sy_status sy_client_find_version(sy_client_store *store, uint32_t *version,
                                 const struct sy_hash *label, const struct sy_client_record *record,
                                 struct sy_slice bytes, struct sy_error *err);
/* sy_client_find_label finds the record of an id, by looking at all. SY_ERR_NOT_FOUND: none. */
sy_status sy_client_find_label(sy_client_store *store, struct sy_hash *label,
                               const struct sy_hash *record_id, struct sy_error *err);
/* sy_client_erase_record destroys the salts of all versions, for good whatever becomes of the next
 * commit, and forgets the versions; that the record was erased stays known. *salts says how many
 * there were. Cursors go, too: the next run reads its inputs from their beginning. WRITE only. */
sy_status sy_client_erase_record(sy_client_store *store, unsigned *salts,
                                 const struct sy_hash *label, struct sy_error *err);
/* sy_client_get_version reads one version, the head included. */
sy_status sy_client_get_version(sy_client_store *store, struct sy_client_version *out,
                                const struct sy_hash *label, const struct sy_client_record *record,
                                uint32_t version, struct sy_error *err);
/* sy_client_drop_thing forgets a thing's row: what should have made it was refused. */
sy_status sy_client_drop_thing(sy_client_store *store, const struct sy_hash *label,
                               struct sy_error *err);

/* --- nonces ---------------------------------------------------------------------------------- */

/* The nonce the key signs next; 1 for a key that is not known. */
sy_status sy_client_next_nonce(sy_client_store *store, uint64_t *nonce,
                               const struct sy_public_key *key, struct sy_error *err);
sy_status sy_client_set_next_nonce(sy_client_store *store, const struct sy_public_key *key,
                                   uint64_t nonce, struct sy_error *err);

/* --- transactions ---------------------------------------------------------------------------- */

/* A version of a record that a transaction registers. */
struct sy_client_made {
    uint16_t type; /* index in the run's table of types */
    struct sy_hash label;
    uint32_t version;
};

/* An undecided transaction. Slices are borrowed from the caller, or, when read, from the store
 * until its next write. */
struct sy_client_queued {
    uint64_t seq;
    uint64_t run;  /* the run that signed it */
    uint16_t kind; /* enum sy_kind_number */
    struct sy_hash tx_id;
    struct sy_public_key signer;
    struct sy_slice names; /* 32 each: the signers' names in the keyring, in order */
    uint64_t nonce;
    int64_t valid_until_ms;
    bool has_thing;
    struct sy_hash thing;    /* label of the thing it makes */
    struct sy_hash key_name; /* of the fresh key whose possession it proves; zero: none */
    char place[SY_CLIENT_PLACE_BYTES_MAX + 1]; /* "file\nwhere\nresource", for messages */
    uint32_t made_count;
    struct sy_slice made; /* encoded; sy_client_made_at */
    uint32_t after_count;
    struct sy_slice after; /* u64 each: seqs of what must be final first */
    struct sy_slice tx;    /* body and signatures */
};
#define SY_CLIENT_MADE_BYTES 38u
void sy_client_made_write(struct sy_writer *w, const struct sy_client_made *made);
void sy_client_made_at(struct sy_client_made *out, const struct sy_client_queued *queued,
                       uint32_t index);

/* sy_client_next_seq draws the next transaction's number, from 1, never the same twice. */
uint64_t sy_client_next_seq(sy_client_store *store);
sy_status sy_client_put_queued(sy_client_store *store, const struct sy_client_queued *queued,
                               struct sy_error *err);
/* sy_client_get_queued reads the undecided transaction with exactly this seq, sy_client_queued_from
 * the first with this seq or a later one. SY_ERR_NOT_FOUND: none. */
sy_status sy_client_get_queued(sy_client_store *store, struct sy_client_queued *out, uint64_t seq,
                               struct sy_error *err);
sy_status sy_client_queued_from(sy_client_store *store, struct sy_client_queued *out, uint64_t seq,
                                struct sy_error *err);

/* A decided transaction. */
struct sy_client_done {
    uint64_t seq;
    struct sy_hash tx_id;
    uint64_t height; /* 0: refused before ordering, or not sent because of what it builds on */
    uint16_t code;
    struct sy_slice proof; /* encoded receipt proof body; empty without a height */
};
/* sy_client_put_done moves a transaction from the undecided to the decided. */
sy_status sy_client_put_done(sy_client_store *store, const struct sy_client_done *done,
                             struct sy_error *err);
sy_status sy_client_done_from(sy_client_store *store, struct sy_client_done *out, uint64_t seq,
                              struct sy_error *err);

/* Headers with their certificates, once a height; bytes as encoded by block.h. */
sy_status sy_client_put_header(sy_client_store *store, const struct sy_header *header,
                               struct sy_slice certificate, struct sy_error *err);
sy_status sy_client_get_header(sy_client_store *store, struct sy_header *header,
                               struct sy_slice *certificate, uint64_t height, struct sy_error *err);

/* Handovers (core/wire/roster_change.h), encoded, by the epoch that each ends: with them the
 * headers of later epochs are checked offline. They stand among the headers, where no height
 * reaches. */
sy_status sy_client_put_handover(sy_client_store *store, uint32_t epoch, struct sy_slice handover,
                                 struct sy_error *err);
sy_status sy_client_get_handover(sy_client_store *store, struct sy_slice *handover, uint32_t epoch,
                                 struct sy_error *err);

/* --- inputs and runs ------------------------------------------------------------------------- */

/* How far an input was read: everything before `next_offset`, and of the document that begins
 * there the first `entries_done` in the order of registration. The digest of the document before
 * tells whether it is still the same file. */
struct sy_client_cursor {
    bool finished;
    uint64_t next_offset, next_line;
    uint32_t entries_done;
    uint64_t last_offset, last_size;
    struct sy_hash last_digest;
};
sy_status sy_client_get_cursor(sy_client_store *store, struct sy_client_cursor *out,
                               const struct sy_hash *input, struct sy_error *err);
sy_status sy_client_put_cursor(sy_client_store *store, const struct sy_hash *input,
                               const struct sy_client_cursor *cursor, struct sy_error *err);

/* A document whose references could not be resolved yet; read again after everything else. */
struct sy_client_deferred {
    uint64_t offset, size, line;
    uint64_t handle;       /* of fhir_input.h, to read it again */
    uint32_t entries_done; /* as in a cursor */
    bool in_stream;
};
sy_status sy_client_put_deferred(sy_client_store *store, const struct sy_hash *input,
                                 const struct sy_client_deferred *deferred, struct sy_error *err);
/* The first of the input at this offset or later. Putting one again replaces it. */
sy_status sy_client_deferred_from(sy_client_store *store, struct sy_client_deferred *out,
                                  const struct sy_hash *input, uint64_t offset,
                                  struct sy_error *err);
sy_status sy_client_drop_deferred(sy_client_store *store, const struct sy_hash *input,
                                  uint64_t offset, struct sy_error *err);

/* The run's totals, as the importer packs them. SY_ERR_NOT_FOUND: no run yet. A new run forgets
 * cursors and deferred documents. */
sy_status sy_client_get_run(sy_client_store *store, struct sy_slice *out, struct sy_error *err);
sy_status sy_client_put_run(sy_client_store *store, struct sy_slice packed, struct sy_error *err);
sy_status sy_client_forget_progress(sy_client_store *store, struct sy_error *err);

/* --- content --------------------------------------------------------------------------------- */

/* sy_content_commit is SHA-256("systole-commit-v1" || u8 form || 32 salt || u64 length || bytes),
 * what the ledger holds instead of content. */
void sy_content_commit(struct sy_hash *out, uint8_t form, const struct sy_hash *salt,
                       struct sy_slice bytes);
/* sy_content_size_rounded is the size the ledger is told: at least 256, and above that rounded up
 * to a multiple of an eighth of the power of two at or below it, so that a size gives away three
 * bits beyond its magnitude and is never more than an eighth too large. */
uint64_t sy_content_size_rounded(uint64_t size);

#endif
