/* nation_deeds.c: what people of a nation do, by number. */
#include "bench/nation.h"

#include <stdio.h>

#include "core/base/assert.h"

#define PARTS 4u /* of an atomic transaction */
#define YEAR_MS (365ll * 24 * 3600 * 1000)

uint64_t sy_nation_first(const sy_nation *nation)
{
    return (uint64_t)nation->patient_count * SY_NATION_RECORDS;
}

static void begin(struct sy_nation_plan *plan, uint16_t kind, struct sy_nation_person *signer,
                  struct sy_nation_person *cosigner)
{
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->signers[0] = signer;
    plan->signers[1] = cosigner;
    plan->signer_count = cosigner != NULL ? 2 : 1;
}

static struct sy_nation_patient *patient_of(sy_nation *nation, uint64_t number)
{
    return &nation->patients[number % nation->patient_count];
}

/* The organisation that enrolled a patient, and another one. */
static struct sy_nation_org *home_of(sy_nation *nation, const struct sy_nation_patient *patient)
{
    return &nation->orgs[patient->organisation];
}

static struct sy_nation_org *other_of(sy_nation *nation, uint64_t number)
{
    uint32_t home = patient_of(nation, number)->organisation;
    uint32_t step = 1 + (uint32_t)(number % (nation->org_count - 1));
    return &nation->orgs[(home + step) % nation->org_count];
}

// --- identity ----------------------------------------------------------------------------------

void sy_nation_register(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_person *admin = sy_nation_fresh(nation, number);
    begin(plan, SY_KIND_org_register, &nation->regulators[0], admin);
    struct sy_org_register *p = &plan->payload.org_register;
    p->org_id = sy_nation_id('O', number);
    p->kind = SY_ORG_PRACTICE;
    p->name_hash = sy_nation_id('N', number);
    p->admin_key = admin->key;
    p->x25519_key = admin->key;
}

void sy_nation_suspend(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_org_suspend, &nation->regulators[0], &nation->regulators[1]);
    plan->payload.org_suspend.org_id = sy_nation_id('O', number);
    plan->payload.org_suspend.reason = SY_SUSPEND_LICENCE;
}

void sy_nation_reinstate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_org_reinstate, &nation->regulators[0], &nation->regulators[1]);
    plan->payload.org_reinstate.org_id = sy_nation_id('O', number);
    plan->payload.org_reinstate.reason = SY_REINSTATE_REMEDIED;
}

void sy_nation_issue(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = &nation->orgs[number % nation->org_count];
    begin(plan, SY_KIND_cred_issue, &org->admin, NULL);
    struct sy_cred_issue *p = &plan->payload.cred_issue;
    p->subject_key = sy_nation_fresh(nation, number)->key;
    p->role = SY_ROLE_NURSE;
    p->org_id = org->id;
    p->x25519_key = p->subject_key;
    p->not_before = nation->header.time_ms;
    p->not_after = nation->header.time_ms + YEAR_MS;
}

void sy_nation_revoke_key(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_cred_revoke, &nation->orgs[number % nation->org_count].admin, NULL);
    plan->payload.cred_revoke.subject_key = sy_nation_fresh(nation, number)->key;
    plan->payload.cred_revoke.reason = SY_REVOKE_LEFT;
}

void sy_nation_enrol(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_person *wallet = sy_nation_fresh(nation, number);
    begin(plan, SY_KIND_patient_enrol, &nation->orgs[number % nation->org_count].gateway, wallet);
    plan->payload.patient_enrol.patient_id = sy_nation_id('P', number);
    plan->payload.patient_enrol.has_wallet_key = true;
    plan->payload.patient_enrol.wallet_key = wallet->key;
}

void sy_nation_enrol_unclaimed(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_patient_enrol, &nation->orgs[number % nation->org_count].gateway, NULL);
    plan->payload.patient_enrol.patient_id = sy_nation_id('P', number);
}

void sy_nation_claim(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_person *wallet = sy_nation_fresh(nation, number);
    begin(plan, SY_KIND_patient_claim, &nation->orgs[number % nation->org_count].gateway, wallet);
    plan->payload.patient_claim.patient_id = sy_nation_id('P', number);
    plan->payload.patient_claim.wallet_key = wallet->key;
    plan->payload.patient_claim.x25519_key = wallet->key;
}

void sy_nation_open_care(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = other_of(nation, number);
    begin(plan, SY_KIND_care_open, &org->gateway, &patient_of(nation, number)->wallet);
    plan->payload.care_open.care_id = sy_nation_id('c', number);
    plan->payload.care_open.patient_id = patient_of(nation, number)->id;
    plan->payload.care_open.org_id = org->id;
    plan->payload.care_open.reason = SY_CARE_AGREED;
}

void sy_nation_close_care(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_care_close, &other_of(nation, number)->gateway, NULL);
    plan->payload.care_close.care_id = sy_nation_id('c', number);
}

// --- the roster ---------------------------------------------------------------------------------

/* What every change begins with, and who approves it. */
static const struct sy_roster *begin_change(sy_nation *nation, struct sy_nation_plan *plan,
                                            uint16_t kind, uint32_t *epoch, struct sy_hash *hash,
                                            struct sy_list *approvals)
{
    const struct sy_roster *now = sy_ledger_roster(nation->ledger, nation->header.height + 1);
    begin(plan, kind, &nation->regulators[0], NULL);
    *epoch = now->epoch;
    sy_roster_hash(hash, &nation->genesis.hash, now);
    for (unsigned i = 0; i < sy_quorum(now->count); i++) {
        struct sy_approval approval = {.key = now->validators[i].admin_key};
        sy_list_add_approval(approvals, &nation->lists, &approval);
    }
    SY_ASSERT(!nation->lists.failed);
    return now;
}

void sy_nation_add_validator(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_validator_add *p = &plan->payload.validator_add;
    unsigned port = 30000 + (unsigned)(number % 10000) * 3;
    (void)begin_change(nation, plan, SY_KIND_validator_add, &p->epoch, &p->roster_hash,
                       &p->approvals);
    p->org_id = sy_nation_id('V', number);
    p->consensus_key = sy_nation_key(3 * number);
    p->link_key = sy_nation_key(3 * number + 1);
    p->admin_key = sy_nation_key(3 * number + 2);
    struct sy_slice *texts[4] = {&p->name, &p->control_address, &p->bulk_address,
                                 &p->client_address};
    for (unsigned i = 0; i < 4; i++) {
        char *text = nation->texts[i];
        size_t room = sizeof nation->texts[i];
        int size = i == 0 ? snprintf(text, room, "w%llu", (unsigned long long)number)
                          : snprintf(text, room, "tcp://127.0.0.1:%u", port + i - 1);
        SY_ASSERT(size > 0 && (size_t)size < room);
        *texts[i] = sy_slice_of(text, (size_t)size);
    }
}

void sy_nation_remove_validator(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_validator_remove *p = &plan->payload.validator_remove;
    const struct sy_roster *now = begin_change(nation, plan, SY_KIND_validator_remove, &p->epoch,
                                               &p->roster_hash, &p->approvals);
    (void)number; // the last one goes, whoever came when
    p->validator = now->validators[now->count - 1u].consensus_key;
}

void sy_nation_rekey_validator(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_validator_rekey *p = &plan->payload.validator_rekey;
    const struct sy_roster *now = begin_change(nation, plan, SY_KIND_validator_rekey, &p->epoch,
                                               &p->roster_hash, &p->approvals);
    p->validator = now->validators[now->count - 1u].consensus_key;
    p->has_link_key = true;
    p->link_key = sy_nation_key(3 * number);
}

// --- records -----------------------------------------------------------------------------------

static void fill_record(struct sy_record_create *p, const struct sy_nation_patient *patient,
                        const struct sy_nation_org *org, const struct sy_hash *id)
{
    static const char class[] = "Observation";
    p->record_id = *id;
    p->subject_kind = SY_SUBJECT_PATIENT;
    p->subject = patient->id;
    p->class = sy_slice_of(class, sizeof class - 1);
    p->form = SY_FORM_RAW;
    p->commit = *id;
    p->size = 1024;
    p->has_author = true;
    p->author = org->doctor.key;
    p->author_role = SY_ROLE_DOCTOR;
}

void sy_nation_record(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    struct sy_nation_org *org = home_of(nation, patient);
    struct sy_hash id = sy_nation_id('r', number);
    begin(plan, SY_KIND_record_create, &org->gateway, NULL);
    fill_record(&plan->payload.record_create, patient, org, &id);
}

void sy_nation_trespass(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    struct sy_nation_org *org = other_of(nation, number); // a consent may let it read, not write
    struct sy_hash id = sy_nation_id('x', number);
    begin(plan, SY_KIND_record_create, &org->nurse, NULL);
    fill_record(&plan->payload.record_create, patient, org, &id);
    plan->payload.record_create.has_author = false;
    plan->payload.record_create.author_role = SY_ROLE_NURSE;
}

void sy_nation_amend(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = home_of(nation, patient_of(nation, number));
    begin(plan, SY_KIND_record_amend, &org->doctor, NULL);
    struct sy_record_amend *p = &plan->payload.record_amend;
    p->record_id = sy_nation_id('r', number);
    p->prev_version = 1;
    p->form = SY_FORM_RAW;
    p->commit = sy_nation_id('a', number);
    p->size = 1024;
    p->author_role = SY_ROLE_DOCTOR;
    p->reason = SY_AMEND_CORRECTION;
}

void sy_nation_retract(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_record_retract, &home_of(nation, patient_of(nation, number))->doctor, NULL);
    plan->payload.record_retract.record_id = sy_nation_id('r', number);
    plan->payload.record_retract.reason = SY_RETRACT_ERROR;
}

/* A second head, beside the one that sy_nation_amend has made. */
void sy_nation_branch(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    sy_nation_amend(nation, plan, number);
    plan->payload.record_amend.commit = sy_nation_id('A', number);
    plan->payload.record_amend.branch = true;
}

void sy_nation_merge(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = home_of(nation, patient_of(nation, number));
    begin(plan, SY_KIND_record_merge, &org->doctor, NULL);
    struct sy_record_merge *p = &plan->payload.record_merge;
    p->record_id = sy_nation_id('r', number);
    sy_list_add_u32(&p->heads, &nation->lists, 2);
    sy_list_add_u32(&p->heads, &nation->lists, 3);
    p->form = SY_FORM_RAW;
    p->commit = sy_nation_id('m', number);
    p->size = 1024;
    p->author_role = SY_ROLE_DOCTOR;
    p->resolution_hash = sy_nation_id('M', number);
}

/* From one of the records that the patient began with. */
void sy_nation_contribute(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    struct sy_hash parent = sy_nation_id('r', number % sy_nation_first(nation));
    begin(plan, SY_KIND_record_contribute, &home_of(nation, patient)->doctor, NULL);
    struct sy_record_contribute *p = &plan->payload.record_contribute;
    p->record_id = sy_nation_id('w', number);
    p->patient_id = patient->id;
    p->class = sy_slice_of("Observation", strlen("Observation"));
    p->form = SY_FORM_RAW;
    p->commit = p->record_id;
    p->size = 1024;
    p->author_role = SY_ROLE_DOCTOR;
    p->relation = SY_RELATION_DERIVED;
    sy_list_add_id(&p->parents, &nation->lists, &parent);
}

void sy_nation_cosign(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_record_cosign, &home_of(nation, patient_of(nation, number))->nurse, NULL);
    plan->payload.record_cosign.record_id = sy_nation_id('r', number);
    plan->payload.record_cosign.version = 1;
    plan->payload.record_cosign.meaning = SY_COSIGN_VERIFIER;
}

void sy_nation_erase(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_record_erase, &home_of(nation, patient_of(nation, number))->admin,
          &nation->regulators[0]);
    plan->payload.record_erase.record_id = sy_nation_id('r', number);
    plan->payload.record_erase.basis = SY_ERASE_LEGAL;
}

void sy_nation_report_twice(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_record_dup_report, &home_of(nation, patient_of(nation, number))->doctor,
          NULL);
    plan->payload.record_dup_report.record_id = sy_nation_id('r', number);
    plan->payload.record_dup_report.other_id = sy_nation_id('r', number % sy_nation_first(nation));
}

/* The commitment of a record of that number is its id. */
void sy_nation_move(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    struct sy_nation_org *org = other_of(nation, number);
    begin(plan, SY_KIND_custody_move, &home_of(nation, patient)->gateway, &org->gateway);
    plan->payload.custody_move.record_id = sy_nation_id('r', number);
    plan->payload.custody_move.org_id = org->id;
    plan->payload.custody_move.version = 1;
    plan->payload.custody_move.commit = sy_nation_id('r', number);
}

void sy_nation_card(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_cert_issue, &home_of(nation, patient)->gateway, NULL);
    struct sy_cert_issue *p = &plan->payload.cert_issue;
    p->patient_id = patient->id;
    p->kind = SY_CERT_IMMUNISATION;
    p->jws_hash = sy_nation_id('j', number);
    p->key_id = sy_nation_id('q', patient->organisation);
    p->revocation_index = number;
}

void sy_nation_prescribe(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_rx_issue, &home_of(nation, patient)->doctor, NULL);
    plan->payload.rx_issue = (struct sy_rx_issue){
        .rx_id = sy_nation_id('X', number),
        .patient_id = patient->id,
        .drug_commit = sy_nation_id('Y', number),
        .control = SY_CONTROL_NONE,
        .quantity = 30,
        .days = 30,
        .refills = 3,
        .from = nation->header.time_ms,
        .until = nation->header.time_ms + YEAR_MS / 2,
        .author_role = SY_ROLE_DOCTOR,
    };
}

void sy_nation_fill(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_rx_dispense, &home_of(nation, patient)->gateway, NULL);
    plan->payload.rx_dispense = (struct sy_rx_dispense){
        .event_id = sy_nation_id('Z', number), .rx_id = sy_nation_id('X', number), .quantity = 30};
}

void sy_nation_transfer(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_rx_transfer, &home_of(nation, patient)->gateway, NULL);
    plan->payload.rx_transfer.rx_id = sy_nation_id('X', number);
    plan->payload.rx_transfer.to = other_of(nation, number)->id;
}

void sy_nation_cancel(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_rx_cancel, &home_of(nation, patient)->doctor, NULL);
    plan->payload.rx_cancel.rx_id = sy_nation_id('X', number);
    plan->payload.rx_cancel.reason = SY_RX_CANCEL_CHANGED;
}

void sy_nation_atomic(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    struct sy_nation_org *org = home_of(nation, patient);
    begin(plan, SY_KIND_atomic, &org->gateway, NULL);
    for (unsigned i = 0; i < PARTS; i++) {
        union sy_payload payload;
        uint8_t room[512];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        struct sy_hash id = sy_nation_id('t', number * PARTS + i);
        memset(&payload, 0, sizeof payload);
        fill_record(&payload.record_create, patient, org, &id);
        sy_payload_encode(&w, sy_kind_by_number(SY_KIND_record_create), &payload);
        SY_ASSERT(!w.failed);
        struct sy_part part = {.kind = SY_KIND_record_create, .payload = sy_writer_slice(&w)};
        sy_list_add_part(&plan->payload.atomic.payloads, &nation->lists, &part);
    }
    SY_ASSERT(!nation->lists.failed);
}

// --- consents and emergencies ------------------------------------------------------------------

void sy_nation_grant(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_consent_grant, &patient->wallet, NULL);
    struct sy_consent_grant *p = &plan->payload.consent_grant;
    p->consent_id = sy_nation_id('g', number);
    p->patient_id = patient->id;
    p->grantee_kind = SY_GRANTEE_ORG;
    p->has_grantee = true;
    p->grantee = other_of(nation, number)->id;
    p->actions = SY_SET_BIT(SY_ACTION_READ) | SY_SET_BIT(SY_ACTION_SHARE);
    p->purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    p->from = nation->header.time_ms;
    p->until = nation->header.time_ms + YEAR_MS;
}

void sy_nation_deny(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_plan grant;
    sy_nation_grant(nation, &grant, number);
    const struct sy_consent_grant *from = &grant.payload.consent_grant;
    begin(plan, SY_KIND_consent_deny, grant.signers[0], NULL);
    plan->payload.consent_deny = (struct sy_consent_deny){
        .consent_id = from->consent_id,
        .patient_id = from->patient_id,
        .grantee_kind = SY_GRANTEE_ROLE,
        .has_role = true,
        .role = SY_ROLE_RESEARCHER,
        .actions = from->actions,
        .purposes = from->purposes,
        .from = from->from,
    };
}

void sy_nation_delegate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_plan grant;
    sy_nation_grant(nation, &grant, number);
    const struct sy_consent_grant *from = &grant.payload.consent_grant;
    struct sy_nation_org *org = other_of(nation, number);
    begin(plan, SY_KIND_consent_delegate, &org->gateway, NULL);
    plan->payload.consent_delegate = (struct sy_consent_delegate){
        .consent_id = sy_nation_id('d', number),
        .patient_id = from->patient_id,
        .grantee_kind = SY_GRANTEE_ORG,
        .has_grantee = true,
        .grantee = other_of(nation, number + 1)->id,
        .actions = SY_SET_BIT(SY_ACTION_READ),
        .purposes = from->purposes,
        .from = nation->header.time_ms,
        .until = nation->header.time_ms + YEAR_MS / 2,
        .parent = from->consent_id,
    };
}

static void revoke(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number, char sort)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_consent_revoke, &patient->wallet, NULL);
    plan->payload.consent_revoke.patient_id = patient->id;
    plan->payload.consent_revoke.consent_id = sy_nation_id(sort, number);
}

void sy_nation_revoke(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    revoke(nation, plan, number, 'g');
}

void sy_nation_revoke_delegate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    revoke(nation, plan, number, 'd');
}

void sy_nation_break(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_access_breakglass, &nation->orgs[number % nation->org_count].doctor, NULL);
    plan->payload.access_breakglass.break_id = sy_nation_id('b', number);
    plan->payload.access_breakglass.patient_id = patient_of(nation, number)->id;
    plan->payload.access_breakglass.reason = SY_BREAK_LIFE;
    plan->payload.access_breakglass.until = nation->header.time_ms + 3600 * 1000;
}

void sy_nation_review(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_access_review, &nation->orgs[number % nation->org_count].admin, NULL);
    plan->payload.access_review.break_id = sy_nation_id('b', number);
    plan->payload.access_review.outcome = SY_REVIEW_JUSTIFIED;
}
