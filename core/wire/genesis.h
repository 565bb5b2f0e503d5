/* genesis.h: the first state of a network. Its hash names the network; the first 16 bytes are the
 * network tag that every transaction carries. genesis.json is a rendering (core/client reads and
 * writes it, jansson lives there); the hash is taken over the canonical binary form:
 * SHA-256(0x02 || SY_DIGEST_GENESIS || 32 zero bytes || encoding).
 *
 *   genesis  u32 format | i64 created_ms | u32 protocol | u32 regulators_needed
 *            | i64 credential_ms_max | u64 record_bytes_max | roster (roster.h)
 *            | u16 regulator count (1 to 16), 32 a key */
#ifndef SY_WIRE_GENESIS_H
#define SY_WIRE_GENESIS_H

#include "core/wire/roster.h"

#define SY_GENESIS_FORMAT 1
#define SY_NETWORK_TAG_BYTES 16

/* Parameters that execution reads (param.set may change them later). */
struct sy_params {
    uint32_t regulators_needed; /* signatures of regulators for suspend and reinstate */
    int64_t credential_ms_max;
    uint64_t record_bytes_max;
    /* Not the genesis's: they begin as sy_params_of_research has them (state.h). */
    uint32_t research_k;     /* people that a count which is told stands for, at least */
    uint32_t research_cells; /* that a researcher asks for in an epoch */
    uint32_t dataset_cells;  /* that a data set answers in an epoch */
    uint32_t research_days;  /* in an epoch */
};

struct sy_genesis {
    uint32_t format;
    int64_t created_ms;
    uint32_t protocol;
    struct sy_params params;
    struct sy_roster roster; /* epoch 0 */
    uint16_t regulator_count;
    struct sy_public_key regulators[SY_REGULATORS_MAX];
    /* derived by decode and by sy_genesis_seal: */
    struct sy_hash hash;
};

/* The longest encoding: for buffers of makers. */
#define SY_GENESIS_BYTES_MAX \
    (4 + 8 + 4 + (4 + 8 + 8) + SY_ROSTER_BYTES_MAX + 2 + SY_REGULATORS_MAX * 32)

void sy_genesis_encode(struct sy_writer *w, const struct sy_genesis *genesis);
/* sy_genesis_decode reads one genesis and seals it. */
bool sy_genesis_decode(struct sy_reader *r, struct sy_genesis *genesis);
/* sy_genesis_seal checks every bound, that no key stands twice, that every key may be enrolled
 * (sy_key_enrollable), and computes the hash. err (may be NULL) says which member is wrong. */
sy_status sy_genesis_seal(struct sy_genesis *genesis, struct sy_error *err);
static inline const uint8_t *sy_network_tag(const struct sy_genesis *genesis)
{
    return genesis->hash.bytes;
}

#endif
