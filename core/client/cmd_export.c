/* cmd_export.c: `systole export`: a patient's whole record for somebody else, or why it is not
 * whole.
 *
 *     export's entry --> for which key            places --> every record there is (places.h)
 *                                                     |
 *     inputs that were submitted --> contents, salts  +--> erased, kept elsewhere: a proof of it
 *                  |                                  +--> kept here: each head has to be there,
 *                  |                                  |    and its history is proven (history.h)
 *                  +--> envelopes to the key <--------+
 *                              |
 *                              +--> manifest --> export.fulfil (by hand: its line is shown)
 *
 * What is not whole has no manifest. Run again, it does all of it again, as of then. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/cmd_export.h"
#include "core/client/export_contents.h"
#include "core/client/history.h"
#include "core/client/manifest.h"
#include "core/client/places.h"

static const char about[] =
    "Hands the whole record of PATIENT to the key that the patient named in the\n"
    "request (export.request), as a folder: every record's contents sealed to that\n"
    "key, so are proofs of all its versions, cosignatures and links, and proofs that\n"
    "there is no other record. Contents are those of --from, the\n"
    "FHIR files that `systole submit` registered with this client's store, and those\n"
    "of --content. A record that was erased or that somebody else keeps is listed as\n"
    "that, with its proof, or without, if the key may not see it: then the ledger's\n"
    "word on the export stands for it.\n"
    "\n"
    "If the content of a record that is kept here is in none of the files, it is told\n"
    "and there is no export. Else it shows the `systole tx make export.fulfil` that\n"
    "says so on the ledger; with that final, --proof of `systole get export` goes to\n"
    "FOLDER/proofs/export.syproof.\n"
    "\n"
    "`systole export verify FOLDER` checks it all, offline.\n";

struct export_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *request_hex, *out, *source;
    struct sy_option_list from, content;
    uint64_t max_age_s;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    sy_client_store *store;
    struct sy_places walk;
    struct sy_places_asked asked;
    struct sy_manifest manifest;
    struct sy_export_contents contents;
    char proofs[SY_MANIFEST_PATH_BYTES];
    uint64_t missing;
};

// --- what is asked for -------------------------------------------------------------------------

static sy_status make_folder(char out[SY_MANIFEST_PATH_BYTES], const char *folder,
                             const char *under, struct sy_error *err)
{
    int size = snprintf(out, SY_MANIFEST_PATH_BYTES, "%s/%s", folder, under);
    if (size < 0 || size >= SY_MANIFEST_PATH_BYTES) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
    }
    return sy_os_make_dirs(out, 0700, err);
}

static sy_status take_request(struct export_run *run, struct sy_error *err)
{
    struct sy_manifest *manifest = &run->manifest;
    struct sy_proven *answer = &run->asked.answer;
    struct sy_read_request read = {
        .subject = SY_READ_STATE, .state_kind = SY_STATE_EXPORT, .purpose = SY_PURPOSE_OPERATIONS};
    struct sy_export export;
    char path[SY_MANIFEST_PATH_BYTES + 32];
    SY_TRY(sy_cmd_hash(&read.id, "--request", run->request_hex, err));
    SY_TRY(sy_asker_read(run->asker, answer, &read, run->key, (int64_t)run->max_age_s * 1000, err));
    const struct sy_state_proof *state = &answer->proof.state;
    if (!state->present) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "no export %.64s was requested", run->request_hex);
    }
    if (!sy_export_decode(&export, state->value)) {
        return sy_fail(err, SY_ERR_VERSION, "the export proven is of an unknown form: upgrade");
    }
    if (!sy_hash_equal(&export.patient, &manifest->patient)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "that export is of another patient's record");
    }
    if (export.fulfilled) {
        return sy_fail(err, SY_ERR_PERMISSION, "that export was fulfilled in block %llu",
                       (unsigned long long)export.fulfilled_height);
    }
    manifest->genesis = run->net->genesis.hash;
    manifest->export_id = read.id;
    manifest->organisation = export.organisation;
    manifest->recipient_key = export.recipient_key;
    sy_asker_expect(run->asker, answer->proof.header.height);
    (void)snprintf(path, sizeof path, "%s/export.syproof", run->proofs);
    return sy_os_write_file(path, answer->bytes, answer->size, 0600, err);
}

static sy_status visit(void *self, const struct sy_patient_place *place,
                       const struct sy_hash *patient, uint64_t number, struct sy_error *err)
{
    struct export_run *run = self;
    (void)patient;
    (void)number;
    if (place->what != SY_PLACE_RECORD) return SY_OK;
    return sy_manifest_add_item(&run->manifest, &place->id, err);
}

// --- which records -----------------------------------------------------------------------------

static sy_status judge(struct export_run *run, uint32_t index, struct sy_error *err)
{
    struct sy_manifest_item *item = &run->manifest.items[index];
    struct sy_slice value;
    struct sy_record record;
    uint64_t height;
    struct sy_error inner = {SY_OK, ""};
    run->asked.folder = NULL;
    sy_status status =
        sy_places_ask(&run->asked, &value, &height, SY_STATE_RECORD, &item->record, 0, &inner);
    // An organisation sees what it keeps: so it is somebody else's, which execution judges, too.
    if (status == SY_ERR_PERMISSION) {
        item->state = SY_MANIFEST_ELSEWHERE;
        return SY_OK;
    }
    if (status != SY_OK) return sy_fail(err, status, "%s", inner.text);
    if (!sy_record_decode(&record, value)) {
        return sy_fail(err, SY_ERR_VERSION, "a record proven is of an unknown form: upgrade");
    }
    bool kept = sy_hash_equal(&record.holder, &run->manifest.organisation);
    item->state = record.erased ? SY_MANIFEST_ERASED
                  : kept        ? SY_MANIFEST_INCLUDED
                                : SY_MANIFEST_ELSEWHERE;
    if (item->state == SY_MANIFEST_INCLUDED) {
        SY_TRY(sy_history_make(&run->manifest, &record, index, run->out, &run->asked, err));
        if (record.erased || !sy_hash_equal(&record.holder, &run->manifest.organisation)) {
            return sy_fail(err, SY_ERR_BUSY, "a record was erased or moved meanwhile: run again");
        }
        return sy_export_contents_want(&run->contents, index, &record, err);
    }
    char path[SY_PLACES_PATH_BYTES];
    if (!sy_places_path(path, run->proofs, &item->record, 0)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", run->proofs);
    }
    return sy_os_write_file(path, run->asked.answer.bytes, run->asked.answer.size, 0600, err);
}

static void tell_missing(void *self, const struct sy_hash *record, uint32_t version)
{
    struct export_run *run = self;
    char hex[65];
    sy_hex_encode(hex, record->bytes, sizeof record->bytes);
    run->missing++;
    fprintf(stderr, "missing: version %u of record %s: its content is in none of the files\n",
            (unsigned)version, hex);
}

static sy_status collect(struct export_run *run, struct sy_error *err)
{
    struct sy_export_contents *contents = &run->contents;
    *contents = (struct sy_export_contents){.manifest = &run->manifest,
                                            .folder = run->out,
                                            .source = run->source,
                                            .store = run->store,
                                            .asker = run->asker,
                                            .key = run->key,
                                            .max_age_ms = (int64_t)run->max_age_s * 1000};
    for (uint32_t i = 0; i < run->manifest.item_count; i++) SY_TRY(judge(run, i, err));
    for (unsigned i = 0; i < run->from.count; i++) {
        SY_TRY(sy_export_contents_take(contents, run->from.items[i], err));
    }
    for (unsigned i = 0; i < run->content.count; i++) {
        SY_TRY(sy_export_contents_give(contents, run->content.items[i], err));
    }
    sy_manifest_sort(&run->manifest);
    sy_export_contents_missing(contents, tell_missing, run);
    if (run->missing == 0) return sy_manifest_write(&run->manifest, run->out, err);
    return sy_fail(err, SY_ERR_PERMISSION,
                   "the record is not whole: %llu contents are missing; give the files that have "
                   "them with --from",
                   (unsigned long long)run->missing);
}

// --- telling -----------------------------------------------------------------------------------

/* One part of the answer, as a command. */
static void put_part(const struct export_run *run, const struct sy_hash *ids, uint32_t count,
                     bool more, const struct sy_hash roots[2])
{
    const struct sy_manifest *manifest = &run->manifest;
    char hex[65];
    sy_hex_encode(hex, manifest->export_id.bytes, 32);
    printf("systole tx make --field export_id=%s --field as_of=%llu --field exceptions=", hex,
           (unsigned long long)manifest->as_of);
    for (uint32_t i = 0; i < count; i++) {
        sy_hex_encode(hex, ids[i].bytes, 32);
        printf("%s%s", i == 0 ? "" : ",", hex);
    }
    printf(" --field more=%s --field places=%llu --field records=%llu --field included=%llu",
           more ? "true" : "false", (unsigned long long)manifest->places,
           (unsigned long long)manifest->records,
           (unsigned long long)sy_manifest_count(manifest, SY_MANIFEST_INCLUDED));
    sy_hex_encode(hex, roots[0].bytes, 32);
    printf(" --field manifest_root=%s", hex);
    sy_hex_encode(hex, roots[1].bytes, 32);
    printf(" --field wrapped_key_hash=%s export.fulfil\n", hex);
}

static int tell(const struct export_run *run)
{
    const struct sy_manifest *manifest = &run->manifest;
    struct sy_hash roots[2];
    uint32_t count = 0, done = 0;
    struct sy_hash *ids = sy_manifest_exceptions(manifest, &count);
    struct sy_error err = {SY_OK, ""};
    if (ids == NULL || !sy_manifest_roots(manifest, &roots[0], &roots[1])) {
        free(ids);
        (void)sy_fail(&err, SY_ERR_NO_MEMORY, "out of memory");
        return sy_cmd_fail(run->cmd, &err);
    }
    fprintf(stderr,
            "%s: whole as of block %llu: %llu records, %llu of them here with %u contents, %llu "
            "erased, %llu kept elsewhere\n",
            run->out, (unsigned long long)manifest->as_of, (unsigned long long)manifest->records,
            (unsigned long long)sy_manifest_count(manifest, SY_MANIFEST_INCLUDED),
            (unsigned)manifest->content_count,
            (unsigned long long)sy_manifest_count(manifest, SY_MANIFEST_ERASED),
            (unsigned long long)sy_manifest_count(manifest, SY_MANIFEST_ELSEWHERE));
    do {
        uint32_t part =
            count - done < SY_EXPORT_EXCEPTIONS_MAX ? count - done : SY_EXPORT_EXCEPTIONS_MAX;
        put_part(run, ids + done, part, done + part < count, roots);
        done += part;
    } while (done < count);
    free(ids);
    return SY_EXIT_DONE;
}

// --- the command -------------------------------------------------------------------------------

static sy_status run_export(struct export_run *run, struct sy_error *err)
{
    char contents[SY_MANIFEST_PATH_BYTES];
    SY_TRY(sy_cmd_hash(&run->manifest.patient, "patient", run->cmd->words[0], err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    if (run->from.count > 0) {
        SY_TRY(sy_client_store_open(&run->store, run->net->client, &run->net->genesis.hash,
                                    SY_CLIENT_STORE_READ, err));
    }
    SY_TRY(make_folder(run->proofs, run->out, "proofs", err));
    SY_TRY(make_folder(contents, run->out, "contents", err));
    SY_TRY(make_folder(contents, run->out, "histories", err));
    SY_TRY(take_request(run, err));
    run->asked.asker = run->asker;
    run->asked.key = run->key;
    run->asked.purpose = SY_PURPOSE_OPERATIONS;
    run->asked.max_age_ms = (int64_t)run->max_age_s * 1000;
    run->asked.folder = run->proofs;
    run->walk = (struct sy_places){
        .get = sy_places_ask, .self = &run->asked, .visit = visit, .visitor = run};
    SY_TRY(sy_places_walk(&run->walk, &run->manifest.patient, err));
    run->manifest.as_of = run->walk.as_of;
    run->manifest.places = run->walk.places;
    run->manifest.records = run->walk.records;
    return collect(run, err);
}

static void close_export(struct export_run *run)
{
    sy_export_contents_free(&run->contents);
    sy_manifest_free(&run->manifest);
    sy_proven_free(&run->asked.answer);
    sy_client_store_close(run->store);
    sy_secret_key_close(run->key);
    sy_asker_close(run->asker);
    sy_cmd_net_close(run->net);
}

int sy_cmd_export(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "verify") == 0) {
        return sy_cmd_export_verify(argc - 1, argv + 1);
    }
    static struct export_run run; /* too large for a small stack; one command a process */
    run.source = "fhir";
    run.max_age_s = 60;
    const struct sy_option options[] = {
        {"request", SY_OPTION_TEXT, &run.request_hex, "ID", "the export that was requested", 0, 0},
        {"out", SY_OPTION_TEXT, &run.out, "FOLDER", "where it goes", 0, 0},
        {"from", SY_OPTION_LIST, &run.from, "FILE", "FHIR file that was submitted; again and again",
         0, 0},
        {"content", SY_OPTION_LIST, &run.content, "RECORD:SALT:FILE",
         "a content by itself; again and again", 0, 0},
        {"source", SY_OPTION_TEXT, &run.source, "NAME",
         "name of the source system, as given to `systole submit` (fhir)", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        {"max-age", SY_OPTION_NUMBER, &run.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "export",
                         .arguments = "PATIENT",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.out) return sy_cmd_usage(&cmd, "--out is missing: say where the export goes");
    if (!run.request_hex) return sy_cmd_usage(&cmd, "--request is missing: say what was asked for");
    run.cmd = &cmd;
    exit_code = run_export(&run, &err) == SY_OK ? tell(&run) : sy_cmd_fail(&cmd, &err);
    close_export(&run);
    run.cmd = NULL;
    return exit_code;
}
