/* import_window.c: slots, two indexes over them, and one row a key that has undecided nonces. A
 * key's row holds its lowest undecided nonce and which of the ones above it are decided. */
#include "core/client/import_window.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"

struct key_row {
    uint64_t lowest;  /* undecided */
    uint64_t highest; /* signed */
    uint32_t undecided;
    uint64_t decided[SY_IMPORT_NONCES_AHEAD / 64 + 1]; /* bit i: lowest + i */
};

#define KEY_BITS ((uint64_t)64 * (SY_IMPORT_NONCES_AHEAD / 64 + 1))

/* --- opening --------------------------------------------------------------------------------- */

static size_t arena_bytes(uint32_t capacity)
{
    // Tables keep a quarter free and round up to a power of two, twice what is asked at worst.
    size_t slots = (size_t)capacity * 4 + 64;
    size_t row =
        2 * (sizeof(struct sy_hash) + 16) + sizeof(struct sy_hash) + sizeof(struct key_row);
    return slots * (row + 8) + (size_t)capacity * sizeof(struct sy_pending) + (1u << 16);
}

sy_status sy_window_open(struct sy_import_window *window, uint32_t capacity, struct sy_error *err)
{
    uint64_t seed[2];
    memset(window, 0, sizeof *window);
    sy_os_random(seed, sizeof seed);
    sy_status status = sy_arena_open(&window->arena, arena_bytes(capacity));
    if (status == SY_OK) status = sy_table_init(&window->by_id, &window->arena, capacity, 4, seed);
    if (status == SY_OK) status = sy_table_init(&window->by_seq, &window->arena, capacity, 4, seed);
    if (status == SY_OK) {
        status =
            sy_table_init(&window->keys, &window->arena, capacity, sizeof(struct key_row), seed);
    }
    window->slots = status == SY_OK ? SY_CARVE(&window->arena, struct sy_pending, capacity) : NULL;
    if (window->slots == NULL) {
        sy_arena_close(&window->arena);
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the importer's window");
    }
    window->capacity = capacity;
    window->free_edge = window->ready_first = window->ready_last = SY_WINDOW_NONE;
    window->earliest_ms = INT64_MAX;
    for (uint32_t i = 0; i < capacity; i++) {
        window->slots[i].next_ready = i + 1 < capacity ? i + 1 : SY_WINDOW_NONE;
    }
    return SY_OK;
}

void sy_window_close(struct sy_import_window *window)
{
    for (uint32_t i = 0; i < window->capacity; i++) free(window->slots[i].tx);
    free(window->edges);
    sy_arena_close(&window->arena);
    memset(window, 0, sizeof *window);
}

bool sy_window_full(const struct sy_import_window *window)
{
    return window->count == window->capacity ||
           (window->count > 0 && window->bytes >= SY_IMPORT_WINDOW_BYTES_MAX);
}

/* --- finding --------------------------------------------------------------------------------- */

static struct sy_hash seq_key(uint64_t seq)
{
    struct sy_hash key = {{0}};
    sy_store_u64(key.bytes, seq);
    return key;
}

static struct sy_hash public_key_key(const struct sy_public_key *key)
{
    struct sy_hash out;
    memcpy(out.bytes, key->bytes, sizeof out.bytes);
    return out;
}

static struct sy_pending *at_slot(const struct sy_import_window *window, const uint32_t *slot)
{
    return slot == NULL ? NULL : &window->slots[*slot];
}

struct sy_pending *sy_window_find_id(const struct sy_import_window *window,
                                     const struct sy_hash *tx_id)
{
    return at_slot(window, sy_table_find(&window->by_id, tx_id));
}

struct sy_pending *sy_window_find_seq(const struct sy_import_window *window, uint64_t seq)
{
    struct sy_hash key = seq_key(seq);
    return seq == 0 ? NULL : at_slot(window, sy_table_find(&window->by_seq, &key));
}

struct sy_pending *sy_window_next(const struct sy_import_window *window, uint32_t *slot)
{
    while (*slot < window->capacity) {
        struct sy_pending *pending = &window->slots[(*slot)++];
        if (pending->seq != 0) return pending;
    }
    return NULL;
}

/* --- nonces ---------------------------------------------------------------------------------- */

bool sy_window_may_sign(const struct sy_import_window *window, const struct sy_public_key *key,
                        uint64_t nonce)
{
    struct sy_hash name = public_key_key(key);
    const struct key_row *row = sy_table_find(&window->keys, &name);
    return row == NULL || nonce <= row->lowest + SY_IMPORT_NONCES_AHEAD;
}

static bool is_decided(const struct key_row *row, uint64_t bit)
{
    return (row->decided[bit / 64] >> (bit % 64) & 1) != 0;
}

/* A row's bits start at its lowest undecided nonce: moves them down as that one rises. */
static void shift_row(struct key_row *row, uint64_t by)
{
    size_t words = sizeof row->decided / sizeof row->decided[0];
    size_t whole = (size_t)(by / 64);
    unsigned part = (unsigned)(by % 64);
    for (size_t i = 0; i < words; i++) {
        uint64_t low = i + whole < words ? row->decided[i + whole] : 0;
        uint64_t high = i + whole + 1 < words ? row->decided[i + whole + 1] : 0;
        row->decided[i] = part == 0 ? low : low >> part | high << (64 - part);
    }
    row->lowest += by;
}

/* Undecided transactions of a key come in ascending order of nonces, gaps between them count as
 * decided: they were decided before this process began, or never signed. False: the nonces lie
 * further apart than any that were signed by the rule. */
static bool begin_nonce(struct sy_import_window *window, const struct sy_public_key *key,
                        uint64_t nonce)
{
    struct sy_hash name = public_key_key(key);
    bool is_new;
    struct key_row *row = sy_table_put(&window->keys, &name, &is_new);
    SY_ASSERT(row != NULL);
    if (is_new) {
        row->lowest = nonce;
        row->highest = nonce;
    }
    if (nonce < row->lowest) {
        // Taken up from an earlier run out of order: make room below.
        uint64_t by = row->lowest - nonce;
        if (by >= KEY_BITS || row->highest - nonce >= KEY_BITS) return false;
        for (uint64_t bit = KEY_BITS; bit-- > 0;) {
            bool set = bit >= by ? is_decided(row, bit - by) : true;
            uint64_t mask = 1ull << (bit % 64);
            row->decided[bit / 64] = (row->decided[bit / 64] & ~mask) | (set ? mask : 0);
        }
        row->lowest = nonce;
    }
    if (nonce - row->lowest >= KEY_BITS) return false;
    for (uint64_t gap = row->highest + 1; gap < nonce; gap++) {
        row->decided[(gap - row->lowest) / 64] |= 1ull << ((gap - row->lowest) % 64);
    }
    row->decided[(nonce - row->lowest) / 64] &= ~(1ull << ((nonce - row->lowest) % 64));
    if (nonce > row->highest) row->highest = nonce;
    row->undecided++;
    return true;
}

static void end_nonce(struct sy_import_window *window, const struct sy_public_key *key,
                      uint64_t nonce)
{
    struct sy_hash name = public_key_key(key);
    struct key_row *row = sy_table_find(&window->keys, &name);
    SY_ASSERT(row != NULL && row->undecided > 0 && nonce >= row->lowest);
    uint64_t bit = nonce - row->lowest;
    row->decided[bit / 64] |= 1ull << (bit % 64);
    if (--row->undecided == 0) {
        (void)sy_table_remove(&window->keys, &name);
        return;
    }
    uint64_t rise = 0;
    while (rise < KEY_BITS && is_decided(row, rise)) rise++;
    shift_row(row, rise);
}

/* --- who waits for whom ---------------------------------------------------------------------- */

static bool grow_edges(struct sy_import_window *window)
{
    uint32_t capacity = window->edge_capacity == 0 ? 4096 : window->edge_capacity * 2;
    struct sy_pending_edge *edges = realloc(window->edges, capacity * sizeof *edges);
    if (edges == NULL) return false;
    window->edges = edges;
    window->edge_capacity = capacity;
    return true;
}

static bool add_edge(struct sy_import_window *window, struct sy_pending *from, uint32_t slot,
                     uint64_t seq)
{
    uint32_t edge = window->free_edge;
    if (edge != SY_WINDOW_NONE) {
        window->free_edge = window->edges[edge].next;
    } else {
        if (window->edge_count == window->edge_capacity && !grow_edges(window)) return false;
        edge = window->edge_count++;
    }
    window->edges[edge] = (struct sy_pending_edge){seq, slot, from->first_edge};
    from->first_edge = edge;
    return true;
}

static void drop_edges(struct sy_import_window *window, struct sy_pending *pending, bool release)
{
    for (uint32_t edge = pending->first_edge; edge != SY_WINDOW_NONE;) {
        uint32_t next = window->edges[edge].next;
        struct sy_pending *waiting = &window->slots[window->edges[edge].slot];
        if (release && waiting->seq == window->edges[edge].seq) {
            SY_ASSERT(waiting->waits > 0);
            if (--waiting->waits == 0 && waiting->state == SY_PENDING_WAITING) {
                sy_window_make_ready(window, waiting);
            }
        }
        window->edges[edge].next = window->free_edge;
        window->free_edge = edge;
        edge = next;
    }
    pending->first_edge = SY_WINDOW_NONE;
}

uint64_t sy_window_dependent(const struct sy_import_window *window,
                             const struct sy_pending *pending, uint32_t position)
{
    uint32_t edge = pending->first_edge;
    while (edge != SY_WINDOW_NONE && position > 0) {
        edge = window->edges[edge].next;
        position--;
    }
    return edge == SY_WINDOW_NONE ? 0 : window->edges[edge].seq;
}

/* --- adding and removing --------------------------------------------------------------------- */

static bool copy_tx(struct sy_import_window *window, struct sy_pending *pending, struct sy_slice tx)
{
    uint8_t *copy = malloc(tx.size);
    if (copy == NULL) return false;
    memcpy(copy, tx.data, tx.size);
    window->bytes = window->bytes - pending->tx_bytes + tx.size;
    free(pending->tx);
    pending->tx = copy;
    pending->tx_bytes = (uint32_t)tx.size;
    return true;
}

static void fill_pending(struct sy_pending *pending, const struct sy_window_add *add)
{
    pending->seq = add->seq;
    pending->tx_id = add->tx_id;
    pending->signer = add->signer;
    pending->nonce = add->nonce;
    pending->valid_until_ms = add->valid_until_ms;
    pending->again = add->again;
}

static bool index_pending(struct sy_import_window *window, const struct sy_pending *pending)
{
    uint32_t *slot = sy_table_put(&window->by_id, &pending->tx_id, NULL);
    SY_ASSERT(slot != NULL);
    *slot = (uint32_t)(pending - window->slots);
    if (pending->valid_until_ms < window->earliest_ms) {
        window->earliest_ms = pending->valid_until_ms;
    }
    return begin_nonce(window, &pending->signer, pending->nonce);
}

static sy_status fail_nonces(struct sy_error *err)
{
    return sy_fail(
        err, SY_ERR_CORRUPT,
        "the client store's nonces of a key lie too far apart; restore it from a backup");
}

sy_status sy_window_add(struct sy_import_window *window, const struct sy_window_add *add,
                        struct sy_error *err)
{
    SY_ASSERT(window->count < window->capacity && sy_window_find_seq(window, add->seq) == NULL);
    uint32_t slot = window->free_slot;
    struct sy_pending *pending = &window->slots[slot];
    uint32_t next_free = pending->next_ready;
    memset(pending, 0, sizeof *pending);
    pending->first_edge = SY_WINDOW_NONE;
    pending->next_ready = next_free;
    if (!copy_tx(window, pending, add->tx)) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the importer's window");
    }
    for (size_t i = 0; i + 8 <= add->after.size; i += 8) {
        struct sy_pending *before = sy_window_find_seq(window, sy_load_u64(add->after.data + i));
        if (before == NULL) continue;
        if (!add_edge(window, before, slot, add->seq)) {
            return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the importer's window");
        }
        pending->waits++;
    }
    window->free_slot = next_free;
    window->count++;
    fill_pending(pending, add);
    struct sy_hash key = seq_key(add->seq);
    uint32_t *found = sy_table_put(&window->by_seq, &key, NULL);
    SY_ASSERT(found != NULL);
    *found = slot;
    pending->state = SY_PENDING_WAITING;
    if (!index_pending(window, pending)) return fail_nonces(err);
    if (pending->waits == 0) sy_window_make_ready(window, pending);
    return SY_OK;
}

/* Takes an entry out of the list of ready ones, where it may stand anywhere. */
static void unlink_ready(struct sy_import_window *window, const struct sy_pending *pending)
{
    uint32_t slot = (uint32_t)(pending - window->slots);
    uint32_t before = SY_WINDOW_NONE;
    for (uint32_t at = window->ready_first; at != SY_WINDOW_NONE;
         before = at, at = window->slots[at].next_ready) {
        if (at != slot) continue;
        uint32_t next = pending->next_ready;
        if (before == SY_WINDOW_NONE) {
            window->ready_first = next;
        } else {
            window->slots[before].next_ready = next;
        }
        if (window->ready_last == slot) window->ready_last = before;
        return;
    }
}

void sy_window_remove(struct sy_import_window *window, struct sy_pending *pending, bool release)
{
    struct sy_hash key = seq_key(pending->seq);
    uint32_t slot = (uint32_t)(pending - window->slots);
    if (pending->state == SY_PENDING_READY) unlink_ready(window, pending);
    drop_edges(window, pending, release);
    end_nonce(window, &pending->signer, pending->nonce);
    (void)sy_table_remove(&window->by_id, &pending->tx_id);
    (void)sy_table_remove(&window->by_seq, &key);
    window->bytes -= pending->tx_bytes;
    window->count--;
    free(pending->tx);
    memset(pending, 0, sizeof *pending);
    pending->next_ready = window->free_slot;
    window->free_slot = slot;
}

sy_status sy_window_replace(struct sy_import_window *window, struct sy_pending *pending,
                            uint8_t **old, const struct sy_window_add *add, struct sy_error *err)
{
    SY_ASSERT(add->seq == pending->seq && pending->state != SY_PENDING_READY);
    *old = pending->borrowed ? pending->tx : NULL;
    if (pending->borrowed) pending->tx = NULL;
    pending->borrowed = false;
    if (!copy_tx(window, pending, add->tx)) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the importer's window");
    }
    end_nonce(window, &pending->signer, pending->nonce);
    (void)sy_table_remove(&window->by_id, &pending->tx_id);
    fill_pending(pending, add);
    pending->received = false;
    pending->tries = 0;
    pending->ask_after_ms = 0;
    pending->code = 0;
    return index_pending(window, pending) ? SY_OK : fail_nonces(err);
}

/* --- ready ----------------------------------------------------------------------------------- */

void sy_window_make_ready(struct sy_import_window *window, struct sy_pending *pending)
{
    SY_ASSERT(pending->waits == 0 && pending->state != SY_PENDING_READY);
    uint32_t slot = (uint32_t)(pending - window->slots);
    pending->state = SY_PENDING_READY;
    pending->next_ready = SY_WINDOW_NONE;
    if (window->ready_last == SY_WINDOW_NONE) {
        window->ready_first = slot;
    } else {
        window->slots[window->ready_last].next_ready = slot;
    }
    window->ready_last = slot;
}

struct sy_pending *sy_window_peek_ready(const struct sy_import_window *window)
{
    return window->ready_first == SY_WINDOW_NONE ? NULL : &window->slots[window->ready_first];
}

void sy_window_take_ready(struct sy_import_window *window)
{
    SY_ASSERT(window->ready_first != SY_WINDOW_NONE);
    struct sy_pending *pending = &window->slots[window->ready_first];
    window->ready_first = pending->next_ready;
    if (window->ready_first == SY_WINDOW_NONE) window->ready_last = SY_WINDOW_NONE;
    pending->state = SY_PENDING_OUT;
    pending->borrowed = true;
}
