/* bodies.c: the life of a body, from the moment its digest is known until nobody needs the bytes.
 *
 *   QUEUED -> CHECKING -> STORING -> STORED -> it ran, or went stale and is dropped
 *                 |
 *                 +-> CONDEMNED (its maker signed a bad transaction), or forgotten
 *
 * Own batches and those found at a start begin at STORING and STORED. */
#include "consensus/pool/pool_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"

/* Bodies told or dropped by one sweep at most; the rest waits for the next certificate. */
#define SWEEP_MAX 64u

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
    sy_pool_hasten(pool, digest);
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

static void forget_own(sy_pool *pool, uint64_t seq, const struct sy_hash *ids, uint32_t id_count,
                       uint64_t now_ns)
{
    for (uint32_t i = 0; i < id_count; i++) (void)sy_table_remove(&pool->pending, &ids[i]);
    struct own *own = &pool->own[seq % SY_BATCH_WINDOW];
    if (!own->used || own->seq != seq) return;
    SY_ASSERT(pool->pending_txs >= own->txs);
    if (own->since_ns != 0) {
        sy_pace_note(&pool->pace, own->txs, pool->pending_txs + pool->checking_txs, own->since_ns,
                     now_ns);
    }
    pool->pending_txs -= own->txs;
    own->used = false;
}

void sy_pool_on_ran(sy_pool *pool, uint16_t maker, uint64_t seq, const struct sy_hash *digest,
                    const struct sy_hash *ids, uint32_t id_count, uint64_t now_ns)
{
    SY_ASSERT(maker < pool->config.roster->count);
    struct maker *of = &pool->makers[maker];
    if (seq >= of->next) of->next = seq + 1;
    // It may have been wanted when it was on its way already. A copy that comes late would be
    // stored again, and stay when this block is pruned.
    (void)sy_pool_unwant(pool, digest);
    struct body *body = (struct body *)sy_table_find(&pool->bodies, digest);
    if (body != NULL && body->state == BODY_STORED) {
        sy_pool_body_forget(pool, digest);
    } else if (body != NULL) {
        body->ran = true; /* still on its way here: catch-up was faster */
    }
    memset(&of->admitted[seq % SY_BATCH_WINDOW], 0, sizeof of->admitted[0]);
    if (maker == pool->config.self) {
        forget_own(pool, seq, ids, id_count, now_ns);
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
        struct sy_pool_effect *effect = sy_pool_emit(effects, SY_POOL_DROP);
        effect->digest = drops[i];
        effect->old = body->old;
        sy_pool_body_forget(pool, &drops[i]);
    }
}
