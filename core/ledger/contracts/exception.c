/* exception.c: what is amiss with goods, and what is answered; what is suspect is held meanwhile.
 *
 * exception.report (whoever handles goods)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   a temperature, which only cond.commit reports         E_SCHEMA, path reason
 *   shortage, overage, damage, data: no shipment named    E_SCHEMA, path shipment
 *     there is no such shipment                           E_SHIPMENT_UNKNOWN {id}
 *     the organisation is on neither side of it           E_NOT_RECEIVER {to}
 *     an item was never commissioned or packed            see goods_rules.h, path items[n]
 *   serial, suspect, illegitimate: a shipment is named    E_SCHEMA, path shipment
 *     no item is                                          E_SCHEMA, path items
 *   serial: an item is no unit, or its check digit wrong  E_EPC, E_GTIN, path items[n]
 *     its GTIN is not registered                          E_PRODUCT_UNKNOWN, path items[n]
 *     there is such a unit                                E_UNIT_EXISTS {its id}, path items[n]
 *   suspect, illegitimate: an item may not be moved by
 *     the organisation                                    see goods_rules.h, path items[n]
 *   writes   exception, goods event; what is suspect, and a step of it: it is quarantined
 *   event    exception.reported about the organisation, and about the other side of the shipment;
 *            suspect.found about each maker of what is suspect or unknown; object: the event
 *
 * exception.respond (whoever handles goods, or a regulator)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   there is no such exception                            E_EVENT_STATE {0, id}
 *   the outcome is none of its kind's                     E_SCHEMA, path outcome
 *   not of what is held: items are named                  E_SCHEMA, path items
 *     it is another's to answer                           E_NOT_RECEIVER {whose}
 *     it was answered                                     E_EVENT_STATE {1, id}
 *   of what is held: no item is named                     E_SCHEMA, path items
 *     an item is none, or unknown                         see goods_rules.h, path items[n]
 *     this exception does not hold it                     E_UNIT_STATE {status, its id}
 *     another organisation made some of it, and the
 *     signer is no regulator                              E_PREFIX {that}, path items[n]
 *     it is to be let go, was found unfit or illegitimate
 *     before, and the signer is no regulator              E_EVENT_STATE {1, id}, path items[n]
 *   writes   goods event; exception, or the items and a step of each
 *   event    exception.answered about who reported it, and about who answered; object: exception
 *
 * A suspicion is answered item by item, each by who made it, so nobody clears another's goods. What
 * is found unfit or illegitimate stays quarantined, to be ended: whatever is said of it later, and
 * whatever else comes to hold it, only a regulator lets it go again. What is quarantined is not
 * shipped, packed or dispensed, since none of these takes what is not held (sy_goods_take_item); it
 * is unpacked, and what comes out is held by the same, so that goods of two makers in one container
 * are not held for ever. A temperature (condition.c) holds as a suspicion does, beside it, and is
 * answered alike: what is let go is held by neither. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"

_Static_assert(SY_SHIPMENT_ITEMS_MAX *(8 + 4 * SY_CONTAINER_LOTS_MAX) + 2 * SY_TX_SIGNERS_MAX +
                       16 <=
                   SY_OVERLAY_READS_BETWEEN,
               "an exception stays within what a payload may read");
_Static_assert(SY_SHIPMENT_ITEMS_MAX *(2 + SY_CONTAINER_LOTS_MAX) + 16 <= SY_OVERLAY_WRITES_BETWEEN,
               "and write");

void sy_goods_save_exception(struct sy_exec *x, const struct sy_hash *id,
                             const struct sy_exception *exception)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    sy_exception_encode(&w, exception);
    sy_exec_key(x, &key_hash, SY_STATE_EXCEPTION, id);
    sy_exec_save(x, &key_hash, &w);
}

/* items: room for what the value borrows, which may be written anew. */
static bool find_exception(struct sy_exec *x, struct sy_exception *out, uint8_t *items,
                           const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_EXCEPTION, id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (!sy_exception_decode(out, value)) {
        x->failed = SY_ERR_CORRUPT;
        return false;
    }
    if (out->items.items.size > 0) memcpy(items, out->items.items.data, out->items.items.size);
    out->items.items.data = items;
    return true;
}

/* The other side of a shipment. */
static enum sy_refusal find_other_side(struct sy_exec *x, struct sy_hash *out,
                                       const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_shipment shipment;
    sy_exec_key(x, &key_hash, SY_STATE_SHIPMENT, id);
    if (!sy_exec_find(x, &value, &key_hash)) {
        return sy_refuse_hash(x, SY_E_SHIPMENT_UNKNOWN, id);
    }
    if (!sy_shipment_decode(&shipment, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_E_SHIPMENT_UNKNOWN;
    }
    bool sent = sy_hash_equal(&shipment.from, &x->by->holder);
    *out = sent ? shipment.to : shipment.from;
    bool received = sy_hash_equal(&shipment.to, &x->by->holder);
    return sent || received ? SY_APPLIED : sy_refuse_hash(x, SY_E_NOT_RECEIVER, &shipment.to);
}

// --- reporting ---------------------------------------------------------------------------------

static enum sy_refusal check_known(struct sy_exec *x, const struct sy_exception_report *p)
{
    struct sy_goods_item item;
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->items, &offset, &text); index++) {
        sy_goods_path(x, "items", index);
        enum sy_refusal code = sy_goods_find_item(x, &item, text);
        if (code != SY_APPLIED) return code;
    }
    return SY_APPLIED;
}

void sy_goods_tell_maker(struct sy_exec *x, struct sy_hash *told, enum sy_event_kind kind,
                         const struct sy_hash *maker, const struct sy_hash *event_id)
{
    if (sy_hash_equal(told, maker)) return;
    *told = *maker;
    sy_exec_event(x, kind, SY_SUBJECT_ORG, maker, event_id);
}

static enum sy_refusal report_serials(struct sy_exec *x, struct sy_hash *to,
                                      const struct sy_exception_report *p)
{
    struct sy_hash told = {{0}};
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->items, &offset, &text); index++) {
        struct sy_epc epc;
        struct sy_product product;
        sy_goods_path(x, "items", index);
        if (!sy_epc_read(&epc, text) || epc.container) return SY_E_EPC;
        enum sy_refusal code = sy_goods_check_number(x, epc.number);
        if (code != SY_APPLIED) return code;
        if (!sy_goods_find_product(x, &product, epc.number)) return SY_E_PRODUCT_UNKNOWN;
        struct sy_hash id = sy_goods_id(epc.number, epc.serial), maker = product.organisation;
        if (sy_exec_has(x, SY_STATE_UNIT, &id)) return sy_refuse_hash(x, SY_E_UNIT_EXISTS, &id);
        if (index == 0) *to = maker;
        sy_goods_tell_maker(x, &told, SY_EVENT_SUSPECT_FOUND, &maker, &p->event_id);
    }
    return SY_APPLIED;
}

bool sy_goods_find_maker(struct sy_exec *x, struct sy_hash *maker, const struct sy_lot_name *name)
{
    struct sy_lot lot;
    struct sy_hash lot_id = sy_lot_name_id(name);
    if (!sy_goods_find_lot(x, &lot, &lot_id)) {
        sy_exec_corrupt(x);
        return false;
    }
    *maker = lot.organisation;
    return true;
}

static enum sy_refusal hold_item(struct sy_exec *x, struct sy_hash *to, struct sy_hash *told,
                                 const struct sy_exception_report *p, struct sy_slice text)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    struct sy_goods_item item;
    struct sy_unit_step step = {
        .kind = SY_STEP_QUARANTINED, .organisation = x->by->holder, .event = p->event_id};
    enum sy_refusal code = sy_goods_take_item(x, &item, text);
    if (code != SY_APPLIED) return code;
    unsigned count = sy_goods_lots(&lots, &one, &item.unit);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash maker;
        if (!sy_goods_find_maker(x, &maker, &lots[i].name)) return SY_E_LOT_UNKNOWN;
        if (sy_hash_is_zero(to)) *to = maker;
        sy_goods_tell_maker(x, told, SY_EVENT_SUSPECT_FOUND, &maker, &p->event_id);
    }
    item.unit.status = SY_UNIT_QUARANTINED;
    item.unit.has_hold = true;
    item.unit.hold = p->event_id;
    sy_goods_step(x, &item, &step);
    sy_goods_save_unit(x, &item.id, &item.unit);
    return SY_APPLIED;
}

static enum sy_refusal hold_all(struct sy_exec *x, struct sy_hash *to,
                                const struct sy_exception_report *p)
{
    struct sy_hash told = {{0}};
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->items, &offset, &text); index++) {
        sy_goods_path(x, "items", index);
        enum sy_refusal code = hold_item(x, to, &told, p, text);
        if (code != SY_APPLIED) return code;
    }
    return SY_APPLIED;
}

static enum sy_refusal judge_report(struct sy_exec *x, struct sy_hash *to,
                                    const struct sy_exception_report *p)
{
    bool of_shipment = sy_exception_of_shipment(p->reason);
    if (p->reason == SY_EXCEPTION_TEMPERATURE) return sy_refuse_path(x, SY_E_SCHEMA, "reason");
    if (p->has_shipment != of_shipment) return sy_refuse_path(x, SY_E_SCHEMA, "shipment");
    if (of_shipment) {
        enum sy_refusal code = find_other_side(x, to, &p->shipment);
        return code == SY_APPLIED ? check_known(x, p) : code;
    }
    if (p->items.count == 0) return sy_refuse_path(x, SY_E_SCHEMA, "items");
    return sy_exception_holds(p->reason) ? hold_all(x, to, p) : report_serials(x, to, p);
}

enum sy_refusal sy_contract_exception_report(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_exception_report *p = &payload->exception_report;
    struct sy_exception exception = {
        .kind = p->reason,
        .organisation = x->by->holder,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_shipment = p->has_shipment,
        .has_document = p->has_document_hash,
        .items = p->items,
    };
    SY_ASSERT(x->kind->number == SY_KIND_exception_report && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code == SY_APPLIED) code = judge_report(x, &exception.to, p);
    if (code != SY_APPLIED) return code;
    if (p->has_shipment) exception.shipment = p->shipment;
    if (p->has_document_hash) exception.document = p->document_hash;
    sy_goods_save_exception(x, &p->event_id, &exception);
    sy_goods_save_event(x, &p->event_id, 0);
    sy_exec_event(x, SY_EVENT_EXCEPTION_REPORTED, SY_SUBJECT_ORG, &x->by->holder, &p->event_id);
    if (p->has_shipment) {
        sy_exec_event(x, SY_EVENT_EXCEPTION_REPORTED, SY_SUBJECT_ORG, &exception.to, &p->event_id);
    }
    return SY_APPLIED;
}

// --- answering ---------------------------------------------------------------------------------

static bool outcome_fits(unsigned kind, unsigned outcome)
{
    switch (outcome) {
    case SY_OUTCOME_CLEARED: return !sy_exception_of_shipment(kind);
    case SY_OUTCOME_UNFIT: return kind == SY_EXCEPTION_TEMPERATURE;
    case SY_OUTCOME_ILLEGITIMATE:
        return !sy_exception_of_shipment(kind) && kind != SY_EXCEPTION_TEMPERATURE;
    default: return sy_exception_of_shipment(kind);
    }
}

static enum sy_refusal check_makers(struct sy_exec *x, const struct sy_unit *unit)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, unit);
    if (x->by->role == SY_ROLE_REGULATOR) return SY_APPLIED;
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash maker;
        if (!sy_goods_find_maker(x, &maker, &lots[i].name)) return SY_E_LOT_UNKNOWN;
        if (!sy_hash_equal(&maker, &x->by->holder)) {
            return sy_refuse_hash(x, SY_E_PREFIX, &maker);
        }
    }
    // An empty container is nobody's make: who reported it says what it is.
    bool own = count > 0 || sy_hash_equal(&unit->owner, &x->by->holder);
    return own ? SY_APPLIED : sy_refuse_hash(x, SY_E_PREFIX, &unit->owner);
}

/* Is it held by this exception? */
static bool held_by(const struct sy_unit *unit, const struct sy_hash *exception, bool temperature)
{
    if (unit->status != SY_UNIT_QUARANTINED) return false;
    if (temperature) return unit->has_excursion && sy_hash_equal(&unit->excursion, exception);
    return unit->has_hold && sy_hash_equal(&unit->hold, exception);
}

/* Lets go what nothing else holds. */
static void release(struct sy_unit *unit, bool temperature)
{
    if (temperature) unit->has_excursion = false;
    if (!temperature) unit->has_hold = false;
    if (sy_goods_holds(unit)) return;
    unit->status = SY_UNIT_HELD;
    unit->condemned = false;
}

static enum sy_refusal answer_item(struct sy_exec *x, const struct sy_exception_respond *p,
                                   struct sy_slice text, bool temperature)
{
    bool cleared = p->outcome == SY_OUTCOME_CLEARED;
    struct sy_goods_item item;
    struct sy_unit_step step = {.kind = temperature ? SY_STEP_UNFIT : SY_STEP_CONDEMNED,
                                .organisation = x->by->holder,
                                .event = p->event_id};
    enum sy_refusal code = sy_goods_find_item(x, &item, text);
    if (code != SY_APPLIED) return code;
    if (!held_by(&item.unit, &p->exception, temperature)) {
        x->detail = item.unit.status;
        return sy_refuse_hash(x, SY_E_UNIT_STATE, &item.id);
    }
    code = check_makers(x, &item.unit);
    if (code != SY_APPLIED) return code;
    if (cleared && item.unit.condemned && x->by->role != SY_ROLE_REGULATOR) {
        x->detail = SY_EVENT_SETTLED;
        return sy_refuse_hash(x, SY_E_EVENT_STATE, &p->exception);
    }
    if (!cleared) item.unit.condemned = true;
    if (cleared) {
        release(&item.unit, temperature);
        step.kind = SY_STEP_RELEASED;
    }
    sy_goods_step(x, &item, &step);
    sy_goods_save_unit(x, &item.id, &item.unit);
    return SY_APPLIED;
}

static enum sy_refusal answer_items(struct sy_exec *x, const struct sy_exception_respond *p,
                                    bool temperature)
{
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->items, &offset, &text); index++) {
        sy_goods_path(x, "items", index);
        enum sy_refusal code = answer_item(x, p, text, temperature);
        if (code != SY_APPLIED) return code;
    }
    return index > 0 ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "items");
}

static enum sy_refusal answer_whole(struct sy_exec *x, const struct sy_exception_respond *p,
                                    struct sy_exception *exception)
{
    if (p->items.count > 0) return sy_refuse_path(x, SY_E_SCHEMA, "items");
    if (!sy_hash_equal(&exception->to, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_RECEIVER, &exception->to);
    }
    if (exception->answered) {
        x->detail = SY_EVENT_SETTLED;
        return sy_refuse_hash(x, SY_E_EVENT_STATE, &p->exception);
    }
    exception->answered = true;
    exception->outcome = p->outcome;
    exception->answered_height = x->height;
    exception->answered_ms = x->time_ms;
    sy_goods_save_exception(x, &p->exception, exception);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_exception_respond(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_exception_respond *p = &payload->exception_respond;
    struct sy_exception exception;
    uint8_t items[SY_STATE_VALUE_BYTES_MAX];
    SY_ASSERT(x->kind->number == SY_KIND_exception_respond && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    if (!find_exception(x, &exception, items, &p->exception)) {
        x->detail = SY_EVENT_NONE;
        return sy_refuse_hash(x, SY_E_EVENT_STATE, &p->exception);
    }
    if (!outcome_fits(exception.kind, p->outcome)) return sy_refuse_path(x, SY_E_SCHEMA, "outcome");
    code = sy_exception_holds(exception.kind)
               ? answer_items(x, p, exception.kind == SY_EXCEPTION_TEMPERATURE)
               : answer_whole(x, p, &exception);
    if (code != SY_APPLIED) return code;
    sy_goods_save_event(x, &p->event_id, 0);
    sy_exec_event(x, SY_EVENT_EXCEPTION_ANSWERED, SY_SUBJECT_ORG, &exception.organisation,
                  &p->exception);
    bool other = !sy_hash_equal(&exception.organisation, &x->by->holder);
    if (other && x->by->role != SY_ROLE_REGULATOR) {
        sy_exec_event(x, SY_EVENT_EXCEPTION_ANSWERED, SY_SUBJECT_ORG, &x->by->holder,
                      &p->exception);
    }
    return SY_APPLIED;
}
