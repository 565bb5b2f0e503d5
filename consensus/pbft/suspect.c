/* suspect.c: how long the primary, or a new view, is waited for.
 *
 * A backup waits while something is the primary's to do: a slot that it accepted, or a gap below
 * one, is undecided; a slot that the NEW_VIEW fixed is not decided again; the next batch of some
 * maker is not proposed although its body was sent to the primary; or an idle network lacks its
 * heartbeat. A primary from which nothing comes is given up soon, one that is heard but slow later:
 * on a busy machine a commit may take long, and a view change would only add to the work
 * (traps.md A34). The wait begins anew with every decided slot, so it bounds the oldest batch and
 * not the load.
 *
 * A second reason to leave is that seals are missing while somebody waits in a later view.
 *
 * Without a view the wait is for NEW_VIEW, and begins when a quorum waits with this validator
 * (OSDI '99, 4.5.2). */
#include "consensus/pbft/internal.h"

/* A primary that is heard is given this many times as long as a silent one. */
#define SLOW_FACTOR 5u

/* 2^k times the base at most, so that views meet again soon after an outage (traps.md A12). */
#define BACKOFF_MAX 4u

static uint64_t patience(const sy_pbft *pbft)
{
    SY_ASSERT(pbft->config.view_ns > 0);
    return pbft->config.view_ns << (pbft->backoff < BACKOFF_MAX ? pbft->backoff : BACKOFF_MAX);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When the primary last did what it is there for, or the view began. */
static uint64_t progress_ns(const sy_pbft *pbft)
{
    SY_ASSERT(pbft->last_decided_ns <= pbft->now_ns && pbft->view_since_ns <= pbft->now_ns);
    return later(pbft->last_decided_ns, pbft->view_since_ns);
}

/* --- what waits ------------------------------------------------------------------------------ */

/* A slot that the NEW_VIEW fixed and that is not decided again: others may need this validator's
 * votes for it even if it decided the slot before. */
static bool fixed_waits(const sy_pbft *pbft)
{
    for (uint64_t h = pbft->fixed_above + 1; h <= sy_pbft_fixed_end(pbft); h++) {
        if (h <= pbft->certified) continue;
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || (!slot->decided_in_view && !sy_pbft_block_holds(slot))) return true;
    }
    return false;
}

/* Since when the lowest undecided slot waits, at or below one that was accepted; or NEVER. */
static uint64_t slot_waits_ns(const sy_pbft *pbft)
{
    if (fixed_waits(pbft)) return progress_ns(pbft);
    for (uint64_t h = pbft->decided + 1; h <= pbft->known; h++) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || !slot->first.present) continue;
        return later(slot->first.received_ns, progress_ns(pbft));
    }
    return SY_PBFT_NEVER;
}

/* Since when the oldest batch waits whose body was sent to the primary; or NEVER. */
static uint64_t batch_waits_ns(const sy_pbft *pbft)
{
    uint64_t oldest = SY_PBFT_NEVER;
    for (uint16_t maker = 0; maker < pbft->config.n; maker++) {
        const struct maker_wait *wait = &pbft->waits[maker];
        if (wait->seq == 0 || wait->sent_ns == 0) continue;
        SY_ASSERT(wait->sent_ns >= wait->since_ns);
        if (wait->sent_ns < oldest) oldest = wait->sent_ns;
    }
    return oldest;
}

/* The own disk is the reason why nothing moves. */
static bool disk_is_slow(const sy_pbft *pbft)
{
    return pbft->behind_disk_ns != 0 &&
           pbft->now_ns - pbft->behind_disk_ns >= pbft->config.view_ns / 2;
}

static bool paused(const sy_pbft *pbft)
{
    return sy_pbft_window_full(pbft) || disk_is_slow(pbft);
}

/* Since when this validator waits for the primary; NEVER: it does not. */
static uint64_t waits_ns(const sy_pbft *pbft)
{
    uint64_t slot = slot_waits_ns(pbft);
    if (paused(pbft)) return slot;
    uint64_t batch = batch_waits_ns(pbft);
    if (slot == SY_PBFT_NEVER && batch == SY_PBFT_NEVER)
        return progress_ns(pbft) + pbft->config.heartbeat_ns;
    return slot < batch ? slot : batch;
}

/* --- batches that the primary may lack ------------------------------------------------------- */

void sy_pbft_waits_clear(sy_pbft *pbft)
{
    memset(pbft->waits, 0, pbft->config.n * sizeof pbft->waits[0]);
}

/* The primary may never have seen the body: a faulty maker must not bring it down. So it is sent
 * one first, and only then waited for. */
static void wait_for(sy_pbft *pbft, struct maker_wait *wait, const struct ready_batch *batch)
{
    if (wait->seq != batch->seq)
        *wait = (struct maker_wait){.seq = batch->seq, .since_ns = pbft->now_ns};
    uint64_t half = pbft->config.view_ns / 2;
    if (pbft->now_ns - wait->since_ns < half) return;
    if (wait->sent_ns != 0 && pbft->now_ns - wait->again_ns < patience(pbft)) return;
    if (wait->sent_ns == 0) wait->sent_ns = pbft->now_ns;
    wait->again_ns = pbft->now_ns;
    struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_SEND_BODY);
    effect->as.send_body.digest = batch->digest;
    effect->as.send_body.to = primary_of(pbft, pbft->view);
}

static void note_batches(sy_pbft *pbft)
{
    SY_ASSERT(votes_in_view(pbft) && !is_primary(pbft));
    if (pbft->ready_count == 0 || paused(pbft)) {
        sy_pbft_waits_clear(pbft);
        return;
    }
    sy_pbft_find_cursors(pbft);
    for (uint16_t maker = 0; maker < pbft->config.n; maker++) {
        const struct ready_batch *batch = sy_pbft_ready_at(pbft, maker, pbft->cursors[maker]);
        if (batch)
            wait_for(pbft, &pbft->waits[maker], batch);
        else
            pbft->waits[maker].seq = 0;
    }
}

/* When the next body is to be sent to the primary, or again. */
static uint64_t send_deadline(const sy_pbft *pbft)
{
    uint64_t at = SY_PBFT_NEVER;
    for (uint16_t maker = 0; maker < pbft->config.n; maker++) {
        const struct maker_wait *wait = &pbft->waits[maker];
        if (wait->seq == 0) continue;
        uint64_t due = wait->sent_ns == 0 ? wait->since_ns + pbft->config.view_ns / 2
                                          : wait->again_ns + patience(pbft);
        if (due < at) at = due;
    }
    return at;
}

/* --- deadlines ------------------------------------------------------------------------------- */

/* When this validator last ran again, after it had not: a wait since then ends later for that. But
 * a machine that has too much to do all the time comes late every time, and must not keep a dead
 * primary for ever. 0: the wait has been put off often enough. */
static uint64_t woken_ns(const sy_pbft *pbft, uint64_t since_ns)
{
    uint64_t oldest = pbft->wakes[pbft->wake_count % WAKES_MAX];
    return oldest > since_ns ? 0 : pbft->wakes[(pbft->wake_count + WAKES_MAX - 1) % WAKES_MAX];
}

/* When a wait since then has been long enough even if the other side lives. Whoever did not run
 * looks first at what came meanwhile. */
static uint64_t slow_deadline(const sy_pbft *pbft, uint64_t since_ns)
{
    SY_ASSERT(since_ns != SY_PBFT_NEVER);
    return later(since_ns + SLOW_FACTOR * patience(pbft),
                 woken_ns(pbft, since_ns) + patience(pbft));
}

/* Since when nothing was heard of the primary although it was waited for. What came while this
 * validator was not running is not known yet, so silence begins after that. */
static uint64_t silent_since_ns(const sy_pbft *pbft, uint64_t waits_ns)
{
    SY_ASSERT(waits_ns != SY_PBFT_NEVER);
    uint64_t since = later(waits_ns, pbft->peers[primary_of(pbft, pbft->view)].heard_ns);
    return later(since, woken_ns(pbft, since));
}

/* When the primary is given up; NEVER: nothing waits for it. */
static uint64_t primary_deadline(const sy_pbft *pbft)
{
    uint64_t since = waits_ns(pbft);
    if (since == SY_PBFT_NEVER) return since;
    uint64_t silent = silent_since_ns(pbft, since) + patience(pbft);
    uint64_t slow = slow_deadline(pbft, since);
    return silent < slow ? silent : slow;
}

/* When executed slots have waited too long for a certificate while somebody is in a later view.
 * Whoever went there alone can vote for nothing here; if a faulty validator withholds its seals,
 * that one's are needed, and the others must follow it. NEVER: this is not so. */
static uint64_t seals_deadline(const sy_pbft *pbft)
{
    if (pbft->executed == pbft->certify_asked) return SY_PBFT_NEVER;
    if (sy_pbft_changes_from(pbft, pbft->view + 1) == 0) return SY_PBFT_NEVER;
    const struct slot *slot = sy_pbft_slot_find(pbft, pbft->certify_asked + 1);
    SY_ASSERT(slot && slot->run == RUN_DONE);
    uint64_t since = later(later(slot->seal_ns, pbft->last_certified_ns), pbft->view_since_ns);
    return slow_deadline(pbft, since);
}

/* When the wait for NEW_VIEW ends. A validator that restarted in a view for which it sent no
 * VIEW_CHANGE hopes for longer that somebody still has its NEW_VIEW. */
static uint64_t new_view_deadline(const sy_pbft *pbft)
{
    if (pbft->own_change == OWN_NONE) return slow_deadline(pbft, pbft->view_since_ns);
    if (pbft->quorum_since_ns == 0) return SY_PBFT_NEVER;
    uint64_t since = pbft->quorum_since_ns;
    return later(since, woken_ns(pbft, since)) + patience(pbft);
}

static uint64_t leave_deadline(const sy_pbft *pbft)
{
    if (!may_begin(pbft)) return SY_PBFT_NEVER;
    if (!pbft->in_view) return new_view_deadline(pbft);
    uint64_t seals = seals_deadline(pbft);
    uint64_t primary = is_primary(pbft) ? SY_PBFT_NEVER : primary_deadline(pbft);
    return seals < primary ? seals : primary;
}

/* Since when others must have been heard, so that it is the primary that is silent and not the own
 * link that is dead: the last word of each comes at another moment, within a status period, which
 * is half of the patience at most. 0: silence is not why the view would be left. */
static uint64_t others_since_ns(const sy_pbft *pbft)
{
    if (!pbft->in_view || is_primary(pbft)) return 0;
    uint64_t since = waits_ns(pbft);
    bool silent = since != SY_PBFT_NEVER && pbft->now_ns < seals_deadline(pbft) &&
                  pbft->now_ns < slow_deadline(pbft, since);
    return silent ? silent_since_ns(pbft, since) + patience(pbft) / 2 : 0;
}

/* A validator that hears less than a quorum is cut off itself: it could not finish a view change,
 * and must not run ahead of the others. */
static bool hears_quorum(const sy_pbft *pbft)
{
    unsigned heard = 1; // itself
    uint64_t since = others_since_ns(pbft);
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct peer *peer = &pbft->peers[i];
        if (i == pbft->config.self || peer->heard_ns == 0 || peer->heard_ns < since) continue;
        if (pbft->now_ns - peer->heard_ns <= patience(pbft)) heard++;
    }
    return heard >= pbft->quorum;
}

/* weak(n) validators have certificates for what is not decided here: the network moves, and what is
 * missing are blocks, not a primary. */
static bool is_behind(const sy_pbft *pbft)
{
    return pbft->in_view && sy_pbft_told_height(pbft) > pbft->decided;
}

bool sy_pbft_overdue(const sy_pbft *pbft)
{
    return pbft->now_ns >= leave_deadline(pbft);
}

static void note_leaving(sy_pbft *pbft)
{
    uint64_t since = pbft->view_since_ns;
    struct left_note *left = &pbft->left;
    *left = (struct left_note){.why = SY_PBFT_LEFT_NEW_VIEW};
    if (pbft->in_view) {
        left->why = SY_PBFT_LEFT_HEARTBEAT;
        since = waits_ns(pbft);
        if (pbft->now_ns >= seals_deadline(pbft))
            left->why = SY_PBFT_LEFT_SEALS;
        else if (since == slot_waits_ns(pbft))
            left->why = SY_PBFT_LEFT_SLOT;
        else if (since == batch_waits_ns(pbft))
            left->why = SY_PBFT_LEFT_BATCH;
        while (left->why == SY_PBFT_LEFT_BATCH && pbft->waits[left->maker].sent_ns != since)
            left->maker++;
        left->silent_ns = pbft->now_ns - pbft->peers[primary_of(pbft, pbft->view)].heard_ns;
    }
    if (since < pbft->now_ns) left->waited_ns = pbft->now_ns - since;
}

void sy_pbft_suspect(sy_pbft *pbft)
{
    if (!may_begin(pbft)) return;
    if (pbft->in_view && !is_primary(pbft)) note_batches(pbft);
    if (!pbft->in_view && pbft->quorum_since_ns == 0 &&
        sy_pbft_changes_from(pbft, pbft->view) >= pbft->quorum)
        pbft->quorum_since_ns = pbft->now_ns;
    if (!sy_pbft_overdue(pbft) || !hears_quorum(pbft) || is_behind(pbft)) return;
    note_leaving(pbft);
    sy_pbft_leave_view(pbft, pbft->view + 1);
}

uint64_t sy_pbft_view_deadline(const sy_pbft *pbft)
{
    uint64_t leave = leave_deadline(pbft);
    bool sends = votes_in_view(pbft) && !is_primary(pbft);
    uint64_t send = sends ? send_deadline(pbft) : SY_PBFT_NEVER;
    // Overdue: this validator hears too few, or is behind, and looks again with the next event.
    if (leave <= pbft->now_ns) leave = SY_PBFT_NEVER;
    return leave < send ? leave : send;
}
