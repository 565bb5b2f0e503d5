/* witness.c: see witness.h. */
#include "tests/support/witness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/read.h"
#include "core/wire/state.h"
#include "tests/support/links.h"

#define ANSWER_BYTES 65536u

/* The number of a transaction of the block, or one past the last. */
static unsigned number_of_id(const struct test_block *block, const struct sy_hash *id)
{
    unsigned i = 0;
    for (; i < TEST_BLOCK_TXS; i++) {
        struct sy_awaited own = test_block_awaited(block, i);
        if (sy_hash_equal(&own.tx_id, id)) break;
    }
    return i;
}

/* The same for somebody who must show to have it. */
static unsigned number_of(const struct test_block *block, const struct sy_awaited *awaited)
{
    unsigned i = number_of_id(block, &awaited->tx_id);
    if (i == TEST_BLOCK_TXS) return i;
    struct sy_awaited own = test_block_awaited(block, i);
    return sy_hash_equal(&own.witness, &awaited->witness) ? i : TEST_BLOCK_TXS;
}

/* ---- answers ------------------------------------------------------------------------------ */

static void answer_hello(const struct witness *witness, struct sy_writer *w, uint64_t id)
{
    const struct test_block *block = witness->block;
    sy_answer_begin(w, SY_ANSWER_HELLO, id);
    sy_write_raw(w, sy_network_tag(&block->genesis), SY_NETWORK_TAG_BYTES);
    sy_write_u16(w, SY_PROTOCOL_VERSION);
    sy_write_u64(w, block->header.height);
    sy_write_i64(w, block->header.time_ms);
}

static void answer_submit(struct sy_writer *w, const struct sy_client_request *request, bool denies)
{
    sy_answer_begin(w, SY_ANSWER_SUBMIT, request->request_id);
    sy_write_u16(w, request->body.submit.count);
    for (uint16_t i = 0; i < request->body.submit.count; i++) {
        sy_write_u8(w, denies ? SY_TX_REFUSED : SY_TX_RECEIVED);
        sy_write_u16(w, denies ? SY_E_VERSION : 0);
        sy_write_u32(w, 0);
    }
}

static void answer_wait(const struct witness *witness, struct sy_writer *w,
                        const struct sy_client_request *request, enum witness_mode mode)
{
    static _Thread_local struct sy_proof proof;
    const struct test_block *block = witness->block;
    SY_ASSERT(request->body.wait.count == 1);
    struct sy_awaited awaited;
    sy_wait_item(request, 0, &awaited);
    unsigned number = number_of(block, &awaited);
    bool is_final = number < TEST_BLOCK_TXS && mode != WITNESS_DENIES;
    if (mode == WITNESS_OTHER) number = (number + 1) % TEST_BLOCK_TXS;
    sy_answer_begin(w, SY_ANSWER_WAIT, request->request_id);
    sy_write_u16(w, is_final);
    if (is_final) {
        sy_header_encode(w, &block->header);
        sy_certificate_encode(w, &block->certificate);
    }
    sy_write_u16(w, 1);
    sy_write_u8(w, is_final ? SY_TX_FINAL : SY_TX_UNKNOWN);
    if (!is_final) return;
    sy_write_u16(w, 0);
    test_block_prove_receipt(&proof, block, number, request->body.wait.with_tx);
    sy_receipt_proof_encode(w, &proof.receipt);
}

/* Of the block that is asked for; 0: it has none. Who knows later rosters has the block alone. */
static uint64_t height_of(const struct witness *witness, uint64_t asked)
{
    uint64_t own = witness->block->header.height;
    uint64_t told = atomic_load(&witness->told), shown = atomic_load(&witness->shown);
    if (witness->epochs) return own;
    if (asked == SY_HEIGHT_NEWEST) return told > 0 ? told : own;
    return asked > (shown > 0 ? shown : own) ? 0 : asked;
}

static void answer_block(const struct witness *witness, struct sy_writer *w,
                         const struct sy_client_request *request, enum witness_mode mode)
{
    const struct test_block *block = witness->block;
    struct sy_header header = block->header;
    struct sy_certificate certificate = block->certificate;
    struct sy_proposal order = block->proposal;
    uint64_t height = height_of(witness, request->body.block_height);
    if (height == 0) {
        sy_answer_refused(w, request->request_id,
                          mode == WITNESS_PRUNED ? SY_ANSWER_PRUNED : SY_ANSWER_NOT_FOUND, "none");
        return;
    }
    if (height != header.height) {
        header.time_ms += ((int64_t)height - (int64_t)header.height) * 1000;
        header.height = order.slot = height;
        test_certificate(&certificate, &block->genesis, &header);
    }
    if (mode == WITNESS_OTHER) order.entries[0].digest.bytes[0] ^= 1;
    sy_answer_begin(w, SY_ANSWER_BLOCK, request->request_id);
    sy_header_encode(w, &header);
    sy_write_u8(w, 1);
    sy_certificate_encode(w, &certificate);
    sy_proposal_encode(w, &order);
}

static void answer_ids(const struct witness *witness, struct sy_writer *w,
                       const struct sy_client_request *request, enum witness_mode mode)
{
    const struct test_block *block = witness->block;
    const struct sy_read_request *read = &request->body.read;
    if (mode == WITNESS_DENIES) {
        sy_answer_refused(w, request->request_id, SY_ANSWER_FORBIDDEN, "no member's key");
        return;
    }
    sy_answer_begin(w, SY_ANSWER_IDS, request->request_id);
    sy_write_u64(w, sy_read_ids_height(read) + (mode == WITNESS_OTHER));
    sy_write_u32(w, TEST_BLOCK_TXS);
    for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
        struct sy_awaited own = test_block_awaited(block, i);
        sy_write_hash(w, &own.tx_id);
    }
}

static bool prove_read(struct sy_proof *proof, const struct test_block *block,
                       const struct sy_read_request *read, enum witness_mode mode)
{
    struct sy_hash key;
    if (read->subject == SY_READ_STATE) {
        struct sy_hash id = mode == WITNESS_OTHER ? test_hash(91) : read->id;
        struct sy_read_request about = *read;
        about.id = id;
        bool names = sy_read_key(&key, &about);
        SY_ASSERT(names);
        test_block_prove_state(proof, block, &key);
        return true;
    }
    unsigned number = number_of_id(block, &read->id);
    if (number == TEST_BLOCK_TXS) return false;
    if (mode == WITNESS_OTHER) number = (number + 1) % TEST_BLOCK_TXS;
    test_block_prove_receipt(proof, block, number, read->subject == SY_READ_TX);
    return true;
}

/* The receipt whose only event has this number, or TEST_BLOCK_TXS. */
static unsigned receipt_of(const struct test_block *block, const struct sy_notices_asked *asked,
                           uint64_t number)
{
    for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
        struct sy_reader r = sy_reader_of(block->receipts[i]);
        struct sy_receipt receipt;
        struct sy_event event;
        size_t offset = 0;
        if (!sy_receipt_decode(&r, &receipt)) continue;
        if (!sy_receipt_next_event(&receipt, &offset, &event)) continue;
        if (event.subject_number == number && event.subject_kind == asked->subject_kind &&
            sy_hash_equal(&event.subject, &asked->subject)) {
            return i;
        }
    }
    return TEST_BLOCK_TXS;
}

static void write_notice(struct sy_writer *w, const struct test_block *block, unsigned receipt)
{
    static _Thread_local struct sy_proof proof;
    struct sy_notice_proof notice;
    uint8_t head[SY_RECEIPT_HEAD_BYTES_MAX];
    bool made = sy_notice_prove(&notice, head, block->receipts[receipt], 0);
    SY_ASSERT(made);
    test_block_prove_receipt(&proof, block, receipt, false);
    notice.receipt_path = proof.receipt.receipt_path;
    sy_write_u8(w, 1);
    sy_write_u16(w, 0);
    sy_notice_proof_encode(w, &notice);
}

static void answer_notices(const struct witness *witness, struct sy_writer *w,
                           const struct sy_client_request *request, enum witness_mode mode)
{
    const struct test_block *block = witness->block;
    struct sy_notices_asked asked;
    unsigned found[TEST_BLOCK_TXS];
    uint16_t count = 0;
    bool reads = sy_read_notices_asked(&asked, &request->body.read);
    SY_ASSERT(reads);
    if (mode == WITNESS_DENIES || mode == WITNESS_PRUNED) {
        sy_answer_refused(w, request->request_id,
                          mode == WITNESS_DENIES ? SY_ANSWER_FORBIDDEN : SY_ANSWER_PRUNED, "no");
        return;
    }
    uint64_t from = asked.from + (mode == WITNESS_OTHER);
    bool hides = mode == WITNESS_HIDING;
    while (mode != WITNESS_EMPTY && !hides && count < asked.max && count < TEST_BLOCK_TXS) {
        found[count] = receipt_of(block, &asked, from + count);
        if (found[count] == TEST_BLOCK_TXS) break;
        count++;
    }
    sy_answer_begin(w, SY_ANSWER_NOTICES, request->request_id);
    sy_write_u64(w, block->header.height);
    sy_write_u16(w, 1);
    sy_header_encode(w, &block->header);
    sy_certificate_encode(w, &block->certificate);
    sy_write_u16(w, hides ? (uint16_t)asked.max : count);
    for (uint32_t i = 0; hides && i < asked.max; i++) sy_write_u8(w, 0);
    for (uint16_t i = 0; i < count; i++) write_notice(w, block, found[i]);
}

static void answer_read(const struct witness *witness, struct sy_writer *w,
                        const struct sy_client_request *request, enum witness_mode mode)
{
    static _Thread_local struct sy_proof proof;
    static _Thread_local uint8_t bytes[ANSWER_BYTES];
    struct sy_writer inner = sy_writer_of(bytes, sizeof bytes);
    if (request->body.read.subject == SY_READ_IDS) {
        answer_ids(witness, w, request, mode);
        return;
    }
    if (request->body.read.subject == SY_READ_NOTICES) {
        answer_notices(witness, w, request, mode);
        return;
    }
    if (mode == WITNESS_PRUNED) {
        sy_answer_refused(w, request->request_id, SY_ANSWER_PRUNED, "pruned at 7: gone");
        return;
    }
    if (mode == WITNESS_DENIES || !prove_read(&proof, witness->block, &request->body.read, mode)) {
        sy_answer_refused(w, request->request_id, SY_ANSWER_NOT_FOUND, "there is no such thing");
        return;
    }
    if (mode == WITNESS_ABSENT && proof.kind == SY_PROOF_STATE && !proof.state.present) {
        sy_answer_refused(w, request->request_id, SY_ANSWER_NOT_FOUND, "there is no such thing");
        return;
    }
    sy_proof_encode(&inner, &proof);
    sy_answer_begin(w, SY_ANSWER_READ, request->request_id);
    sy_write_bytes32(w, sy_writer_slice(&inner));
}

/* Entries of the directory that fit by their ids: those of witness.h, ascending. */
static void answer_find(struct sy_writer *w, const struct sy_client_request *request,
                        enum witness_mode mode)
{
    const struct sy_find *query = &request->body.find.query;
    struct sy_found found = {.next = 10, .from = 1};
    if (mode == WITNESS_DENIES) {
        sy_answer_refused(w, request->request_id, SY_ANSWER_FORBIDDEN, "no member's key");
        return;
    }
    for (uint8_t i = 1; i <= WITNESS_FOUND; i++) {
        struct sy_hash id = witness_found(i);
        if (query->has_behind && sy_hash_compare(&id, &query->behind) <= 0) continue;
        if (mode != WITNESS_OTHER && !sy_find_begins_with(&id, &query->prefix, query->digits)) {
            continue;
        }
        found.more = found.count == query->max;
        if (found.more) break;
        found.ids[found.count++] = found.last = id;
    }
    sy_answer_begin(w, SY_ANSWER_FOUND, request->request_id);
    sy_found_encode(w, &found);
}

struct sy_hash witness_found(uint8_t i)
{
    struct sy_hash id = test_hash(600);
    id.bytes[0] = i;
    return id;
}

/* Those of the epochs before WITNESS_EPOCH, from the one asked for on. */
static void answer_handovers(const struct witness *witness, struct sy_writer *w,
                             const struct sy_client_request *request, enum witness_mode mode)
{
    uint32_t first = request->body.epoch;
    uint32_t last = witness->epochs && mode != WITNESS_DENIES ? WITNESS_EPOCH : 0;
    if (mode == WITNESS_OTHER && first < last) first++;
    sy_answer_begin(w, SY_ANSWER_HANDOVERS, request->request_id);
    sy_write_u32(w, request->body.epoch);
    sy_write_u16(w, first < last ? (uint16_t)(last - first) : 0);
    if (first >= last) return;
    struct sy_slice path = test_epochs_path(witness->epochs, first, last);
    sy_write_raw(w, path.data, path.size);
}

/* ---- serving ------------------------------------------------------------------------------ */

static void answer(const struct witness *witness, struct sy_writer *w,
                   const struct sy_client_request *request, enum witness_mode mode)
{
    if (mode == WITNESS_BUSY) {
        sy_answer_refused(w, request->request_id, SY_ANSWER_BUSY, "too much to do");
        return;
    }
    switch (request->kind) {
    case SY_REQUEST_SUBMIT: answer_submit(w, request, mode == WITNESS_DENIES); break;
    case SY_REQUEST_WAIT: answer_wait(witness, w, request, mode); break;
    case SY_REQUEST_BLOCK:
        if (mode == WITNESS_DENIES) {
            sy_answer_refused(w, request->request_id, SY_ANSWER_NOT_FOUND, "no such block");
        } else {
            answer_block(witness, w, request, mode);
        }
        break;
    case SY_REQUEST_READ: answer_read(witness, w, request, mode); break;
    case SY_REQUEST_FIND: answer_find(w, request, mode); break;
    case SY_REQUEST_HANDOVERS: answer_handovers(witness, w, request, mode); break;
    default: sy_answer_refused(w, request->request_id, SY_ANSWER_MALFORMED, "not served here");
    }
    // The head of the answer stays; a byte of what follows, which some hash or seal covers, not. In
    // a short answer there is nothing that proves anything.
    if (mode == WITNESS_GARBLED && w->used > 100) w->data[w->used - 40] ^= 1;
    if (mode == WITNESS_NONSENSE) memset(w->data, 0xff, w->used);
}

static void serve(struct witness *witness, const struct sy_request *from)
{
    static _Thread_local uint8_t bytes[ANSWER_BYTES];
    struct sy_client_request request;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    bool decodes = sy_request_decode(&request, from->body);
    SY_ASSERT(decodes);
    enum witness_mode mode = (enum witness_mode)atomic_load(&witness->mode);
    if (request.kind == SY_REQUEST_HANDOVERS && atomic_load(&witness->handovers) != WITNESS_TRUE) {
        mode = (enum witness_mode)atomic_load(&witness->handovers);
    }
    if (request.kind == SY_REQUEST_HELLO) {
        answer_hello(witness, &w, request.request_id);
    } else {
        atomic_fetch_add(&witness->asked, 1);
        if (mode == WITNESS_SILENT) return;
        answer(witness, &w, &request, mode);
    }
    SY_ASSERT(!w.failed);
    sy_status status = sy_server_reply(witness->server, from->token, sy_writer_slice(&w));
    SY_ASSERT(status == SY_OK);
}

static void *run_witness(void *context)
{
    struct witness *witness = (struct witness *)context;
    while (!atomic_load(&witness->stopping)) {
        struct sy_request request;
        struct pollfd poll_fd = {.fd = sy_server_fd(witness->server), .events = POLLIN};
        (void)poll(&poll_fd, 1, 5);
        while (sy_server_next(witness->server, &request)) {
            serve(witness, &request);
            sy_server_release(witness->server, &request);
        }
    }
    return NULL;
}

/* Another state under the block's header, which is sealed anew. */
static void replace_state(struct test_block *block, const struct test_entry *entries)
{
    memcpy(block->state, entries, sizeof block->state);
    _Static_assert(sizeof block->state == TEST_BLOCK_ENTRIES * sizeof *entries, "all of them");
    test_trie_root(&block->header.state_root, block->state, TEST_BLOCK_ENTRIES);
    test_certificate(&block->certificate, &block->genesis, &block->header);
}

void witnesses_start(struct witnesses *all)
{
    witnesses_start_with(all, NULL);
}

static void start_one(struct witnesses *all, unsigned i)
{
    struct witness *witness = &all->of[i];
    struct sy_error err = {SY_OK, ""};
    witness->block = &all->block;
    witness->index = i;
    (void)snprintf(witness->address, sizeof witness->address, "tcp://127.0.0.1:%u",
                   test_free_ports(1));
    struct sy_server_config config = {.key = test_key(3 * i + 1), .bind = witness->address};
    sy_status status = sy_server_open(&witness->server, &config, &err);
    SY_ASSERT(status == SY_OK);
    all->count++;
}

static void run_one(struct witness *witness)
{
    int failed = pthread_create(&witness->thread, NULL, run_witness, witness);
    SY_ASSERT(failed == 0);
}

void witnesses_start_with(struct witnesses *all, const struct test_entry *entries)
{
    memset(all, 0, sizeof *all);
    test_block_make(&all->block);
    if (entries) replace_state(&all->block, entries);
    for (unsigned i = 0; i < WITNESSES; i++) {
        start_one(all, i);
        all->addresses[i] = all->of[i].address;
        run_one(&all->of[i]);
    }
}

/* In place of one of the block's patients. */
static void announce(struct witnesses *all)
{
    struct test_block *block = &all->block;
    const struct sy_handover *handover = &all->epochs.handovers[WITNESS_EPOCH];
    struct sy_roster_next next = {
        .first = WITNESS_PENDING, .kind = handover->kind, .change = handover->change};
    struct sy_writer w = sy_writer_of(all->pending, sizeof all->pending);
    struct test_entry *entry = &block->state[TEST_BLOCK_ENTRIES - 1];
    sy_roster_next_encode(&w, &next);
    SY_ASSERT(!w.failed);
    sy_state_key_roster_change(&entry->key_hash, WITNESS_EPOCH + 1);
    entry->value = sy_writer_slice(&w);
    test_trie_root(&block->header.state_root, block->state, TEST_BLOCK_ENTRIES);
}

void witnesses_start_late(struct witnesses *all)
{
    memset(all, 0, sizeof *all);
    test_block_make(&all->block);
    for (unsigned i = 0; i < WITNESSES + 1; i++) {
        start_one(all, i);
        if (i < WITNESSES) all->addresses[i] = all->of[i].address;
    }
    test_epochs_make(&all->epochs, all->of[WITNESSES].address);
    const struct sy_roster *roster = &all->epochs.rosters[WITNESS_EPOCH];
    struct sy_header *header = &all->block.header;
    announce(all);
    header->epoch = WITNESS_EPOCH;
    header->time_ms = sy_os_wall_ms() + 3600000; // current for as long as any test runs
    SY_ASSERT(header->height / TEST_EPOCH_HEIGHTS == WITNESS_EPOCH);
    sy_roster_hash(&header->next_roster, &all->block.genesis.hash, roster);
    test_certify(&all->block.certificate, &all->block.genesis.hash, roster, header);
    for (unsigned i = 0; i < all->count; i++) {
        all->of[i].epochs = &all->epochs;
        run_one(&all->of[i]);
    }
}

void witnesses_set_time(struct witnesses *all, int64_t time_ms)
{
    all->block.header.time_ms = time_ms;
    test_certificate(&all->block.certificate, &all->block.genesis, &all->block.header);
}

void witnesses_stop(struct witnesses *all)
{
    for (unsigned i = 0; i < all->count; i++) {
        struct witness *witness = &all->of[i];
        atomic_store(&witness->stopping, true);
        int failed = pthread_join(witness->thread, NULL);
        SY_ASSERT(failed == 0);
        sy_server_close(witness->server);
    }
}

void witnesses_set(struct witnesses *all, enum witness_mode mode, unsigned but)
{
    for (unsigned i = 0; i < all->count; i++) {
        atomic_store(&all->of[i].mode, (int)(i == but ? WITNESS_TRUE : mode));
        atomic_store(&all->of[i].handovers, (int)WITNESS_TRUE);
        atomic_store(&all->of[i].asked, 0);
        atomic_store(&all->of[i].told, 0);
        atomic_store(&all->of[i].shown, 0);
    }
}

sy_asker *witnesses_ask(const struct witnesses *all, const char *validator, int call_ms)
{
    sy_asker *asker = NULL;
    struct sy_error err = {SY_OK, ""};
    struct sy_asker_config config = {.genesis = &all->block.genesis,
                                     .addresses = all->addresses,
                                     .validator = validator,
                                     .call_ms = call_ms};
    sy_status status = sy_asker_open(&asker, &config, &err);
    SY_ASSERT(status == SY_OK);
    return asker;
}

struct sy_read_request witness_read(unsigned id)
{
    return (struct sy_read_request){.subject = SY_READ_STATE,
                                    .state_kind = SY_STATE_PATIENT,
                                    .id = test_hash(id),
                                    .purpose = SY_PURPOSE_TREATMENT};
}
