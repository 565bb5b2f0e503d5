/* test_bring.c: which notices are brought at once, in a digest, or not. */
#include "core/client/bring.h"
#include "core/wire/schema.h"
#include "tests/support/test.h"

static struct sy_notice notice_of(uint16_t kind, int64_t time_ms)
{
    return (struct sy_notice){.number = 1, .shown = true, .kind = kind, .time_ms = time_ms};
}

static const uint32_t everything =
    SY_SET_BIT(SY_NOTICES_RECORDS) | SY_SET_BIT(SY_NOTICES_BILLS) | SY_SET_BIT(SY_NOTICES_ACCESS) |
    SY_SET_BIT(SY_NOTICES_EMERGENCY) | SY_SET_BIT(SY_NOTICES_RECALLS) |
    SY_SET_BIT(SY_NOTICES_CONSENTS) | SY_SET_BIT(SY_NOTICES_CARE) | SY_SET_BIT(SY_NOTICES_IDENTITY);

CASE(without_a_wish_everything_comes_at_once)
{
    const struct sy_notify_choice none = {.height = 1};
    for (uint16_t kind = 0; kind < SY_EVENT_KIND_COUNT; kind++) {
        struct sy_notice notice = notice_of(kind, 0);
        assert_int_equal(sy_bring_how(NULL, &notice), SY_BRING_NOW);
        assert_int_equal(sy_bring_how(&none, &notice), SY_BRING_NOW);
    }
}

CASE(what_is_chosen_is_off_or_waits)
{
    const struct sy_notify_choice choice = {.off = SY_SET_BIT(SY_NOTICES_CARE),
                                            .digest = SY_SET_BIT(SY_NOTICES_RECORDS) |
                                                      SY_SET_BIT(SY_NOTICES_CARE)};
    struct sy_notice notice = notice_of(SY_EVENT_CARE_OPENED, 0);
    assert_int_equal(sy_bring_how(&choice, &notice), SY_BRING_NOT);
    notice = notice_of(SY_EVENT_RECORD_AMENDED, 0);
    assert_int_equal(sy_bring_how(&choice, &notice), SY_BRING_DIGEST);
    notice = notice_of(SY_EVENT_KEY_ROTATED, 0);
    assert_int_equal(sy_bring_how(&choice, &notice), SY_BRING_NOW);
    notice = notice_of(SY_EVENT_CARE_OPENED, 0);
    notice.shown = false; // nobody knows what it is
    assert_int_equal(sy_bring_how(&choice, &notice), SY_BRING_NOW);
}

/* Whatever the state says: the ledger refuses such a choice, and so does this. */
CASE(what_may_not_be_off_is_brought)
{
    const struct sy_notify_choice off = {.off = everything}, digest = {.digest = everything};
    static const uint16_t mandatory[] = {
        SY_EVENT_RECORD_CREATED,  SY_EVENT_ACCESS_DISCLOSED,    SY_EVENT_CONSENT_CHANGED,
        SY_EVENT_BREAKGLASS_USED, SY_EVENT_BREAKGLASS_REVIEWED, SY_EVENT_ACCESS_REQUESTED,
        SY_EVENT_NOTIFY_DISPUTED, SY_EVENT_RECORD_ERASED,       SY_EVENT_RECALL_ISSUED,
        SY_EVENT_UNIT_DISPENSED,  SY_EVENT_KIND_COUNT + 5};
    for (size_t i = 0; i < sizeof mandatory / sizeof mandatory[0]; i++) {
        struct sy_notice notice = notice_of(mandatory[i], 0);
        bool at_once = mandatory[i] == SY_EVENT_BREAKGLASS_USED ||
                       mandatory[i] == SY_EVENT_BREAKGLASS_REVIEWED ||
                       mandatory[i] == SY_EVENT_RECALL_ISSUED ||
                       mandatory[i] == SY_EVENT_KIND_COUNT + 5; // nobody knows what it is
        assert_int_equal(sy_bring_how(&off, &notice), SY_BRING_NOW);
        assert_int_equal(sy_bring_how(&digest, &notice), at_once ? SY_BRING_NOW : SY_BRING_DIGEST);
    }
    struct sy_notice care = notice_of(SY_EVENT_CARE_CLOSED, 0);
    assert_int_equal(sy_bring_how(&off, &care), SY_BRING_NOT);
}

CASE(a_digest_has_one_day_and_an_end)
{
    static struct sy_digest digest;
    struct sy_notice notice = notice_of(SY_EVENT_RECORD_CREATED, 3 * 86400000ll - 1);
    assert_true(sy_digest_takes(&digest, &notice));
    sy_digest_add(&digest, &notice);
    assert_int_equal(digest.day, 2);
    notice.time_ms++;
    assert_false(sy_digest_takes(&digest, &notice)); // midnight
    notice.time_ms--;
    while (digest.count < SY_DIGEST_MAX) sy_digest_add(&digest, &notice);
    assert_false(sy_digest_takes(&digest, &notice));
    digest.count = 0;
    notice.time_ms++;
    sy_digest_add(&digest, &notice);
    assert_int_equal(digest.day, 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(without_a_wish_everything_comes_at_once),
        cmocka_unit_test(what_is_chosen_is_off_or_waits),
        cmocka_unit_test(what_may_not_be_off_is_brought),
        cmocka_unit_test(a_digest_has_one_day_and_an_end),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
