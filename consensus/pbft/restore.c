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
    SY_ASSERT(height >= pbft->config.base);
    SY_ASSERT(height == pbft->config.base || event->as.start.certificate != NULL);
    if (height != pbft->config.base) pbft->certified_certificate = *event->as.start.certificate;
    sy_pbft_set_next_seqs(pbft, event->as.start.next_seqs);
    sy_pbft_note_epoch_end(pbft, event->as.start.next_epoch);
}

/* Records come from a file: what does not fit here is left aside, never asserted. */
static bool fits(const sy_pbft *pbft, const struct sy_pbft_record *record, uint64_t view,
                 const struct sy_proposal *proposal)
{
    SY_ASSERT(pbft->started && !pbft->live);
    if (pbft->config.self == SY_PBFT_OBSERVER) return false;
    if (record->view != view || view > SY_SLOT_MAX) return false;
    if (proposal->epoch != pbft->config.epoch || proposal->slot != record->slot) return false;
    if (record->slot <= pbft->certified || record->slot > window_end(pbft)) return false;
    if (proposal->count > SY_PROPOSAL_ENTRIES_MAX) return false;
    for (uint16_t i = 0; i < proposal->count; i++)
        if (proposal->entries[i].maker >= pbft->config.n || proposal->entries[i].seq == 0)
            return false;
    return true;
}

static void note_view(sy_pbft *pbft, uint64_t view)
{
    if (view > pbft->view) pbft->view = view;
}

/* Of each slot the vote in the highest view is kept; whether that is the present view is known once
 * all records were read. */
static void restore_prepare(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    const struct sy_pre_prepare *pre_prepare = &record->as.prepare;
    if (!fits(pbft, record, pre_prepare->view, &pre_prepare->proposal)) return;
    struct slot *slot = sy_pbft_slot_open(pbft, record->slot);
    if (slot->first.present && slot->first.pre_prepare.view >= record->view) return;
    struct sy_hash digest;
    sy_proposal_digest(&digest, &pbft->config.genesis, &pre_prepare->proposal);
    slot->first.present = false;
    sy_pbft_candidate_set(pbft, &slot->first, pre_prepare, &digest, SY_PBFT_OBSERVER);
    note_view(pbft, record->view);
}

static void restore_prepared(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    const struct sy_prepared *prepared = &record->as.prepared;
    if (!fits(pbft, record, prepared->view, &prepared->proposal)) return;
    struct slot *slot = sy_pbft_slot_open(pbft, record->slot);
    if (slot->certificate_present && slot->certificate.view >= record->view) return;
    slot->certificate_present = true;
    copy_prepared(&slot->certificate, prepared);
    note_view(pbft, record->view);
}

static void restore_view_change(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    const struct sy_view_change *change = &record->as.view_change;
    if (pbft->config.self == SY_PBFT_OBSERVER || change->epoch != pbft->config.epoch) return;
    SY_ASSERT(change->signer == pbft->config.self);
    struct sy_hash digest;
    sy_view_change_digest(&digest, &pbft->config.genesis, change, pbft->config.n);
    sy_pbft_hold(pbft, &pbft->changes[pbft->config.self], change, &digest);
    note_view(pbft, change->view);
}

static void restore_new_view(sy_pbft *pbft, const struct sy_pbft_record *record)
{
    const struct sy_new_view *message = &record->as.new_view;
    if (pbft->config.self == SY_PBFT_OBSERVER || message->epoch != pbft->config.epoch) return;
    pbft->pending.message = *message;
    pbft->pending.present = true;
    note_view(pbft, message->view);
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
    case SY_PBFT_RECORD_VIEW_CHANGE: restore_view_change(pbft, record); break;
    case SY_PBFT_RECORD_NEW_VIEW: restore_new_view(pbft, record); break;
    default: break; // of a later version; the store's format version says so before
    }
}

static void note_start(sy_pbft *pbft)
{
    SY_ASSERT(pbft->live);
    SY_ASSERT(!pbft->boot_durable);
    pbft->resumed_ns = pbft->now_ns;
    pbft->last_decided_ns = pbft->now_ns;
    pbft->last_certified_ns = pbft->now_ns;
    pbft->view_since_ns = pbft->now_ns;
    pbft->last_proposed_ns = pbft->now_ns;
    // A validator's first status waits until the number of starts is durable.
    pbft->status_due_ns = pbft->config.self == SY_PBFT_OBSERVER ? pbft->now_ns : SY_PBFT_NEVER;
}

/* --- the view that all of it belongs to ------------------------------------------------------ */

static void resume_prepare(sy_pbft *pbft, struct slot *slot)
{
    if (slot->first.present && slot->first.pre_prepare.view != pbft->view)
        slot->first.present = false;
    if (!slot->first.present) return;
    if (slot->run == RUN_NONE) sy_pbft_bodies_look(pbft, &slot->first, false);
    slot->prepare = OWN_SENT;
    if (is_primary(pbft)) {
        if (slot->number > pbft->proposed) pbft->proposed = slot->number;
    } else {
        slot->prepares[pbft->config.self] =
            (struct cell){.present = true, .digest = slot->first.digest};
    }
}

/* The candidate that a prepared certificate of the present view is for. */
static struct candidate *certified_candidate(sy_pbft *pbft, struct slot *slot,
                                             const struct sy_hash *digest)
{
    const struct sy_prepared *prepared = &slot->certificate;
    struct candidate *candidate = &slot->first;
    if (candidate->present && !sy_hash_equal(&candidate->digest, digest)) candidate = &slot->other;
    if (candidate->present) return candidate;
    struct sy_pre_prepare pre_prepare = {.view = prepared->view};
    copy_proposal(&pre_prepare.proposal, &prepared->proposal);
    for (uint16_t i = 0; i < prepared->count; i++)
        if (prepared->statements[i].signer == primary_of(pbft, prepared->view))
            pre_prepare.signature = prepared->statements[i].signature;
    sy_pbft_candidate_set(pbft, candidate, &pre_prepare, digest, SY_PBFT_OBSERVER);
    if (slot->run == RUN_NONE) sy_pbft_bodies_look(pbft, candidate, false);
    return candidate;
}

static void resume_commit(sy_pbft *pbft, struct slot *slot)
{
    const struct sy_prepared *prepared = &slot->certificate;
    if (!slot->certificate_present || prepared->view != pbft->view) return;
    struct sy_hash digest;
    sy_proposal_digest(&digest, &pbft->config.genesis, &prepared->proposal);
    (void)certified_candidate(pbft, slot, &digest);
    for (uint16_t i = 0; i < prepared->count; i++) {
        uint16_t signer = prepared->statements[i].signer;
        SY_ASSERT(signer < pbft->config.n && signer != pbft->config.self);
        if (signer == primary_of(pbft, pbft->view) || slot->prepares[signer].present) continue;
        slot->prepares[signer] = (struct cell){
            .present = true, .digest = digest, .signature = prepared->statements[i].signature};
    }
    slot->commit = OWN_SENT;
    slot->commit_digest = digest;
    slot->commits[pbft->config.self] = (struct cell){.present = true, .digest = digest};
}

/* View 0 needs no NEW_VIEW. Any other begins again here when its NEW_VIEW and all that it names
 * have come from others (P34); the own votes in it bind meanwhile. */
static void resume_view(sy_pbft *pbft)
{
    const struct held_change *own =
        pbft->config.self == SY_PBFT_OBSERVER ? NULL : &pbft->changes[pbft->config.self];
    pbft->in_view = pbft->view == 0;
    if (pbft->pending.present && pbft->pending.message.view == pbft->view) {
        struct sy_new_view message = pbft->pending.message;
        if (message.signer == pbft->config.self) pbft->new_view = OWN_SENT;
        sy_pbft_pend(pbft, &message);
    } else {
        pbft->pending.present = false;
    }
    if (own && own->present && own->change.view == pbft->view) pbft->own_change = OWN_SENT;
    for (uint64_t h = pbft->certified + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot) continue;
        resume_prepare(pbft, slot);
        resume_commit(pbft, slot);
    }
}

void sy_pbft_on_resume(sy_pbft *pbft)
{
    SY_ASSERT(pbft->started && !pbft->live);
    pbft->live = true;
    note_start(pbft);
    resume_view(pbft);
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
