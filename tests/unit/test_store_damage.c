/* Copies of a store with bytes changed or cut off: every read must give what was stored or a clean
 * error, never something else. LMDB has no checksums of its own pages, so a change to its own
 * structures may end the process: that is counted and shown, and happens in a child.
 * ctest: timeout=600 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/store/impl.h"
#include "core/store/store.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

#define BLOCKS 40u
#define STEP_TXS 12u
#define BODIES 12u

static const char *const env_names[] = {"votes", "ledger", "state"};

struct damage {
    char folder[256];
    char work[256]; /* the damaged copy */
    uint8_t *files[3];
    size_t sizes[3];
};

static struct sy_store_config config_for(const char *folder, bool init)
{
    struct sy_store_config config = {.path = folder,
                                     .genesis = test_hash_of(0),
                                     .init = init,
                                     .generation_bytes = 1u << 16,
                                     .recent_txs = 64,
                                     .votes_map_bytes = 1u << 21,
                                     .ledger_map_bytes = 1u << 21,
                                     .state_map_bytes = 1u << 21};
    return config;
}

static size_t body_size(uint64_t number)
{
    return (size_t)number * 9000;
}

static void fill_votes(sy_store *store)
{
    static uint8_t bytes[BODIES * 9000];
    for (uint64_t i = 0; i < BODIES; i++) {
        test_fill(bytes, body_size(i), i);
        struct sy_vote_write writes[] = {
            {.op = SY_VOTE_PUT_BODY,
             .body = test_hash_of(i),
             .value = sy_slice_of(bytes, body_size(i))},
            {.op = SY_VOTE_PUT_RECORD, .key = {1, i, 0}, .value = sy_slice_of(bytes, 100)},
            {.op = SY_VOTE_PUT_EVIDENCE,
             .body = test_hash_of(i),
             .key = {1, i, 0},
             .value = sy_slice_of(bytes, 100)},
        };
        assert_int_equal(sy_votes_commit(store, writes, i == 0 ? 1 : 3, NULL), SY_OK);
    }
}

static struct sy_slice deltas_of(struct test_model *model, uint8_t *packed, uint64_t height)
{
    sy_prng prng;
    sy_prng_seed(&prng, height + 1);
    return test_model_step(model, packed, &prng, height, 100);
}

static void fill_ledger(sy_store *store)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_model model = {0};
    for (uint64_t height = 0; height < BLOCKS; height++) {
        struct test_stored block;
        struct sy_slice deltas = deltas_of(&model, packed, height);
        test_stored_make(&block, height, STEP_TXS, deltas);
        assert_int_equal(sy_ledger_append(store, &block.write, 1, NULL), SY_OK);
        test_stored_free(&block);
        sy_status status;
        while ((status = sy_state_apply(store, height, deltas, NULL)) == SY_ERR_BUSY) {
            assert_int_equal(sy_state_wait(store, 60000), SY_OK);
        }
        assert_int_equal(status, SY_OK);
    }
    assert_int_equal(sy_state_flush(store, NULL), SY_OK);
}

static int make_damage(void **state)
{
    static struct damage damage;
    struct sy_error err = {0};
    sy_store *store = NULL;
    test_folder(damage.folder, sizeof damage.folder, "damage");
    test_folder(damage.work, sizeof damage.work, "damaged");
    struct sy_store_config config = config_for(damage.folder, true);
    assert_int_equal(sy_store_open_lmdb(&store, &config, &err), SY_OK);
    fill_votes(store);
    fill_ledger(store);
    sy_store_close(store);
    for (unsigned i = 0; i < 3; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", damage.work, env_names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof path, "%s/%s/data.mdb", damage.folder, env_names[i]);
        assert_int_equal(sy_os_read_file(&damage.files[i], &damage.sizes[i], path, 1u << 30, NULL),
                         SY_OK);
    }
    uint8_t *text = NULL;
    size_t size = 0;
    char path[600];
    snprintf(path, sizeof path, "%s/STORE", damage.folder);
    assert_int_equal(sy_os_read_file(&text, &size, path, 4096, NULL), SY_OK);
    snprintf(path, sizeof path, "%s/STORE", damage.work);
    assert_int_equal(sy_os_write_file(path, text, size, 0600, NULL), SY_OK);
    free(text);
    *state = &damage;
    return 0;
}

static int drop_damage(void **state)
{
    struct damage *damage = (struct damage *)*state;
    for (unsigned i = 0; i < 3; i++) free(damage->files[i]);
    assert_int_equal(sy_os_remove_tree(damage->folder, NULL), SY_OK);
    assert_int_equal(sy_os_remove_tree(damage->work, NULL), SY_OK);
    return 0;
}

// Writes the three files into the copy, sizes[i] bytes of each.
static void put_files(const struct damage *damage, uint8_t *const files[3], const size_t sizes[3])
{
    for (unsigned i = 0; i < 3; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s/data.mdb", damage->work, env_names[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, files[i], sizes[i]), sizes[i]);
        close(fd);
    }
}

/* ---- reading everything ----------------------------------------------------------------- */

// What the child found: its exit status.
enum outcome { WHOLE, REFUSED, LIED };

static bool is_clean(sy_status status)
{
    return status == SY_ERR_CORRUPT || status == SY_ERR_IO || status == SY_ERR_NOT_FOUND ||
           status == SY_ERR_VERSION || status == SY_ERR_ARGUMENT || status == SY_ERR_LIMIT;
}

static enum outcome worse(enum outcome a, enum outcome b)
{
    return a > b ? a : b;
}

static enum outcome judge(sy_status status, bool right)
{
    if (status == SY_OK) return right ? WHOLE : LIED;
    return is_clean(status) ? REFUSED : LIED;
}

static sy_status see_record(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    enum outcome *found = (enum outcome *)context;
    uint8_t body[100];
    test_fill(body, sizeof body, key->slot);
    bool right = key->type == 1 && key->slot < BODIES && value.size == 100 &&
                 memcmp(value.data, body, 100) == 0;
    if (!right) *found = LIED;
    return SY_OK;
}

static sy_status see_evidence(void *context, const struct sy_hash *signer,
                              const struct sy_record_key *key, struct sy_slice value)
{
    struct sy_hash expected = test_hash_of(key->slot);
    if (!sy_hash_equal(&expected, signer)) *(enum outcome *)context = LIED;
    return see_record(context, key, value);
}

static enum outcome read_votes(sy_store_reader *reader)
{
    struct sy_error err;
    enum outcome found = WHOLE;
    sy_status status = sy_votes_each(reader, see_record, &found, &err);
    found = worse(found, judge(status, true));
    status = sy_evidence_each(reader, see_evidence, &found, &err);
    found = worse(found, judge(status, true));
    for (uint64_t i = 0; i < BODIES; i++) {
        struct sy_slice body;
        struct sy_hash digest = test_hash_of(i);
        status = sy_body_get(reader, &body, &digest);
        bool right = status == SY_OK && test_is_filled(body, body_size(i), i);
        found = worse(found, judge(status, right));
    }
    return found;
}

static enum outcome read_block(sy_store_reader *reader, const struct test_stored *block)
{
    const struct sy_slice parts[] = {block->write.header, block->write.order, block->write.receipts,
                                     block->write.deltas,
                                     sy_slice_of(block->write.tx_ids, STEP_TXS * 32)};
    enum outcome found = WHOLE;
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct sy_slice part;
        sy_status status = sy_ledger_get(reader, &part, block->write.height, (enum sy_block_part)i);
        found = worse(found, judge(status, sy_slice_equal(part, parts[i])));
    }
    for (uint32_t i = 0; i < STEP_TXS; i++) {
        struct sy_tx_position at;
        size_t count = 0;
        sy_status status = sy_ledger_find_tx(reader, &at, &count, 1, &block->write.tx_ids[i]);
        bool right = count == 1 && at.height == block->write.height && at.index == i;
        // A damaged run can hide a copy; what it shows is checked against the block.
        if (status == SY_OK && count == 0) status = SY_ERR_NOT_FOUND;
        found = worse(found, judge(status, right));
    }
    return found;
}

static enum outcome read_ledger(sy_store *store, sy_store_reader *reader, struct test_model *model)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    enum outcome found = sy_ledger_next(store) == BLOCKS ? WHOLE : LIED;
    for (uint64_t height = 0; height < BLOCKS; height++) {
        struct test_stored block;
        test_stored_make(&block, height, STEP_TXS, deltas_of(model, packed, height));
        found = worse(found, read_block(reader, &block));
        test_stored_free(&block);
    }
    return found;
}

static enum outcome read_state(sy_store *store, const struct test_model *model)
{
    sy_state_view *view = NULL;
    sy_status status = sy_state_view_open(&view, store);
    if (status != SY_OK) return judge(status, false);
    enum outcome found = WHOLE;
    uint64_t entries = 0;
    uint64_t expected = 0;
    const struct sy_hash *key;
    struct sy_slice value;
    struct sy_hash zero = {0};
    for (unsigned i = 0; i < TEST_MODEL_KEYS; i++) expected += model->version[i] != 0;
    status = sy_state_view_scan(view, &zero, 0, NULL);
    while (status == SY_OK) {
        status = sy_state_view_next(view, &key, &value);
        entries += status == SY_OK;
    }
    // A walk that misses entries must not pass for whole: the state root would tell.
    if (status != SY_ERR_NOT_FOUND || entries != expected) found = REFUSED;
    sy_state_view_close(view);
    return found;
}

static void read_everything(void *context)
{
    const struct damage *damage = (const struct damage *)context;
    struct sy_store_config config = config_for(damage->work, false);
    struct sy_error err = {0};
    sy_store *store = NULL;
    sy_store_reader *reader = NULL;
    struct test_model model = {0};
    // cmocka's handlers would go on with the tests in this child.
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    (void)signal(SIGABRT, SIG_DFL);
    // Damaged links between pages may lead in a circle; how long is a matter of work, not of time.
    const struct rlimit minute = {60, 60};
    if (setrlimit(RLIMIT_CPU, &minute) != 0) _exit(LIED);
    sy_status status = sy_store_open_lmdb(&store, &config, &err);
    if (status != SY_OK) _exit(is_clean(status) && err.text[0] ? REFUSED : LIED);
    if (sy_store_reader_open(&reader, store) != SY_OK) _exit(LIED);
    enum outcome found = read_votes(reader);
    found = worse(found, read_ledger(store, reader, &model));
    found = worse(found, read_state(store, &model));
    _exit((int)found);
}

struct tally {
    unsigned outcomes[3];
    unsigned deaths;
};

static void look(struct damage *damage, struct tally *tally, const char *what, size_t where)
{
    int status = test_child(read_everything, damage);
    if (!WIFEXITED(status)) {
        tally->deaths++;
        return;
    }
    int code = WEXITSTATUS(status);
    // The sanitizers report a death as an exit status of theirs.
    if (code > LIED) {
        tally->deaths++;
        return;
    }
    tally->outcomes[code]++;
    if (code == LIED) fail_msg("%s at %zu: read something else than was stored", what, where);
}

static void show(const struct tally *tally, const char *what)
{
    print_message("%s: %u whole, %u refused, %u ended by LMDB\n", what, tally->outcomes[WHOLE],
                  tally->outcomes[REFUSED], tally->deaths);
}

/* ---- the cases -------------------------------------------------------------------------- */

CASE(an_undamaged_copy_is_whole)
{
    struct damage *damage = (struct damage *)*state;
    struct tally tally = {0};
    put_files(damage, damage->files, damage->sizes);
    look(damage, &tally, "nothing", 0);
    assert_int_equal(tally.outcomes[WHOLE], 1);
}

CASE(a_truncated_file_is_refused)
{
    struct damage *damage = (struct damage *)*state;
    struct tally tally = {0};
    for (unsigned env = 0; env < 3; env++) {
        for (size_t keep = 0; keep < damage->sizes[env]; keep += damage->sizes[env] / 7 + 1) {
            size_t sizes[3] = {damage->sizes[0], damage->sizes[1], damage->sizes[2]};
            sizes[env] = keep;
            put_files(damage, damage->files, sizes);
            look(damage, &tally, "a file cut off", keep);
        }
    }
    show(&tally, "truncation");
    assert_int_equal(tally.outcomes[WHOLE], 0);
    assert_int_equal(tally.deaths, 0);
}

// LMDB's meta pages are the first two; each says, here, which page is the last.
#define PAGE_BYTES_AT 40u
#define LAST_PAGE_AT 136u

static void expect_refusal(void *context)
{
    const struct damage *damage = (const struct damage *)context;
    struct sy_store_config config = config_for(damage->work, false);
    struct sy_error err = {0};
    sy_store *store = NULL;
    sy_status status = sy_store_open_lmdb(&store, &config, &err);
    bool told = strstr(err.text, "its own record") && strstr(err.text, "restore it");
    _exit(status == SY_ERR_CORRUPT && told ? 0 : 1);
}

CASE(a_record_of_more_pages_than_there_are_is_refused)
{
    struct damage *damage = (struct damage *)*state;
    for (unsigned env = 0; env < 3; env++) {
        uint8_t *file = damage->files[env];
        uint32_t page_bytes = sy_load_u32(file + PAGE_BYTES_AT);
        assert_true(page_bytes >= 512 && 2 * (size_t)page_bytes <= damage->sizes[env]);
        uint8_t *places[] = {file + LAST_PAGE_AT, file + page_bytes + LAST_PAGE_AT};
        const uint64_t saved[] = {sy_load_u64(places[0]), sy_load_u64(places[1])};
        // One too many; maps that no system has room for; sizes that do not fit 64 bits.
        const uint64_t claims[] = {damage->sizes[env] / page_bytes, 1ull << 36,     1ull << 50,
                                   UINT64_MAX / page_bytes + 5,     UINT64_MAX - 1, UINT64_MAX};
        for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
            for (unsigned meta = 0; meta < 2; meta++) sy_store_u64(places[meta], claims[i]);
            put_files(damage, damage->files, damage->sizes);
            assert_int_equal(test_child(expect_refusal, damage), 0);
        }
        for (unsigned meta = 0; meta < 2; meta++) sy_store_u64(places[meta], saved[meta]);
    }
}

CASE(changed_bytes_are_never_given_out)
{
    struct damage *damage = (struct damage *)*state;
    struct tally tally = {0};
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned env = 0; env < 3; env++) {
        // Each region of the file, at a random place in it.
        size_t region = damage->sizes[env] / 50 + 1;
        for (size_t at = 0; at + region <= damage->sizes[env]; at += region) {
            size_t where = at + (size_t)sy_prng_below(&prng, region);
            size_t size = (size_t)sy_prng_below(&prng, 16) + 1;
            uint8_t saved[16];
            uint8_t *bytes = damage->files[env] + where;
            if (where + size > damage->sizes[env]) size = damage->sizes[env] - where;
            memcpy(saved, bytes, size);
            for (size_t i = 0; i < size; i++) bytes[i] ^= (uint8_t)(1 + sy_prng_below(&prng, 255));
            put_files(damage, damage->files, damage->sizes);
            look(damage, &tally, env_names[env], where);
            memcpy(bytes, saved, size);
        }
    }
    show(&tally, "changed bytes");
    assert_true(tally.outcomes[REFUSED] > 10);
}

struct survivors {
    unsigned count;
    uint64_t missing; /* the sum of the slots that were not seen */
};

static sy_status see_survivor(void *context, const struct sy_hash *signer,
                              const struct sy_record_key *key, struct sy_slice value)
{
    struct survivors *survivors = (struct survivors *)context;
    (void)signer;
    assert_true(test_is_filled(value, 100, key->slot));
    survivors->count++;
    survivors->missing -= key->slot;
    return SY_OK;
}

// Changes a byte of the piece against a signer, in every copy of its page: a page that changes is
// written anew. Returns how many there were.
static unsigned spoil_pieces(struct damage *damage, const struct sy_hash *signer)
{
    const size_t value_at = 32 + 17 + 8; // behind the key and the sum
    unsigned copies = 0;
    for (size_t at = 0; at + value_at + 100 <= damage->sizes[0]; at++) {
        uint8_t *key = damage->files[0] + at;
        if (memcmp(key, signer->bytes, 32) != 0 || key[32] != 1) continue;
        key[value_at + 40] ^= 1;
        copies++;
    }
    return copies;
}

// In place of one piece's bytes there are others: that piece is not shown, the rest is.
CASE(a_damaged_piece_of_evidence_hides_no_other)
{
    struct damage *damage = (struct damage *)*state;
    struct sy_store_config config = config_for(damage->work, false);
    struct survivors survivors = {.missing = BODIES * (BODIES - 1) / 2};
    struct sy_hash signer = test_hash_of(7);
    struct sy_error err = {0};
    sy_store *store = NULL;
    sy_store_reader *reader = NULL;
    assert_true(spoil_pieces(damage, &signer) > 0);
    put_files(damage, damage->files, damage->sizes);
    (void)spoil_pieces(damage, &signer); // and back
    assert_int_equal(sy_store_open_lmdb(&store, &config, &err), SY_OK);
    assert_int_equal(sy_store_reader_open(&reader, store), SY_OK);
    assert_int_equal(sy_evidence_each(reader, see_survivor, &survivors, &err), SY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "1 pieces"));
    assert_int_equal(survivors.count, BODIES - 2); // the first has none
    assert_int_equal(survivors.missing, 7);
    sy_store_reader_close(reader);
    sy_store_close(store);
}

// Whoever makes a store can put any bytes into it under sums that fit; what is larger than a piece
// can be is not shown, for readers have room for no more.
CASE(a_piece_of_evidence_larger_than_any_is_damage)
{
    struct damage *damage = (struct damage *)*state;
    struct sy_store_config config = config_for(damage->work, false);
    struct survivors survivors = {.missing = BODIES * (BODIES - 1) / 2};
    static const uint8_t large[SY_EVIDENCE_VALUE_BYTES_MAX + 1];
    struct sy_vote_write write = {.op = SY_VOTE_PUT_EVIDENCE,
                                  .key = {.type = 1, .slot = 0},
                                  .body = test_hash_of(0),
                                  .value = sy_slice_of(large, sizeof large)};
    struct sy_error err = {0};
    sy_store *store = NULL;
    sy_store_reader *reader = NULL;
    put_files(damage, damage->files, damage->sizes);
    assert_int_equal(sy_store_open_lmdb(&store, &config, &err), SY_OK);
    assert_int_equal(store->ops->votes_commit(store, &write, 1, true, &err), SY_OK);
    assert_int_equal(sy_store_reader_open(&reader, store), SY_OK);
    assert_int_equal(sy_evidence_each(reader, see_survivor, &survivors, &err), SY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "1 pieces"));
    assert_int_equal(survivors.count, BODIES - 1); // the first has none
    assert_int_equal(survivors.missing, 0);
    sy_store_reader_close(reader);
    sy_store_close(store);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_undamaged_copy_is_whole),
        cmocka_unit_test(a_truncated_file_is_refused),
        cmocka_unit_test(a_record_of_more_pages_than_there_are_is_refused),
        cmocka_unit_test(changed_bytes_are_never_given_out),
        cmocka_unit_test(a_damaged_piece_of_evidence_hides_no_other),
        cmocka_unit_test(a_piece_of_evidence_larger_than_any_is_damage),
    };
    return cmocka_run_group_tests(cases, make_damage, drop_damage);
}
