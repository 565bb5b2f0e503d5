/* Emergency access: who may break the glass, what it opens, who hears of it, and the review. */
#include "tests/unit/consent_rig.h"

enum { BREAK = CONSENT, KEEN_DOCTOR = 170, KEEN_NURSE, KEEN_LAB };

#define HOUR_MS (3600ll * 1000)

/* Practice B's people who may break the glass, by an admin's word. */
static void enrol_keen(unsigned role, unsigned key)
{
    struct world_tx tx = world_issue(&world, ADMIN_B, ORG_B, role, key);
    tx.payload.cred_issue.has_break_glass = true;
    tx.payload.cred_issue.break_glass = true;
    assert_applied(&tx);
}

static struct world_tx break_glass(unsigned key, unsigned number)
{
    struct world_tx tx = world_tx_of(SY_KIND_access_breakglass, key, ORG_B);
    tx.payload.access_breakglass.break_id = test_hash(number);
    tx.payload.access_breakglass.patient_id = test_hash(PATIENT_CLAIMED);
    tx.payload.access_breakglass.reason = SY_BREAK_LIFE;
    tx.payload.access_breakglass.until = world.header.time_ms + HOUR_MS;
    return tx;
}

static struct world_tx review(unsigned key, unsigned org, unsigned number)
{
    struct world_tx tx = world_tx_of(SY_KIND_access_review, key, org);
    tx.payload.access_review.break_id = test_hash(number);
    tx.payload.access_review.outcome = SY_REVIEW_JUSTIFIED;
    return tx;
}

static struct sy_break find_break(unsigned number)
{
    struct sy_hash id = test_hash(number), key_hash;
    struct sy_slice value;
    struct sy_break entry;
    sy_state_key_id(&key_hash, SY_STATE_BREAK, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_break_decode(&entry, value));
    return entry;
}

static unsigned count_open(unsigned key)
{
    struct sy_public_key public = test_public(key);
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_list open;
    sy_state_key_public(&key_hash, SY_STATE_BREAKS, &public);
    if (!world_find(&world, &value, &key_hash)) return 0;
    assert_true(sy_breaks_decode(&open, value));
    assert_true(open.count > 0);
    return open.count;
}

static void assert_told(enum sy_event_kind kind, unsigned number)
{
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash patient = test_hash(PATIENT_CLAIMED), id = test_hash(number);
    assert_true(sy_event_decode(&r, &event));
    assert_true(sy_reader_done(&r));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_memory_equal(event.subject.bytes, patient.bytes, 32);
    assert_memory_equal(event.object.bytes, id.bytes, 32);
}

CASE(breakglass_is_kept_and_told_at_once)
{
    enrol_keen(SY_ROLE_DOCTOR, KEEN_DOCTOR);
    struct world_tx tx = break_glass(KEEN_DOCTOR, BREAK);
    assert_applied(&tx);
    assert_told(SY_EVENT_BREAKGLASS_USED, BREAK);
    assert_int_equal(world.receipt.key_count, 4);
    struct sy_break entry = find_break(BREAK);
    struct sy_public_key key = test_public(KEEN_DOCTOR);
    struct sy_hash org = test_hash(ORG_B);
    assert_memory_equal(entry.key.bytes, key.bytes, 32);
    assert_memory_equal(entry.organisation.bytes, org.bytes, 32);
    assert_int_equal(entry.reason, SY_BREAK_LIFE);
    assert_int_equal(entry.height, world.header.height);
    assert_int_equal(entry.from_ms, world.header.time_ms);
    assert_int_equal(entry.until_ms, tx.payload.access_breakglass.until);
    assert_false(entry.reviewed);
    assert_false(entry.has_previous);
    assert_int_equal(count_open(KEEN_DOCTOR), 1);
    tx = break_glass(KEEN_DOCTOR, BREAK + 1);
    assert_applied(&tx);
    entry = find_break(BREAK + 1);
    struct sy_hash first = test_hash(BREAK);
    assert_true(entry.has_previous);
    assert_memory_equal(entry.previous.bytes, first.bytes, 32);
    // Another key's is another's.
    enrol_keen(SY_ROLE_NURSE, KEEN_NURSE);
    tx = break_glass(KEEN_NURSE, BREAK + 2);
    assert_applied(&tx);
    assert_false(find_break(BREAK + 2).has_previous);
}

CASE(breakglass_needs_a_credential_that_says_so)
{
    struct world_tx tx = break_glass(DOCTOR_B, BREAK);
    assert_refused(&tx, SY_E_ROLE);
    assert_path("break_glass");
    assert_int_equal(world.receipt.detail,
                     SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_NURSE));
    enrol_keen(SY_ROLE_LAB, KEEN_LAB);
    tx = break_glass(KEEN_LAB, BREAK);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.path.size, 0);
    // A credential may say that it does not.
    struct world_tx issue = world_issue(&world, ADMIN_B, ORG_B, SY_ROLE_DOCTOR, KEEN_DOCTOR);
    issue.payload.cred_issue.has_break_glass = true;
    assert_applied(&issue);
    tx = break_glass(KEEN_DOCTOR, BREAK);
    assert_refused(&tx, SY_E_ROLE);
}

CASE(breakglass_keeps_its_rules)
{
    enrol_keen(SY_ROLE_DOCTOR, KEEN_DOCTOR);
    struct world_tx tx = break_glass(KEEN_DOCTOR, BREAK);
    tx.payload.access_breakglass.patient_id = test_hash(PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    assert_detail(PATIENT_NONE);
    tx = break_glass(KEEN_DOCTOR, BREAK);
    tx.payload.access_breakglass.until = world.header.time_ms + world.step_ms - 1;
    assert_refused(&tx, SY_E_BREAK_WINDOW);
    assert_int_equal(world.receipt.detail, SY_BREAK_MS_MAX);
    tx.payload.access_breakglass.until = world.header.time_ms + world.step_ms + SY_BREAK_MS_MAX + 1;
    assert_refused(&tx, SY_E_BREAK_WINDOW);
    tx.payload.access_breakglass.until = world.header.time_ms + world.step_ms + SY_BREAK_MS_MAX;
    assert_applied(&tx);
    tx = break_glass(KEEN_DOCTOR, BREAK);
    assert_refused(&tx, SY_E_BREAK_EXISTS);
    assert_detail(BREAK);
}

CASE(breakglass_waits_for_reviews_that_are_overdue)
{
    enrol_keen(SY_ROLE_DOCTOR, KEEN_DOCTOR);
    struct world_tx tx = break_glass(KEEN_DOCTOR, BREAK);
    assert_applied(&tx);
    int64_t overdue = find_break(BREAK).from_ms + SY_REVIEW_MS_MAX;
    world.step_ms = overdue - world.header.time_ms;
    tx = break_glass(KEEN_DOCTOR, BREAK + 1);
    tx.payload.access_breakglass.until = overdue + HOUR_MS;
    tx.valid_until_ms = overdue + HOUR_MS;
    assert_applied(&tx); // after 72 hours to the millisecond
    world.step_ms = 1;
    tx = break_glass(KEEN_DOCTOR, BREAK + 2);
    assert_refused(&tx, SY_E_REVIEW);
    assert_detail(BREAK);
    struct world_tx judged = review(ADMIN_B, ORG_B, BREAK);
    assert_applied(&judged);
    tx = break_glass(KEEN_DOCTOR, BREAK + 2);
    assert_applied(&tx); // the second is not overdue
    for (unsigned i = count_open(KEEN_DOCTOR); i < SY_BREAKS_OPEN_MAX; i++) {
        tx = break_glass(KEEN_DOCTOR, BREAK + 10 + i);
        assert_applied(&tx);
    }
    tx = break_glass(KEEN_DOCTOR, BREAK + 3);
    assert_refused(&tx, SY_E_REVIEW);
    assert_detail(BREAK + 1);
}

CASE(review_is_the_organisations_and_once)
{
    enrol_keen(SY_ROLE_DOCTOR, KEEN_DOCTOR);
    struct world_tx tx = break_glass(KEEN_DOCTOR, BREAK);
    assert_applied(&tx);
    tx = review(ADMIN_B, ORG_B, BREAK + 1);
    assert_refused(&tx, SY_E_BREAK_UNKNOWN);
    assert_detail(BREAK + 1);
    tx = review(ADMIN_A, ORG_A, BREAK);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_B);
    tx = review(KEEN_DOCTOR, ORG_B, BREAK);
    assert_refused(&tx, SY_E_ROLE);
    tx = review(ADMIN_B, ORG_B, BREAK);
    tx.payload.access_review.outcome = SY_REVIEW_UNJUSTIFIED;
    assert_applied(&tx);
    assert_told(SY_EVENT_BREAKGLASS_REVIEWED, BREAK);
    struct sy_break entry = find_break(BREAK);
    struct sy_public_key reviewer = test_public(ADMIN_B);
    assert_true(entry.reviewed);
    assert_int_equal(entry.outcome, SY_REVIEW_UNJUSTIFIED);
    assert_int_equal(entry.reviewed_height, world.header.height);
    assert_memory_equal(entry.reviewer.bytes, reviewer.bytes, 32);
    assert_int_equal(count_open(KEEN_DOCTOR), 0); // and so the entry is gone
    assert_refused(&tx, SY_E_BREAK_STATE);
    assert_detail(BREAK);
}

CASE(breakglass_lets_read_and_not_write)
{
    enrol_keen(SY_ROLE_DOCTOR, KEEN_DOCTOR);
    struct world_tx tx = break_glass(KEEN_DOCTOR, BREAK);
    assert_applied(&tx);
    tx = world_record(KEEN_DOCTOR, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_NO_CARE);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(breakglass_is_kept_and_told_at_once),
        WITH_WORLD(breakglass_needs_a_credential_that_says_so),
        WITH_WORLD(breakglass_keeps_its_rules),
        WITH_WORLD(breakglass_waits_for_reviews_that_are_overdue),
        WITH_WORLD(review_is_the_organisations_and_once),
        WITH_WORLD(breakglass_lets_read_and_not_write),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
