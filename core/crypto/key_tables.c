/* key_tables.c: see key_tables.h.
 *
 * Tables lie in slots. A slot is published while its generation is not 0; only then may a reader
 * look at its key and table. An open-addressing index leads from a key to its slot, but it is only
 * a hint: readers run through it while it changes, and what they find there counts only if the slot
 * is published and has the very key. So the worst that a change under a reader's feet can do is
 * that it finds nothing.
 *
 * Reclaiming (epochs; Fraser, "Practical lock-freedom", 2004): an evicted slot is unpublished, then
 * the epoch is counted up from e. It is written again only when every pinned batch began after
 * that, with an epoch above e. All of this is sequentially consistent: a batch whose pin is not
 * seen by the evictor's scan took its pin after the slot was unpublished.
 *
 * Everything else (who has earned what, eviction, the index's changes) happens under one lock,
 * which only keys without a table, hints and builders take. */
#include "core/crypto/key_tables.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/siphash.h"
#include "core/base/table.h"
#include "core/base/telemetry.h"

#define INDEX_BITS 20u // of a handle; the rest is the slot's generation
#define ROOM_MAX (1u << INDEX_BITS)
#define GENERATION_MAX ((1u << (32u - INDEX_BITS)) - 1u)
#define TABLE_BYTES_MAX (1u << 20)
#define HUGE_PAGE ((size_t)2 << 20)

#define USES_MAX 15u
#define SWEEP 128u   // slots the hand passes in search of a victim
#define PENDING 256u // keys that wait for their table at most
#define LIMBO 16u    // evicted slots that readers may still use
#define BUCKETS 4096u
#define HEARD_MIN 1024u
#define HEARD_MAX (1u << 18)
#define NONE UINT32_MAX

// The bucket in which keys that nobody hinted are counted.
#define STRANGERS 0u

struct slot {
    _Alignas(64) struct sy_public_key key;
    atomic_uint generation; // 0: not published
    atomic_uint uses;       // 0..USES_MAX
    uint32_t bucket;        // of its organisation
    uint32_t generations;   // the last one it had
};

// A key that has no table.
struct candidate {
    uint32_t bucket;
    uint16_t valid;
    bool waits;   // for its table
    bool refused; // no table can be built for it
};

struct retired_slot {
    uint32_t slot;
    uint64_t epoch;
};

struct pin {
    _Alignas(64) atomic_ullong epoch; // 0: idle
};

struct sy_key_tables {
    const struct sy_key_table_format *format;
    void *context;
    sy_arena arena;
    uint8_t *memory; // aligned within what was mapped
    void *mapped;
    size_t mapped_bytes;
    uint64_t seed[2];

    struct slot *slots;
    uint32_t room;
    atomic_uint *index; // slot + 1; 0: free
    uint32_t index_mask;
    atomic_ullong epoch;
    struct pin *pins;

    pthread_mutex_t lock;     // guards everything below, and changes above
    uint32_t used;            // slots that were ever used
    uint32_t *free_slots;     // of these, free ones
    uint32_t free_count;      //
    uint32_t hand;            //
    uint32_t quota;           // tables of an organisation when all slots are used
    uint32_t counts[BUCKETS]; // tables of organisations; few share a bucket, and then a quota
    sy_table heard[2];        // struct candidate; [young] takes new ones, the other is older
    unsigned young;
    struct sy_public_key pending[PENDING];
    uint32_t pending_first;
    atomic_uint pending_count;
    struct retired_slot limbo[LIMBO];
    uint32_t limbo_count;
    uint64_t tables, built, evicted;
};

static void lock_tables(sy_key_tables *tables)
{
    int failed = pthread_mutex_lock(&tables->lock);
    SY_ASSERT(!failed);
}

static void unlock_tables(sy_key_tables *tables)
{
    int failed = pthread_mutex_unlock(&tables->lock);
    SY_ASSERT(!failed);
}

// --- readers -------------------------------------------------------------------------------------

unsigned sy_key_tables_pin(sy_key_tables *tables)
{
    for (unsigned i = 0; i < SY_KEY_TABLES_PINS_MAX; i++) {
        unsigned long long idle = 0;
        unsigned long long epoch = atomic_load(&tables->epoch);
        if (atomic_compare_exchange_strong(&tables->pins[i].epoch, &idle, epoch)) return i;
    }
    SY_UNREACHABLE("more batches than SY_KEY_TABLES_PINS_MAX");
}

void sy_key_tables_unpin(sy_key_tables *tables, unsigned pin)
{
    SY_ASSERT(pin < SY_KEY_TABLES_PINS_MAX);
    atomic_store(&tables->pins[pin].epoch, 0);
}

static const void *table_of(const sy_key_tables *tables, uint32_t slot)
{
    return tables->memory + (size_t)slot * tables->format->table_bytes;
}

static uint32_t home_of(const sy_key_tables *tables, const struct sy_public_key *key)
{
    uint64_t hash = sy_siphash13(tables->seed, key->bytes, sizeof key->bytes);
    return (uint32_t)hash & tables->index_mask;
}

static bool is_of_key(const struct slot *slot, const struct sy_public_key *key)
{
    return atomic_load(&slot->generation) != 0 && sy_public_key_equal(&slot->key, key);
}

// The key's slot, or NONE; *place: where in the index it stands. Pinned, or under the lock.
static uint32_t find_slot(const sy_key_tables *tables, const struct sy_public_key *key,
                          uint32_t *place)
{
    *place = home_of(tables, key);
    // At most half of the index is in use; a bound all the same, since it changes meanwhile.
    for (uint32_t probe = 0; probe <= tables->index_mask; probe++) {
        uint32_t number = atomic_load_explicit(&tables->index[*place], memory_order_relaxed);
        if (number == 0) return NONE;
        if (is_of_key(&tables->slots[number - 1], key)) return number - 1;
        *place = (*place + 1) & tables->index_mask;
    }
    return NONE;
}

static bool has_table(const sy_key_tables *tables, const struct sy_public_key *key)
{
    uint32_t place;
    return find_slot(tables, key, &place) != NONE;
}

const void *sy_key_tables_find(const sy_key_tables *tables, uint32_t handle,
                               const struct sy_public_key *key)
{
    uint32_t index = handle & (ROOM_MAX - 1);
    uint32_t generation = handle >> INDEX_BITS;
    if (generation != 0 && index < tables->room) {
        const struct slot *slot = &tables->slots[index];
        if (atomic_load(&slot->generation) == generation && sy_public_key_equal(&slot->key, key)) {
            return table_of(tables, index);
        }
    }
    uint32_t place;
    uint32_t number = find_slot(tables, key, &place);
    return number == NONE ? NULL : table_of(tables, number);
}

// --- keys without a table ------------------------------------------------------------------------

static const struct sy_hash *as_hash(const struct sy_public_key *key)
{
    return (const struct sy_hash *)(const void *)key; // Both are 32 bytes.
}

static struct candidate *recall(sy_key_tables *tables, const struct sy_public_key *key)
{
    struct candidate *found =
        (struct candidate *)sy_table_find(&tables->heard[tables->young], as_hash(key));
    if (found) return found;
    return (struct candidate *)sy_table_find(&tables->heard[1 - tables->young], as_hash(key));
}

// The key's entry among the young, made or moved there. When those are full, the older ones are
// forgotten: whoever is heard of again within one such span stays known.
static struct candidate *remember(sy_key_tables *tables, const struct sy_public_key *key,
                                  uint32_t bucket)
{
    const struct candidate *known = recall(tables, key);
    struct candidate copy = known ? *known : (struct candidate){.bucket = bucket};
    struct candidate *entry =
        (struct candidate *)sy_table_put(&tables->heard[tables->young], as_hash(key), NULL);
    if (!entry) {
        tables->young = 1 - tables->young;
        sy_table_clear(&tables->heard[tables->young]);
        entry = (struct candidate *)sy_table_put(&tables->heard[tables->young], as_hash(key), NULL);
        SY_ASSERT(entry);
    }
    *entry = copy;
    return entry;
}

static void forget(sy_key_tables *tables, const struct sy_public_key *key)
{
    (void)sy_table_remove(&tables->heard[0], as_hash(key));
    (void)sy_table_remove(&tables->heard[1], as_hash(key));
}

static bool is_full(const sy_key_tables *tables)
{
    return tables->used == tables->room && tables->free_count == 0;
}

static void count_valid(sy_key_tables *tables, const struct sy_public_key *key)
{
    if (has_table(tables, key)) return; // It got its table while this batch ran.
    struct candidate *candidate = remember(tables, key, STRANGERS);
    if (candidate->refused) return;
    uint32_t waiting = atomic_load(&tables->pending_count);
    unsigned price = is_full(tables) ? SY_KEY_TABLES_VALID_FULL : SY_KEY_TABLES_VALID_MIN;
    if (candidate->valid < SY_KEY_TABLES_VALID_FULL) candidate->valid++;
    if (candidate->waits || candidate->valid < price || waiting == PENDING) return;
    candidate->waits = true;
    tables->pending[(tables->pending_first + waiting) % PENDING] = *key;
    atomic_store(&tables->pending_count, waiting + 1);
}

uint32_t sy_key_tables_place(const sy_key_tables *tables, const void *table)
{
    size_t offset = (size_t)((const uint8_t *)table - tables->memory);
    return (uint32_t)(offset / tables->format->table_bytes);
}

void sy_key_tables_credit(sy_key_tables *tables, const void *table, const struct sy_public_key *key)
{
    if (!table) {
        lock_tables(tables);
        count_valid(tables, key);
        unlock_tables(tables);
        return;
    }
    struct slot *slot = &tables->slots[sy_key_tables_place(tables, table)];
    // Counts of threads that meet here may get lost; the clock hand does not mind.
    unsigned uses = atomic_load_explicit(&slot->uses, memory_order_relaxed);
    if (uses < USES_MAX) atomic_store_explicit(&slot->uses, uses + 1, memory_order_relaxed);
}

uint32_t sy_key_tables_hint(sy_key_tables *tables, const struct sy_public_key *key,
                            const struct sy_hash *organisation)
{
    uint64_t hash = sy_siphash13(tables->seed, organisation->bytes, sizeof organisation->bytes);
    uint32_t bucket = 1 + (uint32_t)(hash % (BUCKETS - 1));
    uint32_t handle = 0;
    lock_tables(tables);
    uint32_t place;
    uint32_t number = find_slot(tables, key, &place);
    if (number == NONE) {
        remember(tables, key, bucket)->bucket = bucket;
    } else {
        struct slot *slot = &tables->slots[number];
        tables->counts[slot->bucket]--;
        tables->counts[bucket]++;
        slot->bucket = bucket;
        handle = atomic_load(&slot->generation) << INDEX_BITS | number;
    }
    unlock_tables(tables);
    return handle;
}

// --- slots ---------------------------------------------------------------------------------------

static void unlink_place(sy_key_tables *tables, uint32_t hole)
{
    // Knuth, TAOCP 3, 6.4, algorithm R, as in core/base/table.c.
    uint32_t mask = tables->index_mask;
    uint32_t place = hole;
    for (;;) {
        place = (place + 1) & mask;
        uint32_t number = atomic_load(&tables->index[place]);
        if (number == 0) break;
        uint32_t home = home_of(tables, &tables->slots[number - 1].key);
        if (((place - home) & mask) < ((place - hole) & mask)) continue;
        atomic_store(&tables->index[hole], number);
        hole = place;
    }
    atomic_store(&tables->index[hole], 0);
}

static void evict(sy_key_tables *tables, uint32_t number)
{
    struct slot *slot = &tables->slots[number];
    uint32_t place;
    uint32_t found = find_slot(tables, &slot->key, &place);
    SY_ASSERT(found == number);
    unlink_place(tables, place);
    atomic_store(&slot->generation, 0);
    tables->limbo[tables->limbo_count++] =
        (struct retired_slot){number, atomic_fetch_add(&tables->epoch, 1)};
    tables->counts[slot->bucket]--;
    tables->tables--;
    tables->evicted++;
    sy_metric_add(SY_M_engine_tables_evicted_total, 1);
    if (slot->bucket != STRANGERS) (void)remember(tables, &slot->key, slot->bucket);
}

// Moves evicted slots that nobody can be reading any more to the free ones.
static void reclaim(sy_key_tables *tables)
{
    uint64_t oldest = UINT64_MAX;
    for (unsigned i = 0; i < SY_KEY_TABLES_PINS_MAX; i++) {
        uint64_t epoch = atomic_load(&tables->pins[i].epoch);
        if (epoch != 0 && epoch < oldest) oldest = epoch;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tables->limbo_count; i++) {
        if (tables->limbo[i].epoch < oldest) {
            tables->free_slots[tables->free_count++] = tables->limbo[i].slot;
        } else {
            tables->limbo[kept++] = tables->limbo[i];
        }
    }
    tables->limbo_count = kept;
}

// One step of the clock hand: the slot it stands on, if a key of bucket may displace it.
static uint32_t step_hand(sy_key_tables *tables, uint32_t bucket)
{
    uint32_t number = tables->hand;
    struct slot *slot = &tables->slots[number];
    tables->hand = number + 1 < tables->room ? number + 1 : 0;
    if (atomic_load(&slot->generation) == 0) return NONE;
    bool has_share = tables->counts[bucket] >= tables->quota;
    if (has_share && slot->bucket != bucket) return NONE;
    unsigned uses = atomic_load_explicit(&slot->uses, memory_order_relaxed);
    // Who took more than a share while there was room gives it back sooner.
    if (tables->counts[slot->bucket] > tables->quota && !has_share) uses /= 4;
    if (uses == 0) return number;
    atomic_store_explicit(&slot->uses, uses / 2, memory_order_relaxed);
    return NONE;
}

// A slot for a key of this bucket, or NONE; *later says that one will be free soon.
static uint32_t take_slot(sy_key_tables *tables, uint32_t bucket, bool *later)
{
    *later = false;
    if (tables->limbo_count > 0) reclaim(tables);
    if (tables->free_count > 0) return tables->free_slots[--tables->free_count];
    if (tables->used < tables->room) return tables->used++;
    *later = tables->limbo_count == LIMBO;
    if (*later) return NONE;
    for (unsigned i = 0; i < SWEEP; i++) {
        uint32_t victim = step_hand(tables, bucket);
        if (victim == NONE) continue;
        evict(tables, victim);
        reclaim(tables);
        *later = tables->free_count == 0;
        return *later ? NONE : tables->free_slots[--tables->free_count];
    }
    return NONE;
}

// --- building ------------------------------------------------------------------------------------

struct work {
    uint32_t slots[SY_KEY_TABLES_TOGETHER_MAX];
    uint32_t buckets[SY_KEY_TABLES_TOGETHER_MAX];
    struct sy_public_key keys[SY_KEY_TABLES_TOGETHER_MAX];
    void *tables[SY_KEY_TABLES_TOGETHER_MAX];
    bool built[SY_KEY_TABLES_TOGETHER_MAX];
    size_t count;
};

// Takes the first waiting key; false: it must wait on, for a slot.
static bool take_pending(sy_key_tables *tables, struct work *work)
{
    struct sy_public_key key = tables->pending[tables->pending_first];
    struct candidate *candidate = recall(tables, &key);
    if (has_table(tables, &key)) {
        forget(tables, &key);
    } else if (candidate) {
        bool later = false;
        uint32_t bucket = candidate->bucket;
        uint32_t slot = take_slot(tables, bucket, &later);
        if (later) return false;
        // What is evicted is remembered, which may move candidates.
        candidate = recall(tables, &key);
        if (slot == NONE && candidate) *candidate = (struct candidate){.bucket = bucket};
        if (slot != NONE) {
            work->slots[work->count] = slot;
            work->buckets[work->count] = bucket;
            work->tables[work->count] = tables->memory + slot * tables->format->table_bytes;
            work->keys[work->count++] = key;
        }
    }
    tables->pending_first = (tables->pending_first + 1) % PENDING;
    atomic_fetch_sub(&tables->pending_count, 1);
    return true;
}

static void publish(sy_key_tables *tables, const struct sy_public_key *key, uint32_t number,
                    uint32_t bucket)
{
    struct slot *slot = &tables->slots[number];
    slot->key = *key;
    slot->bucket = bucket;
    slot->generations = slot->generations % GENERATION_MAX + 1;
    atomic_store_explicit(&slot->uses, 0, memory_order_relaxed);
    atomic_store(&slot->generation, slot->generations);
    uint32_t place = home_of(tables, key);
    while (atomic_load(&tables->index[place]) != 0) place = (place + 1) & tables->index_mask;
    atomic_store(&tables->index[place], number + 1);
    tables->counts[bucket]++;
    tables->tables++;
    tables->built++;
    sy_metric_add(SY_M_engine_tables_built_total, 1);
}

static void finish_work(sy_key_tables *tables, const struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        if (work->built[i] && !has_table(tables, &work->keys[i])) {
            publish(tables, &work->keys[i], work->slots[i], work->buckets[i]);
        } else {
            tables->free_slots[tables->free_count++] = work->slots[i];
        }
        forget(tables, &work->keys[i]);
        // Or it would be tried, and displace somebody, every few signatures.
        if (!work->built[i]) remember(tables, &work->keys[i], work->buckets[i])->refused = true;
    }
}

static size_t build_some(sy_key_tables *tables, size_t max)
{
    struct work work = {.count = 0};
    lock_tables(tables);
    while (work.count < max && atomic_load(&tables->pending_count) > 0) {
        if (!take_pending(tables, &work)) break;
    }
    unlock_tables(tables);
    if (work.count == 0) return 0;
    tables->format->build(tables->context, work.tables, work.keys, work.built, work.count);
    lock_tables(tables);
    finish_work(tables, &work);
    unlock_tables(tables);
    return work.count;
}

size_t sy_key_tables_build(sy_key_tables *tables, size_t max)
{
    size_t done = 0;
    size_t together = tables->format->together;
    if (together == 0) together = SY_KEY_TABLES_BUILD_MAX;
    while (done < max && atomic_load(&tables->pending_count) > 0) {
        size_t most = max - done < together ? max - done : together;
        size_t count = build_some(tables, most);
        if (count == 0) break;
        done += count;
    }
    return done;
}

void sy_key_tables_get_info(sy_key_tables *tables, struct sy_key_tables_info *out)
{
    lock_tables(tables);
    *out = (struct sy_key_tables_info){.room = tables->room,
                                       .tables = tables->tables,
                                       .built = tables->built,
                                       .evicted = tables->evicted};
    unlock_tables(tables);
}

// --- opening and closing -------------------------------------------------------------------------

uint64_t sy_key_tables_default_bytes(void)
{
    uint64_t part = sy_os_memory_limit_bytes() / 16;
    return part < (1u << 30) ? part : 1u << 30;
}

static sy_status map_memory(sy_key_tables *tables)
{
    size_t bytes = (size_t)tables->room * tables->format->table_bytes;
    tables->mapped_bytes = bytes + HUGE_PAGE;
    tables->mapped = mmap(NULL, tables->mapped_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (tables->mapped == MAP_FAILED) {
        tables->mapped = NULL;
        return SY_ERR_NO_MEMORY;
    }
    size_t past = (size_t)((uintptr_t)tables->mapped % HUGE_PAGE);
    tables->memory = (uint8_t *)tables->mapped + (past > 0 ? HUGE_PAGE - past : 0);
    // A table's cache lines lie far apart in memory: without huge pages each costs a TLB miss. A
    // kernel that has none says so, and then it is only slower.
    (void)madvise(tables->memory, bytes, MADV_HUGEPAGE);
    return SY_OK;
}

// How many keys without a table are remembered in each of two spans. A key that comes back later
// than that starts anew, so it must not depend on how large tables are: about a sixteenth of their
// memory, 220 bytes a key for both spans, touched as keys come.
static size_t heard_of(const sy_key_tables *tables)
{
    size_t heard = (size_t)tables->room * tables->format->table_bytes / 16 / 220;
    if (heard > HEARD_MAX) heard = HEARD_MAX;
    if (heard < 2 * (size_t)tables->room) heard = 2 * (size_t)tables->room;
    return heard < HEARD_MIN ? HEARD_MIN : heard;
}

static sy_status carve_memory(sy_key_tables *tables)
{
    size_t room = tables->room;
    size_t places = 4;
    while (places < 2 * room) places *= 2;
    size_t heard = heard_of(tables);
    // A table of `heard` entries has less than 8/3 as many places, of 41 bytes with their flags.
    size_t bytes = room * (sizeof(struct slot) + sizeof(uint32_t)) + places * sizeof(atomic_uint) +
                   SY_KEY_TABLES_PINS_MAX * sizeof(struct pin) + 2 * heard * 112 + 8192;
    SY_TRY(sy_arena_open(&tables->arena, bytes));
    tables->slots = SY_CARVE(&tables->arena, struct slot, room);
    tables->free_slots = SY_CARVE(&tables->arena, uint32_t, room);
    tables->index = SY_CARVE(&tables->arena, atomic_uint, places);
    tables->pins = SY_CARVE(&tables->arena, struct pin, SY_KEY_TABLES_PINS_MAX);
    if (!tables->slots || !tables->free_slots || !tables->index || !tables->pins) {
        return SY_ERR_NO_MEMORY;
    }
    tables->index_mask = (uint32_t)(places - 1);
    for (unsigned i = 0; i < 2; i++) {
        SY_TRY(sy_table_init(&tables->heard[i], &tables->arena, heard, sizeof(struct candidate),
                             tables->seed));
    }
    sy_arena_seal(&tables->arena);
    return SY_OK;
}

sy_status sy_key_tables_open(sy_key_tables **out, const struct sy_key_tables_config *config,
                             struct sy_error *err)
{
    size_t table_bytes = config->format->table_bytes;
    SY_ASSERT(config->format->together <= SY_KEY_TABLES_TOGETHER_MAX);
    SY_ASSERT(table_bytes > 0 && table_bytes % 64 == 0 && table_bytes <= TABLE_BYTES_MAX);
    *out = NULL;
    uint32_t percent = config->share_percent > 0 ? config->share_percent : 25;
    if (percent > 100) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "an organisation's share of key tables is %u %%; "
                       "it must be 1 to 100",
                       percent);
    }
    uint64_t bytes = config->bytes_max > 0 ? config->bytes_max : sy_key_tables_default_bytes();
    uint64_t room = bytes / table_bytes;
    sy_key_tables *tables = (sy_key_tables *)calloc(1, sizeof *tables);
    if (!tables) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for key tables");
    int failed = pthread_mutex_init(&tables->lock, NULL);
    SY_ASSERT(!failed);
    tables->format = config->format;
    tables->context = config->context;
    tables->room = room < 1 ? 1 : room > ROOM_MAX ? ROOM_MAX : (uint32_t)room;
    tables->quota = (uint32_t)((uint64_t)tables->room * percent / 100);
    if (tables->quota == 0) tables->quota = 1;
    atomic_store(&tables->epoch, 1);
    sy_os_random(tables->seed, sizeof tables->seed);
    sy_status status = carve_memory(tables);
    if (status == SY_OK) status = map_memory(tables);
    if (status != SY_OK) {
        sy_key_tables_close(tables);
        return sy_fail(err, status, "cannot reserve %llu bytes for key tables; set a lower limit",
                       (unsigned long long)bytes);
    }
    *out = tables;
    return SY_OK;
}

void sy_key_tables_close(sy_key_tables *tables)
{
    if (!tables) return;
    if (tables->mapped) {
        int failed = munmap(tables->mapped, tables->mapped_bytes);
        SY_ASSERT(!failed);
    }
    sy_arena_close(&tables->arena);
    int failed = pthread_mutex_destroy(&tables->lock);
    SY_ASSERT(!failed);
    free(tables);
}
