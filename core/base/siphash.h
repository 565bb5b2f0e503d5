/* siphash.h: SipHash-1-3, the keyed hash behind hash tables that strangers fill (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012, with one compression and three finalisation
 * rounds). Not a digest: nothing that is stored, sent or signed may depend on it. */
#ifndef SY_BASE_SIPHASH_H
#define SY_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* sy_siphash13 hashes size bytes under a key of two little-endian words. Pure; any thread. */
uint64_t sy_siphash13(const uint64_t key[2], const void *data, size_t size);

#ifdef __cplusplus
}
#endif
#endif
