/* sum.h: the checksum beside every value that the store keeps.
 *
 * It is there for disks that change bytes, not for people who do (what matters to them is under a
 * signature or a root). Each 8-byte word is mixed in by steps that can be undone, so a change
 * confined to one word always changes the sum; otherwise the chance of a miss is 2^-64. A sum
 * costs a tenth of SHA-256 over the same bytes. */
#ifndef SY_STORE_SUM_H
#define SY_STORE_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

#define SY_SUM_BYTES 8u

/* sy_sum is the checksum of size bytes under a seed; the seed is the value's place (a height, a
 * key), so that a value found in another's place does not pass. */
static inline uint64_t sy_sum(uint64_t seed, const void *data, size_t size)
{
    const uint8_t *p = (const uint8_t *)data;
    uint64_t sum = seed ^ (0x9e3779b97f4a7c15u + size);
    for (; size >= 8; p += 8, size -= 8) {
        sum = (sum ^ sy_load_u64(p)) * 0x9fb21c651e98df25u;
        sum ^= sum >> 32;
    }
    uint64_t last = 0;
    for (size_t i = 0; i < size; i++) last |= (uint64_t)p[i] << (8 * i);
    sum = (sum ^ last) * 0x9fb21c651e98df25u;
    sum ^= sum >> 29;
    sum *= 0xd6e8feb86659fd93u;
    return sum ^ sum >> 32;
}

#endif
