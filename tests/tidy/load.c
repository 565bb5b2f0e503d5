/* Loading the tree and the tables. */
#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/os.h"
#include "tests/tidy/tidy.h"

#define FILE_BYTES_MAX (4u << 20)
#define FILES_MAX 4096
#define MEMORY_BYTES (1u << 30)

static const struct {
    const char *ending;
    enum tidy_kind kind;
} kinds[] = {
    {".c", TIDY_CODE},       {".h", TIDY_CODE},
    {".cu", TIDY_CODE},      {".cuh", TIDY_CODE},
    {".def", TIDY_CODE},     {".sh", TIDY_SCRIPT},
    {".cmake", TIDY_SCRIPT}, {"CMakeLists.txt", TIDY_SCRIPT},
    {"/run", TIDY_SCRIPT},   {".md", TIDY_PROSE},
    {".txt", TIDY_TABLE},
};

/* Folders of data that others wrote or that hold arbitrary bytes. */
static const char *const left_out[] = {"build", "tests/data", "tests/fuzz/corpus"};

// Zeroed memory that lives until the program ends.
static void *allocate(size_t size)
{
    static sy_arena arena;
    if (!arena.base && sy_arena_open(&arena, MEMORY_BYTES) != SY_OK) {
        fprintf(stderr, "tidy: no memory left\n");
        exit(2);
    }
    void *memory = sy_arena_carve(&arena, size, 1);
    if (!memory) {
        fprintf(stderr, "tidy: the tree is larger than %u bytes\n", MEMORY_BYTES);
        exit(2);
    }
    return memory;
}

static char *copy_text(const char *text, size_t size)
{
    char *copy = (char *)allocate(size + 1);
    memcpy(copy, text, size);
    return copy;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t a = strlen(text);
    size_t b = strlen(ending);
    return a >= b && strcmp(text + a - b, ending) == 0;
}

// The kind of a file by its path (with a slash in front, so that "/run" names the whole name).
static bool find_kind(enum tidy_kind *kind, const char *path_with_slash)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!ends_with(path_with_slash, kinds[i].ending)) continue;
        *kind = kinds[i].kind;
        return true;
    }
    return false;
}

static void split_lines(struct tidy_file *file, char *text, size_t size)
{
    size_t breaks = 0;
    for (size_t i = 0; i < size; i++) breaks += text[i] == '\n' ? 1 : 0;
    file->lines = (char **)allocate((breaks + 1) * sizeof file->lines[0]);
    file->ends_in_break = size == 0 || text[size - 1] == '\n';
    for (size_t start = 0; start < size;) {
        size_t length = strcspn(text + start, "\n");
        file->lines[file->line_count++] = copy_text(text + start, length);
        start += length + 1;
    }
}

static void load_file(struct tidy_tree *tree, const char *full_path, const char *path,
                      enum tidy_kind kind)
{
    struct sy_error err;
    uint8_t *text;
    size_t size;
    if (sy_os_read_file(&text, &size, full_path, FILE_BYTES_MAX, &err) != SY_OK) {
        fprintf(stderr, "tidy: %s\n", err.text);
        exit(2);
    }
    if (memchr(text, '\0', size)) {
        tidy_report(tree, path, 0, "holds a zero byte; sources are text");
        free(text);
        return;
    }
    if (!tree->files) {
        tree->files = (struct tidy_file *)allocate(FILES_MAX * sizeof tree->files[0]);
    }
    if (tree->file_count == FILES_MAX) {
        fprintf(stderr, "tidy: more than %d files\n", FILES_MAX);
        exit(2);
    }
    struct tidy_file *file = &tree->files[tree->file_count++];
    *file = (struct tidy_file){.path = copy_text(path, strlen(path)), .kind = kind};
    split_lines(file, (char *)text, size);
    free(text);
}

static bool is_left_out(const char *path)
{
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
        if (strcmp(path, left_out[i]) == 0) return true;
    }
    return false;
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

void tidy_load_files(struct tidy_tree *tree)
{
    char *roots[] = {copy_text(tree->root, strlen(tree->root)), NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
    if (!walk) {
        fprintf(stderr, "tidy: cannot walk %s: %s\n", tree->root, strerror(errno));
        exit(2);
    }
    for (FTSENT *entry = fts_read(walk); entry; entry = fts_read(walk)) {
        const char *path = entry->fts_path + strlen(tree->root);
        if (*path != '/') continue;
        bool hidden = entry->fts_name[0] == '.';
        if (entry->fts_info == FTS_D && (hidden || is_left_out(path + 1))) {
            fts_set(walk, entry, FTS_SKIP);
        }
        enum tidy_kind kind;
        if (entry->fts_info == FTS_F && !hidden && find_kind(&kind, path)) {
            load_file(tree, entry->fts_path, path + 1, kind);
        }
    }
    fts_close(walk);
}

// The words of a line up to a comment or the end.
static void split_words(struct tidy_words *words, const char *line)
{
    for (const char *p = line; *p && *p != '#';) {
        if (isspace((unsigned char)*p)) {
            p++;
            continue;
        }
        size_t length = strcspn(p, " \t#");
        if (words->count == TIDY_WORDS_MAX) {
            fprintf(stderr, "tidy: too many words in: %s\n", line);
            exit(2);
        }
        words->words[words->count++] = copy_text(p, length);
        p += length;
    }
}

static const struct tidy_file *need_table(const struct tidy_tree *tree, const char *path)
{
    const struct tidy_file *file = tidy_find(tree, path);
    if (file) return file;
    fprintf(stderr, "tidy: %s/%s is missing; name the root of the repository\n", tree->root, path);
    exit(2);
}

static void fail_table(const struct tidy_file *file, size_t line)
{
    fprintf(stderr, "tidy: %s:%zu: cannot be read: %s\n", file->path, line + 1, file->lines[line]);
    exit(2);
}

// A line of rooms.txt: name | folder | imports | external libraries.
static void load_room(struct tidy_tree *tree, const struct tidy_file *file, size_t line)
{
    struct tidy_words columns[4] = {{{NULL}, 0}};
    const char *rest = file->lines[line];
    size_t column = 0;
    for (; column < 4 && rest; column++) {
        size_t length = strcspn(rest, "|");
        char *cell = copy_text(rest, length);
        split_words(&columns[column], cell);
        rest = rest[length] ? rest + length + 1 : NULL;
    }
    bool fine = column == 4 && columns[0].count == 1 && columns[1].count == 1;
    if (!fine || tree->room_count == TIDY_ROOMS_MAX) fail_table(file, line);
    tree->rooms[tree->room_count++] =
        (struct tidy_room){columns[0].words[0], columns[1].words[0], columns[2]};
}

static void load_library(struct tidy_tree *tree, const struct tidy_file *file, size_t line)
{
    struct tidy_words words = {{NULL}, 0};
    split_words(&words, file->lines[line]);
    if (words.count < 2 || tree->library_count == TIDY_LIBRARIES_MAX) fail_table(file, line);
    struct tidy_library *library = &tree->libraries[tree->library_count++];
    library->prefix = words.words[0];
    library->patterns.count = words.count - 1;
    memcpy(library->patterns.words, words.words + 1, (words.count - 1) * sizeof words.words[0]);
}

static void load_banned(struct tidy_tree *tree, const struct tidy_file *file, size_t line)
{
    if (tree->banned_count == TIDY_BANNED_MAX) fail_table(file, line);
    const char *text = file->lines[line];
    bool exact = text[0] == '=';
    char pattern[256];
    snprintf(pattern, sizeof pattern, "(^|[^[:alnum:]_])(%.200s)([^[:alnum:]_]|$)",
             text + (exact ? 1 : 0));
    tidy_compile(&tree->banned[tree->banned_count++], pattern, exact ? 0 : REG_ICASE);
}

static void load_limit(struct tidy_tree *tree, const struct tidy_file *file, size_t line)
{
    struct tidy_words words = {{NULL}, 0};
    uint64_t value;
    split_words(&words, file->lines[line]);
    if (words.count != 2 || !sy_parse_u64(&value, words.words[1], 1, 1000000)) {
        fail_table(file, line);
    }
    if (strcmp(words.words[0], "lines_per_file") == 0) {
        tree->lines_per_file = value;
    } else if (strcmp(words.words[0], "lines_per_function") == 0) {
        tree->lines_per_function = value;
    } else if (strcmp(words.words[0], "columns") == 0) {
        tree->columns = value;
    } else {
        fail_table(file, line);
    }
}

void tidy_load_tables(struct tidy_tree *tree)
{
    static const struct {
        const char *path;
        void (*load)(struct tidy_tree *tree, const struct tidy_file *file, size_t line);
    } tables[] = {
        {"tests/tidy/rooms.txt", load_room},
        {"tests/tidy/libraries.txt", load_library},
        {"tests/tidy/banned.txt", load_banned},
        {"tests/tidy/limits.txt", load_limit},
    };
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        const struct tidy_file *file = need_table(tree, tables[t].path);
        for (size_t line = 0; line < file->line_count; line++) {
            char first = file->lines[line][0];
            if (first != '\0' && first != '#') tables[t].load(tree, file, line);
        }
    }
    if (!tree->lines_per_file || !tree->lines_per_function || !tree->columns) {
        fprintf(stderr, "tidy: tests/tidy/limits.txt lacks a limit\n");
        exit(2);
    }
}
