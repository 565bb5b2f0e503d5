/* key_tables.h: tables of public keys that come back: a bounded cache, shared by the CPU engines.
 *
 * Verifying under a key of which multiples lie ready costs a fraction of verifying under a new one,
 * and a permissioned network knows its signers. What a table holds and how it is built is each
 * engine's own (struct sy_key_table_format); which keys have one is decided here, alike for all:
 *
 *     verdict 1 --> sy_key_tables_credit --> 4th --> waits --> sy_key_tables_build --> found by
 *     (valid signatures alone count)                 (between batches)       sy_key_tables_find
 *
 * Nobody gets a table for less than SY_KEY_TABLES_VALID_MIN valid signatures. While there is room,
 * whoever earns one gets one. When the memory is full, a table costs SY_KEY_TABLES_VALID_FULL, and
 * one goes whose key was not used since the clock hand last came by (the hand halves the counts it
 * passes, so those in much use outlast several rounds); and an organisation that holds its share
 * already can displace only its own. So a flood of keys, each used a few times, displaces neither
 * those in daily use nor anybody else's. Keys that were never hinted count as one organisation. A
 * key for which none can be built is not tried again while it is remembered.
 *
 * Threads: a batch pins the cache once; what it finds stays whole until it unpins, though it may be
 * evicted meanwhile. Finding takes no lock and writes nothing. Everything may be called from any
 * thread. The cache decides no verdict: a table is found only under exactly its 32 bytes of key,
 * and whoever finds none takes the general path. */
#ifndef SY_CRYPTO_KEY_TABLES_H
#define SY_CRYPTO_KEY_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sy_key_tables sy_key_tables;

/* Keys given to one call of build at most, unless the format says otherwise, and then. */
#define SY_KEY_TABLES_BUILD_MAX 8u
#define SY_KEY_TABLES_TOGETHER_MAX 64u
/* Valid signatures that a key needs for a table, and for another's place when there is no room. */
#define SY_KEY_TABLES_VALID_MIN 4u
#define SY_KEY_TABLES_VALID_FULL 16u
/* Batches that may be pinned at once. */
#define SY_KEY_TABLES_PINS_MAX 128u

struct sy_key_table_format {
    size_t together;    /* keys given to build at most, up to SY_KEY_TABLES_TOGETHER_MAX; 0:
                           SY_KEY_TABLES_BUILD_MAX */
    size_t table_bytes; /* a multiple of 64, at most 1 MiB; tables are aligned to 64 */
    /* build fills tables[i] for keys[i] (count is 1 to SY_KEY_TABLES_BUILD_MAX) and says in
     * built[i] whether it could; false: the key is no point. No lock is held; calls from several
     * threads may run at once. context is the configuration's. */
    void (*build)(void *context, void *const *tables, const struct sy_public_key *keys, bool *built,
                  size_t count);
};

struct sy_key_tables_config {
    const struct sy_key_table_format *format; /* kept */
    void *context;                            /* for format->build; kept, never looked at */
    uint64_t bytes_max;     /* memory for tables; 0: sy_key_tables_default_bytes. At least one
                               table is made room for, at most 2^20. Touched as tables are built */
    uint32_t share_percent; /* an organisation's share when it is full, 1..100; 0: 25 */
};

struct sy_key_tables_info {
    uint64_t room;    /* tables that fit */
    uint64_t tables;  /* tables there are */
    uint64_t built;   /* since the start */
    uint64_t evicted; /* since the start */
};

/* sy_key_tables_default_bytes: min(1 GiB, memory limit / 16). */
uint64_t sy_key_tables_default_bytes(void);

/* sy_key_tables_open reserves memory. SY_ERR_NO_MEMORY, SY_ERR_ARGUMENT (share_percent). */
sy_status sy_key_tables_open(sy_key_tables **tables, const struct sy_key_tables_config *config,
                             struct sy_error *err);

/* sy_key_tables_close frees everything; nothing may be pinned. NULL is fine. */
void sy_key_tables_close(sy_key_tables *tables);

/* sy_key_tables_hint says whose key this is. Returns a handle by which find is faster (index and
 * generation of its table), or SY_KEY_HANDLE_NONE (0) while there is no table: hint again later, or
 * do without. The organisation is remembered for as long as the key has a table or is among those
 * heard of lately. */
uint32_t sy_key_tables_hint(sy_key_tables *tables, const struct sy_public_key *key,
                            const struct sy_hash *organisation);

/* sy_key_tables_pin begins a batch, sy_key_tables_unpin ends it, given what pin returned. Asserts
 * that at most SY_KEY_TABLES_PINS_MAX are under way. */
unsigned sy_key_tables_pin(sy_key_tables *tables);
void sy_key_tables_unpin(sy_key_tables *tables, unsigned pin);

/* sy_key_tables_find returns the key's table, or NULL; only while pinned, and good until unpinned.
 * handle: what hint gave, or 0; any other number is harmless. */
const void *sy_key_tables_find(const sy_key_tables *tables, uint32_t handle,
                               const struct sy_public_key *key);

/* sy_key_tables_place is which of the tables that fit (sy_key_tables_info.room) a table that build
 * was given or find returned is, counted from 0: for tables whose contents lie elsewhere. */
uint32_t sy_key_tables_place(const sy_key_tables *tables, const void *table);

/* sy_key_tables_credit counts one valid signature of key. table: what find returned for it (its
 * batch is still pinned), or NULL. */
void sy_key_tables_credit(sy_key_tables *tables, const void *table,
                          const struct sy_public_key *key);

/* sy_key_tables_build builds up to max of the tables that were earned and returns how many it did.
 * Call it between batches, unpinned; nearly free when none waits. */
size_t sy_key_tables_build(sy_key_tables *tables, size_t max);

void sy_key_tables_get_info(sy_key_tables *tables, struct sy_key_tables_info *out);

#ifdef __cplusplus
}
#endif
#endif
