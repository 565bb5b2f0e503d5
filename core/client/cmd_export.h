/* cmd_export.h: what the files of `systole export` share; argv[0] is the part's name. */
#ifndef SY_CLIENT_CMD_EXPORT_H
#define SY_CLIENT_CMD_EXPORT_H

#include "core/client/manifest.h"
#include "core/crypto/hpke.h"
#include "core/wire/genesis.h"
#include "core/wire/limits.h"

/* sy_export_check says whether folder is the whole record of a patient of the genesis's network, as
 * `systole export verify` does, each envelope and history opened with key, and reads its manifest,
 * which the caller frees. linked: the patients that its patient's id is linked to. SY_ERR_FORMAT,
 * SY_ERR_CRYPTO: it is not; err says what was found first. */
sy_status sy_export_check(struct sy_manifest *manifest, struct sy_hash linked[SY_LINKS_MAX],
                          unsigned *linked_count, const char *folder,
                          const struct sy_genesis *genesis, const sy_x25519_key *key,
                          struct sy_error *err);

int sy_cmd_export_verify(int argc, char **argv);

#endif
