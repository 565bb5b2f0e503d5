/* admit.c: peers' batches, from the frame to the store. */
#include "consensus/pool/pool_internal.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/crypto/merkle.h"

/* Peers' signatures at the engine, above which no further batch of theirs goes there. */
#define FLYING_JOBS_MAX SY_BATCH_TXS_MAX

/* Whether the pool would have no use for a body, were it good and not wanted. */
static bool has_no_place(const struct maker *of, uint64_t seq)
{
    if (!sy_pool_in_window(of, seq)) return true;
    return !sy_hash_is_zero(&of->admitted[seq % SY_BATCH_WINDOW]); /* taken by another digest */
}

/* Every reason why a frame is of no use: a predicate first, so that what follows may assert. */
static bool ignore_batch(const sy_pool *pool, const struct sy_batch *batch, int maker,
                         const struct sy_hash *digest, uint16_t sender)
{
    if (maker < 0 || maker == pool->config.self) return true;
    if (sy_table_find(&pool->bodies, digest) != NULL) return true; /* known, or condemned */
    const struct maker *of = &pool->makers[maker];
    if (sy_pool_wanted(pool, digest)) return of->bodies >= BODIES_WANTED_MAX;
    if (of->bodies >= BODIES_MAX || has_no_place(of, batch->header.seq)) return true;
    return pool->shares[sender] >= pool->config.queued_per_maker;
}

/* Each sender's checks are one flow, and those that the consensus machine waits for are another. */
static uint16_t flow_of_wanted(const sy_pool *pool)
{
    return (uint16_t)(pool->config.roster->count + 1u);
}

static bool has_queued(const sy_pool *pool, uint16_t flow)
{
    for (uint32_t i = 0; i < pool->inbox_count; i++) {
        const struct inbox *inbox = &pool->inboxes[i];
        if (inbox->used && !inbox->checked && inbox->flow == flow) return true;
    }
    return false;
}

static void enter_flow(sy_pool *pool, struct inbox *inbox, uint16_t flow)
{
    if (pool->served[flow] < pool->served_least && !has_queued(pool, flow)) {
        pool->served[flow] = pool->served_least;
    }
    inbox->flow = flow;
}

static struct inbox *queued_inbox(sy_pool *pool, const struct sy_hash *digest)
{
    for (uint32_t i = 0; i < pool->inbox_count; i++) {
        struct inbox *inbox = &pool->inboxes[i];
        if (inbox->used && !inbox->checked && sy_hash_equal(&inbox->digest, digest)) return inbox;
    }
    return NULL;
}

void sy_pool_hasten(sy_pool *pool, const struct sy_hash *digest)
{
    struct inbox *inbox = queued_inbox(pool, digest);
    if (inbox != NULL) enter_flow(pool, inbox, flow_of_wanted(pool));
}

static void fill(struct inbox *inbox, struct sy_slice bytes)
{
    memcpy(inbox->bytes, bytes.data, bytes.size);
    inbox->size = (uint32_t)bytes.size;
    bool same = sy_batch_decode(&inbox->batch, sy_slice_of(inbox->bytes, bytes.size));
    SY_ASSERT(same);
}

/* A batch that another peer was quicker to pass on comes from its maker, too. It must not wait
 * behind all that the other one sends, nor for bytes that are not the maker's. */
static void take_over(sy_pool *pool, const struct sy_hash *digest, uint16_t sender,
                      struct sy_slice bytes)
{
    struct inbox *inbox = queued_inbox(pool, digest);
    if (inbox == NULL || inbox->maker != sender || inbox->sender == sender) return;
    if (pool->shares[sender] >= pool->config.queued_per_maker) return;
    bool wanted = inbox->flow == flow_of_wanted(pool);
    pool->shares[inbox->sender]--;
    pool->shares[sender]++;
    inbox->sender = sender;
    if (!wanted) enter_flow(pool, inbox, sender);
    fill(inbox, bytes);
}

static struct inbox *free_inbox(sy_pool *pool)
{
    for (uint32_t i = 0; i < pool->inbox_count; i++) {
        if (!pool->inboxes[i].used) return &pool->inboxes[i];
    }
    return NULL;
}

void sy_pool_on_batch(sy_pool *pool, struct sy_pool_effects *effects, uint16_t from,
                      struct sy_slice bytes)
{
    uint16_t count = pool->config.roster->count;
    uint16_t sender = from < count ? from : count;
    struct sy_batch batch;
    if (bytes.size > SY_BATCH_BYTES_MAX || !sy_batch_decode(&batch, bytes)) {
        sy_metric_add(SY_M_pool_batches_refused_total, 1);
        return;
    }
    struct sy_hash digest;
    sy_batch_digest(&digest, &pool->config.genesis->hash, batch.header_bytes);
    int maker = sy_roster_find(pool->config.roster, &batch.header.maker);
    if (maker >= 0 && maker == sender) take_over(pool, &digest, sender, bytes);
    if (ignore_batch(pool, &batch, maker, &digest, sender)) return;
    struct inbox *inbox = free_inbox(pool);
    if (inbox == NULL) return; /* no room: it will be spread or fetched again */

    fill(inbox, bytes);
    enter_flow(pool, inbox, sy_pool_wanted(pool, &digest) ? flow_of_wanted(pool) : sender);
    inbox->used = true;
    inbox->checked = false;
    inbox->maker = (uint16_t)maker;
    inbox->sender = sender;
    inbox->digest = digest;
    inbox->order = pool->arrivals++;
    pool->shares[sender]++;
    struct body *body = sy_pool_body_add(pool, &digest, inbox->maker, BODY_QUEUED);
    body->seq = batch.header.seq;
    body->txs = batch.header.count;
    body->bytes = inbox->size;
    sy_pool_check_next(pool, effects);
}

/* Whose turn it is. Each sender has been given so many signatures' worth of checks (served);
 * whoever was given least comes next, with what it sent first. Who had nothing to check in the
 * meantime does not save that up (P. Goyal, H. Vin, H. Cheng, Start-time fair queueing, 1996). So
 * whoever sends large batches, or many, takes nothing from the others' equal parts. What the
 * consensus machine waits for has a part of its own: no more, for a faulty primary says what. */
static struct inbox *next_inbox(sy_pool *pool)
{
    struct inbox *next = NULL;
    for (uint32_t i = 0; i < pool->inbox_count; i++) {
        struct inbox *inbox = &pool->inboxes[i];
        if (!inbox->used || inbox->checked) continue;
        uint64_t served = pool->served[inbox->flow];
        uint64_t least = next != NULL ? pool->served[next->flow] : UINT64_MAX;
        bool later =
            next != NULL && (served > least || (served == least && inbox->order > next->order));
        if (!later) next = inbox;
    }
    return next;
}

static void condemn(sy_pool *pool, struct sy_pool_effects *effects, const struct inbox *inbox)
{
    struct sy_hash *place = &pool->condemned[pool->condemned_at++ % WANTS_MAX];
    if (!sy_hash_is_zero(place)) sy_pool_body_forget(pool, place);
    *place = inbox->digest;
    struct body *body = sy_pool_body_add(pool, &inbox->digest, inbox->maker, BODY_CONDEMNED);
    body->seq = inbox->batch.header.seq;
    sy_pool_refused(effects, &inbox->digest, body);
    pool->condemned_count++;
    SY_LOG(SY_LOG_WARN, "pool", "batch_condemned", SY_F_U64("maker", inbox->maker),
           SY_F_U64("seq", inbox->batch.header.seq), SY_F_HEX("digest", inbox->digest.bytes, 32));
}

/* Forgets a body that cannot be admitted. What is blamed on its maker is condemned besides. */
static void refuse(sy_pool *pool, struct sy_pool_effects *effects, struct inbox *inbox, bool blame)
{
    sy_pool_body_forget(pool, &inbox->digest);
    if (blame) condemn(pool, effects, inbox);
    sy_metric_add(SY_M_pool_batches_refused_total, 1);
    sy_pool_inbox_free(pool, inbox);
}

/* Loads a lane with everything that admission looks at. False: a transaction does not even decode,
 * so these bytes cannot be what an honest maker's roots speak of. */
static bool load(sy_pool *pool, struct lane *lane, struct inbox *inbox)
{
    lane->jobs[lane->job_count++] = (struct sy_sig_job){.key = inbox->batch.header.maker,
                                                        .signature = inbox->batch.signature,
                                                        .digest = inbox->digest,
                                                        .leaf = SY_JOB_NO_LEAF,
                                                        .kind = SY_SIG_BATCH};
    size_t offset = 0;
    struct sy_slice bytes;
    while (sy_batch_next(&inbox->batch, &offset, &bytes)) {
        struct sy_tx tx;
        const char *what;
        if (sy_tx_decode(&tx, &what, bytes, sy_network_tag(pool->config.genesis)) != SY_APPLIED) {
            return false;
        }
        if (!sy_pool_lane_add(pool, lane, &tx, bytes)) return false;
    }
    return lane->tx_count == inbox->batch.header.count;
}

void sy_pool_check_next(sy_pool *pool, struct sy_pool_effects *effects)
{
    /* One lane is always left to clients. What flies cannot be overtaken, so there is no more of it
     * than keeps the engine busy. */
    while (pool->peers_flying + 1 < pool->config.lanes && pool->peers_jobs < FLYING_JOBS_MAX) {
        struct inbox *inbox = next_inbox(pool);
        struct lane *lane = inbox == NULL ? NULL : sy_pool_lane_take(pool);
        if (lane == NULL) return;
        pool->served_least = pool->served[inbox->flow];
        bool loaded = load(pool, lane, inbox);
        pool->served[inbox->flow] += lane->job_count;
        if (!loaded) {
            refuse(pool, effects, inbox, false);
            continue; /* the lane is still free */
        }
        inbox->checked = true;
        struct body *body = (struct body *)sy_table_find(&pool->bodies, &inbox->digest);
        SY_ASSERT(body != NULL);
        body->state = BODY_CHECKING;
        lane->use = LANE_PEER;
        lane->inbox = inbox;
        pool->peers_flying++;
        pool->peers_jobs += lane->job_count;
        sy_pool_lane_send(lane, effects);
    }
}

/* The roots that the header signs, against those of the bytes. Leaves alternate: body, signatures;
 * the tree code wants them apart. The lane's slices are free by now and serve as room. */
static bool roots_match(struct lane *lane)
{
    const struct sy_batch_header *header = &lane->inbox->batch.header;
    struct sy_hash *apart = (struct sy_hash *)(void *)lane->leaves;
    struct sy_hash root;
    _Static_assert(2 * sizeof(struct sy_slice) >= sizeof(struct sy_hash), "room for one tree");
    for (uint32_t i = 0; i < lane->tx_count; i++) apart[i] = lane->hashes[2 * i];
    sy_merkle_root(&root, apart, apart, lane->tx_count);
    if (!sy_hash_equal(&root, &header->id_root)) return false;
    for (uint32_t i = 0; i < lane->tx_count; i++) apart[i] = lane->hashes[2 * i + 1];
    sy_merkle_root(&root, apart, apart, lane->tx_count);
    return sy_hash_equal(&root, &header->signature_root);
}

void sy_pool_admit_checked(sy_pool *pool, struct sy_pool_effects *effects, struct lane *lane)
{
    struct inbox *inbox = lane->inbox;
    /* A relay may have changed bytes that the maker never signed: then nobody is blamed, and the
     * true bytes are welcome under the same digest. */
    struct body *body = (struct body *)sy_table_find(&pool->bodies, &inbox->digest);
    SY_ASSERT(body != NULL && body->state == BODY_CHECKING);
    if (body->ran || !lane->verdicts[0] || !roots_match(lane)) {
        refuse(pool, effects, inbox, false);
        return;
    }
    for (uint32_t i = 0; i < lane->tx_count; i++) {
        if (sy_pool_tx_good(lane, &lane->txs[i])) continue;
        refuse(pool, effects, inbox, true);
        return;
    }
    struct maker *of = &pool->makers[inbox->maker];
    if (!sy_pool_unwant(pool, &inbox->digest) && has_no_place(of, body->seq)) {
        refuse(pool, effects, inbox, false); /* another digest came first, or its time is over */
        return;
    }
    body->state = BODY_STORING;
    body->old = body->seq < of->next; /* wanted although its seq is over: it may have run */
    sy_pool_place(of, body->seq, &inbox->digest);
    sy_metric_add(SY_M_pool_batches_admitted_total, 1);
    struct sy_pool_effect *effect = sy_pool_emit(effects, SY_POOL_STORE);
    effect->digest = inbox->digest;
    effect->body = sy_slice_of(inbox->bytes, inbox->size);
}
