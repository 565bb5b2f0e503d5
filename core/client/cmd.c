/* cmd.c: options, sentences and exit codes of `systole`'s commands. */
#include "core/client/cmd.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/bytes.h"
#include "core/base/os.h"
#include "core/wire/schema.h"

#define ANSWER_BYTES_MAX (64u << 20)

/* ---- usage -------------------------------------------------------------------------------- */

static void print_option(FILE *out, const struct sy_option *option)
{
    char left[64];
    (void)snprintf(left, sizeof left, "--%s%s%s", option->name, option->value ? " " : "",
                   option->value ? option->value : "");
    fprintf(out, "  %-22s %s\n", left, option->help);
}

void sy_cmd_print_usage(const struct sy_cmd *cmd, FILE *out)
{
    fprintf(out, "usage: systole %s [OPTIONS]%s%s\n\n%s\n", cmd->name, cmd->arguments[0] ? " " : "",
            cmd->arguments, cmd->about);
    for (unsigned i = 0; i < cmd->option_count; i++) print_option(out, &cmd->options[i]);
    fprintf(out, "  %-22s %s\n  %-22s %s\n", "--json", "answer with one JSON object", "--help",
            "print this");
    fputs("\nexit codes: 0 done, 1 refused or not proven, 2 usage, 3 network\n", out);
}

int sy_cmd_usage(const struct sy_cmd *cmd, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "systole %s: ", cmd->name);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see `systole %s --help`\n", cmd->name);
    return SY_EXIT_USAGE;
}

/* ---- parsing ------------------------------------------------------------------------------ */

static const struct sy_option *find_option(const struct sy_cmd *cmd, const char *name, size_t size)
{
    for (unsigned i = 0; i < cmd->option_count; i++) {
        const char *candidate = cmd->options[i].name;
        if (strlen(candidate) == size && memcmp(candidate, name, size) == 0) {
            return &cmd->options[i];
        }
    }
    return NULL;
}

static bool set_option(struct sy_cmd *cmd, int *exit_code, const struct sy_option *option,
                       const char *value)
{
    if (option->type == SY_OPTION_TEXT) {
        *(const char **)option->out = value;
        return true;
    }
    if (option->type == SY_OPTION_NUMBER) {
        if (sy_parse_u64((uint64_t *)option->out, value, option->min, option->max)) return true;
        *exit_code = sy_cmd_usage(cmd, "--%s must be a whole number from %llu to %llu, not '%s'",
                                  option->name, (unsigned long long)option->min,
                                  (unsigned long long)option->max, value);
        return false;
    }
    struct sy_option_list *list = (struct sy_option_list *)option->out;
    if (list->count == SY_OPTION_ITEMS_MAX) {
        *exit_code = sy_cmd_usage(cmd, "--%s is given more than %d times", option->name,
                                  SY_OPTION_ITEMS_MAX);
        return false;
    }
    list->items[list->count++] = value;
    return true;
}

// One option at argv[*at]; its value may be the word after it.
static bool take_option(struct sy_cmd *cmd, int *exit_code, int *at, int argc, char **argv)
{
    const char *name = argv[*at] + 2;
    size_t size = strcspn(name, "=");
    const char *value = name[size] == '=' ? name + size + 1 : NULL;
    bool is_json = size == 4 && memcmp(name, "json", 4) == 0;
    const struct sy_option *option = find_option(cmd, name, size);
    if (!option && !is_json) {
        *exit_code = sy_cmd_usage(cmd, "there is no option --%.*s", (int)size, name);
        return false;
    }
    if (is_json || option->type == SY_OPTION_SWITCH) {
        if (value) {
            *exit_code = sy_cmd_usage(cmd, "--%.*s takes no value", (int)size, name);
            return false;
        }
        *(is_json ? &cmd->json : (bool *)option->out) = true;
        return true;
    }
    if (!value && *at + 1 < argc) value = argv[++*at];
    if (!value) {
        *exit_code = sy_cmd_usage(cmd, "--%s needs a value, %s", option->name, option->value);
        return false;
    }
    return set_option(cmd, exit_code, option, value);
}

bool sy_cmd_parse(struct sy_cmd *cmd, int *exit_code, int argc, char **argv)
{
    bool options_end = false;
    cmd->words = argv + 1;
    cmd->word_count = 0;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            sy_cmd_print_usage(cmd, stdout);
            *exit_code = SY_EXIT_DONE;
            return false;
        } else if (!options_end && word[0] == '-' && word[1] == '-') {
            if (!take_option(cmd, exit_code, &i, argc, argv)) return false;
        } else if (!options_end && word[0] == '-' && word[1] != '\0') {
            *exit_code = sy_cmd_usage(cmd, "there is no option %s", word);
            return false;
        } else {
            cmd->words[cmd->word_count++] = word;
        }
    }
    if (cmd->word_count >= cmd->words_min && cmd->word_count <= cmd->words_max) return true;
    if (cmd->word_count < cmd->words_min) {
        *exit_code = sy_cmd_usage(cmd, "something is missing: give %s", cmd->arguments);
    } else {
        *exit_code = sy_cmd_usage(cmd, "'%s' is one argument too many",
                                  cmd->words[cmd->words_max > 0 ? cmd->words_max : 0]);
    }
    return false;
}

/* ---- results ------------------------------------------------------------------------------ */

enum sy_exit sy_exit_of(sy_status status)
{
    switch (status) {
    case SY_OK: return SY_EXIT_DONE;
    case SY_ERR_ARGUMENT: return SY_EXIT_USAGE;
    case SY_ERR_NETWORK:
    case SY_ERR_TIMEOUT:
    case SY_ERR_CLOSED:
    case SY_ERR_BUSY: return SY_EXIT_NETWORK;
    default: return SY_EXIT_REFUSED;
    }
}

void sy_cmd_json_begin(sy_json *json)
{
    sy_json_init_growing(json, ANSWER_BYTES_MAX);
    sy_json_set_pretty(json);
    sy_json_object_begin(json);
}

int sy_cmd_json_end(sy_json *json, int exit_code)
{
    sy_json_object_end(json);
    const char *text = sy_json_finish(json);
    bool told =
        text && fputs(text, stdout) >= 0 && fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    sy_json_free(json);
    if (told) return exit_code;
    fputs("systole: the answer could not be written to standard output\n", stderr);
    return SY_EXIT_REFUSED;
}

char *sy_cmd_printable(char *text)
{
    size_t at = 0;
    while (text[at]) {
        size_t size = 1;
        while (size < 4 && ((unsigned char)text[at + size] & 0xc0) == 0x80) size++;
        if (sy_text_is_printable(sy_slice_of(text + at, size))) {
            at += size;
        } else {
            text[at++] = '?';
        }
    }
    return text;
}

int sy_cmd_fail(const struct sy_cmd *cmd, const struct sy_error *err)
{
    int code = (int)sy_exit_of(err->status);
    char sentence[sizeof err->text];
    memcpy(sentence, err->text, sizeof sentence);
    fprintf(stderr, "systole %s: %s\n", cmd->name, sy_cmd_printable(sentence));
    if (!cmd->json) return code;
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "error", err->text);
    sy_json_put_text(&json, "status", sy_status_name(err->status));
    return sy_cmd_json_end(&json, code);
}

/* ---- words and files ---------------------------------------------------------------------- */

sy_status sy_cmd_hash(struct sy_hash *out, const char *what, const char *text, struct sy_error *err)
{
    if (sy_hex_decode(out->bytes, sizeof out->bytes, text)) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "%s must be 64 hex digits, not '%.80s'", what, text);
}

sy_status sy_cmd_read_input(uint8_t **out, size_t *size, const char *path, size_t max,
                            struct sy_error *err)
{
    if (strcmp(path, "-") != 0) return sy_os_read_file(out, size, path, max, err);
    uint8_t *bytes = (uint8_t *)malloc(max + 2);
    if (!bytes) return sy_fail(err, SY_ERR_NO_MEMORY, "standard input: no memory");
    *size = fread(bytes, 1, max + 1, stdin);
    bytes[*size] = '\0';
    sy_status status = SY_OK;
    if (ferror(stdin)) status = sy_fail(err, SY_ERR_IO, "standard input cannot be read");
    if (*size > max) {
        status = sy_fail(err, SY_ERR_LIMIT, "standard input: longer than %zu bytes", max);
    }
    if (status == SY_OK) {
        *out = bytes;
    } else {
        free(bytes);
    }
    return status;
}

sy_status sy_cmd_put_json(sy_json *json, const char *path, struct sy_error *err)
{
    const char *text = sy_json_finish(json);
    sy_status status = SY_OK;
    if (!text) {
        status = sy_fail(err, SY_ERR_NO_MEMORY, "the answer is too long to be written");
    } else if (path && strcmp(path, "-") != 0) {
        status = sy_os_write_file(path, text, json->size, 0644, err);
    } else if (fputs(text, stdout) < 0 || fputc('\n', stdout) == EOF || fflush(stdout) != 0) {
        status = sy_fail(err, SY_ERR_IO, "standard output takes no more");
    }
    sy_json_free(json);
    return status;
}

void sy_cmd_time(char out[SY_CMD_TIME_BYTES], int64_t ms)
{
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    if (ms < 0 || ms > SY_TIME_MS_MAX || !gmtime_r(&seconds, &tm)) {
        (void)snprintf(out, SY_CMD_TIME_BYTES, "%lld ms", (long long)ms);
        return;
    }
    size_t used = strftime(out, SY_CMD_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out + used, SY_CMD_TIME_BYTES - used, ".%03dZ", (int)(ms % 1000));
}

/* ---- words -------------------------------------------------------------------------------- */

sy_status sy_cmd_purpose(uint8_t *purpose, const char *word, struct sy_error *err)
{
    uint16_t number;
    if (sy_enum_number(&number, &sy_enum_purpose, word, strlen(word))) {
        *purpose = (uint8_t)number;
        return SY_OK;
    }
    char known[256] = "";
    size_t used = 0;
    for (unsigned i = 0; i < sy_enum_purpose.count && used < sizeof known; i++) {
        int size = snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                            sy_enum_purpose.values[i].word);
        if (size > 0) used += (size_t)size;
    }
    return sy_fail(err, SY_ERR_ARGUMENT, "a purpose is one of %s, not '%.40s'", known, word);
}
