/* testnet.c: lays out a network of validators in one folder. Every key is fresh; ports are tried
 * before anything is written, so that a taken one is told at once and not by the validator that
 * does not start. */
#include "core/client/testnet.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/base/os.h"
#include "core/crypto/keys.h"
#include "core/wire/genesis_json.h"

#define PATH_BYTES 1024
#define CONF_BYTES 16384
#define CREDENTIAL_MS (SY_CREDENTIAL_YEARS_MAX * 365ll * 24 * 3600 * 1000)
/* Where the search for free ports begins: below the range that outgoing connections draw from. */
#define FREE_FIRST 10000u
#define FREE_SPREAD 15000u

static sy_status join(char out[PATH_BYTES], const char *folder, const char *name,
                      struct sy_error *err)
{
    int size = snprintf(out, PATH_BYTES, "%s/%s", folder, name);
    if (size > 0 && size < PATH_BYTES) return SY_OK;
    return sy_fail(err, SY_ERR_LIMIT, "%.200s...: the path is too long; choose a shorter one",
                   folder);
}

/* ---- ports -------------------------------------------------------------------------------- */

/* The name of a validator or, behind them, of an observer. */
static void name_node(char out[SY_NAME_BYTES_MAX + 1], const struct sy_testnet_config *config,
                      unsigned index)
{
    bool observes = index >= config->validators;
    (void)snprintf(out, SY_NAME_BYTES_MAX + 1, "%c%u", observes ? 'o' : 'v',
                   observes ? index - config->validators : index);
}

static sy_status check_port(unsigned port, const char *name, struct sy_error *err)
{
    if (sy_os_free_port((uint16_t)port, 1) == port) return SY_OK;
    return sy_fail(err, SY_ERR_NETWORK,
                   "port %u of 127.0.0.1, for %s %s, is taken: stop what listens there, or "
                   "choose another --base-port (0 finds free ones)",
                   port, name[0] == 'v' ? "validator" : "observer", name);
}

static sy_status choose_ports(struct sy_testnet *net, const struct sy_testnet_config *config,
                              struct sy_error *err)
{
    unsigned count = config->validators + config->observers;
    unsigned last = config->base_port + SY_TESTNET_STRIDE * (count - 1) + SY_TESTNET_PORTS - 1;
    if (config->base_port != 0 && last > UINT16_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "base port %u leaves no room for %u nodes below 65536: choose one of at "
                       "most %u",
                       config->base_port, count, config->base_port - (last - UINT16_MAX));
    }
    uint32_t random;
    sy_os_random(&random, sizeof random);
    unsigned next = FREE_FIRST + random % FREE_SPREAD;
    for (unsigned i = 0; i < count; i++) {
        unsigned port = config->base_port + SY_TESTNET_STRIDE * i;
        if (config->base_port == 0) {
            port = sy_os_free_port((uint16_t)next, SY_TESTNET_PORTS);
            if (port == 0) {
                return sy_fail(err, SY_ERR_NETWORK,
                               "there are no %u free ports in a row on 127.0.0.1: stop something",
                               SY_TESTNET_PORTS);
            }
            next = port + SY_TESTNET_PORTS;
        } else {
            char name[SY_NAME_BYTES_MAX + 1];
            name_node(name, config, i);
            for (unsigned k = 0; k < SY_TESTNET_PORTS; k++) SY_TRY(check_port(port + k, name, err));
        }
        net->ports[i] = (uint16_t)port;
    }
    return SY_OK;
}

/* ---- files -------------------------------------------------------------------------------- */

static sy_status make_key(struct sy_public_key *out, const char *folder, const char *name,
                          struct sy_error *err)
{
    char path[PATH_BYTES];
    sy_secret_key *key = NULL;
    SY_TRY(join(path, folder, name, err));
    SY_TRY(sy_secret_key_generate(&key, err));
    sy_status status = sy_secret_key_save(key, path, NULL, err);
    sy_secret_key_public(key, out);
    sy_secret_key_close(key);
    return status;
}

static void write_address(char out[SY_ADDRESS_BYTES_MAX + 1], unsigned port)
{
    (void)snprintf(out, SY_ADDRESS_BYTES_MAX + 1, "tcp://127.0.0.1:%u", port);
}

/* A text that is put together piece by piece; used >= CONF_BYTES: it did not fit. */
struct text {
    char bytes[CONF_BYTES];
    size_t used;
};

static void put(struct text *text, const char *format, ...) SY_PRINTF(2, 3);
static void put(struct text *text, const char *format, ...)
{
    if (text->used >= sizeof text->bytes) return;
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text->bytes + text->used, sizeof text->bytes - text->used, format, args);
    va_end(args);
    text->used = size < 0 ? sizeof text->bytes : text->used + (size_t)size;
}

static sy_status save(const struct text *text, const char *folder, const char *name,
                      struct sy_error *err)
{
    char path[PATH_BYTES];
    if (text->used >= sizeof text->bytes) {
        return sy_fail(err, SY_ERR_LIMIT, "the settings are longer than %d bytes", CONF_BYTES);
    }
    SY_TRY(join(path, folder, name, err));
    return sy_os_write_file(path, text->bytes, text->used, 0644, err);
}

/* The lines by which validators let observers in, or a client finds them. */
static void put_observers(struct text *text, const struct sy_testnet *net,
                          const struct sy_testnet_config *config, bool for_client)
{
    for (unsigned i = 0; i < config->observers; i++) {
        char key[65];
        unsigned port = net->ports[config->validators + i];
        sy_hex_encode(key, net->observers[i].bytes, sizeof net->observers[i].bytes);
        if (for_client) {
            put(text, "observer = o%u %s tcp://127.0.0.1:%u\n", i, key, port + 2);
        } else {
            put(text, "observer = o%u %s tcp://127.0.0.1:%u tcp://127.0.0.1:%u\n", i, key, port,
                port + 1);
        }
    }
}

static sy_status write_config(const struct sy_testnet *net, const struct sy_testnet_config *config,
                              const char *folder, unsigned index, struct sy_error *err)
{
    struct text text = {.used = 0};
    unsigned port = net->ports[index];
    bool observes = index >= config->validators;
    char name[SY_NAME_BYTES_MAX + 1];
    name_node(name, config, index);
    put(&text,
        "# %s %s of a network on this machine.\n"
        "# `systoled --explain-config` prints every key with its meaning.\n"
        "genesis = ../genesis.json\n"
        "data = data\n"
        "%s"
        "link_key = keys/link.pem\n"
        "log_file = log\n"
        "pid_file = pid\n"
        "http = tcp://127.0.0.1:%u\n",
        observes ? "Observer" : "Validator", name,
        observes ? "role = observer\n" : "consensus_key = keys/consensus.pem\n", port + 3);
    if (observes) {
        put(&text, "control = tcp://127.0.0.1:%u\nbulk = tcp://127.0.0.1:%u\n", port, port + 1);
        put(&text, "client = tcp://127.0.0.1:%u\n", port + 2);
    } else {
        put_observers(&text, net, config, false);
    }
    for (unsigned i = 0; i < config->setting_count; i++) put(&text, "%s\n", config->settings[i]);
    return save(&text, folder, "systoled.conf", err);
}

static sy_status make_folders(char folder[PATH_BYTES], char keys[PATH_BYTES],
                              const struct sy_testnet_config *config, const char *name,
                              struct sy_error *err)
{
    SY_TRY(join(folder, config->folder, name, err));
    SY_TRY(join(keys, folder, "keys", err));
    SY_TRY(sy_os_make_dirs(folder, 0755, err));
    return sy_os_make_dirs(keys, 0700, err);
}

static sy_status make_observer(struct sy_testnet *net, const struct sy_testnet_config *config,
                               unsigned observer, struct sy_error *err)
{
    char folder[PATH_BYTES];
    char keys[PATH_BYTES];
    char name[SY_NAME_BYTES_MAX + 1];
    name_node(name, config, config->validators + observer);
    SY_TRY(make_folders(folder, keys, config, name, err));
    SY_TRY(make_key(&net->observers[observer], keys, "link.pem", err));
    return write_config(net, config, folder, config->validators + observer, err);
}

static sy_status make_validator(struct sy_testnet *net, const struct sy_testnet_config *config,
                                unsigned index, struct sy_error *err)
{
    struct sy_validator *validator = &net->genesis.roster.validators[index];
    unsigned port = net->ports[index];
    char folder[PATH_BYTES];
    char keys[PATH_BYTES];
    name_node(validator->name, config, index);
    sy_os_random(validator->organisation.bytes, sizeof validator->organisation.bytes);
    write_address(validator->control_address, port);
    write_address(validator->bulk_address, port + 1);
    write_address(validator->client_address, port + 2);

    SY_TRY(make_folders(folder, keys, config, validator->name, err));
    SY_TRY(make_key(&validator->consensus_key, keys, "consensus.pem", err));
    SY_TRY(make_key(&validator->link_key, keys, "link.pem", err));
    SY_TRY(make_key(&validator->admin_key, keys, "admin.pem", err));
    return write_config(net, config, folder, index, err);
}

static sy_status write_client_config(const struct sy_testnet *net,
                                     const struct sy_testnet_config *config, struct sy_error *err)
{
    struct text text = {.used = 0};
    put(&text, "# A client of this network.\n"
               "genesis = genesis.json\n"
               "client = client\n"
               "regulator_key = keys/regulator-0.pem\n");
    put_observers(&text, net, config, true);
    return save(&text, config->folder, "client.conf", err);
}

static sy_status fill_folder(struct sy_testnet *net, const struct sy_testnet_config *config,
                             struct sy_error *err)
{
    struct sy_genesis *genesis = &net->genesis;
    char path[PATH_BYTES];
    genesis->format = SY_GENESIS_FORMAT;
    genesis->protocol = SY_PROTOCOL_VERSION;
    genesis->created_ms = sy_os_wall_ms();
    genesis->params = (struct sy_params){.regulators_needed = 1,
                                         .credential_ms_max = CREDENTIAL_MS,
                                         .record_bytes_max = SY_RECORD_BYTES_MAX};
    genesis->roster.count = (uint16_t)config->validators;
    // Validators' configurations name the observers' keys.
    for (unsigned i = 0; i < config->observers; i++) SY_TRY(make_observer(net, config, i, err));
    for (unsigned i = 0; i < config->validators; i++) SY_TRY(make_validator(net, config, i, err));

    SY_TRY(join(path, config->folder, "keys", err));
    SY_TRY(sy_os_make_dirs(path, 0700, err));
    genesis->regulator_count = 1;
    SY_TRY(make_key(&genesis->regulators[0], path, "regulator-0.pem", err));
    SY_TRY(sy_genesis_seal(genesis, err));
    SY_TRY(write_client_config(net, config, err));
    SY_TRY(join(path, config->folder, "genesis.json", err));
    return sy_genesis_save(genesis, path, err);
}

/* ---- the folder --------------------------------------------------------------------------- */

/* True when path is missing or an empty folder. */
static sy_status check_folder(const char *path, struct sy_error *err)
{
    DIR *dir = opendir(path);
    if (!dir && errno == ENOENT) return SY_OK;
    if (!dir) {
        return sy_fail(err, sy_os_status(errno), "%s: %s: choose another folder", path,
                       strerror(errno));
    }
    unsigned entries = 0;
    while (readdir(dir)) entries++; // "." and ".." are two of them
    closedir(dir);
    if (entries <= 2) return SY_OK;
    return sy_fail(err, SY_ERR_EXISTS,
                   "%s is not empty: a network is laid out once; remove it, or choose another "
                   "folder",
                   path);
}

sy_status sy_testnet_make(struct sy_testnet *net, const struct sy_testnet_config *config,
                          struct sy_error *err)
{
    memset(net, 0, sizeof *net);
    if (config->validators < SY_VALIDATORS_MIN || config->validators > SY_VALIDATORS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%u validators: give %u to %u", config->validators,
                       SY_VALIDATORS_MIN, SY_VALIDATORS_MAX);
    }
    if (config->observers > SY_TESTNET_OBSERVERS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%u observers: give at most %u", config->observers,
                       SY_TESTNET_OBSERVERS_MAX);
    }
    SY_TRY(check_folder(config->folder, err));
    SY_TRY(choose_ports(net, config, err));
    SY_TRY(sy_os_make_dirs(config->folder, 0755, err));
    sy_status status = fill_folder(net, config, err);
    if (status != SY_OK) {
        // Half a network is of no use to anybody, and would be in the way of the next try.
        sy_status ignored = sy_os_remove_tree(config->folder, NULL);
        (void)ignored;
    }
    return status;
}
