/* pbft_nodes.c: what surrounds a machine in the small world: disk, ledger, bodies, timers. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/scenario/pbft_world_internal.h"

#define WORLD_EPOCH_MS 1700000000000ll

static int64_t wall_ms(const struct world *world, const struct node_model *node)
{
    return WORLD_EPOCH_MS + (int64_t)(world->now_ns / MS) + node->clock_ms;
}

static int find_batch(const struct world *world, const struct sy_hash *digest)
{
    for (unsigned i = 0; i < world->batch_count; i++)
        if (sy_hash_equal(&world->batches[i].digest, digest)) return (int)i;
    return -1;
}

/* --- disk ------------------------------------------------------------------------------------ */

static void forget_record(struct node_model *node, unsigned index)
{
    free(node->records[index].bytes);
    node->records[index] = node->records[--node->record_count];
}

static void persist(struct world *world, uint16_t index, const struct sy_pbft_effect *effect)
{
    static uint8_t bytes[SY_VIEW_CHANGE_BYTES_MAX + 64];
    struct node_model *node = &world->nodes[index];
    const struct sy_pbft_record *record = &effect->as.persist.record;
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    sy_pbft_record_encode(&writer, record);
    SY_ASSERT(!writer.failed && node->record_count < RECORDS_MAX);
    struct record_model *kept = &node->records[node->record_count++];
    *kept = (struct record_model){.token = effect->as.persist.token,
                                  .type = record->type,
                                  .slot = record->slot,
                                  .view = record->view,
                                  .size = writer.used};
    kept->bytes = (uint8_t *)malloc(writer.used);
    SY_ASSERT(kept->bytes);
    memcpy(kept->bytes, bytes, writer.used);
    uint64_t start = node->durable_at_ns > world->now_ns ? node->durable_at_ns : world->now_ns;
    node->durable_at_ns = start + sy_prng_below(&world->prng, MS) + 1;
    world_schedule(world, node->durable_at_ns - world->now_ns, HAPPENS_DURABLE, index, 0,
                   kept->token);
}

/* A durable record replaces the one that was durable under its key before. */
static void make_durable(struct node_model *node, uint64_t token)
{
    for (unsigned i = 0; i < node->record_count; i++) {
        if (node->records[i].token == 0 || node->records[i].token > token) continue;
        for (unsigned j = 0; j < node->record_count; j++) {
            const struct record_model *a = &node->records[i], *b = &node->records[j];
            if (b->token != 0 || a->type != b->type || a->slot != b->slot || a->view != b->view)
                continue;
            free(node->records[j].bytes);
            node->records[j] = node->records[i];
            node->records[j].token = 0;
            node->records[i] = node->records[--node->record_count];
            i--;
            break;
        }
        if (i < node->record_count && node->records[i].token <= token) node->records[i].token = 0;
    }
}

void node_on_durable(struct world *world, uint16_t index, uint64_t token)
{
    make_durable(&world->nodes[index], token);
    struct sy_pbft_event event = {.type = SY_PBFT_PERSISTED};
    event.as.token = token;
    node_step(world, index, &event);
}

static void drop_votes(struct node_model *node, uint64_t height)
{
    for (unsigned i = node->record_count; i-- > 0;)
        if (sy_pbft_record_droppable(node->records[i].type, node->records[i].slot, height))
            forget_record(node, i);
}

/* --- ledger ---------------------------------------------------------------------------------- */

static void execute(struct world *world, uint16_t index, const struct sy_pbft_effect *effect)
{
    struct node_model *node = &world->nodes[index];
    const struct sy_proposal *proposal = &effect->as.execute.proposal;
    if (proposal->slot != node->executed + node->queued + 1)
        check_fail(world, "validator %u was asked for height %llu out of order", index,
                   (unsigned long long)proposal->slot);
    for (uint16_t i = 0; i < proposal->count; i++) {
        int batch = find_batch(world, &proposal->entries[i].digest);
        if (batch < 0 || !node->has_body[batch])
            check_fail(world, "validator %u was asked to execute a body that it lacks", index);
    }
    SY_ASSERT(node->queued < SY_PBFT_WINDOW);
    node->queue_adopted[node->queued] = effect->as.execute.adopted;
    node->queue[node->queued++] = *proposal;
    if (node->queued == 1)
        world_schedule(world, sy_prng_below(&world->prng, 4 * MS) + 1, HAPPENS_EXECUTED, index, 0,
                       0);
}

/* A block that depends on everything before it: its state root chains what ran. */
static void make_block(struct world *world, struct node_model *node, uint64_t height,
                       const struct sy_proposal *proposal)
{
    const struct block_model *parent = &node->blocks[height - 1];
    struct block_model *block = &node->blocks[height];
    struct sy_hash leaves[SY_PROPOSAL_ENTRIES_MAX];
    block->ran.slot = height;
    block->ran.count = 0;
    block->header.state_root = parent->header.state_root;
    for (uint16_t i = 0; i < proposal->count; i++) {
        const struct sy_entry *entry = &proposal->entries[i];
        if (entry->seq != node->next_seqs[entry->maker]) {
            world->result->skipped++;
            continue;
        }
        node->next_seqs[entry->maker]++;
        sy_hash_leaf(&leaves[block->ran.count], sy_slice_of(entry->digest.bytes, 32));
        block->ran.entries[block->ran.count++] = *entry;
        sy_hash_node(&block->header.state_root, &block->header.state_root, &entry->digest);
    }
    int64_t earliest = parent->header.time_ms + 1;
    block->header.protocol = SY_PROTOCOL_VERSION;
    block->header.height = height;
    block->header.time_ms = proposal->time_ms > earliest ? proposal->time_ms : earliest;
    block->ran.time_ms = block->header.time_ms;
    block->header.previous = parent->hash;
    sy_merkle_root(&block->header.batches_root, leaves, leaves, block->ran.count);
    sy_header_hash(&block->hash, &world->genesis, &block->header);
    block->executed = true;
}

static void tell_executed(struct world *world, uint16_t index, uint64_t height)
{
    struct node_model *node = &world->nodes[index];
    struct sy_pbft_event event = {.type = SY_PBFT_EXECUTED};
    event.as.executed.height = height;
    event.as.executed.header_hash = node->blocks[height].hash;
    event.as.executed.next_seqs = node->next_seqs;
    node_step(world, index, &event);
}

void node_on_executed(struct world *world, uint16_t index)
{
    struct node_model *node = &world->nodes[index];
    SY_ASSERT(node->queued > 0);
    uint64_t height = node->executed + 1;
    if (height >= WORLD_HEIGHTS_MAX) return; // the world is too long for its model
    make_block(world, node, height, &node->queue[0]);
    node->executed = height;
    node->queued--;
    memmove(node->queue, node->queue + 1, node->queued * sizeof node->queue[0]);
    if (node->queued > 0)
        world_schedule(world, sy_prng_below(&world->prng, 4 * MS) + 1, HAPPENS_EXECUTED, index, 0,
                       0);
    check_executed(world, index, height);
    tell_executed(world, index, height);
}

static void certified(struct world *world, uint16_t index, const struct sy_pbft_effect *effect)
{
    struct node_model *node = &world->nodes[index];
    uint64_t height = effect->as.certified.height;
    check_certificate(world, index, height, &effect->as.certified.header_hash,
                      &effect->as.certified.certificate);
    node->blocks[height].certificate = effect->as.certified.certificate;
    world_schedule(world, sy_prng_below(&world->prng, 2 * MS) + 1, HAPPENS_CERTIFIED, index, 0,
                   height);
}

void node_on_certified(struct world *world, uint16_t index, uint64_t height)
{
    struct node_model *node = &world->nodes[index];
    for (uint64_t h = node->certified + 1; h <= height; h++) node->blocks[h].certified = true;
    if (height > node->certified) node->certified = height;
    struct sy_pbft_event event = {.type = SY_PBFT_CERTIFICATE_DURABLE};
    event.as.height = height;
    node_step(world, index, &event);
}

static void serve_blocks(struct world *world, uint16_t index, uint16_t to,
                         const struct sy_range_fetch *fetch)
{
    static struct sy_message message;
    const struct node_model *node = &world->nodes[index];
    if (!node->correct && world->rules.fault == WORLD_HOARDS) return;
    for (uint64_t h = fetch->first; h < fetch->first + fetch->count && h <= node->certified; h++) {
        if (h == 0) continue;
        message.type = SY_MESSAGE_BLOCK;
        message.body.block.proposal = node->blocks[h].ran;
        message.body.block.header = node->blocks[h].header;
        message.body.block.certificate = node->blocks[h].certificate;
        if (!node->correct && world->rules.fault == WORLD_FORGES)
            fault_forge_block(world, &message.body.block);
        world_transmit(world, index, to, &message);
    }
}

/* --- bodies ---------------------------------------------------------------------------------- */

void node_on_body(struct world *world, uint16_t index, uint64_t number)
{
    struct node_model *node = &world->nodes[index];
    bool censored = !node->correct && world->rules.fault == WORLD_CENSORS &&
                    world->batches[number].maker == world->rules.n - 1;
    if (censored) return;
    node->has_body[number] = true;
    struct sy_pbft_event event = {.type = SY_PBFT_BATCH_READY};
    event.as.batch.digest = world->batches[number].digest;
    event.as.batch.maker = world->batches[number].maker;
    event.as.batch.seq = world->batches[number].seq;
    event.as.batch.tx_count = 10;
    event.as.batch.bytes = 2000;
    node_step(world, index, &event);
}

static void fetch_body(struct world *world, uint16_t index, const struct sy_pbft_effect *effect)
{
    struct node_model *node = &world->nodes[index];
    int batch = find_batch(world, &effect->as.fetch_body.digest);
    uint16_t whom = effect->as.fetch_body.whom;
    if (batch < 0) return; // made up by a faulty validator: nobody has it
    if (node->has_body[batch]) {
        world_schedule(world, 1, HAPPENS_BODY, index, index, (uint64_t)batch);
    } else if (whom != SY_PBFT_ALL) {
        SY_ASSERT(whom < world->rules.n && whom != index);
        if (world_faults_last(world) && world_chance(world, world->rules.loss_percent)) return;
        world_schedule(world, sy_prng_below(&world->prng, world->rules.delay_max_ns) + 1,
                       HAPPENS_ASK_BODY, whom, index, (uint64_t)batch);
    }
}

static void send_body(struct world *world, uint16_t index, const struct sy_pbft_effect *effect)
{
    struct node_model *node = &world->nodes[index];
    int batch = find_batch(world, &effect->as.send_body.digest);
    uint16_t to = effect->as.send_body.to;
    SY_ASSERT(to < world->rules.n && to != index);
    if (batch < 0 || !node->has_body[batch]) {
        check_fail(world, "validator %u was asked to send a body that it lacks", index);
        return;
    }
    if (world_link_cut(world, index, to)) return;
    if (world_faults_last(world) && world_chance(world, world->rules.loss_percent)) return;
    world_schedule(world, sy_prng_below(&world->prng, world->rules.delay_max_ns) + 1, HAPPENS_BODY,
                   to, index, (uint64_t)batch);
}

/* --- the machine ----------------------------------------------------------------------------- */

static void sign_own(struct world *world, uint16_t index, struct sy_pbft_effect *effect)
{
    struct sy_own_signature own[SY_PBFT_OWN_MAX];
    size_t count = sy_pbft_effect_own(own, effect, &world->nodes[index].config);
    for (size_t i = 0; i < count; i++)
        world_sign(own[i].signature, own[i].kind, &own[i].digest, index);
}

static void carry_out(struct world *world, uint16_t index, struct sy_pbft_effect *effect)
{
    struct node_model *node = &world->nodes[index];
    sign_own(world, index, effect);
    switch (effect->type) {
    case SY_PBFT_PERSIST: persist(world, index, effect); break;
    case SY_PBFT_SEND:
        if (node->correct) {
            check_sent(world, index, &effect->as.send.message);
            world_transmit(world, index, effect->as.send.to, &effect->as.send.message);
        } else {
            fault_send(world, index, effect->as.send.to, &effect->as.send.message);
        }
        break;
    case SY_PBFT_FETCH_BODY: fetch_body(world, index, effect); break;
    case SY_PBFT_SEND_BODY: send_body(world, index, effect); break;
    case SY_PBFT_EXECUTE: execute(world, index, effect); break;
    case SY_PBFT_CERTIFIED: certified(world, index, effect); break;
    case SY_PBFT_DROP_VOTES: drop_votes(node, effect->as.height); break;
    case SY_PBFT_SET_TIMER: {
        uint64_t at = effect->as.set_timer.at_ns;
        node->timers[effect->as.set_timer.timer] = at;
        if (at == SY_PBFT_NEVER) break;
        world_schedule(world, at > world->now_ns ? at - world->now_ns : 0, HAPPENS_TIMER, index, 0,
                       effect->as.set_timer.timer);
        break;
    }
    case SY_PBFT_ALARM:
        if (node->correct)
            check_fail(world, "validator %u raised alarm %d at height %llu", index,
                       (int)effect->as.alarm.alarm, (unsigned long long)effect->as.alarm.height);
        break;
    case SY_PBFT_EVIDENCE:
        world->result->equivocations++;
        if (world->nodes[effect->as.evidence.signer].correct)
            check_fail(world, "validator %u blames the correct validator %u", index,
                       effect->as.evidence.signer);
        break;
    }
}

void node_step(struct world *world, uint16_t index, struct sy_pbft_event *event)
{
    struct node_model *node = &world->nodes[index];
    if (!node->up || world->result->failure[0]) return;
    event->now_ns = world->now_ns;
    event->now_ms = wall_ms(world, node);
    sy_pbft_step(node->pbft, world->effects, event);
    world->result->steps++;
    for (uint32_t i = 0; i < world->effects->count; i++)
        carry_out(world, index, &world->effects->items[i]);
}

void node_on_timer(struct world *world, uint16_t index, enum sy_pbft_timer timer)
{
    struct node_model *node = &world->nodes[index];
    bool due = node->timers[timer] <= world->now_ns;
    // Now and then a stale one is told too: it must be harmless.
    if (!due && !world_chance(world, 5)) return;
    if (due) node->timers[timer] = SY_PBFT_NEVER;
    struct sy_pbft_event event = {.type = SY_PBFT_TIMER};
    event.as.timer = timer;
    node_step(world, index, &event);
}

void node_on_message(struct world *world, uint16_t index, uint16_t from,
                     const struct sy_message *message)
{
    if (message->type == SY_MESSAGE_BLOCK_FETCH) {
        serve_blocks(world, index, from, &message->body.range_fetch);
        return;
    }
    // A node drops what is not wanted; one that does not must fare as well.
    if (!sy_pbft_wants(world->nodes[index].pbft, message)) {
        world->result->spared++;
        if (world_chance(world, 90)) return;
    }
    struct sy_pbft_event event = {.type = SY_PBFT_MESSAGE};
    event.as.message.from = from;
    event.as.message.message = message;
    node_step(world, index, &event);
}

/* --- start and crash ------------------------------------------------------------------------- */

void node_crash(struct world *world, uint16_t index)
{
    struct node_model *node = &world->nodes[index];
    struct sy_pbft_info info;
    sy_pbft_get_info(node->pbft, &info, world->now_ns);
    world->result->restarts++;
    world->result->retransmissions += info.retransmissions_total;
    world->result->adopted += info.blocks_adopted_total;
    if (node->correct) world->result->view_changes += info.view_changes_total;
    node->up = false;
    node->queued = 0;
    // What the disk had in hand may have reached it or not, in order.
    uint64_t survives = 0;
    for (unsigned i = 0; i < node->record_count; i++)
        if (node->records[i].token > survives && world_chance(world, 50))
            survives = node->records[i].token;
    make_durable(node, survives);
    for (unsigned i = node->record_count; i-- > 0;)
        if (node->records[i].token != 0) forget_record(node, i);
    node->durable_at_ns = 0;
}

static void restore_records(struct world *world, uint16_t index)
{
    static struct sy_pbft_record record;
    struct node_model *node = &world->nodes[index];
    for (unsigned i = 0; i < node->record_count; i++) {
        struct sy_slice bytes = sy_slice_of(node->records[i].bytes, node->records[i].size);
        if (!sy_pbft_record_decode(&record, bytes, index, world->rules.n))
            check_fail(world, "validator %u cannot read its own record", index);
        struct sy_pbft_event event = {.type = SY_PBFT_RESTORE};
        event.as.record = &record;
        node_step(world, index, &event);
    }
}

/* The makers' next seqs at the certified height, as the ledger's state says. */
static void seqs_at(struct node_model *node, uint64_t height)
{
    for (unsigned m = 0; m < NODES_MAX; m++) node->next_seqs[m] = 1;
    for (uint64_t h = 1; h <= height; h++)
        for (uint16_t i = 0; i < node->blocks[h].ran.count; i++)
            node->next_seqs[node->blocks[h].ran.entries[i].maker]++;
}

static void configure(struct world *world, uint16_t index)
{
    struct sy_pbft_config *config = &world->nodes[index].config;
    sy_pbft_config_default(config);
    config->genesis = world->genesis;
    config->epoch = 0;
    config->n = world->rules.n;
    config->self = index;
    config->heartbeat_ns = 600 * MS;
}

void node_start(struct world *world, uint16_t index)
{
    struct node_model *node = &world->nodes[index];
    configure(world, index);
    // A new process starts with fresh memory.
    memset(node->arena->base, 0, node->arena->used_bytes);
    node->arena->used_bytes = 0;
    sy_status status = sy_pbft_init(&node->pbft, node->arena, &node->config, NULL);
    SY_ASSERT(status == SY_OK);
    node->up = true;
    node->life++;
    for (unsigned i = 0; i < SY_PBFT_TIMER_COUNT; i++) node->timers[i] = SY_PBFT_NEVER;
    seqs_at(node, node->certified);
    struct sy_pbft_event event = {.type = SY_PBFT_START};
    event.as.start.certified_height = node->certified;
    event.as.start.header_hash = node->blocks[node->certified].hash;
    event.as.start.certificate =
        node->certified ? &node->blocks[node->certified].certificate : NULL;
    event.as.start.next_seqs = node->next_seqs;
    node_step(world, index, &event);
    restore_records(world, index);
    for (uint64_t h = node->certified + 1; h <= node->executed; h++) {
        seqs_at(node, h);
        tell_executed(world, index, h);
    }
    struct sy_pbft_event resume = {.type = SY_PBFT_RESUME};
    node_step(world, index, &resume);
    for (unsigned i = 0; i < world->batch_count; i++)
        if (node->has_body[i]) node_on_body(world, index, i);
}
