/* record.c: the bytes of the vote store (layouts in record.h). */
#include "consensus/pbft/record.h"

#include "core/base/assert.h"

static void write_pre_prepare(struct sy_writer *w, const struct sy_pre_prepare *pre_prepare)
{
    sy_proposal_encode(w, &pre_prepare->proposal);
    sy_write_u64(w, pre_prepare->view);
    sy_write_signature(w, &pre_prepare->signature);
}

static bool read_pre_prepare(struct sy_reader *r, struct sy_pre_prepare *pre_prepare)
{
    if (!sy_proposal_decode(r, &pre_prepare->proposal)) return false;
    pre_prepare->view = sy_read_u64(r, "view");
    sy_read_signature(r, &pre_prepare->signature, "signature");
    return !r->failed;
}

void sy_pbft_record_encode(struct sy_writer *w, const struct sy_pbft_record *record)
{
    sy_write_u8(w, record->type);
    sy_write_u64(w, record->slot);
    sy_write_u64(w, record->view);
    switch (record->type) {
    case SY_PBFT_RECORD_PREPARE: write_pre_prepare(w, &record->as.prepare); break;
    case SY_PBFT_RECORD_PREPARED: sy_prepared_encode(w, &record->as.prepared); break;
    case SY_PBFT_RECORD_VIEW_CHANGE: sy_view_change_encode(w, &record->as.view_change); break;
    case SY_PBFT_RECORD_NEW_VIEW: sy_new_view_encode(w, &record->as.new_view); break;
    case SY_PBFT_RECORD_BOOT: sy_write_u64(w, record->as.boots); break;
    case SY_PBFT_RECORD_HALTED:
        sy_write_u8(w, record->as.halt.alarm);
        sy_write_hash(w, &record->as.halt.own);
        sy_write_hash(w, &record->as.halt.certified);
        break;
    default: SY_ASSERT(record->type == SY_PBFT_RECORD_PREPARE); // no other type is ever made
    }
}

static bool read_body(struct sy_reader *r, struct sy_pbft_record *record, uint16_t self, unsigned n)
{
    switch (record->type) {
    case SY_PBFT_RECORD_PREPARE: return read_pre_prepare(r, &record->as.prepare);
    case SY_PBFT_RECORD_PREPARED: return sy_prepared_decode(r, &record->as.prepared, self, n);
    case SY_PBFT_RECORD_VIEW_CHANGE:
        return sy_view_change_decode(r, &record->as.view_change, n) &&
               record->as.view_change.signer == self;
    case SY_PBFT_RECORD_NEW_VIEW: return sy_new_view_decode(r, &record->as.new_view, n);
    case SY_PBFT_RECORD_BOOT: record->as.boots = sy_read_u64(r, "boots"); return !r->failed;
    case SY_PBFT_RECORD_HALTED:
        record->as.halt.alarm = sy_read_u8(r, "alarm");
        sy_read_hash(r, &record->as.halt.own, "own header hash");
        sy_read_hash(r, &record->as.halt.certified, "certified header hash");
        return !r->failed && record->as.halt.alarm != 0;
    default: return false;
    }
}

bool sy_pbft_record_decode(struct sy_pbft_record *record, struct sy_slice bytes, uint16_t self,
                           unsigned n)
{
    struct sy_reader r = sy_reader_of(bytes);
    memset(record, 0, sizeof *record);
    record->type = sy_read_u8(&r, "type");
    record->slot = sy_read_u64(&r, "slot");
    record->view = sy_read_u64(&r, "view");
    return read_body(&r, record, self, n) && sy_reader_done(&r);
}

bool sy_pbft_record_epoch(uint32_t *epoch, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    uint8_t type = sy_read_u8(&r, "type");
    (void)sy_read_u64(&r, "slot");
    (void)sy_read_u64(&r, "view");
    if (type == SY_PBFT_RECORD_BOOT || type == SY_PBFT_RECORD_HALTED) return false;
    if (type == SY_PBFT_RECORD_PREPARED) (void)sy_read_u64(&r, "view");
    *epoch = sy_read_u32(&r, "epoch");
    return !r.failed;
}
