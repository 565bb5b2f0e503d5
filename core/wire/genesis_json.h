/* genesis_json.h: genesis.json, the rendering of a genesis that people keep and compare.
 *
 *   {"format":1,"created_ms":...,"protocol":1,
 *    "params":{"regulators_needed":1,"credential_ms_max":...,"record_bytes_max":...},
 *    "roster":[{"name","organisation","consensus_key","link_key","admin_key","control_address",
 *               "bulk_address","client_address"}, ...],
 *    "regulators":["<64 hex digits>", ...],
 *    "hash":"<64 hex digits>"}
 *
 * Keys and ids are lower-case hex. `hash` is checked when it is there: it is derived from the
 * canonical binary form (genesis.h). Unknown members, missing members and members of another type
 * are refused with their path. The only file of core/wire that knows jansson. */
#ifndef SY_WIRE_GENESIS_JSON_H
#define SY_WIRE_GENESIS_JSON_H

#include "core/wire/genesis.h"

#define SY_GENESIS_JSON_BYTES_MAX (256u << 10)

/* sy_genesis_load reads, checks and seals a genesis file. SY_ERR_NOT_FOUND, SY_ERR_LIMIT (longer
 * than any genesis), SY_ERR_FORMAT (no JSON, or not of the shape above), SY_ERR_VERSION,
 * SY_ERR_ARGUMENT (a value that sy_genesis_seal refuses), SY_ERR_CRYPTO (`hash` names another
 * genesis). After a failure genesis holds nothing of use. */
sy_status sy_genesis_load(struct sy_genesis *genesis, const char *path, struct sy_error *err);

/* sy_genesis_parse does the same for text in memory; name stands for the file in sentences. */
sy_status sy_genesis_parse(struct sy_genesis *genesis, struct sy_slice text, const char *name,
                           struct sy_error *err);

/* sy_genesis_save writes it (mode 0644), hash included; an existing file is refused. */
sy_status sy_genesis_save(const struct sy_genesis *genesis, const char *path, struct sy_error *err);

#endif
