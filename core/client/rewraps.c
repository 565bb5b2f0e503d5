/* rewraps.c: see rewraps.h. */
#include "core/client/rewraps.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/base/telemetry.h"

#define FORMAT "systole-rewrap-1"
#define ENTRY_BYTES_MAX (4u << 20)
#define PATH_BYTES 1200

static sy_status path_of(char out[PATH_BYTES], const char *folder, const char *under,
                         const struct sy_hash *id, struct sy_error *err)
{
    char hex[65];
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    int size = snprintf(out, PATH_BYTES, "%s/%s%s.json", folder, under, hex);
    if (size > 0 && size < PATH_BYTES) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
}

// --- one entry ---------------------------------------------------------------------------------

static sy_status write_entry(const char *path, const sy_draft *draft, int64_t due_ms,
                             struct sy_error *err)
{
    sy_json json;
    sy_json_init_growing(&json, ENTRY_BYTES_MAX);
    sy_json_object_begin(&json);
    sy_json_put_text(&json, "format", FORMAT);
    sy_json_put_i64(&json, "due_ms", due_ms);
    sy_json_key(&json, "draft");
    sy_draft_to_json(draft, &json);
    sy_json_object_end(&json);
    const char *text = sy_json_finish(&json);
    sy_status status = text != NULL ? sy_os_write_file(path, text, json.size, 0600, err)
                                    : sy_fail(err, SY_ERR_LIMIT, "the entry is too long");
    sy_json_free(&json);
    return status;
}

static sy_status parse_entry(struct sy_rewrap *out, struct sy_slice text, const char *path,
                             const struct sy_genesis *genesis, struct sy_error *err)
{
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *due = json_object_get(root, "due_ms");
    char *draft = NULL;
    sy_status status = SY_OK;
    if (format == NULL || strcmp(format, FORMAT) != 0 || !json_is_integer(due)) {
        status = sy_fail(err, SY_ERR_FORMAT, "%s is no entry of a rewrap", path);
    } else {
        draft = json_dumps(json_object_get(root, "draft"), JSON_COMPACT | JSON_ENCODE_ANY);
        if (draft == NULL) status = sy_fail(err, SY_ERR_FORMAT, "%s has no draft", path);
    }
    if (draft != NULL) {
        out->due_ms = json_integer_value(due);
        status = sy_draft_parse(&out->draft, genesis, sy_slice_of(draft, strlen(draft)), path, err);
    }
    if (status == SY_OK) sy_draft_id(out->draft, &out->id);
    free(draft);
    json_decref(root);
    return status;
}

static sy_status read_entry(struct sy_rewrap *out, const char *path,
                            const struct sy_genesis *genesis, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    *out = (struct sy_rewrap){.draft = NULL};
    SY_TRY(sy_os_read_file(&text, &size, path, ENTRY_BYTES_MAX, err));
    sy_status status = parse_entry(out, sy_slice_of(text, size), path, genesis, err);
    free(text);
    return status;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

sy_status sy_rewrap_keep(const char *folder, const sy_draft *draft, int64_t now_ms, int64_t *due_ms,
                         struct sy_error *err)
{
    struct sy_hash id;
    struct sy_rewrap known;
    char path[PATH_BYTES], sent[PATH_BYTES], refused[PATH_BYTES];
    sy_draft_id(draft, &id);
    SY_TRY(path_of(path, folder, "", &id, err));
    SY_TRY(path_of(sent, folder, "sent/", &id, err));
    SY_TRY(path_of(refused, folder, "refused/", &id, err));
    SY_TRY(sy_os_make_dirs(folder, 0700, err));
    if (exists(sent) || exists(refused)) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the ledger has that entry already: rewrap by --to, which asks it");
    }
    *due_ms = now_ms + SY_REWRAP_DUE_MS;
    if (!exists(path)) return write_entry(path, draft, *due_ms, err);
    SY_TRY(read_entry(&known, path, NULL, err));
    *due_ms = known.due_ms;
    sy_draft_close(known.draft);
    if (now_ms <= *due_ms) return SY_OK;
    return sy_fail(err, SY_ERR_PERMISSION,
                   "that entry should have been submitted by now: nothing more is opened by it "
                   "before `systole rewrap --submit` has");
}

// --- all that wait -----------------------------------------------------------------------------

static int by_id(const void *a, const void *b)
{
    const struct sy_rewrap *one = a, *other = b;
    return sy_hash_compare(&one->id, &other->id);
}

static bool is_entry(const char *name)
{
    uint8_t id[32];
    char hex[65];
    if (strlen(name) != 69 || strcmp(name + 64, ".json") != 0) return false;
    memcpy(hex, name, 64);
    hex[64] = '\0';
    return sy_hex_decode(id, sizeof id, hex);
}

static sy_status add_entry(struct sy_rewraps *rewraps, const char *folder, const char *name,
                           const struct sy_genesis *genesis, struct sy_error *err)
{
    char path[PATH_BYTES];
    if (!is_entry(name)) return SY_OK;
    if (rewraps->count == SY_REWRAPS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "%s: more than %u entries", folder, SY_REWRAPS_MAX);
    }
    int size = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (size < 0 || (size_t)size >= sizeof path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
    }
    SY_TRY(read_entry(&rewraps->items[rewraps->count], path, genesis, err));
    rewraps->count++;
    return SY_OK;
}

sy_status sy_rewraps_list(struct sy_rewraps *rewraps, const char *folder,
                          const struct sy_genesis *genesis, struct sy_error *err)
{
    rewraps->count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL && errno == ENOENT) return SY_OK; // nothing was ever kept
    if (dir == NULL) {
        return sy_fail(err, sy_os_status(errno), "cannot open %s: %s", folder, strerror(errno));
    }
    sy_status status = SY_OK;
    for (const struct dirent *entry; status == SY_OK && (entry = readdir(dir)) != NULL;) {
        status = add_entry(rewraps, folder, entry->d_name, genesis, err);
    }
    (void)closedir(dir);
    qsort(rewraps->items, rewraps->count, sizeof rewraps->items[0], by_id);
    return status;
}

void sy_rewraps_free(struct sy_rewraps *rewraps)
{
    for (unsigned i = 0; i < rewraps->count; i++) sy_draft_close(rewraps->items[i].draft);
    rewraps->count = 0;
}

// --- what becomes of them ----------------------------------------------------------------------

sy_status sy_rewrap_settle(const char *folder, const struct sy_rewrap *rewrap, bool applied,
                           struct sy_error *err)
{
    char from[PATH_BYTES], to[PATH_BYTES], under[PATH_BYTES];
    SY_TRY(path_of(from, folder, "", &rewrap->id, err));
    SY_TRY(path_of(to, folder, applied ? "sent/" : "refused/", &rewrap->id, err));
    (void)snprintf(under, sizeof under, "%s/%s", folder, applied ? "sent" : "refused");
    SY_TRY(sy_os_make_dirs(under, 0700, err));
    if (rename(from, to) != 0) {
        return sy_fail(err, sy_os_status(errno), "cannot move %s: %s", from, strerror(errno));
    }
    SY_TRY(sy_os_fsync_dir(under, err));
    return sy_os_fsync_dir(folder, err);
}

sy_status sy_rewrap_alarm(const char *folder, const struct sy_rewrap *rewrap, const char *what,
                          struct sy_error *err)
{
    char hex[65], path[PATH_BYTES];
    int size = snprintf(path, sizeof path, "%s/log", folder);
    if (size < 0 || (size_t)size >= sizeof path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
    }
    sy_hex_encode(hex, rewrap->id.bytes, sizeof rewrap->id.bytes);
    SY_TRY(sy_log_open(path, SY_LOG_ERROR, err));
    SY_LOG(SY_LOG_ERROR, "client", "rewrap_alarm", SY_F_TEXT("what", what), SY_F_TEXT("tx", hex),
           SY_F_I64("due_ms", rewrap->due_ms));
    sy_log_close();
    return SY_OK;
}
