/* fuzz_omh.c: any bytes as Open mHealth points of a stream of pulses (first byte even) or of steps.
 * What is taken is sorted and a number each; what is not has a reason and leaves nothing. */
#include "core/base/assert.h"
#include "core/client/omh.h"
#include "core/client/samples_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = {"8867-4", "55423-8"}, *const units[] = {"/min", "{steps}"};
    struct sy_samples samples;
    struct sy_error err = {SY_OK, ""};
    if (size < 1) return 0;
    unsigned which = data[0] % 2;
    struct sy_stream stream = {.system = SY_STREAM_LOINC,
                               .kind = sy_slice_of(kinds[which], strlen(kinds[which])),
                               .unit = sy_slice_of(units[which], strlen(units[which]))};
    if (sy_omh_read(&samples, sy_slice_of(data + 1, size - 1), "in", &stream, &err) != SY_OK) {
        SY_ASSERT(err.text[0] != '\0' && samples.items == NULL);
        return 0;
    }
    SY_ASSERT(samples.count > 0 && samples.count <= SY_STREAM_SAMPLES_MAX);
    for (uint32_t i = 0; i < samples.count; i++) {
        const struct sy_sample *sample = &samples.items[i];
        size_t length = strlen(sample->value);
        SY_ASSERT(sample->time_ms >= 0 && sample->time_ms <= SY_TIME_MS_MAX);
        SY_ASSERT(i == 0 || sample->time_ms >= samples.items[i - 1].time_ms);
        SY_ASSERT(length > 0 && sy_json_number_size(sample->value, length) == length);
    }
    sy_samples_free(&samples);
    return 0;
}
