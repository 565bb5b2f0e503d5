/* tx.h: a signed transaction: body, signatures, id.
 *
 *   body  u8  version
 *         u16 kind                       schema.h
 *         16  network tag
 *         32  signer's key
 *         32  organisation id            the one the first signer acts for; zero for a patient
 *         u64 nonce
 *         i64 valid_until_ms
 *         u8  cosigner count (<= 16), then 32 bytes a key
 *         u32 payload bytes, payload     schema.h
 *   tx    body || 64 bytes a signer, in that order
 *
 * id = RFC 6962 leaf hash of the body. Each signer signs kind TX over the id. A decoded tx borrows
 * the bytes it was decoded from. */
#ifndef SY_WIRE_TX_H
#define SY_WIRE_TX_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"
#include "core/wire/refusal.h"

struct sy_tx {
    uint8_t version;
    uint16_t kind;
    uint8_t network[16];
    struct sy_public_key signer;
    struct sy_hash organisation;
    uint64_t nonce;
    int64_t valid_until_ms;
    uint8_t cosigner_count;
    struct sy_public_key cosigners[SY_TX_COSIGNERS_MAX];
    struct sy_slice payload;    /* borrowed */
    struct sy_slice body;       /* borrowed: what the id is the leaf hash of */
    struct sy_slice signatures; /* borrowed: 64 bytes a signer */
};

static inline unsigned sy_tx_signer_count(const struct sy_tx *tx)
{
    return 1u + tx->cosigner_count;
}
/* sy_tx_signer_key is the i-th signer's key: 0 is the first signer. */
const struct sy_public_key *sy_tx_signer_key(const struct sy_tx *tx, unsigned i);

/* sy_tx_encode_body writes a body from the fields (payload included; body and signatures are
 * ignored). */
void sy_tx_encode_body(struct sy_writer *w, const struct sy_tx *tx);

/* sy_tx_decode reads one whole tx from exactly these bytes: limits, version, a known kind, signers
 * all different, and the payload's form (schema.h), at most SY_TX_PAYLOAD_SIGS_MAX signatures
 * inside it. The payload's rules are execution's (sy_payload_check). network may be NULL (tag not
 * checked). Gives SY_APPLIED (0) or E_SIZE, E_DECODE, E_NETWORK, E_VERSION; *what (may be NULL)
 * then names the field that failed. valid_until_ms may be any number: compare, never subtract.
 * A pure function of the bytes: admission calls it. */
enum sy_refusal sy_tx_decode(struct sy_tx *tx, const char **what, struct sy_slice bytes,
                             const uint8_t network[16]);

/* sy_tx_peek_signers copies the signers' keys out of bytes that should be a tx, at most
 * SY_TX_SIGNERS_MAX, and returns how many; 0: they are too short or name too many, and no tx. It
 * reads nothing else: for questions that come before decoding. */
unsigned sy_tx_peek_signers(struct sy_public_key *keys, struct sy_slice bytes);

/* sy_tx_id is the leaf hash of tx->body. */
void sy_tx_id(struct sy_hash *id, const struct sy_tx *tx);

/* sy_tx_witness shows knowledge of the whole signed transaction without telling it:
 * digest(WITNESS, 32 tx id | the signatures in order). Only who has the signatures can compute it.
 * Copies of one transaction with other valid signatures have the same id and other witnesses. */
void sy_tx_witness(struct sy_hash *witness, const struct sy_hash *genesis,
                   const struct sy_hash *tx_id, const struct sy_tx *tx);

/* sy_possession_digest is what a new key signs (kind POSSESSION) to show that its holder wants it
 * enrolled, by this sponsor, in this very transaction:
 * digest(POSSESSION, u8 role | 32 organisation | 32 sponsor | u64 nonce). sponsor is the key that
 * answers for the payload: the tx's first signer, or the answering signer of an atomic tx's part;
 * nonce is the tx's. role is enum sy_role. */
void sy_possession_digest(struct sy_hash *out, const struct sy_hash *genesis, uint8_t role,
                          const struct sy_hash *organisation, const struct sy_public_key *sponsor,
                          uint64_t nonce);

/* {key, signature} pairs that a payload itself carries (possession, approvals), as found by the
 * schema; admission checks them beside the signers' own. `digest` is what they sign. */
struct sy_tx_proof {
    struct sy_public_key key;
    struct sy_signature signature;
    struct sy_hash digest;
    uint8_t sig_kind;
};

/* sy_tx_proofs lists the inner signatures of a decoded tx's payload, in payload order: it fills at
 * most max and returns how many there are, never over SY_TX_PAYLOAD_SIGS_MAX. The role of a
 * possession is the schema's, else the payload's `role`; the organisation is the payload's `org_id`
 * where it has one, else the tx's. genesis: the possession digest names the network. */
unsigned sy_tx_proofs(struct sy_tx_proof *out, unsigned max, const struct sy_tx *tx,
                      const struct sy_hash *genesis);

#endif
