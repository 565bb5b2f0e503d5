/* liar_primary.c: what a liar proposes. Whatever it is, it depends on the slot alone from then on,
 * so that it is the same whenever it is sent again. */
#include <string.h>

#include "core/base/assert.h"
#include "tests/sim/liar.h"
#include "tests/support/lies.h"

#define PAST_MS 500

static struct second_proposal *second_of(const struct world *world, uint64_t view, uint64_t slot)
{
    const struct second_proposal *second = &world->liars.second[slot % SY_PBFT_WINDOW];
    bool known = second->slot == slot && second->view == view;
    return known ? (struct second_proposal *)second : NULL;
}

const struct second_proposal *sim_second_proposal(const struct world *world, uint64_t view,
                                                  uint64_t slot)
{
    return second_of(world, view, slot);
}

void sim_note_proposal(struct world *world, const struct sy_pre_prepare *seen)
{
    struct liars *liars = &world->liars;
    liars->proposal = *seen;
    if (seen->proposal.count == 0) return;
    uint64_t place = liars->entry_count;
    if (place >= KEPT_ENTRIES) {
        place = KEPT_FIRST_ENTRIES + sy_prng_below(&world->prng, KEPT_ENTRIES - KEPT_FIRST_ENTRIES);
    }
    liars->entries[place] = seen->proposal.entries[0];
    liars->entry_slots[place] = seen->proposal.slot;
    if (liars->entry_count < KEPT_ENTRIES) liars->entry_count++;
}

/* ---- what is proposed instead ------------------------------------------------------------ */

/* The time of the newest block that anybody has, and so not above the parent's. */
static int64_t past_time(struct world *world)
{
    struct sy_header newest;
    const struct height *height = &world->heights[world->height_count - 1];
    struct sy_reader reader = sy_reader_of(sy_slice_of(height->header, sizeof height->header));
    bool decoded = sy_header_decode(&reader, &newest);
    SY_ASSERT(decoded);
    return newest.time_ms - 1 - (int64_t)sy_prng_below(&world->prng, PAST_MS);
}

/* Half of them under a number that is still to come. */
static bool choose_old(struct world *world, struct second_proposal *second, uint16_t n)
{
    const struct liars *liars = &world->liars;
    if (liars->entry_count == 0) return false;
    uint64_t place = sy_prng_below(&world->prng, liars->entry_count);
    second->entry = liars->entries[place];
    if (sy_prng_chance(&world->prng, 1, 2)) {
        second->entry.seq += sy_prng_below(&world->prng, SY_BATCH_WINDOW);
    }
    return liars->entry_slots[place] < second->slot && second->entry.maker < n;
}

static void choose(struct world *world, const struct validator *liar, uint64_t view, uint64_t slot)
{
    struct second_proposal *second = &world->liars.second[slot % SY_PBFT_WINDOW];
    if (second_of(world, view, slot) != NULL) return;
    *second = (struct second_proposal){.view = view, .slot = slot};
    if (sim_does(world, SIM_LIE_PROPOSAL, 3)) {
        second->kind = SECOND_TWICE;
        second->victims = (uint32_t)sy_prng_below(&world->prng, 1ull << world->n);
    } else if (world->height_count > 1 && sim_does(world, SIM_LIE_PAST, 3)) {
        second->kind = SECOND_PAST;
        second->time_ms = past_time(world);
        second->victims = UINT32_MAX;
    } else if (sim_does(world, SIM_LIE_OLD, 3) && choose_old(world, second, liar->roster.count)) {
        second->kind = SECOND_OLD;
        second->victims = UINT32_MAX;
    }
}

/* Beside the others, unless one of them is the same batch or has its number. */
static void name_old(struct sy_proposal *proposal, const struct sy_entry *old)
{
    uint16_t count = proposal->count < SY_PROPOSAL_ENTRIES_MAX ? proposal->count : 0;
    for (uint16_t i = 0; i < count; i++) {
        const struct sy_entry *entry = &proposal->entries[i];
        bool same = entry->maker == old->maker && entry->seq == old->seq;
        if (same || sy_hash_equal(&entry->digest, &old->digest)) count = 0;
    }
    proposal->entries[count] = *old;
    proposal->count = (uint16_t)(count + 1);
}

static void change(struct world *world, const struct second_proposal *second,
                   struct sy_proposal *proposal)
{
    switch (second->kind) {
    case SECOND_TWICE:
        sim_note_fault(world, SIM_FAULT_lie_proposal);
        lie_turn_proposal(proposal);
        break;
    case SECOND_PAST:
        sim_note_fault(world, SIM_FAULT_lie_past);
        proposal->time_ms = second->time_ms;
        break;
    case SECOND_OLD:
        sim_note_fault(world, SIM_FAULT_lie_old);
        name_old(proposal, &second->entry);
        break;
    }
}

static void sign(const struct world *world, const struct validator *liar,
                 struct sy_pre_prepare *own, struct sy_hash *proposal_digest)
{
    struct sy_hash digest;
    sy_proposal_digest(proposal_digest, &world->genesis->hash, &own->proposal);
    sy_pre_prepare_digest(&digest, &world->genesis->hash, own->proposal.epoch, own->view,
                          own->proposal.slot, proposal_digest);
    sim_sign(world, &own->signature, liar->index, SY_SIG_PRE_PREPARE, &digest);
}

/* And a COMMIT for it, as soon as there is anything to commit. */
static void propose_second(struct world *world, struct validator *liar, uint16_t to,
                           struct sy_message *message)
{
    struct sy_pre_prepare *own = &message->body.pre_prepare;
    struct second_proposal *second = second_of(world, own->view, own->proposal.slot);
    SY_ASSERT(second != NULL);
    change(world, second, &own->proposal);
    sign(world, liar, own, &second->digest);
    struct sy_message commit = {.type = SY_MESSAGE_COMMIT};
    commit.body.vote = (struct sy_vote){.type = SY_MESSAGE_COMMIT,
                                        .epoch = own->proposal.epoch,
                                        .view = own->view,
                                        .slot = own->proposal.slot,
                                        .proposal_digest = second->digest,
                                        .signer = liar->self};
    sim_sign_vote(world, liar, &commit.body.vote);
    sim_say(world, liar, to, message);
    sim_say(world, liar, to, &commit);
}

void sim_lie_proposal(struct world *world, struct validator *liar, uint16_t to,
                      struct sy_slice bytes, struct sy_message *message)
{
    const struct sy_pre_prepare *own = &message->body.pre_prepare;
    choose(world, liar, own->view, own->proposal.slot);
    if ((second_of(world, own->view, own->proposal.slot)->victims >> to & 1u) != 0) {
        propose_second(world, liar, to, message);
    } else if (sim_does(world, SIM_LIE_SLOW, 2)) {
        sim_note_fault(world, SIM_FAULT_lie_slow);
        sim_utter_later(world, liar, to, bytes, sy_prng_below(&world->prng, 3000 * MS));
    } else {
        sim_utter(world, liar, to, bytes);
    }
}
