/* test_systole_sealed.c: libsystole's envelopes and how credentials stood, by its public header:
 * what is sealed for whom, what opens, and what does not.
 * ctest: threaded */
#include "core/client/systole.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/wire/genesis_json.h"
#include "core/wire/state.h"
#include "tests/support/test.h"
#include "tests/support/witness.h"

enum { ADMIN = 310, WALLET = 320, DOCTOR = 330 };

static struct witnesses all;
static char folder[256];
static systole_network *network;
static systole_key *key;
static systole_x25519_key *boxes[3]; /* of the custodian, the patient, and the doctor */
static uint8_t values[TEST_BLOCK_ENTRIES][1024];
static const char content[] = "{\"resourceType\":\"Observation\"}";

static void must(enum systole_result result)
{
    if (result != SYSTOLE_OK) {
        fail_msg("%s: %s", systole_result_name(result), systole_error_text());
    }
}

static void expect(enum systole_result result, enum systole_result wanted, const char *words)
{
    if (result != wanted || !strstr(systole_error_text(), words)) {
        fail_msg("%s: '%s' does not say '%s'", systole_result_name(result), systole_error_text(),
                 words);
    }
}

// --- the ledger --------------------------------------------------------------------------------

static struct sy_public_key half_of(unsigned box)
{
    struct sy_public_key half;
    systole_x25519_key_get_public(boxes[box], half.bytes);
    return half;
}

static void end_entry(struct test_entry *out, enum sy_state_kind kind, struct sy_hash id,
                      const struct sy_writer *w)
{
    assert_false(w->failed);
    sy_state_key_id(&out->key_hash, kind, &id);
    out->value = sy_writer_slice(w);
}

static void put_record(struct test_entry *out, uint8_t *room)
{
    struct sy_hash salt = test_hash(7000);
    struct sy_record record = {.subject_kind = SY_SUBJECT_PATIENT,
                               .subject = test_hash(5000),
                               .holder = test_hash(2000),
                               .record_class = sy_slice_of("Observation", 11),
                               .versions = 1,
                               .head_count = 1,
                               .heads = {1},
                               .first = {.version = 1,
                                         .form = SY_FORM_RAW,
                                         .size = 256,
                                         .author_role = SY_ROLE_GATEWAY,
                                         .holder = test_hash(2000),
                                         .height = 5}};
    struct sy_writer w = sy_writer_of(room, sizeof values[0]);
    sy_content_commit(&record.first.commit, SY_FORM_RAW, &salt,
                      sy_slice_of(content, sizeof content - 1));
    sy_record_encode(&w, &record);
    end_entry(out, SY_STATE_RECORD, test_hash(6000), &w);
}

static void put_org(struct test_entry *out, uint8_t *room, struct sy_hash id)
{
    struct sy_org org = {.kind = SY_ORG_HOSPITAL,
                         .name_hash = test_hash(3),
                         .admin_key = test_public(ADMIN),
                         .x25519_key = half_of(0),
                         .registered_height = 2};
    struct sy_writer w = sy_writer_of(room, sizeof values[0]);
    sy_org_encode(&w, &org);
    end_entry(out, SY_STATE_ORG, id, &w);
}

static void put_patient(struct test_entry *out, uint8_t *room)
{
    struct sy_patient patient = {.organisation = test_hash(2000),
                                 .claimed = true,
                                 .has_x25519_key = true,
                                 .wallet_key = test_public(WALLET),
                                 .x25519_key = half_of(1),
                                 .enrolled_height = 3};
    struct sy_writer w = sy_writer_of(room, sizeof values[0]);
    sy_patient_encode(&w, &patient);
    end_entry(out, SY_STATE_PATIENT, test_hash(5000), &w);
}

static void put_credential(struct test_entry *out, uint8_t *room, unsigned number, uint8_t role,
                           struct sy_hash holder)
{
    struct sy_public_key own = test_public(number);
    struct sy_hash id;
    struct sy_credential credential = {.use = SY_KEY_TX,
                                       .role = role,
                                       .holder = holder,
                                       .has_x25519_key = number == DOCTOR,
                                       .not_after_ms = INT64_MAX,
                                       .issued_height = 4};
    if (number == DOCTOR) credential.x25519_key = half_of(2);
    struct sy_writer w = sy_writer_of(room, sizeof values[0]);
    sy_credential_encode(&w, &credential);
    memcpy(id.bytes, own.bytes, sizeof id.bytes);
    end_entry(out, SY_STATE_CREDENTIAL, id, &w);
}

static void start_ledger(struct witnesses *some, int64_t later_ms)
{
    struct test_entry entries[TEST_BLOCK_ENTRIES];
    put_record(&entries[0], values[0]);
    put_org(&entries[1], values[1], test_hash(2000));
    put_patient(&entries[2], values[2]);
    put_credential(&entries[3], values[3], ADMIN, SY_ROLE_ORG_ADMIN, test_hash(2000));
    put_credential(&entries[4], values[4], WALLET, SY_ROLE_PATIENT, test_hash(5000));
    put_credential(&entries[5], values[5], DOCTOR, SY_ROLE_DOCTOR, test_hash(2001));
    put_org(&entries[6], values[6], test_hash(2001)); // which has nothing to do with the patient
    witnesses_start_with(some, entries);
    witnesses_set_time(some, sy_os_wall_ms() + later_ms);
}

static int begin(void **state)
{
    (void)state;
    char path[320];
    struct sy_error err = {SY_OK, ""};
    test_folder(folder, sizeof folder, "systole_sealed");
    for (unsigned i = 0; i < 3; i++) {
        uint8_t half[SY_X25519_BYTES];
        (void)snprintf(path, sizeof path, "%s/box%u.pem", folder, i);
        if (sy_x25519_generate(half, path, NULL, &err) != SY_OK) fail_msg("%s", err.text);
        must(systole_x25519_key_load(&boxes[i], path, NULL));
    }
    start_ledger(&all, 3600000); // current for as long as any test runs
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    if (sy_genesis_save(&all.block.genesis, path, &err) != SY_OK) fail_msg("%s", err.text);
    must(systole_network_open(&network, path, all.addresses, WITNESSES));
    must(systole_key_generate(&key, NULL, NULL));
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) systole_x25519_key_close(boxes[i]);
    systole_x25519_key_close(NULL);
    systole_network_close(network);
    systole_key_close(key);
    witnesses_stop(&all);
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

// --- envelopes ---------------------------------------------------------------------------------

static struct sy_hash record_id, salt, recipient;

static struct systole_share share_with(struct sy_hash who)
{
    record_id = test_hash(6000);
    salt = test_hash(7000);
    recipient = who;
    return (struct systole_share){.struct_bytes = sizeof(struct systole_share),
                                  .record = record_id.bytes,
                                  .salt = salt.bytes,
                                  .content = content,
                                  .content_size = sizeof content - 1,
                                  .recipients = recipient.bytes,
                                  .recipient_count = 1,
                                  .purpose = SYSTOLE_PURPOSE_TREATMENT};
}

static struct sy_hash doctor(void)
{
    struct sy_public_key half = test_public(DOCTOR);
    struct sy_hash id;
    memcpy(id.bytes, half.bytes, sizeof id.bytes);
    return id;
}

static void expect_opens(const void *envelope, size_t size, unsigned box, uint8_t hash[32])
{
    systole_opened *opened = NULL;
    struct systole_opened_info info = {.struct_bytes = sizeof info};
    must(systole_open(&opened, network, envelope, size, boxes[box]));
    systole_opened_get_info(opened, &info);
    assert_memory_equal(info.record, record_id.bytes, 32);
    assert_memory_equal(info.salt, salt.bytes, 32);
    assert_true(info.version == 1 && info.current == 1);
    assert_true(info.height == all.block.header.height);
    assert_int_equal(info.content_size, sizeof content - 1);
    assert_memory_equal(info.content, content, info.content_size);
    memcpy(hash, info.wrapped_key_hash, 32);
    systole_opened_close(opened);
    systole_opened_close(NULL);
}

CASE(what_is_shared_opens_for_its_recipient_and_the_custodian)
{
    void *envelope = NULL;
    size_t size = 0;
    uint8_t hashes[1][32], hash[32];
    systole_opened *opened = NULL;
    struct systole_share what = share_with(test_hash(5000));
    must(systole_share(network, &envelope, &size, hashes, &what, key));
    expect_opens(envelope, size, 0, hash);
    assert_memory_not_equal(hash, hashes[0], 32); // the custodian's
    expect_opens(envelope, size, 1, hash);
    assert_memory_equal(hash, hashes[0], 32);
    expect(systole_open(&opened, network, envelope, size, boxes[2]), SYSTOLE_ERR_FORBIDDEN,
           "not sealed to this key");
    assert_null(opened);
    systole_free(envelope);
}

CASE(a_changed_envelope_does_not_open)
{
    void *envelope = NULL;
    size_t size = 0;
    systole_opened *opened = NULL;
    struct systole_share what = share_with(test_hash(5000));
    must(systole_share(network, &envelope, &size, NULL, &what, key));
    uint8_t *copy = (uint8_t *)malloc(size);
    assert_non_null(copy);
    for (size_t at = 0; at < size; at += 1 + size / 97) {
        memcpy(copy, envelope, size);
        copy[at] ^= 0x20;
        // Another recipient's place may be changed, and then it opens as it was.
        if (systole_open(&opened, network, copy, size, boxes[1]) != SYSTOLE_OK) continue;
        struct systole_opened_info info = {.struct_bytes = sizeof info};
        systole_opened_get_info(opened, &info);
        assert_memory_equal(info.content, content, sizeof content - 1);
        systole_opened_close(opened);
        opened = NULL;
    }
    expect(systole_open(&opened, network, copy, 0, boxes[1]), SYSTOLE_ERR_FORMAT, "the envelope");
    free(copy);
    systole_free(envelope);
}

/* Nothing lets the doctor read; a grant may be about to. */
CASE(only_who_may_read_is_shared_with)
{
    void *envelope = NULL;
    size_t size = 0;
    uint8_t hashes[1][32], hash[32];
    struct systole_share what = share_with(doctor());
    expect(systole_share(network, &envelope, &size, hashes, &what, key), SYSTOLE_ERR_FORBIDDEN,
           "may not read this record");
    assert_null(envelope);
    what.before_grant = 1;
    must(systole_share(network, &envelope, &size, hashes, &what, key));
    expect_opens(envelope, size, 2, hash);
    assert_memory_equal(hash, hashes[0], 32);
    systole_free(envelope);
}

CASE(what_cannot_be_shared_is_refused)
{
    void *envelope = NULL;
    size_t size = 0;
    struct systole_share what = share_with(test_hash(9999));
    expect(systole_share(network, &envelope, &size, NULL, &what, key), SYSTOLE_ERR_NOT_FOUND,
           "no key or organisation");
    what = share_with(test_hash(5000));
    what.content_size--;
    expect(systole_share(network, &envelope, &size, NULL, &what, key), SYSTOLE_ERR_FORBIDDEN,
           "altered");
    what = share_with(test_hash(5000));
    what.version = 2;
    expect(systole_share(network, &envelope, &size, NULL, &what, key), SYSTOLE_ERR_FORBIDDEN,
           "version 1");
    what = share_with(test_hash(5000));
    what.recipient_count = 64;
    expect(systole_share(network, &envelope, &size, NULL, &what, key), SYSTOLE_ERR_ARGUMENT,
           "recipients");
    what.struct_bytes = 8;
    expect(systole_share(network, &envelope, &size, NULL, &what, key), SYSTOLE_ERR_ARGUMENT,
           "struct_bytes");
    assert_null(envelope);
}

CASE(what_was_so_long_ago_is_not_shared_by)
{
    static struct witnesses old;
    char path[320];
    void *envelope = NULL;
    size_t size = 0;
    systole_network *past = NULL;
    start_ledger(&old, -120000);
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    must(systole_network_open(&past, path, old.addresses, WITNESSES));
    struct systole_share what = share_with(test_hash(5000));
    expect(systole_share(past, &envelope, &size, NULL, &what, key), SYSTOLE_ERR_UNKNOWN, "s ago");
    what.max_age_ms = -2;
    expect(systole_share(past, &envelope, &size, NULL, &what, key), SYSTOLE_ERR_ARGUMENT,
           "max_age_ms");
    assert_null(envelope);
    what.max_age_ms = SYSTOLE_AGE_ANY;
    must(systole_share(past, &envelope, &size, NULL, &what, key));
    systole_free(envelope);
    systole_network_close(past);
    witnesses_stop(&old);
}

/* What one thread shares, again and again; no assertion may leave a thread, so it counts. */
struct sharer {
    systole_network *network;
    systole_key *key;
    struct systole_share what;
    unsigned failed;
    char words[600];
};

static void *share_often(void *self)
{
    struct sharer *sharer = self;
    for (unsigned i = 0; i < 24; i++) {
        void *envelope = NULL;
        size_t size = 0;
        if (systole_share(sharer->network, &envelope, &size, NULL, &sharer->what, sharer->key) !=
            SYSTOLE_OK) {
            sharer->failed++;
            (void)snprintf(sharer->words, sizeof sharer->words, "%s", systole_error_text());
        }
        systole_free(envelope);
    }
    return NULL;
}

/* systole.h promises it: different handles, different threads. */
CASE(two_threads_share_at_the_same_time)
{
    char path[320];
    struct sharer sharers[2];
    pthread_t threads[2];
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    for (unsigned i = 0; i < 2; i++) {
        sharers[i] = (struct sharer){.what = share_with(test_hash(5000))};
        must(systole_network_open(&sharers[i].network, path, all.addresses, WITNESSES));
        must(systole_key_generate(&sharers[i].key, NULL, NULL));
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, share_often, &sharers[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        if (sharers[i].failed > 0) fail_msg("%u: %s", sharers[i].failed, sharers[i].words);
        systole_network_close(sharers[i].network);
        systole_key_close(sharers[i].key);
    }
}

// --- how a credential stood --------------------------------------------------------------------

CASE(a_credential_is_told_of_as_it_stood)
{
    void *proof = NULL;
    size_t size = 0;
    struct sy_hash who = doctor();
    struct systole_credential_info info = {.struct_bytes = sizeof info};
    must(systole_credential_at(network, &info, NULL, NULL, who.bytes, UINT64_MAX, key,
                               SYSTOLE_PURPOSE_AUDIT));
    assert_int_equal(info.stands, SYSTOLE_STANDING_VALID);
    assert_memory_equal(info.credential, who.bytes, 32);
    assert_true(info.height == all.block.header.height);
    who = test_hash(8888);
    must(systole_credential_at(network, &info, NULL, NULL, who.bytes, UINT64_MAX, key,
                               SYSTOLE_PURPOSE_AUDIT));
    assert_int_equal(info.stands, SYSTOLE_STANDING_NOT_ENROLLED);
    expect(systole_credential_at(network, &info, &proof, &size, who.bytes, UINT64_MAX, key,
                                 SYSTOLE_PURPOSE_AUDIT),
           SYSTOLE_ERR_NOT_FOUND, "no block is later");
    assert_null(proof);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_is_shared_opens_for_its_recipient_and_the_custodian),
        cmocka_unit_test(a_changed_envelope_does_not_open),
        cmocka_unit_test(only_who_may_read_is_shared_with),
        cmocka_unit_test(what_cannot_be_shared_is_refused),
        cmocka_unit_test(what_was_so_long_ago_is_not_shared_by),
        cmocka_unit_test(two_threads_share_at_the_same_time),
        cmocka_unit_test(a_credential_is_told_of_as_it_stood),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
