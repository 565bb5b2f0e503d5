/* stream.c: streams: what a device measures of a patient, committed to window by window.
 *
 * stream.open (the device answers for it)
 *   the id is taken                                       E_STREAM_EXISTS {id}
 *   the device                                            see stream_rules.h
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   whose id was merged                                   E_PATIENT_MERGED {the id in use}
 *   the device is another patient's                       E_PATIENT_MISMATCH {device id}
 *   the table has no such kind                            E_UNIT, path kind
 *   the kind has another unit                             E_UNIT, path unit
 *   the firmware, the consent                             see stream_rules.h
 *   a care team that neither the patient nor guardians
 *   signed                                                E_NOT_SUBJECT {patient id}
 *   one of it is not registered                           E_ORG_UNKNOWN {id}
 *   the device's newest of that patient and kind is open  E_STREAM_OPEN {that}
 *   writes   stream, stream newest, patient's place
 *   event    stream.opened about the patient, object: the stream
 *
 * stream.commit (the stream's device answers for it)
 *   there is no such stream                               E_STREAM_UNKNOWN {id}
 *   another device's                                      E_SIGNER_MISSING {device id}
 *   the window is empty, or longer than 31 days           E_SCHEMA, path to
 *   it is not the next one                                E_SEQ {that}
 *     but the very same was applied before                E_DUP_COMMIT {its sequence}
 *   the stream is closed                                  E_STREAM_STATE {id}
 *   it begins before the last one ended, of this stream
 *     or of the one before it                             E_OVERLAP {when that was}
 *   it ends over five minutes after block time, or,
 *     without backfill, before it; with it, less than two
 *     minutes before                                      E_SKEW {block time}
 *   more samples than a tenth above the rate              E_RATE {the most}
 *   the firmware, the consent                             see stream_rules.h
 *   writes   stream, stream commit; stream gap
 *   event    stream.committed about the organisation that answers for the device; gap.detected
 * about it and the patient, if more than the tolerance is missing; object: the stream
 *
 * stream.close (the stream's device, its organisation's admin or gateway, or the patient's side)
 *   there is no such stream                               E_STREAM_UNKNOWN {id}
 *   another device                                        E_SIGNER_MISSING {device id}
 *   another organisation                                  E_NOT_AUTHOR {the device's}
 *   neither the patient nor, if there is no wallet,
 *   guardians                                             E_NOT_SUBJECT {id}
 *   it is closed                                          E_STREAM_STATE {id}
 *   writes   stream
 *   event    stream.closed about the patient, object: the stream
 *
 * A stream goes on from where the device's last one of the same patient and kind ended: a second
 * one would tell the same minutes otherwise, or hide what is missing between the two. A device that
 * is a patient's has one patient, under whichever id, so a merge does not part its streams.
 *
 * That a window was committed to is told to the organisation, not to the patient: it is a notice a
 * minute. Whoever may see the patient's Observations sees the stream. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/stream_rules.h"

_Static_assert(SY_CONSENTS_LIVE_MAX + SY_CONSENTS_PASSED_MAX + 2 * SY_TX_SIGNERS_MAX +
                       4 * SY_MERGES_MAX + SY_CONSENTS_LIVE_MAX + 2 * SY_STREAM_CARE_TEAM_MAX +
                       SY_STREAM_KEYS_MAX + 32 <=
                   SY_OVERLAY_READS_BETWEEN,
               "streams stay within what a payload may read");

/* The stream's texts are borrowed from its entry: it is encoded before that is written. */
static void save_stream(struct sy_exec *x, const struct sy_hash *id, const struct sy_stream *stream)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    SY_ASSERT(stream->closed == (stream->closed_height != 0));
    sy_stream_encode(&w, stream);
    sy_exec_save_at(x, SY_STATE_STREAM, id, &w);
}

// --- opening -----------------------------------------------------------------------------------

static enum sy_refusal check_device(struct sy_exec *x, struct sy_device *device,
                                    const struct sy_stream_open *p)
{
    struct sy_patient patient;
    enum sy_refusal code = sy_stream_find_device(x, device, &p->device_id);
    if (code != SY_APPLIED) return code;
    if (!sy_stream_device_signs(x, device)) {
        return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->device_id);
    }
    code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED || device->owner_kind != SY_SUBJECT_PATIENT) return code;
    struct sy_hash owner = sy_exec_live_id(x, &device->owner);
    if (sy_hash_equal(&owner, &p->patient_id)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_PATIENT_MISMATCH, &p->device_id);
}

static enum sy_refusal check_unit(struct sy_exec *x, const struct sy_stream_open *p)
{
    const struct sy_stream_kind *kind = sy_stream_kind_find(p->system, p->kind);
    if (kind == NULL) return sy_refuse_path(x, SY_E_UNIT, "kind");
    if (!sy_stream_unit_good(kind, p->unit)) return sy_refuse_path(x, SY_E_UNIT, "unit");
    return SY_APPLIED;
}

/* Whom the patient named is told, treating or not: were that asked here, or of an alert, whoever
 * runs the device would learn who treats the patient. */
static enum sy_refusal check_team(struct sy_exec *x, const struct sy_stream_open *p)
{
    struct sy_patient patient;
    struct sy_hash organisation;
    SY_ASSERT(p->care_team.count <= SY_STREAM_CARE_TEAM_MAX);
    if (p->care_team.count == 0) return SY_APPLIED;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (!sy_exec_subject_signed(x, &patient)) {
        return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &p->patient_id);
    }
    for (size_t offset = 0; sy_list_next_id(&p->care_team, &offset, &organisation);) {
        if (sy_exec_has(x, SY_STATE_ORG, &organisation)) continue;
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &organisation);
    }
    return SY_APPLIED;
}

/* Takes the place of the device's newest stream of the patient and kind, and goes on where that one
 * ended. */
static enum sy_refusal follow_newest(struct sy_exec *x, struct sy_stream *stream,
                                     const struct sy_hash *id, const struct sy_device *device)
{
    const bool owned = device->owner_kind == SY_SUBJECT_PATIENT;
    const struct sy_hash *patient = owned ? &device->owner : &stream->patient;
    struct sy_stream_newest newest;
    struct sy_stream before;
    struct sy_hash key_hash;
    struct sy_slice value;
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_state_key_newest(&key_hash, &stream->device, patient, stream->system, stream->kind);
    if (sy_exec_find(x, &value, &key_hash)) {
        bool there =
            sy_stream_newest_decode(&newest, value) && sy_stream_find(x, &before, &newest.stream);
        if (!sy_exec_decoded(x, there)) return SY_E_STREAM_OPEN;
        if (!before.closed) return sy_refuse_hash(x, SY_E_STREAM_OPEN, &newest.stream);
        stream->until_ms = before.until_ms;
    }
    newest.stream = *id;
    sy_stream_newest_encode(&w, &newest);
    sy_exec_save(x, &key_hash, &w);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_stream_open(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_stream_open *p = &payload->stream_open;
    struct sy_device device;
    SY_ASSERT(x->kind->number == SY_KIND_stream_open && x->by->valid);
    if (sy_exec_has(x, SY_STATE_STREAM, &p->stream_id)) {
        return sy_refuse_hash(x, SY_E_STREAM_EXISTS, &p->stream_id);
    }
    enum sy_refusal code = check_device(x, &device, p);
    if (code == SY_APPLIED) code = check_unit(x, p);
    if (code == SY_APPLIED) code = sy_stream_check_firmware(x, &p->device_id, 0);
    if (code != SY_APPLIED) return code;
    struct sy_stream stream = {
        .device = p->device_id,
        .patient = p->patient_id,
        .organisation = device.organisation,
        .system = p->system,
        .kind = p->kind,
        .unit = p->unit,
        .rate = p->rate,
        .tolerance_s = p->tolerance,
        .consent = p->consent,
        .care_team = p->care_team,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    code = sy_stream_check_consent(x, &stream, &p->stream_id, x->time_ms);
    if (code == SY_APPLIED) code = check_team(x, p);
    if (code == SY_APPLIED) code = follow_newest(x, &stream, &p->stream_id, &device);
    if (code != SY_APPLIED) return code;
    save_stream(x, &p->stream_id, &stream);
    sy_exec_place(x, &p->patient_id, SY_PLACE_STREAM, &p->stream_id, 0);
    sy_exec_event(x, SY_EVENT_STREAM_OPENED, SY_SUBJECT_PATIENT, &p->patient_id, &p->stream_id);
    return SY_APPLIED;
}

// --- committing --------------------------------------------------------------------------------

static bool is_same(const struct sy_stream_commit_entry *entry, const struct sy_stream_commit *p)
{
    return entry->release == p->release && entry->from_ms == p->from && entry->to_ms == p->to &&
           entry->samples == p->samples && entry->backfill == p->backfill &&
           sy_hash_equal(&entry->root, &p->root);
}

/* A gateway that heard no answer sends the same again, and is told that it stands. */
static enum sy_refusal check_sequence(struct sy_exec *x, const struct sy_stream *stream,
                                      const struct sy_stream_commit *p)
{
    struct sy_stream_commit_entry entry;
    struct sy_hash key_hash;
    struct sy_slice value;
    if (p->sequence <= stream->commits) {
        sy_state_key_stream(&key_hash, SY_STATE_STREAM_COMMIT, &p->stream_id, p->sequence);
        bool there = sy_exec_find(x, &value, &key_hash) && sy_stream_commit_decode(&entry, value);
        if (sy_exec_decoded(x, there) && is_same(&entry, p)) {
            x->detail = p->sequence;
            return sy_refuse_hash(x, SY_E_DUP_COMMIT, &p->stream_id);
        }
    }
    if (p->sequence == (uint64_t)stream->commits + 1) return SY_APPLIED;
    x->detail = (uint64_t)stream->commits + 1;
    return sy_refuse_hash(x, SY_E_SEQ, &p->stream_id);
}

static enum sy_refusal check_window(struct sy_exec *x, const struct sy_stream *stream,
                                    const struct sy_stream_commit *p)
{
    SY_ASSERT(p->from < p->to && p->to - p->from <= SY_STREAM_SPAN_MS_MAX);
    if (p->from < stream->until_ms) {
        x->detail = (uint64_t)stream->until_ms;
        return SY_E_OVERLAP;
    }
    int64_t ahead_ms = p->to - x->time_ms;
    // Between the two a window may be called either: who sends it does not know the block's time.
    bool told = p->backfill ? ahead_ms <= -SY_STREAM_LATE_MS : ahead_ms >= -SY_STREAM_SKEW_MS;
    if (ahead_ms > SY_STREAM_SKEW_MS || !told) {
        x->detail = (uint64_t)x->time_ms;
        return SY_E_SKEW;
    }
    uint64_t samples_max = sy_stream_samples_max(stream->rate, p->to - p->from);
    if (p->samples <= samples_max) return SY_APPLIED;
    x->detail = samples_max;
    return SY_E_RATE;
}

static void save_commit(struct sy_exec *x, const struct sy_stream_commit *p, bool gap)
{
    struct sy_stream_commit_entry entry = {
        .key = x->by->key,
        .release = p->release,
        .from_ms = p->from,
        .to_ms = p->to,
        .samples = p->samples,
        .root = p->root,
        .backfill = p->backfill,
        .gap = gap,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    SY_ASSERT(p->sequence > 0 && p->samples > 0);
    sy_stream_commit_encode(&w, &entry);
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_COMMIT, &p->stream_id, p->sequence);
    sy_exec_save(x, &key_hash, &w);
}

/* Notes what is missing before the window, if it is more than the stream tolerates. */
static bool note_gap(struct sy_exec *x, struct sy_stream *stream, const struct sy_stream_commit *p)
{
    struct sy_stream_gap gap = {
        .from_ms = stream->until_ms, .to_ms = p->from, .sequence = p->sequence};
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    if (gap.from_ms == 0) return false; // before the very first one nothing was promised
    SY_ASSERT(gap.from_ms <= gap.to_ms && p->sequence > 0);
    if (gap.to_ms - gap.from_ms <= (int64_t)stream->tolerance_s * 1000) return false;
    stream->gaps++;
    sy_stream_gap_encode(&w, &gap);
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_GAP, &p->stream_id, stream->gaps);
    sy_exec_save(x, &key_hash, &w);
    return true;
}

static enum sy_refusal check_commit(struct sy_exec *x, struct sy_stream *stream,
                                    const struct sy_stream_commit *p)
{
    enum sy_refusal code = sy_stream_find_own(x, stream, &p->stream_id);
    if (code != SY_APPLIED) return code;
    if (p->from >= p->to || p->to - p->from > SY_STREAM_SPAN_MS_MAX) {
        return sy_refuse_path(x, SY_E_SCHEMA, "to");
    }
    code = check_sequence(x, stream, p);
    if (code != SY_APPLIED) return code;
    if (stream->closed) return sy_refuse_hash(x, SY_E_STREAM_STATE, &p->stream_id);
    code = check_window(x, stream, p);
    if (code == SY_APPLIED) code = sy_stream_check_firmware(x, &stream->device, p->release);
    if (code != SY_APPLIED) return code;
    return sy_stream_check_consent(x, stream, &p->stream_id, p->from);
}

enum sy_refusal sy_contract_stream_commit(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_stream_commit *p = &payload->stream_commit;
    struct sy_stream stream;
    SY_ASSERT(x->kind->number == SY_KIND_stream_commit && x->by->valid);
    enum sy_refusal code = check_commit(x, &stream, p);
    if (code != SY_APPLIED) return code;
    bool gap = note_gap(x, &stream, p);
    stream.commits = p->sequence;
    stream.until_ms = p->to;
    stream.samples += p->samples;
    struct sy_hash organisation = stream.organisation, patient = stream.patient;
    save_commit(x, p, gap);
    save_stream(x, &p->stream_id, &stream);
    sy_exec_event(x, SY_EVENT_STREAM_COMMITTED, SY_SUBJECT_ORG, &organisation, &p->stream_id);
    if (!gap) return SY_APPLIED;
    sy_exec_event(x, SY_EVENT_GAP_DETECTED, SY_SUBJECT_ORG, &organisation, &p->stream_id);
    sy_exec_event(x, SY_EVENT_GAP_DETECTED, SY_SUBJECT_PATIENT, &patient, &p->stream_id);
    return SY_APPLIED;
}

// --- closing -----------------------------------------------------------------------------------

static enum sy_refusal check_closing(struct sy_exec *x, struct sy_stream *stream,
                                     const struct sy_hash *id)
{
    struct sy_patient patient;
    if (x->by->role == SY_ROLE_DEVICE) return sy_stream_find_own(x, stream, id);
    if (!sy_stream_find(x, stream, id)) return sy_refuse_hash(x, SY_E_STREAM_UNKNOWN, id);
    if (sy_exec_acts_for_org(x->by->role)) {
        if (sy_hash_equal(&stream->organisation, &x->by->holder)) return SY_APPLIED;
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &stream->organisation);
    }
    struct sy_hash live = sy_exec_live_id(x, &stream->patient);
    if (!sy_exec_decoded(x, sy_exec_find_patient(x, &patient, &live))) return SY_E_NOT_SUBJECT;
    // As consents are taken back: guardians undo nothing of a patient's who has a wallet. Whose the
    // stream is, strangers are not told.
    bool signs =
        patient.claimed ? sy_exec_wallet_signed(x, &patient) : sy_exec_subject_signed(x, &patient);
    return signs ? SY_APPLIED : sy_refuse_hash(x, SY_E_NOT_SUBJECT, id);
}

enum sy_refusal sy_contract_stream_close(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_stream_close *p = &payload->stream_close;
    struct sy_stream stream;
    SY_ASSERT(x->kind->number == SY_KIND_stream_close && x->by->valid);
    enum sy_refusal code = check_closing(x, &stream, &p->stream_id);
    if (code != SY_APPLIED) return code;
    if (stream.closed) return sy_refuse_hash(x, SY_E_STREAM_STATE, &p->stream_id);
    stream.closed = true;
    stream.close_reason = p->reason;
    stream.closed_height = x->height;
    stream.closed_ms = x->time_ms;
    struct sy_hash patient = stream.patient;
    save_stream(x, &p->stream_id, &stream);
    sy_exec_event(x, SY_EVENT_STREAM_CLOSED, SY_SUBJECT_PATIENT, &patient, &p->stream_id);
    return SY_APPLIED;
}
