/* test_ptx_kernels.c: the PTX that nvcc makes of gpu/kernels.cu, for every architecture that is
 * compiled for, does what the same kernels do as C; and what is broken in it on purpose is found.
 * Says of each kernel how many instructions its blocks took, how long, and at how many of the
 * places that take a carry there was one. Without nvcc it is skipped.
 *
 * ctest: slow plain timeout=1800 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/ptx/kernel_rig.h"
#include "tests/support/test.h"

#define TEXT_MAX ((size_t)1 << 26)
#define ARCHITECTURES_MAX 8u
#define LOST_CARRIES 6u // of each kernel that takes any
#define LOST_SEEN 2u    // of them: what some are part of is computed and then not chosen

static struct {
    char nvcc[1024], source[1024], scratch[1024];
    unsigned architectures[ARCHITECTURES_MAX];
    unsigned count;
    char *text; // the newest's
    ptx_program *program;
    sy_prng prng;
} rig;

// --- nvcc ----------------------------------------------------------------------------------------

static void get_variable(char out[1024], const char *name)
{
    const char *value = getenv(name);
    out[0] = 0;
    if (value && strlen(value) < 1024) memcpy(out, value, strlen(value) + 1);
}

static FILE *run_script(const char *out, unsigned architecture)
{
    char command[4096], last[16] = "";
    if (architecture > 0) (void)snprintf(last, sizeof last, " %u", architecture);
    (void)snprintf(command, sizeof command, "sh '%s/gpu/make_image.sh' '%s' '%s'%s", rig.source,
                   rig.nvcc, out, last);
    // The path of the compiler and of the source are the build's own.
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    return pipe;
}

static void list_architectures(void)
{
    FILE *pipe = run_script("list", 0);
    char line[256];
    assert_non_null(fgets(line, sizeof line, pipe));
    assert_int_equal(pclose(pipe), 0);
    for (char *at = line; rig.count < ARCHITECTURES_MAX; rig.count++) {
        char *end;
        unsigned long number = strtoul(at, &end, 10);
        if (end == at) break;
        rig.architectures[rig.count] = (unsigned)number;
        at = end;
    }
    assert_true(rig.count > 0);
}

static char *make_ptx(unsigned architecture)
{
    char path[1100];
    uint8_t *text;
    size_t size;
    struct sy_error err;
    (void)snprintf(path, sizeof path, "%s/kernels_%u.ptx", rig.scratch, architecture);
    FILE *pipe = run_script(path, architecture);
    assert_int_equal(pclose(pipe), 0);
    assert_int_equal(sy_os_read_file(&text, &size, path, TEXT_MAX, &err), SY_OK);
    return (char *)text;
}

static ptx_program *parse(const char *text)
{
    ptx_program *program;
    struct sy_error err;
    if (ptx_parse(&program, text, &err) != SY_OK) fail_msg("%s", err.text);
    return program;
}

static int open_rig(void **state)
{
    (void)state;
    sy_prng_seed(&rig.prng, test_seed());
    kernel_rig_open(&rig.prng);
    list_architectures();
    rig.text = make_ptx(rig.architectures[rig.count - 1]);
    rig.program = parse(rig.text);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    ptx_free(rig.program);
    free(rig.text);
    kernel_rig_close();
    return 0;
}

// --- as C does -----------------------------------------------------------------------------------

/* Of the places that take a carry: how many ran, had one, and also had none. */
struct takers {
    unsigned ran, with, both;
};

static void count_taker(struct takers *takers, const struct ptx_place *place)
{
    if (!place->takes_carry || place->runs == 0) return;
    takers->ran++;
    takers->with += place->carries > 0;
    takers->both += place->carries > 0 && place->carries < place->runs;
}

// One case's instructions and takers; what it did is added up in all.
static void tell(struct ptx_place *all, const ptx_program *program, unsigned number,
                 unsigned architecture, uint64_t ns)
{
    uint64_t instructions = 0;
    struct takers takers = {0};
    for (size_t i = 0; i < ptx_places(program); i++) {
        struct ptx_place place;
        ptx_get_place(&place, program, i);
        instructions += place.runs;
        count_taker(&takers, &place);
        place.runs += all[i].runs;
        place.carries += all[i].carries;
        all[i] = place;
    }
    print_message("compute_%u %-14s %11" PRIu64 " instructions, %6.2f s; of %u that take a carry "
                  "%u had one, %u also had none\n",
                  architecture, kernel_rig_name(number), instructions, (double)ns / 1e9, takers.ran,
                  takers.with, takers.both);
}

static void run_all(ptx_program *program, unsigned architecture)
{
    struct ptx_place *all = (struct ptx_place *)calloc(ptx_places(program), sizeof *all);
    struct takers takers = {0};
    assert_non_null(all);
    for (unsigned number = 0; number < KERNEL_RIG_CASES; number++) {
        struct sy_error err = {.text = ""};
        ptx_forget(program);
        uint64_t start = sy_os_monotonic_ns();
        if (kernel_rig_run(program, number, &err) != SY_OK) {
            fail_msg("compute_%u, %s: %s", architecture, kernel_rig_name(number), err.text);
        }
        tell(all, program, number, architecture, sy_os_monotonic_ns() - start);
    }
    for (size_t i = 0; i < ptx_places(program); i++) count_taker(&takers, &all[i]);
    print_message("compute_%u in all: of %u that take a carry %u had one, %u also had none\n",
                  architecture, takers.ran, takers.with, takers.both);
    free(all);
    kernel_rig_check();
}

CASE(every_kernel_does_what_it_does_as_c)
{
    for (unsigned i = 0; i + 1 < rig.count; i++) {
        char *text = make_ptx(rig.architectures[i]);
        ptx_program *program = parse(text);
        run_all(program, rig.architectures[i]);
        ptx_free(program);
        free(text);
    }
    run_all(rig.program, rig.architectures[rig.count - 1]);
}

// --- what is broken ------------------------------------------------------------------------------

static const char *find_line(const char *text, uint32_t number)
{
    for (uint32_t line = 1; line < number; line++) {
        text = strchr(text, '\n');
        assert_non_null(text);
        text++;
    }
    return text;
}

// The text with so many spaces at `at`.
static char *blot(const char *at, size_t length)
{
    char *text = strdup(rig.text);
    assert_non_null(text);
    memset(text + (at - rig.text), ' ', length);
    return text;
}

// The text without the byte at `at`.
static char *cut(const char *at)
{
    char *text = strdup(rig.text);
    assert_non_null(text);
    char *from = text + (at - rig.text);
    memmove(from, from + 1, strlen(from));
    return text;
}

// One that takes a carry and had some, drawn from all there are; false: there is none. Borrows are
// left out: most are of a difference that is not chosen when it borrows.
static bool draw_taker(struct ptx_place *out)
{
    uint64_t count = 0;
    for (size_t i = 0; i < ptx_places(rig.program); i++) {
        struct ptx_place place;
        ptx_get_place(&place, rig.program, i);
        if (!place.takes_carry || place.is_difference || place.carries == 0) continue;
        if (sy_prng_below(&rig.prng, ++count) == 0) *out = place;
    }
    return count > 0;
}

// addc becomes add, madc mad at that line: the carry is dropped. True: it is seen.
static bool lose_carry(unsigned number, const struct ptx_place *place)
{
    struct sy_error err = {.text = ""};
    const char *line = find_line(rig.text, place->line);
    const char *dot = strchr(line, '.');
    assert_true(dot && dot[-1] == 'c');
    char *text = cut(dot - 1);
    ptx_program *program = parse(text);
    sy_status status = kernel_rig_run(program, number, &err);
    assert_true(status == SY_OK || status == SY_ERR_EXISTS || status == SY_ERR_CORRUPT);
    if (status == SY_OK) {
        print_message("%s is as before without the carry of line %u, %.*s\n",
                      kernel_rig_name(number), place->line, (int)strcspn(line, "\n"), line);
    }
    ptx_free(program);
    free(text);
    return status != SY_OK;
}

/* Carries of products and sums of numbers mod p all count in the two kernels that only add up; in
 * the others a difference, a root or a comparison may be what is then not chosen. */
static bool all_count(unsigned number)
{
    return strncmp(kernel_rig_name(number), "tabled", 6) == 0;
}

CASE(a_lost_carry_is_seen)
{
    unsigned lost = 0, seen = 0;
    for (unsigned number = 0; number < KERNEL_RIG_CASES; number++) {
        struct ptx_place places[LOST_CARRIES];
        struct sy_error err;
        unsigned count = 0, missed = 0;
        ptx_forget(rig.program);
        assert_int_equal(kernel_rig_run(rig.program, number, &err), SY_OK);
        while (count < LOST_CARRIES && draw_taker(&places[count])) count++;
        for (unsigned i = 0; i < count; i++) missed += lose_carry(number, &places[i]);
        assert_true(count == 0 || missed >= (all_count(number) ? count : LOST_SEEN));
        lost += count;
        seen += missed;
    }
    assert_true(lost >= 5 * LOST_CARRIES);
    print_message("%u carries lost, one at a time; %u change a result\n", lost, seen);
}

// The case ends by what its threads do, and says what.
static void expect_fault(char *text, unsigned number, const char *what)
{
    struct sy_error err = {.text = ""};
    ptx_program *program = parse(text);
    assert_int_equal(kernel_rig_run(program, number, &err), SY_ERR_CORRUPT);
    if (!strstr(err.text, what)) fail_msg("%s", err.text);
    ptx_free(program);
    free(text);
}

static unsigned find_case(const char *name)
{
    unsigned number = 0;
    while (strcmp(kernel_rig_name(number), name) != 0) assert_true(++number < KERNEL_RIG_CASES);
    return number;
}

CASE(a_missing_barrier_is_seen)
{
    const char *at = strstr(rig.text, "bar.sync"); // Between words that all threads share.
    assert_non_null(at);
    expect_fault(blot(at, strcspn(at, ";") + 1), find_case("subtrees"), "4 bytes at 0x3000");
}

CASE(a_register_that_nothing_sets_is_seen)
{
    const char *entry = strstr(rig.text, ".entry sy_gpu_leaves");
    assert_non_null(entry);
    const char *at = strstr(entry, "mov.u32");
    assert_non_null(at);
    expect_fault(blot(at, strcspn(at, ";") + 1), find_case("leaves"), "nothing set source");
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(every_kernel_does_what_it_does_as_c),
        cmocka_unit_test(a_lost_carry_is_seen),
        cmocka_unit_test(a_missing_barrier_is_seen),
        cmocka_unit_test(a_register_that_nothing_sets_is_seen),
    };
    get_variable(rig.nvcc, "SYSTOLE_NVCC");
    get_variable(rig.source, "SYSTOLE_SOURCE");
    get_variable(rig.scratch, "SYSTOLE_SCRATCH");
    if (rig.nvcc[0] == 0 || rig.source[0] == 0 || rig.scratch[0] == 0) {
        puts("skipped: built without CUDA (SYSTOLE_NVCC names no nvcc)");
        return 77;
    }
    return cmocka_run_group_tests(all, open_rig, close_rig);
}
