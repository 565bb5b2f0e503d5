#include "consensus/node/config.h"

#include <stddef.h>
#include <string.h>

#include "core/base/address.h"
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

/* ---- observers --------------------------------------------------------------------------- */

static sy_status take_address(char out[SY_LINK_ADDRESS_MAX], const char *text,
                              const struct sy_conf_place *place)
{
    struct sy_error inner = {SY_OK, ""};
    sy_status status = sy_address_parse(NULL, text, &inner);
    if (status != SY_OK) {
        return sy_fail(place->err, status, "%s:%u: %s", place->path, place->line, inner.text);
    }
    if (strlen(text) >= SY_LINK_ADDRESS_MAX) {
        return sy_fail(place->err, SY_ERR_ARGUMENT, "%s:%u: an address is longer than %u bytes",
                       place->path, place->line, SY_LINK_ADDRESS_MAX - 1);
    }
    memcpy(out, text, strlen(text) + 1);
    return SY_OK;
}

static sy_status take_observer(struct sy_config *config, char *value,
                               const struct sy_conf_place *place)
{
    enum { WORDS = 4 };
    char *words[WORDS];
    struct sy_link_peer observer = {.name = ""};
    size_t count = sy_conf_words(words, WORDS, value);
    if (count != WORDS || strlen(words[0]) >= sizeof observer.name ||
        !sy_hex_decode(observer.key.bytes, sizeof observer.key.bytes, words[1])) {
        return sy_fail(place->err, SY_ERR_ARGUMENT,
                       "%s:%u: an observer is a name of at most %zu bytes, its link key (64 hex "
                       "digits), its control address and its bulk address, with blanks between",
                       place->path, place->line, sizeof observer.name - 1);
    }
    memcpy(observer.name, words[0], strlen(words[0]) + 1);
    SY_TRY(take_address(observer.control, words[2], place));
    SY_TRY(take_address(observer.bulk, words[3], place));
    for (uint32_t i = 0; i < config->observer_count; i++) {
        const struct sy_link_peer *other = &config->observers[i];
        bool same_name = strcmp(other->name, observer.name) == 0;
        if (!same_name && !sy_public_key_equal(&other->key, &observer.key)) continue;
        return sy_fail(place->err, SY_ERR_ARGUMENT, "%s:%u: another observer has this %s: %s",
                       place->path, place->line, same_name ? "name" : "key", other->name);
    }
    if (config->observer_count == SY_NODE_OBSERVERS_MAX) {
        return sy_fail(place->err, SY_ERR_ARGUMENT,
                       "%s:%u: a validator lets in at most %u observers: list this one with "
                       "another validator",
                       place->path, place->line, SY_NODE_OBSERVERS_MAX);
    }
    config->observers[config->observer_count++] = observer;
    return SY_OK;
}

static sy_status take_role(struct sy_config *config, const char *path, struct sy_error *err)
{
    config->observes = strcmp(config->role, "observer") == 0;
    if (!config->observes && strcmp(config->role, "validator") != 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s: role is validator or observer, not \"%.40s\"",
                       path, config->role);
    }
    if (!config->observes || config->observer_count == 0) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "%s: an observer lets in no observers: they stand in the configurations of "
                   "validators",
                   path);
}

/* ---- the file ---------------------------------------------------------------------------- */

struct loading {
    struct sy_config *config;
    bool seen[KEY_COUNT];
};

static sy_status take_line(void *context, const char *name, char *value,
                           const struct sy_conf_place *place)
{
    struct loading *loading = (struct loading *)context;
    if (strcmp(name, "observer") == 0) return take_observer(loading->config, value, place);
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
    SY_TRY(take_role(config, path, err));
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
    fprintf(out,
            "# An observer that this validator lets in: name, link key (64 hex digits), where it "
            "listens.\n# At most %u such lines.\n"
            "# observer = NAME KEY tcp://HOST:PORT tcp://HOST:PORT\n",
            SY_NODE_OBSERVERS_MAX);
}
