/* config.h: systoled's configuration: `key = value` lines, # comments. Every key is in one table
 * (config.def) with its default, bounds and a sentence; `systoled --explain-config` prints it. */
#ifndef SY_NODE_CONFIG_H
#define SY_NODE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"

#define SY_CONFIG_TEXT_MAX 256

struct sy_config {
#define SY_CONFIG_TEXT(name, fallback, help) char name[SY_CONFIG_TEXT_MAX];
#define SY_CONFIG_PATH(name, fallback, help) char name[SY_CONFIG_TEXT_MAX];
#define SY_CONFIG_NUMBER(name, fallback, least, most, help) uint64_t name;
#define SY_CONFIG_ZERO_OR(name, fallback, least, most, help) uint64_t name;
#include "consensus/node/config.def"
#undef SY_CONFIG_TEXT
#undef SY_CONFIG_PATH
#undef SY_CONFIG_NUMBER
#undef SY_CONFIG_ZERO_OR
};

/* sy_config_load reads path. Relative paths in it are taken from its folder. Unknown keys, keys
 * given twice, values out of bounds and over-long lines are refused with file and line. */
sy_status sy_config_load(struct sy_config *config, const char *path, struct sy_error *err);

/* sy_config_default fills in every default. */
void sy_config_default(struct sy_config *config);

/* sy_config_explain prints every key with default, bounds and meaning. */
void sy_config_explain(FILE *out);

#endif
