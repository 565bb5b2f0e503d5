/* pool_rig.c: see pool_rig.h. */
#include "tests/unit/pool_rig.h"

#include <stdlib.h>

#include "core/base/telemetry.h"

#define ROOM_BYTES (64u << 20)

void prig_config(struct pool_rig *rig, struct sy_pool_config *config)
{
    test_genesis(&rig->genesis, 4);
    *config =
        (struct sy_pool_config){.genesis = &rig->genesis,
                                .roster = &rig->genesis.roster,
                                .self = 0,
                                .signer = sy_signer_of_key((sy_secret_key *)(uintptr_t)test_key(0)),
                                .batch_timeout_ns = 4 * PRIG_MS,
                                .batch_txs_max = 100,
                                .pending_txs_max = 1000,
                                .lanes = 4,
                                .queued_per_maker = 3,
                                .respread_ns = 250 * PRIG_MS,
                                .seed = {1, 2}};
}

void prig_open_with(struct pool_rig *rig, const struct sy_pool_config *config)
{
    static const struct sy_engine_impl *const impls[] = {&sy_engine_openssl, NULL};
    struct sy_engine_config engine = {.queue = 64, .leaves_max = 8192, .impls = impls};
    struct sy_error err;
    assert_int_equal(sy_log_open("/dev/null", SY_LOG_ERROR, &err), SY_OK); /* many condemnations */
    rig->config = *config;
    assert_int_equal(sy_engine_open(&rig->engine, &engine, &err), SY_OK);
    assert_int_equal(sy_arena_open(&rig->arena, sy_pool_footprint(&rig->config)), SY_OK);
    assert_int_equal(sy_pool_init(&rig->pool, &rig->arena, &rig->config), SY_OK);
    sy_arena_seal(&rig->arena);
    rig->effects = (struct sy_pool_effects *)calloc(1, sizeof *rig->effects);
    rig->log = (struct prig_effect *)calloc(PRIG_LOG_MAX, sizeof *rig->log);
    rig->room = (uint8_t *)malloc(ROOM_BYTES);
    assert_true(rig->effects && rig->log && rig->room);
    rig->writer = sy_writer_of(rig->room, ROOM_BYTES);
    rig->now_ns = 5 * PRIG_SECOND;
    sy_prng_seed(&rig->prng, 7);
}

void prig_open(struct pool_rig *rig)
{
    struct sy_pool_config config;
    memset(rig, 0, sizeof *rig);
    prig_config(rig, &config);
    prig_open_with(rig, &config);
}

void prig_close(struct pool_rig *rig)
{
    sy_engine_close(rig->engine);
    sy_arena_close(&rig->arena);
    free(rig->effects);
    free(rig->log);
    free(rig->room);
}

/* ---- things to give it ------------------------------------------------------------------- */

struct sy_slice prig_tx(struct pool_rig *rig)
{
    uint8_t lists[4096];
    struct sy_writer room = sy_writer_of(lists, sizeof lists);
    union sy_payload payload;
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_record_create);
    test_payload(&payload, kind, &room, &rig->prng);
    return test_tx(&rig->writer, &rig->genesis, kind, &payload, 300);
}

uint8_t *prig_copy(struct pool_rig *rig, struct sy_slice bytes)
{
    uint8_t *copy = rig->writer.data + rig->writer.used;
    sy_write_raw(&rig->writer, bytes.data, bytes.size);
    assert_false(rig->writer.failed);
    return copy;
}

struct sy_slice prig_batch(struct pool_rig *rig, unsigned maker, uint64_t seq, unsigned count)
{
    static uint8_t whole[SY_BATCH_BYTES_MAX];
    struct sy_slice txs[64];
    assert_true(count <= 64);
    for (unsigned i = 0; i < count; i++) txs[i] = prig_tx(rig);
    struct sy_slice batch = test_batch(whole, &rig->genesis, 3 * maker, seq, txs, count);
    return sy_slice_of(prig_copy(rig, batch), batch.size);
}

struct sy_hash prig_digest(const struct pool_rig *rig, struct sy_slice batch)
{
    struct sy_hash digest;
    sy_batch_digest(&digest, &rig->genesis.hash, sy_slice_of(batch.data, SY_BATCH_HEADER_BYTES));
    return digest;
}

/* ---- effects ----------------------------------------------------------------------------- */

static void note(struct pool_rig *rig, const struct sy_pool_effect *effect)
{
    assert_true(rig->logged < PRIG_LOG_MAX);
    struct prig_effect *out = &rig->log[rig->logged++];
    *out = (struct prig_effect){.type = effect->type,
                                .digest = effect->digest,
                                .maker = effect->maker,
                                .seq = effect->seq,
                                .txs = effect->txs,
                                .bytes = effect->bytes,
                                .old = effect->old,
                                .token = effect->token,
                                .count = effect->count};
    if (effect->type == SY_POOL_OUTCOMES) {
        out->first = effect->outcomes[0];
        out->last = effect->outcomes[effect->count - 1];
    }
    if (effect->type == SY_POOL_STORE) {
        out->body = sy_slice_of(prig_copy(rig, effect->body), effect->body.size);
        assert_true(rig->storing_count < sizeof rig->storing / sizeof rig->storing[0]);
        rig->storing[rig->storing_count++] = effect->digest;
    }
    if (effect->type == SY_POOL_CHECK) {
        assert_true(rig->flying_count < sizeof rig->flying / sizeof rig->flying[0]);
        rig->flying[rig->flying_count++] = effect->submission;
    }
}

static void collect(struct pool_rig *rig)
{
    for (uint32_t i = 0; i < rig->effects->count; i++) note(rig, &rig->effects->items[i]);
    rig->effects->count = 0;
}

/* Writes down what the last call wanted and does what is not held. */
static void work(struct pool_rig *rig)
{
    collect(rig);
    while ((!rig->hold_checks && rig->flying_count > 0) ||
           (!rig->hold_stores && rig->storing_count > 0)) {
        if (!rig->hold_checks && rig->flying_count > 0) prig_check(rig);
        if (!rig->hold_stores && rig->storing_count > 0) prig_store(rig);
    }
}

void prig_check(struct pool_rig *rig)
{
    assert_true(rig->flying_count > 0);
    struct sy_submission *submission = rig->flying[0];
    rig->flying_count--;
    memmove(rig->flying, rig->flying + 1, rig->flying_count * sizeof rig->flying[0]);
    assert_int_equal(sy_engine_run(rig->engine, submission), SY_OK);
    sy_pool_on_checked(rig->pool, rig->effects, submission, rig->now_ns);
    collect(rig);
    if (!rig->hold_stores) prig_store(rig);
}

void prig_store(struct pool_rig *rig)
{
    while (rig->storing_count > 0) {
        struct sy_hash digest = rig->storing[0];
        rig->storing_count--;
        memmove(rig->storing, rig->storing + 1, rig->storing_count * sizeof rig->storing[0]);
        sy_pool_on_stored(rig->pool, rig->effects, &digest, rig->now_ns);
        collect(rig);
    }
}

/* ---- calls ------------------------------------------------------------------------------- */

void prig_submit(struct pool_rig *rig, uint64_t token, const struct sy_slice *txs, unsigned count)
{
    struct sy_client_request submit = {.kind = SY_REQUEST_SUBMIT};
    size_t start = rig->writer.used;
    for (unsigned i = 0; i < count; i++) sy_write_bytes32(&rig->writer, txs[i]);
    assert_false(rig->writer.failed);
    submit.body.submit.count = (uint16_t)count;
    submit.body.submit.txs = sy_slice_of(rig->writer.data + start, rig->writer.used - start);
    sy_pool_on_submit(rig->pool, rig->effects, token, &submit, rig->held, rig->now_ns);
    work(rig);
}

void prig_submit_one(struct pool_rig *rig, uint64_t token, struct sy_slice tx)
{
    prig_submit(rig, token, &tx, 1);
}

void prig_receive(struct pool_rig *rig, uint16_t from, struct sy_slice batch)
{
    sy_pool_on_batch(rig->pool, rig->effects, from, batch);
    work(rig);
}

void prig_tick(struct pool_rig *rig, uint64_t later_ns)
{
    rig->now_ns += later_ns;
    sy_pool_on_tick(rig->pool, rig->effects, rig->now_ns);
    work(rig);
}

void prig_ran(struct pool_rig *rig, uint16_t maker, uint64_t seq, const struct sy_hash *digest)
{
    sy_pool_on_ran(rig->pool, maker, seq, digest, NULL, 0, rig->now_ns);
    work(rig);
}

void prig_certified(struct pool_rig *rig, uint64_t height)
{
    sy_pool_on_certified(rig->pool, rig->effects, height);
    work(rig);
}

bool prig_offer(struct pool_rig *rig, const struct sy_hash *digest)
{
    bool offered = sy_pool_offer(rig->pool, rig->effects, digest);
    work(rig);
    return offered;
}

/* ---- the log ----------------------------------------------------------------------------- */

unsigned prig_count(const struct pool_rig *rig, enum sy_pool_effect_type type)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->logged; i++) count += rig->log[i].type == type;
    return count;
}

const struct prig_effect *prig_last(const struct pool_rig *rig, enum sy_pool_effect_type type)
{
    for (unsigned i = rig->logged; i > 0; i--) {
        if (rig->log[i - 1].type == type) return &rig->log[i - 1];
    }
    fail_msg("no effect of type %d", (int)type);
    return NULL;
}

const struct prig_effect *prig_about(const struct pool_rig *rig, enum sy_pool_effect_type type,
                                     const struct sy_hash *digest)
{
    for (unsigned i = rig->logged; i > 0; i--) {
        const struct prig_effect *effect = &rig->log[i - 1];
        if (effect->type == type && sy_hash_equal(&effect->digest, digest)) return effect;
    }
    return NULL;
}

void prig_forget(struct pool_rig *rig)
{
    rig->logged = 0;
}

struct sy_submit_outcome prig_outcome(const struct pool_rig *rig, uint64_t token)
{
    for (unsigned i = rig->logged; i > 0; i--) {
        const struct prig_effect *effect = &rig->log[i - 1];
        if (effect->type == SY_POOL_OUTCOMES && effect->token == token) return effect->first;
    }
    fail_msg("nothing was answered to %u", (unsigned)token);
    return (struct sy_submit_outcome){0};
}
