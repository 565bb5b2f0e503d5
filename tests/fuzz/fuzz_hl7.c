/* fuzz_hl7.c: any bytes as HL7 messages. Segments stand behind one another within the document,
 * their fields within them; with LF for each CR the document has the same segments; and the check
 * ends and counts each message once. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/hl7_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_issue(void *self, const struct sy_hl7_issue *issue)
{
    uint64_t *count = (uint64_t *)self;
    SY_ASSERT(issue->kind >= SY_HL7_FRAMING && issue->kind < SY_HL7_ISSUES);
    SY_ASSERT(issue->line > 0 && issue->text[0] != '\0');
    ++*count;
}

static void check_fields(const struct sy_hl7_segment *segment, struct sy_slice document)
{
    const uint8_t *behind = segment->id.data + segment->id.size;
    SY_ASSERT(segment->count <= SY_HL7_FIELDS_MAX);
    for (uint32_t i = 1; i <= segment->count; i++) {
        struct sy_slice field = segment->fields[i];
        SY_ASSERT(field.data >= behind && field.size <= document.size);
        SY_ASSERT(field.data + field.size <= document.data + document.size);
        behind = field.data + field.size;
    }
}

/* How many segments and fields there are. */
static uint64_t walk(struct sy_slice document, uint64_t *messages)
{
    char why[SY_HL7_TEXT_BYTES];
    struct sy_hl7_reader reader = {.document = document};
    struct sy_hl7_segment segment;
    enum sy_hl7_step step;
    uint64_t count = 0;
    *messages = 0;
    while ((step = sy_hl7_next(&reader, &segment, why)) != SY_HL7_END) {
        count = count * 31 + segment.count + (step == SY_HL7_FAULT ? 7 : 0);
        if (step != SY_HL7_SEGMENT) continue;
        check_fields(&segment, document);
        *messages += sy_hl7_is(&segment, "MSH");
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_hl7_totals totals;
    struct sy_hl7_seen seen = {.arena = {0}};
    struct sy_error err = {SY_OK, ""};
    uint64_t messages, again, issues = 0;
    if (size == 0 || size > (1u << 16)) return 0;
    uint8_t *copy = (uint8_t *)malloc(size);
    SY_ASSERT(copy != NULL);
    for (size_t i = 0; i < size; i++) copy[i] = data[i] == '\r' ? '\n' : data[i];
    uint64_t segments = walk(sy_slice_of(data, size), &messages);
    SY_ASSERT(segments == walk(sy_slice_of(copy, size), &again) && messages == again);
    free(copy);
    memset(&totals, 0, sizeof totals);
    SY_ASSERT(sy_hl7_seen_open(&seen, &err) == SY_OK);
    bool good = sy_hl7_check(&totals, &seen, sy_slice_of(data, size), count_issue, &issues);
    SY_ASSERT(good == (issues == 0) && totals.messages == messages);
    SY_ASSERT(totals.with_issues <= totals.messages && totals.repeated <= totals.messages);
    sy_hl7_seen_close(&seen);
    return 0;
}
