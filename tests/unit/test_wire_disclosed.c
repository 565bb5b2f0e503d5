/* test_wire_disclosed.c: leaves of disclosures, files of them, and the log that commits to them. */
#include "core/crypto/hash.h"
#include "core/wire/disclosed.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

static struct sy_disclosed leaf_of(unsigned patient, int64_t time_ms)
{
    return (struct sy_disclosed){.patient = test_hash(patient),
                                 .reader = test_public(9),
                                 .record = test_hash(40),
                                 .version = 2,
                                 .purpose = SY_PURPOSE_TREATMENT,
                                 .time_ms = time_ms,
                                 .ground = SY_GROUND_CONSENT,
                                 .by = test_hash(41),
                                 .salt = test_hash(1000 + (unsigned)time_ms)};
}

static bool comes_back(const struct sy_disclosed *leaf)
{
    uint8_t bytes[SY_LEAF_BYTES];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_disclosed back;
    sy_disclosed_encode(&w, leaf);
    assert_int_equal(w.used, SY_LEAF_BYTES);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    return sy_disclosed_decode(&r, &back) && sy_reader_done(&r) &&
           memcmp(&back.salt, &leaf->salt, 32) == 0 && back.time_ms == leaf->time_ms;
}

CASE(a_leaf_stands_as_format_md_says)
{
    uint8_t bytes[SY_LEAF_BYTES];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_disclosed leaf = leaf_of(1, 77);
    struct sy_hash hash, expected;
    sy_disclosed_encode(&w, &leaf);
    assert_int_equal(bytes[0], 1);
    assert_memory_equal(bytes + 1, leaf.patient.bytes, 32);
    assert_memory_equal(bytes + 33, leaf.reader.bytes, 32);
    assert_memory_equal(bytes + 65, leaf.record.bytes, 32);
    assert_int_equal(sy_load_u32(bytes + 97), 2);
    assert_int_equal(sy_load_u16(bytes + 101), SY_PURPOSE_TREATMENT);
    assert_int_equal(sy_load_u64(bytes + 103), 77);
    assert_int_equal(bytes[111], SY_GROUND_CONSENT);
    assert_memory_equal(bytes + 112, leaf.by.bytes, 32);
    assert_memory_equal(bytes + 144, leaf.salt.bytes, 32);
    sy_disclosed_hash(&hash, &leaf);
    sy_hash_leaf(&expected, sy_slice_of(bytes, sizeof bytes));
    assert_memory_equal(hash.bytes, expected.bytes, 32);
}

CASE(a_leaf_that_says_nothing_sensible_is_refused)
{
    struct sy_disclosed leaf = leaf_of(1, 5);
    assert_true(comes_back(&leaf));
    leaf.purpose = 0;
    assert_false(comes_back(&leaf));
    leaf = leaf_of(1, 5);
    memset(&leaf.by, 0, sizeof leaf.by); /* by which consent? */
    assert_false(comes_back(&leaf));
    leaf.ground = SY_GROUND_OVERSIGHT;
    assert_true(comes_back(&leaf));
    leaf.by = test_hash(3); /* oversight has none */
    assert_false(comes_back(&leaf));
    leaf = leaf_of(1, 5);
    memset(&leaf.record, 0, sizeof leaf.record); /* the version of what? */
    assert_false(comes_back(&leaf));
    leaf.version = 0;
    assert_true(comes_back(&leaf));
    for (unsigned ground = 0; ground <= SY_GROUND_COUNT; ground++) {
        const char *word = sy_ground_word(ground);
        assert_int_equal(word != NULL, ground > 0 && ground < SY_GROUND_COUNT);
        if (word != NULL) assert_int_equal(sy_ground_named(word), ground);
    }
    assert_int_equal(sy_ground_named("whim"), 0);
}

/* Two logs one after the other, the first of which was cut off. */
CASE(a_file_gives_what_is_whole_in_it)
{
    static struct sy_disclosed out[SY_LOG_LEAVES_MAX];
    static const uint8_t network[16] = {7};
    uint8_t bytes[4096], tag[16];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_hash first = test_hash(1), second = test_hash(2), id;
    struct sy_disclosed leaf = leaf_of(3, 1);
    uint32_t count;
    sy_leaves_head_encode(&w, network, &first);
    for (uint32_t i = 0; i < 3; i++) sy_leaves_entry_encode(&w, &first, i, &leaf);
    w.used -= 5;
    sy_leaves_head_encode(&w, network, &second);
    sy_leaves_entry_encode(&w, &second, 0, &leaf);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(sy_leaves_log_next(&r, tag, &id, out, &count));
    assert_true(sy_hash_equal(&id, &first) && count == 2 && tag[0] == 7);
    assert_true(sy_leaves_log_next(&r, tag, &id, out, &count));
    assert_true(sy_hash_equal(&id, &second) && count == 1);
    assert_false(sy_leaves_log_next(&r, tag, &id, out, &count));
    r = sy_reader_of(sy_slice_of("nothing of the kind", 19));
    assert_false(sy_leaves_log_next(&r, tag, &id, out, &count));

    /* Every bit of an entry counts, and so do its place and its log. */
    w = sy_writer_of(bytes, sizeof bytes);
    sy_leaves_entry_encode(&w, &first, 4, &leaf);
    r = sy_reader_of(sy_writer_slice(&w));
    assert_false(sy_leaves_entry_next(&r, out, &first, 5));
    assert_false(sy_leaves_entry_next(&r, out, &second, 4));
    for (unsigned bit = 0; bit < 8 * SY_LEAF_ENTRY_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_false(sy_leaves_entry_next(&r, out, &first, 4));
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_true(sy_leaves_entry_next(&r, out, &first, 4));
}

/* Of three patients, in turns; each leaf leads to its patient's root and to no other's. */
CASE(a_log_commits_to_each_leaf)
{
    enum { LEAVES = 17 };
    struct sy_disclosed leaves[LEAVES];
    struct sy_hash hashes[LEAVES], id = test_hash(99), root, hash, named;
    struct sy_log_room room;
    struct sy_access_log log;
    unsigned own[3] = {0};
    for (unsigned i = 0; i < LEAVES; i++) leaves[i] = leaf_of(i * i % 3 + i % 2, 100 + (int64_t)i);
    assert_int_equal(sy_log_make(&log, &room, hashes, &id, leaves, LEAVES), SY_OK);
    assert_true(log.first == 100 && log.last == 100 + LEAVES - 1);
    assert_int_equal(log.patients.count, 3);
    for (unsigned i = 0; i < LEAVES; i++) {
        struct sy_merkle_path path;
        size_t at = 0, roots_at = 0;
        sy_log_prove(&path, hashes, leaves, LEAVES, i);
        sy_disclosed_hash(&hash, &leaves[i]);
        assert_true(sy_merkle_path_root(&root, &path, &hash));
        for (unsigned k = 0; k < 3; k++) {
            struct sy_hash patient;
            assert_true(sy_list_next_id(&log.patients, &at, &patient));
            assert_true(sy_list_next_id(&log.roots, &roots_at, &named));
            bool of_it = sy_hash_equal(&patient, &leaves[i].patient);
            assert_int_equal(sy_hash_equal(&named, &root), of_it);
            if (of_it) assert_int_equal(path.leaf_count, sy_load_u32(log.counts.data + 4 * k));
            if (of_it) assert_int_equal(path.leaf_index, own[k]++);
        }
    }
}

CASE(what_makes_no_log_is_refused)
{
    struct sy_disclosed leaves[SY_LOG_PATIENTS_MAX + 1];
    struct sy_hash hashes[SY_LOG_PATIENTS_MAX + 1], id = test_hash(99);
    struct sy_log_room room;
    struct sy_access_log log;
    for (unsigned i = 0; i <= SY_LOG_PATIENTS_MAX; i++) leaves[i] = leaf_of(200 + i, i);
    assert_int_equal(sy_log_make(&log, &room, hashes, &id, leaves, 0), SY_ERR_ARGUMENT);
    assert_int_equal(sy_log_make(&log, &room, hashes, &id, leaves, SY_LOG_PATIENTS_MAX), SY_OK);
    assert_int_equal(log.patients.count, SY_LOG_PATIENTS_MAX);
    assert_int_equal(sy_log_make(&log, &room, hashes, &id, leaves, SY_LOG_PATIENTS_MAX + 1),
                     SY_ERR_LIMIT);
    leaves[1].time_ms = SY_LOG_SPAN_MS_MAX; /* a day */
    assert_int_equal(sy_log_make(&log, &room, hashes, &id, leaves, 2), SY_OK);
    leaves[1].time_ms++;
    assert_int_equal(sy_log_make(&log, &room, hashes, &id, leaves, 2), SY_ERR_ARGUMENT);
    leaves[0].time_ms = leaves[1].time_ms + 1; /* time falls */
    assert_int_equal(sy_log_make(&log, &room, hashes, &id, leaves, 2), SY_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_leaf_stands_as_format_md_says),
        cmocka_unit_test(a_leaf_that_says_nothing_sensible_is_refused),
        cmocka_unit_test(a_file_gives_what_is_whole_in_it),
        cmocka_unit_test(a_log_commits_to_each_leaf),
        cmocka_unit_test(what_makes_no_log_is_refused),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
