/* The store thread and the execution thread: order, groups, failures.
 *
 * ctest: threaded */
#include "consensus/node/committer.h"
#include "consensus/node/runner.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"
#include "tests/unit/chain_rig.h"

#define INBOX_ITEMS 1024u
#define PATIENCE_MS 60000

struct inbox {
    sy_arena arena;
    sy_ring *ring;
};

static void open_inbox(struct inbox *inbox)
{
    assert_int_equal(sy_arena_open(&inbox->arena, 1 << 20), SY_OK);
    sy_status status =
        sy_ring_open(&inbox->ring, &inbox->arena, INBOX_ITEMS, sizeof(struct sy_inbox_item));
    assert_int_equal(status, SY_OK);
}

static void close_inbox(struct inbox *inbox)
{
    sy_ring_close(inbox->ring);
    sy_arena_close(&inbox->arena);
}

static struct sy_inbox_item take(struct inbox *inbox)
{
    struct sy_inbox_item item;
    assert_true(sy_ring_pop_wait(inbox->ring, &item, PATIENCE_MS));
    return item;
}

static struct sy_node_effect record_effect(uint64_t token, uint8_t type, uint64_t slot,
                                           const char *text)
{
    struct sy_node_effect effect = {.type = SY_NODE_COMMIT};
    effect.as.commit.what = SY_COMMIT_RECORD;
    effect.as.commit.token = token;
    effect.as.commit.record_type = type;
    effect.as.commit.slot = slot;
    effect.as.commit.value = sy_slice_of(text, strlen(text));
    return effect;
}

struct seen {
    unsigned count;
    uint64_t slots[16];
    char last[16];
};

static sy_status see(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    struct seen *seen = (struct seen *)context;
    assert_true(seen->count < 16 && value.size < sizeof seen->last);
    seen->slots[seen->count++] = key->slot;
    memcpy(seen->last, value.data, value.size);
    seen->last[value.size] = '\0';
    return SY_OK;
}

static struct seen records_of(struct chain_rig *rig)
{
    struct seen seen = {0};
    assert_int_equal(sy_votes_each(rig->reader, see, &seen, &rig->err), SY_OK);
    return seen;
}

CASE(committer_makes_commits_durable_in_order)
{
    struct chain_rig rig;
    struct inbox inbox;
    sy_committer *committer;
    chain_open(&rig);
    open_inbox(&inbox);
    assert_int_equal(sy_committer_open(&committer, rig.store, 0, inbox.ring, &rig.err), SY_OK);
    char text[8] = "first";
    struct sy_node_effect effect = record_effect(1, SY_PBFT_RECORD_PREPARE, 5, text);
    assert_true(sy_committer_put(committer, &effect));
    memcpy(text, "xxxxx", 5); /* its bytes were copied */
    effect = record_effect(2, SY_PBFT_RECORD_PREPARED, 6, "second");
    assert_true(sy_committer_put(committer, &effect));
    struct sy_node_effect body = {.type = SY_NODE_COMMIT};
    body.as.commit.what = SY_COMMIT_BODY;
    body.as.commit.token = 3;
    body.as.commit.digest = test_hash(1);
    body.as.commit.value = sy_slice_of("a body", 6);
    assert_true(sy_committer_put(committer, &body));
    for (uint64_t token = 0; token < 3;) {
        struct sy_inbox_item item = take(&inbox);
        assert_int_equal(item.type, SY_INBOX_DURABLE);
        assert_true(item.number > token);
        token = item.number;
    }
    struct seen seen = records_of(&rig);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.slots[0], 5);
    struct sy_slice found;
    assert_int_equal(sy_body_get(rig.reader, &found, &body.as.commit.digest), SY_OK);
    assert_int_equal(found.size, 6);
    sy_committer_close(committer);
    close_inbox(&inbox);
    chain_close(&rig);
}

CASE(committer_drops_votes_and_bodies)
{
    struct chain_rig rig;
    struct inbox inbox;
    sy_committer *committer;
    chain_open(&rig);
    open_inbox(&inbox);
    assert_int_equal(sy_committer_open(&committer, rig.store, 0, inbox.ring, &rig.err), SY_OK);
    uint64_t token = 0;
    for (uint64_t slot = 1; slot <= 4; slot++) {
        struct sy_node_effect effect = record_effect(++token, SY_PBFT_RECORD_PREPARE, slot, "p");
        assert_true(sy_committer_put(committer, &effect));
        effect = record_effect(++token, SY_PBFT_RECORD_PREPARED, slot, "c");
        assert_true(sy_committer_put(committer, &effect));
    }
    struct sy_node_effect effect = record_effect(++token, SY_PBFT_RECORD_BOOT, 0, "boot");
    assert_true(sy_committer_put(committer, &effect));
    struct sy_node_effect body = {.type = SY_NODE_COMMIT};
    body.as.commit.what = SY_COMMIT_BODY;
    body.as.commit.token = ++token;
    body.as.commit.digest = test_hash(1);
    body.as.commit.value = sy_slice_of("a body", 6);
    assert_true(sy_committer_put(committer, &body));
    body.as.commit.what = SY_COMMIT_DROP_BODY;
    body.as.commit.token = ++token;
    assert_true(sy_committer_put(committer, &body));
    struct sy_node_effect drop = {.type = SY_NODE_COMMIT};
    drop.as.commit.what = SY_COMMIT_DROP;
    drop.as.commit.slot = 3;
    drop.as.commit.token = ++token;
    assert_true(sy_committer_put(committer, &drop));
    sy_committer_close(committer); /* makes durable what waits */
    struct seen seen = records_of(&rig);
    assert_int_equal(seen.count, 3); /* both of slot 4, and the start that is never dropped */
    assert_int_equal(seen.slots[0], 4);
    assert_int_equal(seen.slots[1], 4);
    assert_string_equal(seen.last, "boot");
    struct sy_slice found;
    sy_status status = sy_body_get(rig.reader, &found, &body.as.commit.digest);
    assert_int_equal(status, SY_ERR_NOT_FOUND);
    close_inbox(&inbox);
    chain_close(&rig);
}

static sy_status see_evidence(void *context, const struct sy_hash *signer,
                              const struct sy_record_key *key, struct sy_slice value)
{
    struct seen *seen = (struct seen *)context;
    struct sy_hash expected = test_hash(7);
    assert_true(sy_hash_equal(signer, &expected));
    return see(seen, key, value);
}

CASE(committer_keeps_evidence_beside_the_votes)
{
    struct chain_rig rig;
    struct inbox inbox;
    sy_committer *committer;
    chain_open(&rig);
    open_inbox(&inbox);
    assert_int_equal(sy_committer_open(&committer, rig.store, 0, inbox.ring, &rig.err), SY_OK);
    char text[8] = "liar";
    struct sy_node_effect effect = record_effect(1, 2, 5, text);
    effect.as.commit.what = SY_COMMIT_EVIDENCE;
    effect.as.commit.digest = test_hash(7);
    assert_true(sy_committer_put(committer, &effect));
    memcpy(text, "xxxx", 4); /* its bytes were copied */
    effect = record_effect(2, SY_PBFT_RECORD_PREPARE, 6, "vote");
    assert_true(sy_committer_put(committer, &effect));
    while (take(&inbox).number < 2) {}
    assert_int_equal(records_of(&rig).count, 1);
    struct seen seen = {0};
    assert_int_equal(sy_evidence_each(rig.reader, see_evidence, &seen, &rig.err), SY_OK);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.slots[0], 5);
    assert_string_equal(seen.last, "liar");
    sy_committer_close(committer);
    close_inbox(&inbox);
    chain_close(&rig);
}

CASE(committer_stores_certificates_and_tells_the_highest)
{
    struct chain_rig rig;
    struct inbox inbox;
    sy_committer *committer;
    chain_open(&rig);
    chain_run(&rig);
    chain_run(&rig);
    open_inbox(&inbox);
    assert_int_equal(sy_committer_open(&committer, rig.store, 0, inbox.ring, &rig.err), SY_OK);
    for (uint64_t height = 1; height <= 2; height++) {
        struct sy_node_effect effect = {.type = SY_NODE_CERTIFY};
        effect.as.certify.height = height;
        effect.as.certify.certificate = sy_slice_of("seals", 5);
        assert_true(sy_committer_put(committer, &effect));
    }
    for (uint64_t height = 0; height < 2;) {
        struct sy_inbox_item item = take(&inbox);
        assert_int_equal(item.type, SY_INBOX_CERTIFIED);
        assert_true(item.number > height);
        height = item.number;
        assert_true(sy_ledger_certified(rig.store) >= height);
    }
    sy_committer_close(committer);
    close_inbox(&inbox);
    chain_close(&rig);
}

CASE(committer_forgets_history_and_keeps_so_many_blocks)
{
    const uint64_t blocks = 150;
    const uint64_t kept = 40;
    struct chain_rig rig;
    struct inbox inbox;
    sy_committer *committer;
    chain_open(&rig);
    open_inbox(&inbox);
    assert_int_equal(sy_committer_open(&committer, rig.store, kept, inbox.ring, &rig.err), SY_OK);
    for (uint64_t height = 1; height <= blocks; height++) {
        chain_run(&rig);
        struct sy_node_effect effect = {.type = SY_NODE_CERTIFY};
        effect.as.certify.height = height;
        effect.as.certify.certificate = sy_slice_of("seals", 5);
        assert_true(sy_committer_put(committer, &effect));
    }
    for (uint64_t height = 0; height < blocks;) height = take(&inbox).number;
    sy_committer_close(committer); /* what it was at has ended */
    uint64_t pruned = sy_ledger_pruned(rig.store);
    assert_in_range(pruned, blocks + 1 - kept - 32, blocks + 1 - kept);
    struct sy_slice part;
    assert_int_equal(sy_ledger_get(rig.reader, &part, pruned - 1, SY_BLOCK_ORDER), SY_ERR_PRUNED);
    assert_int_equal(sy_ledger_get(rig.reader, &part, pruned - 1, SY_BLOCK_HEADER), SY_OK);
    assert_int_equal(sy_ledger_get(rig.reader, &part, pruned, SY_BLOCK_ORDER), SY_OK);
    close_inbox(&inbox);
    chain_close(&rig);
}

CASE(committer_that_fails_says_so_and_takes_nothing_more)
{
    struct chain_rig rig;
    struct inbox inbox;
    sy_committer *committer;
    chain_open(&rig);
    open_inbox(&inbox);
    assert_int_equal(sy_committer_open(&committer, rig.store, 0, inbox.ring, &rig.err), SY_OK);
    sy_os_failpoint_arm("store.votes.commit", 1, "enospc+");
    struct sy_node_effect effect = record_effect(1, SY_PBFT_RECORD_PREPARE, 5, "lost");
    assert_true(sy_committer_put(committer, &effect));
    struct sy_inbox_item item = take(&inbox);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_int_equal(item.type, SY_INBOX_FAILED);
    assert_int_equal(item.status, SY_ERR_DISK_FULL);
    assert_false(sy_committer_put(committer, &effect));
    sy_committer_close(committer);
    assert_int_equal(records_of(&rig).count, 0);
    close_inbox(&inbox);
    chain_close(&rig);
}

/* ---- execution --------------------------------------------------------------------------- */

struct answers {
    struct inbox *inbox; /* gets STOP when an answer is there */
    sy_status status;
    uint64_t token;
    uint64_t height;
    bool present;
};

static void note_answer(void *self, uint64_t token, sy_status status,
                        const struct sy_header *header, struct sy_slice bytes)
{
    struct answers *answers = (struct answers *)self;
    static struct sy_state_proof proof;
    struct sy_reader reader = sy_reader_of(bytes);
    answers->status = status;
    answers->token = token;
    answers->height = header->height;
    answers->present = sy_state_proof_decode(&reader, &proof) && proof.present;
    struct sy_inbox_item item = {.type = SY_INBOX_STOP};
    (void)sy_ring_push_wait(answers->inbox->ring, &item);
}

CASE(runner_executes_in_order_and_answers_in_between)
{
    struct chain_rig rig;
    struct inbox inbox;
    struct answers answers = {.inbox = &inbox};
    sy_runner *runner;
    chain_open(&rig);
    open_inbox(&inbox);
    sy_status status =
        sy_runner_open(&runner, rig.executor, inbox.ring, note_answer, &answers, &rig.err);
    assert_int_equal(status, SY_OK);
    chain_add_stage(&rig, 0);
    (void)chain_batch(&rig, 0);
    for (uint64_t height = 1; height <= 6; height++) { /* more than there are slots */
        rig.proposal.slot = height;
        rig.proposal.time_ms = TEST_GENESIS_MS + (int64_t)height * 1000;
        assert_true(sy_runner_execute(runner, &rig.proposal));
        rig.proposal.count = 0;
    }
    struct sy_hash key;
    sy_state_key_hash(&key, 20, &(struct sy_hash){{0}}); /* the count of events */
    assert_true(sy_runner_prove(runner, 77, &key));
    for (uint64_t height = 1; height <= 6; height++) {
        struct sy_inbox_item item = take(&inbox);
        assert_int_equal(item.type, SY_INBOX_EXECUTED);
        const struct sy_executed *executed = (const struct sy_executed *)item.pointer;
        assert_int_equal(executed->header.height, height);
        assert_int_equal(executed->ran_count, height == 1 ? 1 : 0);
        if (height == 1) assert_int_equal(executed->ran[0].tx_count, 2);
        if (height == 1) assert_false(sy_hash_is_zero(&executed->ran[0].tx_ids[1]));
        sy_runner_release(runner, executed);
    }
    assert_int_equal(take(&inbox).type, SY_INBOX_STOP);
    sy_runner_close(runner);
    assert_int_equal(answers.token, 77);
    assert_int_equal(answers.status, SY_OK);
    assert_int_equal(answers.height, 6);
    assert_true(answers.present);
    close_inbox(&inbox);
    chain_close(&rig);
}

CASE(runner_that_fails_says_so_and_takes_nothing_more)
{
    struct chain_rig rig;
    struct inbox inbox;
    struct answers answers = {.inbox = &inbox};
    sy_runner *runner;
    chain_open(&rig);
    open_inbox(&inbox);
    sy_status status =
        sy_runner_open(&runner, rig.executor, inbox.ring, note_answer, &answers, &rig.err);
    assert_int_equal(status, SY_OK);
    struct sy_proposal proposal = {.slot = 1, .time_ms = TEST_GENESIS_MS + 1, .count = 1};
    proposal.entries[0] = (struct sy_entry){.maker = 2, .seq = 1, .digest = test_hash(9)};
    assert_true(sy_runner_execute(runner, &proposal));
    struct sy_inbox_item item = take(&inbox);
    assert_int_equal(item.type, SY_INBOX_FAILED);
    assert_int_equal(item.status, SY_ERR_CORRUPT);
    while (sy_runner_execute(runner, &proposal)) {}
    sy_runner_close(runner);
    close_inbox(&inbox);
    chain_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(committer_makes_commits_durable_in_order),
        cmocka_unit_test(committer_drops_votes_and_bodies),
        cmocka_unit_test(committer_keeps_evidence_beside_the_votes),
        cmocka_unit_test(committer_stores_certificates_and_tells_the_highest),
        cmocka_unit_test(committer_forgets_history_and_keeps_so_many_blocks),
        cmocka_unit_test(committer_that_fails_says_so_and_takes_nothing_more),
        cmocka_unit_test(runner_executes_in_order_and_answers_in_between),
        cmocka_unit_test(runner_that_fails_says_so_and_takes_nothing_more),
    };
    struct sy_error err;
    if (sy_log_open("/dev/null", SY_LOG_ERROR, &err) != SY_OK) return 2; /* failures are meant */
    return cmocka_run_group_tests(cases, NULL, NULL);
}
