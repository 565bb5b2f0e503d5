/* cmd_net.c: which network a command speaks to, from a client.conf, and who answers there. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/address.h"
#include "core/base/assert.h"
#include "core/base/conf.h"
#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/wire/genesis_json.h"

/* ---- client.conf -------------------------------------------------------------------------- */

struct key {
    const char *name;
    size_t offset; /* of a path in struct sy_cmd_net */
    const char *fallback;
};

static const struct key keys[] = {
    {"genesis", offsetof(struct sy_cmd_net, genesis_path), "genesis.json"},
    {"client", offsetof(struct sy_cmd_net, client), "client"},
    {"regulator_key", offsetof(struct sy_cmd_net, regulator_key), ""},
    {"key", offsetof(struct sy_cmd_net, key), ""},
    {"passphrase_file", offsetof(struct sy_cmd_net, passphrase_file), ""},
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])
#define KEY_ADDRESSES KEY_COUNT

static sy_status set_addresses(struct sy_cmd_net *net, char *value,
                               const struct sy_conf_place *place)
{
    struct sy_error inner = {SY_OK, ""};
    char *rest = value;
    while (rest) {
        char *item = rest;
        rest = strchr(item, ',');
        if (rest) *rest++ = '\0';
        item += strspn(item, " \t");
        item[strcspn(item, " \t")] = '\0';
        sy_status status = sy_address_parse(NULL, item, &inner);
        if (status == SY_OK &&
            (net->address_count == SY_VALIDATORS_MAX || strlen(item) > SY_ADDRESS_BYTES_MAX)) {
            status =
                sy_fail(&inner, SY_ERR_ARGUMENT, "too many addresses, or one that is too long");
        }
        if (status != SY_OK) {
            return sy_fail(place->err, status, "%s:%u: %s", place->path, place->line, inner.text);
        }
        memcpy(net->addresses[net->address_count++], item, strlen(item) + 1);
    }
    return SY_OK;
}

static sy_status take_observer(struct sy_cmd_net *net, char *value,
                               const struct sy_conf_place *place)
{
    enum { WORDS = 3 };
    char *words[WORDS];
    struct sy_error inner = {SY_OK, ""};
    struct sy_client_observer observer = {.name = ""};
    if (sy_conf_words(words, WORDS, value) != WORDS || strlen(words[0]) >= sizeof observer.name ||
        strlen(words[2]) >= sizeof observer.address ||
        !sy_hex_decode(observer.link_key.bytes, sizeof observer.link_key.bytes, words[1])) {
        return sy_fail(place->err, SY_ERR_ARGUMENT,
                       "%s:%u: an observer is a name, its link key (64 hex digits) and its client "
                       "address, with blanks between",
                       place->path, place->line);
    }
    sy_status status = sy_address_parse(NULL, words[2], &inner);
    if (status == SY_OK && net->observer_count == SY_ASKER_OBSERVERS_MAX) {
        status = sy_fail(&inner, SY_ERR_ARGUMENT, "more than %u observers", SY_ASKER_OBSERVERS_MAX);
    }
    for (unsigned i = 0; i < net->observer_count && status == SY_OK; i++) {
        if (strcmp(net->observers[i].name, words[0]) != 0) continue;
        status = sy_fail(&inner, SY_ERR_ARGUMENT, "another observer has the name %s", words[0]);
    }
    if (status != SY_OK) {
        return sy_fail(place->err, status, "%s:%u: %s", place->path, place->line, inner.text);
    }
    memcpy(observer.name, words[0], strlen(words[0]) + 1);
    memcpy(observer.address, words[2], strlen(words[2]) + 1);
    net->observers[net->observer_count++] = observer;
    return SY_OK;
}

struct config_reader {
    struct sy_cmd_net *net;
    bool seen[KEY_COUNT + 1];
};

static sy_status set_path(struct sy_cmd_net *net, const struct key *key, const char *value,
                          const struct sy_conf_place *place)
{
    return sy_conf_path((char *)net + key->offset, SY_CMD_PATH_MAX, key->name, value, place);
}

static sy_status take_key(void *context, const char *name, char *value,
                          const struct sy_conf_place *place)
{
    struct config_reader *reader = (struct config_reader *)context;
    size_t index = 0;
    if (strcmp(name, "observer") == 0) return take_observer(reader->net, value, place);
    while (index < KEY_COUNT && strcmp(keys[index].name, name) != 0) index++;
    if (index == KEY_COUNT && strcmp(name, "addresses") != 0) {
        return sy_fail(place->err, SY_ERR_ARGUMENT,
                       "%s:%u: there is no key \"%.40s\"; a client.conf has genesis, addresses, "
                       "observer, client, regulator_key, key and passphrase_file",
                       place->path, place->line, name);
    }
    if (reader->seen[index]) {
        return sy_fail(place->err, SY_ERR_ARGUMENT, "%s:%u: %s is given twice", place->path,
                       place->line, name);
    }
    reader->seen[index] = true;
    if (index == KEY_ADDRESSES) return set_addresses(reader->net, value, place);
    return set_path(reader->net, &keys[index], value, place);
}

static sy_status read_config(struct sy_cmd_net *net, const char *path, struct sy_error *err)
{
    struct config_reader reader = {.net = net};
    struct sy_conf_place place = {path, 0, err};
    for (size_t i = 0; i < KEY_COUNT; i++) {
        SY_TRY(set_path(net, &keys[i], keys[i].fallback, &place));
    }
    return sy_conf_each(path, take_key, &reader, err);
}

/* ---- the network -------------------------------------------------------------------------- */

/* A name, or the number of one in the genesis. */
static sy_status choose_validator(struct sy_cmd_net *net, const char *name, struct sy_error *err)
{
    const struct sy_roster *roster = &net->genesis.roster;
    uint64_t number;
    if (!name) return SY_OK;
    if (sy_parse_u64(&number, name, 0, roster->count - 1u)) name = roster->validators[number].name;
    int size = snprintf(net->validator, sizeof net->validator, "%s", name);
    if (size > 0 && (size_t)size < sizeof net->validator) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "--validator %.80s: no validator can have that name",
                   name);
}

static sy_status load_net(struct sy_cmd_net *net, const struct sy_cmd_where *where,
                          struct sy_error *err)
{
    char path[SY_CMD_PATH_MAX];
    const char *config = where->config;
    if (!config) {
        int size = snprintf(path, sizeof path, "%s/client.conf", where->net);
        if (size < 0 || size >= SY_CMD_PATH_MAX) {
            return sy_fail(err, SY_ERR_ARGUMENT, "--net: the path is too long");
        }
        config = path;
    }
    SY_TRY(read_config(net, config, err));
    SY_TRY(sy_genesis_load(&net->genesis, net->genesis_path, err));
    if (net->address_count != 0 && net->address_count != net->genesis.roster.count) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s: %u addresses for %u validators: give one each, in roster order", config,
                       (unsigned)net->address_count, (unsigned)net->genesis.roster.count);
    }
    for (unsigned i = 0; i < net->genesis.roster.count; i++) {
        net->address_pointers[i] = sy_cmd_net_address(net, i);
    }
    return choose_validator(net, where->validator, err);
}

sy_status sy_cmd_net_open(struct sy_cmd_net **net, const struct sy_cmd_where *where,
                          struct sy_error *err)
{
    *net = NULL;
    if (!where->net == !where->config) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "say which network: --net DIR (a folder made by `systole testnet`) or "
                       "--config FILE (a client.conf), one of them");
    }
    struct sy_cmd_net *made = (struct sy_cmd_net *)calloc(1, sizeof *made);
    if (!made) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a network");
    sy_status status = load_net(made, where, err);
    if (status == SY_OK) {
        *net = made;
    } else {
        free(made);
    }
    return status;
}

void sy_cmd_net_close(struct sy_cmd_net *net)
{
    free(net);
}

const char *sy_cmd_net_address(const struct sy_cmd_net *net, unsigned validator)
{
    return net->address_count > 0 ? net->addresses[validator]
                                  : net->genesis.roster.validators[validator].client_address;
}

sy_status sy_cmd_genesis(struct sy_genesis **genesis, const char *path,
                         const struct sy_cmd_where *where, struct sy_error *err)
{
    *genesis = (struct sy_genesis *)malloc(sizeof **genesis);
    if (!*genesis) return sy_fail(err, SY_ERR_NO_MEMORY, "genesis: no memory");
    sy_status status = SY_OK;
    if (!path && (where->net || where->config)) {
        struct sy_cmd_net *net = NULL;
        status = sy_cmd_net_open(&net, where, err);
        if (net) **genesis = net->genesis;
        sy_cmd_net_close(net);
    } else {
        status = sy_genesis_load(*genesis, path ? path : "genesis.json", err);
        if (status == SY_ERR_NOT_FOUND && !path) {
            status = sy_fail(err, SY_ERR_ARGUMENT,
                             "say which network: --genesis FILE, --net DIR or --config FILE");
        }
    }
    if (status == SY_OK) return SY_OK;
    free(*genesis);
    *genesis = NULL;
    return status;
}

/* ---- the height that was seen ------------------------------------------------------------------
 *
 * A file CLIENT.seen beside the client's store: the network's tag in hex, a blank, the height. */

#define SEEN_BYTES_MAX (2u * SY_NETWORK_TAG_BYTES + 24u)

static bool seen_path(char path[SY_CMD_PATH_MAX], const struct sy_cmd_net *net)
{
    int size = snprintf(path, SY_CMD_PATH_MAX, "%s.seen", net->client);
    return size > 0 && size < SY_CMD_PATH_MAX;
}

static int seen_text(char text[SEEN_BYTES_MAX], const struct sy_cmd_net *net, uint64_t height)
{
    char tag[2 * SY_NETWORK_TAG_BYTES + 1];
    sy_hex_encode(tag, sy_network_tag(&net->genesis), SY_NETWORK_TAG_BYTES);
    int size = snprintf(text, SEEN_BYTES_MAX, "%s %llu\n", tag, (unsigned long long)height);
    SY_ASSERT(size > 0 && (size_t)size < SEEN_BYTES_MAX);
    return size;
}

/* 0: none was, or what stands there is no such thing, or of another network. */
static uint64_t seen_height(const struct sy_cmd_net *net)
{
    char path[SY_CMD_PATH_MAX], expected[SEEN_BYTES_MAX];
    struct sy_error ignored = {SY_OK, ""};
    uint8_t *bytes = NULL;
    size_t size = 0;
    uint64_t height = 0;
    if (!seen_path(path, net)) return 0;
    if (sy_os_read_file(&bytes, &size, path, SEEN_BYTES_MAX, &ignored) != SY_OK) return 0;
    const char *blank = strchr((const char *)bytes, ' ');
    if (blank) height = strtoull(blank, NULL, 10);
    int wanted = seen_text(expected, net, height);
    bool same = size == (size_t)wanted && memcmp(bytes, expected, size) == 0;
    free(bytes);
    return same ? height : 0;
}

/* ---- asking ------------------------------------------------------------------------------------
 */

sy_status sy_cmd_asker(sy_asker **asker, const struct sy_cmd_net *net, int call_ms,
                       struct sy_error *err)
{
    struct sy_asker_config config = {.genesis = &net->genesis,
                                     .addresses = net->address_pointers,
                                     .validator = net->validator[0] ? net->validator : NULL,
                                     .observers = net->observers,
                                     .observer_count = net->observer_count,
                                     .call_ms = call_ms};
    SY_TRY(sy_asker_open(asker, &config, err));
    if (!net->validator[0]) sy_asker_expect(*asker, seen_height(net));
    return SY_OK;
}

sy_status sy_cmd_connect(struct sy_cmd_net **net, sy_asker **asker,
                         const struct sy_cmd_where *where, int call_ms, struct sy_error *err)
{
    SY_TRY(sy_cmd_net_open(net, where, err));
    SY_ASSERT(*net);
    return sy_cmd_asker(asker, *net, call_ms, err);
}

void sy_cmd_saw(const struct sy_cmd_net *net, const sy_asker *asker)
{
    char path[SY_CMD_PATH_MAX], text[SEEN_BYTES_MAX];
    struct sy_error ignored = {SY_OK, ""};
    uint64_t height = sy_asker_expected(asker);
    if (height <= seen_height(net) || !seen_path(path, net)) return;
    int size = seen_text(text, net, height);
    (void)sy_os_write_file(path, text, (size_t)size, 0600, &ignored);
}

sy_status sy_cmd_read_key(sy_secret_key **key, const struct sy_cmd_net *net, const char *path,
                          struct sy_error *err)
{
    const char *passphrase = net && net->passphrase_file[0] ? net->passphrase_file : NULL;
    if (!path && net && net->key[0]) path = net->key;
    if (!path && net && net->regulator_key[0]) path = net->regulator_key;
    if (!path) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "what concerns a subject is read with a signature: give --key FILE, or name "
                       "a key in the client.conf");
    }
    return sy_secret_key_load(key, path, passphrase, err);
}
