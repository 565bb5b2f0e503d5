/* fuzz_x12.c: any bytes as an X12 document: every element lies inside of it, segments come in order
 * and number, what is told of it is plain text, and the totals are those of the issues told. */
#include <string.h>

#include "core/base/assert.h"
#include "core/client/x12_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_inside(struct sy_slice part, struct sy_slice whole)
{
    return part.size == 0 ||
           (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

static void take_fact(void *self, const struct sy_x12_fact *fact)
{
    const struct sy_slice *document = (const struct sy_slice *)self;
    SY_ASSERT(fact->name[0] != '\0' && fact->element > 0);
    SY_ASSERT(lies_inside(fact->value, *document) && lies_inside(fact->reason, *document));
    SY_ASSERT(fact->from_ms <= fact->until_ms);
    if (!fact->good) SY_ASSERT(fact->cents == 0 && fact->until_ms == 0);
}

static void follow(struct sy_x12_loops *loops, struct sy_slice *guide,
                   const struct sy_x12_reader *reader, const struct sy_x12_segment *segment,
                   struct sy_slice *document)
{
    char why[SY_X12_TEXT_BYTES] = "";
    bool opened;
    if (sy_x12_is(segment, "GS")) *guide = sy_x12_element(segment, 8);
    if (sy_x12_is(segment, "ST")) sy_x12_loops_begin(loops, segment, *guide);
    if (loops->depth == 0) return;
    bool good = sy_x12_loops_take(loops, &opened, why, segment);
    SY_ASSERT(good == (why[0] == '\0') && loops->depth <= SY_X12_LOOPS_DEEP_MAX);
    sy_x12_facts(loops, reader, segment, take_fact, document);
}

static void read_all(struct sy_slice document)
{
    struct sy_x12_reader reader = {.document = document};
    struct sy_x12_loops loops = {.depth = 0};
    struct sy_slice guide = {.size = 0};
    struct sy_x12_segment segment;
    char why[SY_X12_TEXT_BYTES] = "";
    uint64_t number = 0;
    enum sy_x12_step step;
    while ((step = sy_x12_next(&reader, &segment, why)) == SY_X12_SEGMENT) {
        follow(&loops, &guide, &reader, &segment, &document);
        SY_ASSERT(segment.number == ++number && segment.count <= SY_X12_ELEMENTS_MAX);
        for (uint32_t i = 1; i <= segment.count + 1; i++) {
            struct sy_slice element = sy_x12_element(&segment, i);
            SY_ASSERT(lies_inside(element, document));
            for (uint32_t k = 1; k < 4; k++) {
                SY_ASSERT(lies_inside(sy_x12_component(&reader, element, k), element));
            }
            int64_t cents;
            uint64_t count;
            if (!sy_x12_cents(&cents, element)) SY_ASSERT(cents == 0);
            if (!sy_x12_count(&count, element)) SY_ASSERT(count == 0);
        }
    }
    SY_ASSERT(reader.offset <= document.size);
    SY_ASSERT(step == SY_X12_END || why[0] != '\0');
}

static void count_issue(void *self, const struct sy_x12_issue *issue)
{
    uint64_t *told = (uint64_t *)self;
    told[issue->kind]++;
    SY_ASSERT(issue->text[0] != '\0' && issue->segment > 0);
    const char *const texts[] = {issue->text, issue->set, issue->control};
    for (size_t i = 0; i < 3; i++) {
        for (const char *at = texts[i]; *at; at++) SY_ASSERT(*at >= ' ' && *at <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_slice document = sy_slice_of(data, size);
    uint64_t told[SY_X12_ISSUES] = {0};
    struct sy_x12_totals totals;
    uint64_t issues = 0;
    read_all(document);
    bool good = sy_x12_check(&totals, document, count_issue, told);
    for (unsigned i = 1; i < SY_X12_ISSUES; i++) {
        SY_ASSERT(told[i] == totals.issues[i]);
        issues += told[i];
    }
    SY_ASSERT(good == (issues == 0));
    SY_ASSERT(totals.balanced <= totals.remitted && totals.sets_with_issues <= totals.sets);
    return 0;
}
