/* cmd_may.c: `systole may`: what the ledger would decide, and why, from proven state. */
#include "core/client/at_time.h"
#include "core/client/cmd_reading.h"
#include "core/client/may_words.h"
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

struct may_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_reading reading;
    const char *class_word, *label_hex, *record_hex;
    uint64_t at;
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

/* The id that the record stands under: the patient's, or one that was merged into it. */
static sy_status take_subject(struct may_run *run, const struct sy_hash *subject,
                              struct sy_error *err)
{
    struct sy_patient patient;
    struct sy_slice value;
    struct sy_hash id = *subject;
    for (unsigned i = 0; i <= SY_MERGES_MAX; i++) {
        if (sy_hash_equal(&id, &run->question.subject)) {
            run->question.subject = *subject;
            return SY_OK;
        }
        sy_status status = sy_may_read(&run->reading.reader, &value, SY_STATE_PATIENT, &id, NULL);
        if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
        bool leads = status == SY_OK && sy_patient_decode(&patient, value) && patient.merged;
        if (!leads) break;
        id = patient.into;
    }
    return sy_fail(err, SY_ERR_ARGUMENT, "the record is not of this patient");
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
    sy_status status = sy_may_read(&run->reading.reader, &value, SY_STATE_RECORD, &id, NULL);
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(err, SY_ERR_ARGUMENT, "there is no record %.64s", run->record_hex);
    }
    if (status != SY_OK) return status;
    if (!sy_record_decode(&record, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the record proven is of an unknown form: upgrade");
    }
    bool patients = record.subject_kind == SY_SUBJECT_PATIENT;
    struct sy_hash subject = record.subject;
    if (record.record_class.size > 0) {
        memcpy(run->class_room, record.record_class.data, record.record_class.size);
    }
    question->record_class = sy_slice_of(run->class_room, record.record_class.size);
    memcpy(run->label.bytes, record.sens_tag, sizeof run->label.bytes);
    question->label = record.has_sens_tag ? &run->label : NULL;
    run->holder = record.holder;
    question->holder = &run->holder;
    if (patients) return take_subject(run, &subject, err);
    return sy_fail(err, SY_ERR_ARGUMENT, "the record is about no patient");
}

/* ---- when --------------------------------------------------------------------------------- */

static sy_status take_time(struct may_run *run, struct sy_error *err)
{
    struct sy_may_question *question = &run->question;
    struct sy_slice value;
    // One validator's newest block may be old; what is proven of the patient is not.
    sy_status status =
        sy_may_read(&run->reading.reader, &value, SY_STATE_PATIENT, &question->subject, NULL);
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    sy_asker_expect(run->reading.asker, run->reading.reader.highest);
    SY_TRY(sy_block_at(run->reading.asker, &run->block, run->at, err));
    question->past = run->at != SY_AT_NOW;
    question->height = question->past ? run->block.header.height : SY_MAY_NOW;
    question->time_ms = run->block.header.time_ms;
    return SY_OK;
}

/* ---- telling ------------------------------------------------------------------------------ */

/* Was the id that is asked about merged into another one? */
static bool is_merged(const struct may_run *run)
{
    return !sy_hash_is_zero(&run->answer.subject) &&
           !sy_hash_equal(&run->answer.subject, &run->question.subject);
}

static int tell_json(const struct may_run *run, int code)
{
    const struct sy_may_answer *answer = &run->answer;
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_bool(&json, "allowed", answer->allowed);
    sy_json_put_text(&json, "ground", sy_may_ground_word(answer->ground));
    if (!sy_hash_is_zero(&answer->consent)) {
        sy_json_put_hex(&json, "consent_id", answer->consent.bytes, sizeof answer->consent.bytes);
    }
    if (answer->miss != SY_MAY_MISS_NONE) {
        sy_json_put_text(&json, "missed_by", sy_may_miss_word(answer->miss));
        if (!sy_hash_is_zero(&answer->missed)) {
            sy_json_put_hex(&json, "missed_consent_id", answer->missed.bytes,
                            sizeof answer->missed.bytes);
        }
        if (answer->missed_ms != 0) sy_json_put_i64(&json, "missed_ms", answer->missed_ms);
    }
    sy_json_put_bool(&json, "treats", answer->treats);
    if (is_merged(run)) {
        sy_json_put_hex(&json, "merged_into", answer->subject.bytes, sizeof answer->subject.bytes);
    }
    sy_json_put_u64(&json, "at_height", run->block.header.height);
    sy_json_put_i64(&json, "at_ms", run->block.header.time_ms);
    sy_json_put_u64(&json, "lowest_height", run->reading.reader.lowest);
    sy_json_put_u64(&json, "highest_height", run->reading.reader.highest);
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
        printf("its organisation treats the patient, but: %s\n",
               sy_may_miss_sentence(answer->miss));
    } else {
        printf("nearest is consent %s, but: %s%s%s\n", hex, sy_may_miss_sentence(answer->miss),
               timed ? " " : "", time);
    }
}

static int tell_text(const struct may_run *run, int code)
{
    const struct sy_may_answer *answer = &run->answer;
    char hex[65];
    char time[SY_CMD_TIME_BYTES];
    printf("%s: %s", answer->allowed ? "allowed" : "not allowed",
           sy_may_ground_sentence(answer->ground));
    if (sy_hash_is_zero(&answer->consent)) {
        puts("");
    } else {
        sy_hex_encode(hex, answer->consent.bytes, sizeof answer->consent.bytes);
        printf(", %s\n", hex);
    }
    print_miss(answer);
    if (is_merged(run)) {
        sy_hex_encode(hex, answer->subject.bytes, sizeof answer->subject.bytes);
        printf("the id was merged into %s, whose patient decides\n", hex);
    }
    sy_cmd_time(time, run->block.header.time_ms);
    printf("as it %s at block %llu of %s, from state proven by blocks %llu to %llu\n",
           run->question.past ? "stood" : "stands", (unsigned long long)run->block.header.height,
           time, (unsigned long long)run->reading.reader.lowest,
           (unsigned long long)run->reading.reader.highest);
    return code;
}

/* ---- the command -------------------------------------------------------------------------- */

static int run_may(struct may_run *run)
{
    struct sy_error *err = &run->reading.err;
    sy_status status = take_words(run, err);
    if (status == SY_OK) status = sy_cmd_reading_open(&run->reading);
    if (status == SY_OK) status = take_time(run, err);
    if (status == SY_OK) status = take_record(run, err);
    if (status == SY_OK) {
        status = sy_may(&run->answer, &run->question, sy_may_read, &run->reading.reader);
        if (status == SY_ERR_CORRUPT) {
            (void)sy_fail(err, status, "an entry proven is missing or of an unknown form: upgrade");
        }
    }
    if (status != SY_OK) return sy_cmd_fail(run->cmd, err);
    int code = run->answer.allowed ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    return run->cmd->json ? tell_json(run, code) : tell_text(run, code);
}

int sy_cmd_may(int argc, char **argv)
{
    static struct may_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"record", SY_OPTION_TEXT, &run.record_hex, "ID", "a record that is registered", 0, 0},
        {"class", SY_OPTION_TEXT, &run.class_word, "CLASS", "a FHIR resource type", 0, 0},
        {"label", SY_OPTION_TEXT, &run.label_hex, "TAG", "a sensitivity label, in hex", 0, 0},
        {"at", SY_OPTION_NUMBER, &run.at, "WHEN", "a height, or milliseconds since 1970; else now",
         0, SY_TIME_MS_MAX},
        SY_CMD_READING_OPTIONS(run.reading),
    };
    struct sy_cmd cmd = {.name = "may",
                         .arguments = "SUBJECT WHO PURPOSE ACTION",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 4,
                         .words_max = 4};
    int exit_code;
    run.at = SY_AT_NOW;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    exit_code = run_may(&run);
    sy_cmd_reading_close(&run.reading);
    run.cmd = NULL;
    return exit_code;
}
