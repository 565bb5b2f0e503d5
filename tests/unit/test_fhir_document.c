/* test_fhir_document.c: facts of resources, references to whatever they point at, and the order in
 * which a document's resources can be registered. */
#include "core/client/fhir_document.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/wire/schema.h"
#include "tests/support/test.h"

static const struct sy_hash genesis = {{1}};

struct bench {
    char folder[256];
    char path[300];
    sy_client_store *store;
    struct sy_fhir_scan scan;
    struct sy_fhir_set set;
};

static void open_bench(struct bench *bench)
{
    test_folder(bench->folder, sizeof bench->folder, "document");
    snprintf(bench->path, sizeof bench->path, "%s/client", bench->folder);
    assert_int_equal(
        sy_client_store_open(&bench->store, bench->path, &genesis, SY_CLIENT_STORE_WRITE, NULL),
        SY_OK);
    sy_fhir_scan_open(&bench->scan);
    sy_fhir_set_open(&bench->set);
}

static void close_bench(struct bench *bench)
{
    sy_fhir_set_close(&bench->set);
    sy_fhir_scan_close(&bench->scan);
    sy_client_store_close(bench->store);
    assert_int_equal(sy_os_remove_tree(bench->folder, NULL), SY_OK);
}

static void load(struct bench *bench, const char *text)
{
    if (!sy_fhir_scan_document(&bench->scan, sy_slice_of(text, strlen(text)))) {
        fail_msg("%s: %s", bench->scan.fault.path, bench->scan.fault.what);
    }
    assert_int_equal(sy_fhir_set_load(&bench->set, bench->store, "fhir", &bench->scan, NULL),
                     SY_OK);
}

/* --- facts ----------------------------------------------------------------------------------- */

static bool read_facts(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool, const char *text,
                       struct sy_fhir_complaint *complaint)
{
    return sy_fhir_facts_read(facts, pool, complaint, sy_slice_of(text, strlen(text)));
}

static bool slice_is(struct sy_slice slice, const char *text)
{
    return sy_slice_equal(slice, sy_slice_of(text, strlen(text)));
}

CASE(facts_hold_identity_and_references_with_their_fields)
{
    struct sy_fhir_pool pool = {NULL, NULL};
    struct sy_fhir_facts facts;
    struct sy_fhir_complaint complaint;
    assert_true(read_facts(
        &facts, &pool,
        "{\"resourceType\":\"Encounter\",\"id\":\"e-1.a\","
        "\"identifier\":[{\"system\":\"s\",\"value\":"
        "\"v\"},{\"value\":\"w\"},{\"system\":\"only\"}],\"subject\":{\"reference\":\"Patient/1\"},"
        "\"participant\":[{\"individual\":{\"reference\":\"Practitioner/2\"}},{\"individual\":"
        "{\"display\":\"somebody\"}}],\"contained\":[{\"resourceType\":\"X\",\"patient\":"
        "{\"reference\":\"Patient/9\"}}],\"partOf\":{\"reference\":\"Encounter/0\"},"
        "\"extension\":[{\"valueReference\":{\"reference\":\"Device/7\"}}]}",
        &complaint));
    assert_string_equal(facts.type, "Encounter");
    assert_true(slice_is(facts.id, "e-1.a"));
    assert_int_equal(facts.identifier_count, 2);
    assert_true(slice_is(facts.identifiers[0], "s|v"));
    assert_true(slice_is(facts.identifiers[1], "|w"));
    assert_int_equal(facts.ref_count, 5);
    static const struct {
        const char *path, *text;
        enum sy_fhir_field field;
    } wanted[] = {
        {"subject", "Patient/1", SY_FHIR_SUBJECT},
        {"participant.individual", "Practitioner/2", SY_FHIR_PARTICIPANT},
        {"contained.patient", "Patient/9", SY_FHIR_OTHER},
        {"partOf", "Encounter/0", SY_FHIR_PART_OF},
        {"extension.valueReference", "Device/7", SY_FHIR_OTHER},
    };
    for (size_t i = 0; i < 5; i++) {
        bool found = false;
        for (uint32_t j = 0; j < facts.ref_count && !found; j++) {
            const struct sy_fhir_ref *ref = &facts.refs[j];
            found = slice_is(ref->path, wanted[i].path) && slice_is(ref->text, wanted[i].text) &&
                    ref->field == wanted[i].field && ref->contained == (i == 2);
        }
        if (!found) fail_msg("%s is missing", wanted[i].path);
    }
    sy_fhir_pool_free(&pool);
}

CASE(facts_refuse_what_is_no_resource)
{
    static const char *const texts[] = {
        "{}",
        "{\"resourceType\":7}",
        "{\"resourceType\":\"\"}",
        "{\"resourceType\":\"patient\"}",
        "{\"resourceType\":\"Pat ient\"}",
        "{\"resourceType\":\"AnOverlongNameOfAResourceTypeThatIsNone\"}",
        "{\"resourceType\":\"Basic\",\"id\":7}",
        "{\"resourceType\":\"Basic\",\"id\":\"\"}",
        "{\"resourceType\":\"Basic\",\"id\":\"a/b\"}",
        "{\"resourceType\":\"Basic\",\"x\":1E999}",
        "{\"resourceType\":\"Basic\",\"x\":\"a\\u0000\"}",
    };
    struct sy_fhir_pool pool = {NULL, NULL};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sy_fhir_facts facts;
        struct sy_fhir_complaint complaint = {.remedy = NULL};
        if (read_facts(&facts, &pool, texts[i], &complaint)) fail_msg("taken: %s", texts[i]);
        assert_non_null(complaint.remedy);
        assert_true(complaint.what[0] != '\0');
    }
    sy_fhir_pool_free(&pool);
}

CASE(facts_know_kinds_of_organisations_and_professions)
{
    static const struct {
        const char *text;
        uint8_t kind, role;
    } wanted[] = {
        {"{\"resourceType\":\"Organization\",\"type\":[{\"coding\":[{\"code\":\"pay\"}]}]}",
         SY_ORG_PAYER, 0},
        {"{\"resourceType\":\"Organization\",\"type\":[{\"text\":\"x\"},{\"coding\":[{\"code\":"
         "\"govt\"}]}]}",
         SY_ORG_AUTHORITY, 0},
        {"{\"resourceType\":\"Organization\"}", SY_ORG_HOSPITAL, 0},
        {"{\"resourceType\":\"Practitioner\",\"qualification\":[{\"code\":{\"text\":\"Registered "
         "Nurse\"}}]}",
         0, SY_ROLE_NURSE},
        {"{\"resourceType\":\"PractitionerRole\",\"code\":"
         "[{\"coding\":[{\"display\":\"Pharmacist\"}]"
         "}]}",
         0, SY_ROLE_PHARMACIST},
        {"{\"resourceType\":\"PractitionerRole\",\"code\":[{\"coding\":[{\"code\":\"doctor\"}]}]}",
         0, SY_ROLE_DOCTOR},
        {"{\"resourceType\":\"Practitioner\"}", 0, 0},
    };
    struct sy_fhir_pool pool = {NULL, NULL};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct sy_fhir_facts facts;
        struct sy_fhir_complaint complaint;
        assert_true(read_facts(&facts, &pool, wanted[i].text, &complaint));
        assert_int_equal(facts.org_kind, wanted[i].kind);
        assert_int_equal(facts.role, wanted[i].role);
    }
    sy_fhir_pool_free(&pool);
}

/* --- references ------------------------------------------------------------------------------ */

/* A record of an earlier document. */
static void register_before(struct bench *bench, const char *type, const char *id,
                            const char *identifier)
{
    struct sy_client_record record = {.id = {{9}}, .subject_kind = 3};
    struct sy_hash label, alias_label;
    strcpy(record.type, type);
    record.head.version = 1;
    sy_client_label_resource(bench->store, &label, "fhir", sy_slice_of(type, strlen(type)),
                             sy_slice_of(id, strlen(id)));
    assert_int_equal(sy_client_put_record(bench->store, &label, &record, NULL), SY_OK);
    if (identifier == NULL) return;
    struct sy_client_alias alias = {label};
    sy_client_label(bench->store, &alias_label, SY_LABEL_IDENTIFIER, sy_slice_of("fhir", 4),
                    sy_slice_of(type, strlen(type)), sy_slice_of(identifier, strlen(identifier)));
    assert_int_equal(sy_client_put_alias(bench->store, &alias_label, &alias, NULL), SY_OK);
}

CASE(every_form_of_reference_finds_its_target)
{
    static const struct {
        const char *text;
        enum sy_fhir_target_state state;
        uint32_t item;
        const char *type;
    } wanted[] = {
        {"urn:uuid:aaaa", SY_FHIR_TARGET_ITEM, 0, "Patient"},
        {"Patient/p1", SY_FHIR_TARGET_ITEM, 0, "Patient"},
        {"Patient/p1/_history/4", SY_FHIR_TARGET_ITEM, 0, "Patient"},
        {"https://h.example/fhir/Practitioner/d1", SY_FHIR_TARGET_ITEM, 1, "Practitioner"},
        {"https://elsewhere.example/Practitioner/d1", SY_FHIR_TARGET_ITEM, 1, "Practitioner"},
        {"Practitioner?identifier=npi|77", SY_FHIR_TARGET_ITEM, 1, "Practitioner"},
        {"Practitioner?identifier=npi%7C77", SY_FHIR_TARGET_ITEM, 1, "Practitioner"},
        {"Patient/old", SY_FHIR_TARGET_STORED, 0, "Patient"},
        {"urn:uuid:old", SY_FHIR_TARGET_STORED, 0, "Patient"},
        {"Organization?identifier=npi|5", SY_FHIR_TARGET_STORED, 0, "Organization"},
        {"#contained", SY_FHIR_TARGET_NONE, 0, ""},
        {"", SY_FHIR_TARGET_NONE, 0, ""},
        {"urn:uuid:bbbb", SY_FHIR_TARGET_DANGLING, 0, ""},
        {"Patient/p2", SY_FHIR_TARGET_DANGLING, 0, "Patient"},
        {"Practitioner?identifier=npi|78", SY_FHIR_TARGET_DANGLING, 0, "Practitioner"},
        {"Practitioner?name=x", SY_FHIR_TARGET_DANGLING, 0, "Practitioner"},
        {"Practitioner?identifier=npi|77&active=true", SY_FHIR_TARGET_DANGLING, 0, "Practitioner"},
        {"nonsense", SY_FHIR_TARGET_DANGLING, 0, ""},
    };
    struct bench bench;
    open_bench(&bench);
    register_before(&bench, "Patient", "old", NULL);
    register_before(&bench, "Organization", "o5", "npi|5");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char text[1024];
        snprintf(
            text, sizeof text,
            "{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"urn:uuid:aaaa\",\"resource\":"
            "{\"resourceType\":\"Patient\",\"id\":\"p1\"}},{\"fullUrl\":"
            "\"https:\\/\\/h.example/fhir/Practitioner/d1\",\"resource\":{\"resourceType\":"
            "\"Practitioner\",\"id\":\"d1\","
            "\"identifier\":[{\"system\":\"npi\",\"value\":\"77\"}]}}"
            ",{\"resource\":{\"resourceType\":\"Basic\",\"subject\":{\"reference\":\"%s\"}}}]}",
            wanted[i].text);
        load(&bench, text);
        const struct sy_fhir_target *target = &bench.set.items[2].targets[0];
        if (target->state != wanted[i].state) fail_msg("%s: %d", wanted[i].text, target->state);
        assert_string_equal(target->type, wanted[i].type);
        if (target->state == SY_FHIR_TARGET_ITEM) assert_int_equal(target->item, wanted[i].item);
        assert_int_equal(bench.set.dangles, target->state == SY_FHIR_TARGET_DANGLING);
    }
    close_bench(&bench);
}

CASE(only_patients_encounters_and_urns_must_resolve)
{
    struct bench bench;
    open_bench(&bench);
    load(
        &bench,
        "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/x\"},\"encounter\":"
        "{\"reference\":\"Encounter/x\"},\"performer\":[{\"reference\":\"Practitioner/x\"}],"
        "\"focus\":[{\"reference\":\"Patient/x\"}],\"device\":{\"reference\":\"urn:uuid:x\"},"
        "\"basedOn\":[{\"reference\":\"ServiceRequest/x\"}]}");
    const struct sy_fhir_item *item = &bench.set.items[0];
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        struct sy_slice path = item->facts.refs[i].path;
        bool must =
            slice_is(path, "subject") || slice_is(path, "encounter") || slice_is(path, "device");
        assert_int_equal(item->targets[i].state, SY_FHIR_TARGET_DANGLING);
        assert_int_equal(item->targets[i].must_resolve, must);
    }
    load(&bench, "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Group/x\"}}");
    assert_false(bench.set.items[0].targets[0].must_resolve);
    close_bench(&bench);
}

/* The same id with other bytes is the same resource; another type or id is another; without any id
 * the bytes are the identity. */
CASE(labels_follow_ids_full_urls_or_bytes)
{
    struct bench bench;
    open_bench(&bench);
    load(&bench,
         "{\"resourceType\":\"Bundle\",\"entry\":["
         "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"1\"}},"
         "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"1\",\"x\":2}},"
         "{\"resource\":{\"resourceType\":\"Task\",\"id\":\"1\"}},"
         "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Basic\"}},"
         "{\"fullUrl\":\"http://x/Basic/1\",\"resource\":{\"resourceType\":\"Basic\",\"y\":1}},"
         "{\"resource\":{\"resourceType\":\"Basic\",\"z\":1}},"
         "{\"resource\":{\"resourceType\":\"Basic\",\"z\":2}},"
         "{\"resource\":{\"resourceType\":\"Basic\",\"z\":1}}]}");
    static const int same_as[] = {0, 0, 2, 0, 0, 5, 6, 5};
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 8; j++) {
            assert_int_equal(sy_hash_equal(&bench.set.items[i].label, &bench.set.items[j].label),
                             same_as[i] == same_as[j]);
        }
    }
    close_bench(&bench);
}

/* --- order ----------------------------------------------------------------------------------- */

static uint32_t place_of(const struct sy_fhir_set *set, uint32_t item)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->order[i] == item) return i;
    }
    fail_msg("item %u is not in the order", item);
    return 0;
}

CASE(directory_comes_before_patients_before_encounters_before_the_rest)
{
    struct bench bench;
    open_bench(&bench);
    load(&bench, "{\"resourceType\":\"Bundle\",\"entry\":["
                 "{\"resource\":{\"resourceType\":\"Observation\"}},"
                 "{\"resource\":{\"resourceType\":\"Encounter\"}},"
                 "{\"resource\":{\"resourceType\":\"Patient\"}},"
                 "{\"resource\":{\"resourceType\":\"Location\"}},"
                 "{\"resource\":{\"resourceType\":\"Practitioner\"}},"
                 "{\"resource\":{\"resourceType\":\"Organization\"}},"
                 "{\"resource\":{\"nothing\":1}}]}");
    for (uint32_t i = 0; i < 7; i++) assert_int_equal(bench.set.order[i], 6 - i);
    close_bench(&bench);
}

CASE(links_come_before_what_links_to_them_and_circles_are_cut)
{
    struct bench bench;
    open_bench(&bench);
    load(&bench,
         "{\"resourceType\":\"Bundle\",\"entry\":["
         "{\"resource\":{\"resourceType\":\"Provenance\",\"id\":\"0\",\"target\":[{\"reference\":"
         "\"DocumentReference/1\"},{\"reference\":\"DocumentReference/2\"}]}},"
         "{\"resource\":{\"resourceType\":\"DocumentReference\",\"id\":\"1\",\"relatesTo\":"
         "[{\"target\":{\"reference\":\"DocumentReference/2\"}}]}},"
         "{\"resource\":{\"resourceType\":\"DocumentReference\",\"id\":\"2\"}},"
         "{\"resource\":{\"resourceType\":\"Task\",\"id\":\"3\",\"partOf\":[{\"reference\":"
         "\"Task/4\"}]}},"
         "{\"resource\":{\"resourceType\":\"Task\",\"id\":\"4\",\"partOf\":[{\"reference\":"
         "\"Task/3\"}]}},"
         "{\"resource\":{\"resourceType\":\"Task\",\"id\":\"5\",\"partOf\":[{\"reference\":"
         "\"Task/5\"}]}}]}");
    assert_true(place_of(&bench.set, 2) < place_of(&bench.set, 1));
    assert_true(place_of(&bench.set, 1) < place_of(&bench.set, 0));
    assert_true(place_of(&bench.set, 4) < place_of(&bench.set, 3));
    assert_int_equal(place_of(&bench.set, 5), 5);
    close_bench(&bench);
}

/* Links drawn at random, but only downwards: every order must have the lower one first. */
CASE(random_links_are_ordered)
{
    enum { ITEMS = 200 };
    struct bench bench;
    sy_prng prng;
    uint32_t link[ITEMS];
    uint32_t shuffled[ITEMS];
    char *text = malloc(ITEMS * 160);
    assert_non_null(text);
    sy_prng_seed(&prng, test_seed());
    open_bench(&bench);
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < ITEMS; i++) shuffled[i] = i;
        for (uint32_t i = ITEMS - 1; i > 0; i--) {
            uint32_t other = (uint32_t)sy_prng_below(&prng, i + 1);
            uint32_t kept = shuffled[i];
            shuffled[i] = shuffled[other];
            shuffled[other] = kept;
        }
        size_t used = (size_t)sprintf(text, "{\"resourceType\":\"Bundle\",\"entry\":[");
        for (uint32_t i = 0; i < ITEMS; i++) {
            uint32_t id = shuffled[i];
            link[id] = id == 0 ? 0 : (uint32_t)sy_prng_below(&prng, id);
            used += (size_t)sprintf(text + used,
                                    "%s{\"resource\":{\"resourceType\":\"Task\",\"id\":\"t%u\","
                                    "\"basedOn\":[{\"reference\":\"Task/t%u\"}]}}",
                                    i == 0 ? "" : ",", id, link[id]);
        }
        (void)sprintf(text + used, "]}");
        load(&bench, text);
        uint32_t position[ITEMS];
        for (uint32_t i = 0; i < ITEMS; i++) position[shuffled[bench.set.order[i]]] = i;
        for (uint32_t id = 1; id < ITEMS; id++) assert_true(position[link[id]] < position[id]);
    }
    free(text);
    close_bench(&bench);
}

CASE(people_are_tied_to_the_organisation_of_their_first_encounter)
{
    struct bench bench;
    open_bench(&bench);
    load(&bench,
         "{\"resourceType\":\"Bundle\",\"entry\":["
         "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}},"
         "{\"resource\":{\"resourceType\":\"Practitioner\",\"id\":\"d\"}},"
         "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"a\"}},"
         "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"b\"}},"
         "{\"resource\":{\"resourceType\":\"Encounter\",\"subject\":{\"reference\":\"Patient/p\"},"
         "\"participant\":[{\"individual\":{\"reference\":\"Practitioner/d\"}}],"
         "\"serviceProvider\":{\"reference\":\"Organization/b\"}}},"
         "{\"resource\":{\"resourceType\":\"Encounter\",\"subject\":{\"reference\":\"Patient/p\"},"
         "\"serviceProvider\":{\"reference\":\"Organization/a\"}}},"
         "{\"resource\":{\"resourceType\":\"PractitionerRole\",\"practitioner\":{\"reference\":"
         "\"Practitioner/d\"},\"organization\":{\"reference\":\"Organization/a\"}}}]}");
    const struct sy_fhir_item *patient = &bench.set.items[0];
    const struct sy_fhir_item *doctor = &bench.set.items[1];
    assert_int_equal(patient->org_item, 4);
    assert_int_equal(bench.set.items[4].targets[patient->org_ref].item, 3);
    // What a PractitionerRole says counts before what encounters show.
    assert_int_equal(doctor->org_item, 6);
    assert_int_equal(bench.set.items[6].targets[doctor->org_ref].item, 2);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(facts_hold_identity_and_references_with_their_fields),
        cmocka_unit_test(facts_refuse_what_is_no_resource),
        cmocka_unit_test(facts_know_kinds_of_organisations_and_professions),
        cmocka_unit_test(every_form_of_reference_finds_its_target),
        cmocka_unit_test(only_patients_encounters_and_urns_must_resolve),
        cmocka_unit_test(labels_follow_ids_full_urls_or_bytes),
        cmocka_unit_test(directory_comes_before_patients_before_encounters_before_the_rest),
        cmocka_unit_test(links_come_before_what_links_to_them_and_circles_are_cut),
        cmocka_unit_test(random_links_are_ordered),
        cmocka_unit_test(people_are_tied_to_the_organisation_of_their_first_encounter),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
