/* trial_rig.h: a sponsor, an ethics board and two sites in consent_rig's world, and what cases say
 * of a clinical trial. */
#ifndef SY_TESTS_UNIT_TRIAL_RIG_H
#define SY_TESTS_UNIT_TRIAL_RIG_H

#include "core/wire/state_trial.h"
#include "tests/unit/consent_rig.h"

/* By key number; FRESH_KEY and above are subjects'. */
enum {
    SPONSOR_ADMIN = 130,
    SPONSOR,
    SPONSOR_2,
    BOARD_ADMIN,
    BOARD,
    OTHER_BOARD, /* of the other sponsor's organisation too: none */
    RIVAL_ADMIN,
    RIVAL,
    INVESTIGATOR_A,
    INVESTIGATOR_B
};
/* By hash number. Sites are ORG_A and ORG_B. */
enum {
    ORG_SPONSOR = 2010,
    ORG_BOARD,
    ORG_RIVAL,
    TRIAL = 21000,
    PROTOCOL = 21100,
    SAP = 21200,
    FORM = 21300, /* + version */
    ENDPOINT = 21400,
    SUBJECT = 22000, /* subject n has key FRESH_KEY + n */
    SEED = 21500,
    SALT,
    SITES_MAX = 8
};
#define DAY_MS (24ll * 3600 * 1000)
#define COMPLETION_MS (TEST_GENESIS_MS + 400 * DAY_MS)

#define WITH_TRIALS(name) cmocka_unit_test_setup_teardown(name, set_up_trials, tear_down)
int set_up_trials(void **state);

/* Transactions about TRIAL, each sound where the trial is as far as it takes. */
struct world_tx trial_register(void);
struct world_tx trial_amend(uint32_t version, unsigned form, unsigned endpoint);
struct world_tx activate_site(unsigned org, unsigned investigator);
struct world_tx consent_to(unsigned investigator, unsigned subject, uint32_t form_version);
struct world_tx enrol_subject(unsigned investigator, unsigned subject);
struct world_tx withdraw_subject(unsigned key, unsigned subject, bool by_subject);
struct world_tx draw_commit(unsigned key);
struct world_tx draw_salt(unsigned key);
struct world_tx draw_reveal(unsigned key, unsigned seed);
struct world_tx data_commit(unsigned key, uint16_t visit);
struct world_tx ae_report(unsigned key, unsigned subject, unsigned grade, bool serious);
struct world_tx db_lock(uint64_t commits);
struct world_tx unblind_all(unsigned key);
struct world_tx unblind_one(unsigned key, unsigned subject);
struct world_tx result_post(unsigned endpoint);

/* Applies: registered; both sites active; drawn; so many subjects enrolled at A. */
void make_trial(void);
void make_sites(void);
void make_drawn(void);
void make_enrolled(unsigned subjects);
void make_locked(void);
void make_revealed(void);

/* What the state has, which must be there. Lists stand until the next call. */
struct sy_trial find_trial(void);
struct sy_trial_version find_protocol(uint32_t number);
struct sy_trial_site find_site(unsigned org);
struct sy_trial_subject find_subject(unsigned subject);
struct sy_trial_draw find_draw(void);
struct sy_trial_lock find_lock(void);
struct sy_trial_result find_outcome(void);
struct sy_slice find_number(enum sy_state_kind kind, uint64_t number);

/* The newest receipt's event n. */
void assert_trial_told(unsigned n, unsigned kind, unsigned org, unsigned object);
void assert_number(uint64_t detail);

#endif
