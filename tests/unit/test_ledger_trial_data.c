/* Clinical trials: the draw of arms, blinding, data, adverse events, the lock, and results. */
#include <string.h>

#include "core/crypto/hash.h"
#include "tests/unit/trial_rig.h"

// --- the draw ----------------------------------------------------------------------------------

CASE(a_seed_is_committed_to_before_it_is_salted)
{
    struct world_tx tx = draw_commit(SPONSOR);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    make_sites();
    tx = draw_salt(BOARD);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(1);
    tx = draw_commit(BOARD);
    assert_refused(&tx, SY_E_ROLE);
    tx = draw_commit(SPONSOR);
    tx.payload.randomise_commit.reveal_days = 367;
    assert_refused(&tx, SY_E_SCHEMA);
    tx = draw_commit(SPONSOR);
    assert_applied(&tx);
    assert_trial_told(0, SY_EVENT_TRIAL_CHANGED, ORG_SPONSOR, TRIAL);
    tx = draw_commit(SPONSOR_2);
    assert_refused(&tx, SY_E_TRIAL_STATE); // no second try
    assert_number(3);
    tx = draw_salt(OTHER_BOARD);
    assert_refused(&tx, SY_E_ETHICS);
    assert_detail(ORG_BOARD);
    tx = draw_salt(SPONSOR);
    assert_refused(&tx, SY_E_ROLE);
    assert_false(find_trial().drawn);
    tx = draw_salt(BOARD);
    assert_applied(&tx);
    assert_true(find_trial().drawn);
    tx = draw_salt(BOARD);
    tx.payload.randomise_salt.salt = test_hash(SALT + 1);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(3);
    struct sy_trial_draw draw = find_draw();
    assert_true(draw.salted && !draw.revealed);
    assert_true(draw.height < draw.salted_height);
}

/* Whoever builds one transaction of both has the salt before the seed is chosen. */
CASE(a_seed_is_not_salted_in_the_block_that_commits_to_it)
{
    make_sites();
    struct world_tx commit = draw_commit(SPONSOR), salt = draw_salt(BOARD);
    struct world_tx tx = world_tx_of(SY_KIND_atomic, SPONSOR, ORG_SPONSOR);
    world.lists.used = 0;
    world_cosign(&tx, BOARD);
    world_part(&world, &tx, SY_KIND_randomise_commit, 0, &commit.payload);
    world_part(&world, &tx, SY_KIND_randomise_salt, 1, &salt.payload);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_int_equal(world.receipt.part, 1);
    assert_number(4);
    assert_applied(&commit); // nothing of it stayed
    assert_applied(&salt);
}

CASE(a_seed_is_revealed_once_it_is_time_and_no_other)
{
    make_enrolled(2);
    struct world_tx tx = draw_reveal(SPONSOR, SEED);
    assert_refused(&tx, SY_E_BLINDED);
    tx = db_lock(0);
    assert_applied(&tx);
    tx = draw_reveal(SPONSOR, SEED);
    assert_refused(&tx, SY_E_BLINDED);
    tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    tx = draw_reveal(OTHER_BOARD, SEED);
    assert_refused(&tx, SY_E_ETHICS);
    struct sy_hash commit = find_draw().commit;
    tx = draw_reveal(SPONSOR, SEED + 1);
    assert_refused(&tx, SY_E_SEED);
    assert_memory_equal(&world.receipt.detail_hash, &commit, sizeof commit);
    tx = draw_reveal(BOARD, SEED); // who was given it, too
    assert_applied(&tx);
    struct sy_trial_draw draw = find_draw();
    assert_true(draw.revealed && !draw.late);
    assert_true(find_trial().revealed);
    tx = draw_reveal(SPONSOR, SEED);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(3);
}

static void wait_days(unsigned days)
{
    int64_t step_ms = world.step_ms;
    world.step_ms = days * DAY_MS;
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID + days);
    tx.valid_until_ms = world.header.time_ms + world.step_ms + 1000;
    assert_applied(&tx);
    world.step_ms = step_ms;
}

CASE(a_seed_that_comes_late_is_said_to)
{
    make_locked();
    struct sy_trial_lock lock = find_lock();
    assert_int_equal(lock.reveal_due_ms, lock.time_ms + 30 * DAY_MS);
    struct world_tx tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    wait_days(30);
    tx = draw_reveal(SPONSOR, SEED);
    assert_applied(&tx);
    assert_true(find_draw().late);
}

/* Whom a sponsor gave the seed is not kept waiting for an unblinding that never comes. */
CASE(a_board_reveals_an_overdue_seed_without_the_sponsor)
{
    make_locked();
    struct world_tx tx = draw_reveal(BOARD, SEED);
    assert_refused(&tx, SY_E_BLINDED);
    wait_days(30);
    tx = draw_reveal(SPONSOR, SEED);
    assert_refused(&tx, SY_E_BLINDED); // who may unblind, and did not
    tx = draw_reveal(OTHER_BOARD, SEED);
    assert_refused(&tx, SY_E_ETHICS);
    tx = draw_reveal(BOARD, SEED + 1);
    assert_refused(&tx, SY_E_SEED);
    assert_false(find_trial().unblinded);
    tx = draw_reveal(BOARD, SEED);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 4);
    assert_trial_told(2, SY_EVENT_TRIAL_UNBLINDED, ORG_SPONSOR, TRIAL);
    struct sy_trial trial = find_trial();
    assert_true(trial.unblinded && trial.revealed && find_draw().late);
    struct sy_trial_lock lock = find_lock();
    assert_int_equal(lock.unblinded_height, world.header.height);
    assert_int_equal(lock.unblinded_ms, world.header.time_ms);
    tx = unblind_all(SPONSOR);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    tx = result_post(0);
    assert_applied(&tx);
}

/* FORMAT.md's rule, computed here by itself. */
CASE(an_arm_follows_from_seed_salt_place_and_beacon)
{
    struct sy_trial trial = {.arm_count = 3, .shares = {2, 1, 1}};
    struct sy_trial_draw draw = {.seed = test_hash(SEED), .salt = test_hash(SALT)};
    struct sy_hash beacon = test_hash(5), other = test_hash(6);
    unsigned counts[3] = {0}, elsewhere = 0;
    for (uint32_t place = 1; place <= 4000; place++) {
        uint8_t bytes[65] = {4};
        struct sy_hash both, placed, drawn;
        memcpy(bytes + 1, draw.seed.bytes, 32);
        memcpy(bytes + 33, draw.salt.bytes, 32);
        sy_sha256(&both, bytes, sizeof bytes);
        memset(bytes + 33, 0, 32);
        memcpy(bytes + 1, both.bytes, 32);
        sy_store_u32(bytes + 33, place);
        sy_sha256(&placed, bytes, sizeof bytes);
        memcpy(bytes + 1, placed.bytes, 32);
        memcpy(bytes + 33, beacon.bytes, 32);
        sy_sha256(&drawn, bytes, sizeof bytes);
        unsigned left = (unsigned)(sy_load_u64(drawn.bytes) % 4);
        unsigned expected = left < 2 ? 0 : left - 1;
        assert_int_equal(sy_trial_arm(&trial, &draw, place, &beacon), expected);
        counts[expected]++;
        elsewhere += sy_trial_arm(&trial, &draw, place, &other) != expected;
    }
    assert_in_range(counts[0], 1900, 2100);
    assert_in_range(counts[1], 900, 1100);
    assert_in_range(elsewhere, 2300, 2700); // 5 of 8: the beacon counts, too
    draw.salt = test_hash(SALT + 1);        // the salt counts
    unsigned others[3] = {0}, moved = 0;
    struct sy_trial_draw first = {.seed = test_hash(SEED), .salt = test_hash(SALT)};
    for (uint32_t place = 1; place <= 4000; place++) {
        unsigned arm = sy_trial_arm(&trial, &draw, place, &beacon);
        others[arm]++;
        moved += arm != sy_trial_arm(&trial, &first, place, &beacon);
    }
    assert_in_range(others[0], 1900, 2100);
    assert_true(moved > 2000);
}

/* Who knows seed, salt and the next place does not know its arm: that takes the block before the
 * one which enrols, and the time that is proposed for this one. */
CASE(a_place_is_drawn_with_what_nobody_knew)
{
    struct sy_trial_lot first, second;
    make_drawn();
    struct world_tx tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_applied(&tx);
    tx = consent_to(INVESTIGATOR_A, 2, 1);
    assert_applied(&tx);
    struct world_tx enrol[] = {enrol_subject(INVESTIGATOR_A, 1), enrol_subject(INVESTIGATOR_A, 2)};
    assert_applied(&enrol[0]);
    assert_true(sy_trial_lot_decode(&first, find_number(SY_STATE_TRIAL_BEACON, 1)));
    assert_int_equal(first.height, world.header.height);
    uint8_t bytes[65] = {4};
    struct sy_hash expected;
    memcpy(bytes + 1, world.header.previous.bytes, 32); // the hash of the header before
    sy_store_u64(bytes + 33, (uint64_t)world.header.time_ms);
    sy_sha256(&expected, bytes, sizeof bytes);
    assert_memory_equal(&first.beacon, &expected, sizeof expected);
    assert_applied(&enrol[1]);
    assert_true(sy_trial_lot_decode(&second, find_number(SY_STATE_TRIAL_BEACON, 2)));
    assert_memory_not_equal(&second.beacon, &first.beacon, sizeof first.beacon);
}

// --- unblinding --------------------------------------------------------------------------------

CASE(a_trial_is_unblinded_when_it_is_locked)
{
    make_enrolled(2);
    struct world_tx tx = unblind_all(SPONSOR);
    assert_refused(&tx, SY_E_BLINDED);
    tx = unblind_all(INVESTIGATOR_A);
    assert_refused(&tx, SY_E_NOT_SPONSOR);
    assert_detail(ORG_SPONSOR);
    tx = unblind_all(SPONSOR);
    tx.payload.unblind.has_reason = true;
    tx.payload.unblind.reason = SY_UNBLIND_ACCIDENT;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("reason");
    tx = db_lock(0);
    assert_applied(&tx);
    tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    assert_trial_told(0, SY_EVENT_TRIAL_UNBLINDED, ORG_SPONSOR, TRIAL);
    assert_true(find_trial().unblinded);
    assert_int_equal(find_lock().unblinded_height, world.header.height);
    tx = unblind_all(SPONSOR_2);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(3);
}

CASE(one_subject_is_unblinded_in_an_emergency_with_a_reason)
{
    make_enrolled(2);
    struct world_tx tx = consent_to(INVESTIGATOR_A, 3, 1);
    assert_applied(&tx);
    tx = unblind_one(INVESTIGATOR_A, 1);
    tx.payload.unblind.has_reason = false;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("reason");
    tx = unblind_one(INVESTIGATOR_B, 1);
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_A);
    tx = unblind_one(INVESTIGATOR_A, 3);
    assert_refused(&tx, SY_E_SUBJECT_STATE); // there is nothing to know yet
    tx = unblind_one(INVESTIGATOR_A, 4);
    assert_refused(&tx, SY_E_SUBJECT_UNKNOWN);
    tx = unblind_one(INVESTIGATOR_A, 1);
    assert_applied(&tx);
    assert_trial_told(2, SY_EVENT_TRIAL_UNBLINDED, ORG_A, SUBJECT + 1);
    struct sy_trial_subject subject = find_subject(1);
    assert_true(subject.unblinded);
    assert_int_equal(subject.unblinded_for, SY_UNBLIND_TREATMENT);
    assert_false(find_trial().unblinded); // and nobody else
    assert_false(find_subject(2).unblinded);
    tx = unblind_one(SPONSOR, 1);
    assert_refused(&tx, SY_E_SUBJECT_STATE);
    tx = unblind_one(SPONSOR, 2);
    tx.payload.unblind.reason = SY_UNBLIND_REPORT;
    assert_applied(&tx);
}

// --- data --------------------------------------------------------------------------------------

CASE(data_come_from_active_sites_until_the_lock)
{
    struct world_tx tx = data_commit(GATEWAY_A, 1);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(0);
    make_trial();
    tx = data_commit(GATEWAY_A, 1);
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_A);
    tx = activate_site(ORG_A, INVESTIGATOR_A);
    assert_applied(&tx);
    tx = data_commit(DOCTOR_A, 1);
    assert_refused(&tx, SY_E_ROLE);
    struct sy_hash root = {{0}}, leaf;
    for (uint16_t visit = 1; visit <= 3; visit++) {
        tx = data_commit(visit == 2 ? INVESTIGATOR_A : GATEWAY_A, visit);
        assert_applied(&tx);
        // The root is over the entries as state has them.
        uint8_t bytes[65] = {4};
        sy_hash_leaf(&leaf, find_number(SY_STATE_TRIAL_DATA, visit));
        memcpy(bytes + 1, root.bytes, 32);
        memcpy(bytes + 33, leaf.bytes, 32);
        sy_sha256(&root, bytes, sizeof bytes);
    }
    struct sy_trial trial = find_trial();
    assert_int_equal(trial.commits, 3);
    assert_memory_equal(&trial.data_root, &root, sizeof root);
    struct sy_trial_data data;
    assert_true(sy_trial_data_decode(&data, find_number(SY_STATE_TRIAL_DATA, 2)));
    assert_int_equal(data.visit, 2);
    assert_int_equal(data.rows, 12);
    tx = db_lock(2);
    assert_refused(&tx, SY_E_LOCK_SET);
    assert_number(3);
    tx = db_lock(3);
    assert_applied(&tx);
    uint64_t height = world.header.height;
    tx = data_commit(GATEWAY_A, 4);
    assert_refused(&tx, SY_E_LOCKED);
    assert_number(height);
    struct sy_trial_lock lock = find_lock();
    assert_memory_equal(&lock.data_root, &root, sizeof root);
}

CASE(nothing_changes_behind_a_lock)
{
    make_locked();
    uint64_t height = find_trial().locked_height;
    struct world_tx txs[] = {trial_amend(2, 0, 0),
                             activate_site(ORG_B, INVESTIGATOR_B),
                             consent_to(INVESTIGATOR_A, 3, 1),
                             enrol_subject(INVESTIGATOR_A, 1),
                             draw_commit(SPONSOR),
                             draw_salt(BOARD),
                             data_commit(GATEWAY_A, 2),
                             db_lock(1)};
    for (size_t i = 0; i < sizeof txs / sizeof txs[0]; i++) {
        assert_refused(&txs[i], SY_E_LOCKED);
        assert_number(height);
    }
}

// --- adverse events ----------------------------------------------------------------------------

CASE(adverse_events_are_told_and_late_ones_said_to_be)
{
    struct world_tx tx = ae_report(INVESTIGATOR_A, 1, 2, false);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    make_enrolled(1);
    tx = ae_report(INVESTIGATOR_A, 1, 5, false);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("serious");
    tx = ae_report(INVESTIGATOR_A, 1, 6, true);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("grade");
    tx = ae_report(INVESTIGATOR_B, 1, 2, false);
    assert_refused(&tx, SY_E_SITE);
    assert_detail(ORG_A);
    tx = ae_report(INVESTIGATOR_A, 2, 2, false);
    assert_refused(&tx, SY_E_SUBJECT_UNKNOWN);
    tx = ae_report(INVESTIGATOR_A, 1, 3, true);
    tx.payload.ae_report.aware = world.header.time_ms + DAY_MS;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("aware");
    tx = ae_report(INVESTIGATOR_A, 1, 2, false);
    assert_applied(&tx);
    assert_trial_told(0, SY_EVENT_SUBJECT_CHANGED, ORG_SPONSOR, SUBJECT + 1);
    tx = ae_report(INVESTIGATOR_A, 1, 3, true);
    tx.payload.ae_report.aware = world.header.time_ms + world.step_ms - DAY_MS;
    assert_applied(&tx); // just in time
    assert_trial_told(1, SY_EVENT_SAE_REPORTED, ORG_BOARD, SUBJECT + 1);
    tx = ae_report(INVESTIGATOR_A, 1, 5, true);
    tx.payload.ae_report.aware = world.header.time_ms + world.step_ms - DAY_MS - 1;
    assert_applied(&tx); // and never refused for being late
    struct sy_trial_report report;
    assert_true(sy_trial_report_decode(&report, find_number(SY_STATE_TRIAL_REPORT, 3)));
    assert_true(report.serious && report.late);
    assert_true(sy_trial_report_decode(&report, find_number(SY_STATE_TRIAL_REPORT, 2)));
    assert_true(report.serious && !report.late);
    struct sy_trial trial = find_trial();
    assert_int_equal(trial.reports, 3);
    assert_int_equal(trial.serious, 2);
    assert_int_equal(trial.late, 1);
    tx = db_lock(0);
    assert_applied(&tx);
    tx = ae_report(INVESTIGATOR_A, 1, 4, true);
    assert_applied(&tx); // it is about a person
}

// --- locks and results -------------------------------------------------------------------------

CASE(a_lock_takes_two_persons_and_says_as_what)
{
    make_enrolled(1);
    struct world_tx tx = db_lock(0);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_TWO_KEYS);
    tx = db_lock(0);
    tx.payload.db_lock.second = test_public(SPONSOR); // oneself
    assert_refused(&tx, SY_E_TWO_KEYS);
    tx = db_lock(0);
    tx.payload.db_lock.second = test_public(BOARD); // another house's
    tx.keys[1] = BOARD;
    assert_refused(&tx, SY_E_TWO_KEYS);
    tx = db_lock(0);
    tx.payload.db_lock.second = test_public(SPONSOR_ADMIN); // no sponsor's role
    tx.keys[1] = SPONSOR_ADMIN;
    assert_refused(&tx, SY_E_TWO_KEYS);
    tx = db_lock(0);
    tx.payload.db_lock.meaning = 9;
    assert_refused(&tx, SY_E_SCHEMA);
    tx = db_lock(0);
    assert_applied(&tx);
    assert_trial_told(0, SY_EVENT_DB_LOCKED, ORG_SPONSOR, TRIAL);
    assert_trial_told(1, SY_EVENT_DB_LOCKED, ORG_BOARD, TRIAL);
    struct sy_trial_lock lock = find_lock();
    struct sy_public_key first = test_public(SPONSOR), second = test_public(SPONSOR_2);
    assert_memory_equal(&lock.signers.keys[0], &first, sizeof first);
    assert_memory_equal(&lock.signers.keys[1], &second, sizeof second);
    assert_int_equal(lock.signers.meanings[0], SY_MEANING_APPROVAL);
    assert_int_equal(lock.signers.meanings[1], SY_MEANING_REVIEW);
    assert_int_equal(lock.enrolled, 1);
}

CASE(whoever_replaced_a_key_still_signs_second)
{
    make_enrolled(1);
    struct world_tx tx = world_tx_of(SY_KIND_key_rotate, SPONSOR_2, ORG_SPONSOR);
    tx.payload.key_rotate.old_key = test_public(SPONSOR_2);
    tx.payload.key_rotate.new_key = test_public(FRESH_KEY + 80);
    tx.payload.key_rotate.role = SY_ROLE_SPONSOR;
    assert_applied(&tx);
    tx = db_lock(0);
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = db_lock(0);
    tx.payload.db_lock.second = test_public(FRESH_KEY + 80);
    tx.keys[1] = FRESH_KEY + 80;
    assert_applied(&tx);
}

CASE(a_result_names_the_endpoints_that_were_registered)
{
    make_enrolled(1);
    struct world_tx tx = result_post(0);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(2);
    tx = db_lock(0);
    assert_applied(&tx);
    tx = result_post(0);
    assert_refused(&tx, SY_E_BLINDED);
    tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    tx = result_post(0);
    assert_refused(&tx, SY_E_BLINDED); // whoever keeps the seed back posts nothing
    tx = draw_reveal(SPONSOR, SEED);
    assert_applied(&tx);
    tx = result_post(0);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_TWO_KEYS);
    tx = result_post(0);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_trial_told(0, SY_EVENT_RESULT_POSTED, ORG_SPONSOR, TRIAL);
    struct sy_trial_result result = find_outcome();
    assert_false(result.switched);
    assert_int_equal(result.registered_version, 1);
    tx = result_post(1);
    assert_refused(&tx, SY_E_TRIAL_STATE); // nor is it posted again, with another one
    assert_number(3);
}

CASE(a_switched_endpoint_is_flagged)
{
    make_revealed();
    struct world_tx tx = result_post(3);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 4);
    assert_trial_told(2, SY_EVENT_ENDPOINT_CHANGED, ORG_SPONSOR, TRIAL);
    assert_trial_told(3, SY_EVENT_ENDPOINT_CHANGED, ORG_BOARD, TRIAL);
    assert_true(find_outcome().switched);
    assert_true(find_trial().posted);
}

/* An amendment makes no endpoint a registered one, once somebody takes part. */
CASE(an_amended_endpoint_is_a_switch_all_the_same)
{
    make_drawn();
    struct world_tx tx = trial_amend(2, 0, 1); // in time
    assert_applied(&tx);
    tx = consent_to(INVESTIGATOR_A, 1, 1);
    assert_applied(&tx);
    tx = enrol_subject(INVESTIGATOR_A, 1);
    assert_applied(&tx);
    tx = trial_amend(3, 0, 2); // too late
    assert_applied(&tx);
    tx = db_lock(0);
    assert_applied(&tx);
    tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    tx = draw_reveal(SPONSOR, SEED);
    assert_applied(&tx);
    tx = result_post(2);
    assert_applied(&tx);
    struct sy_trial_result result = find_outcome();
    assert_true(result.switched);
    assert_int_equal(result.registered_version, 2);
}

/* A result that is posted so long after the completion; who said it signed for no longer than a
 * year, so the version is written here. */
static bool comes_late(int64_t after_ms)
{
    static uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_hash trial = test_hash(TRIAL), key_hash;
    make_trial();
    struct world_tx tx = db_lock(0);
    assert_applied(&tx);
    struct sy_trial_version version = find_protocol(1);
    version.completion_ms = world.header.time_ms + world.step_ms - after_ms;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_version_encode(&w, &version);
    sy_trial_key_number(&key_hash, SY_STATE_TRIAL_VERSION, &trial, 1);
    state_array_put(&world.state, &key_hash, sy_writer_slice(&w));
    world_reopen(&world);
    tx = result_post(0);
    assert_applied(&tx); // a late one is wanted, too
    return find_outcome().late;
}

CASE(a_result_within_a_year_is_in_time)
{
    assert_false(comes_late(SY_TRIAL_RESULT_MS_MAX));
}

CASE(a_result_that_comes_late_is_said_to)
{
    assert_true(comes_late(SY_TRIAL_RESULT_MS_MAX + 1));
}

/* It was given up before anybody took part. */
CASE(a_trial_without_a_draw_can_be_ended)
{
    make_trial();
    struct world_tx tx = db_lock(0);
    assert_applied(&tx);
    assert_int_equal(find_lock().reveal_due_ms, 0);
    tx = unblind_all(SPONSOR);
    assert_refused(&tx, SY_E_TRIAL_STATE);
    assert_number(1);
    tx = result_post(0);
    assert_applied(&tx);
    assert_false(find_outcome().switched);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_TRIALS(a_seed_is_committed_to_before_it_is_salted),
        WITH_TRIALS(a_seed_is_not_salted_in_the_block_that_commits_to_it),
        WITH_TRIALS(a_seed_is_revealed_once_it_is_time_and_no_other),
        WITH_TRIALS(a_seed_that_comes_late_is_said_to),
        WITH_TRIALS(a_board_reveals_an_overdue_seed_without_the_sponsor),
        cmocka_unit_test(an_arm_follows_from_seed_salt_place_and_beacon),
        WITH_TRIALS(a_place_is_drawn_with_what_nobody_knew),
        WITH_TRIALS(a_trial_is_unblinded_when_it_is_locked),
        WITH_TRIALS(one_subject_is_unblinded_in_an_emergency_with_a_reason),
        WITH_TRIALS(data_come_from_active_sites_until_the_lock),
        WITH_TRIALS(nothing_changes_behind_a_lock),
        WITH_TRIALS(adverse_events_are_told_and_late_ones_said_to_be),
        WITH_TRIALS(a_lock_takes_two_persons_and_says_as_what),
        WITH_TRIALS(whoever_replaced_a_key_still_signs_second),
        WITH_TRIALS(a_result_names_the_endpoints_that_were_registered),
        WITH_TRIALS(a_switched_endpoint_is_flagged),
        WITH_TRIALS(an_amended_endpoint_is_a_switch_all_the_same),
        WITH_TRIALS(a_result_within_a_year_is_in_time),
        WITH_TRIALS(a_result_that_comes_late_is_said_to),
        WITH_TRIALS(a_trial_without_a_draw_can_be_ended),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
