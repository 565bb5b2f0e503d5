/* message.c: the signatures of messages, and those of effects that this validator owes. */
#include "consensus/pbft/message.h"

#include "core/base/assert.h"

static void set_job(struct sy_sig_job *job, const struct sy_roster *roster, uint16_t signer,
                    enum sy_sig_kind kind, const struct sy_signature *signature)
{
    SY_ASSERT(signer < roster->count);
    job->key = roster->validators[signer].consensus_key;
    job->signature = *signature;
    job->leaf = SY_JOB_NO_LEAF;
    job->key_handle = SY_KEY_HANDLE_NONE;
    job->kind = (uint8_t)kind;
}

static void digest_pre_prepare(struct sy_hash *out, const struct sy_pre_prepare *message,
                               const struct sy_hash *genesis)
{
    struct sy_hash proposal;
    SY_ASSERT(message->proposal.count <= SY_PROPOSAL_ENTRIES_MAX);
    sy_proposal_digest(&proposal, genesis, &message->proposal);
    sy_pre_prepare_digest(out, genesis, message->proposal.epoch, message->view,
                          message->proposal.slot, &proposal);
}

static enum sy_sig_kind vote_kind(const struct sy_vote *vote)
{
    SY_ASSERT(vote->type == SY_MESSAGE_PREPARE || vote->type == SY_MESSAGE_COMMIT);
    return vote->type == SY_MESSAGE_PREPARE ? SY_SIG_PREPARE : SY_SIG_COMMIT;
}

/* --- jobs ------------------------------------------------------------------------------------ */

static bool pre_prepare_job(struct sy_sig_job *jobs, const struct sy_pre_prepare *message,
                            const struct sy_roster *roster, const struct sy_hash *genesis)
{
    if (message->proposal.epoch != roster->epoch) return false;
    uint16_t primary = (uint16_t)(message->view % roster->count);
    set_job(jobs, roster, primary, SY_SIG_PRE_PREPARE, &message->signature);
    digest_pre_prepare(&jobs->digest, message, genesis);
    return true;
}

static bool vote_job(struct sy_sig_job *jobs, const struct sy_vote *vote,
                     const struct sy_roster *roster, const struct sy_hash *genesis)
{
    if (vote->epoch != roster->epoch || vote->signer >= roster->count) return false;
    set_job(jobs, roster, vote->signer, vote_kind(vote), &vote->signature);
    sy_vote_digest(&jobs->digest, genesis, vote);
    return true;
}

static bool seal_job(struct sy_sig_job *jobs, const struct sy_seal_message *message,
                     const struct sy_roster *roster, const struct sy_hash *genesis)
{
    if (message->epoch != roster->epoch || message->seal.signer >= roster->count) return false;
    set_job(jobs, roster, message->seal.signer, SY_SIG_SEAL, &message->seal.signature);
    sy_seal_digest(&jobs->digest, genesis, message->epoch, message->height, &message->header_hash);
    return true;
}

static bool status_job(struct sy_sig_job *jobs, const struct sy_status_message *status,
                       const struct sy_roster *roster, const struct sy_hash *genesis)
{
    if (status->epoch != roster->epoch || status->signer >= roster->count) return false;
    set_job(jobs, roster, status->signer, SY_SIG_STATUS, &status->signature);
    sy_status_digest(&jobs->digest, genesis, status);
    return true;
}

/* The seals of a certificate for a header. */
static bool certificate_jobs(struct sy_sig_job *jobs, size_t *count,
                             const struct sy_certificate *certificate, uint64_t height,
                             const struct sy_hash *header_hash, const struct sy_roster *roster,
                             const struct sy_hash *genesis)
{
    struct sy_hash digest;
    sy_seal_digest(&digest, genesis, roster->epoch, height, header_hash);
    for (uint16_t i = 0; i < certificate->count; i++) {
        const struct sy_seal *seal = &certificate->seals[i];
        if (seal->signer >= roster->count) return false;
        struct sy_sig_job *job = &jobs[(*count)++];
        set_job(job, roster, seal->signer, SY_SIG_SEAL, &seal->signature);
        job->digest = digest;
    }
    return true;
}

static bool block_jobs(struct sy_sig_job *jobs, size_t *count, const struct sy_block_message *block,
                       const struct sy_roster *roster, const struct sy_hash *genesis)
{
    const struct sy_header *header = &block->header;
    if (header->epoch != roster->epoch || block->certificate.count > SY_MESSAGE_JOBS_MAX)
        return false;
    struct sy_hash hash;
    sy_header_hash(&hash, genesis, header);
    *count = 0;
    return certificate_jobs(jobs, count, &block->certificate, header->height, &hash, roster,
                            genesis);
}

/* The statements behind one prepared certificate: the primary's is its pre-prepare. */
static void prepared_jobs(struct sy_sig_job *jobs, size_t *count,
                          const struct sy_prepared *prepared, const struct sy_roster *roster,
                          const struct sy_hash *genesis)
{
    const struct sy_proposal *proposal = &prepared->proposal;
    struct sy_vote vote = {.type = SY_MESSAGE_PREPARE,
                           .epoch = proposal->epoch,
                           .view = prepared->view,
                           .slot = proposal->slot};
    struct sy_hash by_primary, by_backup;
    sy_proposal_digest(&vote.proposal_digest, genesis, proposal);
    sy_vote_digest(&by_backup, genesis, &vote);
    sy_pre_prepare_digest(&by_primary, genesis, vote.epoch, vote.view, vote.slot,
                          &vote.proposal_digest);
    for (uint16_t i = 0; i < prepared->count; i++) {
        const struct sy_seal *statement = &prepared->statements[i];
        bool primary = statement->signer == prepared->view % roster->count;
        struct sy_sig_job *job = &jobs[(*count)++];
        set_job(job, roster, statement->signer, primary ? SY_SIG_PRE_PREPARE : SY_SIG_PREPARE,
                &statement->signature);
        job->digest = primary ? by_primary : by_backup;
    }
}

static bool view_change_jobs(struct sy_sig_job *jobs, size_t *count,
                             const struct sy_view_change *change, const struct sy_roster *roster,
                             const struct sy_hash *genesis)
{
    if (change->epoch != roster->epoch || change->signer >= roster->count) return false;
    set_job(&jobs[0], roster, change->signer, SY_SIG_VIEW_CHANGE, &change->signature);
    sy_view_change_digest(&jobs[0].digest, genesis, change, roster->count);
    *count = 1;
    if (!certificate_jobs(jobs, count, &change->certificate, change->stable_height,
                          &change->stable_hash, roster, genesis))
        return false;
    struct sy_reader walk = sy_view_change_walk(change);
    struct sy_prepared prepared;
    while (sy_view_change_next(&walk, &prepared, change, roster->count))
        prepared_jobs(jobs, count, &prepared, roster, genesis);
    SY_ASSERT(*count <= sy_view_change_jobs_max(roster->count));
    return true;
}

static bool new_view_job(struct sy_sig_job *jobs, const struct sy_new_view *message,
                         const struct sy_roster *roster, const struct sy_hash *genesis)
{
    if (message->epoch != roster->epoch || message->signer >= roster->count) return false;
    set_job(jobs, roster, message->signer, SY_SIG_NEW_VIEW, &message->signature);
    sy_new_view_digest(&jobs->digest, genesis, message);
    return true;
}

size_t sy_view_change_jobs_max(unsigned n)
{
    return 1 + sy_quorum(n) + (size_t)SY_PBFT_WINDOW * sy_quorum(n);
}

bool sy_message_jobs(struct sy_sig_job *jobs, size_t *count, const struct sy_message *message,
                     const struct sy_roster *roster, const struct sy_hash *genesis)
{
    SY_ASSERT(roster->count >= 1 && roster->count <= SY_VALIDATORS_MAX);
    *count = 1;
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        return pre_prepare_job(jobs, &message->body.pre_prepare, roster, genesis);
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: return vote_job(jobs, &message->body.vote, roster, genesis);
    case SY_MESSAGE_SEAL: return seal_job(jobs, &message->body.seal, roster, genesis);
    case SY_MESSAGE_STATUS:
        if (message->body.status.epoch > roster->epoch) { // of whoever's link it came by (P38)
            *count = 0;
            return true;
        }
        return status_job(jobs, &message->body.status, roster, genesis);
    case SY_MESSAGE_BLOCK: return block_jobs(jobs, count, &message->body.block, roster, genesis);
    case SY_MESSAGE_VIEW_CHANGE:
        return view_change_jobs(jobs, count, &message->body.view_change, roster, genesis);
    case SY_MESSAGE_NEW_VIEW: return new_view_job(jobs, &message->body.new_view, roster, genesis);
    default: *count = 0; return true;
    }
}

/* --- own signatures -------------------------------------------------------------------------- */

static struct sy_own_signature own_pre_prepare(struct sy_pre_prepare *message,
                                               const struct sy_pbft_config *config)
{
    struct sy_own_signature own = {.signature = &message->signature, .kind = SY_SIG_PRE_PREPARE};
    digest_pre_prepare(&own.digest, message, &config->genesis);
    return own;
}

/* The own seal of a certificate that this validator helped to make. */
static size_t own_of_certificate(struct sy_own_signature *out, struct sy_certificate *certificate,
                                 uint64_t height, const struct sy_hash *header_hash,
                                 const struct sy_pbft_config *config)
{
    for (uint16_t i = 0; i < certificate->count; i++) {
        if (certificate->seals[i].signer != config->self) continue;
        out->signature = &certificate->seals[i].signature;
        out->kind = SY_SIG_SEAL;
        sy_seal_digest(&out->digest, &config->genesis, config->epoch, height, header_hash);
        return 1;
    }
    return 0;
}

static size_t own_of_view_change(struct sy_own_signature *out, struct sy_view_change *change,
                                 const struct sy_pbft_config *config)
{
    if (change->signer != config->self) return 0;
    out->signature = &change->signature;
    out->kind = SY_SIG_VIEW_CHANGE;
    sy_view_change_digest(&out->digest, &config->genesis, change, config->n);
    return 1 + own_of_certificate(out + 1, &change->certificate, change->stable_height,
                                  &change->stable_hash, config);
}

static size_t own_of_new_view(struct sy_own_signature *out, struct sy_new_view *message,
                              const struct sy_pbft_config *config)
{
    if (message->signer != config->self) return 0;
    out->signature = &message->signature;
    out->kind = SY_SIG_NEW_VIEW;
    sy_new_view_digest(&out->digest, &config->genesis, message);
    return 1;
}

static size_t own_of_message(struct sy_own_signature *out, struct sy_message *message,
                             const struct sy_pbft_config *config)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        if (message->body.pre_prepare.view % config->n != config->self) return 0;
        *out = own_pre_prepare(&message->body.pre_prepare, config);
        return 1;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        if (message->body.vote.signer != config->self) return 0;
        out->signature = &message->body.vote.signature;
        out->kind = vote_kind(&message->body.vote);
        sy_vote_digest(&out->digest, &config->genesis, &message->body.vote);
        return 1;
    case SY_MESSAGE_SEAL:
        if (message->body.seal.seal.signer != config->self) return 0;
        out->signature = &message->body.seal.seal.signature;
        out->kind = SY_SIG_SEAL;
        sy_seal_digest(&out->digest, &config->genesis, message->body.seal.epoch,
                       message->body.seal.height, &message->body.seal.header_hash);
        return 1;
    case SY_MESSAGE_STATUS:
        if (message->body.status.signer != config->self) return 0;
        out->signature = &message->body.status.signature;
        out->kind = SY_SIG_STATUS;
        sy_status_digest(&out->digest, &config->genesis, &message->body.status);
        return 1;
    case SY_MESSAGE_VIEW_CHANGE: return own_of_view_change(out, &message->body.view_change, config);
    case SY_MESSAGE_NEW_VIEW: return own_of_new_view(out, &message->body.new_view, config);
    default: return 0;
    }
}

static size_t own_of_record(struct sy_own_signature *out, struct sy_pbft_record *record,
                            const struct sy_pbft_config *config)
{
    switch (record->type) {
    case SY_PBFT_RECORD_VIEW_CHANGE:
        return own_of_view_change(out, &record->as.view_change, config);
    case SY_PBFT_RECORD_NEW_VIEW: return own_of_new_view(out, &record->as.new_view, config);
    case SY_PBFT_RECORD_PREPARE: break;
    default: return 0;
    }
    if (record->as.prepare.view % config->n != config->self) return 0;
    *out = own_pre_prepare(&record->as.prepare, config);
    return 1;
}

size_t sy_pbft_effect_own(struct sy_own_signature out[SY_PBFT_OWN_MAX],
                          struct sy_pbft_effect *effect, const struct sy_pbft_config *config)
{
    if (effect->type == SY_PBFT_SEND) return own_of_message(out, &effect->as.send.message, config);
    if (effect->type == SY_PBFT_PERSIST)
        return own_of_record(out, &effect->as.persist.record, config);
    if (effect->type != SY_PBFT_CERTIFIED) return 0;
    return own_of_certificate(out, &effect->as.certified.certificate, effect->as.certified.height,
                              &effect->as.certified.header_hash, config);
}
