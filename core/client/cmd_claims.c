/* cmd_claims.c: `systole claims`: may claims be billed as they are, and what do they come to? */
#include <stdlib.h>

#include "core/client/bill_files.h"
#include "core/client/cmd.h"

static const char about[] =
    "Reads claims out of X12 (837P, 837I, 837D) and FHIR R4 (Claim; Bundles, one\n"
    "resource, or one a line), and says which of them claim.submit can bill, what they\n"
    "come to, and which bill a service twice: the lines are judged by the ledger's own\n"
    "parser, and services told apart by its own key. --lines prints the lines. Nothing\n"
    "is sent. Exit 1 if a claim is refused or there twice.\n";

struct claims_run {
    const struct sy_cmd *cmd;
    struct sy_bill_report report;
    sy_json json;
    bool lines;
};

static sy_status take_bill(void *self, const struct sy_bill *bill,
                           const struct sy_bill_lines *lines, struct sy_error *err)
{
    struct claims_run *run = (struct claims_run *)self;
    (void)err;
    if (!run->lines) return SY_OK;
    if (!run->cmd->json) {
        printf("claim %llu, %s\n", (unsigned long long)run->report.bills,
               sy_bill_type_word(bill->type));
        for (unsigned i = 0; i < lines->count; i++) printf("  %s\n", lines->text[i]);
        return SY_OK;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_u64(&run->json, "number", run->report.bills);
    sy_json_put_text(&run->json, "type", sy_bill_type_word(bill->type));
    sy_json_put_i64(&run->json, "from", bill->from_ms);
    sy_json_put_i64(&run->json, "until", bill->until_ms);
    sy_json_put_i64(&run->json, "total", bill->total);
    sy_json_key(&run->json, "lines");
    sy_json_array_begin(&run->json);
    for (unsigned i = 0; i < lines->count; i++) sy_json_text(&run->json, lines->text[i]);
    sy_json_array_end(&run->json);
    sy_json_object_end(&run->json);
    return SY_OK;
}

static bool is_good(const struct sy_bill_report *report)
{
    bool good = report->issues_total == report->warnings;
    for (size_t i = 0; i < SY_BILL_TYPES; i++) good = good && report->types[i].duplicates == 0;
    return good;
}

static void tell_report(const struct sy_bill_report *report)
{
    for (size_t i = 0; i < report->issues_kept; i++) {
        const struct sy_import_issue *issue = &report->issues[i];
        char where[sizeof issue->where], what[sizeof issue->what];
        (void)snprintf(where, sizeof where, "%s", issue->where);
        (void)snprintf(what, sizeof what, "%s", issue->what);
        printf("%s%s%s: %s; %s\n", issue->file, where[0] ? ": " : "", sy_cmd_printable(where),
               sy_cmd_printable(what), issue->remedy);
    }
    if (report->issues_total > report->issues_kept) {
        printf("%llu more issues\n",
               (unsigned long long)(report->issues_total - report->issues_kept));
    }
    for (size_t i = 0; i < SY_BILL_TYPES; i++) {
        const struct sy_import_type *type = &report->types[i];
        if (type->read == 0) continue;
        printf("%-14s %llu read, %llu good, %llu duplicate, %llu refused; charged %lld.%02lld of "
               "%lld.%02lld\n",
               type->type, (unsigned long long)type->read, (unsigned long long)type->final,
               (unsigned long long)type->duplicates, (unsigned long long)type->refused,
               (long long)(report->charged[i] / 100), (long long)(report->charged[i] % 100),
               (long long)(report->charged_read[i] / 100),
               (long long)(report->charged_read[i] % 100));
    }
}

static int run_claims(struct claims_run *run)
{
    struct sy_error err = {SY_OK, ""};
    const struct sy_cmd *cmd = run->cmd;
    sy_status status = sy_bill_report_open(&run->report, &err);
    if (cmd->json) {
        sy_cmd_json_begin(&run->json);
        sy_json_key(&run->json, "claims");
        sy_json_array_begin(&run->json);
    }
    if (status == SY_OK) {
        status =
            sy_bill_files(&run->report, cmd->words, (size_t)cmd->word_count, take_bill, run, &err);
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
    sy_bill_report_json(&run->report, &run->json);
    sy_json_put_bool(&run->json, "good", is_good(&run->report));
    return sy_cmd_json_end(&run->json, code);
}

int sy_cmd_claims(int argc, char **argv)
{
    struct claims_run run = {.cmd = NULL};
    const struct sy_option options[] = {
        {"lines", SY_OPTION_SWITCH, &run.lines, NULL, "print the lines as claim.submit has them", 0,
         0},
    };
    struct sy_cmd cmd = {.name = "claims",
                         .arguments = "FILE...",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 4096};
    int code;
    if (!sy_cmd_parse(&cmd, &code, argc, argv)) return code;
    run.cmd = &cmd;
    code = run_claims(&run);
    sy_bill_report_close(&run.report);
    return code;
}
