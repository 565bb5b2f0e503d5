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

static bool block_jobs(struct sy_sig_job *jobs, size_t *count, const struct sy_block_message *block,
                       const struct sy_roster *roster, const struct sy_hash *genesis)
{
    const struct sy_header *header = &block->header;
    if (header->epoch != roster->epoch || block->certificate.count > SY_MESSAGE_JOBS_MAX)
        return false;
    struct sy_hash hash, digest;
    sy_header_hash(&hash, genesis, header);
    sy_seal_digest(&digest, genesis, header->epoch, header->height, &hash);
    for (uint16_t i = 0; i < block->certificate.count; i++) {
        const struct sy_seal *seal = &block->certificate.seals[i];
        if (seal->signer >= roster->count) return false;
        set_job(&jobs[i], roster, seal->signer, SY_SIG_SEAL, &seal->signature);
        jobs[i].digest = digest;
    }
    *count = block->certificate.count;
    return true;
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
    case SY_MESSAGE_STATUS: return status_job(jobs, &message->body.status, roster, genesis);
    case SY_MESSAGE_BLOCK: return block_jobs(jobs, count, &message->body.block, roster, genesis);
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
        SY_ASSERT(message->body.status.signer == config->self);
        out->signature = &message->body.status.signature;
        out->kind = SY_SIG_STATUS;
        sy_status_digest(&out->digest, &config->genesis, &message->body.status);
        return 1;
    default: return 0;
    }
}

/* The own PREPARE of a prepared certificate, and the pre-prepare if this validator made it. */
static size_t own_of_prepared(struct sy_own_signature *out, struct sy_pbft_prepared *prepared,
                              const struct sy_pbft_config *config)
{
    size_t count = 0;
    if (prepared->pre_prepare.view % config->n == config->self)
        out[count++] = own_pre_prepare(&prepared->pre_prepare, config);
    for (uint16_t i = 0; i < prepared->count; i++) {
        if (prepared->prepares[i].signer != config->self) continue;
        SY_ASSERT(count < SY_PBFT_OWN_MAX);
        struct sy_vote vote = {.type = SY_MESSAGE_PREPARE,
                               .epoch = prepared->pre_prepare.proposal.epoch,
                               .view = prepared->pre_prepare.view,
                               .slot = prepared->pre_prepare.proposal.slot,
                               .signer = config->self};
        sy_proposal_digest(&vote.proposal_digest, &config->genesis,
                           &prepared->pre_prepare.proposal);
        out[count].signature = &prepared->prepares[i].signature;
        out[count].kind = SY_SIG_PREPARE;
        sy_vote_digest(&out[count++].digest, &config->genesis, &vote);
    }
    return count;
}

static size_t own_of_record(struct sy_own_signature *out, struct sy_pbft_record *record,
                            const struct sy_pbft_config *config)
{
    if (record->type == SY_PBFT_RECORD_PREPARED)
        return own_of_prepared(out, &record->as.prepared, config);
    if (record->type != SY_PBFT_RECORD_PREPARE) return 0;
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
    struct sy_certificate *certificate = &effect->as.certified.certificate;
    for (uint16_t i = 0; i < certificate->count; i++) {
        if (certificate->seals[i].signer != config->self) continue;
        out->signature = &certificate->seals[i].signature;
        out->kind = SY_SIG_SEAL;
        sy_seal_digest(&out->digest, &config->genesis, config->epoch, effect->as.certified.height,
                       &effect->as.certified.header_hash);
        return 1;
    }
    return 0;
}
