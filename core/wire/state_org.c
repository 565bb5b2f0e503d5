/* state_org.c: see state_org.h. */
#include "core/wire/state.h"

enum { SUSPENSION_ENDED = 1 };

static void write_end(struct sy_writer *w, const struct sy_suspension_end *end)
{
    sy_write_u16(w, end->reason);
    sy_write_i64(w, end->from_ms);
    sy_write_u64(w, end->height);
    sy_write_i64(w, end->time_ms);
}

static void read_end(struct sy_reader *r, struct sy_suspension_end *end)
{
    end->reason = sy_read_u16(r, "reason");
    end->from_ms = sy_read_i64(r, "from");
    end->height = sy_read_u64(r, "height");
    end->time_ms = sy_read_i64(r, "time");
    if (end->reason == 0) sy_reader_fail(r, "reason");
}

void sy_suspension_encode(struct sy_writer *w, const struct sy_suspension *suspension)
{
    write_end(w, &suspension->begun);
    sy_write_u8(w, suspension->has_ended ? SUSPENSION_ENDED : 0);
    if (suspension->has_ended) write_end(w, &suspension->ended);
}

bool sy_suspension_decode(struct sy_suspension *suspension, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *suspension = (struct sy_suspension){.has_ended = false};
    read_end(&r, &suspension->begun);
    uint8_t flags = sy_read_u8(&r, "flags");
    if ((flags & ~SUSPENSION_ENDED) != 0) sy_reader_fail(&r, "flags");
    suspension->has_ended = !r.failed && (flags & SUSPENSION_ENDED) != 0;
    if (suspension->has_ended) {
        read_end(&r, &suspension->ended);
        if (suspension->ended.height < suspension->begun.height) sy_reader_fail(&r, "height");
    }
    return sy_reader_done(&r);
}

bool sy_suspension_at(const struct sy_suspension *suspension, uint64_t height)
{
    if (suspension->begun.height > height) return false;
    return !suspension->has_ended || suspension->ended.height > height;
}

void sy_state_key_suspension(struct sy_hash *out, const struct sy_hash *organisation,
                             uint64_t number)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, number);
    sy_state_key_pair(out, SY_STATE_SUSPENSION, organisation, &padded);
}
