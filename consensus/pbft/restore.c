/* restore.c: what a validator remembers when it starts.
 *
 * START says what the ledger holds under certificates, RESTORE brings back every record of the
 * vote store, EXECUTED the blocks above the certificates, and RESUME lets the machine act. A vote
 * that was durable binds as if it had been sent: it may have been. */
#include "consensus/pbft/internal.h"

void sy_pbft_on_start(sy_pbft *pbft, const struct sy_pbft_event *event)
{
    SY_ASSERT(!pbft->started && !pbft->live);
    uint64_t height = event->as.start.certified_height;
    pbft->started = true;
    pbft->certified = pbft->certify_asked = height;
    pbft->executed = pbft->execute_asked = height;
    pbft->decided = pbft->known = pbft->proposed = height;
    pbft->certified_hash = event->as.start.header_hash;
    sy_pbft_set_next_seqs(pbft, event->as.start.next_seqs);
}

/* Records come from a file: what does not fit here is left aside, never asserted. */
static bool fits(const sy_pbft *pbft, const struct sy_pbft_record *record,
                 const struct sy_pre_prepare *pre_prepare)
{
    SY_ASSERT(pbft->started && !pbft->live);
    const struct sy_proposal *proposal = &pre_prepare->proposal;
    if (pbft->config.self == SY_PBFT_OBSERVER) return false;
    if (record->view != pbft->view || pre_prepare->view != record->view) return false;
    if (proposal->epoch != pbft->config.epoch || proposal->slot != record->slot) return false;
    if (record->slot <= pbft->certified || record->slot - pbft->certified > SY_PBFT_WINDOW)
        return false;
    if (proposal->count > SY_PROPOSAL_ENTRIES_MAX) return false;
    for (uint16_t i = 0; i < proposal->count; i++)
        if (proposal->entries[i].maker >= pbft->config.n || proposal->entries[i].seq == 0)
            return false;
    return true;
}

static void restore_prepare(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    const struct sy_pre_prepare *pre_prepare = &record->as.prepare;
    if (!fits(pbft, record, pre_prepare)) return;
    struct slot *slot = sy_pbft_slot_open(pbft, record->slot);
    if (slot->prepare != OWN_NONE) return;
    struct sy_hash digest;
    sy_proposal_digest(&digest, &pbft->config.genesis, &pre_prepare->proposal);
    if (slot->first.present && !sy_hash_equal(&slot->first.digest, &digest)) {
        // A prepared certificate was restored before, for another proposal than the one prepared.
        slot->other = slot->first;
        slot->first.present = false;
    }
    if (!slot->first.present) {
        sy_pbft_candidate_set(pbft, &slot->first, pre_prepare, &digest, SY_PBFT_OBSERVER);
        sy_pbft_bodies_look(pbft, &slot->first, false);
    }
    slot->prepare = OWN_SENT;
    if (is_primary(pbft)) {
        if (record->slot > pbft->proposed) pbft->proposed = record->slot;
    } else {
        slot->prepares[pbft->config.self] = (struct cell){.present = true, .digest = digest};
    }
}

static void restore_prepared(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    const struct sy_pbft_prepared *prepared = &record->as.prepared;
    if (!fits(pbft, record, &prepared->pre_prepare)) return;
    if (prepared->count + 1u != pbft->quorum) return;
    struct slot *slot = sy_pbft_slot_open(pbft, record->slot);
    if (slot->commit != OWN_NONE) return;
    struct sy_hash digest;
    sy_proposal_digest(&digest, &pbft->config.genesis, &prepared->pre_prepare.proposal);
    struct candidate *candidate = &slot->first;
    if (slot->first.present && !sy_hash_equal(&slot->first.digest, &digest))
        candidate = &slot->other;
    if (!candidate->present) {
        sy_pbft_candidate_set(pbft, candidate, &prepared->pre_prepare, &digest, SY_PBFT_OBSERVER);
        sy_pbft_bodies_look(pbft, candidate, false);
    }
    for (uint16_t i = 0; i < prepared->count; i++) {
        uint16_t signer = prepared->prepares[i].signer;
        if (signer >= pbft->config.n || signer == primary_of(pbft, record->view)) continue;
        if (slot->prepares[signer].present) continue;
        slot->prepares[signer] = (struct cell){
            .present = true, .digest = digest, .signature = prepared->prepares[i].signature};
    }
    slot->commit = OWN_SENT;
    slot->commit_digest = digest;
    slot->commits[pbft->config.self] = (struct cell){.present = true, .digest = digest};
}

static void restore_halted(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    SY_ASSERT(record->type == SY_PBFT_RECORD_HALTED);
    if (pbft->halt.alarm == SY_PBFT_ALARM_DIVERGED) return; // the graver reason stays
    pbft->halted = true;
    pbft->halt = record->as.halt;
    pbft->halt_height = record->slot;
}

void sy_pbft_on_restore(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    SY_ASSERT(pbft->started && !pbft->live);
    switch (record->type) {
    case SY_PBFT_RECORD_PREPARE: restore_prepare(pbft, record); break;
    case SY_PBFT_RECORD_PREPARED: restore_prepared(pbft, record); break;
    case SY_PBFT_RECORD_BOOT:
        if (record->as.boots > pbft->boots) pbft->boots = record->as.boots;
        break;
    case SY_PBFT_RECORD_HALTED: restore_halted(pbft, record); break;
    default: break; // of a later version; the store's format version says so before
    }
}

static void note_start(sy_pbft *pbft)
{
    SY_ASSERT(pbft->live);
    SY_ASSERT(!pbft->boot_durable);
    pbft->last_decided_ns = pbft->now_ns;
    pbft->last_certified_ns = pbft->now_ns;
    pbft->primary_heard_ns = pbft->now_ns;
    pbft->last_proposed_ns = pbft->now_ns;
    // A validator's first status waits until the number of starts is durable.
    pbft->status_due_ns = pbft->config.self == SY_PBFT_OBSERVER ? pbft->now_ns : SY_PBFT_NEVER;
}

void sy_pbft_on_resume(sy_pbft *pbft)
{
    SY_ASSERT(pbft->started && !pbft->live);
    pbft->live = true;
    note_start(pbft);
    if (pbft->halted) sy_pbft_alarm(pbft);
    if (pbft->config.self != SY_PBFT_OBSERVER) {
        pbft->boots++;
        sy_pbft_persist(pbft, &pbft->boot_token, SY_PBFT_RECORD_BOOT, 0)->as.boots = pbft->boots;
    }
    for (uint64_t h = pbft->certified + 1; h <= pbft->executed; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        SY_ASSERT(slot && slot->run == RUN_DONE);
        if (can_vote(pbft)) sy_pbft_seal(pbft, slot);
    }
    for (uint64_t h = pbft->executed + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot) continue;
        slot->first.ask_ns = slot->other.ask_ns = pbft->now_ns + pbft->config.body_wait_ns;
    }
    sy_pbft_advance_all(pbft);
}
