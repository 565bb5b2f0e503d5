/* ptx_program.h: a PTX module as ptx_parse leaves it and ptx_run runs it.
 *
 * A function's registers, parameters, constants and special registers are slots of its frame, 64
 * bits each, numbered from 0; a value is held zero-extended. Branches and calls are resolved. */
#ifndef SY_TESTS_PTX_PTX_PROGRAM_H
#define SY_TESTS_PTX_PTX_PROGRAM_H

#include "tests/ptx/ptx.h"

#define PTX_NONE UINT32_MAX
#define PTX_OUT_MAX 4u
#define PTX_IN_MAX 5u
#define PTX_PARAMETERS_MAX 4u

/* Where the state spaces begin: apart, so that an address of one is none of another. Generic
 * addresses of local memory lie beyond all that a process has. */
#define PTX_PARAM_BASE 0x10000000u
#define PTX_LOCAL_BASE 0x20000000u
#define PTX_SHARED_BASE 0x30000000u
#define PTX_GENERIC_LOCAL ((uint64_t)1 << 60)

enum ptx_code {
    // One result, from the sources alone; kept first.
    PTX_MOV,
    PTX_PACK,
    PTX_ADD,
    PTX_SUB,
    PTX_MUL_LO,
    PTX_MUL_WIDE,
    PTX_MAD_LO,
    PTX_REM,
    PTX_MIN,
    PTX_MAX,
    PTX_NEG,
    PTX_ABS,
    PTX_AND,
    PTX_OR,
    PTX_XOR,
    PTX_NOT,
    PTX_SHL,
    PTX_SHR,
    PTX_SHF_L,
    PTX_SHF_R,
    PTX_PRMT,
    PTX_BFE,
    PTX_BFI,
    PTX_LOP3,
    PTX_SELP,
    PTX_SETP,
    PTX_CVT,
    PTX_LAST_PURE = PTX_CVT,
    // With the carry flag.
    PTX_ADD_CARRY,
    PTX_SUB_CARRY,
    PTX_MAD_LO_CARRY,
    PTX_MAD_HI_CARRY,
    PTX_LAST_CARRY = PTX_MAD_HI_CARRY,
    // All others.
    PTX_UNPACK,
    PTX_CVTA,
    PTX_CVTA_TO,
    PTX_LD,
    PTX_ST,
    PTX_BRA,
    PTX_CALL,
    PTX_RET,
    PTX_BAR
};

enum ptx_space { PTX_GLOBAL, PTX_CONSTANT_GLOBAL, PTX_PARAM, PTX_LOCAL, PTX_SHARED };
enum ptx_compare { PTX_EQ, PTX_NE, PTX_LT, PTX_LE, PTX_GT, PTX_GE };
enum { PTX_CARRY_IN = 1, PTX_CARRY_OUT = 2 };

struct ptx_op {
    uint8_t code;
    uint8_t width;        // bits of the type: 1 (predicates), 8, 16, 32, 64
    uint8_t source_width; // cvt: bits of what is converted
    uint8_t carry, compare, space;
    uint8_t in_count, out_count;
    bool is_signed; // cvt: what is converted is
    bool guard_negates;
    uint32_t guard; // a slot, or PTX_NONE
    uint32_t in[PTX_IN_MAX], out[PTX_OUT_MAX];
    uint32_t target; // bra: an operation; call: a function
    uint32_t line;
    int64_t offset; // ld, st
    uint64_t mask;  // of the bits of a result
};

/* What a slot holds when a frame begins. */
enum ptx_fill { PTX_CONSTANT, PTX_TID_X, PTX_CTAID_X, PTX_NCTAID_Y, PTX_DEPOT };
struct ptx_preset {
    enum ptx_fill fill;
    uint32_t slot;
    uint64_t value;
};

struct ptx_function {
    char *name;
    bool is_entry;
    uint32_t first_op;
    uint32_t slots;
    uint32_t first_preset, preset_end;
    uint32_t parameters[PTX_PARAMETERS_MAX], parameter_count, result;
    uint32_t argument_bytes; // of an entry
    uint32_t local_bytes, local_align, shared_bytes, threads_max;
};

struct ptx_count {
    uint64_t runs, carries;
};

struct ptx_program {
    struct ptx_op *ops;
    struct ptx_count *counts; // of each op
    size_t op_count, op_room;
    struct ptx_function *functions;
    size_t function_count, function_room;
    struct ptx_preset *presets;
    size_t preset_count, preset_room;
};

/* How an instruction's operands are read. */
enum ptx_shape {
    PTX_SHAPE_LIST, // as `operands` says
    PTX_SHAPE_MOV,
    PTX_SHAPE_LD,
    PTX_SHAPE_ST,
    PTX_SHAPE_BRA,
    PTX_SHAPE_CALL,
    PTX_SHAPE_NONE,
    PTX_SHAPE_BAR
};

/* An instruction's name, taken apart. */
struct ptx_opcode {
    enum ptx_code code;
    enum ptx_shape shape;
    const char *operands; // a list: the first one is written. d, s: of the type's width; D: twice
                          // that; w: 32 bits; p, q: a predicate; c: of cvt's second type at least
    uint8_t width, source_width, carry, compare, space, vector;
    bool is_signed, source_is_signed;
};

/* ptx_find_opcode takes a name apart; false: it is not known. */
bool ptx_find_opcode(struct ptx_opcode *out, const char *name, size_t length);

/* ptx_type reads a type ("u32", "b64", "pred"); 0: it is none that is known. */
uint8_t ptx_type(const char *text, size_t length, bool *is_signed);

/* ptx_memory_start begins a launch: all that was written is as if set before. */
void ptx_memory_start(ptx_memory *memory);

/* A byte's history, within one launch. Threads count from 2. */
struct ptx_shadow {
    uint8_t writer;     // 0: nothing set it; 1: it was set before; else the thread that wrote last
    uint8_t written_in; // the stretch between barriers in which it did, from 1
    uint8_t reader;     // 1: several threads
    uint8_t read_in;
};

/* ptx_memory_find is the memory of an access and its history, or NULL: not all of it is there. */
uint8_t *ptx_memory_find(ptx_memory *memory, struct ptx_shadow **shadow, uint64_t address,
                         size_t bytes);

/* ptx_shadow_note notes an access; the answer is NULL or what is wrong with it. */
const char *ptx_shadow_note(struct ptx_shadow *shadow, size_t bytes, uint32_t thread,
                            uint8_t stretch, bool writes);

#endif
