/* cmd_stream_show.c: `systole stream coverage` and `gaps`: which time a stream was committed to,
 * and of which nothing is known, each entry proven.
 *
 * The stream's own entry says how many windows and gaps there are; they are numbered from 1 and
 * never change, so all of them together are complete as of the block that proves it. */
#include "core/client/cmd_stream.h"

struct run {
    const struct sy_cmd *cmd;
    struct sy_stream_asked asked;
    uint64_t first, last; /* of the windows that are shown; 0: to the newest */
    struct sy_hash id;
    sy_json json;
};

/* Everything but the texts, which the next answer takes away. */
static void tell_stream(struct run *run, const struct sy_stream *stream)
{
    const char *name = sy_stream_kind_find(stream->system, stream->kind)->name;
    if (!run->cmd->json) {
        printf("%s (%s %.*s) in %.*s, at most %u an hour; %u windows, %llu samples, %u gaps%s\n",
               name, sy_enum_word(&sy_enum_stream_system, stream->system), (int)stream->kind.size,
               (const char *)stream->kind.data, (int)stream->unit.size,
               (const char *)stream->unit.data, (unsigned)stream->rate, (unsigned)stream->commits,
               (unsigned long long)stream->samples, (unsigned)stream->gaps,
               stream->closed ? "; closed" : "");
        return;
    }
    sy_json_put_text(&run->json, "name", name);
    sy_json_put_u64(&run->json, "windows_there", stream->commits);
    sy_json_put_u64(&run->json, "samples", stream->samples);
    sy_json_put_u64(&run->json, "gaps_there", stream->gaps);
    sy_json_put_bool(&run->json, "closed", stream->closed);
}

/* An entry that must be there, since the stream's own says so. */
static sy_status ask_numbered(struct run *run, struct sy_slice *value, enum sy_state_kind kind,
                              uint64_t number, struct sy_error *err)
{
    sy_status status = sy_stream_ask(&run->asked, value, kind, &run->id, number, err);
    if (status != SY_ERR_NOT_FOUND || err->status != SY_OK) return status;
    return sy_fail(err, SY_ERR_CRYPTO, "number %llu is missing, and the stream says it is there",
                   (unsigned long long)number);
}

static void tell_time(const char *what, int64_t from_ms, int64_t to_ms)
{
    char from[SY_CMD_TIME_BYTES], to[SY_CMD_TIME_BYTES];
    sy_cmd_time(from, from_ms);
    sy_cmd_time(to, to_ms);
    printf("%-10s %s  to  %s", what, from, to);
}

static sy_status show_window(struct run *run, uint64_t number, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_stream_commit_entry entry;
    char what[32];
    SY_TRY(ask_numbered(run, &value, SY_STATE_STREAM_COMMIT, number, err));
    if (!sy_stream_commit_decode(&entry, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the window proven is of an unknown form: upgrade");
    }
    if (!run->cmd->json) {
        (void)snprintf(what, sizeof what, "%s#%llu", entry.gap ? "gap, " : "",
                       (unsigned long long)number);
        tell_time(what, entry.from_ms, entry.to_ms);
        printf("  %u samples%s\n", (unsigned)entry.samples, entry.backfill ? ", sent late" : "");
        return SY_OK;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_u64(&run->json, "sequence", number);
    sy_json_put_i64(&run->json, "from_ms", entry.from_ms);
    sy_json_put_i64(&run->json, "to_ms", entry.to_ms);
    sy_json_put_u64(&run->json, "samples", entry.samples);
    sy_json_put_bool(&run->json, "gap_before", entry.gap);
    sy_json_put_bool(&run->json, "backfill", entry.backfill);
    sy_json_put_u64(&run->json, "release", entry.release);
    sy_json_object_end(&run->json);
    return SY_OK;
}

static sy_status show_gap(struct run *run, uint64_t number, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_stream_gap gap;
    SY_TRY(ask_numbered(run, &value, SY_STATE_STREAM_GAP, number, err));
    if (!sy_stream_gap_decode(&gap, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the gap proven is of an unknown form: upgrade");
    }
    if (!run->cmd->json) {
        tell_time("missing", gap.from_ms, gap.to_ms);
        printf("  %lld s, before window #%u\n", (long long)((gap.to_ms - gap.from_ms) / 1000),
               (unsigned)gap.sequence);
        return SY_OK;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_i64(&run->json, "from_ms", gap.from_ms);
    sy_json_put_i64(&run->json, "to_ms", gap.to_ms);
    sy_json_put_u64(&run->json, "before_sequence", gap.sequence);
    sy_json_object_end(&run->json);
    return SY_OK;
}

static sy_status show_all(struct run *run, bool gaps, struct sy_error *err)
{
    struct sy_stream stream;
    SY_TRY(sy_cmd_hash(&run->id, "STREAM", run->cmd->words[0], err));
    SY_TRY(sy_stream_open_asked(&run->asked, err));
    SY_TRY(sy_stream_ask_whole(&run->asked, &stream, &run->id, err));
    tell_stream(run, &stream);
    uint64_t last = gaps ? stream.gaps : stream.commits;
    if (run->last != 0 && run->last < last) last = run->last;
    if (run->cmd->json) {
        sy_json_key(&run->json, gaps ? "gaps" : "windows");
        sy_json_array_begin(&run->json);
    }
    for (uint64_t number = run->first; number <= last; number++) {
        SY_TRY(gaps ? show_gap(run, number, err) : show_window(run, number, err));
    }
    if (run->cmd->json) sy_json_array_end(&run->json);
    return SY_OK;
}

static int show(struct sy_cmd *cmd, int argc, char **argv, bool gaps)
{
    static struct run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"first", SY_OPTION_NUMBER, &run.first, "N", "the first that is shown (1)", 1, UINT32_MAX},
        {"last", SY_OPTION_NUMBER, &run.last, "N", "the last that is shown (the newest)", 1,
         UINT32_MAX},
        {"proofs", SY_OPTION_TEXT, &run.asked.proofs, "DIR", "keep each proof (.syproof)", 0, 0},
        SY_STREAM_OPTIONS(run.asked),
    };
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    cmd->options = options;
    cmd->option_count = sizeof options / sizeof options[0];
    run.first = 1;
    if (!sy_cmd_parse(cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = cmd;
    if (cmd->json) sy_cmd_json_begin(&run.json);
    sy_status status = show_all(&run, gaps, &err);
    uint64_t height = run.asked.highest;
    sy_stream_close_asked(&run.asked);
    if (status != SY_OK) {
        if (cmd->json) sy_json_free(&run.json);
        return sy_cmd_fail(cmd, &err);
    }
    if (!cmd->json) {
        printf("each proven, up to block %llu\n", (unsigned long long)height);
        return SY_EXIT_DONE;
    }
    sy_json_put_u64(&run.json, "height", height);
    return sy_cmd_json_end(&run.json, SY_EXIT_DONE);
}

int sy_cmd_stream_coverage(int argc, char **argv)
{
    struct sy_cmd cmd = {.name = "stream coverage",
                         .arguments = "STREAM",
                         .about = "Shows which windows of time a stream was committed to, and how\n"
                                  "many samples each has; \"gap\" says that before it more than\n"
                                  "the stream's tolerance is missing. Every entry is proven.\n",
                         .words_min = 1,
                         .words_max = 1};
    return show(&cmd, argc, argv, false);
}

int sy_cmd_stream_gaps(int argc, char **argv)
{
    struct sy_cmd cmd = {.name = "stream gaps",
                         .arguments = "STREAM",
                         .about = "Shows the gaps of a stream: from when to when nothing was\n"
                                  "committed to, longer than the stream's tolerance. Every gap\n"
                                  "is proven, and that there is no other.\n",
                         .words_min = 1,
                         .words_max = 1};
    return show(&cmd, argc, argv, true);
}
