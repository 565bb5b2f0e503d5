/* cmd_access.c: `systole access`, and `systole access log`: disclosures in, leaves kept, and the
 * fields of the access.log that commits to them out. */
#include "core/client/cmd_access.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/cmd.h"

#define INPUT_BYTES_MAX (64u << 20)

static const char log_about[] =
    "Reads disclosures, one JSON object a line:\n"
    "\n"
    "  {\"patient\": ID, \"reader\": KEY, \"purpose\": WORD, \"ground\": WORD, \"by\": ID,\n"
    "   \"record\": ID, \"version\": N, \"time_ms\": MS}\n"
    "\n"
    "ground is consent, break or care, each with the id `by` of it; or enrolled,\n"
    "request or oversight, without. record and version may be left out. Lines are\n"
    "sorted by time. Each gets a random salt and becomes a leaf; leaves are split into\n"
    "logs of at most 32 patients, 4096 leaves and a day. For each log two files are\n"
    "written into --out, both named by its random id: ID.leaves, which you keep, and\n"
    "ID.json, the fields for `systole tx make access.log ID.json`. A log that was not\n"
    "sent is sent by that file; do not run this again for the same disclosures.\n";

/* ---- a line -------------------------------------------------------------------------------- */

struct line {
    const char *path;
    unsigned number;
    struct sy_error *err;
};

static sy_status wrong(const struct line *line, const char *what)
{
    return sy_fail(line->err, SY_ERR_FORMAT, "%s:%u: %s", line->path, line->number, what);
}

/* 32 bytes in hex; absent: zero, if that may be. */
static sy_status take_hex(uint8_t out[32], const json_t *object, const char *name, bool required,
                          const struct line *line)
{
    char what[80];
    const json_t *value = json_object_get(object, name);
    (void)snprintf(what, sizeof what, "%s must be 64 hex digits", name);
    if (value == NULL) return required ? wrong(line, what) : SY_OK;
    bool good = json_is_string(value) && json_string_length(value) == 64 &&
                sy_hex_decode(out, 32, json_string_value(value));
    return good ? SY_OK : wrong(line, what);
}

static sy_status take_words(struct sy_disclosed *leaf, const json_t *object,
                            const struct line *line)
{
    const char *purpose = json_string_value(json_object_get(object, "purpose"));
    const char *ground = json_string_value(json_object_get(object, "ground"));
    struct sy_error ignored = {SY_OK, ""};
    uint8_t number = 0;
    if (purpose == NULL || sy_cmd_purpose(&number, purpose, &ignored) != SY_OK) {
        return wrong(line, "purpose must be treatment, payment, operations, self, audit, research, "
                           "public health or emergency");
    }
    leaf->purpose = number;
    leaf->ground = ground != NULL ? sy_ground_named(ground) : 0;
    if (leaf->ground != 0) return SY_OK;
    return wrong(line, "ground must be consent, break, care, enrolled, request or oversight");
}

static sy_status take_numbers(struct sy_disclosed *leaf, const json_t *object,
                              const struct line *line)
{
    const json_t *version = json_object_get(object, "version");
    const json_t *time = json_object_get(object, "time_ms");
    json_int_t number = json_integer_value(version), ms = json_integer_value(time);
    if (version != NULL && (!json_is_integer(version) || number < 1 || number > UINT32_MAX)) {
        return wrong(line, "version must be a whole number from 1 on");
    }
    if (!json_is_integer(time) || ms < 0 || ms > SY_TIME_MS_MAX) {
        return wrong(line, "time_ms must be milliseconds since 1970");
    }
    leaf->version = (uint32_t)number;
    leaf->time_ms = ms;
    return SY_OK;
}

static sy_status refuse_unknown(json_t *object, const struct line *line)
{
    static const char *const known[] = {"patient", "reader", "purpose", "ground",
                                        "by",      "record", "version", "time_ms"};
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        bool there = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            there = there || strcmp(known[i], name) == 0;
        }
        char what[120];
        (void)snprintf(what, sizeof what, "there is no member \"%.60s\"", name);
        if (!there) return wrong(line, what);
    }
    return SY_OK;
}

static sy_status take_object(struct sy_disclosed *leaf, json_t *object, const struct line *line)
{
    uint8_t bytes[SY_LEAF_BYTES];
    *leaf = (struct sy_disclosed){.version = 0};
    if (!json_is_object(object)) return wrong(line, "this is no JSON object");
    SY_TRY(refuse_unknown(object, line));
    SY_TRY(take_hex(leaf->patient.bytes, object, "patient", true, line));
    SY_TRY(take_hex(leaf->reader.bytes, object, "reader", true, line));
    SY_TRY(take_hex(leaf->record.bytes, object, "record", false, line));
    SY_TRY(take_hex(leaf->by.bytes, object, "by", false, line));
    SY_TRY(take_words(leaf, object, line));
    SY_TRY(take_numbers(leaf, object, line));
    sy_os_random(&leaf->salt, sizeof leaf->salt);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_disclosed again;
    sy_disclosed_encode(&w, leaf);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    if (sy_disclosed_decode(&r, &again)) return SY_OK;
    return wrong(line, "\"by\" goes with consent, break and care and with nothing else, and "
                       "version with record");
}

/* ---- all lines ----------------------------------------------------------------------------- */

struct log_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *genesis_path, *out;
    struct sy_genesis *genesis;
    struct sy_disclosed *leaves;
    size_t count, room;
    struct sy_hash *hashes; /* SY_LOG_LEAVES_MAX */
    uint8_t *file;          /* a log's bytes */
    unsigned logs;
    sy_json told;
};

static sy_status take_line(struct log_run *run, const char *text, size_t size,
                           const struct line *line)
{
    struct sy_disclosed leaf;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    sy_status status = take_object(&leaf, object, line);
    json_decref(object);
    SY_TRY(status);
    if (run->count == run->room) {
        size_t room = run->room ? 2 * run->room : 256;
        void *more = realloc(run->leaves, room * sizeof *run->leaves);
        if (!more) return sy_fail(line->err, SY_ERR_NO_MEMORY, "%s: no memory", line->path);
        run->leaves = (struct sy_disclosed *)more;
        run->room = room;
    }
    run->leaves[run->count++] = leaf;
    return SY_OK;
}

static sy_status take_lines(struct log_run *run, const char *path, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    struct line line = {.path = path, .err = err};
    SY_TRY(sy_cmd_read_input(&text, &size, path, INPUT_BYTES_MAX, err));
    sy_status status = SY_OK;
    for (size_t at = 0; status == SY_OK && at < size;) {
        const uint8_t *end = (const uint8_t *)memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        line.number++;
        size_t blank = 0;
        while (blank < length && strchr(" \t\r", text[at + blank]) && text[at + blank]) blank++;
        if (blank < length) status = take_line(run, (const char *)text + at, length, &line);
        at += length + 1;
    }
    free(text);
    if (status == SY_OK && run->count == 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s: there is nothing to log", path);
    }
    return status;
}

static int by_time(const void *a, const void *b)
{
    const struct sy_disclosed *x = (const struct sy_disclosed *)a;
    const struct sy_disclosed *y = (const struct sy_disclosed *)b;
    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

/* ---- logs ---------------------------------------------------------------------------------- */

/* How many of the leaves from first on one log takes. */
static size_t fill(const struct log_run *run, size_t first)
{
    struct sy_hash patients[SY_LOG_PATIENTS_MAX];
    unsigned known = 0;
    size_t i = first;
    for (; i < run->count && i - first < SY_LOG_LEAVES_MAX; i++) {
        const struct sy_disclosed *leaf = &run->leaves[i];
        unsigned k = 0;
        if (leaf->time_ms - run->leaves[first].time_ms > SY_LOG_SPAN_MS_MAX) break;
        while (k < known && !sy_hash_equal(&patients[k], &leaf->patient)) k++;
        if (k == known && known == SY_LOG_PATIENTS_MAX) break;
        if (k == known) patients[known++] = leaf->patient;
    }
    return i - first;
}

static sy_status write_files(struct log_run *run, const union sy_payload *payload,
                             const struct sy_disclosed *leaves, size_t count, struct sy_error *err)
{
    char path[SY_CMD_PATH_MAX], hex[65];
    const struct sy_hash *id = &payload->access_log.log_id;
    size_t bytes = SY_LEAVES_HEAD_BYTES + count * SY_LEAF_ENTRY_BYTES;
    struct sy_writer w = sy_writer_of(run->file, bytes);
    sy_json json;
    sy_leaves_head_encode(&w, sy_network_tag(run->genesis), id);
    for (size_t i = 0; i < count; i++) sy_leaves_entry_encode(&w, id, (uint32_t)i, &leaves[i]);
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    int length = snprintf(path, sizeof path, "%s/%s.leaves", run->out, hex);
    if (length < 0 || (size_t)length >= sizeof path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--out: the path is too long");
    }
    // The leaves are durable before anybody can send what commits to them.
    SY_TRY(sy_os_write_file(path, run->file, w.used, 0600, err));
    (void)snprintf(path, sizeof path, "%s/%s.json", run->out, hex);
    sy_json_init_growing(&json, 1u << 20);
    sy_payload_to_json(&json, sy_kind_by_number(SY_KIND_access_log), payload);
    SY_TRY(sy_cmd_put_json(&json, path, err));
    run->logs++;
    if (!run->cmd->json) {
        printf("log %s: %zu disclosures, %u patients\n", hex, count,
               (unsigned)payload->access_log.patients.count);
        return SY_OK;
    }
    sy_json_object_begin(&run->told);
    sy_json_put_text(&run->told, "log_id", hex);
    sy_json_put_u64(&run->told, "disclosures", count);
    sy_json_put_u64(&run->told, "patients", payload->access_log.patients.count);
    sy_json_object_end(&run->told);
    return SY_OK;
}

static sy_status make_logs(struct log_run *run, struct sy_error *err)
{
    qsort(run->leaves, run->count, sizeof *run->leaves, by_time);
    for (size_t first = 0; first < run->count;) {
        struct sy_log_room room;
        struct sy_hash id;
        union sy_payload payload;
        size_t count = fill(run, first);
        memset(&payload, 0, sizeof payload);
        sy_os_random(&id, sizeof id);
        sy_status status =
            sy_log_make(&payload.access_log, &room, run->hashes, &id, run->leaves + first, count);
        if (status != SY_OK) return sy_fail(err, status, "the leaves make no log");
        SY_TRY(write_files(run, &payload, run->leaves + first, count, err));
        first += count;
    }
    return SY_OK;
}

static sy_status run_log(struct log_run *run, struct sy_error *err)
{
    run->hashes = (struct sy_hash *)malloc(SY_LOG_LEAVES_MAX * sizeof *run->hashes);
    run->file = (uint8_t *)malloc(SY_LEAVES_HEAD_BYTES + SY_LOG_LEAVES_MAX * SY_LEAF_ENTRY_BYTES);
    if (!run->hashes || !run->file) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory");
    SY_TRY(sy_cmd_genesis(&run->genesis, run->genesis_path, &run->where, err));
    SY_TRY(take_lines(run, run->cmd->words[0], err));
    SY_TRY(sy_os_make_dirs(run->out, 0700, err));
    return make_logs(run, err);
}

int sy_cmd_access_log(int argc, char **argv)
{
    struct log_run run = {.out = NULL};
    const struct sy_option options[] = {
        {"out", SY_OPTION_TEXT, &run.out, "DIR", "folder for the leaves and the fields", 0, 0},
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE", "the network's genesis file", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "access log",
                         .arguments = "FILE|-",
                         .about = log_about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.out) return sy_cmd_usage(&cmd, "--out DIR is missing");
    run.cmd = &cmd;
    if (cmd.json) {
        sy_cmd_json_begin(&run.told);
        sy_json_key(&run.told, "logs");
        sy_json_array_begin(&run.told);
    }
    sy_status status = run_log(&run, &err);
    free(run.leaves);
    free(run.hashes);
    free(run.file);
    free(run.genesis);
    if (status != SY_OK) {
        sy_json_free(&run.told);
        return sy_cmd_fail(&cmd, &err);
    }
    if (!cmd.json) return SY_EXIT_DONE;
    sy_json_array_end(&run.told);
    return sy_cmd_json_end(&run.told, SY_EXIT_DONE);
}

/* ---- dispatch ------------------------------------------------------------------------------ */

int sy_cmd_access(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "log") == 0) return sy_cmd_access_log(argc - 1, argv + 1);
    if (strcmp(word, "show") == 0) return sy_cmd_access_show(argc - 1, argv + 1);
    if (strcmp(word, "prove") == 0) return sy_cmd_access_prove(argc - 1, argv + 1);
    if (strcmp(word, "verify") == 0) return sy_cmd_access_verify(argc - 1, argv + 1);
    bool asks = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    if (!asks && word[0]) fprintf(stderr, "systole access: there is no '%s'\n", word);
    fputs("usage: systole access log FILE       make leaves of disclosures, and commit to them\n"
          "       systole access show LEAVES    what a file of leaves says\n"
          "       systole access prove LEAVES   show a patient theirs, and that the log has them\n"
          "       systole access verify PROOF   check that, offline\n"
          "\n`systole access log --help` and so on say more.\n",
          asks ? stdout : stderr);
    return asks ? SY_EXIT_DONE : SY_EXIT_USAGE;
}
