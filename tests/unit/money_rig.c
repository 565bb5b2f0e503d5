/* money_rig.c: see money_rig.h. */
#include "tests/unit/money_rig.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

#define DAY_MS 86400000ll

static const unsigned orgs[] = {ORG_A, ORG_B, ORG_P, ORG_Q};
#define ORGS (sizeof orgs / sizeof orgs[0])

static uint8_t share_room[8 * SY_PAYEES_MAX];

struct sy_owed find_owed(unsigned payer, unsigned payee)
{
    struct sy_hash from = test_hash(payer), to = test_hash(payee), place;
    struct sy_slice value;
    struct sy_owed owed = {.amount = 0};
    sy_state_key_pair(&place, SY_STATE_OWED, &from, &to);
    if (world_find(&world, &value, &place)) assert_true(sy_owed_decode(&owed, value));
    return owed;
}

static int64_t owed(unsigned payer, unsigned payee)
{
    return find_owed(payer, payee).amount;
}

sy_sum sum_of(unsigned org)
{
    struct sy_hash id = test_hash(org), place;
    struct sy_slice value;
    struct sy_balance balance = {.amount = 0};
    sy_state_key_id(&place, SY_STATE_BALANCE, &id);
    if (world_find(&world, &value, &place)) assert_true(sy_balance_decode(&balance, value));
    return balance.amount;
}

int64_t balance_of(unsigned org)
{
    sy_sum sum = sum_of(org);
    assert_true(sum >= INT64_MIN && sum <= INT64_MAX);
    return (int64_t)sum;
}

void assert_conserved(void)
{
    sy_sum sum = 0;
    for (unsigned i = 0; i < ORGS; i++) {
        sy_sum net = 0;
        for (unsigned k = 0; k < ORGS; k++) net += owed(orgs[k], orgs[i]);
        for (unsigned k = 0; k < ORGS; k++) net -= owed(orgs[i], orgs[k]);
        assert_true(net == sum_of(orgs[i]));
        sum += net;
    }
    assert_true(sum == 0);
}

void money_applied(const struct world_tx *tx)
{
    assert_applied(tx);
    assert_conserved();
}

void money_refused(const struct world_tx *tx, enum sy_refusal code)
{
    assert_refused(tx, code);
    assert_conserved();
}

// --- transactions ------------------------------------------------------------------------------

struct world_tx plan_of(unsigned payer_key, unsigned payer, unsigned plan)
{
    struct world_tx tx = world_tx_of(SY_KIND_plan_publish, payer_key, payer);
    struct sy_plan_publish *p = &tx.payload.plan_publish;
    p->plan_id = test_hash(plan);
    p->deductible = 10000;
    p->copay_office = 2000;
    p->coinsurance_bp = 2000;
    p->out_of_pocket_max = 100000;
    p->benefit_max = 1000000;
    p->filing_days = 365;
    p->dispute_days = 30;
    return tx;
}

struct world_tx cover(unsigned payer_key, unsigned payer, unsigned coverage, unsigned plan,
                      unsigned order)
{
    struct world_tx tx = world_tx_of(SY_KIND_coverage_add, payer_key, payer);
    struct sy_coverage_add *p = &tx.payload.coverage_add;
    p->coverage_id = test_hash(coverage);
    p->patient_id = test_hash(PATIENT_CLAIMED);
    p->plan_id = test_hash(plan);
    p->from = world.header.time_ms - 180 * DAY_MS;
    p->until = world.header.time_ms + 180 * DAY_MS;
    p->order = (uint8_t)order;
    return tx;
}

struct world_tx bill(unsigned claim, unsigned coverage, const char *const *lines, uint64_t total)
{
    static const struct sy_tag diagnosis = {{7}};
    struct world_tx tx = world_tx_of(SY_KIND_claim_submit, DOCTOR_A, ORG_A);
    struct sy_claim_submit *p = &tx.payload.claim_submit;
    p->claim_id = test_hash(claim);
    p->patient_id = test_hash(PATIENT_CLAIMED);
    p->coverage_id = test_hash(coverage);
    p->rendering = test_public(DOCTOR_A);
    p->class = SY_SERVICE_OFFICE;
    p->from = world.header.time_ms;
    p->until = world.header.time_ms;
    p->total = total;
    sy_list_add_tag(&p->diagnoses, &world.lists, &diagnosis);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        sy_list_add_text(&p->lines, &world.lists, sy_slice_of(lines[i], strlen(lines[i])));
    }
    assert_false(world.lists.failed);
    return tx;
}

struct world_tx bill_one(unsigned claim, unsigned coverage, const char *line, uint64_t total)
{
    const char *const lines[] = {line, NULL};
    return bill(claim, coverage, lines, total);
}

struct world_tx pay(unsigned payer_key, unsigned payer, unsigned claim)
{
    struct world_tx tx = world_tx_of(SY_KIND_claim_pay, payer_key, payer);
    tx.payload.claim_pay.claim_id = test_hash(claim);
    return tx;
}

void add_share(struct world_tx *tx, unsigned org, uint64_t share)
{
    struct sy_claim_pay *p = &tx->payload.claim_pay;
    struct sy_hash id = test_hash(org);
    sy_store_u64(share_room + p->shares.size, share);
    p->shares = sy_slice_of(share_room, p->shares.size + 8);
    sy_list_add_id(&p->payees, &world.lists, &id);
}

struct world_tx reverse(unsigned key, unsigned org, unsigned claim)
{
    struct world_tx tx = world_tx_of(SY_KIND_claim_reverse, key, org);
    tx.payload.claim_reverse.claim_id = test_hash(claim);
    tx.payload.claim_reverse.reason = SY_REVERSE_BILLING;
    return tx;
}

struct world_tx appeal(unsigned key, unsigned org, unsigned claim)
{
    struct world_tx tx = world_tx_of(SY_KIND_claim_appeal, key, org);
    tx.payload.claim_appeal.claim_id = test_hash(claim);
    return tx;
}

struct world_tx dispute(unsigned key, unsigned claim)
{
    struct world_tx tx = world_tx_of(SY_KIND_claim_dispute, key, 0);
    tx.payload.claim_dispute.claim_id = test_hash(claim);
    tx.payload.claim_dispute.reason = SY_BILL_NOT_RENDERED;
    return tx;
}

struct world_tx adjudicate(unsigned key, unsigned org, unsigned claim, const uint8_t *room,
                           size_t size)
{
    struct world_tx tx = world_tx_of(SY_KIND_claim_adjudicate, key, org);
    tx.payload.claim_adjudicate.claim_id = test_hash(claim);
    tx.payload.claim_adjudicate.allowed = sy_slice_of(room, size);
    return tx;
}

struct world_tx rows_of(unsigned key, unsigned org, unsigned kind, const char *const *rows)
{
    struct world_tx tx = world_tx_of(SY_KIND_schedule_rows, key, org);
    struct sy_schedule_rows *p = &tx.payload.schedule_rows;
    p->kind = (uint16_t)kind;
    p->version = 1;
    p->pages = 2;
    for (unsigned i = 0; rows[i] != NULL; i++) {
        sy_list_add_text(&p->rows, &world.lists, sy_slice_of(rows[i], strlen(rows[i])));
    }
    return tx;
}

/* Publishes a list of two pages, these rows and something else; gives the page's transaction. */
struct world_tx publish(unsigned key, unsigned org, unsigned kind, const char *const *rows)
{
    return publish_version(1, key, org, kind, rows);
}

struct world_tx publish_version(unsigned version, unsigned key, unsigned org, unsigned kind,
                                const char *const *rows)
{
    static const struct sy_hash other = {{9}};
    struct world_tx page = rows_of(key, org, kind, rows);
    struct world_tx tx = world_tx_of(SY_KIND_schedule_publish, key, org);
    struct sy_hash leaf;
    if (org == 0) world_cosign(&tx, REGULATOR_2);
    tx.payload.schedule_publish.kind = (uint16_t)kind;
    tx.payload.schedule_publish.version = version;
    page.payload.schedule_rows.version = version;
    tx.payload.schedule_publish.activation_height = world.header.height + 101;
    sy_hash_leaf(&leaf, page.payload.schedule_rows.rows.items);
    sy_hash_node(&tx.payload.schedule_publish.root, &leaf, &other);
    sy_list_add_id(&page.payload.schedule_rows.path, &world.lists, &other);
    size_t used = world.lists.used;
    money_applied(&tx);
    world.lists.used = used; // the page's rows stay
    return page;
}

struct world_tx ask_auth(unsigned auth, unsigned coverage, const char *code, uint32_t units)
{
    struct world_tx tx = world_tx_of(SY_KIND_auth_request, DOCTOR_A, ORG_A);
    struct sy_auth_request *p = &tx.payload.auth_request;
    p->auth_id = test_hash(auth);
    p->patient_id = test_hash(PATIENT_CLAIMED);
    p->coverage_id = test_hash(coverage);
    sy_list_add_text(&p->codes, &world.lists, sy_slice_of(code, strlen(code)));
    p->units = units;
    p->from = world.header.time_ms - DAY_MS;
    p->until = world.header.time_ms + 10 * DAY_MS;
    assert_false(world.lists.failed);
    return tx;
}

struct world_tx decide_auth(unsigned payer_key, unsigned payer, unsigned auth, uint32_t units)
{
    struct world_tx tx = world_tx_of(SY_KIND_auth_decide, payer_key, payer);
    tx.payload.auth_decide.auth_id = test_hash(auth);
    tx.payload.auth_decide.units = units;
    tx.payload.auth_decide.until = world.header.time_ms + 5 * DAY_MS;
    return tx;
}

// --- what state has ----------------------------------------------------------------------------

struct sy_claim find_claim(unsigned claim)
{
    struct sy_hash id = test_hash(claim), place;
    struct sy_slice value;
    struct sy_claim found;
    sy_state_key_id(&place, SY_STATE_CLAIM, &id);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_claim_decode(&found, value));
    return found;
}

struct sy_contest_entry find_contest(unsigned claim, unsigned contest)
{
    struct sy_hash id = test_hash(claim), place;
    struct sy_slice value;
    struct sy_contest_entry found;
    sy_state_key_numbered(&place, SY_STATE_CONTEST, &id, contest);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_contest_decode(&found, value));
    return found;
}

struct sy_auth find_auth(unsigned auth)
{
    struct sy_hash id = test_hash(auth), place;
    struct sy_slice value;
    struct sy_auth found;
    sy_state_key_id(&place, SY_STATE_AUTH, &id);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_auth_decode(&found, value));
    return found;
}

void assert_event(unsigned index, unsigned kind, unsigned subject_kind, unsigned subject,
                  unsigned object)
{
    struct sy_event event;
    struct sy_hash about = test_hash(subject), of = test_hash(object);
    size_t offset = 0;
    for (unsigned i = 0; i <= index; i++) {
        assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    }
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.subject_kind, subject_kind);
    assert_memory_equal(event.subject.bytes, about.bytes, 32);
    assert_memory_equal(event.object.bytes, of.bytes, 32);
}

bool is_there(enum sy_state_kind kind, unsigned id)
{
    struct sy_hash hash = test_hash(id), place;
    struct sy_slice value;
    sy_state_key_id(&place, kind, &hash);
    return world_find(&world, &value, &place);
}

// --- the world ---------------------------------------------------------------------------------

static void add_payer(unsigned admin, unsigned key, unsigned org)
{
    struct world_tx tx = world_register(org, SY_ORG_PAYER, admin);
    assert_applied(&tx);
    tx = world_issue(&world, admin, org, SY_ROLE_PAYER, key);
    assert_applied(&tx);
}

int set_up_money(void **state)
{
    (void)set_up(state);
    add_payer(ADMIN_P, PAYER_P, ORG_P);
    add_payer(ADMIN_Q, PAYER_Q, ORG_Q);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P);
    assert_applied(&tx);
    tx = plan_of(PAYER_Q, ORG_Q, PLAN_Q);
    tx.payload.plan_publish.deductible = 0;
    tx.payload.plan_publish.copay_office = 0;
    tx.payload.plan_publish.coinsurance_bp = 0;
    assert_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P, PLAN_P, 1);
    assert_applied(&tx);
    tx = cover(PAYER_Q, ORG_Q, COVER_Q, PLAN_Q, 2);
    assert_applied(&tx);
    return 0;
}

struct world_tx billed_at(struct world_tx tx, int64_t from)
{
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    return tx;
}

struct world_tx later_of(unsigned claim, unsigned prior, unsigned coverage, const char *line,
                         int64_t from)
{
    struct world_tx tx = billed_at(bill_one(claim, coverage, line, 30000), from);
    tx.payload.claim_submit.has_prior_claim = true;
    tx.payload.claim_submit.prior_claim = test_hash(prior);
    return tx;
}

struct world_tx second_of(unsigned claim, unsigned prior, const char *line, int64_t from)
{
    return later_of(claim, prior, COVER_Q, line, from);
}

struct world_tx allow(unsigned key, unsigned org, unsigned claim, uint64_t amount)
{
    static uint8_t room[8]; // the payload borrows it
    sy_store_u64(room, amount);
    return adjudicate(key, org, claim, room, 8);
}

int64_t bill_half(unsigned claim)
{
    struct world_tx tx = bill_one(claim, COVER_P, "1/zz:99213/1/30000/11/A", 30000);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, claim, 15000);
    money_applied(&tx);
    struct sy_claim found = find_claim(claim);
    assert_int_equal(found.lines[0].contractual, 15000);
    return found.from_ms;
}

void let_pass(int64_t ms)
{
    world.step_ms = ms;
    world_execute(&world, NULL, 0);
    world.step_ms = 1;
}
