/* cmd_submit.c: `systole submit`: FHIR files into the ledger, with live progress and a report. */
#include <stdlib.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/submitter.h"

static const char about[] =
    "Reads FHIR R4 (JSON Bundles, single resources, NDJSON; files, folders, or -\n"
    "for standard input), makes a signed transaction of each resource, sends them\n"
    "to the validators in dependency order and waits until each is final under a\n"
    "verified certificate. Nothing is sent twice: signed bytes are kept in the\n"
    "client's store before they leave, and a resource whose bytes are known is a\n"
    "duplicate. Interrupted? Run it again with --resume.\n";

struct wish {
    struct sy_cmd_where where;
    bool atomic;
    bool resume;
    bool dry_run;
    const char *report;
    const char *source;
    const char *home;
    uint64_t window;
};

struct run {
    struct wish wish;
    struct sy_cmd_net *net;
    sy_importer *importer;
    sy_secret_key *regulator;
    struct sy_submit_result result;
    unsigned validators;
    bool live; /* progress goes to a terminal */
    uint64_t told_ns;
};

/* ---- progress ---------------------------------------------------------------------------- */

#define TELL_NS 2000000000ull /* a line this often when stderr is no terminal */

static void show_progress(void *self, const struct sy_submit_progress *progress)
{
    struct run *run = (struct run *)self;
    uint64_t now_ns = sy_os_monotonic_ns();
    if (!run->live && now_ns - run->told_ns < TELL_NS) return;
    run->told_ns = now_ns;
    const struct sy_import_totals *totals = &progress->totals;
    fprintf(stderr,
            "%sread %llu  received %llu  final %llu  refused %llu  duplicates %llu  "
            "%.0f tx/s  height %llu  %.0f s%s",
            run->live ? "\r" : "", (unsigned long long)totals->resources_read,
            (unsigned long long)totals->txs_received, (unsigned long long)totals->txs_final,
            (unsigned long long)totals->refused, (unsigned long long)totals->duplicates,
            progress->tx_per_s, (unsigned long long)progress->height, progress->seconds,
            run->live ? "\033[K" : "\n");
}

/* ---- the report -------------------------------------------------------------------------- */

static void write_figures(const struct run *run, struct sy_json *json)
{
    const struct sy_submit_result *result = &run->result;
    double seconds = result->seconds > 0 ? result->seconds : 1;
    sy_json_put_u64(json, "validators", run->validators);
    sy_json_put_u64(json, "blocks", result->last_height - result->first_height);
    sy_json_key(json, "seconds");
    sy_json_decimal(json, (int64_t)(result->seconds * 1000), 3);
    sy_json_key(json, "tx_per_s");
    sy_json_decimal(json, (int64_t)((double)result->latency_us.count * 10 / seconds), 1);
    sy_json_key(json, "p50_ms");
    sy_json_decimal(json, (int64_t)sy_quantile_get(&result->latency_us, 500), 3);
    sy_json_key(json, "p99_ms");
    sy_json_decimal(json, (int64_t)sy_quantile_get(&result->latency_us, 990), 3);
    sy_json_put_u64(json, "resent", result->resent);
    sy_importer_report(run->importer, json);
}

static sy_status save_report(const struct run *run, struct sy_error *err)
{
    if (run->wish.report == NULL) return SY_OK;
    sy_json json;
    sy_json_init_growing(&json, 4u << 20);
    sy_json_set_pretty(&json);
    sy_json_object_begin(&json);
    write_figures(run, &json);
    sy_json_object_end(&json);
    sy_status status = json.cut
                           ? sy_fail(err, SY_ERR_NO_MEMORY, "the report has no room")
                           : sy_os_write_file(run->wish.report, json.data, json.size, 0644, err);
    sy_json_free(&json);
    return status;
}

#define ISSUES_SHOWN 20u

static void show_issues(const struct run *run)
{
    uint64_t count = sy_importer_issue_count(run->importer);
    for (size_t i = 0; i < ISSUES_SHOWN; i++) {
        const struct sy_import_issue *issue = sy_importer_issue(run->importer, i);
        if (issue == NULL) break;
        fprintf(stderr, "%s: %s%s%s%s%s: %s; %s\n", issue->refused ? "refused" : "note",
                issue->file, issue->where[0] ? ": " : "", issue->where,
                issue->resource[0] ? ": " : "", issue->resource, issue->what, issue->remedy);
    }
    if (count > ISSUES_SHOWN) {
        fprintf(stderr, "... and %llu more; --report FILE lists them\n",
                (unsigned long long)(count - ISSUES_SHOWN));
    }
}

static void show_types(const struct run *run)
{
    printf("%-24s %10s %10s %10s %10s\n", "resource", "read", "final", "duplicate", "refused");
    for (size_t i = 0;; i++) {
        const struct sy_import_type *type = sy_importer_type(run->importer, i);
        if (type == NULL) break;
        printf("%-24s %10llu %10llu %10llu %10llu\n", type->type, (unsigned long long)type->read,
               (unsigned long long)type->final, (unsigned long long)type->duplicates,
               (unsigned long long)type->refused);
    }
}

static int tell(const struct run *run, const struct sy_cmd *cmd)
{
    struct sy_import_totals totals;
    sy_importer_totals(run->importer, &totals);
    int code = totals.refused > 0 || totals.txs_refused > 0 ? SY_EXIT_REFUSED : SY_EXIT_DONE;
    if (cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        write_figures(run, &json);
        return sy_cmd_json_end(&json, code);
    }
    show_types(run);
    printf("%llu resources, %llu transactions: %llu final, %llu duplicates, %llu refused; "
           "%.1f s, %.0f tx/s, p50 %.0f ms, p99 %.0f ms, height %llu\n",
           (unsigned long long)totals.resources_read, (unsigned long long)totals.txs_made,
           (unsigned long long)totals.txs_final, (unsigned long long)totals.duplicates,
           (unsigned long long)totals.refused, run->result.seconds,
           (double)run->result.latency_us.count /
               (run->result.seconds > 0 ? run->result.seconds : 1),
           (double)sy_quantile_get(&run->result.latency_us, 500) / 1000,
           (double)sy_quantile_get(&run->result.latency_us, 990) / 1000,
           (unsigned long long)run->result.last_height);
    return code;
}

/* ---- the run ----------------------------------------------------------------------------- */

static sy_status open_importer(struct run *run, const struct sy_cmd *cmd, struct sy_error *err)
{
    const char *passphrase = run->net->passphrase_file[0] ? run->net->passphrase_file : NULL;
    struct sy_importer_config config = {
        .store_path = run->net->client,
        .regulator_key_path = run->net->regulator_key[0] ? run->net->regulator_key : NULL,
        .regulator_passphrase_path = passphrase,
        .genesis = &run->net->genesis,
        .source = run->wish.source,
        .home_name = run->wish.home,
        .atomic = run->wish.atomic,
        .dry_run = run->wish.dry_run,
        .resume = run->wish.resume,
        .window = (uint32_t)run->wish.window};
    if (config.regulator_key_path == NULL) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "the configuration names no regulator_key, and organisations cannot be "
                       "registered without one");
    }
    SY_TRY(sy_secret_key_load(&run->regulator, config.regulator_key_path, passphrase, err));
    SY_TRY(sy_importer_open(&run->importer, &config, err));
    for (int i = 0; i < cmd->word_count; i++) {
        SY_TRY(sy_importer_add(run->importer, cmd->words[i], err));
    }
    return SY_OK;
}

static sy_status read_only(struct run *run, struct sy_error *err)
{
    struct sy_import_action action;
    do {
        SY_TRY(sy_importer_next(run->importer, &action, err));
    } while (action.kind != SY_IMPORT_DONE);
    return SY_OK;
}

/* How long a credential may last now, and once what waits has come. Who may not read that (a
 * regulator no longer) or is shown nothing goes by the genesis. */
static void take_params(struct run *run, sy_asker *asker)
{
    struct sy_read_request read = {
        .subject = SY_READ_STATE, .state_kind = SY_STATE_PARAMS, .purpose = SY_PURPOSE_OPERATIONS};
    static struct sy_proven answer;
    struct sy_params_state state;
    struct sy_error ignored = {SY_OK, ""};
    sy_status status = sy_asker_read(asker, &answer, &read, run->regulator, 0, &ignored);
    bool shown = status == SY_OK && answer.proof.state.present &&
                 sy_params_state_decode(&state, answer.proof.state.value);
    if (shown) {
        int64_t least = state.params.credential_ms_max;
        for (unsigned i = 0; i < state.pending_count; i++) {
            const struct sy_param_next *next = &state.pending[i];
            bool less = next->name == SY_PARAM_CREDENTIAL_MS_MAX && next->value < (uint64_t)least;
            if (less) least = (int64_t)next->value;
        }
        sy_importer_limit_credentials(run->importer, least);
    }
    sy_proven_free(&answer);
}

static sy_status send_with(struct run *run, sy_asker *asker, struct sy_error *err)
{
    SY_TRY(sy_asker_learn(asker, err));
    take_params(run, asker);
    struct sy_submitter_config config = {.epochs = sy_asker_epochs(asker),
                                         .importer = run->importer,
                                         .addresses = run->net->address_pointers,
                                         .reader = run->regulator,
                                         .progress = show_progress,
                                         .self = run};
    run->validators = sy_epochs_newest(config.epochs)->count;
    sy_status status = sy_submitter_run(&config, &run->result, err);
    // Where it began was told and not proven; whatever is above that a certificate proved.
    bool proven = run->result.last_height > run->result.first_height;
    if (proven) sy_asker_expect(asker, run->result.last_height);
    sy_cmd_saw(run->net, asker);
    return status;
}

/* Whom to send to follows from the genesis, too. */
static sy_status send_all(struct run *run, struct sy_error *err)
{
    sy_asker *asker = NULL;
    SY_TRY(sy_cmd_asker(&asker, run->net, 0, err));
    sy_status status = send_with(run, asker, err);
    sy_asker_close(asker);
    if (run->live) fputs("\r\033[K", stderr);
    return status;
}

static int submit(struct run *run, const struct sy_cmd *cmd)
{
    struct sy_error err = {SY_OK, ""};
    sy_status status = sy_cmd_net_open(&run->net, &run->wish.where, &err);
    if (status == SY_OK) run->validators = run->net->genesis.roster.count;
    if (status == SY_OK) status = open_importer(run, cmd, &err);
    if (status == SY_OK) {
        status = run->wish.dry_run ? read_only(run, &err) : send_all(run, &err);
        show_issues(run);
        sy_status saved = save_report(run, status == SY_OK ? &err : NULL);
        if (status == SY_OK) status = saved;
    }
    int code = status == SY_OK ? tell(run, cmd) : sy_cmd_fail(cmd, &err);
    sy_importer_close(run->importer);
    sy_secret_key_close(run->regulator);
    sy_cmd_net_close(run->net);
    return code;
}

int sy_cmd_submit(int argc, char **argv)
{
    static struct run run;
    struct wish *wish = &run.wish;
    const struct sy_option options[] = {
        SY_CMD_WHERE_OPTIONS(wish->where),
        {"atomic", SY_OPTION_SWITCH, &wish->atomic, NULL,
         "one transaction a Bundle, all or nothing", 0, 0},
        {"resume", SY_OPTION_SWITCH, &wish->resume, NULL,
         "go on where the last run stopped, totals included", 0, 0},
        {"dry-run", SY_OPTION_SWITCH, &wish->dry_run, NULL,
         "read and map everything, send and keep nothing", 0, 0},
        {"report", SY_OPTION_TEXT, &wish->report, "FILE", "write figures and issues as JSON", 0, 0},
        {"source", SY_OPTION_TEXT, &wish->source, "NAME",
         "name of the source system; part of every source id (fhir)", 0, 0},
        {"home", SY_OPTION_TEXT, &wish->home, "NAME",
         "the importing organisation, for resources that name none", 0, 0},
        {"window", SY_OPTION_NUMBER, &wish->window, "N", "undecided transactions at most (16384)",
         1, SY_IMPORT_WINDOW_MAX},
    };
    struct sy_cmd cmd = {.name = "submit",
                         .arguments = "PATH...|-",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 4096};
    int code;
    if (!sy_cmd_parse(&cmd, &code, argc, argv)) return code;
    run.live = isatty(STDERR_FILENO) == 1;
    return submit(&run, &cmd);
}
