/* cmd_x12.c: `systole x12`: does an X12 file hold together? */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/x12_check.h"

#define ISSUES_SHOWN 1000u /* of a file; later ones are only counted */

struct x12_run {
    const struct sy_cmd *cmd;
    const char *file;
    bool facts; /* tell what stands in the sets, too */
    sy_json json;
    uint64_t told;             /* issues of this file */
    struct sy_x12_loops loops; /* of the set whose facts are told */
    struct sy_x12_segment segment;
};

static const char about[] =
    "Checks X12 files (837, 835 and others) before anything is made of them: do the\n"
    "envelopes stand inside one another, are segments counted and control numbers\n"
    "repeated, do a claim's lines sum up to its charge, does a remittance balance?\n"
    "It tells file, segment number, kind of set and control number of what does not;\n"
    "exit 1 then. Nothing is sent. A set with an issue is not to be acted on. --facts\n"
    "tells what stands in the sets, by name: not who, nor with what diagnosis.\n";

static void tell_issue(void *self, const struct sy_x12_issue *issue)
{
    struct x12_run *run = (struct x12_run *)self;
    const char *word = sy_x12_issue_word(issue->kind);
    if (run->told++ >= ISSUES_SHOWN) return;
    if (!run->cmd->json) {
        printf("%s: segment %llu", run->file, (unsigned long long)issue->segment);
        if (issue->set[0]) printf(", set %s", issue->set);
        if (issue->control[0]) printf(", control number %s", issue->control);
        printf(": %s: %s\n", word, issue->text);
        return;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_u64(&run->json, "segment", issue->segment);
    sy_json_put_text(&run->json, "set", issue->set);
    sy_json_put_text(&run->json, "control", issue->control);
    sy_json_put_text(&run->json, "kind", word);
    sy_json_put_text(&run->json, "what", issue->text);
    sy_json_object_end(&run->json);
}

static void totals_to_json(sy_json *json, const struct sy_x12_totals *totals)
{
    sy_json_put_u64(json, "segments", totals->segments);
    sy_json_put_u64(json, "interchanges", totals->interchanges);
    sy_json_put_u64(json, "groups", totals->groups);
    sy_json_put_u64(json, "sets", totals->sets);
    sy_json_put_u64(json, "sets_with_issues", totals->sets_with_issues);
    sy_json_key(json, "sets_by_kind");
    sy_json_object_begin(json);
    for (uint32_t i = 0; i < totals->kind_count; i++) {
        sy_json_put_u64(json, totals->kinds[i].set, totals->kinds[i].count);
    }
    sy_json_object_end(json);
    sy_json_put_u64(json, "claims", totals->claims);
    sy_json_put_i64(json, "charged_cents", totals->charged);
    sy_json_put_u64(json, "remitted_claims", totals->remitted);
    sy_json_put_u64(json, "balanced", totals->balanced);
    sy_json_key(json, "issues_by_kind");
    sy_json_object_begin(json);
    for (uint8_t kind = SY_X12_FRAMING; kind < SY_X12_ISSUES; kind++) {
        sy_json_put_u64(json, sy_x12_issue_word(kind), totals->issues[kind]);
    }
    sy_json_object_end(json);
}

static void tell_totals(const struct x12_run *run, const struct sy_x12_totals *totals)
{
    if (run->told > ISSUES_SHOWN) {
        printf("%s: %llu more issues\n", run->file, (unsigned long long)(run->told - ISSUES_SHOWN));
    }
    printf("%s: %llu segments, %llu sets, %llu with issues", run->file,
           (unsigned long long)totals->segments, (unsigned long long)totals->sets,
           (unsigned long long)totals->sets_with_issues);
    if (totals->claims > 0) {
        printf("; %llu claims of %lld.%02lld", (unsigned long long)totals->claims,
               (long long)(totals->charged / 100), llabs((long long)(totals->charged % 100)));
    }
    if (totals->remitted > 0) {
        printf("; %llu of %llu remitted claims balance", (unsigned long long)totals->balanced,
               (unsigned long long)totals->remitted);
    }
    putchar('\n');
}

// --- facts -------------------------------------------------------------------------------------

static int at_most(size_t size, int most)
{
    return size < (size_t)most ? (int)size : most;
}

/* "150.50", "CO-45 7.00", "2005-03-14..2005-03-25", or the word itself if it is plain. */
static void fact_text(char out[80], const struct sy_x12_fact *fact)
{
    char cents[32];
    int64_t size = fact->cents < 0 ? -fact->cents : fact->cents; // at most 15 digits
    (void)snprintf(cents, sizeof cents, "%s%lld.%02lld", fact->cents < 0 ? "-" : "",
                   (long long)(size / 100), (long long)(size % 100));
    if (fact->good && fact->form == SY_X12_CENTS) {
        (void)snprintf(out, 80, "%s", cents);
    } else if (fact->good && fact->form == SY_X12_ADJUSTMENTS) {
        (void)snprintf(out, 80, "%.*s-%.*s %s", at_most(fact->value.size, 8), fact->value.data,
                       at_most(fact->reason.size, 16), fact->reason.data, cents);
    } else if (fact->good && fact->form == SY_X12_HELD_BACK) {
        (void)snprintf(out, 80, "%.*s %s", at_most(fact->reason.size, 32), fact->reason.data,
                       cents);
    } else {
        (void)snprintf(out, 80, "%.*s", at_most(fact->value.size, 79), fact->value.data);
    }
}

static void tell_fact(void *self, const struct sy_x12_fact *fact)
{
    struct x12_run *run = (struct x12_run *)self;
    char text[80];
    if (fact->form == SY_X12_PERSON || fact->form == SY_X12_DIAGNOSES) return;
    fact_text(text, fact);
    const char *loop = sy_x12_loop_word(run->loops.open[run->loops.depth - 1].loop);
    const char *set = sy_x12_set_word(run->loops.set);
    if (!run->cmd->json) {
        printf("%s: segment %llu, %s%s%s: %s = %s\n", run->file,
               (unsigned long long)run->segment.number, set, loop[0] ? " " : "", loop, fact->name,
               sy_cmd_printable(text));
        return;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_u64(&run->json, "segment", run->segment.number);
    sy_json_put_text(&run->json, "set", set);
    sy_json_put_text(&run->json, "loop", loop);
    sy_json_put_text(&run->json, "fact", fact->name);
    sy_json_put_text(&run->json, "value", text);
    sy_json_object_end(&run->json);
}

/* What stands in the sets, as far as the document can be read; sy_x12_check says how far. */
static void tell_facts(struct x12_run *run, struct sy_slice document)
{
    char why[SY_X12_TEXT_BYTES];
    struct sy_x12_reader reader = {.document = document};
    struct sy_slice guide = sy_slice_of(NULL, 0);
    bool inside = false, opened;
    while (sy_x12_next(&reader, &run->segment, why) == SY_X12_SEGMENT) {
        if (sy_x12_is(&run->segment, "GS")) guide = sy_x12_element(&run->segment, 8);
        if (sy_x12_is(&run->segment, "ST")) sy_x12_loops_begin(&run->loops, &run->segment, guide);
        if (sy_x12_is(&run->segment, "SE")) inside = false;
        if (inside) {
            (void)sy_x12_loops_take(&run->loops, &opened, why, &run->segment);
            sy_x12_facts(&run->loops, &reader, &run->segment, tell_fact, run);
        }
        if (sy_x12_is(&run->segment, "ST")) inside = true;
    }
}

static sy_status check_file(struct x12_run *run, bool *good, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_x12_totals totals;
    SY_TRY(sy_os_read_file(&bytes, &size, run->file, SY_X12_DOCUMENT_BYTES_MAX, err));
    run->told = 0;
    if (run->cmd->json) {
        sy_json_object_begin(&run->json);
        sy_json_put_text(&run->json, "file", run->file);
        sy_json_key(&run->json, "issues");
        sy_json_array_begin(&run->json);
    }
    if (!sy_x12_check(&totals, sy_slice_of(bytes, size), tell_issue, run)) *good = false;
    if (run->cmd->json) sy_json_array_end(&run->json);
    if (run->cmd->json && run->facts) {
        sy_json_key(&run->json, "facts");
        sy_json_array_begin(&run->json);
    }
    if (run->facts) tell_facts(run, sy_slice_of(bytes, size));
    if (run->cmd->json && run->facts) sy_json_array_end(&run->json);
    free(bytes);
    if (run->cmd->json) {
        totals_to_json(&run->json, &totals);
        sy_json_object_end(&run->json);
    } else {
        tell_totals(run, &totals);
    }
    return SY_OK;
}

static int check_files(struct x12_run *run)
{
    struct sy_error err = {SY_OK, ""};
    bool good = true;
    sy_status status = SY_OK;
    if (run->cmd->json) {
        sy_cmd_json_begin(&run->json);
        sy_json_key(&run->json, "files");
        sy_json_array_begin(&run->json);
    }
    for (int i = 0; i < run->cmd->word_count && status == SY_OK; i++) {
        run->file = run->cmd->words[i];
        status = check_file(run, &good, &err);
    }
    if (status != SY_OK) {
        if (run->cmd->json) sy_json_free(&run->json);
        return sy_cmd_fail(run->cmd, &err);
    }
    int code = good ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    if (!run->cmd->json) return code;
    sy_json_array_end(&run->json);
    sy_json_put_bool(&run->json, "good", good);
    return sy_cmd_json_end(&run->json, code);
}

int sy_cmd_x12(int argc, char **argv)
{
    struct x12_run run = {.cmd = NULL};
    const struct sy_option options[] = {
        {"facts", SY_OPTION_SWITCH, &run.facts, NULL, "tell what stands in the sets, too", 0, 0},
    };
    struct sy_cmd cmd = {.name = "x12",
                         .arguments = "FILE...",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 4096};
    int code;
    run.cmd = &cmd;
    if (!sy_cmd_parse(&cmd, &code, argc, argv)) return code;
    return check_files(&run);
}
