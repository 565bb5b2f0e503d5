/* at_time.h: how something stood at a height or a time gone by, told from what the newest state
 * says of it. Entries that only grow (a credential is issued, and revoked once) say it all; an
 * organisation's says it as far as it was not suspended and reinstated meanwhile. */
#ifndef SY_CLIENT_AT_TIME_H
#define SY_CLIENT_AT_TIME_H

#include "core/client/asker.h"
#include "core/wire/state.h"

/* Numbers from here on are times: as a height it is out of reach, as a time it is in 2001. */
#define SY_AT_TIME_FROM_MS 1000000000000ull
#define SY_AT_NOW UINT64_MAX

/* sy_block_at reads the block of a height, or the last one of a time or before it (block times
 * rise), or the newest (SY_AT_NOW); verified. Fails as sy_asker_block. */
sy_status sy_block_at(sy_asker *asker, struct sy_client_block *block, uint64_t at,
                      struct sy_error *err);

enum sy_at_verdict {
    SY_AT_VALID,
    SY_AT_NOT_ENROLLED, /* yet */
    SY_AT_EARLY,        /* before its window */
    SY_AT_EXPIRED,
    SY_AT_REVOKED,
    SY_AT_ORG_SUSPENDED,
    SY_AT_ORG_UNKNOWN /* its organisation was suspended or reinstated since, or before */
};

/* sy_credential_at judges a transaction key's credential at a block's height and time. org: its
 * organisation, with how many events the state has counted about it; NULL: it has none. */
enum sy_at_verdict sy_credential_at(const struct sy_credential *credential,
                                    const struct sy_org *org, uint64_t org_events, uint64_t height,
                                    int64_t time_ms);

/* sy_at_verdict_sentence is it in words. Static. */
const char *sy_at_verdict_sentence(enum sy_at_verdict verdict);

#endif
