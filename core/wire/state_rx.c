/* state_rx.c: the encodings of prescriptions, of what was dispensed, and of recalls; see
 * state_rx.h.
 */
#include "core/wire/state_rx.h"

#include "core/base/assert.h"

enum { RX_PHARMACY = 1 };

void sy_rx_encode(struct sy_writer *w, const struct sy_rx *rx)
{
    sy_write_hash(w, &rx->patient);
    sy_write_hash(w, &rx->organisation);
    sy_write_public_key(w, &rx->author);
    sy_write_hash(w, &rx->drug_commit);
    sy_write_u16(w, rx->control);
    sy_write_u32(w, rx->quantity);
    sy_write_u16(w, rx->days);
    sy_write_u8(w, rx->refills);
    sy_write_i64(w, rx->from_ms);
    sy_write_i64(w, rx->until_ms);
    sy_write_u64(w, rx->height);
    sy_write_u64(w, rx->cancelled_height);
    sy_write_u8(w, rx->fills);
    sy_write_u8(w, rx->has_pharmacy ? RX_PHARMACY : 0);
    if (!rx->has_pharmacy) return;
    sy_write_hash(w, &rx->pharmacy);
    sy_write_i64(w, rx->filled_ms);
}

bool sy_rx_decode(struct sy_rx *rx, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *rx = (struct sy_rx){.fills = 0};
    sy_read_hash(&r, &rx->patient, "patient");
    sy_read_hash(&r, &rx->organisation, "organisation");
    sy_read_public_key(&r, &rx->author, "author");
    sy_read_hash(&r, &rx->drug_commit, "drug_commit");
    rx->control = sy_read_u16(&r, "control");
    if (!sy_enum_word(&sy_enum_rx_control, rx->control)) sy_reader_fail(&r, "control");
    rx->quantity = sy_read_u32(&r, "quantity");
    rx->days = sy_read_u16(&r, "days");
    rx->refills = sy_read_u8(&r, "refills");
    rx->from_ms = sy_read_i64(&r, "from");
    rx->until_ms = sy_read_i64(&r, "until");
    rx->height = sy_read_u64(&r, "height");
    rx->cancelled_height = sy_read_u64(&r, "cancelled");
    rx->fills = sy_read_u8(&r, "fills");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > RX_PHARMACY || (flags != 0) != (rx->fills != 0)) sy_reader_fail(&r, "flags");
    if (rx->fills > 1u + rx->refills) sy_reader_fail(&r, "fills");
    rx->has_pharmacy = flags == RX_PHARMACY;
    if (rx->has_pharmacy) {
        sy_read_hash(&r, &rx->pharmacy, "pharmacy");
        rx->filled_ms = sy_read_i64(&r, "filled");
    }
    return sy_reader_done(&r);
}

void sy_rx_fill_encode(struct sy_writer *w, const struct sy_rx_fill *fill)
{
    sy_write_hash(w, &fill->organisation);
    sy_write_public_key(w, &fill->key);
    sy_write_u32(w, fill->quantity);
    sy_write_u64(w, fill->height);
    sy_write_i64(w, fill->time_ms);
}

bool sy_rx_fill_decode(struct sy_rx_fill *fill, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &fill->organisation, "organisation");
    sy_read_public_key(&r, &fill->key, "key");
    fill->quantity = sy_read_u32(&r, "quantity");
    fill->height = sy_read_u64(&r, "height");
    fill->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

// --- dispensed and recalled --------------------------------------------------------------------

void sy_dispensed_encode(struct sy_writer *w, const struct sy_dispensed *dispensed)
{
    sy_write_hash(w, &dispensed->patient);
    sy_write_hash(w, &dispensed->organisation);
    sy_write_hash(w, &dispensed->cause);
    sy_write_u64(w, dispensed->height);
    sy_write_i64(w, dispensed->time_ms);
    sy_write_u64(w, dispensed->returned_height);
    sy_lot_name_write(w, &dispensed->name);
    sy_write_bytes16(w, dispensed->serial);
}

bool sy_dispensed_decode(struct sy_dispensed *dispensed, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &dispensed->patient, "patient");
    sy_read_hash(&r, &dispensed->organisation, "organisation");
    sy_read_hash(&r, &dispensed->cause, "cause");
    dispensed->height = sy_read_u64(&r, "height");
    dispensed->time_ms = sy_read_i64(&r, "time");
    dispensed->returned_height = sy_read_u64(&r, "returned");
    sy_lot_name_read(&r, &dispensed->name);
    dispensed->serial = sy_read_bytes16(&r, SY_SERIAL_BYTES_MAX, "serial");
    if (!r.failed && !sy_goods_serial_good(dispensed->serial)) sy_reader_fail(&r, "serial");
    return sy_reader_done(&r);
}

void sy_recall_encode(struct sy_writer *w, const struct sy_recall *recall)
{
    SY_ASSERT((recall->closed_height == 0) == (recall->outcome == 0));
    sy_write_hash(w, &recall->organisation);
    sy_write_raw(w, recall->gtin, sizeof recall->gtin);
    sy_write_u16(w, recall->recall_class);
    sy_write_u16(w, recall->reason);
    sy_write_u64(w, recall->height);
    sy_write_i64(w, recall->time_ms);
    sy_write_u64(w, recall->closed_height);
    sy_write_u16(w, recall->outcome);
    sy_write_u16(w, recall->lots.count);
    sy_write_bytes16(w, recall->lots.items);
}

static void read_lots(struct sy_reader *r, struct sy_list *lots)
{
    lots->count = sy_read_u16(r, "lots");
    lots->items = sy_read_bytes16(r, SY_RECALL_LOTS_MAX * (2u + SY_SERIAL_BYTES_MAX), "lots");
    struct sy_reader each = sy_reader_of(lots->items);
    if (lots->count == 0 || lots->count > SY_RECALL_LOTS_MAX) sy_reader_fail(r, "lots");
    for (unsigned i = 0; !r->failed && i < lots->count; i++) {
        struct sy_slice lot = sy_read_bytes16(&each, SY_SERIAL_BYTES_MAX, "lot");
        if (each.failed || !sy_goods_serial_good(lot)) sy_reader_fail(r, "lot");
    }
    if (!r->failed && !sy_reader_done(&each)) sy_reader_fail(r, "lots");
    if (r->failed) *lots = (struct sy_list){.count = 0};
}

bool sy_recall_decode(struct sy_recall *recall, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *recall = (struct sy_recall){.height = 0};
    sy_read_hash(&r, &recall->organisation, "organisation");
    struct sy_slice gtin = sy_read_raw(&r, sizeof recall->gtin, "gtin");
    if (!r.failed) memcpy(recall->gtin, gtin.data, gtin.size);
    recall->recall_class = sy_read_u16(&r, "class");
    recall->reason = sy_read_u16(&r, "reason");
    recall->height = sy_read_u64(&r, "height");
    recall->time_ms = sy_read_i64(&r, "time");
    recall->closed_height = sy_read_u64(&r, "closed");
    recall->outcome = sy_read_u16(&r, "outcome");
    bool open = recall->closed_height == 0;
    bool known = sy_enum_word(&sy_enum_recall_outcome, recall->outcome) != NULL;
    if (!sy_enum_word(&sy_enum_recall_class, recall->recall_class)) sy_reader_fail(&r, "class");
    if (!sy_enum_word(&sy_enum_recall_reason, recall->reason)) sy_reader_fail(&r, "reason");
    if (open ? recall->outcome != 0 : !known) sy_reader_fail(&r, "outcome");
    read_lots(&r, &recall->lots);
    return sy_reader_done(&r);
}

void sy_recall_told_encode(struct sy_writer *w, const struct sy_recall_told *told)
{
    sy_write_u64(w, told->holders);
    sy_write_u64(w, told->patients);
}

bool sy_recall_told_decode(struct sy_recall_told *told, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    told->holders = sy_read_u64(&r, "holders");
    told->patients = sy_read_u64(&r, "patients");
    return sy_reader_done(&r);
}
