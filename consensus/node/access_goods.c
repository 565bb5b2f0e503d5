/* access_goods.c: see access_goods.h. */
#include "consensus/node/access_goods.h"

#include "consensus/node/access_trials.h"
#include "core/wire/state_cond.h"
#include "core/wire/state_exception.h"

#define STEPS_SEEN 256u

/* Has this organisation a count of the lot? */
static bool held(sy_state_view *view, const struct sy_hash *lot_id, const struct sy_hash *holder)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_pair(&place, SY_STATE_LOT_HOLDER, lot_id, holder);
    return sy_state_view_get(view, &value, &place) == SY_OK;
}

static bool finds_lot(sy_state_view *view, struct sy_lot *lot, const struct sy_hash *lot_id)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_id(&place, SY_STATE_LOT, lot_id);
    return sy_state_view_get(view, &value, &place) == SY_OK && sy_lot_decode(lot, value);
}

static bool makes_lot(sy_state_view *view, const struct sy_hash *lot_id,
                      const struct sy_hash *holder)
{
    struct sy_lot lot;
    return finds_lot(view, &lot, lot_id) && sy_hash_equal(&lot.organisation, holder);
}

static bool sees_lot(sy_state_view *view, const struct sy_hash *lot_id,
                     const struct sy_hash *holder)
{
    return makes_lot(view, lot_id, holder) || held(view, lot_id, holder);
}

static bool finds_unit(sy_state_view *view, struct sy_unit *unit, const struct sy_hash *unit_id)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_id(&place, SY_STATE_UNIT, unit_id);
    return sy_state_view_get(view, &value, &place) == SY_OK && sy_unit_decode(unit, value);
}

/* Has this organisation packed, shipped, received or unpacked it, or was it to receive it? The
 * newest steps are looked at: a container that goes round for years has more of them. */
static bool took_part(sy_state_view *view, const struct sy_hash *unit_id,
                      const struct sy_unit *unit, const struct sy_hash *holder)
{
    uint64_t least = unit->steps > STEPS_SEEN ? unit->steps - STEPS_SEEN : 0;
    for (uint64_t number = unit->steps; number > least; number--) {
        struct sy_hash place, second = {{0}};
        struct sy_slice value;
        struct sy_unit_step step;
        sy_store_u64(second.bytes, number);
        sy_state_key_pair(&place, SY_STATE_UNIT_STEP, unit_id, &second);
        if (sy_state_view_get(view, &value, &place) != SY_OK) return false;
        if (!sy_unit_step_decode(&step, value)) return false;
        if (sy_hash_equal(&step.organisation, holder)) return true;
    }
    return false;
}

static bool sees_unit(sy_state_view *view, const struct sy_hash *unit_id,
                      const struct sy_hash *holder)
{
    struct sy_unit unit;
    if (!finds_unit(view, &unit, unit_id)) return true;
    if (!unit.container) {
        struct sy_hash lot_id = sy_lot_name_id(&unit.name);
        return sees_lot(view, &lot_id, holder);
    }
    for (unsigned i = 0; i < unit.lot_count; i++) {
        struct sy_hash lot_id = sy_lot_name_id(&unit.lots[i].name);
        if (sees_lot(view, &lot_id, holder)) return true;
    }
    if (!unit.packed && sy_hash_equal(&unit.owner, holder)) return true;
    return took_part(view, unit_id, &unit, holder);
}

static bool sees_shipment(sy_state_view *view, const struct sy_hash *id,
                          const struct sy_hash *holder)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_shipment shipment;
    sy_state_key_id(&place, SY_STATE_SHIPMENT, id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_shipment_decode(&shipment, value)) return false;
    return sy_hash_equal(&shipment.from, holder) || sy_hash_equal(&shipment.to, holder);
}

static bool sees_goods_event(sy_state_view *view, const struct sy_hash *id,
                             const struct sy_hash *holder)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_goods_event event;
    sy_state_key_id(&place, SY_STATE_GOODS_EVENT, id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    return status == SY_OK && sy_goods_event_decode(&event, value) &&
           sy_hash_equal(&event.organisation, holder);
}

/* Does the organisation see one of these units and containers? */
static bool sees_item(sy_state_view *view, const struct sy_list *items,
                      const struct sy_hash *holder)
{
    struct sy_hash units[SY_SHIPMENT_ITEMS_MAX];
    struct sy_slice text;
    unsigned count = 0;
    // The first read takes what the items borrow.
    for (size_t offset = 0; sy_list_next_text(items, &offset, &text);) {
        struct sy_epc epc;
        if (count < SY_SHIPMENT_ITEMS_MAX && sy_epc_read(&epc, text)) {
            units[count++] = sy_goods_id(epc.number, epc.serial);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (sees_unit(view, &units[i], holder)) return true;
    }
    return false;
}

/* Who reported it, who is to answer, and whoever sees one of the things that it is about. */
static bool sees_exception(sy_state_view *view, const struct sy_hash *id,
                           const struct sy_hash *holder)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_exception exception;
    sy_state_key_id(&place, SY_STATE_EXCEPTION, id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_exception_decode(&exception, value)) return false;
    if (sy_hash_equal(&exception.organisation, holder)) return true;
    if (sy_hash_equal(&exception.to, holder)) return true;
    return sy_exception_holds(exception.kind) && sees_item(view, &exception.items, holder);
}

/* Who committed to it, and whoever sees one of the things that it is about. */
static bool sees_conditions(sy_state_view *view, const struct sy_hash *id,
                            const struct sy_hash *holder)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_conditions conditions;
    sy_state_key_id(&place, SY_STATE_CONDITIONS, id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_conditions_decode(&conditions, value)) return false;
    if (sy_hash_equal(&conditions.organisation, holder)) return true;
    // Whoever has to answer, though the goods were unpacked since then.
    if (sees_item(view, &conditions.items, holder)) return true;
    return conditions.breached && sees_exception(view, id, holder);
}

bool sy_access_goods(sy_state_view *view, const struct sy_hash *holder,
                     const struct sy_read_request *read)
{
    struct sy_lot lot;
    struct sy_hash named = sy_goods_id(sy_slice_of(read->id.bytes, sizeof read->id.bytes),
                                       sy_slice_of(read->second.bytes, sizeof read->second.bytes));
    switch (read->state_kind) {
    case SY_STATE_PARAMS:
    case SY_STATE_ROSTER:
    case SY_STATE_ROSTER_CHANGE:
    case SY_STATE_VALIDATOR:
    case SY_STATE_MAKER:
    case SY_STATE_EVENT_COUNT:
    case SY_STATE_SIGNER:
    case SY_STATE_SIGNER_OF:
    case SY_STATE_SCHEDULE:
    case SY_STATE_SCHEDULE_VERSION:
    case SY_STATE_ORG:
    case SY_STATE_ORG_EVENTS:
    case SY_STATE_SUSPENSIONS:
    case SY_STATE_SUSPENSION:
    case SY_STATE_PREFIX:
    case SY_STATE_PRODUCT:
    case SY_STATE_STORAGE:
    case SY_STATE_RECALL:
    case SY_STATE_LOT_RECALL: return true;
    case SY_STATE_LOT: return !finds_lot(view, &lot, &named) || sees_lot(view, &named, holder);
    case SY_STATE_UNIT: return sees_unit(view, &named, holder);
    case SY_STATE_UNIT_STEP: return sees_unit(view, &read->id, holder);
    case SY_STATE_LOT_HOLDER:
        return sy_hash_equal(&read->second, holder) || makes_lot(view, &read->id, holder);
    case SY_STATE_RECALL_TOLD:
    case SY_STATE_LOT_PLACE: return makes_lot(view, &read->id, holder);
    case SY_STATE_SHIPMENT: return sees_shipment(view, &read->id, holder);
    case SY_STATE_CORRECTION:
    case SY_STATE_GOODS_EVENT: return sees_goods_event(view, &read->id, holder);
    case SY_STATE_EXCEPTION: return sees_exception(view, &read->id, holder);
    case SY_STATE_CONDITIONS: return sees_conditions(view, &read->id, holder);
    default: return sy_access_trials(view, holder, read);
    }
}

static bool sees_dispensed(sy_state_view *view, struct sy_hash *patient,
                           const struct sy_hash *holder, const struct sy_hash *unit_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_dispensed dispensed;
    sy_state_key_id(&place, SY_STATE_DISPENSED, unit_id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_dispensed_decode(&dispensed, value)) return false;
    *patient = dispensed.patient;
    return sy_hash_equal(&dispensed.organisation, holder);
}

bool sy_access_rx(sy_state_view *view, struct sy_hash *patient, const struct sy_hash *holder,
                  uint8_t role, const struct sy_read_request *read)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_rx rx;
    *patient = (struct sy_hash){{0}};
    if (read->state_kind == SY_STATE_DISPENSED) {
        return sees_dispensed(view, patient, holder, &read->id);
    }
    if (role == SY_ROLE_PHARMACIST || role == SY_ROLE_DISPENSER) return true;
    sy_state_key_id(&place, SY_STATE_RX, &read->id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_rx_decode(&rx, value)) return false;
    *patient = rx.patient;
    return sy_hash_equal(&rx.organisation, holder) ||
           (rx.has_pharmacy && sy_hash_equal(&rx.pharmacy, holder));
}

bool sy_access_goods_event(const struct sy_hash *holder, const struct sy_event *event)
{
    bool goods = (event->kind >= SY_EVENT_PRODUCT_REGISTERED && event->kind < SY_EVENT_RX_ISSUED) ||
                 (event->kind > SY_EVENT_RX_TRANSFERRED && event->kind <= SY_EVENT_GOODS_LAST);
    bool streams = event->kind >= SY_EVENT_STREAM_OPENED && event->kind <= SY_EVENT_STREAM_LAST;
    bool hidden = goods || streams || sy_access_hides_trial_event(event->kind);
    if (!hidden || event->subject_kind != SY_SUBJECT_ORG) return true;
    return sy_hash_equal(&event->subject, holder);
}
