/* roster_change.h: one roster from another: what a change says, who approves it, and how somebody
 * who knows only the genesis follows from epoch to epoch.
 *
 *     epoch e          ...  c  ............  a - 1 | a  ...         epoch e + 1
 *                           |                  |
 *       the transaction runs here;    the last header that roster e seals:
 *       a = c + SY_ROSTER_DELAY       its next_roster is the hash of roster e + 1
 *
 * A change is the payload of validator.add, validator.remove or validator.rekey with its list of
 * approvals empty (approval.h): these bytes are approved, kept in state, and told to light clients.
 * Proofs of possession in it were judged at admission; who follows takes the next roster's hash in
 * a certified header for an answer, and looks at them no more.
 *
 *   handover   u16 kind | bytes16 change | header of height a - 1 | certificate, by roster e
 *
 * Everything is pure; any thread. */
#ifndef SY_WIRE_ROSTER_CHANGE_H
#define SY_WIRE_ROSTER_CHANGE_H

#include "core/wire/approval.h"
#include "core/wire/block.h"
#include "core/wire/roster.h"
#include "core/wire/schema.h"

/* The longest change: a validator.add, or a rekey of everything. */
#define SY_ROSTER_CHANGE_BYTES_MAX SY_APPROVED_BYTES_MAX

static inline bool sy_kind_changes_roster(uint16_t kind)
{
    return kind == SY_KIND_validator_add || kind == SY_KIND_validator_remove ||
           kind == SY_KIND_validator_rekey;
}

/* sy_roster_apply makes the roster that follows `now` by a change whose form and rules are good
 * (sy_payload_decode, sy_payload_check). SY_APPLIED, or E_VALIDATOR_UNKNOWN, E_QUORUM,
 * E_ROSTER_SAME, E_KEY_IN_USE (a key of the roster, or twice), E_SCHEMA with *path (static text)
 * for a name or address that no roster may have; next is then unspecified. A new validator comes
 * last; the others keep their order. Whether the change names `now` at all is the caller's
 * question. */
enum sy_refusal sy_roster_apply(struct sy_roster *next, const char **path,
                                const struct sy_roster *now, uint16_t kind,
                                const union sy_payload *payload);

/* sy_roster_follow applies a change as it is kept in state. SY_ERR_FORMAT: these are no change's
 * bytes, or none of this roster's. */
sy_status sy_roster_follow(struct sy_roster *next, const struct sy_hash *genesis,
                           const struct sy_roster *now, uint16_t kind, struct sy_slice change);

/* --- following from the genesis --------------------------------------------------------------- */

struct sy_handover {
    uint16_t kind;
    struct sy_slice change; /* borrowed */
    struct sy_header header;
    struct sy_certificate certificate;
};

#define SY_HANDOVER_BYTES_MAX                                      \
    (2u + 2u + SY_ROSTER_CHANGE_BYTES_MAX + SY_HEADER_BYTES + 2u + \
     SY_VALIDATORS_MAX * SY_SEAL_BYTES)

#define SY_HANDOVERS_MAX 64u /* in one answer, to a client or a peer: who wants more asks on */

void sy_handover_encode(struct sy_writer *w, const struct sy_handover *handover);
/* n: validators of the roster that hands over, or SY_ROSTER_UNKNOWN. */
bool sy_handover_decode(struct sy_reader *r, struct sy_handover *handover, unsigned n);

/* sy_handover_take replaces a roster by the one it handed over to, if the handover proves it: the
 * change is of this roster, a quorum of it sealed the header, and that header's next roster is the
 * one that the change makes. SY_ERR_CRYPTO, err saying what does not fit; the roster is then
 * unchanged. */
sy_status sy_handover_take(struct sy_roster *roster, const struct sy_hash *genesis,
                           const struct sy_handover *handover, struct sy_error *err);

/* sy_handover_take_by lets somebody else decide each signature. */
struct sy_verifier;
sy_status sy_handover_take_by(const struct sy_verifier *verifier, struct sy_roster *roster,
                              const struct sy_hash *genesis, const struct sy_handover *handover,
                              struct sy_error *err);

/* A path: handovers one after the other from epoch 0 on, as files carry them that are to be checked
 * with nothing but the genesis. sy_handovers_decode reads as many as there are epochs before
 * `epoch`; the slice borrows from the reader's bytes. */
bool sy_handovers_decode(struct sy_reader *r, struct sy_slice *handovers, uint32_t epoch);

/* sy_handovers_follow makes the roster of an epoch, the genesis's being in `roster`. ended (may be
 * NULL): the last height of the epoch before, 0 for epoch 0. SY_ERR_FORMAT: not exactly that many
 * handovers; SY_ERR_CRYPTO: one of them proves nothing. err says which; roster is then of no use.
 */
sy_status sy_handovers_follow(struct sy_roster *roster, uint64_t *ended,
                              const struct sy_hash *genesis, struct sy_slice handovers,
                              uint32_t epoch, struct sy_error *err);

/* sy_handovers_follow_by lets somebody else decide each signature. */
sy_status sy_handovers_follow_by(const struct sy_verifier *verifier, struct sy_roster *roster,
                                 uint64_t *ended, const struct sy_hash *genesis,
                                 struct sy_slice handovers, uint32_t epoch, struct sy_error *err);

#endif
