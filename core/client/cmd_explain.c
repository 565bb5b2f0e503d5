/* cmd_explain.c: `systole explain`: kinds and refusal codes in words, from their tables. */
#include <stdlib.h>

#include "core/client/cmd.h"
#include "core/wire/schema.h"

static const char about[] = "Explains a kind of transaction (record.create) or a refusal code\n"
                            "(E_NO_CARE, or its number). Without an argument it lists them.\n";

static void list_all(void)
{
    const struct sy_kind *kind;
    const struct sy_refusal_info *info;
    puts("kinds:");
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        printf("  %-18s %s\n", kind->name, kind->doc);
    }
    puts("\nrefusal codes:");
    for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL; i++) {
        printf("  %-18s %3u  %s\n", info->name, (unsigned)info->number, info->sentence);
    }
}

static const struct sy_refusal_info *find_code(const char *word)
{
    uint64_t number;
    if (!sy_parse_u64(&number, word, 0, UINT16_MAX)) return sy_refusal_by_name(word);
    const struct sy_refusal_info *info;
    for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL; i++) {
        if (info->number == number) return info;
    }
    return NULL;
}

static void kind_to_json(sy_json *json, const struct sy_kind *kind)
{
    char rule[1024];
    sy_json_put_text(json, "kind", kind->name);
    sy_json_put_u64(json, "number", kind->number);
    sy_json_put_text(json, "about", kind->doc);
    sy_json_put_text(json, "signed_by", kind->signers);
    sy_json_key(json, "fields");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < kind->field_count; i++) {
        struct sy_writer w = sy_writer_of(rule, sizeof rule);
        sy_field_rule(&w, &kind->fields[i]);
        sy_json_object_begin(json);
        sy_json_put_text(json, "name", kind->fields[i].name);
        sy_json_key(json, "rule");
        sy_json_text_bytes(json, rule, w.used);
        sy_json_put_text(json, "about", kind->fields[i].doc);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

static int explain_json(const struct sy_kind *kind, const struct sy_refusal_info *info)
{
    sy_json json;
    sy_cmd_json_begin(&json);
    if (kind) kind_to_json(&json, kind);
    if (info) {
        sy_json_put_text(&json, "code", info->name);
        sy_json_put_u64(&json, "number", info->number);
        sy_json_put_text(&json, "sentence", info->sentence);
        sy_json_put_text(&json, "remedy", info->remedy);
        sy_json_put_bool(&json, "decides", sy_refusal_decides(info->number));
    }
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static int list_json(void)
{
    const struct sy_kind *kind;
    const struct sy_refusal_info *info;
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_key(&json, "kinds");
    sy_json_array_begin(&json);
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) sy_json_text(&json, kind->name);
    sy_json_array_end(&json);
    sy_json_key(&json, "codes");
    sy_json_array_begin(&json);
    for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL; i++) sy_json_text(&json, info->name);
    sy_json_array_end(&json);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

/* Prints what one of the table's writers writes; none of them needs more room. */
static int explain_text(const struct sy_kind *kind, const struct sy_refusal_info *info)
{
    char *text = (char *)malloc(SY_CATALOGUE_BYTES_MAX);
    if (!text) return SY_EXIT_REFUSED;
    struct sy_writer w = sy_writer_of(text, SY_CATALOGUE_BYTES_MAX);
    if (kind) {
        sy_kind_explain(&w, kind);
    } else if (info) {
        sy_refusal_explain(&w, info->number);
    } else {
        sy_schema_write_markdown(&w);
    }
    (void)fwrite(text, 1, w.used, stdout);
    free(text);
    return SY_EXIT_DONE;
}

int sy_cmd_explain(int argc, char **argv)
{
    bool markdown = false;
    const struct sy_option options[] = {
        {"markdown", SY_OPTION_SWITCH, &markdown, NULL, "write the whole catalogue as Markdown", 0,
         0},
    };
    struct sy_cmd cmd = {.name = "explain",
                         .arguments = "[KIND|CODE]",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_max = 1};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (markdown && cmd.word_count > 0) {
        return sy_cmd_usage(&cmd, "--markdown writes everything: leave out %s", cmd.words[0]);
    }
    if (markdown) return explain_text(NULL, NULL);
    if (cmd.word_count == 0) {
        if (cmd.json) return list_json();
        list_all();
        return SY_EXIT_DONE;
    }
    const struct sy_kind *kind = sy_kind_by_name(cmd.words[0]);
    const struct sy_refusal_info *info = kind ? NULL : find_code(cmd.words[0]);
    if (!kind && !info) {
        return sy_cmd_usage(&cmd, "there is no kind or code '%s'; `systole explain` lists them",
                            cmd.words[0]);
    }
    return cmd.json ? explain_json(kind, info) : explain_text(kind, info);
}
