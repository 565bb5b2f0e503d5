/* gpu_trial.h: trying and timing the CUDA engine on any machine with a device (./run gpu, bin/
 * systole-gpu): its files need a C compiler and the CUDA toolkit, no other library (gpu/build.sh).
 * What is expected comes from published vectors and from the plain C of core/crypto. */
#ifndef SY_BENCH_GPU_TRIAL_H
#define SY_BENCH_GPU_TRIAL_H

#include "core/crypto/engine.h"
#include "gpu/gpu_device.h"

struct sy_gpu_trial {
    const struct sy_gpu_driver *driver;
    const struct sy_engine_impl *impl;
    const char *vectors; /* a folder, or NULL */
    const char *out;     /* a JSON file, or NULL */
    uint64_t jobs;       /* by chance */
    bool twin;           /* the host twin: small counts, and no figure of a device */
};

/* gpu_jobs.c: signatures by keys of this program's own. make signs jobs that take their keys in
 * turn out of `keys`, all good and over digests; SY_ERR_NO_MEMORY. verdict is what plain C says. */
sy_status sy_gpu_trial_make(struct sy_sig_job *jobs, uint32_t count, uint32_t keys);
bool sy_gpu_trial_verdict(const struct sy_public_key *key, const struct sy_signature *signature,
                          const uint8_t *message, size_t size);

/* gpu_check.c, gpu_speed.c: each prints what it does, and false, after saying why, when something
 * is wrong. */
bool sy_gpu_trial_check(const struct sy_gpu_trial *trial);
bool sy_gpu_trial_time(const struct sy_gpu_trial *trial);

#endif
