/* Clinical trials as state holds them: what is written is read again, and nothing else is. */
#include <string.h>

#include "core/wire/state_trial.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

static uint8_t room[SY_STATE_VALUE_BYTES_MAX], ids_room[64][32], again[SY_STATE_VALUE_BYTES_MAX];

/* A list of so many ids, as a payload has it. */
static struct sy_list ids(unsigned count)
{
    struct sy_list list = {0};
    struct sy_writer w = sy_writer_of(ids_room, sizeof ids_room);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash id = test_hash(500 + i);
        sy_list_add_id(&list, &w, &id);
    }
    return list;
}

/* Encodes, decodes and encodes again: the same bytes; no shorter or longer ones decode. */
#define ROUND(name, value, kept)                                                    \
    do {                                                                            \
        struct sy_writer w_ = sy_writer_of(room, sizeof room);                      \
        struct sy_writer again_ = sy_writer_of(again, sizeof again);                \
        sy_##name##_encode(&w_, value);                                             \
        struct sy_slice bytes_ = sy_writer_slice(&w_);                              \
        assert_false(w_.failed);                                                    \
        assert_true(sy_##name##_decode(kept, bytes_));                              \
        sy_##name##_encode(&again_, kept);                                          \
        assert_true(sy_slice_equal(bytes_, sy_writer_slice(&again_)));              \
        for (size_t size_ = 0; size_ < bytes_.size; size_++) {                      \
            assert_false(sy_##name##_decode(kept, sy_slice_of(room, size_)));       \
        }                                                                           \
        room[bytes_.size] = 0;                                                      \
        assert_false(sy_##name##_decode(kept, sy_slice_of(room, bytes_.size + 1))); \
        assert_true(sy_##name##_decode(kept, bytes_));                              \
    } while (0)

/* Encodes what execution never makes: it does not decode. */
#define BAD(name, value, kept)                                        \
    do {                                                              \
        struct sy_writer w_ = sy_writer_of(room, sizeof room);        \
        sy_##name##_encode(&w_, value);                               \
        assert_false(w_.failed);                                      \
        assert_false(sy_##name##_decode(kept, sy_writer_slice(&w_))); \
    } while (0)

static struct sy_trial sound(void)
{
    return (struct sy_trial){.sponsor = test_hash(1),
                             .ethics = test_hash(2),
                             .drawn = true,
                             .version = 3,
                             .form_version = 2,
                             .form_commit = test_hash(3),
                             .target = 40,
                             .arm_count = 2,
                             .shares = {2, 1},
                             .sites = 2,
                             .subjects = 9,
                             .enrolled = 7,
                             .withdrawn = 2,
                             .first_version = 1,
                             .first_height = 12,
                             .first_ms = 34,
                             .commits = 5,
                             .data_root = test_hash(4),
                             .reports = 4,
                             .serious = 2,
                             .late = 1,
                             .height = 10,
                             .time_ms = 30};
}

CASE(a_trial_is_what_was_written)
{
    struct sy_trial trial = sound(), back;
    ROUND(trial, &trial, &back);
    assert_memory_equal(&back, &trial, sizeof trial);
    trial.locked = trial.unblinded = trial.revealed = trial.posted = true;
    trial.endpoints_amended = true;
    trial.locked_height = 20;
    ROUND(trial, &trial, &back);
    assert_memory_equal(&back, &trial, sizeof trial);
}

CASE(a_trial_that_cannot_be_is_none)
{
    struct sy_trial trial, back;
    trial = sound(), trial.unblinded = true;
    BAD(trial, &trial, &back); // and not locked
    trial = sound(), trial.locked = true;
    BAD(trial, &trial, &back); // at no height
    trial = sound(), trial.locked_height = 4;
    BAD(trial, &trial, &back);
    trial = sound(), trial.locked = trial.revealed = true, trial.locked_height = 4;
    BAD(trial, &trial, &back); // while it is blinded
    trial = sound(), trial.locked = trial.posted = true, trial.locked_height = 4;
    BAD(trial, &trial, &back); // before the seed is known
    trial.drawn = false, trial.enrolled = trial.first_version = 0;
    ROUND(trial, &trial, &back); // of which there is none
    trial = sound(), trial.enrolled = 41, trial.subjects = 50;
    BAD(trial, &trial, &back);
    trial = sound(), trial.enrolled = 10;
    BAD(trial, &trial, &back);
    trial = sound(), trial.withdrawn = 10;
    BAD(trial, &trial, &back);
    trial = sound(), trial.first_version = 0;
    BAD(trial, &trial, &back);
    trial = sound(), trial.first_version = 4;
    BAD(trial, &trial, &back);
    trial = sound(), trial.form_version = 4;
    BAD(trial, &trial, &back);
    trial = sound(), trial.form_version = 0;
    BAD(trial, &trial, &back);
    trial = sound(), trial.target = SY_TRIAL_SUBJECTS_MAX + 1;
    BAD(trial, &trial, &back);
    trial = sound(), trial.shares[1] = 0;
    BAD(trial, &trial, &back);
    trial = sound(), trial.sites = SY_TRIAL_SITES_MAX + 1;
    BAD(trial, &trial, &back);
    trial = sound(), trial.late = 3;
    BAD(trial, &trial, &back);
    trial = sound(), trial.serious = 5;
    BAD(trial, &trial, &back);
    trial = sound(), trial.commits = SY_SLOT_MAX + 1;
    BAD(trial, &trial, &back);
}

CASE(a_version_has_endpoints_and_sites)
{
    struct sy_trial_version version = {.protocol_commit = test_hash(1),
                                       .form_version = 1,
                                       .target = 4,
                                       .height = 3,
                                       .endpoints = ids(SY_TRIAL_ENDPOINTS_MAX),
                                       .sites = ids(SY_TRIAL_SITES_MAX)};
    struct sy_trial_version back;
    ROUND(trial_version, &version, &back);
    assert_int_equal(back.sites.count, SY_TRIAL_SITES_MAX);
    version.amends = version.other_endpoints = version.after_first = true;
    version.reason = SY_TRIAL_SAFETY;
    version.changes_commit = test_hash(9);
    ROUND(trial_version, &version, &back);
    version.reason = 99;
    BAD(trial_version, &version, &back);
    version.amends = false; // the first one changes nothing
    BAD(trial_version, &version, &back);
    version.other_endpoints = version.after_first = false;
    version.sites = ids(SY_TRIAL_SITES_MAX + 1);
    BAD(trial_version, &version, &back);
    version.sites = ids(0);
    BAD(trial_version, &version, &back);
    version.sites = ids(1), version.endpoints = ids(SY_TRIAL_ENDPOINTS_MAX + 1);
    BAD(trial_version, &version, &back);
    version.endpoints = ids(1), version.form_version = 0;
    BAD(trial_version, &version, &back);
    version.form_version = 1, version.target = 0;
    BAD(trial_version, &version, &back);
}

CASE(a_subject_has_a_place_once_enrolled)
{
    struct sy_trial_subject subject = {.site = test_hash(1),
                                       .by = SY_CONSENTER_GUARDIAN,
                                       .form_version = 2,
                                       .status = SY_SUBJECT_CONSENTED,
                                       .height = 5};
    struct sy_trial_subject back;
    ROUND(trial_subject, &subject, &back);
    subject.renewed_height = 3;
    BAD(trial_subject, &subject, &back); // consents anew to what they take no part in
    subject.renewed_height = 0;
    subject.place = 3;
    BAD(trial_subject, &subject, &back);
    subject.enrolled_height = 6;
    BAD(trial_subject, &subject, &back); // a place, and only consented
    subject.status = SY_SUBJECT_ENROLLED;
    ROUND(trial_subject, &subject, &back);
    subject.renewed_height = 9;
    ROUND(trial_subject, &subject, &back);
    assert_int_equal(back.renewed_height, 9);
    subject.renewed_height = 0;
    subject.withdrew = true;
    BAD(trial_subject, &subject, &back);
    subject.unblinded = true, subject.unblinded_for = SY_UNBLIND_TREATMENT;
    subject.status = SY_SUBJECT_WITHDRAWN, subject.reason = SY_WITHDRAW_WISH;
    ROUND(trial_subject, &subject, &back);
    assert_true(back.unblinded && back.withdrew);
    subject.reason = 0;
    BAD(trial_subject, &subject, &back);
    subject.reason = SY_WITHDRAW_WISH, subject.unblinded_for = 9;
    BAD(trial_subject, &subject, &back);
    subject.unblinded_for = SY_UNBLIND_TREATMENT, subject.place = 0, subject.enrolled_height = 0;
    BAD(trial_subject, &subject, &back); // there was nothing to unblind
    subject.unblinded = false, subject.by = 3;
    BAD(trial_subject, &subject, &back);
}

CASE(sites_data_and_reports_are_what_was_written)
{
    struct sy_trial_site site = {.subjects = 4, .enrolled = 3, .withdrawn = 4}, site_back;
    ROUND(trial_site, &site, &site_back);
    site.enrolled = 5;
    BAD(trial_site, &site, &site_back);
    struct sy_trial_lot lot = {.beacon = test_hash(3), .height = 1}, lot_back;
    ROUND(trial_lot, &lot, &lot_back);
    lot.height = 0;
    BAD(trial_lot, &lot, &lot_back);
    struct sy_trial_key key = {.trial = test_hash(3), .subject = test_hash(4)}, key_back;
    ROUND(trial_key, &key, &key_back);
    struct sy_trial_data data = {.site = test_hash(1), .visit = 1, .form = 65535, .rows = 1};
    struct sy_trial_data data_back;
    ROUND(trial_data, &data, &data_back);
    assert_int_equal(data_back.form, 65535);
    data.rows = 0;
    BAD(trial_data, &data, &data_back);
    data.rows = SY_TRIAL_ROWS_MAX + 1;
    BAD(trial_data, &data, &data_back);
    struct sy_trial_report report = {.grade = 5, .serious = true, .late = true, .related = 3};
    struct sy_trial_report report_back;
    ROUND(trial_report, &report, &report_back);
    report.serious = false;
    BAD(trial_report, &report, &report_back);
    report.late = false, report.grade = 6;
    BAD(trial_report, &report, &report_back);
    report.grade = 0;
    BAD(trial_report, &report, &report_back);
    report.grade = 1, report.related = 6;
    BAD(trial_report, &report, &report_back);
}

CASE(a_draw_is_salted_before_it_is_revealed)
{
    struct sy_trial_draw draw = {.commit = test_hash(1), .reveal_days = 30, .height = 4}, back;
    ROUND(trial_draw, &draw, &back);
    draw.revealed = true;
    BAD(trial_draw, &draw, &back);
    draw.salted = true, draw.salt = test_hash(2), draw.seed = test_hash(3);
    ROUND(trial_draw, &draw, &back);
    draw.late = true;
    ROUND(trial_draw, &draw, &back);
    assert_true(back.late);
    draw.revealed = false;
    BAD(trial_draw, &draw, &back);
    draw.late = false, draw.reveal_days = SY_TRIAL_REVEAL_DAYS_MAX + 1;
    BAD(trial_draw, &draw, &back);
    draw.reveal_days = 0;
    BAD(trial_draw, &draw, &back);
}

CASE(locks_and_results_say_who_signed_as_what)
{
    struct sy_trial_lock lock = {.commits = 7, .signers = {.meanings = {1, 4}}, .height = 9};
    struct sy_trial_lock lock_back;
    lock.signers.keys[1] = test_public(7);
    ROUND(trial_lock, &lock, &lock_back);
    assert_int_equal(lock_back.signers.meanings[1], SY_MEANING_RESPONSIBILITY);
    lock.signers.meanings[0] = 0;
    BAD(trial_lock, &lock, &lock_back);
    struct sy_trial_result result = {.switched = true,
                                     .registered_version = 1,
                                     .signers = {.meanings = {2, 3}},
                                     .endpoints = ids(2)};
    struct sy_trial_result result_back;
    ROUND(trial_result, &result, &result_back);
    assert_true(result_back.switched && !result_back.late);
    result.late = true, result.switched = false;
    ROUND(trial_result, &result, &result_back);
    assert_true(result_back.late && !result_back.switched);
    result.registered_version = 0;
    BAD(trial_result, &result, &result_back);
    result.registered_version = 1, result.endpoints = ids(0);
    BAD(trial_result, &result, &result_back);
    result.endpoints = ids(1), result.signers.meanings[1] = 5;
    BAD(trial_result, &result, &result_back);
}

CASE(sets_of_endpoints_are_the_same_in_any_order)
{
    static uint8_t rooms[3][64];
    struct sy_list lists[3] = {{0}};
    static const unsigned members[3][2] = {{1, 2}, {2, 1}, {1, 3}};
    for (unsigned i = 0; i < 3; i++) {
        struct sy_writer w = sy_writer_of(rooms[i], sizeof rooms[i]);
        for (unsigned k = 0; k < 2; k++) {
            struct sy_hash id = test_hash(members[i][k]);
            sy_list_add_id(&lists[i], &w, &id);
        }
    }
    assert_true(sy_trial_lists_same(&lists[0], &lists[1]));
    assert_false(sy_trial_lists_same(&lists[0], &lists[2]));
    struct sy_list shorter = {.count = 1, .items = {lists[0].items.data, 32}};
    assert_false(sy_trial_lists_same(&lists[0], &shorter));
    assert_false(sy_trial_lists_same(&shorter, &lists[0]));
}

CASE(entries_of_trials_are_found_by_number)
{
    struct sy_hash trial = test_hash(1), second = {{0}}, expected, out;
    sy_store_u64(second.bytes, 70000);
    for (unsigned kind = SY_STATE_TRIAL; kind <= SY_STATE_TRIAL_RESULT; kind++) {
        assert_true(sy_trial_key_of(&out, kind, &trial, &second));
    }
    assert_true(sy_trial_key_of(&out, SY_STATE_TRIAL_BEACON, &trial, &second));
    assert_true(sy_trial_key_of(&out, SY_STATE_TRIAL_KEY, &trial, &second));
    assert_false(sy_trial_key_of(&out, SY_STATE_CONDITIONS, &trial, &second));
    sy_trial_key_number(&out, SY_STATE_TRIAL_DATA, &trial, 70000);
    sy_state_key_pair(&expected, SY_STATE_TRIAL_DATA, &trial, &second);
    assert_memory_equal(&out, &expected, sizeof out);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_trial_is_what_was_written),
        cmocka_unit_test(a_trial_that_cannot_be_is_none),
        cmocka_unit_test(a_version_has_endpoints_and_sites),
        cmocka_unit_test(a_subject_has_a_place_once_enrolled),
        cmocka_unit_test(sites_data_and_reports_are_what_was_written),
        cmocka_unit_test(a_draw_is_salted_before_it_is_revealed),
        cmocka_unit_test(locks_and_results_say_who_signed_as_what),
        cmocka_unit_test(sets_of_endpoints_are_the_same_in_any_order),
        cmocka_unit_test(entries_of_trials_are_found_by_number),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
