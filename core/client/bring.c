#include "core/client/bring.h"

#include "core/base/assert.h"

#define DAY_MS 86400000

static bool has(uint32_t set, uint16_t group)
{
    return (set & SY_SET_BIT(group)) != 0;
}

/* Records, bills, access, consents: in a digest at most. Emergencies and recalls: at once. */
static bool may_be_off(uint16_t group)
{
    return group == SY_NOTICES_CARE || group == SY_NOTICES_IDENTITY;
}

static bool may_wait(uint16_t group)
{
    return group != SY_NOTICES_EMERGENCY && group != SY_NOTICES_RECALLS;
}

enum sy_bring_how sy_bring_how(const struct sy_notify_choice *choice,
                               const struct sy_notice *notice)
{
    if (choice == NULL || !notice->shown) return SY_BRING_NOW;
    uint16_t group = sy_notice_group(notice->kind);
    if (group == 0) return SY_BRING_NOW; // a later version's: this one cannot tell what it is
    if (has(choice->off, group) && may_be_off(group)) return SY_BRING_NOT;
    return has(choice->digest, group) && may_wait(group) ? SY_BRING_DIGEST : SY_BRING_NOW;
}

int64_t sy_bring_day(int64_t time_ms)
{
    return time_ms / DAY_MS;
}

bool sy_digest_takes(const struct sy_digest *digest, const struct sy_notice *notice)
{
    if (digest->count == 0) return true;
    return digest->count < SY_DIGEST_MAX && digest->day == sy_bring_day(notice->time_ms);
}

void sy_digest_add(struct sy_digest *digest, const struct sy_notice *notice)
{
    SY_ASSERT(sy_digest_takes(digest, notice));
    if (digest->count == 0) digest->day = sy_bring_day(notice->time_ms);
    digest->notices[digest->count++] = *notice;
}
