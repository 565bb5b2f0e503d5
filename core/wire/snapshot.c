#include "core/wire/snapshot.h"

#include "core/wire/delta.h"

_Static_assert(SY_CHUNK_ENTRIES_BYTES_MAX + 2 + 32 + 32 * SY_TRIE_DEPTH_MAX + 4 + 184 + 2 +
                       66 * SY_VALIDATORS_MAX + 256 <=
                   SY_FRAME_BYTES_MAX,
               "any chunk fits a frame beside a header and its certificate");

void sy_chunk_encode(struct sy_writer *w, const struct sy_chunk *chunk)
{
    if (chunk->bits > SY_TRIE_DEPTH_MAX) w->failed = true;
    sy_write_u16(w, chunk->bits);
    sy_write_hash(w, &chunk->prefix);
    for (unsigned i = 0; i < chunk->bits && !w->failed; i++) {
        sy_write_hash(w, &chunk->siblings[i]);
    }
    sy_write_bytes32(w, chunk->entries);
}

static void check_entries(struct sy_reader *r, const struct sy_chunk *chunk)
{
    struct sy_delta_reader entries = sy_delta_reader_of(chunk->entries);
    struct sy_delta entry;
    while (sy_delta_next(&entries, &entry)) {
        if (entry.op != SY_DELTA_PUT ||
            !sy_hash_has_prefix(&entry.key, &chunk->prefix, chunk->bits)) {
            sy_reader_fail(r, "chunk.entries");
            return;
        }
    }
    if (entries.in.failed) sy_reader_fail(r, "chunk.entries");
}

bool sy_chunk_decode(struct sy_reader *r, struct sy_chunk *chunk)
{
    memset(chunk, 0, sizeof *chunk);
    chunk->bits = sy_read_u16(r, "chunk.bits");
    if (chunk->bits > SY_TRIE_DEPTH_MAX) sy_reader_fail(r, "chunk.bits");
    sy_read_hash(r, &chunk->prefix, "chunk.prefix");
    if (r->failed) return false;
    struct sy_hash prefix;
    sy_hash_prefix(&prefix, &chunk->prefix, chunk->bits);
    if (!sy_hash_equal(&prefix, &chunk->prefix)) sy_reader_fail(r, "chunk.prefix");
    for (unsigned i = 0; i < chunk->bits && !r->failed; i++) {
        sy_read_hash(r, &chunk->siblings[i], "chunk.siblings");
    }
    chunk->entries = sy_read_bytes32(r, SY_CHUNK_ENTRIES_BYTES_MAX, "chunk.entries");
    if (!r->failed) check_entries(r, chunk);
    return !r->failed;
}

bool sy_chunk_next(struct sy_hash *next, const struct sy_chunk *chunk)
{
    *next = chunk->prefix;
    for (unsigned bit = chunk->bits; bit-- > 0;) {
        uint8_t mask = (uint8_t)(0x80u >> bit % 8);
        next->bytes[bit / 8] ^= mask;
        if (next->bytes[bit / 8] & mask) return true;
    }
    return false;
}
