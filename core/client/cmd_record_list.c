/* cmd_record_list.c: `systole record list`: all records of a patient that the key may see, and how
 * many there are that it may not; nothing is left out unseen (places.h). */
#include <stdlib.h>

#include "core/client/cmd.h"
#include "core/client/cmd_record.h"
#include "core/client/places.h"
#include "core/client/show.h"

static const char about[] =
    "Lists the records of PATIENT, the oldest first, those of ids that were merged\n"
    "into this one included. Every entry is proven, and so is that there is no other:\n"
    "the patient's entry counts them. Records that the key may not see are told by\n"
    "their ids alone, and their class and time are not known here.\n"
    "\n"
    "--skip and --limit page through them; --class and --since leave out others.\n";

struct list_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *purpose_word, *only_class;
    uint64_t max_age_s, since, skip, limit;
    bool places; /* also what is no record */
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    uint8_t purpose;
    struct sy_places walk;
    struct sy_places_asked asked;
    struct sy_proven answer;
    uint64_t seen, shown, withheld; /* records */
    sy_json json;
};

static bool wanted(const struct list_run *run, const struct sy_record *record)
{
    if (record->first.time_ms < (int64_t)run->since) return false;
    if (run->only_class == NULL) return true;
    struct sy_slice only = sy_slice_of(run->only_class, strlen(run->only_class));
    return sy_slice_equal(record->record_class, only);
}

static const char *standing(const struct sy_record *record)
{
    if (record->erased) return "erased";
    return record->retracted ? "retracted" : "current";
}

static void tell(struct list_run *run, const struct sy_patient_place *place,
                 const struct sy_hash *patient, const struct sy_record *record)
{
    char id[65], time[SY_CMD_TIME_BYTES] = "-";
    sy_hex_encode(id, place->id.bytes, 32);
    if (run->cmd->json) {
        sy_json_object_begin(&run->json);
        sy_json_put_hex(&run->json, "record_id", place->id.bytes, 32);
        sy_json_put_hex(&run->json, "patient", patient->bytes, 32);
        sy_json_put_u64(&run->json, "height", place->height);
        sy_json_put_bool(&run->json, "withheld", record == NULL);
        if (record != NULL) {
            sy_json_put_text(&run->json, "standing", standing(record));
            sy_json_key(&run->json, "record");
            sy_show_state(&run->json, SY_STATE_RECORD, run->answer.proof.state.value);
        }
        sy_json_object_end(&run->json);
        return;
    }
    if (record == NULL) {
        printf("%s  withheld from this key\n", id);
        return;
    }
    sy_cmd_time(time, record->first.time_ms);
    printf("%s  %-9s  %s  %.*s\n", id, standing(record), time, (int)record->record_class.size,
           (const char *)record->record_class.data);
}

/* What is no record: `systole get export`, `get id-map`, `get stream` and so on show it. */
static void tell_other(struct list_run *run, const struct sy_patient_place *place,
                       const struct sy_hash *patient)
{
    char id[65];
    sy_hex_encode(id, place->id.bytes, 32);
    if (run->cmd->json) {
        sy_json_object_begin(&run->json);
        sy_json_put_text(&run->json, "what", sy_place_word(place->what));
        sy_json_put_hex(&run->json, "id", place->id.bytes, 32);
        sy_json_put_hex(&run->json, "patient", patient->bytes, 32);
        sy_json_put_u64(&run->json, "height", place->height);
        sy_json_object_end(&run->json);
    } else {
        printf("%s  %s\n", id, sy_place_word(place->what));
    }
}

static sy_status visit(void *self, const struct sy_patient_place *place,
                       const struct sy_hash *patient, uint64_t number, struct sy_error *err)
{
    struct list_run *run = self;
    (void)number;
    if (place->what != SY_PLACE_RECORD) {
        if (run->places) tell_other(run, place, patient);
        return SY_OK;
    }
    run->seen++;
    if (run->seen <= run->skip || run->shown + run->withheld >= run->limit) return SY_OK;
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = SY_STATE_RECORD,
                                   .id = place->id,
                                   .purpose = run->purpose};
    struct sy_record record;
    struct sy_error inner = {SY_OK, ""};
    sy_status status = sy_asker_read(run->asker, &run->answer, &read, run->key,
                                     (int64_t)run->max_age_s * 1000, &inner);
    if (status == SY_ERR_PERMISSION) {
        run->withheld++;
        tell(run, place, patient, NULL);
        return SY_OK;
    }
    if (status != SY_OK) return sy_fail(err, status, "%s", inner.text);
    const struct sy_state_proof *state = &run->answer.proof.state;
    if (!state->present || !sy_record_decode(&record, state->value)) {
        return sy_fail(err, SY_ERR_VERSION,
                       "a record that the patient's list names is absent or of an unknown form");
    }
    if (!wanted(run, &record)) return SY_OK;
    run->shown++;
    tell(run, place, patient, &record);
    return SY_OK;
}

static sy_status run_list(struct list_run *run, struct sy_error *err)
{
    struct sy_hash patient;
    SY_TRY(sy_cmd_hash(&patient, "patient", run->cmd->words[0], err));
    SY_TRY(sy_cmd_purpose(&run->purpose, run->purpose_word, err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    run->asked = (struct sy_places_asked){.asker = run->asker,
                                          .key = run->key,
                                          .purpose = run->purpose,
                                          .max_age_ms = (int64_t)run->max_age_s * 1000};
    run->walk = (struct sy_places){
        .get = sy_places_ask, .self = &run->asked, .visit = visit, .visitor = run};
    return sy_places_walk(&run->walk, &patient, err);
}

static int finish(struct list_run *run, sy_status status, const struct sy_error *err)
{
    if (run->cmd->json) {
        sy_json_array_end(&run->json);
        if (status != SY_OK) sy_json_put_text(&run->json, "error", err->text);
        sy_json_put_u64(&run->json, "records_of_patient", run->walk.records);
        sy_json_put_u64(&run->json, "shown", run->shown);
        sy_json_put_u64(&run->json, "withheld", run->withheld);
        sy_json_put_u64(&run->json, "height", run->walk.as_of);
        return sy_cmd_json_end(&run->json,
                               status == SY_OK ? SY_EXIT_DONE : (int)sy_exit_of(status));
    }
    if (status != SY_OK) return sy_cmd_fail(run->cmd, err);
    printf(
        "%llu shown, %llu withheld, of %llu records: as block %llu proves, there are no others\n",
        (unsigned long long)run->shown, (unsigned long long)run->withheld,
        (unsigned long long)run->walk.records, (unsigned long long)run->walk.as_of);
    return SY_EXIT_DONE;
}

int sy_cmd_record_list(int argc, char **argv)
{
    static struct list_run run; /* too large for a small stack; one command a process */
    run.purpose_word = "treatment";
    run.max_age_s = 60;
    run.limit = 1000;
    const struct sy_option options[] = {
        {"class", SY_OPTION_TEXT, &run.only_class, "NAME", "only of this class: Observation ...", 0,
         0},
        {"since", SY_OPTION_NUMBER, &run.since, "MS",
         "only what was registered then or later, in milliseconds since 1970", 0, SY_TIME_MS_MAX},
        {"skip", SY_OPTION_NUMBER, &run.skip, "N", "leave out the first N records (0)", 0,
         UINT32_MAX},
        {"limit", SY_OPTION_NUMBER, &run.limit, "N", "show at most N records (1000)", 1, 1000000},
        {"places", SY_OPTION_SWITCH, &run.places, NULL,
         "also exports, id maps and merged ids, by their ids", 0, 0},
        {"purpose", SY_OPTION_TEXT, &run.purpose_word, "WORD", "why: treatment (default) ...", 0,
         0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        {"max-age", SY_OPTION_NUMBER, &run.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "record list",
                         .arguments = "PATIENT",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    if (cmd.json) {
        sy_cmd_json_begin(&run.json);
        sy_json_key(&run.json, "records");
        sy_json_array_begin(&run.json);
    }
    sy_status status = run_list(&run, &err);
    exit_code = finish(&run, status, &err);
    sy_proven_free(&run.answer);
    sy_proven_free(&run.asked.answer);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}
