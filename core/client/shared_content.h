/* shared_content.h: what is to be shared, and the salt of its commitment: a whole file with a salt
 * that is given, or one resource of a FHIR file that `systole submit` registered. */
#ifndef SY_CLIENT_SHARED_CONTENT_H
#define SY_CLIENT_SHARED_CONTENT_H

#include "core/client/client_store.h"

struct sy_shared_content {
    uint8_t *bytes; /* malloc'ed; health data: sy_shared_content_free wipes it */
    size_t size;
    struct sy_hash salt;
};

/* sy_shared_content_read reads the whole file ("-": standard input); the salt is the caller's. */
sy_status sy_shared_content_read(struct sy_shared_content *content, const char *path,
                                 struct sy_error *err);

/* sy_shared_content_find looks through a FHIR file for the resource that the store has as this
 * record, and takes the salt of the version with these bytes from the store. source: name of the
 * source system. SY_ERR_NOT_FOUND: no resource of the file is that record, or not with these bytes.
 */
sy_status sy_shared_content_find(struct sy_shared_content *content, sy_client_store *store,
                                 const char *source, const char *path, const struct sy_hash *record,
                                 struct sy_error *err);

void sy_shared_content_free(struct sy_shared_content *content);

#endif
