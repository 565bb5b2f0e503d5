#include "consensus/node/config.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/os.h"

#define CONFIG_BYTES_MAX 65536u

enum kind { KIND_TEXT, KIND_PATH, KIND_NUMBER };

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
#include "consensus/node/config.def"
#undef SY_CONFIG_TEXT
#undef SY_CONFIG_PATH
#undef SY_CONFIG_NUMBER
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

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
        if (keys[i].kind == KIND_NUMBER) {
            set_number(config, &keys[i], keys[i].fallback);
        } else {
            strcpy(text_of(config, &keys[i]), keys[i].fallback_text);
        }
    }
}

/* Where a line stands, for sentences. */
struct place {
    const char *path;
    unsigned line;
};

static sy_status set_value(struct sy_config *config, const struct key *key, const char *value,
                           struct place place, struct sy_error *err)
{
    if (key->kind == KIND_NUMBER) {
        uint64_t number;
        if (!sy_parse_u64(&number, value, key->least, key->most)) {
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "%s:%u: %s must be a whole number from %llu to %llu, not \"%s\"",
                           place.path, place.line, key->name, (unsigned long long)key->least,
                           (unsigned long long)key->most, value);
        }
        set_number(config, key, number);
        return SY_OK;
    }
    if (strlen(value) >= SY_CONFIG_TEXT_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s:%u: %s is longer than %d bytes", place.path,
                       place.line, key->name, SY_CONFIG_TEXT_MAX - 1);
    }
    strcpy(text_of(config, key), value);
    return SY_OK;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1])) text[--size] = '\0';
    return text;
}

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, name) == 0) return &keys[i];
    }
    return NULL;
}

static sy_status take_line(struct sy_config *config, bool seen[KEY_COUNT], char *line,
                           struct place place, struct sy_error *err)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#') return SY_OK;
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s:%u: expected `key = value`, found \"%.40s\"",
                       place.path, place.line, line);
    }
    *equals = '\0';
    const char *name = trim(line);
    const struct key *key = find_key(name);
    if (key == NULL) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s:%u: there is no key \"%.40s\"; `systoled --explain-config` lists them",
                       place.path, place.line, name);
    }
    size_t index = (size_t)(key - keys);
    if (seen[index]) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s:%u: %s is given twice", place.path, place.line,
                       name);
    }
    seen[index] = true;
    return set_value(config, key, trim(equals + 1), place, err);
}

/* Makes relative paths start at the configuration's folder. */
static sy_status anchor_paths(struct sy_config *config, const char *path, struct sy_error *err)
{
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path + 1);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        char *text = text_of(config, &keys[i]);
        if (keys[i].kind != KIND_PATH || text[0] == '\0' || text[0] == '/') continue;
        char whole[SY_CONFIG_TEXT_MAX];
        int size = snprintf(whole, sizeof whole, "%.*s%s", folder, path, text);
        if (size < 0 || (size_t)size >= sizeof whole) {
            return sy_fail(err, SY_ERR_ARGUMENT, "%s: the path of %s is longer than %d bytes", path,
                           keys[i].name, SY_CONFIG_TEXT_MAX - 1);
        }
        strcpy(text, whole);
    }
    return SY_OK;
}

sy_status sy_config_load(struct sy_config *config, const char *path, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(sy_os_read_file(&bytes, &size, path, CONFIG_BYTES_MAX, err));
    sy_config_default(config);
    bool seen[KEY_COUNT] = {false};
    sy_status status = SY_OK;
    struct place place = {path, 0};
    if (memchr(bytes, '\0', size) != NULL) {
        status = sy_fail(err, SY_ERR_ARGUMENT, "%s: this is not a text file", path);
    }
    char *rest = (char *)bytes;
    while (status == SY_OK && rest != NULL) {
        char *line = rest;
        rest = strchr(line, '\n');
        if (rest != NULL) *rest++ = '\0';
        place.line++;
        status = take_line(config, seen, line, place, err);
    }
    free(bytes);
    if (status != SY_OK) return status;
    return anchor_paths(config, path, err);
}

void sy_config_explain(FILE *out)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        if (key->kind == KIND_NUMBER) {
            fprintf(out, "# %s From %llu to %llu.\n%s = %llu\n\n", key->help,
                    (unsigned long long)key->least, (unsigned long long)key->most, key->name,
                    (unsigned long long)key->fallback);
        } else {
            fprintf(out, "# %s\n%s = %s\n\n", key->help, key->name, key->fallback_text);
        }
    }
}
