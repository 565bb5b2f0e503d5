/* settle.c: what claims paid and took back, settled organisation by organisation.
 *
 * settle.batch (a payer's key answers for it)
 *   no net, one that is not organisation=net, or not in
 *   ascending order of organisations                      E_SCHEMA, path nets or nets[i]
 *   a net that no sum here reaches                        E_MONEY, path nets[i]
 *   from is after until, or until after now               E_SETTLE_PERIOD {until, now}, path until
 *   and for each payee
 *   the payee has a settlement of that id                 E_SETTLEMENT_EXISTS {payee}, path nets[i]
 *   nothing was paid or taken back since the last one     E_SETTLED {payee}, path nets[i]
 *   the first of it was before from, or the period before
 *   ended after from                                      E_SETTLE_PERIOD {that}, path from
 *   the last of it was after until                        E_SETTLE_PERIOD {that}, path until
 *   the ledger has another net                            E_NET {it}, path nets[i]
 *   ... by which the payee owes the payer                 E_NET_BACK {it, without sign}, path
 *                                                         nets[i]
 *   writes   for each payee balance, owed, settlement, settlement place; the payer's balance and
 *            settlement place
 *   events   settlement.done about the payer and about each payee, object: the settlement
 *
 * The net of a payer and a payee is all that claim.pay moved from the one to the other since the
 * last settlement, less what claim.reverse moved back: negative if more came back. It is settled
 * whole, in the state in which the block finds it, so that nothing is settled twice or left out;
 * who names another net has not seen all of it. The money itself moves outside of the ledger, as
 * the reference says; the balances then forget it. */
#include "core/base/assert.h"
#include "core/ledger/contracts/claim_rules.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/money_state.h"

_Static_assert(6 * SY_SETTLE_PAYEES_MAX + 16 <= SY_OVERLAY_READS_BETWEEN,
               "a settlement stays within what a payload may read");

static enum sy_refusal refuse_period(struct sy_exec *x, int64_t bound_ms, const char *path)
{
    x->detail = (uint64_t)bound_ms;
    return sy_refuse_path(x, SY_E_SETTLE_PERIOD, path);
}

static enum sy_refusal refuse_payee(struct sy_exec *x, enum sy_refusal code,
                                    const struct sy_hash *payee, unsigned number)
{
    (void)sy_money_refuse_item(x, code, "nets", number);
    return sy_refuse_hash(x, code, payee);
}

/* What is open between the two lies in the period, which begins where none was settled yet. */
static enum sy_refusal check_period(struct sy_exec *x, const struct sy_owed *owed,
                                    const struct sy_settle_batch *p)
{
    if (owed->first_ms < p->from) return refuse_period(x, owed->first_ms, "from");
    if (owed->settled_ms > p->from) return refuse_period(x, owed->settled_ms, "from");
    if (owed->last_ms > p->until) return refuse_period(x, owed->last_ms, "until");
    return SY_APPLIED;
}

static enum sy_refusal check_net(struct sy_exec *x, const struct sy_owed *owed, int64_t net,
                                 unsigned number)
{
    if (owed->amount == net) return SY_APPLIED;
    bool back = owed->amount < 0;
    x->detail = (uint64_t)(back ? -owed->amount : owed->amount);
    return sy_money_refuse_item(x, back ? SY_E_NET_BACK : SY_E_NET, "nets", number);
}

static enum sy_refusal settle(struct sy_exec *x, const struct sy_settle_batch *p,
                              const struct sy_hash *payee, int64_t net, unsigned number)
{
    const struct sy_hash *payer = &x->by->holder;
    struct sy_settlement settlement = {.payer = *payer,
                                       .net = net,
                                       .from_ms = p->from,
                                       .until_ms = p->until,
                                       .reference = p->reference,
                                       .time_ms = x->time_ms,
                                       .height = x->height};
    struct sy_owed owed;
    struct sy_hash place;
    sy_state_key_pair(&place, SY_STATE_SETTLEMENT, &p->settlement_id, payee);
    struct sy_slice before;
    if (sy_exec_find(x, &before, &place)) {
        return refuse_payee(x, SY_E_SETTLEMENT_EXISTS, payee, number);
    }
    sy_money_find_owed(x, &owed, payer, payee);
    if (owed.moves == 0) return refuse_payee(x, SY_E_SETTLED, payee, number);
    enum sy_refusal code = check_period(x, &owed, p);
    if (code == SY_APPLIED) code = check_net(x, &owed, net, number);
    if (code != SY_APPLIED) return code;
    settlement.moves = owed.moves;
    sy_money_settle(x, payer, payee, net);
    sy_money_save_owed(x, payer, payee, &(struct sy_owed){.settled_ms = p->until});
    uint8_t room[160];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_settlement_encode(&w, &settlement);
    sy_exec_save(x, &place, &w);
    return SY_APPLIED;
}

/* Puts it among the organisation's settlements, and tells it. */
static void conclude(struct sy_exec *x, const struct sy_hash *organisation,
                     const struct sy_hash *settlement_id)
{
    sy_money_place_settlement(x, organisation, settlement_id);
    sy_exec_event(x, SY_EVENT_SETTLEMENT_DONE, SY_SUBJECT_ORG, organisation, settlement_id);
}

/* The nets by themselves, before anything is looked up. */
static enum sy_refusal check_nets(struct sy_exec *x, const struct sy_list *nets)
{
    struct sy_slice text;
    struct sy_hash payee, last = {{0}};
    unsigned number = 0;
    int64_t net;
    if (nets->count == 0) return sy_refuse_path(x, SY_E_SCHEMA, "nets");
    for (size_t offset = 0; sy_list_next_text(nets, &offset, &text); number++, last = payee) {
        enum sy_line_verdict verdict = sy_net_parse(&payee, &net, text);
        bool follows = number == 0 || sy_hash_compare(&last, &payee) < 0;
        if (verdict == SY_LINE_BAD || !follows) {
            return sy_money_refuse_item(x, SY_E_SCHEMA, "nets", number);
        }
        if (verdict == SY_LINE_MONEY) return sy_money_refuse_item(x, SY_E_MONEY, "nets", number);
    }
    return SY_APPLIED;
}

enum sy_refusal sy_contract_settle_batch(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_settle_batch *p = &payload->settle_batch;
    SY_ASSERT(x->kind->number == SY_KIND_settle_batch && x->by->role == SY_ROLE_PAYER);
    SY_ASSERT(p->nets.count <= SY_SETTLE_PAYEES_MAX);
    enum sy_refusal code = check_nets(x, &p->nets);
    if (code != SY_APPLIED) return code;
    if (p->from > p->until) return refuse_period(x, p->until, "until");
    if (p->until > x->time_ms) return refuse_period(x, x->time_ms, "until");
    struct sy_slice text;
    struct sy_hash payee;
    unsigned number = 0;
    int64_t net;
    conclude(x, &x->by->holder, &p->settlement_id);
    for (size_t offset = 0; sy_list_next_text(&p->nets, &offset, &text); number++) {
        if (sy_net_parse(&payee, &net, text) != SY_LINE_GOOD) return SY_E_SCHEMA; // was checked
        code = settle(x, p, &payee, net, number);
        if (code != SY_APPLIED) return code;
        conclude(x, &payee, &p->settlement_id);
    }
    return SY_APPLIED;
}
