/* state_values.c: the encodings of identities and records; see state.h. */
#include "core/base/assert.h"
#include "core/wire/state.h"

enum {
    CREDENTIAL_REVOKED = 1,
    CREDENTIAL_X25519 = 2,
    CREDENTIAL_BREAK_GLASS = 4,
    CREDENTIAL_SUCCESSOR = 8,
    CREDENTIAL_LINE = 16,
    ORG_SUSPENDED = 1,
    ORG_NPI = 2,
    PATIENT_CLAIMED = 1,
    PATIENT_X25519 = 2,
    PATIENT_MERGED = 4,
    PATIENT_MERGES = 8,
    PATIENT_LINKS = 16,
    PATIENT_PLACES = 32,
    PATIENT_DIED = 64,
    VERSION_LOCATOR = 1,
    VERSION_REPORTED = 2,
    VERSION_MERGED = 4,
    RECORD_RETRACTED = 1,
    RECORD_TAG = 2,
    RECORD_ENCOUNTER = 4,
    RECORD_LINKED = 8,
    RECORD_ERASED = 16,
    RECORD_RELATION = 32,
    CONSENT_DENIES = 1,
    CONSENT_REVOKED = 2,
    CONSENT_WRAPPED = 4,
    CONSENT_PASSED_ON = 8,
    BREAK_REVIEWED = 1,
    BREAK_PREVIOUS = 2,
    CERT_UNTIL = 1
};

static uint8_t flag_if(bool set, unsigned flag)
{
    return (uint8_t)(set ? flag : 0);
}

/* Reads flags and refuses those that have no meaning. */
static uint8_t read_flags(struct sy_reader *r, unsigned known)
{
    uint8_t flags = sy_read_u8(r, "flags");
    if ((flags & ~known) != 0) sy_reader_fail(r, "flags");
    return r->failed ? 0 : flags;
}

static void write_list(struct sy_writer *w, const struct sy_list *list)
{
    sy_write_u16(w, list->count);
    sy_write_bytes16(w, list->items);
}

static void read_id_list(struct sy_reader *r, struct sy_list *list, size_t items_max,
                         const char *what)
{
    list->count = sy_read_u16(r, what);
    list->items = sy_read_bytes16(r, items_max * 32, what);
    if (list->items.size != (size_t)list->count * 32) sy_reader_fail(r, what);
    if (r->failed) *list = (struct sy_list){.count = 0};
}

static void read_text_list(struct sy_reader *r, struct sy_list *list, size_t bytes_max,
                           const char *what)
{
    list->count = sy_read_u16(r, what);
    list->items = sy_read_bytes16(r, bytes_max, what);
    struct sy_reader items = sy_reader_of(list->items);
    for (unsigned i = 0; i < list->count && !items.failed; i++) {
        (void)sy_read_bytes16(&items, SY_TEXT_BYTES_MAX, what);
    }
    if (!sy_reader_done(&items)) sy_reader_fail(r, what);
    if (r->failed) *list = (struct sy_list){.count = 0};
}

// --- identities --------------------------------------------------------------------------------

void sy_credential_encode(struct sy_writer *w, const struct sy_credential *credential)
{
    sy_write_u8(w, credential->use);
    sy_write_u8(w, credential->role);
    sy_write_hash(w, &credential->holder);
    sy_write_u8(w, flag_if(credential->revoked, CREDENTIAL_REVOKED) |
                       flag_if(credential->has_x25519_key, CREDENTIAL_X25519) |
                       flag_if(credential->break_glass, CREDENTIAL_BREAK_GLASS) |
                       flag_if(credential->has_successor, CREDENTIAL_SUCCESSOR) |
                       flag_if(credential->has_line, CREDENTIAL_LINE));
    sy_write_i64(w, credential->not_before_ms);
    sy_write_i64(w, credential->not_after_ms);
    if (credential->has_x25519_key) sy_write_public_key(w, &credential->x25519_key);
    if (credential->revoked) {
        sy_write_i64(w, credential->revoked_at_ms);
        sy_write_u16(w, credential->revoke_reason);
        sy_write_u64(w, credential->revoked_height);
    }
    if (credential->has_successor) sy_write_public_key(w, &credential->successor);
    if (credential->has_line) sy_write_public_key(w, &credential->line);
    sy_write_u64(w, credential->issued_height);
    sy_write_u64(w, credential->events);
    sy_write_bytes16(w, credential->specialty);
    write_list(w, &credential->scope);
}

bool sy_credential_decode(struct sy_credential *credential, struct sy_slice bytes)
{
    *credential = (struct sy_credential){.use = 0};
    struct sy_reader r = sy_reader_of(bytes);
    credential->use = sy_read_u8(&r, "use");
    if (credential->use < SY_KEY_TX || credential->use > SY_KEY_ADMIN) sy_reader_fail(&r, "use");
    credential->role = sy_read_u8(&r, "role");
    if (credential->role >= SY_ROLE_COUNT) sy_reader_fail(&r, "role");
    if ((credential->use == SY_KEY_TX) != (credential->role != 0)) sy_reader_fail(&r, "role");
    sy_read_hash(&r, &credential->holder, "holder");
    uint8_t flags = read_flags(&r, CREDENTIAL_REVOKED | CREDENTIAL_X25519 | CREDENTIAL_BREAK_GLASS |
                                       CREDENTIAL_SUCCESSOR | CREDENTIAL_LINE);
    credential->break_glass = (flags & CREDENTIAL_BREAK_GLASS) != 0;
    credential->revoked = (flags & CREDENTIAL_REVOKED) != 0;
    credential->has_x25519_key = (flags & CREDENTIAL_X25519) != 0;
    credential->has_successor = (flags & CREDENTIAL_SUCCESSOR) != 0;
    credential->has_line = (flags & CREDENTIAL_LINE) != 0;
    if (credential->has_successor && !credential->revoked) sy_reader_fail(&r, "flags");
    credential->not_before_ms = sy_read_i64(&r, "not_before");
    credential->not_after_ms = sy_read_i64(&r, "not_after");
    if (credential->has_x25519_key) sy_read_public_key(&r, &credential->x25519_key, "x25519_key");
    if (credential->revoked) {
        credential->revoked_at_ms = sy_read_i64(&r, "revoked_at");
        credential->revoke_reason = sy_read_u16(&r, "revoke_reason");
        credential->revoked_height = sy_read_u64(&r, "revoked_height");
    }
    if (credential->has_successor) sy_read_public_key(&r, &credential->successor, "successor");
    if (credential->has_line) sy_read_public_key(&r, &credential->line, "line");
    credential->issued_height = sy_read_u64(&r, "issued_height");
    credential->events = sy_read_u64(&r, "events");
    credential->specialty = sy_read_bytes16(&r, SY_CODE_BYTES_MAX, "specialty");
    read_text_list(&r, &credential->scope, SY_SCOPE_BYTES_MAX, "scope");
    return sy_reader_done(&r);
}

bool sy_credential_valid(const struct sy_credential *credential, int64_t time_ms)
{
    return credential->use == SY_KEY_TX && !credential->revoked &&
           time_ms >= credential->not_before_ms && time_ms <= credential->not_after_ms;
}

struct sy_hash sy_credential_line(const struct sy_credential *credential,
                                  const struct sy_public_key *key)
{
    struct sy_hash line;
    memcpy(line.bytes, credential->has_line ? credential->line.bytes : key->bytes,
           sizeof line.bytes);
    return line;
}

void sy_org_encode(struct sy_writer *w, const struct sy_org *org)
{
    sy_write_u16(w, org->kind);
    sy_write_u8(w, flag_if(org->suspended, ORG_SUSPENDED) | flag_if(org->has_npi_hash, ORG_NPI));
    sy_write_hash(w, &org->name_hash);
    sy_write_public_key(w, &org->admin_key);
    sy_write_public_key(w, &org->x25519_key);
    if (org->has_npi_hash) sy_write_hash(w, &org->npi_hash);
    if (org->suspended) {
        sy_write_u16(w, org->suspend_reason);
        sy_write_i64(w, org->suspended_from_ms);
        sy_write_u64(w, org->suspended_height);
    }
    sy_write_u64(w, org->registered_height);
    write_list(w, &org->endpoints);
    write_list(w, &org->prefixes);
}

bool sy_org_decode(struct sy_org *org, struct sy_slice bytes)
{
    *org = (struct sy_org){.kind = 0};
    struct sy_reader r = sy_reader_of(bytes);
    org->kind = sy_read_u16(&r, "kind");
    if (org->kind == 0 || org->kind >= SY_ORG_KIND_COUNT) sy_reader_fail(&r, "kind");
    uint8_t flags = read_flags(&r, ORG_SUSPENDED | ORG_NPI);
    org->suspended = (flags & ORG_SUSPENDED) != 0;
    org->has_npi_hash = (flags & ORG_NPI) != 0;
    sy_read_hash(&r, &org->name_hash, "name_hash");
    sy_read_public_key(&r, &org->admin_key, "admin_key");
    sy_read_public_key(&r, &org->x25519_key, "x25519_key");
    if (org->has_npi_hash) sy_read_hash(&r, &org->npi_hash, "npi_hash");
    if (org->suspended) {
        org->suspend_reason = sy_read_u16(&r, "suspend_reason");
        org->suspended_from_ms = sy_read_i64(&r, "suspended_from");
        org->suspended_height = sy_read_u64(&r, "suspended_height");
    }
    org->registered_height = sy_read_u64(&r, "registered_height");
    read_text_list(&r, &org->endpoints, SY_ENDPOINTS_BYTES_MAX, "endpoints");
    read_text_list(&r, &org->prefixes, SY_PREFIXES_BYTES_MAX, "prefixes");
    return sy_reader_done(&r);
}

void sy_patient_encode(struct sy_writer *w, const struct sy_patient *patient)
{
    sy_write_hash(w, &patient->organisation);
    sy_write_u8(w, flag_if(patient->claimed, PATIENT_CLAIMED) |
                       flag_if(patient->has_x25519_key, PATIENT_X25519) |
                       flag_if(patient->merged, PATIENT_MERGED) |
                       flag_if(patient->merges > 0, PATIENT_MERGES) |
                       flag_if(patient->links.count > 0, PATIENT_LINKS) |
                       flag_if(patient->places > 0, PATIENT_PLACES) |
                       flag_if(patient->died, PATIENT_DIED));
    if (patient->claimed) sy_write_public_key(w, &patient->wallet_key);
    if (patient->has_x25519_key) sy_write_public_key(w, &patient->x25519_key);
    if (patient->merged) {
        sy_write_hash(w, &patient->into);
        sy_write_u64(w, patient->merged_height);
    }
    if (patient->merges > 0) sy_write_u8(w, patient->merges);
    if (patient->died) {
        sy_write_i64(w, patient->died_ms);
        sy_write_hash(w, &patient->died_by);
    }
    sy_write_u64(w, patient->enrolled_height);
    sy_write_u64(w, patient->events);
    if (patient->places > 0) {
        sy_write_u64(w, patient->places);
        sy_write_u64(w, patient->records);
    }
    sy_write_u8(w, patient->guardians_needed);
    write_list(w, &patient->guardians);
    if (patient->links.count > 0) write_list(w, &patient->links);
}

/* What stands there only where a flag says so. */
static void read_merges(struct sy_reader *r, struct sy_patient *patient, uint8_t flags)
{
    patient->merged = (flags & PATIENT_MERGED) != 0;
    if (patient->merged && patient->claimed) sy_reader_fail(r, "flags");
    if (patient->merged) {
        sy_read_hash(r, &patient->into, "into");
        patient->merged_height = sy_read_u64(r, "merged_height");
    }
    if ((flags & PATIENT_MERGES) == 0) return;
    patient->merges = sy_read_u8(r, "merges");
    if (patient->merges == 0 || patient->merges > SY_MERGES_MAX) sy_reader_fail(r, "merges");
}

bool sy_patient_decode(struct sy_patient *patient, struct sy_slice bytes)
{
    *patient = (struct sy_patient){.claimed = false};
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &patient->organisation, "organisation");
    uint8_t flags =
        read_flags(&r, PATIENT_CLAIMED | PATIENT_X25519 | PATIENT_MERGED | PATIENT_MERGES |
                           PATIENT_LINKS | PATIENT_PLACES | PATIENT_DIED);
    patient->claimed = (flags & PATIENT_CLAIMED) != 0;
    patient->has_x25519_key = (flags & PATIENT_X25519) != 0;
    if (patient->claimed) sy_read_public_key(&r, &patient->wallet_key, "wallet_key");
    if (patient->has_x25519_key) sy_read_public_key(&r, &patient->x25519_key, "x25519_key");
    read_merges(&r, patient, flags);
    patient->died = (flags & PATIENT_DIED) != 0;
    if (patient->died) patient->died_ms = sy_read_i64(&r, "died");
    if (patient->died) sy_read_hash(&r, &patient->died_by, "died_by");
    patient->enrolled_height = sy_read_u64(&r, "enrolled_height");
    patient->events = sy_read_u64(&r, "events");
    if ((flags & PATIENT_PLACES) != 0) {
        patient->places = sy_read_u64(&r, "places");
        patient->records = sy_read_u64(&r, "records");
        if (patient->places == 0) sy_reader_fail(&r, "places");
    }
    patient->guardians_needed = sy_read_u8(&r, "guardians_needed");
    read_id_list(&r, &patient->guardians, SY_GUARDIANS_MAX, "guardians");
    if (patient->guardians_needed > patient->guardians.count) sy_reader_fail(&r, "guardians");
    if ((flags & PATIENT_LINKS) != 0) {
        read_id_list(&r, &patient->links, SY_LINKS_MAX, "links");
        if (patient->links.count == 0) sy_reader_fail(&r, "links");
    }
    return sy_reader_done(&r);
}

void sy_care_encode(struct sy_writer *w, const struct sy_care *care)
{
    sy_write_hash(w, &care->patient);
    sy_write_hash(w, &care->organisation);
    sy_write_u16(w, care->reason);
    sy_write_u64(w, care->opened_height);
    sy_write_u64(w, care->closed_height);
}

bool sy_care_decode(struct sy_care *care, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &care->patient, "patient");
    sy_read_hash(&r, &care->organisation, "organisation");
    care->reason = sy_read_u16(&r, "reason");
    care->opened_height = sy_read_u64(&r, "opened_height");
    care->closed_height = sy_read_u64(&r, "closed_height");
    return sy_reader_done(&r);
}

// --- consents ----------------------------------------------------------------------------------

void sy_consent_encode(struct sy_writer *w, const struct sy_consent *consent)
{
    sy_write_hash(w, &consent->patient);
    sy_write_u64(w, consent->number);
    sy_write_u8(w, consent->grantee_kind);
    sy_write_hash(w, &consent->grantee);
    sy_write_u8(w, flag_if(consent->denies, CONSENT_DENIES) |
                       flag_if(consent->revoked, CONSENT_REVOKED) |
                       flag_if(consent->has_wrapped_key_hash, CONSENT_WRAPPED) |
                       flag_if(consent->passed_on, CONSENT_PASSED_ON));
    sy_write_u32(w, consent->actions);
    sy_write_u32(w, consent->purposes);
    sy_write_i64(w, consent->from_ms);
    sy_write_i64(w, consent->until_ms);
    sy_write_u64(w, consent->given_height);
    if (consent->revoked) sy_write_u64(w, consent->revoked_height);
    if (consent->has_wrapped_key_hash) sy_write_hash(w, &consent->wrapped_key_hash);
    if (consent->passed_on) sy_write_hash(w, &consent->parent);
    write_list(w, &consent->classes);
    write_list(w, &consent->labels);
}

/* At least one known number of the enum. */
static uint32_t read_set(struct sy_reader *r, const struct sy_enum *names, const char *what)
{
    uint32_t set = sy_read_u32(r, what);
    if (set == 0 || (set & ~sy_set_known(names)) != 0) sy_reader_fail(r, what);
    return set;
}

static void read_tag_list(struct sy_reader *r, struct sy_list *list, size_t items_max,
                          const char *what)
{
    list->count = sy_read_u16(r, what);
    list->items = sy_read_bytes16(r, items_max * sizeof(struct sy_tag), what);
    if (list->items.size != list->count * sizeof(struct sy_tag)) sy_reader_fail(r, what);
    if (r->failed) *list = (struct sy_list){.count = 0};
}

bool sy_consent_decode(struct sy_consent *consent, struct sy_slice bytes)
{
    *consent = (struct sy_consent){.number = 0};
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &consent->patient, "patient");
    consent->number = sy_read_u64(&r, "number");
    if (consent->number == 0) sy_reader_fail(&r, "number");
    consent->grantee_kind = sy_read_u8(&r, "grantee_kind");
    if (!sy_enum_word(&sy_enum_grantee_kind, consent->grantee_kind)) {
        sy_reader_fail(&r, "grantee_kind");
    }
    sy_read_hash(&r, &consent->grantee, "grantee");
    uint8_t flags =
        read_flags(&r, CONSENT_DENIES | CONSENT_REVOKED | CONSENT_WRAPPED | CONSENT_PASSED_ON);
    consent->denies = (flags & CONSENT_DENIES) != 0;
    consent->revoked = (flags & CONSENT_REVOKED) != 0;
    consent->has_wrapped_key_hash = (flags & CONSENT_WRAPPED) != 0;
    consent->passed_on = (flags & CONSENT_PASSED_ON) != 0;
    if (consent->passed_on && consent->denies) sy_reader_fail(&r, "flags");
    consent->actions = read_set(&r, &sy_enum_action, "actions");
    consent->purposes = read_set(&r, &sy_enum_purpose, "purposes");
    consent->from_ms = sy_read_i64(&r, "from");
    consent->until_ms = sy_read_i64(&r, "until");
    consent->given_height = sy_read_u64(&r, "given_height");
    if (consent->revoked) consent->revoked_height = sy_read_u64(&r, "revoked_height");
    if (consent->has_wrapped_key_hash) {
        sy_read_hash(&r, &consent->wrapped_key_hash, "wrapped_key_hash");
    }
    if (consent->passed_on) sy_read_hash(&r, &consent->parent, "parent");
    read_text_list(&r, &consent->classes, SY_CONSENT_CLASSES_BYTES_MAX, "classes");
    read_tag_list(&r, &consent->labels, SY_CONSENT_ITEMS_MAX, "labels");
    return sy_reader_done(&r);
}

void sy_consents_encode(struct sy_writer *w, const struct sy_consents *consents)
{
    sy_write_u64(w, consents->given);
    write_list(w, &consents->live);
}

bool sy_consents_decode(struct sy_consents *consents, struct sy_slice bytes)
{
    *consents = (struct sy_consents){.given = 0};
    struct sy_reader r = sy_reader_of(bytes);
    consents->given = sy_read_u64(&r, "given");
    read_id_list(&r, &consents->live, SY_CONSENTS_LIVE_MAX, "live");
    if (consents->live.count > consents->given) sy_reader_fail(&r, "live");
    return sy_reader_done(&r);
}

// --- emergency access --------------------------------------------------------------------------

void sy_break_encode(struct sy_writer *w, const struct sy_break *entry)
{
    sy_write_hash(w, &entry->patient);
    sy_write_public_key(w, &entry->key);
    sy_write_hash(w, &entry->organisation);
    sy_write_u16(w, entry->reason);
    sy_write_u64(w, entry->height);
    sy_write_i64(w, entry->from_ms);
    sy_write_i64(w, entry->until_ms);
    sy_write_u8(w, flag_if(entry->reviewed, BREAK_REVIEWED) |
                       flag_if(entry->has_previous, BREAK_PREVIOUS));
    if (entry->reviewed) {
        sy_write_u16(w, entry->outcome);
        sy_write_u64(w, entry->reviewed_height);
        sy_write_public_key(w, &entry->reviewer);
    }
    if (entry->has_previous) sy_write_hash(w, &entry->previous);
}

bool sy_break_decode(struct sy_break *entry, struct sy_slice bytes)
{
    *entry = (struct sy_break){.reviewed = false};
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &entry->patient, "patient");
    sy_read_public_key(&r, &entry->key, "key");
    sy_read_hash(&r, &entry->organisation, "organisation");
    entry->reason = sy_read_u16(&r, "reason");
    entry->height = sy_read_u64(&r, "height");
    entry->from_ms = sy_read_i64(&r, "from");
    entry->until_ms = sy_read_i64(&r, "until");
    uint8_t flags = read_flags(&r, BREAK_REVIEWED | BREAK_PREVIOUS);
    entry->reviewed = (flags & BREAK_REVIEWED) != 0;
    entry->has_previous = (flags & BREAK_PREVIOUS) != 0;
    if (entry->reviewed) {
        entry->outcome = sy_read_u16(&r, "outcome");
        entry->reviewed_height = sy_read_u64(&r, "reviewed_height");
        sy_read_public_key(&r, &entry->reviewer, "reviewer");
    }
    if (entry->has_previous) sy_read_hash(&r, &entry->previous, "previous");
    return sy_reader_done(&r);
}

void sy_breaks_encode(struct sy_writer *w, const struct sy_list *open)
{
    write_list(w, open);
}

bool sy_breaks_decode(struct sy_list *open, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *open = (struct sy_list){.count = 0};
    read_id_list(&r, open, SY_BREAKS_OPEN_MAX, "open");
    return sy_reader_done(&r);
}

// --- devices -----------------------------------------------------------------------------------

void sy_device_encode(struct sy_writer *w, const struct sy_device *device)
{
    sy_write_public_key(w, &device->key);
    sy_write_hash(w, &device->organisation);
    sy_write_u8(w, device->owner_kind);
    sy_write_hash(w, &device->owner);
    sy_write_u16(w, device->device_class);
    sy_write_hash(w, &device->udi_commit);
    sy_write_u64(w, device->height);
}

bool sy_device_decode(struct sy_device *device, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_public_key(&r, &device->key, "key");
    sy_read_hash(&r, &device->organisation, "organisation");
    device->owner_kind = sy_read_u8(&r, "owner_kind");
    if (device->owner_kind != SY_SUBJECT_ORG && device->owner_kind != SY_SUBJECT_PATIENT) {
        sy_reader_fail(&r, "owner_kind");
    }
    sy_read_hash(&r, &device->owner, "owner");
    device->device_class = sy_read_u16(&r, "class");
    if (!sy_enum_word(&sy_enum_device_class, device->device_class)) sy_reader_fail(&r, "class");
    sy_read_hash(&r, &device->udi_commit, "udi_commit");
    device->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

// --- requests for access -------------------------------------------------------------------------

void sy_access_asked_encode(struct sy_writer *w, const struct sy_access_asked *asked)
{
    sy_write_public_key(w, &asked->key);
    sy_write_u32(w, asked->actions);
    sy_write_u32(w, asked->purposes);
    sy_write_u64(w, asked->height);
    sy_write_i64(w, asked->time_ms);
    write_list(w, &asked->classes);
}

bool sy_access_asked_decode(struct sy_access_asked *asked, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *asked = (struct sy_access_asked){.height = 0};
    sy_read_public_key(&r, &asked->key, "key");
    asked->actions = read_set(&r, &sy_enum_action, "actions");
    asked->purposes = read_set(&r, &sy_enum_purpose, "purposes");
    asked->height = sy_read_u64(&r, "height");
    asked->time_ms = sy_read_i64(&r, "time");
    read_text_list(&r, &asked->classes, SY_CONSENT_CLASSES_BYTES_MAX, "classes");
    return sy_reader_done(&r);
}

// --- health cards ------------------------------------------------------------------------------

void sy_cert_encode(struct sy_writer *w, const struct sy_cert *cert)
{
    sy_write_u16(w, cert->kind);
    sy_write_hash(w, &cert->key_id);
    sy_write_u64(w, cert->index);
    sy_write_u64(w, cert->height);
    sy_write_i64(w, cert->time_ms);
    sy_write_u8(w, flag_if(cert->has_until, CERT_UNTIL));
    if (cert->has_until) sy_write_i64(w, cert->until_ms);
}

bool sy_cert_decode(struct sy_cert *cert, struct sy_slice bytes)
{
    *cert = (struct sy_cert){.kind = 0};
    struct sy_reader r = sy_reader_of(bytes);
    cert->kind = sy_read_u16(&r, "kind");
    sy_read_hash(&r, &cert->key_id, "key_id");
    cert->index = sy_read_u64(&r, "index");
    cert->height = sy_read_u64(&r, "height");
    cert->time_ms = sy_read_i64(&r, "time");
    cert->has_until = (read_flags(&r, CERT_UNTIL) & CERT_UNTIL) != 0;
    if (cert->has_until) cert->until_ms = sy_read_i64(&r, "until");
    return sy_reader_done(&r);
}

// --- records -----------------------------------------------------------------------------------

void sy_record_version_encode(struct sy_writer *w, const struct sy_record_version *version)
{
    sy_write_u32(w, version->version);
    sy_write_u32(w, version->parent);
    sy_write_u16(w, version->form);
    sy_write_hash(w, &version->commit);
    sy_write_u64(w, version->size);
    sy_write_public_key(w, &version->author);
    sy_write_u8(w, version->author_role);
    sy_write_hash(w, &version->holder);
    sy_write_u16(w, version->reason);
    sy_write_u64(w, version->height);
    sy_write_i64(w, version->time_ms);
    sy_write_u8(w, flag_if(version->has_locator_commit, VERSION_LOCATOR) |
                       flag_if(version->patient_reported, VERSION_REPORTED) |
                       flag_if(version->other_count > 0, VERSION_MERGED));
    if (version->has_locator_commit) sy_write_hash(w, &version->locator_commit);
    if (version->other_count == 0) return;
    SY_ASSERT(version->other_count < SY_RECORD_HEADS_MAX);
    sy_write_u8(w, version->other_count);
    for (unsigned i = 0; i < version->other_count; i++) sy_write_u32(w, version->others[i]);
    sy_write_hash(w, &version->resolution_hash);
}

/* What a version joins besides its parent: at least one more, ascending, all older than it. */
static void read_others(struct sy_reader *r, struct sy_record_version *version)
{
    uint32_t last = version->parent;
    version->other_count = sy_read_u8(r, "others");
    if (last == 0 || version->other_count == 0 || version->other_count >= SY_RECORD_HEADS_MAX) {
        sy_reader_fail(r, "others");
    }
    for (unsigned i = 0; i < version->other_count && !r->failed; i++) {
        version->others[i] = sy_read_u32(r, "others");
        if (version->others[i] <= last || version->others[i] >= version->version) {
            sy_reader_fail(r, "others");
        }
        last = version->others[i];
    }
    if (r->failed) version->other_count = 0;
    sy_read_hash(r, &version->resolution_hash, "resolution_hash");
}

static void read_version(struct sy_reader *r, struct sy_record_version *version)
{
    version->version = sy_read_u32(r, "version");
    version->parent = sy_read_u32(r, "parent");
    if (version->parent >= version->version) sy_reader_fail(r, "parent");
    version->form = sy_read_u16(r, "form");
    sy_read_hash(r, &version->commit, "commit");
    version->size = sy_read_u64(r, "size");
    sy_read_public_key(r, &version->author, "author");
    version->author_role = sy_read_u8(r, "author_role");
    if (version->author_role >= SY_ROLE_COUNT) sy_reader_fail(r, "author_role");
    sy_read_hash(r, &version->holder, "holder");
    version->reason = sy_read_u16(r, "reason");
    version->height = sy_read_u64(r, "height");
    version->time_ms = sy_read_i64(r, "time");
    uint8_t flags = read_flags(r, VERSION_LOCATOR | VERSION_REPORTED | VERSION_MERGED);
    version->has_locator_commit = (flags & VERSION_LOCATOR) != 0;
    version->patient_reported = (flags & VERSION_REPORTED) != 0;
    if (version->has_locator_commit) sy_read_hash(r, &version->locator_commit, "locator_commit");
    if ((flags & VERSION_MERGED) != 0) read_others(r, version);
}

bool sy_record_version_decode(struct sy_record_version *version, struct sy_slice bytes)
{
    *version = (struct sy_record_version){.version = 0};
    struct sy_reader r = sy_reader_of(bytes);
    read_version(&r, version);
    return sy_reader_done(&r);
}

static void write_heads(struct sy_writer *w, const struct sy_record *record)
{
    SY_ASSERT(record->head_count <= SY_RECORD_HEADS_MAX);
    sy_write_u32(w, record->versions);
    sy_write_u8(w, record->head_count);
    for (unsigned i = 0; i < record->head_count; i++) sy_write_u32(w, record->heads[i]);
}

/* Heads ascend, name versions that exist, and there is at least one. */
static void read_heads(struct sy_reader *r, struct sy_record *record)
{
    record->versions = sy_read_u32(r, "versions");
    record->head_count = sy_read_u8(r, "heads");
    if (record->head_count == 0 || record->head_count > SY_RECORD_HEADS_MAX) {
        sy_reader_fail(r, "heads");
    }
    uint32_t last = 0;
    for (unsigned i = 0; i < record->head_count && !r->failed; i++) {
        record->heads[i] = sy_read_u32(r, "heads");
        if (record->heads[i] <= last || record->heads[i] > record->versions) {
            sy_reader_fail(r, "heads");
        }
        last = record->heads[i];
    }
}

void sy_record_encode(struct sy_writer *w, const struct sy_record *record)
{
    sy_write_u8(w, record->subject_kind);
    sy_write_hash(w, &record->subject);
    sy_write_hash(w, &record->holder);
    sy_write_bytes16(w, record->record_class);
    sy_write_u8(w, flag_if(record->retracted, RECORD_RETRACTED) |
                       flag_if(record->has_sens_tag, RECORD_TAG) |
                       flag_if(record->has_encounter, RECORD_ENCOUNTER) |
                       flag_if(record->links > 0, RECORD_LINKED) |
                       flag_if(record->erased, RECORD_ERASED) |
                       flag_if(record->relation != 0, RECORD_RELATION));
    if (record->has_sens_tag) sy_write_raw(w, record->sens_tag, sizeof record->sens_tag);
    if (record->has_encounter) sy_write_hash(w, &record->encounter);
    if (record->retracted) {
        sy_write_u16(w, record->retract_reason);
        sy_write_u64(w, record->retracted_height);
    }
    if (record->links > 0) sy_write_u64(w, record->links);
    if (record->erased) {
        sy_write_u16(w, record->erase_basis);
        sy_write_u64(w, record->erased_height);
        sy_write_i64(w, record->erased_ms);
    }
    if (record->relation != 0) sy_write_u16(w, record->relation);
    write_heads(w, record);
    write_list(w, &record->parents);
    sy_record_version_encode(w, &record->first);
}

/* What came later: others that name it, and its erasure; and what it is to its parents. */
static void read_links(struct sy_reader *r, struct sy_record *record, uint8_t flags)
{
    record->erased = (flags & RECORD_ERASED) != 0;
    if ((flags & RECORD_LINKED) != 0) {
        record->links = sy_read_u64(r, "links");
        if (record->links == 0) sy_reader_fail(r, "links");
    }
    if (record->erased) {
        record->erase_basis = sy_read_u16(r, "erase_basis");
        if (!sy_enum_word(&sy_enum_erase_basis, record->erase_basis)) {
            sy_reader_fail(r, "erase_basis");
        }
        record->erased_height = sy_read_u64(r, "erased_height");
        record->erased_ms = sy_read_i64(r, "erased_ms");
    }
    if ((flags & RECORD_RELATION) != 0) {
        record->relation = sy_read_u16(r, "relation");
        if (!sy_enum_word(&sy_enum_relation, record->relation)) sy_reader_fail(r, "relation");
    }
}

bool sy_record_decode(struct sy_record *record, struct sy_slice bytes)
{
    *record = (struct sy_record){.subject_kind = 0};
    struct sy_reader r = sy_reader_of(bytes);
    record->subject_kind = sy_read_u8(&r, "subject_kind");
    if (record->subject_kind < SY_SUBJECT_ORG || record->subject_kind > SY_SUBJECT_PATIENT) {
        sy_reader_fail(&r, "subject_kind");
    }
    sy_read_hash(&r, &record->subject, "subject");
    sy_read_hash(&r, &record->holder, "holder");
    record->record_class = sy_read_bytes16(&r, SY_CODE_BYTES_MAX, "class");
    uint8_t flags = read_flags(&r, RECORD_RETRACTED | RECORD_TAG | RECORD_ENCOUNTER |
                                       RECORD_LINKED | RECORD_ERASED | RECORD_RELATION);
    record->retracted = (flags & RECORD_RETRACTED) != 0;
    record->has_sens_tag = (flags & RECORD_TAG) != 0;
    record->has_encounter = (flags & RECORD_ENCOUNTER) != 0;
    if (record->has_sens_tag) {
        struct sy_slice tag = sy_read_raw(&r, sizeof record->sens_tag, "sens_tag");
        if (!r.failed) memcpy(record->sens_tag, tag.data, sizeof record->sens_tag);
    }
    if (record->has_encounter) sy_read_hash(&r, &record->encounter, "encounter");
    if (record->retracted) {
        record->retract_reason = sy_read_u16(&r, "retract_reason");
        record->retracted_height = sy_read_u64(&r, "retracted_height");
    }
    read_links(&r, record, flags);
    read_heads(&r, record);
    read_id_list(&r, &record->parents, SY_RECORD_PARENTS_MAX, "parents");
    read_version(&r, &record->first);
    if (record->first.version != 1) sy_reader_fail(&r, "first");
    return sy_reader_done(&r);
}

_Static_assert(SY_ENDPOINTS_BYTES_MAX + SY_PREFIXES_BYTES_MAX + 512 <= SY_STATE_VALUE_BYTES_MAX,
               "the largest organisation fits a state value");
_Static_assert(SY_SCOPE_BYTES_MAX + SY_CODE_BYTES_MAX + 512 <= SY_STATE_VALUE_BYTES_MAX,
               "the largest credential fits a state value");
_Static_assert(SY_CONSENT_CLASSES_BYTES_MAX + SY_CONSENT_ITEMS_MAX * 16 + 512 <=
                   SY_STATE_VALUE_BYTES_MAX,
               "the largest consent fits a state value");
_Static_assert(SY_CONSENTS_LIVE_MAX * 32 + 16 <= SY_STATE_VALUE_BYTES_MAX,
               "the longest list of consents fits a state value");
_Static_assert(16 + SY_NONCE_WINDOW / 8 <= SY_STATE_VALUE_BYTES_MAX,
               "the largest nonce window fits a state value");

// --- subscriptions -----------------------------------------------------------------------------

enum {
    SUBSCRIPTION_GROUPS = 1,
    SUBSCRIPTION_CLASSES = 2,
    SUBSCRIPTION_ORG = 4,
    SUBSCRIPTION_HEIGHT = 8
};

void sy_subscription_encode(struct sy_writer *w, const struct sy_subscription *subscription)
{
    sy_write_u64(w, subscription->from);
    sy_write_u16(w, subscription->purpose);
    sy_write_u64(w, subscription->height);
    sy_write_u64(w, subscription->cancelled_height);
    sy_write_u8(w, flag_if(subscription->has_groups, SUBSCRIPTION_GROUPS) |
                       flag_if(subscription->has_classes, SUBSCRIPTION_CLASSES) |
                       flag_if(subscription->has_organisation, SUBSCRIPTION_ORG) |
                       flag_if(subscription->from_height > 0, SUBSCRIPTION_HEIGHT));
    if (subscription->has_groups) sy_write_u32(w, subscription->groups);
    if (subscription->has_classes) write_list(w, &subscription->classes);
    if (subscription->has_organisation) sy_write_hash(w, &subscription->organisation);
    if (subscription->from_height > 0) sy_write_u64(w, subscription->from_height);
}

bool sy_subscription_decode(struct sy_subscription *subscription, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *subscription = (struct sy_subscription){.from = sy_read_u64(&r, "from")};
    subscription->purpose = sy_read_u16(&r, "purpose");
    subscription->height = sy_read_u64(&r, "height");
    subscription->cancelled_height = sy_read_u64(&r, "cancelled_height");
    uint8_t flags = read_flags(&r, SUBSCRIPTION_GROUPS | SUBSCRIPTION_CLASSES | SUBSCRIPTION_ORG |
                                       SUBSCRIPTION_HEIGHT);
    subscription->has_organisation = (flags & SUBSCRIPTION_ORG) != 0;
    subscription->has_groups = (flags & SUBSCRIPTION_GROUPS) != 0;
    subscription->has_classes = (flags & SUBSCRIPTION_CLASSES) != 0;
    if (subscription->has_groups) {
        subscription->groups = sy_read_u32(&r, "groups");
        bool known = (subscription->groups & ~sy_set_known(&sy_enum_notice_group)) == 0;
        if (!known) sy_reader_fail(&r, "groups");
    }
    if (subscription->has_classes) {
        read_text_list(&r, &subscription->classes, SY_CONSENT_CLASSES_BYTES_MAX, "classes");
    }
    if (subscription->has_organisation) {
        sy_read_hash(&r, &subscription->organisation, "organisation");
    }
    if ((flags & SUBSCRIPTION_HEIGHT) != 0) {
        subscription->from_height = sy_read_u64(&r, "from_height");
        if (subscription->from_height == 0) sy_reader_fail(&r, "from_height");
    }
    if (subscription->from == 0) sy_reader_fail(&r, "from");
    return sy_reader_done(&r);
}
