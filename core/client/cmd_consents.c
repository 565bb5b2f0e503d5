/* cmd_consents.c: `systole consents`: whom a patient lets in and whom not, each entry proven. */
#include "core/client/cmd_reading.h"
#include "core/client/show.h"
#include "core/wire/state.h"

static const char about[] =
    "Shows the consents of the patient SUBJECT (the id): grants and denials that are\n"
    "not revoked, in the order in which they were given; with --all those that were\n"
    "revoked, too. Read with the patient's key, or with one of an organisation that\n"
    "treats the patient; every entry is verified against the genesis file.\n";

struct consents_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_reading reading;
    bool all;
    struct sy_hash subject;
    int64_t now_ms; /* of the block that proves the list */
    uint64_t given;
    struct sy_hash live[SY_CONSENTS_LIVE_MAX];
    unsigned live_count;
    bool parent_revoked; /* of the consent at hand, which was passed on */
    sy_json json;        /* the answer, or one entry at a time */
};

/* ---- reading ------------------------------------------------------------------------------ */

static sy_status read_list(struct consents_run *run, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_consents consents;
    sy_status status =
        sy_may_read(&run->reading.reader, &value, SY_STATE_CONSENTS, &run->subject, NULL);
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    run->now_ms = run->reading.reader.answer.proof.header.time_ms;
    if (status == SY_ERR_NOT_FOUND) return SY_OK; // none was ever given
    if (!sy_consents_decode(&consents, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the list proven is of an unknown form: upgrade");
    }
    run->given = consents.given;
    size_t offset = 0;
    while (run->live_count < SY_CONSENTS_LIVE_MAX &&
           sy_list_next_id(&consents.live, &offset, &run->live[run->live_count])) {
        run->live_count++;
    }
    return SY_OK;
}

/* The id of the index-th consent to show. */
static sy_status find_id(struct consents_run *run, struct sy_hash *id, uint64_t index,
                         struct sy_error *err)
{
    struct sy_hash place = {{0}};
    struct sy_slice value;
    if (!run->all) {
        *id = run->live[index];
        return SY_OK;
    }
    sy_store_u64(place.bytes, index + 1);
    sy_status status =
        sy_may_read(&run->reading.reader, &value, SY_STATE_CONSENT_PLACE, &run->subject, &place);
    if (status == SY_OK && !sy_id_decode(id, value)) status = SY_ERR_NOT_FOUND;
    if (status != SY_ERR_NOT_FOUND) return status;
    return sy_fail(err, SY_ERR_CORRUPT, "consent %llu of the patient is not in the state",
                   (unsigned long long)index + 1);
}

static sy_status read_consent(struct consents_run *run, struct sy_consent *consent,
                              struct sy_slice *value, const struct sy_hash *id,
                              struct sy_error *err)
{
    char hex[65];
    sy_status status = sy_may_read(&run->reading.reader, value, SY_STATE_CONSENT, id, NULL);
    if (status == SY_OK && sy_consent_decode(consent, *value)) return SY_OK;
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    return sy_fail(err, SY_ERR_VERSION, "consent %s is missing or of an unknown form", hex);
}

/* Reads a consent and, before it, what it was passed on from: what is read is borrowed until the
 * next. */
static sy_status read_with_parent(struct consents_run *run, struct sy_consent *consent,
                                  struct sy_slice *value, const struct sy_hash *id,
                                  struct sy_error *err)
{
    run->parent_revoked = false;
    SY_TRY(read_consent(run, consent, value, id, err));
    if (!consent->passed_on) return SY_OK;
    struct sy_hash parent_id = consent->parent;
    SY_TRY(read_consent(run, consent, value, &parent_id, err));
    run->parent_revoked = consent->revoked;
    return read_consent(run, consent, value, id, err);
}

/* ---- telling ------------------------------------------------------------------------------ */

static const char *standing(const struct consents_run *run, const struct sy_consent *consent)
{
    if (consent->revoked) return "revoked";
    if (run->parent_revoked) return "parent revoked";
    if (run->now_ms > consent->until_ms) return "over";
    return run->now_ms < consent->from_ms ? "to come" : "in force";
}

static void put_consent(struct consents_run *run, const struct sy_consent *consent,
                        const struct sy_hash *id, struct sy_slice value)
{
    sy_json_object_begin(&run->json);
    sy_json_put_hex(&run->json, "consent_id", id->bytes, sizeof id->bytes);
    sy_json_put_text(&run->json, "standing", standing(run, consent));
    sy_json_key(&run->json, "consent");
    sy_show_state(&run->json, SY_STATE_CONSENT, value);
    sy_json_object_end(&run->json);
}

static sy_status show_each(struct consents_run *run, struct sy_error *err)
{
    uint64_t count = run->all ? run->given : run->live_count;
    for (uint64_t i = 0; i < count; i++) {
        struct sy_consent consent;
        struct sy_slice value;
        struct sy_hash id;
        SY_TRY(find_id(run, &id, i, err));
        SY_TRY(read_with_parent(run, &consent, &value, &id, err));
        if (!run->cmd->json) {
            sy_json_init_growing(&run->json, 1u << 20);
            sy_json_set_pretty(&run->json);
        }
        put_consent(run, &consent, &id, value);
        if (!run->cmd->json) sy_show_pretty(stdout, &run->json);
    }
    return SY_OK;
}

static int show_json(struct consents_run *run, struct sy_error *err)
{
    sy_cmd_json_begin(&run->json);
    sy_json_put_hex(&run->json, "subject", run->subject.bytes, sizeof run->subject.bytes);
    sy_json_put_u64(&run->json, "given", run->given);
    sy_json_put_u64(&run->json, "live", run->live_count);
    sy_json_put_i64(&run->json, "time_ms", run->now_ms);
    sy_json_key(&run->json, "consents");
    sy_json_array_begin(&run->json);
    if (show_each(run, err) != SY_OK) {
        sy_json_free(&run->json);
        return sy_cmd_fail(run->cmd, err);
    }
    sy_json_array_end(&run->json);
    sy_json_put_u64(&run->json, "lowest_height", run->reading.reader.lowest);
    sy_json_put_u64(&run->json, "highest_height", run->reading.reader.highest);
    return sy_cmd_json_end(&run->json, SY_EXIT_DONE);
}

static int show_text(struct consents_run *run, struct sy_error *err)
{
    if (show_each(run, err) != SY_OK) return sy_cmd_fail(run->cmd, err);
    printf("%llu consents were given, %u are not revoked; proven by blocks %llu to %llu\n",
           (unsigned long long)run->given, run->live_count,
           (unsigned long long)run->reading.reader.lowest,
           (unsigned long long)run->reading.reader.highest);
    return SY_EXIT_DONE;
}

static int run_consents(struct consents_run *run)
{
    struct sy_error *err = &run->reading.err;
    sy_status status = sy_cmd_hash(&run->subject, "patient", run->cmd->words[0], err);
    if (status == SY_OK) status = sy_cmd_reading_open(&run->reading);
    if (status == SY_OK) status = read_list(run, err);
    if (status != SY_OK) return sy_cmd_fail(run->cmd, err);
    return run->cmd->json ? show_json(run, err) : show_text(run, err);
}

int sy_cmd_consents(int argc, char **argv)
{
    static struct consents_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"all", SY_OPTION_SWITCH, &run.all, NULL, "also what was revoked", 0, 0},
        SY_CMD_READING_OPTIONS(run.reading),
    };
    struct sy_cmd cmd = {.name = "consents",
                         .arguments = "SUBJECT",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    exit_code = run_consents(&run);
    sy_cmd_reading_close(&run.reading);
    run.cmd = NULL;
    return exit_code;
}
