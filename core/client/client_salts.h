/* client_salts.h: the secrets that must be destroyed one by one: salts, in places of a plain file.
 *
 *     store/salts    32 bytes: "systole-salts-v1", zeros
 *                    32 bytes a place, from place 1 on; zeros: nothing there, or no longer
 *
 * LMDB never overwrites a page: what is replaced or removed there stays in free pages, and within
 * live ones, until something else happens to be written over it. So no salt ever goes into LMDB.
 * Rows hold the number of a place in this file; a salt is destroyed by writing zeros over its place
 * and waiting until they are on the disk. The file only grows and is never replaced, so that its
 * blocks stay where they are. What a file system or a disk keeps of blocks that were overwritten
 * (snapshots, copy on write, wear levelling) and backups are beyond this file's reach: DESIGN.md.
 *
 * One thread at a time; whoever writes holds the store's lock. Failpoint (core/base/os.h):
 * client.salts before a sync. */
#ifndef SY_CLIENT_CLIENT_SALTS_H
#define SY_CLIENT_CLIENT_SALTS_H

#include "core/base/bytes.h"
#include "core/base/status.h"

typedef struct sy_client_salts sy_client_salts;

/* sy_client_salts_open opens the file in the store's folder; make: or makes it. SY_ERR_NOT_FOUND:
 * there is none; SY_ERR_CORRUPT: it is something else. */
sy_status sy_client_salts_open(sy_client_salts **out, const char *folder, bool writes, bool make,
                               struct sy_error *err);
void sy_client_salts_close(sy_client_salts *salts); /* NULL is fine */

/* sy_client_salts_get reads a place, from 1. SY_ERR_NOT_FOUND: nothing is there. */
sy_status sy_client_salts_get(const sy_client_salts *salts, struct sy_hash *out, uint64_t place,
                              struct sy_error *err);

/* sy_client_salts_put writes a place, not zeros (asserted). It is durable after the next sync. */
sy_status sy_client_salts_put(sy_client_salts *salts, uint64_t place, const struct sy_hash *salt,
                              struct sy_error *err);

/* sy_client_salts_wipe writes zeros over a place; 0 is none. Gone after the next sync. */
sy_status sy_client_salts_wipe(sy_client_salts *salts, uint64_t place, struct sy_error *err);

/* sy_client_salts_sync waits until what was written is on the disk. */
sy_status sy_client_salts_sync(sy_client_salts *salts, struct sy_error *err);

#endif
