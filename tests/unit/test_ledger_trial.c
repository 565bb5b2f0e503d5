/* Clinical trials: registration, amendments, sites; who consents, takes part and leaves. What comes
 * after: test_ledger_trial_data. */
#include <string.h>

#include "tests/unit/trial_rig.h"

// --- trials ------------------------------------------------------------------------------------

CASE(a_trial_is_registered_once_with_an_ethics_board)
{
    struct world_tx tx = trial_register();
    tx.key_count = 1;
    assert_refused(&tx, SY_E_ETHICS);
    tx = trial_register();
    tx.keys[0] = BOARD, tx.keys[1] = INVESTIGATOR_A;
    tx.organisation = test_hash(ORG_BOARD);
    assert_refused(&tx, SY_E_ROLE);
    static const uint8_t nobodys[] = {1, 0};
    tx = trial_register();
    tx.payload.trial_register.shares = sy_slice_of(nobodys, sizeof nobodys);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("shares");
    tx = trial_register();
    tx.payload.trial_register.completion = world.header.time_ms;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("completion");
    tx = trial_register();
    struct sy_hash none = test_hash(ORG_NONE);
    memcpy((uint8_t *)(uintptr_t)tx.payload.trial_register.sites.items.data, none.bytes, 32);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    assert_detail(ORG_NONE);
    tx = trial_register();
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_trial_told(0, SY_EVENT_TRIAL_REGISTERED, ORG_SPONSOR, TRIAL);
    assert_trial_told(1, SY_EVENT_TRIAL_REGISTERED, ORG_BOARD, TRIAL);
    tx = trial_register();
    assert_refused(&tx, SY_E_TRIAL_EXISTS);
    assert_detail(TRIAL);
    struct sy_trial trial = find_trial();
    assert_int_equal(trial.version, 1);
    assert_int_equal(trial.form_version, 1);
    assert_int_equal(trial.first_version, 0);
    assert_false(trial.drawn || trial.locked || trial.endpoints_amended);
    struct sy_trial_version version = find_protocol(1);
    assert_int_equal(version.height, trial.height);
    assert_int_equal(version.sites.count, 2);
    assert_false(version.amends);
}

/* A board of the sponsor's own house approves nothing. */
CASE(an_ethics_board_is_another_organisations)
{
    struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_ETHICS, FRESH_KEY + 90);
    assert_applied(&tx);
    struct sy_credential credential = {.use = SY_KEY_TX,
                                       .role = SY_ROLE_SPONSOR,
                                       .holder = test_hash(ORG_A),
                                       .not_after_ms = INT64_MAX};
    struct sy_public_key key = test_public(FRESH_KEY + 91);
    struct sy_hash key_hash;
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_credential_encode(&w, &credential);
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &key);
    state_array_put(&world.state, &key_hash, sy_writer_slice(&w));
    world_reopen(&world);
    tx = trial_register();
    tx.keys[0] = FRESH_KEY + 91, tx.keys[1] = FRESH_KEY + 90;
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ETHICS);
    tx.keys[1] = BOARD;
    assert_applied(&tx);
}

CASE(an_amendment_is_the_next_version_and_says_all_of_it)
{
    struct world_tx tx = trial_amend(2, 0, 0);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(0);
    make_sites();
    tx = trial_amend(3, 0, 0);
    assert_refused(&tx, SY_E_NEXT_VERSION);
    assert_number(1);
    tx = trial_amend(2, 0, 0);
    tx.keys[1] = OTHER_BOARD;
    assert_refused(&tx, SY_E_ETHICS);
    assert_detail(ORG_BOARD);
    tx = trial_amend(2, 0, 0);
    tx.payload.trial_amend.sites.count = 1; // without A
    tx.payload.trial_amend.sites.items.size = 32;
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_A);
    tx = trial_amend(2, 0, 0);
    tx.payload.trial_amend.completion = world.header.time_ms;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("completion");
    tx = trial_amend(2, 0, 0);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2); // nobody has to consent again
    assert_trial_told(0, SY_EVENT_TRIAL_CHANGED, ORG_SPONSOR, TRIAL);
    tx = trial_amend(3, 1, 1);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 4); // nobody was enrolled: no switch
    assert_trial_told(2, SY_EVENT_CONSENT_RECONSENT_NEEDED, ORG_B, TRIAL);
    assert_trial_told(3, SY_EVENT_CONSENT_RECONSENT_NEEDED, ORG_A, TRIAL);
    struct sy_trial trial = find_trial();
    assert_int_equal(trial.version, 3);
    assert_int_equal(trial.form_version, 2);
    assert_false(trial.endpoints_amended);
    struct sy_trial_version version = find_protocol(3);
    assert_true(version.amends && version.other_endpoints && !version.after_first);
    assert_int_equal(version.form_version, 2);
    version = find_protocol(2);
    assert_true(version.amends && !version.other_endpoints);
    version = find_protocol(1);
    assert_false(version.amends);
}

CASE(another_endpoint_after_the_first_enrolment_is_flagged)
{
    make_enrolled(2);
    struct world_tx tx = trial_amend(2, 0, 0);
    assert_applied(&tx);
    assert_false(find_trial().endpoints_amended);
    tx = trial_amend(3, 0, 5);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 4);
    assert_trial_told(2, SY_EVENT_ENDPOINT_CHANGED, ORG_SPONSOR, TRIAL);
    assert_trial_told(3, SY_EVENT_ENDPOINT_CHANGED, ORG_BOARD, TRIAL);
    assert_true(find_trial().endpoints_amended);
    struct sy_trial_version version = find_protocol(3);
    assert_true(version.other_endpoints && version.after_first);
    tx = trial_amend(4, 0, 0); // and back: what was done stays told
    assert_applied(&tx);
    assert_true(find_trial().endpoints_amended);
    tx = trial_amend(5, 0, 0);
    tx.payload.trial_amend.target = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("target");
}

CASE(a_site_is_named_and_signs)
{
    struct world_tx tx = activate_site(ORG_A, INVESTIGATOR_A);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    make_trial();
    tx = activate_site(ORG_RIVAL, RIVAL);
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_RIVAL);
    tx = activate_site(ORG_A, 0);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(ORG_A);
    tx = activate_site(ORG_A, INVESTIGATOR_B);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = activate_site(ORG_A, INVESTIGATOR_A);
    assert_applied(&tx);
    assert_trial_told(2, SY_EVENT_TRIAL_CHANGED, ORG_A, TRIAL);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(3);
    assert_int_equal(find_trial().sites, 1);
    struct sy_public_key key = test_public(INVESTIGATOR_A);
    struct sy_trial_site site = find_site(ORG_A);
    assert_memory_equal(&site.investigator, &key, sizeof key);
}

// --- consent -----------------------------------------------------------------------------------

CASE(a_subject_consents_with_a_key_of_this_trial_alone)
{
    struct world_tx tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    make_trial();
    tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_A);
    tx = activate_site(ORG_A, INVESTIGATOR_A);
    assert_applied(&tx);
    tx = consent_to(INVESTIGATOR_A, 1, 1);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_SUBJECT_SIGNATURE);
    tx = consent_to(INVESTIGATOR_A, 1, 1);
    tx.payload.subject_consent.form_commit = test_hash(FORM + 7);
    assert_refused(&tx, SY_E_CONSENT_VERSION);
    assert_number(1);
    // A wallet would say who it is.
    tx = consent_to(INVESTIGATOR_A, 1, 1);
    tx.payload.subject_consent.consent_key = test_public(WALLET_CLAIMED);
    tx.keys[1] = WALLET_CLAIMED;
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx = consent_to(GATEWAY_A, 1, 1);
    assert_applied(&tx);
    assert_trial_told(2, SY_EVENT_SUBJECT_CHANGED, ORG_A, SUBJECT + 1);
    struct sy_trial_subject subject = find_subject(1);
    assert_int_equal(subject.status, SY_SUBJECT_CONSENTED);
    assert_int_equal(subject.place, 0);
    assert_int_equal(find_trial().subjects, 1);
    assert_int_equal(find_site(ORG_A).subjects, 1);
    tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_refused(&tx, SY_E_SUBJECT_STATE);
    assert_number(SY_SUBJECT_CONSENTED);
}

/* A key of two subjects, or of a subject and a wallet, would tell who they are. */
CASE(a_subjects_key_is_nobody_elses)
{
    make_sites();
    struct world_tx tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_applied(&tx);
    tx = consent_to(INVESTIGATOR_A, 2, 1);
    tx.payload.subject_consent.consent_key = test_public(FRESH_KEY + 1);
    tx.keys[1] = FRESH_KEY + 1;
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx = consent_to(INVESTIGATOR_A, 1, 1); // the same id, in another trial
    struct world_tx other = trial_register();
    other.payload.trial_register.trial_id = test_hash(TRIAL + 1);
    assert_applied(&other);
    other = activate_site(ORG_A, INVESTIGATOR_A);
    other.payload.site_activate.trial_id = test_hash(TRIAL + 1);
    assert_applied(&other);
    tx.payload.subject_consent.trial_id = test_hash(TRIAL + 1);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx = withdraw_subject(INVESTIGATOR_A, 1, false);
    assert_applied(&tx);
    tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY + 1);
    assert_refused(&tx, SY_E_KEY_IN_USE); // nor later, nor for a wallet:
    tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID + 1);
    tx.payload.patient_enrol.has_wallet_key = true;
    tx.payload.patient_enrol.wallet_key = test_public(FRESH_KEY + 1);
    world_cosign(&tx, FRESH_KEY + 1);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx.payload.patient_enrol.wallet_key = test_public(FRESH_KEY + 2);
    tx.keys[1] = FRESH_KEY + 2;
    assert_applied(&tx);
}

/* Made-up consents of one site keep no other one from asking. */
CASE(a_site_crowds_out_itself_alone)
{
    make_sites();
    struct sy_hash trial = test_hash(TRIAL), site_id = test_hash(ORG_A), key_hash;
    struct sy_trial_site site = find_site(ORG_A);
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    site.subjects = SY_TRIAL_SITE_CONSENTS_MAX - 1;
    sy_trial_site_encode(&w, &site);
    sy_state_key_pair(&key_hash, SY_STATE_TRIAL_SITE, &trial, &site_id);
    state_array_put(&world.state, &key_hash, sy_writer_slice(&w));
    world_reopen(&world);
    struct world_tx tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_applied(&tx);
    tx = consent_to(INVESTIGATOR_A, 2, 1);
    assert_refused(&tx, SY_E_TARGET);
    assert_number(SY_TRIAL_SITE_CONSENTS_MAX);
    tx = consent_to(INVESTIGATOR_B, 2, 1);
    assert_applied(&tx);
}

CASE(a_new_form_takes_a_new_consent)
{
    make_drawn();
    struct world_tx tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_applied(&tx);
    tx = trial_amend(2, 1, 0);
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_refused(&tx, SY_E_CONSENT_VERSION);
    assert_number(2);
    tx = consent_to(INVESTIGATOR_A, 2, 1);
    assert_refused(&tx, SY_E_CONSENT_VERSION);
    assert_number(2);
    tx = consent_to(INVESTIGATOR_A, 1, 2);
    tx.payload.subject_consent.consent_key = test_public(FRESH_KEY + 2);
    tx.keys[1] = FRESH_KEY + 2;
    assert_refused(&tx, SY_E_SUBJECT_SIGNATURE); // somebody else's word
    tx = consent_to(INVESTIGATOR_B, 1, 2);
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_A);
    tx = consent_to(INVESTIGATOR_A, 1, 2);
    assert_applied(&tx);
    assert_int_equal(find_trial().subjects, 1);
    tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_applied(&tx);
    tx = trial_amend(3, 2, 0); // who takes part consents again, and keeps their place
    assert_applied(&tx);
    struct sy_trial_subject before = find_subject(1);
    assert_true(before.height > 0 && before.height < before.enrolled_height);
    assert_int_equal(before.renewed_height, 0);
    tx = consent_to(INVESTIGATOR_A, 1, 3);
    tx.payload.subject_consent.by = SY_CONSENTER_GUARDIAN;
    assert_applied(&tx);
    struct sy_trial_subject after = find_subject(1);
    assert_int_equal(after.status, SY_SUBJECT_ENROLLED);
    assert_int_equal(after.form_version, 3);
    assert_int_equal(after.renewed_height, world.header.height);
    assert_int_equal(after.height, before.height); // no consent that came after the enrolment
    assert_int_equal(after.time_ms, before.time_ms);
    assert_int_equal(after.by, SY_CONSENTER_SUBJECT);
}

// --- enrolment ---------------------------------------------------------------------------------

CASE(nobody_is_enrolled_before_the_trial_is_registered_and_drawn)
{
    struct world_tx tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(0);
    make_sites();
    tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(1);
    tx = draw_commit(SPONSOR);
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_refused(&tx, SY_E_TRIAL_STATE); // the sponsor alone chose it
    tx = draw_salt(BOARD);
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_A, 2);
    assert_refused(&tx, SY_E_SUBJECT_UNKNOWN);
    assert_detail(SUBJECT + 2);
    tx = enrol_subject(INVESTIGATOR_B, 1);
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_A);
    tx = enrol_subject(GATEWAY_A, 1);
    assert_refused(&tx, SY_E_ROLE);
    tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_applied(&tx);
    struct sy_trial trial = find_trial();
    assert_int_equal(trial.enrolled, 1);
    assert_int_equal(trial.first_version, 1);
    assert_int_equal(trial.first_height, world.header.height);
    assert_true(trial.height < trial.first_height); // registered before anybody took part
    struct sy_trial_subject subject = find_subject(1);
    assert_int_equal(subject.place, 1);
    struct sy_hash placed, expected = test_hash(SUBJECT + 1);
    assert_true(sy_id_decode(&placed, find_number(SY_STATE_TRIAL_PLACE, 1)));
    assert_memory_equal(&placed, &expected, sizeof placed);
    tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_refused(&tx, SY_E_SUBJECT_STATE);
    assert_number(SY_SUBJECT_ENROLLED);
}

CASE(no_more_are_enrolled_than_the_target_says)
{
    make_enrolled(4);
    struct world_tx tx = consent_to(INVESTIGATOR_B, 5, 1);
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_B, 5);
    assert_refused(&tx, SY_E_TARGET);
    assert_number(4);
    tx = withdraw_subject(INVESTIGATOR_A, 2, false);
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_B, 5);
    assert_refused(&tx, SY_E_TARGET); // a place stays taken
    tx = trial_amend(2, 0, 0);
    tx.payload.trial_amend.target = 5;
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_B, 5);
    assert_applied(&tx);
    assert_int_equal(find_subject(5).place, 5);
    assert_int_equal(find_site(ORG_B).enrolled, 1);
    assert_int_equal(find_site(ORG_A).enrolled, 4);
}

// --- leaving -----------------------------------------------------------------------------------

CASE(a_subject_leaves_whatever_the_site_says)
{
    make_enrolled(3);
    struct world_tx tx = withdraw_subject(INVESTIGATOR_B, 1, false);
    assert_refused(&tx, SY_E_SUBJECT_SIGNATURE);
    tx = withdraw_subject(GATEWAY_A, 1, false);
    assert_refused(&tx, SY_E_SUBJECT_SIGNATURE);
    tx = withdraw_subject(REGULATOR_1, 1, false);
    assert_refused(&tx, SY_E_SUBJECT_SIGNATURE);
    tx = withdraw_subject(INVESTIGATOR_A, 9, false);
    assert_refused(&tx, SY_E_SUBJECT_UNKNOWN);
    tx = withdraw_subject(BOARD, 1, true);
    tx.payload.subject_withdraw.consent_key = test_public(FRESH_KEY + 2);
    tx.keys[1] = FRESH_KEY + 2;
    assert_refused(&tx, SY_E_SUBJECT_SIGNATURE); // another subject's key
    tx = withdraw_subject(REGULATOR_1, 1, true);
    assert_applied(&tx);
    struct sy_trial_subject subject = find_subject(1);
    assert_int_equal(subject.status, SY_SUBJECT_WITHDRAWN);
    assert_true(subject.withdrew);
    assert_int_equal(subject.place, 1);
    tx = withdraw_subject(INVESTIGATOR_A, 1, false);
    assert_refused(&tx, SY_E_SUBJECT_STATE);
    assert_number(SY_SUBJECT_WITHDRAWN);
    tx = trial_amend(2, 1, 0);
    assert_applied(&tx);
    tx = consent_to(INVESTIGATOR_A, 1, 2);
    assert_refused(&tx, SY_E_SUBJECT_STATE); // nobody comes back under the same id
    tx = withdraw_subject(INVESTIGATOR_A, 2, false);
    tx.payload.subject_withdraw.reason = SY_WITHDRAW_LOST;
    assert_applied(&tx);
    assert_false(find_subject(2).withdrew);
    assert_int_equal(find_trial().withdrawn, 2);
    assert_int_equal(find_site(ORG_A).withdrawn, 2);
    tx = db_lock(0);
    assert_applied(&tx);
    tx = withdraw_subject(SPONSOR, 3, true);
    assert_applied(&tx); // also afterwards
}

// --- whatever happens --------------------------------------------------------------------------

/* What the case knows of a subject, beside the ledger. */
struct known {
    unsigned form; /* that the newest consent is by; 0: none */
    bool enrolled, withdrawn;
    unsigned site;
};

/* Random histories: nobody is enrolled without a consent by the form that is current then, whoever
 * signs and in whatever order; and the counts are those of the subjects. */
CASE(nobody_is_enrolled_without_a_current_consent)
{
    enum { SUBJECTS = 40, STEPS = 1500 };
    static const unsigned investigators[] = {INVESTIGATOR_A, INVESTIGATOR_B, RIVAL};
    static const unsigned sites[] = {ORG_A, ORG_B, ORG_RIVAL};
    struct known known[SUBJECTS + 1] = {{0}};
    uint64_t seed = test_seed();
    unsigned forms = 1, versions = 1, enrolled = 0, withdrawn = 0, refused = 0;
    sy_prng prng;
    sy_prng_seed(&prng, seed);
    make_drawn();
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned n = 1 + (unsigned)sy_prng_below(&prng, SUBJECTS);
        unsigned who = (unsigned)sy_prng_below(&prng, 3);
        bool old = sy_prng_below(&prng, 3) == 0;
        unsigned form = old ? 1 + (unsigned)sy_prng_below(&prng, forms) : forms;
        struct known *subject = &known[n];
        if (sy_prng_below(&prng, 2) == 0 && subject->form != 0) who = subject->site == ORG_B;
        struct world_tx tx;
        bool site = subject->form != 0 && subject->site == sites[who];
        switch (sy_prng_below(&prng, 8)) {
        case 0:
        case 1:
        case 2: {
            tx = consent_to(investigators[who], n, form);
            bool fits = form == forms && !subject->withdrawn && subject->form != form &&
                        (subject->form == 0 ? who < 2 : site);
            assert_int_equal(world_submit(&world, &tx) == SY_APPLIED, fits);
            if (fits) subject->form = form, subject->site = sites[who];
            break;
        }
        case 3:
            tx = trial_amend(versions + 1, forms, 0);
            if (sy_prng_below(&prng, 8) != 0) break;
            tx.payload.trial_amend.target = 25;
            assert_applied(&tx);
            versions++, forms++;
            break;
        case 4:
            tx = withdraw_subject(investigators[who], n, sy_prng_below(&prng, 2) == 0);
            bool may = subject->form != 0 && !subject->withdrawn &&
                       (tx.payload.subject_withdraw.has_consent_key || site);
            if (sy_prng_below(&prng, 4) != 0) break;
            assert_int_equal(world_submit(&world, &tx) == SY_APPLIED, may);
            if (may) subject->withdrawn = true, withdrawn++;
            break;
        default: {
            tx = enrol_subject(investigators[who], n);
            bool fits = site && subject->form == forms && !subject->withdrawn &&
                        !subject->enrolled && enrolled < (versions > 1 ? 25u : 4u);
            assert_int_equal(world_submit(&world, &tx) == SY_APPLIED, fits);
            refused += !fits;
            if (fits) subject->enrolled = true, enrolled++;
        }
        }
    }
    struct sy_trial trial = find_trial();
    unsigned asked = 0;
    for (unsigned n = 1; n <= SUBJECTS; n++) asked += known[n].form != 0;
    assert_int_equal(trial.enrolled, enrolled);
    assert_int_equal(trial.withdrawn, withdrawn);
    assert_int_equal(trial.subjects, asked);
    assert_true(enrolled > 0 && refused > 50 && versions > 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_TRIALS(a_trial_is_registered_once_with_an_ethics_board),
        WITH_TRIALS(an_ethics_board_is_another_organisations),
        WITH_TRIALS(an_amendment_is_the_next_version_and_says_all_of_it),
        WITH_TRIALS(another_endpoint_after_the_first_enrolment_is_flagged),
        WITH_TRIALS(a_site_is_named_and_signs),
        WITH_TRIALS(a_subject_consents_with_a_key_of_this_trial_alone),
        WITH_TRIALS(a_subjects_key_is_nobody_elses),
        WITH_TRIALS(a_site_crowds_out_itself_alone),
        WITH_TRIALS(a_new_form_takes_a_new_consent),
        WITH_TRIALS(nobody_is_enrolled_before_the_trial_is_registered_and_drawn),
        WITH_TRIALS(no_more_are_enrolled_than_the_target_says),
        WITH_TRIALS(a_subject_leaves_whatever_the_site_says),
        WITH_TRIALS(nobody_is_enrolled_without_a_current_consent),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
