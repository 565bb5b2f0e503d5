/* genesis_json.c: reading and writing genesis.json.
 *
 * jansson makes a tree of the text; `struct cursor` walks it with the path that stands so far, so
 * that every sentence names its place ("roster[2].link_key"). Each object is read by a list of
 * take_ calls and then closed, which refuses members that nobody took: a misspelt key is an error
 * and not a default. */
#include "core/wire/genesis_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/wire/render.h"

/* An object being read. */
struct cursor {
    const char *file;
    char path[64]; /* "" or "roster[2]." */
    const json_t *object;
    size_t taken;
    struct sy_error *err;
};

static sy_status open_object(struct cursor *cursor, const struct cursor *parent, const char *path,
                             const json_t *value)
{
    *cursor = (struct cursor){.file = parent->file, .object = value, .err = parent->err};
    (void)snprintf(cursor->path, sizeof cursor->path, "%s.", path);
    if (json_is_object(value)) return SY_OK;
    return sy_fail(parent->err, SY_ERR_FORMAT, "%s: %s must be an object", parent->file, path);
}

static sy_status take(struct cursor *cursor, const json_t **out, const char *name)
{
    *out = json_object_get(cursor->object, name);
    if (!*out) {
        return sy_fail(cursor->err, SY_ERR_FORMAT, "%s: %s%s is missing: a genesis file names it",
                       cursor->file, cursor->path, name);
    }
    cursor->taken++;
    return SY_OK;
}

static sy_status take_integer(struct cursor *cursor, int64_t *out, const char *name, int64_t most)
{
    const json_t *value;
    SY_TRY(take(cursor, &value, name));
    *out = json_integer_value(value);
    if (json_is_integer(value) && *out >= 0 && *out <= most) return SY_OK;
    return sy_fail(cursor->err, SY_ERR_FORMAT, "%s: %s%s must be a whole number from 0 to %lld",
                   cursor->file, cursor->path, name, (long long)most);
}

static sy_status take_u32(struct cursor *cursor, uint32_t *out, const char *name)
{
    int64_t value;
    SY_TRY(take_integer(cursor, &value, name, UINT32_MAX));
    *out = (uint32_t)value;
    return SY_OK;
}

static sy_status read_hex32(const struct cursor *cursor, void *out, const char *name,
                            const json_t *value)
{
    const char *text = json_string_value(value);
    // The length is compared first: a NUL inside would hide what stands behind it.
    if (text && json_string_length(value) == 64 && sy_hex_decode(out, 32, text)) return SY_OK;
    return sy_fail(cursor->err, SY_ERR_FORMAT, "%s: %s%s must be a string of 64 hex digits",
                   cursor->file, cursor->path, name);
}

static sy_status take_hex32(struct cursor *cursor, void *out, const char *name)
{
    const json_t *value;
    SY_TRY(take(cursor, &value, name));
    return read_hex32(cursor, out, name, value);
}

static sy_status take_text(struct cursor *cursor, char *out, size_t size, const char *name)
{
    const json_t *value;
    SY_TRY(take(cursor, &value, name));
    const char *text = json_string_value(value);
    if (!text || json_string_length(value) >= size || strlen(text) != json_string_length(value)) {
        return sy_fail(cursor->err, SY_ERR_FORMAT, "%s: %s%s must be a text of at most %zu bytes",
                       cursor->file, cursor->path, name, size - 1);
    }
    memcpy(out, text, strlen(text) + 1);
    return SY_OK;
}

static sy_status take_list(struct cursor *cursor, const json_t **out, const char *name, size_t most)
{
    SY_TRY(take(cursor, out, name));
    if (json_is_array(*out) && json_array_size(*out) <= most) return SY_OK;
    return sy_fail(cursor->err, SY_ERR_FORMAT, "%s: %s%s must be a list of at most %zu items",
                   cursor->file, cursor->path, name, most);
}

/* Refuses members that nobody took. */
static sy_status close_object(const struct cursor *cursor, const char *const *names)
{
    if (json_object_size(cursor->object) == cursor->taken) return SY_OK;
    void *at = json_object_iter((json_t *)cursor->object);
    for (; at; at = json_object_iter_next((json_t *)cursor->object, at)) {
        const char *key = json_object_iter_key(at);
        bool known = false;
        for (size_t i = 0; names[i]; i++) known = known || strcmp(names[i], key) == 0;
        if (known) continue;
        return sy_fail(cursor->err, SY_ERR_FORMAT,
                       "%s: %s%.40s is not a member of a genesis file: remove it or mend its name",
                       cursor->file, cursor->path, key);
    }
    return SY_OK;
}

static sy_status read_params(const struct cursor *parent, struct sy_params *params,
                             const json_t *value)
{
    static const char *const names[] = {"regulators_needed", "credential_ms_max",
                                        "record_bytes_max", NULL};
    struct cursor cursor;
    int64_t bytes;
    SY_TRY(open_object(&cursor, parent, "params", value));
    SY_TRY(take_u32(&cursor, &params->regulators_needed, names[0]));
    SY_TRY(take_integer(&cursor, &params->credential_ms_max, names[1], INT64_MAX));
    SY_TRY(take_integer(&cursor, &bytes, names[2], INT64_MAX));
    params->record_bytes_max = (uint64_t)bytes;
    return close_object(&cursor, names);
}

static sy_status read_validator(const struct cursor *parent, struct sy_validator *validator,
                                const json_t *value, size_t index)
{
    static const char *const names[] = {"name",         "organisation",   "consensus_key",
                                        "link_key",     "admin_key",      "control_address",
                                        "bulk_address", "client_address", NULL};
    struct cursor cursor;
    char path[32];
    (void)snprintf(path, sizeof path, "roster[%zu]", index);
    SY_TRY(open_object(&cursor, parent, path, value));
    SY_TRY(take_text(&cursor, validator->name, sizeof validator->name, names[0]));
    SY_TRY(take_hex32(&cursor, validator->organisation.bytes, names[1]));
    SY_TRY(take_hex32(&cursor, validator->consensus_key.bytes, names[2]));
    SY_TRY(take_hex32(&cursor, validator->link_key.bytes, names[3]));
    SY_TRY(take_hex32(&cursor, validator->admin_key.bytes, names[4]));
    SY_TRY(take_text(&cursor, validator->control_address, sizeof validator->control_address,
                     names[5]));
    SY_TRY(take_text(&cursor, validator->bulk_address, sizeof validator->bulk_address, names[6]));
    SY_TRY(
        take_text(&cursor, validator->client_address, sizeof validator->client_address, names[7]));
    return close_object(&cursor, names);
}

static sy_status read_roster(struct cursor *cursor, struct sy_roster *roster)
{
    const json_t *list;
    SY_TRY(take_list(cursor, &list, "roster", SY_VALIDATORS_MAX));
    roster->count = (uint16_t)json_array_size(list);
    for (size_t i = 0; i < roster->count; i++) {
        SY_TRY(read_validator(cursor, &roster->validators[i], json_array_get(list, i), i));
    }
    return SY_OK;
}

static sy_status read_regulators(struct cursor *cursor, struct sy_genesis *genesis)
{
    const json_t *list;
    SY_TRY(take_list(cursor, &list, "regulators", SY_REGULATORS_MAX));
    genesis->regulator_count = (uint16_t)json_array_size(list);
    for (size_t i = 0; i < genesis->regulator_count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "regulators[%zu]", i);
        SY_TRY(read_hex32(cursor, genesis->regulators[i].bytes, name, json_array_get(list, i)));
    }
    return SY_OK;
}

static sy_status read_members(struct cursor *cursor, struct sy_genesis *genesis,
                              struct sy_hash *stated, bool *states_hash)
{
    static const char *const names[] = {"format", "created_ms", "protocol", "params",
                                        "roster", "regulators", "hash",     NULL};
    const json_t *params;
    SY_TRY(take_u32(cursor, &genesis->format, "format"));
    SY_TRY(take_integer(cursor, &genesis->created_ms, "created_ms", INT64_MAX));
    SY_TRY(take_u32(cursor, &genesis->protocol, "protocol"));
    SY_TRY(take(cursor, &params, "params"));
    SY_TRY(read_params(cursor, &genesis->params, params));
    SY_TRY(read_roster(cursor, &genesis->roster));
    SY_TRY(read_regulators(cursor, genesis));
    *states_hash = json_object_get(cursor->object, "hash") != NULL;
    if (*states_hash) SY_TRY(take_hex32(cursor, stated->bytes, "hash"));
    return close_object(cursor, names);
}

static sy_status read_tree(struct sy_genesis *genesis, const json_t *tree, const char *name,
                           struct sy_error *err)
{
    struct cursor cursor = {.file = name, .object = tree, .err = err};
    struct sy_hash stated;
    bool states_hash = false;
    struct sy_error inner = {SY_OK, ""};
    if (!json_is_object(tree)) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: a genesis file is one JSON object", name);
    }
    SY_TRY(read_members(&cursor, genesis, &stated, &states_hash));
    sy_status status = sy_genesis_seal(genesis, &inner);
    if (status != SY_OK) return sy_fail(err, status, "%s: %s", name, inner.text);
    if (states_hash && !sy_hash_equal(&stated, &genesis->hash)) {
        return sy_fail(err, SY_ERR_CRYPTO,
                       "%s: hash does not fit the rest of the file: something was changed; get the "
                       "file again from where the network publishes it",
                       name);
    }
    return SY_OK;
}

sy_status sy_genesis_parse(struct sy_genesis *genesis, struct sy_slice text, const char *name,
                           struct sy_error *err)
{
    json_error_t why;
    memset(genesis, 0, sizeof *genesis);
    if (text.size > SY_GENESIS_JSON_BYTES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "%s: longer than any genesis file (%u bytes)", name,
                       SY_GENESIS_JSON_BYTES_MAX);
    }
    json_t *tree = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &why);
    if (!tree) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: line %d, column %d: %s", name, why.line, why.column,
                       why.text);
    }
    sy_status status = read_tree(genesis, tree, name, err);
    json_decref(tree);
    return status;
}

sy_status sy_genesis_load(struct sy_genesis *genesis, const char *path, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(sy_os_read_file(&bytes, &size, path, SY_GENESIS_JSON_BYTES_MAX, err));
    sy_status status = sy_genesis_parse(genesis, sy_slice_of(bytes, size), path, err);
    free(bytes);
    return status;
}

sy_status sy_genesis_save(const struct sy_genesis *genesis, const char *path, struct sy_error *err)
{
    if (access(path, F_OK) == 0) {
        return sy_fail(err, SY_ERR_EXISTS,
                       "%s exists: a genesis is written once; choose another place", path);
    }
    sy_json json;
    sy_json_init_growing(&json, SY_GENESIS_JSON_BYTES_MAX);
    sy_json_set_pretty(&json);
    sy_genesis_to_json(&json, genesis);
    const char *text = sy_json_finish(&json);
    sy_status status = text ? sy_os_write_file(path, text, json.size, 0644, err)
                            : sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory for its text", path);
    sy_json_free(&json);
    return status;
}
