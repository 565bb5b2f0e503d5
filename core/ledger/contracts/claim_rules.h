/* claim_rules.h: the arithmetic of claims: lines, edits, prices, coordination, splits. Everything
 * here is a pure function of what it is given: no state, no clock, no floating point.
 *
 * Amounts are minor units, at most SY_MONEY_MAX, so that no sum or product here wraps. What a line
 * comes to is a struct sy_claim_result (money.h), which always balances. */
#ifndef SY_LEDGER_CONTRACTS_CLAIM_RULES_H
#define SY_LEDGER_CONTRACTS_CLAIM_RULES_H

#include "core/wire/money.h"

/* --- lines ----------------------------------------------------------------------------------- */

enum sy_claim_link { SY_LINK_NONE, SY_LINK_RECORD, SY_LINK_DEVICE, SY_LINK_PRESCRIPTION };

/* One line of claim.submit, in one form alone:
 *
 *   number/system:code[:modifiers]/units/charge/place/pointers[/kind:id][/prior:amount]
 *
 * number: from 1, as the lines stand. system: hc (HCPCS, CPT), n4 (NDC), nu (revenue) or zz
 * (agreed between the parties). code: 1 to 16 of A-Z, 0-9, "." and "-". modifiers: up to four of
 * two of A-Z and 0-9. place: two digits (CMS place of service). pointers: diagnoses by letter,
 * ascending, at least one. kind: record, device or rx, with 64 hex digits. prior: what payers that
 * are not on this ledger have paid. Numbers are decimal without leading zeros. */
struct sy_claim_line {
    struct sy_slice code;      /* "hc:99213"; borrowed, like all slices here */
    struct sy_slice composite; /* "hc:99213:25" */
    struct sy_slice modifiers; /* "25:59", or empty */
    uint32_t units;
    uint64_t charge, prior;
    uint32_t pointers; /* bit n: the diagnosis n, from 0 */
    uint8_t link_kind; /* enum sy_claim_link */
    struct sy_hash link;
};
enum sy_line_verdict { SY_LINE_GOOD, SY_LINE_BAD, SY_LINE_MONEY };

/* sy_claim_line_parse reads line `number`, which points to some of so many diagnoses.
 * SY_LINE_MONEY: it would be a line, but an amount is over SY_MONEY_MAX. */
enum sy_line_verdict sy_claim_line_parse(struct sy_claim_line *line, struct sy_slice text,
                                         unsigned number, unsigned diagnoses);

/* sy_claim_code_good: "system:code" as in a line, without modifiers. */
bool sy_claim_code_good(struct sy_slice text);

/* sy_row_parse reads a row of a published list, "key=value[+capitated][+authorised][+reviewed]":
 * key of 1 to 80 printable characters without "=", value up to SY_MONEY_MAX. */
bool sy_row_parse(struct sy_slice *key, struct sy_schedule_row *row, struct sy_slice text);

/* sy_net_parse reads a net of settle.batch, "organisation=net": 64 lower-case hex digits, and minor
 * units, decimal without leading zeros, "-" before what the organisation gives back. SY_LINE_MONEY:
 * it would be one, but is over SY_BALANCE_MAX. */
enum sy_line_verdict sy_net_parse(struct sy_hash *organisation, int64_t *net, struct sy_slice text);

/* sy_claim_key names a service whoever pays for it: the leaf hash of patient, provider, class,
 * times, and the lines' codes with modifiers and prescriptions in ascending order. Charges and
 * units are left out, so that a changed amount is no other service. */
struct sy_claim_service {
    struct sy_hash patient, provider;
    uint16_t service_class;
    int64_t from_ms, until_ms;
};
void sy_claim_key(struct sy_hash *key, const struct sy_claim_service *service,
                  const struct sy_claim_line *lines, unsigned count);

/* sy_claim_places gives each line's place, from 1, in that order; lines that are alike in it stay
 * as they stand. */
void sy_claim_places(uint8_t *places, const struct sy_claim_line *lines, unsigned count);

/* --- edits ----------------------------------------------------------------------------------- */

/* Where edits look rows up; false: the list has no such row. */
struct sy_claim_lists {
    bool (*find)(void *self, struct sy_schedule_row *row, uint16_t kind, struct sy_slice key);
    void *self;
    bool has[SY_SCHEDULE_CODES + 1]; /* by enum sy_schedule_kind: the plan names such a list */
    struct sy_list authorised; /* borrowed codes of the claim's authorisation; none: no such */
    uint64_t authorised_units; /* that it has left, for all of them together */
};

/* sy_claim_edit judges lines in the order of ledger.md 3.2: capitated 24, authorisation 197, not
 * covered 96, pair 236, units 151; the first that fails denies the line. It fills charge, limit,
 * prior, reason and other of each result. True: a line wants the payer's review, because its fee
 * says so or its code is agreed between the parties (zz).
 *
 * Lines whose fee asks for an authorisation take its units in their order, until one wants more
 * than there are left, which is denied, and the next may fit; a line that another edit denies then
 * has none, and what it had no other line of the claim gets.
 *
 * A pair is looked up by both codes, the lesser first, joined by "/"; its value is
 * 10 x (1: the greater code is the one that is not paid beside the other, 0: the lesser) + the
 * indicator (0: never together, 1: a modifier allows it, 9: the pair is no more). At most
 * SY_CLAIM_LINES_MAX x (SY_CLAIM_LINES_MAX - 1) / 2 pairs are looked up. */
bool sy_claim_edit(struct sy_claim_result *results, const struct sy_claim_line *lines,
                   unsigned count, const struct sy_claim_lists *lists);

/* --- prices ---------------------------------------------------------------------------------- */

/* sy_share is amount x bp / 10,000, rounded down; bp at most 10,000. */
uint64_t sy_share(uint64_t amount, uint32_t bp);

/* sy_claim_price fills the amounts of the lines that are not denied, in their order, each within
 * its limit, and adds to what the coverage has used:
 *
 *   allowed = charge, less what is contractual already because the payer allows no more, or limit,
 *   whichever is less; what is above is contractual (CO 45)
 *   of it the patient pays the deductible that is left, then the copay that is left, then the
 *   coinsurance of the rest, rounded down; at most what is left to the year's out of pocket
 *   the plan pays what remains, at most what is left to the year's benefit
 *   earlier payers' payments come first (OA 23): the plan pays no more than what they leave of
 *   what is allowed, and the patient no more than what then remains
 *
 * So all payers together never pay more than the charge, and each result balances. */
void sy_claim_price(struct sy_claim_result *results, unsigned count, struct sy_used *used,
                    const struct sy_plan *plan, uint16_t service_class);

/* sy_claim_release takes back what pricing these results added to `used`. */
void sy_claim_release(struct sy_used *used, const struct sy_claim_result *results, unsigned count);

/* sy_claim_split divides an amount by shares in 1/10,000: each rounded down, and what remains is
 * the first one's. False: the shares do not sum up to 10,000; *sum then has what they do. */
bool sy_claim_split(uint64_t *amounts, uint64_t *sum, const uint64_t *shares, unsigned count,
                    uint64_t amount);

/* sy_year_of is the year, in UTC, of a time from 1970 to 9999. */
uint32_t sy_year_of(int64_t time_ms);

#endif
