/* Random transactions of every kind, sensible and absurd, by everybody: whatever happens, the
 * invariants of execution hold, and a second ledger with another trie that is restarted now and
 * then agrees at every height. */
#include <stdlib.h>

#include "core/wire/delta.h"
#include "tests/support/soup.h"
#include "tests/support/test.h"

#define BLOCKS 60u
#define SUBJECTS_MAX 512u

struct subject {
    uint8_t kind;
    struct sy_hash id;
    uint64_t last;
};

/* What is known from outside, kept without looking into the ledger. */
struct watcher {
    struct subject subjects[SUBJECTS_MAX];
    size_t subject_count;
    uint64_t last_event;
    bool used[TEST_KEYS_MAX][8192]; /* nonces consumed */
    uint32_t codes[512];            /* how often each refusal was seen */
    uint32_t applied;
};

static struct ledger_world first, second;
static struct watcher watcher;
static struct soup soup;

// --- judging from outside ----------------------------------------------------------------------

static void watch_event(const struct sy_event *event)
{
    assert_int_equal(event->global_number, watcher.last_event + 1);
    watcher.last_event = event->global_number;
    for (size_t i = 0; i < watcher.subject_count; i++) {
        struct subject *subject = &watcher.subjects[i];
        if (subject->kind != event->subject_kind) continue;
        if (!sy_hash_equal(&subject->id, &event->subject)) continue;
        assert_int_equal(event->subject_number, subject->last + 1);
        subject->last = event->subject_number;
        return;
    }
    assert_int_equal(event->subject_number, 1);
    assert_true(watcher.subject_count < SUBJECTS_MAX);
    watcher.subjects[watcher.subject_count++] =
        (struct subject){event->subject_kind, event->subject, 1};
}

static void watch_receipt(const struct sy_receipt *receipt, const struct sy_tx *tx, unsigned key)
{
    assert_true(receipt->code < 512);
    watcher.codes[receipt->code]++;
    bool decided = receipt->code == SY_APPLIED || receipt->code >= 48;
    assert_int_equal(sy_refusal_decides(receipt->code) || receipt->code == SY_APPLIED, decided);
    if (decided) {
        assert_true(tx->nonce < 8192);
        assert_false(watcher.used[key][tx->nonce]); // never twice
        watcher.used[key][tx->nonce] = true;
    }
    if (receipt->code != SY_APPLIED) {
        assert_int_equal(receipt->key_count, 0);
        assert_int_equal(receipt->event_count, 0);
        return;
    }
    watcher.applied++;
    assert_true(receipt->key_count >= 1);
    assert_true(receipt->event_count >= 1);
    struct sy_reader r = sy_reader_of(receipt->events);
    for (uint32_t i = 0; i < receipt->event_count; i++) {
        struct sy_event event;
        assert_true(sy_event_decode(&r, &event));
        watch_event(&event);
    }
    assert_true(sy_reader_done(&r));
}

/* Which of the keys of one delta is explained by a receipt, a nonce, the maker or the counter? */
static bool explained(const struct sy_hash *key_hash, const struct sy_receipt *receipts,
                      const unsigned *signers, uint32_t count)
{
    struct sy_hash expected;
    struct sy_public_key key = test_public(0);
    sy_state_key_public(&expected, SY_STATE_MAKER, &key);
    if (sy_hash_equal(key_hash, &expected)) return true;
    sy_state_key_zero(&expected, SY_STATE_EVENT_COUNT);
    if (sy_hash_equal(key_hash, &expected)) return true;
    for (uint32_t i = 0; i < count; i++) {
        key = test_public(signers[i]);
        sy_state_key_public(&expected, SY_STATE_NONCES, &key);
        if (sy_hash_equal(key_hash, &expected)) return true;
        struct sy_hash written;
        for (size_t offset = 0; sy_receipt_next_key(&receipts[i], &offset, &written);) {
            if (sy_hash_equal(key_hash, &written)) return true;
        }
    }
    return false;
}

static void watch_block(const struct sy_slice batch_bytes, const unsigned *signers)
{
    static struct sy_receipt receipts[512];
    struct sy_batch batch;
    assert_true(sy_batch_decode(&batch, batch_bytes));
    assert_int_equal(first.result.tx_count, batch.header.count);
    assert_true(batch.header.count <= 512);
    size_t offset = 0;
    struct sy_slice bytes;
    for (uint32_t i = 0; sy_batch_next(&batch, &offset, &bytes); i++) {
        struct sy_tx tx;
        assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
        world_receipt(&first, &receipts[i], i);
        watch_receipt(&receipts[i], &tx, signers[i]);
    }
    struct sy_delta_reader reader = sy_delta_reader_of(first.result.deltas);
    struct sy_delta delta;
    while (sy_delta_next(&reader, &delta)) {
        assert_true(explained(&delta.key, receipts, signers, batch.header.count));
    }
    assert_int_equal(first.result.first_event + first.result.event_count - 1, watcher.last_event);
}

/* The counters in state are what the events said. */
static void compare_counters(void)
{
    for (size_t i = 0; i < watcher.subject_count; i++) {
        const struct subject *subject = &watcher.subjects[i];
        struct sy_hash key_hash;
        struct sy_slice value;
        uint64_t events = 0;
        enum sy_state_kind kind = subject->kind == SY_SUBJECT_PATIENT ? SY_STATE_PATIENT
                                  : subject->kind == SY_SUBJECT_KEY   ? SY_STATE_CREDENTIAL
                                                                      : SY_STATE_ORG_EVENTS;
        sy_state_key_id(&key_hash, kind, &subject->id);
        assert_true(world_find(&first, &value, &key_hash));
        if (kind == SY_STATE_PATIENT) {
            struct sy_patient patient;
            assert_true(sy_patient_decode(&patient, value));
            events = patient.events;
        } else if (kind == SY_STATE_CREDENTIAL) {
            struct sy_credential credential;
            assert_true(sy_credential_decode(&credential, value));
            events = credential.events;
        } else {
            assert_true(sy_count_decode(&events, value));
        }
        assert_int_equal(events, subject->last);
    }
}

/* Runs the same batch in both worlds. */
static void run_both(unsigned txs)
{
    unsigned signers[512] = {0};
    for (unsigned i = 0; i < txs; i++) {
        struct world_tx tx = soup_tx(&soup);
        signers[i] = tx.keys[0];
        assert_true(world_add(&first, &tx));
    }
    uint64_t seq = world_next_seq(&first, 0);
    struct sy_slice batch = world_batch(&first, 0, seq);
    struct sy_block_entry entry = world_entry(&first, 0, seq, batch);
    world_execute(&first, &entry, 1);
    first.lists.used = 0;
    world_execute(&second, &entry, 1);
    struct sy_hash root;
    state_array_root(&first.state, &root);
    assert_memory_equal(first.header.state_root.bytes, root.bytes, 32);
    assert_memory_equal(&first.result.header_hash, &second.result.header_hash, 32);
    assert_true(sy_slice_equal(first.result.receipts, second.result.receipts));
    assert_true(sy_slice_equal(first.result.deltas, second.result.deltas));
    watch_block(batch, signers);
}

/* The populating blocks, seen from outside too. */
static void populate_both(void)
{
    soup_populate(&second);
    soup_populate(&first);
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_zero(&key_hash, SY_STATE_EVENT_COUNT);
    assert_true(world_find(&first, &value, &key_hash));
    assert_true(sy_count_decode(&watcher.last_event, value));
    for (unsigned key = 0; key < TEST_KEYS_MAX; key++) {
        for (uint64_t nonce = 1; nonce <= first.nonces[key]; nonce++) {
            watcher.used[key][nonce] = true;
        }
    }
    unsigned numbers[SOUP_PEOPLE_MAX];
    unsigned count = soup_issued(numbers);
    for (unsigned i = 0; i < count; i++) { // cred.issued, once each
        struct sy_public_key key = test_public(numbers[i]);
        struct subject *subject = &watcher.subjects[watcher.subject_count++];
        *subject = (struct subject){SY_SUBJECT_KEY, {{0}}, 1};
        memcpy(subject->id.bytes, key.bytes, 32);
    }
    count = soup_orgs(numbers);
    for (unsigned i = 0; i < count; i++) {
        watcher.subjects[watcher.subject_count++] =
            (struct subject){SY_SUBJECT_ORG, test_hash(numbers[i]), 1};
    }
    for (unsigned i = 0; i < 2; i++) {
        watcher.subjects[watcher.subject_count++] =
            (struct subject){SY_SUBJECT_PATIENT, test_hash(PATIENT + i), 1};
    }
}

CASE(soup_keeps_every_invariant)
{
    soup = (struct soup){.world = &first};
    sy_prng_seed(&soup.prng, test_seed());
    memset(&watcher, 0, sizeof watcher);
    world_open(&first, 0, 0);
    world_open(&second, 1 + soup_draw(&soup, 16), soup_draw(&soup, 65536));
    populate_both();
    for (unsigned block = 0; block < BLOCKS; block++) {
        run_both(1 + soup_draw(&soup, 120));
        if (soup_chance(&soup, 1, 6)) world_reopen(&second);
    }
    compare_counters();
    // The soup is only worth eating when both kinds of outcome are frequent and varied.
    unsigned kinds = 0;
    for (unsigned code = 1; code < 512; code++) kinds += watcher.codes[code] > 0 ? 1 : 0;
    assert_true(watcher.applied > 50);
    assert_true(kinds >= 12);
    static const unsigned of_consents[] = {
        SY_E_NOT_SUBJECT, SY_E_CONSENT_EXISTS, SY_E_CONSENT_UNKNOWN, SY_E_NOT_GRANTEE,
        SY_E_CONSENT,     SY_E_BREAK_UNKNOWN,  SY_E_BREAK_EXISTS};
    for (size_t i = 0; i < sizeof of_consents / sizeof of_consents[0]; i++) {
        assert_true(watcher.codes[of_consents[i]] > 0);
    }
    world_close(&first);
    world_close(&second);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(soup_keeps_every_invariant),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
