#include "core/client/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/state.h"

#define WAIT_MS 2000 /* how long a validator keeps one question: a dead one costs no more */
#define AT_ONCE 64u  /* notices in one answer */
#define PAUSE_MS 100 /* before a question that was not kept is asked again */
#define COUNT_EVERY_NS 5000000000ull
#define COUNT_AGE_MS 60000 /* an older count could hide as much as silence */

struct sy_watch {
    struct sy_watch_config config;
    uint64_t next;
    struct sy_client_notices *batch;
    unsigned at;         /* the next of the batch */
    uint64_t counted;    /* events that the ledger was proven to have */
    uint64_t counted_ns; /* when that was asked last; 0: never */
    unsigned silences;   /* answers of nothing in a row, though there was something */
    unsigned hidden;     /* answers in a row that the next one is not shown to this key */
    unsigned hidden_run; /* so many from the next one on, all of those said */
    char told_by[SY_NAME_BYTES_MAX + 1];
};

sy_status sy_watch_open(sy_watch **out, const struct sy_watch_config *config, struct sy_error *err)
{
    SY_ASSERT(config->from >= 1);
    sy_watch *watch = (sy_watch *)calloc(1, sizeof *watch);
    if (watch) watch->batch = (struct sy_client_notices *)calloc(1, sizeof *watch->batch);
    if (!watch || !watch->batch) {
        sy_watch_close(watch);
        return sy_fail(err, SY_ERR_NO_MEMORY, "watch: no memory");
    }
    watch->config = *config;
    watch->next = config->from;
    *out = watch;
    return SY_OK;
}

void sy_watch_close(sy_watch *watch)
{
    if (!watch) return;
    free(watch->batch);
    free(watch);
}

uint64_t sy_watch_number(const sy_watch *watch)
{
    return watch->next;
}

bool sy_watch_more(const sy_watch *watch)
{
    return watch->at < watch->batch->count;
}

const char *sy_watch_told_by(const sy_watch *watch)
{
    return watch->told_by;
}

/* ---- how many there are ------------------------------------------------------------------- */

static bool count_of(uint64_t *count, uint8_t subject_kind, struct sy_slice value)
{
    struct sy_patient patient;
    struct sy_credential credential;
    if (subject_kind == SY_SUBJECT_ORG) return sy_count_decode(count, value);
    if (subject_kind == SY_SUBJECT_KEY) {
        bool decoded = sy_credential_decode(&credential, value);
        *count = decoded ? credential.events : 0;
        return decoded;
    }
    bool decoded = sy_patient_decode(&patient, value);
    *count = decoded ? patient.events : 0;
    return decoded;
}

static uint8_t entry_of(uint8_t subject_kind)
{
    switch (subject_kind) {
    case SY_SUBJECT_ORG: return SY_STATE_ORG_EVENTS;
    case SY_SUBJECT_KEY: return SY_STATE_CREDENTIAL;
    default: return SY_STATE_PATIENT;
    }
}

/* Reads with proof how many events there are. Who may not read that (a guardian) is not helped by
 * it; who can is not kept in the dark by one validator. */
static void count_events(sy_watch *watch)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = entry_of(watch->config.subject_kind),
                                   .id = watch->config.subject,
                                   .purpose = watch->config.purpose};
    struct sy_proven *proven = (struct sy_proven *)calloc(1, sizeof *proven);
    struct sy_error ignored = {SY_OK, ""};
    uint64_t count = 0;
    watch->counted_ns = sy_os_monotonic_ns();
    if (!proven) return;
    sy_status status = sy_asker_read(watch->config.asker, proven, &read, watch->config.key,
                                     COUNT_AGE_MS, &ignored);
    if (status == SY_OK && proven->proof.state.present &&
        count_of(&count, watch->config.subject_kind, proven->proof.state.value) &&
        count > watch->counted) {
        watch->counted = count;
    }
    sy_proven_free(proven);
    free(proven);
}

/* ---- asking ------------------------------------------------------------------------------- */

/* That a notice is not for this key is proven by nothing. So only what is shown is taken at once;
 * the rest when as many as there are validators have been asked in turn and none shows it. */
static void weigh_hidden(sy_watch *watch)
{
    struct sy_client_notices *batch = watch->batch;
    bool shown = batch->items[0].shown;
    unsigned run = 1;
    while (run < batch->count && batch->items[run].shown == shown) run++;
    batch->count = (uint16_t)run;
    if (shown) {
        watch->hidden = 0;
        return;
    }
    if (watch->hidden == 0 || run < watch->hidden_run) watch->hidden_run = run;
    const struct sy_roster *roster = sy_epochs_newest(sy_asker_epochs(watch->config.asker));
    sy_asker_pass(watch->config.asker);
    bool believed = ++watch->hidden >= roster->count;
    batch->count = believed ? (uint16_t)watch->hidden_run : 0;
    if (believed) watch->hidden = 0;
}

static sy_status ask(sy_watch *watch, uint32_t wait_ms, struct sy_error *err)
{
    struct sy_notices_asked asked = {.subject_kind = watch->config.subject_kind,
                                     .subject = watch->config.subject,
                                     .from = watch->next,
                                     .max = AT_ONCE,
                                     .wait_ms = wait_ms};
    struct sy_read_request read = {.purpose = watch->config.purpose};
    sy_read_notices(&read, &asked);
    watch->at = 0;
    watch->batch->count = 0;
    SY_TRY(sy_asker_notices(watch->config.asker, watch->batch, &read, watch->config.key, err));
    if (watch->batch->count == 0) return SY_OK;
    memcpy(watch->told_by, watch->batch->told_by, sizeof watch->told_by);
    watch->silences = 0;
    weigh_hidden(watch);
    return SY_OK;
}

/* A validator had nothing to tell. Whether that can be is looked up now and then, and then at once
 * with the others, as long as it cannot. */
static sy_status doubt(sy_watch *watch, struct sy_error *err)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    if (watch->counted < watch->next &&
        (watch->counted_ns == 0 || now_ns - watch->counted_ns >= COUNT_EVERY_NS)) {
        count_events(watch);
    }
    if (watch->counted < watch->next) return SY_OK;
    const struct sy_roster *roster = sy_epochs_newest(sy_asker_epochs(watch->config.asker));
    sy_asker_pass(watch->config.asker);
    if (++watch->silences <= 3u * roster->count) return SY_OK;
    watch->silences = 0;
    return sy_fail(err, SY_ERR_NOT_FOUND,
                   "the ledger has counted %llu events about this subject, and no validator shows "
                   "number %llu: those that keep that history may be down",
                   (unsigned long long)watch->counted, (unsigned long long)watch->next);
}

static void give(sy_watch *watch, struct sy_notice *notice)
{
    const struct sy_client_notice *told = &watch->batch->items[watch->at++];
    *notice = (struct sy_notice){.number = watch->next++, .shown = told->shown};
    SY_ASSERT(!told->shown || told->event.subject_number == notice->number);
    if (!told->shown) return;
    notice->kind = told->event.kind;
    notice->global_number = told->event.global_number;
    notice->object = told->event.object;
    notice->tx_id = told->tx_id;
    notice->height = told->height;
    notice->time_ms = told->time_ms;
}

static void pause_ms(int ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000l};
    (void)nanosleep(&time, NULL);
}

sy_status sy_watch_next(sy_watch *watch, struct sy_notice *notice, int timeout_ms,
                        struct sy_error *err)
{
    uint64_t end_ns = sy_os_monotonic_ns() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000000u;
    while (!sy_watch_more(watch)) {
        uint64_t now_ns = sy_os_monotonic_ns();
        uint64_t left_ms = now_ns < end_ns ? (end_ns - now_ns) / 1000000u + 1 : 0;
        // While the ledger has it, whoever has not yet is not waited for.
        bool overdue = watch->counted >= watch->next && watch->silences > 0;
        uint32_t wait_ms = left_ms < WAIT_MS ? (uint32_t)left_ms : WAIT_MS;
        unsigned hidden = watch->hidden;
        SY_TRY(ask(watch, overdue && wait_ms > 200 ? 200 : wait_ms, err));
        if (sy_watch_more(watch)) break;
        if (watch->hidden > hidden) continue; // the others are asked at once
        SY_TRY(doubt(watch, err));
        bool kept_back = watch->counted >= watch->next; // the others are asked, late as it is
        if (left_ms == 0 && !kept_back) {
            return sy_fail(err, SY_ERR_TIMEOUT, "number %llu has not happened yet",
                           (unsigned long long)watch->next);
        }
        // A validator with many to wait for answers at once.
        bool at_once = sy_os_monotonic_ns() - now_ns < PAUSE_MS * 1000000ull;
        if (at_once && (!overdue || left_ms == 0)) pause_ms(PAUSE_MS);
    }
    give(watch, notice);
    return SY_OK;
}
