/* remit.c: see remit.h. */
#include "core/client/remit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/base64url.h"
#include "core/client/x12_check.h"

#define SEGMENT_BYTES 512u
#define ADJUSTMENTS_MAX 16u /* kinds of a claim's: 7 denials, and 6 others */

struct text {
    char *bytes;
    size_t size, room;
    uint64_t segments; /* of the set, ST and what follows */
    bool failed;       /* memory ended */
};

static void put(struct text *text, const char *format, ...) SY_PRINTF(2, 3);

/* One segment, without its terminator. */
static void put(struct text *text, const char *format, ...)
{
    va_list list;
    if (text->room - text->size < SEGMENT_BYTES) {
        size_t room = text->room == 0 ? 16384 : 2 * text->room;
        char *grown = text->failed ? NULL : realloc(text->bytes, room);
        if (grown == NULL) {
            text->failed = true;
            return;
        }
        text->bytes = grown;
        text->room = room;
    }
    va_start(list, format);
    int size = vsnprintf(text->bytes + text->size, SEGMENT_BYTES - 2, format, list);
    va_end(list);
    SY_ASSERT(size > 0 && (size_t)size < SEGMENT_BYTES - 2);
    text->size += (size_t)size;
    memcpy(text->bytes + text->size, "~\n", 2);
    text->size += 2;
    text->segments++;
}

/* "-12.30" */
static const char *money(char out[32], int64_t cents)
{
    int64_t size = cents < 0 ? -cents : cents;
    (void)snprintf(out, 32, "%s%lld.%02lld", cents < 0 ? "-" : "", (long long)(size / 100),
                   (long long)(size % 100));
    return out;
}

/* CCYYMMDD and HHMM, in UTC. */
struct moment {
    char day[32], minute[32];
};

static struct moment moment_of(int64_t time_ms)
{
    struct moment moment;
    int64_t days = time_ms / 86400000, minutes = time_ms / 60000 % 1440;
    // Days of the Gregorian calendar in eras of 400 years, which begin in March.
    int64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2 ? 1 : 0);
    (void)snprintf(moment.day, sizeof moment.day, "%04lld%02lld%02lld", (long long)year,
                   (long long)month, (long long)day);
    (void)snprintf(moment.minute, sizeof moment.minute, "%02lld%02lld", (long long)(minutes / 60),
                   (long long)(minutes % 60));
    return moment;
}

static void hex_of(char out[65], const struct sy_hash *hash)
{
    sy_hex_encode(out, hash->bytes, sizeof hash->bytes);
}

/* All of an id in 43 characters; an X12 separator is not among them. */
static void short_of(char out[64], const struct sy_hash *id)
{
    size_t size = sy_base64url_encode(out, sy_slice_of(id->bytes, sizeof id->bytes));
    out[size] = '\0';
}

// --- one claim ---------------------------------------------------------------------------------

struct adjustment {
    const char *group;
    unsigned reason;
    int64_t cents;
};
struct adjustments {
    struct adjustment rows[ADJUSTMENTS_MAX];
    unsigned count;
};

static void adjust(struct adjustments *all, const char *group, unsigned reason, uint64_t cents)
{
    unsigned i = 0;
    if (cents == 0) return;
    while (i < all->count &&
           (all->rows[i].reason != reason || strcmp(all->rows[i].group, group) != 0)) {
        i++;
    }
    SY_ASSERT(i < ADJUSTMENTS_MAX); // a state's claim has no other reasons (sy_claim_decode)
    if (i == all->count) all->rows[all->count++] = (struct adjustment){group, reason, 0};
    all->rows[i].cents += (int64_t)cents;
}

static void sum_adjustments(struct adjustments *all, const struct sy_claim *claim)
{
    all->count = 0;
    for (unsigned i = 0; i < claim->line_count; i++) {
        const struct sy_claim_result *line = &claim->lines[i];
        if (line->reason != 0) {
            adjust(all, sy_claim_reason_group(line->reason), line->reason, line->charge);
            continue;
        }
        adjust(all, "CO", 45, line->contractual);
        adjust(all, "OA", 23, sy_claim_result_prior(line));
        adjust(all, "PR", 1, line->deductible);
        adjust(all, "PR", 2, line->coinsurance);
        adjust(all, "PR", 3, line->copay);
        adjust(all, "PR", 119, line->beyond);
    }
}

/* A CAS has one group, and up to six reasons. */
static void put_adjustments(struct text *text, const struct adjustments *all, int64_t sign)
{
    static const char *const groups[] = {"CO", "OA", "PR"};
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        char segment[SEGMENT_BYTES / 2] = "", cents[32];
        size_t used = 0;
        unsigned reasons = 0;
        for (unsigned i = 0; i < all->count; i++) {
            const struct adjustment *row = &all->rows[i];
            if (strcmp(row->group, groups[g]) != 0) continue;
            int size =
                snprintf(segment + used, sizeof segment - used, "%s*%u*%s", reasons > 0 ? "*" : "",
                         row->reason, money(cents, sign * row->cents));
            SY_ASSERT(size > 0 && (size_t)size < sizeof segment - used);
            used += (size_t)size;
            if (++reasons < 6) continue;
            put(text, "CAS*%s%s", groups[g], segment);
            used = reasons = 0;
        }
        if (reasons > 0) put(text, "CAS*%s%s", groups[g], segment);
    }
}

static int64_t sign_of(const struct sy_remit *remit)
{
    return remit->remittance.amount < 0 ? -1 : 1;
}

static void put_claim(struct text *text, const struct sy_remit *remit)
{
    const struct sy_claim *claim = &remit->claim;
    const struct sy_hash *id = &remit->remittance.claim;
    int64_t sign = sign_of(remit);
    char hex[65], whole[64], charge[32], paid[32], owes[32] = "", patient[65];
    struct adjustments all;
    struct moment from = moment_of(claim->from_ms), until = moment_of(claim->until_ms);
    hex_of(hex, id);
    short_of(whole, id);
    hex_of(patient, &claim->patient);
    // CLP05 stands only where the patient owes something, and never in a reversal.
    if (sign > 0 && sy_claim_patient(claim) > 0) {
        (void)money(owes, (int64_t)sy_claim_patient(claim));
    }
    put(text, "CLP*%.38s*%u*%s*%s*%s*ZZ*%s", hex,
        sign < 0           ? 22u
        : claim->has_prior ? 2u
                           : 1u,
        money(charge, sign * (int64_t)sy_claim_charge(claim)),
        money(paid, sign * (int64_t)sy_claim_paid(claim)), owes, whole);
    sum_adjustments(&all, claim);
    put_adjustments(text, &all, sign);
    put(text, "NM1*QC*1******MI*%s", patient);
    put(text, "DTM*232*%s", from.day);
    put(text, "DTM*233*%s", until.day);
}

// --- one set -----------------------------------------------------------------------------------

/* What other payees have of a claim's payment, in the remittance's direction. */
static int64_t of_others(const struct sy_remit *remit)
{
    return sign_of(remit) * (int64_t)sy_claim_paid(&remit->claim) - remit->remittance.amount;
}

struct writing {
    struct text text;
    const struct sy_remit *remits;
    size_t count;
    const struct sy_remit_to *to;
    uint32_t sets;
};

static bool is_of(const struct writing *writing, size_t i, const struct sy_hash *payer)
{
    return sy_hash_equal(&writing->remits[i].remittance.payer, payer);
}

static void put_parties(struct writing *writing, const struct sy_hash *payer)
{
    const struct sy_remit_to *to = writing->to;
    char payer_hex[65], payee_hex[65];
    hex_of(payer_hex, payer);
    hex_of(payee_hex, &to->payee);
    put(&writing->text, "N1*PR*PAYER %.16s*XV*%s", payer_hex, payer_hex);
    if (to->payee_name != NULL) {
        put(&writing->text, "N1*PE*%.60s*%s*%s", to->payee_name, to->npi != NULL ? "XX" : "XV",
            to->npi != NULL ? to->npi : payee_hex);
    } else {
        put(&writing->text, "N1*PE*PAYEE %.16s*%s*%s", payee_hex, to->npi != NULL ? "XX" : "XV",
            to->npi != NULL ? to->npi : payee_hex);
    }
}

/* What others have, claim by claim, and what is carried forward. */
static void put_held_back(struct writing *writing, const struct sy_hash *payer, int64_t sum)
{
    char payee_hex[65], whole[64], cents[32];
    const char *provider = writing->to->npi;
    hex_of(payee_hex, &writing->to->payee);
    if (provider == NULL) provider = payee_hex;
    struct moment now = moment_of(writing->to->now_ms);
    for (size_t i = 0; i < writing->count; i++) {
        int64_t others = is_of(writing, i, payer) ? of_others(&writing->remits[i]) : 0;
        if (others == 0) continue;
        short_of(whole, &writing->remits[i].remittance.claim);
        put(&writing->text, "PLB*%s*%.4s1231*CS:%s*%s", provider, now.day, whole,
            money(cents, others));
    }
    if (sum < 0) {
        put(&writing->text, "PLB*%s*%.4s1231*FB:%llu*%s", provider, now.day,
            (unsigned long long)writing->remits[writing->count - 1].number, money(cents, sum));
    }
}

static void put_set(struct writing *writing, const struct sy_hash *payer)
{
    struct text *text = &writing->text;
    uint32_t control = writing->to->control + writing->sets;
    struct moment now = moment_of(writing->to->now_ms);
    char payer_hex[65], cents[32];
    int64_t sum = 0;
    uint64_t first = 0, last = 0;
    for (size_t i = 0; i < writing->count; i++) {
        if (!is_of(writing, i, payer)) continue;
        sum += writing->remits[i].remittance.amount;
        if (first == 0) first = writing->remits[i].number;
        last = writing->remits[i].number;
    }
    hex_of(payer_hex, payer);
    text->segments = 0;
    put(text, "ST*835*%04u", control);
    put(text, "BPR*I*%s*C*NON************%s", money(cents, sum < 0 ? 0 : sum), now.day);
    put(text, "TRN*1*%llu-%llu*1%.9s", (unsigned long long)first, (unsigned long long)last,
        payer_hex);
    put(text, "DTM*405*%s", now.day);
    put_parties(writing, payer);
    put(text, "LX*1");
    for (size_t i = 0; i < writing->count; i++) {
        if (is_of(writing, i, payer)) put_claim(text, &writing->remits[i]);
    }
    put_held_back(writing, payer, sum);
    put(text, "SE*%llu*%04u", (unsigned long long)text->segments + 1, control);
    writing->sets++;
}

// --- the interchange ---------------------------------------------------------------------------

static void put_all(struct writing *writing)
{
    const struct sy_remit_to *to = writing->to;
    struct text *text = &writing->text;
    struct moment now = moment_of(to->now_ms);
    put(text, "ISA*00*%10s*00*%10s*ZZ*%-15s*ZZ*%-15s*%s*%s*^*00501*%09u*0*%c*:", "", "", to->sender,
        to->receiver, now.day + 2, now.minute, to->control, to->test ? 'T' : 'P');
    put(text, "GS*HP*%s*%s*%s*%s*%u*X*005010X221A1", to->sender, to->receiver, now.day, now.minute,
        to->control);
    for (size_t i = 0; i < writing->count; i++) {
        size_t before = 0;
        const struct sy_hash *payer = &writing->remits[i].remittance.payer;
        while (before < i && !is_of(writing, before, payer)) before++;
        if (before == i) put_set(writing, payer);
    }
    put(text, "GE*%u*%u", writing->sets, to->control);
    put(text, "IEA*1*%09u", to->control);
}

/* Letters, digits and blanks alone, so that nothing in it is a separator. */
static bool is_plain(const char *text, size_t most)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == ' ' || c == '-' || c == '.' || c == '&';
        if (!plain) return false;
    }
    return size > 0 && size <= most && text[0] != ' ' && text[size - 1] != ' ';
}

static sy_status check_to(const struct sy_remit_to *to, struct sy_error *err)
{
    bool npi = to->npi == NULL || strlen(to->npi) == 10;
    for (const char *at = to->npi; npi && at != NULL && *at; at++) npi = *at >= '0' && *at <= '9';
    if (!npi) return sy_fail(err, SY_ERR_ARGUMENT, "an NPI has ten digits");
    if (!is_plain(to->sender, 15) || !is_plain(to->receiver, 15)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "sender and receiver are 1 to 15 letters, digits, blanks, '-', '.' or '&'");
    }
    if (to->payee_name != NULL && !is_plain(to->payee_name, 60)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "the payee's name is 1 to 60 letters, digits, blanks, '-', '.' or '&'");
    }
    if (to->control < 1 || to->control > 999999999u - SY_REMITS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the control number is 1 to %u",
                       999999999u - SY_REMITS_MAX);
    }
    return SY_OK;
}

/* A claim that is paid, or was, and of which the payee has no more than all. */
static bool fits(const struct sy_remit *remit)
{
    const struct sy_claim *claim = &remit->claim;
    const struct sy_remittance *remittance = &remit->remittance;
    bool moved = claim->status == SY_CLAIM_PAID || claim->status == SY_CLAIM_REVERSED;
    if (!moved || claim->decided_ms == 0 || !sy_hash_equal(&claim->payer, &remittance->payer)) {
        return false;
    }
    if (remittance->amount < 0 && claim->status != SY_CLAIM_REVERSED) return false;
    for (unsigned i = 0; i < claim->line_count; i++) {
        if (!sy_claim_result_balances(&claim->lines[i])) return false;
    }
    int64_t paid = (int64_t)sy_claim_paid(claim);
    return remittance->amount <= paid && remittance->amount >= -paid;
}

static void note_issue(void *self, const struct sy_x12_issue *issue)
{
    struct sy_x12_issue *first = (struct sy_x12_issue *)self;
    if (first->kind == 0) *first = *issue;
}

sy_status sy_remit_write(char **text, size_t *size, const struct sy_remit *remits, size_t count,
                         const struct sy_remit_to *to, struct sy_error *err)
{
    struct writing writing = {.remits = remits, .count = count, .to = to};
    struct sy_x12_issue issue = {.kind = 0};
    struct sy_x12_totals totals;
    SY_ASSERT(count >= 1 && count <= SY_REMITS_MAX);
    SY_TRY(check_to(to, err));
    for (size_t i = 0; i < count; i++) {
        if (fits(&remits[i])) continue;
        return sy_fail(err, SY_ERR_CORRUPT,
                       "remittance %llu is not what its claim came to: nothing is written",
                       (unsigned long long)remits[i].number);
    }
    put_all(&writing);
    if (writing.text.failed) {
        free(writing.text.bytes);
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to write remittances");
    }
    struct sy_slice written = sy_slice_of(writing.text.bytes, writing.text.size);
    if (!sy_x12_check(&totals, written, note_issue, &issue)) {
        free(writing.text.bytes);
        return sy_fail(err, SY_ERR_CORRUPT, "what was to be written does not balance: %.120s",
                       issue.text);
    }
    *text = writing.text.bytes;
    *size = writing.text.size;
    return SY_OK;
}
