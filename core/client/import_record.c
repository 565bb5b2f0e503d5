/* import_record.c: a resource's record: found again, created or amended. */
#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/import_internal.h"

static const struct sy_hash no_label;

/* --- known or not ---------------------------------------------------------------------------- */

sy_status sy_import_lookup(sy_importer *importer, bool *is_known, bool *is_duplicate,
                           struct sy_client_record *known, const struct sy_fhir_item *item,
                           struct sy_error *err)
{
    *is_known = *is_duplicate = false;
    sy_status status = sy_client_get_record(importer->store, known, &item->label, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    uint32_t version;
    SY_TRY(sy_client_find_version(importer->store, &version, &item->label, known,
                                  item->entry->resource, err));
    *is_known = true;
    *is_duplicate = version != 0;
    return SY_OK;
}

bool sy_import_dangling(const struct sy_fhir_item *item, struct sy_fhir_complaint *complaint)
{
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        const struct sy_fhir_target *target = &item->targets[i];
        if (target->state != SY_FHIR_TARGET_DANGLING || !target->must_resolve) continue;
        snprintf(complaint->what, sizeof complaint->what,
                 "%.80s refers to %.110s, which is not here and was not imported before",
                 (const char *)item->facts.refs[i].path.data,
                 (const char *)item->facts.refs[i].text.data);
        complaint->remedy = "import what it refers to, or mend the reference";
        return true;
    }
    return false;
}

/* --- links ----------------------------------------------------------------------------------- */

/* The record of a label, if it may be linked to: it exists and is about the same subject. */
static sy_status find_linkable(sy_importer *importer, bool *found, struct sy_client_record *out,
                               const struct sy_hash *label, const struct sy_client_record *record,
                               struct sy_error *err)
{
    sy_status status = sy_client_get_record(importer->store, out, label, err);
    *found = status == SY_OK && !out->erased && out->subject_kind == record->subject_kind &&
             sy_hash_equal(&out->subject, &record->subject);
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

static sy_status link_encounter(sy_importer *importer, struct sy_import_entry *entry,
                                struct sy_import_draft *draft, struct sy_fhir_complaint *complaint,
                                struct sy_error *err)
{
    const struct sy_hash *label = &entry->base.roles.encounter;
    struct sy_record_create *p = &entry->payload.record_create;
    struct sy_client_record encounter;
    bool found;
    if (sy_hash_equal(label, &no_label)) return SY_OK;
    SY_TRY(find_linkable(importer, &found, &encounter, label, &entry->record, err));
    if (!found) {
        snprintf(complaint->what, sizeof complaint->what,
                 "its encounter was refused or erased, or is another patient's");
        complaint->remedy = "see the issue about the encounter, then import again";
        return SY_ERR_FORMAT;
    }
    p->has_encounter = true;
    p->encounter = encounter.id;
    sy_draft_after(draft, encounter.head.seq);
    return SY_OK;
}

static sy_status link_parents(sy_importer *importer, struct sy_import_entry *entry,
                              struct sy_import_draft *draft, struct sy_error *err)
{
    const struct sy_import_roles *roles = &entry->base.roles;
    struct sy_writer w = sy_writer_of(entry->parent_bytes, sizeof entry->parent_bytes);
    for (uint32_t i = 0; i < roles->link_count; i++) {
        struct sy_client_record parent;
        bool found;
        SY_TRY(find_linkable(importer, &found, &parent, &roles->links[i], &entry->record, err));
        // A circle was cut here, or the other is about somebody else: the content still says it.
        if (!found) continue;
        sy_list_add_id(&entry->payload.record_create.parents, &w, &parent.id);
        sy_draft_after(draft, parent.head.seq);
    }
    SY_ASSERT(!w.failed);
    return SY_OK;
}

/* --- making ---------------------------------------------------------------------------------- */

static void make_version(struct sy_import_entry *entry, const struct sy_fhir_item *item,
                         uint32_t number)
{
    struct sy_client_version *version = &entry->version;
    version->version = number;
    sy_os_random(&version->salt, sizeof version->salt);
    version->size = item->entry->resource.size;
    sy_content_commit(&version->commit, SY_FORM_RAW, &version->salt, item->entry->resource);
}

static void describe_record(struct sy_import_entry *entry, const struct sy_fhir_item *item)
{
    struct sy_client_record *record = &entry->record;
    const struct sy_import_base *base = &entry->base;
    memset(record, 0, sizeof *record);
    sy_os_random(&record->id, sizeof record->id);
    memcpy(record->type, item->facts.type, sizeof record->type);
    record->org_label = base->roles.org;
    record->author_label = base->roles.practitioner;
    record->patient_label = base->roles.patient;
    if (strcmp(item->facts.type, "Practitioner") == 0) {
        record->subject_kind = SY_SUBJECT_KEY;
        memcpy(record->subject.bytes, base->author.key.bytes, sizeof record->subject.bytes);
    } else if (base->has_patient) {
        record->subject_kind = SY_SUBJECT_PATIENT;
        record->subject = base->patient.id;
    } else {
        record->subject_kind = SY_SUBJECT_ORG;
        record->subject = base->org.id;
    }
}

/* Signer, author and what both need to be final first. */
static void sign_as(struct sy_import_draft *draft, struct sy_import_entry *entry, bool by_gateway)
{
    const struct sy_import_base *base = &entry->base;
    bool by_author = base->has_author && !by_gateway;
    uint16_t role = base->has_author ? base->author.role : SY_ROLE_GATEWAY;
    bool names_author = base->has_author && by_gateway;
    if (entry->is_new) {
        entry->payload.record_create.author_role = role;
        entry->payload.record_create.has_author = names_author;
        if (names_author) entry->payload.record_create.author = base->author.key;
    } else {
        entry->payload.record_amend.author_role = role;
        entry->payload.record_amend.has_author = names_author;
        if (names_author) entry->payload.record_amend.author = base->author.key;
    }
    if (by_author) {
        sy_draft_sign_by(draft, &base->author.name, &base->author.key);
    } else if (!by_gateway) {
        sy_draft_sign_by(draft, &base->gateway_name, &base->org.gateway_key);
    }
    if (base->has_author) sy_draft_after(draft, base->author.seq);
    if (!by_author) sy_draft_after(draft, base->org.gateway_seq);
    if (entry->record.subject_kind == SY_SUBJECT_KEY) sy_draft_after(draft, base->author.seq);
    if (base->has_patient) sy_draft_after(draft, base->patient.seq);
    sy_draft_after(draft, base->care_seq);
    draft->organisation = base->org.id;
}

static sy_status make_new(sy_importer *importer, struct sy_import_entry *entry,
                          struct sy_import_draft *draft, const struct sy_fhir_item *item,
                          struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    struct sy_record_create *p = &entry->payload.record_create;
    SY_TRY(sy_import_prepare(importer, &entry->base, item, complaint, err));
    describe_record(entry, item);
    p->record_id = entry->record.id;
    p->subject_kind = entry->record.subject_kind;
    p->subject = entry->record.subject;
    p->class = sy_slice_of(item->facts.type, strlen(item->facts.type));
    p->form = SY_FORM_RAW;
    p->commit = entry->version.commit;
    p->size = sy_content_size_rounded(entry->version.size);
    SY_TRY(link_encounter(importer, entry, draft, complaint, err));
    return link_parents(importer, entry, draft, err);
}

static sy_status make_amended(sy_importer *importer, struct sy_import_entry *entry,
                              struct sy_import_draft *draft, const struct sy_fhir_item *item,
                              struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    struct sy_record_amend *p = &entry->payload.record_amend;
    SY_TRY(sy_import_prepare_known(importer, &entry->base, &entry->record, item, complaint, err));
    p->record_id = entry->record.id;
    p->prev_version = entry->record.head.version;
    p->form = SY_FORM_RAW;
    p->commit = entry->version.commit;
    p->size = sy_content_size_rounded(entry->version.size);
    p->reason = SY_AMEND_SOURCE;
    sy_draft_after(draft, entry->record.head.seq);
    return SY_OK;
}

sy_status sy_import_make(sy_importer *importer, struct sy_import_entry *entry,
                         struct sy_import_draft *draft, const struct sy_fhir_item *item,
                         const struct sy_client_record *known, bool by_gateway,
                         struct sy_fhir_complaint *complaint, struct sy_error *err)
{
    memset(entry, 0, sizeof *entry);
    if (known != NULL && known->erased) {
        snprintf(complaint->what, sizeof complaint->what, "its record was erased");
        complaint->remedy = "leave it out; what was erased is not registered again";
        return SY_ERR_FORMAT;
    }
    entry->is_new = known == NULL;
    if (known != NULL) entry->record = *known;
    make_version(entry, item, known == NULL ? 1 : known->head.version + 1);
    if (known == NULL) {
        SY_TRY(make_new(importer, entry, draft, item, complaint, err));
    } else {
        SY_TRY(make_amended(importer, entry, draft, item, complaint, err));
    }
    sign_as(draft, entry, by_gateway);
    return SY_OK;
}

/* Directory entries and patients can be referred to by their identifiers from other documents. */
static sy_status keep_identifiers(sy_importer *importer, const struct sy_fhir_item *item,
                                  struct sy_error *err)
{
    if (item->rank < SY_FHIR_RANK_ORGANIZATION || item->rank > SY_FHIR_RANK_PATIENT) return SY_OK;
    struct sy_client_alias alias = {item->label};
    const char *source = importer->config.source;
    for (uint32_t i = 0; i < item->facts.identifier_count; i++) {
        struct sy_hash label;
        sy_client_label(
            importer->store, &label, SY_LABEL_IDENTIFIER, sy_slice_of(source, strlen(source)),
            sy_slice_of(item->facts.type, strlen(item->facts.type)), item->facts.identifiers[i]);
        struct sy_client_alias found;
        sy_status status = sy_client_get_alias(importer->store, &found, &label, err);
        if (status == SY_OK) continue; // the first that claimed it has it
        if (status != SY_ERR_NOT_FOUND) return status;
        SY_TRY(sy_client_put_alias(importer->store, &label, &alias, err));
    }
    return SY_OK;
}

sy_status sy_import_keep(sy_importer *importer, const struct sy_fhir_item *item,
                         struct sy_import_entry *entry, uint64_t seq, struct sy_error *err)
{
    entry->version.seq = seq;
    if (!entry->is_new) {
        return sy_client_add_version(importer->store, &item->label, &entry->record, &entry->version,
                                     err);
    }
    entry->record.head = entry->version;
    SY_TRY(sy_client_put_record(importer->store, &item->label, &entry->record, err));
    return keep_identifiers(importer, item, err);
}

/* --- one item -------------------------------------------------------------------------------- */

static void refuse_item(sy_importer *importer, const struct sy_fhir_item *item,
                        const struct sy_fhir_complaint *complaint)
{
    char where[96];
    char name[112];
    const char *path = item->entry->faulty ? item->entry->fault.path : "resource";
    sy_import_where(where, sizeof where, importer, item, path);
    sy_import_name(name, sizeof name, item);
    sy_import_tell(importer, true, NULL, where, name, complaint->what, complaint->remedy);
    uint16_t type = sy_import_type_index(importer, item->faulty ? "malformed" : item->facts.type);
    sy_import_count(importer, type, SY_FATE_READ);
    sy_import_count(importer, type, SY_FATE_REFUSED);
}

/* References that point nowhere but keep nothing back. */
static void warn_dangling(sy_importer *importer, const struct sy_fhir_item *item)
{
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        if (item->targets[i].state != SY_FHIR_TARGET_DANGLING) continue;
        char where[96];
        char name[112];
        char what[256];
        char path[96];
        snprintf(path, sizeof path, "resource.%.80s", (const char *)item->facts.refs[i].path.data);
        sy_import_where(where, sizeof where, importer, item, path);
        sy_import_name(name, sizeof name, item);
        snprintf(what, sizeof what, "refers to %.180s, which was not imported; not linked",
                 (const char *)item->facts.refs[i].text.data);
        sy_import_tell(importer, false, NULL, where, name, what,
                       "nothing, unless it should have been imported");
    }
}

static sy_status sign_record(sy_importer *importer, const struct sy_fhir_item *item,
                             struct sy_import_entry *entry, struct sy_import_draft *draft,
                             uint16_t type, struct sy_error *err)
{
    uint8_t made_bytes[SY_CLIENT_MADE_BYTES];
    struct sy_writer w = sy_writer_of(made_bytes, sizeof made_bytes);
    struct sy_client_made made = {type, item->label, entry->version.version};
    uint64_t seq;
    sy_client_made_write(&w, &made);
    draft->kind = entry->is_new ? SY_KIND_record_create : SY_KIND_record_amend;
    draft->payload = entry->payload;
    draft->made = sy_writer_slice(&w);
    draft->made_count = 1;
    sy_import_place(draft->place, importer, item);
    SY_TRY(sy_import_sign(importer, &seq, draft, err));
    return sy_import_keep(importer, item, entry, seq, err);
}

sy_status sy_import_item(sy_importer *importer, const struct sy_fhir_item *item,
                         struct sy_error *err)
{
    struct sy_fhir_complaint complaint = {.remedy = ""};
    struct sy_client_record known;
    bool is_known;
    bool is_duplicate;
    if (item->faulty || sy_import_dangling(item, &complaint)) {
        refuse_item(importer, item, item->faulty ? &item->complaint : &complaint);
        return SY_OK;
    }
    SY_TRY(sy_import_lookup(importer, &is_known, &is_duplicate, &known, item, err));
    uint16_t type = sy_import_type_index(importer, item->facts.type);
    if (is_duplicate) {
        sy_import_count(importer, type, SY_FATE_READ);
        sy_import_count(importer, type, SY_FATE_DUPLICATE);
        return SY_OK;
    }
    struct sy_import_entry entry;
    struct sy_import_draft draft;
    sy_draft_init(&draft, SY_KIND_record_create);
    sy_status status = sy_import_make(importer, &entry, &draft, item, is_known ? &known : NULL,
                                      false, &complaint, err);
    if (status == SY_OK) status = sign_record(importer, item, &entry, &draft, type, err);
    if (status == SY_ERR_FORMAT) {
        refuse_item(importer, item, &complaint);
        return SY_OK;
    }
    if (status != SY_OK) return status;
    warn_dangling(importer, item);
    sy_import_count(importer, type, SY_FATE_READ);
    return SY_OK;
}
