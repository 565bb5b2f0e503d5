/* Values of goods: one encoding each; EPCs. */
#include "core/wire/state_cond.h"
#include "core/wire/state_exception.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

typedef bool (*again_fn)(struct sy_writer *w, struct sy_slice value);

#define AGAIN(name, type)                                                \
    static bool again_##name(struct sy_writer *w, struct sy_slice value) \
    {                                                                    \
        struct type v;                                                   \
        if (!sy_##name##_decode(&v, value)) return false;                \
        sy_##name##_encode(w, &v);                                       \
        return true;                                                     \
    }
AGAIN(product, sy_product)
AGAIN(lot, sy_lot)
AGAIN(lot_holder, sy_lot_holder)
AGAIN(unit, sy_unit)
AGAIN(unit_step, sy_unit_step)
AGAIN(goods_event, sy_goods_event)
AGAIN(shipment, sy_shipment)
AGAIN(rx, sy_rx)
AGAIN(rx_fill, sy_rx_fill)
AGAIN(dispensed, sy_dispensed)
AGAIN(recall, sy_recall)
AGAIN(recall_told, sy_recall_told)
AGAIN(exception, sy_exception)
AGAIN(correction, sy_correction)
AGAIN(storage, sy_storage)
AGAIN(conditions, sy_conditions)

static uint8_t room[SY_STATE_VALUE_BYTES_MAX];

/* Comes back the same; is refused cut anywhere, longer, and with flags that have no meaning. */
static void check(struct sy_writer *w, again_fn again)
{
    uint8_t copy[SY_STATE_VALUE_BYTES_MAX + 1] = {0}, out[SY_STATE_VALUE_BYTES_MAX];
    assert_false(w->failed);
    memcpy(copy, room, w->used);
    struct sy_writer back = sy_writer_of(out, sizeof out);
    assert_true(again(&back, sy_slice_of(copy, w->used)));
    assert_int_equal(back.used, w->used);
    assert_memory_equal(out, copy, w->used);
    for (size_t size = 0; size < w->used; size++) {
        back = sy_writer_of(out, sizeof out);
        assert_false(again(&back, sy_slice_of(copy, size)));
    }
    back = sy_writer_of(out, sizeof out);
    assert_false(again(&back, sy_slice_of(copy, w->used + 1)));
    // A changed byte is refused, or another value: never a second encoding of the same.
    for (size_t i = 0; i < w->used; i++) {
        copy[i] ^= 0x80;
        back = sy_writer_of(out, sizeof out);
        if (again(&back, sy_slice_of(copy, w->used))) {
            assert_int_equal(back.used, w->used);
            assert_memory_equal(out, copy, w->used);
        }
        copy[i] ^= 0x80;
    }
}

static struct sy_slice text(const char *bytes)
{
    return sy_slice_of(bytes, strlen(bytes));
}

static struct sy_lot_name name_of(const char *gtin, const char *lot)
{
    struct sy_lot_name name = {.lot_size = (uint8_t)strlen(lot)};
    memcpy(name.gtin, gtin, sizeof name.gtin);
    memcpy(name.lot, lot, name.lot_size);
    return name;
}

CASE(products_lots_and_holders_come_back)
{
    struct sy_product product = {test_hash(1), text("9506000"), SY_PRODUCT_IMPLANT, text("1-2"), 5};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_product_encode(&w, &product);
    check(&w, again_product);
    struct sy_lot lot = {test_hash(1), 7, 10, 3, 7, 2, 1, 5};
    w = sy_writer_of(room, sizeof room);
    sy_lot_encode(&w, &lot);
    check(&w, again_lot);
    lot.ended = 8; // more than there ever were
    w = sy_writer_of(room, sizeof room);
    sy_lot_encode(&w, &lot);
    assert_false(sy_lot_decode(&lot, sy_writer_slice(&w)));
    struct sy_lot_holder holder = {.number = 1, .units = 0};
    w = sy_writer_of(room, sizeof room);
    sy_lot_holder_encode(&w, &holder);
    check(&w, again_lot_holder);
}

CASE(units_and_containers_come_back)
{
    struct sy_unit unit = {.status = SY_UNIT_HELD,
                           .owner = test_hash(1),
                           .steps = 2,
                           .height = 3,
                           .name = name_of("09506000134352", "L1")};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &unit);
    check(&w, again_unit);
    unit.packed = true;
    memcpy(unit.parent, "106141412345678908", SY_SSCC_BYTES);
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &unit);
    check(&w, again_unit);
    room[0] |= 4; // packed and under way
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
    struct sy_unit box = {.container = true,
                          .status = SY_UNIT_ENDED,
                          .under_way = true,
                          .shipment = test_hash(4),
                          .level = SY_CONTAINER_LEVELS_MAX,
                          .children = 9,
                          .lot_count = 2,
                          .lots = {{name_of("09506000134352", "L1"), 4},
                                   {name_of("09506000134369", "L1"), UINT32_MAX}}};
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &box);
    check(&w, again_unit);
    struct sy_lot_count first = box.lots[0];
    box.lots[0] = box.lots[1];
    box.lots[1] = first; // in another order
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &box);
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
}

CASE(steps_events_and_shipments_come_back)
{
    struct sy_unit_step step = {.kind = SY_STEP_PACKED,
                                .height = 1,
                                .time_ms = 2,
                                .organisation = test_hash(3),
                                .event = test_hash(4),
                                .has_parent = true,
                                .parent_steps = 7};
    memcpy(step.parent, "106141412345678908", SY_SSCC_BYTES);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_unit_step_encode(&w, &step);
    check(&w, again_unit_step);
    struct sy_goods_event event = {SY_KIND_unit_verify, test_hash(1), 2, 3, SY_VERIFY_LOT};
    w = sy_writer_of(room, sizeof room);
    sy_goods_event_encode(&w, &event);
    check(&w, again_goods_event);
    event.kind = SY_KIND_custody_ship; // which answers nothing
    w = sy_writer_of(room, sizeof room);
    sy_goods_event_encode(&w, &event);
    assert_false(sy_goods_event_decode(&event, sy_writer_slice(&w)));
    uint8_t items[128];
    struct sy_writer list = sy_writer_of(items, sizeof items);
    struct sy_shipment shipment = {.from = test_hash(1),
                                   .to = test_hash(2),
                                   .has_document = true,
                                   .received = true,
                                   .result = SY_RECEIVE_PARTIAL};
    sy_list_add_text(&shipment.items, &list, text("00/106141412345678908"));
    sy_list_add_text(&shipment.items, &list, text("01/09506000134352/21/a"));
    w = sy_writer_of(room, sizeof room);
    sy_shipment_encode(&w, &shipment);
    check(&w, again_shipment);
}

CASE(prescriptions_and_recalls_come_back)
{
    struct sy_rx rx = {.patient = test_hash(1),
                       .control = SY_CONTROL_STRICT,
                       .quantity = 30,
                       .days = 20,
                       .refills = 1,
                       .until_ms = 9,
                       .fills = 2,
                       .has_pharmacy = true,
                       .pharmacy = test_hash(2),
                       .filled_ms = 5};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_rx_encode(&w, &rx);
    check(&w, again_rx);
    rx.fills = 3; // of two
    w = sy_writer_of(room, sizeof room);
    sy_rx_encode(&w, &rx);
    assert_false(sy_rx_decode(&rx, sy_writer_slice(&w)));
    struct sy_rx_fill fill = {test_hash(1), test_public(2), 30, 4, 5};
    w = sy_writer_of(room, sizeof room);
    sy_rx_fill_encode(&w, &fill);
    check(&w, again_rx_fill);
    struct sy_dispensed dispensed = {
        .patient = test_hash(1), .name = name_of("09506000134352", "L1"), .serial = text("a/b")};
    w = sy_writer_of(room, sizeof room);
    sy_dispensed_encode(&w, &dispensed);
    check(&w, again_dispensed);
    uint8_t items[64];
    struct sy_writer list = sy_writer_of(items, sizeof items);
    struct sy_recall recall = {.recall_class = SY_RECALL_II,
                               .reason = SY_RECALL_LABEL,
                               .closed_height = 5,
                               .outcome = SY_RECALL_WITHDRAWN};
    memcpy(recall.gtin, "09506000134352", sizeof recall.gtin);
    sy_list_add_text(&recall.lots, &list, text("L1"));
    w = sy_writer_of(room, sizeof room);
    sy_recall_encode(&w, &recall);
    check(&w, again_recall);
    struct sy_recall_told told = {.holders = 1, .patients = 2};
    w = sy_writer_of(room, sizeof room);
    sy_recall_told_encode(&w, &told);
    check(&w, again_recall_told);
}

CASE(exceptions_corrections_and_holds_come_back)
{
    uint8_t items[128], ids[96];
    struct sy_writer list = sy_writer_of(items, sizeof items);
    struct sy_exception exception = {.kind = SY_EXCEPTION_SHORTAGE,
                                     .organisation = test_hash(1),
                                     .to = test_hash(2),
                                     .has_shipment = true,
                                     .shipment = test_hash(3),
                                     .has_document = true,
                                     .answered = true,
                                     .outcome = SY_OUTCOME_AGREED};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_exception_encode(&w, &exception);
    check(&w, again_exception); // about no item
    sy_list_add_text(&exception.items, &list, text("01/09506000134352/21/a"));
    w = sy_writer_of(room, sizeof room);
    sy_exception_encode(&w, &exception);
    check(&w, again_exception);
    exception.outcome = 0;
    w = sy_writer_of(room, sizeof room);
    sy_exception_encode(&w, &exception);
    assert_false(sy_exception_decode(&exception, sy_writer_slice(&w)));
    struct sy_correction correction = {
        .event = test_hash(4), .organisation = test_hash(1), .reason = SY_CORRECTION_DATA};
    struct sy_writer more = sy_writer_of(ids, sizeof ids);
    struct sy_hash id = test_hash(5);
    w = sy_writer_of(room, sizeof room);
    sy_correction_encode(&w, &correction);
    check(&w, again_correction);
    sy_list_add_id(&correction.corrective, &more, &id);
    correction.has_document = true;
    w = sy_writer_of(room, sizeof room);
    sy_correction_encode(&w, &correction);
    check(&w, again_correction);
    struct sy_unit unit = {.status = SY_UNIT_QUARANTINED,
                           .under_way = true,
                           .has_hold = true,
                           .hold = test_hash(6),
                           .name = name_of("09506000134352", "L1")};
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &unit);
    check(&w, again_unit);
    unit.status = SY_UNIT_ENDED; // which it was when it ended
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &unit);
    check(&w, again_unit);
    unit.has_hold = false;
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &unit);
    room[1] = SY_UNIT_QUARANTINED; // by nothing
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
    room[1] = SY_UNIT_ENDED;
    room[0] |= 64; // condemned, and held by nothing
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
}

CASE(temperatures_come_back)
{
    struct sy_storage storage = {.min = 1, .max = SY_KELVIN_MAX, .version = 3, .height = 4}, bad;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_storage_encode(&w, &storage);
    check(&w, again_storage);
    room[0] = 0; // absolute zero
    assert_false(sy_storage_decode(&bad, sy_writer_slice(&w)));
    uint8_t items[128];
    struct sy_writer list = sy_writer_of(items, sizeof items);
    struct sy_conditions conditions = {.organisation = test_hash(1),
                                       .key = test_public(2),
                                       .has_device = true,
                                       .device = test_hash(3),
                                       .has_shipment = true,
                                       .shipment = test_hash(4),
                                       .breached = true,
                                       .sequence = 1,
                                       .from_ms = SY_TIME_MS_MAX,
                                       .interval_s = SY_COND_INTERVAL_S_MAX,
                                       .readings = SY_COND_READINGS_MAX,
                                       .min = 27515,
                                       .max = 27515,
                                       .root = test_hash(5),
                                       .gap_ms = 6,
                                       .height = 7,
                                       .time_ms = 8};
    struct sy_conditions changed = conditions;
    w = sy_writer_of(room, sizeof room);
    sy_conditions_encode(&w, &conditions);
    assert_false(sy_conditions_decode(&changed, sy_writer_slice(&w))); // about nothing
    sy_list_add_text(&conditions.items, &list, text("01/09506000134352/21/a"));
    w = sy_writer_of(room, sizeof room);
    sy_conditions_encode(&w, &conditions);
    check(&w, again_conditions);
    for (unsigned i = 0; i < 6; i++) {
        changed = conditions;
        if (i == 0) changed.max = changed.min - 1;
        if (i == 1) changed.readings = SY_COND_READINGS_MAX + 1;
        if (i == 2) changed.interval_s = 0;
        if (i == 3) changed.sequence = 0;
        if (i == 4) changed.from_ms = -1;
        if (i == 5) changed.gap_ms = -1;
        w = sy_writer_of(room, sizeof room);
        sy_conditions_encode(&w, &changed);
        assert_false(sy_conditions_decode(&changed, sy_writer_slice(&w)));
    }
    assert_int_equal(sy_conditions_end(5, 60, 10), 5 + 600000);
}

CASE(units_that_a_temperature_holds_come_back)
{
    struct sy_unit unit = {.status = SY_UNIT_QUARANTINED,
                           .under_way = true,
                           .has_excursion = true,
                           .excursion = test_hash(6),
                           .conditions = 2,
                           .known_ms = 9,
                           .since_ms = 9,
                           .name = name_of("09506000134352", "L1")};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &unit);
    check(&w, again_unit);
    unit.has_hold = true; // and a suspicion
    unit.hold = test_hash(7);
    unit.condemned = true;
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &unit);
    check(&w, again_unit);
    for (uint8_t status = SY_UNIT_HELD; status <= SY_UNIT_RETURNED; status++) {
        struct sy_unit moved;
        room[1] = status; // which can be moved, or is a patient's, though something holds it
        assert_false(sy_unit_decode(&moved, sy_writer_slice(&w)));
    }
    struct sy_unit fresh = {.status = SY_UNIT_HELD, .known_ms = 2, .since_ms = 1};
    fresh.name = unit.name;
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &fresh);
    check(&w, again_unit);
    const size_t since_at = 1 + 1 + 32 + 4 + 8;
    room[since_at] = 2; // no earlier
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
    room[since_at] = 0;
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
    fresh.since_ms = 2;
    w = sy_writer_of(room, sizeof room);
    sy_unit_encode(&w, &fresh);
    check(&w, again_unit);
    memset(room + 1 + 1 + 32 + 4, 0xff, 8); // known before time began
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
    memset(room + 1 + 1 + 32, 0, 12); // a flag, and nothing that it stands for
    assert_false(sy_unit_decode(&unit, sy_writer_slice(&w)));
}

CASE(epcs_are_read_and_nothing_else)
{
    static const char *const bad[] = {
        "",
        "00/10614141234567890",
        "00/1061414123456789012",
        "00/10614141234567890a",
        "01/09506000134352",
        "01/09506000134352/21/",
        "01/09506000134352/21/123456789012345678901",
        "01/09506000134352/10/a",
        "01/0950600013435x/21/a",
        "01/09506000134352/21/a b",
        "01/09506000134352/21/a~",
        "urn:epc:id:sgtin:9506000.013435.a",
    };
    struct sy_epc epc;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(sy_epc_read(&epc, text(bad[i])));
    }
    assert_true(sy_epc_read(&epc, text("01/09506000134352/21/A/%,z")));
    assert_false(epc.container);
    assert_int_equal(epc.serial.size, 5);
    assert_true(sy_epc_read(&epc, text("00/106141412345678908")));
    assert_true(epc.container && epc.serial.size == 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(products_lots_and_holders_come_back),
        cmocka_unit_test(units_and_containers_come_back),
        cmocka_unit_test(steps_events_and_shipments_come_back),
        cmocka_unit_test(prescriptions_and_recalls_come_back),
        cmocka_unit_test(exceptions_corrections_and_holds_come_back),
        cmocka_unit_test(temperatures_come_back),
        cmocka_unit_test(units_that_a_temperature_holds_come_back),
        cmocka_unit_test(epcs_are_read_and_nothing_else),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
