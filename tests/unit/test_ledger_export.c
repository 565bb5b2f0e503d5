/* export.request, export.fulfil, id.map: who asks, what makes an export whole, and whose an
 * identifier is. */
#include "tests/unit/record_rig.h"

enum {
    EXPORT = FRESH_ID + 50,
    RECORD = FRESH_ID + 100,
    OTHER = FRESH_ID + 300,
    MANIFEST = FRESH_ID + 60,
    WRAPPED,
    SYSTEM,
    IDENTIFIER
};

static struct world_tx request(unsigned key, unsigned export, unsigned patient, unsigned org)
{
    struct world_tx tx = world_tx_of(SY_KIND_export_request, key, 0);
    tx.payload.export_request.export_id = test_hash(export);
    tx.payload.export_request.patient_id = test_hash(patient);
    tx.payload.export_request.org_id = test_hash(org);
    tx.payload.export_request.recipient_key = test_public(FRESH_KEY);
    tx.payload.export_request.due = world.header.time_ms + 1000000;
    return tx;
}

/* A says that all there is now was handed over. */
static struct world_tx fulfil(uint64_t places, uint64_t records, uint64_t included)
{
    struct world_tx tx = world_tx_of(SY_KIND_export_fulfil, GATEWAY_A, ORG_A);
    tx.payload.export_fulfil.export_id = test_hash(EXPORT);
    tx.payload.export_fulfil.as_of = world.header.height;
    tx.payload.export_fulfil.places = places;
    tx.payload.export_fulfil.records = records;
    tx.payload.export_fulfil.included = included;
    tx.payload.export_fulfil.manifest_root = test_hash(MANIFEST);
    tx.payload.export_fulfil.wrapped_key_hash = test_hash(WRAPPED);
    return tx;
}

/* Adds the exceptions, in ascending order whatever their numbers' order is. */
static void except(struct world_tx *tx, const unsigned *records, unsigned count)
{
    static uint8_t room[32 * 64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash ids[64], last = {{0}};
    assert_true(count <= 64);
    for (unsigned i = 0; i < count; i++) ids[i] = test_hash(records[i]);
    for (unsigned done = 0; done < count; done++) {
        const struct sy_hash *least = NULL;
        for (unsigned i = 0; i < count; i++) {
            if (sy_hash_compare(&ids[i], &last) <= 0) continue;
            if (least == NULL || sy_hash_compare(&ids[i], least) < 0) least = &ids[i];
        }
        assert_non_null(least);
        last = *least;
        sy_list_add_id(&tx->payload.export_fulfil.exceptions, &w, &last);
    }
}

static struct sy_export find_export(unsigned number)
{
    struct sy_hash id = test_hash(number), key_hash;
    struct sy_slice value;
    struct sy_export export;
    sy_state_key_id(&key_hash, SY_STATE_EXPORT, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_export_decode(&export, value));
    return export;
}

static void ask(void)
{
    struct world_tx tx = request(WALLET_CLAIMED, EXPORT, PATIENT_CLAIMED, ORG_A);
    assert_applied(&tx);
}

static void let_b(void)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
}

static void create_by_b(unsigned record)
{
    struct world_tx tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, record, PATIENT_CLAIMED);
    assert_applied(&tx);
}

// --- asking ------------------------------------------------------------------------------------

CASE(the_patient_asks_and_both_are_told)
{
    ask();
    struct sy_hash id = test_hash(EXPORT), a = test_hash(ORG_A);
    struct sy_export export = find_export(EXPORT);
    assert_false(export.partly || export.fulfilled);
    assert_memory_equal(export.organisation.bytes, a.bytes, 32);
    assert_int_equal(export.requested_height, world.header.height);
    assert_told(SY_EVENT_EXPORT_REQUESTED, PATIENT_CLAIMED, EXPORT);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event) && sy_event_decode(&r, &event) && sy_reader_done(&r));
    assert_int_equal(event.subject_kind, SY_SUBJECT_ORG);
    assert_memory_equal(event.subject.bytes, a.bytes, 32);
    assert_memory_equal(event.object.bytes, id.bytes, 32);
}

CASE(nobody_else_asks_and_not_for_ever)
{
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, PATIENT_NONE);
    tx.payload.patient_enrol.has_wallet_key = true;
    tx.payload.patient_enrol.wallet_key = test_public(FRESH_KEY + 1);
    world_cosign(&tx, FRESH_KEY + 1);
    assert_applied(&tx);
    tx = request(FRESH_KEY + 1, EXPORT, PATIENT_CLAIMED, ORG_A);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = request(WALLET_CLAIMED, EXPORT, FRESH_ID, ORG_A);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = request(WALLET_CLAIMED, EXPORT, PATIENT_CLAIMED, ORG_NONE);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    tx = request(WALLET_CLAIMED, EXPORT, PATIENT_CLAIMED, ORG_A);
    tx.payload.export_request.due = world.header.time_ms;
    assert_refused(&tx, SY_E_EXPORT_DUE); // the block is a second later
    tx.payload.export_request.due = world.header.time_ms + 1001 + SY_EXPORT_MS_MAX;
    assert_refused(&tx, SY_E_EXPORT_DUE);
    assert_int_equal(world.receipt.detail, SY_EXPORT_MS_MAX);
    ask();
    tx = request(WALLET_CLAIMED, EXPORT, PATIENT_CLAIMED, ORG_B);
    assert_refused(&tx, SY_E_EXPORT_EXISTS);
    assert_detail(EXPORT);
}

// --- answering ---------------------------------------------------------------------------------

CASE(all_there_was_as_of_a_height_is_whole)
{
    create(RECORD);
    create(RECORD + 1);
    ask();
    struct world_tx tx = fulfil(3, 2, 2);
    create(RECORD + 2); // later than the height as of which it is whole
    assert_applied(&tx);
    struct sy_export export = find_export(EXPORT);
    struct sy_hash root = test_hash(MANIFEST);
    assert_true(export.partly && export.fulfilled);
    assert_int_equal(export.records, 2);
    assert_int_equal(export.excepted, 0);
    assert_int_equal(export.fulfilled_height, world.header.height);
    assert_memory_equal(export.manifest_root.bytes, root.bytes, 32);
    assert_told(SY_EVENT_EXPORT_FULFILLED, PATIENT_CLAIMED, EXPORT);
    tx = fulfil(4, 3, 3);
    assert_refused(&tx, SY_E_EXPORT_STATE);
}

CASE(what_is_missing_is_counted)
{
    create(RECORD);
    create(RECORD + 1);
    create(RECORD + 2);
    ask();
    struct world_tx tx = fulfil(4, 3, 1);
    assert_refused(&tx, SY_E_INCOMPLETE);
    assert_int_equal(world.receipt.detail, 2);
    tx = fulfil(4, 3, 4);
    assert_refused(&tx, SY_E_INCOMPLETE);
    assert_int_equal(world.receipt.detail, UINT64_MAX);
    tx = fulfil(4, 2, 2); // fewer than there were
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("records");
    assert_int_equal(world.receipt.detail, 3);
    tx = fulfil(3, 2, 2); // another place was there already
    assert_refused(&tx, SY_E_EXPORT_RANGE);
    assert_path("places");
    tx = fulfil(5, 3, 3);
    assert_refused(&tx, SY_E_EXPORT_RANGE);
    assert_int_equal(world.receipt.detail, 4);
    tx = fulfil(0, 0, 0);
    assert_refused(&tx, SY_E_EXPORT_RANGE);
    tx = fulfil(4, 3, 3);
    assert_applied(&tx);
}

CASE(the_height_is_between_the_request_and_now)
{
    create(RECORD);
    struct world_tx tx = fulfil(1, 1, 1); // as of before the request
    ask();
    assert_refused(&tx, SY_E_EXPORT_RANGE);
    assert_path("as_of");
    assert_int_equal(world.receipt.detail, find_export(EXPORT).requested_height);
    tx = fulfil(2, 1, 1);
    tx.payload.export_fulfil.as_of = world.header.height + 1; // that of the block itself
    assert_refused(&tx, SY_E_EXPORT_RANGE);
    create(RECORD + 1);
    tx = fulfil(3, 2, 2);
    tx.payload.export_fulfil.as_of--; // the third place came a block later
    assert_refused(&tx, SY_E_EXPORT_RANGE);
    assert_path("places");
}

CASE(who_was_asked_answers)
{
    ask();
    struct world_tx tx = fulfil(1, 0, 0);
    tx.keys[0] = GATEWAY_B;
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_CUSTODIAN);
    assert_detail(ORG_A);
    tx = fulfil(1, 0, 0);
    tx.payload.export_fulfil.export_id = test_hash(EXPORT + 1);
    assert_refused(&tx, SY_E_EXPORT_UNKNOWN);
    assert_detail(EXPORT + 1);
    tx = fulfil(1, 0, 0);
    assert_applied(&tx); // nothing is whole, too
}

CASE(exceptions_are_what_was_erased_or_others_keep)
{
    let_b();
    create(RECORD);
    create(RECORD + 1);
    create_by_b(RECORD + 2);
    struct world_tx tx = erase(ADMIN_A, ORG_A, RECORD + 1, SY_ERASE_UNLAWFUL);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, OTHER, PATIENT);
    assert_applied(&tx);
    ask();
    static const unsigned right[] = {RECORD + 1, RECORD + 2}, kept[] = {RECORD},
                          foreign[] = {OTHER}, none[] = {OTHER + 9};
    tx = fulfil(4, 3, 2);
    except(&tx, kept, 1);
    assert_refused(&tx, SY_E_EXPORT_KEPT);
    assert_detail(RECORD);
    tx = fulfil(4, 3, 2);
    except(&tx, foreign, 1);
    assert_refused(&tx, SY_E_PATIENT_MISMATCH);
    tx = fulfil(4, 3, 2);
    except(&tx, none, 1);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    tx = fulfil(4, 3, 1);
    except(&tx, right, 1);
    assert_refused(&tx, SY_E_INCOMPLETE);
    assert_int_equal(world.receipt.detail, 1);
    tx = fulfil(4, 3, 1);
    except(&tx, right, 2);
    create_by_b(RECORD + 3);
    struct world_tx late = fulfil(4, 3, 1);
    late.payload.export_fulfil.as_of = tx.payload.export_fulfil.as_of;
    static const unsigned newer[] = {RECORD + 3};
    except(&late, newer, 1);
    assert_refused(&late, SY_E_EXPORT_RANGE);
    assert_path("exceptions");
    except(&tx, right, 0);
    tx.payload.export_fulfil.exceptions.count = 0;
    tx.payload.export_fulfil.exceptions.items.size = 0;
    except(&tx, right, 2);
    assert_applied(&tx);
    struct sy_export export = find_export(EXPORT), expected = {.excepted = 0};
    struct sy_hash id;
    const struct sy_list *list = &tx.payload.export_fulfil.exceptions;
    for (size_t offset = 0; sy_list_next_id(list, &offset, &id);) sy_export_except(&expected, &id);
    assert_int_equal(export.excepted, 2);
    assert_memory_equal(export.exceptions.bytes, expected.exceptions.bytes, 32);
}

/* One exception is not counted twice, within a part or in two. */
CASE(exceptions_come_in_parts_that_ascend)
{
    enum { MANY = SY_EXPORT_EXCEPTIONS_MAX + 3 };
    unsigned all[MANY];
    let_b();
    for (unsigned i = 0; i < MANY; i++) {
        all[i] = RECORD + i;
        create_by_b(RECORD + i);
    }
    ask();
    struct world_tx tx = fulfil(MANY + 1, MANY, 0);
    except(&tx, all, MANY); // more than a part may have: they are put in two
    static uint8_t room[2][32 * MANY];
    struct sy_list whole = tx.payload.export_fulfil.exceptions, parts[2] = {{0}, {0}};
    struct sy_hash id;
    unsigned at = 0;
    for (size_t offset = 0; sy_list_next_id(&whole, &offset, &id); at++) {
        unsigned part = at < SY_EXPORT_EXCEPTIONS_MAX ? 0 : 1;
        struct sy_writer w = sy_writer_of(room[part], sizeof room[part]);
        w.used = parts[part].items.size;
        sy_list_add_id(&parts[part], &w, &id);
    }
    uint64_t as_of = world.header.height;
    tx = fulfil(MANY + 1, MANY, 0);
    tx.payload.export_fulfil.more = true;
    tx.payload.export_fulfil.exceptions = parts[0];
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 0);
    assert_int_equal(find_export(EXPORT).excepted, SY_EXPORT_EXCEPTIONS_MAX);
    assert_refused(&tx, SY_E_SCHEMA); // the same ones again
    assert_path("exceptions");
    tx = fulfil(MANY + 1, MANY, 0); // as of another height: from the beginning
    tx.payload.export_fulfil.exceptions = parts[1];
    assert_refused(&tx, SY_E_INCOMPLETE);
    assert_int_equal(world.receipt.detail, SY_EXPORT_EXCEPTIONS_MAX);
    tx.payload.export_fulfil.as_of = as_of;
    assert_applied(&tx);
    assert_int_equal(find_export(EXPORT).excepted, MANY);
}

/* What stood under an id that ended is of the record, too. */
CASE(merged_ids_are_of_the_whole)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, OTHER, PATIENT);
    assert_applied(&tx);
    create(RECORD);
    tx = world_tx_of(SY_KIND_patient_merge, GATEWAY_A, ORG_A);
    tx.payload.patient_merge.patient_id = test_hash(PATIENT);
    tx.payload.patient_merge.into_id = test_hash(PATIENT_CLAIMED);
    tx.payload.patient_merge.evidence_hash = test_hash(1);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    ask();
    tx = fulfil(3, 1, 1);
    assert_refused(&tx, SY_E_SCHEMA);
    tx = fulfil(3, 2, 2);
    assert_applied(&tx);
}

// --- identifiers -------------------------------------------------------------------------------

static struct world_tx map(unsigned key, unsigned org, unsigned patient, unsigned identifier)
{
    struct world_tx tx = world_tx_of(SY_KIND_id_map, key, org);
    tx.payload.id_map.patient_id = test_hash(patient);
    tx.payload.id_map.system = test_hash(SYSTEM);
    tx.payload.id_map.identifier = test_hash(identifier);
    return tx;
}

CASE(an_identifier_stands_for_one_patient_an_organisation)
{
    struct world_tx tx = map(GATEWAY_A, ORG_A, PATIENT_CLAIMED, IDENTIFIER);
    assert_applied(&tx);
    struct sy_hash id, key_hash, a = test_hash(ORG_A), system = test_hash(SYSTEM),
                                 identifier = test_hash(IDENTIFIER),
                                 patient = test_hash(PATIENT_CLAIMED);
    struct sy_slice value;
    struct sy_mapped_id mapped;
    sy_mapped_id_of(&id, &a, &system, &identifier);
    sy_state_key_id(&key_hash, SY_STATE_ID_MAP, &id);
    assert_true(world_find(&world, &value, &key_hash) && sy_mapped_id_decode(&mapped, value));
    assert_memory_equal(mapped.patient.bytes, patient.bytes, 32);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_ID_MAPPED);
    assert_memory_equal(event.subject.bytes, patient.bytes, 32);
    assert_memory_equal(event.object.bytes, id.bytes, 32);
    tx = map(ADMIN_A, ORG_A, PATIENT, IDENTIFIER);
    assert_refused(&tx, SY_E_ID_MAPPED);
    assert_detail(PATIENT_CLAIMED);
    tx = map(ADMIN_A, ORG_A, PATIENT, IDENTIFIER + 1);
    assert_applied(&tx);
    let_b(); // another organisation's commitment is its own business
    tx = map(GATEWAY_B, ORG_B, PATIENT_CLAIMED, IDENTIFIER);
    assert_applied(&tx);
}

CASE(who_may_not_write_maps_nothing)
{
    struct world_tx tx = map(GATEWAY_B, ORG_B, PATIENT_CLAIMED, IDENTIFIER);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    tx = map(GATEWAY_A, ORG_A, PATIENT_NONE, IDENTIFIER);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = deny_a(CONSENT);
    assert_applied(&tx);
    tx = map(GATEWAY_A, ORG_A, PATIENT_CLAIMED, IDENTIFIER);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(CONSENT);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(the_patient_asks_and_both_are_told),
        WITH_WORLD(nobody_else_asks_and_not_for_ever),
        WITH_WORLD(all_there_was_as_of_a_height_is_whole),
        WITH_WORLD(what_is_missing_is_counted),
        WITH_WORLD(the_height_is_between_the_request_and_now),
        WITH_WORLD(who_was_asked_answers),
        WITH_WORLD(exceptions_are_what_was_erased_or_others_keep),
        WITH_WORLD(exceptions_come_in_parts_that_ascend),
        WITH_WORLD(merged_ids_are_of_the_whole),
        WITH_WORLD(an_identifier_stands_for_one_patient_an_organisation),
        WITH_WORLD(who_may_not_write_maps_nothing),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
