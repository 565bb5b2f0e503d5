/* render.h: JSON renderings of what travels: a view for people and scripts, never an encoding.
 *
 * snake_case names, lower-case hex, int64 ms, words for numbers that have words. The same writer
 * (core/base/json.h) serves logs, CLI and HTTP. Everything is pure; any thread. */
#ifndef SY_WIRE_RENDER_H
#define SY_WIRE_RENDER_H

#include "core/base/json.h"
#include "core/wire/batch.h"
#include "core/wire/block.h"
#include "core/wire/evidence.h"
#include "core/wire/genesis.h"
#include "core/wire/proof.h"
#include "core/wire/receipt.h"
#include "core/wire/tx.h"

/* sy_tx_to_json writes {tx_id, version, kind, network, signer, organisation, nonce, valid_until_ms,
 * cosigners, payload, signatures}. tx must come from sy_tx_decode. */
void sy_tx_to_json(struct sy_json *json, const struct sy_tx *tx);

/* sy_header_to_json writes the members; hash (may be NULL) is the header's own, shown first. */
void sy_header_to_json(struct sy_json *json, const struct sy_header *header,
                       const struct sy_hash *hash);

/* sy_receipt_to_json writes {height, index, tx_id, code, sentence, remedy, part, detail ..., keys,
 * events}: a code is its name, and what belongs to success only is left out of a refusal. */
void sy_receipt_to_json(struct sy_json *json, const struct sy_receipt *receipt);

/* sy_receipt_detail_name is what a refusal's code calls the number beside it ("highest_nonce");
 * NULL: there is none. The number of E_ROLE is a set of roles. Static. */
const char *sy_receipt_detail_name(const struct sy_receipt *receipt);
void sy_event_to_json(struct sy_json *json, const struct sy_event *event);

/* sy_certificate_to_json writes [{signer, name, signature}]; roster may be NULL: no names. */
void sy_certificate_to_json(struct sy_json *json, const struct sy_certificate *certificate,
                            const struct sy_roster *roster);

void sy_batch_header_to_json(struct sy_json *json, const struct sy_batch_header *header);
void sy_proposal_to_json(struct sy_json *json, const struct sy_proposal *proposal);

/* sy_genesis_to_json writes genesis.json: {format, created_ms, protocol, params, roster,
 * regulators, hash}; genesis_json.h reads it back. */
void sy_genesis_to_json(struct sy_json *json, const struct sy_genesis *genesis);
void sy_roster_to_json(struct sy_json *json, const struct sy_roster *roster);

/* sy_proof_to_json writes {network, kind, header, certificate, receipt and tx | state}. The proof
 * must be decoded; whether it holds is sy_proof_verify's. Signers have names when its handovers
 * lead to the roster of its epoch. */
void sy_proof_to_json(struct sy_json *json, const struct sy_proof *proof,
                      const struct sy_genesis *genesis);

/* sy_evidence_to_json writes {network, phase, epoch, signer, name, key, view, slot | height,
 * statements [{digest, signature}]}; a signer has name and key when the handovers lead to the
 * roster of its epoch, and that has such a signer. The evidence must be decoded; whether it holds
 * is sy_evidence_verify's. */
void sy_evidence_to_json(struct sy_json *json, const struct sy_evidence *evidence,
                         const struct sy_genesis *genesis);

#endif
