/* Paths and links in documents exist. A word in backticks is taken for a path when it starts at a
 * top-level folder of the repository, or ends like a source file, or ends in a slash; names with
 * <, *, { or $ in them, absolute ones and what lies in build/ are not. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/tidy/tidy.h"

#define PATH_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+"

static bool ends_like_source(const char *path)
{
    static const char *const endings[] = {".c", ".h", ".cu", ".cuh", ".md", ".sh", ".def"};
    const char *dot = strrchr(path, '.');
    if (!dot) return false;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (strcmp(dot, endings[i]) == 0) return true;
    }
    return false;
}

// Whether the first folder of path is one of the repository's.
static bool starts_in_tree(const struct tidy_tree *tree, const char *path)
{
    char first[128];
    size_t length = strcspn(path, "/");
    if (path[length] == '\0' || length == 0 || length >= sizeof first) return false;
    memcpy(first, path, length);
    first[length] = '\0';
    return tidy_exists(tree, first);
}

static bool looks_like_path(const struct tidy_tree *tree, const char *path)
{
    size_t length = strlen(path);
    if (length == 0 || path[0] == '/' || path[0] == '-' || path[0] == '.') return false;
    if (strspn(path, PATH_CHARACTERS) != length || strncmp(path, "build/", 6) == 0) return false;
    return starts_in_tree(tree, path) || ends_like_source(path) ||
           (path[length - 1] == '/' && isalpha((unsigned char)path[0]));
}

static bool has_base_name(const struct tidy_tree *tree, const char *name)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const char *slash = strrchr(tree->files[i].path, '/');
        if (strcmp(slash ? slash + 1 : tree->files[i].path, name) == 0) return true;
    }
    return false;
}

// Path as seen from the root, from the document's folder, or, without a slash, as a file's name.
static bool resolves(const struct tidy_tree *tree, const char *document, const char *path)
{
    char beside[1024];
    const char *slash = strrchr(document, '/');
    int folder = slash ? (int)(slash - document + 1) : 0;
    snprintf(beside, sizeof beside, "%.*s%s", folder, document, path);
    if (tidy_exists(tree, path) || tidy_exists(tree, beside)) return true;
    return !strchr(path, '/') && has_base_name(tree, path);
}

static void check_word(struct tidy_tree *tree, const struct tidy_file *file, size_t line,
                       const char *text, size_t length)
{
    char word[512];
    // Of a command in backticks only the program is a path: `./run test`.
    bool is_command = length > 2 && text[0] == '.' && text[1] == '/';
    if (is_command) {
        text += 2;
        length = strcspn(text, " `");
    }
    if (length == 0 || length >= sizeof word) return;
    memcpy(word, text, length);
    word[length] = '\0';
    if (!is_command && !looks_like_path(tree, word)) return;
    if (is_command && strncmp(word, "build/", 6) == 0) return;
    if (!resolves(tree, file->path, word)) {
        tidy_report(tree, file->path, line, "names `%s`, which does not exist", word);
    }
}

static void check_link(struct tidy_tree *tree, const struct tidy_file *file, size_t line,
                       const char *target, size_t length)
{
    char path[512];
    if (strncmp(target, "http", 4) == 0 || strncmp(target, "mailto:", 7) == 0) return;
    size_t bare = strcspn(target, "#) ");
    if (bare < length) length = bare;
    if (length == 0 || length >= sizeof path) return;
    memcpy(path, target, length);
    path[length] = '\0';
    if (!resolves(tree, file->path, path)) {
        tidy_report(tree, file->path, line, "links to %s, which does not exist", path);
    }
}

static void check_line(struct tidy_tree *tree, const struct tidy_file *file, size_t line)
{
    const char *text = file->lines[line];
    for (const char *p = text; *p;) {
        if (*p == '`') {
            size_t length = strcspn(p + 1, "`");
            if (p[1 + length] == '\0') return;
            check_word(tree, file, line + 1, p + 1, length);
            p += length + 2;
        } else if (p[0] == ']' && p[1] == '(') {
            size_t length = strcspn(p + 2, ")");
            check_link(tree, file, line + 1, p + 2, length);
            p += 2 + length;
        } else {
            p++;
        }
    }
}

void tidy_check_paths(struct tidy_tree *tree)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const struct tidy_file *file = &tree->files[i];
        if (file->kind != TIDY_PROSE) continue;
        bool in_fence = false;
        for (size_t line = 0; line < file->line_count; line++) {
            bool is_fence = strncmp(file->lines[line], "```", 3) == 0;
            if (is_fence) in_fence = !in_fence;
            if (!is_fence && !in_fence) check_line(tree, file, line);
        }
    }
}
