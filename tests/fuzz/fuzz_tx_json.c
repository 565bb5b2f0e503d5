/* The first line of the input names a kind, the rest is its fields as JSON: refused with a
 * sentence, or a payload that decodes, keeps its kind's rules, and survives its rendering. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/tx_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rendering(const struct sy_kind *kind, struct sy_slice bytes)
{
    static uint8_t again_bytes[SY_TX_BYTES_MAX];
    union sy_payload payload;
    struct sy_error err = {SY_OK, ""};
    bool decodes = sy_payload_decode(&payload, kind, bytes, NULL);
    SY_ASSERT(decodes && sy_payload_check(kind, &payload, NULL));
    sy_json json;
    sy_json_init_growing(&json, 2 * SY_TX_JSON_BYTES_MAX);
    sy_payload_to_json(&json, kind, &payload);
    const char *text = sy_json_finish(&json);
    SY_ASSERT(text);
    if (json.size <= SY_TX_JSON_BYTES_MAX) {
        struct sy_writer w = sy_writer_of(again_bytes, sizeof again_bytes);
        sy_status status =
            sy_payload_from_json(&w, kind, sy_slice_of(text, json.size), "rendering", &err);
        SY_ASSERT(status == SY_OK && sy_slice_equal(bytes, sy_writer_slice(&w)));
    }
    sy_json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[SY_TX_BYTES_MAX];
    char name[33] = "";
    struct sy_error err = {SY_OK, ""};
    const uint8_t *end = size > 0 ? (const uint8_t *)memchr(data, '\n', size) : NULL;
    if (!end || (size_t)(end - data) >= sizeof name) return 0;
    memcpy(name, data, (size_t)(end - data));
    const struct sy_kind *kind = sy_kind_by_name(name);
    if (!kind) return 0;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_slice json = sy_slice_of(end + 1, size - (size_t)(end + 1 - data));
    if (sy_payload_from_json(&w, kind, json, "input", &err) == SY_OK) {
        check_rendering(kind, sy_writer_slice(&w));
    } else {
        SY_ASSERT(err.text[0] != '\0');
    }
    return 0;
}
