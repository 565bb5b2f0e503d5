/* Whatever text is given, genesis.json is refused or understood; what is understood survives being
 * written and read again, and has the hash of its binary form. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/wire/genesis_json.h"
#include "core/wire/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_genesis first, second, third;
    static uint8_t bytes[SY_GENESIS_BYTES_MAX];
    struct sy_error err = {SY_OK, ""};
    if (sy_genesis_parse(&first, sy_slice_of(data, size), "input", &err) != SY_OK) {
        SY_ASSERT(err.text[0] != '\0');
        return 0;
    }
    sy_json json;
    sy_json_init_growing(&json, SY_GENESIS_JSON_BYTES_MAX);
    sy_genesis_to_json(&json, &first);
    const char *text = sy_json_finish(&json);
    SY_ASSERT(text);
    sy_status status =
        sy_genesis_parse(&second, sy_slice_of(text, strlen(text)), "rendering", &err);
    SY_ASSERT(status == SY_OK && sy_hash_equal(&first.hash, &second.hash));
    sy_json_free(&json);

    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_genesis_encode(&w, &first);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    bool decodes = sy_genesis_decode(&r, &third) && sy_reader_done(&r);
    SY_ASSERT(decodes && sy_hash_equal(&first.hash, &third.hash));
    return 0;
}
