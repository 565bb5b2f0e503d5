/* cmd_trial.c: `systole trial`: what became of a clinical trial, proven entry by entry.
 *
 * Everything but data commits is anybody's to read (consensus/node/access_trials.h). With --proofs
 * every entry is kept, and --kept tells the same from them, as `systole trace` does. */
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/at_time.h"
#include "core/client/cmd.h"
#include "core/client/cmd_trial.h"
#include "core/client/show.h"
#include "core/client/show_trials.h"
#include "core/client/trial_view.h"

static const char about[] =
    "Tells what became of a clinical trial; every entry is proven and checked against\n"
    "the genesis file: its versions and what each changed, when the first subject was\n"
    "enrolled, the draw of arms, the lock, and whether endpoints were switched. How many\n"
    "are in which arm follows from the seed and each place's beacon, and is known once the\n"
    "seed is revealed; every beacon is then read.\n"
    "\n"
    "--at WHEN tells which version was registered then. --data makes the root of all data\n"
    "commits again: for the sponsor and the ethics board. --proofs FOLDER keeps each\n"
    "proof; --kept FOLDER tells the same from them, offline, with only the genesis file.\n"
    "\n"
    "Exit code 1: endpoints were switched, or the seed or the result is late or overdue;\n"
    "with --at, nothing was registered then.\n"
    "\n"
    "`systole trial draft` makes the fields that register a trial out of a study of\n"
    "ClinicalTrials.gov.\n";

struct trial_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *purpose, *proofs, *kept_folder, *genesis_path;
    uint64_t max_age_s, at;
    bool data;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_genesis *genesis; /* of --kept */
    struct sy_trace_asked asked;
    struct sy_trace_kept kept;
    sy_trace_get get;
    void *self; /* get's */
    struct sy_hash id;
    struct sy_trial_view view;
    bool amiss;
    sy_json json;
};

/* Shows an entry again that was read before: what was decoded has one encoding. */
#define SHOW(run, name, kind, value, encode)                     \
    do {                                                         \
        uint8_t room_[SY_STATE_VALUE_BYTES_MAX];                 \
        struct sy_writer w_ = sy_writer_of(room_, sizeof room_); \
        encode(&w_, value);                                      \
        sy_json_key(&(run)->json, name);                         \
        sy_show_state(&(run)->json, kind, sy_writer_slice(&w_)); \
    } while (0)

static int64_t newest_ms(const struct trial_run *run)
{
    return run->kept_folder ? run->kept.time_ms : run->asked.time_ms;
}

/* ---- what is told ------------------------------------------------------------------------- */

static sy_status tell_versions(struct trial_run *run, int64_t *completion_ms, struct sy_error *err)
{
    struct sy_trial_version version;
    sy_json_key(&run->json, "versions");
    sy_json_array_begin(&run->json);
    for (uint32_t number = 1; number <= run->view.trial.version; number++) {
        uint8_t room[SY_STATE_VALUE_BYTES_MAX];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        SY_TRY(sy_trial_get_version(&version, run->get, run->self, &run->id, number, err));
        *completion_ms = version.completion_ms;
        sy_trial_version_encode(&w, &version);
        sy_show_state(&run->json, SY_STATE_TRIAL_VERSION, sy_writer_slice(&w));
    }
    sy_json_array_end(&run->json);
    return SY_OK;
}

static sy_status tell_arms(struct trial_run *run, struct sy_error *err)
{
    uint32_t counts[SY_TRIAL_ARMS_MAX];
    bool known;
    SY_TRY(sy_trial_arms(&known, counts, &run->view, run->get, run->self, &run->id, err));
    sy_json_put_bool(&run->json, "arms_hidden", !known);
    if (!known) return SY_OK;
    sy_json_key(&run->json, "enrolled_by_arm");
    sy_json_array_begin(&run->json);
    for (unsigned i = 0; i < run->view.trial.arm_count; i++) sy_json_u64(&run->json, counts[i]);
    sy_json_array_end(&run->json);
    return SY_OK;
}

static sy_status tell_data(struct trial_run *run, struct sy_error *err)
{
    if (!run->data) return SY_OK;
    SY_TRY(sy_trial_check_data(&run->view, run->get, run->self, &run->id, err));
    sy_json_put_bool(&run->json, "data_as_counted", true);
    return SY_OK;
}

static void tell_amiss(struct trial_run *run, int64_t completion_ms)
{
    const struct sy_trial_view *view = &run->view;
    bool switched = view->trial.endpoints_amended || (view->has_result && view->result.switched);
    bool late = view->has_draw && view->draw.late;
    bool seed_overdue = sy_trial_seed_overdue(view, newest_ms(run));
    bool result_late = view->has_result && view->result.late;
    bool result_overdue = sy_trial_result_overdue(view, completion_ms, newest_ms(run));
    sy_json_put_bool(&run->json, "registered_before_enrolment",
                     view->trial.first_version == 0 ||
                         view->trial.height < view->trial.first_height);
    sy_json_put_bool(&run->json, "endpoints_switched", switched);
    sy_json_put_bool(&run->json, "seed_late", late || seed_overdue);
    sy_json_put_bool(&run->json, "seed_overdue", seed_overdue);
    sy_json_put_bool(&run->json, "result_late", result_late || result_overdue);
    sy_json_put_bool(&run->json, "result_overdue", result_overdue);
    run->amiss = switched || late || seed_overdue || result_late || result_overdue;
}

static sy_status tell_all(struct trial_run *run, struct sy_error *err)
{
    int64_t completion_ms = 0;
    const struct sy_trial_view *view = &run->view;
    SHOW(run, "trial", SY_STATE_TRIAL, &view->trial, sy_trial_encode);
    SY_TRY(tell_versions(run, &completion_ms, err));
    if (view->has_draw) SHOW(run, "draw", SY_STATE_TRIAL_DRAW, &view->draw, sy_trial_draw_encode);
    if (view->has_lock) SHOW(run, "lock", SY_STATE_TRIAL_LOCK, &view->lock, sy_trial_lock_encode);
    sy_json_put_bool(&run->json, "posted", view->has_result);
    if (view->has_result) {
        sy_json_put_u64(&run->json, "registered_version", view->result.registered_version);
        sy_json_put_u64(&run->json, "posted_height", view->result.height);
        sy_json_put_i64(&run->json, "posted_ms", view->result.time_ms);
    }
    SY_TRY(tell_arms(run, err));
    SY_TRY(tell_data(run, err));
    tell_amiss(run, completion_ms);
    return SY_OK;
}

static sy_status tell_at(struct trial_run *run, struct sy_error *err)
{
    uint32_t number;
    struct sy_trial_version version;
    SY_TRY(sy_trial_version_at(&number, &run->view, run->get, run->self, &run->id, run->at, err));
    sy_json_put_u64(&run->json, "version", number);
    run->amiss = number == 0;
    if (number == 0) return SY_OK;
    SY_TRY(sy_trial_get_version(&version, run->get, run->self, &run->id, number, err));
    SHOW(run, "registered", SY_STATE_TRIAL_VERSION, &version, sy_trial_version_encode);
    return SY_OK;
}

static sy_status tell(struct trial_run *run, struct sy_error *err)
{
    SY_TRY(sy_cmd_hash(&run->id, "TRIAL", run->cmd->words[0], err));
    SY_TRY(sy_trial_look(&run->view, run->get, run->self, &run->id, err));
    SY_TRY(run->at != SY_AT_NOW ? tell_at(run, err) : tell_all(run, err));
    sy_json_put_u64(&run->json, "lowest_height",
                    run->kept_folder ? run->kept.lowest : run->asked.lowest);
    sy_json_put_u64(&run->json, "highest_height",
                    run->kept_folder ? run->kept.highest : run->asked.highest);
    return SY_OK;
}

/* ---- the run ------------------------------------------------------------------------------ */

static sy_status open_source(struct trial_run *run, struct sy_error *err)
{
    if (run->kept_folder != NULL) {
        if (run->proofs != NULL) {
            return sy_fail(err, SY_ERR_ARGUMENT, "give --proofs or --kept, not both");
        }
        SY_TRY(sy_cmd_genesis(&run->genesis, run->genesis_path, &run->where, err));
        run->kept = (struct sy_trace_kept){.genesis = run->genesis, .folder = run->kept_folder};
        run->get = sy_trace_load;
        run->self = &run->kept;
        return SY_OK;
    }
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    run->asked = (struct sy_trace_asked){.asker = run->asker,
                                         .key = run->key,
                                         .max_age_ms = (int64_t)run->max_age_s * 1000,
                                         .folder = run->proofs};
    SY_TRY(sy_cmd_purpose(&run->asked.purpose, run->purpose, err));
    if (run->proofs != NULL) SY_TRY(sy_os_make_dirs(run->proofs, 0700, err));
    run->get = sy_trace_ask;
    run->self = &run->asked;
    return SY_OK;
}

static sy_status run_trial(struct trial_run *run, struct sy_error *err)
{
    SY_TRY(open_source(run, err));
    if (run->cmd->json) {
        sy_cmd_json_begin(&run->json);
    } else {
        sy_json_init_growing(&run->json, 16u << 20);
        sy_json_set_pretty(&run->json);
        sy_json_object_begin(&run->json);
    }
    return tell(run, err);
}

static int finish(struct trial_run *run, sy_status status, const struct sy_error *err)
{
    int code = run->amiss ? SY_EXIT_REFUSED : SY_EXIT_DONE;
    if (status != SY_OK) {
        sy_json_free(&run->json);
        return sy_cmd_fail(run->cmd, err);
    }
    if (run->cmd->json) return sy_cmd_json_end(&run->json, code);
    sy_json_object_end(&run->json);
    sy_show_pretty(stdout, &run->json);
    return code;
}

int sy_cmd_trial(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "draft") == 0) return sy_cmd_trial_draft(argc - 1, argv + 1);
    static struct trial_run run; /* too large for a small stack; one command a process */
    run.purpose = "operations";
    run.max_age_s = 60;
    run.at = SY_AT_NOW;
    const struct sy_option options[] = {
        {"at", SY_OPTION_NUMBER, &run.at, "WHEN",
         "which version was registered at this height, or time in ms since 1970?", 0,
         SY_TIME_MS_MAX},
        {"data", SY_OPTION_SWITCH, &run.data, NULL, "check that no data commit was changed", 0, 0},
        {"proofs", SY_OPTION_TEXT, &run.proofs, "FOLDER", "keep every proof there", 0, 0},
        {"kept", SY_OPTION_TEXT, &run.kept_folder, "FOLDER", "tell from proofs kept, offline", 0,
         0},
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "for --kept: genesis file (genesis.json, or --net's or --config's)", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        {"purpose", SY_OPTION_TEXT, &run.purpose, "WORD", "why, as for `systole get` (operations)",
         0, 0},
        {"max-age", SY_OPTION_NUMBER, &run.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "trial",
                         .arguments = "TRIAL",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    exit_code = finish(&run, run_trial(&run, &err), &err);
    sy_proven_free(&run.asked.answer);
    sy_proven_free(&run.kept.answer);
    free(run.genesis);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}
