/* fhir_facts.h: what the importer needs to know of a resource, read by jansson from its exact
 * bytes.
 *
 * Facts are type, id, identifiers, names that organisations are registered under, and every
 * reference with the field it stands in. Their text lies in a pool that is emptied document by
 * document; nothing of jansson's survives the call. The walk over the resource uses a stack of its
 * own: depth was bounded by the scanner. */
#ifndef SY_CLIENT_FHIR_FACTS_H
#define SY_CLIENT_FHIR_FACTS_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_FHIR_IDENTIFIERS_MAX 16u
#define SY_FHIR_REFS_MAX 65536u
#define SY_FHIR_REF_BYTES_MAX 2048u

/* Memory for one document's facts. Zeroed at first; reset keeps the blocks, free returns them. */
struct sy_fhir_block;
struct sy_fhir_pool {
    struct sy_fhir_block *first, *current;
};
/* sy_fhir_pool_take returns size bytes aligned to 16, or NULL when memory ends. */
void *sy_fhir_pool_take(struct sy_fhir_pool *pool, size_t size);
void sy_fhir_pool_reset(struct sy_fhir_pool *pool);
void sy_fhir_pool_free(struct sy_fhir_pool *pool);

/* Fields that say who a resource is about, who wrote it and what it belongs to. Within each group
 * the earlier one counts first. */
enum sy_fhir_field {
    SY_FHIR_OTHER = 0,
    /* the patient */
    SY_FHIR_PATIENT,
    SY_FHIR_SUBJECT,
    SY_FHIR_BENEFICIARY,
    SY_FHIR_FOR,
    SY_FHIR_INDIVIDUAL,
    /* the encounter */
    SY_FHIR_ENCOUNTER,
    SY_FHIR_CONTEXT,
    SY_FHIR_ITEM_ENCOUNTER,
    /* the organisation that answers for it */
    SY_FHIR_SERVICE_PROVIDER,
    SY_FHIR_MANAGING_ORGANIZATION,
    SY_FHIR_CUSTODIAN,
    SY_FHIR_ORGANIZATION,
    SY_FHIR_PROVIDED_BY,
    /* who wrote it: practitioners, or organisations where they stand here */
    SY_FHIR_AUTHOR,
    SY_FHIR_RECORDER,
    SY_FHIR_PERFORMER,
    SY_FHIR_REQUESTER,
    SY_FHIR_ASSERTER,
    SY_FHIR_PARTICIPANT,
    SY_FHIR_PROVIDER,
    SY_FHIR_PRACTITIONER,
    SY_FHIR_CARE_TEAM,
    SY_FHIR_ENTERER,
    /* what it continues: links */
    SY_FHIR_BASED_ON,
    SY_FHIR_PART_OF,
    SY_FHIR_DERIVED_FROM,
    SY_FHIR_REPLACES,
    SY_FHIR_RELATES_TO,
    SY_FHIR_TARGET,
    SY_FHIR_ENTITY,
    SY_FHIR_FIELDS
};

static inline bool sy_fhir_field_is_patient(enum sy_fhir_field field)
{
    return field >= SY_FHIR_PATIENT && field <= SY_FHIR_INDIVIDUAL;
}
static inline bool sy_fhir_field_is_encounter(enum sy_fhir_field field)
{
    return field >= SY_FHIR_ENCOUNTER && field <= SY_FHIR_ITEM_ENCOUNTER;
}
static inline bool sy_fhir_field_is_author(enum sy_fhir_field field)
{
    return field >= SY_FHIR_SERVICE_PROVIDER && field <= SY_FHIR_ENTERER;
}
static inline bool sy_fhir_field_is_link(enum sy_fhir_field field)
{
    return field >= SY_FHIR_BASED_ON && field <= SY_FHIR_ENTITY;
}

struct sy_fhir_ref {
    enum sy_fhir_field field;
    bool contained;       /* stands inside of a contained resource */
    struct sy_slice path; /* "subject", "participant.individual" */
    struct sy_slice text; /* the reference as written, terminated */
};

struct sy_fhir_facts {
    char type[33];
    struct sy_slice id;                                   /* size 0: none */
    struct sy_slice identifiers[SY_FHIR_IDENTIFIERS_MAX]; /* "system|value" */
    uint32_t identifier_count;
    struct sy_fhir_ref *refs;
    uint32_t ref_count;
    struct sy_slice name; /* Organization: size 0 when it has none */
    struct sy_slice npi;  /* Organization: national provider identifier */
    uint8_t org_kind;     /* Organization: enum sy_org_kind */
    uint8_t role;         /* Practitioner, PractitionerRole: enum sy_role; 0 when it says nothing */
};

/* Why a resource cannot be taken; static text but for what jansson says. */
struct sy_fhir_complaint {
    char what[256];
    const char *remedy;
};

/* sy_fhir_facts_read reads the facts of a resource whose bytes the scanner passed. False: complaint
 * says what is wrong with it. */
bool sy_fhir_facts_read(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool,
                        struct sy_fhir_complaint *complaint, struct sy_slice resource);

#endif
