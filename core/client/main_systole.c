/* main_systole.c: the client's program: finds the command and hands over. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/client/cmd.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
#define SY_COMMAND(name, summary) {#name, sy_cmd_##name, summary},
#include "core/client/commands.def"
#undef SY_COMMAND
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_usage(FILE *out)
{
    fputs("usage: systole COMMAND ...\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n`systole COMMAND --help` says more. Every command takes --json.\n"
          "exit codes: 0 done, 1 refused or not proven, 2 usage, 3 network\n",
          out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    // A reader that went away (`systole ... | head`) is a failed write and not the end of us.
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_usage(stderr);
        return SY_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        puts("systole " SYSTOLE_VERSION);
        return SY_EXIT_DONE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (strcmp(name, "help") == 0 && argc == 2)) {
        print_usage(stdout);
        return SY_EXIT_DONE;
    }
    bool is_help = strcmp(name, "help") == 0;
    const struct command *command = find_command(is_help ? argv[2] : name);
    if (!command) {
        fprintf(stderr, "systole: there is no command '%s'; `systole help` lists them\n",
                is_help ? argv[2] : name);
        return SY_EXIT_USAGE;
    }
    if (is_help) {
        char help[] = "--help";
        char *words[] = {argv[2], help, NULL};
        return command->run(2, words);
    }
    return command->run(argc - 1, argv + 1);
}
