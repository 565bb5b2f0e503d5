/* cmd_status.c: `systole status`: what each validator says of itself, and, beside it, what is
 * proven: the newest certified block that anybody could show. */
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/os.h"
#include "core/client/cmd.h"

#define CALL_MS 2000
#define WATCH_S_DEFAULT 2u

static const char about[] =
    "Asks every validator how it is. The table is each validator's own account:\n"
    "nothing in it is proven but the last line, the newest certified block.\n";

struct account {
    bool answers;
    char *json; /* its own words; malloc'ed */
    char why[sizeof(((struct sy_error *)0)->text)];
};

struct status {
    const struct sy_cmd *cmd;
    struct sy_cmd_net *net;
    sy_asker *asker;
    struct account accounts[SY_VALIDATORS_MAX + SY_ASKER_OBSERVERS_MAX];
    const struct sy_roster *roster; /* the newest known */
    bool block_known;
    struct sy_client_block newest;
    struct sy_error block_error;
};

/* Validators in the roster's order, then the client.conf's observers. */
static unsigned count_all(const struct status *status)
{
    return status->roster->count + status->net->observer_count;
}

static const char *name_of(const struct status *status, unsigned index)
{
    unsigned count = status->roster->count;
    return index < count ? status->roster->validators[index].name
                         : status->net->observers[index - count].name;
}

/* ---- asking ------------------------------------------------------------------------------- */

static void ask(struct status *status, unsigned index)
{
    unsigned count = status->roster->count;
    unsigned validator = index < count ? index : SY_ASKER_OBSERVER + (index - count);
    struct account *account = &status->accounts[index];
    struct sy_error err = {SY_OK, ""};
    sy_client *client;
    struct sy_slice text;
    free(account->json);
    memset(account, 0, sizeof *account);
    sy_status result = sy_asker_client(status->asker, &client, validator, &err);
    if (result == SY_OK) result = sy_client_get_status(client, &text, CALL_MS, &err);
    if (result == SY_OK) account->json = strndup((const char *)text.data, text.size);
    account->answers = account->json != NULL;
    if (account->answers) return;
    sy_asker_drop(status->asker, validator);
    (void)snprintf(account->why, sizeof account->why, "%s", sy_cmd_printable(err.text));
}

static bool asked_for(const struct status *status, unsigned validator)
{
    const char *name = status->net->validator;
    return !name[0] || strcmp(name_of(status, validator), name) == 0;
}

/* True when at least one validator answers. */
static bool ask_all(struct status *status)
{
    bool any = false;
    status->roster = sy_epochs_newest(sy_asker_epochs(status->asker));
    for (unsigned i = 0; i < count_all(status); i++) {
        if (!asked_for(status, i)) continue;
        ask(status, i);
        any = any || status->accounts[i].answers;
    }
    status->block_known = any && sy_asker_block(status->asker, &status->newest, SY_HEIGHT_NEWEST,
                                                &status->block_error) == SY_OK;
    if (!any) (void)sy_fail(&status->block_error, SY_ERR_NETWORK, "nobody answers");
    return any;
}

/* ---- telling ------------------------------------------------------------------------------ */

static long long number_of(const json_t *tree, const char *name)
{
    return (long long)json_integer_value(json_object_get(tree, name));
}

#define WORD_BYTES 64

static const char *text_of(char out[WORD_BYTES], const json_t *tree, const char *name)
{
    const char *text = json_string_value(json_object_get(tree, name));
    (void)snprintf(out, WORD_BYTES, "%s", text ? text : "?");
    return sy_cmd_printable(out);
}

static void print_account(const struct status *status, unsigned validator)
{
    const char *name = name_of(status, validator);
    const struct account *account = &status->accounts[validator];
    json_t *tree = account->answers ? json_loads(account->json, 0, NULL) : NULL;
    if (!tree) {
        printf("%-12s does not answer: %s\n", name,
               account->answers ? "its answer is no JSON" : account->why);
        return;
    }
    unsigned linked = 0;
    char primary[WORD_BYTES];
    char state[WORD_BYTES];
    const json_t *peers = json_object_get(tree, "peers");
    for (size_t i = 0; i < json_array_size(peers); i++) {
        linked += json_is_true(json_object_get(json_array_get(peers, i), "linked"));
    }
    printf("%-12s %10lld %10lld %6lld %-12s %5u %9lld  %s\n", name,
           number_of(tree, "certified_height"), number_of(tree, "executed_height"),
           number_of(tree, "view"), text_of(primary, tree, "primary"), linked,
           number_of(tree, "pending_txs"), text_of(state, tree, "state"));
    json_decref(tree);
}

/* Evidence that a validator keeps against another is worth a line of its own. */
static void print_evidence(const struct status *status, unsigned validator)
{
    const struct account *account = &status->accounts[validator];
    json_t *tree = account->answers ? json_loads(account->json, 0, NULL) : NULL;
    const json_t *peers = json_object_get(tree, "peers");
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        char name[WORD_BYTES];
        if (number_of(peer, "evidence") <= 0) continue;
        printf("%s keeps evidence against %s: %lld pieces; `systole evidence` shows them\n",
               name_of(status, validator), text_of(name, peer, "name"),
               number_of(peer, "evidence"));
    }
    json_decref(tree);
}

/* What an observer is for does not show in the table: how far behind it is, and whose blocks it
 * took. */
static void print_observer(const struct status *status, unsigned index)
{
    const struct account *account = &status->accounts[index];
    json_t *tree = account->answers ? json_loads(account->json, 0, NULL) : NULL;
    const char *role = json_string_value(json_object_get(tree, "role"));
    const json_t *peers = json_object_get(tree, "peers");
    if (role && strcmp(role, "observer") == 0) {
        printf("%s is an observer, %lld blocks behind; blocks fetched:", name_of(status, index),
               number_of(tree, "blocks_behind"));
        for (size_t i = 0; i < json_array_size(peers); i++) {
            const json_t *peer = json_array_get(peers, i);
            char name[WORD_BYTES];
            printf(" %lld from %s%s", number_of(peer, "blocks_fetched"),
                   text_of(name, peer, "name"), i + 1 < json_array_size(peers) ? "," : "");
        }
        puts("");
    }
    json_decref(tree);
}

/* Nothing that the network does will help it on: a person must. */
static void print_history(const struct status *status, unsigned validator)
{
    const struct account *account = &status->accounts[validator];
    json_t *tree = account->answers ? json_loads(account->json, 0, NULL) : NULL;
    if (json_is_true(json_object_get(tree, "history_gone"))) {
        printf("%s: no other validator keeps block %lld, which it needs next: start one that keeps "
               "all history,\n  or let it begin with a state (join_by_snapshot, README \"Joining "
               "without history\")\n",
               name_of(status, validator), number_of(tree, "certified_height") + 1);
    }
    json_decref(tree);
}

static void print_engine(const struct status *status, unsigned validator)
{
    const struct account *account = &status->accounts[validator];
    json_t *tree = account->answers ? json_loads(account->json, 0, NULL) : NULL;
    const char *why = json_string_value(json_object_get(tree, "engine_why"));
    char name[WORD_BYTES], small[WORD_BYTES];
    char reason[256], below[WORD_BYTES + 64] = "";
    if (why) {
        long long from = number_of(tree, "engine_from");
        if (from > 0) {
            (void)snprintf(below, sizeof below, ", fewer than %lld at once with %s", from,
                           text_of(small, tree, "engine_small"));
        }
        (void)snprintf(reason, sizeof reason, "%s", why);
        printf("%s checks signatures with %s%s (%s)\n", name_of(status, validator),
               text_of(name, tree, "engine"), below, sy_cmd_printable(reason));
    }
    json_decref(tree);
}

/* Whoever is off says so; of one who does not answer the others do. */
static void print_clocks(const struct status *status, unsigned validator)
{
    const struct account *account = &status->accounts[validator];
    json_t *tree = account->answers ? json_loads(account->json, 0, NULL) : NULL;
    const char *own = name_of(status, validator);
    const json_t *peers = json_object_get(tree, "peers");
    double error_s = (double)number_of(tree, "clock_error_ms") / 1000;
    if (json_is_true(json_object_get(tree, "clock_off"))) {
        printf("%s: its own clock is off by %+.1f s, by the other validators' clocks; set it\n",
               own, error_s);
    }
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        char name[WORD_BYTES];
        if (!json_is_true(json_object_get(peer, "clock_off"))) continue;
        printf("%s finds the clock of %s off by %+.1f s\n", own, text_of(name, peer, "name"),
               (double)number_of(peer, "clock_offset_ms") / 1000 + error_s);
    }
    json_decref(tree);
}

static void print_newest(const struct status *status)
{
    char time[SY_CMD_TIME_BYTES];
    char hex[65];
    if (!status->block_known) {
        printf("\nno certified block could be proven: %s\n", status->block_error.text);
        return;
    }
    const struct sy_header *header = &status->newest.header;
    sy_cmd_time(time, header->time_ms);
    sy_hex_encode(hex, header->state_root.bytes, sizeof header->state_root.bytes);
    printf("\nproven: block %llu of %s (%.1f s ago), state root %s\n",
           (unsigned long long)header->height, time,
           (double)(sy_os_wall_ms() - header->time_ms) / 1000, hex);
}

static int tell_text(const struct status *status, int code)
{
    puts("what each validator says of itself:");
    printf("%-12s %10s %10s %6s %-12s %5s %9s  %s\n", "validator", "certified", "executed", "view",
           "primary", "links", "pending", "state");
    for (unsigned i = 0; i < count_all(status); i++) {
        if (asked_for(status, i)) print_account(status, i);
    }
    for (unsigned i = 0; i < count_all(status); i++) {
        if (!asked_for(status, i)) continue;
        print_engine(status, i);
        print_observer(status, i);
        print_evidence(status, i);
        print_history(status, i);
        print_clocks(status, i);
    }
    print_newest(status);
    (void)fflush(stdout);
    return code;
}

static int tell_json(const struct status *status, int code)
{
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_key(&json, "validators");
    sy_json_array_begin(&json);
    for (unsigned i = 0; i < count_all(status); i++) {
        const struct account *account = &status->accounts[i];
        if (!asked_for(status, i)) continue;
        json_t *tree = account->answers ? json_loads(account->json, 0, NULL) : NULL;
        sy_json_object_begin(&json);
        sy_json_put_text(&json, "name", name_of(status, i));
        sy_json_put_bool(&json, "answers", account->answers);
        if (tree) {
            sy_json_key(&json, "own_account");
            sy_json_raw(&json, account->json, strlen(account->json));
        } else {
            sy_json_put_text(&json, "why", account->why);
        }
        sy_json_object_end(&json);
        json_decref(tree);
    }
    sy_json_array_end(&json);
    if (status->block_known) {
        const struct sy_header *header = &status->newest.header;
        sy_json_key(&json, "proven");
        sy_json_object_begin(&json);
        sy_json_put_u64(&json, "height", header->height);
        sy_json_put_i64(&json, "time_ms", header->time_ms);
        sy_json_put_hex(&json, "state_root", header->state_root.bytes, 32);
        sy_json_object_end(&json);
    }
    return sy_cmd_json_end(&json, code);
}

static int run_status(struct status *status, bool watch, uint64_t every_s)
{
    for (;;) {
        // That nobody can be asked who validates now is told validator by validator.
        struct sy_error err = {SY_OK, ""};
        if (sy_asker_learn(status->asker, &err) == SY_ERR_ARGUMENT) {
            return sy_cmd_fail(status->cmd, &err);
        }
        int code = ask_all(status) ? SY_EXIT_DONE : SY_EXIT_NETWORK;
        if (watch && !status->cmd->json) fputs("\033[H\033[2J", stdout);
        code = status->cmd->json ? tell_json(status, code) : tell_text(status, code);
        if (!watch || ferror(stdout)) return code;
        struct timespec pause = {.tv_sec = (time_t)every_s};
        (void)nanosleep(&pause, NULL);
    }
}

int sy_cmd_status(int argc, char **argv)
{
    static struct status status; /* too large for a small stack; one command a process */
    struct sy_cmd_where where = {NULL, NULL, NULL};
    bool watch = false;
    uint64_t every_s = WATCH_S_DEFAULT;
    const struct sy_option options[] = {
        {"watch", SY_OPTION_SWITCH, &watch, NULL, "again and again, until interrupted", 0, 0},
        {"every", SY_OPTION_NUMBER, &every_s, "SECONDS", "pause of --watch (2)", 1, 3600},
        SY_CMD_WHERE_OPTIONS(where),
    };
    struct sy_cmd cmd = {.name = "status",
                         .arguments = "",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0]};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    status.cmd = &cmd;
    sy_status result = sy_cmd_connect(&status.net, &status.asker, &where, CALL_MS, &err);
    exit_code = result == SY_OK ? run_status(&status, watch, every_s) : sy_cmd_fail(&cmd, &err);
    for (unsigned i = 0; i < SY_VALIDATORS_MAX + SY_ASKER_OBSERVERS_MAX; i++) {
        free(status.accounts[i].json);
    }
    sy_asker_close(status.asker);
    sy_cmd_net_close(status.net);
    return exit_code;
}
