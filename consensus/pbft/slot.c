/* slot.c: the window of slots above the certified height (OSDI '99, 4.3: the low water mark is the
 * last stable checkpoint, the high water mark lies SY_PBFT_WINDOW above it). */
#include "consensus/pbft/internal.h"

bool sy_pbft_in_window(sy_pbft *pbft, uint64_t number)
{
    SY_ASSERT(pbft->live);
    SY_ASSERT(pbft->known - pbft->certified <= SY_PBFT_WINDOW);
    if (number <= pbft->certified) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_STALE);
        return false;
    }
    // OSDI '99, 4.2: between the water marks only, so that a faulty primary cannot exhaust the
    // space of slots, nor anybody the memory.
    if (number > window_end(pbft)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_FUTURE);
        return false;
    }
    return true;
}

static void clear(const sy_pbft *pbft, struct slot *slot)
{
    struct cell *prepares = slot->prepares, *commits = slot->commits, *seals = slot->seals;
    SY_ASSERT(slot->number != 0 && slot->number <= pbft->certified);
    SY_ASSERT(prepares && commits && seals);
    size_t bytes = pbft->config.n * sizeof(struct cell);
    memset(slot, 0, sizeof *slot);
    memset(prepares, 0, bytes);
    memset(commits, 0, bytes);
    memset(seals, 0, bytes);
    slot->prepares = prepares;
    slot->commits = commits;
    slot->seals = seals;
}

struct slot *sy_pbft_slot_open(sy_pbft *pbft, uint64_t number)
{
    SY_ASSERT(number > pbft->certified);
    SY_ASSERT(number - pbft->certified <= SY_PBFT_WINDOW);
    struct slot *slot = &pbft->slots[number % SY_PBFT_WINDOW];
    SY_ASSERT(slot->number == 0 || slot->number == number);
    if (slot->number == 0) slot->opened_ns = pbft->now_ns;
    slot->number = number;
    if (number > pbft->known) pbft->known = number;
    return slot;
}

struct slot *sy_pbft_slot_find(const sy_pbft *pbft, uint64_t number)
{
    if (number == 0) return NULL; // genesis has no slot, and a free one has this number
    struct slot *slot = &pbft->slots[number % SY_PBFT_WINDOW];
    SY_ASSERT(slot->number == 0 || slot->number % SY_PBFT_WINDOW == number % SY_PBFT_WINDOW);
    return slot->number == number ? slot : NULL;
}

void sy_pbft_slot_clear_to(sy_pbft *pbft, uint64_t height)
{
    SY_ASSERT(height <= pbft->known);
    SY_ASSERT(height == pbft->certified);
    for (size_t i = 0; i < SY_PBFT_WINDOW; i++) {
        struct slot *slot = &pbft->slots[i];
        if (slot->number != 0 && slot->number <= height) clear(pbft, slot);
    }
}

/* What an earlier view decided is kept apart: the new one proposes it again. */
static void keep_chosen(struct slot *slot)
{
    SY_ASSERT(!slot->chosen || slot->decided);
    if (!slot->chosen || slot->chosen == &slot->final) return;
    slot->final = *slot->chosen;
    slot->chosen = &slot->final;
}

static bool holds_anything(const sy_pbft *pbft, const struct slot *slot)
{
    if (slot->decided || slot->run != RUN_NONE || slot->block_present || slot->certificate_present)
        return true;
    for (uint16_t i = 0; i < pbft->config.n; i++)
        if (slot->seals[i].present) return true;
    return false;
}

static void leave_view(const sy_pbft *pbft, struct slot *slot)
{
    SY_ASSERT(slot->number > pbft->certified);
    keep_chosen(slot);
    slot->first.present = slot->other.present = false;
    slot->blamed = slot->conflicted = slot->decided_in_view = false;
    slot->prepare = slot->commit = OWN_NONE;
    slot->prepare_ns = slot->commit_ns = 0;
    memset(slot->prepares, 0, pbft->config.n * sizeof(struct cell));
    memset(slot->commits, 0, pbft->config.n * sizeof(struct cell));
    if (!holds_anything(pbft, slot)) slot->number = 0;
}

void sy_pbft_slots_leave_view(sy_pbft *pbft)
{
    uint64_t known = pbft->decided > pbft->execute_asked ? pbft->decided : pbft->execute_asked;
    SY_ASSERT(known >= pbft->certified && known <= pbft->known);
    for (uint64_t h = pbft->certified + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot) continue;
        leave_view(pbft, slot);
        if (slot->number != 0 && h > known) known = h;
    }
    pbft->known = known;
}

unsigned sy_pbft_count_cells(const sy_pbft *pbft, const struct cell *cells,
                             const struct sy_hash *digest, uint16_t skip)
{
    unsigned count = 0;
    for (uint16_t i = 0; i < pbft->config.n; i++)
        if (cells[i].present && i != skip && sy_hash_equal(&cells[i].digest, digest)) count++;
    SY_ASSERT(count <= pbft->config.n);
    return count;
}

unsigned sy_pbft_prepared_count(const sy_pbft *pbft, const struct slot *slot,
                                const struct candidate *candidate)
{
    SY_ASSERT(candidate->present);
    SY_ASSERT(candidate == &slot->first || candidate == &slot->other);
    // OSDI '99, 4.2: prepared = the pre-prepare and matching prepares from different backups. The
    // own pre-prepare counts once it is durable, like any vote of this validator.
    bool counts = !is_primary(pbft) || slot->prepare == OWN_SENT;
    return counts + sy_pbft_count_cells(pbft, slot->prepares, &candidate->digest,
                                        primary_of(pbft, pbft->view));
}

bool sy_pbft_provable(const sy_pbft *pbft, const struct slot *slot, const struct sy_hash *digest)
{
    SY_ASSERT(slot->number > pbft->certified);
    return sy_pbft_count_cells(pbft, slot->commits, digest, SY_PBFT_OBSERVER) >= pbft->weak;
}

bool sy_pbft_block_holds(const struct slot *slot)
{
    // Until every body is here, the sender's word for makers and seqs is not checked.
    return slot->block_present && sy_pbft_bodies_complete(&slot->block);
}

bool sy_pbft_settled(const struct slot *slot)
{
    SY_ASSERT(slot->number != 0);
    SY_ASSERT(!slot->chosen || slot->decided);
    return slot->decided || slot->run != RUN_NONE || sy_pbft_block_holds(slot);
}

const struct candidate *sy_pbft_plan(const struct slot *slot)
{
    SY_ASSERT(!slot->chosen || slot->chosen->present);
    SY_ASSERT(slot->prepare == OWN_NONE || slot->first.present);
    if (slot->chosen) return slot->chosen;
    if (sy_pbft_block_holds(slot)) return &slot->block;
    return slot->prepare != OWN_NONE ? &slot->first : NULL;
}

void sy_pbft_candidate_set(sy_pbft *pbft, struct candidate *candidate,
                           const struct sy_pre_prepare *pre_prepare, const struct sy_hash *digest,
                           uint16_t from)
{
    SY_ASSERT(!candidate->present);
    SY_ASSERT(pre_prepare->proposal.slot > pbft->certified);
    candidate->present = true;
    candidate->refused = false;
    candidate->clock = CLOCK_FINE;
    candidate->asked = 0;
    candidate->from = from;
    candidate->have = 0;
    candidate->received_ns = pbft->now_ns;
    candidate->ask_ns = SY_PBFT_NEVER;
    candidate->digest = *digest;
    copy_proposal(&candidate->pre_prepare.proposal, &pre_prepare->proposal);
    candidate->pre_prepare.view = pre_prepare->view;
    candidate->pre_prepare.signature = pre_prepare->signature;
}
