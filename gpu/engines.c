/* engines.c: the engines that programs offer; see cuda_engine.h. Alone in its file, so that the
 * device's can be used without the others. */
#include "core/crypto/engine_choice.h"
#include "gpu/cuda_engine.h"

const struct sy_engine_impl *const sy_engine_all_impls[] = {&sy_engine_cuda, SY_ENGINE_CPU_IMPLS,
                                                            NULL};
