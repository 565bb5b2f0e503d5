/* Records: who may register what about whom, versions and their heads, and whether a file can be
 * told from its entry. */
#include "core/ledger/contracts/contracts.h"
#include "tests/support/ledger_world.h"
#include "tests/support/test.h"

static struct ledger_world world;

static int set_up(void **state)
{
    (void)state;
    world_open(&world, 0, 0);
    world_populate(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void assert_refused(const struct world_tx *tx, enum sy_refusal code)
{
    assert_int_equal(world_submit(&world, tx), code);
    assert_int_equal(world.receipt.key_count, 0);
    assert_int_equal(world.receipt.event_count, 0);
}

static void assert_applied(const struct world_tx *tx)
{
    assert_int_equal(world_submit(&world, tx), SY_APPLIED);
}

static void assert_detail(unsigned number)
{
    struct sy_hash expected = test_hash(number);
    assert_memory_equal(world.receipt.detail_hash.bytes, expected.bytes, 32);
}

static void assert_path(const char *path)
{
    assert_int_equal(world.receipt.path.size, strlen(path));
    assert_memory_equal(world.receipt.path.data, path, strlen(path));
}

static struct sy_record find_record(unsigned number)
{
    struct sy_hash id = test_hash(number), key_hash;
    sy_state_key_id(&key_hash, SY_STATE_RECORD, &id);
    struct sy_slice value;
    struct sy_record record;
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_record_decode(&record, value));
    return record;
}

static struct sy_record_version find_version(unsigned number, uint32_t version)
{
    if (version == 1) return find_record(number).first;
    struct sy_hash id = test_hash(number), key_hash;
    sy_state_key_record_version(&key_hash, &id, version);
    struct sy_slice value;
    struct sy_record_version found;
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_record_version_decode(&found, value));
    return found;
}

static struct sy_hash id_of_key(unsigned number)
{
    struct sy_public_key key = test_public(number);
    struct sy_hash id;
    memcpy(id.bytes, key.bytes, 32);
    return id;
}

// --- record.create -----------------------------------------------------------------------------

CASE(record_create_keeps_the_commitment)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    struct sy_record_create *p = &tx.payload.record_create;
    p->has_sens_tag = true;
    memset(p->sens_tag.bytes, 0x5a, sizeof p->sens_tag.bytes);
    p->has_locator_commit = true;
    p->locator_commit = test_hash(9);
    assert_applied(&tx);
    struct sy_record record = find_record(FRESH_ID);
    struct sy_hash patient = test_hash(PATIENT), org = test_hash(ORG_A);
    assert_int_equal(record.subject_kind, SY_SUBJECT_PATIENT);
    assert_memory_equal(record.subject.bytes, patient.bytes, 32);
    assert_memory_equal(record.holder.bytes, org.bytes, 32);
    assert_int_equal(record.sens_tag[3], 0x5a);
    assert_int_equal(record.versions, 1);
    assert_int_equal(record.head_count, 1);
    assert_int_equal(record.heads[0], 1);
    assert_memory_equal(record.first.commit.bytes, p->commit.bytes, 32);
    assert_memory_equal(record.first.locator_commit.bytes, p->locator_commit.bytes, 32);
    struct sy_hash author = id_of_key(DOCTOR_A);
    assert_memory_equal(record.first.author.bytes, author.bytes, 32);
    assert_int_equal(record.first.author_role, SY_ROLE_DOCTOR);
    assert_int_equal(record.first.time_ms, world.header.time_ms);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_RECORD_CREATED);
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_int_equal(event.subject_number, 2); // after patient.enrolled
}

CASE(record_create_takes_an_id_once)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    assert_applied(&tx);
    assert_refused(&tx, SY_E_RECORD_EXISTS);
    assert_detail(FRESH_ID);
}

CASE(record_create_needs_a_patient_whom_the_organisation_treats)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    assert_detail(PATIENT_NONE);
    tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT);
    struct world_tx care = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT);
    assert_applied(&care);
    assert_applied(&tx);
}

CASE(record_create_by_the_patient_is_patient_reported)
{
    struct world_tx tx =
        world_record(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_ROLE);
    tx.payload.record_create.patient_reported = true;
    assert_applied(&tx);
    assert_true(find_record(FRESH_ID).first.patient_reported);
    tx = world_record(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID + 1, PATIENT);
    tx.payload.record_create.patient_reported = true;
    assert_refused(&tx, SY_E_ROLE); // about themselves only
    assert_int_equal(world.receipt.detail & SY_ROLE_BIT(SY_ROLE_PATIENT), 0);
    assert_int_not_equal(world.receipt.detail & SY_ROLE_BIT(SY_ROLE_DOCTOR), 0);
    tx = world_record(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID + 1, PATIENT_CLAIMED);
    tx.payload.record_create.patient_reported = true;
    tx.payload.record_create.class = sy_slice_of("MedicationRequest", 17);
    assert_refused(&tx, SY_E_ROLE); // nor may they prescribe
    struct world_tx amend = world_amend(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID, 1);
    assert_applied(&amend);
    assert_true(find_version(FRESH_ID, 2).patient_reported);
}

CASE(record_create_about_an_organisation_is_its_own)
{
    struct world_tx tx = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
    struct sy_record_create *p = &tx.payload.record_create;
    p->subject_kind = SY_SUBJECT_ORG;
    p->subject = test_hash(ORG_B);
    p->class = sy_slice_of("Organization", 12);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(ORG_B);
    p->subject = test_hash(ORG_NONE);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    p->subject = test_hash(ORG_A);
    assert_applied(&tx);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.subject_kind, SY_SUBJECT_ORG);
    assert_int_equal(event.subject_number, 2); // after org.added
}

CASE(record_create_about_a_practitioner_is_the_organisations)
{
    struct world_tx tx = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
    struct sy_record_create *p = &tx.payload.record_create;
    p->subject_kind = SY_SUBJECT_KEY;
    p->class = sy_slice_of("Practitioner", 12);
    p->subject = id_of_key(DOCTOR_B);
    assert_refused(&tx, SY_E_NO_CARE);
    p->subject = id_of_key(FRESH_KEY);
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    p->subject = id_of_key(0); // a validator's key
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    p->subject = id_of_key(DOCTOR_A);
    assert_applied(&tx);
    // a patient's own id is no organisation's, whatever subject_kind claims
    tx = world_record(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID + 1, PATIENT_CLAIMED);
    tx.payload.record_create.patient_reported = true;
    tx.payload.record_create.subject_kind = SY_SUBJECT_KEY;
    tx.payload.record_create.subject = id_of_key(WALLET_CLAIMED);
    assert_refused(&tx, SY_E_NO_CARE);
}

CASE(record_create_size_has_a_policy)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    tx.payload.record_create.size = world.genesis.params.record_bytes_max + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("size");
    assert_int_equal(world.receipt.detail, world.genesis.params.record_bytes_max);
    tx.payload.record_create.size = world.genesis.params.record_bytes_max;
    assert_applied(&tx);
}

// --- authors -----------------------------------------------------------------------------------

static struct world_tx named(unsigned signer, unsigned role, unsigned author, unsigned record)
{
    struct world_tx tx = world_record(signer, role, ORG_A, record, PATIENT);
    tx.payload.record_create.has_author = true;
    tx.payload.record_create.author = test_public(author);
    return tx;
}

CASE(gateway_names_practitioners_of_its_own)
{
    struct world_tx tx = named(GATEWAY_A, SY_ROLE_DOCTOR, DOCTOR_A, FRESH_ID);
    assert_applied(&tx);
    assert_int_equal(find_record(FRESH_ID).first.author_role, SY_ROLE_DOCTOR);
    tx = named(GATEWAY_A, SY_ROLE_DOCTOR, DOCTOR_B, FRESH_ID + 1);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_B);
    tx = named(GATEWAY_A, SY_ROLE_DOCTOR, FRESH_KEY, FRESH_ID + 1);
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    tx = named(GATEWAY_A, SY_ROLE_DOCTOR, 2, FRESH_ID + 1); // a validator's admin key
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
}

CASE(only_gateways_name_others)
{
    struct world_tx tx = named(NURSE_A, SY_ROLE_DOCTOR, DOCTOR_A, FRESH_ID);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_GATEWAY));
    tx = named(NURSE_A, SY_ROLE_NURSE, NURSE_A, FRESH_ID); // oneself is fine
    assert_applied(&tx);
}

CASE(author_role_is_the_credentials)
{
    struct world_tx tx = named(GATEWAY_A, SY_ROLE_DOCTOR, NURSE_A, FRESH_ID);
    assert_refused(&tx, SY_E_ROLE);
    assert_path("author_role");
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_NURSE));
    tx = world_record(DOCTOR_A, SY_ROLE_NURSE, ORG_A, FRESH_ID, PATIENT);
    assert_refused(&tx, SY_E_ROLE);
}

CASE(author_must_be_valid_at_block_time)
{
    struct world_tx revoke = world_tx_of(SY_KIND_cred_revoke, ADMIN_A, ORG_A);
    revoke.payload.cred_revoke.subject_key = test_public(DOCTOR_A);
    revoke.payload.cred_revoke.reason = SY_REVOKE_LEFT;
    assert_applied(&revoke);
    struct world_tx tx = named(GATEWAY_A, SY_ROLE_DOCTOR, DOCTOR_A, FRESH_ID);
    assert_refused(&tx, SY_E_CRED_EXPIRED);
    struct world_tx issue = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    issue.payload.cred_issue.not_after = world.header.time_ms + world.step_ms + 1;
    assert_applied(&issue);
    tx = named(GATEWAY_A, SY_ROLE_DOCTOR, FRESH_KEY, FRESH_ID);
    assert_refused(&tx, SY_E_CRED_EXPIRED);
}

CASE(orders_need_a_prescriber)
{
    static const char *const orders[] = {"MedicationRequest", "ServiceRequest", "DeviceRequest",
                                         "NutritionOrder", "VisionPrescription"};
    static const struct {
        unsigned key, role;
        bool may;
    } people[] = {{DOCTOR_A, SY_ROLE_DOCTOR, true},
                  {GATEWAY_A, SY_ROLE_GATEWAY, true}, // the source knew no practitioner
                  {NURSE_A, SY_ROLE_NURSE, false},
                  {PHARMACIST_A, SY_ROLE_PHARMACIST, false},
                  {LAB_A, SY_ROLE_LAB, false}};
    unsigned record = FRESH_ID;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        for (size_t k = 0; k < sizeof people / sizeof people[0]; k++) {
            struct world_tx tx =
                world_record(people[k].key, people[k].role, ORG_A, record++, PATIENT);
            tx.payload.record_create.class = sy_slice_of(orders[i], strlen(orders[i]));
            if (people[k].may) {
                assert_applied(&tx);
                continue;
            }
            assert_refused(&tx, SY_E_ROLE);
            assert_path("class");
            assert_int_equal(world.receipt.detail,
                             SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_GATEWAY));
        }
    }
    struct world_tx tx = named(GATEWAY_A, SY_ROLE_NURSE, NURSE_A, record);
    tx.payload.record_create.class = sy_slice_of("MedicationRequest", 17);
    assert_refused(&tx, SY_E_ROLE); // naming a nurse does not make her a prescriber
    assert_false(sy_class_needs_prescriber(sy_slice_of("MedicationRequests", 18)));
    assert_false(sy_class_needs_prescriber(sy_slice_of("", 0)));
}

CASE(credentials_limited_to_classes_register_no_others)
{
    struct world_tx issue = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_LAB, FRESH_KEY);
    struct sy_list *scope = &issue.payload.cred_issue.scope;
    sy_list_add_text(scope, &world.lists, sy_slice_of("DiagnosticReport", 16));
    sy_list_add_text(scope, &world.lists, sy_slice_of("Observation", 11));
    assert_applied(&issue);
    struct world_tx tx = world_record(FRESH_KEY, SY_ROLE_LAB, ORG_A, FRESH_ID, PATIENT);
    assert_applied(&tx);
    tx = world_record(FRESH_KEY, SY_ROLE_LAB, ORG_A, FRESH_ID + 1, PATIENT);
    tx.payload.record_create.class = sy_slice_of("Condition", 9);
    assert_refused(&tx, SY_E_ROLE);
    assert_path("class");
}

// --- links -------------------------------------------------------------------------------------

CASE(links_point_at_records_of_the_same_subject)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    tx.payload.record_create.class = sy_slice_of("Encounter", 9);
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 2, PATIENT);
    tx.payload.record_create.has_encounter = true;
    tx.payload.record_create.encounter = test_hash(FRESH_ID + 99);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    assert_detail(FRESH_ID + 99);
    tx.payload.record_create.encounter = test_hash(FRESH_ID + 1);
    assert_refused(&tx, SY_E_PATIENT_MISMATCH);
    assert_detail(FRESH_ID + 1);
    tx.payload.record_create.encounter = test_hash(FRESH_ID);
    assert_applied(&tx);
    struct sy_hash encounter = test_hash(FRESH_ID);
    assert_memory_equal(find_record(FRESH_ID + 2).encounter.bytes, encounter.bytes, 32);
}

CASE(parents_are_checked_each)
{
    for (unsigned i = 0; i < 3; i++) {
        struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + i,
                                          i == 2 ? PATIENT_CLAIMED : PATIENT);
        assert_applied(&tx);
    }
    static const struct {
        unsigned second;
        enum sy_refusal code;
    } cases[] = {{FRESH_ID + 1, SY_APPLIED},
                 {FRESH_ID + 2, SY_E_PATIENT_MISMATCH},
                 {FRESH_ID + 50, SY_E_RECORD_UNKNOWN},
                 {FRESH_ID, SY_E_SCHEMA}}; // named twice
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world_tx tx =
            world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 10 + (unsigned)i, PATIENT);
        struct sy_hash first = test_hash(FRESH_ID), second = test_hash(cases[i].second);
        sy_list_add_id(&tx.payload.record_create.parents, &world.lists, &first);
        sy_list_add_id(&tx.payload.record_create.parents, &world.lists, &second);
        assert_int_equal(world_submit(&world, &tx), cases[i].code);
    }
    assert_int_equal(find_record(FRESH_ID + 10).parents.count, 2);
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 20, PATIENT);
    struct sy_hash self = test_hash(FRESH_ID + 20); // acyclic: it cannot name itself
    sy_list_add_id(&tx.payload.record_create.parents, &world.lists, &self);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
}

// --- record.amend ------------------------------------------------------------------------------

static void create(unsigned record)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, record, PATIENT);
    assert_applied(&tx);
}

CASE(record_amend_moves_the_head)
{
    create(FRESH_ID);
    struct world_tx tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_applied(&tx);
    tx = world_amend(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, 2); // a colleague's system
    assert_applied(&tx);
    struct sy_record record = find_record(FRESH_ID);
    assert_int_equal(record.versions, 3);
    assert_int_equal(record.head_count, 1);
    assert_int_equal(record.heads[0], 3);
    struct sy_record_version version = find_version(FRESH_ID, 2);
    assert_int_equal(version.parent, 1);
    assert_int_equal(version.reason, SY_AMEND_CORRECTION);
    assert_int_equal(find_version(FRESH_ID, 3).parent, 2);
    assert_int_equal(find_version(FRESH_ID, 3).author_role, SY_ROLE_GATEWAY);
}

CASE(record_amend_of_a_stale_head_is_told_the_head)
{
    create(FRESH_ID);
    struct world_tx tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_applied(&tx);
    tx = world_amend(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID, 1);
    assert_refused(&tx, SY_E_STALE_HEAD);
    assert_int_equal(world.receipt.detail, 2);
    tx = world_amend(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID, 7); // no such version
    tx.payload.record_amend.branch = true;
    assert_refused(&tx, SY_E_STALE_HEAD);
    assert_int_equal(world.receipt.detail, 2);
}

CASE(record_amend_branches_on_purpose)
{
    create(FRESH_ID);
    struct world_tx tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_applied(&tx);
    tx = world_amend(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID, 1);
    tx.payload.record_amend.branch = true;
    assert_applied(&tx);
    struct sy_record record = find_record(FRESH_ID);
    assert_int_equal(record.head_count, 2);
    assert_int_equal(record.heads[0], 2);
    assert_int_equal(record.heads[1], 3);
    assert_int_equal(find_version(FRESH_ID, 3).parent, 1);
    // both branches go on by themselves
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 2);
    assert_applied(&tx);
    record = find_record(FRESH_ID);
    assert_int_equal(record.head_count, 2);
    assert_int_equal(record.heads[0], 3);
    assert_int_equal(record.heads[1], 4);
}

CASE(record_amend_keeps_at_most_eight_heads)
{
    create(FRESH_ID);
    struct world_tx tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    for (unsigned i = 0; i < SY_RECORD_HEADS_MAX; i++) {
        assert_applied(&tx);
        tx.payload.record_amend.branch = true;
    }
    assert_int_equal(find_record(FRESH_ID).head_count, SY_RECORD_HEADS_MAX);
    assert_refused(&tx, SY_E_HEADS);
    assert_int_equal(world.receipt.detail, SY_RECORD_HEADS_MAX);
    tx.payload.record_amend.prev_version = 5; // amending a head goes on
    assert_applied(&tx);
    assert_int_equal(find_record(FRESH_ID).head_count, SY_RECORD_HEADS_MAX);
}

CASE(record_amend_is_the_authors_organisations)
{
    create(FRESH_ID);
    struct world_tx care = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT);
    assert_applied(&care);
    struct world_tx tx = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, 1);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, 1);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
}

CASE(record_amend_judges_author_and_size_like_create)
{
    create(FRESH_ID);
    struct world_tx tx = world_amend(GATEWAY_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    tx.payload.record_amend.has_author = true;
    tx.payload.record_amend.author = test_public(DOCTOR_B);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx.payload.record_amend.author = test_public(NURSE_A);
    assert_refused(&tx, SY_E_ROLE);
    tx.payload.record_amend.author = test_public(DOCTOR_A);
    tx.payload.record_amend.size = world.genesis.params.record_bytes_max + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    tx.payload.record_amend.size = 5;
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT);
    tx.payload.record_create.class = sy_slice_of("MedicationRequest", 17);
    assert_applied(&tx);
    tx = world_amend(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID + 1, 1);
    assert_refused(&tx, SY_E_ROLE); // changing an order is ordering
}

// --- record.retract ----------------------------------------------------------------------------

CASE(record_retract_is_the_authors_organisations_and_final)
{
    create(FRESH_ID);
    struct world_tx tx = world_retract(DOCTOR_B, ORG_B, FRESH_ID);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = world_retract(NURSE_A, ORG_A, FRESH_ID);
    assert_applied(&tx);
    struct sy_record record = find_record(FRESH_ID);
    assert_true(record.retracted);
    assert_int_equal(record.retract_reason, SY_RETRACT_ERROR);
    assert_int_equal(record.retracted_height, world.header.height);
    assert_refused(&tx, SY_E_RECORD_STATE);
    assert_detail(FRESH_ID);
    struct world_tx amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_refused(&amend, SY_E_RECORD_STATE);
    tx = world_retract(DOCTOR_A, ORG_A, FRESH_ID + 1);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    assert_refused(&tx, SY_E_RECORD_EXISTS); // and its id stays taken
}

CASE(version_of_a_file_can_be_told)
{
    create(FRESH_ID);
    for (uint32_t prev = 1; prev < 4; prev++) {
        struct world_tx tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, prev);
        assert_applied(&tx);
    }
    // What `record verify` does with a file's commitment: registered, older version n, or altered.
    struct sy_record record = find_record(FRESH_ID);
    struct sy_hash older = test_hash(FRESH_ID + 2000000 + 2), altered = test_hash(1);
    uint32_t found_older = 0, found_altered = 0;
    for (uint32_t v = 1; v <= record.versions; v++) {
        struct sy_record_version version = find_version(FRESH_ID, v);
        assert_int_equal(version.version, v);
        if (sy_hash_equal(&version.commit, &older)) found_older = v;
        if (sy_hash_equal(&version.commit, &altered)) found_altered = v;
    }
    assert_int_equal(record.heads[0], 4);
    assert_int_equal(found_older, 3);
    assert_int_equal(found_altered, 0);
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(record_create_keeps_the_commitment),
        IN_A_WORLD(record_create_takes_an_id_once),
        IN_A_WORLD(record_create_needs_a_patient_whom_the_organisation_treats),
        IN_A_WORLD(record_create_by_the_patient_is_patient_reported),
        IN_A_WORLD(record_create_about_an_organisation_is_its_own),
        IN_A_WORLD(record_create_about_a_practitioner_is_the_organisations),
        IN_A_WORLD(record_create_size_has_a_policy),
        IN_A_WORLD(gateway_names_practitioners_of_its_own),
        IN_A_WORLD(only_gateways_name_others),
        IN_A_WORLD(author_role_is_the_credentials),
        IN_A_WORLD(author_must_be_valid_at_block_time),
        IN_A_WORLD(orders_need_a_prescriber),
        IN_A_WORLD(credentials_limited_to_classes_register_no_others),
        IN_A_WORLD(links_point_at_records_of_the_same_subject),
        IN_A_WORLD(parents_are_checked_each),
        IN_A_WORLD(record_amend_moves_the_head),
        IN_A_WORLD(record_amend_of_a_stale_head_is_told_the_head),
        IN_A_WORLD(record_amend_branches_on_purpose),
        IN_A_WORLD(record_amend_keeps_at_most_eight_heads),
        IN_A_WORLD(record_amend_is_the_authors_organisations),
        IN_A_WORLD(record_amend_judges_author_and_size_like_create),
        IN_A_WORLD(record_retract_is_the_authors_organisations_and_final),
        IN_A_WORLD(version_of_a_file_can_be_told),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
