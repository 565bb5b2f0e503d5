#include "consensus/node/config.h"

#include <stddef.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/conf.h"

enum kind { KIND_TEXT, KIND_PATH, KIND_NUMBER, KIND_ZERO_OR };

struct key {
    enum kind kind;
    const char *name;
    size_t offset;
    const char *fallback_text;
    uint64_t fallback;
    uint64_t least;
    uint64_t most;
    const char *help;
};

static const struct key keys[] = {
#define SY_CONFIG_TEXT(name, fallback, help) \
    {KIND_TEXT, #name, offsetof(struct sy_config, name), fallback, 0, 0, 0, help},
#define SY_CONFIG_PATH(name, fallback, help) \
    {KIND_PATH, #name, offsetof(struct sy_config, name), fallback, 0, 0, 0, help},
#define SY_CONFIG_NUMBER(name, fallback, least, most, help) \
    {KIND_NUMBER, #name, offsetof(struct sy_config, name), NULL, fallback, least, most, help},
#define SY_CONFIG_ZERO_OR(name, fallback, least, most, help) \
    {KIND_ZERO_OR, #name, offsetof(struct sy_config, name), NULL, fallback, least, most, help},
#include "consensus/node/config.def"
#undef SY_CONFIG_TEXT
#undef SY_CONFIG_PATH
#undef SY_CONFIG_NUMBER
#undef SY_CONFIG_ZERO_OR
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

static bool is_number(const struct key *key)
{
    return key->kind == KIND_NUMBER || key->kind == KIND_ZERO_OR;
}

static char *text_of(struct sy_config *config, const struct key *key)
{
    return (char *)config + key->offset;
}

static void set_number(struct sy_config *config, const struct key *key, uint64_t value)
{
    memcpy((char *)config + key->offset, &value, sizeof value);
}

void sy_config_default(struct sy_config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (is_number(&keys[i])) {
            set_number(config, &keys[i], keys[i].fallback);
        } else {
            memcpy(text_of(config, &keys[i]), keys[i].fallback_text,
                   strlen(keys[i].fallback_text) + 1);
        }
    }
}

static sy_status set_value(struct sy_config *config, const struct key *key, const char *value,
                           const struct sy_conf_place *place)
{
    if (key->kind == KIND_PATH) {
        return sy_conf_path(text_of(config, key), SY_CONFIG_TEXT_MAX, key->name, value, place);
    }
    if (key->kind == KIND_TEXT) {
        size_t size = strlen(value);
        if (size < SY_CONFIG_TEXT_MAX) {
            memcpy(text_of(config, key), value, size + 1);
            return SY_OK;
        }
        return sy_fail(place->err, SY_ERR_ARGUMENT, "%s:%u: %s is longer than %d bytes",
                       place->path, place->line, key->name, SY_CONFIG_TEXT_MAX - 1);
    }
    uint64_t number;
    if (sy_parse_u64(&number, value, key->least, key->most) ||
        (key->kind == KIND_ZERO_OR && sy_parse_u64(&number, value, 0, 0))) {
        set_number(config, key, number);
        return SY_OK;
    }
    return sy_fail(place->err, SY_ERR_ARGUMENT,
                   "%s:%u: %s must be %sa whole number from %llu to %llu, not \"%.40s\"",
                   place->path, place->line, key->name, key->kind == KIND_ZERO_OR ? "0 or " : "",
                   (unsigned long long)key->least, (unsigned long long)key->most, value);
}

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, name) == 0) return &keys[i];
    }
    return NULL;
}

struct loading {
    struct sy_config *config;
    bool seen[KEY_COUNT];
};

static sy_status take_line(void *context, const char *name, char *value,
                           const struct sy_conf_place *place)
{
    struct loading *loading = (struct loading *)context;
    const struct key *key = find_key(name);
    if (key == NULL) {
        return sy_fail(place->err, SY_ERR_ARGUMENT,
                       "%s:%u: there is no key \"%.40s\"; `systoled --explain-config` lists them",
                       place->path, place->line, name);
    }
    bool *seen = &loading->seen[key - keys];
    if (*seen) {
        return sy_fail(place->err, SY_ERR_ARGUMENT, "%s:%u: %s is given twice", place->path,
                       place->line, name);
    }
    *seen = true;
    return set_value(loading->config, key, value, place);
}

/* Defaults are paths like any other: they start at the configuration's folder too. */
static sy_status anchor_defaults(struct loading *loading, const char *path, struct sy_error *err)
{
    const struct sy_conf_place place = {path, 0, err};
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].kind != KIND_PATH || loading->seen[i]) continue;
        SY_TRY(set_value(loading->config, &keys[i], keys[i].fallback_text, &place));
    }
    return SY_OK;
}

sy_status sy_config_load(struct sy_config *config, const char *path, struct sy_error *err)
{
    struct loading loading = {.config = config};
    sy_config_default(config);
    SY_TRY(sy_conf_each(path, take_line, &loading, err));
    return anchor_defaults(&loading, path, err);
}

void sy_config_explain(FILE *out)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        if (is_number(key)) {
            fprintf(out, "# %s From %llu to %llu.\n%s = %llu\n\n", key->help,
                    (unsigned long long)key->least, (unsigned long long)key->most, key->name,
                    (unsigned long long)key->fallback);
        } else {
            fprintf(out, "# %s\n%s = %s\n\n", key->help, key->name, key->fallback_text);
        }
    }
}
