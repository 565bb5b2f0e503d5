/* show_streams.h: streams of devices in the words of `systole get` (internal to core/client). */
#ifndef SY_CLIENT_SHOW_STREAMS_H
#define SY_CLIENT_SHOW_STREAMS_H

#include "core/base/json.h"
#include "core/wire/state_stream.h"

/* sy_show_streams writes the members of a value of a kind of state_stream.h into the object that is
 * open. False: no such kind, or a value of an unknown form; nothing was written then. */
bool sy_show_streams(sy_json *json, uint8_t state_kind, struct sy_slice value);

#endif
