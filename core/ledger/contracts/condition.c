/* condition.c: which temperatures products bear, and which ones goods had.
 *
 * product.storage (somebody of the product's organisation answers for it)
 *   max is less than min                                  E_SCHEMA, path max
 *   the GTIN is not registered                            E_PRODUCT_UNKNOWN, path gtin
 *   by another organisation                               E_PREFIX {the product's}
 *   writes   storage
 *   event    product.storage about the organisation, object: the GTIN, zero padded
 *
 * cond.commit (whoever handles goods, or a device)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   both or neither of item and shipment are given        E_SCHEMA, path item
 *   max is less than min                                  E_SCHEMA, path max
 *   a device answers for it, and device_id is absent      E_SCHEMA, path device_id
 *   device_id: not the organisation's device whose key
 *     answers for it                                      E_SIGNER_MISSING {device_id}
 *   the last reading is ahead of block time               E_COND_WINDOW {block time}
 *   item: not the organisation's, or packed               see goods_rules.h, path item
 *     it was dispensed, returned or ended                 E_UNIT_STATE {status, its id}
 *   shipment: there is none                               E_SHIPMENT_UNKNOWN {id}
 *     another organisation sent it                        E_NOT_OWNER {that}
 *     it was received or refused, or all of it ended      E_SHIPMENT_STATE {id}
 *   it is not the next one of the item or shipment        E_COND_SEQUENCE {that}
 *   of something in it, more is known already             E_COND_WINDOW {up to when}, path items[n]
 *   writes   conditions, goods event, items, a step of each; shipment; what is out of range is
 *            quarantined, and an exception says so
 *   event    cond.committed about the organisation, and cond.gap if more than an interval before it
 *            is not known of; if something is out of range cond.breached about each maker of it,
 *            the organisation, and whoever is to receive it; object: the event
 *
 * No two commitments to an item's temperature overlap, so nobody commits to a nicer one later; and
 * what changes hands, is filled or unpacked closes what came before (sy_goods_step), so that each
 * is about what was then in whose hands. Nobody loses time by packing: what is missing of anything
 * in a container is missing of it, and goes along out of it (packing.c). A container is kept by the
 * narrowest of what is in it. A temperature out of range holds the goods beside any suspicion:
 * either is answered on its own (exception.c), and of two temperatures the newer one, which who
 * answers has to know of. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"
#include "core/wire/state_cond.h"

_Static_assert(SY_SHIPMENT_ITEMS_MAX *(8 + 6 * SY_CONTAINER_LOTS_MAX) + 2 * SY_TX_SIGNERS_MAX +
                       32 <=
                   SY_OVERLAY_READS_BETWEEN,
               "conditions stay within what a payload may read");
_Static_assert(SY_SHIPMENT_ITEMS_MAX *(2 + SY_CONTAINER_LOTS_MAX) + 16 <= SY_OVERLAY_WRITES_BETWEEN,
               "and write");

// --- what products bear ------------------------------------------------------------------------

static bool find_storage(struct sy_exec *x, struct sy_storage *out, struct sy_slice gtin)
{
    struct sy_hash id = sy_goods_text(gtin), key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_STORAGE, &id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (sy_storage_decode(out, value)) return true;
    x->failed = SY_ERR_CORRUPT;
    return false;
}

enum sy_refusal sy_contract_product_storage(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_product_storage *p = &payload->product_storage;
    struct sy_product product;
    struct sy_storage storage;
    SY_ASSERT(x->kind->number == SY_KIND_product_storage && x->by->valid);
    if (p->max < p->min) return sy_refuse_path(x, SY_E_SCHEMA, "max");
    if (!sy_goods_find_product(x, &product, p->gtin)) {
        return sy_refuse_path(x, SY_E_PRODUCT_UNKNOWN, "gtin");
    }
    if (!sy_hash_equal(&product.organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_PREFIX, &product.organisation);
    }
    if (!find_storage(x, &storage, p->gtin)) storage.version = 0;
    storage = (struct sy_storage){
        .min = p->min, .max = p->max, .version = storage.version + 1, .height = x->height};
    SY_ASSERT(storage.version > 0); // each takes a transaction
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash id = sy_goods_text(p->gtin), key_hash;
    sy_storage_encode(&w, &storage);
    sy_exec_key(x, &key_hash, SY_STATE_STORAGE, &id);
    sy_exec_save(x, &key_hash, &w);
    sy_exec_event(x, SY_EVENT_PRODUCT_STORAGE, SY_SUBJECT_ORG, &x->by->holder, &id);
    return SY_APPLIED;
}

// --- what goods had ----------------------------------------------------------------------------

/* A cond.commit as far as it was judged. */
struct commit {
    const struct sy_cond_commit *p;
    struct sy_conditions made;
    struct sy_exception held; /* what of it is out of range */
    struct sy_writer made_items, held_items;
    uint8_t made_room[SY_STATE_VALUE_BYTES_MAX], held_room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_hash told; /* the maker who was told last */
};

static bool bears(struct sy_exec *x, const struct sy_lot_name *name, const struct sy_cond_commit *p)
{
    struct sy_storage storage;
    if (!find_storage(x, &storage, sy_slice_of(name->gtin, sizeof name->gtin))) return true;
    return p->min >= storage.min && p->max <= storage.max;
}

static bool all_bear(struct sy_exec *x, const struct sy_unit *unit, const struct sy_cond_commit *p)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, unit);
    for (unsigned i = 0; i < count; i++) {
        if (!bears(x, &lots[i].name, p)) return false;
    }
    return true;
}

/* Tells everybody who has to answer for it. */
static void hold(struct sy_exec *x, struct commit *c, struct sy_goods_item *item,
                 struct sy_slice text)
{
    const struct sy_lot_count *lots;
    struct sy_lot_count one;
    unsigned count = sy_goods_lots(&lots, &one, &item->unit);
    SY_ASSERT(count > 0); // nothing is out of range that nobody made
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash maker;
        if (!sy_goods_find_maker(x, &maker, &lots[i].name)) return;
        if (sy_hash_is_zero(&c->held.to)) c->held.to = maker;
        sy_goods_tell_maker(x, &c->told, SY_EVENT_COND_BREACHED, &maker, &c->p->event_id);
    }
    item->unit.status = SY_UNIT_QUARANTINED;
    item->unit.has_excursion = true;
    item->unit.excursion = c->p->event_id;
    sy_list_add_text(&c->held.items, &c->held_items, text);
}

/* What is not known of before the first reading; that it came later than one interval is noise. */
static int64_t gap_before(const struct sy_unit *unit, const struct sy_cond_commit *p)
{
    int64_t gap_ms = unit->since_ms != 0 ? p->from - unit->since_ms : 0;
    return gap_ms > (int64_t)p->interval * 1000 ? gap_ms : 0;
}

static enum sy_refusal commit_item(struct sy_exec *x, struct commit *c, struct sy_goods_item *item,
                                   struct sy_slice text)
{
    const struct sy_cond_commit *p = c->p;
    struct sy_unit_step step = {
        .kind = SY_STEP_MONITORED, .organisation = x->by->holder, .event = p->event_id};
    if (p->from < item->unit.known_ms) {
        x->detail = (uint64_t)item->unit.known_ms;
        return SY_E_COND_WINDOW;
    }
    int64_t gap_ms = gap_before(&item->unit, p);
    if (gap_ms > c->made.gap_ms) c->made.gap_ms = gap_ms;
    if (!all_bear(x, &item->unit, p)) {
        hold(x, c, item, text);
        step.kind = SY_STEP_EXCURSION;
    }
    if (item->unit.conditions < UINT32_MAX) item->unit.conditions++;
    item->unit.known_ms = sy_conditions_end(p->from, p->interval, p->readings);
    item->unit.since_ms = item->unit.known_ms;
    sy_list_add_text(&c->made.items, &c->made_items, text);
    sy_goods_step(x, item, &step);
    sy_goods_save_unit(x, &item->id, &item->unit);
    return SY_APPLIED;
}

static enum sy_refusal check_sequence(struct sy_exec *x, uint32_t before, uint32_t sequence)
{
    if ((uint64_t)before + 1 == sequence) return SY_APPLIED;
    x->detail = (uint64_t)before + 1;
    return SY_E_COND_SEQUENCE;
}

static void tell_receiver(struct sy_exec *x, const struct commit *c, const struct sy_hash *to)
{
    if (c->held.items.count == 0) return;
    sy_exec_event(x, SY_EVENT_COND_BREACHED, SY_SUBJECT_ORG, to, &c->p->event_id);
}

static enum sy_refusal commit_one(struct sy_exec *x, struct commit *c)
{
    struct sy_goods_item item;
    (void)sy_refuse_path(x, SY_APPLIED, "item");
    enum sy_refusal code = sy_goods_take_item(x, &item, c->p->item);
    // What is under way or quarantined is still kept by whoever has it.
    bool kept = code == SY_E_UNIT_STATE && (x->detail == 0 || x->detail == SY_UNIT_QUARANTINED);
    if (code != SY_APPLIED && !kept) return code;
    x->detail_hash = (struct sy_hash){{0}};
    code = check_sequence(x, item.unit.conditions, c->p->sequence);
    if (code == SY_APPLIED) code = commit_item(x, c, &item, c->p->item);
    if (code != SY_APPLIED || !item.unit.under_way) return code;
    struct sy_shipment shipment;
    uint8_t items[SY_STATE_VALUE_BYTES_MAX];
    if (sy_goods_find_shipment(x, &shipment, items, &item.unit.shipment)) {
        tell_receiver(x, c, &shipment.to);
    } else if (x->failed == SY_OK) {
        x->failed = SY_ERR_CORRUPT;
    }
    return SY_APPLIED;
}

static enum sy_refusal commit_items(struct sy_exec *x, struct commit *c,
                                    const struct sy_shipment *shipment)
{
    struct sy_goods_item item;
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&shipment->items, &offset, &text); index++) {
        sy_goods_path(x, "items", index);
        if (sy_goods_find_item(x, &item, text) != SY_APPLIED || !item.unit.under_way) {
            sy_exec_corrupt(x);
            return SY_E_UNIT_UNKNOWN;
        }
        if (item.unit.status == SY_UNIT_ENDED) continue; // stolen on the road: the rest goes on
        enum sy_refusal code = commit_item(x, c, &item, text);
        if (code != SY_APPLIED) return code;
    }
    return SY_APPLIED;
}

static enum sy_refusal commit_shipment(struct sy_exec *x, struct commit *c)
{
    const struct sy_cond_commit *p = c->p;
    struct sy_shipment shipment;
    uint8_t items[SY_STATE_VALUE_BYTES_MAX];
    if (!sy_goods_find_shipment(x, &shipment, items, &p->shipment)) {
        return sy_refuse_hash(x, SY_E_SHIPMENT_UNKNOWN, &p->shipment);
    }
    if (!sy_hash_equal(&shipment.from, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_OWNER, &shipment.from);
    }
    if (shipment.received) return sy_refuse_hash(x, SY_E_SHIPMENT_STATE, &p->shipment);
    enum sy_refusal code = check_sequence(x, shipment.conditions, p->sequence);
    if (code == SY_APPLIED) code = commit_items(x, c, &shipment);
    if (code != SY_APPLIED) return code;
    if (c->made.items.count == 0) return sy_refuse_hash(x, SY_E_SHIPMENT_STATE, &p->shipment);
    shipment.conditions++;
    sy_goods_save_shipment(x, &p->shipment, &shipment);
    tell_receiver(x, c, &shipment.to);
    return SY_APPLIED;
}

// --- judging -----------------------------------------------------------------------------------

/* A logger answers with its own key, which it may have replaced since it was enrolled. */
static enum sy_refusal check_device(struct sy_exec *x, const struct sy_cond_commit *p)
{
    struct sy_hash key_hash, line;
    struct sy_slice value;
    struct sy_device device;
    bool signs = x->by->role == SY_ROLE_DEVICE;
    if (!p->has_device_id) {
        return signs ? sy_refuse_path(x, SY_E_SCHEMA, "device_id") : SY_APPLIED;
    }
    sy_exec_key(x, &key_hash, SY_STATE_DEVICE, &p->device_id);
    if (!signs || !sy_exec_find(x, &value, &key_hash)) {
        return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->device_id);
    }
    if (!sy_device_decode(&device, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_E_SIGNER_MISSING;
    }
    line = sy_hash_of_key(&device.key);
    // Who registered it answers for its key, and need not own it.
    bool own = device.owner_kind == SY_SUBJECT_ORG && sy_hash_equal(&device.owner, &x->by->holder);
    bool its = own && sy_hash_equal(&line, &x->by->line);
    return its ? SY_APPLIED : sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->device_id);
}

static enum sy_refusal check_form(struct sy_exec *x, const struct sy_cond_commit *p)
{
    if (p->has_item == p->has_shipment) return sy_refuse_path(x, SY_E_SCHEMA, "item");
    if (p->max < p->min) return sy_refuse_path(x, SY_E_SCHEMA, "max");
    enum sy_refusal code = check_device(x, p);
    if (code != SY_APPLIED) return code;
    int64_t last_ms = sy_conditions_end(p->from, p->interval, p->readings - 1);
    if (last_ms <= x->time_ms) return SY_APPLIED;
    x->detail = (uint64_t)x->time_ms;
    return SY_E_COND_WINDOW;
}

static void begin(struct sy_exec *x, struct commit *c, const struct sy_cond_commit *p)
{
    c->p = p;
    c->told = x->by->holder; // who hears of all of it
    c->made_items = sy_writer_of(c->made_room, sizeof c->made_room);
    c->held_items = sy_writer_of(c->held_room, sizeof c->held_room);
    c->made = (struct sy_conditions){
        .organisation = x->by->holder,
        .key = x->by->key,
        .has_device = p->has_device_id,
        .has_shipment = p->has_shipment,
        .sequence = p->sequence,
        .from_ms = p->from,
        .interval_s = p->interval,
        .readings = p->readings,
        .min = p->min,
        .max = p->max,
        .root = p->root,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    c->held = (struct sy_exception){
        .kind = SY_EXCEPTION_TEMPERATURE,
        .organisation = x->by->holder,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_shipment = p->has_shipment,
    };
    if (p->has_device_id) c->made.device = p->device_id;
    if (p->has_shipment) c->made.shipment = c->held.shipment = p->shipment;
}

static void save_conditions(struct sy_exec *x, const struct commit *c)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    SY_ASSERT(!c->made_items.failed && !c->held_items.failed && c->made.items.count > 0);
    sy_conditions_encode(&w, &c->made);
    sy_exec_key(x, &key_hash, SY_STATE_CONDITIONS, &c->p->event_id);
    sy_exec_save(x, &key_hash, &w);
}

enum sy_refusal sy_contract_cond_commit(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_cond_commit *p = &payload->cond_commit;
    struct commit c;
    SY_ASSERT(x->kind->number == SY_KIND_cond_commit && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code == SY_APPLIED) code = check_form(x, p);
    if (code != SY_APPLIED) return code;
    begin(x, &c, p);
    code = p->has_item ? commit_one(x, &c) : commit_shipment(x, &c);
    if (code != SY_APPLIED || x->failed != SY_OK) return code;
    c.made.breached = c.held.items.count > 0;
    save_conditions(x, &c);
    if (c.made.breached) sy_goods_save_exception(x, &p->event_id, &c.held);
    sy_goods_save_event(x, &p->event_id, 0);
    const struct sy_hash *own = &x->by->holder;
    sy_exec_event(x, SY_EVENT_COND_COMMITTED, SY_SUBJECT_ORG, own, &p->event_id);
    if (c.made.gap_ms > 0) {
        sy_exec_event(x, SY_EVENT_COND_GAP, SY_SUBJECT_ORG, own, &p->event_id);
    }
    if (c.made.breached) {
        sy_exec_event(x, SY_EVENT_COND_BREACHED, SY_SUBJECT_ORG, own, &p->event_id);
    }
    return SY_APPLIED;
}
