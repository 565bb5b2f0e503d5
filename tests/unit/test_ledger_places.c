/* What a patient has, by number: that execution keeps the list whole, whatever becomes of what
 * stands on it. */
#include "tests/unit/record_rig.h"

enum { RECORD = FRESH_ID + 100, OTHER = FRESH_ID + 300, LIST_MAX = 64 };

static struct sy_patient find_patient(const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_patient patient;
    sy_state_key_id(&key_hash, SY_STATE_PATIENT, id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_patient_decode(&patient, value));
    return patient;
}

static bool find_place(struct sy_patient_place *place, const struct sy_hash *patient,
                       uint64_t number)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_patient_place(&key_hash, patient, number);
    if (!world_find(&world, &value, &key_hash)) return false;
    assert_true(sy_patient_place_decode(place, value));
    return true;
}

/* Every record of a patient as the places tell, merged ids' included. */
static unsigned list(struct sy_hash out[LIST_MAX], const struct sy_hash *patient_id)
{
    unsigned count = 0;
    uint64_t height = 0, records = 0;
    struct sy_patient_place place;
    struct sy_patient patient = find_patient(patient_id);
    for (uint64_t number = 1; number <= patient.places; number++) {
        assert_true(find_place(&place, patient_id, number));
        assert_true(place.height >= height && place.records >= records);
        unsigned more = place.what == SY_PLACE_MERGED ? list(out + count, &place.id) : 1;
        if (place.what != SY_PLACE_MERGED) out[count] = place.id;
        count += more;
        assert_int_equal(place.records, records + more);
        height = place.height;
        records = place.records;
    }
    assert_false(find_place(&place, patient_id, patient.places + 1));
    assert_int_equal(patient.records, count);
    return count;
}

static unsigned list_of(struct sy_hash out[LIST_MAX], unsigned patient)
{
    struct sy_hash id = test_hash(patient);
    return list(out, &id);
}

static void assert_listed(const struct sy_hash *ids, unsigned place, unsigned record)
{
    struct sy_hash id = test_hash(record);
    assert_memory_equal(ids[place].bytes, id.bytes, 32);
}

CASE(each_record_has_the_next_place_and_keeps_it)
{
    struct sy_hash ids[LIST_MAX];
    assert_int_equal(list_of(ids, PATIENT_CLAIMED), 0);
    struct sy_hash id = test_hash(PATIENT_CLAIMED);
    assert_int_equal(find_patient(&id).places, 0);
    create(RECORD);
    create(RECORD + 1);
    struct world_tx tx = contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD + 2, RECORD, 0);
    assert_applied(&tx);
    assert_int_equal(list_of(ids, PATIENT_CLAIMED), 3);
    for (unsigned i = 0; i < 3; i++) assert_listed(ids, i, RECORD + i);
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, 1);
    assert_applied(&tx);
    tx = world_retract(DOCTOR_A, ORG_A, RECORD + 1);
    assert_applied(&tx);
    tx = erase(ADMIN_A, ORG_A, RECORD + 2, SY_ERASE_UNLAWFUL);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    assert_int_equal(list_of(ids, PATIENT_CLAIMED), 3);
    for (unsigned i = 0; i < 3; i++) assert_listed(ids, i, RECORD + i);
}

/* What was refused, or is about somebody else, has no place. */
CASE(nothing_else_has_a_place)
{
    struct sy_hash ids[LIST_MAX];
    create(RECORD);
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, RECORD, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_RECORD_EXISTS);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, OTHER, PATIENT);
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, OTHER + 1, PATIENT_CLAIMED);
    tx.payload.record_create.subject_kind = SY_SUBJECT_ORG;
    tx.payload.record_create.subject = test_hash(ORG_A);
    assert_applied(&tx);
    assert_int_equal(list_of(ids, PATIENT_CLAIMED), 1);
    assert_listed(ids, 0, RECORD);
    assert_int_equal(list_of(ids, PATIENT), 1);
    assert_listed(ids, 0, OTHER);
}

/* An atomic transaction that is refused in its last part leaves no places of its first ones. */
CASE(places_are_taken_back_with_what_took_them)
{
    struct sy_hash ids[LIST_MAX];
    struct world_tx tx = world_tx_of(SY_KIND_atomic, DOCTOR_A, ORG_A);
    for (unsigned i = 0; i < 3; i++) {
        struct world_tx part = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A,
                                            i < 2 ? RECORD + i : RECORD, PATIENT_CLAIMED);
        world_part(&world, &tx, part.kind, 0, &part.payload);
    }
    assert_refused(&tx, SY_E_RECORD_EXISTS);
    assert_int_equal(list_of(ids, PATIENT_CLAIMED), 0);
    create(RECORD);
    assert_int_equal(list_of(ids, PATIENT_CLAIMED), 1);
}

/* What stood under an id that ended is found from the id that goes on, and counted. */
CASE(a_merged_id_has_its_place_with_all_it_had)
{
    struct sy_hash ids[LIST_MAX];
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, OTHER, PATIENT);
    assert_applied(&tx);
    create(RECORD);
    for (unsigned i = 0; i < 2; i++) {
        tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID + 900 + i);
        assert_applied(&tx);
        tx = world_tx_of(SY_KIND_patient_merge, GATEWAY_A, ORG_A);
        tx.payload.patient_merge.patient_id = test_hash(i == 0 ? PATIENT : FRESH_ID + 900);
        tx.payload.patient_merge.into_id = test_hash(i == 0 ? FRESH_ID + 900 : PATIENT_CLAIMED);
        tx.payload.patient_merge.evidence_hash = test_hash(1);
        world_cosign(&tx, i == 0 ? GATEWAY_B : WALLET_CLAIMED);
        if (i == 0) {
            struct world_tx care =
                world_open_care(GATEWAY_B, ORG_B, FRESH_ID + 950, FRESH_ID + 900);
            care.payload.care_open.reason = SY_CARE_UNCLAIMED;
            assert_applied(&care);
        }
        assert_applied(&tx);
    }
    create(RECORD + 1);
    assert_int_equal(list_of(ids, PATIENT_CLAIMED), 3);
    assert_listed(ids, 0, RECORD);
    assert_listed(ids, 1, OTHER);
    assert_listed(ids, 2, RECORD + 1);
    struct sy_hash id = test_hash(PATIENT_CLAIMED);
    assert_int_equal(find_patient(&id).places, 3);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, OTHER + 1, PATIENT);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    assert_int_equal(list_of(ids, PATIENT), 1);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(each_record_has_the_next_place_and_keeps_it),
        WITH_WORLD(nothing_else_has_a_place),
        WITH_WORLD(places_are_taken_back_with_what_took_them),
        WITH_WORLD(a_merged_id_has_its_place_with_all_it_had),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
