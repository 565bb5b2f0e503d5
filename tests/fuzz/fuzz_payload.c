/* fuzz_payload.c: a kind's number (u16) and any bytes as its payload. What decodes encodes to the
 * same bytes; what keeps the rules can be rendered; what breaks one names a field of the kind. */
#include "core/base/assert.h"
#include "core/wire/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[SY_FRAME_BYTES_MAX];

// A path starts with a name that the kind has.
static void check_path(const struct sy_kind *kind, const struct sy_path *path)
{
    char name[SY_PATH_BYTES_MAX];
    size_t length = strcspn(path->text, ".[");
    SY_ASSERT(length > 0 && length < sizeof name);
    memcpy(name, path->text, length);
    name[length] = 0;
    SY_ASSERT(sy_kind_field(kind, name) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > sizeof again) return 0;
    const struct sy_kind *kind = sy_kind_by_number(sy_load_u16(data));
    struct sy_slice bytes = sy_slice_of(data + 2, size - 2);
    union sy_payload payload;
    struct sy_path path;
    const char *what = NULL;
    if (!kind) return 0;
    if (!sy_payload_decode(&payload, kind, bytes, &what)) {
        SY_ASSERT(what != NULL);
        return 0;
    }
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_payload_encode(&w, kind, &payload);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    if (!sy_payload_check(kind, &payload, &path)) check_path(kind, &path);

    sy_json json;
    sy_json_init_growing(&json, 16u << 20);
    sy_payload_to_json(&json, kind, &payload);
    SY_ASSERT(sy_json_finish(&json) != NULL);
    sy_json_free(&json);
    return 0;
}
