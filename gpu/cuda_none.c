/* cuda_none.c: in place of cuda_device.c where no CUDA toolkit was found to build with. */
#include "gpu/gpu_device.h"

static sy_status open_none(void **device, struct sy_error *err)
{
    *device = NULL;
    return sy_fail(err, SY_ERR_NOT_FOUND,
                   "this build has no CUDA: nvcc was not there when it was made");
}

const struct sy_gpu_driver sy_gpu_cuda = {.name = "cuda", .open = open_none};
