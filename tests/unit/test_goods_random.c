/* Random goods: whatever is sent, each unit has one owner, containers are trees, and no unit is
 * lost or made, checked against a scan of all there is. SYSTOLE_TEST_SEED runs one again. */
#include <stdio.h>
#include <string.h>

#include "core/base/prng.h"
#include "tests/unit/goods_rig.h"

enum { UNITS = 24, BOXES = 8, ORGS = 4, LOTS = 3, STEPS = 2000, OPEN_MAX = 64 };

static const unsigned keys[ORGS] = {MAKER, TRADER, PHARMACY_P, PHARMACY_Q};
static const char *const lot_names[LOTS] = {"L1", "L2", "L3"};

static sy_prng prng;
static char units[UNITS][48], boxes[BOXES][24], box_epcs[BOXES][24];
static bool made[BOXES];
static struct sy_hash open_shipments[OPEN_MAX];
static char items_of[OPEN_MAX][48];
static unsigned receivers[OPEN_MAX], open_count, applied[11];
static struct sy_hash ended_by[UNITS + BOXES]; /* the newest unit.decommission of each */

static unsigned below(unsigned bound)
{
    return (unsigned)sy_prng_below(&prng, bound);
}

static const char *any_item(void)
{
    return below(2) ? units[below(UNITS)] : box_epcs[below(BOXES)];
}

static bool there(const char *item)
{
    for (unsigned i = 0; i < BOXES; i++) {
        if (strcmp(item, box_epcs[i]) == 0) return made[i];
    }
    return true;
}

/* Mostly the owner's. */
static unsigned key_for(const char *item)
{
    for (unsigned i = 0; there(item) && below(5) > 0 && i < ORGS; i++) {
        if (org_of(keys[i]) == owner_of(item)) return keys[i];
    }
    return keys[below(ORGS)];
}

/* Mostly the one that it is in. */
static const char *box_of(const char *item)
{
    static char sscc[SY_SSCC_BYTES + 1];
    if (!there(item) || below(5) == 0) return boxes[below(BOXES)];
    struct sy_unit unit = find_goods(item);
    if (!unit.packed) return boxes[below(BOXES)];
    memcpy(sscc, unit.parent, SY_SSCC_BYTES);
    return sscc;
}

static bool quarantined(const char *item)
{
    return there(item) && find_goods(item).status == SY_UNIT_QUARANTINED;
}

static struct sy_hash *end_of(const char *item)
{
    for (unsigned i = 0; i < BOXES; i++) {
        if (strcmp(item, box_epcs[i]) == 0) return &ended_by[UNITS + i];
    }
    for (unsigned i = 0; i < UNITS; i++) {
        if (strcmp(item, units[i]) == 0) return &ended_by[i];
    }
    fail_msg("%s is no item", item);
    return NULL;
}

static bool submit(const struct world_tx *tx, unsigned kind)
{
    bool good = world_submit(&world, tx) == SY_APPLIED;
    if (good) applied[kind]++;
    return good;
}

static void make_units(void)
{
    for (unsigned i = 0; i < UNITS; i++) {
        char serial[8];
        (void)snprintf(serial, sizeof serial, "%u", i);
        (void)snprintf(units[i], sizeof units[i], "01/%s/21/%s", PRODUCT_1, serial);
        struct world_tx tx = commission(MAKER, PRODUCT_1, lot_names[i % LOTS], texts(serial, NULL));
        assert_applied(&tx);
    }
    for (unsigned i = 0; i < BOXES; i++) {
        memcpy(boxes[i], sscc_of(keys[i % ORGS], i), SY_SSCC_BYTES + 1);
        (void)snprintf(box_epcs[i], sizeof box_epcs[i], "00/%.*s", (int)SY_SSCC_BYTES, boxes[i]);
    }
}

static void send(void)
{
    const char *item = any_item();
    unsigned from = key_for(item), to = keys[below(ORGS)];
    struct world_tx tx = ship(from, org_of(to), texts(item, NULL));
    bool suspect = quarantined(item);
    if (!submit(&tx, 2)) return;
    assert_false(suspect);
    assert_true(open_count < OPEN_MAX);
    (void)snprintf(items_of[open_count], sizeof items_of[0], "%s", item);
    receivers[open_count] = to;
    open_shipments[open_count++] = event_id;
}

static void take(void)
{
    if (open_count == 0) return;
    unsigned at = below(open_count);
    unsigned result = below(4) ? SY_RECEIVE_ACCEPT : SY_RECEIVE_REJECT;
    struct world_tx tx = receive(receivers[at], &open_shipments[at], result);
    bool good = submit(&tx, 3);
    if (!good) { // it was ended on the way
        tx = receive(receivers[at], &open_shipments[at], SY_RECEIVE_REJECT);
        assert_applied(&tx);
    }
    open_count--;
    open_shipments[at] = open_shipments[open_count];
    receivers[at] = receivers[open_count];
    memcpy(items_of[at], items_of[open_count], sizeof items_of[0]);
}

/* Something is suspected, cleared, or found illegitimate, by whoever may and whoever may not. */
static void doubt(const char *item, unsigned key)
{
    if (!quarantined(item)) {
        if (below(4)) return;
        struct world_tx tx = report(key, SY_EXCEPTION_SUSPECT, texts(item, NULL));
        if (submit(&tx, 5)) assert_true(quarantined(item));
        return;
    }
    struct sy_unit unit = find_goods(item);
    bool temperature = unit.has_excursion && (!unit.has_hold || below(2));
    struct sy_hash exception = temperature ? unit.excursion : unit.hold;
    unsigned bad = temperature ? SY_OUTCOME_UNFIT : SY_OUTCOME_ILLEGITIMATE;
    unsigned outcome = below(8) ? SY_OUTCOME_CLEARED : bad;
    unsigned who = below(2) ? REGULATOR_1 : below(2) ? MAKER : key;
    struct world_tx tx = respond(who, &exception, outcome, texts(item, NULL));
    bool cleared = submit(&tx, 6) && outcome == SY_OUTCOME_CLEARED;
    bool both = unit.has_excursion && unit.has_hold;
    if (cleared && temperature) applied[10]++;
    if (cleared && who != REGULATOR_1) assert_false(unit.condemned);
    assert_int_equal(quarantined(item), !cleared || both);
}

/* A temperature, in range or out of it, of something, or of all that somebody sent. What is out of
 * range is held, and nothing is let go by being in range again. */
static void measure(const char *item, unsigned key)
{
    struct world_tx tx = world_tx_of(SY_KIND_cond_commit, key, org_of(key));
    struct sy_cond_commit *p = &tx.payload.cond_commit;
    bool warm = below(10) == 0, road = open_count > 0 && below(3) == 0;
    unsigned at = road ? below(open_count) : 0;
    if (road) item = items_of[at];
    if (!there(item)) return;
    struct sy_unit unit = find_goods(item);
    p->event_id = event_id = test_hash(next_event());
    p->has_item = !road;
    p->has_shipment = road;
    if (road) p->shipment = open_shipments[at];
    if (!road) p->item = text_of(item);
    p->sequence = road ? 1 + below(2) : unit.conditions + 1;
    p->from = below(8) ? world.header.time_ms : unit.known_ms - 1;
    if (p->from < 0) p->from = 0;
    p->interval = p->readings = 1;
    p->min = 27515;
    p->max = warm ? 29000 : 28000;
    p->root = test_hash(77);
    bool held = quarantined(item);
    if (!submit(&tx, 9)) return;
    struct sy_unit after = find_goods(item);
    assert_true(after.known_ms > unit.known_ms && p->from >= unit.known_ms);
    assert_int_equal(after.conditions, unit.conditions + 1);
    bool empty = after.container && after.lot_count == 0;
    assert_int_equal(quarantined(item), held || (warm && !empty));
    if (warm && !empty) assert_memory_equal(&after.excursion, &event_id, sizeof event_id);
}

/* What was said did not occur: a shipment, or an end. */
static void take_back(const char *item, unsigned key)
{
    struct world_tx tx;
    if (open_count > 0 && below(4) == 0) {
        unsigned at = below(open_count);
        tx = correct(keys[below(ORGS)], &open_shipments[at], SY_CORRECTION_DID_NOT_OCCUR);
        if (!submit(&tx, 7)) return;
        open_count--;
        open_shipments[at] = open_shipments[open_count];
        receivers[at] = receivers[open_count];
        memcpy(items_of[at], items_of[open_count], sizeof items_of[0]);
        return;
    }
    if (sy_hash_is_zero(end_of(item))) return;
    tx = correct(key, end_of(item), SY_CORRECTION_DID_NOT_OCCUR);
    tx.payload.event_correct.has_item = true;
    tx.payload.event_correct.item = text_of(item);
    (void)submit(&tx, 8);
}

static void do_something(void)
{
    const char *item = any_item();
    unsigned key = key_for(item), box = below(BOXES);
    struct world_tx tx;
    switch (below(open_count > OPEN_MAX / 2 ? 4 : 28)) {
    case 0:
    case 1:
    case 2:
    case 3: take(); return;
    case 4:
        if (below(16)) return;
        tx = decommission(key, item, SY_DECOMMISSION_STOLEN);
        if (submit(&tx, 4)) *end_of(item) = event_id;
        return;
    case 20:
    case 21: doubt(item, key); return;
    case 22:
    case 23: take_back(item, key); return;
    case 24:
    case 25:
    case 26:
    case 27: measure(item, key); return;
    case 5:
    case 6:
    case 7:
    case 8: send(); return;
    case 9:
    case 10:
    case 11:
    case 12:
        tx = unpack(key, box_of(item), texts(item, NULL));
        (void)submit(&tx, 1);
        return;
    default:
        tx = pack(key, boxes[box], texts(item, NULL));
        if (submit(&tx, 0)) made[box] = true;
    }
}

// --- the scan ----------------------------------------------------------------------------------

static bool is_in(const struct sy_unit *thing, const char *sscc)
{
    return thing->packed && memcmp(thing->parent, sscc, SY_SSCC_BYTES) == 0;
}

/* The outermost container, found by the scan's own steps. */
static struct sy_unit outermost(struct sy_unit thing)
{
    for (unsigned levels = 0; thing.packed; levels++) {
        char epc[24] = "00/";
        assert_true(levels < SY_CONTAINER_LEVELS_MAX); // no cycle
        memcpy(epc + 3, thing.parent, SY_SSCC_BYTES);
        thing = find_goods(epc);
    }
    return thing;
}

/* How many units of a lot are in a container, at any depth. */
static unsigned count_in(unsigned box, unsigned lot)
{
    unsigned count = 0;
    for (unsigned i = lot; i < UNITS; i += LOTS) {
        struct sy_unit thing = find_goods(units[i]);
        for (unsigned levels = 0; thing.packed; levels++) {
            char epc[24] = "00/";
            assert_true(levels < SY_CONTAINER_LEVELS_MAX);
            if (is_in(&thing, boxes[box])) count++;
            memcpy(epc + 3, thing.parent, SY_SSCC_BYTES);
            thing = find_goods(epc);
        }
    }
    return count;
}

static unsigned told_by(const struct sy_unit *box, const char *lot)
{
    for (unsigned i = 0; i < box->lot_count; i++) {
        const struct sy_lot_name *name = &box->lots[i].name;
        if (name->lot_size == strlen(lot) && memcmp(name->lot, lot, name->lot_size) == 0) {
            return box->lots[i].units;
        }
    }
    return 0;
}

static void scan_boxes(void)
{
    for (unsigned box = 0; box < BOXES; box++) {
        unsigned children = 0;
        if (!made[box]) continue;
        struct sy_unit thing = find_goods(box_epcs[box]);
        for (unsigned lot = 0; lot < LOTS; lot++) {
            assert_int_equal(told_by(&thing, lot_names[lot]), count_in(box, lot));
        }
        for (unsigned i = 0; i < UNITS; i++) {
            struct sy_unit unit = find_goods(units[i]);
            children += is_in(&unit, boxes[box]);
        }
        for (unsigned i = 0; i < BOXES; i++) {
            if (!made[i]) continue;
            struct sy_unit inner = find_goods(box_epcs[i]);
            children += is_in(&inner, boxes[box]);
            if (is_in(&inner, boxes[box])) assert_true(inner.level < thing.level);
        }
        assert_int_equal(thing.children, children);
    }
}

static void scan_lots(void)
{
    for (unsigned lot = 0; lot < LOTS; lot++) {
        struct sy_lot told_lot = find_lot(PRODUCT_1, lot_names[lot]);
        uint64_t held[ORGS] = {0}, ended = 0, sum = 0;
        for (unsigned i = lot; i < UNITS; i += LOTS) {
            struct sy_unit top = outermost(find_goods(units[i]));
            unsigned owners = 0;
            for (unsigned org = 0; org < ORGS; org++) {
                struct sy_hash id = test_hash(org_of(keys[org]));
                bool its = sy_hash_equal(&id, &top.owner);
                owners += its;
                if (its && top.status != SY_UNIT_ENDED) held[org]++;
            }
            assert_int_equal(owners, 1);
            ended += top.status == SY_UNIT_ENDED;
        }
        for (unsigned org = 0; org < ORGS; org++) {
            assert_int_equal(held_by(PRODUCT_1, lot_names[lot], org_of(keys[org])), held[org]);
            sum += held[org];
        }
        assert_int_equal(told_lot.ended, ended);
        assert_int_equal(told_lot.commissioned, sum + told_lot.dispensed + told_lot.ended);
    }
}

static void play(uint64_t seed)
{
    open_count = 0;
    memset(ended_by, 0, sizeof ended_by);
    memset(made, 0, sizeof made);
    memset(applied, 0, sizeof applied);
    sy_prng_seed(&prng, seed);
    make_units();
    struct world_tx tx = world_tx_of(SY_KIND_product_storage, MAKER, ORG_MAKER);
    tx.payload.product_storage.gtin = text_of(PRODUCT_1);
    tx.payload.product_storage.min = 27515;
    tx.payload.product_storage.max = 28115;
    assert_applied(&tx);
    for (unsigned i = 0; i < STEPS; i++) {
        do_something();
        if (i % 50 == 49) {
            scan_boxes();
            scan_lots();
        }
    }
    print_message("packed %u, unpacked %u, shipped %u, received %u, ended %u, suspected %u, "
                  "answered %u, shipments taken back %u, ends %u, measured %u, cleared of it %u\n",
                  applied[0], applied[1], applied[2], applied[3], applied[4], applied[5],
                  applied[6], applied[7], applied[8], applied[9], applied[10]);
}

CASE(owners_trees_and_counts_hold_whatever_is_sent)
{
    play(test_seed());
}

/* The same in a world that is known to have everything in it, also what is rare. */
CASE(they_hold_where_everything_happens)
{
    play(5);
    for (unsigned kind = 0; kind < 4; kind++) assert_true(applied[kind] > 0);
    assert_true(applied[5] > 0 && applied[6] > 0);
    assert_true(applied[9] > 0 && applied[10] > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_GOODS(owners_trees_and_counts_hold_whatever_is_sent),
        WITH_GOODS(they_hold_where_everything_happens),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
