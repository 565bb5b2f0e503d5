/* liar.c: validators that do not keep to the protocol, at most f of them.
 *
 * Inside each runs a correct node, so that a liar knows all that a validator can know; what the
 * node sends passes through here once for every peer, and each peer may hear something else. A liar
 * signs with its own key only, and liars work together: when one of them proposes two things in a
 * slot, all of them tell the same peers (the victims) the same second thing. What peers relay to
 * it under its own key is kept from its node, which would stop: it has not said that. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/wire/sync.h"
#include "tests/sim/sim_internal.h"

#define FLOOD_TXS 4u
#define KEPT_BYTES_MAX 65536u

static struct sy_message heard; /* one thread, one message at a time */

static bool does(struct world *world, enum sim_lie lie, uint64_t of)
{
    return (world->options.lies & lie) != 0 && sy_prng_chance(&world->prng, 1, of);
}

/* ---- who lies ---------------------------------------------------------------------------- */

static uint16_t another(struct world *world, uint16_t index)
{
    return (uint16_t)((index + 1 + sy_prng_below(&world->prng, world->n - 1u)) % world->n);
}

void sim_liars_open(struct world *world)
{
    const struct sim_options *options = &world->options;
    struct liars *liars = &world->liars;
    unsigned count = options->liars < world->n ? options->liars : world->n;
    liars->scratch = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    SY_ASSERT(liars->scratch != NULL);
    world->places = world->n;
    world->odd = count > 0 && options->bad_primary ? 0 : (uint16_t)(world->n - 1);
    if (count == 0) return;
    liars->mask = 1u << world->odd;
    while (--count > 0) {
        uint16_t next = world->odd;
        while ((liars->mask >> next & 1u) != 0 || (next == 0 && !options->bad_primary)) {
            next = another(world, next);
        }
        liars->mask |= 1u << next;
    }
    liars->victim = another(world, world->odd);
    liars->flood_seq = 1;
    if ((options->lies & SIM_LIE_TWIN) == 0) return;
    world->places = (uint16_t)(world->n + 1);
    sim_note_fault(world, SIM_FAULT_lie_twin);
}

void sim_liars_close(struct world *world)
{
    for (unsigned i = 0; i < KEPT_FRAMES; i++) free(world->liars.kept[i]);
    free(world->liars.scratch);
}

/* ---- saying something -------------------------------------------------------------------- */

static void say(struct world *world, const struct validator *liar, uint16_t to,
                const struct sy_message *message)
{
    struct sy_writer w = sy_writer_of(world->liars.scratch, SY_FRAME_BYTES_MAX);
    sy_message_encode(&w, message);
    SY_ASSERT(!w.failed);
    sim_send(world, liar->index, to, sy_writer_slice(&w));
}

static void say_later(struct world *world, const struct validator *liar, uint16_t to,
                      struct sy_slice bytes, uint64_t delay_ns)
{
    struct event event = {.type = EVENT_SEND,
                          .node = liar->place,
                          .life = liar->life,
                          .peer = to,
                          .size = bytes.size};
    event.bytes = (uint8_t *)malloc(bytes.size);
    SY_ASSERT(event.bytes != NULL);
    memcpy(event.bytes, bytes.data, bytes.size);
    sim_later(world, event, delay_ns);
}

static void sign_vote(const struct world *world, struct sy_vote *vote)
{
    struct sy_hash digest;
    sy_vote_digest(&digest, &world->genesis->hash, vote);
    sim_sign(world, &vote->signature, vote->signer,
             vote->type == SY_MESSAGE_PREPARE ? SY_SIG_PREPARE : SY_SIG_COMMIT, &digest);
}

static void sign_proposal(const struct world *world, struct sy_pre_prepare *own,
                          struct sy_hash *proposal_digest)
{
    struct sy_hash digest;
    sy_proposal_digest(proposal_digest, &world->genesis->hash, &own->proposal);
    sy_pre_prepare_digest(&digest, &world->genesis->hash, own->proposal.epoch, own->view,
                          own->proposal.slot, proposal_digest);
    sim_sign(world, &own->signature, (uint16_t)(own->view % world->n), SY_SIG_PRE_PREPARE, &digest);
}

/* ---- proposals --------------------------------------------------------------------------- */

static struct second_proposal *second_of(struct world *world, uint64_t view, uint64_t slot)
{
    struct second_proposal *second = &world->liars.second[slot % SY_PBFT_WINDOW];
    return second->slot == slot && second->view == view ? second : NULL;
}

/* What the victims get in place of a proposal depends on the slot alone, so that it is the same
 * whenever it is sent again: another time, one that no clock agrees with, or an entry whose body
 * nobody has. */
static void turn_proposal(struct sy_proposal *proposal)
{
    switch (proposal->slot % 4) {
    case 0: proposal->time_ms += 3600000; break;
    case 1:
        if (proposal->count > 0) {
            proposal->entries[0].digest.bytes[5] ^= 1;
            break;
        }
        /* fall through */
    default: proposal->time_ms++;
    }
}

/* And a COMMIT for it, as soon as there is anything to commit. */
static void propose_twice(struct world *world, struct validator *liar, uint16_t to,
                          struct sy_message *message)
{
    struct sy_pre_prepare *own = &message->body.pre_prepare;
    struct sy_hash digest;
    turn_proposal(&own->proposal);
    sign_proposal(world, own, &digest);
    struct second_proposal *second = second_of(world, own->view, own->proposal.slot);
    SY_ASSERT(second != NULL);
    second->digest = digest;
    struct sy_message commit = {.type = SY_MESSAGE_COMMIT};
    commit.body.vote = (struct sy_vote){.type = SY_MESSAGE_COMMIT,
                                        .epoch = own->proposal.epoch,
                                        .view = own->view,
                                        .slot = own->proposal.slot,
                                        .proposal_digest = digest,
                                        .signer = liar->index};
    sign_vote(world, &commit.body.vote);
    sim_note_fault(world, SIM_FAULT_lie_proposal);
    say(world, liar, to, message);
    say(world, liar, to, &commit);
}

static void choose_victims(struct world *world, const struct sy_pre_prepare *own)
{
    struct second_proposal *second = &world->liars.second[own->proposal.slot % SY_PBFT_WINDOW];
    if (second_of(world, own->view, own->proposal.slot) != NULL) return;
    *second = (struct second_proposal){.view = own->view, .slot = own->proposal.slot};
    if (!does(world, SIM_LIE_PROPOSAL, 3)) return;
    second->victims = (uint32_t)sy_prng_below(&world->prng, 1ull << world->n);
}

static void lie_proposal(struct world *world, struct validator *liar, uint16_t to,
                         struct sy_slice bytes, struct sy_message *message)
{
    const struct sy_pre_prepare *own = &message->body.pre_prepare;
    choose_victims(world, own);
    if ((second_of(world, own->view, own->proposal.slot)->victims >> to & 1u) != 0) {
        propose_twice(world, liar, to, message);
    } else if (does(world, SIM_LIE_SLOW, 2)) {
        sim_note_fault(world, SIM_FAULT_lie_slow);
        say_later(world, liar, to, bytes, sy_prng_below(&world->prng, 3000 * MS));
    } else {
        sim_send(world, liar->index, to, bytes);
    }
}

/* ---- votes, seals, statuses, blocks ------------------------------------------------------ */

static bool withhold(struct world *world)
{
    if (!does(world, SIM_LIE_WITHHOLD, 4)) return false;
    sim_note_fault(world, SIM_FAULT_lie_withhold);
    return true;
}

static bool turn_vote(struct world *world, uint16_t to, struct sy_vote *vote)
{
    const struct second_proposal *second = second_of(world, vote->view, vote->slot);
    if (second != NULL && (second->victims >> to & 1u) != 0) {
        vote->proposal_digest = second->digest;
    } else if (does(world, SIM_LIE_VOTE, 4)) {
        if (sy_prng_chance(&world->prng, 1, 4)) vote->view += 1 + sy_prng_below(&world->prng, 9);
        vote->proposal_digest.bytes[0] ^= 1;
    } else {
        return false;
    }
    sign_vote(world, vote);
    sim_note_fault(world, SIM_FAULT_lie_vote);
    return true;
}

static void lie_vote(struct world *world, struct validator *liar, uint16_t to,
                     struct sy_slice bytes, struct sy_message *message)
{
    if (withhold(world)) return;
    bool turned = turn_vote(world, to, &message->body.vote);
    if (turned) say(world, liar, to, message);
    /* Some hear both. */
    if (!turned || sy_prng_chance(&world->prng, 1, 8)) sim_send(world, liar->index, to, bytes);
}

static void lie_seal(struct world *world, struct validator *liar, uint16_t to,
                     struct sy_slice bytes, struct sy_message *message)
{
    struct sy_seal_message *seal = &message->body.seal;
    struct sy_hash digest;
    if (withhold(world)) return;
    if (!does(world, SIM_LIE_SEAL, 4)) {
        sim_send(world, liar->index, to, bytes);
        return;
    }
    seal->header_hash.bytes[3] ^= 1;
    sy_seal_digest(&digest, &world->genesis->hash, seal->epoch, seal->height, &seal->header_hash);
    sim_sign(world, &seal->seal.signature, liar->index, SY_SIG_SEAL, &digest);
    sim_note_fault(world, SIM_FAULT_lie_seal);
    say(world, liar, to, message);
}

static void lie_status(struct world *world, struct validator *liar, uint16_t to,
                       struct sy_slice bytes, struct sy_message *message)
{
    struct sy_status_message *status = &message->body.status;
    struct sy_hash digest;
    if (!does(world, SIM_LIE_STATUS, 3)) {
        sim_send(world, liar->index, to, bytes);
        return;
    }
    uint64_t far = 1 + sy_prng_below(&world->prng, 200);
    switch (sy_prng_below(&world->prng, 6)) {
    case 0: status->certified_height += far; break;
    case 1: status->certified_height = 0; break;
    case 2: status->executed_height += far; break;
    case 3: status->pre_prepared_mask = status->prepared_mask = status->committed_mask = 0; break;
    case 4: status->committed_mask = sy_prng_next(&world->prng); break;
    default: status->time_ms += (int64_t)far * 1000000;
    }
    sy_status_digest(&digest, &world->genesis->hash, status);
    sim_sign(world, &status->signature, liar->index, SY_SIG_STATUS, &digest);
    sim_note_fault(world, SIM_FAULT_lie_status);
    say(world, liar, to, message);
}

static void lie_block(struct world *world, struct validator *liar, uint16_t to,
                      struct sy_slice bytes, struct sy_message *message)
{
    struct sy_block_message *block = &message->body.block;
    if (!does(world, SIM_LIE_BLOCK, 2)) {
        sim_send(world, liar->index, to, bytes);
        return;
    }
    struct sy_entry *entry = block->proposal.count > 0 ? &block->proposal.entries[0] : NULL;
    switch (sy_prng_below(&world->prng, 6)) {
    case 0: block->header.time_ms = ++block->proposal.time_ms; break;
    case 1: block->header.state_root.bytes[7] ^= 1; break;
    case 2: block->header.height = ++block->proposal.slot; break;
    case 3: block->certificate.seals[0].signature.bytes[40] ^= 1; break;
    case 4:
        if (entry != NULL) entry->maker = (uint16_t)((entry->maker + 1u) % world->n);
        break;
    default:
        if (entry != NULL) entry->seq++;
    }
    sim_note_fault(world, SIM_FAULT_lie_block);
    say(world, liar, to, message);
}

static void lie_body(struct world *world, struct validator *liar, uint16_t to,
                     struct sy_slice bytes)
{
    if ((world->options.lies & SIM_LIE_HIDE) != 0 && sy_prng_chance(&world->prng, 3, 4)) {
        sim_note_fault(world, SIM_FAULT_lie_hide);
        return;
    }
    sim_send(world, liar->index, to, bytes);
}

/* ---- views ------------------------------------------------------------------------------- */

static void sign_view_change(const struct world *world, struct sy_view_change *change)
{
    struct sy_hash digest;
    sy_view_change_digest(&digest, &world->genesis->hash, change, world->n);
    sim_sign(world, &change->signature, change->signer, SY_SIG_VIEW_CHANGE, &digest);
}

static void forget_prepared(struct sy_view_change *change)
{
    change->count = 0;
    change->prepared = sy_slice_of(NULL, 0);
}

/* Claims that nothing was prepared, that nothing is certified, or another view. */
static void lie_view_change(struct world *world, struct validator *liar, uint16_t to,
                            struct sy_slice bytes, struct sy_message *message)
{
    struct sy_view_change *change = &message->body.view_change;
    if (withhold(world)) return;
    if (!does(world, SIM_LIE_VIEW, 2)) {
        sim_send(world, liar->index, to, bytes);
        return;
    }
    switch (sy_prng_below(&world->prng, 3)) {
    case 0: change->view += 1 + sy_prng_below(&world->prng, 5); break;
    case 1:
        change->stable_height = 0;
        memset(&change->stable_hash, 0, sizeof change->stable_hash);
        memset(&change->certificate, 0, sizeof change->certificate);
        /* fall through */
    default: forget_prepared(change);
    }
    sign_view_change(world, change);
    sim_note_fault(world, SIM_FAULT_lie_view);
    say(world, liar, to, message);
}

/* Another set of VIEW_CHANGEs than it has, or to each peer another one. */
static void lie_new_view(struct world *world, struct validator *liar, uint16_t to,
                         struct sy_slice bytes, struct sy_message *message)
{
    struct sy_new_view *own = &message->body.new_view;
    struct sy_hash digest;
    if (withhold(world)) return;
    if (!does(world, SIM_LIE_VIEW, 2)) {
        sim_send(world, liar->index, to, bytes);
        return;
    }
    own->changes[sy_prng_below(&world->prng, own->count)].digest.bytes[2] ^= 1;
    sy_new_view_digest(&digest, &world->genesis->hash, own);
    sim_sign(world, &own->signature, own->signer, SY_SIG_NEW_VIEW, &digest);
    sim_note_fault(world, SIM_FAULT_lie_view);
    say(world, liar, to, message);
}

/* Asks for a view that nobody needs. */
static void leave_view(struct world *world, struct validator *liar)
{
    static struct sy_message message;
    uint64_t view = sim_info(world, liar)->pbft.view;
    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_VIEW_CHANGE;
    message.body.view_change.signer = liar->index;
    message.body.view_change.view = view + 1 + sy_prng_below(&world->prng, 3);
    message.body.view_change.epoch = liar->roster.epoch;
    sign_view_change(world, &message.body.view_change);
    sim_note_fault(world, SIM_FAULT_lie_view);
    for (uint16_t to = 0; to < world->n; to++) {
        if (to != liar->index && sy_prng_chance(&world->prng, 3, 4)) {
            say(world, liar, to, &message);
        }
    }
}

/* ---- what others said -------------------------------------------------------------------- */

static void keep_frame(struct world *world, struct sy_slice bytes)
{
    struct liars *liars = &world->liars;
    if (bytes.size > KEPT_BYTES_MAX || !sy_prng_chance(&world->prng, 1, 8)) return;
    unsigned place = (unsigned)sy_prng_below(&world->prng, KEPT_FRAMES);
    free(liars->kept[place]);
    liars->kept[place] = (uint8_t *)malloc(bytes.size + 1);
    SY_ASSERT(liars->kept[place] != NULL);
    memcpy(liars->kept[place], bytes.data, bytes.size);
    liars->kept_bytes[place] = bytes.size;
}

static struct sy_slice some_frame(struct world *world)
{
    unsigned place = (unsigned)sy_prng_below(&world->prng, KEPT_FRAMES);
    return sy_slice_of(world->liars.kept[place], world->liars.kept_bytes[place]);
}

/* Puts another's name under what somebody said; the signature does not fit it. */
static void forge(struct world *world, struct validator *liar, uint16_t to)
{
    static struct sy_message message;
    struct sy_slice bytes = some_frame(world);
    uint16_t name = another(world, liar->index);
    if (bytes.size == 0 || !sy_message_decode(&message, bytes, world->n)) return;
    switch (message.type) {
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        message.body.vote.signer = name;
        message.body.vote.proposal_digest.bytes[0] ^= 1;
        break;
    case SY_MESSAGE_SEAL:
        message.body.seal.seal.signer = name;
        message.body.seal.header_hash.bytes[0] ^= 1;
        break;
    case SY_MESSAGE_STATUS:
        message.body.status.signer = name;
        message.body.status.certified_height += 100;
        break;
    case SY_MESSAGE_PRE_PREPARE: message.body.pre_prepare.proposal.time_ms++; break;
    case SY_MESSAGE_VIEW_CHANGE: message.body.view_change.signer = name; break;
    case SY_MESSAGE_NEW_VIEW: message.body.new_view.changes[0].digest.bytes[0] ^= 1; break;
    default: return;
    }
    sim_note_fault(world, SIM_FAULT_lie_forge);
    say(world, liar, to, &message);
}

static void replay(struct world *world, struct validator *liar, uint16_t to)
{
    struct sy_slice bytes = some_frame(world);
    if (bytes.size == 0) return;
    sim_note_fault(world, SIM_FAULT_lie_replay);
    sim_send(world, liar->index, to, bytes);
}

static bool is_own(const struct world *world, const struct validator *liar,
                   const struct sy_message *message)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: return message->body.pre_prepare.view % world->n == liar->index;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: return message->body.vote.signer == liar->index;
    case SY_MESSAGE_SEAL: return message->body.seal.seal.signer == liar->index;
    case SY_MESSAGE_STATUS: return message->body.status.signer == liar->index;
    case SY_MESSAGE_VIEW_CHANGE: return message->body.view_change.signer == liar->index;
    case SY_MESSAGE_NEW_VIEW: return message->body.new_view.signer == liar->index;
    default: return false;
    }
}

void sim_lie(struct world *world, struct validator *liar, uint16_t to, struct sy_slice bytes)
{
    keep_frame(world, bytes);
    if (does(world, SIM_LIE_FORGE, 16)) forge(world, liar, to);
    if (does(world, SIM_LIE_REPLAY, 16)) replay(world, liar, to);
    bool decoded = sy_message_decode(&heard, bytes, world->n);
    SY_ASSERT(decoded);
    /* What a node passes on of others' is not its own to change. */
    bool may = heard.type == SY_MESSAGE_BATCH || heard.type == SY_MESSAGE_BLOCK ||
               is_own(world, liar, &heard);
    switch (may ? heard.type : 0) {
    case SY_MESSAGE_PRE_PREPARE: lie_proposal(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: lie_vote(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_SEAL: lie_seal(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_STATUS: lie_status(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_VIEW_CHANGE: lie_view_change(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_NEW_VIEW: lie_new_view(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_BLOCK: lie_block(world, liar, to, bytes, &heard); break;
    case SY_MESSAGE_BATCH: lie_body(world, liar, to, bytes); break;
    default: sim_send(world, liar->index, to, bytes);
    }
}

/* ---- beside consensus -------------------------------------------------------------------- */

static void say_sync(struct world *world, const struct validator *liar, uint16_t to,
                     const struct sy_sync_message *message)
{
    struct sy_writer w = sy_writer_of(world->liars.scratch, SY_FRAME_BYTES_MAX);
    sy_sync_encode(&w, message);
    SY_ASSERT(!w.failed);
    sim_send(world, liar->index, to, sy_writer_slice(&w));
}

/* Another state, header, certificate or place; or one that its node does not hold, or none. The
 * header lies first, the chunk's entries last. */
static void lie_chunk(struct world *world, const struct validator *liar, uint16_t to,
                      struct sy_slice bytes)
{
    static struct sy_sync_message message;
    uint8_t *copy = world->liars.scratch;
    uint64_t where = sy_prng_below(&world->prng, 6);
    sim_note_fault(world, SIM_FAULT_lie_chunk);
    if (where == 0) return;
    if (where == 1) {
        message = (struct sy_sync_message){.type = SY_SYNC_SNAPSHOT_NONE,
                                           .height = sy_prng_below(&world->prng, 1000)};
        say_sync(world, liar, to, &message);
        return;
    }
    memcpy(copy, bytes.data, bytes.size);
    if (bytes.data[0] == SY_SYNC_SNAPSHOT) {
        size_t head = SY_HEADER_BYTES + 2 + 66u * sy_quorum(world->n);
        size_t at = 1 + (size_t)sy_prng_below(&world->prng, SY_HEADER_BYTES);
        if (where == 3) at = 1 + head + (size_t)sy_prng_below(&world->prng, 34);
        if (where >= 4)
            at = bytes.size - 1 - (size_t)sy_prng_below(&world->prng, bytes.size - head - 64);
        copy[at] ^= (uint8_t)(1u << sy_prng_below(&world->prng, 8));
        if (where == 5) bytes.size -= 1 + (size_t)sy_prng_below(&world->prng, 40);
    }
    sim_send(world, liar->index, to, sy_slice_of(copy, bytes.size));
}

static void say_pruned(struct world *world, const struct validator *liar, uint16_t to)
{
    static struct sy_sync_message message;
    message = (struct sy_sync_message){
        .type = SY_SYNC_PRUNED,
        .height = 1 + sy_prng_below(&world->prng, 2 * world->height_count + 80)};
    sim_note_fault(world, SIM_FAULT_lie_pruned);
    say_sync(world, liar, to, &message);
}

void sim_lie_sync(struct world *world, const struct validator *liar, uint16_t to,
                  struct sy_slice bytes)
{
    if (bytes.data[0] == SY_SYNC_PRUNED && does(world, SIM_LIE_PRUNED, 2)) {
        say_pruned(world, liar, to);
    } else if (bytes.data[0] != SY_SYNC_PRUNED && does(world, SIM_LIE_CHUNK, 2)) {
        lie_chunk(world, liar, to, bytes);
    } else {
        sim_send(world, liar->index, to, bytes);
    }
}

/* ---- what it hears ----------------------------------------------------------------------- */

static bool is_censored(struct world *world, struct sy_slice body)
{
    struct sy_batch batch;
    if ((world->options.lies & SIM_LIE_CENSOR) == 0 || !sy_batch_decode(&batch, body)) return false;
    const struct sy_roster *roster = sim_roster(world, world->epoch);
    const struct sy_validator *victim = &roster->validators[world->liars.victim];
    if (memcmp(&batch.header.maker, &victim->consensus_key, sizeof victim->consensus_key) != 0) {
        return false;
    }
    sim_note_fault(world, SIM_FAULT_lie_censor);
    return true;
}

bool sim_liar_hears(struct world *world, struct validator *liar, uint16_t from,
                    struct sy_slice bytes)
{
    (void)from;
    keep_frame(world, bytes);
    if (!sy_message_decode(&heard, bytes, world->n)) return true;
    if (heard.type == SY_MESSAGE_BATCH) return !is_censored(world, heard.body.batch);
    /* Its own STATUS comes back as the answer to its start, without which its node says nothing. */
    if (heard.type == SY_MESSAGE_STATUS) return true;
    return world->places > world->n || !is_own(world, liar, &heard);
}

/* ---- unasked ----------------------------------------------------------------------------- */

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
    struct sy_batch_header header = {.maker = liar->roster.validators[liar->index].consensus_key,
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
    for (uint16_t to = 0; to < world->n; to++) {
        if (to != liar->index && sy_prng_chance(&world->prng, 3, 4)) {
            say(world, liar, to, &message);
        }
    }
}

static void ask(struct world *world, struct validator *liar)
{
    static struct sy_message message;
    uint64_t height = 1 + sy_prng_below(&world->prng, world->height_count + 80);
    uint16_t count = (uint16_t)(1 + sy_prng_below(&world->prng, SY_FETCH_BLOCKS_MAX));
    memset(&message, 0, sizeof message);
    switch (sy_prng_below(&world->prng, 3)) {
    case 0:
        message.type = SY_MESSAGE_BATCH_FETCH;
        message.body.batch_fetch.count = count;
        for (uint16_t i = 0; i < count; i++) {
            sy_prng_fill(&world->prng, &message.body.batch_fetch.digests[i], 32);
        }
        break;
    case 1: message.type = SY_MESSAGE_BLOCK_FETCH; break;
    default: message.type = SY_MESSAGE_SLOT_FETCH;
    }
    if (message.type != SY_MESSAGE_BATCH_FETCH) {
        message.body.range_fetch.first = height;
        message.body.range_fetch.count = count;
    }
    sim_note_fault(world, SIM_FAULT_lie_ask);
    for (int i = 0; i < 4; i++) say(world, liar, another(world, liar->index), &message);
}

void sim_lie_unasked(struct world *world, struct validator *liar)
{
    if (world->height_count > 0 && does(world, SIM_LIE_FLOOD, 32)) flood(world, liar);
    if (does(world, SIM_LIE_ASK, 16)) ask(world, liar);
    if (does(world, SIM_LIE_VIEW, 64)) leave_view(world, liar);
    if (does(world, SIM_LIE_PRUNED, 32)) say_pruned(world, liar, another(world, liar->index));
}
