/* state_export.c: what a patient has, by number, and what is handed to other networks. */
#include "core/wire/state.h"

enum { EXPORT_PARTLY = 1, EXPORT_FULFILLED = 2 };

const char *sy_place_word(unsigned what)
{
    static const char *const words[SY_PLACE_COUNT] = {
        [SY_PLACE_RECORD] = "record", [SY_PLACE_MERGED] = "merged id", [SY_PLACE_EXPORT] = "export",
        [SY_PLACE_ID_MAP] = "id map", [SY_PLACE_RX] = "prescription",  [SY_PLACE_UNIT] = "unit",
        [SY_PLACE_STREAM] = "stream"};
    return what < SY_PLACE_COUNT ? words[what] : NULL;
}

void sy_patient_place_encode(struct sy_writer *w, const struct sy_patient_place *place)
{
    sy_write_u8(w, place->what);
    sy_write_hash(w, &place->id);
    sy_write_u64(w, place->height);
    sy_write_u64(w, place->records);
}

bool sy_patient_place_decode(struct sy_patient_place *place, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    place->what = sy_read_u8(&r, "what");
    sy_read_hash(&r, &place->id, "id");
    place->height = sy_read_u64(&r, "height");
    place->records = sy_read_u64(&r, "records");
    if (place->what == 0 || place->what >= SY_PLACE_COUNT) sy_reader_fail(&r, "what");
    return sy_reader_done(&r);
}

void sy_export_encode(struct sy_writer *w, const struct sy_export *exported)
{
    sy_write_hash(w, &exported->patient);
    sy_write_hash(w, &exported->organisation);
    sy_write_public_key(w, &exported->recipient_key);
    sy_write_i64(w, exported->due_ms);
    sy_write_u64(w, exported->requested_height);
    sy_write_i64(w, exported->requested_ms);
    sy_write_u8(w, (uint8_t)((exported->partly ? EXPORT_PARTLY : 0) |
                             (exported->fulfilled ? EXPORT_FULFILLED : 0)));
    if (exported->partly) {
        sy_write_u64(w, exported->as_of);
        sy_write_u64(w, exported->excepted);
        sy_write_hash(w, &exported->last_exception);
        sy_write_hash(w, &exported->exceptions);
    }
    if (!exported->fulfilled) return;
    sy_write_u64(w, exported->places);
    sy_write_u64(w, exported->records);
    sy_write_hash(w, &exported->manifest_root);
    sy_write_hash(w, &exported->wrapped_key_hash);
    sy_write_u64(w, exported->fulfilled_height);
    sy_write_i64(w, exported->fulfilled_ms);
}

bool sy_export_decode(struct sy_export *exported, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *exported = (struct sy_export){.partly = false};
    sy_read_hash(&r, &exported->patient, "patient");
    sy_read_hash(&r, &exported->organisation, "organisation");
    sy_read_public_key(&r, &exported->recipient_key, "recipient_key");
    exported->due_ms = sy_read_i64(&r, "due");
    exported->requested_height = sy_read_u64(&r, "height");
    exported->requested_ms = sy_read_i64(&r, "time");
    uint8_t flags = sy_read_u8(&r, "flags");
    exported->partly = (flags & EXPORT_PARTLY) != 0;
    exported->fulfilled = (flags & EXPORT_FULFILLED) != 0;
    if (flags > (EXPORT_PARTLY | EXPORT_FULFILLED) || (exported->fulfilled && !exported->partly)) {
        sy_reader_fail(&r, "flags");
    }
    if (exported->partly) {
        exported->as_of = sy_read_u64(&r, "as_of");
        exported->excepted = sy_read_u64(&r, "excepted");
        sy_read_hash(&r, &exported->last_exception, "last_exception");
        sy_read_hash(&r, &exported->exceptions, "exceptions");
    }
    if (!exported->fulfilled) return sy_reader_done(&r);
    exported->places = sy_read_u64(&r, "places");
    exported->records = sy_read_u64(&r, "records");
    sy_read_hash(&r, &exported->manifest_root, "manifest_root");
    sy_read_hash(&r, &exported->wrapped_key_hash, "wrapped_key_hash");
    exported->fulfilled_height = sy_read_u64(&r, "fulfilled_height");
    exported->fulfilled_ms = sy_read_i64(&r, "fulfilled_time");
    return sy_reader_done(&r);
}

void sy_mapped_id_encode(struct sy_writer *w, const struct sy_mapped_id *mapped)
{
    sy_write_hash(w, &mapped->patient);
    sy_write_hash(w, &mapped->organisation);
    sy_write_hash(w, &mapped->system);
    sy_write_hash(w, &mapped->identifier);
    sy_write_u64(w, mapped->height);
    sy_write_i64(w, mapped->time_ms);
}

bool sy_mapped_id_decode(struct sy_mapped_id *mapped, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &mapped->patient, "patient");
    sy_read_hash(&r, &mapped->organisation, "organisation");
    sy_read_hash(&r, &mapped->system, "system");
    sy_read_hash(&r, &mapped->identifier, "identifier");
    mapped->height = sy_read_u64(&r, "height");
    mapped->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}
