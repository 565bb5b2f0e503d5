/* pbft_whole_faulty.c: what the faulty validator can say, signed with its own index only.
 *
 * From the start: in every slot two proposals, a COMMIT for either, and a VIEW_CHANGE that shows
 * nothing. As soon as the network has what it takes: VIEW_CHANGEs that show one or both of the
 * slots as prepared in view 0, for every choice among what has certificates; in view 1 a PREPARE
 * and a COMMIT for whatever is proposed; every seal that a correct validator made. Whatever else it
 * might sign names something that no correct validator ever votes for, or lies in a view that is
 * not modelled. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "tests/scenario/pbft_whole_internal.h"

static void say(struct whole *whole, struct message_set *set, struct sy_message *message)
{
    fault_sign(&whole->world, WHOLE_FAULTY, message);
    int number = whole_message(whole, message);
    if (number >= 0) set_put(set, (unsigned)number);
}

static void say_vote(struct whole *whole, struct message_set *set, uint8_t type, uint64_t view,
                     uint64_t slot, const struct sy_hash *digest)
{
    static struct sy_message message;
    message.type = type;
    message.body.vote = (struct sy_vote){.type = type,
                                         .view = view,
                                         .slot = slot,
                                         .proposal_digest = *digest,
                                         .signer = WHOLE_FAULTY};
    say(whole, set, &message);
}

/* The first has a batch in it, the second is empty and has another time. */
static void say_proposals(struct whole *whole, struct message_set *set, uint64_t slot,
                          unsigned faces)
{
    static struct sy_message message;
    struct sy_hash digest;
    const struct batch_model *batch = &whole->world.batches[slot - 1];
    message.type = SY_MESSAGE_PRE_PREPARE;
    struct sy_proposal *proposal = &message.body.pre_prepare.proposal;
    for (uint16_t face = 0; face < faces; face++) {
        *proposal = (struct sy_proposal){.slot = slot, .count = face == 0};
        proposal->time_ms = 1700000001000ll + (int64_t)slot + 10 * face;
        proposal->entries[0] = (struct sy_entry){batch->maker, batch->seq, batch->digest};
        message.body.pre_prepare.view = 0;
        say(whole, set, &message);
        sy_proposal_digest(&digest, &whole->world.genesis, proposal);
        say_vote(whole, set, SY_MESSAGE_COMMIT, 0, slot, &digest);
    }
}

/* --- certificates ---------------------------------------------------------------------------- */

/* The proposal behind a digest of view 0, which this validator made. */
static bool find_proposal(struct whole *whole, struct sy_proposal *out, uint64_t slot,
                          uint8_t digest)
{
    static struct sy_message message;
    for (unsigned i = 0; i < whole->messages.count; i++) {
        const struct sent_message *sent = &whole->sent[i];
        if (sent->type != SY_MESSAGE_PRE_PREPARE || sent->view != 0 || sent->slot != slot ||
            sent->digest != digest)
            continue;
        whole_message_at(whole, &message, i);
        *out = message.body.pre_prepare.proposal;
        return true;
    }
    return false;
}

/* What is needed beside the own proposal is quorum - 1 PREPAREs of others; which ones is all the
 * same (pbft_whole_alike.c). */
static bool make_certificate(struct whole *whole, struct sy_prepared *out,
                             const struct message_set *set, uint64_t slot, uint8_t digest)
{
    unsigned prepares = 0;
    for (unsigned i = 0; i < whole->messages.count; i++) {
        const struct sent_message *sent = &whole->sent[i];
        prepares += set_has(set, i) && sent->type == SY_MESSAGE_PREPARE && sent->view == 0 &&
                    sent->slot == slot && sent->digest == digest;
    }
    if (prepares + 1 < sy_quorum(WHOLE_N)) return false;
    if (!find_proposal(whole, &out->proposal, slot, digest)) return false;
    out->view = 0;
    out->count = (uint16_t)(sy_quorum(WHOLE_N) - 1);
    whole_one_certificate(whole, out, WHOLE_FAULTY);
    return true;
}

/* digests: one for each slot, 0: nothing is shown of it. */
static void say_view_change(struct whole *whole, struct message_set *set,
                            const struct message_set *from, const uint8_t digests[WHOLE_SLOTS])
{
    static struct sy_message message;
    static struct sy_prepared prepared;
    static uint8_t bytes[65536];
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    message.type = SY_MESSAGE_VIEW_CHANGE;
    struct sy_view_change *change = &message.body.view_change;
    *change = (struct sy_view_change){.view = 1, .signer = WHOLE_FAULTY};
    for (uint64_t slot = 1; slot <= WHOLE_SLOTS; slot++) {
        if (digests[slot - 1] == 0) continue;
        if (!make_certificate(whole, &prepared, from, slot, digests[slot - 1])) return;
        sy_prepared_encode(&writer, &prepared);
        change->count++;
    }
    SY_ASSERT(!writer.failed);
    change->prepared = sy_writer_slice(&writer);
    say(whole, set, &message);
}

/* Up to two digests a slot have PREPAREs in view 0. */
static void say_view_changes(struct whole *whole, struct message_set *set,
                             const struct message_set *from)
{
    uint8_t choices[WHOLE_SLOTS][3] = {{0}};
    for (unsigned i = 0; i < whole->messages.count; i++) {
        const struct sent_message *sent = &whole->sent[i];
        if (!set_has(from, i) || sent->type != SY_MESSAGE_PREPARE || sent->view != 0) continue;
        uint8_t *choice = choices[sent->slot - 1];
        if (choice[1] == sent->digest || choice[2] == sent->digest) continue;
        choice[choice[1] == 0 ? 1 : 2] = sent->digest;
    }
    for (unsigned first = 0; first < 3; first++) {
        for (unsigned second = 0; second < 3; second++) {
            uint8_t digests[WHOLE_SLOTS] = {choices[0][first], choices[1][second]};
            say_view_change(whole, set, from, digests);
        }
    }
}

/* --- echoes ---------------------------------------------------------------------------------- */

static void say_seal(struct whole *whole, struct message_set *set, const struct sent_message *sent)
{
    static struct sy_message message;
    message.type = SY_MESSAGE_SEAL;
    message.body.seal = (struct sy_seal_message){
        .height = sent->slot, .header_hash = *whole_hash_at(whole, sent->digest)};
    message.body.seal.seal.signer = WHOLE_FAULTY;
    say(whole, set, &message);
}

static void say_echoes(struct whole *whole, struct message_set *set, const struct message_set *from)
{
    size_t count = whole->messages.count; // what is added here has no echo
    for (unsigned i = 0; i < count; i++) {
        const struct sent_message sent = whole->sent[i];
        if (!set_has(from, i) || sent.signer == WHOLE_FAULTY) continue;
        if (sent.type == SY_MESSAGE_SEAL) say_seal(whole, set, &sent);
        if (sent.type != SY_MESSAGE_PRE_PREPARE) continue;
        struct sy_hash digest = *whole_hash_at(whole, sent.digest);
        say_vote(whole, set, SY_MESSAGE_PREPARE, sent.view, sent.slot, &digest);
        say_vote(whole, set, SY_MESSAGE_COMMIT, sent.view, sent.slot, &digest);
    }
}

uint32_t faulty_closure(struct whole *whole, uint32_t number)
{
    bool is_new;
    uint32_t at = table_add(&whole->closure_keys, &number, sizeof number, &is_new);
    if (!is_new) return whole->closures[at];
    struct message_set from = *whole_set_at(whole, number), set = from;
    for (uint64_t slot = 1; slot <= whole->rules.slots; slot++)
        say_proposals(whole, &set, slot, whole->rules.faces[slot]);
    say_view_changes(whole, &set, &from);
    say_echoes(whole, &set, &from);
    uint32_t closed = whole_set(whole, &set);
    whole->closures = (uint32_t *)grown(whole->closures, &whole->closure_room, at + 1u,
                                        sizeof whole->closures[0]);
    whole->closures[at] = closed;
    return closed;
}
