/* importer.c: opening and closing, the list of inputs, and the loop that decides what is next. */
#include "core/client/importer.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/import_internal.h"

#define INPUTS_MAX 1000000u
#define FOLDERS_DEEP_MAX 64u
#define LIFETIME_MS_MIN (60ll * 60 * 1000)

void sy_importer_limit_credentials(sy_importer *importer, int64_t ms)
{
    SY_ASSERT(ms > 0);
    importer->credential_ms_max = ms;
}

/* --- opening --------------------------------------------------------------------------------- */

static sy_status check_config(struct sy_importer_config *config, struct sy_error *err)
{
    if (config->lifetime_ms == 0) config->lifetime_ms = SY_IMPORT_LIFETIME_MS_DEFAULT;
    if (config->window == 0) config->window = SY_IMPORT_WINDOW_DEFAULT;
    if (config->lifetime_ms < LIFETIME_MS_MIN || config->lifetime_ms > SY_TX_LIFETIME_MS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "a transaction's lifetime is 1 h to 24 h, not %lld ms",
                       (long long)config->lifetime_ms);
    }
    if (config->window < 16 || config->window > SY_IMPORT_WINDOW_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the window is 16 to %u transactions, not %u",
                       SY_IMPORT_WINDOW_MAX, config->window);
    }
    return SY_OK;
}

static bool copy_text(const char **text, const char *fallback)
{
    const char *wanted = *text == NULL ? fallback : *text;
    *text = wanted == NULL ? NULL : strdup(wanted);
    return wanted == NULL || *text != NULL;
}

static sy_status copy_config(sy_importer *importer, const struct sy_importer_config *config,
                             struct sy_error *err)
{
    struct sy_importer_config *own = &importer->config;
    *own = *config;
    importer->credential_ms_max = config->genesis->params.credential_ms_max;
    bool fine = copy_text(&own->store_path, NULL);
    fine = copy_text(&own->regulator_key_path, NULL) && fine;
    fine = copy_text(&own->regulator_passphrase_path, NULL) && fine;
    fine = copy_text(&own->source, "fhir") && fine;
    fine = copy_text(&own->home_name, "importing organisation") && fine;
    if (!fine) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the importer");
    return check_config(own, err);
}

static sy_status load_regulator(sy_importer *importer, struct sy_error *err)
{
    sy_secret_key *key;
    const struct sy_importer_config *config = &importer->config;
    if (config->dry_run || config->regulator_key_path == NULL) return SY_OK;
    SY_TRY(sy_secret_key_load(&key, config->regulator_key_path, config->regulator_passphrase_path,
                              err));
    struct sy_hash label;
    sy_secret_key_public(key, &importer->regulator_key);
    memcpy(label.bytes, importer->regulator_key.bytes, sizeof label.bytes);
    sy_import_key_name(importer, &importer->regulator_name, "regulator", &label);
    importer->regulator_known = true;
    return sy_keyring_adopt(importer->keyring, &importer->regulator_name, key, err);
}

static sy_status open_parts(sy_importer *importer, struct sy_error *err)
{
    const struct sy_importer_config *config = &importer->config;
    char keys[4200];
    uint64_t seed[2];
    snprintf(keys, sizeof keys, "%s/keys", config->store_path);
    SY_TRY(sy_client_store_open(&importer->store, config->store_path, &config->genesis->hash,
                                config->dry_run ? SY_CLIENT_STORE_SCRATCH : SY_CLIENT_STORE_WRITE,
                                err));
    SY_TRY(sy_keyring_open(&importer->keyring, keys, 0, config->dry_run, err));
    SY_TRY(sy_window_open(&importer->window, config->window, err));
    sy_os_random(seed, sizeof seed);
    sy_status status = sy_arena_open(&importer->failed_arena, SY_IMPORT_FAILED_THINGS_MAX * 128);
    if (status == SY_OK) {
        status = sy_table_init(&importer->failed_things, &importer->failed_arena,
                               SY_IMPORT_FAILED_THINGS_MAX, 1, seed);
    }
    importer->room = status == SY_OK ? malloc(SY_IMPORT_ROOM_BYTES) : NULL;
    if (importer->room == NULL) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the importer");
    }
    sy_client_label(importer->store, &importer->home_label, SY_LABEL_HOME, sy_slice_of(NULL, 0),
                    sy_slice_of(NULL, 0), sy_slice_of(NULL, 0));
    return load_regulator(importer, err);
}

/* A new run forgets how far inputs were read; a resumed one goes on with its number and totals. */
static sy_status begin_run(sy_importer *importer, struct sy_error *err)
{
    bool found;
    if (importer->config.dry_run) return SY_OK;
    SY_TRY(sy_import_load_run(importer, &found, err));
    if (!found) {
        importer->run++;
        SY_TRY(sy_client_forget_progress(importer->store, err));
    }
    importer->run_dirty = true;
    SY_TRY(sy_import_resume(importer, err));
    return sy_import_commit(importer, err);
}

sy_status sy_importer_open(sy_importer **importer, const struct sy_importer_config *config,
                           struct sy_error *err)
{
    *importer = NULL;
    SY_ASSERT(config->genesis != NULL && config->store_path != NULL);
    sy_importer *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the importer");
    sy_fhir_scan_open(&fresh->scan);
    sy_json_scanner_open(&fresh->sniffer);
    sy_fhir_set_open(&fresh->set);
    sy_status status = copy_config(fresh, config, err);
    if (status == SY_OK) status = open_parts(fresh, err);
    if (status == SY_OK) status = begin_run(fresh, err);
    if (status != SY_OK) {
        fresh->failed = true;
        sy_importer_close(fresh);
        return status;
    }
    *importer = fresh;
    return SY_OK;
}

void sy_importer_close(sy_importer *importer)
{
    if (importer == NULL) return;
    if (!importer->failed && importer->store != NULL) (void)sy_import_commit(importer, NULL);
    sy_fhir_input_close(&importer->file);
    sy_fhir_input_close(&importer->stdin_file);
    sy_fhir_scan_close(&importer->scan);
    sy_json_scanner_close(&importer->sniffer);
    sy_fhir_set_close(&importer->set);
    sy_window_close(&importer->window);
    sy_arena_close(&importer->failed_arena);
    sy_keyring_close(importer->keyring);
    sy_client_store_close(importer->store);
    sy_import_report_close(importer);
    sy_import_drop_old(importer, NULL);
    free(importer->old);
    for (size_t i = 0; i < importer->input_count; i++) free(importer->inputs[i].path);
    free(importer->inputs);
    free(importer->room);
    free((void *)(uintptr_t)importer->config.store_path);
    free((void *)(uintptr_t)importer->config.regulator_key_path);
    free((void *)(uintptr_t)importer->config.regulator_passphrase_path);
    free((void *)(uintptr_t)importer->config.source);
    free((void *)(uintptr_t)importer->config.home_name);
    free(importer);
}

/* --- inputs ---------------------------------------------------------------------------------- */

static sy_status add_input(sy_importer *importer, const char *path, uint64_t bytes,
                           struct sy_error *err)
{
    if (importer->input_count == INPUTS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "more than %u files; import them in parts", INPUTS_MAX);
    }
    if (importer->input_count == importer->input_capacity) {
        size_t capacity = importer->input_capacity == 0 ? 64 : importer->input_capacity * 2;
        struct sy_import_input *inputs = realloc(importer->inputs, capacity * sizeof *inputs);
        if (inputs == NULL)
            return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the list of files");
        importer->inputs = inputs;
        importer->input_capacity = capacity;
    }
    struct sy_import_input *input = &importer->inputs[importer->input_count];
    memset(input, 0, sizeof *input);
    input->path = strdup(path);
    if (input->path == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a file's name");
    importer->input_count++;
    input->bytes = bytes;
    char *real = realpath(path, NULL);
    const char *name = real == NULL ? path : real;
    struct sy_slice none = {NULL, 0};
    sy_client_label(importer->store, &input->label, SY_LABEL_INPUT, sy_slice_of(name, strlen(name)),
                    none, none);
    free(real);
    importer->totals.files_total++;
    importer->totals.bytes_total += bytes;
    input->cursor.next_line = 1;
    if (importer->config.dry_run) return SY_OK;
    return sy_client_get_cursor(importer->store, &input->cursor, &input->label, err);
}

struct folder {
    struct dirent **entries;
    int count, next;
    char *path;
};

static sy_status enter_folder(struct folder *folder, const char *path, struct sy_error *err)
{
    folder->count = scandir(path, &folder->entries, NULL, alphasort);
    folder->next = 0;
    folder->path = folder->count < 0 ? NULL : strdup(path);
    if (folder->count < 0) return sy_fail(err, SY_ERR_IO, "%s: %s", path, strerror(errno));
    return folder->path != NULL ? SY_OK : sy_fail(err, SY_ERR_NO_MEMORY, "no memory for %s", path);
}

static void leave_folder(struct folder *folder)
{
    for (int i = 0; i < folder->count; i++) free(folder->entries[i]);
    if (folder->count >= 0) free(folder->entries);
    free(folder->path);
    memset(folder, 0, sizeof *folder);
}

/* One entry of the innermost folder: added, entered, or passed over. Links are not followed into
 * folders: they could lead in circles. */
static sy_status take_folder_entry(sy_importer *importer, struct folder *folders, unsigned *depth,
                                   struct sy_error *err)
{
    struct folder *folder = &folders[*depth - 1];
    const char *name = folder->entries[folder->next++]->d_name;
    char path[4096];
    struct stat info;
    if (name[0] == '.') return SY_OK;
    int wrote = snprintf(path, sizeof path, "%s/%s", folder->path, name);
    if (wrote < 0 || (size_t)wrote >= sizeof path) {
        return sy_fail(err, SY_ERR_LIMIT, "%s: a path in it is too long", folder->path);
    }
    if (lstat(path, &info) != 0) return sy_fail(err, SY_ERR_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode)) {
        if (*depth == FOLDERS_DEEP_MAX) {
            return sy_fail(err, SY_ERR_LIMIT, "%s: folders nested too deep", path);
        }
        return enter_folder(&folders[(*depth)++], path, err);
    }
    if (!sy_fhir_input_is_fhir_name(name) || stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return SY_OK;
    }
    return add_input(importer, path, (uint64_t)info.st_size, err);
}

static sy_status add_folder(sy_importer *importer, const char *path, struct sy_error *err)
{
    struct folder folders[FOLDERS_DEEP_MAX];
    unsigned depth = 0;
    memset(folders, 0, sizeof folders);
    sy_status status = enter_folder(&folders[depth++], path, err);
    while (status == SY_OK && depth > 0) {
        struct folder *folder = &folders[depth - 1];
        if (folder->next < folder->count) {
            status = take_folder_entry(importer, folders, &depth, err);
        } else {
            leave_folder(folder);
            depth--;
        }
    }
    while (depth > 0) leave_folder(&folders[--depth]);
    return status;
}

sy_status sy_importer_add(sy_importer *importer, const char *path, struct sy_error *err)
{
    struct stat info;
    SY_ASSERT(importer->phase == SY_IMPORT_READING && !importer->opened);
    if (strcmp(path, "-") == 0) return add_input(importer, path, 0, err);
    if (stat(path, &info) != 0) {
        return sy_fail(err, errno == ENOENT ? SY_ERR_NOT_FOUND : SY_ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    size_t before = importer->input_count;
    if (!S_ISDIR(info.st_mode)) return add_input(importer, path, (uint64_t)info.st_size, err);
    SY_TRY(add_folder(importer, path, err));
    if (importer->input_count > before) return SY_OK;
    return sy_fail(err, SY_ERR_NOT_FOUND,
                   "%s: no .json, .ndjson or .jsonl file in it; name the files", path);
}

/* --- what is next ---------------------------------------------------------------------------- */

/* A transaction that may go out: ready and durable. */
static bool hand_out(sy_importer *importer, struct sy_import_action *action)
{
    struct sy_pending *pending = sy_window_peek_ready(&importer->window);
    if (pending == NULL || pending->seq > importer->committed_seq) return false;
    sy_window_take_ready(&importer->window);
    *action = (struct sy_import_action){
        .kind = SY_IMPORT_SEND,
        .again = pending->again,
        .tx_id = pending->tx_id,
        .tx = sy_slice_of(pending->tx, pending->tx_bytes),
    };
    pending->again = true;
    return true;
}

static bool ask_nonce(sy_importer *importer, struct sy_import_action *action)
{
    struct sy_public_key key;
    int64_t after_ms;
    if (!sy_import_expired(importer, &key, &after_ms)) return false;
    bool asked = importer->nonce_is_asked && sy_public_key_equal(&key, &importer->nonce_asked);
    if (asked) return false;
    importer->nonce_asked = key;
    importer->nonce_is_asked = true;
    *action = (struct sy_import_action){
        .kind = SY_IMPORT_NONCE,
        .key = key,
        .after_ms = after_ms,
    };
    return true;
}

static bool group_is_full(const sy_importer *importer)
{
    return importer->steps >= SY_IMPORT_GROUP_STEPS ||
           sy_client_store_uncommitted(importer->store) >= SY_IMPORT_GROUP_BYTES;
}

/* Nothing more can be read now. */
static sy_status idle(sy_importer *importer, struct sy_import_action *action, sy_status why,
                      struct sy_error *err)
{
    bool done = why == SY_ERR_NOT_FOUND && importer->window.count == 0;
    if (done || importer->newest_seq > importer->committed_seq || group_is_full(importer)) {
        SY_TRY(sy_import_commit(importer, err));
    }
    if (hand_out(importer, action)) return SY_OK;
    action->kind = done ? SY_IMPORT_DONE : SY_IMPORT_WAIT;
    return SY_OK;
}

static sy_status choose_next(sy_importer *importer, struct sy_import_action *action,
                             struct sy_error *err)
{
    if (hand_out(importer, action) || ask_nonce(importer, action)) return SY_OK;
    while (!group_is_full(importer)) {
        sy_status status = sy_import_step(importer, err);
        if (status == SY_ERR_BUSY || status == SY_ERR_NOT_FOUND) {
            return idle(importer, action, status, err);
        }
        if (status != SY_OK) return status;
    }
    SY_TRY(sy_import_commit(importer, err));
    if (!hand_out(importer, action)) action->kind = SY_IMPORT_MORE;
    return SY_OK;
}

sy_status sy_importer_next(sy_importer *importer, struct sy_import_action *action,
                           struct sy_error *err)
{
    memset(action, 0, sizeof *action);
    if (importer->failed) {
        return sy_fail(err, SY_ERR_CLOSED,
                       "the importer stopped after an earlier failure; run it again with --resume");
    }
    sy_status status = choose_next(importer, action, err);
    if (status != SY_OK) importer->failed = true;
    return status;
}
