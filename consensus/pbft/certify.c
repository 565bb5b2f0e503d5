/* certify.c: execution in order, seals, certificates.
 *
 * A seal is PBFT's checkpoint message (OSDI '99, 4.3) for every single slot: it is signed only
 * when the block is durable in the ledger, and a quorum of equal ones is the certificate that
 * clients see and that lets votes go. */
#include "consensus/pbft/internal.h"

/* --- execution ------------------------------------------------------------------------------- */

static void emit_execute(sy_pbft *pbft, struct slot *slot, const struct candidate *candidate)
{
    SY_ASSERT(slot->number == pbft->execute_asked + 1);
    SY_ASSERT(sy_pbft_settled(slot) && sy_pbft_bodies_complete(candidate));
    struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_EXECUTE);
    effect->as.execute.adopted = candidate == &slot->block;
    copy_proposal(&effect->as.execute.proposal, &candidate->pre_prepare.proposal);
    slot->run = RUN_ASKED;
    pbft->execute_asked = slot->number;
    pbft->adopted_total += candidate == &slot->block;
}

/* The candidate that execution of the slot can begin with, or NULL. */
static const struct candidate *runnable(const struct slot *slot)
{
    SY_ASSERT(slot->run == RUN_NONE);
    SY_ASSERT(!slot->chosen || slot->decided);
    if (slot->block_present && sy_pbft_bodies_complete(&slot->block)) return &slot->block;
    if (slot->chosen && sy_pbft_bodies_complete(slot->chosen)) return slot->chosen;
    return NULL;
}

static void execute_next(sy_pbft *pbft)
{
    for (;;) {
        struct slot *slot = sy_pbft_slot_find(pbft, pbft->execute_asked + 1);
        if (!slot) return;
        SY_ASSERT(slot->run == RUN_NONE);
        const struct candidate *candidate = runnable(slot);
        if (!candidate) return;
        emit_execute(pbft, slot, candidate);
    }
}

/* --- certificates ---------------------------------------------------------------------------- */

void sy_pbft_certificate_of(const sy_pbft *pbft, struct sy_certificate *certificate,
                            const struct slot *slot)
{
    SY_ASSERT(slot->run == RUN_DONE);
    SY_ASSERT(!slot->block_present || sy_hash_equal(&slot->block_hash, &slot->header_hash));
    if (slot->block_present) {
        *certificate = slot->block_certificate;
    } else {
        certificate->count = 0;
        for (uint16_t i = 0; i < pbft->config.n && certificate->count < pbft->quorum; i++) {
            const struct cell *cell = &slot->seals[i];
            if (cell->present && sy_hash_equal(&cell->digest, &slot->header_hash))
                certificate->seals[certificate->count++] = (struct sy_seal){i, cell->signature};
        }
    }
    SY_ASSERT(certificate->count == pbft->quorum);
}

static void emit_certified(sy_pbft *pbft, struct slot *slot)
{
    SY_ASSERT(slot->number == pbft->certify_asked + 1);
    struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_CERTIFIED);
    effect->as.certified.height = slot->number;
    effect->as.certified.header_hash = slot->header_hash;
    sy_pbft_certificate_of(pbft, &effect->as.certified.certificate, slot);
    slot->certify_asked = true;
    pbft->certify_asked = slot->number;
}

/* Certificates are asked for in order of height, so that the store has no holes. */
static void certify_next(sy_pbft *pbft)
{
    for (;;) {
        struct slot *slot = sy_pbft_slot_find(pbft, pbft->certify_asked + 1);
        if (!slot || slot->run != RUN_DONE) return;
        if (!slot->block_present && sy_pbft_count_cells(pbft, slot->seals, &slot->header_hash,
                                                        SY_PBFT_OBSERVER) < pbft->quorum)
            return;
        emit_certified(pbft, slot);
    }
}

void sy_pbft_compare_header(sy_pbft *pbft, const struct slot *slot)
{
    SY_ASSERT(slot->run == RUN_DONE);
    SY_ASSERT(slot->number <= pbft->executed);
    const struct sy_hash *certified = NULL;
    const struct slot *child = sy_pbft_slot_find(pbft, slot->number + 1);
    if (slot->block_present && !sy_hash_equal(&slot->block_hash, &slot->header_hash))
        certified = &slot->block_hash;
    else if (child && child->block_present &&
             !sy_hash_equal(&child->block_previous, &slot->header_hash))
        certified = &child->block_previous;
    for (uint16_t i = 0; !certified && i < pbft->config.n; i++) {
        const struct cell *cell = &slot->seals[i];
        if (!cell->present || sy_hash_equal(&cell->digest, &slot->header_hash)) continue;
        if (sy_pbft_count_cells(pbft, slot->seals, &cell->digest, SY_PBFT_OBSERVER) >= pbft->quorum)
            certified = &cell->digest;
    }
    if (certified)
        sy_pbft_halt(pbft, SY_PBFT_ALARM_DIVERGED, slot->number, &slot->header_hash, certified);
}

void sy_pbft_run(sy_pbft *pbft)
{
    SY_ASSERT(pbft->live);
    SY_ASSERT(pbft->halted == (pbft->halt.alarm != SY_PBFT_ALARM_NONE));
    if (pbft->halt.alarm == SY_PBFT_ALARM_DIVERGED)
        return; // nothing may build on a state that differs
    execute_next(pbft);
    certify_next(pbft);
}

/* --- what the node and the others say -------------------------------------------------------- */

/* A change of the roster was executed far enough below its effect that nothing at or above that
 * height was voted on yet (P36). */
void sy_pbft_note_epoch_end(sy_pbft *pbft, uint64_t next_epoch)
{
    if (next_epoch == 0) return;
    uint64_t last = next_epoch - 1;
    SY_ASSERT(pbft->last == UINT64_MAX || pbft->last == last);
    SY_ASSERT(last >= pbft->known);
    pbft->last = last;
}

void sy_pbft_on_executed(sy_pbft *pbft, const struct sy_pbft_event *event)
{
    uint64_t height = event->as.executed.height;
    const struct sy_hash *header_hash = &event->as.executed.header_hash;
    SY_ASSERT(height == pbft->executed + 1);
    if (!pbft->live) { // executed before the restart, certificate not durable
        SY_ASSERT(height - pbft->certified <= SY_PBFT_WINDOW);
        struct slot *restored = sy_pbft_slot_open(pbft, height);
        restored->run = RUN_ASKED;
        restored->decided = true;
        pbft->execute_asked = height;
    }
    struct slot *slot = sy_pbft_slot_find(pbft, height);
    SY_ASSERT(slot && slot->run == RUN_ASKED);
    slot->run = RUN_DONE;
    slot->header_hash = *header_hash;
    pbft->executed = height;
    sy_pbft_set_next_seqs(pbft, event->as.executed.next_seqs);
    sy_pbft_note_epoch_end(pbft, event->as.executed.next_epoch);
    if (!pbft->live) return;

    sy_pbft_compare_header(pbft, slot);
    if (can_vote(pbft) && !slot->block_present) sy_pbft_seal(pbft, slot);
    // Entries of other open slots may have been waiting for what this one names.
    for (uint64_t h = height + 1; h <= pbft->known; h++) {
        struct slot *open = sy_pbft_slot_find(pbft, h);
        if (!open || !open->conflicted) continue;
        open->conflicted = false;
        sy_pbft_advance(pbft, open);
    }
}

void sy_pbft_seal(sy_pbft *pbft, struct slot *slot)
{
    SY_ASSERT(can_vote(pbft));
    SY_ASSERT(slot->run == RUN_DONE && slot->number <= pbft->executed);
    slot->seals[pbft->config.self] = (struct cell){.present = true, .digest = slot->header_hash};
    sy_pbft_send_seal(pbft, slot, SY_PBFT_ALL, false);
}

void sy_pbft_on_certificate_durable(sy_pbft *pbft, uint64_t height)
{
    SY_ASSERT(height <= pbft->certify_asked);
    if (height <= pbft->certified) return;
    const struct slot *slot = sy_pbft_slot_find(pbft, height);
    SY_ASSERT(slot && slot->run == RUN_DONE && slot->certify_asked);
    pbft->certified_hash = slot->header_hash;
    sy_pbft_certificate_of(pbft, &pbft->certified_certificate, slot);
    pbft->certified = height;
    pbft->last_certified_ns = pbft->now_ns;
    if (pbft->decided < height) pbft->decided = height;
    sy_pbft_slot_clear_to(pbft, height);
    sy_pbft_emit(pbft, SY_PBFT_DROP_VOTES)->as.height = height;
    sy_pbft_try_new_view(pbft); // which may have waited for this height
}

static void blame_seal(sy_pbft *pbft, struct cell *cell, const struct sy_seal_message *message)
{
    SY_ASSERT(cell->present && message->seal.signer != pbft->config.self);
    SY_ASSERT(!sy_hash_equal(&cell->digest, &message->header_hash));
    sy_pbft_ignore(pbft, SY_PBFT_IGNORED_CONFLICT);
    if (cell->blamed) return;
    cell->blamed = true;
    struct sy_pbft_evidence *evidence = sy_pbft_blame(pbft, SY_MESSAGE_SEAL, message->seal.signer);
    evidence->pair.seals[0] = evidence->pair.seals[1] = *message;
    evidence->pair.seals[0].header_hash = cell->digest;
    evidence->pair.seals[0].seal.signature = cell->signature;
}

/* A seal under the own key is the one that was sent, or a reason to stop: a block is durable before
 * its seal exists, so a seal for a block that the ledger lacks means that the ledger lost it, or
 * that somebody else holds the key. */
static void on_own_seal(sy_pbft *pbft, const struct sy_seal_message *message)
{
    SY_ASSERT(message->seal.signer == pbft->config.self);
    const struct slot *slot = sy_pbft_slot_find(pbft, message->height);
    bool known = slot && slot->run == RUN_DONE;
    sy_pbft_check_own(pbft, message->height, known ? &slot->header_hash : NULL,
                      &message->header_hash);
}

void sy_pbft_on_seal(sy_pbft *pbft, const struct sy_seal_message *message)
{
    uint16_t signer = message->seal.signer;
    if (signer >= pbft->config.n || message->epoch != pbft->config.epoch) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_MALFORMED);
        return;
    }
    if (signer == pbft->config.self && message->height > pbft->certified) {
        on_own_seal(pbft, message);
        return;
    }
    struct peer *peer = &pbft->peers[signer];
    if (message->height > peer->sealed) peer->sealed = message->height;
    if (!sy_pbft_in_window(pbft, message->height)) return;
    struct slot *slot = sy_pbft_slot_open(pbft, message->height);
    struct cell *cell = &slot->seals[signer];
    if (cell->present) {
        if (!sy_hash_equal(&cell->digest, &message->header_hash))
            blame_seal(pbft, cell, message);
        else
            sy_pbft_ignore(pbft, SY_PBFT_IGNORED_DUPLICATE);
        return;
    }
    *cell = (struct cell){
        .present = true, .digest = message->header_hash, .signature = message->seal.signature};
    if (slot->run == RUN_DONE) sy_pbft_compare_header(pbft, slot);
}
