/* engine_choice.h: which implementations an engine is given, the best one first.
 *
 * A person asks for one by its name, or for "auto": then each that runs on this machine is timed
 * over the same signatures, and the fastest comes first. Those behind it follow, down to OpenSSL,
 * so that one that is retired has a successor (engine.h). A device is timed at several sizes and
 * takes the submissions from that size on where it alone does more than all worker threads by the
 * fastest of the others; if it never does, it is left out. One that is here but fails or answers
 * wrongly is left out with an alarm, as when an engine opens. */
#ifndef SY_CRYPTO_ENGINE_CHOICE_H
#define SY_CRYPTO_ENGINE_CHOICE_H

#include "core/crypto/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What this room has, from the one expected to be fastest to OpenSSL; the array ends in NULL. */
#define SY_ENGINE_CPU_IMPLS &sy_engine_avx512, &sy_engine_portable, &sy_engine_openssl
extern const struct sy_engine_impl *const sy_engine_cpu_impls[];

struct sy_engine_choice {
    const struct sy_engine_impl *impls[SY_ENGINE_IMPLS_MAX + 1]; /* for sy_engine_config; ends in
                                                                    NULL */
    uint32_t from[SY_ENGINE_IMPLS_MAX];  /* likewise: the size from which each takes submissions */
    uint64_t per_s[SY_ENGINE_IMPLS_MAX]; /* checks a second of each, under keys that come back; 0:
                                            not timed */
    char why[256];                       /* one line for a person: what was chosen and why */
};

/* sy_engine_choose fills choice from offered, which is like sy_engine_cpu_impls. name: "auto", or
 * an implementation's, which then takes all. threads: how many worker threads the engine will have;
 * 0: auto times nothing (which takes some 50 ms, and a device's start) but takes what is offered
 * in its order, without devices. Fails with SY_ERR_ARGUMENT when no such name is offered, and when
 * the one named does not run here or gives wrong answers, with what it says of that. Any thread. */
sy_status sy_engine_choose(struct sy_engine_choice *choice, const char *name,
                           const struct sy_engine_impl *const *offered, unsigned threads,
                           struct sy_error *err);

#ifdef __cplusplus
}
#endif
#endif
