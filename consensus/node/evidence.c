#include "consensus/node/evidence.h"

static void of_pre_prepares(struct sy_evidence *out, struct sy_evidence_statement pair[2],
                            const struct sy_pre_prepare messages[2], const struct sy_hash *genesis)
{
    out->epoch = messages[0].proposal.epoch;
    out->view = messages[0].view;
    out->slot = messages[0].proposal.slot;
    for (unsigned i = 0; i < 2; i++) {
        sy_proposal_digest(&pair[i].digest, genesis, &messages[i].proposal);
        pair[i].signature = messages[i].signature;
    }
}

static void of_votes(struct sy_evidence *out, struct sy_evidence_statement pair[2],
                     const struct sy_vote votes[2])
{
    out->epoch = votes[0].epoch;
    out->view = votes[0].view;
    out->slot = votes[0].slot;
    for (unsigned i = 0; i < 2; i++) {
        pair[i] = (struct sy_evidence_statement){votes[i].proposal_digest, votes[i].signature};
    }
}

static void of_seals(struct sy_evidence *out, struct sy_evidence_statement pair[2],
                     const struct sy_seal_message seals[2])
{
    out->epoch = seals[0].epoch;
    out->slot = seals[0].height;
    for (unsigned i = 0; i < 2; i++) {
        pair[i] = (struct sy_evidence_statement){seals[i].header_hash, seals[i].seal.signature};
    }
}

bool sy_node_evidence(struct sy_evidence *out, const struct sy_pbft_evidence *found,
                      const struct sy_genesis *genesis)
{
    struct sy_evidence_statement pair[2];
    *out = (struct sy_evidence){.type = found->type, .signer = found->signer};
    memcpy(out->network, sy_network_tag(genesis), sizeof out->network);
    switch (found->type) {
    case SY_MESSAGE_PRE_PREPARE:
        of_pre_prepares(out, pair, found->pair.pre_prepares, &genesis->hash);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: of_votes(out, pair, found->pair.votes); break;
    case SY_MESSAGE_SEAL: of_seals(out, pair, found->pair.seals); break;
    default: return false;
    }
    return sy_evidence_pair(out, &pair[0], &pair[1]);
}
