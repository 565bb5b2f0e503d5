/* state_kind.h: kinds of state entries as whoever asks for them names them. */
#ifndef SY_WIRE_STATE_KIND_H
#define SY_WIRE_STATE_KIND_H

#include "core/wire/state.h"

/* sy_state_kind_by_name: the kind of that name (sy_state_kind_name); 0: there is none. */
unsigned sy_state_kind_by_name(const char *name);

/* sy_state_kind_is_of_two: an entry of that kind is named by two things (sy_state_key_of's id and
 * second), not by id alone. False where there is no such kind. */
bool sy_state_kind_is_of_two(unsigned kind);

#endif
