/* Runs of tx positions: writing, merging, looking up. See lmdb_index.h for the layout. */
#include "core/store/lmdb_index.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/store/lmdb_store.h"
#include "core/store/sum.h"

#define ENTRY SY_TX_ENTRY_BYTES
#define LEAF_ENTRIES 200u
#define LEAF_BYTES (SY_SUM_BYTES + LEAF_ENTRIES * ENTRY)
#define CHUNK_LEAVES 16u
#define CHUNK_ENTRIES (LEAF_ENTRIES * CHUNK_LEAVES)
#define CHUNK_BYTES (LEAF_BYTES * CHUNK_LEAVES)
#define DIRECTORY_SEED 0x6469726563746f72u
#define RUN_BYTES 28u
#define DIRECTORY_BYTES_MAX \
    (12 + SY_TX_RUNS_MAX * RUN_BYTES + 4 + SY_TX_TIERS * (4 + 16 + SY_TX_FAN * 16))
#define PRUNE_CHUNKS 512u    /* dropped in one transaction */
#define WHOLE_SLOTS 0x10000u /* leaves of 13 million transactions */

_Static_assert(CHUNK_BYTES <= 65520, "a chunk fills at most sixteen pages");
_Static_assert(SY_TX_RUNS_MAX > 2 * SY_TX_TIERS * SY_TX_FAN, "merges keep the runs few");

/* ---- opening ---------------------------------------------------------------------------- */

sy_status sy_tx_index_open(struct sy_tx_index *index, uint32_t recent_max)
{
    *index = (struct sy_tx_index){.recent_max = recent_max};
    int failed = pthread_rwlock_init(&index->lock, NULL);
    SY_ASSERT(!failed);
    sy_os_random(&index->seed, sizeof index->seed);
    index->slot_count = 64;
    while (index->slot_count < 2 * (size_t)recent_max) index->slot_count *= 2;
    index->slots = (uint32_t *)calloc(index->slot_count, sizeof *index->slots);
    index->scratch = (uint8_t *)malloc((size_t)recent_max * ENTRY);
    index->chunk = (uint8_t *)malloc(CHUNK_BYTES);
    index->whole = (_Atomic uint64_t *)calloc(WHOLE_SLOTS, sizeof *index->whole);
    bool all = index->slots && index->scratch && index->chunk && index->whole;
    return all ? SY_OK : SY_ERR_NO_MEMORY;
}

void sy_tx_index_close(struct sy_tx_index *index)
{
    if (index->recent_max == 0) return;
    free(index->slots);
    free(index->scratch);
    free(index->chunk);
    free(index->whole);
    free(index->entries);
    int failed = pthread_rwlock_destroy(&index->lock);
    SY_ASSERT(!failed);
    *index = (struct sy_tx_index){0};
}

/* ---- the trees -------------------------------------------------------------------------- */

// Two environments have an index each: of transactions, and of notices.
static MDB_dbi runs_of(const struct sy_lmdb_env *env)
{
    return env->trees[env->which == SY_ENV_NOTICES ? SY_TREE_NOTICE_RUNS : SY_TREE_RUNS];
}

static MDB_dbi directory_of(const struct sy_lmdb_env *env)
{
    return env->trees[env->which == SY_ENV_NOTICES ? SY_TREE_NOTICE_DIRECTORY : SY_TREE_DIRECTORY];
}

/* ---- the directory ---------------------------------------------------------------------- */

static MDB_val directory_key(void)
{
    return sy_lmdb_val("directory", 9);
}

static size_t pack_merge(uint8_t *p, uint32_t tier, const struct sy_tx_merge *merge)
{
    sy_store_u32(p, tier);
    sy_store_u64(p + 4, merge->out_id);
    sy_store_u64(p + 12, merge->out_entries);
    for (unsigned i = 0; i < SY_TX_FAN; i++) {
        sy_store_u64(p + 20 + 16 * i, merge->source[i]);
        sy_store_u64(p + 28 + 16 * i, merge->at[i]);
    }
    return 20 + 16 * SY_TX_FAN;
}

static int put_directory(struct sy_lmdb_env *env, MDB_txn *txn,
                         const struct sy_tx_directory *directory)
{
    uint8_t packed[DIRECTORY_BYTES_MAX];
    size_t used = 12;
    sy_store_u64(packed, directory->next_id);
    sy_store_u32(packed + 8, directory->run_count);
    for (uint32_t i = 0; i < directory->run_count; i++, used += RUN_BYTES) {
        sy_store_u64(packed + used, directory->runs[i].id);
        sy_store_u64(packed + used + 8, directory->runs[i].entries);
        sy_store_u64(packed + used + 16, directory->runs[i].last);
        sy_store_u32(packed + used + 24, directory->runs[i].tier);
    }
    for (uint32_t tier = 0; tier < SY_TX_TIERS; tier++) {
        const struct sy_tx_merge *merge = &directory->merges[tier];
        if (merge->active) used += pack_merge(packed + used, tier, merge);
    }
    MDB_val key = directory_key();
    return sy_lmdb_put_summed(txn, directory_of(env), &key, DIRECTORY_SEED,
                              sy_slice_of(packed, used), 0);
}

// What lies behind the counts is left as it is: a lookup clears no ten kilobytes.
static void clear_directory(struct sy_tx_directory *directory)
{
    directory->next_id = 0;
    directory->run_count = 0;
    for (uint32_t tier = 0; tier < SY_TX_TIERS; tier++) directory->merges[tier].active = false;
}

static bool unpack_directory(struct sy_tx_directory *directory, struct sy_slice packed)
{
    const size_t merge_bytes = 20 + 16 * SY_TX_FAN;
    clear_directory(directory);
    if (packed.size < 12) return false;
    directory->next_id = sy_load_u64(packed.data);
    directory->run_count = sy_load_u32(packed.data + 8);
    if (directory->run_count > SY_TX_RUNS_MAX) return false;
    size_t used = 12;
    if (packed.size < used + directory->run_count * (size_t)RUN_BYTES) return false;
    for (uint32_t i = 0; i < directory->run_count; i++, used += RUN_BYTES) {
        struct sy_tx_run *run = &directory->runs[i];
        run->id = sy_load_u64(packed.data + used);
        run->entries = sy_load_u64(packed.data + used + 8);
        run->last = sy_load_u64(packed.data + used + 16);
        run->tier = sy_load_u32(packed.data + used + 24);
        if (run->tier >= SY_TX_TIERS) return false;
    }
    for (; packed.size - used >= merge_bytes; used += merge_bytes) {
        const uint8_t *p = packed.data + used;
        if (sy_load_u32(p) >= SY_TX_TIERS) return false;
        struct sy_tx_merge *merge = &directory->merges[sy_load_u32(p)];
        merge->active = true;
        merge->out_id = sy_load_u64(p + 4);
        merge->out_entries = sy_load_u64(p + 12);
        for (unsigned i = 0; i < SY_TX_FAN; i++) {
            merge->source[i] = sy_load_u64(p + 20 + 16 * i);
            merge->at[i] = sy_load_u64(p + 28 + 16 * i);
        }
    }
    return used == packed.size;
}

static sy_status get_directory(struct sy_lmdb_env *env, MDB_txn *txn,
                               struct sy_tx_directory *directory)
{
    MDB_val key = directory_key();
    MDB_val stored;
    struct sy_slice packed;
    int rc = mdb_get(txn, directory_of(env), &key, &stored);
    if (rc == MDB_NOTFOUND) {
        clear_directory(directory);
        return SY_OK;
    }
    if (rc) return sy_lmdb_status(rc);
    bool whole =
        sy_lmdb_unpack(&packed, &stored, DIRECTORY_SEED) && unpack_directory(directory, packed);
    return whole ? SY_OK : SY_ERR_CORRUPT;
}

sy_status sy_tx_index_load(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn)
{
    return get_directory(env, txn, &index->directory);
}

/* ---- chunks and leaves ------------------------------------------------------------------ */

static void chunk_key(uint8_t out[12], uint64_t run, uint64_t chunk)
{
    uint8_t chunk_be[8];
    sy_store_u64_be(out, run);
    sy_store_u64_be(chunk_be, chunk);
    memcpy(out + 8, chunk_be + 4, 4);
}

static uint64_t leaf_seed(uint64_t run, uint64_t leaf)
{
    return run << 32 ^ leaf;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int put_chunk(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t run, uint64_t chunk,
                     const uint8_t *packed, size_t size)
{
    uint8_t packed_key[12];
    chunk_key(packed_key, run, chunk);
    MDB_val key = sy_lmdb_val(packed_key, 12);
    MDB_val value = sy_lmdb_val(packed, size);
    return mdb_put(txn, runs_of(env), &key, &value, 0);
}

// Closes a leaf of `count` entries that lie behind the room for its sum. Returns its size.
static size_t seal_leaf(uint8_t *leaf, size_t count, uint64_t run, uint64_t number)
{
    sy_store_u64(leaf, sy_sum(leaf_seed(run, number), leaf + SY_SUM_BYTES, count * ENTRY));
    return SY_SUM_BYTES + count * ENTRY;
}

static int put_run(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn, uint64_t run,
                   const uint8_t *sorted, size_t count)
{
    for (size_t at = 0; at < count; at += CHUNK_ENTRIES) {
        size_t end = least(count, at + CHUNK_ENTRIES);
        uint8_t *p = index->chunk;
        for (size_t from = at; from < end; from += LEAF_ENTRIES) {
            size_t entries = least(end - from, LEAF_ENTRIES);
            memcpy(p + SY_SUM_BYTES, sorted + from * ENTRY, entries * ENTRY);
            p += seal_leaf(p, entries, run, from / LEAF_ENTRIES);
        }
        int rc =
            put_chunk(env, txn, run, at / CHUNK_ENTRIES, index->chunk, (size_t)(p - index->chunk));
        if (rc) return rc;
    }
    return MDB_SUCCESS;
}

// Reads a run's leaves while nothing is written: the next one mostly lies in the same chunk.
struct run_reader {
    struct sy_lmdb_env *env;
    MDB_txn *txn;
    const struct sy_tx_run *run;
    uint64_t number; // of the chunk
    MDB_val chunk;   // mv_data NULL: none yet
};

// Finds a leaf's entries inside the transaction: an LMDB code.
static int leaf_at(struct run_reader *reader, const uint8_t **leaf, size_t *count, uint64_t number)
{
    const struct sy_tx_run *run = reader->run;
    if (!reader->chunk.mv_data || reader->number != number / CHUNK_LEAVES) {
        uint8_t packed_key[12];
        reader->number = number / CHUNK_LEAVES;
        chunk_key(packed_key, run->id, reader->number);
        MDB_val key = sy_lmdb_val(packed_key, 12);
        int rc = mdb_get(reader->txn, runs_of(reader->env), &key, &reader->chunk);
        if (rc) return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
    }
    *count = least((size_t)(run->entries - number * LEAF_ENTRIES), LEAF_ENTRIES);
    size_t offset = (size_t)(number % CHUNK_LEAVES) * LEAF_BYTES;
    if (reader->chunk.mv_size < offset + SY_SUM_BYTES + *count * ENTRY) return MDB_CORRUPTED;
    *leaf = (const uint8_t *)reader->chunk.mv_data + offset;
    return MDB_SUCCESS;
}

static bool leaf_is_whole(const uint8_t *leaf, size_t count, const struct sy_tx_run *run,
                          uint64_t number)
{
    return sy_load_u64(leaf) ==
           sy_sum(leaf_seed(run->id, number), leaf + SY_SUM_BYTES, count * ENTRY);
}

/* ---- merging ---------------------------------------------------------------------------- */

static const struct sy_tx_run *find_run(const struct sy_tx_directory *directory, uint64_t id)
{
    for (uint32_t i = 0; i < directory->run_count; i++) {
        if (directory->runs[i].id == id) return &directory->runs[i];
    }
    return NULL;
}

static void start_merges(struct sy_tx_directory *directory)
{
    for (uint32_t tier = 0; tier + 1 < SY_TX_TIERS; tier++) {
        struct sy_tx_merge *merge = &directory->merges[tier];
        if (merge->active) continue;
        struct sy_tx_merge fresh = {.active = true};
        unsigned found = 0;
        for (uint32_t i = 0; i < directory->run_count && found < SY_TX_FAN; i++) {
            if (directory->runs[i].tier == tier) fresh.source[found++] = directory->runs[i].id;
        }
        if (found < SY_TX_FAN) continue;
        fresh.out_id = directory->next_id++;
        *merge = fresh;
    }
}

// One source of a merge step: the leaf under its place.
struct source {
    const struct sy_tx_run *run;
    uint64_t at;
    const uint8_t *leaf;
    size_t leaf_count;
};

static int open_leaf(struct sy_lmdb_env *env, MDB_txn *txn, struct source *source)
{
    if (source->at >= source->run->entries) return MDB_SUCCESS;
    uint64_t number = source->at / LEAF_ENTRIES;
    struct run_reader reader = {.env = env, .txn = txn, .run = source->run};
    int rc = leaf_at(&reader, &source->leaf, &source->leaf_count, number);
    if (rc) return rc;
    bool whole = leaf_is_whole(source->leaf, source->leaf_count, source->run, number);
    return whole ? MDB_SUCCESS : MDB_CORRUPTED;
}

static const uint8_t *source_entry(const struct source *source)
{
    if (source->at >= source->run->entries) return NULL;
    return source->leaf + SY_SUM_BYTES + source->at % LEAF_ENTRIES * ENTRY;
}

// The source with the smallest entry, or NULL when all are used up.
static struct source *smallest(struct source sources[SY_TX_FAN])
{
    struct source *best = NULL;
    for (unsigned i = 0; i < SY_TX_FAN; i++) {
        const uint8_t *entry = source_entry(&sources[i]);
        if (!entry) continue;
        if (!best || memcmp(entry, source_entry(best), ENTRY) < 0) best = &sources[i];
    }
    return best;
}

// Fills index->chunk with the next entries of the merge. *count: how many.
static int fill_chunk(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                      struct source sources[SY_TX_FAN], const struct sy_tx_merge *merge,
                      size_t *count, size_t *size)
{
    uint8_t *leaf = index->chunk;
    size_t in_leaf = 0;
    uint64_t number = merge->out_entries / LEAF_ENTRIES;
    for (*count = 0; *count < CHUNK_ENTRIES; ++*count) {
        struct source *from = smallest(sources);
        if (!from) break;
        memcpy(leaf + SY_SUM_BYTES + in_leaf * ENTRY, source_entry(from), ENTRY);
        in_leaf++;
        from->at++;
        if (from->at % LEAF_ENTRIES == 0) {
            int rc = open_leaf(env, txn, from);
            if (rc) return rc;
        }
        if (in_leaf == LEAF_ENTRIES) {
            leaf += seal_leaf(leaf, in_leaf, merge->out_id, number++);
            in_leaf = 0;
        }
    }
    if (in_leaf > 0) leaf += seal_leaf(leaf, in_leaf, merge->out_id, number);
    *size = (size_t)(leaf - index->chunk);
    return MDB_SUCCESS;
}

// Deletes the last chunks_max chunks of a run, and with its first the run.
static int shorten_run(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_tx_directory *directory,
                       uint32_t place, uint64_t chunks_max)
{
    struct sy_tx_run *run = &directory->runs[place];
    for (; run->entries > 0 && chunks_max > 0; chunks_max--) {
        uint64_t chunk = (run->entries - 1) / CHUNK_ENTRIES;
        uint8_t packed_key[12];
        chunk_key(packed_key, run->id, chunk);
        MDB_val key = sy_lmdb_val(packed_key, 12);
        int rc = mdb_del(txn, runs_of(env), &key, NULL);
        if (rc) return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
        run->entries = chunk * CHUNK_ENTRIES;
    }
    if (run->entries > 0) return MDB_SUCCESS;
    directory->run_count--;
    for (uint32_t i = place; i < directory->run_count; i++) {
        directory->runs[i] = directory->runs[i + 1];
    }
    return MDB_SUCCESS;
}

static int delete_run(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_tx_directory *directory,
                      uint64_t id)
{
    const struct sy_tx_run *run = find_run(directory, id);
    if (!run) return MDB_CORRUPTED;
    return shorten_run(env, txn, directory, (uint32_t)(run - directory->runs), UINT64_MAX);
}

static int finish_merge(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_tx_directory *directory,
                        uint32_t tier)
{
    struct sy_tx_merge *merge = &directory->merges[tier];
    uint64_t last = 0;
    for (unsigned i = 0; i < SY_TX_FAN; i++) {
        const struct sy_tx_run *source = find_run(directory, merge->source[i]);
        if (source && source->last > last) last = source->last;
        int rc = delete_run(env, txn, directory, merge->source[i]);
        if (rc) return rc;
    }
    struct sy_tx_run out = {merge->out_id, merge->out_entries, last, tier + 1};
    directory->runs[directory->run_count++] = out;
    *merge = (struct sy_tx_merge){0};
    start_merges(directory);
    return MDB_SUCCESS;
}

// Writes the next chunk of one tier's merge; with the last the merge is done.
static int step_merge(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                      uint32_t tier)
{
    struct sy_tx_directory *directory = &index->draft;
    struct sy_tx_merge *merge = &directory->merges[tier];
    struct source sources[SY_TX_FAN] = {0};
    if (!merge->active) return MDB_SUCCESS;
    index->changed = true;
    for (unsigned i = 0; i < SY_TX_FAN; i++) {
        sources[i].run = find_run(directory, merge->source[i]);
        sources[i].at = merge->at[i];
        if (!sources[i].run) return MDB_CORRUPTED;
        int rc = open_leaf(env, txn, &sources[i]);
        if (rc) return rc;
    }
    size_t count = 0;
    size_t size = 0;
    int rc = fill_chunk(index, env, txn, sources, merge, &count, &size);
    bool done = !smallest(sources);
    for (unsigned i = 0; i < SY_TX_FAN; i++) merge->at[i] = sources[i].at;
    if (!rc && count > 0) {
        uint64_t chunk = merge->out_entries / CHUNK_ENTRIES;
        rc = put_chunk(env, txn, merge->out_id, chunk, index->chunk, size);
    }
    if (rc) return rc;
    merge->out_entries += count;
    return done ? finish_merge(env, txn, directory, tier) : MDB_SUCCESS;
}

static int step_merges(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn)
{
    for (uint32_t tier = 0; tier < SY_TX_TIERS; tier++) {
        int rc = step_merge(index, env, txn, tier);
        if (rc) return rc;
    }
    return MDB_SUCCESS;
}

/* ---- writing ---------------------------------------------------------------------------- */

static sy_status make_room(struct sy_tx_index *index, size_t needed)
{
    if (needed >= UINT32_MAX) return SY_ERR_LIMIT;
    if (needed <= index->room) return SY_OK;
    size_t room = 2 * needed + 1024;
    int failed = pthread_rwlock_wrlock(&index->lock);
    uint8_t *moved = (uint8_t *)realloc(index->entries, room * ENTRY);
    if (moved) {
        index->entries = moved;
        index->room = room;
    }
    failed |= pthread_rwlock_unlock(&index->lock);
    SY_ASSERT(!failed);
    return moved ? SY_OK : SY_ERR_NO_MEMORY;
}

static void stage_entry(struct sy_tx_index *index, size_t *staged, uint64_t height,
                        const struct sy_hash *name, uint64_t place)
{
    uint8_t *entry = index->entries + *staged * ENTRY;
    uint8_t place_be[8];
    memcpy(entry, name->bytes, 8);
    sy_store_u64_be(entry + 8, height);
    sy_store_u64_be(place_be, place);
    memcpy(entry + 16, place_be + 4, 4);
    ++*staged;
}

sy_status sy_tx_index_stage(struct sy_tx_index *index, size_t *staged, uint64_t height,
                            const struct sy_hash *tx_ids, size_t tx_count, size_t skip)
{
    if (tx_count <= skip) return SY_OK;
    if (tx_count > UINT32_MAX) return SY_ERR_LIMIT;
    SY_TRY(make_room(index, *staged + tx_count - skip));
    for (size_t i = skip; i < tx_count; i++) stage_entry(index, staged, height, &tx_ids[i], i);
    return SY_OK;
}

sy_status sy_tx_index_add(struct sy_tx_index *index, size_t *staged, uint64_t height,
                          const struct sy_hash *name, uint32_t place)
{
    SY_TRY(make_room(index, *staged + 1));
    stage_entry(index, staged, height, name, place);
    return SY_OK;
}

static int compare_entries(const void *a, const void *b)
{
    return memcmp(a, b, ENTRY);
}

static int write_one_run(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn)
{
    struct sy_tx_directory *draft = &index->draft;
    memcpy(index->scratch, index->entries + index->consumed * ENTRY,
           (size_t)index->recent_max * ENTRY);
    qsort(index->scratch, index->recent_max, ENTRY, compare_entries);
    if (draft->run_count == SY_TX_RUNS_MAX) return MDB_CORRUPTED;
    index->changed = true;
    const uint8_t *newest = index->entries + (index->consumed + index->recent_max - 1) * ENTRY;
    struct sy_tx_run run = {draft->next_id++, index->recent_max, sy_load_u64_be(newest + 8), 0};
    int rc = put_run(index, env, txn, run.id, index->scratch, index->recent_max);
    if (rc) return rc;
    draft->runs[draft->run_count++] = run;
    index->consumed += index->recent_max;
    start_merges(draft);
    return MDB_SUCCESS;
}

int sy_tx_index_write(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                      size_t staged)
{
    index->draft = index->directory;
    index->consumed = 0;
    index->changed = false;
    // Each chunk's worth of new entries, and each new run, pays for one chunk of every merge under
    // way: so a merge ends before the next eight runs of its tier have gathered.
    size_t steps = (staged - index->count + index->unpaid) / CHUNK_ENTRIES + 1;
    int rc = MDB_SUCCESS;
    while (!rc && staged - index->consumed >= index->recent_max) {
        rc = write_one_run(index, env, txn);
        if (!rc) rc = step_merges(index, env, txn);
    }
    for (; !rc && steps > 0; steps--) rc = step_merges(index, env, txn);
    return rc || !index->changed ? rc : put_directory(env, txn, &index->draft);
}

static void insert_slot(struct sy_tx_index *index, size_t place)
{
    uint64_t tag = sy_sum(index->seed, index->entries + place * ENTRY, 8);
    size_t slot = (size_t)tag & (index->slot_count - 1);
    while (index->slots[slot]) slot = (slot + 1) & (index->slot_count - 1);
    index->slots[slot] = (uint32_t)(place + 1);
}

static void grow_slots(struct sy_tx_index *index, size_t count)
{
    size_t wanted = index->slot_count;
    while (wanted < 2 * count) wanted *= 2;
    if (wanted == index->slot_count) return;
    uint32_t *slots = (uint32_t *)calloc(wanted, sizeof *slots);
    // Only a store whose recent_txs was lowered needs more than was made at the start.
    SY_ASSERT(slots);
    free(index->slots);
    index->slots = slots;
    index->slot_count = wanted;
    index->table_count = 0;
}

void sy_tx_index_publish(struct sy_tx_index *index, size_t staged)
{
    int failed = pthread_rwlock_wrlock(&index->lock);
    size_t left = staged - index->consumed;
    if (index->consumed > 0) {
        memmove(index->entries, index->entries + index->consumed * ENTRY, left * ENTRY);
        memset(index->slots, 0, index->slot_count * sizeof *index->slots);
        index->table_count = 0;
    }
    index->directory = index->draft;
    grow_slots(index, left);
    for (size_t i = index->table_count; i < left; i++) insert_slot(index, i);
    index->count = left;
    index->table_count = left;
    index->consumed = 0;
    index->unpaid = 0;
    failed |= pthread_rwlock_unlock(&index->lock);
    SY_ASSERT(!failed);
}

void sy_tx_index_keep(struct sy_tx_index *index, size_t staged)
{
    size_t unpaid = index->unpaid + staged - index->count;
    index->draft = index->directory;
    index->consumed = 0;
    sy_tx_index_publish(index, staged);
    index->unpaid = unpaid;
}

bool sy_tx_index_first(const struct sy_tx_index *index, struct sy_tx_position *first, size_t staged)
{
    if (index->consumed >= staged) return false;
    const uint8_t *entry = index->entries + index->consumed * ENTRY;
    first->height = sy_load_u64_be(entry + 8);
    first->index = (uint32_t)(sy_load_u64_be(entry + 12) & UINT32_MAX);
    return true;
}

/* ---- pruning ---------------------------------------------------------------------------- */

static bool is_merging(const struct sy_tx_directory *directory, uint64_t id)
{
    for (unsigned tier = 0; tier < SY_TX_TIERS; tier++) {
        const struct sy_tx_merge *merge = &directory->merges[tier];
        for (unsigned i = 0; merge->active && i < SY_TX_FAN; i++) {
            if (merge->source[i] == id) return true;
        }
    }
    return false;
}

int sy_tx_index_prune(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                      uint64_t pruned)
{
    struct sy_tx_directory *draft = &index->draft;
    uint64_t chunks_left = PRUNE_CHUNKS;
    *draft = index->directory;
    for (uint32_t i = 0; i < draft->run_count && chunks_left > 0;) {
        const struct sy_tx_run *run = &draft->runs[i];
        uint64_t chunks = (run->entries + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES;
        if (run->last >= pruned || is_merging(draft, run->id)) {
            i++;
            continue;
        }
        int rc = shorten_run(env, txn, draft, i, chunks_left);
        if (rc) return rc;
        chunks_left -= chunks < chunks_left ? chunks : chunks_left;
    }
    return chunks_left < PRUNE_CHUNKS ? put_directory(env, txn, draft) : MDB_SUCCESS;
}

bool sy_tx_index_stale(const struct sy_tx_index *index, uint64_t pruned)
{
    const struct sy_tx_directory *directory = &index->directory;
    for (uint32_t i = 0; i < directory->run_count; i++) {
        const struct sy_tx_run *run = &directory->runs[i];
        if (run->last < pruned && !is_merging(directory, run->id)) return true;
    }
    return false;
}

/* ---- looking up ------------------------------------------------------------------------- */

static sy_status add_candidate(struct sy_buffer *candidates, const uint8_t *entry)
{
    struct sy_tx_position position = {0};
    position.height = sy_load_u64_be(entry + 8);
    position.index = (uint32_t)(sy_load_u64_be(entry + 12) & UINT32_MAX);
    return sy_buffer_append(candidates, &position, sizeof position);
}

sy_status sy_tx_index_find_recent(struct sy_tx_index *index, struct sy_buffer *candidates,
                                  const struct sy_hash *tx_id)
{
    sy_status status = SY_OK;
    int failed = pthread_rwlock_rdlock(&index->lock);
    size_t slot = (size_t)sy_sum(index->seed, tx_id->bytes, 8) & (index->slot_count - 1);
    for (; index->slots[slot] && status == SY_OK; slot = (slot + 1) & (index->slot_count - 1)) {
        const uint8_t *entry = index->entries + (size_t)(index->slots[slot] - 1) * ENTRY;
        if (memcmp(entry, tx_id->bytes, 8) == 0) status = add_candidate(candidates, entry);
    }
    failed |= pthread_rwlock_unlock(&index->lock);
    SY_ASSERT(!failed);
    return status;
}

// The first leaf that may hold the tag: the one before the first that begins at or above it. Tags
// are hashes, so the search starts where theirs would lie if all were spread evenly, and goes away
// from there in steps that double until it has passed the place, which is then bisected.
static int search_run(struct run_reader *reader, uint64_t *found, uint64_t tag)
{
    uint64_t low = 0;
    uint64_t high = (reader->run->entries + LEAF_ENTRIES - 1) / LEAF_ENTRIES;
    uint64_t at = (tag >> 32) * high >> 32;
    bool below = false, above = false;
    for (uint64_t step = 1; low < high; step *= 2) {
        const uint8_t *leaf;
        size_t count;
        int rc = leaf_at(reader, &leaf, &count, at);
        if (rc) return rc;
        if (sy_load_u64_be(leaf + SY_SUM_BYTES) < tag) {
            low = at + 1;
            below = true;
        } else {
            high = at;
            above = true;
        }
        uint64_t left = high - low;
        if (below && above) {
            at = low + left / 2;
        } else {
            at = below ? low + least(step, left) - 1 : high - least(step, left);
        }
    }
    *found = low > 0 ? low - 1 : 0;
    return MDB_SUCCESS;
}

// The first entry of a leaf that is not below the tag.
static size_t first_at(const uint8_t *leaf, size_t count, uint64_t tag)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sy_load_u64_be(leaf + SY_SUM_BYTES + middle * ENTRY) < tag) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// Is the leaf whole, or was it when it was last asked for? Any thread.
static bool is_known_whole(struct sy_tx_index *index, const uint8_t *leaf, size_t count,
                           const struct sy_tx_run *run, uint64_t number)
{
    uint64_t place = leaf_seed(run->id, number);
    _Atomic uint64_t *slot = &index->whole[sy_sum_mix(index->seed, place) % WHOLE_SLOTS];
    if (atomic_load_explicit(slot, memory_order_relaxed) == ~place) return true;
    if (!leaf_is_whole(leaf, count, run, number)) return false;
    atomic_store_explicit(slot, ~place, memory_order_relaxed);
    return true;
}

static sy_status find_in_run(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                             struct sy_buffer *candidates, const struct sy_tx_run *run,
                             uint64_t tag)
{
    uint64_t number = 0;
    struct run_reader reader = {.env = env, .txn = txn, .run = run};
    int rc = search_run(&reader, &number, tag);
    for (; !rc && number * LEAF_ENTRIES < run->entries; number++) {
        const uint8_t *leaf = NULL;
        size_t count = 0;
        rc = leaf_at(&reader, &leaf, &count, number);
        if (rc) break;
        if (sy_load_u64_be(leaf + SY_SUM_BYTES) > tag) break;
        if (!is_known_whole(index, leaf, count, run, number)) return SY_ERR_CORRUPT;
        for (size_t i = first_at(leaf, count, tag); i < count; i++) {
            const uint8_t *entry = leaf + SY_SUM_BYTES + i * ENTRY;
            if (sy_load_u64_be(entry) != tag) break;
            SY_TRY(add_candidate(candidates, entry));
        }
    }
    return sy_lmdb_status(rc);
}

sy_status sy_tx_index_find_runs(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                                struct sy_buffer *candidates, const struct sy_hash *tx_id)
{
    struct sy_tx_directory directory = {.run_count = 0};
    uint64_t tag = sy_load_u64_be(tx_id->bytes);
    SY_TRY(get_directory(env, txn, &directory));
    for (uint32_t i = 0; i < directory.run_count; i++) {
        SY_TRY(find_in_run(index, env, txn, candidates, &directory.runs[i], tag));
    }
    return SY_OK;
}
