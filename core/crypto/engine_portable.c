/* engine_portable.c: the implementation in plain C, for every processor: Ed25519 of
 * ed25519_verify.h, with tables of keys that come back (key_tables.h). Challenges are hashed by the
 * best way of sha512_many.h, which is plain C where nothing better runs. */
#include "core/crypto/ed25519_verify.h"
#include "core/crypto/engine.h"
#include "core/crypto/engine_window.h"
#include "core/crypto/key_tables.h"

static void build_tables(void *context, void *const *tables, const struct sy_public_key *keys,
                         bool *built, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        built[i] = sy_comb_build((struct sy_comb_table *)tables[i], keys[i].bytes);
    }
}

static const struct sy_key_table_format format = {.table_bytes = sizeof(struct sy_comb_table),
                                                  .build = build_tables};

static sy_status open_portable(void **state, const struct sy_engine_config *config,
                               struct sy_error *err)
{
    struct sy_key_tables_config tables = {.format = &format, .bytes_max = config->table_bytes};
    (void)sy_comb_base(); // Made now, not under the first job.
    return sy_key_tables_open((sy_key_tables **)state, &tables, err);
}

static void close_portable(void *state)
{
    sy_key_tables_close((sy_key_tables *)state);
}

static uint32_t hint_portable(void *state, const struct sy_public_key *key,
                              const struct sy_hash *organisation)
{
    return sy_key_tables_hint((sy_key_tables *)state, key, organisation);
}

// --- signatures ----------------------------------------------------------------------------------

static bool hash_batch(uint8_t (*hashes)[64], const struct sy_job_batch *batch)
{
    struct sy_challenge challenges[SY_ED25519_TOGETHER];
    const struct sy_job_source *source = batch->source;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t index = batch->indices[i];
        if (source->submission) {
            challenges[i] = sy_job_challenge(source->submission, index);
        } else if (!sy_job_hash_raw(hashes[i], &source->raw[index])) {
            return false;
        }
    }
    if (source->submission) sy_sha512_many_best()->hashes(hashes, challenges, batch->count);
    return true;
}

static sy_status verify_batch(const void *own, uint8_t *good, const struct sy_job_batch *batch)
{
    struct sy_ed25519_job jobs[SY_ED25519_TOGETHER];
    uint8_t hashes[SY_ED25519_TOGETHER][64];
    (void)own;
    if (!hash_batch(hashes, batch)) return SY_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t index = batch->indices[i];
        jobs[i].key = sy_job_key(batch->source, index)->bytes;
        jobs[i].signature = sy_job_signature(batch->source, index)->bytes;
        jobs[i].table = (const struct sy_comb_table *)batch->tables[i];
        memcpy(jobs[i].hash, hashes[i], sizeof jobs[i].hash);
    }
    sy_ed25519_verify(good, jobs, batch->count);
    return SY_OK;
}

// A table takes about as long as two verifications without it: a batch pays for few of others'.
static const struct sy_job_way way = {SY_ED25519_TOGETHER, 8, verify_batch};

static sy_status run_portable(void *state, struct sy_submission *submission,
                              struct sy_hash *scratch)
{
    return sy_job_way_run(&way, NULL, (sy_key_tables *)state, submission, scratch);
}

static sy_status raw_portable(void *state, const struct sy_raw_job *jobs, uint32_t count,
                              uint8_t *verdicts)
{
    return sy_job_way_run_raw(&way, NULL, (sy_key_tables *)state, jobs, count, verdicts);
}

const struct sy_engine_impl sy_engine_portable = {.name = "portable",
                                                  .open = open_portable,
                                                  .close = close_portable,
                                                  .run = run_portable,
                                                  .hint = hint_portable,
                                                  .raw = raw_portable};
