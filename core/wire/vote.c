/* vote.c: what validators say to each other: bytes and digests. */
#include "core/wire/vote.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/batch.h"

static void write_vote_layout(struct sy_writer *w, uint32_t epoch, uint64_t view, uint64_t slot,
                              const struct sy_hash *proposal_digest)
{
    sy_write_u32(w, epoch);
    sy_write_u64(w, view);
    sy_write_u64(w, slot);
    sy_write_hash(w, proposal_digest);
}

static void hash_vote(struct sy_hash *out, enum sy_digest_kind kind, const struct sy_hash *genesis,
                      uint32_t epoch, uint64_t view, uint64_t slot,
                      const struct sy_hash *proposal_digest)
{
    uint8_t bytes[4 + 8 + 8 + 32];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    write_vote_layout(&w, epoch, view, slot, proposal_digest);
    sy_hash_digest(out, kind, genesis, sy_writer_slice(&w));
}

void sy_pre_prepare_digest(struct sy_hash *out, const struct sy_hash *genesis, uint32_t epoch,
                           uint64_t view, uint64_t slot, const struct sy_hash *proposal_digest)
{
    hash_vote(out, SY_DIGEST_PRE_PREPARE, genesis, epoch, view, slot, proposal_digest);
}

void sy_vote_digest(struct sy_hash *out, const struct sy_hash *genesis, const struct sy_vote *vote)
{
    SY_ASSERT(vote->type == SY_MESSAGE_PREPARE || vote->type == SY_MESSAGE_COMMIT);
    hash_vote(out, vote->type == SY_MESSAGE_PREPARE ? SY_DIGEST_PREPARE : SY_DIGEST_COMMIT, genesis,
              vote->epoch, vote->view, vote->slot, &vote->proposal_digest);
}

// A STATUS without its signature: what is signed.
static void write_status(struct sy_writer *w, const struct sy_status_message *status)
{
    sy_write_u32(w, status->epoch);
    sy_write_u64(w, status->view);
    sy_write_u8(w, status->in_view);
    sy_write_u16(w, status->signer);
    sy_write_u64(w, status->counter);
    sy_write_i64(w, status->time_ms);
    sy_write_u64(w, status->certified_height);
    sy_write_u64(w, status->executed_height);
    sy_write_u64(w, status->pre_prepared_mask);
    sy_write_u64(w, status->prepared_mask);
    sy_write_u64(w, status->committed_mask);
}

void sy_status_digest(struct sy_hash *out, const struct sy_hash *genesis,
                      const struct sy_status_message *status)
{
    uint8_t bytes[4 + 8 + 1 + 2 + 7 * 8];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    write_status(&w, status);
    SY_ASSERT(!w.failed && w.used == sizeof bytes);
    sy_hash_digest(out, SY_DIGEST_STATUS, genesis, sy_writer_slice(&w));
}

static void write_vote(struct sy_writer *w, const struct sy_vote *vote)
{
    write_vote_layout(w, vote->epoch, vote->view, vote->slot, &vote->proposal_digest);
    sy_write_u16(w, vote->signer);
    sy_write_signature(w, &vote->signature);
}

static void write_batch_fetch(struct sy_writer *w, const struct sy_batch_fetch *fetch)
{
    if (fetch->count > SY_FETCH_DIGESTS_MAX) w->failed = true;
    sy_write_u16(w, fetch->count);
    for (unsigned i = 0; i < fetch->count && !w->failed; i++) {
        sy_write_hash(w, &fetch->digests[i]);
    }
}

void sy_message_encode(struct sy_writer *w, const struct sy_message *message)
{
    sy_write_u8(w, message->type);
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        sy_proposal_encode(w, &message->body.pre_prepare.proposal);
        sy_write_u64(w, message->body.pre_prepare.view);
        sy_write_signature(w, &message->body.pre_prepare.signature);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: write_vote(w, &message->body.vote); break;
    case SY_MESSAGE_SEAL:
        sy_write_u32(w, message->body.seal.epoch);
        sy_write_u64(w, message->body.seal.height);
        sy_write_hash(w, &message->body.seal.header_hash);
        sy_write_u16(w, message->body.seal.seal.signer);
        sy_write_signature(w, &message->body.seal.seal.signature);
        break;
    case SY_MESSAGE_STATUS:
        write_status(w, &message->body.status);
        sy_write_signature(w, &message->body.status.signature);
        break;
    case SY_MESSAGE_BATCH:
        sy_write_raw(w, message->body.batch.data, message->body.batch.size);
        break;
    case SY_MESSAGE_BATCH_FETCH: write_batch_fetch(w, &message->body.batch_fetch); break;
    case SY_MESSAGE_SLOT_FETCH:
        sy_write_u64(w, message->body.range_fetch.view); // then the range
        __attribute__((fallthrough));
    case SY_MESSAGE_BLOCK_FETCH:
        sy_write_u64(w, message->body.range_fetch.first);
        sy_write_u16(w, message->body.range_fetch.count);
        break;
    case SY_MESSAGE_BLOCK:
        sy_proposal_encode(w, &message->body.block.proposal);
        sy_header_encode(w, &message->body.block.header);
        sy_certificate_encode(w, &message->body.block.certificate);
        break;
    case SY_MESSAGE_VIEW_CHANGE: sy_view_change_encode(w, &message->body.view_change); break;
    case SY_MESSAGE_NEW_VIEW: sy_new_view_encode(w, &message->body.new_view); break;
    case SY_MESSAGE_VIEW_FETCH: sy_view_fetch_encode(w, &message->body.view_fetch); break;
    default: w->failed = true;
    }
}

static uint16_t read_signer(struct sy_reader *r, unsigned n)
{
    uint16_t signer = sy_read_u16(r, "signer");
    if (signer >= n) sy_reader_fail(r, "signer");
    return signer;
}

// Slots and heights that are voted on start at 1: 0 is the genesis.
static uint64_t read_slot(struct sy_reader *r)
{
    uint64_t slot = sy_read_slot(r, "slot");
    if (slot == 0) sy_reader_fail(r, "slot");
    return slot;
}

static void read_pre_prepare(struct sy_reader *r, struct sy_pre_prepare *out, unsigned n)
{
    (void)sy_proposal_decode_of(r, &out->proposal, n);
    out->view = sy_read_slot(r, "view");
    sy_read_signature(r, &out->signature, "signature");
}

static void read_vote(struct sy_reader *r, struct sy_vote *vote, uint8_t type, unsigned n)
{
    vote->type = type;
    vote->epoch = sy_read_u32(r, "epoch");
    vote->view = sy_read_slot(r, "view");
    vote->slot = read_slot(r);
    sy_read_hash(r, &vote->proposal_digest, "proposal_digest");
    vote->signer = read_signer(r, n);
    sy_read_signature(r, &vote->signature, "signature");
}

static void read_seal(struct sy_reader *r, struct sy_seal_message *out, unsigned n)
{
    out->epoch = sy_read_u32(r, "epoch");
    out->height = read_slot(r);
    sy_read_hash(r, &out->header_hash, "header_hash");
    out->seal.signer = read_signer(r, n);
    sy_read_signature(r, &out->seal.signature, "signature");
}

static void read_status(struct sy_reader *r, struct sy_status_message *status, unsigned n)
{
    status->epoch = sy_read_u32(r, "epoch");
    status->view = sy_read_slot(r, "view");
    status->in_view = sy_read_bool(r, "in_view");
    status->signer = read_signer(r, n);
    status->counter = sy_read_u64(r, "counter");
    status->time_ms = sy_read_i64(r, "time_ms");
    status->certified_height = sy_read_slot(r, "certified_height");
    status->executed_height = sy_read_slot(r, "executed_height");
    status->pre_prepared_mask = sy_read_u64(r, "pre_prepared_mask");
    status->prepared_mask = sy_read_u64(r, "prepared_mask");
    status->committed_mask = sy_read_u64(r, "committed_mask");
    sy_read_signature(r, &status->signature, "signature");
    if (status->time_ms < 0 || status->time_ms > SY_TIME_MS_MAX) sy_reader_fail(r, "time_ms");
}

// Digests are all different, so that one request cannot ask for one body many times.
static void read_batch_fetch(struct sy_reader *r, struct sy_batch_fetch *fetch)
{
    fetch->count = sy_read_count16(r, SY_FETCH_DIGESTS_MAX, 32, "count");
    if (fetch->count == 0) sy_reader_fail(r, "count");
    for (unsigned i = 0; i < fetch->count; i++) {
        sy_read_hash(r, &fetch->digests[i], "digests");
        for (unsigned k = 0; k < i; k++) {
            if (sy_hash_equal(&fetch->digests[k], &fetch->digests[i])) {
                sy_reader_fail(r, "digests");
            }
        }
    }
}

static void read_range(struct sy_reader *r, struct sy_range_fetch *fetch, uint8_t type)
{
    if (type == SY_MESSAGE_SLOT_FETCH) fetch->view = sy_read_slot(r, "view");
    fetch->first = read_slot(r);
    fetch->count = sy_read_u16(r, "count");
    if (fetch->count == 0 || fetch->count > SY_FETCH_BLOCKS_MAX) sy_reader_fail(r, "count");
}

static void read_block(struct sy_reader *r, struct sy_block_message *block, unsigned n)
{
    (void)sy_proposal_decode_of(r, &block->proposal, n);
    (void)sy_header_decode(r, &block->header);
    if (!r->failed) (void)sy_certificate_decode(r, &block->certificate, n);
    if (block->header.height != block->proposal.slot) sy_reader_fail(r, "header.height");
    if (block->header.epoch != block->proposal.epoch) sy_reader_fail(r, "header.epoch");
}

static void read_batch(struct sy_reader *r, struct sy_slice *bytes)
{
    struct sy_batch batch;
    *bytes = sy_read_raw(r, sy_reader_left(r), "batch");
    if (!sy_batch_decode(&batch, *bytes)) sy_reader_fail(r, "batch");
}

bool sy_message_decode(struct sy_message *message, struct sy_slice bytes, unsigned n)
{
    struct sy_reader r = sy_reader_of(bytes);
    SY_ASSERT(n >= 1 && n <= SY_VALIDATORS_MAX);
    memset(message, 0, sizeof *message);
    message->type = sy_read_u8(&r, "type");
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: read_pre_prepare(&r, &message->body.pre_prepare, n); break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: read_vote(&r, &message->body.vote, message->type, n); break;
    case SY_MESSAGE_SEAL: read_seal(&r, &message->body.seal, n); break;
    case SY_MESSAGE_STATUS: read_status(&r, &message->body.status, n); break;
    case SY_MESSAGE_BATCH: read_batch(&r, &message->body.batch); break;
    case SY_MESSAGE_BATCH_FETCH: read_batch_fetch(&r, &message->body.batch_fetch); break;
    case SY_MESSAGE_BLOCK_FETCH:
    case SY_MESSAGE_SLOT_FETCH: read_range(&r, &message->body.range_fetch, message->type); break;
    case SY_MESSAGE_BLOCK: read_block(&r, &message->body.block, n); break;
    case SY_MESSAGE_VIEW_CHANGE:
        (void)sy_view_change_decode(&r, &message->body.view_change, n);
        break;
    case SY_MESSAGE_NEW_VIEW: (void)sy_new_view_decode(&r, &message->body.new_view, n); break;
    case SY_MESSAGE_VIEW_FETCH: (void)sy_view_fetch_decode(&r, &message->body.view_fetch, n); break;
    default: sy_reader_fail(&r, "type");
    }
    return sy_reader_done(&r);
}
