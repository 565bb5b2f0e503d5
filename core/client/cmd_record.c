/* cmd_record.c: `systole record`, and `systole record verify`: are these bytes what the ledger has?
 *
 *     file --> each resource --> its source id's label --> client store: record id, salts
 *                        |                                        |
 *                        +--> commitment with the stored salt <---+
 *                                      |
 *                                      +--> compared with a proven state entry
 *
 * Without the client's store --record and --salt stand in for it: what a receiver of content is
 * handed beside it. */
#include "core/client/cmd_record.h"

#include <stdlib.h>

#include "core/client/client_store.h"
#include "core/client/cmd.h"
#include "core/client/fhir_document.h"
#include "core/client/fhir_input.h"
#include "core/client/record_check.h"
#include "core/client/show.h"

static const char about[] =
    "Says of each FHIR resource in FILE whether the ledger has exactly these bytes:\n"
    "\n"
    "  registered     they are the record's current version\n"
    "  older          they are version n, and there is a newer one\n"
    "  altered        the record is known, but no version of it has these bytes\n"
    "  unknown        no such record is on the ledger\n"
    "  erased         its content was erased: nobody can tell any more\n"
    "\n"
    "Exit code 0 only if all are registered.\n";

struct run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *source, *record, *salt;
    uint64_t max_age_s;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key; /* NULL: the gateway's of each record's organisation */
    sy_client_store *store;
    struct sy_record_checker checker;
    uint64_t counts[SY_RECORD_VERDICTS];
    uint64_t faulty;
    sy_json json;
};

/* ---- telling ------------------------------------------------------------------------------ */

static void tell(struct run *run, const char *what, const struct sy_record_verdict *verdict)
{
    char words[SY_RECORD_SENTENCE_BYTES];
    run->counts[verdict->verdict]++;
    sy_record_verdict_words(words, sizeof words, verdict);
    if (!run->cmd->json) {
        printf("%s: %s\n", what, words);
        if (verdict->record_known) {
            char hex[65];
            sy_hex_encode(hex, verdict->record_id.bytes, 32);
            printf("  record %s\n", hex);
        }
        return;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_text(&run->json, "resource", what);
    sy_json_put_text(&run->json, "verdict", sy_record_verdict_name(verdict->verdict));
    sy_json_put_text(&run->json, "sentence", words);
    if (verdict->record_known) {
        sy_json_put_hex(&run->json, "record", verdict->record_id.bytes, 32);
    }
    if (verdict->version > 0) sy_json_put_u64(&run->json, "version", verdict->version);
    if (verdict->head > 0) sy_json_put_u64(&run->json, "head", verdict->head);
    if (verdict->height > 0) sy_json_put_u64(&run->json, "height", verdict->height);
    if (verdict->registered) {
        sy_json_key(&run->json, "registered_as");
        sy_json_object_begin(&run->json);
        sy_show_version(&run->json, &verdict->entry);
        sy_json_object_end(&run->json);
    }
    if (verdict->verdict == SY_RECORD_ERASED) {
        sy_json_put_u64(&run->json, "erased_height", verdict->erased_height);
        sy_json_put_i64(&run->json, "erased_ms", verdict->erased_ms);
    }
    sy_json_object_end(&run->json);
}

static void tell_faulty(struct run *run, const char *what, const char *why)
{
    run->faulty++;
    if (!run->cmd->json) {
        fprintf(stderr, "systole record verify: %s: %s\n", what, why);
        return;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_text(&run->json, "resource", what);
    sy_json_put_text(&run->json, "verdict", "unreadable");
    sy_json_put_text(&run->json, "sentence", why);
    sy_json_object_end(&run->json);
}

/* ---- one resource ------------------------------------------------------------------------- */

static sy_status check_item(struct run *run, const struct sy_fhir_item *item, struct sy_error *err)
{
    char what[256];
    struct sy_record_verdict verdict;
    (void)snprintf(what, sizeof what, "%s/%.*s", item->facts.type, (int)item->facts.id.size,
                   item->facts.id.size ? (const char *)item->facts.id.data : "");
    if (item->faulty) {
        (void)snprintf(what, sizeof what, "entry[%u]", (unsigned)item->position);
        tell_faulty(run, what, item->complaint.what);
        return SY_OK;
    }
    SY_TRY(
        sy_record_check_known(&run->checker, &verdict, &item->label, item->entry->resource, err));
    tell(run, what, &verdict);
    return SY_OK;
}

static sy_status check_document(struct run *run, struct sy_fhir_scan *scan, struct sy_fhir_set *set,
                                const struct sy_fhir_document *document, struct sy_error *err)
{
    char what[64];
    (void)snprintf(what, sizeof what, "line %llu", (unsigned long long)document->line);
    if (document->over_long) {
        tell_faulty(run, what, "the document is too long");
        return SY_OK;
    }
    if (!sy_fhir_scan_document(scan, document->bytes)) tell_faulty(run, what, scan->fault.what);
    SY_TRY(sy_fhir_set_load(set, run->store, run->source, scan, err));
    for (uint32_t i = 0; i < set->count; i++) SY_TRY(check_item(run, &set->items[i], err));
    return SY_OK;
}

static sy_status check_file(struct run *run, const char *path, struct sy_error *err)
{
    struct sy_fhir_input input;
    struct sy_fhir_document document;
    struct sy_fhir_scan scan = {0};
    struct sy_fhir_set set = {0};
    struct sy_json_scanner sniffer;
    SY_TRY(sy_fhir_input_open(&input, path, 0, 1, err));
    sy_json_scanner_open(&sniffer);
    sy_fhir_scan_open(&scan);
    sy_fhir_set_open(&set);
    sy_status status = SY_OK;
    bool at_end = false;
    while (status == SY_OK && !at_end) {
        status = sy_fhir_input_next(&input, &document, &sniffer, err);
        at_end = status == SY_ERR_NOT_FOUND;
        if (status == SY_OK) status = check_document(run, &scan, &set, &document, err);
    }
    sy_fhir_set_close(&set);
    sy_fhir_scan_close(&scan);
    sy_json_scanner_close(&sniffer);
    sy_fhir_input_close(&input);
    return at_end ? SY_OK : status;
}

/* The whole file is the content; record and salt are given. */
static sy_status check_content(struct run *run, const char *path, struct sy_error *err)
{
    struct sy_hash record, salt;
    struct sy_record_verdict verdict;
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(sy_cmd_hash(&record, "--record", run->record, err));
    SY_TRY(sy_cmd_hash(&salt, "--salt", run->salt, err));
    SY_TRY(sy_cmd_read_input(&bytes, &size, path, SY_FHIR_DOCUMENT_BYTES_MAX, err));
    sy_status status = sy_record_check_content(&run->checker, &verdict, &record, &salt,
                                               sy_slice_of(bytes, size), err);
    if (status == SY_OK) tell(run, path, &verdict);
    free(bytes);
    return status;
}

/* ---- the run ------------------------------------------------------------------------------ */

static sy_status open_parts(struct run *run, struct sy_error *err)
{
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    if (!run->record) {
        SY_TRY(sy_client_store_open(&run->store, run->net->client, &run->net->genesis.hash,
                                    SY_CLIENT_STORE_READ, err));
    }
    bool any = run->key_path || run->net->key[0] || run->net->regulator_key[0];
    if (any || run->record) SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    run->checker = (struct sy_record_checker){.asker = run->asker,
                                              .store = run->store,
                                              .key = run->key,
                                              .keys_folder = run->net->client,
                                              .max_age_ms = (int64_t)run->max_age_s * 1000};
    return SY_OK;
}

static int finish(struct run *run, sy_status status, const struct sy_error *err)
{
    bool all = run->faulty == 0;
    for (int i = 0; i < SY_RECORD_VERDICTS; i++) {
        all = all && (i == SY_RECORD_REGISTERED || run->counts[i] == 0);
    }
    all = all && run->counts[SY_RECORD_REGISTERED] > 0;
    int code = status != SY_OK ? (int)sy_exit_of(status) : all ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    if (status != SY_OK) fprintf(stderr, "systole record verify: %s\n", err->text);
    if (run->cmd->json) {
        sy_json_array_end(&run->json);
        for (int i = 0; i < SY_RECORD_VERDICTS; i++) {
            sy_json_put_u64(&run->json, sy_record_verdict_name((enum sy_record_result)i),
                            run->counts[i]);
        }
        sy_json_put_u64(&run->json, "unreadable", run->faulty);
        if (status != SY_OK) sy_json_put_text(&run->json, "error", err->text);
        return sy_cmd_json_end(&run->json, code);
    }
    if (run->counts[SY_RECORD_REGISTERED] + run->faulty > 1 || !all) {
        printf("%llu registered, %llu older, %llu altered, %llu unknown, %llu erased, "
               "%llu unreadable\n",
               (unsigned long long)run->counts[SY_RECORD_REGISTERED],
               (unsigned long long)run->counts[SY_RECORD_OLDER],
               (unsigned long long)run->counts[SY_RECORD_ALTERED],
               (unsigned long long)run->counts[SY_RECORD_UNKNOWN],
               (unsigned long long)run->counts[SY_RECORD_ERASED], (unsigned long long)run->faulty);
    }
    return code;
}

static int verify_record(int argc, char **argv)
{
    static struct run run; /* too large for a small stack; one command a process */
    run.source = "fhir";
    run.max_age_s = 60;
    const struct sy_option options[] = {
        {"source", SY_OPTION_TEXT, &run.source, "NAME",
         "name of the source system, as given to `systole submit` (fhir)", 0, 0},
        {"record", SY_OPTION_TEXT, &run.record, "ID",
         "compare the whole file with this record; needs --salt, not the client's store", 0, 0},
        {"salt", SY_OPTION_TEXT, &run.salt, "HEX", "the salt of the version in FILE", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's, else each record's gateway's)", 0, 0},
        {"max-age", SY_OPTION_NUMBER, &run.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "record verify",
                         .arguments = "FILE",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.record != !run.salt) return sy_cmd_usage(&cmd, "--record and --salt go together");
    run.cmd = &cmd;
    if (open_parts(&run, &err) != SY_OK) {
        exit_code = sy_cmd_fail(&cmd, &err);
    } else {
        if (cmd.json) {
            sy_cmd_json_begin(&run.json);
            sy_json_key(&run.json, "resources");
            sy_json_array_begin(&run.json);
        }
        sy_status status = run.record ? check_content(&run, cmd.words[0], &err)
                                      : check_file(&run, cmd.words[0], &err);
        exit_code = finish(&run, status, &err);
    }
    sy_record_checker_close(&run.checker);
    sy_client_store_close(run.store);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    return exit_code;
}

int sy_cmd_record(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "verify") == 0) return verify_record(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "history") == 0) {
        return sy_cmd_record_history(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "erase") == 0) return sy_cmd_record_erase(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "commit") == 0) return sy_cmd_record_commit(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "list") == 0) return sy_cmd_record_list(argc - 1, argv + 1);
    bool asks = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (!asks && argc > 1) fprintf(stderr, "systole record: there is no '%s'\n", argv[1]);
    fputs(
        "usage: systole record verify FILE      are these bytes what the ledger has?\n"
        "       systole record history RECORD   its versions, who signed them, what names it\n"
        "       systole record list PATIENT     all of a patient's, and that there are no others\n"
        "       systole record commit FILE      draw a salt and commit to a file's bytes\n"
        "       systole record erase RECORD     erase it, and its salts in the client's store\n"
        "\n`systole record verify --help` and so on say more.\n",
        asks ? stdout : stderr);
    return asks ? SY_EXIT_DONE : SY_EXIT_USAGE;
}
