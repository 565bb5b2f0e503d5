/* fuzz_card.c: any bytes as a SMART Health Card in any of its forms, as a key set, and as a
 * revocation list. What is read has a bounded payload; what holds is the specification's example.
 */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char spec_keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s\","
    "\"use\":\"sig\",\"alg\":\"ES256\",\"crv\":\"P-256\","
    "\"x\":\"11XvRWy1I2S0EyJlyf_bWfw_TQ5CJJNLw78bHXNxcgw\","
    "\"y\":\"eZXwxvO1hvCY0KucrPfKo7yAyMT6Ajc3N7OkAB6VYy8\"}]}";
/* SHA-256 of the example that this key signed. */
static const char spec_hash[] = "d8b8d17484debbf603db95e9dcb2bcaa647b842b99e308a437552120bc274601";

static void check_card(struct sy_slice bytes, const struct sy_card_keys *keys)
{
    struct sy_card card = {.jws = NULL};
    struct sy_error err = {SY_OK, ""};
    if (sy_card_read(&card, bytes, &err) == SY_OK) {
        char hex[65];
        SY_ASSERT(card.payload_size <= SY_CARD_PAYLOAD_BYTES_MAX && card.issuer != NULL);
        SY_ASSERT(card.type_count >= 1 && card.type_count <= SY_CARD_TYPES_MAX);
        sy_hex_encode(hex, card.jws_hash.bytes, 32);
        bool holds = sy_card_check(&card, keys, 1700000000, &err) == SY_OK;
        SY_ASSERT(!holds || strcmp(hex, spec_hash) == 0);
        (void)!sy_card_revoked(&card, bytes, &err);
    } else {
        SY_ASSERT(err.text[0] != '\0');
    }
    sy_card_free(&card);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_card_keys keys, read;
    struct sy_error err = {SY_OK, ""};
    if (keys.count == 0) {
        struct sy_slice text = sy_slice_of(spec_keys, sizeof spec_keys - 1);
        SY_ASSERT(sy_card_keys_read(&keys, text, &err) == SY_OK);
    }
    check_card(sy_slice_of(data, size), &keys);
    if (sy_card_keys_read(&read, sy_slice_of(data, size), &err) == SY_OK) {
        char *text = NULL;
        struct sy_card_keys again;
        SY_ASSERT(sy_card_keys_write(&text, &read, &err) == SY_OK);
        SY_ASSERT(sy_card_keys_read(&again, sy_slice_of(text, strlen(text)), &err) == SY_OK);
        SY_ASSERT(again.count == read.count);
        free(text);
    }
    return 0;
}
