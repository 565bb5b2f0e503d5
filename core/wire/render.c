/* render.c: JSON renderings of what travels. */
#include "core/wire/render.h"

#include "core/wire/schema.h"

static void put_hash(struct sy_json *json, const char *name, const struct sy_hash *hash)
{
    sy_json_put_hex(json, name, hash->bytes, sizeof hash->bytes);
}

static void put_key(struct sy_json *json, const char *name, const struct sy_public_key *key)
{
    sy_json_put_hex(json, name, key->bytes, sizeof key->bytes);
}

/* --- transactions -------------------------------------------------------------------------- */

static void put_payload(struct sy_json *json, const struct sy_tx *tx)
{
    union sy_payload payload;
    const struct sy_kind *kind = sy_kind_by_number(tx->kind);
    if (kind && sy_payload_decode(&payload, kind, tx->payload, NULL)) {
        sy_json_put_text(json, "kind", kind->name);
        sy_json_key(json, "payload");
        sy_payload_to_json(json, kind, &payload);
    } else {
        sy_json_put_u64(json, "kind", tx->kind);
        sy_json_put_hex(json, "payload", tx->payload.data, tx->payload.size);
    }
}

void sy_tx_to_json(struct sy_json *json, const struct sy_tx *tx)
{
    struct sy_hash id;
    sy_tx_id(&id, tx);
    sy_json_object_begin(json);
    put_hash(json, "tx_id", &id);
    sy_json_put_u64(json, "version", tx->version);
    sy_json_put_hex(json, "network", tx->network, sizeof tx->network);
    put_key(json, "signer", &tx->signer);
    put_hash(json, "organisation", &tx->organisation);
    sy_json_put_u64(json, "nonce", tx->nonce);
    sy_json_put_i64(json, "valid_until_ms", tx->valid_until_ms);
    sy_json_key(json, "cosigners");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < tx->cosigner_count; i++) {
        sy_json_hex(json, tx->cosigners[i].bytes, sizeof tx->cosigners[i].bytes);
    }
    sy_json_array_end(json);
    put_payload(json, tx);
    sy_json_key(json, "signatures");
    sy_json_array_begin(json);
    for (size_t used = 0; used + 64 <= tx->signatures.size; used += 64) {
        sy_json_hex(json, tx->signatures.data + used, 64);
    }
    sy_json_array_end(json);
    sy_json_object_end(json);
}

/* --- receipts and events ------------------------------------------------------------------- */

void sy_event_to_json(struct sy_json *json, const struct sy_event *event)
{
    const char *subject = sy_enum_word(&sy_enum_subject_kind, event->subject_kind);
    sy_json_object_begin(json);
    sy_json_put_text(json, "event", sy_event_name(event->kind));
    sy_json_put_text(json, "subject_kind", subject);
    put_hash(json, "subject", &event->subject);
    sy_json_put_u64(json, "global_number", event->global_number);
    sy_json_put_u64(json, "subject_number", event->subject_number);
    put_hash(json, "object", &event->object);
    sy_json_object_end(json);
}

static void put_roles_needed(struct sy_json *json, uint64_t roles)
{
    sy_json_key(json, "roles_needed");
    sy_json_array_begin(json);
    for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
        if (roles >> role & 1) sy_json_text(json, sy_role_name(role));
    }
    sy_json_array_end(json);
}

const char *sy_receipt_detail_name(const struct sy_receipt *receipt)
{
    switch (receipt->code) {
    case SY_APPLIED:
    case SY_E_ROLE: return NULL;
    case SY_E_REPLAY: return "highest_nonce";
    case SY_E_STALE_HEAD: return "head_version";
    case SY_E_ROSTER: return "epoch";
    case SY_E_ROSTER_PENDING: return "takes_effect";
    case SY_E_NEXT_VERSION: return "newest_version";
    case SY_E_ACTIVATION: return "least_height";
    case SY_E_CONSENT_EXPIRED: return "ended_ms";
    case SY_E_NET: return "net";
    case SY_E_NET_BACK: return "net_back";
    case SY_E_SETTLE_PERIOD: return "bound_ms";
    default: return receipt->detail != 0 ? "detail" : NULL;
    }
}

// The details under the names that the code gives them.
static void put_refusal(struct sy_json *json, const struct sy_receipt *receipt)
{
    const struct sy_refusal_info *info = sy_refusal_info(receipt->code);
    sy_json_put_text(json, "sentence", info->sentence);
    sy_json_put_text(json, "remedy", info->remedy);
    sy_json_put_u64(json, "part", receipt->part);
    const char *name = sy_receipt_detail_name(receipt);
    if (receipt->code == SY_E_ROLE) {
        put_roles_needed(json, receipt->detail);
    } else if (name != NULL) {
        sy_json_put_u64(json, name, receipt->detail);
    }
    if (!sy_hash_is_zero(&receipt->detail_hash)) {
        put_hash(json, "detail_hash", &receipt->detail_hash);
    }
    if (receipt->path.size > 0) {
        sy_json_key(json, "path");
        sy_json_text_bytes(json, receipt->path.data, receipt->path.size);
    }
}

static void put_effects(struct sy_json *json, const struct sy_receipt *receipt)
{
    struct sy_hash key;
    struct sy_event event;
    size_t offset = 0;
    sy_json_key(json, "keys");
    sy_json_array_begin(json);
    while (sy_receipt_next_key(receipt, &offset, &key)) {
        sy_json_hex(json, key.bytes, sizeof key.bytes);
    }
    sy_json_array_end(json);
    sy_json_key(json, "events");
    sy_json_array_begin(json);
    offset = 0;
    while (sy_receipt_next_event(receipt, &offset, &event)) sy_event_to_json(json, &event);
    sy_json_array_end(json);
}

void sy_receipt_to_json(struct sy_json *json, const struct sy_receipt *receipt)
{
    sy_json_object_begin(json);
    sy_json_put_u64(json, "height", receipt->height);
    sy_json_put_u64(json, "index", receipt->index);
    put_hash(json, "tx_id", &receipt->tx_id);
    sy_json_put_text(json, "code", sy_refusal_info(receipt->code)->name);
    sy_json_put_bool(json, "decided", sy_refusal_decides(receipt->code));
    if (receipt->code == SY_APPLIED) {
        put_effects(json, receipt);
    } else {
        put_refusal(json, receipt);
    }
    sy_json_object_end(json);
}

/* --- blocks -------------------------------------------------------------------------------- */

void sy_header_to_json(struct sy_json *json, const struct sy_header *header,
                       const struct sy_hash *hash)
{
    sy_json_object_begin(json);
    if (hash) put_hash(json, "hash", hash);
    sy_json_put_u64(json, "protocol", header->protocol);
    sy_json_put_u64(json, "height", header->height);
    sy_json_put_u64(json, "epoch", header->epoch);
    sy_json_put_i64(json, "time_ms", header->time_ms);
    put_hash(json, "previous", &header->previous);
    put_hash(json, "batches_root", &header->batches_root);
    put_hash(json, "receipts_root", &header->receipts_root);
    put_hash(json, "state_root", &header->state_root);
    put_hash(json, "next_roster", &header->next_roster);
    sy_json_object_end(json);
}

void sy_certificate_to_json(struct sy_json *json, const struct sy_certificate *certificate,
                            const struct sy_roster *roster)
{
    sy_json_array_begin(json);
    for (unsigned i = 0; i < certificate->count; i++) {
        const struct sy_seal *seal = &certificate->seals[i];
        sy_json_object_begin(json);
        sy_json_put_u64(json, "signer", seal->signer);
        if (roster && seal->signer < roster->count) {
            sy_json_put_text(json, "name", roster->validators[seal->signer].name);
        }
        sy_json_put_hex(json, "signature", seal->signature.bytes, sizeof seal->signature.bytes);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

void sy_batch_header_to_json(struct sy_json *json, const struct sy_batch_header *header)
{
    sy_json_object_begin(json);
    put_key(json, "maker", &header->maker);
    sy_json_put_u64(json, "seq", header->seq);
    sy_json_put_u64(json, "count", header->count);
    sy_json_put_u64(json, "bytes", header->bytes);
    put_hash(json, "id_root", &header->id_root);
    put_hash(json, "signature_root", &header->signature_root);
    sy_json_object_end(json);
}

void sy_proposal_to_json(struct sy_json *json, const struct sy_proposal *proposal)
{
    sy_json_object_begin(json);
    sy_json_put_u64(json, "epoch", proposal->epoch);
    sy_json_put_u64(json, "slot", proposal->slot);
    sy_json_put_i64(json, "time_ms", proposal->time_ms);
    sy_json_key(json, "entries");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < proposal->count; i++) {
        const struct sy_entry *entry = &proposal->entries[i];
        sy_json_object_begin(json);
        sy_json_put_u64(json, "maker", entry->maker);
        sy_json_put_u64(json, "seq", entry->seq);
        put_hash(json, "digest", &entry->digest);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    sy_json_object_end(json);
}

/* --- rosters and genesis ------------------------------------------------------------------- */

static void validators_to_json(struct sy_json *json, const struct sy_roster *roster)
{
    sy_json_array_begin(json);
    for (unsigned i = 0; i < roster->count; i++) {
        const struct sy_validator *validator = &roster->validators[i];
        sy_json_object_begin(json);
        sy_json_put_text(json, "name", validator->name);
        put_hash(json, "organisation", &validator->organisation);
        put_key(json, "consensus_key", &validator->consensus_key);
        put_key(json, "link_key", &validator->link_key);
        put_key(json, "admin_key", &validator->admin_key);
        sy_json_put_text(json, "control_address", validator->control_address);
        sy_json_put_text(json, "bulk_address", validator->bulk_address);
        sy_json_put_text(json, "client_address", validator->client_address);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

void sy_roster_to_json(struct sy_json *json, const struct sy_roster *roster)
{
    sy_json_object_begin(json);
    sy_json_put_u64(json, "epoch", roster->epoch);
    sy_json_key(json, "validators");
    validators_to_json(json, roster);
    sy_json_object_end(json);
}

void sy_genesis_to_json(struct sy_json *json, const struct sy_genesis *genesis)
{
    sy_json_object_begin(json);
    sy_json_put_u64(json, "format", genesis->format);
    sy_json_put_i64(json, "created_ms", genesis->created_ms);
    sy_json_put_u64(json, "protocol", genesis->protocol);
    sy_json_key(json, "params");
    sy_json_object_begin(json);
    sy_json_put_u64(json, "regulators_needed", genesis->params.regulators_needed);
    sy_json_put_i64(json, "credential_ms_max", genesis->params.credential_ms_max);
    sy_json_put_u64(json, "record_bytes_max", genesis->params.record_bytes_max);
    sy_json_object_end(json);
    sy_json_key(json, "roster");
    validators_to_json(json, &genesis->roster);
    sy_json_key(json, "regulators");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < genesis->regulator_count; i++) {
        sy_json_hex(json, genesis->regulators[i].bytes, sizeof genesis->regulators[i].bytes);
    }
    sy_json_array_end(json);
    put_hash(json, "hash", &genesis->hash);
    sy_json_object_end(json);
}

/* --- proofs -------------------------------------------------------------------------------- */

static void put_receipt_proof(struct sy_json *json, const struct sy_receipt_proof *proof)
{
    struct sy_receipt receipt;
    struct sy_tx tx;
    struct sy_reader r = sy_reader_of(proof->receipt);
    sy_json_key(json, "receipt");
    if (sy_receipt_decode(&r, &receipt) && sy_reader_done(&r)) {
        sy_receipt_to_json(json, &receipt);
    } else {
        sy_json_hex(json, proof->receipt.data, proof->receipt.size);
    }
    if (!proof->with_tx) return;
    sy_json_key(json, "tx");
    if (sy_tx_decode(&tx, NULL, proof->tx, NULL) == SY_APPLIED) {
        sy_tx_to_json(json, &tx);
    } else {
        sy_json_hex(json, proof->tx.data, proof->tx.size);
    }
    sy_json_key(json, "batch");
    sy_batch_header_to_json(json, &proof->batch);
}

static void put_state_proof(struct sy_json *json, const struct sy_state_proof *proof)
{
    sy_json_key(json, "state");
    sy_json_object_begin(json);
    put_hash(json, "key_hash", &proof->key_hash);
    sy_json_put_bool(json, "present", proof->present);
    if (proof->present) {
        sy_json_put_hex(json, "value", proof->value.data, proof->value.size);
    }
    sy_json_put_u64(json, "depth", proof->count);
    sy_json_object_end(json);
}

void sy_proof_to_json(struct sy_json *json, const struct sy_proof *proof,
                      const struct sy_genesis *genesis)
{
    struct sy_hash hash;
    struct sy_roster roster;
    bool named = sy_proof_roster(&roster, proof, genesis, NULL);
    sy_header_hash(&hash, &genesis->hash, &proof->header);
    sy_json_object_begin(json);
    sy_json_put_hex(json, "network", proof->network, sizeof proof->network);
    sy_json_put_text(json, "kind", proof->kind == SY_PROOF_RECEIPT ? "receipt" : "state");
    sy_json_key(json, "header");
    sy_header_to_json(json, &proof->header, &hash);
    sy_json_key(json, "certificate");
    sy_certificate_to_json(json, &proof->certificate, named ? &roster : NULL);
    if (proof->kind == SY_PROOF_RECEIPT) put_receipt_proof(json, &proof->receipt);
    if (proof->kind == SY_PROOF_STATE) put_state_proof(json, &proof->state);
    sy_json_object_end(json);
}

/* --- evidence ------------------------------------------------------------------------------ */

void sy_evidence_to_json(struct sy_json *json, const struct sy_evidence *evidence,
                         const struct sy_genesis *genesis)
{
    bool seal = evidence->type == SY_MESSAGE_SEAL;
    struct sy_roster roster;
    bool named = sy_evidence_roster(&roster, evidence, genesis, NULL);
    sy_json_object_begin(json);
    sy_json_put_hex(json, "network", evidence->network, sizeof evidence->network);
    sy_json_put_text(json, "phase", sy_evidence_phase(evidence->type));
    sy_json_put_u64(json, "epoch", evidence->epoch);
    sy_json_put_u64(json, "signer", evidence->signer);
    if (named && evidence->signer < roster.count) {
        const struct sy_validator *validator = &roster.validators[evidence->signer];
        sy_json_put_text(json, "name", validator->name);
        put_key(json, "key", &validator->consensus_key);
    }
    if (!seal) sy_json_put_u64(json, "view", evidence->view);
    sy_json_put_u64(json, seal ? "height" : "slot", evidence->slot);
    sy_json_key(json, "statements");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < 2; i++) {
        const struct sy_evidence_statement *statement = &evidence->statements[i];
        sy_json_object_begin(json);
        put_hash(json, "digest", &statement->digest);
        sy_json_put_hex(json, "signature", statement->signature.bytes, 64);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    sy_json_object_end(json);
}
