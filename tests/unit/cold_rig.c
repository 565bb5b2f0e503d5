/* cold_rig.c: see cold_rig.h. */
#include "tests/unit/cold_rig.h"

#include <string.h>

const char *a, *b, *box;
static uint8_t kept[SY_STATE_VALUE_BYTES_MAX];

struct world_tx storage(unsigned key, const char *gtin, int min, int max)
{
    struct world_tx tx = world_tx_of(SY_KIND_product_storage, key, org_of(key));
    tx.payload.product_storage.gtin = text_of(gtin);
    tx.payload.product_storage.min = CELSIUS(min);
    tx.payload.product_storage.max = CELSIUS(max);
    return tx;
}

/* Twelve readings, every five minutes: of one hour. */
struct world_tx hour_of(unsigned key, uint32_t sequence, int64_t from_ms, int min, int max)
{
    struct world_tx tx = world_tx_of(SY_KIND_cond_commit, key, org_of(key));
    struct sy_cond_commit *p = &tx.payload.cond_commit;
    p->event_id = event_id = test_hash(next_event());
    p->sequence = sequence;
    p->from = from_ms;
    p->interval = 300;
    p->readings = 12;
    p->min = CELSIUS(min);
    p->max = CELSIUS(max);
    p->root = test_hash(77);
    return tx;
}

struct world_tx hour(unsigned key, const char *item, uint32_t sequence, int64_t from_ms, int min,
                     int max)
{
    struct world_tx tx = hour_of(key, sequence, from_ms, min, max);
    tx.payload.cond_commit.has_item = true;
    tx.payload.cond_commit.item = text_of(item);
    return tx;
}

struct world_tx road_hour(unsigned key, const struct sy_hash *shipment, uint32_t sequence,
                          int64_t from_ms, int max)
{
    struct sy_hash of = *shipment; // perhaps event_id itself
    struct world_tx tx = hour_of(key, sequence, from_ms, 4, max);
    tx.payload.cond_commit.has_shipment = true;
    tx.payload.cond_commit.shipment = of;
    return tx;
}

/* Block time of the next block, and that so many hours go by before it. */
int64_t now(void)
{
    return world.header.time_ms + world.step_ms;
}

void wait_hours(unsigned hours)
{
    int64_t step_ms = world.step_ms;
    world.step_ms = hours * HOUR_MS;
    struct world_tx tx = verify(TRADER, PRODUCT_2, "nothing", "L");
    tx.valid_until_ms = now() + HOUR_MS;
    assert_applied(&tx);
    world.step_ms = step_ms;
}

/* The maker has a and b of a vaccine that bears 2 to 8 degrees; a day has gone by. */
void make_two(void)
{
    struct world_tx tx = commission(MAKER, PRODUCT_1, "L1", texts("a", "b", NULL));
    assert_applied(&tx);
    a = unit_epc(PRODUCT_1, "a"), b = unit_epc(PRODUCT_1, "b");
    box = sscc_of(MAKER, 1);
    tx = storage(MAKER, PRODUCT_1, 2, 8);
    assert_applied(&tx);
    wait_hours(24);
}

struct sy_hash send_away(const char *first, const char *second)
{
    struct world_tx tx = ship(MAKER, ORG_TRADER, texts(first, second, NULL));
    assert_applied(&tx);
    return event_id;
}

struct sy_conditions find_conditions(const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_conditions conditions;
    sy_state_key_id(&key_hash, SY_STATE_CONDITIONS, id);
    assert_true(world_find(&world, &value, &key_hash));
    memcpy(kept, value.data, value.size);
    assert_true(sy_conditions_decode(&conditions, sy_slice_of(kept, value.size)));
    return conditions;
}

bool find_exception(struct sy_exception *out, const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    *out = (struct sy_exception){.kind = 0};
    sy_state_key_id(&key_hash, SY_STATE_EXCEPTION, id);
    if (!world_find(&world, &value, &key_hash)) return false;
    memcpy(kept, value.data, value.size);
    assert_true(sy_exception_decode(out, sy_slice_of(kept, value.size)));
    return true;
}

struct sy_unit_step last_step(const char *epc)
{
    struct sy_epc name;
    struct sy_hash key_hash, number = {{0}};
    struct sy_slice value;
    struct sy_unit_step step;
    assert_true(sy_epc_read(&name, text_of(epc)));
    struct sy_hash id = sy_goods_id(name.number, name.serial);
    sy_store_u64(number.bytes, find_goods(epc).steps);
    sy_state_key_pair(&key_hash, SY_STATE_UNIT_STEP, &id, &number);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_unit_step_decode(&step, value));
    return step;
}

void assert_held(const char *item, const struct sy_hash *by)
{
    struct sy_unit unit = find_goods(item);
    assert_int_equal(unit.status, SY_UNIT_QUARANTINED);
    assert_true(unit.has_excursion);
    assert_memory_equal(&unit.excursion, by, sizeof *by);
}
