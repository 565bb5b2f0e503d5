/* state_cond.c: encodings of temperatures; see state_cond.h. */
#include "core/wire/state_cond.h"

#include "core/base/assert.h"

enum { CONDITIONS_DEVICE = 1, CONDITIONS_SHIPMENT = 2, CONDITIONS_BREACHED = 4 };

/* Two temperatures, the lower one first. */
static void read_range(struct sy_reader *r, uint32_t *min, uint32_t *max)
{
    *min = sy_read_u32(r, "min");
    *max = sy_read_u32(r, "max");
    if (*min == 0 || *min > *max || *max > SY_KELVIN_MAX) sy_reader_fail(r, "max");
}

void sy_storage_encode(struct sy_writer *w, const struct sy_storage *storage)
{
    SY_ASSERT(storage->min <= storage->max && storage->version > 0);
    sy_write_u32(w, storage->min);
    sy_write_u32(w, storage->max);
    sy_write_u32(w, storage->version);
    sy_write_u64(w, storage->height);
}

bool sy_storage_decode(struct sy_storage *storage, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *storage = (struct sy_storage){.version = 0};
    read_range(&r, &storage->min, &storage->max);
    storage->version = sy_read_u32(&r, "version");
    if (storage->version == 0) sy_reader_fail(&r, "version");
    storage->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

void sy_conditions_encode(struct sy_writer *w, const struct sy_conditions *conditions)
{
    sy_write_hash(w, &conditions->organisation);
    sy_write_public_key(w, &conditions->key);
    sy_write_u8(w, (uint8_t)((conditions->has_device ? CONDITIONS_DEVICE : 0) |
                             (conditions->has_shipment ? CONDITIONS_SHIPMENT : 0) |
                             (conditions->breached ? CONDITIONS_BREACHED : 0)));
    if (conditions->has_device) sy_write_hash(w, &conditions->device);
    if (conditions->has_shipment) sy_write_hash(w, &conditions->shipment);
    sy_write_u32(w, conditions->sequence);
    sy_write_i64(w, conditions->from_ms);
    sy_write_u32(w, conditions->interval_s);
    sy_write_u32(w, conditions->readings);
    sy_write_u32(w, conditions->min);
    sy_write_u32(w, conditions->max);
    sy_write_hash(w, &conditions->root);
    sy_write_i64(w, conditions->gap_ms);
    sy_write_u64(w, conditions->height);
    sy_write_i64(w, conditions->time_ms);
    sy_write_u16(w, conditions->items.count);
    sy_write_bytes16(w, conditions->items.items);
}

static void read_window(struct sy_reader *r, struct sy_conditions *conditions)
{
    conditions->sequence = sy_read_u32(r, "sequence");
    conditions->from_ms = sy_read_i64(r, "from");
    conditions->interval_s = sy_read_u32(r, "interval");
    conditions->readings = sy_read_u32(r, "readings");
    bool interval = conditions->interval_s > 0 && conditions->interval_s <= SY_COND_INTERVAL_S_MAX;
    bool readings = conditions->readings > 0 && conditions->readings <= SY_COND_READINGS_MAX;
    if (conditions->sequence == 0) sy_reader_fail(r, "sequence");
    if (conditions->from_ms < 0 || conditions->from_ms > SY_TIME_MS_MAX) sy_reader_fail(r, "from");
    if (!interval) sy_reader_fail(r, "interval");
    if (!readings) sy_reader_fail(r, "readings");
}

bool sy_conditions_decode(struct sy_conditions *conditions, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *conditions = (struct sy_conditions){.sequence = 0};
    sy_read_hash(&r, &conditions->organisation, "organisation");
    sy_read_public_key(&r, &conditions->key, "key");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags >= 2 * CONDITIONS_BREACHED) sy_reader_fail(&r, "flags");
    conditions->has_device = (flags & CONDITIONS_DEVICE) != 0;
    conditions->has_shipment = (flags & CONDITIONS_SHIPMENT) != 0;
    conditions->breached = (flags & CONDITIONS_BREACHED) != 0;
    if (conditions->has_device) sy_read_hash(&r, &conditions->device, "device");
    if (conditions->has_shipment) sy_read_hash(&r, &conditions->shipment, "shipment");
    read_window(&r, conditions);
    read_range(&r, &conditions->min, &conditions->max);
    sy_read_hash(&r, &conditions->root, "root");
    conditions->gap_ms = sy_read_i64(&r, "gap");
    if (conditions->gap_ms < 0) sy_reader_fail(&r, "gap");
    conditions->height = sy_read_u64(&r, "height");
    conditions->time_ms = sy_read_i64(&r, "time");
    sy_epcs_read(&r, &conditions->items);
    if (conditions->items.count == 0) sy_reader_fail(&r, "items");
    return sy_reader_done(&r);
}

int64_t sy_conditions_end(int64_t from_ms, uint32_t interval_s, uint32_t readings)
{
    SY_ASSERT(from_ms >= 0 && from_ms <= SY_TIME_MS_MAX);
    return from_ms + (int64_t)interval_s * readings * 1000;
}

_Static_assert(32 + 32 + 1 + 32 + 32 + 4 + 8 + 4 + 4 + 4 + 4 + 32 + 8 + 8 + 8 + 2 + 2 +
                       SY_SHIPMENT_ITEMS_MAX * (2 + 41) <=
                   SY_STATE_VALUE_BYTES_MAX,
               "the conditions of a shipment of the most items fit a state value");
