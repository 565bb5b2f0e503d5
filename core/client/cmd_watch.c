/* cmd_watch.c: `systole watch`: a subject's notices, proven, one line each, none missed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/os.h"
#include "core/client/bring.h"
#include "core/client/cmd.h"
#include "core/wire/schema.h"

static const char about[] =
    "Tells what happened to SUBJECT, the id of a patient (or, with --kind, of an\n"
    "organisation, or a key): every event in the order of its number, verified\n"
    "against the genesis file, and then waits for more until it is stopped. It is\n"
    "told to a patient's own key and guardians, to an organisation's admins and\n"
    "gateways, and to a key itself.\n"
    "\n"
    "Without --from it goes on behind the last notice that was written out, whose\n"
    "number it keeps beside the client's store: one that was written just before a\n"
    "crash may come again, none is left out. With --json a notice is one JSON object\n"
    "in a line. --count N ends after N of them; --wait MS when none came for so long.\n"
    "\n"
    "What the patient switched off by notify.prefs is told by its number alone, and\n"
    "what shall come in a digest is told together at the end of its day (UTC), or of\n"
    "the watch; --all tells everything at once. A watch that is stopped before a digest\n"
    "is told begins again with the first notice that was to be in it.\n";

#define TURN_MS 30000
#define WAIT_FOR_EVER UINT64_MAX

struct watch_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *kind_word, *purpose_word;
    uint64_t from;  /* 0: behind the last one */
    uint64_t count; /* 0: no end */
    uint64_t wait_ms;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    sy_watch *watch;
    struct sy_watch_config config;
    char cursor[SY_CMD_PATH_MAX + 128]; /* file that keeps the number */
    bool all;
    bool has_choice;
    struct sy_notify_choice choice; /* the patient's */
    uint64_t off_from, off_to;      /* numbers switched off that no line tells yet; 0: none */
    struct sy_digest digest;
};

/* ---- where it goes on --------------------------------------------------------------------- */

static sy_status read_cursor(struct watch_run *run, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    unsigned long long next = 0;
    sy_status status = sy_os_read_file(&text, &size, run->cursor, 256, err);
    if (status == SY_ERR_NOT_FOUND) {
        run->config.from = 1;
        return SY_OK;
    }
    if (status != SY_OK) return status;
    int fields = sscanf((const char *)text, "next %20llu\n", &next);
    free(text);
    if (fields != 1 || next == 0) {
        return sy_fail(err, SY_ERR_CORRUPT, "%s is damaged: say --from", run->cursor);
    }
    run->config.from = next;
    return SY_OK;
}

static sy_status write_cursor(const struct watch_run *run, struct sy_error *err)
{
    char text[64];
    uint64_t next =
        run->digest.count > 0 ? run->digest.notices[0].number : sy_watch_number(run->watch);
    int size = snprintf(text, sizeof text, "next %llu\n", (unsigned long long)next);
    return sy_os_write_file(run->cursor, text, (size_t)size, 0600, err);
}

static sy_status find_cursor(struct watch_run *run, struct sy_error *err)
{
    char folder[SY_CMD_PATH_MAX + 32];
    char hex[65];
    (void)snprintf(folder, sizeof folder, "%s/watch", run->net->client);
    SY_TRY(sy_os_make_dirs(folder, 0700, err));
    sy_hex_encode(hex, run->config.subject.bytes, sizeof run->config.subject.bytes);
    (void)snprintf(run->cursor, sizeof run->cursor, "%s/%u-%s", folder,
                   (unsigned)run->config.subject_kind, hex);
    if (run->from == 0) return read_cursor(run, err);
    run->config.from = run->from;
    return SY_OK;
}

/* ---- telling ------------------------------------------------------------------------------ */

static void put_notice(sy_json *json, const struct sy_notice *notice)
{
    sy_json_object_begin(json);
    sy_json_put_u64(json, "number", notice->number);
    sy_json_put_bool(json, "shown", notice->shown);
    if (notice->shown) {
        sy_json_put_text(json, "kind", sy_event_name(notice->kind));
        sy_json_put_hex(json, "object", notice->object.bytes, sizeof notice->object.bytes);
        sy_json_put_u64(json, "height", notice->height);
        sy_json_put_i64(json, "time_ms", notice->time_ms);
        sy_json_put_hex(json, "tx_id", notice->tx_id.bytes, sizeof notice->tx_id.bytes);
        sy_json_put_u64(json, "global_number", notice->global_number);
    }
    sy_json_object_end(json);
}

static int put_line(sy_json *json)
{
    const char *text = sy_json_finish(json);
    int written = text ? puts(text) : EOF;
    sy_json_free(json);
    return written;
}

static int tell_json(const struct sy_notice *notice)
{
    sy_json json;
    sy_json_init_growing(&json, 4096);
    put_notice(&json, notice);
    return put_line(&json);
}

static int tell_text(const struct sy_notice *notice)
{
    char object[65], time[SY_CMD_TIME_BYTES];
    if (!notice->shown) {
        return printf("%llu not shown to this key\n", (unsigned long long)notice->number);
    }
    sy_hex_encode(object, notice->object.bytes, sizeof notice->object.bytes);
    sy_cmd_time(time, notice->time_ms);
    return printf("%llu %s %s block %llu %s\n", (unsigned long long)notice->number,
                  sy_event_name(notice->kind), object, (unsigned long long)notice->height, time);
}

/* Numbers that were switched off are accounted for before anything behind them is told. */
static int tell_off(struct watch_run *run)
{
    if (run->off_from == 0) return 0;
    unsigned long long from = run->off_from, to = run->off_to;
    run->off_from = 0;
    if (!run->cmd->json) {
        return from == to ? printf("%llu switched off\n", from)
                          : printf("%llu to %llu switched off\n", from, to);
    }
    sy_json json;
    sy_json_init_growing(&json, 4096);
    sy_json_object_begin(&json);
    sy_json_put_u64(&json, "switched_off_from", from);
    sy_json_put_u64(&json, "switched_off_to", to);
    sy_json_object_end(&json);
    return put_line(&json);
}

static int tell_digest(struct watch_run *run)
{
    struct sy_digest *digest = &run->digest;
    char day[SY_CMD_TIME_BYTES];
    int written = 0;
    unsigned count = digest->count;
    if (count == 0) return 0;
    digest->count = 0;
    sy_cmd_time(day, digest->notices[0].time_ms);
    if (run->cmd->json) {
        sy_json json;
        sy_json_init_growing(&json, 1u << 20);
        sy_json_object_begin(&json);
        sy_json_key(&json, "digest");
        sy_json_text_bytes(&json, day, 10);
        sy_json_key(&json, "notices");
        sy_json_array_begin(&json);
        for (unsigned i = 0; i < count; i++) put_notice(&json, &digest->notices[i]);
        sy_json_array_end(&json);
        sy_json_object_end(&json);
        return put_line(&json);
    }
    written = printf("digest of %.10s: %u notices\n", day, count);
    for (unsigned i = 0; i < count && written >= 0; i++) {
        written = fputs("  ", stdout) < 0 ? -1 : tell_text(&digest->notices[i]);
    }
    return written;
}

static sy_status check_out(int written, struct sy_error *err)
{
    if (written >= 0 && fflush(stdout) == 0) return SY_OK;
    return sy_fail(err, SY_ERR_IO, "standard output takes no more: %s", strerror(errno));
}

/* Whatever waits is told: the day is over, or the watch. */
static sy_status tell_rest(struct watch_run *run, struct sy_error *err)
{
    int written = tell_digest(run);
    if (written >= 0) written = tell_off(run);
    return check_out(written, err);
}

static int tell_now(struct watch_run *run, const struct sy_notice *notice)
{
    int written = tell_off(run);
    if (written < 0) return written;
    return run->cmd->json ? tell_json(notice) : tell_text(notice);
}

/* What the patient chose, as far as this key is told; else everything is brought. */
static void read_choice(struct watch_run *run)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = SY_STATE_NOTIFY_PREFS,
                                   .id = run->config.subject,
                                   .purpose = run->config.purpose};
    static struct sy_proven answer;
    struct sy_error ignored = {SY_OK, ""};
    if (run->all || run->config.subject_kind != SY_SUBJECT_PATIENT) return;
    sy_status status = sy_asker_read(run->asker, &answer, &read, run->key, 60000, &ignored);
    run->has_choice = status == SY_OK && answer.proof.state.present &&
                      sy_notify_choice_decode(&run->choice, answer.proof.state.value);
    sy_proven_free(&answer);
}

/* Written out first, and its number kept afterwards: at least once. */
static sy_status tell(struct watch_run *run, const struct sy_notice *notice, struct sy_error *err)
{
    int written = 0;
    if (notice->shown && notice->kind == SY_EVENT_NOTIFY_CHANGED) read_choice(run);
    switch (sy_bring_how(run->has_choice ? &run->choice : NULL, notice)) {
    case SY_BRING_NOW: written = tell_now(run, notice); break;
    case SY_BRING_DIGEST:
        if (!sy_digest_takes(&run->digest, notice)) written = tell_digest(run);
        sy_digest_add(&run->digest, notice);
        break;
    case SY_BRING_NOT:
        if (run->off_from != 0 && run->off_to + 1 != notice->number) written = tell_off(run);
        if (run->off_from == 0) run->off_from = notice->number;
        run->off_to = notice->number;
    }
    SY_TRY(check_out(written, err));
    return sy_watch_more(run->watch) ? SY_OK : write_cursor(run, err);
}

/* ---- the command -------------------------------------------------------------------------- */

static sy_status take_words(struct watch_run *run, struct sy_error *err)
{
    uint16_t kind = SY_SUBJECT_PATIENT;
    SY_TRY(sy_cmd_hash(&run->config.subject, "subject", run->cmd->words[0], err));
    if (run->kind_word) {
        static const char *const words[] = {[SY_SUBJECT_ORG] = "organisation",
                                            [SY_SUBJECT_KEY] = "key",
                                            [SY_SUBJECT_PATIENT] = "patient"};
        for (kind = SY_SUBJECT_ORG; kind <= SY_SUBJECT_PATIENT; kind++) {
            if (strcmp(run->kind_word, words[kind]) == 0) break;
        }
    }
    if (kind > SY_SUBJECT_PATIENT) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--kind is patient, organisation or key, not '%.40s'",
                       run->kind_word);
    }
    run->config.subject_kind = (uint8_t)kind;
    run->config.purpose =
        kind == SY_SUBJECT_PATIENT ? (uint8_t)SY_PURPOSE_SELF : (uint8_t)SY_PURPOSE_OPERATIONS;
    return run->purpose_word ? sy_cmd_purpose(&run->config.purpose, run->purpose_word, err) : SY_OK;
}

static bool may_pass(sy_status status)
{
    return status == SY_ERR_TIMEOUT || status == SY_ERR_NETWORK || status == SY_ERR_CLOSED ||
           status == SY_ERR_BUSY || status == SY_ERR_NOT_FOUND;
}

/* Tells notices until there are enough, or none came for as long as was said. What passes by itself
 * (nobody answers, nobody has it yet) is waited for like the next notice. */
static sy_status watch_on(struct watch_run *run, struct sy_error *err)
{
    uint64_t told = 0, since_ns = sy_os_monotonic_ns();
    read_choice(run);
    while (run->count == 0 || told < run->count) {
        struct sy_notice notice;
        bool over = run->digest.count > 0 && run->digest.day < sy_bring_day(sy_os_wall_ms());
        if (over && !sy_watch_more(run->watch)) SY_TRY(tell_rest(run, err));
        uint64_t waited_ms = (sy_os_monotonic_ns() - since_ns) / 1000000u;
        uint64_t left_ms = waited_ms < run->wait_ms ? run->wait_ms - waited_ms : 0;
        int turn_ms = left_ms < TURN_MS ? (int)left_ms : TURN_MS;
        sy_status status = sy_watch_next(run->watch, &notice, turn_ms, err);
        if (status == SY_OK) {
            SY_TRY(tell(run, &notice, err));
            told++;
            since_ns = sy_os_monotonic_ns();
            continue;
        }
        if (!may_pass(status)) return status;
        waited_ms = (sy_os_monotonic_ns() - since_ns) / 1000000u;
        if (run->wait_ms != WAIT_FOR_EVER && waited_ms >= run->wait_ms) {
            return status == SY_ERR_TIMEOUT && run->count == 0 ? SY_OK : status;
        }
        const struct timespec pause = {.tv_nsec = 200000000};
        if (status != SY_ERR_TIMEOUT) (void)nanosleep(&pause, NULL);
    }
    return SY_OK;
}

static sy_status run_watch(struct watch_run *run, struct sy_error *err)
{
    SY_TRY(take_words(run, err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 2000, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    SY_TRY(find_cursor(run, err));
    run->config.asker = run->asker;
    run->config.key = run->key;
    SY_TRY(sy_watch_open(&run->watch, &run->config, err));
    sy_status status = watch_on(run, err);
    struct sy_error ignored = {SY_OK, ""};
    sy_status rest = tell_rest(run, status == SY_OK ? err : &ignored);
    if (rest == SY_OK) rest = write_cursor(run, status == SY_OK ? err : &ignored);
    return status == SY_OK ? rest : status;
}

int sy_cmd_watch(int argc, char **argv)
{
    static struct watch_run run;
    const struct sy_option options[] = {
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        {"kind", SY_OPTION_TEXT, &run.kind_word, "KIND",
         "what SUBJECT is: patient, organisation or key (patient)", 0, 0},
        {"from", SY_OPTION_NUMBER, &run.from, "N", "the first number (behind the last one told)", 1,
         UINT64_MAX},
        {"count", SY_OPTION_NUMBER, &run.count, "N", "how many (no end)", 1, UINT64_MAX},
        {"wait", SY_OPTION_NUMBER, &run.wait_ms, "MS",
         "how long to wait for the next one (for ever)", 0, 86400000},
        {"all", SY_OPTION_SWITCH, &run.all, NULL, "whatever notify.prefs says, and at once", 0, 0},
        {"purpose", SY_OPTION_TEXT, &run.purpose_word, "PURPOSE",
         "why (self for a patient, else operations)", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "watch",
                         .arguments = "SUBJECT",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    struct sy_error err = {SY_OK, ""};
    int exit_code;
    run.wait_ms = WAIT_FOR_EVER;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    sy_status status = run_watch(&run, &err);
    exit_code = status == SY_OK ? SY_EXIT_DONE : sy_cmd_fail(&cmd, &err);
    sy_watch_close(run.watch);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}
