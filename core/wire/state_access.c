/* state_access.c: what the ledger keeps of logs of access, and of how notices are wanted. */
#include "core/wire/state.h"

enum { CHOICE_CHANNEL = 1, DISPUTE_RECORD = 1 };

/* Kinds of notices, or none. */
static uint32_t read_groups(struct sy_reader *r, const char *what)
{
    uint32_t set = sy_read_u32(r, what);
    if ((set & ~sy_set_known(&sy_enum_notice_group)) != 0) sy_reader_fail(r, what);
    return set;
}

void sy_validator_key_encode(struct sy_writer *w, const struct sy_validator_key *signer)
{
    sy_write_public_key(w, &signer->key);
    sy_write_u64(w, signer->height);
    sy_write_i64(w, signer->time_ms);
}

bool sy_validator_key_decode(struct sy_validator_key *signer, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_public_key(&r, &signer->key, "key");
    signer->height = sy_read_u64(&r, "height");
    signer->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

void sy_access_logged_encode(struct sy_writer *w, const struct sy_access_logged *log)
{
    sy_write_hash(w, &log->organisation);
    sy_write_public_key(w, &log->key);
    sy_write_hash(w, &log->root);
    sy_write_u32(w, log->count);
    sy_write_u16(w, log->patients);
    sy_write_i64(w, log->first_ms);
    sy_write_i64(w, log->last_ms);
    sy_write_u64(w, log->height);
}

bool sy_access_logged_decode(struct sy_access_logged *log, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *log = (struct sy_access_logged){.count = 0};
    sy_read_hash(&r, &log->organisation, "organisation");
    sy_read_public_key(&r, &log->key, "key");
    sy_read_hash(&r, &log->root, "root");
    log->count = sy_read_u32(&r, "count");
    log->patients = sy_read_u16(&r, "patients");
    log->first_ms = sy_read_i64(&r, "first");
    log->last_ms = sy_read_i64(&r, "last");
    log->height = sy_read_u64(&r, "height");
    if (log->patients == 0 || log->patients > SY_LOG_PATIENTS_MAX) sy_reader_fail(&r, "patients");
    if (log->count < log->patients) sy_reader_fail(&r, "count");
    return sy_reader_done(&r);
}

void sy_disclosure_encode(struct sy_writer *w, const struct sy_disclosure *disclosure)
{
    sy_write_u32(w, disclosure->count);
    sy_write_hash(w, &disclosure->root);
}

bool sy_disclosure_decode(struct sy_disclosure *disclosure, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    disclosure->count = sy_read_u32(&r, "count");
    sy_read_hash(&r, &disclosure->root, "root");
    if (disclosure->count == 0) sy_reader_fail(&r, "count");
    return sy_reader_done(&r);
}

void sy_notify_choice_encode(struct sy_writer *w, const struct sy_notify_choice *choice)
{
    sy_write_u32(w, choice->off);
    sy_write_u32(w, choice->digest);
    sy_write_u8(w, choice->has_channel ? CHOICE_CHANNEL : 0);
    if (choice->has_channel) sy_write_hash(w, &choice->channel);
    sy_write_u64(w, choice->height);
}

bool sy_notify_choice_decode(struct sy_notify_choice *choice, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *choice = (struct sy_notify_choice){.off = 0};
    choice->off = read_groups(&r, "off");
    choice->digest = read_groups(&r, "digest");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > CHOICE_CHANNEL) sy_reader_fail(&r, "flags");
    choice->has_channel = flags == CHOICE_CHANNEL;
    if (choice->has_channel) sy_read_hash(&r, &choice->channel, "channel");
    choice->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

void sy_dispute_encode(struct sy_writer *w, const struct sy_dispute *dispute)
{
    sy_write_hash(w, &dispute->patient);
    sy_write_u64(w, dispute->number);
    sy_write_u16(w, dispute->reason);
    sy_write_u8(w, dispute->has_record ? DISPUTE_RECORD : 0);
    if (dispute->has_record) sy_write_hash(w, &dispute->record);
    sy_write_u64(w, dispute->height);
}

bool sy_dispute_decode(struct sy_dispute *dispute, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *dispute = (struct sy_dispute){.number = 0};
    sy_read_hash(&r, &dispute->patient, "patient");
    dispute->number = sy_read_u64(&r, "number");
    dispute->reason = sy_read_u16(&r, "reason");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > DISPUTE_RECORD) sy_reader_fail(&r, "flags");
    dispute->has_record = flags == DISPUTE_RECORD;
    if (dispute->has_record) sy_read_hash(&r, &dispute->record, "record");
    dispute->height = sy_read_u64(&r, "height");
    if (dispute->number == 0) sy_reader_fail(&r, "number");
    return sy_reader_done(&r);
}
