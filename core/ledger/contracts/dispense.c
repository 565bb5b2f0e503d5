/* dispense.c: units reach patients, and come back from them.
 *
 * unit.dispense (whoever of an organisation hands it out, or implants it)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   both or neither of rx_id and record_id are given      E_SCHEMA, path rx_id
 *   rx_id: there is no such prescription                  E_RX_UNKNOWN {id}
 *          the organisation never filled it, or another
 *          one holds it now                               E_RX_PHARMACY {that, or zero}
 *          it was cancelled                               E_RX_STATE {id}
 *   record_id: not to be changed by the organisation      see record_rules.h
 *          about no patient                               E_SCHEMA, path record_id
 *   the unit is a container                               E_EPC, path unit
 *   it is not the organisation's, packed, or not held     see goods_rules.h, path unit
 *   its lot is recalled or expired                        see goods_rules.h, path unit
 *   writes   unit, a step of it, dispensed, lot, the organisation's and the patient's counts of it,
 *            the patient's place of it, goods event
 *   event    unit.dispensed about the patient, object: the unit
 *
 * unit.return (likewise)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   there is no such unit                                 E_UNIT_UNKNOWN {id}
 *   it is not dispensed                                   E_UNIT_STATE {status, its id}
 *   another organisation dispensed it                     E_NOT_OWNER {that}
 *   writes   unit, a step of it, dispensed, lot, both counts, goods event
 *   event    unit.returned about the patient, object: the unit
 *
 * What came back from a patient is dispensed no more, and shipped no more: it is ended. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"
#include "core/ledger/contracts/record_rules.h"
#include "core/wire/state_rx.h"

/* Who gets it, and because of what. */
struct cause {
    struct sy_hash patient;
    struct sy_hash id;
};

static enum sy_refusal find_rx_cause(struct sy_exec *x, struct cause *cause,
                                     const struct sy_hash *rx_id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_rx rx;
    sy_exec_key(x, &key_hash, SY_STATE_RX, rx_id);
    if (!sy_exec_find(x, &value, &key_hash)) return sy_refuse_hash(x, SY_E_RX_UNKNOWN, rx_id);
    if (!sy_rx_decode(&rx, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_E_RX_UNKNOWN;
    }
    if (!rx.has_pharmacy || !sy_hash_equal(&rx.pharmacy, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_RX_PHARMACY, &rx.pharmacy);
    }
    if (rx.cancelled_height != 0) return sy_refuse_hash(x, SY_E_RX_STATE, rx_id);
    *cause = (struct cause){rx.patient, *rx_id};
    return SY_APPLIED;
}

static enum sy_refusal find_cause(struct sy_exec *x, struct cause *cause,
                                  const struct sy_unit_dispense *p)
{
    struct sy_record record;
    if (p->has_rx_id == p->has_record_id) return sy_refuse_path(x, SY_E_SCHEMA, "rx_id");
    if (p->has_rx_id) return find_rx_cause(x, cause, &p->rx_id);
    enum sy_refusal code = sy_record_find_own(x, &record, &p->record_id, NULL);
    if (code != SY_APPLIED) return code;
    if (record.subject_kind != SY_SUBJECT_PATIENT) {
        return sy_refuse_path(x, SY_E_SCHEMA, "record_id");
    }
    *cause = (struct cause){record.subject, p->record_id};
    return SY_APPLIED;
}

static bool find_lot_of(struct sy_exec *x, struct sy_lot *lot, const struct sy_hash *lot_id)
{
    if (sy_goods_find_lot(x, lot, lot_id)) return true;
    sy_exec_corrupt(x);
    return false;
}

static void save_dispensed(struct sy_exec *x, const struct sy_hash *unit_id,
                           const struct sy_dispensed *dispensed)
{
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    sy_dispensed_encode(&w, dispensed);
    sy_exec_key(x, &key_hash, SY_STATE_DISPENSED, unit_id);
    sy_exec_save(x, &key_hash, &w);
}

static void save_all(struct sy_exec *x, struct sy_goods_item *item, uint8_t step_kind,
                     const struct sy_hash *event_id)
{
    struct sy_unit_step step = {
        .kind = step_kind, .organisation = x->by->holder, .event = *event_id};
    sy_goods_step(x, item, &step);
    sy_goods_save_unit(x, &item->id, &item->unit);
    sy_goods_save_event(x, event_id, 0);
}

static void hand_out(struct sy_exec *x, struct sy_goods_item *item, const struct cause *cause,
                     struct sy_slice serial)
{
    struct sy_hash lot_id = sy_lot_name_id(&item->unit.name);
    struct sy_hash patient = sy_exec_live_id(x, &cause->patient);
    struct sy_lot lot;
    struct sy_dispensed dispensed = {
        .patient = patient,
        .organisation = x->by->holder,
        .cause = cause->id,
        .height = x->height,
        .time_ms = x->time_ms,
        .name = item->unit.name,
        .serial = serial,
    };
    if (!find_lot_of(x, &lot, &lot_id)) return;
    lot.dispensed++;
    sy_goods_subtract(x, SY_STATE_LOT_HOLDER, &lot_id, &x->by->holder, 1);
    lot.patients += sy_goods_add(x, SY_STATE_LOT_PATIENT, &lot_id, &patient, lot.patients, 1);
    sy_goods_save_lot(x, &lot_id, &lot);
    save_dispensed(x, &item->id, &dispensed);
    sy_exec_place(x, &patient, SY_PLACE_UNIT, &item->id, 0);
    item->unit.status = SY_UNIT_DISPENSED;
}

enum sy_refusal sy_contract_unit_dispense(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unit_dispense *p = &payload->unit_dispense;
    struct sy_goods_item item;
    struct sy_epc epc;
    struct cause cause;
    SY_ASSERT(x->kind->number == SY_KIND_unit_dispense && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code == SY_APPLIED) code = find_cause(x, &cause, p);
    if (code != SY_APPLIED) return code;
    (void)sy_refuse_path(x, SY_APPLIED, "unit");
    if (!sy_epc_read(&epc, p->unit) || epc.container) return SY_E_EPC;
    code = sy_goods_take_item(x, &item, p->unit);
    if (code == SY_APPLIED) code = sy_goods_check_lots(x, &item.unit);
    if (code != SY_APPLIED) return code;
    hand_out(x, &item, &cause, epc.serial);
    save_all(x, &item, SY_STEP_DISPENSED, &p->event_id);
    sy_exec_event(x, SY_EVENT_UNIT_DISPENSED, SY_SUBJECT_PATIENT, &cause.patient, &item.id);
    return SY_APPLIED;
}

// --- coming back -------------------------------------------------------------------------------

static bool find_dispensed(struct sy_exec *x, struct sy_dispensed *out, uint8_t *serial,
                           const struct sy_hash *unit_id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_DISPENSED, unit_id);
    if (!sy_exec_find(x, &value, &key_hash) || !sy_dispensed_decode(out, value)) {
        sy_exec_corrupt(x);
        return false;
    }
    // The value is written anew, so what it borrows is kept.
    memcpy(serial, out->serial.data, out->serial.size);
    out->serial.data = serial;
    return true;
}

static void take_back(struct sy_exec *x, struct sy_goods_item *item, struct sy_dispensed *dispensed)
{
    struct sy_hash lot_id = sy_lot_name_id(&item->unit.name);
    struct sy_lot lot;
    if (!find_lot_of(x, &lot, &lot_id)) return;
    if (lot.dispensed == 0) {
        x->failed = SY_ERR_CORRUPT;
        return;
    }
    lot.dispensed--;
    lot.holders +=
        sy_goods_add(x, SY_STATE_LOT_HOLDER, &lot_id, &dispensed->organisation, lot.holders, 1);
    sy_goods_subtract(x, SY_STATE_LOT_PATIENT, &lot_id, &dispensed->patient, 1);
    sy_goods_save_lot(x, &lot_id, &lot);
    dispensed->returned_height = x->height;
    save_dispensed(x, &item->id, dispensed);
    item->unit.status = SY_UNIT_RETURNED;
}

enum sy_refusal sy_contract_unit_return(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unit_return *p = &payload->unit_return;
    struct sy_goods_item item;
    struct sy_dispensed dispensed;
    uint8_t serial[SY_SERIAL_BYTES_MAX];
    SY_ASSERT(x->kind->number == SY_KIND_unit_return && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    (void)sy_refuse_path(x, SY_APPLIED, "unit");
    code = sy_goods_find_item(x, &item, p->unit);
    if (code != SY_APPLIED) return code;
    if (item.unit.status != SY_UNIT_DISPENSED) {
        x->detail = item.unit.status;
        return sy_refuse_hash(x, SY_E_UNIT_STATE, &item.id);
    }
    if (!find_dispensed(x, &dispensed, serial, &item.id)) return SY_E_UNIT_STATE;
    if (!sy_hash_equal(&dispensed.organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_OWNER, &dispensed.organisation);
    }
    take_back(x, &item, &dispensed);
    save_all(x, &item, SY_STEP_RETURNED, &p->event_id);
    sy_exec_event(x, SY_EVENT_UNIT_RETURNED, SY_SUBJECT_PATIENT, &dispensed.patient, &item.id);
    return SY_APPLIED;
}
