/* cmd_epcis.c: `systole epcis`: are EPCIS events as they have to be, and what are their hashes? */
#include <stdlib.h>

#include "core/client/cmd.h"
#include "core/client/epcis_files.h"

static const char about[] =
    "Checks EPCIS 2.0 documents (JSON, JSON-LD; one a file, or one a line) before\n"
    "anything is made of them, and tells the CBV 2.0 hash of each event that is good.\n"
    "An event that is there twice is told; one that declares an error repeats the one\n"
    "that is wrong, and is none. Exit 1 if an event is wrong or there twice. Nothing is\n"
    "sent. An event with an issue is not to be acted on.\n";

struct epcis_run {
    const struct sy_cmd *cmd;
    struct sy_epcis_report report;
    sy_json json;
    bool quiet;
};

static sy_status take_event(void *self, const struct sy_epcis_found *found, struct sy_error *err)
{
    struct epcis_run *run = (struct epcis_run *)self;
    char hash[SY_EPCIS_HASH_BYTES];
    const char *type = sy_epcis_type_word(found->event->type);
    (void)err;
    run->report.types[found->event->type].final++;
    sy_epcis_hash_text(hash, &found->hash);
    if (run->quiet) return SY_OK;
    if (!run->cmd->json) {
        printf("%s  %s%s  %s%s%s\n", hash, type, found->correction ? " (declared wrong)" : "",
               found->file, found->where[0] ? ": " : "", found->where);
        return SY_OK;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_text(&run->json, "file", found->file);
    sy_json_put_text(&run->json, "where", found->where);
    sy_json_put_text(&run->json, "type", type);
    sy_json_put_text(&run->json, "hash", hash);
    sy_json_put_bool(&run->json, "correction", found->correction);
    sy_json_object_end(&run->json);
    return SY_OK;
}

static bool is_good(const struct sy_epcis_report *report)
{
    bool good = report->issues_total == report->warnings;
    for (size_t i = 0; i < SY_EPCIS_TYPES; i++) good = good && report->types[i].duplicates == 0;
    return good;
}

static void tell_report(const struct sy_epcis_report *report)
{
    for (size_t i = 0; i < report->issues_kept; i++) {
        const struct sy_import_issue *issue = &report->issues[i];
        char what[sizeof issue->what];
        (void)snprintf(what, sizeof what, "%s", issue->what);
        printf("%s%s%s: %s%s%s\n", issue->file, issue->where[0] ? ": " : "", issue->where,
               sy_cmd_printable(what), issue->remedy[0] ? "; " : "", issue->remedy);
    }
    if (report->issues_total > report->issues_kept) {
        printf("%llu more issues\n",
               (unsigned long long)(report->issues_total - report->issues_kept));
    }
    for (size_t i = 0; i < SY_EPCIS_TYPES; i++) {
        const struct sy_import_type *type = &report->types[i];
        if (type->read == 0) continue;
        printf("%-20s %llu read, %llu good, %llu duplicate, %llu refused\n", type->type,
               (unsigned long long)type->read, (unsigned long long)type->final,
               (unsigned long long)type->duplicates, (unsigned long long)type->refused);
    }
}

static int run_epcis(struct epcis_run *run)
{
    struct sy_error err = {SY_OK, ""};
    const struct sy_cmd *cmd = run->cmd;
    sy_status status = sy_epcis_report_open(&run->report, &err);
    if (cmd->json) {
        sy_cmd_json_begin(&run->json);
        sy_json_key(&run->json, "events");
        sy_json_array_begin(&run->json);
    }
    if (status == SY_OK) {
        status = sy_epcis_files(&run->report, cmd->words, (size_t)cmd->word_count, take_event, run,
                                &err);
    }
    if (status != SY_OK) {
        if (cmd->json) sy_json_free(&run->json);
        return sy_cmd_fail(cmd, &err);
    }
    int code = is_good(&run->report) ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    if (!cmd->json) {
        tell_report(&run->report);
        return code;
    }
    sy_json_array_end(&run->json);
    sy_epcis_report_json(&run->report, &run->json);
    sy_json_put_bool(&run->json, "good", is_good(&run->report));
    return sy_cmd_json_end(&run->json, code);
}

int sy_cmd_epcis(int argc, char **argv)
{
    struct epcis_run run = {.cmd = NULL};
    const struct sy_option options[] = {
        {"quiet", SY_OPTION_SWITCH, &run.quiet, NULL, "tell no hashes, only what is wrong", 0, 0},
    };
    struct sy_cmd cmd = {.name = "epcis",
                         .arguments = "FILE...",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 4096};
    int code;
    if (!sy_cmd_parse(&cmd, &code, argc, argv)) return code;
    run.cmd = &cmd;
    code = run_epcis(&run);
    sy_epcis_report_close(&run.report);
    return code;
}
