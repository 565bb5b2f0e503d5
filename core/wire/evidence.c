/* evidence.c: .syevidence files: bytes, and what makes one hold. */
#include "core/wire/evidence.h"

#include "core/wire/checked.h"
#include "core/wire/roster_change.h"

static const uint8_t magic[SY_CHECKED_MAGIC_BYTES] = {'S', 'Y', 'E', 'V', 'D', 'N', 'C', '1'};

/* --- the types ----------------------------------------------------------------------------- */

/* What can be signed twice. viewed: the statement is about one view. */
static const struct form {
    uint8_t type;
    enum sy_sig_kind kind;
    bool viewed;
    const char *word;
} forms[] = {
    {SY_MESSAGE_PRE_PREPARE, SY_SIG_PRE_PREPARE, true, "pre_prepare"},
    {SY_MESSAGE_PREPARE, SY_SIG_PREPARE, true, "prepare"},
    {SY_MESSAGE_COMMIT, SY_SIG_COMMIT, true, "commit"},
    {SY_MESSAGE_SEAL, SY_SIG_SEAL, false, "seal"},
};

static const struct form *form_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].type == type) return &forms[i];
    }
    return NULL;
}

const char *sy_evidence_phase(uint8_t type)
{
    const struct form *form = form_of(type);
    return form ? form->word : NULL;
}

/* What the signature of a statement is over. */
static void signed_digest(struct sy_hash *out, const struct sy_evidence *evidence,
                          const struct sy_hash *digest, const struct sy_hash *genesis)
{
    if (evidence->type == SY_MESSAGE_SEAL) {
        sy_seal_digest(out, genesis, evidence->epoch, evidence->slot, digest);
    } else if (evidence->type == SY_MESSAGE_PRE_PREPARE) {
        sy_pre_prepare_digest(out, genesis, evidence->epoch, evidence->view, evidence->slot,
                              digest);
    } else {
        struct sy_vote vote = {.type = evidence->type,
                               .epoch = evidence->epoch,
                               .view = evidence->view,
                               .slot = evidence->slot,
                               .proposal_digest = *digest};
        sy_vote_digest(out, genesis, &vote);
    }
}

/* --- bytes --------------------------------------------------------------------------------- */

bool sy_evidence_pair(struct sy_evidence *evidence, const struct sy_evidence_statement *one,
                      const struct sy_evidence_statement *other)
{
    int order = sy_hash_compare(&one->digest, &other->digest);
    evidence->statements[0] = order < 0 ? *one : *other;
    evidence->statements[1] = order < 0 ? *other : *one;
    return order != 0;
}

/* NULL: it is canonical; else what is not. */
static const char *fault_of(const struct sy_evidence *evidence)
{
    const struct form *form = form_of(evidence->type);
    if (!form) return "type: a kind of statement that this program does not know";
    if (evidence->view > SY_SLOT_MAX || (!form->viewed && evidence->view != 0)) return "view";
    if (evidence->slot == 0 || evidence->slot > SY_SLOT_MAX) return "slot";
    if (evidence->signer >= SY_VALIDATORS_MAX) return "signer";
    int order = sy_hash_compare(&evidence->statements[0].digest, &evidence->statements[1].digest);
    if (order == 0) return "statements: both say the same, so they contradict nothing";
    return order < 0 ? NULL : "statements: they are out of order";
}

void sy_evidence_encode(struct sy_writer *w, const struct sy_evidence *evidence)
{
    size_t start = sy_checked_begin(w, magic);
    if (fault_of(evidence)) w->failed = true;
    sy_write_raw(w, evidence->network, sizeof evidence->network);
    sy_write_u8(w, evidence->type);
    sy_write_u32(w, evidence->epoch);
    sy_write_u64(w, evidence->view);
    sy_write_u64(w, evidence->slot);
    sy_write_u16(w, evidence->signer);
    for (unsigned i = 0; i < 2; i++) {
        sy_write_hash(w, &evidence->statements[i].digest);
        sy_write_signature(w, &evidence->statements[i].signature);
    }
    if (evidence->handovers.size > 0) {
        sy_write_raw(w, evidence->handovers.data, evidence->handovers.size);
    }
    sy_checked_end(w, start);
}

bool sy_evidence_decode(struct sy_evidence *evidence, struct sy_slice bytes, const char **what)
{
    struct sy_reader r = sy_checked_open(bytes, magic, "magic: not a .syevidence file");
    memset(evidence, 0, sizeof *evidence);
    struct sy_slice network = sy_read_raw(&r, sizeof evidence->network, "network");
    if (network.size > 0) memcpy(evidence->network, network.data, network.size);
    evidence->type = sy_read_u8(&r, "type");
    evidence->epoch = sy_read_u32(&r, "epoch");
    evidence->view = sy_read_u64(&r, "view");
    evidence->slot = sy_read_u64(&r, "slot");
    evidence->signer = sy_read_u16(&r, "signer");
    for (unsigned i = 0; i < 2; i++) {
        sy_read_hash(&r, &evidence->statements[i].digest, "digest");
        sy_read_signature(&r, &evidence->statements[i].signature, "signature");
    }
    const char *fault = fault_of(evidence);
    if (fault) sy_reader_fail(&r, fault);
    if (!r.failed && sy_reader_left(&r) > 0) {
        (void)sy_handovers_decode(&r, &evidence->handovers, evidence->epoch);
    }
    if (sy_reader_done(&r)) return true;
    if (what) *what = r.what;
    return false;
}

bool sy_evidence_is(struct sy_slice bytes)
{
    return sy_checked_is(bytes, magic);
}

/* --- what makes it hold --------------------------------------------------------------------- */

static bool statement_holds(const struct sy_verifier *verifier, const struct sy_evidence *evidence,
                            unsigned i, const struct sy_roster *roster,
                            const struct sy_hash *genesis)
{
    const struct sy_evidence_statement *statement = &evidence->statements[i];
    struct sy_hash digest;
    signed_digest(&digest, evidence, &statement->digest, genesis);
    return verifier->verify(verifier->self, &roster->validators[evidence->signer].consensus_key,
                            form_of(evidence->type)->kind, &digest, &statement->signature);
}

static bool find_roster(const struct sy_verifier *verifier, struct sy_roster *roster,
                        const struct sy_evidence *evidence, const struct sy_genesis *genesis,
                        const char **what)
{
    *roster = genesis->roster;
    *what = "it does not show how the roster of its epoch came from the genesis's";
    return sy_handovers_follow_by(verifier, roster, NULL, &genesis->hash, evidence->handovers,
                                  evidence->epoch, NULL) == SY_OK;
}

bool sy_evidence_roster(struct sy_roster *roster, const struct sy_evidence *evidence,
                        const struct sy_genesis *genesis, const char **what)
{
    const char *ignored;
    if (!what) what = &ignored;
    return find_roster(&sy_verifier_openssl, roster, evidence, genesis, what);
}

/* NULL: it holds; else why not. */
static const char *refutation_of(const struct sy_verifier *verifier,
                                 const struct sy_evidence *evidence,
                                 const struct sy_genesis *genesis)
{
    struct sy_roster roster;
    const char *fault = fault_of(evidence);
    if (fault) return fault;
    if (memcmp(evidence->network, sy_network_tag(genesis), sizeof evidence->network) != 0) {
        return "it is of another network";
    }
    if (!find_roster(verifier, &roster, evidence, genesis, &fault)) return fault;
    if (evidence->signer >= roster.count) return "the roster has no such validator";
    if (!statement_holds(verifier, evidence, 0, &roster, &genesis->hash)) {
        return "the first signature does not verify";
    }
    if (!statement_holds(verifier, evidence, 1, &roster, &genesis->hash)) {
        return "the second signature does not verify";
    }
    return NULL;
}

bool sy_evidence_verify(const struct sy_evidence *evidence, const struct sy_genesis *genesis,
                        const char **what)
{
    return sy_evidence_verify_by(&sy_verifier_openssl, evidence, genesis, what);
}

bool sy_evidence_verify_by(const struct sy_verifier *verifier, const struct sy_evidence *evidence,
                           const struct sy_genesis *genesis, const char **what)
{
    const char *refutation = refutation_of(verifier, evidence, genesis);
    if (refutation && what) *what = refutation;
    return refutation == NULL;
}
