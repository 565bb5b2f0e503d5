#include "core/client/at_time.h"

#include "core/base/assert.h"

/* Block 0 has no certificate: of it the genesis tells all that anybody asks for here. */
static sy_status begin_at_genesis(const sy_asker *asker, struct sy_client_block *block)
{
    memset(block, 0, sizeof *block);
    block->header.time_ms = sy_asker_genesis(asker)->created_ms;
    return SY_OK;
}

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
    return low > 0 ? sy_asker_block(asker, block, low, err) : begin_at_genesis(asker, block);
}

sy_status sy_block_at(sy_asker *asker, struct sy_client_block *block, uint64_t at,
                      struct sy_error *err)
{
    if (at == SY_AT_NOW) return sy_asker_block(asker, block, SY_HEIGHT_NEWEST, err);
    if (at >= SY_AT_TIME_FROM_MS) return find_time(asker, block, (int64_t)at, err);
    return at > 0 ? sy_asker_block(asker, block, at, err) : begin_at_genesis(asker, block);
}

bool sy_credential_is_of_org(const struct sy_credential *credential)
{
    // As execution judges its signers (core/ledger/exec.c).
    return credential->role != SY_ROLE_REGULATOR && credential->role != SY_ROLE_PATIENT &&
           credential->role != SY_ROLE_GUARDIAN && credential->role != SY_ROLE_VALIDATOR;
}

enum sy_at_verdict sy_credential_at(const struct sy_credential *credential,
                                    const struct sy_suspension *last, uint64_t height,
                                    int64_t time_ms)
{
    SY_ASSERT(credential->use == SY_KEY_TX);
    SY_ASSERT(!last || last->begun.height <= height);
    if (height < credential->issued_height) return SY_AT_NOT_ENROLLED;
    if (credential->revoked && credential->revoked_height <= height) return SY_AT_REVOKED;
    if (time_ms < credential->not_before_ms) return SY_AT_EARLY;
    if (time_ms > credential->not_after_ms) return SY_AT_EXPIRED;
    return last && sy_suspension_at(last, height) ? SY_AT_ORG_SUSPENDED : SY_AT_VALID;
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
    };
    return sentences[verdict];
}
