/* Every header compiles alone, as C17 with all warnings; those that users of the library or device
 * code include (core/client/systole.h and gpu/) as C++ too. The compilers are $CC and $CXX, else cc
 * and c++; without a C++ compiler that half is left out and the report says so. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tidy/tidy.h"

#define NOT_FOUND 127

// Compiles path alone in a child process; the exit status of the compiler.
static int compile_alone(const struct tidy_tree *tree, const char *path, const char *compiler,
                         const char *standard, const char *language)
{
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "tidy: cannot fork: %s\n", strerror(errno));
        exit(2);
    }
    if (child == 0) {
        if (chdir(tree->root) != 0) _exit(NOT_FOUND);
        execlp(compiler, compiler, standard, "-D_GNU_SOURCE", "-I.", "-Wall", "-Wextra",
               "-Wpedantic", "-Werror", "-fsyntax-only", "-include", path, "-x", language,
               "/dev/null", (char *)NULL);
        _exit(NOT_FOUND);
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_FOUND;
}

static const char *find_compiler(const char *variable, const char *fallback)
{
    const char *value = getenv(variable);
    return value && *value ? value : fallback;
}

static bool is_for_cpp(const char *path)
{
    return strncmp(path, "gpu/", 4) == 0 || strcmp(path, "core/client/systole.h") == 0;
}

void tidy_check_headers(struct tidy_tree *tree)
{
    const char *cc = find_compiler("CC", "cc");
    const char *cxx = find_compiler("CXX", "c++");
    for (size_t i = 0; i < tree->file_count; i++) {
        const char *path = tree->files[i].path;
        size_t length = strlen(path);
        if (length < 2 || strcmp(path + length - 2, ".h") != 0) continue;
        int status = compile_alone(tree, path, cc, "-std=c17", "c");
        if (status == NOT_FOUND) {
            fprintf(stderr, "tidy: cannot run the compiler %s; set CC\n", cc);
            exit(2);
        }
        if (status != 0) {
            tidy_report(tree, path, 0, "does not compile alone; include what it needs");
        }
        if (!is_for_cpp(path)) continue;
        status = compile_alone(tree, path, cxx, "-std=c++17", "c++");
        if (status == NOT_FOUND) {
            printf("skipped: %s as C++, there is no compiler %s\n", path, cxx);
        } else if (status != 0) {
            tidy_report(tree, path, 0, "does not compile alone as C++");
        }
    }
}
