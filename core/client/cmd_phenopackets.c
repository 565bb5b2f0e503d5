/* cmd_phenopackets.c: `systole phenopackets`: what a data set of phenopackets has, for
 * dataset.publish. */
#include <stdlib.h>
#include <string.h>

#include "core/client/cmd.h"
#include "core/client/phenopacket.h"

#define WORDS_MAX 65536u /* terms and genes of all files */

static const char about[] =
    "Reads GA4GH phenopackets and counts people by HPO term and by gene: what\n"
    "dataset.publish says that a data set has. Terms and genes of fewer people than\n"
    "--at-least are not told, only how many there are: a rare one may be somebody.\n"
    "Of a file that is none it tells path and reason; exit code 1 then. Nothing is\n"
    "sent; nobody is named.\n";

struct counted {
    char text[SY_GENE_BYTES];
    uint32_t people;
};

struct counts_run {
    const struct sy_cmd *cmd;
    uint64_t least;
    uint32_t people, refused, term_count, gene_count;
    struct counted terms[WORDS_MAX], genes[WORDS_MAX];
    sy_json json;
};

static sy_status count_one(struct counted *list, uint32_t *count, const char *text,
                           struct sy_error *err)
{
    uint32_t low = 0, high = *count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = strcmp(list[middle].text, text);
        if (order == 0) {
            list[middle].people++;
            return SY_OK;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (*count == WORDS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "there are more than %u terms or genes", WORDS_MAX);
    }
    memmove(&list[low + 1], &list[low], (*count - low) * sizeof *list);
    list[low] = (struct counted){.people = 1};
    (void)snprintf(list[low].text, sizeof list[low].text, "%s", text);
    ++*count;
    return SY_OK;
}

static sy_status count_packet(struct counts_run *run, const struct sy_phenopacket *packet,
                              struct sy_error *err)
{
    run->people++;
    for (uint32_t i = 0; i < packet->term_count; i++) {
        SY_TRY(count_one(run->terms, &run->term_count, packet->terms[i], err));
    }
    for (uint32_t i = 0; i < packet->gene_count; i++) {
        SY_TRY(count_one(run->genes, &run->gene_count, packet->genes[i], err));
    }
    return SY_OK;
}

static void tell_refused(struct counts_run *run, struct sy_error *why)
{
    run->refused++;
    if (run->cmd->json)
        sy_json_text(&run->json, why->text);
    else
        printf("refused: %s\n", sy_cmd_printable(why->text));
}

static sy_status count_files(struct counts_run *run, struct sy_error *err)
{
    for (int i = 0; i < run->cmd->word_count; i++) {
        uint8_t *text = NULL;
        size_t size = 0;
        struct sy_phenopacket packet;
        struct sy_error why = {SY_OK, ""};
        const char *path = run->cmd->words[i];
        SY_TRY(sy_cmd_read_input(&text, &size, path, SY_PHENOPACKET_INPUT_BYTES_MAX, err));
        sy_status status = sy_phenopacket_read(&packet, sy_slice_of(text, size), path, &why);
        free(text);
        if (status == SY_ERR_FORMAT) {
            tell_refused(run, &why);
            continue;
        }
        if (status == SY_OK) status = count_packet(run, &packet, &why);
        sy_phenopacket_free(&packet);
        if (status != SY_OK) *err = why;
        SY_TRY(status);
    }
    return SY_OK;
}

static void tell_list(struct counts_run *run, const char *name, const struct counted *list,
                      uint32_t count)
{
    uint32_t rare = 0;
    if (run->cmd->json) {
        sy_json_key(&run->json, name);
        sy_json_object_begin(&run->json);
    }
    for (uint32_t i = 0; i < count; i++) {
        rare += list[i].people < run->least;
        if (list[i].people < run->least) continue;
        if (run->cmd->json)
            sy_json_put_u64(&run->json, list[i].text, list[i].people);
        else
            printf("%s: %u people\n", list[i].text, (unsigned)list[i].people);
    }
    if (!run->cmd->json) {
        printf("%s of fewer than %llu people: %u\n", name, (unsigned long long)run->least,
               (unsigned)rare);
        return;
    }
    char word[32];
    sy_json_object_end(&run->json);
    (void)snprintf(word, sizeof word, "rare_%s", name);
    sy_json_put_u64(&run->json, word, rare);
}

static int tell(struct counts_run *run)
{
    int code = run->refused > 0 ? SY_EXIT_REFUSED : SY_EXIT_DONE;
    if (run->cmd->json) {
        sy_json_array_end(&run->json);
        sy_json_put_u64(&run->json, "people", run->people);
    }
    tell_list(run, "terms", run->terms, run->term_count);
    tell_list(run, "genes", run->genes, run->gene_count);
    if (run->cmd->json) return sy_cmd_json_end(&run->json, code);
    printf("%u phenopackets, %u refused\n", (unsigned)run->people, (unsigned)run->refused);
    return code;
}

static int count_and_tell(struct counts_run *run)
{
    struct sy_error err = {SY_OK, ""};
    if (run->cmd->json) {
        sy_cmd_json_begin(&run->json);
        sy_json_key(&run->json, "refused");
        sy_json_array_begin(&run->json);
    }
    if (count_files(run, &err) == SY_OK) return tell(run);
    sy_json_free(&run->json);
    return sy_cmd_fail(run->cmd, &err);
}

int sy_cmd_phenopackets(int argc, char **argv)
{
    static struct counts_run run; /* too large for a stack; one command a process */
    run.least = 11;
    const struct sy_option options[] = {
        {"at-least", SY_OPTION_NUMBER, &run.least, "PEOPLE",
         "terms and genes of fewer are not told (11)", 1, UINT32_MAX},
    };
    struct sy_cmd cmd = {.name = "phenopackets",
                         .arguments = "FILE...",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1000000};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    exit_code = count_and_tell(&run);
    run.cmd = NULL;
    return exit_code;
}
