/* bring.h: how a patient wants notices brought (notify.prefs), applied to one after the other.
 *
 * What is brought is a choice of presentation: every notice has its number, and one that is not
 * brought or waits for a digest is not missing. What may not be switched off is brought whatever
 * the choice says, emergencies and recalls at once. Pure; any thread. */
#ifndef SY_CLIENT_BRING_H
#define SY_CLIENT_BRING_H

#include "core/client/watch.h"
#include "core/wire/state.h"

enum sy_bring_how {
    SY_BRING_NOW,
    SY_BRING_DIGEST, /* together with others of its day */
    SY_BRING_NOT     /* switched off */
};

/* sy_bring_how: choice may be NULL, which is no wish. A notice that is not shown has no kind, and
 * is brought. */
enum sy_bring_how sy_bring_how(const struct sy_notify_choice *choice,
                               const struct sy_notice *notice);

/* sy_bring_day is the day of a block time, UTC, counted from 1970. */
int64_t sy_bring_day(int64_t time_ms);

/* Notices that wait for the end of their day. */
#define SY_DIGEST_MAX 512u
struct sy_digest {
    unsigned count;
    int64_t day;
    struct sy_notice notices[SY_DIGEST_MAX];
};

/* sy_digest_takes: the notice belongs to it and has room; if not, tell and empty it first. */
bool sy_digest_takes(const struct sy_digest *digest, const struct sy_notice *notice);
void sy_digest_add(struct sy_digest *digest, const struct sy_notice *notice); /* it takes it */

#endif
