/* cmd_validator.h: a stopped validator's files, for the commands that look at them offline. */
#ifndef SY_CLIENT_CMD_VALIDATOR_H
#define SY_CLIENT_CMD_VALIDATOR_H

#include "core/client/cmd.h"
#include "core/store/store.h"

struct sy_cmd_validator {
    char genesis[SY_CMD_PATH_MAX]; /* its genesis file */
    char data[SY_CMD_PATH_MAX];    /* its store */
};

/* sy_cmd_validator_find finds them: word is the validator's folder, its systoled.conf or, with a
 * genesis_path, the store itself. genesis_path (NULL: none) comes before what the systoled.conf
 * says. SY_ERR_ARGUMENT says what to give instead. */
sy_status sy_cmd_validator_find(struct sy_cmd_validator *validator, const char *word,
                                const char *genesis_path, struct sy_error *err);

/* sy_cmd_validator_open loads the genesis and opens the store for reading; view_age_ms as in
 * store.h. SY_ERR_PERMISSION: the validator runs. The caller closes the store. */
sy_status sy_cmd_validator_open(sy_store **store, struct sy_genesis *genesis,
                                const struct sy_cmd_validator *validator, uint32_t view_age_ms,
                                struct sy_error *err);

#endif
