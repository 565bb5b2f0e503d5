/* cuda_lane.h: the memory and streams of one submission on the device. Internal to gpu.
 *
 * A lane has two halves, each a stream with its own buffers: while one half's piece is on the
 * device, the other's is packed. A half's piece goes: pack into staging, sy_gpu_half_send (the
 * device's copy is at `staged`), launches, sy_gpu_half_fetch (into `out`), sy_gpu_half_wait.
 * Device calls are counted against the lane's state: the first that fails sets `failed`, and then
 * every later one returns SY_ERR_IO at once. */
#ifndef SY_GPU_CUDA_LANE_H
#define SY_GPU_CUDA_LANE_H

#include <pthread.h>

#include "core/crypto/key_tables.h"
#include "gpu/cuda_engine.h"
#include "gpu/gpu_device.h"

/* Raw jobs of a piece, of which more is sent, and the longest leaf that is hashed on the device. */
#define SY_GPU_PIECE_RAW 16384u
#define SY_GPU_LEAF_BYTES_MAX (1u << 20)
#define SY_GPU_STAGING_BYTES ((size_t)12 << 20)
#define SY_GPU_OUT_BYTES ((size_t)SY_GPU_PIECE_MAX * 32)
/* Scratch of a piece: k and S, points, products, flags and verdicts; or of tables being built. */
#define SY_GPU_WORK_JOB_BYTES \
    (4 * (SY_GPU_SCALAR_WORDS + SY_GPU_POINT_WORDS + SY_GPU_PRODUCT_WORDS) + 2)
#define SY_GPU_WORK_BYTES ((uint64_t)SY_GPU_PIECE_MAX * SY_GPU_WORK_JOB_BYTES)

struct sy_gpu_state;

struct sy_gpu_half {
    struct sy_gpu_state *state;
    void *stream;
    uint8_t *staging; /* pinned */
    uint8_t *out;     /* pinned */
    uint64_t staged;  /* on the device, as large as staging */
    uint64_t work;    /* on the device */
    /* Of the piece under way; count 0: none. */
    uint32_t first, count;
    uint32_t order[SY_GPU_PIECE_MAX];     /* the job at each place, counted from first */
    const void *tables[SY_GPU_PIECE_MAX]; /* the table of each job, counted from first, or NULL */
};

struct sy_gpu_lane {
    struct sy_gpu_half half[2];
    bool is_open;
    bool is_taken;
    uint64_t hashes; /* on the device: the submission's leaf hashes, from hash_room on grown */
    uint64_t nodes;  /* on the device: nodes of its trees */
    uint32_t hash_room;
    uint32_t node_room;
};

struct sy_gpu_state {
    const struct sy_gpu_driver *driver;
    void *device;
    sy_key_tables *keys;
    uint64_t tables;      /* on the device: the keys' */
    uint64_t base;        /* on the device: B's */
    pthread_mutex_t lock; /* guards failed, and is_taken of lanes */
    bool failed;
    pthread_cond_t released;
    struct sy_gpu_lane *lanes; /* SY_GPU_LANES */
};

/* sy_gpu_lane_take waits for a free lane and makes it usable; *lane is NULL when that fails.
 * sy_gpu_lane_give hands it back. sy_gpu_lane_close frees what it holds. */
sy_status sy_gpu_lane_take(struct sy_gpu_state *state, struct sy_gpu_lane **lane);
void sy_gpu_lane_give(struct sy_gpu_state *state, struct sy_gpu_lane *lane);
void sy_gpu_lane_close(struct sy_gpu_state *state, struct sy_gpu_lane *lane);

/* sy_gpu_lane_need grows the lane's room for leaf hashes and nodes; what was there is lost. */
sy_status sy_gpu_lane_need(struct sy_gpu_state *state, struct sy_gpu_lane *lane, uint32_t hashes,
                           uint32_t nodes);

/* Calls of the device, for this half's stream. send copies the first bytes of staging up, fetch
 * copies to an offset in out; launch runs kernel over so many items. */
sy_status sy_gpu_half_send(struct sy_gpu_half *half, size_t bytes);
sy_status sy_gpu_half_fetch(struct sy_gpu_half *half, size_t out_at, uint64_t from, size_t bytes);
sy_status sy_gpu_half_launch(struct sy_gpu_half *half, enum sy_gpu_kernel kernel, uint32_t items,
                             const void *arguments);
sy_status sy_gpu_half_wait(struct sy_gpu_half *half);

/* sy_gpu_judge marks the state failed if status is none of success; returns status. sy_gpu_check is
 * SY_OK while nothing failed. */
sy_status sy_gpu_judge(struct sy_gpu_state *state, sy_status status);
sy_status sy_gpu_check(struct sy_gpu_state *state);

/* cuda_hash.c: a submission's leaf hashes, which stay in lane->hashes too, and its roots. */
sy_status sy_gpu_hash_leaves(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                             struct sy_submission *submission);
sy_status sy_gpu_raise_trees(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                             struct sy_submission *submission);

/* cuda_verify.c: verdicts of a submission's jobs (its leaf hashes lie in lane->hashes), or of raw
 * ones; and the tables of keys: a build of struct sy_key_table_format, whose context is the state;
 * and B's. */
sy_status sy_gpu_verify_jobs(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                             const struct sy_submission *submission);
sy_status sy_gpu_verify_raw(struct sy_gpu_state *state, struct sy_gpu_lane *lane,
                            const struct sy_raw_job *jobs, uint32_t count, uint8_t *verdicts);
void sy_gpu_build_tables(void *context, void *const *tables, const struct sy_public_key *keys,
                         bool *built, size_t count);
sy_status sy_gpu_build_base(struct sy_gpu_state *state);
/* Tables that are built at once. */
#define SY_GPU_BUILD_TOGETHER 24u

#endif
