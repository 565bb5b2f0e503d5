#include "consensus/pool/pool.h"

#include "consensus/pool/pool_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"

/* Bodies told or dropped by one sweep at most; the rest waits for the next certificate. */
#define SWEEP_MAX 64u

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
           config->roster->count * (sizeof(struct maker) + sizeof(uint32_t)) +
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
    pool->inbox_count = config->roster->count * config->queued_per_maker;
    pool->inboxes = SY_CARVE(arena, struct inbox, pool->inbox_count);
    pool->lanes = SY_CARVE(arena, struct lane, config->lanes);
    if (!pool->makers || !pool->shares || !pool->inboxes || !pool->lanes) return false;
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
    *out = pool;
    return SY_OK;
}

#define FLYING_BATCHES 2u
#define PATIENCE 16u

/* ---- what the files share ---------------------------------------------------------------- */

struct body *sy_pool_body_add(sy_pool *pool, const struct sy_hash *digest, uint16_t maker,
                              enum body_state state)
{
    bool is_new = false;
    struct body *body = (struct body *)sy_table_put(&pool->bodies, digest, &is_new);
    SY_ASSERT(body != NULL && is_new);
    *body = (struct body){.state = state, .maker = maker};
    if (state != BODY_CONDEMNED) pool->makers[maker].bodies++;
    return body;
}

void sy_pool_body_forget(sy_pool *pool, const struct sy_hash *digest)
{
    const struct body *body = (const struct body *)sy_table_find(&pool->bodies, digest);
    SY_ASSERT(body != NULL);
    if (body->state != BODY_CONDEMNED) {
        SY_ASSERT(pool->makers[body->maker].bodies > 0);
        pool->makers[body->maker].bodies--;
    }
    (void)sy_table_remove(&pool->bodies, digest);
}

bool sy_pool_in_window(const struct maker *maker, uint64_t seq)
{
    return seq >= maker->next && seq - maker->next < SY_BATCH_WINDOW;
}

void sy_pool_place(struct maker *maker, uint64_t seq, const struct sy_hash *digest)
{
    struct sy_hash *place = &maker->admitted[seq % SY_BATCH_WINDOW];
    if (sy_pool_in_window(maker, seq) && sy_hash_is_zero(place)) *place = *digest;
}

bool sy_pool_wanted(const sy_pool *pool, const struct sy_hash *digest)
{
    for (unsigned i = 0; i < WANTS_MAX; i++) {
        if (sy_hash_equal(&pool->wants[i], digest)) return true;
    }
    return false;
}

bool sy_pool_unwant(sy_pool *pool, const struct sy_hash *digest)
{
    for (unsigned i = 0; i < WANTS_MAX; i++) {
        if (!sy_hash_equal(&pool->wants[i], digest)) continue;
        memset(&pool->wants[i], 0, sizeof pool->wants[i]);
        return true;
    }
    return false;
}

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

void sy_pool_ready(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest)
{
    const struct body *body = (const struct body *)sy_table_find(&pool->bodies, digest);
    SY_ASSERT(body != NULL && body->state == BODY_STORED);
    struct sy_pool_effect *effect = sy_pool_emit(effects, SY_POOL_READY);
    effect->digest = *digest;
    effect->maker = body->maker;
    effect->seq = body->seq;
    effect->txs = body->txs;
    effect->bytes = body->bytes;
}

/* ---- life of a body ---------------------------------------------------------------------- */

void sy_pool_set_next(sy_pool *pool, uint16_t maker, uint64_t next)
{
    SY_ASSERT(maker < pool->config.roster->count);
    pool->makers[maker].next = next;
    if (maker == pool->config.self && pool->next_seq < next) pool->next_seq = next;
}

void sy_pool_restore(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest,
                     struct sy_slice head)
{
    struct sy_reader reader = sy_reader_of(head);
    struct sy_batch_header header;
    if (!sy_batch_header_decode(&reader, &header)) return;
    int maker = sy_roster_find(pool->config.roster, &header.maker);
    if (maker < 0) return;
    struct maker *of = &pool->makers[maker];
    if (header.seq < of->next || of->bodies >= BODIES_WANTED_MAX) return; /* ran, or never will */
    if (sy_table_find(&pool->bodies, digest) != NULL) return;
    struct body *body = sy_pool_body_add(pool, digest, (uint16_t)maker, BODY_STORED);
    body->seq = header.seq;
    body->txs = header.count;
    body->bytes = BATCH_OVERHEAD_BYTES + header.bytes;
    body->far = !sy_pool_in_window(of, header.seq);
    sy_pool_place(of, header.seq, digest);
    if (maker == pool->config.self) {
        struct own *own = &pool->own[header.seq % SY_BATCH_WINDOW];
        *own = (struct own){.used = true,
                            .stored = true,
                            .seq = header.seq,
                            .txs = header.count,
                            .digest = *digest};
        pool->pending_txs += header.count;
        if (pool->next_seq <= header.seq) pool->next_seq = header.seq + 1;
    }
    sy_pool_ready(pool, effects, digest);
}

void sy_pool_want(sy_pool *pool, const struct sy_hash *digest)
{
    if (sy_pool_wanted(pool, digest)) return;
    pool->wants[pool->want_at++ % WANTS_MAX] = *digest;
}

bool sy_pool_coming(const sy_pool *pool, const struct sy_hash *digest)
{
    const struct body *body = (const struct body *)sy_table_find(&pool->bodies, digest);
    if (body == NULL) return false;
    return body->state != BODY_STORED && body->state != BODY_CONDEMNED;
}

bool sy_pool_offer(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest)
{
    struct body *body = (struct body *)sy_table_find(&pool->bodies, digest);
    if (body == NULL) return false;
    if (body->state == BODY_STORED) {
        /* It is needed again, for a slot at most a window above what is certified: it stays until
         * that slot is. */
        body->stale_height = pool->certified;
        sy_pool_ready(pool, effects, digest);
    }
    if (body->state == BODY_CONDEMNED) sy_pool_refused(effects, digest, body);
    return body->state == BODY_STORED || body->state == BODY_CONDEMNED;
}

void sy_pool_refused(struct sy_pool_effects *effects, const struct sy_hash *digest,
                     const struct body *body)
{
    struct sy_pool_effect *effect = sy_pool_emit(effects, SY_POOL_REFUSED);
    effect->digest = *digest;
    effect->maker = body->maker;
    effect->seq = body->seq;
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
        sy_pool_admit_checked(pool, effects, lane);
    } else {
        SY_ASSERT(lane->use == LANE_INGRESS && pool->ingress_flying > 0);
        pool->ingress_flying--;
        sy_pool_ingress_checked(pool, effects, lane, now_ns);
    }
    lane->use = LANE_FREE;
    sy_pool_ingress_send(pool, effects);
    sy_pool_check_next(pool, effects);
}

void sy_pool_on_stored(sy_pool *pool, struct sy_pool_effects *effects, const struct sy_hash *digest,
                       uint64_t now_ns)
{
    for (unsigned i = 0; i < BUILDERS; i++) {
        struct builder *builder = &pool->builders[i];
        if (builder->state == BUILDER_STORING && sy_hash_equal(&builder->digest, digest)) {
            builder->state = BUILDER_FREE;
        }
    }
    for (uint32_t i = 0; i < pool->inbox_count; i++) {
        struct inbox *inbox = &pool->inboxes[i];
        if (inbox->used && sy_hash_equal(&inbox->digest, digest)) sy_pool_inbox_free(pool, inbox);
    }
    struct body *body = (struct body *)sy_table_find(&pool->bodies, digest);
    if (body == NULL || body->state != BODY_STORING) return;
    body->state = BODY_STORED;
    if (body->ran) {
        sy_pool_body_forget(pool, digest);
        return;
    }
    const struct maker *of = &pool->makers[body->maker];
    body->far = body->seq >= of->next && !sy_pool_in_window(of, body->seq);
    if (body->maker == pool->config.self) {
        struct own *own = &pool->own[body->seq % SY_BATCH_WINDOW];
        if (own->used && sy_hash_equal(&own->digest, digest)) {
            own->stored = true;
            own->spread_ns = now_ns;
            own->spreads = 1;
            sy_pool_emit(effects, SY_POOL_SPREAD)->digest = *digest;
        }
    }
    sy_pool_ready(pool, effects, digest);
}

static void forget_own(sy_pool *pool, uint64_t seq, const struct sy_hash *ids, uint32_t id_count)
{
    for (uint32_t i = 0; i < id_count; i++) (void)sy_table_remove(&pool->pending, &ids[i]);
    struct own *own = &pool->own[seq % SY_BATCH_WINDOW];
    if (!own->used || own->seq != seq) return;
    SY_ASSERT(pool->pending_txs >= own->txs);
    pool->pending_txs -= own->txs;
    own->used = false;
}

void sy_pool_on_ran(sy_pool *pool, uint16_t maker, uint64_t seq, const struct sy_hash *digest,
                    const struct sy_hash *ids, uint32_t id_count)
{
    SY_ASSERT(maker < pool->config.roster->count);
    struct maker *of = &pool->makers[maker];
    if (seq >= of->next) of->next = seq + 1;
    struct body *body = (struct body *)sy_table_find(&pool->bodies, digest);
    if (body != NULL && body->state == BODY_STORED) {
        sy_pool_body_forget(pool, digest);
    } else if (body != NULL) {
        body->ran = true; /* still on its way here: catch-up was faster */
    }
    memset(&of->admitted[seq % SY_BATCH_WINDOW], 0, sizeof of->admitted[0]);
    if (maker == pool->config.self) {
        forget_own(pool, seq, ids, id_count);
        if (pool->next_seq <= seq) pool->next_seq = seq + 1;
    }
}

/* A body outside its maker's window has no use of its own: its seq went to another digest, or is
 * far ahead and was only wanted. Every slot it was voted for lies at most a window above the height
 * at which that was noticed; once that is certified, nobody can need the bytes from here. */
static void judge_age(const sy_pool *pool, struct body *body)
{
    bool useful = sy_pool_in_window(&pool->makers[body->maker], body->seq);
    if (useful) {
        body->stale = false;
    } else if (!body->stale) {
        body->stale = true;
        body->stale_height = pool->certified;
    }
}

void sy_pool_on_certified(sy_pool *pool, struct sy_pool_effects *effects, uint64_t height)
{
    struct sy_hash drops[SWEEP_MAX];
    uint32_t drop_count = 0;
    uint32_t ready_count = 0;
    size_t cursor = 0;
    const struct sy_hash *key;
    void *value;
    pool->certified = height;
    while (sy_table_next(&pool->bodies, &cursor, &key, &value)) {
        struct body *body = (struct body *)value;
        if (body->state != BODY_STORED) continue;
        judge_age(pool, body);
        if (body->far && !body->stale && ready_count < SWEEP_MAX) {
            body->far = false;
            sy_pool_place(&pool->makers[body->maker], body->seq, key);
            sy_pool_ready(pool, effects, key);
            ready_count++;
        }
        bool over = body->stale && height >= body->stale_height + SY_PBFT_WINDOW;
        if (over && drop_count < SWEEP_MAX) drops[drop_count++] = *key;
    }
    for (uint32_t i = 0; i < drop_count; i++) {
        const struct body *body = (const struct body *)sy_table_find(&pool->bodies, &drops[i]);
        if (!body->keep) sy_pool_emit(effects, SY_POOL_DROP)->digest = drops[i];
        sy_pool_body_forget(pool, &drops[i]);
    }
}

static uint64_t respread_due_ns(const sy_pool *pool, const struct own *own)
{
    uint32_t shift = own->spreads > 0 ? own->spreads - 1 : 0;
    if (shift > OWN_RESPREAD_SHIFT_MAX) shift = OWN_RESPREAD_SHIFT_MAX;
    return own->spread_ns + (pool->config.respread_ns << shift);
}

/* Links lose little, so a batch that is not executed yet is rarely lost: the pause doubles, and an
 * overloaded network is not loaded further by its own impatience. */
static uint64_t respread_due_ns(const sy_pool *pool, const struct own *own)
{
    unsigned doublings = own->spreads < 4 ? own->spreads : 4;
    return own->spread_ns + (pool->config.respread_ns << doublings);
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
