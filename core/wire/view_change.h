/* view_change.h: how validators leave a view and begin the next one (OSDI '99, 4.4).
 *
 *   prepared      u64 view | proposal | u16 count | count times: u16 signer | 64 signature
 *                 a prepared certificate of one validator, the holder: that quorum(n) validators
 *                 prepared this proposal in this view. The signers are others than the holder, in
 *                 roster order: quorum(n) - 1 if the holder prepared it too, which its signature
 *                 over whatever carries the certificate states, else quorum(n); the view's primary
 *                 is among them unless it is the holder. The primary's signature is its
 *                 PRE_PREPARE's, the others' are of their PREPAREs.
 *   VIEW_CHANGE   u32 epoch | u64 view | u16 signer | u64 stable height | if that is not 0: 32
 *                 header hash, certificate (zeroes and no seals: the height before the epoch's
 *                 first) | u16 count | prepared certificates, slots rising | 64 signature, kind
 *                 VIEW_CHANGE over
 *                 digest(VIEW_CHANGE, u32 epoch | u64 view | u16 signer | u64 stable height |
 *                 32 header hash or zeroes | u16 count | count times: u64 slot | u64 view |
 *                 32 proposal digest)
 *   NEW_VIEW      u32 epoch | u64 view | u16 signer | u16 count | count times: u16 signer |
 *                 32 digest of its VIEW_CHANGE | 64 signature, kind NEW_VIEW over
 *                 digest(NEW_VIEW, everything before the signature)
 *   VIEW_FETCH    u64 view | 16 bytes: bit i of byte j: the VIEW_CHANGE of validator 8j + i is held
 *
 * What is signed are the claims (which proposal was prepared where); the certificates are their
 * proof, which every receiver checks. So a VIEW_CHANGE has one digest, whichever signatures its
 * certificates hold. */
#ifndef SY_WIRE_VIEW_CHANGE_H
#define SY_WIRE_VIEW_CHANGE_H

#include "core/wire/block.h"

struct sy_prepared {
    uint64_t view;
    struct sy_proposal proposal;
    uint16_t count;
    struct sy_seal statements[SY_VALIDATORS_MAX]; /* of others, in roster order */
};

struct sy_view_change {
    uint32_t epoch;
    uint64_t view; /* the view to be entered, at least 1 */
    uint16_t signer;
    uint64_t stable_height; /* the newest certificate that is durable there; 0: genesis */
    struct sy_hash stable_hash;
    struct sy_certificate certificate; /* count 0 at genesis */
    uint16_t count;                    /* prepared certificates */
    struct sy_slice prepared;          /* their encodings; borrowed */
    struct sy_signature signature;
};

struct sy_new_view {
    uint32_t epoch;
    uint64_t view;
    uint16_t signer; /* the view's primary */
    uint16_t count;  /* quorum(n) */
    struct {
        uint16_t signer;
        struct sy_hash digest;
    } changes[SY_VALIDATORS_MAX]; /* in roster order */
    struct sy_signature signature;
};

#define SY_VIEW_FETCH_MASK_BYTES 16u
struct sy_view_fetch {
    uint64_t view;
    uint8_t held[SY_VIEW_FETCH_MASK_BYTES];
};

_Static_assert(SY_VALIDATORS_MAX <= 8 * SY_VIEW_FETCH_MASK_BYTES, "a bit for every validator");

/* The longest encodings for a roster of n: of one prepared certificate, of a whole VIEW_CHANGE
 * without the message's type. */
size_t sy_prepared_bytes_max(unsigned n);
size_t sy_view_change_bytes_max(unsigned n);

/* The most bytes that any VIEW_CHANGE message has. */
#define SY_VIEW_CHANGE_BYTES_MAX                \
    (256u + SY_VALIDATORS_MAX * SY_SEAL_BYTES + \
     SY_PBFT_WINDOW * (8u + SY_PROPOSAL_ENCODED_MAX + 2 + SY_VALIDATORS_MAX * SY_SEAL_BYTES))
_Static_assert(SY_VIEW_CHANGE_BYTES_MAX < SY_FRAME_BYTES_MAX, "a VIEW_CHANGE fits one frame");

/* sy_prepared_encode writes a certificate. sy_prepared_decode reads the one of `holder` in a roster
 * of n: quorum(n) or one less other signers, rising, with the primary of its view among them unless
 * that is the holder, who then is one of the quorum. */
void sy_prepared_encode(struct sy_writer *w, const struct sy_prepared *prepared);
bool sy_prepared_decode(struct sy_reader *r, struct sy_prepared *prepared, uint16_t holder,
                        unsigned n);

/* sy_view_change_encode writes everything after the message's type. sy_view_change_decode reads it;
 * `prepared` then borrows the input's bytes, and every certificate in it was looked at: its slot
 * lies in (stable, stable + window], above the one before; its view below the message's; its epoch
 * is the message's. Signatures are the caller's to check. */
void sy_view_change_encode(struct sy_writer *w, const struct sy_view_change *change);
bool sy_view_change_decode(struct sy_reader *r, struct sy_view_change *change, unsigned n);

/* sy_view_change_walk begins, and sy_view_change_next reads the next certificate of a decoded
 * VIEW_CHANGE into *prepared; false after the last one. */
struct sy_reader sy_view_change_walk(const struct sy_view_change *change);
bool sy_view_change_next(struct sy_reader *walk, struct sy_prepared *prepared,
                         const struct sy_view_change *change, unsigned n);

/* sy_view_change_digest is what is signed, and how NEW_VIEW names it. */
void sy_view_change_digest(struct sy_hash *out, const struct sy_hash *genesis,
                           const struct sy_view_change *change, unsigned n);

void sy_new_view_encode(struct sy_writer *w, const struct sy_new_view *message);
/* sy_new_view_decode: the signer is the view's primary, and exactly quorum(n) VIEW_CHANGEs are
 * named, signers rising. */
bool sy_new_view_decode(struct sy_reader *r, struct sy_new_view *message, unsigned n);
void sy_new_view_digest(struct sy_hash *out, const struct sy_hash *genesis,
                        const struct sy_new_view *message);

void sy_view_fetch_encode(struct sy_writer *w, const struct sy_view_fetch *fetch);
bool sy_view_fetch_decode(struct sy_reader *r, struct sy_view_fetch *fetch, unsigned n);

#endif
