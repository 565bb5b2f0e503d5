/* cmd_validator.c: see cmd_validator.h. */
#include "core/client/cmd_validator.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/conf.h"
#include "core/wire/genesis_json.h"

static sy_status take_key(void *context, const char *name, char *value,
                          const struct sy_conf_place *place)
{
    struct sy_cmd_validator *validator = (struct sy_cmd_validator *)context;
    if (strcmp(name, "genesis") == 0) {
        return sy_conf_path(validator->genesis, sizeof validator->genesis, name, value, place);
    }
    if (strcmp(name, "data") == 0) {
        return sy_conf_path(validator->data, sizeof validator->data, name, value, place);
    }
    return SY_OK; // every other key is systoled's business
}

static sy_status read_config(struct sy_cmd_validator *validator, const char *config,
                             struct sy_error *err)
{
    struct sy_conf_place place = {config, 0, err};
    SY_TRY(sy_conf_path(validator->genesis, sizeof validator->genesis, "genesis", "genesis.json",
                        &place));
    SY_TRY(sy_conf_path(validator->data, sizeof validator->data, "data", "data", &place));
    return sy_conf_each(config, take_key, validator, err);
}

sy_status sy_cmd_validator_find(struct sy_cmd_validator *validator, const char *word,
                                const char *genesis_path, struct sy_error *err)
{
    char config[SY_CMD_PATH_MAX];
    struct stat info;
    bool is_folder = stat(word, &info) == 0 && S_ISDIR(info.st_mode);
    int size = snprintf(config, sizeof config, "%s%s", word, is_folder ? "/systoled.conf" : "");
    if (size < 0 || (size_t)size >= sizeof config) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.200s...: the path is too long", word);
    }
    if (!is_folder || access(config, F_OK) == 0) {
        SY_TRY(read_config(validator, config, err));
    } else if (genesis_path) {
        (void)snprintf(validator->data, sizeof validator->data, "%s", word);
    } else {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s has no systoled.conf; if it is a store's folder, name the genesis file "
                       "with --genesis",
                       word);
    }
    if (genesis_path) {
        (void)snprintf(validator->genesis, sizeof validator->genesis, "%s", genesis_path);
    }
    return SY_OK;
}

sy_status sy_cmd_validator_open(sy_store **store, struct sy_genesis *genesis,
                                const struct sy_cmd_validator *validator, uint32_t view_age_ms,
                                struct sy_error *err)
{
    SY_TRY(sy_genesis_load(genesis, validator->genesis, err));
    struct sy_store_config config = {.path = validator->data,
                                     .genesis = genesis->hash,
                                     .read_only = true,
                                     .view_age_ms_max = view_age_ms};
    sy_status status = sy_store_open_lmdb(store, &config, err);
    if (status != SY_ERR_BUSY) return status;
    struct sy_error busy = *err;
    return sy_fail(err, SY_ERR_PERMISSION,
                   "%.400s; stop the validator first, or take a copy of its store", busy.text);
}
