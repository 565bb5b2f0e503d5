/* A patient's places, walked: all of them are visited, merged ids' in their place, and what
 * contradicts itself is no list. */
#include "core/client/places.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

enum { PATIENT = 1, MERGED, DEEPER, RECORD = 100, PLACES_MAX = 8, IDS = 16 };

/* By hash number. */
struct person {
    struct sy_patient patient;
    struct sy_patient_place places[PLACES_MAX];
};
struct world {
    struct person persons[IDS];
    struct sy_hash seen[64];
    unsigned count;
    uint8_t room[512];
};

static unsigned number_of(const struct sy_hash *id)
{
    for (unsigned i = 0; i < IDS; i++) {
        struct sy_hash known = test_hash(i);
        if (sy_hash_equal(&known, id)) return i;
    }
    fail();
    return 0;
}

static sy_status get(void *self, struct sy_slice *value, uint64_t *height, enum sy_state_kind kind,
                     const struct sy_hash *id, uint64_t number, struct sy_error *err)
{
    struct world *world = self;
    struct sy_writer w = sy_writer_of(world->room, sizeof world->room);
    struct person *person = &world->persons[number_of(id)];
    (void)err;
    *height = 50;
    if (kind == SY_STATE_PATIENT) {
        sy_patient_encode(&w, &person->patient);
    } else {
        assert_true(number >= 1 && number <= PLACES_MAX);
        if (person->places[number - 1].what == 0) return SY_ERR_NOT_FOUND;
        sy_patient_place_encode(&w, &person->places[number - 1]);
    }
    *value = sy_writer_slice(&w);
    return SY_OK;
}

static sy_status visit(void *self, const struct sy_patient_place *place,
                       const struct sy_hash *patient, uint64_t number, struct sy_error *err)
{
    struct world *world = self;
    (void)patient;
    (void)number;
    (void)err;
    if (place->what == SY_PLACE_RECORD) world->seen[world->count++] = place->id;
    return SY_OK;
}

static void add(struct world *world, unsigned person, uint8_t what, unsigned id, uint64_t records)
{
    struct person *p = &world->persons[person];
    assert_true(p->patient.places < PLACES_MAX);
    p->patient.records += records;
    p->places[p->patient.places++] = (struct sy_patient_place){
        .what = what, .id = test_hash(id), .height = 9, .records = p->patient.records};
}

static void merge(struct world *world, unsigned person, unsigned into)
{
    struct person *p = &world->persons[person];
    add(world, into, SY_PLACE_MERGED, person, p->patient.records);
    p->patient.merged = true;
    p->patient.into = test_hash(into);
}

/* Two records, an export, and between them an id with one and another id with two. */
static struct world family(void)
{
    struct world world;
    memset(&world, 0, sizeof world);
    add(&world, PATIENT, SY_PLACE_RECORD, RECORD, 1);
    add(&world, DEEPER, SY_PLACE_RECORD, RECORD + 1, 1);
    add(&world, DEEPER, SY_PLACE_RECORD, RECORD + 2, 1);
    merge(&world, DEEPER, MERGED);
    add(&world, MERGED, SY_PLACE_RECORD, RECORD + 3, 1);
    merge(&world, MERGED, PATIENT);
    add(&world, PATIENT, SY_PLACE_EXPORT, 7, 0);
    add(&world, PATIENT, SY_PLACE_RECORD, RECORD + 4, 1);
    return world;
}

static sy_status walk(struct world *world, struct sy_places *places)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_hash id = test_hash(PATIENT);
    *places = (struct sy_places){.get = get, .self = world, .visit = visit, .visitor = world};
    world->count = 0;
    return sy_places_walk(places, &id, &err);
}

CASE(all_are_visited_in_their_order)
{
    struct world world = family();
    struct sy_places places;
    assert_int_equal(walk(&world, &places), SY_OK);
    assert_int_equal(places.as_of, 50);
    assert_int_equal(places.places, 4);
    assert_int_equal(places.records, 5);
    assert_int_equal(world.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        struct sy_hash id = test_hash(RECORD + i);
        assert_memory_equal(world.seen[i].bytes, id.bytes, 32);
    }
}

CASE(contradictions_are_no_list)
{
    struct sy_places places;
    struct world world = family();
    world.persons[PATIENT].places[1].what = 0; // one is counted, and is not there
    assert_int_equal(walk(&world, &places), SY_ERR_CORRUPT);
    world = family();
    world.persons[PATIENT].patient.records++; // more records are counted than there are
    assert_int_equal(walk(&world, &places), SY_ERR_CORRUPT);
    world = family();
    world.persons[PATIENT].places[3].what = SY_PLACE_ID_MAP; // a record that is none
    assert_int_equal(walk(&world, &places), SY_ERR_CORRUPT);
    world = family();
    world.persons[MERGED].patient.merged = false; // an id that goes on
    assert_int_equal(walk(&world, &places), SY_ERR_CORRUPT);
    world = family();
    world.persons[MERGED].patient.into = test_hash(DEEPER);
    assert_int_equal(walk(&world, &places), SY_ERR_CORRUPT);
    world = family();
    world.persons[DEEPER].patient.places--; // the last of a merged id's is hidden
    assert_int_equal(walk(&world, &places), SY_ERR_CORRUPT);
    world = family(); // a ring, which no execution makes
    world.persons[DEEPER].places[0] = (struct sy_patient_place){
        .what = SY_PLACE_MERGED, .id = test_hash(MERGED), .height = 9, .records = 1};
    world.persons[MERGED].patient.into = test_hash(DEEPER);
    assert_int_equal(walk(&world, &places), SY_ERR_CORRUPT);
}

CASE(nothing_is_a_list_too)
{
    struct world world;
    struct sy_places places;
    memset(&world, 0, sizeof world);
    assert_int_equal(walk(&world, &places), SY_OK);
    assert_int_equal(world.count, 0);
    assert_int_equal(places.records, 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(all_are_visited_in_their_order),
        cmocka_unit_test(contradictions_are_no_list),
        cmocka_unit_test(nothing_is_a_list_too),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
