/* Whatever bytes a string is made of, the JSON writer's text is read by jansson, and reading it and
 * writing it again changes nothing more. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/json.h"

#define TEXT_BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *write_and_read(sy_json *json, const void *text, size_t size)
{
    sy_json_init_growing(json, TEXT_BYTES_MAX);
    sy_json_array_begin(json);
    sy_json_text_bytes(json, text, size);
    sy_json_array_end(json);
    const char *written = sy_json_finish(json);
    if (!written) return NULL;
    json_error_t error;
    json_t *read = json_loads(written, JSON_ALLOW_NUL, &error);
    SY_ASSERT(read);
    return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sy_json first;
    sy_json second;
    json_t *once = write_and_read(&first, data, size);
    if (once) {
        const json_t *text = json_array_get(once, 0);
        SY_ASSERT(json_is_string(text));
        json_t *twice = write_and_read(&second, json_string_value(text), json_string_length(text));
        SY_ASSERT(twice && json_equal(once, twice));
        json_decref(twice);
        sy_json_free(&second);
        json_decref(once);
    }
    sy_json_free(&first);
    return 0;
}
