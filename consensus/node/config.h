/* config.h: systoled's configuration: `key = value` lines, # comments. Every key is in one table
 * (config.def) with its default, bounds and a sentence; `systoled --explain-config` prints it.
 * Beside those, up to SY_NODE_OBSERVERS_MAX lines
 *
 *     observer = NAME LINK_KEY CONTROL_ADDRESS BULK_ADDRESS
 *
 * the key as 64 hex digits, addresses as rosters have them (tcp://HOST:PORT). */
#ifndef SY_NODE_CONFIG_H
#define SY_NODE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "consensus/node/node.h"
#include "core/base/status.h"
#include "core/net/link.h"

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
    bool observes;                                        /* role is "observer" */
    struct sy_link_peer observers[SY_NODE_OBSERVERS_MAX]; /* whom a validator lets in beside the */
    uint32_t observer_count;                              /* roster: `observer` lines */
};

/* sy_config_load reads path. Relative paths in it are taken from its folder. Unknown keys, keys
 * given twice, values out of bounds and over-long lines are refused with file and line, and so are
 * observers of one name or key, too many of them, or any in an observer's configuration. */
sy_status sy_config_load(struct sy_config *config, const char *path, struct sy_error *err);

/* sy_config_default fills in every default. */
void sy_config_default(struct sy_config *config);

/* sy_config_explain prints every key with default, bounds and meaning. */
void sy_config_explain(FILE *out);

#endif
