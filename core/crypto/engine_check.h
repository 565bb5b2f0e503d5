/* engine_check.h: judging what an engine implementation answered. Internal to core/crypto. */
#ifndef SY_CRYPTO_ENGINE_CHECK_H
#define SY_CRYPTO_ENGINE_CHECK_H

#include "core/crypto/engine.h"
#include "core/crypto/key_tables.h"

/* sy_engine_assert_submission asserts what a submission's maker promises (engine.h). Pure. */
void sy_engine_assert_submission(const struct sy_submission *submission);

/* sy_engine_contradict re-checks a finished submission with OpenSSL: every negative verdict if
 * confirm_negatives, and of all answers one in sample_every (0: none), chosen by numbering them
 * from first_answer and drawing by a fixed hash of the number: repeatable, yet in step with no
 * lane width. Returns NULL, or words for the first answer found wrong. Adds to *checked how many
 * were compared. scratch: leaf_count hashes of room. Any thread. */
const char *sy_engine_contradict(const struct sy_submission *submission, struct sy_hash *scratch,
                                 uint64_t *checked, uint64_t first_answer, uint32_t sample_every);

/* sy_engine_alarm tells log and metric that an implementation is no longer used, and why. Any
 * thread. */
void sy_engine_alarm(const struct sy_engine_impl *impl, const char *reason);

/* Each valid key of the self-test signs once a round: in the last round it has a table. */
#define SY_ENGINE_SELFTEST_ROUNDS (SY_KEY_TABLES_VALID_MIN + 1)

/* sy_engine_selftest runs an implementation over known answers, bad signatures included, so many
 * times (OpenSSL, which keeps no tables, once), and fails with SY_ERR_CRYPTO naming the first one
 * it got wrong, or with what run returned. */
sy_status sy_engine_selftest(const struct sy_engine_impl *impl, void *state, struct sy_error *err);

#endif
