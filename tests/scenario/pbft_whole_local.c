/* pbft_whole_local.c: what one validator can do until it next shows something: sends a message,
 * decides, executes, leaves a view or begins one.
 *
 * Messages come in groups: those that change the view; the votes on one slot in one view; the seals
 * of one height. What a message of a group does while it shows nothing (a vote is counted, a
 * VIEW_CHANGE is held) touches nothing that a message of another group looks at, so each group is
 * walked alone: first every state is found that steps which show nothing lead to, with all such
 * steps between them; then the steps that show something, from each of them. One of those, y after
 * x, is left out if x after y leads to the same state and sends the same altogether: y is then
 * found from the state before x, and x is what the validator does next, or later. Each time this is
 * said of a shorter walk, so nothing is left out in a circle. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/scenario/pbft_whole_internal.h"

/* --- lists ----------------------------------------------------------------------------------- */

#define LIST_MAX 4096u

struct list list_at(const struct whole *whole, uint32_t number)
{
    if (number == 0) return (struct list){NULL, 0};
    const struct whole_item *item = &whole->lists.items[number - 1];
    return (struct list){(const uint32_t *)(const void *)item->bytes,
                         item->size / sizeof(uint32_t)};
}

static uint32_t add_list(struct whole *whole, const uint32_t *items, size_t count)
{
    if (count == 0) return 0;
    return table_add(&whole->lists, items, count * sizeof items[0], NULL) + 1;
}

uint32_t list_of(struct whole *whole, uint32_t item)
{
    return add_list(whole, &item, 1);
}

/* What is in a alone, in b alone and in both, as asked for. */
static uint32_t merge(struct whole *whole, uint32_t a, uint32_t b, bool only_a, bool only_b,
                      bool both)
{
    static uint32_t merged[LIST_MAX];
    struct list x = list_at(whole, a), y = list_at(whole, b);
    size_t i = 0, j = 0, count = 0;
    SY_ASSERT(x.count + y.count <= LIST_MAX);
    while (i < x.count || j < y.count) {
        bool in_x = j == y.count || (i < x.count && x.items[i] <= y.items[j]);
        bool in_y = i == x.count || (j < y.count && y.items[j] <= x.items[i]);
        uint32_t item = in_x ? x.items[i] : y.items[j];
        if (in_x && in_y ? both : in_x ? only_a : only_b) merged[count++] = item;
        i += in_x;
        j += in_y;
    }
    return add_list(whole, merged, count);
}

uint32_t list_join(struct whole *whole, uint32_t a, uint32_t b)
{
    return a == b || b == 0 ? a : merge(whole, a, b, true, true, true);
}

uint32_t list_without(struct whole *whole, uint32_t a, uint32_t b)
{
    return b == 0 ? a : a == b ? 0 : merge(whole, a, b, true, false, false);
}

uint32_t list_common(struct whole *whole, uint32_t a, uint32_t b)
{
    return a == b ? a : merge(whole, a, b, false, false, true);
}

struct outcome outcome_at(const struct whole *whole, uint32_t number)
{
    struct outcome outcome;
    memcpy(&outcome, whole->outcomes.items[number].bytes, sizeof outcome);
    return outcome;
}

/* --- a walk ---------------------------------------------------------------------------------- */

/* A step that showed nothing: it led from one state to another. */
struct edge {
    uint32_t from;
    uint16_t event;
    uint32_t next; /* the next one to the same state, + 1 */
};

struct walk {
    struct whole *whole;
    struct message_set set; /* of the group */
    bool changes;           /* it is the group that changes the view */
    struct whole_table states, found;
    uint32_t *into; /* of each state: the last edge to it, + 1 */
    size_t into_room;
    struct edge *edges;
    size_t edge_count, edge_room;
};

/* A backup asks of a VIEW_CHANGE no more than that it is there, until a NEW_VIEW names it; so of
 * those of the faulty validator it needs one, or the one that is named. */
static bool is_needed(const struct local *local, const struct sent_message *sent)
{
    if (sent->type != SY_MESSAGE_VIEW_CHANGE || sent->signer != WHOLE_FAULTY) return true;
    return local->node == 1 || !sent->shows || sent->digest == local->lacks;
}

/* Disks and ledgers that finish at once leave nothing under way. */
static bool can_happen(struct whole *whole, const struct message_set *set, uint32_t at,
                       uint16_t event)
{
    if (event < WHOLE_MESSAGES_MAX)
        return set_has(set, event) && set_has(whole_wants(whole, at), event) &&
               is_needed(&whole->locals[at], &whole->sent[event]);
    const struct local *local = &whole->locals[at];
    if (event == EVENT_WAITED)
        return !local->waited && local->view == 0 &&
               local->node > WHOLE_N - 1 - whole->rules.leavers;
    return local->busy;
}

static bool shows(const struct whole *whole, const struct step *step)
{
    const struct local *from = &whole->locals[step->from], *to = &whole->locals[step->to];
    return step->sent != 0 || from->view != to->view || from->begun != to->begun ||
           memcmp(from->executed, to->executed, sizeof to->executed) != 0 ||
           memcmp(from->settled, to->settled, sizeof to->settled) != 0;
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

static void add_edge(struct walk *walk, uint32_t from, uint16_t event, uint32_t to)
{
    bool is_new;
    uint32_t at = table_add(&walk->states, &to, sizeof to, &is_new);
    walk->into = (uint32_t *)grown(walk->into, &walk->into_room, at + 1u, sizeof walk->into[0]);
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
        if (event == EVENT_WAITED && !walk->changes) continue;
        if (!can_happen(whole, &walk->set, at, event)) continue;
        const struct step step = *whole_step(whole, at, event);
        if (step.to == at && step.sent == 0) continue;
        if (shows(whole, &step) != shown) continue;
        if (!shown) {
            add_edge(walk, at, event, step.to);
        } else if (is_new_here(walk, i, &step)) {
            uint32_t to = whole->rules.plain ? step.to : whole_at_rest(whole, step.to);
            struct outcome outcome = {to, step.sent};
            uint32_t number = table_add(&whole->outcomes, &outcome, sizeof outcome, NULL);
            table_add(&walk->found, &number, sizeof number, NULL);
        }
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static uint32_t keep_found(struct whole *whole, const struct walk *walk)
{
    static uint32_t numbers[LIST_MAX];
    SY_ASSERT(walk->found.count <= LIST_MAX);
    for (size_t i = 0; i < walk->found.count; i++)
        memcpy(&numbers[i], walk->found.items[i].bytes, sizeof numbers[i]);
    qsort(numbers, walk->found.count, sizeof numbers[0], compare_numbers);
    return add_list(whole, numbers, walk->found.count);
}

static uint32_t walk_group(struct whole *whole, uint32_t from, const struct message_set *set,
                           bool changes)
{
    struct walk walk = {.whole = whole, .set = *set, .changes = changes};
    table_add(&walk.states, &from, sizeof from, NULL);
    walk.into = (uint32_t *)grown(NULL, &walk.into_room, 1, sizeof walk.into[0]);
    walk.into[0] = 0;
    for (size_t i = 0; i < walk.states.count; i++) look(&walk, i, false);
    for (size_t i = 0; i < walk.states.count; i++) look(&walk, i, true);
    uint32_t found = keep_found(whole, &walk);
    table_close(&walk.states);
    table_close(&walk.found);
    free(walk.into);
    free(walk.edges);
    return found;
}

/* --- all groups ------------------------------------------------------------------------------ */

/* A result that was worked out before: true. Else *at is where to put it. */
static bool known(struct whole *whole, uint32_t *at, uint32_t from, uint32_t set, uint32_t group)
{
    uint32_t key[3] = {from, set, group};
    bool is_new;
    *at = table_add(&whole->move_keys, key, sizeof key, &is_new);
    whole->moves =
        (uint32_t *)grown(whole->moves, &whole->move_room, *at + 1u, sizeof whole->moves[0]);
    return !is_new;
}

static uint32_t group_moves(struct whole *whole, uint32_t from, const struct message_set *set,
                            unsigned group)
{
    uint32_t at;
    if (known(whole, &at, from, whole_set(whole, set), group)) return whole->moves[at];
    uint32_t found = walk_group(whole, from, set, group == 0);
    return whole->moves[at] = found;
}

uint32_t local_moves(struct whole *whole, uint32_t from, uint32_t set_number)
{
    uint32_t at, all = 0;
    if (known(whole, &at, from, set_number, WHOLE_GROUPS)) return whole->moves[at];
    uint64_t view = whole->locals[from].view;
    for (unsigned g = 0; g < WHOLE_GROUPS; g++) {
        bool votes = g > 0 && g <= 2 * WHOLE_SLOTS;
        if (votes && (g - 1) / WHOLE_SLOTS != view) continue; // not wanted, whatever is heard
        struct message_set set = *whole_set_at(whole, set_number);
        for (unsigned w = 0; w < WHOLE_MESSAGES_MAX / 64; w++)
            set.bits[w] &= whole->groups[g].bits[w];
        all = list_join(whole, all, group_moves(whole, from, &set, g));
    }
    return whole->moves[at] = all;
}

/* --- how it came about ----------------------------------------------------------------------- */

/* Labels every state that steps without messages lead to with the step that led there first. */
static void label(struct whole *whole, uint32_t *by, uint32_t from, const struct message_set *set)
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

unsigned local_path(struct whole *whole, uint16_t events[PATH_EVENTS_MAX], uint32_t from,
                    uint32_t set_number, const struct step *last)
{
    const struct message_set *set = whole_set_at(whole, set_number);
    uint32_t *by = (uint32_t *)calloc(whole->states.count, sizeof by[0]);
    SY_ASSERT(by);
    label(whole, by, from, set);
    unsigned count = 0;
    for (uint32_t i = 0; i < whole->step_keys.count && count == 0; i++) {
        const struct step *step = &whole->steps[i];
        bool is_last = (step->to == last->to || whole->locals[step->to].at_rest == last->to + 1) &&
                       step->sent == last->sent &&
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
