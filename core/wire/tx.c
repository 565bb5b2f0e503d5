/* tx.c: signed transactions: bytes, form, and the signatures inside a payload. */
#include "core/wire/tx.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/wire/approval.h"
#include "core/wire/schema.h"

const struct sy_public_key *sy_tx_signer_key(const struct sy_tx *tx, unsigned i)
{
    SY_ASSERT(i < sy_tx_signer_count(tx));
    return i == 0 ? &tx->signer : &tx->cosigners[i - 1];
}

void sy_tx_encode_body(struct sy_writer *w, const struct sy_tx *tx)
{
    if (tx->cosigner_count > SY_TX_COSIGNERS_MAX) w->failed = true;
    sy_write_u8(w, tx->version);
    sy_write_u16(w, tx->kind);
    sy_write_raw(w, tx->network, sizeof tx->network);
    sy_write_public_key(w, &tx->signer);
    sy_write_hash(w, &tx->organisation);
    sy_write_u64(w, tx->nonce);
    sy_write_i64(w, tx->valid_until_ms);
    sy_write_u8(w, tx->cosigner_count);
    for (unsigned i = 0; i < tx->cosigner_count && !w->failed; i++) {
        sy_write_public_key(w, &tx->cosigners[i]);
    }
    sy_write_bytes32(w, tx->payload);
}

unsigned sy_tx_peek_signers(struct sy_public_key *keys, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    (void)sy_read_raw(&r, 1 + 2 + 16, "head");
    sy_read_public_key(&r, &keys[0], "signer");
    (void)sy_read_raw(&r, 32 + 8 + 8, "organisation");
    unsigned cosigners = sy_read_u8(&r, "cosigner count");
    if (cosigners > SY_TX_COSIGNERS_MAX) return 0;
    for (unsigned i = 1; i <= cosigners; i++) sy_read_public_key(&r, &keys[i], "cosigner");
    return r.failed ? 0 : 1 + cosigners;
}

void sy_tx_id(struct sy_hash *id, const struct sy_tx *tx)
{
    sy_hash_leaf(id, tx->body);
}

void sy_tx_witness(struct sy_hash *witness, const struct sy_hash *genesis,
                   const struct sy_hash *tx_id, const struct sy_tx *tx)
{
    uint8_t bytes[32 + 64 * SY_TX_SIGNERS_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_write_hash(&w, tx_id);
    sy_write_raw(&w, tx->signatures.data, tx->signatures.size);
    SY_ASSERT(!w.failed && w.used == 32u + 64u * sy_tx_signer_count(tx));
    sy_hash_digest(witness, SY_DIGEST_WITNESS, genesis, sy_writer_slice(&w));
}

static enum sy_refusal refuse(const char **what, const char *field, enum sy_refusal code)
{
    if (what) *what = field;
    return code;
}

// The body's fields, then one signature a signer and nothing else.
static bool read_envelope(struct sy_reader *r, struct sy_tx *tx, struct sy_slice bytes)
{
    tx->kind = sy_read_u16(r, "kind");
    struct sy_slice network = sy_read_raw(r, sizeof tx->network, "network");
    if (network.size > 0) memcpy(tx->network, network.data, network.size);
    sy_read_public_key(r, &tx->signer, "signer");
    sy_read_hash(r, &tx->organisation, "organisation");
    tx->nonce = sy_read_u64(r, "nonce");
    tx->valid_until_ms = sy_read_i64(r, "valid_until_ms");
    tx->cosigner_count = sy_read_u8(r, "cosigners");
    if (tx->cosigner_count > SY_TX_COSIGNERS_MAX) sy_reader_fail(r, "cosigners");
    for (unsigned i = 0; i < tx->cosigner_count && !r->failed; i++) {
        sy_read_public_key(r, &tx->cosigners[i], "cosigners");
    }
    tx->payload = sy_read_bytes32(r, SY_TX_BYTES_MAX, "payload");
    if (r->failed) return false;
    tx->body = sy_slice_of(bytes.data, r->used);
    tx->signatures = sy_read_raw(r, 64u * sy_tx_signer_count(tx), "signatures");
    return sy_reader_done(r);
}

// A key that signs twice would count twice where distinct signers are needed.
static bool signers_differ(const struct sy_tx *tx)
{
    for (unsigned i = 1; i < sy_tx_signer_count(tx); i++) {
        for (unsigned k = 0; k < i; k++) {
            if (sy_public_key_equal(sy_tx_signer_key(tx, i), sy_tx_signer_key(tx, k))) {
                return false;
            }
        }
    }
    return true;
}

// An atomic payload with a part of a kind that a newer version may know.
static bool has_unknown_part(struct sy_slice payload)
{
    struct sy_reader r = sy_reader_of(payload);
    uint16_t count = sy_read_u16(&r, "payloads");
    for (uint16_t i = 0; i < count && !r.failed; i++) {
        uint16_t number = sy_read_u16(&r, "payloads");
        (void)sy_read_u8(&r, "payloads");
        (void)sy_read_bytes32(&r, SY_TX_BYTES_MAX, "payloads");
        if (!r.failed && !sy_kind_by_number(number)) return true;
    }
    return false;
}

static unsigned count_proofs(const struct sy_kind *kind, const union sy_payload *payload)
{
    unsigned count = 0;
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        if (field->type == SY_FIELD_POSSESSION && sy_field_present(kind, field, payload)) count++;
        if (field->type == SY_FIELD_APPROVAL_LIST) {
            count += ((const struct sy_list *)sy_field_of(field, payload))->count;
        }
    }
    return count;
}

// Parts name signers that exist, and bring no more signatures than admission will check.
static enum sy_refusal judge_parts(const struct sy_tx *tx, const struct sy_list *parts,
                                   const char **what)
{
    union sy_payload payload;
    struct sy_part part;
    size_t offset = 0;
    unsigned signatures = 0;
    while (sy_list_next_part(parts, &offset, &part)) {
        const struct sy_kind *kind = sy_kind_by_number(part.kind);
        if (part.signer >= sy_tx_signer_count(tx)) {
            return refuse(what, "payloads.signer", SY_E_DECODE);
        }
        if (!sy_payload_decode(&payload, kind, part.payload, what)) return SY_E_DECODE;
        signatures += count_proofs(kind, &payload);
        if (signatures > SY_TX_PAYLOAD_SIGS_MAX) return refuse(what, "payloads", SY_E_SIZE);
    }
    return SY_APPLIED;
}

enum sy_refusal sy_tx_decode(struct sy_tx *tx, const char **what, struct sy_slice bytes,
                             const uint8_t network[16])
{
    struct sy_reader r = sy_reader_of(bytes);
    union sy_payload payload;
    const char *path = NULL;

    memset(tx, 0, sizeof *tx);
    if (bytes.size > SY_TX_BYTES_MAX) return refuse(what, "transaction", SY_E_SIZE);
    tx->version = sy_read_u8(&r, "version");
    if (!r.failed && tx->version != SY_TX_VERSION) return refuse(what, "version", SY_E_VERSION);
    if (!read_envelope(&r, tx, bytes)) {
        bool many = tx->cosigner_count > SY_TX_COSIGNERS_MAX;
        return refuse(what, r.what, many ? SY_E_SIZE : SY_E_DECODE);
    }
    if (network && memcmp(network, tx->network, sizeof tx->network) != 0) {
        return refuse(what, "network", SY_E_NETWORK);
    }
    const struct sy_kind *kind = sy_kind_by_number(tx->kind);
    if (!kind) return refuse(what, "kind", SY_E_VERSION);
    if (!signers_differ(tx)) return refuse(what, "cosigners", SY_E_DECODE);
    if (kind->number == SY_KIND_atomic && has_unknown_part(tx->payload)) {
        return refuse(what, "payloads.kind", SY_E_VERSION);
    }
    if (!sy_payload_decode(&payload, kind, tx->payload, &path)) {
        return refuse(what, path, SY_E_DECODE);
    }
    if (kind->number != SY_KIND_atomic) return SY_APPLIED;
    return judge_parts(tx, &payload.atomic.payloads, what);
}

/* --- signatures inside the payload --------------------------------------------------------- */

void sy_possession_digest(struct sy_hash *out, const struct sy_hash *genesis, uint8_t role,
                          const struct sy_hash *organisation, const struct sy_public_key *sponsor,
                          uint64_t nonce)
{
    uint8_t bytes[1 + 32 + 32 + 8];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_write_u8(&w, role);
    sy_write_hash(&w, organisation);
    sy_write_public_key(&w, sponsor);
    sy_write_u64(&w, nonce);
    SY_ASSERT(!w.failed && w.used == sizeof bytes);
    sy_hash_digest(out, SY_DIGEST_POSSESSION, genesis, sy_writer_slice(&w));
}

struct proof_list {
    struct sy_tx_proof *out;
    unsigned max;
    unsigned count;
};

static void add_possession(struct proof_list *list, const struct sy_kind *kind,
                           const struct sy_field *field, const union sy_payload *payload,
                           const struct sy_tx *tx, const struct sy_public_key *sponsor,
                           const struct sy_hash *genesis)
{
    const struct sy_field *org = sy_kind_field(kind, "org_id");
    const struct sy_field *role_field = sy_kind_field(kind, "role");
    unsigned place = list->count++;
    if (place >= list->max) return;

    // A role of more than 8 bits is no role: execution refuses it (E_SCHEMA), whatever the
    // signature over its low bits says.
    uint8_t role = field->role;
    if (role == 0 && role_field)
        role = (uint8_t) * (const uint16_t *)sy_field_of(role_field, payload);
    const struct sy_hash *organisation =
        org ? (const struct sy_hash *)sy_field_of(org, payload) : &tx->organisation;

    struct sy_tx_proof *proof = &list->out[place];
    proof->key = *(const struct sy_public_key *)sy_field_of(field - 1, payload);
    proof->signature = *(const struct sy_signature *)sy_field_of(field, payload);
    proof->sig_kind = SY_SIG_POSSESSION;
    sy_possession_digest(&proof->digest, genesis, role, organisation, sponsor, tx->nonce);
}

static void add_approvals(struct proof_list *list, const struct sy_kind *kind,
                          const union sy_payload *payload, const struct sy_list *approvals,
                          const struct sy_hash *genesis)
{
    struct sy_approval approval;
    struct sy_hash digest;
    size_t offset = 0;
    if (approvals->count == 0) return;
    sy_approval_digest(&digest, genesis, kind, payload);
    while (sy_list_next_approval(approvals, &offset, &approval)) {
        unsigned place = list->count++;
        if (place >= list->max) continue;
        list->out[place] = (struct sy_tx_proof){.key = approval.key,
                                                .signature = approval.signature,
                                                .digest = digest,
                                                .sig_kind = SY_SIG_APPROVAL};
    }
}

static void add_payload(struct proof_list *list, const struct sy_kind *kind,
                        const union sy_payload *payload, const struct sy_tx *tx,
                        const struct sy_public_key *sponsor, const struct sy_hash *genesis)
{
    for (unsigned i = 1; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        if (field->type == SY_FIELD_APPROVAL_LIST) {
            const struct sy_list *approvals = (const struct sy_list *)sy_field_of(field, payload);
            add_approvals(list, kind, payload, approvals, genesis);
        }
        if (field->type != SY_FIELD_POSSESSION) continue;
        if (!sy_field_present(kind, field, payload)) continue;
        add_possession(list, kind, field, payload, tx, sponsor, genesis);
    }
}

unsigned sy_tx_proofs(struct sy_tx_proof *out, unsigned max, const struct sy_tx *tx,
                      const struct sy_hash *genesis)
{
    struct proof_list list = {.out = out, .max = max};
    const struct sy_kind *kind = sy_kind_by_number(tx->kind);
    union sy_payload payload;
    union sy_payload inner;
    struct sy_part part;
    size_t offset = 0;

    if (!kind || !sy_payload_decode(&payload, kind, tx->payload, NULL)) return 0;
    add_payload(&list, kind, &payload, tx, &tx->signer, genesis);
    if (kind->number != SY_KIND_atomic) return list.count;

    while (sy_list_next_part(&payload.atomic.payloads, &offset, &part)) {
        const struct sy_kind *part_kind = sy_kind_by_number(part.kind);
        if (part.signer >= sy_tx_signer_count(tx)) return 0;
        if (!sy_payload_decode(&inner, part_kind, part.payload, NULL)) return 0;
        add_payload(&list, part_kind, &inner, tx, sy_tx_signer_key(tx, part.signer), genesis);
    }
    return list.count;
}
