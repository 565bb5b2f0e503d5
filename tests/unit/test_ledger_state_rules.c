/* Values of state: what must fit together in one; and where entries stand. */
#include "core/crypto/hash.h"
#include "core/wire/proof.h"
#include "core/wire/state.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

CASE(suspensions_keep_their_rules)
{
    uint8_t room[128];
    struct sy_suspension one = {{1, 2, 3, 4}, true, {1, 2, 3, 4}}, found;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_suspension_encode(&w, &one);
    assert_true(sy_suspension_decode(&found, sy_writer_slice(&w)));
    assert_true(found.has_ended && found.ended.height == 3);
    one.ended.height = 2; // before it began
    w = sy_writer_of(room, sizeof room);
    sy_suspension_encode(&w, &one);
    assert_false(sy_suspension_decode(&found, sy_writer_slice(&w)));
    one = (struct sy_suspension){.begun = {0, 2, 3, 4}}; // for no reason
    w = sy_writer_of(room, sizeof room);
    sy_suspension_encode(&w, &one);
    assert_false(sy_suspension_decode(&found, sy_writer_slice(&w)));
    one.begun.reason = 1;
    w = sy_writer_of(room, sizeof room);
    sy_suspension_encode(&w, &one);
    assert_true(sy_suspension_decode(&found, sy_writer_slice(&w)));
    room[w.used - 1] = 2; // a flag that there is not
    assert_false(sy_suspension_decode(&found, sy_writer_slice(&w)));
}

CASE(only_what_is_revoked_has_a_successor)
{
    struct sy_credential credential = {.use = SY_KEY_TX, .role = SY_ROLE_DOCTOR, .revoked = true};
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_public_key key = test_public(3), first = test_public(4);
    credential.has_successor = true;
    credential.successor = test_public(5);
    sy_credential_encode(&w, &credential);
    assert_true(sy_credential_decode(&credential, sy_writer_slice(&w)));
    credential.revoked = false;
    w = sy_writer_of(room, sizeof room);
    sy_credential_encode(&w, &credential);
    assert_false(sy_credential_decode(&credential, sy_writer_slice(&w)));
    credential = (struct sy_credential){.has_line = false, .line = first};
    struct sy_hash line = sy_credential_line(&credential, &key);
    assert_memory_equal(line.bytes, key.bytes, sizeof key.bytes);
    credential.has_line = true;
    line = sy_credential_line(&credential, &key);
    assert_memory_equal(line.bytes, first.bytes, sizeof first.bytes);
}

CASE(merges_and_links_keep_their_rules)
{
    struct sy_hash into = test_hash(1);
    uint8_t room[512], list_bytes[32];
    struct sy_writer list = sy_writer_of(list_bytes, sizeof list_bytes);
    struct sy_patient patient = {.merges = SY_MERGES_MAX}, found;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_list_add_id(&patient.links, &list, &into);
    sy_patient_encode(&w, &patient);
    size_t flags = 32, merges = 33, links = w.used - 34;
    assert_true(sy_patient_decode(&found, sy_writer_slice(&w)));
    assert_int_equal(found.links.count, 1);
    room[merges] = 0; // a flag says that there are some
    assert_false(sy_patient_decode(&found, sy_writer_slice(&w)));
    room[merges] = SY_MERGES_MAX + 1;
    assert_false(sy_patient_decode(&found, sy_writer_slice(&w)));
    room[merges] = 1;
    assert_true(sy_patient_decode(&found, sy_writer_slice(&w)));
    sy_store_u16(room + links - 2, 0); // likewise
    sy_store_u16(room + links, 0);
    assert_false(sy_patient_decode(&found, sy_slice_of(room, links + 2)));
    room[flags] |= 32; // nobody's
    assert_false(sy_patient_decode(&found, sy_writer_slice(&w)));
    // Who has a key was not merged.
    patient = (struct sy_patient){.merged = true, .into = into, .merged_height = 3};
    w = sy_writer_of(room, sizeof room);
    sy_patient_encode(&w, &patient);
    assert_true(sy_patient_decode(&found, sy_writer_slice(&w)));
    assert_true(found.merged && sy_hash_equal(&found.into, &into));
    patient.claimed = true;
    w = sy_writer_of(room, sizeof room);
    sy_patient_encode(&w, &patient);
    assert_false(sy_patient_decode(&found, sy_writer_slice(&w)));
}

CASE(devices_are_an_organisations_or_a_patients)
{
    struct sy_device device = {.owner_kind = SY_SUBJECT_ORG, .device_class = SY_DEVICE_OTHER};
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_device_encode(&w, &device);
    assert_true(sy_device_decode(&device, sy_writer_slice(&w)));
    room[64] = SY_SUBJECT_KEY;
    assert_false(sy_device_decode(&device, sy_writer_slice(&w)));
    room[64] = SY_SUBJECT_PATIENT;
    assert_true(sy_device_decode(&device, sy_writer_slice(&w)));
    room[97] = 0;
    assert_false(sy_device_decode(&device, sy_writer_slice(&w)));
}

CASE(parameters_change_when_they_are_due)
{
    struct sy_params_state given = {.params = {1, 2, 3, 0, 0, 0, 0},
                                    .version = 1,
                                    .pending_count = 3,
                                    .pending = {{SY_PARAM_REGULATORS_NEEDED, 10, 100},
                                                {SY_PARAM_CREDENTIAL_MS_MAX, 20, 300},
                                                {SY_PARAM_RECORD_BYTES_MAX, 30, 200}}};
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_params_of_research(&given.params);
    sy_params_state_encode(&w, &given);
    struct sy_params_state now;
    assert_true(sy_params_state_decode(&now, sy_writer_slice(&w)));
    sy_params_at(&now, 99);
    assert_int_equal(now.pending_count, 3);
    sy_params_at(&now, 100);
    assert_int_equal(now.params.regulators_needed, 10);
    assert_int_equal(now.pending_count, 2);
    sy_params_at(&now, 250);
    assert_int_equal(now.params.record_bytes_max, 30);
    assert_int_equal(now.params.credential_ms_max, 2);
    assert_int_equal(now.pending_count, 1);
    sy_params_at(&now, 300);
    assert_int_equal(now.params.credential_ms_max, 20);
    assert_int_equal(now.pending_count, 0);
    // One encoding each: names ascend and are known, versions are from 1.
    static const struct {
        size_t at;
        uint8_t bad;
    } rules[] = {{20, 10}, {20, 101}, {25, 0}, {32, 0}, {36, 0}, {40, 4},
                 {40, 8},  {41, 2},   {41, 8}, {41, 0}, {40, 2}, {50, 0x80}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        uint8_t kept = room[rules[i].at];
        room[rules[i].at] = rules[i].bad;
        assert_false(sy_params_state_decode(&now, sy_writer_slice(&w)));
        room[rules[i].at] = kept;
    }
    assert_true(sy_params_state_decode(&now, sy_writer_slice(&w)));
    assert_true(sy_params_state_decode(&now, sy_slice_of(room, 20))); // of the genesis
    assert_int_equal(now.version, 0);
    assert_int_equal(now.params.research_k, SY_RESEARCH_K_MIN);
    assert_int_equal(now.params.research_days, SY_RESEARCH_DAYS_DEFAULT);
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
        bool known = sy_state_kind_name(kind) != NULL;
        assert_int_equal(sy_state_key_of(&out, kind, &id, &second), known);
    }
    assert_true(sy_state_key_of(&out, SY_STATE_CONSENT, &id, &second));
    sy_state_key_id(&expected, SY_STATE_CONSENT, &id);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_CONSENT_PLACE, &id, &second));
    sy_state_key_consent_place(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_PATIENT_PLACE, &id, &second));
    sy_state_key_patient_place(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_RECORD_VERSION, &id, &second));
    sy_state_key_record_version(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_BREAK_OF, &id, &second));
    sy_state_key_break_of(&expected, &id, &second);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    second.bytes[2] = 9;
    assert_true(sy_state_key_of(&out, SY_STATE_SCHEDULE_VERSION, &id, &second));
    sy_state_key_schedule_version(&expected, &id, 5, 9);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_SCHEDULE, &id, &second));
    sy_state_key_schedule(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    second.bytes[2] = 0;
    assert_true(sy_state_key_of(&out, SY_STATE_CERT, &id, &second));
    sy_state_key_cert(&expected, &id, &second);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_CERT_INDEX, &id, &second));
    sy_state_key_cert_index(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_SUSPENSION, &id, &second));
    sy_state_key_suspension(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_OPEN_CARE, &id, &second));
    sy_state_key_open_care(&expected, &id, &second);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_COSIGNATURES, &id, &second));
    sy_state_key_cosignatures(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_RECORD_LINK, &id, &second));
    sy_state_key_record_link(&expected, &id, 5);
    assert_memory_equal(out.bytes, expected.bytes, 32);
    assert_true(sy_state_key_of(&out, SY_STATE_DUPLICATE, &id, &second));
    sy_state_key_duplicate(&expected, &second, &id); // in either order
    assert_memory_equal(out.bytes, expected.bytes, 32);
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

CASE(kinds_of_state_have_names)
{
    for (unsigned kind = 0; kind < SY_STATE_KIND_COUNT; kind++) {
        const char *name = sy_state_kind_name(kind);
        if (kind < SY_STATE_PARAMS) assert_null(name);
        for (unsigned other = SY_STATE_PARAMS; name != NULL && other < kind; other++) {
            if (sy_state_kind_name(other) == NULL) continue; // numbers have gaps
            assert_string_not_equal(name, sy_state_kind_name(other));
        }
    }
    assert_null(sy_state_kind_name(SY_STATE_KIND_COUNT));
    assert_null(sy_state_kind_name(100000));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(credential_is_valid_in_its_window_only),
        cmocka_unit_test(kinds_of_state_have_names),
        cmocka_unit_test(entries_are_found_by_kind_and_what_names_them),
        cmocka_unit_test(key_hashes_are_what_the_format_says),
        cmocka_unit_test(suspensions_keep_their_rules),
        cmocka_unit_test(only_what_is_revoked_has_a_successor),
        cmocka_unit_test(merges_and_links_keep_their_rules),
        cmocka_unit_test(devices_are_an_organisations_or_a_patients),
        cmocka_unit_test(parameters_change_when_they_are_due),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
