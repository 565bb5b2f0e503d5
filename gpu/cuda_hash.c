/* cuda_hash.c: leaf hashes and trees on the device; see cuda_lane.h.
 *
 * A piece of leaves is packed as offsets u32 [count + 1], then the bytes one after the other. */
#include <string.h>

#include "core/base/assert.h"
#include "gpu/cuda_lane.h"
#include "gpu/device_hash.h"

// --- leaves --------------------------------------------------------------------------------------

static bool is_long(const struct sy_slice *leaf)
{
    return leaf->size > SY_GPU_LEAF_BYTES_MAX;
}

// Packs as many leaves as go into one piece; what is too long goes as nothing. Returns its bytes.
static size_t pack_leaves(struct sy_gpu_half *half, const struct sy_submission *submission,
                          uint32_t first)
{
    const struct sy_slice *leaves = submission->leaves + first;
    uint32_t left = submission->leaf_count - first, count = 0;
    size_t most = left < half->state->driver->piece ? left : half->state->driver->piece;
    size_t bytes = 0;
    for (; count < most; count++) {
        size_t size = is_long(&leaves[count]) ? 0 : leaves[count].size;
        if ((count + 2) * sizeof(uint32_t) + bytes + size > SY_GPU_STAGING_BYTES) break;
        bytes += size;
    }
    uint32_t *offsets = (uint32_t *)(void *)half->staging;
    uint8_t *at = half->staging + (count + 1) * sizeof(uint32_t);
    offsets[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t size = is_long(&leaves[i]) ? 0 : leaves[i].size;
        if (size > 0) memcpy(at + offsets[i], leaves[i].data, size);
        offsets[i + 1] = offsets[i] + (uint32_t)size;
    }
    half->first = first;
    half->count = count;
    return (count + 1) * sizeof(uint32_t) + bytes;
}

static sy_status start_leaves(struct sy_gpu_half *half, const struct sy_gpu_lane *lane,
                              const struct sy_submission *submission, uint32_t first)
{
    size_t bytes = pack_leaves(half, submission, first);
    struct sy_gpu_leaves arguments = {.bytes = half->staged + (half->count + 1) * sizeof(uint32_t),
                                      .offsets = half->staged,
                                      .hashes = lane->hashes + (uint64_t)first * 32,
                                      .count = half->count};
    SY_TRY(sy_gpu_half_send(half, bytes));
    SY_TRY(sy_gpu_half_launch(half, SY_GPU_LEAVES, half->count, &arguments));
    return sy_gpu_half_fetch(half, 0, arguments.hashes, (size_t)half->count * 32);
}

// Hashes here what was too long, and puts it where the others are.
static sy_status mend_long(struct sy_gpu_half *half, const struct sy_gpu_lane *lane,
                           struct sy_submission *submission)
{
    struct sy_gpu_state *state = half->state;
    for (uint32_t i = half->first; i < half->first + half->count; i++) {
        if (!is_long(&submission->leaves[i])) continue;
        uint32_t words[8];
        sy_dev_hash_leaf(words, submission->leaves[i].data, submission->leaves[i].size);
        for (size_t j = 0; j < 8; j++) sy_store_u32(half->out + 4 * j, sy_swap_32(words[j]));
        memcpy(submission->leaf_hashes[i].bytes, half->out, 32);
        SY_TRY(sy_gpu_judge(state,
                            state->driver->upload(state->device, half->stream,
                                                  lane->hashes + (uint64_t)i * 32, half->out, 32)));
        SY_TRY(sy_gpu_half_wait(half));
    }
    return SY_OK;
}

static sy_status finish_leaves(struct sy_gpu_half *half, const struct sy_gpu_lane *lane,
                               struct sy_submission *submission)
{
    if (half->count == 0) return SY_OK;
    SY_TRY(sy_gpu_half_wait(half));
    memcpy(submission->leaf_hashes + half->first, half->out, (size_t)half->count * 32);
    SY_TRY(mend_long(half, lane, submission));
    half->count = 0;
    return SY_OK;
}

// Leaf hashes that are given go up for what is computed from them.
static sy_status send_hashes(struct sy_gpu_half *half, const struct sy_gpu_lane *lane,
                             const struct sy_submission *submission, uint32_t *first)
{
    struct sy_gpu_state *state = half->state;
    uint32_t left = submission->leaf_count - *first;
    uint32_t most = (uint32_t)(SY_GPU_STAGING_BYTES / 32);
    uint32_t count = left < most ? left : most;
    SY_TRY(sy_gpu_half_wait(half)); // Until what it sent before is gone from staging.
    memcpy(half->staging, submission->leaf_hashes + *first, (size_t)count * 32);
    SY_TRY(sy_gpu_judge(state, state->driver->upload(state->device, half->stream,
                                                     lane->hashes + (uint64_t)*first * 32,
                                                     half->staging, (size_t)count * 32)));
    *first += count;
    return SY_OK;
}

static bool are_hashes_used(const struct sy_submission *submission)
{
    bool used = submission->tree_count > 0;
    for (uint32_t i = 0; !used && i < submission->job_count; i++) {
        used = submission->jobs[i].leaf != SY_JOB_NO_LEAF;
    }
    return used;
}

sy_status sy_gpu_hash_leaves(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                             struct sy_submission *submission)
{
    bool given = submission->leaves == NULL;
    uint32_t first = 0;
    if (submission->leaf_count == 0 || (given && !are_hashes_used(submission))) return SY_OK;
    SY_TRY(sy_gpu_lane_need(state, lane, submission->leaf_count, 0));
    for (unsigned turn = 0; first < submission->leaf_count; turn++) {
        struct sy_gpu_half *half = &lane->half[turn % 2];
        if (given) {
            SY_TRY(send_hashes(half, lane, submission, &first));
            continue;
        }
        SY_TRY(finish_leaves(half, lane, submission));
        SY_TRY(start_leaves(half, lane, submission, first));
        first += half->count;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (given) SY_TRY(sy_gpu_half_wait(&lane->half[i]));
        if (!given) SY_TRY(finish_leaves(&lane->half[i], lane, submission));
    }
    return SY_OK;
}

// --- trees ---------------------------------------------------------------------------------------

static uint32_t blocks_of(uint32_t count)
{
    return (count - 1) / SY_GPU_SUBTREE + 1;
}

// Nodes that the levels above count hashes need, the root included.
static uint64_t nodes_above(uint32_t count)
{
    uint64_t nodes = 0;
    while (count > 1) {
        count = blocks_of(count);
        nodes += count;
    }
    return nodes;
}

// A tree, from its leaf hashes to its root at `nodes` and behind it.
static sy_status raise_tree(struct sy_gpu_half *half, uint64_t hashes, uint32_t count,
                            uint64_t nodes, uint64_t *root)
{
    struct sy_gpu_subtrees arguments = {.from = hashes, .to = nodes, .count = count};
    while (arguments.count > 1) {
        uint32_t blocks = blocks_of(arguments.count);
        SY_TRY(sy_gpu_half_launch(half, SY_GPU_SUBTREES, arguments.count, &arguments));
        *root = arguments.to;
        arguments = (struct sy_gpu_subtrees){
            .from = arguments.to, .to = arguments.to + (uint64_t)blocks * 32, .count = blocks};
    }
    return SY_OK;
}

// Trees of no leaf and of one need no hashing.
static void root_of_few(struct sy_tree_job *tree, const struct sy_submission *submission)
{
    // SHA-256 of nothing: RFC 6962 2.1.
    static const struct sy_hash of_nothing = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                               0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                               0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                                               0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};
    tree->root = tree->count == 0 ? of_nothing : submission->leaf_hashes[tree->first];
}

// As many trees as their roots fit into `out` and their nodes into 32 bits, from *next on.
static sy_status raise_some(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                            struct sy_submission *submission, uint32_t *next)
{
    struct sy_gpu_half *half = &lane->half[0];
    uint32_t first = *next, end = first;
    uint64_t nodes = 0;
    for (; end < submission->tree_count && end - first < SY_GPU_OUT_BYTES / 32; end++) {
        uint64_t own = nodes_above(submission->trees[end].count);
        if (end > first && nodes + own > UINT32_MAX) break;
        nodes += own;
    }
    *next = end;
    SY_TRY(sy_gpu_lane_need(state, lane, 0, (uint32_t)nodes));
    uint64_t at = lane->nodes, root = 0;
    for (uint32_t i = first; i < end; i++) {
        struct sy_tree_job *tree = &submission->trees[i];
        if (tree->count <= 1) continue;
        SY_TRY(raise_tree(half, lane->hashes + (uint64_t)tree->first * 32, tree->count, at, &root));
        SY_TRY(sy_gpu_half_fetch(half, (size_t)(i - first) * 32, root, 32));
        at += nodes_above(tree->count) * 32;
    }
    SY_TRY(sy_gpu_half_wait(half));
    for (uint32_t i = first; i < end; i++) {
        struct sy_tree_job *tree = &submission->trees[i];
        if (tree->count <= 1) root_of_few(tree, submission);
        if (tree->count > 1) memcpy(&tree->root, half->out + (size_t)(i - first) * 32, 32);
    }
    return SY_OK;
}

sy_status sy_gpu_raise_trees(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                             struct sy_submission *submission)
{
    uint32_t next = 0;
    while (next < submission->tree_count) SY_TRY(raise_some(state, lane, submission, &next));
    return SY_OK;
}
