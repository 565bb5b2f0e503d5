/* test_record_check.c: content against the ledger: registered, older, altered, unknown, by the
 * client's store and by record id and salt.
 * ctest: threaded */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/record_check.h"
#include "core/client/share.h"
#include "core/wire/state.h"
#include "tests/support/witness.h"

static struct witnesses all;
static sy_asker *asker;
static sy_client_store *store;
static char folder[256];
static uint8_t values[TEST_BLOCK_ENTRIES][1024];

/* Records by number: what stands on the ledger. Content of version v of record n is its name. */
enum { ONCE = 1, TWICE, RETRACTED, NEVER_SENT, FOREIGN, ERASED };

static struct sy_hash record_id(unsigned number)
{
    return test_hash(6000 + number);
}

static struct sy_hash salt_of(unsigned number, unsigned version)
{
    return test_hash(7000 + 10 * number + version);
}

static struct sy_slice content_of(char out[64], unsigned number, unsigned version)
{
    int size = snprintf(out, 64, "{\"record\":%u,\"version\":%u}", number, version);
    return sy_slice_of(out, (size_t)size);
}

static struct sy_hash commit_of(unsigned number, unsigned version)
{
    char text[64];
    struct sy_hash commit;
    struct sy_hash salt = salt_of(number, version);
    sy_content_commit(&commit, SY_FORM_RAW, &salt, content_of(text, number, version));
    return commit;
}

/* ---- the ledger's side -------------------------------------------------------------------- */

static struct sy_record_version version_of(unsigned number, uint32_t version)
{
    struct sy_record_version entry;
    memset(&entry, 0, sizeof entry);
    entry.version = version;
    entry.parent = version - 1;
    entry.form = SY_FORM_RAW;
    entry.commit = commit_of(number, version);
    entry.size = 256;
    entry.author = test_public(300);
    entry.author_role = SY_ROLE_GATEWAY;
    entry.holder = test_hash(2000);
    entry.reason = version > 1 ? SY_AMEND_CORRECTION : 0;
    entry.height = 5;
    entry.time_ms = TEST_GENESIS_MS;
    return entry;
}

static void put_record(struct test_entry *out, uint8_t *room, unsigned number, uint32_t versions)
{
    struct sy_record record;
    struct sy_hash id = record_id(number);
    struct sy_writer w = sy_writer_of(room, sizeof values[0]);
    memset(&record, 0, sizeof record);
    record.subject_kind = SY_SUBJECT_PATIENT;
    record.subject = test_hash(5000);
    record.holder = test_hash(2000);
    record.record_class = sy_slice_of("Observation", 11);
    record.retracted = number == RETRACTED;
    if (record.retracted) {
        record.retract_reason = SY_RETRACT_ERROR;
        record.retracted_height = 6;
    }
    record.erased = number == ERASED;
    if (record.erased) {
        record.erase_basis = SY_ERASE_UNLAWFUL;
        record.erased_height = 7;
    }
    record.versions = versions;
    record.head_count = 1;
    record.heads[0] = versions;
    record.first = version_of(number, 1);
    sy_record_encode(&w, &record);
    assert_false(w.failed);
    sy_state_key_id(&out->key_hash, SY_STATE_RECORD, &id);
    out->value = sy_writer_slice(&w);
}

static void put_version(struct test_entry *out, uint8_t *room, unsigned number, uint32_t version)
{
    struct sy_hash id = record_id(number);
    struct sy_record_version entry = version_of(number, version);
    struct sy_writer w = sy_writer_of(room, sizeof values[0]);
    sy_record_version_encode(&w, &entry);
    assert_false(w.failed);
    sy_state_key_record_version(&out->key_hash, &id, version);
    out->value = sy_writer_slice(&w);
}

static void start_ledger(void)
{
    struct test_entry entries[TEST_BLOCK_ENTRIES];
    struct sy_hash other;
    put_record(&entries[0], values[0], ONCE, 1);
    put_record(&entries[1], values[1], TWICE, 2);
    put_version(&entries[2], values[2], TWICE, 2);
    put_record(&entries[3], values[3], RETRACTED, 1);
    put_record(&entries[4], values[4], FOREIGN, 1);
    put_record(&entries[5], values[5], ERASED, 1);
    for (unsigned i = 6; i < TEST_BLOCK_ENTRIES; i++) {
        other = test_hash(90 + i);
        sy_state_key_id(&entries[i].key_hash, SY_STATE_PATIENT, &other);
        entries[i].value = sy_slice_of("a patient", 9);
    }
    witnesses_start_with(&all, entries);
}

/* ---- the client's side -------------------------------------------------------------------- */

static void label_of(struct sy_hash *out, unsigned number)
{
    char id[16];
    int size = snprintf(id, sizeof id, "r%u", number);
    sy_client_label_resource(store, out, "fhir", sy_slice_of("Observation", 11),
                             sy_slice_of(id, (size_t)size));
}

static struct sy_client_version known_version(unsigned number, uint32_t version)
{
    char text[64];
    struct sy_slice bytes = content_of(text, number, version);
    struct sy_client_version out = {.version = version,
                                    .salt = salt_of(number, version),
                                    .commit = commit_of(number, version),
                                    .size = bytes.size,
                                    .seq = 1};
    return out;
}

static void know(unsigned number, uint32_t versions)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_hash label;
    struct sy_client_record record;
    memset(&record, 0, sizeof record);
    label_of(&label, number);
    record.id = record_id(number);
    strcpy(record.type, "Observation");
    record.subject_kind = SY_SUBJECT_PATIENT;
    record.subject = test_hash(5000);
    record.org_label = test_hash(1);
    record.head = known_version(number, 1);
    if (sy_client_put_record(store, &label, &record, &err) != SY_OK) fail_msg("%s", err.text);
    for (uint32_t v = 2; v <= versions; v++) {
        struct sy_client_version next = known_version(number, v);
        if (sy_client_add_version(store, &label, &record, &next, &err) != SY_OK) {
            fail_msg("%s", err.text);
        }
    }
}

static int begin(void **state)
{
    (void)state;
    struct sy_error err = {SY_OK, ""};
    start_ledger();
    test_folder(folder, sizeof folder, "record_check");
    asker = witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS);
    if (sy_client_store_open(&store, folder, &all.block.genesis.hash, SY_CLIENT_STORE_WRITE,
                             &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    know(ONCE, 1);
    know(TWICE, 3); // the third is signed, but not on the ledger
    know(RETRACTED, 1);
    know(NEVER_SENT, 1);
    know(ERASED, 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sy_client_store_close(store);
    sy_asker_close(asker);
    witnesses_stop(&all);
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

static struct sy_record_checker checker_of(void)
{
    return (struct sy_record_checker){.asker = asker, .store = store, .key = test_key(300)};
}

static struct sy_record_verdict check_known(unsigned number, unsigned version)
{
    char text[64];
    struct sy_error err = {SY_OK, ""};
    struct sy_hash label;
    struct sy_record_verdict verdict;
    static struct sy_record_checker checker;
    checker = checker_of();
    label_of(&label, number);
    if (sy_record_check_known(&checker, &verdict, &label, content_of(text, number, version),
                              &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    sy_record_checker_close(&checker);
    return verdict;
}

static void expect(const struct sy_record_verdict *verdict, enum sy_record_result wanted,
                   const char *words)
{
    char sentence[SY_RECORD_SENTENCE_BYTES];
    sy_record_verdict_words(sentence, sizeof sentence, verdict);
    if (verdict->verdict != wanted) {
        fail_msg("%s, not %s", sentence, sy_record_verdict_name(wanted));
    }
    if (!strstr(sentence, words)) fail_msg("'%s' does not say '%s'", sentence, words);
}

CASE(the_current_bytes_are_registered)
{
    struct sy_record_verdict verdict = check_known(ONCE, 1);
    expect(&verdict, SY_RECORD_REGISTERED, "registered, version 1");
    expect(&verdict, SY_RECORD_REGISTERED, "registered by gateway");
    assert_int_equal(verdict.height, all.block.header.height);
    verdict = check_known(TWICE, 2);
    expect(&verdict, SY_RECORD_REGISTERED, "registered, version 2");
}

CASE(earlier_bytes_are_an_older_version)
{
    struct sy_record_verdict verdict = check_known(TWICE, 1);
    expect(&verdict, SY_RECORD_OLDER, "older version 1 of 2");
}

CASE(other_bytes_are_altered)
{
    struct sy_record_verdict verdict = check_known(ONCE, 9);
    expect(&verdict, SY_RECORD_ALTERED, "altered");
    expect(&verdict, SY_RECORD_ALTERED, "in block 5"); // since when, and by whom
    verdict = check_known(TWICE, 9);
    expect(&verdict, SY_RECORD_ALTERED, "the newest is version 2, registered by gateway");
}

CASE(what_is_not_on_the_ledger_is_unknown)
{
    struct sy_record_verdict verdict = check_known(NEVER_SENT, 1);
    expect(&verdict, SY_RECORD_UNKNOWN, "signed here");
    verdict = check_known(TWICE, 3);
    expect(&verdict, SY_RECORD_UNKNOWN, "signed here");
    verdict = check_known(FOREIGN, 1);
    expect(&verdict, SY_RECORD_UNKNOWN, "no record of it is known");
    assert_int_equal(verdict.height, 0);
}

CASE(a_retraction_is_told)
{
    struct sy_record_verdict verdict = check_known(RETRACTED, 1);
    expect(&verdict, SY_RECORD_REGISTERED, "retracted");
}

static struct sy_record_verdict check_content(unsigned number, unsigned content_version,
                                              unsigned salt_version)
{
    char text[64];
    struct sy_error err = {SY_OK, ""};
    struct sy_record_verdict verdict;
    struct sy_hash id = record_id(number);
    struct sy_hash salt = salt_of(number, salt_version);
    static struct sy_record_checker checker;
    checker = checker_of();
    checker.store = NULL;
    if (sy_record_check_content(&checker, &verdict, &id, &salt,
                                content_of(text, number, content_version), &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    sy_record_checker_close(&checker);
    return verdict;
}

/* Whatever the bytes are, and whether or not the client destroyed its salts yet. */
CASE(what_was_erased_is_told)
{
    struct sy_hash label;
    unsigned salts;
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned version = 1; version <= 2; version++) {
            struct sy_record_verdict verdict = check_known(ERASED, version);
            expect(&verdict, SY_RECORD_ERASED, "erased in block 7 (unlawful)");
            verdict = check_content(ERASED, version, 1);
            expect(&verdict, SY_RECORD_ERASED, "erased in block 7");
        }
        label_of(&label, ERASED);
        assert_int_equal(sy_client_erase_record(store, &salts, &label, NULL), SY_OK);
        assert_int_equal(salts, turn == 0 ? 1 : 0);
    }
}

CASE(a_receiver_needs_only_the_salt)
{
    struct sy_record_verdict verdict = check_content(FOREIGN, 1, 1);
    expect(&verdict, SY_RECORD_REGISTERED, "version 1");
    verdict = check_content(TWICE, 2, 2);
    expect(&verdict, SY_RECORD_REGISTERED, "version 2");
    verdict = check_content(TWICE, 1, 1);
    expect(&verdict, SY_RECORD_OLDER, "older version 1 of 2");
    verdict = check_content(FOREIGN, 2, 1);
    expect(&verdict, SY_RECORD_ALTERED, "altered");
    verdict = check_content(FOREIGN, 1, 2);
    expect(&verdict, SY_RECORD_ALTERED, "altered");
    verdict = check_content(NEVER_SENT, 1, 1);
    expect(&verdict, SY_RECORD_UNKNOWN, "no record of it");
}

/* The key that the importer would have made for the organisation's gateway. */
static void make_gateway(void)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_client_org org = {.id = test_hash(2000), .kind = SY_ORG_HOSPITAL, .seq = 1};
    struct sy_hash resource = test_hash(1);
    struct sy_hash label, name;
    char path[400], hex[65];
    sy_client_label_of(store, &label, SY_LABEL_ORG, &resource, NULL);
    if (sy_client_put_org(store, &label, &org, &err) != SY_OK) fail_msg("%s", err.text);
    sy_client_label(store, &name, SY_LABEL_KEY, sy_slice_of("gateway", 7),
                    sy_slice_of(org.id.bytes, 32), sy_slice_of(NULL, 0));
    sy_hex_encode(hex, name.bytes, sizeof name.bytes);
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    assert_int_equal(sy_os_make_dirs(path, 0700, &err), SY_OK);
    (void)snprintf(path, sizeof path, "%s/keys/%s.pem", folder, hex);
    assert_int_equal(sy_secret_key_save(test_key(301), path, NULL, &err), SY_OK);
}

CASE(without_a_key_the_gateways_own_signs_the_reads)
{
    char text[64];
    struct sy_error err = {SY_OK, ""};
    struct sy_hash label;
    struct sy_record_verdict verdict;
    static struct sy_record_checker checker;
    make_gateway();
    checker = checker_of();
    checker.key = NULL;
    checker.keys_folder = folder;
    label_of(&label, ONCE);
    for (unsigned i = 0; i < 2; i++) {
        if (sy_record_check_known(&checker, &verdict, &label, content_of(text, ONCE, 1), &err) !=
            SY_OK) {
            fail_msg("%s", err.text);
        }
        expect(&verdict, SY_RECORD_REGISTERED, "version 1");
    }
    sy_record_checker_close(&checker);
}

CASE(no_gateway_key_is_a_failure_and_no_verdict)
{
    char text[64];
    struct sy_error err = {SY_OK, ""};
    struct sy_hash label;
    struct sy_record_verdict verdict;
    static struct sy_record_checker checker;
    checker = checker_of();
    checker.key = NULL;
    checker.keys_folder = folder;
    label_of(&label, ONCE);
    assert_int_not_equal(
        sy_record_check_known(&checker, &verdict, &label, content_of(text, ONCE, 1), &err), SY_OK);
    sy_record_checker_close(&checker);
}

/* Whoever answered turns to an old block, at whose time a right that has ended would stand: another
 * one's is taken. The asker is the share's own, and has seen nothing else. */
static void expect_newest(struct sy_share *share)
{
    struct sy_client_block block;
    unsigned liars = 0;
    for (unsigned i = 0; i < WITNESSES; i++) {
        if (atomic_load(&all.of[i].asked) == 0) continue;
        atomic_store(&all.of[i].told, 4);
        liars++;
    }
    assert_int_equal(liars, 1);
    if (sy_asker_block(share->asker, &block, SY_HEIGHT_NEWEST, share->err) != SY_OK) {
        fail_msg("%s", share->err->text);
    }
    assert_int_equal(block.header.height, all.block.header.height);
}

static void begin_share(struct sy_share *share, struct sy_error *err)
{
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    memset(share, 0, sizeof *share);
    share->asker = witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS);
    share->key = test_key(300);
    share->err = err;
}

static void end_share(struct sy_share *share)
{
    sy_asker_close(share->asker);
    sy_share_free(share);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
}

CASE(what_is_shared_is_judged_by_no_block_from_before_its_record)
{
    static struct sy_share share;
    struct sy_error err = {SY_OK, ""};
    begin_share(&share, &err);
    share.record = record_id(ONCE);
    if (sy_share_check_record(&share) != SY_OK) fail_msg("%s", err.text);
    expect_newest(&share);
    end_share(&share);
}

CASE(what_is_shared_is_judged_by_no_block_from_before_its_recipient)
{
    static struct sy_share share;
    struct sy_error err = {SY_OK, ""};
    struct sy_recipient nobody;
    struct sy_hash id = record_id(ONCE); // no key's, organisation's or patient's
    begin_share(&share, &err);
    assert_int_equal(sy_share_resolve(&share, &nobody, &id), SY_ERR_NOT_FOUND);
    expect_newest(&share);
    end_share(&share);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_current_bytes_are_registered),
        cmocka_unit_test(earlier_bytes_are_an_older_version),
        cmocka_unit_test(other_bytes_are_altered),
        cmocka_unit_test(what_is_not_on_the_ledger_is_unknown),
        cmocka_unit_test(a_retraction_is_told),
        cmocka_unit_test(a_receiver_needs_only_the_salt),
        cmocka_unit_test(what_was_erased_is_told),
        cmocka_unit_test(no_gateway_key_is_a_failure_and_no_verdict),
        cmocka_unit_test(without_a_key_the_gateways_own_signs_the_reads),
        cmocka_unit_test(what_is_shared_is_judged_by_no_block_from_before_its_record),
        cmocka_unit_test(what_is_shared_is_judged_by_no_block_from_before_its_recipient),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
