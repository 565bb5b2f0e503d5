/* trace_source.c: where the entries of a trace come from; see trace.h. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/trace.h"

#define PATH_BYTES 1200

static bool path_of(char out[PATH_BYTES], const char *folder, const struct sy_hash *key_hash)
{
    char hex[65];
    sy_hex_encode(hex, key_hash->bytes, sizeof key_hash->bytes);
    int size = snprintf(out, PATH_BYTES, "%s/%s.syproof", folder, hex);
    return size > 0 && size < PATH_BYTES;
}

static void note_height(uint64_t *lowest, uint64_t *highest, int64_t *time_ms,
                        const struct sy_header *header)
{
    if (*lowest == 0 || header->height < *lowest) *lowest = header->height;
    if (header->height < *highest) return;
    *highest = header->height;
    *time_ms = header->time_ms;
}

static sy_status too_long(struct sy_error *err, const char *folder)
{
    return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
}

static sy_status absent(struct sy_error *err, enum sy_state_kind kind)
{
    const char *name = sy_state_kind_name((unsigned)kind);
    return sy_fail(err, SY_ERR_NOT_FOUND, "the ledger has no such %s", name ? name : "entry");
}

sy_status sy_trace_ask(void *self, struct sy_slice *value, enum sy_state_kind kind,
                       const struct sy_hash *id, const struct sy_hash *second, struct sy_error *err)
{
    struct sy_trace_asked *asked = self;
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .second = *second,
                                   .purpose = asked->purpose};
    char path[PATH_BYTES];
    SY_TRY(sy_asker_read(asked->asker, &asked->answer, &read, asked->key, asked->max_age_ms, err));
    const struct sy_proof *proof = &asked->answer.proof;
    sy_asker_expect(asked->asker, proof->header.height);
    note_height(&asked->lowest, &asked->highest, &asked->time_ms, &proof->header);
    if (asked->folder != NULL) {
        if (!path_of(path, asked->folder, &proof->state.key_hash)) {
            return too_long(err, asked->folder);
        }
        SY_TRY(sy_os_write_file(path, asked->answer.bytes, asked->answer.size, 0600, err));
    }
    if (!proof->state.present) return absent(err, kind);
    *value = proof->state.value;
    return SY_OK;
}

sy_status sy_trace_load(void *self, struct sy_slice *value, enum sy_state_kind kind,
                        const struct sy_hash *id, const struct sy_hash *second,
                        struct sy_error *err)
{
    struct sy_trace_kept *kept = self;
    char path[PATH_BYTES];
    struct sy_hash place;
    if (!sy_state_key_of(&place, kind, id, second)) return absent(err, kind);
    if (!path_of(path, kept->folder, &place)) return too_long(err, kept->folder);
    sy_status status = sy_proven_load(&kept->answer, path, kept->genesis, err);
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(err, SY_ERR_PERMISSION, "%s is missing", path);
    }
    if (status != SY_OK) return status;
    const struct sy_proof *proof = &kept->answer.proof;
    if (proof->kind != SY_PROOF_STATE || !sy_hash_equal(&proof->state.key_hash, &place)) {
        return sy_fail(err, SY_ERR_CRYPTO, "%s is about something else", path);
    }
    note_height(&kept->lowest, &kept->highest, &kept->time_ms, &proof->header);
    if (!proof->state.present) return absent(err, kind);
    *value = proof->state.value;
    return SY_OK;
}
