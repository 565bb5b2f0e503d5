/* block.h: what PBFT orders (a proposal), what execution makes of it (header, receipts), and what
 * makes it final (seals, certificate).
 *
 *   proposal     u32 epoch | u64 slot | i64 time_ms | u16 count | entries
 *   entry        u16 maker's roster index | u64 seq | 32 batch digest
 *   header       u32 protocol | u64 height | u32 epoch | i64 time_ms | 32 previous header's hash
 *                | 32 batches root | 32 receipts root | 32 state root | 32 next roster's hash
 *   seal         u16 signer's roster index | 64 signature, kind SEAL over seal_digest
 *   certificate  u16 count | seals in roster order
 *
 * header hash = digest(HEADER, header); seal digest = digest(SEAL, u32 epoch | u64 height | header
 * hash). batches root: RFC 6962 over leaf hashes of the digests of the entries that ran; receipts
 * root: RFC 6962 over leaf hashes of the encoded receipts. */
#ifndef SY_WIRE_BLOCK_H
#define SY_WIRE_BLOCK_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"
#include "core/wire/roster.h"

struct sy_entry {
    uint16_t maker;
    uint64_t seq;
    struct sy_hash digest;
};

struct sy_proposal {
    uint32_t epoch;
    uint64_t slot;
    int64_t time_ms;
    uint16_t count; /* 0: a null or heartbeat slot */
    struct sy_entry entries[SY_PROPOSAL_ENTRIES_MAX];
};

#define SY_PROPOSAL_ENCODED_MAX (4u + 8 + 8 + 2 + SY_PROPOSAL_ENTRIES_MAX * (2u + 8 + 32))

#define SY_HEADER_BYTES (4 + 8 + 4 + 8 + 5 * 32)
struct sy_header {
    uint32_t protocol;
    uint64_t height;
    uint32_t epoch;
    int64_t time_ms;
    struct sy_hash previous;
    struct sy_hash batches_root;
    struct sy_hash receipts_root;
    struct sy_hash state_root;
    struct sy_hash next_roster;
};

#define SY_SEAL_BYTES (2u + 64u)
struct sy_seal {
    uint16_t signer;
    struct sy_signature signature;
};

struct sy_certificate {
    uint16_t count;
    struct sy_seal seals[SY_VALIDATORS_MAX];
};

/* sy_read_slot reads a slot, a height or a view: at most SY_SLOT_MAX. */
uint64_t sy_read_slot(struct sy_reader *r, const char *what);

void sy_proposal_encode(struct sy_writer *w, const struct sy_proposal *proposal);
/* Refuses over SY_PROPOSAL_ENTRIES_MAX entries and two entries of one (maker, seq) or digest. */
bool sy_proposal_decode(struct sy_reader *r, struct sy_proposal *proposal);
/* The same for a roster of n: all makers are below it. */
bool sy_proposal_decode_of(struct sy_reader *r, struct sy_proposal *proposal, unsigned n);
/* digest(PROPOSAL, encoding): without the view, so a re-proposal keeps it. */
void sy_proposal_digest(struct sy_hash *digest, const struct sy_hash *genesis,
                        const struct sy_proposal *proposal);
/* The root over the digests of its entries: a header's batches_root, when these are what ran. */
void sy_proposal_batches_root(struct sy_hash *root, const struct sy_proposal *proposal);

void sy_header_encode(struct sy_writer *w, const struct sy_header *header);
bool sy_header_decode(struct sy_reader *r, struct sy_header *header);
void sy_header_hash(struct sy_hash *hash, const struct sy_hash *genesis,
                    const struct sy_header *header);
void sy_seal_digest(struct sy_hash *digest, const struct sy_hash *genesis, uint32_t epoch,
                    uint64_t height, const struct sy_hash *header_hash);

/* What a certificate is made of: count seals. sy_seals_decode refuses signers out of order, twice,
 * or >= n, and fails at `what`; the caller has checked count against its own limit. */
void sy_seals_encode(struct sy_writer *w, const struct sy_seal *seals, uint16_t count);
void sy_seals_decode(struct sy_reader *r, struct sy_seal *seals, uint16_t count, unsigned n,
                     const char *what);

void sy_certificate_encode(struct sy_writer *w, const struct sy_certificate *certificate);
/* Refuses signers out of order, twice, or >= n; and any count but exactly quorum(n). n may be
 * SY_ROSTER_UNKNOWN for a certificate whose roster is found by its header: verifying it asks what
 * is left to ask. */
#define SY_ROSTER_UNKNOWN 0u
bool sy_certificate_decode(struct sy_reader *r, struct sy_certificate *certificate, unsigned n);

/* sy_certificate_verify checks every seal with OpenSSL, in the calling thread. */
bool sy_certificate_verify(const struct sy_certificate *certificate, const struct sy_roster *roster,
                           const struct sy_hash *genesis, const struct sy_header *header);

/* sy_certificate_verify_by lets somebody else decide each signature. */
struct sy_verifier;
bool sy_certificate_verify_by(const struct sy_verifier *verifier,
                              const struct sy_certificate *certificate,
                              const struct sy_roster *roster, const struct sy_hash *genesis,
                              const struct sy_header *header);

/* sy_genesis_header is block 0: height 0, epoch 0, genesis time, zero previous hash, empty trees,
 * the state root given. It needs no certificate: everybody derives it. */
struct sy_genesis;
void sy_genesis_header(struct sy_header *header, const struct sy_genesis *genesis,
                       const struct sy_hash *state_root);

#endif
