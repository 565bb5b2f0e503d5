/* test_history.c: what an export carries of a record's graph: all of it, of then, and of this
 * record alone; and what whoever exports might leave out of it. */
#include "core/client/history.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define RECORD 10u
#define OTHER 11u
#define AS_OF 50u
#define LINKS 2u
#define FILE_MAX (1u << 20)

static char folder[] = "/tmp/systole_history_XXXXXX";
static struct sy_genesis genesis;
static struct sy_manifest manifest;
static struct sy_history history;
static sy_x25519_key *key, *other_key;
static struct sy_error err;

/* The state: a record of three versions, two of them heads, one cosigned; two links. */
static struct sy_record record;
static uint64_t rig_links = LINKS; /* that it says */
static uint8_t room[16][1024];
static struct test_entry entries[16];
static unsigned entry_count;
static struct sy_proof proof;

static uint8_t plain[FILE_MAX];
static struct sy_writer proofs; /* over plain */
static uint32_t proof_count;

static struct sy_writer begin_entry(void)
{
    return sy_writer_of(room[entry_count], sizeof room[0]);
}

static void end_entry(const struct sy_writer *w, enum sy_state_kind kind, unsigned id,
                      uint64_t number)
{
    struct sy_hash name = test_hash(id), second = {{0}}, place;
    sy_store_u64(second.bytes, number);
    assert_true(sy_state_key_of(&place, kind, &name, &second));
    entries[entry_count++] = (struct test_entry){place, sy_writer_slice(w)};
}

static struct sy_record_version version_of(uint32_t number)
{
    return (struct sy_record_version){.version = number,
                                      .parent = number > 1 ? 1 : 0,
                                      .form = SY_FORM_RAW,
                                      .size = 1024,
                                      .commit = test_hash(number),
                                      .author_role = SY_ROLE_DOCTOR,
                                      .reason = number > 1 ? SY_AMEND_SOURCE : 0,
                                      .height = number};
}

static void fill_state(void)
{
    struct sy_writer w;
    entry_count = 0;
    record = (struct sy_record){.subject_kind = SY_SUBJECT_PATIENT,
                                .subject = test_hash(1),
                                .holder = test_hash(2),
                                .record_class = sy_slice_of("Observation", 11),
                                .versions = 3,
                                .head_count = 2,
                                .heads = {2, 3},
                                .links = rig_links,
                                .first = version_of(1)};
    for (unsigned id = RECORD; id <= OTHER; id++) {
        w = begin_entry();
        sy_record_encode(&w, &record);
        end_entry(&w, SY_STATE_RECORD, id, 0);
    }
    for (uint32_t v = 2; v <= 3; v++) {
        struct sy_record_version version = version_of(v);
        w = begin_entry();
        sy_record_version_encode(&w, &version);
        end_entry(&w, SY_STATE_RECORD_VERSION, RECORD, v);
    }
    struct sy_cosignatures list = {
        .count = 1, .items = {{test_public(9), SY_ROLE_DOCTOR, test_hash(2), 1, 4, 5}}};
    w = begin_entry();
    sy_cosignatures_encode(&w, &list);
    end_entry(&w, SY_STATE_COSIGNATURES, RECORD, 2);
    for (uint64_t n = 1; n <= LINKS; n++) {
        struct sy_record_link link = {SY_LINK_DUPLICATE, test_hash(OTHER), n};
        w = begin_entry();
        sy_record_link_encode(&w, &link);
        end_entry(&w, SY_STATE_RECORD_LINK, RECORD, n);
    }
}

static void add(enum sy_state_kind kind, unsigned id, uint64_t number, uint64_t height)
{
    static uint8_t bytes[65536];
    struct sy_hash name = test_hash(id), second = {{0}}, place;
    sy_store_u64(second.bytes, number);
    assert_true(sy_state_key_of(&place, kind, &name, &second));
    memset(&proof, 0, sizeof proof);
    memcpy(proof.network, sy_network_tag(&genesis), sizeof proof.network);
    proof.kind = SY_PROOF_STATE;
    proof.header = (struct sy_header){.protocol = 1, .height = height, .time_ms = 5};
    test_trie_root(&proof.header.state_root, entries, entry_count);
    test_certificate(&proof.certificate, &genesis, &proof.header);
    test_trie_prove(&proof.state, entries, entry_count, &place);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_proof_encode(&w, &proof);
    assert_false(w.failed);
    sy_write_bytes32(&proofs, sy_writer_slice(&w));
    proof_count++;
}

static void begin_proofs(void)
{
    proofs = sy_writer_of(plain, sizeof plain);
    sy_write_u32(&proofs, 0);
    proof_count = 0;
}

/* The proofs of all, but for the skip-th; skip < 0: none is left out. */
static void add_all(int skip, uint64_t height)
{
    static const struct {
        enum sy_state_kind kind;
        uint64_t number;
    } all[] = {{SY_STATE_RECORD, 0},         {SY_STATE_RECORD_VERSION, 2},
               {SY_STATE_RECORD_VERSION, 3}, {SY_STATE_COSIGNATURES, 1},
               {SY_STATE_COSIGNATURES, 2},   {SY_STATE_COSIGNATURES, 3},
               {SY_STATE_RECORD_LINK, 1},    {SY_STATE_RECORD_LINK, 2}};
    begin_proofs();
    for (int i = 0; i < 8; i++) {
        if (i != skip) add(all[i].kind, RECORD, all[i].number, height);
    }
}

/* Seals what was added as record `id`'s of the export, and names it in the manifest. */
static void write_file(unsigned id)
{
    static uint8_t file[FILE_MAX + 64];
    char path[256], hex[65];
    uint8_t aad[96];
    struct sy_hash record_id = test_hash(id), item = manifest.items[0].record;
    sy_store_u32(plain, proof_count);
    memcpy(file, "SYHISTO1", 8);
    memcpy(aad, manifest.genesis.bytes, 32);
    memcpy(aad + 32, manifest.export_id.bytes, 32);
    memcpy(aad + 64, record_id.bytes, 32);
    assert_true(sy_hpke_seal(file + 8, file + 40, &manifest.recipient_key,
                             sy_slice_of("systole-history-v1", 18), sy_slice_of(aad, sizeof aad),
                             sy_writer_slice(&proofs)));
    size_t size = 40 + proofs.used + 16;
    sy_sha256(&manifest.items[0].history, file, size);
    sy_hex_encode(hex, item.bytes, 32);
    (void)snprintf(path, sizeof path, "%s/histories/%s.syhistory", folder, hex);
    assert_int_equal(sy_os_write_file(path, file, size, 0600, &err), SY_OK);
}

static sy_status load(const sy_x25519_key *with)
{
    sy_history_free(&history);
    err.text[0] = '\0';
    return sy_history_load(&history, &manifest, 0, folder, with, &genesis, &err);
}

static void assert_not_whole(sy_status wanted, const char *why)
{
    write_file(RECORD);
    sy_status status = load(key);
    if (status != wanted || !strstr(err.text, why)) {
        fail_msg("%s: %s, not %s", sy_status_name(status), err.text, why);
    }
}

CASE(a_whole_history_is_read)
{
    add_all(-1, AS_OF);
    write_file(RECORD);
    if (load(key) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(history.record.versions, 3);
    assert_int_equal(history.record.head_count, 2);
    for (uint32_t v = 1; v <= 3; v++) {
        struct sy_hash commit = test_hash(v);
        assert_int_equal(history.versions[v - 1].version, v);
        assert_memory_equal(history.versions[v - 1].commit.bytes, commit.bytes, 32);
        assert_int_equal(history.signatures[v - 1].count, v == 2);
    }
    assert_int_equal(sy_history_count(&history), 1);
    assert_int_equal(history.links[1].height, 2);
    assert_int_equal(sy_history_check_file(&manifest, 0, folder, &err), SY_OK);
    add_all(-1, AS_OF + 7);
    write_file(RECORD);
    assert_int_equal(load(key), SY_OK);
}

CASE(a_history_lacks_nothing)
{
    for (int skip = 0; skip < 7; skip++) {
        add_all(skip, AS_OF);
        assert_not_whole(SY_ERR_CRYPTO, "about something else");
    }
    add_all(7, AS_OF);
    assert_not_whole(SY_ERR_FORMAT, "cut off");
    add_all(-1, AS_OF);
    add(SY_STATE_RECORD_LINK, RECORD, 3, AS_OF);
    assert_not_whole(SY_ERR_FORMAT, "more than it counts");
    add_all(-1, AS_OF);
    proof_count--; // says less than there is
    assert_not_whole(SY_ERR_FORMAT, "more than it counts");
    fill_state();
    memset(&entries[2].key_hash, 7, 32); // version 2 is not in the state
    add_all(-1, AS_OF);
    assert_not_whole(SY_ERR_FORMAT, "lacks something");
}

/* Anybody who may write to the patient can make many; room is taken for no more than are there. */
CASE(many_links_are_no_obstacle)
{
    static const struct {
        uint64_t links;
        sy_status status;
        const char *why;
    } cases[] = {{5000, SY_ERR_FORMAT, "cut off"},
                 {SY_HISTORY_LINKS_MAX, SY_ERR_FORMAT, "cut off"},
                 {SY_HISTORY_LINKS_MAX + 1ull, SY_ERR_LIMIT, "too many"}};
    for (unsigned i = 0; i < 3; i++) {
        rig_links = cases[i].links;
        fill_state();
        add_all(-1, AS_OF);
        assert_not_whole(cases[i].status, cases[i].why);
        assert_null(history.links);
    }
    rig_links = LINKS;
}

/* Then it had one head less, or nobody had cosigned. */
CASE(a_history_is_not_from_before_the_export)
{
    add_all(-1, AS_OF - 1);
    assert_not_whole(SY_ERR_CRYPTO, "from before the export");
    begin_proofs();
    add(SY_STATE_RECORD, RECORD, 0, AS_OF);
    add(SY_STATE_RECORD_VERSION, RECORD, 2, AS_OF - 1);
    assert_not_whole(SY_ERR_CRYPTO, "from before the export");
}

CASE(a_history_is_of_its_record_alone)
{
    begin_proofs();
    add(SY_STATE_RECORD, OTHER, 0, AS_OF);
    assert_not_whole(SY_ERR_CRYPTO, "about something else");
    add_all(-1, AS_OF);
    write_file(OTHER); // sealed as another record's
    assert_int_equal(load(key), SY_ERR_PERMISSION);
    write_file(RECORD);
    manifest.export_id.bytes[0] ^= 1; // or for another export
    assert_int_equal(load(key), SY_ERR_PERMISSION);
    manifest.export_id.bytes[0] ^= 1;
    assert_int_equal(load(other_key), SY_ERR_PERMISSION);
    assert_int_equal(load(key), SY_OK);
    manifest.items[0].history.bytes[5] ^= 1;
    assert_int_equal(load(key), SY_ERR_FORMAT);
    assert_int_equal(sy_history_check_file(&manifest, 0, folder, &err), SY_ERR_FORMAT);
    manifest.items[0].record = test_hash(99);
    assert_int_equal(sy_history_check_file(&manifest, 0, folder, &err), SY_ERR_NOT_FOUND);
    manifest.items[0].record = test_hash(RECORD);
}

CASE(a_history_is_sealed_by_the_network)
{
    add_all(-1, AS_OF);
    plain[4 + 4 + 8 + 16 + 1 + 30] ^= 1; // in the first header
    assert_not_whole(SY_ERR_CRYPTO, "");
    begin_proofs();
    sy_write_bytes32(&proofs, sy_slice_of("no proof", 8));
    assert_not_whole(SY_ERR_CRYPTO, "is none");
    begin_proofs();
    assert_not_whole(SY_ERR_FORMAT, "cut off");
}

static int begin(void **state)
{
    (void)state;
    uint8_t secret[32] = {7};
    char path[256];
    struct sy_hash id = test_hash(RECORD);
    if (mkdtemp(folder) == NULL) return -1;
    (void)snprintf(path, sizeof path, "%s/histories", folder);
    if (sy_os_make_dirs(path, 0700, &err) != SY_OK) return -1;
    test_genesis(&genesis, 4);
    if (sy_x25519_key_from_bytes(&key, secret) != SY_OK) return -1;
    secret[0] = 9;
    if (sy_x25519_key_from_bytes(&other_key, secret) != SY_OK) return -1;
    manifest = (struct sy_manifest){.genesis = genesis.hash,
                                    .export_id = test_hash(2),
                                    .patient = test_hash(1),
                                    .organisation = test_hash(2),
                                    .as_of = AS_OF};
    sy_x25519_key_public(key, &manifest.recipient_key);
    if (sy_manifest_add_item(&manifest, &id, &err) != SY_OK) return -1;
    manifest.items[0].state = SY_MANIFEST_INCLUDED;
    return 0;
}

static int each(void **state)
{
    (void)state;
    fill_state();
    return 0;
}

static int finish(void **state)
{
    (void)state;
    sy_history_free(&history);
    sy_manifest_free(&manifest);
    sy_x25519_key_close(key);
    sy_x25519_key_close(other_key);
    return sy_os_remove_tree(folder, &err) == SY_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup(a_whole_history_is_read, each),
        cmocka_unit_test_setup(a_history_lacks_nothing, each),
        cmocka_unit_test_setup(many_links_are_no_obstacle, each),
        cmocka_unit_test_setup(a_history_is_not_from_before_the_export, each),
        cmocka_unit_test_setup(a_history_is_of_its_record_alone, each),
        cmocka_unit_test_setup(a_history_is_sealed_by_the_network, each),
    };
    return cmocka_run_group_tests(cases, begin, finish);
}
