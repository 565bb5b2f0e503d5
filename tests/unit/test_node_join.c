/* A new store filled from peers over real links: any honest one is enough, a liar is refused once
 * and asked no more, who lies with true chunks alone is no more than in the way, and who was
 * stopped goes on. ctest: threaded */
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/node/holder.h"
#include "consensus/node/joiner.h"
#include "core/base/thread.h"
#include "core/ledger/trie_hash.h"
#include "core/ledger/trie_nodes.h"
#include "tests/support/links.h"
#include "tests/support/test.h"
#include "tests/support/transfer.h"

#define PEERS 3u /* and the new one, with index 3 */
#define NEW PEERS
#define AHEAD_BLOCKS 5000u

enum manner {
    HONEST,
    LIES,   /* its chunks do not lead to the root */
    HALVES, /* its chunks are true, and half as large as they could be */
    LATE,   /* before each answer comes one to some other question */
    KEEPS,  /* it alone shows a newer state, of which it gives nothing */
    AHEAD,  /* has gone on by AHEAD_BLOCKS, and holds the state there */
    EMPTY,  /* holds no state */
    LATER   /* says that its state is of epoch 3 */
};

/* A validator that holds the state: its link's frames go to its holder. */
struct peer {
    sy_link *link;
    sy_holder *holder;
    pthread_t thread;
    atomic_bool stopping;
    atomic_uint manner;
    atomic_uint asked;
};

static struct transfer transfer;
static struct test_links net;
static struct peer peers[PEERS];

/* Makes of a chunk the half that its first key is in. */
static void halve(struct sy_chunk *chunk)
{
    struct sy_delta_reader reader = sy_delta_reader_of(chunk->entries);
    struct sy_delta entry;
    size_t half = 0;
    while (sy_delta_next(&reader, &entry) && !sy_trie_bit(&entry.key, chunk->bits)) {
        half = reader.in.used;
    }
    struct sy_slice all = chunk->entries;
    memmove(&chunk->siblings[1], chunk->siblings, chunk->bits * sizeof chunk->siblings[0]);
    chunk->bits++;
    chunk->entries = sy_slice_of(all.data, half);
    assert_true(sy_trie_packed_root(&chunk->siblings[0],
                                    sy_slice_of(all.data + half, all.size - half), chunk->bits));
    assert_true(sy_chunk_verify(chunk, &transfer.root, NULL));
}

/* The same state under a newer header, which holds. */
static void renew(struct sy_sync_message *message, uint64_t blocks)
{
    message->header.height += blocks;
    test_certificate(&message->certificate, &transfer.genesis, &message->header);
}

static void send_chunk(void *self, uint16_t to, struct sy_slice answer)
{
    struct peer *peer = (struct peer *)self;
    static _Thread_local uint8_t bytes[SY_FRAME_BYTES_MAX];
    static _Thread_local struct sy_sync_message message;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    unsigned manner = atomic_load(&peer->manner);
    assert_true(sy_sync_decode(&message, answer, 4));
    if (message.type == SY_SYNC_SNAPSHOT && manner == HALVES) halve(&message.chunk);
    if (message.type == SY_SYNC_SNAPSHOT && manner == KEEPS) renew(&message, 7);
    if (message.type == SY_SYNC_SNAPSHOT && manner == AHEAD) renew(&message, AHEAD_BLOCKS);
    if (message.type == SY_SYNC_SNAPSHOT && manner == LATER) message.header.epoch = 3;
    sy_sync_encode(&w, &message);
    assert_false(w.failed);
    if (message.type == SY_SYNC_SNAPSHOT && manner == LIES) bytes[w.used - 1] ^= 1; // in a value
    (void)sy_link_send(peer->link, to, SY_CHANNEL_BULK, sy_writer_slice(&w));
}

static void on_fetch(struct peer *peer, uint16_t from, const struct sy_sync_message *fetch)
{
    unsigned manner = atomic_load(&peer->manner);
    uint64_t height = fetch->height;
    struct sy_hash last;
    memset(last.bytes, 0xff, sizeof last.bytes);
    atomic_fetch_add(&peer->asked, 1);
    if (manner == EMPTY || (manner == KEEPS && height != 0)) height++; // which nobody holds
    if (manner == AHEAD && height != 0)
        height = height > AHEAD_BLOCKS ? height - AHEAD_BLOCKS : height + 1;
    if (manner == LATE) assert_true(sy_holder_ask(peer->holder, from, height, &last));
    assert_true(sy_holder_ask(peer->holder, from, height, &fetch->key));
}

/* It keeps no handovers. */
static void prove_nothing(struct peer *peer, uint32_t from)
{
    struct sy_sync_message none = {.type = SY_SYNC_HANDOVERS};
    uint8_t bytes[16];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &none);
    (void)sy_link_send(peer->link, from, SY_CHANNEL_BULK, sy_writer_slice(&w));
}

static void *run_peer(void *self)
{
    struct peer *peer = (struct peer *)self;
    struct sy_sync_message *message = (struct sy_sync_message *)malloc(sizeof *message);
    assert_non_null(message);
    while (!atomic_load(&peer->stopping)) {
        struct sy_link_frame frame;
        struct pollfd fd = {.fd = sy_link_fd(peer->link), .events = POLLIN};
        (void)poll(&fd, 1, 20);
        while (sy_link_recv(peer->link, &frame)) {
            bool fetch = sy_sync_decode(message, frame.payload, 4) &&
                         message->type == SY_SYNC_SNAPSHOT_FETCH;
            if (fetch) on_fetch(peer, (uint16_t)frame.peer, message);
            if (message->type == SY_SYNC_HANDOVER_FETCH) prove_nothing(peer, frame.peer);
            sy_link_frame_release(peer->link, &frame);
        }
    }
    free(message);
    return NULL;
}

/* The first so many peers are of this manner, the others honest. */
static void open_world(unsigned many, enum manner manner)
{
    struct sy_error err = {SY_OK, ""};
    transfer_open(&transfer, 4711);
    transfer_hold(&transfer, 1500);
    test_links_start(&net, PEERS + 1);
    for (unsigned i = 0; i < PEERS; i++) {
        struct peer *peer = &peers[i];
        struct sy_snapshot_top top;
        memset(peer, 0, sizeof *peer);
        peer->link = net.links[i];
        atomic_store(&peer->manner, i < many ? manner : HONEST);
        sy_status status =
            sy_holder_open(&peer->holder, transfer.from.store, send_chunk, peer, &err);
        if (status != SY_OK) fail_msg("%s", err.text);
        assert_int_equal(sy_snapshot_top_take(&top, transfer.trie), SY_OK);
        sy_holder_put_top(peer->holder, transfer.height, &top);
        assert_int_equal(sy_thread_start(&peer->thread, "peer", run_peer, peer, &err), SY_OK);
        test_links_wait(&net, i, NEW);
    }
}

static void close_world(void)
{
    for (unsigned i = 0; i < PEERS; i++) {
        atomic_store(&peers[i].stopping, true);
        sy_thread_join(peers[i].thread);
        sy_holder_close(peers[i].holder);
    }
    test_links_stop(&net);
    transfer_close(&transfer);
}

static bool after_a_few(void *context)
{
    return (*(unsigned *)context)-- == 0;
}

static sy_status join(struct sy_joined *joined, unsigned *looks, struct sy_error *err)
{
    struct sy_joiner_config config = {.store = transfer.to.store,
                                      .link = net.links[NEW],
                                      .genesis = &transfer.genesis,
                                      .own = &transfer.genesis.roster.validators[NEW].link_key,
                                      .answer_ms = TEST_PATIENCE_MS,
                                      .stopping = looks ? after_a_few : NULL,
                                      .context = looks};
    return sy_joiner_run(joined, &config, err);
}

/* The new store begins with the state, under a header and certificate that hold. */
static void check_joined(const struct sy_joined *joined)
{
    struct sy_slice part;
    struct sy_hash root;
    static struct sy_certificate certificate;
    struct sy_header header;
    sy_store_reader *reader = NULL;
    assert_int_equal(joined->height, transfer.height);
    assert_int_equal(sy_ledger_base(transfer.to.store), transfer.height);
    assert_int_equal(sy_store_reader_open(&reader, transfer.to.store), SY_OK);
    assert_int_equal(sy_ledger_get(reader, &part, transfer.height, SY_BLOCK_HEADER), SY_OK);
    struct sy_reader r = sy_reader_of(part);
    assert_true(sy_header_decode(&r, &header));
    assert_int_equal(sy_ledger_get(reader, &part, transfer.height, SY_BLOCK_CERTIFICATE), SY_OK);
    r = sy_reader_of(part);
    assert_true(sy_certificate_decode(&r, &certificate, 4));
    assert_true(sy_certificate_verify(&certificate, &transfer.genesis.roster,
                                      &transfer.genesis.hash, &header));
    sy_store_reader_close(reader);
    transfer_state_root(&transfer, &root);
    assert_memory_equal(root.bytes, header.state_root.bytes, 32);
    assert_memory_equal(root.bytes, transfer.root.bytes, 32);
}

CASE(a_new_store_joins_from_its_peers_in_turn)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    open_world(0, HONEST);
    if (join(&joined, NULL, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(joined.chunks >= 4);
    assert_int_equal(joined.liars, 0);
    for (unsigned i = 0; i < PEERS; i++) assert_true(atomic_load(&peers[i].asked) >= 2);
    check_joined(&joined);
    test_store_restart(&transfer.to);
    assert_int_equal(sy_ledger_height(transfer.to.store), transfer.height);
    close_world();
}

CASE(liars_are_refused_once_and_asked_no_more)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    open_world(2, LIES);
    if (join(&joined, NULL, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(joined.liars, 2);
    assert_int_equal(atomic_load(&peers[0].asked), 1);
    assert_int_equal(atomic_load(&peers[1].asked), 1);
    check_joined(&joined);
    close_world();
}

CASE(chunks_that_overlap_fit_together)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    open_world(1, HALVES);
    if (join(&joined, NULL, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(joined.liars, 0);
    assert_true(atomic_load(&peers[0].asked) >= 2);
    check_joined(&joined);
    close_world();
}

CASE(an_answer_that_comes_too_late_is_no_lie)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    open_world(PEERS, LATE);
    if (join(&joined, NULL, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(joined.liars, 0);
    check_joined(&joined);
    close_world();
}

CASE(one_that_keeps_a_newer_state_to_itself_holds_nobody_up)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    unsigned looks = 200; // enough for all chunks, and soon over when nothing is fetched
    open_world(1, KEEPS);
    if (join(&joined, &looks, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(joined.liars, 0);
    check_joined(&joined);
    close_world();
}

CASE(who_lets_down_is_believed_after_the_others)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    unsigned looks = 200;
    open_world(1, KEEPS);
    atomic_store(&peers[1].manner, EMPTY); // so that one state has one holder, like the other
    if (join(&joined, &looks, &err) != SY_OK) fail_msg("%s", err.text);
    check_joined(&joined);
    close_world();
}

CASE(a_state_much_older_than_another_is_not_fetched)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    open_world(1, AHEAD);
    if (join(&joined, NULL, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(joined.height, transfer.height + AHEAD_BLOCKS);
    close_world();
}

CASE(nobody_honest_is_an_error)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    open_world(PEERS, LIES);
    assert_int_equal(join(&joined, NULL, &err), SY_ERR_CRYPTO);
    assert_int_equal(joined.liars, PEERS);
    assert_int_equal(sy_ledger_next(transfer.to.store), 0);
    close_world();
}

/* One that says so may lie: as long as anybody holds a state of this epoch, that is taken. */
CASE(a_later_epoch_that_nobody_proves_is_not_taken_and_it_is_said_what_to_do)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    open_world(PEERS, LATER);
    atomic_store(&peers[0].manner, LIES);
    assert_int_equal(join(&joined, NULL, &err), SY_ERR_VERSION);
    assert_non_null(strstr(err.text, "epoch 3"));
    assert_non_null(strstr(err.text, "join_by_snapshot = 0"));
    assert_int_equal(joined.liars, 1);
    assert_int_equal(sy_ledger_next(transfer.to.store), 0);
    atomic_store(&peers[1].manner, HONEST);
    if (join(&joined, NULL, &err) != SY_OK) fail_msg("%s", err.text);
    check_joined(&joined);
    close_world();
}

CASE(who_is_stopped_goes_on_where_it_was)
{
    struct sy_joined joined;
    struct sy_error err = {SY_OK, ""};
    uint64_t chunks = 0;
    open_world(0, HONEST);
    for (unsigned rounds = 0; rounds < 100; rounds++) {
        unsigned looks = 6; // four to see who holds what, then a chunk or two
        sy_status status = join(&joined, &looks, &err);
        chunks += joined.chunks;
        if (status == SY_OK) break;
        assert_int_equal(status, SY_ERR_CLOSED);
        test_store_restart(&transfer.to);
    }
    check_joined(&joined);
    assert_true(joined.chunks < chunks); // not all of them in the last round
    close_world();
}

/* A holder whose answers wait until they are let go. */
struct gate {
    pthread_mutex_t lock;
    atomic_uint answers[PEERS];
    atomic_bool busy;
};

static void send_at_gate(void *self, uint16_t peer, struct sy_slice message)
{
    struct gate *gate = (struct gate *)self;
    assert_true(message.size > 0);
    atomic_store(&gate->busy, true);
    pthread_mutex_lock(&gate->lock);
    pthread_mutex_unlock(&gate->lock);
    atomic_fetch_add(&gate->answers[peer], 1);
}

/* Someone who asks for everything all the time keeps nobody else's question out. */
CASE(who_asks_too_much_keeps_nobody_out)
{
    static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct sy_hash key = {{0}};
    struct sy_error err;
    sy_holder *holder;
    transfer_open(&transfer, 4711);
    pthread_mutex_lock(&gate.lock);
    assert_int_equal(sy_holder_open(&holder, transfer.from.store, send_at_gate, &gate, &err),
                     SY_OK);
    assert_true(sy_holder_ask(holder, 0, 0, &key));
    while (!atomic_load(&gate.busy)) (void)poll(NULL, 0, 1);
    unsigned taken = 0;
    for (unsigned i = 0; i < 1000; i++) taken += sy_holder_ask(holder, 0, 0, &key);
    assert_int_equal(taken, 2);
    assert_true(sy_holder_ask(holder, 1, 0, &key));
    assert_false(sy_holder_ask(holder, UINT16_MAX, 0, &key));
    pthread_mutex_unlock(&gate.lock);
    while (atomic_load(&gate.answers[0]) < 3 || atomic_load(&gate.answers[1]) < 1) {
        (void)poll(NULL, 0, 1);
    }
    assert_true(sy_holder_ask(holder, 0, 0, &key));
    sy_holder_close(holder);
    transfer_close(&transfer);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_new_store_joins_from_its_peers_in_turn),
        cmocka_unit_test(liars_are_refused_once_and_asked_no_more),
        cmocka_unit_test(chunks_that_overlap_fit_together),
        cmocka_unit_test(an_answer_that_comes_too_late_is_no_lie),
        cmocka_unit_test(one_that_keeps_a_newer_state_to_itself_holds_nobody_up),
        cmocka_unit_test(who_lets_down_is_believed_after_the_others),
        cmocka_unit_test(a_state_much_older_than_another_is_not_fetched),
        cmocka_unit_test(nobody_honest_is_an_error),
        cmocka_unit_test(a_later_epoch_that_nobody_proves_is_not_taken_and_it_is_said_what_to_do),
        cmocka_unit_test(who_is_stopped_goes_on_where_it_was),
        cmocka_unit_test(who_asks_too_much_keeps_nobody_out),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
