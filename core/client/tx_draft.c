/* tx_draft.c: a transaction on its way through several hands. The bytes are the truth: body and
 * signatures stand in one block as they will travel, and the decoded view is made anew after every
 * change. */
#include "core/client/tx_draft.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/wire/approval.h"
#include "core/wire/roster.h"
#include "core/wire/schema.h"

#define FORMAT_NAME "systole-tx-1"

struct sy_draft {
    struct sy_tx tx; /* decoded from bytes */
    bool is_signed[SY_TX_SIGNERS_MAX];
    size_t size;
    uint8_t bytes[SY_TX_BYTES_MAX];
    uint8_t scratch[SY_TX_BYTES_MAX]; /* of prove_payload and sy_draft_approve */
};

/* ---- making ------------------------------------------------------------------------------- */

static sy_status decode_again(sy_draft *draft, const char *name, struct sy_error *err)
{
    const char *what = "";
    enum sy_refusal code =
        sy_tx_decode(&draft->tx, &what, sy_slice_of(draft->bytes, draft->size), NULL);
    if (code == SY_APPLIED) return SY_OK;
    const struct sy_refusal_info *info = sy_refusal_info((uint16_t)code);
    return sy_fail(err, code == SY_E_VERSION ? SY_ERR_VERSION : SY_ERR_ARGUMENT,
                   "%s: %s (%s, field %s): %s", name, info->sentence, info->name, what,
                   info->remedy);
}

sy_status sy_draft_make(sy_draft **out, const struct sy_genesis *genesis,
                        const struct sy_tx *fields, struct sy_error *err)
{
    sy_draft *draft = (sy_draft *)calloc(1, sizeof *draft);
    if (!draft) return sy_fail(err, SY_ERR_NO_MEMORY, "transaction: no memory");
    static const struct sy_signature missing;
    struct sy_tx tx = *fields;
    struct sy_writer w = sy_writer_of(draft->bytes, sizeof draft->bytes);
    tx.version = SY_TX_VERSION;
    memcpy(tx.network, sy_network_tag(genesis), sizeof tx.network);
    sy_tx_encode_body(&w, &tx);
    for (unsigned i = 0; i < sy_tx_signer_count(&tx); i++) sy_write_signature(&w, &missing);
    draft->size = w.used;
    sy_status status = w.failed ? sy_fail(err, SY_ERR_LIMIT,
                                          "the transaction would be longer than %u bytes: split it",
                                          SY_TX_BYTES_MAX)
                                : decode_again(draft, "transaction", err);
    if (status == SY_OK) {
        *out = draft;
    } else {
        free(draft);
    }
    return status;
}

void sy_draft_close(sy_draft *draft)
{
    free(draft);
}

/* ---- reading ------------------------------------------------------------------------------ */

static const struct sy_signature *signature_at(const sy_draft *draft, unsigned place)
{
    return (const struct sy_signature *)(draft->tx.signatures.data + 64 * (size_t)place);
}

static struct sy_signature *signature_room(sy_draft *draft, unsigned place)
{
    return (struct sy_signature *)(draft->bytes + draft->tx.body.size + 64 * (size_t)place);
}

static sy_status load_body(sy_draft *draft, const json_t *tree, const char *name,
                           struct sy_error *err)
{
    const json_t *body = json_object_get(tree, "body");
    const json_t *signatures = json_object_get(tree, "signatures");
    size_t body_bytes = json_string_length(body) / 2;
    size_t count = json_array_size(signatures);
    const char *format = json_string_value(json_object_get(tree, "format"));
    if (!format || strncmp(format, "systole-tx-", 11) != 0) {
        return sy_fail(err, SY_ERR_FORMAT,
                       "%s: this is no transaction file: `systole tx make` writes one", name);
    }
    if (strcmp(format, FORMAT_NAME) != 0) {
        return sy_fail(err, SY_ERR_VERSION, "%s: format %.40s is not known here, only %s: upgrade",
                       name, format, FORMAT_NAME);
    }
    if (!json_is_string(body) || !json_is_array(signatures) || count > SY_TX_SIGNERS_MAX ||
        body_bytes + 64 * count > sizeof draft->bytes ||
        json_string_length(body) != 2 * body_bytes ||
        !sy_hex_decode(draft->bytes, body_bytes, json_string_value(body))) {
        return sy_fail(err, SY_ERR_FORMAT,
                       "%s: body must be hex and signatures a list, together at most %u bytes",
                       name, SY_TX_BYTES_MAX);
    }
    draft->size = body_bytes + 64 * count;
    return decode_again(draft, name, err);
}

static sy_status load_signatures(sy_draft *draft, const json_t *tree, const char *name,
                                 struct sy_error *err)
{
    const json_t *signatures = json_object_get(tree, "signatures");
    for (unsigned i = 0; i < sy_tx_signer_count(&draft->tx); i++) {
        const json_t *item = json_array_get(signatures, i);
        if (json_is_null(item)) continue;
        if (json_string_length(item) != 128 ||
            !sy_hex_decode(signature_room(draft, i), 64, json_string_value(item))) {
            return sy_fail(err, SY_ERR_FORMAT,
                           "%s: signatures[%u] must be 128 hex digits, or null while missing", name,
                           i);
        }
        draft->is_signed[i] = true;
    }
    return SY_OK;
}

/* What is there for people must say what the body says: who looks at it before signing must not be
 * shown something else. */
static sy_status compare_text(const json_t *tree, const char *member, const char *truth,
                              const char *name, struct sy_error *err)
{
    const json_t *value = json_object_get(tree, member);
    if (!value) return SY_OK;
    if (json_is_string(value) && strcmp(json_string_value(value), truth) == 0) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT,
                   "%s: %s says something else than the body, which says %s: do not sign it", name,
                   member, truth);
}

static sy_status compare_signers(const sy_draft *draft, const json_t *tree, const char *name,
                                 struct sy_error *err)
{
    const json_t *list = json_object_get(tree, "signers");
    char hex[65];
    if (!list) return SY_OK;
    bool same = json_array_size(list) == sy_tx_signer_count(&draft->tx);
    for (unsigned i = 0; i < sy_tx_signer_count(&draft->tx) && same; i++) {
        const json_t *item = json_array_get(list, i);
        sy_hex_encode(hex, sy_tx_signer_key(&draft->tx, i)->bytes, 32);
        same = json_is_string(item) && strcmp(json_string_value(item), hex) == 0;
    }
    if (same) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "%s: signers are not those of the body: do not sign it",
                   name);
}

static sy_status compare_all(const sy_draft *draft, const json_t *tree, const char *name,
                             struct sy_error *err)
{
    char hex[65];
    struct sy_hash id;
    sy_draft_id(draft, &id);
    sy_hex_encode(hex, id.bytes, sizeof id.bytes);
    SY_TRY(compare_text(tree, "tx_id", hex, name, err));
    sy_hex_encode(hex, draft->tx.network, sizeof draft->tx.network);
    SY_TRY(compare_text(tree, "network", hex, name, err));
    SY_TRY(compare_text(tree, "kind", sy_kind_by_number(draft->tx.kind)->name, name, err));
    return compare_signers(draft, tree, name, err);
}

static sy_status load_tree(sy_draft *draft, const struct sy_genesis *genesis, const json_t *tree,
                           const char *name, struct sy_error *err)
{
    SY_TRY(load_body(draft, tree, name, err));
    SY_TRY(load_signatures(draft, tree, name, err));
    SY_TRY(compare_all(draft, tree, name, err));
    if (!genesis ||
        memcmp(draft->tx.network, sy_network_tag(genesis), sizeof draft->tx.network) == 0) {
        return SY_OK;
    }
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "%s: this transaction is for another network: use that network's genesis file",
                   name);
}

sy_status sy_draft_parse(sy_draft **out, const struct sy_genesis *genesis, struct sy_slice text,
                         const char *name, struct sy_error *err)
{
    json_error_t why;
    json_t *tree = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &why);
    if (!tree) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: line %d, column %d: %s", name, why.line, why.column,
                       why.text);
    }
    sy_draft *draft = (sy_draft *)calloc(1, sizeof *draft);
    sy_status status = draft ? load_tree(draft, genesis, tree, name, err)
                             : sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", name);
    json_decref(tree);
    if (status == SY_OK) {
        *out = draft;
    } else {
        free(draft);
    }
    return status;
}

/* ---- telling ------------------------------------------------------------------------------ */

const struct sy_tx *sy_draft_tx(const sy_draft *draft)
{
    return &draft->tx;
}

struct sy_slice sy_draft_bytes(const sy_draft *draft)
{
    return sy_slice_of(draft->bytes, draft->size);
}

void sy_draft_id(const sy_draft *draft, struct sy_hash *id)
{
    sy_tx_id(id, &draft->tx);
}

unsigned sy_draft_missing(const sy_draft *draft)
{
    unsigned missing = 0;
    for (unsigned i = 0; i < sy_tx_signer_count(&draft->tx); i++) missing += !draft->is_signed[i];
    return missing;
}

void sy_draft_to_json(const sy_draft *draft, sy_json *json)
{
    const struct sy_tx *tx = &draft->tx;
    struct sy_hash id;
    sy_draft_id(draft, &id);
    sy_json_object_begin(json);
    sy_json_put_text(json, "format", FORMAT_NAME);
    sy_json_put_text(json, "kind", sy_kind_by_number(tx->kind)->name);
    sy_json_put_hex(json, "tx_id", id.bytes, sizeof id.bytes);
    sy_json_put_hex(json, "network", tx->network, sizeof tx->network);
    sy_json_key(json, "signers");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < sy_tx_signer_count(tx); i++) {
        sy_json_hex(json, sy_tx_signer_key(tx, i)->bytes, 32);
    }
    sy_json_array_end(json);
    sy_json_put_hex(json, "body", tx->body.data, tx->body.size);
    sy_json_key(json, "signatures");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < sy_tx_signer_count(tx); i++) {
        if (draft->is_signed[i]) {
            sy_json_hex(json, signature_at(draft, i)->bytes, 64);
        } else {
            sy_json_null(json);
        }
    }
    sy_json_array_end(json);
    sy_json_object_end(json);
}

/* ---- possessions -------------------------------------------------------------------------- */

/* The proofs of a transaction in payload order, and how far a walk over it has come. */
struct proofs {
    struct sy_tx_proof items[SY_TX_PAYLOAD_SIGS_MAX];
    unsigned count;
    unsigned next;
    unsigned proven;
    struct sy_public_key half;
    const sy_secret_key *key;
};

static void take_proofs(struct proofs *proofs, const sy_draft *draft,
                        const struct sy_genesis *genesis)
{
    proofs->count = sy_tx_proofs(proofs->items, SY_TX_PAYLOAD_SIGS_MAX, &draft->tx, &genesis->hash);
}

/* How many of its payloads are approved. */
static unsigned count_approved(const sy_draft *draft)
{
    const struct sy_kind *kind = sy_kind_by_number(draft->tx.kind);
    union sy_payload payload;
    struct sy_part part;
    unsigned count = 0;
    if (kind->number != SY_KIND_atomic) return sy_kind_is_approved(kind);
    bool decodes = sy_payload_decode(&payload, kind, draft->tx.payload, NULL);
    SY_ASSERT(decodes);
    for (size_t offset = 0; sy_list_next_part(&payload.atomic.payloads, &offset, &part);) {
        count += sy_kind_is_approved(sy_kind_by_number(part.kind));
    }
    return count;
}

static unsigned count_of(const struct proofs *proofs, enum sy_sig_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < proofs->count; i++) count += proofs->items[i].sig_kind == kind;
    return count;
}

/* What is signed cannot be changed any more. */
static sy_status check_open(const sy_draft *draft, const char *what, const char *command,
                            struct sy_error *err)
{
    if (sy_draft_missing(draft) == sy_tx_signer_count(&draft->tx)) return SY_OK;
    return sy_fail(err, SY_ERR_PERMISSION,
                   "somebody signed this transaction already; %s would change what was signed: "
                   "make the transaction again and %s first",
                   what, command);
}

/* Signs the possessions of one payload, which stands encoded in room (part of the draft's bytes).
 * A signature has a fixed width, so the payload keeps its length. */
static void prove_payload(sy_draft *draft, struct proofs *proofs, uint8_t *room, size_t size,
                          const struct sy_kind *kind)
{
    union sy_payload payload;
    bool decodes = sy_payload_decode(&payload, kind, sy_slice_of(room, size), NULL);
    SY_ASSERT(decodes); // the draft was decoded whole before
    unsigned before = proofs->proven;
    for (unsigned i = 1; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        if (field->type != SY_FIELD_POSSESSION) continue;
        if (!sy_field_present(kind, field, &payload)) continue;
        const struct sy_tx_proof *proof = &proofs->items[proofs->next++];
        if (!sy_public_key_equal(&proof->key, &proofs->half)) continue;
        sy_sign(proofs->key, (struct sy_signature *)sy_field_of_mutable(field, &payload),
                SY_SIG_POSSESSION, &proof->digest);
        proofs->proven++;
    }
    if (proofs->proven == before) return;
    struct sy_writer w = sy_writer_of(draft->scratch, size);
    sy_payload_encode(&w, kind, &payload);
    SY_ASSERT(!w.failed && w.used == size);
    memcpy(room, draft->scratch, size);
}

static void prove_all(sy_draft *draft, struct proofs *proofs)
{
    const struct sy_kind *kind = sy_kind_by_number(draft->tx.kind);
    uint8_t *room = draft->bytes + (draft->tx.payload.data - draft->bytes);
    union sy_payload payload;
    struct sy_part part;
    size_t offset = 0;
    if (kind->number != SY_KIND_atomic) {
        prove_payload(draft, proofs, room, draft->tx.payload.size, kind);
        return;
    }
    bool decodes = sy_payload_decode(&payload, kind, draft->tx.payload, NULL);
    SY_ASSERT(decodes);
    while (sy_list_next_part(&payload.atomic.payloads, &offset, &part)) {
        uint8_t *part_room = draft->bytes + (part.payload.data - draft->bytes);
        prove_payload(draft, proofs, part_room, part.payload.size, sy_kind_by_number(part.kind));
    }
}

sy_status sy_draft_prove(sy_draft *draft, unsigned *proven, const sy_secret_key *key,
                         const struct sy_genesis *genesis, struct sy_error *err)
{
    struct proofs proofs = {.key = key};
    SY_TRY(check_open(draft, "a proof of possession", "prove", err));
    sy_secret_key_public(key, &proofs.half);
    take_proofs(&proofs, draft, genesis);
    if (count_of(&proofs, SY_SIG_APPROVAL) > 0) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "this transaction was approved already, and approvals sign the proofs of "
                       "possession: make it again, prove, then let it be approved");
    }
    prove_all(draft, &proofs);
    *proven = proofs.proven;
    if (proofs.proven > 0) return decode_again(draft, "transaction", err);
    return sy_fail(err, SY_ERR_NOT_FOUND,
                   "this transaction enrols no such key, so there is nothing to prove with it");
}

static sy_status check_proof(const struct sy_tx_proof *proof, struct sy_error *err)
{
    char hex[65];
    if (sy_verify_one(&proof->key, (enum sy_sig_kind)proof->sig_kind, &proof->digest,
                      &proof->signature)) {
        return SY_OK;
    }
    sy_hex_encode(hex, proof->key.bytes, sizeof proof->key.bytes);
    if (proof->sig_kind == SY_SIG_APPROVAL) {
        return sy_fail(err, SY_ERR_CRYPTO,
                       "the approval by key %s is not of this content: make the transaction again, "
                       "prove its possessions, then let it be approved",
                       hex);
    }
    return sy_fail(err, SY_ERR_CRYPTO,
                   "the possession of key %s is not proven: `systole tx prove` with that key "
                   "comes before approvals and before the first signature",
                   hex);
}

/* Nobody can add to a transaction that is signed: what it must bring, it has by then. */
static sy_status check_proofs(const sy_draft *draft, const struct sy_genesis *genesis,
                              struct sy_error *err)
{
    struct proofs proofs = {.key = NULL};
    take_proofs(&proofs, draft, genesis);
    for (unsigned i = 0; i < proofs.count; i++) SY_TRY(check_proof(&proofs.items[i], err));
    unsigned approvals = count_of(&proofs, SY_SIG_APPROVAL);
    unsigned least = sy_quorum(SY_VALIDATORS_MIN);
    if (approvals >= least * count_approved(draft)) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO,
                   "%u approvals are too few, no roster takes less than %u: `systole tx approve` "
                   "with validators' admin keys comes before the first signature",
                   approvals, least);
}

/* ---- approvals ---------------------------------------------------------------------------- */

struct approving {
    const sy_secret_key *key;
    struct sy_public_key half;
    const struct sy_hash *genesis;
    unsigned approved; /* payloads so far */
};

/* The approvals of a payload and one more, in a new list. */
static sy_status longer_list(struct sy_list *longer, struct sy_writer *room,
                             const struct approving *a, const struct sy_kind *kind,
                             const union sy_payload *payload, struct sy_error *err)
{
    struct sy_approval approval;
    struct sy_hash digest;
    const struct sy_list *list = sy_approvals_of(kind, payload);
    for (size_t offset = 0; sy_list_next_approval(list, &offset, &approval);) {
        if (sy_public_key_equal(&approval.key, &a->half)) {
            return sy_fail(err, SY_ERR_EXISTS,
                           "this key has approved already: other validators' admin keys are left");
        }
        sy_list_add_approval(longer, room, &approval);
    }
    sy_approval_digest(&digest, a->genesis, kind, payload);
    approval.key = a->half;
    sy_sign(a->key, &approval.signature, SY_SIG_APPROVAL, &digest);
    sy_list_add_approval(longer, room, &approval);
    if (!room->failed) return SY_OK;
    return sy_fail(err, SY_ERR_LIMIT, "it has all of the %u approvals that there can be",
                   SY_VALIDATORS_MAX);
}

/* Writes one payload, with an approval more. */
static sy_status approve_payload(struct approving *a, struct sy_writer *out,
                                 const struct sy_kind *kind, struct sy_slice bytes,
                                 struct sy_error *err)
{
    uint8_t room[SY_VALIDATORS_MAX * SY_APPROVAL_BYTES];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_list longer = {0};
    union sy_payload payload;
    bool decodes = sy_payload_decode(&payload, kind, bytes, NULL);
    SY_ASSERT(decodes); // the draft was decoded whole before
    SY_TRY(longer_list(&longer, &w, a, kind, &payload, err));
    *sy_approvals_of_mutable(kind, &payload) = longer;
    sy_payload_encode(out, kind, &payload);
    a->approved++;
    return SY_OK;
}

/* An atomic payload is its list of parts and nothing else. */
static sy_status approve_parts(struct approving *a, struct sy_writer *out, const sy_draft *draft,
                               struct sy_error *err)
{
    union sy_payload payload;
    struct sy_list parts = {0};
    struct sy_part part;
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_atomic);
    bool decodes = sy_payload_decode(&payload, kind, draft->tx.payload, NULL);
    SY_ASSERT(decodes);
    sy_write_u16(out, payload.atomic.payloads.count);
    for (size_t offset = 0; sy_list_next_part(&payload.atomic.payloads, &offset, &part);) {
        uint8_t room[SY_APPROVED_BYTES_MAX + SY_VALIDATORS_MAX * SY_APPROVAL_BYTES];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        kind = sy_kind_by_number(part.kind);
        if (sy_kind_is_approved(kind)) {
            SY_TRY(approve_payload(a, &w, kind, part.payload, err));
            SY_ASSERT(!w.failed);
            part.payload = sy_writer_slice(&w);
        }
        sy_list_add_part(&parts, out, &part);
    }
    return SY_OK;
}

/* Puts a longer payload, which stands in scratch, into the draft that nobody signed. */
static sy_status take_payload(sy_draft *draft, struct sy_slice payload, struct sy_error *err)
{
    static const struct sy_signature missing;
    struct sy_tx tx = draft->tx;
    size_t size = draft->size + (payload.size - tx.payload.size);
    tx.payload = payload;
    if (size > sizeof draft->bytes) {
        return sy_fail(err, SY_ERR_LIMIT, "there is no room for an approval: %u bytes are the most",
                       SY_TX_BYTES_MAX);
    }
    struct sy_writer w = sy_writer_of(draft->bytes, sizeof draft->bytes);
    sy_tx_encode_body(&w, &tx);
    for (unsigned i = 0; i < sy_tx_signer_count(&tx); i++) sy_write_signature(&w, &missing);
    SY_ASSERT(!w.failed && w.used == size);
    draft->size = size;
    return decode_again(draft, "transaction", err);
}

sy_status sy_draft_approve(sy_draft *draft, const sy_secret_key *key,
                           const struct sy_genesis *genesis, struct sy_error *err)
{
    struct approving a = {.key = key, .genesis = &genesis->hash};
    struct proofs proofs = {.key = NULL};
    struct sy_writer w = sy_writer_of(draft->scratch, sizeof draft->scratch);
    const struct sy_kind *kind = sy_kind_by_number(draft->tx.kind);
    unsigned payloads = count_approved(draft);
    if (payloads == 0) {
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "this transaction is not for validators to approve: it neither changes the "
                       "roster nor enacts a parameter");
    }
    SY_TRY(check_open(draft, "an approval", "approve", err));
    take_proofs(&proofs, draft, genesis);
    for (unsigned i = 0; i < proofs.count; i++) SY_TRY(check_proof(&proofs.items[i], err));
    if (proofs.count + payloads > SY_TX_PAYLOAD_SIGS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "a transaction has at most %u proofs and approvals",
                       SY_TX_PAYLOAD_SIGS_MAX);
    }
    sy_secret_key_public(key, &a.half);
    SY_TRY(kind->number == SY_KIND_atomic ? approve_parts(&a, &w, draft, err)
                                          : approve_payload(&a, &w, kind, draft->tx.payload, err));
    SY_ASSERT(a.approved == payloads);
    if (w.failed) return sy_fail(err, SY_ERR_LIMIT, "there is no room for an approval");
    return take_payload(draft, sy_writer_slice(&w), err);
}

/* ---- signing ------------------------------------------------------------------------------ */

sy_status sy_draft_sign(sy_draft *draft, unsigned *place, const sy_secret_key *key,
                        const struct sy_genesis *genesis, struct sy_error *err)
{
    struct sy_public_key half;
    struct sy_hash id;
    unsigned i = 0;
    sy_secret_key_public(key, &half);
    while (i < sy_tx_signer_count(&draft->tx) &&
           !sy_public_key_equal(sy_tx_signer_key(&draft->tx, i), &half)) {
        i++;
    }
    if (i == sy_tx_signer_count(&draft->tx)) {
        char hex[65];
        sy_hex_encode(hex, half.bytes, sizeof half.bytes);
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "key %s is none of this transaction's signers: make it again and name the "
                       "key with --signer or --cosigner",
                       hex);
    }
    SY_TRY(check_proofs(draft, genesis, err));
    sy_draft_id(draft, &id);
    sy_sign(key, signature_room(draft, i), SY_SIG_TX, &id);
    draft->is_signed[i] = true;
    *place = i;
    return SY_OK;
}

sy_status sy_draft_check(const sy_draft *draft, const struct sy_genesis *genesis,
                         struct sy_error *err)
{
    struct sy_hash id;
    char hex[65];
    sy_draft_id(draft, &id);
    for (unsigned i = 0; i < sy_tx_signer_count(&draft->tx); i++) {
        const struct sy_public_key *key = sy_tx_signer_key(&draft->tx, i);
        sy_hex_encode(hex, key->bytes, sizeof key->bytes);
        if (!draft->is_signed[i]) {
            return sy_fail(err, SY_ERR_CRYPTO,
                           "signer %u, key %s, has not signed yet: `systole tx %s` with that key",
                           i, hex, i == 0 ? "sign" : "cosign");
        }
        if (!sy_verify_one(key, SY_SIG_TX, &id, signature_at(draft, i))) {
            return sy_fail(err, SY_ERR_CRYPTO,
                           "the signature of signer %u, key %s, is wrong: sign again", i, hex);
        }
    }
    return check_proofs(draft, genesis, err);
}
