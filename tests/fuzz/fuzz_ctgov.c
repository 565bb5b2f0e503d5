/* fuzz_ctgov.c: any bytes as studies of ClinicalTrials.gov. What is taken is within a trial's
 * limits; what is not has a reason. */
#include <string.h>

#include "core/base/assert.h"
#include "core/client/ctgov.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *self, const struct sy_ctgov_study *study, const struct sy_error *why)
{
    unsigned *count = (unsigned *)self;
    ++*count;
    if (why != NULL) {
        SY_ASSERT(why->text[0] != '\0');
        return;
    }
    SY_ASSERT(strlen(study->nct) == SY_CTGOV_NCT_BYTES - 1 && study->protocol != NULL);
    SY_ASSERT(study->target >= 1 && study->target <= SY_TRIAL_SUBJECTS_MAX);
    SY_ASSERT(study->arms >= 1 && study->arms <= SY_TRIAL_ARMS_MAX);
    SY_ASSERT(study->completion_ms >= 0 && study->completion_ms <= SY_TIME_MS_MAX);
    SY_ASSERT(study->endpoint_count >= 1 && study->endpoint_count <= SY_TRIAL_ENDPOINTS_MAX);
    if (study->result_fault == NULL) {
        SY_ASSERT(study->effect != NULL && study->table_count > 0);
        SY_ASSERT(study->result_endpoint_count >= 1);
        SY_ASSERT(study->result_endpoint_count <= SY_TRIAL_ENDPOINTS_MAX);
    }
    for (unsigned i = 0; i < study->endpoint_count; i++) SY_ASSERT(study->endpoints[i] != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned count = 0;
    struct sy_error err = {SY_OK, ""};
    sy_status status = sy_ctgov_read(sy_slice_of(data, size), "in", take, &count, &err);
    SY_ASSERT(status == SY_OK ? count > 0 : err.text[0] != '\0');
    return 0;
}
