/* cmd_access.h: what the files of `systole access` share; argv[0] is the part's name. */
#ifndef SY_CLIENT_CMD_ACCESS_H
#define SY_CLIENT_CMD_ACCESS_H

#include "core/base/json.h"
#include "core/base/status.h"
#include "core/wire/disclosed.h"

int sy_cmd_access_log(int argc, char **argv);
int sy_cmd_access_show(int argc, char **argv);
int sy_cmd_access_prove(int argc, char **argv);
int sy_cmd_access_verify(int argc, char **argv);

/* What the log that is in hand has. */
struct sy_access_file {
    uint8_t network[16];
    struct sy_hash log_id;
    struct sy_disclosed *leaves; /* SY_LOG_LEAVES_MAX, owned */
    uint32_t count;
};

/* sy_access_file_find reads a file of leaves and takes the log that is wanted: of this id, or the
 * only one (NULL). Of a log that stands there twice, the one with more leaves. SY_ERR_FORMAT: it is
 * no such file; SY_ERR_NOT_FOUND: the log is not in it; SY_ERR_ARGUMENT: several are, and none was
 * named. The caller frees leaves, after a failure too. */
sy_status sy_access_file_find(struct sy_access_file *file, const char *path,
                              const struct sy_hash *wanted, struct sy_error *err);

/* sy_access_put writes the members of a leaf, the salt left out. */
void sy_access_put(sy_json *json, const struct sy_disclosed *leaf);

#endif
