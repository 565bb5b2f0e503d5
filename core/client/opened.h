/* opened.h: an envelope that was opened, and what its proofs say: the content is the version of the
 * record that the ledger committed to. Works offline: proofs travel inside. One thread at a time.
 */
#ifndef SY_CLIENT_OPENED_H
#define SY_CLIENT_OPENED_H

#include "core/client/asker.h"
#include "core/wire/envelope.h"
#include "core/wire/state.h"

/* Zero it first; sy_opened_free wipes and frees. Too large for a small stack. */
struct sy_opened {
    uint8_t *file; /* the envelope's bytes */
    size_t file_size;
    struct sy_envelope envelope;
    struct sy_envelope_key content_key;
    unsigned wrap;               /* which one opened */
    struct sy_hash wrapped_hash; /* what a grant would commit to, of that wrap */
    uint8_t *clear;
    struct sy_envelope_body body; /* borrows clear */
    struct sy_proven proofs[SY_ENVELOPE_PROOFS_MAX];
    struct sy_record record; /* borrows proofs[0], as the record stood there */
    bool is_head;            /* the version was a current one then */
};

/* sy_opened_load reads the file at path, opens it with key and checks all of it against the
 * genesis. SY_ERR_PERMISSION: it is not sealed to this key; SY_ERR_FORMAT: no envelope, or what is
 * sealed is none; SY_ERR_CRYPTO: it was changed, its proofs do not hold, or the content is not what
 * they say; SY_ERR_ARGUMENT: it is of another network; else as sy_os_read_file. */
sy_status sy_opened_load(struct sy_opened *opened, const char *path, const sy_x25519_key *key,
                         const struct sy_genesis *genesis, struct sy_error *err);

/* sy_opened_take does the same with bytes of malloc'ed memory, which opened owns from then on, even
 * after a failure; name: what messages call them. */
sy_status sy_opened_take(struct sy_opened *opened, uint8_t *bytes, size_t size, const char *name,
                         const sy_x25519_key *key, const struct sy_genesis *genesis,
                         struct sy_error *err);

void sy_opened_free(struct sy_opened *opened);

#endif
