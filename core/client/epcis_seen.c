/* epcis_seen.c: events by their hash, and hashes by eventID. */
#include "core/client/epcis_seen.h"

#include "core/base/os.h"
#include "core/crypto/hash.h"

struct hash_row {
    struct sy_epcis_place said, declared;
    bool is_said, is_declared;
};

struct id_row {
    struct sy_hash hash;
    struct sy_epcis_place place;
};

sy_status sy_epcis_seen_open(struct sy_epcis_seen *seen, struct sy_error *err)
{
    uint64_t seed[2];
    size_t row_bytes = 2 * (sizeof(struct hash_row) + sizeof(struct id_row) + 2 * 48);
    sy_os_random(seed, sizeof seed);
    sy_status status = sy_arena_open(&seen->arena, SY_EPCIS_EVENTS_MAX * row_bytes);
    if (status == SY_OK) {
        status = sy_table_init(&seen->by_hash, &seen->arena, SY_EPCIS_EVENTS_MAX,
                               sizeof(struct hash_row), seed);
    }
    if (status == SY_OK) {
        status = sy_table_init(&seen->by_id, &seen->arena, SY_EPCIS_EVENTS_MAX,
                               sizeof(struct id_row), seed);
    }
    if (status != SY_OK) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to know events again");
    return SY_OK;
}

void sy_epcis_seen_close(struct sy_epcis_seen *seen)
{
    sy_arena_close(&seen->arena);
}

static sy_status too_many(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_LIMIT, "more than %u events; take them in parts",
                   SY_EPCIS_EVENTS_MAX);
}

static void found(struct sy_epcis_verdict *verdict, enum sy_epcis_fate fate,
                  struct sy_epcis_place earlier)
{
    *verdict =
        (struct sy_epcis_verdict){.fate = (uint8_t)fate, .has_earlier = true, .earlier = earlier};
}

/* Does its eventID stand for another event? */
static sy_status judge_id(struct sy_epcis_seen *seen, struct sy_epcis_verdict *verdict,
                          const struct sy_epcis_event *event, const struct sy_hash *hash,
                          struct sy_epcis_place place, struct sy_error *err)
{
    struct sy_hash key;
    bool is_new;
    if (event->event_id[0] == '\0') return SY_OK;
    sy_sha256(&key, event->event_id, strlen(event->event_id));
    struct id_row *row = sy_table_put(&seen->by_id, &key, &is_new);
    if (row == NULL) return too_many(err);
    if (is_new) {
        row->hash = *hash;
        row->place = place;
    } else if (!sy_hash_equal(&row->hash, hash)) {
        found(verdict, SY_EPCIS_CONFLICT, row->place);
    }
    return SY_OK;
}

sy_status sy_epcis_seen_add(struct sy_epcis_seen *seen, struct sy_epcis_verdict *verdict,
                            const struct sy_epcis_event *event, const struct sy_hash *hash,
                            struct sy_epcis_place place, struct sy_error *err)
{
    *verdict = (struct sy_epcis_verdict){.fate = SY_EPCIS_NEW};
    SY_TRY(judge_id(seen, verdict, event, hash, place, err));
    if (verdict->fate == SY_EPCIS_CONFLICT) return SY_OK;
    struct hash_row *row = sy_table_put(&seen->by_hash, hash, NULL);
    if (row == NULL) return too_many(err);
    if (event->declared_wrong && row->is_declared) {
        found(verdict, SY_EPCIS_DUPLICATE, row->declared);
    } else if (event->declared_wrong) {
        verdict->fate = SY_EPCIS_CORRECTION;
        if (row->is_said) found(verdict, SY_EPCIS_CORRECTION, row->said);
        row->is_declared = true;
        row->declared = place;
    } else if (row->is_said) {
        found(verdict, SY_EPCIS_DUPLICATE, row->said);
    } else {
        row->is_said = true;
        row->said = place;
    }
    return SY_OK;
}
