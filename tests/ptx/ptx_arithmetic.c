/* ptx_arithmetic.c: see ptx_arithmetic.h. Source: NVIDIA, "PTX ISA", version 9.0, chapter 9.7. */
#include "tests/ptx/ptx_arithmetic.h"

static int64_t extend(uint64_t value, unsigned width)
{
    unsigned up = 64 - width;
    return (int64_t)(value << up) >> up;
}

static bool is_less(const struct ptx_op *op, uint64_t a, uint64_t b)
{
    return op->is_signed ? extend(a, op->width) < extend(b, op->width) : a < b;
}

static bool compare(const struct ptx_op *op, uint64_t a, uint64_t b)
{
    switch ((enum ptx_compare)op->compare) {
    case PTX_EQ: return a == b;
    case PTX_NE: return a != b;
    case PTX_LT: return is_less(op, a, b);
    case PTX_LE: return !is_less(op, b, a);
    case PTX_GT: return is_less(op, b, a);
    case PTX_GE: return !is_less(op, a, b);
    }
    return false;
}

// Shifts by the width or more leave nothing, or nothing but signs.
static uint64_t shift_right(const struct ptx_op *op, uint64_t a, uint64_t by)
{
    if (op->is_signed)
        return (uint64_t)(extend(a, op->width) >> (by < op->width ? by : op->width - 1u));
    return by < op->width ? a >> by : 0;
}

static uint64_t permute(uint64_t a, uint64_t b, uint64_t selector)
{
    uint64_t both = b << 32 | a, r = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t byte = both >> 8 * (selector >> 4 * i & 7u) & 0xffu;
        if (selector >> 4 * i & 8u) byte = byte & 0x80u ? 0xffu : 0; // its sign, eight times
        r |= byte << 8 * i;
    }
    return r;
}

static uint64_t extract(const struct ptx_op *op, uint64_t a, unsigned from, unsigned length)
{
    uint64_t r = 0, sign = 0;
    if (op->is_signed && length > 0) {
        unsigned last = from + length - 1;
        sign = a >> (last < op->width ? last : op->width - 1u) & 1u;
    }
    for (unsigned i = 0; i < op->width; i++) {
        bool is_inside = i < length && from + i < op->width;
        r |= (is_inside ? a >> (from + i) & 1u : sign) << i;
    }
    return r;
}

static uint64_t insert(const struct ptx_op *op, uint64_t a, uint64_t b, unsigned to,
                       unsigned length)
{
    for (unsigned i = 0; i < length && to + i < op->width; i++) {
        b = (b & ~((uint64_t)1 << (to + i))) | (a >> i & 1u) << (to + i);
    }
    return b;
}

static uint64_t look_up(uint64_t a, uint64_t b, uint64_t c, uint64_t table)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 32; i++) {
        uint64_t index = (a >> i & 1u) << 2 | (b >> i & 1u) << 1 | (c >> i & 1u);
        r |= (table >> index & 1u) << i;
    }
    return r;
}

static uint64_t multiply_wide(const struct ptx_op *op, uint64_t a, uint64_t b)
{
    if (!op->is_signed) return a * b;
    return (uint64_t)extend(a, op->width) * (uint64_t)extend(b, op->width);
}

static uint64_t remainder_of(const struct ptx_op *op, uint64_t a, uint64_t b)
{
    int64_t divisor = extend(b, op->width);
    if (!op->is_signed) return a % b;
    return divisor == -1 ? 0 : (uint64_t)(extend(a, op->width) % divisor);
}

uint64_t ptx_compute(const struct ptx_op *op, const uint64_t v[PTX_IN_MAX])
{
    switch ((enum ptx_code)op->code) {
    case PTX_MOV: return v[0];
    case PTX_PACK: return v[1] << op->width / 2 | v[0];
    case PTX_ADD: return v[0] + v[1];
    case PTX_SUB: return v[0] - v[1];
    case PTX_MUL_LO: return v[0] * v[1];
    case PTX_MUL_WIDE: return multiply_wide(op, v[0], v[1]);
    case PTX_MAD_LO: return v[0] * v[1] + v[2];
    case PTX_REM: return remainder_of(op, v[0], v[1]);
    case PTX_MIN: return is_less(op, v[1], v[0]) ? v[1] : v[0];
    case PTX_MAX: return is_less(op, v[0], v[1]) ? v[1] : v[0];
    case PTX_NEG: return 0 - v[0];
    case PTX_ABS: return extend(v[0], op->width) < 0 ? 0 - v[0] : v[0];
    case PTX_AND: return v[0] & v[1];
    case PTX_OR: return v[0] | v[1];
    case PTX_XOR: return v[0] ^ v[1];
    case PTX_NOT: return ~v[0];
    case PTX_SHL: return v[1] < op->width ? v[0] << v[1] : 0;
    case PTX_SHR: return shift_right(op, v[0], v[1]);
    case PTX_SHF_L: return (v[1] << 32 | v[0]) << (v[2] & 31u) >> 32;
    case PTX_SHF_R: return (v[1] << 32 | v[0]) >> (v[2] & 31u);
    case PTX_PRMT: return permute(v[0], v[1], v[2]);
    case PTX_BFE: return extract(op, v[0], v[1] & 0xffu, v[2] & 0xffu);
    case PTX_BFI: return insert(op, v[0], v[1], v[2] & 0xffu, v[3] & 0xffu);
    case PTX_LOP3: return look_up(v[0], v[1], v[2], v[3]);
    case PTX_SELP: return v[2] ? v[0] : v[1];
    case PTX_SETP: return compare(op, v[0], v[1]);
    case PTX_CVT: {
        uint64_t low = v[0] << (64 - op->source_width) >> (64 - op->source_width);
        return op->is_signed ? (uint64_t)extend(low, op->source_width) : low;
    }
    default: return 0;
    }
}

uint32_t ptx_compute_carry(uint32_t *carry, const struct ptx_op *op, const uint64_t v[PTX_IN_MAX])
{
    uint64_t taken = op->carry & PTX_CARRY_IN ? *carry : 0, r = 0;
    switch ((enum ptx_code)op->code) {
    case PTX_ADD_CARRY: r = v[0] + v[1] + taken; break;
    case PTX_SUB_CARRY: r = v[0] - v[1] - taken; break; // The flag is the borrow.
    case PTX_MAD_LO_CARRY: r = (uint32_t)(v[0] * v[1]) + v[2] + taken; break;
    case PTX_MAD_HI_CARRY: r = (v[0] * v[1] >> 32) + v[2] + taken; break;
    default: break;
    }
    if (op->carry & PTX_CARRY_OUT) *carry = r >> 32 & 1u;
    return (uint32_t)r;
}
