/* One promise, every implementation: evidence in the store (store.h): kept for good, in bounds, one
 * validator's apart from another's, and never at the cost of a vote. ctest: timeout=600 */
#include <stdio.h>
#include <string.h>

#include "core/base/os.h"
#include "core/store/store.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

static struct sy_vote_write piece_of(uint64_t signer, uint8_t type, uint64_t slot, uint64_t extra,
                                     const char *text)
{
    struct sy_vote_write write = {.op = SY_VOTE_PUT_EVIDENCE, .key = {type, slot, extra}};
    write.body = test_hash_of(signer);
    write.value = sy_slice_of(text, strlen(text));
    return write;
}

static struct sy_vote_write record_of(uint8_t type, uint64_t slot, const char *text)
{
    struct sy_vote_write write = {.op = SY_VOTE_PUT_RECORD, .key = {type, slot, 0}};
    write.value = sy_slice_of(text, strlen(text));
    return write;
}

static void commit(sy_store *store, const struct sy_vote_write *writes, size_t count)
{
    struct sy_error err = {SY_OK, ""};
    if (sy_votes_commit(store, writes, count, &err) != SY_OK) fail_msg("%s", err.text);
}

/* ---- looking ---------------------------------------------------------------------------- */

#define SIGNERS 200u

struct seen {
    char text[512]; /* of the first pieces: signer.type.slot.extra=value */
    size_t used;
    uint64_t count;
    uint64_t against[SIGNERS];
    struct sy_hash last_signer;
    struct sy_record_key last;
    sy_status give; /* what the callback returns */
};

static uint64_t signer_number(const struct sy_hash *signer)
{
    for (uint64_t i = 0; i < SIGNERS; i++) {
        struct sy_hash candidate = test_hash_of(i);
        if (sy_hash_equal(&candidate, signer)) return i;
    }
    fail_msg("evidence against nobody");
    return 0;
}

static bool ascends(const struct seen *seen, const struct sy_hash *signer,
                    const struct sy_record_key *key)
{
    int by_signer = sy_hash_compare(&seen->last_signer, signer);
    if (seen->count == 0 || by_signer != 0) return by_signer < 0 || seen->count == 0;
    if (seen->last.type != key->type) return seen->last.type < key->type;
    if (seen->last.slot != key->slot) return seen->last.slot < key->slot;
    return seen->last.extra < key->extra;
}

static sy_status see(void *context, const struct sy_hash *signer, const struct sy_record_key *key,
                     struct sy_slice value)
{
    struct seen *seen = (struct seen *)context;
    uint64_t number = signer_number(signer);
    assert_true(ascends(seen, signer, key));
    if (seen->used + 100 < sizeof seen->text) {
        int length = snprintf(seen->text + seen->used, sizeof seen->text - seen->used,
                              "%llu.%u.%llu.%llu=%.*s ", (unsigned long long)number, key->type,
                              (unsigned long long)key->slot, (unsigned long long)key->extra,
                              (int)(value.size < 20 ? value.size : 20), (const char *)value.data);
        seen->used += (size_t)length;
    }
    seen->count++;
    seen->against[number]++;
    seen->last_signer = *signer;
    seen->last = *key;
    return seen->give;
}

static struct seen look(sy_store *store)
{
    struct seen seen = {.give = SY_OK};
    sy_store_reader *reader = test_reader_open(store);
    assert_int_equal(sy_evidence_each(reader, see, &seen, NULL), SY_OK);
    assert_int_equal(sy_evidence_count(reader), seen.count);
    sy_store_reader_close(reader);
    return seen;
}

/* ---- what is kept ----------------------------------------------------------------------- */

CASE(evidence_comes_back_in_order_and_survives_a_restart)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    assert_int_equal(look(t.store).count, 0);
    struct sy_vote_write writes[] = {piece_of(1, 2, 300, 1, "f"), piece_of(1, 1, 2, 0, "c"),
                                     piece_of(1, 1, 1, 256, "b"), piece_of(1, 1, 1, 2, "a"),
                                     piece_of(1, 2, 7, 9, "")};
    commit(t.store, writes, 5);
    const char *all = "1.1.1.2=a 1.1.1.256=b 1.1.2.0=c 1.2.7.9= 1.2.300.1=f ";
    assert_string_equal(look(t.store).text, all);
    test_store_restart(&t);
    assert_string_equal(look(t.store).text, all);
    struct sy_vote_write other = piece_of(2, 1, 1, 2, "x");
    commit(t.store, &other, 1);
    test_store_restart(&t);
    struct seen seen = look(t.store);
    assert_int_equal(seen.against[1], 5);
    assert_int_equal(seen.against[2], 1);
    test_store_end(&t);
}

CASE(the_first_piece_of_a_place_is_kept)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[] = {piece_of(1, 1, 5, 0, "first"), piece_of(1, 1, 5, 0, "second")};
    commit(t.store, writes, 2);
    assert_string_equal(look(t.store).text, "1.1.5.0=first ");
    struct sy_vote_write again = piece_of(1, 1, 5, 0, "third, and longer");
    commit(t.store, &again, 1);
    assert_string_equal(look(t.store).text, "1.1.5.0=first ");
    test_store_end(&t);
}

CASE(it_is_not_dropped_with_votes)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[] = {
        record_of(1, 5, "vote"),
        piece_of(1, 1, 5, 0, "kept"),
        {.op = SY_VOTE_DROP_RECORD, .key = {1, 5, 0}},
        {.op = SY_VOTE_DROP_BELOW, .key = {1, UINT64_MAX, 0}},
        {.op = SY_VOTE_DROP_BODY, .body = test_hash_of(1)},
    };
    commit(t.store, writes, 5);
    assert_string_equal(look(t.store).text, "1.1.5.0=kept ");
    test_store_end(&t);
}

static sy_status see_record(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    char *text = (char *)context;
    (void)snprintf(text, 64, "%u.%llu=%.*s", key->type, (unsigned long long)key->slot,
                   (int)value.size, (const char *)value.data);
    return SY_OK;
}

static void assert_record(sy_store *store, const char *expected)
{
    char text[64] = "";
    sy_store_reader *reader = test_reader_open(store);
    assert_int_equal(sy_votes_each(reader, see_record, text, NULL), SY_OK);
    assert_string_equal(text, expected);
    sy_store_reader_close(reader);
}

CASE(it_is_no_record)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[] = {record_of(1, 5, "vote"), piece_of(1, 1, 6, 0, "evidence")};
    commit(t.store, writes, 2);
    assert_record(t.store, "1.5=vote");
    test_store_end(&t);
}

/* ---- bounds ----------------------------------------------------------------------------- */

static void flood(sy_store *store, uint64_t signer, uint64_t pieces)
{
    for (uint64_t i = 0; i < pieces; i++) {
        struct sy_vote_write piece = piece_of(signer, (uint8_t)(1 + i % 4), 1000 + i, i, "flood");
        commit(store, &piece, 1);
    }
}

CASE(a_flood_from_one_validator_is_cut_off_and_pushes_nobody_out)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write early = piece_of(2, 1, 1, 0, "early");
    commit(t.store, &early, 1);
    flood(t.store, 1, 3 * SY_EVIDENCE_SIGNER_MAX);
    struct sy_vote_write late = piece_of(3, 1, 1, 0, "late");
    commit(t.store, &late, 1);
    test_store_restart(&t);
    flood(t.store, 1, 2);
    struct seen seen = look(t.store);
    assert_int_equal(seen.against[1], SY_EVIDENCE_SIGNER_MAX);
    assert_int_equal(seen.against[2], 1);
    assert_int_equal(seen.against[3], 1);
    test_store_end(&t);
}

CASE(so_many_signers_that_there_is_no_place_left_stop_nothing)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t signer = 0; signer < SIGNERS; signer++) {
        struct sy_vote_write writes[SY_EVIDENCE_SIGNER_MAX + 1];
        writes[0] = record_of(1, 5, "vote");
        for (unsigned i = 1; i <= SY_EVIDENCE_SIGNER_MAX; i++) {
            writes[i] = piece_of(signer, 1, i, 0, "one of many");
        }
        commit(t.store, writes, SY_EVIDENCE_SIGNER_MAX + 1);
    }
    struct seen seen = look(t.store);
    assert_int_equal(seen.count, SY_EVIDENCE_KEPT_MAX);
    for (unsigned i = 0; i < SY_EVIDENCE_KEPT_MAX / SY_EVIDENCE_SIGNER_MAX; i++) {
        assert_int_equal(seen.against[i], SY_EVIDENCE_SIGNER_MAX); // the oldest stay
    }
    assert_record(t.store, "1.5=vote");
    test_store_restart(&t);
    assert_int_equal(look(t.store).count, SY_EVIDENCE_KEPT_MAX);
    test_store_end(&t);
}

CASE(a_piece_over_its_limit_is_refused_and_changes_nothing)
{
    static uint8_t large[SY_EVIDENCE_VALUE_BYTES_MAX + 1];
    struct test_store t;
    struct sy_error err;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[] = {record_of(1, 5, "vote"), piece_of(1, 1, 1, 0, "")};
    writes[1].value = sy_slice_of(large, sizeof large);
    assert_int_equal(sy_votes_commit(t.store, writes, 2, &err), SY_ERR_LIMIT);
    assert_non_null(strstr(err.text, "evidence"));
    assert_record(t.store, "");
    writes[1].value.size--;
    commit(t.store, writes, 2);
    assert_int_equal(look(t.store).count, 1);
    test_store_end(&t);
}

CASE(a_walk_ends_when_the_callback_says_so)
{
    struct test_store t;
    struct seen seen = {.give = SY_ERR_LIMIT};
    test_store_begin(&t, test_kind_of(state));
    flood(t.store, 1, 3);
    sy_store_reader *reader = test_reader_open(t.store);
    assert_int_equal(sy_evidence_each(reader, see, &seen, NULL), SY_ERR_LIMIT);
    assert_int_equal(seen.count, 1);
    sy_store_reader_close(reader);
    test_store_end(&t);
}

/* ---- failures --------------------------------------------------------------------------- */

static bool is_full(sy_store *store)
{
    struct sy_store_stats stats;
    sy_store_stats_get(store, &stats);
    return stats.env[SY_ENV_VOTES].full;
}

CASE(a_full_disk_costs_the_evidence_and_not_the_vote)
{
    static const char *const places[] = {"store.votes.begin", "store.votes.commit"};
    for (unsigned i = 0; i < 2; i++) {
        struct test_store t;
        test_store_begin(&t, test_kind_of(state));
        struct sy_vote_write writes[] = {piece_of(1, 1, 1, 0, "lost"), record_of(1, 5, "vote")};
        sy_os_failpoint_arm(places[i], 1, "enospc");
        commit(t.store, writes, 2);
        sy_os_failpoint_arm(NULL, 0, NULL);
        assert_false(is_full(t.store));
        assert_int_equal(look(t.store).count, 0);
        assert_record(t.store, "1.5=vote");
        test_store_restart(&t);
        assert_int_equal(look(t.store).count, 0);
        assert_record(t.store, "1.5=vote");
        commit(t.store, writes, 2); // there is room again
        assert_string_equal(look(t.store).text, "1.1.1.0=lost ");
        test_store_end(&t);
    }
}

CASE(a_disk_without_room_for_the_vote_refuses_it_with_its_evidence)
{
    struct test_store t;
    struct sy_error err;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write writes[] = {piece_of(1, 1, 1, 0, "lost"), record_of(1, 5, "lost")};
    sy_os_failpoint_arm("store.votes.commit", 1, "enospc+");
    assert_int_equal(sy_votes_commit(t.store, writes, 2, &err), SY_ERR_DISK_FULL);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_non_null(strstr(err.text, "make room"));
    assert_true(is_full(t.store));
    assert_int_equal(look(t.store).count, 0);
    assert_record(t.store, "");
    assert_int_equal(sy_votes_commit(t.store, writes, 2, NULL), SY_ERR_DISK_FULL);
    assert_int_equal(sy_store_resume(t.store, NULL), SY_OK);
    commit(t.store, writes, 2);
    assert_int_equal(look(t.store).count, 1);
    assert_record(t.store, "1.5=lost");
    test_store_end(&t);
}

CASE(evidence_alone_on_a_full_disk_stops_nothing)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write piece = piece_of(1, 1, 1, 0, "lost");
    struct sy_vote_write vote = record_of(1, 5, "vote");
    sy_os_failpoint_arm("store.votes.commit", 1, "enospc");
    commit(t.store, &piece, 1);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_false(is_full(t.store));
    assert_int_equal(look(t.store).count, 0);
    commit(t.store, &vote, 1);
    assert_record(t.store, "1.5=vote");
    test_store_end(&t);
}

CASE(a_device_error_is_one_whatever_was_written)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_vote_write piece = piece_of(1, 1, 1, 0, "lost");
    sy_os_failpoint_arm("store.votes.commit", 1, "eio");
    assert_int_equal(sy_votes_commit(t.store, &piece, 1, NULL), SY_ERR_IO);
    sy_os_failpoint_arm(NULL, 0, NULL);
    test_store_restart(&t);
    assert_int_equal(look(t.store).count, 0);
    commit(t.store, &piece, 1);
    assert_int_equal(look(t.store).count, 1);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(evidence_comes_back_in_order_and_survives_a_restart),
        cmocka_unit_test(the_first_piece_of_a_place_is_kept),
        cmocka_unit_test(it_is_not_dropped_with_votes),
        cmocka_unit_test(it_is_no_record),
        cmocka_unit_test(a_flood_from_one_validator_is_cut_off_and_pushes_nobody_out),
        cmocka_unit_test(so_many_signers_that_there_is_no_place_left_stop_nothing),
        cmocka_unit_test(a_piece_over_its_limit_is_refused_and_changes_nothing),
        cmocka_unit_test(a_walk_ends_when_the_callback_says_so),
        cmocka_unit_test(a_full_disk_costs_the_evidence_and_not_the_vote),
        cmocka_unit_test(a_disk_without_room_for_the_vote_refuses_it_with_its_evidence),
        cmocka_unit_test(evidence_alone_on_a_full_disk_stops_nothing),
        cmocka_unit_test(a_device_error_is_one_whatever_was_written),
    };
    return test_store_suite("evidence", cases);
}
