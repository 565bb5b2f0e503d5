/* state_kind.c: see state_kind.h. */
#include "core/wire/state_kind.h"

#include <string.h>

unsigned sy_state_kind_by_name(const char *name)
{
    for (unsigned kind = 1; kind < SY_STATE_KIND_COUNT; kind++) {
        const char *own = sy_state_kind_name(kind);
        if (own && strcmp(own, name) == 0) return kind;
    }
    return 0;
}

bool sy_state_kind_is_of_two(unsigned kind)
{
    static const struct sy_hash zero;
    struct sy_hash second, alone, with;
    memset(second.bytes, 0xff, sizeof second.bytes);
    return sy_state_key_of(&alone, kind, &zero, &zero) &&
           sy_state_key_of(&with, kind, &zero, &second) && !sy_hash_equal(&alone, &with);
}
