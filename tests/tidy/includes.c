/* The import table and the confinement of external libraries. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/tidy/tidy.h"

// The room whose folder holds path, or NULL.
static const struct tidy_room *find_room(const struct tidy_tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->room_count; i++) {
        size_t length = strlen(tree->rooms[i].folder);
        if (strncmp(path, tree->rooms[i].folder, length) == 0 && path[length] == '/') {
            return &tree->rooms[i];
        }
    }
    return NULL;
}

static bool may_import(const struct tidy_room *from, const struct tidy_room *to)
{
    if (from == to) return true;
    for (size_t i = 0; i < from->imports.count; i++) {
        const char *import = from->imports.words[i];
        if (strcmp(import, "*") == 0 || strcmp(import, to->name) == 0) return true;
    }
    return false;
}

static void check_own(struct tidy_tree *tree, const struct tidy_file *file, size_t line,
                      const char *target)
{
    const struct tidy_room *from = find_room(tree, file->path);
    const struct tidy_room *to = find_room(tree, target);
    if (!tidy_exists(tree, target)) {
        tidy_report(tree, file->path, line,
                    "includes \"%s\", which does not exist; write the path from the root", target);
    } else if (!to) {
        tidy_report(tree, file->path, line, "includes \"%s\", which lies in no room", target);
    } else if (from && !may_import(from, to)) {
        tidy_report(tree, file->path, line,
                    "room %s may not import room %s (\"%s\"); tests/tidy/rooms.txt lists the edges",
                    from->name, to->name, target);
    }
}

static void check_library(struct tidy_tree *tree, const struct tidy_file *file, size_t line,
                          const char *target)
{
    for (size_t i = 0; i < tree->library_count; i++) {
        const struct tidy_library *library = &tree->libraries[i];
        if (strncmp(target, library->prefix, strlen(library->prefix)) != 0) continue;
        for (size_t p = 0; p < library->patterns.count; p++) {
            if (fnmatch(library->patterns.words[p], file->path, 0) == 0) return;
        }
        tidy_report(tree, file->path, line,
                    "may not include <%s>; tests/tidy/libraries.txt says which files may", target);
        return;
    }
    // What the compiler and the C library bring lies in known places; everything else is a library.
    static const char *const system_places[] = {"sys/", "arpa/", "netinet/", "net/", "linux/"};
    if (!strchr(target, '/')) return;
    for (size_t i = 0; i < sizeof system_places / sizeof system_places[0]; i++) {
        if (strncmp(target, system_places[i], strlen(system_places[i])) == 0) return;
    }
    tidy_report(tree, file->path, line,
                "includes <%s>, a library that tests/tidy/libraries.txt "
                "does not name",
                target);
}

void tidy_check_includes(struct tidy_tree *tree)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const struct tidy_file *file = &tree->files[i];
        if (file->kind != TIDY_CODE) continue;
        for (size_t line = 0; line < file->line_count; line++) {
            char target[512];
            const char *text = file->lines[line];
            if (sscanf(text, " # include \"%511[^\"]\"", target) == 1) {
                check_own(tree, file, line + 1, target);
            } else if (sscanf(text, " # include <%511[^>]>", target) == 1) {
                check_library(tree, file, line + 1, target);
            }
        }
    }
}
