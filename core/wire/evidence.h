/* evidence.h: .syevidence, two statements of one validator that contradict each other, for anybody
 * to check offline with only the genesis file.
 *
 *   offset  bytes
 *        0      8  magic "SYEVDNC1"
 *        8     16  network tag
 *       24      1  type of the messages (enum sy_message_type)
 *       25      4  epoch, whose roster numbers the signer
 *       29      8  view; 0 for a seal, which knows none
 *       37      8  slot; a seal's height
 *       45      2  signer
 *       47     96  one statement: 32 digest, 64 signature
 *      143     96  the other: its digest is the greater, byte by byte
 *      239      .  handovers from the genesis to the roster of that epoch (roster_change.h): one
 *                  for each epoch before, or none
 *        .     32  SHA-256 of all bytes before
 *
 * A correct validator signs, in a view, at most one PRE_PREPARE, one PREPARE and one COMMIT for a
 * slot, and one SEAL for a height, ever: two of a type with different digests prove that its key
 * was used to tell two stories. What is signed names epoch, view, slot and the digest of what was
 * proposed or executed (vote.h), so the digests alone are enough to check both signatures; what
 * they are digests of is not needed, and does not travel. Nothing about it says who held the key,
 * or why: that is for people to find out.
 *
 * Types: those of SY_EVIDENCE_TYPES. Another number is refused as one that this program does not
 * know; a type that is added takes the number of its message (vote.h) and the same layout, its
 * digest being that of whatever the message's signature covers besides epoch, view and slot (0 for
 * a message that speaks of no slot). Everything is pure; any thread. */
#ifndef SY_WIRE_EVIDENCE_H
#define SY_WIRE_EVIDENCE_H

#include "core/wire/genesis.h"
#include "core/wire/vote.h"

/* What SY_EVIDENCE_BYTES counts has no handovers: so does a validator keep it, whose store knows
 * them all; whoever exports it adds them. */
#define SY_EVIDENCE_STATEMENT_BYTES (32u + 64u)
#define SY_EVIDENCE_BYTES \
    (8u + SY_NETWORK_TAG_BYTES + 1u + 4u + 8u + 8u + 2u + 2u * SY_EVIDENCE_STATEMENT_BYTES + 32u)

struct sy_evidence_statement {
    struct sy_hash digest; /* of the proposal, or the header */
    struct sy_signature signature;
};

struct sy_evidence {
    uint8_t network[SY_NETWORK_TAG_BYTES];
    uint8_t type; /* SY_MESSAGE_PRE_PREPARE, _PREPARE, _COMMIT or _SEAL */
    uint32_t epoch;
    uint64_t view;
    uint64_t slot;
    uint16_t signer;
    struct sy_evidence_statement statements[2]; /* by ascending digest */
    struct sy_slice handovers;                  /* borrowed; empty: none travel with it */
};

/* sy_evidence_pair puts two statements in their order, whichever came first. False: they say the
 * same, so they are no evidence. */
SY_MUST_CHECK bool sy_evidence_pair(struct sy_evidence *evidence,
                                    const struct sy_evidence_statement *one,
                                    const struct sy_evidence_statement *other);

/* sy_evidence_encode writes SY_EVIDENCE_BYTES and the handovers; the writer fails on what no
 * decoder would accept. sy_evidence_decode reads a whole file. False: not canonical, damaged, or
 * the statements do not contradict each other; *what (unless NULL) says which, static text.
 * Signatures are sy_evidence_verify's. */
void sy_evidence_encode(struct sy_writer *w, const struct sy_evidence *evidence);
SY_MUST_CHECK bool sy_evidence_decode(struct sy_evidence *evidence, struct sy_slice bytes,
                                      const char **what);

/* sy_evidence_is says whether bytes claim to be such a file, by their magic. */
bool sy_evidence_is(struct sy_slice bytes);

/* sy_evidence_verify checks decoded evidence against the genesis: its network, its handovers, and
 * both signatures by the key that its epoch's roster names. False: *what (unless NULL) says why,
 * static text. Checks signatures with OpenSSL, in the calling thread. */
SY_MUST_CHECK bool sy_evidence_verify(const struct sy_evidence *evidence,
                                      const struct sy_genesis *genesis, const char **what);

/* sy_evidence_verify_by lets somebody else decide each signature. */
struct sy_verifier;
SY_MUST_CHECK bool sy_evidence_verify_by(const struct sy_verifier *verifier,
                                         const struct sy_evidence *evidence,
                                         const struct sy_genesis *genesis, const char **what);

/* sy_evidence_roster follows the evidence's own handovers to the roster of its epoch, for whoever
 * wants to name the signer. *what as above. */
SY_MUST_CHECK bool sy_evidence_roster(struct sy_roster *roster, const struct sy_evidence *evidence,
                                      const struct sy_genesis *genesis, const char **what);

/* sy_evidence_phase is a type's word: "pre_prepare", "prepare", "commit", "seal"; NULL: none. */
const char *sy_evidence_phase(uint8_t type);

#endif
