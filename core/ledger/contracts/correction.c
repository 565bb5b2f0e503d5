/* correction.c: an event of goods is declared an error, as EPCIS's errorDeclaration does.
 *
 * event.correct (whoever handles goods)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   there is no such event as the one in error            E_EVENT_STATE {0, id}, path corrected
 *   another organisation sent it                          E_NOT_OWNER {that}, path corrected
 *   it was corrected before                               E_EVENT_STATE {1, id}, path corrected
 *   a corrective event is the one in error                E_SCHEMA, path corrective
 *     is not there, or another organisation's             E_EVENT_STATE {0, id}, path corrective
 *   item is given and is not asked for, or the reverse    E_SCHEMA, path item
 *   it did not occur, and was
 *     a shipment that was received or refused             E_SHIPMENT_STATE {id}
 *     the end of something, which is not to be undone     see goods_rules.h, path item
 *     any other kind of event                             E_EVENT_STATE {2, id}, path corrected
 *   writes   correction, goods event; shipment and items, or the item, its lots and counts; a step
 *            of each
 *   event    event.corrected about the organisation, object: the event in error; of a shipment
 *            custody.refused about both sides, too
 *
 * The event in error stays, with all that it wrote, and so do its steps: an auditor sees both. What
 * others built on is not undone: what was received, dispensed or packed is set right by events of
 * its own, which `corrective` names. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"

static enum sy_refusal refuse_event(struct sy_exec *x, unsigned why, const struct sy_hash *id)
{
    x->detail = why;
    return sy_refuse_hash(x, SY_E_EVENT_STATE, id);
}

static bool find_event(struct sy_exec *x, struct sy_goods_event *out, const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_GOODS_EVENT, id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (sy_goods_event_decode(out, value)) return true;
    x->failed = SY_ERR_CORRUPT;
    return false;
}

static enum sy_refusal check_corrected(struct sy_exec *x, struct sy_goods_event *event,
                                       const struct sy_event_correct *p)
{
    (void)sy_refuse_path(x, SY_APPLIED, "corrected");
    if (!find_event(x, event, &p->corrected)) return refuse_event(x, SY_EVENT_NONE, &p->corrected);
    if (!sy_hash_equal(&event->organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_OWNER, &event->organisation);
    }
    bool corrected = sy_exec_has(x, SY_STATE_CORRECTION, &p->corrected);
    return corrected ? refuse_event(x, SY_EVENT_SETTLED, &p->corrected) : SY_APPLIED;
}

static enum sy_refusal check_corrective(struct sy_exec *x, const struct sy_event_correct *p)
{
    struct sy_hash id;
    (void)sy_refuse_path(x, SY_APPLIED, "corrective");
    for (size_t offset = 0; sy_list_next_id(&p->corrective, &offset, &id);) {
        struct sy_goods_event event;
        if (sy_hash_equal(&id, &p->corrected)) return SY_E_SCHEMA;
        bool own = find_event(x, &event, &id) && sy_hash_equal(&event.organisation, &x->by->holder);
        if (!own) return refuse_event(x, SY_EVENT_NONE, &id);
    }
    return SY_APPLIED;
}

static enum sy_refusal undo(struct sy_exec *x, const struct sy_goods_event *event,
                            const struct sy_event_correct *p)
{
    bool undoes = p->reason == SY_CORRECTION_DID_NOT_OCCUR;
    bool ends = undoes && event->kind == SY_KIND_unit_decommission;
    if (p->has_item != ends) return sy_refuse_path(x, SY_E_SCHEMA, "item");
    (void)sy_refuse_path(x, SY_APPLIED, ends ? "item" : "corrected");
    if (!undoes) return SY_APPLIED;
    if (ends) return sy_goods_undo_end(x, p->item, &p->corrected, &p->event_id);
    if (event->kind != SY_KIND_custody_ship) return refuse_event(x, SY_EVENT_STAYS, &p->corrected);
    return sy_goods_undo_ship(x, &p->corrected, &p->event_id);
}

static void save_correction(struct sy_exec *x, const struct sy_event_correct *p)
{
    struct sy_correction correction = {
        .event = p->event_id,
        .organisation = x->by->holder,
        .reason = p->reason,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_document = p->has_document_hash,
        .corrective = p->corrective,
    };
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    if (p->has_document_hash) correction.document = p->document_hash;
    sy_correction_encode(&w, &correction);
    sy_exec_key(x, &key_hash, SY_STATE_CORRECTION, &p->corrected);
    sy_exec_save(x, &key_hash, &w);
}

enum sy_refusal sy_contract_event_correct(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_event_correct *p = &payload->event_correct;
    struct sy_goods_event event = {0};
    SY_ASSERT(x->kind->number == SY_KIND_event_correct && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code == SY_APPLIED) code = check_corrected(x, &event, p);
    if (code == SY_APPLIED) code = check_corrective(x, p);
    if (code == SY_APPLIED) code = undo(x, &event, p);
    if (code != SY_APPLIED) return code;
    save_correction(x, p);
    sy_goods_save_event(x, &p->event_id, 0);
    sy_exec_event(x, SY_EVENT_EVENT_CORRECTED, SY_SUBJECT_ORG, &x->by->holder, &p->corrected);
    return SY_APPLIED;
}
