/* pbft_whole.c: the search, breadth first, and what must hold between validators. */
#include "tests/scenario/pbft_whole_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define CORRECT (WHOLE_N - 1)

/* A state of the world; validator i + 1 is in state `at[i]`. */
struct place {
    uint32_t at[CORRECT];
    uint32_t set;
};

/* How it was reached first. */
struct reached {
    uint32_t before; /* number + 1 */
    uint32_t depth;
    uint8_t mover;
};

struct search {
    struct whole whole;
    struct whole_table places, heard_keys;
    struct reached *reached;
    size_t reached_room;
    uint32_t *heard;
    size_t heard_room;
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

/* --- checks ---------------------------------------------------------------------------------- */

static void check_agreement(struct whole *whole, const struct local *a, const struct local *b)
{
    for (unsigned h = 1; h <= WHOLE_SLOTS; h++)
        if (a->executed[h] != 0 && b->executed[h] != 0 && a->executed[h] != b->executed[h])
            check_fail(&whole->world, "validators %u and %u executed different blocks at height %u",
                       a->node, b->node, h);
}

static void check_kept(struct whole *whole, const struct local *local,
                       const struct sent_message *new_view)
{
    for (unsigned s = 1; s <= WHOLE_SLOTS; s++) {
        if (local->decided[s] == 0) continue;
        whole->result->kept++;
        if (new_view->fixes[s] != local->decided[s] && new_view->fixes[s] != 255)
            check_fail(&whole->world,
                       "a NEW_VIEW does not keep what validator %u decided in slot %u", local->node,
                       s);
    }
}

static void check_place(struct whole *whole, const struct place *place)
{
    const struct local *locals[CORRECT];
    const struct message_set *set = whole_set_at(whole, place->set);
    for (unsigned i = 0; i < CORRECT; i++) locals[i] = &whole->locals[place->at[i]];
    for (unsigned i = 0; i < CORRECT; i++)
        for (unsigned j = 0; j < i; j++) check_agreement(whole, locals[j], locals[i]);
    for (unsigned h = 1; h <= WHOLE_SLOTS; h++)
        whole->result->executed[h] +=
            locals[0]->executed[h] || locals[1]->executed[h] || locals[2]->executed[h];
    bool any = false;
    for (unsigned m = 0; m < whole->messages.count; m++) {
        if (whole->sent[m].type != SY_MESSAGE_NEW_VIEW || !set_has(set, m)) continue;
        any = true;
        for (unsigned i = 0; i < CORRECT; i++) check_kept(whole, locals[i], &whole->sent[m]);
    }
    whole->result->new_views += any;
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
        struct local_moves moves = local_moves(&search->whole, from.at[mover],
                                               others_of(search, from.set, (uint16_t)(mover + 1)));
        for (uint32_t i = 0; i < moves.count; i++) {
            struct outcome outcome = search->whole.outcomes[moves.first + i];
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

static void arrive(struct search *search, const struct place *place, uint32_t before,
                   unsigned mover)
{
    struct whole *whole = &search->whole;
    bool is_new;
    uint32_t number = table_add(&search->places, place, sizeof *place, &is_new);
    whole->result->transitions++;
    if (!is_new) return;
    search->reached = (struct reached *)grown(search->reached, &search->reached_room, number + 1u,
                                              sizeof search->reached[0]);
    uint32_t depth = before == 0 ? 0 : search->reached[before - 1].depth + 1;
    search->reached[number] = (struct reached){before, depth, (uint8_t)mover};
    check_place(whole, place);
    if (whole->world_result.failure[0]) tell_failure(search, number, CORRECT);
}

static void leave(struct search *search, uint32_t number, unsigned mover)
{
    struct whole *whole = &search->whole;
    const struct place from = place_at(search, number);
    uint32_t heard = others_of(search, from.set, (uint16_t)(mover + 1));
    struct local_moves moves = local_moves(whole, from.at[mover], heard);
    if (whole->world_result.failure[0]) tell_failure(search, number, mover);
    for (uint32_t i = 0; i < moves.count && !whole->world_result.failure[0]; i++) {
        struct outcome outcome = whole->outcomes[moves.first + i];
        struct place to = from;
        struct message_set set = *whole_set_at(whole, from.set);
        const struct message_set *sent = whole_set_at(whole, outcome.sent);
        for (unsigned w = 0; w < WHOLE_MESSAGES_MAX / 64; w++) set.bits[w] |= sent->bits[w];
        to.at[mover] = outcome.to;
        to.set = faulty_closure(whole, whole_set(whole, &set));
        arrive(search, &to, number + 1, mover);
    }
}

static void search_all(struct search *search)
{
    struct whole *whole = &search->whole;
    struct whole_result *result = whole->result;
    uint32_t number = 0;
    for (; number < search->places.count; number++) {
        if (whole->world_result.failure[0] || search->places.count >= whole->rules.states_max)
            break;
        if (search->reached[number].depth >= whole->rules.depth_max) break;
        for (unsigned mover = 0; mover < CORRECT && !whole->world_result.failure[0]; mover++)
            leave(search, number, mover);
    }
    result->finished = number == search->places.count && !whole->world_result.failure[0];
    result->depth = search->reached[number < search->places.count ? number : number - 1].depth;
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
    arrive(search, &place, 0, CORRECT);
}

static void close_search(struct search *search)
{
    struct whole *whole = &search->whole;
    world_close(&whole->world);
    struct whole_table *const tables[] = {
        &whole->hashes,       &whole->blobs,   &whole->messages,   &whole->sets,
        &whole->lines,        &whole->states,  &whole->step_keys,  &whole->move_keys,
        &whole->closure_keys, &search->places, &search->heard_keys};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) table_close(tables[i]);
    void *const arrays[] = {whole->locals,   whole->cells,    whole->steps,    whole->moves,
                            whole->outcomes, whole->closures, search->reached, search->heard};
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
