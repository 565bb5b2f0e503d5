/* test_audit.c: an honest store is sound, whatever it is kept in; every single thing that is not as
 * the blocks make it is found, and named by its block.
 * ctest: threaded */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "core/base/os.h"
#include "core/client/audit.h"
#include "core/client/audit_internal.h"
#include "core/client/replay_state.h"
#include "core/wire/delta.h"
#include "core/wire/genesis_json.h"
#include "tests/support/ledger_store.h"
#include "tests/support/stores.h"

static struct ledger_store ls;
static struct sy_audit_figures figures;

static sy_status audit_store(sy_store *store, const struct sy_genesis *genesis,
                             struct sy_error *err)
{
    struct sy_audit_config config = {.genesis = genesis, .store = store, .threads = 2};
    *err = (struct sy_error){SY_OK, ""};
    return sy_audit_run(&config, &figures, err);
}

static void fill(struct ledger_store *filled, enum ledger_fault fault)
{
    ledger_store_block(filled, true, FAULT_NONE);
    ledger_store_empty(filled, true);
    ledger_store_block(filled, true, FAULT_NONE);
    ledger_store_block(filled, true, fault);
    ledger_store_block(filled, true, FAULT_NONE);
    ledger_store_empty(filled, true);
}

static void check_figures(void)
{
    assert_int_equal(figures.height, 6);
    assert_int_equal(figures.certified, 6);
    assert_int_equal(figures.txs, 4 * LEDGER_STORE_TXS);
    assert_int_equal(figures.applied, 4);
    assert_int_equal(figures.refused, 8);
    assert_int_equal(figures.batches, 4);
    // Of each batch the maker's, two registers of two signers and a possession, and a stranger's.
    assert_int_equal(figures.signatures, 4 * (1 + 2 * 3 + 1));
    assert_int_equal(figures.state_entries, ls.state.count);
    assert_memory_equal(figures.state_root.bytes, ls.header.state_root.bytes, 32);
    assert_memory_equal(figures.certified_state_root.bytes, ls.header.state_root.bytes, 32);
}

CASE(an_honest_twin_is_sound)
{
    struct sy_error err;
    ledger_store_open(&ls, NULL);
    fill(&ls, FAULT_NONE);
    if (audit_store(ls.store, &ls.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    check_figures();
    ledger_store_close(&ls);
}

CASE(an_honest_store_on_disk_is_sound)
{
    char folder[256];
    char data[320];
    struct sy_error err = {SY_OK, ""};
    sy_store *store = NULL;
    test_folder(folder, sizeof folder, "audit");
    (void)snprintf(data, sizeof data, "%s/data", folder);
    ledger_store_open(&ls, data);
    fill(&ls, FAULT_NONE);
    sy_store_close(ls.store);
    ls.store = NULL;
    struct sy_store_config config = {.path = data, .genesis = ls.genesis.hash, .read_only = true};
    if (sy_store_open_lmdb(&store, &config, &err) != SY_OK) fail_msg("%s", err.text);
    if (audit_store(store, &ls.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    check_figures();
    sy_store_close(store);
    ledger_store_close(&ls);
    assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
}

/* Runs systole audit DATA --genesis FILE --json; its exit code, and its answer as text. */
static int run_program(char *out, size_t size, const char *folder)
{
    char command[1400];
    const char *bin = getenv("SYSTOLE_BIN");
    assert_non_null(bin);
    (void)snprintf(command, sizeof command,
                   "%s/systole audit %s/data --genesis %s/genesis.json --json 2>/dev/null", bin,
                   folder, folder);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t used = fread(out, 1, size - 1, pipe);
    out[used] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void prune(struct ledger_store *filled, uint64_t below)
{
    assert_int_equal(sy_state_flush(filled->store, NULL), SY_OK);
    test_store_prune(filled->store, below);
}

CASE(a_pruned_store_is_checked_as_far_as_it_goes_and_says_so)
{
    struct sy_error err;
    ledger_store_open(&ls, NULL);
    fill(&ls, FAULT_NONE);
    prune(&ls, 4);
    if (audit_store(ls.store, &ls.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(figures.pruned, 4);
    assert_int_equal(figures.height, 6);
    assert_int_equal(figures.certified, 6);
    assert_int_equal(figures.batches, 2); // of blocks 4 to 6
    assert_int_equal(figures.txs, 2 * LEDGER_STORE_TXS);
    assert_int_equal(figures.signatures, 2 * (1 + 2 * 3 + 1));
    assert_int_equal(figures.state_entries, ls.state.count);
    assert_memory_equal(figures.state_root.bytes, ls.header.state_root.bytes, 32);
    ledger_store_close(&ls);
}

/* Three changes of the roster, with transactions in every epoch. */
static void fill_epochs(struct ledger_store *filled)
{
    struct test_change change;
    const struct sy_hash *genesis = &filled->genesis.hash;
    ledger_store_block_of(filled, 2, true, FAULT_NONE);
    test_change_add(&change, genesis, &filled->roster, 4);
    ledger_store_change(filled, &change);
    ledger_store_block_of(filled, 2, true, FAULT_NONE);
    test_change_rekey(&change, genesis, &filled->roster, 1, TEST_REKEY_KEYS, 310);
    ledger_store_change(filled, &change);
    ledger_store_block_of(filled, 2, true, FAULT_NONE);
    test_change_remove(&change, genesis, &filled->roster, 0);
    ledger_store_change_by(filled, &change, 2);
    ledger_store_block_of(filled, 3, true, FAULT_NONE);
}

CASE(a_store_that_went_through_changes_of_the_roster_is_sound)
{
    struct sy_error err;
    ledger_store_open(&ls, NULL);
    fill_epochs(&ls);
    assert_int_equal(ls.header.epoch, 3);
    if (audit_store(ls.store, &ls.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(figures.height == ls.header.height);
    assert_true(figures.certified == ls.header.height);
    assert_int_equal(figures.batches, 3 + 4);
    assert_memory_equal(figures.state_root.bytes, ls.header.state_root.bytes, 32);
    // Pruned inside the last epoch: the headers that ended the others are kept.
    prune(&ls, ls.header.height - 1);
    if (audit_store(ls.store, &ls.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(figures.certified == ls.header.height);
    assert_int_equal(figures.batches, 1);
    ledger_store_close(&ls);
}

/* Seals of the genesis's validators, of which one has another key by now and one is gone. */
CASE(certificates_of_another_epochs_roster_are_found)
{
    for (unsigned pruned = 0; pruned < 2; pruned++) {
        struct sy_error err;
        struct test_change change;
        ledger_store_open(&ls, NULL);
        ledger_store_block_of(&ls, 2, true, FAULT_NONE);
        test_change_rekey(&change, &ls.genesis.hash, &ls.roster, 1, TEST_REKEY_KEYS, 310);
        ledger_store_change(&ls, &change);
        ledger_store_block_of(&ls, 2, true, FAULT_NONE);
        ledger_store_block_of(&ls, 2, true, FAULT_OLD_ROSTER);
        if (pruned) prune(&ls, ls.header.height - 1);
        assert_int_equal(audit_store(ls.store, &ls.genesis, &err), SY_ERR_CRYPTO);
        assert_non_null(strstr(err.text, "its certificate does not hold"));
        assert_true(figures.certified == ls.header.height - 1);
        ledger_store_close(&ls);
    }
}

CASE(what_is_wrong_in_a_pruned_store_is_found_where_it_can_be)
{
    static const struct {
        enum ledger_fault fault;
        uint64_t below; // block 4 has the fault: whole, or pruned
        const char *sentence;
    } cases[] = {
        {FAULT_HEADER, 4, "block 4"},       {FAULT_HEADER, 5, "block 4"},
        {FAULT_ORDER, 4, "block 4"},        {FAULT_RECEIPTS, 4, "block 4: its receipts"},
        {FAULT_CERTIFICATE, 4, "block 4"},  {FAULT_CERTIFICATE, 6, "block 4"},
        {FAULT_BODY, 3, "block 4"},         {FAULT_BODY_MISSING, 3, "block 4"},
        {FAULT_TX_SIGNATURE, 4, "block 4"}, {FAULT_STATE, 4, "state: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_error err;
        ledger_store_open(&ls, NULL);
        fill(&ls, cases[i].fault);
        prune(&ls, cases[i].below);
        assert_int_not_equal(audit_store(ls.store, &ls.genesis, &err), SY_OK);
        if (strstr(err.text, cases[i].sentence) == NULL) {
            fail_msg("case %zu: \"%s\"", i, err.text);
        }
        ledger_store_close(&ls);
    }
}

CASE(the_program_tells_it)
{
    static const enum ledger_fault faults[] = {FAULT_NONE, FAULT_RECEIPTS};
    for (unsigned i = 0; i < 2; i++) {
        char folder[256], path[320], text[8192];
        struct sy_error err = {SY_OK, ""};
        test_folder(folder, sizeof folder, "audit_program");
        (void)snprintf(path, sizeof path, "%s/data", folder);
        ledger_store_open(&ls, path);
        fill(&ls, faults[i]);
        (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
        assert_int_equal(sy_genesis_save(&ls.genesis, path, &err), SY_OK);
        assert_int_equal(run_program(text, sizeof text, folder), 1);
        assert_non_null(strstr(text, "stop the validator first"));
        sy_store_close(ls.store);
        ls.store = NULL;
        int code = run_program(text, sizeof text, folder);
        bool sound = faults[i] == FAULT_NONE;
        assert_int_equal(code, sound ? 0 : 1);
        assert_non_null(strstr(text, sound ? "\"sound\": true" : "\"sound\": false"));
        assert_non_null(strstr(text, sound ? "\"height\": 6" : "block 4: its receipts differ"));
        ledger_store_close(&ls);
        assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
    }
}

CASE(every_fault_is_found_and_named)
{
    static const char *const words[FAULT_COUNT] = {
        [FAULT_TX_SIGNATURE] = "block 4: a signature of transaction",
        [FAULT_POSSESSION] = "block 4: a signature of transaction",
        [FAULT_BATCH_SIGNATURE] = "block 4: the maker's signature",
        [FAULT_ID_ROOT] = "block 4: the transactions of batch",
        [FAULT_HEADER] = "block 4: its header differ",
        [FAULT_ORDER] = "block 4",
        [FAULT_RECEIPTS] = "block 4: its receipts differ",
        [FAULT_DELTAS] = "block 4: its deltas differ",
        [FAULT_TX_IDS] = "block 4: its transaction ids differ",
        [FAULT_CERTIFICATE] = "block 4: its certificate does not hold",
        [FAULT_BODY] = "block 4",
        [FAULT_BODY_MISSING] = "block 4: the body of batch #1 of maker 3 cannot be read",
        [FAULT_STATE] = "state: the entry",
    };
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        struct sy_error err;
        ledger_store_open(&ls, NULL);
        fill(&ls, (enum ledger_fault)fault);
        sy_status status = audit_store(ls.store, &ls.genesis, &err);
        if (status == SY_OK) fail_msg("fault %d was not found", fault);
        if (!strstr(err.text, words[fault])) {
            fail_msg("fault %d: '%s' does not say '%s'", fault, err.text, words[fault]);
        }
        bool is_late = fault == FAULT_STATE;
        assert_true(is_late ? figures.height == 6 : figures.height >= 3);
        ledger_store_close(&ls);
    }
}

/* More blocks than certificates wait for; the store is then as large as such a test can make it. */
static void fill_long(uint64_t bad, uint64_t also, enum ledger_fault fault)
{
    ledger_store_open(&ls, NULL);
    for (uint64_t height = 1; height <= AUDIT_CERTIFICATES_MAX + 20; height++) {
        if (height == bad || height == also) {
            ledger_store_block(&ls, true, height == bad ? FAULT_CERTIFICATE : fault);
        } else {
            ledger_store_empty(&ls, true);
        }
    }
}

CASE(a_bad_certificate_is_told_as_if_it_had_been_judged_at_its_place)
{
    static const uint64_t places[] = {1,
                                      2,
                                      AUDIT_CERTIFICATES_MAX - 1,
                                      AUDIT_CERTIFICATES_MAX,
                                      AUDIT_CERTIFICATES_MAX + 1,
                                      AUDIT_CERTIFICATES_MAX + 20};
    for (size_t i = 0; i < 2 * sizeof places / sizeof places[0]; i++) {
        struct sy_error err;
        char sentence[64];
        uint64_t place = places[i / 2];
        bool pruned = i % 2 == 1;
        fill_long(place, 0, FAULT_NONE);
        if (pruned) prune(&ls, AUDIT_CERTIFICATES_MAX + 20);
        assert_int_equal(audit_store(ls.store, &ls.genesis, &err), SY_ERR_CRYPTO);
        (void)snprintf(sentence, sizeof sentence, "block %llu: its certificate does not hold",
                       (unsigned long long)place);
        assert_string_equal(err.text, sentence);
        assert_int_equal(figures.height, place - 1);
        assert_int_equal(figures.certified, place - 1);
        assert_int_equal(figures.txs, pruned && place == AUDIT_CERTIFICATES_MAX + 20 ? 3 : 0);
        struct sy_header header;
        struct sy_slice bytes;
        sy_store_reader *reader = NULL;
        assert_int_equal(sy_store_reader_open(&reader, ls.store), SY_OK);
        assert_int_equal(sy_ledger_get(reader, &bytes, place - 1, SY_BLOCK_HEADER), SY_OK);
        struct sy_reader r = sy_reader_of(bytes);
        struct sy_hash hash;
        assert_true(sy_header_decode(&r, &header));
        sy_header_hash(&hash, &ls.genesis.hash, &header);
        assert_memory_equal(figures.header_hash.bytes, hash.bytes, 32);
        sy_store_reader_close(reader);
        ledger_store_close(&ls);
    }
}

CASE(a_bad_certificate_is_told_before_what_is_wrong_later)
{
    static const enum ledger_fault later[] = {FAULT_RECEIPTS, FAULT_DELTAS, FAULT_ORDER,
                                              FAULT_BODY_MISSING};
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        struct sy_error err;
        fill_long(5, 9, later[i]);
        assert_int_equal(audit_store(ls.store, &ls.genesis, &err), SY_ERR_CRYPTO);
        assert_string_equal(err.text, "block 5: its certificate does not hold");
        assert_int_equal(figures.height, 4);
        assert_int_equal(figures.certified, 4);
        ledger_store_close(&ls);
    }
}

CASE(a_fault_in_the_last_block_is_found)
{
    static const enum ledger_fault faults[] = {FAULT_TX_SIGNATURE, FAULT_POSSESSION,
                                               FAULT_BATCH_SIGNATURE, FAULT_ID_ROOT};
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct sy_error err;
        ledger_store_open(&ls, NULL);
        ledger_store_block(&ls, true, FAULT_NONE);
        ledger_store_block(&ls, true, faults[i]);
        assert_int_not_equal(audit_store(ls.store, &ls.genesis, &err), SY_OK);
        assert_non_null(strstr(err.text, "block 2"));
        ledger_store_close(&ls);
    }
}

CASE(blocks_without_certificates_yet_are_replayed_too)
{
    struct sy_error err;
    ledger_store_open(&ls, NULL);
    ledger_store_block(&ls, true, FAULT_NONE);
    struct sy_hash certified_root = ls.header.state_root;
    ledger_store_block(&ls, false, FAULT_NONE);
    ledger_store_block(&ls, false, FAULT_NONE);
    if (audit_store(ls.store, &ls.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(figures.height, 3);
    assert_int_equal(figures.certified, 1);
    assert_memory_equal(figures.certified_state_root.bytes, certified_root.bytes, 32);
    assert_memory_not_equal(figures.state_root.bytes, certified_root.bytes, 32);
    ledger_store_close(&ls);
}

CASE(genesis_alone_is_sound)
{
    struct sy_error err;
    ledger_store_open(&ls, NULL);
    if (audit_store(ls.store, &ls.genesis, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(figures.height, 0);
    assert_memory_equal(figures.state_root.bytes, ls.header.state_root.bytes, 32);
    ledger_store_close(&ls);
}

CASE(another_genesis_does_not_fit)
{
    struct sy_error err;
    static struct sy_genesis other;
    ledger_store_open(&ls, NULL);
    ledger_store_block(&ls, true, FAULT_NONE);
    test_genesis(&other, 5);
    assert_int_equal(audit_store(ls.store, &other, &err), SY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "block 0"));
    ledger_store_close(&ls);
}

CASE(an_empty_store_has_nothing_to_audit)
{
    struct sy_error err;
    sy_store *store = NULL;
    static struct sy_genesis genesis;
    test_genesis(&genesis, 4);
    struct sy_store_config config = {.genesis = genesis.hash, .init = true};
    assert_int_equal(sy_store_open_memory(&store, &config), SY_OK);
    assert_int_equal(audit_store(store, &genesis, &err), SY_ERR_NOT_FOUND);
    sy_store_close(store);
}

/* ---- the replay's own state --------------------------------------------------------------- */

struct walk {
    struct sy_hash last;
    size_t count;
    bool ascending;
};

static bool visit(void *user, const struct sy_hash *key, struct sy_slice value)
{
    struct walk *walk = (struct walk *)user;
    (void)value;
    walk->ascending =
        walk->ascending && (walk->count == 0 || sy_hash_compare(&walk->last, key) < 0);
    walk->last = *key;
    walk->count++;
    return true;
}

/* Compares a replay's state with a plain sorted array that had the same deltas. */
static void compare_states(sy_replay_state *state, struct state_array *plain)
{
    struct sy_state_source source = sy_replay_state_source(state);
    struct sy_state_source other = state_array_source(plain);
    assert_int_equal(sy_replay_state_count(state), plain->count);
    for (size_t i = 0; i < plain->count; i++) {
        struct sy_slice value;
        assert_true(sy_replay_state_get(state, &value, &plain->entries[i].key_hash));
        assert_true(
            sy_slice_equal(value, sy_slice_of(plain->entries[i].data, plain->entries[i].size)));
    }
    static const unsigned bits[] = {0, 1, 3, 8, 11, 16, 17, 24, 256};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        struct sy_hash prefix = test_hash((unsigned)i);
        if (bits[i] == 256) prefix = plain->entries[plain->count / 2].key_hash;
        struct walk mine = {.ascending = true}, theirs = {.ascending = true};
        assert_int_equal(source.scan(source.self, &prefix, bits[i], visit, &mine), SY_OK);
        assert_int_equal(other.scan(other.self, &prefix, bits[i], visit, &theirs), SY_OK);
        assert_true(mine.ascending);
        assert_int_equal(mine.count, theirs.count);
        assert_true(mine.count == 0 || sy_hash_equal(&mine.last, &theirs.last));
    }
}

CASE(the_replays_state_is_what_a_plain_array_is)
{
    static uint8_t bytes[1u << 16];
    sy_replay_state *replay = NULL;
    struct state_array plain = {0};
    struct sy_error err = {SY_OK, ""};
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    assert_int_equal(sy_replay_state_open(&replay, &err), SY_OK);
    for (unsigned round = 0; round < 60; round++) {
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        struct sy_hash key = {{0}};
        for (unsigned i = 0; i < 100; i++) {
            // Ascending keys, crowded into few buckets.
            sy_store_u64_be(key.bytes, sy_load_u64_be(key.bytes) + 1 +
                                           sy_prng_below(&prng, UINT64_C(1) << 42));
            struct sy_slice found;
            bool there = sy_replay_state_get(replay, &found, &key);
            uint8_t value[64];
            sy_prng_fill(&prng, value, sizeof value);
            struct sy_delta delta = {.key = key, .op = SY_DELTA_PUT};
            delta.value = sy_slice_of(value, (size_t)sy_prng_below(&prng, sizeof value));
            if (there) delta = (struct sy_delta){.key = key, .op = SY_DELTA_REMOVE};
            sy_delta_write(&w, &delta);
            key.bytes[8] = 0;
        }
        assert_false(w.failed);
        assert_int_equal(sy_replay_state_apply(replay, sy_writer_slice(&w), &err), SY_OK);
        state_array_apply(&plain, sy_writer_slice(&w));
    }
    // Take half of everything out again, in order.
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    for (size_t i = 0; i < plain.count && w.used + 64 < sizeof bytes; i += 2) {
        struct sy_delta delta = {.key = plain.entries[i].key_hash, .op = SY_DELTA_REMOVE};
        sy_delta_write(&w, &delta);
    }
    compare_states(replay, &plain);
    assert_int_equal(sy_replay_state_apply(replay, sy_writer_slice(&w), &err), SY_OK);
    state_array_apply(&plain, sy_writer_slice(&w));
    compare_states(replay, &plain);
    assert_int_equal(sy_replay_state_apply(replay, sy_slice_of("x", 1), &err), SY_ERR_FORMAT);
    sy_replay_state_close(replay);
    state_array_close(&plain);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_honest_twin_is_sound),
        cmocka_unit_test(an_honest_store_on_disk_is_sound),
        cmocka_unit_test(a_pruned_store_is_checked_as_far_as_it_goes_and_says_so),
        cmocka_unit_test(a_store_that_went_through_changes_of_the_roster_is_sound),
        cmocka_unit_test(certificates_of_another_epochs_roster_are_found),
        cmocka_unit_test(what_is_wrong_in_a_pruned_store_is_found_where_it_can_be),
        cmocka_unit_test(the_program_tells_it),
        cmocka_unit_test(every_fault_is_found_and_named),
        cmocka_unit_test(a_bad_certificate_is_told_as_if_it_had_been_judged_at_its_place),
        cmocka_unit_test(a_bad_certificate_is_told_before_what_is_wrong_later),
        cmocka_unit_test(a_fault_in_the_last_block_is_found),
        cmocka_unit_test(blocks_without_certificates_yet_are_replayed_too),
        cmocka_unit_test(genesis_alone_is_sound),
        cmocka_unit_test(another_genesis_does_not_fit),
        cmocka_unit_test(an_empty_store_has_nothing_to_audit),
        cmocka_unit_test(the_replays_state_is_what_a_plain_array_is),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
