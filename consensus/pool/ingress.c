/* ingress.c: clients' transactions, from SUBMIT to a sealed batch. */
#include "consensus/pool/pool_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

static void answer(struct sy_pool_effects *effects, uint64_t token, uint32_t count,
                   const struct sy_submit_outcome *outcomes)
{
    struct sy_pool_effect *effect = sy_pool_emit(effects, SY_POOL_OUTCOMES);
    effect->token = token;
    effect->count = count;
    effect->outcomes = outcomes;
}

static void answer_busy(sy_pool *pool, struct sy_pool_effects *effects, uint64_t token,
                        uint32_t count)
{
    uint32_t retry_ms = sy_pace_retry_ms(&pool->pace);
    for (uint32_t i = 0; i < count; i++) {
        pool->busy[i] = (struct sy_submit_outcome){.state = SY_TX_BUSY, .retry_ms = retry_ms};
    }
    answer(effects, token, count, pool->busy);
}

/* Admission refuses early what could not be batched anyway: consensus never sees the excess. */
static bool overloaded(const sy_pool *pool, uint32_t more)
{
    if (pool->draining || pool->config.self == SY_POOL_OBSERVER) return true;
    if (pool->pending_txs + more > pool->config.pending_txs_max) return true;
    if (pool->open != NULL) return false;
    return pool->next_seq >= pool->makers[pool->config.self].next + SY_BATCH_WINDOW;
}

static struct lane *filling_lane(sy_pool *pool, const struct sy_client_request *submit,
                                 uint64_t now_ns)
{
    uint32_t ingress = 0;
    for (uint32_t i = 0; i < pool->config.lanes; i++) {
        struct lane *lane = &pool->lanes[i];
        ingress += lane->use == LANE_INGRESS || lane->use == LANE_FILLING;
        if (lane->use != LANE_FILLING) continue;
        bool room = lane->bytes_used + submit->body.submit.txs.size <= LANE_BYTES_MAX &&
                    lane->tx_count + submit->body.submit.count <= LANE_TXS_MAX &&
                    lane->request_count < LANE_REQUESTS_MAX;
        if (room) return lane;
    }
    /* Half of the lanes stay free for peers' batches; but two may fly while a third one fills. */
    uint32_t most = pool->config.lanes / 2 > 3 ? pool->config.lanes / 2 : 3;
    if (ingress >= most || ingress + 1 >= pool->config.lanes) return NULL;
    struct lane *lane = sy_pool_lane_take(pool);
    if (lane == NULL) return NULL;
    lane->use = LANE_FILLING;
    lane->since_ns = now_ns;
    return lane;
}

static void add_tx(sy_pool *pool, struct lane *lane, struct sy_slice bytes)
{
    struct sy_tx tx;
    const char *what;
    enum sy_refusal code = sy_tx_decode(&tx, &what, bytes, sy_network_tag(pool->config.genesis));
    if (code == SY_APPLIED && sy_pool_lane_add(pool, lane, &tx, bytes)) return;
    if (code == SY_APPLIED) code = SY_E_BUSY; /* more signatures than the lane has room for */
    SY_ASSERT(lane->tx_count < LANE_TXS_MAX);
    lane->txs[lane->tx_count++] = (struct lane_tx){.bytes = bytes, .code = (uint16_t)code};
}

static void hold_tx(struct lane *lane, struct sy_slice bytes, uint16_t code)
{
    SY_ASSERT(lane->tx_count < LANE_TXS_MAX);
    lane->txs[lane->tx_count++] = (struct lane_tx){.bytes = bytes, .code = code, .held = true};
}

void sy_pool_on_submit(sy_pool *pool, struct sy_pool_effects *effects, uint64_t token,
                       const struct sy_client_request *submit, const uint16_t *held,
                       uint64_t now_ns)
{
    SY_ASSERT(submit->kind == SY_REQUEST_SUBMIT);
    uint32_t count = submit->body.submit.count;
    SY_ASSERT(count >= 1 && count <= SY_SUBMIT_TXS_MAX);
    struct lane *lane = NULL;
    bool takes = sy_pace_takes(&pool->pace, pool->pending_txs + pool->checking_txs) &&
                 !overloaded(pool, count);
    if (takes && submit->body.submit.txs.size <= LANE_BYTES_MAX) {
        lane = filling_lane(pool, submit, now_ns);
    }
    if (lane == NULL) {
        sy_metric_add(SY_M_pool_txs_busy_total, count);
        answer_busy(pool, effects, token, count);
        return;
    }
    memcpy(lane->bytes + lane->bytes_used, submit->body.submit.txs.data,
           submit->body.submit.txs.size);
    struct sy_client_request copy = *submit;
    copy.body.submit.txs =
        sy_slice_of(lane->bytes + lane->bytes_used, submit->body.submit.txs.size);
    lane->bytes_used += (uint32_t)submit->body.submit.txs.size;
    lane->requests[lane->request_count++] =
        (struct lane_request){.token = token, .first = lane->tx_count, .count = count};
    pool->checking_txs += count;
    size_t offset = 0;
    struct sy_slice bytes;
    for (uint32_t i = 0; sy_submit_next(&copy, &offset, &bytes); i++) {
        if (held != NULL && held[i] != SY_APPLIED) {
            hold_tx(lane, bytes, held[i]);
        } else {
            add_tx(pool, lane, bytes);
        }
    }
    sy_pool_ingress_send(pool, effects);
}

/* Two checks of clients' transactions fly at once; what comes meanwhile shares the next one, so
 * batches at the engine grow with the load. */
void sy_pool_ingress_send(sy_pool *pool, struct sy_pool_effects *effects)
{
    for (uint32_t i = 0; i < pool->config.lanes && pool->ingress_flying < 2; i++) {
        struct lane *lane = &pool->lanes[i];
        if (lane->use != LANE_FILLING) continue;
        lane->use = LANE_INGRESS;
        pool->ingress_flying++;
        sy_pool_lane_send(lane, effects);
    }
}

static bool open_builder(sy_pool *pool, uint64_t since_ns, uint64_t now_ns)
{
    if (pool->open != NULL) return true;
    const struct maker *self = &pool->makers[pool->config.self];
    if (pool->next_seq >= self->next + SY_BATCH_WINDOW || self->bodies >= BODIES_MAX) return false;
    for (unsigned i = 0; i < BUILDERS; i++) {
        struct builder *builder = &pool->builders[i];
        if (builder->state != BUILDER_FREE) continue;
        builder->state = BUILDER_OPEN;
        builder->txs = 0;
        builder->used = BATCH_OVERHEAD_BYTES;
        builder->opened_ns = now_ns;
        builder->since_ns = since_ns;
        pool->open = builder;
        return true;
    }
    return false;
}

static bool append(sy_pool *pool, struct sy_pool_effects *effects, const struct lane *lane,
                   const struct lane_tx *tx, uint64_t now_ns)
{
    uint32_t need = 4 + (uint32_t)tx->bytes.size;
    if (pool->open != NULL && pool->open->used + need > SY_BATCH_BYTES_MAX) {
        sy_pool_seal(pool, effects, now_ns);
    }
    if (!open_builder(pool, lane->since_ns, now_ns)) return false;
    struct builder *builder = pool->open;
    SY_ASSERT(builder->used + need <= SY_BATCH_BYTES_MAX);
    sy_store_u32(builder->bytes + builder->used, (uint32_t)tx->bytes.size);
    memcpy(builder->bytes + builder->used + 4, tx->bytes.data, tx->bytes.size);
    builder->used += need;
    builder->ids[builder->txs] = lane->hashes[tx->leaf];
    builder->sigs[builder->txs] = lane->hashes[tx->leaf + 1];
    builder->txs++;
    pool->pending_txs++;
    if (builder->txs == pool->config.batch_txs_max) sy_pool_seal(pool, effects, now_ns);
    return true;
}

static struct sy_submit_outcome place(sy_pool *pool, struct sy_pool_effects *effects,
                                      const struct lane *lane, const struct lane_tx *tx,
                                      uint64_t now_ns)
{
    struct sy_submit_outcome busy = {.state = SY_TX_BUSY,
                                     .retry_ms = sy_pace_retry_ms(&pool->pace)};
    struct sy_submit_outcome refused = {.state = SY_TX_REFUSED, .code = tx->code};
    if (tx->held) {
        return (struct sy_submit_outcome){
            .state = SY_TX_BUSY, .code = tx->code, .retry_ms = SY_HELD_RETRY_MS};
    }
    if (tx->code == SY_E_BUSY) return busy;
    if (tx->code != SY_APPLIED) return refused;
    if (!sy_pool_tx_good(lane, tx)) {
        refused.code = SY_E_SIG;
        return refused;
    }
    struct sy_submit_outcome received = {.state = SY_TX_RECEIVED};
    const struct sy_hash *id = &lane->hashes[tx->leaf];
    if (sy_table_find(&pool->pending, id) != NULL) return received; /* it waits here already */
    if (overloaded(pool, 1) || !append(pool, effects, lane, tx, now_ns)) return busy;
    (void)sy_table_put(&pool->pending, id, NULL);
    return received;
}

static void count_outcome(const struct sy_submit_outcome *outcome)
{
    switch (outcome->state) {
    case SY_TX_RECEIVED: sy_metric_add(SY_M_pool_txs_received_total, 1); break;
    case SY_TX_REFUSED: sy_metric_add(SY_M_pool_txs_refused_total, 1); break;
    default: sy_metric_add(SY_M_pool_txs_busy_total, 1);
    }
}

void sy_pool_ingress_checked(sy_pool *pool, struct sy_pool_effects *effects, struct lane *lane,
                             uint64_t now_ns)
{
    for (uint32_t i = 0; i < lane->tx_count; i++) {
        lane->outcomes[i] = place(pool, effects, lane, &lane->txs[i], now_ns);
        count_outcome(&lane->outcomes[i]);
    }
    for (uint32_t i = 0; i < lane->request_count; i++) {
        const struct lane_request *request = &lane->requests[i];
        answer(effects, request->token, request->count, &lane->outcomes[request->first]);
    }
}

void sy_pool_seal(sy_pool *pool, struct sy_pool_effects *effects, uint64_t now_ns)
{
    struct builder *builder = pool->open;
    SY_ASSERT(builder != NULL && builder->txs > 0);
    struct sy_batch_header header = {
        .maker = pool->config.roster->validators[pool->config.self].consensus_key,
        .seq = pool->next_seq++,
        .count = builder->txs,
        .bytes = builder->used - BATCH_OVERHEAD_BYTES};
    sy_merkle_root(&header.id_root, builder->scratch, builder->ids, builder->txs);
    sy_merkle_root(&header.signature_root, builder->scratch, builder->sigs, builder->txs);
    struct sy_writer writer = sy_writer_of(builder->bytes, SY_BATCH_HEADER_BYTES);
    sy_batch_header_encode(&writer, &header);
    SY_ASSERT(!writer.failed && writer.used == SY_BATCH_HEADER_BYTES);
    sy_batch_digest(&builder->digest, &pool->config.genesis->hash, sy_writer_slice(&writer));
    struct sy_signature signature;
    pool->config.signer.sign(pool->config.signer.self, &signature, SY_SIG_BATCH, &builder->digest);
    memcpy(builder->bytes + SY_BATCH_HEADER_BYTES, signature.bytes, sizeof signature.bytes);

    struct body *body = sy_pool_body_add(pool, &builder->digest, pool->config.self, BODY_STORING);
    body->seq = header.seq;
    body->txs = header.count;
    body->bytes = builder->used;
    sy_pool_place(&pool->makers[pool->config.self], header.seq, &builder->digest);
    pool->own[header.seq % SY_BATCH_WINDOW] = (struct own){.used = true,
                                                           .seq = header.seq,
                                                           .txs = header.count,
                                                           .since_ns = builder->since_ns,
                                                           .spread_ns = now_ns,
                                                           .digest = builder->digest};
    builder->state = BUILDER_STORING;
    pool->open = NULL;
    sy_metric_add(SY_M_pool_batches_made_total, 1);
    struct sy_pool_effect *effect = sy_pool_emit(effects, SY_POOL_STORE);
    effect->digest = builder->digest;
    effect->body = sy_slice_of(builder->bytes, builder->used);
}
