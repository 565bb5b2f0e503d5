/* samples.c: see samples.h. */
#include "tests/support/samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/wire/receipt.h"
#include "core/wire/sync.h"
#include "tests/support/changes.h"

#define FIRST_IN_BATCH 3u /* the first batch holds transactions 0 to 2, the second 3 and 4 */
#define ROOM_BYTES (512u << 10)

/* --- a block ------------------------------------------------------------------------------- */

void test_register(union sy_payload *payload, const struct sy_genesis *genesis,
                   const struct sy_hash *org, unsigned admin, unsigned sponsor, uint64_t nonce)
{
    struct sy_hash digest;
    struct sy_public_key sponsor_key = test_public(sponsor);
    memset(payload, 0, sizeof *payload);
    payload->org_register.org_id = *org;
    payload->org_register.kind = SY_ORG_HOSPITAL;
    payload->org_register.name_hash = test_hash(3000);
    payload->org_register.admin_key = test_public(admin);
    payload->org_register.x25519_key = test_public(admin + 1);
    sy_possession_digest(&digest, &genesis->hash, SY_ROLE_ORG_ADMIN, org, &sponsor_key, nonce);
    sy_sign(test_key(admin), &payload->org_register.admin_possession, SY_SIG_POSSESSION, &digest);
}

static void make_txs(struct test_block *block, struct sy_writer *room)
{
    sy_prng prng;
    sy_prng_seed(&prng, 7);
    const struct sy_kind *kind = sy_kind_by_name("record.create");
    for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
        union sy_payload payload;
        test_payload(&payload, kind, room, &prng);
        block->txs[i] = test_tx(room, &block->genesis, kind, &payload, 300 + i);
    }
}

static void make_receipt(struct test_block *block, struct sy_writer *room, unsigned i)
{
    uint8_t event_bytes[SY_EVENT_BYTES];
    struct sy_writer event_writer = sy_writer_of(event_bytes, sizeof event_bytes);
    struct sy_event event = {SY_EVENT_RECORD_CREATED, SY_SUBJECT_PATIENT, test_hash(50), 10 + i, i,
                             test_hash(60 + i)};
    struct sy_hash keys[2] = {test_hash(70 + 2 * i), test_hash(71 + 2 * i)};
    struct sy_receipt receipt = {.height = 9, .index = i};
    struct sy_tx tx;

    if (sy_tx_decode(&tx, NULL, block->txs[i], NULL) != SY_APPLIED) abort();
    sy_tx_id(&receipt.tx_id, &tx);
    if (i == 2) {
        receipt.code = SY_E_SCHEMA;
        receipt.path = sy_slice_of("parents[1]", 10);
    } else {
        if (sy_hash_compare(&keys[0], &keys[1]) > 0) {
            struct sy_hash swap = keys[0];
            keys[0] = keys[1];
            keys[1] = swap;
        }
        sy_event_encode(&event_writer, &event);
        receipt.key_count = 2;
        receipt.keys = sy_slice_of(keys, sizeof keys);
        receipt.event_count = 1;
        receipt.events = sy_writer_slice(&event_writer);
    }
    size_t start = room->used;
    sy_receipt_encode(room, &receipt);
    block->receipts[i] = sy_slice_of(room->data + start, room->used - start);
}

static void batch_leaves(struct sy_hash leaves[TEST_BLOCK_BATCHES], const struct test_block *block)
{
    for (unsigned b = 0; b < TEST_BLOCK_BATCHES; b++) {
        const struct sy_hash *digest = &block->proposal.entries[b].digest;
        sy_hash_leaf(&leaves[b], sy_slice_of(digest->bytes, sizeof digest->bytes));
    }
}

static void receipt_leaves(struct sy_hash leaves[TEST_BLOCK_TXS], const struct test_block *block)
{
    if (!sy_receipt_leaves(leaves, block->receipts, TEST_BLOCK_TXS)) abort();
}

static void make_proposal(struct test_block *block)
{
    block->proposal.slot = 9;
    block->proposal.time_ms = TEST_GENESIS_MS + 9000;
    block->proposal.count = TEST_BLOCK_BATCHES;
    for (unsigned b = 0; b < TEST_BLOCK_BATCHES; b++) {
        struct sy_entry *entry = &block->proposal.entries[b];
        struct sy_batch batch;
        if (!sy_batch_decode(&batch, block->batches[b])) abort();
        entry->maker = (uint16_t)b;
        entry->seq = 4;
        sy_batch_digest(&entry->digest, &block->genesis.hash, batch.header_bytes);
    }
}

static void make_header(struct test_block *block)
{
    struct sy_hash leaves[TEST_BLOCK_TXS];
    struct sy_header *header = &block->header;
    header->protocol = SY_PROTOCOL_VERSION;
    header->height = block->proposal.slot;
    header->time_ms = block->proposal.time_ms;
    header->previous = test_hash(80);
    batch_leaves(leaves, block);
    sy_merkle_root(&header->batches_root, leaves, leaves, TEST_BLOCK_BATCHES);
    receipt_leaves(leaves, block);
    sy_merkle_root(&header->receipts_root, leaves, leaves, TEST_BLOCK_TXS);
    test_trie_root(&header->state_root, block->state, 7);
    sy_roster_hash(&header->next_roster, &block->genesis.hash, &block->genesis.roster);
}

void test_block_make(struct test_block *block)
{
    memset(block, 0, sizeof *block);
    struct sy_writer room = sy_writer_of(block->room, sizeof block->room);
    test_genesis(&block->genesis, 4);
    make_txs(block, &room);

    uint8_t *bytes = (uint8_t *)malloc(SY_BATCH_BYTES_MAX);
    SY_ASSERT(bytes);
    for (unsigned b = 0; b < TEST_BLOCK_BATCHES; b++) {
        unsigned first = b * FIRST_IN_BATCH;
        unsigned count = b == 0 ? FIRST_IN_BATCH : TEST_BLOCK_TXS - FIRST_IN_BATCH;
        struct sy_slice batch =
            test_batch(bytes, &block->genesis, 3 * b, 4, &block->txs[first], count);
        SY_ASSERT(batch.size <= sizeof block->batch_room[b]);
        memcpy(block->batch_room[b], batch.data, batch.size);
        block->batches[b] = sy_slice_of(block->batch_room[b], batch.size);
    }
    free(bytes);

    for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) make_receipt(block, &room, i);
    for (unsigned i = 0; i < 7; i++) {
        struct sy_hash id = test_hash(90 + i);
        sy_state_key_hash(&block->state[i].key_hash, 25, &id); // a patient
        block->state[i].value = sy_slice_of("state value of a patient", 18 + i % 6);
    }
    SY_ASSERT(!room.failed);
    make_proposal(block);
    make_header(block);
    test_certificate(&block->certificate, &block->genesis, &block->header);
}

static void begin_proof(struct sy_proof *proof, const struct test_block *block, uint8_t kind)
{
    memset(proof, 0, sizeof *proof);
    memcpy(proof->network, sy_network_tag(&block->genesis), sizeof proof->network);
    proof->kind = kind;
    proof->header = block->header;
    proof->certificate = block->certificate;
}

struct sy_awaited test_block_awaited(const struct test_block *block, unsigned i)
{
    struct sy_tx tx;
    struct sy_awaited awaited;
    enum sy_refusal code = sy_tx_decode(&tx, NULL, block->txs[i], NULL);
    SY_ASSERT(code == SY_APPLIED);
    sy_awaited_of(&awaited, &block->genesis.hash, &tx);
    return awaited;
}

void test_block_prove_receipt(struct sy_proof *proof, const struct test_block *block, unsigned i,
                              bool with_tx)
{
    struct sy_hash leaves[TEST_BLOCK_TXS];
    struct sy_hash scratch[TEST_BLOCK_TXS];
    struct sy_receipt_proof *body = &proof->receipt;
    begin_proof(proof, block, SY_PROOF_RECEIPT);
    body->receipt = block->receipts[i];
    receipt_leaves(leaves, block);
    sy_merkle_path_make(&body->receipt_path, scratch, leaves, TEST_BLOCK_TXS, i);
    body->with_tx = with_tx;
    if (!with_tx) return;

    unsigned b = i < FIRST_IN_BATCH ? 0 : 1;
    unsigned first = b * FIRST_IN_BATCH;
    struct sy_batch batch;
    if (!sy_batch_decode(&batch, block->batches[b])) abort();
    body->tx = block->txs[i];
    body->batch = batch.header;
    for (unsigned k = 0; k < batch.header.count; k++) {
        struct sy_tx tx;
        if (sy_tx_decode(&tx, NULL, block->txs[first + k], NULL) != SY_APPLIED) abort();
        sy_tx_id(&leaves[k], &tx);
    }
    sy_merkle_path_make(&body->tx_path, scratch, leaves, batch.header.count, i - first);
    batch_leaves(leaves, block);
    sy_merkle_path_make(&body->batch_path, scratch, leaves, TEST_BLOCK_BATCHES, b);
}

void test_block_prove_state(struct sy_proof *proof, const struct test_block *block,
                            const struct sy_hash *key_hash)
{
    begin_proof(proof, block, SY_PROOF_STATE);
    test_trie_prove(&proof->state, block->state, 7, key_hash);
}

/* --- evidence ------------------------------------------------------------------------------ */

// Says the same as core/wire/evidence.c, in the words of FORMAT.md: the layouts written out.
static void sign_statement(struct sy_evidence_statement *statement,
                           const struct sy_evidence *evidence, const struct sy_genesis *genesis)
{
    static const enum sy_digest_kind kinds[] = {[SY_MESSAGE_PRE_PREPARE] = SY_DIGEST_PRE_PREPARE,
                                                [SY_MESSAGE_PREPARE] = SY_DIGEST_PREPARE,
                                                [SY_MESSAGE_COMMIT] = SY_DIGEST_COMMIT,
                                                [SY_MESSAGE_SEAL] = SY_DIGEST_SEAL};
    uint8_t layout[4 + 8 + 8 + 32];
    struct sy_writer w = sy_writer_of(layout, sizeof layout);
    struct sy_hash digest;
    sy_write_u32(&w, evidence->epoch);
    if (evidence->type != SY_MESSAGE_SEAL) sy_write_u64(&w, evidence->view);
    sy_write_u64(&w, evidence->slot);
    sy_write_hash(&w, &statement->digest);
    sy_hash_digest(&digest, kinds[evidence->type], &genesis->hash, sy_writer_slice(&w));
    sy_sign(test_key(3u * evidence->signer), &statement->signature,
            (enum sy_sig_kind)kinds[evidence->type], &digest);
}

void test_evidence(struct sy_evidence *evidence, const struct sy_genesis *genesis, uint8_t type,
                   uint16_t signer, uint64_t view, uint64_t slot)
{
    struct sy_evidence_statement statements[2] = {{.digest = test_hash(1)},
                                                  {.digest = test_hash(2)}};
    *evidence = (struct sy_evidence){
        .type = type, .epoch = genesis->roster.epoch, .view = view, .slot = slot, .signer = signer};
    memcpy(evidence->network, sy_network_tag(genesis), sizeof evidence->network);
    for (unsigned i = 0; i < 2; i++) sign_statement(&statements[i], evidence, genesis);
    if (!sy_evidence_pair(evidence, &statements[0], &statements[1])) abort();
}

/* --- samples ------------------------------------------------------------------------------- */

struct collector {
    struct test_sample samples[TEST_SAMPLES_MAX];
    unsigned count;
    struct sy_writer room;
    size_t start;
};

// Everything written since the last sample, under this name.
static void end_sample(struct collector *c, const char *decoder, const char *what)
{
    SY_ASSERT(c->count < TEST_SAMPLES_MAX && !c->room.failed && c->room.used > c->start);
    struct test_sample *sample = &c->samples[c->count++];
    (void)snprintf(sample->name, sizeof sample->name, "%s/%s", decoder, what);
    sample->bytes = sy_slice_of(c->room.data + c->start, c->room.used - c->start);
    c->start = c->room.used;
}

static void collect_payloads(struct collector *c, const struct sy_genesis *genesis)
{
    const struct sy_kind *kind;
    uint8_t scratch[32768];
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        struct sy_writer scratch_room = sy_writer_of(scratch, sizeof scratch);
        union sy_payload payload;
        sy_prng prng;
        sy_prng_seed(&prng, kind->number); // a kind that is new changes no other's sample
        test_payload(&payload, kind, &scratch_room, &prng);
        sy_write_u16(&c->room, kind->number);
        sy_payload_encode(&c->room, kind, &payload);
        end_sample(c, "payload", kind->name);
        struct sy_slice tx = test_tx(&scratch_room, genesis, kind, &payload, 310 + kind->number);
        sy_write_raw(&c->room, tx.data, tx.size);
        end_sample(c, "tx", kind->name);
    }
}

static void collect_cosigned(struct collector *c, const struct sy_genesis *genesis)
{
    const unsigned keys[] = {TEST_REGULATOR, 320, 321};
    struct sy_hash org = test_hash(2500);
    uint8_t scratch[4096];
    struct sy_writer w = sy_writer_of(scratch, sizeof scratch);
    union sy_payload payload;
    struct sy_tx tx;
    test_register(&payload, genesis, &org, 320, TEST_REGULATOR, 1);
    sy_payload_encode(&w, sy_kind_by_number(SY_KIND_org_register), &payload);
    test_tx_begin(&tx, genesis, SY_KIND_org_register, keys, 3);
    tx.payload = sy_writer_slice(&w);
    (void)test_tx_sign(&c->room, &tx, keys, 3);
    end_sample(c, "tx", "cosigned");
}

static void collect_message(struct collector *c, const struct sy_message *message, const char *what)
{
    sy_message_encode(&c->room, message);
    end_sample(c, "message", what);
}

static struct sy_signature number_signature(unsigned number)
{
    struct sy_signature signature;
    struct sy_hash half = test_hash(number);
    memcpy(signature.bytes, half.bytes, 32);
    memcpy(signature.bytes + 32, half.bytes, 32);
    return signature;
}

static void collect_votes(struct collector *c, const struct test_block *block)
{
    struct sy_message message = {.type = SY_MESSAGE_PRE_PREPARE};
    message.body.pre_prepare.proposal = block->proposal;
    message.body.pre_prepare.view = 2;
    message.body.pre_prepare.signature = number_signature(1);
    collect_message(c, &message, "pre_prepare");

    struct sy_vote vote = {.epoch = 0, .view = 2, .slot = 9, .signer = 3};
    sy_proposal_digest(&vote.proposal_digest, &block->genesis.hash, &block->proposal);
    vote.signature = number_signature(2);
    memset(&message, 0, sizeof message);
    message.body.vote = vote;
    message.type = message.body.vote.type = SY_MESSAGE_PREPARE;
    collect_message(c, &message, "prepare");
    message.type = message.body.vote.type = SY_MESSAGE_COMMIT;
    collect_message(c, &message, "commit");

    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_SEAL;
    message.body.seal.height = 9;
    sy_header_hash(&message.body.seal.header_hash, &block->genesis.hash, &block->header);
    message.body.seal.seal = block->certificate.seals[1];
    collect_message(c, &message, "seal");

    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_STATUS;
    message.body.status = (struct sy_status_message){.view = 2,
                                                     .in_view = true,
                                                     .signer = 1,
                                                     .counter = 77,
                                                     .time_ms = TEST_GENESIS_MS,
                                                     .certified_height = 8,
                                                     .executed_height = 9,
                                                     .pre_prepared_mask = 7,
                                                     .prepared_mask = 3,
                                                     .committed_mask = 1};
    message.body.status.signature = number_signature(3);
    collect_message(c, &message, "status");
}

/* Validator 1 prepared slot 9 in view 1, of which it was the primary, and slot 10 in view 2. */
static void collect_view_change(struct collector *c, const struct test_block *block)
{
    uint8_t bytes[4096];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_prepared prepared = {.view = 1, .proposal = block->proposal, .count = 2};
    prepared.statements[0] = (struct sy_seal){0, number_signature(4)};
    prepared.statements[1] = (struct sy_seal){3, number_signature(5)};
    sy_prepared_encode(&w, &prepared);
    prepared.view = 2;
    prepared.proposal.slot++;
    prepared.proposal.count = 0;
    prepared.statements[0].signer = 2;
    sy_prepared_encode(&w, &prepared);
    struct sy_message message = {.type = SY_MESSAGE_VIEW_CHANGE};
    struct sy_view_change *change = &message.body.view_change;
    *change = (struct sy_view_change){.view = 3,
                                      .signer = 1,
                                      .stable_height = block->proposal.slot - 1,
                                      .stable_hash = block->header.previous,
                                      .certificate = block->certificate,
                                      .count = 2,
                                      .prepared = sy_writer_slice(&w)};
    change->signature = number_signature(6);
    collect_message(c, &message, "view_change");
    change->stable_height = 0;
    change->stable_hash = (struct sy_hash){{0}};
    change->certificate.count = 0;
    change->count = 0;
    change->prepared.size = 0;
    collect_message(c, &message, "view_change_first");

    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_NEW_VIEW;
    message.body.new_view = (struct sy_new_view){.view = 3, .signer = 3, .count = 3};
    for (uint16_t i = 0; i < 3; i++) {
        message.body.new_view.changes[i].signer = (uint16_t)(i + 1);
        message.body.new_view.changes[i].digest = test_hash(i);
    }
    message.body.new_view.signature = number_signature(7);
    collect_message(c, &message, "new_view");

    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_VIEW_FETCH;
    message.body.view_fetch.view = 3;
    message.body.view_fetch.held[0] = 5;
    collect_message(c, &message, "view_fetch");
}

static void collect_fetches(struct collector *c, const struct test_block *block)
{
    struct sy_message message = {.type = SY_MESSAGE_BATCH};
    message.body.batch = block->batches[1];
    collect_message(c, &message, "batch");

    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_BATCH_FETCH;
    message.body.batch_fetch.count = 2;
    message.body.batch_fetch.digests[0] = test_hash(1);
    message.body.batch_fetch.digests[1] = test_hash(2);
    collect_message(c, &message, "batch_fetch");

    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_BLOCK_FETCH;
    message.body.range_fetch.first = 10;
    message.body.range_fetch.count = SY_FETCH_BLOCKS_MAX;
    collect_message(c, &message, "block_fetch");

    message.type = SY_MESSAGE_SLOT_FETCH;
    message.body.range_fetch.view = 2;
    message.body.range_fetch.count = 1;
    collect_message(c, &message, "slot_fetch");

    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_BLOCK;
    message.body.block.proposal = block->proposal;
    message.body.block.header = block->header;
    message.body.block.certificate = block->certificate;
    collect_message(c, &message, "block");
}

static void collect_proofs(struct collector *c, const struct test_block *block)
{
    static struct sy_proof proof;
    struct sy_hash absent = test_hash(555);
    test_block_prove_receipt(&proof, block, 1, false);
    sy_proof_encode(&c->room, &proof);
    end_sample(c, "proof", "receipt");
    test_block_prove_receipt(&proof, block, 4, true);
    sy_proof_encode(&c->room, &proof);
    end_sample(c, "proof", "receipt_tx");
    test_block_prove_state(&proof, block, &block->state[2].key_hash);
    sy_proof_encode(&c->room, &proof);
    end_sample(c, "proof", "present");
    // Two keys that are not in the state: one ends at another leaf, one at an empty place.
    bool seen[2] = {false, false};
    for (unsigned i = 556; !seen[0] || !seen[1]; absent = test_hash(i++)) {
        test_block_prove_state(&proof, block, &absent);
        bool other = proof.state.other;
        if (seen[other]) continue;
        seen[other] = true;
        sy_proof_encode(&c->room, &proof);
        end_sample(c, "proof", other ? "absent_other" : "absent_empty");
    }
}

static void collect_evidence(struct collector *c, const struct sy_genesis *genesis)
{
    for (uint8_t type = SY_MESSAGE_PRE_PREPARE; type <= SY_MESSAGE_SEAL; type++) {
        bool seal = type == SY_MESSAGE_SEAL;
        struct sy_evidence evidence;
        test_evidence(&evidence, genesis, type, type == SY_MESSAGE_PRE_PREPARE ? 2 : 3,
                      seal ? 0 : 2, 9);
        sy_evidence_encode(&c->room, &evidence);
        end_sample(c, "evidence", sy_evidence_phase(type));
    }
}

/* From the genesis's roster of 4 to one more, and a whole rekey; and from 5 to 4. */
static void collect_handovers(struct collector *c, const struct sy_genesis *genesis)
{
    static struct test_change change;
    static struct sy_roster more;
    uint8_t bytes[SY_ROSTER_CHANGE_BYTES_MAX];
    struct sy_handover handover;
    const struct sy_hash *hash = &genesis->hash;
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"add", "rekey", "remove"};
        const struct sy_roster *now = i < 2 ? &genesis->roster : &more;
        struct sy_writer room = sy_writer_of(bytes, sizeof bytes);
        if (i == 0) test_change_add(&change, hash, now, 4);
        if (i == 0) test_change_follow(&more, now, &change);
        if (i == 1) test_change_rekey(&change, hash, now, 2, TEST_REKEY_ALL, 300);
        if (i == 2) test_change_remove(&change, hash, now, 1);
        test_handover(&handover, &room, hash, now, &change, 200 + i);
        sy_handover_encode(&c->room, &handover);
        end_sample(c, "handover", names[i]);
    }
}

/* How a joiner asks, and what it is told: one handover, and that there is none. */
static void collect_sync(struct collector *c, const struct sy_genesis *genesis)
{
    static struct test_change change;
    uint8_t bytes[SY_ROSTER_CHANGE_BYTES_MAX];
    static uint8_t one[SY_HANDOVER_BYTES_MAX];
    struct sy_writer room = sy_writer_of(bytes, sizeof bytes), w = sy_writer_of(one, sizeof one);
    struct sy_handover handover;
    struct sy_sync_message message = {.type = SY_SYNC_HANDOVER_FETCH, .epoch = 3};
    sy_sync_encode(&c->room, &message);
    end_sample(c, "sync", "handover_fetch");
    message.type = SY_SYNC_HANDOVERS;
    sy_sync_encode(&c->room, &message);
    end_sample(c, "sync", "handovers_none");
    test_change_add(&change, &genesis->hash, &genesis->roster, 4);
    test_handover(&handover, &room, &genesis->hash, &genesis->roster, &change, 200);
    sy_handover_encode(&w, &handover);
    message = (struct sy_sync_message){
        .type = SY_SYNC_HANDOVERS, .count = 1, .handovers = sy_writer_slice(&w)};
    sy_sync_encode(&c->room, &message);
    end_sample(c, "sync", "handovers");
}

static void collect_rest(struct collector *c, const struct test_block *block)
{
    sy_write_raw(&c->room, block->batches[0].data, block->batches[0].size);
    end_sample(c, "batch", "three");
    sy_write_raw(&c->room, block->batches[1].data, block->batches[1].size);
    end_sample(c, "batch", "two");
    sy_write_raw(&c->room, block->receipts[0].data, block->receipts[0].size);
    end_sample(c, "receipt", "applied");
    sy_write_raw(&c->room, block->receipts[2].data, block->receipts[2].size);
    end_sample(c, "receipt", "refused");
    sy_roster_encode(&c->room, &block->genesis.roster);
    end_sample(c, "roster", "four");
    sy_genesis_encode(&c->room, &block->genesis);
    end_sample(c, "genesis", "four");
}

static const struct collector *collected(void)
{
    static struct collector collector;
    static struct test_block block;
    static uint8_t room[ROOM_BYTES];
    if (collector.count > 0) return &collector;
    collector.room = sy_writer_of(room, sizeof room);
    test_block_make(&block);
    collect_payloads(&collector, &block.genesis);
    collect_cosigned(&collector, &block.genesis);
    collect_votes(&collector, &block);
    collect_view_change(&collector, &block);
    collect_fetches(&collector, &block);
    collect_proofs(&collector, &block);
    collect_evidence(&collector, &block.genesis);
    collect_handovers(&collector, &block.genesis);
    collect_sync(&collector, &block.genesis);
    collect_rest(&collector, &block);
    return &collector;
}

unsigned test_samples(struct test_sample *out)
{
    const struct collector *c = collected();
    memcpy(out, c->samples, c->count * sizeof *out);
    return c->count;
}

struct sy_slice test_sample(const char *name)
{
    const struct collector *c = collected();
    for (unsigned i = 0; i < c->count; i++) {
        if (strcmp(c->samples[i].name, name) == 0) return c->samples[i].bytes;
    }
    (void)fprintf(stderr, "no sample is named %s\n", name);
    abort();
}

bool test_accepted(const struct sy_message *message, unsigned n)
{
    static struct sy_message back;
    static uint8_t bytes[SY_FRAME_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_message_encode(&w, message);
    SY_ASSERT(!w.failed);
    return sy_message_decode(&back, sy_writer_slice(&w), n);
}
