/* at_time.h: how something stood at a height or a time gone by, told from what the newest state
 * says of it: entries only grow. A credential is issued, and revoked once; each suspension of an
 * organisation has an entry of its own (core/wire/state_org.h). valid.h proves what is judged here.
 */
#ifndef SY_CLIENT_AT_TIME_H
#define SY_CLIENT_AT_TIME_H

#include "core/client/asker.h"
#include "core/wire/state.h"

/* Numbers from here on are times: as a height it is out of reach, as a time it is in 2001. */
#define SY_AT_TIME_FROM_MS 1000000000000ull
#define SY_AT_NOW UINT64_MAX

/* sy_block_at reads the block of a height, or the last one of a time or before it (block times
 * rise), or the newest (SY_AT_NOW); verified. Of block 0, which a time before block 1 is, only
 * height and time are told. The newest is one validator's word, as of sy_asker_block: expect what
 * was just read of the state first (sy_asker_expect). Fails as sy_asker_block. */
sy_status sy_block_at(sy_asker *asker, struct sy_client_block *block, uint64_t at,
                      struct sy_error *err);

enum sy_at_verdict {
    SY_AT_VALID,
    SY_AT_NOT_ENROLLED, /* yet */
    SY_AT_EARLY,        /* before its window */
    SY_AT_EXPIRED,
    SY_AT_REVOKED,
    SY_AT_ORG_SUSPENDED
};

/* sy_credential_is_of_org: does its organisation's suspension stop it? Regulators, patients and
 * guardians have none, and a validator logs what is read through it whatever becomes of its own. */
bool sy_credential_is_of_org(const struct sy_credential *credential);

/* sy_credential_at judges a transaction key's credential after the block of this height, at this
 * time. last: of its organisation's suspensions that began at this height or before it, the last
 * one; NULL: there is none, or it is of no organisation. */
enum sy_at_verdict sy_credential_at(const struct sy_credential *credential,
                                    const struct sy_suspension *last, uint64_t height,
                                    int64_t time_ms);

/* sy_at_verdict_sentence is it in words. Static. */
const char *sy_at_verdict_sentence(enum sy_at_verdict verdict);

#endif
