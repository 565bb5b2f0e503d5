/* Values of state: one encoding each, as FORMAT.md says.
 *
 * Each sample stands in tests/fuzz/corpus/state/, its kind in front; SYSTOLE_REGENERATE=1 writes
 * the files, together with a change of FORMAT.md only. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "core/wire/proof.h"
#include "core/wire/state.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define SAMPLES_MAX 64u

struct sample {
    const char *name;
    uint8_t bytes[1 + SY_STATE_VALUE_BYTES_MAX];
    size_t size;
};

static struct sample samples[SAMPLES_MAX];
static size_t sample_count;
static uint8_t list_room[16384];
static struct sy_writer lists;

/* Starts a sample of a kind; finish_sample ends it. */
static struct sy_writer start_sample(const char *name, enum sy_state_kind kind)
{
    assert_true(sample_count < SAMPLES_MAX);
    struct sample *sample = &samples[sample_count];
    sample->name = name;
    sample->bytes[0] = (uint8_t)(kind - SY_STATE_PARAMS);
    return sy_writer_of(sample->bytes + 1, SY_STATE_VALUE_BYTES_MAX);
}

static void finish_sample(const struct sy_writer *w)
{
    assert_false(w->failed);
    samples[sample_count++].size = 1 + w->used;
}

static struct sy_list texts(unsigned count, size_t bytes)
{
    struct sy_list list = {.count = 0};
    char text[SY_TEXT_BYTES_MAX];
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < count; i++) {
        text[0] = (char)('a' + i);
        sy_list_add_text(&list, &lists, sy_slice_of(text, bytes));
    }
    assert_false(lists.failed);
    return list;
}

static struct sy_list ids(unsigned count)
{
    struct sy_list list = {.count = 0};
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash id = test_hash(800 + i);
        sy_list_add_id(&list, &lists, &id);
    }
    assert_false(lists.failed);
    return list;
}

static void sample_governance(void)
{
    struct sy_writer w = start_sample("params", SY_STATE_PARAMS);
    struct sy_params params = {2, 157680000000ll, 1u << 30, 11, 256, 4096, 30};
    sy_params_encode(&w, &params);
    finish_sample(&w);
    struct sy_params_state set = {
        .params = params,
        .version = 7,
        .pending_count = 2,
        .pending = {{SY_PARAM_REGULATORS_NEEDED, 3, 1000}, {SY_PARAM_RECORD_BYTES_MAX, 9, 2000}}};
    w = start_sample("params_set", SY_STATE_PARAMS);
    sy_params_state_encode(&w, &set);
    finish_sample(&w);
    struct sy_schedule schedule = {3, test_hash(1), 4000, 3000};
    w = start_sample("schedule", SY_STATE_SCHEDULE);
    sy_schedule_encode(&w, &schedule);
    finish_sample(&w);
    struct sy_roster_head head = {1, 4, test_hash(1)};
    w = start_sample("roster", SY_STATE_ROSTER);
    sy_roster_head_encode(&w, &head);
    finish_sample(&w);
    static struct sy_genesis genesis;
    test_genesis(&genesis, 4);
    w = start_sample("validator", SY_STATE_VALIDATOR);
    sy_validator_state_encode(&w, &genesis.roster.validators[2]);
    finish_sample(&w);
    w = start_sample("maker", SY_STATE_MAKER);
    sy_count_encode(&w, 17);
    finish_sample(&w);
    struct sy_hash id = test_hash(5);
    w = start_sample("open_care", SY_STATE_OPEN_CARE);
    sy_id_encode(&w, &id);
    finish_sample(&w);
}

static void sample_nonces(void)
{
    struct sy_nonces nonces = {.highest = 0};
    struct sy_writer w = start_sample("nonces_none", SY_STATE_NONCES);
    sy_nonces_encode(&w, &nonces);
    finish_sample(&w);
    for (uint64_t nonce = 1; nonce <= 9; nonce++) sy_nonces_use(&nonces, nonce);
    w = start_sample("nonces_run", SY_STATE_NONCES);
    sy_nonces_encode(&w, &nonces);
    finish_sample(&w);
    sy_nonces_use(&nonces, 12);
    sy_nonces_use(&nonces, 30);
    w = start_sample("nonces_gaps", SY_STATE_NONCES);
    sy_nonces_encode(&w, &nonces);
    finish_sample(&w);
    sy_nonces_use(&nonces, 30 + SY_NONCE_WINDOW);
    w = start_sample("nonces_widest", SY_STATE_NONCES);
    sy_nonces_encode(&w, &nonces);
    finish_sample(&w);
    assert_int_equal(w.used, 16 + SY_NONCE_WINDOW / 8);
}

static void sample_credentials(void)
{
    struct sy_credential credential = {
        .use = SY_KEY_TX,
        .role = SY_ROLE_DOCTOR,
        .holder = test_hash(2),
        .has_x25519_key = true,
        .not_before_ms = 5,
        .not_after_ms = 50,
        .x25519_key = test_public(9),
        .issued_height = 3,
        .events = 2,
        .specialty = sy_slice_of("cardiology", 10),
    };
    struct sy_writer w = start_sample("credential", SY_STATE_CREDENTIAL);
    sy_credential_encode(&w, &credential);
    finish_sample(&w);
    credential.revoked = true;
    credential.revoked_at_ms = 7;
    credential.revoke_reason = 2;
    credential.revoked_height = 9;
    credential.scope = texts(16, SY_CODE_BYTES_MAX);
    credential.has_successor = true;
    credential.successor = test_public(10);
    credential.has_line = true;
    credential.line = test_public(8);
    w = start_sample("credential_revoked", SY_STATE_CREDENTIAL);
    sy_credential_encode(&w, &credential);
    finish_sample(&w);
    struct sy_credential consensus = {.use = SY_KEY_CONSENSUS, .not_after_ms = INT64_MAX};
    w = start_sample("credential_consensus", SY_STATE_CREDENTIAL);
    sy_credential_encode(&w, &consensus);
    finish_sample(&w);
}

static void sample_identities(void)
{
    struct sy_org org = {
        .kind = SY_ORG_HOSPITAL,
        .name_hash = test_hash(3),
        .admin_key = test_public(4),
        .x25519_key = test_public(5),
        .registered_height = 6,
    };
    struct sy_writer w = start_sample("organisation", SY_STATE_ORG);
    sy_org_encode(&w, &org);
    finish_sample(&w);
    org.suspended = true;
    org.suspend_reason = 1;
    org.suspended_from_ms = 11;
    org.suspended_height = 12;
    org.has_npi_hash = true;
    org.npi_hash = test_hash(7);
    org.endpoints = texts(8, SY_TEXT_BYTES_MAX);
    org.prefixes = texts(16, 12);
    w = start_sample("organisation_largest", SY_STATE_ORG);
    sy_org_encode(&w, &org);
    finish_sample(&w);
    struct sy_patient patient = {.organisation = test_hash(2), .enrolled_height = 8, .events = 1};
    w = start_sample("patient", SY_STATE_PATIENT);
    sy_patient_encode(&w, &patient);
    finish_sample(&w);
    patient.claimed = true;
    patient.wallet_key = test_public(6);
    patient.has_x25519_key = true;
    patient.x25519_key = test_public(7);
    patient.guardians_needed = 2;
    patient.guardians = ids(3);
    w = start_sample("patient_claimed", SY_STATE_PATIENT);
    sy_patient_encode(&w, &patient);
    finish_sample(&w);
    patient.links = ids(SY_LINKS_MAX);
    patient.merges = SY_MERGES_MAX;
    patient.places = 11;
    patient.records = 12;
    patient.guardians = ids(SY_GUARDIANS_MAX);
    w = start_sample("patient_linked", SY_STATE_PATIENT);
    sy_patient_encode(&w, &patient);
    finish_sample(&w);
    patient.claimed = false;
    patient.merged = true;
    patient.into = test_hash(9);
    patient.merged_height = 10;
    w = start_sample("patient_merged", SY_STATE_PATIENT);
    sy_patient_encode(&w, &patient);
    finish_sample(&w);
    struct sy_care care = {test_hash(1), test_hash(2), 3, 4, 5};
    w = start_sample("care", SY_STATE_CARE);
    sy_care_encode(&w, &care);
    finish_sample(&w);
}

static void sample_records(void)
{
    struct sy_record_version version = {
        .version = 1,
        .form = 1,
        .commit = test_hash(20),
        .size = 1024,
        .author = test_public(8),
        .author_role = SY_ROLE_NURSE,
        .holder = test_hash(2),
        .height = 10,
        .time_ms = 11,
    };
    struct sy_record record = {
        .subject_kind = SY_SUBJECT_PATIENT,
        .subject = test_hash(1),
        .holder = test_hash(2),
        .record_class = sy_slice_of("Observation", 11),
        .versions = 1,
        .head_count = 1,
        .heads = {1},
        .first = version,
    };
    struct sy_writer w = start_sample("record", SY_STATE_RECORD);
    sy_record_encode(&w, &record);
    finish_sample(&w);
    record.retracted = true;
    record.retract_reason = 1;
    record.retracted_height = 99;
    record.has_sens_tag = true;
    record.sens_tag[15] = 0xee;
    record.has_encounter = true;
    record.encounter = test_hash(21);
    record.versions = 9;
    record.head_count = 3;
    record.heads[0] = 4;
    record.heads[1] = 8;
    record.heads[2] = 9;
    record.parents = ids(8);
    record.first.has_locator_commit = true;
    record.first.locator_commit = test_hash(22);
    w = start_sample("record_branched", SY_STATE_RECORD);
    sy_record_encode(&w, &record);
    finish_sample(&w);
    version.version = 9;
    version.parent = 3;
    version.reason = 4;
    version.patient_reported = true;
    w = start_sample("record_version", SY_STATE_RECORD_VERSION);
    sy_record_version_encode(&w, &version);
    finish_sample(&w);
}

static void sample_graph(void)
{
    struct sy_record_version merged = {
        .version = 9,
        .parent = 2,
        .form = 1,
        .commit = test_hash(30),
        .size = 2048,
        .author = test_public(8),
        .author_role = SY_ROLE_DOCTOR,
        .holder = test_hash(2),
        .height = 20,
        .time_ms = 21,
        .others = {3, 4, 5, 6, 7, 8},
        .resolution_hash = test_hash(31),
    };
    merged.other_count = 6;
    struct sy_writer w = start_sample("record_version_merged", SY_STATE_RECORD_VERSION);
    sy_record_version_encode(&w, &merged);
    finish_sample(&w);
    struct sy_record record = {
        .subject_kind = SY_SUBJECT_PATIENT,
        .subject = test_hash(1),
        .holder = test_hash(2),
        .record_class = sy_slice_of("Observation", 11),
        .links = 3,
        .erased = true,
        .erase_basis = SY_ERASE_LEGAL,
        .erased_height = 31,
        .erased_ms = 32,
        .relation = SY_RELATION_SIGNS,
        .versions = 1,
        .head_count = 1,
        .heads = {1},
        .parents = ids(2),
        .first = {.version = 1, .form = 1, .size = 256, .author_role = SY_ROLE_DOCTOR},
    };
    w = start_sample("record_erased", SY_STATE_RECORD);
    sy_record_encode(&w, &record);
    finish_sample(&w);
    struct sy_cosignatures list = {.count = SY_COSIGNATURES_MAX};
    for (unsigned i = 0; i < list.count; i++) {
        list.items[i] = (struct sy_cosignature){.key = test_public(10 + i),
                                                .role = SY_ROLE_NURSE,
                                                .holder = test_hash(2),
                                                .meaning = (uint16_t)(1 + i % 3),
                                                .height = 40 + i / 2,
                                                .time_ms = 41};
    }
    w = start_sample("cosignatures", SY_STATE_COSIGNATURES);
    sy_cosignatures_encode(&w, &list);
    finish_sample(&w);
    struct sy_record_link link = {SY_LINK_DUPLICATE, test_hash(50), 51};
    w = start_sample("record_link", SY_STATE_RECORD_LINK);
    sy_record_link_encode(&w, &link);
    finish_sample(&w);
    struct sy_duplicate duplicate = {test_public(60), test_hash(61), 62, 63};
    w = start_sample("duplicate", SY_STATE_DUPLICATE);
    sy_duplicate_encode(&w, &duplicate);
    finish_sample(&w);
}

static struct sy_list tags(unsigned count)
{
    struct sy_list list = {.count = 0};
    for (unsigned i = 0; i < count; i++) {
        struct sy_tag tag = {{(uint8_t)(i + 1), 7}};
        sy_list_add_tag(&list, &lists, &tag);
    }
    assert_false(lists.failed);
    return list;
}

static void sample_consents(void)
{
    struct sy_consent consent = {
        .patient = test_hash(1),
        .number = 1,
        .grantee_kind = SY_GRANTEE_KEY,
        .grantee = test_hash(2),
        .actions = SY_SET_BIT(SY_ACTION_READ),
        .purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT),
        .from_ms = 10,
        .until_ms = 20,
        .given_height = 3,
    };
    struct sy_writer w = start_sample("consent_least", SY_STATE_CONSENT);
    sy_consent_encode(&w, &consent);
    finish_sample(&w);
    consent.grantee_kind = SY_GRANTEE_ROLE;
    consent.denies = true;
    consent.revoked = true;
    consent.has_wrapped_key_hash = true;
    consent.actions = sy_set_known(&sy_enum_action);
    consent.purposes = sy_set_known(&sy_enum_purpose);
    consent.until_ms = INT64_MAX;
    consent.revoked_height = 99;
    consent.wrapped_key_hash = test_hash(3);
    consent.classes = texts(SY_CONSENT_ITEMS_MAX, SY_CODE_BYTES_MAX);
    consent.labels = tags(SY_CONSENT_ITEMS_MAX);
    w = start_sample("consent_most", SY_STATE_CONSENT);
    sy_consent_encode(&w, &consent);
    finish_sample(&w);
    consent.denies = false;
    consent.passed_on = true;
    consent.parent = test_hash(4);
    w = start_sample("consent_passed_on", SY_STATE_CONSENT);
    sy_consent_encode(&w, &consent);
    finish_sample(&w);
    struct sy_consents consents = {.given = 70, .live = ids(SY_CONSENTS_LIVE_MAX)};
    w = start_sample("consents", SY_STATE_CONSENTS);
    sy_consents_encode(&w, &consents);
    finish_sample(&w);
    struct sy_hash id = test_hash(5);
    w = start_sample("consent_place", SY_STATE_CONSENT_PLACE);
    sy_id_encode(&w, &id);
    finish_sample(&w);
}

static void sample_breaks(void)
{
    struct sy_break entry = {.patient = test_hash(1),
                             .key = test_public(9),
                             .organisation = test_hash(2),
                             .reason = SY_BREAK_OTHER,
                             .height = 4,
                             .from_ms = 5,
                             .until_ms = 6};
    struct sy_writer w = start_sample("break_least", SY_STATE_BREAK);
    sy_break_encode(&w, &entry);
    finish_sample(&w);
    entry.reviewed = true;
    entry.has_previous = true;
    entry.outcome = SY_REVIEW_REFERRED;
    entry.reviewed_height = 7;
    entry.reviewer = test_public(10);
    entry.previous = test_hash(3);
    w = start_sample("break_most", SY_STATE_BREAK);
    sy_break_encode(&w, &entry);
    finish_sample(&w);
    struct sy_list open = ids(SY_BREAKS_OPEN_MAX);
    w = start_sample("breaks", SY_STATE_BREAKS);
    sy_breaks_encode(&w, &open);
    finish_sample(&w);
    w = start_sample("break_of", SY_STATE_BREAK_OF);
    sy_id_encode(&w, &entry.previous);
    finish_sample(&w);
}

static void sample_devices(void)
{
    struct sy_device device = {.key = test_public(9),
                               .organisation = test_hash(2),
                               .owner_kind = SY_SUBJECT_PATIENT,
                               .owner = test_hash(1),
                               .device_class = SY_DEVICE_IMPLANT,
                               .udi_commit = test_hash(3),
                               .height = 4};
    struct sy_writer w = start_sample("device", SY_STATE_DEVICE);
    sy_device_encode(&w, &device);
    finish_sample(&w);
}

static void sample_subscriptions(void)
{
    struct sy_subscription entry = {.from = 1, .purpose = SY_PURPOSE_TREATMENT, .height = 2};
    entry.has_groups = entry.has_organisation = true;
    entry.groups = SY_SET_BIT(SY_NOTICES_RECORDS);
    entry.organisation = test_hash(1);
    entry.from_height = 3;
    entry.cancelled_height = 4;
    struct sy_writer w = start_sample("subscription_most", SY_STATE_SUBSCRIPTION);
    sy_subscription_encode(&w, &entry);
    finish_sample(&w);
}

static void sample_suspensions(void)
{
    struct sy_suspension suspension = {.begun = {1, 2, 3, 4}};
    struct sy_writer w = start_sample("suspension_begun", SY_STATE_SUSPENSION);
    sy_suspension_encode(&w, &suspension);
    finish_sample(&w);
    suspension.has_ended = true;
    suspension.ended = (struct sy_suspension_end){2, 3, 4, 5};
    w = start_sample("suspension_ended", SY_STATE_SUSPENSION);
    sy_suspension_encode(&w, &suspension);
    finish_sample(&w);
    w = start_sample("suspensions", SY_STATE_SUSPENSIONS);
    sy_count_encode(&w, 7);
    finish_sample(&w);
}

static void sample_certs(void)
{
    struct sy_cert cert = {
        .kind = SY_CERT_COVERAGE, .key_id = test_hash(1), .index = 2, .height = 3, .time_ms = 4};
    struct sy_writer w = start_sample("cert_least", SY_STATE_CERT);
    sy_cert_encode(&w, &cert);
    finish_sample(&w);
    cert.has_until = true;
    cert.until_ms = 5;
    w = start_sample("cert_most", SY_STATE_CERT);
    sy_cert_encode(&w, &cert);
    finish_sample(&w);
    w = start_sample("cert_index", SY_STATE_CERT_INDEX);
    sy_id_encode(&w, &cert.key_id);
    finish_sample(&w);
}

static void sample_exports(void)
{
    struct sy_patient_place place = {SY_PLACE_MERGED, test_hash(1), 2, 3};
    struct sy_writer w = start_sample("patient_place", SY_STATE_PATIENT_PLACE);
    sy_patient_place_encode(&w, &place);
    finish_sample(&w);
    struct sy_export export = {test_hash(1),   test_hash(2), test_public(3), 4, 5, 6,
                               .partly = false};
    w = start_sample("export_asked", SY_STATE_EXPORT);
    sy_export_encode(&w, &export);
    finish_sample(&w);
    export.partly = true;
    export.as_of = export.excepted = 7;
    export.last_exception = test_hash(9);
    w = start_sample("export_partly", SY_STATE_EXPORT);
    sy_export_encode(&w, &export);
    finish_sample(&w);
    struct sy_export done = {.patient = test_hash(1), .partly = true, .fulfilled = true};
    done.places = done.records = done.fulfilled_height = 10;
    w = start_sample("export_fulfilled", SY_STATE_EXPORT);
    sy_export_encode(&w, &done);
    finish_sample(&w);
    struct sy_mapped_id mapped = {test_hash(1), test_hash(2), test_hash(3), test_hash(4), 5, 6};
    w = start_sample("id_map", SY_STATE_ID_MAP);
    sy_mapped_id_encode(&w, &mapped);
    finish_sample(&w);
}

static void sample_access(void)
{
    uint8_t room[64];
    struct sy_writer text = sy_writer_of(room, sizeof room);
    struct sy_access_asked asked = {test_public(1), 2, 64, 3, 4, {0, {NULL, 0}}};
    sy_list_add_text(&asked.classes, &text, sy_slice_of("Observation", 11));
    struct sy_writer w = start_sample("access_request", SY_STATE_ACCESS_REQUEST);
    sy_access_asked_encode(&w, &asked);
    finish_sample(&w);
    struct sy_validator_key signer = {.key = test_public(3), .height = 4, .time_ms = 5};
    w = start_sample("signer", SY_STATE_SIGNER);
    sy_validator_key_encode(&w, &signer);
    finish_sample(&w);
    struct sy_hash consensus = test_hash(5);
    w = start_sample("signer_of", SY_STATE_SIGNER_OF);
    sy_id_encode(&w, &consensus);
    finish_sample(&w);
    struct sy_access_logged log = {test_hash(1), test_public(2), test_hash(3), 7, 5, 8, 9, 10};
    w = start_sample("access_log", SY_STATE_ACCESS_LOG);
    sy_access_logged_encode(&w, &log);
    finish_sample(&w);
    struct sy_disclosure disclosure = {.count = 6, .root = test_hash(4)};
    w = start_sample("disclosure", SY_STATE_DISCLOSURE);
    sy_disclosure_encode(&w, &disclosure);
    finish_sample(&w);
    struct sy_notify_choice choice = {SY_SET_BIT(SY_NOTICES_CARE), 2, true, test_hash(6), 5};
    w = start_sample("notify_most", SY_STATE_NOTIFY_PREFS);
    sy_notify_choice_encode(&w, &choice);
    finish_sample(&w);
    w = start_sample("notify_ack", SY_STATE_NOTIFY_ACK);
    sy_count_encode(&w, 12);
    finish_sample(&w);
}

static int make_samples(void **state)
{
    (void)state;
    lists = sy_writer_of(list_room, sizeof list_room);
    sample_governance();
    sample_nonces();
    sample_credentials();
    sample_identities();
    sample_records();
    sample_graph();
    sample_consents();
    sample_breaks();
    sample_devices();
    sample_certs();
    sample_suspensions();
    sample_subscriptions();
    sample_access();
    sample_exports();
    return 0;
}

/* One kind of entry: what decodes is encoded again. */
#define AGAIN(name, type)                     \
    do {                                      \
        type v;                               \
        good = sy_##name##_decode(&v, value); \
        if (good) sy_##name##_encode(w, &v);  \
    } while (0)

/* Decodes a value as its kind and encodes it again; false: it does not decode. */
static bool again(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    bool good = false;
    uint64_t count;
    switch (kind) {
    case SY_STATE_PARAMS: AGAIN(params_state, struct sy_params_state); break;
    case SY_STATE_ROSTER: AGAIN(roster_head, struct sy_roster_head); break;
    case SY_STATE_VALIDATOR: AGAIN(validator_state, struct sy_validator); break;
    case SY_STATE_NONCES: AGAIN(nonces, struct sy_nonces); break;
    case SY_STATE_CREDENTIAL: AGAIN(credential, struct sy_credential); break;
    case SY_STATE_ORG: AGAIN(org, struct sy_org); break;
    case SY_STATE_PATIENT: AGAIN(patient, struct sy_patient); break;
    case SY_STATE_CARE: AGAIN(care, struct sy_care); break;
    case SY_STATE_RECORD: AGAIN(record, struct sy_record); break;
    case SY_STATE_RECORD_VERSION: AGAIN(record_version, struct sy_record_version); break;
    case SY_STATE_CONSENT: AGAIN(consent, struct sy_consent); break;
    case SY_STATE_CONSENTS: AGAIN(consents, struct sy_consents); break;
    case SY_STATE_BREAK: AGAIN(break, struct sy_break); break;
    case SY_STATE_BREAKS: AGAIN(breaks, struct sy_list); break;
    case SY_STATE_COSIGNATURES: AGAIN(cosignatures, struct sy_cosignatures); break;
    case SY_STATE_RECORD_LINK: AGAIN(record_link, struct sy_record_link); break;
    case SY_STATE_DUPLICATE: AGAIN(duplicate, struct sy_duplicate); break;
    case SY_STATE_SCHEDULE:
    case SY_STATE_SCHEDULE_VERSION: AGAIN(schedule, struct sy_schedule); break;
    case SY_STATE_DEVICE: AGAIN(device, struct sy_device); break;
    case SY_STATE_PATIENT_PLACE: AGAIN(patient_place, struct sy_patient_place); break;
    case SY_STATE_EXPORT: AGAIN(export, struct sy_export); break;
    case SY_STATE_ID_MAP: AGAIN(mapped_id, struct sy_mapped_id); break;
    case SY_STATE_ACCESS_REQUEST: AGAIN(access_asked, struct sy_access_asked); break;
    case SY_STATE_ACCESS_LOG: AGAIN(access_logged, struct sy_access_logged); break;
    case SY_STATE_SIGNER: AGAIN(validator_key, struct sy_validator_key); break;
    case SY_STATE_DISCLOSURE: AGAIN(disclosure, struct sy_disclosure); break;
    case SY_STATE_NOTIFY_PREFS: AGAIN(notify_choice, struct sy_notify_choice); break;
    case SY_STATE_DISPUTE: AGAIN(dispute, struct sy_dispute); break;
    case SY_STATE_SUBSCRIPTION: AGAIN(subscription, struct sy_subscription); break;
    case SY_STATE_CERT: AGAIN(cert, struct sy_cert); break;
    case SY_STATE_SUSPENSION: AGAIN(suspension, struct sy_suspension); break;
    case SY_STATE_CERT_INDEX:
    case SY_STATE_SIGNER_OF:
    case SY_STATE_OPEN_CARE:
    case SY_STATE_CONSENT_PLACE:
    case SY_STATE_BREAK_OF: AGAIN(id, struct sy_hash); break;
    default:
        good = sy_count_decode(&count, value);
        if (good) sy_count_encode(w, count);
    }
    return good;
}

CASE(values_come_back_as_they_were)
{
    for (size_t i = 0; i < sample_count; i++) {
        uint8_t room[SY_STATE_VALUE_BYTES_MAX];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        struct sy_slice value = sy_slice_of(samples[i].bytes + 1, samples[i].size - 1);
        assert_true(again(&w, SY_STATE_PARAMS + samples[i].bytes[0], value));
        assert_true(sy_slice_equal(sy_writer_slice(&w), value));
    }
}

CASE(values_cut_or_longer_are_refused)
{
    for (size_t i = 0; i < sample_count; i++) {
        unsigned kind = SY_STATE_PARAMS + samples[i].bytes[0];
        uint8_t room[SY_STATE_VALUE_BYTES_MAX + 8];
        uint8_t longer[SY_STATE_VALUE_BYTES_MAX + 8] = {0};
        memcpy(longer, samples[i].bytes + 1, samples[i].size - 1);
        struct sy_writer w = sy_writer_of(room, sizeof room);
        assert_false(again(&w, kind, sy_slice_of(longer, samples[i].size)));
        for (size_t size = 0; size + 1 < samples[i].size; size++) {
            w.used = 0;
            if (kind == SY_STATE_PARAMS && size == 20) continue; // those of a genesis
            assert_false(again(&w, kind, sy_slice_of(longer, size)));
        }
    }
}

/* Whatever bit is flipped: what still decodes is another value with an encoding of its own. */
CASE(values_have_one_encoding)
{
    for (size_t i = 0; i < sample_count; i++) {
        unsigned kind = SY_STATE_PARAMS + samples[i].bytes[0];
        uint8_t changed[SY_STATE_VALUE_BYTES_MAX];
        size_t size = samples[i].size - 1;
        memcpy(changed, samples[i].bytes + 1, size);
        for (size_t bit = 0; bit < size * 8; bit++) {
            changed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            uint8_t room[SY_STATE_VALUE_BYTES_MAX];
            struct sy_writer w = sy_writer_of(room, sizeof room);
            if (again(&w, kind, sy_slice_of(changed, size))) {
                assert_true(sy_slice_equal(sy_writer_slice(&w), sy_slice_of(changed, size)));
            }
            changed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
    }
}

static void path_of(char *out, size_t size, const char *name)
{
    const char *source = getenv("SYSTOLE_SOURCE");
    (void)snprintf(out, size, "%s/tests/fuzz/corpus/state%s%s", source != NULL ? source : ".",
                   name[0] != '\0' ? "/" : "", name);
}

CASE(values_equal_their_files)
{
    const char *wish = getenv("SYSTOLE_REGENERATE");
    for (size_t i = 0; i < sample_count; i++) {
        char path[512];
        struct sy_error err;
        if (wish != NULL && strcmp(wish, "1") == 0) {
            path_of(path, sizeof path, "");
            assert_int_equal(sy_os_make_dirs(path, 0755, &err), SY_OK);
            path_of(path, sizeof path, samples[i].name);
            assert_int_equal(sy_os_write_file(path, samples[i].bytes, samples[i].size, 0644, &err),
                             SY_OK);
        }
        path_of(path, sizeof path, samples[i].name);
        uint8_t *stored;
        size_t size;
        if (sy_os_read_file(&stored, &size, path, 1 << 20, &err) != SY_OK) {
            fail_msg("%s (SYSTOLE_REGENERATE=1 writes it)", err.text);
        }
        bool same = sy_slice_equal(sy_slice_of(stored, size),
                                   sy_slice_of(samples[i].bytes, samples[i].size));
        free(stored);
        if (!same) fail_msg("%s differs: SYSTOLE_REGENERATE=1 writes it anew", path);
    }
}

CASE(consents_keep_their_rules)
{
    for (size_t i = 0; i < sample_count; i++) {
        struct sy_slice value = sy_slice_of(samples[i].bytes + 1, samples[i].size - 1);
        struct sy_consent consent;
        if (samples[i].bytes[0] + SY_STATE_PARAMS != SY_STATE_CONSENT) continue;
        uint8_t room[SY_STATE_VALUE_BYTES_MAX];
        memcpy(room, value.data, value.size);
        struct sy_slice changed = sy_slice_of(room, value.size);
        assert_true(sy_consent_decode(&consent, changed));
        static const struct {
            size_t at, size;
            uint64_t bad;
        } rules[] = {{32, 8, 0}, {40, 1, 0}, {40, 1, 4},   {73, 1, 16},
                     {73, 1, 9}, {74, 4, 0}, {74, 4, 1},   {74, 4, 16},
                     {78, 4, 0}, {78, 4, 1}, {78, 4, 512}, {78, 4, 1ull << 31}};
        for (size_t k = 0; k < sizeof rules / sizeof rules[0]; k++) {
            uint8_t bytes[8];
            sy_store_u64(bytes, rules[k].bad);
            memcpy(room + rules[k].at, bytes, rules[k].size);
            assert_false(sy_consent_decode(&consent, changed));
            memcpy(room + rules[k].at, value.data + rules[k].at, rules[k].size);
        }
        assert_true(sy_consent_decode(&consent, changed));
    }
}

static struct sy_slice sample_named(const char *name)
{
    for (size_t i = 0; i < sample_count; i++) {
        if (strcmp(samples[i].name, name) != 0) continue;
        return sy_slice_of(samples[i].bytes + 1, samples[i].size - 1);
    }
    fail_msg("no sample %s", name);
    return sy_slice_of(NULL, 0);
}

/* One place of a value changed: none of these is a value of its kind. */
CASE(joined_versions_links_and_cosignatures_keep_their_rules)
{
    static const struct {
        const char *name;
        enum sy_state_kind kind;
        size_t at; /* from the end when from_end */
        bool from_end;
        size_t size;
        uint64_t bad;
    } rules[] = {
        {"record_version_merged", SY_STATE_RECORD_VERSION, 57, true, 1, 0}, // joins nothing
        {"record_version_merged", SY_STATE_RECORD_VERSION, 57, true, 1, 8}, // too much
        {"record_version_merged", SY_STATE_RECORD_VERSION, 56, true, 4, 2}, // its parent twice
        {"record_version_merged", SY_STATE_RECORD_VERSION, 52, true, 4, 3}, // one twice
        {"record_version_merged", SY_STATE_RECORD_VERSION, 36, true, 4, 9}, // itself
        {"record_version_merged", SY_STATE_RECORD_VERSION, 4, false, 4, 0}, // and no parent
        {"record_erased", SY_STATE_RECORD, 79, false, 8, 0},                // links of none
        {"record_erased", SY_STATE_RECORD, 87, false, 2, 5},                // no basis
        {"record_erased", SY_STATE_RECORD, 105, false, 2, 6},               // no relation
        {"record_erased", SY_STATE_RECORD, 105, false, 2, 0},
        {"cosignatures", SY_STATE_COSIGNATURES, 0, false, 1, 0},
        {"cosignatures", SY_STATE_COSIGNATURES, 0, false, 1, SY_COSIGNATURES_MAX + 1},
        {"cosignatures", SY_STATE_COSIGNATURES, 33, false, 1, 0},             // no role
        {"cosignatures", SY_STATE_COSIGNATURES, 33, false, 1, SY_ROLE_COUNT}, // none known
        {"cosignatures", SY_STATE_COSIGNATURES, 66, false, 2, 4},             // no meaning
        {"cosignatures", SY_STATE_COSIGNATURES, 68, false, 8, 41},            // before the next
        {"record_link", SY_STATE_RECORD_LINK, 0, false, 2, 0},
        {"record_link", SY_STATE_RECORD_LINK, 0, false, 2, 6},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct sy_slice value = sample_named(rules[i].name);
        uint8_t changed[SY_STATE_VALUE_BYTES_MAX], bytes[8], room[SY_STATE_VALUE_BYTES_MAX];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        size_t at = rules[i].from_end ? value.size - rules[i].at : rules[i].at;
        memcpy(changed, value.data, value.size);
        sy_store_u64(bytes, rules[i].bad);
        memcpy(changed + at, bytes, rules[i].size);
        if (again(&w, rules[i].kind, sy_slice_of(changed, value.size))) {
            fail_msg("%s, rule %zu: it is taken", rules[i].name, i);
        }
    }
    uint8_t twice[SY_STATE_VALUE_BYTES_MAX], room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_slice value = sample_named("cosignatures");
    struct sy_writer w = sy_writer_of(room, sizeof room);
    memcpy(twice, value.data, value.size);
    memcpy(twice + 1 + 83, twice + 1, 32); // twice
    assert_false(again(&w, SY_STATE_COSIGNATURES, sy_slice_of(twice, value.size)));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(values_come_back_as_they_were),
        cmocka_unit_test(values_cut_or_longer_are_refused),
        cmocka_unit_test(values_have_one_encoding),
        cmocka_unit_test(values_equal_their_files),
        cmocka_unit_test(consents_keep_their_rules),
        cmocka_unit_test(joined_versions_links_and_cosignatures_keep_their_rules),
    };
    return cmocka_run_group_tests(cases, make_samples, NULL);
}
