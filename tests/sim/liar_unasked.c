/* liar_unasked.c: what liars do of their own accord. */
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/sim/liar.h"

#define FLOOD_TXS 4u
#define FLOOD_REQUESTS 24u
/* More than a second's share: each costs a frame (serve.h), and a second's frames can be saved up.
 */
#define FLOOD_STATES (2u * (SY_SERVE_BYTES_PER_S / SY_SERVE_BYTES_MAX))

/* ---- batches ----------------------------------------------------------------------------- */

/* A copy of an applied transaction, or one whose signature is bad. */
static const struct client_tx *some_tx(struct world *world)
{
    const struct client_tx *tx =
        &world->clients.txs[sy_prng_below(&world->prng, world->clients.count)];
    return tx->applied || tx->kind == TX_BAD_SIGNATURE ? tx : NULL;
}

static struct sy_slice make_batch(struct world *world, const struct validator *liar, uint8_t *room,
                                  uint64_t seq)
{
    struct sy_hash ids[FLOOD_TXS], signatures[FLOOD_TXS], scratch[FLOOD_TXS], digest;
    struct sy_signature signature;
    struct sy_batch_builder builder;
    sy_batch_builder_init(&builder, room, SY_BATCH_BYTES_MAX);
    for (unsigned i = 0; i < FLOOD_TXS; i++) {
        const struct client_tx *tx = some_tx(world);
        struct sy_tx decoded;
        if (tx == NULL) continue;
        struct sy_slice bytes = sy_slice_of(tx->bytes, tx->size);
        enum sy_refusal refusal = sy_tx_decode(&decoded, NULL, bytes, NULL);
        SY_ASSERT(refusal == SY_APPLIED);
        sy_tx_id(&ids[builder.count], &decoded);
        sy_hash_leaf(&signatures[builder.count], decoded.signatures);
        if (!sy_batch_builder_add(&builder, bytes)) break;
    }
    if (builder.count == 0) return sy_slice_of(NULL, 0);
    struct sy_batch_header header = {.maker = liar->roster.validators[liar->self].consensus_key,
                                     .seq = seq};
    sy_merkle_root(&header.id_root, scratch, ids, builder.count);
    sy_merkle_root(&header.signature_root, scratch, signatures, builder.count);
    sy_batch_builder_head(&builder, &digest, &header, &world->genesis->hash);
    sim_sign(world, &signature, liar->index, SY_SIG_BATCH, &digest);
    return sy_batch_builder_finish(&builder, &signature);
}

/* Batches under seqs that are used, next, beyond the window, or used for something else. */
static void flood(struct world *world, struct validator *liar)
{
    static uint8_t room[SY_BATCH_BYTES_MAX];
    uint64_t seq = sim_info(world, liar)->pool.next_seq + sy_prng_below(&world->prng, 3);
    if (sy_prng_chance(&world->prng, 1, 2)) seq = world->liars.flood_seq++;
    struct sy_message message = {.type = SY_MESSAGE_BATCH};
    message.body.batch = make_batch(world, liar, room, seq == 0 ? 1 : seq);
    if (message.body.batch.size == 0) return;
    sim_note_fault(world, SIM_FAULT_lie_flood);
    sim_say_around(world, liar, &message);
}

/* ---- requests ---------------------------------------------------------------------------- */

static uint64_t some_height(struct world *world)
{
    return 1 + sy_prng_below(&world->prng, world->height_count + 80);
}

/* Batches that nobody has, or that stand in some slot. */
static void name_batches(struct world *world, struct sy_batch_fetch *fetch, uint16_t count,
                         bool real)
{
    const struct liars *liars = &world->liars;
    if (real && count > liars->entry_count) count = (uint16_t)liars->entry_count;
    for (uint16_t i = 0; i < count; i++) {
        if (real) {
            fetch->digests[i] = liars->entries[i].digest;
        } else {
            sy_prng_fill(&world->prng, &fetch->digests[i], 32);
        }
    }
    fetch->count = count;
}

static void ask(struct world *world, struct validator *liar)
{
    static struct sy_message message;
    uint64_t height = some_height(world);
    uint16_t count = (uint16_t)(1 + sy_prng_below(&world->prng, SY_FETCH_BLOCKS_MAX));
    memset(&message, 0, sizeof message);
    switch (sy_prng_below(&world->prng, 3)) {
    case 0:
        message.type = SY_MESSAGE_BATCH_FETCH;
        name_batches(world, &message.body.batch_fetch, count, false);
        break;
    case 1: message.type = SY_MESSAGE_BLOCK_FETCH; break;
    default: message.type = SY_MESSAGE_SLOT_FETCH;
    }
    if (message.type != SY_MESSAGE_BATCH_FETCH) {
        message.body.range_fetch.first = height;
        message.body.range_fetch.count = count;
    }
    sim_note_fault(world, SIM_FAULT_lie_ask);
    for (int i = 0; i < 4; i++) sim_say(world, liar, sim_another(world, liar->index), &message);
}

static void ask_for_state(struct world *world, const struct validator *liar, uint16_t to)
{
    static struct sy_sync_message message;
    message = (struct sy_sync_message){.type = SY_SYNC_SNAPSHOT_FETCH};
    if (sy_prng_chance(&world->prng, 1, 2)) message.height = some_height(world);
    sy_prng_fill(&world->prng, message.key.bytes, sizeof message.key.bytes);
    sim_say_sync(world, liar, to, &message);
}

/* One of every kind in turn, faster than anybody could use the answers. */
static void ask_one(struct world *world, const struct validator *liar, uint16_t to, unsigned turn)
{
    static struct sy_message message;
    uint64_t certified = sy_ledger_certified(liar->store);
    memset(&message, 0, sizeof message);
    switch (turn % 6) {
    case 0:
        message.type = SY_MESSAGE_BATCH_FETCH;
        name_batches(world, &message.body.batch_fetch, SY_FETCH_DIGESTS_MAX, turn % 4 != 0);
        if (message.body.batch_fetch.count == 0) return;
        break;
    case 1:
        message.type = SY_MESSAGE_BLOCK_FETCH;
        message.body.range_fetch.first = 1 + sy_prng_below(&world->prng, certified + 1);
        message.body.range_fetch.count = SY_FETCH_BLOCKS_MAX;
        break;
    case 2:
        message.type = SY_MESSAGE_SLOT_FETCH;
        message.body.range_fetch.view = sim_info(world, liar)->pbft.view;
        message.body.range_fetch.first = certified + 1;
        message.body.range_fetch.count = SY_FETCH_BLOCKS_MAX;
        break;
    case 3:
        message.type = SY_MESSAGE_VIEW_FETCH;
        message.body.view_fetch.view = 1 + sy_prng_below(&world->prng, 4);
        break;
    default: ask_for_state(world, liar, to); return;
    }
    sim_say(world, liar, to, &message);
}

static void flood_with_requests(struct world *world, const struct validator *liar)
{
    uint16_t to = sim_another(world, liar->index);
    sim_note_fault(world, SIM_FAULT_lie_fetch);
    if (sy_prng_chance(&world->prng, 1, 8)) {
        for (unsigned i = 0; i < FLOOD_STATES; i++) ask_for_state(world, liar, to);
    }
    for (unsigned i = 0; i < FLOOD_REQUESTS; i++) ask_one(world, liar, to, i);
}

/* ---- other epochs ------------------------------------------------------------------------ */

void sim_note_epoch(struct world *world, uint32_t epoch, struct sy_slice bytes)
{
    bool wanted = (world->options.lies & SIM_LIE_EPOCH) != 0 && epoch < world->options.epochs;
    if (!wanted || bytes.size > 4096 || !sy_prng_chance(&world->prng, 1, 8)) return;
    uint64_t place = sy_prng_below(&world->prng, KEPT_EPOCH_FRAMES);
    sim_keep(&world->liars.of_epochs[epoch][place], bytes);
}

static void say_old_vote(struct world *world, const struct validator *liar)
{
    uint32_t epoch = liar->roster.epoch;
    if (epoch == 0) return;
    epoch = (uint32_t)sy_prng_below(&world->prng, epoch);
    const struct kept_frame *kept =
        &world->liars.of_epochs[epoch][sy_prng_below(&world->prng, KEPT_EPOCH_FRAMES)];
    if (kept->size == 0) return;
    sim_note_fault(world, SIM_FAULT_lie_epoch_again);
    sim_utter(world, liar, sim_another(world, liar->index), sy_slice_of(kept->bytes, kept->size));
}

/* With the key that it has there, if any. */
static void sign_there(const struct world *world, const struct validator *liar, uint32_t epoch,
                       struct sy_signature *out, enum sy_sig_kind kind,
                       const struct sy_hash *digest)
{
    bool there = epoch <= world->options.epochs &&
                 sim_index_in(world, epoch, liar->index) != SY_PBFT_OBSERVER;
    sim_sign_in(world, out, there ? epoch : liar->roster.epoch, liar->index, kind, digest);
}

static void fill_vote(struct world *world, const struct validator *liar, uint32_t epoch,
                      struct sy_message *message)
{
    struct sy_vote *vote = &message->body.vote;
    struct sy_hash digest;
    bool prepare = message->type == SY_MESSAGE_PREPARE;
    *vote = (struct sy_vote){.type = message->type,
                             .epoch = epoch,
                             .view = sim_info(world, liar)->pbft.view,
                             .slot = sy_ledger_certified(liar->store) + 1,
                             .signer = liar->self};
    vote->slot += sy_prng_below(&world->prng, 4);
    sy_prng_fill(&world->prng, vote->proposal_digest.bytes, sizeof vote->proposal_digest.bytes);
    sy_vote_digest(&digest, &world->genesis->hash, vote);
    sign_there(world, liar, epoch, &vote->signature, prepare ? SY_SIG_PREPARE : SY_SIG_COMMIT,
               &digest);
}

static void fill_seal(struct world *world, const struct validator *liar, uint32_t epoch,
                      struct sy_message *message)
{
    struct sy_seal_message *seal = &message->body.seal;
    struct sy_hash digest;
    *seal = (struct sy_seal_message){.epoch = epoch, .seal = {.signer = liar->self}};
    seal->height = 1 + sy_ledger_certified(liar->store);
    sy_prng_fill(&world->prng, seal->header_hash.bytes, sizeof seal->header_hash.bytes);
    sy_seal_digest(&digest, &world->genesis->hash, epoch, seal->height, &seal->header_hash);
    sign_there(world, liar, epoch, &seal->seal.signature, SY_SIG_SEAL, &digest);
}

/* Of a later epoch it is believed as far as it makes others ask (P38). */
static void fill_status(struct world *world, const struct validator *liar, uint32_t epoch,
                        struct sy_message *message)
{
    struct sy_status_message *status = &message->body.status;
    struct sy_hash digest;
    *status = (struct sy_status_message){.epoch = epoch,
                                         .in_view = true,
                                         .signer = liar->self,
                                         .counter = sy_prng_next(&world->prng) >> 1,
                                         .time_ms = sim_wall_ms(world, liar)};
    status->certified_height = sy_ledger_certified(liar->store) + sy_prng_below(&world->prng, 300);
    status->executed_height = status->certified_height;
    sy_status_digest(&digest, &world->genesis->hash, status);
    sign_there(world, liar, epoch, &status->signature, SY_SIG_STATUS, &digest);
}

static void say_other_epoch(struct world *world, const struct validator *liar)
{
    static struct sy_message message;
    static const uint8_t types[] = {SY_MESSAGE_PREPARE, SY_MESSAGE_COMMIT, SY_MESSAGE_SEAL,
                                    SY_MESSAGE_STATUS};
    uint32_t epoch = liar->roster.epoch;
    bool before = epoch > 0 && sy_prng_chance(&world->prng, 1, 2);
    epoch += before ? UINT32_MAX : 1u + (uint32_t)sy_prng_below(&world->prng, 2);
    memset(&message, 0, sizeof message);
    message.type = types[sy_prng_below(&world->prng, 4)];
    switch (message.type) {
    case SY_MESSAGE_SEAL: fill_seal(world, liar, epoch, &message); break;
    case SY_MESSAGE_STATUS: fill_status(world, liar, epoch, &message); break;
    default: fill_vote(world, liar, epoch, &message);
    }
    sim_note_fault(world, SIM_FAULT_lie_epoch_signed);
    sim_say_around(world, liar, &message);
}

/* ---- a liar's turn ----------------------------------------------------------------------- */

void sim_say_pruned(struct world *world, const struct validator *liar, uint16_t to)
{
    static struct sy_sync_message message;
    message = (struct sy_sync_message){
        .type = SY_SYNC_PRUNED,
        .height = 1 + sy_prng_below(&world->prng, 2 * world->height_count + 80)};
    sim_note_fault(world, SIM_FAULT_lie_pruned);
    sim_say_sync(world, liar, to, &message);
}

void sim_lie_unasked(struct world *world, struct validator *liar)
{
    if (liar->self == SY_PBFT_OBSERVER) return;
    if (world->height_count > 0 && sim_does(world, SIM_LIE_FLOOD, 32)) flood(world, liar);
    if (sim_does(world, SIM_LIE_ASK, 16)) ask(world, liar);
    if (sim_does(world, SIM_LIE_VIEW, 64)) sim_leave_view(world, liar, false);
    if (sim_does(world, SIM_LIE_CERTIFICATE, 64)) sim_leave_view(world, liar, true);
    if (sim_does(world, SIM_LIE_FETCH, 128)) flood_with_requests(world, liar);
    if (sim_does(world, SIM_LIE_EPOCH, 8)) say_old_vote(world, liar);
    if (sim_does(world, SIM_LIE_EPOCH, 16)) say_other_epoch(world, liar);
    if (sim_does(world, SIM_LIE_PRUNED, 32)) {
        sim_say_pruned(world, liar, sim_another(world, liar->index));
    }
}
