/* goods_rules.h: what the contracts about goods judge and keep alike (internal to
 * core/ledger/contracts).
 *
 * An event that was applied before                        E_DUP_EVENT {event id}
 * An item of a list (path says which):
 *   neither 01/GTIN/21/SERIAL nor 00/SSCC                 E_EPC
 *   its check digit is wrong                              E_GTIN {the right one}
 *   never commissioned, or never packed                   E_UNIT_UNKNOWN {its id}
 *   its owner is not the signer's organisation            E_NOT_OWNER {owner}
 *   packed into a container                               E_AGGREGATED {SSCC as a number}
 *   dispensed, returned, ended                            E_UNIT_STATE {status, its id}
 *   under way                                             E_UNIT_STATE {0, its id}
 * To ship or dispense it, of each lot in it:
 *   recalled                                              E_RECALLED {recall}
 *   expired                                               E_EXPIRED_LOT {expiry, ms} */
#ifndef SY_LEDGER_CONTRACTS_GOODS_RULES_H
#define SY_LEDGER_CONTRACTS_GOODS_RULES_H

#include "core/ledger/exec.h"
#include "core/wire/state_exception.h"

struct sy_goods_item {
    struct sy_hash id;
    struct sy_unit unit;
};

/* sy_goods_check_event: E_DUP_EVENT. sy_goods_save_event keeps that it was applied. */
enum sy_refusal sy_goods_check_event(struct sy_exec *x, const struct sy_hash *event_id);
void sy_goods_save_event(struct sy_exec *x, const struct sy_hash *event_id, uint16_t answer);

/* sy_goods_path is "NAME[index]" in x->path; sy_goods_check_number judges a check digit. */
void sy_goods_path(struct sy_exec *x, const char *name, unsigned index);
enum sy_refusal sy_goods_check_number(struct sy_exec *x, struct sy_slice digits);

bool sy_goods_find_product(struct sy_exec *x, struct sy_product *out, struct sy_slice gtin);
bool sy_goods_find_lot(struct sy_exec *x, struct sy_lot *out, const struct sy_hash *lot_id);
void sy_goods_save_lot(struct sy_exec *x, const struct sy_hash *lot_id, const struct sy_lot *lot);
bool sy_goods_find_unit(struct sy_exec *x, struct sy_unit *out, const struct sy_hash *unit_id);
void sy_goods_save_unit(struct sy_exec *x, const struct sy_hash *unit_id,
                        const struct sy_unit *unit);

/* sy_goods_find_recall: the lot is recalled, by this. */
bool sy_goods_find_recall(struct sy_exec *x, struct sy_hash *recall, const struct sy_hash *lot_id);

/* sy_goods_find_item: E_EPC, E_GTIN, E_UNIT_UNKNOWN. */
enum sy_refusal sy_goods_find_item(struct sy_exec *x, struct sy_goods_item *item,
                                   struct sy_slice text);
/* sy_goods_take_item finds one that the signer's organisation may move: E_NOT_OWNER, E_AGGREGATED,
 * E_UNIT_STATE besides. */
enum sy_refusal sy_goods_take_item(struct sy_exec *x, struct sy_goods_item *item,
                                   struct sy_slice text);

/* sy_goods_outermost is the container that a unit moves with; a copy of itself unless it is packed.
 */
void sy_goods_outermost(struct sy_exec *x, struct sy_unit *out, const struct sy_unit *unit);

/* sy_goods_lots: the lots in it; those of a unit are written to `one`. */
unsigned sy_goods_lots(const struct sy_lot_count **lots, struct sy_lot_count *one,
                       const struct sy_unit *unit);
/* sy_goods_check_lots: E_RECALLED, E_EXPIRED_LOT. */
enum sy_refusal sy_goods_check_lots(struct sy_exec *x, const struct sy_unit *unit);

/* sy_goods_add and sy_goods_subtract count units among those that an organisation holds of a lot
 * (SY_STATE_LOT_HOLDER), or that a patient has (SY_STATE_LOT_PATIENT). Who comes to a lot for the
 * first time gets the number after `count`: sy_goods_add then gives 1, which the caller adds to the
 * lot's count, else 0. An organisation that comes to a recalled lot is told, if all before it were.
 * More than there are to subtract is a state that execution never made. */
uint64_t sy_goods_add(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *lot_id,
                      const struct sy_hash *whom, uint64_t count, uint64_t units);
void sy_goods_subtract(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *lot_id,
                       const struct sy_hash *whom, uint64_t units);

/* How many of a lot's were told of its recall; nobody when there is no entry. */
void sy_goods_find_told(struct sy_exec *x, struct sy_recall_told *told,
                        const struct sy_hash *lot_id);
void sy_goods_save_told(struct sy_exec *x, const struct sy_hash *lot_id,
                        const struct sy_recall_told *told);

/* sy_goods_step counts one more step of the item and writes it; the caller saves the unit. What
 * happened when, the step gets from x. What was received is known anew from then on: readings from
 * before are another's. Those of what was filled, emptied or unpacked are of other goods, so they
 * are not committed to any more either, but that they are missing is not forgotten (condition.c,
 * packing.c). */
void sy_goods_step(struct sy_exec *x, struct sy_goods_item *item, struct sy_unit_step *step);

/* sy_goods_find_maker: the organisation of a lot that something is of; absent is corrupt.
 * sy_goods_tell_maker tells one once in a row; told: the last one. sy_goods_save_exception writes
 * what is amiss. (exception.c) */
bool sy_goods_find_maker(struct sy_exec *x, struct sy_hash *maker, const struct sy_lot_name *name);
void sy_goods_tell_maker(struct sy_exec *x, struct sy_hash *told, enum sy_event_kind kind,
                         const struct sy_hash *maker, const struct sy_hash *event_id);
void sy_goods_save_exception(struct sy_exec *x, const struct sy_hash *id,
                             const struct sy_exception *exception);

/* sy_goods_find_shipment: items is room for what the value borrows, SY_STATE_VALUE_BYTES_MAX, so
 * that it may be written anew. (shipping.c) */
bool sy_goods_find_shipment(struct sy_exec *x, struct sy_shipment *out, uint8_t *items,
                            const struct sy_hash *id);
void sy_goods_save_shipment(struct sy_exec *x, const struct sy_hash *id,
                            const struct sy_shipment *shipment);

/* sy_goods_holds: the item is held by something that is amiss with it. */
static inline bool sy_goods_holds(const struct sy_unit *unit)
{
    return unit->has_hold || unit->has_excursion;
}

/* Why E_EVENT_STATE refuses: its detail. */
enum { SY_EVENT_NONE = 0, SY_EVENT_SETTLED = 1, SY_EVENT_STAYS = 2, SY_EVENT_TOO_LATE = 3 };

/* sy_goods_undo_ship ends a shipment that its sender says did not occur: all of it is the sender's
 * to move again. E_SHIPMENT_STATE {it}: it was received or refused. (shipping.c) */
enum sy_refusal sy_goods_undo_ship(struct sy_exec *x, const struct sy_hash *event_id,
                                   const struct sy_hash *correction);
/* sy_goods_undo_end takes a unit's or container's end back, which the signer's organisation said by
 * event_id. E_EPC, E_GTIN, E_UNIT_UNKNOWN. E_UNIT_STATE {status, its id}: it is not ended.
 * E_EVENT_STATE {2, event}: it was not ended by that, or a patient had returned it before; {3,
 * event}: over SY_REINSTATE_MS_MAX ago. (shipping.c) */
enum sy_refusal sy_goods_undo_end(struct sy_exec *x, struct sy_slice text,
                                  const struct sy_hash *event_id, const struct sy_hash *correction);

#endif
