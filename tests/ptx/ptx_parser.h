/* ptx_parser.h: what the two halves of the parser share: ptx_parse.c (the module, declarations) and
 * ptx_operands.c (instructions). */
#ifndef SY_TESTS_PTX_PTX_PARSER_H
#define SY_TESTS_PTX_PTX_PARSER_H

#include "tests/ptx/ptx_program.h"

struct ptx_token {
    enum { PTX_END, PTX_WORD, PTX_NUMBER, PTX_STRING, PTX_MARK } kind;
    const char *text;
    size_t length;
    uint32_t line;
    uint64_t number;
};

struct ptx_name {
    const char *text; // of a range of registers, without the number
    size_t length;
    enum { PTX_REGISTER, PTX_REGISTERS, PTX_ADDRESS, PTX_DEPOT_ADDRESS } kind;
    uint8_t width;
    uint32_t slot, count;
    uint64_t address;
};

#define PTX_SCOPES_MAX 8u

struct ptx_label {
    const char *text;
    size_t length;
    uint32_t op; // where it leads, or the branch that goes there
    uint32_t line;
};

struct ptx_parser {
    struct ptx_program *program;
    const char *at;
    uint32_t line;
    struct ptx_token token; // the next one
    struct sy_error *err;
    bool has_failed;

    // Of the function being read.
    struct ptx_function *function;
    struct ptx_name *names;
    size_t name_count, name_room;
    size_t scopes[PTX_SCOPES_MAX]; // name_count where each began
    uint32_t scope_count;
    struct ptx_label *labels, *branches;
    size_t label_count, label_room, branch_count, branch_room;

    // Calls, by name until all functions are known.
    struct ptx_label *calls;
    size_t call_count, call_room;
};

/* ptx_grow makes room for one more. */
void *ptx_grow(void *array, size_t count, size_t *room, size_t each);

/* Each returns false once anything has failed; the first failure is the one told. */
bool ptx_fail(struct ptx_parser *parser, uint32_t line, const char *format, ...) SY_PRINTF(3, 4);
bool ptx_next(struct ptx_parser *parser);
bool ptx_expect(struct ptx_parser *parser, char mark);
bool ptx_take(struct ptx_parser *parser, char mark); // no failure if it is not there
bool ptx_is(const struct ptx_token *token, const char *word);

struct ptx_name *ptx_add_name(struct ptx_parser *parser, const struct ptx_token *token);

/* ptx_find_name finds what a word names: of a range, the one register. */
bool ptx_find_name(struct ptx_name *out, const struct ptx_parser *parser,
                   const struct ptx_token *token);

/* ptx_preset is the slot that holds such a value from the frame's beginning. */
uint32_t ptx_preset(struct ptx_parser *parser, enum ptx_fill fill, uint64_t value);

/* ptx_instruction reads one, its guard and its semicolon included. */
bool ptx_instruction(struct ptx_parser *parser);

#endif
