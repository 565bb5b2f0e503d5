/* consent_rig.h: a world for the cases about consents, and what they assert of it. */
#ifndef SY_TESTS_UNIT_CONSENT_RIG_H
#define SY_TESTS_UNIT_CONSENT_RIG_H

#include "tests/support/ledger_world.h"
#include "tests/support/test.h"

enum { CONSENT = 9000 /* by hash number, and all above, to FRESH_ID */ };

extern struct ledger_world world; /* populated; made anew for each case */

int set_up(void **state);
int tear_down(void **state);
#define WITH_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Submits a transaction: it is refused with this code and leaves nothing, or it is applied. */
void assert_refused(const struct world_tx *tx, enum sy_refusal code);
void assert_applied(const struct world_tx *tx);
/* The newest receipt's detail is the hash of this number; its path. */
void assert_detail(unsigned number);
void assert_path(const char *path);

/* What state has, which must be there. */
struct sy_consent find_consent(unsigned number);
struct sy_consents find_consents(unsigned patient);
void assert_place(unsigned patient, uint64_t number, unsigned consent);

/* What most cases are about: the patient with a key lets organisation B, and not A. */
struct world_tx grant_b(unsigned consent);
struct world_tx deny_a(unsigned consent);

/* A patient of A's with a key. */
void enrol_with_wallet(unsigned patient, unsigned wallet);

#endif
