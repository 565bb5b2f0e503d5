/* test_systole.c: libsystole, by its public header alone: what an integrator does, offline and
 * against validators that tell the truth.
 * ctest: threaded */
#include "core/client/systole.h"

#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/json.h"
#include "core/base/os.h"
#include "core/wire/genesis_json.h"
#include "core/wire/schema.h"
#include "core/wire/state.h"
#include "tests/support/witness.h"

#define PATIENCE_MS 60000

static struct witnesses all;
static char folder[256];
static char genesis_path[320];
static systole_network *network;
static systole_key *key;

static void must(enum systole_result result)
{
    if (result != SYSTOLE_OK) {
        fail_msg("%s: %s", systole_result_name(result), systole_error_text());
    }
}

static void expect(enum systole_result result, enum systole_result wanted, const char *words)
{
    assert_int_equal(result, wanted);
    if (!strstr(systole_error_text(), words)) {
        fail_msg("'%s' does not say '%s'", systole_error_text(), words);
    }
}

/* ---- networks and keys -------------------------------------------------------------------- */

CASE(a_network_is_its_genesis_file)
{
    uint8_t hash[32];
    systole_network *other = NULL;
    systole_network_get_hash(network, hash);
    assert_memory_equal(hash, all.block.genesis.hash.bytes, 32);
    assert_int_equal(systole_network_count(network), 4);
    expect(systole_network_open(&other, "/nowhere/genesis.json", NULL, 0), SYSTOLE_ERR_NOT_FOUND,
           "/nowhere/genesis.json");
    expect(systole_network_open(&other, genesis_path, all.addresses, 3), SYSTOLE_ERR_ARGUMENT,
           "3 addresses for 4");
    const char *bad[] = {"a", "b", "c", "d"};
    expect(systole_network_open(&other, genesis_path, bad, 4), SYSTOLE_ERR_ARGUMENT, "'a'");
    assert_null(other);
    systole_network_close(NULL);
}

CASE(keys_live_in_files)
{
    char path[320];
    systole_key *made = NULL;
    systole_key *loaded = NULL;
    uint8_t one[32], two[32];
    (void)snprintf(path, sizeof path, "%s/key.pem", folder);
    must(systole_key_generate(&made, path, NULL));
    must(systole_key_load(&loaded, path, NULL));
    systole_key_get_public(made, one);
    systole_key_get_public(loaded, two);
    assert_memory_equal(one, two, 32);
    systole_key_close(made);
    systole_key_close(loaded);
    made = loaded = NULL;
    expect(systole_key_generate(&made, path, NULL), SYSTOLE_ERR_EXISTS, path);
    assert_null(made);
    assert_int_equal(chmod(path, 0644), 0);
    expect(systole_key_load(&loaded, path, NULL), SYSTOLE_ERR_FORBIDDEN, path);
    expect(systole_key_load(&loaded, genesis_path, NULL), SYSTOLE_ERR_FORBIDDEN, genesis_path);
    assert_null(loaded);
    systole_key_close(NULL);
}

/* ---- transactions ------------------------------------------------------------------------- */

#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"

static struct systole_tx_config config_of(const char *kind, const char *fields,
                                          const uint8_t *signer)
{
    struct systole_tx_config config;
    memset(&config, 0, sizeof config);
    config.struct_bytes = sizeof config;
    config.kind = kind;
    config.fields = fields;
    config.signer = signer;
    config.nonce = 7;
    return config;
}

CASE(a_transaction_is_made_signed_and_handed_on)
{
    uint8_t signer[32], id_before[32], id_after[32];
    char *text = NULL;
    systole_tx *tx = NULL;
    systole_tx *again = NULL;
    systole_key_get_public(key, signer);
    struct systole_tx_config config = config_of("care.close", "{\"care_id\":\"random\"}", signer);
    must(systole_tx_make(&tx, network, &config));
    assert_int_equal(systole_tx_missing(tx), 1);
    expect(systole_submit(network, tx), SYSTOLE_ERR_NOT_PROVEN, "has not signed yet");
    systole_proof *none = NULL;
    expect(systole_wait(network, &none, tx, 0), SYSTOLE_ERR_NOT_PROVEN, "has not signed yet");
    assert_null(none);
    systole_tx_get_id(tx, id_before);
    must(systole_tx_get_text(tx, &text));
    must(systole_tx_parse(&again, network, text, strlen(text)));
    must(systole_tx_sign(again, network, key));
    systole_tx_get_id(again, id_after);
    assert_memory_equal(id_before, id_after, 32);
    assert_int_equal(systole_tx_missing(again), 0);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    must(systole_submit(network, again));
    systole_free(text);
    systole_tx_close(tx);
    systole_tx_close(again);
}

CASE(a_transaction_that_cannot_be_is_refused_with_its_field)
{
    uint8_t signer[32];
    systole_tx *tx = NULL;
    systole_key_get_public(key, signer);
    struct systole_tx_config config = config_of("care.close", "{\"care_id\":7}", signer);
    expect(systole_tx_make(&tx, network, &config), SYSTOLE_ERR_ARGUMENT, "care_id must be");
    config.fields = "{";
    expect(systole_tx_make(&tx, network, &config), SYSTOLE_ERR_FORMAT, "fields: line 1");
    config.kind = "care.shut";
    expect(systole_tx_make(&tx, network, &config), SYSTOLE_ERR_ARGUMENT, "care.shut");
    config = config_of("care.close", "{\"care_id\":\"random\"}", NULL);
    expect(systole_tx_make(&tx, network, &config), SYSTOLE_ERR_ARGUMENT, "signer");
    config.struct_bytes = 0;
    expect(systole_tx_make(&tx, network, &config), SYSTOLE_ERR_ARGUMENT, "struct_bytes");
    config = config_of("care.close", "{\"care_id\":\"random\"}", signer);
    config.cosigners = signer;
    config.cosigner_count = 1;
    expect(systole_tx_make(&tx, network, &config), SYSTOLE_ERR_ARGUMENT, "cosigners");
    expect(systole_tx_parse(&tx, network, "{}", 2), SYSTOLE_ERR_FORMAT, "no transaction file");
    assert_null(tx);
}

CASE(a_new_key_proves_its_possession_first)
{
    uint8_t signer[32], admin_half[32];
    char fields[1024], hex[65];
    systole_key *admin = NULL;
    systole_tx *tx = NULL;
    systole_key_get_public(key, signer);
    must(systole_key_generate(&admin, NULL, NULL));
    systole_key_get_public(admin, admin_half);
    sy_hex_encode(hex, admin_half, 32);
    (void)snprintf(fields, sizeof fields,
                   "{\"org_id\":\"random\",\"kind\":\"practice\",\"name_hash\":\"" ID_1
                   "\",\"admin_key\":\"%s\",\"x25519_key\":\"" ID_1
                   "\",\"endpoints\":[],\"gs1_prefixes\":[]}",
                   hex);
    struct systole_tx_config config = config_of("org.register", fields, signer);
    config.cosigners = admin_half;
    config.cosigner_count = 1;
    must(systole_tx_make(&tx, network, &config));
    expect(systole_tx_prove(tx, network, key), SYSTOLE_ERR_NOT_FOUND, "no such key");
    expect(systole_tx_sign(tx, network, key), SYSTOLE_ERR_NOT_PROVEN, "possession");
    must(systole_tx_prove(tx, network, admin));
    must(systole_tx_sign(tx, network, key));
    expect(systole_tx_prove(tx, network, admin), SYSTOLE_ERR_FORBIDDEN, "signed");
    must(systole_tx_sign(tx, network, admin));
    assert_int_equal(systole_tx_missing(tx), 0);
    systole_tx_close(tx);
    systole_key_close(admin);
}

CASE(a_change_of_the_roster_is_approved_first)
{
    uint8_t signer[32];
    char fields[512], hash_hex[65], validator_hex[65];
    systole_tx *tx = NULL;
    struct sy_hash hash;
    systole_key_get_public(key, signer);
    sy_roster_hash(&hash, &all.block.genesis.hash, &all.block.genesis.roster);
    sy_hex_encode(hash_hex, hash.bytes, 32);
    sy_hex_encode(validator_hex, all.block.genesis.roster.validators[3].consensus_key.bytes, 32);
    (void)snprintf(fields, sizeof fields,
                   "{\"epoch\":0,\"roster_hash\":\"%s\",\"validator\":\"%s\"}", hash_hex,
                   validator_hex);
    struct systole_tx_config config = config_of("validator.remove", fields, signer);
    must(systole_tx_make(&tx, network, &config));
    expect(systole_tx_sign(tx, network, key), SYSTOLE_ERR_NOT_PROVEN, "approvals");
    for (unsigned i = 0; i < 3; i++) {
        systole_key *admin = NULL;
        must(systole_key_generate(&admin, NULL, NULL));
        must(systole_tx_approve(tx, network, admin));
        expect(systole_tx_approve(tx, network, admin), SYSTOLE_ERR_EXISTS, "approved already");
        systole_key_close(admin);
    }
    must(systole_tx_sign(tx, network, key));
    expect(systole_tx_approve(tx, network, key), SYSTOLE_ERR_FORBIDDEN, "signed");
    systole_tx_close(tx);
    config = config_of("care.close", "{\"care_id\":\"random\"}", signer);
    must(systole_tx_make(&tx, network, &config));
    expect(systole_tx_approve(tx, network, key), SYSTOLE_ERR_NOT_FOUND,
           "not for validators to approve");
    systole_tx_close(tx);
}

/* ---- proofs ------------------------------------------------------------------------------- */

static struct systole_proof_info info_of(const systole_proof *proof)
{
    struct systole_proof_info info;
    memset(&info, 0, sizeof info);
    info.struct_bytes = sizeof info;
    systole_proof_get_info(proof, &info);
    return info;
}

static struct sy_hash id_of(unsigned number)
{
    struct sy_tx tx;
    struct sy_hash id;
    assert_int_equal(sy_tx_decode(&tx, NULL, all.block.txs[number], NULL), SY_APPLIED);
    sy_tx_id(&id, &tx);
    return id;
}

/* The block's transaction as whoever submitted it has it. */
static systole_tx *tx_of(unsigned number)
{
    static char text[8192];
    struct sy_tx tx;
    struct sy_json json;
    systole_tx *made = NULL;
    struct sy_hash id = id_of(number);
    assert_int_equal(sy_tx_decode(&tx, NULL, all.block.txs[number], NULL), SY_APPLIED);
    sy_json_init_fixed(&json, text, sizeof text);
    sy_json_object_begin(&json);
    sy_json_put_text(&json, "format", "systole-tx-1");
    sy_json_put_text(&json, "kind", sy_kind_by_number(tx.kind)->name);
    sy_json_put_hex(&json, "tx_id", id.bytes, sizeof id.bytes);
    sy_json_put_hex(&json, "network", tx.network, sizeof tx.network);
    sy_json_key(&json, "signers");
    sy_json_array_begin(&json);
    sy_json_hex(&json, tx.signer.bytes, sizeof tx.signer.bytes);
    sy_json_array_end(&json);
    sy_json_put_hex(&json, "body", tx.body.data, tx.body.size);
    sy_json_key(&json, "signatures");
    sy_json_array_begin(&json);
    sy_json_hex(&json, tx.signatures.data, tx.signatures.size);
    sy_json_array_end(&json);
    sy_json_object_end(&json);
    must(systole_tx_parse(&made, network, text, json.size));
    return made;
}

CASE(a_final_transaction_has_a_proof_for_everybody)
{
    systole_proof *proof = NULL;
    systole_proof *again = NULL;
    const void *bytes = NULL;
    size_t size = 0;
    char *json = NULL;
    struct sy_hash id = id_of(4);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    systole_tx *tx = tx_of(4);
    must(systole_wait(network, &proof, tx, PATIENCE_MS));
    systole_tx_close(tx);
    struct systole_proof_info info = info_of(proof);
    assert_int_equal(info.kind, SYSTOLE_PROOF_RECEIPT);
    assert_int_equal(info.height, all.block.header.height);
    assert_int_equal(info.seals, 3);
    assert_int_equal(info.index, 4);
    assert_memory_equal(info.tx_id, id.bytes, 32);
    assert_memory_equal(info.state_root, all.block.header.state_root.bytes, 32);
    systole_proof_get_bytes(proof, &bytes, &size);
    must(systole_proof_verify(&again, network, bytes, size));
    must(systole_proof_get_json(again, network, &json));
    assert_non_null(strstr(json, "\"kind\": \"receipt\""));
    systole_free(json);
    systole_proof_close(again);
    systole_proof_close(proof);
}

CASE(every_changed_byte_of_a_proof_is_found)
{
    systole_proof *proof = NULL;
    systole_proof *bad = NULL;
    const void *bytes = NULL;
    size_t size = 0;
    systole_tx *tx = tx_of(2);
    must(systole_wait(network, &proof, tx, PATIENCE_MS));
    systole_tx_close(tx);
    systole_proof_get_bytes(proof, &bytes, &size);
    uint8_t *copy = (uint8_t *)malloc(size);
    assert_non_null(copy);
    for (size_t i = 0; i < size; i++) {
        memcpy(copy, bytes, size);
        copy[i] ^= (uint8_t)(1u << (i % 8));
        enum systole_result result = systole_proof_verify(&bad, network, copy, size);
        if (result != SYSTOLE_ERR_FORMAT && result != SYSTOLE_ERR_NOT_PROVEN) {
            fail_msg("byte %zu: %s", i, systole_result_name(result));
        }
    }
    assert_int_equal(systole_proof_verify(&bad, network, copy, size - 1), SYSTOLE_ERR_FORMAT);
    assert_int_equal(systole_proof_verify(&bad, network, copy, 0), SYSTOLE_ERR_FORMAT);
    assert_null(bad);
    free(copy);
    systole_proof_close(proof);
}

CASE(entries_are_read_with_their_value)
{
    systole_proof *proof = NULL;
    struct sy_hash patient = test_hash(92);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    must(systole_read_state(network, &proof, "patient", patient.bytes, NULL, key,
                            SYSTOLE_PURPOSE_TREATMENT, 0));
    struct systole_proof_info info = info_of(proof);
    assert_int_equal(info.kind, SYSTOLE_PROOF_STATE);
    assert_true(info.present);
    assert_int_equal(info.value_size, all.block.state[2].value.size);
    assert_memory_equal(info.value, all.block.state[2].value.data, info.value_size);
    systole_proof_close(proof);

    patient = test_hash(7777);
    must(systole_read_state(network, &proof, "patient", patient.bytes, NULL, key,
                            SYSTOLE_PURPOSE_TREATMENT, 0));
    assert_false(info_of(proof).present);
    systole_proof_close(proof);

    proof = NULL;
    expect(systole_read_state(network, &proof, "patient", patient.bytes, NULL, key,
                              SYSTOLE_PURPOSE_TREATMENT, 1000),
           SYSTOLE_ERR_UNKNOWN, "s ago");
    expect(systole_read_state(network, &proof, "pet", patient.bytes, NULL, key,
                              SYSTOLE_PURPOSE_TREATMENT, 0),
           SYSTOLE_ERR_ARGUMENT, "'pet'");
    expect(systole_read_state(network, &proof, "open care", patient.bytes, NULL, key,
                              SYSTOLE_PURPOSE_TREATMENT, 0),
           SYSTOLE_ERR_ARGUMENT, "second is missing");
    expect(systole_read_state(network, &proof, "claim", patient.bytes, patient.bytes, key,
                              SYSTOLE_PURPOSE_TREATMENT, 0),
           SYSTOLE_ERR_ARGUMENT, "second must be NULL");
    assert_null(proof);
    must(systole_read_state(network, &proof, "claim place", patient.bytes, patient.bytes, key,
                            SYSTOLE_PURPOSE_TREATMENT, 0));
    assert_false(info_of(proof).present);
    systole_proof_close(proof);
}

static struct systole_search search_for(const char *entry, const char *id_begins)
{
    struct systole_search search;
    memset(&search, 0, sizeof search);
    search.struct_bytes = sizeof search;
    search.entry = entry;
    search.id_begins = id_begins;
    return search;
}

static enum systole_result find(const struct systole_search *search, uint8_t (*ids)[32],
                                size_t *count, int *more)
{
    return systole_find(network, ids, count, more, search, key, SYSTOLE_PURPOSE_OPERATIONS);
}

CASE(the_directory_is_searched_page_by_page)
{
    uint8_t ids[SY_FIND_MAX][32];
    size_t count = 2, total = 0;
    int more = 0;
    struct systole_search search = search_for("organisation", NULL);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    search.kind = "hospital";
    search.active = 1;
    do {
        must(find(&search, ids, &count, &more));
        for (size_t i = 0; i < count; i++) {
            struct sy_hash wanted = witness_found((uint8_t)++total);
            assert_memory_equal(ids[i], wanted.bytes, 32);
        }
        search.behind = ids[count - 1];
    } while (more);
    assert_int_equal(total, WITNESS_FOUND);
    search = search_for("credential", "03");
    search.role = "doctor";
    count = SY_FIND_MAX;
    must(find(&search, ids, &count, &more));
    assert_int_equal(count, 1);
    assert_int_equal(ids[0][0], 3);
    assert_false(more);
}

CASE(a_search_that_cannot_be_is_refused)
{
    uint8_t ids[2][32];
    size_t count = 2;
    int more = 0;
    struct systole_search search = search_for("patient", NULL);
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_ARGUMENT, "not 'patient'");
    search = search_for("organisation", "0g");
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_ARGUMENT, "'0g'");
    search = search_for("organisation", NULL);
    search.role = "doctor";
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_ARGUMENT, "asked of credentials");
    search = search_for("credential", NULL);
    search.name = "North";
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_ARGUMENT, "asked of organisations");
    search = search_for("credential", NULL);
    search.role = "wizard";
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_ARGUMENT, "'wizard'");
    search = search_for("credential", NULL);
    search.struct_bytes = 8;
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_ARGUMENT, "struct_bytes");
    count = 0;
    search = search_for("credential", NULL);
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_ARGUMENT, "room");
    count = 2;
    witnesses_set(&all, WITNESS_DENIES, WITNESSES);
    assert_int_equal(find(&search, ids, &count, &more), SYSTOLE_ERR_FORBIDDEN);
    witnesses_set(&all, WITNESS_OTHER, WITNESSES);
    search.id_begins = "04";
    expect(find(&search, ids, &count, &more), SYSTOLE_ERR_FORMAT, "to another search");
}

CASE(an_observer_is_asked_alone)
{
    systole_network *other = NULL;
    systole_proof *proof = NULL;
    struct sy_hash patient = test_hash(92);
    const struct sy_validator *observer = &all.block.genesis.roster.validators[2];
    must(systole_network_open(&other, genesis_path, all.addresses, WITNESSES));
    expect(systole_network_observe(other, observer->link_key.bytes, "nowhere"),
           SYSTOLE_ERR_ARGUMENT, "'nowhere'");
    must(systole_network_observe(other, observer->link_key.bytes, all.addresses[2]));
    witnesses_set(&all, WITNESS_GARBLED, WITNESSES); /* whom nobody asks */
    atomic_store(&all.of[2].mode, WITNESS_TRUE);
    must(systole_read_state(other, &proof, "patient", patient.bytes, NULL, key,
                            SYSTOLE_PURPOSE_TREATMENT, 0));
    assert_true(info_of(proof).present);
    systole_proof_close(proof);
    for (unsigned i = 0; i < WITNESSES; i++) {
        assert_int_equal(atomic_load(&all.of[i].asked) > 0, i == 2);
    }

    proof = NULL; /* and its words are proven, or not taken */
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    atomic_store(&all.of[2].mode, WITNESS_GARBLED);
    assert_int_not_equal(systole_read_state(other, &proof, "patient", patient.bytes, NULL, key,
                                            SYSTOLE_PURPOSE_TREATMENT, 0),
                         SYSTOLE_OK);
    assert_null(proof);
    must(systole_network_observe(other, all.block.genesis.roster.validators[1].link_key.bytes,
                                 all.addresses[2])); /* another key answers there */
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    assert_int_not_equal(systole_read_state(other, &proof, "patient", patient.bytes, NULL, key,
                                            SYSTOLE_PURPOSE_TREATMENT, 0),
                         SYSTOLE_OK);
    systole_network_close(other);
}

CASE(what_was_never_ordered_is_told_so)
{
    systole_proof *proof = NULL;
    struct sy_hash id = test_hash(31337);
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    assert_int_equal(systole_read_receipt(network, &proof, id.bytes, key, SYSTOLE_PURPOSE_AUDIT),
                     SYSTOLE_ERR_NOT_FOUND);
    systole_tx *tx = tx_of(1);
    witnesses_set(&all, WITNESS_DENIES, WITNESSES);
    assert_int_equal(systole_wait(network, &proof, tx, 200), SYSTOLE_ERR_UNKNOWN);
    systole_tx_close(tx);
    witnesses_set(&all, WITNESS_GARBLED, WITNESSES);
    id = id_of(1);
    assert_int_equal(systole_read_tx(network, &proof, id.bytes, key, SYSTOLE_PURPOSE_AUDIT),
                     SYSTOLE_ERR_NOT_PROVEN);
    assert_null(proof);
}

CASE(a_shorter_struct_of_an_older_program_is_not_overrun)
{
    systole_proof *proof = NULL;
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    systole_tx *tx = tx_of(0);
    must(systole_wait(network, &proof, tx, PATIENCE_MS));
    systole_tx_close(tx);
    struct systole_proof_info info;
    memset(&info, 0xee, sizeof info);
    info.struct_bytes = offsetof(struct systole_proof_info, state_root);
    systole_proof_get_info(proof, &info);
    assert_int_equal(info.seals, 3);
    assert_int_equal(info.state_root[0], 0xee);
    systole_proof_close(proof);
}

/* ---- words -------------------------------------------------------------------------------- */

CASE(kinds_and_codes_are_explained)
{
    char *text = NULL;
    must(systole_explain(&text, "record.create"));
    assert_non_null(strstr(text, "record_id"));
    systole_free(text);
    must(systole_explain(&text, "E_NO_CARE"));
    assert_non_null(strstr(text, "open a care relation"));
    systole_free(text);
    must(systole_explain(&text, "79"));
    assert_non_null(strstr(text, "E_NO_CARE"));
    systole_free(text);
    text = NULL;
    expect(systole_explain(&text, "4711"), SYSTOLE_ERR_NOT_FOUND, "4711");
    expect(systole_explain(&text, "pet.feed"), SYSTOLE_ERR_NOT_FOUND, "pet.feed");
    assert_null(text);
    assert_string_equal(systole_code_name(79), "E_NO_CARE");
    assert_non_null(systole_code_sentence(4711));
    assert_non_null(systole_code_remedy(4711));
    for (int i = -1; i < 20; i++) {
        assert_non_null(systole_result_name((enum systole_result)i));
    }
}

static int begin(void **state)
{
    (void)state;
    struct sy_error err = {SY_OK, ""};
    static struct sy_genesis genesis;
    test_folder(folder, sizeof folder, "systole");
    (void)snprintf(genesis_path, sizeof genesis_path, "%s/genesis.json", folder);
    witnesses_start(&all);
    genesis = all.block.genesis;
    if (sy_genesis_save(&genesis, genesis_path, &err) != SY_OK) fail_msg("%s", err.text);
    must(systole_network_open(&network, genesis_path, all.addresses, WITNESSES));
    must(systole_key_generate(&key, NULL, NULL));
    return 0;
}

static int end(void **state)
{
    (void)state;
    systole_network_close(network);
    systole_key_close(key);
    witnesses_stop(&all);
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

/* ---- notices ------------------------------------------------------------------------------ */

/* The block has the third and the fourth event about patient 50. */
CASE(notices_are_told_one_after_the_other)
{
    systole_watch *watch = NULL;
    struct sy_hash subject = test_hash(50);
    struct systole_notice notice = {.struct_bytes = sizeof notice};
    expect(systole_watch_open(&watch, network, SYSTOLE_SUBJECT_PATIENT, subject.bytes, 0, key,
                              SYSTOLE_PURPOSE_SELF),
           SYSTOLE_ERR_ARGUMENT, "begin with 1");
    expect(systole_watch_open(&watch, network, (enum systole_subject)4, subject.bytes, 1, key,
                              SYSTOLE_PURPOSE_SELF),
           SYSTOLE_ERR_ARGUMENT, "enums");
    assert_null(watch);
    must(systole_watch_open(&watch, network, SYSTOLE_SUBJECT_PATIENT, subject.bytes, 3, key,
                            SYSTOLE_PURPOSE_SELF));
    for (unsigned number = 3; number <= 4; number++) {
        struct sy_hash object = test_hash(60 + number);
        must(systole_watch_next(watch, &notice, PATIENCE_MS));
        assert_true(notice.number == number && notice.shown == 1);
        assert_string_equal(notice.event, "record.created");
        assert_memory_equal(notice.object, object.bytes, 32);
        assert_true(notice.height == all.block.header.height);
        assert_true(notice.global_number == 10 + number);
    }
    expect(systole_watch_next(watch, &notice, 0), SYSTOLE_ERR_UNKNOWN, "number 5");
    notice.struct_bytes = 4;
    expect(systole_watch_next(watch, &notice, 0), SYSTOLE_ERR_ARGUMENT, "struct_bytes");
    systole_watch_close(watch);
    systole_watch_close(NULL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_network_is_its_genesis_file),
        cmocka_unit_test(keys_live_in_files),
        cmocka_unit_test(a_transaction_is_made_signed_and_handed_on),
        cmocka_unit_test(a_transaction_that_cannot_be_is_refused_with_its_field),
        cmocka_unit_test(a_new_key_proves_its_possession_first),
        cmocka_unit_test(a_change_of_the_roster_is_approved_first),
        cmocka_unit_test(a_final_transaction_has_a_proof_for_everybody),
        cmocka_unit_test(every_changed_byte_of_a_proof_is_found),
        cmocka_unit_test(entries_are_read_with_their_value),
        cmocka_unit_test(the_directory_is_searched_page_by_page),
        cmocka_unit_test(a_search_that_cannot_be_is_refused),
        cmocka_unit_test(an_observer_is_asked_alone),
        cmocka_unit_test(what_was_never_ordered_is_told_so),
        cmocka_unit_test(a_shorter_struct_of_an_older_program_is_not_overrun),
        cmocka_unit_test(kinds_and_codes_are_explained),
        cmocka_unit_test(notices_are_told_one_after_the_other),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
