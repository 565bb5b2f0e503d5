/* claim.c: claims: what is billed; how it is decided says claim_decide.c, too.
 *
 * claim.submit (an admin, gateway, doctor, pharmacist or lab of the organisation that bills)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   the signer may not write to the patient's records
 *   for payment, see may.h                                E_CONSENT {the denial}, E_NO_CARE {id}
 *   the id is taken                                       E_CLAIM_EXISTS {claim id}
 *   from is after until, until after now, or over 366
 *   days; no diagnosis or line; a line is not as
 *   claim_rules.h says                                    C16, path the field or lines[i]
 *   an amount is over the limit                           E_MONEY, path lines[i] or total
 *   the lines do not sum up to total                      E_SUM {their sum}, path total
 *   encounter, or the record or prescription of a line, is
 *   not there, or about another patient                   C16, path encounter or lines[i]
 *   there is no such coverage                             E_COVERAGE_UNKNOWN {coverage id}
 *   it is another patient's                               C31 {the patient}
 *   rendering is no practitioner of the organisation, was
 *   not certified for the time of service, or is excluded C208 {the key}
 *   the service began before the coverage                 C26 {its begin}
 *   it ended after the coverage                           C27 {its end}
 *   it comes too late                                     C29 {the last moment}
 *   the service stands billed, to whichever payer         C18 {that claim}
 *   what stands is before this one, but its decision is
 *   contested, and may have to change                     E_CLAIM_HELD {that claim}
 *   prior_claim is not there, not decided, or of another
 *   service, other charges or a higher order              C16, path prior_claim
 *   a coverage that pays between the two, or before this
 *   one if no prior_claim is named, stands for that time  C22 {that coverage}
 *   writes   claim, claim key, used, claim place, claims; authorisation, if lines use it up; billed
 *            day and fills billed (claim_fraud.c)
 *   events   claim.decided, claim.denied (no line is allowed) or claim.pended, about the patient
 *            and about the payer; fraud.flagged if a rule flags it; object: the claim
 *
 * The days in which it may come count from the end of the service; behind a prior claim, from when
 * that was decided, or what was contested of it in that time was answered, or held no more.
 *
 * What earlier payers paid is counted when a claim comes: as its prior claim has it, or if that was
 * denied, as the claim below it has it by then; with payers outside, whose part nobody can tell any
 * more, whichever is more. What stands below it changes no more from then on (claim_decide.c).
 *
 * What denies a line only is in the claim, with its CARC (claim_rules.h). A claim all of whose
 * lines are denied stands in nobody's way: the service may be billed again. */
#include "core/base/assert.h"
#include "core/ledger/contracts/claim_decide.h"
#include "core/ledger/contracts/claim_fraud.h"
#include "core/ledger/contracts/claim_rules.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/money_state.h"
#include "core/ledger/contracts/record_rules.h"
#include "core/wire/state_rx.h"

#define DAY_MS 86400000ll

enum { CONTESTS = SY_CONTEST_DISPUTE - SY_CONTEST_APPEAL + 1 };

_Static_assert(SY_CLAIM_LINES_MAX *(SY_CLAIM_LINES_MAX - 1) / 2 + 2 * SY_CLAIM_LINES_MAX +
                       SY_CLAIM_LINES_MAX * (3 * (SY_RX_REFILLS_MAX + 1) + 2 * SY_MERGES_MAX + 10) +
                       (SY_CLAIM_LINES_MAX + 1) * (2 * SY_MERGES_MAX + 4) + SY_CONSENTS_LIVE_MAX +
                       SY_CONSENTS_PASSED_MAX + 2 * SY_TX_SIGNERS_MAX + 4 * SY_COVERAGE_ORDERS +
                       2 * (SY_CONTEST_DISPUTE - SY_CONTEST_APPEAL + 1) + 64 <=
                   SY_OVERLAY_READS_BETWEEN,
               "a claim stays within what a payload may read");

/* A claim while it is judged. */
struct work {
    const struct sy_claim_submit *p;
    struct sy_coverage coverage;
    struct sy_plan plan;
    struct sy_auth auth; /* that counts for it; empty: none does */
    bool seen;           /* it names a record of about its time */
    unsigned count;
    struct sy_claim_line lines[SY_CLAIM_LINES_MAX];
    uint8_t places[SY_CLAIM_LINES_MAX]; /* of the lines, in the order of the key */
    struct sy_claim claim;
    struct sy_claim prior; /* if p->has_prior_claim */
    bool has_prior;        /* it is there; if it fits says is_prior */
    bool has_below;        /* the prior one was denied, but one before it stands */
    struct sy_hash below_id;
    struct sy_claim below; /* that one, which may have changed since the prior one counted it */
};

// --- the claim as such -------------------------------------------------------------------------

/* A record about the patient. *seen: one that stands and is of about the claim's time: it cannot be
 * registered before the service, a day aside, and later it may. */
static bool is_theirs(struct sy_exec *x, bool *seen, const struct sy_hash *record_id,
                      const struct sy_claim_submit *p)
{
    struct sy_record record;
    if (!sy_exec_find_record(x, &record, record_id)) return false;
    if (!record.retracted && record.first.time_ms >= p->from - DAY_MS) *seen = true;
    return sy_record_same_subject(x, &record, SY_SUBJECT_PATIENT, &p->patient_id);
}

/* A prescription for the patient. It tells one service from another, so it is no free choice. */
static bool is_prescribed(struct sy_exec *x, const struct sy_hash *rx_id,
                          const struct sy_hash *patient_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_rx rx;
    sy_exec_key(x, &place, SY_STATE_RX, rx_id);
    if (!sy_exec_find(x, &value, &place)) return false;
    if (!sy_rx_decode(&rx, value)) {
        x->failed = SY_ERR_CORRUPT;
        return false;
    }
    struct sy_hash live = sy_exec_live_id(x, &rx.patient);
    return sy_hash_equal(&live, patient_id);
}

static enum sy_refusal read_lines(struct sy_exec *x, struct work *work)
{
    const struct sy_claim_submit *p = work->p;
    struct sy_slice text;
    uint64_t sum = 0;
    for (size_t offset = 0; sy_list_next_text(&p->lines, &offset, &text); work->count++) {
        struct sy_claim_line *line = &work->lines[work->count];
        enum sy_line_verdict verdict =
            sy_claim_line_parse(line, text, work->count + 1, p->diagnoses.count);
        if (verdict == SY_LINE_BAD) return sy_money_refuse_item(x, SY_C16, "lines", work->count);
        if (verdict == SY_LINE_MONEY) {
            return sy_money_refuse_item(x, SY_E_MONEY, "lines", work->count);
        }
        sum += line->charge;
        if (sum > SY_MONEY_MAX) return sy_refuse_path(x, SY_E_MONEY, "total");
    }
    x->detail = sum;
    return sum == p->total ? SY_APPLIED : sy_refuse_path(x, SY_E_SUM, "total");
}

static enum sy_refusal check_links(struct sy_exec *x, struct work *work)
{
    const struct sy_claim_submit *p = work->p;
    if (p->has_encounter && !is_theirs(x, &work->seen, &p->encounter, p)) {
        return sy_refuse_path(x, SY_C16, "encounter");
    }
    for (unsigned i = 0; i < work->count; i++) {
        const struct sy_claim_line *line = &work->lines[i];
        bool good = line->link_kind == SY_LINK_RECORD ? is_theirs(x, &work->seen, &line->link, p)
                    : line->link_kind == SY_LINK_PRESCRIPTION
                        ? is_prescribed(x, &line->link, &p->patient_id)
                        : true;
        if (!good) {
            return sy_money_refuse_item(x, SY_C16, "lines", i);
        }
    }
    return SY_APPLIED;
}

static enum sy_refusal check_claim(struct sy_exec *x, struct work *work)
{
    const struct sy_claim_submit *p = work->p;
    if (sy_exec_has(x, SY_STATE_CLAIM, &p->claim_id)) {
        return sy_refuse_hash(x, SY_E_CLAIM_EXISTS, &p->claim_id);
    }
    if (p->from > p->until || p->until > x->time_ms || p->until - p->from > SY_CLAIM_SPAN_MS_MAX) {
        return sy_refuse_path(x, SY_C16, "until");
    }
    if (p->diagnoses.count == 0) return sy_refuse_path(x, SY_C16, "diagnoses");
    if (p->lines.count == 0) return sy_refuse_path(x, SY_C16, "lines");
    enum sy_refusal code = read_lines(x, work);
    if (code != SY_APPLIED) return code;
    x->detail = 0;
    return check_links(x, work);
}

// --- edits of the claim ------------------------------------------------------------------------

static bool renders(unsigned role)
{
    return role == SY_ROLE_DOCTOR || role == SY_ROLE_NURSE || role == SY_ROLE_PHARMACIST ||
           role == SY_ROLE_LAB;
}

static bool is_excluded(struct sy_exec *x, const struct work *work, const struct sy_hash *id)
{
    static const struct sy_hash regulators;
    static const char digits[] = "0123456789abcdef";
    char hex[64];
    struct sy_hash list;
    struct sy_schedule_row row;
    uint32_t version = work->plan.versions[SY_SCHEDULE_EXCLUSIONS];
    if (version == 0) return false;
    for (unsigned i = 0; i < sizeof id->bytes; i++) {
        hex[2 * i] = digits[id->bytes[i] >> 4];
        hex[2 * i + 1] = digits[id->bytes[i] & 15];
    }
    sy_schedule_id(&list, &regulators, SY_SCHEDULE_EXCLUSIONS, version);
    return sy_money_find_row(x, &row, &list, sy_slice_of(hex, sizeof hex)) &&
           row.value <= (uint64_t)work->p->until;
}

/* Who rendered it: certified from the first moment of service to the last. */
static bool is_certified(struct sy_exec *x, const struct work *work)
{
    struct sy_credential credential;
    const struct sy_claim_submit *p = work->p;
    if (!sy_exec_find_credential(x, &credential, &p->rendering)) return false;
    if (credential.use != SY_KEY_TX || !renders(credential.role)) return false;
    if (!sy_hash_equal(&credential.holder, &x->by->holder)) return false;
    if (credential.not_before_ms > p->from || credential.not_after_ms < p->until) return false;
    if (credential.revoked && credential.revoked_at_ms <= p->until) return false;
    struct sy_hash line = sy_credential_line(&credential, &p->rendering);
    return !is_excluded(x, work, &line) && !is_excluded(x, work, &x->by->holder);
}

static void key_under(struct sy_exec *x, struct sy_hash *key, const struct work *work,
                      const struct sy_hash *patient_id)
{
    struct sy_claim_service service = {.patient = *patient_id,
                                       .provider = x->by->holder,
                                       .service_class = work->p->class,
                                       .from_ms = work->p->from,
                                       .until_ms = work->p->until};
    sy_claim_key(key, &service, work->lines, work->count);
}

/* From a patient's id to the one that it was merged into; false: it is in use. */
static bool next_id(struct sy_exec *x, struct sy_hash *id)
{
    struct sy_patient patient;
    if (!sy_exec_find_patient(x, &patient, id) || !patient.merged) return false;
    *id = patient.into;
    return true;
}

static const struct sy_claim_result *line_at(const struct sy_claim *claim, uint8_t place)
{
    for (unsigned i = 0; i < claim->line_count; i++) {
        if (claim->lines[i].place == place) return &claim->lines[i];
    }
    return NULL;
}

/* The prior claim is for the same service, by the id that the patient had then, and has the same
 * charges. The claim takes its key. */
static bool same_service(struct sy_exec *x, struct work *work, const struct sy_hash *patient_id)
{
    struct sy_hash id = *patient_id, live = sy_exec_live_id(x, patient_id);
    if (!sy_hash_equal(&live, &work->p->patient_id)) return false;
    do {
        key_under(x, &work->claim.key, work, &id);
    } while (!sy_hash_equal(&work->claim.key, &work->prior.key) && next_id(x, &id));
    if (!sy_hash_equal(&work->claim.key, &work->prior.key)) return false;
    for (unsigned i = 0; i < work->count; i++) {
        const struct sy_claim_result *before = line_at(&work->prior, work->places[i]);
        if (before == NULL || before->charge != work->lines[i].charge) return false;
    }
    return work->prior.line_count == work->count;
}

/* The payer before: decided, for the same service and charges, of a lower order. */
static bool is_prior(struct sy_exec *x, struct work *work, uint8_t *order)
{
    struct sy_coverage before;
    const struct sy_claim *prior = &work->prior;
    if (!work->has_prior) return false;
    if (prior->status != SY_CLAIM_DECIDED && prior->status != SY_CLAIM_DENIED &&
        prior->status != SY_CLAIM_PAID) {
        return false;
    }
    if (!sy_money_find_coverage(x, &before, &prior->coverage)) return false;
    *order = before.order;
    return before.order < work->coverage.order && same_service(x, work, &before.patient);
}

/* A coverage of an order from `first` on that pays before this one, at the time of service. */
static bool pays_first(struct sy_exec *x, const struct work *work, uint8_t first,
                       const struct sy_hash *patient_id, struct sy_hash *coverage)
{
    struct sy_coverages coverages;
    for (uint8_t order = first; order < work->coverage.order; order++) {
        sy_money_find_coverages(x, &coverages, patient_id, order);
        for (unsigned i = 0; i < coverages.count; i++) {
            const struct sy_coverage_span *span = &coverages.spans[i];
            if (work->p->from < span->from_ms || work->p->from > span->until_ms) continue;
            *coverage = span->coverage;
            return true;
        }
    }
    return false;
}

/* Does the claim that stands for the service give way: it is the prior one, or, if that was denied,
 * the nearest before it? */
static bool gives_way(const struct work *work, const struct sy_hash *standing)
{
    if (!work->has_prior) return false;
    return sy_hash_equal(standing, &work->p->prior_claim) ||
           (work->has_below && sy_hash_equal(standing, &work->below_id));
}

/* Its amounts, which a claim built on it would fix, may have to change. */
static bool is_contested(struct sy_exec *x, const struct sy_hash *claim_id)
{
    struct sy_claim claim;
    return sy_money_find_claim(x, &claim, claim_id) &&
           sy_money_held_until(x, &claim, claim_id) >= x->time_ms;
}

/* What stands for the service under a key is one that the claim may follow, as it is. */
static enum sy_refusal check_standing(struct sy_exec *x, const struct work *work,
                                      const struct sy_hash *key)
{
    struct sy_hash other;
    if (!sy_money_find_standing(x, &other, key)) return SY_APPLIED;
    if (!gives_way(work, &other)) return sy_refuse_hash(x, SY_C18, &other);
    return is_contested(x, &other) ? sy_refuse_hash(x, SY_E_CLAIM_HELD, &other) : SY_APPLIED;
}

/* The same service, to this payer or another; who pays before this one. The patient may have been
 * billed for, and covered, under the id that the coverage was added for, and under that by which
 * the prior claim has its key, which this one takes. */
static enum sy_refusal check_others(struct sy_exec *x, struct work *work)
{
    const struct sy_claim_submit *p = work->p;
    struct sy_hash other, key, id = work->coverage.patient;
    enum sy_refusal code;
    uint8_t order = 0;
    sy_claim_places(work->places, work->lines, work->count);
    do {
        key_under(x, &key, work, &id);
        code = check_standing(x, work, &key);
        if (code != SY_APPLIED) return code;
    } while (next_id(x, &id));
    if (p->has_prior_claim && !is_prior(x, work, &order)) {
        return sy_refuse_path(x, SY_C16, "prior_claim");
    }
    if (!p->has_prior_claim) work->claim.key = key; // under the id in use
    code = check_standing(x, work, &work->claim.key);
    if (code != SY_APPLIED) return code;
    id = work->coverage.patient;
    do {
        if (pays_first(x, work, (uint8_t)(order + 1), &id, &other)) {
            return sy_refuse_hash(x, SY_C22, &other);
        }
    } while (next_id(x, &id));
    return SY_APPLIED;
}

static enum sy_refusal refuse_time(struct sy_exec *x, enum sy_refusal code, int64_t time_ms)
{
    x->detail = (uint64_t)time_ms;
    return code;
}

/* The prior claim, and what stands below it: a denied one keeps no other from changing. */
static void find_prior(struct sy_exec *x, struct work *work)
{
    const struct sy_claim_submit *p = work->p;
    work->has_prior = p->has_prior_claim && sy_money_find_claim(x, &work->prior, &p->prior_claim) &&
                      sy_hash_equal(&work->prior.provider, &x->by->holder);
    work->has_below = work->has_prior && work->prior.status == SY_CLAIM_DENIED &&
                      sy_money_find_before(x, &work->below_id, &work->prior) &&
                      sy_money_find_claim(x, &work->below, &work->below_id);
}

/* Later than `since`, if a claim was decided later, or held: what was contested after the days that
 * count from then were over brings none back. */
static int64_t wait_for(struct sy_exec *x, const struct sy_claim *claim, const struct sy_hash *id,
                        int64_t since, int64_t days_ms)
{
    struct sy_contest_entry contest;
    if (claim->decided_ms > since) since = claim->decided_ms;
    for (unsigned i = 0; i < CONTESTS * CONTESTS; i++) { // each may have been opened after another
        uint16_t kind = (uint16_t)(SY_CONTEST_APPEAL + i % CONTESTS);
        if (!sy_money_find_contest(x, &contest, id, kind)) continue;
        bool open = contest.status == SY_CONTEST_OPEN;
        int64_t end_ms = open ? contest.held_until_ms : contest.ended_ms;
        if (contest.opened_ms <= since + days_ms && end_ms > since) since = end_ms;
    }
    return since;
}

/* The last moment for the claim to come: the plan's days count from the end of the service, or from
 * when the payer before had decided, and that could be built on. */
static int64_t last_moment(struct sy_exec *x, const struct work *work)
{
    int64_t since = work->p->until, days_ms = work->plan.filing_days * DAY_MS;
    if (work->has_below) since = wait_for(x, &work->below, &work->below_id, since, days_ms);
    if (work->has_prior) since = wait_for(x, &work->prior, &work->p->prior_claim, since, days_ms);
    return since + days_ms;
}

static enum sy_refusal check_edits(struct sy_exec *x, struct work *work)
{
    const struct sy_claim_submit *p = work->p;
    if (!sy_money_find_coverage(x, &work->coverage, &p->coverage_id)) {
        return sy_refuse_hash(x, SY_E_COVERAGE_UNKNOWN, &p->coverage_id);
    }
    struct sy_hash covered = sy_exec_live_id(x, &work->coverage.patient);
    if (!sy_hash_equal(&covered, &p->patient_id)) return sy_refuse_hash(x, SY_C31, &p->patient_id);
    if (!sy_money_find_plan(x, &work->plan, &work->coverage.plan)) {
        sy_exec_corrupt(x); // a coverage has a plan
        return SY_E_PLAN_UNKNOWN;
    }
    if (!is_certified(x, work)) return sy_refuse_key(x, SY_C208, &p->rendering);
    if (p->from < work->coverage.from_ms) {
        return refuse_time(x, SY_C26, work->coverage.from_ms);
    }
    if (p->until > work->coverage.until_ms) return refuse_time(x, SY_C27, work->coverage.until_ms);
    find_prior(x, work);
    int64_t last = last_moment(x, work);
    if (x->time_ms > last) return refuse_time(x, SY_C29, last);
    return check_others(x, work);
}

// --- lines and prices --------------------------------------------------------------------------

struct lists {
    struct sy_exec *x;
    struct sy_hash ids[SY_SCHEDULE_CODES + 1];
};

static bool find_row(void *self, struct sy_schedule_row *row, uint16_t kind, struct sy_slice key)
{
    struct lists *lists = self;
    return sy_money_find_row(lists->x, row, &lists->ids[kind], key);
}

/* The authorisation that the claim names, if it counts for this claim; none: it is empty. */
static void find_authority(struct sy_exec *x, struct work *work)
{
    const struct sy_claim_submit *p = work->p;
    struct sy_auth *auth = &work->auth;
    bool some = p->has_auth_id && sy_money_find_auth(x, auth, &p->auth_id);
    if (some) {
        struct sy_hash patient = sy_exec_live_id(x, &auth->patient);
        some = auth->status == SY_AUTH_GRANTED && sy_hash_equal(&patient, &p->patient_id) &&
               sy_hash_equal(&auth->plan, &work->coverage.plan) && p->from >= auth->from_ms &&
               p->until <= auth->until_ms;
    }
    if (!some) *auth = (struct sy_auth){.status = 0};
}

/* What the lines took of it. */
static void use_authority(struct sy_exec *x, struct work *work)
{
    uint64_t units = sy_claim_authorised(&work->claim);
    if (units == 0) return;
    SY_ASSERT(units <= work->auth.granted - work->auth.used);
    work->claim.has_auth = true;
    work->claim.auth = work->p->auth_id;
    work->auth.used += (uint32_t)units;
    sy_money_save_auth(x, &work->p->auth_id, &work->auth);
}

/* What payers before paid for a line, the claim's own payer included. */
static uint64_t paid_until(const struct sy_claim *claim, uint8_t place)
{
    const struct sy_claim_result *line = line_at(claim, place);
    SY_ASSERT(line != NULL); // same_service found it, or did when the prior claim came
    return line->prior + sy_claim_result_paid(line);
}

/* What earlier payers paid for each line: as the prior claim counted it; if that was denied, what
 * stands below it has come to, less or more, since. But what payers outside paid is in what it
 * counted, and not told apart: then the greater. */
static void count_priors(struct work *work)
{
    const struct sy_claim *prior = &work->prior;
    bool anew = prior->status == SY_CLAIM_DENIED && !prior->outside;
    for (unsigned i = 0; i < work->count; i++) {
        struct sy_claim_result *line = &work->claim.lines[i];
        uint64_t paid = anew ? 0 : paid_until(prior, line->place);
        uint64_t below = work->has_below ? paid_until(&work->below, line->place) : 0;
        uint64_t all = (paid > below ? paid : below) + line->prior;
        line->prior = all < line->charge ? all : line->charge;
    }
}

/* True: the payer has to look at it. */
static bool edit_lines(struct sy_exec *x, struct work *work)
{
    static const struct sy_hash regulators;
    struct lists lists = {.x = x};
    struct sy_claim_lists ways = {.find = find_row, .self = &lists};
    for (uint16_t kind = SY_SCHEDULE_FEES; kind <= SY_SCHEDULE_CODES; kind++) {
        ways.has[kind] = work->plan.versions[kind] != 0;
        sy_schedule_id(&lists.ids[kind], kind == SY_SCHEDULE_FEES ? &work->plan.payer : &regulators,
                       kind, work->plan.versions[kind]);
    }
    find_authority(x, work);
    ways.authorised = work->auth.codes;
    ways.authorised_units = work->auth.granted - work->auth.used;
    bool review = sy_claim_edit(work->claim.lines, work->lines, work->count, &ways);
    work->claim.line_count = (uint8_t)work->count;
    use_authority(x, work);
    for (unsigned i = 0; i < work->count; i++) work->claim.lines[i].place = work->places[i];
    work->claim.outside = work->p->has_prior_claim && work->prior.outside;
    for (unsigned i = 0; i < work->count; i++) work->claim.outside |= work->lines[i].prior > 0;
    if (work->p->has_prior_claim) count_priors(work);
    return review;
}

/* The patient's list of claims, by number. */
static void place_claim(struct sy_exec *x, const struct sy_claim_submit *p)
{
    uint64_t number = 0;
    struct sy_hash place;
    struct sy_slice value;
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_exec_key(x, &place, SY_STATE_CLAIMS, &p->patient_id);
    if (sy_exec_find(x, &value, &place) && !sy_count_decode(&number, value)) {
        x->failed = SY_ERR_CORRUPT;
    }
    sy_count_encode(&w, ++number);
    sy_exec_save(x, &place, &w);
    w = sy_writer_of(room, sizeof room);
    sy_id_encode(&w, &p->claim_id);
    sy_state_key_numbered(&place, SY_STATE_CLAIM_PLACE, &p->patient_id, number);
    sy_exec_save(x, &place, &w);
}

/* The rules by which it may be flagged. */
static void watch(struct sy_exec *x, struct work *work)
{
    static const struct sy_hash regulators;
    struct sy_hash codes;
    uint32_t version = work->plan.versions[SY_SCHEDULE_CODES];
    sy_schedule_id(&codes, &regulators, SY_SCHEDULE_CODES, version);
    bool unseen = work->plan.encounters && !work->seen && work->p->class != SY_SERVICE_PHARMACY;
    sy_claim_watch(x, &work->claim, &work->p->claim_id, work->lines, version != 0 ? &codes : NULL,
                   unseen);
}

enum sy_refusal sy_contract_claim_submit(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_claim_submit *p = &payload->claim_submit;
    SY_ASSERT(x->kind->number == SY_KIND_claim_submit && x->by->valid);
    struct work work = {.p = p};
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code == SY_APPLIED) code = sy_money_check_writing(x, &p->patient_id);
    if (code == SY_APPLIED) code = check_claim(x, &work);
    if (code == SY_APPLIED) code = check_edits(x, &work);
    if (code != SY_APPLIED) return code;
    struct sy_claim *claim = &work.claim;
    claim->patient = p->patient_id;
    claim->coverage = p->coverage_id;
    claim->payer = work.coverage.payer;
    claim->provider = x->by->holder;
    claim->rendering = sy_hash_of_key(&p->rendering);
    claim->status = SY_CLAIM_PENDED;
    claim->service_class = p->class;
    claim->from_ms = p->from;
    claim->until_ms = p->until;
    claim->height = x->height;
    claim->has_prior = p->has_prior_claim;
    if (claim->has_prior) claim->prior = p->prior_claim;
    if (!edit_lines(x, &work) || sy_claim_is_denied(claim)) {
        sy_claim_decide(x, claim, &work.plan);
    }
    bool comes_back = !claim->has_prior; // even if it is denied (claim_decide.c)
    if (claim->status != SY_CLAIM_DENIED || comes_back) watch(x, &work);
    sy_money_save_claim(x, &p->claim_id, claim);
    if (claim->status != SY_CLAIM_DENIED) sy_money_save_standing(x, &claim->key, &p->claim_id);
    place_claim(x, p);
    sy_claim_tell(x, claim, &p->claim_id);
    return SY_APPLIED;
}
