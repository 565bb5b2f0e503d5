#include "consensus/node/node.h"

#include "consensus/node/node_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"

/* How long an own batch may be under way before less is taken from clients. The primary has more
 * than three times as long before a batch that it does not order brings it down (PROTOCOL.md,
 * P26). */
#define PACE_NS(view_ns) ((view_ns) + (view_ns) / 2)

static uint32_t change_checks(const struct sy_node_config *config)
{
    return config->roster->count < CHANGE_CHECKS_MAX ? config->roster->count : CHANGE_CHECKS_MAX;
}

static size_t checks_footprint(const struct sy_node_config *config)
{
    size_t job = sizeof(struct sy_sig_job) + 1, n = config->roster->count;
    size_t vote = sizeof(struct vote_check) + sizeof(uint16_t) + SY_MESSAGE_JOBS_MAX * job;
    size_t change = sizeof(struct vote_check) + SY_VIEW_CHANGE_BYTES_MAX +
                    sy_view_change_jobs_max((unsigned)n) * job + 256;
    return config->vote_checks * vote + change_checks(config) * change + 4096;
}

size_t sy_node_footprint(const struct sy_node_config *config)
{
    struct sy_pool_config pool = config->pool;
    pool.roster = config->roster;
    return sizeof(sy_node) + sy_pool_footprint(&pool) + sy_pbft_footprint(config->roster->count) +
           sizeof(struct sy_pool_effects) + sizeof(struct sy_pbft_effects) +
           checks_footprint(config) + OUT_BYTES + COMMITS_MAX * sizeof(struct commit) +
           WORK_MAX * sizeof(struct work) + 65536;
}

/* The jobs of all ordinary checks lie in one run; each of the others has runs of its own. */
static bool carve_checks(sy_node *node, sy_arena *arena)
{
    uint32_t votes = node->config.vote_checks;
    node->change_checks = change_checks(&node->config);
    node->checks = SY_CARVE(arena, struct vote_check, votes + node->change_checks);
    node->free_checks = SY_CARVE(arena, uint16_t, votes);
    struct sy_sig_job *jobs = SY_CARVE(arena, struct sy_sig_job, votes * SY_MESSAGE_JOBS_MAX);
    uint8_t *verdicts = SY_CARVE(arena, uint8_t, votes * SY_MESSAGE_JOBS_MAX);
    if (!node->checks || !node->free_checks || !jobs || !verdicts) return false;
    for (uint32_t i = 0; i < votes; i++) {
        node->checks[i].jobs = jobs + (size_t)i * SY_MESSAGE_JOBS_MAX;
        node->checks[i].verdicts = verdicts + (size_t)i * SY_MESSAGE_JOBS_MAX;
        node->free_checks[node->free_count++] = (uint16_t)i;
    }
    size_t jobs_max = sy_view_change_jobs_max(node->config.roster->count);
    for (uint32_t i = votes; i < votes + node->change_checks; i++) {
        struct vote_check *check = &node->checks[i];
        check->jobs = SY_CARVE(arena, struct sy_sig_job, jobs_max);
        check->verdicts = SY_CARVE(arena, uint8_t, jobs_max);
        check->bytes = SY_CARVE(arena, uint8_t, SY_VIEW_CHANGE_BYTES_MAX);
        if (!check->jobs || !check->verdicts || !check->bytes) return false;
    }
    return true;
}

sy_status sy_node_init(sy_node **out, sy_arena *arena, const struct sy_node_config *config,
                       struct sy_error *err)
{
    SY_ASSERT(config->vote_checks >= 16 && config->vote_checks <= 4096);
    sy_node *node = SY_CARVE(arena, sy_node, 1);
    if (node == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "node: the arena is too small");
    node->config = *config;
    node->pool_effects = SY_CARVE(arena, struct sy_pool_effects, 1);
    node->pbft_effects = SY_CARVE(arena, struct sy_pbft_effects, 1);
    node->out = SY_CARVE(arena, uint8_t, OUT_BYTES);
    node->commits = SY_CARVE(arena, struct commit, COMMITS_MAX);
    node->work = SY_CARVE(arena, struct work, WORK_MAX);
    if (!node->pool_effects || !node->pbft_effects || !node->out || !node->commits || !node->work ||
        !carve_checks(node, arena)) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "node: the arena is too small");
    }
    struct sy_pbft_config *pbft = &node->config.pbft;
    pbft->genesis = config->genesis->hash;
    pbft->epoch = config->roster->epoch;
    pbft->n = config->roster->count;
    pbft->self = config->self;
    struct sy_pool_config *pool = &node->config.pool;
    pool->genesis = config->genesis;
    pool->roster = config->roster;
    pool->self = config->self == SY_PBFT_OBSERVER ? SY_POOL_OBSERVER : config->self;
    pool->signer = config->signer;
    pool->pace_ns = PACE_NS(pbft->view_ns);
    for (unsigned i = 0; i < SY_PBFT_TIMER_COUNT; i++) node->timers[i] = SY_PBFT_NEVER;
    node->pool_wake_ns = UINT64_MAX;
    sy_clocks_init(&node->clocks, pbft->n, pbft->self, pbft->skew_ms);
    SY_TRY(sy_pbft_init(&node->pbft, arena, pbft, err));
    if (sy_pool_init(&node->pool, arena, pool) != SY_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "pool: the arena is too small");
    }
    *out = node;
    return SY_OK;
}

uint16_t sy_node_index(const sy_node *node)
{
    return node->config.self;
}

/* ---- shared by the files ----------------------------------------------------------------- */

struct sy_node_effect *sy_node_emit(sy_node *node, enum sy_node_effect_type type)
{
    SY_ASSERT(node->effects->count < SY_NODE_EFFECTS_MAX);
    struct sy_node_effect *effect = &node->effects->items[node->effects->count++];
    effect->type = type;
    return effect;
}

struct sy_writer sy_node_writer(sy_node *node, size_t bytes_max)
{
    SY_ASSERT(bytes_max <= OUT_BYTES - node->out_used);
    return sy_writer_of(node->out + node->out_used, bytes_max);
}

struct sy_slice sy_node_keep(sy_node *node, const struct sy_writer *writer)
{
    SY_ASSERT(!writer->failed);
    node->out_used += (writer->used + 7) & ~(size_t)7;
    return sy_writer_slice(writer);
}

struct work *sy_node_queue(sy_node *node, enum work_type type)
{
    SY_ASSERT(node->work_in - node->work_out < WORK_MAX);
    struct work *work = &node->work[node->work_in++ % WORK_MAX];
    memset(work, 0, sizeof *work);
    work->type = type;
    return work;
}

struct sy_pbft_event *sy_node_queue_pbft(sy_node *node, enum sy_pbft_event_type type)
{
    struct work *work = sy_node_queue(node, WORK_PBFT);
    work->event.type = type;
    return &work->event;
}

static void step_pbft(sy_node *node, struct sy_pbft_event *event)
{
    event->now_ms = node->now_ms;
    event->now_ns = node->now_ns;
    sy_pbft_step(node->pbft, node->pbft_effects, event);
    sy_node_translate_pbft(node);
}

/* ---- history that is gone ---------------------------------------------------------------- */

/* *from: the lowest block that any of them keeps. */
static bool is_history_gone(const sy_node *node, uint64_t *from)
{
    uint64_t next = node->certified_height + 1;
    *from = UINT64_MAX;
    for (uint16_t i = 0; i < node->config.roster->count; i++) {
        struct sy_pbft_peer_info peer;
        sy_pbft_get_peer(node->pbft, &peer, i, node->now_ns);
        if (peer.certified_height < next) continue;
        if (node->history_from[i] <= next) return false;
        if (node->history_from[i] < *from) *from = node->history_from[i];
    }
    return *from != UINT64_MAX;
}

void sy_node_look_for_history(sy_node *node)
{
    uint64_t from;
    bool gone = is_history_gone(node, &from);
    if (gone == node->history_gone) return;
    node->history_gone = gone;
    if (!gone) {
        SY_LOG(SY_LOG_INFO, "node", "history_found",
               SY_F_U64("certified_height", node->certified_height));
        return;
    }
    SY_LOG(SY_LOG_ERROR, "node", "history_gone",
           SY_F_U64("certified_height", node->certified_height), SY_F_U64("kept_from", from),
           SY_F_TEXT("what", "no peer keeps the block that comes next here: start one that keeps "
                             "all history, or remove this store and begin with a state "
                             "(join_by_snapshot = 1, --init; a key that has voted must be replaced "
                             "by validator.rekey first)"));
}

/* ---- the start --------------------------------------------------------------------------- */

static void on_start(sy_node *node, const struct sy_node_event *event)
{
    SY_ASSERT(!node->resumed);
    node->certified_height = event->as.start.certified_height;
    for (uint16_t i = 0; i < node->config.roster->count; i++) {
        node->next_seqs[i] = event->as.start.next_seqs[i];
        sy_pool_set_next(node->pool, i, node->next_seqs[i]);
    }
    struct sy_pbft_event start = {.type = SY_PBFT_START};
    start.as.start.certified_height = node->certified_height;
    start.as.start.next_epoch = node->next_epoch = event->as.start.next_epoch;
    start.as.start.header_hash = event->as.start.header_hash;
    start.as.start.certificate = event->as.start.certificate;
    start.as.start.next_seqs = node->next_seqs;
    step_pbft(node, &start);
}

static void on_record(sy_node *node, struct sy_slice value)
{
    struct sy_pbft_record record;
    bool decoded =
        sy_pbft_record_decode(&record, value, node->config.self, node->config.roster->count);
    SY_ASSERT(decoded); /* sy_node_recover has tried it */
    struct sy_pbft_event restore = {.type = SY_PBFT_RESTORE};
    restore.as.record = &record;
    step_pbft(node, &restore);
}

static void on_resume(sy_node *node)
{
    SY_ASSERT(!node->resumed);
    node->resumed = true;
    struct sy_pbft_event resume = {.type = SY_PBFT_RESUME};
    step_pbft(node, &resume);
    node->pool_wake_ns = node->now_ns;
}

/* ---- events ------------------------------------------------------------------------------ */

static void on_executed(sy_node *node, const struct sy_node_event *event)
{
    for (uint32_t i = 0; i < event->as.executed.ran_count; i++) {
        const struct sy_node_ran *ran = &event->as.executed.ran[i];
        SY_ASSERT(ran->maker < node->config.roster->count);
        node->next_seqs[ran->maker] = ran->seq + 1;
        sy_pool_on_ran(node->pool, ran->maker, ran->seq, &ran->digest, ran->tx_ids, ran->tx_count,
                       node->now_ns);
    }
    struct sy_pbft_event executed = {.type = SY_PBFT_EXECUTED};
    executed.as.executed.height = event->as.executed.height;
    executed.as.executed.next_epoch = node->next_epoch = event->as.executed.next_epoch;
    executed.as.executed.header_hash = event->as.executed.header_hash;
    executed.as.executed.next_seqs = node->next_seqs;
    step_pbft(node, &executed);
}

/* COMMITs up to token are durable: the machine hears of its newest record once, the pool of each
 * body. */
static void on_durable(sy_node *node, uint64_t token)
{
    SY_ASSERT(token <= node->commit_made);
    uint64_t pbft_token = 0;
    while (node->commit_durable < token) {
        const struct commit *commit = &node->commits[++node->commit_durable % COMMITS_MAX];
        if (commit->what == SY_COMMIT_RECORD) pbft_token = commit->pbft_token;
        if (commit->what == SY_COMMIT_BODY) {
            sy_node_queue(node, WORK_STORED)->digest = commit->digest;
        }
    }
    if (pbft_token != 0) sy_node_queue_pbft(node, SY_PBFT_PERSISTED)->as.token = pbft_token;
}

static void on_found(sy_node *node, const struct sy_node_event *event)
{
    struct sy_reader reader = sy_reader_of(event->as.body.head);
    struct sy_batch_header header;
    if (event->as.body.head.size == 0 || !sy_batch_header_decode(&reader, &header)) {
        return; /* not here: it was asked for, or will be */
    }
    int maker = sy_roster_find(node->config.roster, &header.maker);
    if (maker < 0) return;
    struct sy_pbft_event *ready = sy_node_queue_pbft(node, SY_PBFT_BATCH_READY);
    ready->as.batch.digest = event->as.body.digest;
    ready->as.batch.maker = (uint16_t)maker;
    ready->as.batch.seq = header.seq;
    ready->as.batch.tx_count = header.count;
    ready->as.batch.bytes = header.bytes;
}

static void on_tick(sy_node *node)
{
    for (unsigned i = 0; i < SY_PBFT_TIMER_COUNT; i++) {
        if (node->timers[i] > node->now_ns) continue;
        node->timers[i] = SY_PBFT_NEVER;
        sy_node_queue_pbft(node, SY_PBFT_TIMER)->as.timer = (enum sy_pbft_timer)i;
    }
    sy_pool_on_tick(node->pool, node->pool_effects, node->now_ns);
    node->pool_wake_ns = UINT64_MAX; /* asked for again when the step ends */
}

static void on_checked(sy_node *node, struct sy_submission *submission)
{
    if (sy_node_owns_check(node, submission->owner)) {
        sy_node_on_vote_checked(node, (struct vote_check *)submission->owner);
    } else {
        sy_pool_on_checked(node->pool, node->pool_effects, submission, node->now_ns);
    }
}

static void take(sy_node *node, const struct sy_node_event *event)
{
    switch (event->type) {
    case SY_NODE_START: on_start(node, event); break;
    case SY_NODE_RECORD: on_record(node, event->as.record); break;
    case SY_NODE_BODY:
        sy_pool_restore(node->pool, node->pool_effects, &event->as.body.digest,
                        event->as.body.head);
        break;
    case SY_NODE_RESUME: on_resume(node); break;
    case SY_NODE_FRAME: sy_node_on_frame(node, event->as.frame.peer, event->as.frame.bytes); break;
    case SY_NODE_SUBMIT:
        sy_pool_on_submit(node->pool, node->pool_effects, event->as.submit.token,
                          event->as.submit.request, event->as.submit.held, node->now_ns);
        break;
    case SY_NODE_CHECKED: on_checked(node, event->as.submission); break;
    case SY_NODE_DURABLE: on_durable(node, event->as.token); break;
    case SY_NODE_EXECUTED: on_executed(node, event); break;
    case SY_NODE_CERTIFIED:
        node->certified_height = event->as.height;
        sy_node_queue_pbft(node, SY_PBFT_CERTIFICATE_DURABLE)->as.height = event->as.height;
        sy_pool_on_certified(node->pool, node->pool_effects, event->as.height);
        if (node->history_gone) sy_node_look_for_history(node);
        break;
    case SY_NODE_FOUND: on_found(node, event); break;
    case SY_NODE_TICK: on_tick(node); break;
    case SY_NODE_DRAIN: sy_pool_drain(node->pool, node->pool_effects, node->now_ns); break;
    }
}

/* One that is said again looks late, which does not count. One of another epoch was not checked:
 * anybody may have written it, in anybody's name (PROTOCOL.md, P38). */
static void note_clock(sy_node *node, const struct sy_status_message *status)
{
    if (status->epoch != node->config.roster->epoch) return;
    if (!sy_clocks_note(&node->clocks, status->signer, status->time_ms, node->now_ms,
                        node->now_ns)) {
        return;
    }
    bool off = node->clocks.off;
    SY_LOG(off ? SY_LOG_ERROR : SY_LOG_INFO, "node", off ? "clock_off" : "clock_agrees",
           SY_F_I64("ahead_ms", node->clocks.error_ms));
}

static void work_one(sy_node *node)
{
    SY_ASSERT(node->work_out < node->work_in);
    struct work *work = &node->work[node->work_out++ % WORK_MAX];
    switch (work->type) {
    case WORK_PBFT: step_pbft(node, &work->event); break;
    case WORK_STORED:
        sy_pool_on_stored(node->pool, node->pool_effects, &work->digest, node->now_ns);
        break;
    case WORK_MESSAGE: {
        struct sy_pbft_event event = {.type = SY_PBFT_MESSAGE};
        event.as.message.from = work->check->from;
        event.as.message.message = &work->check->message;
        step_pbft(node, &event);
        if (work->check->message.type == SY_MESSAGE_STATUS) {
            note_clock(node, &work->check->message.body.status);
        }
        sy_node_free_check(node, work->check);
        break;
    }
    }
}

bool sy_node_step(sy_node *node, struct sy_node_effects *effects, const struct sy_node_event *event)
{
    effects->count = 0;
    node->effects = effects;
    node->pool_effects->count = 0;
    node->out_used = 0;
    if (event != NULL) {
        node->now_ms = event->now_ms;
        node->now_ns = event->now_ns;
        take(node, event);
    } else if (node->work_out < node->work_in) {
        work_one(node);
    }
    sy_node_translate_pool(node);
    node->effects = NULL;
    return node->work_out < node->work_in;
}

bool sy_node_epoch_over(const sy_node *node)
{
    return node->next_epoch != 0 && node->certified_height + 1 == node->next_epoch;
}

bool sy_node_awaited(const sy_node *node, uint64_t now_ns)
{
    uint16_t count = node->config.roster->count;
    unsigned waiting = 0;
    for (uint16_t i = 0; i < count; i++) {
        struct sy_pbft_peer_info peer;
        sy_pbft_get_peer(node->pbft, &peer, i, now_ns);
        if (peer.status_age_ns > SY_NODE_LINGER_NS) continue;
        waiting += peer.certified_height < node->certified_height;
    }
    return waiting >= sy_weak(count);
}

uint64_t sy_node_wake_ns(const sy_node *node)
{
    uint64_t wake = node->pool_wake_ns;
    for (unsigned i = 0; i < SY_PBFT_TIMER_COUNT; i++) {
        if (node->timers[i] < wake) wake = node->timers[i];
    }
    return wake;
}

void sy_node_get_info(const sy_node *node, struct sy_node_info *info, uint64_t now_ns)
{
    memset(info, 0, sizeof *info);
    sy_pbft_get_info(node->pbft, &info->pbft, now_ns);
    sy_pool_get_info(node->pool, &info->pool);
    sy_clocks_get_info(&node->clocks, &info->clocks, node->now_ms, node->now_ns);
    for (uint16_t i = 0; i < node->config.roster->count; i++) {
        sy_pbft_get_peer(node->pbft, &info->peers[i], i, now_ns);
        info->history_from[i] = node->history_from[i];
        info->blocks_from[i] = node->blocks_from[i];
    }
    info->history_gone = node->history_gone;
    info->frames_malformed = node->frames_malformed;
    info->frames_shed = node->frames_shed;
    info->signatures = node->vote_signatures + info->pool.signatures;
}
