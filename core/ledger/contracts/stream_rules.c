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

// --- the consent -------------------------------------------------------------------------------

/* Does it let this device write Observations for treatment, of those without a label? */
static bool covers_device(const struct sy_consent *consent, const struct sy_device *device)
{
    struct sy_hash whom = sy_hash_of_key(&device->key);
    struct sy_slice class = sy_slice_of(SY_STREAM_CLASS, strlen(SY_STREAM_CLASS)), named;
    bool fits = consent->classes.count == 0;
    if (consent->grantee_kind == SY_GRANTEE_ORG) return false; // which lets no device in (may.h)
    if (consent->grantee_kind == SY_GRANTEE_ROLE) {
        whom = (struct sy_hash){{0}};
        sy_store_u16(whom.bytes, SY_ROLE_DEVICE);
    }
    for (size_t offset = 0; !fits && sy_list_next_text(&consent->classes, &offset, &named);) {
        fits = sy_slice_equal(named, class);
    }
    return fits && !consent->denies && consent->labels.count == 0 &&
           (consent->actions & SY_SET_BIT(SY_ACTION_WRITE)) != 0 &&
           (consent->purposes & SY_SET_BIT(SY_PURPOSE_TREATMENT)) != 0 &&
           sy_hash_equal(&consent->grantee, &whom);
}

/* Was it revoked, or what it was passed on from? */
static bool was_revoked(struct sy_exec *x, const struct sy_consent *consent)
{
    struct sy_consent parent;
    if (consent->revoked || !consent->passed_on) return consent->revoked;
    if (sy_exec_find_consent(x, &parent, &consent->parent)) return parent.revoked;
    sy_exec_corrupt(x);
    return true;
}

/* The newest key of the device's line: the signer's, or what follows the one that signed the last
 * commitment. Not found within the bound: the last one looked at, which was replaced. */
static struct sy_public_key newest_key(struct sy_exec *x, const struct sy_device *device,
                                       const struct sy_hash *stream_id, uint32_t commits)
{
    struct sy_public_key key = device->key;
    struct sy_stream_commit_entry last;
    struct sy_credential credential;
    struct sy_hash key_hash;
    struct sy_slice value;
    if (sy_stream_device_signs(x, device)) return x->by->key;
    if (commits > 0) {
        sy_state_key_stream(&key_hash, SY_STATE_STREAM_COMMIT, stream_id, commits);
        bool there = sy_exec_find(x, &value, &key_hash) && sy_stream_commit_decode(&last, value);
        if (sy_exec_decoded(x, there)) key = last.key;
    }
    for (unsigned i = 0; i < SY_STREAM_KEYS_MAX; i++) {
        if (!sy_exec_find_credential(x, &credential, &key) || !credential.has_successor) break;
        key = credential.successor;
    }
    return key;
}

/* The grant that is named has to stand by itself, and nothing beside it may stand in its way. */
static enum sy_refusal check_named(struct sy_exec *x, const struct sy_stream *stream,
                                   const struct sy_device *device, int64_t from_ms)
{
    struct sy_consent consent;
    bool there = sy_exec_find_consent(x, &consent, &stream->consent) &&
                 sy_hash_equal(&consent.patient, &stream->patient);
    if (!there) return sy_refuse_hash(x, SY_E_CONSENT_UNKNOWN, &stream->consent);
    bool covers = covers_device(&consent, device) && x->time_ms >= consent.from_ms &&
                  from_ms >= consent.from_ms;
    if (!covers || was_revoked(x, &consent)) {
        return sy_refuse_hash(x, SY_E_CONSENT, &stream->consent);
    }
    if (x->time_ms <= consent.until_ms) return SY_APPLIED;
    x->detail = (uint64_t)consent.until_ms;
    return sy_refuse_hash(x, SY_E_CONSENT_EXPIRED, &stream->consent);
}

enum sy_refusal sy_stream_check_consent(struct sy_exec *x, const struct sy_stream *stream,
                                        const struct sy_hash *stream_id, int64_t from_ms)
{
    struct sy_device device;
    struct sy_may_answer answer;
    enum sy_refusal code = sy_stream_find_device(x, &device, &stream->device);
    if (code == SY_APPLIED) code = check_named(x, stream, &device, from_ms);
    if (code != SY_APPLIED) return code;
    struct sy_may_question question = {
        .subject = stream->patient,
        .who = newest_key(x, &device, stream_id, stream->commits),
        .purpose = SY_PURPOSE_TREATMENT,
        .action = SY_ACTION_WRITE,
        .record_class = sy_slice_of(SY_STREAM_CLASS, strlen(SY_STREAM_CLASS)),
        .holder = &stream->organisation,
    };
    sy_exec_may(x, &answer, &question);
    if (answer.allowed) return SY_APPLIED;
    if (answer.ground == SY_MAY_NO_CREDENTIAL) {
        return sy_refuse_key(x, SY_E_CRED_EXPIRED, &question.who);
    }
    return sy_record_refuse(x, &answer, SY_E_CONSENT, &stream->consent);
}
