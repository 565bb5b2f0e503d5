/* cmd_hl7.c: `systole hl7`: do HL7 version 2 messages hold together, and what are they here? */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/hl7_check.h"

#define ISSUES_SHOWN 1000u /* of a file; later ones are only counted */

struct hl7_run {
    const struct sy_cmd *cmd;
    const char *file;
    sy_json json;
    uint64_t told; /* issues of this file */
    struct sy_hl7_seen seen;
    struct sy_hl7_totals totals;
};

static const char about[] =
    "Checks files of HL7 version 2 messages, bare or in batches: does each tell its type,\n"
    "control id and version, has it the segments of its type, is somebody identified, are\n"
    "times, numbers and escapes what they say, are batches counted, was a control id used\n"
    "before? It tells file, line, field, type and control id of what is not, never a value;\n"
    "exit 1 then. At the end: how many of which type there were, and what the ledger's\n"
    "catalogue has for it. Nothing is sent.\n";

static void tell_issue(void *self, const struct sy_hl7_issue *issue)
{
    struct hl7_run *run = (struct hl7_run *)self;
    const char *word = sy_hl7_issue_word((uint8_t)issue->kind);
    if (run->told++ >= ISSUES_SHOWN) return;
    if (!run->cmd->json) {
        printf("%s: line %llu", run->file, (unsigned long long)issue->line);
        if (issue->field[0]) printf(", %s", issue->field);
        if (issue->type[0]) printf(", message %s", issue->type);
        if (issue->control[0]) printf(", control id %s", issue->control);
        printf(": %s: %s\n", word, issue->text);
        return;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_text(&run->json, "file", run->file);
    sy_json_put_u64(&run->json, "line", issue->line);
    sy_json_put_text(&run->json, "field", issue->field);
    sy_json_put_text(&run->json, "type", issue->type);
    sy_json_put_text(&run->json, "control", issue->control);
    sy_json_put_text(&run->json, "kind", word);
    sy_json_put_text(&run->json, "what", issue->text);
    sy_json_object_end(&run->json);
}

static sy_status check_file(struct hl7_run *run, bool *good, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(sy_os_read_file(&bytes, &size, run->file, SY_HL7_DOCUMENT_BYTES_MAX, err));
    run->told = 0;
    if (!sy_hl7_check(&run->totals, &run->seen, sy_slice_of(bytes, size), tell_issue, run)) {
        *good = false;
    }
    if (size > 0) sy_wipe(bytes, size);
    free(bytes);
    if (run->told > ISSUES_SHOWN && !run->cmd->json) {
        printf("%s: %llu more issues\n", run->file, (unsigned long long)(run->told - ISSUES_SHOWN));
    }
    return SY_OK;
}

static void totals_to_json(sy_json *json, const struct sy_hl7_totals *totals)
{
    sy_json_put_u64(json, "segments", totals->segments);
    sy_json_put_u64(json, "messages", totals->messages);
    sy_json_put_u64(json, "with_issues", totals->with_issues);
    sy_json_put_u64(json, "repeated", totals->repeated);
    sy_json_key(json, "types");
    sy_json_array_begin(json);
    for (uint32_t i = 0; i < totals->type_count; i++) {
        sy_json_object_begin(json);
        sy_json_put_text(json, "type", totals->types[i].type);
        sy_json_put_u64(json, "count", totals->types[i].count);
        sy_json_put_text(json, "becomes", totals->types[i].becomes);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    sy_json_key(json, "issues_by_kind");
    sy_json_object_begin(json);
    for (uint8_t kind = SY_HL7_FRAMING; kind < SY_HL7_ISSUES; kind++) {
        sy_json_put_u64(json, sy_hl7_issue_word(kind), totals->issues[kind]);
    }
    sy_json_object_end(json);
}

static void tell_totals(const struct sy_hl7_totals *totals)
{
    for (uint32_t i = 0; i < totals->type_count; i++) {
        printf("%-9s %8llu  %s\n", totals->types[i].type,
               (unsigned long long)totals->types[i].count, totals->types[i].becomes);
    }
    printf("%llu segments, %llu messages, %llu with issues, %llu repeated\n",
           (unsigned long long)totals->segments, (unsigned long long)totals->messages,
           (unsigned long long)totals->with_issues, (unsigned long long)totals->repeated);
}

static int check_files(struct hl7_run *run)
{
    struct sy_error err = {SY_OK, ""};
    bool good = true;
    sy_status status = sy_hl7_seen_open(&run->seen, &err);
    if (run->cmd->json) {
        sy_cmd_json_begin(&run->json);
        sy_json_key(&run->json, "issues");
        sy_json_array_begin(&run->json);
    }
    for (int i = 0; i < run->cmd->word_count && status == SY_OK; i++) {
        run->file = run->cmd->words[i];
        status = check_file(run, &good, &err);
    }
    sy_hl7_seen_close(&run->seen);
    if (status != SY_OK) {
        if (run->cmd->json) sy_json_free(&run->json);
        return sy_cmd_fail(run->cmd, &err);
    }
    int code = good ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    if (!run->cmd->json) {
        tell_totals(&run->totals);
        return code;
    }
    sy_json_array_end(&run->json);
    totals_to_json(&run->json, &run->totals);
    sy_json_put_bool(&run->json, "good", good);
    return sy_cmd_json_end(&run->json, code);
}

int sy_cmd_hl7(int argc, char **argv)
{
    static struct hl7_run run; /* too large for a small stack; one command a process */
    struct sy_cmd cmd = {
        .name = "hl7", .arguments = "FILE...", .about = about, .words_min = 1, .words_max = 4096};
    int code;
    if (!sy_cmd_parse(&cmd, &code, argc, argv)) return code;
    run.cmd = &cmd;
    code = check_files(&run);
    run.cmd = NULL;
    return code;
}
