/* import_internal.h: the importer's own parts.
 *
 *   importer.c       opening, the inputs, next(), totals
 *   import_read.c    documents: scanned, put off, walked entry by entry, cursors
 *   import_map.c     what a resource becomes: organisations, credentials, patients, care, records
 *   import_atomic.c  the same as one transaction a Bundle
 *   import_sign.c    drafts into signed, durable bytes
 *   import_settle.c  what became of them
 *   import_report.c  totals, types, issues
 *   import_window.c  who waits for whom
 *
 * A step that cannot go on now (the window is full, a key's nonces run too far ahead) returns
 * SY_ERR_BUSY with nothing half done that a second try would not find done; it is tried again when
 * something was settled. */
#ifndef SY_CLIENT_IMPORT_INTERNAL_H
#define SY_CLIENT_IMPORT_INTERNAL_H

#include "core/client/client_store.h"
#include "core/client/fhir_document.h"
#include "core/client/fhir_input.h"
#include "core/client/import_window.h"
#include "core/client/importer.h"
#include "core/client/keyring.h"
#include "core/wire/schema.h"

/* Bytes of a transaction that was signed anew, which the caller may still look at. */
struct sy_import_old {
    struct sy_hash tx_id;
    uint8_t *tx;
};

/* Things whose making was refused in this run are not tried again before the next. */
#define SY_IMPORT_FAILED_THINGS_MAX 65536u
/* Work between two durable commits. */
#define SY_IMPORT_GROUP_STEPS 1024u
#define SY_IMPORT_GROUP_BYTES (16u << 20)

struct sy_import_input {
    char *path;
    struct sy_hash label;
    uint64_t bytes; /* 0 for standard input */
    bool done;
    struct sy_client_cursor cursor;
};

enum sy_import_phase {
    SY_IMPORT_READING, /* inputs from front to back */
    SY_IMPORT_AGAIN,   /* documents that were put off */
    SY_IMPORT_READ     /* nothing is left to read */
};

struct sy_importer {
    struct sy_importer_config config; /* strings owned */
    int64_t credential_ms_max;        /* of the credentials it issues */
    sy_client_store *store;
    sy_keyring *keyring;
    bool regulator_known;
    struct sy_hash regulator_name;
    struct sy_public_key regulator_key;
    struct sy_hash home_label; /* resource label of the home organisation */
    uint64_t run;
    uint32_t kept_epoch; /* handovers of the epochs before were kept in this run */
    bool failed;         /* the store gave up: nothing can go on */

    /* inputs */
    struct sy_import_input *inputs;
    size_t input_count, input_capacity;
    size_t input; /* being read */
    enum sy_import_phase phase;
    bool opened;
    struct sy_fhir_input file;
    struct sy_fhir_input stdin_file; /* kept for what was put off */
    uint64_t skip_to;                /* standard input: read before up to here */
    bool cursor_dirty;

    /* AGAIN */
    uint64_t again_offset; /* the next deferred document is here or later */
    bool again_took;       /* this pass took a document */
    bool again_final;      /* the last pass: everything is taken as it is */

    /* the document at hand */
    bool has_document;
    struct sy_fhir_document document;
    struct sy_client_deferred deferred; /* AGAIN: its row */
    struct sy_fhir_scan scan;
    struct sy_json_scanner sniffer;
    struct sy_fhir_set set;
    uint32_t next_entry; /* position in set.order */

    /* transactions */
    struct sy_import_window window;
    uint64_t committed_seq; /* every seq up to here is durable */
    uint64_t newest_seq;
    uint32_t steps; /* since the last commit */
    int64_t block_time_ms;
    bool some_held;       /* some transaction may be waiting for block time */
    int64_t looked_at_ms; /* block time at which that was last looked at */
    sy_arena failed_arena;
    struct sy_table failed_things; /* labels */
    struct sy_import_old *old;     /* freed when the caller tells about their ids, or at close */
    size_t old_count, old_capacity;
    struct sy_public_key nonce_asked; /* NONCE that is out */
    bool nonce_is_asked;
    uint8_t *room; /* for bodies and payloads: SY_IMPORT_ROOM_BYTES */

    /* telling */
    struct sy_import_totals totals;
    struct sy_import_type types[SY_IMPORT_TYPES_MAX];
    uint16_t type_count;
    struct sy_import_issue *issues;
    char **issue_files;
    size_t issue_count_kept;
    uint64_t issue_count;
    bool run_dirty; /* totals changed since they were stored */
};

#define SY_IMPORT_ROOM_BYTES (3u << 20)

/* --- drafts (import_sign.c) ------------------------------------------------------------------ */

#define SY_DRAFT_AFTER_MAX 64u

struct sy_import_signer {
    struct sy_hash name;
    struct sy_public_key key;
};

/* A transaction before it is signed. */
struct sy_import_draft {
    uint16_t kind;
    union sy_payload payload;
    struct sy_hash organisation; /* the first signer acts for */
    struct sy_import_signer signers[SY_TX_SIGNERS_MAX];
    unsigned signer_count;
    struct sy_hash key_name; /* of the fresh key whose possession is proven; zero: none */
    bool has_thing;
    struct sy_hash thing; /* label of the thing that stands once it is applied */
    struct sy_slice made; /* encoded struct sy_client_made */
    uint32_t made_count;
    uint64_t after_fixed[SY_DRAFT_AFTER_MAX];
    uint64_t *after; /* after_fixed, or more room of the caller's */
    uint32_t after_count, after_capacity;
    char place[SY_CLIENT_PLACE_BYTES_MAX + 1];
};

void sy_draft_init(struct sy_import_draft *draft, uint16_t kind);
/* sy_draft_after notes what must be final before; duplicates are fine. */
void sy_draft_after(struct sy_import_draft *draft, uint64_t seq);
void sy_draft_sign_by(struct sy_import_draft *draft, const struct sy_hash *name,
                      const struct sy_public_key *key);

/* sy_import_may_sign: SY_ERR_BUSY while the window is full or the key's nonces run too far ahead.
 */
sy_status sy_import_may_sign(sy_importer *importer, const struct sy_public_key *key,
                             struct sy_error *err);
/* sy_import_add_of is what the window takes of a stored transaction; the slices are the row's. */
struct sy_window_add sy_import_add_of(const struct sy_client_queued *queued);
/* sy_import_sign signs and stores a draft, gives its seq, and puts it into the window. */
sy_status sy_import_sign(sy_importer *importer, uint64_t *seq, struct sy_import_draft *draft,
                         struct sy_error *err);
/* sy_import_sign_again gives an undecided transaction a new nonce and end. */
sy_status sy_import_sign_again(sy_importer *importer, struct sy_pending *pending,
                               struct sy_error *err);
/* sy_import_key_name is the keyring's name of a key: what for, and whose. */
void sy_import_key_name(const sy_importer *importer, struct sy_hash *out, const char *what,
                        const struct sy_hash *label);

/* --- mapping (import_map.c) ------------------------------------------------------------------ */

/* Who a resource is about, who answers for it, and what it belongs to: resource labels, zero when
 * there is none. */
struct sy_import_roles {
    struct sy_hash patient, encounter, org, practitioner;
    uint32_t patient_item, practitioner_item; /* SY_FHIR_NO_ITEM: not in this document */
    struct sy_hash links[8];
    uint32_t link_count;
};

/* Everything that has to stand before a record can be written. */
struct sy_import_base {
    struct sy_import_roles roles;
    struct sy_client_org org;
    bool has_patient;
    struct sy_client_patient patient;
    bool has_author; /* a practitioner with a credential of this organisation */
    struct sy_client_affiliation author;
    struct sy_hash author_name; /* in the keyring */
    struct sy_hash gateway_name;
    uint64_t care_seq; /* 0: none needed */
};

/* sy_import_roles_of reads them out of the document and the store. */
sy_status sy_import_roles_of(sy_importer *importer, struct sy_import_roles *roles,
                             const struct sy_fhir_item *item, struct sy_error *err);
/* sy_import_prepare makes sure of organisation, credential, patient and care, signing what is
 * missing. SY_ERR_FORMAT: complaint says why the resource cannot be placed; SY_ERR_BUSY: try
 * again. */
sy_status sy_import_prepare(sy_importer *importer, struct sy_import_base *base,
                            const struct sy_fhir_item *item, struct sy_fhir_complaint *complaint,
                            struct sy_error *err);
/* sy_import_prepare_known does the same for a record that exists and gets a new version. */
sy_status sy_import_prepare_known(sy_importer *importer, struct sy_import_base *base,
                                  const struct sy_client_record *record,
                                  const struct sy_fhir_item *item,
                                  struct sy_fhir_complaint *complaint, struct sy_error *err);

/* The version and, for a first one, the record that an entry makes: everything but its seq. */
struct sy_import_entry {
    bool is_new;
    struct sy_client_record record; /* as it stands, or as it is going to */
    struct sy_client_version version;
    struct sy_import_base base;
    union sy_payload payload; /* record.create or record.amend */
    struct sy_list parents;
    uint8_t parent_bytes[8 * 32];
};
/* sy_import_make fills entry and payload for an item that is neither faulty nor a duplicate.
 * by_gateway: signed by the organisation's gateway, which names the author. after: what must be
 * final first is added there. */
sy_status sy_import_make(sy_importer *importer, struct sy_import_entry *entry,
                         struct sy_import_draft *draft, const struct sy_fhir_item *item,
                         const struct sy_client_record *known, bool by_gateway,
                         struct sy_fhir_complaint *complaint, struct sy_error *err);
/* sy_import_keep writes what an entry made into the store, under seq. */
sy_status sy_import_keep(sy_importer *importer, const struct sy_fhir_item *item,
                         struct sy_import_entry *entry, uint64_t seq, struct sy_error *err);

/* sy_import_lookup: is it a duplicate (counted), or what is known of it? *known is SY_FHIR_... */
sy_status sy_import_lookup(sy_importer *importer, bool *is_known, bool *is_duplicate,
                           struct sy_client_record *known, const struct sy_fhir_item *item,
                           struct sy_error *err);

/* sy_import_item takes one item all the way: counted, or signed. SY_ERR_BUSY: try again. */
sy_status sy_import_item(sy_importer *importer, const struct sy_fhir_item *item,
                         struct sy_error *err);
/* sy_import_dangling: does a reference that must resolve not? */
bool sy_import_dangling(const struct sy_fhir_item *item, struct sy_fhir_complaint *complaint);

/* --- atomic (import_atomic.c) ---------------------------------------------------------------- */

/* sy_import_atomic takes every entry from importer->next_entry on as one transaction. */
sy_status sy_import_atomic(sy_importer *importer, struct sy_error *err);

/* --- reading (import_read.c) ----------------------------------------------------------------- */

/* sy_import_step does one bounded piece of reading. SY_ERR_BUSY: something has to be settled
 * first; SY_ERR_NOT_FOUND: everything was read. */
sy_status sy_import_step(sy_importer *importer, struct sy_error *err);
/* sy_import_commit makes everything so far durable: rows, totals, cursor. */
sy_status sy_import_commit(sy_importer *importer, struct sy_error *err);

/* --- settling (import_settle.c) -------------------------------------------------------------- */

/* sy_import_resume takes the store's undecided transactions into the window. */
sy_status sy_import_resume(sy_importer *importer, struct sy_error *err);
/* sy_import_refuse_all refuses a transaction and everything that is built on it. */
sy_status sy_import_refuse_all(sy_importer *importer, struct sy_pending *pending,
                               const struct sy_client_done *done, const char *why,
                               struct sy_error *err);
/* sy_import_expired turns what block time has overtaken into PROOF, and gives the next key whose
 * nonces have to be read. False: none. */
bool sy_import_expired(sy_importer *importer, struct sy_public_key *key, int64_t *after_ms);
/* sy_import_drop_old frees the bytes kept for an id; NULL: all. */
void sy_import_drop_old(sy_importer *importer, const struct sy_hash *tx_id);
bool sy_import_has_failed(const sy_importer *importer, const struct sy_hash *label);

/* --- telling (import_report.c) --------------------------------------------------------------- */

uint16_t sy_import_type_index(sy_importer *importer, const char *type);
/* Where an item stands, as people find it: "entry[3].resource" or "line 7". */
void sy_import_where(char *out, size_t size, const sy_importer *importer,
                     const struct sy_fhir_item *item, const char *path);
void sy_import_name(char *out, size_t size, const struct sy_fhir_item *item);
/* sy_import_tell adds an issue; file: NULL for the input at hand. */
void sy_import_tell(sy_importer *importer, bool refused, const char *file, const char *where,
                    const char *resource, const char *what, const char *remedy);
void sy_import_place(char out[SY_CLIENT_PLACE_BYTES_MAX + 1], const sy_importer *importer,
                     const struct sy_fhir_item *item);
/* Counting one resource of a type. */
enum sy_import_fate { SY_FATE_READ, SY_FATE_FINAL, SY_FATE_DUPLICATE, SY_FATE_REFUSED };
void sy_import_count(sy_importer *importer, uint16_t type, enum sy_import_fate fate);
/* The run's row: totals and types. */
sy_status sy_import_store_run(sy_importer *importer, struct sy_error *err);
sy_status sy_import_load_run(sy_importer *importer, bool *found, struct sy_error *err);
void sy_import_report_close(sy_importer *importer);

#endif
