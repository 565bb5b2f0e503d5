/* product.c: products, the units that there are of them, and whether a pack is one of these.
 *
 * product.register (somebody of an organisation answers for it)
 *   the GTIN's check digit is wrong                       E_GTIN {the right one}
 *   the prefix does not stand in the GTIN                 E_SCHEMA, path prefix
 *   the organisation does not hold the prefix             E_PREFIX {holder, or zero}
 *   the GTIN is registered                                E_PRODUCT_EXISTS {its organisation}
 *   writes   product
 *   event    product.registered about the organisation, object: the GTIN, zero padded
 *
 * unit.commission (likewise)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   the GTIN is not registered                            E_PRODUCT_UNKNOWN
 *   by another organisation                               E_PREFIX {the product's}
 *   the lot or a serial has other characters than GS1's   E_EPC, path
 *   the lot has another expiry                            E_LOT {that, ms}
 *   the expiry is past                                    E_EXPIRED_LOT {expiry, ms}
 *   the lot is recalled                                   E_RECALLED {recall}
 *   the product has a unit with that serial               E_UNIT_EXISTS {unit}, path
 *   writes   units, lot, the organisation's count of it, goods event
 *   event    unit.commissioned about the organisation, object: the event
 *
 * unit.verify (whoever handles goods)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   writes   goods event, with the answer: of several reasons why it is not good, the first in the
 *            order of enum sy_verify_answer
 *   event    unit.verified about the organisation that asks, object: the event; what points to a
 *            counterfeit (all but recalled and expired) also suspect.found about the product's
 *
 * The answer never says whose a unit is, or where: who asks may be the counterfeiter. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"

#define DAY_MS (24ll * 3600 * 1000)

static enum sy_refusal check_prefix(struct sy_exec *x, struct sy_slice prefix)
{
    struct sy_hash key_hash, holder = {{0}};
    struct sy_slice value;
    sy_state_key_prefix(&key_hash, prefix);
    if (sy_exec_find(x, &value, &key_hash) && !sy_id_decode(&holder, value)) {
        x->failed = SY_ERR_CORRUPT;
    }
    if (sy_hash_equal(&holder, &x->by->holder)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_PREFIX, &holder);
}

enum sy_refusal sy_contract_product_register(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_product_register *p = &payload->product_register;
    struct sy_product product;
    SY_ASSERT(x->kind->number == SY_KIND_product_register && x->by->valid);
    SY_ASSERT(p->gtin.size == SY_GTIN_BYTES && p->prefix.size < SY_GTIN_BYTES - 1);
    enum sy_refusal code = sy_goods_check_number(x, p->gtin);
    if (code != SY_APPLIED) return code;
    // A GTIN-14 is an indicator, then company prefix and item reference, then the check digit.
    if (memcmp(p->gtin.data + 1, p->prefix.data, p->prefix.size) != 0) {
        return sy_refuse_path(x, SY_E_SCHEMA, "prefix");
    }
    code = check_prefix(x, p->prefix);
    if (code != SY_APPLIED) return code;
    if (sy_goods_find_product(x, &product, p->gtin)) {
        return sy_refuse_hash(x, SY_E_PRODUCT_EXISTS, &product.organisation);
    }
    product = (struct sy_product){
        .organisation = x->by->holder,
        .prefix = p->prefix,
        .product_class = p->class,
        .height = x->height,
    };
    if (p->has_ndc) product.ndc = p->ndc;
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash id = sy_goods_text(p->gtin), key_hash;
    sy_product_encode(&w, &product);
    sy_exec_key(x, &key_hash, SY_STATE_PRODUCT, &id);
    sy_exec_save(x, &key_hash, &w);
    sy_exec_event(x, SY_EVENT_PRODUCT_REGISTERED, SY_SUBJECT_ORG, &x->by->holder, &id);
    return SY_APPLIED;
}

// --- commissioning -----------------------------------------------------------------------------

/* The lot, as it is or begins. */
static enum sy_refusal open_lot(struct sy_exec *x, struct sy_lot *lot, const struct sy_hash *lot_id,
                                int64_t expiry_ms)
{
    struct sy_hash recall;
    if (!sy_goods_find_lot(x, lot, lot_id)) {
        *lot = (struct sy_lot){
            .organisation = x->by->holder, .expiry_ms = expiry_ms, .height = x->height};
    }
    if (lot->expiry_ms != expiry_ms) {
        x->detail = (uint64_t)lot->expiry_ms;
        return SY_E_LOT;
    }
    if (expiry_ms < x->time_ms) {
        x->detail = (uint64_t)expiry_ms;
        return SY_E_EXPIRED_LOT;
    }
    if (!sy_goods_find_recall(x, &recall, lot_id)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_RECALLED, &recall);
}

static enum sy_refusal save_units(struct sy_exec *x, const struct sy_unit_commission *p)
{
    struct sy_unit unit = {.status = SY_UNIT_HELD, .owner = x->by->holder, .height = x->height};
    struct sy_slice serial;
    unsigned index = 0;
    memcpy(unit.name.gtin, p->gtin.data, SY_GTIN_BYTES);
    memcpy(unit.name.lot, p->lot.data, p->lot.size);
    unit.name.lot_size = (uint8_t)p->lot.size;
    for (size_t offset = 0; sy_list_next_text(&p->serials, &offset, &serial); index++) {
        sy_goods_path(x, "serials", index);
        if (!sy_goods_serial_good(serial)) return SY_E_EPC;
        struct sy_hash id = sy_goods_id(p->gtin, serial);
        if (sy_exec_has(x, SY_STATE_UNIT, &id)) return sy_refuse_hash(x, SY_E_UNIT_EXISTS, &id);
        sy_goods_save_unit(x, &id, &unit);
    }
    return index > 0 ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "serials");
}

enum sy_refusal sy_contract_unit_commission(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unit_commission *p = &payload->unit_commission;
    struct sy_product product;
    struct sy_lot lot;
    SY_ASSERT(x->kind->number == SY_KIND_unit_commission && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    if (!sy_goods_find_product(x, &product, p->gtin)) {
        return sy_refuse_path(x, SY_E_PRODUCT_UNKNOWN, "gtin");
    }
    if (!sy_hash_equal(&product.organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_PREFIX, &product.organisation);
    }
    if (!sy_goods_serial_good(p->lot)) return sy_refuse_path(x, SY_E_EPC, "lot");
    struct sy_hash lot_id = sy_goods_id(p->gtin, p->lot);
    code = open_lot(x, &lot, &lot_id, p->expiry);
    if (code == SY_APPLIED) code = save_units(x, p);
    if (code != SY_APPLIED) return code;
    lot.commissioned += p->serials.count;
    lot.holders += sy_goods_add(x, SY_STATE_LOT_HOLDER, &lot_id, &x->by->holder, lot.holders,
                                p->serials.count);
    sy_goods_save_lot(x, &lot_id, &lot);
    sy_goods_save_event(x, &p->event_id, 0);
    sy_exec_event(x, SY_EVENT_UNIT_COMMISSIONED, SY_SUBJECT_ORG, &x->by->holder, &p->event_id);
    return SY_APPLIED;
}

// --- verifying ---------------------------------------------------------------------------------

static uint16_t judge_pack(struct sy_exec *x, const struct sy_unit_verify *p)
{
    struct sy_hash id, lot_id = sy_goods_id(p->gtin, p->lot), recall;
    struct sy_unit unit, top;
    struct sy_lot lot;
    if (!sy_goods_serial_good(p->serial)) return SY_VERIFY_UNKNOWN;
    id = sy_goods_id(p->gtin, p->serial);
    if (!sy_goods_find_unit(x, &unit, &id)) return SY_VERIFY_UNKNOWN;
    struct sy_hash its_lot = sy_lot_name_id(&unit.name);
    if (!sy_hash_equal(&its_lot, &lot_id) || !sy_goods_find_lot(x, &lot, &lot_id)) {
        return SY_VERIFY_LOT;
    }
    if (lot.expiry_ms / DAY_MS != p->expiry / DAY_MS) return SY_VERIFY_EXPIRY;
    sy_goods_outermost(x, &top, &unit);
    if (unit.status != SY_UNIT_HELD || top.status != SY_UNIT_HELD) return SY_VERIFY_ENDED;
    if (sy_goods_find_recall(x, &recall, &lot_id)) return SY_VERIFY_RECALLED;
    return lot.expiry_ms < x->time_ms ? SY_VERIFY_EXPIRED : SY_VERIFY_GOOD;
}

enum sy_refusal sy_contract_unit_verify(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unit_verify *p = &payload->unit_verify;
    struct sy_product product;
    SY_ASSERT(x->kind->number == SY_KIND_unit_verify && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    uint16_t answer = judge_pack(x, p);
    SY_ASSERT(sy_enum_word(&sy_enum_verify_answer, answer) != NULL);
    sy_goods_save_event(x, &p->event_id, answer);
    sy_exec_event(x, SY_EVENT_UNIT_VERIFIED, SY_SUBJECT_ORG, &x->by->holder, &p->event_id);
    bool suspect = answer >= SY_VERIFY_UNKNOWN && answer <= SY_VERIFY_ENDED;
    if (suspect && sy_goods_find_product(x, &product, p->gtin)) {
        sy_exec_event(x, SY_EVENT_SUSPECT_FOUND, SY_SUBJECT_ORG, &product.organisation,
                      &p->event_id);
    }
    return SY_APPLIED;
}
