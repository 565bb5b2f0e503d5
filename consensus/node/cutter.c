#include "consensus/node/cutter.h"

#include "core/base/assert.h"

static sy_status held_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                           sy_state_visit visit, void *user)
{
    const struct sy_cutter *cutter = (const struct sy_cutter *)self;
    return sy_snapshot_scan(cutter->store, cutter->scanned, prefix, bits, visit, user);
}

void sy_cutter_put_top(struct sy_cutter *cutter, uint64_t height, struct sy_snapshot_top *top)
{
    sy_snapshot_top_free(&cutter->tops[0].top);
    cutter->tops[0] = cutter->tops[1];
    cutter->tops[1] = (struct sy_cutter_top){height, *top};
    *top = (struct sy_snapshot_top){.hashes = NULL};
}

void sy_cutter_forget(struct sy_cutter *cutter)
{
    for (unsigned i = 0; i < SY_CUTTER_TOPS; i++) {
        sy_snapshot_top_free(&cutter->tops[i].top);
        cutter->tops[i] = (struct sy_cutter_top){.height = 0};
    }
}

static bool load_certified(struct sy_cutter *cutter, uint64_t height)
{
    struct sy_slice part;
    struct sy_sync_message *message = &cutter->message;
    if (sy_ledger_get(cutter->reader, &part, height, SY_BLOCK_HEADER) != SY_OK) return false;
    struct sy_reader r = sy_reader_of(part);
    if (!sy_header_decode(&r, &message->header)) return false;
    if (sy_ledger_get(cutter->reader, &part, height, SY_BLOCK_CERTIFICATE) != SY_OK) return false;
    r = sy_reader_of(part);
    return sy_certificate_decode(&r, &message->certificate, SY_ROSTER_UNKNOWN);
}

static bool cut_chunk(struct sy_cutter *cutter, uint64_t height, const struct sy_hash *key)
{
    struct sy_state_source source = {cutter, NULL, held_scan};
    bool made = false;
    cutter->scanned = height;
    for (unsigned i = 0; i < SY_CUTTER_TOPS && !made; i++) {
        if (cutter->tops[i].height != height) continue;
        made = sy_chunk_make(&cutter->message.chunk, cutter->room, &cutter->hint,
                             &cutter->tops[i].top, &source, key) == SY_OK;
    }
    return made;
}

struct sy_slice sy_cutter_answer(struct sy_cutter *cutter, uint64_t height,
                                 const struct sy_hash *key)
{
    uint64_t held = sy_snapshot_height(cutter->store);
    struct sy_sync_message *message = &cutter->message;
    bool wanted = held > 0 && (height == 0 || height == held);
    bool made = wanted && load_certified(cutter, held) && cut_chunk(cutter, held, key);
    message->type = made ? SY_SYNC_SNAPSHOT : SY_SYNC_SNAPSHOT_NONE;
    // What is held but cannot be cut (its top went with a restart) is as good as nothing.
    message->height = wanted ? 0 : held;
    struct sy_writer w = sy_writer_of(cutter->frame, SY_FRAME_BYTES_MAX);
    sy_sync_encode(&w, message);
    SY_ASSERT(!w.failed); // a frame holds the largest chunk (snapshot.h)
    return sy_writer_slice(&w);
}
