/* cmd.h: what every command of `systole` shares: options, sentences, exit codes, the network it
 * speaks to.
 *
 * A command is `int sy_cmd_<name>(int argc, char **argv)`, argv[0] being its name; it describes
 * itself in a `struct sy_cmd` and lets sy_cmd_parse fill its variables. commands.def lists them
 * all. Results go to stdout: text for people, or with --json one JSON object. Failures are one
 * sentence on stderr, "systole NAME: what failed, where, and what to do", and with --json the
 * object {"error","status"} on stdout besides. A program of one thread. */
#ifndef SY_CLIENT_CMD_H
#define SY_CLIENT_CMD_H

#include <stdio.h>

#include "core/base/json.h"
#include "core/base/status.h"
#include "core/client/asker.h"
#include "core/crypto/keys.h"
#include "core/wire/genesis.h"

enum sy_exit {
    SY_EXIT_DONE = 0,
    SY_EXIT_REFUSED = 1, /* refused or not proven, or this machine failed (a file, the disk) */
    SY_EXIT_USAGE = 2,   /* what was asked makes no sense */
    SY_EXIT_NETWORK = 3  /* nobody answered, or the outcome is unknown: asking again is safe */
};

/* The commands, each in core/client/cmd_<name>.c. */
#define SY_COMMAND(name, summary) int sy_cmd_##name(int argc, char **argv);
#include "core/client/commands.def"
#undef SY_COMMAND

/* ---- options ------------------------------------------------------------------------------ */

enum sy_option_type {
    SY_OPTION_SWITCH, /* out: bool * */
    SY_OPTION_TEXT,   /* out: const char **, borrowed from argv */
    SY_OPTION_NUMBER, /* out: uint64_t *, from min to max */
    SY_OPTION_LIST    /* out: struct sy_option_list *; may be given again and again */
};

#define SY_OPTION_ITEMS_MAX 256
struct sy_option_list {
    unsigned count;
    const char *items[SY_OPTION_ITEMS_MAX]; /* borrowed from argv */
};

/* One option. It keeps what its variable holds when it is not given. */
struct sy_option {
    const char *name; /* "base-port" */
    enum sy_option_type type;
    void *out;
    const char *value; /* how usage calls the value, "PORT"; NULL for a switch */
    const char *help;
    uint64_t min, max; /* NUMBER */
};

struct sy_cmd {
    const char *name;      /* "testnet" */
    const char *arguments; /* what stands after the options in usage: "DIR" */
    const char *about;     /* what it does: sentences, lines of at most 78 columns */
    const struct sy_option *options;
    unsigned option_count;
    int words_min, words_max; /* arguments that are not options */
    /* filled by sy_cmd_parse: */
    bool json;    /* --json */
    char **words; /* word_count of them */
    int word_count;
};

/* sy_cmd_parse reads argv: options as "--name value" or "--name=value", in any place before "--";
 * "-" is a word. It reorders argv. True: go on. False: *exit_code says how to end (usage was
 * printed, for --help on stdout). */
bool sy_cmd_parse(struct sy_cmd *cmd, int *exit_code, int argc, char **argv);

/* sy_cmd_usage says on stderr what is wrong with the arguments and how to learn more; returns
 * SY_EXIT_USAGE. */
int sy_cmd_usage(const struct sy_cmd *cmd, const char *format, ...) SY_PRINTF(2, 3);

/* sy_cmd_print_usage writes a command's whole usage. */
void sy_cmd_print_usage(const struct sy_cmd *cmd, FILE *out);

/* ---- results ------------------------------------------------------------------------------ */

/* sy_exit_of maps a failure to an exit code: ARGUMENT is usage; NETWORK, TIMEOUT, CLOSED and BUSY
 * are network; everything else is refused. */
enum sy_exit sy_exit_of(sy_status status);

/* sy_cmd_fail tells a failure as described above and returns its exit code. */
int sy_cmd_fail(const struct sy_cmd *cmd, const struct sy_error *err);

/* sy_cmd_json_begin starts the object of --json's answer; sy_cmd_json_end prints it with a line
 * break, frees the writer and returns exit_code (SY_EXIT_REFUSED when stdout takes no more). */
void sy_cmd_json_begin(sy_json *json);
int sy_cmd_json_end(sy_json *json, int exit_code);

/* ---- words -------------------------------------------------------------------------------- */

/* sy_cmd_purpose reads why somebody reads (enum sy_purpose). Fails with SY_ERR_ARGUMENT, naming the
 * words that there are. */
sy_status sy_cmd_purpose(uint8_t *purpose, const char *word, struct sy_error *err);

/* ---- the network -------------------------------------------------------------------------- */

#define SY_CMD_PATH_MAX 1024

/* Which network, as options give it; SY_CMD_WHERE_OPTIONS are the rows. */
struct sy_cmd_where {
    const char *net;       /* --net DIR: a folder made by `systole testnet` */
    const char *config;    /* --config FILE: a client.conf */
    const char *validator; /* --validator NAME: whom to ask; NULL: whoever answers */
};
#define SY_CMD_WHERE_OPTIONS(where)                                                                \
    {"net", SY_OPTION_TEXT, &(where).net, "DIR", "the network that `systole testnet DIR` made", 0, \
     0},                                                                                           \
        {"config",                                                                                 \
         SY_OPTION_TEXT,                                                                           \
         &(where).config,                                                                          \
         "FILE",                                                                                   \
         "a client.conf, which names genesis, keys and the client's store",                        \
         0,                                                                                        \
         0},                                                                                       \
    {                                                                                              \
        "validator", SY_OPTION_TEXT, &(where).validator, "NAME",                                   \
            "whom to ask: a name, or its number in the genesis; else whoever answers", 0, 0        \
    }

/* client.conf: `key = value` lines, # comments, paths relative to the file's folder.
 *
 *     genesis          genesis file of the network                       (genesis.json)
 *     addresses        client addresses in roster order, with commas     (as in the roster)
 *     observer         NAME LINK_KEY CLIENT_ADDRESS: one that --validator may name, though it is in
 *                      no roster; up to SY_ASKER_OBSERVERS_MAX such lines      (none)
 *     client           folder of the client's own store                  (client)
 *     regulator_key    a regulator's key, where this client holds one    (none)
 *     key              key that signs reads                              (none)
 *     passphrase_file  passphrase of the two keys                        (none) */
struct sy_cmd_net {
    struct sy_genesis genesis;
    uint16_t address_count; /* 0: as in the roster; else one a validator */
    char addresses[SY_VALIDATORS_MAX][SY_ADDRESS_BYTES_MAX + 1];
    const char *address_pointers[SY_VALIDATORS_MAX]; /* where each listens for clients */
    char genesis_path[SY_CMD_PATH_MAX];
    char client[SY_CMD_PATH_MAX];
    char regulator_key[SY_CMD_PATH_MAX];   /* "": none */
    char key[SY_CMD_PATH_MAX];             /* "": none */
    char passphrase_file[SY_CMD_PATH_MAX]; /* "": none */
    char validator[SY_NAME_BYTES_MAX + 1]; /* name of the one asked for; "": any */
    struct sy_client_observer observers[SY_ASKER_OBSERVERS_MAX];
    unsigned observer_count;
};

/* sy_cmd_net_open reads the configuration and the genesis; sy_cmd_net_close frees it (NULL is
 * fine). SY_ERR_ARGUMENT: neither or both of --net and --config, a key misspelt, or what no
 * validator can be named. Whether any has the name asked for is the asker's question: it may have
 * come after the genesis. */
sy_status sy_cmd_net_open(struct sy_cmd_net **net, const struct sy_cmd_where *where,
                          struct sy_error *err);
void sy_cmd_net_close(struct sy_cmd_net *net);

/* sy_cmd_net_address is where a validator listens for clients. */
const char *sy_cmd_net_address(const struct sy_cmd_net *net, unsigned validator);

/* sy_cmd_genesis loads the genesis file that a command works offline with: path (--genesis), else
 * the one of --net or --config, else genesis.json here. free() it. */
sy_status sy_cmd_genesis(struct sy_genesis **genesis, const char *path,
                         const struct sy_cmd_where *where, struct sy_error *err);

/* sy_cmd_asker opens the network's conversations (asker.h), which borrow from net; unless one
 * validator is to be asked, what is read of the state shall show the height that sy_cmd_saw was
 * told of last. call_ms: as in struct sy_asker_config, 0: its default. */
sy_status sy_cmd_asker(sy_asker **asker, const struct sy_cmd_net *net, int call_ms,
                       struct sy_error *err);

/* sy_cmd_connect is sy_cmd_net_open and sy_cmd_asker. On failure too the caller closes what is not
 * NULL, the asker first. */
sy_status sy_cmd_connect(struct sy_cmd_net **net, sy_asker **asker,
                         const struct sy_cmd_where *where, int call_ms, struct sy_error *err);

/* sy_cmd_saw keeps, beside the client's store, the height that the asker knows to be final, for
 * commands that come later. It is a hint: where it cannot be kept, nothing is said. */
void sy_cmd_saw(const struct sy_cmd_net *net, const sy_asker *asker);

/* sy_cmd_read_key loads the key that signs reads: path, if one is given (--key), else the
 * configuration's `key`, else its regulator_key. SY_ERR_ARGUMENT: there is none. The caller closes
 * it. net may be NULL when path is given. */
sy_status sy_cmd_read_key(sy_secret_key **key, const struct sy_cmd_net *net, const char *path,
                          struct sy_error *err);

/* ---- words and files ---------------------------------------------------------------------- */

/* sy_cmd_hash reads 64 hex digits; SY_ERR_ARGUMENT names what is wrong with them. */
sy_status sy_cmd_hash(struct sy_hash *out, const char *what, const char *text,
                      struct sy_error *err);

/* sy_cmd_read_input reads a whole file, or standard input for "-", of at most max bytes into fresh
 * memory. */
sy_status sy_cmd_read_input(uint8_t **out, size_t *size, const char *path, size_t max,
                            struct sy_error *err);

/* sy_cmd_put_json prints a finished JSON text (json's) to a file, or to stdout for NULL or "-",
 * with a line break, and frees the writer. A file that exists is replaced. */
sy_status sy_cmd_put_json(sy_json *json, const char *path, struct sy_error *err);

/* sy_cmd_printable replaces what a terminal would obey instead of show (controls, and bytes that
 * are not UTF-8) by '?', in place: part of a sentence may be a validator's. Returns text. */
char *sy_cmd_printable(char *text);

/* sy_cmd_time writes "2026-11-23T00:12:12.345Z" into out. */
#define SY_CMD_TIME_BYTES 32
void sy_cmd_time(char out[SY_CMD_TIME_BYTES], int64_t ms);

#endif
