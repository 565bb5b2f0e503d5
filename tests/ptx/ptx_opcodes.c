/* ptx_opcodes.c: the instructions that are known, by the parts of their names. In a pattern T is
 * any whole number's type, V the type converted from, C a comparison, S a state space; all else is
 * itself. A name that fits no pattern is not known, whatever it looks like. */
#include <string.h>

#include "tests/ptx/ptx_program.h"

#define PARTS_MAX 6u

// clang-format off
static const struct pattern {
    const char *name;
    enum ptx_code code;
    enum ptx_shape shape;
    const char *operands;
    uint8_t carry;
} patterns[] = {
    {"mov.T", PTX_MOV, PTX_SHAPE_MOV, "", 0},
    {"mov.pred", PTX_MOV, PTX_SHAPE_LIST, "qp", 0},
    {"add.T", PTX_ADD, PTX_SHAPE_LIST, "dss", 0},
    {"sub.T", PTX_SUB, PTX_SHAPE_LIST, "dss", 0},
    {"mul.lo.T", PTX_MUL_LO, PTX_SHAPE_LIST, "dss", 0},
    {"mul.wide.T", PTX_MUL_WIDE, PTX_SHAPE_LIST, "Dss", 0},
    {"mad.lo.T", PTX_MAD_LO, PTX_SHAPE_LIST, "dsss", 0},
    {"rem.T", PTX_REM, PTX_SHAPE_LIST, "dss", 0},
    {"min.T", PTX_MIN, PTX_SHAPE_LIST, "dss", 0},
    {"max.T", PTX_MAX, PTX_SHAPE_LIST, "dss", 0},
    {"neg.T", PTX_NEG, PTX_SHAPE_LIST, "ds", 0},
    {"abs.T", PTX_ABS, PTX_SHAPE_LIST, "ds", 0},
    {"and.T", PTX_AND, PTX_SHAPE_LIST, "dss", 0},
    {"and.pred", PTX_AND, PTX_SHAPE_LIST, "qpp", 0},
    {"or.T", PTX_OR, PTX_SHAPE_LIST, "dss", 0},
    {"or.pred", PTX_OR, PTX_SHAPE_LIST, "qpp", 0},
    {"xor.T", PTX_XOR, PTX_SHAPE_LIST, "dss", 0},
    {"xor.pred", PTX_XOR, PTX_SHAPE_LIST, "qpp", 0},
    {"not.T", PTX_NOT, PTX_SHAPE_LIST, "ds", 0},
    {"not.pred", PTX_NOT, PTX_SHAPE_LIST, "qp", 0},
    {"shl.T", PTX_SHL, PTX_SHAPE_LIST, "dsw", 0},
    {"shr.T", PTX_SHR, PTX_SHAPE_LIST, "dsw", 0},
    {"shf.l.wrap.b32", PTX_SHF_L, PTX_SHAPE_LIST, "wwww", 0},
    {"shf.r.wrap.b32", PTX_SHF_R, PTX_SHAPE_LIST, "wwww", 0},
    {"prmt.b32", PTX_PRMT, PTX_SHAPE_LIST, "wwww", 0},
    {"bfe.T", PTX_BFE, PTX_SHAPE_LIST, "dsww", 0},
    {"bfi.T", PTX_BFI, PTX_SHAPE_LIST, "dssww", 0},
    {"lop3.b32", PTX_LOP3, PTX_SHAPE_LIST, "wwwww", 0},
    {"selp.T", PTX_SELP, PTX_SHAPE_LIST, "dssp", 0},
    {"setp.C.T", PTX_SETP, PTX_SHAPE_LIST, "qss", 0},
    {"cvt.T.V", PTX_CVT, PTX_SHAPE_LIST, "dc", 0},
    {"add.cc.u32", PTX_ADD_CARRY, PTX_SHAPE_LIST, "www", PTX_CARRY_OUT},
    {"addc.cc.u32", PTX_ADD_CARRY, PTX_SHAPE_LIST, "www", PTX_CARRY_IN | PTX_CARRY_OUT},
    {"addc.u32", PTX_ADD_CARRY, PTX_SHAPE_LIST, "www", PTX_CARRY_IN},
    {"sub.cc.u32", PTX_SUB_CARRY, PTX_SHAPE_LIST, "www", PTX_CARRY_OUT},
    {"subc.cc.u32", PTX_SUB_CARRY, PTX_SHAPE_LIST, "www", PTX_CARRY_IN | PTX_CARRY_OUT},
    {"subc.u32", PTX_SUB_CARRY, PTX_SHAPE_LIST, "www", PTX_CARRY_IN},
    {"mad.lo.cc.u32", PTX_MAD_LO_CARRY, PTX_SHAPE_LIST, "wwww", PTX_CARRY_OUT},
    {"madc.lo.cc.u32", PTX_MAD_LO_CARRY, PTX_SHAPE_LIST, "wwww", PTX_CARRY_IN | PTX_CARRY_OUT},
    {"madc.lo.u32", PTX_MAD_LO_CARRY, PTX_SHAPE_LIST, "wwww", PTX_CARRY_IN},
    {"mad.hi.cc.u32", PTX_MAD_HI_CARRY, PTX_SHAPE_LIST, "wwww", PTX_CARRY_OUT},
    {"madc.hi.cc.u32", PTX_MAD_HI_CARRY, PTX_SHAPE_LIST, "wwww", PTX_CARRY_IN | PTX_CARRY_OUT},
    {"madc.hi.u32", PTX_MAD_HI_CARRY, PTX_SHAPE_LIST, "wwww", PTX_CARRY_IN},
    {"cvta.S.u64", PTX_CVTA, PTX_SHAPE_LIST, "ds", 0},
    {"cvta.to.S.u64", PTX_CVTA_TO, PTX_SHAPE_LIST, "ds", 0},
    {"ld.S.T", PTX_LD, PTX_SHAPE_LD, "", 0},
    {"ld.S.v2.T", PTX_LD, PTX_SHAPE_LD, "", 0},
    {"ld.S.v4.T", PTX_LD, PTX_SHAPE_LD, "", 0},
    {"ld.global.nc.T", PTX_LD, PTX_SHAPE_LD, "", 0},
    {"ld.global.nc.v2.T", PTX_LD, PTX_SHAPE_LD, "", 0},
    {"ld.global.nc.v4.T", PTX_LD, PTX_SHAPE_LD, "", 0},
    {"st.S.T", PTX_ST, PTX_SHAPE_ST, "", 0},
    {"st.S.v2.T", PTX_ST, PTX_SHAPE_ST, "", 0},
    {"st.S.v4.T", PTX_ST, PTX_SHAPE_ST, "", 0},
    {"bra", PTX_BRA, PTX_SHAPE_BRA, "", 0},
    {"bra.uni", PTX_BRA, PTX_SHAPE_BRA, "", 0},
    {"call.uni", PTX_CALL, PTX_SHAPE_CALL, "", 0},
    {"ret", PTX_RET, PTX_SHAPE_NONE, "", 0},
    {"bar.sync", PTX_BAR, PTX_SHAPE_BAR, "", 0},
};
// clang-format on

static const char *const compares[] = {
    [PTX_EQ] = "eq", [PTX_NE] = "ne", [PTX_LT] = "lt",
    [PTX_LE] = "le", [PTX_GT] = "gt", [PTX_GE] = "ge",
};

static const struct {
    const char *name;
    uint8_t space;
} spaces[] = {
    {"global", PTX_GLOBAL}, {"param", PTX_PARAM}, {"local", PTX_LOCAL}, {"shared", PTX_SHARED}};

struct part {
    const char *text;
    size_t length;
};

static bool is(const struct part *part, const char *word)
{
    return strlen(word) == part->length && memcmp(word, part->text, part->length) == 0;
}

uint8_t ptx_type(const char *text, size_t length, bool *is_signed)
{
    static const struct {
        const char *digits;
        uint8_t width;
    } widths[] = {{"8", 8}, {"16", 16}, {"32", 32}, {"64", 64}};
    const struct part whole = {text, length};
    *is_signed = false;
    if (is(&whole, "pred")) return 1;
    if (length < 2 || !memchr("usb", text[0], 3)) return 0;
    *is_signed = text[0] == 's';
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (is(&(struct part){text + 1, length - 1}, widths[i].digits)) return widths[i].width;
    }
    return 0;
}

static size_t split(struct part *parts, size_t max, const char *text, size_t length)
{
    size_t count = 0;
    const char *end = text + length;
    while (text < end) {
        const char *dot = (const char *)memchr(text, '.', (size_t)(end - text));
        if (count == max) return 0;
        parts[count++] = (struct part){text, (size_t)((dot ? dot : end) - text)};
        if (!dot) break;
        text = dot + 1;
    }
    return count;
}

static bool fit_space(struct ptx_opcode *out, const struct part *part)
{
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        if (!is(part, spaces[i].name)) continue;
        out->space = spaces[i].space;
        return true;
    }
    return false;
}

static bool fit_compare(struct ptx_opcode *out, const struct part *part)
{
    for (size_t i = 0; i < sizeof compares / sizeof compares[0]; i++) {
        if (!is(part, compares[i])) continue;
        out->compare = (uint8_t)i;
        return true;
    }
    return false;
}

static bool fit_part(struct ptx_opcode *out, const struct part *pattern, const struct part *part)
{
    if (is(pattern, "S")) return fit_space(out, part);
    if (is(pattern, "C")) return fit_compare(out, part);
    if (is(pattern, "T")) {
        out->width = ptx_type(part->text, part->length, &out->is_signed);
        return out->width > 1;
    }
    if (is(pattern, "V")) {
        out->source_width = ptx_type(part->text, part->length, &out->source_is_signed);
        return out->source_width > 1;
    }
    if (is(pattern, "v2")) out->vector = 2;
    if (is(pattern, "v4")) out->vector = 4;
    if (is(pattern, "pred")) out->width = 1;
    if (is(pattern, "nc")) out->space = PTX_CONSTANT_GLOBAL;
    if (is(pattern, "u64")) out->width = 64;
    return part->length == pattern->length && memcmp(part->text, pattern->text, part->length) == 0;
}

static bool fit(struct ptx_opcode *out, const struct pattern *pattern, const struct part *parts,
                size_t count)
{
    struct part wanted[PARTS_MAX];
    if (split(wanted, PARTS_MAX, pattern->name, strlen(pattern->name)) != count) return false;
    *out = (struct ptx_opcode){.code = pattern->code,
                               .shape = pattern->shape,
                               .operands = pattern->operands,
                               .carry = pattern->carry,
                               .width = 32,
                               .vector = 1};
    for (size_t i = 0; i < count; i++) {
        if (!fit_part(out, &wanted[i], &parts[i])) return false;
    }
    // Only what memory is read by comes in eight bits; products are twice as wide as their factors.
    if (out->width == 8) return out->code == PTX_LD || out->code == PTX_ST;
    return out->code != PTX_MUL_WIDE || out->width < 64;
}

bool ptx_find_opcode(struct ptx_opcode *out, const char *name, size_t length)
{
    struct part parts[PARTS_MAX];
    size_t count = split(parts, PARTS_MAX, name, length);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (fit(out, &patterns[i], parts, count)) return true;
    }
    return false;
}
