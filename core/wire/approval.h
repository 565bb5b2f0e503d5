/* approval.h: what a quorum of the validators' admin keys decides: which kinds, what they sign.
 *
 * A kind is decided so when its last field is a list of approvals. Its first two name the roster
 * whose admin keys may approve, by epoch and hash, so that an approval is good for one roster only.
 * Each approval is a signature over everything else in the payload:
 *
 *   digest(APPROVAL, u16 kind | payload with its list of approvals empty)
 *
 * Proofs of possession are part of what is approved. Everything is pure; any thread. */
#ifndef SY_WIRE_APPROVAL_H
#define SY_WIRE_APPROVAL_H

#include "core/wire/schema.h"

/* The longest payload without its approvals: a validator.add, or a rekey of everything. */
#define SY_APPROVED_BYTES_MAX 1024u

/* sy_kind_is_approved says whether approvals decide about a kind's transactions. */
bool sy_kind_is_approved(const struct sy_kind *kind);

/* The roster whose admin keys may approve. kind must be approved, here and below. */
struct sy_roster_named {
    uint32_t epoch;
    struct sy_hash hash;
};
struct sy_roster_named sy_approved_roster(const struct sy_kind *kind,
                                          const union sy_payload *payload);

/* sy_approvals_of is where a payload has its approvals: a part of it. */
const struct sy_list *sy_approvals_of(const struct sy_kind *kind, const union sy_payload *payload);
struct sy_list *sy_approvals_of_mutable(const struct sy_kind *kind, union sy_payload *payload);

/* sy_approved_encode writes a payload with its list of approvals empty: at most
 * SY_APPROVED_BYTES_MAX bytes of one that was decoded. */
void sy_approved_encode(struct sy_writer *w, const struct sy_kind *kind,
                        const union sy_payload *payload);

/* sy_approval_digest is what an admin key signs (kind APPROVAL). */
void sy_approval_digest(struct sy_hash *out, const struct sy_hash *genesis,
                        const struct sy_kind *kind, const union sy_payload *payload);

#endif
