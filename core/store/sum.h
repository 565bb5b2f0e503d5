/* sum.h: the checksum beside every value that the store keeps.
 *
 * It is there for disks that change bytes, not for people who do (what matters to them is under a
 * signature or a root). Each 8-byte word is mixed in by steps that can be undone, so a change
 * confined to one word always changes the sum; the chance that another one that knows nothing of
 * the sum does not is about 2^-64. Words are dealt out to four sums in turns, since each step waits
 * for the one before, and the four are mixed together in the same way. */
#ifndef SY_STORE_SUM_H
#define SY_STORE_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

#define SY_SUM_BYTES 8u

static inline uint64_t sy_sum_mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * 0x9fb21c651e98df25u;
    return sum ^ sum >> 32;
}

/* sy_sum is the checksum of size bytes under a seed; the seed is the value's place (a height, a
 * key), so that a value found in another's place does not pass. */
static inline uint64_t sy_sum(uint64_t seed, const void *data, size_t size)
{
    const uint8_t *p = (const uint8_t *)data;
    uint64_t sum = seed ^ (0x9e3779b97f4a7c15u + size);
    if (size >= 32) {
        uint64_t lanes[4] = {sum, sum + 1, sum + 2, sum + 3};
        for (; size >= 32; p += 32, size -= 32) {
            for (unsigned i = 0; i < 4; i++)
                lanes[i] = sy_sum_mix(lanes[i], sy_load_u64(p + 8 * i));
        }
        for (unsigned i = 0; i < 4; i++) sum = sy_sum_mix(sum, lanes[i]);
    }
    for (; size >= 8; p += 8, size -= 8) sum = sy_sum_mix(sum, sy_load_u64(p));
    uint64_t last = 0;
    for (size_t i = 0; i < size; i++) last |= (uint64_t)p[i] << (8 * i);
    sum = (sum ^ last) * 0x9fb21c651e98df25u;
    sum ^= sum >> 29;
    sum *= 0xd6e8feb86659fd93u;
    return sum ^ sum >> 32;
}

#endif
