/* test_history_make.c: what an export asks of a record's graph, of validators that say what they
 * should prove.
 * ctest: threaded */
#include "core/client/history.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "tests/support/test.h"
#include "tests/support/witness.h"

#define RECORD 10u /* one version, which nobody cosigned */
#define LINKED 11u /* with more links than versions may be */

static char folder[] = "/tmp/systole_history_make_XXXXXX";
static struct witnesses all;
static struct sy_error err;
static struct sy_manifest manifest;
static struct sy_places_asked asked;
static struct sy_history history;
static sy_x25519_key *key;
static uint8_t room[TEST_BLOCK_ENTRIES][512];
static struct test_entry entries[TEST_BLOCK_ENTRIES];

static void fill_state(void)
{
    for (unsigned i = 0; i < TEST_BLOCK_ENTRIES; i++) {
        struct sy_hash id = test_hash(RECORD + i);
        struct sy_record record = {.subject_kind = SY_SUBJECT_PATIENT,
                                   .subject = test_hash(1),
                                   .holder = test_hash(2),
                                   .record_class = sy_slice_of("Observation", 11),
                                   .versions = 1,
                                   .head_count = 1,
                                   .heads = {1},
                                   .links = RECORD + i == LINKED ? 5000 : 0,
                                   .first = {.version = 1,
                                             .form = SY_FORM_RAW,
                                             .size = 1024,
                                             .commit = test_hash(3),
                                             .author_role = SY_ROLE_DOCTOR,
                                             .height = 1}};
        struct sy_writer w = sy_writer_of(room[i], sizeof room[i]);
        sy_record_encode(&w, &record);
        assert_false(w.failed);
        sy_state_key_id(&entries[i].key_hash, SY_STATE_RECORD, &id);
        entries[i].value = sy_writer_slice(&w);
    }
}

static sy_status make(enum witness_mode mode, uint32_t item)
{
    struct sy_record record;
    witnesses_set(&all, mode, WITNESSES);
    return sy_history_make(&manifest, &record, item, folder, &asked, &err);
}

CASE(what_is_asked_makes_a_whole_history)
{
    if (make(WITNESS_TRUE, 0) != SY_OK) fail_msg("%s", err.text);
    if (sy_history_load(&history, &manifest, 0, folder, key, &all.block.genesis, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(history.record.versions, 1);
    assert_int_equal(sy_history_count(&history), 0);
    sy_history_free(&history);
}

/* Else the proof of something else stood in the place of the one that is missing. */
CASE(absence_that_is_only_said_makes_none)
{
    assert_int_equal(make(WITNESS_ABSENT, 0), SY_ERR_NETWORK);
    assert_non_null(strstr(err.text, "no such thing"));
}

/* It is asked for each of them. */
CASE(a_record_with_many_links_is_asked_for)
{
    assert_int_equal(make(WITNESS_TRUE, 1), SY_ERR_NOT_FOUND);
}

static int begin(void **state)
{
    (void)state;
    uint8_t secret[32] = {7};
    char path[256];
    if (mkdtemp(folder) == NULL) return -1;
    (void)snprintf(path, sizeof path, "%s/histories", folder);
    if (sy_os_make_dirs(path, 0700, &err) != SY_OK) return -1;
    fill_state();
    witnesses_start_with(&all, entries);
    if (sy_x25519_key_from_bytes(&key, secret) != SY_OK) return -1;
    manifest = (struct sy_manifest){.genesis = all.block.genesis.hash,
                                    .export_id = test_hash(2),
                                    .patient = test_hash(1),
                                    .organisation = test_hash(2),
                                    .as_of = all.block.header.height};
    sy_x25519_key_public(key, &manifest.recipient_key);
    for (unsigned id = RECORD; id <= LINKED; id++) {
        struct sy_hash record = test_hash(id);
        if (sy_manifest_add_item(&manifest, &record, &err) != SY_OK) return -1;
        manifest.items[id - RECORD].state = SY_MANIFEST_INCLUDED;
    }
    asked = (struct sy_places_asked){.asker = witnesses_ask(&all, NULL, WITNESS_PATIENCE_MS),
                                     .key = test_key(300),
                                     .purpose = SY_PURPOSE_OPERATIONS};
    return 0;
}

static int end(void **state)
{
    (void)state;
    sy_proven_free(&asked.answer);
    sy_asker_close(asked.asker);
    sy_manifest_free(&manifest);
    sy_x25519_key_close(key);
    witnesses_stop(&all);
    return sy_os_remove_tree(folder, &err) == SY_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_is_asked_makes_a_whole_history),
        cmocka_unit_test(absence_that_is_only_said_makes_none),
        cmocka_unit_test(a_record_with_many_links_is_asked_for),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
