/* checks.c: what must hold, judged from outside: from what validators send, and from what their
 * stores hold when they say that something is certified. */
#include <stdlib.h>
#include <string.h>

#include "consensus/pbft/record.h"
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/wire/receipt.h"
#include "core/wire/vote.h"
#include "tests/sim/sim_internal.h"
#include "tests/support/network.h"

#define RECEIPTS_MAX 4096u

/* ---- what is sent: durable first, never contradicted ------------------------------------- */

enum phase {
    PHASE_PRE_PREPARE = 1,
    PHASE_PREPARE,
    PHASE_COMMIT,
    PHASE_SEAL,
    PHASE_VIEW_CHANGE,
    PHASE_NEW_VIEW
};

static void signed_key(struct sy_hash *key, uint32_t epoch, uint16_t index, enum phase phase,
                       uint64_t view, uint64_t slot)
{
    memset(key, 0, sizeof *key);
    key->bytes[0] = (uint8_t)index;
    key->bytes[1] = (uint8_t)phase;
    sy_store_u32(key->bytes + 4, epoch);
    sy_store_u64(key->bytes + 8, view);
    sy_store_u64(key->bytes + 16, slot);
}

/* Whoever has left a view votes in it no more; what it said before may be said again. */
static void check_left(struct world *world, const struct validator *validator, enum phase phase,
                       uint64_t view)
{
    bool is_vote = phase <= PHASE_COMMIT || phase == PHASE_NEW_VIEW;
    if (!is_vote || view >= validator->left_below) return;
    sim_fail(world, SIM_CHECK_AMNESIA,
             "validator %u votes (phase %d) in view %llu, having asked for "
             "view %llu",
             validator->index, (int)phase, (unsigned long long)view,
             (unsigned long long)validator->left_below);
}

static void note_signed(struct world *world, const struct validator *validator, enum phase phase,
                        uint64_t view, uint64_t slot, const struct sy_hash *digest)
{
    struct sy_hash key;
    bool is_new = false;
    signed_key(&key, validator->roster.epoch, validator->index, phase, view, slot);
    struct sy_hash *known = (struct sy_hash *)sy_table_put(&world->signed_things, &key, &is_new);
    SY_ASSERT(known != NULL);
    if (is_new) {
        *known = *digest;
        check_left(world, validator, phase, view);
    }
    if (sy_hash_equal(known, digest)) return;
    sim_fail(world, SIM_CHECK_AMNESIA,
             "validator %u signed two things in phase %d, view %llu, slot %llu", validator->index,
             (int)phase, (unsigned long long)view, (unsigned long long)slot);
}

struct search {
    uint8_t type;
    uint64_t slot, view;
    uint16_t self, n;
    const struct sy_hash *genesis;
    bool found;
    struct sy_hash digest;
    struct sy_proposal proposal;
};

static sy_status look_at_record(void *context, const struct sy_record_key *key,
                                struct sy_slice value)
{
    struct search *search = (struct search *)context;
    struct sy_pbft_record record;
    if (key->type != search->type || key->slot != search->slot || key->extra != search->view) {
        return SY_OK;
    }
    if (!sy_pbft_record_decode(&record, value, search->self, search->n)) return SY_ERR_CORRUPT;
    search->found = true;
    search->proposal = record.type == SY_PBFT_RECORD_PREPARE ? record.as.prepare.proposal
                                                             : record.as.prepared.proposal;
    sy_proposal_digest(&search->digest, search->genesis, &search->proposal);
    return SY_OK;
}

/* What a NEW_VIEW binds to may be prepared without its bodies: weak(n) correct validators hold them
 * durably, up or not; or they ran, and those who keep all history have them. */
static bool body_is_safe(struct world *world, const struct validator *validator, uint64_t view,
                         const struct sy_hash *digest)
{
    unsigned holders = 0;
    struct sy_slice body;
    if (sy_body_get(validator->reader, &body, digest) == SY_OK) return true;
    for (uint16_t i = 0; i < validator->roster.count; i++) {
        const struct validator *other =
            &world->validators[sim_whose(world, validator->roster.epoch, i)];
        holders += !other->faulty && sy_body_get(other->reader, &body, digest) == SY_OK;
    }
    sim_note_branch(world, SIM_BRANCH_prepared_without_body, 1);
    if (sy_table_find(&world->ran_bodies, digest) != NULL) return view > 0 && holders > 0;
    return view > 0 && holders >= sy_weak(validator->roster.count);
}

/* The record behind a vote, and the bodies that it promises to serve. */
static void check_vote_durable(struct world *world, struct validator *validator, uint8_t type,
                               uint64_t view, uint64_t slot, const struct sy_hash *digest)
{
    struct search search = {.type = type,
                            .slot = slot,
                            .view = view,
                            .self = validator->self,
                            .n = validator->roster.count,
                            .genesis = &world->genesis->hash};
    struct sy_error err;
    sy_status status = sy_votes_each(validator->reader, look_at_record, &search, &err);
    if (status != SY_OK || !search.found || !sy_hash_equal(&search.digest, digest)) {
        sim_fail(world, SIM_CHECK_DURABLE,
                 "validator %u sends a vote for slot %llu whose record %u is not durable",
                 validator->index, (unsigned long long)slot, type);
        return;
    }
    for (uint16_t i = 0; type == SY_PBFT_RECORD_PREPARE && i < search.proposal.count; i++) {
        if (body_is_safe(world, validator, view, &search.proposal.entries[i].digest)) continue;
        sim_fail(world, SIM_CHECK_DURABLE,
                 "validator %u prepares slot %llu without the body of its entry %u",
                 validator->index, (unsigned long long)slot, i);
    }
}

static void check_seal_durable(struct world *world, struct validator *validator, uint64_t height,
                               const struct sy_hash *hash)
{
    struct sy_slice bytes;
    struct sy_header header;
    struct sy_hash stored = {{0}};
    if (sy_ledger_get(validator->reader, &bytes, height, SY_BLOCK_HEADER) == SY_OK) {
        struct sy_reader reader = sy_reader_of(bytes);
        if (sy_header_decode(&reader, &header)) {
            sy_header_hash(&stored, &world->genesis->hash, &header);
        }
    }
    if (sy_hash_equal(&stored, hash)) return;
    sim_fail(world, SIM_CHECK_DURABLE, "validator %u seals block %llu, which is not durable",
             validator->index, (unsigned long long)height);
}

static void check_status(struct world *world, const struct validator *validator,
                         const struct sy_status_message *status)
{
    if (status->certified_height <= sy_ledger_certified(validator->store) &&
        status->executed_height < sy_ledger_next(validator->store)) {
        return;
    }
    sim_fail(world, SIM_CHECK_DURABLE, "the status of validator %u says more than its store",
             validator->index);
}

static void check_own_vote(struct world *world, struct validator *validator,
                           const struct sy_vote *vote)
{
    bool prepare = vote->type == SY_MESSAGE_PREPARE;
    note_signed(world, validator, prepare ? PHASE_PREPARE : PHASE_COMMIT, vote->view, vote->slot,
                &vote->proposal_digest);
    check_vote_durable(world, validator, prepare ? SY_PBFT_RECORD_PREPARE : SY_PBFT_RECORD_PREPARED,
                       vote->view, vote->slot, &vote->proposal_digest);
}

static sy_status look_at_view(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    struct search *search = (struct search *)context;
    struct sy_pbft_record record;
    if (key->type != search->type) return SY_OK;
    if (!sy_pbft_record_decode(&record, value, search->self, search->n)) return SY_ERR_CORRUPT;
    search->view = record.type == SY_PBFT_RECORD_VIEW_CHANGE ? record.as.view_change.view
                                                             : record.as.new_view.view;
    search->found = true;
    return SY_OK;
}

/* VIEW_CHANGE and NEW_VIEW leave when a record of that view, or of a later one, is durable. */
static void check_view_durable(struct world *world, struct validator *validator, uint8_t type,
                               uint64_t view)
{
    struct search search = {.type = type, .self = validator->self, .n = validator->roster.count};
    struct sy_error err;
    sy_status status = sy_votes_each(validator->reader, look_at_view, &search, &err);
    if (status == SY_OK && search.found && search.view >= view) return;
    sim_fail(world, SIM_CHECK_DURABLE,
             "validator %u sends a message for view %llu whose record %u "
             "is not durable",
             validator->index, (unsigned long long)view, type);
}

static void check_own_view_change(struct world *world, struct validator *validator,
                                  const struct sy_view_change *own)
{
    struct sy_hash digest;
    sy_view_change_digest(&digest, &world->genesis->hash, own, validator->roster.count);
    note_signed(world, validator, PHASE_VIEW_CHANGE, own->view, 0, &digest);
    check_view_durable(world, validator, SY_PBFT_RECORD_VIEW_CHANGE, own->view);
    if (own->view > validator->left_below) validator->left_below = own->view;
}

static void check_own_new_view(struct world *world, struct validator *validator,
                               const struct sy_new_view *own)
{
    struct sy_hash digest;
    sy_new_view_digest(&digest, &world->genesis->hash, own);
    note_signed(world, validator, PHASE_NEW_VIEW, own->view, 0, &digest);
    check_view_durable(world, validator, SY_PBFT_RECORD_NEW_VIEW, own->view);
}

static void check_own_proposal(struct world *world, struct validator *validator,
                               const struct sy_pre_prepare *own)
{
    struct sy_hash digest;
    sy_proposal_digest(&digest, &world->genesis->hash, &own->proposal);
    note_signed(world, validator, PHASE_PRE_PREPARE, own->view, own->proposal.slot, &digest);
    check_vote_durable(world, validator, SY_PBFT_RECORD_PREPARE, own->view, own->proposal.slot,
                       &digest);
}

/* Whoever seals first does so in the name of validator 2, too. */
static void steal_key(struct world *world, const struct validator *thief,
                      const struct sy_message *own)
{
    struct sy_message message = *own;
    struct sy_seal_message *seal = &message.body.seal;
    struct sy_hash digest;
    uint8_t bytes[256];
    uint16_t robbed = sim_index_in(world, thief->roster.epoch, 2);
    if (thief->index == 2 || robbed == SY_PBFT_OBSERVER) return;
    sy_seal_digest(&digest, &world->genesis->hash, seal->epoch, seal->height, &seal->header_hash);
    seal->seal.signer = robbed;
    sim_sign_in(world, &seal->seal.signature, thief->roster.epoch, 2, SY_SIG_SEAL, &digest);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_message_encode(&w, &message);
    SY_ASSERT(!w.failed);
    for (uint16_t to = 0; to < world->n; to++) {
        if (to != thief->index && to != 2) sim_send(world, thief->index, to, sy_writer_slice(&w));
    }
}

void sim_check_send(struct world *world, struct validator *validator, struct sy_slice bytes)
{
    static struct sy_message message;
    if (!sy_message_decode(&message, bytes, validator->roster.count)) {
        sim_fail(world, SIM_CHECK_VALIDITY, "validator %u sends what nobody can read",
                 validator->index);
        return;
    }
    sim_note_message(world, validator, &message);
    switch (message.type) {
    case SY_MESSAGE_PRE_PREPARE:
        if (message.body.pre_prepare.view % validator->roster.count != validator->self) return;
        check_own_proposal(world, validator, &message.body.pre_prepare);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        if (message.body.vote.signer != validator->self) return;
        check_own_vote(world, validator, &message.body.vote);
        break;
    case SY_MESSAGE_SEAL:
        if (message.body.seal.seal.signer != validator->self) return;
        note_signed(world, validator, PHASE_SEAL, 0, message.body.seal.height,
                    &message.body.seal.header_hash);
        if (world->options.plant == SIM_PLANT_STOLEN_KEY) steal_key(world, validator, &message);
        check_seal_durable(world, validator, message.body.seal.height,
                           &message.body.seal.header_hash);
        break;
    case SY_MESSAGE_STATUS:
        if (message.body.status.signer != validator->self) return;
        check_status(world, validator, &message.body.status);
        break;
    case SY_MESSAGE_VIEW_CHANGE:
        if (message.body.view_change.signer != validator->self) return;
        check_own_view_change(world, validator, &message.body.view_change);
        break;
    case SY_MESSAGE_NEW_VIEW:
        if (message.body.new_view.signer != validator->self) return;
        check_own_new_view(world, validator, &message.body.new_view);
        break;
    default: break;
    }
}

/* ---- certified blocks -------------------------------------------------------------------- */

/* A block's parts as a validator stores them; copies. */
struct stored {
    uint8_t header[SY_HEADER_BYTES];
    struct sy_header decoded;
    struct sy_hash hash;
    struct sy_hash order, receipts, certificate;
    struct sy_certificate seals;
    bool is_pruned; /* there is neither order nor receipts */
};

static bool read_part(struct world *world, const struct validator *validator, struct sy_slice *out,
                      uint64_t height, enum sy_block_part part)
{
    if (sy_ledger_get(validator->reader, out, height, part) == SY_OK) return true;
    sim_fail(world, SIM_CHECK_PROMISE,
             "validator %u said that block %llu is certified, but part %d of it is not there",
             validator->index, (unsigned long long)height, (int)part);
    return false;
}

/* Of a pruned block the order and what came of it are gone, and asked for, they are said to be. */
static bool read_body(struct world *world, const struct validator *validator, struct stored *out,
                      uint64_t height)
{
    static const enum sy_block_part gone[] = {SY_BLOCK_ORDER, SY_BLOCK_RECEIPTS, SY_BLOCK_DELTAS};
    struct sy_slice part;
    out->is_pruned = height < sy_ledger_pruned(validator->store);
    for (size_t i = 0; out->is_pruned && i < sizeof gone / sizeof gone[0]; i++) {
        if (sy_ledger_get(validator->reader, &part, height, gone[i]) == SY_ERR_PRUNED) continue;
        sim_fail(world, SIM_CHECK_AGREEMENT, "validator %u still answers for block %llu",
                 validator->index, (unsigned long long)height);
    }
    if (out->is_pruned) return true;
    if (!read_part(world, validator, &part, height, SY_BLOCK_ORDER)) return false;
    sy_sha256(&out->order, part.data, part.size);
    if (!read_part(world, validator, &part, height, SY_BLOCK_RECEIPTS)) return false;
    sy_sha256(&out->receipts, part.data, part.size);
    return true;
}

static bool read_block(struct world *world, struct validator *validator, struct stored *out,
                       uint64_t height)
{
    struct sy_slice part;
    if (!read_part(world, validator, &part, height, SY_BLOCK_HEADER)) return false;
    SY_ASSERT(part.size == sizeof out->header);
    memcpy(out->header, part.data, part.size);
    if (height >= 2 && height < world->height_count && !world->planted &&
        sim_plants(world, SIM_PLANT_BAD_HEADER, validator)) {
        world->planted = true;
        out->header[60] ^= 1;
    }
    struct sy_reader reader = sy_reader_of(sy_slice_of(out->header, sizeof out->header));
    bool decoded = sy_header_decode(&reader, &out->decoded);
    SY_ASSERT(decoded);
    sy_header_hash(&out->hash, &world->genesis->hash, &out->decoded);
    if (!read_body(world, validator, out, height)) return false;
    if (!read_part(world, validator, &part, height, SY_BLOCK_CERTIFICATE)) return false;
    sy_sha256(&out->certificate, part.data, part.size);
    reader = sy_reader_of(part);
    const struct sy_roster *roster = sim_roster(world, out->decoded.epoch);
    if (!sy_certificate_decode(&reader, &out->seals, roster->count)) out->seals.count = 0;
    if (height >= 2 && !world->planted && sim_plants(world, SIM_PLANT_BAD_SEAL, validator)) {
        world->planted = true;
        out->seals.seals[1].signature.bytes[9] ^= 16;
        out->certificate.bytes[0] ^= 1;
    }
    return true;
}

/* A good signature, and if its owner is correct, one that it gave. */
static bool seal_is_good(const struct world *world, const struct stored *block,
                         const struct sy_seal *seal)
{
    struct sy_hash key, digest;
    const struct sy_public_key *owner =
        &sim_roster(world, block->decoded.epoch)->validators[seal->signer].consensus_key;
    sy_seal_digest(&digest, &world->genesis->hash, block->decoded.epoch, block->decoded.height,
                   &block->hash);
    if (!sim_verify(world, owner, SY_SIG_SEAL, &digest, &seal->signature)) return false;
    uint16_t whose = sim_whose(world, block->decoded.epoch, seal->signer);
    if (world->validators[whose].faulty) return true;
    signed_key(&key, block->decoded.epoch, whose, PHASE_SEAL, 0, block->decoded.height);
    const struct sy_hash *sent = (const struct sy_hash *)sy_table_find(&world->signed_things, &key);
    return sent != NULL && sy_hash_equal(sent, &block->hash);
}

static void check_certificate(struct world *world, const struct validator *validator,
                              struct height *height, const struct stored *block)
{
    for (unsigned i = 0; i < height->certificate_count; i++) {
        if (sy_hash_equal(&height->certificates[i], &block->certificate)) return;
    }
    unsigned good = 0;
    for (unsigned i = 0; i < block->seals.count; i++) {
        const struct sy_seal *seal = &block->seals.seals[i];
        bool ordered = i == 0 || seal->signer > block->seals.seals[i - 1].signer;
        good += ordered && seal_is_good(world, block, seal);
    }
    unsigned quorum = sy_quorum(sim_roster(world, block->decoded.epoch)->count);
    if (good != block->seals.count || good != quorum) {
        sim_fail(world, SIM_CHECK_CERTIFICATE,
                 "validator %u stored a certificate for block %llu with %u good seals of %u",
                 validator->index, (unsigned long long)block->decoded.height, good,
                 block->seals.count);
    }
    if (height->certificate_count < MEMBERS_MAX) {
        height->certificates[height->certificate_count++] = block->certificate;
    }
}

/* A correct validator whose clock runs ahead by no more than a quarter of the skew agreed to it, or
 * it follows such a block by a millisecond each. */
static void check_time(struct world *world, const struct stored *block)
{
    int64_t now_ms = TEST_GENESIS_MS + 60000 + (int64_t)(world->now_ns / MS);
    int64_t most_ms = now_ms + SY_CLOCK_SKEW_MS_DEFAULT * 5 / 4 + (int64_t)block->decoded.height;
    if (block->decoded.time_ms <= most_ms) return;
    sim_fail(world, SIM_CHECK_VALIDITY, "the time of block %llu is %lld ms ahead",
             (unsigned long long)block->decoded.height,
             (long long)(block->decoded.time_ms - now_ms));
}

static void check_chain(struct world *world, const struct stored *block)
{
    const struct height *parent = &world->heights[world->height_count - 1];
    struct sy_header before;
    struct sy_reader reader = sy_reader_of(sy_slice_of(parent->header, sizeof parent->header));
    bool decoded = sy_header_decode(&reader, &before);
    SY_ASSERT(decoded);
    if (block->decoded.height == before.height + 1 && block->decoded.time_ms > before.time_ms &&
        sy_hash_equal(&block->decoded.previous, &parent->hash)) {
        return;
    }
    sim_fail(world, SIM_CHECK_AGREEMENT, "block %llu does not follow block %llu",
             (unsigned long long)block->decoded.height, (unsigned long long)before.height);
}

/* ---- transactions ------------------------------------------------------------------------ */

/* Whoever lies or has a wrong clock may be the primary, and heard: it is given up after a while. */
static uint64_t lonely_bound_ms(const struct world *world)
{
    bool sound = world->liars.mask == 0 && world->options.bad_clock == 0;
    return sound ? SIM_LONELY_MS : SIM_LONELY_AMONG_LIARS_MS;
}

static void note_applied(struct world *world, const struct sy_receipt *receipt,
                         struct client_tx *tx)
{
    unsigned number = (unsigned)(tx - world->clients.txs);
    if (tx->kind != TX_GOOD) {
        sim_fail(world, SIM_CHECK_VALIDITY, "transaction %u of a stranger was applied", number);
    } else if (tx->applied) {
        sim_fail(world, SIM_CHECK_ONCE, "transaction %u was applied again in block %llu", number,
                 (unsigned long long)receipt->height);
    }
    tx->applied = true;
    if (tx->told_height == 0) tx->told_height = receipt->height;
    world->result->applied++;
    if (tx->stage <= SY_POPULATION_STAGES) return;
    world->result->lonely_ms = (world->now_ns - world->clients.lonely_ns) / MS;
    if (world->result->lonely_ms <= lonely_bound_ms(world)) return;
    sim_fail(world, SIM_CHECK_LIVENESS, "a lonely transaction took %llu ms",
             (unsigned long long)world->result->lonely_ms);
}

static void note_receipt(struct world *world, const struct validator *validator,
                         const struct sy_receipt *receipt)
{
    const uint32_t *place = (const uint32_t *)sy_table_find(&world->tx_index, &receipt->tx_id);
    struct client_tx *tx = place == NULL ? NULL : &world->clients.txs[*place - 1];
    world->result->txs++;
    if (tx == NULL || tx->kind == TX_BAD_SIGNATURE) {
        sim_fail(world, SIM_CHECK_VALIDITY, "block %llu holds a transaction that nobody signed",
                 (unsigned long long)receipt->height);
        return;
    }
    tx->copies++;
    if (receipt->code == SY_APPLIED) {
        note_applied(world, receipt, tx);
    } else if (receipt->code == SY_E_REPLAY && tx->applied) {
        world->result->replays++;
        sim_note_branch(world, SIM_BRANCH_receipt_replay, 1);
        if (sim_plants(world, SIM_PLANT_NO_REPLAY, validator)) note_applied(world, receipt, tx);
    } else if (tx->kind == TX_GOOD) {
        sim_fail(world, SIM_CHECK_VALIDITY, "the good transaction %u was refused with code %u",
                 (unsigned)(tx - world->clients.txs), receipt->code);
    } else {
        sim_note_branch(world, SIM_BRANCH_receipt_refused, 1);
    }
}

static void forget_one_tx(struct world *world, const struct sy_receipt *receipt)
{
    if (world->planted || receipt->height < 3) return;
    world->planted = true;
    (void)sy_table_remove(&world->tx_index, &receipt->tx_id);
}

/* Every receipt of a block, and that the header's root is theirs. */
static void read_receipts(struct world *world, const struct validator *validator,
                          const struct sy_header *header)
{
    static struct sy_hash leaves[RECEIPTS_MAX];
    struct sy_slice packed;
    if (!read_part(world, validator, &packed, header->height, SY_BLOCK_RECEIPTS)) return;
    struct sy_reader reader = sy_reader_of(packed);
    uint32_t count = packed.size == 0 ? 0 : sy_read_u32(&reader, "count");
    SY_ASSERT(count <= RECEIPTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_receipt receipt;
        struct sy_slice bytes = sy_read_bytes32(&reader, packed.size, "receipt");
        struct sy_reader in = sy_reader_of(bytes);
        bool decoded = sy_receipt_decode(&in, &receipt) && sy_reader_done(&in);
        SY_ASSERT(decoded && receipt.height == header->height && receipt.index == i);
        bool hashed = sy_receipt_leaves(&leaves[i], &bytes, 1);
        SY_ASSERT(hashed);
        if (sim_plants(world, SIM_PLANT_UNKNOWN_TX, validator)) forget_one_tx(world, &receipt);
        note_receipt(world, validator, &receipt);
    }
    struct sy_hash root;
    sy_merkle_root(&root, leaves, leaves, count);
    if (sy_reader_done(&reader) && sy_hash_equal(&root, &header->receipts_root)) return;
    sim_fail(world, SIM_CHECK_AGREEMENT, "block %llu holds other receipts than its header says",
             (unsigned long long)header->height);
}

static void note_ran(struct world *world, const struct validator *validator, uint64_t height)
{
    static struct sy_proposal order;
    struct sy_slice bytes;
    if (!read_part(world, validator, &bytes, height, SY_BLOCK_ORDER)) return;
    struct sy_reader reader = sy_reader_of(bytes);
    bool decoded = sy_proposal_decode(&reader, &order);
    SY_ASSERT(decoded);
    for (uint16_t i = 0; i < order.count; i++) {
        uint64_t *ran =
            (uint64_t *)sy_table_put(&world->ran_bodies, &order.entries[i].digest, NULL);
        SY_ASSERT(ran != NULL);
        *ran = height;
    }
}

static struct height *add_height(struct world *world, const struct stored *block)
{
    if (world->height_count == world->height_room) {
        world->height_room = 2 * world->height_room + 64;
        world->heights =
            (struct height *)realloc(world->heights, world->height_room * sizeof *world->heights);
        SY_ASSERT(world->heights != NULL);
    }
    struct height *height = &world->heights[world->height_count++];
    memset(height, 0, sizeof *height);
    memcpy(height->header, block->header, sizeof height->header);
    height->hash = block->hash;
    height->order = block->order;
    height->receipts = block->receipts;
    return height;
}

/* The first who says that a height is certified shows what it holds; the others must hold the same.
 * Somebody who began with a state may be ahead of all that correct ones said (a liar may have been
 * the first to certify it): that is looked at when it starts again, and at the end. */
static void check_block(struct world *world, struct validator *validator, uint64_t number)
{
    static struct stored block;
    if (number < sy_ledger_base(validator->store)) return;
    if (!read_block(world, validator, &block, number)) return;
    bool began = sy_ledger_base(validator->store) > 0;
    SY_ASSERT(number <= world->height_count || began);
    if (number > world->height_count) return;
    if (number == world->height_count && block.is_pruned) return;
    if (number == world->height_count) {
        check_chain(world, &block);
        check_time(world, &block);
        struct height *added = add_height(world, &block);
        check_certificate(world, validator, added, &block);
        read_receipts(world, validator, &block.decoded);
        note_ran(world, validator, number);
        return;
    }
    struct height *height = &world->heights[number];
    bool same_body = sy_hash_equal(&height->order, &block.order) &&
                     sy_hash_equal(&height->receipts, &block.receipts);
    if (memcmp(height->header, block.header, sizeof block.header) != 0 ||
        (!block.is_pruned && !same_body)) {
        sim_fail(world, SIM_CHECK_AGREEMENT, "validator %u holds another block %llu than others",
                 validator->index, (unsigned long long)number);
        return;
    }
    check_certificate(world, validator, height, &block);
}

void sim_check_certified(struct world *world, struct validator *validator, uint64_t height)
{
    if (world->height_count == 0 && sy_ledger_base(validator->store) == 0) {
        struct sy_slice part;
        struct stored genesis;
        if (!read_part(world, validator, &part, 0, SY_BLOCK_HEADER)) return;
        memset(&genesis, 0, sizeof genesis);
        memcpy(genesis.header, part.data, sizeof genesis.header);
        struct sy_reader reader = sy_reader_of(part);
        bool decoded = sy_header_decode(&reader, &genesis.decoded);
        SY_ASSERT(decoded);
        sy_header_hash(&genesis.hash, &world->genesis->hash, &genesis.decoded);
        (void)add_height(world, &genesis);
    }
    while (validator->promised < height && !world->done) {
        check_block(world, validator, ++validator->promised);
    }
}

void sim_check_pruned(struct world *world, const struct validator *validator, uint64_t asked,
                      uint64_t said)
{
    struct sy_slice part;
    bool gone = sy_ledger_get(validator->reader, &part, said - 1, SY_BLOCK_ORDER) == SY_ERR_PRUNED;
    bool kept = sy_ledger_get(validator->reader, &part, said, SY_BLOCK_ORDER) != SY_ERR_PRUNED;
    if (asked < said && gone && kept) return;
    sim_fail(world, SIM_CHECK_AGREEMENT,
             "validator %u, asked for block %llu, says that its history begins at %llu",
             validator->index, (unsigned long long)asked, (unsigned long long)said);
}

void sim_check_promises(struct world *world, struct validator *validator)
{
    if (world->done) return;
    if (sy_ledger_certified(validator->store) < validator->promised) {
        sim_fail(world, SIM_CHECK_PROMISE,
                 "validator %u had certificates up to %llu and now has them up to %llu",
                 validator->index, (unsigned long long)validator->promised,
                 (unsigned long long)sy_ledger_certified(validator->store));
    }
    for (uint64_t number = 1; number <= validator->promised && !world->done; number++) {
        check_block(world, validator, number);
    }
}
