/* pbft_faults.c: what faulty validators send. They run the real machine, so that they follow the
 * protocol closely enough to hurt, and bend what leaves it; they sign with their own index only. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "tests/scenario/pbft_world_internal.h"

static struct sy_hash random_hash(struct world *world)
{
    struct sy_hash hash;
    sy_prng_fill(&world->prng, hash.bytes, sizeof hash.bytes);
    return hash;
}

void fault_sign(struct world *world, uint16_t index, struct sy_message *message)
{
    struct sy_pbft_effect effect = {.type = SY_PBFT_SEND};
    struct sy_own_signature own[SY_PBFT_OWN_MAX];
    effect.as.send.message = *message;
    size_t count = sy_pbft_effect_own(own, &effect, &world->nodes[index].config);
    for (size_t i = 0; i < count; i++)
        world_sign(own[i].signature, own[i].kind, &own[i].digest, index);
    *message = effect.as.send.message;
}

static void bend_vote(struct world *world, uint16_t index, struct sy_message *message)
{
    struct sy_vote *vote = &message->body.vote;
    if (vote->signer != index) return; // relayed: a changed one would not verify
    switch (sy_prng_below(&world->prng, 6)) {
    case 0: vote->proposal_digest = random_hash(world); break;
    case 1: vote->slot += sy_prng_below(&world->prng, 100); break;
    case 2: vote->view += sy_prng_below(&world->prng, 3); break;
    case 3:
        vote->type = SY_MESSAGE_COMMIT;
        message->type = SY_MESSAGE_COMMIT;
        break;
    default: break;
    }
}

static void bend_status(struct world *world, struct sy_status_message *status)
{
    switch (sy_prng_below(&world->prng, 6)) {
    case 0: status->certified_height = sy_prng_next(&world->prng); break;
    case 1: status->certified_height += sy_prng_below(&world->prng, 80); break;
    case 2: status->executed_height = UINT64_MAX; break;
    case 3: status->pre_prepared_mask = status->prepared_mask = 0; break;
    case 4:
        status->view += sy_prng_below(&world->prng, 5);
        status->in_view = world_chance(world, 50);
        break;
    default: status->committed_mask = sy_prng_next(&world->prng); break;
    }
}

/* Hides what was prepared, or runs ahead. */
static void bend_view_change(struct world *world, uint16_t index, struct sy_view_change *change)
{
    if (change->signer != index) return;
    switch (sy_prng_below(&world->prng, 4)) {
    case 0:
        change->count = 0;
        change->prepared.size = 0;
        break;
    case 1: change->view += 1 + sy_prng_below(&world->prng, 1000000); break;
    default: break;
    }
}

static void send_two_faced(struct world *world, uint16_t index, uint16_t to,
                           const struct sy_message *original)
{
    static struct sy_message message;
    message = *original;
    switch (message.type) {
    case SY_MESSAGE_PRE_PREPARE:
        if (world_chance(world, 30)) message.body.pre_prepare.proposal.time_ms += 1;
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: bend_vote(world, index, &message); break;
    case SY_MESSAGE_SEAL:
        if (world_chance(world, 40)) message.body.seal.header_hash = random_hash(world);
        if (world_chance(world, 10)) message.body.seal.height += 1000;
        break;
    case SY_MESSAGE_STATUS:
        if (message.body.status.signer == index) bend_status(world, &message.body.status);
        break;
    case SY_MESSAGE_VIEW_CHANGE: bend_view_change(world, index, &message.body.view_change); break;
    case SY_MESSAGE_NEW_VIEW:
        if (message.body.new_view.signer == index && world_chance(world, 50))
            message.body.new_view.changes[0].digest = random_hash(world);
        break;
    case SY_MESSAGE_SLOT_FETCH:
        message.body.range_fetch.first = sy_prng_below(&world->prng, 200);
        message.body.range_fetch.count = UINT16_MAX;
        break;
    default: break;
    }
    if (world_chance(world, 20)) return;
    fault_sign(world, index, &message);
    world_transmit(world, index, to, &message);
}

/* --- an equivocating primary and its accomplices --------------------------------------------- */

static bool second_face(const struct world *world, uint64_t slot, uint16_t to)
{
    return slot < WORLD_HEIGHTS_MAX && (world->halves[slot] >> to & 1);
}

/* Makes a second proposal for the slot and who sees which, once a view. */
static void split(struct world *world, uint64_t view, const struct sy_proposal *proposal)
{
    uint64_t slot = proposal->slot;
    if (slot >= WORLD_HEIGHTS_MAX) return;
    if (world->halves[slot] != 0 && world->face_views[slot] == view) return;
    world->face_views[slot] = view;
    world->halves[slot] = sy_prng_next(&world->prng) | (uint64_t)1 << 63;
    struct sy_proposal other = *proposal;
    other.time_ms += 1;
    sy_proposal_digest(&world->faces[0][slot], &world->genesis, proposal);
    sy_proposal_digest(&world->faces[1][slot], &world->genesis, &other);
}

static void send_vote_for_face(struct world *world, uint16_t index, uint16_t to, uint8_t type,
                               uint64_t view, uint64_t slot)
{
    static struct sy_message message;
    message.type = type;
    message.body.vote = (struct sy_vote){.type = type, .view = view, .slot = slot, .signer = index};
    message.body.vote.proposal_digest = world->faces[second_face(world, slot, to)][slot];
    fault_sign(world, index, &message);
    world_transmit(world, index, to, &message);
}

/* Every faulty validator votes for whatever the receiver has seen. */
static void send_equivocating(struct world *world, uint16_t index, uint16_t to,
                              const struct sy_message *original)
{
    static struct sy_message message;
    message = *original;
    uint64_t view = message.body.pre_prepare.view;
    if (message.type == SY_MESSAGE_PRE_PREPARE && index == view % world->rules.n) {
        struct sy_proposal *proposal = &message.body.pre_prepare.proposal;
        split(world, view, proposal);
        if (second_face(world, proposal->slot, to)) proposal->time_ms += 1;
        fault_sign(world, index, &message);
        world_transmit(world, index, to, &message);
        for (uint16_t i = 0; i < world->rules.n && proposal->slot < WORLD_HEIGHTS_MAX; i++) {
            if (world->nodes[i].correct) continue;
            if (i != index)
                send_vote_for_face(world, i, to, SY_MESSAGE_PREPARE, view, proposal->slot);
            send_vote_for_face(world, i, to, SY_MESSAGE_COMMIT, view, proposal->slot);
        }
        return;
    }
    bool vote = message.type == SY_MESSAGE_PREPARE || message.type == SY_MESSAGE_COMMIT;
    bool faulty_view = vote && !world->nodes[message.body.vote.view % world->rules.n].correct;
    if (faulty_view && message.body.vote.signer == index) return; // sent above, or never
    if (vote && world_chance(world, 50)) return;
    world_transmit(world, index, to, &message);
}

/* A primary that is alive and of little use: late proposals, or none for some. */
static void send_lame(struct world *world, uint16_t index, uint16_t to,
                      const struct sy_message *message)
{
    bool proposal = message->type == SY_MESSAGE_PRE_PREPARE;
    if (world->rules.fault == WORLD_PARTIAL && to == (index + 1u) % world->rules.n) return;
    if (world->rules.fault == WORLD_HOARDS && message->type == SY_MESSAGE_SEAL) return;
    if (world->rules.fault == WORLD_HOARDS && message->type == SY_MESSAGE_VIEW_CHANGE) {
        world_hold_back(world, 1, index, to, message); // before everybody else's
        return;
    }
    if (world->rules.fault == WORLD_SLOW && proposal)
        world_hold_back(world, 3000 * MS, index, to, message);
    else
        world_transmit(world, index, to, message);
}

void fault_send(struct world *world, uint16_t index, uint16_t to, struct sy_message *message)
{
    SY_ASSERT(!world->nodes[index].correct);
    if (world->rules.fault == WORLD_SILENT) return;
    for (uint16_t i = 0; i < world->rules.n; i++) {
        if (i == index || (to != SY_PBFT_ALL && to != i)) continue;
        if (world->rules.fault == WORLD_TWO_FACED)
            send_two_faced(world, index, i, message);
        else if (world->rules.fault == WORLD_EQUIVOCATES)
            send_equivocating(world, index, i, message);
        else
            send_lame(world, index, i, message);
    }
}

void fault_forge_block(struct world *world, struct sy_block_message *block)
{
    struct sy_proposal *proposal = &block->proposal;
    switch (sy_prng_below(&world->prng, 6)) {
    case 0: proposal->time_ms += 5; break;
    case 1:
        if (proposal->count > 0) proposal->entries[0].seq += 1;
        break;
    case 2:
        if (proposal->count > 0)
            proposal->entries[0].maker =
                (uint16_t)((proposal->entries[0].maker + 1) % world->rules.n);
        break;
    case 3:
        if (proposal->count > 0) proposal->entries[0].digest = random_hash(world);
        break;
    case 4:
        if (proposal->count > 0) proposal->count--;
        break;
    default:
        block->header.height += 1;
        proposal->slot += 1;
        break;
    }
}
