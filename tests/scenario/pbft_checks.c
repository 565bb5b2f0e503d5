/* pbft_checks.c: what must hold in every world, judged from what the machines did, not from what
 * they say. */
#include <stdarg.h>
#include <stdio.h>

#include "core/base/assert.h"
#include "core/crypto/engine.h"
#include "tests/scenario/pbft_world_internal.h"

void check_fail(struct world *world, const char *format, ...)
{
    if (world->result->failure[0]) return; // the first one is the cause
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(world->result->failure, sizeof world->result->failure, "at %llu us: %s",
             (unsigned long long)(world->now_ns / 1000), text);
}

static bool good_signature(const struct sy_signature *signature, enum sy_sig_kind kind,
                           const struct sy_hash *digest, uint16_t signer)
{
    struct sy_signature expected;
    world_sign(&expected, kind, digest, signer);
    return memcmp(expected.bytes, signature->bytes, sizeof expected.bytes) == 0;
}

bool check_signatures(const struct world *world, const struct sy_message *message)
{
    static struct sy_sig_job jobs[1 + (SY_PBFT_WINDOW + 1) * NODES_MAX];
    size_t count;
    if (!sy_message_jobs(jobs, &count, message, &world->roster, &world->genesis)) return false;
    for (size_t i = 0; i < count; i++) {
        uint16_t signer = sy_load_u16(jobs[i].key.bytes);
        if (!good_signature(&jobs[i].signature, (enum sy_sig_kind)jobs[i].kind, &jobs[i].digest,
                            signer))
            return false;
    }
    return true;
}

/* --- no amnesia ------------------------------------------------------------------------------ */

static void remember_signed(struct world *world, uint16_t index, uint8_t kind, uint64_t view,
                            uint64_t slot, const struct sy_hash *digest)
{
    struct node_model *node = &world->nodes[index];
    for (unsigned i = 0; i < node->signed_count; i++) {
        const struct signed_model *old = &node->signatures[i];
        if (old->kind != kind || old->view != view || old->slot != slot) continue;
        if (!sy_hash_equal(&old->digest, digest))
            check_fail(world, "validator %u signed twice in slot %llu, kind %u", index,
                       (unsigned long long)slot, kind);
        return;
    }
    SY_ASSERT(node->signed_count < SIGNED_MAX);
    node->signatures[node->signed_count++] = (struct signed_model){kind, view, slot, *digest};
}

static bool find_durable(struct sy_pbft_record *out, const struct world *world, uint16_t index,
                         uint8_t type, uint64_t slot, uint64_t view)
{
    const struct node_model *node = &world->nodes[index];
    for (unsigned i = 0; i < node->record_count; i++) {
        const struct record_model *record = &node->records[i];
        if (record->token == 0 && record->type == type && record->slot == slot &&
            record->view == view)
            return sy_pbft_record_decode(out, sy_slice_of(record->bytes, record->size), index,
                                         world->rules.n);
    }
    return false;
}

static bool bodies_held(const struct world *world, uint16_t index,
                        const struct sy_proposal *proposal)
{
    for (uint16_t i = 0; i < proposal->count; i++) {
        bool held = false;
        for (unsigned b = 0; b < world->batch_count; b++)
            if (sy_hash_equal(&world->batches[b].digest, &proposal->entries[i].digest))
                held = world->nodes[index].has_body[b];
        if (!held) return false;
    }
    return true;
}

/* What an earlier view prepared may be prepared again without bodies: weak(n) correct validators
 * have them. */
static bool bodies_safe(const struct world *world, const struct sy_proposal *proposal)
{
    unsigned held = 0;
    for (uint16_t i = 0; i < world->rules.n; i++)
        held += world->nodes[i].correct && bodies_held(world, i, proposal);
    return held >= sy_weak(world->rules.n);
}

/* Who sent a VIEW_CHANGE votes in no view below it, ever. */
static void check_promise(struct world *world, uint16_t index, uint64_t view)
{
    if (view < world->nodes[index].promised_view)
        check_fail(world, "validator %u votes in view %llu after a VIEW_CHANGE for %llu", index,
                   (unsigned long long)view, (unsigned long long)world->nodes[index].promised_view);
}

static void check_prepare(struct world *world, uint16_t index, uint64_t slot, uint64_t view,
                          const struct sy_hash *digest)
{
    static struct sy_pbft_record record;
    struct sy_hash durable;
    if (!find_durable(&record, world, index, SY_PBFT_RECORD_PREPARE, slot, view)) {
        check_fail(world, "validator %u prepared slot %llu before its record was durable", index,
                   (unsigned long long)slot);
        return;
    }
    sy_proposal_digest(&durable, &world->genesis, &record.as.prepare.proposal);
    if (!sy_hash_equal(&durable, digest))
        check_fail(world, "validator %u prepared another proposal than its record's", index);
    if (!bodies_held(world, index, &record.as.prepare.proposal) &&
        (view == 0 || !bodies_safe(world, &record.as.prepare.proposal)))
        check_fail(world, "validator %u prepared slot %llu without a body", index,
                   (unsigned long long)slot);
}

/* The certificate behind a commit, counted here from its signatures alone. */
static void check_commit(struct world *world, uint16_t index, const struct sy_vote *vote)
{
    static struct sy_pbft_record record;
    static struct sy_message message;
    if (!find_durable(&record, world, index, SY_PBFT_RECORD_PREPARED, vote->slot, vote->view)) {
        check_fail(world, "validator %u committed slot %llu before its certificate was durable",
                   index, (unsigned long long)vote->slot);
        return;
    }
    const struct sy_prepared *prepared = &record.as.prepared;
    uint16_t primary = (uint16_t)(vote->view % world->rules.n);
    struct sy_hash digest;
    sy_proposal_digest(&digest, &world->genesis, &prepared->proposal);
    uint64_t seen = 0;
    for (uint16_t i = 0; i < prepared->count; i++) {
        const struct sy_seal *statement = &prepared->statements[i];
        if (statement->signer == primary) {
            message.type = SY_MESSAGE_PRE_PREPARE;
            message.body.pre_prepare.proposal = prepared->proposal;
            message.body.pre_prepare.view = vote->view;
            message.body.pre_prepare.signature = statement->signature;
        } else {
            message.type = SY_MESSAGE_PREPARE;
            message.body.vote = (struct sy_vote){.type = SY_MESSAGE_PREPARE,
                                                 .view = vote->view,
                                                 .slot = vote->slot,
                                                 .proposal_digest = digest,
                                                 .signer = statement->signer,
                                                 .signature = statement->signature};
        }
        if (check_signatures(world, &message)) seen |= (uint64_t)1 << statement->signer;
    }
    unsigned good = (unsigned)__builtin_popcountll(seen);
    if (find_durable(&record, world, index, SY_PBFT_RECORD_PREPARE, vote->slot, vote->view)) {
        struct sy_hash own;
        sy_proposal_digest(&own, &world->genesis, &record.as.prepare.proposal);
        good += sy_hash_equal(&own, &digest);
    }
    if (good < sy_quorum(world->rules.n) || !sy_hash_equal(&digest, &vote->proposal_digest))
        check_fail(world, "validator %u committed slot %llu with %u prepares", index,
                   (unsigned long long)vote->slot, good);
}

/* --- leaving a view -------------------------------------------------------------------------- */

/* Whether the VIEW_CHANGE shows this slot as prepared in that view or a later one. */
static bool shows(const struct world *world, const struct sy_view_change *change, uint64_t slot,
                  uint64_t view)
{
    static struct sy_prepared prepared;
    struct sy_reader walk = sy_view_change_walk(change);
    while (sy_view_change_next(&walk, &prepared, change, world->rules.n))
        if (prepared.proposal.slot == slot && prepared.view >= view) return true;
    return slot <= change->stable_height;
}

static void check_view_change(struct world *world, uint16_t index,
                              const struct sy_view_change *change)
{
    static struct sy_pbft_record record;
    struct node_model *node = &world->nodes[index];
    struct sy_hash digest, durable;
    sy_view_change_digest(&digest, &world->genesis, change, world->rules.n);
    bool found = find_durable(&record, world, index, SY_PBFT_RECORD_VIEW_CHANGE, 0, 0);
    if (found)
        sy_view_change_digest(&durable, &world->genesis, &record.as.view_change, world->rules.n);
    if (!found || !sy_hash_equal(&digest, &durable))
        check_fail(world, "validator %u sent a VIEW_CHANGE that was not durable", index);
    remember_signed(world, index, SY_SIG_VIEW_CHANGE, change->view, 0, &digest);
    if (change->view > node->promised_view) node->promised_view = change->view;
    for (unsigned i = 0; i < node->signed_count; i++) {
        const struct signed_model *old = &node->signatures[i];
        if (old->kind != SY_SIG_COMMIT || old->view >= change->view) continue;
        if (!shows(world, change, old->slot, old->view))
            check_fail(world, "validator %u hides slot %llu, which it committed", index,
                       (unsigned long long)old->slot);
    }
}

static void check_new_view(struct world *world, uint16_t index, const struct sy_new_view *message)
{
    static struct sy_pbft_record record;
    struct sy_hash digest, durable;
    sy_new_view_digest(&digest, &world->genesis, message);
    bool found = find_durable(&record, world, index, SY_PBFT_RECORD_NEW_VIEW, 0, 0);
    // A higher view may have replaced the record while this one is sent again; then it is known.
    if (found && record.as.new_view.view == message->view) {
        sy_new_view_digest(&durable, &world->genesis, &record.as.new_view);
        found = sy_hash_equal(&digest, &durable);
    }
    if (!found) check_fail(world, "validator %u sent a NEW_VIEW that was not durable", index);
    remember_signed(world, index, SY_SIG_NEW_VIEW, message->view, 0, &digest);
}

void check_sent(struct world *world, uint16_t index, const struct sy_message *message)
{
    struct sy_hash digest;
    if (!check_signatures(world, message)) {
        check_fail(world, "validator %u sends a message of type %u with a bad signature", index,
                   message->type);
        return;
    }
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        if (index != message->body.pre_prepare.view % world->rules.n) return; // relayed
        check_promise(world, index, message->body.pre_prepare.view);
        sy_proposal_digest(&digest, &world->genesis, &message->body.pre_prepare.proposal);
        check_prepare(world, index, message->body.pre_prepare.proposal.slot,
                      message->body.pre_prepare.view, &digest);
        remember_signed(world, index, SY_SIG_PRE_PREPARE, message->body.pre_prepare.view,
                        message->body.pre_prepare.proposal.slot, &digest);
        return;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: {
        const struct sy_vote *vote = &message->body.vote;
        if (vote->signer != index) return;
        check_promise(world, index, vote->view);
        if (message->type == SY_MESSAGE_COMMIT)
            check_commit(world, index, vote);
        else
            check_prepare(world, index, vote->slot, vote->view, &vote->proposal_digest);
        remember_signed(world, index,
                        message->type == SY_MESSAGE_COMMIT ? SY_SIG_COMMIT : SY_SIG_PREPARE,
                        vote->view, vote->slot, &vote->proposal_digest);
        return;
    }
    case SY_MESSAGE_SEAL: {
        const struct sy_seal_message *seal = &message->body.seal;
        if (seal->seal.signer != index) return; // passed on
        const struct block_model *block = &world->nodes[index].blocks[seal->height];
        if (!block->executed || !sy_hash_equal(&block->hash, &seal->header_hash))
            check_fail(world, "validator %u sealed height %llu that it has not executed", index,
                       (unsigned long long)seal->height);
        remember_signed(world, index, SY_SIG_SEAL, 0, seal->height, &seal->header_hash);
        return;
    }
    case SY_MESSAGE_VIEW_CHANGE:
        if (message->body.view_change.signer == index)
            check_view_change(world, index, &message->body.view_change);
        return;
    case SY_MESSAGE_NEW_VIEW:
        if (message->body.new_view.signer == index)
            check_new_view(world, index, &message->body.new_view);
        return;
    default: return;
    }
}

/* --- agreement ------------------------------------------------------------------------------- */

void check_executed(struct world *world, uint16_t index, uint64_t height)
{
    const struct node_model *node = &world->nodes[index];
    for (uint16_t i = 0; i < world->rules.n; i++) {
        const struct node_model *other = &world->nodes[i];
        if (!other->correct || !node->correct || !other->blocks[height].executed) continue;
        if (!sy_hash_equal(&other->blocks[height].hash, &node->blocks[height].hash))
            check_fail(world, "validators %u and %u executed different blocks at height %llu", i,
                       index, (unsigned long long)height);
    }
}

void check_certificate(struct world *world, uint16_t index, uint64_t height,
                       const struct sy_hash *hash, const struct sy_certificate *certificate)
{
    const struct node_model *node = &world->nodes[index];
    struct sy_hash digest;
    sy_seal_digest(&digest, &world->genesis, 0, height, hash);
    bool good = certificate->count == sy_quorum(world->rules.n) && node->blocks[height].executed &&
                sy_hash_equal(hash, &node->blocks[height].hash);
    for (uint16_t i = 0; good && i < certificate->count; i++) {
        const struct sy_seal *seal = &certificate->seals[i];
        good = (i == 0 || seal->signer > seal[-1].signer) &&
               good_signature(&seal->signature, SY_SIG_SEAL, &digest, seal->signer);
    }
    if (!good && node->correct)
        check_fail(world, "validator %u has a bad certificate for height %llu", index,
                   (unsigned long long)height);
}

/* --- the end --------------------------------------------------------------------------------- */

void check_end(struct world *world)
{
    struct world_result *result = world->result;
    result->heights = UINT64_MAX;
    result->all_ran = true;
    for (uint16_t i = 0; i < world->rules.n; i++) {
        const struct node_model *node = &world->nodes[i];
        if (!node->correct) continue;
        if (node->certified < result->heights) result->heights = node->certified;
        uint64_t ran = 0;
        for (uint16_t m = 0; m < world->rules.n; m++) ran += node->next_seqs[m] - 1;
        if (ran != world->batch_count) result->all_ran = false;
        if (!node->up) continue;
        struct sy_pbft_info info;
        sy_pbft_get_info(node->pbft, &info, world->now_ns);
        result->retransmissions += info.retransmissions_total;
        result->adopted += info.blocks_adopted_total;
        result->view_changes += info.view_changes_total;
        if (info.view > result->highest_view) result->highest_view = info.view;
        if (info.stalled) result->stalled = true;
    }
}
