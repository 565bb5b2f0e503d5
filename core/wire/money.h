/* money.h: what state holds of plans, coverage, claims and payments, and how each is encoded.
 *
 * Money is in minor units of the network's one currency, 0 to SY_MONEY_MAX where a transaction
 * names it, int64 where it is summed. The kinds and what names them stand in state.h; an entry that
 * is named by two things has the key pair(first, second), numbers little-endian and zero padded:
 *
 *   plan             plan id                             struct sy_plan
 *   coverage         coverage id                         struct sy_coverage
 *   coverages        pair(patient, u8 order)             struct sy_coverages; absent: none ever
 *   claim            claim id                            struct sy_claim
 *   claim key        claim key (contracts/claim_rules.h) 32 id of the newest claim that stands
 *   used             pair(coverage, u32 year)            struct sy_used; absent: nothing yet
 *   balance          organisation id                     struct sy_balance; absent: nothing yet
 *   owed             pair(payer, payee)                  struct sy_owed; absent: nothing ever
 *   payment          claim id                            struct sy_payment; absent: never paid
 *   claim place      pair(patient, u64 number)           32 claim id
 *   claims           patient id                          u64 claims so far; absent: 0
 *   remittance       pair(organisation, u64 number)      struct sy_remittance
 *   schedule row     pair(id of the schedule version,    struct sy_schedule_row
 *                    leaf hash of the row's key)
 *   authorisation    authorisation id                    struct sy_auth
 *   contest          pair(claim, u16 enum sy_contest)    struct sy_contest_entry; absent: never
 *   fill billed      pair(prescription, u64 fill)        struct sy_fill_billed; absent: never
 *   billed day       pair(practitioner's line, u32 day   u64 minutes that claims bill of the day;
 *                    since 1970)                         absent: none
 *   settlement       pair(settlement, payee)             struct sy_settlement
 *   settlement place pair(organisation, u64 number)      32 settlement id
 *   denied lines     claim id                            struct sy_denied_lines; absent: none
 *
 * Everything here is pure and may be called from any thread; see state.h for the rest. */
#ifndef SY_WIRE_MONEY_H
#define SY_WIRE_MONEY_H

#include "core/wire/state.h"

/* sy_state_key_numbered is the key hash of an entry named by an id and a number. */
void sy_state_key_numbered(struct sy_hash *out, enum sy_state_kind kind,
                           const struct sy_hash *first, uint64_t number);

/* sy_schedule_id names a version of a list: what its rows are found under. */
void sy_schedule_id(struct sy_hash *out, const struct sy_hash *publisher, uint16_t kind,
                    uint32_t version);
/* key: the part of the row before `=`, "hc:99213". */
void sy_state_key_schedule_row(struct sy_hash *out, const struct sy_hash *schedule_id,
                               struct sy_slice key);

/* sy_money_key_of is sy_state_key_of for the kinds here. */
bool sy_money_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second);

/* --- plans and coverage ---------------------------------------------------------------------- */

/* A plan never changes: another year's is another plan.
 *
 *   32 payer | u64 deductible | 4 u64 copays | u16 coinsurance | u64 out of pocket | u64 benefit
 *   | u16 filing days | u16 dispute days | 5 u32 versions | u64 height | u8 flags (1 encounters) */
enum sy_copay {
    SY_COPAY_OFFICE,
    SY_COPAY_EMERGENCY,
    SY_COPAY_INPATIENT,
    SY_COPAY_PHARMACY,
    SY_COPAYS
};
struct sy_plan {
    struct sy_hash payer;
    uint64_t deductible;        /* of a coverage and year, before the plan pays */
    uint64_t copays[SY_COPAYS]; /* of a claim, by its class; other classes: none */
    uint16_t coinsurance_bp;    /* of what is left then, the patient's, in 1/10,000 */
    uint64_t out_of_pocket_max; /* of deductible, copay and coinsurance, a year */
    uint64_t benefit_max;       /* that the plan pays, a year */
    uint16_t filing_days;       /* after the last day of service */
    uint16_t dispute_days;      /* after a decision */
    uint32_t versions[6];       /* by enum sy_schedule_kind, which starts at 1; 0: no such list */
    uint64_t height;
    bool encounters; /* a claim without a record of its time is flagged */
};
void sy_plan_encode(struct sy_writer *w, const struct sy_plan *plan);
bool sy_plan_decode(struct sy_plan *plan, struct sy_slice bytes);

/*   32 patient | 32 plan | 32 payer | i64 from | i64 until | u8 order | u64 height | u64 ended */
struct sy_coverage {
    struct sy_hash patient, plan, payer;
    int64_t from_ms, until_ms; /* both included */
    uint8_t order;             /* 1 pays first */
    uint64_t height;
    uint64_t ended_height; /* 0: it ends as it was added */
};
void sy_coverage_encode(struct sy_writer *w, const struct sy_coverage *coverage);
bool sy_coverage_decode(struct sy_coverage *coverage, struct sy_slice bytes);

/* The coverages of one patient and order, which do not overlap.
 *
 *   u8 count, each: 32 coverage id | i64 from | i64 until */
struct sy_coverages {
    uint8_t count;
    struct sy_coverage_span {
        struct sy_hash coverage;
        int64_t from_ms, until_ms;
    } spans[SY_COVERAGES_MAX];
};
void sy_coverages_encode(struct sy_writer *w, const struct sy_coverages *coverages);
bool sy_coverages_decode(struct sy_coverages *coverages, struct sy_slice bytes);

/* What of a plan's yearly amounts a coverage has used.
 *
 *   u64 deductible | u64 out of pocket | u64 benefit */
struct sy_used {
    uint64_t deductible, out_of_pocket, benefit;
};
void sy_used_encode(struct sy_writer *w, const struct sy_used *used);
bool sy_used_decode(struct sy_used *used, struct sy_slice bytes);

/* --- claims ---------------------------------------------------------------------------------- */

/* What a payer was asked to authorise, and what it said. Lines of claims use its units up, and give
 * them back when they are denied after all or reversed.
 *
 *   32 patient | 32 coverage | 32 plan | 32 payer | 32 organisation | u8 status | u32 asked
 *   | u32 granted | u32 used | i64 from | i64 until | u64 height | i64 decided | u64 decided height
 *   | u8 flags (1 evidence) | [32 evidence] | list codes */
struct sy_auth {
    struct sy_hash patient, coverage, plan, payer;
    struct sy_hash organisation; /* that asked */
    uint8_t status;              /* enum sy_auth_status */
    uint32_t asked, granted;
    uint32_t used;             /* of those granted */
    int64_t from_ms, until_ms; /* of service, both included */
    uint64_t height;
    int64_t decided_ms; /* and decided_height: 0 while it is asked for */
    uint64_t decided_height;
    bool has_evidence;
    struct sy_hash evidence;
    struct sy_list codes; /* borrowed texts, "hc:70551", at least one */
};
void sy_auth_encode(struct sy_writer *w, const struct sy_auth *auth);
bool sy_auth_decode(struct sy_auth *auth, struct sy_slice bytes);

/* One line as it was decided. charge = contractual + prior part + deductible + copay + coinsurance
 * + beyond + paid, and so sy_claim_line_paid gives what is paid (X12 835, balancing); a line that
 * is denied pays nothing, and all of its charge is the denial's.
 *
 *   u16 reason | u8 other | u64 charge | u64 limit | u64 contractual | u64 deductible | u64 copay
 *   | u64 coinsurance | u64 beyond | u64 prior | u32 authorised
 *   | u8 place */
struct sy_claim_result {
    uint16_t reason; /* CARC that denies the line; 0: it is not denied */
    uint8_t other;   /* the line that it goes with, from 1; 0: none */
    uint64_t charge;
    uint64_t limit;       /* what the schedule allows at most */
    uint64_t contractual; /* CO 45 */
    uint64_t deductible;  /* PR 1 */
    uint64_t copay;       /* PR 3 */
    uint64_t coinsurance; /* PR 2 */
    uint64_t beyond;      /* PR 119 */
    uint64_t prior;       /* what earlier payers paid for it; OA 23 has the part within `allowed` */
    uint32_t authorised;  /* units of the claim's authorisation that it has; a denied line: 0 */
    uint8_t place;        /* from 1, among the claim's lines in the order of its key: what a later
                             payer's claim knows the line by, in whatever order it has them */
};

/*   32 patient | 32 coverage | 32 payer | 32 provider | 32 rendering | 32 claim key | u8 status
 *   | u16 class | u8 holds | u32 fraud | u32 cleared | u32 minutes
 *   | i64 from | i64 until | i64 decided
 *   | u64 height | u8 flags (1 prior claim, 2 authorisation, 4 outside) | [32 prior claim]
 *   | [32 authorisation] | u8 line count, lines */
struct sy_claim {
    struct sy_hash patient, coverage, payer, provider, rendering, key;
    uint8_t status; /* enum sy_claim_status */
    uint16_t service_class;
    uint8_t holds;    /* SY_CONTEST_BIT of each enum sy_contest that is open */
    uint32_t fraud;   /* rules that flagged it: SY_FRAUD_BIT of each enum sy_fraud_rule */
    uint32_t cleared; /* and which of them were cleared */
    uint32_t minutes; /* of the practitioner's day that it bills, or, denied, would bill; 0:
                         unknown, or of several days */
    int64_t from_ms, until_ms;
    int64_t decided_ms; /* 0: pended */
    uint64_t height;    /* of the submission */
    bool has_prior;
    struct sy_hash prior; /* the claim to the payer before */
    bool has_auth;        /* exactly when a line has units of it, or had */
    struct sy_hash auth;
    bool outside; /* a line of it, or of a claim before it, says what payers outside paid */
    uint8_t line_count;
    struct sy_claim_result lines[SY_CLAIM_LINES_MAX];
};
void sy_claim_encode(struct sy_writer *w, const struct sy_claim *claim);
/* sy_claim_decode refuses lines that do not balance, rules that there are not, and what is open of
 * a claim that is pended or reversed. */
bool sy_claim_decode(struct sy_claim *claim, struct sy_slice bytes);

/* sy_claim_result_balances: the amounts of a line are in range and sum up to its charge, nothing
 * negative. sy_claim_result_paid and sy_claim_result_prior are, of one that balances, what is paid
 * and the part of what was paid before that counts here (OA 23); sy_claim_result_patient is the
 * patient's (group PR, a denial of group PR included). */
bool sy_claim_result_balances(const struct sy_claim_result *line);
uint64_t sy_claim_result_paid(const struct sy_claim_result *line);
uint64_t sy_claim_result_prior(const struct sy_claim_result *line);
uint64_t sy_claim_result_patient(const struct sy_claim_result *line);

/* sy_claim_reason_group is the group code of a CARC that denies: "CO" or "PR". */
const char *sy_claim_reason_group(uint16_t reason);

/* sy_claim_authorised: how many units of its authorisation the claim has. */
uint64_t sy_claim_authorised(const struct sy_claim *claim);

/* Sums over the lines, each at most SY_MONEY_MAX; of a claim that was never decided (pended, or
 * taken back then) nothing is paid or the patient's. */
uint64_t sy_claim_charge(const struct sy_claim *claim);
uint64_t sy_claim_paid(const struct sy_claim *claim);
uint64_t sy_claim_patient(const struct sy_claim *claim);

/* A claim's decision is contested: by who billed, or by the patient. While it is open the claim is
 * not paid, until held_until; the payer's next decision ends it. Each enum sy_contest comes once to
 * a claim, so that no hold goes on for ever.
 *
 *   u8 status | u16 reason (of a dispute, else 0) | u64 lines | i64 opened | i64 held until
 *   | u64 height | i64 ended | u64 height ended | u8 flags (1 evidence) | [32 evidence] */
struct sy_contest_entry {
    uint8_t status;  /* enum sy_contest_status */
    uint16_t reason; /* enum sy_bill_reason; 0: an appeal */
    uint64_t lines;  /* bit n: the line n, from 0; never none */
    int64_t opened_ms, held_until_ms;
    uint64_t height;
    int64_t ended_ms; /* and ended_height: 0 while it is open */
    uint64_t ended_height;
    bool has_evidence;
    struct sy_hash evidence;
};
#define SY_CONTEST_BIT(contest) ((uint8_t)(1u << ((contest)-1)))
#define SY_FRAUD_BIT(rule) (1u << ((rule)-1))
#define SY_FRAUD_BITS (SY_FRAUD_BIT(SY_FRAUD_ENCOUNTER) * 2u - 1)
#define SY_DAY_MINUTES 1440u
#define SY_CONTEST_BITS (SY_CONTEST_BIT(SY_CONTEST_DISPUTE) * 2u - 1)
void sy_contest_encode(struct sy_writer *w, const struct sy_contest_entry *contest);
bool sy_contest_decode(struct sy_contest_entry *contest, struct sy_slice bytes);

/* Which claim bills a fill of a prescription, and by which of its lines.
 *
 *   32 claim | u8 line */
struct sy_fill_billed {
    struct sy_hash claim;
    uint8_t line; /* from 1 */
};
void sy_fill_billed_encode(struct sy_writer *w, const struct sy_fill_billed *billed);
bool sy_fill_billed_decode(struct sy_fill_billed *billed, struct sy_slice bytes);

/* Lines of a claim that were denied at once beside others, as far as they would bill minutes or a
 * fill, and those of a denied claim whose fill another one billed since: they are judged by it when
 * they are allowed after all, and are here no more then.
 *
 *   u8 count, each: u8 line | u32 minutes | u8 flags (1 prescription) | [32 prescription] */
struct sy_denied_lines {
    uint8_t count;
    struct sy_denied_line {
        uint8_t line;     /* from 1, ascending */
        uint32_t minutes; /* of the practitioner's day */
        bool has_rx;
        struct sy_hash rx;
    } lines[SY_CLAIM_LINES_MAX];
};
void sy_denied_lines_encode(struct sy_writer *w, const struct sy_denied_lines *denied);
bool sy_denied_lines_decode(struct sy_denied_lines *denied, struct sy_slice bytes);

/* --- payments -------------------------------------------------------------------------------- */

/* What payments and their reversals come to: over all organisations they sum up to 0. It has no
 * bound that payments reach, or others could use up an organisation's: what bounds them is what is
 * owed between two, at most SY_BALANCE_MAX, and at least that below 0.
 *
 *   i128 amount (u64 low, i64 high) | u64 remittances | u64 settlements */
__extension__ typedef __int128 sy_sum;

struct sy_balance {
    sy_sum amount;        /* received less paid, and not settled */
    uint64_t remittances; /* so far */
    uint64_t settlements; /* so far, as payer or payee */
};
void sy_balance_encode(struct sy_writer *w, const struct sy_balance *balance);
bool sy_balance_decode(struct sy_balance *balance, struct sy_slice bytes);

/* What a payer paid a payee, less what was taken back, since the last settlement of the two.
 *
 *   i64 amount | u64 moves | i64 first | i64 last | i64 settled */
struct sy_owed {
    int64_t amount;            /* within SY_BALANCE_MAX to either side, like nets */
    uint64_t moves;            /* payments and reversals in it, of more than nothing */
    int64_t first_ms, last_ms; /* of them; 0: there are none */
    int64_t settled_ms;        /* up to then all was settled; 0: nothing was */
};
void sy_owed_encode(struct sy_writer *w, const struct sy_owed *owed);
bool sy_owed_decode(struct sy_owed *owed, struct sy_slice bytes);

/* What a payer and a payee have settled.
 *
 *   32 payer | i64 net | u64 moves | i64 from | i64 until | 32 reference | i64 time | u64 height */
struct sy_settlement {
    struct sy_hash payer;
    int64_t net;    /* negative: the payee gave it back */
    uint64_t moves; /* payments and reversals, at least one */
    int64_t from_ms, until_ms;
    struct sy_hash reference; /* commitment to how the money moved */
    int64_t time_ms;
    uint64_t height;
};
void sy_settlement_encode(struct sy_writer *w, const struct sy_settlement *settlement);
bool sy_settlement_decode(struct sy_settlement *settlement, struct sy_slice bytes);

/*   32 payer | u64 amount | u8 flags (1 reference, 2 reversed) | [32 reference] | i64 time
 *   | u64 height | [u64 reversed height] | u8 count, each: 32 payee | u64 amount */
struct sy_payment {
    struct sy_hash payer;
    uint64_t amount;
    bool has_reference, reversed;
    struct sy_hash reference;
    int64_t time_ms;
    uint64_t height, reversed_height;
    uint8_t count;
    struct sy_payee {
        struct sy_hash organisation;
        uint64_t amount;
    } payees[SY_PAYEES_MAX];
};
void sy_payment_encode(struct sy_writer *w, const struct sy_payment *payment);
bool sy_payment_decode(struct sy_payment *payment, struct sy_slice bytes);

/*   32 claim | 32 payer | i64 amount (negative: a reversal) | i64 time | u64 height */
struct sy_remittance {
    struct sy_hash claim, payer;
    int64_t amount;
    int64_t time_ms;
    uint64_t height;
};
void sy_remittance_encode(struct sy_writer *w, const struct sy_remittance *remittance);
bool sy_remittance_decode(struct sy_remittance *remittance, struct sy_slice bytes);

/*   u8 flags (1 capitated, 2 needs authorisation, 4 reviewed by the payer) | u64 value */
enum { SY_ROW_CAPITATED = 1, SY_ROW_AUTHORISED = 2, SY_ROW_REVIEWED = 4 };
struct sy_schedule_row {
    uint8_t flags;
    uint64_t value; /* a fee; units a claim; an indicator; minutes a unit; a time, ms */
};
void sy_schedule_row_encode(struct sy_writer *w, const struct sy_schedule_row *row);
bool sy_schedule_row_decode(struct sy_schedule_row *row, struct sy_slice bytes);

#endif
