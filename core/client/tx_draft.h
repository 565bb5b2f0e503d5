/* tx_draft.h: a transaction on its way through several hands: made, its possessions proven, signed
 * by each of its signers, sent.
 *
 *     make --> prove (new keys, in the payload) --> sign (each signer, in any order) --> check
 *
 * Proving changes the body, so it comes before the first signature; whatever would change a signed
 * body is refused. Between hands a draft is a file of JSON:
 *
 *     {"format": "systole-tx-1",
 *      "kind": "org.register", "tx_id": "<64 hex>", "network": "<32 hex>",    for people
 *      "signers": ["<64 hex>", ...],                                          for people
 *      "body": "<hex>",                       the canonical body (core/wire/tx.h)
 *      "signatures": ["<128 hex>" or null, ...]}    one a signer, in that order
 *
 * What is "for people" is compared with the body when it is there. One thread at a time a draft. */
#ifndef SY_CLIENT_TX_DRAFT_H
#define SY_CLIENT_TX_DRAFT_H

#include "core/base/json.h"
#include "core/crypto/keys.h"
#include "core/wire/genesis.h"
#include "core/wire/tx.h"

typedef struct sy_draft sy_draft;

/* sy_draft_make encodes fields (payload set; version and network are filled in here). SY_ERR_LIMIT:
 * too long; SY_ERR_ARGUMENT: no transaction, err says why. The caller closes it. genesis is copied
 * where needed and not kept. */
sy_status sy_draft_make(sy_draft **draft, const struct sy_genesis *genesis,
                        const struct sy_tx *fields, struct sy_error *err);

/* sy_draft_parse reads the file's text; name stands for it in sentences. genesis may be NULL: any
 * network. SY_ERR_FORMAT; SY_ERR_VERSION; SY_ERR_ARGUMENT: another network's. */
sy_status sy_draft_parse(sy_draft **draft, const struct sy_genesis *genesis, struct sy_slice text,
                         const char *name, struct sy_error *err);

void sy_draft_close(sy_draft *draft); /* NULL is fine */

/* sy_draft_to_json writes the file's object. */
void sy_draft_to_json(const sy_draft *draft, sy_json *json);

/* sy_draft_tx is the decoded transaction, borrowed from the draft and good until it is changed or
 * closed; missing signatures are zero. sy_draft_bytes is its encoding. */
const struct sy_tx *sy_draft_tx(const sy_draft *draft);
struct sy_slice sy_draft_bytes(const sy_draft *draft);
void sy_draft_id(const sy_draft *draft, struct sy_hash *id);

/* sy_draft_prove signs every possession in the payload that belongs to key; *proven says how many.
 * SY_ERR_NOT_FOUND: the payload enrols no such key; SY_ERR_PERMISSION: somebody signed or approved
 * already. */
sy_status sy_draft_prove(sy_draft *draft, unsigned *proven, const sy_secret_key *key,
                         const struct sy_genesis *genesis, struct sy_error *err);

/* sy_draft_approve adds key's approval to the payload, or to each of its parts, that a quorum of
 * validators decides (approval.h); whether key is a validator's admin key is judged by who executes
 * it. Approvals sign proofs of possession, and come after them. SY_ERR_NOT_FOUND: there is none;
 * SY_ERR_PERMISSION: somebody signed already; SY_ERR_CRYPTO: a possession is missing, or an
 * approval is there that is wrong; SY_ERR_EXISTS: key approved before; SY_ERR_LIMIT. */
sy_status sy_draft_approve(sy_draft *draft, const sy_secret_key *key,
                           const struct sy_genesis *genesis, struct sy_error *err);

/* sy_draft_sign signs in key's place; *place says which signer it is (0: the first).
 * SY_ERR_NOT_FOUND: the transaction names no such signer. SY_ERR_CRYPTO: a possession is missing,
 * or there are fewer approvals than any roster takes, which nobody could add any more. */
sy_status sy_draft_sign(sy_draft *draft, unsigned *place, const sy_secret_key *key,
                        const struct sy_genesis *genesis, struct sy_error *err);

/* sy_draft_missing counts the signers that have not signed. */
unsigned sy_draft_missing(const sy_draft *draft);

/* sy_draft_check judges a draft as admission will: complete, every signature, possession and
 * approval good. It also wants as many approvals as any roster takes.
 * SY_ERR_CRYPTO names the first that is missing or wrong. */
sy_status sy_draft_check(const sy_draft *draft, const struct sy_genesis *genesis,
                         struct sy_error *err);

#endif
