/* show_money.h: state entries of plans, coverage, claims and payments as JSON (internal to
 * core/client); amounts are minor units. */
#ifndef SY_CLIENT_SHOW_MONEY_H
#define SY_CLIENT_SHOW_MONEY_H

#include "core/base/bytes.h"
#include "core/base/json.h"

/* sy_show_money writes the members of an entry into an object that was begun. False: it is of no
 * such kind, or does not decode, and nothing was written. */
bool sy_show_money(sy_json *json, uint8_t state_kind, struct sy_slice value);

#endif
