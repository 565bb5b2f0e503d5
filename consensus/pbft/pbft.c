/* pbft.c: the step. An event is dispatched to the file that knows its rule; then everything that
 * follows from the new state is emitted: executions, certificates, proposals, requests, timers. */
#include "consensus/pbft/internal.h"

/* Something that waits this long without any decision is called a standstill. */
#define STALL_NS 1000000000ull

#define MS 1000000ull

void sy_pbft_config_default(struct sy_pbft_config *config)
{
    config->pipeline_slots = 4;
    config->skew_ms = SY_CLOCK_SKEW_MS_DEFAULT;
    config->batch_ns = 5 * MS;
    config->heartbeat_ns = 3000 * MS;
    config->status_ns = 200 * MS;
    config->status_idle_ns = 1000 * MS;
    config->resend_ns = 100 * MS;
    config->body_wait_ns = 30 * MS;
    config->body_retry_ns = 150 * MS;
    config->block_retry_ns = 500 * MS;
    config->view_ns = 400 * MS;
}

static sy_status check_config(const struct sy_pbft_config *config, struct sy_error *err)
{
    if (config->n < SY_VALIDATORS_MIN || config->n > SY_VALIDATORS_MAX)
        return sy_fail(err, SY_ERR_ARGUMENT, "pbft: %u validators; %u to %u are possible",
                       config->n, SY_VALIDATORS_MIN, SY_VALIDATORS_MAX);
    if (config->self >= config->n && config->self != SY_PBFT_OBSERVER)
        return sy_fail(err, SY_ERR_ARGUMENT, "pbft: own index %u is not below %u validators",
                       config->self, config->n);
    if (config->pipeline_slots < 1 || config->pipeline_slots > SY_PBFT_WINDOW - PROPOSE_MARGIN)
        return sy_fail(err, SY_ERR_ARGUMENT, "pbft: pipeline of %u slots; 1 to %u are possible",
                       config->pipeline_slots, SY_PBFT_WINDOW - PROPOSE_MARGIN);
    if (config->skew_ms < 1 || config->skew_ms > 3600000)
        return sy_fail(err, SY_ERR_ARGUMENT, "pbft: clock skew of %lld ms; 1 to 3600000",
                       (long long)config->skew_ms);
    const uint64_t periods[] = {
        config->batch_ns,       config->heartbeat_ns,   config->status_ns,
        config->status_idle_ns, config->resend_ns,      config->body_wait_ns,
        config->body_retry_ns,  config->block_retry_ns, config->view_ns};
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++)
        if (periods[i] < 1 || periods[i] > 3600000 * MS)
            return sy_fail(err, SY_ERR_ARGUMENT, "pbft: a period of %llu ns; 1 ns to 1 h",
                           (unsigned long long)periods[i]);
    // Otherwise a live primary would seem silent.
    if (config->view_ns < 2 * config->status_ns)
        return sy_fail(
            err, SY_ERR_ARGUMENT,
            "pbft: a primary that tells its status every %llu ms cannot be called silent "
            "after %llu ms; twice as long is the least",
            (unsigned long long)(config->status_ns / MS),
            (unsigned long long)(config->view_ns / MS));
    return SY_OK;
}

/* What init carves: item sizes and counts, in order, so that the footprint is the same sum. */
struct part {
    size_t count, bytes;
};
enum {
    PART_SELF,
    PART_SLOTS,
    PART_CELLS,
    PART_READY,
    PART_SEQS,
    PART_CURSORS,
    PART_PEERS,
    PART_CHANGES,
    PART_CHANGE_BYTES,
    PART_FIXED,
    PART_WAITS,
    PARTS
};

/* Who holds VIEW_CHANGEs: `changes`, `current` and `pending`. */
#define CHANGE_SETS 3u

static void list_parts(struct part parts[PARTS], size_t n)
{
    parts[PART_SELF] = (struct part){1, sizeof(struct sy_pbft)};
    parts[PART_SLOTS] = (struct part){SY_PBFT_WINDOW, sizeof(struct slot)};
    parts[PART_CELLS] = (struct part){SY_PBFT_WINDOW * 3 * n, sizeof(struct cell)};
    parts[PART_READY] = (struct part){SY_BATCH_WINDOW * n, sizeof(struct ready_batch)};
    parts[PART_SEQS] = (struct part){n, sizeof(uint64_t)};
    parts[PART_CURSORS] = (struct part){n, sizeof(uint64_t)};
    parts[PART_PEERS] = (struct part){n, sizeof(struct peer)};
    parts[PART_CHANGES] = (struct part){CHANGE_SETS * n, sizeof(struct held_change)};
    parts[PART_CHANGE_BYTES] =
        (struct part){CHANGE_SETS * n + 1u, SY_PBFT_WINDOW * sy_prepared_bytes_max((unsigned)n)};
    parts[PART_FIXED] = (struct part){SY_PBFT_WINDOW, sizeof(struct fixed)};
    parts[PART_WAITS] = (struct part){n, sizeof(struct maker_wait)};
}

size_t sy_pbft_footprint(uint16_t n)
{
    struct part parts[PARTS];
    list_parts(parts, n);
    size_t sum = 0;
    for (size_t i = 0; i < PARTS; i++) sum += (parts[i].count * parts[i].bytes + 63) / 64 * 64;
    return sum;
}

static void place_parts(sy_pbft *pbft, void *const carved[PARTS])
{
    size_t n = pbft->config.n;
    pbft->slots = (struct slot *)carved[PART_SLOTS];
    pbft->ready = (struct ready_batch *)carved[PART_READY];
    pbft->next_seqs = (uint64_t *)carved[PART_SEQS];
    pbft->cursors = (uint64_t *)carved[PART_CURSORS];
    pbft->peers = (struct peer *)carved[PART_PEERS];
    pbft->fixed = (struct fixed *)carved[PART_FIXED];
    pbft->waits = (struct maker_wait *)carved[PART_WAITS];
    struct cell *cells = (struct cell *)carved[PART_CELLS];
    for (size_t i = 0; i < SY_PBFT_WINDOW; i++) {
        pbft->slots[i].prepares = cells + (3 * i + 0) * n;
        pbft->slots[i].commits = cells + (3 * i + 1) * n;
        pbft->slots[i].seals = cells + (3 * i + 2) * n;
    }
    struct held_change *changes = (struct held_change *)carved[PART_CHANGES];
    size_t room = SY_PBFT_WINDOW * sy_prepared_bytes_max((unsigned)n);
    for (size_t i = 0; i < CHANGE_SETS * n; i++)
        changes[i].bytes = (uint8_t *)carved[PART_CHANGE_BYTES] + i * room;
    pbft->own_spare = (uint8_t *)carved[PART_CHANGE_BYTES] + (size_t)CHANGE_SETS * n * room;
    pbft->changes = changes;
    pbft->current.changes = changes + n;
    pbft->pending.changes = changes + 2 * n;
    for (size_t i = 0; i < SY_PBFT_TIMER_COUNT; i++) pbft->timers[i] = SY_PBFT_NEVER;
}

sy_status sy_pbft_init(sy_pbft **out, sy_arena *arena, const struct sy_pbft_config *config,
                       struct sy_error *err)
{
    SY_TRY(check_config(config, err));
    struct part parts[PARTS];
    void *carved[PARTS];
    list_parts(parts, config->n);
    for (size_t i = 0; i < PARTS; i++) {
        carved[i] = sy_arena_carve(arena, parts[i].count, parts[i].bytes);
        if (!carved[i])
            return sy_fail(err, SY_ERR_NO_MEMORY, "pbft: the arena lacks room for %zu bytes",
                           sy_pbft_footprint(config->n));
    }
    sy_pbft *pbft = (sy_pbft *)carved[PART_SELF];
    *pbft = (sy_pbft){.config = *config,
                      .quorum = sy_quorum(config->n),
                      .weak = sy_weak(config->n),
                      .in_view = true,
                      .now_ns = 1,
                      .last = UINT64_MAX,
                      .status_due_ns = SY_PBFT_NEVER,
                      .block_due_ns = SY_PBFT_NEVER};
    place_parts(pbft, carved);
    *out = pbft;
    return SY_OK;
}

/* --- effects --------------------------------------------------------------------------------- */

struct sy_pbft_effect *sy_pbft_emit(sy_pbft *pbft, enum sy_pbft_effect_type type)
{
    SY_ASSERT(pbft->effects);
    SY_ASSERT(pbft->effects->count < SY_PBFT_EFFECTS_MAX);
    struct sy_pbft_effect *effect = &pbft->effects->items[pbft->effects->count++];
    effect->type = type;
    return effect;
}

struct sy_pbft_record *sy_pbft_persist(sy_pbft *pbft, uint64_t *token,
                                       enum sy_pbft_record_type type, uint64_t slot)
{
    struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_PERSIST);
    *token = effect->as.persist.token = ++pbft->next_token;
    if (pbft->behind_disk_ns == 0) pbft->behind_disk_ns = pbft->now_ns;
    struct sy_pbft_record *record = &effect->as.persist.record;
    record->type = (uint8_t)type;
    record->slot = slot;
    record->view = type < SY_PBFT_RECORD_BOOT ? pbft->view : 0;
    return record;
}

struct sy_message *sy_pbft_send(sy_pbft *pbft, uint16_t to, bool again, enum sy_message_type type)
{
    SY_ASSERT(to == SY_PBFT_ALL || (to < pbft->config.n && to != pbft->config.self));
    struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_SEND);
    effect->as.send.to = to;
    effect->as.send.again = again;
    effect->as.send.message.type = (uint8_t)type;
    pbft->retransmissions_total += again;
    return &effect->as.send.message;
}

void sy_pbft_ignore(sy_pbft *pbft, enum sy_pbft_ignored why)
{
    SY_ASSERT(why < SY_PBFT_IGNORED_COUNT);
    pbft->ignored_total[why]++;
}

void sy_pbft_alarm(sy_pbft *pbft)
{
    SY_ASSERT(pbft->halted);
    struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_ALARM);
    effect->as.alarm.alarm = (enum sy_pbft_alarm)pbft->halt.alarm;
    effect->as.alarm.height = pbft->halt_height;
    effect->as.alarm.own = pbft->halt.own;
    effect->as.alarm.certified = pbft->halt.certified;
}

void sy_pbft_halt(sy_pbft *pbft, enum sy_pbft_alarm alarm, uint64_t height,
                  const struct sy_hash *own, const struct sy_hash *certified)
{
    SY_ASSERT(alarm != SY_PBFT_ALARM_NONE);
    // A state that differs is the graver of the two: it ends execution as well.
    bool graver = alarm == SY_PBFT_ALARM_DIVERGED && pbft->halt.alarm != alarm;
    if (pbft->halted && !graver) return;
    pbft->halted = true;
    pbft->halt = (struct sy_pbft_halt){(uint8_t)alarm, *own, *certified};
    pbft->halt_height = height;
    uint64_t token;
    sy_pbft_persist(pbft, &token, SY_PBFT_RECORD_HALTED, height)->as.halt = pbft->halt;
    sy_pbft_alarm(pbft);
}

void sy_pbft_check_own(sy_pbft *pbft, uint64_t height, const struct sy_hash *own,
                       const struct sy_hash *seen)
{
    static const struct sy_hash none;
    SY_ASSERT(height > pbft->certified);
    if (own && sy_hash_equal(own, seen))
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_DUPLICATE);
    else
        sy_pbft_halt(pbft, SY_PBFT_ALARM_FORGOTTEN, height, own ? own : &none, seen);
}

struct sy_pbft_evidence *sy_pbft_blame(sy_pbft *pbft, uint8_t type, uint16_t signer)
{
    SY_ASSERT(signer < pbft->config.n);
    pbft->equivocations_total++;
    pbft->peers[signer].equivocations++;
    struct sy_pbft_evidence *evidence = &sy_pbft_emit(pbft, SY_PBFT_EVIDENCE)->as.evidence;
    evidence->type = type;
    evidence->signer = signer;
    return evidence;
}

/* --- the step -------------------------------------------------------------------------------- */

static void on_message(sy_pbft *pbft, const struct sy_message *message, uint16_t from)
{
    if (!pbft->live) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_UNEXPECTED);
        return;
    }
    if (from < pbft->config.n) pbft->peers[from].heard_ns = pbft->now_ns;
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        sy_pbft_on_pre_prepare(pbft, &message->body.pre_prepare, from);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: sy_pbft_on_vote(pbft, &message->body.vote); break;
    case SY_MESSAGE_SEAL: sy_pbft_on_seal(pbft, &message->body.seal); break;
    case SY_MESSAGE_STATUS: sy_pbft_on_status(pbft, &message->body.status, from); break;
    case SY_MESSAGE_BLOCK: sy_pbft_on_block(pbft, &message->body.block, from); break;
    case SY_MESSAGE_SLOT_FETCH:
        sy_pbft_on_slot_fetch(pbft, &message->body.range_fetch, from);
        break;
    case SY_MESSAGE_VIEW_CHANGE: sy_pbft_on_view_change(pbft, &message->body.view_change); break;
    case SY_MESSAGE_NEW_VIEW: sy_pbft_on_new_view(pbft, &message->body.new_view, from); break;
    case SY_MESSAGE_VIEW_FETCH: sy_pbft_on_view_fetch(pbft, &message->body.view_fetch, from); break;
    default:
        // Batches and requests for batches and blocks are the node's to answer.
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_UNEXPECTED);
        break;
    }
}

/* What is due is found by looking at the state, below; the timer only says that it is time to
 * look. It fires once, so a deadline that still stands is told again. */
static void on_timer(sy_pbft *pbft, enum sy_pbft_timer timer)
{
    SY_ASSERT(timer < SY_PBFT_TIMER_COUNT);
    SY_ASSERT(pbft->started);
    pbft->timers[timer] = SY_PBFT_NEVER;
}

static void dispatch(sy_pbft *pbft, const struct sy_pbft_event *event)
{
    SY_ASSERT(pbft->started == (event->type != SY_PBFT_START));
    switch (event->type) {
    case SY_PBFT_START: sy_pbft_on_start(pbft, event); break;
    case SY_PBFT_RESTORE: sy_pbft_on_restore(pbft, event->as.record); break;
    case SY_PBFT_RESUME: sy_pbft_on_resume(pbft); break;
    case SY_PBFT_MESSAGE:
        on_message(pbft, event->as.message.message, event->as.message.from);
        break;
    case SY_PBFT_BATCH_READY: sy_pbft_on_batch_ready(pbft, event); break;
    case SY_PBFT_BATCH_DROPPED: sy_pbft_on_batch_dropped(pbft, event); break;
    case SY_PBFT_PERSISTED: sy_pbft_on_persisted(pbft, event->as.token); break;
    case SY_PBFT_EXECUTED: sy_pbft_on_executed(pbft, event); break;
    case SY_PBFT_CERTIFICATE_DURABLE: sy_pbft_on_certificate_durable(pbft, event->as.height); break;
    case SY_PBFT_TIMER: on_timer(pbft, event->as.timer); break;
    default: SY_ASSERT(event->type == SY_PBFT_TIMER); // there is no other type
    }
}

static bool something_waits(const sy_pbft *pbft)
{
    return pbft->decided < pbft->known || sy_pbft_ready_count(pbft) > 0;
}

static void note_progress(sy_pbft *pbft)
{
    for (;;) {
        struct slot *slot = sy_pbft_slot_find(pbft, pbft->decided + 1);
        if (!slot || !sy_pbft_settled(slot)) break;
        pbft->decided++;
        pbft->decided_total++;
        pbft->last_decided_ns = pbft->now_ns;
    }
    SY_ASSERT(pbft->decided >= pbft->certified && pbft->last_decided_ns <= pbft->now_ns);
    bool waits = something_waits(pbft);
    if (waits && !pbft->waiting) pbft->waiting_since_ns = pbft->now_ns;
    pbft->waiting = waits;
}

static void set_timer(sy_pbft *pbft, enum sy_pbft_timer timer, uint64_t at_ns)
{
    if (pbft->timers[timer] == at_ns) return;
    pbft->timers[timer] = at_ns;
    struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_SET_TIMER);
    effect->as.set_timer.timer = timer;
    effect->as.set_timer.at_ns = at_ns;
}

static void set_timers(sy_pbft *pbft)
{
    set_timer(pbft, SY_PBFT_TIMER_BATCH, sy_pbft_batch_deadline(pbft));
    set_timer(pbft, SY_PBFT_TIMER_HEARTBEAT, sy_pbft_heartbeat_deadline(pbft));
    set_timer(pbft, SY_PBFT_TIMER_STATUS, pbft->status_due_ns);
    set_timer(pbft, SY_PBFT_TIMER_CLOCK, sy_pbft_clock_deadline(pbft));
    set_timer(pbft, SY_PBFT_TIMER_BODY, sy_pbft_bodies_deadline(pbft));
    set_timer(pbft, SY_PBFT_TIMER_BLOCK, pbft->block_due_ns);
    set_timer(pbft, SY_PBFT_TIMER_VIEW, sy_pbft_view_deadline(pbft));
}

/* What follows from the state, whatever the event was. */
static void settle(sy_pbft *pbft)
{
    sy_pbft_clock_recheck(pbft);
    sy_pbft_run(pbft);
    note_progress(pbft);
    sy_pbft_suspect(pbft);
    sy_pbft_propose(pbft);
    sy_pbft_bodies_retry(pbft);
    sy_pbft_status_tick(pbft);
    sy_pbft_catch_up(pbft);
    set_timers(pbft);
}

/* What holds of every slot between two steps; only a bug of this folder could break it. */
static void check_slot(const sy_pbft *pbft, const struct slot *slot)
{
    SY_ASSERT(slot->number > pbft->certified && slot->number <= pbft->known);
    SY_ASSERT(slot->prepare == OWN_NONE || slot->first.present);
    SY_ASSERT(slot->prepare != OWN_SENT || slot->prepare_token <= pbft->durable_token);
    SY_ASSERT(slot->commit != OWN_SENT || slot->commit_token <= pbft->durable_token);
    SY_ASSERT(slot->commit == OWN_NONE || slot->first.present);
    SY_ASSERT((slot->run == RUN_DONE) == (slot->number <= pbft->executed));
    SY_ASSERT((slot->run != RUN_NONE) == (slot->number <= pbft->execute_asked));
    SY_ASSERT(slot->certify_asked == (slot->number <= pbft->certify_asked));
    SY_ASSERT(slot->block_present == slot->block.present);
}

static void check_state(const sy_pbft *pbft)
{
    SY_ASSERT(pbft->certified <= pbft->certify_asked && pbft->certify_asked <= pbft->executed);
    SY_ASSERT(pbft->executed <= pbft->execute_asked && pbft->execute_asked <= pbft->known);
    SY_ASSERT(pbft->certified <= pbft->decided && pbft->decided <= pbft->known);
    SY_ASSERT(pbft->known - pbft->certified <= SY_PBFT_WINDOW);
    SY_ASSERT(pbft->certified >= pbft->config.base && pbft->executed <= pbft->last);
    SY_ASSERT(pbft->durable_token <= pbft->next_token);
    for (uint64_t h = pbft->certified + 1; h <= pbft->known; h++) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (slot) check_slot(pbft, slot);
    }
}

/* A timer that comes so late tells that this validator was not running: its process was stopped,
 * or its machine has too much to do. What the others said meanwhile has not been looked at. */
static void note_sleep(sy_pbft *pbft)
{
    uint64_t status = pbft->timers[SY_PBFT_TIMER_STATUS], view = pbft->timers[SY_PBFT_TIMER_VIEW];
    uint64_t due = status < view ? status : view;
    if (due == SY_PBFT_NEVER || pbft->now_ns < due) return;
    if (pbft->now_ns - due <= pbft->config.view_ns / 4) return;
    pbft->wakes[pbft->wake_count++ % WAKES_MAX] = pbft->now_ns;
}

void sy_pbft_heard(sy_pbft *pbft, uint16_t from, uint64_t now_ns)
{
    SY_ASSERT(pbft->started);
    if (from >= pbft->config.n || now_ns < pbft->now_ns) return;
    pbft->now_ns = pbft->peers[from].heard_ns = now_ns;
}

void sy_pbft_step(sy_pbft *pbft, struct sy_pbft_effects *effects, const struct sy_pbft_event *event)
{
    effects->count = 0;
    pbft->effects = effects;
    // Clocks before 1970 or after the year 280000 would overflow sums; no sane one gets there.
    pbft->now_ms = event->now_ms < 0 ? 0 : event->now_ms;
    if (pbft->now_ms > (int64_t)1 << 53) pbft->now_ms = (int64_t)1 << 53;
    if (event->now_ns > pbft->now_ns) pbft->now_ns = event->now_ns;
    note_sleep(pbft);
    pbft->fetches_left = SY_PBFT_FETCH_MAX;
    pbft->serves_left = SY_PBFT_SERVE_MAX;
    dispatch(pbft, event);
    if (pbft->live) settle(pbft);
    check_state(pbft);
    pbft->effects = NULL;
}

/* --- what operators see ---------------------------------------------------------------------- */

static void count_open_proposals(const sy_pbft *pbft, struct sy_pbft_info *info)
{
    for (uint64_t h = pbft->decided + 1; h <= pbft->known; h++) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || !slot->first.present) continue;
        info->proposed_height = h;
        info->late_proposals += slot->prepare == OWN_NONE && slot->first.clock == CLOCK_LATE;
        info->refused_proposals += slot->first.refused || slot->conflicted;
    }
}

void sy_pbft_get_info(const sy_pbft *pbft, struct sy_pbft_info *info, uint64_t now_ns)
{
    *info = (struct sy_pbft_info){.view = pbft->view,
                                  .in_view = pbft->in_view,
                                  .view_changes_total = pbft->view_changes_total,
                                  .left_why = pbft->left.why,
                                  .left_maker = pbft->left.maker,
                                  .left_waited_ms = pbft->left.waited_ns / MS,
                                  .left_silent_ms = pbft->left.silent_ns / MS,
                                  .primary = primary_of(pbft, pbft->view),
                                  .is_primary = is_primary(pbft),
                                  .halted = pbft->halted,
                                  .asking = pbft->live && can_vote(pbft) && !pbft->recalled,
                                  .alarm = (enum sy_pbft_alarm)pbft->halt.alarm,
                                  .certified_height = pbft->certified,
                                  .executed_height = pbft->executed,
                                  .decided_height = pbft->decided,
                                  .proposed_height = pbft->decided,
                                  .next_epoch = pbft->last == UINT64_MAX ? 0 : pbft->last + 1,
                                  .best_peer_height = sy_pbft_told_height(pbft),
                                  .ready_batches = sy_pbft_ready_count(pbft),
                                  .decided_total = pbft->decided_total,
                                  .retransmissions_total = pbft->retransmissions_total,
                                  .blocks_adopted_total = pbft->adopted_total,
                                  .equivocations_total = pbft->equivocations_total};
    memcpy(info->ignored_total, pbft->ignored_total, sizeof info->ignored_total);
    count_open_proposals(pbft, info);
    if (!pbft->live) return;
    uint64_t now = now_ns > pbft->now_ns ? now_ns : pbft->now_ns;
    uint64_t since = now;
    if (pbft->waiting)
        since = pbft->last_decided_ns > pbft->waiting_since_ns ? pbft->last_decided_ns
                                                               : pbft->waiting_since_ns;
    else if (now - pbft->last_decided_ns > 2 * pbft->config.heartbeat_ns)
        since = pbft->last_decided_ns + pbft->config.heartbeat_ns; // an overdue heartbeat
    info->stalled_ms = (now - since) / MS;
    info->stalled = now - since >= STALL_NS;
    uint64_t heard = pbft->peers[info->primary].heard_ns;
    if (heard < pbft->resumed_ns) heard = pbft->resumed_ns;
    if (!info->is_primary) info->primary_silent_ms = (now - heard) / MS;
}

void sy_pbft_get_peer(const sy_pbft *pbft, struct sy_pbft_peer_info *info, uint16_t index,
                      uint64_t now_ns)
{
    SY_ASSERT(index < pbft->config.n);
    const struct peer *peer = &pbft->peers[index];
    uint64_t now = now_ns > pbft->now_ns ? now_ns : pbft->now_ns;
    *info = (struct sy_pbft_peer_info){.status_age_ns = peer->status_counter ? now - peer->status_ns
                                                                             : UINT64_MAX,
                                       .certified_height = peer->certified,
                                       .executed_height = peer->executed,
                                       .view = peer->view,
                                       .in_view = peer->in_view,
                                       .equivocations = peer->equivocations};
}
