/* money_rig.h: two payers with plans and a patient whom both cover, for cases about claims; after
 * every block, whoever has a balance is looked at: money is conserved. */
#ifndef SY_TESTS_UNIT_MONEY_RIG_H
#define SY_TESTS_UNIT_MONEY_RIG_H

#include "core/wire/money.h"
#include "tests/unit/consent_rig.h"

enum {
    ADMIN_P = 300, /* payer P's ... */
    PAYER_P,
    ADMIN_Q = 310, /* payer Q's ... */
    PAYER_Q,
};

/* By hash number. */
enum {
    ORG_P = 2100,
    ORG_Q,
    PLAN_P = 9000,
    PLAN_Q,
    COVER_P = 9010, /* of PATIENT_CLAIMED, order 1 */
    COVER_Q,        /* order 2 */
    CLAIM = 9100,   /* and all to 9899 */
};

/* set_up_money: a world with both payers, plans (deductible 100.00, coinsurance 20 %, copay 20.00
 * at an office, 1,000.00 out of pocket, 10,000.00 benefit; Q: nothing is the patient's) and
 * coverage for the year around the world's time. */
int set_up_money(void **state);
#define WITH_MONEY(name) cmocka_unit_test_setup_teardown(name, set_up_money, tear_down)

/* As assert_applied and assert_refused, and money is conserved. */
void money_applied(const struct world_tx *tx);
void money_refused(const struct world_tx *tx, enum sy_refusal code);
/* Over all organisations balances sum up to nothing, and are what they are owed less what they owe.
 */
void assert_conserved(void);

struct world_tx plan_of(unsigned payer_key, unsigned payer, unsigned plan);
struct world_tx cover(unsigned payer_key, unsigned payer, unsigned coverage, unsigned plan,
                      unsigned order);
/* A claim of A's doctor, of these lines (NULL after the last), yesterday. */
struct world_tx bill(unsigned claim, unsigned coverage, const char *const *lines, uint64_t total);
struct world_tx bill_one(unsigned claim, unsigned coverage, const char *line, uint64_t total);
struct world_tx pay(unsigned payer_key, unsigned payer, unsigned claim);
void add_share(struct world_tx *tx, unsigned org, uint64_t share);
struct world_tx reverse(unsigned key, unsigned org, unsigned claim);
/* Of all lines. */
struct world_tx appeal(unsigned key, unsigned org, unsigned claim);
struct world_tx dispute(unsigned key, unsigned claim);

/* billed_at: the same service at another moment. later_of: a claim of 300.00 behind the prior one,
 * to the payer of a coverage; second_of: of COVER_Q. */
struct world_tx billed_at(struct world_tx tx, int64_t from);
struct world_tx later_of(unsigned claim, unsigned prior, unsigned coverage, const char *line,
                         int64_t from);
struct world_tx second_of(unsigned claim, unsigned prior, const char *line, int64_t from);
/* What the payer allows of a claim's one line. */
struct world_tx allow(unsigned key, unsigned org, unsigned claim, uint64_t amount);
/* A claim that P decided at half of its 300.00, of a code that no schedule has: when it was. */
int64_t bill_half(unsigned claim);
/* The next block is that much later, and a millisecond. */
void let_pass(int64_t ms);

/* allowed: borrowed, u64 each. */
struct world_tx adjudicate(unsigned key, unsigned org, unsigned claim, const uint8_t *room,
                           size_t size);
/* Rows (NULL after the last) of page 0 of 2 of version 1 of a list; publish makes such a list
 * known, with something else on its other page, and gives the page's transaction. */
struct world_tx rows_of(unsigned key, unsigned org, unsigned kind, const char *const *rows);
struct world_tx publish(unsigned key, unsigned org, unsigned kind, const char *const *rows);
struct world_tx publish_version(unsigned version, unsigned key, unsigned org, unsigned kind,
                                const char *const *rows);
/* Asks for units of a code (A's doctor, for services from yesterday to in ten days), and grants
 * them for five days; 0: denies. */
struct world_tx ask_auth(unsigned auth, unsigned coverage, const char *code, uint32_t units);
struct world_tx decide_auth(unsigned payer_key, unsigned payer, unsigned auth, uint32_t units);

/* The receipt's event of that place. */
void assert_event(unsigned index, unsigned kind, unsigned subject_kind, unsigned subject,
                  unsigned object);
struct sy_claim find_claim(unsigned claim);
struct sy_auth find_auth(unsigned auth); /* its codes are borrowed until the next block */
struct sy_contest_entry find_contest(unsigned claim, unsigned contest);
sy_sum sum_of(unsigned org); /* of any size */
int64_t balance_of(unsigned org);
/* What the one paid the other and has not settled. */
struct sy_owed find_owed(unsigned payer, unsigned payee);
bool is_there(enum sy_state_kind kind, unsigned id);

#endif
