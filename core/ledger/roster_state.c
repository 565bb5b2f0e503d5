/* roster_state.c: see roster_state.h. */
#include "core/ledger/roster_state.h"

sy_status sy_roster_state_head(struct sy_roster_head *head, sy_state_getter get, void *self)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_zero(&key_hash, SY_STATE_ROSTER);
    SY_TRY(get(self, &value, &key_hash));
    return sy_roster_head_decode(head, value) ? SY_OK : SY_ERR_CORRUPT;
}

static sy_status load(struct sy_roster *roster, const struct sy_roster_head *head,
                      const struct sy_hash *genesis, sy_state_getter get, void *self)
{
    struct sy_hash hash;
    if (head->count < SY_VALIDATORS_MIN || head->count > SY_VALIDATORS_MAX) return SY_ERR_CORRUPT;
    for (uint16_t i = 0; i < head->count; i++) {
        struct sy_slice value;
        sy_state_key_validator(&hash, i);
        SY_TRY(get(self, &value, &hash));
        if (!sy_validator_state_decode(&roster->validators[i], value)) return SY_ERR_CORRUPT;
    }
    roster->count = head->count;
    sy_roster_hash(&hash, genesis, roster);
    return sy_hash_equal(&hash, &head->hash) ? SY_OK : SY_ERR_CORRUPT;
}

sy_status sy_roster_state_load(struct sy_roster *roster, const struct sy_roster_head *head,
                               const struct sy_hash *genesis, sy_state_getter get, void *self)
{
    memset(roster, 0, sizeof *roster);
    roster->epoch = head->epoch;
    sy_status status = load(roster, head, genesis, get, self);
    if (status != SY_OK) roster->count = 0;
    return status;
}
