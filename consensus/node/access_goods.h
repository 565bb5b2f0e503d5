/* access_goods.h: who may read what the state has of goods (internal to consensus/node).
 *
 * Anybody whose credential holds: the network's own entries and its directory, products, and
 * whether a lot is recalled. What a maker makes and who trades with whom is theirs: a lot and its
 * units are shown to the product's organisation and to those that ever held any of it, a container
 * to them and to those that did one of its newest 256 steps (so that a trace goes on where it was
 * unpacked), a shipment to its two sides, an event, and what was
 * said of it, to who sent it, an exception to both sides and to who sees what is held. */
#ifndef SY_NODE_ACCESS_GOODS_H
#define SY_NODE_ACCESS_GOODS_H

#include "core/store/store.h"
#include "core/wire/receipt.h"
#include "core/wire/request.h"

/* sy_access_goods: may who acts for `holder` be shown this entry of a kind of state_goods.h? That
 * there is no such entry may be told. */
bool sy_access_goods(sy_state_view *view, const struct sy_hash *holder,
                     const struct sy_read_request *read);

/* sy_access_rx: the same of a prescription, its fills, and of who got a unit, for those who may
 * whatever the patient says: the prescriber's organisation, the pharmacy that holds it or dispensed
 * the unit, and, of a prescription, whoever fills them and was shown its id, which nobody can
 * guess. False: *patient says whom to ask about. */
bool sy_access_rx(sy_state_view *view, struct sy_hash *patient, const struct sy_hash *holder,
                  uint8_t role, const struct sy_read_request *read);

/* sy_access_goods_event: an event about an organisation is that one's alone, if it is of goods, of
 * streams, or of who takes part in a trial. A prescription's events are the patient's. */
bool sy_access_goods_event(const struct sy_hash *holder, const struct sy_event *event);

#endif
