/* ptx_memory.c: global memory, and who touched a byte when; see ptx_program.h. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/ptx/ptx_program.h"

#define REGIONS_MAX 32u

struct region {
    uint64_t start, bytes;
    struct ptx_shadow *shadow;
};

struct ptx_memory {
    struct region regions[REGIONS_MAX];
    uint32_t count, last; // last: where the last access was
};

ptx_memory *ptx_memory_open(void)
{
    ptx_memory *memory = (ptx_memory *)calloc(1, sizeof *memory);
    SY_ASSERT(memory);
    return memory;
}

void ptx_memory_close(ptx_memory *memory)
{
    for (uint32_t i = 0; i < memory->count; i++) free(memory->regions[i].shadow);
    free(memory);
}

void ptx_memory_add(ptx_memory *memory, void *start, size_t bytes, bool is_set)
{
    SY_ASSERT(memory->count < REGIONS_MAX && bytes > 0);
    struct region *added = &memory->regions[memory->count++];
    added->start = (uintptr_t)start;
    added->bytes = bytes;
    added->shadow = (struct ptx_shadow *)calloc(bytes, sizeof *added->shadow);
    SY_ASSERT(added->shadow);
    if (!is_set) return;
    for (size_t i = 0; i < bytes; i++) added->shadow[i].writer = 1;
}

void ptx_memory_start(ptx_memory *memory)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        struct region *region = &memory->regions[i];
        for (size_t k = 0; k < region->bytes; k++) {
            region->shadow[k] = (struct ptx_shadow){.writer = region->shadow[k].writer > 0};
        }
    }
}

static bool has(const struct region *region, uint64_t address, size_t bytes)
{
    return address >= region->start && bytes <= region->bytes &&
           address - region->start <= region->bytes - bytes;
}

uint8_t *ptx_memory_find(ptx_memory *memory, struct ptx_shadow **shadow, uint64_t address,
                         size_t bytes)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        uint32_t tried = (memory->last + i) % memory->count;
        const struct region *region = &memory->regions[tried];
        if (!has(region, address, bytes)) continue;
        memory->last = tried;
        *shadow = region->shadow + (address - region->start);
        return (uint8_t *)(uintptr_t)address;
    }
    return NULL;
}

const char *ptx_shadow_note(struct ptx_shadow *shadow, size_t bytes, uint32_t thread,
                            uint8_t stretch, bool writes)
{
    uint8_t self = (uint8_t)(thread + 2);
    for (size_t i = 0; i < bytes; i++) {
        struct ptx_shadow *byte = &shadow[i];
        bool others = byte->writer > 1 && byte->writer != self && byte->written_in == stretch;
        bool is_read = byte->read_in == stretch && byte->reader != self;
        if (others) return "another thread wrote there, with no barrier between";
        if (writes) {
            if (is_read) return "another thread read there, with no barrier between";
            byte->writer = self;
            byte->written_in = stretch;
        } else {
            if (byte->writer == 0) return "nothing was written there";
            byte->reader = is_read ? 1 : self;
            byte->read_in = stretch;
        }
    }
    return NULL;
}
