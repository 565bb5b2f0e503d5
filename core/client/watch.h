/* watch.h: a subject's notices one after the other, each proven, none missed.
 *
 * A watch knows the number that comes next and asks for it; only the notice of that number, under
 * the seals of a quorum, is given out. So there is no gap, whoever lies or dies: the next validator
 * is asked for the same number. What a validator could do is keep silent. Therefore a watch that is
 * told nothing looks now and then, with proof, how many events the ledger has counted about the
 * subject, and leaves a validator that says "nothing yet" when there is something.
 *
 * One thread at a time. */
#ifndef SY_CLIENT_WATCH_H
#define SY_CLIENT_WATCH_H

#include "core/client/asker.h"
#include "core/wire/notice.h"

typedef struct sy_watch sy_watch;

struct sy_watch_config {
    sy_asker *asker;          /* borrowed */
    const sy_secret_key *key; /* signs the reads; borrowed */
    uint8_t subject_kind;     /* enum sy_subject_kind */
    struct sy_hash subject;
    uint64_t from;   /* first number wanted, from 1 */
    uint8_t purpose; /* enum sy_purpose */
};

struct sy_notice {
    uint64_t number; /* among the subject's, from 1 */
    bool shown;      /* false: it is about something that this reader may not see, and nothing below
                        is filled; never so for the subject's own reads */
    uint16_t kind;   /* enum sy_event_kind */
    uint64_t global_number;
    struct sy_hash object; /* what happened to: a record, a consent, ... */
    struct sy_hash tx_id;
    uint64_t height;
    int64_t time_ms; /* of the block */
};

sy_status sy_watch_open(sy_watch **watch, const struct sy_watch_config *config,
                        struct sy_error *err);
void sy_watch_close(sy_watch *watch); /* NULL is fine */

/* sy_watch_next waits up to timeout_ms for the next notice, and a moment longer while validators
 * keep silent about one that the ledger has counted. SY_ERR_TIMEOUT: there is none yet, as far as
 * anybody shows; ask again. SY_ERR_PERMISSION: the key may not read them. SY_ERR_PRUNED: it
 * happened, and nobody that was asked keeps history so old. SY_ERR_NOT_FOUND: the ledger has
 * counted it, and nobody shows it. SY_ERR_NETWORK: nobody answers. After any of these the next call
 * goes on with the same number. */
sy_status sy_watch_next(sy_watch *watch, struct sy_notice *notice, int timeout_ms,
                        struct sy_error *err);

/* The number that comes next; whether notices that were fetched already wait. */
uint64_t sy_watch_number(const sy_watch *watch);
bool sy_watch_more(const sy_watch *watch);

/* The validator that told the newest notices; "" before any. */
const char *sy_watch_told_by(const sy_watch *watch);

#endif
