/* import_map.c: who a resource is about and who answers for it, and the registrations that have to
 * stand before its record can: organisation, credential, patient, care. import_record.c makes the
 * record itself. */
#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/import_internal.h"
#include "core/crypto/hash.h"
#include "core/ledger/contracts/contracts.h"

#define CREDENTIAL_MS_WANTED (4ll * 365 * 24 * 3600 * 1000)
#define CREDENTIAL_BEFORE_MS (60ll * 60 * 1000)

static const struct sy_hash no_label;

static bool has_label(const struct sy_hash *label)
{
    return !sy_hash_equal(label, &no_label);
}

static sy_status complain(struct sy_fhir_complaint *complaint, const char *what, const char *remedy)
{
    snprintf(complaint->what, sizeof complaint->what, "%s", what);
    complaint->remedy = remedy;
    return SY_ERR_FORMAT;
}

static bool is_found(const struct sy_fhir_target *target)
{
    return target->state == SY_FHIR_TARGET_ITEM || target->state == SY_FHIR_TARGET_STORED;
}

static bool is_type(const struct sy_fhir_target *target, const char *type)
{
    return is_found(target) && strcmp(target->type, type) == 0;
}

/* --- who is meant ---------------------------------------------------------------------------- */

/* The best reference of a group of fields to a resource of one of two types: the group's earlier
 * fields first. NULL: there is none. */
static const struct sy_fhir_target *best_target(const struct sy_fhir_item *item,
                                                enum sy_fhir_field first, enum sy_fhir_field last,
                                                const char *type, const char *other_type)
{
    const struct sy_fhir_target *best = NULL;
    enum sy_fhir_field best_field = SY_FHIR_FIELDS;
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        enum sy_fhir_field field = item->facts.refs[i].field;
        const struct sy_fhir_target *target = &item->targets[i];
        if (field < first || field > last || field >= best_field) continue;
        if (!is_type(target, type) && (other_type == NULL || !is_type(target, other_type)))
            continue;
        best = target;
        best_field = field;
    }
    return best;
}

static const struct sy_fhir_target *org_target(const struct sy_fhir_item *item)
{
    return best_target(item, SY_FHIR_SERVICE_PROVIDER, SY_FHIR_ENTERER, "Organization", NULL);
}

/* The practitioner behind a Practitioner or PractitionerRole. */
static sy_status follow_role(sy_importer *importer, struct sy_import_roles *roles,
                             const struct sy_fhir_target *target, struct sy_error *err)
{
    if (is_type(target, "Practitioner")) {
        roles->practitioner = target->label;
        if (target->state == SY_FHIR_TARGET_ITEM) roles->practitioner_item = target->item;
        return SY_OK;
    }
    if (target->state == SY_FHIR_TARGET_ITEM) {
        const struct sy_fhir_target *behind =
            best_target(&importer->set.items[target->item], SY_FHIR_PRACTITIONER,
                        SY_FHIR_PRACTITIONER, "Practitioner", NULL);
        if (behind == NULL) return SY_OK;
        roles->practitioner = behind->label;
        if (behind->state == SY_FHIR_TARGET_ITEM) roles->practitioner_item = behind->item;
        return SY_OK;
    }
    struct sy_client_record record;
    sy_status status = sy_client_get_record(importer->store, &record, &target->label, err);
    if (status == SY_OK) roles->practitioner = record.author_label;
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

static sy_status find_practitioner(sy_importer *importer, struct sy_import_roles *roles,
                                   const struct sy_fhir_item *item, struct sy_error *err)
{
    const struct sy_fhir_target *target =
        best_target(item, SY_FHIR_AUTHOR, SY_FHIR_ENTERER, "Practitioner", "PractitionerRole");
    return target == NULL ? SY_OK : follow_role(importer, roles, target, err);
}

/* Only one patient is referred to, wherever that is: then it is about that one. */
static const struct sy_fhir_target *only_patient(const struct sy_fhir_item *item)
{
    const struct sy_fhir_target *only = NULL;
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        const struct sy_fhir_target *target = &item->targets[i];
        if (item->facts.refs[i].contained || !is_type(target, "Patient")) continue;
        if (only != NULL && !sy_hash_equal(&only->label, &target->label)) return NULL;
        only = target;
    }
    return only;
}

/* A Provenance or the like is about whom its targets are about. */
static sy_status patient_of_links(sy_importer *importer, struct sy_import_roles *roles,
                                  const struct sy_fhir_item *item, struct sy_error *err)
{
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        const struct sy_fhir_target *target = &item->targets[i];
        if (!sy_fhir_field_is_link(item->facts.refs[i].field) || !is_found(target)) continue;
        struct sy_client_record record;
        sy_status status = sy_client_get_record(importer->store, &record, &target->label, err);
        if (status == SY_ERR_NOT_FOUND) continue;
        if (status != SY_OK) return status;
        roles->patient = record.patient_label;
        if (has_label(&roles->patient)) return SY_OK;
    }
    return SY_OK;
}

static sy_status find_patient(sy_importer *importer, struct sy_import_roles *roles,
                              const struct sy_fhir_item *item, struct sy_error *err)
{
    if (strcmp(item->facts.type, "Patient") == 0) {
        roles->patient = item->label;
        roles->patient_item = item->position;
        return SY_OK;
    }
    if (item->rank < SY_FHIR_RANK_PATIENT) return SY_OK;
    const struct sy_fhir_target *target =
        best_target(item, SY_FHIR_PATIENT, SY_FHIR_INDIVIDUAL, "Patient", NULL);
    if (target == NULL) target = only_patient(item);
    if (target == NULL) return patient_of_links(importer, roles, item, err);
    roles->patient = target->label;
    if (target->state == SY_FHIR_TARGET_ITEM) roles->patient_item = target->item;
    return SY_OK;
}

/* What an encounter says for the resources that belong to it. */
static sy_status ask_encounter(sy_importer *importer, struct sy_import_roles *roles,
                               const struct sy_fhir_target *target, struct sy_error *err)
{
    roles->encounter = target->label;
    if (target->state == SY_FHIR_TARGET_ITEM) {
        const struct sy_fhir_item *encounter = &importer->set.items[target->item];
        const struct sy_fhir_target *org = org_target(encounter);
        if (org != NULL && !has_label(&roles->org)) roles->org = org->label;
        if (has_label(&roles->practitioner)) return SY_OK;
        return find_practitioner(importer, roles, encounter, err);
    }
    struct sy_client_record record;
    sy_status status = sy_client_get_record(importer->store, &record, &target->label, err);
    if (status != SY_OK) return status == SY_ERR_NOT_FOUND ? SY_OK : status;
    if (!has_label(&roles->org)) roles->org = record.org_label;
    if (!has_label(&roles->practitioner)) roles->practitioner = record.author_label;
    return SY_OK;
}

/* The organisation that an Encounter or PractitionerRole of this document ties somebody to. */
static const struct sy_fhir_target *tied_org(const sy_importer *importer,
                                             const struct sy_fhir_item *item)
{
    if (item->org_item == SY_FHIR_NO_ITEM) return NULL;
    return &importer->set.items[item->org_item].targets[item->org_ref];
}

/* The organisation that enrolled the patient, or is going to. */
static sy_status org_of_patient(sy_importer *importer, struct sy_hash *org,
                                const struct sy_import_roles *roles, struct sy_error *err)
{
    struct sy_hash label;
    struct sy_client_patient patient;
    sy_client_label_of(importer->store, &label, SY_LABEL_PATIENT, &roles->patient, NULL);
    sy_status status = sy_client_get_patient(importer->store, &patient, &label, err);
    if (status == SY_OK) *org = patient.org_label;
    if (status != SY_ERR_NOT_FOUND || roles->patient_item == SY_FHIR_NO_ITEM) {
        return status == SY_ERR_NOT_FOUND ? SY_OK : status;
    }
    const struct sy_fhir_item *item = &importer->set.items[roles->patient_item];
    const struct sy_fhir_target *target = org_target(item);
    if (target == NULL) target = tied_org(importer, item);
    if (target != NULL) *org = target->label;
    return SY_OK;
}

static sy_status org_of_practitioner(sy_importer *importer, struct sy_hash *org,
                                     const struct sy_import_roles *roles, struct sy_error *err)
{
    struct sy_hash label;
    struct sy_client_practitioner practitioner;
    sy_client_label_of(importer->store, &label, SY_LABEL_PRACTITIONER, &roles->practitioner, NULL);
    sy_status status = sy_client_get_practitioner(importer->store, &practitioner, &label, err);
    if (status == SY_OK) *org = practitioner.org_label;
    if (status != SY_ERR_NOT_FOUND || roles->practitioner_item == SY_FHIR_NO_ITEM) {
        return status == SY_ERR_NOT_FOUND ? SY_OK : status;
    }
    const struct sy_fhir_target *target =
        tied_org(importer, &importer->set.items[roles->practitioner_item]);
    if (target != NULL) *org = target->label;
    return SY_OK;
}

static void find_org(struct sy_import_roles *roles, const struct sy_fhir_item *item)
{
    const struct sy_fhir_target *target = org_target(item);
    if (target != NULL) roles->org = target->label;
    if (strcmp(item->facts.type, "Organization") == 0) roles->org = item->label;
}

/* Links: at most eight, each once. */
static void add_link(struct sy_import_roles *roles, const struct sy_hash *label)
{
    for (uint32_t i = 0; i < roles->link_count; i++) {
        if (sy_hash_equal(&roles->links[i], label)) return;
    }
    if (roles->link_count < 8) roles->links[roles->link_count++] = *label;
}

static sy_status fill_org(sy_importer *importer, struct sy_import_roles *roles,
                          struct sy_error *err)
{
    if (!has_label(&roles->org) && has_label(&roles->practitioner)) {
        SY_TRY(org_of_practitioner(importer, &roles->org, roles, err));
    }
    if (!has_label(&roles->org) && has_label(&roles->patient)) {
        SY_TRY(org_of_patient(importer, &roles->org, roles, err));
    }
    if (!has_label(&roles->org)) roles->org = importer->home_label;
    return SY_OK;
}

sy_status sy_import_roles_of(sy_importer *importer, struct sy_import_roles *roles,
                             const struct sy_fhir_item *item, struct sy_error *err)
{
    memset(roles, 0, sizeof *roles);
    roles->patient_item = roles->practitioner_item = SY_FHIR_NO_ITEM;
    SY_TRY(find_patient(importer, roles, item, err));
    find_org(roles, item);
    if (strcmp(item->facts.type, "Practitioner") == 0) {
        roles->practitioner = item->label;
        roles->practitioner_item = item->position;
        return fill_org(importer, roles, err);
    }
    SY_TRY(find_practitioner(importer, roles, item, err));
    const struct sy_fhir_target *encounter =
        best_target(item, SY_FHIR_ENCOUNTER, SY_FHIR_ITEM_ENCOUNTER, "Encounter", NULL);
    if (encounter != NULL) SY_TRY(ask_encounter(importer, roles, encounter, err));
    // Whoever enrols a patient is the organisation of the patient's own resource.
    if (item->rank == SY_FHIR_RANK_PATIENT) {
        SY_TRY(org_of_patient(importer, &roles->org, roles, err));
    }
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        bool links = sy_fhir_field_is_link(item->facts.refs[i].field) &&
                     is_found(&item->targets[i]) &&
                     !sy_hash_equal(&item->targets[i].label, &item->label);
        if (links) add_link(roles, &item->targets[i].label);
    }
    return fill_org(importer, roles, err);
}

/* --- organisations --------------------------------------------------------------------------- */

static const struct sy_fhir_item *find_item(const sy_importer *importer,
                                            const struct sy_hash *label, const char *type)
{
    for (uint32_t i = 0; i < importer->set.count; i++) {
        const struct sy_fhir_item *item = &importer->set.items[i];
        bool same = !item->faulty && sy_hash_equal(&item->label, label) &&
                    strcmp(item->facts.type, type) == 0;
        if (same) return item;
    }
    return NULL;
}

static sy_status refuse_if_failed(const sy_importer *importer, const struct sy_hash *label,
                                  struct sy_fhir_complaint *complaint, const char *what)
{
    if (!sy_import_has_failed(importer, label)) return SY_OK;
    return complain(complaint, what, "see the issue about it, then import again");
}

static void start_credential(sy_importer *importer, struct sy_cred_issue *p, unsigned role,
                             const struct sy_hash *org_id)
{
    int64_t window_ms = importer->credential_ms_max;
    p->role = (uint16_t)role;
    p->org_id = *org_id;
    p->not_before = sy_os_wall_ms() - CREDENTIAL_BEFORE_MS;
    p->not_after =
        p->not_before + (window_ms < CREDENTIAL_MS_WANTED ? window_ms : CREDENTIAL_MS_WANTED);
}

static sy_status register_org(sy_importer *importer, struct sy_client_org *org,
                              const struct sy_hash *label, const struct sy_fhir_facts *facts,
                              struct sy_error *err)
{
    struct sy_import_draft draft;
    struct sy_hash admin_name;
    struct sy_hash seal_name;
    sy_draft_init(&draft, SY_KIND_org_register);
    struct sy_org_register *p = &draft.payload.org_register;
    sy_os_random(&org->id, sizeof org->id);
    org->kind = facts == NULL ? SY_ORG_HOSPITAL : facts->org_kind;
    sy_import_key_name(importer, &admin_name, "admin", &org->id);
    sy_import_key_name(importer, &seal_name, "organisation", &org->id);
    SY_TRY(sy_keyring_make(importer->keyring, &org->admin_key, &admin_name, err));
    SY_TRY(sy_keyring_make_x25519(importer->keyring, &p->x25519_key, &seal_name, err));
    p->org_id = org->id;
    p->kind = org->kind;
    p->admin_key = org->admin_key;
    struct sy_slice name =
        sy_slice_of(importer->config.home_name, strlen(importer->config.home_name));
    if (facts != NULL) name = facts->name;
    sy_sha256(&p->name_hash, name.data, name.size);
    if (facts != NULL && facts->npi.size != 0) {
        p->has_npi_hash = true;
        sy_sha256(&p->npi_hash, facts->npi.data, facts->npi.size);
    }
    // The fresh key signs first: its nonces are nobody else's, the regulator's may be shared.
    sy_draft_sign_by(&draft, &admin_name, &org->admin_key);
    sy_draft_sign_by(&draft, &importer->regulator_name, &importer->regulator_key);
    draft.key_name = admin_name;
    draft.has_thing = true;
    draft.thing = *label;
    return sy_import_sign(importer, &org->seq, &draft, err);
}

static sy_status issue_gateway(sy_importer *importer, struct sy_client_org *org,
                               const struct sy_hash *label, struct sy_error *err)
{
    struct sy_import_draft draft;
    struct sy_hash admin_name;
    sy_draft_init(&draft, SY_KIND_cred_issue);
    struct sy_cred_issue *p = &draft.payload.cred_issue;
    start_credential(importer, p, SY_ROLE_GATEWAY, &org->id);
    sy_import_key_name(importer, &admin_name, "admin", &org->id);
    sy_import_key_name(importer, &draft.key_name, "gateway", &org->id);
    SY_TRY(sy_keyring_make(importer->keyring, &org->gateway_key, &draft.key_name, err));
    SY_TRY(sy_keyring_make_x25519(importer->keyring, &p->x25519_key, &draft.key_name, err));
    p->subject_key = org->gateway_key;
    draft.organisation = org->id;
    sy_draft_sign_by(&draft, &admin_name, &org->admin_key);
    sy_draft_after(&draft, org->seq);
    draft.has_thing = true;
    draft.thing = *label;
    return sy_import_sign(importer, &org->gateway_seq, &draft, err);
}

static sy_status need_room(const sy_importer *importer)
{
    bool full = !importer->config.dry_run && sy_window_full(&importer->window);
    return full ? SY_ERR_BUSY : SY_OK;
}

/* Registers an organisation that this run met first. */
static sy_status make_org(sy_importer *importer, struct sy_client_org *org,
                          const struct sy_hash *resource, const struct sy_hash *label,
                          struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    SY_TRY(refuse_if_failed(importer, label, complaint, "its organisation was refused"));
    bool is_home = sy_hash_equal(resource, &importer->home_label);
    const struct sy_fhir_item *item = find_item(importer, resource, "Organization");
    if (item == NULL && !is_home) {
        return complain(complaint, "its organisation is not registered",
                        "import the Organization first");
    }
    if (!importer->regulator_known && !importer->config.dry_run) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "an organisation has to be registered, which needs a regulator's signature: "
                       "name the regulator's key file");
    }
    SY_TRY(need_room(importer));
    memset(org, 0, sizeof *org);
    SY_TRY(register_org(importer, org, label, is_home ? NULL : &item->facts, err));
    return sy_client_put_org(importer->store, label, org, err);
}

/* An organisation is registered, and its gateway has a credential. */
static sy_status need_org(sy_importer *importer, struct sy_client_org *org,
                          const struct sy_hash *resource, struct sy_fhir_complaint *complaint,
                          struct sy_error *err)
{
    static const struct sy_public_key no_key;
    struct sy_hash label;
    sy_client_label_of(importer->store, &label, SY_LABEL_ORG, resource, NULL);
    sy_status status = sy_client_get_org(importer->store, org, &label, err);
    if (status == SY_ERR_NOT_FOUND) {
        status = make_org(importer, org, resource, &label, complaint, err);
    }
    if (status != SY_OK || !sy_public_key_equal(&org->gateway_key, &no_key)) return status;
    SY_TRY(need_room(importer));
    SY_TRY(issue_gateway(importer, org, &label, err));
    return sy_client_put_org(importer->store, &label, org, err);
}

/* --- practitioners --------------------------------------------------------------------------- */

/* The role a practitioner has by what the documents say; a doctor unless they say otherwise. */
static uint8_t role_of(const sy_importer *importer, const struct sy_fhir_item *item)
{
    if (item->facts.role != 0) return item->facts.role;
    if (item->org_item != SY_FHIR_NO_ITEM) {
        uint8_t role = importer->set.items[item->org_item].facts.role;
        if (role != 0) return role;
    }
    return SY_ROLE_DOCTOR;
}

static sy_status issue_affiliation(sy_importer *importer, struct sy_client_affiliation *out,
                                   const struct sy_hash *label, uint8_t role,
                                   const struct sy_client_org *org, struct sy_error *err)
{
    struct sy_import_draft draft;
    struct sy_hash admin_name;
    memset(out, 0, sizeof *out);
    sy_draft_init(&draft, SY_KIND_cred_issue);
    struct sy_cred_issue *p = &draft.payload.cred_issue;
    SY_TRY(sy_import_may_sign(importer, &org->admin_key, err));
    start_credential(importer, p, role, &org->id);
    sy_os_random(&out->name, sizeof out->name);
    out->role = role;
    SY_TRY(sy_keyring_make(importer->keyring, &out->key, &out->name, err));
    SY_TRY(sy_keyring_make_x25519(importer->keyring, &p->x25519_key, &out->name, err));
    p->subject_key = out->key;
    sy_import_key_name(importer, &admin_name, "admin", &org->id);
    draft.key_name = out->name;
    draft.organisation = org->id;
    sy_draft_sign_by(&draft, &admin_name, &org->admin_key);
    sy_draft_after(&draft, org->seq);
    draft.has_thing = true;
    draft.thing = *label;
    SY_TRY(sy_import_sign(importer, &out->seq, &draft, err));
    return sy_client_put_affiliation(importer->store, label, out, err);
}

/* The practitioner's credential at an organisation. *found is false when there can be none: the
 * practitioner is not known, or this kind of organisation has no such role. */
static sy_status need_affiliation(sy_importer *importer, struct sy_client_affiliation *out,
                                  bool *found, const struct sy_hash *practitioner,
                                  const struct sy_hash *org_resource,
                                  const struct sy_client_org *org,
                                  struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    struct sy_hash label;
    struct sy_client_practitioner row;
    *found = false;
    sy_client_label_of(importer->store, &label, SY_LABEL_PRACTITIONER, practitioner, NULL);
    sy_status status = sy_client_get_practitioner(importer->store, &row, &label, err);
    if (status == SY_ERR_NOT_FOUND) {
        const struct sy_fhir_item *item = find_item(importer, practitioner, "Practitioner");
        if (item == NULL) return SY_OK;
        row.org_label = *org_resource;
        row.role = role_of(importer, item);
        SY_TRY(sy_client_put_practitioner(importer->store, &label, &row, err));
    } else if (status != SY_OK) {
        return status;
    }
    if (!sy_role_fits_org(row.role, org->kind)) return SY_OK;
    *found = true;
    sy_client_label_of(importer->store, &label, SY_LABEL_AFFILIATION, practitioner, org_resource);
    status = sy_client_get_affiliation(importer->store, out, &label, err);
    if (status != SY_ERR_NOT_FOUND) return status;
    SY_TRY(
        refuse_if_failed(importer, &label, complaint, "its practitioner's credential was refused"));
    return issue_affiliation(importer, out, &label, row.role, org, err);
}

/* --- patients -------------------------------------------------------------------------------- */

static sy_status need_patient(sy_importer *importer, struct sy_client_patient *out,
                              const struct sy_import_roles *roles,
                              struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    struct sy_hash label;
    struct sy_client_org org;
    struct sy_import_draft draft;
    sy_client_label_of(importer->store, &label, SY_LABEL_PATIENT, &roles->patient, NULL);
    sy_status status = sy_client_get_patient(importer->store, out, &label, err);
    if (status != SY_ERR_NOT_FOUND) return status;
    SY_TRY(refuse_if_failed(importer, &label, complaint, "its patient's enrolment was refused"));
    memset(out, 0, sizeof *out);
    SY_TRY(org_of_patient(importer, &out->org_label, roles, err));
    if (!has_label(&out->org_label)) out->org_label = importer->home_label;
    SY_TRY(need_org(importer, &org, &out->org_label, complaint, err));
    sy_draft_init(&draft, SY_KIND_patient_enrol);
    sy_os_random(&out->id, sizeof out->id);
    draft.payload.patient_enrol.patient_id = out->id;
    draft.organisation = org.id;
    struct sy_hash name;
    sy_import_key_name(importer, &name, "gateway", &org.id);
    sy_draft_sign_by(&draft, &name, &org.gateway_key);
    sy_draft_after(&draft, org.gateway_seq);
    draft.has_thing = true;
    draft.thing = label;
    SY_TRY(sy_import_sign(importer, &out->seq, &draft, err));
    return sy_client_put_patient(importer->store, &label, out, err);
}

/* An organisation that did not enrol the patient needs an open care relation, opened once. */
static sy_status need_care(sy_importer *importer, uint64_t *seq, const struct sy_client_org *org,
                           const struct sy_import_roles *roles,
                           const struct sy_client_patient *patient,
                           struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    struct sy_hash label;
    struct sy_client_care care;
    struct sy_import_draft draft;
    *seq = 0;
    if (sy_hash_equal(&patient->org_label, &roles->org)) return SY_OK;
    sy_client_label_of(importer->store, &label, SY_LABEL_CARE, &roles->patient, &roles->org);
    sy_status status = sy_client_get_care(importer->store, &care, &label, err);
    if (status == SY_OK) *seq = care.seq;
    if (status != SY_ERR_NOT_FOUND) return status;
    SY_TRY(refuse_if_failed(importer, &label, complaint, "the care relation it needs was refused"));
    sy_draft_init(&draft, SY_KIND_care_open);
    sy_os_random(&care.id, sizeof care.id);
    struct sy_care_open *p = &draft.payload.care_open;
    p->care_id = care.id;
    p->patient_id = patient->id;
    p->org_id = org->id;
    p->reason = SY_CARE_UNCLAIMED;
    draft.organisation = org->id;
    struct sy_hash name;
    sy_import_key_name(importer, &name, "gateway", &org->id);
    sy_draft_sign_by(&draft, &name, &org->gateway_key);
    sy_draft_after(&draft, org->gateway_seq);
    sy_draft_after(&draft, patient->seq);
    draft.has_thing = true;
    draft.thing = label;
    SY_TRY(sy_import_sign(importer, &care.seq, &draft, err));
    *seq = care.seq;
    return sy_client_put_care(importer->store, &label, &care, err);
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Directory entries and patients are their organisation's system's to register; of the rest the
 * practitioner is the author, if their role may write this class. */
static bool wants_author(const struct sy_fhir_item *item,
                         const struct sy_client_affiliation *author)
{
    if (item->rank < SY_FHIR_RANK_ENCOUNTER) return false;
    struct sy_slice type = sy_slice_of(item->facts.type, strlen(item->facts.type));
    return author->role == SY_ROLE_DOCTOR || !sy_class_needs_prescriber(type);
}

static sy_status prepare_author(sy_importer *importer, struct sy_import_base *base,
                                const struct sy_fhir_item *item,
                                struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    bool found;
    if (!has_label(&base->roles.practitioner)) return SY_OK;
    bool is_self = strcmp(item->facts.type, "Practitioner") == 0;
    if (item->rank < SY_FHIR_RANK_ENCOUNTER && !is_self) return SY_OK;
    SY_TRY(need_affiliation(importer, &base->author, &found, &base->roles.practitioner,
                            &base->roles.org, &base->org, complaint, err));
    if (is_self && !found) {
        // No place in that organisation for the role: the importing organisation's, then.
        base->roles.org = importer->home_label;
        SY_TRY(need_org(importer, &base->org, &base->roles.org, complaint, err));
        SY_TRY(need_affiliation(importer, &base->author, &found, &base->roles.practitioner,
                                &base->roles.org, &base->org, complaint, err));
        if (!found) return complain(complaint, "no organisation can have this role", "change it");
    }
    base->has_author = found && !is_self && wants_author(item, &base->author);
    return SY_OK;
}

sy_status sy_import_prepare(sy_importer *importer, struct sy_import_base *base,
                            const struct sy_fhir_item *item, struct sy_fhir_complaint *complaint,
                            struct sy_error *err)
{
    memset(base, 0, sizeof *base);
    SY_TRY(sy_import_roles_of(importer, &base->roles, item, err));
    SY_TRY(need_org(importer, &base->org, &base->roles.org, complaint, err));
    SY_TRY(prepare_author(importer, base, item, complaint, err));
    sy_import_key_name(importer, &base->gateway_name, "gateway", &base->org.id);
    if (!has_label(&base->roles.patient)) return SY_OK;
    base->has_patient = true;
    SY_TRY(need_patient(importer, &base->patient, &base->roles, complaint, err));
    return need_care(importer, &base->care_seq, &base->org, &base->roles, &base->patient, complaint,
                     err);
}

sy_status sy_import_prepare_known(sy_importer *importer, struct sy_import_base *base,
                                  const struct sy_client_record *record,
                                  const struct sy_fhir_item *item,
                                  struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    memset(base, 0, sizeof *base);
    SY_TRY(sy_import_roles_of(importer, &base->roles, item, err));
    // Only the organisation that registered a record may change it.
    base->roles.org = record->org_label;
    SY_TRY(need_org(importer, &base->org, &base->roles.org, complaint, err));
    sy_import_key_name(importer, &base->gateway_name, "gateway", &base->org.id);
    if (strcmp(item->facts.type, "Practitioner") == 0) return SY_OK;
    return prepare_author(importer, base, item, complaint, err);
}
