/* cmd_audit.c: `systole audit`: a stopped validator's ledger made again from genesis. */
#include <unistd.h>

#include "core/client/audit.h"
#include "core/client/cmd_validator.h"

static const char about[] =
    "Opens the store of a stopped validator for reading, makes every block again\n"
    "from genesis, and compares: batches, every signature, receipts, state, headers,\n"
    "certificates. Of a store whose history was pruned it checks headers,\n"
    "certificates, what is kept whole, and the state's root, and says so. DIR is the\n"
    "validator's folder, its systoled.conf, or, with --genesis, the store itself. The\n"
    "first difference is named, exit code 1. Two audits that print the same height\n"
    "and state root are of the same ledger.\n";

/* The stored state is compared in one view, however long that takes. */
#define VIEW_AGE_MS 86400000u

struct run {
    const struct sy_cmd *cmd;
    const char *genesis_path;
    uint64_t threads;
    struct sy_genesis genesis;
    struct sy_audit_figures figures;
    bool live;
};

/* ---- telling ------------------------------------------------------------------------------ */

static void show_progress(void *self, uint64_t height, uint64_t of, uint64_t txs)
{
    const struct run *run = (const struct run *)self;
    if (!run->live) return;
    fprintf(stderr, "\rblock %llu of %llu, %llu transactions\033[K", (unsigned long long)height,
            (unsigned long long)of, (unsigned long long)txs);
}

static void put_figures(const struct sy_audit_figures *figures, sy_json *json)
{
    sy_json_put_u64(json, "height", figures->height);
    sy_json_put_u64(json, "first_header", figures->base);
    sy_json_put_u64(json, "pruned_at", figures->pruned);
    sy_json_put_bool(json, "replayed", figures->pruned == 0);
    sy_json_put_u64(json, "certified_height", figures->certified);
    sy_json_put_u64(json, "transactions", figures->txs);
    sy_json_put_u64(json, "applied", figures->applied);
    sy_json_put_u64(json, "refused", figures->refused);
    sy_json_put_u64(json, "batches", figures->batches);
    sy_json_put_u64(json, "signatures", figures->signatures);
    sy_json_put_u64(json, "state_entries", figures->state_entries);
    sy_json_put_hex(json, "state_root", figures->state_root.bytes, 32);
    sy_json_put_hex(json, "certified_header_hash", figures->header_hash.bytes, 32);
    sy_json_put_hex(json, "certified_state_root", figures->certified_state_root.bytes, 32);
}

static int tell(const struct run *run, const struct sy_error *err)
{
    const struct sy_audit_figures *figures = &run->figures;
    bool sound = err->status == SY_OK;
    if (run->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_bool(&json, "sound", sound);
        if (!sound) sy_json_put_text(&json, "difference", err->text);
        put_figures(figures, &json);
        return sy_cmd_json_end(&json, sound ? SY_EXIT_DONE : SY_EXIT_REFUSED);
    }
    if (!sound) {
        fprintf(stderr, "systole audit: %s\n", err->text);
        printf("%llu blocks before it were sound\n", (unsigned long long)figures->height);
        return SY_EXIT_REFUSED;
    }
    char hex[65];
    sy_hex_encode(hex, figures->state_root.bytes, 32);
    if (figures->pruned > 0) {
        printf("pruned at %llu: not replayed from genesis. Sound as far as it can be checked: "
               "headers %llu to %llu linked, certified up to %llu, %llu blocks whole (%llu "
               "transactions, %llu signatures), %llu state entries under the newest header's "
               "root\nstate root %s\n",
               (unsigned long long)figures->pruned, (unsigned long long)figures->base,
               (unsigned long long)figures->height, (unsigned long long)figures->certified,
               (unsigned long long)(figures->height + 1 - figures->pruned),
               (unsigned long long)figures->txs, (unsigned long long)figures->signatures,
               (unsigned long long)figures->state_entries, hex);
        return SY_EXIT_DONE;
    }
    printf("sound: %llu blocks, %llu certified, %llu transactions (%llu applied, %llu refused), "
           "%llu signatures, %llu state entries\nstate root %s\n",
           (unsigned long long)figures->height, (unsigned long long)figures->certified,
           (unsigned long long)figures->txs, (unsigned long long)figures->applied,
           (unsigned long long)figures->refused, (unsigned long long)figures->signatures,
           (unsigned long long)figures->state_entries, hex);
    return SY_EXIT_DONE;
}

/* ---- the run ------------------------------------------------------------------------------ */

/* SY_OK: the audit ran to its end or to a difference, which *found tells. */
static sy_status audit(struct run *run, struct sy_error *found, const char *word,
                       struct sy_error *err)
{
    struct sy_cmd_validator validator = {"", ""};
    sy_store *store = NULL;
    SY_TRY(sy_cmd_validator_find(&validator, word, run->genesis_path, err));
    SY_TRY(sy_cmd_validator_open(&store, &run->genesis, &validator, VIEW_AGE_MS, err));
    struct sy_audit_config audit_config = {.genesis = &run->genesis,
                                           .store = store,
                                           .threads = (unsigned)run->threads,
                                           .progress = show_progress,
                                           .self = run};
    found->status = sy_audit_run(&audit_config, &run->figures, found);
    if (run->live) fputs("\r\033[K", stderr);
    sy_store_close(store);
    return SY_OK;
}

int sy_cmd_audit(int argc, char **argv)
{
    static struct run run; /* a genesis is large; one command a process */
    const struct sy_option options[] = {
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "the network's genesis file, instead of the one that systoled.conf names", 0, 0},
        {"threads", SY_OPTION_NUMBER, &run.threads, "N", "that check signatures (one a processor)",
         1, 64},
    };
    struct sy_cmd cmd = {.name = "audit",
                         .arguments = "DIR",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    struct sy_error found = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    run.live = isatty(STDERR_FILENO) == 1;
    exit_code = audit(&run, &found, cmd.words[0], &err) == SY_OK ? tell(&run, &found)
                                                                 : sy_cmd_fail(&cmd, &err);
    run.cmd = NULL;
    return exit_code;
}
