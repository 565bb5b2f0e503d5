/* systole_sealed.c: libsystole's envelopes, and cards: content as it travels. See systole.h. */
#include <stdlib.h>

#include "core/client/card.h"
#include "core/client/opened.h"
#include "core/client/share.h"
#include "core/client/systole_internal.h"
#include "core/crypto/hpke.h"

struct systole_x25519_key {
    sy_x25519_key *key;
};
struct systole_opened {
    struct sy_opened opened;
};

/* ---- X25519 keys -------------------------------------------------------------------------- */

enum systole_result systole_x25519_key_load(systole_x25519_key **out, const char *path,
                                            const char *passphrase_path)
{
    systole_x25519_key *box = (systole_x25519_key *)calloc(1, sizeof *box);
    if (!box) return sy_systole_no_memory();
    sy_status status = sy_x25519_key_load(&box->key, path, passphrase_path, &sy_systole_error);
    if (status == SY_OK) {
        *out = box;
    } else {
        free(box);
    }
    return sy_systole_result(status);
}

void systole_x25519_key_get_public(const systole_x25519_key *key, uint8_t public_key[32])
{
    struct sy_public_key half;
    sy_x25519_key_public(key->key, &half);
    memcpy(public_key, half.bytes, sizeof half.bytes);
}

void systole_x25519_key_close(systole_x25519_key *key)
{
    if (!key) return;
    sy_x25519_key_close(key->key);
    free(key);
}

/* ---- sharing ------------------------------------------------------------------------------ */

#define SHARE_AGE_MS 60000 /* unless the caller says otherwise; as `systole share` */

/* What systole_share works with; too large for a stack. */
struct sharing {
    struct sy_share share;
    struct sy_recipient recipients[SY_ENVELOPE_WRAPS_MAX]; /* the custodian last */
    struct sy_share_sealed sealed;
};

static sy_status check_share(const struct systole_share *what)
{
    if (what->struct_bytes < sizeof *what || !what->record || !what->salt ||
        (!what->content && what->content_size > 0)) {
        return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                       "set struct_bytes, record, salt and content of what is shared");
    }
    if (!what->recipients || what->recipient_count == 0 ||
        what->recipient_count > SY_SHARE_RECIPIENTS_MAX) {
        return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT, "name 1 to %u recipients",
                       SY_SHARE_RECIPIENTS_MAX);
    }
    if (what->max_age_ms < 0 && what->max_age_ms != SYSTOLE_AGE_ANY) {
        return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                       "max_age_ms is negative: give milliseconds, 0 or SYSTOLE_AGE_ANY");
    }
    return SY_OK;
}

static sy_status find_and_judge(struct sharing *sharing, const struct systole_share *what)
{
    struct sy_hash ids[SY_SHARE_RECIPIENTS_MAX], record, salt;
    uint32_t version = what->version;
    memcpy(record.bytes, what->record, sizeof record.bytes);
    memcpy(salt.bytes, what->salt, sizeof salt.bytes);
    for (size_t i = 0; i < what->recipient_count; i++) {
        memcpy(ids[i].bytes, what->recipients + 32 * i, sizeof ids[i].bytes);
    }
    SY_TRY(sy_share_find(&sharing->share, &version, &record, &salt,
                         sy_slice_of(what->content, what->content_size)));
    return sy_share_recipients(&sharing->share, sharing->recipients, ids,
                               (unsigned)what->recipient_count, what->before_grant != 0);
}

static sy_status seal(struct sharing *sharing, const systole_network *network,
                      const struct systole_share *what)
{
    struct sy_public_key keys[SY_ENVELOPE_WRAPS_MAX];
    struct sy_hash salt;
    unsigned bad = 0, count = (unsigned)what->recipient_count + 1;
    memcpy(salt.bytes, what->salt, sizeof salt.bytes);
    for (unsigned i = 0; i < count; i++) keys[i] = sharing->recipients[i].x25519;
    return sy_share_seal(&sharing->share, &sharing->sealed, &bad, sy_network_tag(&network->genesis),
                         keys, count, &salt, sy_slice_of(what->content, what->content_size));
}

enum systole_result systole_share(systole_network *network, void **envelope, size_t *size,
                                  uint8_t (*wrapped_key_hashes)[32],
                                  const struct systole_share *what, const systole_key *reader)
{
    sy_status status = check_share(what);
    if (status != SY_OK) return sy_systole_result(status);
    struct sharing *sharing = (struct sharing *)calloc(1, sizeof *sharing);
    if (!sharing) return sy_systole_no_memory();
    sharing->share.asker = network->net;
    sharing->share.key = reader->key;
    sharing->share.max_age_ms = what->max_age_ms == 0 ? SHARE_AGE_MS : what->max_age_ms;
    if (what->max_age_ms == SYSTOLE_AGE_ANY) sharing->share.max_age_ms = 0; // the asker's word
    sharing->share.purpose = (uint16_t)what->purpose;
    sharing->share.err = &sy_systole_error;
    status = find_and_judge(sharing, what);
    if (status == SY_OK) status = seal(sharing, network, what);
    if (status == SY_OK) {
        *envelope = sharing->sealed.file;
        *size = sharing->sealed.size;
        for (size_t i = 0; wrapped_key_hashes && i < what->recipient_count; i++) {
            memcpy(wrapped_key_hashes[i], sharing->sealed.hashes[i].bytes, 32);
        }
    } else {
        free(sharing->sealed.file);
    }
    sy_share_free(&sharing->share);
    free(sharing);
    return sy_systole_result(status);
}

/* ---- opening ------------------------------------------------------------------------------ */

enum systole_result systole_open(systole_opened **out, const systole_network *network,
                                 const void *envelope, size_t size, const systole_x25519_key *key)
{
    systole_opened *opened = (systole_opened *)calloc(1, sizeof *opened);
    uint8_t *copy = (uint8_t *)malloc(size + 1);
    if (!opened || !copy) {
        free(opened);
        free(copy);
        return sy_systole_no_memory();
    }
    if (size > 0) memcpy(copy, envelope, size);
    sy_status status = sy_opened_take(&opened->opened, copy, size, "the envelope", key->key,
                                      &network->genesis, &sy_systole_error);
    if (status == SY_OK) {
        *out = opened;
    } else {
        systole_opened_close(opened);
    }
    return sy_systole_result(status);
}

void systole_opened_close(systole_opened *opened)
{
    if (!opened) return;
    sy_opened_free(&opened->opened);
    free(opened);
}

void systole_opened_get_info(const systole_opened *box, struct systole_opened_info *out)
{
    const struct sy_opened *opened = &box->opened;
    const struct sy_header *header = &opened->proofs[opened->body.proof_count - 1].proof.header;
    struct systole_opened_info info = {
        .struct_bytes = out->struct_bytes,
        .version = opened->body.version,
        .current = opened->is_head && !opened->record.retracted,
        .height = header->height,
        .time_ms = header->time_ms,
        .content = opened->body.content.data,
        .content_size = opened->body.content.size,
    };
    memcpy(info.record, opened->body.record.bytes, sizeof info.record);
    memcpy(info.salt, opened->body.salt.bytes, sizeof info.salt);
    memcpy(info.wrapped_key_hash, opened->wrapped_hash.bytes, sizeof info.wrapped_key_hash);
    // A caller compiled against an earlier header has a shorter struct.
    memcpy(out, &info, out->struct_bytes < sizeof info ? out->struct_bytes : sizeof info);
}

/* ---- health cards ------------------------------------------------------------------------- */

enum systole_result systole_card_check(char **payload, uint8_t jws_hash[32], const char *card_text,
                                       const char *keys_text, const char *revocations,
                                       int64_t now_ms)
{
    struct sy_card card = {.jws = NULL};
    struct sy_card_keys *keys = (struct sy_card_keys *)calloc(1, sizeof *keys);
    char *copy = NULL;
    if (!keys) return sy_systole_no_memory();
    sy_status status =
        sy_card_keys_read(keys, sy_slice_of(keys_text, strlen(keys_text)), &sy_systole_error);
    if (status == SY_OK) {
        status = sy_card_read(&card, sy_slice_of(card_text, strlen(card_text)), &sy_systole_error);
    }
    if (status == SY_OK) status = sy_card_check(&card, keys, now_ms / 1000, &sy_systole_error);
    if (status == SY_OK && revocations) {
        status = sy_card_revoked(&card, sy_slice_of(revocations, strlen(revocations)),
                                 &sy_systole_error);
    }
    if (status == SY_OK && !(copy = strdup((const char *)card.payload))) {
        status = sy_fail(&sy_systole_error, SY_ERR_NO_MEMORY, "no memory");
    }
    if (status == SY_OK) {
        *payload = copy;
        memcpy(jws_hash, card.jws_hash.bytes, 32);
    }
    sy_card_free(&card);
    free(keys);
    return sy_systole_result(status);
}
