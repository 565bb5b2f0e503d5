/* fhir_scan.h: the raw bytes of each resource in a FHIR document.
 *
 * A document is a Bundle, or one resource. Of a Bundle the scanner gives, for every entry, where
 * its resource stands, byte for byte, with its fullUrl and request; of a single resource the one
 * span. The whole document is checked strictly (fhir_json.h). What is wrong inside one entry is
 * that entry's fault, and the others are read all the same, as long as its brackets still match;
 * otherwise the entries behind it are lost, and the document's own fault says so. */
#ifndef SY_CLIENT_FHIR_SCAN_H
#define SY_CLIENT_FHIR_SCAN_H

#include "core/client/fhir_json.h"

#define SY_FHIR_ENTRIES_MAX 65536u
#define SY_FHIR_RESOURCE_BYTES_MAX (16u << 20)
#define SY_FHIR_URL_BYTES_MAX 1024u /* a longer fullUrl or request url is a fault */

struct sy_fhir_entry {
    struct sy_slice resource; /* from '{' to '}'; size 0: there is none, or it is faulty */
    struct sy_slice full_url; /* inside of the string as it stands, escapes and all; size 0: none */
    struct sy_slice method;   /* request.method, request.url likewise */
    struct sy_slice url;
    bool faulty;
    struct sy_json_fault fault; /* path from the entry: "resource.name[0]"; when faulty */
};

/* Made zeroed, reused for many documents, ended by sy_fhir_scan_close. Everything borrows the
 * document's bytes until the next scan. */
struct sy_fhir_scan {
    struct sy_json_scanner scanner;
    bool is_bundle;
    char bundle_type[32];          /* "transaction"; "" when absent or over-long */
    struct sy_fhir_entry *entries; /* a Bundle's, or the one resource itself */
    size_t entry_count, entry_capacity;
    bool faulty;                /* the document's own fault: of a Bundle, entries found before it
                                   still stand; of a resource, there is none */
    struct sy_json_fault fault; /* path from the document */
};

void sy_fhir_scan_open(struct sy_fhir_scan *scan);
void sy_fhir_scan_close(struct sy_fhir_scan *scan);

/* sy_fhir_scan_document scans one document of at most 4 GiB - 1. What it found is in scan. Returns
 * false when scan->faulty. Fails never otherwise: memory that runs out is a fault of kind
 * SY_JSON_MEMBERS. */
bool sy_fhir_scan_document(struct sy_fhir_scan *scan, struct sy_slice document);

#endif
