/* cmd_roster.c: `systole roster`: who validates now, and who will, both reached from the genesis.
 */
#include "core/client/cmd.h"
#include "core/wire/render.h"
#include "core/wire/roster_change.h"
#include "core/wire/state.h"

static const char about[] =
    "Shows the roster that orders the newest blocks: its epoch and hash, which a\n"
    "change of the roster names, and its validators. It is reached from the genesis\n"
    "file by handovers, each certified by the validators before; nothing is believed.\n"
    "With a key that may read the state (--key, or the client.conf's), also the\n"
    "change that is pending, if one is, and the height from which on it holds.\n";

struct roster_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;         /* NULL: none, and so nothing is said of what is pending */
    struct sy_error key_error;  /* why there is none */
    struct sy_roster roster;    /* the newest */
    struct sy_hash hash;        /* its */
    struct sy_header at;        /* newest header, or what proves that a change is pending or not */
    struct sy_proven answer;    /* the state's entry about the next epoch */
    struct sy_roster_next next; /* borrows the answer; first 0: no change is pending */
    struct sy_roster after;     /* the roster that it makes */
    struct sy_hash after_hash;
};

/* ---- asking ------------------------------------------------------------------------------- */

static sy_status find_newest(struct roster_run *run, struct sy_error *err)
{
    static struct sy_client_block block;
    SY_TRY(sy_asker_learn(run->asker, err));
    SY_TRY(sy_asker_block(run->asker, &block, SY_HEIGHT_NEWEST, err));
    run->at = block.header;
    return SY_OK;
}

static const struct sy_roster *newest(const struct roster_run *run)
{
    return sy_epochs_newest(sy_asker_epochs(run->asker));
}

static sy_status read_pending(struct roster_run *run, struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = SY_STATE_ROSTER_CHANGE,
                                   .purpose = SY_PURPOSE_OPERATIONS};
    sy_store_u32(read.id.bytes, newest(run)->epoch + 1);
    return sy_asker_read(run->asker, &run->answer, &read, run->key, 60000, err);
}

/* The answer itself may be the first of another epoch, which then is the newest one. */
static sy_status find_pending(struct roster_run *run, struct sy_error *err)
{
    uint32_t epoch;
    do {
        epoch = newest(run)->epoch;
        SY_TRY(read_pending(run, err));
    } while (newest(run)->epoch != epoch);
    const struct sy_proof *proof = &run->answer.proof;
    run->at = proof->header;
    if (!proof->state.present) return SY_OK;
    if (!sy_roster_next_decode(&run->next, proof->state.value) || run->next.first == 0 ||
        sy_roster_follow(&run->after, &run->net->genesis.hash, newest(run), run->next.kind,
                         run->next.change) != SY_OK) {
        return sy_fail(err, SY_ERR_VERSION, "the pending change is of an unknown form: upgrade");
    }
    sy_roster_hash(&run->after_hash, &run->net->genesis.hash, &run->after);
    return SY_OK;
}

static sy_status find_all(struct roster_run *run, struct sy_error *err)
{
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    sy_status status = sy_cmd_read_key(&run->key, run->net, run->key_path, &run->key_error);
    if (status != SY_OK && run->key_path) return sy_fail(err, status, "%s", run->key_error.text);
    SY_TRY(find_newest(run, err));
    if (status == SY_OK) SY_TRY(find_pending(run, err));
    run->roster = *newest(run);
    sy_roster_hash(&run->hash, &run->net->genesis.hash, &run->roster);
    return SY_OK;
}

/* ---- telling ------------------------------------------------------------------------------ */

static const char *kind_name(const struct roster_run *run)
{
    const struct sy_kind *kind = sy_kind_by_number(run->next.kind);
    return kind ? kind->name : "?";
}

static void put_pending(const struct roster_run *run, sy_json *json)
{
    sy_json_key(json, "pending");
    if (run->next.first == 0) {
        sy_json_null(json);
        if (!run->key) sy_json_put_text(json, "pending_withheld", run->key_error.text);
        return;
    }
    sy_json_object_begin(json);
    sy_json_put_text(json, "kind", kind_name(run));
    sy_json_put_u64(json, "first_height", run->next.first);
    sy_json_put_hex(json, "hash", run->after_hash.bytes, 32);
    sy_json_key(json, "roster");
    sy_roster_to_json(json, &run->after);
    sy_json_object_end(json);
}

static int tell_json(const struct roster_run *run)
{
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_u64(&json, "epoch", run->roster.epoch);
    sy_json_put_hex(&json, "roster_hash", run->hash.bytes, 32);
    sy_json_put_u64(&json, "handovers", run->roster.epoch);
    sy_json_put_u64(&json, "height", run->at.height);
    sy_json_put_i64(&json, "time_ms", run->at.time_ms);
    sy_json_put_u64(&json, "quorum", sy_quorum(run->roster.count));
    sy_json_key(&json, "roster");
    sy_roster_to_json(&json, &run->roster);
    put_pending(run, &json);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static void print_validators(const struct sy_roster *roster)
{
    char hex[65];
    for (unsigned i = 0; i < roster->count; i++) {
        const struct sy_validator *validator = &roster->validators[i];
        sy_hex_encode(hex, validator->consensus_key.bytes, sizeof validator->consensus_key.bytes);
        printf("  %2u %-16s %-28s %s\n", i, validator->name, validator->client_address, hex);
    }
}

static int tell_text(const struct roster_run *run)
{
    char time[SY_CMD_TIME_BYTES];
    char hex[65];
    sy_cmd_time(time, run->at.time_ms);
    sy_hex_encode(hex, run->hash.bytes, sizeof run->hash.bytes);
    printf(
        "epoch %u, reached from the genesis by %u verified handovers, at block %llu of %s\n"
        "roster hash %s\n%u validators, quorum %u: number, name, client address, consensus key\n",
        (unsigned)run->roster.epoch, (unsigned)run->roster.epoch,
        (unsigned long long)run->at.height, time, hex, (unsigned)run->roster.count,
        sy_quorum(run->roster.count));
    print_validators(&run->roster);
    if (run->next.first > 0) {
        sy_hex_encode(hex, run->after_hash.bytes, sizeof run->after_hash.bytes);
        printf("pending: %s, in effect from block %llu on: epoch %u, roster hash %s\n",
               kind_name(run), (unsigned long long)run->next.first, (unsigned)run->after.epoch,
               hex);
        print_validators(&run->after);
    } else if (run->key) {
        puts("no change is pending");
    } else {
        printf("what is pending is not shown: %s\n", run->key_error.text);
    }
    return SY_EXIT_DONE;
}

int sy_cmd_roster(int argc, char **argv)
{
    static struct roster_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the read of what is pending (the client.conf's)", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "roster",
                         .arguments = "",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0]};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    if (find_all(&run, &err) == SY_OK) {
        exit_code = cmd.json ? tell_json(&run) : tell_text(&run);
    } else {
        exit_code = sy_cmd_fail(&cmd, &err);
    }
    sy_proven_free(&run.answer);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}
