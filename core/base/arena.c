#include "core/base/arena.h"

#include <sys/mman.h>

#include "core/base/assert.h"

#define ALIGNMENT 64u

sy_status sy_arena_open(sy_arena *arena, size_t size_bytes)
{
    *arena = (sy_arena){0};
    if (size_bytes == 0) return SY_ERR_ARGUMENT;
    void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return SY_ERR_NO_MEMORY;
    arena->base = (uint8_t *)base;
    arena->size_bytes = size_bytes;
    return SY_OK;
}

void sy_arena_huge(sy_arena *arena)
{
    SY_ASSERT(arena->base);
    (void)madvise(arena->base, arena->size_bytes, MADV_HUGEPAGE);
}

void sy_arena_close(sy_arena *arena)
{
    if (arena->base) {
        int failed = munmap(arena->base, arena->size_bytes);
        SY_ASSERT(!failed);
    }
    *arena = (sy_arena){0};
}

void *sy_arena_carve(sy_arena *arena, size_t count, size_t item_bytes)
{
    SY_ASSERT(!arena->sealed);
    SY_ASSERT(arena->used_bytes <= arena->size_bytes);
    size_t bytes;
    if (__builtin_mul_overflow(count, item_bytes, &bytes)) return NULL;
    // used_bytes is always a multiple of the alignment; the last carve may end at the very end.
    size_t room = arena->size_bytes - arena->used_bytes;
    if (bytes > room) return NULL;
    uint8_t *start = arena->base + arena->used_bytes;
    size_t padding = (ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT;
    arena->used_bytes += padding > room - bytes ? room : bytes + padding;
    return start;
}

void sy_arena_seal(sy_arena *arena)
{
    SY_ASSERT(!arena->sealed);
    arena->sealed = true;
}
