/* testnet.c: lays out a network of validators in one folder. Every key is fresh; ports are tried
 * before anything is written, so that a taken one is told at once and not by the validator that
 * does not start. */
#include "core/client/testnet.h"

#include <dirent.h>
#include <errno.h>
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

static sy_status check_port(unsigned port, unsigned validator, struct sy_error *err)
{
    if (sy_os_free_port((uint16_t)port, 1) == port) return SY_OK;
    return sy_fail(err, SY_ERR_NETWORK,
                   "port %u of 127.0.0.1, for validator v%u, is taken: stop what listens there, or "
                   "choose another --base-port (0 finds free ones)",
                   port, validator);
}

static sy_status choose_ports(struct sy_testnet *net, const struct sy_testnet_config *config,
                              struct sy_error *err)
{
    unsigned last =
        config->base_port + SY_TESTNET_STRIDE * (config->validators - 1) + SY_TESTNET_PORTS - 1;
    if (config->base_port != 0 && last > UINT16_MAX) {
        return sy_fail(
            err, SY_ERR_ARGUMENT,
            "base port %u leaves no room for %u validators below 65536: choose one of at "
            "most %u",
            config->base_port, config->validators, config->base_port - (last - UINT16_MAX));
    }
    uint32_t random;
    sy_os_random(&random, sizeof random);
    unsigned next = FREE_FIRST + random % FREE_SPREAD;
    for (unsigned i = 0; i < config->validators; i++) {
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
            for (unsigned k = 0; k < SY_TESTNET_PORTS; k++) SY_TRY(check_port(port + k, i, err));
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

static sy_status write_validator_config(const struct sy_testnet_config *config, const char *folder,
                                        unsigned index, unsigned port, struct sy_error *err)
{
    char text[CONF_BYTES];
    char path[PATH_BYTES];
    int size = snprintf(text, sizeof text,
                        "# Validator v%u of a network on this machine.\n"
                        "# `systoled --explain-config` prints every key with its meaning.\n"
                        "genesis = ../genesis.json\n"
                        "data = data\n"
                        "consensus_key = keys/consensus.pem\n"
                        "link_key = keys/link.pem\n"
                        "log_file = log\n"
                        "pid_file = pid\n"
                        "http = tcp://127.0.0.1:%u\n",
                        index, port + 3);
    for (unsigned i = 0; i < config->setting_count && size > 0 && size < CONF_BYTES; i++) {
        size += snprintf(text + size, sizeof text - (size_t)size, "%s\n", config->settings[i]);
    }
    if (size < 0 || size >= CONF_BYTES) {
        return sy_fail(err, SY_ERR_LIMIT, "the settings are longer than %d bytes", CONF_BYTES);
    }
    SY_TRY(join(path, folder, "systoled.conf", err));
    return sy_os_write_file(path, text, (size_t)size, 0644, err);
}

static sy_status make_validator(struct sy_testnet *net, const struct sy_testnet_config *config,
                                unsigned index, struct sy_error *err)
{
    struct sy_validator *validator = &net->genesis.roster.validators[index];
    unsigned port = net->ports[index];
    char folder[PATH_BYTES];
    char keys[PATH_BYTES];
    (void)snprintf(validator->name, sizeof validator->name, "v%u", index);
    sy_os_random(validator->organisation.bytes, sizeof validator->organisation.bytes);
    write_address(validator->control_address, port);
    write_address(validator->bulk_address, port + 1);
    write_address(validator->client_address, port + 2);

    SY_TRY(join(folder, config->folder, validator->name, err));
    SY_TRY(join(keys, folder, "keys", err));
    SY_TRY(sy_os_make_dirs(folder, 0755, err));
    SY_TRY(sy_os_make_dirs(keys, 0700, err));
    SY_TRY(make_key(&validator->consensus_key, keys, "consensus.pem", err));
    SY_TRY(make_key(&validator->link_key, keys, "link.pem", err));
    SY_TRY(make_key(&validator->admin_key, keys, "admin.pem", err));
    return write_validator_config(config, folder, index, port, err);
}

static sy_status write_client_config(const char *folder, struct sy_error *err)
{
    static const char text[] = "# A client of this network.\n"
                               "genesis = genesis.json\n"
                               "client = client\n"
                               "regulator_key = keys/regulator-0.pem\n";
    char path[PATH_BYTES];
    SY_TRY(join(path, folder, "client.conf", err));
    return sy_os_write_file(path, text, sizeof text - 1, 0644, err);
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
    for (unsigned i = 0; i < config->validators; i++) SY_TRY(make_validator(net, config, i, err));

    SY_TRY(join(path, config->folder, "keys", err));
    SY_TRY(sy_os_make_dirs(path, 0700, err));
    genesis->regulator_count = 1;
    SY_TRY(make_key(&genesis->regulators[0], path, "regulator-0.pem", err));
    SY_TRY(sy_genesis_seal(genesis, err));
    SY_TRY(write_client_config(config->folder, err));
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
