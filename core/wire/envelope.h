/* envelope.h: .syenvelope, content on its way beside the ledger: sealed to those who may read it,
 * with what proves that it is the registered version.
 *
 *   offset  bytes
 *        0      8  magic "SYENVEL1"
 *        8     16  network tag
 *       24     32  envelope id: random, ties the parts together
 *       56      8  size of the body in clear
 *       64      2  wraps: how many there are
 *       66     80  each: 32 enc, 48 the content key sealed to somebody (core/crypto/hpke.h)
 *        .         the body, sealed: chunks of 65,536 bytes, the last one shorter, and 16 of tag
 * each
 *
 *   body in clear
 *        0     32  record id
 *       32      4  version
 *       36      2  form (enum record_form)
 *       38     32  salt of the version's commitment
 *       70      8  size of the content
 *       78      1  proofs: 1; 2 if the version is not the first
 *       79         each as bytes32: a .syproof of the record's entry, one of the version's
 *        .         the content, and zeros to the end: the size of a file gives no exact size away
 *
 * The first 64 bytes are the head. Wraps name nobody: to a stranger an envelope tells the network,
 * how many can open it, and about how large it is; who should open one tries each. A wrap is HPKE
 * in base mode of the 32-byte content key, info "systole-envelope-v1", aad = head.
 *
 * The content key is fresh in every envelope. Chunk i is AES-256-GCM under it, with aad = head and
 * nonce = u8 1 for the last one, else 0 | 3 zero bytes | u64 i: so chunks that are cut off, added,
 * exchanged, or of another envelope, do not open. A wrap may be added by whoever has the content
 * key, without touching the rest.
 *
 * What a grant's wrapped_key_hash commits to is one wrap:
 *
 *   SHA-256(0x00 || "systole-wrapped-v1" || head || 32 record id || u32 version || 32 X25519 key
 *           || 80 wrap)
 *
 * An envelope does not say who made it, and need not: the content counts only if its commitment is
 * the one on the ledger. The ledger never has an envelope, a content key, or a wrap. */
#ifndef SY_WIRE_ENVELOPE_H
#define SY_WIRE_ENVELOPE_H

#include "core/base/status.h"
#include "core/crypto/hpke.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"

#define SY_ENVELOPE_HEAD_BYTES 64u
#define SY_ENVELOPE_KEY_BYTES 32u
#define SY_ENVELOPE_WRAP_BYTES (SY_HPKE_ENC_BYTES + SY_ENVELOPE_KEY_BYTES + SY_HPKE_TAG_BYTES)
#define SY_ENVELOPE_CHUNK_BYTES 65536u
#define SY_ENVELOPE_WRAPS_MAX 32u
#define SY_ENVELOPE_PROOFS_MAX 2u
#define SY_ENVELOPE_BODY_MIN 79u
#define SY_ENVELOPE_BODY_MAX (256ull << 20)

/* A decoded envelope: form alone is known to be right. Borrows the file's bytes. */
struct sy_envelope {
    uint8_t network[16];
    struct sy_hash id;
    uint64_t body_bytes;
    uint16_t wrap_count;
    struct sy_slice head;
    struct sy_slice wraps;
    struct sy_slice sealed; /* the chunks */
};

/* sy_envelope_is says whether bytes claim to be such a file, by their magic. */
bool sy_envelope_is(struct sy_slice bytes);

/* sy_envelope_decode reads a whole file. False: *what (unless NULL) says what is wrong, static
 * text. sy_envelope_bytes is how long the file of a body is. */
SY_MUST_CHECK bool sy_envelope_decode(struct sy_envelope *envelope, struct sy_slice bytes,
                                      const char **what);
size_t sy_envelope_bytes(size_t body_bytes, unsigned wraps);

/* What is sealed. Slices are borrowed. */
struct sy_envelope_body {
    struct sy_hash record;
    uint32_t version;
    uint16_t form;
    struct sy_hash salt;
    unsigned proof_count;
    struct sy_slice proofs[SY_ENVELOPE_PROOFS_MAX];
    struct sy_slice content;
    uint64_t padding; /* zeros behind the content */
};
/* sy_envelope_body_bytes: how long it is encoded. sy_envelope_body_encode fails the writer on what
 * no decoder would accept. */
size_t sy_envelope_body_bytes(const struct sy_envelope_body *body);
void sy_envelope_body_encode(struct sy_writer *w, const struct sy_envelope_body *body);
SY_MUST_CHECK bool sy_envelope_body_decode(struct sy_envelope_body *body, struct sy_slice bytes,
                                           const char **what);

/* A content key: whoever holds one wipes it. */
struct sy_envelope_key {
    uint8_t bytes[SY_ENVELOPE_KEY_BYTES];
};

/* sy_envelope_seal writes the file of an encoded body for `count` X25519 keys (1 to
 * SY_ENVELOPE_WRAPS_MAX, asserted, as is that the body has a size that may be), wraps in that
 * order. The writer fails for want of room. False: key *bad is a point of small order, nothing can
 * be sealed to it. Draws id and content key from the system's randomness, and forgets the key. */
SY_MUST_CHECK bool sy_envelope_seal(struct sy_writer *w, unsigned *bad, const uint8_t network[16],
                                    const struct sy_public_key *recipients, unsigned count,
                                    struct sy_slice body);

/* sy_envelope_unwrap finds the wrap that opens with key. False: none does. */
SY_MUST_CHECK bool sy_envelope_unwrap(struct sy_envelope_key *content, unsigned *wrap,
                                      const struct sy_envelope *envelope, const sy_x25519_key *key);

/* sy_envelope_open writes body_bytes bytes in clear into room. False, and room zeroed: some chunk
 * was changed, cut off, added or moved, or the wrap was of another key. */
SY_MUST_CHECK bool sy_envelope_open(uint8_t *room, const struct sy_envelope *envelope,
                                    const struct sy_envelope_key *content);

/* sy_envelope_add writes the same envelope with one wrap more, at the end. False: it is full, or
 * recipient is a point of small order. */
SY_MUST_CHECK bool sy_envelope_add(struct sy_writer *w, const struct sy_envelope *envelope,
                                   const struct sy_envelope_key *content,
                                   const struct sy_public_key *recipient);

/* sy_envelope_wrapped_hash is what a grant commits to (above). wrap < wrap_count is asserted. */
void sy_envelope_wrapped_hash(struct sy_hash *out, const struct sy_envelope *envelope,
                              unsigned wrap, const struct sy_public_key *recipient,
                              const struct sy_hash *record, uint32_t version);

#endif
