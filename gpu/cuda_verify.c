/* cuda_verify.c: signatures on the device, and the tables they need; see cuda_lane.h.
 *
 * A piece of n jobs, those under keys with a table first, is packed as
 *
 *     signatures   64 n
 *     keys         32 n
 *     heads        struct sy_gpu_head [n]
 *     then         32 bytes for each job that signs no leaf: its digest
 *     or, raw      k and S, u32 [16][n], and flags, u8 [n] */
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/ed25519_scalar.h"
#include "core/crypto/sha512_many.h"
#include "gpu/cuda_lane.h"

#define PACKED_BYTES (64 + 32 + sizeof(struct sy_gpu_head))
#define RAW_BYTES (PACKED_BYTES + 4 * SY_GPU_SCALAR_WORDS + 1)
_Static_assert((PACKED_BYTES + 32) * SY_GPU_PIECE_MAX <= SY_GPU_STAGING_BYTES, "a piece fits");
_Static_assert(RAW_BYTES *SY_GPU_PIECE_RAW <= SY_GPU_STAGING_BYTES, "a raw piece fits");
_Static_assert((uint64_t)SY_GPU_BUILD_TOGETHER *SY_GPU_BUILD_SCRATCH <= SY_GPU_WORK_BYTES,
               "tables are built in a piece's scratch");

// Fewer inversions take longer each: so many threads keep a large device busy.
#define FINISH_THREADS 8192u

// Where jobs come from: a submission's, or raw ones.
struct source {
    const struct sy_submission *submission;
    const struct sy_raw_job *raw;
    uint8_t *verdicts;
};

static const struct sy_public_key *key_at(const struct source *source, uint32_t index)
{
    return source->raw ? &source->raw[index].key : &source->submission->jobs[index].key;
}

static const struct sy_signature *signature_at(const struct source *source, uint32_t index)
{
    return source->raw ? &source->raw[index].signature : &source->submission->jobs[index].signature;
}

// --- packing -------------------------------------------------------------------------------------

// Finds the tables of a piece's jobs and orders them. Returns how many have one.
static uint32_t order_jobs(struct sy_gpu_half *half, const struct source *source)
{
    uint32_t tabled = 0;
    for (uint32_t i = 0; i < half->count; i++) {
        uint32_t index = half->first + i;
        uint32_t handle =
            source->raw ? SY_KEY_HANDLE_NONE : source->submission->jobs[index].key_handle;
        half->tables[i] = sy_key_tables_find(half->state->keys, handle, key_at(source, index));
        tabled += half->tables[i] != NULL;
    }
    uint32_t next = 0, next_general = tabled;
    for (uint32_t i = 0; i < half->count; i++) {
        half->order[half->tables[i] ? next++ : next_general++] = i;
    }
    return tabled;
}

// Returns how many digests there are.
static uint32_t pack_jobs(const struct sy_gpu_half *half, const struct source *source)
{
    uint32_t count = half->count, digests = 0;
    uint8_t *signatures = half->staging;
    uint8_t *keys = signatures + (size_t)64 * count;
    struct sy_gpu_head *heads = (struct sy_gpu_head *)(void *)(keys + (size_t)32 * count);
    uint8_t *rest = (uint8_t *)(heads + count);
    for (uint32_t place = 0; place < count; place++) {
        uint32_t i = half->order[place], index = half->first + i;
        struct sy_gpu_head head = {.table = 0};
        if (half->tables[i]) {
            head.table = sy_key_tables_place(half->state->keys, half->tables[i]);
        }
        memcpy(signatures + (size_t)64 * place, signature_at(source, index), 64);
        memcpy(keys + (size_t)32 * place, key_at(source, index), 32);
        if (source->submission) {
            const struct sy_sig_job *job = &source->submission->jobs[index];
            head.kind = job->kind;
            head.hash = job->leaf;
            if (job->leaf == SY_JOB_NO_LEAF) {
                head.hash = SY_GPU_DIGEST | digests;
                memcpy(rest + (size_t)32 * digests++, &job->digest, 32);
            }
        }
        heads[place] = head;
    }
    return digests;
}

static void put_scalar(uint32_t *words, uint32_t stride, uint32_t place,
                       const struct sy_scalar *scalar)
{
    for (size_t i = 0; i < 8; i++) {
        words[i * stride + place] = (uint32_t)(scalar->word[i / 2] >> i % 2 * 32);
    }
}

// Messages of any length are hashed here.
static void pack_scalars(const struct sy_gpu_half *half, const struct source *source)
{
    uint32_t count = half->count;
    uint32_t *scalars = (uint32_t *)(void *)(half->staging + PACKED_BYTES * count);
    uint8_t *flags = (uint8_t *)(scalars + (size_t)SY_GPU_SCALAR_WORDS * count);
    for (uint32_t place = 0; place < count; place++) {
        const struct sy_raw_job *job = &source->raw[half->first + half->order[place]];
        const struct sy_slice parts[] = {sy_slice_of(job->signature.bytes, 32),
                                         sy_slice_of(job->key.bytes, 32), job->message};
        uint8_t hash[64];
        struct sy_scalar k, s;
        sy_sha512_parts(hash, parts, 3);
        sy_scalar_reduce(&k, hash);
        flags[place] = sy_scalar_read(&s, job->signature.bytes + 32);
        if (!flags[place]) s = (struct sy_scalar){{0}};
        put_scalar(scalars, count, place, &k);
        put_scalar(scalars + (size_t)8 * count, count, place, &s);
    }
}

// --- a piece -------------------------------------------------------------------------------------

// Device addresses of what a piece's kernels hand each other.
struct places {
    uint64_t scalars, points, products, flags, verdicts;
};

static struct places place_all(const struct sy_gpu_half *half, bool raw)
{
    struct places at;
    uint64_t count = half->count;
    at.points = half->work;
    at.products = at.points + 4 * SY_GPU_POINT_WORDS * count;
    at.scalars = at.products + 4 * SY_GPU_PRODUCT_WORDS * count;
    at.flags = at.scalars + 4 * SY_GPU_SCALAR_WORDS * count;
    at.verdicts = at.flags + count;
    if (raw) {
        at.scalars = half->staged + PACKED_BYTES * count;
        at.flags = at.scalars + 4 * SY_GPU_SCALAR_WORDS * count;
    }
    return at;
}

static sy_status launch_challenge(struct sy_gpu_half *half, const struct sy_gpu_lane *lane,
                                  const struct places *at)
{
    uint64_t count = half->count;
    struct sy_gpu_challenge arguments = {.signatures = half->staged,
                                         .keys = half->staged + 64 * count,
                                         .heads = half->staged + 96 * count,
                                         .leaf_hashes = lane->hashes,
                                         .digests = half->staged + PACKED_BYTES * count,
                                         .scalars = at->scalars,
                                         .flags = at->flags,
                                         .stride = half->count,
                                         .count = half->count};
    return sy_gpu_half_launch(half, SY_GPU_CHALLENGE, half->count, &arguments);
}

static sy_status launch_points(struct sy_gpu_half *half, const struct places *at, uint32_t tabled)
{
    uint64_t count = half->count;
    struct sy_gpu_points arguments = {.keys = half->staged + 64 * count,
                                      .heads = half->staged + 96 * count,
                                      .scalars = at->scalars,
                                      .tables = half->state->tables,
                                      .base = half->state->base,
                                      .points = at->points,
                                      .flags = at->flags,
                                      .stride = half->count,
                                      .first = 0,
                                      .count = tabled};
    if (tabled > 0) SY_TRY(sy_gpu_half_launch(half, SY_GPU_TABLED, tabled, &arguments));
    arguments.first = tabled;
    arguments.count = half->count - tabled;
    if (arguments.count == 0) return SY_OK;
    return sy_gpu_half_launch(half, SY_GPU_GENERAL, arguments.count, &arguments);
}

static sy_status launch_finish(struct sy_gpu_half *half, const struct places *at)
{
    uint32_t threads = half->count < FINISH_THREADS ? half->count : FINISH_THREADS;
    struct sy_gpu_finish arguments = {.points = at->points,
                                      .signatures = half->staged,
                                      .flags = at->flags,
                                      .products = at->products,
                                      .verdicts = at->verdicts,
                                      .stride = half->count,
                                      .count = half->count,
                                      .threads = threads};
    SY_TRY(sy_gpu_half_launch(half, SY_GPU_FINISH, threads, &arguments));
    return sy_gpu_half_fetch(half, 0, at->verdicts, half->count);
}

static sy_status start_piece(struct sy_gpu_half *half, const struct sy_gpu_lane *lane,
                             const struct source *source, uint32_t first, uint32_t count)
{
    half->first = first;
    half->count = count;
    uint32_t tabled = order_jobs(half, source);
    uint32_t digests = pack_jobs(half, source);
    if (source->raw) pack_scalars(half, source);
    struct places at = place_all(half, source->raw != NULL);
    SY_TRY(sy_gpu_half_send(half, source->raw ? RAW_BYTES * count
                                              : PACKED_BYTES * count + (size_t)32 * digests));
    if (!source->raw) SY_TRY(launch_challenge(half, lane, &at));
    SY_TRY(launch_points(half, &at, tabled));
    return launch_finish(half, &at);
}

static sy_status finish_piece(struct sy_gpu_half *half, const struct source *source)
{
    if (half->count == 0) return SY_OK;
    SY_TRY(sy_gpu_half_wait(half));
    for (uint32_t place = 0; place < half->count; place++) {
        uint32_t i = half->order[place], index = half->first + i;
        source->verdicts[index] = half->out[place];
        if (half->out[place] == 1) {
            sy_key_tables_credit(half->state->keys, half->tables[i], key_at(source, index));
        }
    }
    half->count = 0;
    return SY_OK;
}

static sy_status verify_pieces(struct sy_gpu_lane *lane, const struct source *source,
                               uint32_t count)
{
    uint32_t most = lane->half[0].state->driver->piece;
    if (source->raw && most > SY_GPU_PIECE_RAW) most = SY_GPU_PIECE_RAW;
    unsigned turn = 0;
    for (uint32_t first = 0; first < count; turn++) {
        struct sy_gpu_half *half = &lane->half[turn % 2];
        uint32_t own = count - first < most ? count - first : most;
        SY_TRY(finish_piece(half, source));
        SY_TRY(start_piece(half, lane, source, first, own));
        first += own;
    }
    SY_TRY(finish_piece(&lane->half[turn % 2], source));
    return finish_piece(&lane->half[1 - turn % 2], source);
}

// Tables that the pieces found stay whole until all of them are done.
static sy_status verify_pinned(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                               const struct source *source, uint32_t count)
{
    unsigned pin = sy_key_tables_pin(state->keys);
    sy_status status = verify_pieces(lane, source, count);
    sy_key_tables_unpin(state->keys, pin);
    return status;
}

sy_status sy_gpu_verify_jobs(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                             const struct sy_submission *submission)
{
    struct source source = {.submission = submission, .verdicts = submission->verdicts};
    return verify_pinned(state, lane, &source, submission->job_count);
}

sy_status sy_gpu_verify_raw(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                            const struct sy_raw_job *jobs, uint32_t count, uint8_t *verdicts)
{
    struct source source = {.raw = jobs, .verdicts = verdicts};
    if (count == 0) return SY_OK;
    SY_ASSERT(jobs);
    return verify_pinned(state, lane, &source, count);
}

// --- tables --------------------------------------------------------------------------------------

struct order {
    uint8_t keys[SY_GPU_BUILD_TOGETHER][32];
    uint32_t places[SY_GPU_BUILD_TOGETHER];
};

static sy_status build_on(struct sy_gpu_half *half, const struct order *order, uint64_t tables,
                          bool plus, uint32_t count)
{
    memcpy(half->staging, order, sizeof *order);
    struct sy_gpu_build arguments = {.keys = half->staged + offsetof(struct order, keys),
                                     .places = half->staged + offsetof(struct order, places),
                                     .tables = tables,
                                     .built = half->staged + sizeof *order,
                                     .scratch = half->work,
                                     .plus = plus,
                                     .count = count};
    SY_TRY(sy_gpu_half_send(half, sizeof *order));
    SY_TRY(sy_gpu_half_launch(half, SY_GPU_BUILD, count, &arguments));
    SY_TRY(sy_gpu_half_fetch(half, 0, arguments.built, count));
    return sy_gpu_half_wait(half);
}

static sy_status build_order(struct sy_gpu_state *state, const struct order *order, uint64_t tables,
                             bool plus, bool *built, uint32_t count)
{
    struct sy_gpu_lane *lane = NULL;
    SY_TRY(sy_gpu_lane_take(state, &lane));
    struct sy_gpu_half *half = &lane->half[0];
    sy_status status = build_on(half, order, tables, plus, count);
    for (uint32_t i = 0; status == SY_OK && i < count; i++) built[i] = half->out[i] == 1;
    sy_gpu_lane_give(state, lane);
    return status;
}

void sy_gpu_build_tables(void *context, void *const *tables, const struct sy_public_key *keys,
                         bool *built, size_t count)
{
    struct sy_gpu_state *state = (struct sy_gpu_state *)context;
    struct order order;
    SY_ASSERT(count >= 1 && count <= SY_GPU_BUILD_TOGETHER);
    memset(&order, 0, sizeof order);
    for (size_t i = 0; i < count; i++) {
        built[i] = false; // And stays so when the device fails: then no table is ever used.
        memcpy(order.keys[i], keys[i].bytes, 32);
        order.places[i] = sy_key_tables_place(state->keys, tables[i]);
    }
    (void)build_order(state, &order, state->tables, false, built, (uint32_t)count);
}

sy_status sy_gpu_build_base(struct sy_gpu_state *state)
{
    struct order order;
    bool built = false;
    memset(&order, 0, sizeof order);
    memset(order.keys[0], 0x66, 32); // B's encoding (RFC 8032 5.1): y = 4/5, x even.
    order.keys[0][0] = 0x58;
    SY_TRY(build_order(state, &order, state->base, true, &built, 1));
    return built ? SY_OK : sy_gpu_judge(state, SY_ERR_CRYPTO);
}
