/* manifest.h: what stands in an export: one item a record of the patient's, in the order of the
 * patient's places (places.h), with the envelopes of its contents or why there are none.
 *
 *     FOLDER/manifest.syexport              this (core/wire/FORMAT.md, "Exports")
 *     FOLDER/proofs/ID.syproof              the patient's entry, merged ids'; records left out
 *     FOLDER/proofs/ID-N.syproof            place N of a patient's id
 *     FOLDER/proofs/export.syproof          what was asked for, and the answer once there is one
 *     FOLDER/contents/ID-V.syenvelope       version V of a record, sealed to the recipient
 *     FOLDER/histories/ID.syhistory         all versions of a record, who signed them, what names
 *                                           it: proven, and sealed, too (history.h)
 *
 * Not thread safe; nothing here asks a network. */
#ifndef SY_CLIENT_MANIFEST_H
#define SY_CLIENT_MANIFEST_H

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/wire/codec.h"

#define SY_MANIFEST_ITEMS_MAX (1u << 20)
#define SY_MANIFEST_BYTES_MAX (256u << 20)

enum sy_manifest_state {
    SY_MANIFEST_INCLUDED = 1,
    SY_MANIFEST_ERASED = 2,
    SY_MANIFEST_ELSEWHERE = 3 /* kept by another organisation, or the patient */
};

struct sy_manifest_item {
    struct sy_hash record;
    uint8_t state; /* enum sy_manifest_state */
    uint16_t content_count;
    uint32_t first_content; /* index in contents */
    struct sy_hash history; /* SHA-256 of the history's file, of one that is included */
};

struct sy_manifest_content {
    uint32_t item; /* index */
    uint32_t version;
    struct sy_hash file;    /* SHA-256 of the envelope */
    struct sy_hash wrapped; /* sy_envelope_wrapped_hash of its one wrap */
};

/* Zero it; sy_manifest_free frees. */
struct sy_manifest {
    struct sy_hash genesis, export_id, patient, organisation;
    struct sy_public_key recipient_key;
    uint64_t as_of, places, records;
    struct sy_manifest_item *items;
    uint32_t item_count, item_room;
    struct sy_manifest_content *contents; /* by item, then version, once sorted */
    uint32_t content_count, content_room;
};
void sy_manifest_free(struct sy_manifest *manifest);

sy_status sy_manifest_add_item(struct sy_manifest *manifest, const struct sy_hash *record,
                               struct sy_error *err);
sy_status sy_manifest_add_content(struct sy_manifest *manifest,
                                  const struct sy_manifest_content *content, struct sy_error *err);
/* sy_manifest_sort puts contents in order and counts each item's; before it items have none. */
void sy_manifest_sort(struct sy_manifest *manifest);

/* sy_manifest_roots: of the leaves of the items, and of the wrapped hashes of all contents, as
 * export.fulfil names them. False: no memory. */
bool sy_manifest_roots(const struct sy_manifest *manifest, struct sy_hash *manifest_root,
                       struct sy_hash *wrapped_root);
uint64_t sy_manifest_count(const struct sy_manifest *manifest, enum sy_manifest_state state);

/* sy_manifest_exceptions gives the records that are left out, *count of them, ascending as
 * export.fulfil names them; free() it. NULL: no memory. */
struct sy_hash *sy_manifest_exceptions(const struct sy_manifest *manifest, uint32_t *count);

/* sy_manifest_write writes FOLDER/manifest.syexport, sy_manifest_read reads it. SY_ERR_FORMAT: it
 * is no canonical manifest. */
sy_status sy_manifest_write(const struct sy_manifest *manifest, const char *folder,
                            struct sy_error *err);
sy_status sy_manifest_read(struct sy_manifest *manifest, const char *folder, struct sy_error *err);

/* sy_manifest_decode reads its bytes; name stands for them in sentences. */
sy_status sy_manifest_decode(struct sy_manifest *manifest, struct sy_slice bytes, const char *name,
                             struct sy_error *err);

/* sy_manifest_path writes FOLDER/contents/ID-V.syenvelope. */
#define SY_MANIFEST_PATH_BYTES 1200
sy_status sy_manifest_path(char out[SY_MANIFEST_PATH_BYTES], const char *folder,
                           const struct sy_hash *record, uint32_t version, struct sy_error *err);

#endif
