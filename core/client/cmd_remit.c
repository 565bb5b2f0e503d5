/* cmd_remit.c: `systole remit`: what an organisation was paid, proven, as an X12 835. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/asker.h"
#include "core/client/cmd.h"
#include "core/client/remit.h"

static const char about[] =
    "Writes the remittances of ORGANISATION, from number --from on, as an X12 835: a set\n"
    "for each payer, each claim with its charge, what was paid, and why not all of it.\n"
    "Each remittance and claim is proven, and what is written is read again and has to\n"
    "balance before FILE is made. State does not have the codes of a claim's lines, so\n"
    "adjustments stand at the claim; persons are told by their ids alone. The key is the\n"
    "payee's admin or gateway. Tells the number to go on from.\n";

struct remit_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *out;
    unsigned long long from, count, control;
    struct sy_remit_to to;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_proven answer;
    struct sy_remit *remits;
    size_t read; /* of them */
    int64_t total;
};

/* SY_ERR_NOT_FOUND: it is proven that there is none. */
static sy_status read_entry(struct remit_run *run, struct sy_slice *value, uint8_t state_kind,
                            const struct sy_hash *id, uint64_t number, struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = state_kind,
                                   .id = *id,
                                   .purpose = SY_PURPOSE_PAYMENT};
    if (number != 0) sy_store_u64(read.second.bytes, number);
    sy_proven_free(&run->answer);
    SY_TRY(sy_asker_read(run->asker, &run->answer, &read, run->key, 60000, err));
    sy_asker_expect(run->asker, run->answer.proof.header.height);
    if (!run->answer.proof.state.present) return SY_ERR_NOT_FOUND;
    *value = run->answer.proof.state.value;
    return SY_OK;
}

static sy_status unknown_form(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_VERSION, "an entry proven is of an unknown form: upgrade");
}

/* SY_ERR_NOT_FOUND: there is no remittance of that number. */
static sy_status read_remit(struct remit_run *run, struct sy_remit *remit, uint64_t number,
                            struct sy_error *err)
{
    struct sy_slice value;
    remit->number = number;
    SY_TRY(read_entry(run, &value, SY_STATE_REMITTANCE, &run->to.payee, number, err));
    if (!sy_remittance_decode(&remit->remittance, value)) return unknown_form(err);
    sy_status status = read_entry(run, &value, SY_STATE_CLAIM, &remit->remittance.claim, 0, err);
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(err, SY_ERR_CORRUPT, "remittance %llu is of a claim that is proven absent",
                       (unsigned long long)number);
    }
    if (status != SY_OK) return status;
    return sy_claim_decode(&remit->claim, value) ? SY_OK : unknown_form(err);
}

static sy_status read_remits(struct remit_run *run, struct sy_error *err)
{
    run->remits = calloc((size_t)run->count, sizeof *run->remits);
    if (run->remits == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for remittances");
    for (; run->read < run->count; run->read++) {
        struct sy_remit *remit = &run->remits[run->read];
        sy_status status = read_remit(run, remit, run->from + run->read, err);
        if (status == SY_ERR_NOT_FOUND) return SY_OK;
        if (status != SY_OK) return status;
        run->total += remit->remittance.amount; // at most 1,000 of at most SY_MONEY_MAX
    }
    return SY_OK;
}

static sy_status run_remit(struct remit_run *run, struct sy_error *err)
{
    char *text = NULL;
    size_t size = 0;
    SY_TRY(sy_cmd_hash(&run->to.payee, "ORGANISATION", run->cmd->words[0], err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    SY_TRY(read_remits(run, err));
    if (run->read == 0) {
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "there is no remittance %llu of this organisation, proven", run->from);
    }
    run->to.now_ms = sy_os_wall_ms();
    run->to.control = (uint32_t)run->control;
    SY_TRY(sy_remit_write(&text, &size, run->remits, run->read, &run->to, err));
    sy_status status = sy_os_write_file(run->out, text, size, 0600, err);
    free(text);
    return status;
}

static int finish(const struct remit_run *run)
{
    if (!run->cmd->json) {
        char sign = run->total < 0 ? '-' : '+';
        int64_t cents = run->total < 0 ? -run->total : run->total;
        printf("%s: %zu remittances of %c%lld.%02lld; go on with --from %llu\n", run->out,
               run->read, sign, (long long)(cents / 100), (long long)(cents % 100),
               run->from + run->read);
        return SY_EXIT_DONE;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "file", run->out);
    sy_json_put_u64(&json, "remittances", run->read);
    sy_json_put_i64(&json, "amount", run->total);
    sy_json_put_u64(&json, "next", run->from + run->read);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static void close_remit(struct remit_run *run)
{
    free(run->remits);
    sy_proven_free(&run->answer);
    sy_secret_key_close(run->key);
    if (run->net && run->asker) sy_cmd_saw(run->net, run->asker);
    sy_asker_close(run->asker);
    sy_cmd_net_close(run->net);
    memset(run, 0, sizeof *run);
}

int sy_cmd_remit(int argc, char **argv)
{
    static struct remit_run run; /* too large for a small stack; one command a process */
    run.from = run.control = 1;
    run.count = SY_REMITS_MAX;
    run.to.sender = run.to.receiver = "SYSTOLE";
    const struct sy_option options[] = {
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "where the 835 goes", 0, 0},
        {"from", SY_OPTION_NUMBER, &run.from, "N", "the first remittance (1)", 1, UINT32_MAX},
        {"count", SY_OPTION_NUMBER, &run.count, "N", "how many at most (1000)", 1, SY_REMITS_MAX},
        {"control", SY_OPTION_NUMBER, &run.control, "N", "control number (1)", 1, 999998999},
        {"sender", SY_OPTION_TEXT, &run.to.sender, "TEXT", "ISA06 (SYSTOLE)", 0, 0},
        {"receiver", SY_OPTION_TEXT, &run.to.receiver, "TEXT", "ISA08 (SYSTOLE)", 0, 0},
        {"payee-name", SY_OPTION_TEXT, &run.to.payee_name, "TEXT", "N102 of the payee", 0, 0},
        {"npi", SY_OPTION_TEXT, &run.to.npi, "DIGITS", "NPI of the payee", 0, 0},
        {"test", SY_OPTION_SWITCH, &run.to.test, NULL, "say in ISA15 that it is a test", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "remit",
                         .arguments = "ORGANISATION",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &code, argc, argv)) return code;
    if (!run.out) return sy_cmd_usage(&cmd, "--out is missing: say where the 835 goes");
    run.cmd = &cmd;
    sy_status status = run_remit(&run, &err);
    code = status == SY_OK ? finish(&run) : sy_cmd_fail(&cmd, &err);
    close_remit(&run);
    return code;
}
