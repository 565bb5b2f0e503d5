/* cmd_trial_draft.c: `systole trial draft`: studies of ClinicalTrials.gov as the fields of
 * trial.register (ctgov.h). */
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/client/cmd.h"
#include "core/client/cmd_trial.h"
#include "core/client/ctgov.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

#define DOCUMENT_BYTES_MAX (64u << 20)

static const char about[] =
    "Writes the fields of trial.register, as `systole tx make` reads them, out of a\n"
    "study of ClinicalTrials.gov (either interface's JSON). --secret FILE holds 32\n"
    "random bytes, made if it is not there: all salts come from it. Keep it. The same\n"
    "study, documents and secret give the same commitments and the same trial's id.\n"
    "--result writes the fields of result.post: what is posted of an outcome that the\n"
    "protocol section names is about the same endpoint; of another it is flagged.\n"
    "\n"
    "--check tells of every study in FILES whether it can be registered, and if not,\n"
    "path and reason; exit code 1 if one cannot.\n";

struct draft_run {
    const char *nct, *secret_path, *sap, *form, *out;
    struct sy_option_list sites;
    uint64_t completion_ms; /* 0: the study's */
    const char *second, *meaning, *second_meaning;
    bool check, result;
    struct sy_cmd *cmd;
    struct sy_hash secret;
    sy_json json;
    unsigned taken, refused, wanted;
    sy_status status; /* of the draft */
    struct sy_error err;
};

// --- check -------------------------------------------------------------------------------------

static void check_study(void *self, const struct sy_ctgov_study *study, const struct sy_error *why)
{
    struct draft_run *run = (struct draft_run *)self;
    run->taken += why == NULL;
    run->refused += why != NULL;
    if (run->cmd->json) {
        sy_json_object_begin(&run->json);
        sy_json_put_text(&run->json, "study", study->nct);
        sy_json_put_u64(&run->json, "interface", study->version);
        if (why != NULL) sy_json_put_text(&run->json, "refused", why->text);
        sy_json_object_end(&run->json);
    } else if (why != NULL) {
        char text[sizeof why->text];
        (void)snprintf(text, sizeof text, "%s", why->text);
        printf("refused: %s\n", sy_cmd_printable(text));
    } else {
        printf("%s: interface %u, arms %u, primary endpoints %u, subjects %u; results: %s\n",
               study->nct, study->version, study->arms, study->endpoint_count,
               (unsigned)study->target,
               study->result_fault ? study->result_fault : "can be posted");
    }
}

static sy_status read_studies(struct draft_run *run, const char *path, sy_ctgov_take *take,
                              struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    SY_TRY(sy_cmd_read_input(&text, &size, path, SY_CTGOV_INPUT_BYTES_MAX, err));
    sy_status status = sy_ctgov_read(sy_slice_of(text, size), path, take, run, err);
    free(text);
    return status;
}

static int check(struct draft_run *run)
{
    unsigned files = 0;
    if (run->cmd->json) {
        sy_cmd_json_begin(&run->json);
        sy_json_key(&run->json, "studies");
        sy_json_array_begin(&run->json);
    }
    for (int i = 0; i < run->cmd->word_count; i++) {
        struct sy_error err = {SY_OK, ""};
        struct sy_ctgov_study none = {.version = 0};
        if (read_studies(run, run->cmd->words[i], check_study, &err) == SY_OK) continue;
        check_study(run, &none, &err);
        run->refused--;
        files++;
    }
    int code = run->refused + files > 0 ? SY_EXIT_REFUSED : SY_EXIT_DONE;
    if (!run->cmd->json) {
        printf("%u studies can be registered, %u cannot; %u files hold none\n", run->taken,
               run->refused, files);
        return code;
    }
    sy_json_array_end(&run->json);
    sy_json_put_u64(&run->json, "taken", run->taken);
    sy_json_put_u64(&run->json, "refused", run->refused);
    sy_json_put_u64(&run->json, "files_without", files);
    return sy_cmd_json_end(&run->json, code);
}

// --- draft -------------------------------------------------------------------------------------

static sy_status take_secret(struct draft_run *run, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    sy_os_random(run->secret.bytes, sizeof run->secret.bytes);
    sy_status status = sy_os_write_new_file(run->secret_path, run->secret.bytes,
                                            sizeof run->secret.bytes, 0600, err);
    if (status != SY_ERR_EXISTS) return status;
    SY_TRY(sy_os_read_file(&bytes, &size, run->secret_path, 1 << 10, err));
    if (size == sizeof run->secret.bytes) memcpy(run->secret.bytes, bytes, size);
    free(bytes);
    if (size == sizeof run->secret.bytes) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "%s: it is not 32 bytes long", run->secret_path);
}

static sy_status commit(struct sy_hash *out, const struct draft_run *run, const char *nct,
                        const char *what, struct sy_slice text, struct sy_error *err)
{
    struct sy_hash salt;
    SY_TRY(sy_ctgov_salt(&salt, &run->secret, nct, what, text, err));
    sy_content_commit(out, 0, &salt, text);
    return SY_OK;
}

static sy_status put_commit(struct draft_run *run, const char *field, const char *nct,
                            const char *what, const char *text, struct sy_error *err)
{
    struct sy_hash hash;
    SY_TRY(commit(&hash, run, nct, what, sy_slice_of(text, strlen(text)), err));
    if (field != NULL) sy_json_key(&run->json, field);
    sy_json_hex(&run->json, hash.bytes, sizeof hash.bytes);
    return SY_OK;
}

static sy_status put_file(struct draft_run *run, const char *field, const char *nct,
                          const char *what, const char *path, struct sy_error *err)
{
    struct sy_hash hash;
    uint8_t *text = NULL;
    size_t size = 0;
    SY_TRY(sy_os_read_file(&text, &size, path, DOCUMENT_BYTES_MAX, err));
    sy_status status = commit(&hash, run, nct, what, sy_slice_of(text, size), err);
    free(text);
    if (status == SY_OK) sy_json_put_hex(&run->json, field, hash.bytes, sizeof hash.bytes);
    return status;
}

static sy_status put_fields(struct draft_run *run, const struct sy_ctgov_study *study,
                            struct sy_error *err)
{
    sy_json *json = &run->json;
    struct sy_hash id;
    SY_TRY(sy_ctgov_salt(&id, &run->secret, study->nct, "trial", sy_slice_of(NULL, 0), err));
    sy_json_put_hex(json, "trial_id", id.bytes, sizeof id.bytes);
    SY_TRY(put_commit(run, "protocol_commit", study->nct, "protocol", study->protocol, err));
    SY_TRY(put_file(run, "sap_commit", study->nct, "plan", run->sap, err));
    SY_TRY(put_file(run, "form_commit", study->nct, "form", run->form, err));
    sy_json_key(json, "endpoints");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < study->endpoint_count; i++) {
        SY_TRY(put_commit(run, NULL, study->nct, "endpoint", study->endpoints[i], err));
    }
    sy_json_array_end(json);
    sy_json_put_u64(json, "target", study->target);
    sy_json_put_i64(json, "completion",
                    run->completion_ms ? (int64_t)run->completion_ms : study->completion_ms);
    sy_json_key(json, "sites");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < run->sites.count; i++) sy_json_text(json, run->sites.items[i]);
    sy_json_array_end(json);
    uint8_t shares[SY_TRIAL_ARMS_MAX];
    memset(shares, 1, sizeof shares);
    sy_json_put_hex(json, "shares", shares, study->arms);
    return SY_OK;
}

static sy_status put_tables(struct draft_run *run, const struct sy_ctgov_study *study,
                            struct sy_error *err)
{
    struct sy_hash hash, root;
    struct sy_hash *leaves = (struct sy_hash *)calloc(study->table_count, sizeof *leaves);
    sy_status status = SY_OK;
    if (leaves == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", study->nct);
    for (uint32_t i = 0; i < study->table_count && status == SY_OK; i++) {
        const char *table = study->tables[i];
        status = commit(&hash, run, study->nct, "table", sy_slice_of(table, strlen(table)), err);
        if (status == SY_OK) sy_hash_leaf(&leaves[i], sy_slice_of(hash.bytes, sizeof hash.bytes));
    }
    if (status == SY_OK) {
        sy_merkle_root(&root, leaves, leaves, study->table_count);
        sy_json_put_hex(&run->json, "tables_root", root.bytes, sizeof root.bytes);
    }
    free(leaves);
    return status;
}

static sy_status put_result(struct draft_run *run, const struct sy_ctgov_study *study,
                            struct sy_error *err)
{
    sy_json *json = &run->json;
    struct sy_hash id;
    if (study->result_fault != NULL) {
        return sy_fail(err, SY_ERR_FORMAT, "%s, results: %s", study->nct, study->result_fault);
    }
    SY_TRY(sy_ctgov_salt(&id, &run->secret, study->nct, "trial", sy_slice_of(NULL, 0), err));
    sy_json_put_hex(json, "trial_id", id.bytes, sizeof id.bytes);
    SY_TRY(put_commit(run, "effect_commit", study->nct, "effect", study->effect, err));
    SY_TRY(put_tables(run, study, err));
    sy_json_key(json, "endpoints");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < study->result_endpoint_count; i++) {
        SY_TRY(put_commit(run, NULL, study->nct, "endpoint", study->result_endpoints[i], err));
    }
    sy_json_array_end(json);
    sy_json_put_text(json, "meaning", run->meaning);
    sy_json_put_text(json, "second", run->second);
    sy_json_put_text(json, "second_meaning", run->second_meaning);
    return SY_OK;
}

static void draft_study(void *self, const struct sy_ctgov_study *study, const struct sy_error *why)
{
    struct draft_run *run = (struct draft_run *)self;
    if (run->nct != NULL && strcmp(run->nct, study->nct) != 0) return;
    if (run->wanted++ > 0) return;
    if (why != NULL) {
        run->err = *why;
        run->status = why->status;
        return;
    }
    sy_json_object_begin(&run->json);
    run->status =
        run->result ? put_result(run, study, &run->err) : put_fields(run, study, &run->err);
    if (run->status == SY_OK) sy_json_object_end(&run->json);
}

static sy_status draft(struct draft_run *run, struct sy_error *err)
{
    struct sy_hash site;
    for (unsigned i = 0; i < run->sites.count; i++) {
        SY_TRY(sy_cmd_hash(&site, "--site", run->sites.items[i], err));
    }
    SY_TRY(take_secret(run, err));
    sy_json_init_growing(&run->json, 1u << 20);
    sy_json_set_pretty(&run->json);
    SY_TRY(read_studies(run, run->cmd->words[0], draft_study, err));
    if (run->wanted == 0) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "%s: there is no study %s", run->cmd->words[0],
                       run->nct);
    }
    if (run->wanted > 1) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s: there are %u studies: name one by --study",
                       run->cmd->words[0], run->wanted);
    }
    if (run->status != SY_OK) *err = run->err;
    SY_TRY(run->status);
    return sy_cmd_put_json(&run->json, run->out, err);
}

int sy_cmd_trial_draft(int argc, char **argv)
{
    static struct draft_run run; /* its list is long */
    const struct sy_option options[] = {
        {"check", SY_OPTION_SWITCH, &run.check, NULL, "tell which studies can be registered", 0, 0},
        {"result", SY_OPTION_SWITCH, &run.result, NULL,
         "the fields of result.post instead; with --second and both meanings", 0, 0},
        {"second", SY_OPTION_TEXT, &run.second, "HEX", "the second person's public key", 0, 0},
        {"meaning", SY_OPTION_TEXT, &run.meaning, "WORD", "as what the first signs", 0, 0},
        {"second-meaning", SY_OPTION_TEXT, &run.second_meaning, "WORD", "as what the second signs",
         0, 0},
        {"study", SY_OPTION_TEXT, &run.nct, "NCT", "which of the studies in FILE", 0, 0},
        {"secret", SY_OPTION_TEXT, &run.secret_path, "FILE", "what the salts come from", 0, 0},
        {"plan", SY_OPTION_TEXT, &run.sap, "FILE", "the statistical analysis plan", 0, 0},
        {"form", SY_OPTION_TEXT, &run.form, "FILE", "the consent form", 0, 0},
        {"site", SY_OPTION_LIST, &run.sites, "HEX", "id of an organisation that may be a site", 0,
         0},
        {"completion", SY_OPTION_NUMBER, &run.completion_ms, "MS",
         "when it is to be completed, ms since 1970 (as the study says)", 1, SY_TIME_MS_MAX},
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "where the fields go (standard output)", 0, 0},
    };
    struct sy_cmd cmd = {.name = "trial draft",
                         .arguments = "FILE...",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 100000};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    bool whole = run.secret_path && run.sap && run.form && run.sites.count > 0;
    if (run.result) whole = run.secret_path && run.second && run.meaning && run.second_meaning;
    if (!run.check && (!whole || cmd.word_count > 1)) {
        return sy_cmd_usage(&cmd, "a draft wants one FILE, --secret, --plan, --form and --site; a "
                                  "result --secret, --second, --meaning, --second-meaning");
    }
    run.cmd = &cmd;
    if (run.check) {
        exit_code = check(&run);
    } else if (draft(&run, &err) == SY_OK) {
        exit_code = SY_EXIT_DONE;
    } else {
        sy_json_free(&run.json);
        exit_code = sy_cmd_fail(&cmd, &err);
    }
    run.cmd = NULL;
    return exit_code;
}
