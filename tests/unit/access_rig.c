/* access_rig.c: see access_rig.h. */
#include "tests/unit/access_rig.h"

#include <stdlib.h>

#include "core/base/bytes.h"
#include "core/wire/delta.h"
#include "core/wire/state_rx.h"

const struct sy_tag label = {{0x5A, 1}};

static struct sy_writer begin_entry(struct state_rig *rig)
{
    assert_true(rig->count < ENTRIES_MAX);
    struct entry *entry = &rig->entries[rig->count];
    return sy_writer_of(entry->bytes, sizeof entry->bytes);
}

static struct sy_hash *end_entry(struct state_rig *rig, const struct sy_writer *w)
{
    assert_false(w->failed);
    struct entry *entry = &rig->entries[rig->count++];
    entry->size = w->used;
    return &entry->key;
}

static struct sy_hash id_of(unsigned number)
{
    struct sy_hash zero = {{0}};
    return number == 0 ? zero : test_hash(number);
}

static void add_credential(struct state_rig *rig, unsigned key, uint8_t role, unsigned holder)
{
    struct sy_credential credential = {.use = SY_KEY_TX,
                                       .role = role,
                                       .holder = id_of(holder),
                                       .not_before_ms = TEST_GENESIS_MS,
                                       .not_after_ms = INT64_MAX};
    if (key == KEY_REVOKED_A) credential.revoked = true;
    if (key == KEY_EXPIRED_A) credential.not_after_ms = NOW_MS - 1;
    if (key == KEY_EARLY_A) credential.not_before_ms = NOW_MS + 1;
    credential.has_line = key == KEY_NEXT_C;
    if (key == KEY_NEXT_C) credential.line = test_public(KEY_DOCTOR_C);
    if (key == KEY_CONSENSUS_A) credential.use = SY_KEY_CONSENSUS;
    if (key == KEY_CONSENSUS_A) credential.role = 0;
    struct sy_writer w = begin_entry(rig);
    sy_credential_encode(&w, &credential);
    struct sy_public_key public = test_public(key);
    sy_state_key_public(end_entry(rig, &w), SY_STATE_CREDENTIAL, &public);
}

static void add_org(struct state_rig *rig, unsigned org, bool suspended)
{
    struct sy_org value = {.kind = SY_ORG_HOSPITAL, .suspended = suspended};
    struct sy_writer w = begin_entry(rig);
    if (suspended) value.suspend_reason = SY_SUSPEND_LICENCE;
    sy_org_encode(&w, &value);
    struct sy_hash id = test_hash(org);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_ORG, &id);
}

static void add_patient(struct state_rig *rig, unsigned patient, unsigned org, unsigned wallet)
{
    struct sy_patient value = {.organisation = test_hash(org), .claimed = wallet != 0};
    if (wallet != 0) value.wallet_key = test_public(wallet);
    struct sy_public_key guardian = test_public(KEY_GUARDIAN);
    uint8_t room[32];
    struct sy_writer ids = sy_writer_of(room, sizeof room);
    struct sy_hash guardian_id;
    memcpy(guardian_id.bytes, guardian.bytes, sizeof guardian_id.bytes);
    if (wallet == 0) {
        value.guardians_needed = 1;
        sy_list_add_id(&value.guardians, &ids, &guardian_id);
    }
    value.events = 3;
    struct sy_writer w = begin_entry(rig);
    sy_patient_encode(&w, &value);
    struct sy_hash id = test_hash(patient);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_PATIENT, &id);
}

static void add_ward(struct state_rig *rig)
{
    uint8_t room[32];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_patient value = {.organisation = test_hash(ORG_A), .guardians_needed = 1};
    struct sy_public_key key = test_public(KEY_DOCTOR_C);
    struct sy_hash guardian, id = test_hash(WARD);
    memcpy(guardian.bytes, key.bytes, sizeof guardian.bytes);
    sy_list_add_id(&value.guardians, &lists, &guardian);
    struct sy_writer w = begin_entry(rig);
    sy_patient_encode(&w, &value);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_PATIENT, &id);
}

static void add_device(struct state_rig *rig, unsigned number, uint8_t owner_kind, unsigned owner)
{
    struct sy_device device = {.key = test_public(KEY_DEVICE_A),
                               .organisation = test_hash(ORG_A),
                               .owner_kind = owner_kind,
                               .owner = test_hash(owner),
                               .device_class = SY_DEVICE_WEARABLE};
    struct sy_hash id = test_hash(number);
    struct sy_writer w = begin_entry(rig);
    sy_device_encode(&w, &device);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_DEVICE, &id);
}

static void add_care(struct state_rig *rig, unsigned care, unsigned org, uint64_t closed_height)
{
    struct sy_care value = {.patient = test_hash(PATIENT),
                            .organisation = test_hash(org),
                            .opened_height = 1,
                            .closed_height = closed_height};
    struct sy_writer w = begin_entry(rig);
    sy_care_encode(&w, &value);
    struct sy_hash id = test_hash(care);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_CARE, &id);
    if (closed_height != 0) return;
    w = begin_entry(rig);
    sy_id_encode(&w, &id);
    sy_state_key_open_care(end_entry(rig, &w), &value.patient, &value.organisation);
}

static void add_record(struct state_rig *rig, unsigned number, uint8_t subject_kind,
                       const struct sy_hash *subject)
{
    struct sy_record record = {.subject_kind = subject_kind,
                               .subject = *subject,
                               .holder = test_hash(ORG_A),
                               .record_class = sy_slice_of("Observation", 11),
                               .versions = 1,
                               .head_count = 1,
                               .heads = {1}};
    record.first.version = 1;
    record.first.form = SY_FORM_RAW;
    record.has_sens_tag = number == RECORD_LABEL;
    memcpy(record.sens_tag, label.bytes, sizeof record.sens_tag);
    struct sy_writer w = begin_entry(rig);
    sy_record_encode(&w, &record);
    struct sy_hash id = test_hash(number);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_RECORD, &id);
}

static void add_rx(struct state_rig *rig)
{
    struct sy_rx rx = {.patient = test_hash(PATIENT),
                       .organisation = test_hash(ORG_A),
                       .author = test_public(KEY_DOCTOR_A),
                       .control = SY_CONTROL_NONE,
                       .quantity = 30,
                       .days = 20,
                       .from_ms = NOW_MS,
                       .until_ms = NOW_MS + 1};
    struct sy_writer w = begin_entry(rig);
    sy_rx_encode(&w, &rx);
    struct sy_hash id = test_hash(RX);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_RX, &id);
}

static struct sy_hash grantee_of(const struct consent_of *about)
{
    struct sy_hash id = {{0}};
    struct sy_public_key key;
    if (about->grantee_kind == SY_GRANTEE_ORG) return test_hash(about->grantee);
    if (about->grantee_kind == SY_GRANTEE_ROLE) {
        sy_store_u16(id.bytes, (uint16_t)about->grantee);
        return id;
    }
    key = test_public(about->grantee);
    memcpy(id.bytes, key.bytes, sizeof id.bytes);
    return id;
}

static void add_consent(struct state_rig *rig, const struct consent_of *about)
{
    uint8_t room[64];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_consent consent = {.patient = test_hash(PATIENT),
                                 .number = 1,
                                 .grantee_kind = about->grantee_kind,
                                 .grantee = grantee_of(about),
                                 .denies = about->denies,
                                 .actions = SY_SET_BIT(SY_ACTION_READ),
                                 .purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT),
                                 .until_ms = about->over ? NOW_MS - 1 : NOW_MS + 1};
    struct sy_writer w = begin_entry(rig);
    if (about->labelled) sy_list_add_tag(&consent.labels, &lists, &label);
    if (about->only_class) {
        struct sy_slice name = sy_slice_of(about->only_class, strlen(about->only_class));
        sy_list_add_text(&consent.classes, &lists, name);
    }
    sy_consent_encode(&w, &consent);
    struct sy_hash id = test_hash(about->number);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_CONSENT, &id);
}

static void add_consents(struct state_rig *rig, const struct consent_of *abouts, unsigned count)
{
    uint8_t room[8 * 32];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_consents consents = {.given = count};
    struct sy_hash patient = test_hash(PATIENT);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash id = test_hash(abouts[i].number);
        add_consent(rig, &abouts[i]);
        sy_list_add_id(&consents.live, &lists, &id);
    }
    struct sy_writer w = begin_entry(rig);
    sy_consents_encode(&w, &consents);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_CONSENTS, &patient);
}

bool rig_breaks;
unsigned rig_break_id = BREAK;
uint64_t rig_subscribed;
uint32_t rig_groups;
const char *rig_class;
unsigned rig_org;
uint64_t rig_from_height;

static void add_subscription(struct state_rig *rig)
{
    struct sy_subscription entry = {.from = rig_subscribed, .purpose = SY_PURPOSE_TREATMENT};
    struct sy_hash org = test_hash(ORG_B), patient = test_hash(PATIENT);
    uint8_t room[64];
    struct sy_writer list = sy_writer_of(room, sizeof room), w = begin_entry(rig);
    entry.has_groups = rig_groups != 0;
    entry.groups = rig_groups;
    entry.has_classes = rig_class != NULL;
    entry.has_organisation = rig_org != 0;
    entry.organisation = test_hash(rig_org);
    entry.from_height = rig_from_height;
    if (rig_class) {
        sy_list_add_text(&entry.classes, &list, sy_slice_of(rig_class, strlen(rig_class)));
    }
    sy_subscription_encode(&w, &entry);
    sy_state_key_subscription(end_entry(rig, &w), &org, &patient);
}

static void add_break(struct state_rig *rig)
{
    struct sy_break entry = {.patient = test_hash(PATIENT),
                             .key = test_public(KEY_DOCTOR_C),
                             .organisation = test_hash(ORG_C),
                             .height = 1,
                             .until_ms = NOW_MS + 1};
    struct sy_hash id = test_hash(rig_break_id), key;
    uint8_t room[32];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_list open = {.count = 0};
    add_credential(rig, KEY_NEXT_C, SY_ROLE_DOCTOR, ORG_C);
    struct sy_writer w = begin_entry(rig);
    sy_break_encode(&w, &entry);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_BREAK, &id);
    w = begin_entry(rig);
    sy_id_encode(&w, &id);
    memcpy(key.bytes, entry.key.bytes, sizeof key.bytes);
    sy_state_key_break_of(end_entry(rig, &w), &entry.patient, &key);
    sy_list_add_id(&open, &lists, &id);
    w = begin_entry(rig);
    sy_breaks_encode(&w, &open);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_BREAKS, &key);
}

static int by_key(const void *a, const void *b)
{
    return sy_hash_compare(&((const struct entry *)a)->key, &((const struct entry *)b)->key);
}

static void apply(struct state_rig *rig)
{
    static uint8_t bytes[ENTRIES_MAX * 600];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_error err;
    qsort(rig->entries, rig->count, sizeof rig->entries[0], by_key);
    for (unsigned i = 0; i < rig->count; i++) {
        struct sy_delta delta = {.key = rig->entries[i].key, .op = SY_DELTA_PUT};
        delta.value = sy_slice_of(rig->entries[i].bytes, rig->entries[i].size);
        sy_delta_write(&w, &delta);
    }
    assert_int_equal(sy_state_apply(rig->store, 0, sy_writer_slice(&w), &err), SY_OK);
    assert_int_equal(sy_state_view_open(&rig->access.view, rig->store), SY_OK);
    rig->access.time_ms = NOW_MS;
}

static void populate(struct state_rig *rig)
{
    add_credential(rig, KEY_REGULATOR, SY_ROLE_REGULATOR, 0);
    add_credential(rig, KEY_ADMIN_A, SY_ROLE_ORG_ADMIN, ORG_A);
    add_credential(rig, KEY_DOCTOR_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_DOCTOR_B, SY_ROLE_DOCTOR, ORG_B);
    add_credential(rig, KEY_DOCTOR_C, SY_ROLE_DOCTOR, ORG_C);
    add_credential(rig, KEY_AUDITOR_C, SY_ROLE_AUDITOR, ORG_C);
    add_credential(rig, KEY_DOCTOR_D, SY_ROLE_DOCTOR, ORG_D);
    add_credential(rig, KEY_WALLET, SY_ROLE_PATIENT, PATIENT);
    add_credential(rig, KEY_OTHER_WALLET, SY_ROLE_PATIENT, OTHER_PATIENT);
    add_credential(rig, KEY_REVOKED_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_EXPIRED_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_EARLY_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_CONSENSUS_A, 0, ORG_A);
    add_credential(rig, KEY_GUARDIAN, SY_ROLE_PATIENT, NO_PATIENT);
    add_credential(rig, KEY_GATEWAY_B, SY_ROLE_GATEWAY, ORG_B);
    for (unsigned org = ORG_A; org <= ORG_D; org++) add_org(rig, org, org == ORG_D);
    add_patient(rig, PATIENT, ORG_A, KEY_WALLET);
    add_patient(rig, OTHER_PATIENT, ORG_D, 0);
    add_ward(rig);
    add_credential(rig, KEY_DEVICE_A, SY_ROLE_DEVICE, ORG_A);
    add_device(rig, DEVICE_OF_A, SY_SUBJECT_ORG, ORG_A);
    add_device(rig, DEVICE_OF_PATIENT, SY_SUBJECT_PATIENT, PATIENT);
    add_care(rig, CARE_OPEN, ORG_B, 0);
    add_care(rig, CARE_CLOSED, ORG_C, 5);
    struct sy_hash patient = test_hash(PATIENT);
    struct sy_hash org = test_hash(ORG_A);
    struct sy_hash key;
    struct sy_public_key public = test_public(KEY_DOCTOR_A);
    memcpy(key.bytes, public.bytes, sizeof key.bytes);
    struct sy_hash other = test_hash(OTHER_PATIENT);
    add_record(rig, RECORD_PATIENT, SY_SUBJECT_PATIENT, &patient);
    add_record(rig, RECORD_LABEL, SY_SUBJECT_PATIENT, &patient);
    add_record(rig, RECORD_OTHER, SY_SUBJECT_PATIENT, &other);
    struct sy_hash ward = test_hash(WARD);
    add_record(rig, RECORD_WARD, SY_SUBJECT_PATIENT, &ward);
    add_record(rig, RECORD_ORG, SY_SUBJECT_ORG, &org);
    add_record(rig, RECORD_KEY, SY_SUBJECT_KEY, &key);
    add_rx(rig);
}

void open_rig_with(struct state_rig *rig, const struct consent_of *consents, unsigned count)
{
    struct sy_store_config config = {.init = true};
    memset(rig, 0, sizeof *rig);
    assert_int_equal(sy_store_open_memory(&rig->store, &config), SY_OK);
    populate(rig);
    if (count > 0) add_consents(rig, consents, count);
    if (rig_breaks) add_break(rig);
    if (rig_subscribed > 0) add_subscription(rig);
    apply(rig);
}

void open_rig(struct state_rig *rig)
{
    open_rig_with(rig, NULL, 0);
}

void close_rig(struct state_rig *rig)
{
    sy_state_view_close(rig->access.view);
    sy_store_close(rig->store);
}

struct sy_read_request read_of(unsigned key, uint8_t state_kind, unsigned id)
{
    return (struct sy_read_request){.subject = SY_READ_STATE,
                                    .state_kind = state_kind,
                                    .id = test_hash(id),
                                    .purpose = SY_PURPOSE_TREATMENT,
                                    .reader = test_public(key)};
}

bool may(const struct state_rig *rig, unsigned key, uint8_t state_kind, unsigned id)
{
    struct sy_read_request read = read_of(key, state_kind, id);
    return sy_access_state(&rig->access, &read);
}

bool may_tx(const struct state_rig *rig, unsigned reader, const struct sy_tx *tx,
            const struct sy_event *events, unsigned count)
{
    uint8_t bytes[3 * SY_EVENT_BYTES];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_receipt receipt = {.event_count = count};
    struct sy_read_request read = read_of(reader, 0, 1);
    read.subject = SY_READ_TX;
    for (unsigned i = 0; i < count; i++) sy_event_encode(&w, &events[i]);
    assert_false(w.failed);
    receipt.events = sy_writer_slice(&w);
    return sy_access_tx(&rig->access, &read, &receipt, tx);
}

struct sy_event event_of(uint8_t subject_kind, unsigned subject)
{
    return (struct sy_event){.kind = SY_EVENT_RECORD_CREATED,
                             .subject_kind = subject_kind,
                             .subject = test_hash(subject),
                             .object =
                                 test_hash(subject == PATIENT ? RECORD_PATIENT : RECORD_OTHER)};
}
