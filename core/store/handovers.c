/* handovers.c: see handovers.h. */
#include "core/store/handovers.h"

#include "core/base/assert.h"
#include "core/wire/state.h"

/* How an epoch began; good until the view is asked again. */
static sy_status get_change(struct sy_roster_next *change, sy_state_view *view, uint32_t epoch)
{
    struct sy_hash key;
    struct sy_slice value;
    sy_state_key_roster_change(&key, epoch);
    SY_TRY(sy_state_view_get(view, &value, &key));
    return sy_roster_next_decode(change, value) && change->first >= 2 ? SY_OK : SY_ERR_CORRUPT;
}

sy_status sy_store_handover(struct sy_writer *w, sy_store_reader *reader, sy_state_view *view,
                            uint32_t epoch, uint64_t certified)
{
    struct sy_slice header, certificate;
    struct sy_roster_next next;
    if (epoch == UINT32_MAX) return SY_ERR_NOT_FOUND;
    SY_TRY(get_change(&next, view, epoch + 1));
    uint64_t last = next.first - 1;
    if (last > certified) return SY_ERR_NOT_FOUND;
    SY_TRY(sy_ledger_get(reader, &header, last, SY_BLOCK_HEADER));
    SY_TRY(sy_ledger_get(reader, &certificate, last, SY_BLOCK_CERTIFICATE));
    sy_write_u16(w, next.kind);
    sy_write_bytes16(w, next.change);
    sy_write_raw(w, header.data, header.size);
    sy_write_raw(w, certificate.data, certificate.size);
    return SY_OK;
}

uint16_t sy_store_handovers(struct sy_writer *w, sy_store_reader *reader, sy_state_view *view,
                            uint32_t epoch, uint64_t certified)
{
    uint16_t count = 0;
    sy_write_u32(w, epoch);
    size_t count_at = w->used;
    sy_write_u16(w, 0);
    while (count < SY_HANDOVERS_MAX &&
           sy_store_handover(w, reader, view, epoch + count, certified) == SY_OK) {
        count++;
    }
    SY_ASSERT(!w->failed);
    sy_store_u16(w->data + count_at, count);
    return count;
}

sy_status sy_store_roster(struct sy_roster *roster, const struct sy_genesis *genesis,
                          sy_state_view *view, uint32_t epoch)
{
    *roster = genesis->roster;
    while (roster->epoch < epoch) {
        struct sy_roster before = *roster;
        struct sy_roster_next change;
        SY_TRY(get_change(&change, view, before.epoch + 1));
        sy_status status =
            sy_roster_follow(roster, &genesis->hash, &before, change.kind, change.change);
        if (status != SY_OK) return SY_ERR_CORRUPT;
    }
    return SY_OK;
}
