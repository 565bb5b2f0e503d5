/* import_sign.c: a draft becomes bytes: possession, payload, body, signatures; then a row in the
 * store with its key's next nonce, and a place in the window. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/import_internal.h"
#include "core/crypto/hash.h"

/* importer->room: payload, transaction, and bytes that are signed again. */
#define PAYLOAD_ROOM (1u << 20)
#define TX_ROOM (1u << 20)
/* Block time and this clock differ a little, and 24 h ahead is refused. */
#define LIFETIME_MARGIN_MS (5 * 60 * 1000)

_Static_assert(PAYLOAD_ROOM + TX_ROOM + SY_TX_BYTES_MAX <= SY_IMPORT_ROOM_BYTES,
               "the three parts of the room fit");

/* --- drafts ---------------------------------------------------------------------------------- */

void sy_draft_init(struct sy_import_draft *draft, uint16_t kind)
{
    memset(draft, 0, sizeof *draft);
    draft->kind = kind;
    draft->after = draft->after_fixed;
    draft->after_capacity = SY_DRAFT_AFTER_MAX;
}

void sy_draft_after(struct sy_import_draft *draft, uint64_t seq)
{
    if (seq == 0) return;
    for (uint32_t i = 0; i < draft->after_count; i++) {
        if (draft->after[i] == seq) return;
    }
    SY_ASSERT(draft->after_count < draft->after_capacity);
    draft->after[draft->after_count++] = seq;
}

void sy_draft_sign_by(struct sy_import_draft *draft, const struct sy_hash *name,
                      const struct sy_public_key *key)
{
    SY_ASSERT(draft->signer_count < SY_TX_SIGNERS_MAX);
    draft->signers[draft->signer_count++] = (struct sy_import_signer){*name, *key};
}

void sy_import_key_name(const sy_importer *importer, struct sy_hash *out, const char *what,
                        const struct sy_hash *label)
{
    sy_client_label(importer->store, out, SY_LABEL_KEY, sy_slice_of(what, strlen(what)),
                    sy_slice_of(label->bytes, sizeof label->bytes), sy_slice_of(NULL, 0));
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* Where a kind that enrols a key keeps it and its proof. */
static sy_status prove_possession(sy_importer *importer, struct sy_import_draft *draft,
                                  uint64_t nonce, struct sy_error *err)
{
    static const struct sy_hash none;
    if (sy_hash_equal(&draft->key_name, &none)) return SY_OK;
    SY_ASSERT(draft->kind == SY_KIND_org_register || draft->kind == SY_KIND_cred_issue);
    bool is_org = draft->kind == SY_KIND_org_register;
    uint8_t role = is_org ? SY_ROLE_ORG_ADMIN : (uint8_t)draft->payload.cred_issue.role;
    const struct sy_hash *org =
        is_org ? &draft->payload.org_register.org_id : &draft->payload.cred_issue.org_id;
    struct sy_signature *signature = is_org ? &draft->payload.org_register.admin_possession
                                            : &draft->payload.cred_issue.subject_possession;
    struct sy_hash digest;
    sy_possession_digest(&digest, &importer->config.genesis->hash, role, org,
                         &draft->signers[0].key, nonce);
    return sy_keyring_sign(importer->keyring, signature, &draft->key_name, SY_SIG_POSSESSION,
                           &digest, err);
}

static sy_status encode_payload(sy_importer *importer, struct sy_slice *out,
                                const struct sy_import_draft *draft, struct sy_error *err)
{
    struct sy_writer w = sy_writer_of(importer->room, PAYLOAD_ROOM);
    sy_payload_encode(&w, sy_kind_by_number(draft->kind), &draft->payload);
    *out = sy_writer_slice(&w);
    return w.failed ? sy_fail(err, SY_ERR_LIMIT, "a payload is larger than a transaction may be")
                    : SY_OK;
}

/* Signs the draft with this nonce; *bytes lies in importer->room. */
static sy_status build(sy_importer *importer, struct sy_slice *bytes, struct sy_hash *tx_id,
                       struct sy_import_draft *draft, uint64_t nonce, int64_t valid_until_ms,
                       struct sy_error *err)
{
    struct sy_tx tx = {
        .version = SY_TX_VERSION,
        .kind = draft->kind,
        .signer = draft->signers[0].key,
        .organisation = draft->organisation,
        .nonce = nonce,
        .valid_until_ms = valid_until_ms,
        .cosigner_count = (uint8_t)(draft->signer_count - 1),
    };
    memcpy(tx.network, sy_network_tag(importer->config.genesis), sizeof tx.network);
    for (unsigned i = 1; i < draft->signer_count; i++) {
        tx.cosigners[i - 1] = draft->signers[i].key;
    }
    SY_TRY(prove_possession(importer, draft, nonce, err));
    SY_TRY(encode_payload(importer, &tx.payload, draft, err));
    struct sy_writer w = sy_writer_of(importer->room + PAYLOAD_ROOM, TX_ROOM);
    sy_tx_encode_body(&w, &tx);
    if (w.failed) return sy_fail(err, SY_ERR_LIMIT, "a transaction is larger than it may be");
    sy_hash_leaf(tx_id, sy_writer_slice(&w));
    for (unsigned i = 0; i < draft->signer_count; i++) {
        struct sy_signature signature;
        SY_TRY(sy_keyring_sign(importer->keyring, &signature, &draft->signers[i].name, SY_SIG_TX,
                               tx_id, err));
        sy_write_signature(&w, &signature);
    }
    *bytes = sy_writer_slice(&w);
    if (bytes->size <= SY_TX_BYTES_MAX) return SY_OK;
    return sy_fail(err, SY_ERR_LIMIT, "a transaction of %zu bytes; at most %u are taken",
                   bytes->size, SY_TX_BYTES_MAX);
}

/* --- signing --------------------------------------------------------------------------------- */

static int64_t choose_end(const sy_importer *importer)
{
    int64_t now_ms = sy_os_wall_ms();
    int64_t lifetime_ms = importer->config.lifetime_ms;
    if (lifetime_ms > SY_TX_LIFETIME_MS_MAX - LIFETIME_MARGIN_MS) {
        lifetime_ms = SY_TX_LIFETIME_MS_MAX - LIFETIME_MARGIN_MS;
    }
    return (now_ms > importer->block_time_ms ? now_ms : importer->block_time_ms) + lifetime_ms;
}

sy_status sy_import_may_sign(sy_importer *importer, const struct sy_public_key *key,
                             struct sy_error *err)
{
    if (importer->config.dry_run) return SY_OK;
    if (sy_window_full(&importer->window)) return SY_ERR_BUSY;
    uint64_t nonce;
    SY_TRY(sy_client_next_nonce(importer->store, &nonce, key, err));
    return sy_window_may_sign(&importer->window, key, nonce) ? SY_OK : SY_ERR_BUSY;
}

static void count_kind(struct sy_import_totals *totals, uint16_t kind)
{
    totals->txs_made++;
    if (kind == SY_KIND_org_register) totals->organisations++;
    if (kind == SY_KIND_cred_issue) totals->credentials++;
    if (kind == SY_KIND_patient_enrol) totals->patients++;
    if (kind == SY_KIND_care_open) totals->cares++;
    if (kind == SY_KIND_record_create) totals->records++;
    if (kind == SY_KIND_record_amend) totals->amendments++;
    if (kind == SY_KIND_atomic) totals->atomics++;
}

static struct sy_slice names_of(const struct sy_import_draft *draft,
                                uint8_t room[32 * SY_TX_SIGNERS_MAX])
{
    for (unsigned i = 0; i < draft->signer_count; i++) {
        memcpy(room + 32 * i, draft->signers[i].name.bytes, 32);
    }
    return sy_slice_of(room, 32 * draft->signer_count);
}

struct sy_window_add sy_import_add_of(const struct sy_client_queued *queued)
{
    return (struct sy_window_add){
        .seq = queued->seq,
        .tx_id = queued->tx_id,
        .signer = queued->signer,
        .nonce = queued->nonce,
        .valid_until_ms = queued->valid_until_ms,
        .tx = queued->tx,
        .after = queued->after,
    };
}

/* Puts a freshly signed transaction and its key's next nonce into the store and the window. The row
 * has seq, id, bytes, nonce and end; its other fields come from the draft. */
static sy_status store_signed(sy_importer *importer, const struct sy_client_queued *row,
                              const struct sy_import_draft *draft, struct sy_error *err)
{
    struct sy_client_queued queued = *row;
    uint8_t names[32 * SY_TX_SIGNERS_MAX];
    uint8_t after_fixed[8 * SY_DRAFT_AFTER_MAX];
    uint8_t *after = after_fixed;
    // The part of the room that the payload no longer needs.
    if (draft->after_count > SY_DRAFT_AFTER_MAX) after = importer->room;
    SY_ASSERT((size_t)draft->after_count * 8 <= PAYLOAD_ROOM);
    for (uint32_t i = 0; i < draft->after_count; i++) sy_store_u64(after + 8 * i, draft->after[i]);
    queued.run = importer->run;
    queued.kind = draft->kind;
    queued.signer = draft->signers[0].key;
    queued.names = names_of(draft, names);
    queued.has_thing = draft->has_thing;
    queued.thing = draft->thing;
    queued.key_name = draft->key_name;
    memcpy(queued.place, draft->place, sizeof queued.place);
    queued.made_count = draft->made_count;
    queued.made = draft->made;
    queued.after_count = draft->after_count;
    queued.after = sy_slice_of(after, (size_t)draft->after_count * 8);
    SY_TRY(sy_client_put_queued(importer->store, &queued, err));
    SY_TRY(sy_client_set_next_nonce(importer->store, &queued.signer, queued.nonce + 1, err));
    struct sy_window_add add = sy_import_add_of(&queued);
    return sy_window_add(&importer->window, &add, err);
}

sy_status sy_import_sign(sy_importer *importer, uint64_t *seq, struct sy_import_draft *draft,
                         struct sy_error *err)
{
    SY_ASSERT(draft->signer_count >= 1);
    struct sy_client_queued queued = {.valid_until_ms = choose_end(importer), .nonce = 1};
    *seq = 0;
    SY_TRY(sy_import_may_sign(importer, &draft->signers[0].key, err));
    if (!importer->config.dry_run) {
        SY_TRY(sy_client_next_nonce(importer->store, &queued.nonce, &draft->signers[0].key, err));
    }
    SY_TRY(build(importer, &queued.tx, &queued.tx_id, draft, queued.nonce, queued.valid_until_ms,
                 err));
    count_kind(&importer->totals, draft->kind);
    importer->run_dirty = true;
    importer->steps++;
    if (importer->config.dry_run) return SY_OK;
    queued.seq = sy_client_next_seq(importer->store);
    SY_TRY(store_signed(importer, &queued, draft, err));
    importer->newest_seq = queued.seq;
    importer->totals.txs_undecided++;
    *seq = queued.seq;
    return SY_OK;
}

/* --- signing again --------------------------------------------------------------------------- */

/* A draft from the bytes of an undecided transaction, whose slices are copied into the room. */
static sy_status draft_of(sy_importer *importer, struct sy_import_draft *draft,
                          const struct sy_client_queued *queued, struct sy_error *err)
{
    uint8_t *copy = importer->room + PAYLOAD_ROOM + TX_ROOM;
    struct sy_tx tx;
    const struct sy_kind *kind = sy_kind_by_number(queued->kind);
    bool fits = queued->tx.size <= SY_TX_BYTES_MAX;
    if (fits) memcpy(copy, queued->tx.data, queued->tx.size);
    sy_draft_init(draft, queued->kind);
    bool fine = fits && kind != NULL &&
                sy_tx_decode(&tx, NULL, sy_slice_of(copy, queued->tx.size), NULL) == SY_APPLIED &&
                sy_payload_decode(&draft->payload, kind, tx.payload, NULL) &&
                queued->names.size == 32 * (size_t)sy_tx_signer_count(&tx);
    if (!fine) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "a transaction in the client store does not decode; restore the store");
    }
    draft->organisation = tx.organisation;
    draft->key_name = queued->key_name;
    for (unsigned i = 0; i < sy_tx_signer_count(&tx); i++) {
        struct sy_hash name;
        memcpy(name.bytes, queued->names.data + 32 * i, 32);
        sy_draft_sign_by(draft, &name, sy_tx_signer_key(&tx, i));
    }
    return SY_OK;
}

static bool keep_old(sy_importer *importer, const struct sy_hash *tx_id, uint8_t *tx)
{
    if (importer->old_count == importer->old_capacity) {
        size_t capacity = importer->old_capacity == 0 ? 64 : importer->old_capacity * 2;
        struct sy_import_old *old = realloc(importer->old, capacity * sizeof *old);
        if (old == NULL) {
            free(tx);
            return false;
        }
        importer->old = old;
        importer->old_capacity = capacity;
    }
    importer->old[importer->old_count++] = (struct sy_import_old){*tx_id, tx};
    return true;
}

sy_status sy_import_sign_again(sy_importer *importer, struct sy_pending *pending,
                               struct sy_error *err)
{
    struct sy_client_queued queued;
    struct sy_import_draft draft;
    uint8_t names[32 * SY_TX_SIGNERS_MAX];
    uint64_t nonce;
    SY_TRY(sy_client_next_nonce(importer->store, &nonce, &pending->signer, err));
    SY_TRY(sy_client_get_queued(importer->store, &queued, pending->seq, err));
    SY_TRY(draft_of(importer, &draft, &queued, err));
    // What the row points at lies in the store, which is about to be written.
    uint8_t *made = queued.made.size == 0 ? NULL : malloc(queued.made.size);
    uint8_t *after = queued.after.size == 0 ? NULL : malloc(queued.after.size);
    sy_status status = SY_OK;
    if ((made == NULL && queued.made.size != 0) || (after == NULL && queued.after.size != 0)) {
        status = sy_fail(err, SY_ERR_NO_MEMORY, "no memory to sign a transaction again");
        goto out;
    }
    if (made != NULL) memcpy(made, queued.made.data, queued.made.size);
    if (after != NULL) memcpy(after, queued.after.data, queued.after.size);
    queued.made.data = made;
    queued.after.data = after;
    queued.names = names_of(&draft, names);
    queued.nonce = nonce;
    queued.valid_until_ms = choose_end(importer);
    status = build(importer, &queued.tx, &queued.tx_id, &draft, nonce, queued.valid_until_ms, err);
    if (status != SY_OK) goto out;
    status = sy_client_put_queued(importer->store, &queued, err);
    if (status != SY_OK) goto out;
    status = sy_client_set_next_nonce(importer->store, &queued.signer, nonce + 1, err);
    if (status != SY_OK) goto out;
    struct sy_window_add add = sy_import_add_of(&queued);
    struct sy_hash old_id = pending->tx_id;
    uint8_t *old;
    status = sy_window_replace(&importer->window, pending, &old, &add, err);
    if (old != NULL && !keep_old(importer, &old_id, old)) {
        status = sy_fail(err, SY_ERR_NO_MEMORY, "no memory to sign a transaction again");
    }
    if (status != SY_OK) goto out;
    importer->totals.txs_signed_again++;
    importer->run_dirty = true;
    // The old bytes may not go out again under this seq before the new ones are durable.
    status = sy_import_commit(importer, err);
    if (status == SY_OK) sy_window_make_ready(&importer->window, pending);
out:
    free(made);
    free(after);
    return status;
}
