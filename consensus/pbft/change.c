/* change.c: leaving a view (OSDI '99, 4.4; TOCS 2002, 4.4).
 *
 * A VIEW_CHANGE promises that its signer votes in no view below the one that it names, and shows
 * what the signer may have helped to decide: the newest certificate, below which everything is
 * final, and the prepared certificate of every slot above it. It is sent only after it is durable,
 * and again to everybody whose status shows a lower view. Of every validator only the VIEW_CHANGE
 * with the highest view is held. */
#include "consensus/pbft/internal.h"

void sy_pbft_hold(const sy_pbft *pbft, struct held_change *held,
                  const struct sy_view_change *change, const struct sy_hash *digest)
{
    SY_ASSERT(change->count <= SY_PBFT_WINDOW);
    SY_ASSERT(change->prepared.size <= SY_PBFT_WINDOW * sy_prepared_bytes_max(pbft->config.n));
    if (change->prepared.size > 0)
        memcpy(held->bytes, change->prepared.data, change->prepared.size);
    held->present = true;
    held->digest = *digest;
    held->change = *change;
    held->change.prepared = sy_slice_of(held->bytes, change->prepared.size);
}

unsigned sy_pbft_changes_from(const sy_pbft *pbft, uint64_t view)
{
    unsigned count = 0;
    for (uint16_t i = 0; i < pbft->config.n; i++)
        count += pbft->changes[i].present && pbft->changes[i].change.view >= view;
    SY_ASSERT(count <= pbft->config.n);
    return count;
}

/* --- the own one ----------------------------------------------------------------------------- */

static void make_own(sy_pbft *pbft)
{
    struct held_change *own = &pbft->changes[pbft->config.self];
    struct sy_view_change *change = &own->change;
    // The step's effects may lend the last one's bytes.
    uint8_t *spare = pbft->own_spare;
    pbft->own_spare = own->bytes;
    own->bytes = spare;
    memset(change, 0, sizeof *change);
    change->epoch = pbft->config.epoch;
    change->view = pbft->view;
    change->signer = pbft->config.self;
    change->stable_height = pbft->certified;
    if (pbft->certified != pbft->config.base) {
        change->stable_hash = pbft->certified_hash;
        change->certificate = pbft->certified_certificate;
    }
    struct sy_writer w =
        sy_writer_of(own->bytes, SY_PBFT_WINDOW * sy_prepared_bytes_max(pbft->config.n));
    for (uint64_t h = pbft->certified + 1; h <= pbft->known; h++) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || !slot->certificate_present) continue;
        SY_ASSERT(slot->certificate.view < pbft->view);
        sy_prepared_encode(&w, &slot->certificate);
        change->count++;
    }
    SY_ASSERT(!w.failed);
    change->prepared = sy_writer_slice(&w);
    sy_view_change_digest(&own->digest, &pbft->config.genesis, change, pbft->config.n);
    own->present = true;
}

void sy_pbft_goto_view(sy_pbft *pbft, uint64_t view)
{
    SY_ASSERT(view > pbft->view);
    sy_pbft_slots_leave_view(pbft);
    pbft->view = view;
    pbft->in_view = false;
    pbft->view_since_ns = pbft->now_ns;
    pbft->quorum_since_ns = 0;
    pbft->own_change = pbft->new_view = OWN_NONE;
    pbft->current.present = false;
    if (pbft->pending.present && pbft->pending.message.view < view) pbft->pending.present = false;
    pbft->fixed_above = pbft->fixed_count = 0;
    pbft->proposed = pbft->certified;
    pbft->ready_waits = false;
    pbft->view_changes_total++;
    pbft->backoff++;
    sy_pbft_waits_clear(pbft);
}

void sy_pbft_leave_view(sy_pbft *pbft, uint64_t view)
{
    SY_ASSERT(can_vote(pbft));
    sy_pbft_goto_view(pbft, view);
    make_own(pbft);
    struct sy_pbft_record *record =
        sy_pbft_persist(pbft, &pbft->own_change_token, SY_PBFT_RECORD_VIEW_CHANGE, 0);
    record->as.view_change = pbft->changes[pbft->config.self].change;
    pbft->own_change = OWN_STORING;
}

static void send_own(sy_pbft *pbft, uint16_t to, bool again)
{
    SY_ASSERT(pbft->own_change == OWN_SENT);
    SY_ASSERT(pbft->own_change_token <= pbft->durable_token);
    if (!again) pbft->own_change_ns = pbft->now_ns;
    sy_pbft_send(pbft, to, again, SY_MESSAGE_VIEW_CHANGE)->body.view_change =
        pbft->changes[pbft->config.self].change;
}

void sy_pbft_view_persisted(sy_pbft *pbft)
{
    SY_ASSERT(can_vote(pbft));
    if (pbft->own_change == OWN_STORING && pbft->own_change_token <= pbft->durable_token) {
        pbft->own_change = OWN_SENT;
        send_own(pbft, SY_PBFT_ALL, false);
        sy_pbft_try_new_view(pbft);
    }
    if (pbft->new_view == OWN_STORING && pbft->new_view_token <= pbft->durable_token) {
        pbft->new_view = OWN_SENT;
        sy_pbft_send(pbft, SY_PBFT_ALL, false, SY_MESSAGE_NEW_VIEW)->body.new_view =
            pbft->current.message;
        sy_pbft_begin_view(pbft);
    }
}

/* --- those of the others --------------------------------------------------------------------- */

/* OSDI '99, 4.5.2: weak(n) others wait for views above the own one, so one of them is correct:
 * this validator joins the smallest of these views, whatever its own timers say. */
void sy_pbft_join(sy_pbft *pbft)
{
    unsigned above = 0;
    uint64_t smallest = UINT64_MAX;
    if (!may_begin(pbft)) return;
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct held_change *held = &pbft->changes[i];
        if (i == pbft->config.self || !held->present) continue;
        if (held->change.view <= pbft->view) continue;
        above++;
        if (held->change.view < smallest) smallest = held->change.view;
    }
    if (above < pbft->weak) return;
    pbft->left = (struct left_note){.why = SY_PBFT_LEFT_JOINED};
    sy_pbft_leave_view(pbft, smallest);
}

/* A VIEW_CHANGE under the own key that this validator does not remember (P14). */
static void check_own(sy_pbft *pbft, const struct sy_view_change *change,
                      const struct sy_hash *digest)
{
    const struct held_change *own = &pbft->changes[pbft->config.self];
    bool known = own->present && own->change.view == change->view;
    bool old = own->present ? change->view < own->change.view : change->view <= pbft->view;
    if (old)
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_DUPLICATE);
    else
        sy_pbft_check_own(pbft, pbft->certified + 1, known ? &own->digest : NULL, digest);
}

/* One that the pending NEW_VIEW names is kept for it, though its signer may have gone on. */
static bool pending_lacks(const sy_pbft *pbft, const struct sy_view_change *change,
                          const struct sy_hash *digest)
{
    const struct sy_new_view *message = &pbft->pending.message;
    if (!pbft->pending.present || message->view != change->view) return false;
    if (pbft->pending.changes[change->signer].present) return false;
    for (uint16_t i = 0; i < message->count; i++)
        if (message->changes[i].signer == change->signer)
            return sy_hash_equal(&message->changes[i].digest, digest);
    return false;
}

bool sy_pbft_awaits_change(const sy_pbft *pbft, const struct sy_view_change *change)
{
    struct sy_hash digest;
    if (!pbft->pending.present || pbft->pending.message.view != change->view) return false;
    if (change->epoch != pbft->config.epoch || change->signer >= pbft->config.n) return false;
    sy_view_change_digest(&digest, &pbft->config.genesis, change, pbft->config.n);
    return pending_lacks(pbft, change, &digest);
}

bool sy_pbft_wants_change(const sy_pbft *pbft, const struct sy_view_change *change)
{
    if (!pbft->live || change->epoch != pbft->config.epoch || change->signer >= pbft->config.n)
        return false;
    const struct held_change *held = &pbft->changes[change->signer];
    if (!held->present || held->change.view < change->view) return true;
    struct sy_hash digest;
    sy_view_change_digest(&digest, &pbft->config.genesis, change, pbft->config.n);
    bool other = held->change.view == change->view && !sy_hash_equal(&held->digest, &digest);
    return other || pending_lacks(pbft, change, &digest);
}

/* Everything below an epoch's first height is certain: who is there shows no certificate of it, as
 * it would be another roster's (P37). */
static bool stable_fits(const sy_pbft *pbft, const struct sy_view_change *change)
{
    uint64_t base = pbft->config.base;
    return change->certificate.count == 0 ? change->stable_height == base
                                          : change->stable_height > base;
}

void sy_pbft_on_view_change(sy_pbft *pbft, const struct sy_view_change *change)
{
    if (change->epoch != pbft->config.epoch || change->signer >= pbft->config.n ||
        !stable_fits(pbft, change)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_MALFORMED);
        return;
    }
    struct sy_hash digest;
    sy_view_change_digest(&digest, &pbft->config.genesis, change, pbft->config.n);
    if (change->signer == pbft->config.self) {
        check_own(pbft, change, &digest);
        return;
    }
    bool wanted = pending_lacks(pbft, change, &digest);
    if (wanted) sy_pbft_hold(pbft, &pbft->pending.changes[change->signer], change, &digest);
    struct held_change *held = &pbft->changes[change->signer];
    if (!held->present || held->change.view < change->view) {
        sy_pbft_hold(pbft, held, change, &digest);
        sy_pbft_join(pbft);
        sy_pbft_try_new_view(pbft);
    } else if (!wanted) {
        bool same = held->change.view == change->view;
        sy_pbft_ignore(pbft, !same                                   ? SY_PBFT_IGNORED_STALE
                             : sy_hash_equal(&held->digest, &digest) ? SY_PBFT_IGNORED_DUPLICATE
                                                                     : SY_PBFT_IGNORED_CONFLICT);
    }
    if (wanted) sy_pbft_try_begin(pbft);
}

/* --- losses ---------------------------------------------------------------------------------- */

void sy_pbft_push_view(sy_pbft *pbft, uint16_t to)
{
    const struct peer *peer = &pbft->peers[to];
    bool behind = peer->view < pbft->view || (peer->view == pbft->view && !peer->in_view);
    if (!behind || pbft->config.self == SY_PBFT_OBSERVER) return;
    if (pbft->own_change == OWN_SENT && aged(pbft, pbft->own_change_ns)) send_own(pbft, to, true);
    if (pbft->in_view && pbft->current.present && is_primary(pbft))
        sy_pbft_send(pbft, to, true, SY_MESSAGE_NEW_VIEW)->body.new_view = pbft->current.message;
}

/* What is missing of which view: the pending one, the present one, or any later one. */
static uint64_t asked_view(const sy_pbft *pbft)
{
    if (pbft->pending.present) return pbft->pending.message.view;
    return pbft->in_view ? pbft->view + 1 : pbft->view;
}

static bool shows_more(const sy_pbft *pbft, const struct peer *peer)
{
    if (peer->view > pbft->view) return true;
    return !pbft->in_view && peer->view == pbft->view && peer->status_counter > 0;
}

void sy_pbft_ask_view(sy_pbft *pbft, uint16_t whom)
{
    for (uint16_t i = 0; whom == SY_PBFT_ALL && i < pbft->config.n; i++) {
        uint16_t next = (uint16_t)((pbft->view_turn + i) % pbft->config.n);
        if (next != pbft->config.self && shows_more(pbft, &pbft->peers[next])) whom = next;
    }
    if (whom == SY_PBFT_ALL) return;
    pbft->view_turn = (uint16_t)((whom + 1) % pbft->config.n);
    struct sy_view_fetch *fetch =
        &sy_pbft_send(pbft, whom, false, SY_MESSAGE_VIEW_FETCH)->body.view_fetch;
    memset(fetch, 0, sizeof *fetch);
    fetch->view = asked_view(pbft);
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct held_change *held =
            pbft->pending.present ? &pbft->pending.changes[i] : &pbft->changes[i];
        if (held->present && held->change.view == fetch->view)
            fetch->held[i / 8] |= (uint8_t)(1u << i % 8);
    }
}

void sy_pbft_on_view_fetch(sy_pbft *pbft, const struct sy_view_fetch *fetch, uint16_t from)
{
    bool good =
        from < pbft->config.n && from != pbft->config.self && pbft->config.self != SY_PBFT_OBSERVER;
    struct peer *peer = good ? &pbft->peers[from] : NULL;
    if (!peer || !aged(pbft, peer->view_served_ns)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_UNEXPECTED);
        return;
    }
    peer->view_served_ns = pbft->now_ns;
    bool begun = pbft->in_view && pbft->current.present && pbft->view >= fetch->view;
    if (begun)
        sy_pbft_send(pbft, from, true, SY_MESSAGE_NEW_VIEW)->body.new_view = pbft->current.message;
    unsigned left = VIEW_FETCH_MAX;
    for (uint16_t i = 0; i < pbft->config.n && left > 0; i++) {
        const struct held_change *held = begun ? &pbft->current.changes[i] : &pbft->changes[i];
        bool has = fetch->held[i / 8] >> i % 8 & 1;
        if (!held->present || held->change.view < fetch->view) continue;
        if (has && held->change.view == fetch->view) continue;
        if (i == pbft->config.self && !begun && pbft->own_change != OWN_SENT) continue;
        sy_pbft_send(pbft, from, true, SY_MESSAGE_VIEW_CHANGE)->body.view_change = held->change;
        left--;
    }
}
