/* fuzz_fhir_scan.c: any bytes as a FHIR document: every span lies inside the document, a resource
 * that was found is one JSON object that jansson reads too, its facts are well formed or it is told
 * why not, and numbers lie inside it. */
#include <jansson.h>

#include "core/base/assert.h"
#include "core/client/fhir_facts.h"
#include "core/client/fhir_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_inside(struct sy_slice part, struct sy_slice whole)
{
    return part.size == 0 ||
           (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

static void check_resource(struct sy_slice resource)
{
    SY_ASSERT(resource.data[0] == '{' && resource.data[resource.size - 1] == '}');
    json_error_t error;
    json_t *value = json_loadb((const char *)resource.data, resource.size,
                               JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    // Values that are good JSON and still beyond what jansson can hold.
    bool too_big = json_error_code(&error) == json_error_numeric_overflow ||
                   json_error_code(&error) == json_error_null_byte_in_key;
    SY_ASSERT(value != NULL || too_big);
    json_decref(value);
    struct sy_fhir_pool pool = {NULL, NULL};
    struct sy_fhir_facts facts;
    struct sy_fhir_complaint complaint = {.remedy = NULL};
    if (sy_fhir_facts_read(&facts, &pool, &complaint, resource)) {
        SY_ASSERT(facts.type[0] >= 'A' && facts.type[0] <= 'Z');
        for (uint32_t i = 0; i < facts.ref_count; i++) {
            SY_ASSERT(facts.refs[i].text.size <= SY_FHIR_REF_BYTES_MAX);
        }
    } else {
        SY_ASSERT(complaint.what[0] != '\0' && complaint.remedy != NULL);
    }
    sy_fhir_pool_free(&pool);
    struct sy_slice lexeme;
    size_t offset = 0;
    while (sy_json_next_number(&lexeme, &offset, resource)) {
        SY_ASSERT(lexeme.size != 0 && lies_inside(lexeme, resource));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_slice document = sy_slice_of(data, size);
    struct sy_fhir_scan scan;
    sy_fhir_scan_open(&scan);
    bool fine = sy_fhir_scan_document(&scan, document);
    SY_ASSERT(fine != scan.faulty);
    for (size_t i = 0; i < scan.entry_count; i++) {
        const struct sy_fhir_entry *entry = &scan.entries[i];
        SY_ASSERT(lies_inside(entry->resource, document));
        SY_ASSERT(lies_inside(entry->full_url, document) && lies_inside(entry->url, document));
        SY_ASSERT(lies_inside(entry->method, document));
        SY_ASSERT(!entry->faulty || entry->resource.size == 0);
        char text[SY_FHIR_URL_BYTES_MAX + 1];
        (void)sy_json_unquote(text, sizeof text, entry->full_url);
        if (entry->resource.size != 0) check_resource(entry->resource);
    }
    sy_fhir_scan_close(&scan);
    return 0;
}
