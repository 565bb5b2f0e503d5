/* crypto_internal.h: what the files of `systole-bench crypto` share. */
#ifndef SY_BENCH_CRYPTO_INTERNAL_H
#define SY_BENCH_CRYPTO_INTERNAL_H

#include "core/base/json.h"
#include "core/crypto/engine.h"

#define CRYPTO_JOBS 65536u
#define CRYPTO_ROUNDS_MAX 101u

struct sy_crypto_options {
    const char *engine; /* NULL: all */
    uint64_t rounds;
    uint64_t round_ms;  /* at least; longer where one batch takes longer */
    uint64_t threads;   /* of each engine; 0: work is done in the caller's */
    uint64_t table_mib; /* 0: the default of key_tables.h */
    uint64_t jobs;      /* different signatures, up to CRYPTO_JOBS */
    uint64_t batch;     /* 0: all */
    uint64_t keys;      /* 0: all */
    const char *what;   /* NULL: all */
    bool json;
};

struct sy_crypto_row {
    const char *engine;
    const char *what;
    uint32_t batch;
    uint32_t keys;
    double per_s[CRYPTO_ROUNDS_MAX]; /* of each round */
    double ratio[CRYPTO_ROUNDS_MAX]; /* to OpenSSL in the same round */
    unsigned rounds;
};

struct sy_crypto_bench {
    struct sy_crypto_options options;
    sy_json json;
};

/* sy_bench_crypto_put_row prints a finished row. sy_bench_crypto_wants says whether the options ask
 * for it. */
void sy_bench_crypto_put_row(struct sy_crypto_bench *bench, const struct sy_crypto_row *row);
bool sy_bench_crypto_wants(const struct sy_crypto_bench *bench, const char *engine,
                           const char *what);

/* Both print their rows; false, after saying why on stderr, when an engine fails or errs. */
bool sy_bench_crypto_measure_signatures(struct sy_crypto_bench *bench);
bool sy_bench_crypto_measure_hashes(struct sy_crypto_bench *bench);

/* sy_bench_crypto_open opens one engine, OpenSSL behind it. NULL with a message when it cannot;
 * also when it is not on this machine, and then *absent is true and nothing is said. */
sy_engine *sy_bench_crypto_open(const struct sy_crypto_bench *bench,
                                const struct sy_engine_impl *impl, uint64_t table_bytes,
                                uint32_t leaves_max, bool *absent);

#endif
