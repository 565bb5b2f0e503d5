/* import_layout.h: which version of which record here a version of a record of another network is,
 * over all the exports that were imported of it.
 *
 *     there   v1 --- v2 --- v4      contents of v1, v3, v4 came first, then those of all
 *              \                    here   first:  v1 is 1, v3 is 2 on 1, v4 is 3, a branch of 1
 *               v3 --- v5                  then:   v5 is 4 on 2; v2 comes late
 *
 * Each is a version of the record that the nearest version is of that it came from and that stands
 * here, on it. What has none begins a record: it would hide another one's content in its stead.
 * What stands here stays as it is: later ones get later numbers. A version of which a later one
 * stands here already is late: it would be the newest here, and is not there, so it gets no place.
 *
 * One thread at a time. */
#ifndef SY_CLIENT_IMPORT_LAYOUT_H
#define SY_CLIENT_IMPORT_LAYOUT_H

#include "core/client/client_store.h"
#include "core/wire/state.h"

/* Borrows all but places and covered; sy_layout_close frees. */
struct sy_layout {
    sy_client_store *store;
    const char *system; /* the other network, as labels name it */
    struct sy_hash record;
    struct sy_slice record_class;
    const struct sy_record_version *versions; /* there: 1 to count, each from a lesser one */
    uint32_t count;
    struct sy_client_place *places; /* here; number 0: none */
    bool *covered;                  /* a later version stands here that came from it */
};

/* sy_layout_open reads what stands here of the record. On failure there is nothing to close. */
sy_status sy_layout_open(struct sy_layout *layout, sy_client_store *store, const char *system,
                         const struct sy_hash *record, struct sy_slice record_class,
                         const struct sy_record_version *versions, uint32_t count,
                         struct sy_error *err);
void sy_layout_close(struct sy_layout *layout); /* zeroed is fine */

/* sy_layout_place is where a version from 1 to count is, or goes from now on; NULL: it is late. */
const struct sy_client_place *sy_layout_place(struct sy_layout *layout, uint32_t version);

/* sy_layout_keep writes its place into the store, durable with the next commit. */
sy_status sy_layout_keep(const struct sy_layout *layout, uint32_t version, struct sy_error *err);

#endif
