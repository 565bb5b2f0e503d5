/* cmd_may.c: `systole may`: what the ledger would decide, and why, from proven state. */
#include "core/client/cmd.h"
#include "core/client/may_read.h"
#include "core/wire/state.h"

static const char about[] =
    "Says whether the key WHO may do something with records of the patient SUBJECT,\n"
    "and why: PURPOSE is treatment, payment, operations, self, audit, research,\n"
    "\"public health\" or emergency, ACTION read, write or share. It is the validators'\n"
    "own rule (`core/ledger/may.h`), applied here to state that is read with a key\n"
    "that may see the patient's consents, and verified. Exit code 0: allowed; 1: not.\n"
    "\n"
    "Which record: --record ID takes class, label and organisation of one that is\n"
    "registered; --class and --label name them, else it is an Observation without\n"
    "a label. --at asks how it stood at a height, or at a time: care relations that\n"
    "were closed since then are not seen.\n";

/* Times count from here on: as a height it is out of reach, as a time it is in 2001. */
#define TIME_FROM_MS 1000000000000ull

struct may_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *class_word, *label_hex, *record_hex;
    uint64_t at;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_may_reader reader;
    struct sy_client_block block;
    struct sy_may_question question;
    struct sy_tag label;
    struct sy_hash holder;
    char class_room[SY_CODE_BYTES_MAX];
    struct sy_may_answer answer;
};

/* ---- the question ------------------------------------------------------------------------- */

static sy_status take_words(struct may_run *run, struct sy_error *err)
{
    struct sy_may_question *question = &run->question;
    struct sy_hash who;
    uint8_t purpose;
    char **words = run->cmd->words;
    SY_TRY(sy_cmd_hash(&question->subject, "patient", words[0], err));
    SY_TRY(sy_cmd_hash(&who, "key", words[1], err));
    memcpy(question->who.bytes, who.bytes, sizeof who.bytes);
    SY_TRY(sy_cmd_purpose(&purpose, words[2], err));
    question->purpose = purpose;
    if (!sy_enum_number(&question->action, &sy_enum_action, words[3], strlen(words[3]))) {
        return sy_fail(err, SY_ERR_ARGUMENT, "an action is read, write or share, not '%.40s'",
                       words[3]);
    }
    if (run->record_hex && (run->class_word || run->label_hex)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--record says class and label by itself");
    }
    const char *name = run->class_word ? run->class_word : "Observation";
    question->record_class = sy_slice_of(name, strlen(name));
    if (!run->label_hex) return SY_OK;
    if (strlen(run->label_hex) != 2 * sizeof run->label ||
        !sy_hex_decode(run->label.bytes, sizeof run->label.bytes, run->label_hex)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--label is 32 hex digits, not '%.40s'",
                       run->label_hex);
    }
    question->label = &run->label;
    return SY_OK;
}

/* What a registered record says of itself. */
static sy_status take_record(struct may_run *run, struct sy_error *err)
{
    struct sy_may_question *question = &run->question;
    struct sy_hash id;
    struct sy_slice value;
    struct sy_record record;
    if (!run->record_hex) return SY_OK;
    SY_TRY(sy_cmd_hash(&id, "record", run->record_hex, err));
    sy_status status = sy_may_read(&run->reader, &value, SY_STATE_RECORD, &id, NULL);
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(err, SY_ERR_ARGUMENT, "there is no record %.64s", run->record_hex);
    }
    if (status != SY_OK) return status;
    if (!sy_record_decode(&record, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the record proven is of an unknown form: upgrade");
    }
    if (record.subject_kind != SY_SUBJECT_PATIENT ||
        !sy_hash_equal(&record.subject, &question->subject)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the record is not of this patient");
    }
    if (record.record_class.size > 0) {
        memcpy(run->class_room, record.record_class.data, record.record_class.size);
    }
    question->record_class = sy_slice_of(run->class_room, record.record_class.size);
    memcpy(run->label.bytes, record.sens_tag, sizeof run->label.bytes);
    question->label = record.has_sens_tag ? &run->label : NULL;
    run->holder = record.holder;
    question->holder = &run->holder;
    return SY_OK;
}

/* ---- when --------------------------------------------------------------------------------- */

static sy_status find_block(struct may_run *run, uint64_t height, struct sy_error *err)
{
    return sy_asker_block(run->asker, &run->block, height, err);
}

/* The last block of this time or before: block times rise. */
static sy_status find_block_of(struct may_run *run, int64_t time_ms, struct sy_error *err)
{
    SY_TRY(find_block(run, SY_HEIGHT_NEWEST, err));
    uint64_t low = 0, high = run->block.header.height;
    if (run->block.header.time_ms <= time_ms) return SY_OK;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        SY_TRY(find_block(run, middle, err));
        if (run->block.header.time_ms <= time_ms) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return find_block(run, low, err);
}

static sy_status take_time(struct may_run *run, struct sy_error *err)
{
    struct sy_may_question *question = &run->question;
    if (run->at == UINT64_MAX) {
        SY_TRY(find_block(run, SY_HEIGHT_NEWEST, err));
    } else if (run->at >= TIME_FROM_MS) {
        SY_TRY(find_block_of(run, (int64_t)run->at, err));
    } else {
        SY_TRY(find_block(run, run->at, err));
    }
    question->past = run->at != UINT64_MAX;
    question->height = question->past ? run->block.header.height : SY_MAY_NOW;
    question->time_ms = run->block.header.time_ms;
    return SY_OK;
}

/* ---- telling ------------------------------------------------------------------------------ */

static const char *ground_word(enum sy_may_ground ground)
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

static const char *ground_sentence(enum sy_may_ground ground)
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

static const char *miss_word(enum sy_may_miss miss)
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

static const char *miss_sentence(enum sy_may_miss miss)
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

static int tell_json(const struct may_run *run, int code)
{
    const struct sy_may_answer *answer = &run->answer;
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_bool(&json, "allowed", answer->allowed);
    sy_json_put_text(&json, "ground", ground_word(answer->ground));
    if (!sy_hash_is_zero(&answer->consent)) {
        sy_json_put_hex(&json, "consent_id", answer->consent.bytes, sizeof answer->consent.bytes);
    }
    if (answer->miss != SY_MAY_MISS_NONE) {
        sy_json_put_text(&json, "missed_by", miss_word(answer->miss));
        if (!sy_hash_is_zero(&answer->missed)) {
            sy_json_put_hex(&json, "missed_consent_id", answer->missed.bytes,
                            sizeof answer->missed.bytes);
        }
        if (answer->missed_ms != 0) sy_json_put_i64(&json, "missed_ms", answer->missed_ms);
    }
    sy_json_put_bool(&json, "treats", answer->treats);
    sy_json_put_u64(&json, "at_height", run->block.header.height);
    sy_json_put_i64(&json, "at_ms", run->block.header.time_ms);
    sy_json_put_u64(&json, "lowest_height", run->reader.lowest);
    sy_json_put_u64(&json, "highest_height", run->reader.highest);
    return sy_cmd_json_end(&json, code);
}

static void print_miss(const struct sy_may_answer *answer)
{
    char hex[65];
    char time[SY_CMD_TIME_BYTES] = "";
    bool timed = answer->miss == SY_MAY_MISS_EXPIRED || answer->miss == SY_MAY_MISS_EARLY;
    if (answer->miss == SY_MAY_MISS_NONE) return;
    sy_hex_encode(hex, answer->missed.bytes, sizeof answer->missed.bytes);
    if (timed) sy_cmd_time(time, answer->missed_ms);
    if (sy_hash_is_zero(&answer->missed)) {
        printf("its organisation treats the patient, but: %s\n", miss_sentence(answer->miss));
    } else {
        printf("nearest is consent %s, but: %s%s%s\n", hex, miss_sentence(answer->miss),
               timed ? " " : "", time);
    }
}

static int tell_text(const struct may_run *run, int code)
{
    const struct sy_may_answer *answer = &run->answer;
    char hex[65];
    char time[SY_CMD_TIME_BYTES];
    printf("%s: %s", answer->allowed ? "allowed" : "not allowed", ground_sentence(answer->ground));
    if (sy_hash_is_zero(&answer->consent)) {
        puts("");
    } else {
        sy_hex_encode(hex, answer->consent.bytes, sizeof answer->consent.bytes);
        printf(", %s\n", hex);
    }
    print_miss(answer);
    sy_cmd_time(time, run->block.header.time_ms);
    printf("as it %s at block %llu of %s, from state proven by blocks %llu to %llu\n",
           run->question.past ? "stood" : "stands", (unsigned long long)run->block.header.height,
           time, (unsigned long long)run->reader.lowest, (unsigned long long)run->reader.highest);
    return code;
}

/* ---- the command -------------------------------------------------------------------------- */

static int run_may(struct may_run *run)
{
    struct sy_error err = {SY_OK, ""};
    run->reader.err = &err;
    sy_status status = take_words(run, &err);
    if (status == SY_OK) status = sy_cmd_connect(&run->net, &run->asker, &run->where, 0, &err);
    if (status == SY_OK) status = sy_cmd_read_key(&run->key, run->net, run->key_path, &err);
    run->reader.asker = run->asker;
    run->reader.key = run->key;
    if (status == SY_OK) status = take_time(run, &err);
    if (status == SY_OK) status = take_record(run, &err);
    if (status == SY_OK) {
        status = sy_may(&run->answer, &run->question, sy_may_read, &run->reader);
        if (status == SY_ERR_CORRUPT) {
            (void)sy_fail(&err, status,
                          "an entry proven is missing or of an unknown form: upgrade");
        }
    }
    if (status != SY_OK) return sy_cmd_fail(run->cmd, &err);
    int code = run->answer.allowed ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    return run->cmd->json ? tell_json(run, code) : tell_text(run, code);
}

int sy_cmd_may(int argc, char **argv)
{
    static struct may_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        {"record", SY_OPTION_TEXT, &run.record_hex, "ID", "a record that is registered", 0, 0},
        {"class", SY_OPTION_TEXT, &run.class_word, "CLASS", "a FHIR resource type", 0, 0},
        {"label", SY_OPTION_TEXT, &run.label_hex, "TAG", "a sensitivity label, in hex", 0, 0},
        {"at", SY_OPTION_NUMBER, &run.at, "WHEN", "a height, or milliseconds since 1970; else now",
         0, SY_TIME_MS_MAX},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "may",
                         .arguments = "SUBJECT WHO PURPOSE ACTION",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 4,
                         .words_max = 4};
    int exit_code;
    run.at = UINT64_MAX;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    run.reader.max_age_ms = 60000;
    exit_code = run_may(&run);
    sy_may_reader_free(&run.reader);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}
