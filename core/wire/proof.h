/* proof.h: .syproof, a statement that anybody can check offline with only the genesis file.
 *
 *   magic "SYPROOF1" | 16 network tag | u8 kind | header | certificate (exactly quorum seals in
 *   roster order; absent for height 0) | body | handovers | 32 SHA-256 of all bytes before
 *   RECEIPT body  receipt bytes32 | path to receipts root
 *                 | u8 with_tx; if 1: tx bytes32 | path in the batch to its id root | batch header
 *                 | path of the batch digest to batches root
 *   path          u8 count (<= 32) | u32 sides, bit k set: sibling k is on the left | siblings from
 *                 the leaf upwards
 *   STATE body    32 key hash | u8 present; if 1: value bytes32; else u8 other; if 1: 32 other
 *                 leaf's key hash, 32 its value hash | u16 count | siblings from the leaf upwards
 *
 * A path is an RFC 6962 audit path. Its leaf index and tree size do not travel: several of them
 * lead to the same root by the same siblings, so they would be bytes that nothing checks, while
 * sides are all that hashing needs. A decoded path stands for them with the complete tree of
 * 2^count leaves, leaf_index = sides; a receipt states its own place. Every byte of a proof is
 * bound by a signature or a hash: no proof has a second form. Only the key of a proof of absence is
 * not: the same path shows every key absent that would lie there, so whoever asks compares the key.
 * The checksum at the end is what makes any damage to a file plain, this one too.
 *
 * The handovers (roster_change.h) lead from the genesis to the roster of the header's epoch: one
 * for each epoch before, so none in epoch 0. A validator leaves them out of what it sends, because
 * whoever asks knows the roster; whoever keeps the proof adds them (sy_proof_encode). They cannot
 * say when their last epoch ended: who checks a file alone learns that a quorum of that epoch's
 * roster has sealed the header. Of a change in them the proofs of possession are bytes that nothing
 * here checks; what it makes of the roster is sealed.
 *
 * A STATE proof derives its path from the key hash alone (core/ledger/trie.h explains the trie):
 * with count siblings the place lies at depth count, and bit b of the key hash, most significant
 * first, says which child the path takes at depth b. */
#ifndef SY_WIRE_PROOF_H
#define SY_WIRE_PROOF_H

#include "core/crypto/merkle.h"
#include "core/wire/batch.h"
#include "core/wire/block.h"
#include "core/wire/genesis.h"
#include "core/wire/receipt.h"

enum sy_proof_kind { SY_PROOF_RECEIPT = 1, SY_PROOF_STATE = 2 };

#define SY_TRIE_DEPTH_MAX 256

struct sy_state_proof {
    struct sy_hash key_hash;
    bool present;
    struct sy_slice value; /* borrowed; when present */
    bool other;            /* absent: the place is taken by one other leaf */
    struct sy_hash other_key_hash;
    struct sy_hash other_value_hash;
    uint16_t count;
    struct sy_hash siblings[SY_TRIE_DEPTH_MAX]; /* from the leaf upwards */
};

struct sy_receipt_proof {
    struct sy_slice receipt; /* borrowed: encoded */
    struct sy_merkle_path receipt_path;
    bool with_tx;
    struct sy_slice tx; /* borrowed: body and signatures */
    struct sy_merkle_path tx_path;
    struct sy_batch_header batch;
    struct sy_merkle_path batch_path;
};

struct sy_proof {
    uint8_t network[SY_NETWORK_TAG_BYTES];
    uint8_t kind;
    struct sy_header header;
    struct sy_certificate certificate;
    struct sy_receipt_proof receipt;
    struct sy_state_proof state;
    struct sy_slice handovers; /* borrowed; empty: none travel with it */
};

void sy_proof_encode(struct sy_writer *w, const struct sy_proof *proof);
/* genesis: the roster of epoch 0. Of later ones nothing is known here: sy_proof_verify judges. */
bool sy_proof_decode(struct sy_proof *proof, struct sy_slice bytes, const struct sy_roster *genesis,
                     const char **what);

/* A path as above, the leaf's place being its caller's to say. decode: what names the field. */
void sy_path_encode(struct sy_writer *w, const struct sy_merkle_path *path);
void sy_path_decode(struct sy_reader *r, struct sy_merkle_path *path, const char *what);

/* The bodies alone, as the client protocol carries them beside a header sent once. */
void sy_receipt_proof_encode(struct sy_writer *w, const struct sy_receipt_proof *proof);
bool sy_receipt_proof_decode(struct sy_reader *r, struct sy_receipt_proof *proof);
void sy_state_proof_encode(struct sy_writer *w, const struct sy_state_proof *proof);
bool sy_state_proof_decode(struct sy_reader *r, struct sy_state_proof *proof);

/* sy_proof_verify checks everything against the genesis: network, handovers, certificate, paths,
 * and that receipt and tx speak of each other (id, signatures). *what says what failed, static
 * text. A header that the caller verified before may be passed in `trusted` (its hash), which skips
 * handovers and certificate; height 0 has no certificate and is believed in no other way
 * (core/ledger derives it). */
bool sy_proof_verify(const struct sy_proof *proof, const struct sy_genesis *genesis,
                     const struct sy_hash *trusted, const char **what);

/* sy_proof_verify_by lets somebody else decide each signature. */
struct sy_verifier;
bool sy_proof_verify_by(const struct sy_verifier *verifier, const struct sy_proof *proof,
                        const struct sy_genesis *genesis, const struct sy_hash *trusted,
                        const char **what);

/* sy_proof_roster follows the proof's own handovers to the roster of its epoch, for whoever wants
 * to name the signers. *what (unless NULL) as above. */
bool sy_proof_roster(struct sy_roster *roster, const struct sy_proof *proof,
                     const struct sy_genesis *genesis, const char **what);

/* Body checks against a header that is already trusted. */
bool sy_receipt_proof_verify(const struct sy_receipt_proof *proof, const struct sy_header *header,
                             const struct sy_genesis *genesis, const char **what);
bool sy_receipt_proof_verify_by(const struct sy_verifier *verifier,
                                const struct sy_receipt_proof *proof,
                                const struct sy_header *header, const struct sy_genesis *genesis,
                                const char **what);
bool sy_state_proof_verify(const struct sy_state_proof *proof, const struct sy_header *header,
                           const char **what);

/* Trie hashing, shared with core/ledger/trie.c: leaf = SHA-256(0x03 || key hash || value hash),
 * value hash = SHA-256(value); inner = SHA-256(0x05 || left || right); key hash = SHA-256(u8 state
 * kind || 32 id). An empty subtree is 32 zero bytes, a subtree of one leaf is that leaf. */
void sy_trie_leaf(struct sy_hash *out, const struct sy_hash *key_hash,
                  const struct sy_hash *value_hash);
void sy_trie_inner(struct sy_hash *out, const struct sy_hash *left, const struct sy_hash *right);
void sy_state_key_hash(struct sy_hash *out, uint8_t state_kind, const struct sy_hash *id);

#endif
