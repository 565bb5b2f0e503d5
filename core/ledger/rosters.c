/* rosters.c: see rosters.h. */
#include "core/ledger/rosters.h"

#include "core/base/assert.h"
#include "core/ledger/roster_state.h"
#include "core/wire/roster_change.h"

/* --- from state ------------------------------------------------------------------------------ */

static sy_status get(struct sy_slice *value, const struct sy_state_source *source,
                     const struct sy_hash *key_hash)
{
    return source->get(source->self, value, key_hash);
}

static sy_status load_now(struct sy_rosters *rosters, const struct sy_hash *genesis,
                          const struct sy_state_source *source)
{
    struct sy_roster_head head;
    SY_TRY(sy_roster_state_head(&head, source->get, source->self));
    rosters->now_hash = head.hash;
    return sy_roster_state_load(&rosters->now, &head, genesis, source->get, source->self);
}

static sy_status take_up(struct sy_rosters *rosters, const struct sy_hash *genesis,
                         struct sy_slice value)
{
    struct sy_roster_next next;
    if (!sy_roster_next_decode(&next, value) || next.first == 0) return SY_ERR_CORRUPT;
    sy_status status =
        sy_roster_follow(&rosters->next, genesis, &rosters->now, next.kind, next.change);
    if (status != SY_OK) return SY_ERR_CORRUPT;
    sy_roster_hash(&rosters->next_hash, genesis, &rosters->next);
    rosters->first = next.first;
    return SY_OK;
}

static sy_status load_base(struct sy_rosters *rosters, const struct sy_state_source *source)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_roster_next change;
    sy_state_key_roster_change(&key_hash, rosters->now.epoch);
    SY_TRY(get(&value, source, &key_hash));
    if (!sy_roster_next_decode(&change, value) || change.first == 0) return SY_ERR_CORRUPT;
    rosters->base = change.first - 1;
    return SY_OK;
}

static sy_status load(struct sy_rosters *rosters, const struct sy_hash *genesis,
                      const struct sy_state_source *source)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    SY_TRY(load_now(rosters, genesis, source));
    rosters->base = rosters->first = 0;
    if (rosters->now.epoch > 0) SY_TRY(load_base(rosters, source));
    sy_state_key_roster_change(&key_hash, rosters->now.epoch + 1);
    sy_status status = get(&value, source, &key_hash);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    return status == SY_OK ? take_up(rosters, genesis, value) : status;
}

sy_status sy_rosters_load(struct sy_rosters *rosters, const struct sy_hash *genesis,
                          const struct sy_state_source *source, struct sy_error *err)
{
    sy_status status = load(rosters, genesis, source);
    if (status == SY_OK) return SY_OK;
    return sy_fail(err, status == SY_ERR_NOT_FOUND ? SY_ERR_CORRUPT : status,
                   "the state's roster cannot be read: %s", sy_status_name(status));
}

/* --- as blocks go by ------------------------------------------------------------------------- */

static void save_validator(struct sy_exec *x, uint16_t index, const struct sy_validator *validator)
{
    struct sy_hash key_hash;
    uint8_t room[1024];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_state_key_validator(&key_hash, index);
    sy_validator_state_encode(&w, validator);
    SY_ASSERT(!w.failed);
    sy_exec_save(x, &key_hash, &w);
}

void sy_rosters_save(const struct sy_rosters *rosters, struct sy_exec *x)
{
    const struct sy_roster *now = &rosters->now, *next = &rosters->next;
    SY_ASSERT(x->height == rosters->first && next->epoch == now->epoch + 1);
    struct sy_roster_head head = {
        .epoch = next->epoch, .count = next->count, .hash = x->roster_hash};
    struct sy_hash key_hash;
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_roster_head_encode(&w, &head);
    sy_state_key_zero(&key_hash, SY_STATE_ROSTER);
    sy_exec_save(x, &key_hash, &w);
    for (uint16_t i = 0; i < next->count; i++) {
        bool same = i < now->count && memcmp(&now->validators[i], &next->validators[i],
                                             sizeof now->validators[i]) == 0;
        if (!same) save_validator(x, i, &next->validators[i]);
    }
    for (uint16_t i = next->count; i < now->count; i++) {
        sy_state_key_validator(&key_hash, i);
        sy_exec_remove(x, &key_hash);
    }
}

sy_status sy_rosters_turn(struct sy_rosters *rosters, struct sy_exec *x)
{
    if (sy_rosters_begins(rosters, x->height)) {
        rosters->now = rosters->next;
        rosters->now_hash = rosters->next_hash;
        rosters->base = rosters->first - 1;
        rosters->first = 0;
    }
    if (!x->roster_changed) return SY_OK;
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_roster_change(&key_hash, rosters->now.epoch + 1);
    sy_overlay_relax(x->state);
    // The transaction that wrote it may have been refused in the end.
    if (!sy_exec_find(x, &value, &key_hash)) return x->failed;
    return take_up(rosters, x->genesis, value);
}
