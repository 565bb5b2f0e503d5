/* loop.c: the consensus thread: events in from everywhere, the node's effects out to everywhere. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "consensus/node/daemon_internal.h"
#include "consensus/node/serve.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"

#define FRAMES_A_TURN 64u
#define ITEMS_A_TURN 256u
#define REFRESH_NS 50000000ull

/* ---- effects ----------------------------------------------------------------------------- */

static void fail_with(sy_daemon *daemon, sy_status status, const char *what)
{
    if (daemon->failure.status != SY_OK) return;
    const char *remedy = status == SY_ERR_DISK_FULL
                             ? "the disk is full: make room and start systoled again"
                             : "see the log, mend the cause and start systoled again";
    (void)sy_fail(&daemon->failure, status, "%s failed (%s); nothing promised is lost; %s", what,
                  sy_status_name(status), remedy);
    daemon->stopping = true;
}

static void send(sy_daemon *daemon, uint16_t peer, enum sy_channel channel, struct sy_slice bytes)
{
    /* A full queue drops and counts: status messages and fetches heal every loss. */
    if (peer == SY_NODE_ALL) {
        bool status = bytes.data[0] == SY_MESSAGE_STATUS; /* all that guests are told unasked */
        uint32_t count = status ? daemon->peers.count : daemon->peers.members;
        (void)sy_link_broadcast(daemon->link, count, channel, bytes);
    } else {
        (void)sy_link_send(daemon->link, sy_peers_place(&daemon->peers, peer), channel, bytes);
    }
}

static void send_body(sy_daemon *daemon, uint16_t peer, const struct sy_hash *digest)
{
    struct sy_slice message;
    if (sy_serve_body(&daemon->serve, &message, peer, sy_os_monotonic_ns(), digest) == SY_OK) {
        send(daemon, peer, SY_CHANNEL_BULK, message);
    }
}

static void send_blocks(sy_daemon *daemon, uint16_t peer, uint64_t first, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        struct sy_slice message;
        sy_status status =
            sy_serve_block(&daemon->serve, &message, peer, sy_os_monotonic_ns(), first + i);
        bool pruned = status == SY_ERR_PRUNED; /* then the message says so */
        if (status == SY_OK || pruned) send(daemon, peer, SY_CHANNEL_BULK, message);
        if (status != SY_OK) return;
    }
}

static void ask_holder(sy_daemon *daemon, const struct sy_node_effect *effect)
{
    uint16_t peer = effect->as.send_chunk.peer;
    if (sy_serve_claim(&daemon->serve, peer, sy_os_monotonic_ns()) != SY_OK) return;
    /* The list of peers is this thread's, but a place in it stays what it is for an epoch. */
    (void)sy_holder_ask(daemon->holder, (uint16_t)sy_peers_place(&daemon->peers, peer),
                        effect->as.send_chunk.height, &effect->as.send_chunk.key);
}

static void send_handovers(sy_daemon *daemon, const struct sy_node_effect *effect)
{
    struct sy_slice message;
    uint16_t peer = effect->as.send_handovers.peer;
    sy_status status = sy_serve_handovers(&daemon->serve, &message, peer, sy_os_monotonic_ns(),
                                          effect->as.send_handovers.epoch);
    if (status == SY_OK) send(daemon, peer, SY_CHANNEL_BULK, message);
}

/* Answered after the step: the loop feeds FOUND once the node's effects are done with. */
static void look_up(sy_daemon *daemon, const struct sy_hash *digest)
{
    if (daemon->found_count == SY_FOUND_MAX) return; /* the machine asks again */
    struct found *found = &daemon->found[daemon->found_count++];
    struct sy_slice body;
    found->digest = *digest;
    found->size = 0;
    if (sy_body_get(daemon->reader, &body, digest) != SY_OK) return;
    if (body.size < sizeof found->head) return;
    memcpy(found->head, body.data, sizeof found->head);
    found->size = sizeof found->head;
}

static void carry_one(sy_daemon *daemon, const struct sy_node_effect *effect)
{
    switch (effect->type) {
    case SY_NODE_SEND:
        send(daemon, effect->as.send.peer, SY_CHANNEL_CONTROL, effect->as.send.bytes);
        break;
    case SY_NODE_SEND_BODY:
        send_body(daemon, effect->as.send_body.peer, &effect->as.send_body.digest);
        break;
    case SY_NODE_SEND_BLOCKS:
        send_blocks(daemon, effect->as.send_blocks.peer, effect->as.send_blocks.first,
                    effect->as.send_blocks.count);
        break;
    case SY_NODE_SEND_CHUNK: ask_holder(daemon, effect); break;
    case SY_NODE_SEND_HANDOVERS: send_handovers(daemon, effect); break;
    case SY_NODE_CHECK: {
        /* The engine's queue is as long as all lanes and vote checks together. */
        sy_status status = sy_engine_submit(daemon->engine, effect->as.submission);
        SY_ASSERT(status == SY_OK);
        break;
    }
    case SY_NODE_COMMIT:
    case SY_NODE_CERTIFY: (void)sy_committer_put(daemon->committer, effect); break;
    case SY_NODE_EXECUTE:
        (void)sy_runner_execute(daemon->runner, effect->as.execute.proposal);
        break;
    case SY_NODE_LOOKUP: look_up(daemon, &effect->as.lookup); break;
    case SY_NODE_OUTCOMES:
        sy_api_outcomes(daemon->api, effect->as.outcomes.token, effect->as.outcomes.count,
                        effect->as.outcomes.outcomes);
        break;
    case SY_NODE_ALARM: break; /* logged by the node, shown by status; reading goes on */
    }
}

void sy_daemon_carry(void *self, const struct sy_node_effects *effects)
{
    sy_daemon *daemon = (sy_daemon *)self;
    for (uint32_t i = 0; i < effects->count; i++) carry_one(daemon, &effects->items[i]);
}

/* ---- events ------------------------------------------------------------------------------ */

static void feed(sy_daemon *daemon, struct sy_node_event *event)
{
    event->now_ms = sy_os_wall_ms();
    event->now_ns = sy_os_monotonic_ns();
    const struct sy_node_event *next = event;
    bool more = true;
    while (more) {
        more = sy_node_step(daemon->node, daemon->effects, next);
        sy_daemon_carry(daemon, daemon->effects);
        next = NULL;
    }
}

static void feed_found(sy_daemon *daemon)
{
    while (daemon->found_count > 0) {
        struct found found = daemon->found[--daemon->found_count];
        struct sy_node_event event = {.type = SY_NODE_FOUND};
        event.as.body.digest = found.digest;
        event.as.body.head = sy_slice_of(found.head, found.size);
        feed(daemon, &event);
    }
}

static void on_executed(sy_daemon *daemon, const struct sy_executed *executed)
{
    struct sy_node_event event = {.type = SY_NODE_EXECUTED};
    event.as.executed.height = executed->header.height;
    event.as.executed.header_hash = executed->header_hash;
    event.as.executed.next_epoch = executed->next_epoch;
    event.as.executed.ran = executed->ran;
    event.as.executed.ran_count = executed->ran_count;
    feed(daemon, &event);
    pthread_mutex_lock(&daemon->snapshot.lock);
    daemon->snapshot.head = executed->header;
    pthread_mutex_unlock(&daemon->snapshot.lock);
    if (executed->next_epoch > executed->header.height + 1) sy_daemon_announce(daemon);
    sy_runner_release(daemon->runner, executed);
}

static void on_certified(sy_daemon *daemon, uint64_t height)
{
    struct sy_node_event event = {.type = SY_NODE_CERTIFIED};
    event.as.height = height;
    feed(daemon, &event);
    sy_metric_set(SY_M_node_height_certified, height);
    sy_api_certified(daemon->api, height);
}

static void start_drain(sy_daemon *daemon, uint64_t drain_ms)
{
    if (daemon->drain_ns != 0) {
        daemon->stopping = true; /* asked twice: now */
        return;
    }
    daemon->drain_ns = sy_os_monotonic_ns() + drain_ms * 1000000ull + 1;
    sy_api_drain(daemon->api);
    struct sy_node_event event = {.type = SY_NODE_DRAIN};
    feed(daemon, &event);
}

static void on_submit(sy_daemon *daemon, const struct sy_inbox_item *item)
{
    const struct sy_inbox_submit *submit = (const struct sy_inbox_submit *)item->pointer;
    struct sy_node_event event = {.type = SY_NODE_SUBMIT};
    event.as.submit.token = item->number;
    event.as.submit.request = submit->request;
    event.as.submit.held = submit->held;
    feed(daemon, &event);
    sy_api_submitted(daemon->api, item->number);
}

void sy_daemon_item(sy_daemon *daemon, const struct sy_inbox_item *item)
{
    struct sy_node_event event = {0};
    switch (item->type) {
    case SY_INBOX_DURABLE:
        event.type = SY_NODE_DURABLE;
        event.as.token = item->number;
        feed(daemon, &event);
        break;
    case SY_INBOX_CERTIFIED: on_certified(daemon, item->number); break;
    case SY_INBOX_EXECUTED: on_executed(daemon, (const struct sy_executed *)item->pointer); break;
    case SY_INBOX_SUBMIT: on_submit(daemon, item); break;
    case SY_INBOX_FAILED: fail_with(daemon, item->status, (const char *)item->pointer); break;
    case SY_INBOX_DRAIN: start_drain(daemon, item->number); break;
    case SY_INBOX_FLAP:
        if (item->number >= daemon->roster->count || item->number == daemon->self) break;
        sy_link_flap(daemon->link, (uint32_t)item->number);
        break;
    case SY_INBOX_STOP: daemon->stopping = true; break;
    }
}

static bool take_items(sy_daemon *daemon)
{
    struct sy_inbox_item item;
    for (unsigned i = 0; i < ITEMS_A_TURN && !daemon->stopping; i++) {
        if (!sy_ring_pop(daemon->inbox, &item)) return false;
        sy_daemon_item(daemon, &item);
    }
    return true;
}

static bool take_checks(sy_daemon *daemon)
{
    for (unsigned i = 0; i < ITEMS_A_TURN; i++) {
        struct sy_submission *submission = sy_engine_done(daemon->engine);
        if (submission == NULL) return false;
        struct sy_node_event event = {.type = SY_NODE_CHECKED};
        event.as.submission = submission;
        feed(daemon, &event);
    }
    return true;
}

static bool take_frames(sy_daemon *daemon)
{
    for (unsigned i = 0; i < FRAMES_A_TURN; i++) {
        struct sy_link_frame frame;
        if (!sy_link_recv(daemon->link, &frame)) return false;
        struct sy_node_event event = {.type = SY_NODE_FRAME};
        event.as.frame.peer = sy_peers_number(&daemon->peers, frame.peer);
        event.as.frame.bytes = frame.payload;
        feed(daemon, &event);
        sy_link_frame_release(daemon->link, &frame);
    }
    return true;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static bool drained(sy_daemon *daemon, uint64_t now_ns)
{
    if (daemon->drain_ns == 0) return false;
    struct sy_pool_info info = daemon->snapshot.info.pool;
    return now_ns >= daemon->drain_ns || (info.pending_txs == 0 && info.own_batches == 0);
}

static void wait_for_work(sy_daemon *daemon)
{
    struct pollfd fds[] = {
        {.fd = sy_ring_fd(daemon->inbox), .events = POLLIN},
        {.fd = sy_engine_done_fd(daemon->engine), .events = POLLIN},
        {.fd = sy_link_fd(daemon->link), .events = POLLIN},
    };
    uint64_t now_ns = sy_os_monotonic_ns();
    uint64_t wake_ns = sy_node_wake_ns(daemon->node);
    uint64_t refresh_ns = daemon->snapshot.taken_ns + REFRESH_NS;
    if (refresh_ns < wake_ns) wake_ns = refresh_ns;
    uint64_t wait_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000ull),
                            .tv_nsec = (long)(wait_ns % 1000000000ull)};
    if (ppoll(fds, sizeof fds / sizeof fds[0], &wait, NULL) < 0) SY_ASSERT(errno == EINTR);
}

/* What clients were told is received goes into a batch first: that one the next node finds in the
 * store. */
static sy_status turn(sy_daemon *daemon, struct sy_error *err)
{
    struct sy_node_event drain = {.type = SY_NODE_DRAIN};
    feed(daemon, &drain);
    return sy_daemon_turn(daemon, err);
}

/* Whoever leaves takes nothing more on, but stays for a while. */
static bool lingers(sy_daemon *daemon)
{
    bool begins = !daemon->leaving;
    struct sy_node_event drain = {.type = SY_NODE_DRAIN};
    if (!sy_daemon_lingers(daemon)) return false;
    if (begins) feed(daemon, &drain);
    return true;
}

sy_status sy_daemon_run(sy_daemon *daemon, struct sy_error *err)
{
    while (!daemon->stopping) {
        if (sy_node_epoch_over(daemon->node) && !lingers(daemon)) {
            SY_TRY(turn(daemon, err));
            continue;
        }
        bool more = take_items(daemon);
        more |= take_checks(daemon);
        more |= take_frames(daemon);
        feed_found(daemon);
        uint64_t now_ns = sy_os_monotonic_ns();
        if (now_ns >= sy_node_wake_ns(daemon->node)) {
            struct sy_node_event tick = {.type = SY_NODE_TICK};
            feed(daemon, &tick);
        }
        if (now_ns >= daemon->snapshot.taken_ns + REFRESH_NS) {
            sy_daemon_refresh(daemon, now_ns);
            if (drained(daemon, now_ns)) break;
        }
        if (!more) wait_for_work(daemon);
    }
    if (daemon->failure.status != SY_OK) {
        return sy_fail(err, daemon->failure.status, "%s", daemon->failure.text);
    }
    return SY_OK;
}
