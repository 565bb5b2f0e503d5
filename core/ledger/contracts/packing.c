/* packing.c: units and containers in containers, which then move for them.
 *
 * unit.aggregate (whoever handles goods)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   the SSCC's check digit is wrong                       E_GTIN {the right one}, path parent
 *   there is no such container, and the organisation
 *   holds no prefix that the SSCC begins with             E_PREFIX {the organisation}, path parent
 *   there is, and it is no longer to be moved by it       as an item, see goods_rules.h, path
 * parent a child may not be moved by the organisation          see goods_rules.h, path children[n]
 *   a child is the parent itself                          E_CONTAINER {deepest}, path
 *   too many containers within one another                E_CONTAINER {deepest}, path
 *   too many different lots in one                        E_CONTAINER {most}, path
 *   writes   parent, children, a step of each, goods event
 *   event    unit.aggregated about the organisation, object: the event
 *
 * unit.disaggregate (likewise)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   the parent may not be moved by the organisation       see goods_rules.h, path parent
 *   a child is not directly in it                         E_NOT_PARENT {its own, as a number}, path
 *   writes   as above; children are the parent's owner's from then on, and held by what holds it
 *   event    unit.disaggregated about the organisation, object: the event
 *
 * Nothing that is packed can be packed into, and nothing can be packed that is packed: so
 * containers form trees, never a cycle, and no rule has to walk down one. A prefix keeps anybody
 * from taking another's SSCC before its holder does.
 *
 * Repacking hides no temperature: of a container nothing is known since the longest ago that is so
 * of anything in it, and of what is unpacked since the later of its own and the container's.
 * Neither is committed to for a time that the other was. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"

/* One more than this many digits are an SSCC's extension digit and what its prefix begins. */
static bool holds_prefix(struct sy_exec *x, struct sy_slice sscc)
{
    struct sy_org org;
    struct sy_slice prefix;
    if (!sy_exec_find_org(x, &org, &x->by->holder)) return false;
    for (size_t offset = 0; sy_list_next_text(&org.prefixes, &offset, &prefix);) {
        SY_ASSERT(prefix.size < sscc.size);
        if (memcmp(sscc.data + 1, prefix.data, prefix.size) == 0) return true;
    }
    return false;
}

static struct sy_slice epc_of(uint8_t *room, struct sy_slice sscc)
{
    SY_ASSERT(sscc.size == SY_SSCC_BYTES);
    memcpy(room, "00/", 3);
    memcpy(room + 3, sscc.data, sscc.size);
    return sy_slice_of(room, 3 + SY_SSCC_BYTES);
}

/* The container, as it is or begins. */
static enum sy_refusal open_container(struct sy_exec *x, struct sy_goods_item *parent,
                                      struct sy_slice sscc)
{
    static const struct sy_slice none;
    uint8_t room[3 + SY_SSCC_BYTES];
    (void)sy_refuse_path(x, SY_APPLIED, "parent");
    enum sy_refusal code = sy_goods_check_number(x, sscc);
    if (code != SY_APPLIED) return code;
    parent->id = sy_goods_id(sscc, none);
    if (sy_exec_has(x, SY_STATE_UNIT, &parent->id)) {
        return sy_goods_take_item(x, parent, epc_of(room, sscc));
    }
    if (!holds_prefix(x, sscc)) return sy_refuse_hash(x, SY_E_PREFIX, &x->by->holder);
    parent->unit = (struct sy_unit){.container = true,
                                    .status = SY_UNIT_HELD,
                                    .owner = x->by->holder,
                                    .level = 1,
                                    .height = x->height};
    return SY_APPLIED;
}

// --- counting ----------------------------------------------------------------------------------

/* Where a lot stands among a container's, or would. */
static unsigned place_of(const struct sy_unit *container, const struct sy_lot_name *name)
{
    unsigned at = 0;
    while (at < container->lot_count && memcmp(&container->lots[at].name, name, sizeof *name) < 0) {
        at++;
    }
    return at;
}

static bool has_at(const struct sy_unit *container, unsigned at, const struct sy_lot_name *name)
{
    return at < container->lot_count && memcmp(&container->lots[at].name, name, sizeof *name) == 0;
}

static bool add_lot(struct sy_unit *container, const struct sy_lot_count *lot)
{
    unsigned at = place_of(container, &lot->name);
    struct sy_lot_count *places = container->lots;
    if (!has_at(container, at, &lot->name)) {
        if (container->lot_count == SY_CONTAINER_LOTS_MAX) return false;
        memmove(places + at + 1, places + at, (container->lot_count - at) * sizeof *places);
        container->lot_count++;
        places[at] = *lot;
        return true;
    }
    if (lot->units > UINT32_MAX - places[at].units) return false;
    places[at].units += lot->units;
    return true;
}

/* False: it has fewer, so it was not made by execution. */
static bool take_lot(struct sy_unit *container, const struct sy_lot_count *lot)
{
    unsigned at = place_of(container, &lot->name);
    struct sy_lot_count *places = container->lots;
    if (!has_at(container, at, &lot->name) || places[at].units < lot->units) return false;
    places[at].units -= lot->units;
    if (places[at].units > 0) return true;
    container->lot_count--;
    memmove(places + at, places + at + 1, (container->lot_count - at) * sizeof *places);
    return true;
}

static enum sy_refusal too_much(struct sy_exec *x, uint64_t bound)
{
    x->detail = bound;
    return SY_E_CONTAINER;
}

/* Counts a child and what is in it. */
static enum sy_refusal count_in(struct sy_exec *x, struct sy_unit *parent,
                                const struct sy_unit *child)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, child);
    unsigned level = child->container ? child->level + 1u : 1u;
    if (level > SY_CONTAINER_LEVELS_MAX) return too_much(x, SY_CONTAINER_LEVELS_MAX);
    if (parent->children == UINT32_MAX) return too_much(x, UINT32_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (!add_lot(parent, &lots[i])) return too_much(x, SY_CONTAINER_LOTS_MAX);
    }
    if (level > parent->level) parent->level = (uint8_t)level;
    parent->children++;
    return SY_APPLIED;
}

static bool count_out(struct sy_unit *parent, const struct sy_unit *child)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, child);
    if (parent->children == 0) return false;
    for (unsigned i = 0; i < count; i++) {
        if (!take_lot(parent, &lots[i])) return false;
    }
    parent->children--;
    return true;
}

// --- temperatures ------------------------------------------------------------------------------

/* No goods: nothing is missed of an empty container. */
static bool is_empty(const struct sy_unit *unit)
{
    return unit->container && unit->lot_count == 0;
}

static void join_known(struct sy_unit *parent, const struct sy_unit *child)
{
    if (child->known_ms > parent->known_ms) parent->known_ms = child->known_ms;
    if (is_empty(child) || child->since_ms == 0) return;
    bool earlier = parent->since_ms == 0 || child->since_ms < parent->since_ms;
    if (earlier) parent->since_ms = child->since_ms;
}

/* A child is known for as long as its container, unless that was received since it was packed:
 * then the container's is all there is. */
static void part_known(struct sy_unit *child, const struct sy_unit *parent)
{
    bool later = child->since_ms > parent->since_ms && child->since_ms <= parent->known_ms;
    child->known_ms = parent->known_ms;
    if (!later) child->since_ms = parent->since_ms;
}

// --- packing -----------------------------------------------------------------------------------

static void step_child(struct sy_exec *x, struct sy_goods_item *child, uint8_t kind,
                       const struct sy_hash *event_id, struct sy_slice sscc, uint64_t parent_steps)
{
    struct sy_unit_step step = {.kind = kind,
                                .organisation = x->by->holder,
                                .event = *event_id,
                                .has_parent = true,
                                .parent_steps = parent_steps};
    memcpy(step.parent, sscc.data, SY_SSCC_BYTES);
    sy_goods_step(x, child, &step);
    sy_goods_save_unit(x, &child->id, &child->unit);
}

static enum sy_refusal pack_all(struct sy_exec *x, struct sy_goods_item *parent,
                                const struct sy_unit_aggregate *p)
{
    struct sy_goods_item child;
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->children, &offset, &text); index++) {
        sy_goods_path(x, "children", index);
        enum sy_refusal code = sy_goods_take_item(x, &child, text);
        if (code != SY_APPLIED) return code;
        if (sy_hash_equal(&child.id, &parent->id)) return too_much(x, SY_CONTAINER_LEVELS_MAX);
        code = count_in(x, &parent->unit, &child.unit);
        if (code != SY_APPLIED) return code;
        join_known(&parent->unit, &child.unit);
        child.unit.packed = true;
        memcpy(child.unit.parent, p->parent.data, SY_SSCC_BYTES);
        step_child(x, &child, SY_STEP_PACKED, &p->event_id, p->parent, parent->unit.steps);
    }
    return index > 0 ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "children");
}

enum sy_refusal sy_contract_unit_aggregate(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unit_aggregate *p = &payload->unit_aggregate;
    struct sy_goods_item parent;
    SY_ASSERT(x->kind->number == SY_KIND_unit_aggregate && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code == SY_APPLIED) code = open_container(x, &parent, p->parent);
    if (code != SY_APPLIED) return code;
    struct sy_unit_step step = {
        .kind = SY_STEP_FILLED, .organisation = x->by->holder, .event = p->event_id};
    if (is_empty(&parent.unit)) parent.unit.since_ms = 0;
    // Its step comes before theirs, which count from it.
    sy_goods_step(x, &parent, &step);
    code = pack_all(x, &parent, p);
    if (code != SY_APPLIED) return code;
    if (parent.unit.since_ms == 0) parent.unit.since_ms = parent.unit.known_ms;
    sy_goods_save_unit(x, &parent.id, &parent.unit);
    sy_goods_save_event(x, &p->event_id, 0);
    sy_exec_event(x, SY_EVENT_UNIT_AGGREGATED, SY_SUBJECT_ORG, &x->by->holder, &p->event_id);
    return SY_APPLIED;
}

/* What is held stays held when it is unpacked, by the same: nothing that is packed is held itself.
 */
static void pass_hold(struct sy_unit *child, const struct sy_unit *parent)
{
    child->has_hold = parent->has_hold;
    child->hold = parent->hold;
    child->has_excursion = parent->has_excursion;
    child->excursion = parent->excursion;
    child->condemned = parent->condemned;
    child->status = parent->status;
    SY_ASSERT(child->status == SY_UNIT_HELD || child->status == SY_UNIT_QUARANTINED);
}

static enum sy_refusal unpack_all(struct sy_exec *x, struct sy_goods_item *parent,
                                  const struct sy_unit_disaggregate *p)
{
    struct sy_goods_item child;
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->children, &offset, &text); index++) {
        sy_goods_path(x, "children", index);
        enum sy_refusal code = sy_goods_find_item(x, &child, text);
        if (code != SY_APPLIED) return code;
        if (!child.unit.packed || memcmp(child.unit.parent, p->parent.data, SY_SSCC_BYTES) != 0) {
            struct sy_slice own = sy_slice_of(child.unit.parent, SY_SSCC_BYTES);
            x->detail_hash = child.unit.packed ? sy_goods_text(own) : (struct sy_hash){{0}};
            return SY_E_NOT_PARENT;
        }
        if (!count_out(&parent->unit, &child.unit)) {
            x->failed = SY_ERR_CORRUPT;
            return SY_E_NOT_PARENT;
        }
        child.unit.packed = false;
        child.unit.owner = parent->unit.owner;
        pass_hold(&child.unit, &parent->unit);
        part_known(&child.unit, &parent->unit);
        step_child(x, &child, SY_STEP_UNPACKED, &p->event_id, p->parent, parent->unit.steps);
    }
    return index > 0 ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "children");
}

enum sy_refusal sy_contract_unit_disaggregate(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unit_disaggregate *p = &payload->unit_disaggregate;
    struct sy_goods_item parent;
    uint8_t room[3 + SY_SSCC_BYTES];
    SY_ASSERT(x->kind->number == SY_KIND_unit_disaggregate && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    (void)sy_refuse_path(x, SY_APPLIED, "parent");
    code = sy_goods_take_item(x, &parent, epc_of(room, p->parent));
    bool held = code == SY_E_UNIT_STATE && x->detail == SY_UNIT_QUARANTINED;
    if (held && !parent.unit.under_way) code = SY_APPLIED;
    if (code == SY_APPLIED) code = unpack_all(x, &parent, p);
    if (code != SY_APPLIED) return code;
    if (parent.unit.children == 0) parent.unit.level = 1;
    struct sy_unit_step step = {
        .kind = SY_STEP_EMPTIED, .organisation = x->by->holder, .event = p->event_id};
    sy_goods_step(x, &parent, &step);
    sy_goods_save_unit(x, &parent.id, &parent.unit);
    sy_goods_save_event(x, &p->event_id, 0);
    sy_exec_event(x, SY_EVENT_UNIT_DISAGGREGATED, SY_SUBJECT_ORG, &x->by->holder, &p->event_id);
    return SY_APPLIED;
}
