/* ptx_operands.c: instructions of PTX; see ptx_parser.h. */
#include <string.h>

#include "tests/ptx/ptx_parser.h"

static uint64_t mask_of(unsigned width)
{
    return width >= 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
}

static bool is_mark(const struct ptx_parser *parser, char mark)
{
    return parser->token.kind == PTX_MARK && *parser->token.text == mark;
}

static bool fail_operand(struct ptx_parser *parser, const struct ptx_token *token, unsigned width)
{
    return ptx_fail(parser, token->line, "%.*s is no operand of %u bits", (int)token->length,
                    token->text, width);
}

// A register of min_width to max_width bits.
static bool read_register(struct ptx_parser *parser, struct ptx_name *out, unsigned min_width,
                          unsigned max_width)
{
    const struct ptx_token token = parser->token;
    if (!ptx_find_name(out, parser, &token) || out->kind > PTX_REGISTERS ||
        out->width < min_width || out->width > max_width) {
        return fail_operand(parser, &token, min_width);
    }
    return ptx_next(parser);
}

static bool read_special(struct ptx_parser *parser, uint32_t *slot)
{
    static const struct {
        const char *name;
        enum ptx_fill fill;
    } specials[] = {{"%tid.x", PTX_TID_X}, {"%ctaid.x", PTX_CTAID_X}, {"%nctaid.y", PTX_NCTAID_Y}};
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        if (!ptx_is(&parser->token, specials[i].name)) continue;
        *slot = ptx_preset(parser, specials[i].fill, 0);
        return ptx_next(parser);
    }
    return false;
}

// A register of that width at least, or a number.
static bool read_source(struct ptx_parser *parser, uint32_t *slot, unsigned width,
                        unsigned max_width)
{
    struct ptx_name name;
    if (parser->token.kind == PTX_NUMBER) {
        *slot = ptx_preset(parser, PTX_CONSTANT, parser->token.number & mask_of(width));
        return ptx_next(parser);
    }
    if (width == 32 && read_special(parser, slot)) return true;
    if (!read_register(parser, &name, width, max_width)) return false;
    *slot = name.slot;
    return true;
}

// --- operands by shape ---------------------------------------------------------------------------

static bool read_list(struct ptx_parser *parser, struct ptx_op *op, const struct ptx_opcode *opcode)
{
    for (const char *kind = opcode->operands; *kind; kind++) {
        unsigned width = op->width, max_width;
        if (*kind == 'D') width *= 2;
        if (*kind == 'w') width = 32;
        if (*kind == 'p' || *kind == 'q') width = 1;
        if (*kind == 'c') width = op->source_width;
        max_width = *kind == 'c' ? 64 : width;
        if (kind == opcode->operands) {
            struct ptx_name name;
            if (!read_register(parser, &name, width, max_width)) return false;
            op->out[op->out_count++] = name.slot;
            op->mask = mask_of(width);
            continue;
        }
        if (!ptx_expect(parser, ',')) return false;
        if (!read_source(parser, &op->in[op->in_count++], width, max_width)) return false;
    }
    return true;
}

// { REGISTER, ... } of count; read as sources or written.
static bool read_vector(struct ptx_parser *parser, uint32_t *slots, unsigned count, unsigned width,
                        unsigned max_width, bool is_written)
{
    if (count > 1 && !ptx_expect(parser, '{')) return false;
    for (unsigned i = 0; i < count; i++) {
        struct ptx_name name;
        if (i > 0 && !ptx_expect(parser, ',')) return false;
        if (!is_written) {
            if (!read_source(parser, &slots[i], width, max_width)) return false;
            continue;
        }
        if (!read_register(parser, &name, width, max_width)) return false;
        slots[i] = name.slot;
    }
    return count == 1 || ptx_expect(parser, '}');
}

// An address as a value: of what was declared, or of where the frame's memory begins.
static bool read_symbol(struct ptx_parser *parser, uint32_t *slot)
{
    struct ptx_name name;
    if (!ptx_find_name(&name, parser, &parser->token) || name.kind <= PTX_REGISTERS) return false;
    *slot = ptx_preset(parser, name.kind == PTX_ADDRESS ? PTX_CONSTANT : PTX_DEPOT, name.address);
    return ptx_next(parser);
}

// mov: from a value, an address, or between two halves and a whole.
static bool read_mov(struct ptx_parser *parser, struct ptx_op *op)
{
    op->mask = mask_of(op->width);
    if (is_mark(parser, '{')) {
        op->code = PTX_UNPACK;
        op->out_count = 2;
        op->in_count = 1;
        op->mask = mask_of(op->width / 2);
        return op->width >= 32 &&
               read_vector(parser, op->out, 2, op->width / 2, op->width / 2, true) &&
               ptx_expect(parser, ',') && read_source(parser, &op->in[0], op->width, op->width);
    }
    op->out_count = op->in_count = 1;
    if (!read_vector(parser, op->out, 1, op->width, op->width, true)) return false;
    if (!ptx_expect(parser, ',')) return false;
    if (is_mark(parser, '{')) {
        op->code = PTX_PACK;
        op->in_count = 2;
        return op->width >= 32 &&
               read_vector(parser, op->in, 2, op->width / 2, op->width / 2, false);
    }
    if (op->width >= 32 && read_symbol(parser, &op->in[0])) return true;
    return read_source(parser, &op->in[0], op->width, op->width);
}

// [BASE + OFFSET]. A parameter of a function is a register: its slot in *parameter, else PTX_NONE.
static bool read_address(struct ptx_parser *parser, struct ptx_op *op, uint32_t *parameter)
{
    struct ptx_name name;
    *parameter = PTX_NONE;
    if (!ptx_expect(parser, '[')) return false;
    const struct ptx_token base = parser->token;
    if (!ptx_find_name(&name, parser, &base)) return fail_operand(parser, &base, 64);
    if (name.kind > PTX_REGISTERS) {
        if (!read_symbol(parser, &op->in[0])) return false;
    } else if (op->space == PTX_PARAM && base.text[0] != '%') {
        if (name.width != op->width) return fail_operand(parser, &base, op->width);
        *parameter = name.slot;
        if (!ptx_next(parser)) return false;
    } else {
        unsigned width = op->space == PTX_SHARED ? 32 : 64;
        if (!read_source(parser, &op->in[0], width, 64)) return false;
    }
    if (ptx_take(parser, '+')) {
        if (parser->token.kind != PTX_NUMBER) return fail_operand(parser, &parser->token, 64);
        op->offset = (int64_t)parser->token.number;
        if (!ptx_next(parser)) return false;
    }
    if (*parameter != PTX_NONE && op->offset != 0) return fail_operand(parser, &base, op->width);
    return ptx_expect(parser, ']');
}

static bool read_load(struct ptx_parser *parser, struct ptx_op *op, unsigned vector)
{
    struct ptx_name first;
    uint32_t parameter = PTX_NONE;
    struct ptx_token token = parser->token;
    if (is_mark(parser, '{')) { // The registers of a vector are of one width.
        token = (struct ptx_token){.kind = PTX_WORD, .line = token.line, .text = parser->at};
        while (token.text[0] == ' ') token.text++;
        token.length = strcspn(token.text, " ,}");
    }
    op->out_count = (uint8_t)vector;
    op->in_count = 1;
    op->mask = ptx_find_name(&first, parser, &token) ? mask_of(first.width) : 0;
    if (!read_vector(parser, op->out, vector, op->width, vector > 1 ? op->width : 64, true)) {
        return false;
    }
    if (!ptx_expect(parser, ',') || !read_address(parser, op, &parameter)) return false;
    if (parameter == PTX_NONE) return true;
    op->code = PTX_MOV;
    op->in[0] = parameter;
    return vector == 1 || fail_operand(parser, &token, op->width);
}

static bool read_store(struct ptx_parser *parser, struct ptx_op *op, unsigned vector)
{
    uint32_t parameter;
    const struct ptx_token token = parser->token;
    if (op->space == PTX_CONSTANT_GLOBAL || !read_address(parser, op, &parameter)) return false;
    op->in_count = (uint8_t)(1 + vector);
    if (!ptx_expect(parser, ',')) return false;
    if (!read_vector(parser, op->in + 1, vector, op->width, vector > 1 ? op->width : 64, false)) {
        return false;
    }
    if (parameter == PTX_NONE) return op->space != PTX_PARAM || fail_operand(parser, &token, 64);
    op->code = PTX_MOV;
    op->in[0] = op->in[1];
    op->in_count = op->out_count = 1;
    op->out[0] = parameter;
    op->mask = mask_of(op->width);
    return vector == 1 || fail_operand(parser, &token, op->width);
}

static bool add_link(struct ptx_parser *parser, struct ptx_label **links, size_t *count,
                     size_t *room)
{
    const struct ptx_token word = parser->token;
    if (word.kind != PTX_WORD) return fail_operand(parser, &word, 64);
    *links = (struct ptx_label *)ptx_grow(*links, *count, room, sizeof **links);
    (*links)[(*count)++] =
        (struct ptx_label){word.text, word.length, (uint32_t)parser->program->op_count, word.line};
    return ptx_next(parser);
}

// call.uni [(RESULT),] NAME [, (PARAMETER, ...)]: names of .param
static bool read_call(struct ptx_parser *parser, struct ptx_op *op)
{
    struct ptx_name name;
    if (ptx_take(parser, '(')) {
        if (!read_register(parser, &name, 32, 64)) return false;
        op->out[op->out_count++] = name.slot;
        if (!ptx_expect(parser, ')') || !ptx_expect(parser, ',')) return false;
    }
    if (!add_link(parser, &parser->calls, &parser->call_count, &parser->call_room)) return false;
    if (!ptx_take(parser, ',')) return true;
    if (!ptx_expect(parser, '(')) return false;
    do {
        if (op->in_count == PTX_PARAMETERS_MAX) return fail_operand(parser, &parser->token, 64);
        if (!read_register(parser, &name, 32, 64)) return false;
        op->in[op->in_count++] = name.slot;
    } while (ptx_take(parser, ','));
    return ptx_expect(parser, ')');
}

static bool read_operands(struct ptx_parser *parser, struct ptx_op *op,
                          const struct ptx_opcode *opcode)
{
    switch (opcode->shape) {
    case PTX_SHAPE_LIST: return read_list(parser, op, opcode);
    case PTX_SHAPE_MOV: return read_mov(parser, op);
    case PTX_SHAPE_LD: return read_load(parser, op, opcode->vector);
    case PTX_SHAPE_ST: return read_store(parser, op, opcode->vector);
    case PTX_SHAPE_BRA:
        return add_link(parser, &parser->branches, &parser->branch_count, &parser->branch_room);
    case PTX_SHAPE_CALL: return read_call(parser, op);
    case PTX_SHAPE_BAR: // The whole block's, number 0.
        if (parser->token.kind == PTX_NUMBER && parser->token.number == 0) return ptx_next(parser);
        return fail_operand(parser, &parser->token, 32);
    case PTX_SHAPE_NONE: return true;
    }
    return false;
}

// @GUARD or @!GUARD
static bool read_guard(struct ptx_parser *parser, struct ptx_op *op)
{
    struct ptx_name name;
    op->guard = PTX_NONE;
    if (!ptx_take(parser, '@')) return true;
    op->guard_negates = ptx_take(parser, '!');
    if (!read_register(parser, &name, 1, 1)) return false;
    op->guard = name.slot;
    return true;
}

bool ptx_instruction(struct ptx_parser *parser)
{
    struct ptx_program *program = parser->program;
    struct ptx_opcode opcode;
    struct ptx_op op = {0};
    if (!read_guard(parser, &op)) return false;
    const struct ptx_token word = parser->token;
    if (word.kind != PTX_WORD || !ptx_find_opcode(&opcode, word.text, word.length)) {
        return ptx_fail(parser, word.line, "the instruction %.*s is not known", (int)word.length,
                        word.text);
    }
    op.code = (uint8_t)opcode.code;
    op.width = opcode.width;
    op.source_width = opcode.source_width;
    op.carry = opcode.carry;
    op.compare = opcode.compare;
    op.space = opcode.space;
    op.is_signed = opcode.code == PTX_CVT ? opcode.source_is_signed : opcode.is_signed;
    op.line = word.line;
    if (!ptx_next(parser)) return false;
    if (!read_operands(parser, &op, &opcode)) {
        return ptx_fail(parser, word.line, "%.*s has other operands", (int)word.length, word.text);
    }
    if (!ptx_expect(parser, ';')) return false;
    program->ops = (struct ptx_op *)ptx_grow(program->ops, program->op_count, &program->op_room,
                                             sizeof *program->ops);
    program->ops[program->op_count++] = op;
    return true;
}
