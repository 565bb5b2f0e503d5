/* inbound.c: frames from peers, up to the consensus machine and the pool. */
#include "consensus/node/node_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"

static void count_malformed(sy_node *node, uint16_t peer, const char *what)
{
    node->frames_malformed++;
    sy_metric_add(SY_M_pbft_messages_refused_total, 1);
    SY_LOG(SY_LOG_DEBUG, "node", "frame_refused", SY_F_U64("peer", peer), SY_F_TEXT("what", what));
}

/* Every peer may have twice its part of the checks at the engine, so that f of them, however much
 * they send, leave a third to the others. */
static struct vote_check *take_check(sy_node *node, uint16_t peer)
{
    SY_ASSERT(peer < node->config.roster->count);
    uint16_t *share = &node->shares[peer];
    uint32_t part = 2 * node->config.vote_checks / node->config.roster->count;
    if (node->free_count == 0 || *share >= (part > 4 ? part : 4)) return NULL;
    ++*share;
    struct vote_check *check = &node->checks[node->free_checks[--node->free_count]];
    SY_ASSERT(!check->used);
    check->used = true;
    check->from = peer;
    return check;
}

/* VIEW_CHANGEs are few, large and dear: one of a peer at a time. A correct peer sends on none that
 * it has not checked, so who sent one that does not hold has to wait, the longer the dearer it was.
 */
static struct vote_check *take_change_check(sy_node *node, uint16_t peer)
{
    struct vote_check *checks = node->checks + node->config.vote_checks, *free = NULL;
    if (!sy_share_left(&node->vain_changes[peer], node->now_ns)) return NULL;
    for (uint32_t i = 0; i < node->change_checks; i++) {
        if (checks[i].used && checks[i].from == peer) return NULL;
        if (!checks[i].used) free = &checks[i];
    }
    if (free == NULL) return NULL;
    free->used = true;
    free->from = peer;
    return free;
}

bool sy_node_owns_check(const sy_node *node, const void *owner)
{
    const struct vote_check *check = (const struct vote_check *)owner;
    return check >= node->checks &&
           check < node->checks + node->config.vote_checks + node->change_checks;
}

void sy_node_free_check(sy_node *node, struct vote_check *check)
{
    uint32_t index = (uint32_t)(check - node->checks);
    SY_ASSERT(check->used && sy_node_owns_check(node, check));
    check->used = false;
    if (index >= node->config.vote_checks) return;
    uint16_t *share = &node->shares[check->from];
    SY_ASSERT(*share > 0);
    --*share;
    node->free_checks[node->free_count++] = (uint16_t)index;
}

/* How much of it is served, its runner decides (serve.h): it knows what an answer weighs. */
static void serve_bodies(sy_node *node, uint16_t peer, const struct sy_batch_fetch *fetch)
{
    for (uint16_t i = 0; i < fetch->count; i++) {
        struct sy_node_effect *effect = sy_node_emit(node, SY_NODE_SEND_BODY);
        effect->as.send_body.peer = peer;
        effect->as.send_body.digest = fetch->digests[i];
    }
}

/* Whoever has left the roster is told how its epoch ended, and nothing of what came after. */
static uint64_t served_height(const sy_node *node, uint16_t peer)
{
    uint64_t certified = node->certified_height, base = node->config.pbft.base;
    return peer == SY_NODE_DEPARTED && base < certified ? base : certified;
}

static void serve_blocks(sy_node *node, uint16_t peer, const struct sy_range_fetch *fetch)
{
    uint64_t last = served_height(node, peer);
    if (fetch->first == 0 || fetch->first > last) return;
    uint64_t count = last - fetch->first + 1;
    if (count > fetch->count) count = fetch->count;
    struct sy_node_effect *effect = sy_node_emit(node, SY_NODE_SEND_BLOCKS);
    effect->as.send_blocks.peer = peer;
    effect->as.send_blocks.first = fetch->first;
    effect->as.send_blocks.count = (uint16_t)count;
}

static void serve(sy_node *node, uint16_t peer, const struct sy_message *message)
{
    if (message->type == SY_MESSAGE_BATCH_FETCH) {
        serve_bodies(node, peer, &message->body.batch_fetch);
    } else {
        serve_blocks(node, peer, &message->body.range_fetch);
    }
}

static void check_votes(sy_node *node, struct vote_check *check)
{
    size_t count = 0;
    if (!sy_message_jobs(check->jobs, &count, &check->message, node->config.roster,
                         &node->config.genesis->hash)) {
        count_malformed(node, check->from, "signer");
        sy_node_free_check(node, check);
        return;
    }
    if (count == 0) {
        sy_node_queue(node, WORK_MESSAGE)->check = check;
        return;
    }
    node->vote_signatures += count;
    check->submission = (struct sy_submission){.jobs = check->jobs,
                                               .job_count = (uint32_t)count,
                                               .verdicts = check->verdicts,
                                               .urgent = count <= URGENT_JOBS_MAX,
                                               .owner = check};
    sy_node_emit(node, SY_NODE_CHECK)->as.submission = &check->submission;
}

/* A peer says that it has no history below a height. Whether this validator needs that history is
 * seen from its own height. */
static void on_pruned(sy_node *node, uint16_t peer, uint64_t height)
{
    bool news = node->history_from[peer] != height;
    node->history_from[peer] = height;
    if (news && height > node->certified_height + 1) {
        SY_LOG(SY_LOG_WARN, "node", "peer_pruned", SY_F_U64("peer", peer),
               SY_F_U64("history_from", height),
               SY_F_U64("certified_height", node->certified_height));
    }
    sy_node_look_for_history(node);
}

/* Only pruning and questions reach a node that runs: it has a state (joiner.h). */
static void on_sync(sy_node *node, uint16_t peer, struct sy_slice bytes)
{
    struct sy_sync_message *message = &node->sync_message;
    uint16_t count = node->config.roster->count;
    bool short_one = bytes.size <= SYNC_BYTES_MAX; // a SNAPSHOT nobody asked for is not looked at
    if (!short_one || !sy_sync_decode(message, bytes, count)) {
        count_malformed(node, peer, "sync");
    } else if (message->type == SY_SYNC_PRUNED && peer < count) {
        on_pruned(node, peer, message->height);
    } else if (message->type == SY_SYNC_SNAPSHOT_FETCH && peer != SY_NODE_DEPARTED) {
        struct sy_node_effect *effect = sy_node_emit(node, SY_NODE_SEND_CHUNK);
        effect->as.send_chunk.peer = peer;
        effect->as.send_chunk.height = message->height;
        effect->as.send_chunk.key = message->key;
    } else if (message->type == SY_SYNC_HANDOVER_FETCH && peer != SY_NODE_DEPARTED) {
        struct sy_node_effect *effect = sy_node_emit(node, SY_NODE_SEND_HANDOVERS);
        effect->as.send_handovers.peer = peer;
        effect->as.send_handovers.epoch = message->epoch;
    }
}

/* Whoever signs one VIEW_CHANGE after the other, each for a later view and each full of good
 * certificates, has to wait as well. What others pass on while it is being checked already is not
 * its doing, and is paid for by them: nobody else can make it wait. */
static bool may_cost(sy_node *node, const struct sy_message *message, uint16_t peer)
{
    if (message->type != SY_MESSAGE_VIEW_CHANGE) return true;
    const struct sy_view_change *change = &message->body.view_change;
    SY_ASSERT(change->signer < node->config.roster->count);
    return sy_pbft_awaits_change(node->pbft, change) ||
           (sy_share_left(&node->good_changes[change->signer], node->now_ns) &&
            sy_share_left(&node->copied_changes[peer], node->now_ns));
}

static void pay_for(sy_node *node, const struct vote_check *check)
{
    const struct sy_message *message = &check->message;
    if (message->type != SY_MESSAGE_VIEW_CHANGE) return;
    bool first = sy_pbft_wants(node->pbft, message);
    struct sy_share *share = first ? &node->good_changes[message->body.view_change.signer]
                                   : &node->copied_changes[check->from];
    sy_share_spend(share, check->submission.job_count, GOOD_CHANGE_JOBS_PER_S);
}

/* A guest runs a machine of another roster, or none yet: what it says for consensus is not for this
 * one, and is not looked at (node.h). */
static void on_guest(sy_node *node, uint16_t peer, struct sy_slice bytes)
{
    struct sy_message *message = &node->guest_message;
    if (sy_sync_is(bytes)) {
        on_sync(node, peer, bytes);
        return;
    }
    bool request = bytes.size > 0 && (bytes.data[0] == SY_MESSAGE_BATCH_FETCH ||
                                      bytes.data[0] == SY_MESSAGE_BLOCK_FETCH);
    if (!request) {
        sy_metric_add(SY_M_pbft_messages_spared_total, 1);
        return;
    }
    if (!sy_message_decode(message, bytes, node->config.roster->count)) {
        count_malformed(node, peer, "encoding");
        return;
    }
    serve(node, peer, message);
}

void sy_node_on_frame(sy_node *node, uint16_t peer, struct sy_slice bytes)
{
    if (peer >= node->config.roster->count) {
        SY_ASSERT(peer >= SY_NODE_DEPARTED && peer < SY_NODE_PEERS_MAX);
        on_guest(node, peer, bytes);
        return;
    }
    sy_pbft_heard(node->pbft, peer, node->now_ns);
    if (bytes.size > 1 && bytes.data[0] == SY_MESSAGE_BATCH) {
        sy_pool_on_batch(node->pool, node->pool_effects, peer,
                         sy_slice_of(bytes.data + 1, bytes.size - 1));
        return;
    }
    if (sy_sync_is(bytes)) {
        on_sync(node, peer, bytes);
        return;
    }
    bool change = bytes.size > 1 && bytes.data[0] == SY_MESSAGE_VIEW_CHANGE;
    if (change && bytes.size > SY_VIEW_CHANGE_BYTES_MAX) {
        count_malformed(node, peer, "size");
        return;
    }
    struct vote_check *check = change ? take_change_check(node, peer) : take_check(node, peer);
    if (check == NULL) {
        node->frames_shed++;
        return;
    }
    if (change) {
        memcpy(check->bytes, bytes.data, bytes.size); // the message borrows them for longer
        bytes.data = check->bytes;
    }
    struct sy_message *message = &check->message;
    if (!sy_message_decode(message, bytes, node->config.roster->count)) {
        count_malformed(node, peer, "encoding");
        sy_node_free_check(node, check);
        return;
    }
    if (!sy_pbft_wants(node->pbft, message)) {
        sy_metric_add(SY_M_pbft_messages_spared_total, 1);
        sy_node_free_check(node, check);
        return;
    }
    if (!may_cost(node, message, peer)) {
        node->frames_shed++;
        sy_node_free_check(node, check);
        return;
    }
    if (message->type == SY_MESSAGE_BLOCK) {
        node->blocks_from[peer]++;
        sy_metric_add(SY_M_node_blocks_fetched_total, 1);
    }
    switch (message->type) {
    case SY_MESSAGE_BATCH_FETCH:
    case SY_MESSAGE_BLOCK_FETCH:
        serve(node, peer, message);
        sy_node_free_check(node, check);
        break;
    default: check_votes(node, check);
    }
}

static void on_bad(sy_node *node, struct vote_check *check)
{
    if (check->message.type == SY_MESSAGE_VIEW_CHANGE) {
        struct sy_share *vain = &node->vain_changes[check->from];
        sy_share_spend(vain, check->submission.job_count, VAIN_CHANGE_JOBS_PER_S);
    }
    count_malformed(node, check->from, "signature");
    sy_node_free_check(node, check);
}

void sy_node_on_vote_checked(sy_node *node, struct vote_check *check)
{
    SY_ASSERT(check->used);
    for (uint32_t i = 0; i < check->submission.job_count; i++) {
        if (check->verdicts[i]) continue;
        on_bad(node, check);
        return;
    }
    pay_for(node, check);
    sy_node_queue(node, WORK_MESSAGE)->check = check;
}
