/* roster.h: the validators of an epoch, and the only place that knows quorum sizes.
 *
 *   roster     u32 epoch | u16 count | validators; a validator's place is its index everywhere
 *   validator  bytes16 name | 32 organisation | 32 consensus key | 32 link key | 32 admin key
 *              | bytes16 control address | bytes16 bulk address | bytes16 client address */
#ifndef SY_WIRE_ROSTER_H
#define SY_WIRE_ROSTER_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"

/* Texts are filled up with zeros: equal validators are equal bytes. */
struct sy_validator {
    char name[SY_NAME_BYTES_MAX + 1];
    struct sy_hash organisation;
    struct sy_public_key consensus_key; /* votes, batches, seals */
    struct sy_public_key link_key;      /* TLS between validators and towards clients */
    struct sy_public_key admin_key;     /* approvals */
    char control_address[SY_ADDRESS_BYTES_MAX + 1];
    char bulk_address[SY_ADDRESS_BYTES_MAX + 1];
    char client_address[SY_ADDRESS_BYTES_MAX + 1];
};

struct sy_roster {
    uint32_t epoch;
    uint16_t count;
    struct sy_validator validators[SY_VALIDATORS_MAX];
};

/* f, quorum and weak for n validators: f = floor((n-1)/3), quorum = floor((n+f)/2)+1, weak = f+1.
 * Any two quorums share a correct validator; any weak set holds one. n >= 1. */
static inline unsigned sy_faulty_max(unsigned n)
{
    return (n - 1) / 3;
}
static inline unsigned sy_quorum(unsigned n)
{
    return (n + sy_faulty_max(n)) / 2 + 1;
}
static inline unsigned sy_weak(unsigned n)
{
    return sy_faulty_max(n) + 1;
}

/* The longest encoding: for buffers of makers. */
#define SY_ROSTER_BYTES_MAX \
    (4 + 2 + SY_VALIDATORS_MAX * (2 + SY_NAME_BYTES_MAX + 4 * 32 + 3 * (2 + SY_ADDRESS_BYTES_MAX)))

/* sy_roster_find is the index of a consensus key, or -1. */
int sy_roster_find(const struct sy_roster *roster, const struct sy_public_key *consensus_key);
/* sy_roster_holds says whether a key is one of a validator's, in whichever role. */
bool sy_roster_holds(const struct sy_roster *roster, const struct sy_public_key *key);
void sy_roster_encode(struct sy_writer *w, const struct sy_roster *roster);
/* sy_roster_check judges what a decoder and a person's file must both keep: SY_VALIDATORS_MIN to
 * SY_VALIDATORS_MAX validators; names of 1 to SY_NAME_BYTES_MAX printable ASCII characters without
 * a space at either end, all different; addresses that links can dial (core/base/address.h), so
 * not "*"; all keys different, whatever their role. err (may be NULL) says which validator. */
sy_status sy_roster_check(const struct sy_roster *roster, struct sy_error *err);
/* sy_roster_wrong names the member that a roster fails by whose size and keys are good: the first
 * bad address, or "name". */
const char *sy_roster_wrong(const struct sy_roster *roster);
/* sy_roster_decode reads one roster and applies sy_roster_check. */
bool sy_roster_decode(struct sy_reader *r, struct sy_roster *roster);
/* sy_roster_hash is digest(ROSTER, encoding). */
void sy_roster_hash(struct sy_hash *out, const struct sy_hash *genesis,
                    const struct sy_roster *roster);

#endif
