#include "consensus/pool/pool.h"

#include "consensus/pool/pool_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"

struct sy_pool_effect *sy_pool_emit(struct sy_pool_effects *effects, enum sy_pool_effect_type type)
{
    SY_ASSERT(effects->count < SY_POOL_EFFECTS_MAX);
    struct sy_pool_effect *effect = &effects->items[effects->count++];
    *effect = (struct sy_pool_effect){.type = type};
    return effect;
}

static size_t body_capacity(const struct sy_pool_config *config)
{
    return (size_t)config->roster->count * BODIES_WANTED_MAX + WANTS_MAX; /* the condemned */
}

static size_t pending_capacity(const struct sy_pool_config *config)
{
    return (size_t)config->pending_txs_max + 2 * SY_BATCH_TXS_MAX;
}

static size_t table_bytes(size_t capacity, size_t value_bytes)
{
    /* Slots are at most the next power of two above 4/3 of the capacity, and then double that. */
    return capacity * 3 * (33 + value_bytes + 16) + 4096;
}

size_t sy_pool_footprint(const struct sy_pool_config *config)
{
    size_t inboxes = (size_t)config->roster->count * config->queued_per_maker;
    size_t lane = LANE_BYTES_MAX +
                  LANE_TXS_MAX * (sizeof(struct lane_tx) + 2 * sizeof(struct sy_slice) +
                                  2 * sizeof(struct sy_hash) + sizeof(struct sy_submit_outcome)) +
                  LANE_JOBS_MAX * (sizeof(struct sy_sig_job) + 1) + 1024;
    size_t builder = SY_BATCH_BYTES_MAX + SY_BATCH_TXS_MAX * 3 * sizeof(struct sy_hash) + 1024;
    return sizeof(sy_pool) + 65536 +
           config->roster->count * (sizeof(struct maker) + sizeof(uint32_t) + sizeof(uint64_t)) +
           inboxes * (sizeof(struct inbox) + SY_BATCH_BYTES_MAX + 128) +
           config->lanes * (sizeof(struct lane) + lane) + BUILDERS * builder +
           table_bytes(body_capacity(config), sizeof(struct body)) +
           table_bytes(pending_capacity(config), 8);
}

static bool carve_lane(struct lane *lane, sy_arena *arena)
{
    lane->txs = SY_CARVE(arena, struct lane_tx, LANE_TXS_MAX);
    lane->leaves = SY_CARVE(arena, struct sy_slice, 2 * LANE_TXS_MAX);
    lane->hashes = SY_CARVE(arena, struct sy_hash, 2 * LANE_TXS_MAX);
    lane->jobs = SY_CARVE(arena, struct sy_sig_job, LANE_JOBS_MAX);
    lane->verdicts = SY_CARVE(arena, uint8_t, LANE_JOBS_MAX);
    lane->outcomes = SY_CARVE(arena, struct sy_submit_outcome, LANE_TXS_MAX);
    lane->bytes = SY_CARVE(arena, uint8_t, LANE_BYTES_MAX);
    return lane->txs && lane->leaves && lane->hashes && lane->jobs && lane->verdicts &&
           lane->outcomes && lane->bytes;
}

static bool carve_builder(struct builder *builder, sy_arena *arena)
{
    builder->bytes = SY_CARVE(arena, uint8_t, SY_BATCH_BYTES_MAX);
    builder->ids = SY_CARVE(arena, struct sy_hash, SY_BATCH_TXS_MAX);
    builder->sigs = SY_CARVE(arena, struct sy_hash, SY_BATCH_TXS_MAX);
    builder->scratch = SY_CARVE(arena, struct sy_hash, SY_BATCH_TXS_MAX);
    return builder->bytes && builder->ids && builder->sigs && builder->scratch;
}

static bool carve(sy_pool *pool, sy_arena *arena)
{
    const struct sy_pool_config *config = &pool->config;
    pool->makers = SY_CARVE(arena, struct maker, config->roster->count);
    pool->shares = SY_CARVE(arena, uint32_t, config->roster->count + 1u);
    pool->served = SY_CARVE(arena, uint64_t, config->roster->count + 2u);
    pool->inbox_count = config->roster->count * config->queued_per_maker;
    pool->inboxes = SY_CARVE(arena, struct inbox, pool->inbox_count);
    pool->lanes = SY_CARVE(arena, struct lane, config->lanes);
    if (!pool->makers || !pool->shares || !pool->served || !pool->inboxes || !pool->lanes)
        return false;
    for (uint32_t i = 0; i < pool->inbox_count; i++) {
        pool->inboxes[i].bytes = SY_CARVE(arena, uint8_t, SY_BATCH_BYTES_MAX);
        if (pool->inboxes[i].bytes == NULL) return false;
    }
    for (uint32_t i = 0; i < config->lanes; i++) {
        if (!carve_lane(&pool->lanes[i], arena)) return false;
    }
    for (unsigned i = 0; i < BUILDERS; i++) {
        if (!carve_builder(&pool->builders[i], arena)) return false;
    }
    return true;
}

sy_status sy_pool_init(sy_pool **out, sy_arena *arena, const struct sy_pool_config *config)
{
    SY_ASSERT(config->lanes >= 2 && config->lanes <= 64);
    SY_ASSERT(config->queued_per_maker >= 1);
    SY_ASSERT(config->batch_txs_max >= 1 && config->batch_txs_max <= SY_BATCH_TXS_MAX);
    sy_pool *pool = SY_CARVE(arena, sy_pool, 1);
    if (pool == NULL) return SY_ERR_NO_MEMORY;
    pool->config = *config;
    if (!carve(pool, arena)) return SY_ERR_NO_MEMORY;
    SY_TRY(sy_table_init(&pool->bodies, arena, body_capacity(config), sizeof(struct body),
                         config->seed));
    SY_TRY(sy_table_init(&pool->pending, arena, pending_capacity(config), 8, config->seed));
    for (uint16_t i = 0; i < config->roster->count; i++) pool->makers[i].next = 1;
    pool->next_seq = 1;
    sy_pace_init(&pool->pace, config->pace_ns, config->pending_txs_max);
    *out = pool;
    return SY_OK;
}

#define FLYING_BATCHES 2u
#define PATIENCE 16u

/* ---- what the files share ---------------------------------------------------------------- */

void sy_pool_inbox_free(sy_pool *pool, struct inbox *inbox)
{
    SY_ASSERT(inbox->used && pool->shares[inbox->sender] > 0);
    inbox->used = false;
    pool->shares[inbox->sender]--;
}

struct lane *sy_pool_lane_take(sy_pool *pool)
{
    for (uint32_t i = 0; i < pool->config.lanes; i++) {
        struct lane *lane = &pool->lanes[i];
        if (lane->use != LANE_FREE) continue;
        lane->tx_count = lane->leaf_count = lane->job_count = 0;
        lane->bytes_used = lane->request_count = 0;
        lane->inbox = NULL;
        return lane;
    }
    return NULL;
}

bool sy_pool_lane_add(sy_pool *pool, struct lane *lane, const struct sy_tx *tx,
                      struct sy_slice bytes)
{
    struct sy_tx_proof proofs[SY_TX_PAYLOAD_SIGS_MAX];
    unsigned proof_count =
        sy_tx_proofs(proofs, SY_TX_PAYLOAD_SIGS_MAX, tx, &pool->config.genesis->hash);
    unsigned signers = sy_tx_signer_count(tx);
    SY_ASSERT(proof_count <= SY_TX_PAYLOAD_SIGS_MAX);
    if (lane->tx_count == LANE_TXS_MAX) return false;
    if (lane->job_count + signers + proof_count > LANE_JOBS_MAX) return false;

    struct lane_tx *slot = &lane->txs[lane->tx_count++];
    *slot = (struct lane_tx){.bytes = bytes,
                             .first_job = lane->job_count,
                             .job_count = signers + proof_count,
                             .leaf = lane->leaf_count};
    lane->leaves[lane->leaf_count++] = tx->body;
    lane->leaves[lane->leaf_count++] = tx->signatures;
    for (unsigned i = 0; i < signers; i++) {
        struct sy_sig_job *job = &lane->jobs[lane->job_count++];
        *job = (struct sy_sig_job){
            .key = *sy_tx_signer_key(tx, i), .leaf = slot->leaf, .kind = SY_SIG_TX};
        memcpy(job->signature.bytes, tx->signatures.data + 64 * i, 64);
    }
    for (unsigned i = 0; i < proof_count; i++) {
        lane->jobs[lane->job_count++] = (struct sy_sig_job){.key = proofs[i].key,
                                                            .signature = proofs[i].signature,
                                                            .digest = proofs[i].digest,
                                                            .leaf = SY_JOB_NO_LEAF,
                                                            .kind = proofs[i].sig_kind};
    }
    return true;
}

void sy_pool_lane_send(struct lane *lane, struct sy_pool_effects *effects)
{
    lane->submission = (struct sy_submission){.leaves = lane->leaves,
                                              .leaf_count = lane->leaf_count,
                                              .leaf_hashes = lane->hashes,
                                              .jobs = lane->jobs,
                                              .job_count = lane->job_count,
                                              .verdicts = lane->verdicts,
                                              .confirm_negatives = lane->use == LANE_PEER,
                                              .owner = lane};
    sy_pool_emit(effects, SY_POOL_CHECK)->submission = &lane->submission;
}

bool sy_pool_tx_good(const struct lane *lane, const struct lane_tx *tx)
{
    for (uint32_t i = 0; i < tx->job_count; i++) {
        if (!lane->verdicts[tx->first_job + i]) return false;
    }
    return true;
}

void sy_pool_on_checked(sy_pool *pool, struct sy_pool_effects *effects,
                        struct sy_submission *submission, uint64_t now_ns)
{
    struct lane *lane = (struct lane *)submission->owner;
    SY_ASSERT(lane >= pool->lanes && lane < pool->lanes + pool->config.lanes);
    pool->signatures += lane->job_count;
    if (lane->use == LANE_PEER) {
        SY_ASSERT(pool->peers_flying > 0);
        pool->peers_flying--;
        SY_ASSERT(pool->peers_jobs >= lane->job_count);
        pool->peers_jobs -= lane->job_count;
        sy_pool_admit_checked(pool, effects, lane);
    } else {
        SY_ASSERT(lane->use == LANE_INGRESS && pool->ingress_flying > 0);
        pool->ingress_flying--;
        SY_ASSERT(pool->checking_txs >= lane->tx_count);
        pool->checking_txs -= lane->tx_count;
        sy_pool_ingress_checked(pool, effects, lane, now_ns);
    }
    lane->use = LANE_FREE;
    sy_pool_ingress_send(pool, effects);
    sy_pool_check_next(pool, effects);
}

/* ---- time ---------------------------------------------------------------------------------- */

static uint64_t respread_due_ns(const sy_pool *pool, const struct own *own)
{
    uint32_t shift = own->spreads > 0 ? own->spreads - 1 : 0;
    if (shift > OWN_RESPREAD_SHIFT_MAX) shift = OWN_RESPREAD_SHIFT_MAX;
    return own->spread_ns + (pool->config.respread_ns << shift);
}

static void respread(sy_pool *pool, struct sy_pool_effects *effects, uint64_t now_ns)
{
    unsigned sent = 0;
    for (unsigned i = 0; i < SY_BATCH_WINDOW && sent < 4; i++) {
        struct own *own = &pool->own[i];
        if (!own->used || !own->stored) continue;
        if (now_ns < respread_due_ns(pool, own)) continue;
        sent++;
        own->spreads++;
        own->spread_ns = now_ns;
        sy_pool_emit(effects, SY_POOL_SPREAD)->digest = own->digest;
    }
}

/* A lonely batch goes after the timeout. While own batches wait to be executed, a new one gains
 * little by leaving at once and costs every validator a signature: it collects more, up to
 * PATIENCE timeouts, so batches grow with the load by themselves. */
static uint64_t seal_due_ns(const sy_pool *pool)
{
    unsigned waiting = 0;
    for (unsigned i = 0; i < SY_BATCH_WINDOW; i++) waiting += pool->own[i].used;
    uint64_t timeouts = waiting >= FLYING_BATCHES ? PATIENCE : 1;
    return pool->open->opened_ns + timeouts * pool->config.batch_timeout_ns;
}

uint64_t sy_pool_wake_ns(const sy_pool *pool)
{
    uint64_t wake = UINT64_MAX;
    if (pool->open != NULL) wake = seal_due_ns(pool);
    for (unsigned i = 0; i < SY_BATCH_WINDOW; i++) {
        const struct own *own = &pool->own[i];
        if (!own->used || !own->stored) continue;
        uint64_t due = respread_due_ns(pool, own);
        if (due < wake) wake = due;
    }
    return wake;
}

void sy_pool_on_tick(sy_pool *pool, struct sy_pool_effects *effects, uint64_t now_ns)
{
    respread(pool, effects, now_ns);
    if (pool->open != NULL && now_ns >= seal_due_ns(pool)) {
        sy_pool_seal(pool, effects, now_ns);
    }
    sy_pool_check_next(pool, effects);
}

void sy_pool_drain(sy_pool *pool, struct sy_pool_effects *effects, uint64_t now_ns)
{
    pool->draining = true;
    if (pool->open != NULL) sy_pool_seal(pool, effects, now_ns);
}

void sy_pool_get_info(const sy_pool *pool, struct sy_pool_info *out)
{
    *out = (struct sy_pool_info){.pending_txs = pool->pending_txs,
                                 .pace_txs = pool->pace.limit,
                                 .next_seq = pool->next_seq,
                                 .condemned = pool->condemned_count,
                                 .signatures = pool->signatures};
    for (unsigned i = 0; i < SY_BATCH_WINDOW; i++) out->own_batches += pool->own[i].used;
    for (uint32_t i = 0; i < pool->inbox_count; i++) out->queued_batches += pool->inboxes[i].used;
    size_t cursor = 0;
    const struct sy_hash *key;
    void *value;
    while (sy_table_next(&pool->bodies, &cursor, &key, &value)) {
        const struct body *body = (const struct body *)value;
        out->peer_batches += body->maker != pool->config.self && body->state == BODY_STORED;
    }
}
