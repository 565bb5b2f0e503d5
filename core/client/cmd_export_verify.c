/* cmd_export_verify.c: `systole export verify`: is a folder the whole record of a patient? Needs
 * the genesis of the network that it comes from, and nothing of that network.
 *
 *     proofs: places 1 to n and the patient's entry --> every record there is
 *                                                          |  one item each, in this order
 *     manifest.syexport -----------------------------------+
 *       included   --> the envelopes are here, byte for byte; with the key: opened and compared;
 *                      its history likewise: each version, cosignature and link that it counts
 *       left out   --> a proof of the record: erased, or who keeps it
 *     proofs/export.syproof --> what the ledger was told of it */
#include <stdlib.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/cmd_export.h"
#include "core/client/history.h"
#include "core/client/manifest.h"
#include "core/client/opened.h"
#include "core/client/places.h"
#include "core/client/show.h"
#include "core/crypto/hash.h"

static const char about[] =
    "Says whether FOLDER, made by `systole export`, is the whole record of a patient:\n"
    "every record that the ledger lists is here, or was erased, or is kept by somebody\n"
    "else, who is named; all proven, with the genesis file of that network alone. With\n"
    "--x25519-key each envelope is opened, too, and its content compared with what the\n"
    "ledger committed to. Exit code 0 only if it is whole.\n";

#define FILE_BYTES_MAX (SY_ENVELOPE_BODY_MAX + (1u << 20))
#define FAULTS_SHOWN 20u

struct verify_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *genesis_path, *x25519_path, *passphrase;
    const char *folder;
    char proofs[SY_MANIFEST_PATH_BYTES];
    const struct sy_genesis *genesis;
    const sy_x25519_key *x25519; /* NULL: nothing is opened */
    struct sy_manifest manifest;
    struct sy_places walk;
    struct sy_places_kept kept;
    uint32_t next;                                  /* item that the next record has to be */
    uint64_t faults;                                /* what is wrong or missing */
    uint64_t opened;                                /* envelopes */
    uint64_t versions, signatures, links, branched; /* in histories that were opened */
    struct sy_hash linked[SY_LINKS_MAX];            /* whom the patient's id is linked to */
    unsigned linked_count;
    uint64_t unproven; /* kept elsewhere, as execution judged: the folder says not by whom */
    bool said;         /* the ledger was told of exactly this export */
    uint64_t late_ms;  /* how much later than asked for; 0: in time */
    bool quiet;        /* only the first fault is kept */
    struct sy_error first;
    sy_json json; /* --json: the faults */
};

static void fault(struct verify_run *run, const struct sy_hash *record, const char *what)
{
    char hex[65];
    sy_hex_encode(hex, record->bytes, sizeof record->bytes);
    run->faults++;
    if (run->faults == 1) (void)sy_fail(&run->first, SY_ERR_FORMAT, "record %s: %s", hex, what);
    if (run->quiet || run->faults > FAULTS_SHOWN) return;
    if (run->cmd->json) {
        sy_json_object_begin(&run->json);
        sy_json_put_text(&run->json, "record", hex);
        sy_json_put_text(&run->json, "fault", what);
        sy_json_object_end(&run->json);
    } else {
        printf("record %s: %s\n", hex, what);
    }
}

// --- the list ----------------------------------------------------------------------------------

static sy_status visit(void *self, const struct sy_patient_place *place,
                       const struct sy_hash *patient, uint64_t number, struct sy_error *err)
{
    struct verify_run *run = self;
    (void)patient;
    (void)number;
    (void)err;
    if (place->what != SY_PLACE_RECORD) return SY_OK;
    const struct sy_manifest *manifest = &run->manifest;
    bool here = run->next < manifest->item_count &&
                sy_hash_equal(&manifest->items[run->next].record, &place->id);
    if (here) {
        run->next++;
    } else {
        fault(run, &place->id, "is the patient's, and is missing from the export");
    }
    return SY_OK;
}

static sy_status check_list(struct verify_run *run, struct sy_error *err)
{
    const struct sy_manifest *manifest = &run->manifest;
    run->kept.genesis = run->genesis; // what it took before is its own until the next is taken
    run->kept.folder = run->proofs;
    run->walk = (struct sy_places){
        .get = sy_places_load, .self = &run->kept, .visit = visit, .visitor = run};
    SY_TRY(sy_places_walk(&run->walk, &manifest->patient, err));
    for (uint32_t i = run->next; i < manifest->item_count && run->faults == 0; i++) {
        fault(run, &manifest->items[i].record, "is not on the patient's list");
    }
    if (run->walk.as_of != manifest->as_of || run->walk.places != manifest->places ||
        run->walk.records != manifest->records) {
        return sy_fail(err, SY_ERR_FORMAT,
                       "the manifest states another height or count than what is proven");
    }
    return SY_OK;
}

// --- the records -------------------------------------------------------------------------------

static bool has_version(const struct sy_manifest *manifest, const struct sy_manifest_item *item,
                        uint32_t version)
{
    for (unsigned i = 0; i < item->content_count; i++) {
        if (manifest->contents[item->first_content + i].version == version) return true;
    }
    return false;
}

static void check_opened(struct verify_run *run, const struct sy_manifest_item *item,
                         const struct sy_manifest_content *content, const char *path)
{
    static struct sy_opened opened; // too large for a small stack
    struct sy_error err = {SY_OK, ""};
    sy_status status = sy_opened_load(&opened, path, run->x25519, run->genesis, &err);
    if (status != SY_OK) {
        fault(run, &item->record, err.text);
    } else if (!sy_hash_equal(&opened.body.record, &item->record) ||
               opened.body.version != content->version ||
               !sy_hash_equal(&opened.wrapped_hash, &content->wrapped)) {
        fault(run, &item->record, "an envelope has something else than the manifest says");
    } else {
        run->opened++;
    }
    sy_opened_free(&opened);
}

/* All versions, who signed them, what names them; and the content of each head is here. */
static void check_history(struct verify_run *run, uint32_t index)
{
    const struct sy_manifest *manifest = &run->manifest;
    const struct sy_manifest_item *item = &manifest->items[index];
    struct sy_history history = {.clear = NULL};
    struct sy_error err = {SY_OK, ""};
    sy_status status = run->x25519 == NULL
                           ? sy_history_check_file(manifest, index, run->folder, &err)
                           : sy_history_load(&history, manifest, index, run->folder, run->x25519,
                                             run->genesis, &err);
    if (status != SY_OK) {
        fault(run, &item->record, err.text);
    } else if (run->x25519 != NULL) {
        const struct sy_record *record = &history.record;
        run->versions += record->versions;
        run->signatures += sy_history_count(&history);
        run->links += record->links;
        run->branched += record->head_count > 1;
        for (unsigned i = 0; i < record->head_count; i++) {
            if (has_version(manifest, item, record->heads[i])) continue;
            fault(run, &item->record, "a current version of it is missing");
        }
        if (record->erased || !sy_hash_equal(&record->holder, &manifest->organisation)) {
            fault(run, &item->record, "is not what its history says: erased, or kept elsewhere");
        }
    }
    sy_history_free(&history);
}

static void check_content(struct verify_run *run, const struct sy_manifest_item *item,
                          const struct sy_manifest_content *content)
{
    char path[SY_MANIFEST_PATH_BYTES];
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_hash hash;
    struct sy_error err = {SY_OK, ""};
    sy_status status = sy_manifest_path(path, run->folder, &item->record, content->version, &err);
    if (status == SY_OK) status = sy_os_read_file(&bytes, &size, path, FILE_BYTES_MAX, &err);
    if (status != SY_OK) {
        fault(run, &item->record,
              status == SY_ERR_NOT_FOUND ? "its envelope is missing" : err.text);
        return;
    }
    sy_sha256(&hash, bytes, size);
    free(bytes);
    if (!sy_hash_equal(&hash, &content->file)) {
        fault(run, &item->record, "its envelope was changed");
    } else if (run->x25519 != NULL) {
        check_opened(run, item, content, path);
    }
}

/* Has the folder no proof of a record that is left out? */
static bool is_unproven(const struct verify_run *run, const struct sy_manifest_item *item)
{
    char path[SY_PLACES_PATH_BYTES];
    return item->state == SY_MANIFEST_ELSEWHERE &&
           sy_places_path(path, run->proofs, &item->record, 0) && access(path, F_OK) != 0;
}

static void check_left_out(struct verify_run *run, const struct sy_manifest_item *item)
{
    struct sy_slice value;
    struct sy_record record;
    uint64_t height;
    struct sy_error err = {SY_OK, ""};
    if (is_unproven(run, item)) {
        run->unproven++;
        if (!run->said) fault(run, &item->record, "was left out, and nothing proves why");
        return;
    }
    sy_status status =
        sy_places_load(&run->kept, &value, &height, SY_STATE_RECORD, &item->record, 0, &err);
    if (status != SY_OK) {
        fault(run, &item->record, err.text);
        return;
    }
    if (!sy_record_decode(&record, value)) {
        fault(run, &item->record, "its proof is of an unknown form: upgrade");
        return;
    }
    bool elsewhere = !sy_hash_equal(&record.holder, &run->manifest.organisation);
    if (item->state == SY_MANIFEST_ERASED ? !record.erased : !elsewhere) {
        fault(run, &item->record, "was left out, and was neither erased nor is kept elsewhere");
        return;
    }
    if (run->quiet || run->cmd->json) return;
    char hex[65], who[65];
    sy_hex_encode(hex, item->record.bytes, 32);
    sy_hex_encode(who, record.holder.bytes, 32);
    if (record.erased) printf("record %s: was erased\n", hex);
    if (!record.erased) printf("record %s: is kept by %s\n", hex, who);
}

/* Whose record somebody else's may be, too: their ids, which the patient's entry names. */
static sy_status find_linked(struct verify_run *run, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_patient patient;
    uint64_t height;
    size_t offset = 0;
    SY_TRY(sy_places_load(&run->kept, &value, &height, SY_STATE_PATIENT, &run->manifest.patient, 0,
                          err));
    if (!sy_patient_decode(&patient, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the patient proven is of an unknown form: upgrade");
    }
    while (run->linked_count < SY_LINKS_MAX &&
           sy_list_next_id(&patient.links, &offset, &run->linked[run->linked_count])) {
        run->linked_count++;
    }
    return SY_OK;
}

// --- what the ledger was told ------------------------------------------------------------------

/* Execution judged each exception: are they those that the manifest leaves out? */
static bool excepts_same(const struct sy_manifest *manifest, const struct sy_export *export)
{
    struct sy_export same = {.excepted = 0};
    uint32_t count;
    struct sy_hash *ids = sy_manifest_exceptions(manifest, &count);
    if (ids == NULL) return false;
    for (uint32_t i = 0; i < count; i++) sy_export_except(&same, &ids[i]);
    free(ids);
    return same.excepted == export->excepted &&
           sy_hash_equal(&same.exceptions, &export->exceptions);
}

static sy_status check_said(struct verify_run *run, struct sy_error *err)
{
    const struct sy_manifest *manifest = &run->manifest;
    char path[SY_MANIFEST_PATH_BYTES + 32];
    struct sy_hash place, roots[2];
    struct sy_export export;
    (void)snprintf(path, sizeof path, "%s/export.syproof", run->proofs);
    SY_TRY(sy_proven_load(&run->kept.answer, path, run->genesis, err));
    const struct sy_proof *proof = &run->kept.answer.proof;
    sy_state_key_id(&place, SY_STATE_EXPORT, &manifest->export_id);
    if (proof->kind != SY_PROOF_STATE || !proof->state.present ||
        !sy_hash_equal(&proof->state.key_hash, &place) ||
        !sy_export_decode(&export, proof->state.value)) {
        return sy_fail(err, SY_ERR_CRYPTO, "%s is about something else", path);
    }
    if (!sy_hash_equal(&export.patient, &manifest->patient) ||
        !sy_hash_equal(&export.organisation, &manifest->organisation) ||
        !sy_public_key_equal(&export.recipient_key, &manifest->recipient_key)) {
        return sy_fail(err, SY_ERR_FORMAT, "the manifest is for something else than was asked for");
    }
    if (!export.fulfilled) return SY_OK;
    if (!sy_manifest_roots(manifest, &roots[0], &roots[1])) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    }
    run->said = sy_hash_equal(&roots[0], &export.manifest_root) &&
                sy_hash_equal(&roots[1], &export.wrapped_key_hash) &&
                export.as_of == manifest->as_of && export.records == manifest->records;
    run->said = run->said && excepts_same(manifest, &export);
    if (!run->said) {
        return sy_fail(err, SY_ERR_CRYPTO, "the ledger was told of another export than this one");
    }
    if (export.fulfilled_ms > export.due_ms) {
        run->late_ms = (uint64_t)(export.fulfilled_ms - export.due_ms);
    }
    return SY_OK;
}

// --- the command -------------------------------------------------------------------------------

static sy_status check_all(struct verify_run *run, struct sy_error *err)
{
    struct sy_manifest *manifest = &run->manifest;
    int size = snprintf(run->proofs, sizeof run->proofs, "%s/proofs", run->folder);
    if (size < 0 || (size_t)size >= sizeof run->proofs) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", run->folder);
    }
    SY_TRY(sy_manifest_read(manifest, run->folder, err));
    if (!sy_hash_equal(&manifest->genesis, &run->genesis->hash)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s is of another network than the genesis file",
                       run->folder);
    }
    SY_TRY(check_said(run, err));
    SY_TRY(check_list(run, err));
    SY_TRY(find_linked(run, err));
    for (uint32_t i = 0; i < manifest->item_count; i++) {
        const struct sy_manifest_item *item = &manifest->items[i];
        if (item->state != SY_MANIFEST_INCLUDED) check_left_out(run, item);
        if (item->state == SY_MANIFEST_INCLUDED) check_history(run, i);
        for (unsigned k = 0; k < item->content_count; k++) {
            check_content(run, item, &manifest->contents[item->first_content + k]);
        }
    }
    return SY_OK;
}

sy_status sy_export_check(struct sy_manifest *manifest, struct sy_hash linked[SY_LINKS_MAX],
                          unsigned *linked_count, const char *folder,
                          const struct sy_genesis *genesis, const sy_x25519_key *key,
                          struct sy_error *err)
{
    static struct verify_run run; /* too large for a small stack */
    run = (struct verify_run){.folder = folder, .genesis = genesis, .x25519 = key, .quiet = true};
    sy_status status = check_all(&run, err);
    if (status == SY_OK && run.faults > 0) {
        status = sy_fail(err, SY_ERR_FORMAT, "%s is not whole: %s", folder, run.first.text);
    }
    sy_proven_free(&run.kept.answer);
    *manifest = run.manifest;
    memcpy(linked, run.linked, sizeof run.linked);
    *linked_count = run.linked_count;
    return status;
}

static void put_histories(struct verify_run *run)
{
    sy_json_put_u64(&run->json, "versions", run->versions);
    sy_json_put_u64(&run->json, "cosignatures", run->signatures);
    sy_json_put_u64(&run->json, "links", run->links);
    sy_json_put_u64(&run->json, "branched", run->branched);
    sy_json_key(&run->json, "linked_patients");
    sy_json_array_begin(&run->json);
    for (unsigned i = 0; i < run->linked_count; i++) {
        sy_json_hex(&run->json, run->linked[i].bytes, sizeof run->linked[i].bytes);
    }
    sy_json_array_end(&run->json);
}

static void print_histories(const struct verify_run *run)
{
    if (run->x25519 != NULL) {
        printf("in histories: %llu versions, %llu cosignatures, %llu links; %llu records with "
               "several heads\n",
               (unsigned long long)run->versions, (unsigned long long)run->signatures,
               (unsigned long long)run->links, (unsigned long long)run->branched);
    }
    for (unsigned i = 0; i < run->linked_count; i++) {
        char hex[65];
        sy_hex_encode(hex, run->linked[i].bytes, sizeof run->linked[i].bytes);
        printf("linked to patient %s, whose record is not part of this\n", hex);
    }
}

static int finish(struct verify_run *run, sy_status status, const struct sy_error *err)
{
    const struct sy_manifest *manifest = &run->manifest;
    bool whole = status == SY_OK && run->faults == 0;
    int code = whole ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    if (run->cmd->json) {
        sy_json_array_end(&run->json);
        sy_json_put_bool(&run->json, "whole", whole);
        if (status != SY_OK) sy_json_put_text(&run->json, "error", err->text);
        sy_json_put_u64(&run->json, "faults_found", run->faults);
        sy_json_put_u64(&run->json, "height", manifest->as_of);
        sy_json_put_u64(&run->json, "records", manifest->records);
        sy_json_put_u64(&run->json, "included", sy_manifest_count(manifest, SY_MANIFEST_INCLUDED));
        sy_json_put_u64(&run->json, "erased", sy_manifest_count(manifest, SY_MANIFEST_ERASED));
        sy_json_put_u64(&run->json, "elsewhere",
                        sy_manifest_count(manifest, SY_MANIFEST_ELSEWHERE));
        sy_json_put_u64(&run->json, "unproven", run->unproven);
        sy_json_put_u64(&run->json, "opened", run->opened);
        put_histories(run);
        sy_json_put_bool(&run->json, "on_ledger", run->said);
        sy_json_put_u64(&run->json, "late_ms", run->late_ms);
        if (status != SY_OK) code = (int)sy_exit_of(status);
        return sy_cmd_json_end(&run->json, code);
    }
    if (status != SY_OK) return sy_cmd_fail(run->cmd, err);
    if (!whole) {
        printf("not whole: %llu faults\n", (unsigned long long)run->faults);
        return code;
    }
    printf("whole as of block %llu: %llu records, %llu here (%llu envelopes opened), %llu erased, "
           "%llu kept elsewhere, %llu of them by whom the folder does not say\n%s\n",
           (unsigned long long)manifest->as_of, (unsigned long long)manifest->records,
           (unsigned long long)sy_manifest_count(manifest, SY_MANIFEST_INCLUDED),
           (unsigned long long)run->opened,
           (unsigned long long)sy_manifest_count(manifest, SY_MANIFEST_ERASED),
           (unsigned long long)sy_manifest_count(manifest, SY_MANIFEST_ELSEWHERE),
           (unsigned long long)run->unproven,
           !run->said          ? "the ledger was not told yet, as far as this folder shows"
           : run->late_ms != 0 ? "the ledger was told of it, later than asked for"
                               : "the ledger was told of it, in time");
    print_histories(run);
    return code;
}

int sy_cmd_export_verify(int argc, char **argv)
{
    static struct verify_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "genesis file of the network it comes from (genesis.json, or --net's or --config's)", 0,
         0},
        {"x25519-key", SY_OPTION_TEXT, &run.x25519_path, "FILE",
         "secret half of the key it is sealed to: opens and compares the contents", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &run.passphrase, "FILE", "that key's passphrase", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "export verify",
                         .arguments = "FOLDER",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    if (cmd.json) {
        sy_cmd_json_begin(&run.json);
        sy_json_key(&run.json, "faults");
        sy_json_array_begin(&run.json);
    }
    struct sy_genesis *genesis = NULL;
    sy_x25519_key *x25519 = NULL;
    run.folder = cmd.words[0];
    sy_status status = sy_cmd_genesis(&genesis, run.genesis_path, &run.where, &err);
    if (status == SY_OK && run.x25519_path != NULL) {
        status = sy_x25519_key_load(&x25519, run.x25519_path, run.passphrase, &err);
    }
    run.genesis = genesis;
    run.x25519 = x25519;
    if (status == SY_OK) status = check_all(&run, &err);
    exit_code = finish(&run, status, &err);
    sy_proven_free(&run.kept.answer);
    sy_manifest_free(&run.manifest);
    sy_x25519_key_close(x25519);
    free(genesis);
    run.cmd = NULL;
    return exit_code;
}
