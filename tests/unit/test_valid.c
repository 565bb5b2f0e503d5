/* test_valid.c: proofs of how a credential stood at a time gone by: what holds, and what somebody
 * might show instead: an older state, other suspensions, blocks that do not lie around the time. */
#include "core/client/valid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/systole.h"
#include "core/wire/checked.h"
#include "core/wire/genesis_json.h"
#include "tests/support/epochs.h"
#include "tests/support/test.h"

#define KEY 350u
#define ORG 7u
#define ENTRIES_MAX 8u
#define BLOCK_MS 1000
#define STATE_HEIGHT 90u
#define FILE_BYTES (1u << 20)

/* What the ledger holds: a doctor, and the suspensions of the doctor's organisation. */
static struct world {
    struct test_epochs chain;
    struct sy_credential doctor;
    struct sy_suspension suspensions[3];
    unsigned count;
    uint8_t room[ENTRIES_MAX][512];
    struct test_entry entries[ENTRIES_MAX];
    unsigned entry_count;
} w;
static struct sy_valid valid, other;
static enum sy_at_verdict verdict;
static struct sy_error err;
static uint8_t file[FILE_BYTES];

static struct sy_suspension suspension(uint64_t from, uint64_t until)
{
    return (struct sy_suspension){.begun = {1, 5, from, (int64_t)from * BLOCK_MS},
                                  .has_ended = until > 0,
                                  .ended = {1, 6, until, (int64_t)until * BLOCK_MS}};
}

static int begin(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    test_epochs_make(&w.chain, NULL);
    w.doctor = (struct sy_credential){.use = SY_KEY_TX,
                                      .role = SY_ROLE_DOCTOR,
                                      .holder = test_hash(ORG),
                                      .issued_height = 4,
                                      .not_before_ms = 0,
                                      .not_after_ms = TEST_GENESIS_MS + 1000000};
    w.suspensions[0] = suspension(10, 20);
    w.suspensions[1] = suspension(30, 40);
    w.count = 2;
    return 0;
}

static int64_t time_of(uint64_t height)
{
    return TEST_GENESIS_MS + (int64_t)height * BLOCK_MS;
}

static void add_entry(struct sy_hash place, const struct sy_writer *value)
{
    w.entries[w.entry_count++] = (struct test_entry){place, sy_writer_slice(value)};
}

/* The state as the world says, whatever the height. */
static void fill_state(void)
{
    struct sy_hash place, org = test_hash(ORG);
    struct sy_public_key key = test_public(KEY);
    w.entry_count = 0;
    struct sy_writer value = sy_writer_of(w.room[0], sizeof w.room[0]);
    sy_credential_encode(&value, &w.doctor);
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &key);
    add_entry(place, &value);
    for (unsigned i = 0; i < w.count; i++) {
        value = sy_writer_of(w.room[i + 1], sizeof w.room[0]);
        sy_suspension_encode(&value, &w.suspensions[i]);
        sy_state_key_suspension(&place, &org, i + 1);
        add_entry(place, &value);
    }
    value = sy_writer_of(w.room[7], sizeof w.room[0]);
    sy_count_encode(&value, 3);
    sy_state_key_id(&place, SY_STATE_SUSPENSIONS, &org);
    add_entry(place, &value);
}

static uint32_t epoch_of(uint64_t height)
{
    uint64_t epoch = height == 0 ? 0 : (height - 1) / TEST_EPOCH_HEIGHTS;
    return epoch < TEST_EPOCHS ? (uint32_t)epoch : TEST_EPOCHS - 1;
}

static void seal(struct sy_header *header, struct sy_certificate *certificate, uint64_t height)
{
    struct test_epochs *chain = &w.chain;
    *header = (struct sy_header){.protocol = 1,
                                 .height = height,
                                 .epoch = epoch_of(height),
                                 .time_ms = time_of(height),
                                 .next_roster = test_hash(99)};
    test_trie_root(&header->state_root, w.entries, w.entry_count);
    test_certify(certificate, &chain->genesis.hash, &chain->rosters[header->epoch], header);
}

static void add_proof(struct sy_valid *out, struct sy_hash place, uint64_t height)
{
    struct sy_valid_entry *entry = &out->entries[out->entry_count++];
    seal(&entry->header, &entry->certificate, height);
    test_trie_prove(&entry->state, w.entries, w.entry_count, &place);
}

static void add_suspension(struct sy_valid *out, uint64_t number, uint64_t height)
{
    struct sy_hash place, org = test_hash(ORG);
    sy_state_key_suspension(&place, &org, number);
    add_proof(out, place, height);
}

static void lay_blocks(struct sy_valid *out, uint64_t height)
{
    struct test_epochs *chain = &w.chain;
    struct sy_certificate unused;
    seal(&out->next, &out->next_certificate, height + 1);
    if (height > 0) {
        seal(&out->block, &unused, height);
        sy_header_hash(&out->next.previous, &chain->genesis.hash, &out->block);
    }
    test_certify(&out->next_certificate, &chain->genesis.hash, &chain->rosters[out->next.epoch],
                 &out->next);
}

/* The proof for a time right behind block `height`, told from the state of block `seen`; k: the
 * suspensions shown are k and k + 1; below 0: none. */
static void make(struct sy_valid *out, uint64_t height, uint64_t seen, int k)
{
    struct sy_hash place;
    struct test_epochs *chain = &w.chain;
    memset(out, 0, sizeof *out);
    memcpy(out->network, sy_network_tag(&chain->genesis), sizeof out->network);
    out->key = test_public(KEY);
    out->time_ms = time_of(height) + 1;
    fill_state();
    lay_blocks(out, height);
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &out->key);
    add_proof(out, place, seen);
    if (k > 0) add_suspension(out, (uint64_t)k, seen);
    if (k >= 0) add_suspension(out, (uint64_t)k + 1, seen);
    out->suspension = k > 0 ? (uint64_t)k : 0;
    uint32_t newest = epoch_of(seen) > out->next.epoch ? epoch_of(seen) : out->next.epoch;
    out->handovers = test_epochs_path(chain, 0, newest);
}

static sy_status check(void)
{
    return sy_valid_verify(&verdict, &valid, &w.chain.genesis, &err);
}

static void assert_verdict(uint64_t height, int k, enum sy_at_verdict wanted)
{
    make(&valid, height, STATE_HEIGHT, k);
    if (check() != SY_OK) fail_msg("height %u: %s", (unsigned)height, err.text);
    assert_int_equal(verdict, wanted);
}

static void assert_no_proof(const char *why)
{
    assert_int_equal(check(), SY_ERR_CRYPTO);
    if (!strstr(err.text, why)) fail_msg("'%s' is not in '%s'", why, err.text);
}

CASE(valid_tells_each_side_of_each_suspension)
{
    assert_verdict(3, -1, SY_AT_NOT_ENROLLED);
    assert_verdict(4, 0, SY_AT_VALID);
    assert_verdict(9, 0, SY_AT_VALID);
    assert_verdict(10, 1, SY_AT_ORG_SUSPENDED);
    assert_verdict(19, 1, SY_AT_ORG_SUSPENDED);
    assert_verdict(20, 1, SY_AT_VALID);
    assert_verdict(29, 1, SY_AT_VALID);
    assert_verdict(30, 2, SY_AT_ORG_SUSPENDED);
    assert_verdict(40, 2, SY_AT_VALID);
    w.suspensions[1].has_ended = false;
    assert_verdict(50, 2, SY_AT_ORG_SUSPENDED);
    w.count = 0;
    assert_verdict(50, 0, SY_AT_VALID);
}

CASE(valid_tells_what_a_credential_says_of_itself)
{
    w.doctor.revoked = true;
    w.doctor.revoked_height = 25;
    w.doctor.revoke_reason = 1;
    assert_verdict(24, 1, SY_AT_VALID);
    assert_verdict(25, -1, SY_AT_REVOKED);
    w.doctor.not_after_ms = time_of(22);
    assert_verdict(21, 1, SY_AT_VALID);
    assert_verdict(22, -1, SY_AT_EXPIRED); // the time behind the block counts, not the block's
    w.doctor.not_before_ms = time_of(6) + 2;
    assert_verdict(6, -1, SY_AT_EARLY);
    w.doctor.role = SY_ROLE_REGULATOR;
    assert_verdict(10, -1, SY_AT_VALID);
}

CASE(valid_tells_of_times_before_block_1)
{
    assert_verdict(0, -1, SY_AT_NOT_ENROLLED);
    valid.time_ms = 5; // before the genesis
    assert_int_equal(check(), SY_OK);
    assert_int_equal(verdict, SY_AT_NOT_ENROLLED);
}

CASE(valid_takes_no_state_from_before_the_block)
{
    make(&valid, 30, 29, 1); // "the last one has ended", as it then had
    assert_no_proof("before block 30");
    make(&valid, 40, STATE_HEIGHT, 2);
    make(&other, 40, 39, 2);
    valid.entries[1] = other.entries[1];
    assert_no_proof("before block 40");
    make(&valid, 40, STATE_HEIGHT, 2);
    valid.entries[2] = other.entries[2];
    assert_no_proof("before block 40");
    w.doctor.revoked = true;
    w.doctor.revoked_height = 25;
    w.doctor.revoke_reason = 1;
    make(&valid, 25, STATE_HEIGHT, -1);
    w.doctor.revoked = false;
    make(&other, 25, 24, 1);
    memcpy(valid.entries, other.entries, sizeof valid.entries);
    valid.entry_count = other.entry_count;
    valid.suspension = other.suspension;
    assert_no_proof("before block 25");
}

CASE(valid_takes_no_other_suspensions)
{
    make(&valid, 35, STATE_HEIGHT, 1); // hides the second one
    assert_no_proof("a later suspension had begun");
    make(&valid, 15, STATE_HEIGHT, 0); // hides all of them
    assert_no_proof("a later suspension had begun");
    make(&valid, 25, STATE_HEIGHT, 2); // one that is yet to come
    assert_no_proof("began later");
    make(&valid, 50, STATE_HEIGHT, 3);
    assert_no_proof("was never");
    make(&valid, 50, STATE_HEIGHT, -1); // none at all
    assert_no_proof("does not show what its organisation was");
    make(&valid, 50, STATE_HEIGHT, 2);
    valid.entry_count = 2;
    assert_no_proof("does not show what its organisation was");
    make(&valid, 35, STATE_HEIGHT, 1);
    make(&other, 35, STATE_HEIGHT, 2);
    valid.entries[2] = other.entries[2]; // absent, but number 3
    assert_no_proof("not the next suspension");
    make(&valid, 35, STATE_HEIGHT, 2);
    valid.entries[1] = valid.entries[2];
    assert_no_proof("not the last suspension");
    make(&valid, 3, STATE_HEIGHT, 0);
    assert_no_proof("no part in it");
    make(&valid, 50, STATE_HEIGHT, 2);
    valid.suspension = UINT64_MAX; // its successor would be number 0
    assert_no_proof("does not show what its organisation was");
}

CASE(valid_takes_no_other_credential)
{
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.key = test_public(KEY + 1);
    assert_no_proof("not the credential");
    w.doctor.use = SY_KEY_CONSENSUS;
    make(&valid, 25, STATE_HEIGHT, -1);
    assert_no_proof("no credential of a key for transactions");
}

CASE(valid_takes_blocks_that_lie_around_the_time_alone)
{
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.time_ms = time_of(26);
    assert_no_proof("not later than its time");
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.time_ms = time_of(25) - 1;
    assert_no_proof("later than its time");
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.time_ms = time_of(25);
    assert_int_equal(check(), SY_OK);
    make(&other, 26, STATE_HEIGHT, 1); // a gap: a suspension may have begun in it
    valid.next = other.next;
    valid.next_certificate = other.next_certificate;
    assert_no_proof("do not follow one another");
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.block.time_ms -= 500; // another block 25
    assert_no_proof("does not stand on the one it shows");
    make(&valid, 25, STATE_HEIGHT, 1);
    memset(&valid.block, 0, sizeof valid.block); // "it is block 0"
    assert_no_proof("do not follow one another");
}

CASE(valid_takes_what_the_rosters_sealed_alone)
{
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.network[3] ^= 1;
    assert_no_proof("another network");
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.next_certificate.seals[0].signature.bytes[5] ^= 1;
    assert_no_proof("certificate");
    for (unsigned i = 0; i < 3; i++) {
        make(&valid, 25, STATE_HEIGHT, 1);
        valid.entries[i].certificate.seals[1].signature.bytes[5] ^= 1;
        assert_no_proof("certificate");
        make(&valid, 25, STATE_HEIGHT, 1);
        valid.entries[i].state.siblings[0].bytes[0] ^= 1;
        assert_no_proof("state root");
    }
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.entries[0].header.time_ms++;
    assert_no_proof("certificate");
    // A roster that has handed over seals no later state.
    make(&valid, 25, STATE_HEIGHT, 1);
    valid.entries[2].header.epoch = 0;
    test_certify(&valid.entries[2].certificate, &w.chain.genesis.hash, &w.chain.rosters[0],
                 &valid.entries[2].header);
    assert_no_proof("certificate");
}

CASE(valid_takes_the_handovers_to_its_newest_epoch)
{
    uint64_t seen = 2 * TEST_EPOCH_HEIGHTS + 1; // H in epoch 0, H + 1 in epoch 1, the rest in 2
    make(&valid, TEST_EPOCH_HEIGHTS, seen, 0);
    assert_int_equal(check(), SY_OK);
    assert_int_equal(verdict, SY_AT_VALID);
    struct sy_slice whole = valid.handovers;
    valid.handovers = test_epochs_path(&w.chain, 0, 1);
    assert_int_equal(check(), SY_ERR_CRYPTO);
    valid.handovers = test_epochs_path(&w.chain, 0, 3);
    assert_no_proof("more handovers");
    valid.handovers = sy_slice_of(whole.data, whole.size - 1);
    assert_int_equal(check(), SY_ERR_CRYPTO);
}

/* ---- files -------------------------------------------------------------------------------- */

static struct sy_slice encode(void)
{
    struct sy_writer out = sy_writer_of(file, sizeof file);
    sy_valid_encode(&out, &valid);
    assert_false(out.failed);
    return sy_writer_slice(&out);
}

CASE(valid_files_come_back_as_they_were)
{
    static const int k[] = {-1, 0, 1, 2};
    static const uint64_t heights[] = {0, TEST_EPOCH_HEIGHTS, 25, 45};
    static uint8_t again[FILE_BYTES];
    for (size_t i = 0; i < 4; i++) {
        const char *what = "";
        make(&valid, heights[i], STATE_HEIGHT, k[i]);
        struct sy_slice bytes = encode();
        assert_true(sy_valid_is(bytes));
        if (!sy_valid_decode(&other, bytes, &what)) fail_msg("%s", what);
        assert_int_equal(sy_valid_verify(&verdict, &other, &w.chain.genesis, &err), SY_OK);
        struct sy_writer out = sy_writer_of(again, sizeof again);
        sy_valid_encode(&out, &other);
        assert_true(sy_slice_equal(sy_writer_slice(&out), bytes));
        for (size_t size = 0; size < bytes.size; size += 1 + size / 50) {
            assert_false(sy_valid_decode(&other, sy_slice_of(file, size), &what));
        }
        for (size_t at = 0; at < bytes.size; at += 1 + at / 50) {
            file[at] ^= 4;
            assert_false(sy_valid_decode(&other, bytes, &what));
            file[at] ^= 4;
        }
    }
    assert_false(sy_valid_is(sy_slice_of(file, 7)));
}

/* Whoever makes the checksum anew: no byte can be changed without being found out. */
CASE(valid_files_are_bound_by_hashes_and_seals)
{
    const char *what = "";
    static const uint8_t magic[8] = {'S', 'Y', 'V', 'A', 'L', 'I', 'D', '1'};
    static uint8_t forged[FILE_BYTES];
    w.suspensions[0] = suspension(1, 2);
    w.count = 1;
    w.doctor.issued_height = 1;
    make(&valid, 2, TEST_EPOCH_HEIGHTS, 1); // all in epoch 0
    assert_int_equal(check(), SY_OK);
    struct sy_slice bytes = encode();
    size_t time_at = 8 + 16 + 32;
    for (size_t at = 8; at + 32 < bytes.size; at++) {
        if (at >= time_at && at < time_at + 8) continue; // any time between its blocks will do
        struct sy_writer out = sy_writer_of(forged, sizeof forged);
        size_t start = sy_checked_begin(&out, magic);
        sy_write_raw(&out, file + 8, bytes.size - 40);
        forged[at] ^= 1;
        sy_checked_end(&out, start);
        if (!sy_valid_decode(&other, sy_writer_slice(&out), &what)) continue;
        if (sy_valid_verify(&verdict, &other, &w.chain.genesis, &err) == SY_OK) {
            fail_msg("byte %u can be changed", (unsigned)at);
        }
    }
}

static void path_of(char *out, size_t size, const char *name)
{
    const char *source = getenv("SYSTOLE_SOURCE");
    (void)snprintf(out, size, "%s/tests/fuzz/corpus/valid%s%s", source != NULL ? source : ".",
                   name[0] != '\0' ? "/" : "", name);
}

/* They are the fuzzer's first inputs. */
CASE(valid_files_equal_their_samples)
{
    static const struct {
        const char *name;
        uint64_t height, seen;
        int k;
    } samples[] = {{"before_block_1", 0, 4, -1},
                   {"never_suspended", TEST_EPOCH_HEIGHTS, 9, 0},
                   {"suspended", 15, 60, 1},
                   {"reinstated", 45, 60, 2}};
    const char *wish = getenv("SYSTOLE_REGENERATE");
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char path[512];
        uint8_t *stored = NULL;
        size_t size = 0;
        make(&valid, samples[i].height, samples[i].seen, samples[i].k);
        assert_int_equal(check(), SY_OK);
        struct sy_slice bytes = encode();
        if (wish != NULL && strcmp(wish, "1") == 0) {
            path_of(path, sizeof path, "");
            assert_int_equal(sy_os_make_dirs(path, 0755, &err), SY_OK);
            path_of(path, sizeof path, samples[i].name);
            assert_int_equal(sy_os_write_file(path, bytes.data, bytes.size, 0644, &err), SY_OK);
        }
        path_of(path, sizeof path, samples[i].name);
        if (sy_os_read_file(&stored, &size, path, FILE_BYTES, &err) != SY_OK) {
            fail_msg("%s (SYSTOLE_REGENERATE=1 writes it)", err.text);
        }
        assert_true(sy_slice_equal(sy_slice_of(stored, size), bytes));
        free(stored);
    }
}

/* The public library knows every verdict by its own word. */
CASE(valid_files_are_checked_by_the_library)
{
    static const struct {
        uint64_t height;
        int k;
        enum systole_standing stands;
    } all[] = {{0, -1, SYSTOLE_STANDING_NOT_ENROLLED},
               {15, 1, SYSTOLE_STANDING_SUSPENDED},
               {45, 2, SYSTOLE_STANDING_VALID}};
    char folder[256], path[300];
    systole_network *network = NULL;
    struct systole_credential_info info = {.struct_bytes = sizeof info};
    struct sy_public_key key = test_public(KEY);
    test_folder(folder, sizeof folder, "valid");
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    assert_int_equal(sy_genesis_save(&w.chain.genesis, path, &err), SY_OK);
    assert_int_equal(systole_network_open(&network, path, NULL, 0), SYSTOLE_OK);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        make(&valid, all[i].height, 60, all[i].k);
        struct sy_slice bytes = encode();
        if (systole_credential_verify(&info, network, bytes.data, bytes.size) != SYSTOLE_OK) {
            fail_msg("%s", systole_error_text());
        }
        assert_int_equal(info.stands, all[i].stands);
        assert_memory_equal(info.credential, key.bytes, 32);
        assert_true(info.height == all[i].height && info.time_ms == valid.time_ms);
        assert_int_equal(systole_credential_verify(&info, network, bytes.data, bytes.size - 1),
                         SYSTOLE_ERR_FORMAT);
    }
    valid.entries[0].header.height++; // which its seals do not cover
    struct sy_slice bytes = encode();
    assert_int_equal(systole_credential_verify(&info, network, bytes.data, bytes.size),
                     SYSTOLE_ERR_NOT_PROVEN);
    info.struct_bytes = 8;
    assert_int_equal(systole_credential_verify(&info, network, bytes.data, bytes.size),
                     SYSTOLE_ERR_ARGUMENT);
    systole_network_close(network);
    assert_int_equal(sy_os_remove_tree(folder, &err), SY_OK);
}

#define IN_WORLD(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_WORLD(valid_tells_each_side_of_each_suspension),
        IN_WORLD(valid_tells_what_a_credential_says_of_itself),
        IN_WORLD(valid_tells_of_times_before_block_1),
        IN_WORLD(valid_takes_no_state_from_before_the_block),
        IN_WORLD(valid_takes_no_other_suspensions),
        IN_WORLD(valid_takes_no_other_credential),
        IN_WORLD(valid_takes_blocks_that_lie_around_the_time_alone),
        IN_WORLD(valid_takes_what_the_rosters_sealed_alone),
        IN_WORLD(valid_takes_the_handovers_to_its_newest_epoch),
        IN_WORLD(valid_files_come_back_as_they_were),
        IN_WORLD(valid_files_equal_their_samples),
        IN_WORLD(valid_files_are_bound_by_hashes_and_seals),
        IN_WORLD(valid_files_are_checked_by_the_library),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
