/* refusal.h: refusal codes, one registry (refusal.def) used by receipts, CLI, HTTP and
 * libsystole. */
#ifndef SY_WIRE_REFUSAL_H
#define SY_WIRE_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

enum sy_refusal {
    SY_APPLIED = 0,
#define SY_REFUSAL(name, number, sentence, remedy) SY_##name = number,
#include "core/wire/refusal.def"
#undef SY_REFUSAL
};

/* Codes below are answers to a client, never in a receipt; codes from the second on consume the
 * nonce and so decide the transaction. */
#define SY_REFUSAL_ORDERED_FROM 32
#define SY_REFUSAL_DECIDES_FROM 48

struct sy_refusal_info {
    uint16_t number;
    const char *name;     /* "E_STALE_HEAD" */
    const char *sentence; /* what happened */
    const char *remedy;   /* what to do */
};

/* sy_refusal_info finds a code's entry; an unknown number gives an entry that says so. */
const struct sy_refusal_info *sy_refusal_info(uint16_t number);
/* sy_refusal_by_name finds "E_ROLE"; NULL: there is none. */
const struct sy_refusal_info *sy_refusal_by_name(const char *name);
/* Entry by position, for listings, SY_APPLIED first; NULL beyond the end. */
const struct sy_refusal_info *sy_refusal_at(unsigned position);
/* True when an ordered copy with this code (SY_APPLIED included) consumed its nonce, and so decides
 * the transaction. */
bool sy_refusal_decides(uint16_t number);

#endif
