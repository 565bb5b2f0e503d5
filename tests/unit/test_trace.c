/* Traces: the way of a unit through nested containers and hands, told in order from the ledger's
 * own entries; what is withheld, kept back or contradicts itself. */
#include <stdio.h>
#include <string.h>

#include "core/client/trace.h"
#include "tests/unit/goods_rig.h"

#define TOLD_MAX 64u

/* What a walk was shown, and faults of whoever shows it. */
static struct rig {
    struct sy_trace_step told[TOLD_MAX];
    unsigned count;
    struct sy_hash withheld_id; /* of an item whose steps are withheld */
    bool withheld;
    struct sy_hash absent_id; /* of an item, one of whose steps is kept back */
    uint64_t absent_number;   /* 0: none is */
    bool moves;               /* once every step was told, the unit is moved */
    unsigned units_asked;
    bool withheld_conditions, absent_conditions;
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
} rig;

static struct sy_trace trace;
static struct sy_error err;

static bool is_withheld(enum sy_state_kind kind, const struct sy_hash *id,
                        const struct sy_hash *second)
{
    if (!rig.withheld) return false;
    if (kind == SY_STATE_UNIT_STEP) return sy_hash_equal(id, &rig.withheld_id);
    struct sy_hash unit = sy_goods_id(sy_slice_of(id->bytes, 32), sy_slice_of(second->bytes, 32));
    return kind == SY_STATE_UNIT && sy_hash_equal(&unit, &rig.withheld_id);
}

static sy_status get(void *self, struct sy_slice *value, enum sy_state_kind kind,
                     const struct sy_hash *id, const struct sy_hash *second, struct sy_error *why)
{
    struct sy_hash key_hash, number = {{0}};
    struct sy_slice found;
    assert_ptr_equal(self, &rig);
    assert_true(sy_state_key_of(&key_hash, kind, id, second));
    if (is_withheld(kind, id, second)) return sy_fail(why, SY_ERR_PERMISSION, "withheld");
    sy_store_u64(number.bytes, rig.absent_number);
    if (kind == SY_STATE_CONDITIONS && rig.withheld_conditions) {
        return sy_fail(why, SY_ERR_PERMISSION, "withheld");
    }
    if (kind == SY_STATE_CONDITIONS && rig.absent_conditions) {
        return sy_fail(why, SY_ERR_NOT_FOUND, "absent");
    }
    bool hidden = rig.absent_number != 0 && kind == SY_STATE_UNIT_STEP &&
                  sy_hash_equal(id, &rig.absent_id) && sy_hash_equal(second, &number);
    if (hidden || !world_find(&world, &found, &key_hash)) {
        return sy_fail(why, SY_ERR_NOT_FOUND, "absent");
    }
    // As with answers of a network, the one before is gone.
    memset(rig.room, 0xee, sizeof rig.room);
    memcpy(rig.room, found.data, found.size);
    *value = sy_slice_of(rig.room, found.size);
    if (kind == SY_STATE_UNIT && rig.moves && rig.units_asked++ > 0) {
        struct sy_unit unit;
        assert_true(sy_unit_decode(&unit, *value));
        unit.steps++;
        struct sy_writer w = sy_writer_of(rig.room, sizeof rig.room);
        sy_unit_encode(&w, &unit);
        *value = sy_writer_slice(&w);
    }
    return SY_OK;
}

static sy_status visit(void *self, const struct sy_trace_step *step, struct sy_error *why)
{
    (void)why;
    assert_ptr_equal(self, &rig);
    assert_true(rig.count < TOLD_MAX);
    rig.told[rig.count++] = *step;
    return SY_OK;
}

static sy_status walk(const char *epc)
{
    rig.count = rig.units_asked = 0;
    trace = (struct sy_trace){.get = get, .self = &rig, .visit = visit, .visitor = &rig};
    return sy_trace_walk(&trace, epc, &err);
}

static void withhold(const char *epc)
{
    struct sy_epc name;
    assert_true(sy_epc_read(&name, text_of(epc)));
    rig.withheld = true;
    rig.withheld_id = sy_goods_id(name.number, name.serial);
}

static void assert_step(unsigned n, unsigned depth, const char *item, unsigned kind, unsigned from,
                        unsigned by)
{
    assert_true(n < rig.count);
    const struct sy_trace_step *told = &rig.told[n];
    struct sy_hash from_id = test_hash(from), by_id = test_hash(by);
    assert_false(told->withheld);
    assert_int_equal(told->depth, depth);
    assert_string_equal(told->item, item);
    assert_int_equal(told->step.kind, kind);
    assert_memory_equal(&told->step.organisation, &by_id, sizeof by_id);
    assert_int_equal(told->has_from, from != 0);
    if (from != 0) assert_memory_equal(&told->from, &from_id, sizeof from_id);
}

static void assert_top(const char *item, unsigned org)
{
    struct sy_hash id = test_hash(org);
    assert_true(trace.has_top);
    assert_string_equal(trace.top_item, item);
    assert_memory_equal(&trace.top.owner, &id, sizeof id);
}

static const char *a, *b, *box, *pallet, *box_epc, *pallet_epc;

/* Unit a goes in a box on a pallet to the wholesaler, who takes the box off and sends it on; the
 * pharmacy unpacks a. b stays in the box, and box and pallet live on. */
static void send_far(void)
{
    memset(&rig, 0, sizeof rig);
    a = unit_epc(PRODUCT_1, "a"), b = unit_epc(PRODUCT_1, "b");
    box = sscc_of(MAKER, 1), pallet = sscc_of(MAKER, 2);
    box_epc = case_epc(box), pallet_epc = case_epc(pallet);
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", "b", NULL));
    assert_applied(&tx);
    tx = pack(MAKER, box, texts(b, NULL));
    assert_applied(&tx); // before a is in it
    tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    tx = pack(MAKER, pallet, texts(box_epc, NULL));
    assert_applied(&tx);
    hand_to(MAKER, TRADER, texts(pallet_epc, NULL));
    tx = unpack(TRADER, pallet, texts(box_epc, NULL));
    assert_applied(&tx);
    hand_to(TRADER, PHARMACY_P, texts(box_epc, NULL));
    tx = unpack(PHARMACY_P, box, texts(a, NULL));
    assert_applied(&tx);
    hand_to(PHARMACY_P, PHARMACY_Q, texts(box_epc, NULL)); // without a
    hand_to(TRADER, MAKER, texts(pallet_epc, NULL));
}

CASE(a_unit_is_followed_through_its_containers)
{
    send_far();
    assert_int_equal(walk(a), SY_OK);
    assert_true(trace.has_maker);
    assert_step(0, 0, a, SY_STEP_PACKED, ORG_MAKER, ORG_MAKER);
    assert_step(1, 1, box_epc, SY_STEP_PACKED, ORG_MAKER, ORG_MAKER);
    assert_step(2, 2, pallet_epc, SY_STEP_SHIPPED, ORG_MAKER, ORG_TRADER);
    assert_step(3, 2, pallet_epc, SY_STEP_RECEIVED, ORG_MAKER, ORG_TRADER);
    assert_step(4, 1, box_epc, SY_STEP_UNPACKED, ORG_TRADER, ORG_TRADER);
    assert_step(5, 1, box_epc, SY_STEP_SHIPPED, ORG_TRADER, ORG_P);
    assert_step(6, 1, box_epc, SY_STEP_RECEIVED, ORG_TRADER, ORG_P);
    assert_step(7, 0, a, SY_STEP_UNPACKED, ORG_P, ORG_P);
    assert_int_equal(rig.count, 8); // neither what came before, nor what befell the box later
    assert_top(a, ORG_P);
    for (unsigned i = 1; i < rig.count; i++) {
        assert_true(rig.told[i].step.height >= rig.told[i - 1].step.height);
    }
}

CASE(what_is_packed_is_whose_its_outermost_container_is)
{
    send_far();
    struct world_tx tx = pack(PHARMACY_Q, sscc_of(PHARMACY_Q, 3), texts(box_epc, NULL));
    const char *tote = case_epc(sscc_of(PHARMACY_Q, 3));
    assert_applied(&tx);
    hand_to(PHARMACY_Q, TRADER, texts(tote, NULL));
    assert_int_equal(walk(b), SY_OK);
    assert_top(tote, ORG_TRADER);
    assert_step(rig.count - 1, 2, tote, SY_STEP_RECEIVED, ORG_Q, ORG_TRADER);
    assert_step(rig.count - 2, 2, tote, SY_STEP_SHIPPED, ORG_Q, ORG_TRADER);
    assert_int_equal(walk(box_epc), SY_OK);
    assert_top(tote, ORG_TRADER);
    assert_false(trace.has_maker);
    assert_step(0, 0, box_epc, SY_STEP_FILLED, 0, ORG_MAKER);
}

CASE(what_is_withheld_is_told_to_be)
{
    send_far();
    withhold(pallet_epc);
    assert_int_equal(walk(a), SY_OK);
    assert_true(rig.told[2].withheld);
    assert_string_equal(rig.told[2].item, pallet_epc);
    assert_int_equal(rig.told[2].depth, 2);
    assert_step(3, 1, box_epc, SY_STEP_UNPACKED, 0, ORG_TRADER); // from whom is not known
    assert_step(4, 1, box_epc, SY_STEP_SHIPPED, ORG_TRADER, ORG_P);
    assert_int_equal(rig.count, 7);
    assert_top(a, ORG_P); // it is not within it any more
    withhold(box_epc);
    assert_int_equal(walk(b), SY_OK);
    assert_true(rig.told[1].withheld);
    assert_int_equal(rig.count, 2);
    assert_false(trace.has_top);
    withhold(a);
    assert_int_equal(walk(a), SY_ERR_PERMISSION);
    assert_int_equal(rig.count, 0);
}

CASE(a_step_that_is_kept_back_is_missed)
{
    struct sy_epc name;
    send_far();
    assert_true(sy_epc_read(&name, text_of(box_epc)));
    rig.absent_id = sy_goods_id(name.number, name.serial);
    for (rig.absent_number = 3; rig.absent_number <= 6; rig.absent_number++) {
        assert_int_equal(walk(a), SY_ERR_CORRUPT);
        assert_non_null(strstr(err.text, box_epc));
    }
    assert_int_equal(walk(a), SY_OK); // the seventh came after a had left
}

CASE(what_moves_while_it_is_traced_is_traced_again)
{
    send_far();
    rig.moves = true;
    assert_int_equal(walk(a), SY_ERR_BUSY);
}

CASE(what_is_no_unit_is_said_to_be_none)
{
    send_far();
    assert_int_equal(walk("01/123/21/a"), SY_ERR_ARGUMENT);
    assert_int_equal(walk(unit_epc(PRODUCT_1, "zz")), SY_ERR_NOT_FOUND);
    assert_int_equal(walk(case_epc(sscc_of(MAKER, 9))), SY_ERR_NOT_FOUND);
}

static struct sy_trace_lot lot_of(const char *name)
{
    struct sy_trace_lot lot;
    assert_int_equal(sy_trace_lot(&lot, get, &rig, text_of(PRODUCT_1), text_of(name), &err), SY_OK);
    return lot;
}

CASE(the_answer_is_the_routers)
{
    send_far();
    assert_int_equal(walk(a), SY_OK);
    struct sy_trace_lot lot = lot_of("L1");
    assert_true(lot.seen && !lot.recalled && !lot.absent);
    assert_true(lot_of("L9").absent);
    assert_int_equal(sy_trace_answer(&trace, &lot, EXPIRY_MS), SY_VERIFY_GOOD);
    assert_int_equal(sy_trace_answer(&trace, &lot, EXPIRY_MS + 1), SY_VERIFY_EXPIRED);
    lot.seen = false;
    assert_int_equal(sy_trace_answer(&trace, &lot, EXPIRY_MS), 0);
    struct world_tx tx = world_tx_of(SY_KIND_recall_issue, MAKER, ORG_MAKER);
    tx.payload.recall_issue.recall_id = test_hash(EVENT + 11000);
    tx.payload.recall_issue.gtin = text_of(PRODUCT_1);
    tx.payload.recall_issue.lots = texts("L1", NULL);
    tx.payload.recall_issue.class = SY_RECALL_II;
    tx.payload.recall_issue.reason = SY_RECALL_CONTAMINATED;
    assert_applied(&tx);
    lot = lot_of("L1");
    struct sy_hash recall = test_hash(EVENT + 11000);
    assert_true(lot.recalled);
    assert_memory_equal(&lot.recall_id, &recall, sizeof recall);
    assert_int_equal(lot.recall.recall_class, SY_RECALL_II);
    assert_int_equal(sy_trace_answer(&trace, &lot, EXPIRY_MS), SY_VERIFY_RECALLED);
    tx = decommission(PHARMACY_Q, box_epc, SY_DECOMMISSION_STOLEN);
    assert_applied(&tx);
    assert_int_equal(walk(b), SY_OK); // in a box that was stolen
    assert_int_equal(sy_trace_answer(&trace, &lot, EXPIRY_MS), SY_VERIFY_ENDED);
    assert_int_equal(answer_of(&event_id), 0);
    tx = verify(TRADER, PRODUCT_1, "b", "L1");
    assert_applied(&tx);
    assert_int_equal(answer_of(&event_id), SY_VERIFY_ENDED);
}

static struct world_tx monitor(unsigned key, const char *epc, int64_t from_ms, uint32_t max)
{
    struct world_tx tx = world_tx_of(SY_KIND_cond_commit, key, org_of(key));
    struct sy_cond_commit *p = &tx.payload.cond_commit;
    p->event_id = event_id = test_hash(next_event());
    p->has_item = true;
    p->item = text_of(epc);
    p->sequence = find_goods(epc).conditions + 1;
    p->from = from_ms;
    p->interval = 1;
    p->readings = 1;
    p->min = 27515;
    p->max = max;
    p->root = test_hash(77);
    return tx;
}

CASE(temperatures_are_told_where_they_were)
{
    memset(&rig, 0, sizeof rig);
    a = unit_epc(PRODUCT_1, "a"), box = sscc_of(MAKER, 1), box_epc = case_epc(box);
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", NULL));
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_product_storage, MAKER, ORG_MAKER);
    tx.payload.product_storage.gtin = text_of(PRODUCT_1);
    tx.payload.product_storage.min = 27515;
    tx.payload.product_storage.max = 28115;
    assert_applied(&tx);
    tx = monitor(MAKER, a, world.header.time_ms, 28000);
    assert_applied(&tx);
    struct sy_hash own = event_id;
    tx = pack(MAKER, box, texts(a, NULL));
    assert_applied(&tx);
    tx = monitor(MAKER, box_epc, world.header.time_ms, 29000);
    assert_applied(&tx);
    struct sy_hash warm = event_id;
    assert_int_equal(walk(a), SY_OK);
    assert_step(0, 0, a, SY_STEP_MONITORED, ORG_MAKER, ORG_MAKER);
    assert_true(rig.told[0].has_conditions);
    assert_memory_equal(&rig.told[0].step.event, &own, sizeof own);
    assert_int_equal(rig.told[0].conditions.max, 28000);
    assert_step(1, 0, a, SY_STEP_PACKED, ORG_MAKER, ORG_MAKER);
    assert_false(rig.told[1].has_conditions);
    assert_step(2, 1, box_epc, SY_STEP_EXCURSION, ORG_MAKER, ORG_MAKER); // the box's, which is a's
    assert_true(rig.told[2].conditions.breached);
    assert_int_equal(trace.top.status, SY_UNIT_QUARANTINED);
    struct sy_trace_lot lot = {.seen = true};
    assert_int_equal(sy_trace_answer(&trace, &lot, 0), SY_VERIFY_ENDED);
    rig.withheld_conditions = true;
    assert_int_equal(walk(a), SY_OK);
    assert_false(rig.told[0].has_conditions || rig.told[0].withheld);
    rig.withheld_conditions = false;
    rig.absent_conditions = true; // a step that names what is not there is a lie
    assert_int_equal(walk(a), SY_ERR_CORRUPT);
    rig.absent_conditions = false;
    tx = respond(MAKER, &warm, SY_OUTCOME_UNFIT, texts(box_epc, NULL));
    assert_applied(&tx);
    assert_int_equal(walk(a), SY_OK);
    assert_step(3, 1, box_epc, SY_STEP_UNFIT, ORG_MAKER, ORG_MAKER);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_GOODS(a_unit_is_followed_through_its_containers),
        WITH_GOODS(what_is_packed_is_whose_its_outermost_container_is),
        WITH_GOODS(what_is_withheld_is_told_to_be),
        WITH_GOODS(a_step_that_is_kept_back_is_missed),
        WITH_GOODS(what_moves_while_it_is_traced_is_traced_again),
        WITH_GOODS(what_is_no_unit_is_said_to_be_none),
        WITH_GOODS(temperatures_are_told_where_they_were),
        WITH_GOODS(the_answer_is_the_routers),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
