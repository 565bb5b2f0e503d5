/* device_kernels.h: what the kernels of kernels.h do, each as a function of its arguments, a block
 * and a thread, so that a device (kernels.cu) and the host twin (host_device.c) run the same code.
 * subtrees works in phases with a barrier between them, on memory that the block shares. */
#ifndef SY_GPU_DEVICE_KERNELS_H
#define SY_GPU_DEVICE_KERNELS_H

#include "gpu/device_hash.h"
#include "gpu/device_point.h"
#include "gpu/device_scalar.h"
#include "gpu/kernels.h"

#define SY_AT(type, address, index) ((type *)(uintptr_t)(address) + (index))

// --- hashes --------------------------------------------------------------------------------------

SY_DEVICE void sy_dev_store_hash(uint64_t to, uint64_t index, const uint32_t state[8])
{
    uint32_t *out = SY_AT(uint32_t, to, index * 8);
    SY_UNROLL
    for (int i = 0; i < 8; i++) out[i] = sy_swap_32(state[i]);
}

SY_DEVICE void sy_dev_load_hash(uint32_t state[8], uint64_t from, uint64_t index)
{
    const uint32_t *in = SY_AT(const uint32_t, from, index * 8);
    sy_load_4(state, in);
    sy_load_4(state + 4, in + 4);
    SY_UNROLL
    for (int i = 0; i < 8; i++) state[i] = sy_swap_32(state[i]);
}

SY_DEVICE void sy_dev_leaves(const struct sy_gpu_leaves *args, uint32_t block, uint32_t thread)
{
    uint32_t state[8], i = block * SY_GPU_BLOCK + thread;
    if (i >= args->count) return;
    const uint32_t *offsets = SY_AT(const uint32_t, args->offsets, i);
    sy_dev_hash_leaf(state, SY_AT(const uint8_t, args->bytes, offsets[0]), offsets[1] - offsets[0]);
    sy_dev_store_hash(args->hashes, i, state);
}

#define SY_GPU_SUBTREE_PHASES 10u

/* Nodes on their way up, by words: word w of node i lies at [w][i], so that threads side by side
 * read side by side. */
struct sy_gpu_shared {
    uint32_t even[8][SY_GPU_SUBTREE / 2]; /* what phases 0, 2, ... leave */
    uint32_t odd[8][SY_GPU_SUBTREE / 4];
};

/* Node i of what phase - 1 left, or of the args' hashes. */
SY_DEVICE void sy_dev_child(uint32_t node[8], const struct sy_gpu_subtrees *args, uint32_t block,
                            uint32_t i, uint32_t phase, const struct sy_gpu_shared *shared)
{
    if (phase == 0) {
        sy_dev_load_hash(node, args->from, (uint64_t)block * SY_GPU_SUBTREE + i);
        return;
    }
    SY_UNROLL
    for (int w = 0; w < 8; w++) node[w] = phase % 2 ? shared->even[w][i] : shared->odd[w][i];
}

/* Phase p takes what the one before left to the nodes above it; the last one writes the block's. */
SY_DEVICE void sy_dev_subtrees(const struct sy_gpu_subtrees *args, uint32_t block, uint32_t thread,
                               uint32_t phase, struct sy_gpu_shared *shared)
{
    uint32_t left = args->count - block * SY_GPU_SUBTREE;
    uint32_t width = left < SY_GPU_SUBTREE ? left : SY_GPU_SUBTREE;
    for (uint32_t i = 0; i < phase; i++) width = (width + 1) / 2;
    SY_ROLL
    for (uint32_t i = thread; i < (width + 1) / 2; i += SY_GPU_BLOCK) {
        uint32_t a[8], b[8];
        sy_dev_child(a, args, block, 2 * i, phase, shared);
        if (2 * i + 1 < width) {
            sy_dev_child(b, args, block, 2 * i + 1, phase, shared);
            sy_dev_hash_node(a, a, b);
        }
        SY_UNROLL
        for (int w = 0; w < 8; w++) *(phase % 2 ? &shared->odd[w][i] : &shared->even[w][i]) = a[w];
        if (phase + 1 == SY_GPU_SUBTREE_PHASES) sy_dev_store_hash(args->to, block, a);
    }
}

// --- challenge -----------------------------------------------------------------------------------

SY_DEVICE void sy_dev_challenge(const struct sy_gpu_challenge *args, uint32_t block,
                                uint32_t thread)
{
    uint32_t number[16], k[8], s[8], i = block * SY_GPU_BLOCK + thread;
    if (i >= args->count) return;
    const uint8_t *signature = SY_AT(const uint8_t, args->signatures, (uint64_t)i * 64);
    const struct sy_gpu_head *head = SY_AT(const struct sy_gpu_head, args->heads, i);
    uint64_t hashes = head->hash & SY_GPU_DIGEST ? args->digests : args->leaf_hashes;
    uint64_t hash = head->hash & ~SY_GPU_DIGEST;
    sy_dev_hash_challenge(number, signature, SY_AT(const uint8_t, args->keys, (uint64_t)i * 32),
                          head->kind, SY_AT(const uint8_t, hashes, hash * 32));
    sy_sc_reduce(k, number);
    SY_UNROLL
    for (int w = 0; w < 8; w++) s[w] = sy_load_word(signature + 32 + 4 * w);
    uint32_t *out = SY_AT(uint32_t, args->scalars, i);
    SY_UNROLL
    for (int w = 0; w < 8; w++) {
        out[(uint64_t)w * args->stride] = k[w];
        out[(uint64_t)(8 + w) * args->stride] = s[w];
    }
    *SY_AT(uint8_t, args->flags, i) = (uint8_t)sy_sc_is_below_order(s);
}

// --- points --------------------------------------------------------------------------------------

SY_DEVICE void sy_dev_store_point(const struct sy_gpu_points *args, uint32_t i,
                                  const struct sy_pt *point)
{
    uint32_t *out = SY_AT(uint32_t, args->points, i);
    SY_UNROLL
    for (int w = 0; w < 8; w++) {
        out[(uint64_t)w * args->stride] = point->x.v[w];
        out[(uint64_t)(8 + w) * args->stride] = point->y.v[w];
        out[(uint64_t)(16 + w) * args->stride] = point->z.v[w];
    }
}

SY_DEVICE void sy_dev_load_fe(struct sy_fe *r, const uint32_t *in)
{
    sy_load_4(r->v, in);
    sy_load_4(r->v + 4, in + 4);
}

/* Adds the number's digits' multiples out of a table: 32 additions, less those of digits 0. */
SY_DEVICE void sy_dev_add_windows(struct sy_pt *point, const uint32_t *scalars, uint32_t stride,
                                  const uint32_t *table)
{
    uint32_t carry = 0, word = 0;
    SY_ROLL
    for (uint32_t w = 0; w < SY_GPU_WINDOWS; w++) {
        if (w % 4 == 0) word = scalars[(uint64_t)(w / 4) * stride];
        int32_t digit = sy_sc_digit_256(word, w, &carry);
        uint32_t minus = digit < 0;
        uint32_t multiple = (uint32_t)(minus ? -digit : digit);
        struct sy_pt_entry entry;
        if (multiple == 0) continue;
        const uint32_t *in =
            table + (w * SY_GPU_WINDOW_ENTRIES + multiple - 1) * (SY_GPU_ENTRY_BYTES / 4);
        sy_dev_load_fe(&entry.plus, in);
        sy_dev_load_fe(&entry.minus, in + 8);
        sy_dev_load_fe(&entry.t2d, in + 16);
        sy_pt_add_entry(point, point, &entry, minus);
    }
}

SY_DEVICE void sy_dev_tabled(const struct sy_gpu_points *args, uint32_t block, uint32_t thread)
{
    uint32_t i = block * SY_GPU_BLOCK + thread;
    struct sy_pt point;
    if (i >= args->count) return;
    i += args->first;
    const uint32_t *scalars = SY_AT(const uint32_t, args->scalars, i);
    uint64_t place = SY_AT(const struct sy_gpu_head, args->heads, i)->table;
    const uint32_t *table = SY_AT(const uint32_t, args->tables, place *(SY_GPU_TABLE_BYTES / 4));
    sy_pt_neutral(&point);
    SY_ROLL
    for (int turn = 0; turn < 2; turn++) { // -k A, then S B: the code once, for the cache's sake.
        sy_dev_add_windows(&point, scalars, args->stride, table);
        scalars += 8 * (uint64_t)args->stride;
        table = SY_AT(const uint32_t, args->base, 0);
    }
    sy_dev_store_point(args, i, &point);
}

/* -k A by windows of four bits, from the highest: k below L has 253 bits, so 64 digits. */
SY_DEVICE void sy_dev_multiply_key(struct sy_pt *r, const struct sy_pt *minus_key,
                                   const uint32_t *scalars, uint32_t stride)
{
    struct sy_pt_cached multiples[8];
    struct sy_pt point = *minus_key;
    int8_t digits[64];
    uint32_t carry = 0;
    sy_pt_cache(&multiples[0], minus_key);
    SY_ROLL
    for (int i = 1; i < 8; i++) {
        sy_pt_add_cached(&point, &point, &multiples[0], 0);
        sy_pt_cache(&multiples[i], &point);
    }
    SY_ROLL
    for (uint32_t w = 0; w < 64; w++) {
        digits[w] = (int8_t)sy_sc_digit_16(scalars[(uint64_t)(w / 8) * stride], w, &carry);
    }
    sy_pt_neutral(r);
    SY_ROLL
    for (int w = 63; w >= 0; w--) {
        SY_ROLL
        for (int i = 0; i < 4 && w < 63; i++) sy_pt_double(r, r, i == 3);
        uint32_t minus = digits[w] < 0;
        uint32_t multiple = (uint32_t)(minus ? -digits[w] : digits[w]);
        if (multiple > 0) sy_pt_add_cached(r, r, &multiples[multiple - 1], minus);
    }
}

SY_DEVICE void sy_dev_general(const struct sy_gpu_points *args, uint32_t block, uint32_t thread)
{
    uint32_t i = block * SY_GPU_BLOCK + thread;
    struct sy_pt key, point;
    if (i >= args->count) return;
    i += args->first;
    const uint32_t *scalars = SY_AT(const uint32_t, args->scalars, i);
    sy_pt_neutral(&point);
    if (sy_pt_decode(&key, SY_AT(const uint8_t, args->keys, (uint64_t)i * 32), 1)) {
        sy_dev_multiply_key(&point, &key, scalars, args->stride);
        sy_dev_add_windows(&point, scalars + 8 * (uint64_t)args->stride, args->stride,
                           SY_AT(const uint32_t, args->base, 0));
    } else {
        *SY_AT(uint8_t, args->flags, i) = 0;
    }
    sy_dev_store_point(args, i, &point);
}

// --- finish --------------------------------------------------------------------------------------

SY_DEVICE void sy_dev_load_words(struct sy_fe *r, uint64_t from, uint32_t row, uint32_t stride,
                                 uint32_t i)
{
    const uint32_t *in = SY_AT(const uint32_t, from, (uint64_t)row *stride + i);
    SY_UNROLL
    for (int w = 0; w < 8; w++) r->v[w] = in[(uint64_t)w * stride];
}

SY_DEVICE void sy_dev_decide(const struct sy_gpu_finish *args, uint32_t i, const struct sy_fe *z)
{
    const uint8_t *r = SY_AT(const uint8_t, args->signatures, (uint64_t)i * 64);
    struct sy_fe x, y;
    uint32_t differs = 0;
    sy_dev_load_words(&x, args->points, 0, args->stride, i);
    sy_dev_load_words(&y, args->points, 8, args->stride, i);
    sy_fe_mul(&x, &x, z);
    sy_fe_mul(&y, &y, z);
    sy_fe_freeze(&x, &x);
    sy_fe_freeze(&y, &y);
    y.v[7] |= x.v[0] << 31;
    SY_UNROLL
    for (int w = 0; w < 8; w++) differs |= y.v[w] ^ sy_load_word(r + 4 * w);
    *SY_AT(uint8_t, args->verdicts, i) =
        (uint8_t)(differs == 0 && *SY_AT(const uint8_t, args->flags, i) == 1);
}

SY_DEVICE void sy_dev_finish(const struct sy_gpu_finish *args, uint32_t block, uint32_t thread)
{
    uint32_t t = block * SY_GPU_BLOCK + thread, step = args->threads;
    struct sy_fe product, z, inverse;
    if (t >= step || t >= args->count) return;
    uint32_t last = t + (args->count - 1 - t) / step * step;
    sy_fe_set(&product, 1);
    SY_ROLL
    for (uint32_t i = t; i < args->count; i += step) { // Products of those before.
        uint32_t *out = SY_AT(uint32_t, args->products, i);
        SY_UNROLL
        for (int w = 0; w < 8; w++) out[(uint64_t)w * args->stride] = product.v[w];
        sy_dev_load_words(&z, args->points, 16, args->stride, i);
        sy_fe_mul(&product, &product, &z);
    }
    sy_fe_invert(&inverse, &product);
    SY_ROLL
    for (uint32_t i = last;; i -= step) {
        sy_dev_load_words(&product, args->products, 0, args->stride, i);
        sy_dev_load_words(&z, args->points, 16, args->stride, i);
        sy_fe_mul(&product, &product, &inverse);
        sy_fe_mul(&inverse, &inverse, &z);
        sy_dev_decide(args, i, &product);
        if (i == t) break;
    }
}

// --- tables --------------------------------------------------------------------------------------

/* X, Y, Z of a multiple, and the product of the Z before it. */
struct sy_gpu_raw_entry {
    struct sy_fe x, y, z, product;
};

SY_DEVICE void sy_dev_store_entry(uint32_t *out, const struct sy_gpu_raw_entry *raw,
                                  const struct sy_fe *z)
{
    struct sy_fe x, y, f, d2 = SY_FE_2D;
    sy_fe_mul(&x, &raw->x, z);
    sy_fe_mul(&y, &raw->y, z);
    sy_fe_add(&f, &y, &x);
    sy_fe_freeze(&f, &f);
    SY_UNROLL
    for (int w = 0; w < 8; w++) out[w] = f.v[w];
    sy_fe_sub(&f, &y, &x);
    sy_fe_freeze(&f, &f);
    SY_UNROLL
    for (int w = 0; w < 8; w++) out[8 + w] = f.v[w];
    sy_fe_mul(&f, &x, &y);
    sy_fe_mul(&f, &f, &d2);
    sy_fe_freeze(&f, &f);
    SY_UNROLL
    for (int w = 0; w < 8; w++) out[16 + w] = f.v[w];
}

/* A block a key, a thread a window. */
SY_DEVICE void sy_dev_build(const struct sy_gpu_build *args, uint32_t block, uint32_t thread)
{
    uint64_t place = *SY_AT(const uint32_t, args->places, block);
    uint32_t *table = SY_AT(uint32_t, args->tables, place * (SY_GPU_TABLE_BYTES / 4));
    struct sy_gpu_raw_entry *raw =
        SY_AT(struct sy_gpu_raw_entry, args->scratch,
              (block * SY_GPU_WINDOWS + thread) * (uint64_t)SY_GPU_WINDOW_ENTRIES);
    struct sy_pt point;
    struct sy_pt_cached step;
    struct sy_fe product, z;
    uint32_t found = sy_pt_decode(&point, SY_AT(const uint8_t, args->keys, (uint64_t)block * 32),
                                  1u - args->plus);
    if (thread == 0) *SY_AT(uint8_t, args->built, block) = (uint8_t)found;
    if (!found) return;
    SY_ROLL
    for (uint32_t i = 0; i < 8 * thread; i++) sy_pt_double(&point, &point, 1);
    sy_pt_cache(&step, &point);
    sy_fe_set(&product, 1);
    SY_ROLL
    for (uint32_t i = 0; i < SY_GPU_WINDOW_ENTRIES; i++) {
        if (i > 0) sy_pt_add_cached(&point, &point, &step, 0);
        raw[i].x = point.x;
        raw[i].y = point.y;
        raw[i].z = point.z;
        raw[i].product = product;
        sy_fe_mul(&product, &product, &point.z);
    }
    sy_fe_invert(&product, &product);
    SY_ROLL
    for (uint32_t i = SY_GPU_WINDOW_ENTRIES; i-- > 0;) {
        struct sy_gpu_raw_entry entry = raw[i];
        sy_fe_mul(&z, &product, &entry.product);
        sy_fe_mul(&product, &product, &entry.z);
        sy_dev_store_entry(table + (thread * SY_GPU_WINDOW_ENTRIES + i) * (SY_GPU_ENTRY_BYTES / 4),
                           &entry, &z);
    }
}

#endif
