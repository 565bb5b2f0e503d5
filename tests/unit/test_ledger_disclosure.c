/* access.request and access.log: who may ask and who may log, what is refused, and that one patient
 * learns nothing of another by it. */
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/unit/consent_rig.h"

enum { LOG = CONSENT, ROOT = CONSENT + 100 };

static uint8_t rooms[3][SY_LOG_PATIENTS_MAX * 34];

static struct world_tx ask(unsigned key, unsigned org, unsigned patient)
{
    struct world_tx tx = world_tx_of(SY_KIND_access_request, key, org);
    tx.payload.access_request.patient_id = test_hash(patient);
    tx.payload.access_request.actions = SY_SET_BIT(SY_ACTION_READ);
    tx.payload.access_request.purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    return tx;
}

/* A log of what happened just now about the claimed patient (3) and the unclaimed one (2). */
static struct world_tx log_two(unsigned key, unsigned org, unsigned log)
{
    struct world_tx tx = world_tx_of(SY_KIND_access_log, key, org);
    struct sy_access_log *p = &tx.payload.access_log;
    struct sy_writer patients = sy_writer_of(rooms[0], sizeof rooms[0]);
    struct sy_writer roots = sy_writer_of(rooms[1], sizeof rooms[1]);
    static const unsigned about[2] = {PATIENT_CLAIMED, PATIENT};
    p->log_id = test_hash(log);
    p->first = world.header.time_ms - 1000;
    p->last = world.header.time_ms;
    for (unsigned i = 0; i < 2; i++) {
        struct sy_hash patient = test_hash(about[i]), root = test_hash(ROOT + i);
        sy_list_add_id(&p->patients, &patients, &patient);
        sy_list_add_id(&p->roots, &roots, &root);
        sy_store_u32(rooms[2] + 4 * i, 3 - i);
    }
    p->counts = sy_slice_of(rooms[2], 8);
    return tx;
}

static bool find_disclosure(struct sy_disclosure *out, unsigned log, unsigned patient)
{
    struct sy_hash log_id = test_hash(log), id = test_hash(patient), place;
    struct sy_slice value;
    sy_state_key_disclosure(&place, &log_id, &id);
    return world_find(&world, &value, &place) && sy_disclosure_decode(out, value);
}

CASE(an_organisation_asks_and_the_patient_is_told)
{
    struct sy_hash patient = test_hash(PATIENT_CLAIMED), org = test_hash(ORG_B), place;
    struct sy_slice value;
    struct sy_access_asked asked;
    struct sy_event event;
    size_t offset = 0;
    struct world_tx tx = ask(DOCTOR_B, ORG_B, PATIENT_CLAIMED);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    assert_int_equal(event.kind, SY_EVENT_ACCESS_REQUESTED);
    assert_memory_equal(event.subject.bytes, patient.bytes, 32);
    assert_memory_equal(event.object.bytes, org.bytes, 32);
    sy_state_key_access_request(&place, &patient, &org);
    assert_true(world_find(&world, &value, &place) && sy_access_asked_decode(&asked, value));
    assert_int_equal(asked.actions, SY_SET_BIT(SY_ACTION_READ));
    assert_int_equal(asked.height, world.header.height);
}

CASE(an_organisation_asks_a_patient_once_a_day)
{
    struct world_tx tx = ask(DOCTOR_B, ORG_B, PATIENT_CLAIMED);
    assert_applied(&tx);
    uint64_t again = (uint64_t)(world.header.time_ms + SY_REQUEST_MS_MIN);
    tx = ask(GATEWAY_B, ORG_B, PATIENT_CLAIMED); /* another key of it */
    assert_refused(&tx, SY_E_REQUEST_OPEN);
    assert_true(world.receipt.detail == again);
    tx = ask(DOCTOR_B, ORG_B, PATIENT); /* another patient */
    assert_applied(&tx);
    tx = ask(DOCTOR_A, ORG_A, PATIENT_CLAIMED); /* another organisation */
    assert_applied(&tx);
    tx = ask(DOCTOR_B, ORG_B, PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    assert_detail(PATIENT_NONE);
    tx = ask(WALLET_CLAIMED, 0, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_ROLE);
    tx = ask(REGULATOR_1, 0, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_ROLE);
}

CASE(a_log_tells_each_patient_of_their_own)
{
    struct sy_disclosure one, other;
    struct sy_access_logged log;
    struct sy_hash id = test_hash(LOG), org = test_hash(ORG_A), place, roots[2];
    struct sy_slice value;
    struct sy_event event;
    size_t offset = 0;
    struct world_tx tx = log_two(GATEWAY_A, ORG_A, LOG);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    static const unsigned about[2] = {PATIENT_CLAIMED, PATIENT};
    for (unsigned i = 0; i < 2; i++) {
        struct sy_hash patient = test_hash(about[i]), root = test_hash(ROOT + i);
        assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
        assert_int_equal(event.kind, SY_EVENT_ACCESS_DISCLOSED);
        assert_memory_equal(event.subject.bytes, patient.bytes, 32);
        assert_memory_equal(event.object.bytes, id.bytes, 32);
        sy_hash_leaf(&roots[i], sy_slice_of(root.bytes, 32));
    }
    assert_true(find_disclosure(&one, LOG, PATIENT_CLAIMED));
    assert_true(find_disclosure(&other, LOG, PATIENT));
    assert_int_equal(one.count, 3);
    assert_int_equal(other.count, 2);
    sy_state_key_id(&place, SY_STATE_ACCESS_LOG, &id);
    assert_true(world_find(&world, &value, &place) && sy_access_logged_decode(&log, value));
    assert_int_equal(log.count, 5);
    assert_int_equal(log.patients, 2);
    assert_memory_equal(log.organisation.bytes, org.bytes, 32);
    sy_merkle_root(&place, roots, roots, 2);
    assert_memory_equal(log.root.bytes, place.bytes, 32);
}

CASE(a_log_that_does_not_fit_is_refused)
{
    struct world_tx tx = log_two(GATEWAY_A, ORG_A, LOG);
    tx.payload.access_log.counts.size = 4;
    assert_refused(&tx, SY_E_LOG_COUNTS);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    sy_store_u32(rooms[2] + 4, 0);
    assert_refused(&tx, SY_E_LOG_COUNTS);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    sy_store_u32(rooms[2], UINT32_MAX); /* more than a number holds in all */
    assert_refused(&tx, SY_E_LOG_COUNTS);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    tx.payload.access_log.patients = tx.payload.access_log.roots = (struct sy_list){.count = 0};
    tx.payload.access_log.counts = sy_slice_of(NULL, 0);
    assert_refused(&tx, SY_E_LOG_COUNTS);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    tx.payload.access_log.first = tx.payload.access_log.last + 1;
    assert_refused(&tx, SY_E_LOG_WINDOW);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    tx.payload.access_log.first = tx.payload.access_log.last - SY_LOG_SPAN_MS_MAX - 1;
    assert_refused(&tx, SY_E_LOG_WINDOW);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    tx.payload.access_log.last += 100000000; /* in the future */
    tx.payload.access_log.first = tx.payload.access_log.last;
    assert_refused(&tx, SY_E_LOG_WINDOW);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    tx.payload.access_log.first = tx.payload.access_log.last -= SY_LOG_AGE_MS_MAX + 100000;
    assert_refused(&tx, SY_E_LOG_WINDOW);
}

CASE(a_log_is_a_gateways_once_and_about_patients)
{
    struct sy_disclosure none;
    struct world_tx tx = log_two(DOCTOR_A, ORG_A, LOG);
    assert_refused(&tx, SY_E_ROLE);
    tx = log_two(ADMIN_A, ORG_A, LOG);
    assert_refused(&tx, SY_E_ROLE);
    tx = log_two(WALLET_CLAIMED, 0, LOG);
    assert_refused(&tx, SY_E_ROLE);
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    struct sy_writer w = sy_writer_of(rooms[0], sizeof rooms[0]);
    struct sy_hash nobody = test_hash(PATIENT_NONE), patient = test_hash(PATIENT);
    tx.payload.access_log.patients = (struct sy_list){.count = 0};
    sy_list_add_id(&tx.payload.access_log.patients, &w, &patient);
    sy_list_add_id(&tx.payload.access_log.patients, &w, &nobody);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    assert_detail(PATIENT_NONE);
    assert_false(find_disclosure(&none, LOG, PATIENT)); /* nothing of it stays */
    tx = log_two(GATEWAY_A, ORG_A, LOG);
    assert_applied(&tx);
    tx = log_two(GATEWAY_B, ORG_B, LOG);
    assert_refused(&tx, SY_E_LOG_EXISTS);
    assert_detail(LOG);
}

/* Records of the gateway's own organisation, reported as doubles of each other: two events each, in
 * fewer bytes than any other kind takes for them. */
static void add_reports(struct world_tx *tx, unsigned reports)
{
    for (unsigned first = 0, second = 1; reports > 0; reports--) {
        union sy_payload part = {0};
        part.record_dup_report.record_id = test_hash(20000 + first);
        part.record_dup_report.other_id = test_hash(20000 + second);
        world_part(&world, tx, SY_KIND_record_dup_report, 0, &part);
        if (++first == second) first = 0, second++;
    }
}

/* What one key can send must stop nobody: neither too many events nor a receipt that no frame
 * holds. */
CASE(a_transaction_tells_no_more_than_a_receipt_names)
{
    enum { RECORDS = 92, PATIENTS = 3 };
    struct sy_hash third = test_hash(PATIENT_NONE), root = test_hash(ROOT + 2);
    struct world_tx enrol = world_enrol(GATEWAY_A, ORG_A, PATIENT_NONE);
    assert_applied(&enrol);
    for (unsigned i = 0; i < RECORDS; i++) {
        struct world_tx tx =
            world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, 20000 + i, PATIENT_CLAIMED);
        assert_true(world_add(&world, &tx));
    }
    world_run(&world);
    struct world_tx log = log_two(GATEWAY_A, ORG_A, LOG);
    struct sy_access_log *p = &log.payload.access_log;
    struct sy_writer w = sy_writer_of(rooms[0], sizeof rooms[0]);
    w.used = p->patients.items.size;
    sy_list_add_id(&p->patients, &w, &third);
    w = sy_writer_of(rooms[1], sizeof rooms[1]);
    w.used = p->roots.items.size;
    sy_list_add_id(&p->roots, &w, &root);
    sy_store_u32(rooms[2] + 8, 1);
    p->counts.size = 4 * PATIENTS;

    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world.lists.used = 0;
    add_reports(&tx, SY_ATOMIC_PAYLOADS_MAX - 1);
    world_part(&world, &tx, SY_KIND_access_log, 0, &log.payload);
    assert_refused(&tx, SY_E_KEYS);
    assert_int_equal(world.receipt.detail, SY_EVENTS_PER_TX_MAX);
    assert_int_equal(world.receipt.event_count, 0);

    tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world.lists.used = 0;
    add_reports(&tx, SY_ATOMIC_PAYLOADS_MAX);
    assert_refused(&tx, SY_E_KEYS);
    assert_int_equal(world.receipt.detail, SY_RECEIPT_LISTS_BYTES_MAX);

    tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world.lists.used = 0;
    add_reports(&tx, 3000);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 6000);
    assert_applied(&log);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(an_organisation_asks_and_the_patient_is_told),
        WITH_WORLD(an_organisation_asks_a_patient_once_a_day),
        WITH_WORLD(a_log_tells_each_patient_of_their_own),
        WITH_WORLD(a_log_that_does_not_fit_is_refused),
        WITH_WORLD(a_log_is_a_gateways_once_and_about_patients),
        WITH_WORLD(a_transaction_tells_no_more_than_a_receipt_names),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
