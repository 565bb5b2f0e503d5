/* access_money.h: whom an entry of plans, coverage, claims and payments concerns (internal to
 * consensus/node). */
#ifndef SY_NODE_ACCESS_MONEY_H
#define SY_NODE_ACCESS_MONEY_H

#include "consensus/node/access.h"

struct sy_access_parties {
    bool anybody;          /* may see it */
    bool who_sees_rx;      /* whoever may see the prescription that the entry's key names */
    bool has_patient;      /* and the patient's guardians */
    bool who_sees_patient; /* whoever may see the patient's entries, too */
    struct sy_hash patient;
    struct sy_hash organisations[2]; /* zero: none */
};

/* sy_access_parties says whom the entry of a kind that id and second name concerns. An entry that
 * is not there concerns anybody; but that a fill is billed by no claim, whoever may see the
 * prescription. False: it is none of these kinds, or cannot be read. */
bool sy_access_parties(struct sy_access_parties *out, const struct sy_access *access, uint8_t kind,
                       const struct sy_hash *id, const struct sy_hash *second);

/* sy_access_money_event is the kind of the entry, of these, that an event's object names; 0: the
 * event is about none. */
uint8_t sy_access_money_event(uint16_t event_kind);

#endif
