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
 *   one of the care team does not treat the patient       E_NO_CARE {organisation},
 *                                                         path care_team[n]
 *   writes   stream, stream alert
 *   event    alert.raised about the patient and each of the care team, object: the stream
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
#include <stdio.h>

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

static enum sy_refusal check_team(struct sy_exec *x, const struct sy_hash *patient_id,
                                  const struct sy_list *team)
{
    struct sy_patient patient;
    struct sy_hash organisation;
    unsigned index = 0;
    SY_ASSERT(team->count > 0 && team->count <= SY_STREAM_CARE_TEAM_MAX);
    if (!sy_exec_decoded(x, sy_exec_find_patient(x, &patient, patient_id))) return SY_E_NO_CARE;
    for (size_t offset = 0; sy_list_next_id(team, &offset, &organisation); index++) {
        if (sy_exec_treats(x, &patient, patient_id, &organisation)) continue;
        char path[32];
        (void)snprintf(path, sizeof path, "care_team[%u]", index);
        (void)sy_refuse_path(x, SY_E_NO_CARE, path);
        return sy_refuse_hash(x, SY_E_NO_CARE, &organisation);
    }
    return SY_APPLIED;
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
    if (code != SY_APPLIED) return code;
    struct sy_hash live = sy_exec_live_id(x, &stream->patient);
    return check_team(x, &live, &p->care_team);
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
    struct sy_hash key_hash, patient = stream.patient, organisation;
    stream.alerts = p->sequence;
    sy_stream_encode(&of_stream, &stream); // it borrows from the entry that is written
    sy_exec_save_at(x, SY_STATE_STREAM, &p->stream_id, &of_stream);
    sy_stream_alert_encode(&w, &entry);
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_ALERT, &p->stream_id, p->sequence);
    sy_exec_save(x, &key_hash, &w);
    sy_exec_event(x, SY_EVENT_ALERT_RAISED, SY_SUBJECT_PATIENT, &patient, &p->stream_id);
    for (size_t offset = 0; sy_list_next_id(&p->care_team, &offset, &organisation);) {
        sy_exec_event(x, SY_EVENT_ALERT_RAISED, SY_SUBJECT_ORG, &organisation, &p->stream_id);
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
