/* arena.h: memory carved from one block at start, then sealed.
 *
 * The hot path never allocates: every room carves what its configured limits need while the
 * process starts, then sy_arena_seal makes any further carve an assertion. What is carved lives
 * as long as the arena. Not thread-safe: carving is for start-up. */
#ifndef SY_BASE_ARENA_H
#define SY_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sy_arena {
    uint8_t *base;
    size_t size_bytes;
    size_t used_bytes;
    bool sealed;
} sy_arena;

/* sy_arena_open maps size_bytes of zeroed memory (pages are touched on first use). */
sy_status sy_arena_open(sy_arena *arena, size_t size_bytes);

/* sy_arena_huge asks for huge pages, for memory that will be full and is read at random; of any
 * other they waste what is never touched. Where none are granted nothing but speed is lost. */
void sy_arena_huge(sy_arena *arena);

/* sy_arena_close returns the memory to the system. Safe on a zeroed arena. */
void sy_arena_close(sy_arena *arena);

/* sy_arena_carve returns count * item_bytes zeroed bytes aligned to 64, or NULL when the arena
 * has no room (or the product overflows). Asserts that the arena is not sealed. */
void *sy_arena_carve(sy_arena *arena, size_t count, size_t item_bytes);

/* sy_arena_seal ends start-up. */
void sy_arena_seal(sy_arena *arena);

#define SY_CARVE(arena, type, count) ((type *)sy_arena_carve((arena), (count), sizeof(type)))

#ifdef __cplusplus
}
#endif
#endif
