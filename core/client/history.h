/* history.h: what an export carries of a record besides its contents: all of its graph, proven, and
 * sealed to the export's recipient, because authors and cosigners tell who treats the patient.
 *
 *     FOLDER/histories/ID.syhistory
 *       magic "SYHISTO1" | 32 enc | HPKE (core/crypto/hpke.h) of the proofs, to the recipient key:
 *         info "systole-history-v1", aad = genesis hash | export id | record id
 *     the proofs: u32 count | each as bytes32: a .syproof, in this order
 *         the record's entry
 *         version 2 to the last one that the entry counts (the first stands in it)
 *         the cosignatures of version 1 to the last one: present, or absent
 *         record link 1 to the last one that the entry counts
 *
 * All are of the height as of which the export is whole, or of later ones: so no head, version,
 * cosignature or link that there was by then can be kept back. One thread at a time. */
#ifndef SY_CLIENT_HISTORY_H
#define SY_CLIENT_HISTORY_H

#include "core/client/manifest.h"
#include "core/client/places.h"
#include "core/crypto/hpke.h"

#define SY_HISTORY_VERSIONS_MAX 4096u   /* of one record: its writers' alone to make */
#define SY_HISTORY_LINKS_MAX (1u << 20) /* anybody's who may write to the patient */

/* sy_history_make asks for all of it, the record's entry too, writes the file, and notes its hash
 * in the manifest's item. record: as it stands there; what it borrows is gone. SY_ERR_LIMIT: there
 * are too many; SY_ERR_CRYPTO: nothing can be sealed to the recipient's key; else as sy_places_ask
 * and sy_os_write_file. */
sy_status sy_history_make(struct sy_manifest *manifest, struct sy_record *record, uint32_t item,
                          const char *folder, struct sy_places_asked *asked, struct sy_error *err);

/* Zero it first; sy_history_free frees. */
struct sy_history {
    uint8_t *clear; /* what was sealed */
    size_t clear_size;
    struct sy_proven proven;            /* the record's entry */
    struct sy_record record;            /* borrows it */
    struct sy_record_version *versions; /* record.versions of them */
    struct sy_cosignatures *signatures; /* one list a version */
    struct sy_record_link *links;       /* record.links of them */
};

/* sy_history_check_file says whether the file is there, and the one that the manifest names: all
 * that can be told without the key. SY_ERR_FORMAT, SY_ERR_NOT_FOUND. */
sy_status sy_history_check_file(const struct sy_manifest *manifest, uint32_t item,
                                const char *folder, struct sy_error *err);

/* sy_history_load opens the file and checks all of it against the genesis. SY_ERR_PERMISSION: it is
 * not sealed to this key for this record and export; SY_ERR_CRYPTO: a proof does not hold, is about
 * something else, or of a state from before the export; SY_ERR_FORMAT: it is not whole. */
sy_status sy_history_load(struct sy_history *history, const struct sy_manifest *manifest,
                          uint32_t item, const char *folder, const sy_x25519_key *key,
                          const struct sy_genesis *genesis, struct sy_error *err);
void sy_history_free(struct sy_history *history);

/* sy_history_count is how many cosignatures there are, of all versions. */
uint64_t sy_history_count(const struct sy_history *history);

#endif
