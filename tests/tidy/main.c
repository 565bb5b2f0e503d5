/* The tidy program; tidy.h says what it is for. ctest: plain */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tidy/tidy.h"

void tidy_report(struct tidy_tree *tree, const char *path, size_t line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tree->findings++;
    if (line) {
        printf("%s:%zu: %s\n", path, line, text);
    } else {
        printf("%s: %s\n", path, text);
    }
}

const struct tidy_file *tidy_find(const struct tidy_tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        if (strcmp(tree->files[i].path, path) == 0) return &tree->files[i];
    }
    return NULL;
}

bool tidy_exists(const struct tidy_tree *tree, const char *path)
{
    char full[4096];
    int length = snprintf(full, sizeof full, "%s/%s", tree->root, path);
    return length > 0 && (size_t)length < sizeof full && access(full, F_OK) == 0;
}

void tidy_compile(regex_t *regex, const char *pattern, int flags)
{
    if (regcomp(regex, pattern, REG_EXTENDED | flags) == 0) return;
    fprintf(stderr, "tidy: not a regular expression: %s\n", pattern);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: tidy ROOT\n");
        return 2;
    }
    size_t length = strlen(argv[1]);
    while (length > 1 && argv[1][length - 1] == '/') argv[1][--length] = '\0';
    static struct tidy_tree tree;
    tree.root = argv[1];
    tidy_load_files(&tree);
    tidy_load_tables(&tree);
    tidy_check_includes(&tree);
    tidy_check_text(&tree);
    tidy_check_paths(&tree);
    tidy_check_headers(&tree);
    printf("tidy: %zu files, %zu findings\n", tree.file_count, tree.findings);
    return tree.findings ? 1 : 0;
}
