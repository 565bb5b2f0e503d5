/* Values of state: one encoding each, as FORMAT.md says; and nonce windows against a plain model.
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
    struct sy_params params = {2, 157680000000ll, 1u << 30};
    struct sy_writer w = start_sample("params", SY_STATE_PARAMS);
    sy_params_encode(&w, &params);
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

static int make_samples(void **state)
{
    (void)state;
    lists = sy_writer_of(list_room, sizeof list_room);
    sample_governance();
    sample_nonces();
    sample_credentials();
    sample_identities();
    sample_records();
    sample_consents();
    sample_breaks();
    return 0;
}

/* Decodes a value as its kind and encodes it again; false: it does not decode. */
static bool again(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    bool good = false;
    if (kind == SY_STATE_PARAMS) {
        struct sy_params v;
        good = sy_params_decode(&v, value);
        if (good) sy_params_encode(w, &v);
    } else if (kind == SY_STATE_ROSTER) {
        struct sy_roster_head v;
        good = sy_roster_head_decode(&v, value);
        if (good) sy_roster_head_encode(w, &v);
    } else if (kind == SY_STATE_VALIDATOR) {
        struct sy_validator v;
        good = sy_validator_state_decode(&v, value);
        if (good) sy_validator_state_encode(w, &v);
    } else if (kind == SY_STATE_NONCES) {
        struct sy_nonces v;
        good = sy_nonces_decode(&v, value);
        if (good) sy_nonces_encode(w, &v);
    } else if (kind == SY_STATE_CREDENTIAL) {
        struct sy_credential v;
        good = sy_credential_decode(&v, value);
        if (good) sy_credential_encode(w, &v);
    } else if (kind == SY_STATE_ORG) {
        struct sy_org v;
        good = sy_org_decode(&v, value);
        if (good) sy_org_encode(w, &v);
    } else if (kind == SY_STATE_PATIENT) {
        struct sy_patient v;
        good = sy_patient_decode(&v, value);
        if (good) sy_patient_encode(w, &v);
    } else if (kind == SY_STATE_CARE) {
        struct sy_care v;
        good = sy_care_decode(&v, value);
        if (good) sy_care_encode(w, &v);
    } else if (kind == SY_STATE_RECORD) {
        struct sy_record v;
        good = sy_record_decode(&v, value);
        if (good) sy_record_encode(w, &v);
    } else if (kind == SY_STATE_RECORD_VERSION) {
        struct sy_record_version v;
        good = sy_record_version_decode(&v, value);
        if (good) sy_record_version_encode(w, &v);
    } else if (kind == SY_STATE_CONSENT) {
        struct sy_consent v;
        good = sy_consent_decode(&v, value);
        if (good) sy_consent_encode(w, &v);
    } else if (kind == SY_STATE_CONSENTS) {
        struct sy_consents v;
        good = sy_consents_decode(&v, value);
        if (good) sy_consents_encode(w, &v);
    } else if (kind == SY_STATE_BREAK) {
        struct sy_break v;
        good = sy_break_decode(&v, value);
        if (good) sy_break_encode(w, &v);
    } else if (kind == SY_STATE_BREAKS) {
        struct sy_list v;
        good = sy_breaks_decode(&v, value);
        if (good) sy_breaks_encode(w, &v);
    } else if (kind == SY_STATE_OPEN_CARE || kind == SY_STATE_CONSENT_PLACE ||
               kind == SY_STATE_BREAK_OF) {
        struct sy_hash v;
        good = sy_id_decode(&v, value);
        if (good) sy_id_encode(w, &v);
    } else {
        uint64_t v;
        good = sy_count_decode(&v, value);
        if (good) sy_count_encode(w, v);
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

CASE(credential_is_valid_in_its_window_only)
{
    struct sy_credential credential = {.use = SY_KEY_TX, .role = SY_ROLE_DOCTOR};
    credential.not_before_ms = 10;
    credential.not_after_ms = 20;
    assert_false(sy_credential_valid(&credential, 9));
    assert_true(sy_credential_valid(&credential, 10));
    assert_true(sy_credential_valid(&credential, 20));
    assert_false(sy_credential_valid(&credential, 21));
    credential.revoked = true;
    assert_false(sy_credential_valid(&credential, 15));
    credential.revoked = false;
    credential.use = SY_KEY_LINK;
    assert_false(sy_credential_valid(&credential, 15));
}

CASE(key_hashes_are_what_the_format_says)
{
    struct sy_hash id = test_hash(1), other = test_hash(2), expected, pair, out;
    uint8_t input[65];
    input[0] = SY_STATE_PATIENT;
    memcpy(input + 1, id.bytes, 32);
    sy_sha256(&expected, input, 33);
    sy_state_key_id(&out, SY_STATE_PATIENT, &id);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    input[0] = 0x04;
    memcpy(input + 33, other.bytes, 32);
    sy_sha256(&pair, input, 65);
    sy_state_key_id(&expected, SY_STATE_OPEN_CARE, &pair);
    sy_state_key_open_care(&out, &id, &other);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    memset(input + 33, 0, 32);
    input[33] = 0x39;
    input[34] = 0x05;
    sy_sha256(&pair, input, 65);
    sy_state_key_id(&expected, SY_STATE_RECORD_VERSION, &pair);
    sy_state_key_record_version(&out, &id, 1337);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    memset(input + 33, 0, 32);
    sy_store_u64(input + 33, 258);
    sy_sha256(&pair, input, 65);
    sy_state_key_id(&expected, SY_STATE_CONSENT_PLACE, &pair);
    sy_state_key_consent_place(&out, &id, 258);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    struct sy_hash digits = {"061414"}, zero = {{0}}, index = {{2, 1}};
    sy_state_key_id(&expected, SY_STATE_PREFIX, &digits);
    sy_state_key_prefix(&out, sy_slice_of("061414", 6));
    assert_memory_equal(out.bytes, expected.bytes, 32);
    sy_state_key_id(&expected, SY_STATE_PARAMS, &zero);
    sy_state_key_zero(&out, SY_STATE_PARAMS);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    sy_state_key_id(&expected, SY_STATE_VALIDATOR, &index);
    sy_state_key_validator(&out, 258);
    assert_memory_equal(out.bytes, expected.bytes, 32);
}

/* What a read names is the place that execution writes to, for every kind. */
CASE(entries_are_found_by_kind_and_what_names_them)
{
    struct sy_hash id = test_hash(1), second = {{0}}, expected, out;
    second.bytes[0] = 5;
    for (unsigned kind = 0; kind < SY_STATE_KIND_COUNT + 5u; kind++) {
        bool known = kind >= SY_STATE_PARAMS && kind < SY_STATE_KIND_COUNT;
        assert_int_equal(sy_state_key_of(&out, kind, &id, &second), known);
    }
    assert_true(sy_state_key_of(&out, SY_STATE_CONSENT, &id, &second));
    sy_state_key_id(&expected, SY_STATE_CONSENT, &id);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_CONSENT_PLACE, &id, &second));
    sy_state_key_consent_place(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_RECORD_VERSION, &id, &second));
    sy_state_key_record_version(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_BREAK_OF, &id, &second));
    sy_state_key_break_of(&expected, &id, &second);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_OPEN_CARE, &id, &second));
    sy_state_key_open_care(&expected, &id, &second);
    assert_memory_equal(out.bytes, expected.bytes, 32);
}

/* Sets of a consent hold what an enum knows, and something; its number is from 1. */
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

CASE(kinds_of_state_have_names)
{
    for (unsigned kind = 0; kind < SY_STATE_KIND_COUNT; kind++) {
        const char *name = sy_state_kind_name(kind);
        assert_int_equal(name != NULL, kind >= SY_STATE_PARAMS);
        for (unsigned other = SY_STATE_PARAMS; other < kind; other++) {
            assert_string_not_equal(name, sy_state_kind_name(other));
        }
    }
    assert_null(sy_state_kind_name(SY_STATE_KIND_COUNT));
    assert_null(sy_state_kind_name(100000));
}

// --- nonces ------------------------------------------------------------------------------------

#define MODEL_NONCES 40000u

/* The rule word for word: highest - 4096 < nonce <= highest + 4096 and not seen. */
static bool model_accepts(const bool *seen, uint64_t highest, uint64_t nonce)
{
    if (nonce == 0 || nonce > highest + SY_NONCE_WINDOW) return false;
    if (highest >= SY_NONCE_WINDOW && nonce <= highest - SY_NONCE_WINDOW) return false;
    return !seen[nonce];
}

CASE(nonce_windows_follow_the_rule)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static bool seen[MODEL_NONCES + 2 * SY_NONCE_WINDOW];
    for (unsigned round = 0; round < 6; round++) {
        memset(seen, 0, sizeof seen);
        struct sy_nonces nonces = {.highest = 0};
        uint64_t highest = 0;
        uint64_t reach = round % 3 == 0 ? 3 : round % 3 == 1 ? 200 : SY_NONCE_WINDOW;
        for (unsigned i = 0; i < 6000 && highest < MODEL_NONCES; i++) {
            uint64_t nonce = highest + sy_prng_below(&prng, reach + 1);
            if (sy_prng_chance(&prng, 1, 3)) {
                uint64_t back = sy_prng_below(&prng, SY_NONCE_WINDOW + 50);
                nonce = back < highest ? highest - back : 0;
            }
            bool fresh = model_accepts(seen, highest, nonce);
            assert_int_equal(sy_nonces_accept(&nonces, nonce), fresh);
            if (!fresh) continue;
            assert_false(sy_nonces_seen(&nonces, nonce));
            sy_nonces_use(&nonces, nonce);
            seen[nonce] = true;
            if (nonce > highest) highest = nonce;
            assert_int_equal(nonces.highest, highest);
            assert_true(sy_nonces_seen(&nonces, nonce));
            if (i % 16 != 0) continue;
            uint8_t room[16 + SY_NONCE_WINDOW / 8];
            struct sy_writer w = sy_writer_of(room, sizeof room);
            sy_nonces_encode(&w, &nonces);
            struct sy_nonces decoded;
            assert_true(sy_nonces_decode(&decoded, sy_writer_slice(&w)));
            assert_memory_equal(&decoded, &nonces, sizeof nonces);
        }
    }
}

CASE(nonce_windows_that_count_upwards_take_16_bytes)
{
    struct sy_nonces nonces = {.highest = 0};
    for (uint64_t nonce = 1; nonce <= 20000; nonce++) {
        sy_nonces_use(&nonces, nonce);
        assert_int_equal(nonces.floor, nonce);
    }
    uint8_t room[600];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_nonces_encode(&w, &nonces);
    assert_int_equal(w.used, 16);
}

CASE(nonce_window_ends_at_the_largest_number)
{
    struct sy_nonces nonces = {.highest = UINT64_MAX - 10, .floor = UINT64_MAX - 10};
    assert_true(sy_nonces_accept(&nonces, UINT64_MAX));
    sy_nonces_use(&nonces, UINT64_MAX);
    assert_false(sy_nonces_accept(&nonces, UINT64_MAX));
    assert_true(sy_nonces_accept(&nonces, UINT64_MAX - 5));
    assert_false(sy_nonces_accept(&nonces, 0));
    assert_false(sy_nonces_accept(&nonces, 1));
    for (uint64_t nonce = UINT64_MAX - 9; nonce < UINT64_MAX; nonce++) {
        sy_nonces_use(&nonces, nonce);
    }
    assert_int_equal(nonces.floor, UINT64_MAX);
    for (uint64_t nonce = 0; nonce < 5; nonce++) assert_false(sy_nonces_accept(&nonces, nonce));
}

CASE(nonce_windows_are_canonical)
{
    static const struct {
        uint64_t highest, floor;
        uint8_t map[2];
        size_t map_bytes;
        bool good;
    } windows[] = {
        {9, 9, {0}, 0, true},
        {9, 10, {0}, 0, false},             // floor above highest
        {5000, 5000 - 4097, {0}, 0, false}, // further down than the window
        {10, 8, {0x02}, 1, true},
        {10, 8, {0x03}, 1, false},    // floor could be higher
        {10, 8, {0x00}, 1, false},    // highest is not marked
        {10, 8, {0x06}, 1, false},    // a bit beyond highest
        {10, 8, {0x02, 0}, 2, false}, // a byte too many
        {20, 8, {0x02, 0x08}, 2, true},
        {20, 8, {0x02, 0x18}, 2, false},
    };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        uint8_t room[32];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        sy_write_u64(&w, windows[i].highest);
        sy_write_u64(&w, windows[i].floor);
        sy_write_raw(&w, windows[i].map, windows[i].map_bytes);
        struct sy_nonces nonces;
        assert_int_equal(sy_nonces_decode(&nonces, sy_writer_slice(&w)), windows[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(values_come_back_as_they_were),
        cmocka_unit_test(values_cut_or_longer_are_refused),
        cmocka_unit_test(values_have_one_encoding),
        cmocka_unit_test(values_equal_their_files),
        cmocka_unit_test(credential_is_valid_in_its_window_only),
        cmocka_unit_test(key_hashes_are_what_the_format_says),
        cmocka_unit_test(entries_are_found_by_kind_and_what_names_them),
        cmocka_unit_test(consents_keep_their_rules),
        cmocka_unit_test(kinds_of_state_have_names),
        cmocka_unit_test(nonce_windows_follow_the_rule),
        cmocka_unit_test(nonce_windows_that_count_upwards_take_16_bytes),
        cmocka_unit_test(nonce_window_ends_at_the_largest_number),
        cmocka_unit_test(nonce_windows_are_canonical),
    };
    return cmocka_run_group_tests(cases, make_samples, NULL);
}
