/* stream_rules.c: what the contracts about streams of devices judge alike; see stream_rules.h. */
#include "core/ledger/contracts/stream_rules.h"

#include "core/base/assert.h"
#include "core/ledger/contracts/record_rules.h"

bool sy_stream_find(struct sy_exec *x, struct sy_stream *out, const struct sy_hash *id)
{
    struct sy_slice value;
    if (!sy_exec_find_at(x, &value, SY_STATE_STREAM, id)) return false;
    return sy_exec_decoded(x, sy_stream_decode(out, value));
}

enum sy_refusal sy_stream_find_device(struct sy_exec *x, struct sy_device *out,
                                      const struct sy_hash *id)
{
    struct sy_slice value;
    bool there = sy_exec_find_at(x, &value, SY_STATE_DEVICE, id);
    if (there && sy_exec_decoded(x, sy_device_decode(out, value))) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_DEVICE_UNKNOWN, id);
}

bool sy_stream_find_firmware(struct sy_exec *x, struct sy_firmware *out,
                             const struct sy_hash *device_id)
{
    struct sy_slice value;
    if (!sy_exec_find_at(x, &value, SY_STATE_FIRMWARE, device_id)) return false;
    return sy_exec_decoded(x, sy_firmware_decode(out, value));
}

bool sy_stream_device_signs(const struct sy_exec *x, const struct sy_device *device)
{
    struct sy_hash line = sy_hash_of_key(&device->key);
    SY_ASSERT(x->by->valid);
    return x->by->role == SY_ROLE_DEVICE && sy_hash_equal(&line, &x->by->line);
}

enum sy_refusal sy_stream_find_own(struct sy_exec *x, struct sy_stream *out,
                                   const struct sy_hash *id)
{
    struct sy_device device;
    if (!sy_stream_find(x, out, id)) return sy_refuse_hash(x, SY_E_STREAM_UNKNOWN, id);
    enum sy_refusal code = sy_stream_find_device(x, &device, &out->device);
    if (code != SY_APPLIED) sy_exec_corrupt(x); // none is ever taken out
    if (code != SY_APPLIED || sy_stream_device_signs(x, &device)) return code;
    return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &out->device);
}

enum sy_refusal sy_stream_check_firmware(struct sy_exec *x, const struct sy_hash *device_id,
                                         uint32_t release)
{
    struct sy_firmware firmware;
    x->detail = 0;
    if (!sy_stream_find_firmware(x, &firmware, device_id)) return SY_E_FIRMWARE;
    bool runs = release == 0 || release == firmware.release;
    if (runs && x->time_ms <= firmware.until_ms) return SY_APPLIED;
    x->detail = firmware.release;
    return SY_E_FIRMWARE;
}

enum sy_refusal sy_stream_check_consent(struct sy_exec *x, const struct sy_hash *patient_id,
                                        const struct sy_hash *organisation,
                                        const struct sy_hash *consent_id)
{
    struct sy_consent consent;
    struct sy_may_answer answer;
    bool there = sy_exec_find_consent(x, &consent, consent_id) &&
                 sy_hash_equal(&consent.patient, patient_id);
    if (!there) return sy_refuse_hash(x, SY_E_CONSENT_UNKNOWN, consent_id);
    if (consent.denies || consent.revoked) return sy_refuse_hash(x, SY_E_CONSENT, consent_id);
    if (x->time_ms > consent.until_ms) {
        x->detail = (uint64_t)consent.until_ms;
        return sy_refuse_hash(x, SY_E_CONSENT_EXPIRED, consent_id);
    }
    if (x->by->role != SY_ROLE_DEVICE) return SY_APPLIED;
    struct sy_may_question question = {
        .subject = *patient_id,
        .who = x->by->key,
        .purpose = SY_PURPOSE_TREATMENT,
        .action = SY_ACTION_WRITE,
        .record_class = sy_slice_of(SY_STREAM_CLASS, strlen(SY_STREAM_CLASS)),
        .holder = organisation,
    };
    sy_exec_may(x, &answer, &question);
    return answer.allowed ? SY_APPLIED : sy_record_refuse(x, &answer, SY_E_CONSENT, consent_id);
}
