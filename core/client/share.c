/* share.c: see share.h. */
#include "core/client/share.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/client_store.h"
#include "core/client/may_words.h"
#include "core/client/record_check.h"

#define ROTATIONS_MAX 64u /* of an organisation's first admin key, that are followed */

static sy_status unknown_form(struct sy_share *share, const char *what)
{
    return sy_fail(share->err, SY_ERR_VERSION, "the %s proven is of an unknown form: upgrade",
                   what);
}

// --- the record --------------------------------------------------------------------------------

static sy_status prove(struct sy_share *share, struct sy_proven *answer, enum sy_state_kind kind,
                       uint32_t version)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = share->record,
                                   .purpose = SY_PURPOSE_OPERATIONS};
    if (kind == SY_STATE_RECORD_VERSION) sy_store_u32(read.second.bytes, version);
    SY_TRY(sy_asker_read(share->asker, answer, &read, share->key, share->max_age_ms, share->err));
    sy_asker_expect(share->asker, answer->proof.header.height);
    if (answer->proof.state.present) return SY_OK;
    return sy_fail(share->err, SY_ERR_PERMISSION, "the ledger has no such record");
}

/* The record as it is now, if it may be shared at all. Borrows the proof. */
static sy_status read_record(struct sy_share *share, struct sy_record *record)
{
    SY_TRY(prove(share, &share->record_proof, SY_STATE_RECORD, 0));
    if (!sy_record_decode(record, share->record_proof.proof.state.value)) {
        return unknown_form(share, "record");
    }
    if (record->retracted && !share->whole) {
        return sy_fail(share->err, SY_ERR_PERMISSION,
                       "the record was retracted: it is not shared any more");
    }
    if (record->erased) {
        return sy_fail(share->err, SY_ERR_PERMISSION,
                       "the record was erased: what is left of its content is to be destroyed");
    }
    return SY_OK;
}

sy_status sy_share_check_record(struct sy_share *share)
{
    struct sy_record record;
    return read_record(share, &record);
}

static sy_status take_record(struct sy_share *share)
{
    struct sy_record record;
    SY_TRY(read_record(share, &record));
    share->subject = record.subject;
    share->holder = record.holder;
    share->about_patient = record.subject_kind == SY_SUBJECT_PATIENT;
    share->has_label = record.has_sens_tag;
    memcpy(share->label.bytes, record.sens_tag, sizeof share->label.bytes);
    share->class_size = record.record_class.size;
    if (share->class_size > 0) {
        memcpy(share->class_room, record.record_class.data, share->class_size);
    }
    share->form = record.first.form;
    return SY_OK;
}

static sy_status take_version(struct sy_share *share)
{
    struct sy_record_version version;
    if (share->version == 1) return SY_OK;
    SY_TRY(prove(share, &share->version_proof, SY_STATE_RECORD_VERSION, share->version));
    if (!sy_record_version_decode(&version, share->version_proof.proof.state.value)) {
        return unknown_form(share, "version");
    }
    share->form = version.form;
    return SY_OK;
}

/* Each call has a checker of its own: other threads share what is theirs meanwhile. */
static sy_status check_content(struct sy_share *share, struct sy_record_verdict *verdict,
                               const struct sy_hash *salt, struct sy_slice content)
{
    struct sy_record_checker *checker = calloc(1, sizeof *checker); // too large for a small stack
    if (checker == NULL) return sy_fail(share->err, SY_ERR_NO_MEMORY, "out of memory");
    checker->asker = share->asker;
    checker->key = share->key;
    checker->max_age_ms = share->max_age_ms;
    sy_status status =
        sy_record_check_content(checker, verdict, &share->record, salt, content, share->err);
    sy_record_checker_close(checker);
    free(checker);
    return status;
}

sy_status sy_share_find(struct sy_share *share, uint32_t *version, const struct sy_hash *record,
                        const struct sy_hash *salt, struct sy_slice content)
{
    struct sy_record_verdict verdict = {0};
    share->record = *record;
    SY_TRY(check_content(share, &verdict, salt, content));
    char words[SY_RECORD_SENTENCE_BYTES];
    sy_record_verdict_words(words, sizeof words, &verdict);
    bool current = verdict.verdict == SY_RECORD_REGISTERED;
    bool asked_for = *version != 0 && *version == verdict.version;
    if (verdict.version == 0 || (*version != 0 && !asked_for) ||
        (!current && !asked_for && !share->whole)) {
        return sy_fail(share->err, SY_ERR_PERMISSION, "what would be shared is %s%s", words,
                       verdict.verdict == SY_RECORD_OLDER && *version == 0
                           ? "; --version N shares an older one on purpose"
                           : "");
    }
    *version = verdict.version;
    share->version = verdict.version;
    SY_TRY(take_record(share));
    return take_version(share);
}

// --- recipients --------------------------------------------------------------------------------

static sy_status get(struct sy_share *share, struct sy_slice *value, enum sy_state_kind kind,
                     const struct sy_hash *id)
{
    share->reader.asker = share->asker;
    share->reader.key = share->key;
    share->reader.max_age_ms = share->max_age_ms;
    share->reader.err = share->err;
    sy_status status = sy_may_read(&share->reader, value, kind, id, NULL);
    sy_asker_expect(share->asker, share->reader.highest);
    return status;
}

static sy_status take_key(struct sy_share *share, struct sy_recipient *out, struct sy_slice value)
{
    struct sy_credential credential;
    out->kind = SY_RECIPIENT_KEY;
    if (!sy_credential_decode(&credential, value)) return unknown_form(share, "credential");
    memcpy(out->who.bytes, out->id.bytes, sizeof out->who.bytes);
    out->x25519 = credential.x25519_key;
    if (credential.revoked) {
        return sy_fail(share->err, SY_ERR_PERMISSION, "the key was revoked");
    }
    if (!credential.has_x25519_key) {
        return sy_fail(share->err, SY_ERR_PERMISSION,
                       "the key's credential names no X25519 key, so nothing can be sealed to it");
    }
    return SY_OK;
}

/* Follows *key to the one that stands in its place now. */
static sy_status follow_key(struct sy_share *share, struct sy_public_key *key)
{
    struct sy_slice value;
    struct sy_credential credential;
    for (unsigned i = 0; i < ROTATIONS_MAX; i++) {
        struct sy_hash id;
        memcpy(id.bytes, key->bytes, sizeof id.bytes);
        SY_TRY(get(share, &value, SY_STATE_CREDENTIAL, &id));
        if (!sy_credential_decode(&credential, value)) return unknown_form(share, "credential");
        if (!credential.has_successor) return SY_OK;
        *key = credential.successor;
    }
    return sy_fail(share->err, SY_ERR_LIMIT,
                   "the organisation's admin key was replaced over %u times: share with the key of "
                   "one of its members",
                   ROTATIONS_MAX);
}

static sy_status take_org(struct sy_share *share, struct sy_recipient *out, struct sy_slice value)
{
    struct sy_org org;
    out->kind = SY_RECIPIENT_ORG;
    if (!sy_org_decode(&org, value)) return unknown_form(share, "organisation");
    out->who = org.admin_key;
    out->x25519 = org.x25519_key;
    return follow_key(share, &out->who);
}

static sy_status take_patient(struct sy_share *share, struct sy_recipient *out,
                              struct sy_slice value)
{
    struct sy_patient patient;
    out->kind = SY_RECIPIENT_PATIENT;
    if (!sy_patient_decode(&patient, value)) return unknown_form(share, "patient");
    out->who = patient.wallet_key;
    out->x25519 = patient.x25519_key;
    if (!patient.claimed || !patient.has_x25519_key) {
        return sy_fail(share->err, SY_ERR_PERMISSION,
                       "the patient has no %s key, so nobody could open it",
                       patient.claimed ? "X25519" : "wallet");
    }
    return SY_OK;
}

sy_status sy_share_resolve(struct sy_share *share, struct sy_recipient *out,
                           const struct sy_hash *id)
{
    struct sy_slice value;
    *out = (struct sy_recipient){.id = *id};
    sy_status status = get(share, &value, SY_STATE_CREDENTIAL, id);
    if (status == SY_OK) return take_key(share, out, value);
    if (status != SY_ERR_NOT_FOUND) return status;
    status = get(share, &value, SY_STATE_ORG, id);
    if (status == SY_OK) return take_org(share, out, value);
    if (status != SY_ERR_NOT_FOUND) return status;
    status = get(share, &value, SY_STATE_PATIENT, id);
    if (status == SY_OK) return take_patient(share, out, value);
    if (status != SY_ERR_NOT_FOUND && status != SY_ERR_PERMISSION) return status;
    return sy_fail(share->err, SY_ERR_NOT_FOUND,
                   "the ledger has no key or organisation of that id, and no patient that the key "
                   "which asks may see");
}

sy_status sy_share_custodian(struct sy_share *share, struct sy_recipient *out)
{
    struct sy_slice value;
    struct sy_patient patient;
    *out = (struct sy_recipient){.id = share->holder};
    sy_status status = get(share, &value, SY_STATE_ORG, &out->id);
    if (status == SY_ERR_NOT_FOUND) {
        status = get(share, &value, SY_STATE_PATIENT, &share->holder);
        if (status == SY_OK && !sy_patient_decode(&patient, value)) {
            return unknown_form(share, "patient");
        }
        if (status == SY_OK) {
            out->id = patient.organisation;
            status = get(share, &value, SY_STATE_ORG, &out->id);
        }
    }
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(share->err, status, "the ledger has no custodian of the record");
    }
    if (status != SY_OK) return status;
    SY_TRY(take_org(share, out, value));
    out->kind = SY_RECIPIENT_CUSTODIAN;
    return SY_OK;
}

// --- rights ------------------------------------------------------------------------------------

/* A grant that commits to wrapped keys covers those alone. */
static sy_status find_bound(struct sy_share *share, struct sy_recipient *recipient)
{
    struct sy_slice value;
    struct sy_consent consent;
    recipient->bound = false;
    if (recipient->answer.ground != SY_MAY_GRANTED) return SY_OK;
    SY_TRY(get(share, &value, SY_STATE_CONSENT, &recipient->answer.consent));
    if (!sy_consent_decode(&consent, value)) return unknown_form(share, "consent");
    recipient->bound = consent.has_wrapped_key_hash;
    return SY_OK;
}

sy_status sy_share_judge(struct sy_share *share, struct sy_recipient *recipient, int64_t time_ms)
{
    struct sy_may_question question = {
        .subject = share->subject,
        .who = recipient->who,
        .purpose = share->purpose,
        .action = SY_ACTION_READ,
        .record_class = sy_slice_of(share->class_room, share->class_size),
        .label = share->has_label ? &share->label : NULL,
        .holder = &share->holder,
        .height = SY_MAY_NOW,
        .time_ms = time_ms,
    };
    recipient->answer = (struct sy_may_answer){.allowed = true, .miss = SY_MAY_MISS_NONE};
    if (!share->about_patient || recipient->kind == SY_RECIPIENT_CUSTODIAN) return SY_OK;
    share->reader.asker = share->asker;
    share->reader.key = share->key;
    share->reader.max_age_ms = share->max_age_ms;
    share->reader.err = share->err;
    sy_status status = sy_may(&recipient->answer, &question, sy_may_read, &share->reader);
    if (status == SY_ERR_CORRUPT) {
        return sy_fail(share->err, status,
                       "an entry proven is missing or of an unknown form: upgrade");
    }
    if (status != SY_OK) return status;
    return find_bound(share, recipient);
}

static sy_status judge_one(struct sy_share *share, struct sy_recipient *recipient, int64_t time_ms,
                           bool before_grant)
{
    char words[SY_MAY_WORDS_BYTES];
    sy_status status = sy_share_judge(share, recipient, time_ms);
    if (status != SY_OK || before_grant) return status;
    sy_may_say(words, sizeof words, &recipient->answer);
    if (!recipient->answer.allowed) {
        return sy_fail(share->err, SY_ERR_PERMISSION, "it may not read this record: %s", words);
    }
    if (recipient->bound) {
        return sy_fail(share->err, SY_ERR_PERMISSION,
                       "the grant that lets it in commits to keys that were wrapped before, and to "
                       "no others; seal anew before the grant and give a grant of its own");
    }
    return SY_OK;
}

/* Says whom a failure is about. */
static sy_status blame(sy_status status, const struct sy_hash *who, struct sy_error *err)
{
    char hex[65];
    struct sy_error inner = *err;
    if (status == SY_ERR_NETWORK || status == SY_ERR_TIMEOUT) return status;
    sy_hex_encode(hex, who->bytes, sizeof who->bytes);
    return sy_fail(err, status, "recipient %s: %.400s", hex, inner.text);
}

sy_status sy_share_recipients(struct sy_share *share, struct sy_recipient *out,
                              const struct sy_hash *ids, unsigned count, bool before_grant)
{
    SY_ASSERT(count <= SY_SHARE_RECIPIENTS_MAX);
    SY_TRY(sy_asker_block(share->asker, &share->block, SY_HEIGHT_NEWEST, share->err));
    int64_t time_ms = share->block.header.time_ms;
    for (unsigned i = 0; i < count; i++) {
        sy_status status = sy_share_resolve(share, &out[i], &ids[i]);
        if (status == SY_OK) status = judge_one(share, &out[i], time_ms, before_grant);
        if (status != SY_OK) return blame(status, &ids[i], share->err);
    }
    SY_TRY(sy_share_custodian(share, &out[count]));
    return sy_share_judge(share, &out[count], time_ms);
}

// --- sealing -----------------------------------------------------------------------------------

static sy_status seal_body(struct sy_share *share, struct sy_share_sealed *sealed, unsigned *bad,
                           const uint8_t network[16], const struct sy_public_key *keys,
                           unsigned count, struct sy_slice body)
{
    struct sy_envelope envelope;
    sealed->size = sy_envelope_bytes(body.size, count);
    sealed->file = malloc(sealed->size);
    if (sealed->file == NULL) return sy_fail(share->err, SY_ERR_NO_MEMORY, "out of memory");
    struct sy_writer w = sy_writer_of(sealed->file, sealed->size);
    if (!sy_envelope_seal(&w, bad, network, keys, count, body)) {
        return sy_fail(share->err, SY_ERR_CRYPTO,
                       "a recipient's X25519 key is none: nothing can be sealed to it");
    }
    if (w.failed || !sy_envelope_decode(&envelope, sy_writer_slice(&w), NULL)) {
        return sy_fail(share->err, SY_ERR_LIMIT, "the envelope would be too large");
    }
    for (unsigned i = 0; i < count; i++) {
        sy_envelope_wrapped_hash(&sealed->hashes[i], &envelope, i, &keys[i], &share->record,
                                 share->version);
    }
    return SY_OK;
}

sy_status sy_share_seal(struct sy_share *share, struct sy_share_sealed *sealed, unsigned *bad,
                        const uint8_t network[16], const struct sy_public_key *keys, unsigned count,
                        const struct sy_hash *salt, struct sy_slice content)
{
    struct sy_envelope_body body = {
        .record = share->record,
        .version = share->version,
        .form = share->form,
        .salt = *salt,
        .proof_count = share->version == 1 ? 1 : 2,
        .proofs = {sy_slice_of(share->record_proof.bytes, share->record_proof.size),
                   sy_slice_of(share->version_proof.bytes, share->version_proof.size)},
        .content = content,
        .padding = sy_content_size_rounded(content.size) - content.size,
    };
    size_t size = sy_envelope_body_bytes(&body);
    if (size > SY_ENVELOPE_BODY_MAX) {
        return sy_fail(share->err, SY_ERR_LIMIT, "the content is too large for an envelope");
    }
    uint8_t *room = malloc(size);
    if (room == NULL) return sy_fail(share->err, SY_ERR_NO_MEMORY, "out of memory");
    struct sy_writer w = sy_writer_of(room, size);
    sy_envelope_body_encode(&w, &body);
    sy_status status =
        w.failed ? sy_fail(share->err, SY_ERR_FORMAT, "the version is of an unknown form")
                 : seal_body(share, sealed, bad, network, keys, count, sy_writer_slice(&w));
    sy_wipe(room, size);
    free(room);
    return status;
}

void sy_share_free(struct sy_share *share)
{
    sy_may_reader_free(&share->reader);
    sy_proven_free(&share->record_proof);
    sy_proven_free(&share->version_proof);
}
