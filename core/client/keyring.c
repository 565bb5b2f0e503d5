/* keyring.c: open keys stand in a fixed table, found by name; when it is full the one that was not
 * used for longest is closed. Adopted keys have no file to come back from and stay. */
#include "core/client/keyring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/table.h"

#define PATH_BYTES 4096u

struct open_key {
    struct sy_hash name;
    sy_secret_key *key; /* NULL: the slot is free */
    uint64_t used;      /* when it was last used, in uses */
    bool adopted;
};

struct sy_keyring {
    char path[PATH_BYTES];
    bool rehearses;
    bool renamed; /* since the last sync */
    unsigned open_max;
    sy_arena arena;
    struct sy_table slots; /* name -> uint32_t index into keys */
    struct open_key keys[SY_KEYRING_OPEN_MAX];
    uint64_t uses;
};

sy_status sy_keyring_open(sy_keyring **keyring, const char *path, unsigned open_max, bool rehearses,
                          struct sy_error *err)
{
    *keyring = NULL;
    if (open_max == 0) open_max = SY_KEYRING_OPEN_MAX;
    SY_ASSERT(open_max >= 2 && open_max <= SY_KEYRING_OPEN_MAX);
    if (!rehearses) {
        if (strlen(path) >= PATH_BYTES - 128) {
            return sy_fail(err, SY_ERR_ARGUMENT, "the keyring's path is too long");
        }
        SY_TRY(sy_os_make_dirs(path, 0700, err));
        if (chmod(path, 0700) != 0) {
            return sy_fail(err, SY_ERR_PERMISSION, "%s: cannot set mode 0700: %s", path,
                           strerror(errno));
        }
    }
    sy_keyring *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the keyring");
    uint64_t seed[2];
    sy_os_random(seed, sizeof seed);
    sy_status status = sy_arena_open(&fresh->arena, SY_KEYRING_OPEN_MAX * 256);
    if (status == SY_OK) {
        status = sy_table_init(&fresh->slots, &fresh->arena, SY_KEYRING_OPEN_MAX, 8, seed);
    }
    if (status != SY_OK) {
        sy_keyring_close(fresh);
        return sy_fail(err, status, "no memory for the keyring");
    }
    if (!rehearses) (void)snprintf(fresh->path, sizeof fresh->path, "%s", path);
    fresh->rehearses = rehearses;
    fresh->open_max = open_max;
    *keyring = fresh;
    return SY_OK;
}

void sy_keyring_close(sy_keyring *keyring)
{
    if (keyring == NULL) return;
    for (size_t i = 0; i < SY_KEYRING_OPEN_MAX; i++) sy_secret_key_close(keyring->keys[i].key);
    sy_arena_close(&keyring->arena);
    free(keyring);
}

/* --- open keys ------------------------------------------------------------------------------- */

static struct open_key *find_open(sy_keyring *keyring, const struct sy_hash *name)
{
    const uint32_t *slot = sy_table_find(&keyring->slots, name);
    if (slot == NULL) return NULL;
    struct open_key *key = &keyring->keys[*slot];
    key->used = ++keyring->uses;
    return key;
}

/* A free slot, if need be the one whose key rested longest. NULL: all are adopted. */
static struct open_key *take_slot(sy_keyring *keyring)
{
    struct open_key *oldest = NULL;
    for (size_t i = 0; i < keyring->open_max; i++) {
        struct open_key *key = &keyring->keys[i];
        if (key->key == NULL) return key;
        if (!key->adopted && (oldest == NULL || key->used < oldest->used)) oldest = key;
    }
    if (oldest == NULL) return NULL;
    (void)sy_table_remove(&keyring->slots, &oldest->name);
    sy_secret_key_close(oldest->key);
    oldest->key = NULL;
    return oldest;
}

static sy_status keep_open(sy_keyring *keyring, const struct sy_hash *name, sy_secret_key *key,
                           bool adopted, struct sy_error *err)
{
    struct open_key *slot = take_slot(keyring);
    uint32_t *index = slot == NULL ? NULL : sy_table_put(&keyring->slots, name, NULL);
    if (index == NULL) {
        sy_secret_key_close(key);
        return sy_fail(err, SY_ERR_LIMIT, "too many keys are open");
    }
    *index = (uint32_t)(slot - keyring->keys);
    *slot = (struct open_key){*name, key, ++keyring->uses, adopted};
    return SY_OK;
}

sy_status sy_keyring_adopt(sy_keyring *keyring, const struct sy_hash *name, sy_secret_key *key,
                           struct sy_error *err)
{
    SY_ASSERT(find_open(keyring, name) == NULL);
    return keep_open(keyring, name, key, true, err);
}

/* --- files ----------------------------------------------------------------------------------- */

static void file_path(char out[PATH_BYTES], const sy_keyring *keyring, const struct sy_hash *name,
                      const char *ending)
{
    char hex[65];
    sy_hex_encode(hex, name->bytes, sizeof name->bytes);
    int wrote = snprintf(out, PATH_BYTES, "%s/%s%s", keyring->path, hex, ending);
    SY_ASSERT(wrote > 0 && wrote < (int)PATH_BYTES);
}

static sy_status open_named(sy_keyring *keyring, const struct sy_hash *name, struct sy_error *err)
{
    char path[PATH_BYTES];
    sy_secret_key *key;
    file_path(path, keyring, name, ".pem");
    SY_TRY(sy_secret_key_load(&key, path, NULL, err));
    return keep_open(keyring, name, key, false, err);
}

static sy_status make_named(sy_keyring *keyring, const struct sy_hash *name, struct sy_error *err)
{
    char path[PATH_BYTES];
    sy_secret_key *key;
    file_path(path, keyring, name, ".pem");
    if (access(path, F_OK) == 0) return open_named(keyring, name, err);
    SY_TRY(sy_secret_key_generate(&key, err));
    sy_status status = sy_secret_key_save(key, path, NULL, err);
    if (status != SY_OK) {
        sy_secret_key_close(key);
        return status;
    }
    return keep_open(keyring, name, key, false, err);
}

sy_status sy_keyring_make(sy_keyring *keyring, struct sy_public_key *out,
                          const struct sy_hash *name, struct sy_error *err)
{
    if (keyring->rehearses) {
        sy_os_random(out, sizeof *out);
        return SY_OK;
    }
    if (find_open(keyring, name) == NULL) SY_TRY(make_named(keyring, name, err));
    const struct open_key *key = find_open(keyring, name);
    SY_ASSERT(key != NULL);
    sy_secret_key_public(key->key, out);
    return SY_OK;
}

sy_status sy_keyring_make_x25519(sy_keyring *keyring, struct sy_public_key *out,
                                 const struct sy_hash *name, struct sy_error *err)
{
    if (keyring->rehearses) {
        sy_os_random(out, sizeof *out);
        return SY_OK;
    }
    char fresh[PATH_BYTES];
    char final[PATH_BYTES];
    char ending[64];
    char half[17];
    file_path(fresh, keyring, name, ".x25519.new");
    // What an interrupted making left: nobody was ever told its public half.
    if (unlink(fresh) != 0 && errno != ENOENT) {
        return sy_fail(err, SY_ERR_IO, "%s: %s", fresh, strerror(errno));
    }
    SY_TRY(sy_x25519_generate(out->bytes, fresh, NULL, err));
    sy_hex_encode(half, out->bytes, 8);
    (void)snprintf(ending, sizeof ending, "-%s.x25519.pem", half);
    file_path(final, keyring, name, ending);
    if (rename(fresh, final) != 0) {
        return sy_fail(err, SY_ERR_IO, "%s: %s", final, strerror(errno));
    }
    keyring->renamed = true;
    return SY_OK;
}

sy_status sy_keyring_sync(sy_keyring *keyring, struct sy_error *err)
{
    if (!keyring->renamed) return SY_OK;
    SY_TRY(sy_os_fsync_dir(keyring->path, err));
    keyring->renamed = false;
    return SY_OK;
}

sy_status sy_keyring_sign(sy_keyring *keyring, struct sy_signature *out, const struct sy_hash *name,
                          enum sy_sig_kind kind, const struct sy_hash *digest, struct sy_error *err)
{
    if (keyring->rehearses) {
        memset(out, 0, sizeof *out);
        return SY_OK;
    }
    if (find_open(keyring, name) == NULL) SY_TRY(open_named(keyring, name, err));
    const struct open_key *key = find_open(keyring, name);
    SY_ASSERT(key != NULL);
    sy_sign(key->key, out, kind, digest);
    return SY_OK;
}
