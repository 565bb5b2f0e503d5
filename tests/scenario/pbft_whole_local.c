/* pbft_whole_local.c: what one validator can do until it next shows something: sends a message, or
 * executes a block.
 *
 * First every state is found that steps which show nothing lead to, with all such steps between
 * them; then the steps that show something, from each of them. One of those, y after x, is left out
 * if x after y leads to the same state and sends the same altogether: y is then found from the
 * state before x, and x is what the validator does next, or later. Each time this is said of a
 * shorter walk, so nothing is left out in a circle. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/scenario/pbft_whole_internal.h"

/* A step that showed nothing: it led from one state to another. */
struct edge {
    uint32_t from;
    uint16_t event;
    uint32_t next; /* the next one to the same state, + 1 */
};

struct walk {
    struct whole *whole;
    struct message_set set;
    struct whole_table states, found;
    uint32_t *into; /* of each state: the last edge to it, + 1 */
    size_t into_room;
    uint8_t *quiet; /* of each state: how many steps lead to it, at least */
    size_t quiet_room;
    struct edge *edges;
    size_t edge_count, edge_room;
};

/* Disks and ledgers that finish at once leave nothing under way. */
static bool can_happen(const struct whole *whole, const struct message_set *set, uint32_t at,
                       uint16_t event)
{
    const struct local *local = &whole->locals[at];
    if (event < WHOLE_MESSAGES_MAX)
        return set_has(set, event) && whole->sent[event].signer != local->node;
    if (event == EVENT_WAITED)
        return !local->waited && local->view == 0 &&
               local->node > WHOLE_N - 1 - whole->rules.leavers;
    return local->busy;
}

static bool shows(const struct whole *whole, const struct step *step)
{
    const struct local *from = &whole->locals[step->from], *to = &whole->locals[step->to];
    return step->sent != 0 || memcmp(from->executed, to->executed, sizeof to->executed) != 0 ||
           memcmp(from->decided, to->decided, sizeof to->decided) != 0;
}

static bool sent_alike(const struct whole *whole, const struct step *first,
                       const struct step *second, const struct step *both)
{
    const struct message_set *a = whole_set_at(whole, first->sent);
    const struct message_set *b = whole_set_at(whole, second->sent);
    const struct message_set *c = whole_set_at(whole, both->sent);
    for (unsigned w = 0; w < WHOLE_MESSAGES_MAX / 64; w++)
        if ((a->bits[w] | b->bits[w]) != c->bits[w]) return false;
    return true;
}

/* `after` came after a step that showed nothing: would it have come as well before it? */
static bool swaps(struct walk *walk, const struct edge *edge, const struct step *after)
{
    struct whole *whole = walk->whole;
    if (!can_happen(whole, &walk->set, edge->from, after->event)) return false;
    struct step first = *whole_step(whole, edge->from, after->event);
    if (!shows(whole, &first) || !can_happen(whole, &walk->set, first.to, edge->event))
        return false;
    struct step second = *whole_step(whole, first.to, edge->event);
    return second.to == after->to && sent_alike(whole, &first, &second, after);
}

static void add_edge(struct walk *walk, size_t i, uint32_t from, uint16_t event, uint32_t to)
{
    bool is_new;
    if (walk->quiet[i] == walk->whole->rules.quiet_max) return;
    uint32_t at = table_add(&walk->states, &to, sizeof to, &is_new);
    walk->into = (uint32_t *)grown(walk->into, &walk->into_room, at + 1u, sizeof walk->into[0]);
    walk->quiet = (uint8_t *)grown(walk->quiet, &walk->quiet_room, at + 1u, 1);
    if (is_new) walk->quiet[at] = (uint8_t)(walk->quiet[i] + 1);
    walk->edges = (struct edge *)grown(walk->edges, &walk->edge_room, walk->edge_count + 1,
                                       sizeof walk->edges[0]);
    walk->edges[walk->edge_count++] = (struct edge){from, event, is_new ? 0 : walk->into[at]};
    walk->into[at] = (uint32_t)walk->edge_count;
}

static uint32_t state_at(const struct walk *walk, size_t i)
{
    uint32_t state;
    memcpy(&state, walk->states.items[i].bytes, sizeof state);
    return state;
}

static bool is_new_here(struct walk *walk, size_t i, const struct step *step)
{
    for (uint32_t e = walk->into[i]; e != 0; e = walk->edges[e - 1].next)
        if (swaps(walk, &walk->edges[e - 1], step)) return false;
    return true;
}

/* One look at a state of the walk: what shows nothing, or else what does. */
static void look(struct walk *walk, size_t i, bool shown)
{
    struct whole *whole = walk->whole;
    uint32_t at = state_at(walk, i);
    for (uint16_t event = 0; event < EVENTS && !whole->world_result.failure[0]; event++) {
        if (event == whole->messages.count) event = EVENT_WAITED;
        if (!can_happen(whole, &walk->set, at, event)) continue;
        const struct step step = *whole_step(whole, at, event);
        if (step.to == at && step.sent == 0) continue;
        if (shows(whole, &step) != shown) continue;
        if (!shown) {
            add_edge(walk, i, at, event, step.to);
        } else if (is_new_here(walk, i, &step)) {
            struct outcome outcome = {step.to, step.sent};
            table_add(&walk->found, &outcome, sizeof outcome, NULL);
        }
    }
}

static struct local_moves keep_outcomes(struct whole *whole, const struct walk *walk)
{
    struct local_moves moves = {(uint32_t)whole->outcome_count, (uint32_t)walk->found.count};
    whole->outcomes =
        (struct outcome *)grown(whole->outcomes, &whole->outcome_room,
                                whole->outcome_count + moves.count, sizeof whole->outcomes[0]);
    for (size_t i = 0; i < walk->found.count; i++)
        memcpy(&whole->outcomes[whole->outcome_count++], walk->found.items[i].bytes,
               sizeof(struct outcome));
    return moves;
}

struct local_moves local_moves(struct whole *whole, uint32_t from, uint32_t set)
{
    uint32_t key[2] = {from, set};
    bool is_new;
    uint32_t number = table_add(&whole->move_keys, key, sizeof key, &is_new);
    if (!is_new) return whole->moves[number];
    struct walk walk = {.whole = whole, .set = *whole_set_at(whole, set)};
    table_add(&walk.states, &from, sizeof from, NULL);
    walk.into = (uint32_t *)grown(NULL, &walk.into_room, 1, sizeof walk.into[0]);
    walk.quiet = (uint8_t *)grown(NULL, &walk.quiet_room, 1, 1);
    walk.into[0] = walk.quiet[0] = 0;
    for (size_t i = 0; i < walk.states.count; i++) look(&walk, i, false);
    for (size_t i = 0; i < walk.states.count; i++) look(&walk, i, true);
    struct local_moves moves = keep_outcomes(whole, &walk);
    table_close(&walk.states);
    table_close(&walk.found);
    free(walk.into);
    free(walk.quiet);
    free(walk.edges);
    whole->moves = (struct local_moves *)grown(whole->moves, &whole->move_room, number + 1u,
                                               sizeof whole->moves[0]);
    whole->moves[number] = moves;
    return moves;
}

/* --- how it came about ----------------------------------------------------------------------- */

/* Labels every state that steps without messages lead to with the step that led there first. */
static void label(const struct whole *whole, uint32_t *by, uint32_t from,
                  const struct message_set *set)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < whole->step_keys.count; i++) {
            const struct step *step = &whole->steps[i];
            bool reached = step->from == from || by[step->from] != 0;
            if (!reached || step->to == from || by[step->to] != 0) continue;
            if (shows(whole, step)) continue;
            if (!can_happen(whole, set, step->from, step->event)) continue;
            by[step->to] = i + 1;
            more = true;
        }
    }
}

unsigned local_path(const struct whole *whole, uint16_t events[PATH_EVENTS_MAX], uint32_t from,
                    uint32_t set_number, const struct step *last)
{
    const struct message_set *set = whole_set_at(whole, set_number);
    uint32_t *by = (uint32_t *)calloc(whole->states.count, sizeof by[0]);
    SY_ASSERT(by);
    label(whole, by, from, set);
    unsigned count = 0;
    for (uint32_t i = 0; i < whole->step_keys.count && count == 0; i++) {
        const struct step *step = &whole->steps[i];
        bool is_last = step->to == last->to && step->sent == last->sent &&
                       (last->event == EVENTS || step->event == last->event) &&
                       (step->from == from || by[step->from] != 0) &&
                       can_happen(whole, set, step->from, step->event);
        if (!is_last) continue;
        events[count++] = step->event;
        for (uint32_t at = step->from; at != from && count < PATH_EVENTS_MAX;) {
            step = &whole->steps[by[at] - 1];
            events[count++] = step->event;
            at = step->from;
        }
    }
    free(by);
    return count;
}
