/* claim_pay.c: money that claims move, and move back.
 *
 * claim.pay (a payer's key answers for it)
 *   there is no such claim                                E_CLAIM_UNKNOWN {claim id}
 *   it is another payer's                                 E_NOT_PAYER {that payer}
 *   it was paid                                           E_ALREADY_PAID {claim id}
 *   it is pended, denied or reversed                      E_CLAIM_STATE {its status}
 *   it is contested, or flagged (claim_contest.c)         E_CLAIM_HELD {claim id, until when}
 *   not a share for each payee, or they do not sum up     E_SPLIT {their sum}
 *   a payee is not registered, or is suspended            E_PAYEE {that organisation}
 *   what is owed between the two would leave its range    E_MONEY
 *   writes   claim, payment; for each payee balance, owed, remittance; the payer's balance
 *   events   payment.made about each payee and about the patient, object: the claim
 *
 * claim.reverse (a payer's key, or an admin or gateway of who billed, answers for it)
 *   there is no such claim                                E_CLAIM_UNKNOWN {claim id}
 *   it is another payer's, and billed by another          E_NOT_PROVIDER {who billed}
 *   it is denied or reversed                              E_CLAIM_STATE {its status}
 *   a later payer's claim is built on it                  E_CLAIM_LATER {that claim}
 *   what is owed between the two would leave its range    E_MONEY
 *   writes   claim, claim key, used, billed day, contests that are open, authorisation (if it has
 * units of one); if it was paid, payment and all that claim.pay wrote, with the same amounts the
 * other way events   claim.reversed about each payee, the payer and the patient, object: the claim
 *
 * Every amount that one balance gains another loses, so that all of them sum up to nothing. What
 * is owed is bounded by payer and payee, and balances are not: whoever pays an organisation uses up
 * nothing that others need to pay it. */
#include "core/base/assert.h"
#include "core/ledger/contracts/claim_decide.h"
#include "core/ledger/contracts/claim_fraud.h"
#include "core/ledger/contracts/claim_rules.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/money_state.h"

/* A claim as it stands. */
static enum sy_refusal find_claim(struct sy_exec *x, struct sy_claim *claim,
                                  const struct sy_hash *id)
{
    if (sy_money_find_claim(x, claim, id)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_CLAIM_UNKNOWN, id);
}

static enum sy_refusal refuse_status(struct sy_exec *x, const struct sy_claim *claim)
{
    x->detail = claim->status;
    return SY_E_CLAIM_STATE;
}

// --- paying ------------------------------------------------------------------------------------

static enum sy_refusal check_payable(struct sy_exec *x, struct sy_claim *claim,
                                     const struct sy_hash *id)
{
    enum sy_refusal code = find_claim(x, claim, id);
    if (code != SY_APPLIED) return code;
    if (!sy_hash_equal(&claim->payer, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_PAYER, &claim->payer);
    }
    if (claim->status == SY_CLAIM_PAID) return sy_refuse_hash(x, SY_E_ALREADY_PAID, id);
    if (claim->status != SY_CLAIM_DECIDED) return refuse_status(x, claim);
    int64_t until_ms = sy_money_held_until(x, claim, id);
    bool flagged = (claim->fraud & ~claim->cleared) != 0;
    if (until_ms < x->time_ms && !flagged) return SY_APPLIED;
    if (!flagged) x->detail = (uint64_t)until_ms;
    return sy_refuse_hash(x, SY_E_CLAIM_HELD, id);
}

/* Each payee's amount. */
static enum sy_refusal share_out(struct sy_exec *x, struct sy_payment *payment,
                                 const struct sy_claim_pay *p)
{
    uint64_t shares[SY_PAYEES_MAX], amounts[SY_PAYEES_MAX] = {0}, sum = 0;
    unsigned count = p->payees.count;
    bool whole = p->shares.size == 8u * count;
    SY_ASSERT(count >= 1 && count <= SY_PAYEES_MAX);
    for (unsigned i = 0; whole && i < count; i++) {
        shares[i] = sy_load_u64(p->shares.data + 8u * i);
        amounts[i] = shares[i];
        sum += shares[i] <= SY_MONEY_MAX ? shares[i] : SY_MONEY_MAX + 1;
    }
    if (whole && p->by_amount) whole = sum == payment->amount;
    if (whole && !p->by_amount)
        whole = sy_claim_split(amounts, &sum, shares, count, payment->amount);
    x->detail = sum;
    if (!whole) return SY_E_SPLIT;
    x->detail = 0;
    struct sy_hash payee;
    for (size_t offset = 0; sy_list_next_id(&p->payees, &offset, &payee); payment->count++) {
        payment->payees[payment->count].organisation = payee;
        payment->payees[payment->count].amount = amounts[payment->count];
    }
    return SY_APPLIED;
}

static enum sy_refusal check_payees(struct sy_exec *x, const struct sy_payment *payment)
{
    struct sy_org org;
    for (unsigned i = 0; i < payment->count; i++) {
        const struct sy_hash *payee = &payment->payees[i].organisation;
        bool itself = sy_hash_equal(payee, &payment->payer);
        if (itself || !sy_exec_find_org(x, &org, payee) || org.suspended) {
            return sy_refuse_hash(x, SY_E_PAYEE, payee);
        }
    }
    return SY_APPLIED;
}

/* Moves all of the payment, or moves it back. */
static enum sy_refusal move_all(struct sy_exec *x, const struct sy_payment *payment,
                                const struct sy_hash *claim_id, bool back)
{
    for (unsigned i = 0; i < payment->count; i++) {
        int64_t amount = (int64_t)payment->payees[i].amount;
        bool moved = sy_money_move(x, claim_id, &payment->payer, &payment->payees[i].organisation,
                                   back ? -amount : amount);
        if (!moved) return SY_E_MONEY;
    }
    return SY_APPLIED;
}

static void tell_payees(struct sy_exec *x, enum sy_event_kind kind,
                        const struct sy_payment *payment, const struct sy_hash *claim_id)
{
    for (unsigned i = 0; i < payment->count; i++) {
        sy_exec_event(x, kind, SY_SUBJECT_ORG, &payment->payees[i].organisation, claim_id);
    }
}

enum sy_refusal sy_contract_claim_pay(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_claim_pay *p = &payload->claim_pay;
    SY_ASSERT(x->kind->number == SY_KIND_claim_pay && x->by->role == SY_ROLE_PAYER);
    struct sy_claim claim;
    enum sy_refusal code = check_payable(x, &claim, &p->claim_id);
    if (code != SY_APPLIED) return code;
    struct sy_payment payment = {.payer = claim.payer,
                                 .amount = sy_claim_paid(&claim),
                                 .has_reference = p->has_reference,
                                 .time_ms = x->time_ms,
                                 .height = x->height};
    if (payment.has_reference) payment.reference = p->reference;
    if (p->payees.count == 0) {
        if (p->shares.size != 0) return SY_E_SPLIT;
        payment.count = 1;
        payment.payees[0].organisation = claim.provider;
        payment.payees[0].amount = payment.amount;
    } else {
        code = share_out(x, &payment, p);
        if (code != SY_APPLIED) return code;
    }
    code = check_payees(x, &payment);
    if (code == SY_APPLIED) code = move_all(x, &payment, &p->claim_id, false);
    if (code != SY_APPLIED) return code;
    claim.status = SY_CLAIM_PAID;
    sy_money_save_claim(x, &p->claim_id, &claim);
    sy_money_save_payment(x, &p->claim_id, &payment);
    tell_payees(x, SY_EVENT_PAYMENT_MADE, &payment, &p->claim_id);
    sy_exec_event(x, SY_EVENT_PAYMENT_MADE, SY_SUBJECT_PATIENT, &claim.patient, &p->claim_id);
    return SY_APPLIED;
}

// --- taking back -------------------------------------------------------------------------------

/* Its lines have nothing of their authorisation then. */
static void release_authority(struct sy_exec *x, struct sy_claim *claim)
{
    sy_money_give_back(x, claim, sy_claim_authorised(claim));
    for (unsigned i = 0; i < claim->line_count; i++) claim->lines[i].authorised = 0;
}

static enum sy_refusal reverse_payment(struct sy_exec *x, const struct sy_hash *claim_id)
{
    struct sy_payment payment;
    if (!sy_money_find_payment(x, &payment, claim_id)) {
        sy_exec_corrupt(x); // what is paid has a payment
        return SY_E_CLAIM_STATE;
    }
    SY_ASSERT(!payment.reversed || x->failed != SY_OK);
    if (move_all(x, &payment, claim_id, true) != SY_APPLIED) return SY_E_MONEY;
    payment.reversed = true;
    payment.reversed_height = x->height;
    sy_money_save_payment(x, claim_id, &payment);
    tell_payees(x, SY_EVENT_CLAIM_REVERSED, &payment, claim_id);
    return SY_APPLIED;
}

static enum sy_refusal check_reversible(struct sy_exec *x, struct sy_claim *claim,
                                        const struct sy_hash *id)
{
    struct sy_hash standing;
    enum sy_refusal code = find_claim(x, claim, id);
    if (code != SY_APPLIED) return code;
    const struct sy_hash *own = x->by->role == SY_ROLE_PAYER ? &claim->payer : &claim->provider;
    if (!sy_hash_equal(own, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_PROVIDER, &claim->provider);
    }
    if (claim->status == SY_CLAIM_DENIED || claim->status == SY_CLAIM_REVERSED) {
        return refuse_status(x, claim);
    }
    if (sy_money_find_standing(x, &standing, &claim->key) && !sy_hash_equal(&standing, id)) {
        return sy_refuse_hash(x, SY_E_CLAIM_LATER, &standing);
    }
    return SY_APPLIED;
}

enum sy_refusal sy_contract_claim_reverse(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_claim_reverse *p = &payload->claim_reverse;
    SY_ASSERT(x->kind->number == SY_KIND_claim_reverse && x->by->valid);
    struct sy_claim claim;
    enum sy_refusal code = check_reversible(x, &claim, &p->claim_id);
    if (code != SY_APPLIED) return code;
    if (claim.status == SY_CLAIM_PAID) {
        code = reverse_payment(x, &p->claim_id);
        if (code != SY_APPLIED) return code;
    }
    if (claim.status != SY_CLAIM_PENDED) sy_claim_release_used(x, &claim);
    sy_money_step_back(x, &claim);
    sy_claim_unwatch(x, &claim);
    release_authority(x, &claim);
    sy_money_end_contests(x, &claim, &p->claim_id, SY_CONTEST_REVERSED);
    claim.status = SY_CLAIM_REVERSED;
    sy_money_save_claim(x, &p->claim_id, &claim);
    sy_exec_event(x, SY_EVENT_CLAIM_REVERSED, SY_SUBJECT_ORG, &claim.payer, &p->claim_id);
    sy_exec_event(x, SY_EVENT_CLAIM_REVERSED, SY_SUBJECT_PATIENT, &claim.patient, &p->claim_id);
    return SY_APPLIED;
}
