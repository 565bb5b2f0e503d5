/* fuzz_envelope.c: any bytes as a .syenvelope file, sealed perhaps to a known key, and as the body
 * of one. What decodes has one encoding; what opens was sealed by somebody. */

#include "core/base/assert.h"
#include "core/wire/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX (1u << 20)

static void check_body(struct sy_slice bytes)
{
    static uint8_t again[BYTES_MAX];
    struct sy_envelope_body body;
    const char *what = NULL;
    if (!sy_envelope_body_decode(&body, bytes, &what)) {
        SY_ASSERT(what != NULL);
        return;
    }
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_envelope_body_encode(&w, &body);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    SY_ASSERT(sy_envelope_body_bytes(&body) == bytes.size);
}

/* The file with one wrap more opens with the key that was added, to the same body. */
static void check_added(const struct sy_envelope *envelope, const struct sy_envelope_key *content,
                        const sy_x25519_key *key)
{
    static uint8_t more[BYTES_MAX + 128];
    struct sy_envelope again;
    struct sy_envelope_key found;
    struct sy_public_key half;
    unsigned wrap;
    struct sy_writer w = sy_writer_of(more, sizeof more);
    sy_x25519_key_public(key, &half);
    if (!sy_envelope_add(&w, envelope, content, &half)) return;
    SY_ASSERT(!w.failed && sy_envelope_decode(&again, sy_writer_slice(&w), NULL));
    SY_ASSERT(sy_envelope_unwrap(&found, &wrap, &again, key));
    SY_ASSERT(memcmp(found.bytes, content->bytes, sizeof found.bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sy_x25519_key *key;
    static uint8_t room[BYTES_MAX];
    static const uint8_t secret[32] = {[0] = 8, [31] = 64};
    struct sy_envelope envelope;
    struct sy_envelope_key content;
    const char *what = NULL;
    unsigned wrap;
    if (key == NULL) SY_ASSERT(sy_x25519_key_from_bytes(&key, secret) == SY_OK);
    if (size > BYTES_MAX) return 0;
    struct sy_slice bytes = sy_slice_of(data, size);
    check_body(bytes);
    if (!sy_envelope_decode(&envelope, bytes, &what)) {
        SY_ASSERT(what != NULL);
        return 0;
    }
    SY_ASSERT(sy_envelope_is(bytes));
    SY_ASSERT(size == sy_envelope_bytes((size_t)envelope.body_bytes, envelope.wrap_count));
    if (!sy_envelope_unwrap(&content, &wrap, &envelope, key)) return 0;
    check_added(&envelope, &content, key);
    if (sy_envelope_open(room, &envelope, &content)) {
        check_body(sy_slice_of(room, (size_t)envelope.body_bytes));
    }
    return 0;
}
