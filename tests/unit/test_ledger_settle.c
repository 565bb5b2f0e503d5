/* settle.batch: what was paid and taken back between two organisations is settled whole, once, and
 * money is conserved throughout. */
#include <stdio.h>

#include "core/base/prng.h"
#include "tests/unit/money_rig.h"

#define VISIT "1/hc:99213/1/30000/11/A"
#define HOUR_MS 3600000ll

enum { SETTLEMENT = 9900 }; /* and above, by hash number */

static char texts[SY_SETTLE_PAYEES_MAX + 1][96];

/* A batch of P's, from the world's beginning to now, that names nobody yet. */
static struct world_tx batch(unsigned settlement)
{
    struct world_tx tx = world_tx_of(SY_KIND_settle_batch, PAYER_P, ORG_P);
    struct sy_settle_batch *p = &tx.payload.settle_batch;
    p->settlement_id = test_hash(settlement);
    p->until = world.header.time_ms;
    p->reference = test_hash(1);
    return tx;
}

static void add_text(struct world_tx *tx, const char *text)
{
    struct sy_list *nets = &tx->payload.settle_batch.nets;
    (void)snprintf(texts[nets->count], sizeof texts[0], "%s", text);
    sy_list_add_text(nets, &world.lists,
                     sy_slice_of(texts[nets->count], strlen(texts[nets->count])));
    assert_false(world.lists.failed);
}

static void add_net_of(struct world_tx *tx, const struct sy_hash *id, long long net)
{
    char hex[65], text[96];
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    (void)snprintf(text, sizeof text, "%s=%lld", hex, net);
    add_text(tx, text);
}

/* Of two, the lesser first. */
static void add_nets(struct world_tx *tx, unsigned org, long long net, unsigned other,
                     long long other_net)
{
    struct sy_hash a = test_hash(org), b = test_hash(other);
    bool first = sy_hash_compare(&a, &b) < 0;
    add_net_of(tx, first ? &a : &b, first ? net : other_net);
    add_net_of(tx, first ? &b : &a, first ? other_net : net);
}

static struct world_tx settle(unsigned settlement, unsigned payee, long long net)
{
    struct sy_hash id = test_hash(payee);
    struct world_tx tx = batch(settlement);
    add_net_of(&tx, &id, net);
    return tx;
}

static struct sy_settlement find_settlement(unsigned settlement, unsigned payee)
{
    struct sy_hash id = test_hash(settlement), second = test_hash(payee), place;
    struct sy_slice value;
    struct sy_settlement found;
    sy_state_key_pair(&place, SY_STATE_SETTLEMENT, &id, &second);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_settlement_decode(&found, value));
    return found;
}

static void assert_settled_place(unsigned org, uint64_t number, unsigned settlement)
{
    struct sy_hash id = test_hash(org), wanted = test_hash(settlement), found, place;
    struct sy_slice value;
    sy_state_key_numbered(&place, SY_STATE_SETTLEMENT_PLACE, &id, number);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_id_decode(&found, value) && sy_hash_equal(&found, &wanted));
}

/* P pays A so many cents; each claim is of another moment. */
static void pay_cents(unsigned claim, unsigned cents)
{
    char line[64];
    (void)snprintf(line, sizeof line, "1/hc:99213/1/%u/11/A", cents);
    struct world_tx tx = bill_one(claim, COVER_P, line, cents);
    tx.payload.claim_submit.from -= claim;
    tx.payload.claim_submit.until -= claim;
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, claim);
    money_applied(&tx);
}

/* P has paid A 33.33 % and B 66.67 % of 144.00: 48.00 (the cent that remains is A's) and 96.00. */
static void pay_both(unsigned claim)
{
    struct world_tx tx = bill_one(claim, COVER_P, VISIT, 30000);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, claim);
    tx.payload.claim_pay.by_amount = true;
    add_share(&tx, ORG_A, 4800);
    add_share(&tx, ORG_B, 9600);
    money_applied(&tx);
}

CASE(what_was_paid_is_settled_once)
{
    pay_both(CLAIM);
    int64_t paid_ms = world.header.time_ms;
    assert_int_equal(find_owed(ORG_P, ORG_A).moves, 1);
    assert_int_equal(find_owed(ORG_P, ORG_A).first_ms, paid_ms);
    struct world_tx tx = batch(SETTLEMENT);
    add_nets(&tx, ORG_A, 4800, ORG_B, 9600);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 3);
    assert_event(0, SY_EVENT_SETTLEMENT_DONE, SY_SUBJECT_ORG, ORG_P, SETTLEMENT);
    static const unsigned orgs[] = {ORG_A, ORG_B, ORG_P};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(balance_of(orgs[i]), 0);
        assert_settled_place(orgs[i], 1, SETTLEMENT);
    }
    struct sy_settlement found = find_settlement(SETTLEMENT, ORG_B);
    assert_int_equal(found.net, 9600);
    assert_int_equal(found.moves, 1);
    assert_int_equal(found.until_ms, paid_ms);
    assert_int_equal(found.height, world.header.height);
    assert_int_equal(find_owed(ORG_P, ORG_A).moves, 0);
    assert_int_equal(find_owed(ORG_P, ORG_A).settled_ms, paid_ms);
    tx = settle(SETTLEMENT + 1, ORG_A, 4800); // once
    money_refused(&tx, SY_E_SETTLED);
    assert_detail(ORG_A);
    tx = settle(SETTLEMENT, ORG_A, 4800); // nor under that id
    money_refused(&tx, SY_E_SETTLEMENT_EXISTS);
    assert_detail(ORG_A);
}

CASE(the_net_is_the_ledgers)
{
    pay_both(CLAIM);
    struct world_tx tx = settle(SETTLEMENT, ORG_A, 4799);
    money_refused(&tx, SY_E_NET);
    assert_int_equal(world.receipt.detail, 4800);
    tx = settle(SETTLEMENT, ORG_A, -4800);
    money_refused(&tx, SY_E_NET);
    tx = batch(SETTLEMENT); // one that is wrong keeps back the others
    add_nets(&tx, ORG_A, 4800, ORG_B, 4800);
    money_refused(&tx, SY_E_NET);
    assert_int_equal(world.receipt.detail, 9600);
    assert_int_equal(balance_of(ORG_A), 4800);
    tx = settle(SETTLEMENT, ORG_Q, 4800); // nothing was paid to them
    money_refused(&tx, SY_E_SETTLED);
    tx = settle(SETTLEMENT, ORG_A, 4800); // and Q has paid nobody
    tx.keys[0] = PAYER_Q;
    tx.organisation = test_hash(ORG_Q);
    money_refused(&tx, SY_E_SETTLED);
    tx = settle(SETTLEMENT, ORG_A, 4800);
    tx.keys[0] = GATEWAY_A;
    tx.organisation = test_hash(ORG_A);
    money_refused(&tx, SY_E_ROLE);
}

CASE(what_comes_back_is_settled_the_other_way)
{
    pay_both(CLAIM);
    struct world_tx tx = batch(SETTLEMENT);
    add_nets(&tx, ORG_A, 4800, ORG_B, 9600);
    money_applied(&tx);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    assert_int_equal(balance_of(ORG_B), -9600);
    tx = settle(SETTLEMENT + 1, ORG_B, 9600);
    tx.payload.settle_batch.from = find_owed(ORG_P, ORG_B).settled_ms;
    money_refused(&tx, SY_E_NET_BACK);
    assert_int_equal(world.receipt.detail, 9600);
    tx = settle(SETTLEMENT + 1, ORG_B, -9600);
    tx.payload.settle_batch.from = find_owed(ORG_P, ORG_B).settled_ms;
    money_applied(&tx);
    assert_int_equal(balance_of(ORG_B), 0);
    assert_int_equal(find_settlement(SETTLEMENT + 1, ORG_B).net, -9600);
    assert_settled_place(ORG_B, 2, SETTLEMENT + 1);
}

/* Paid and taken back: there is nothing to pay, and yet something to settle. */
CASE(a_net_of_nothing_is_settled)
{
    pay_both(CLAIM);
    struct world_tx tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    assert_int_equal(find_owed(ORG_P, ORG_A).moves, 2);
    tx = settle(SETTLEMENT, ORG_A, 1);
    money_refused(&tx, SY_E_NET);
    assert_int_equal(world.receipt.detail, 0);
    tx = settle(SETTLEMENT, ORG_A, 0);
    money_applied(&tx);
    assert_int_equal(find_settlement(SETTLEMENT, ORG_A).moves, 2);
}

/* What moves nothing ends no period that a settlement on its way has. */
CASE(a_payment_of_nothing_is_not_settled)
{
    pay_cents(CLAIM, 5000); // the patient's deductible
    assert_int_equal(find_owed(ORG_P, ORG_A).moves, 0);
    struct world_tx tx = settle(SETTLEMENT, ORG_A, 0);
    money_refused(&tx, SY_E_SETTLED);
    pay_cents(CLAIM + 1, 30000);
    struct sy_owed owed = find_owed(ORG_P, ORG_A);
    tx = settle(SETTLEMENT, ORG_A, owed.amount);
    tx.payload.settle_batch.from = owed.first_ms;
    struct world_tx back = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&back);
    assert_int_equal(find_owed(ORG_P, ORG_A).last_ms, owed.last_ms);
    money_applied(&tx);
    assert_int_equal(find_settlement(SETTLEMENT, ORG_A).moves, 1);
}

static void refused_period(int64_t from, int64_t until, const char *path, int64_t bound)
{
    struct world_tx tx = settle(SETTLEMENT + 1, ORG_A, 200);
    tx.payload.settle_batch.from = from;
    tx.payload.settle_batch.until = until;
    money_refused(&tx, SY_E_SETTLE_PERIOD);
    assert_int_equal(world.receipt.detail, bound);
    assert_int_equal(world.receipt.path.size, strlen(path));
    assert_memory_equal(world.receipt.path.data, path, strlen(path));
}

CASE(the_period_holds_all_that_is_settled)
{
    pay_both(CLAIM);
    struct world_tx tx = settle(SETTLEMENT, ORG_A, 4800);
    money_applied(&tx);
    int64_t settled = find_owed(ORG_P, ORG_A).settled_ms;
    let_pass(HOUR_MS);
    // The deductible is met: the plan pays four fifths of what is above the copay.
    pay_cents(CLAIM + 1, 2100);
    int64_t first = world.header.time_ms;
    let_pass(HOUR_MS);
    pay_cents(CLAIM + 2, 2150);
    int64_t last = world.header.time_ms;
    let_pass(HOUR_MS);
    assert_int_equal(find_owed(ORG_P, ORG_A).amount, 200);
    int64_t now = world.header.time_ms + 1; // of the next block, which refuses
    refused_period(first + 1, last, "from", first);
    refused_period(settled, last - 1, "until", last);
    refused_period(settled - 1, last, "from", settled);
    refused_period(last, first, "until", first);
    refused_period(settled, now + HOUR_MS, "until", now + 4);
    tx = settle(SETTLEMENT + 1, ORG_A, 200);
    tx.payload.settle_batch.from = settled;
    tx.payload.settle_batch.until = last;
    money_applied(&tx);
    assert_int_equal(find_owed(ORG_P, ORG_A).settled_ms, last);
}

static void refused_text(const char *text, enum sy_refusal code)
{
    struct world_tx tx = batch(SETTLEMENT);
    add_text(&tx, text);
    money_refused(&tx, code);
    assert_memory_equal(world.receipt.path.data, "nets[0]", 7);
}

#define ID64 "00000000000000000000000000000000000000000000000000000000000000"

CASE(a_net_has_one_form)
{
    static const char *const bad[] = {
        ID64 "0a=01",  ID64 "0a=-0",  ID64 "0A=11", ID64 "0a=+1",   ID64 "0a=--1",
        ID64 "0a=1=1", ID64 "0a1=1",  ID64 "0=11",  ID64 "0a=1 ",   ID64 "0a:12",
        ID64 "0a= 1",  ID64 "0a=1.5", ID64 "0a=-",  "=" ID64 "0a1", ID64 "0a=12345678901234567890",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused_text(bad[i], SY_E_SCHEMA);
    }
    refused_text(ID64 "0a=4611686018427387904", SY_E_MONEY); // half of 2^63
    refused_text(ID64 "0a=-9999999999999999999", SY_E_MONEY);
    refused_text(ID64 "0a=-4611686018427387903", SY_E_SETTLED);
    pay_both(CLAIM);
    struct world_tx tx = batch(SETTLEMENT);
    money_refused(&tx, SY_E_SCHEMA); // nobody
    tx = batch(SETTLEMENT);
    struct sy_hash a = test_hash(ORG_A), b = test_hash(ORG_B);
    bool first = sy_hash_compare(&a, &b) < 0;
    add_net_of(&tx, first ? &b : &a, first ? 9600 : 4800); // the greater first
    add_net_of(&tx, first ? &a : &b, first ? 4800 : 9600);
    money_refused(&tx, SY_E_SCHEMA);
    tx = batch(SETTLEMENT);
    add_net_of(&tx, &a, 4800); // twice
    add_net_of(&tx, &a, 4800);
    money_refused(&tx, SY_E_SCHEMA);
}

/* As many payees as there may be, and nothing is owed to the last of them. */
CASE(a_full_batch_is_all_or_nothing)
{
    pay_both(CLAIM);
    struct world_tx tx = batch(SETTLEMENT);
    struct sy_hash id = test_hash(ORG_A), nobody;
    add_net_of(&tx, &id, 4800);
    assert_true(id.bytes[0] < 255);
    memset(nobody.bytes, 255, sizeof nobody.bytes);
    for (unsigned i = 1; i < SY_SETTLE_PAYEES_MAX; i++) {
        nobody.bytes[31] = (uint8_t)i;
        add_net_of(&tx, &nobody, 5);
    }
    money_refused(&tx, SY_E_SETTLED);
    assert_memory_equal(world.receipt.path.data, "nets[1]", 7);
    assert_int_equal(balance_of(ORG_A), 4800);
}

/* What one owes another, and a balance, as they would be after many payments. */
static void put_owed(unsigned payer, unsigned payee, int64_t amount)
{
    struct sy_hash from = test_hash(payer), to = test_hash(payee), place;
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_owed owed = {.amount = amount,
                           .moves = 1,
                           .first_ms = world.header.time_ms,
                           .last_ms = world.header.time_ms};
    sy_owed_encode(&w, &owed);
    sy_state_key_pair(&place, SY_STATE_OWED, &from, &to);
    state_array_put(&world.state, &place, sy_writer_slice(&w));
}

static void put_balance(unsigned org, sy_sum amount)
{
    struct sy_hash id = test_hash(org), place;
    struct sy_balance balance = {.amount = amount, .remittances = 1};
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_balance_encode(&w, &balance);
    sy_state_key_id(&place, SY_STATE_BALANCE, &id);
    state_array_put(&world.state, &place, sy_writer_slice(&w));
}

/* What others paid an organisation keeps nobody from paying it, or from settling with it. */
CASE(a_balance_has_room_whatever_others_paid)
{
    const sy_sum others = 2 * (sy_sum)SY_BALANCE_MAX;
    pay_cents(CLAIM, 20000);
    int64_t paid_ms = world.header.time_ms;
    put_owed(ORG_Q, ORG_A, SY_BALANCE_MAX);
    put_owed(ORG_B, ORG_A, SY_BALANCE_MAX);
    put_balance(ORG_Q, -SY_BALANCE_MAX);
    put_balance(ORG_B, -SY_BALANCE_MAX);
    put_balance(ORG_A, others + 6400);
    pay_cents(CLAIM + 1, 30000);
    assert_true(sum_of(ORG_A) > INT64_MAX);
    struct world_tx tx = reverse(PAYER_P, ORG_P, CLAIM + 1);
    money_applied(&tx);
    assert_true(sum_of(ORG_A) == others + 6400);
    tx = settle(SETTLEMENT, ORG_A, 6400);
    tx.payload.settle_batch.from = paid_ms;
    money_applied(&tx);
    assert_true(sum_of(ORG_A) == others);
    assert_int_equal(balance_of(ORG_P), 0);
}

/* What is owed between two that would leave its range is refused, and settling makes room again. */
CASE(sums_stay_within_their_range)
{
    const int64_t sum = SY_BALANCE_MAX - 79;
    pay_cents(CLAIM, 20000);
    assert_int_equal(find_owed(ORG_P, ORG_A).amount, 6400);
    put_owed(ORG_P, ORG_A, sum);
    put_balance(ORG_A, sum);
    put_balance(ORG_P, -sum);
    struct world_tx tx = bill_one(CLAIM + 1, COVER_P, "1/hc:99213/1/2100/11/A", 2100);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM + 1); // 0.80
    money_refused(&tx, SY_E_MONEY);
    tx = settle(SETTLEMENT, ORG_A, SY_BALANCE_MAX);
    money_refused(&tx, SY_E_NET);
    assert_int_equal(world.receipt.detail, sum);
    tx = settle(SETTLEMENT, ORG_A, sum);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM + 1);
    money_applied(&tx);
    assert_int_equal(find_owed(ORG_P, ORG_A).amount, 80);
}

// --- disorder ----------------------------------------------------------------------------------

#define STEPS 500u

/* What P and one payee come to, as whoever reads receipts would count it. */
struct count {
    int64_t net, settled;
    unsigned moves, settlements;
};

static void settle_some(sy_prng *prng, struct count *count, unsigned payee, unsigned step)
{
    int64_t off = sy_prng_chance(prng, 1, 4) ? 1 - 2 * (int64_t)sy_prng_below(prng, 2) : 0;
    struct world_tx tx = settle(SETTLEMENT + step, payee, count->net + off);
    tx.payload.settle_batch.from = find_owed(ORG_P, payee).settled_ms;
    (void)world_submit(&world, &tx);
    unsigned wanted = count->moves == 0 ? SY_E_SETTLED
                      : off == 0        ? SY_APPLIED
                      : count->net < 0  ? SY_E_NET_BACK
                                        : SY_E_NET;
    assert_int_equal(world.receipt.code, wanted);
    if (wanted != SY_APPLIED) return;
    assert_int_equal(find_settlement(SETTLEMENT + step, payee).moves, count->moves);
    count->settled += count->net;
    count->settlements++;
    count->net = 0;
    count->moves = 0;
}

/* Counts a payment or its reversal, which was applied. */
static void count_payment(struct count *counts, unsigned claim, int sign)
{
    struct sy_hash id = test_hash(claim), a = test_hash(ORG_A), place;
    struct sy_slice value;
    struct sy_payment payment;
    sy_state_key_id(&place, SY_STATE_PAYMENT, &id);
    assert_true(world_find(&world, &value, &place) && sy_payment_decode(&payment, value));
    for (unsigned i = 0; i < payment.count; i++) {
        struct count *count = &counts[!sy_hash_equal(&payment.payees[i].organisation, &a)];
        count->net += sign * (int64_t)payment.payees[i].amount;
        count->moves += payment.payees[i].amount != 0;
    }
}

static void move_some(sy_prng *prng, struct count *counts, unsigned step)
{
    unsigned claim = CLAIM + (unsigned)sy_prng_below(prng, step + 1);
    bool paid = is_there(SY_STATE_PAYMENT, claim);
    struct world_tx tx = pay(PAYER_P, ORG_P, claim);
    uint64_t share = sy_prng_below(prng, SY_BASIS_POINTS + 1);
    bool back = paid && sy_prng_chance(prng, 1, 2);
    if (sy_prng_chance(prng, 1, 2)) {
        add_share(&tx, ORG_A, share);
        add_share(&tx, ORG_B, SY_BASIS_POINTS - share);
    }
    if (back) tx = reverse(PAYER_P, ORG_P, claim);
    (void)world_submit(&world, &tx);
    if (world.receipt.code == SY_APPLIED) count_payment(counts, claim, back ? -1 : 1);
}

CASE(money_is_conserved_whatever_is_settled)
{
    sy_prng prng;
    struct count counts[2] = {{.net = 0}};
    static const unsigned payees[2] = {ORG_A, ORG_B};
    sy_prng_seed(&prng, test_seed());
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned who = (unsigned)sy_prng_below(&prng, 2);
        char line[64];
        uint64_t charge = 1 + sy_prng_below(&prng, 60000);
        (void)snprintf(line, sizeof line, "1/hc:99213/1/%llu/11/A", (unsigned long long)charge);
        struct world_tx tx = bill_one(CLAIM + step, COVER_P, line, charge);
        switch (sy_prng_below(&prng, 5)) {
        case 0:
        case 1: (void)world_submit(&world, &tx); break;
        case 2: settle_some(&prng, &counts[who], payees[who], step); break;
        default: move_some(&prng, counts, step);
        }
        world.lists.used = 0;
        assert_conserved();
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(find_owed(ORG_P, payees[i]).amount, counts[i].net);
            assert_int_equal(balance_of(payees[i]), counts[i].net);
        }
    }
    print_message("%u and %u settled\n", counts[0].settlements, counts[1].settlements);
    assert_true(counts[0].settlements + counts[1].settlements > 5);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MONEY(what_was_paid_is_settled_once),
        WITH_MONEY(the_net_is_the_ledgers),
        WITH_MONEY(what_comes_back_is_settled_the_other_way),
        WITH_MONEY(a_net_of_nothing_is_settled),
        WITH_MONEY(a_payment_of_nothing_is_not_settled),
        WITH_MONEY(the_period_holds_all_that_is_settled),
        WITH_MONEY(a_net_has_one_form),
        WITH_MONEY(a_full_batch_is_all_or_nothing),
        WITH_MONEY(a_balance_has_room_whatever_others_paid),
        WITH_MONEY(sums_stay_within_their_range),
        WITH_MONEY(money_is_conserved_whatever_is_settled),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
