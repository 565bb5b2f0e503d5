/* importer.h: from FHIR files to signed transactions, durable in the client's store, handed out
 * in dependency order; and back again: what became of them.
 *
 *     files -> scan -> facts -> map -> sign -> client store -> window -> sy_importer_next
 *                                                   ^                           |
 *                                                   |                       (network)
 *     totals, issues, report  <---  settle  <-------+---  sy_importer_on_final and so on
 *
 * Nothing here touches the network: the caller asks for the next action, does it, and tells what
 * came of it. Every transaction handed out is durable first, with its key's nonce, so a process
 * that dies anywhere sends the same bytes again and never signs the same thing twice.
 *
 * A transaction becomes ready when everything it builds on is final: its organisation's
 * registration, its signer's credential, the patient, the care relation, the previous version, the
 * encounter and the records it links to. At most `window` transactions are undecided at a time and
 * none more than 2,048 nonces above its key's lowest undecided one; while the window is full,
 * reading pauses. Memory is bounded whatever the input's size.
 *
 * Each resource ends as exactly one of: final (its transaction is under a certificate), duplicate
 * (its bytes equal an earlier version), refused (malformed, dangling, or refused by the ledger; an
 * issue says where and why). One thread at a time per importer; it may be another than the
 * network's, with the caller's lock around it. */
#ifndef SY_CLIENT_IMPORTER_H
#define SY_CLIENT_IMPORTER_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/json.h"
#include "core/store/epochs.h"
#include "core/wire/block.h"
#include "core/wire/genesis.h"
#include "core/wire/tx.h"

typedef struct sy_importer sy_importer;

#define SY_IMPORT_WINDOW_DEFAULT 16384u
#define SY_IMPORT_WINDOW_MAX 65536u
#define SY_IMPORT_LIFETIME_MS_DEFAULT (6ll * 3600 * 1000)
#define SY_IMPORT_ISSUES_KEPT 1000u /* later ones are only counted */
#define SY_IMPORT_TYPES_MAX 256u

struct sy_importer_config {
    const char *store_path;                /* the client store's folder; made with mode 0700 */
    const char *regulator_key_path;        /* PKCS#8 PEM; needed to register organisations */
    const char *regulator_passphrase_path; /* NULL: not encrypted */
    const struct sy_genesis *genesis;      /* borrowed while the importer lives */
    const char *source;    /* name of the source system, part of every source id; NULL: "fhir" */
    const char *home_name; /* the importing organisation, registered when first needed; it answers
                               for resources that name no patient and no organisation. NULL:
                               "importing organisation" */
    bool atomic;           /* one transaction a Bundle, after its directory and enrolment */
    bool dry_run;          /* sign, store and hand out nothing; report what would be done */
    bool resume;           /* go on where the last run stopped, its totals included */
    int64_t lifetime_ms;   /* valid_until = now + this, 1 h to 24 h; 0: the default */
    uint32_t window;       /* undecided transactions at most; 0: the default */
};

/* sy_importer_open opens the client store (exclusively: a second importer on it is SY_ERR_BUSY),
 * and takes up what earlier runs left undecided. Fails with a sentence when a path cannot be used,
 * the regulator key does not load, or the store belongs to another network. */
sy_status sy_importer_open(sy_importer **importer, const struct sy_importer_config *config,
                           struct sy_error *err);

/* sy_importer_limit_credentials says how long a credential may last that is issued from now on, as
 * the network's parameters have it; until then as the genesis has it. ms > 0 (asserted). */
void sy_importer_limit_credentials(sy_importer *importer, int64_t ms);

/* sy_importer_close makes what was told durable and frees everything; NULL is fine. */
void sy_importer_close(sy_importer *importer);

/* sy_importer_add adds an input: a file (FHIR R4 JSON: a Bundle or one resource; NDJSON by its
 * name .ndjson or .jsonl, or by its second line), a folder (its .json, .ndjson and .jsonl files,
 * folders inside included, by name), or "-" for standard input. Only before the first
 * sy_importer_next. The path is copied. */
sy_status sy_importer_add(sy_importer *importer, const char *path, struct sy_error *err);

enum sy_import_action_kind {
    SY_IMPORT_SEND = 1, /* submit `tx`; then tell received, refused or final */
    SY_IMPORT_NONCE,    /* read the nonce window of `key` at a certified height whose time is above
                           `after_ms`; then tell sy_importer_on_nonce */
    SY_IMPORT_MORE,     /* a piece of reading was done, nothing to send yet: call again */
    SY_IMPORT_WAIT,     /* nothing to do until something told earlier is answered */
    SY_IMPORT_DONE      /* all inputs read and everything decided */
};

struct sy_import_action {
    uint8_t kind;             /* enum sy_import_action_kind */
    bool again;               /* SEND: these bytes may have been sent before (an earlier process,
                                 or sy_importer_resend) */
    struct sy_hash tx_id;     /* SEND */
    struct sy_slice tx;       /* SEND: body and signatures; borrowed until this id was told final
                                 or refused */
    struct sy_public_key key; /* NONCE */
    int64_t after_ms;         /* NONCE */
};

/* sy_importer_next reads, maps and signs as much as it needs and gives the next action; each SEND
 * and each NONCE is given once (sy_importer_resend brings a SEND back). Bounded work a call. Inputs
 * that cannot be opened or read to their end become issues, and the others are read. Fails only
 * when the store or the keyring does; the importer then stops. After SY_ERR_DISK_FULL nothing was
 * lost: make room and run again with `resume`. */
sy_status sy_importer_next(sy_importer *importer, struct sy_import_action *action,
                           struct sy_error *err);

/* A validator has it. Only counted. Unknown ids are ignored, here and below. */
void sy_importer_on_received(sy_importer *importer, const struct sy_hash *tx_id);

/* A validator refused it before ordering with a code below 32. E_BUSY is the caller's to repeat;
 * any other can never be ordered as it stands, so it and what builds on it are refused. */
sy_status sy_importer_on_refused(sy_importer *importer, const struct sy_hash *tx_id, uint16_t code,
                                 struct sy_error *err);

/* A receipt under a certificate, which the caller has verified against genesis. */
struct sy_import_outcome {
    struct sy_hash tx_id;
    struct sy_slice receipt;       /* encoded receipt (core/wire/receipt.h) */
    struct sy_slice receipt_proof; /* encoded receipt proof body (core/wire/proof.h), kept */
    const struct sy_header *header;
    struct sy_slice certificate; /* encoded; kept once a height */
    const sy_epochs *epochs;     /* that know the header's epoch, whose handovers are kept, too;
                                    NULL in epoch 0 */
};

/* sy_importer_on_final settles a transaction. Codes that decide nothing (E_KEY_UNKNOWN,
 * E_KEY_REVOKED, E_REPLAY, E_EXPIRED) leave it undecided: it is handed out again, or signed anew
 * once a certified block's time has passed its valid_until and its nonce is proven unused. */
sy_status sy_importer_on_final(sy_importer *importer, const struct sy_import_outcome *outcome,
                               struct sy_error *err);

/* Tells the newest certified header's time; drives what has to wait for valid_until. */
void sy_importer_on_block_time(sy_importer *importer, int64_t time_ms);

/* Answers a NONCE action: the nonce window's state value (core/wire/state.h) at `header`, proven;
 * value.data == NULL: proven absent. A header not above the action's after_ms is ignored and the
 * action comes again. */
sy_status sy_importer_on_nonce(sy_importer *importer, const struct sy_public_key *key,
                               struct sy_slice value, const struct sy_header *header,
                               struct sy_error *err);

/* sy_importer_resend hands a transaction out again, same bytes: after a lost connection or a
 * deadline. NULL: all that are out. */
void sy_importer_resend(sy_importer *importer, const struct sy_hash *tx_id);

/* Running totals; with `resume` they include the run that is continued. resources_read =
 * resources_final + duplicates + refused + those still undecided. */
struct sy_import_totals {
    uint64_t files_total, files_read;
    uint64_t bytes_total, bytes_read; /* bytes_total leaves standard input out */
    uint64_t documents;               /* Bundles, single resources, NDJSON lines */
    uint64_t resources_read;
    uint64_t resources_final;
    uint64_t duplicates;
    uint64_t refused;  /* resources, whatever refused them */
    uint64_t warnings; /* issues that kept nothing back */
    uint64_t txs_made, txs_received, txs_final, txs_refused;
    uint64_t txs_undecided; /* signed and durable, no deciding receipt yet */
    uint64_t txs_signed_again;
    uint64_t organisations, credentials, patients, cares, records, amendments, atomics;
    uint64_t newest_height;
};
void sy_importer_totals(const sy_importer *importer, struct sy_import_totals *out);

/* What happened to the resources of one type. */
struct sy_import_type {
    char type[33];
    uint64_t read, final, duplicates, refused;
};
/* sy_importer_type is the position-th type by name; NULL beyond. Valid until the next call that
 * is not const. */
const struct sy_import_type *sy_importer_type(const sy_importer *importer, size_t position);

/* Something a person should look at. All text is the importer's. */
struct sy_import_issue {
    bool refused;       /* false: a warning; the resource was registered */
    const char *file;   /* the path as given or found; "-" */
    char where[96];     /* "entry[12].resource.subject", "line 7", "" for the whole file */
    char resource[112]; /* "Observation/123" when known */
    char what[256];     /* what is wrong */
    char remedy[128];   /* what to do */
};
/* Issues in the order met; only the first SY_IMPORT_ISSUES_KEPT are kept, all are counted. */
const struct sy_import_issue *sy_importer_issue(const sy_importer *importer, size_t position);
uint64_t sy_importer_issue_count(const sy_importer *importer);

/* sy_importer_report writes the members of a report into an object that is open: totals, types
 * (name, read, final, duplicates, refused) and issues. */
void sy_importer_report(const sy_importer *importer, struct sy_json *json);

/* sy_import_type_json writes a type as an object, sy_import_issues_json members of one that is
 * open: how many issues there were, and those that were kept. Reports of other importers are made
 * of the same. */
void sy_import_type_json(const struct sy_import_type *type, struct sy_json *json);
void sy_import_issues_json(const struct sy_import_issue *issues, size_t kept, uint64_t total,
                           struct sy_json *json);

#endif
