/* state_exception.c: encodings of exceptions and corrections; see state_exception.h. */
#include "core/wire/state_exception.h"

enum {
    EXCEPTION_SHIPMENT = 1,
    EXCEPTION_DOCUMENT = 2,
    EXCEPTION_ANSWERED = 4,
    CORRECTION_DOCUMENT = 1
};

bool sy_exception_of_shipment(unsigned kind)
{
    return kind == SY_EXCEPTION_SHORTAGE || kind == SY_EXCEPTION_OVERAGE ||
           kind == SY_EXCEPTION_DAMAGED || kind == SY_EXCEPTION_DATA;
}

bool sy_exception_holds(unsigned kind)
{
    return kind == SY_EXCEPTION_SUSPECT || kind == SY_EXCEPTION_ILLEGITIMATE ||
           kind == SY_EXCEPTION_TEMPERATURE;
}

void sy_exception_encode(struct sy_writer *w, const struct sy_exception *exception)
{
    sy_write_u16(w, exception->kind);
    sy_write_hash(w, &exception->organisation);
    sy_write_hash(w, &exception->to);
    sy_write_u64(w, exception->height);
    sy_write_i64(w, exception->time_ms);
    sy_write_u8(w, (uint8_t)((exception->has_shipment ? EXCEPTION_SHIPMENT : 0) |
                             (exception->has_document ? EXCEPTION_DOCUMENT : 0) |
                             (exception->answered ? EXCEPTION_ANSWERED : 0)));
    if (exception->has_shipment) sy_write_hash(w, &exception->shipment);
    if (exception->has_document) sy_write_hash(w, &exception->document);
    if (exception->answered) {
        sy_write_u16(w, exception->outcome);
        sy_write_u64(w, exception->answered_height);
        sy_write_i64(w, exception->answered_ms);
    }
    sy_write_u16(w, exception->items.count);
    sy_write_bytes16(w, exception->items.items);
}

bool sy_exception_decode(struct sy_exception *exception, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *exception = (struct sy_exception){.kind = 0};
    exception->kind = sy_read_u16(&r, "kind");
    if (!sy_enum_word(&sy_enum_exception_kind, exception->kind)) sy_reader_fail(&r, "kind");
    sy_read_hash(&r, &exception->organisation, "organisation");
    sy_read_hash(&r, &exception->to, "to");
    exception->height = sy_read_u64(&r, "height");
    exception->time_ms = sy_read_i64(&r, "time");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags >= 2 * EXCEPTION_ANSWERED) sy_reader_fail(&r, "flags");
    exception->has_shipment = (flags & EXCEPTION_SHIPMENT) != 0;
    exception->has_document = (flags & EXCEPTION_DOCUMENT) != 0;
    exception->answered = (flags & EXCEPTION_ANSWERED) != 0;
    if (exception->has_shipment) sy_read_hash(&r, &exception->shipment, "shipment");
    if (exception->has_document) sy_read_hash(&r, &exception->document, "document");
    if (exception->answered) {
        exception->outcome = sy_read_u16(&r, "outcome");
        exception->answered_height = sy_read_u64(&r, "answered");
        exception->answered_ms = sy_read_i64(&r, "answered");
        bool known = sy_enum_word(&sy_enum_exception_outcome, exception->outcome) != NULL;
        if (!known) sy_reader_fail(&r, "outcome");
    }
    sy_epcs_read(&r, &exception->items);
    return sy_reader_done(&r);
}

void sy_correction_encode(struct sy_writer *w, const struct sy_correction *correction)
{
    sy_write_hash(w, &correction->event);
    sy_write_hash(w, &correction->organisation);
    sy_write_u16(w, correction->reason);
    sy_write_u64(w, correction->height);
    sy_write_i64(w, correction->time_ms);
    sy_write_u8(w, correction->has_document ? CORRECTION_DOCUMENT : 0);
    if (correction->has_document) sy_write_hash(w, &correction->document);
    sy_write_u16(w, correction->corrective.count);
    sy_write_raw(w, correction->corrective.items.data, correction->corrective.items.size);
}

bool sy_correction_decode(struct sy_correction *correction, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *correction = (struct sy_correction){.reason = 0};
    sy_read_hash(&r, &correction->event, "event");
    sy_read_hash(&r, &correction->organisation, "organisation");
    correction->reason = sy_read_u16(&r, "reason");
    if (!sy_enum_word(&sy_enum_correction_reason, correction->reason)) sy_reader_fail(&r, "reason");
    correction->height = sy_read_u64(&r, "height");
    correction->time_ms = sy_read_i64(&r, "time");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > CORRECTION_DOCUMENT) sy_reader_fail(&r, "flags");
    correction->has_document = flags == CORRECTION_DOCUMENT;
    if (correction->has_document) sy_read_hash(&r, &correction->document, "document");
    uint16_t count = sy_read_u16(&r, "corrective");
    if (count > SY_CORRECTIVE_MAX) sy_reader_fail(&r, "corrective");
    if (!r.failed) {
        correction->corrective.count = count;
        correction->corrective.items = sy_read_raw(&r, (size_t)count * 32, "corrective");
    }
    return sy_reader_done(&r);
}
