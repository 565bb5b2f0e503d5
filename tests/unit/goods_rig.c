/* goods_rig.c: see goods_rig.h. */
#include "tests/unit/goods_rig.h"

#include <stdio.h>
#include <string.h>

#define TEXTS 64u
#define ROOM 8192u

struct sy_hash event_id;
static unsigned events_made;

unsigned org_of(unsigned key)
{
    switch (key) {
    case MAKER:
    case MAKER_KEY: return ORG_MAKER;
    case TRADER: return ORG_TRADER;
    case PHARMACY_P:
    case PHARMACIST_P: return ORG_P;
    case PHARMACY_Q:
    case PHARMACIST_Q: return ORG_Q;
    default: return (key >= ADMIN_B && key <= NURSE_B) ? ORG_B : ORG_A;
    }
}

static const char *prefix_of(unsigned key)
{
    switch (org_of(key)) {
    case ORG_MAKER: return "9506000";
    case ORG_TRADER: return "4012345";
    case ORG_P: return "5012345";
    default: return "7612345";
    }
}

static void add_org(unsigned key, unsigned kind)
{
    const char *prefix = prefix_of(key);
    struct world_tx tx = world_register(org_of(key), kind, key);
    tx.payload.org_register.gs1_prefixes = texts(prefix, NULL);
    assert_applied(&tx);
}

int set_up_goods(void **state)
{
    set_up(state);
    events_made = 0;
    add_org(MAKER, SY_ORG_MANUFACTURER);
    add_org(TRADER, SY_ORG_WHOLESALER);
    add_org(PHARMACY_P, SY_ORG_PHARMACY);
    add_org(PHARMACY_Q, SY_ORG_PHARMACY);
    struct world_tx tx = world_issue(&world, PHARMACY_P, ORG_P, SY_ROLE_PHARMACIST, PHARMACIST_P);
    assert_applied(&tx);
    tx = world_issue(&world, PHARMACY_Q, ORG_Q, SY_ROLE_PHARMACIST, PHARMACIST_Q);
    assert_applied(&tx);
    tx = world_issue(&world, MAKER, ORG_MAKER, SY_ROLE_MANUFACTURER, MAKER_KEY);
    assert_applied(&tx);
    tx = register_product(MAKER, PRODUCT_1, "9506000");
    assert_applied(&tx);
    tx = register_product(MAKER_KEY, PRODUCT_2, "9506000");
    assert_applied(&tx);
    return 0;
}

// --- texts -------------------------------------------------------------------------------------

static char *next_text(void)
{
    static char rooms[TEXTS][64];
    static unsigned at;
    at = (at + 1) % TEXTS;
    return rooms[at];
}

const char *unit_epc(const char *gtin, const char *serial)
{
    char *text = next_text();
    (void)snprintf(text, 64, "01/%s/21/%s", gtin, serial);
    return text;
}

const char *sscc_of(unsigned key, unsigned number)
{
    char *text = next_text();
    (void)snprintf(text, 64, "1%s%09u0", prefix_of(key), number % 1000000000u);
    assert_int_equal(strlen(text), SY_SSCC_BYTES);
    text[SY_SSCC_BYTES - 1] = (char)sy_goods_check_digit(text_of(text));
    return text;
}

const char *case_epc(const char *sscc)
{
    char *text = next_text();
    (void)snprintf(text, 64, "00/%s", sscc);
    return text;
}

struct sy_slice text_of(const char *text)
{
    return sy_slice_of(text, strlen(text));
}

struct sy_list texts_of(const char *const *items, unsigned count)
{
    static uint8_t rooms[TEXTS][ROOM];
    static unsigned at;
    at = (at + 1) % TEXTS;
    struct sy_list list = {.count = 0};
    struct sy_writer w = sy_writer_of(rooms[at], ROOM);
    for (unsigned i = 0; i < count; i++) sy_list_add_text(&list, &w, text_of(items[i]));
    assert_false(w.failed);
    return list;
}

struct sy_list texts(const char *first, ...)
{
    const char *items[16];
    unsigned count = 0;
    va_list more;
    va_start(more, first);
    for (const char *text = first; text != NULL; text = va_arg(more, const char *)) {
        assert_true(count < 16);
        items[count++] = text;
    }
    va_end(more);
    return texts_of(items, count);
}

// --- transactions ------------------------------------------------------------------------------

unsigned next_event(void)
{
    return EVENT + events_made++;
}

static struct world_tx goods_tx(uint16_t kind, unsigned key, struct sy_hash *id)
{
    struct world_tx tx = world_tx_of(kind, key, org_of(key));
    event_id = test_hash(next_event());
    if (id) *id = event_id;
    return tx;
}

struct world_tx register_product(unsigned key, const char *gtin, const char *prefix)
{
    struct world_tx tx = world_tx_of(SY_KIND_product_register, key, org_of(key));
    tx.payload.product_register.gtin = text_of(gtin);
    tx.payload.product_register.prefix = text_of(prefix);
    tx.payload.product_register.class = SY_PRODUCT_DRUG;
    return tx;
}

struct world_tx commission(unsigned key, const char *gtin, const char *lot, struct sy_list serials)
{
    struct world_tx tx = goods_tx(SY_KIND_unit_commission, key, NULL);
    tx.payload.unit_commission.event_id = event_id;
    tx.payload.unit_commission.gtin = text_of(gtin);
    tx.payload.unit_commission.lot = text_of(lot);
    tx.payload.unit_commission.expiry = EXPIRY_MS;
    tx.payload.unit_commission.serials = serials;
    return tx;
}

struct world_tx verify(unsigned key, const char *gtin, const char *serial, const char *lot)
{
    struct world_tx tx = goods_tx(SY_KIND_unit_verify, key, NULL);
    tx.payload.unit_verify.event_id = event_id;
    tx.payload.unit_verify.gtin = text_of(gtin);
    tx.payload.unit_verify.serial = text_of(serial);
    tx.payload.unit_verify.lot = text_of(lot);
    tx.payload.unit_verify.expiry = EXPIRY_MS;
    return tx;
}

struct world_tx pack(unsigned key, const char *sscc, struct sy_list children)
{
    struct world_tx tx = goods_tx(SY_KIND_unit_aggregate, key, NULL);
    tx.payload.unit_aggregate.event_id = event_id;
    tx.payload.unit_aggregate.parent = text_of(sscc);
    tx.payload.unit_aggregate.children = children;
    return tx;
}

struct world_tx unpack(unsigned key, const char *sscc, struct sy_list children)
{
    struct world_tx tx = goods_tx(SY_KIND_unit_disaggregate, key, NULL);
    tx.payload.unit_disaggregate.event_id = event_id;
    tx.payload.unit_disaggregate.parent = text_of(sscc);
    tx.payload.unit_disaggregate.children = children;
    return tx;
}

struct world_tx ship(unsigned key, unsigned to, struct sy_list items)
{
    struct world_tx tx = goods_tx(SY_KIND_custody_ship, key, NULL);
    tx.payload.custody_ship.event_id = event_id;
    tx.payload.custody_ship.to = test_hash(to);
    tx.payload.custody_ship.items = items;
    return tx;
}

struct world_tx receive(unsigned key, const struct sy_hash *shipment, unsigned result)
{
    struct sy_hash of = *shipment; // perhaps event_id itself
    struct world_tx tx = goods_tx(SY_KIND_custody_receive, key, NULL);
    tx.payload.custody_receive.event_id = event_id;
    tx.payload.custody_receive.shipment = of;
    tx.payload.custody_receive.result = (uint16_t)result;
    return tx;
}

struct world_tx decommission(unsigned key, const char *epc, unsigned reason)
{
    struct world_tx tx = goods_tx(SY_KIND_unit_decommission, key, NULL);
    tx.payload.unit_decommission.event_id = event_id;
    tx.payload.unit_decommission.item = text_of(epc);
    tx.payload.unit_decommission.reason = (uint16_t)reason;
    return tx;
}

struct world_tx report(unsigned key, unsigned reason, struct sy_list items)
{
    struct world_tx tx = goods_tx(SY_KIND_exception_report, key, NULL);
    tx.payload.exception_report.event_id = event_id;
    tx.payload.exception_report.reason = (uint16_t)reason;
    tx.payload.exception_report.items = items;
    return tx;
}

struct world_tx report_of(unsigned key, unsigned reason, const struct sy_hash *shipment,
                          struct sy_list items)
{
    struct sy_hash of = *shipment; // perhaps event_id itself
    struct world_tx tx = report(key, reason, items);
    tx.payload.exception_report.has_shipment = true;
    tx.payload.exception_report.shipment = of;
    return tx;
}

struct world_tx respond(unsigned key, const struct sy_hash *exception, unsigned outcome,
                        struct sy_list items)
{
    struct sy_hash of = *exception;
    struct world_tx tx = goods_tx(SY_KIND_exception_respond, key, NULL);
    if (key == REGULATOR_1) tx.organisation = (struct sy_hash){{0}};
    tx.payload.exception_respond.event_id = event_id;
    tx.payload.exception_respond.exception = of;
    tx.payload.exception_respond.outcome = (uint16_t)outcome;
    tx.payload.exception_respond.items = items;
    return tx;
}

struct world_tx correct(unsigned key, const struct sy_hash *corrected, unsigned reason)
{
    struct sy_hash of = *corrected;
    struct world_tx tx = goods_tx(SY_KIND_event_correct, key, NULL);
    tx.payload.event_correct.event_id = event_id;
    tx.payload.event_correct.corrected = of;
    tx.payload.event_correct.reason = (uint16_t)reason;
    return tx;
}

void hand_to(unsigned from, unsigned to, struct sy_list items)
{
    struct world_tx tx = ship(from, org_of(to), items);
    assert_applied(&tx);
    tx = receive(to, &event_id, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
}

// --- state -------------------------------------------------------------------------------------

static bool find_pair(struct sy_slice *value, enum sy_state_kind kind, const struct sy_hash *first,
                      const struct sy_hash *second)
{
    struct sy_hash key_hash;
    sy_state_key_pair(&key_hash, kind, first, second);
    return world_find(&world, value, &key_hash);
}

struct sy_unit find_goods(const char *epc)
{
    struct sy_epc name;
    struct sy_slice value;
    struct sy_unit unit;
    assert_true(sy_epc_read(&name, text_of(epc)));
    struct sy_hash first = sy_goods_text(name.number), second = sy_goods_text(name.serial);
    if (!find_pair(&value, SY_STATE_UNIT, &first, &second)) fail_msg("there is no %s", epc);
    assert_true(sy_unit_decode(&unit, value));
    return unit;
}

struct sy_lot find_lot(const char *gtin, const char *lot_name)
{
    struct sy_hash first = sy_goods_text(text_of(gtin)), second = sy_goods_text(text_of(lot_name));
    struct sy_slice value;
    struct sy_lot lot;
    assert_true(find_pair(&value, SY_STATE_LOT, &first, &second));
    assert_true(sy_lot_decode(&lot, value));
    return lot;
}

static unsigned org_number(const struct sy_hash *id)
{
    static const unsigned orgs[] = {ORG_A, ORG_B, ORG_MAKER, ORG_TRADER, ORG_P, ORG_Q};
    for (unsigned i = 0; i < sizeof orgs / sizeof orgs[0]; i++) {
        struct sy_hash hash = test_hash(orgs[i]);
        if (sy_hash_equal(&hash, id)) return orgs[i];
    }
    return 0;
}

unsigned owner_of(const char *epc)
{
    struct sy_unit unit = find_goods(epc);
    for (unsigned i = 0; unit.packed; i++) {
        char sscc[SY_SSCC_BYTES + 1] = {0};
        assert_true(i < SY_CONTAINER_LEVELS_MAX);
        memcpy(sscc, unit.parent, SY_SSCC_BYTES);
        unit = find_goods(case_epc(sscc));
    }
    return org_number(&unit.owner);
}

uint64_t held_by(const char *gtin, const char *lot, unsigned org)
{
    struct sy_hash lot_id = sy_goods_id(text_of(gtin), text_of(lot)), org_id = test_hash(org);
    struct sy_slice value;
    struct sy_lot_holder holder;
    if (!find_pair(&value, SY_STATE_LOT_HOLDER, &lot_id, &org_id)) return 0;
    assert_true(sy_lot_holder_decode(&holder, value));
    return holder.units;
}

uint16_t answer_of(const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_goods_event event;
    sy_state_key_id(&key_hash, SY_STATE_GOODS_EVENT, id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_goods_event_decode(&event, value));
    return event.answer;
}

struct sy_event goods_told(unsigned n)
{
    size_t offset = 0;
    struct sy_event event;
    for (unsigned i = 0; i <= n; i++) {
        if (!sy_receipt_next_event(&world.receipt, &offset, &event)) fail_msg("no event %u", n);
    }
    return event;
}

void assert_goods_told(unsigned n, unsigned kind, unsigned org, const struct sy_hash *object)
{
    struct sy_event event = goods_told(n);
    assert_string_equal(sy_event_name(event.kind), sy_event_name((uint16_t)kind));
    assert_int_equal(event.subject_kind, SY_SUBJECT_ORG);
    assert_int_equal(org_number(&event.subject), org);
    assert_memory_equal(event.object.bytes, object->bytes, 32);
}
