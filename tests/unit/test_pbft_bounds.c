/* test_pbft_bounds.c: the steps that cause the most, and the order of events that is asserted. No
 * step may overflow the list of effects, whatever the network sends and for the largest roster. */
#include "consensus/pbft/pbft.h"

#include <stdio.h>

#include "core/crypto/hash.h"
#include "tests/support/test.h"

#define MS 1000000ull

static struct sy_pbft_effects effects;
static struct sy_message message;
static uint64_t next_seqs[SY_VALIDATORS_MAX];

struct machine {
    sy_arena arena;
    sy_pbft *pbft;
    struct sy_pbft_config config;
    uint64_t now_ns, token;
};

static unsigned count(enum sy_pbft_effect_type type)
{
    unsigned found = 0;
    for (uint32_t i = 0; i < effects.count; i++) found += effects.items[i].type == type;
    return found;
}

static void step(struct machine *m, struct sy_pbft_event *event)
{
    event->now_ns = m->now_ns;
    event->now_ms = 1700000000000ll + (int64_t)(m->now_ns / MS);
    sy_pbft_step(m->pbft, &effects, event);
    for (uint32_t i = 0; i < effects.count; i++)
        if (effects.items[i].type == SY_PBFT_PERSIST) m->token = effects.items[i].as.persist.token;
}

static void step_message(struct machine *m, uint16_t from)
{
    struct sy_pbft_event event = {.type = SY_PBFT_MESSAGE};
    event.as.message.from = from;
    event.as.message.message = &message;
    step(m, &event);
}

static void step_simple(struct machine *m, enum sy_pbft_event_type type)
{
    struct sy_pbft_event event = {.type = type};
    if (type == SY_PBFT_PERSISTED) event.as.token = m->token;
    if (type == SY_PBFT_START) event.as.start.next_seqs = next_seqs;
    step(m, &event);
}

static void open_machine(struct machine *m, uint16_t n, uint16_t self)
{
    struct sy_error err;
    *m = (struct machine){.now_ns = 1000 * MS};
    sy_pbft_config_default(&m->config);
    m->config.n = n;
    m->config.self = self;
    for (size_t i = 0; i < SY_VALIDATORS_MAX; i++) next_seqs[i] = 1;
    assert_int_equal(sy_arena_open(&m->arena, sy_pbft_footprint(n)), SY_OK);
    assert_int_equal(sy_pbft_init(&m->pbft, &m->arena, &m->config, &err), SY_OK);
    sy_arena_seal(&m->arena);
    step_simple(m, SY_PBFT_START);
    step_simple(m, SY_PBFT_RESUME);
    step_simple(m, SY_PBFT_PERSISTED);
    // The others answer its start.
    message.type = SY_MESSAGE_STATUS;
    message.body.status = (struct sy_status_message){.signer = self, .counter = 1ull << 32 | 1};
    for (uint16_t i = 0; i < n; i++)
        if (i != self) step_message(m, i);
}

static struct sy_hash body_digest(uint64_t number)
{
    struct sy_hash digest;
    uint8_t bytes[8];
    sy_store_u64(bytes, number);
    sy_sha256(&digest, bytes, sizeof bytes);
    return digest;
}

/* A proposal of `entries` batches that nobody else's slot names. */
static void make_proposal(struct sy_proposal *proposal, const struct machine *m, uint64_t slot,
                          unsigned entries)
{
    memset(proposal, 0, sizeof *proposal);
    proposal->slot = slot;
    proposal->time_ms = 1700000000000ll + (int64_t)(m->now_ns / MS);
    proposal->count = (uint16_t)entries;
    for (unsigned i = 0; i < entries; i++)
        proposal->entries[i] =
            (struct sy_entry){(uint16_t)(i % m->config.n), slot * 64 + i / m->config.n + 1,
                              body_digest(slot * 1000 + i)};
}

static void send_pre_prepare(struct machine *m, uint64_t slot, unsigned entries)
{
    message.type = SY_MESSAGE_PRE_PREPARE;
    make_proposal(&message.body.pre_prepare.proposal, m, slot, entries);
    message.body.pre_prepare.view = 0;
    step_message(m, 0);
}

static void send_votes(struct machine *m, uint8_t type, uint64_t slot, unsigned entries,
                       uint16_t first, uint16_t voters)
{
    struct sy_proposal proposal;
    struct sy_hash digest;
    make_proposal(&proposal, m, slot, entries);
    sy_proposal_digest(&digest, &m->config.genesis, &proposal);
    for (uint16_t i = first; i < first + voters; i++) {
        if (i == m->config.self) continue;
        message.type = type;
        message.body.vote =
            (struct sy_vote){.type = type, .slot = slot, .proposal_digest = digest, .signer = i};
        step_message(m, i);
    }
}

/* Everything that can wait in a window comes loose in single steps. */
CASE(a_whole_window_that_moves_at_once_fits_the_list)
{
    const uint16_t sizes[] = {4, SY_VALIDATORS_MAX};
    for (size_t s = 0; s < 2; s++) {
        struct machine m;
        open_machine(&m, sizes[s], 1);
        uint16_t others = (uint16_t)(sy_quorum(sizes[s]));
        for (uint64_t slot = 1; slot <= SY_PBFT_WINDOW; slot++) send_pre_prepare(&m, slot, 0);
        for (uint64_t slot = 1; slot <= SY_PBFT_WINDOW; slot++)
            send_votes(&m, SY_MESSAGE_PREPARE, slot, 0, 2, (uint16_t)(others - 2));
        step_simple(&m, SY_PBFT_PERSISTED); // 64 prepares leave, 64 certificates are complete
        assert_int_equal(count(SY_PBFT_SEND), SY_PBFT_WINDOW);
        assert_int_equal(count(SY_PBFT_PERSIST), SY_PBFT_WINDOW);
        for (uint64_t slot = SY_PBFT_WINDOW; slot > 1; slot--)
            send_votes(&m, SY_MESSAGE_COMMIT, slot, 0, 2, (uint16_t)(others - 1));
        send_votes(&m, SY_MESSAGE_COMMIT, 1, 0, 2, (uint16_t)(others - 1));
        step_simple(&m, SY_PBFT_PERSISTED); // 64 commits leave, 64 slots are decided and executed
        assert_int_equal(count(SY_PBFT_SEND), SY_PBFT_WINDOW);
        assert_int_equal(count(SY_PBFT_EXECUTE), SY_PBFT_WINDOW);
        assert_true(effects.count <= SY_PBFT_EFFECTS_MAX);
        sy_arena_close(&m.arena);
    }
}

CASE(an_answer_to_one_request_is_bounded)
{
    struct machine m;
    open_machine(&m, SY_VALIDATORS_MAX, 1);
    for (uint64_t slot = 1; slot <= SY_PBFT_WINDOW; slot++) {
        send_pre_prepare(&m, slot, 0);
        send_votes(&m, SY_MESSAGE_PREPARE, slot, 0, 2, 90);
        send_votes(&m, SY_MESSAGE_COMMIT, slot, 0, 2, 40);
    }
    step_simple(&m, SY_PBFT_PERSISTED);
    step_simple(&m, SY_PBFT_PERSISTED);
    m.now_ns += 5000 * MS;
    message.type = SY_MESSAGE_SLOT_FETCH;
    message.body.range_fetch = (struct sy_range_fetch){.first = 1, .count = UINT16_MAX};
    step_message(&m, 7);
    assert_int_equal(count(SY_PBFT_SEND) - 1, SY_PBFT_SERVE_MAX); // and one status, which is due
    m.now_ns += 5000 * MS;
    message.type = SY_MESSAGE_STATUS;
    message.body.status = (struct sy_status_message){.signer = 9, .counter = 1};
    step_message(&m, 9);
    assert_true(count(SY_PBFT_SEND) >= 2 * SY_PBFT_WINDOW);
    assert_true(count(SY_PBFT_SEND) <= SY_PBFT_SERVE_MAX + 2);
    sy_arena_close(&m.arena);
}

CASE(missing_bodies_are_asked_for_in_bounded_portions)
{
    struct machine m;
    open_machine(&m, 4, 1);
    for (uint64_t slot = 1; slot <= SY_PBFT_WINDOW; slot++) {
        send_pre_prepare(&m, slot, SY_PROPOSAL_ENTRIES_MAX);
        assert_true(count(SY_PBFT_FETCH_BODY) <= SY_PBFT_FETCH_MAX);
    }
    unsigned asked = 0;
    struct sy_pbft_event due = {.type = SY_PBFT_TIMER};
    due.as.timer = SY_PBFT_TIMER_BODY;
    m.now_ns += 40 * MS;
    for (unsigned i = 0; i < SY_PBFT_WINDOW; i++) { // the timer is due again while some were not
        step(&m, &due);
        assert_int_equal(count(SY_PBFT_FETCH_BODY), SY_PBFT_FETCH_MAX);
        asked += count(SY_PBFT_FETCH_BODY);
        m.now_ns += 1;
    }
    assert_int_equal(asked, SY_PBFT_WINDOW * SY_PROPOSAL_ENTRIES_MAX);
    step(&m, &due);
    assert_int_equal(count(SY_PBFT_FETCH_BODY), 0);
    sy_arena_close(&m.arena);
}

CASE(blocks_for_a_whole_window_fit_the_list)
{
    struct machine m;
    open_machine(&m, SY_VALIDATORS_MAX, 1);
    struct sy_header headers[SY_PBFT_WINDOW + 1] = {0};
    struct sy_hash hashes[SY_PBFT_WINDOW + 1];
    struct sy_hash empty_root;
    sy_sha256(&empty_root, "", 0); // the root of no leaves, RFC 6962 2.1
    memset(&hashes[0], 0, sizeof hashes[0]);
    for (unsigned h = 1; h <= SY_PBFT_WINDOW; h++) {
        headers[h] = (struct sy_header){.protocol = SY_PROTOCOL_VERSION,
                                        .height = h,
                                        .previous = hashes[h - 1],
                                        .batches_root = empty_root};
        sy_header_hash(&hashes[h], &m.config.genesis, &headers[h]);
    }
    for (unsigned h = SY_PBFT_WINDOW; h >= 1; h--) {
        message.type = SY_MESSAGE_BLOCK;
        memset(&message.body.block, 0, sizeof message.body.block);
        message.body.block.header = headers[h];
        message.body.block.proposal.slot = h;
        message.body.block.certificate.count = (uint16_t)sy_quorum(SY_VALIDATORS_MAX);
        step_message(&m, 5);
        if (h > 1) assert_int_equal(count(SY_PBFT_EXECUTE), 0);
    }
    assert_int_equal(count(SY_PBFT_EXECUTE), SY_PBFT_WINDOW);
    struct sy_pbft_event executed = {.type = SY_PBFT_EXECUTED};
    executed.as.executed.next_seqs = next_seqs;
    for (unsigned h = 1; h <= SY_PBFT_WINDOW; h++) {
        executed.as.executed.height = h;
        executed.as.executed.header_hash = hashes[h];
        step(&m, &executed);
        assert_int_equal(count(SY_PBFT_CERTIFIED), 1);
    }
    sy_arena_close(&m.arena);
}

CASE(the_primary_fills_its_part_of_the_window_and_no_more)
{
    struct machine m;
    open_machine(&m, 4, 0);
    for (uint64_t seq = 1; seq <= SY_BATCH_WINDOW; seq++) {
        struct sy_pbft_event ready = {.type = SY_PBFT_BATCH_READY};
        ready.as.batch.digest = body_digest(seq);
        ready.as.batch.maker = 2;
        ready.as.batch.seq = seq;
        ready.as.batch.tx_count = 1;
        ready.as.batch.bytes = 300;
        step(&m, &ready);
        m.now_ns += 10 * MS; // the batch timeout passes
    }
    struct sy_pbft_info info;
    sy_pbft_get_info(m.pbft, &info, m.now_ns);
    assert_true(info.proposed_height > 4);
    assert_true(info.proposed_height < SY_PBFT_WINDOW);
    assert_int_equal(info.ready_batches, SY_BATCH_WINDOW);
    sy_arena_close(&m.arena);
}

/* Equal events give equal effects: compared by their encodings. */
CASE(the_machine_is_a_function_of_its_events)
{
    static uint8_t a[64u << 10], b[64u << 10];
    size_t used[2];
    for (unsigned run = 0; run < 2; run++) {
        struct sy_writer w = sy_writer_of(run ? b : a, sizeof a);
        struct machine m;
        open_machine(&m, 4, 1);
        for (uint64_t slot = 1; slot <= 10; slot++) {
            send_pre_prepare(&m, slot, 0);
            send_votes(&m, SY_MESSAGE_PREPARE, slot, 0, 2, 2);
            step_simple(&m, SY_PBFT_PERSISTED);
            for (uint32_t i = 0; i < effects.count; i++) {
                sy_write_u8(&w, (uint8_t)effects.items[i].type);
                if (effects.items[i].type == SY_PBFT_SEND)
                    sy_message_encode(&w, &effects.items[i].as.send.message);
                if (effects.items[i].type == SY_PBFT_PERSIST)
                    sy_pbft_record_encode(&w, &effects.items[i].as.persist.record);
            }
        }
        assert_false(w.failed);
        used[run] = w.used;
        sy_arena_close(&m.arena);
    }
    assert_true(used[0] > 1000);
    assert_int_equal(used[0], used[1]);
    assert_memory_equal(a, b, used[0]);
}

/* --- our own bugs are asserted --------------------------------------------------------------- */

static void start_twice(void *context)
{
    struct machine *m = (struct machine *)context;
    step_simple(m, SY_PBFT_START);
}

static void execute_unasked(void *context)
{
    struct machine *m = (struct machine *)context;
    struct sy_pbft_event executed = {.type = SY_PBFT_EXECUTED};
    executed.as.executed.height = 1;
    executed.as.executed.next_seqs = next_seqs;
    step(m, &executed);
}

static void persist_unasked(void *context)
{
    struct machine *m = (struct machine *)context;
    m->token += 1000;
    step_simple(m, SY_PBFT_PERSISTED);
}

CASE(events_that_only_a_bug_could_send_are_asserted)
{
    struct machine m;
    open_machine(&m, 4, 1);
    assert_aborts(start_twice, &m);
    assert_aborts(execute_unasked, &m);
    assert_aborts(persist_unasked, &m);
    sy_arena_close(&m.arena);
}

CASE(messages_before_the_start_has_ended_are_ignored)
{
    struct machine m;
    struct sy_error err;
    m = (struct machine){.now_ns = 1000 * MS};
    sy_pbft_config_default(&m.config);
    m.config.n = 4;
    m.config.self = 1;
    for (size_t i = 0; i < 4; i++) next_seqs[i] = 1;
    assert_int_equal(sy_arena_open(&m.arena, sy_pbft_footprint(4)), SY_OK);
    assert_int_equal(sy_pbft_init(&m.pbft, &m.arena, &m.config, &err), SY_OK);
    step_simple(&m, SY_PBFT_START);
    send_pre_prepare(&m, 1, 0);
    assert_int_equal(effects.count, 0);
    struct sy_pbft_info info;
    sy_pbft_get_info(m.pbft, &info, m.now_ns);
    assert_int_equal(info.ignored_total[SY_PBFT_IGNORED_UNEXPECTED], 1);
    sy_arena_close(&m.arena);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_whole_window_that_moves_at_once_fits_the_list),
        cmocka_unit_test(an_answer_to_one_request_is_bounded),
        cmocka_unit_test(missing_bodies_are_asked_for_in_bounded_portions),
        cmocka_unit_test(blocks_for_a_whole_window_fit_the_list),
        cmocka_unit_test(the_primary_fills_its_part_of_the_window_and_no_more),
        cmocka_unit_test(the_machine_is_a_function_of_its_events),
        cmocka_unit_test(events_that_only_a_bug_could_send_are_asserted),
        cmocka_unit_test(messages_before_the_start_has_ended_are_ignored),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
