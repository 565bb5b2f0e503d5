/* kernels.cu: the entries of the kernels; what they do stands in device_kernels.h. */
#include "gpu/device_kernels.h"

/* No more than 128 registers at 128 threads: four blocks a processor. */
#define ENTRY(name, type)                                                                          \
    extern "C" __global__ void __launch_bounds__(SY_GPU_BLOCK, 4)                                  \
        sy_gpu_##name(const __grid_constant__ type args)                                           \
    {                                                                                              \
        sy_dev_##name(&args, blockIdx.x, threadIdx.x);                                             \
    }

ENTRY(leaves, struct sy_gpu_leaves)
ENTRY(challenge, struct sy_gpu_challenge)
ENTRY(tabled, struct sy_gpu_points)
ENTRY(general, struct sy_gpu_points)
ENTRY(finish, struct sy_gpu_finish)

extern "C" __global__ void __launch_bounds__(SY_GPU_BLOCK)
    sy_gpu_subtrees(const __grid_constant__ struct sy_gpu_subtrees args)
{
    __shared__ struct sy_gpu_shared shared;
#pragma unroll 1
    for (uint32_t phase = 0; phase < SY_GPU_SUBTREE_PHASES; phase++) {
        sy_dev_subtrees(&args, blockIdx.x, threadIdx.x, phase, &shared);
        __syncthreads();
    }
}

extern "C" __global__ void __launch_bounds__(SY_GPU_WINDOWS)
    sy_gpu_build(const __grid_constant__ struct sy_gpu_build args)
{
    sy_dev_build(&args, blockIdx.x, threadIdx.x);
}
