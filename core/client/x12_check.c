/* x12_check.c: see x12_check.h. */
#include "core/client/x12_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/status.h"

/* How deep the envelopes are. */
enum { OUTSIDE, IN_INTERCHANGE, IN_GROUP, IN_SET };

/* A claim of an 837 (CLM) or of an 835 (CLP), or a line of the latter (SVC). */
struct bill {
    bool open;
    bool spoilt; /* an amount of it could not be read: its sums say nothing */
    uint64_t segment;
    uint64_t lines;
    int64_t charge, paid, adjusted, line_charges;
};

struct check {
    struct sy_x12_totals *totals;
    sy_x12_tell tell;
    void *self;
    struct sy_x12_reader reader;
    struct sy_x12_segment at;
    int depth;
    struct sy_slice interchange, group, guide, set_kind, set; /* ISA13, GS06, GS08, ST01, ST02 */
    struct sy_x12_loops loops;
    uint64_t groups_in, sets_in, set_start;
    bool set_has_issue;
    struct bill claim, line;
    bool has_payment, payment_spoilt;
    uint64_t payment_segment;
    int64_t payment, claims_paid, provider_adjusted;
};

// --- issues ------------------------------------------------------------------------------------

/* What may be told of bytes that a stranger chose: letters, digits, and few signs. */
static void copy_plain(char *out, size_t room, struct sy_slice bytes)
{
    size_t size = bytes.size < room - 1 ? bytes.size : room - 1;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes.data[i];
        bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.';
        out[i] = plain ? (char)byte : '?';
    }
    out[size] = '\0';
}

static void tell(struct check *check, uint8_t kind, uint64_t segment, const char *format, ...)
    SY_PRINTF(4, 5);

static void tell(struct check *check, uint8_t kind, uint64_t segment, const char *format, ...)
{
    struct sy_x12_issue issue = {.kind = kind, .segment = segment};
    va_list list;
    va_start(list, format);
    (void)vsnprintf(issue.text, sizeof issue.text, format, list);
    va_end(list);
    if (check->depth == IN_SET) issue.place = check->totals->sets;
    if (check->depth == IN_SET) copy_plain(issue.set, sizeof issue.set, check->set_kind);
    copy_plain(issue.control, sizeof issue.control,
               check->depth == IN_SET     ? check->set
               : check->depth == IN_GROUP ? check->group
                                          : check->interchange);
    check->totals->issues[kind]++;
    check->set_has_issue = true;
    check->tell(check->self, &issue);
}

/* Amounts in words: "12.30". */
static const char *money(char out[32], int64_t cents)
{
    uint64_t size = cents < 0 ? 0u - (uint64_t)cents : (uint64_t)cents;
    (void)snprintf(out, 32, "%s%llu.%02llu", cents < 0 ? "-" : "", (unsigned long long)(size / 100),
                   (unsigned long long)(size % 100));
    return out;
}

/* Reads an amount of the segment at hand. An empty one is 0 if it may be missing. */
static bool amount(struct check *check, int64_t *cents, uint32_t element, bool may_miss)
{
    struct sy_slice text = sy_x12_element(&check->at, element);
    *cents = 0;
    if (text.size == 0 && may_miss) return true;
    if (sy_x12_cents(cents, text)) return true;
    char id[4];
    copy_plain(id, sizeof id, check->at.id);
    tell(check, SY_X12_AMOUNT, check->at.number, "%s%02u is no amount with at most two decimals",
         id, (unsigned)element);
    return false;
}

static bool add(int64_t *sum, int64_t cents)
{
    return !__builtin_add_overflow(*sum, cents, sum);
}

// --- claims: 837 -------------------------------------------------------------------------------

static void end_claim(struct check *check)
{
    struct bill *claim = &check->claim;
    if (claim->open && !claim->spoilt && claim->lines > 0 && claim->charge != claim->line_charges) {
        char want[32], got[32];
        tell(check, SY_X12_SUM, claim->segment,
             "CLM02 is %s, but the claim's lines (%llu) sum up to %s", money(want, claim->charge),
             (unsigned long long)claim->lines, money(got, claim->line_charges));
    }
    claim->open = false;
}

static void begin_claim(struct check *check)
{
    struct bill *claim = &check->claim;
    end_claim(check);
    *claim = (struct bill){.open = true, .segment = check->at.number};
    claim->spoilt = !amount(check, &claim->charge, 2, false);
    check->totals->claims++;
    if (!claim->spoilt) claim->spoilt = !add(&check->totals->charged, claim->charge);
}

static void add_claim_line(struct check *check, uint32_t element)
{
    struct bill *claim = &check->claim;
    int64_t cents;
    if (!claim->open) return;
    claim->lines++;
    bool good = amount(check, &cents, element, false) && add(&claim->line_charges, cents);
    if (!good) claim->spoilt = true;
}

static void read_claim_set(struct check *check)
{
    const struct sy_x12_segment *at = &check->at;
    if (sy_x12_is(at, "CLM")) {
        begin_claim(check);
    } else if (sy_x12_is(at, "HL")) {
        end_claim(check);
    } else if (sy_x12_is(at, "SV1") || sy_x12_is(at, "SV3")) {
        add_claim_line(check, 2);
    } else if (sy_x12_is(at, "SV2")) {
        add_claim_line(check, 3);
    }
}

// --- remittances: 835 --------------------------------------------------------------------------

static bool balances(const struct bill *bill)
{
    int64_t rest;
    return !__builtin_sub_overflow(bill->charge, bill->adjusted, &rest) && rest == bill->paid;
}

static void tell_unbalanced(struct check *check, const struct bill *bill, const char *id,
                            const char *what)
{
    char charge[32], adjusted[32], paid[32];
    tell(check, SY_X12_BALANCE, bill->segment,
         "%s: %s of %s less adjustments of %s is not the payment of %s", id, what,
         money(charge, bill->charge), money(adjusted, bill->adjusted), money(paid, bill->paid));
}

static void end_line(struct check *check)
{
    struct bill *line = &check->line, *claim = &check->claim;
    if (!line->open) return;
    if (!line->spoilt && !balances(line)) tell_unbalanced(check, line, "SVC", "a line's charge");
    bool good = !line->spoilt && add(&claim->adjusted, line->adjusted) &&
                add(&claim->line_charges, line->charge);
    if (!good) claim->spoilt = true;
    claim->lines++;
    line->open = false;
}

static void end_remitted(struct check *check)
{
    struct bill *claim = &check->claim;
    end_line(check);
    if (!claim->open) return;
    claim->open = false;
    if (claim->spoilt) return;
    if (balances(claim)) {
        check->totals->balanced++;
    } else {
        tell_unbalanced(check, claim, "CLP", "a claim's charge");
    }
    if (claim->lines > 0 && claim->line_charges != claim->charge) {
        char want[32], got[32];
        tell(check, SY_X12_SUM, claim->segment,
             "CLP03 is %s, but the claim's lines (%llu) sum up to %s", money(want, claim->charge),
             (unsigned long long)claim->lines, money(got, claim->line_charges));
    }
}

static void begin_remitted(struct check *check)
{
    struct bill *claim = &check->claim;
    end_remitted(check);
    *claim = (struct bill){.open = true, .segment = check->at.number};
    bool charged = amount(check, &claim->charge, 3, false);
    bool paid = amount(check, &claim->paid, 4, false);
    claim->spoilt = !charged || !paid;
    if (!paid || !add(&check->claims_paid, claim->paid)) check->payment_spoilt = true;
    check->totals->remitted++;
}

static void begin_line(struct check *check)
{
    struct bill *line = &check->line;
    end_line(check);
    if (!check->claim.open) return;
    *line = (struct bill){.open = true, .segment = check->at.number};
    bool charged = amount(check, &line->charge, 2, false);
    bool paid = amount(check, &line->paid, 3, true);
    line->spoilt = !charged || !paid;
}

/* CAS: a group code, then up to six times reason, amount and quantity. */
static void add_adjustments(struct check *check)
{
    struct bill *bill = check->line.open ? &check->line : &check->claim;
    if (!bill->open) return;
    for (uint32_t i = 3; i <= check->at.count; i += 3) {
        int64_t cents;
        bool good = amount(check, &cents, i, sy_x12_element(&check->at, i - 1).size == 0) &&
                    add(&bill->adjusted, cents);
        if (!good) bill->spoilt = true;
    }
}

/* PLB: provider and date, then up to six times reason and amount. */
static void add_provider_adjustments(struct check *check)
{
    end_remitted(check);
    for (uint32_t i = 4; i <= check->at.count; i += 2) {
        int64_t cents;
        bool good = amount(check, &cents, i, sy_x12_element(&check->at, i - 1).size == 0) &&
                    add(&check->provider_adjusted, cents);
        if (!good) check->payment_spoilt = true;
    }
}

static void begin_payment(struct check *check)
{
    check->has_payment = true;
    check->payment_segment = check->at.number;
    if (!amount(check, &check->payment, 2, false)) check->payment_spoilt = true;
}

static void end_payment(struct check *check)
{
    int64_t due;
    end_remitted(check);
    if (!check->has_payment || check->payment_spoilt) return;
    bool good = !__builtin_sub_overflow(check->claims_paid, check->provider_adjusted, &due);
    if (good && due == check->payment) return;
    char want[32], claims[32], provider[32];
    tell(check, SY_X12_PAYMENT, check->payment_segment,
         "BPR02 is %s, but the claims' payments of %s less provider adjustments of %s are not",
         money(want, check->payment), money(claims, check->claims_paid),
         money(provider, check->provider_adjusted));
}

static void read_remittance_set(struct check *check)
{
    const struct sy_x12_segment *at = &check->at;
    if (sy_x12_is(at, "BPR")) {
        begin_payment(check);
    } else if (sy_x12_is(at, "CLP")) {
        begin_remitted(check);
    } else if (sy_x12_is(at, "SVC")) {
        begin_line(check);
    } else if (sy_x12_is(at, "CAS")) {
        add_adjustments(check);
    } else if (sy_x12_is(at, "LX")) {
        end_remitted(check);
    } else if (sy_x12_is(at, "PLB")) {
        add_provider_adjustments(check);
    }
}

// --- levels and dates --------------------------------------------------------------------------

static void check_fact(void *self, const struct sy_x12_fact *fact)
{
    struct check *check = (struct check *)self;
    if (fact->good || fact->form != SY_X12_DATES) return; // amounts are checked where they count
    char id[4];
    copy_plain(id, sizeof id, check->at.id);
    tell(check, SY_X12_DATE, check->at.number, "%s%02u is no date, and no two in order", id,
         (unsigned)fact->element);
}

static void check_loops(struct check *check)
{
    char why[SY_X12_TEXT_BYTES];
    bool opened;
    if (!sy_x12_loops_take(&check->loops, &opened, why, &check->at)) {
        tell(check, SY_X12_LEVEL, check->at.number, "%s", why);
    }
    sy_x12_facts(&check->loops, &check->reader, &check->at, check_fact, check);
}

// --- envelopes ---------------------------------------------------------------------------------

static bool is_set(const struct check *check, const char *kind)
{
    return sy_slice_equal(check->set_kind, sy_slice_of(kind, strlen(kind)));
}

static void end_set_body(struct check *check)
{
    if (is_set(check, "837")) end_claim(check);
    if (is_set(check, "835")) end_payment(check);
    if (check->set_has_issue) check->totals->sets_with_issues++;
}

static void expect_count(struct check *check, const char *what, uint64_t want)
{
    uint64_t told;
    if (sy_x12_count(&told, sy_x12_element(&check->at, 1)) && told == want) return;
    char given[16];
    copy_plain(given, sizeof given, sy_x12_element(&check->at, 1));
    tell(check, SY_X12_COUNT, check->at.number, "%s is %s, but there are %llu", what,
         given[0] ? given : "empty", (unsigned long long)want);
}

static void expect_control(struct check *check, const char *what, const char *begun,
                           struct sy_slice want)
{
    if (sy_slice_equal(sy_x12_element(&check->at, 2), want)) return;
    tell(check, SY_X12_CONTROL, check->at.number, "%s is not the control number of its %s", what,
         begun);
}

/* Ends the envelopes that stand deeper than `depth`, whose end is missing. Of a set that is cut off
 * sums would say nothing. */
static void fall_to(struct check *check, int depth)
{
    static const char *const ends[] = {"IEA", "GE", "SE"};
    for (; check->depth > depth; check->depth--) {
        tell(check, SY_X12_ENVELOPE, check->at.number, "%s is missing in front of this segment",
             ends[check->depth - 1]);
        if (check->depth == IN_SET) check->totals->sets_with_issues++;
    }
}

static void begin_interchange(struct check *check)
{
    fall_to(check, OUTSIDE);
    check->interchange = sy_x12_element(&check->at, 13);
    check->groups_in = 0;
    check->totals->interchanges++;
    check->depth = IN_INTERCHANGE;
    if (check->reader.misplaced == 0) return;
    tell(check, SY_X12_ENVELOPE, check->at.number,
         "ISA%02u has another length than ISA's fixed places ask for: have the sender pad it",
         check->reader.misplaced);
}

static void begin_group(struct check *check)
{
    fall_to(check, IN_INTERCHANGE);
    check->group = sy_x12_element(&check->at, 6);
    check->guide = sy_x12_element(&check->at, 8);
    check->sets_in = 0;
    check->groups_in++;
    check->totals->groups++;
    check->depth = IN_GROUP;
}

static void count_kind(struct sy_x12_totals *totals, struct sy_slice set)
{
    char name[4];
    copy_plain(name, sizeof name, set);
    uint32_t i = 0;
    while (i < totals->kind_count && strcmp(totals->kinds[i].set, name) != 0) i++;
    if (i == SY_X12_KINDS_MAX) return;
    if (i == totals->kind_count) {
        memcpy(totals->kinds[i].set, name, sizeof name);
        totals->kind_count++;
    }
    totals->kinds[i].count++;
}

static void begin_set(struct check *check)
{
    fall_to(check, IN_GROUP);
    check->set_has_issue = false;
    check->depth = IN_SET;
    check->set_kind = sy_x12_element(&check->at, 1);
    check->set = sy_x12_element(&check->at, 2);
    check->set_start = check->at.number;
    check->claim = check->line = (struct bill){.open = false};
    check->has_payment = check->payment_spoilt = false;
    check->payment = check->claims_paid = check->provider_adjusted = 0;
    sy_x12_loops_begin(&check->loops, &check->at, check->guide);
    check->sets_in++;
    check->totals->sets++;
    count_kind(check->totals, check->set_kind);
}

static void end_set(struct check *check)
{
    expect_count(check, "SE01", check->at.number - check->set_start + 1);
    expect_control(check, "SE02", "ST", check->set);
    end_set_body(check);
    check->depth = IN_GROUP;
}

static void end_group(struct check *check)
{
    fall_to(check, IN_GROUP);
    expect_count(check, "GE01", check->sets_in);
    expect_control(check, "GE02", "GS", check->group);
    check->depth = IN_INTERCHANGE;
}

static void end_interchange(struct check *check)
{
    fall_to(check, IN_INTERCHANGE);
    expect_count(check, "IEA01", check->groups_in);
    expect_control(check, "IEA02", "ISA", check->interchange);
    check->depth = OUTSIDE;
}

/* One kind of envelope segment: where it may stand, and what it does. */
struct envelope {
    const char *id;
    int least; /* depth that it needs at least */
    void (*step)(struct check *check);
};

static const struct envelope envelopes[] = {
    {"ISA", OUTSIDE, begin_interchange}, {"GS", IN_INTERCHANGE, begin_group},
    {"ST", IN_GROUP, begin_set},         {"SE", IN_SET, end_set},
    {"GE", IN_GROUP, end_group},         {"IEA", IN_INTERCHANGE, end_interchange},
};

static bool is_id(struct sy_slice id)
{
    if (id.size < 2 || id.size > 3 || id.data[0] < 'A' || id.data[0] > 'Z') return false;
    for (size_t i = 1; i < id.size; i++) {
        uint8_t byte = id.data[i];
        if (!((byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9'))) return false;
    }
    return true;
}

static void read_body(struct check *check)
{
    if (!is_id(check->at.id)) {
        tell(check, SY_X12_ENVELOPE, check->at.number,
             "the segment's id is not two or three capital letters and digits");
    } else if (check->depth != IN_SET && !sy_x12_is(&check->at, "TA1")) {
        tell(check, SY_X12_ENVELOPE, check->at.number, "the segment stands outside of ST and SE");
    } else if (check->depth == IN_SET) {
        check_loops(check);
        if (is_set(check, "837")) read_claim_set(check);
        if (is_set(check, "835")) read_remittance_set(check);
    }
}

static void read_segment(struct check *check)
{
    for (size_t i = 0; i < sizeof envelopes / sizeof envelopes[0]; i++) {
        if (!sy_x12_is(&check->at, envelopes[i].id)) continue;
        if (check->depth >= envelopes[i].least) {
            envelopes[i].step(check);
        } else {
            tell(check, SY_X12_ENVELOPE, check->at.number,
                 "%s stands where nothing that it belongs to is open", envelopes[i].id);
        }
        return;
    }
    read_body(check);
}

bool sy_x12_check(struct sy_x12_totals *totals, struct sy_slice document, sy_x12_tell tell_issue,
                  void *self)
{
    SY_ASSERT(document.size <= SY_X12_DOCUMENT_BYTES_MAX);
    char why[SY_X12_TEXT_BYTES];
    struct check check = {
        .totals = totals, .tell = tell_issue, .self = self, .reader = {.document = document}};
    enum sy_x12_step step;
    *totals = (struct sy_x12_totals){.segments = 0};
    while ((step = sy_x12_next(&check.reader, &check.at, why)) == SY_X12_SEGMENT) {
        totals->segments++;
        read_segment(&check);
    }
    if (step == SY_X12_FAULT) {
        uint64_t number = check.reader.number;
        tell(&check, SY_X12_FRAMING, number > 0 ? number : 1, "%s", why);
        if (check.depth == IN_SET) totals->sets_with_issues++;
    } else {
        check.at.number++; // behind the last one
        fall_to(&check, OUTSIDE);
    }
    uint64_t issues = 0;
    for (unsigned i = 1; i < SY_X12_ISSUES; i++) issues += totals->issues[i];
    return issues == 0;
}

const char *sy_x12_issue_word(uint8_t kind)
{
    static const char *const words[] = {"framing", "envelope", "control", "count", "amount",
                                        "sum",     "balance",  "payment", "level", "date"};
    SY_ASSERT(kind >= SY_X12_FRAMING && kind < SY_X12_ISSUES);
    return words[kind - 1];
}
