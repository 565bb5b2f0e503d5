/* show_research.h: the research commons in the words of `systole get` (internal to core/client). */
#ifndef SY_CLIENT_SHOW_RESEARCH_H
#define SY_CLIENT_SHOW_RESEARCH_H

#include "core/base/json.h"
#include "core/wire/state_research.h"

/* sy_show_research writes the members of a value of a kind of state_research.h into the object that
 * is open. False: no such kind, or a value of an unknown form; nothing was written then. */
bool sy_show_research(sy_json *json, uint8_t state_kind, struct sy_slice value);

#endif
