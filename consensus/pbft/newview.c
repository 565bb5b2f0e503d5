/* newview.c: beginning a view (OSDI '99, 4.4).
 *
 * NEW_VIEW names quorum(n) VIEW_CHANGEs by digest. Whoever holds them computes the same from them:
 * every slot above their highest certificate, up to the highest one that any of them shows as
 * prepared, gets the proposal prepared in the highest view, or stays empty. A slot decided before
 * was prepared by a quorum, so one of the VIEW_CHANGEs shows it; what the view fixes is the same.
 * The primary proposes these slots again, in the new view, and the votes begin anew. */
#include "consensus/pbft/internal.h"

const struct fixed *sy_pbft_fixed(const sy_pbft *pbft, uint64_t number)
{
    SY_ASSERT(pbft->fixed_count <= SY_PBFT_WINDOW);
    if (number <= pbft->fixed_above || number > sy_pbft_fixed_end(pbft)) return NULL;
    return &pbft->fixed[number - pbft->fixed_above - 1];
}

/* --- what a NEW_VIEW fixes ------------------------------------------------------------------- */

static const struct held_change *named(const struct view_start *start, uint16_t which)
{
    const struct held_change *held = &start->changes[start->message.changes[which].signer];
    SY_ASSERT(held->present && held->change.view == start->message.view);
    return held;
}

static void fix_proposal(sy_pbft *pbft, const struct sy_prepared *prepared)
{
    uint64_t slot = prepared->proposal.slot;
    if (slot <= pbft->fixed_above) return;
    SY_ASSERT(slot - pbft->fixed_above <= SY_PBFT_WINDOW);
    unsigned place = (unsigned)(slot - pbft->fixed_above - 1);
    for (; pbft->fixed_count <= place; pbft->fixed_count++)
        pbft->fixed[pbft->fixed_count].null = true;
    struct fixed *fixed = &pbft->fixed[place];
    if (!fixed->null && fixed->view >= prepared->view) return;
    fixed->null = false;
    fixed->view = prepared->view;
    copy_proposal(&fixed->proposal, &prepared->proposal);
}

static void finish_fixed(sy_pbft *pbft, struct fixed *fixed, uint64_t slot)
{
    struct sy_proposal *proposal = &fixed->proposal;
    if (fixed->null) {
        proposal->epoch = pbft->config.epoch;
        proposal->slot = slot;
        proposal->time_ms = 0; // execution gives it its parent's, and a millisecond
        proposal->count = 0;
    }
    SY_ASSERT(proposal->slot == slot);
    sy_proposal_digest(&fixed->digest, &pbft->config.genesis, proposal);
}

static void fix(sy_pbft *pbft)
{
    const struct view_start *start = &pbft->current;
    pbft->fixed_above = pbft->fixed_count = 0;
    for (uint16_t i = 0; i < start->message.count; i++) {
        uint64_t stable = named(start, i)->change.stable_height;
        if (stable > pbft->fixed_above) pbft->fixed_above = stable;
    }
    for (uint16_t i = 0; i < start->message.count; i++) {
        const struct sy_view_change *change = &named(start, i)->change;
        struct sy_reader walk = sy_view_change_walk(change);
        struct sy_prepared prepared;
        while (sy_view_change_next(&walk, &prepared, change, pbft->config.n))
            fix_proposal(pbft, &prepared);
    }
    for (unsigned i = 0; i < pbft->fixed_count; i++)
        finish_fixed(pbft, &pbft->fixed[i], pbft->fixed_above + 1 + i);
}

/* --- beginning ------------------------------------------------------------------------------- */

void sy_pbft_begin_view(sy_pbft *pbft)
{
    SY_ASSERT(pbft->current.present && pbft->current.message.view == pbft->view);
    SY_ASSERT(!pbft->in_view);
    pbft->in_view = true;
    pbft->view_since_ns = pbft->now_ns;
    pbft->pending.present = false;
    fix(pbft);
    sy_pbft_waits_clear(pbft);
    if (is_primary(pbft)) {
        if (pbft->proposed < pbft->fixed_above) pbft->proposed = pbft->fixed_above;
        // The view shows at once that it works.
        uint64_t beat = pbft->config.heartbeat_ns;
        pbft->last_proposed_ns = pbft->now_ns > beat ? pbft->now_ns - beat : 0;
    }
    // Before the number of starts is durable no status may leave.
    if (pbft->boot_durable) pbft->status_due_ns = pbft->now_ns;
    sy_pbft_advance_all(pbft);
}

static bool complete(const struct view_start *start)
{
    SY_ASSERT(start->present);
    for (uint16_t i = 0; i < start->message.count; i++)
        if (!start->changes[start->message.changes[i].signer].present) return false;
    return true;
}

/* The sets change places: nothing is copied. */
static void take_pending(sy_pbft *pbft)
{
    struct view_start old = pbft->current;
    pbft->current = pbft->pending;
    pbft->pending = old;
    pbft->pending.present = false;
}

void sy_pbft_try_begin(sy_pbft *pbft)
{
    if (!pbft->pending.present || !complete(&pbft->pending)) return;
    uint64_t view = pbft->pending.message.view;
    SY_ASSERT(view > pbft->view || (view == pbft->view && !pbft->in_view));
    if (view > pbft->view) sy_pbft_goto_view(pbft, view);
    take_pending(pbft);
    if (can_vote(pbft)) {
        // Before any vote in this view; also, who restarts knows which view it was in.
        uint64_t token;
        sy_pbft_persist(pbft, &token, SY_PBFT_RECORD_NEW_VIEW, 0)->as.new_view =
            pbft->current.message;
        bool mine = pbft->current.message.signer == pbft->config.self;
        if (mine)
            sy_pbft_send(pbft, SY_PBFT_ALL, true, SY_MESSAGE_NEW_VIEW)->body.new_view =
                pbft->current.message;
    }
    sy_pbft_begin_view(pbft);
}

void sy_pbft_pend(sy_pbft *pbft, const struct sy_new_view *message)
{
    struct view_start *pending = &pbft->pending;
    pending->present = true;
    pending->message = *message;
    for (uint16_t i = 0; i < pbft->config.n; i++) pending->changes[i].present = false;
    for (uint16_t i = 0; i < message->count; i++) {
        uint16_t signer = message->changes[i].signer;
        const struct held_change *held = &pbft->changes[signer];
        if (!held->present || held->change.view != message->view) continue;
        if (!sy_hash_equal(&held->digest, &message->changes[i].digest)) continue;
        sy_pbft_hold(pbft, &pending->changes[signer], &held->change, &held->digest);
    }
}

/* --- making one ------------------------------------------------------------------------------ */

/* A VIEW_CHANGE whose stable height this validator cannot show is not named: the view would leave
 * everything up to there to certificates that perhaps one faulty validator holds alone. A true one
 * counts as soon as its blocks are here. */
static bool nameable(const sy_pbft *pbft, const struct held_change *held)
{
    return held->present && held->change.view == pbft->view &&
           held->change.stable_height <= pbft->certified;
}

/* The quorum that is named: this validator, and of the others the first in roster order. */
static void choose(sy_pbft *pbft, struct sy_new_view *message)
{
    unsigned others = pbft->quorum - 1;
    *message = (struct sy_new_view){
        .epoch = pbft->config.epoch, .view = pbft->view, .signer = pbft->config.self};
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct held_change *held = &pbft->changes[i];
        if (!nameable(pbft, held)) continue;
        if (i != pbft->config.self && others == 0) continue;
        others -= i != pbft->config.self;
        message->changes[message->count].signer = i;
        message->changes[message->count++].digest = held->digest;
    }
    SY_ASSERT(message->count == pbft->quorum);
}

static unsigned nameable_count(const sy_pbft *pbft)
{
    unsigned count = 0;
    for (uint16_t i = 0; i < pbft->config.n; i++) count += nameable(pbft, &pbft->changes[i]);
    return count;
}

void sy_pbft_try_new_view(sy_pbft *pbft)
{
    if (!may_begin(pbft) || pbft->in_view || !is_primary(pbft)) return;
    if (pbft->own_change != OWN_SENT || pbft->new_view != OWN_NONE) return;
    if (nameable_count(pbft) < pbft->quorum) return;
    struct sy_new_view message;
    choose(pbft, &message);
    sy_pbft_pend(pbft, &message);
    SY_ASSERT(complete(&pbft->pending));
    take_pending(pbft);
    sy_pbft_persist(pbft, &pbft->new_view_token, SY_PBFT_RECORD_NEW_VIEW, 0)->as.new_view = message;
    pbft->new_view = OWN_STORING;
}

/* --- taking one ------------------------------------------------------------------------------ */

/* weak(n) others show this view or a later one, so a correct one does. */
static bool is_shown(const sy_pbft *pbft, uint64_t view)
{
    unsigned count = 0;
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct held_change *held = &pbft->changes[i];
        bool waits = held->present && held->change.view >= view;
        count += i != pbft->config.self && (waits || pbft->peers[i].view >= view);
    }
    return count >= pbft->weak;
}

/* Of a later view: nobody else is there, so it is made up; or the present one's NEW_VIEW is about
 * to be complete. Otherwise a faulty primary of some far view could keep pushing out the one that
 * is needed. */
static bool ignore_later(sy_pbft *pbft, const struct sy_new_view *message)
{
    if (message->view == pbft->view) return false;
    bool awaited = pbft->pending.present && pbft->pending.message.view == pbft->view;
    if (!awaited && is_shown(pbft, message->view)) return false;
    sy_pbft_ignore(pbft, SY_PBFT_IGNORED_FUTURE);
    return true;
}

static bool same_message(const sy_pbft *pbft, const struct sy_new_view *a,
                         const struct sy_new_view *b)
{
    struct sy_hash x, y;
    sy_new_view_digest(&x, &pbft->config.genesis, a);
    sy_new_view_digest(&y, &pbft->config.genesis, b);
    return sy_hash_equal(&x, &y);
}

static bool is_pending(const sy_pbft *pbft, const struct sy_new_view *message)
{
    return pbft->pending.present && same_message(pbft, &pbft->pending.message, message);
}

static bool ignore_new_view(sy_pbft *pbft, const struct sy_new_view *message)
{
    if (message->epoch != pbft->config.epoch ||
        message->signer != primary_of(pbft, message->view)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_MALFORMED);
        return true;
    }
    if (message->view < pbft->view || (message->view == pbft->view && pbft->in_view)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_STALE);
        return true;
    }
    if (message->signer != pbft->config.self || is_pending(pbft, message))
        return ignore_later(pbft, message);
    // What the own key began and this validator does not know of (P14); or, while the own one is
    // being stored, a copy of it cannot be under way.
    struct sy_hash digest;
    sy_new_view_digest(&digest, &pbft->config.genesis, message);
    sy_pbft_check_own(pbft, pbft->certified + 1, NULL, &digest);
    return true;
}

void sy_pbft_on_new_view(sy_pbft *pbft, const struct sy_new_view *message, uint16_t from)
{
    if (ignore_new_view(pbft, message)) return;
    if (is_pending(pbft, message)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_DUPLICATE);
        return;
    }
    // What this validator itself stored for the view stays (P34).
    if (pbft->new_view != OWN_NONE) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_CONFLICT);
        return;
    }
    sy_pbft_pend(pbft, message);
    if (complete(&pbft->pending))
        sy_pbft_try_begin(pbft);
    else if (from < pbft->config.n && from != pbft->config.self)
        sy_pbft_ask_view(pbft, from);
}
