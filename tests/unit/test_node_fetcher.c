/* What a new store asks, and what it believes, without links: a cutter answers in its thread. */
#include <stdlib.h>
#include <string.h>

#include "consensus/node/cutter.h"
#include "consensus/node/fetcher.h"
#include "tests/support/epochs.h"
#include "tests/support/test.h"
#include "tests/support/transfer.h"

#define SELF 3u

static struct transfer transfer;
static struct sy_cutter cutter;
static sy_fetcher *fetcher;
static struct sy_error err;
static uint8_t kept[SY_FRAME_BYTES_MAX];

static void hold(void)
{
    struct sy_snapshot_top top;
    transfer_hold(&transfer, 1500);
    assert_int_equal(sy_snapshot_top_take(&top, transfer.trie), SY_OK);
    sy_cutter_put_top(&cutter, transfer.height, &top);
}

static unsigned verified; // signatures, by the fetcher

static bool count_verify(void *self, const struct sy_public_key *key, enum sy_sig_kind kind,
                         const struct sy_hash *digest, const struct sy_signature *signature)
{
    (void)self;
    verified++;
    return sy_verify_one(key, kind, digest, signature);
}

static void open_world(void)
{
    transfer_open(&transfer, 815);
    memset(&cutter, 0, sizeof cutter);
    cutter.store = transfer.from.store;
    cutter.room = (uint8_t *)malloc(SY_CHUNK_ENTRIES_BYTES_MAX);
    cutter.frame = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    assert_true(cutter.room != NULL && cutter.frame != NULL);
    assert_int_equal(sy_store_reader_open(&cutter.reader, cutter.store), SY_OK);
    hold();
    struct sy_fetcher_config config = {.store = transfer.to.store,
                                       .genesis = &transfer.genesis,
                                       .own = &transfer.genesis.roster.validators[SELF].link_key,
                                       .verifier = {NULL, count_verify}};
    verified = 0;
    fetcher = sy_fetcher_open(&config);
    assert_non_null(fetcher);
}

static void close_world(void)
{
    sy_fetcher_close(fetcher);
    sy_cutter_forget(&cutter);
    sy_store_reader_close(cutter.reader);
    free(cutter.room);
    free(cutter.frame);
    transfer_close(&transfer);
}

/* The next question must go to this peer; gives what the cutter answers to it. */
static struct sy_slice ask(uint16_t whom)
{
    static struct sy_sync_message question;
    enum sy_fetcher_step step;
    struct sy_slice bytes;
    uint16_t peer;
    assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
    assert_int_equal(step, SY_FETCHER_ASK);
    assert_int_equal(peer, whom);
    assert_true(sy_sync_decode(&question, bytes, 4));
    assert_int_equal(question.type, SY_SYNC_SNAPSHOT_FETCH);
    return sy_cutter_answer(&cutter, question.height, &question.key);
}

static bool is_late(struct sy_slice bytes)
{
    bool late;
    assert_int_equal(sy_fetcher_answer(fetcher, &late, bytes, &err), SY_OK);
    return late;
}

static void answer(struct sy_slice bytes)
{
    assert_false(is_late(bytes));
}

static struct sy_joined joined(void)
{
    struct sy_joined joined;
    sy_fetcher_get_joined(fetcher, &joined);
    return joined;
}

static struct sy_slice keep(struct sy_slice bytes)
{
    memcpy(kept, bytes.data, bytes.size);
    return sy_slice_of(kept, bytes.size);
}

/* Everybody tells the truth from now on. */
static void fetch_the_rest(void)
{
    static struct sy_sync_message question;
    for (;;) {
        enum sy_fetcher_step step;
        struct sy_slice bytes;
        uint16_t peer;
        assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
        if (step == SY_FETCHER_DONE) break;
        if (step == SY_FETCHER_PAUSE) continue;
        assert_true(peer != SELF && sy_sync_decode(&question, bytes, 4));
        answer(sy_cutter_answer(&cutter, question.height, &question.key));
    }
    assert_int_equal(joined().height, transfer.height);
    assert_int_equal(sy_ledger_base(transfer.to.store), transfer.height);
}

CASE(the_newest_state_is_fetched_from_all_in_turn)
{
    open_world();
    for (uint16_t peer = 0; peer < SELF; peer++) answer(ask(peer)); // which state do you hold?
    for (uint16_t i = 0; i < 4; i++) answer(ask(i % SELF));
    assert_true(joined().chunks == 4 && joined().liars == 0);
    fetch_the_rest();
    close_world();
}

/* One of the validators is dead: waiting for it is not part of every round. */
CASE(who_does_not_answer_is_passed_over_more_and_more)
{
    open_world();
    for (uint16_t peer = 0; peer < SELF; peer++) answer(ask(peer));
    unsigned waits = 0, chunks = 0;
    for (;;) {
        static struct sy_sync_message question;
        enum sy_fetcher_step step;
        struct sy_slice bytes;
        uint16_t peer;
        assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
        if (step == SY_FETCHER_DONE) break;
        assert_int_equal(step, SY_FETCHER_ASK); // nobody thinks that the state is gone
        if (peer == 1) {
            waits++;
            continue;
        }
        assert_true(sy_sync_decode(&question, bytes, 4));
        answer(sy_cutter_answer(&cutter, question.height, &question.key));
        chunks++;
    }
    assert_true(chunks >= 8 && waits >= 1 && waits <= chunks / 4);
    close_world();
}

CASE(a_late_answer_is_no_lie_and_no_answer)
{
    open_world();
    struct sy_slice first = keep(ask(0)); // it is slow
    answer(ask(1));
    answer(ask(2));
    answer(first = keep(ask(0)));
    assert_int_equal(joined().chunks, 1);
    (void)ask(1);
    assert_true(is_late(first)); // the first chunk again, when the second one is wanted
    assert_true(sy_fetcher_awaits(fetcher, 1, first)); // which may still come
    assert_int_equal(joined().chunks, 1);
    (void)ask(2);
    assert_true(is_late(first));
    uint64_t height = transfer.height;
    hold(); // a true state, but a newer one
    assert_true(transfer.height > height);
    (void)ask(0);
    static const struct sy_hash lowest;
    assert_true(is_late(sy_cutter_answer(&cutter, 0, &lowest)));
    assert_true(joined().chunks == 1 && joined().liars == 0);
    fetch_the_rest(); // the newer one, from its beginning: nobody has the other any more
    assert_int_equal(joined().liars, 0);
    close_world();
}

CASE(who_lies_is_asked_no_more)
{
    open_world();
    struct sy_slice lie = keep(ask(0));
    kept[lie.size - 1] ^= 1; // in the last value
    answer(lie);
    lie = keep(ask(1));
    lie.size--;
    answer(lie);
    assert_int_equal(joined().liars, 2);
    answer(ask(2));
    for (int i = 0; i < 3; i++) answer(ask(2));
    assert_int_equal(joined().chunks, 3);
    fetch_the_rest();
    assert_int_equal(joined().liars, 2);
    close_world();
}

/* The same answer with another certificate or header. */
static struct sy_slice changed(struct sy_slice bytes, bool header)
{
    static struct sy_sync_message message;
    struct sy_writer w = sy_writer_of(kept, sizeof kept);
    assert_true(sy_sync_decode(&message, bytes, SY_ROSTER_UNKNOWN));
    if (header) message.header.time_ms++;
    if (!header) message.certificate.seals[2].signature.bytes[20] ^= 1;
    sy_sync_encode(&w, &message);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

CASE(a_certificate_is_checked_once_and_again_when_it_changes)
{
    open_world();
    for (uint16_t peer = 0; peer < SELF; peer++) answer(ask(peer));
    assert_int_equal(verified, 3 * SELF);
    for (uint16_t i = 0; i < 4; i++) answer(ask(i % SELF));
    assert_int_equal(joined().chunks, 4);
    assert_int_equal(verified, 3 * SELF);
    answer(changed(ask(1), false)); // both have told the truth before
    assert_int_equal(joined().liars, 1);
    assert_true(verified > 3 * SELF);
    answer(changed(ask(2), true));
    assert_int_equal(joined().liars, 2);
    assert_int_equal(joined().chunks, 4);
    unsigned before = verified;
    fetch_the_rest();
    assert_int_equal(verified, before);
    assert_int_equal(joined().liars, 2);
    close_world();
}

CASE(nobody_is_left_to_ask_is_an_error)
{
    open_world();
    for (uint16_t peer = 0; peer < SELF; peer++) {
        struct sy_slice lie = keep(ask(peer));
        kept[40] ^= 1; // in the header
        answer(lie);
    }
    enum sy_fetcher_step step;
    struct sy_slice bytes;
    uint16_t peer;
    assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_ERR_CRYPTO);
    assert_int_equal(sy_ledger_next(transfer.to.store), 0);
    close_world();
}

CASE(nothing_but_the_answer_is_awaited)
{
    open_world();
    struct sy_slice right = ask(0);
    assert_true(sy_fetcher_awaits(fetcher, 0, right));
    assert_false(sy_fetcher_awaits(fetcher, 1, right));
    const uint8_t pruned[] = {SY_SYNC_PRUNED}, vote[] = {1}, fetch[] = {SY_SYNC_SNAPSHOT_FETCH};
    assert_false(sy_fetcher_awaits(fetcher, 0, sy_slice_of(pruned, 1)));
    assert_false(sy_fetcher_awaits(fetcher, 0, sy_slice_of(vote, 1)));
    assert_false(sy_fetcher_awaits(fetcher, 0, sy_slice_of(fetch, 1)));
    assert_false(sy_fetcher_awaits(fetcher, 0, sy_slice_of(NULL, 0)));
    answer(right);
    assert_false(sy_fetcher_awaits(fetcher, 0, right)); // said once, heard once
    close_world();
}

CASE(nobody_has_a_state_and_all_are_asked_again)
{
    enum sy_fetcher_step step;
    struct sy_slice bytes;
    uint16_t peer;
    open_world();
    for (int round = 0; round < 3; round++) {
        for (uint16_t i = 0; i < SELF; i++) (void)ask(i);
        assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
        assert_int_equal(step, SY_FETCHER_PAUSE);
    }
    fetch_the_rest();
    close_world();
}

/* ---- later epochs ------------------------------------------------------------------------ */

/* The network of epochs.h: in epoch 3 validators 1 2 3 4, the first of them under other keys. */
static struct test_epochs epochs;
static uint8_t frame[SY_FRAME_BYTES_MAX];

/* The next question must be one for handovers from this epoch on, and go to this peer. */
static void expect_question(uint16_t whom, uint32_t epoch)
{
    static struct sy_sync_message question;
    enum sy_fetcher_step step;
    struct sy_slice bytes;
    uint16_t peer;
    assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
    assert_true(step == SY_FETCHER_ASK && peer == whom);
    assert_true(sy_sync_decode(&question, bytes, 4));
    assert_true(question.type == SY_SYNC_HANDOVER_FETCH && question.epoch == epoch);
}

static struct sy_slice handovers(uint32_t first, uint32_t end)
{
    struct sy_writer w = sy_writer_of(kept, sizeof kept);
    struct sy_sync_message message = {.type = SY_SYNC_HANDOVERS, .epoch = first};
    message.count = (uint16_t)(end - first);
    message.handovers = test_epochs_path(&epochs, first, end);
    sy_sync_encode(&w, &message);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

/* The same answer in an epoch, sealed by a roster. */
static struct sy_slice sealed(struct sy_slice bytes, uint32_t epoch, unsigned roster)
{
    static struct sy_sync_message message;
    struct sy_writer w = sy_writer_of(frame, sizeof frame);
    assert_true(sy_sync_decode(&message, bytes, SY_ROSTER_UNKNOWN));
    assert_int_equal(message.type, SY_SYNC_SNAPSHOT);
    message.header.epoch = epoch;
    test_certify(&message.certificate, &epochs.genesis.hash, &epochs.rosters[roster],
                 &message.header);
    sy_sync_encode(&w, &message);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

static void open_later_world(void)
{
    open_world();
    test_epochs_make(&epochs, NULL);
    assert_true(sy_hash_equal(&epochs.genesis.hash, &transfer.genesis.hash));
    answer(sealed(ask(0), 3, 3));
}

static void expect_relink(unsigned roster)
{
    enum sy_fetcher_step step;
    struct sy_slice bytes;
    uint16_t peer;
    assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
    assert_int_equal(step, SY_FETCHER_RELINK);
    assert_memory_equal(sy_fetcher_roster(fetcher), &epochs.rosters[roster],
                        sizeof(struct sy_roster));
}

/* The store has these ends of epochs, and no other header below its state's. */
static void check_ends(void)
{
    sy_store_reader *reader = NULL;
    struct sy_slice part;
    uint8_t bytes[SY_HEADER_BYTES];
    test_store_restart(&transfer.to);
    assert_int_equal(sy_store_reader_open(&reader, transfer.to.store), SY_OK);
    for (uint64_t height = 0; height < 3 * TEST_EPOCH_HEIGHTS + 3; height++) {
        bool end = height > 0 && height % TEST_EPOCH_HEIGHTS == 0 && height <= 12;
        sy_status status = sy_ledger_get(reader, &part, height, SY_BLOCK_HEADER);
        assert_int_equal(status, end ? SY_OK : SY_ERR_PRUNED);
        if (!end) continue;
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        sy_header_encode(&w, &epochs.handovers[height / TEST_EPOCH_HEIGHTS - 1].header);
        assert_true(sy_slice_equal(part, sy_writer_slice(&w)));
        assert_int_equal(sy_ledger_get(reader, &part, height, SY_BLOCK_CERTIFICATE), SY_OK);
        assert_int_equal(sy_ledger_get(reader, &part, height, SY_BLOCK_ORDER), SY_ERR_PRUNED);
    }
    sy_store_reader_close(reader);
}

CASE(a_later_roster_is_followed_to_and_its_state_taken)
{
    static struct sy_sync_message question;
    enum sy_fetcher_step step = SY_FETCHER_ASK;
    struct sy_slice bytes;
    uint16_t peer;
    open_later_world();
    expect_question(0, 0);
    answer(handovers(0, 2)); /* not all of them */
    expect_question(0, 2);
    assert_true(is_late(handovers(0, 2)));
    answer(handovers(2, 3));
    expect_relink(3);
    while (step != SY_FETCHER_DONE) {
        assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
        if (step != SY_FETCHER_ASK) continue;
        assert_int_not_equal(peer, 2); /* this validator's place by now */
        assert_true(sy_sync_decode(&question, bytes, 4));
        assert_int_equal(question.type, SY_SYNC_SNAPSHOT_FETCH);
        answer(sealed(sy_cutter_answer(&cutter, question.height, &question.key), 3, 3));
    }
    assert_true(joined().height == transfer.height && joined().epoch == 3);
    assert_int_equal(joined().liars, 0);
    check_ends();
    close_world();
}

CASE(a_later_epoch_that_is_not_proven_is_passed_over)
{
    open_later_world();
    expect_question(0, 0);
    struct sy_slice lie = handovers(0, 3);
    kept[lie.size - 1] ^= 1; /* in the last seal of the last one */
    answer(lie);
    assert_true(joined().liars == 1 &&
                joined().epoch == 2); /* the first two hold, whoever sent them */
    expect_relink(2);
    assert_int_equal(ask(1).size > 0, 1); /* validator 0, the liar, is asked no more */
    close_world();

    open_later_world();
    expect_question(0, 0);
    answer(handovers(0, 0)); /* it has none */
    answer(ask(1));
    answer(ask(2));
    fetch_the_rest(); /* the others' state is of epoch 0 */
    assert_true(joined().liars == 0 && joined().epoch == 0);
    close_world();
}

CASE(who_is_ahead_and_silent_is_asked_once_a_round)
{
    enum sy_fetcher_step step;
    struct sy_slice bytes;
    uint16_t peer;
    open_later_world();
    for (unsigned round = 0; round < 3; round++) {
        expect_question(0, 0); /* no answer */
        (void)ask(1);
        (void)ask(2);
        assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
        assert_int_equal(step, SY_FETCHER_PAUSE);
        answer(sealed(ask(0), 3, 3));
    }
    close_world();
}

CASE(a_roster_whose_epoch_is_over_seals_no_state)
{
    open_later_world();
    expect_question(0, 0);
    answer(handovers(0, 3));
    expect_relink(3);
    answer(sealed(ask(0), 0, 0)); /* by the genesis's validators, far above their last height */
    assert_int_equal(joined().liars, 1);
    answer(sealed(ask(1), 3, 0)); /* in the epoch's name */
    assert_int_equal(joined().liars, 2);
    answer(sealed(ask(3), 3, 3));
    assert_int_equal(joined().liars, 2);
    close_world();
}

CASE(what_was_certified_before_its_epoch_was_known_to_be_over_is_looked_at_again)
{
    open_world();
    test_epochs_make(&epochs, NULL);
    for (uint16_t peer = 0; peer < SELF; peer++) answer(sealed(ask(peer), 0, 0));
    assert_int_equal(joined().liars, 0);
    answer(sealed(ask(0), 3, 3));
    expect_question(0, 0);
    answer(handovers(0, 3));
    expect_relink(3);
    answer(sealed(ask(0), 0, 0)); /* another key than before */
    answer(sealed(ask(1), 0, 0)); /* the genesis's validator 2 */
    assert_int_equal(joined().liars, 2);
    answer(sealed(ask(3), 3, 3));
    assert_int_equal(joined().liars, 2);
    close_world();
}

CASE(what_is_there_of_a_later_epochs_state_is_gone_on_with)
{
    static struct sy_sync_message question;
    enum sy_fetcher_step step = SY_FETCHER_ASK;
    struct sy_slice bytes;
    uint16_t peer;
    unsigned chunks = 0;
    open_later_world();
    for (unsigned life = 0; step != SY_FETCHER_DONE; life++) {
        expect_question(0, 0);
        answer(handovers(0, 3));
        expect_relink(3);
        for (unsigned i = 0; i < 4 && step != SY_FETCHER_DONE; i++) { /* then it crashes */
            assert_int_equal(sy_fetcher_next(fetcher, &step, &peer, &bytes, &err), SY_OK);
            if (step != SY_FETCHER_ASK) continue;
            assert_true(sy_sync_decode(&question, bytes, 4));
            answer(sealed(sy_cutter_answer(&cutter, question.height, &question.key), 3, 3));
        }
        assert_true(life < 20);
        chunks += (unsigned)joined().chunks;
        if (step == SY_FETCHER_DONE) break;
        sy_fetcher_close(fetcher);
        test_store_restart(&transfer.to);
        struct sy_fetcher_config config = {.store = transfer.to.store,
                                           .genesis = &transfer.genesis,
                                           .own =
                                               &transfer.genesis.roster.validators[SELF].link_key,
                                           .verifier = sy_verifier_openssl};
        fetcher = sy_fetcher_open(&config);
        assert_non_null(fetcher);
        answer(sealed(ask(0), 3, 3));
    }
    assert_true(chunks > joined().chunks);
    check_ends();
    close_world();
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_newest_state_is_fetched_from_all_in_turn),
        cmocka_unit_test(who_does_not_answer_is_passed_over_more_and_more),
        cmocka_unit_test(a_late_answer_is_no_lie_and_no_answer),
        cmocka_unit_test(who_lies_is_asked_no_more),
        cmocka_unit_test(a_certificate_is_checked_once_and_again_when_it_changes),
        cmocka_unit_test(nobody_is_left_to_ask_is_an_error),
        cmocka_unit_test(nothing_but_the_answer_is_awaited),
        cmocka_unit_test(nobody_has_a_state_and_all_are_asked_again),
        cmocka_unit_test(a_later_roster_is_followed_to_and_its_state_taken),
        cmocka_unit_test(a_later_epoch_that_is_not_proven_is_passed_over),
        cmocka_unit_test(who_is_ahead_and_silent_is_asked_once_a_round),
        cmocka_unit_test(a_roster_whose_epoch_is_over_seals_no_state),
        cmocka_unit_test(
            what_was_certified_before_its_epoch_was_known_to_be_over_is_looked_at_again),
        cmocka_unit_test(what_is_there_of_a_later_epochs_state_is_gone_on_with),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
