/* fuzz_phenopacket.c: any bytes as a phenopacket. Terms and genes are in order, each once; what is
 * refused has a reason and leaves nothing. */
#include <string.h>

#include "core/base/assert.h"
#include "core/client/phenopacket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_phenopacket packet;
    struct sy_error err = {SY_OK, ""};
    if (sy_phenopacket_read(&packet, sy_slice_of(data, size), "in", &err) != SY_OK) {
        SY_ASSERT(err.text[0] != '\0' && packet.terms == NULL && packet.genes == NULL);
        return 0;
    }
    SY_ASSERT(packet.term_count + packet.excluded <= SY_PHENOPACKET_ITEMS_MAX);
    SY_ASSERT(packet.gene_count <= SY_PHENOPACKET_ITEMS_MAX);
    for (uint32_t i = 1; i < packet.term_count; i++) {
        SY_ASSERT(strcmp(packet.terms[i - 1], packet.terms[i]) < 0);
    }
    for (uint32_t i = 1; i < packet.gene_count; i++) {
        SY_ASSERT(strcmp(packet.genes[i - 1], packet.genes[i]) < 0);
    }
    sy_phenopacket_free(&packet);
    return 0;
}
