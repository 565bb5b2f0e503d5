/* fhir_document.h: a scanned document with its facts, its references resolved, and the order in
 * which its resources can be registered.
 *
 * A reference is looked for, in this order: among the document's fullUrls, as Type/id and as
 * Type?identifier=system|value among its resources, and in the client store, where resources of
 * earlier documents stand. What is found nowhere is dangling. References to contained resources
 * ("#x") and those that only name somebody are nobody's business here.
 *
 * Order: faulty entries, organisations, practitioners, other directory resources, patients,
 * encounters, the rest; within that as they stand, except that what a resource links to comes
 * before it. A circle of links is cut where it closes. The order follows from the document's bytes
 * alone, so a reading that is taken up again counts the same entries. */
#ifndef SY_CLIENT_FHIR_DOCUMENT_H
#define SY_CLIENT_FHIR_DOCUMENT_H

#include "core/client/client_store.h"
#include "core/client/fhir_facts.h"
#include "core/client/fhir_scan.h"

#define SY_FHIR_NO_ITEM UINT32_MAX

enum sy_fhir_target_state {
    SY_FHIR_TARGET_NONE,    /* contained, or no reference to follow */
    SY_FHIR_TARGET_ITEM,    /* in this document */
    SY_FHIR_TARGET_STORED,  /* registered before */
    SY_FHIR_TARGET_DANGLING /* nowhere */
};

struct sy_fhir_target {
    uint8_t state;
    bool must_resolve;    /* dangling, it keeps its resource back */
    uint32_t item;        /* ITEM */
    struct sy_hash label; /* resource label; ITEM, STORED */
    char type[33];        /* of what it refers to; "" when a dangling one does not say */
};

/* Registration order ranks. */
enum sy_fhir_rank {
    SY_FHIR_RANK_FAULTY,
    SY_FHIR_RANK_ORGANIZATION,
    SY_FHIR_RANK_PRACTITIONER,
    SY_FHIR_RANK_DIRECTORY,
    SY_FHIR_RANK_PATIENT,
    SY_FHIR_RANK_ENCOUNTER,
    SY_FHIR_RANK_CLINICAL,
    SY_FHIR_RANKS
};

struct sy_fhir_item {
    const struct sy_fhir_entry *entry;
    uint32_t position; /* in the document */
    bool faulty;
    struct sy_fhir_complaint complaint; /* when faulty */
    struct sy_fhir_facts facts;
    struct sy_fhir_target *targets; /* one a reference */
    uint8_t rank;                   /* enum sy_fhir_rank */
    struct sy_hash label;           /* resource label */
    uint32_t org_item;              /* practitioners and patients: the Encounter or PractitionerRole
                                       of this document that first ties them to an organisation */
    uint32_t org_ref;               /* index of that reference there */
    bool placed;                    /* in order already */
};

struct sy_fhir_set {
    struct sy_fhir_pool pool;
    struct sy_fhir_item *items;
    uint32_t count, capacity;
    uint32_t *order; /* items in registration order */
    bool dangles;    /* some reference that matters was not found: worth another try later */
    /* fullUrls and the like -> items */
    struct sy_fhir_index_slot *slots;
    size_t slot_count, slot_capacity;
    uint64_t seed[2];
};

void sy_fhir_set_open(struct sy_fhir_set *set);
void sy_fhir_set_close(struct sy_fhir_set *set);

/* sy_fhir_set_load reads the facts of everything in scan, resolves and orders. The set borrows the
 * scan and the document until the next load. source: name of the source system. Entries that
 * cannot be read become faulty items; only memory and the store can make it fail. */
sy_status sy_fhir_set_load(struct sy_fhir_set *set, sy_client_store *store, const char *source,
                           const struct sy_fhir_scan *scan, struct sy_error *err);

/* sy_fhir_is_directory: types that describe the network rather than a patient. */
bool sy_fhir_is_directory(const char *type);

#endif
