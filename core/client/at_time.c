#include "core/client/at_time.h"

#include "core/base/assert.h"

static sy_status find_time(sy_asker *asker, struct sy_client_block *block, int64_t time_ms,
                           struct sy_error *err)
{
    SY_TRY(sy_asker_block(asker, block, SY_HEIGHT_NEWEST, err));
    uint64_t low = 0, high = block->header.height;
    if (block->header.time_ms <= time_ms) return SY_OK;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        SY_TRY(sy_asker_block(asker, block, middle, err));
        if (block->header.time_ms <= time_ms) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return sy_asker_block(asker, block, low, err);
}

sy_status sy_block_at(sy_asker *asker, struct sy_client_block *block, uint64_t at,
                      struct sy_error *err)
{
    if (at == SY_AT_NOW) return sy_asker_block(asker, block, SY_HEIGHT_NEWEST, err);
    if (at >= SY_AT_TIME_FROM_MS) return find_time(asker, block, (int64_t)at, err);
    return sy_asker_block(asker, block, at, err);
}

/* An organisation's first event is its registration. So one event means that it was never
 * suspended; two of a suspended one, that it was active until then. */
static enum sy_at_verdict org_at(const struct sy_org *org, uint64_t events, uint64_t height)
{
    if (org->suspended && org->suspended_height <= height) return SY_AT_ORG_SUSPENDED;
    bool plain = events <= 1 || (org->suspended && events == 2);
    return plain ? SY_AT_VALID : SY_AT_ORG_UNKNOWN;
}

enum sy_at_verdict sy_credential_at(const struct sy_credential *credential,
                                    const struct sy_org *org, uint64_t org_events, uint64_t height,
                                    int64_t time_ms)
{
    SY_ASSERT(credential->use == SY_KEY_TX);
    if (height < credential->issued_height) return SY_AT_NOT_ENROLLED;
    if (credential->revoked && credential->revoked_height <= height) return SY_AT_REVOKED;
    if (time_ms < credential->not_before_ms) return SY_AT_EARLY;
    if (time_ms > credential->not_after_ms) return SY_AT_EXPIRED;
    return org ? org_at(org, org_events, height) : SY_AT_VALID;
}

const char *sy_at_verdict_sentence(enum sy_at_verdict verdict)
{
    static const char *const sentences[] = {
        [SY_AT_VALID] = "it was valid",
        [SY_AT_NOT_ENROLLED] = "it was not enrolled yet",
        [SY_AT_EARLY] = "its window had not begun",
        [SY_AT_EXPIRED] = "it had expired",
        [SY_AT_REVOKED] = "it was revoked",
        [SY_AT_ORG_SUSPENDED] = "its organisation was suspended",
        [SY_AT_ORG_UNKNOWN] = "it was, unless its organisation was suspended then",
    };
    return sentences[verdict];
}
