/* fuzz_pbft.c: event sequences read from bytes. The messages say anything that decodes; the node's
 * own events keep what the node promises (pbft.h), in an order and at a pace that the bytes choose.
 * Whatever comes, no assertion may be reached and no list overflow; own votes never contradict.
 *
 *   byte 0     roster size: 4, 5, 6, 7, 13 or 100; whether the epoch is a later one, with heights
 *              before it; how many slots it has left at the start, or that no end is in sight
 *   byte 1     own index
 *   then       one event after another: a byte says which, its operands follow
 *
 * Operands are small on purpose, so that random bytes meet the same slots, digests and signers. */
#include <stdlib.h>
#include <string.h>

#include "consensus/pbft/message.h"
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/network.h"

#define MS 1000000ull
#define EVENTS_MAX 4000u
#define SLOTS_MAX 512u
#define VIEWS_MAX 16u
#define BASE 200u /* height before a later epoch's first */
#define RECENT_MAX 16u

struct input {
    const uint8_t *data;
    size_t size, used;
};

static struct {
    sy_arena arena;
    sy_pbft *pbft;
    struct sy_pbft_config config;
    uint64_t now_ns;
    uint64_t token, durable; /* emitted, told */
    uint64_t boots;
    struct sy_proposal queue[SY_PBFT_WINDOW];
    unsigned queued;
    uint64_t executed, certify_asked, certified;
    uint64_t next_epoch;   /* height from which another roster orders; 0: none is known */
    struct sy_hash header; /* of the executed block */
    uint64_t next_seqs[SY_VALIDATORS_MAX];
    /* What it signed, by view and slot: PRE_PREPARE or PREPARE, and COMMIT. */
    bool has_vote[2][VIEWS_MAX][SLOTS_MAX];
    struct sy_hash votes[2][VIEWS_MAX][SLOTS_MAX];
    uint64_t promised_view;                    /* of the last VIEW_CHANGE that it sent */
    struct sy_hash changes[SY_VALIDATORS_MAX]; /* digests of the last ones that were shown to it */
    struct sy_proposal recent[RECENT_MAX];     /* proposals that were spoken of last */
    unsigned recent_count;
} f;

static struct sy_pbft_effects effects;
static struct sy_message message;

static uint8_t take(struct input *in)
{
    return in->used < in->size ? in->data[in->used++] : 0;
}

static uint64_t take_wide(struct input *in)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) v = v << 8 | take(in);
    return v;
}

/* Mostly a small number near the window, now and then any. */
static uint64_t take_slot(struct input *in)
{
    uint8_t byte = take(in);
    if (byte == 255) return take_wide(in);
    return f.certified + byte % 70;
}

static uint16_t take_signer(struct input *in)
{
    return (uint16_t)(take(in) % f.config.n);
}

static struct sy_hash hash_of(uint64_t number)
{
    struct sy_hash hash;
    uint8_t bytes[8];
    sy_store_u64(bytes, number);
    sy_sha256(&hash, bytes, sizeof bytes);
    return hash;
}

/* One of few bodies; its number says whose it is. */
static struct sy_entry take_entry(struct input *in)
{
    uint8_t number = take(in);
    struct sy_entry entry = {.maker = (uint16_t)(number % 3 % f.config.n),
                             .seq = 1u + number / 8u % 16u,
                             .digest = hash_of(number % 24)};
    return entry;
}

static void make_proposal(struct sy_proposal *proposal, struct input *in)
{
    memset(proposal, 0, sizeof *proposal);
    proposal->epoch = f.config.epoch + (take(in) == 254);
    proposal->slot = take_slot(in);
    uint8_t time = take(in);
    proposal->time_ms = time == 255 ? (int64_t)take_wide(in)
                                    : 1700000000000ll + (int64_t)(f.now_ns / MS) + time * 40 - 4000;
    uint8_t count = take(in);
    proposal->count = count > 250 ? SY_PROPOSAL_ENTRIES_MAX : count % 5;
    for (uint16_t i = 0; i < proposal->count; i++) {
        proposal->entries[i] = take_entry(in);
        if (count > 250) proposal->entries[i].seq = 1000u + i; // as the decoder demands: all differ
        if (count > 250) proposal->entries[i].digest = hash_of(1000u + i);
        for (uint16_t j = 0; j < i; j++) {
            const struct sy_entry *a = &proposal->entries[i], *b = &proposal->entries[j];
            bool same =
                sy_hash_equal(&a->digest, &b->digest) || (a->maker == b->maker && a->seq == b->seq);
            if (same) proposal->count = i; // what the decoder refuses is cut off
        }
    }
}

/* One of those spoken of last (0 is the newest), or a new one. */
static void take_proposal(struct sy_proposal *proposal, struct input *in)
{
    uint8_t which = take(in);
    if (which < f.recent_count && which < RECENT_MAX) {
        *proposal = f.recent[(f.recent_count - 1u - which) % RECENT_MAX];
        return;
    }
    make_proposal(proposal, in);
    f.recent[f.recent_count++ % RECENT_MAX] = *proposal;
}

/* --- what the machine did -------------------------------------------------------------------- */

static void check_vote(unsigned phase, uint64_t view, uint64_t slot, const struct sy_hash *digest)
{
    SY_ASSERT(view >= f.promised_view);
    if (slot >= SLOTS_MAX || view >= VIEWS_MAX) return;
    SY_ASSERT(!f.has_vote[phase][view][slot] || sy_hash_equal(&f.votes[phase][view][slot], digest));
    f.has_vote[phase][view][slot] = true;
    f.votes[phase][view][slot] = *digest;
}

static void check_sent(const struct sy_message *sent)
{
    struct sy_hash digest;
    const struct sy_pre_prepare *own = &sent->body.pre_prepare;
    const struct sy_vote *vote = &sent->body.vote;
    switch (sent->type) {
    case SY_MESSAGE_PRE_PREPARE:
        if (own->view % f.config.n != f.config.self) break;
        f.recent[f.recent_count++ % RECENT_MAX] = own->proposal;
        sy_proposal_digest(&digest, &f.config.genesis, &own->proposal);
        check_vote(0, own->view, own->proposal.slot, &digest);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        if (vote->signer != f.config.self) break;
        check_vote(sent->type == SY_MESSAGE_COMMIT, vote->view, vote->slot, &vote->proposal_digest);
        break;
    case SY_MESSAGE_VIEW_CHANGE:
        if (sent->body.view_change.signer != f.config.self) break;
        if (sent->body.view_change.view > f.promised_view)
            f.promised_view = sent->body.view_change.view;
        sy_view_change_digest(&f.changes[f.config.self], &f.config.genesis, &sent->body.view_change,
                              f.config.n);
        break;
    default: break;
    }
}

static void check_effect(struct sy_pbft_effect *effect)
{
    static uint8_t bytes[SY_FRAME_BYTES_MAX];
    static struct sy_pbft_record back;
    struct sy_own_signature own[SY_PBFT_OWN_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    SY_ASSERT(sy_pbft_effect_own(own, effect, &f.config) <= SY_PBFT_OWN_MAX);
    switch (effect->type) {
    case SY_PBFT_PERSIST:
        SY_ASSERT(effect->as.persist.token > f.token);
        f.token = effect->as.persist.token;
        if (effect->as.persist.record.type == SY_PBFT_RECORD_BOOT)
            f.boots = effect->as.persist.record.as.boots;
        sy_pbft_record_encode(&w, &effect->as.persist.record);
        SY_ASSERT(!w.failed && w.used <= SY_PBFT_RECORD_BYTES_MAX);
        SY_ASSERT(
            sy_pbft_record_decode(&back, sy_slice_of(bytes, w.used), f.config.self, f.config.n));
        break;
    case SY_PBFT_SEND:
        check_sent(&effect->as.send.message);
        sy_message_encode(&w, &effect->as.send.message);
        SY_ASSERT(!w.failed);
        break;
    case SY_PBFT_EXECUTE:
        SY_ASSERT(f.queued < SY_PBFT_WINDOW);
        SY_ASSERT(effect->as.execute.proposal.slot == f.executed + f.queued + 1);
        f.queue[f.queued++] = effect->as.execute.proposal;
        break;
    case SY_PBFT_CERTIFIED:
        SY_ASSERT(effect->as.certified.height == f.certify_asked + 1);
        SY_ASSERT(effect->as.certified.certificate.count == sy_quorum(f.config.n));
        f.certify_asked++;
        break;
    default: break;
    }
}

static void step(struct sy_pbft_event *event)
{
    struct sy_pbft_info info;
    event->now_ns = f.now_ns;
    event->now_ms = 1700000000000ll + (int64_t)(f.now_ns / MS);
    sy_pbft_step(f.pbft, &effects, event);
    SY_ASSERT(effects.count <= SY_PBFT_EFFECTS_MAX);
    for (uint32_t i = 0; i < effects.count; i++) check_effect(&effects.items[i]);
    sy_pbft_get_info(f.pbft, &info, f.now_ns);
    SY_ASSERT(info.certified_height == f.certified && info.executed_height == f.executed);
    SY_ASSERT(f.next_epoch == 0 || f.executed < f.next_epoch);
}

/* Only what comes through the decoder reaches the machine. */
static void send(uint16_t from)
{
    static uint8_t bytes[SY_FRAME_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_message_encode(&w, &message);
    SY_ASSERT(!w.failed);
    if (!sy_message_decode(&message, sy_writer_slice(&w), f.config.n)) return;
    struct sy_pbft_event event = {.type = SY_PBFT_MESSAGE};
    event.as.message.from = from;
    event.as.message.message = &message;
    bool wanted = sy_pbft_wants(f.pbft, &message);
    step(&event);
    for (uint32_t i = 0; i < effects.count; i++)
        SY_ASSERT(wanted || (effects.items[i].type != SY_PBFT_EVIDENCE &&
                             effects.items[i].type != SY_PBFT_ALARM));
}

static uint64_t current_view(void)
{
    struct sy_pbft_info info;
    sy_pbft_get_info(f.pbft, &info, f.now_ns);
    return info.view;
}

/* --- messages -------------------------------------------------------------------------------- */

static struct sy_hash take_digest(struct sy_proposal *room, struct input *in)
{
    struct sy_hash digest;
    take_proposal(room, in);
    sy_proposal_digest(&digest, &f.config.genesis, room);
    return digest;
}

static void send_votes(struct input *in, uint8_t type)
{
    static struct sy_proposal proposal;
    struct sy_hash digest = take_digest(&proposal, in);
    uint8_t voters = take(in);
    uint16_t first = take_signer(in);
    for (uint16_t i = 0; i < voters % 8u + 1u; i++) {
        message.type = type;
        message.body.vote = (struct sy_vote){.type = type,
                                             .epoch = proposal.epoch,
                                             .slot = proposal.slot,
                                             .view = voters > 240 ? voters % 4u : current_view(),
                                             .proposal_digest = digest,
                                             .signer = (uint16_t)((first + i) % f.config.n)};
        // Nobody else holds the own key, except when the bytes say so.
        if (message.body.vote.signer == f.config.self && voters < 200) continue;
        send(message.body.vote.signer);
    }
}

static void send_seals(struct input *in)
{
    uint64_t height = take_slot(in);
    uint8_t voters = take(in), which = take(in);
    for (uint16_t i = 0; i < voters % 8u + 1u; i++) {
        message.type = SY_MESSAGE_SEAL;
        message.body.seal =
            (struct sy_seal_message){.epoch = f.config.epoch + (voters > 250),
                                     .height = height,
                                     .header_hash = which < 128 ? hash_of(height) : hash_of(which),
                                     .seal = {.signer = (uint16_t)(i % f.config.n)}};
        if (message.body.seal.seal.signer == f.config.self && voters < 200) continue;
        send(message.body.seal.seal.signer);
    }
}

static void send_status(struct input *in)
{
    message.type = SY_MESSAGE_STATUS;
    message.body.status = (struct sy_status_message){.epoch = f.config.epoch,
                                                     .signer = take_signer(in),
                                                     .counter = take(in),
                                                     .view = current_view() + (take(in) > 240),
                                                     .in_view = f.now_ns % 3 != 0,
                                                     .certified_height = take_slot(in),
                                                     .executed_height = take_slot(in)};
    struct sy_status_message *status = &message.body.status;
    if (status->counter > 128) status->counter = take_wide(in);
    status->time_ms = (int64_t)take_wide(in);
    status->pre_prepared_mask = take_wide(in);
    status->prepared_mask = take_wide(in) & status->pre_prepared_mask;
    status->committed_mask = take_wide(in);
    uint8_t bend = take(in);
    if (bend > 200) status->epoch++; // unsigned, in anybody's name
    uint16_t from = status->signer;
    if (bend > 128) from = (uint16_t)(bend % f.config.n);
    send(from);
}

/* A block around the header that execution in this harness gives, or around another. */
static void send_block(struct input *in)
{
    struct sy_block_message *block = &message.body.block;
    struct sy_hash leaves[SY_PROPOSAL_ENTRIES_MAX];
    message.type = SY_MESSAGE_BLOCK;
    memset(block, 0, sizeof *block);
    take_proposal(&block->proposal, in);
    uint8_t bend = take(in);
    block->header = (struct sy_header){.protocol = SY_PROTOCOL_VERSION,
                                       .height = block->proposal.slot,
                                       .epoch = block->proposal.epoch,
                                       .time_ms = block->proposal.time_ms};
    for (uint16_t i = 0; i < block->proposal.count; i++)
        sy_hash_leaf(&leaves[i], sy_slice_of(block->proposal.entries[i].digest.bytes, 32));
    sy_merkle_root(&block->header.batches_root, leaves, leaves, block->proposal.count);
    if (block->proposal.slot == f.executed + 1) block->header.previous = f.header;
    if (bend > 200) block->header.height++;
    if (bend > 220) block->header.batches_root = hash_of(bend);
    block->certificate.count = (uint16_t)sy_quorum(f.config.n);
    for (uint16_t i = 0; i < block->certificate.count; i++) block->certificate.seals[i].signer = i;
    send(bend % 16 == 0 ? SY_PBFT_OBSERVER : take_signer(in));
}

static void send_pre_prepare(struct input *in)
{
    message.type = SY_MESSAGE_PRE_PREPARE;
    take_proposal(&message.body.pre_prepare.proposal, in);
    message.body.pre_prepare.view = current_view() + (take(in) > 240);
    // On the primary this is its own signature over something: it may halt, no more.
    send(take_signer(in));
}

/* What a VIEW_CHANGE may show as prepared: any proposal that decodes, by the lowest validators that
 * can be. */
static bool write_prepared(struct sy_writer *w, struct input *in,
                           const struct sy_view_change *change)
{
    static struct sy_prepared prepared;
    struct sy_writer before = *w;
    take_proposal(&prepared.proposal, in);
    uint64_t slot = prepared.proposal.slot;
    if (slot <= change->stable_height || slot - change->stable_height > SY_PBFT_WINDOW)
        return false;
    prepared.view = change->view == 0 ? 0 : take(in) % change->view;
    test_prepared_by(&prepared, f.config.n, change->signer);
    sy_prepared_encode(w, &prepared);
    struct sy_reader r = sy_reader_of(sy_writer_slice(w));
    if (sy_prepared_decode(&r, &prepared, change->signer, f.config.n)) return true;
    *w = before; // a time out of range, say
    return false;
}

static void send_view_change(struct input *in)
{
    static uint8_t bytes[SY_VIEW_CHANGE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    uint8_t byte = take(in);
    message.type = SY_MESSAGE_VIEW_CHANGE;
    struct sy_view_change *change = &message.body.view_change;
    memset(change, 0, sizeof *change);
    change->epoch = f.config.epoch;
    change->view = current_view() + byte % 3;
    if (byte > 250) change->view = take_wide(in) >> 1;
    change->signer = take_signer(in);
    // Nobody else holds the own key, except when the bytes say so.
    if (change->signer == f.config.self && byte < 240) return;
    uint8_t stable = take(in);
    change->stable_height = stable % 2 ? f.certified : f.certified + stable % 40;
    bool bare = change->stable_height == f.config.base && byte % 8 != 7; // P37
    if (change->stable_height != 0 && !bare) {
        change->stable_hash = hash_of(change->stable_height);
        change->certificate.count = (uint16_t)sy_quorum(f.config.n);
        for (uint16_t i = 0; i < change->certificate.count; i++)
            change->certificate.seals[i].signer = i;
    }
    if (take(in) % 4 && write_prepared(&w, in, change)) change->count = 1;
    change->prepared = sy_writer_slice(&w);
    sy_view_change_digest(&f.changes[change->signer], &f.config.genesis, change, f.config.n);
    send(change->signer);
}

static void send_new_view(struct input *in)
{
    uint8_t byte = take(in);
    message.type = SY_MESSAGE_NEW_VIEW;
    struct sy_new_view *new_view = &message.body.new_view;
    *new_view = (struct sy_new_view){.epoch = f.config.epoch, .view = current_view() + byte % 3};
    new_view->signer = (uint16_t)(new_view->view % f.config.n);
    if (new_view->signer == f.config.self && byte < 250) return;
    uint16_t skip = take_signer(in);
    for (uint16_t i = 0; i < f.config.n && new_view->count < sy_quorum(f.config.n); i++) {
        if (i == skip) continue;
        new_view->changes[new_view->count].signer = i;
        new_view->changes[new_view->count++].digest = f.changes[i];
    }
    send(new_view->signer);
}

static void send_view_fetch(struct input *in)
{
    message = (struct sy_message){.type = SY_MESSAGE_VIEW_FETCH};
    message.body.view_fetch.view = current_view() + take(in) % 2;
    message.body.view_fetch.held[0] = take(in) & 15;
    send(take_signer(in));
}

static void send_fetch(struct input *in)
{
    message.type = take(in) % 4 ? SY_MESSAGE_SLOT_FETCH : SY_MESSAGE_BLOCK_FETCH;
    message.body.range_fetch = (struct sy_range_fetch){.view = current_view() + (take(in) > 240),
                                                       .first = take_slot(in),
                                                       .count = (uint16_t)take_wide(in)};
    send(take_signer(in));
}

/* --- the node's events ----------------------------------------------------------------------- */

static void send_batch(struct input *in)
{
    struct sy_pbft_event event = {.type = SY_PBFT_BATCH_READY};
    struct sy_entry entry = take_entry(in);
    uint8_t byte = take(in);
    event.as.batch.digest = entry.digest;
    event.as.batch.maker = entry.maker;
    event.as.batch.seq = entry.seq;
    event.as.batch.tx_count = byte * 16u;
    event.as.batch.bytes = byte * 4096u;
    if (byte > 230) event.type = SY_PBFT_BATCH_DROPPED;
    event.as.batch.condemned = byte > 240;
    step(&event);
}

static void send_persisted(struct input *in)
{
    uint64_t left = f.token - f.durable;
    if (left == 0) return;
    uint8_t byte = take(in);
    f.durable += byte > 128 ? left : 1 + byte % left;
    struct sy_pbft_event event = {.type = SY_PBFT_PERSISTED};
    event.as.token = f.durable;
    step(&event);
}

static void send_executed(struct input *in)
{
    if (f.queued == 0) return;
    const struct sy_proposal *proposal = &f.queue[0];
    for (uint16_t i = 0; i < proposal->count; i++)
        if (proposal->entries[i].seq == f.next_seqs[proposal->entries[i].maker])
            f.next_seqs[proposal->entries[i].maker]++;
    memmove(f.queue, f.queue + 1, --f.queued * sizeof f.queue[0]);
    f.executed++;
    f.header = take(in) > 20 ? hash_of(f.executed) : hash_of(77);
    struct sy_pbft_event event = {.type = SY_PBFT_EXECUTED};
    event.as.executed.height = f.executed;
    event.as.executed.header_hash = f.header;
    event.as.executed.next_seqs = f.next_seqs;
    event.as.executed.next_epoch = f.next_epoch;
    step(&event);
}

static void send_certified(struct input *in)
{
    uint64_t left = f.certify_asked - f.certified;
    if (left == 0) return;
    f.certified += 1 + take(in) % left;
    struct sy_pbft_event event = {.type = SY_PBFT_CERTIFICATE_DURABLE};
    event.as.height = f.certified;
    step(&event);
}

static void send_timer(struct input *in)
{
    uint8_t byte = take(in);
    f.now_ns += (uint64_t)byte * byte * MS / 16;
    struct sy_pbft_event event = {.type = SY_PBFT_TIMER};
    event.as.timer = (enum sy_pbft_timer)(take(in) % SY_PBFT_TIMER_COUNT);
    step(&event);
}

/* --- the course ------------------------------------------------------------------------------ */

static void send_restore(struct input *in)
{
    static struct sy_pbft_record record;
    struct sy_pbft_event event = {.type = SY_PBFT_RESTORE};
    memset(&record, 0, sizeof record);
    uint8_t byte = take(in);
    record.type = byte % 3 == 0 ? SY_PBFT_RECORD_PREPARE : SY_PBFT_RECORD_PREPARED;
    if (byte % 16 == 15) record.type = SY_PBFT_RECORD_BOOT;
    struct sy_proposal *proposal = &record.as.prepare.proposal;
    if (record.type == SY_PBFT_RECORD_PREPARED) {
        proposal = &record.as.prepared.proposal;
        test_prepared_by(&record.as.prepared, f.config.n, f.config.self);
    }
    if (record.type != SY_PBFT_RECORD_BOOT) {
        take_proposal(proposal, in);
        record.slot = proposal->slot;
    }
    static uint8_t bytes[SY_PBFT_RECORD_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_pbft_record_encode(&w, &record);
    SY_ASSERT(!w.failed);
    if (!sy_pbft_record_decode(&record, sy_writer_slice(&w), f.config.self, f.config.n)) return;
    event.as.record = &record;
    step(&event);
}

/* All others answer the start, so that it votes. */
static void be_answered(void)
{
    struct sy_pbft_event persisted = {.type = SY_PBFT_PERSISTED};
    if (f.config.self == SY_PBFT_OBSERVER) return;
    persisted.as.token = f.durable = f.token;
    step(&persisted);
    message.type = SY_MESSAGE_STATUS;
    message.body.status = (struct sy_status_message){
        .epoch = f.config.epoch, .signer = f.config.self, .counter = f.boots << 32 | 1};
    for (uint16_t i = 0; i < f.config.n; i++)
        if (i != f.config.self) send(i);
}

static void open_machine(struct input *in)
{
    static const uint16_t sizes[] = {4, 5, 6, 7, 13, SY_VALIDATORS_MAX};
    sy_arena arena = f.arena;
    memset(&f, 0, sizeof f);
    f.arena = arena;
    sy_pbft_config_default(&f.config);
    uint8_t shape = take(in);
    f.config.n = sizes[shape % 6];
    f.config.epoch = shape / 6 % 2;
    f.config.base = f.config.epoch > 0 ? BASE : 0;
    f.executed = f.certify_asked = f.certified = f.config.base;
    if (shape / 12 > 0) f.next_epoch = f.config.base + 1 + shape / 12;
    uint8_t self = take(in);
    f.config.self = (uint16_t)(self == 255 ? SY_PBFT_OBSERVER : self % f.config.n);
    if (!f.arena.base) {
        sy_status opened = sy_arena_open(&f.arena, sy_pbft_footprint(SY_VALIDATORS_MAX));
        SY_ASSERT(opened == SY_OK);
    }
    memset(f.arena.base, 0, f.arena.used_bytes);
    f.arena.used_bytes = 0;
    sy_status status = sy_pbft_init(&f.pbft, &f.arena, &f.config, NULL);
    SY_ASSERT(status == SY_OK);
    for (size_t i = 0; i < SY_VALIDATORS_MAX; i++) f.next_seqs[i] = 1;
    f.now_ns = 1000 * MS;
    f.header = hash_of(f.config.base);
    struct sy_pbft_event start = {.type = SY_PBFT_START};
    start.as.start.header_hash = f.header;
    start.as.start.certified_height = f.config.base;
    start.as.start.next_epoch = f.next_epoch;
    start.as.start.next_seqs = f.next_seqs;
    step(&start);
    for (uint8_t records = take(in) % 8; records > 0; records--) send_restore(in);
    struct sy_pbft_event resume = {.type = SY_PBFT_RESUME};
    step(&resume);
    if (self < 128) be_answered();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size, 0};
    open_machine(&in);
    for (unsigned i = 0; i < EVENTS_MAX && in.used < in.size; i++) {
        switch (take(&in) % 16) {
        case 0:
        case 1: send_pre_prepare(&in); break;
        case 2: send_votes(&in, SY_MESSAGE_PREPARE); break;
        case 3: send_votes(&in, SY_MESSAGE_COMMIT); break;
        case 4: send_seals(&in); break;
        case 5: send_status(&in); break;
        case 6: send_block(&in); break;
        case 7: send_fetch(&in); break;
        case 8: send_batch(&in); break;
        case 9: send_persisted(&in); break;
        case 10:
            send_executed(&in);
            send_certified(&in);
            break;
        case 12: send_view_change(&in); break;
        case 13: send_new_view(&in); break;
        case 14: send_view_fetch(&in); break;
        default: send_timer(&in); break;
        }
    }
    return 0;
}
