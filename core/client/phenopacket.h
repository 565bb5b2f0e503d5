/* phenopacket.h: GA4GH phenopackets (version 2, JSON): which HPO terms somebody has, and which
 * genes a diagnosis is about.
 *
 * An input is one phenopacket. Terms that are said to be absent ("excluded") are checked and
 * counted, and are not among those that somebody has. */
#ifndef SY_CLIENT_PHENOPACKET_H
#define SY_CLIENT_PHENOPACKET_H

#include "core/base/bytes.h"
#include "core/base/status.h"

#define SY_PHENOPACKET_INPUT_BYTES_MAX (16u << 20)
#define SY_PHENOPACKET_ITEMS_MAX 4096u /* terms, or genes, of one */
#define SY_HPO_BYTES 11                /* "HP:0001250" */
#define SY_GENE_BYTES 32

struct sy_phenopacket {
    uint32_t term_count, gene_count; /* ascending, each once */
    uint32_t excluded;
    char (*terms)[SY_HPO_BYTES];
    char (*genes)[SY_GENE_BYTES];
};

/* sy_phenopacket_read reads an input; name stands for it. SY_ERR_FORMAT names what is wrong and its
 * path: no JSON, another version, a term that is none, one said to be there and to be absent; then
 * packet is empty. The caller frees it. Any thread. */
sy_status sy_phenopacket_read(struct sy_phenopacket *packet, struct sy_slice text, const char *name,
                              struct sy_error *err);
void sy_phenopacket_free(struct sy_phenopacket *packet); /* zeroed is fine */

#endif
