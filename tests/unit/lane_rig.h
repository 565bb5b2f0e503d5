/* lane_rig.h: what eight-lane verification must do (core/crypto/avx512_ed25519.h), held against
 * OpenSSL, for whatever way does it: the processor's lanes, or emulated ones. */
#ifndef SY_TESTS_UNIT_LANE_RIG_H
#define SY_TESTS_UNIT_LANE_RIG_H

#include "core/crypto/avx512_ed25519.h"

struct lane_way {
    void (*build_base)(void *table);
    void (*build_tables)(void *const *tables, const struct sy_public_key *keys, bool *built,
                         size_t count);
    void (*tabled)(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                   const void *base);
    void (*general)(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                    const void *base);
};

/* lane_rig_open makes keys and the tables that the checks below share; lane_rig_close frees them.
 * lane_rig_base and lane_rig_table give the bytes of the tables. */
void lane_rig_open(const struct lane_way *way);
void lane_rig_close(void);
const void *lane_rig_base(void);
const void *lane_rig_table(size_t key);
struct sy_public_key lane_rig_key(size_t key);

/* The checks; each fails the test that called it. */
void lane_check_edges(void);          /* every odd key, R and S with every other, no tables */
void lane_check_edges_by_table(void); /* every odd R and S, under keys with tables */
void lane_check_torsion(void);        /* keys and R with a part of small order, as good as bad */
void lane_check_every_place(void);    /* one bad signature at every place of every batch */
void lane_check_edge_k(void);         /* k = 0, 1 and L - 1, by tables and without */
void lane_check_refused_tables(void); /* which keys get a table */

#endif
