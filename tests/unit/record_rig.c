/* record_rig.c: see record_rig.h. */
#include "tests/unit/record_rig.h"

#include <string.h>

struct sy_record find_record(unsigned number)
{
    struct sy_hash id = test_hash(number), key_hash;
    struct sy_slice value;
    struct sy_record record;
    sy_state_key_id(&key_hash, SY_STATE_RECORD, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_record_decode(&record, value));
    return record;
}

struct sy_record_version find_version(unsigned number, uint32_t version)
{
    struct sy_hash id = test_hash(number), key_hash;
    struct sy_slice value;
    struct sy_record_version found;
    if (version == 1) return find_record(number).first;
    sy_state_key_record_version(&key_hash, &id, version);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_record_version_decode(&found, value));
    return found;
}

struct sy_record_link find_link(unsigned record, uint64_t number)
{
    struct sy_hash id = test_hash(record), key_hash;
    struct sy_slice value;
    struct sy_record_link link;
    sy_state_key_record_link(&key_hash, &id, number);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_record_link_decode(&link, value));
    return link;
}

struct sy_cosignatures find_cosignatures(unsigned record, uint32_t version)
{
    struct sy_hash id = test_hash(record), key_hash;
    struct sy_slice value;
    struct sy_cosignatures list;
    sy_state_key_cosignatures(&key_hash, &id, version);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_cosignatures_decode(&list, value));
    return list;
}

void assert_told(enum sy_event_kind kind, unsigned patient, unsigned object)
{
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash subject = test_hash(patient), id = test_hash(object);
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_memory_equal(event.subject.bytes, subject.bytes, 32);
    assert_memory_equal(event.object.bytes, id.bytes, 32);
}

void create(unsigned record)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, record, PATIENT_CLAIMED);
    assert_applied(&tx);
}

void branch_twice(unsigned record)
{
    create(record);
    struct world_tx grant = grant_b(CONSENT);
    assert_applied(&grant);
    struct world_tx tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, record, 1);
    tx.payload.record_amend.branch = true;
    assert_applied(&tx);
    tx = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, record, 1);
    tx.payload.record_amend.branch = true;
    assert_applied(&tx);
    assert_int_equal(find_record(record).head_count, 2);
}

struct world_tx world_merge(struct ledger_world *of, unsigned key, unsigned org, unsigned record,
                            const char *heads)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_merge, key, org);
    struct sy_record_merge *p = &tx.payload.record_merge;
    p->record_id = test_hash(record);
    for (const char *head = heads; *head != '\0'; head++) {
        sy_list_add_u32(&p->heads, &of->lists, (uint32_t)(*head - '0'));
    }
    p->form = SY_FORM_RAW;
    p->commit = test_hash(record + 3000000);
    p->size = 4096;
    p->author_role = SY_ROLE_DOCTOR;
    p->resolution_hash = test_hash(record + 4000000);
    return tx;
}

struct world_tx contribute(unsigned key, unsigned role, unsigned org, unsigned record,
                           unsigned first_parent, unsigned second_parent)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_contribute, key, org);
    struct sy_record_contribute *p = &tx.payload.record_contribute;
    const unsigned parents[] = {first_parent, second_parent};
    p->record_id = test_hash(record);
    p->patient_id = test_hash(PATIENT_CLAIMED);
    p->class = sy_slice_of("DiagnosticReport", 16);
    p->form = SY_FORM_RAW;
    p->commit = test_hash(record + 1000000);
    p->size = 512;
    p->author_role = (uint16_t)role;
    p->relation = SY_RELATION_DERIVED;
    for (unsigned i = 0; i < 2; i++) {
        struct sy_hash id = test_hash(parents[i]);
        if (parents[i] != 0) sy_list_add_id(&p->parents, &world.lists, &id);
    }
    return tx;
}

struct world_tx cosign(unsigned key, unsigned org, unsigned record, uint32_t version,
                       uint16_t meaning)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_cosign, key, org);
    tx.payload.record_cosign.record_id = test_hash(record);
    tx.payload.record_cosign.version = version;
    tx.payload.record_cosign.meaning = meaning;
    return tx;
}

struct world_tx dup_report(unsigned key, unsigned org, unsigned record, unsigned other)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_dup_report, key, org);
    tx.payload.record_dup_report.record_id = test_hash(record);
    tx.payload.record_dup_report.other_id = test_hash(other);
    return tx;
}

struct world_tx erase(unsigned key, unsigned org, unsigned record, uint16_t basis)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_erase, key, org);
    tx.payload.record_erase.record_id = test_hash(record);
    tx.payload.record_erase.basis = basis;
    return tx;
}
