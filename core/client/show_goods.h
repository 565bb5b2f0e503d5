/* show_goods.h: goods in the words of `systole get` (internal to core/client). */
#ifndef SY_CLIENT_SHOW_GOODS_H
#define SY_CLIENT_SHOW_GOODS_H

#include "core/base/json.h"
#include "core/wire/state_exception.h"

/* sy_show_goods writes the members of a value of a kind of state_goods.h, state_rx.h or
 * state_exception.h into the object that is open. False: no such kind, or a value of an unknown
 * form; nothing was written then. */
bool sy_show_goods(sy_json *json, uint8_t state_kind, struct sy_slice value);

#endif
