/* exec_state.c: typed state for contracts, and what several of them ask; see exec.h. */
#include "core/base/assert.h"
#include "core/crypto/keys.h"
#include "core/ledger/exec.h"

// --- refusing ----------------------------------------------------------------------------------

enum sy_refusal sy_refuse_role(struct sy_exec *x, uint32_t roles)
{
    SY_ASSERT(roles < SY_ROLE_BIT(SY_ROLE_COUNT));
    x->detail = roles;
    return SY_E_ROLE;
}

enum sy_refusal sy_refuse_path(struct sy_exec *x, enum sy_refusal code, const char *path)
{
    size_t size = strlen(path);
    SY_ASSERT(size < sizeof x->path.text);
    SY_ASSERT(size <= SY_RECEIPT_PATH_BYTES_MAX);
    memcpy(x->path.text, path, size + 1);
    return code;
}

enum sy_refusal sy_refuse_hash(struct sy_exec *x, enum sy_refusal code, const struct sy_hash *hash)
{
    x->detail_hash = *hash;
    return code;
}

enum sy_refusal sy_refuse_key(struct sy_exec *x, enum sy_refusal code,
                              const struct sy_public_key *key)
{
    x->detail_hash = sy_hash_of_key(key);
    return code;
}

// --- entries -----------------------------------------------------------------------------------

void sy_exec_key(struct sy_exec *x, struct sy_hash *out, enum sy_state_kind kind,
                 const struct sy_hash *id)
{
    size_t place = (sy_load_u16(id->bytes) ^ sy_load_u16(id->bytes + 16) ^ (unsigned)kind * 37u) %
                   SY_EXEC_MEMO;
    SY_ASSERT(sy_state_kind_name(kind) != NULL);
    struct sy_exec_memo *memo = &x->memo[place];
    if (memo->kind != kind || !sy_hash_equal(&memo->id, id)) {
        memo->kind = (uint8_t)kind;
        memo->id = *id;
        sy_state_key_id(&memo->key_hash, kind, id);
    }
    *out = memo->key_hash;
}

/* The first failure stays; later ones follow from it. */
static void keep_failure(struct sy_exec *x, sy_status status)
{
    SY_ASSERT(status != SY_OK && status != SY_ERR_NOT_FOUND);
    if (x->failed == SY_OK) x->failed = status;
}

void sy_exec_corrupt(struct sy_exec *x)
{
    keep_failure(x, SY_ERR_CORRUPT);
}

bool sy_exec_find(struct sy_exec *x, struct sy_slice *value, const struct sy_hash *key_hash)
{
    sy_status status = sy_overlay_get(x->state, value, key_hash);
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) keep_failure(x, status);
    return status == SY_OK;
}

bool sy_exec_find_at(struct sy_exec *x, struct sy_slice *value, enum sy_state_kind kind,
                     const struct sy_hash *id)
{
    struct sy_hash key_hash;
    sy_exec_key(x, &key_hash, kind, id);
    return sy_exec_find(x, value, &key_hash);
}

bool sy_exec_has(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, kind, id);
}

void sy_exec_save(struct sy_exec *x, const struct sy_hash *key_hash, const struct sy_writer *value)
{
    SY_ASSERT(!value->failed && value->used > 0);
    SY_ASSERT(value->used <= SY_STATE_VALUE_BYTES_MAX);
    sy_status status = sy_overlay_put(x->state, key_hash, sy_writer_slice(value));
    if (status != SY_OK) keep_failure(x, status);
}

void sy_exec_save_at(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *id,
                     const struct sy_writer *value)
{
    struct sy_hash key_hash;
    sy_exec_key(x, &key_hash, kind, id);
    sy_exec_save(x, &key_hash, value);
}

void sy_exec_remove(struct sy_exec *x, const struct sy_hash *key_hash)
{
    sy_status status = sy_overlay_remove(x->state, key_hash);
    if (status != SY_OK) keep_failure(x, status);
}

bool sy_exec_find_credential(struct sy_exec *x, struct sy_credential *out,
                             const struct sy_public_key *key)
{
    struct sy_hash id = sy_hash_of_key(key);
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_CREDENTIAL, &id) &&
           sy_exec_decoded(x, sy_credential_decode(out, value));
}

bool sy_exec_find_org(struct sy_exec *x, struct sy_org *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_ORG, id) &&
           sy_exec_decoded(x, sy_org_decode(out, value));
}

bool sy_exec_find_patient(struct sy_exec *x, struct sy_patient *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_PATIENT, id) &&
           sy_exec_decoded(x, sy_patient_decode(out, value));
}

bool sy_exec_find_care(struct sy_exec *x, struct sy_care *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_CARE, id) &&
           sy_exec_decoded(x, sy_care_decode(out, value));
}

bool sy_exec_find_consent(struct sy_exec *x, struct sy_consent *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_CONSENT, id) &&
           sy_exec_decoded(x, sy_consent_decode(out, value));
}

void sy_exec_find_consents(struct sy_exec *x, struct sy_consents *out,
                           const struct sy_hash *patient_id)
{
    struct sy_hash key_hash;
    sy_exec_key(x, &key_hash, SY_STATE_CONSENTS, patient_id);
    struct sy_slice value;
    bool some =
        sy_exec_find(x, &value, &key_hash) && sy_exec_decoded(x, sy_consents_decode(out, value));
    if (!some) *out = (struct sy_consents){.given = 0};
}

bool sy_exec_find_record(struct sy_exec *x, struct sy_record *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_RECORD, id) &&
           sy_exec_decoded(x, sy_record_decode(out, value));
}

bool sy_exec_find_open_care(struct sy_exec *x, struct sy_hash *care, const struct sy_hash *patient,
                            const struct sy_hash *organisation)
{
    struct sy_hash key_hash;
    sy_state_key_open_care(&key_hash, patient, organisation);
    struct sy_slice value;
    return sy_exec_find(x, &value, &key_hash) && sy_exec_decoded(x, sy_id_decode(care, value));
}

void sy_exec_save_credential(struct sy_exec *x, const struct sy_public_key *key,
                             const struct sy_credential *credential)
{
    SY_ASSERT((credential->use == SY_KEY_TX) == (credential->role != 0));
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_credential_encode(&w, credential);
    struct sy_hash id = sy_hash_of_key(key);
    struct sy_hash key_hash;
    sy_exec_key(x, &key_hash, SY_STATE_CREDENTIAL, &id);
    sy_exec_save(x, &key_hash, &w);
    x->signers_stale = true;
}

void sy_exec_save_org(struct sy_exec *x, const struct sy_hash *id, const struct sy_org *org)
{
    SY_ASSERT(org->kind != 0 && org->kind < SY_ORG_KIND_COUNT);
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_org_encode(&w, org);
    sy_exec_save_at(x, SY_STATE_ORG, id, &w);
    x->signers_stale = true;
}

void sy_exec_save_patient(struct sy_exec *x, const struct sy_hash *id,
                          const struct sy_patient *patient)
{
    SY_ASSERT(patient->guardians_needed <= patient->guardians.count);
    SY_ASSERT(patient->guardians.count <= SY_GUARDIANS_MAX);
    SY_ASSERT(!patient->merged || !patient->claimed);
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_patient_encode(&w, patient);
    sy_exec_save_at(x, SY_STATE_PATIENT, id, &w);
}

void sy_exec_save_care(struct sy_exec *x, const struct sy_hash *id, const struct sy_care *care)
{
    SY_ASSERT(care->closed_height == 0 || care->closed_height >= care->opened_height);
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_care_encode(&w, care);
    sy_exec_save_at(x, SY_STATE_CARE, id, &w);
}

void sy_exec_save_consent(struct sy_exec *x, const struct sy_hash *id,
                          const struct sy_consent *consent)
{
    SY_ASSERT(consent->number > 0 && consent->actions != 0 && consent->purposes != 0);
    SY_ASSERT(consent->revoked == (consent->revoked_height != 0));
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_consent_encode(&w, consent);
    sy_exec_save_at(x, SY_STATE_CONSENT, id, &w);
}

void sy_exec_save_consents(struct sy_exec *x, const struct sy_hash *patient_id,
                           const struct sy_consents *consents)
{
    SY_ASSERT(consents->live.count <= SY_CONSENTS_LIVE_MAX);
    SY_ASSERT(consents->live.count <= consents->given);
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_consents_encode(&w, consents);
    sy_exec_save_at(x, SY_STATE_CONSENTS, patient_id, &w);
}

void sy_exec_save_record(struct sy_exec *x, const struct sy_hash *id,
                         const struct sy_record *record)
{
    SY_ASSERT(record->head_count >= 1 &&
              record->heads[record->head_count - 1u] <= record->versions);
    SY_ASSERT(record->parents.count <= SY_RECORD_PARENTS_MAX && record->first.version == 1);
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_record_encode(&w, record);
    sy_exec_save_at(x, SY_STATE_RECORD, id, &w);
}

// --- what several contracts ask ----------------------------------------------------------------

const struct sy_exec_signer *sy_exec_signer(const struct sy_exec *x,
                                            const struct sy_public_key *key)
{
    SY_ASSERT(x->signer_count >= 1 && x->signer_count <= SY_TX_SIGNERS_MAX);
    for (unsigned i = 0; i < x->signer_count; i++) {
        if (sy_public_key_equal(&x->signers[i].key, key)) return &x->signers[i];
    }
    return NULL;
}

unsigned sy_exec_count_regulators(const struct sy_exec *x)
{
    unsigned count = 0;
    for (unsigned i = 0; i < x->signer_count; i++) {
        if (x->signers[i].valid && x->signers[i].role == SY_ROLE_REGULATOR) count++;
    }
    SY_ASSERT(count <= SY_TX_SIGNERS_MAX); // a transaction's signers are distinct by form
    return count;
}

struct sy_hash sy_exec_line(struct sy_exec *x, const struct sy_public_key *key)
{
    struct sy_credential credential;
    if (!sy_exec_find_credential(x, &credential, key)) return sy_hash_of_key(key);
    return sy_credential_line(&credential, key);
}

/* Is a signer one of the guardians? A guardian's key may have been replaced since it was named. */
static bool is_guardian(struct sy_exec *x, const struct sy_patient *patient,
                        const struct sy_exec_signer *signer)
{
    struct sy_hash own = sy_hash_of_key(&signer->key), guardian;
    bool replaced = !sy_hash_equal(&own, &signer->line);
    for (size_t offset = 0; sy_list_next_id(&patient->guardians, &offset, &guardian);) {
        if (sy_hash_equal(&guardian, &own)) return true;
        if (!replaced) continue; // its holder never had another
        struct sy_public_key key;
        memcpy(key.bytes, guardian.bytes, sizeof key.bytes);
        struct sy_hash line = sy_exec_line(x, &key);
        if (sy_hash_equal(&line, &signer->line)) return true;
    }
    return false;
}

bool sy_exec_guardians_signed(struct sy_exec *x, const struct sy_patient *patient)
{
    unsigned count = 0;
    SY_ASSERT(patient->guardians.count <= SY_GUARDIANS_MAX);
    // Of a line one key at most is valid, so that no two signers are one guardian.
    for (unsigned i = 0; patient->guardians.count > 0 && i < x->signer_count; i++) {
        if (x->signers[i].valid && is_guardian(x, patient, &x->signers[i])) count++;
    }
    return patient->guardians_needed > 0 && count >= patient->guardians_needed;
}

bool sy_exec_wallet_signed(const struct sy_exec *x, const struct sy_patient *patient)
{
    const struct sy_exec_signer *wallet =
        patient->claimed ? sy_exec_signer(x, &patient->wallet_key) : NULL;
    return wallet != NULL && wallet->valid;
}

bool sy_exec_subject_signed(struct sy_exec *x, const struct sy_patient *patient)
{
    return sy_exec_wallet_signed(x, patient) || sy_exec_guardians_signed(x, patient);
}

struct sy_hash sy_exec_live_id(struct sy_exec *x, const struct sy_hash *id)
{
    struct sy_hash live = *id;
    struct sy_patient patient;
    for (unsigned i = 0; sy_exec_find_patient(x, &patient, &live) && patient.merged; i++) {
        if (i == SY_MERGES_MAX) { // no contract leads further
            keep_failure(x, SY_ERR_CORRUPT);
            break;
        }
        live = patient.into;
    }
    return live;
}

enum sy_refusal sy_exec_live_patient(struct sy_exec *x, struct sy_patient *out,
                                     const struct sy_hash *id)
{
    if (!sy_exec_find_patient(x, out, id)) return sy_refuse_hash(x, SY_E_PATIENT_UNKNOWN, id);
    if (!out->merged) return SY_APPLIED;
    struct sy_hash live = sy_exec_live_id(x, id);
    return sy_refuse_hash(x, SY_E_PATIENT_MERGED, &live);
}

bool sy_exec_acts_for_org(unsigned role)
{
    SY_ASSERT(role < SY_ROLE_COUNT);
    return role != 0 && role != SY_ROLE_REGULATOR && role != SY_ROLE_PATIENT &&
           role != SY_ROLE_GUARDIAN;
}

bool sy_exec_treats(struct sy_exec *x, const struct sy_patient *patient,
                    const struct sy_hash *patient_id, const struct sy_hash *organisation)
{
    if (sy_hash_equal(&patient->organisation, organisation)) return true;
    struct sy_hash care;
    return sy_exec_find_open_care(x, &care, patient_id, organisation);
}

static sy_status get_for_may(void *self, struct sy_slice *value, enum sy_state_kind kind,
                             const struct sy_hash *id, const struct sy_hash *second)
{
    struct sy_exec *x = self;
    struct sy_hash key_hash;
    if (second == NULL) {
        sy_exec_key(x, &key_hash, kind, id);
    } else {
        bool known = sy_state_key_of(&key_hash, kind, id, second);
        SY_ASSERT(known);
    }
    return sy_overlay_get(x->state, value, &key_hash);
}

void sy_exec_may(struct sy_exec *x, struct sy_may_answer *answer, struct sy_may_question *question)
{
    question->height = SY_MAY_NOW;
    question->time_ms = x->time_ms;
    question->past = false;
    sy_status status = sy_may(answer, question, get_for_may, x);
    if (status != SY_OK) keep_failure(x, status);
    SY_ASSERT(status != SY_OK || answer->allowed || answer->ground != SY_MAY_GRANTED);
}

void sy_exec_place(struct sy_exec *x, const struct sy_hash *patient_id, enum sy_place_what what,
                   const struct sy_hash *id, uint64_t records)
{
    struct sy_patient patient;
    struct sy_hash key_hash;
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    if (!sy_exec_decoded(x, sy_exec_find_patient(x, &patient, patient_id))) return;
    SY_ASSERT(!patient.merged && what < SY_PLACE_COUNT);
    patient.places++;
    patient.records += records;
    SY_ASSERT(patient.records >= records); // a record takes a transaction
    struct sy_patient_place place = {
        .what = (uint8_t)what, .id = *id, .height = x->height, .records = patient.records};
    sy_exec_save_patient(x, patient_id, &patient);
    sy_patient_place_encode(&w, &place);
    sy_state_key_patient_place(&key_hash, patient_id, patient.places);
    sy_exec_save(x, &key_hash, &w);
}

/* Counts one more event about the subject and returns its number, from 1. Contracts found the
 * subject before; state without it was not made by execution (0, and the block is abandoned). */
static uint64_t count_event(struct sy_exec *x, enum sy_subject_kind kind,
                            const struct sy_hash *subject)
{
    if (kind == SY_SUBJECT_PATIENT) {
        struct sy_patient patient;
        if (!sy_exec_decoded(x, sy_exec_find_patient(x, &patient, subject))) return 0;
        patient.events++;
        sy_exec_save_patient(x, subject, &patient);
        return patient.events;
    }
    if (kind == SY_SUBJECT_KEY) {
        struct sy_public_key key;
        memcpy(key.bytes, subject->bytes, sizeof key.bytes);
        struct sy_credential credential;
        if (!sy_exec_decoded(x, sy_exec_find_credential(x, &credential, &key))) return 0;
        credential.events++;
        bool stale = x->signers_stale;
        sy_exec_save_credential(x, &key, &credential);
        x->signers_stale = stale; // a counter changes nothing about who may sign
        return credential.events;
    }
    SY_ASSERT(kind == SY_SUBJECT_ORG);
    struct sy_hash key_hash;
    sy_exec_key(x, &key_hash, SY_STATE_ORG_EVENTS, subject);
    uint64_t events = 0;
    struct sy_slice value;
    if (sy_exec_find(x, &value, &key_hash) &&
        !sy_exec_decoded(x, sy_count_decode(&events, value))) {
        return 0;
    }
    events++;
    uint8_t room[8];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_count_encode(&w, events);
    sy_exec_save(x, &key_hash, &w);
    return events;
}

void sy_exec_event(struct sy_exec *x, enum sy_event_kind kind, enum sy_subject_kind subject_kind,
                   const struct sy_hash *subject, const struct sy_hash *object)
{
    struct sy_hash about = *subject;
    // A transaction of very many payloads: judged when the last one has run.
    if (x->event_count == SY_EVENTS_PER_TX_MAX) {
        x->events_lost = true;
        return;
    }
    if (subject_kind == SY_SUBJECT_PATIENT) about = sy_exec_live_id(x, subject);
    struct sy_event event = {
        .kind = (uint16_t)kind,
        .subject_kind = (uint8_t)subject_kind,
        .subject = about,
        .global_number = x->next_event,
        .subject_number = count_event(x, subject_kind, &about),
        .object = *object,
    };
    SY_ASSERT(event.subject_number != 0 || x->failed != SY_OK);
    SY_ASSERT(x->next_event > 0);
    sy_event_encode(&x->events, &event);
    SY_ASSERT(!x->events.failed);
    x->next_event++;
    x->event_count++;
}

static enum sy_refusal enrol(struct sy_exec *x, const struct sy_public_key *key,
                             struct sy_credential *credential)
{
    struct sy_hash id = sy_hash_of_key(key);
    // A subject's key of a clinical trial would lead from the trial to whoever has it.
    bool used = sy_exec_has(x, SY_STATE_CREDENTIAL, &id) || sy_exec_has(x, SY_STATE_TRIAL_KEY, &id);
    if (used) return sy_refuse_key(x, SY_E_KEY_IN_USE, key);
    if (!sy_key_enrollable(key)) return sy_refuse_key(x, SY_E_KEY_WEAK, key);
    credential->issued_height = x->height;
    SY_ASSERT(!credential->revoked && credential->events == 0);
    sy_exec_save_credential(x, key, credential);
    return SY_APPLIED;
}

enum sy_refusal sy_exec_enrol(struct sy_exec *x, const struct sy_public_key *key,
                              struct sy_credential *credential)
{
    SY_ASSERT(credential->role != 0 && credential->role < SY_ROLE_COUNT);
    credential->use = SY_KEY_TX;
    return enrol(x, key, credential);
}

enum sy_refusal sy_exec_enrol_validator(struct sy_exec *x, const struct sy_public_key *key,
                                        uint8_t use, const struct sy_hash *organisation)
{
    SY_ASSERT(use > SY_KEY_TX && use <= SY_KEY_ADMIN);
    struct sy_credential credential = {.use = use,
                                       .holder = *organisation,
                                       .not_before_ms = x->time_ms,
                                       .not_after_ms = INT64_MAX};
    return enrol(x, key, &credential);
}
