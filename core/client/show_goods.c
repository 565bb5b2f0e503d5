/* show_goods.c: see show_goods.h. */
#include "core/client/show_goods.h"
#include "core/client/show_fields.h"

#include "core/wire/schema.h"
#include "core/wire/state_cond.h"

static void put_slice(sy_json *json, const char *name, struct sy_slice text)
{
    char room[64] = "";
    if (text.size >= sizeof room) text.size = sizeof room - 1;
    if (text.size > 0) memcpy(room, text.data, text.size);
    sy_json_put_text(json, name, room);
}

static bool put_product(sy_json *json, struct sy_slice value)
{
    struct sy_product product;
    if (!sy_product_decode(&product, value)) return false;
    sy_show_hash(json, "organisation", &product.organisation);
    put_slice(json, "prefix", product.prefix);
    sy_json_put_text(json, "class", sy_enum_word(&sy_enum_product_class, product.product_class));
    if (product.ndc.size > 0) put_slice(json, "ndc", product.ndc);
    sy_json_put_u64(json, "registered_height", product.height);
    return true;
}

static bool put_lot(sy_json *json, struct sy_slice value)
{
    struct sy_lot lot;
    if (!sy_lot_decode(&lot, value)) return false;
    sy_show_hash(json, "organisation", &lot.organisation);
    sy_json_put_i64(json, "expiry_ms", lot.expiry_ms);
    sy_json_put_u64(json, "commissioned", lot.commissioned);
    sy_json_put_u64(json, "dispensed", lot.dispensed);
    sy_json_put_u64(json, "ended", lot.ended);
    sy_json_put_u64(json, "holders", lot.holders);
    sy_json_put_u64(json, "first_height", lot.height);
    return true;
}

static void put_name(sy_json *json, const struct sy_lot_name *name)
{
    put_slice(json, "gtin", sy_slice_of(name->gtin, sizeof name->gtin));
    put_slice(json, "lot", sy_slice_of(name->lot, name->lot_size));
}

static void put_contents(sy_json *json, const struct sy_unit *unit)
{
    sy_json_put_u64(json, "level", unit->level);
    sy_json_put_u64(json, "children", unit->children);
    sy_json_key(json, "lots");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < unit->lot_count; i++) {
        sy_json_object_begin(json);
        put_name(json, &unit->lots[i].name);
        sy_json_put_u64(json, "units", unit->lots[i].units);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

static bool put_unit(sy_json *json, struct sy_slice value)
{
    struct sy_unit unit;
    if (!sy_unit_decode(&unit, value)) return false;
    sy_json_put_text(json, "status", sy_unit_status_name(unit.status));
    sy_show_hash(json, unit.packed ? "owner_when_packed" : "owner", &unit.owner);
    if (unit.packed) put_slice(json, "packed_in", sy_slice_of(unit.parent, sizeof unit.parent));
    if (unit.under_way) sy_show_hash(json, "under_way", &unit.shipment);
    if (unit.has_hold) sy_show_hash(json, "exception", &unit.hold);
    if (unit.has_excursion) sy_show_hash(json, "out_of_range", &unit.excursion);
    if (unit.condemned) sy_json_put_bool(json, "condemned", true);
    if (unit.conditions > 0) sy_json_put_u64(json, "conditions", unit.conditions);
    if (unit.known_ms != 0) sy_json_put_i64(json, "temperature_known_ms", unit.known_ms);
    bool missed = unit.since_ms != unit.known_ms;
    if (missed) sy_json_put_i64(json, "temperature_unknown_since_ms", unit.since_ms);
    sy_json_put_u64(json, "steps", unit.steps);
    sy_json_put_u64(json, "first_height", unit.height);
    if (unit.container) {
        put_contents(json, &unit);
    } else {
        put_name(json, &unit.name);
    }
    return true;
}

static bool put_step(sy_json *json, struct sy_slice value)
{
    struct sy_unit_step step;
    if (!sy_unit_step_decode(&step, value)) return false;
    sy_json_put_text(json, "step", sy_step_name(step.kind));
    sy_json_put_u64(json, "height", step.height);
    sy_json_put_i64(json, "time_ms", step.time_ms);
    sy_show_hash(json, step.kind == SY_STEP_SHIPPED ? "to" : "organisation", &step.organisation);
    sy_show_hash(json, "event", &step.event);
    if (!step.has_parent) return true;
    put_slice(json, "container", sy_slice_of(step.parent, sizeof step.parent));
    sy_json_put_u64(json, "container_steps", step.parent_steps);
    return true;
}

static bool put_event(sy_json *json, struct sy_slice value)
{
    struct sy_goods_event event;
    if (!sy_goods_event_decode(&event, value)) return false;
    const struct sy_kind *kind = sy_kind_by_number(event.kind);
    sy_json_put_text(json, "kind", kind != NULL ? kind->name : "unknown");
    sy_show_hash(json, "organisation", &event.organisation);
    sy_json_put_u64(json, "height", event.height);
    sy_json_put_i64(json, "time_ms", event.time_ms);
    if (event.answer == 0) return true;
    sy_json_put_text(json, "answer", sy_enum_word(&sy_enum_verify_answer, event.answer));
    return true;
}

static void put_items(sy_json *json, const struct sy_list *items)
{
    struct sy_slice text;
    sy_json_key(json, "items");
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_text(items, &offset, &text);) {
        char room[64] = "";
        if (text.size < sizeof room) memcpy(room, text.data, text.size);
        sy_json_text(json, room);
    }
    sy_json_array_end(json);
}

static bool put_shipment(sy_json *json, struct sy_slice value)
{
    struct sy_shipment shipment;
    if (!sy_shipment_decode(&shipment, value)) return false;
    sy_show_hash(json, "from", &shipment.from);
    sy_show_hash(json, "to", &shipment.to);
    sy_json_put_u64(json, "height", shipment.height);
    sy_json_put_i64(json, "time_ms", shipment.time_ms);
    if (shipment.has_document) sy_show_hash(json, "document_hash", &shipment.document);
    if (shipment.received) {
        sy_json_put_text(json, "result", sy_enum_word(&sy_enum_receive_result, shipment.result));
        sy_json_put_u64(json, "received_height", shipment.received_height);
        sy_json_put_i64(json, "received_ms", shipment.received_ms);
    }
    if (shipment.conditions > 0) sy_json_put_u64(json, "conditions", shipment.conditions);
    put_items(json, &shipment.items);
    return true;
}

static bool put_holder(sy_json *json, struct sy_slice value)
{
    struct sy_lot_holder holder;
    if (!sy_lot_holder_decode(&holder, value)) return false;
    sy_json_put_u64(json, "number", holder.number);
    sy_json_put_u64(json, "units", holder.units);
    return true;
}

static bool put_id(sy_json *json, const char *name, struct sy_slice value)
{
    struct sy_hash id;
    if (!sy_id_decode(&id, value)) return false;
    sy_show_hash(json, name, &id);
    return true;
}

static bool put_rx(sy_json *json, struct sy_slice value)
{
    struct sy_rx rx;
    if (!sy_rx_decode(&rx, value)) return false;
    sy_show_hash(json, "patient", &rx.patient);
    sy_show_hash(json, "organisation", &rx.organisation);
    sy_json_put_hex(json, "author", rx.author.bytes, sizeof rx.author.bytes);
    sy_show_hash(json, "drug_commit", &rx.drug_commit);
    sy_json_put_text(json, "control", sy_enum_word(&sy_enum_rx_control, rx.control));
    sy_json_put_u64(json, "quantity", rx.quantity);
    sy_json_put_u64(json, "days", rx.days);
    sy_json_put_u64(json, "refills", rx.refills);
    sy_json_put_u64(json, "fills", rx.fills);
    sy_json_put_i64(json, "from_ms", rx.from_ms);
    sy_json_put_i64(json, "until_ms", rx.until_ms);
    sy_json_put_u64(json, "issued_height", rx.height);
    if (rx.cancelled_height != 0) sy_json_put_u64(json, "cancelled_height", rx.cancelled_height);
    if (!rx.has_pharmacy) return true;
    sy_show_hash(json, "pharmacy", &rx.pharmacy);
    sy_json_put_i64(json, "filled_ms", rx.filled_ms);
    return true;
}

static bool put_dispensed(sy_json *json, struct sy_slice value)
{
    struct sy_dispensed dispensed;
    if (!sy_dispensed_decode(&dispensed, value)) return false;
    put_name(json, &dispensed.name);
    put_slice(json, "serial", dispensed.serial);
    sy_show_hash(json, "patient", &dispensed.patient);
    sy_show_hash(json, "organisation", &dispensed.organisation);
    sy_show_hash(json, "because_of", &dispensed.cause);
    sy_json_put_u64(json, "height", dispensed.height);
    sy_json_put_i64(json, "time_ms", dispensed.time_ms);
    if (dispensed.returned_height != 0) {
        sy_json_put_u64(json, "returned_height", dispensed.returned_height);
    }
    return true;
}

static bool put_recall(sy_json *json, struct sy_slice value)
{
    struct sy_recall recall;
    struct sy_slice lot;
    if (!sy_recall_decode(&recall, value)) return false;
    if (!sy_hash_is_zero(&recall.organisation)) {
        sy_show_hash(json, "organisation", &recall.organisation);
    }
    put_slice(json, "gtin", sy_slice_of(recall.gtin, sizeof recall.gtin));
    sy_json_key(json, "lots");
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_text(&recall.lots, &offset, &lot);) {
        char room[SY_SERIAL_BYTES_MAX + 1] = "";
        memcpy(room, lot.data, lot.size);
        sy_json_text(json, room);
    }
    sy_json_array_end(json);
    sy_json_put_text(json, "class", sy_enum_word(&sy_enum_recall_class, recall.recall_class));
    sy_json_put_text(json, "reason", sy_enum_word(&sy_enum_recall_reason, recall.reason));
    sy_json_put_u64(json, "height", recall.height);
    sy_json_put_i64(json, "time_ms", recall.time_ms);
    if (recall.closed_height == 0) return true;
    sy_json_put_u64(json, "closed_height", recall.closed_height);
    sy_json_put_text(json, "outcome", sy_enum_word(&sy_enum_recall_outcome, recall.outcome));
    return true;
}

static bool put_exception(sy_json *json, struct sy_slice value)
{
    struct sy_exception exception;
    if (!sy_exception_decode(&exception, value)) return false;
    sy_json_put_text(json, "reason", sy_enum_word(&sy_enum_exception_kind, exception.kind));
    sy_show_hash(json, "organisation", &exception.organisation);
    sy_show_hash(json, "to", &exception.to);
    sy_json_put_u64(json, "height", exception.height);
    sy_json_put_i64(json, "time_ms", exception.time_ms);
    if (exception.has_shipment) sy_show_hash(json, "shipment", &exception.shipment);
    if (exception.has_document) sy_show_hash(json, "document_hash", &exception.document);
    if (exception.answered) {
        sy_json_put_text(json, "outcome",
                         sy_enum_word(&sy_enum_exception_outcome, exception.outcome));
        sy_json_put_u64(json, "answered_height", exception.answered_height);
        sy_json_put_i64(json, "answered_ms", exception.answered_ms);
    }
    put_items(json, &exception.items);
    return true;
}

/* Hundredths of a kelvin, as degrees Celsius. */
static void put_celsius(sy_json *json, const char *name, uint32_t kelvin)
{
    sy_json_put_decimal(json, name, (int64_t)kelvin - SY_KELVIN_OF_ZERO_CELSIUS, 2);
}

static bool put_storage(sy_json *json, struct sy_slice value)
{
    struct sy_storage storage;
    if (!sy_storage_decode(&storage, value)) return false;
    put_celsius(json, "min_celsius", storage.min);
    put_celsius(json, "max_celsius", storage.max);
    sy_json_put_u64(json, "version", storage.version);
    sy_json_put_u64(json, "height", storage.height);
    return true;
}

static bool put_conditions(sy_json *json, struct sy_slice value)
{
    struct sy_conditions c;
    if (!sy_conditions_decode(&c, value)) return false;
    sy_show_hash(json, "organisation", &c.organisation);
    sy_json_put_hex(json, "key", c.key.bytes, sizeof c.key.bytes);
    if (c.has_device) sy_show_hash(json, "device", &c.device);
    if (c.has_shipment) sy_show_hash(json, "shipment", &c.shipment);
    sy_json_put_bool(json, "out_of_range", c.breached);
    sy_json_put_u64(json, "sequence", c.sequence);
    sy_json_put_i64(json, "from_ms", c.from_ms);
    sy_json_put_i64(json, "until_ms", sy_conditions_end(c.from_ms, c.interval_s, c.readings));
    sy_json_put_u64(json, "interval_s", c.interval_s);
    sy_json_put_u64(json, "readings", c.readings);
    put_celsius(json, "min_celsius", c.min);
    put_celsius(json, "max_celsius", c.max);
    sy_show_hash(json, "root", &c.root);
    if (c.gap_ms > 0) sy_json_put_i64(json, "gap_ms", c.gap_ms);
    sy_json_put_u64(json, "height", c.height);
    sy_json_put_i64(json, "time_ms", c.time_ms);
    put_items(json, &c.items);
    return true;
}

static bool put_correction(sy_json *json, struct sy_slice value)
{
    struct sy_correction correction;
    struct sy_hash id;
    if (!sy_correction_decode(&correction, value)) return false;
    sy_show_hash(json, "event", &correction.event);
    sy_show_hash(json, "organisation", &correction.organisation);
    sy_json_put_text(json, "reason", sy_enum_word(&sy_enum_correction_reason, correction.reason));
    sy_json_put_u64(json, "height", correction.height);
    sy_json_put_i64(json, "time_ms", correction.time_ms);
    if (correction.has_document) sy_show_hash(json, "document_hash", &correction.document);
    sy_json_key(json, "corrective");
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_id(&correction.corrective, &offset, &id);) {
        sy_json_hex(json, id.bytes, sizeof id.bytes);
    }
    sy_json_array_end(json);
    return true;
}

bool sy_show_goods(sy_json *json, uint8_t state_kind, struct sy_slice value)
{
    switch (state_kind) {
    case SY_STATE_PRODUCT: return put_product(json, value);
    case SY_STATE_LOT: return put_lot(json, value);
    case SY_STATE_UNIT: return put_unit(json, value);
    case SY_STATE_UNIT_STEP: return put_step(json, value);
    case SY_STATE_GOODS_EVENT: return put_event(json, value);
    case SY_STATE_SHIPMENT: return put_shipment(json, value);
    case SY_STATE_LOT_HOLDER: return put_holder(json, value);
    case SY_STATE_LOT_PLACE: return put_id(json, "organisation", value);
    case SY_STATE_LOT_RECALL: return put_id(json, "recall", value);
    case SY_STATE_RX: return put_rx(json, value);
    case SY_STATE_DISPENSED: return put_dispensed(json, value);
    case SY_STATE_RECALL: return put_recall(json, value);
    case SY_STATE_EXCEPTION: return put_exception(json, value);
    case SY_STATE_CORRECTION: return put_correction(json, value);
    case SY_STATE_STORAGE: return put_storage(json, value);
    case SY_STATE_CONDITIONS: return put_conditions(json, value);
    default: return false;
    }
}
