/* delta.c: see delta.h for the layout. */
#include "core/wire/delta.h"

void sy_delta_write(struct sy_writer *w, const struct sy_delta *delta)
{
    bool put = delta->op == SY_DELTA_PUT;
    if (delta->value.size > (put ? SY_STATE_VALUE_BYTES_MAX : 0)) {
        w->failed = true;
        return;
    }
    sy_write_hash(w, &delta->key);
    sy_write_u8(w, (uint8_t)delta->op);
    sy_write_bytes32(w, delta->value);
}

struct sy_delta_reader sy_delta_reader_of(struct sy_slice deltas)
{
    struct sy_delta_reader reader = {.in = sy_reader_of(deltas)};
    return reader;
}

bool sy_delta_next(struct sy_delta_reader *reader, struct sy_delta *delta)
{
    struct sy_reader *in = &reader->in;
    if (in->failed || sy_reader_left(in) == 0) return false;

    sy_read_hash(in, &delta->key, "delta key");
    uint8_t op = sy_read_u8(in, "delta op");
    delta->value = sy_read_bytes32(in, SY_STATE_VALUE_BYTES_MAX, "delta value");
    if (in->failed) return false;

    if (op != SY_DELTA_PUT && op != SY_DELTA_REMOVE) sy_reader_fail(in, "delta op");
    if (op == SY_DELTA_REMOVE && delta->value.size != 0) sy_reader_fail(in, "delta value");
    if (reader->started && sy_hash_compare(&delta->key, &reader->last) <= 0) {
        sy_reader_fail(in, "delta key order");
    }
    delta->op = op == SY_DELTA_PUT ? SY_DELTA_PUT : SY_DELTA_REMOVE;
    reader->last = delta->key;
    reader->started = true;
    return !in->failed;
}

bool sy_deltas_check(struct sy_slice deltas, size_t *count, size_t *bytes)
{
    struct sy_delta_reader reader = sy_delta_reader_of(deltas);
    struct sy_delta delta;
    size_t items = 0;
    size_t sum = 0;
    while (sy_delta_next(&reader, &delta)) {
        items++;
        sum += delta.value.size;
    }
    if (count) *count = items;
    if (bytes) *bytes = sum;
    return !reader.in.failed;
}
