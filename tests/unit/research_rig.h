/* research_rig.h: three custodians, an ethics board and two organisations of researchers in
 * consent_rig's world, and what cases say of the research commons. */
#ifndef SY_TESTS_UNIT_RESEARCH_RIG_H
#define SY_TESTS_UNIT_RESEARCH_RIG_H

#include "core/wire/state_research.h"
#include "tests/unit/consent_rig.h"

/* By key number. Custodians are A, B and C; the board is of its own. */
enum {
    ADMIN_C = 130,
    BOARD_ADMIN,
    BOARD,
    BOARD_2, /* another key of it */
    LAB_ADMIN,
    RESEARCHER,
    RESEARCHER_2,
    UNI_ADMIN,
    STRANGER,       /* a researcher of another organisation */
    OWN_RESEARCHER, /* A's */
    BOARD_RESEARCHER
};
/* By hash number. */
enum {
    ORG_C = 2010,
    ORG_BOARD,
    ORG_LAB,
    ORG_UNI,
    DATASET = 23000, /* and on */
    ROOT = 23100,
    QUERY = 23200
};
#define DAY_MS (24ll * 3600 * 1000)
#define NONE SY_QUERY_HIDDEN

#define WITH_RESEARCH(name) cmocka_unit_test_setup_teardown(name, set_up_research, tear_down)
int set_up_research(void **state);
/* Applies: the admin's organisation issues a key. */
void add_research_key(unsigned admin, unsigned role, unsigned key);

/* Lists, which stand for the next 64 calls. texts: words with blanks between. */
struct sy_list some_ids(unsigned first, unsigned second, unsigned third);
struct sy_list some_texts(const char *words);
struct sy_slice some_numbers(const uint32_t *values, unsigned count);

/* Transactions, each sound where the query is as far as it takes. Data set n is of A, B and C, two
 * of whom are needed. Query n asks data set 0 for people with code icd|n, by sex. answer: one row,
 * with the totals that follow. */
struct world_tx publish_dataset(unsigned n);
struct world_tx update_dataset(unsigned n, uint32_t version, unsigned root);
struct world_tx withdraw_dataset(unsigned key, unsigned n);
struct world_tx propose_query(unsigned key, unsigned n);
struct world_tx approve_query(unsigned key, unsigned n);
struct world_tx deny_query(unsigned key, unsigned n);
struct world_tx answer_query(unsigned n, const uint32_t *cells, unsigned count);
struct world_tx good_answer(unsigned n);
struct world_tx say_contribution(bool in, const char *classes, bool genetic);

void apply_tx(struct world_tx tx);
void refuse_tx(struct world_tx tx, enum sy_refusal code);

/* Applies: proposed; approved by A, B and the board; a block so many days later; a parameter that
 * counts. */
void make_query(unsigned n);
void make_approved(unsigned n);
void pass_research_days(unsigned days);
void set_research_param(unsigned name, uint64_t value, uint32_t version);

/* What the state has, which must be there; spent: cells, of a key, or (key 0) of a hash number. */
struct sy_slice find_research(enum sy_state_kind kind, struct sy_hash id, struct sy_hash second);
struct sy_query find_query(unsigned n);
uint64_t cells_spent(unsigned whose, unsigned key, enum sy_budget_of what);

/* The newest receipt's event n, and its detail. */
void assert_research_told(unsigned n, unsigned kind, unsigned org, unsigned object);
void assert_research_number(uint64_t detail);

#endif
