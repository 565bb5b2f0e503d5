/* What a file's lines show: sizes, white space, banned words, quorum sums, jumps. */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "tests/tidy/tidy.h"

// Characters of a line: bytes that do not continue a UTF-8 sequence.
static size_t count_columns(const char *line)
{
    size_t columns = 0;
    for (; *line; line++) columns += ((uint8_t)*line & 0xc0) != 0x80 ? 1 : 0;
    return columns;
}

static void check_layout(struct tidy_tree *tree, const struct tidy_file *file)
{
    bool is_sized = file->kind == TIDY_CODE || file->kind == TIDY_SCRIPT;
    if (is_sized && file->line_count > tree->lines_per_file) {
        tidy_report(tree, file->path, 0, "has %zu lines, more than %zu; split it by concern",
                    file->line_count, tree->lines_per_file);
    }
    if (!file->ends_in_break) {
        tidy_report(tree, file->path, file->line_count, "the last line has no line break");
    }
    for (size_t i = 0; i < file->line_count; i++) {
        const char *line = file->lines[i];
        size_t length = strlen(line);
        size_t columns = count_columns(line);
        if (is_sized && columns > tree->columns) {
            tidy_report(tree, file->path, i + 1, "is %zu columns wide, more than %zu", columns,
                        tree->columns);
        }
        if (length && isspace((unsigned char)line[length - 1])) {
            tidy_report(tree, file->path, i + 1, "ends in white space");
        }
        if (is_sized && strchr(line, '\t')) {
            tidy_report(tree, file->path, i + 1, "holds a tab; indent by spaces");
        }
    }
}

// clang-format puts the braces of a function, and of little else, in the first column.
static void check_functions(struct tidy_tree *tree, const struct tidy_file *file)
{
    size_t start = 0;
    for (size_t i = 0; i < file->line_count; i++) {
        const char *line = file->lines[i];
        if (strcmp(line, "{") == 0) start = i + 1;
        if (start && line[0] == '}') {
            size_t lines = i + 2 - start;
            if (lines > tree->lines_per_function) {
                tidy_report(tree, file->path, start,
                            "this function has %zu lines, more than %zu; give its parts names",
                            lines, tree->lines_per_function);
            }
            start = 0;
        }
    }
}

static void check_banned(struct tidy_tree *tree, const struct tidy_file *file)
{
    static const char *const exempt[] = {"tests/tidy/banned.txt", "tests/tidy/test_tidy.sh"};
    for (size_t i = 0; i < sizeof exempt / sizeof exempt[0]; i++) {
        if (strcmp(file->path, exempt[i]) == 0) return;
    }
    for (size_t i = 0; i < file->line_count; i++) {
        for (size_t b = 0; b < tree->banned_count; b++) {
            regmatch_t match[3];
            if (regexec(&tree->banned[b], file->lines[i], 3, match, 0) != 0) continue;
            tidy_report(tree, file->path, i + 1,
                        "says \"%.*s\"; do it, or open an issue and say nothing here",
                        (int)(match[2].rm_eo - match[2].rm_so), file->lines[i] + match[2].rm_so);
        }
    }
}

// The line without white space.
static void squeeze(char *out, size_t out_size, const char *line)
{
    size_t size = 0;
    for (; *line && size + 1 < out_size; line++) {
        if (!isspace((unsigned char)*line)) out[size++] = *line;
    }
    out[size] = '\0';
}

// Quorums are counted in one place, which is right for every n; see core/wire/roster.h.
static void check_quorum_sums(struct tidy_tree *tree, const struct tidy_file *file)
{
    static regex_t sums;
    static bool is_ready;
    if (!is_ready) {
        tidy_compile(&sums,
                     "(2\\*?f\\+1|f\\*2\\+1|3\\*?f\\+1|f\\*3\\+1|-1\\)/3|[^0-9]2\\*n/3|n\\*2/3|"
                     "n\\+f\\)/2|[^a-z_]f\\+1[^0-9])",
                     0);
        is_ready = true;
    }
    if (strncmp(file->path, "core/wire/roster", 16) == 0) return;
    if (strncmp(file->path, "tests/tidy/", 11) == 0) return;
    if (strcmp(file->path, "tests/unit/test_roster.c") == 0) return;
    for (size_t i = 0; i < file->line_count; i++) {
        char line[1024];
        squeeze(line, sizeof line, file->lines[i]);
        if (regexec(&sums, line, 0, NULL, 0) == 0) {
            tidy_report(tree, file->path, i + 1,
                        "counts a quorum by itself; call sy_roster_quorum or sy_roster_weak");
        }
    }
}

static void check_jumps(struct tidy_tree *tree, const struct tidy_file *file)
{
    static regex_t jump;
    static bool is_ready;
    if (!is_ready) {
        tidy_compile(&jump, "^ *(.*[;{)] *)?goto +([a-z_]+);", 0);
        is_ready = true;
    }
    for (size_t i = 0; i < file->line_count; i++) {
        regmatch_t match[3];
        if (regexec(&jump, file->lines[i], 3, match, 0) != 0) continue;
        if (strncmp(file->lines[i] + match[2].rm_so, "out;", 4) == 0) continue;
        tidy_report(tree, file->path, i + 1, "jumps elsewhere than to the label out");
    }
}

static bool ends_with(const char *text, const char *ending)
{
    size_t a = strlen(text);
    size_t b = strlen(ending);
    return a >= b && strcmp(text + a - b, ending) == 0;
}

// A header opens with what it is for and has an include guard.
static void check_header_form(struct tidy_tree *tree, const struct tidy_file *file)
{
    if (!ends_with(file->path, ".h")) return;
    if (file->line_count == 0 || strncmp(file->lines[0], "/*", 2) != 0) {
        tidy_report(tree, file->path, 1, "does not open with a comment that says what it is for");
    }
    for (size_t i = 0; i + 1 < file->line_count; i++) {
        if (file->lines[i][0] != '#') continue;
        const char *name = file->lines[i] + strlen("#ifndef ");
        bool guarded = strncmp(file->lines[i], "#ifndef ", 8) == 0 &&
                       strncmp(file->lines[i + 1], "#define ", 8) == 0 &&
                       strcmp(file->lines[i + 1] + 8, name) == 0;
        if (!guarded) tidy_report(tree, file->path, i + 1, "has no include guard here");
        return;
    }
}

void tidy_check_text(struct tidy_tree *tree)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const struct tidy_file *file = &tree->files[i];
        check_layout(tree, file);
        check_banned(tree, file);
        if (file->kind != TIDY_CODE) continue;
        check_functions(tree, file);
        check_quorum_sums(tree, file);
        check_jumps(tree, file);
        check_header_form(tree, file);
    }
}
