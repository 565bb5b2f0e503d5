/* tidy.h: the program that keeps the house rules, so that review can be about other things.
 *
 *     tidy ROOT
 *
 * loads every source and document under ROOT (apart from build folders, hidden ones and test data)
 * and runs the rules over them. Each finding is one line, path:line: what is wrong and what to do.
 * The tables it goes by lie in ROOT/tests/tidy: rooms.txt (imports), libraries.txt (external
 * headers), banned.txt (words), limits.txt (sizes). Exit status 0: clean; 1: findings; 2: it could
 * not run. A program of one pass: what it allocates lives until it ends. */
#ifndef SY_TESTS_TIDY_TIDY_H
#define SY_TESTS_TIDY_TIDY_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"

#define TIDY_ROOMS_MAX 32
#define TIDY_LIBRARIES_MAX 32
#define TIDY_BANNED_MAX 64
#define TIDY_WORDS_MAX 32

/* What a file is: C or CUDA; the like of scripts and build files; documents; tables and data. */
enum tidy_kind { TIDY_CODE, TIDY_SCRIPT, TIDY_PROSE, TIDY_TABLE };

struct tidy_file {
    char *path; /* from the root */
    enum tidy_kind kind;
    char **lines; /* without line breaks */
    size_t line_count;
    bool ends_in_break;
};

/* Words of a table's line. */
struct tidy_words {
    char *words[TIDY_WORDS_MAX];
    size_t count;
};

struct tidy_room {
    char *name;
    char *folder;
    struct tidy_words imports; /* "*": every room */
};

struct tidy_library {
    char *prefix;
    struct tidy_words patterns;
};

struct tidy_tree {
    const char *root;
    struct tidy_file *files;
    size_t file_count;
    struct tidy_room rooms[TIDY_ROOMS_MAX];
    size_t room_count;
    struct tidy_library libraries[TIDY_LIBRARIES_MAX];
    size_t library_count;
    regex_t banned[TIDY_BANNED_MAX];
    size_t banned_count;
    size_t lines_per_file;
    size_t lines_per_function;
    size_t columns;
    size_t findings;
};

/* tidy_report counts and prints one finding; line 0 stands for the whole file. */
void tidy_report(struct tidy_tree *tree, const char *path, size_t line, const char *format, ...)
    SY_PRINTF(4, 5);

/* tidy_find returns the file of that path, or NULL. */
const struct tidy_file *tidy_find(const struct tidy_tree *tree, const char *path);

/* tidy_exists is true for any file or folder under the root, loaded or not. */
bool tidy_exists(const struct tidy_tree *tree, const char *path);

/* tidy_compile makes an extended regular expression or ends the program. */
void tidy_compile(regex_t *regex, const char *pattern, int flags);

/* tidy_load_files and tidy_load_tables fill the tree or end the program with status 2. */
void tidy_load_files(struct tidy_tree *tree);
void tidy_load_tables(struct tidy_tree *tree);

/* The rules. */
void tidy_check_includes(struct tidy_tree *tree); /* the import table and the libraries */
void tidy_check_text(struct tidy_tree *tree);     /* sizes, white space, words, quorum sums */
void tidy_check_paths(struct tidy_tree *tree);    /* paths and links in documents exist */
void tidy_check_headers(struct tidy_tree *tree);  /* every header compiles alone */

#endif
