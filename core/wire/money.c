/* money.c: key hashes and encodings of plans, coverage, claims and payments; see money.h. */
#include "core/wire/money.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define PAIR_PREFIX 0x04

enum {
    AUTH_EVIDENCE = 1,
    CONTEST_EVIDENCE = 1,
    CLAIM_PRIOR = 1,
    CLAIM_AUTH = 2,
    CLAIM_OUTSIDE = 4,
    DENIED_RX = 1,
    PAYMENT_REFERENCE = 1,
    PAYMENT_REVERSED = 2,
    PLAN_ENCOUNTERS = 1,
    ROW_FLAGS = SY_ROW_CAPITATED | SY_ROW_AUTHORISED | SY_ROW_REVIEWED
};

// --- key hashes --------------------------------------------------------------------------------

void sy_state_key_numbered(struct sy_hash *out, enum sy_state_kind kind,
                           const struct sy_hash *first, uint64_t number)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, number);
    sy_state_key_pair(out, kind, first, &padded);
}

void sy_schedule_id(struct sy_hash *out, const struct sy_hash *publisher, uint16_t kind,
                    uint32_t version)
{
    struct sy_hash second = {{0}};
    sy_store_u16(second.bytes, kind);
    sy_store_u32(second.bytes + 2, version);
    sy_hash_prefixed(out, PAIR_PREFIX, publisher, &second);
}

void sy_state_key_schedule_row(struct sy_hash *out, const struct sy_hash *schedule_id,
                               struct sy_slice key)
{
    struct sy_hash leaf;
    sy_hash_leaf(&leaf, key);
    sy_state_key_pair(out, SY_STATE_SCHEDULE_ROW, schedule_id, &leaf);
}

bool sy_money_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second)
{
    switch (kind) {
    case SY_STATE_COVERAGES:
    case SY_STATE_USED:
    case SY_STATE_OWED:
    case SY_STATE_CLAIM_PLACE:
    case SY_STATE_REMITTANCE:
    case SY_STATE_SCHEDULE_ROW:
    case SY_STATE_CONTEST:
    case SY_STATE_FILL_BILLED:
    case SY_STATE_BILLED_DAY:
    case SY_STATE_SETTLEMENT:
    case SY_STATE_SETTLEMENT_PLACE:
        sy_state_key_pair(out, (enum sy_state_kind)kind, id, second);
        return true;
    case SY_STATE_PLAN:
    case SY_STATE_COVERAGE:
    case SY_STATE_CLAIM:
    case SY_STATE_DENIED_LINES:
    case SY_STATE_CLAIM_KEY:
    case SY_STATE_BALANCE:
    case SY_STATE_PAYMENT:
    case SY_STATE_AUTH:
    case SY_STATE_CLAIMS: sy_state_key_id(out, (enum sy_state_kind)kind, id); return true;
    default: return false;
    }
}

// --- plans and coverage ------------------------------------------------------------------------

void sy_plan_encode(struct sy_writer *w, const struct sy_plan *plan)
{
    sy_write_hash(w, &plan->payer);
    sy_write_u64(w, plan->deductible);
    for (unsigned i = 0; i < SY_COPAYS; i++) sy_write_u64(w, plan->copays[i]);
    sy_write_u16(w, plan->coinsurance_bp);
    sy_write_u64(w, plan->out_of_pocket_max);
    sy_write_u64(w, plan->benefit_max);
    sy_write_u16(w, plan->filing_days);
    sy_write_u16(w, plan->dispute_days);
    for (unsigned i = SY_SCHEDULE_FEES; i <= SY_SCHEDULE_CODES; i++) {
        sy_write_u32(w, plan->versions[i]);
    }
    sy_write_u64(w, plan->height);
    sy_write_u8(w, plan->encounters ? PLAN_ENCOUNTERS : 0);
}

/* An amount that a transaction may name. */
static uint64_t read_money(struct sy_reader *r, const char *what)
{
    uint64_t amount = sy_read_u64(r, what);
    if (amount > SY_MONEY_MAX) sy_reader_fail(r, what);
    return r->failed ? 0 : amount;
}

bool sy_plan_decode(struct sy_plan *plan, struct sy_slice bytes)
{
    *plan = (struct sy_plan){.deductible = 0};
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &plan->payer, "payer");
    plan->deductible = read_money(&r, "deductible");
    for (unsigned i = 0; i < SY_COPAYS; i++) plan->copays[i] = read_money(&r, "copays");
    plan->coinsurance_bp = sy_read_u16(&r, "coinsurance");
    if (plan->coinsurance_bp > SY_BASIS_POINTS) sy_reader_fail(&r, "coinsurance");
    plan->out_of_pocket_max = read_money(&r, "out_of_pocket_max");
    plan->benefit_max = read_money(&r, "benefit_max");
    plan->filing_days = sy_read_u16(&r, "filing_days");
    plan->dispute_days = sy_read_u16(&r, "dispute_days");
    for (unsigned i = SY_SCHEDULE_FEES; i <= SY_SCHEDULE_CODES; i++) {
        plan->versions[i] = sy_read_u32(&r, "versions");
    }
    plan->height = sy_read_u64(&r, "height");
    uint8_t flags = sy_read_u8(&r, "flags");
    if ((flags & ~PLAN_ENCOUNTERS) != 0) sy_reader_fail(&r, "flags");
    plan->encounters = (flags & PLAN_ENCOUNTERS) != 0;
    return sy_reader_done(&r);
}

void sy_coverage_encode(struct sy_writer *w, const struct sy_coverage *coverage)
{
    sy_write_hash(w, &coverage->patient);
    sy_write_hash(w, &coverage->plan);
    sy_write_hash(w, &coverage->payer);
    sy_write_i64(w, coverage->from_ms);
    sy_write_i64(w, coverage->until_ms);
    sy_write_u8(w, coverage->order);
    sy_write_u64(w, coverage->height);
    sy_write_u64(w, coverage->ended_height);
}

bool sy_coverage_decode(struct sy_coverage *coverage, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &coverage->patient, "patient");
    sy_read_hash(&r, &coverage->plan, "plan");
    sy_read_hash(&r, &coverage->payer, "payer");
    coverage->from_ms = sy_read_i64(&r, "from");
    coverage->until_ms = sy_read_i64(&r, "until");
    coverage->order = sy_read_u8(&r, "order");
    coverage->height = sy_read_u64(&r, "height");
    coverage->ended_height = sy_read_u64(&r, "ended_height");
    if (coverage->order == 0 || coverage->order > SY_COVERAGE_ORDERS) sy_reader_fail(&r, "order");
    if (coverage->from_ms > coverage->until_ms) sy_reader_fail(&r, "until");
    return sy_reader_done(&r);
}

void sy_coverages_encode(struct sy_writer *w, const struct sy_coverages *coverages)
{
    SY_ASSERT(coverages->count <= SY_COVERAGES_MAX);
    sy_write_u8(w, coverages->count);
    for (unsigned i = 0; i < coverages->count; i++) {
        sy_write_hash(w, &coverages->spans[i].coverage);
        sy_write_i64(w, coverages->spans[i].from_ms);
        sy_write_i64(w, coverages->spans[i].until_ms);
    }
}

bool sy_coverages_decode(struct sy_coverages *coverages, struct sy_slice bytes)
{
    *coverages = (struct sy_coverages){.count = 0};
    struct sy_reader r = sy_reader_of(bytes);
    uint8_t count = sy_read_u8(&r, "count");
    if (count == 0 || count > SY_COVERAGES_MAX) sy_reader_fail(&r, "count");
    for (unsigned i = 0; i < count && !r.failed; i++) {
        sy_read_hash(&r, &coverages->spans[i].coverage, "coverage");
        coverages->spans[i].from_ms = sy_read_i64(&r, "from");
        coverages->spans[i].until_ms = sy_read_i64(&r, "until");
    }
    coverages->count = r.failed ? 0 : count;
    return sy_reader_done(&r);
}

void sy_used_encode(struct sy_writer *w, const struct sy_used *used)
{
    sy_write_u64(w, used->deductible);
    sy_write_u64(w, used->out_of_pocket);
    sy_write_u64(w, used->benefit);
}

bool sy_used_decode(struct sy_used *used, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    used->deductible = read_money(&r, "deductible");
    used->out_of_pocket = read_money(&r, "out_of_pocket");
    used->benefit = read_money(&r, "benefit");
    return sy_reader_done(&r);
}

// --- authorisations ----------------------------------------------------------------------------

void sy_auth_encode(struct sy_writer *w, const struct sy_auth *auth)
{
    SY_ASSERT(auth->used <= auth->granted && auth->granted <= auth->asked);
    sy_write_hash(w, &auth->patient);
    sy_write_hash(w, &auth->coverage);
    sy_write_hash(w, &auth->plan);
    sy_write_hash(w, &auth->payer);
    sy_write_hash(w, &auth->organisation);
    sy_write_u8(w, auth->status);
    sy_write_u32(w, auth->asked);
    sy_write_u32(w, auth->granted);
    sy_write_u32(w, auth->used);
    sy_write_i64(w, auth->from_ms);
    sy_write_i64(w, auth->until_ms);
    sy_write_u64(w, auth->height);
    sy_write_i64(w, auth->decided_ms);
    sy_write_u64(w, auth->decided_height);
    sy_write_u8(w, auth->has_evidence ? AUTH_EVIDENCE : 0);
    if (auth->has_evidence) sy_write_hash(w, &auth->evidence);
    sy_write_u16(w, auth->codes.count);
    sy_write_bytes16(w, auth->codes.items);
}

/* Codes as they were encoded: texts, none of them empty. */
static void read_codes(struct sy_reader *r, struct sy_list *codes)
{
    uint16_t count = sy_read_u16(r, "codes");
    codes->items = sy_read_bytes16(r, SY_STATE_VALUE_BYTES_MAX, "codes");
    codes->count = count;
    if (r->failed || count == 0 || count > SY_AUTH_CODES_MAX) {
        sy_reader_fail(r, "codes");
        return;
    }
    struct sy_reader items = sy_reader_of(codes->items);
    for (uint16_t i = 0; i < count && !items.failed; i++) {
        if (sy_read_bytes16(&items, SY_AUTH_CODE_BYTES_MAX, "codes").size == 0) {
            sy_reader_fail(&items, "codes");
        }
    }
    if (!sy_reader_done(&items)) sy_reader_fail(r, "codes");
}

/* What stands in an authorisation fits together. */
static bool auth_is_whole(const struct sy_auth *auth)
{
    bool asked = auth->status == SY_AUTH_ASKED;
    if (!sy_enum_word(&sy_enum_auth_status, auth->status)) return false;
    if (auth->asked == 0 || auth->granted > auth->asked || auth->used > auth->granted) return false;
    if ((auth->status == SY_AUTH_GRANTED) != (auth->granted > 0)) return false;
    if (asked != (auth->decided_height == 0) || (asked && auth->decided_ms != 0)) return false;
    return auth->from_ms <= auth->until_ms;
}

bool sy_auth_decode(struct sy_auth *auth, struct sy_slice bytes)
{
    *auth = (struct sy_auth){.status = 0};
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &auth->patient, "patient");
    sy_read_hash(&r, &auth->coverage, "coverage");
    sy_read_hash(&r, &auth->plan, "plan");
    sy_read_hash(&r, &auth->payer, "payer");
    sy_read_hash(&r, &auth->organisation, "organisation");
    auth->status = sy_read_u8(&r, "status");
    auth->asked = sy_read_u32(&r, "asked");
    auth->granted = sy_read_u32(&r, "granted");
    auth->used = sy_read_u32(&r, "used");
    auth->from_ms = sy_read_i64(&r, "from");
    auth->until_ms = sy_read_i64(&r, "until");
    auth->height = sy_read_u64(&r, "height");
    auth->decided_ms = sy_read_i64(&r, "decided");
    auth->decided_height = sy_read_u64(&r, "decided_height");
    uint8_t flags = sy_read_u8(&r, "flags");
    if ((flags & ~AUTH_EVIDENCE) != 0) sy_reader_fail(&r, "flags");
    auth->has_evidence = (flags & AUTH_EVIDENCE) != 0;
    if (auth->has_evidence) sy_read_hash(&r, &auth->evidence, "evidence");
    read_codes(&r, &auth->codes);
    return sy_reader_done(&r) && auth_is_whole(auth);
}

// --- claims ------------------------------------------------------------------------------------

bool sy_claim_result_balances(const struct sy_claim_result *line)
{
    const uint64_t parts[] = {line->contractual, line->deductible, line->copay, line->coinsurance,
                              line->beyond};
    uint64_t sum = 0;
    if (line->charge > SY_MONEY_MAX || line->limit > SY_MONEY_MAX) return false;
    if (line->prior > line->charge) return false;
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i] > line->charge) return false;
        sum += parts[i];
    }
    if (line->reason != 0) return sum == 0;
    return sum <= line->charge - sy_claim_result_prior(line);
}

uint64_t sy_claim_result_prior(const struct sy_claim_result *line)
{
    uint64_t allowed = line->charge - line->contractual;
    if (line->reason != 0) return 0;
    return line->prior < allowed ? line->prior : allowed;
}

uint64_t sy_claim_result_paid(const struct sy_claim_result *line)
{
    SY_ASSERT(sy_claim_result_balances(line));
    if (line->reason != 0) return 0;
    return line->charge - line->contractual - sy_claim_result_prior(line) - line->deductible -
           line->copay - line->coinsurance - line->beyond;
}

uint64_t sy_claim_result_patient(const struct sy_claim_result *line)
{
    if (line->reason == 0) {
        return line->deductible + line->copay + line->coinsurance + line->beyond;
    }
    return sy_claim_reason_group(line->reason)[0] == 'P' ? line->charge - line->prior : 0;
}

const char *sy_claim_reason_group(uint16_t reason)
{
    return reason == SY_CARC_NOT_COVERED ? "PR" : "CO";
}

uint64_t sy_claim_charge(const struct sy_claim *claim)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < claim->line_count; i++) sum += claim->lines[i].charge;
    return sum;
}

uint64_t sy_claim_authorised(const struct sy_claim *claim)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < claim->line_count; i++) sum += claim->lines[i].authorised;
    return sum;
}

uint64_t sy_claim_paid(const struct sy_claim *claim)
{
    uint64_t sum = 0;
    if (claim->decided_ms == 0) return 0;
    for (unsigned i = 0; i < claim->line_count; i++) sum += sy_claim_result_paid(&claim->lines[i]);
    return sum;
}

uint64_t sy_claim_patient(const struct sy_claim *claim)
{
    uint64_t sum = 0;
    if (claim->decided_ms == 0) return 0;
    for (unsigned i = 0; i < claim->line_count; i++) {
        sum += sy_claim_result_patient(&claim->lines[i]);
    }
    return sum;
}

static void write_result(struct sy_writer *w, const struct sy_claim_result *line)
{
    SY_ASSERT(sy_claim_result_balances(line));
    sy_write_u16(w, line->reason);
    sy_write_u8(w, line->other);
    sy_write_u64(w, line->charge);
    sy_write_u64(w, line->limit);
    sy_write_u64(w, line->contractual);
    sy_write_u64(w, line->deductible);
    sy_write_u64(w, line->copay);
    sy_write_u64(w, line->coinsurance);
    sy_write_u64(w, line->beyond);
    sy_write_u64(w, line->prior);
    sy_write_u32(w, line->authorised);
    sy_write_u8(w, line->place);
}

static void read_result(struct sy_reader *r, struct sy_claim_result *line)
{
    line->reason = sy_read_u16(r, "reason");
    line->other = sy_read_u8(r, "other");
    line->charge = sy_read_u64(r, "charge");
    line->limit = sy_read_u64(r, "limit");
    line->contractual = sy_read_u64(r, "contractual");
    line->deductible = sy_read_u64(r, "deductible");
    line->copay = sy_read_u64(r, "copay");
    line->coinsurance = sy_read_u64(r, "coinsurance");
    line->beyond = sy_read_u64(r, "beyond");
    line->prior = sy_read_u64(r, "prior");
    line->authorised = sy_read_u32(r, "authorised");
    if (line->reason != 0 && line->authorised != 0) sy_reader_fail(r, "authorised");
    line->place = sy_read_u8(r, "place");
    if (!sy_claim_result_balances(line)) sy_reader_fail(r, "lines");
}

void sy_claim_encode(struct sy_writer *w, const struct sy_claim *claim)
{
    SY_ASSERT(claim->line_count >= 1 && claim->line_count <= SY_CLAIM_LINES_MAX);
    sy_write_hash(w, &claim->patient);
    sy_write_hash(w, &claim->coverage);
    sy_write_hash(w, &claim->payer);
    sy_write_hash(w, &claim->provider);
    sy_write_hash(w, &claim->rendering);
    sy_write_hash(w, &claim->key);
    sy_write_u8(w, claim->status);
    sy_write_u16(w, claim->service_class);
    sy_write_u8(w, claim->holds);
    sy_write_u32(w, claim->fraud);
    sy_write_u32(w, claim->cleared);
    sy_write_u32(w, claim->minutes);
    sy_write_i64(w, claim->from_ms);
    sy_write_i64(w, claim->until_ms);
    sy_write_i64(w, claim->decided_ms);
    sy_write_u64(w, claim->height);
    sy_write_u8(w, (uint8_t)((claim->has_prior ? CLAIM_PRIOR : 0) |
                             (claim->has_auth ? CLAIM_AUTH : 0) |
                             (claim->outside ? CLAIM_OUTSIDE : 0)));
    if (claim->has_prior) sy_write_hash(w, &claim->prior);
    if (claim->has_auth) sy_write_hash(w, &claim->auth);
    sy_write_u8(w, claim->line_count);
    for (unsigned i = 0; i < claim->line_count; i++) write_result(w, &claim->lines[i]);
}

bool sy_claim_decode(struct sy_claim *claim, struct sy_slice bytes)
{
    memset(claim, 0, sizeof *claim);
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &claim->patient, "patient");
    sy_read_hash(&r, &claim->coverage, "coverage");
    sy_read_hash(&r, &claim->payer, "payer");
    sy_read_hash(&r, &claim->provider, "provider");
    sy_read_hash(&r, &claim->rendering, "rendering");
    sy_read_hash(&r, &claim->key, "key");
    claim->status = sy_read_u8(&r, "status");
    if (!sy_enum_word(&sy_enum_claim_status, claim->status)) sy_reader_fail(&r, "status");
    claim->service_class = sy_read_u16(&r, "class");
    claim->holds = sy_read_u8(&r, "holds");
    bool closed = claim->status == SY_CLAIM_PENDED || claim->status == SY_CLAIM_REVERSED;
    if (claim->holds > (closed ? 0u : SY_CONTEST_BITS)) sy_reader_fail(&r, "holds");
    claim->fraud = sy_read_u32(&r, "fraud");
    if (claim->fraud > SY_FRAUD_BITS) sy_reader_fail(&r, "fraud");
    claim->cleared = sy_read_u32(&r, "cleared");
    if ((claim->cleared & ~claim->fraud) != 0) sy_reader_fail(&r, "cleared");
    claim->minutes = sy_read_u32(&r, "minutes");
    claim->from_ms = sy_read_i64(&r, "from");
    claim->until_ms = sy_read_i64(&r, "until");
    claim->decided_ms = sy_read_i64(&r, "decided");
    claim->height = sy_read_u64(&r, "height");
    uint8_t flags = sy_read_u8(&r, "flags");
    if ((flags & ~(CLAIM_PRIOR | CLAIM_AUTH | CLAIM_OUTSIDE)) != 0) sy_reader_fail(&r, "flags");
    claim->outside = (flags & CLAIM_OUTSIDE) != 0;
    claim->has_prior = (flags & CLAIM_PRIOR) != 0;
    if (claim->has_prior) sy_read_hash(&r, &claim->prior, "prior");
    claim->has_auth = (flags & CLAIM_AUTH) != 0;
    if (claim->has_auth) sy_read_hash(&r, &claim->auth, "authorisation");
    uint8_t count = sy_read_u8(&r, "lines");
    if (count == 0 || count > SY_CLAIM_LINES_MAX) sy_reader_fail(&r, "lines");
    for (unsigned i = 0; i < count && !r.failed; i++) {
        read_result(&r, &claim->lines[i]);
        if (claim->lines[i].place == 0 || claim->lines[i].place > count)
            sy_reader_fail(&r, "place");
    }
    if (!r.failed) claim->line_count = count;
    if (!claim->has_auth && sy_claim_authorised(claim) != 0) sy_reader_fail(&r, "authorised");
    if (sy_claim_charge(claim) > SY_MONEY_MAX) sy_reader_fail(&r, "lines");
    return sy_reader_done(&r);
}

void sy_fill_billed_encode(struct sy_writer *w, const struct sy_fill_billed *billed)
{
    SY_ASSERT(billed->line >= 1 && billed->line <= SY_CLAIM_LINES_MAX);
    sy_write_hash(w, &billed->claim);
    sy_write_u8(w, billed->line);
}

bool sy_fill_billed_decode(struct sy_fill_billed *billed, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &billed->claim, "claim");
    billed->line = sy_read_u8(&r, "line");
    if (billed->line == 0 || billed->line > SY_CLAIM_LINES_MAX) sy_reader_fail(&r, "line");
    return sy_reader_done(&r);
}

void sy_denied_lines_encode(struct sy_writer *w, const struct sy_denied_lines *denied)
{
    SY_ASSERT(denied->count >= 1 && denied->count <= SY_CLAIM_LINES_MAX);
    sy_write_u8(w, denied->count);
    for (unsigned i = 0; i < denied->count; i++) {
        const struct sy_denied_line *line = &denied->lines[i];
        sy_write_u8(w, line->line);
        sy_write_u32(w, line->minutes);
        sy_write_u8(w, line->has_rx ? DENIED_RX : 0);
        if (line->has_rx) sy_write_hash(w, &line->rx);
    }
}

bool sy_denied_lines_decode(struct sy_denied_lines *denied, struct sy_slice bytes)
{
    memset(denied, 0, sizeof *denied);
    struct sy_reader r = sy_reader_of(bytes);
    uint8_t count = sy_read_u8(&r, "count"), last = 0;
    if (count == 0 || count > SY_CLAIM_LINES_MAX) sy_reader_fail(&r, "count");
    for (unsigned i = 0; i < count && !r.failed; i++) {
        struct sy_denied_line *line = &denied->lines[i];
        line->line = sy_read_u8(&r, "line");
        if (line->line <= last || line->line > SY_CLAIM_LINES_MAX) sy_reader_fail(&r, "line");
        last = line->line;
        line->minutes = sy_read_u32(&r, "minutes");
        uint8_t flags = sy_read_u8(&r, "flags");
        if ((flags & ~DENIED_RX) != 0) sy_reader_fail(&r, "flags");
        line->has_rx = (flags & DENIED_RX) != 0;
        if (line->has_rx) sy_read_hash(&r, &line->rx, "rx");
        if (line->minutes == 0 && !line->has_rx) sy_reader_fail(&r, "line");
    }
    denied->count = r.failed ? 0 : count;
    return sy_reader_done(&r);
}

// --- what is contested -------------------------------------------------------------------------

void sy_contest_encode(struct sy_writer *w, const struct sy_contest_entry *contest)
{
    SY_ASSERT(contest->lines != 0);
    sy_write_u8(w, contest->status);
    sy_write_u16(w, contest->reason);
    sy_write_u64(w, contest->lines);
    sy_write_i64(w, contest->opened_ms);
    sy_write_i64(w, contest->held_until_ms);
    sy_write_u64(w, contest->height);
    sy_write_i64(w, contest->ended_ms);
    sy_write_u64(w, contest->ended_height);
    sy_write_u8(w, contest->has_evidence ? CONTEST_EVIDENCE : 0);
    if (contest->has_evidence) sy_write_hash(w, &contest->evidence);
}

bool sy_contest_decode(struct sy_contest_entry *contest, struct sy_slice bytes)
{
    *contest = (struct sy_contest_entry){.status = 0};
    struct sy_reader r = sy_reader_of(bytes);
    contest->status = sy_read_u8(&r, "status");
    contest->reason = sy_read_u16(&r, "reason");
    contest->lines = sy_read_u64(&r, "lines");
    contest->opened_ms = sy_read_i64(&r, "opened");
    contest->held_until_ms = sy_read_i64(&r, "held_until");
    contest->height = sy_read_u64(&r, "height");
    contest->ended_ms = sy_read_i64(&r, "ended");
    contest->ended_height = sy_read_u64(&r, "ended_height");
    uint8_t flags = sy_read_u8(&r, "flags");
    if ((flags & ~CONTEST_EVIDENCE) != 0) sy_reader_fail(&r, "flags");
    contest->has_evidence = (flags & CONTEST_EVIDENCE) != 0;
    if (contest->has_evidence) sy_read_hash(&r, &contest->evidence, "evidence");
    bool open = contest->status == SY_CONTEST_OPEN;
    if (!sy_enum_word(&sy_enum_contest_status, contest->status)) sy_reader_fail(&r, "status");
    if (contest->reason != 0 && !sy_enum_word(&sy_enum_bill_reason, contest->reason)) {
        sy_reader_fail(&r, "reason");
    }
    if (contest->lines == 0 || contest->lines >> SY_CLAIM_LINES_MAX != 0) {
        sy_reader_fail(&r, "lines");
    }
    if (contest->held_until_ms < contest->opened_ms) sy_reader_fail(&r, "held_until");
    if (open != (contest->ended_height == 0)) sy_reader_fail(&r, "ended_height");
    if (open && contest->ended_ms != 0) sy_reader_fail(&r, "ended");
    return sy_reader_done(&r);
}

// --- payments ----------------------------------------------------------------------------------

#define BALANCE_UPPER ((sy_sum)1 << 64) /* what its upper half counts */

/* A sum of payments and of what was taken back, or the upper half of a balance: no payment makes
 * one leave its type. */
static int64_t read_sum(struct sy_reader *r, const char *what)
{
    int64_t sum = sy_read_i64(r, what);
    if (sum > SY_BALANCE_MAX || sum < -SY_BALANCE_MAX) sy_reader_fail(r, what);
    return r->failed ? 0 : sum;
}

void sy_balance_encode(struct sy_writer *w, const struct sy_balance *balance)
{
    uint64_t low = (uint64_t)balance->amount;
    sy_write_u64(w, low);
    sy_write_i64(w, (int64_t)((balance->amount - low) / BALANCE_UPPER));
    sy_write_u64(w, balance->remittances);
    sy_write_u64(w, balance->settlements);
}

bool sy_balance_decode(struct sy_balance *balance, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    uint64_t low = sy_read_u64(&r, "amount");
    balance->amount = read_sum(&r, "amount") * BALANCE_UPPER + low;
    balance->remittances = sy_read_u64(&r, "remittances");
    balance->settlements = sy_read_u64(&r, "settlements");
    return sy_reader_done(&r);
}

void sy_owed_encode(struct sy_writer *w, const struct sy_owed *owed)
{
    sy_write_i64(w, owed->amount);
    sy_write_u64(w, owed->moves);
    sy_write_i64(w, owed->first_ms);
    sy_write_i64(w, owed->last_ms);
    sy_write_i64(w, owed->settled_ms);
}

bool sy_owed_decode(struct sy_owed *owed, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    owed->amount = read_sum(&r, "amount");
    owed->moves = sy_read_u64(&r, "moves");
    owed->first_ms = sy_read_i64(&r, "first");
    owed->last_ms = sy_read_i64(&r, "last");
    owed->settled_ms = sy_read_i64(&r, "settled");
    bool none = owed->amount == 0 && owed->first_ms == 0 && owed->last_ms == 0;
    if (owed->moves == 0 ? !none : owed->first_ms > owed->last_ms) sy_reader_fail(&r, "moves");
    return sy_reader_done(&r);
}

void sy_settlement_encode(struct sy_writer *w, const struct sy_settlement *settlement)
{
    sy_write_hash(w, &settlement->payer);
    sy_write_i64(w, settlement->net);
    sy_write_u64(w, settlement->moves);
    sy_write_i64(w, settlement->from_ms);
    sy_write_i64(w, settlement->until_ms);
    sy_write_hash(w, &settlement->reference);
    sy_write_i64(w, settlement->time_ms);
    sy_write_u64(w, settlement->height);
}

bool sy_settlement_decode(struct sy_settlement *settlement, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &settlement->payer, "payer");
    settlement->net = read_sum(&r, "net");
    settlement->moves = sy_read_u64(&r, "moves");
    if (settlement->moves == 0) sy_reader_fail(&r, "moves");
    settlement->from_ms = sy_read_i64(&r, "from");
    settlement->until_ms = sy_read_i64(&r, "until");
    if (settlement->from_ms > settlement->until_ms) sy_reader_fail(&r, "until");
    sy_read_hash(&r, &settlement->reference, "reference");
    settlement->time_ms = sy_read_i64(&r, "time");
    settlement->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

void sy_payment_encode(struct sy_writer *w, const struct sy_payment *payment)
{
    SY_ASSERT(payment->count >= 1 && payment->count <= SY_PAYEES_MAX);
    sy_write_hash(w, &payment->payer);
    sy_write_u64(w, payment->amount);
    sy_write_u8(w, (uint8_t)((payment->has_reference ? PAYMENT_REFERENCE : 0) |
                             (payment->reversed ? PAYMENT_REVERSED : 0)));
    if (payment->has_reference) sy_write_hash(w, &payment->reference);
    sy_write_i64(w, payment->time_ms);
    sy_write_u64(w, payment->height);
    if (payment->reversed) sy_write_u64(w, payment->reversed_height);
    sy_write_u8(w, payment->count);
    for (unsigned i = 0; i < payment->count; i++) {
        sy_write_hash(w, &payment->payees[i].organisation);
        sy_write_u64(w, payment->payees[i].amount);
    }
}

bool sy_payment_decode(struct sy_payment *payment, struct sy_slice bytes)
{
    uint64_t sum = 0;
    memset(payment, 0, sizeof *payment);
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &payment->payer, "payer");
    payment->amount = read_money(&r, "amount");
    uint8_t flags = sy_read_u8(&r, "flags");
    if ((flags & ~(PAYMENT_REFERENCE | PAYMENT_REVERSED)) != 0) sy_reader_fail(&r, "flags");
    payment->has_reference = (flags & PAYMENT_REFERENCE) != 0;
    payment->reversed = (flags & PAYMENT_REVERSED) != 0;
    if (payment->has_reference) sy_read_hash(&r, &payment->reference, "reference");
    payment->time_ms = sy_read_i64(&r, "time");
    payment->height = sy_read_u64(&r, "height");
    if (payment->reversed) payment->reversed_height = sy_read_u64(&r, "reversed_height");
    uint8_t count = sy_read_u8(&r, "payees");
    if (count == 0 || count > SY_PAYEES_MAX) sy_reader_fail(&r, "payees");
    for (unsigned i = 0; i < count && !r.failed; i++) {
        sy_read_hash(&r, &payment->payees[i].organisation, "payees");
        payment->payees[i].amount = read_money(&r, "payees");
        sum += payment->payees[i].amount;
    }
    payment->count = r.failed ? 0 : count;
    if (sum != payment->amount) sy_reader_fail(&r, "payees");
    return sy_reader_done(&r);
}

void sy_remittance_encode(struct sy_writer *w, const struct sy_remittance *remittance)
{
    sy_write_hash(w, &remittance->claim);
    sy_write_hash(w, &remittance->payer);
    sy_write_i64(w, remittance->amount);
    sy_write_i64(w, remittance->time_ms);
    sy_write_u64(w, remittance->height);
}

bool sy_remittance_decode(struct sy_remittance *remittance, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &remittance->claim, "claim");
    sy_read_hash(&r, &remittance->payer, "payer");
    remittance->amount = sy_read_i64(&r, "amount");
    remittance->time_ms = sy_read_i64(&r, "time");
    remittance->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

void sy_schedule_row_encode(struct sy_writer *w, const struct sy_schedule_row *row)
{
    sy_write_u8(w, row->flags);
    sy_write_u64(w, row->value);
}

bool sy_schedule_row_decode(struct sy_schedule_row *row, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    row->flags = sy_read_u8(&r, "flags");
    if ((row->flags & ~ROW_FLAGS) != 0) sy_reader_fail(&r, "flags");
    row->value = sy_read_u64(&r, "value");
    return sy_reader_done(&r);
}
