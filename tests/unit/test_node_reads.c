/* test_node_reads.c: what is read is noted, logged once, whatever dies in between, and kept. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "consensus/node/reads_internal.h"
#include "core/base/os.h"
#include "core/wire/receipt.h"
#include "core/wire/state.h"
#include "tests/unit/chain_rig.h"

enum { VALIDATOR = 1, TXS = 16, GHOSTS = 4 };
#define SECOND_NS 1000000000ull

static struct chain_rig chain;
static char folder[64];
static sy_reads *reads;
static sy_reads *ghosts[GHOSTS]; /* of processes that were killed */
static unsigned ghost_count;
static struct sy_hash patients[6];
static uint64_t now_ns;
static uint8_t rooms[TXS][4096]; /* transactions of the newest turn */
static struct sy_slice txs[TXS];
static unsigned tx_count;

static void open_with(uint32_t logs_max, unsigned validator)
{
    static sy_secret_key *key;
    memcpy(&key, &(const sy_secret_key *){test_key(3 * validator)}, sizeof key);
    struct sy_error err = {SY_OK, ""};
    struct sy_reads_config config = {.folder = folder,
                                     .store = chain.store,
                                     .genesis = &chain.genesis,
                                     .consensus = sy_signer_of_key(key),
                                     .validator = test_public(3 * validator),
                                     .organisation =
                                         chain.genesis.roster.validators[VALIDATOR].organisation,
                                     .delay_ns = SECOND_NS,
                                     .kept_bytes_max = 1 << 20,
                                     .logs_max = logs_max};
    if (sy_reads_open(&reads, &config, &err) != SY_OK) fail_msg("%s", err.text);
}

static void find_patients(void)
{
    for (unsigned i = 0; i < 6; i++) {
        uint8_t room[SY_POPULATION_TX_BYTES];
        struct sy_hash id;
        struct sy_tx tx;
        union sy_payload payload;
        struct sy_slice bytes =
            sy_population_stage(chain.population, room, &id, 2, i, TEST_GENESIS_MS + 1000);
        assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
        assert_true(sy_payload_decode(&payload, sy_kind_by_number(tx.kind), tx.payload, NULL));
        patients[i] = payload.patient_enrol.patient_id;
    }
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/systole-reads-XXXXXX");
    assert_non_null(mkdtemp(folder));
    chain_open(&chain);
    chain_populate(&chain);
    find_patients();
    now_ns = SECOND_NS;
    open_with(0, VALIDATOR);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sy_os_failpoint_arm(NULL, 0, NULL);
    sy_reads_close(reads);
    while (ghost_count > 0) sy_reads_close(ghosts[--ghost_count]);
    chain_close(&chain);
    assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
    return 0;
}

/* ---- what happens ------------------------------------------------------------------------ */

static struct sy_disclosed leaf_of(unsigned patient, int64_t at_ms)
{
    return (struct sy_disclosed){.patient = patients[patient],
                                 .reader = test_public(77),
                                 .record = test_hash(500),
                                 .purpose = SY_PURPOSE_TREATMENT,
                                 .time_ms = chain.done->header.time_ms + at_ms,
                                 .ground = SY_GROUND_ENROLLED};
}

static sy_status note(unsigned patient)
{
    struct sy_disclosed leaf = leaf_of(patient, 0);
    return sy_reads_note(reads, &leaf, 1, now_ns);
}

/* A turn at a later time; its transactions are kept. */
static unsigned turn_after(uint64_t ns)
{
    sy_state_view *view;
    struct sy_slice all;
    now_ns += ns;
    sy_reads_certified(reads);
    assert_int_equal(sy_state_view_open(&view, chain.store), SY_OK);
    tx_count = sy_reads_turn(reads, &all, view, sy_ledger_certified(chain.store),
                             chain.done->header.time_ms, now_ns);
    sy_state_view_close(view);
    struct sy_reader r = sy_reader_of(all);
    for (unsigned i = 0; i < tx_count; i++) {
        struct sy_slice tx = sy_read_bytes32(&r, sizeof rooms[i], "tx");
        assert_false(r.failed);
        memcpy(rooms[i], tx.data, tx.size);
        txs[i] = sy_slice_of(rooms[i], tx.size);
    }
    assert_true(sy_reader_done(&r));
    return tx_count;
}

/* Admission's question: do all signatures in it hold? */
static void assert_admissible(struct sy_slice bytes)
{
    struct sy_tx tx;
    struct sy_hash id;
    struct sy_tx_proof proofs[4];
    struct sy_signature signature;
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, sy_network_tag(&chain.genesis)), SY_APPLIED);
    sy_tx_id(&id, &tx);
    memcpy(&signature, tx.signatures.data, sizeof signature);
    assert_true(sy_verify_one(&tx.signer, SY_SIG_TX, &id, &signature));
    unsigned count = sy_tx_proofs(proofs, 4, &tx, &chain.genesis.hash);
    assert_int_equal(count, tx.kind == SY_KIND_validator_signer ? 1 : 0);
    for (unsigned i = 0; i < count; i++) {
        assert_true(sy_verify_one(&proofs[i].key, (enum sy_sig_kind)proofs[i].sig_kind,
                                  &proofs[i].digest, &proofs[i].signature));
    }
}

static void add_txs(void)
{
    for (unsigned i = 0; i < tx_count; i++) {
        assert_admissible(txs[i]);
        uint8_t *copy = chain.room + chain.room_used;
        memcpy(copy, txs[i].data, txs[i].size);
        chain.txs[chain.tx_count++] = sy_slice_of(copy, txs[i].size);
        chain.room_used += txs[i].size;
    }
}

/* Runs and certifies a block of what was added; applied and refused are what it says. */
static void run(unsigned applied, unsigned refused)
{
    if (chain.tx_count > 0) (void)chain_batch(&chain, 0);
    chain_run(&chain);
    chain_certify(&chain);
    assert_int_equal(chain.done->applied_count, applied);
    assert_int_equal(chain.done->refused_count, refused);
}

static uint16_t kind_of(struct sy_slice bytes)
{
    struct sy_tx tx;
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    return tx.kind;
}

/* The key is enrolled by the first log that waits. */
static void enrol(void)
{
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(kind_of(txs[0]), SY_KIND_validator_signer);
    add_txs();
    run(1, 0);
}

static struct sy_access_log log_in(struct sy_slice bytes, union sy_payload *payload)
{
    struct sy_tx tx;
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    assert_int_equal(tx.kind, SY_KIND_access_log);
    assert_true(sy_payload_decode(payload, sy_kind_by_number(tx.kind), tx.payload, NULL));
    return payload->access_log;
}

static bool find_log(struct sy_access_logged *log, const struct sy_hash *id)
{
    sy_state_view *view;
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_id(&place, SY_STATE_ACCESS_LOG, id);
    assert_int_equal(sy_state_view_open(&view, chain.store), SY_OK);
    bool found =
        sy_state_view_get(view, &value, &place) == SY_OK && sy_access_logged_decode(log, value);
    sy_state_view_close(view);
    return found;
}

static unsigned files_in(const char *under)
{
    char path[128];
    unsigned count = 0;
    (void)snprintf(path, sizeof path, "%s%s", folder, under);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count += strstr(entry->d_name, ".leaves") != NULL;
    }
    (void)closedir(dir);
    return count;
}

/* How many leaves the days kept have. */
static unsigned kept_leaves(void)
{
    char path[400];
    unsigned leaves = 0;
    (void)snprintf(path, sizeof path, "%s/kept", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        uint8_t *bytes, network[16];
        size_t size;
        struct sy_hash id;
        struct sy_disclosed leaf;
        if (strstr(entry->d_name, ".leaves") == NULL) continue;
        (void)snprintf(path, sizeof path, "%s/kept/%s", folder, entry->d_name);
        assert_int_equal(sy_os_read_file(&bytes, &size, path, 1 << 20, NULL), SY_OK);
        struct sy_reader r = sy_reader_of(sy_slice_of(bytes, size));
        while (sy_leaves_head_next(&r, network, &id)) {
            for (uint32_t i = 0; sy_leaves_entry_next(&r, &leaf, &id, i); i++) leaves++;
        }
        assert_int_equal(sy_reader_left(&r), 0);
        free(bytes);
    }
    (void)closedir(dir);
    return leaves;
}

/* A process that is killed: its files stay as they are, its memory does not. */
static void kill_and_start_again(void)
{
    assert_true(ghost_count < GHOSTS);
    ghosts[ghost_count++] = reads;
    open_with(0, VALIDATOR);
}

/* ---- cases ------------------------------------------------------------------------------- */

CASE(reads_are_logged_and_their_leaves_kept)
{
    struct sy_access_logged log;
    union sy_payload payload;
    assert_true(sy_reads_wake(reads) == UINT64_MAX);
    assert_int_equal(note(0), SY_OK);
    assert_int_equal(note(1), SY_OK);
    assert_int_equal(note(0), SY_OK);
    assert_true(sy_reads_wake(reads) == now_ns + SECOND_NS);
    assert_int_equal(turn_after(SECOND_NS / 2), 0); // not yet
    enrol();
    assert_int_equal(turn_after(0), 1);
    struct sy_access_log said = log_in(txs[0], &payload);
    assert_int_equal(said.patients.count, 2);
    assert_int_equal(sy_load_u32(said.counts.data), 2);
    assert_int_equal(sy_load_u32(said.counts.data + 4), 1);
    add_txs();
    run(1, 0);
    assert_int_equal(sy_reads_waiting(reads), 1); // it has not looked
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(sy_reads_waiting(reads), 0);
    assert_true(sy_reads_wake(reads) == UINT64_MAX);
    assert_true(find_log(&log, &said.log_id));
    assert_int_equal(log.count, 3);
    assert_int_equal(files_in(""), 0);
    assert_int_equal(kept_leaves(), 3);
    assert_int_equal(note(2), SY_OK); // the key is enrolled once
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(kind_of(txs[0]), SY_KIND_access_log);
}

/* A watch asks for the patient's entry every few seconds. */
CASE(what_is_no_record_is_noted_once_an_hour)
{
    union sy_payload payload;
    struct sy_disclosed leaf = leaf_of(0, 0), other = leaf_of(0, 0);
    memset(&leaf.record, 0, sizeof leaf.record);
    memset(&other.record, 0, sizeof other.record);
    other.purpose = SY_PURPOSE_PAYMENT;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(sy_reads_note(reads, &leaf, 1, now_ns), SY_OK);
    }
    assert_int_equal(sy_reads_note(reads, &other, 1, now_ns), SY_OK);
    enrol();
    assert_int_equal(turn_after(0), 1);
    assert_int_equal(sy_load_u32(log_in(txs[0], &payload).counts.data), 2);
    assert_int_equal(sy_reads_note(reads, &leaf, 1, now_ns), SY_OK);
    assert_int_equal(sy_reads_waiting(reads), 1);
    now_ns += SY_READS_AGAIN_NS;
    assert_int_equal(sy_reads_note(reads, &leaf, 1, now_ns), SY_OK);
    assert_int_equal(sy_reads_waiting(reads), 2);
}

CASE(what_was_not_ordered_is_sent_again_as_it_was)
{
    uint8_t before[4096];
    assert_int_equal(note(0), SY_OK);
    enrol();
    assert_int_equal(turn_after(0), 1);
    size_t size = txs[0].size;
    memcpy(before, txs[0].data, size);
    assert_int_equal(turn_after(SECOND_NS), 0); // it is under way
    assert_int_equal(turn_after(6 * SECOND_NS), 1);
    assert_int_equal(txs[0].size, size);
    assert_memory_equal(txs[0].data, before, size);
}

CASE(a_killed_validator_loses_nothing_and_logs_nothing_twice)
{
    struct sy_access_logged log;
    union sy_payload payload;
    assert_int_equal(note(0), SY_OK);
    kill_and_start_again(); // before anything was sealed
    assert_int_equal(sy_reads_waiting(reads), 1);
    assert_int_equal(note(3), SY_OK); // another log's
    enrol();
    assert_int_equal(turn_after(0), 2);
    add_txs();              // they are on their way ...
    kill_and_start_again(); // ... and it does not know
    assert_int_equal(turn_after(0), 2);
    struct sy_access_log said = log_in(txs[0], &payload);
    add_txs();
    run(2, 2); // each once
    assert_true(find_log(&log, &said.log_id));
    assert_int_equal(log.count, 1);
    kill_and_start_again(); // before it sees that
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(sy_reads_waiting(reads), 0);
    assert_int_equal(kept_leaves(), 2);
}

CASE(a_file_that_was_cut_off_has_what_is_whole_in_it)
{
    char path[400] = "";
    union sy_payload payload;
    for (unsigned i = 0; i < 3; i++) assert_int_equal(note(i), SY_OK);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strstr(entry->d_name, ".leaves") == NULL) continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    }
    (void)closedir(dir);
    assert_int_equal(truncate(path, SY_LEAVES_HEAD_BYTES + 3 * SY_LEAF_ENTRY_BYTES - 10), 0);
    kill_and_start_again();
    enrol();
    assert_int_equal(turn_after(0), 1);
    assert_int_equal(log_in(txs[0], &payload).patients.count, 2);
    sy_reads_close(reads);
    assert_int_equal(truncate(path, SY_LEAVES_HEAD_BYTES - 1), 0); // nothing was ever in it
    open_with(0, VALIDATOR);
    assert_int_equal(sy_reads_waiting(reads), 0);
    assert_int_equal(files_in(""), 0);
}

CASE(a_log_names_no_more_than_one_may)
{
    struct sy_disclosed leaves[SY_LOG_PATIENTS_MAX + 1];
    for (unsigned i = 0; i <= SY_LOG_PATIENTS_MAX; i++) {
        leaves[i] = leaf_of(0, 0);
        leaves[i].patient = test_hash(100 + i);
    }
    assert_int_equal(sy_reads_note(reads, leaves, SY_LOG_PATIENTS_MAX, now_ns), SY_OK);
    assert_int_equal(sy_reads_waiting(reads), 1);
    assert_int_equal(sy_reads_note(reads, &leaves[3], 1, now_ns), SY_OK); // known there
    assert_int_equal(sy_reads_waiting(reads), 1);
    assert_int_equal(sy_reads_note(reads, &leaves[SY_LOG_PATIENTS_MAX], 1, now_ns), SY_OK);
    assert_int_equal(sy_reads_waiting(reads), 2);
    struct sy_disclosed late = leaf_of(0, SY_LOG_SPAN_MS_MAX + 1);
    assert_int_equal(sy_reads_note(reads, &late, 1, now_ns), SY_OK);
    assert_int_equal(sy_reads_waiting(reads), 3);
    for (unsigned i = 0; i < SY_READS_LEAVES_MAX; i++) {
        assert_int_equal(sy_reads_note(reads, &late, 1, now_ns), SY_OK);
    }
    assert_int_equal(sy_reads_waiting(reads), 4);
}

CASE(what_cannot_be_noted_is_refused)
{
    union sy_payload payload;
    sy_os_failpoint_arm("reads.append", 1, "enospc"); // a file's head
    assert_int_equal(note(0), SY_ERR_DISK_FULL);
    assert_int_equal(files_in(""), 0);
    sy_os_failpoint_arm("reads.append", 2, "eio"); // its first leaf: nothing of it waits
    assert_int_equal(note(0), SY_ERR_IO);
    assert_int_equal(files_in(""), 0);
    assert_int_equal(sy_reads_waiting(reads), 0);
    assert_int_equal(note(0), SY_OK);
    sy_os_failpoint_arm("reads.append", 1, "eio"); // a leaf
    assert_int_equal(note(1), SY_ERR_IO);
    assert_int_equal(note(2), SY_OK);
    sy_reads_close(reads);
    open_with(3, VALIDATOR);
    assert_int_equal(sy_reads_waiting(reads), 2);
    assert_int_equal(note(0), SY_OK);
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(note(0), SY_ERR_BUSY); // three wait
    add_txs();
    run(1, 0);
    assert_int_equal(turn_after(0), 3);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(log_in(txs[i], &payload).patients.count, 1);
    add_txs();
    run(3, 0);
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(note(0), SY_OK);
}

CASE(what_was_refused_is_sent_anew)
{
    struct sy_tx tx;
    struct sy_disclosed nobody = leaf_of(0, 0);
    nobody.patient = test_hash(9999); // E_PATIENT_UNKNOWN, whenever it runs
    assert_int_equal(sy_reads_note(reads, &nobody, 1, now_ns), SY_OK);
    enrol();
    assert_int_equal(turn_after(0), 1);
    assert_int_equal(sy_tx_decode(&tx, NULL, txs[0], NULL), SY_APPLIED);
    uint64_t nonce = tx.nonce;
    add_txs();
    run(0, 1);
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(sy_tx_decode(&tx, NULL, txs[0], NULL), SY_APPLIED);
    assert_true(tx.nonce > nonce);
}

CASE(a_log_is_not_kept_before_it_is_certified)
{
    assert_int_equal(note(0), SY_OK);
    enrol();
    assert_int_equal(turn_after(0), 1);
    add_txs();
    (void)chain_batch(&chain, 0);
    chain_run(&chain);
    assert_int_equal(turn_after(6 * SECOND_NS), 0);
    assert_int_equal(sy_reads_waiting(reads), 1);
    chain_certify(&chain);
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(sy_reads_waiting(reads), 0);
}

/* With another consensus key it is another validator, whose logs the old key may not sign. */
CASE(another_consensus_key_gets_another_signing_key)
{
    struct sy_tx tx;
    assert_int_equal(note(0), SY_OK);
    enrol();
    assert_int_equal(turn_after(0), 1);
    assert_int_equal(sy_tx_decode(&tx, NULL, txs[0], NULL), SY_APPLIED);
    struct sy_public_key before = tx.signer;
    sy_reads_close(reads);
    open_with(0, VALIDATOR); // the same
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(sy_tx_decode(&tx, NULL, txs[0], NULL), SY_APPLIED);
    assert_memory_equal(tx.signer.bytes, before.bytes, 32);
    sy_reads_close(reads);
    open_with(0, VALIDATOR + 1);
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(sy_tx_decode(&tx, NULL, txs[0], NULL), SY_APPLIED);
    assert_int_equal(tx.kind, SY_KIND_validator_signer);
    assert_memory_not_equal(tx.signer.bytes, before.bytes, 32);
}

/* Two ids turn out to be one person's: adds that to the batch being made. */
static void add_merge(unsigned patient, unsigned into)
{
    struct sy_hash id;
    uint8_t *out = chain.room + chain.room_used;
    struct sy_slice tx = sy_population_merge(chain.population, out, &id, patient, into,
                                             chain.done->header.time_ms + 60000);
    chain.txs[chain.tx_count++] = tx;
    chain.room_used += tx.size;
}

CASE(a_merge_between_a_read_and_its_log_is_followed)
{
    union sy_payload payload;
    struct sy_access_logged log;
    assert_int_equal(note(0), SY_OK);
    assert_int_equal(note(1), SY_OK);
    enrol(); // the log is made and waits for the key
    add_merge(0, 1);
    run(1, 0);
    kill_and_start_again(); // what was noted under the id that ended is the person's all the same
    assert_int_equal(turn_after(0), 1);
    struct sy_access_log said = log_in(txs[0], &payload);
    assert_int_equal(said.patients.count, 1);
    assert_memory_equal(said.patients.items.data, patients[1].bytes, 32);
    assert_int_equal(sy_load_u32(said.counts.data), 2);
    add_txs();
    run(1, 0);
    assert_true(find_log(&log, &said.log_id));
    assert_int_equal(log.count, 2);
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(sy_reads_waiting(reads), 0);
    assert_int_equal(kept_leaves(), 2);
}

/* The merge is ordered before a log that is on its way. */
CASE(a_log_that_a_merge_overtakes_is_made_anew)
{
    struct sy_tx tx;
    union sy_payload payload;
    assert_int_equal(note(0), SY_OK);
    assert_int_equal(note(2), SY_OK);
    enrol();
    assert_int_equal(turn_after(0), 1);
    assert_int_equal(log_in(txs[0], &payload).patients.count, 2);
    assert_int_equal(sy_tx_decode(&tx, NULL, txs[0], NULL), SY_APPLIED);
    uint64_t nonce = tx.nonce;
    add_merge(0, 1);
    add_txs();
    run(1, 1); // E_PATIENT_MERGED
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(sy_reads_waiting(reads), 1);
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(sy_tx_decode(&tx, NULL, txs[0], NULL), SY_APPLIED);
    assert_true(tx.nonce > nonce);
    struct sy_access_log said = log_in(txs[0], &payload);
    assert_int_equal(said.patients.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_memory_not_equal(said.patients.items.data + 32 * i, patients[0].bytes, 32);
    }
    add_txs();
    run(1, 0);
    assert_int_equal(turn_after(0), 0);
    assert_int_equal(sy_reads_waiting(reads), 0);
    assert_int_equal(kept_leaves(), 2);
}

static uint64_t nonce_of(struct sy_slice bytes)
{
    struct sy_tx tx;
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    assert_int_equal(tx.kind, SY_KIND_validator_signer);
    return tx.nonce;
}

/* An enrolment that nobody orders takes another nonce when it has run out, of those that the
 * consensus key vouched for, and none twice. */
CASE(enrolment_nonces_that_ran_out_are_not_taken_again)
{
    assert_int_equal(note(0), SY_OK);
    for (unsigned i = 1; i <= READS_VOUCHES; i++) {
        assert_int_equal(turn_after(10 * SECOND_NS), 1);
        assert_int_equal(nonce_of(txs[0]), i);
        assert_admissible(txs[0]);
        struct sy_slice before = txs[0];
        uint8_t kept[sizeof rooms[0]];
        memcpy(kept, before.data, before.size);
        assert_int_equal(turn_after(10 * SECOND_NS), 1); // while it is good: the same again
        assert_memory_equal(txs[0].data, kept, before.size);
        chain.step_ms = 700000; // more than it is good for
        run(0, 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(turn_after(10 * SECOND_NS), 0); // none is left, before the next start
        run(0, 0);
    }
    assert_int_equal(sy_reads_waiting(reads), 1); // and what was read is not lost
    kill_and_start_again();
    assert_int_equal(turn_after(10 * SECOND_NS), 1);
    assert_int_equal(nonce_of(txs[0]), 1); // no ledger saw it
}

/* A copy of a validator without its folder makes another signing key, too soon after the first one:
 * the ledger refuses it, and keeps its nonce. */
CASE(spent_enrolment_nonces_stay_spent)
{
    char first[sizeof folder];
    assert_int_equal(note(0), SY_OK);
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(nonce_of(txs[0]), 1);
    add_txs();
    ghosts[ghost_count++] = reads;
    memcpy(first, folder, sizeof folder);
    strcpy(folder, "/tmp/systole-reads-XXXXXX");
    assert_non_null(mkdtemp(folder));
    open_with(0, VALIDATOR);
    assert_int_equal(note(1), SY_OK);
    assert_int_equal(turn_after(2 * SECOND_NS), 1);
    assert_int_equal(nonce_of(txs[0]), 1); // of another key
    add_txs();
    run(1, 1);                                       // E_SIGNER_RECENT
    assert_int_equal(turn_after(10 * SECOND_NS), 0); // a day early
    kill_and_start_again();                          // and forgets what it sent
    assert_int_equal(turn_after(10 * SECOND_NS), 0);
    chain.step_ms = SY_SIGNER_MS_MIN;
    run(0, 0);
    assert_int_equal(turn_after(10 * SECOND_NS), 1);
    assert_int_equal(nonce_of(txs[0]), 2);
    chain.step_ms = 0;
    add_txs();
    run(1, 0);
    assert_int_equal(turn_after(10 * SECOND_NS), 1);
    assert_int_equal(kind_of(txs[0]), SY_KIND_access_log);
    assert_int_equal(sy_os_remove_tree(first, NULL), SY_OK);
}

#define WITH_READS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_READS(reads_are_logged_and_their_leaves_kept),
        WITH_READS(what_is_no_record_is_noted_once_an_hour),
        WITH_READS(what_was_not_ordered_is_sent_again_as_it_was),
        WITH_READS(a_killed_validator_loses_nothing_and_logs_nothing_twice),
        WITH_READS(a_file_that_was_cut_off_has_what_is_whole_in_it),
        WITH_READS(a_log_names_no_more_than_one_may),
        WITH_READS(what_cannot_be_noted_is_refused),
        WITH_READS(what_was_refused_is_sent_anew),
        WITH_READS(a_log_is_not_kept_before_it_is_certified),
        WITH_READS(another_consensus_key_gets_another_signing_key),
        WITH_READS(a_merge_between_a_read_and_its_log_is_followed),
        WITH_READS(a_log_that_a_merge_overtakes_is_made_anew),
        WITH_READS(enrolment_nonces_that_ran_out_are_not_taken_again),
        WITH_READS(spent_enrolment_nonces_stay_spent),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
