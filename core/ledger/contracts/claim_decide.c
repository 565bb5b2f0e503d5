/* claim_decide.c: what is decided of claims, at first and again.
 *
 * claim.adjudicate (a payer's key answers for it)
 *   there is no such claim                                E_CLAIM_UNKNOWN {claim id}
 *   it is another payer's                                 E_NOT_PAYER {that payer}
 *   it is neither pended nor contested                    E_CLAIM_STATE {its status}
 *   not an amount for each line, or one over the line's
 *   charge or the schedule                                E_ALLOWED {most}, path allowed[i]
 *   it is contested, and the amount of a line changes,
 *   but no open appeal or dispute names the line, or
 *   appeals alone do and it is lowered                    E_AMOUNT_STANDS {now}, path allowed[i]
 *   it is contested, and an amount changes, but it was
 *   paid                                                  E_ALREADY_PAID {claim id}
 *   ... a later payer's claim is built on it              E_CLAIM_LATER {that claim}
 *   ... it was denied, and the service was billed again   C18 {that claim}
 *   ... it was denied, and names a prior claim, or its
 *   patient has had other ids, which were merged          E_AMOUNT_STANDS, path allowed
 *   writes   claim, claim key (goes when all is denied, comes back when no longer; so do the
 *            minutes of its billed day, to which come those of lines that were denied at once),
 *            fills billed and denied lines (claim_fraud.c), used, contests; authorisation, which
 *            gets back the units of what is denied
 *   events   claim.decided or claim.denied, if anything was decided that was not so before, about
 *            the patient and about the payer; of a contested one, claim.answered about the patient,
 *            the payer and who billed; object: the claim
 *
 * An amount that the payer gives stands in the line as what is above it, contractual; the line's
 * limit stays the schedule's, so that a later decision is bound by it and not by the one before.
 * What was contested is decided once: a decision answers all that is open, with the same amounts
 * (upheld) or others (changed). The claim is then priced again as a whole, by what its coverage has
 * used now.
 *
 * A claim that was paid keeps its amounts, whatever was appealed: who paid reverses it. So does one
 * that a later payer's was built on, since that one counted them. A denied one that comes back must
 * not stand beside another of the same service: of one with a prior claim, or of a patient with ids
 * that were merged, state cannot say so, and it is billed again instead. */
#include "core/ledger/contracts/claim_decide.h"

#include "core/base/assert.h"
#include "core/ledger/contracts/claim_fraud.h"
#include "core/ledger/contracts/claim_rules.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/money_state.h"

_Static_assert(SY_CLAIM_LINES_MAX < 64, "lines are bits of a contest");
_Static_assert(SY_CLAIM_LINES_MAX *(3 * (SY_RX_REFILLS_MAX + 1) + 3) + 2 * SY_MERGES_MAX +
                       SY_COVERAGE_ORDERS + 64 <=
                   SY_OVERLAY_READS_BETWEEN,
               "lines that come back stay within what a payload may read");

// --- deciding ----------------------------------------------------------------------------------

bool sy_claim_is_denied(const struct sy_claim *claim)
{
    for (unsigned i = 0; i < claim->line_count; i++) {
        if (claim->lines[i].reason == 0) return false;
    }
    return true;
}

void sy_claim_decide(struct sy_exec *x, struct sy_claim *claim, const struct sy_plan *plan)
{
    struct sy_used used;
    uint32_t year = sy_year_of(claim->from_ms);
    claim->decided_ms = x->time_ms;
    claim->status = sy_claim_is_denied(claim) ? SY_CLAIM_DENIED : SY_CLAIM_DECIDED;
    if (claim->status == SY_CLAIM_DENIED) return;
    sy_money_find_used(x, &used, &claim->coverage, year);
    sy_claim_price(claim->lines, claim->line_count, &used, plan, claim->service_class);
    sy_money_save_used(x, &claim->coverage, year, &used);
}

void sy_claim_release_used(struct sy_exec *x, const struct sy_claim *claim)
{
    struct sy_used used;
    uint32_t year = sy_year_of(claim->from_ms);
    sy_money_find_used(x, &used, &claim->coverage, year);
    sy_claim_release(&used, claim->lines, claim->line_count);
    sy_money_save_used(x, &claim->coverage, year, &used);
}

void sy_claim_tell(struct sy_exec *x, const struct sy_claim *claim, const struct sy_hash *id)
{
    enum sy_event_kind kind = claim->status == SY_CLAIM_PENDED   ? SY_EVENT_CLAIM_PENDED
                              : claim->status == SY_CLAIM_DENIED ? SY_EVENT_CLAIM_DENIED
                                                                 : SY_EVENT_CLAIM_DECIDED;
    sy_exec_event(x, kind, SY_SUBJECT_PATIENT, &claim->patient, id);
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &claim->payer, id);
}

// --- what the payer allows ---------------------------------------------------------------------

/* What an open appeal or dispute lets change, line by line: bits. */
struct contested {
    uint64_t named;   /* by any of them */
    uint64_t lowered; /* by a dispute */
};

static struct contested find_contested(struct sy_exec *x, const struct sy_claim *claim,
                                       const struct sy_hash *id)
{
    struct contested lines = {.named = 0};
    struct sy_contest_entry contest;
    for (uint16_t i = SY_CONTEST_APPEAL; i <= SY_CONTEST_DISPUTE; i++) {
        if ((claim->holds & SY_CONTEST_BIT(i)) == 0) continue;
        if (!sy_money_find_contest(x, &contest, id, i)) continue;
        lines.named |= contest.lines;
        if (i == SY_CONTEST_DISPUTE) lines.lowered |= contest.lines;
    }
    return lines;
}

static uint64_t allowed_now(const struct sy_claim_result *line)
{
    return line->reason != 0 ? 0 : line->charge - line->contractual;
}

static uint64_t most_of(const struct sy_claim *claim, const struct sy_claim_result *line)
{
    if (claim->status == SY_CLAIM_PENDED && line->reason != 0) return 0;
    return line->charge < line->limit ? line->charge : line->limit;
}

static enum sy_refusal refuse_amount(struct sy_exec *x, enum sy_refusal code, uint64_t amount,
                                     unsigned line)
{
    x->detail = amount;
    return sy_money_refuse_item(x, code, "allowed", line);
}

/* The payer's amounts; *changed: one of them is another than the decision's before. */
static enum sy_refusal check_allowed(struct sy_exec *x, bool *changed, const struct sy_claim *claim,
                                     const struct contested *contested, struct sy_slice allowed)
{
    if (allowed.size != 8u * claim->line_count) {
        x->detail = claim->line_count;
        return sy_refuse_path(x, SY_E_ALLOWED, "allowed");
    }
    bool first = claim->status == SY_CLAIM_PENDED;
    *changed = first;
    for (unsigned i = 0; i < claim->line_count; i++) {
        const struct sy_claim_result *line = &claim->lines[i];
        uint64_t amount = sy_load_u64(allowed.data + 8u * i), now = allowed_now(line);
        if (!first && amount == now) continue;
        if (amount > most_of(claim, line)) {
            return refuse_amount(x, SY_E_ALLOWED, most_of(claim, line), i);
        }
        uint64_t free = amount < now ? contested->lowered : contested->named;
        if (!first && (free >> i & 1) == 0) return refuse_amount(x, SY_E_AMOUNT_STANDS, now, i);
        *changed = true;
    }
    return SY_APPLIED;
}

/* The patient's id was merged, or others were into it: the service may stand under another key. */
static bool has_other_ids(struct sy_exec *x, const struct sy_hash *patient_id)
{
    struct sy_patient patient;
    struct sy_hash live = sy_exec_live_id(x, patient_id);
    if (!sy_exec_find_patient(x, &patient, &live)) {
        sy_exec_corrupt(x); // a claim's patient is enrolled
        return true;
    }
    return patient.merges > 0;
}

/* Nothing was built on the decision, and what is allowed now is paid to nobody else. */
static enum sy_refusal check_changeable(struct sy_exec *x, const struct sy_claim *claim,
                                        const struct sy_hash *id)
{
    struct sy_hash standing = {{0}};
    if (claim->status == SY_CLAIM_PENDED) return SY_APPLIED;
    if (claim->status == SY_CLAIM_PAID) return sy_refuse_hash(x, SY_E_ALREADY_PAID, id);
    bool stands = sy_money_find_standing(x, &standing, &claim->key);
    if (claim->status == SY_CLAIM_DECIDED) {
        bool own = stands && sy_hash_equal(&standing, id);
        return own ? SY_APPLIED : sy_refuse_hash(x, SY_E_CLAIM_LATER, &standing);
    }
    if (claim->has_prior || has_other_ids(x, &claim->patient)) {
        return sy_refuse_path(x, SY_E_AMOUNT_STANDS, "allowed");
    }
    return stands ? sy_refuse_hash(x, SY_C18, &standing) : SY_APPLIED;
}

/* The lines as the payer has them, not priced yet; what gets nothing is denied. What a line had of
 * an authorisation goes back with its denial. */
static void take_allowed(struct sy_exec *x, struct sy_claim *claim, struct sy_slice allowed)
{
    bool first = claim->status == SY_CLAIM_PENDED;
    uint64_t units = 0; // of an authorisation
    for (unsigned i = 0; i < claim->line_count; i++) {
        struct sy_claim_result *line = &claim->lines[i];
        uint64_t amount = sy_load_u64(allowed.data + 8u * i);
        bool same = first ? line->reason != 0 : amount == allowed_now(line);
        line->deductible = line->copay = line->coinsurance = line->beyond = 0;
        if (same) continue;
        line->contractual = amount > 0 ? line->charge - amount : 0;
        line->reason = amount > 0 ? 0 : SY_CARC_PAYER;
        line->other = 0;
        if (amount > 0) continue;
        units += line->authorised;
        line->authorised = 0;
    }
    sy_money_give_back(x, claim, units);
}

/* Lines that are denied: bits. */
static uint64_t denied_lines(const struct sy_claim *claim)
{
    uint64_t lines = 0;
    for (unsigned i = 0; i < claim->line_count; i++) {
        if (claim->lines[i].reason != 0) lines |= 1ull << i;
    }
    return lines;
}

static void change(struct sy_exec *x, struct sy_claim *claim, const struct sy_plan *plan,
                   const struct sy_claim_adjudicate *p)
{
    bool stood = claim->status != SY_CLAIM_DENIED;
    uint64_t denied = denied_lines(claim);
    if (claim->status == SY_CLAIM_DECIDED) sy_claim_release_used(x, claim);
    take_allowed(x, claim, p->allowed);
    sy_claim_decide(x, claim, plan);
    bool stands = claim->status != SY_CLAIM_DENIED;
    if (stood && !stands) sy_money_step_back(x, claim);
    if (stood && !stands) sy_claim_unwatch(x, claim);
    if (!stood && stands) sy_money_save_standing(x, &claim->key, &p->claim_id);
    if (stands) sy_claim_rewatch(x, claim, &p->claim_id, stood, denied & ~denied_lines(claim));
}

static void tell_answer(struct sy_exec *x, const struct sy_claim *claim, const struct sy_hash *id)
{
    enum sy_event_kind kind = SY_EVENT_CLAIM_ANSWERED;
    sy_exec_event(x, kind, SY_SUBJECT_PATIENT, &claim->patient, id);
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &claim->payer, id);
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &claim->provider, id);
}

/* The claim, if there is anything to decide. */
static enum sy_refusal find_open(struct sy_exec *x, struct sy_claim *claim,
                                 const struct sy_hash *id)
{
    if (!sy_money_find_claim(x, claim, id)) return sy_refuse_hash(x, SY_E_CLAIM_UNKNOWN, id);
    if (!sy_hash_equal(&claim->payer, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_PAYER, &claim->payer);
    }
    if (claim->status == SY_CLAIM_PENDED || claim->holds != 0) return SY_APPLIED;
    x->detail = claim->status;
    return SY_E_CLAIM_STATE;
}

enum sy_refusal sy_contract_claim_adjudicate(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_claim_adjudicate *p = &payload->claim_adjudicate;
    SY_ASSERT(x->kind->number == SY_KIND_claim_adjudicate && x->by->role == SY_ROLE_PAYER);
    struct sy_claim claim;
    struct sy_coverage coverage;
    struct sy_plan plan;
    bool changed = false;
    enum sy_refusal code = find_open(x, &claim, &p->claim_id);
    if (code != SY_APPLIED) return code;
    struct contested contested = find_contested(x, &claim, &p->claim_id);
    code = check_allowed(x, &changed, &claim, &contested, p->allowed);
    if (code == SY_APPLIED && changed) code = check_changeable(x, &claim, &p->claim_id);
    if (code != SY_APPLIED) return code;
    if (!sy_money_find_coverage(x, &coverage, &claim.coverage) ||
        !sy_money_find_plan(x, &plan, &coverage.plan)) {
        sy_exec_corrupt(x);
        return SY_E_PLAN_UNKNOWN;
    }
    if (changed) change(x, &claim, &plan, p);
    bool contest = claim.holds != 0;
    sy_money_end_contests(x, &claim, &p->claim_id,
                          changed ? SY_CONTEST_CHANGED : SY_CONTEST_UPHELD);
    sy_money_save_claim(x, &p->claim_id, &claim);
    if (changed) sy_claim_tell(x, &claim, &p->claim_id);
    if (contest) tell_answer(x, &claim, &p->claim_id);
    return SY_APPLIED;
}
