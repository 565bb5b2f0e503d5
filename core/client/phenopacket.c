/* phenopacket.c: see phenopacket.h. */
#include "core/client/phenopacket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

struct reading {
    struct sy_phenopacket *packet;
    const char *name;
    struct sy_error *err;
    char (*absent)[SY_HPO_BYTES];
};

static sy_status refuse(const struct reading *r, const char *path, const char *why)
{
    return sy_fail(r->err, SY_ERR_FORMAT, "%s, $.%s: %s", r->name, path, why);
}

static bool is_term(const char *text)
{
    return text != NULL && strlen(text) == SY_HPO_BYTES - 1 && strncmp(text, "HP:", 3) == 0 &&
           strspn(text + 3, "0123456789") == SY_HPO_BYTES - 4;
}

static bool is_gene(const char *text)
{
    if (text == NULL || *text == '\0' || strlen(text) >= SY_GENE_BYTES) return false;
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.@") ==
           strlen(text);
}

/* Puts a text into a sorted list, unless it is there. */
static void put_sorted(void *list, size_t width, uint32_t *count, const char *text)
{
    char *items = (char *)list;
    uint32_t at = 0;
    while (at < *count && strcmp(items + at * width, text) < 0) at++;
    if (at < *count && strcmp(items + at * width, text) == 0) return;
    memmove(items + (at + 1) * width, items + at * width, (*count - at) * width);
    memcpy(items + at * width, text, strlen(text) + 1);
    ++*count;
}

static bool has_both(const struct reading *r)
{
    const struct sy_phenopacket *packet = r->packet;
    for (uint32_t i = 0, k = 0; i < packet->term_count && k < packet->excluded;) {
        int order = strcmp(packet->terms[i], r->absent[k]);
        if (order == 0) return true;
        if (order < 0) i++;
        if (order > 0) k++;
    }
    return false;
}

static sy_status read_terms(struct reading *r, const json_t *root)
{
    struct sy_phenopacket *packet = r->packet;
    const json_t *list = json_object_get(root, "phenotypicFeatures");
    size_t count = json_array_size(list);
    if (list == NULL) return SY_OK;
    if (!json_is_array(list)) return refuse(r, "phenotypicFeatures", "it is no list");
    if (count > SY_PHENOPACKET_ITEMS_MAX) {
        return refuse(r, "phenotypicFeatures", "there are more than 4096");
    }
    for (size_t i = 0; i < count; i++) {
        char path[64];
        const json_t *feature = json_array_get(list, i);
        const json_t *excluded = json_object_get(feature, "excluded");
        const char *id = json_string_value(json_object_get(json_object_get(feature, "type"), "id"));
        (void)snprintf(path, sizeof path, "phenotypicFeatures[%zu].type.id", i);
        if (!is_term(id)) return refuse(r, path, "it is no term of HPO");
        (void)snprintf(path, sizeof path, "phenotypicFeatures[%zu].excluded", i);
        if (excluded != NULL && !json_is_boolean(excluded)) {
            return refuse(r, path, "it is neither true nor false");
        }
        if (json_is_true(excluded)) {
            put_sorted(r->absent, SY_HPO_BYTES, &packet->excluded, id);
        } else {
            put_sorted(packet->terms, SY_HPO_BYTES, &packet->term_count, id);
        }
    }
    if (!has_both(r)) return SY_OK;
    return refuse(r, "phenotypicFeatures", "a term is said to be there and to be absent");
}

static sy_status read_genes(struct reading *r, const json_t *diagnosis, size_t index)
{
    const json_t *list = json_object_get(diagnosis, "genomicInterpretations");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *variant = json_object_get(json_array_get(list, i), "variantInterpretation");
        const json_t *gene =
            json_object_get(json_object_get(variant, "variationDescriptor"), "geneContext");
        char path[192];
        if (gene == NULL) gene = json_object_get(json_array_get(list, i), "geneDescriptor");
        if (gene == NULL) gene = json_object_get(json_array_get(list, i), "gene");
        if (gene == NULL) continue;
        const char *symbol = json_string_value(json_object_get(gene, "symbol"));
        (void)snprintf(path, sizeof path,
                       "interpretations[%zu].diagnosis.genomicInterpretations[%zu]", index, i);
        if (!is_gene(symbol)) return refuse(r, path, "its gene has no symbol");
        if (r->packet->gene_count == SY_PHENOPACKET_ITEMS_MAX) {
            return refuse(r, path, "there are more than 4096 genes");
        }
        put_sorted(r->packet->genes, SY_GENE_BYTES, &r->packet->gene_count, symbol);
    }
    return SY_OK;
}

static sy_status read_packet(struct reading *r, const json_t *root)
{
    const json_t *list = json_object_get(root, "interpretations");
    const json_t *meta = json_object_get(root, "metaData");
    const char *version = json_string_value(json_object_get(meta, "phenopacketSchemaVersion"));
    if (!json_is_object(root)) {
        return sy_fail(r->err, SY_ERR_FORMAT, "%s, $: it is no object", r->name);
    }
    if (!json_is_string(json_object_get(root, "id"))) return refuse(r, "id", "it is missing");
    if (version == NULL || strncmp(version, "2.", 2) != 0) {
        return refuse(r, "metaData.phenopacketSchemaVersion", "it is missing, or not 2.x");
    }
    SY_TRY(read_terms(r, root));
    for (size_t i = 0; i < json_array_size(list); i++) {
        SY_TRY(read_genes(r, json_object_get(json_array_get(list, i), "diagnosis"), i));
    }
    return SY_OK;
}

sy_status sy_phenopacket_read(struct sy_phenopacket *packet, struct sy_slice text, const char *name,
                              struct sy_error *err)
{
    json_error_t fault;
    struct reading r = {.packet = packet, .name = name, .err = err};
    *packet = (struct sy_phenopacket){.term_count = 0};
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL) {
        return sy_fail(err, SY_ERR_FORMAT, "%s, line %d, $: %s", name, fault.line, fault.text);
    }
    packet->terms = calloc(SY_PHENOPACKET_ITEMS_MAX, sizeof *packet->terms);
    packet->genes = calloc(SY_PHENOPACKET_ITEMS_MAX, sizeof *packet->genes);
    r.absent = calloc(SY_PHENOPACKET_ITEMS_MAX, sizeof *r.absent);
    sy_status status;
    if (packet->terms && packet->genes && r.absent) {
        status = read_packet(&r, root);
    } else {
        status = sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", name);
    }
    if (status != SY_OK) sy_phenopacket_free(packet);
    free(r.absent);
    json_decref(root);
    return status;
}

void sy_phenopacket_free(struct sy_phenopacket *packet)
{
    free(packet->terms);
    free(packet->genes);
    *packet = (struct sy_phenopacket){.term_count = 0};
}
