/* ptx_parse.c: modules, functions and declarations of PTX; see ptx_parser.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/ptx/ptx_parser.h"

#define BYTES_MAX 65536u // of a declared array
#define REGISTERS_MAX 1000000u

void *ptx_grow(void *array, size_t count, size_t *room, size_t each)
{
    if (count < *room) return array;
    *room = *room > 0 ? 2 * *room : 64;
    array = realloc(array, *room * each);
    SY_ASSERT(array);
    return array;
}

bool ptx_fail(struct ptx_parser *parser, uint32_t line, const char *format, ...)
{
    char text[256];
    va_list args;
    if (parser->has_failed) return false;
    parser->has_failed = true;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)!sy_fail(parser->err, SY_ERR_FORMAT, "line %u: %s", line, text);
    return false;
}

// --- tokens --------------------------------------------------------------------------------------

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '.' || c == '%';
}

static void skip_space(struct ptx_parser *parser)
{
    for (;;) {
        if (*parser->at == '\n') parser->line++;
        if (isspace((unsigned char)*parser->at)) {
            parser->at++;
        } else if (parser->at[0] == '/' && parser->at[1] == '/') {
            parser->at += strcspn(parser->at, "\n");
        } else {
            return;
        }
    }
}

static bool read_number(struct ptx_parser *parser)
{
    struct ptx_token *token = &parser->token;
    char *end = NULL;
    bool minus = token->text[0] == '-';
    token->kind = PTX_NUMBER;
    token->number = strtoull(token->text + minus, &end, 0);
    if (minus) token->number = 0 - token->number;
    if (*end == 'U') end++;
    token->length = (size_t)(end - token->text);
    parser->at = end;
    if (is_word(*end)) return ptx_fail(parser, token->line, "a number ends with '%c'", *end);
    return true;
}

bool ptx_next(struct ptx_parser *parser)
{
    struct ptx_token *token = &parser->token;
    skip_space(parser);
    const char *text = parser->at;
    *token = (struct ptx_token){.kind = PTX_MARK, .text = text, .length = 1, .line = parser->line};
    if (*text == 0) {
        token->kind = PTX_END;
        token->length = 0;
    } else if (isdigit((unsigned char)text[*text == '-'])) {
        return read_number(parser);
    } else if (is_word(*text)) {
        token->kind = PTX_WORD;
        while (is_word(text[token->length])) token->length++;
    } else if (*text == '"') {
        token->kind = PTX_STRING;
        token->length = 1 + strcspn(text + 1, "\"\n");
        if (text[token->length] != '"') return ptx_fail(parser, token->line, "a string has no end");
        token->length++;
    }
    parser->at = text + token->length;
    return true;
}

bool ptx_is(const struct ptx_token *token, const char *word)
{
    return strlen(word) == token->length && memcmp(word, token->text, token->length) == 0;
}

bool ptx_take(struct ptx_parser *parser, char mark)
{
    const struct ptx_token *token = &parser->token;
    return token->kind == PTX_MARK && *token->text == mark && ptx_next(parser);
}

bool ptx_expect(struct ptx_parser *parser, char mark)
{
    const struct ptx_token *token = &parser->token;
    if (ptx_take(parser, mark)) return true;
    return ptx_fail(parser, token->line, "'%c' is expected where '%.*s' stands", mark,
                    (int)token->length, token->text);
}

static bool take_word(struct ptx_parser *parser, struct ptx_token *out)
{
    *out = parser->token;
    if (out->kind == PTX_WORD) return ptx_next(parser);
    return ptx_fail(parser, out->line, "a name is expected where '%.*s' stands", (int)out->length,
                    out->text);
}

static bool take_number(struct ptx_parser *parser, uint32_t *out, uint32_t max)
{
    const struct ptx_token token = parser->token;
    if (token.kind != PTX_NUMBER || token.number > max) {
        return ptx_fail(parser, token.line, "'%.*s' is no number up to %u", (int)token.length,
                        token.text, max);
    }
    *out = (uint32_t)token.number;
    return ptx_next(parser);
}

// --- names ---------------------------------------------------------------------------------------

struct ptx_name *ptx_add_name(struct ptx_parser *parser, const struct ptx_token *token)
{
    parser->names = (struct ptx_name *)ptx_grow(parser->names, parser->name_count,
                                                &parser->name_room, sizeof *parser->names);
    struct ptx_name *name = &parser->names[parser->name_count++];
    *name = (struct ptx_name){.text = token->text, .length = token->length, .count = 1};
    return name;
}

// The number at a word's end, and how long the word is without it.
static size_t split_number(const struct ptx_token *token, uint32_t *number)
{
    size_t length = token->length;
    while (length > 0 && isdigit((unsigned char)token->text[length - 1])) length--;
    *number = 0;
    for (size_t i = length; i < token->length && *number < REGISTERS_MAX; i++) {
        *number = *number * 10 + (uint32_t)(token->text[i] - '0');
    }
    return length;
}

bool ptx_find_name(struct ptx_name *out, const struct ptx_parser *parser,
                   const struct ptx_token *token)
{
    uint32_t number = 0;
    size_t length = split_number(token, &number);
    if (token->kind != PTX_WORD) return false;
    for (size_t i = parser->name_count; i-- > 0;) {
        const struct ptx_name *name = &parser->names[i];
        bool is_range = name->kind == PTX_REGISTERS;
        if (is_range && (length == token->length || number >= name->count)) continue;
        if (name->length != (is_range ? length : token->length)) continue;
        if (memcmp(name->text, token->text, name->length) != 0) continue;
        *out = *name;
        if (is_range) out->slot += number;
        return true;
    }
    return false;
}

uint32_t ptx_preset(struct ptx_parser *parser, enum ptx_fill fill, uint64_t value)
{
    struct ptx_program *program = parser->program;
    struct ptx_function *function = parser->function;
    for (uint32_t i = function->first_preset; i < program->preset_count; i++) {
        const struct ptx_preset *preset = &program->presets[i];
        if (preset->fill == fill && preset->value == value) return preset->slot;
    }
    program->presets = (struct ptx_preset *)ptx_grow(
        program->presets, program->preset_count, &program->preset_room, sizeof *program->presets);
    program->presets[program->preset_count++] =
        (struct ptx_preset){.fill = fill, .slot = function->slots, .value = value};
    return function->slots++;
}

// --- declarations --------------------------------------------------------------------------------

static bool read_type(struct ptx_parser *parser, uint8_t *width)
{
    struct ptx_token word;
    bool is_signed;
    if (!take_word(parser, &word)) return false;
    *width = word.text[0] == '.' ? ptx_type(word.text + 1, word.length - 1, &is_signed) : 0;
    if (*width > 0) return true;
    return ptx_fail(parser, word.line, "the type %.*s is not known", (int)word.length, word.text);
}

// .reg TYPE NAME, NAME<COUNT>, ... ;
static bool read_registers(struct ptx_parser *parser)
{
    uint8_t width;
    if (!read_type(parser, &width)) return false;
    do {
        struct ptx_token word;
        if (!take_word(parser, &word)) return false;
        struct ptx_name *name = ptx_add_name(parser, &word);
        name->kind = PTX_REGISTER;
        name->width = width;
        name->slot = parser->function->slots;
        if (ptx_take(parser, '<')) {
            name->kind = PTX_REGISTERS;
            if (!take_number(parser, &name->count, REGISTERS_MAX)) return false;
            if (!ptx_expect(parser, '>')) return false;
        }
        parser->function->slots += name->count;
    } while (ptx_take(parser, ','));
    return ptx_expect(parser, ';');
}

// [.align NUMBER] TYPE NAME [ [NUMBER] ]; bytes is 0 where no number stands.
static bool read_variable(struct ptx_parser *parser, struct ptx_token *name, uint8_t *width,
                          uint32_t *align, uint32_t *bytes)
{
    *align = 1;
    *bytes = 0;
    if (ptx_is(&parser->token, ".align")) {
        if (!ptx_next(parser) || !take_number(parser, align, 256)) return false;
    }
    if (!read_type(parser, width) || !take_word(parser, name)) return false;
    if (!ptx_take(parser, '[')) return true;
    if (*width != 8 || *align == 0 || (*align & (*align - 1)) != 0) {
        return ptx_fail(parser, name->line, "%.*s is no array of bytes that can be laid out",
                        (int)name->length, name->text);
    }
    return take_number(parser, bytes, BYTES_MAX) && ptx_expect(parser, ']');
}

// A .param of a call sequence, or of a function: like a register.
static bool read_parameter(struct ptx_parser *parser, struct ptx_name **out)
{
    struct ptx_token word;
    uint32_t align, bytes;
    uint8_t width;
    if (!read_variable(parser, &word, &width, &align, &bytes)) return false;
    if (bytes > 0) return ptx_fail(parser, word.line, "functions take no arrays here");
    *out = ptx_add_name(parser, &word);
    (*out)->kind = PTX_REGISTER;
    (*out)->width = width;
    (*out)->slot = parser->function->slots++;
    return true;
}

static bool read_local(struct ptx_parser *parser, bool is_shared)
{
    struct ptx_function *function = parser->function;
    struct ptx_token word;
    uint32_t align, bytes;
    uint8_t width;
    if (!read_variable(parser, &word, &width, &align, &bytes)) return false;
    if (bytes == 0 || (is_shared ? function->shared_bytes : function->local_bytes) > 0) {
        return ptx_fail(parser, word.line, "one array of local and one of shared memory is known");
    }
    struct ptx_name *name = ptx_add_name(parser, &word);
    name->kind = is_shared ? PTX_ADDRESS : PTX_DEPOT_ADDRESS;
    name->address = PTX_SHARED_BASE;
    if (is_shared) {
        function->shared_bytes = bytes;
    } else {
        function->local_bytes = bytes;
        function->local_align = align;
    }
    return ptx_expect(parser, ';');
}

static bool read_declaration(struct ptx_parser *parser)
{
    const struct ptx_token word = parser->token;
    struct ptx_name *name;
    if (!ptx_next(parser)) return false;
    if (ptx_is(&word, ".reg")) return read_registers(parser);
    if (ptx_is(&word, ".local")) return read_local(parser, false);
    if (ptx_is(&word, ".shared")) return read_local(parser, true);
    if (ptx_is(&word, ".param")) return read_parameter(parser, &name) && ptx_expect(parser, ';');
    if (ptx_is(&word, ".pragma")) {
        if (parser->token.kind != PTX_STRING) return ptx_expect(parser, '"');
        return ptx_next(parser) && ptx_expect(parser, ';');
    }
    return ptx_fail(parser, word.line, "the directive %.*s is not known", (int)word.length,
                    word.text);
}

// --- functions -----------------------------------------------------------------------------------

static bool read_argument_of_entry(struct ptx_parser *parser)
{
    struct ptx_token word;
    uint32_t align, bytes;
    uint8_t width;
    if (!read_variable(parser, &word, &width, &align, &bytes)) return false;
    if (bytes == 0 || parser->function->argument_bytes > 0) {
        return ptx_fail(parser, word.line, "an entry takes one array of bytes here");
    }
    struct ptx_name *name = ptx_add_name(parser, &word);
    name->kind = PTX_ADDRESS;
    name->address = PTX_PARAM_BASE;
    parser->function->argument_bytes = bytes;
    return true;
}

static bool read_parameters(struct ptx_parser *parser)
{
    struct ptx_function *function = parser->function;
    if (!ptx_expect(parser, '(')) return false;
    if (ptx_take(parser, ')')) return true;
    do {
        struct ptx_name *name;
        if (!ptx_is(&parser->token, ".param")) return ptx_expect(parser, ')');
        if (!ptx_next(parser)) return false;
        if (function->is_entry) {
            if (!read_argument_of_entry(parser)) return false;
            continue;
        }
        if (function->parameter_count == PTX_PARAMETERS_MAX) {
            return ptx_fail(parser, parser->line, "functions take %u parameters at most here",
                            PTX_PARAMETERS_MAX);
        }
        if (!read_parameter(parser, &name)) return false;
        function->parameters[function->parameter_count++] = name->slot;
    } while (ptx_take(parser, ','));
    return ptx_expect(parser, ')');
}

static bool read_attributes(struct ptx_parser *parser)
{
    struct ptx_function *function = parser->function;
    uint32_t ignored;
    while (parser->token.kind == PTX_WORD) {
        struct ptx_token word;
        if (!take_word(parser, &word)) return false;
        if (ptx_is(&word, ".maxntid")) {
            if (!take_number(parser, &function->threads_max, PTX_THREADS_MAX)) return false;
            while (ptx_take(parser, ',')) {
                if (!take_number(parser, &ignored, 1)) return false;
            }
        } else if (ptx_is(&word, ".minnctapersm")) {
            if (!take_number(parser, &ignored, 32)) return false;
        } else {
            return ptx_fail(parser, word.line, "the directive %.*s is not known", (int)word.length,
                            word.text);
        }
    }
    return true;
}

static bool open_scope(struct ptx_parser *parser)
{
    if (!ptx_expect(parser, '{')) return false;
    if (parser->scope_count == PTX_SCOPES_MAX) {
        return ptx_fail(parser, parser->line, "blocks lie more than %u deep", PTX_SCOPES_MAX);
    }
    parser->scopes[parser->scope_count++] = parser->name_count;
    return true;
}

static bool read_label(struct ptx_parser *parser, const struct ptx_token *word)
{
    parser->labels = (struct ptx_label *)ptx_grow(parser->labels, parser->label_count,
                                                  &parser->label_room, sizeof *parser->labels);
    parser->labels[parser->label_count++] =
        (struct ptx_label){word->text, word->length, (uint32_t)parser->program->op_count, 0};
    return ptx_expect(parser, ':');
}

static bool read_statement(struct ptx_parser *parser)
{
    const struct ptx_token word = parser->token;
    if (word.kind == PTX_WORD && word.text[0] == '.') return read_declaration(parser);
    if (word.kind == PTX_WORD && *parser->at == ':') {
        return ptx_next(parser) && read_label(parser, &word);
    }
    return ptx_instruction(parser);
}

static bool read_body(struct ptx_parser *parser)
{
    if (!open_scope(parser)) return false;
    while (parser->scope_count > 0) {
        if (parser->token.kind == PTX_MARK && *parser->token.text == '{') {
            if (!open_scope(parser)) return false;
        } else if (ptx_take(parser, '}')) {
            parser->name_count = parser->scopes[--parser->scope_count];
        } else if (!read_statement(parser)) {
            return false;
        }
    }
    return true;
}

static bool link_branches(struct ptx_parser *parser)
{
    const struct ptx_program *program = parser->program;
    for (size_t i = 0; i < parser->branch_count; i++) {
        const struct ptx_label *branch = &parser->branches[i];
        size_t k = 0;
        while (k < parser->label_count &&
               (parser->labels[k].length != branch->length ||
                memcmp(parser->labels[k].text, branch->text, branch->length) != 0)) {
            k++;
        }
        if (k == parser->label_count || parser->labels[k].op == program->op_count) {
            return ptx_fail(parser, branch->line, "there is nothing at %.*s", (int)branch->length,
                            branch->text);
        }
        program->ops[branch->op].target = parser->labels[k].op;
    }
    return true;
}

// What a function falls through to at its end is nobody's.
static bool ends(struct ptx_parser *parser)
{
    const struct ptx_program *program = parser->program;
    const struct ptx_function *function = parser->function;
    if (program->op_count > function->first_op) {
        const struct ptx_op *last = &program->ops[program->op_count - 1];
        if ((last->code == PTX_RET || last->code == PTX_BRA) && last->guard == PTX_NONE)
            return true;
    }
    return ptx_fail(parser, parser->line, "%s ends without ret", function->name);
}

static bool read_function(struct ptx_parser *parser, bool is_entry)
{
    struct ptx_program *program = parser->program;
    struct ptx_token word;
    program->functions =
        (struct ptx_function *)ptx_grow(program->functions, program->function_count,
                                        &program->function_room, sizeof *program->functions);
    struct ptx_function *function = &program->functions[program->function_count++];
    *function = (struct ptx_function){.is_entry = is_entry,
                                      .first_op = (uint32_t)program->op_count,
                                      .first_preset = (uint32_t)program->preset_count,
                                      .result = PTX_NONE,
                                      .threads_max = PTX_THREADS_MAX};
    parser->function = function;
    parser->name_count = parser->label_count = parser->branch_count = 0;
    if (!is_entry && ptx_take(parser, '(')) {
        struct ptx_name *name;
        if (!ptx_is(&parser->token, ".param")) return ptx_expect(parser, ')');
        if (!ptx_next(parser) || !read_parameter(parser, &name)) return false;
        function->result = name->slot;
        if (!ptx_expect(parser, ')')) return false;
    }
    if (!take_word(parser, &word)) return false;
    function->name = strndup(word.text, word.length);
    SY_ASSERT(function->name);
    if (!read_parameters(parser) || !read_attributes(parser) || !read_body(parser)) return false;
    function->preset_end = (uint32_t)program->preset_count;
    return ends(parser) && link_branches(parser);
}

// --- modules -------------------------------------------------------------------------------------

static bool agrees(const struct ptx_op *call, const struct ptx_function *callee)
{
    return !callee->is_entry && call->in_count == callee->parameter_count &&
           (call->out_count == 0 || callee->result != PTX_NONE);
}

static bool link_calls(struct ptx_parser *parser)
{
    const struct ptx_program *program = parser->program;
    for (size_t i = 0; i < parser->call_count; i++) {
        const struct ptx_label *call = &parser->calls[i];
        size_t k = 0;
        while (k < program->function_count &&
               (strlen(program->functions[k].name) != call->length ||
                memcmp(program->functions[k].name, call->text, call->length) != 0)) {
            k++;
        }
        if (k == program->function_count ||
            !agrees(&program->ops[call->op], &program->functions[k])) {
            return ptx_fail(parser, call->line, "there is no function %.*s that is called so",
                            (int)call->length, call->text);
        }
        program->ops[call->op].target = (uint32_t)k;
    }
    return true;
}

static bool read_module(struct ptx_parser *parser)
{
    if (!ptx_next(parser)) return false;
    while (parser->token.kind != PTX_END) {
        struct ptx_token word = parser->token;
        if (ptx_is(&word, ".version") || ptx_is(&word, ".target") ||
            ptx_is(&word, ".address_size")) {
            parser->at += strcspn(parser->at, "\n"); // The rest of the line is theirs.
            if (!ptx_next(parser)) return false;
            continue;
        }
        if (!take_word(parser, &word)) return false;
        if (ptx_is(&word, ".entry") || ptx_is(&word, ".func")) {
            if (!read_function(parser, ptx_is(&word, ".entry"))) return false;
        } else if (!ptx_is(&word, ".visible")) {
            return ptx_fail(parser, word.line, "the directive %.*s is not known", (int)word.length,
                            word.text);
        }
    }
    return link_calls(parser);
}

sy_status ptx_parse(ptx_program **out, const char *text, struct sy_error *err)
{
    struct ptx_parser parser = {.at = text, .line = 1, .err = err};
    parser.program = (struct ptx_program *)calloc(1, sizeof *parser.program);
    SY_ASSERT(parser.program);
    bool is_good = read_module(&parser) && !parser.has_failed;
    free(parser.names);
    free(parser.labels);
    free(parser.branches);
    free(parser.calls);
    *out = parser.program;
    if (is_good) {
        parser.program->counts = (struct ptx_count *)calloc(parser.program->op_count + 1,
                                                            sizeof *parser.program->counts);
        SY_ASSERT(parser.program->counts);
        return SY_OK;
    }
    ptx_free(parser.program);
    *out = NULL;
    return SY_ERR_FORMAT;
}

void ptx_free(ptx_program *program)
{
    if (!program) return;
    for (size_t i = 0; i < program->function_count; i++) free(program->functions[i].name);
    free(program->functions);
    free(program->presets);
    free(program->counts);
    free(program->ops);
    free(program);
}
