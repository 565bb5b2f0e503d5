/* who_may_rig.h: tests/data/contracts/who_may.txt, which says who may do what, and a world in which
 * it can be asked: keys of every role that stand in five ways to one patient and what is theirs.
 * The file's head says what its lines mean.
 *
 * Roles that nobody can be given yet have keys too: their credentials are written into the state.
 */
#ifndef SY_TESTS_UNIT_WHO_MAY_RIG_H
#define SY_TESTS_UNIT_WHO_MAY_RIG_H

#include "consensus/node/access.h"
#include "tests/support/ledger_world.h"
#include "tests/support/test.h"

enum standing { OWN, GRANTED, FOREIGN, REVOKED, EXPIRED, STANDINGS };

#define WHO_MAY_FILE "tests/data/contracts/who_may.txt"
#define SCENARIOS_MAX 320u
#define LINES_MAX 12u
#define COSIGNERS_MAX 2u

struct who_line {
    char roles[200];
    char codes[STANDINGS][20];
};

/* What is asked, and what each role is to get. */
struct scenario {
    char name[80];
    char what[64];              /* the name's first part: a kind, or what is read */
    const struct sy_kind *kind; /* NULL: it is a read */
    char fields[1024];
    char cosigners[COSIGNERS_MAX][32];
    unsigned cosigner_count;
    struct who_line lines[LINES_MAX];
    unsigned line_count;
    const struct who_line *of_role[SY_ROLE_COUNT];
};

struct actor {
    unsigned role;
    enum standing standing;
};

extern struct scenario scenarios[SCENARIOS_MAX];
extern unsigned scenario_count;

/* rig_open reads the file (fails the test, naming the line, when it is no table) and makes the
 * world; rig_close ends it. */
void rig_open(void);
void rig_close(void);

/* rig_execute says what execution answers to a scenario's transaction by this actor: "applied" or
 * the name of a refusal. The world is then again as it was. */
const char *rig_execute(const struct scenario *scenario, const struct actor *actor);

/* rig_read says what validators' API answers: "yes" or "no". */
const char *rig_read(const struct scenario *scenario, const struct actor *actor);

/* rig_grants is what the newest rig_read that was answered "yes" is noted with; rig_id, what an @
 * of that name stands for. */
const struct sy_grants *rig_grants(void);
struct sy_hash rig_id(const char *name);

#endif
