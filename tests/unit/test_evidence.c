/* test_evidence.c: from a lie to a file that convicts: validators that tell two stories to a node
 * leave evidence in its store, which `systole evidence` exports and `systole verify` confirms, with
 * nothing but the genesis file; whatever is changed is refused.
 * ctest: timeout=300 */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "consensus/node/evidence.h"
#include "core/base/os.h"
#include "core/wire/genesis_json.h"
#include "tests/unit/node_rig.h"

#define LIES 4 /* that tell_lies tells: two proposals, two PREPAREs, two COMMITs, two SEALs */

static char folder[256]; /* genesis.json, v1/systoled.conf, v1/data; v2 likewise */

/* ---- programs ----------------------------------------------------------------------------- */

static char said[1u << 17];

/* Runs systole, in the folder, and keeps what it says. Returns its exit code. */
static int run(const char *arguments)
{
    char command[2048];
    const char *bin = getenv("SYSTOLE_BIN");
    assert_non_null(bin);
    (void)snprintf(command, sizeof command, "cd %s && %s/systole %s 2>&1", folder, bin, arguments);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t size = fread(said, 1, sizeof said - 1, pipe);
    said[size] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect(int code, const char *words, const char *arguments)
{
    int found = run(arguments);
    if (found != code) fail_msg("systole %s: exit code %d: %s", arguments, found, said);
    if (!strstr(said, words))
        fail_msg("systole %s does not say \"%s\": %s", arguments, words, said);
}

static json_t *ask(int code, const char *arguments)
{
    int found = run(arguments);
    if (found != code) fail_msg("systole %s: exit code %d: %s", arguments, found, said);
    json_t *tree = json_loads(said, 0, NULL);
    if (!tree) fail_msg("systole %s: no JSON: %s", arguments, said);
    return tree;
}

static json_int_t number_of(const json_t *tree, const char *name)
{
    return json_integer_value(json_object_get(tree, name));
}

/* ---- lies --------------------------------------------------------------------------------- */

static void two_votes(struct node_rig *rig, uint8_t type, uint16_t signer, uint64_t slot)
{
    for (unsigned i = 1; i <= 2; i++) {
        struct sy_hash digest = test_hash(i);
        nrig_frame(rig, signer, nrig_vote(rig, type, signer, slot, &digest));
    }
}

static void tell_lies(struct node_rig *rig)
{
    struct sy_proposal proposal = {.slot = 1, .time_ms = rig->now_ms};
    nrig_frame(rig, 0, nrig_pre_prepare(rig, &proposal));
    proposal.time_ms++;
    nrig_frame(rig, 2, nrig_pre_prepare(rig, &proposal));
    two_votes(rig, SY_MESSAGE_PREPARE, 2, 3);
    two_votes(rig, SY_MESSAGE_COMMIT, 3, 4);
    for (unsigned i = 1; i <= 2; i++) {
        struct sy_hash hash = test_hash(i);
        nrig_frame(rig, 3, nrig_seal(rig, 3, 5, &hash));
    }
}

static void must(sy_status status, const struct sy_error *err)
{
    if (status != SY_OK) fail_msg("%s: %s", sy_status_name(status), err->text);
}

static void write_text(const char *path, const char *text)
{
    struct sy_error err;
    must(sy_os_write_file(path, text, strlen(text), 0600, &err), &err);
}

/* A validator's folder, as after a run in which it heard lies, or none. */
static void make_validator(uint16_t self, bool lies)
{
    char path[400];
    struct node_rig rig;
    struct sy_error err;
    sy_store *store = NULL;
    (void)snprintf(path, sizeof path, "%s/v%u/data", folder, self);
    must(sy_os_make_dirs(path, 0700, &err), &err);
    nrig_open(&rig, self, 0);
    struct sy_store_config config = {.path = path, .genesis = rig.genesis.hash, .init = true};
    must(sy_store_open_lmdb(&store, &config, &err), &err);
    if (lies) tell_lies(&rig);
    nrig_store_commits(&rig, store);
    sy_store_close(store);
    nrig_close(&rig);
    (void)snprintf(path, sizeof path, "%s/v%u/systoled.conf", folder, self);
    write_text(path, "genesis = ../genesis.json\ndata = data\n");
}

/* ---- exporting ---------------------------------------------------------------------------- */

CASE(evidence_is_told_in_words)
{
    expect(0, "4 pieces of evidence, both signatures of each verified; 0 more", "evidence v1");
    assert_non_null(strstr(said, "(validator 0 of epoch 0) signed two proposals for slot 1 in "
                                 "view 0"));
    assert_non_null(strstr(said, "(validator 2 of epoch 0) signed PREPARE for two proposals for "
                                 "slot 3 in view 0"));
    assert_non_null(strstr(said, "(validator 3 of epoch 0) signed COMMIT for two proposals for "
                                 "slot 4 in view 0"));
    assert_non_null(strstr(said, "(validator 3 of epoch 0) sealed two blocks for height 5"));
    struct sy_genesis genesis;
    test_genesis(&genesis, 4);
    assert_non_null(strstr(said, genesis.roster.validators[2].name));
    expect(0, "4 pieces", "evidence --config v1/systoled.conf");
    expect(0, "4 pieces", "evidence v1/data --genesis genesis.json");
    expect(0, "no evidence is kept", "evidence v2");
}

CASE(evidence_is_exported_and_confirmed_offline)
{
    json_t *tree = ask(0, "evidence v1 --out found --json");
    assert_int_equal(number_of(tree, "proven"), LIES);
    assert_int_equal(number_of(tree, "bad"), 0);
    const json_t *pieces = json_object_get(tree, "pieces");
    assert_int_equal(json_array_size(pieces), LIES);
    for (size_t i = 0; i < LIES; i++) {
        const json_t *piece = json_array_get(pieces, i);
        char arguments[700];
        (void)snprintf(arguments, sizeof arguments, "verify %s --genesis genesis.json --json",
                       json_string_value(json_object_get(piece, "file")));
        json_t *answer = ask(0, arguments);
        assert_true(json_is_true(json_object_get(answer, "proven")));
        assert_true(
            json_equal(json_object_get(answer, "evidence"), json_object_get(piece, "evidence")));
        json_decref(answer);
    }
    json_decref(tree);
    expect(0, "4 proofs hold (0 applied, 0 refused, 4 of evidence), 0 do not",
           "verify found --genesis genesis.json");
    expect(0, "4 pieces", "evidence v1 --out found"); // again is fine
    expect(0, "4 of evidence", "verify found --genesis genesis.json");
}

CASE(a_network_of_validators_tells_what_any_of_them_kept)
{
    json_t *tree = ask(0, "evidence --net . --json");
    assert_int_equal(number_of(tree, "proven"), LIES);
    assert_int_equal(json_array_size(json_object_get(tree, "unread")), 0);
    json_decref(tree);
}

CASE(a_validator_that_runs_is_named_and_the_others_are_read)
{
    char path[400];
    struct sy_genesis genesis;
    struct sy_error err;
    sy_store *store = NULL;
    test_genesis(&genesis, 4);
    (void)snprintf(path, sizeof path, "%s/v2/data", folder);
    struct sy_store_config config = {.path = path, .genesis = genesis.hash};
    must(sy_store_open_lmdb(&store, &config, &err), &err);
    json_t *tree = ask(1, "evidence --net . --json");
    assert_int_equal(number_of(tree, "proven"), LIES);
    const json_t *unread = json_object_get(tree, "unread");
    assert_int_equal(json_array_size(unread), 1);
    const json_t *first = json_array_get(unread, 0);
    assert_string_equal(json_string_value(json_object_get(first, "folder")), "./v2");
    assert_non_null(strstr(json_string_value(json_object_get(first, "why")), "stop the validator"));
    json_decref(tree);
    sy_store_close(store);
}

/* ---- what is refused ---------------------------------------------------------------------- */

/* The path of the exported file whose name has these words. */
static void find_file(char path[600], const char *words)
{
    char found[300];
    const struct dirent *entry;
    (void)snprintf(found, sizeof found, "%s/found", folder);
    DIR *dir = opendir(found);
    assert_non_null(dir);
    path[0] = '\0';
    while ((entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, words)) {
            (void)snprintf(path, 600, "%s/%s", found, entry->d_name);
        }
    }
    closedir(dir);
    assert_true(path[0] != '\0');
}

/* Each bit is tried in test_wire_evidence.c; here the program, one bit of every field. */
CASE(a_changed_bit_is_refused)
{
    static const size_t places[] = {0, 9, 24, 25, 30, 37, 45, 50, 80, 150, 180, 238, 239, 270};
    char path[600], arguments[700];
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_error err;
    assert_int_equal(run("evidence v1 --out found"), 0);
    find_file(path, "-prepare-");
    must(sy_os_read_file(&bytes, &size, path, 4096, &err), &err);
    assert_int_equal(size, SY_EVIDENCE_BYTES);
    (void)snprintf(path, sizeof path, "%s/changed.syevidence", folder);
    (void)snprintf(arguments, sizeof arguments, "verify %s --genesis genesis.json", path);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bytes[places[i]] ^= (uint8_t)(1u << i % 8);
        must(sy_os_write_file(path, bytes, size, 0600, &err), &err);
        expect(1, "not proven", arguments);
        bytes[places[i]] ^= (uint8_t)(1u << i % 8);
    }
    must(sy_os_write_file(path, bytes, size, 0600, &err), &err);
    expect(0, "proven by both signatures", arguments);
    free(bytes);
}

CASE(another_genesis_refutes_it)
{
    char path[600], arguments[900];
    struct sy_genesis five;
    struct sy_error err;
    assert_int_equal(run("evidence v1 --out found"), 0);
    test_genesis(&five, 5);
    (void)snprintf(path, sizeof path, "%s/five.json", folder);
    must(sy_genesis_save(&five, path, &err), &err);
    find_file(path, "-seal-");
    (void)snprintf(arguments, sizeof arguments, "verify %s --genesis five.json", path);
    expect(1, "another network", arguments);
    json_t *tree = NULL;
    (void)snprintf(arguments, sizeof arguments, "verify %s --genesis five.json --json", path);
    tree = ask(1, arguments);
    assert_true(json_is_false(json_object_get(tree, "proven")));
    json_decref(tree);
}

/* A store can be tampered with by whoever has it: what does not prove itself is not told as true.
 */
CASE(a_piece_that_proves_nothing_is_said_to)
{
    char path[400];
    struct sy_genesis genesis;
    struct sy_evidence forged;
    struct sy_error err;
    sy_store *store = NULL;
    uint8_t bytes[SY_EVIDENCE_BYTES];
    test_genesis(&genesis, 4);
    (void)snprintf(path, sizeof path, "%s/forged", folder);
    struct sy_store_config config = {.path = path, .genesis = genesis.hash, .init = true};
    must(sy_store_open_lmdb(&store, &config, &err), &err);
    forged = (struct sy_evidence){.type = SY_MESSAGE_SEAL, .slot = 9, .signer = 1};
    memcpy(forged.network, sy_network_tag(&genesis), sizeof forged.network);
    forged.statements[1].digest = test_hash(1);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_evidence_encode(&w, &forged);
    assert_false(w.failed);
    struct sy_vote_write writes[] = {
        {.op = SY_VOTE_PUT_EVIDENCE, .body = test_hash(1), .value = sy_writer_slice(&w)},
        {.op = SY_VOTE_PUT_EVIDENCE, .body = test_hash(2), .value = sy_slice_of("nonsense", 8)},
    };
    must(sy_votes_commit(store, writes, 2, &err), &err);
    expect(1, "is open in process", "evidence forged --genesis genesis.json");
    sy_store_close(store);
    expect(1, "0 pieces of evidence, both signatures of each verified; 2 more prove nothing",
           "evidence forged --genesis genesis.json --out nothing");
    assert_non_null(strstr(said, "the first signature does not verify"));
    assert_non_null(strstr(said, "not a .syevidence file"));
    json_t *tree = ask(1, "evidence forged --genesis genesis.json --json");
    assert_int_equal(number_of(tree, "bad"), 2);
    json_decref(tree);
    (void)snprintf(path, sizeof path, "%s/nothing", folder);
    assert_int_equal(rmdir(path), 0); // and no file was made of it
}

CASE(wrong_arguments_are_explained)
{
    expect(2, "name one of DIR, --net DIR and --config FILE", "evidence");
    expect(2, "name one of", "evidence v1 --net .");
    expect(2, "has no systoled.conf", "evidence v1/data");
    expect(2, "has no validators", "evidence --net v1");
    expect(1, "cannot open nowhere", "evidence nowhere --genesis genesis.json");
    expect(1, "there is no store", "evidence found --genesis genesis.json");
}

static int begin(void **state)
{
    (void)state;
    char path[320];
    struct sy_genesis genesis;
    struct sy_error err = {SY_OK, ""};
    test_folder(folder, sizeof folder, "evidence");
    test_genesis(&genesis, 4);
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    must(sy_genesis_save(&genesis, path, &err), &err);
    for (uint16_t i = 0; i < 4; i++) make_validator(i, i == 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(evidence_is_told_in_words),
        cmocka_unit_test(evidence_is_exported_and_confirmed_offline),
        cmocka_unit_test(a_network_of_validators_tells_what_any_of_them_kept),
        cmocka_unit_test(a_validator_that_runs_is_named_and_the_others_are_read),
        cmocka_unit_test(a_changed_bit_is_refused),
        cmocka_unit_test(another_genesis_refutes_it),
        cmocka_unit_test(a_piece_that_proves_nothing_is_said_to),
        cmocka_unit_test(wrong_arguments_are_explained),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
