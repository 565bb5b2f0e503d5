/* kernels.c: the table of kernels; see kernels.h. */
#include "gpu/kernels.h"

const struct sy_gpu_kernel_info sy_gpu_kernels[SY_GPU_KERNEL_COUNT] = {
    [SY_GPU_LEAVES] = {"sy_gpu_leaves", SY_GPU_BLOCK, SY_GPU_BLOCK, sizeof(struct sy_gpu_leaves)},
    [SY_GPU_CHALLENGE] = {"sy_gpu_challenge", SY_GPU_BLOCK, SY_GPU_BLOCK,
                          sizeof(struct sy_gpu_challenge)},
    [SY_GPU_TABLED] = {"sy_gpu_tabled", SY_GPU_BLOCK, SY_GPU_BLOCK, sizeof(struct sy_gpu_points)},
    [SY_GPU_GENERAL] = {"sy_gpu_general", SY_GPU_BLOCK, SY_GPU_BLOCK, sizeof(struct sy_gpu_points)},
    [SY_GPU_FINISH] = {"sy_gpu_finish", SY_GPU_BLOCK, SY_GPU_BLOCK, sizeof(struct sy_gpu_finish)},
    [SY_GPU_SUBTREES] = {"sy_gpu_subtrees", SY_GPU_BLOCK, SY_GPU_SUBTREE,
                         sizeof(struct sy_gpu_subtrees)},
    [SY_GPU_BUILD] = {"sy_gpu_build", SY_GPU_WINDOWS, 1, sizeof(struct sy_gpu_build)},
};
