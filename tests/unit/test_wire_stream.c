/* Streams of devices: their entries of state come back, and nothing else does; which kinds there
 * are and in which units; how many samples a window may have. */
#include <string.h>

#include "core/crypto/hash.h"
#include "core/wire/state_stream.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

static uint8_t room[SY_STATE_VALUE_BYTES_MAX];

static struct sy_slice text(const char *words)
{
    return sy_slice_of(words, strlen(words));
}

/* Comes back the same; is refused cut anywhere, and longer. */
#define CHECK(name, type, value)                                                 \
    do {                                                                         \
        type back_;                                                              \
        struct sy_writer w_ = sy_writer_of(room, sizeof room);                   \
        name##_encode(&w_, (value));                                             \
        assert_false(w_.failed);                                                 \
        struct sy_slice whole_ = sy_writer_slice(&w_);                           \
        assert_true(name##_decode(&back_, whole_));                              \
        uint8_t out_[SY_STATE_VALUE_BYTES_MAX];                                  \
        struct sy_writer again_ = sy_writer_of(out_, sizeof out_);               \
        name##_encode(&again_, &back_);                                          \
        assert_true(sy_slice_equal(sy_writer_slice(&again_), whole_));           \
        for (size_t size_ = 0; size_ < whole_.size; size_++) {                   \
            assert_false(name##_decode(&back_, sy_slice_of(room, size_)));       \
        }                                                                        \
        room[whole_.size] = 0;                                                   \
        assert_false(name##_decode(&back_, sy_slice_of(room, whole_.size + 1))); \
    } while (0)
#define REFUSED(name, type, value)                                 \
    do {                                                           \
        type back_;                                                \
        struct sy_writer w_ = sy_writer_of(room, sizeof room);     \
        name##_encode(&w_, (value));                               \
        assert_false(name##_decode(&back_, sy_writer_slice(&w_))); \
    } while (0)

static const uint8_t test_team[33] = {5};

static struct sy_stream some_stream(void)
{
    return (struct sy_stream){.device = test_hash(1),
                              .patient = test_hash(2),
                              .organisation = test_hash(3),
                              .system = SY_STREAM_LOINC,
                              .kind = text("2339-0"),
                              .unit = text("mg/dL"),
                              .rate = SY_STREAM_RATE_MAX,
                              .tolerance_s = SY_STREAM_TOLERANCE_S_MAX,
                              .consent = test_hash(4),
                              .care_team = {.count = 1, .items = {test_team, 32}},
                              .commits = 3,
                              .gaps = 2,
                              .alerts = 9,
                              .until_ms = 77,
                              .samples = 3,
                              .height = 5,
                              .time_ms = 6};
}

CASE(streams_come_back)
{
    struct sy_stream stream = some_stream();
    CHECK(sy_stream, struct sy_stream, &stream);
    stream.closed = true;
    stream.close_reason = SY_STREAM_CLOSE_LOST;
    stream.closed_height = 8;
    stream.closed_ms = 9;
    CHECK(sy_stream, struct sy_stream, &stream);
    stream.close_reason = 0;
    REFUSED(sy_stream, struct sy_stream, &stream);
    for (unsigned i = 0; i < 14; i++) {
        struct sy_stream changed = some_stream();
        if (i == 0) changed.unit = text("mmol/L");
        if (i == 1) changed.kind = text("2339-1");
        if (i == 2) changed.system = 3;
        if (i == 3) changed.rate = 0;
        if (i == 4) changed.rate = SY_STREAM_RATE_MAX + 1;
        if (i == 5) changed.tolerance_s = SY_STREAM_TOLERANCE_S_MAX + 1;
        if (i == 6) changed.gaps = 4;
        if (i == 7) changed.samples = 2;
        if (i == 8) changed.until_ms = 0;
        if (i == 9) changed.until_ms = SY_TIME_MS_MAX + 1;
        if (i == 10) changed.commits = changed.gaps = 0; // but samples, and an end
        if (i == 12) changed.care_team.count = 2;
        if (i == 13) changed.care_team.items.size = 33;
        if (i == 11) changed.until_ms = -1;
        REFUSED(sy_stream, struct sy_stream, &changed);
    }
}

/* It follows another one, whose last window's end it has before a window of its own. */
CASE(a_stream_that_follows_comes_back)
{
    struct sy_stream stream = some_stream();
    stream.gaps = 3; // one of them before its first window
    CHECK(sy_stream, struct sy_stream, &stream);
    stream.commits = stream.gaps = 0;
    stream.samples = 0;
    CHECK(sy_stream, struct sy_stream, &stream);
    struct sy_stream_newest newest = {.stream = test_hash(6)};
    CHECK(sy_stream_newest, struct sy_stream_newest, &newest);
}

/* Device, patient, system and kind each count. */
CASE(the_newest_stream_is_one_of_a_device_patient_and_kind)
{
    struct sy_hash keys[5], device = test_hash(1), patient = test_hash(2), other = test_hash(3);
    sy_state_key_newest(&keys[0], &device, &patient, SY_STREAM_LOINC, text("8867-4"));
    sy_state_key_newest(&keys[1], &other, &patient, SY_STREAM_LOINC, text("8867-4"));
    sy_state_key_newest(&keys[2], &device, &other, SY_STREAM_LOINC, text("8867-4"));
    sy_state_key_newest(&keys[3], &device, &patient, SY_STREAM_IEEE_1752, text("8867-4"));
    sy_state_key_newest(&keys[4], &device, &patient, SY_STREAM_LOINC, text("9279-1"));
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned j = 0; j < i; j++) assert_memory_not_equal(&keys[i], &keys[j], 32);
    }
    struct sy_hash what, whose, expected;
    sy_sha256(&what,
              "\x01\x00"
              "8867-4",
              8);
    sy_hash_prefixed(&whose, 4, &patient, &what);
    assert_true(sy_stream_key_of(&expected, SY_STATE_STREAM_NEWEST, &device, &whose));
    assert_memory_equal(&keys[0], &expected, sizeof expected);
}

CASE(what_a_stream_has_comes_back)
{
    struct sy_stream_commit_entry commit = {.key = test_public(1),
                                            .release = 1,
                                            .from_ms = 0,
                                            .to_ms = 1,
                                            .samples = SY_STREAM_SAMPLES_MAX,
                                            .root = test_hash(2),
                                            .backfill = true,
                                            .gap = true,
                                            .height = 3,
                                            .time_ms = 4};
    CHECK(sy_stream_commit, struct sy_stream_commit_entry, &commit);
    for (unsigned i = 0; i < 5; i++) {
        struct sy_stream_commit_entry changed = commit;
        if (i == 0) changed.release = 0;
        if (i == 1) changed.to_ms = 0;
        if (i == 2) changed.samples = 0;
        if (i == 3) changed.samples = SY_STREAM_SAMPLES_MAX + 1;
        if (i == 4) changed.from_ms = -1;
        REFUSED(sy_stream_commit, struct sy_stream_commit_entry, &changed);
    }
    struct sy_stream_gap gap = {.from_ms = 5, .to_ms = 6, .sequence = 2};
    CHECK(sy_stream_gap, struct sy_stream_gap, &gap);
    gap.sequence = 1; // what is missing since the stream before
    CHECK(sy_stream_gap, struct sy_stream_gap, &gap);
    gap.sequence = 0;
    REFUSED(sy_stream_gap, struct sy_stream_gap, &gap);
    gap.sequence = 2;
    gap.from_ms = 6;
    REFUSED(sy_stream_gap, struct sy_stream_gap, &gap);
    struct sy_stream_alert_entry alert = {
        .key = test_public(1), .rule = test_hash(1), .level = SY_ALERT_CRITICAL, .at_ms = 1};
    CHECK(sy_stream_alert, struct sy_stream_alert_entry, &alert);
    alert.level = SY_ALERT_CRITICAL + 1;
    REFUSED(sy_stream_alert, struct sy_stream_alert_entry, &alert);
    struct sy_firmware firmware = {.release = 1, .firmware = test_hash(1), .until_ms = 7};
    CHECK(sy_firmware, struct sy_firmware, &firmware);
    firmware.release = 0;
    REFUSED(sy_firmware, struct sy_firmware, &firmware);
}

CASE(every_entry_of_a_patients_has_a_word)
{
    for (unsigned what = SY_PLACE_RECORD; what < SY_PLACE_COUNT; what++) {
        assert_non_null(sy_place_word(what));
    }
    assert_string_equal(sy_place_word(SY_PLACE_STREAM), "stream");
    assert_null(sy_place_word(0));
    assert_null(sy_place_word(SY_PLACE_COUNT));
}

/* Each row once, and whatever it says can be written in a payload. */
CASE(the_table_of_kinds_is_sound)
{
    const struct sy_stream_kind *kind;
    for (unsigned i = 0; (kind = sy_stream_kind_at(i)) != NULL; i++) {
        assert_ptr_equal(sy_stream_kind_find(kind->system, text(kind->code)), kind);
        assert_non_null(sy_enum_word(&sy_enum_stream_system, kind->system));
        assert_true(strlen(kind->code) > 0 && strlen(kind->code) <= SY_CODE_BYTES_MAX);
        assert_true(strlen(kind->name) > 0 && strlen(kind->units) > 0);
        assert_false(sy_stream_unit_good(kind, text("")));
        assert_false(sy_stream_unit_good(kind, text(" ")));
        size_t first = strcspn(kind->units, " ");
        assert_true(first <= SY_CODE_BYTES_MAX);
        assert_true(sy_stream_unit_good(kind, sy_slice_of(kind->units, first)));
        assert_false(sy_stream_unit_good(kind, sy_slice_of(kind->units, first - 1)) && first > 1);
    }
    assert_null(sy_stream_kind_find(SY_STREAM_LOINC, text("8867-40")));
    kind = sy_stream_kind_find(SY_STREAM_LOINC, text("8310-5"));
    assert_true(sy_stream_unit_good(kind, text("Cel")) && sy_stream_unit_good(kind, text("K")));
    assert_false(sy_stream_unit_good(kind, text("Cel K")));
}

CASE(a_window_has_a_tenth_more_than_the_rate_says)
{
    assert_int_equal(sy_stream_samples_max(60, 600000), 11);
    assert_int_equal(sy_stream_samples_max(1, 3600000), 1);
    assert_int_equal(sy_stream_samples_max(1, 3272727), 0);
    assert_int_equal(sy_stream_samples_max(1, 3272728), 1);
    assert_int_equal(sy_stream_samples_max(SY_STREAM_RATE_MAX, 0), 0);
    assert_true(sy_stream_samples_max(SY_STREAM_RATE_MAX, SY_STREAM_SPAN_MS_MAX) ==
                UINT64_C(3600000) * 31 * 24 * 11 / 10);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(streams_come_back),
        cmocka_unit_test(a_stream_that_follows_comes_back),
        cmocka_unit_test(the_newest_stream_is_one_of_a_device_patient_and_kind),
        cmocka_unit_test(what_a_stream_has_comes_back),
        cmocka_unit_test(every_entry_of_a_patients_has_a_word),
        cmocka_unit_test(the_table_of_kinds_is_sound),
        cmocka_unit_test(a_window_has_a_tenth_more_than_the_rate_says),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
