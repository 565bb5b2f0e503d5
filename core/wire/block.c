/* block.c: proposals, headers, seals and certificates. */
#include "core/wire/block.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/crypto/merkle.h"
#include "core/wire/genesis.h"

#define ENTRY_BYTES (2 + 8 + 32)

uint64_t sy_read_slot(struct sy_reader *r, const char *what)
{
    uint64_t slot = sy_read_u64(r, what);
    if (slot > SY_SLOT_MAX) sy_reader_fail(r, what);
    return slot;
}

void sy_proposal_encode(struct sy_writer *w, const struct sy_proposal *proposal)
{
    if (proposal->count > SY_PROPOSAL_ENTRIES_MAX) w->failed = true;
    sy_write_u32(w, proposal->epoch);
    sy_write_u64(w, proposal->slot);
    sy_write_i64(w, proposal->time_ms);
    sy_write_u16(w, proposal->count);
    for (unsigned i = 0; i < proposal->count && !w->failed; i++) {
        sy_write_u16(w, proposal->entries[i].maker);
        sy_write_u64(w, proposal->entries[i].seq);
        sy_write_hash(w, &proposal->entries[i].digest);
    }
}

static bool read_time(struct sy_reader *r, int64_t *time_ms, const char *what)
{
    *time_ms = sy_read_i64(r, what);
    if (*time_ms < 0 || *time_ms > SY_TIME_MS_MAX) sy_reader_fail(r, what);
    return !r->failed;
}

// The same batch twice, or two batches under one number, can never both run.
static bool names_twice(const struct sy_proposal *proposal, unsigned i)
{
    const struct sy_entry *entry = &proposal->entries[i];
    for (unsigned k = 0; k < i; k++) {
        const struct sy_entry *other = &proposal->entries[k];
        if (other->maker == entry->maker && other->seq == entry->seq) return true;
        if (sy_hash_equal(&other->digest, &entry->digest)) return true;
    }
    return false;
}

bool sy_proposal_decode(struct sy_reader *r, struct sy_proposal *proposal)
{
    return sy_proposal_decode_of(r, proposal, SY_VALIDATORS_MAX);
}

bool sy_proposal_decode_of(struct sy_reader *r, struct sy_proposal *proposal, unsigned n)
{
    memset(proposal, 0, sizeof *proposal);
    proposal->epoch = sy_read_u32(r, "proposal.epoch");
    proposal->slot = sy_read_slot(r, "proposal.slot");
    if (proposal->slot == 0) sy_reader_fail(r, "proposal.slot");
    (void)read_time(r, &proposal->time_ms, "proposal.time_ms");
    proposal->count = sy_read_count16(r, SY_PROPOSAL_ENTRIES_MAX, ENTRY_BYTES, "proposal.count");
    for (unsigned i = 0; i < proposal->count && !r->failed; i++) {
        struct sy_entry *entry = &proposal->entries[i];
        entry->maker = sy_read_u16(r, "proposal.maker");
        entry->seq = sy_read_u64(r, "proposal.seq");
        sy_read_hash(r, &entry->digest, "proposal.digest");
        if (entry->maker >= n) sy_reader_fail(r, "proposal.maker");
        if (entry->seq == 0) sy_reader_fail(r, "proposal.seq");
        if (names_twice(proposal, i)) sy_reader_fail(r, "proposal.entries");
    }
    return !r->failed;
}

void sy_proposal_digest(struct sy_hash *digest, const struct sy_hash *genesis,
                        const struct sy_proposal *proposal)
{
    uint8_t bytes[SY_PROPOSAL_ENCODED_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_proposal_encode(&w, proposal);
    SY_ASSERT(!w.failed);
    sy_hash_digest(digest, SY_DIGEST_PROPOSAL, genesis, sy_writer_slice(&w));
}

void sy_proposal_batches_root(struct sy_hash *root, const struct sy_proposal *proposal)
{
    struct sy_hash leaves[SY_PROPOSAL_ENTRIES_MAX];
    SY_ASSERT(proposal->count <= SY_PROPOSAL_ENTRIES_MAX);
    for (unsigned i = 0; i < proposal->count; i++) {
        sy_hash_leaf(&leaves[i], sy_slice_of(proposal->entries[i].digest.bytes, 32));
    }
    sy_merkle_root(root, leaves, leaves, proposal->count);
}

void sy_header_encode(struct sy_writer *w, const struct sy_header *header)
{
    sy_write_u32(w, header->protocol);
    sy_write_u64(w, header->height);
    sy_write_u32(w, header->epoch);
    sy_write_i64(w, header->time_ms);
    sy_write_hash(w, &header->previous);
    sy_write_hash(w, &header->batches_root);
    sy_write_hash(w, &header->receipts_root);
    sy_write_hash(w, &header->state_root);
    sy_write_hash(w, &header->next_roster);
}

bool sy_header_decode(struct sy_reader *r, struct sy_header *header)
{
    header->protocol = sy_read_u32(r, "header.protocol");
    header->height = sy_read_u64(r, "header.height");
    header->epoch = sy_read_u32(r, "header.epoch");
    if (header->protocol != SY_PROTOCOL_VERSION) sy_reader_fail(r, "header.protocol");
    if (header->height > SY_SLOT_MAX) sy_reader_fail(r, "header.height");
    (void)read_time(r, &header->time_ms, "header.time_ms");
    sy_read_hash(r, &header->previous, "header.previous");
    sy_read_hash(r, &header->batches_root, "header.batches_root");
    sy_read_hash(r, &header->receipts_root, "header.receipts_root");
    sy_read_hash(r, &header->state_root, "header.state_root");
    sy_read_hash(r, &header->next_roster, "header.next_roster");
    return !r->failed;
}

void sy_header_hash(struct sy_hash *hash, const struct sy_hash *genesis,
                    const struct sy_header *header)
{
    uint8_t bytes[SY_HEADER_BYTES];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_header_encode(&w, header);
    SY_ASSERT(!w.failed && w.used == SY_HEADER_BYTES);
    sy_hash_digest(hash, SY_DIGEST_HEADER, genesis, sy_writer_slice(&w));
}

void sy_seal_digest(struct sy_hash *digest, const struct sy_hash *genesis, uint32_t epoch,
                    uint64_t height, const struct sy_hash *header_hash)
{
    uint8_t bytes[4 + 8 + 32];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_write_u32(&w, epoch);
    sy_write_u64(&w, height);
    sy_write_hash(&w, header_hash);
    sy_hash_digest(digest, SY_DIGEST_SEAL, genesis, sy_writer_slice(&w));
}

void sy_seals_encode(struct sy_writer *w, const struct sy_seal *seals, uint16_t count)
{
    for (unsigned i = 0; i < count && !w->failed; i++) {
        sy_write_u16(w, seals[i].signer);
        sy_write_signature(w, &seals[i].signature);
    }
}

void sy_seals_decode(struct sy_reader *r, struct sy_seal *seals, uint16_t count, unsigned n,
                     const char *what)
{
    for (unsigned i = 0; i < count && !r->failed; i++) {
        seals[i].signer = sy_read_u16(r, what);
        sy_read_signature(r, &seals[i].signature, what);
        bool ordered = i == 0 || seals[i].signer > seals[i - 1].signer;
        if (seals[i].signer >= n || !ordered) sy_reader_fail(r, what);
    }
}

void sy_certificate_encode(struct sy_writer *w, const struct sy_certificate *certificate)
{
    if (certificate->count > SY_VALIDATORS_MAX) w->failed = true;
    sy_write_u16(w, certificate->count);
    sy_seals_encode(w, certificate->seals, certificate->count);
}

bool sy_certificate_decode(struct sy_reader *r, struct sy_certificate *certificate, unsigned n)
{
    SY_ASSERT(n <= SY_VALIDATORS_MAX);
    bool known = n != SY_ROSTER_UNKNOWN;
    memset(certificate, 0, sizeof *certificate);
    certificate->count = sy_read_count16(r, SY_VALIDATORS_MAX, SY_SEAL_BYTES, "certificate.count");
    if (known && certificate->count != sy_quorum(n)) sy_reader_fail(r, "certificate.count");
    sy_seals_decode(r, certificate->seals, certificate->count, known ? n : SY_VALIDATORS_MAX,
                    "certificate.signer");
    return !r->failed;
}

bool sy_certificate_verify(const struct sy_certificate *certificate, const struct sy_roster *roster,
                           const struct sy_hash *genesis, const struct sy_header *header)
{
    return sy_certificate_verify_by(&sy_verifier_openssl, certificate, roster, genesis, header);
}

bool sy_certificate_verify_by(const struct sy_verifier *verifier,
                              const struct sy_certificate *certificate,
                              const struct sy_roster *roster, const struct sy_hash *genesis,
                              const struct sy_header *header)
{
    struct sy_hash hash;
    struct sy_hash digest;
    if (header->epoch != roster->epoch) return false;
    if (certificate->count != sy_quorum(roster->count)) return false;

    sy_header_hash(&hash, genesis, header);
    sy_seal_digest(&digest, genesis, header->epoch, header->height, &hash);
    for (unsigned i = 0; i < certificate->count; i++) {
        const struct sy_seal *seal = &certificate->seals[i];
        if (seal->signer >= roster->count) return false;
        if (i > 0 && seal->signer <= certificate->seals[i - 1].signer) return false;
        const struct sy_public_key *key = &roster->validators[seal->signer].consensus_key;
        bool good = verifier->verify(verifier->self, key, SY_SIG_SEAL, &digest, &seal->signature);
        if (!good) return false;
    }
    return true;
}

void sy_genesis_header(struct sy_header *header, const struct sy_genesis *genesis,
                       const struct sy_hash *state_root)
{
    memset(header, 0, sizeof *header);
    header->protocol = genesis->protocol;
    header->time_ms = genesis->created_ms;
    sy_merkle_root(&header->batches_root, NULL, NULL, 0);
    sy_merkle_root(&header->receipts_root, NULL, NULL, 0);
    header->state_root = *state_root;
    sy_roster_hash(&header->next_roster, &genesis->hash, &genesis->roster);
}
