/* state_goods.c: names and encodings of goods; see state_goods.h. */
#include "core/wire/state_goods.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define PAIR_PREFIX 0x04
#define EPC_BYTES_MAX 41u

enum {
    UNIT_CONTAINER = 1,
    UNIT_PACKED = 2,
    UNIT_UNDER_WAY = 4,
    UNIT_HOLD = 8,
    UNIT_EXCURSION = 16,
    UNIT_CONDITIONS = 32,
    UNIT_CONDEMNED = 64,
    UNIT_SINCE = 128,
    STEP_PARENT = 1,
    SHIPMENT_DOCUMENT = 1,
    SHIPMENT_RECEIVED = 2
};

// --- names -------------------------------------------------------------------------------------

struct sy_hash sy_goods_text(struct sy_slice text)
{
    struct sy_hash padded = {{0}};
    SY_ASSERT(text.size <= sizeof padded.bytes);
    if (text.size > 0) memcpy(padded.bytes, text.data, text.size);
    return padded;
}

struct sy_hash sy_goods_id(struct sy_slice first, struct sy_slice second)
{
    struct sy_hash a = sy_goods_text(first), b = sy_goods_text(second), id;
    sy_hash_prefixed(&id, PAIR_PREFIX, &a, &b);
    return id;
}

bool sy_goods_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second)
{
    switch (kind) {
    case SY_STATE_PRODUCT:
    case SY_STATE_GOODS_EVENT:
    case SY_STATE_SHIPMENT:
    case SY_STATE_RX:
    case SY_STATE_DISPENSED:
    case SY_STATE_RECALL:
    case SY_STATE_EXCEPTION:
    case SY_STATE_CORRECTION:
    case SY_STATE_STORAGE:
    case SY_STATE_CONDITIONS:
    case SY_STATE_RECALL_TOLD: sy_state_key_id(out, (enum sy_state_kind)kind, id); return true;
    case SY_STATE_LOT:
    case SY_STATE_UNIT:
    case SY_STATE_UNIT_STEP:
    case SY_STATE_LOT_HOLDER:
    case SY_STATE_LOT_PLACE:
    case SY_STATE_LOT_RECALL:
    case SY_STATE_RX_FILL:
    case SY_STATE_LOT_PATIENT:
    case SY_STATE_LOT_PATIENT_PLACE:
        sy_state_key_pair(out, (enum sy_state_kind)kind, id, second);
        return true;
    default: return false;
    }
}

uint8_t sy_goods_check_digit(struct sy_slice digits)
{
    unsigned sum = 0;
    SY_ASSERT(digits.size > 1);
    for (size_t i = 0; i + 1 < digits.size; i++) {
        // Weights alternate 3, 1, ... from the digit before the check digit towards the left.
        unsigned weight = (digits.size - 2 - i) % 2 == 0 ? 3 : 1;
        sum += weight * (unsigned)(digits.data[i] - '0');
    }
    return (uint8_t)('0' + (10 - sum % 10) % 10);
}

bool sy_goods_serial_good(struct sy_slice text)
{
    static const char others[] = "!\"%&'()*+,-./:;<=>?_";
    if (text.size == 0 || text.size > SY_SERIAL_BYTES_MAX) return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && (c == 0 || strchr(others, c) == NULL)) return false;
    }
    return true;
}

static bool are_digits(struct sy_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    return true;
}

bool sy_epc_read(struct sy_epc *epc, struct sy_slice text)
{
    const size_t serial_at = 3 + SY_GTIN_BYTES + 4;
    *epc = (struct sy_epc){.container = false};
    if (text.size == 3 + SY_SSCC_BYTES && memcmp(text.data, "00/", 3) == 0) {
        epc->container = true;
        epc->number = sy_slice_of(text.data + 3, SY_SSCC_BYTES);
        return are_digits(epc->number);
    }
    if (text.size <= serial_at || memcmp(text.data, "01/", 3) != 0 ||
        memcmp(text.data + 3 + SY_GTIN_BYTES, "/21/", 4) != 0) {
        return false;
    }
    epc->number = sy_slice_of(text.data + 3, SY_GTIN_BYTES);
    epc->serial = sy_slice_of(text.data + serial_at, text.size - serial_at);
    return are_digits(epc->number) && sy_goods_serial_good(epc->serial);
}

struct sy_hash sy_lot_name_id(const struct sy_lot_name *name)
{
    return sy_goods_id(sy_slice_of(name->gtin, sizeof name->gtin),
                       sy_slice_of(name->lot, name->lot_size));
}

// --- products and lots -------------------------------------------------------------------------

void sy_product_encode(struct sy_writer *w, const struct sy_product *product)
{
    sy_write_hash(w, &product->organisation);
    sy_write_bytes16(w, product->prefix);
    sy_write_u16(w, product->product_class);
    sy_write_bytes16(w, product->ndc);
    sy_write_u64(w, product->height);
}

bool sy_product_decode(struct sy_product *product, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &product->organisation, "organisation");
    product->prefix = sy_read_bytes16(&r, 12, "prefix");
    product->product_class = sy_read_u16(&r, "class");
    if (!sy_enum_word(&sy_enum_product_class, product->product_class)) sy_reader_fail(&r, "class");
    product->ndc = sy_read_bytes16(&r, SY_CODE_BYTES_MAX, "ndc");
    product->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

void sy_lot_encode(struct sy_writer *w, const struct sy_lot *lot)
{
    sy_write_hash(w, &lot->organisation);
    sy_write_i64(w, lot->expiry_ms);
    sy_write_u64(w, lot->commissioned);
    sy_write_u64(w, lot->dispensed);
    sy_write_u64(w, lot->ended);
    sy_write_u64(w, lot->holders);
    sy_write_u64(w, lot->patients);
    sy_write_u64(w, lot->height);
}

bool sy_lot_decode(struct sy_lot *lot, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *lot = (struct sy_lot){.height = 0};
    sy_read_hash(&r, &lot->organisation, "organisation");
    lot->expiry_ms = sy_read_i64(&r, "expiry");
    lot->commissioned = sy_read_u64(&r, "commissioned");
    lot->dispensed = sy_read_u64(&r, "dispensed");
    lot->ended = sy_read_u64(&r, "ended");
    lot->holders = sy_read_u64(&r, "holders");
    lot->patients = sy_read_u64(&r, "patients");
    lot->height = sy_read_u64(&r, "height");
    if (lot->dispensed > lot->commissioned || lot->ended > lot->commissioned - lot->dispensed) {
        sy_reader_fail(&r, "commissioned");
    }
    return sy_reader_done(&r);
}

void sy_lot_holder_encode(struct sy_writer *w, const struct sy_lot_holder *holder)
{
    sy_write_u64(w, holder->number);
    sy_write_u64(w, holder->units);
}

bool sy_lot_holder_decode(struct sy_lot_holder *holder, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    holder->number = sy_read_u64(&r, "number");
    holder->units = sy_read_u64(&r, "units");
    if (holder->number == 0) sy_reader_fail(&r, "number");
    return sy_reader_done(&r);
}

// --- units and containers ----------------------------------------------------------------------

void sy_lot_name_write(struct sy_writer *w, const struct sy_lot_name *name)
{
    sy_write_raw(w, name->gtin, sizeof name->gtin);
    sy_write_bytes16(w, sy_slice_of(name->lot, name->lot_size));
}

void sy_lot_name_read(struct sy_reader *r, struct sy_lot_name *name)
{
    struct sy_slice gtin = sy_read_raw(r, sizeof name->gtin, "gtin");
    struct sy_slice lot = sy_read_bytes16(r, sizeof name->lot, "lot");
    *name = (struct sy_lot_name){.lot_size = 0};
    if (r->failed || !are_digits(gtin) || !sy_goods_serial_good(lot)) {
        sy_reader_fail(r, "lot");
        return;
    }
    memcpy(name->gtin, gtin.data, gtin.size);
    memcpy(name->lot, lot.data, lot.size);
    name->lot_size = (uint8_t)lot.size;
}

static void write_contents(struct sy_writer *w, const struct sy_unit *unit)
{
    SY_ASSERT(unit->lot_count <= SY_CONTAINER_LOTS_MAX);
    sy_write_u8(w, unit->level);
    sy_write_u32(w, unit->children);
    sy_write_u8(w, unit->lot_count);
    for (unsigned i = 0; i < unit->lot_count; i++) {
        sy_lot_name_write(w, &unit->lots[i].name);
        sy_write_u32(w, unit->lots[i].units);
    }
}

static void read_contents(struct sy_reader *r, struct sy_unit *unit)
{
    unit->level = sy_read_u8(r, "level");
    unit->children = sy_read_u32(r, "children");
    uint8_t count = sy_read_u8(r, "lots");
    if (unit->level == 0 || unit->level > SY_CONTAINER_LEVELS_MAX) sy_reader_fail(r, "level");
    if (count > SY_CONTAINER_LOTS_MAX) sy_reader_fail(r, "lots");
    for (unsigned i = 0; !r->failed && i < count; i++) {
        struct sy_lot_count *lot = &unit->lots[i];
        sy_lot_name_read(r, &lot->name);
        lot->units = sy_read_u32(r, "units");
        if (lot->units == 0) sy_reader_fail(r, "units");
        if (i > 0 && memcmp(&unit->lots[i - 1].name, &lot->name, sizeof lot->name) >= 0) {
            sy_reader_fail(r, "lots");
        }
    }
    if (!r->failed) unit->lot_count = count;
}

/* What is quarantined is held by something, and nothing else is but what ended while it was. */
static bool holds_fit(const struct sy_unit *unit)
{
    bool held = unit->has_hold || unit->has_excursion;
    if (unit->status == SY_UNIT_QUARANTINED) return held;
    if (unit->status == SY_UNIT_ENDED) return held || !unit->condemned;
    return !held && !unit->condemned;
}

void sy_unit_encode(struct sy_writer *w, const struct sy_unit *unit)
{
    SY_ASSERT(!unit->packed || !unit->under_way);
    SY_ASSERT(holds_fit(unit));
    SY_ASSERT(unit->since_ms >= 0 && unit->since_ms <= unit->known_ms);
    SY_ASSERT((unit->since_ms != 0) == (unit->known_ms != 0));
    bool known = unit->conditions != 0 || unit->known_ms != 0;
    bool since = unit->since_ms != unit->known_ms;
    sy_write_u8(
        w, (uint8_t)((unit->container ? UNIT_CONTAINER : 0) | (unit->packed ? UNIT_PACKED : 0) |
                     (unit->under_way ? UNIT_UNDER_WAY : 0) | (unit->has_hold ? UNIT_HOLD : 0) |
                     (unit->has_excursion ? UNIT_EXCURSION : 0) | (known ? UNIT_CONDITIONS : 0) |
                     (unit->condemned ? UNIT_CONDEMNED : 0) | (since ? UNIT_SINCE : 0)));
    sy_write_u8(w, unit->status);
    sy_write_hash(w, &unit->owner);
    if (unit->packed) sy_write_raw(w, unit->parent, sizeof unit->parent);
    if (unit->under_way) sy_write_hash(w, &unit->shipment);
    if (unit->has_hold) sy_write_hash(w, &unit->hold);
    if (unit->has_excursion) sy_write_hash(w, &unit->excursion);
    if (known) {
        sy_write_u32(w, unit->conditions);
        sy_write_i64(w, unit->known_ms);
    }
    if (since) sy_write_i64(w, unit->since_ms);
    sy_write_u64(w, unit->steps);
    sy_write_u64(w, unit->height);
    if (unit->container) {
        write_contents(w, unit);
    } else {
        sy_lot_name_write(w, &unit->name);
    }
}

static void read_sscc(struct sy_reader *r, uint8_t *sscc)
{
    struct sy_slice digits = sy_read_raw(r, SY_SSCC_BYTES, "parent");
    if (r->failed || !are_digits(digits)) {
        sy_reader_fail(r, "parent");
        return;
    }
    memcpy(sscc, digits.data, SY_SSCC_BYTES);
}

static void read_known(struct sy_reader *r, struct sy_unit *unit)
{
    unit->conditions = sy_read_u32(r, "conditions");
    unit->known_ms = sy_read_i64(r, "known");
    if (unit->conditions == 0 && unit->known_ms == 0) sy_reader_fail(r, "flags");
    if (unit->known_ms < 0) sy_reader_fail(r, "known");
    unit->since_ms = unit->known_ms;
}

static void read_since(struct sy_reader *r, struct sy_unit *unit)
{
    unit->since_ms = sy_read_i64(r, "since");
    if (unit->since_ms <= 0 || unit->since_ms >= unit->known_ms) sy_reader_fail(r, "since");
}

bool sy_unit_decode(struct sy_unit *unit, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    memset(unit, 0, sizeof *unit);
    uint8_t flags = sy_read_u8(&r, "flags");
    bool both = (flags & UNIT_PACKED) != 0 && (flags & UNIT_UNDER_WAY) != 0;
    if (both) sy_reader_fail(&r, "flags");
    unit->container = (flags & UNIT_CONTAINER) != 0;
    unit->packed = (flags & UNIT_PACKED) != 0;
    unit->under_way = (flags & UNIT_UNDER_WAY) != 0;
    unit->has_hold = (flags & UNIT_HOLD) != 0;
    unit->has_excursion = (flags & UNIT_EXCURSION) != 0;
    unit->condemned = (flags & UNIT_CONDEMNED) != 0;
    unit->status = sy_read_u8(&r, "status");
    if (sy_unit_status_name(unit->status) == NULL) sy_reader_fail(&r, "status");
    if (!holds_fit(unit)) sy_reader_fail(&r, "status");
    sy_read_hash(&r, &unit->owner, "owner");
    if (unit->packed) read_sscc(&r, unit->parent);
    if (unit->under_way) sy_read_hash(&r, &unit->shipment, "shipment");
    if (unit->has_hold) sy_read_hash(&r, &unit->hold, "hold");
    if (unit->has_excursion) sy_read_hash(&r, &unit->excursion, "excursion");
    if ((flags & UNIT_CONDITIONS) != 0) read_known(&r, unit);
    if ((flags & UNIT_SINCE) != 0) read_since(&r, unit);
    unit->steps = sy_read_u64(&r, "steps");
    unit->height = sy_read_u64(&r, "height");
    if (unit->container) {
        read_contents(&r, unit);
    } else {
        sy_lot_name_read(&r, &unit->name);
    }
    return sy_reader_done(&r);
}

const char *sy_unit_status_name(unsigned status)
{
    switch (status) {
    case SY_UNIT_HELD: return "held";
    case SY_UNIT_DISPENSED: return "dispensed";
    case SY_UNIT_RETURNED: return "returned";
    case SY_UNIT_ENDED: return "ended";
    case SY_UNIT_QUARANTINED: return "quarantined";
    default: return NULL;
    }
}

// --- what happened -----------------------------------------------------------------------------

const char *sy_step_name(unsigned kind)
{
    static const char *const names[SY_STEP_COUNT] = {
        [SY_STEP_PACKED] = "packed",
        [SY_STEP_UNPACKED] = "unpacked",
        [SY_STEP_FILLED] = "filled",
        [SY_STEP_EMPTIED] = "emptied",
        [SY_STEP_SHIPPED] = "shipped",
        [SY_STEP_RECEIVED] = "received",
        [SY_STEP_REFUSED] = "refused",
        [SY_STEP_DISPENSED] = "dispensed",
        [SY_STEP_RETURNED] = "returned",
        [SY_STEP_ENDED] = "ended",
        [SY_STEP_QUARANTINED] = "quarantined",
        [SY_STEP_RELEASED] = "released",
        [SY_STEP_CONDEMNED] = "found illegitimate",
        [SY_STEP_REINSTATED] = "reinstated",
        [SY_STEP_MONITORED] = "monitored",
        [SY_STEP_EXCURSION] = "out of range",
        [SY_STEP_UNFIT] = "found unfit",
    };
    return kind < SY_STEP_COUNT ? names[kind] : NULL;
}

void sy_unit_step_encode(struct sy_writer *w, const struct sy_unit_step *step)
{
    sy_write_u8(w, step->kind);
    sy_write_u64(w, step->height);
    sy_write_i64(w, step->time_ms);
    sy_write_hash(w, &step->organisation);
    sy_write_hash(w, &step->event);
    sy_write_u8(w, step->has_parent ? STEP_PARENT : 0);
    if (!step->has_parent) return;
    sy_write_raw(w, step->parent, sizeof step->parent);
    sy_write_u64(w, step->parent_steps);
}

bool sy_unit_step_decode(struct sy_unit_step *step, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    memset(step, 0, sizeof *step);
    step->kind = sy_read_u8(&r, "kind");
    if (sy_step_name(step->kind) == NULL) sy_reader_fail(&r, "kind");
    step->height = sy_read_u64(&r, "height");
    step->time_ms = sy_read_i64(&r, "time");
    sy_read_hash(&r, &step->organisation, "organisation");
    sy_read_hash(&r, &step->event, "event");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > STEP_PARENT) sy_reader_fail(&r, "flags");
    step->has_parent = flags == STEP_PARENT;
    if (step->has_parent) {
        read_sscc(&r, step->parent);
        step->parent_steps = sy_read_u64(&r, "parent steps");
    }
    return sy_reader_done(&r);
}

void sy_goods_event_encode(struct sy_writer *w, const struct sy_goods_event *event)
{
    sy_write_u16(w, event->kind);
    sy_write_hash(w, &event->organisation);
    sy_write_u64(w, event->height);
    sy_write_i64(w, event->time_ms);
    sy_write_u16(w, event->answer);
}

bool sy_goods_event_decode(struct sy_goods_event *event, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *event = (struct sy_goods_event){.kind = 0};
    event->kind = sy_read_u16(&r, "kind");
    sy_read_hash(&r, &event->organisation, "organisation");
    event->height = sy_read_u64(&r, "height");
    event->time_ms = sy_read_i64(&r, "time");
    event->answer = sy_read_u16(&r, "answer");
    bool answers = event->kind == SY_KIND_unit_verify;
    bool known = sy_enum_word(&sy_enum_verify_answer, event->answer) != NULL;
    if (sy_kind_by_number(event->kind) == NULL) sy_reader_fail(&r, "kind");
    if (answers ? !known : event->answer != 0) sy_reader_fail(&r, "answer");
    return sy_reader_done(&r);
}

void sy_shipment_encode(struct sy_writer *w, const struct sy_shipment *shipment)
{
    sy_write_hash(w, &shipment->from);
    sy_write_hash(w, &shipment->to);
    sy_write_u64(w, shipment->height);
    sy_write_i64(w, shipment->time_ms);
    sy_write_u8(w, (uint8_t)((shipment->has_document ? SHIPMENT_DOCUMENT : 0) |
                             (shipment->received ? SHIPMENT_RECEIVED : 0)));
    if (shipment->has_document) sy_write_hash(w, &shipment->document);
    if (shipment->received) {
        sy_write_u16(w, shipment->result);
        sy_write_u64(w, shipment->received_height);
        sy_write_i64(w, shipment->received_ms);
    }
    sy_write_u32(w, shipment->conditions);
    sy_write_u16(w, shipment->items.count);
    sy_write_bytes16(w, shipment->items.items);
}

void sy_epcs_read(struct sy_reader *r, struct sy_list *items)
{
    items->count = sy_read_u16(r, "items");
    items->items = sy_read_bytes16(r, SY_SHIPMENT_ITEMS_MAX * (2u + EPC_BYTES_MAX), "items");
    struct sy_reader each = sy_reader_of(items->items);
    if (items->count > SY_SHIPMENT_ITEMS_MAX) sy_reader_fail(r, "items");
    for (unsigned i = 0; !r->failed && i < items->count; i++) {
        struct sy_epc epc;
        struct sy_slice text = sy_read_bytes16(&each, EPC_BYTES_MAX, "item");
        if (each.failed || !sy_epc_read(&epc, text)) sy_reader_fail(r, "item");
    }
    if (!r->failed && !sy_reader_done(&each)) sy_reader_fail(r, "items");
    if (r->failed) *items = (struct sy_list){.count = 0};
}

bool sy_shipment_decode(struct sy_shipment *shipment, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *shipment = (struct sy_shipment){.height = 0};
    sy_read_hash(&r, &shipment->from, "from");
    sy_read_hash(&r, &shipment->to, "to");
    shipment->height = sy_read_u64(&r, "height");
    shipment->time_ms = sy_read_i64(&r, "time");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > (SHIPMENT_DOCUMENT | SHIPMENT_RECEIVED)) sy_reader_fail(&r, "flags");
    shipment->has_document = (flags & SHIPMENT_DOCUMENT) != 0;
    shipment->received = (flags & SHIPMENT_RECEIVED) != 0;
    if (shipment->has_document) sy_read_hash(&r, &shipment->document, "document");
    if (shipment->received) {
        shipment->result = sy_read_u16(&r, "result");
        shipment->received_height = sy_read_u64(&r, "received");
        shipment->received_ms = sy_read_i64(&r, "received");
        if (!sy_enum_word(&sy_enum_receive_result, shipment->result)) sy_reader_fail(&r, "result");
    }
    shipment->conditions = sy_read_u32(&r, "conditions");
    sy_epcs_read(&r, &shipment->items);
    if (shipment->items.count == 0) sy_reader_fail(&r, "items");
    return sy_reader_done(&r);
}

_Static_assert(1 + 1 + 32 + SY_SSCC_BYTES + 32 + 32 + 32 + 12 + 8 + 8 + 1 + 4 + 1 +
                       SY_CONTAINER_LOTS_MAX * (SY_GTIN_BYTES + 2 + SY_SERIAL_BYTES_MAX + 4) <=
                   SY_STATE_VALUE_BYTES_MAX,
               "a container of the most lots fits a state value");
_Static_assert(32 + 32 + 8 + 8 + 1 + 32 + 2 + 8 + 8 + 4 + 2 + 2 +
                       SY_SHIPMENT_ITEMS_MAX * (2 + EPC_BYTES_MAX) <=
                   SY_STATE_VALUE_BYTES_MAX,
               "a shipment of the most items fits a state value");
