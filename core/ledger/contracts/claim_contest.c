/* claim_contest.c: decisions that are contested. The payer answers with claim.adjudicate, or takes
 * the claim back with claim.reverse.
 *
 * claim.appeal (who billed: an admin, gateway or practitioner of the organisation answers for it;
 * or the patient or a guardian)
 * claim.dispute (the patient or a guardian answers for it)
 *   there is no such claim                                E_CLAIM_UNKNOWN {claim id}
 *   it was billed by another organisation                 E_NOT_PROVIDER {who billed}
 *   signed neither by the patient nor by as many distinct
 *   guardians as the patient needs                        E_NOT_SUBJECT {claim id}
 *   withdraw: none of theirs is open                      E_CONTESTED {claim id}
 *             lines are named                             E_SCHEMA, path lines
 *   the claim is pended or reversed                       E_CLAIM_STATE {its status}
 *   it was contested in that way before                   E_CONTESTED {claim id}
 *   the plan's days for it are over                       E_CONTEST_TIME {the last moment}
 *   a line that the claim does not have, or not ascending E_SCHEMA, path lines
 *   writes   contest, claim
 *   events   claim.contested or claim.withdrawn about the payer, who billed and the patient;
 * object: the claim
 *
 * While it is open the claim is not paid, for SY_HOLD_MS_MAX at most: a payer who answers nothing
 * may then pay what was decided, and still answer. Who billed, the patient's appeal and the
 * patient's dispute come once each to a claim, also those that were taken back: nobody uses up what
 * is another's, and no claim is held again and again. An appeal asks for no less; a dispute may
 * bring that a line is allowed less, or nothing. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/money_state.h"

#define DAY_MS 86400000ll

/* What both kinds come to. */
struct wish {
    const struct sy_hash *claim_id;
    uint16_t contest; /* enum sy_contest */
    uint16_t reason;
    bool withdraw;
    const struct sy_list *lines;
    bool has_evidence;
    const struct sy_hash *evidence;
};

static bool is_patient_side(const struct sy_exec *x)
{
    return x->by->role == SY_ROLE_PATIENT || x->by->role == SY_ROLE_GUARDIAN;
}

/* Who answers for it may contest the claim. A stranger is not told whose it is. */
static enum sy_refusal check_signer(struct sy_exec *x, const struct sy_claim *claim,
                                    const struct sy_hash *id)
{
    struct sy_patient patient;
    if (!is_patient_side(x)) {
        bool own = sy_hash_equal(&claim->provider, &x->by->holder);
        return own ? SY_APPLIED : sy_refuse_hash(x, SY_E_NOT_PROVIDER, &claim->provider);
    }
    struct sy_hash live = sy_exec_live_id(x, &claim->patient);
    if (sy_exec_find_patient(x, &patient, &live) && sy_exec_subject_signed(x, &patient)) {
        return SY_APPLIED;
    }
    return sy_refuse_hash(x, SY_E_NOT_SUBJECT, id);
}

/* Lines as bits; none named: all. */
static bool read_lines(uint64_t *bits, const struct sy_list *lines, unsigned count)
{
    uint32_t number, last = 0;
    *bits = 0;
    for (size_t offset = 0; sy_list_next_u32(lines, &offset, &number); last = number) {
        if (number <= last || number > count) return false;
        *bits |= 1ull << (number - 1);
    }
    if (lines->count == 0) *bits = (1ull << count) - 1;
    return true;
}

/* The last moment in which a decision may be contested. */
static int64_t last_moment(struct sy_exec *x, const struct sy_claim *claim)
{
    struct sy_coverage coverage;
    struct sy_plan plan;
    if (!sy_money_find_coverage(x, &coverage, &claim->coverage) ||
        !sy_money_find_plan(x, &plan, &coverage.plan)) {
        sy_exec_corrupt(x); // a claim has a coverage with a plan
        return 0;
    }
    return claim->decided_ms + plan.dispute_days * DAY_MS;
}

static void tell(struct sy_exec *x, enum sy_event_kind kind, const struct sy_claim *claim,
                 const struct sy_hash *id)
{
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &claim->payer, id);
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &claim->provider, id);
    sy_exec_event(x, kind, SY_SUBJECT_PATIENT, &claim->patient, id);
}

static enum sy_refusal withdraw(struct sy_exec *x, struct sy_claim *claim, const struct wish *wish)
{
    uint8_t bit = SY_CONTEST_BIT(wish->contest), others = (uint8_t)(claim->holds & ~bit);
    if (wish->lines->count != 0) return sy_refuse_path(x, SY_E_SCHEMA, "lines");
    if ((claim->holds & bit) == 0) return sy_refuse_hash(x, SY_E_CONTESTED, wish->claim_id);
    claim->holds = bit;
    sy_money_end_contests(x, claim, wish->claim_id, SY_CONTEST_WITHDRAWN);
    claim->holds = others;
    sy_money_save_claim(x, wish->claim_id, claim);
    tell(x, SY_EVENT_CLAIM_WITHDRAWN, claim, wish->claim_id);
    return SY_APPLIED;
}

static enum sy_refusal open_contest(struct sy_exec *x, struct sy_claim *claim,
                                    const struct wish *wish)
{
    struct sy_contest_entry contest = {.status = SY_CONTEST_OPEN,
                                       .reason = wish->reason,
                                       .opened_ms = x->time_ms,
                                       .held_until_ms = x->time_ms + SY_HOLD_MS_MAX,
                                       .height = x->height,
                                       .has_evidence = wish->has_evidence};
    struct sy_contest_entry before;
    if (claim->status == SY_CLAIM_PENDED || claim->status == SY_CLAIM_REVERSED) {
        x->detail = claim->status;
        return SY_E_CLAIM_STATE;
    }
    if (sy_money_find_contest(x, &before, wish->claim_id, wish->contest)) {
        return sy_refuse_hash(x, SY_E_CONTESTED, wish->claim_id);
    }
    int64_t last = last_moment(x, claim);
    if (x->time_ms > last) {
        x->detail = (uint64_t)last;
        return SY_E_CONTEST_TIME;
    }
    if (!read_lines(&contest.lines, wish->lines, claim->line_count)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "lines");
    }
    if (contest.has_evidence) contest.evidence = *wish->evidence;
    sy_money_save_contest(x, wish->claim_id, wish->contest, &contest);
    claim->holds |= SY_CONTEST_BIT(wish->contest);
    sy_money_save_claim(x, wish->claim_id, claim);
    tell(x, SY_EVENT_CLAIM_CONTESTED, claim, wish->claim_id);
    return SY_APPLIED;
}

static enum sy_refusal run(struct sy_exec *x, const struct wish *wish)
{
    struct sy_claim claim;
    if (!sy_money_find_claim(x, &claim, wish->claim_id)) {
        return sy_refuse_hash(x, SY_E_CLAIM_UNKNOWN, wish->claim_id);
    }
    enum sy_refusal code = check_signer(x, &claim, wish->claim_id);
    if (code != SY_APPLIED) return code;
    return wish->withdraw ? withdraw(x, &claim, wish) : open_contest(x, &claim, wish);
}

enum sy_refusal sy_contract_claim_appeal(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_claim_appeal *p = &payload->claim_appeal;
    SY_ASSERT(x->kind->number == SY_KIND_claim_appeal && x->by->valid);
    struct wish wish = {.claim_id = &p->claim_id,
                        .contest = is_patient_side(x) ? SY_CONTEST_PATIENT : SY_CONTEST_APPEAL,
                        .withdraw = p->withdraw,
                        .lines = &p->lines,
                        .has_evidence = p->has_evidence_hash,
                        .evidence = &p->evidence_hash};
    return run(x, &wish);
}

enum sy_refusal sy_contract_claim_dispute(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_claim_dispute *p = &payload->claim_dispute;
    SY_ASSERT(x->kind->number == SY_KIND_claim_dispute && is_patient_side(x));
    struct wish wish = {.claim_id = &p->claim_id,
                        .contest = SY_CONTEST_DISPUTE,
                        .reason = p->reason,
                        .withdraw = p->withdraw,
                        .lines = &p->lines,
                        .has_evidence = p->has_evidence_hash,
                        .evidence = &p->evidence_hash};
    return run(x, &wish);
}
