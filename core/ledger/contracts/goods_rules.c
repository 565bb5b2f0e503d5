/* goods_rules.c: what the contracts about goods judge and keep alike; see goods_rules.h. */
#include "core/ledger/contracts/goods_rules.h"

#include <stdio.h>

#include "core/base/assert.h"

// --- entries -----------------------------------------------------------------------------------

bool sy_goods_find_product(struct sy_exec *x, struct sy_product *out, struct sy_slice gtin)
{
    struct sy_hash id = sy_goods_text(gtin);
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_PRODUCT, &id) &&
           sy_exec_decoded(x, sy_product_decode(out, value));
}

bool sy_goods_find_lot(struct sy_exec *x, struct sy_lot *out, const struct sy_hash *lot_id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_LOT, lot_id) &&
           sy_exec_decoded(x, sy_lot_decode(out, value));
}

void sy_goods_save_lot(struct sy_exec *x, const struct sy_hash *lot_id, const struct sy_lot *lot)
{
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_lot_encode(&w, lot);
    sy_exec_save_at(x, SY_STATE_LOT, lot_id, &w);
}

bool sy_goods_find_unit(struct sy_exec *x, struct sy_unit *out, const struct sy_hash *unit_id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_UNIT, unit_id) &&
           sy_exec_decoded(x, sy_unit_decode(out, value));
}

void sy_goods_save_unit(struct sy_exec *x, const struct sy_hash *unit_id,
                        const struct sy_unit *unit)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, unit);
    sy_exec_save_at(x, SY_STATE_UNIT, unit_id, &w);
}

bool sy_goods_find_recall(struct sy_exec *x, struct sy_hash *recall, const struct sy_hash *lot_id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_LOT_RECALL, lot_id) &&
           sy_exec_decoded(x, sy_id_decode(recall, value));
}

// --- events and steps --------------------------------------------------------------------------

enum sy_refusal sy_goods_check_event(struct sy_exec *x, const struct sy_hash *event_id)
{
    bool known = sy_exec_has(x, SY_STATE_GOODS_EVENT, event_id);
    return known ? sy_refuse_hash(x, SY_E_DUP_EVENT, event_id) : SY_APPLIED;
}

void sy_goods_save_event(struct sy_exec *x, const struct sy_hash *event_id, uint16_t answer)
{
    struct sy_goods_event event = {
        .kind = x->kind->number,
        .organisation = x->by->holder,
        .height = x->height,
        .time_ms = x->time_ms,
        .answer = answer,
    };
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    SY_ASSERT((answer != 0) == (x->kind->number == SY_KIND_unit_verify));
    sy_goods_event_encode(&w, &event);
    sy_exec_save_at(x, SY_STATE_GOODS_EVENT, event_id, &w);
}

/* From when on its temperature can be committed to. */
static void begin_anew(struct sy_unit *unit, unsigned step, int64_t now_ms)
{
    bool repacked = step == SY_STEP_FILLED || step == SY_STEP_EMPTIED || step == SY_STEP_UNPACKED;
    if (repacked && unit->known_ms < now_ms) unit->known_ms = now_ms;
    if (step == SY_STEP_RECEIVED) unit->known_ms = unit->since_ms = now_ms;
}

void sy_goods_step(struct sy_exec *x, struct sy_goods_item *item, struct sy_unit_step *step)
{
    struct sy_hash number = {{0}}, key_hash;
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    item->unit.steps++;
    begin_anew(&item->unit, step->kind, x->time_ms);
    step->height = x->height;
    step->time_ms = x->time_ms;
    SY_ASSERT(sy_step_name(step->kind) != NULL);
    sy_store_u64(number.bytes, item->unit.steps);
    sy_unit_step_encode(&w, step);
    sy_state_key_pair(&key_hash, SY_STATE_UNIT_STEP, &item->id, &number);
    sy_exec_save(x, &key_hash, &w);
}

// --- items -------------------------------------------------------------------------------------

void sy_goods_path(struct sy_exec *x, const char *name, unsigned index)
{
    char text[SY_PATH_BYTES_MAX];
    (void)snprintf(text, sizeof text, "%s[%u]", name, index);
    (void)sy_refuse_path(x, SY_APPLIED, text);
}

enum sy_refusal sy_goods_check_number(struct sy_exec *x, struct sy_slice digits)
{
    uint8_t expected = sy_goods_check_digit(digits);
    if (digits.data[digits.size - 1] == expected) return SY_APPLIED;
    x->detail = (uint64_t)(expected - '0');
    return SY_E_GTIN;
}

static uint64_t number_of(const uint8_t *sscc)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < SY_SSCC_BYTES; i++) number = number * 10 + (uint64_t)(sscc[i] - '0');
    return number;
}

enum sy_refusal sy_goods_find_item(struct sy_exec *x, struct sy_goods_item *item,
                                   struct sy_slice text)
{
    struct sy_epc epc;
    if (!sy_epc_read(&epc, text)) return SY_E_EPC;
    enum sy_refusal code = sy_goods_check_number(x, epc.number);
    if (code != SY_APPLIED) return code;
    item->id = sy_goods_id(epc.number, epc.serial);
    if (sy_goods_find_unit(x, &item->unit, &item->id)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_UNIT_UNKNOWN, &item->id);
}

void sy_goods_outermost(struct sy_exec *x, struct sy_unit *out, const struct sy_unit *unit)
{
    static const struct sy_slice none;
    *out = *unit;
    for (unsigned i = 0; out->packed; i++) {
        struct sy_hash id = sy_goods_id(sy_slice_of(out->parent, sizeof out->parent), none);
        bool found = i < SY_CONTAINER_LEVELS_MAX && sy_goods_find_unit(x, out, &id);
        if (!sy_exec_decoded(x, found)) return; // no contract packs into nothing, or deeper
    }
}

enum sy_refusal sy_goods_take_item(struct sy_exec *x, struct sy_goods_item *item,
                                   struct sy_slice text)
{
    struct sy_unit top;
    enum sy_refusal code = sy_goods_find_item(x, item, text);
    if (code != SY_APPLIED) return code;
    sy_goods_outermost(x, &top, &item->unit);
    if (!sy_hash_equal(&top.owner, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_OWNER, &top.owner);
    }
    if (item->unit.packed) {
        x->detail = number_of(item->unit.parent);
        return SY_E_AGGREGATED;
    }
    if (item->unit.status == SY_UNIT_HELD && !item->unit.under_way) return SY_APPLIED;
    x->detail = item->unit.status == SY_UNIT_HELD ? 0 : item->unit.status;
    return sy_refuse_hash(x, SY_E_UNIT_STATE, &item->id);
}

// --- lots --------------------------------------------------------------------------------------

unsigned sy_goods_lots(const struct sy_lot_count **lots, struct sy_lot_count *one,
                       const struct sy_unit *unit)
{
    SY_ASSERT(unit->lot_count <= SY_CONTAINER_LOTS_MAX);
    if (unit->container) {
        *lots = unit->lots;
        return unit->lot_count;
    }
    *one = (struct sy_lot_count){.name = unit->name, .units = 1};
    *lots = one;
    return 1;
}

enum sy_refusal sy_goods_check_lots(struct sy_exec *x, const struct sy_unit *unit)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, unit);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash lot_id = sy_lot_name_id(&lots[i].name), recall;
        struct sy_lot lot;
        if (sy_goods_find_recall(x, &recall, &lot_id)) {
            return sy_refuse_hash(x, SY_E_RECALLED, &recall);
        }
        if (!sy_exec_decoded(x, sy_goods_find_lot(x, &lot, &lot_id))) return SY_E_LOT_UNKNOWN;
        if (lot.expiry_ms < x->time_ms) {
            x->detail = (uint64_t)lot.expiry_ms;
            return SY_E_EXPIRED_LOT;
        }
    }
    return SY_APPLIED;
}

static void save_holder(struct sy_exec *x, const struct sy_hash *key_hash,
                        const struct sy_lot_holder *holder)
{
    uint8_t room[16];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_lot_holder_encode(&w, holder);
    sy_exec_save(x, key_hash, &w);
}

void sy_goods_find_told(struct sy_exec *x, struct sy_recall_told *told,
                        const struct sy_hash *lot_id)
{
    struct sy_slice value;
    bool there = sy_exec_find_at(x, &value, SY_STATE_RECALL_TOLD, lot_id);
    if (!there || !sy_exec_decoded(x, sy_recall_told_decode(told, value))) {
        *told = (struct sy_recall_told){.holders = 0};
    }
}

void sy_goods_save_told(struct sy_exec *x, const struct sy_hash *lot_id,
                        const struct sy_recall_told *told)
{
    uint8_t room[16];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_recall_told_encode(&w, told);
    sy_exec_save_at(x, SY_STATE_RECALL_TOLD, lot_id, &w);
}

static void save_place(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *lot_id,
                       uint64_t number, const struct sy_hash *whom)
{
    struct sy_hash padded = {{0}}, key_hash;
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_store_u64(padded.bytes, number);
    sy_id_encode(&w, whom);
    sy_state_key_pair(&key_hash, kind, lot_id, &padded);
    sy_exec_save(x, &key_hash, &w);
}

/* What was under way when the lot was recalled arrives somewhere new. */
static void tell_newcomer(struct sy_exec *x, const struct sy_hash *lot_id,
                          const struct sy_hash *organisation, uint64_t number)
{
    struct sy_hash recall;
    struct sy_recall_told told;
    if (!sy_goods_find_recall(x, &recall, lot_id)) return;
    sy_goods_find_told(x, &told, lot_id);
    if (told.holders + 1 != number) return; // recall.notify comes to it in its turn
    told.holders = number;
    sy_goods_save_told(x, lot_id, &told);
    sy_exec_event(x, SY_EVENT_RECALL_ISSUED, SY_SUBJECT_ORG, organisation, &recall);
}

uint64_t sy_goods_add(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *lot_id,
                      const struct sy_hash *whom, uint64_t count, uint64_t units)
{
    struct sy_hash key_hash;
    struct sy_lot_holder holder = {.number = count + 1};
    struct sy_slice value;
    bool holds = kind == SY_STATE_LOT_HOLDER;
    SY_ASSERT(holds || kind == SY_STATE_LOT_PATIENT);
    sy_state_key_pair(&key_hash, kind, lot_id, whom);
    bool known = sy_exec_find(x, &value, &key_hash);
    if (known && !sy_exec_decoded(x, sy_lot_holder_decode(&holder, value))) return 0;
    holder.units += units;
    SY_ASSERT(holder.number >= 1);
    save_holder(x, &key_hash, &holder);
    if (known) return 0;
    save_place(x, holds ? SY_STATE_LOT_PLACE : SY_STATE_LOT_PATIENT_PLACE, lot_id, holder.number,
               whom);
    if (holds) tell_newcomer(x, lot_id, whom, holder.number);
    return 1;
}

void sy_goods_subtract(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *lot_id,
                       const struct sy_hash *whom, uint64_t units)
{
    struct sy_hash key_hash;
    struct sy_lot_holder holder;
    struct sy_slice value;
    sy_state_key_pair(&key_hash, kind, lot_id, whom);
    bool good = sy_exec_find(x, &value, &key_hash) && sy_lot_holder_decode(&holder, value) &&
                holder.units >= units;
    if (!sy_exec_decoded(x, good)) return;
    holder.units -= units;
    save_holder(x, &key_hash, &holder);
}
