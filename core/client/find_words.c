/* find_words.c: see find_words.h. */
#include "core/client/find_words.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "core/wire/schema.h"

static sy_status take_id(struct sy_find *find, const char *text, struct sy_error *err)
{
    char padded[65];
    size_t digits = strlen(text);
    if (digits <= 64) {
        memset(padded, '0', 64);
        padded[64] = '\0';
        memcpy(padded, text, digits);
        if (sy_hex_decode(find->prefix.bytes, 32, padded)) {
            find->digits = (uint8_t)digits;
            return SY_OK;
        }
    }
    return sy_fail(err, SY_ERR_ARGUMENT, "an id begins with up to 64 hex digits, not '%.70s'",
                   text);
}

static sy_status take_org(struct sy_find *find, const struct sy_find_words *words,
                          struct sy_error *err)
{
    if (words->role || words->specialty || words->organisation) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "role, specialty and organisation are asked of credentials");
    }
    if (words->name) {
        find->has_name = true;
        sy_sha256(&find->name_hash, words->name, strlen(words->name));
    }
    if (!words->kind ||
        sy_enum_number(&find->org_kind, &sy_enum_org_kind, words->kind, strlen(words->kind))) {
        return SY_OK;
    }
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "there is no kind '%.40s' of organisation: `systole explain org.register` lists "
                   "them",
                   words->kind);
}

static sy_status take_credential(struct sy_find *find, const struct sy_find_words *words,
                                 struct sy_error *err)
{
    if (words->kind || words->name) {
        return sy_fail(err, SY_ERR_ARGUMENT, "kind and name are asked of organisations");
    }
    if (words->role &&
        !sy_enum_number(&find->role, &sy_enum_role, words->role, strlen(words->role))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "there is no role '%.40s': `systole explain cred.issue` lists them",
                       words->role);
    }
    if (words->specialty) {
        find->specialty = sy_slice_of(words->specialty, strlen(words->specialty));
        if (find->specialty.size == 0 || find->specialty.size > SY_CODE_BYTES_MAX) {
            return sy_fail(err, SY_ERR_ARGUMENT, "a specialty is 1 to %d bytes long",
                           SY_CODE_BYTES_MAX);
        }
    }
    if (words->organisation) {
        find->has_organisation = true;
        find->organisation = *words->organisation;
    }
    return SY_OK;
}

sy_status sy_find_take_words(struct sy_find *find, const struct sy_find_words *words,
                             struct sy_error *err)
{
    if (words->id) SY_TRY(take_id(find, words->id, err));
    if (find->what == SY_STATE_DATASET) return SY_OK; // its words are find_dataset.h's
    return find->what == SY_STATE_ORG ? take_org(find, words, err)
                                      : take_credential(find, words, err);
}
