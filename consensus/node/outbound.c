/* outbound.c: what the pool and the consensus machine want done, put into the node's effects. */
#include "consensus/node/evidence.h"
#include "consensus/node/node_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/store/store.h"

/* A PRE_PREPARE or status with everything it may hold; BLOCKs are sent from the store. */
#define MESSAGE_BYTES_MAX 16384u

static struct sy_node_effect *emit_commit(sy_node *node, enum sy_node_commit what)
{
    SY_ASSERT(node->commit_made - node->commit_durable < COMMITS_MAX);
    struct sy_node_effect *effect = sy_node_emit(node, SY_NODE_COMMIT);
    memset(&effect->as.commit, 0, sizeof effect->as.commit);
    effect->as.commit.what = what;
    effect->as.commit.token = ++node->commit_made;
    struct commit *commit = &node->commits[node->commit_made % COMMITS_MAX];
    *commit = (struct commit){.what = what};
    return effect;
}

static struct commit *newest_commit(sy_node *node)
{
    return &node->commits[node->commit_made % COMMITS_MAX];
}

static void send_message(sy_node *node, uint16_t to, const struct sy_message *message)
{
    bool large = message->type == SY_MESSAGE_VIEW_CHANGE;
    struct sy_writer writer =
        sy_node_writer(node, large ? SY_VIEW_CHANGE_BYTES_MAX : MESSAGE_BYTES_MAX);
    sy_message_encode(&writer, message);
    struct sy_node_effect *effect = sy_node_emit(node, SY_NODE_SEND);
    effect->as.send.peer = to;
    effect->as.send.bytes = sy_node_keep(node, &writer);
}

/* ---- the pool's -------------------------------------------------------------------------- */

static void on_pool_effect(sy_node *node, const struct sy_pool_effect *effect)
{
    switch (effect->type) {
    case SY_POOL_CHECK:
        sy_node_emit(node, SY_NODE_CHECK)->as.submission = effect->submission;
        break;
    case SY_POOL_STORE: {
        struct sy_node_effect *commit = emit_commit(node, SY_COMMIT_BODY);
        commit->as.commit.digest = effect->digest;
        commit->as.commit.value = effect->body;
        newest_commit(node)->digest = effect->digest;
        break;
    }
    case SY_POOL_SPREAD: {
        struct sy_node_effect *send = sy_node_emit(node, SY_NODE_SEND_BODY);
        send->as.send_body.peer = SY_NODE_ALL;
        send->as.send_body.digest = effect->digest;
        break;
    }
    case SY_POOL_READY: {
        struct sy_pbft_event *ready = sy_node_queue_pbft(node, SY_PBFT_BATCH_READY);
        ready->as.batch.digest = effect->digest;
        ready->as.batch.maker = effect->maker;
        ready->as.batch.seq = effect->seq;
        ready->as.batch.tx_count = effect->txs;
        ready->as.batch.bytes = effect->bytes;
        break;
    }
    case SY_POOL_REFUSED: {
        struct sy_pbft_event *dropped = sy_node_queue_pbft(node, SY_PBFT_BATCH_DROPPED);
        dropped->as.batch.digest = effect->digest;
        dropped->as.batch.maker = effect->maker;
        dropped->as.batch.seq = effect->seq;
        dropped->as.batch.condemned = true;
        break;
    }
    case SY_POOL_DROP:
        emit_commit(node, effect->old ? SY_COMMIT_DROP_SPARE_BODY : SY_COMMIT_DROP_BODY)
            ->as.commit.digest = effect->digest;
        newest_commit(node)->digest = effect->digest;
        break;
    case SY_POOL_OUTCOMES: {
        struct sy_node_effect *outcomes = sy_node_emit(node, SY_NODE_OUTCOMES);
        outcomes->as.outcomes.token = effect->token;
        outcomes->as.outcomes.count = effect->count;
        outcomes->as.outcomes.outcomes = effect->outcomes;
        break;
    }
    }
}

void sy_node_translate_pool(sy_node *node)
{
    for (uint32_t i = 0; i < node->pool_effects->count; i++) {
        on_pool_effect(node, &node->pool_effects->items[i]);
    }
    node->pool_effects->count = 0;
    /* A new open batch wants a tick at its timeout; asking is cheap and a tick too many harmless.
     */
    if (node->resumed) {
        uint64_t wake = sy_pool_wake_ns(node->pool);
        if (wake < node->pool_wake_ns) node->pool_wake_ns = wake;
    }
}

/* ---- the consensus machine's ------------------------------------------------------------- */

static void persist(sy_node *node, const struct sy_pbft_effect *effect)
{
    const struct sy_pbft_record *record = &effect->as.persist.record;
    bool large = record->type == SY_PBFT_RECORD_VIEW_CHANGE;
    struct sy_writer writer =
        sy_node_writer(node, large ? SY_PBFT_RECORD_BYTES_MAX : SY_PBFT_RECORD_BYTES_SHORT);
    sy_pbft_record_encode(&writer, record);
    struct sy_node_effect *commit = emit_commit(node, SY_COMMIT_RECORD);
    commit->as.commit.record_type = record->type;
    commit->as.commit.slot = record->slot;
    commit->as.commit.view = record->view;
    commit->as.commit.value = sy_node_keep(node, &writer);
    newest_commit(node)->pbft_token = effect->as.persist.token;
}

/* The body may still be in the store although the pool has given it up. */
static bool being_dropped(const sy_node *node, const struct sy_hash *digest)
{
    for (uint64_t token = node->commit_durable + 1; token <= node->commit_made; token++) {
        const struct commit *commit = &node->commits[token % COMMITS_MAX];
        bool drops =
            commit->what == SY_COMMIT_DROP_BODY || commit->what == SY_COMMIT_DROP_SPARE_BODY;
        if (drops && sy_hash_equal(&commit->digest, digest)) return true;
    }
    return false;
}

/* The pool may hold the body already, or be about to; the store may hold it from a block that ran;
 * else the peer that the machine names is asked. */
static void fetch_body(sy_node *node, const struct sy_pbft_effect *effect)
{
    const struct sy_hash *digest = &effect->as.fetch_body.digest;
    if (sy_pool_offer(node->pool, node->pool_effects, digest)) return;
    sy_pool_want(node->pool, digest);
    if (sy_pool_coming(node->pool, digest)) return;
    if (effect->as.fetch_body.whom == SY_PBFT_ALL) {
        if (being_dropped(node, digest)) return;
        sy_node_emit(node, SY_NODE_LOOKUP)->as.lookup = *digest;
        return;
    }
    struct sy_message message = {.type = SY_MESSAGE_BATCH_FETCH};
    message.body.batch_fetch.count = 1;
    message.body.batch_fetch.digests[0] = *digest;
    send_message(node, effect->as.fetch_body.whom, &message);
}

static void certify(sy_node *node, const struct sy_pbft_effect *effect)
{
    struct sy_writer writer = sy_node_writer(node, MESSAGE_BYTES_MAX);
    sy_certificate_encode(&writer, &effect->as.certified.certificate);
    struct sy_node_effect *out = sy_node_emit(node, SY_NODE_CERTIFY);
    out->as.certify.height = effect->as.certified.height;
    out->as.certify.certificate = sy_node_keep(node, &writer);
}

static void alarm_raised(sy_node *node, const struct sy_pbft_effect *effect)
{
    SY_LOG(SY_LOG_ERROR, "pbft", "alarm", SY_F_U64("alarm", effect->as.alarm.alarm),
           SY_F_U64("height", effect->as.alarm.height),
           SY_F_HEX("own", effect->as.alarm.own.bytes, 32),
           SY_F_HEX("certified", effect->as.alarm.certified.bytes, 32));
    struct sy_node_effect *out = sy_node_emit(node, SY_NODE_ALARM);
    out->as.alarm.alarm = effect->as.alarm.alarm;
    out->as.alarm.height = effect->as.alarm.height;
}

/* The store bounds what it keeps against one validator; so much is offered to it since the start,
 * and a flood of lies is a flood of nothing else than log lines. Nobody waits for its DURABLE. */
static void keep_evidence(sy_node *node, const struct sy_pbft_evidence *found)
{
    struct sy_evidence evidence;
    sy_metric_add(SY_M_pbft_equivocations_total, 1);
    SY_LOG(SY_LOG_WARN, "pbft", "equivocation", SY_F_U64("signer", found->signer),
           SY_F_U64("type", found->type));
    if (node->evidence[found->signer] == SY_EVIDENCE_SIGNER_MAX) return;
    if (!sy_node_evidence(&evidence, found, node->config.genesis)) return;
    node->evidence[found->signer]++;
    struct sy_writer writer = sy_node_writer(node, SY_EVIDENCE_BYTES);
    sy_evidence_encode(&writer, &evidence);
    const struct sy_public_key *key = &node->config.roster->validators[found->signer].consensus_key;
    struct sy_node_effect *commit = emit_commit(node, SY_COMMIT_EVIDENCE);
    commit->as.commit.record_type = evidence.type;
    commit->as.commit.slot = evidence.slot;
    commit->as.commit.view = evidence.view;
    memcpy(commit->as.commit.digest.bytes, key->bytes, sizeof key->bytes);
    commit->as.commit.value = sy_node_keep(node, &writer);
}

static void sign_own(sy_node *node, struct sy_pbft_effect *effect)
{
    struct sy_own_signature own[SY_PBFT_OWN_MAX];
    size_t count = sy_pbft_effect_own(own, effect, &node->config.pbft);
    for (size_t i = 0; i < count; i++) {
        node->config.signer.sign(node->config.signer.self, own[i].signature, own[i].kind,
                                 &own[i].digest);
    }
}

static void on_pbft_effect(sy_node *node, struct sy_pbft_effect *effect)
{
    sign_own(node, effect);
    switch (effect->type) {
    case SY_PBFT_PERSIST: persist(node, effect); break;
    case SY_PBFT_SEND:
        send_message(node, effect->as.send.to == SY_PBFT_ALL ? SY_NODE_ALL : effect->as.send.to,
                     &effect->as.send.message);
        if (effect->as.send.again) sy_metric_add(SY_M_pbft_retransmissions_total, 1);
        break;
    case SY_PBFT_FETCH_BODY: fetch_body(node, effect); break;
    case SY_PBFT_SEND_BODY: {
        struct sy_node_effect *out = sy_node_emit(node, SY_NODE_SEND_BODY);
        out->as.send_body.peer = effect->as.send_body.to;
        out->as.send_body.digest = effect->as.send_body.digest;
        break;
    }
    case SY_PBFT_EXECUTE: {
        struct sy_node_effect *out = sy_node_emit(node, SY_NODE_EXECUTE);
        out->as.execute.adopted = effect->as.execute.adopted;
        out->as.execute.proposal = &effect->as.execute.proposal;
        break;
    }
    case SY_PBFT_CERTIFIED: certify(node, effect); break;
    case SY_PBFT_DROP_VOTES:
        emit_commit(node, SY_COMMIT_DROP)->as.commit.slot = effect->as.height;
        break;
    case SY_PBFT_SET_TIMER:
        node->timers[effect->as.set_timer.timer] = effect->as.set_timer.at_ns;
        break;
    case SY_PBFT_ALARM: alarm_raised(node, effect); break;
    case SY_PBFT_EVIDENCE: keep_evidence(node, &effect->as.evidence); break;
    }
}

void sy_node_translate_pbft(sy_node *node)
{
    for (uint32_t i = 0; i < node->pbft_effects->count; i++) {
        on_pbft_effect(node, &node->pbft_effects->items[i]);
    }
}
