/* pbft_whole_alike.c: states of a validator that nothing can tell apart any more become the same.
 *
 * What is dropped or brought into one form here is not read again by any step that is modelled:
 *
 *   order          records and signatures are sets; tokens are compared with what is durable only
 *   signatures     of a prepared certificate: which ones it holds is nobody's concern, and a
 *                  VIEW_CHANGE has one digest whichever they are (view_change.h)
 *   spent votes    after the own COMMIT no PREPARE counts (P5); after the decision as well no
 * COMMIT does (P8, P9) spent slots    what was executed is not chosen again in view 1      votes
 * and certificates of view 0: nobody votes there again (which is checked harder than before), and
 * another view change, which would show the certificates, is not modelled; times, since no other
 * wait is once begun     the VIEW_CHANGEs: what they fix is worked out statistics     and who was
 * blamed already: evidence changes nothing */
#include <stdlib.h>

#include "consensus/pbft/internal.h"
#include "tests/scenario/pbft_whole_internal.h"

/* --- certificates ---------------------------------------------------------------------------- */

static struct sy_signature statement(struct whole *whole, const struct sy_prepared *prepared,
                                     const struct sy_hash *digest, uint16_t signer)
{
    static struct sy_message message;
    if (signer == prepared->view % WHOLE_N) {
        message.type = SY_MESSAGE_PRE_PREPARE;
        message.body.pre_prepare.view = prepared->view;
        message.body.pre_prepare.proposal = prepared->proposal;
        fault_sign(&whole->world, signer, &message);
        return message.body.pre_prepare.signature;
    }
    message.type = SY_MESSAGE_PREPARE;
    message.body.vote = (struct sy_vote){.type = SY_MESSAGE_PREPARE,
                                         .view = prepared->view,
                                         .slot = prepared->proposal.slot,
                                         .proposal_digest = *digest,
                                         .signer = signer};
    fault_sign(&whole->world, signer, &message);
    return message.body.vote.signature;
}

void whole_one_certificate(struct whole *whole, struct sy_prepared *prepared, uint16_t holder)
{
    // The primary's own proposal is not in it, but counts.
    unsigned needed = sy_quorum(WHOLE_N) - (prepared->view % WHOLE_N == holder);
    struct sy_hash digest;
    sy_proposal_digest(&digest, &whole->world.genesis, &prepared->proposal);
    prepared->count = 0;
    for (uint16_t i = 0; prepared->count < needed; i++)
        if (i != holder)
            prepared->statements[prepared->count++] =
                (struct sy_seal){i, statement(whole, prepared, &digest, i)};
}

static void one_certificate_record(struct whole *whole, struct record_model *record, uint16_t node)
{
    static struct sy_pbft_record decoded;
    static uint8_t bytes[65536];
    bool good =
        sy_pbft_record_decode(&decoded, sy_slice_of(record->bytes, record->size), node, WHOLE_N);
    SY_ASSERT(good);
    whole_one_certificate(whole, &decoded.as.prepared, node);
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    sy_pbft_record_encode(&writer, &decoded);
    SY_ASSERT(!writer.failed);
    free(record->bytes);
    record->size = writer.used;
    record->bytes = (uint8_t *)malloc(record->size);
    SY_ASSERT(record->bytes);
    memcpy(record->bytes, bytes, record->size);
}

/* --- slots ----------------------------------------------------------------------------------- */

static void drop_absent(struct candidate *candidate)
{
    if (!candidate->present) memset(candidate, 0, sizeof *candidate);
}

static void drop_others(struct cell *cells, uint16_t self)
{
    for (uint16_t i = 0; i < WHOLE_N; i++)
        if (i != self) memset(&cells[i], 0, sizeof cells[i]);
}

static void drop_free_slot(struct slot *slot)
{
    struct cell *prepares = slot->prepares, *commits = slot->commits, *seals = slot->seals;
    memset(slot, 0, sizeof *slot);
    slot->prepares = prepares;
    slot->commits = commits;
    slot->seals = seals;
}

static void drop_tokens(struct slot *slot)
{
    if (slot->prepare != OWN_STORING) slot->prepare_token = 0;
    if (slot->commit != OWN_STORING) slot->commit_token = 0;
}

static void one_form_of_slot(struct whole *whole, const sy_pbft *pbft, struct slot *slot)
{
    uint16_t self = pbft->config.self;
    if (slot->number == 0) {
        drop_free_slot(slot);
        return;
    }
    drop_tokens(slot);
    slot->blamed = false;
    for (unsigned i = 0; i < WHOLE_N; i++)
        slot->prepares[i].blamed = slot->commits[i].blamed = slot->seals[i].blamed = false;
    if (slot->commit == OWN_SENT) drop_others(slot->prepares, self);
    if (slot->commit == OWN_SENT && slot->decided_in_view) drop_others(slot->commits, self);
    if (slot->run == RUN_DONE) {
        slot->chosen = NULL;
        slot->final.present = false;
    }
    drop_absent(&slot->first);
    drop_absent(&slot->other);
    drop_absent(&slot->final);
    if (slot->commit == OWN_STORING) return;
    if (pbft->view > 0 && pbft->own_change != OWN_STORING) slot->certificate_present = false;
    if (slot->certificate_present)
        whole_one_certificate(whole, &slot->certificate, self);
    else
        memset(&slot->certificate, 0, sizeof slot->certificate);
}

/* --- time ------------------------------------------------------------------------------------ */

static void stand_still(uint64_t *at_ns, uint64_t now_ns)
{
    if (*at_ns != SY_PBFT_NEVER && *at_ns > now_ns) *at_ns = now_ns;
}

static void stop_slot_times(struct slot *slot, uint64_t now_ns)
{
    struct candidate *const candidates[] = {&slot->first, &slot->other, &slot->final};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        stand_still(&candidates[i]->received_ns, now_ns);
        stand_still(&candidates[i]->clock_ns, now_ns);
    }
    uint64_t *const times[] = {&slot->opened_ns, &slot->prepare_ns, &slot->commit_ns,
                               &slot->seal_ns};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) stand_still(times[i], now_ns);
}

/* In view 1 it is for ever the moment at which all began. */
static void stop_times(const struct whole *whole, sy_pbft *pbft)
{
    uint64_t now_ns = whole->start_ns;
    uint64_t *const times[] = {&pbft->now_ns,           &pbft->view_since_ns,
                               &pbft->last_decided_ns,  &pbft->last_certified_ns,
                               &pbft->waiting_since_ns, &pbft->behind_disk_ns,
                               &pbft->last_proposed_ns, &pbft->ready_since_ns,
                               &pbft->own_change_ns};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) stand_still(times[i], now_ns);
    pbft->status_due_ns = SY_PBFT_NEVER;
    pbft->status_seq = 0;
    pbft->backoff = 0;
    pbft->quorum_since_ns = 0;
    for (size_t i = 0; i < SY_PBFT_TIMER_COUNT; i++) pbft->timers[i] = SY_PBFT_NEVER;
    for (unsigned s = 0; s < SLOTS_TOUCHED; s++) stop_slot_times(&pbft->slots[s], now_ns);
    for (unsigned i = 0; i < WHOLE_N; i++) stand_still(&pbft->peers[i].heard_ns, now_ns);
    sy_pbft_waits_clear(pbft);
}

/* --- views ----------------------------------------------------------------------------------- */

static void drop_change(struct held_change *held)
{
    uint8_t *bytes = held->bytes;
    size_t used = held->present ? held->change.prepared.size : 0;
    if (!held->present) memset(held, 0, sizeof *held);
    SY_ASSERT(used <= CHANGE_BYTES);
    memset(bytes + used, 0, CHANGE_BYTES - used);
    held->bytes = bytes;
}

/* The three sets as they lay at first, empty. */
static void drop_changes(const struct whole *whole, sy_pbft *pbft)
{
    const sy_arena *arena = whole->world.nodes[pbft->config.self].arena;
    const uint8_t *opened = whole->opened[pbft->config.self];
    const sy_pbft *first =
        (const sy_pbft *)(const void *)(opened + ((uint8_t *)pbft - arena->base));
    pbft->own_spare = first->own_spare;
    pbft->current.changes = first->current.changes;
    pbft->pending.changes = first->pending.changes;
    memcpy(pbft->changes, opened + ((uint8_t *)pbft->changes - arena->base),
           (size_t)3 * WHOLE_N * sizeof pbft->changes[0]);
}

static void one_form_of_changes(const struct whole *whole, sy_pbft *pbft)
{
    if (pbft->view > 0 && pbft->in_view) drop_changes(whole, pbft);
    if (pbft->own_change != OWN_STORING) pbft->own_change_token = 0;
    if (pbft->new_view != OWN_STORING) pbft->new_view_token = 0;
    if (!pbft->pending.present) memset(&pbft->pending.message, 0, sizeof pbft->pending.message);
    if (!pbft->current.present) memset(&pbft->current.message, 0, sizeof pbft->current.message);
    for (size_t i = 0; i < (size_t)3 * WHOLE_N; i++) {
        // A set that is not in use may hold what it had in another use.
        bool idle = (!pbft->pending.present &&
                     i / WHOLE_N == (size_t)(pbft->pending.changes - pbft->changes) / WHOLE_N) ||
                    (!pbft->current.present &&
                     i / WHOLE_N == (size_t)(pbft->current.changes - pbft->changes) / WHOLE_N);
        if (idle) pbft->changes[i].present = false;
        drop_change(&pbft->changes[i]);
    }
    memset(pbft->own_spare, 0, CHANGE_BYTES);
    for (unsigned i = pbft->fixed_count; i < SLOTS_TOUCHED; i++)
        memset(&pbft->fixed[i], 0, sizeof pbft->fixed[i]);
}

/* --- what lies beside the machine ------------------------------------------------------------ */

static int compare_records(const void *a, const void *b)
{
    const struct record_model *x = (const struct record_model *)a;
    const struct record_model *y = (const struct record_model *)b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->view != y->view) return x->view < y->view ? -1 : 1;
    if (x->slot != y->slot) return x->slot < y->slot ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

static int compare_signed(const void *a, const void *b)
{
    const struct signed_model *x = (const struct signed_model *)a;
    const struct signed_model *y = (const struct signed_model *)b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->view != y->view) return x->view < y->view ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static bool is_vote(const struct record_model *record)
{
    return record->type == SY_PBFT_RECORD_PREPARE || record->type == SY_PBFT_RECORD_PREPARED;
}

/* Votes of a view below the own one: none may follow, of whatever kind. */
static void drop_old_votes(struct node_model *model, uint64_t view)
{
    unsigned kept = 0;
    for (unsigned i = model->record_count; i-- > 0;) {
        struct record_model *record = &model->records[i];
        if (record->token != 0 || !is_vote(record) || record->view >= view) continue;
        free(record->bytes);
        *record = model->records[--model->record_count];
    }
    for (unsigned i = 0; i < model->signed_count; i++) {
        const struct signed_model *old = &model->signatures[i];
        bool vote = old->kind == SY_SIG_PREPARE || old->kind == SY_SIG_COMMIT;
        if (!vote || old->view >= view) model->signatures[kept++] = *old;
    }
    memset(&model->signatures[kept], 0, (model->signed_count - kept) * sizeof model->signatures[0]);
    model->signed_count = kept;
    if (model->promised_view < view) model->promised_view = view;
}

static void one_form_of_store(struct whole *whole, struct node_model *model, uint16_t node)
{
    sy_pbft *pbft = model->pbft;
    bool idle = pbft->next_token == pbft->durable_token;
    if (pbft->view > 0 && pbft->own_change != OWN_STORING) drop_old_votes(model, pbft->view);
    for (unsigned i = 0; i < model->record_count; i++)
        if (model->records[i].type == SY_PBFT_RECORD_PREPARED && model->records[i].token == 0)
            one_certificate_record(whole, &model->records[i], node);
    if (idle) pbft->next_token = pbft->durable_token = pbft->boot_token;
    qsort(model->records, model->record_count, sizeof model->records[0], compare_records);
    qsort(model->signatures, model->signed_count, sizeof model->signatures[0], compare_signed);
}

void whole_alike(struct whole *whole, uint16_t node)
{
    struct node_model *model = &whole->world.nodes[node];
    sy_pbft *pbft = model->pbft;
    pbft->now_ms = 0;                                         // every step brings its own
    pbft->view_turn = pbft->slot_turn = pbft->block_turn = 0; // requests are not modelled
    one_form_of_store(whole, model, node);
    for (unsigned s = 0; s < SLOTS_TOUCHED; s++) one_form_of_slot(whole, pbft, &pbft->slots[s]);
    one_form_of_changes(whole, pbft);
    if (pbft->view == 0) return;
    stop_times(whole, pbft);
    whole->asides[node].waited = false;
}

/* --- at rest --------------------------------------------------------------------------------- */

/* What was heard of a view change that is still to come can be heard again. */
static void drop_heard(struct whole *whole, sy_pbft *pbft)
{
    for (uint16_t i = 0; i < WHOLE_N; i++)
        if (i != pbft->config.self) pbft->changes[i].present = false;
    if (pbft->new_view == OWN_NONE) pbft->pending.present = false;
    one_form_of_changes(whole, pbft);
}

static bool is_change(uint8_t type, uint8_t kind)
{
    return type == SY_PBFT_RECORD_VIEW_CHANGE || type == SY_PBFT_RECORD_NEW_VIEW ||
           kind == SY_SIG_VIEW_CHANGE || kind == SY_SIG_NEW_VIEW;
}

static void drop_change_records(struct node_model *model)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < model->record_count; i++) {
        if (is_change(model->records[i].type, 0))
            free(model->records[i].bytes);
        else
            model->records[kept++] = model->records[i];
    }
    model->record_count = kept;
    kept = 0;
    for (unsigned i = 0; i < model->signed_count; i++)
        if (!is_change(0, model->signatures[i].kind))
            model->signatures[kept++] = model->signatures[i];
    memset(&model->signatures[kept], 0, (model->signed_count - kept) * sizeof model->signatures[0]);
    model->signed_count = kept;
}

void whole_alike_at_rest(struct whole *whole, uint16_t node)
{
    struct node_model *model = &whole->world.nodes[node];
    sy_pbft *pbft = model->pbft;
    if (pbft->next_token != pbft->durable_token) return;
    if (pbft->view == 0 || !pbft->in_view) {
        drop_heard(whole, pbft);
        return;
    }
    memset(&pbft->current.message, 0, sizeof pbft->current.message);
    drop_change_records(model);
}
