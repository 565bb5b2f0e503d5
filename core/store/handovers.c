/* handovers.c: see handovers.h. */
#include "core/store/handovers.h"

#include "core/wire/state.h"

sy_status sy_store_handover(struct sy_writer *w, sy_store_reader *reader, sy_state_view *view,
                            uint32_t epoch, uint64_t certified)
{
    struct sy_hash key;
    struct sy_slice value, header, certificate;
    struct sy_roster_next next;
    if (epoch == UINT32_MAX) return SY_ERR_NOT_FOUND;
    sy_state_key_roster_change(&key, epoch + 1);
    SY_TRY(sy_state_view_get(view, &value, &key));
    if (!sy_roster_next_decode(&next, value) || next.first < 2) return SY_ERR_CORRUPT;
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
