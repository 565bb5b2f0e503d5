/* pbft_world.c: the event queue, the network, and the course of a world. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "tests/scenario/pbft_world_internal.h"

void world_rules_default(struct world_rules *rules, uint16_t n)
{
    *rules = (struct world_rules){.n = n,
                                  .loss_percent = 5,
                                  .duplicate_percent = 3,
                                  .delay_max_ns = 20 * MS,
                                  .restarts = 2,
                                  .primary_restarts = true,
                                  .batches = 20,
                                  .faults_until_ns = 2500 * MS,
                                  .end_ns = 20000 * MS,
                                  .clock_spread_ms = 200,
                                  .lagging = n};
}

void world_sign(struct sy_signature *out, enum sy_sig_kind kind, const struct sy_hash *digest,
                uint16_t signer)
{
    memset(out, 0xab, sizeof *out);
    memcpy(out->bytes, digest->bytes, 32);
    out->bytes[32] = (uint8_t)kind;
    sy_store_u16(out->bytes + 33, signer);
}

bool world_chance(struct world *world, unsigned percent)
{
    return percent > 0 && sy_prng_chance(&world->prng, percent, 100);
}

bool world_faults_last(const struct world *world)
{
    return world->now_ns < world->rules.faults_until_ns;
}

/* --- the queue ------------------------------------------------------------------------------- */

static bool before(const struct occurrence *a, const struct occurrence *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void push(struct world *world, struct occurrence *item)
{
    if (world->heap_count == world->heap_room) {
        world->heap_room = world->heap_room ? 2 * world->heap_room : 256;
        world->heap =
            (struct occurrence **)realloc(world->heap, world->heap_room * sizeof world->heap[0]);
        SY_ASSERT(world->heap);
    }
    size_t i = world->heap_count++;
    for (; i > 0 && before(item, world->heap[(i - 1) / 2]); i = (i - 1) / 2)
        world->heap[i] = world->heap[(i - 1) / 2];
    world->heap[i] = item;
}

struct occurrence *world_pop(struct world *world)
{
    if (world->heap_count == 0) return NULL;
    struct occurrence *top = world->heap[0], *last = world->heap[--world->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= world->heap_count) break;
        if (child + 1 < world->heap_count && before(world->heap[child + 1], world->heap[child]))
            child++;
        if (!before(world->heap[child], last)) break;
        world->heap[i] = world->heap[child];
        i = child;
    }
    world->heap[i] = last;
    return top;
}

static struct occurrence *make(struct world *world, uint64_t delay_ns, enum happening what,
                               uint16_t node)
{
    struct occurrence *item = (struct occurrence *)calloc(1, sizeof *item);
    SY_ASSERT(item && node < world->rules.n);
    item->at_ns = world->now_ns + delay_ns;
    item->order = world->order++;
    item->what = what;
    item->node = node;
    item->life = world->nodes[node].life;
    return item;
}

void world_schedule(struct world *world, uint64_t delay_ns, enum happening what, uint16_t node,
                    uint16_t peer, uint64_t number)
{
    struct occurrence *item = make(world, delay_ns, what, node);
    item->peer = peer;
    item->number = number;
    push(world, item);
}

/* --- the network ----------------------------------------------------------------------------- */

bool world_link_cut(const struct world *world, uint16_t from, uint16_t to)
{
    uint16_t lagging = world->rules.lagging;
    return world_faults_last(world) && (from == lagging || to == lagging);
}

/* The message as bytes, until the next one. */
static struct sy_slice encode(const struct sy_message *m)
{
    static uint8_t bytes[SY_FRAME_BYTES_MAX];
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    sy_message_encode(&writer, m);
    SY_ASSERT(!writer.failed);
    return sy_writer_slice(&writer);
}

static void deliver(struct world *world, uint64_t delay_ns, uint16_t from, uint16_t to,
                    struct sy_slice bytes)
{
    struct occurrence *item = make(world, delay_ns, HAPPENS_DELIVER, to);
    item->peer = from;
    item->bytes = (uint8_t *)malloc(bytes.size);
    SY_ASSERT(item->bytes);
    memcpy(item->bytes, bytes.data, bytes.size);
    item->size = bytes.size;
    push(world, item);
}

static void deliver_later(struct world *world, uint16_t from, uint16_t to, struct sy_slice bytes)
{
    uint64_t delay_ns = sy_prng_below(&world->prng, world->rules.delay_max_ns) + 1;
    if (world_faults_last(world) && world_chance(world, 2)) delay_ns *= 20;
    deliver(world, delay_ns, from, to, bytes);
}

void world_transmit(struct world *world, uint16_t from, uint16_t to, const struct sy_message *m)
{
    struct sy_slice bytes = encode(m);
    for (uint16_t i = 0; i < world->rules.n; i++) {
        if (i == from || (to != SY_PBFT_ALL && to != i)) continue;
        if (world_link_cut(world, from, i)) continue;
        if (world_faults_last(world) && world_chance(world, world->rules.loss_percent)) continue;
        deliver_later(world, from, i, bytes);
        if (world_faults_last(world) && world_chance(world, world->rules.duplicate_percent))
            deliver_later(world, from, i, bytes);
    }
}

void world_hold_back(struct world *world, uint64_t delay_ns, uint16_t from, uint16_t to,
                     const struct sy_message *m)
{
    deliver(world, delay_ns, from, to, encode(m));
}

static void on_deliver(struct world *world, const struct occurrence *item)
{
    static struct sy_message message;
    world->result->messages++;
    struct sy_slice bytes = sy_slice_of(item->bytes, item->size);
    if (!sy_message_decode(&message, bytes, world->rules.n) || !check_signatures(world, &message)) {
        world->result->refused++;
        if (world->nodes[item->peer].correct)
            check_fail(world, "validator %u sent a message of type %u that was refused", item->peer,
                       item->bytes[0]);
        return;
    }
    node_on_message(world, item->node, item->peer, &message);
}

/* --- batches --------------------------------------------------------------------------------- */

static void on_batch(struct world *world, uint16_t maker)
{
    if (world->batch_count == WORLD_BATCHES_MAX) return;
    uint64_t seq = 1;
    for (unsigned i = 0; i < world->batch_count; i++) seq += world->batches[i].maker == maker;
    uint64_t number = world->batch_count++;
    struct batch_model *batch = &world->batches[number];
    uint8_t text[16];
    sy_store_u64(text, maker);
    sy_store_u64(text + 8, seq);
    sy_sha256(&batch->digest, text, sizeof text);
    batch->maker = maker;
    batch->seq = seq;
    world->nodes[maker].has_body[number] = true; // its own disk has it first
    uint64_t quiet_ns = world->rules.faults_until_ns + 1200 * MS - world->now_ns;
    for (uint16_t i = 0; i < world->rules.n; i++) {
        // A maker spreads again what the others may have missed; that is the pool's part.
        world_schedule(world, quiet_ns, HAPPENS_BODY, i, maker, number);
        bool lost = i != maker && world_faults_last(world) &&
                    (world_chance(world, 10) || world_link_cut(world, maker, i));
        if (lost) continue;
        world_schedule(world, sy_prng_below(&world->prng, 2 * world->rules.delay_max_ns) + 1,
                       HAPPENS_BODY, i, maker, number);
    }
}

static void on_ask_body(struct world *world, uint16_t index, uint16_t asker, uint64_t number)
{
    struct node_model *node = &world->nodes[index];
    if (!node->up || !node->has_body[number] || world_link_cut(world, index, asker)) return;
    if (!node->correct && world->rules.fault == WORLD_SILENT) return;
    world_schedule(world, sy_prng_below(&world->prng, world->rules.delay_max_ns) + 1, HAPPENS_BODY,
                   asker, index, number);
}

/* --- the course ------------------------------------------------------------------------------ */

static void happen(struct world *world, const struct occurrence *item)
{
    struct node_model *node = &world->nodes[item->node];
    bool same_life = node->up && node->life == item->life;
    switch (item->what) {
    case HAPPENS_DELIVER:
        if (node->up) on_deliver(world, item);
        break;
    case HAPPENS_TIMER:
        if (same_life) node_on_timer(world, item->node, (enum sy_pbft_timer)item->number);
        break;
    case HAPPENS_DURABLE:
        if (same_life) node_on_durable(world, item->node, item->number);
        break;
    case HAPPENS_EXECUTED:
        if (same_life) node_on_executed(world, item->node);
        break;
    case HAPPENS_CERTIFIED:
        if (same_life) node_on_certified(world, item->node, item->number);
        break;
    case HAPPENS_BODY:
        if (node->up) node_on_body(world, item->node, item->number);
        break;
    case HAPPENS_ASK_BODY: on_ask_body(world, item->node, item->peer, item->number); break;
    case HAPPENS_BATCH: on_batch(world, item->node); break;
    case HAPPENS_CRASH:
        if (node->up) node_crash(world, item->node);
        break;
    case HAPPENS_START:
        if (!node->up) node_start(world, item->node);
        break;
    case HAPPENS_POWER_CUT:
        for (uint16_t i = 0; i < world->rules.n; i++) {
            if (world->nodes[i].up) node_crash(world, i);
            world_schedule(world, 1 + sy_prng_below(&world->prng, 500 * MS), HAPPENS_START, i, 0,
                           0);
        }
        break;
    }
}

static uint16_t random_correct(struct world *world, bool not_primary)
{
    for (;;) {
        uint16_t i = (uint16_t)sy_prng_below(&world->prng, world->rules.n);
        if (world->nodes[i].correct && !(not_primary && i == 0)) return i;
    }
}

static void plan_faults(struct world *world)
{
    const struct world_rules *rules = &world->rules;
    for (unsigned i = 0; i < rules->batches; i++)
        world_schedule(world, sy_prng_below(&world->prng, rules->faults_until_ns), HAPPENS_BATCH,
                       random_correct(world, false), 0, 0);
    for (unsigned i = 0; i < rules->restarts; i++) {
        uint16_t node = random_correct(world, !rules->primary_restarts);
        uint64_t at = sy_prng_below(&world->prng, rules->faults_until_ns) + 1;
        world_schedule(world, at, HAPPENS_CRASH, node, 0, 1);
        world_schedule(world, at + sy_prng_below(&world->prng, 800 * MS) + 1, HAPPENS_START, node,
                       0, 0);
    }
    if (rules->all_at_once)
        world_schedule(world, rules->faults_until_ns / 2, HAPPENS_POWER_CUT, 0, 0, 0);
    // Whatever is down when the faults end comes back.
    for (uint16_t i = 0; i < rules->n; i++)
        world_schedule(world, rules->faults_until_ns + 1000 * MS, HAPPENS_START, i, 0, 0);
}

/* Memory that every world uses anew; large, and costly to map again for each. */
static struct {
    sy_arena arena;
    struct block_model blocks[WORLD_HEIGHTS_MAX];
    struct signed_model signatures[SIGNED_MAX];
} kept[NODES_MAX];

static void open_node(struct world *world, uint16_t index)
{
    const struct world_rules *rules = &world->rules;
    struct node_model *node = &world->nodes[index];
    node->correct =
        rules->primary_faulty ? index >= rules->faulty : index < rules->n - rules->faulty;
    node->arena = &kept[index].arena;
    node->signatures = kept[index].signatures;
    node->blocks = kept[index].blocks;
    for (unsigned h = 0; h < WORLD_HEIGHTS_MAX && (h == 0 || node->blocks[h].executed); h++)
        memset(&node->blocks[h], 0, sizeof node->blocks[h]);
    node->clock_ms = (int64_t)sy_prng_below(&world->prng, (uint64_t)rules->clock_spread_ms + 1);
    for (uint16_t m = 0; m < rules->n; m++) node->next_seqs[m] = 1;
    sy_header_hash(&node->blocks[0].hash, &world->genesis, &node->blocks[0].header);
    node->blocks[0].executed = node->blocks[0].certified = true;
    if (node->arena->size_bytes != sy_pbft_footprint(rules->n)) {
        sy_arena_close(node->arena);
        sy_status status = sy_arena_open(node->arena, sy_pbft_footprint(rules->n));
        SY_ASSERT(status == SY_OK);
    }
    node_start(world, index);
}

void world_open(struct world *world)
{
    const struct world_rules *rules = &world->rules;
    SY_ASSERT(rules->n <= NODES_MAX);
    sy_sha256(&world->genesis, "genesis", 7);
    world->roster.count = rules->n;
    for (uint16_t i = 0; i < rules->n; i++) {
        sy_store_u16(world->roster.validators[i].consensus_key.bytes, i);
        open_node(world, i);
    }
}

void world_close(struct world *world)
{
    for (struct occurrence *item; (item = world_pop(world));) {
        free(item->bytes);
        free(item);
    }
    free(world->heap);
    for (uint16_t i = 0; i < world->rules.n; i++) {
        struct node_model *node = &world->nodes[i];
        for (unsigned r = 0; r < node->record_count; r++) free(node->records[r].bytes);
    }
}

/* Everybody has executed everything and certified the same height: nothing more will come. */
static bool finished(const struct world *world)
{
    if (world_faults_last(world) || world->now_ns < world->rules.faults_until_ns + 1500 * MS)
        return false;
    uint64_t height = 0;
    for (uint16_t i = 0; i < world->rules.n; i++) {
        const struct node_model *node = &world->nodes[i];
        if (!node->correct) continue;
        if (!node->up || node->certified != node->executed) return false;
        if (height != 0 && node->certified != height) return false;
        height = node->certified;
        uint64_t ran = 0;
        for (uint16_t m = 0; m < world->rules.n; m++) ran += node->next_seqs[m] - 1;
        if (ran != world->batch_count) return false;
    }
    return height > 0;
}

void world_run(struct world_result *result, const struct world_rules *rules, uint64_t seed)
{
    static struct sy_pbft_effects effects;
    struct world *world = (struct world *)calloc(1, sizeof *world);
    SY_ASSERT(world);
    *result = (struct world_result){0};
    world->rules = *rules;
    world->result = result;
    world->effects = &effects;
    sy_prng_seed(&world->prng, seed);
    world_open(world);
    plan_faults(world);
    unsigned since = 0;
    for (struct occurrence *item; (item = world_pop(world));) {
        bool over = item->at_ns > rules->end_ns || result->failure[0];
        if (!over) {
            world->now_ns = item->at_ns;
            happen(world, item);
        }
        free(item->bytes);
        free(item);
        if (over || (++since % 64 == 0 && finished(world))) break;
    }
    check_end(world);
    world_close(world);
    free(world);
}
