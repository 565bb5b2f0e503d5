/* pbft_whole_node.c: one machine and what surrounds it: its state put aside and back, one step.
 *
 * A machine and its model lie at fixed addresses, so their bytes are their state; pointers among
 * them stay true. Only what a world of two slots can touch is looked at (list_ranges); that the
 * rest of the machine's memory stays as it was is checked now and then. A record's bytes, which the
 * model keeps on the heap, are replaced by where equal bytes lie in a table. */
#include <stdlib.h>

#include "consensus/pbft/internal.h"
#include "core/crypto/hash.h"
#include "tests/scenario/pbft_whole_internal.h"

#define LINE_BYTES 64u
#define RECORDS_TOUCHED 24u
#define SIGNATURES_TOUCHED 96u
#define QUEUE_TOUCHED 4u

#define WHOLE_WAIT_NS (1500 * MS) /* until the primary is given up, */
#define LOOK_NS (100 * MS)        /* while the machine runs so often */

/* --- where the state lies -------------------------------------------------------------------- */

static void add_range(struct whole *whole, uint16_t node, void *at, size_t size)
{
    SY_ASSERT(whole->range_count[node] < RANGES_MAX);
    whole->ranges[node][whole->range_count[node]++] = (struct range){(uint8_t *)at, size};
}

static void list_machine(struct whole *whole, uint16_t node, sy_pbft *pbft)
{
    add_range(whole, node, pbft, sizeof *pbft);
    add_range(whole, node, pbft->slots, SLOTS_TOUCHED * sizeof pbft->slots[0]);
    add_range(whole, node, pbft->slots[0].prepares,
              (size_t)SLOTS_TOUCHED * 3 * WHOLE_N * sizeof(struct cell));
    add_range(whole, node, pbft->ready, (size_t)SY_BATCH_WINDOW * WHOLE_N * sizeof pbft->ready[0]);
    add_range(whole, node, pbft->next_seqs, WHOLE_N * sizeof pbft->next_seqs[0]);
    add_range(whole, node, pbft->peers, WHOLE_N * sizeof pbft->peers[0]);
    add_range(whole, node, pbft->changes, (size_t)3 * WHOLE_N * sizeof pbft->changes[0]);
    for (size_t i = 0; i < (size_t)3 * WHOLE_N; i++)
        add_range(whole, node, pbft->changes[i].bytes, CHANGE_BYTES);
    add_range(whole, node, pbft->own_spare, CHANGE_BYTES);
    add_range(whole, node, pbft->fixed, SLOTS_TOUCHED * sizeof pbft->fixed[0]);
    add_range(whole, node, pbft->waits, WHOLE_N * sizeof pbft->waits[0]);
}

static void list_model(struct whole *whole, uint16_t node)
{
    struct node_model *model = &whole->world.nodes[node];
    add_range(whole, node, model->records, RECORDS_TOUCHED * sizeof model->records[0]);
    add_range(whole, node, &model->record_count, sizeof model->record_count);
    add_range(whole, node, model->blocks + 1, SLOTS_TOUCHED * sizeof model->blocks[0]);
    add_range(whole, node, &model->executed, sizeof model->executed);
    add_range(whole, node, &model->certified, sizeof model->certified);
    add_range(whole, node, model->queue, QUEUE_TOUCHED * sizeof model->queue[0]);
    add_range(whole, node, model->queue_adopted, QUEUE_TOUCHED * sizeof model->queue_adopted[0]);
    add_range(whole, node, &model->queued, sizeof model->queued);
    add_range(whole, node, model->next_seqs, sizeof model->next_seqs);
    add_range(whole, node, model->signatures, SIGNATURES_TOUCHED * sizeof model->signatures[0]);
    add_range(whole, node, &model->signed_count, sizeof model->signed_count);
    add_range(whole, node, &model->promised_view, sizeof model->promised_view);
    add_range(whole, node, &whole->asides[node], sizeof whole->asides[node]);
}

/* What no range holds must not have changed. */
static void check_rest(const struct whole *whole, uint16_t node)
{
    const sy_arena *arena = whole->world.nodes[node].arena;
    const uint8_t *at = arena->base;
    while (at < arena->base + arena->size_bytes) {
        const struct range *next = NULL;
        for (unsigned r = 0; r < whole->range_count[node]; r++) {
            const struct range *range = &whole->ranges[node][r];
            if (range->at >= at && (!next || range->at < next->at)) next = range;
        }
        bool last = !next || next->at >= arena->base + arena->size_bytes;
        const uint8_t *end = last ? arena->base + arena->size_bytes : next->at;
        size_t skip = (size_t)(at - arena->base), size = (size_t)(end - at);
        SY_ASSERT(memcmp(at, whole->opened[node] + skip, size) == 0);
        at = end;
        if (!last) at = next->at + next->size;
    }
}

/* --- aside and back -------------------------------------------------------------------------- */

/* What is counted for people, and scratch, does not tell states apart: nothing reads it. */
static void drop_statistics(struct node_model *model)
{
    sy_pbft *pbft = model->pbft;
    pbft->decided_total = pbft->retransmissions_total = pbft->adopted_total = 0;
    pbft->equivocations_total = pbft->view_changes_total = 0;
    memset(pbft->ignored_total, 0, sizeof pbft->ignored_total);
    memset(&pbft->left, 0, sizeof pbft->left);
    for (unsigned i = 0; i < WHOLE_N; i++) pbft->peers[i].equivocations = 0;
    memset(pbft->cursors, 0, WHOLE_N * sizeof pbft->cursors[0]);
}

static void put_records_aside(struct whole *whole, struct node_model *model)
{
    SY_ASSERT(model->record_count <= RECORDS_TOUCHED && model->queued <= QUEUE_TOUCHED &&
              model->signed_count <= SIGNATURES_TOUCHED && model->executed <= SLOTS_TOUCHED);
    for (unsigned i = 0; i < model->record_count; i++) {
        struct record_model *record = &model->records[i];
        uint32_t number = table_add(&whole->blobs, record->bytes, record->size, NULL);
        free(record->bytes);
        record->bytes = (uint8_t *)(uintptr_t)whole->blobs.items[number].bytes;
    }
    memset(&model->records[model->record_count], 0,
           (RECORDS_TOUCHED - model->record_count) * sizeof model->records[0]);
    memset(&model->queue[model->queued], 0,
           (QUEUE_TOUCHED - model->queued) * sizeof model->queue[0]);
}

static void take_records_back(struct node_model *model)
{
    for (unsigned i = 0; i < model->record_count; i++) {
        struct record_model *record = &model->records[i];
        uint8_t *bytes = (uint8_t *)malloc(record->size);
        SY_ASSERT(bytes);
        memcpy(bytes, record->bytes, record->size);
        record->bytes = bytes;
    }
}

/* Then this node is out of the others' way, which look at what it holds and executed. */
static void leave(struct node_model *model)
{
    model->record_count = 0;
    for (unsigned h = 1; h <= SLOTS_TOUCHED; h++) model->blocks[h].executed = false;
}

static void forget(struct node_model *model)
{
    for (unsigned i = 0; i < model->record_count; i++) free(model->records[i].bytes);
    leave(model);
}

static bool is_zero(const uint8_t *at, size_t size)
{
    uint64_t sum = 0, word;
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        sum |= word;
    }
    for (; size > 0; size--) sum |= *at++;
    return sum == 0;
}

/* The lines of all ranges that are not zero, numbered through. */
static size_t list_lines(struct whole *whole, uint16_t node)
{
    size_t count = 0, line = 0;
    for (unsigned r = 0; r < whole->range_count[node]; r++) {
        const struct range *range = &whole->ranges[node][r];
        for (size_t at = 0; at < range->size; at += LINE_BYTES, line++) {
            size_t size = range->size - at < LINE_BYTES ? range->size - at : LINE_BYTES;
            if (is_zero(range->at + at, size)) continue;
            whole->cells = (uint64_t *)grown(whole->cells, &whole->cell_room, count + 1,
                                             sizeof whole->cells[0]);
            uint32_t content = table_add(&whole->lines, range->at + at, size, NULL);
            whole->cells[count++] = (uint64_t)line << 32 | content;
        }
    }
    return count;
}

static bool is_busy(const struct node_model *model)
{
    for (unsigned i = 0; i < model->record_count; i++)
        if (model->records[i].token != 0) return true;
    const struct block_model *next = &model->blocks[model->certified + 1];
    return model->queued > 0 || (next->executed && next->certificate.count > 0);
}

/* The VIEW_CHANGE of the faulty validator that a NEW_VIEW waits for. */
static uint8_t lacks(struct whole *whole, const sy_pbft *pbft)
{
    const struct sy_new_view *message = &pbft->pending.message;
    if (!pbft->pending.present || pbft->pending.changes[WHOLE_FAULTY].present) return 0;
    for (uint16_t i = 0; i < message->count; i++)
        if (message->changes[i].signer == WHOLE_FAULTY)
            return whole_hash(whole, &message->changes[i].digest);
    return 0;
}

static void describe(struct whole *whole, struct local *local, uint16_t node)
{
    const struct node_model *model = &whole->world.nodes[node];
    const struct aside *aside = &whole->asides[node];
    *local = (struct local){.node = (uint8_t)node,
                            .waited = aside->waited,
                            .busy = is_busy(model),
                            .begun = model->pbft->in_view,
                            .view = model->pbft->view,
                            .lacks = lacks(whole, model->pbft)};
    memcpy(local->decided, aside->decided, sizeof local->decided);
    memcpy(local->settled, aside->settled, sizeof local->settled);
    for (unsigned s = 1; s <= WHOLE_SLOTS; s++) {
        const struct slot *slot = &model->pbft->slots[s];
        local->committed[s] = slot->number == s && slot->commit == OWN_SENT;
    }
    for (unsigned h = 1; h <= WHOLE_SLOTS; h++)
        if (model->blocks[h].executed)
            local->executed[h] = whole_hash(whole, &model->blocks[h].hash);
}

/* The number of what lies there now; then this node is out of the others' way. */
static uint32_t put_aside(struct whole *whole, uint16_t node)
{
    struct node_model *model = &whole->world.nodes[node];
    drop_statistics(model);
    whole_alike(whole, node);
    put_records_aside(whole, model);
    size_t count = list_lines(whole, node);
    // The node is part of the state: two nodes' ranges are numbered alike.
    whole->cells =
        (uint64_t *)grown(whole->cells, &whole->cell_room, count + 1, sizeof whole->cells[0]);
    whole->cells[count++] = (uint64_t)UINT32_MAX << 32 | node;
    bool is_new;
    uint32_t number =
        table_add(&whole->states, whole->cells, count * sizeof whole->cells[0], &is_new);
    if (is_new) {
        whole->locals = (struct local *)grown(whole->locals, &whole->local_room,
                                              whole->states.count, sizeof whole->locals[0]);
        describe(whole, &whole->locals[number], node);
        if (number % 1024 == 0) check_rest(whole, node);
    }
    leave(model);
    return number;
}

static void take_back(struct whole *whole, uint32_t number)
{
    uint16_t node = whole->locals[number].node;
    const struct whole_item *state = &whole->states.items[number];
    const uint64_t *cells = (const uint64_t *)(const void *)state->bytes;
    size_t line = 0, next = 0;
    for (unsigned r = 0; r < whole->range_count[node]; r++) {
        const struct range *range = &whole->ranges[node][r];
        memset(range->at, 0, range->size);
        size_t end = line + (range->size + LINE_BYTES - 1) / LINE_BYTES;
        for (; cells[next] >> 32 < end; next++) {
            const struct whole_item *content = &whole->lines.items[(uint32_t)cells[next]];
            memcpy(range->at + ((cells[next] >> 32) - line) * LINE_BYTES, content->bytes,
                   content->size);
        }
        line = end;
    }
    take_records_back(&whole->world.nodes[node]);
}

/* --- messages -------------------------------------------------------------------------------- */

uint8_t whole_hash(struct whole *whole, const struct sy_hash *hash)
{
    uint32_t number = table_add(&whole->hashes, hash->bytes, sizeof hash->bytes, NULL) + 1;
    SY_ASSERT(number < 255); // 255 stands for a slot that is stable
    return (uint8_t)number;
}

const struct sy_hash *whole_hash_at(const struct whole *whole, uint8_t number)
{
    return (const struct sy_hash *)(const void *)whole->hashes.items[number - 1u].bytes;
}

uint32_t whole_set(struct whole *whole, const struct message_set *set)
{
    return table_add(&whole->sets, set, sizeof *set, NULL);
}

const struct message_set *whole_set_at(const struct whole *whole, uint32_t number)
{
    return (const struct message_set *)(const void *)whole->sets.items[number].bytes;
}

void whole_message_at(struct whole *whole, struct sy_message *out, unsigned number)
{
    const struct whole_item *item = &whole->messages.items[number];
    bool decoded = sy_message_decode(out, sy_slice_of(item->bytes, item->size), WHOLE_N);
    SY_ASSERT(decoded);
}

/* The VIEW_CHANGE that a NEW_VIEW names, among all messages. */
static bool find_change(struct whole *whole, struct sy_view_change *out, uint16_t signer,
                        const struct sy_hash *digest)
{
    static struct sy_message message;
    for (unsigned i = 0; i < whole->messages.count; i++) {
        if (whole->sent[i].type != SY_MESSAGE_VIEW_CHANGE || whole->sent[i].signer != signer)
            continue;
        struct sy_hash found;
        whole_message_at(whole, &message, i);
        *out = message.body.view_change;
        sy_view_change_digest(&found, &whole->world.genesis, out, WHOLE_N);
        if (sy_hash_equal(&found, digest)) return true;
    }
    return false;
}

/* OSDI '99, 4.4, worked out here anew: the certificate of the highest view for each slot. With
 * views 0 and 1 that is any. */
static void find_fixed(struct whole *whole, uint8_t fixes[WHOLE_SLOTS + 1],
                       const struct sy_new_view *message)
{
    static struct sy_prepared prepared;
    uint64_t stable = 0;
    for (uint16_t i = 0; i < message->count; i++) {
        struct sy_view_change change;
        bool found =
            find_change(whole, &change, message->changes[i].signer, &message->changes[i].digest);
        SY_ASSERT(found);
        if (change.stable_height > stable) stable = change.stable_height;
        struct sy_reader walk = sy_view_change_walk(&change);
        while (sy_view_change_next(&walk, &prepared, &change, WHOLE_N)) {
            struct sy_hash digest;
            sy_proposal_digest(&digest, &whole->world.genesis, &prepared.proposal);
            if (prepared.proposal.slot <= WHOLE_SLOTS)
                fixes[prepared.proposal.slot] = whole_hash(whole, &digest);
        }
    }
    for (uint64_t s = 1; s <= stable && s <= WHOLE_SLOTS; s++) fixes[s] = 255;
}

static bool note_message(struct whole *whole, struct sent_message *sent,
                         const struct sy_message *message)
{
    struct sy_hash digest;
    *sent = (struct sent_message){.type = message->type};
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        sent->view = message->body.pre_prepare.view;
        sent->signer = (uint16_t)(sent->view % WHOLE_N);
        sent->slot = message->body.pre_prepare.proposal.slot;
        sy_proposal_digest(&digest, &whole->world.genesis, &message->body.pre_prepare.proposal);
        sent->digest = whole_hash(whole, &digest);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        sent->view = message->body.vote.view;
        sent->signer = message->body.vote.signer;
        sent->slot = message->body.vote.slot;
        sent->digest = whole_hash(whole, &message->body.vote.proposal_digest);
        break;
    case SY_MESSAGE_SEAL:
        sent->signer = message->body.seal.seal.signer;
        sent->slot = message->body.seal.height;
        sent->digest = whole_hash(whole, &message->body.seal.header_hash);
        return whole->rules.seals && sent->slot <= whole->rules.slots;
    case SY_MESSAGE_VIEW_CHANGE:
        sent->view = message->body.view_change.view;
        sent->signer = message->body.view_change.signer;
        sent->shows = message->body.view_change.count > 0;
        sy_view_change_digest(&digest, &whole->world.genesis, &message->body.view_change, WHOLE_N);
        sent->digest = whole_hash(whole, &digest);
        break;
    case SY_MESSAGE_NEW_VIEW:
        sent->view = message->body.new_view.view;
        sent->signer = message->body.new_view.signer;
        for (uint16_t i = 0; i < message->body.new_view.count; i++)
            sent->named[message->body.new_view.changes[i].signer] =
                whole_hash(whole, &message->body.new_view.changes[i].digest);
        find_fixed(whole, sent->fixes, &message->body.new_view);
        break;
    default: return false;
    }
    return sent->view <= 1 && sent->slot <= whole->rules.slots;
}

static unsigned group_of(const struct sent_message *sent)
{
    bool change = sent->type == SY_MESSAGE_VIEW_CHANGE || sent->type == SY_MESSAGE_NEW_VIEW;
    if (change) return 0;
    unsigned place = sent->type == SY_MESSAGE_SEAL ? 2 : (unsigned)sent->view;
    return 1 + place * WHOLE_SLOTS + (unsigned)sent->slot - 1;
}

int whole_message(struct whole *whole, const struct sy_message *message)
{
    static uint8_t bytes[SY_FRAME_BYTES_MAX];
    struct sent_message sent;
    if (!note_message(whole, &sent, message)) return -1;
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    sy_message_encode(&writer, message);
    SY_ASSERT(!writer.failed);
    uint32_t number = table_add(&whole->messages, bytes, writer.used, NULL);
    SY_ASSERT(number < WHOLE_MESSAGES_MAX);
    whole->sent[number] = sent;
    set_put(&whole->groups[group_of(&sent)], number);
    if (sent.signer == WHOLE_FAULTY) set_put(&whole->faulty, number);
    return (int)number;
}

/* --- one step -------------------------------------------------------------------------------- */

static void note_sent(struct whole *whole, struct message_set *set, const struct occurrence *item)
{
    static struct sy_message message;
    bool decoded = sy_message_decode(&message, sy_slice_of(item->bytes, item->size), WHOLE_N);
    SY_ASSERT(decoded);
    int number = whole_message(whole, &message);
    if (number >= 0) set_put(set, (unsigned)number);
}

/* What the queue holds now was sent, or is found again in the model's state. A NEW_VIEW is looked
 * at last: the VIEW_CHANGEs that it names must be known. */
static void collect_sent(struct whole *whole, struct message_set *set)
{
    struct occurrence *last[64];
    unsigned last_count = 0;
    for (struct occurrence *item; (item = world_pop(&whole->world));) {
        bool message = item->what == HAPPENS_DELIVER;
        if (message && item->bytes[0] == SY_MESSAGE_NEW_VIEW) {
            SY_ASSERT(last_count < sizeof last / sizeof last[0]);
            last[last_count++] = item;
            continue;
        }
        if (message) note_sent(whole, set, item);
        free(item->bytes);
        free(item);
    }
    for (unsigned i = 0; i < last_count; i++) {
        note_sent(whole, set, last[i]);
        free(last[i]->bytes);
        free(last[i]);
    }
}

static void note_decisions(struct whole *whole, uint16_t node)
{
    const sy_pbft *pbft = whole->world.nodes[node].pbft;
    struct aside *aside = &whole->asides[node];
    for (unsigned s = 1; s <= WHOLE_SLOTS; s++) {
        const struct slot *slot = &pbft->slots[s];
        if (slot->number != s || !slot->chosen || aside->settled[s] != 0) continue;
        aside->settled[s] = whole_hash(whole, &slot->chosen->digest);
        if (pbft->view == 0) aside->decided[s] = aside->settled[s];
    }
}

static bool finish_stored(struct whole *whole, uint16_t node)
{
    const struct node_model *model = &whole->world.nodes[node];
    uint64_t token = 0;
    for (unsigned i = 0; i < model->record_count; i++) {
        uint64_t t = model->records[i].token;
        if (t != 0 && (token == 0 || t < token)) token = t;
    }
    if (token != 0) node_on_durable(&whole->world, node, token);
    return token != 0;
}

static bool finish_executed(struct whole *whole, uint16_t node)
{
    if (whole->world.nodes[node].queued == 0) return false;
    node_on_executed(&whole->world, node);
    return true;
}

static bool finish_certified(struct whole *whole, uint16_t node)
{
    const struct node_model *model = &whole->world.nodes[node];
    uint64_t next = model->certified + 1;
    if (!model->blocks[next].executed || model->blocks[next].certificate.count == 0) return false;
    node_on_certified(&whole->world, node, next);
    return true;
}

static void hear(struct whole *whole, uint16_t node, uint16_t peer)
{
    static struct sy_message message;
    if (peer == node) return;
    message.type = SY_MESSAGE_BATCH_FETCH; // which the machine leaves to the node
    struct sy_pbft_event heard = {.type = SY_PBFT_MESSAGE};
    heard.as.message.from = peer;
    heard.as.message.message = &message;
    node_step(&whole->world, node, &heard);
}

/* The body goes to the primary, and that helps nothing; the others are heard. */
static void wait_too_long(struct whole *whole, uint16_t node)
{
    struct sy_pbft_event timer = {.type = SY_PBFT_TIMER};
    timer.as.timer = SY_PBFT_TIMER_VIEW;
    for (uint64_t waited_ns = LOOK_NS; waited_ns < WHOLE_WAIT_NS; waited_ns += LOOK_NS) {
        whole->world.now_ns = whole->start_ns + waited_ns;
        node_step(&whole->world, node, &timer);
    }
    whole->world.now_ns = whole->start_ns + WHOLE_WAIT_NS;
    for (uint16_t peer = 0; peer < WHOLE_N; peer++)
        if (peer != WHOLE_FAULTY) hear(whole, node, peer);
    whole->asides[node].waited = true;
}

static void handle(struct whole *whole, uint16_t node, unsigned number)
{
    static struct sy_message message;
    struct sy_pbft_event event = {.type = SY_PBFT_MESSAGE};
    whole_message_at(whole, &message, number);
    event.as.message.from = whole->sent[number].signer;
    event.as.message.message = &message;
    node_step(&whole->world, node, &event);
}

static void run_event(struct whole *whole, uint16_t node, uint16_t event)
{
    whole->world.now_ns = whole->start_ns + (whole->asides[node].waited ? WHOLE_WAIT_NS : 0);
    if (event < WHOLE_MESSAGES_MAX) handle(whole, node, event);
    if (event == EVENT_WAITED) wait_too_long(whole, node);
    if (event == EVENT_STORED) finish_stored(whole, node);
    if (event == EVENT_EXECUTED) finish_executed(whole, node);
    if (event == EVENT_CERTIFIED) finish_certified(whole, node);
    note_decisions(whole, node);
    while (whole->rules.prompt && !whole->world_result.failure[0] &&
           (finish_stored(whole, node) || finish_executed(whole, node) ||
            finish_certified(whole, node)))
        note_decisions(whole, node);
}

const struct step *whole_step(struct whole *whole, uint32_t from, uint16_t event)
{
    uint32_t key[2] = {from, event};
    bool is_new;
    uint32_t number = table_add(&whole->step_keys, key, sizeof key, &is_new);
    if (!is_new) return &whole->steps[number];
    whole->steps =
        (struct step *)grown(whole->steps, &whole->step_room, number + 1u, sizeof whole->steps[0]);
    uint16_t node = whole->locals[from].node;
    struct message_set sent = {{0}};
    take_back(whole, from);
    run_event(whole, node, event);
    collect_sent(whole, &sent);
    uint32_t to = put_aside(whole, node);
    uint32_t set = whole_set(whole, &sent);
    whole->steps[number] = (struct step){from, event, to, set};
    if (whole->world_result.failure[0] && whole->failed.event == 0 && whole->failed.to == 0)
        whole->failed = whole->steps[number];
    return &whole->steps[number];
}

const struct message_set *whole_wants(struct whole *whole, uint32_t at)
{
    static struct sy_message message;
    struct local *local = &whole->locals[at];
    if (local->asked == whole->messages.count) return &local->wanted;
    struct node_model *model = &whole->world.nodes[local->node];
    take_back(whole, at);
    for (; local->asked < whole->messages.count; local->asked++) {
        if (whole->sent[local->asked].signer == local->node) continue;
        whole_message_at(whole, &message, local->asked);
        if (sy_pbft_wants(model->pbft, &message)) set_put(&local->wanted, local->asked);
    }
    forget(model);
    return &local->wanted;
}

uint32_t whole_at_rest(struct whole *whole, uint32_t at)
{
    if (whole->locals[at].at_rest != 0) return whole->locals[at].at_rest - 1;
    uint16_t node = whole->locals[at].node;
    take_back(whole, at);
    whole_alike_at_rest(whole, node);
    uint32_t rest = put_aside(whole, node);
    whole->locals[at].at_rest = rest + 1;
    return rest;
}

uint32_t whole_node_open(struct whole *whole, uint16_t node)
{
    struct message_set sent = {{0}};
    whole->world.now_ns = whole->start_ns;
    while (finish_stored(whole, node)) continue;
    // The others have answered its start (P39), which is not what is tried here.
    whole->world.nodes[node].pbft->recalled = true;
    for (uint16_t peer = 0; peer < WHOLE_N; peer++) hear(whole, node, peer);
    collect_sent(whole, &sent);
    for (unsigned i = 0; i < WHOLE_MESSAGES_MAX / 64; i++) SY_ASSERT(sent.bits[i] == 0);
    list_machine(whole, node, whole->world.nodes[node].pbft);
    list_model(whole, node);
    drop_statistics(&whole->world.nodes[node]);
    const sy_arena *arena = whole->world.nodes[node].arena;
    whole->opened[node] = (uint8_t *)malloc(arena->size_bytes);
    SY_ASSERT(whole->opened[node]);
    memcpy(whole->opened[node], arena->base, arena->size_bytes);
    return put_aside(whole, node);
}

void whole_node_clear(struct whole *whole, uint16_t node)
{
    struct node_model *model = &whole->world.nodes[node];
    memset(model->blocks, 0, (SLOTS_TOUCHED + 1) * sizeof model->blocks[0]);
    memset(model->signatures, 0, SIGNATURES_TOUCHED * sizeof model->signatures[0]);
}
