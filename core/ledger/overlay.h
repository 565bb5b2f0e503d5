/* overlay.h: a block's writes over the source, transaction by transaction (internal to
 * core/ledger).
 *
 *     sy_overlay_clear          a new block
 *       sy_overlay_put, remove  writes that stay whatever comes (nonces, counters)
 *       sy_overlay_mark         a transaction's contracts begin
 *         sy_overlay_get, put, remove
 *       sy_overlay_rollback     ... refused: as if they had never run
 *       sy_overlay_mark         the next one
 *
 * Writes lie in one dense array in the order in which keys were first written, found through a
 * table of indices. A mark remembers how long the array was; a write to an older entry puts its
 * former value into a journal, once a transaction. Rolling back cuts the array and plays the
 * journal backwards; cutting in reverse order of insertion is also what makes open addressing
 * without tombstones safe.
 *
 * What is read from the source is kept in a second, smaller cache (absence included) until
 * sy_overlay_relax finds it nearly full, so that a gateway's credential is read once a block and
 * not once a transaction. */
#ifndef SY_LEDGER_OVERLAY_H
#define SY_LEDGER_OVERLAY_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/ledger/source.h"

struct sy_overlay_entry {
    struct sy_hash key_hash;
    const uint8_t *data;
    uint32_t size;
    uint32_t room;    /* bytes reserved at data; only this transaction's own may be overwritten */
    uint32_t stamp;   /* the mark under which it was last journalled or made */
    bool present;     /* false: removed, or (cache) absent */
    bool was_present; /* in the source */
};

/* A dense array of entries and the table of indices into it. The table uses as many of its slots as
 * the entries need, so that a small block stays in the processor's caches. */
struct sy_overlay_map {
    struct sy_overlay_entry *entries;
    uint32_t *slots;   /* index + 1; 0: free; those beyond slot_count are 0 */
    size_t slot_count; /* in use: a power of two */
    size_t slot_room;
    size_t capacity;
    size_t count;
};

struct sy_overlay_undo {
    uint32_t index;
    uint32_t size;
    uint32_t room;
    uint32_t stamp;
    const uint8_t *data;
    bool present;
};

struct sy_overlay_limits {
    size_t writes_max;      /* keys a block may write */
    size_t value_bytes_max; /* bytes of values a block may write, former ones included */
};

typedef struct sy_overlay {
    const struct sy_state_source *source;
    struct sy_overlay_map writes;
    struct sy_overlay_map reads;
    uint8_t *values;
    size_t values_used, values_max;
    uint8_t *read_values;
    size_t read_values_used;
    struct sy_overlay_undo *undo;
    size_t undo_count;
    uint64_t seed[2];
    uint32_t stamp;
    size_t mark_writes, mark_values;
} sy_overlay;

/* What one payload may read and write at most before sy_overlay_relax is called again: entries and
 * bytes of their values. The most is a custody.receive of 32 containers with 32 lots each, of each
 * of which it looks at six entries and writes four, and a recall that tells 512 patients, each of
 * whom is found through as many ids as may be merged. Contracts whose payloads can be long assert
 * that they stay within it. */
#define SY_OVERLAY_READS_BETWEEN 8192u
#define SY_OVERLAY_READ_BYTES_BETWEEN (8u << 20)
#define SY_OVERLAY_WRITES_BETWEEN 8192u
#define SY_OVERLAY_WRITE_BYTES_BETWEEN (4u << 20)

/* sy_overlay_footprint is what sy_overlay_init carves at most. */
size_t sy_overlay_footprint(const struct sy_overlay_limits *limits);
sy_status sy_overlay_init(sy_overlay *overlay, sy_arena *arena,
                          const struct sy_overlay_limits *limits,
                          const struct sy_state_source *source);

/* sy_overlay_clear forgets all writes and all that was read. */
void sy_overlay_clear(sy_overlay *overlay);

/* sy_overlay_relax makes room in the read cache. Values that came from the source before are no
 * longer valid; written ones are. */
void sy_overlay_relax(sy_overlay *overlay);

void sy_overlay_mark(sy_overlay *overlay);
void sy_overlay_rollback(sy_overlay *overlay);

/* sy_overlay_has_room: what one payload may write at most still fits into the block.
 * sy_overlay_wrote is how many keys were written since the mark, and with how many bytes of values
 * (former lengths of the same value included). */
bool sy_overlay_has_room(const sy_overlay *overlay);
void sy_overlay_wrote(const sy_overlay *overlay, size_t *keys, size_t *value_bytes);

/* sy_overlay_get finds a value: a write of this block, else the source's. SY_ERR_NOT_FOUND:
 * absent or removed. *value stands until the same key is written, rolled back, or relaxed. */
sy_status sy_overlay_get(sy_overlay *overlay, struct sy_slice *value,
                         const struct sy_hash *key_hash);

/* sy_overlay_put writes a value, copied; it may not lie in the overlay. SY_ERR_LIMIT: the block
 * wrote more than the limits allow. Both may return the source's failures. */
sy_status sy_overlay_put(sy_overlay *overlay, const struct sy_hash *key_hash,
                         struct sy_slice value);
sy_status sy_overlay_remove(sy_overlay *overlay, const struct sy_hash *key_hash);

/* sy_overlay_written lists the keys written since the mark: at most max, ascending; returns how
 * many there are. */
size_t sy_overlay_written(const sy_overlay *overlay, struct sy_hash *keys, size_t max);

/* sy_overlay_sort fills order with the entries that change the source, ascending by key hash, and
 * returns how many. order has room for writes.count. */
size_t sy_overlay_sort(const sy_overlay *overlay, const struct sy_overlay_entry **order);

#endif
