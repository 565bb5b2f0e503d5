/* test_ptx.c: the interpreter of PTX (ptx.h) by programs written by hand: what instructions
 * compute, and everything that it must refuse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/prng.h"
#include "tests/ptx/ptx.h"
#include "tests/support/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS 16u
#define STEPS_MAX 10000u

/* Behind the head, a body writes to [%rd1], WORDS words of 64 bits, which hold what was given. */
static const char head[] = ".version 9.0\n.target sm_90\n.address_size 64\n"
                           ".visible .entry k(\n\t.param .align 8 .b8 k_param_0[16]\n)\n"
                           ".maxntid 4\n{\n"
                           "\t.reg .pred \t%p<9>;\n\t.reg .b16 \t%rs<9>;\n"
                           "\t.reg .b32 \t%r<30>;\n\t.reg .b64 \t%rd<30>;\n"
                           "\tld.param.u64 \t%rd1, [k_param_0];\n"
                           "\tcvta.to.global.u64 \t%rd1, %rd1;\n";
#define HEAD_LINES 14u // so that a body begins with line 15

static sy_status run_text(const char *text, uint64_t words[WORDS], uint32_t threads,
                          struct sy_error *err)
{
    ptx_program *program;
    const uint64_t arguments[2] = {(uintptr_t)words, 7};
    sy_status status = ptx_parse(&program, text, err);
    if (status != SY_OK) return status;
    ptx_memory *memory = ptx_memory_open();
    ptx_memory_add(memory, words, WORDS * sizeof *words, true);
    const struct ptx_launch launch = {.entry = "k",
                                      .block = 5,
                                      .threads = threads,
                                      .arguments = arguments,
                                      .argument_bytes = sizeof arguments,
                                      .steps_max = STEPS_MAX};
    status = ptx_run(program, memory, &launch, err);
    ptx_memory_close(memory);
    ptx_free(program);
    return status;
}

static sy_status run(const char *body, uint64_t words[WORDS], uint32_t threads,
                     struct sy_error *err)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "%s%s\n\tret;\n}\n", head, body);
    return run_text(text, words, threads, err);
}

static void run_well(const char *body, uint64_t words[WORDS])
{
    struct sy_error err = {.text = ""};
    if (run(body, words, 1, &err) != SY_OK) fail_msg("%s: %s", body, err.text);
}

// --- values --------------------------------------------------------------------------------------

// The result is %rd2, or else %r1.
static const struct {
    const char *body;
    uint64_t result;
} values[] = {
    {"add.s32 %r1, -1, 3;", 2},
    {"add.s64 %rd2, -1, 0;", UINT64_MAX},
    {"sub.s32 %r1, 1, 3;", 0xfffffffe},
    {"mul.lo.s32 %r1, 0x10001, 0x10001;", 0x20001},
    {"mul.lo.s64 %rd2, 0x100000001, 0x100000001;", 0x200000001},
    {"mul.wide.u32 %rd2, 0xffffffff, 0xffffffff;", 0xfffffffe00000001},
    {"mul.wide.s32 %rd2, -1, 5;", 0xfffffffffffffffb},
    {"mov.b16 %rs1, 0xffff; mul.wide.u16 %r1, %rs1, 256;", 0xffff00},
    {"mad.lo.u32 %r1, 0x80000000, 3, 9;", 0x80000009},
    {"mad.lo.s64 %rd2, 3, -60, 1;", 0xffffffffffffff4d},
    {"rem.u32 %r1, 0xfffffff0, 7;", 2},
    {"min.u32 %r1, -1, 4;", 4},
    {"min.s32 %r1, -1, 4;", 0xffffffff},
    {"max.s32 %r1, -1, 4;", 4},
    {"max.u64 %rd2, -1, 4;", UINT64_MAX},
    {"neg.s32 %r1, 1;", 0xffffffff},
    {"abs.s32 %r1, -7;", 7},
    {"and.b32 %r1, 12, 10;", 8},
    {"or.b64 %rd2, 12, 10;", 14},
    {"xor.b32 %r1, 12, 10;", 6},
    {"not.b32 %r1, 0;", 0xffffffff},
    {"shl.b32 %r1, 3, 31;", 0x80000000},
    {"shl.b32 %r1, 3, 32;", 0},
    {"shr.u32 %r1, 0x80000000, 31;", 1},
    {"shr.u32 %r1, 0x80000000, 32;", 0},
    {"shr.s32 %r1, 0x80000000, 40;", 0xffffffff},
    {"shr.b64 %rd2, 0x8000000000000000, 63;", 1},
    {"shf.l.wrap.b32 %r1, 0x80000001, 3, 4;", 0x38},
    {"shf.l.wrap.b32 %r1, 0x80000001, 3, 32;", 3},
    {"shf.r.wrap.b32 %r1, 0x80000001, 3, 4;", 0x38000000},
    {"shf.r.wrap.b32 %r1, 0x80000001, 3, 32;", 0x80000001},
    {"prmt.b32 %r1, 0x33221100, 0x77665584, 0x0123;", 0x00112233},
    {"prmt.b32 %r1, 0x33221100, 0x77665584, 0x7c40;", 0x77ff8400},
    {"bfe.u32 %r1, 0xabcd1234, 8, 12;", 0xd12},
    {"bfe.s32 %r1, 0xabcd1234, 24, 8;", 0xffffffab},
    {"bfe.s32 %r1, 0x80, 6, 2;", 0xfffffffe},
    {"bfe.s32 %r1, 0xabcd1234, 28, 20;", 0xfffffffa},
    {"bfe.u32 %r1, 0xabcd1234, 28, 20;", 0xa},
    {"bfi.b32 %r1, 0xff, 0, 28, 8;", 0xf0000000},
    {"bfi.b64 %rd2, 5, 1, 32, 32;", 0x500000001},
    {"lop3.b32 %r1, 0xff00ff00, 0xf0f0f0f0, 0xcccccccc, 0x80;", 0xc000c000},
    {"lop3.b32 %r1, 0xff00ff00, 0xf0f0f0f0, 0xcccccccc, 0x96;", 0xc33cc33c},
    {"setp.lt.s32 %p1, -1, 1; selp.b32 %r1, 5, 6, %p1;", 5},
    {"setp.lt.u32 %p1, -1, 1; selp.b32 %r1, 5, 6, %p1;", 6},
    {"setp.ge.u64 %p1, 7, 7; setp.ne.s32 %p2, 1, 1; or.pred %p3, %p1, %p2;"
     "selp.b32 %r1, 5, 6, %p3;",
     5},
    {"setp.gt.s32 %p1, 3, -3; not.pred %p1, %p1; mov.pred %p2, %p1; selp.b32 %r1, 5, 6, %p2;", 6},
    {"setp.le.s64 %p1, -3, -3; setp.eq.b32 %p2, 1, 0; and.pred %p1, %p1, %p2;"
     "@%p1 mov.b32 %r1, 8; @!%p1 mov.b32 %r1, 9;",
     9},
    {"cvt.u64.u32 %rd2, 0x80000000;", 0x80000000},
    {"cvt.s64.s32 %rd2, 0x80000000;", 0xffffffff80000000},
    {"mov.b64 %rd3, 0x123456789; cvt.u32.u64 %r1, %rd3;", 0x23456789},
    {"mov.b32 %r2, 0x1280; cvt.s32.s8 %r1, %r2;", 0xffffff80},
    {"mov.b16 %rs1, 0x8000; cvt.s32.s16 %r1, %rs1;", 0xffff8000},
    {"mov.b64 {%r2, %r1}, 0x500000006;", 5},
    {"mov.b64 %rd2, {5, 6};", 0x600000005},
    {"mov.u32 %r1, %ctaid.x;", 5},
    {"mov.u32 %r1, %nctaid.y;", 1},
    {"ld.param.u64 %rd2, [k_param_0+8];", 7},
    {"mov.b64 %rd3, k_param_0; ld.param.v2.u32 {%r1, %r2}, [%rd3+8];", 7},
    {"mov.b32 %r2, 0x123480; st.global.u32 [%rd1], %r2; ld.global.s8 %rs1, [%rd1];"
     "cvt.s32.s16 %r1, %rs1;",
     0xffffff80},
    {"st.global.v4.u32 [%rd1], {1, 2, 3, 4}; ld.global.u64 %rd2, [%rd1+8];", 0x400000003},
    {"bra.uni $over; $back: mov.b32 %r1, 4; bra $out; $over: bra $back; $out:", 4},
};

CASE(instructions_compute)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        char body[1024];
        uint64_t words[WORDS] = {0};
        bool is_wide = strstr(values[i].body, "%rd2,") != NULL;
        (void)snprintf(body, sizeof body, "%s st.global.u%u [%%rd1+64], %s;", values[i].body,
                       is_wide ? 64 : 32, is_wide ? "%rd2" : "%r1");
        run_well(body, words);
        if (words[8] != values[i].result) {
            fail_msg("%s: %llx, not %llx", values[i].body, (unsigned long long)words[8],
                     (unsigned long long)values[i].result);
        }
    }
}

/* A number of 128 bits, by words with a carry between them. */
static void chain(uint64_t out[2], const char *first, const char *middle, const char *last,
                  const uint64_t in[4])
{
    char body[2048];
    uint64_t words[WORDS];
    memcpy(words, in, 4 * sizeof *in);
    (void)snprintf(body, sizeof body,
                   "ld.global.v4.u32 {%%r1, %%r2, %%r3, %%r4}, [%%rd1];"
                   "ld.global.v4.u32 {%%r5, %%r6, %%r7, %%r8}, [%%rd1+16];"
                   "%s.u32 %%r1, %%r1, %%r5; %s.u32 %%r2, %%r2, %%r6;"
                   "%s.u32 %%r3, %%r3, %%r7; %s.u32 %%r4, %%r4, %%r8;"
                   "st.global.v4.u32 [%%rd1+32], {%%r1, %%r2, %%r3, %%r4};",
                   first, middle, middle, last);
    run_well(body, words);
    memcpy(out, words + 4, 2 * sizeof *out);
}

// Words that carry often: of zeros and ones.
static uint64_t draw_edge(sy_prng *prng)
{
    uint64_t word = sy_prng_next(prng);
    for (unsigned half = 0; half < 64; half += 32) {
        uint64_t low = (uint64_t)0xffffffff << half;
        if (sy_prng_chance(prng, 1, 2)) word |= low;
        if (sy_prng_chance(prng, 1, 4)) word &= ~low;
    }
    return word;
}

CASE(sums_and_differences_carry)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned turn = 0; turn < 500; turn++) {
        uint64_t in[4], out[2];
        for (unsigned i = 0; i < 4; i++) in[i] = draw_edge(&prng);
        chain(out, "add.cc", "addc.cc", "addc", in);
        uint64_t low = in[0] + in[2];
        assert_true(out[0] == low && out[1] == in[1] + in[3] + (low < in[0]));
        chain(out, "sub.cc", "subc.cc", "subc", in);
        assert_true(out[0] == in[0] - in[2] && out[1] == in[1] - in[3] - (in[0] < in[2]));
    }
}

// a * b + c for a of 64 bits, b of 32, c of 96.
CASE(products_carry)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned turn = 0; turn < 500; turn++) {
        uint64_t words[WORDS];
        for (unsigned i = 0; i < 4; i++) words[i] = draw_edge(&prng);
        uint64_t a = words[0], b = (uint32_t)words[1], c = words[2], high = (uint32_t)words[3];
        run_well("ld.global.v2.u32 {%r1, %r2}, [%rd1]; ld.global.u32 %r3, [%rd1+8];"
                 "ld.global.v2.u32 {%r4, %r5}, [%rd1+16]; ld.global.u32 %r6, [%rd1+24];"
                 "mad.lo.cc.u32 %r4, %r1, %r3, %r4; madc.hi.cc.u32 %r5, %r1, %r3, %r5;"
                 "addc.u32 %r6, %r6, 0;"
                 "mad.lo.cc.u32 %r5, %r2, %r3, %r5; madc.hi.u32 %r6, %r2, %r3, %r6;"
                 "st.global.v2.u32 [%rd1+32], {%r4, %r5}; st.global.u32 [%rd1+40], %r6;",
                 words);
        uint64_t first = (uint32_t)a * b + (uint32_t)c;
        uint64_t second = (a >> 32) * b;
        uint64_t middle = (first >> 32) + (c >> 32) + (uint32_t)second;
        uint64_t third = (middle >> 32) + (second >> 32) + high;
        assert_true(words[4] == (middle << 32 | (uint32_t)first));
        assert_true((uint32_t)words[5] == (uint32_t)third);
    }
}

CASE(functions_take_and_give)
{
    struct sy_error err = {.text = ""};
    uint64_t words[WORDS] = {0};
    char text[4096];
    (void)snprintf(text, sizeof text,
                   ".func (.param .b32 func_retval0) twice(\n.param .b64 twice_param_0,\n"
                   ".param .b32 twice_param_1\n)\n{\n"
                   ".local .align 4 .b8 __local_depot0[8]; .reg .b32 %%r<9>; .reg .b64 %%rd<9>;\n"
                   "mov.u64 %%rd2, __local_depot0; st.local.u32 [%%rd2+4], 3;\n"
                   "ld.param.u64 %%rd1, [twice_param_0]; ld.param.u32 %%r1, [twice_param_1];\n"
                   "cvta.to.local.u64 %%rd1, %%rd1; ld.local.u32 %%r2, [%%rd1];\n"
                   "ld.local.u32 %%r3, [%%rd2+4]; mad.lo.u32 %%r4, %%r2, %%r1, %%r3;\n"
                   "st.param.b32 [func_retval0], %%r4;\nret;\n}\n"
                   "%s.local .align 4 .b8 __local_depot1[4];\n"
                   "mov.u64 %%rd3, __local_depot1; cvta.local.u64 %%rd4, %%rd3;\n"
                   "st.local.u32 [%%rd3], 100;\n"
                   "{ .param .b64 param0; st.param.b64 [param0], %%rd4; .param .b32 param1;\n"
                   "st.param.b32 [param1], 2; .param .b32 retval0;\n"
                   "call.uni (retval0), twice, (param0, param1);\n"
                   "ld.param.b32 %%r1, [retval0]; }\n"
                   "st.global.u32 [%%rd1], %%r1; ret;\n}\n",
                   head);
    if (run_text(text, words, 1, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(words[0], 203);
}

CASE(threads_meet_at_barriers)
{
    struct sy_error err = {.text = ""};
    uint64_t words[WORDS] = {0};
    const char *body = ".shared .align 4 .b8 all[16]; mov.u32 %r1, %tid.x; mov.u32 %r2, all;"
                       "shl.b32 %r3, %r1, 2; add.s32 %r4, %r2, %r3; st.shared.u32 [%r4], %r1;"
                       "bar.sync 0; sub.s32 %r5, 12, %r3; add.s32 %r5, %r2, %r5;"
                       "ld.shared.u32 %r6, [%r5]; mul.wide.u32 %rd2, %r1, 4;"
                       "add.s64 %rd3, %rd1, %rd2; st.global.u32 [%rd3], %r6;";
    if (run(body, words, 4, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(words[0] == 0x200000003 && words[1] == 1);
}

// --- what is refused -----------------------------------------------------------------------------

CASE(what_is_not_known_is_named)
{
    static const struct {
        const char *body, *text;
    } all[] = {
        {"mov.b32 %r1, 1;\n\tfma.rn.f32 %r1, %r1, %r1, %r1;",
         "line 16: the instruction fma.rn.f32"},
        {"add.f32 %r1, %r1, %r1;", "line 15: the instruction add.f32"},
        {"add.sat.s32 %r1, %r1, %r1;", "line 15: the instruction add.sat.s32"},
        {"add.cc.u64 %rd1, %rd1, %rd1;", "the instruction add.cc.u64"},
        {"mul.wide.u64 %rd1, %rd1, %rd1;", "the instruction mul.wide.u64"},
        {"add.u8 %rs1, %rs1, %rs1;", "the instruction add.u8"},
        {"ld.volatile.global.u32 %r1, [%rd1];", "the instruction ld.volatile.global.u32"},
        {"atom.global.add.u32 %r1, [%rd1], 1;", "the instruction atom.global.add.u32"},
        {"add.s32 %r1, %rd1, 1;", "%rd1 is no operand of 32 bits"},
        {"add.s32 %r30, 1, 1;", "%r30 is no operand of 32 bits"},
        {"add.s32 %r1, 1;", "',' is expected where ';' stands"},
        {"add.s32 %r1, 1, 1", "';' is expected"},
        {"mov.u32 %r1, %laneid;", "%laneid is no operand"},
        {"bra $nowhere;", "there is nothing at $nowhere"},
        {"call.uni nothing, (param0);", "param0 is no operand"},
        {"call.uni nothing;", "there is no function nothing"},
        {"bar.sync 1;", "1 is no operand"},
        {"st.global.nc.u32 [%rd1], 1;", "the instruction st.global.nc.u32"},
        {".extern .shared .b8 x[];", "the directive .extern"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct sy_error err = {.text = ""};
        uint64_t words[WORDS] = {0};
        assert_int_equal(run(all[i].body, words, 1, &err), SY_ERR_FORMAT);
        if (!strstr(err.text, all[i].text)) fail_msg("%s: %s", all[i].body, err.text);
    }
}

CASE(what_must_not_be_is_told)
{
    static const struct {
        const char *body, *text;
        uint32_t threads;
    } all[] = {
        {"add.s32 %r1, %r2, 1;", "line 15, thread 0: nothing set source 1", 1},
        {"@%p1 mov.b32 %r1, 1;", "nothing set the guard", 1},
        {"addc.u32 %r1, 1, 1;", "nothing set the carry flag", 1},
        {"st.global.u32 [%rd1+128], 1;", "no such memory", 1},
        {"st.global.u32 [%rd1+-4], 1;", "no such memory", 1},
        {"st.global.u32 [%rd1+2], 1;", "not aligned", 1},
        {"ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd1+8];", "not aligned", 1},
        {"ld.param.u64 %rd2, [k_param_0+16];", "no such memory", 1},
        {"ld.local.u32 %r1, [%rd1];", "no such memory", 1},
        {".shared .align 4 .b8 s[8]; mov.u32 %r1, s; ld.shared.u32 %r2, [%r1];",
         "nothing was written there", 1},
        {".shared .align 4 .b8 s[8]; mov.u32 %r1, s; st.shared.u32 [%r1+8], 1;", "no such memory",
         1},
        {".local .align 4 .b8 d[8]; mov.u64 %rd2, d; ld.local.u32 %r2, [%rd2];",
         "nothing was written there", 1},
        {".local .align 4 .b8 d[8]; mov.u64 %rd2, d; st.local.u32 [%rd2+8], 1;", "no such memory",
         1},
        {".local .align 4 .b8 d[8]; mov.u64 %rd2, d; st.local.u64 [%rd2], 1;", "not aligned", 1},
        {"cvta.to.local.u64 %rd2, %rd1;", "no address of that space", 1},
        {"st.global.u32 [%rd1], 1; ld.global.nc.u32 %r1, [%rd1];", "ld.global.nc reads", 1},
        {"st.global.u32 [%rd1], 1;", "another thread wrote there", 2},
        {"mov.u32 %r1, %tid.x; setp.eq.s32 %p1, %r1, 0; @%p1 ld.global.u32 %r2, [%rd1];"
         "@!%p1 st.global.u32 [%rd1], 1;",
         "another thread read there", 2},
        {"mov.u32 %r1, %tid.x; setp.eq.s32 %p1, %r1, 0; @%p1 bar.sync 0;", "not all threads", 2},
        {"$l: bar.sync 0; bra $l;", "barriers without end", 2},
        {"$l: bra.uni $l;", "it takes too long", 1},
        {"sub.s32 %r1, 1, 1; rem.u32 %r2, 5, %r1;", "a remainder by 0", 1},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct sy_error err = {.text = ""};
        uint64_t words[WORDS] = {0};
        sy_status status = run(all[i].body, words, all[i].threads, &err);
        assert_true(status == SY_ERR_CORRUPT || status == SY_ERR_LIMIT);
        if (!strstr(err.text, all[i].text)) fail_msg("%s: %s", all[i].body, err.text);
    }
}

// What a call is given and gives back must be set, and the carry does not come along.
CASE(calls_keep_no_carry)
{
    char text[2048];
    struct sy_error err = {.text = ""};
    uint64_t words[WORDS] = {0};
    (void)snprintf(text, sizeof text,
                   ".func nothing()\n{\nret;\n}\n%sadd.cc.u32 %%r1, 1, 1; call.uni nothing;\n"
                   "addc.u32 %%r2, 1, 1; ret;\n}\n",
                   head);
    assert_int_equal(run_text(text, words, 1, &err), SY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "nothing set the carry flag"));
    (void)snprintf(text, sizeof text,
                   ".func (.param .b32 r) one()\n{\nret;\n}\n%s.param .b32 x; call.uni (x), one;\n"
                   "ret;\n}\n",
                   head);
    assert_int_equal(run_text(text, words, 1, &err), SY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "nothing set the result"));
    (void)snprintf(text, sizeof text,
                   ".func again()\n{\ncall.uni again;\nret;\n}\n%scall.uni again;"
                   "ret;\n}\n",
                   head);
    assert_int_equal(run_text(text, words, 1, &err), SY_ERR_LIMIT);
}

CASE(launches_fit_the_entry)
{
    struct sy_error err = {.text = ""};
    uint64_t words[WORDS] = {0};
    assert_int_equal(run("", words, 5, &err), SY_ERR_ARGUMENT);
    assert_int_equal(run("", words, 0, &err), SY_ERR_ARGUMENT);
    assert_int_equal(run_text("", words, 1, &err), SY_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(instructions_compute),     cmocka_unit_test(sums_and_differences_carry),
        cmocka_unit_test(products_carry),           cmocka_unit_test(functions_take_and_give),
        cmocka_unit_test(threads_meet_at_barriers), cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(what_must_not_be_is_told), cmocka_unit_test(calls_keep_no_carry),
        cmocka_unit_test(launches_fit_the_entry),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
