/* places.c: see places.h. */
#include "core/client/places.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"

/* An id whose places are walked, and how far. */
struct level {
    struct sy_hash id;
    uint64_t next, places, records, so_far;
};

static sy_status contradiction(struct sy_error *err, const char *what)
{
    return sy_fail(err, SY_ERR_CORRUPT, "what is proven of the patient contradicts itself: %s",
                   what);
}

static sy_status enter(struct sy_places *walk, struct level *level, const struct sy_hash *id,
                       const struct sy_hash *into, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_patient patient;
    uint64_t height;
    SY_TRY(walk->get(walk->self, &value, &height, SY_STATE_PATIENT, id, 0, err));
    if (!sy_patient_decode(&patient, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the patient proven is of an unknown form: upgrade");
    }
    if (into != NULL && (!patient.merged || !sy_hash_equal(&patient.into, into))) {
        return contradiction(err, "an id was merged and was not");
    }
    if (into == NULL) {
        walk->as_of = height;
        walk->places = patient.places;
        walk->records = patient.records;
    }
    *level =
        (struct level){.id = *id, .next = 1, .places = patient.places, .records = patient.records};
    return SY_OK;
}

static sy_status get_place(struct sy_places *walk, struct sy_patient_place *place,
                           const struct level *level, struct sy_error *err)
{
    struct sy_slice value;
    uint64_t height;
    sy_status status = walk->get(walk->self, &value, &height, SY_STATE_PATIENT_PLACE, &level->id,
                                 level->next, err);
    if (status == SY_ERR_NOT_FOUND) return contradiction(err, "a place that is counted is absent");
    if (status != SY_OK) return status;
    if (sy_patient_place_decode(place, value)) return SY_OK;
    return sy_fail(err, SY_ERR_VERSION, "a place proven is of an unknown form: upgrade");
}

/* Visits the next place of the innermost level, which may open another one. */
static sy_status step(struct sy_places *walk, struct level *levels, unsigned *depth,
                      struct sy_error *err)
{
    struct sy_patient_place place;
    struct level *level = &levels[*depth - 1];
    SY_TRY(get_place(walk, &place, level, err));
    SY_TRY(walk->visit(walk->visitor, &place, &level->id, level->next, err));
    level->next++;
    uint64_t more = place.what == SY_PLACE_RECORD ? 1 : 0;
    if (place.what == SY_PLACE_MERGED) {
        if (*depth > SY_MERGES_MAX) return contradiction(err, "too many ids lead to one");
        SY_TRY(enter(walk, &levels[*depth], &place.id, &level->id, err));
        more = levels[*depth].records;
        (*depth)++;
    }
    if (place.records != level->so_far + more) return contradiction(err, "records do not add up");
    level->so_far = place.records;
    return SY_OK;
}

sy_status sy_places_walk(struct sy_places *walk, const struct sy_hash *patient,
                         struct sy_error *err)
{
    struct level levels[SY_MERGES_MAX + 1];
    unsigned depth = 1;
    memset(levels, 0, sizeof levels);
    SY_TRY(enter(walk, &levels[0], patient, NULL, err));
    while (depth > 0) {
        const struct level *level = &levels[depth - 1];
        if (level->next <= level->places) {
            SY_TRY(step(walk, levels, &depth, err));
            continue;
        }
        if (level->so_far != level->records) return contradiction(err, "records do not add up");
        depth--;
    }
    return SY_OK;
}

// --- where entries come from -------------------------------------------------------------------

bool sy_places_path(char out[SY_PLACES_PATH_BYTES], const char *folder, const struct sy_hash *id,
                    uint64_t number)
{
    char hex[65];
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    int size = number == 0 ? snprintf(out, SY_PLACES_PATH_BYTES, "%s/%s.syproof", folder, hex)
                           : snprintf(out, SY_PLACES_PATH_BYTES, "%s/%s-%llu.syproof", folder, hex,
                                      (unsigned long long)number);
    return size > 0 && size < SY_PLACES_PATH_BYTES;
}

sy_status sy_places_ask(void *self, struct sy_slice *value, uint64_t *height,
                        enum sy_state_kind kind, const struct sy_hash *id, uint64_t number,
                        struct sy_error *err)
{
    struct sy_places_asked *asked = self;
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .purpose = asked->purpose};
    char path[SY_PLACES_PATH_BYTES];
    sy_store_u64(read.second.bytes, number);
    sy_status status =
        sy_asker_read(asked->asker, &asked->answer, &read, asked->key, asked->max_age_ms, err);
    // That there is none is proven; who only says so proves nothing, and answer is still the last.
    if (status == SY_ERR_NOT_FOUND) return SY_ERR_NETWORK;
    if (status != SY_OK) return status;
    const struct sy_proof *proof = &asked->answer.proof;
    sy_asker_expect(asked->asker, proof->header.height);
    *height = proof->header.height;
    *value = proof->state.value;
    if (!proof->state.present) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "the ledger has no such %s",
                       kind == SY_STATE_PATIENT ? "patient" : "entry");
    }
    if (asked->folder == NULL) return SY_OK;
    if (!sy_places_path(path, asked->folder, id, number)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", asked->folder);
    }
    return sy_os_write_file(path, asked->answer.bytes, asked->answer.size, 0600, err);
}

sy_status sy_places_load(void *self, struct sy_slice *value, uint64_t *height,
                         enum sy_state_kind kind, const struct sy_hash *id, uint64_t number,
                         struct sy_error *err)
{
    struct sy_places_kept *kept = self;
    char path[SY_PLACES_PATH_BYTES];
    struct sy_hash place, second = {{0}};
    sy_store_u64(second.bytes, number);
    if (!sy_places_path(path, kept->folder, id, number)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", kept->folder);
    }
    sy_status status = sy_proven_load(&kept->answer, path, kept->genesis, err);
    if (status == SY_ERR_NOT_FOUND) return sy_fail(err, SY_ERR_FORMAT, "%s is missing", path);
    if (status != SY_OK) return status;
    const struct sy_proof *proof = &kept->answer.proof;
    if (!sy_state_key_of(&place, kind, id, &second) || proof->kind != SY_PROOF_STATE ||
        !proof->state.present || !sy_hash_equal(&proof->state.key_hash, &place)) {
        return sy_fail(err, SY_ERR_CRYPTO, "%s is about something else", path);
    }
    *value = proof->state.value;
    *height = proof->header.height;
    return SY_OK;
}
