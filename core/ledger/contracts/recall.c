/* recall.c: a lot is recalled, and everybody who has, had or got any of it is told.
 *
 * recall.issue (a manufacturer's key or admin, or a regulator)
 *   the id is taken                                       E_RECALL_EXISTS {id}
 *   the GTIN is not registered                            E_PRODUCT_UNKNOWN, path gtin
 *   by another organisation                               E_PREFIX {the product's}
 *   a lot of which there never was a unit                 E_LOT_UNKNOWN, path lots[n]
 *   a lot that is recalled                                E_RECALLED {recall}, path lots[n]
 *   writes   recall, a lot recall of each lot, how many of each were told
 *   event    recall.issued about the product's organisation, and about as many of those who are to
 * be told as recall.notify tells, object: the recall
 *
 * recall.notify (a regulator, or whoever handles goods: what is told does not depend on who asks)
 *   there is no such recall                               E_RECALL_UNKNOWN {id}
 *   it was withdrawn, or everybody was told               E_RECALL_STATE {id}
 *   writes   how many of each lot were told
 *   event    recall.issued about the next SY_RECALL_TOLD_MAX of them, object: the recall
 *
 * recall.close (who may issue it; what a regulator issued, a regulator)
 *   there is no such recall                               E_RECALL_UNKNOWN {id}
 *   it is another's                                       E_ROLE {regulator}
 *   it was closed                                         E_RECALL_STATE {id}
 *   writes   recall; when it was issued in error, its lots are no longer recalled
 *   event    recall.closed about the product's organisation, object: the recall
 *
 * Who is to be told is a list by numbers that grew as units moved: a lot's organisations, then its
 * patients. Each transaction tells a bounded number, in that order, and state says how far it came,
 * so that nobody is left out or told twice, whoever sends the next one. No unit of the lot is
 * shipped or dispensed meanwhile; who receives what was under way is told at once (goods_rules.h).
 */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"
#include "core/wire/state_rx.h"

_Static_assert(SY_RECALL_TOLD_MAX *(SY_MERGES_MAX + 3) + 6 * SY_RECALL_LOTS_MAX +
                       2 * SY_TX_SIGNERS_MAX + 16 <=
                   SY_OVERLAY_READS_BETWEEN,
               "a recall stays within what a payload may read");
_Static_assert(SY_RECALL_TOLD_MAX *SY_STATE_VALUE_BYTES_MAX <= SY_OVERLAY_WRITE_BYTES_BETWEEN,
               "and write");

static bool find_recall(struct sy_exec *x, struct sy_recall *out, uint8_t *room,
                        const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_RECALL, id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (!sy_recall_decode(out, value)) {
        x->failed = SY_ERR_CORRUPT;
        return false;
    }
    // The value may be written anew, so what it borrows is kept.
    memcpy(room, out->lots.items.data, out->lots.items.size);
    out->lots.items.data = room;
    return true;
}

static void save_recall(struct sy_exec *x, const struct sy_hash *id, const struct sy_recall *recall)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    sy_recall_encode(&w, recall);
    sy_exec_key(x, &key_hash, SY_STATE_RECALL, id);
    sy_exec_save(x, &key_hash, &w);
}

static struct sy_slice gtin_of(const struct sy_recall *recall)
{
    return sy_slice_of(recall->gtin, sizeof recall->gtin);
}

// --- telling -----------------------------------------------------------------------------------

/* Tells numbers told+1 to count of a list, as far as the budget goes; gives how far it came. */
static uint64_t tell_list(struct sy_exec *x, unsigned *budget, enum sy_state_kind places,
                          const struct sy_hash *lot_id, const struct sy_hash *recall_id,
                          uint64_t told, uint64_t count)
{
    enum sy_subject_kind kind = places == SY_STATE_LOT_PLACE ? SY_SUBJECT_ORG : SY_SUBJECT_PATIENT;
    for (; told<count && * budget> 0 && x->failed == SY_OK; told++, (*budget)--) {
        struct sy_hash number = {{0}}, key_hash, whom;
        struct sy_slice value;
        sy_store_u64(number.bytes, told + 1);
        sy_state_key_pair(&key_hash, places, lot_id, &number);
        if (!sy_exec_find(x, &value, &key_hash) || !sy_id_decode(&whom, value)) {
            sy_exec_corrupt(x);
            break;
        }
        sy_exec_event(x, SY_EVENT_RECALL_ISSUED, kind, &whom, recall_id);
    }
    return told;
}

static void tell_lot(struct sy_exec *x, unsigned *budget, const struct sy_hash *lot_id,
                     const struct sy_hash *recall_id)
{
    struct sy_recall_told told;
    struct sy_lot lot;
    if (!sy_goods_find_lot(x, &lot, lot_id)) {
        sy_exec_corrupt(x);
        return;
    }
    sy_goods_find_told(x, &told, lot_id);
    told.holders =
        tell_list(x, budget, SY_STATE_LOT_PLACE, lot_id, recall_id, told.holders, lot.holders);
    told.patients = tell_list(x, budget, SY_STATE_LOT_PATIENT_PLACE, lot_id, recall_id,
                              told.patients, lot.patients);
    sy_goods_save_told(x, lot_id, &told);
}

/* False: everybody had been told. */
static bool tell_next(struct sy_exec *x, const struct sy_recall *recall,
                      const struct sy_hash *recall_id)
{
    unsigned budget = SY_RECALL_TOLD_MAX;
    struct sy_slice lot;
    SY_ASSERT(recall->lots.count <= SY_RECALL_LOTS_MAX);
    for (size_t offset = 0; budget > 0 && sy_list_next_text(&recall->lots, &offset, &lot);) {
        struct sy_hash lot_id = sy_goods_id(gtin_of(recall), lot);
        tell_lot(x, &budget, &lot_id, recall_id);
    }
    return budget < SY_RECALL_TOLD_MAX;
}

// --- issuing -----------------------------------------------------------------------------------

static enum sy_refusal mark_lots(struct sy_exec *x, const struct sy_recall_issue *p)
{
    static const struct sy_recall_told nobody;
    struct sy_slice text;
    unsigned index = 0;
    for (size_t offset = 0; sy_list_next_text(&p->lots, &offset, &text); index++) {
        struct sy_hash lot_id = sy_goods_id(p->gtin, text), key_hash, other;
        struct sy_lot lot;
        uint8_t room[32];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        sy_goods_path(x, "lots", index);
        if (!sy_goods_find_lot(x, &lot, &lot_id)) return SY_E_LOT_UNKNOWN;
        if (sy_goods_find_recall(x, &other, &lot_id)) {
            return sy_refuse_hash(x, SY_E_RECALLED, &other);
        }
        sy_id_encode(&w, &p->recall_id);
        sy_exec_key(x, &key_hash, SY_STATE_LOT_RECALL, &lot_id);
        sy_exec_save(x, &key_hash, &w);
        sy_goods_save_told(x, &lot_id, &nobody);
    }
    return index > 0 ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "lots");
}

enum sy_refusal sy_contract_recall_issue(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_recall_issue *p = &payload->recall_issue;
    struct sy_product product;
    SY_ASSERT(x->kind->number == SY_KIND_recall_issue && x->by->valid);
    if (sy_exec_has(x, SY_STATE_RECALL, &p->recall_id)) {
        return sy_refuse_hash(x, SY_E_RECALL_EXISTS, &p->recall_id);
    }
    if (!sy_goods_find_product(x, &product, p->gtin)) {
        return sy_refuse_path(x, SY_E_PRODUCT_UNKNOWN, "gtin");
    }
    bool oversees = x->by->role == SY_ROLE_REGULATOR;
    struct sy_hash maker = product.organisation;
    if (!oversees && !sy_hash_equal(&maker, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_PREFIX, &maker);
    }
    enum sy_refusal code = mark_lots(x, p);
    if (code != SY_APPLIED) return code;
    struct sy_recall recall = {
        .recall_class = p->class,
        .reason = p->reason,
        .height = x->height,
        .time_ms = x->time_ms,
        .lots = p->lots,
    };
    if (!oversees) recall.organisation = x->by->holder;
    memcpy(recall.gtin, p->gtin.data, sizeof recall.gtin);
    save_recall(x, &p->recall_id, &recall);
    (void)tell_next(x, &recall, &p->recall_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_recall_notify(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_recall_notify *p = &payload->recall_notify;
    struct sy_recall recall;
    uint8_t room[512];
    SY_ASSERT(x->kind->number == SY_KIND_recall_notify && x->by->valid);
    if (!find_recall(x, &recall, room, &p->recall_id)) {
        return sy_refuse_hash(x, SY_E_RECALL_UNKNOWN, &p->recall_id);
    }
    bool told = recall.outcome != SY_RECALL_WITHDRAWN && tell_next(x, &recall, &p->recall_id);
    return told ? SY_APPLIED : sy_refuse_hash(x, SY_E_RECALL_STATE, &p->recall_id);
}

// --- closing -----------------------------------------------------------------------------------

static void free_lots(struct sy_exec *x, const struct sy_recall *recall)
{
    struct sy_slice text;
    for (size_t offset = 0; sy_list_next_text(&recall->lots, &offset, &text);) {
        struct sy_hash lot_id = sy_goods_id(gtin_of(recall), text), key_hash;
        sy_exec_key(x, &key_hash, SY_STATE_LOT_RECALL, &lot_id);
        sy_exec_remove(x, &key_hash);
        sy_exec_key(x, &key_hash, SY_STATE_RECALL_TOLD, &lot_id);
        sy_exec_remove(x, &key_hash);
    }
}

enum sy_refusal sy_contract_recall_close(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_recall_close *p = &payload->recall_close;
    struct sy_recall recall;
    struct sy_product product;
    uint8_t room[512];
    SY_ASSERT(x->kind->number == SY_KIND_recall_close && x->by->valid);
    if (!find_recall(x, &recall, room, &p->recall_id)) {
        return sy_refuse_hash(x, SY_E_RECALL_UNKNOWN, &p->recall_id);
    }
    // A regulator's holder is zero, as is the organisation of what a regulator issued.
    bool own =
        x->by->role == SY_ROLE_REGULATOR || sy_hash_equal(&recall.organisation, &x->by->holder);
    if (!own) return sy_refuse_role(x, SY_ROLE_BIT(SY_ROLE_REGULATOR));
    if (recall.closed_height != 0) return sy_refuse_hash(x, SY_E_RECALL_STATE, &p->recall_id);
    if (!sy_goods_find_product(x, &product, gtin_of(&recall))) {
        sy_exec_corrupt(x);
        return SY_E_PRODUCT_UNKNOWN;
    }
    struct sy_hash maker = product.organisation;
    recall.closed_height = x->height;
    recall.outcome = p->outcome;
    save_recall(x, &p->recall_id, &recall);
    if (p->outcome == SY_RECALL_WITHDRAWN) free_lots(x, &recall);
    sy_exec_event(x, SY_EVENT_RECALL_CLOSED, SY_SUBJECT_ORG, &maker, &p->recall_id);
    return SY_APPLIED;
}
