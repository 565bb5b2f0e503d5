/* money_state.c: see money_state.h. */
#include "core/ledger/contracts/money_state.h"

#include <stdio.h>

#include "core/base/assert.h"

bool sy_money_find_plan(struct sy_exec *x, struct sy_plan *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_PLAN, id) &&
           sy_exec_decoded(x, sy_plan_decode(out, value));
}

bool sy_money_find_coverage(struct sy_exec *x, struct sy_coverage *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_COVERAGE, id) &&
           sy_exec_decoded(x, sy_coverage_decode(out, value));
}

void sy_money_find_coverages(struct sy_exec *x, struct sy_coverages *out,
                             const struct sy_hash *patient, uint8_t order)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_numbered(&place, SY_STATE_COVERAGES, patient, order);
    bool some =
        sy_exec_find(x, &value, &place) && sy_exec_decoded(x, sy_coverages_decode(out, value));
    if (!some) out->count = 0;
}

bool sy_money_find_claim(struct sy_exec *x, struct sy_claim *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_CLAIM, id) &&
           sy_exec_decoded(x, sy_claim_decode(out, value));
}

bool sy_money_find_standing(struct sy_exec *x, struct sy_hash *claim, const struct sy_hash *key)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_CLAIM_KEY, key) &&
           sy_exec_decoded(x, sy_id_decode(claim, value));
}

bool sy_money_find_before(struct sy_exec *x, struct sy_hash *id, const struct sy_claim *claim)
{
    struct sy_claim before = *claim;
    // Each pays before the one that names it, so there are no more than orders.
    for (unsigned i = 0; i < SY_COVERAGE_ORDERS && before.has_prior; i++) {
        *id = before.prior;
        if (!sy_money_find_claim(x, &before, id)) return false;
        if (before.status != SY_CLAIM_DENIED && before.status != SY_CLAIM_REVERSED) return true;
    }
    return false;
}

void sy_money_find_used(struct sy_exec *x, struct sy_used *out, const struct sy_hash *coverage,
                        uint32_t year)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_numbered(&place, SY_STATE_USED, coverage, year);
    bool some = sy_exec_find(x, &value, &place) && sy_exec_decoded(x, sy_used_decode(out, value));
    if (!some) *out = (struct sy_used){.deductible = 0};
}

bool sy_money_find_payment(struct sy_exec *x, struct sy_payment *out, const struct sy_hash *claim)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_PAYMENT, claim) &&
           sy_exec_decoded(x, sy_payment_decode(out, value));
}

bool sy_money_find_auth(struct sy_exec *x, struct sy_auth *out, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_AUTH, id) &&
           sy_exec_decoded(x, sy_auth_decode(out, value));
}

bool sy_money_find_contest(struct sy_exec *x, struct sy_contest_entry *out,
                           const struct sy_hash *claim, uint16_t contest)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_numbered(&place, SY_STATE_CONTEST, claim, contest);
    return sy_exec_find(x, &value, &place) && sy_exec_decoded(x, sy_contest_decode(out, value));
}

bool sy_money_find_row(struct sy_exec *x, struct sy_schedule_row *out, const struct sy_hash *list,
                       struct sy_slice key)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_schedule_row(&place, list, key);
    return sy_exec_find(x, &value, &place) &&
           sy_exec_decoded(x, sy_schedule_row_decode(out, value));
}

void sy_money_save_coverage(struct sy_exec *x, const struct sy_hash *id,
                            const struct sy_coverage *coverage)
{
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_coverage_encode(&w, coverage);
    sy_exec_save_at(x, SY_STATE_COVERAGE, id, &w);
}

void sy_money_save_coverages(struct sy_exec *x, const struct sy_hash *patient, uint8_t order,
                             const struct sy_coverages *coverages)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash place;
    sy_coverages_encode(&w, coverages);
    sy_state_key_numbered(&place, SY_STATE_COVERAGES, patient, order);
    sy_exec_save(x, &place, &w);
}

void sy_money_save_claim(struct sy_exec *x, const struct sy_hash *id, const struct sy_claim *claim)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_claim_encode(&w, claim);
    sy_exec_save_at(x, SY_STATE_CLAIM, id, &w);
}

void sy_money_save_standing(struct sy_exec *x, const struct sy_hash *key, const struct sy_hash *id)
{
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_id_encode(&w, id);
    sy_exec_save_at(x, SY_STATE_CLAIM_KEY, key, &w);
}

void sy_money_step_back(struct sy_exec *x, const struct sy_claim *claim)
{
    struct sy_hash before, place;
    if (sy_money_find_before(x, &before, claim)) {
        sy_money_save_standing(x, &claim->key, &before);
        return;
    }
    sy_exec_key(x, &place, SY_STATE_CLAIM_KEY, &claim->key);
    sy_exec_remove(x, &place);
}

void sy_money_save_used(struct sy_exec *x, const struct sy_hash *coverage, uint32_t year,
                        const struct sy_used *used)
{
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash place;
    sy_used_encode(&w, used);
    sy_state_key_numbered(&place, SY_STATE_USED, coverage, year);
    sy_exec_save(x, &place, &w);
}

void sy_money_save_payment(struct sy_exec *x, const struct sy_hash *claim,
                           const struct sy_payment *payment)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_payment_encode(&w, payment);
    sy_exec_save_at(x, SY_STATE_PAYMENT, claim, &w);
}

void sy_money_save_auth(struct sy_exec *x, const struct sy_hash *id, const struct sy_auth *auth)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_auth_encode(&w, auth);
    sy_exec_save_at(x, SY_STATE_AUTH, id, &w);
}

void sy_money_save_contest(struct sy_exec *x, const struct sy_hash *claim, uint16_t contest,
                           const struct sy_contest_entry *entry)
{
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash place;
    sy_contest_encode(&w, entry);
    sy_state_key_numbered(&place, SY_STATE_CONTEST, claim, contest);
    sy_exec_save(x, &place, &w);
}

/* The claim's contest, if that is open. */
static bool find_open(struct sy_exec *x, struct sy_contest_entry *out, const struct sy_claim *claim,
                      const struct sy_hash *id, uint16_t contest)
{
    if ((claim->holds & SY_CONTEST_BIT(contest)) == 0) return false;
    bool open = sy_money_find_contest(x, out, id, contest) && out->status == SY_CONTEST_OPEN;
    return sy_exec_decoded(x, open); // a hold has its contest
}

void sy_money_end_contests(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id,
                           uint8_t status)
{
    struct sy_contest_entry contest;
    for (uint16_t i = SY_CONTEST_APPEAL; i <= SY_CONTEST_DISPUTE; i++) {
        if (!find_open(x, &contest, claim, id, i)) continue;
        contest.status = status;
        contest.ended_ms = x->time_ms;
        contest.ended_height = x->height;
        sy_money_save_contest(x, id, i, &contest);
    }
    claim->holds = 0;
}

int64_t sy_money_held_until(struct sy_exec *x, const struct sy_claim *claim,
                            const struct sy_hash *id)
{
    struct sy_contest_entry contest;
    int64_t until_ms = -1;
    for (uint16_t i = SY_CONTEST_APPEAL; i <= SY_CONTEST_DISPUTE; i++) {
        bool open = find_open(x, &contest, claim, id, i);
        if (open && contest.held_until_ms > until_ms) until_ms = contest.held_until_ms;
    }
    return until_ms;
}

void sy_money_give_back(struct sy_exec *x, const struct sy_claim *claim, uint64_t units)
{
    struct sy_auth auth;
    if (units == 0) return;
    if (!sy_money_find_auth(x, &auth, &claim->auth) || auth.used < units) {
        sy_exec_corrupt(x); // what a claim has was taken from it
        return;
    }
    auth.used -= (uint32_t)units;
    sy_money_save_auth(x, &claim->auth, &auth);
}

enum sy_refusal sy_money_check_writing(struct sy_exec *x, const struct sy_hash *patient_id)
{
    struct sy_may_answer answer;
    struct sy_may_question question = {
        .subject = *patient_id,
        .who = x->by->key,
        .purpose = SY_PURPOSE_PAYMENT,
        .action = SY_ACTION_WRITE,
        .record_class = sy_slice_of(SY_MAY_CLASS_PATIENT, strlen(SY_MAY_CLASS_PATIENT)),
        .holder = &x->by->holder,
    };
    sy_exec_may(x, &answer, &question);
    if (answer.allowed) return SY_APPLIED;
    if (answer.ground == SY_MAY_DENIED) return sy_refuse_hash(x, SY_E_CONSENT, &answer.consent);
    return sy_refuse_hash(x, SY_E_NO_CARE, patient_id);
}

enum sy_refusal sy_money_refuse_item(struct sy_exec *x, enum sy_refusal code, const char *name,
                                     unsigned number)
{
    char path[64];
    int size = snprintf(path, sizeof path, "%s[%u]", name, number);
    SY_ASSERT(size > 0 && (size_t)size < sizeof path);
    return sy_refuse_path(x, code, path);
}

// --- moving money ------------------------------------------------------------------------------

/* Adds to a sum that stays within SY_BALANCE_MAX to either side; both are within it. */
static bool add(int64_t *sum, int64_t amount)
{
    SY_ASSERT(amount >= -SY_BALANCE_MAX && amount <= SY_BALANCE_MAX);
    int64_t after = *sum + amount; // of halves of what there may be
    if (after > SY_BALANCE_MAX || after < -SY_BALANCE_MAX) return false;
    *sum = after;
    return true;
}

static bool find_balance(struct sy_exec *x, struct sy_balance *out,
                         const struct sy_hash *organisation)
{
    struct sy_slice value;
    *out = (struct sy_balance){.amount = 0};
    return !sy_exec_find_at(x, &value, SY_STATE_BALANCE, organisation) ||
           sy_exec_decoded(x, sy_balance_decode(out, value));
}

static void save_balance(struct sy_exec *x, const struct sy_hash *organisation,
                         const struct sy_balance *balance)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_balance_encode(&w, balance);
    sy_exec_save_at(x, SY_STATE_BALANCE, organisation, &w);
}

/* Adds to an organisation's balance; number: where its next remittance goes, NULL: it has none. */
static void add_balance(struct sy_exec *x, uint64_t *number, const struct sy_hash *organisation,
                        int64_t amount)
{
    struct sy_balance balance;
    if (!find_balance(x, &balance, organisation)) return; // the source failed
    balance.amount += amount; // 2^64 pairs of organisations would not wrap it
    if (number != NULL) *number = ++balance.remittances;
    save_balance(x, organisation, &balance);
}

void sy_money_find_owed(struct sy_exec *x, struct sy_owed *out, const struct sy_hash *payer,
                        const struct sy_hash *payee)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_pair(&place, SY_STATE_OWED, payer, payee);
    bool some = sy_exec_find(x, &value, &place) && sy_exec_decoded(x, sy_owed_decode(out, value));
    if (!some) *out = (struct sy_owed){.amount = 0};
}

void sy_money_save_owed(struct sy_exec *x, const struct sy_hash *payer, const struct sy_hash *payee,
                        const struct sy_owed *owed)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash place;
    sy_owed_encode(&w, owed);
    sy_state_key_pair(&place, SY_STATE_OWED, payer, payee);
    sy_exec_save(x, &place, &w);
}

static bool add_owed(struct sy_exec *x, const struct sy_hash *payer, const struct sy_hash *payee,
                     int64_t amount)
{
    struct sy_owed owed;
    if (amount == 0) return true; // moves no period that a settlement on its way has
    sy_money_find_owed(x, &owed, payer, payee);
    if (!add(&owed.amount, amount)) return false;
    if (owed.moves++ == 0) owed.first_ms = x->time_ms;
    owed.last_ms = x->time_ms;
    sy_money_save_owed(x, payer, payee, &owed);
    return true;
}

bool sy_money_move(struct sy_exec *x, const struct sy_hash *claim, const struct sy_hash *payer,
                   const struct sy_hash *payee, int64_t amount)
{
    uint64_t number = 0;
    if (!add_owed(x, payer, payee, amount)) return false;
    add_balance(x, NULL, payer, -amount);
    add_balance(x, &number, payee, amount);
    struct sy_remittance remittance = {.claim = *claim,
                                       .payer = *payer,
                                       .amount = amount,
                                       .time_ms = x->time_ms,
                                       .height = x->height};
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash place;
    sy_remittance_encode(&w, &remittance);
    sy_state_key_numbered(&place, SY_STATE_REMITTANCE, payee, number);
    sy_exec_save(x, &place, &w);
    return true;
}

void sy_money_settle(struct sy_exec *x, const struct sy_hash *payer, const struct sy_hash *payee,
                     int64_t net)
{
    add_balance(x, NULL, payer, net);
    add_balance(x, NULL, payee, -net);
}

void sy_money_place_settlement(struct sy_exec *x, const struct sy_hash *organisation,
                               const struct sy_hash *settlement)
{
    struct sy_balance balance;
    struct sy_hash place;
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    (void)find_balance(x, &balance, organisation);
    balance.settlements++;
    save_balance(x, organisation, &balance);
    sy_id_encode(&w, settlement);
    sy_state_key_numbered(&place, SY_STATE_SETTLEMENT_PLACE, organisation, balance.settlements);
    sy_exec_save(x, &place, &w);
}
