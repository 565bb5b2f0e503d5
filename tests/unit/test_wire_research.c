/* The research commons as state holds it: what is written is read again, and nothing else is. */
#include <string.h>

#include "core/wire/state_research.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

static uint8_t room[SY_STATE_VALUE_BYTES_MAX], again[SY_STATE_VALUE_BYTES_MAX];

/* Lists stand for the next 16 calls. */
static struct sy_writer next_room(void)
{
    static uint8_t rooms[16][2048];
    static unsigned at;
    at = (at + 1) % 16;
    return sy_writer_of(rooms[at], sizeof rooms[at]);
}

static struct sy_list ids(unsigned count)
{
    struct sy_list list = {0};
    struct sy_writer w = next_room();
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash id = test_hash(500 + i);
        sy_list_add_id(&list, &w, &id);
    }
    return list;
}

/* So many texts of the largest size. */
static struct sy_list texts(unsigned count)
{
    struct sy_list list = {0};
    struct sy_writer w = next_room();
    char text[SY_CODE_BYTES_MAX];
    for (unsigned i = 0; i < count; i++) {
        memset(text, (int)('!' + i), sizeof text);
        sy_list_add_text(&list, &w, sy_slice_of(text, sizeof text));
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

CASE(a_data_set_has_custodians_as_many_as_it_takes)
{
    struct sy_dataset dataset = {.needed = 4, .version = 1, .custodians = ids(4)}, back;
    ROUND(dataset, &dataset, &back);
    assert_int_equal(back.custodians.count, 4);
    dataset.withdrawn = true, dataset.reason = SY_DATASET_CONSENT, dataset.withdrawn_height = 9;
    ROUND(dataset, &dataset, &back);
    assert_int_equal(back.withdrawn_height, 9);
    dataset.reason = 99;
    BAD(dataset, &dataset, &back);
    dataset.withdrawn = false, dataset.custodians = ids(3);
    BAD(dataset, &dataset, &back); // four are needed
    dataset.needed = 0;
    BAD(dataset, &dataset, &back);
    dataset.needed = 1, dataset.version = 0;
    BAD(dataset, &dataset, &back);
    dataset.version = 1, dataset.custodians = ids(5);
    BAD(dataset, &dataset, &back);
}

CASE(a_version_says_what_a_data_set_has)
{
    struct sy_dataset_version version = {.as_of = 3,
                                         .basis = SY_BASIS_OPTIN,
                                         .genetic = true,
                                         .wearable = true,
                                         .has_beacon = true,
                                         .devices = SY_SET_BIT(SY_DEVICE_WEARABLE),
                                         .ages = SY_SET_BIT(SY_AGES_OLD),
                                         .people = SY_COUNT_MOST,
                                         .beacon_root = test_hash(4),
                                         .height = 4,
                                         .codes = texts(SY_DATASET_CODES_MAX),
                                         .phenotypes = texts(SY_DATASET_CODES_MAX)},
                              back, bad;
    ROUND(dataset_version, &version, &back); // the largest
    bad = version, bad.genetic = false;
    BAD(dataset_version, &bad, &back); // a beacon of nothing
    bad = version, bad.wearable = false;
    BAD(dataset_version, &bad, &back);
    bad = version, bad.as_of = 4;
    BAD(dataset_version, &bad, &back); // its own block
    bad = version, bad.as_of = 0;
    BAD(dataset_version, &bad, &back);
    bad = version, bad.basis = 0;
    BAD(dataset_version, &bad, &back);
    bad = version, bad.ages = 1;
    BAD(dataset_version, &bad, &back);
    bad = version, bad.people = 6;
    BAD(dataset_version, &bad, &back);
    bad = version, bad.codes = texts(SY_DATASET_CODES_MAX + 1);
    BAD(dataset_version, &bad, &back);
}

CASE(a_query_is_proposed_then_approved_then_answered_or_denied)
{
    struct sy_query query = {.status = SY_QUERY_PROPOSED,
                             .purpose = SY_QUERY_STUDY,
                             .budget = SY_QUERY_CELLS_MAX,
                             .dataset_count = 4,
                             .predicate = {.rows = SY_AXIS_AGE,
                                           .columns = SY_AXIS_YEAR,
                                           .codes = texts(4),
                                           .phenotypes = texts(4),
                                           .variants = texts(4)}},
                    back, bad;
    for (unsigned i = 0; i < 4; i++) {
        query.datasets[i] = (struct sy_query_dataset){test_hash(i + 1), i + 1, 2, i % 2 == 0};
    }
    ROUND(query, &query, &back);
    bad = query, bad.approved_height = 4;
    BAD(query, &bad, &back);
    bad.status = SY_QUERY_APPROVED;
    ROUND(query, &bad, &back);
    bad.ended_height = 5;
    BAD(query, &bad, &back);
    bad.status = SY_QUERY_ANSWERED;
    ROUND(query, &bad, &back);
    bad.status = SY_QUERY_DENIED;
    ROUND(query, &bad, &back);
    bad.approved_height = 0;
    ROUND(query, &bad, &back);
    bad.ended_height = 0;
    BAD(query, &bad, &back);
    bad = query, bad.budget = SY_QUERY_CELLS_MAX + 1;
    BAD(query, &bad, &back);
    bad = query, bad.budget = 0;
    BAD(query, &bad, &back);
    bad = query, bad.datasets[3].version = 0;
    BAD(query, &bad, &back);
    bad = query, bad.datasets[3].approvals = 5;
    BAD(query, &bad, &back);
    bad = query, bad.predicate.rows = 0;
    BAD(query, &bad, &back);
    bad = query, bad.predicate.devices = 1;
    BAD(query, &bad, &back);
}

CASE(a_predicates_hash_is_of_all_of_it)
{
    struct sy_predicate one = {.rows = SY_AXIS_AGE, .columns = SY_AXIS_SEX, .codes = texts(2)};
    struct sy_predicate other;
    struct sy_hash a, b;
    sy_predicate_hash(&a, &one);
    other = one, other.columns = SY_AXIS_YEAR;
    sy_predicate_hash(&b, &other);
    assert_false(sy_hash_equal(&a, &b));
    other = one, other.ages = 2;
    sy_predicate_hash(&b, &other);
    assert_false(sy_hash_equal(&a, &b));
    other = one, other.codes = texts(0), other.phenotypes = one.codes;
    sy_predicate_hash(&b, &other);
    assert_false(sy_hash_equal(&a, &b)); // the list that they stand in counts
    other = one;
    sy_predicate_hash(&b, &other);
    assert_true(sy_hash_equal(&a, &b));
}

CASE(a_result_is_a_table)
{
    static uint8_t cells[4 * SY_QUERY_CELLS_MAX];
    struct sy_query_answer answer = {.k = 11,
                                     .has_total = true,
                                     .total = 40,
                                     .rows = texts(16),
                                     .columns = texts(8),
                                     .cells = sy_slice_of(cells, sizeof cells),
                                     .row_totals = sy_slice_of(cells, 4 * 16),
                                     .column_totals = sy_slice_of(cells, 4 * 8),
                                     .key_count = SY_TX_SIGNERS_MAX},
                           back, bad;
    ROUND(query_answer, &answer, &back); // the largest
    bad = answer, bad.total = SY_QUERY_HIDDEN;
    BAD(query_answer, &bad, &back);
    bad = answer, bad.k = 0;
    BAD(query_answer, &bad, &back);
    bad = answer, bad.key_count = 0;
    BAD(query_answer, &bad, &back);
    bad = answer, bad.row_totals.size = 4 * 8;
    BAD(query_answer, &bad, &back);
    bad = answer, bad.column_totals.size = 4 * 16;
    BAD(query_answer, &bad, &back);
    bad = answer, bad.cells.size -= 4;
    BAD(query_answer, &bad, &back);
    bad = answer, bad.rows = texts(0), bad.cells.size = 0, bad.row_totals.size = 0;
    BAD(query_answer, &bad, &back);
    bad = answer, bad.has_total = false, bad.row_totals.size = bad.column_totals.size = 0;
    ROUND(query_answer, &bad, &back);
}

CASE(small_entries_come_back)
{
    struct sy_query_decision decision = {.height = 3}, decided;
    ROUND(query_decision, &decision, &decided);
    decision.reason = SY_DENIED_OTHER;
    ROUND(query_decision, &decision, &decided);
    decision.reason = 99;
    BAD(query_decision, &decision, &decided);
    struct sy_query_asked asked = {.epoch = 7, .query = test_hash(3)}, asked_back;
    ROUND(query_asked, &asked, &asked_back);
    struct sy_research_budget budget = {.epoch = 7, .cells = 8}, budget_back;
    ROUND(research_budget, &budget, &budget_back);
    budget.cells = SY_SLOT_MAX + 1;
    BAD(research_budget, &budget, &budget_back);
    struct sy_contribution said = {.in = true, .times = 1, .classes = texts(16)}, said_back;
    ROUND(contribution, &said, &said_back);
    said.times = 0;
    BAD(contribution, &said, &said_back);
    struct sy_optouts optouts = {.count = 1}, optouts_back;
    ROUND(optouts, &optouts, &optouts_back);
    optouts.count = 0;
    BAD(optouts, &optouts, &optouts_back);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_data_set_has_custodians_as_many_as_it_takes),
        cmocka_unit_test(a_version_says_what_a_data_set_has),
        cmocka_unit_test(a_query_is_proposed_then_approved_then_answered_or_denied),
        cmocka_unit_test(a_predicates_hash_is_of_all_of_it),
        cmocka_unit_test(a_result_is_a_table),
        cmocka_unit_test(small_entries_come_back),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
