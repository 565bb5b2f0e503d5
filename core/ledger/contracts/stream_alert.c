/* stream_alert.c: what is told of a device: alerts of its streams, and which firmware it runs.
 *
 * stream.alert (the stream's device, or a gateway of its organisation)
 *   there is no such stream                               E_STREAM_UNKNOWN {id}
 *   another device                                        E_SIGNER_MISSING {device id}
 *   another organisation's gateway                        E_NOT_AUTHOR {the device's}
 *   it is not the next one                                E_SEQ {that}
 *     but the very same was applied before                E_DUP_COMMIT {its sequence}
 *   the stream is closed                                  E_STREAM_STATE {id}
 *   it was met over five minutes after block time         E_SKEW {block time}
 *   the firmware, the consent                             see stream_rules.h
 *   one that was at least as severe was met then or later E_ALERT_TIME {when that was}
 *                           was raised within a minute    E_ALERT_SOON {when that is over}
 *   writes   stream, stream alert
 *   event    alert.raised about the patient and each of the stream's care team that the patient
 * does not deny Observations, object: the stream
 *
 * device.firmware (an admin, gateway or manufacturer's key of the device's organisation)
 *   there is no such device                               E_DEVICE_UNKNOWN {id}
 *   another organisation answers for it                   E_NOT_AUTHOR {that}
 *   the device's own key did not sign                     E_SIGNER_MISSING {id}
 *   until is past, or more than 366 days ahead            E_SCHEMA, path until
 *   a newer release is attested, or another firmware of
 *     the same release                                    E_FIRMWARE {release attested}
 *   writes   firmware
 *   event    firmware.attested about the device's owner, object: the device
 *
 * A gateway may alert to what it sees in the samples, the device being asleep; what the device
 * itself says counts only with the firmware that is attested. A release never goes back: what an
 * old firmware said stands, and what it would say is refused. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/stream_rules.h"

// --- alerts ------------------------------------------------------------------------------------

static enum sy_refusal find_told(struct sy_exec *x, struct sy_stream *stream,
                                 const struct sy_hash *id)
{
    if (x->by->role == SY_ROLE_DEVICE) return sy_stream_find_own(x, stream, id);
    if (!sy_stream_find(x, stream, id)) return sy_refuse_hash(x, SY_E_STREAM_UNKNOWN, id);
    if (sy_hash_equal(&stream->organisation, &x->by->holder)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &stream->organisation);
}

static enum sy_refusal check_sequence(struct sy_exec *x, const struct sy_stream *stream,
                                      const struct sy_stream_alert *p)
{
    struct sy_stream_alert_entry entry;
    struct sy_hash key_hash;
    struct sy_slice value;
    if (p->sequence <= stream->alerts) {
        sy_state_key_stream(&key_hash, SY_STATE_STREAM_ALERT, &p->stream_id, p->sequence);
        bool there = sy_exec_find(x, &value, &key_hash) && sy_stream_alert_decode(&entry, value);
        bool same = sy_exec_decoded(x, there) && sy_hash_equal(&entry.rule, &p->rule) &&
                    entry.level == p->level && entry.at_ms == p->at;
        if (same) {
            x->detail = p->sequence;
            return sy_refuse_hash(x, SY_E_DUP_COMMIT, &p->stream_id);
        }
    }
    if (p->sequence == (uint64_t)stream->alerts + 1) return SY_APPLIED;
    x->detail = (uint64_t)stream->alerts + 1;
    return sy_refuse_hash(x, SY_E_SEQ, &p->stream_id);
}

/* Alerts come one a minute, so that none drowns in others; what is more severe does not wait. */
static enum sy_refusal check_last(struct sy_exec *x, const struct sy_stream *stream,
                                  const struct sy_stream_alert *p)
{
    struct sy_stream_alert_entry last;
    struct sy_hash key_hash;
    struct sy_slice value;
    if (stream->alerts == 0) return SY_APPLIED;
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_ALERT, &p->stream_id, stream->alerts);
    bool there = sy_exec_find(x, &value, &key_hash) && sy_stream_alert_decode(&last, value);
    if (!sy_exec_decoded(x, there)) return SY_E_ALERT_TIME;
    if (p->level > last.level) return SY_APPLIED;
    int64_t since_ms = last.at_ms < last.time_ms ? last.at_ms : last.time_ms; // a clock was ahead
    if (p->at <= since_ms) {
        x->detail = (uint64_t)since_ms;
        return SY_E_ALERT_TIME;
    }
    if (x->time_ms - last.time_ms >= SY_STREAM_ALERT_MS) return SY_APPLIED;
    x->detail = (uint64_t)(last.time_ms + SY_STREAM_ALERT_MS);
    return SY_E_ALERT_SOON;
}

static enum sy_refusal check_alert(struct sy_exec *x, struct sy_stream *stream,
                                   const struct sy_stream_alert *p)
{
    enum sy_refusal code = find_told(x, stream, &p->stream_id);
    if (code == SY_APPLIED) code = check_sequence(x, stream, p);
    if (code != SY_APPLIED) return code;
    if (stream->closed) return sy_refuse_hash(x, SY_E_STREAM_STATE, &p->stream_id);
    if (p->at - x->time_ms > SY_STREAM_SKEW_MS) {
        x->detail = (uint64_t)x->time_ms;
        return SY_E_SKEW;
    }
    if (x->by->role == SY_ROLE_DEVICE) code = sy_stream_check_firmware(x, &stream->device, 0);
    if (code != SY_APPLIED) return code;
    code = sy_stream_check_consent(x, stream, &p->stream_id, x->time_ms);
    return code == SY_APPLIED ? check_last(x, stream, p) : code;
}

/* Is it a denial that stands, of an organisation's reading Observations for treatment? */
static bool denies_reading(const struct sy_exec *x, const struct sy_consent *denial)
{
    struct sy_slice class = sy_slice_of(SY_STREAM_CLASS, strlen(SY_STREAM_CLASS)), named;
    bool fits = denial->classes.count == 0;
    for (size_t offset = 0; !fits && sy_list_next_text(&denial->classes, &offset, &named);) {
        fits = sy_slice_equal(named, class);
    }
    return fits && denial->denies && !denial->revoked && denial->labels.count == 0 &&
           denial->grantee_kind == SY_GRANTEE_ORG && x->time_ms >= denial->from_ms &&
           x->time_ms <= denial->until_ms && (denial->actions & SY_SET_BIT(SY_ACTION_READ)) != 0 &&
           (denial->purposes & SY_SET_BIT(SY_PURPOSE_TREATMENT)) != 0;
}

/* Copies the care team into `told`, but for whom the patient denied since; returns how many. */
static unsigned choose_told(struct sy_exec *x, struct sy_hash told[SY_STREAM_CARE_TEAM_MAX],
                            const struct sy_stream *stream)
{
    struct sy_consents consents;
    struct sy_consent denial;
    struct sy_hash id, live = sy_exec_live_id(x, &stream->patient);
    unsigned count = 0;
    SY_ASSERT(stream->care_team.count <= SY_STREAM_CARE_TEAM_MAX);
    for (size_t offset = 0; sy_list_next_id(&stream->care_team, &offset, &id);) told[count++] = id;
    if (count == 0) return 0;
    sy_exec_find_consents(x, &consents, &live);
    for (size_t offset = 0; sy_list_next_id(&consents.live, &offset, &id);) {
        unsigned kept = 0;
        if (!sy_exec_find_consent(x, &denial, &id) || !denies_reading(x, &denial)) continue;
        for (unsigned i = 0; i < count; i++) {
            if (!sy_hash_equal(&told[i], &denial.grantee)) told[kept++] = told[i];
        }
        count = kept;
    }
    return count;
}

enum sy_refusal sy_contract_stream_alert(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_stream_alert *p = &payload->stream_alert;
    struct sy_stream stream;
    SY_ASSERT(x->kind->number == SY_KIND_stream_alert && x->by->valid);
    enum sy_refusal code = check_alert(x, &stream, p);
    if (code != SY_APPLIED) return code;
    struct sy_stream_alert_entry entry = {
        .key = x->by->key,
        .rule = p->rule,
        .level = p->level,
        .at_ms = p->at,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    uint8_t room[256], stream_room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_writer of_stream = sy_writer_of(stream_room, sizeof stream_room);
    struct sy_hash key_hash, patient = stream.patient, told[SY_STREAM_CARE_TEAM_MAX];
    unsigned told_count = choose_told(x, told, &stream);
    stream.alerts = p->sequence;
    sy_stream_encode(&of_stream, &stream); // it borrows from the entry that is written
    sy_exec_save_at(x, SY_STATE_STREAM, &p->stream_id, &of_stream);
    sy_stream_alert_encode(&w, &entry);
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_ALERT, &p->stream_id, p->sequence);
    sy_exec_save(x, &key_hash, &w);
    sy_exec_event(x, SY_EVENT_ALERT_RAISED, SY_SUBJECT_PATIENT, &patient, &p->stream_id);
    for (unsigned i = 0; i < told_count; i++) {
        sy_exec_event(x, SY_EVENT_ALERT_RAISED, SY_SUBJECT_ORG, &told[i], &p->stream_id);
    }
    return SY_APPLIED;
}

// --- firmware ----------------------------------------------------------------------------------

/* Did the device, with the newest key of its line? */
static bool device_signed(const struct sy_exec *x, const struct sy_device *device)
{
    struct sy_hash line = sy_hash_of_key(&device->key);
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        if (signer->valid && sy_hash_equal(&signer->line, &line)) return true;
    }
    return false;
}

static enum sy_refusal check_firmware(struct sy_exec *x, struct sy_device *device,
                                      const struct sy_device_firmware *p)
{
    struct sy_firmware before;
    enum sy_refusal code = sy_stream_find_device(x, device, &p->device_id);
    if (code != SY_APPLIED) return code;
    if (!sy_hash_equal(&device->organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &device->organisation);
    }
    if (!device_signed(x, device)) return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->device_id);
    bool window = p->until >= x->time_ms && p->until - x->time_ms <= SY_FIRMWARE_MS_MAX;
    if (!window) return sy_refuse_path(x, SY_E_SCHEMA, "until");
    if (!sy_stream_find_firmware(x, &before, &p->device_id)) return SY_APPLIED;
    bool again = p->release == before.release && sy_hash_equal(&p->firmware, &before.firmware);
    if (again || p->release > before.release) return SY_APPLIED;
    x->detail = before.release;
    return SY_E_FIRMWARE;
}

enum sy_refusal sy_contract_device_firmware(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_device_firmware *p = &payload->device_firmware;
    struct sy_device device;
    SY_ASSERT(x->kind->number == SY_KIND_device_firmware && x->by->valid);
    enum sy_refusal code = check_firmware(x, &device, p);
    if (code != SY_APPLIED) return code;
    struct sy_firmware firmware = {
        .release = p->release,
        .firmware = p->firmware,
        .attest = p->attest,
        .key = x->by->key,
        .until_ms = p->until,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_firmware_encode(&w, &firmware);
    sy_exec_save_at(x, SY_STATE_FIRMWARE, &p->device_id, &w);
    sy_exec_event(x, SY_EVENT_FIRMWARE_ATTESTED, (enum sy_subject_kind)device.owner_kind,
                  &device.owner, &p->device_id);
    return SY_APPLIED;
}
