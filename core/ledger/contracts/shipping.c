/* shipping.c: goods change hands in two steps, or end.
 *
 * custody.ship (whoever handles goods)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   the receiver is not registered                        E_ORG_UNKNOWN {id}
 *   it is suspended                                       E_ORG_SUSPENDED {id}
 *   its kind does not trade in goods, or it is the sender E_PARTNER {id}
 *   an item may not be moved by the organisation          see goods_rules.h, path items[n]
 *   a lot in it is recalled or expired                    see goods_rules.h, path items[n]
 *   writes   shipment, items, a step of each, goods event
 *   event    custody.shipped about both organisations, object: the event
 *
 * custody.receive (whoever handles goods)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   there is no such shipment                             E_SHIPMENT_UNKNOWN {id}
 *   it is for another organisation                        E_NOT_RECEIVER {that}
 *   it was received or refused                            E_SHIPMENT_STATE {id}
 *   refused names items, and result is not partial        E_SCHEMA, path refused
 *   result is partial, and refused names none or all, or
 *   something that was not shipped                        E_NOT_SHIPPED {how many were shipped}
 *   an item that is taken over was ended meanwhile        E_UNIT_STATE {status, its id}, path
 * items[n] writes   shipment, items, a step of each, both organisations' counts of each lot, goods
 * event event    custody.changed, or custody.refused when nothing is taken over, about both,
 * object: the shipment
 *
 * unit.decommission (whoever handles goods)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   the item is not the organisation's, or packed         see goods_rules.h, path item
 *   it was dispensed or ended                             E_UNIT_STATE {status, its id}
 *   writes   item, a step of it, the organisation's counts of each lot, goods event
 *   event    unit.decommissioned about the organisation, object: the event; of what was stolen,
 *            suspect.found about each lot's maker, too
 *
 * What is under way is the sender's until it is received, so it is nobody's else and never two's;
 * the sender can end it (a pallet that was stolen on the road). What is recalled, expired or too
 * warm is not shipped, but can be received, if it was under way, and ended. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"

_Static_assert(SY_SHIPMENT_ITEMS_MAX *(3 + 6 * SY_CONTAINER_LOTS_MAX) + 2 * SY_TX_SIGNERS_MAX +
                       16 <=
                   SY_OVERLAY_READS_BETWEEN,
               "a shipment stays within what a payload may read");
_Static_assert(SY_SHIPMENT_ITEMS_MAX *(2 + 5 * SY_CONTAINER_LOTS_MAX) + 16 <=
                   SY_OVERLAY_WRITES_BETWEEN,
               "and write");

static bool trades(unsigned org_kind)
{
    return org_kind == SY_ORG_MANUFACTURER || org_kind == SY_ORG_WHOLESALER ||
           org_kind == SY_ORG_PHARMACY || org_kind == SY_ORG_HOSPITAL ||
           org_kind == SY_ORG_PRACTICE || org_kind == SY_ORG_LABORATORY;
}

static enum sy_refusal check_partner(struct sy_exec *x, const struct sy_hash *to)
{
    struct sy_org org;
    if (!sy_exec_find_org(x, &org, to)) return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, to);
    if (org.suspended) return sy_refuse_hash(x, SY_E_ORG_SUSPENDED, to);
    bool partner = trades(org.kind) && !sy_hash_equal(to, &x->by->holder);
    return partner ? SY_APPLIED : sy_refuse_hash(x, SY_E_PARTNER, to);
}

void sy_goods_save_shipment(struct sy_exec *x, const struct sy_hash *id,
                            const struct sy_shipment *shipment)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    sy_shipment_encode(&w, shipment);
    sy_exec_key(x, &key_hash, SY_STATE_SHIPMENT, id);
    sy_exec_save(x, &key_hash, &w);
}

static void tell_both(struct sy_exec *x, enum sy_event_kind kind,
                      const struct sy_shipment *shipment, const struct sy_hash *object)
{
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &shipment->from, object);
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &shipment->to, object);
}

// --- shipping ----------------------------------------------------------------------------------

static enum sy_refusal send_all(struct sy_exec *x, const struct sy_custody_ship *p)
{
    struct sy_goods_item item;
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->items, &offset, &text); index++) {
        struct sy_unit_step step = {
            .kind = SY_STEP_SHIPPED, .organisation = p->to, .event = p->event_id};
        sy_goods_path(x, "items", index);
        enum sy_refusal code = sy_goods_take_item(x, &item, text);
        if (code == SY_APPLIED) code = sy_goods_check_lots(x, &item.unit);
        if (code != SY_APPLIED) return code;
        item.unit.under_way = true;
        item.unit.shipment = p->event_id;
        sy_goods_step(x, &item, &step);
        sy_goods_save_unit(x, &item.id, &item.unit);
    }
    return index > 0 ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "items");
}

enum sy_refusal sy_contract_custody_ship(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_custody_ship *p = &payload->custody_ship;
    SY_ASSERT(x->kind->number == SY_KIND_custody_ship && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code == SY_APPLIED) code = check_partner(x, &p->to);
    if (code == SY_APPLIED) code = send_all(x, p);
    if (code != SY_APPLIED) return code;
    struct sy_shipment shipment = {
        .from = x->by->holder,
        .to = p->to,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_document = p->has_document_hash,
        .items = p->items,
    };
    if (p->has_document_hash) shipment.document = p->document_hash;
    sy_goods_save_shipment(x, &p->event_id, &shipment);
    sy_goods_save_event(x, &p->event_id, 0);
    tell_both(x, SY_EVENT_CUSTODY_SHIPPED, &shipment, &p->event_id);
    return SY_APPLIED;
}

// --- receiving ---------------------------------------------------------------------------------

static bool names(const struct sy_list *list, struct sy_slice text)
{
    struct sy_slice each;
    for (size_t offset = 0; sy_list_next_text(list, &offset, &each);) {
        if (each.size == text.size && memcmp(each.data, text.data, text.size) == 0) return true;
    }
    return false;
}

static enum sy_refusal check_result(struct sy_exec *x, const struct sy_custody_receive *p,
                                    const struct sy_shipment *shipment)
{
    struct sy_slice text;
    if (p->result != SY_RECEIVE_PARTIAL) {
        return p->refused.count == 0 ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "refused");
    }
    bool good = p->refused.count > 0 && p->refused.count < shipment->items.count;
    for (size_t offset = 0; good && sy_list_next_text(&p->refused, &offset, &text);) {
        good = names(&shipment->items, text);
    }
    x->detail = good ? 0 : shipment->items.count;
    return good ? SY_APPLIED : sy_refuse_path(x, SY_E_NOT_SHIPPED, "refused");
}

/* What one organisation holds of each lot in it, another one does from now on. */
static void hand_over(struct sy_exec *x, const struct sy_unit *unit, const struct sy_hash *from,
                      const struct sy_hash *to)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, unit);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash lot_id = sy_lot_name_id(&lots[i].name);
        struct sy_lot lot;
        if (!sy_goods_find_lot(x, &lot, &lot_id)) {
            sy_exec_corrupt(x);
            return;
        }
        sy_goods_subtract(x, SY_STATE_LOT_HOLDER, &lot_id, from, lots[i].units);
        uint64_t more =
            sy_goods_add(x, SY_STATE_LOT_HOLDER, &lot_id, to, lot.holders, lots[i].units);
        lot.holders += more;
        if (more > 0) sy_goods_save_lot(x, &lot_id, &lot);
    }
}

static enum sy_refusal take_over(struct sy_exec *x, struct sy_goods_item *item,
                                 const struct sy_shipment *shipment, bool accepted)
{
    // A temperature on the road may hold it: whoever takes it over has it as it is.
    bool there = item->unit.status == SY_UNIT_HELD || item->unit.status == SY_UNIT_QUARANTINED;
    if (accepted && !there) {
        x->detail = item->unit.status;
        return sy_refuse_hash(x, SY_E_UNIT_STATE, &item->id);
    }
    if (accepted) hand_over(x, &item->unit, &shipment->from, &shipment->to);
    if (accepted) item->unit.owner = shipment->to;
    item->unit.under_way = false;
    return SY_APPLIED;
}

static enum sy_refusal receive_all(struct sy_exec *x, const struct sy_custody_receive *p,
                                   const struct sy_shipment *shipment)
{
    struct sy_goods_item item;
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&shipment->items, &offset, &text); index++) {
        bool accepted = p->result != SY_RECEIVE_REJECT && !names(&p->refused, text);
        struct sy_unit_step step = {.kind = accepted ? SY_STEP_RECEIVED : SY_STEP_REFUSED,
                                    .organisation = shipment->to,
                                    .event = p->event_id};
        sy_goods_path(x, "items", index);
        if (sy_goods_find_item(x, &item, text) != SY_APPLIED || !item.unit.under_way) {
            sy_exec_corrupt(x);
            return SY_E_UNIT_UNKNOWN;
        }
        enum sy_refusal code = take_over(x, &item, shipment, accepted);
        if (code != SY_APPLIED) return code;
        sy_goods_step(x, &item, &step);
        sy_goods_save_unit(x, &item.id, &item.unit);
    }
    return SY_APPLIED;
}

bool sy_goods_find_shipment(struct sy_exec *x, struct sy_shipment *out, uint8_t *items,
                            const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_SHIPMENT, id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (!sy_shipment_decode(out, value)) {
        x->failed = SY_ERR_CORRUPT;
        return false;
    }
    memcpy(items, out->items.items.data, out->items.items.size);
    out->items.items.data = items;
    return true;
}

enum sy_refusal sy_contract_custody_receive(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_custody_receive *p = &payload->custody_receive;
    struct sy_shipment shipment;
    uint8_t items[SY_STATE_VALUE_BYTES_MAX];
    SY_ASSERT(x->kind->number == SY_KIND_custody_receive && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    if (!sy_goods_find_shipment(x, &shipment, items, &p->shipment)) {
        return sy_refuse_hash(x, SY_E_SHIPMENT_UNKNOWN, &p->shipment);
    }
    if (!sy_hash_equal(&shipment.to, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_RECEIVER, &shipment.to);
    }
    if (shipment.received) return sy_refuse_hash(x, SY_E_SHIPMENT_STATE, &p->shipment);
    code = check_result(x, p, &shipment);
    if (code == SY_APPLIED) code = receive_all(x, p, &shipment);
    if (code != SY_APPLIED) return code;
    shipment.received = true;
    shipment.result = p->result;
    shipment.received_height = x->height;
    shipment.received_ms = x->time_ms;
    sy_goods_save_shipment(x, &p->shipment, &shipment);
    sy_goods_save_event(x, &p->event_id, 0);
    tell_both(x,
              p->result == SY_RECEIVE_REJECT ? SY_EVENT_CUSTODY_REFUSED : SY_EVENT_CUSTODY_CHANGED,
              &shipment, &p->shipment);
    return SY_APPLIED;
}

// --- ending ------------------------------------------------------------------------------------

static void end_lots(struct sy_exec *x, const struct sy_unit_decommission *p,
                     const struct sy_unit *unit)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, unit);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash lot_id = sy_lot_name_id(&lots[i].name);
        struct sy_lot lot;
        if (!sy_goods_find_lot(x, &lot, &lot_id)) {
            sy_exec_corrupt(x);
            return;
        }
        lot.ended += lots[i].units;
        sy_goods_subtract(x, SY_STATE_LOT_HOLDER, &lot_id, &unit->owner, lots[i].units);
        sy_goods_save_lot(x, &lot_id, &lot);
        if (p->reason != SY_DECOMMISSION_STOLEN) continue;
        sy_exec_event(x, SY_EVENT_SUSPECT_FOUND, SY_SUBJECT_ORG, &lot.organisation, &p->event_id);
    }
}

enum sy_refusal sy_contract_unit_decommission(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unit_decommission *p = &payload->unit_decommission;
    struct sy_goods_item item;
    SY_ASSERT(x->kind->number == SY_KIND_unit_decommission && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    (void)sy_refuse_path(x, SY_APPLIED, "item");
    code = sy_goods_take_item(x, &item, p->item);
    // What is under way or suspect, or came back from a patient, can be ended, too.
    bool ends = code == SY_E_UNIT_STATE && (x->detail == 0 || x->detail == SY_UNIT_RETURNED ||
                                            x->detail == SY_UNIT_QUARANTINED);
    if (code != SY_APPLIED && !ends) return code;
    struct sy_unit_step step = {
        .kind = SY_STEP_ENDED, .organisation = x->by->holder, .event = p->event_id};
    end_lots(x, p, &item.unit);
    item.unit.status = SY_UNIT_ENDED;
    sy_goods_step(x, &item, &step);
    sy_goods_save_unit(x, &item.id, &item.unit);
    sy_goods_save_event(x, &p->event_id, 0);
    sy_exec_event(x, SY_EVENT_UNIT_DECOMMISSIONED, SY_SUBJECT_ORG, &x->by->holder, &p->event_id);
    return SY_APPLIED;
}

// --- undoing -----------------------------------------------------------------------------------

enum sy_refusal sy_goods_undo_ship(struct sy_exec *x, const struct sy_hash *event_id,
                                   const struct sy_hash *correction)
{
    struct sy_shipment shipment;
    uint8_t items[SY_STATE_VALUE_BYTES_MAX];
    struct sy_slice text;
    if (!sy_goods_find_shipment(x, &shipment, items, event_id)) {
        sy_exec_corrupt(x);
        return SY_E_SHIPMENT_UNKNOWN;
    }
    if (shipment.received) return sy_refuse_hash(x, SY_E_SHIPMENT_STATE, event_id);
    for (size_t offset = 0; sy_list_next_text(&shipment.items, &offset, &text);) {
        struct sy_goods_item item;
        struct sy_unit_step step = {
            .kind = SY_STEP_REFUSED, .organisation = shipment.from, .event = *correction};
        if (sy_goods_find_item(x, &item, text) != SY_APPLIED || !item.unit.under_way) {
            sy_exec_corrupt(x);
            return SY_E_UNIT_UNKNOWN;
        }
        item.unit.under_way = false;
        sy_goods_step(x, &item, &step);
        sy_goods_save_unit(x, &item.id, &item.unit);
    }
    shipment.received = true;
    shipment.result = SY_RECEIVE_REJECT;
    shipment.received_height = x->height;
    shipment.received_ms = x->time_ms;
    sy_goods_save_shipment(x, event_id, &shipment);
    tell_both(x, SY_EVENT_CUSTODY_REFUSED, &shipment, event_id);
    return SY_APPLIED;
}

/* An item's n-th step; false: it has none, or of another kind. */
static bool step_is(struct sy_exec *x, struct sy_unit_step *step, const struct sy_goods_item *item,
                    uint64_t number, uint8_t kind)
{
    struct sy_hash padded = {{0}}, key_hash;
    struct sy_slice value;
    sy_store_u64(padded.bytes, number);
    sy_state_key_pair(&key_hash, SY_STATE_UNIT_STEP, &item->id, &padded);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (!sy_unit_step_decode(step, value)) {
        x->failed = SY_ERR_CORRUPT;
        return false;
    }
    return step->kind == kind;
}

static void take_back_lots(struct sy_exec *x, const struct sy_unit *unit)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, unit);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash lot_id = sy_lot_name_id(&lots[i].name);
        struct sy_lot lot;
        if (!sy_goods_find_lot(x, &lot, &lot_id) || lot.ended < lots[i].units) {
            sy_exec_corrupt(x);
            return;
        }
        lot.ended -= lots[i].units;
        lot.holders +=
            sy_goods_add(x, SY_STATE_LOT_HOLDER, &lot_id, &unit->owner, lot.holders, lots[i].units);
        sy_goods_save_lot(x, &lot_id, &lot);
    }
}

enum sy_refusal sy_goods_undo_end(struct sy_exec *x, struct sy_slice text,
                                  const struct sy_hash *event_id, const struct sy_hash *correction)
{
    struct sy_goods_item item;
    struct sy_unit_step last, before;
    struct sy_unit_step step = {
        .kind = SY_STEP_REINSTATED, .organisation = x->by->holder, .event = *correction};
    enum sy_refusal code = sy_goods_find_item(x, &item, text);
    if (code != SY_APPLIED) return code;
    if (item.unit.status != SY_UNIT_ENDED) {
        x->detail = item.unit.status;
        return sy_refuse_hash(x, SY_E_UNIT_STATE, &item.id);
    }
    // What a patient gave back stays out of trade, whatever was said of its end.
    bool undone = step_is(x, &last, &item, item.unit.steps, SY_STEP_ENDED) &&
                  sy_hash_equal(&last.event, event_id) &&
                  !step_is(x, &before, &item, item.unit.steps - 1, SY_STEP_RETURNED);
    if (!undone || x->time_ms - last.time_ms > SY_REINSTATE_MS_MAX) {
        x->detail = undone ? SY_EVENT_TOO_LATE : SY_EVENT_STAYS;
        return sy_refuse_hash(x, SY_E_EVENT_STATE, event_id);
    }
    SY_ASSERT(sy_hash_equal(&item.unit.owner, &x->by->holder));
    item.unit.status = sy_goods_holds(&item.unit) ? SY_UNIT_QUARANTINED : SY_UNIT_HELD;
    take_back_lots(x, &item.unit);
    sy_goods_step(x, &item, &step);
    sy_goods_save_unit(x, &item.id, &item.unit);
    return SY_APPLIED;
}
