/* ed25519_scalar.c: see ed25519_scalar.h.
 *
 * Reducing: with L = 2^252 + c, a number hi 2^252 + lo is lo - c hi mod L, and c has 125 bits. So
 * 512 bits are folded three times, the signs alternating: lo - (lo' - (lo'' - c hi'')). In words of
 * 32 bits, whose products fit 64. */
#include "core/crypto/ed25519_scalar.h"

#include <string.h>

#include "core/base/bytes.h"

static const uint32_t order_c[4] = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de};
static const struct sy_scalar order = {
    {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000}};

static bool is_below(const struct sy_scalar *a, const struct sy_scalar *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a->word[i] != b->word[i]) return a->word[i] < b->word[i];
    }
    return false;
}

static void subtract(struct sy_scalar *a, const struct sy_scalar *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t part = a->word[i] - b->word[i];
        uint64_t borrowed = a->word[i] < b->word[i] || part < borrow;
        a->word[i] = part - borrow;
        borrow = borrowed;
    }
}

static void add(struct sy_scalar *a, const struct sy_scalar *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t part = a->word[i] + carry;
        carry = part < carry;
        a->word[i] = part + b->word[i];
        carry += a->word[i] < part;
    }
}

bool sy_scalar_read(struct sy_scalar *r, const uint8_t bytes[32])
{
    for (size_t i = 0; i < 4; i++) r->word[i] = sy_load_u64(bytes + 8 * i);
    return is_below(r, &order);
}

void sy_scalar_make_odd_vartime(struct sy_scalar *r)
{
    if (r->word[0] % 2 == 0) add(r, &order);
}

// Splits count words into the lowest 252 bits and the rest, count - 7 words.
static void split(struct sy_scalar *low, uint32_t *high, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t first = 2 * i < count ? words[2 * i] : 0;
        uint64_t second = 2 * i + 1 < count ? words[2 * i + 1] : 0;
        low->word[i] = first | second << 32;
    }
    low->word[3] &= UINT64_MAX >> 4;
    for (size_t i = 7; i < count; i++) {
        uint32_t next = i + 1 < count ? words[i + 1] << 4 : 0;
        high[i - 7] = words[i] >> 28 | next;
    }
}

// out = c * in: count + 4 words.
static void times_c(uint32_t *out, const uint32_t *in, size_t count)
{
    memset(out, 0, (count + 4) * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < 4; j++) {
            carry += (uint64_t)in[i] * order_c[j] + out[i + j];
            out[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        out[i + 4] = (uint32_t)carry;
    }
}

void sy_scalar_reduce(struct sy_scalar *r, const uint8_t bytes[64])
{
    // 2L, so that what is subtracted below leaves nothing negative.
    const struct sy_scalar twice = {
        {0xb024c634b9eba7da, 0x29bdf3bd45ef39ac, 0, 0x2000000000000000}};
    uint32_t words[16], high[9], product[13];
    struct sy_scalar low0, low1, low2, low3;
    for (size_t i = 0; i < 16; i++) words[i] = sy_load_u32(bytes + 4 * i);
    split(&low0, high, words, 16); // high: 260 bits
    times_c(product, high, 9);
    split(&low1, high, product, 13); // 133 bits
    times_c(product, high, 6);
    split(&low2, high, product, 10); // 6 bits
    times_c(product, high, 3);
    split(&low3, high, product, 7); // none
    *r = low0;
    add(r, &low2);
    add(r, &twice);
    subtract(r, &low1);
    subtract(r, &low3);
    while (!is_below(r, &order)) subtract(r, &order);
}

// One step of transposing 16 x 16 bits: swaps the blocks of `size` beside the diagonal.
static void swap_blocks(uint16_t rows[16], unsigned size, unsigned mask)
{
    for (unsigned i = 0; i < 16; i++) {
        if (i & size) continue;
        unsigned row = rows[i], other = rows[i + size];
        unsigned differs = (row >> size ^ other) & mask;
        rows[i + size] = (uint16_t)(other ^ differs);
        rows[i] = (uint16_t)(row ^ differs << size);
    }
}

void sy_scalar_comb(uint16_t columns[SY_COMB_COLUMNS], const struct sy_scalar *odd)
{
    // The number is the sum of (2 b_i - 1) 2^i, that is 2b - (2^256 - 1). So b is half of the
    // number + 2^256 - 1: for an odd one (number - 1) / 2 + 2^255.
    for (unsigned i = 0; i < 16; i++) {
        uint64_t word = odd->word[i / 4];
        uint64_t next = i / 4 < 3 ? odd->word[i / 4 + 1] : 1; // The bit 2^255.
        unsigned shift = 16 * (i % 4) + 1;
        columns[i] = (uint16_t)(shift < 49 ? word >> shift : word >> shift | next << 15);
    }
    swap_blocks(columns, 8, 0x00ff);
    swap_blocks(columns, 4, 0x0f0f);
    swap_blocks(columns, 2, 0x3333);
    swap_blocks(columns, 1, 0x5555);
}

void sy_scalar_naf_vartime(int16_t digits[SY_NAF_DIGITS], const struct sy_scalar *a)
{
    unsigned carry = 0;
    unsigned at = 0;
    memset(digits, 0, SY_NAF_DIGITS * sizeof digits[0]);
    while (at < 256) {
        uint64_t bits = a->word[at / 64] >> at % 64;
        if (at % 64 > 59 && at < 192) bits |= a->word[at / 64 + 1] << (64 - at % 64);
        unsigned window = (unsigned)(bits & 31) + carry;
        if (window % 2 == 0) {
            at++;
            continue;
        }
        carry = window > 16;
        digits[at] = (int16_t)((int)window - (carry ? 32 : 0));
        at += 5;
    }
}
