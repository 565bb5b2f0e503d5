/* claim_fraud.c: claims that cannot be right, as far as state can say. A rule decides by itself, so
 * that everybody who replays the block finds the same.
 *
 * fraud.flag (a payer's key, a regulator or an auditor answers for it)
 *   there is no such claim                                E_CLAIM_UNKNOWN {claim id}
 *   signed by another payer, or an auditor neither of the
 *   payer nor of who billed                               E_NOT_PAYER {that payer}
 *   the claim is denied or reversed                       E_CLAIM_STATE {its status}
 *   the rule flagged it before                            E_FRAUD_STATE {claim id}
 *   the rule finds nothing now                            E_FRAUD_NONE {claim id}
 *   writes   claim
 *   events   fraud.flagged about the payer and about who billed, object: the claim
 *
 * fraud.clear (a payer's key or a regulator answers for it)
 *   as above                                              E_CLAIM_UNKNOWN, E_NOT_PAYER
 *   the rule did not flag it, or that was cleared         E_FRAUD_STATE {claim id}
 *   writes   claim
 *   events   fraud.cleared, as above
 *
 * What is flagged is not paid until it is cleared, once: nobody has it held by the same rule again,
 * but a denied claim when another bills its fill.
 * Who is held up is the payer, who may clear it; so may regulators, when a payer does not.
 *
 * claim.submit judges by all rules (FORMAT.md, section 18, says how), also a claim that is denied
 * at once, since it may come back and what its lines link is not kept: its minutes fill the day
 * then, and not before. A line that is denied beside others is judged when it is allowed after all:
 * what it would bill is kept until then; so is what a denied claim billed and another bills since.
 * A claim that stands behind an earlier payer's is the same service, and neither its hours nor its
 * fills count twice. Later claims may fill a day, and that a patient died may be said later, so
 * these two are judged again by fraud.flag; what a line links is not kept, so the other rules are
 * not. That a claim names no record of its time is a flag only where the plan wants encounters:
 * they need not be anchored. */
#include "core/ledger/contracts/claim_fraud.h"

#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"
#include "core/ledger/contracts/money_state.h"
#include "core/wire/state_rx.h"

#define DAY_MS 86400000ll

static void corrupt(struct sy_exec *x)
{
    sy_exec_corrupt(x);
}

static void tell(struct sy_exec *x, enum sy_event_kind kind, const struct sy_claim *claim,
                 const struct sy_hash *id)
{
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &claim->payer, id);
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &claim->provider, id);
}

/* A denied line beside others that are not: one of a denied claim may come back with it. */
static bool is_out(const struct sy_claim *claim, unsigned line)
{
    return claim->lines[line].reason != 0 && claim->status != SY_CLAIM_DENIED;
}

// --- days --------------------------------------------------------------------------------------

static void key_of_day(struct sy_exec *x, struct sy_hash *place, const struct sy_claim *claim)
{
    struct sy_public_key key;
    memcpy(key.bytes, claim->rendering.bytes, sizeof key.bytes);
    struct sy_hash line = sy_exec_line(x, &key);
    uint64_t day = (uint64_t)(claim->from_ms / DAY_MS);
    sy_state_key_numbered(place, SY_STATE_BILLED_DAY, &line, day);
}

static uint64_t find_day(struct sy_exec *x, const struct sy_hash *place)
{
    uint64_t minutes = 0;
    struct sy_slice value;
    if (sy_exec_find(x, &value, place) && !sy_count_decode(&minutes, value)) corrupt(x);
    return minutes;
}

static void save_day(struct sy_exec *x, const struct sy_hash *place, uint64_t minutes)
{
    uint8_t room[8];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_count_encode(&w, minutes);
    sy_exec_save(x, place, &w);
}

/* Adds minutes of the claim to its day; true: there are more than a day has. */
static bool fill_day(struct sy_exec *x, const struct sy_claim *claim, uint32_t more)
{
    struct sy_hash place;
    if (more == 0) return false;
    key_of_day(x, &place, claim);
    uint64_t minutes = find_day(x, &place) + more;
    save_day(x, &place, minutes);
    return minutes > SY_DAY_MINUTES;
}

/* Of a line of a claim of one day; as many as a claim can say. */
static uint32_t minutes_of(struct sy_exec *x, const struct sy_claim *claim,
                           const struct sy_claim_line *line, const struct sy_hash *codes)
{
    struct sy_schedule_row row;
    if (codes == NULL || claim->from_ms / DAY_MS != claim->until_ms / DAY_MS) return 0;
    if (!sy_money_find_row(x, &row, codes, line->code) || row.value == 0) return 0;
    return line->units <= UINT32_MAX / row.value ? (uint32_t)(row.value * line->units) : UINT32_MAX;
}

static void add_minutes(struct sy_claim *claim, uint32_t more)
{
    uint64_t sum = (uint64_t)claim->minutes + more;
    claim->minutes = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

// --- patients ----------------------------------------------------------------------------------

/* The service went on for more than a day after the patient died. */
static bool is_after_death(struct sy_exec *x, const struct sy_claim *claim)
{
    struct sy_patient patient;
    struct sy_hash live = sy_exec_live_id(x, &claim->patient);
    if (!sy_exec_find_patient(x, &patient, &live)) {
        corrupt(x); // a claim's patient is enrolled
        return false;
    }
    return patient.died && claim->until_ms > patient.died_ms + DAY_MS;
}

// --- prescriptions -----------------------------------------------------------------------------

/* The fill was by who bills, at about that time. */
static bool is_of_claim(struct sy_exec *x, const struct sy_claim *claim, const struct sy_hash *rx,
                        uint64_t number)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_rx_fill fill;
    sy_state_key_numbered(&place, SY_STATE_RX_FILL, rx, number);
    if (!sy_exec_find(x, &value, &place)) return false;
    if (!sy_rx_fill_decode(&fill, value)) {
        corrupt(x);
        return false;
    }
    return sy_hash_equal(&fill.organisation, &claim->provider) &&
           fill.time_ms >= claim->from_ms - DAY_MS && fill.time_ms <= claim->until_ms + DAY_MS;
}

/* What a denied claim billed is another's by now, whatever was cleared before. */
static void flag_taken(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id)
{
    const uint32_t bit = SY_FRAUD_BIT(SY_FRAUD_REFILL);
    if ((claim->fraud & ~claim->cleared & bit) != 0) return;
    claim->fraud |= bit;
    claim->cleared &= ~bit;
    sy_money_save_claim(x, id, claim);
    tell(x, SY_EVENT_FRAUD_FLAGGED, claim, id);
}

static void save_denied(struct sy_exec *x, const struct sy_hash *id,
                        const struct sy_denied_lines *denied)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash place;
    sy_exec_key(x, &place, SY_STATE_DENIED_LINES, id);
    if (denied->count == 0) {
        sy_exec_remove(x, &place);
        return;
    }
    sy_denied_lines_encode(&w, denied);
    sy_exec_save(x, &place, &w);
}

/* Keeps what a denied claim's line billed, until it comes back. */
static void put_back(struct sy_exec *x, const struct sy_fill_billed *billed,
                     const struct sy_hash *rx_id)
{
    struct sy_denied_lines denied = {.count = 0};
    struct sy_denied_line line = {.line = billed->line, .has_rx = true, .rx = *rx_id};
    struct sy_slice value;
    bool some = sy_exec_find_at(x, &value, SY_STATE_DENIED_LINES, &billed->claim);
    if (some && !sy_exec_decoded(x, sy_denied_lines_decode(&denied, value))) return;
    unsigned at = denied.count;
    while (at > 0 && denied.lines[at - 1].line >= line.line) at--;
    bool there = at < denied.count && denied.lines[at].line == line.line;
    if (there || denied.count == SY_CLAIM_LINES_MAX) return; // what a line bills is not aside
    memmove(&denied.lines[at + 1], &denied.lines[at], (denied.count - at) * sizeof line);
    denied.lines[at] = line;
    denied.count++;
    save_denied(x, &billed->claim, &denied);
}

/* No claim that stands bills it. A denied one that did may come back: it is flagged. */
static bool take_over(struct sy_exec *x, const struct sy_hash *place, const struct sy_hash *id,
                      const struct sy_hash *rx_id)
{
    struct sy_slice value;
    struct sy_fill_billed by;
    struct sy_claim claim;
    if (!sy_exec_find(x, &value, place)) return true;
    if (!sy_exec_decoded(x, sy_fill_billed_decode(&by, value))) return false;
    if (sy_hash_equal(&by.claim, id)) return false; // another line of this claim
    if (!sy_money_find_claim(x, &claim, &by.claim)) {
        corrupt(x); // what bills a fill is a claim
        return false;
    }
    if (claim.status == SY_CLAIM_REVERSED) return true;
    if (claim.status != SY_CLAIM_DENIED) return false;
    flag_taken(x, &claim, &by.claim);
    put_back(x, &by, rx_id);
    return true;
}

/* Takes a fill of the prescription for the claim's line, from 1; false: there is none left that it
 * could bill. */
static bool take_fill(struct sy_exec *x, const struct sy_claim *claim, const struct sy_hash *id,
                      unsigned line, const struct sy_hash *rx_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_rx rx;
    const struct sy_fill_billed billed = {.claim = *id, .line = (uint8_t)line};
    sy_exec_key(x, &place, SY_STATE_RX, rx_id);
    if (!sy_exec_find(x, &value, &place)) return false;
    if (!sy_rx_decode(&rx, value)) {
        corrupt(x);
        return false;
    }
    uint8_t fills = rx.fills;
    for (uint64_t number = 1; number <= fills; number++) {
        if (!is_of_claim(x, claim, rx_id, number)) continue;
        sy_state_key_numbered(&place, SY_STATE_FILL_BILLED, rx_id, number);
        if (!take_over(x, &place, id, rx_id)) continue;
        uint8_t room[64];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        sy_fill_billed_encode(&w, &billed);
        sy_exec_save(x, &place, &w);
        return true;
    }
    return false;
}

// --- devices -----------------------------------------------------------------------------------

static bool is_patients(struct sy_exec *x, const struct sy_claim *claim, const struct sy_hash *id)
{
    struct sy_hash live = sy_exec_live_id(x, id);
    return sy_hash_equal(&live, &claim->patient);
}

/* A device that sends: an organisation's is whoever's it treats. */
static uint32_t judge_device(struct sy_exec *x, const struct sy_claim *claim, struct sy_slice value)
{
    struct sy_device device;
    if (!sy_device_decode(&device, value)) {
        corrupt(x);
        return 0;
    }
    if (device.owner_kind != SY_SUBJECT_PATIENT) return 0;
    return is_patients(x, claim, &device.owner) ? 0 : SY_FRAUD_BIT(SY_FRAUD_ANOTHER);
}

static bool is_recalled(struct sy_exec *x, const struct sy_claim *claim, const struct sy_unit *unit)
{
    struct sy_hash place, id, lot = sy_lot_name_id(&unit->name);
    struct sy_slice value;
    struct sy_recall recall;
    if (!sy_goods_find_recall(x, &id, &lot)) return false;
    sy_exec_key(x, &place, SY_STATE_RECALL, &id);
    if (!sy_exec_find(x, &value, &place) || !sy_recall_decode(&recall, value)) {
        corrupt(x);
        return false;
    }
    return recall.time_ms <= claim->until_ms;
}

/* A unit of goods, implanted or handed out. */
static uint32_t judge_unit(struct sy_exec *x, const struct sy_claim *claim,
                           const struct sy_hash *unit_id)
{
    struct sy_unit unit;
    struct sy_hash place;
    struct sy_slice value;
    struct sy_dispensed dispensed;
    if (!sy_goods_find_unit(x, &unit, unit_id) || unit.container) {
        return SY_FRAUD_BIT(SY_FRAUD_UNKNOWN);
    }
    uint32_t flags = is_recalled(x, claim, &unit) ? SY_FRAUD_BIT(SY_FRAUD_RECALLED) : 0;
    sy_exec_key(x, &place, SY_STATE_DISPENSED, unit_id);
    if (!sy_exec_find(x, &value, &place)) return flags;
    if (!sy_dispensed_decode(&dispensed, value)) {
        corrupt(x);
        return flags;
    }
    struct sy_hash patient = dispensed.patient;
    bool another = dispensed.returned_height == 0 && !is_patients(x, claim, &patient);
    return another ? flags | SY_FRAUD_BIT(SY_FRAUD_ANOTHER) : flags;
}

static uint32_t judge_link(struct sy_exec *x, const struct sy_claim *claim,
                           const struct sy_hash *link)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_exec_key(x, &place, SY_STATE_DEVICE, link);
    if (sy_exec_find(x, &value, &place)) return judge_device(x, claim, value);
    return judge_unit(x, claim, link);
}

// --- lines that are denied ---------------------------------------------------------------------

static bool bills_a_fill(const struct sy_claim_line *line)
{
    return line->link_kind == SY_LINK_PRESCRIPTION && memcmp(line->code.data, "n4:", 3) == 0;
}

/* Keeps what a line would bill. */
static void put_aside(struct sy_denied_lines *denied, const struct sy_claim_line *line,
                      unsigned number, uint32_t minutes)
{
    bool has_rx = bills_a_fill(line);
    if (minutes == 0 && !has_rx) return;
    struct sy_denied_line *aside = &denied->lines[denied->count++];
    aside->line = (uint8_t)number;
    aside->minutes = minutes;
    aside->has_rx = has_rx;
    if (has_rx) aside->rx = line->link;
}

/* Judges those lines, bits, of what was put aside: the claim has their minutes then. True: one of
 * them bills a fill that it cannot. */
static bool take_denied(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id,
                        uint64_t lines)
{
    struct sy_denied_lines denied, left = {.count = 0};
    struct sy_slice value;
    bool refill = false;
    if (lines == 0 || !sy_exec_find_at(x, &value, SY_STATE_DENIED_LINES, id)) return false;
    if (!sy_exec_decoded(x, sy_denied_lines_decode(&denied, value))) return false;
    for (unsigned i = 0; i < denied.count; i++) {
        const struct sy_denied_line *line = &denied.lines[i];
        if ((lines >> (line->line - 1) & 1) == 0) {
            left.lines[left.count++] = *line;
            continue;
        }
        add_minutes(claim, line->minutes);
        if (line->has_rx && !take_fill(x, claim, id, line->line, &line->rx)) refill = true;
    }
    if (left.count != denied.count) save_denied(x, id, &left);
    return refill;
}

// --- claims ------------------------------------------------------------------------------------

void sy_claim_watch(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id,
                    const struct sy_claim_line *lines, const struct sy_hash *codes, bool unseen)
{
    struct sy_hash before;
    struct sy_denied_lines denied = {.count = 0};
    bool first = !sy_money_find_before(x, &before, claim);
    SY_ASSERT(claim->fraud == 0 && claim->minutes == 0);
    for (unsigned i = 0; i < claim->line_count; i++) {
        const struct sy_claim_line *line = &lines[i];
        if (line->link_kind == SY_LINK_DEVICE) claim->fraud |= judge_link(x, claim, &line->link);
        if (!first) continue;
        uint32_t minutes = minutes_of(x, claim, line, codes);
        if (is_out(claim, i)) {
            put_aside(&denied, line, i + 1, minutes);
            continue;
        }
        add_minutes(claim, minutes);
        if (!bills_a_fill(line)) continue;
        bool taken = take_fill(x, claim, id, i + 1, &line->link);
        if (!taken) claim->fraud |= SY_FRAUD_BIT(SY_FRAUD_REFILL);
    }
    if (denied.count > 0) save_denied(x, id, &denied);
    if (unseen) claim->fraud |= SY_FRAUD_BIT(SY_FRAUD_ENCOUNTER);
    if (is_after_death(x, claim)) claim->fraud |= SY_FRAUD_BIT(SY_FRAUD_DEATH);
    bool stands = claim->status != SY_CLAIM_DENIED;
    if (stands && fill_day(x, claim, claim->minutes)) claim->fraud |= SY_FRAUD_BIT(SY_FRAUD_DAY);
    if (claim->fraud != 0) tell(x, SY_EVENT_FRAUD_FLAGGED, claim, id);
}

void sy_claim_unwatch(struct sy_exec *x, const struct sy_claim *claim)
{
    struct sy_hash place;
    if (claim->minutes == 0) return;
    key_of_day(x, &place, claim);
    uint64_t minutes = find_day(x, &place);
    if (minutes < claim->minutes) {
        corrupt(x); // what a claim has was added to the day
        return;
    }
    save_day(x, &place, minutes - claim->minutes);
}

void sy_claim_rewatch(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id,
                      bool stood, uint64_t allowed)
{
    const uint32_t refill = SY_FRAUD_BIT(SY_FRAUD_REFILL);
    uint32_t before = stood ? claim->minutes : 0; // that the day has
    uint32_t open = claim->fraud & ~claim->cleared, flags = 0;
    if (take_denied(x, claim, id, allowed)) {
        flags |= refill;
        claim->cleared &= ~refill; // it was cleared of other lines
    }
    if (fill_day(x, claim, claim->minutes - before)) flags |= SY_FRAUD_BIT(SY_FRAUD_DAY);
    if (!stood && is_after_death(x, claim)) flags |= SY_FRAUD_BIT(SY_FRAUD_DEATH);
    claim->fraud |= flags;
    uint32_t now = claim->fraud & ~claim->cleared;
    if ((now & ~open) != 0) tell(x, SY_EVENT_FRAUD_FLAGGED, claim, id);
}

// --- flags -------------------------------------------------------------------------------------

static enum sy_refusal find_claim(struct sy_exec *x, struct sy_claim *claim,
                                  const struct sy_hash *id)
{
    if (!sy_money_find_claim(x, claim, id)) return sy_refuse_hash(x, SY_E_CLAIM_UNKNOWN, id);
    bool payer = sy_hash_equal(&claim->payer, &x->by->holder);
    bool provider = sy_hash_equal(&claim->provider, &x->by->holder);
    bool own = x->by->role == SY_ROLE_PAYER     ? payer
               : x->by->role == SY_ROLE_AUDITOR ? payer || provider
                                                : true; // a regulator
    return own ? SY_APPLIED : sy_refuse_hash(x, SY_E_NOT_PAYER, &claim->payer);
}

static bool is_day_full(struct sy_exec *x, const struct sy_claim *claim)
{
    struct sy_hash place;
    if (claim->minutes == 0) return false;
    key_of_day(x, &place, claim);
    return find_day(x, &place) > SY_DAY_MINUTES;
}

/* What the rule looks for is so now. */
static bool finds(struct sy_exec *x, const struct sy_claim *claim, uint16_t rule)
{
    if (rule == SY_FRAUD_DAY) return is_day_full(x, claim);
    return rule == SY_FRAUD_DEATH && is_after_death(x, claim);
}

enum sy_refusal sy_contract_fraud_flag(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_fraud_flag *p = &payload->fraud_flag;
    SY_ASSERT(x->kind->number == SY_KIND_fraud_flag && x->by->valid);
    struct sy_claim claim;
    enum sy_refusal code = find_claim(x, &claim, &p->claim_id);
    if (code != SY_APPLIED) return code;
    if (claim.status == SY_CLAIM_DENIED || claim.status == SY_CLAIM_REVERSED) {
        x->detail = claim.status;
        return SY_E_CLAIM_STATE;
    }
    if ((claim.fraud & SY_FRAUD_BIT(p->rule)) != 0) {
        return sy_refuse_hash(x, SY_E_FRAUD_STATE, &p->claim_id);
    }
    if (!finds(x, &claim, p->rule)) {
        return sy_refuse_hash(x, SY_E_FRAUD_NONE, &p->claim_id);
    }
    claim.fraud |= SY_FRAUD_BIT(p->rule);
    sy_money_save_claim(x, &p->claim_id, &claim);
    tell(x, SY_EVENT_FRAUD_FLAGGED, &claim, &p->claim_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_fraud_clear(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_fraud_clear *p = &payload->fraud_clear;
    SY_ASSERT(x->kind->number == SY_KIND_fraud_clear && x->by->valid);
    struct sy_claim claim;
    enum sy_refusal code = find_claim(x, &claim, &p->claim_id);
    if (code != SY_APPLIED) return code;
    if ((claim.fraud & ~claim.cleared & SY_FRAUD_BIT(p->rule)) == 0) {
        return sy_refuse_hash(x, SY_E_FRAUD_STATE, &p->claim_id);
    }
    claim.cleared |= SY_FRAUD_BIT(p->rule);
    sy_money_save_claim(x, &p->claim_id, &claim);
    tell(x, SY_EVENT_FRAUD_CLEARED, &claim, &p->claim_id);
    return SY_APPLIED;
}
