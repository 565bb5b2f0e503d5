/* kernels.h: what the CUDA engine's kernels are given and leave behind.
 *
 *     leaves       raw bytes                     -> leaf hashes
 *     challenge    signatures, keys, what is
 *                  signed                        -> k and S, and whether S < L
 *     tabled       k, S, tables of keys and of B -> points S B - k A, not yet divided by Z
 *     general      the same for keys without table
 *     finish       points, R                     -> verdicts
 *     subtrees     hashes                        -> the hashes some levels above
 *     build        keys                          -> tables
 *
 * A grid has one row. All arrays lie in device memory; an address is a number. What belongs to jobs
 * is written transposed where threads read it side by side: word w of job i lies at
 * w * stride + i. */
#ifndef SY_GPU_KERNELS_H
#define SY_GPU_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sy_gpu_kernel {
    SY_GPU_LEAVES,
    SY_GPU_CHALLENGE,
    SY_GPU_TABLED,
    SY_GPU_GENERAL,
    SY_GPU_FINISH,
    SY_GPU_SUBTREES,
    SY_GPU_BUILD,
    SY_GPU_KERNEL_COUNT
};

/* Threads of a block; where a thread takes one item, its items too. */
#define SY_GPU_BLOCK 128u

struct sy_gpu_kernel_info {
    const char *name;        /* of its entry in the image */
    uint32_t threads;        /* of a block */
    uint32_t items;          /* of a block: leaves, jobs, hashes or keys */
    uint32_t argument_bytes; /* of its struct below */
};

extern const struct sy_gpu_kernel_info sy_gpu_kernels[SY_GPU_KERNEL_COUNT];

/* One thread a leaf: hashes[i] = SHA-256(0x00 || bytes[offsets[i] .. offsets[i + 1])). */
struct sy_gpu_leaves {
    uint64_t bytes;   /* the aligned 8 bytes in which a leaf begins or ends are read whole */
    uint64_t offsets; /* u32 [count + 1] */
    uint64_t hashes;  /* out, 32 bytes each */
    uint32_t count;
};

/* What of a job is no bytes. */
struct sy_gpu_head {
    uint32_t hash;  /* index of what is signed: a leaf hash, or with SY_GPU_DIGEST a digest */
    uint32_t table; /* place of its key's table; not read by the general way */
    uint32_t kind;  /* enum sy_sig_kind */
};
#define SY_GPU_DIGEST 0x80000000u

/* Words of a job. */
#define SY_GPU_SCALAR_WORDS 16u /* k, below L; then S as it stands; 8 each, the least first */
#define SY_GPU_POINT_WORDS 24u  /* X, Y, Z */
#define SY_GPU_PRODUCT_WORDS 8u

/* One thread a job. */
struct sy_gpu_challenge {
    uint64_t signatures;  /* 64 bytes each; these, the keys and both sorts of hashes begin at a
                             multiple of 4 */
    uint64_t keys;        /* 32 bytes each */
    uint64_t heads;       /* struct sy_gpu_head */
    uint64_t leaf_hashes; /* 32 bytes each */
    uint64_t digests;     /* likewise */
    uint64_t scalars;     /* out, u32 [SY_GPU_SCALAR_WORDS][stride] */
    uint64_t flags;       /* out, u8 [stride]: 1 when S < L */
    uint32_t stride;
    uint32_t count;
};

/* One thread a job, of the jobs first to first + count. general clears the flag of a job whose key
 * is no point. Jobs whose flag is 0 get any point with Z != 0. */
struct sy_gpu_points {
    uint64_t keys;
    uint64_t heads;
    uint64_t scalars;
    uint64_t tables; /* SY_GPU_TABLE_BYTES each, at a multiple of 32 */
    uint64_t base;   /* B's table, likewise */
    uint64_t points; /* out, u32 [SY_GPU_POINT_WORDS][stride] */
    uint64_t flags;  /* in and out */
    uint32_t stride;
    uint32_t first;
    uint32_t count;
};

/* Thread t of n takes the jobs t, t + n, t + 2 n, ... below count, and inverts their Z at once
 * (Montgomery 1987). An item is a thread. */
struct sy_gpu_finish {
    uint64_t points;
    uint64_t signatures;
    uint64_t flags;
    uint64_t products; /* scratch, u32 [SY_GPU_PRODUCT_WORDS][stride] */
    uint64_t verdicts; /* out, u8: 1 when the flag is 1 and the point's encoding is R */
    uint32_t stride;
    uint32_t count;
    uint32_t threads; /* n */
};

/* A block takes SY_GPU_SUBTREE hashes (the last block those that are left) to the one above them:
 * RFC 6962 node hashes, an odd last node rising unchanged. */
#define SY_GPU_SUBTREE 1024u
struct sy_gpu_subtrees {
    uint64_t from; /* 32 bytes each, at a multiple of 16 */
    uint64_t to;   /* out, one a block, likewise; not where from lies */
    uint32_t count;
};

/* A table has for each of 32 windows w the multiples 1 to 128 of 256^w P: entries of y + x, y - x
 * and 2 d x y, 32 bytes each, below p, the least word first. P is minus the key, or the key itself
 * (for B). One block a key. */
#define SY_GPU_WINDOWS 32u
#define SY_GPU_WINDOW_ENTRIES 128u
#define SY_GPU_ENTRY_BYTES 96u
#define SY_GPU_TABLE_BYTES (SY_GPU_WINDOWS * SY_GPU_WINDOW_ENTRIES * SY_GPU_ENTRY_BYTES)
struct sy_gpu_build {
    uint64_t keys;    /* 32 bytes each */
    uint64_t places;  /* u32 each */
    uint64_t tables;  /* out, at their places */
    uint64_t built;   /* out, u8: 0 when the key is no point; then its table is not written */
    uint64_t scratch; /* SY_GPU_BUILD_SCRATCH bytes a key */
    uint32_t plus;    /* 1: P is the key itself */
    uint32_t count;
};
#define SY_GPU_BUILD_SCRATCH (SY_GPU_WINDOWS * SY_GPU_WINDOW_ENTRIES * 128u)

#ifdef __cplusplus
}
#endif
#endif
