/* engines.h: engines under test, one implementation at a time, and OpenSSL's verdict beside them.
 */
#ifndef SY_TESTS_SUPPORT_ENGINES_H
#define SY_TESTS_SUPPORT_ENGINES_H

#include "core/crypto/engine.h"

/* Rounds in which every valid key earns a table, and then some with it. */
#define ENGINES_ROUNDS 6u

/* What is tested: the processor's implementations, CUDA where there is a device, and the same
 * engine on the host twin of one (gpu/cuda_engine.h). Ends with OpenSSL, then NULL. */
extern const struct sy_engine_impl *const engines_under_test[];

/* engines_have says whether impl is on this machine, and prints "skipped: ..." when it is not. */
bool engines_have(const struct sy_engine_impl *impl);

/* engines_open opens an engine of an impl that is here, with OpenSSL behind it; fails the test when
 * impl does not pass its self-test. */
sy_engine *engines_open(const struct sy_engine_impl *impl, unsigned threads, uint32_t leaves_max);

/* engines_close fails the test if anything was retired meanwhile. */
void engines_close(sy_engine *engine);

/* engines_oracle is OpenSSL's verdict. */
bool engines_oracle(const struct sy_sig_job *job);

/* engines_check runs jobs ENGINES_ROUNDS times, first without tables of keys and in the end with
 * them, and compares every verdict with OpenSSL's. Returns how many are good. */
uint32_t engines_check(sy_engine *engine, const struct sy_sig_job *jobs, uint32_t count);

/* Encodings of points of order 1, 2, 4 and 8, all there are, not canonical ones included: where
 * engines differ if they differ (Henry de Valence, "It's 255:19AM. Do you know what your validation
 * criteria are?", 2020). */
#define ENGINES_ODD_POINTS 14u
extern const char *const engines_odd_points[ENGINES_ODD_POINTS];

#endif
