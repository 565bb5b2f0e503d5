#include "core/base/bytes.h"

#include "core/base/assert.h"

void sy_hash_prefix(struct sy_hash *out, const struct sy_hash *hash, unsigned bits)
{
    SY_ASSERT(bits <= 256);
    struct sy_hash prefix = {{0}};
    memcpy(prefix.bytes, hash->bytes, bits / 8);
    if (bits % 8 != 0) {
        prefix.bytes[bits / 8] = (uint8_t)(hash->bytes[bits / 8] & (0xff00u >> (bits % 8)));
    }
    *out = prefix;
}

void sy_hex_encode(char *out, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = (const uint8_t *)data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

// The value of a hexadecimal digit, or -1.
static int read_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool sy_hex_decode(void *out, size_t size, const char *text)
{
    uint8_t *bytes = (uint8_t *)out;
    for (size_t i = 0; i < size; i++) {
        // The second digit is looked at only if the first is one, so the terminator stops us.
        int high = read_digit(text[2 * i]);
        if (high < 0) return false;
        int low = read_digit(text[2 * i + 1]);
        if (low < 0) return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * size] == '\0';
}

bool sy_parse_u64(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
    uint64_t value = 0;
    if (*text == '\0') return false;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9') return false;
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    if (value < min || value > max) return false;
    *out = value;
    return true;
}

void sy_wipe(void *data, size_t size)
{
    if (size) explicit_bzero(data, size);
}
