/* Random transactions of every kind, sensible and absurd, by everybody: whatever happens, the
 * invariants of execution hold, and a second ledger with another trie that is restarted now and
 * then agrees at every height. */
#include <stdlib.h>

#include "core/wire/delta.h"
#include "tests/support/ledger_world.h"
#include "tests/support/test.h"

#define BLOCKS 60u
#define SUBJECTS_MAX 512u
#define RECORDS 300u
#define CARES 20u
#define CONSENTS 60u
#define KEEN_DOCTOR 170u /* of A, who may break the glass */

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
    uint32_t codes[256];            /* how often each refusal was seen */
    uint32_t applied;
};

static struct ledger_world first, second;
static struct watcher watcher;

static const unsigned people[] = {REGULATOR_1, REGULATOR_2, ADMIN_A,        GATEWAY_A, DOCTOR_A,
                                  NURSE_A,     LAB_A,       ADMIN_B,        GATEWAY_B, DOCTOR_B,
                                  NURSE_B,     GATEWAY_A,   WALLET_CLAIMED, GATEWAY_B, DOCTOR_A};

static unsigned draw(sy_prng *prng, unsigned bound)
{
    return (unsigned)sy_prng_below(prng, bound);
}

static unsigned draw_person(sy_prng *prng)
{
    if (sy_prng_chance(prng, 1, 12)) return FRESH_KEY + draw(prng, 40);
    return people[draw(prng, sizeof people / sizeof people[0])];
}

static unsigned draw_org(sy_prng *prng)
{
    return ORG_A + (sy_prng_chance(prng, 1, 6) ? draw(prng, 6) : draw(prng, 2));
}

static unsigned draw_patient(sy_prng *prng)
{
    return PATIENT + draw(prng, 8);
}

static bool find_credential(struct sy_credential *out, unsigned key)
{
    struct sy_public_key public_key = test_public(key);
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &public_key);
    return world_find(&first, &value, &key_hash) && sy_credential_decode(out, value);
}

/* Mostly the organisation that the key acts for, as state has it. */
static void fit_signer(struct world_tx *tx, sy_prng *prng)
{
    struct sy_credential credential;
    tx->organisation = (struct sy_hash){{0}};
    if (!find_credential(&credential, tx->keys[0])) return;
    bool acts = credential.role != SY_ROLE_PATIENT && credential.role != SY_ROLE_REGULATOR;
    if (acts) tx->organisation = credential.holder;
    if (sy_prng_chance(prng, 1, 30)) tx->organisation = test_hash(draw_org(prng));
}

static unsigned role_of(unsigned key)
{
    struct sy_credential credential;
    return find_credential(&credential, key) ? credential.role : SY_ROLE_DOCTOR;
}

static struct world_tx draw_governance(sy_prng *prng)
{
    unsigned key = draw_person(prng);
    struct world_tx tx;
    switch (draw(prng, 4)) {
    case 0:
        tx = world_register(draw_org(prng), 1 + draw(prng, 10), FRESH_KEY + draw(prng, 40));
        if (sy_prng_chance(prng, 1, 8)) tx.key_count = 1;
        return tx;
    case 1:
        tx = world_tx_of(sy_prng_chance(prng, 5, 6) ? SY_KIND_org_reinstate : SY_KIND_org_suspend,
                         REGULATOR_1, 0);
        if (sy_prng_chance(prng, 3, 4)) world_cosign(&tx, REGULATOR_2);
        tx.payload.org_suspend.org_id = test_hash(draw_org(prng)); // same members, same places
        tx.payload.org_suspend.reason = 1;
        return tx;
    case 2:
        tx = world_issue(&first, key, draw_org(prng), 1 + draw(prng, 20),
                         FRESH_KEY + draw(prng, 40));
        break;
    default:
        tx = world_tx_of(SY_KIND_cred_revoke, key, 0);
        tx.payload.cred_revoke.subject_key = test_public(FRESH_KEY + draw(prng, 40));
        tx.payload.cred_revoke.reason = SY_REVOKE_LEFT;
    }
    fit_signer(&tx, prng);
    return tx;
}

static struct world_tx draw_care(sy_prng *prng)
{
    unsigned key = draw_person(prng);
    struct world_tx tx;
    unsigned wallet = FRESH_KEY + draw(prng, 40);
    switch (draw(prng, 4)) {
    case 0:
        tx = world_enrol(key, 0, draw_patient(prng));
        if (sy_prng_chance(prng, 1, 2)) break;
        tx.payload.patient_enrol.has_wallet_key = true;
        tx.payload.patient_enrol.wallet_key = test_public(wallet);
        if (wallet != key) world_cosign(&tx, wallet);
        break;
    case 1:
        tx = world_tx_of(SY_KIND_patient_claim, key, 0);
        tx.payload.patient_claim.patient_id = test_hash(draw_patient(prng));
        tx.payload.patient_claim.wallet_key = test_public(wallet);
        if (wallet != key) world_cosign(&tx, wallet);
        break;
    case 2:
        tx = world_open_care(key, draw_org(prng), 7000 + draw(prng, CARES), draw_patient(prng));
        if (key != WALLET_CLAIMED && sy_prng_chance(prng, 1, 2)) world_cosign(&tx, WALLET_CLAIMED);
        break;
    default:
        tx = world_tx_of(SY_KIND_care_close, key, 0);
        tx.payload.care_close.care_id = test_hash(7000 + draw(prng, CARES));
    }
    fit_signer(&tx, prng);
    return tx;
}

static struct world_tx draw_record(sy_prng *prng)
{
    unsigned key = draw_person(prng);
    unsigned record = 8000 + draw(prng, RECORDS);
    unsigned role = role_of(key);
    struct world_tx tx;
    if (sy_prng_chance(prng, 1, 2)) {
        tx = world_record(key, role, 0, record, draw_patient(prng));
        struct sy_record_create *p = &tx.payload.record_create;
        p->patient_reported = role == SY_ROLE_PATIENT;
        p->has_encounter = sy_prng_chance(prng, 1, 4);
        p->encounter = test_hash(8000 + draw(prng, RECORDS));
        p->has_author = sy_prng_chance(prng, 1, 5);
        p->author = test_public(draw_person(prng));
    } else if (sy_prng_chance(prng, 5, 6)) {
        tx = world_amend(key, role, 0, record, 1 + draw(prng, 3));
        tx.payload.record_amend.branch = sy_prng_chance(prng, 1, 2);
    } else {
        tx = world_retract(key, 0, record);
    }
    fit_signer(&tx, prng);
    return tx;
}

/* Mostly of the patient who has a key, about those who take part here. */
static struct world_tx draw_consent(sy_prng *prng)
{
    unsigned key = sy_prng_chance(prng, 5, 6) ? WALLET_CLAIMED : draw_person(prng);
    unsigned patient = sy_prng_chance(prng, 5, 6) ? PATIENT_CLAIMED : draw_patient(prng);
    unsigned consent = 9000 + draw(prng, CONSENTS);
    unsigned kind = 1 + draw(prng, 3);
    unsigned grantee = kind == SY_GRANTEE_KEY   ? draw_person(prng)
                       : kind == SY_GRANTEE_ORG ? draw_org(prng)
                                                : 1 + draw(prng, SY_ROLE_COUNT - 1);
    struct world_tx tx;
    switch (draw(prng, 5)) {
    case 0: tx = world_deny(&first, key, consent, patient, kind, grantee); break;
    case 4:
        key = draw_person(prng);
        tx = world_delegate(&first, key, 0, consent, patient, 9000 + draw(prng, CONSENTS), kind,
                            grantee);
        tx.payload.consent_delegate.until = first.header.time_ms + (int64_t)draw(prng, 3000);
        break;
    case 1: tx = world_revoke(key, consent, patient); break;
    default:
        tx = world_grant(&first, key, consent, patient, kind, grantee);
        tx.payload.consent_grant.until = first.header.time_ms + (int64_t)draw(prng, 20000);
        tx.payload.consent_grant.actions = 2 + 2 * draw(prng, 7);
    }
    fit_signer(&tx, prng);
    return tx;
}

/* By nurse and doctor of A, who may, and by everybody else. */
static struct world_tx draw_emergency(sy_prng *prng)
{
    unsigned key = sy_prng_chance(prng, 2, 3) ? KEEN_DOCTOR : draw_person(prng);
    struct world_tx tx = world_tx_of(SY_KIND_access_breakglass, key, 0);
    if (sy_prng_chance(prng, 1, 3)) {
        tx = world_tx_of(SY_KIND_access_review, sy_prng_chance(prng, 2, 3) ? ADMIN_A : key, 0);
        tx.payload.access_review.break_id = test_hash(9500 + draw(prng, CONSENTS));
        tx.payload.access_review.outcome = SY_REVIEW_JUSTIFIED;
    } else {
        tx.payload.access_breakglass.break_id = test_hash(9500 + draw(prng, CONSENTS));
        tx.payload.access_breakglass.patient_id = test_hash(draw_patient(prng));
        tx.payload.access_breakglass.reason = SY_BREAK_LIFE;
        tx.payload.access_breakglass.until = first.header.time_ms + (int64_t)draw(prng, 20000);
    }
    fit_signer(&tx, prng);
    return tx;
}

static struct world_tx draw_atomic(sy_prng *prng)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world_cosign(&tx, DOCTOR_B);
    unsigned parts = 1 + draw(prng, 5);
    for (unsigned i = 0; i < parts; i++) {
        struct world_tx part = sy_prng_chance(prng, 1, 3) ? draw_care(prng) : draw_record(prng);
        if (part.kind == SY_KIND_record_create) {
            part.payload.record_create.author_role = SY_ROLE_GATEWAY;
            part.payload.record_create.has_author = false;
            part.payload.record_create.has_encounter = false;
        }
        world_part(&first, &tx, part.kind, draw(prng, 8) == 0 ? 1 : 0, &part.payload);
    }
    return tx;
}

/* Any field values that have an encoding at all. */
static struct world_tx draw_absurd(sy_prng *prng)
{
    unsigned count = 0;
    while (sy_kind_at(count) != NULL) count++;
    const struct sy_kind *kind = sy_kind_at(draw(prng, count - 1)); // all but atomic, the last
    struct world_tx tx = world_tx_of(kind->number, draw_person(prng), 0);
    test_payload(&tx.payload, kind, &first.lists, prng);
    fit_signer(&tx, prng);
    return tx;
}

static struct world_tx draw_tx(sy_prng *prng)
{
    struct world_tx tx;
    unsigned choice = draw(prng, 24);
    if (choice < 2) {
        tx = draw_governance(prng);
    } else if (choice < 7) {
        tx = draw_care(prng);
    } else if (choice < 17) {
        tx = draw_record(prng);
    } else if (choice < 19) {
        tx = draw_atomic(prng);
    } else if (choice < 22) {
        tx = draw_consent(prng);
    } else if (choice < 23) {
        tx = draw_emergency(prng);
    } else {
        tx = draw_absurd(prng);
    }
    uint64_t last = first.nonces[tx.keys[0]];
    if (sy_prng_chance(prng, 1, 25)) tx.nonce = 1 + sy_prng_below(prng, last + 10);
    if (sy_prng_chance(prng, 1, 60)) tx.nonce = last + 2 * SY_NONCE_WINDOW;
    if (sy_prng_chance(prng, 1, 40)) tx.valid_until_ms = first.header.time_ms - 5;
    return tx;
}

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
    assert_true(receipt->code < 256);
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
    static struct sy_receipt receipts[256];
    struct sy_batch batch;
    assert_true(sy_batch_decode(&batch, batch_bytes));
    assert_int_equal(first.result.tx_count, batch.header.count);
    assert_true(batch.header.count <= 256);
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
static void run_both(sy_prng *prng, unsigned txs)
{
    unsigned signers[256] = {0};
    for (unsigned i = 0; i < txs; i++) {
        struct world_tx tx = draw_tx(prng);
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

static void add_keen_doctor(struct ledger_world *world)
{
    struct world_tx tx = world_issue(world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, KEEN_DOCTOR);
    tx.payload.cred_issue.has_break_glass = true;
    tx.payload.cred_issue.break_glass = true;
    assert_int_equal(world_submit(world, &tx), SY_APPLIED);
}

/* The populating blocks, seen from outside too. */
static void populate_both(void)
{
    world_populate(&second);
    add_keen_doctor(&second);
    world_populate(&first);
    add_keen_doctor(&first);
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
    static const unsigned keys[] = {GATEWAY_A, DOCTOR_A, NURSE_A, PHARMACIST_A, LAB_A,
                                    GATEWAY_B, DOCTOR_B, NURSE_B, KEEN_DOCTOR};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) { // cred.issued, once each
        struct sy_public_key key = test_public(keys[i]);
        struct subject *subject = &watcher.subjects[watcher.subject_count++];
        *subject = (struct subject){SY_SUBJECT_KEY, {{0}}, 1};
        memcpy(subject->id.bytes, key.bytes, 32);
    }
    for (unsigned i = 0; i < 2; i++) {
        watcher.subjects[watcher.subject_count++] =
            (struct subject){SY_SUBJECT_ORG, test_hash(ORG_A + i), 1};
        watcher.subjects[watcher.subject_count++] =
            (struct subject){SY_SUBJECT_PATIENT, test_hash(PATIENT + i), 1};
    }
}

CASE(soup_keeps_every_invariant)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    memset(&watcher, 0, sizeof watcher);
    world_open(&first, 0, 0);
    world_open(&second, 1 + draw(&prng, 16), sy_prng_below(&prng, 100000));
    populate_both();
    for (unsigned block = 0; block < BLOCKS; block++) {
        run_both(&prng, 1 + draw(&prng, 120));
        if (sy_prng_chance(&prng, 1, 6)) world_reopen(&second);
    }
    compare_counters();
    // The soup is only worth eating when both kinds of outcome are frequent and varied.
    unsigned kinds = 0;
    for (unsigned code = 1; code < 256; code++) kinds += watcher.codes[code] > 0 ? 1 : 0;
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
