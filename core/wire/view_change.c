/* view_change.c: VIEW_CHANGE, NEW_VIEW and prepared certificates: bytes and digests. */
#include "core/wire/view_change.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define PREPARED_BYTES_MIN (8u + 22u + 2u) /* an empty proposal, no statements */

size_t sy_prepared_bytes_max(unsigned n)
{
    return 8 + SY_PROPOSAL_ENCODED_MAX + 2 + (size_t)sy_quorum(n) * SY_SEAL_BYTES;
}

size_t sy_view_change_bytes_max(unsigned n)
{
    size_t bytes = 4 + 8 + 2 + 8 + 32 + 2 + sy_quorum(n) * SY_SEAL_BYTES + 2 + 64 +
                   SY_PBFT_WINDOW * sy_prepared_bytes_max(n);
    SY_ASSERT(bytes <= SY_VIEW_CHANGE_BYTES_MAX);
    return bytes;
}

/* --- prepared certificates ------------------------------------------------------------------- */

void sy_prepared_encode(struct sy_writer *w, const struct sy_prepared *prepared)
{
    SY_ASSERT(prepared->count <= SY_VALIDATORS_MAX);
    sy_write_u64(w, prepared->view);
    sy_proposal_encode(w, &prepared->proposal);
    sy_write_u16(w, prepared->count);
    sy_seals_encode(w, prepared->statements, prepared->count);
}

static void read_statements(struct sy_reader *r, struct sy_prepared *prepared, uint16_t holder,
                            unsigned n)
{
    uint16_t primary = (uint16_t)(prepared->view % n);
    bool by_primary = holder == primary;
    prepared->count = sy_read_count16(r, SY_VALIDATORS_MAX, SY_SEAL_BYTES, "prepared.count");
    bool whole = prepared->count == sy_quorum(n) && holder != primary;
    if (!whole && prepared->count + 1u != sy_quorum(n)) sy_reader_fail(r, "prepared.count");
    sy_seals_decode(r, prepared->statements, prepared->count, n, "prepared.signer");
    for (uint16_t i = 0; i < prepared->count && !r->failed; i++) {
        uint16_t signer = prepared->statements[i].signer;
        if (signer == holder) sy_reader_fail(r, "prepared.signer");
        if (signer == primary) by_primary = true;
    }
    // A correct validator prepares what the primary proposed to it (OSDI '99, 4.2).
    if (!by_primary) sy_reader_fail(r, "prepared.primary");
}

bool sy_prepared_decode(struct sy_reader *r, struct sy_prepared *prepared, uint16_t holder,
                        unsigned n)
{
    SY_ASSERT(n >= 1 && n <= SY_VALIDATORS_MAX);
    prepared->count = 0;
    prepared->view = sy_read_slot(r, "view");
    if (sy_proposal_decode_of(r, &prepared->proposal, n)) read_statements(r, prepared, holder, n);
    return !r->failed;
}

/* --- VIEW_CHANGE ----------------------------------------------------------------------------- */

void sy_view_change_encode(struct sy_writer *w, const struct sy_view_change *change)
{
    sy_write_u32(w, change->epoch);
    sy_write_u64(w, change->view);
    sy_write_u16(w, change->signer);
    sy_write_u64(w, change->stable_height);
    if (change->stable_height != 0) {
        sy_write_hash(w, &change->stable_hash);
        sy_certificate_encode(w, &change->certificate);
    }
    sy_write_u16(w, change->count);
    sy_write_raw(w, change->prepared.data, change->prepared.size);
    sy_write_signature(w, &change->signature);
}

static void read_stable(struct sy_reader *r, struct sy_view_change *change, unsigned n)
{
    change->stable_height = sy_read_slot(r, "stable_height");
    if (change->stable_height == 0 || r->failed) return;
    sy_read_hash(r, &change->stable_hash, "stable_hash");
    if (sy_hash_is_zero(&change->stable_hash)) {
        if (sy_read_u16(r, "certificate.count") != 0) sy_reader_fail(r, "certificate.count");
        return; // the height before the epoch
    }
    (void)sy_certificate_decode(r, &change->certificate, n);
}

/* Walks over the certificates once, so that whoever walks again meets nothing unexpected. */
static void read_prepared(struct sy_reader *r, struct sy_view_change *change, unsigned n)
{
    change->count = sy_read_count16(r, SY_PBFT_WINDOW, PREPARED_BYTES_MIN, "count");
    size_t start = r->used;
    uint64_t above = change->stable_height;
    for (uint16_t i = 0; i < change->count && !r->failed; i++) {
        struct sy_prepared prepared;
        if (!sy_prepared_decode(r, &prepared, change->signer, n)) break;
        const struct sy_proposal *proposal = &prepared.proposal;
        if (proposal->epoch != change->epoch) sy_reader_fail(r, "prepared.epoch");
        if (prepared.view >= change->view) sy_reader_fail(r, "prepared.view");
        if (proposal->slot <= above || proposal->slot - change->stable_height > SY_PBFT_WINDOW)
            sy_reader_fail(r, "prepared.slot");
        above = proposal->slot;
    }
    if (!r->failed) change->prepared = sy_slice_of(r->data + start, r->used - start);
}

bool sy_view_change_decode(struct sy_reader *r, struct sy_view_change *change, unsigned n)
{
    SY_ASSERT(n >= 1 && n <= SY_VALIDATORS_MAX);
    memset(change, 0, sizeof *change);
    change->epoch = sy_read_u32(r, "epoch");
    change->view = sy_read_slot(r, "view");
    if (change->view == 0) sy_reader_fail(r, "view");
    change->signer = sy_read_u16(r, "signer");
    if (change->signer >= n) sy_reader_fail(r, "signer");
    read_stable(r, change, n);
    if (!r->failed) read_prepared(r, change, n);
    sy_read_signature(r, &change->signature, "signature");
    return !r->failed;
}

struct sy_reader sy_view_change_walk(const struct sy_view_change *change)
{
    return sy_reader_of(change->prepared);
}

bool sy_view_change_next(struct sy_reader *walk, struct sy_prepared *prepared,
                         const struct sy_view_change *change, unsigned n)
{
    if (sy_reader_left(walk) == 0) return false;
    bool good = sy_prepared_decode(walk, prepared, change->signer, n);
    SY_ASSERT(good); // decoded once before
    return good;
}

void sy_view_change_digest(struct sy_hash *out, const struct sy_hash *genesis,
                           const struct sy_view_change *change, unsigned n)
{
    uint8_t bytes[4 + 8 + 2 + 8 + 32 + 2 + SY_PBFT_WINDOW * (8 + 8 + 32)];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_write_u32(&w, change->epoch);
    sy_write_u64(&w, change->view);
    sy_write_u16(&w, change->signer);
    sy_write_u64(&w, change->stable_height);
    sy_write_hash(&w, &change->stable_hash);
    sy_write_u16(&w, change->count);
    struct sy_reader walk = sy_view_change_walk(change);
    struct sy_prepared prepared;
    while (sy_view_change_next(&walk, &prepared, change, n)) {
        struct sy_hash digest;
        sy_proposal_digest(&digest, genesis, &prepared.proposal);
        sy_write_u64(&w, prepared.proposal.slot);
        sy_write_u64(&w, prepared.view);
        sy_write_hash(&w, &digest);
    }
    SY_ASSERT(!w.failed);
    sy_hash_digest(out, SY_DIGEST_VIEW_CHANGE, genesis, sy_writer_slice(&w));
}

/* --- NEW_VIEW -------------------------------------------------------------------------------- */

/* A NEW_VIEW without its signature: what is signed. */
static void write_new_view(struct sy_writer *w, const struct sy_new_view *message)
{
    SY_ASSERT(message->count <= SY_VALIDATORS_MAX);
    sy_write_u32(w, message->epoch);
    sy_write_u64(w, message->view);
    sy_write_u16(w, message->signer);
    sy_write_u16(w, message->count);
    for (uint16_t i = 0; i < message->count; i++) {
        sy_write_u16(w, message->changes[i].signer);
        sy_write_hash(w, &message->changes[i].digest);
    }
}

void sy_new_view_encode(struct sy_writer *w, const struct sy_new_view *message)
{
    write_new_view(w, message);
    sy_write_signature(w, &message->signature);
}

bool sy_new_view_decode(struct sy_reader *r, struct sy_new_view *message, unsigned n)
{
    SY_ASSERT(n >= 1 && n <= SY_VALIDATORS_MAX);
    memset(message, 0, sizeof *message);
    message->epoch = sy_read_u32(r, "epoch");
    message->view = sy_read_slot(r, "view");
    if (message->view == 0) sy_reader_fail(r, "view");
    message->signer = sy_read_u16(r, "signer");
    if (message->signer != message->view % n) sy_reader_fail(r, "signer");
    message->count = sy_read_count16(r, SY_VALIDATORS_MAX, 2 + 32, "count");
    if (message->count != sy_quorum(n)) sy_reader_fail(r, "count");
    for (uint16_t i = 0; i < message->count && !r->failed; i++) {
        message->changes[i].signer = sy_read_u16(r, "changes.signer");
        sy_read_hash(r, &message->changes[i].digest, "changes.digest");
        bool rising = i == 0 || message->changes[i].signer > message->changes[i - 1].signer;
        if (!rising || message->changes[i].signer >= n) sy_reader_fail(r, "changes.signer");
    }
    sy_read_signature(r, &message->signature, "signature");
    return !r->failed;
}

void sy_new_view_digest(struct sy_hash *out, const struct sy_hash *genesis,
                        const struct sy_new_view *message)
{
    uint8_t bytes[4 + 8 + 2 + 2 + SY_VALIDATORS_MAX * (2 + 32)];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    write_new_view(&w, message);
    SY_ASSERT(!w.failed);
    sy_hash_digest(out, SY_DIGEST_NEW_VIEW, genesis, sy_writer_slice(&w));
}

/* --- VIEW_FETCH ------------------------------------------------------------------------------ */

void sy_view_fetch_encode(struct sy_writer *w, const struct sy_view_fetch *fetch)
{
    sy_write_u64(w, fetch->view);
    sy_write_raw(w, fetch->held, sizeof fetch->held);
}

bool sy_view_fetch_decode(struct sy_reader *r, struct sy_view_fetch *fetch, unsigned n)
{
    fetch->view = sy_read_slot(r, "view");
    struct sy_slice held = sy_read_raw(r, sizeof fetch->held, "held");
    if (r->failed) return false;
    memcpy(fetch->held, held.data, sizeof fetch->held);
    for (unsigned i = n; i < 8 * SY_VIEW_FETCH_MASK_BYTES; i++)
        if (fetch->held[i / 8] >> (i % 8) & 1) sy_reader_fail(r, "held");
    return !r->failed;
}
