/* directory.h: the index that organisations, credentials and data sets are searched by.
 *
 *     certified block --> its events name who changed --> that entry of the newest state --> rows
 *
 * A thread of its own follows the ledger (follower.h) and keeps rows in the store's directory. A
 * row holds the id, which no entry of the state does, and a little of what the entry says; each row
 * stands under several keys, one for each way to search:
 *
 *   'o' id · 'k' u16 kind, id · 'n' name hash, id                      an organisation
 *   'c' key · 'h' organisation, key · 'r' role, key · 's' specialty, key     a credential
 *   'd' id                                                                   a data set
 *
 * Rows come from the newest state, whichever block names them: an index that lags may be ahead of
 * its height in places, and ends up the same. Rows are hints: what is true, the state proof of the
 * entry says that is then asked for. Patients' and guardians' keys, and devices' of patients, are
 * not in it: they are nobody else's to look for. Nothing that execution does reads it. */
#ifndef SY_NODE_DIRECTORY_H
#define SY_NODE_DIRECTORY_H

#include "core/store/store.h"
#include "core/wire/find.h"
#include "core/wire/genesis.h"

typedef struct sy_directory sy_directory;

/* sy_directory_open starts the thread, which goes on where the index ends. Both are borrowed. */
sy_status sy_directory_open(sy_directory **directory, sy_store *store,
                            const struct sy_genesis *genesis, struct sy_error *err);

/* sy_directory_certified wakes it: more blocks are certified. Any thread. */
void sy_directory_certified(sy_directory *directory);

/* sy_directory_close ends the thread. NULL is fine. */
void sy_directory_close(sy_directory *directory);

/* sy_directory_find looks in the index, for entries as they are at time_ms. *visited: how many rows
 * that took, a few thousand at most, which is what it costs. Any thread, with its own reader.
 * SY_ERR_CORRUPT: the index is damaged. */
sy_status sy_directory_find(sy_store_reader *reader, struct sy_found *found, uint64_t *visited,
                            const struct sy_find *find, int64_t time_ms);

#endif
