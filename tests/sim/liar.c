/* liar.c: validators that do not keep to the protocol, at most f of them.
 *
 * Inside each runs a correct node, so that a liar knows all that a validator can know; what the
 * node sends passes through here once for every peer, and each peer may hear something else. A liar
 * signs with its own key only, and liars work together: when one of them proposes two things in a
 * slot, all of them tell the same peers (the victims) the same second thing. What peers relay to
 * it under its own key is kept from its node, which would stop: it has not said that. */
#include "tests/sim/liar.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/support/lies.h"

#define KEPT_BYTES_MAX 65536u

static struct sy_message heard; /* one thread, one message at a time */

bool sim_does(struct world *world, enum sim_lie lie, uint64_t of)
{
    return (world->options.lies & lie) != 0 && sy_prng_chance(&world->prng, 1, of);
}

/* ---- who lies ---------------------------------------------------------------------------- */

uint16_t sim_another(struct world *world, uint16_t index)
{
    return (uint16_t)((index + 1 + sy_prng_below(&world->prng, world->n - 1u)) % world->n);
}

/* The odd one first; whoever comes later is correct. */
static void choose_liars(struct world *world, unsigned count)
{
    const struct sim_options *options = &world->options;
    uint32_t mask = 1u << world->odd;
    while (--count > 0) {
        uint16_t next = world->odd;
        while ((mask >> next & 1u) != 0 || (next == 0 && !options->bad_primary)) {
            next = (uint16_t)sy_prng_below(&world->prng, options->validators);
        }
        mask |= 1u << next;
    }
    world->liars.mask = mask;
    world->liars.victim = sim_another(world, world->odd);
    world->liars.flood_seq = 1;
}

/* One, or in one world of four all of them: as if it were dead, for good. */
static uint32_t draw_shunned(struct world *world)
{
    uint16_t one = sim_another(world, world->odd);
    return sy_prng_chance(&world->prng, 1, 4) ? UINT32_MAX : 1u << one;
}

void sim_liars_open(struct world *world)
{
    const struct sim_options *options = &world->options;
    struct liars *liars = &world->liars;
    unsigned first = options->validators;
    unsigned count = options->liars < first ? options->liars : first;
    liars->scratch = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    liars->claims = (uint8_t *)malloc(SY_VIEW_CHANGE_BYTES_MAX);
    SY_ASSERT(liars->scratch != NULL && liars->claims != NULL);
    world->places = world->n;
    world->odd = count > 0 && options->bad_primary ? 0 : (uint16_t)(first - 1);
    if (count > 0) choose_liars(world, count);
    world->unsound = liars->mask;
    for (uint16_t i = 0; i < first; i++) {
        if (sim_clock_is_off(world, i)) world->unsound |= 1u << i;
    }
    if ((options->lies & SIM_LIE_SILENT) != 0) liars->shunned = draw_shunned(world);
    if (count == 0 || (options->lies & SIM_LIE_TWIN) == 0) return;
    world->places = (uint16_t)(world->n + 1);
    sim_note_fault(world, SIM_FAULT_lie_twin);
}

static void free_kept(struct kept_frame *kept, size_t count)
{
    for (size_t i = 0; i < count; i++) free(kept[i].bytes);
}

void sim_liars_close(struct world *world)
{
    free_kept(world->liars.kept, KEPT_FRAMES);
    for (unsigned i = 0; i <= SIM_EPOCHS_MAX; i++) {
        free_kept(world->liars.of_epochs[i], KEPT_EPOCH_FRAMES);
    }
    free(world->liars.scratch);
    free(world->liars.claims);
}

/* ---- saying something -------------------------------------------------------------------- */

static bool is_silent(struct world *world, uint16_t to)
{
    if ((world->liars.shunned >> to & 1u) == 0) return false;
    sim_note_fault(world, SIM_FAULT_lie_silent);
    return true;
}

void sim_utter(struct world *world, const struct validator *liar, uint16_t to,
               struct sy_slice bytes)
{
    if (!is_silent(world, to)) sim_send(world, liar->index, to, bytes);
}

void sim_utter_later(struct world *world, const struct validator *liar, uint16_t to,
                     struct sy_slice bytes, uint64_t delay_ns)
{
    struct event event = {.type = EVENT_SEND,
                          .node = liar->place,
                          .life = liar->life,
                          .peer = to,
                          .size = bytes.size};
    if (is_silent(world, to)) return;
    event.bytes = (uint8_t *)malloc(bytes.size);
    SY_ASSERT(event.bytes != NULL);
    memcpy(event.bytes, bytes.data, bytes.size);
    sim_later(world, event, delay_ns);
}

void sim_say(struct world *world, const struct validator *liar, uint16_t to,
             const struct sy_message *message)
{
    struct sy_writer w = sy_writer_of(world->liars.scratch, SY_FRAME_BYTES_MAX);
    sy_message_encode(&w, message);
    SY_ASSERT(!w.failed);
    sim_utter(world, liar, to, sy_writer_slice(&w));
}

void sim_say_sync(struct world *world, const struct validator *liar, uint16_t to,
                  const struct sy_sync_message *message)
{
    struct sy_writer w = sy_writer_of(world->liars.scratch, SY_FRAME_BYTES_MAX);
    sy_sync_encode(&w, message);
    SY_ASSERT(!w.failed);
    sim_utter(world, liar, to, sy_writer_slice(&w));
}

void sim_say_around(struct world *world, const struct validator *liar,
                    const struct sy_message *message)
{
    for (uint16_t to = 0; to < world->n; to++) {
        if (to == liar->index || !sy_prng_chance(&world->prng, 3, 4)) continue;
        sim_say(world, liar, to, message);
    }
}

bool sim_withhold(struct world *world)
{
    if (!sim_does(world, SIM_LIE_WITHHOLD, 4)) return false;
    sim_note_fault(world, SIM_FAULT_lie_withhold);
    return true;
}

void sim_sign_vote(const struct world *world, const struct validator *liar, struct sy_vote *vote)
{
    struct sy_hash digest;
    sy_vote_digest(&digest, &world->genesis->hash, vote);
    sim_sign(world, &vote->signature, liar->index,
             vote->type == SY_MESSAGE_PREPARE ? SY_SIG_PREPARE : SY_SIG_COMMIT, &digest);
}

/* ---- votes, seals, statuses, blocks ------------------------------------------------------ */

static bool turn_vote(struct world *world, const struct validator *liar, uint16_t to,
                      struct sy_vote *vote)
{
    const struct second_proposal *second = sim_second_proposal(world, vote->view, vote->slot);
    if (second != NULL && (second->victims >> to & 1u) != 0) {
        vote->proposal_digest = second->digest;
    } else if (sim_does(world, SIM_LIE_VOTE, 4)) {
        if (sy_prng_chance(&world->prng, 1, 4)) vote->view += 1 + sy_prng_below(&world->prng, 9);
        vote->proposal_digest.bytes[0] ^= 1;
    } else {
        return false;
    }
    sim_sign_vote(world, liar, vote);
    sim_note_fault(world, SIM_FAULT_lie_vote);
    return true;
}

static void lie_vote(struct world *world, struct validator *liar, uint16_t to,
                     struct sy_slice bytes, struct sy_message *message)
{
    if (sim_withhold(world)) return;
    bool turned = turn_vote(world, liar, to, &message->body.vote);
    if (turned) sim_say(world, liar, to, message);
    /* Some hear both. */
    if (!turned || sy_prng_chance(&world->prng, 1, 8)) sim_utter(world, liar, to, bytes);
}

static void lie_seal(struct world *world, struct validator *liar, uint16_t to,
                     struct sy_slice bytes, struct sy_message *message)
{
    struct sy_seal_message *seal = &message->body.seal;
    struct sy_hash digest;
    if (sim_withhold(world)) return;
    if (!sim_does(world, SIM_LIE_SEAL, 4)) {
        sim_utter(world, liar, to, bytes);
        return;
    }
    seal->header_hash.bytes[3] ^= 1;
    sy_seal_digest(&digest, &world->genesis->hash, seal->epoch, seal->height, &seal->header_hash);
    sim_sign(world, &seal->seal.signature, liar->index, SY_SIG_SEAL, &digest);
    sim_note_fault(world, SIM_FAULT_lie_seal);
    sim_say(world, liar, to, message);
}

static void lie_status(struct world *world, struct validator *liar, uint16_t to,
                       struct sy_slice bytes, struct sy_message *message)
{
    struct sy_status_message *status = &message->body.status;
    struct sy_hash digest;
    if (!sim_does(world, SIM_LIE_STATUS, 3)) {
        sim_utter(world, liar, to, bytes);
        return;
    }
    lie_turn_status(&world->prng, status);
    sy_status_digest(&digest, &world->genesis->hash, status);
    sim_sign(world, &status->signature, liar->index, SY_SIG_STATUS, &digest);
    sim_note_fault(world, SIM_FAULT_lie_status);
    sim_say(world, liar, to, message);
}

static void lie_block(struct world *world, struct validator *liar, uint16_t to,
                      struct sy_slice bytes, struct sy_message *message)
{
    struct sy_block_message *block = &message->body.block;
    if (!sim_does(world, SIM_LIE_BLOCK, 2)) {
        sim_utter(world, liar, to, bytes);
        return;
    }
    lie_turn_block(&world->prng, block, liar->roster.count);
    sim_note_fault(world, SIM_FAULT_lie_block);
    sim_say(world, liar, to, message);
}

static void lie_body(struct world *world, struct validator *liar, uint16_t to,
                     struct sy_slice bytes)
{
    if ((world->options.lies & SIM_LIE_HIDE) != 0 && sy_prng_chance(&world->prng, 3, 4)) {
        sim_note_fault(world, SIM_FAULT_lie_hide);
        return;
    }
    sim_utter(world, liar, to, bytes);
}

/* ---- what was said -------------------------------------------------------------------- */

void sim_keep(struct kept_frame *kept, struct sy_slice bytes)
{
    free(kept->bytes);
    kept->bytes = (uint8_t *)malloc(bytes.size + 1);
    SY_ASSERT(kept->bytes != NULL);
    memcpy(kept->bytes, bytes.data, bytes.size);
    kept->size = bytes.size;
}

static void keep_frame(struct world *world, struct sy_slice bytes)
{
    struct liars *liars = &world->liars;
    if (bytes.size > KEPT_BYTES_MAX || !sy_prng_chance(&world->prng, 1, 8)) return;
    unsigned place = (unsigned)sy_prng_below(&world->prng, KEPT_FRAMES);
    sim_keep(&liars->kept[place], bytes);
}

static struct sy_slice some_frame(struct world *world)
{
    const struct kept_frame *kept = &world->liars.kept[sy_prng_below(&world->prng, KEPT_FRAMES)];
    return sy_slice_of(kept->bytes, kept->size);
}

/* Puts another's name under what somebody said; the signature does not fit it. */
static void forge(struct world *world, struct validator *liar, uint16_t to)
{
    static struct sy_message message;
    struct sy_slice bytes = some_frame(world);
    uint16_t n = liar->roster.count;
    uint16_t name = (uint16_t)((liar->self + 1 + sy_prng_below(&world->prng, n - 1u)) % n);
    if (bytes.size == 0 || !sy_message_decode(&message, bytes, n)) return;
    switch (message.type) {
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        message.body.vote.signer = name;
        message.body.vote.proposal_digest.bytes[0] ^= 1;
        break;
    case SY_MESSAGE_SEAL:
        message.body.seal.seal.signer = name;
        message.body.seal.header_hash.bytes[0] ^= 1;
        break;
    case SY_MESSAGE_STATUS:
        message.body.status.signer = name;
        message.body.status.certified_height += 100;
        break;
    case SY_MESSAGE_PRE_PREPARE: message.body.pre_prepare.proposal.time_ms++; break;
    case SY_MESSAGE_VIEW_CHANGE: message.body.view_change.signer = name; break;
    case SY_MESSAGE_NEW_VIEW: message.body.new_view.changes[0].digest.bytes[0] ^= 1; break;
    default: return;
    }
    sim_note_fault(world, SIM_FAULT_lie_forge);
    sim_say(world, liar, to, &message);
}

static void replay(struct world *world, struct validator *liar, uint16_t to)
{
    struct sy_slice bytes = some_frame(world);
    if (bytes.size == 0) return;
    sim_note_fault(world, SIM_FAULT_lie_replay);
    sim_utter(world, liar, to, bytes);
}

static bool is_own(const struct validator *liar, const struct sy_message *message)
{
    return lie_is_own(message, liar->self, liar->roster.count);
}

/* What is worth keeping of what passes by. */
static void note(struct world *world, const struct sy_message *message, struct sy_slice bytes)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        sim_note_proposal(world, &message->body.pre_prepare);
        sim_note_epoch(world, message->body.pre_prepare.proposal.epoch, bytes);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: sim_note_epoch(world, message->body.vote.epoch, bytes); break;
    case SY_MESSAGE_SEAL: sim_note_epoch(world, message->body.seal.epoch, bytes); break;
    case SY_MESSAGE_STATUS: sim_note_epoch(world, message->body.status.epoch, bytes); break;
    case SY_MESSAGE_VIEW_CHANGE:
        sim_note_epoch(world, message->body.view_change.epoch, bytes);
        break;
    case SY_MESSAGE_NEW_VIEW: sim_note_epoch(world, message->body.new_view.epoch, bytes); break;
    default: break;
    }
}

void sim_lie(struct world *world, struct validator *liar, uint16_t to, struct sy_slice bytes)
{
    if (liar->self == SY_PBFT_OBSERVER) { /* it is no validator any more */
        sim_send(world, liar->index, to, bytes);
        return;
    }
    keep_frame(world, bytes);
    if (sim_does(world, SIM_LIE_FORGE, 16)) forge(world, liar, to);
    if (sim_does(world, SIM_LIE_REPLAY, 16)) replay(world, liar, to);
    bool decoded = sy_message_decode(&heard, bytes, liar->roster.count);
    if (!decoded) { /* a block of another roster, which its own cannot read */
        SY_ASSERT(bytes.data[0] == SY_MESSAGE_BLOCK && world->options.epochs > 0);
        sim_utter(world, liar, to, bytes);
        return;
    }
    note(world, &heard, bytes);
    /* What a node passes on of others' is not its own to change. */
    bool may =
        heard.type == SY_MESSAGE_BATCH || heard.type == SY_MESSAGE_BLOCK || is_own(liar, &heard);
    switch (may ? heard.type : 0) {
    case SY_MESSAGE_PRE_PREPARE: sim_lie_proposal(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: lie_vote(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_SEAL: lie_seal(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_STATUS: lie_status(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_VIEW_CHANGE: sim_lie_view_change(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_NEW_VIEW: sim_lie_new_view(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_BLOCK: lie_block(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_BATCH: lie_body(world, liar, to, bytes); break;
    default: sim_utter(world, liar, to, bytes);
    }
}

/* ---- beside consensus -------------------------------------------------------------------- */

#define SYNC_HANDOVERS_HEAD (1u + 4u + 2u)

/* Another state, header, certificate or place; or one that its node does not hold, or none. The
 * header lies first, the chunk's entries last. Or another handover, or none. */
static void lie_chunk(struct world *world, const struct validator *liar, uint16_t to,
                      struct sy_slice bytes)
{
    static struct sy_sync_message message;
    uint8_t *copy = world->liars.scratch;
    uint64_t where = sy_prng_below(&world->prng, 6);
    sim_note_fault(world, SIM_FAULT_lie_chunk);
    if (where == 0) return;
    if (where == 1) {
        message = (struct sy_sync_message){.type = SY_SYNC_SNAPSHOT_NONE,
                                           .height = sy_prng_below(&world->prng, 1000)};
        sim_say_sync(world, liar, to, &message);
        return;
    }
    memcpy(copy, bytes.data, bytes.size);
    if (bytes.data[0] == SY_SYNC_SNAPSHOT) {
        size_t head = SY_HEADER_BYTES + 2 + 66u * sy_quorum(liar->roster.count);
        size_t at = 1 + (size_t)sy_prng_below(&world->prng, SY_HEADER_BYTES);
        if (where == 3) at = 1 + head + (size_t)sy_prng_below(&world->prng, 34);
        if (where >= 4)
            at = bytes.size - 1 - (size_t)sy_prng_below(&world->prng, bytes.size - head - 64);
        copy[at] ^= (uint8_t)(1u << sy_prng_below(&world->prng, 8));
        if (where == 5) bytes.size -= 1 + (size_t)sy_prng_below(&world->prng, 40);
    }
    if (bytes.data[0] == SY_SYNC_HANDOVERS && bytes.size > SYNC_HANDOVERS_HEAD) {
        size_t at = sy_prng_below(&world->prng, bytes.size - SYNC_HANDOVERS_HEAD);
        copy[SYNC_HANDOVERS_HEAD + at] ^= (uint8_t)(1u << sy_prng_below(&world->prng, 8));
    }
    sim_utter(world, liar, to, sy_slice_of(copy, bytes.size));
}

void sim_lie_sync(struct world *world, const struct validator *liar, uint16_t to,
                  struct sy_slice bytes)
{
    if (bytes.data[0] == SY_SYNC_PRUNED && sim_does(world, SIM_LIE_PRUNED, 2)) {
        sim_say_pruned(world, liar, to);
    } else if (bytes.data[0] != SY_SYNC_PRUNED && sim_does(world, SIM_LIE_CHUNK, 2)) {
        lie_chunk(world, liar, to, bytes);
    } else {
        sim_utter(world, liar, to, bytes);
    }
}

/* ---- what it hears ----------------------------------------------------------------------- */

static bool is_censored(struct world *world, struct sy_slice body)
{
    struct sy_batch batch;
    if ((world->options.lies & SIM_LIE_CENSOR) == 0 || !sy_batch_decode(&batch, body)) return false;
    int maker = sy_roster_find(sim_roster(world, world->epoch), &batch.header.maker);
    if (maker < 0 || sim_whose(world, world->epoch, (uint16_t)maker) != world->liars.victim) {
        return false;
    }
    sim_note_fault(world, SIM_FAULT_lie_censor);
    return true;
}

bool sim_liar_hears(struct world *world, struct validator *liar, uint16_t from,
                    struct sy_slice bytes)
{
    (void)from;
    keep_frame(world, bytes);
    if (!sy_message_decode(&heard, bytes, liar->roster.count)) return true;
    note(world, &heard, bytes);
    if (heard.type == SY_MESSAGE_BATCH) return !is_censored(world, heard.body.batch);
    /* Its own STATUS comes back as the answer to its start, without which its node says nothing. */
    if (heard.type == SY_MESSAGE_STATUS) return true;
    return world->places > world->n || !is_own(liar, &heard);
}
