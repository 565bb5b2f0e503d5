/* liar_views.c: what a liar says when views change. */
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "tests/sim/liar.h"

/* ---- prepared certificates that are none ------------------------------------------------- */

/* A VIEW_CHANGE as it is built: what it shows, and what of that is signed. The latter is written
 * here and not by sy_view_change_digest, which takes only what can be read. */
struct forgery {
    struct sy_writer shown, claimed;
    uint8_t claims[4 + 8 + 2 + 8 + 32 + 2 + SY_PBFT_WINDOW * (8 + 8 + 32)];
};

static void begin(struct world *world, struct forgery *forgery, const struct sy_view_change *change)
{
    struct sy_writer *w = &forgery->claimed;
    forgery->shown = sy_writer_of(world->liars.claims, SY_VIEW_CHANGE_BYTES_MAX);
    *w = sy_writer_of(forgery->claims, sizeof forgery->claims);
    sy_write_u32(w, change->epoch);
    sy_write_u64(w, change->view);
    sy_write_u16(w, change->signer);
    sy_write_u64(w, change->stable_height);
    sy_write_hash(w, &change->stable_hash);
    sy_write_u16(w, change->count);
}

static void show(const struct world *world, struct forgery *forgery,
                 const struct sy_prepared *prepared)
{
    struct sy_hash digest;
    sy_proposal_digest(&digest, &world->genesis->hash, &prepared->proposal);
    sy_write_u64(&forgery->claimed, prepared->proposal.slot);
    sy_write_u64(&forgery->claimed, prepared->view);
    sy_write_hash(&forgery->claimed, &digest);
    sy_prepared_encode(&forgery->shown, prepared);
}

static void finish(const struct world *world, const struct validator *liar, struct forgery *forgery,
                   struct sy_view_change *change)
{
    struct sy_hash digest;
    SY_ASSERT(!forgery->shown.failed && !forgery->claimed.failed);
    change->prepared = sy_writer_slice(&forgery->shown);
    sy_hash_digest(&digest, SY_DIGEST_VIEW_CHANGE, &world->genesis->hash,
                   sy_writer_slice(&forgery->claimed));
    sim_sign(world, &change->signature, liar->index, SY_SIG_VIEW_CHANGE, &digest);
}

/* Wrong signatures; too few; a voter twice, by name or by signature; another view, or another
 * proposal, than the one that was prepared. */
static void spoil(struct world *world, struct sy_prepared *prepared)
{
    struct sy_seal *some = &prepared->statements[sy_prng_below(&world->prng, prepared->count)];
    struct sy_seal *other = &prepared->statements[some == prepared->statements ? 1 : 0];
    switch (sy_prng_below(&world->prng, 6)) {
    case 0: some->signature.bytes[sy_prng_below(&world->prng, 64)] ^= 2; break;
    case 1: *some = prepared->statements[--prepared->count]; break;
    case 2: *some = *other; break;
    case 3: some->signature = other->signature; break;
    case 4:
        prepared->view += sy_prng_below(&world->prng, 2) == 0 && prepared->view > 0 ? -1ull : 1;
        break;
    default: prepared->proposal.time_ms++;
    }
}

/* Nothing was prepared in this view as far as it knows; so others are said to have prepared what
 * was proposed last. */
static bool make_up(struct world *world, const struct validator *liar,
                    const struct sy_view_change *change, struct sy_prepared *prepared)
{
    const struct sy_pre_prepare *seen = &world->liars.proposal;
    uint64_t slot = seen->proposal.slot;
    memset(prepared, 0, sizeof *prepared);
    prepared->view = change->view - 1;
    prepared->proposal = seen->proposal;
    for (uint16_t i = 0; i < liar->roster.count; i++) {
        if (i == liar->self || prepared->count == sy_quorum(liar->roster.count)) continue;
        prepared->statements[prepared->count].signer = i;
        sy_prng_fill(&world->prng, prepared->statements[prepared->count++].signature.bytes, 64);
    }
    return seen->proposal.epoch == change->epoch && slot > change->stable_height &&
           slot - change->stable_height <= SY_PBFT_WINDOW;
}

static bool forge_certificates(struct world *world, const struct validator *liar,
                               struct sy_view_change *change)
{
    static struct forgery forgery;
    static struct sy_prepared prepared;
    uint16_t which = change->count, at = 0;
    if (which > 0) which = (uint16_t)sy_prng_below(&world->prng, which);
    struct sy_reader walk = sy_view_change_walk(change);
    bool made_up = change->count == 0;
    if (made_up && !make_up(world, liar, change, &prepared)) return false;
    if (made_up) change->count = 1;
    begin(world, &forgery, change);
    if (made_up) {
        spoil(world, &prepared);
        show(world, &forgery, &prepared);
    } else {
        while (sy_view_change_next(&walk, &prepared, change, liar->roster.count)) {
            if (at++ == which) spoil(world, &prepared);
            show(world, &forgery, &prepared);
        }
    }
    finish(world, liar, &forgery, change);
    return true;
}

/* ---- VIEW_CHANGE and NEW_VIEW ------------------------------------------------------------ */

static void sign_view_change(const struct world *world, const struct validator *liar,
                             struct sy_view_change *change)
{
    struct sy_hash digest;
    sy_view_change_digest(&digest, &world->genesis->hash, change, liar->roster.count);
    sim_sign(world, &change->signature, liar->index, SY_SIG_VIEW_CHANGE, &digest);
}

static void forget_prepared(struct sy_view_change *change)
{
    change->count = 0;
    change->prepared = sy_slice_of(NULL, 0);
}

/* Claims that nothing was prepared, that nothing is certified, or another view. */
static void turn(struct world *world, const struct validator *liar, struct sy_view_change *change)
{
    switch (sy_prng_below(&world->prng, 3)) {
    case 0: change->view += 1 + sy_prng_below(&world->prng, 5); break;
    case 1:
        change->stable_height = 0;
        memset(&change->stable_hash, 0, sizeof change->stable_hash);
        memset(&change->certificate, 0, sizeof change->certificate);
        /* fall through */
    default: forget_prepared(change);
    }
    sign_view_change(world, liar, change);
    sim_note_fault(world, SIM_FAULT_lie_view);
}

void sim_lie_view_change(struct world *world, struct validator *liar, uint16_t to,
                         struct sy_slice bytes, struct sy_message *message)
{
    struct sy_view_change *change = &message->body.view_change;
    if (sim_withhold(world)) return;
    if (sim_does(world, SIM_LIE_VIEW, 2)) {
        turn(world, liar, change);
    } else if (sim_does(world, SIM_LIE_CERTIFICATE, 2) && forge_certificates(world, liar, change)) {
        sim_note_fault(world, SIM_FAULT_lie_certificate);
    } else {
        sim_utter(world, liar, to, bytes);
        return;
    }
    sim_say(world, liar, to, message);
}

/* Another set of VIEW_CHANGEs than it has, or to each peer another one. */
void sim_lie_new_view(struct world *world, struct validator *liar, uint16_t to,
                      struct sy_slice bytes, struct sy_message *message)
{
    struct sy_new_view *own = &message->body.new_view;
    struct sy_hash digest;
    if (sim_withhold(world)) return;
    if (!sim_does(world, SIM_LIE_VIEW, 2)) {
        sim_utter(world, liar, to, bytes);
        return;
    }
    own->changes[sy_prng_below(&world->prng, own->count)].digest.bytes[2] ^= 1;
    sy_new_view_digest(&digest, &world->genesis->hash, own);
    sim_sign(world, &own->signature, liar->index, SY_SIG_NEW_VIEW, &digest);
    sim_note_fault(world, SIM_FAULT_lie_view);
    sim_say(world, liar, to, message);
}

/* What its store has for certified, or nothing. */
static void show_stable(const struct world *world, const struct validator *liar,
                        struct sy_view_change *change)
{
    struct sy_slice bytes;
    struct sy_header header;
    uint64_t height = sy_ledger_certified(liar->store);
    if (height == 0) return;
    change->stable_height = height;
    if (sy_executor_epoch_base(liar->executor, height + 1) == height) return;
    sy_status status = sy_ledger_get(liar->reader, &bytes, height, SY_BLOCK_HEADER);
    struct sy_reader reader = sy_reader_of(bytes);
    SY_ASSERT(status == SY_OK);
    bool decoded = sy_header_decode(&reader, &header);
    SY_ASSERT(decoded);
    sy_header_hash(&change->stable_hash, &world->genesis->hash, &header);
    status = sy_ledger_get(liar->reader, &bytes, height, SY_BLOCK_CERTIFICATE);
    SY_ASSERT(status == SY_OK);
    reader = sy_reader_of(bytes);
    decoded = sy_certificate_decode(&reader, &change->certificate, liar->roster.count);
    SY_ASSERT(decoded);
}

void sim_leave_view(struct world *world, struct validator *liar, bool forged)
{
    static struct sy_message message;
    struct sy_view_change *change = &message.body.view_change;
    uint64_t view = sim_info(world, liar)->pbft.view;
    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_VIEW_CHANGE;
    change->signer = liar->self;
    change->view = view + 1 + sy_prng_below(&world->prng, 3);
    change->epoch = liar->roster.epoch;
    if (!forged) sign_view_change(world, liar, change);
    if (forged) show_stable(world, liar, change);
    if (forged && !forge_certificates(world, liar, change)) return;
    sim_note_fault(world, forged ? SIM_FAULT_lie_certificate : SIM_FAULT_lie_view);
    sim_say_around(world, liar, &message);
}
