/* may_words.c: see may_words.h. */
#include "core/client/may_words.h"

#include <stdio.h>

#include "core/client/cmd.h"

const char *sy_may_ground_word(enum sy_may_ground ground)
{
    switch (ground) {
    case SY_MAY_NO_SUBJECT: return "no such patient";
    case SY_MAY_NO_CREDENTIAL: return "no credential";
    case SY_MAY_SUSPENDED: return "organisation suspended";
    case SY_MAY_SELF: return "self";
    case SY_MAY_OVERSIGHT: return "oversight";
    case SY_MAY_EMERGENCY: return "emergency";
    case SY_MAY_DENIED: return "denied";
    case SY_MAY_GRANTED: return "granted";
    case SY_MAY_TREATMENT: return "treatment";
    default: return "nothing";
    }
}

const char *sy_may_ground_sentence(enum sy_may_ground ground)
{
    switch (ground) {
    case SY_MAY_NO_SUBJECT: return "there is no such patient";
    case SY_MAY_NO_CREDENTIAL: return "the key has no credential that holds";
    case SY_MAY_SUSPENDED: return "the key's organisation is suspended";
    case SY_MAY_SELF: return "it is the patient's own key";
    case SY_MAY_OVERSIGHT: return "it is the key of a regulator, or of an auditor who audits";
    case SY_MAY_EMERGENCY: return "the key broke the glass";
    case SY_MAY_DENIED: return "a consent forbids it";
    case SY_MAY_GRANTED: return "a consent allows it";
    case SY_MAY_TREATMENT: return "the key's organisation treats the patient";
    default: return "nothing allows it";
    }
}

const char *sy_may_miss_word(enum sy_may_miss miss)
{
    switch (miss) {
    case SY_MAY_MISS_EXPIRED: return "expired";
    case SY_MAY_MISS_EARLY: return "early";
    case SY_MAY_MISS_LABEL: return "label";
    case SY_MAY_MISS_CLASS: return "class";
    case SY_MAY_MISS_PURPOSE: return "purpose";
    case SY_MAY_MISS_ACTION: return "action";
    default: return "none";
    }
}

const char *sy_may_miss_sentence(enum sy_may_miss miss)
{
    switch (miss) {
    case SY_MAY_MISS_EXPIRED: return "it is over since";
    case SY_MAY_MISS_EARLY: return "it begins at";
    case SY_MAY_MISS_LABEL: return "it does not reach the record's label, or its having none";
    case SY_MAY_MISS_CLASS: return "it does not name the record's class";
    case SY_MAY_MISS_PURPOSE: return "it is not for this purpose";
    default: return "it does not let do that";
    }
}

void sy_may_say(char *out, size_t size, const struct sy_may_answer *answer)
{
    char id[80] = "", nearest[80] = "", time[SY_CMD_TIME_BYTES + 1] = "";
    const char *but = "";
    if (!sy_hash_is_zero(&answer->consent)) {
        memcpy(id, ", ", 2);
        sy_hex_encode(id + 2, answer->consent.bytes, sizeof answer->consent.bytes);
    }
    if (answer->miss != SY_MAY_MISS_NONE) {
        but = sy_hash_is_zero(&answer->missed) ? "; its organisation treats the patient, but: "
                                               : "; nearest is consent ";
        if (!sy_hash_is_zero(&answer->missed)) {
            sy_hex_encode(nearest, answer->missed.bytes, sizeof answer->missed.bytes);
            memcpy(nearest + 64, ", but: ", 8);
        }
        if (answer->missed_ms != 0) {
            time[0] = ' ';
            sy_cmd_time(time + 1, answer->missed_ms);
        }
    }
    (void)snprintf(out, size, "%s: %s%s%s%s%s%s", answer->allowed ? "allowed" : "not allowed",
                   sy_may_ground_sentence(answer->ground), id, but, nearest,
                   answer->miss != SY_MAY_MISS_NONE ? sy_may_miss_sentence(answer->miss) : "",
                   time);
}
