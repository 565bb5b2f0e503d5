/* branches.c: which branches of the protocol a world took, seen from outside. */
#include <string.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"

void sim_note_effect(struct world *world, const struct sy_node_effect *effect)
{
    switch (effect->type) {
    case SY_NODE_COMMIT:
        switch (effect->as.commit.what) {
        case SY_COMMIT_DROP: sim_note_branch(world, SIM_BRANCH_dropped_votes, 1); break;
        case SY_COMMIT_BODY: sim_note_branch(world, SIM_BRANCH_stored_body, 1); break;
        case SY_COMMIT_EVIDENCE: sim_note_branch(world, SIM_BRANCH_stored_evidence, 1); break;
        case SY_COMMIT_DROP_SPARE_BODY:
        case SY_COMMIT_DROP_BODY: sim_note_branch(world, SIM_BRANCH_dropped_body, 1); break;
        case SY_COMMIT_RECORD:
            switch (effect->as.commit.record_type) {
            case SY_PBFT_RECORD_PREPARE:
                sim_note_branch(world, SIM_BRANCH_stored_prepare, 1);
                break;
            case SY_PBFT_RECORD_PREPARED:
                sim_note_branch(world, SIM_BRANCH_stored_prepared, 1);
                break;
            case SY_PBFT_RECORD_BOOT: sim_note_branch(world, SIM_BRANCH_stored_boot, 1); break;
            case SY_PBFT_RECORD_VIEW_CHANGE:
                sim_note_branch(world, SIM_BRANCH_stored_view_change, 1);
                break;
            case SY_PBFT_RECORD_NEW_VIEW:
                sim_note_branch(world, SIM_BRANCH_stored_new_view, 1);
                break;
            default: break;
            }
            break;
        }
        break;
    case SY_NODE_EXECUTE:
        sim_note_branch(world,
                        effect->as.execute.adopted ? SIM_BRANCH_executed_adopted
                                                   : SIM_BRANCH_executed_decided,
                        1);
        break;
    case SY_NODE_CERTIFY: sim_note_branch(world, SIM_BRANCH_certified, 1); break;
    case SY_NODE_LOOKUP: sim_note_branch(world, SIM_BRANCH_looked_up_body, 1); break;
    default: break;
    }
}

/* The branch of a message of one's own, or SIM_BRANCH_COUNT. */
static enum sim_branch branch_of(uint8_t type)
{
    switch (type) {
    case SY_MESSAGE_PRE_PREPARE: return SIM_BRANCH_sent_pre_prepare;
    case SY_MESSAGE_PREPARE: return SIM_BRANCH_sent_prepare;
    case SY_MESSAGE_COMMIT: return SIM_BRANCH_sent_commit;
    case SY_MESSAGE_SEAL: return SIM_BRANCH_sent_seal;
    case SY_MESSAGE_STATUS: return SIM_BRANCH_sent_status;
    case SY_MESSAGE_BATCH: return SIM_BRANCH_sent_body;
    case SY_MESSAGE_BATCH_FETCH: return SIM_BRANCH_sent_body_fetch;
    case SY_MESSAGE_BLOCK: return SIM_BRANCH_sent_block;
    case SY_MESSAGE_BLOCK_FETCH: return SIM_BRANCH_sent_block_fetch;
    case SY_MESSAGE_SLOT_FETCH: return SIM_BRANCH_sent_slot_fetch;
    case SY_MESSAGE_VIEW_CHANGE: return SIM_BRANCH_sent_view_change;
    case SY_MESSAGE_NEW_VIEW: return SIM_BRANCH_sent_new_view;
    default: return SIM_BRANCH_sent_view_fetch;
    }
}

void sim_note_message(struct world *world, const struct validator *validator,
                      const struct sy_message *message)
{
    enum sim_branch branch = branch_of(message->type);
    if (branch == SIM_BRANCH_sent_pre_prepare &&
        message->body.pre_prepare.view % validator->roster.count != validator->self) {
        branch = SIM_BRANCH_passed_on_proposal;
    }
    if ((branch == SIM_BRANCH_sent_prepare || branch == SIM_BRANCH_sent_commit) &&
        message->body.vote.signer != validator->self) {
        branch = SIM_BRANCH_passed_on_vote;
    }
    if (branch == SIM_BRANCH_sent_view_change &&
        message->body.view_change.signer != validator->self) {
        branch = SIM_BRANCH_passed_on_view_change;
    }
    if (branch == SIM_BRANCH_sent_new_view && message->body.new_view.signer != validator->self) {
        branch = SIM_BRANCH_passed_on_new_view;
    }
    if (branch == SIM_BRANCH_sent_status && message->body.status.signer != validator->self) {
        branch = SIM_BRANCH_answered_start;
    }
    sim_note_branch(world, branch, 1);
}

/* ---- the machines' own counters ---------------------------------------------------------- */

static void note_pbft(struct world *world, const struct sy_pbft_info *pbft)
{
    static const enum sim_branch ignored[SY_PBFT_IGNORED_COUNT] = {
        [SY_PBFT_IGNORED_STALE] = SIM_BRANCH_ignored_stale,
        [SY_PBFT_IGNORED_FUTURE] = SIM_BRANCH_ignored_future,
        [SY_PBFT_IGNORED_DUPLICATE] = SIM_BRANCH_ignored_duplicate,
        [SY_PBFT_IGNORED_CONFLICT] = SIM_BRANCH_ignored_conflict,
        [SY_PBFT_IGNORED_MALFORMED] = SIM_BRANCH_ignored_malformed,
        [SY_PBFT_IGNORED_UNEXPECTED] = SIM_BRANCH_ignored_unexpected,
    };
    for (int i = 0; i < SY_PBFT_IGNORED_COUNT; i++) {
        sim_note_branch(world, ignored[i], pbft->ignored_total[i]);
    }
    sim_note_branch(world, SIM_BRANCH_view_left, pbft->view_changes_total);
    sim_note_branch(world, SIM_BRANCH_retransmitted, pbft->retransmissions_total);
    sim_note_branch(world, SIM_BRANCH_equivocation_seen, pbft->equivocations_total);
}

void sim_note_sample(struct world *world, struct validator *validator)
{
    const struct sy_node_info *info = sim_info(world, validator);
    if (validator->faulty) {
        if (info->pbft.alarm == SY_PBFT_ALARM_FORGOTTEN && world->places > world->n) {
            sim_note_branch(world, SIM_BRANCH_twin_noticed, 1);
        }
        return;
    }
    sim_note_branch(world, SIM_BRANCH_proposal_late, info->pbft.late_proposals);
    sim_note_branch(world, SIM_BRANCH_proposal_refused, info->pbft.refused_proposals);
    sim_note_branch(world, SIM_BRANCH_stalled, info->pbft.stalled);
    sim_check_clock(world, validator, &info->clocks);
    if (info->pbft.view > world->result->view) world->result->view = info->pbft.view;
}

void sim_note_totals(struct world *world, struct validator *validator)
{
    if (validator->faulty) return;
    const struct sy_node_info *info = sim_info(world, validator);
    note_pbft(world, &info->pbft);
    world->result->view_changes += info->pbft.view_changes_total;
    sim_note_branch(world, SIM_BRANCH_batch_condemned, info->pool.condemned);
    sim_note_branch(world, SIM_BRANCH_frame_malformed, info->frames_malformed);
    sim_note_branch(world, SIM_BRANCH_frame_shed, info->frames_shed);
    for (uint16_t i = 0; i < validator->roster.count; i++) {
        sim_note_branch(world, SIM_BRANCH_heard_pruned, info->history_from[i] > 0);
    }
}

/* ---- starts ------------------------------------------------------------------------------ */

struct records {
    uint64_t certified;
    uint64_t above;
};

static sy_status count_record(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    struct records *records = (struct records *)context;
    (void)value;
    records->above += key->slot > records->certified;
    return SY_OK;
}

void sim_note_resumed(struct world *world, const struct validator *validator)
{
    if (validator->faulty || validator->life < 2) return;
    const struct sy_pbft_info *pbft = &sim_info(world, validator)->pbft;
    bool in_view = pbft->in_view;
    sim_note_branch(world, SIM_BRANCH_asked_others, pbft->asking);
    sim_note_branch(world, SIM_BRANCH_restarted_out_of_view, !in_view);
}

void sim_note_start(struct world *world, const struct validator *validator)
{
    struct records records = {.certified = sy_ledger_certified(validator->store)};
    struct sy_error err;
    if (validator->faulty || validator->life < 2) return;
    sim_note_branch(world, SIM_BRANCH_restarted, 1);
    sy_status status = sy_votes_each(validator->reader, count_record, &records, &err);
    SY_ASSERT(status == SY_OK);
    sim_note_branch(world, SIM_BRANCH_restarted_with_votes, records.above > 0);
    bool has_blocks = sy_ledger_height(validator->store) > records.certified;
    sim_note_branch(world, SIM_BRANCH_restarted_with_blocks, has_blocks);
}
