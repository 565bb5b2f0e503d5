/* Goods: products, commissioning, packing, shipping and receiving, ending, verifying. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/goods_rig.h"

CASE(a_product_is_its_prefix_holders)
{
    struct sy_hash none = {{0}};
    struct world_tx tx = register_product(TRADER, "09506000134376", "9506000");
    assert_refused(&tx, SY_E_PREFIX);
    assert_detail(ORG_MAKER);
    tx = register_product(MAKER, "09506000134375", "9506000");
    assert_refused(&tx, SY_E_GTIN);
    assert_int_equal(world.receipt.detail, 6); // the digit that would be right
    tx = register_product(MAKER, "09506000134376", "4012345");
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("prefix");
    tx = register_product(MAKER, "09506000134376", "950600");
    assert_refused(&tx, SY_E_PREFIX); // a shorter one, which nobody holds
    assert_memory_equal(world.receipt.detail_hash.bytes, none.bytes, 32);
    tx = register_product(MAKER, PRODUCT_1, "9506000");
    assert_refused(&tx, SY_E_PRODUCT_EXISTS);
    tx = register_product(PHARMACIST_P, "09506000134376", "9506000");
    assert_refused(&tx, SY_E_ROLE);
    tx = register_product(MAKER, "09506000134376", "9506000");
    assert_applied(&tx);
    struct sy_hash gtin = sy_goods_text(text_of("09506000134376"));
    assert_goods_told(0, SY_EVENT_PRODUCT_REGISTERED, ORG_MAKER, &gtin);
}

CASE(check_digits_are_gs1s)
{
    static const char *const good[] = {"09506000134352", "00614141007349", "10614141007346",
                                       "106141412345678908"};
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct sy_slice text = text_of(good[i]);
        assert_int_equal(sy_goods_check_digit(text), text.data[text.size - 1]);
    }
}

CASE(units_are_commissioned_once)
{
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", "b", "c", NULL));
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_UNIT_COMMISSIONED, ORG_MAKER, &event_id);
    assert_refused(&tx, SY_E_DUP_EVENT);
    assert_int_equal(find_lot(PRODUCT_1, "L1").commissioned, 3);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_MAKER), 3);
    assert_int_equal(owner_of(unit_epc(PRODUCT_1, "b")), ORG_MAKER);
    tx = commission(MAKER, PRODUCT_1, "L2", texts("d", "b", NULL));
    assert_refused(&tx, SY_E_UNIT_EXISTS); // in another lot, too
    assert_path("serials[1]");
    tx = commission(MAKER, PRODUCT_2, "L2", texts("b", NULL));
    assert_applied(&tx); // another product's
    tx = commission(MAKER, PRODUCT_1, "L1", texts("e", NULL));
    tx.payload.unit_commission.expiry++;
    assert_refused(&tx, SY_E_LOT);
    assert_int_equal(world.receipt.detail, EXPIRY_MS);
    tx = commission(MAKER, PRODUCT_1, "L3", texts("e", NULL));
    tx.payload.unit_commission.expiry = world.header.time_ms;
    assert_refused(&tx, SY_E_EXPIRED_LOT);
    tx = commission(TRADER, PRODUCT_1, "L1", texts("e", NULL));
    assert_refused(&tx, SY_E_PREFIX);
    assert_detail(ORG_MAKER);
    tx = commission(MAKER, "09506000134376", "L1", texts("e", NULL));
    assert_refused(&tx, SY_E_PRODUCT_UNKNOWN);
    tx = commission(MAKER, PRODUCT_1, "L1", texts("e f", NULL));
    assert_refused(&tx, SY_E_EPC);
    assert_path("serials[0]");
    tx = commission(MAKER, PRODUCT_1, "L1", texts("e", "e", NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    tx = commission(MAKER, PRODUCT_1, "L 1", texts("e", NULL));
    assert_refused(&tx, SY_E_EPC);
    assert_path("lot");
}

static void make_three(void)
{
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", "b", "c", NULL));
    assert_applied(&tx);
}

CASE(what_is_packed_moves_with_its_container)
{
    const char *box = sscc_of(MAKER, 1), *pallet = sscc_of(MAKER, 2);
    const char *a = unit_epc(PRODUCT_1, "a"), *b = unit_epc(PRODUCT_1, "b");
    make_three();
    struct world_tx tx = pack(MAKER, box, texts(a, b, NULL));
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_UNIT_AGGREGATED, ORG_MAKER, &event_id);
    tx = pack(MAKER, pallet, texts(a, NULL));
    assert_refused(&tx, SY_E_AGGREGATED);
    assert_path("children[0]");
    assert_int_equal(world.receipt.detail, strtoull(box, NULL, 10));
    tx = ship(MAKER, ORG_TRADER, texts(a, NULL));
    assert_refused(&tx, SY_E_AGGREGATED);
    tx = pack(MAKER, pallet, texts(case_epc(box), unit_epc(PRODUCT_1, "c"), NULL));
    assert_applied(&tx);
    tx = pack(MAKER, box, texts(case_epc(pallet), NULL));
    assert_refused(&tx, SY_E_AGGREGATED); // no cycle
    assert_path("parent");
    struct sy_unit whole = find_goods(case_epc(pallet));
    assert_int_equal(whole.level, 2);
    assert_int_equal(whole.children, 2);
    assert_int_equal(whole.lot_count, 1);
    assert_int_equal(whole.lots[0].units, 3);
    struct sy_unit before = find_goods(a);
    hand_to(MAKER, TRADER, texts(case_epc(pallet), NULL));
    struct sy_unit after = find_goods(a);
    assert_memory_equal(&before, &after, sizeof before); // not touched, and yet:
    assert_int_equal(owner_of(a), ORG_TRADER);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_TRADER), 3);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_MAKER), 0);
    assert_int_equal(find_lot(PRODUCT_1, "L1").holders, 2);
}

CASE(a_case_of_a_thousand_is_shipped_by_its_number)
{
    const char *box = sscc_of(MAKER, 1);
    for (unsigned batch = 0; batch < 8; batch++) {
        static char serials[125][8], epcs[125][48];
        const char *names[125], *items[125];
        for (unsigned i = 0; i < 125; i++) {
            unsigned serial = batch * 125 + i;
            (void)snprintf(serials[i], sizeof serials[i], "%u", serial);
            (void)snprintf(epcs[i], sizeof epcs[i], "01/%s/21/%u", PRODUCT_1, serial);
            names[i] = serials[i];
            items[i] = epcs[i];
        }
        struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts_of(names, 125));
        assert_applied(&tx);
        tx = pack(MAKER, box, texts_of(items, 125));
        assert_applied(&tx);
    }
    struct world_tx tx = ship(MAKER, ORG_TRADER, texts(case_epc(box), NULL));
    assert_applied(&tx);
    // Nonces aside: the shipment, its event, the container and its step, events of two
    // organisations.
    assert_true(world.receipt.key_count <= 6);
    tx = receive(TRADER, &event_id, SY_RECEIVE_ACCEPT);
    assert_applied(&tx);
    assert_true(world.receipt.key_count <= 10);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_TRADER), 1000);
    assert_int_equal(owner_of(unit_epc(PRODUCT_1, "777")), ORG_TRADER);
}

CASE(containers_are_bounded)
{
    const char *a = unit_epc(PRODUCT_1, "a");
    make_three();
    struct world_tx tx = pack(MAKER, sscc_of(MAKER, 1), texts(a, NULL));
    assert_applied(&tx);
    for (unsigned i = 1; i < SY_CONTAINER_LEVELS_MAX; i++) {
        tx = pack(MAKER, sscc_of(MAKER, i + 1), texts(case_epc(sscc_of(MAKER, i)), NULL));
        assert_applied(&tx);
    }
    tx = pack(MAKER, sscc_of(MAKER, 9),
              texts(case_epc(sscc_of(MAKER, SY_CONTAINER_LEVELS_MAX)), NULL));
    assert_refused(&tx, SY_E_CONTAINER);
    assert_int_equal(world.receipt.detail, SY_CONTAINER_LEVELS_MAX);
    for (unsigned i = 0; i <= SY_CONTAINER_LOTS_MAX; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "x%u", i);
        tx = commission(MAKER, PRODUCT_1, name, texts(name, NULL));
        assert_applied(&tx);
        tx = pack(MAKER, sscc_of(MAKER, 20), texts(unit_epc(PRODUCT_1, name), NULL));
        if (i < SY_CONTAINER_LOTS_MAX) {
            assert_applied(&tx);
        } else {
            assert_refused(&tx, SY_E_CONTAINER);
            assert_int_equal(world.receipt.detail, SY_CONTAINER_LOTS_MAX);
        }
    }
}

CASE(a_container_number_is_its_prefix_holders)
{
    const char *a = unit_epc(PRODUCT_1, "a");
    make_three();
    struct world_tx tx = pack(MAKER, sscc_of(TRADER, 1), texts(a, NULL));
    assert_refused(&tx, SY_E_PREFIX);
    assert_path("parent");
    tx = pack(MAKER, "106141412345678901", texts(a, NULL));
    assert_refused(&tx, SY_E_GTIN);
    assert_int_equal(world.receipt.detail, 8);
    tx = pack(MAKER, sscc_of(MAKER, 1), texts("01/123", NULL));
    assert_refused(&tx, SY_E_SCHEMA);
    tx = pack(MAKER, sscc_of(MAKER, 1), texts("02/09506000134352/21/a", NULL));
    assert_refused(&tx, SY_E_EPC);
    tx = pack(MAKER, sscc_of(MAKER, 1), texts(unit_epc(PRODUCT_1, "none"), NULL));
    assert_refused(&tx, SY_E_UNIT_UNKNOWN);
    tx = pack(MAKER, sscc_of(MAKER, 1), texts(a, NULL));
    assert_applied(&tx);
    hand_to(MAKER, TRADER, texts(case_epc(sscc_of(MAKER, 1)), NULL));
    tx = pack(MAKER, sscc_of(MAKER, 1), texts(unit_epc(PRODUCT_1, "b"), NULL));
    assert_refused(&tx, SY_E_NOT_OWNER); // it went to another
    assert_detail(ORG_TRADER);
}

CASE(what_is_unpacked_is_the_containers_owners)
{
    const char *box = sscc_of(MAKER, 1), *a = unit_epc(PRODUCT_1, "a");
    make_three();
    struct world_tx tx = pack(MAKER, box, texts(a, unit_epc(PRODUCT_1, "b"), NULL));
    assert_applied(&tx);
    tx = unpack(MAKER, box, texts(unit_epc(PRODUCT_1, "c"), NULL));
    assert_refused(&tx, SY_E_NOT_PARENT);
    hand_to(MAKER, TRADER, texts(case_epc(box), NULL));
    tx = unpack(MAKER, box, texts(a, NULL));
    assert_refused(&tx, SY_E_NOT_OWNER);
    assert_detail(ORG_TRADER);
    tx = unpack(TRADER, box, texts(a, NULL));
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_UNIT_DISAGGREGATED, ORG_TRADER, &event_id);
    assert_int_equal(owner_of(a), ORG_TRADER);
    assert_int_equal(find_goods(case_epc(box)).lots[0].units, 1);
    tx = ship(MAKER, ORG_P, texts(a, NULL));
    assert_refused(&tx, SY_E_NOT_OWNER);
    hand_to(TRADER, PHARMACY_P, texts(a, NULL));
    assert_int_equal(owner_of(a), ORG_P);
    assert_int_equal(find_goods(a).steps, 4); // packed, unpacked, shipped, received
}

CASE(goods_change_hands_in_two_steps)
{
    const char *a = unit_epc(PRODUCT_1, "a"), *b = unit_epc(PRODUCT_1, "b");
    make_three();
    struct world_tx tx = ship(MAKER, ORG_TRADER, texts(a, b, NULL));
    assert_applied(&tx);
    struct sy_hash shipment = event_id;
    assert_goods_told(0, SY_EVENT_CUSTODY_SHIPPED, ORG_MAKER, &shipment);
    assert_goods_told(1, SY_EVENT_CUSTODY_SHIPPED, ORG_TRADER, &shipment);
    assert_int_equal(owner_of(a), ORG_MAKER); // until it is received
    tx = ship(MAKER, ORG_P, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_path("items[0]");
    tx = ship(TRADER, ORG_P, texts(a, NULL));
    assert_refused(&tx, SY_E_NOT_OWNER);
    tx = receive(PHARMACY_P, &shipment, SY_RECEIVE_ACCEPT);
    assert_refused(&tx, SY_E_NOT_RECEIVER);
    assert_detail(ORG_TRADER);
    tx = receive(TRADER, &shipment, SY_RECEIVE_ACCEPT);
    tx.payload.custody_receive.refused = texts(a, NULL);
    assert_refused(&tx, SY_E_SCHEMA);
    tx = receive(TRADER, &shipment, SY_RECEIVE_PARTIAL);
    assert_refused(&tx, SY_E_NOT_SHIPPED);
    tx.payload.custody_receive.refused = texts(unit_epc(PRODUCT_1, "c"), NULL);
    tx.nonce = 0;
    assert_refused(&tx, SY_E_NOT_SHIPPED);
    tx.payload.custody_receive.refused = texts(b, NULL);
    assert_applied(&tx);
    assert_goods_told(1, SY_EVENT_CUSTODY_CHANGED, ORG_TRADER, &shipment);
    assert_int_equal(owner_of(a), ORG_TRADER);
    assert_int_equal(owner_of(b), ORG_MAKER);
    tx = receive(TRADER, &shipment, SY_RECEIVE_ACCEPT);
    assert_refused(&tx, SY_E_SHIPMENT_STATE);
    struct sy_hash none = test_hash(EVENT + 5000);
    tx = receive(TRADER, &none, SY_RECEIVE_ACCEPT);
    assert_refused(&tx, SY_E_SHIPMENT_UNKNOWN);
    tx = ship(MAKER, ORG_TRADER, texts(b, NULL)); // what was refused can be sent again
    assert_applied(&tx);
    tx = receive(TRADER, &event_id, SY_RECEIVE_REJECT);
    assert_applied(&tx);
    assert_int_equal(goods_told(0).kind, SY_EVENT_CUSTODY_REFUSED);
    assert_int_equal(owner_of(b), ORG_MAKER);
}

/* A part that is refused says what is wrong with it, and nothing of the part before. */
CASE(a_part_tells_of_itself_alone)
{
    const char *a = unit_epc(PRODUCT_1, "a");
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", "b", NULL));
    assert_applied(&tx);
    struct world_tx part = ship(MAKER, ORG_TRADER, texts(a, NULL));
    tx = world_tx_of(SY_KIND_atomic, MAKER, ORG_MAKER);
    world.lists.used = 0;
    world_part(&world, &tx, SY_KIND_custody_ship, 0, &part.payload);
    world_part(&world, &tx, SY_KIND_custody_ship, 0, &part.payload);
    assert_refused(&tx, SY_E_DUP_EVENT);
    assert_int_equal(world.receipt.part, 1);
    assert_int_equal(world.receipt.path.size, 0);
}

CASE(only_partners_are_shipped_to)
{
    const char *a = unit_epc(PRODUCT_1, "a");
    make_three();
    struct world_tx tx = ship(MAKER, ORG_NONE, texts(a, NULL));
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    tx = ship(MAKER, ORG_MAKER, texts(a, NULL));
    assert_refused(&tx, SY_E_PARTNER);
    tx = world_register(2020, SY_ORG_PAYER, 160);
    assert_applied(&tx);
    tx = ship(MAKER, 2020, texts(a, NULL));
    assert_refused(&tx, SY_E_PARTNER);
    assert_detail(2020);
}

CASE(an_expired_lot_is_not_shipped)
{
    const char *a = unit_epc(PRODUCT_1, "a");
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", NULL));
    tx.payload.unit_commission.expiry = world.header.time_ms + 5 * world.step_ms;
    assert_applied(&tx);
    int64_t expiry_ms = tx.payload.unit_commission.expiry;
    world.step_ms *= 10;
    tx = ship(MAKER, ORG_TRADER, texts(a, NULL));
    assert_refused(&tx, SY_E_EXPIRED_LOT);
    assert_int_equal(world.receipt.detail, expiry_ms);
    tx = decommission(MAKER, a, SY_DECOMMISSION_EXPIRED);
    assert_applied(&tx);
}

CASE(ends_are_final)
{
    const char *a = unit_epc(PRODUCT_1, "a"), *box = sscc_of(MAKER, 1);
    make_three();
    struct world_tx tx = decommission(TRADER, a, SY_DECOMMISSION_LOST);
    assert_refused(&tx, SY_E_NOT_OWNER);
    tx = pack(MAKER, box, texts(unit_epc(PRODUCT_1, "b"), unit_epc(PRODUCT_1, "c"), NULL));
    assert_applied(&tx);
    tx = decommission(MAKER, unit_epc(PRODUCT_1, "b"), SY_DECOMMISSION_LOST);
    assert_refused(&tx, SY_E_AGGREGATED);
    tx = decommission(MAKER, a, SY_DECOMMISSION_DAMAGED);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    tx = decommission(MAKER, a, SY_DECOMMISSION_DAMAGED);
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_int_equal(world.receipt.detail, SY_UNIT_ENDED);
    tx = ship(MAKER, ORG_TRADER, texts(a, NULL));
    assert_refused(&tx, SY_E_UNIT_STATE);
    tx = decommission(MAKER, case_epc(box), SY_DECOMMISSION_DESTROYED);
    assert_applied(&tx);
    assert_int_equal(find_lot(PRODUCT_1, "L1").ended, 3);
    assert_int_equal(held_by(PRODUCT_1, "L1", ORG_MAKER), 0);
    tx = unpack(MAKER, box, texts(unit_epc(PRODUCT_1, "b"), NULL));
    assert_refused(&tx, SY_E_UNIT_STATE); // nothing comes out of it again
}

CASE(a_pallet_stolen_on_the_road_is_nobodys_to_sell)
{
    const char *box = sscc_of(MAKER, 1), *a = unit_epc(PRODUCT_1, "a");
    make_three();
    struct world_tx tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    tx = ship(MAKER, ORG_TRADER, texts(case_epc(box), unit_epc(PRODUCT_1, "b"), NULL));
    assert_applied(&tx);
    struct sy_hash shipment = event_id;
    tx = decommission(MAKER, case_epc(box), SY_DECOMMISSION_STOLEN);
    assert_applied(&tx);
    assert_goods_told(0, SY_EVENT_SUSPECT_FOUND, ORG_MAKER, &event_id);
    assert_goods_told(1, SY_EVENT_UNIT_DECOMMISSIONED, ORG_MAKER, &event_id);
    tx = receive(TRADER, &shipment, SY_RECEIVE_ACCEPT);
    assert_refused(&tx, SY_E_UNIT_STATE);
    assert_path("items[0]");
    tx = receive(TRADER, &shipment, SY_RECEIVE_PARTIAL);
    tx.payload.custody_receive.refused = texts(case_epc(box), NULL);
    assert_applied(&tx);
    tx = verify(PHARMACIST_P, PRODUCT_1, "a", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_ENDED);
    tx = ship(PHARMACY_P, ORG_Q, texts(case_epc(box), NULL));
    assert_refused(&tx, SY_E_NOT_OWNER);
}

CASE(packs_are_verified_and_suspects_told)
{
    make_three();
    struct world_tx tx = verify(PHARMACIST_P, PRODUCT_1, "a", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_GOOD);
    assert_int_equal(world.receipt.event_count, 1);
    assert_goods_told(0, SY_EVENT_UNIT_VERIFIED, ORG_P, &event_id);
    assert_refused(&tx, SY_E_DUP_EVENT);
    tx = verify(PHARMACIST_P, PRODUCT_1, "forged", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_UNKNOWN);
    assert_goods_told(1, SY_EVENT_SUSPECT_FOUND, ORG_MAKER, &event_id);
    tx = verify(PHARMACIST_P, PRODUCT_1, "a", "L2");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_LOT);
    tx = verify(PHARMACIST_P, PRODUCT_1, "a", "L1");
    tx.payload.unit_verify.expiry += 24ll * 3600 * 1000;
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_EXPIRY);
    tx = verify(PHARMACIST_P, "00614141007349", "a", "L1"); // nobody's product
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_UNKNOWN);
    assert_int_equal(world.receipt.event_count, 1);
    tx = verify(WALLET_CLAIMED, PRODUCT_1, "a", "L1");
    tx.organisation = (struct sy_hash){{0}};
    assert_refused(&tx, SY_E_ROLE);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_GOODS(a_product_is_its_prefix_holders),
        cmocka_unit_test(check_digits_are_gs1s),
        WITH_GOODS(units_are_commissioned_once),
        WITH_GOODS(what_is_packed_moves_with_its_container),
        WITH_GOODS(a_case_of_a_thousand_is_shipped_by_its_number),
        WITH_GOODS(containers_are_bounded),
        WITH_GOODS(a_container_number_is_its_prefix_holders),
        WITH_GOODS(what_is_unpacked_is_the_containers_owners),
        WITH_GOODS(goods_change_hands_in_two_steps),
        WITH_GOODS(a_part_tells_of_itself_alone),
        WITH_GOODS(only_partners_are_shipped_to),
        WITH_GOODS(an_expired_lot_is_not_shipped),
        WITH_GOODS(ends_are_final),
        WITH_GOODS(a_pallet_stolen_on_the_road_is_nobodys_to_sell),
        WITH_GOODS(packs_are_verified_and_suspects_told),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
