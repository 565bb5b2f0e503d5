/* Organisations, credentials, patients and care relations: every rule of their contracts, kept and
 * broken. */
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
    size_t entries = world.state.count;
    assert_int_equal(world_submit(&world, tx), code);
    assert_int_equal(world.receipt.key_count, 0);
    assert_int_equal(world.receipt.event_count, 0);
    assert_true(world.state.count <= entries + 1); // a first nonce window at most
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

static void assert_detail_key(unsigned number)
{
    struct sy_public_key expected = test_public(number);
    assert_memory_equal(world.receipt.detail_hash.bytes, expected.bytes, 32);
}

static void assert_path(const char *path)
{
    assert_int_equal(world.receipt.path.size, strlen(path));
    assert_memory_equal(world.receipt.path.data, path, strlen(path));
}

/* The only event of the newest receipt. */
static struct sy_event assert_event(enum sy_event_kind kind, enum sy_subject_kind subject_kind,
                                    const struct sy_hash *subject)
{
    assert_int_equal(world.receipt.event_count, 1);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event) && sy_reader_done(&r));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.subject_kind, subject_kind);
    assert_memory_equal(event.subject.bytes, subject->bytes, 32);
    return event;
}

static struct sy_slice find_id(enum sy_state_kind kind, unsigned number)
{
    struct sy_hash id = test_hash(number), key_hash;
    struct sy_slice value = {NULL, 0};
    sy_state_key_id(&key_hash, kind, &id);
    assert_true(world_find(&world, &value, &key_hash));
    return value;
}

static struct sy_credential find_credential(unsigned key)
{
    struct sy_public_key public_key = test_public(key);
    struct sy_hash key_hash;
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &public_key);
    struct sy_slice value;
    struct sy_credential credential;
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_credential_decode(&credential, value));
    return credential;
}

// --- org.register ------------------------------------------------------------------------------

CASE(org_register_makes_an_organisation_and_its_admin)
{
    struct world_tx tx = world_register(ORG_NONE, SY_ORG_PHARMACY, FRESH_KEY);
    struct sy_org_register *p = &tx.payload.org_register;
    sy_list_add_text(&p->endpoints, &world.lists, sy_slice_of("https://a.example/fhir", 22));
    p->has_npi_hash = true;
    p->npi_hash = test_hash(77);
    assert_applied(&tx);
    struct sy_hash id = test_hash(ORG_NONE);
    struct sy_event event = assert_event(SY_EVENT_ORG_ADDED, SY_SUBJECT_ORG, &id);
    assert_int_equal(event.subject_number, 1);
    struct sy_org org;
    assert_true(sy_org_decode(&org, find_id(SY_STATE_ORG, ORG_NONE)));
    assert_int_equal(org.kind, SY_ORG_PHARMACY);
    assert_true(org.has_npi_hash && !org.suspended);
    assert_int_equal(org.endpoints.count, 1);
    assert_int_equal(org.registered_height, world.header.height);
    struct sy_credential admin = find_credential(FRESH_KEY);
    assert_int_equal(admin.role, SY_ROLE_ORG_ADMIN);
    assert_memory_equal(admin.holder.bytes, id.bytes, 32);
    assert_int_equal(admin.not_after_ms,
                     world.header.time_ms + world.genesis.params.credential_ms_max);
    struct world_tx issue = world_issue(&world, FRESH_KEY, ORG_NONE, SY_ROLE_PHARMACIST, 210);
    assert_applied(&issue); // and the admin can act at once
}

CASE(org_register_needs_a_regulator)
{
    struct world_tx tx = world_register(ORG_NONE, SY_ORG_PHARMACY, FRESH_KEY);
    tx.keys[0] = ADMIN_A;
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_REGULATOR));
}

CASE(org_register_needs_the_admin_keys_signature)
{
    struct world_tx tx = world_register(ORG_NONE, SY_ORG_PHARMACY, FRESH_KEY);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail_key(FRESH_KEY);
}

CASE(org_register_takes_an_id_once)
{
    struct world_tx tx = world_register(ORG_A, SY_ORG_PHARMACY, FRESH_KEY);
    assert_refused(&tx, SY_E_ORG_EXISTS);
    assert_detail(ORG_A);
    tx = world_register(PATIENT, SY_ORG_PHARMACY, FRESH_KEY); // a holder is named by its id alone
    assert_refused(&tx, SY_E_ORG_EXISTS);
    assert_detail(PATIENT);
}

CASE(org_register_takes_a_prefix_once)
{
    struct world_tx tx = world_register(ORG_NONE, SY_ORG_MANUFACTURER, FRESH_KEY);
    struct sy_list *prefixes = &tx.payload.org_register.gs1_prefixes;
    sy_list_add_text(prefixes, &world.lists, sy_slice_of("0614141", 7));
    sy_list_add_text(prefixes, &world.lists, sy_slice_of("061414", 6));
    assert_applied(&tx);
    assert_int_equal(world.receipt.key_count, 2 + 2 + 1); // org, admin, prefixes, its events
    tx = world_register(ORG_NONE + 1, SY_ORG_MANUFACTURER, FRESH_KEY + 1);
    prefixes = &tx.payload.org_register.gs1_prefixes;
    sy_list_add_text(prefixes, &world.lists, sy_slice_of("999999", 6));
    sy_list_add_text(prefixes, &world.lists, sy_slice_of("0614141", 7));
    assert_refused(&tx, SY_E_ORG_EXISTS);
    assert_path("gs1_prefixes");
    assert_detail(ORG_NONE);
    tx = world_register(ORG_NONE + 1, SY_ORG_MANUFACTURER, FRESH_KEY + 1);
    prefixes = &tx.payload.org_register.gs1_prefixes;
    sy_list_add_text(prefixes, &world.lists, sy_slice_of("999999", 6)); // it was not kept
    assert_applied(&tx);
}

CASE(org_register_refuses_used_and_weak_keys)
{
    struct world_tx tx = world_register(ORG_NONE, SY_ORG_PHARMACY, DOCTOR_A);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    assert_detail_key(DOCTOR_A);
    tx = world_register(ORG_NONE, SY_ORG_PHARMACY, REGULATOR_2);
    assert_refused(&tx, SY_E_KEY_IN_USE);
}

// --- org.suspend, org.reinstate ----------------------------------------------------------------

static struct world_tx suspend(uint16_t kind, unsigned org)
{
    struct world_tx tx = world_tx_of(kind, REGULATOR_1, 0);
    world_cosign(&tx, REGULATOR_2);
    tx.payload.org_suspend.org_id = test_hash(org); // both kinds have the same members
    tx.payload.org_suspend.reason = 1;
    tx.payload.org_suspend.from = world.header.time_ms;
    if (kind == SY_KIND_org_reinstate) {
        struct sy_org_suspend p = tx.payload.org_suspend;
        tx.payload.org_reinstate.org_id = p.org_id;
        tx.payload.org_reinstate.reason = p.reason;
        tx.payload.org_reinstate.from = p.from;
    }
    return tx;
}

CASE(org_suspend_and_reinstate_take_turns)
{
    struct world_tx tx = suspend(SY_KIND_org_reinstate, ORG_A);
    assert_refused(&tx, SY_E_ORG_STATE);
    tx = suspend(SY_KIND_org_suspend, ORG_A);
    assert_applied(&tx);
    struct sy_hash id = test_hash(ORG_A);
    struct sy_event event = assert_event(SY_EVENT_ORG_SUSPENDED, SY_SUBJECT_ORG, &id);
    assert_int_equal(event.subject_number, 2); // after org.added
    struct sy_org org;
    assert_true(sy_org_decode(&org, find_id(SY_STATE_ORG, ORG_A)));
    assert_true(org.suspended);
    assert_int_equal(org.suspended_height, world.header.height);
    tx = suspend(SY_KIND_org_suspend, ORG_A);
    assert_refused(&tx, SY_E_ORG_STATE);
    assert_detail(ORG_A);
    tx = suspend(SY_KIND_org_reinstate, ORG_A);
    assert_applied(&tx);
    event = assert_event(SY_EVENT_ORG_REINSTATED, SY_SUBJECT_ORG, &id);
    assert_int_equal(event.subject_number, 3);
    tx = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
    assert_applied(&tx);
}

CASE(org_suspend_needs_as_many_regulators_as_the_network_says)
{
    struct world_tx tx = suspend(SY_KIND_org_suspend, ORG_A);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_REGULATORS);
    assert_int_equal(world.receipt.detail, 2);
    world_cosign(&tx, ADMIN_B); // somebody else does not count
    assert_refused(&tx, SY_E_REGULATORS);
    world_cosign(&tx, REGULATOR_2);
    assert_applied(&tx);
}

CASE(org_suspend_names_a_known_organisation_and_no_future)
{
    struct world_tx tx = suspend(SY_KIND_org_suspend, ORG_NONE);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    assert_detail(ORG_NONE);
    tx = suspend(SY_KIND_org_suspend, ORG_A);
    tx.payload.org_suspend.from = world.header.time_ms + world.step_ms + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("from");
    tx = suspend(SY_KIND_org_suspend, ORG_A);
    tx.keys[0] = ADMIN_B;
    tx.key_count = 1;
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_ROLE);
}

// --- cred.issue --------------------------------------------------------------------------------

CASE(cred_issue_enrols_a_key_in_a_role)
{
    struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    tx.payload.cred_issue.specialty = sy_slice_of("cardiology", 10);
    sy_list_add_text(&tx.payload.cred_issue.scope, &world.lists, sy_slice_of("Observation", 11));
    assert_applied(&tx);
    struct sy_public_key key = test_public(FRESH_KEY);
    struct sy_hash id;
    memcpy(id.bytes, key.bytes, 32);
    struct sy_event event = assert_event(SY_EVENT_CRED_ISSUED, SY_SUBJECT_KEY, &id);
    assert_int_equal(event.subject_number, 1);
    struct sy_credential credential = find_credential(FRESH_KEY);
    assert_int_equal(credential.use, SY_KEY_TX);
    assert_int_equal(credential.role, SY_ROLE_DOCTOR);
    assert_int_equal(credential.events, 1);
    assert_int_equal(credential.specialty.size, 10);
    assert_int_equal(credential.scope.count, 1);
    assert_int_equal(credential.issued_height, world.header.height);
}

CASE(cred_issue_is_the_organisations_own)
{
    struct world_tx tx = world_issue(&world, ADMIN_B, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_ORG_ADMIN));
    tx = world_issue(&world, REGULATOR_1, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    assert_refused(&tx, SY_E_ROLE); // regulators appoint admins, not doctors
    tx = world_issue(&world, GATEWAY_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    assert_refused(&tx, SY_E_ROLE);
    tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    assert_applied(&tx);
}

CASE(cred_issue_for_an_admin_needs_a_regulator)
{
    struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_ORG_ADMIN, FRESH_KEY);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_REGULATOR));
    tx = world_issue(&world, REGULATOR_1, ORG_A, SY_ROLE_ORG_ADMIN, FRESH_KEY);
    assert_applied(&tx);
    struct world_tx issue = world_issue(&world, FRESH_KEY, ORG_A, SY_ROLE_NURSE, FRESH_KEY + 1);
    assert_applied(&issue);
}

CASE(cred_issue_needs_a_registered_active_organisation)
{
    struct world_tx tx = world_issue(&world, REGULATOR_1, ORG_NONE, SY_ROLE_ORG_ADMIN, FRESH_KEY);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    assert_detail(ORG_NONE);
    tx = suspend(SY_KIND_org_suspend, ORG_A);
    assert_applied(&tx);
    tx = world_issue(&world, REGULATOR_1, ORG_A, SY_ROLE_ORG_ADMIN, FRESH_KEY);
    assert_refused(&tx, SY_E_ORG_SUSPENDED);
    assert_detail(ORG_A);
}

CASE(cred_issue_fits_the_kind_of_organisation)
{
    struct world_tx tx = world_issue(&world, ADMIN_B, ORG_B, SY_ROLE_PHARMACIST, FRESH_KEY);
    assert_refused(&tx, SY_E_ROLE_KIND);
    assert_int_equal(world.receipt.detail, SY_ROLE_PHARMACIST);
    static const unsigned never[] = {SY_ROLE_REGULATOR, SY_ROLE_VALIDATOR, SY_ROLE_PATIENT,
                                     SY_ROLE_GUARDIAN, SY_ROLE_DEVICE};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        tx = world_issue(&world, ADMIN_A, ORG_A, never[i], FRESH_KEY);
        assert_refused(&tx, SY_E_ROLE_KIND);
    }
}

CASE(role_table_gives_every_kind_its_own_people)
{
    for (unsigned kind = SY_ORG_HOSPITAL; kind < SY_ORG_KIND_COUNT; kind++) {
        assert_true(sy_role_fits_org(SY_ROLE_ORG_ADMIN, kind));
        assert_true(sy_role_fits_org(SY_ROLE_GATEWAY, kind));
        assert_false(sy_role_fits_org(SY_ROLE_PATIENT, kind));
        assert_false(sy_role_fits_org(SY_ROLE_REGULATOR, kind));
        assert_false(sy_role_fits_org(SY_ROLE_VALIDATOR, kind));
        bool care = kind == SY_ORG_HOSPITAL || kind == SY_ORG_PRACTICE;
        assert_int_equal(sy_role_fits_org(SY_ROLE_NURSE, kind), care);
        assert_int_equal(sy_role_fits_org(SY_ROLE_PAYER, kind), kind == SY_ORG_PAYER);
        assert_int_equal(sy_role_fits_org(SY_ROLE_MANUFACTURER, kind), kind == SY_ORG_MANUFACTURER);
        assert_int_equal(sy_role_fits_org(SY_ROLE_WHOLESALER, kind), kind == SY_ORG_WHOLESALER);
        assert_int_equal(sy_role_fits_org(SY_ROLE_SPONSOR, kind), kind == SY_ORG_SPONSOR);
    }
    for (unsigned role = 0; role < SY_ROLE_COUNT; role++) assert_false(sy_role_fits_org(role, 0));
}

CASE(cred_issue_window_is_judged)
{
    int64_t now = world.header.time_ms;
    int64_t longest = world.genesis.params.credential_ms_max;
    const struct {
        int64_t not_before, not_after;
        bool good;
    } windows[] = {
        {now, now, false},                          // empty
        {now + 10, now, false},                     // backwards
        {now - 5000, now, false},                   // over
        {now, now + longest + 1, false},            // too long
        {now + 60000, now + 120000, true},          // begins later
        {now - 60000, now - 60000 + longest, true}, // began earlier
    };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        struct world_tx tx =
            world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY + (unsigned)i);
        tx.payload.cred_issue.not_before = windows[i].not_before;
        tx.payload.cred_issue.not_after = windows[i].not_after;
        if (windows[i].good) {
            assert_applied(&tx);
        } else {
            assert_refused(&tx, SY_E_CRED_WINDOW);
            assert_int_equal(world.receipt.detail, longest);
        }
    }
}

CASE(keys_are_enrolled_once_ever)
{
    static const unsigned used[] = {DOCTOR_A, WALLET_CLAIMED, REGULATOR_1, 0, 1, 2};
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
        struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, used[i]);
        assert_refused(&tx, SY_E_KEY_IN_USE);
        assert_detail_key(used[i]);
    }
    struct world_tx revoke = world_tx_of(SY_KIND_cred_revoke, ADMIN_A, ORG_A);
    revoke.payload.cred_revoke.subject_key = test_public(DOCTOR_A);
    revoke.payload.cred_revoke.reason = SY_REVOKE_LEFT;
    assert_applied(&revoke);
    struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, DOCTOR_A);
    assert_refused(&tx, SY_E_KEY_IN_USE); // not even after it was revoked
}

CASE(weak_keys_are_never_enrolled)
{
    static const uint8_t weak[][32] = {
        {0},                // y = 0, order 4
        {1},                // the neutral element
        {0xec, 0xff, 0xff}, // filled up below: y = -1, order 2
        {2},                // on the curve or not, not of prime order
    };
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
        memcpy(tx.payload.cred_issue.subject_key.bytes, weak[i], 32);
        if (i == 2) {
            memset(tx.payload.cred_issue.subject_key.bytes + 1, 0xff, 30);
            tx.payload.cred_issue.subject_key.bytes[31] = 0x7f;
        }
        assert_refused(&tx, SY_E_KEY_WEAK);
    }
}

// --- cred.revoke -------------------------------------------------------------------------------

static struct world_tx revoke(unsigned by, unsigned org, unsigned key)
{
    struct world_tx tx = world_tx_of(SY_KIND_cred_revoke, by, org);
    tx.payload.cred_revoke.subject_key = test_public(key);
    tx.payload.cred_revoke.reason = SY_REVOKE_COMPROMISED;
    tx.payload.cred_revoke.at = world.header.time_ms - 1000;
    return tx;
}

CASE(cred_revoke_is_the_organisations_or_a_regulators)
{
    struct world_tx tx = revoke(ADMIN_B, ORG_B, DOCTOR_A);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail,
                     SY_ROLE_BIT(SY_ROLE_ORG_ADMIN) | SY_ROLE_BIT(SY_ROLE_REGULATOR));
    tx = revoke(ADMIN_A, ORG_A, DOCTOR_A);
    assert_applied(&tx);
    assert_true(find_credential(DOCTOR_A).revoked);
    assert_int_equal(find_credential(DOCTOR_A).revoked_height, world.header.height);
    assert_int_equal(find_credential(DOCTOR_A).events, 2);
    tx = revoke(REGULATOR_1, 0, NURSE_A);
    assert_applied(&tx);
    tx = revoke(REGULATOR_1, 0, ADMIN_B);
    assert_applied(&tx);
    tx = revoke(ADMIN_A, ORG_A, WALLET_CLAIMED); // a patient is nobody's employee
    assert_refused(&tx, SY_E_ROLE);
    tx = revoke(REGULATOR_1, 0, WALLET_CLAIMED);
    assert_applied(&tx);
}

CASE(cred_revoke_happens_once_to_known_credentials)
{
    struct world_tx tx = revoke(ADMIN_A, ORG_A, FRESH_KEY);
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    assert_detail_key(FRESH_KEY);
    tx = revoke(REGULATOR_1, 0, 0); // a validator's consensus key is no credential
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    tx = revoke(ADMIN_A, ORG_A, DOCTOR_A);
    tx.payload.cred_revoke.at = world.header.time_ms + world.step_ms + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("at");
    tx = revoke(ADMIN_A, ORG_A, DOCTOR_A);
    assert_applied(&tx);
    tx = revoke(ADMIN_A, ORG_A, DOCTOR_A);
    assert_refused(&tx, SY_E_CRED_STATE);
    assert_detail_key(DOCTOR_A);
}

CASE(cred_revoke_spares_regulators)
{
    struct world_tx tx = revoke(REGULATOR_1, 0, REGULATOR_2);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_VALIDATOR));
}

// --- patients ----------------------------------------------------------------------------------

static struct world_tx enrol_with_wallet(unsigned patient, unsigned wallet)
{
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, patient);
    tx.payload.patient_enrol.has_wallet_key = true;
    tx.payload.patient_enrol.wallet_key = test_public(wallet);
    world_cosign(&tx, wallet);
    return tx;
}

CASE(patient_enrol_leaves_the_patient_unclaimed_without_a_key)
{
    struct world_tx tx = world_enrol(ADMIN_A, ORG_A, FRESH_ID);
    assert_applied(&tx);
    struct sy_hash id = test_hash(FRESH_ID), org = test_hash(ORG_A);
    struct sy_event event = assert_event(SY_EVENT_PATIENT_ENROLLED, SY_SUBJECT_PATIENT, &id);
    assert_int_equal(event.subject_number, 1);
    assert_memory_equal(event.object.bytes, org.bytes, 32);
    struct sy_patient patient;
    assert_true(sy_patient_decode(&patient, find_id(SY_STATE_PATIENT, FRESH_ID)));
    assert_false(patient.claimed);
    assert_int_equal(patient.events, 1);
    assert_memory_equal(patient.organisation.bytes, org.bytes, 32);
}

CASE(patient_enrol_takes_an_id_once)
{
    struct world_tx tx = world_enrol(GATEWAY_B, ORG_B, PATIENT);
    assert_refused(&tx, SY_E_PATIENT_EXISTS);
    assert_detail(PATIENT);
}

CASE(patient_enrol_with_a_key_needs_its_signature)
{
    struct world_tx tx = enrol_with_wallet(FRESH_ID, FRESH_KEY);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail_key(FRESH_KEY);
    tx = enrol_with_wallet(FRESH_ID, FRESH_KEY);
    assert_applied(&tx);
    struct sy_credential credential = find_credential(FRESH_KEY);
    struct sy_hash id = test_hash(FRESH_ID);
    assert_int_equal(credential.role, SY_ROLE_PATIENT);
    assert_memory_equal(credential.holder.bytes, id.bytes, 32);
    tx = enrol_with_wallet(FRESH_ID + 1, FRESH_KEY);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx = enrol_with_wallet(FRESH_ID + 1, DOCTOR_B); // a doctor's key is no patient's
    assert_refused(&tx, SY_E_KEY_IN_USE);
}

CASE(patient_enrol_guardians_add_up)
{
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    tx.payload.patient_enrol.guardian_needed = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("guardian_needed");
    struct sy_hash guardian = test_hash(1), other = test_hash(2);
    tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &world.lists, &guardian);
    assert_refused(&tx, SY_E_SCHEMA); // some, none needed
    tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &world.lists, &guardian);
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &world.lists, &guardian);
    tx.payload.patient_enrol.guardian_needed = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("guardians[1]");
    tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &world.lists, &guardian);
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &world.lists, &other);
    tx.payload.patient_enrol.guardian_needed = 2;
    assert_applied(&tx);
    struct sy_patient patient;
    assert_true(sy_patient_decode(&patient, find_id(SY_STATE_PATIENT, FRESH_ID)));
    assert_int_equal(patient.guardians.count, 2);
    assert_int_equal(patient.guardians_needed, 2);
}

static struct world_tx claim(unsigned key, unsigned org, unsigned patient, unsigned wallet)
{
    struct world_tx tx = world_tx_of(SY_KIND_patient_claim, key, org);
    tx.payload.patient_claim.patient_id = test_hash(patient);
    tx.payload.patient_claim.wallet_key = test_public(wallet);
    tx.payload.patient_claim.x25519_key = test_public(wallet + 50);
    world_cosign(&tx, wallet);
    return tx;
}

CASE(patient_claim_gives_the_patient_a_key_once)
{
    struct world_tx tx = claim(GATEWAY_A, ORG_A, PATIENT, FRESH_KEY);
    assert_applied(&tx);
    struct sy_hash id = test_hash(PATIENT);
    (void)assert_event(SY_EVENT_PATIENT_CLAIMED, SY_SUBJECT_PATIENT, &id);
    struct sy_patient patient;
    assert_true(sy_patient_decode(&patient, find_id(SY_STATE_PATIENT, PATIENT)));
    assert_true(patient.claimed && patient.has_x25519_key);
    struct sy_public_key key = test_public(FRESH_KEY);
    assert_true(sy_public_key_equal(&patient.wallet_key, &key));
    tx = claim(GATEWAY_A, ORG_A, PATIENT, FRESH_KEY + 1);
    assert_refused(&tx, SY_E_PATIENT_CLAIMED);
    assert_detail(PATIENT);
}

CASE(patient_claim_asks_who_treats)
{
    struct world_tx tx = claim(GATEWAY_B, ORG_B, PATIENT, FRESH_KEY);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT);
    tx = claim(GATEWAY_B, ORG_B, PATIENT_NONE, FRESH_KEY);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT);
    assert_applied(&tx);
    tx = claim(GATEWAY_B, ORG_B, PATIENT, FRESH_KEY);
    assert_applied(&tx);
}

CASE(patient_claim_needs_the_keys_signature_and_a_fresh_key)
{
    struct world_tx tx = claim(GATEWAY_A, ORG_A, PATIENT, FRESH_KEY);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = claim(GATEWAY_A, ORG_A, PATIENT, WALLET_CLAIMED);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    struct sy_patient patient;
    assert_true(sy_patient_decode(&patient, find_id(SY_STATE_PATIENT, PATIENT)));
    assert_false(patient.claimed);
}

// --- care --------------------------------------------------------------------------------------

static struct world_tx close_care(unsigned key, unsigned org, unsigned care)
{
    struct world_tx tx = world_tx_of(SY_KIND_care_close, key, org);
    tx.payload.care_close.care_id = test_hash(care);
    return tx;
}

CASE(care_open_by_a_gateway_needs_a_reason)
{
    struct world_tx tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT);
    tx.payload.care_open.reason = SY_CARE_AGREED;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(PATIENT);
    tx.payload.care_open.reason = SY_CARE_EMERGENCY;
    assert_applied(&tx);
    struct sy_hash patient = test_hash(PATIENT), care_id = test_hash(FRESH_ID);
    struct sy_event event = assert_event(SY_EVENT_CARE_OPENED, SY_SUBJECT_PATIENT, &patient);
    assert_memory_equal(event.object.bytes, care_id.bytes, 32);
    assert_int_equal(event.subject_number, 2);
    struct sy_care care;
    assert_true(sy_care_decode(&care, find_id(SY_STATE_CARE, FRESH_ID)));
    assert_int_equal(care.closed_height, 0);
    assert_int_equal(care.reason, SY_CARE_EMERGENCY);
}

CASE(care_open_by_people_needs_the_patient)
{
    static const unsigned people[] = {ADMIN_B, DOCTOR_B, NURSE_B};
    for (unsigned i = 0; i < 3; i++) {
        struct world_tx tx = world_open_care(people[i], ORG_B, FRESH_ID + i, PATIENT_CLAIMED);
        assert_refused(&tx, SY_E_SIGNER_MISSING);
        assert_detail(PATIENT_CLAIMED);
        world_cosign(&tx, WALLET_CLAIMED);
        assert_applied(&tx);
        tx = close_care(people[i], ORG_B, FRESH_ID + i);
        if (people[i] == NURSE_B) continue;
        assert_applied(&tx);
    }
}

CASE(care_open_by_the_patient_needs_the_organisation)
{
    struct world_tx tx = world_open_care(WALLET_CLAIMED, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    tx.organisation = (struct sy_hash){{0}};
    tx.payload.care_open.reason = SY_CARE_AGREED;
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(ORG_B);
    world_cosign(&tx, DOCTOR_A); // of another organisation
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    world_cosign(&tx, DOCTOR_B);
    assert_applied(&tx);
}

CASE(care_open_by_another_patient_does_not_count)
{
    struct world_tx tx = world_open_care(DOCTOR_B, ORG_B, FRESH_ID, PATIENT);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(PATIENT);
}

CASE(care_open_is_single_and_fresh)
{
    struct world_tx tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = world_open_care(GATEWAY_B, ORG_NONE, FRESH_ID, PATIENT);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT);
    assert_applied(&tx);
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID + 1, PATIENT);
    assert_refused(&tx, SY_E_CARE_EXISTS);
    assert_detail(FRESH_ID); // the one that is open
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_CARE_EXISTS); // the id is taken
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_applied(&tx);
}

CASE(care_close_is_for_either_side_once)
{
    struct world_tx tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = close_care(GATEWAY_A, ORG_A, FRESH_ID);
    assert_refused(&tx, SY_E_ROLE);
    tx = close_care(WALLET_CLAIMED, 0, FRESH_ID + 1);
    assert_refused(&tx, SY_E_CARE_UNKNOWN);
    assert_detail(FRESH_ID + 1);
    tx = close_care(WALLET_CLAIMED, 0, FRESH_ID);
    assert_applied(&tx);
    struct sy_hash patient = test_hash(PATIENT_CLAIMED), org = test_hash(ORG_B), key_hash;
    (void)assert_event(SY_EVENT_CARE_CLOSED, SY_SUBJECT_PATIENT, &patient);
    struct sy_slice value;
    sy_state_key_open_care(&key_hash, &patient, &org);
    assert_false(world_find(&world, &value, &key_hash)); // so that absence can be proven
    tx = close_care(GATEWAY_B, ORG_B, FRESH_ID);
    assert_refused(&tx, SY_E_CARE_UNKNOWN); // not twice
    tx = world_record(GATEWAY_B, SY_ROLE_GATEWAY, ORG_B, FRESH_ID + 2, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_NO_CARE); // it treats no longer
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID + 3, PATIENT_CLAIMED);
    assert_applied(&tx); // but may again
}

CASE(care_close_by_another_patient_is_refused)
{
    struct world_tx tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT);
    assert_applied(&tx);
    tx = close_care(WALLET_CLAIMED, 0, FRESH_ID);
    assert_refused(&tx, SY_E_ROLE);
    tx = close_care(LAB_A, ORG_A, FRESH_ID);
    assert_refused(&tx, SY_E_ROLE);
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(org_register_makes_an_organisation_and_its_admin),
        IN_A_WORLD(org_register_needs_a_regulator),
        IN_A_WORLD(org_register_needs_the_admin_keys_signature),
        IN_A_WORLD(org_register_takes_an_id_once),
        IN_A_WORLD(org_register_takes_a_prefix_once),
        IN_A_WORLD(org_register_refuses_used_and_weak_keys),
        IN_A_WORLD(org_suspend_and_reinstate_take_turns),
        IN_A_WORLD(org_suspend_needs_as_many_regulators_as_the_network_says),
        IN_A_WORLD(org_suspend_names_a_known_organisation_and_no_future),
        IN_A_WORLD(cred_issue_enrols_a_key_in_a_role),
        IN_A_WORLD(cred_issue_is_the_organisations_own),
        IN_A_WORLD(cred_issue_for_an_admin_needs_a_regulator),
        IN_A_WORLD(cred_issue_needs_a_registered_active_organisation),
        IN_A_WORLD(cred_issue_fits_the_kind_of_organisation),
        IN_A_WORLD(role_table_gives_every_kind_its_own_people),
        IN_A_WORLD(cred_issue_window_is_judged),
        IN_A_WORLD(keys_are_enrolled_once_ever),
        IN_A_WORLD(weak_keys_are_never_enrolled),
        IN_A_WORLD(cred_revoke_is_the_organisations_or_a_regulators),
        IN_A_WORLD(cred_revoke_happens_once_to_known_credentials),
        IN_A_WORLD(cred_revoke_spares_regulators),
        IN_A_WORLD(patient_enrol_leaves_the_patient_unclaimed_without_a_key),
        IN_A_WORLD(patient_enrol_takes_an_id_once),
        IN_A_WORLD(patient_enrol_with_a_key_needs_its_signature),
        IN_A_WORLD(patient_enrol_guardians_add_up),
        IN_A_WORLD(patient_claim_gives_the_patient_a_key_once),
        IN_A_WORLD(patient_claim_asks_who_treats),
        IN_A_WORLD(patient_claim_needs_the_keys_signature_and_a_fresh_key),
        IN_A_WORLD(care_open_by_a_gateway_needs_a_reason),
        IN_A_WORLD(care_open_by_people_needs_the_patient),
        IN_A_WORLD(care_open_by_the_patient_needs_the_organisation),
        IN_A_WORLD(care_open_by_another_patient_does_not_count),
        IN_A_WORLD(care_open_is_single_and_fresh),
        IN_A_WORLD(care_close_is_for_either_side_once),
        IN_A_WORLD(care_close_by_another_patient_is_refused),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
