/* fuzz_epcis.c: any bytes as an EPCIS document: what is opened has events whose checks tell plain
 * text, whose pre-hash is the same twice and is terminated, and whose GS1 keys, made canonical,
 * stay what they are. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/client/epcis_seen.h"
#include "core/client/gs1_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_issue(void *self, const struct sy_epcis_issue *issue)
{
    size_t *told = (size_t *)self;
    *told += !issue->warning;
    SY_ASSERT(issue->what[0] != '\0');
    for (const char *at = issue->what; *at; at++) SY_ASSERT(*at >= ' ' && *at <= '~');
    for (const char *at = issue->path; *at; at++) SY_ASSERT(*at >= ' ' && *at <= '~');
}

static void check_event(const struct sy_epcis_event *event)
{
    char *first = NULL;
    char *second = NULL;
    size_t first_size = 0;
    size_t second_size = 0;
    size_t told = 0;
    struct sy_error err = {SY_OK, ""};
    SY_ASSERT(sy_epcis_check(event, check_issue, &told) == told);
    sy_status status = sy_epcis_prehash(&first, &first_size, event, &err);
    SY_ASSERT((status == SY_OK) == (first != NULL));
    SY_ASSERT(status == SY_OK || err.text[0] != '\0');
    if (status != SY_OK) return;
    SY_ASSERT(sy_epcis_prehash(&second, &second_size, event, &err) == SY_OK);
    SY_ASSERT(first_size == second_size && memcmp(first, second, first_size + 1) == 0);
    SY_ASSERT(first[first_size] == '\0' && strncmp(first, "eventType=", 10) == 0);
    free(first);
    free(second);
}

static void check_uri(struct sy_slice text)
{
    char once[SY_GS1_URI_BYTES];
    char twice[SY_GS1_URI_BYTES];
    char expected;
    if (!sy_gs1_canonical(once, text)) return;
    SY_ASSERT(sy_gs1_path(once) != NULL);
    (void)sy_gs1_check_good(&expected, once);
    if (sy_gs1_canonical(twice, sy_slice_of(once, strlen(once)))) {
        SY_ASSERT(strcmp(once, twice) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sy_epcis *document = NULL;
    struct sy_error err = {SY_OK, ""};
    check_uri(sy_slice_of(data, size));
    if (sy_epcis_open(&document, sy_slice_of(data, size), &err) != SY_OK) {
        SY_ASSERT(document == NULL && err.text[0] != '\0');
        return 0;
    }
    size_t count = sy_epcis_count(document);
    for (size_t i = 0; i < count && i < 64; i++) {
        struct sy_epcis_event event = sy_epcis_event(document, i);
        check_event(&event);
    }
    sy_epcis_close(document);
    return 0;
}
