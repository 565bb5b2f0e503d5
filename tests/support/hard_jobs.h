/* hard_jobs.h: signature jobs of all sorts, most of them meant to be decided wrongly. */
#ifndef SY_TESTS_SUPPORT_HARD_JOBS_H
#define SY_TESTS_SUPPORT_HARD_JOBS_H

#include "core/base/prng.h"
#include "core/crypto/engine.h"

/* hard_jobs_open signs the pool that jobs are drawn from, always the same one; close frees it. */
void hard_jobs_open(void);
void hard_jobs_close(void);

#define HARD_JOBS_GOOD 512u
/* hard_jobs_good is one of the pool's valid jobs, number 0 to HARD_JOBS_GOOD - 1. */
const struct sy_sig_job *hard_jobs_good(uint32_t number);

/* hard_jobs_draw makes one job: valid as it is, with bits turned, put together from others, with
 * edges of encodings and of S, under keys and R of small or mixed order, or random. */
void hard_jobs_draw(struct sy_sig_job *job, sy_prng *prng);

#endif
