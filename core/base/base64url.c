/* base64url.c: see base64url.h. */
#include "core/base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t sy_base64url_encode(char *out, struct sy_slice bytes)
{
    size_t used = 0;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        held = (held << 8 | bytes.data[i]) & 0xffffu;
        for (bits += 8; bits >= 6;) {
            bits -= 6;
            out[used++] = alphabet[held >> bits & 63];
        }
    }
    if (bits > 0) out[used++] = alphabet[held << (6 - bits) & 63];
    return used;
}

/* 64: no character of the alphabet. */
static uint32_t value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z') return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0') + 52;
    if (c == '-') return 62;
    return c == '_' ? 63 : 64;
}

bool sy_base64url_decode(uint8_t *out, size_t *size, struct sy_slice text)
{
    uint32_t held = 0;
    unsigned bits = 0;
    *size = 0;
    if (text.size % 4 == 1) return false;
    for (size_t i = 0; i < text.size; i++) {
        uint32_t value = value_of(text.data[i]);
        if (value > 63) return false;
        held = (held << 6 | value) & 0xfffu;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out[(*size)++] = (uint8_t)(held >> bits);
    }
    return (held & ((1u << bits) - 1)) == 0;
}
