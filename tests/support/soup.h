/* soup.h: random transactions of every kind, sensible and absurd, by everybody, about few things,
 * so that they meet: for tests that ask what holds whatever happens.
 *
 * What is drawn comes from a generator or, for a fuzzer, from its bytes: each choice takes one or
 * two, and when they are used up every choice is the first. New kinds are in it by themselves:
 * their fields are filled by type and name, ids of one name from one small pool. */
#ifndef SY_TESTS_SUPPORT_SOUP_H
#define SY_TESTS_SUPPORT_SOUP_H

#include "tests/support/ledger_world.h"

struct soup {
    struct ledger_world *world; /* borrowed: its state, time and room for lists */
    sy_prng prng;
    const uint8_t *bytes; /* borrowed; NULL: the generator decides */
    size_t size, used;
};

/* By key number: whoever may hold a role holds it here, in an organisation of the first kind that
 * has such a role; and doctor and nurse of A who may break the glass. */
enum {
    SOUP_ROLE = 420,  /* + enum sy_role */
    SOUP_ADMIN = 450, /* + enum sy_org_kind */
    SOUP_ORG = 2010,  /* + enum sy_org_kind, by hash number */
    SOUP_KEEN_DOCTOR = 170,
    SOUP_KEEN_NURSE
};

/* soup_populate is world_populate, and all of these. */
void soup_populate(struct ledger_world *world);

/* The keys that soup_populate has issued credentials to, and the organisations; how many. */
#define SOUP_PEOPLE_MAX 64u
unsigned soup_issued(unsigned keys[SOUP_PEOPLE_MAX]);
unsigned soup_orgs(unsigned numbers[SOUP_PEOPLE_MAX]);

/* soup_draw is a number below bound (1 to 65,536); soup_chance is true in n of d cases. */
unsigned soup_draw(struct soup *soup, unsigned bound);
bool soup_chance(struct soup *soup, unsigned n, unsigned d);
/* soup_over: all bytes are used. soup_take takes up to so many. */
bool soup_over(const struct soup *soup);
struct sy_slice soup_take(struct soup *soup, size_t size);

/* soup_tx draws a transaction for the world's next block. Its lists lie in the world's room until
 * the block ran. soup_signers gives one a first signer and perhaps others, who fit or not. */
struct world_tx soup_tx(struct soup *soup);
void soup_signers(struct soup *soup, struct world_tx *tx);

#endif
