/* kernel_rig.c: see kernel_rig.h. */
#include "tests/ptx/kernel_rig.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "gpu/device_field.h"
#include "gpu/host_device.h"
#include "tests/support/engines.h"
#include "tests/support/hard_jobs.h"
#include "tests/support/test.h"

#define LEAVES 125u // Blocks are 128, so that some threads have nothing to do.
#define LEAF_BYTES (LEAVES * 200u)
#define TABLED 126u
#define JOBS (TABLED + 125u)
#define STRIDE 259u
#define FINISHERS 100u
#define NODES (SY_GPU_SUBTREE + 341u)
#define TABLES 4u // of keys, and behind them B's
#define BUILDS 2u
#define STEPS_MAX 50000000u
#define PARTS_MAX 8u
#define FILLING 0xa5

/* A device's memory. */
struct world {
    _Alignas(256) uint8_t leaf_bytes[LEAF_BYTES];
    _Alignas(256) uint32_t leaf_offsets[LEAVES + 1];
    _Alignas(256) struct sy_hash leaf_hashes[LEAVES];
    _Alignas(256) uint8_t signatures[JOBS][64];
    _Alignas(256) uint8_t keys[JOBS][32];
    _Alignas(256) struct sy_gpu_head heads[JOBS];
    _Alignas(256) struct sy_hash digests[2][JOBS]; // as of leaves, and others
    _Alignas(256) uint32_t scalars[SY_GPU_SCALAR_WORDS][STRIDE];
    _Alignas(256) uint32_t points[SY_GPU_POINT_WORDS][STRIDE];
    _Alignas(256) uint32_t products[SY_GPU_PRODUCT_WORDS][STRIDE];
    _Alignas(256) uint8_t flags[STRIDE];
    _Alignas(256) uint8_t verdicts[JOBS];
    _Alignas(256) struct sy_hash nodes[NODES];
    _Alignas(256) struct sy_hash roots[2];
    _Alignas(256) uint8_t tables[TABLES + 1][SY_GPU_TABLE_BYTES];
    _Alignas(256) uint8_t edge_tables[TABLES + 1][SY_GPU_TABLE_BYTES];
    _Alignas(256) uint32_t edge_points[SY_GPU_POINT_WORDS][STRIDE];
    _Alignas(256) uint32_t edge_sums[SY_GPU_POINT_WORDS][STRIDE];
    _Alignas(256) uint8_t edge_signatures[JOBS][64];
    _Alignas(256) uint8_t edge_flags[STRIDE];
    _Alignas(256) uint8_t edge_verdicts[JOBS];
    _Alignas(256) struct sy_public_key new_keys[BUILDS];
    _Alignas(256) uint32_t places[BUILDS];
    _Alignas(256) uint8_t new_tables[BUILDS][SY_GPU_TABLE_BYTES];
    _Alignas(256) uint8_t built[BUILDS];
    _Alignas(256) uint8_t scratch[BUILDS][SY_GPU_BUILD_SCRATCH];
};

union arguments {
    struct sy_gpu_leaves leaves;
    struct sy_gpu_challenge challenge;
    struct sy_gpu_points points;
    struct sy_gpu_finish finish;
    struct sy_gpu_subtrees subtrees;
    struct sy_gpu_build build;
};

/* What a kernel does with its memory. ADDED_TO: writes it here and there, and never reads it. */
enum use { READ, WRITTEN, ADDED_TO, CHANGED };

struct part {
    void *start;
    size_t bytes;
    enum use how;
};

struct run {
    union arguments arguments;
    uint32_t blocks;
    struct part parts[PARTS_MAX];
    uint32_t part_count;
};

static struct {
    struct world *world, *before, *by_ptx;
    struct sy_sig_job jobs[JOBS];
    void *device, *stream;
} rig;

#define PART(run, member, what) add_part(run, rig.world->member, sizeof rig.world->member, what)
#define AT(member) ((uintptr_t)rig.world->member)

static void add_part(struct run *run, void *start, size_t bytes, enum use how)
{
    struct part *part = &run->parts[run->part_count++];
    part->start = start;
    part->bytes = bytes;
    part->how = how;
}

// --- cases ---------------------------------------------------------------------------------------

static void prepare_leaves(struct run *run)
{
    // The aligned eight bytes in which the last leaf ends are the last that may be read.
    size_t bytes = (rig.world->leaf_offsets[LEAVES] + 7u) / 8 * 8;
    run->arguments.leaves = (struct sy_gpu_leaves){.bytes = AT(leaf_bytes),
                                                   .offsets = AT(leaf_offsets),
                                                   .hashes = AT(leaf_hashes),
                                                   .count = LEAVES};
    run->blocks = 1;
    add_part(run, rig.world->leaf_bytes, bytes, READ);
    PART(run, leaf_offsets, READ);
    PART(run, leaf_hashes, WRITTEN);
}

static void prepare_challenge(struct run *run)
{
    run->arguments.challenge = (struct sy_gpu_challenge){.signatures = AT(signatures),
                                                         .keys = AT(keys),
                                                         .heads = AT(heads),
                                                         .leaf_hashes = AT(digests[0]),
                                                         .digests = AT(digests[1]),
                                                         .scalars = AT(scalars),
                                                         .flags = AT(flags),
                                                         .stride = STRIDE,
                                                         .count = JOBS};
    run->blocks = 2;
    PART(run, signatures, READ);
    PART(run, keys, READ);
    PART(run, heads, READ);
    PART(run, digests, READ);
    PART(run, scalars, WRITTEN);
    PART(run, flags, WRITTEN);
}

static void prepare_points(struct run *run)
{
    run->arguments.points = (struct sy_gpu_points){.keys = AT(keys),
                                                   .heads = AT(heads),
                                                   .scalars = AT(scalars),
                                                   .tables = AT(tables),
                                                   .base = AT(tables[TABLES]),
                                                   .points = AT(points),
                                                   .flags = AT(flags),
                                                   .stride = STRIDE};
    run->blocks = 1;
    PART(run, heads, READ);
    PART(run, scalars, READ);
}

static void prepare_tabled(struct run *run)
{
    prepare_points(run);
    run->arguments.points.count = TABLED;
    PART(run, tables, READ);
    PART(run, points, WRITTEN);
}

static void prepare_tabled_edges(struct run *run)
{
    prepare_points(run);
    run->arguments.points.count = TABLED;
    run->arguments.points.tables = AT(edge_tables);
    run->arguments.points.base = AT(edge_tables[TABLES]);
    run->arguments.points.points = AT(edge_sums);
    PART(run, edge_tables, READ);
    PART(run, edge_sums, WRITTEN);
}

static void prepare_general(struct run *run)
{
    prepare_points(run);
    run->arguments.points.first = TABLED;
    run->arguments.points.count = JOBS - TABLED;
    PART(run, tables, READ);
    PART(run, keys, READ);
    PART(run, points, ADDED_TO);
    PART(run, flags, CHANGED);
}

static void prepare_finish(struct run *run)
{
    run->arguments.finish = (struct sy_gpu_finish){.points = AT(points),
                                                   .signatures = AT(signatures),
                                                   .flags = AT(flags),
                                                   .products = AT(products),
                                                   .verdicts = AT(verdicts),
                                                   .stride = STRIDE,
                                                   .count = JOBS,
                                                   .threads = FINISHERS};
    run->blocks = 1;
    PART(run, products, WRITTEN);
}

static void prepare_finish_jobs(struct run *run)
{
    prepare_finish(run);
    PART(run, points, READ);
    PART(run, signatures, READ);
    PART(run, flags, READ);
    PART(run, verdicts, WRITTEN);
}

static void prepare_finish_edges(struct run *run)
{
    prepare_finish(run);
    run->arguments.finish.points = AT(edge_points);
    run->arguments.finish.signatures = AT(edge_signatures);
    run->arguments.finish.flags = AT(edge_flags);
    run->arguments.finish.verdicts = AT(edge_verdicts);
    PART(run, edge_points, READ);
    PART(run, edge_signatures, READ);
    PART(run, edge_flags, READ);
    PART(run, edge_verdicts, WRITTEN);
}

static void prepare_subtrees(struct run *run)
{
    run->arguments.subtrees =
        (struct sy_gpu_subtrees){.from = AT(nodes), .to = AT(roots), .count = NODES};
    run->blocks = 2;
    PART(run, nodes, READ);
    PART(run, roots, WRITTEN);
}

// A key, and what is none.
static void prepare_build(struct run *run)
{
    run->arguments.build = (struct sy_gpu_build){.keys = AT(new_keys),
                                                 .places = AT(places),
                                                 .tables = AT(new_tables),
                                                 .built = AT(built),
                                                 .scratch = AT(scratch),
                                                 .count = BUILDS};
    run->blocks = BUILDS;
    rig.world->new_keys[0] = rig.jobs[0].key;
    rig.world->new_keys[1] = (struct sy_public_key){{2}}; // No point has y = 2.
    rig.world->places[0] = 1;
    rig.world->places[1] = 0;
    PART(run, new_keys, READ);
    PART(run, places, READ);
    PART(run, new_tables, WRITTEN);
    PART(run, built, WRITTEN);
    PART(run, scratch, WRITTEN);
}

static void write_base(struct sy_public_key *base)
{
    memset(base->bytes, 0x66, sizeof base->bytes); // y = 4/5
    base->bytes[0] = 0x58;
}

static void prepare_build_base(struct run *run)
{
    prepare_build(run);
    run->arguments.build.plus = 1;
    run->arguments.build.count = run->blocks = 1;
    write_base(&rig.world->new_keys[0]);
}

static const struct {
    const char *name;
    enum sy_gpu_kernel kernel;
    void (*prepare)(struct run *run);
} cases[KERNEL_RIG_CASES] = {
    {"leaves", SY_GPU_LEAVES, prepare_leaves},
    {"challenge", SY_GPU_CHALLENGE, prepare_challenge},
    {"tabled", SY_GPU_TABLED, prepare_tabled},
    {"general", SY_GPU_GENERAL, prepare_general},
    {"finish", SY_GPU_FINISH, prepare_finish_jobs},
    {"subtrees", SY_GPU_SUBTREES, prepare_subtrees},
    {"build (keys)", SY_GPU_BUILD, prepare_build},
    {"build (B)", SY_GPU_BUILD, prepare_build_base},
    {"finish (edges)", SY_GPU_FINISH, prepare_finish_edges},
    {"tabled (edges)", SY_GPU_TABLED, prepare_tabled_edges},
};

const char *kernel_rig_name(unsigned number)
{
    return cases[number].name;
}

// --- both ways -----------------------------------------------------------------------------------

static void run_as_c(enum sy_gpu_kernel kernel, uint32_t blocks, const void *arguments)
{
    assert_int_equal(sy_gpu_host.launch(rig.device, rig.stream, kernel, blocks, arguments), SY_OK);
    assert_int_equal(sy_gpu_host.wait(rig.device, rig.stream, 0), SY_OK);
}

static sy_status run_as_ptx(ptx_program *program, enum sy_gpu_kernel kernel, const struct run *run,
                            struct sy_error *err)
{
    ptx_memory *memory = ptx_memory_open();
    struct ptx_launch launch = {.entry = sy_gpu_kernels[kernel].name,
                                .threads = sy_gpu_kernels[kernel].threads,
                                .arguments = &run->arguments,
                                .argument_bytes = sy_gpu_kernels[kernel].argument_bytes,
                                .steps_max = STEPS_MAX};
    sy_status status = SY_OK;
    for (uint32_t i = 0; i < run->part_count; i++) {
        const struct part *part = &run->parts[i];
        ptx_memory_add(memory, part->start, part->bytes, part->how == READ || part->how == CHANGED);
    }
    for (; status == SY_OK && launch.block < run->blocks; launch.block++) {
        status = ptx_run(program, memory, &launch, err);
    }
    ptx_memory_close(memory);
    return status;
}

static sy_status compare(const struct run *run, struct sy_error *err)
{
    const uint8_t *c = (const uint8_t *)rig.world, *ptx = (const uint8_t *)rig.by_ptx;
    if (memcmp(c, ptx, sizeof *rig.world) == 0) return SY_OK;
    size_t at = 0;
    while (c[at] == ptx[at]) at++;
    for (uint32_t i = 0; i < run->part_count; i++) {
        size_t start = (size_t)((const uint8_t *)run->parts[i].start - c);
        if (at < start || at - start >= run->parts[i].bytes) continue;
        return sy_fail(err, SY_ERR_EXISTS, "byte %zu of its array %u is %02x, and %02x by C",
                       at - start, i, ptx[at], c[at]);
    }
    return sy_fail(err, SY_ERR_EXISTS, "it changed byte %zu, which is not its own", at);
}

sy_status kernel_rig_run(ptx_program *program, unsigned number, struct sy_error *err)
{
    struct run run = {.part_count = 0};
    cases[number].prepare(&run);
    for (uint32_t i = 0; i < run.part_count; i++) {
        if (run.parts[i].how == WRITTEN) memset(run.parts[i].start, FILLING, run.parts[i].bytes);
    }
    memcpy(rig.before, rig.world, sizeof *rig.world);
    sy_status status = run_as_ptx(program, cases[number].kernel, &run, err);
    memcpy(rig.by_ptx, rig.world, sizeof *rig.world);
    memcpy(rig.world, rig.before, sizeof *rig.world);
    run_as_c(cases[number].kernel, run.blocks, &run.arguments);
    return status == SY_OK ? compare(&run, err) : status;
}

// --- what there is to do -------------------------------------------------------------------------

static void draw_leaves(sy_prng *prng)
{
    struct world *world = rig.world;
    sy_prng_fill(prng, world->leaf_bytes, sizeof world->leaf_bytes);
    world->leaf_offsets[0] = (uint32_t)sy_prng_below(prng, 16);
    for (uint32_t i = 0; i < LEAVES; i++) { // One in a while is empty, some take several blocks.
        uint32_t size = (uint32_t)(i % 9 == 0 ? 0 : sy_prng_below(prng, i % 7 == 0 ? 500 : 150));
        world->leaf_offsets[i + 1] = world->leaf_offsets[i] + size;
    }
    assert_true(world->leaf_offsets[LEAVES] <= LEAF_BYTES - 8);
    sy_prng_fill(prng, world->nodes, sizeof world->nodes);
}

// Of the first TABLES keys that the pool of good jobs has: number i, n and n + 32 have the same.
static void draw_tabled(struct sy_sig_job *job, sy_prng *prng)
{
    *job = *hard_jobs_good(
        (uint32_t)(sy_prng_below(prng, HARD_JOBS_GOOD / 32) * 32 + sy_prng_below(prng, TABLES)));
    if (sy_prng_chance(prng, 1, 4)) job->signature.bytes[sy_prng_below(prng, 64)] ^= 0x10;
}

static void draw_jobs(sy_prng *prng)
{
    struct world *world = rig.world;
    sy_prng_fill(prng, world->digests, sizeof world->digests);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct sy_sig_job *job = &rig.jobs[i];
        if (i < TABLED) {
            draw_tabled(job, prng);
        } else if (i % 2) {
            hard_jobs_draw(job, prng);
        } else {
            *job = *hard_jobs_good((uint32_t)sy_prng_below(prng, HARD_JOBS_GOOD));
        }
        memcpy(world->signatures[i], job->signature.bytes, 64);
        memcpy(world->keys[i], job->key.bytes, 32);
        world->digests[i % 2][i] = job->digest;
        world->heads[i] = (struct sy_gpu_head){
            .hash = i | (i % 2 ? SY_GPU_DIGEST : 0u), .table = UINT32_MAX, .kind = job->kind};
        for (uint32_t k = 0; i < TABLED && k < TABLES; k++) {
            if (memcmp(&job->key, &hard_jobs_good(k)->key, 32) == 0) world->heads[i].table = k;
        }
        assert_true(i >= TABLED || world->heads[i].table < TABLES);
    }
}

static uint32_t draw_edge(sy_prng *prng)
{
    uint64_t which = sy_prng_below(prng, 4);
    return which == 0 ? 0 : which == 1 ? (uint32_t)sy_prng_next(prng) : UINT32_MAX;
}

// The encoding of a point of edges, which makes its verdict 1, as most are.
static void encode_edge(uint32_t i)
{
    struct sy_fe x, y, z;
    for (uint32_t w = 0; w < 8; w++) {
        x.v[w] = rig.world->edge_points[w][i];
        y.v[w] = rig.world->edge_points[8 + w][i];
        z.v[w] = rig.world->edge_points[16 + w][i];
    }
    sy_fe_invert(&z, &z);
    sy_fe_mul(&x, &x, &z);
    sy_fe_mul(&y, &y, &z);
    sy_fe_freeze(&x, &x);
    sy_fe_freeze(&y, &y);
    y.v[7] |= x.v[0] << 31;
    for (uint32_t k = 0; k < 32; k++) {
        rig.world->edge_signatures[i][k] = (uint8_t)(y.v[k / 4] >> 8 * (k % 4));
    }
    if (i % 5 == 0) rig.world->edge_signatures[i][i % 32] ^= 0x10;
}

// Tables have numbers below p; points have any below 2^256.
static void draw_edges(sy_prng *prng)
{
    uint32_t *words = (uint32_t *)(void *)rig.world->edge_tables;
    for (size_t i = 0; i < sizeof rig.world->edge_tables / 4; i++) {
        words[i] = draw_edge(prng);
        if (i % 8 == 7) words[i] &= 0x7fffffffu;
        if (i % 8 == 0 && words[i] == UINT32_MAX) words[i] = 0xffffffecu; // p - 1 at most
    }
    words = &rig.world->edge_points[0][0];
    for (size_t i = 0; i < sizeof rig.world->edge_points / 4; i++) words[i] = draw_edge(prng);
    for (uint32_t i = 0; i < JOBS; i++) encode_edge(i);
    memset(rig.world->edge_flags, 1, sizeof rig.world->edge_flags);
}

// The tables that jobs go by, made by C.
static void build_tables(void)
{
    for (uint32_t place = 0; place <= TABLES; place++) {
        struct run run = {.part_count = 0};
        prepare_build(&run);
        run.arguments.build.plus = place == TABLES;
        run.arguments.build.tables = AT(tables);
        if (place < TABLES) rig.world->new_keys[0] = hard_jobs_good(place)->key;
        if (place == TABLES) write_base(&rig.world->new_keys[0]);
        rig.world->places[0] = place;
        run_as_c(SY_GPU_BUILD, 1, &run.arguments);
        assert_int_equal(rig.world->built[0], 1);
    }
}

static struct world *make_world(void)
{
    struct world *world = (struct world *)aligned_alloc(256, sizeof *world);
    assert_non_null(world);
    memset(world, FILLING, sizeof *world);
    return world;
}

void kernel_rig_open(sy_prng *prng)
{
    hard_jobs_open();
    rig.world = make_world();
    rig.before = make_world();
    rig.by_ptx = make_world();
    assert_int_equal(sy_gpu_host.open(&rig.device, NULL), SY_OK);
    assert_int_equal(sy_gpu_host.open_stream(rig.device, &rig.stream), SY_OK);
    draw_leaves(prng);
    draw_jobs(prng);
    draw_edges(prng);
    build_tables();
}

void kernel_rig_close(void)
{
    sy_gpu_host.close_stream(rig.device, rig.stream);
    sy_gpu_host.close(rig.device);
    free(rig.world);
    free(rig.before);
    free(rig.by_ptx);
    hard_jobs_close();
}

void kernel_rig_check(void)
{
    const struct world *world = rig.world;
    struct sy_hash expected, scratch[SY_GPU_SUBTREE];
    uint32_t good = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        bool is_good = engines_oracle(&rig.jobs[i]);
        assert_int_equal(world->verdicts[i], is_good);
        good += is_good;
    }
    assert_true(good > JOBS / 3 && good < JOBS);
    for (uint32_t i = 0; i < JOBS; i++) assert_int_equal(world->edge_verdicts[i], i % 5 != 0);
    for (uint32_t i = 0; i < LEAVES; i++) {
        uint32_t from = world->leaf_offsets[i];
        sy_hash_leaf(&expected, (struct sy_slice){world->leaf_bytes + from,
                                                  world->leaf_offsets[i + 1] - from});
        assert_memory_equal(&world->leaf_hashes[i], &expected, sizeof expected);
    }
    for (uint32_t block = 0; block < 2; block++) {
        uint32_t from = block * SY_GPU_SUBTREE;
        sy_merkle_root_by(&sy_sha256_openssl, &expected, scratch, world->nodes + from,
                          block == 0 ? SY_GPU_SUBTREE : NODES - SY_GPU_SUBTREE);
        assert_memory_equal(&world->roots[block], &expected, sizeof expected);
    }
    // B's table is the one that gave these verdicts.
    assert_memory_equal(world->new_tables[1], world->tables[TABLES], SY_GPU_TABLE_BYTES);
}
