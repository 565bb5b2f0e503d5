/* test_importer.c: the importer against a whole ledger in the same process: everything final once,
 * nothing twice, whatever the network and the machine do in between. */
#include "core/client/importer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/crypto/hash.h"
#include "tests/support/epochs.h"
#include "tests/support/import_rig.h"
#include "tests/support/test.h"

/* What the sample set holds; tests/data/fhir/README.md lists it. */
#define SAMPLE_RESOURCES 111u
#define SAMPLE_DUPLICATES 3u
#define SAMPLE_AMENDMENTS 7u

static void import_samples(struct import_rig *rig, const struct sy_importer_config *config,
                           struct sy_import_totals *totals)
{
    char path[1024];
    struct sy_error err;
    rig_samples(path, sizeof path, "");
    const char *paths[] = {path, NULL};
    sy_status status = rig_import(rig, config, paths, totals, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
}

static void assert_samples(struct import_rig *rig, const struct sy_import_totals *totals)
{
    size_t records;
    size_t amendments;
    assert_int_equal(totals->resources_read, SAMPLE_RESOURCES);
    assert_int_equal(totals->duplicates, SAMPLE_DUPLICATES);
    assert_int_equal(totals->refused, 0);
    assert_int_equal(totals->resources_final, SAMPLE_RESOURCES - SAMPLE_DUPLICATES);
    assert_int_equal(totals->txs_final, totals->txs_made);
    assert_int_equal(totals->txs_undecided, 0);
    rig_records(rig, &records, &amendments);
    assert_int_equal(records, SAMPLE_RESOURCES - SAMPLE_DUPLICATES - SAMPLE_AMENDMENTS);
    assert_int_equal(amendments, SAMPLE_AMENDMENTS);
}

CASE(every_sample_resource_becomes_final)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    import_samples(&rig, &config, &totals);
    assert_samples(&rig, &totals);
    assert_int_equal(totals.warnings, 0);
    assert_int_equal(totals.files_read, 5);
    assert_int_equal(totals.bytes_read, totals.bytes_total);
    assert_int_equal(totals.organisations, 4);
    assert_int_equal(totals.patients, 2);
    assert_int_equal(totals.cares, 1);
    assert_int_equal(totals.txs_received, totals.txs_made);
    assert_int_equal(rig.again, 0);
    rig_close(&rig);
}

CASE(a_second_run_makes_no_transaction)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    import_samples(&rig, &config, &totals);
    unsigned sends = rig.sends;
    import_samples(&rig, &config, &totals);
    assert_int_equal(totals.txs_made, 0);
    assert_int_equal(totals.resources_read, SAMPLE_RESOURCES);
    assert_int_equal(totals.duplicates, SAMPLE_RESOURCES);
    assert_int_equal(rig.sends, sends);
    rig_close(&rig);
}

/* Regulators said since the genesis that credentials are short. */
CASE(credentials_are_as_short_as_the_network_wants_them)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    sy_importer *importer;
    char path[1024];
    rig_open(&rig);
    struct world_tx set = world_tx_of(SY_KIND_param_set, REGULATOR_1, 0);
    set.payload.param_set =
        (struct sy_param_set){.name = SY_PARAM_CREDENTIAL_MS_MAX, .value = 86400000, .version = 1};
    set.payload.param_set.activation_height = rig.world.header.height + 1 + SY_ACTIVATION_DELAY;
    world_cosign(&set, REGULATOR_2);
    assert_int_equal(world_submit(&rig.world, &set), SY_APPLIED);
    for (unsigned i = 0; i < SY_ACTIVATION_DELAY; i++) rig_jump(&rig, 1);
    struct sy_importer_config config = rig_config(&rig);
    rig_samples(path, sizeof path, "");
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    sy_importer_limit_credentials(importer, 86400000);
    assert_int_equal(sy_importer_add(importer, path, &err), SY_OK);
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    sy_importer_close(importer);
    assert_samples(&rig, &totals); // E_CRED_WINDOW, but for the limit
    rig_close(&rig);
}

/* The commitment that the ledger holds is the one that the file's exact bytes and the stored salt
 * give. */
CASE(the_ledger_commits_to_the_bytes_as_they_stand)
{
    static const char resource[] = "{ \"resourceType\" : \"Basic\",\n  \"id\":\"b1\", "
                                   "\"x\": 1.00,\t\"y\":28.104000000000003 }";
    struct import_rig rig;
    struct sy_import_totals totals;
    char path[400];
    char text[600];
    rig_open(&rig);
    snprintf(text, sizeof text, "\n{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":%s }]}\n",
             resource);
    rig_write(&rig, path, sizeof path, "basic.json", text);
    struct sy_importer_config config = rig_config(&rig);
    const char *paths[] = {path, NULL};
    assert_int_equal(rig_import(&rig, &config, paths, &totals, NULL), SY_OK);
    assert_int_equal(totals.resources_final, 1);

    sy_client_store *store;
    struct sy_client_record known;
    struct sy_hash label, commit, key_hash;
    struct sy_slice value;
    struct sy_record record;
    assert_int_equal(sy_client_store_open(&store, rig.store, NULL, SY_CLIENT_STORE_READ, NULL),
                     SY_OK);
    sy_client_label_resource(store, &label, "fhir", sy_slice_of("Basic", 5), sy_slice_of("b1", 2));
    assert_int_equal(sy_client_get_record(store, &known, &label, NULL), SY_OK);
    sy_content_commit(&commit, SY_FORM_RAW, &known.head.salt,
                      sy_slice_of(resource, sizeof resource - 1));
    assert_true(sy_hash_equal(&commit, &known.head.commit));
    sy_state_key_id(&key_hash, SY_STATE_RECORD, &known.id);
    assert_true(world_find(&rig.world, &value, &key_hash));
    assert_true(sy_record_decode(&record, value));
    assert_true(sy_hash_equal(&record.first.commit, &commit));
    assert_int_equal(record.first.size, 256);
    sy_client_store_close(store);
    rig_close(&rig);
}

CASE(every_stored_proof_verifies_against_genesis)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    rig_open(&rig);
    rig.block_txs = 7;
    struct sy_importer_config config = rig_config(&rig);
    import_samples(&rig, &config, &totals);
    sy_client_store *store;
    assert_int_equal(sy_client_store_open(&store, rig.store, NULL, SY_CLIENT_STORE_READ, NULL),
                     SY_OK);
    struct sy_client_done done;
    uint64_t count = 0;
    for (uint64_t seq = 1; sy_client_done_from(store, &done, seq, NULL) == SY_OK;
         seq = done.seq + 1) {
        struct sy_header header;
        struct sy_slice bytes;
        struct sy_certificate certificate;
        struct sy_receipt_proof proof;
        const char *what = "";
        assert_int_equal(sy_client_get_header(store, &header, &bytes, done.height, NULL), SY_OK);
        struct sy_reader r = sy_reader_of(bytes);
        assert_true(sy_certificate_decode(&r, &certificate, WORLD_VALIDATORS));
        assert_true(sy_certificate_verify(&certificate, &rig.world.genesis.roster,
                                          &rig.world.genesis.hash, &header));
        r = sy_reader_of(done.proof);
        assert_true(sy_receipt_proof_decode(&r, &proof) && sy_reader_done(&r));
        if (!sy_receipt_proof_verify(&proof, &header, &rig.world.genesis, &what)) {
            fail_msg("%s", what);
        }
        count++;
    }
    assert_int_equal(count, totals.txs_final);
    sy_client_store_close(store);
    rig_close(&rig);
}

/* Whoever looks at the kept proofs later may have the genesis alone. */
CASE(handovers_are_kept_with_the_headers_of_later_epochs)
{
    static struct test_epochs network;
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_slice handover;
    struct sy_error err = {SY_OK, ""};
    sy_client_store *store;
    sy_epochs *epochs;
    rig_open(&rig);
    test_epochs_make(&network, NULL);
    assert_int_equal(sy_epochs_open(&epochs, &network.genesis, &err), SY_OK);
    rig.epochs = epochs;
    struct sy_importer_config config = rig_config(&rig);
    for (unsigned e = 0; e < 2; e++) { /* the second one comes between two runs */
        sy_status status = sy_epochs_take(epochs, test_epochs_path(&network, e, e + 1), &err);
        if (status != SY_OK) fail_msg("%s", err.text);
        char path[400], text[200];
        snprintf(text, sizeof text, "{\"resourceType\":\"Basic\",\"id\":\"b%u\"}", e);
        rig_write(&rig, path, sizeof path, e == 0 ? "one.json" : "two.json", text);
        const char *paths[] = {path, NULL};
        assert_int_equal(rig_import(&rig, &config, paths, &totals, &err), SY_OK);
        assert_int_equal(sy_client_store_open(&store, rig.store, NULL, SY_CLIENT_STORE_READ, &err),
                         SY_OK);
        for (uint32_t kept = 0; kept <= e; kept++) {
            status = sy_client_get_handover(store, &handover, kept, &err);
            assert_int_equal(status, SY_OK);
            assert_true(sy_slice_equal(handover, test_epochs_path(&network, kept, kept + 1)));
        }
        assert_int_equal(sy_client_get_handover(store, &handover, e + 1, &err), SY_ERR_NOT_FOUND);
        sy_client_store_close(store);
    }
    sy_epochs_close(epochs);
    rig_close(&rig);
}

CASE(new_bytes_amend_and_any_earlier_bytes_are_duplicates)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    char path[400];
    static const char *const versions[] = {
        "{\"resourceType\":\"Basic\",\"id\":\"b\",\"n\":1}",
        "{\"resourceType\":\"Basic\",\"id\":\"b\",\"n\":1.0}",
        "{\"resourceType\":\"Basic\",\"id\":\"b\",\"n\":1}",
        "{\"resourceType\":\"Basic\",\"id\":\"b\", \"n\":1}",
        "{\"resourceType\":\"Basic\",\"id\":\"b\",\"n\":1.0}",
    };
    static const unsigned amendments[] = {0, 1, 0, 1, 0};
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    for (size_t i = 0; i < 5; i++) {
        rig_write(&rig, path, sizeof path, "basic.json", versions[i]);
        const char *paths[] = {path, NULL};
        assert_int_equal(rig_import(&rig, &config, paths, &totals, NULL), SY_OK);
        assert_int_equal(totals.amendments, amendments[i]);
        assert_int_equal(totals.records, i == 0);
        assert_int_equal(totals.duplicates, i != 0 && amendments[i] == 0);
        assert_int_equal(totals.refused, 0);
    }
    rig_close(&rig);
}

/* --- what may go wrong on the way ------------------------------------------------------------ */

CASE(lost_answers_and_replayed_copies_change_nothing)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    rig_open(&rig);
    rig.lose_every = 3;
    rig.block_txs = 16;
    struct sy_importer_config config = rig_config(&rig);
    import_samples(&rig, &config, &totals);
    assert_samples(&rig, &totals);
    assert_true(rig.again > 0);
    rig_close(&rig);

    rig_open(&rig);
    rig.lose_every = 3;
    rig.executes_copies = true;
    import_samples(&rig, &config, &totals);
    assert_samples(&rig, &totals);
    rig_close(&rig);
}

CASE(a_small_window_gives_the_same_result)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    config.window = 16;
    import_samples(&rig, &config, &totals);
    assert_samples(&rig, &totals);
    rig_close(&rig);
}

/* The store refuses its n-th commit, so everything since the one before is lost, as when the
 * process is killed there. The next process resumes. */
static bool interrupt_at(struct import_rig *rig, const struct sy_importer_config *config,
                         const char *point, uint64_t nth)
{
    char path[1024];
    struct sy_import_totals totals;
    rig_samples(path, sizeof path, "");
    const char *paths[] = {path, NULL};
    sy_os_failpoint_arm(point, nth, "eio");
    sy_status status = rig_import(rig, config, paths, &totals, NULL);
    sy_os_failpoint_arm(NULL, 0, NULL);
    return status != SY_OK;
}

CASE(interrupted_at_every_commit_and_resumed_the_totals_are_the_same)
{
    uint64_t nth = 3; /* the first two make the store and begin the run */
    for (bool interrupted = true; interrupted; nth++) {
        struct import_rig rig;
        struct sy_import_totals totals;
        rig_open(&rig);
        rig.block_txs = 20;
        struct sy_importer_config config = rig_config(&rig);
        interrupted = interrupt_at(&rig, &config, "client.commit", nth);
        config.resume = true;
        import_samples(&rig, &config, &totals);
        assert_samples(&rig, &totals);
        rig_close(&rig);
    }
    printf("%u commits\n", (unsigned)nth - 2);
    assert_true(nth > 6);
}

/* Every process in a row dies at the second commit of its work; the run still comes to its end. */
CASE(a_chain_of_interrupted_processes_ends_with_the_same_totals)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    config.window = 24;
    config.resume = true;
    unsigned processes = 0;
    while (interrupt_at(&rig, &config, "client.commit", 4)) {
        processes++;
        assert_true(processes < 500);
    }
    assert_true(processes > 3);
    import_samples(&rig, &config, &totals);
    assert_samples(&rig, &totals);
    rig_close(&rig);
}

/* --- time ------------------------------------------------------------------------------------ */

CASE(what_expired_unexecuted_is_signed_again)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    char path[1024];
    sy_importer *importer;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    config.lifetime_ms = 3600 * 1000;
    rig_samples(path, sizeof path, "1-directory.json");
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, path, &err), SY_OK);
    rig.swallows = true;
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_true(totals.txs_made > 0);
    assert_int_equal(totals.txs_final, 0);
    // Block time passes the end of validity; nonces are proven clear; the rest is as always.
    rig.swallows = false;
    rig_jump(&rig, 2 * 3600 * 1000);
    sy_importer_on_block_time(importer, rig.world.header.time_ms);
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_true(totals.txs_signed_again > 0);
    assert_true(rig.nonces_read > 0);
    assert_int_equal(totals.txs_undecided, 0);
    assert_int_equal(totals.refused, 0);
    assert_int_equal(totals.resources_final, totals.resources_read);
    sy_importer_close(importer);
    rig_close(&rig);
}

CASE(what_expired_but_ran_is_not_signed_again)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    char path[1024];
    sy_importer *importer;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    config.lifetime_ms = 3600 * 1000;
    rig_samples(path, sizeof path, "1-directory.json");
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, path, &err), SY_OK);
    rig.hides = true;
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_int_equal(totals.txs_final, 0);
    rig.hides = false;
    rig_jump(&rig, 2 * 3600 * 1000);
    sy_importer_on_block_time(importer, rig.world.header.time_ms);
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_true(rig.nonces_read > 0);
    assert_int_equal(totals.refused, 0);
    assert_int_equal(totals.resources_final, totals.resources_read);
    // What had run was found again; only what waited behind it, never sent, ran out of time.
    size_t records;
    size_t amendments;
    rig_records(&rig, &records, &amendments);
    assert_int_equal(records, totals.resources_final);
    sy_importer_close(importer);
    rig_close(&rig);
}

/* --- refused --------------------------------------------------------------------------------- */

CASE(a_refused_registration_takes_everything_built_on_it_along)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    char path[1024];
    char stranger[400];
    sy_importer *importer;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    // A doctor's key signs where a regulator should.
    snprintf(stranger, sizeof stranger, "%s/stranger.pem", rig.folder);
    assert_int_equal(sy_secret_key_save(test_key(DOCTOR_A), stranger, NULL, NULL), SY_OK);
    config.regulator_key_path = stranger;
    config.lifetime_ms = 3600 * 1000;
    rig_samples(path, sizeof path, "1-directory.json");
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, path, &err), SY_OK);
    // An unknown key decides nothing before the transaction's time has passed and its nonce is
    // proven unused.
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_int_equal(totals.resources_final, 0);
    assert_int_equal(totals.refused, totals.resources_read);
    assert_int_equal(totals.txs_undecided, 0);
    assert_true(rig.nonces_read > 0);
    assert_true(sy_importer_issue_count(importer) > 0);
    const struct sy_import_issue *issue = sy_importer_issue(importer, 0);
    assert_non_null(strstr(issue->what, "org.register"));
    assert_non_null(strstr(issue->what, "E_KEY_UNKNOWN"));
    sy_importer_close(importer);
    // With the right key the same store takes everything.
    config.regulator_key_path = rig.regulator;
    const char *paths[] = {path, NULL};
    assert_int_equal(rig_import(&rig, &config, paths, &totals, &err), SY_OK);
    assert_int_equal(totals.refused, 0);
    assert_int_equal(totals.resources_final, totals.resources_read);
    rig_close(&rig);
}

CASE(a_code_before_ordering_refuses_the_transaction_and_what_is_built_on_it)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    struct sy_import_action action;
    char path[1024];
    sy_importer *importer;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    rig_samples(path, sizeof path, "1-directory.json");
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, path, &err), SY_OK);
    assert_int_equal(sy_importer_next(importer, &action, &err), SY_OK);
    assert_int_equal(action.kind, SY_IMPORT_SEND);
    assert_int_equal(sy_importer_on_refused(importer, &action.tx_id, SY_E_BUSY, &err), SY_OK);
    assert_int_equal(sy_importer_on_refused(importer, &action.tx_id, SY_E_SIG, &err), SY_OK);
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_true(totals.refused > 0);
    assert_int_equal(totals.refused + totals.resources_final, totals.resources_read);
    assert_int_equal(totals.txs_undecided, 0);
    sy_importer_close(importer);
    rig_close(&rig);
}

/* --- atomic ---------------------------------------------------------------------------------- */

CASE(atomic_gives_one_transaction_a_bundle)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    config.atomic = true;
    import_samples(&rig, &config, &totals);
    assert_samples(&rig, &totals);
    // 1-directory.json holds nothing but directory entries.
    assert_int_equal(totals.atomics, 3);
    unsigned sends = rig.sends;
    import_samples(&rig, &config, &totals);
    assert_int_equal(totals.txs_made, 0);
    assert_int_equal(rig.sends, sends);
    rig_close(&rig);
}

/* --- what cannot be taken -------------------------------------------------------------------- */

static const struct sy_import_issue *find_issue(const sy_importer *importer, const char *where)
{
    const struct sy_import_issue *issue;
    for (size_t i = 0; (issue = sy_importer_issue(importer, i)) != NULL; i++) {
        if (strcmp(issue->where, where) == 0) return issue;
    }
    return NULL;
}

CASE(faults_are_told_with_their_place_and_the_rest_goes_on)
{
    static const char text[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[\n"
        "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"good\"}},\n"
        "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"dup\",\"a\":[{\"x\":1,\"x\":2}]}},\n"
        "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"bad id\"}},\n"
        "{\"resource\":{\"id\":\"untyped\"}},\n"
        "{\"request\":{\"method\":\"DELETE\",\"url\":\"Basic/1\"}},\n"
        "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":"
        "{\"reference\":\"urn:uuid:nowhere\"}}},\n"
        "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"w\",\"author\":"
        "{\"reference\":\"Practitioner/unknown\"}}}]}";
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    sy_importer *importer;
    char path[400];
    rig_open(&rig);
    rig_write(&rig, path, sizeof path, "faults.json", text);
    struct sy_importer_config config = rig_config(&rig);
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, path, &err), SY_OK);
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_int_equal(totals.resources_read, 7);
    assert_int_equal(totals.resources_final, 2);
    assert_int_equal(totals.refused, 5);
    assert_int_equal(totals.warnings, 1);
    static const char *const places[] = {"entry[1].resource.a[0].x", "entry[2].resource",
                                         "entry[3].resource",        "entry[4].resource",
                                         "entry[5].resource",        "entry[6].resource.author"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct sy_import_issue *issue = find_issue(importer, places[i]);
        if (issue == NULL) fail_msg("nothing was told about %s", places[i]);
        assert_int_equal(issue->refused, i < 5);
        assert_string_equal(issue->file, path);
        assert_true(issue->what[0] != '\0' && issue->remedy[0] != '\0');
    }
    assert_string_equal(find_issue(importer, "entry[5].resource")->resource, "Observation/o");
    sy_importer_close(importer);
    rig_close(&rig);
}

CASE(faults_in_a_stream_are_told_with_their_line)
{
    static const char text[] = "{\"resourceType\":\"Basic\",\"id\":\"1\"}\n"
                               "{\"resourceType\":\"Basic\",\"id\":\n"
                               "\n"
                               "{\"resourceType\":\"Basic\",\"id\":\"2\",\"id\":\"3\"}\r\n"
                               "{\"resourceType\":\"Basic\",\"id\":\"4\"}";
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    sy_importer *importer;
    char path[400];
    rig_open(&rig);
    rig_write(&rig, path, sizeof path, "faults.ndjson", text);
    struct sy_importer_config config = rig_config(&rig);
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, path, &err), SY_OK);
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_int_equal(totals.resources_final, 2);
    assert_int_equal(totals.refused, 2);
    assert_non_null(find_issue(importer, "line 2, id"));
    assert_non_null(find_issue(importer, "line 4"));
    sy_importer_close(importer);
    rig_close(&rig);
}

CASE(a_file_that_cannot_be_read_is_told_and_the_others_are_read)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    struct sy_error err;
    sy_importer *importer;
    char gone[400];
    char good[400];
    rig_open(&rig);
    rig_write(&rig, gone, sizeof gone, "a.json", "{}");
    rig_write(&rig, good, sizeof good, "b.json", "{\"resourceType\":\"Basic\",\"id\":\"1\"}");
    struct sy_importer_config config = rig_config(&rig);
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, rig.folder, &err), SY_OK);
    assert_int_equal(sy_importer_add(importer, "/nowhere/x.json", &err), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_os_remove_tree(gone, NULL), SY_OK);
    assert_int_equal(rig_run(&rig, importer, &err), SY_OK);
    sy_importer_totals(importer, &totals);
    assert_int_equal(totals.resources_final, 1);
    assert_int_equal(totals.refused, 1);
    assert_string_equal(sy_importer_issue(importer, 0)->file, gone);
    sy_importer_close(importer);
    rig_close(&rig);
}

/* --- order of files -------------------------------------------------------------------------- */

CASE(what_refers_to_a_later_file_is_put_off_until_it_was_read)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    char a[400], b[400], c[400];
    rig_open(&rig);
    // Each refers to the next one; the last to nobody.
    rig_write(&rig, a, sizeof a, "a.ndjson",
              "{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":{\"reference\":"
              "\"Patient/p\"},\"encounter\":{\"reference\":\"Encounter/e\"}}\n"
              "{\"resourceType\":\"Basic\",\"id\":\"b\"}\n");
    rig_write(&rig, b, sizeof b, "b.json",
              "{\"resourceType\":\"Encounter\",\"id\":\"e\",\"subject\":{\"reference\":"
              "\"Patient/p\"},\"serviceProvider\":{\"reference\":\"Organization/h\"}}");
    rig_write(&rig, c, sizeof c, "c.ndjson",
              "{\"resourceType\":\"Patient\",\"id\":\"p\",\"managingOrganization\":"
              "{\"reference\":\"Organization/h\"}}\n"
              "{\"resourceType\":\"Organization\",\"id\":\"h\"}\n");
    struct sy_importer_config config = rig_config(&rig);
    const char *paths[] = {a, b, c, NULL};
    assert_int_equal(rig_import(&rig, &config, paths, &totals, NULL), SY_OK);
    assert_int_equal(totals.resources_final, 5);
    assert_int_equal(totals.refused + totals.warnings, 0);
    assert_int_equal(totals.organisations, 2); // the hospital, and the importing one for Basic
    assert_int_equal(totals.cares, 0);
    rig_close(&rig);
}

/* Standard input comes from its beginning in every process; what was put off comes again, too. */
CASE(standard_input_is_taken_up_again_with_the_same_totals)
{
    static const char lines[] =
        "{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":{\"reference\":"
        "\"Patient/p\"}}\n"
        "{\"resourceType\":\"Basic\",\"id\":\"b\"}\n"
        "{\"resourceType\":\"Basic\",\"id\":\"b\"}\n"
        "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n"
        "{\"resourceType\":\"Basic\",\"id\":\"c\",\"x\":[}\n";
    const char *paths[] = {"-", NULL};
    int saved = dup(STDIN_FILENO);
    bool interrupted = true;
    for (uint64_t nth = 3; interrupted; nth++) {
        struct import_rig rig;
        struct sy_import_totals totals;
        char path[400];
        rig_open(&rig);
        rig_write(&rig, path, sizeof path, "lines.ndjson", lines);
        struct sy_importer_config config = rig_config(&rig);
        config.resume = true;
        for (int process = 0; process < 2; process++) {
            int fd = open(path, O_RDONLY);
            assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
            close(fd);
            if (process == 0) sy_os_failpoint_arm("client.commit", nth, "eio");
            sy_status status = rig_import(&rig, &config, paths, &totals, NULL);
            sy_os_failpoint_arm(NULL, 0, NULL);
            if (process == 0) interrupted = status != SY_OK;
            if (process == 1) assert_int_equal(status, SY_OK);
        }
        assert_int_equal(totals.resources_read, 5);
        assert_int_equal(totals.resources_final, 3);
        assert_int_equal(totals.duplicates, 1);
        assert_int_equal(totals.refused, 1);
        size_t records;
        size_t amendments;
        rig_records(&rig, &records, &amendments);
        assert_int_equal(records, 3);
        rig_close(&rig);
    }
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
}

CASE(a_rehearsal_counts_like_the_run_and_leaves_nothing)
{
    struct import_rig rig;
    struct sy_import_totals rehearsed;
    struct sy_import_totals totals;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    config.dry_run = true;
    import_samples(&rig, &config, &rehearsed);
    assert_int_equal(rig.sends, 0);
    struct sy_client_store *store;
    assert_int_equal(sy_client_store_open(&store, rig.store, NULL, SY_CLIENT_STORE_READ, NULL),
                     SY_ERR_NOT_FOUND);
    config.dry_run = false;
    import_samples(&rig, &config, &totals);
    assert_int_equal(rehearsed.txs_made, totals.txs_made);
    assert_int_equal(rehearsed.resources_read, totals.resources_read);
    assert_int_equal(rehearsed.duplicates, totals.duplicates);
    assert_int_equal(rehearsed.amendments, totals.amendments);
    // Afterwards there is nothing left to do, and a rehearsal says so.
    config.dry_run = true;
    import_samples(&rig, &config, &rehearsed);
    assert_int_equal(rehearsed.duplicates, SAMPLE_RESOURCES);
    assert_int_equal(rehearsed.txs_made, 0);
    rig_close(&rig);
}

CASE(two_importers_cannot_share_a_store)
{
    struct import_rig rig;
    struct sy_error err;
    sy_importer *importer, *other;
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    assert_int_equal(sy_importer_open(&importer, &config, &err), SY_OK);
    assert_int_equal(sy_importer_open(&other, &config, &err), SY_ERR_BUSY);
    assert_non_null(strstr(err.text, "in use"));
    sy_importer_close(importer);
    struct sy_genesis *foreign = malloc(sizeof *foreign);
    assert_non_null(foreign);
    *foreign = rig.world.genesis;
    foreign->hash.bytes[0] ^= 1;
    config.genesis = foreign;
    assert_int_equal(sy_importer_open(&other, &config, &err), SY_ERR_ARGUMENT);
    free(foreign);
    rig_close(&rig);
}

CASE(atomic_interrupted_and_resumed_gives_the_same_totals)
{
    uint64_t nth = 3;
    for (bool interrupted = true; interrupted; nth++) {
        struct import_rig rig;
        struct sy_import_totals totals;
        rig_open(&rig);
        struct sy_importer_config config = rig_config(&rig);
        config.atomic = true;
        interrupted = interrupt_at(&rig, &config, "client.commit", nth);
        config.resume = true;
        import_samples(&rig, &config, &totals);
        assert_samples(&rig, &totals);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_sample_resource_becomes_final),
        cmocka_unit_test(credentials_are_as_short_as_the_network_wants_them),
        cmocka_unit_test(a_second_run_makes_no_transaction),
        cmocka_unit_test(the_ledger_commits_to_the_bytes_as_they_stand),
        cmocka_unit_test(every_stored_proof_verifies_against_genesis),
        cmocka_unit_test(handovers_are_kept_with_the_headers_of_later_epochs),
        cmocka_unit_test(new_bytes_amend_and_any_earlier_bytes_are_duplicates),
        cmocka_unit_test(lost_answers_and_replayed_copies_change_nothing),
        cmocka_unit_test(a_small_window_gives_the_same_result),
        cmocka_unit_test(interrupted_at_every_commit_and_resumed_the_totals_are_the_same),
        cmocka_unit_test(a_chain_of_interrupted_processes_ends_with_the_same_totals),
        cmocka_unit_test(what_expired_unexecuted_is_signed_again),
        cmocka_unit_test(what_expired_but_ran_is_not_signed_again),
        cmocka_unit_test(a_refused_registration_takes_everything_built_on_it_along),
        cmocka_unit_test(a_code_before_ordering_refuses_the_transaction_and_what_is_built_on_it),
        cmocka_unit_test(atomic_gives_one_transaction_a_bundle),
        cmocka_unit_test(atomic_interrupted_and_resumed_gives_the_same_totals),
        cmocka_unit_test(faults_are_told_with_their_place_and_the_rest_goes_on),
        cmocka_unit_test(faults_in_a_stream_are_told_with_their_line),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told_and_the_others_are_read),
        cmocka_unit_test(what_refers_to_a_later_file_is_put_off_until_it_was_read),
        cmocka_unit_test(standard_input_is_taken_up_again_with_the_same_totals),
        cmocka_unit_test(a_rehearsal_counts_like_the_run_and_leaves_nothing),
        cmocka_unit_test(two_importers_cannot_share_a_store),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
