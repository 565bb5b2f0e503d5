/* test_verify.c: `systole verify` as a program: single proofs, folders, and the receipts that a
 * client's store kept; everything that does not hold is counted and named.
 * ctest: timeout=900 */
#include "tests/support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/wire/genesis_json.h"
#include "tests/support/epochs.h"
#include "tests/support/samples.h"

#define TEXT_MAX 65536u

static struct test_block block;
static struct test_epochs epochs;
static char folder[256];

/* Runs systole verify ARGUMENTS --json; its answer, and its exit code. */
static json_t *run_verify(int *exit_code, const char *arguments)
{
    static char command[TEXT_MAX];
    char text[65536];
    const char *bin = getenv("SYSTOLE_BIN");
    assert_non_null(bin);
    (void)snprintf(command, sizeof command,
                   "%s/systole verify %s --genesis %s/genesis.json --json 2>/dev/null", bin,
                   arguments, folder);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t size = fread(text, 1, sizeof text - 1, pipe);
    text[size] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    *exit_code = WEXITSTATUS(status);
    json_t *tree = json_loads(text, 0, NULL);
    if (!tree) fail_msg("no JSON from %s: %s", command, text);
    return tree;
}

static json_int_t number_of(const json_t *tree, const char *name)
{
    return json_integer_value(json_object_get(tree, name));
}

static void expect(const char *arguments, int code, json_int_t good, json_int_t bad)
{
    int exit_code;
    json_t *tree = run_verify(&exit_code, arguments);
    assert_int_equal(number_of(tree, "good"), good);
    assert_int_equal(number_of(tree, "bad"), bad);
    assert_int_equal(json_is_true(json_object_get(tree, "proven")), bad == 0);
    assert_int_equal(exit_code, code);
    json_decref(tree);
}

/* ---- files -------------------------------------------------------------------------------- */

static void write_proof(const char *name, unsigned number, bool spoil)
{
    static struct sy_proof proof;
    static uint8_t bytes[65536];
    char path[400];
    struct sy_error err = {SY_OK, ""};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    test_block_prove_receipt(&proof, &block, number, true);
    sy_proof_encode(&w, &proof);
    if (spoil) bytes[w.used / 2] ^= 4;
    (void)snprintf(path, sizeof path, "%s/proofs/%s", folder, name);
    assert_int_equal(sy_os_write_file(path, bytes, w.used, 0644, &err), SY_OK);
}

CASE(proofs_in_files_are_verified_one_by_one)
{
    char path[400], arguments[1024];
    int exit_code;
    (void)snprintf(path, sizeof path, "%s/proofs", folder);
    assert_int_equal(sy_os_make_dirs(path, 0755, NULL), SY_OK);
    for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%u.syproof", i);
        write_proof(name, i, false);
    }
    expect(path, 0, TEST_BLOCK_TXS, 0);
    write_proof("9.syproof", 2, true);
    write_proof("not_a_proof.txt", 2, true);
    expect(path, 1, TEST_BLOCK_TXS, 1);
    (void)snprintf(arguments, sizeof arguments, "%s/0.syproof %s/1.syproof", path, path);
    expect(arguments, 0, 2, 0);

    (void)snprintf(arguments, sizeof arguments, "%s/0.syproof", path);
    json_t *tree = run_verify(&exit_code, arguments);
    assert_int_equal(exit_code, 0);
    assert_true(json_is_true(json_object_get(tree, "proven")));
    const json_t *receipt = json_object_get(json_object_get(tree, "proof"), "receipt");
    assert_int_equal(number_of(receipt, "index"), 0);
    json_decref(tree);
    (void)snprintf(arguments, sizeof arguments, "%s/9.syproof", path);
    tree = run_verify(&exit_code, arguments);
    assert_int_equal(exit_code, 1);
    assert_true(json_is_false(json_object_get(tree, "proven")));
    json_decref(tree);
}

/* ---- many files --------------------------------------------------------------------------- */

#define MANY 60u

/* Without fsync: there are thousands. */
static void write_bytes(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* What can be wrong with a file; its checksum is right all the same, but for DAMAGED. */
enum wrong {
    WRONG_NOTHING,
    WRONG_SEAL_0,
    WRONG_SEAL_1,
    WRONG_SEAL_2,
    WRONG_TX,
    WRONG_SEAL_AND_PATH,
    WRONG_PATH,
    WRONG_NETWORK,
    WRONG_DAMAGED,
    WRONG_EVIDENCE_NOTHING,
    WRONG_EVIDENCE_0,
    WRONG_EVIDENCE_1,
    WRONG_EVIDENCE_SIGNER,
    WRONG_MISSING,
    WRONG_COUNT
};

static void spoil_proof(struct sy_proof *proof, uint8_t *tx, enum wrong wrong)
{
    if (wrong >= WRONG_SEAL_0 && wrong <= WRONG_SEAL_2) {
        proof->certificate.seals[wrong - WRONG_SEAL_0].signature.bytes[11] ^= 2;
    }
    if (wrong == WRONG_SEAL_AND_PATH) proof->certificate.seals[1].signature.bytes[11] ^= 2;
    if (wrong == WRONG_SEAL_AND_PATH || wrong == WRONG_PATH) {
        proof->receipt.receipt_path.siblings[0].bytes[0] ^= 1;
    }
    if (wrong == WRONG_NETWORK) proof->network[0] ^= 1;
    if (wrong != WRONG_TX) return;
    // The signatures are the end of a transaction.
    memcpy(tx, proof->receipt.tx.data, proof->receipt.tx.size);
    tx[proof->receipt.tx.size - 7] ^= 1;
    proof->receipt.tx.data = tx;
}

static void write_piece(const char *path, unsigned number, enum wrong wrong)
{
    static struct sy_proof proof;
    static struct sy_evidence evidence;
    static uint8_t bytes[65536], tx[8192];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    if (wrong == WRONG_MISSING) return;
    if (wrong >= WRONG_EVIDENCE_NOTHING) {
        bool seal = number % 2 == 1;
        test_evidence(&evidence, &block.genesis, seal ? SY_MESSAGE_SEAL : SY_MESSAGE_COMMIT, 1,
                      seal ? 0 : 3, 9);
        if (wrong == WRONG_EVIDENCE_0) evidence.statements[0].signature.bytes[40] ^= 1;
        if (wrong == WRONG_EVIDENCE_1) evidence.statements[1].signature.bytes[3] ^= 1;
        if (wrong == WRONG_EVIDENCE_SIGNER) evidence.signer = 2;
        sy_evidence_encode(&w, &evidence);
    } else {
        test_block_prove_receipt(&proof, &block, number % TEST_BLOCK_TXS, true);
        spoil_proof(&proof, tx, wrong);
        sy_proof_encode(&w, &proof);
        if (wrong == WRONG_DAMAGED) bytes[w.used / 2] ^= 4;
    }
    assert_false(w.failed);
    write_bytes(path, bytes, w.used);
}

/* What `systole verify ARGUMENTS` says on stderr; its exit code. */
static int words_of(char *text, const char *arguments)
{
    static char command[TEXT_MAX];
    const char *bin = getenv("SYSTOLE_BIN");
    (void)snprintf(command, sizeof command,
                   "%s/systole verify %s --genesis %s/genesis.json 2>&1 >%s/out", bin, arguments,
                   folder, folder);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    text[fread(text, 1, TEXT_MAX - 1, pipe)] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Files 0 .. MANY are verified one by one and all together: the same is told of each, in order. */
static void compare_many(const enum wrong wrongs[MANY])
{
    static char arguments[TEXT_MAX], expected[TEXT_MAX], text[TEXT_MAX];
    size_t used = 0, said = 0;
    json_int_t good = 0;
    for (unsigned i = 0; i < MANY; i++) {
        char path[400];
        (void)snprintf(path, sizeof path, "%s/many_%u", folder, i);
        (void)unlink(path);
        write_piece(path, i, wrongs[i]);
        bool holds = words_of(text, path) == 0;
        assert_int_equal(holds, wrongs[i] == WRONG_NOTHING || wrongs[i] == WRONG_EVIDENCE_NOTHING);
        if (holds) good++;
        used += (size_t)snprintf(arguments + used, sizeof arguments - used, " %s", path);
        said += (size_t)snprintf(expected + said, sizeof expected - said, "%s", text);
        assert_true(used < sizeof arguments && said < sizeof expected);
    }
    expected[said] = '\0';
    assert_int_equal(words_of(text, arguments), good == MANY ? 0 : 1);
    assert_string_equal(text, expected);
    expect(arguments, good == MANY ? 0 : 1, good, MANY - good);
}

CASE(many_files_are_told_of_as_each_alone)
{
    enum wrong wrongs[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        // Every fault between good ones, and then all of them in a row.
        wrongs[i] =
            i < 2 * WRONG_COUNT && i % 2 == 0 ? WRONG_NOTHING : (enum wrong)(i % WRONG_COUNT);
        if (i < 2 * WRONG_COUNT && i % 2 == 1) wrongs[i] = (enum wrong)(i / 2);
    }
    compare_many(wrongs);
    for (unsigned i = 0; i < MANY; i++) {
        wrongs[i] = i % 3 == 0 ? WRONG_EVIDENCE_NOTHING : WRONG_NOTHING;
    }
    compare_many(wrongs);
}

CASE(one_bad_signature_is_named_wherever_it_stands)
{
    static const enum wrong kinds[] = {WRONG_SEAL_0, WRONG_SEAL_1,     WRONG_SEAL_2,
                                       WRONG_TX,     WRONG_EVIDENCE_0, WRONG_EVIDENCE_1};
    enum { FILES = 6 };
    char arguments[400];
    (void)snprintf(arguments, sizeof arguments, "%s/one", folder);
    assert_int_equal(sy_os_make_dirs(arguments, 0755, NULL), SY_OK);
    for (unsigned bad = 0; bad < FILES; bad++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            static char text[TEXT_MAX];
            char name[450];
            for (unsigned i = 0; i < FILES; i++) {
                char path[400];
                (void)snprintf(path, sizeof path, "%s/one/%u.syproof", folder, i);
                write_piece(path, i, i == bad ? kinds[k] : WRONG_NOTHING);
            }
            assert_int_equal(words_of(text, arguments), 1);
            (void)snprintf(name, sizeof name, "/one/%u.syproof: not proven: ", bad);
            assert_non_null(strstr(text, name));
            assert_ptr_equal(strchr(text, '\n') + 1, text + strlen(text)); // one line
        }
    }
}

CASE(more_files_than_wait_at_a_time_are_counted)
{
    enum { FILES = 1100, BAD = 700 };
    char path[400];
    (void)snprintf(path, sizeof path, "%s/thousand", folder);
    assert_int_equal(sy_os_make_dirs(path, 0755, NULL), SY_OK);
    for (unsigned i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%s/thousand/%u.syproof", folder, i);
        write_piece(path, i, WRONG_NOTHING);
    }
    (void)snprintf(path, sizeof path, "%s/thousand", folder);
    expect(path, 0, FILES, 0);
    (void)snprintf(path, sizeof path, "%s/thousand/%u.syproof", folder, BAD);
    write_piece(path, BAD, WRONG_TX);
    (void)snprintf(path, sizeof path, "%s/thousand", folder);
    expect(path, 1, FILES - 1, 1);
}

/* ---- a client's store --------------------------------------------------------------------- */

enum spoil { SPOIL_NOTHING, SPOIL_PROOF, SPOIL_CODE, SPOIL_OTHER_TX, SPOIL_CERTIFICATE };

static void must(sy_status status, const struct sy_error *err)
{
    if (status != SY_OK) fail_msg("%s", err->text);
}

static void keep_receipt(sy_client_store *store, unsigned number, enum spoil spoil)
{
    static struct sy_proof proof;
    static uint8_t bytes[65536];
    struct sy_error err = {SY_OK, ""};
    struct sy_receipt receipt;
    struct sy_tx tx;
    struct sy_client_queued queued;
    memset(&queued, 0, sizeof queued);
    test_block_prove_receipt(&proof, &block, number, false);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_receipt_proof_encode(&w, &proof.receipt);
    if (spoil == SPOIL_PROOF) bytes[w.used - 3] ^= 1;
    struct sy_reader r = sy_reader_of(block.receipts[number]);
    assert_true(sy_receipt_decode(&r, &receipt));
    assert_int_equal(sy_tx_decode(&tx, NULL, block.txs[number], NULL), SY_APPLIED);

    queued.seq = sy_client_next_seq(store);
    queued.run = 1;
    queued.kind = tx.kind;
    queued.tx_id = receipt.tx_id;
    queued.signer = tx.signer;
    queued.nonce = tx.nonce;
    queued.valid_until_ms = tx.valid_until_ms;
    queued.tx = block.txs[number];
    must(sy_client_put_queued(store, &queued, &err), &err);
    struct sy_client_done done = {.seq = queued.seq,
                                  .tx_id = receipt.tx_id,
                                  .height = block.header.height,
                                  .code = receipt.code,
                                  .proof = sy_writer_slice(&w)};
    if (spoil == SPOIL_CODE) done.code = receipt.code == 0 ? SY_E_ROLE : 0;
    if (spoil == SPOIL_OTHER_TX) done.tx_id.bytes[0] ^= 1;
    must(sy_client_put_done(store, &done, &err), &err);
}

/* Fills a store with all receipts of the block; the last one may be spoiled. Returns its path. */
static void make_store(char path[320], const char *name, enum spoil spoil)
{
    static uint8_t bytes[8192];
    struct sy_error err = {SY_OK, ""};
    sy_client_store *store = NULL;
    (void)snprintf(path, 320, "%s/%s", folder, name);
    must(sy_client_store_open(&store, path, &block.genesis.hash, SY_CLIENT_STORE_WRITE, &err),
         &err);
    struct sy_certificate certificate = block.certificate;
    if (spoil == SPOIL_CERTIFICATE) certificate.seals[0].signature.bytes[9] ^= 1;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_certificate_encode(&w, &certificate);
    must(sy_client_put_header(store, &block.header, sy_writer_slice(&w), &err), &err);
    for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
        keep_receipt(store, i, i == TEST_BLOCK_TXS - 1 ? spoil : SPOIL_NOTHING);
    }
    must(sy_client_store_commit(store, &err), &err);
    sy_client_store_close(store);
}

CASE(every_kept_receipt_is_verified)
{
    char path[320], arguments[400];
    int exit_code;
    make_store(path, "good", SPOIL_NOTHING);
    (void)snprintf(arguments, sizeof arguments, "--store %s", path);
    json_t *tree = run_verify(&exit_code, arguments);
    assert_int_equal(exit_code, 0);
    assert_int_equal(number_of(tree, "proofs"), TEST_BLOCK_TXS);
    assert_int_equal(number_of(tree, "good"), TEST_BLOCK_TXS);
    assert_int_equal(number_of(tree, "headers"), 1);
    assert_int_equal(number_of(tree, "applied") + number_of(tree, "refused"), TEST_BLOCK_TXS);
    assert_true(number_of(tree, "refused") > 0);
    json_decref(tree);
}

CASE(a_kept_receipt_that_does_not_hold_is_counted)
{
    static const enum spoil spoils[] = {SPOIL_PROOF, SPOIL_CODE, SPOIL_OTHER_TX};
    for (unsigned i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        char path[320], name[32], arguments[400];
        (void)snprintf(name, sizeof name, "bad%u", i);
        make_store(path, name, spoils[i]);
        (void)snprintf(arguments, sizeof arguments, "--store %s", path);
        expect(arguments, 1, TEST_BLOCK_TXS - 1, 1);
    }
}

CASE(under_a_bad_certificate_nothing_holds)
{
    char path[320], arguments[400];
    make_store(path, "uncertified", SPOIL_CERTIFICATE);
    (void)snprintf(arguments, sizeof arguments, "--store %s", path);
    expect(arguments, 1, 0, TEST_BLOCK_TXS);
}

// Whoever made the store chose the height, and what is asked of it comes before it is believed.
CASE(a_forged_height_is_not_proven)
{
    static const uint64_t heights[] = {5000, UINT64_C(1) << 40, SY_SLOT_MAX - 1, SY_SLOT_MAX};
    for (unsigned i = 0; i < sizeof heights / sizeof heights[0]; i++) {
        char path[320], arguments[400];
        static uint8_t bytes[8192];
        struct sy_header kept = block.header;
        struct sy_error err = {SY_OK, ""};
        sy_client_store *store = NULL;
        (void)snprintf(path, sizeof path, "%s/far%u", folder, i);
        must(sy_client_store_open(&store, path, &block.genesis.hash, SY_CLIENT_STORE_WRITE, &err),
             &err);
        block.header.height = heights[i];
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        sy_certificate_encode(&w, &block.certificate);
        must(sy_client_put_header(store, &block.header, sy_writer_slice(&w), &err), &err);
        for (unsigned k = 0; k < TEST_BLOCK_TXS; k++) keep_receipt(store, k, SPOIL_NOTHING);
        must(sy_client_store_commit(store, &err), &err);
        sy_client_store_close(store);
        block.header = kept;
        (void)snprintf(arguments, sizeof arguments, "--store %s", path);
        expect(arguments, 1, 0, TEST_BLOCK_TXS);
    }
}

/* ---- a later epoch ------------------------------------------------------------------------ */

#define EPOCH 2u

/* The block as epoch 2's roster would have sealed it. */
static void move_block(void)
{
    const struct sy_roster *roster = &epochs.rosters[EPOCH];
    test_epochs_make(&epochs, NULL);
    assert_int_equal(block.header.height / TEST_EPOCH_HEIGHTS, EPOCH);
    block.header.epoch = EPOCH;
    sy_roster_hash(&block.header.next_roster, &block.genesis.hash, roster);
    test_certify(&block.certificate, &block.genesis.hash, roster, &block.header);
}

static void write_late_proof(const char *path, unsigned handovers)
{
    static struct sy_proof proof;
    static uint8_t bytes[65536];
    struct sy_error err = {SY_OK, ""};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    test_block_prove_receipt(&proof, &block, 1, true);
    proof.handovers = test_epochs_path(&epochs, 0, handovers);
    sy_proof_encode(&w, &proof);
    must(sy_os_write_file(path, bytes, w.used, 0644, &err), &err);
}

CASE(a_proof_of_a_later_epoch_says_how_it_was_reached)
{
    char path[400];
    int exit_code;
    struct sy_header header = block.header;
    struct sy_certificate certificate = block.certificate;
    move_block();
    (void)snprintf(path, sizeof path, "%s/late.syproof", folder);
    write_late_proof(path, EPOCH);
    json_t *tree = run_verify(&exit_code, path);
    assert_int_equal(exit_code, 0);
    assert_int_equal(number_of(tree, "epoch"), EPOCH);
    assert_int_equal(number_of(tree, "handovers"), EPOCH);
    json_decref(tree);
    write_late_proof(path, 0);
    tree = run_verify(&exit_code, path);
    assert_int_equal(exit_code, 1);
    assert_non_null(strstr(json_string_value(json_object_get(tree, "why")), "roster of its epoch"));
    json_decref(tree);
    block.header = header;
    block.certificate = certificate;
}

static void keep_handovers(const char *path, unsigned first, unsigned end)
{
    struct sy_error err = {SY_OK, ""};
    sy_client_store *store = NULL;
    must(sy_client_store_open(&store, path, &block.genesis.hash, SY_CLIENT_STORE_WRITE, &err),
         &err);
    for (unsigned e = first; e < end; e++) {
        must(sy_client_put_handover(store, e, test_epochs_path(&epochs, e, e + 1), &err), &err);
    }
    must(sy_client_store_commit(store, &err), &err);
    sy_client_store_close(store);
}

CASE(receipts_of_a_later_epoch_hold_under_the_handovers_that_were_kept)
{
    char path[320], arguments[400];
    int exit_code;
    struct sy_header header = block.header;
    struct sy_certificate certificate = block.certificate;
    move_block();
    make_store(path, "late", SPOIL_NOTHING);
    (void)snprintf(arguments, sizeof arguments, "--store %s", path);
    expect(arguments, 1, 0, TEST_BLOCK_TXS);
    keep_handovers(path, 0, 1);
    expect(arguments, 1, 0, TEST_BLOCK_TXS);
    keep_handovers(path, 1, EPOCH);
    json_t *tree = run_verify(&exit_code, arguments);
    assert_int_equal(exit_code, 0);
    assert_int_equal(number_of(tree, "good"), TEST_BLOCK_TXS);
    assert_int_equal(number_of(tree, "handovers"), EPOCH);
    json_decref(tree);
    // An epoch more changes nothing for heights of this one.
    make_store(path, "ended", SPOIL_NOTHING);
    keep_handovers(path, 0, EPOCH + 1);
    (void)snprintf(arguments, sizeof arguments, "--store %s", path);
    expect(arguments, 0, TEST_BLOCK_TXS, 0);
    block.header = header;
    block.certificate = certificate;
}

static int begin(void **state)
{
    (void)state;
    char path[320];
    struct sy_error err = {SY_OK, ""};
    test_block_make(&block);
    test_folder(folder, sizeof folder, "verify");
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    must(sy_genesis_save(&block.genesis, path, &err), &err);
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
        cmocka_unit_test(proofs_in_files_are_verified_one_by_one),
        cmocka_unit_test(many_files_are_told_of_as_each_alone),
        cmocka_unit_test(one_bad_signature_is_named_wherever_it_stands),
        cmocka_unit_test(more_files_than_wait_at_a_time_are_counted),
        cmocka_unit_test(every_kept_receipt_is_verified),
        cmocka_unit_test(a_kept_receipt_that_does_not_hold_is_counted),
        cmocka_unit_test(under_a_bad_certificate_nothing_holds),
        cmocka_unit_test(a_forged_height_is_not_proven),
        cmocka_unit_test(a_proof_of_a_later_epoch_says_how_it_was_reached),
        cmocka_unit_test(receipts_of_a_later_epoch_hold_under_the_handovers_that_were_kept),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
