/* find.h: searching the directory: organisations and credentials by what they are, and the data
 * sets for research that there are.
 *
 * A FIND request (request.h) is a signed READ with subject FIND, whose id is the leaf hash of the
 * query behind it:
 *
 *   query   u8 what (a state kind: organisation, credential or dataset) | u8 active (enum
 * sy_find_active) | u8 digits, 32 id: only ids, or keys, that begin with so many hex digits; the
 * rest zero | u8 flags (1 organisation, 2 name, 4 behind) | u16 organisation's kind, 0: any | u16
 * role, 0: any | bytes16 specialty, empty: any | [32 organisation] | [32 name hash] | [32 behind:
 * the id that the page before ended with] | u16 max FOUND   u64 next: blocks below are looked at |
 * u64 from: and none of those from here on was passed over (0: none at all) | u8 more | 32 last id
 * looked at, when more | u16 count, 32 an id
 *
 * What is found is one validator's word, from an index that the ledger does not read. That an entry
 * is there and is what was searched for its state proof says, which whoever searches asks for by
 * the id; that there are no others nothing says. A page ends when it is full or when a bounded
 * number of entries was looked at, so it may be empty and yet not the last. The order is that of
 * the ids, so the next page begins where this one ended, whatever was added meanwhile. */
#ifndef SY_WIRE_FIND_H
#define SY_WIRE_FIND_H

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/state.h"

#define SY_FIND_MAX 128u /* ids in one answer */
#define SY_FIND_BYTES_MAX (1 + 1 + 1 + 32 + 1 + 2 + 2 + 2 + SY_CODE_BYTES_MAX + 3 * 32 + 2)

enum sy_find_active { SY_FIND_ANY = 0, SY_FIND_ACTIVE = 1, SY_FIND_INACTIVE = 2 };

struct sy_find {
    uint8_t what;   /* SY_STATE_ORG, SY_STATE_CREDENTIAL or SY_STATE_DATASET */
    uint8_t active; /* enum sy_find_active, at the newest certified block's time */
    uint8_t digits; /* 0 to 64 */
    struct sy_hash prefix;
    bool has_organisation, has_name, has_behind;
    uint16_t org_kind;           /* enum sy_org_kind; organisations only */
    uint16_t role;               /* enum sy_role; credentials only */
    struct sy_slice specialty;   /* borrowed; credentials only */
    struct sy_hash organisation; /* whose credentials; credentials only */
    struct sy_hash name_hash;    /* organisations only */
    struct sy_hash behind;
    uint16_t max; /* 1 to SY_FIND_MAX */
};

void sy_find_encode(struct sy_writer *w, const struct sy_find *find);
/* sy_find_decode: false when it is not canonical or asks what there is not. */
bool sy_find_decode(struct sy_find *find, struct sy_slice bytes);

/* sy_find_begins_with: the id begins with the first `digits` hex digits of prefix. */
bool sy_find_begins_with(const struct sy_hash *id, const struct sy_hash *prefix, uint8_t digits);

/* sy_find_org and sy_find_credential say whether an entry is what was searched for, its id aside.
 * suspended: the credential's organisation is. */
bool sy_find_org(const struct sy_find *find, const struct sy_org *org);
bool sy_find_credential(const struct sy_find *find, const struct sy_credential *credential,
                        bool suspended, int64_t time_ms);

/* sy_find_dataset likewise; what a data set has, whoever searches asks its versions for. */
bool sy_find_dataset(const struct sy_find *find, bool withdrawn);

struct sy_found {
    uint64_t next, from;
    bool more;
    struct sy_hash last; /* when more */
    uint16_t count;
    struct sy_hash ids[SY_FIND_MAX];
};
void sy_found_encode(struct sy_writer *w, const struct sy_found *found);
bool sy_found_decode(struct sy_reader *r, struct sy_found *found);

#endif
