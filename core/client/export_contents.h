/* export_contents.h: finds the contents of a patient's records in files that were submitted, and
 * seals each to an export's recipient. One thread at a time. */
#ifndef SY_CLIENT_EXPORT_CONTENTS_H
#define SY_CLIENT_EXPORT_CONTENTS_H

#include "core/client/asker.h"
#include "core/client/client_store.h"
#include "core/client/manifest.h"
#include "core/wire/state.h"

/* A record whose heads have to be there. */
struct sy_export_wanted {
    struct sy_hash record;
    uint32_t item; /* in the manifest */
    uint8_t head_count;
    uint32_t heads[SY_RECORD_HEADS_MAX];
};

/* Fill what is borrowed; sy_export_contents_free frees the rest. */
struct sy_export_contents {
    struct sy_manifest *manifest; /* borrowed, as is all down to max_age_ms */
    const char *folder, *source;
    sy_client_store *store; /* NULL: only sy_export_contents_give */
    sy_asker *asker;
    const sy_secret_key *key; /* signs the reads */
    int64_t max_age_ms;
    struct sy_export_wanted *wanted; /* by record, once sorted */
    uint32_t wanted_count, wanted_room;
    bool sorted;
};

sy_status sy_export_contents_want(struct sy_export_contents *contents, uint32_t item,
                                  const struct sy_record *record, struct sy_error *err);

/* sy_export_contents_take reads a FHIR file and seals each version of a record that is wanted, once
 * it is proven to be what the ledger committed to. What else is in the file is passed over.
 * SY_ERR_CRYPTO: nothing can be sealed to the recipient's key; else as sy_asker_read and
 * sy_os_write_file. */
sy_status sy_export_contents_take(struct sy_export_contents *contents, const char *path,
                                  struct sy_error *err);

/* sy_export_contents_give does so for one content by itself, "RECORD:SALT:FILE", which no client's
 * store has to know. SY_ERR_ARGUMENT: it is not of that form, or the record is not wanted. */
sy_status sy_export_contents_give(struct sy_export_contents *contents, const char *text,
                                  struct sy_error *err);

/* sy_export_contents_missing tells each head of a wanted record that was in no file. */
void sy_export_contents_missing(struct sy_export_contents *contents,
                                void (*tell)(void *self, const struct sy_hash *record,
                                             uint32_t version),
                                void *self);

void sy_export_contents_free(struct sy_export_contents *contents);

#endif
