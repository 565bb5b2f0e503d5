/* who_may_table.h: what tests/data/contracts/who_may.txt says of the world, besides its scenarios
 * (who_may_rig.h). */
#ifndef SY_TESTS_UNIT_WHO_MAY_TABLE_H
#define SY_TESTS_UNIT_WHO_MAY_TABLE_H

#include "tests/unit/who_may_rig.h"

#define MADES_MAX 256u

/* A transaction of the world, before anything is asked. */
struct made {
    const struct sy_kind *kind;
    char keys[COSIGNERS_MAX][32];
    unsigned key_count;
    char fields[1024];
    unsigned line;
};
extern struct made mades[MADES_MAX];
extern unsigned made_count;

void table_read(void);

#endif
