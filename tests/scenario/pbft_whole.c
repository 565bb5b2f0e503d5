/* pbft_whole.c: the search, fewest delays first, and what must hold between validators. */
#include "tests/scenario/pbft_whole_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define CORRECT (WHOLE_N - 1)

/* A state of the world; validator i + 1 is in state `at[i]` and lets pass what is in list
 * `refused[i]`. */
struct place {
    uint32_t at[CORRECT];
    uint32_t refused[CORRECT];
    uint32_t set;
};

/* How it was reached first, or with fewer delays. */
struct reached {
    uint32_t before; /* number + 1 */
    uint8_t delays;
    uint8_t mover;
    bool left; /* what follows was found */
};

/* Places to be looked at, the oldest first. */
struct queue {
    uint32_t *items;
    size_t first, count, room;
};

struct search {
    struct whole whole;
    struct whole_table places, heard_keys, fates;
    struct reached *reached;
    size_t reached_room;
    uint32_t *heard;
    size_t heard_room;
    struct queue queues[WHOLE_DELAYS_MAX + 1]; /* by delays */
    uint32_t newest;                           /* the place that was arrived at last */
    bool cut;                                  /* something was not tried for its delays */
};

static struct place place_at(const struct search *search, uint32_t number)
{
    struct place place;
    memcpy(&place, search->places.items[number].bytes, sizeof place);
    return place;
}

/* What of a set this validator can receive, so that it is asked once for sets that differ in its
 * own messages alone. */
static uint32_t others_of(struct search *search, uint32_t set, uint16_t node)
{
    uint32_t key[2] = {set, node};
    bool is_new;
    uint32_t at = table_add(&search->heard_keys, key, sizeof key, &is_new);
    if (!is_new) return search->heard[at];
    struct message_set others = *whole_set_at(&search->whole, set);
    for (unsigned i = 0; i < search->whole.messages.count; i++)
        if (search->whole.sent[i].signer == node) others.bits[i / 64] &= ~((uint64_t)1 << i % 64);
    search->heard =
        (uint32_t *)grown(search->heard, &search->heard_room, at + 1u, sizeof search->heard[0]);
    return search->heard[at] = whole_set(&search->whole, &others);
}

/* What a validator can do, refused or not. */
static uint32_t moves_at(struct search *search, const struct place *place, unsigned mover)
{
    uint32_t heard = others_of(search, place->set, (uint16_t)(mover + 1));
    return local_moves(&search->whole, place->at[mover], heard);
}

/* --- checks ---------------------------------------------------------------------------------- */

static void check_agreement(struct whole *whole, const struct local *a, const struct local *b)
{
    for (unsigned h = 1; h <= WHOLE_SLOTS; h++) {
        if (a->settled[h] != 0 && b->settled[h] != 0 && a->settled[h] != b->settled[h])
            check_fail(&whole->world, "validators %u and %u decided differently in slot %u",
                       a->node, b->node, h);
        if (a->executed[h] != 0 && b->executed[h] != 0 && a->executed[h] != b->executed[h])
            check_fail(&whole->world, "validators %u and %u executed different blocks at height %u",
                       a->node, b->node, h);
    }
}

static bool check_kept(struct whole *whole, const struct local *local,
                       const struct sent_message *new_view)
{
    bool kept = false;
    for (unsigned s = 1; s <= WHOLE_SLOTS; s++) {
        if (local->decided[s] == 0) continue;
        kept = true;
        if (new_view->fixes[s] != local->decided[s] && new_view->fixes[s] != 255)
            check_fail(&whole->world,
                       "a NEW_VIEW does not keep what validator %u decided in slot %u", local->node,
                       s);
    }
    return kept;
}

/* What there is to count in a state that was checked. */
struct seen {
    bool new_view, kept;
};

static struct seen check_place(struct whole *whole, const struct place *place)
{
    const struct local *locals[CORRECT];
    const struct message_set *set = whole_set_at(whole, place->set);
    for (unsigned i = 0; i < CORRECT; i++) locals[i] = &whole->locals[place->at[i]];
    for (unsigned i = 0; i < CORRECT; i++)
        for (unsigned j = 0; j < i; j++) check_agreement(whole, locals[j], locals[i]);
    bool kept = false;
    unsigned new_views = 0;
    for (unsigned m = 0; m < whole->messages.count; m++) {
        if (whole->sent[m].type != SY_MESSAGE_NEW_VIEW || !set_has(set, m)) continue;
        new_views++;
        for (unsigned i = 0; i < CORRECT; i++)
            kept |= check_kept(whole, locals[i], &whole->sent[m]);
    }
    if (new_views > 1) check_fail(&whole->world, "there are %u NEW_VIEWs of one view", new_views);
    return (struct seen){new_views > 0, kept};
}

/* --- how a failure came about ---------------------------------------------------------------- */

static void print_event(const struct whole *whole, unsigned node, uint16_t event)
{
    static const char *const types[] = {
        [SY_MESSAGE_PRE_PREPARE] = "PRE_PREPARE", [SY_MESSAGE_PREPARE] = "PREPARE",
        [SY_MESSAGE_COMMIT] = "COMMIT",           [SY_MESSAGE_SEAL] = "SEAL",
        [SY_MESSAGE_VIEW_CHANGE] = "VIEW_CHANGE", [SY_MESSAGE_NEW_VIEW] = "NEW_VIEW"};
    static const char *const others[] = {"waited too long", "has stored a record",
                                         "has executed a block", "has stored a certificate"};
    const struct sent_message *sent = &whole->sent[event];
    if (event >= WHOLE_MESSAGES_MAX)
        printf("  validator %u %s\n", node, others[event - WHOLE_MESSAGES_MAX]);
    else
        printf("  validator %u handles message %u: %s of %u, view %llu, slot %llu, digest %u\n",
               node, event, types[sent->type], sent->signer, (unsigned long long)sent->view,
               (unsigned long long)sent->slot, sent->digest);
}

static void print_move(struct search *search, const struct place *from, unsigned mover,
                       const struct step *last)
{
    uint16_t events[PATH_EVENTS_MAX];
    uint32_t set = others_of(search, from->set, (uint16_t)(mover + 1));
    unsigned count = local_path(&search->whole, events, from->at[mover], set, last);
    while (count-- > 0) print_event(&search->whole, mover + 1, events[count]);
}

static void print_way(struct search *search, uint32_t number)
{
    uint32_t way[256];
    unsigned count = 0;
    for (uint32_t i = number + 1; i != 0 && count < 256; i = search->reached[i - 1].before)
        way[count++] = i - 1;
    while (count-- > 1) {
        struct place from = place_at(search, way[count]);
        struct place to = place_at(search, way[count - 1]);
        unsigned mover = search->reached[way[count - 1]].mover;
        if (to.refused[mover] != 0) continue; // it moved nothing
        struct list moves = list_at(&search->whole, moves_at(search, &from, mover));
        for (size_t i = 0; i < moves.count; i++) {
            struct outcome outcome = outcome_at(&search->whole, moves.items[i]);
            struct step last = {.event = EVENTS, .to = outcome.to, .sent = outcome.sent};
            if (outcome.to != to.at[mover]) continue;
            print_move(search, &from, mover, &last);
            break;
        }
    }
}

static void tell_failure(struct search *search, uint32_t number, unsigned mover)
{
    struct whole *whole = &search->whole;
    printf("%s\n", whole->world_result.failure);
    print_way(search, number);
    if (mover < CORRECT) {
        struct place place = place_at(search, number);
        print_move(search, &place, mover, &whole->failed);
    }
    fflush(stdout);
}

/* --- the search ------------------------------------------------------------------------------ */

static void push(struct search *search, uint32_t number, unsigned delays)
{
    struct queue *queue = &search->queues[delays];
    queue->items =
        (uint32_t *)grown(queue->items, &queue->room, queue->count + 1, sizeof queue->items[0]);
    queue->items[queue->count++] = number;
}

static void arrive(struct search *search, const struct place *place, const struct reached *how,
                   const struct seen *seen)
{
    struct whole *whole = &search->whole;
    bool is_new;
    uint32_t number = table_add(&search->places, place, sizeof *place, &is_new);
    whole->result->transitions++;
    search->newest = number;
    if (!is_new && how->delays >= search->reached[number].delays) return;
    search->reached = (struct reached *)grown(search->reached, &search->reached_room, number + 1u,
                                              sizeof search->reached[0]);
    search->reached[number] = *how;
    push(search, number, how->delays);
    if (!is_new) return;
    whole->result->new_views += seen->new_view;
    whole->result->kept += seen->kept;
}

/* Whether a validator in this state can still need such a message. */
static bool needs(const struct local *local, const struct sent_message *sent, bool new_view,
                  const uint8_t named[WHOLE_N])
{
    if (sent->signer == local->node) return false;
    switch (sent->type) {
    case SY_MESSAGE_VIEW_CHANGE:
        if (local->view > 0 && local->begun) return false;
        return !new_view || named[sent->signer] == sent->digest;
    case SY_MESSAGE_NEW_VIEW: return local->view == 0 || !local->begun;
    case SY_MESSAGE_PREPARE:
        if (sent->view == 0 && !new_view) return true; // for a VIEW_CHANGE of the faulty one
        return sent->view >= local->view &&
               !(sent->view == local->view && local->committed[sent->slot]);
    case SY_MESSAGE_COMMIT:
        return sent->view >= local->view &&
               !(sent->view == local->view && local->committed[sent->slot] &&
                 local->settled[sent->slot]);
    case SY_MESSAGE_PRE_PREPARE: return sent->view >= local->view;
    default: return true;
    }
}

/* Messages that nobody can want any more. */
static void drop_dead(struct whole *whole, struct place *place)
{
    struct message_set set = *whole_set_at(whole, place->set), kept = {{0}};
    const struct sent_message *new_view = NULL;
    if (whole->rules.plain) return;
    for (unsigned m = 0; m < whole->messages.count; m++)
        if (set_has(&set, m) && whole->sent[m].type == SY_MESSAGE_NEW_VIEW)
            new_view = &whole->sent[m];
    for (unsigned m = 0; m < whole->messages.count; m++) {
        if (!set_has(&set, m)) continue;
        bool needed = false;
        for (unsigned i = 0; i < CORRECT && !needed; i++)
            needed = needs(&whole->locals[place->at[i]], &whole->sent[m], new_view != NULL,
                           new_view ? new_view->named : NULL);
        if (needed) set_put(&kept, m);
    }
    place->set = whole_set(whole, &kept);
}

static void move(struct search *search, uint32_t number, unsigned mover, uint32_t rest)
{
    struct whole *whole = &search->whole;
    const struct place from = place_at(search, number);
    const struct reached how = {number + 1, search->reached[number].delays, (uint8_t)mover, false};
    struct list moves = list_at(whole, rest);
    for (size_t i = 0; i < moves.count && !whole->world_result.failure[0]; i++) {
        struct outcome outcome = outcome_at(whole, moves.items[i]);
        struct place to = from;
        struct message_set set = *whole_set_at(whole, from.set);
        const struct message_set *sent = whole_set_at(whole, outcome.sent);
        for (unsigned w = 0; w < WHOLE_MESSAGES_MAX / 64; w++) set.bits[w] |= sent->bits[w];
        to.at[mover] = outcome.to;
        to.refused[mover] = 0;
        to.set = faulty_closure(whole, whole_set(whole, &set));
        struct seen seen = check_place(whole, &to);
        drop_dead(whole, &to);
        arrive(search, &to, &how, &seen);
    }
    if (whole->world_result.failure[0]) tell_failure(search, search->newest, CORRECT);
}

/* Giving up the primary is never due, everything else is. */
static bool is_late(const struct whole *whole, const struct local *at, uint32_t rest)
{
    struct list moves = list_at(whole, rest);
    for (size_t i = 0; i < moves.count; i++) {
        const struct local *to = &whole->locals[outcome_at(whole, moves.items[i]).to];
        if (to->view == at->view || to->begun) return true;
    }
    return false;
}

static void refuse(struct search *search, uint32_t number, unsigned mover, uint32_t rest)
{
    struct whole *whole = &search->whole;
    struct place place = place_at(search, number);
    struct reached how = {number + 1, search->reached[number].delays, (uint8_t)mover, false};
    how.delays = (uint8_t)(how.delays + is_late(whole, &whole->locals[place.at[mover]], rest));
    if (how.delays > whole->rules.delays_max) {
        search->cut = true;
        return;
    }
    place.refused[mover] = list_join(whole, place.refused[mover], rest);
    struct seen seen = {false, false};
    arrive(search, &place, &how, &seen);
}

/* What became of it all, the same in every search: digests, not their numbers. */
static void note_fate(struct search *search, const struct place *place)
{
    const struct whole *whole = &search->whole;
    struct sy_hash fate[CORRECT][3][WHOLE_SLOTS];
    memset(fate, 0, sizeof fate);
    for (unsigned i = 0; i < CORRECT; i++) {
        const struct local *local = &whole->locals[place->at[i]];
        for (unsigned s = 1; s <= WHOLE_SLOTS; s++) {
            const uint8_t numbers[3] = {local->settled[s], local->decided[s], local->executed[s]};
            for (unsigned k = 0; k < 3; k++)
                if (numbers[k] != 0) fate[i][k][s - 1] = *whole_hash_at(whole, numbers[k]);
        }
    }
    bool is_new;
    struct sy_hash sum;
    table_add(&search->fates, fate, sizeof fate, &is_new);
    if (!is_new) return;
    sy_sha256(&sum, fate, sizeof fate);
    whole->result->fates++;
    for (unsigned i = 0; i < sizeof sum.bytes; i++)
        whole->result->fates_sum.bytes[i] ^= sum.bytes[i];
}

static void note_end(struct search *search, const struct place *place)
{
    struct whole *whole = &search->whole;
    bool over = true;
    for (unsigned i = 0; i < CORRECT; i++) over &= moves_at(search, place, i) == 0;
    if (over) note_fate(search, place);
    unsigned carried = 0;
    for (unsigned s = 1; s <= WHOLE_SLOTS; s++) {
        bool before = false, after = false;
        for (unsigned i = 0; i < CORRECT; i++) {
            const struct local *local = &whole->locals[place->at[i]];
            before |= local->decided[s] != 0;
            after |= local->decided[s] == 0 && local->settled[s] != 0;
        }
        carried += before && after;
    }
    whole->result->ends++;
    whole->result->carried[carried]++;
}

/* Nothing that it can do excludes anything else, now or later. Seals are another matter: who has a
 * certificate votes no more; and the next primary chooses what its NEW_VIEW names. */
static bool is_confluent(const struct whole *whole, const struct local *local)
{
    if (whole->rules.plain || whole->rules.seals) return false;
    return local->view > 0 && (local->node != 1 || local->begun);
}

/* One step of a validator that has no choice. */
static bool go_on(struct search *search, uint32_t number, const struct place *from)
{
    struct whole *whole = &search->whole;
    for (unsigned mover = 0; mover < CORRECT; mover++) {
        if (!is_confluent(whole, &whole->locals[from->at[mover]])) continue;
        uint32_t moves = moves_at(search, from, mover);
        if (whole->world_result.failure[0]) {
            tell_failure(search, number, mover);
            return true;
        }
        if (moves == 0) continue;
        uint32_t first = list_at(whole, moves).items[0];
        move(search, number, mover, list_of(whole, first));
        return true;
    }
    return false;
}

static void leave(struct search *search, uint32_t number)
{
    struct whole *whole = &search->whole;
    const struct place from = place_at(search, number);
    if (go_on(search, number, &from)) return;
    for (unsigned mover = 0; mover < CORRECT; mover++) {
        uint32_t moves = moves_at(search, &from, mover);
        if (whole->world_result.failure[0]) {
            tell_failure(search, number, mover);
            return;
        }
        uint32_t rest = list_without(whole, moves, from.refused[mover]);
        if (rest == 0) continue;
        move(search, number, mover, rest);
        if (!whole->world_result.failure[0]) refuse(search, number, mover, rest);
        return;
    }
    note_end(search, &from);
}

static void search_all(struct search *search)
{
    struct whole *whole = &search->whole;
    for (unsigned d = 0; d <= whole->rules.delays_max; d++) {
        struct queue *queue = &search->queues[d];
        while (queue->first < queue->count) {
            if (whole->world_result.failure[0]) return;
            if (search->places.count >= whole->rules.states_max) return;
            uint32_t number = queue->items[queue->first++];
            if (search->reached[number].left) continue;
            leave(search, number);
            search->reached[number].left = true;
        }
    }
    whole->result->finished = !whole->world_result.failure[0];
    whole->result->unbounded = whole->result->finished && !search->cut;
}

static void open_search(struct search *search)
{
    struct whole *whole = &search->whole;
    struct world *world = &whole->world;
    world_rules_default(&world->rules, WHOLE_N);
    world->rules.loss_percent = world->rules.duplicate_percent = world->rules.restarts = 0;
    world->rules.batches = 0;
    world->rules.faults_until_ns = 0;
    world->rules.clock_spread_ms = 0;
    world->rules.faulty = 1;
    world->rules.primary_faulty = true;
    world->rules.fault = WORLD_SILENT;
    world->result = &whole->world_result;
    world->effects = &whole->effects;
    sy_prng_seed(&world->prng, 1); // delays, which nothing here looks at
    world->now_ns = whole->start_ns = 1000 * MS;
    for (uint16_t b = 0; b < WHOLE_SLOTS; b++) {
        struct batch_model *batch = &world->batches[world->batch_count++];
        *batch = (struct batch_model){.maker = (uint16_t)(b + 2), .seq = 1};
        sy_sha256(&batch->digest, &b, sizeof b);
        for (unsigned i = 0; i < WHOLE_N; i++) world->nodes[i].has_body[b] = true;
    }
    world_open(world);
    struct message_set nothing = {{0}};
    struct place place = {.set = whole_set(whole, &nothing)};
    for (uint16_t i = 0; i < CORRECT; i++) place.at[i] = whole_node_open(whole, (uint16_t)(i + 1));
    place.set = faulty_closure(whole, place.set);
    struct reached how = {.mover = CORRECT};
    struct seen seen = check_place(whole, &place);
    arrive(search, &place, &how, &seen);
}

static void close_search(struct search *search)
{
    struct whole *whole = &search->whole;
    for (uint16_t i = 1; i < WHOLE_N; i++) whole_node_clear(whole, i);
    world_close(&whole->world);
    struct whole_table *const tables[] = {
        &whole->hashes,       &whole->blobs,    &whole->messages,  &whole->sets,
        &whole->lines,        &whole->states,   &whole->step_keys, &whole->move_keys,
        &whole->closure_keys, &whole->outcomes, &whole->lists,     &search->places,
        &search->heard_keys,  &search->fates};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) table_close(tables[i]);
    void *const arrays[] = {whole->locals,   whole->cells,    whole->steps, whole->moves,
                            whole->closures, search->reached, search->heard};
    for (unsigned d = 0; d <= WHOLE_DELAYS_MAX; d++) free(search->queues[d].items);
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
    for (unsigned i = 0; i < WHOLE_N; i++) free(whole->opened[i]);
    free(search);
}

void whole_run(struct whole_result *result, const struct whole_rules *rules)
{
    struct search *search = (struct search *)calloc(1, sizeof *search);
    SY_ASSERT(search);
    *result = (struct whole_result){0};
    search->whole.rules = *rules;
    search->whole.result = result;
    open_search(search);
    search_all(search);
    result->states = search->places.count;
    result->locals = search->whole.states.count;
    result->steps = search->whole.step_keys.count;
    result->messages = search->whole.messages.count;
    snprintf(result->failure, sizeof result->failure, "%s", search->whole.world_result.failure);
    close_search(search);
}
