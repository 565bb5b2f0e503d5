/* nation_goods.c: what makers, pharmacies and hospitals do with goods, by number. Every
 * organisation makes one product; a number is a case of 24 units of it, each case a lot of its own,
 * which the patient's organisation has, sends to the next one, opens, and hands out. */
#include "bench/nation.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/wire/state_goods.h"

#define CASE_UNITS 24u
#define YEAR_MS (365ll * 24 * 3600 * 1000)
#define CELSIUS_2 27515u
#define CELSIUS_8 28115u

/* Texts of the transaction being planned; there is one at a time. */
static char gtin[SY_GTIN_BYTES + 1], sscc[SY_SSCC_BYTES + 1], lot[24], unit[48];

static uint32_t home_of(const sy_nation *nation, uint64_t number)
{
    return nation->patients[number % nation->patient_count].organisation;
}

static struct sy_nation_org *begin(sy_nation *nation, struct sy_nation_plan *plan, uint16_t kind,
                                   uint64_t number)
{
    struct sy_nation_org *org = &nation->orgs[home_of(nation, number)];
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->signers[0] = &org->gateway;
    plan->signer_count = 1;
    return org;
}

static struct sy_slice name(char *room, size_t size, const char *format, unsigned org,
                            unsigned long long number)
{
    int written = snprintf(room, size, format, 100000u + org, number);
    SY_ASSERT(written > 0 && (size_t)written < size);
    return sy_slice_of(room, (size_t)written);
}

static struct sy_slice with_check(char *digits, struct sy_slice text)
{
    digits[text.size - 1] = (char)sy_goods_check_digit(text);
    return text;
}

/* An organisation's item-th product; 0 is the one that it has from the beginning. */
static struct sy_slice gtin_of(uint32_t org, uint64_t item)
{
    return with_check(gtin, name(gtin, sizeof gtin, "0%06u%06llu0", org, item % 1000000u));
}

static struct sy_slice sscc_of(uint32_t org, uint64_t number)
{
    return with_check(sscc, name(sscc, sizeof sscc, "1%06u%010llu0", org, number));
}

static struct sy_slice lot_of(uint64_t number)
{
    int written = snprintf(lot, sizeof lot, "L%llu", (unsigned long long)number);
    SY_ASSERT(written > 0 && (size_t)written < sizeof lot);
    return sy_slice_of(lot, (size_t)written);
}

static void add_text(sy_nation *nation, struct sy_list *list, struct sy_slice text)
{
    sy_list_add_text(list, &nation->lists, text);
    SY_ASSERT(!nation->lists.failed);
}

static struct sy_slice unit_of(uint32_t org, uint64_t number, unsigned i)
{
    (void)gtin_of(org, 0);
    int written =
        snprintf(unit, sizeof unit, "01/%s/21/%llu.%u", gtin, (unsigned long long)number, i);
    SY_ASSERT(written > 0 && (size_t)written < sizeof unit);
    return sy_slice_of(unit, (size_t)written);
}

static struct sy_slice case_of(uint32_t org, uint64_t number)
{
    (void)sscc_of(org, number);
    int written = snprintf(unit, sizeof unit, "00/%s", sscc);
    SY_ASSERT(written > 0 && (size_t)written < sizeof unit);
    return sy_slice_of(unit, (size_t)written);
}

static void add_units(sy_nation *nation, struct sy_list *list, uint64_t number)
{
    for (unsigned i = 0; i < CASE_UNITS; i++) {
        add_text(nation, list, unit_of(home_of(nation, number), number, i));
    }
}

// --- products and units ------------------------------------------------------------------------

struct sy_slice sy_nation_prefix(uint32_t org)
{
    static char prefix[8];
    int written = snprintf(prefix, sizeof prefix, "%06u", 100000u + org);
    SY_ASSERT(written == 6);
    return sy_slice_of(prefix, 6);
}

static void plan_product(sy_nation *nation, struct sy_nation_plan *plan, uint32_t org,
                         uint64_t item)
{
    memset(plan, 0, sizeof *plan);
    plan->kind = SY_KIND_product_register;
    plan->signers[0] = &nation->orgs[org].gateway;
    plan->signer_count = 1;
    plan->payload.product_register.gtin = gtin_of(org, item);
    plan->payload.product_register.prefix = sy_nation_prefix(org);
    plan->payload.product_register.class = SY_PRODUCT_VACCINE;
}

void sy_nation_make_first(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    plan_product(nation, plan, (uint32_t)number, 0);
}

void sy_nation_make_product(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    plan_product(nation, plan, (uint32_t)(number % nation->org_count),
                 1 + number / nation->org_count);
}

void sy_nation_store(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_product_storage, number);
    plan->payload.product_storage.gtin = gtin_of(home_of(nation, number), 0);
    plan->payload.product_storage.min = CELSIUS_2;
    plan->payload.product_storage.max = CELSIUS_8;
}

void sy_nation_commission(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_unit_commission, number);
    struct sy_unit_commission *p = &plan->payload.unit_commission;
    p->event_id = sy_nation_id('1', number);
    p->gtin = gtin_of(home_of(nation, number), 0);
    p->lot = lot_of(number);
    p->expiry = nation->header.time_ms / YEAR_MS * YEAR_MS + 3 * YEAR_MS;
    for (unsigned i = 0; i < CASE_UNITS; i++) {
        struct sy_slice epc = unit_of(home_of(nation, number), number, i);
        add_text(nation, &p->serials, sy_slice_of(epc.data + 21, epc.size - 21));
    }
}

void sy_nation_verify(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_unit_verify, number);
    struct sy_unit_verify *p = &plan->payload.unit_verify;
    struct sy_slice epc = unit_of(home_of(nation, number), number, 0);
    p->event_id = sy_nation_id('2', number);
    p->gtin = gtin_of(home_of(nation, number), 0);
    p->serial = sy_slice_of(epc.data + 21, epc.size - 21);
    p->lot = lot_of(number);
    p->expiry = nation->header.time_ms / YEAR_MS * YEAR_MS + 3 * YEAR_MS;
}

// --- cases -------------------------------------------------------------------------------------

void sy_nation_pack(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_unit_aggregate, number);
    struct sy_unit_aggregate *p = &plan->payload.unit_aggregate;
    p->event_id = sy_nation_id('3', number);
    p->parent = sscc_of(home_of(nation, number), number);
    add_units(nation, &p->children, number);
}

void sy_nation_unpack(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_unit_disaggregate, number);
    struct sy_unit_disaggregate *p = &plan->payload.unit_disaggregate;
    p->event_id = sy_nation_id('4', number);
    p->parent = sscc_of(home_of(nation, number), number);
    add_units(nation, &p->children, number);
}

void sy_nation_monitor(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_cond_commit, number);
    struct sy_cond_commit *p = &plan->payload.cond_commit;
    p->event_id = sy_nation_id('5', number);
    p->has_item = true;
    p->item = case_of(home_of(nation, number), number);
    p->sequence = 1;
    p->from = nation->header.time_ms; // it was filled then
    p->interval = 1;
    p->readings = 1;
    p->min = CELSIUS_2;
    p->max = CELSIUS_8;
    p->root = sy_nation_id('r', number);
}

static uint32_t next_of(const sy_nation *nation, uint64_t number)
{
    return (home_of(nation, number) + 1) % nation->org_count;
}

void sy_nation_send(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_custody_ship, number);
    struct sy_custody_ship *p = &plan->payload.custody_ship;
    p->event_id = sy_nation_id('6', number);
    p->to = nation->orgs[next_of(nation, number)].id;
    add_text(nation, &p->items, case_of(home_of(nation, number), number));
}

void sy_nation_receive(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_custody_receive, number);
    plan->signers[0] = &nation->orgs[next_of(nation, number)].gateway;
    plan->payload.custody_receive.event_id = sy_nation_id('7', number);
    plan->payload.custody_receive.shipment = sy_nation_id('6', number);
    plan->payload.custody_receive.result = SY_RECEIVE_ACCEPT;
}

// --- units -------------------------------------------------------------------------------------

void sy_nation_end(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_unit_decommission, number);
    plan->payload.unit_decommission.event_id = sy_nation_id('8', number);
    plan->payload.unit_decommission.item = unit_of(home_of(nation, number), number, 0);
    plan->payload.unit_decommission.reason = SY_DECOMMISSION_DAMAGED;
}

void sy_nation_correct(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_event_correct, number);
    struct sy_event_correct *p = &plan->payload.event_correct;
    p->event_id = sy_nation_id('9', number);
    p->corrected = sy_nation_id('8', number);
    p->reason = SY_CORRECTION_DID_NOT_OCCUR;
    p->has_item = true;
    p->item = unit_of(home_of(nation, number), number, 0);
}

/* For the prescription of the number, which was filled. */
void sy_nation_dispense(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_unit_dispense, number);
    struct sy_unit_dispense *p = &plan->payload.unit_dispense;
    p->event_id = sy_nation_id('A', number);
    p->unit = unit_of(home_of(nation, number), number, 0);
    p->has_rx_id = true;
    p->rx_id = sy_nation_id('X', number);
}

void sy_nation_take_back(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_unit_return, number);
    plan->payload.unit_return.event_id = sy_nation_id('B', number);
    plan->payload.unit_return.unit = unit_of(home_of(nation, number), number, 0);
    plan->payload.unit_return.reason = SY_RETURN_UNUSED;
}

// --- what is amiss -----------------------------------------------------------------------------

void sy_nation_doubt(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_exception_report, number);
    struct sy_exception_report *p = &plan->payload.exception_report;
    p->event_id = sy_nation_id('C', number);
    p->reason = SY_EXCEPTION_SUSPECT;
    add_text(nation, &p->items, unit_of(home_of(nation, number), number, 0));
}

void sy_nation_acquit(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin(nation, plan, SY_KIND_exception_respond, number);
    struct sy_exception_respond *p = &plan->payload.exception_respond;
    p->event_id = sy_nation_id('D', number);
    p->exception = sy_nation_id('C', number);
    p->outcome = SY_OUTCOME_CLEARED;
    add_text(nation, &p->items, unit_of(home_of(nation, number), number, 0));
}

void sy_nation_recall(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = begin(nation, plan, SY_KIND_recall_issue, number);
    struct sy_recall_issue *p = &plan->payload.recall_issue;
    plan->signers[0] = &org->admin;
    p->recall_id = sy_nation_id('E', number);
    p->gtin = gtin_of(home_of(nation, number), 0);
    p->class = SY_RECALL_II;
    p->reason = SY_RECALL_LABEL;
    add_text(nation, &p->lots, lot_of(number));
}

void sy_nation_close_recall(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = begin(nation, plan, SY_KIND_recall_close, number);
    plan->signers[0] = &org->admin;
    plan->payload.recall_close.recall_id = sy_nation_id('E', number);
    plan->payload.recall_close.outcome = SY_RECALL_WITHDRAWN;
}

// --- a lot that many had -----------------------------------------------------------------------

#define WIDE_UNIT 99u /* of a number: the unit that is of no case */

static struct sy_nation_org *begin_wide(sy_nation *nation, struct sy_nation_plan *plan,
                                        uint16_t kind)
{
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->signers[0] = &nation->orgs[0].gateway;
    plan->signer_count = 1;
    return &nation->orgs[0];
}

static struct sy_slice wide_lot(uint64_t number)
{
    (void)lot_of(number / SY_NATION_WIDE);
    lot[0] = 'W';
    return sy_slice_of(lot, strlen(lot));
}

void sy_nation_commission_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin_wide(nation, plan, SY_KIND_unit_commission);
    struct sy_unit_commission *p = &plan->payload.unit_commission;
    struct sy_slice epc = unit_of(0, number, WIDE_UNIT);
    p->event_id = sy_nation_id('F', number);
    p->gtin = gtin_of(0, 0);
    p->lot = wide_lot(number);
    p->expiry = nation->header.time_ms / YEAR_MS * YEAR_MS + 3 * YEAR_MS;
    add_text(nation, &p->serials, sy_slice_of(epc.data + 21, epc.size - 21));
}

void sy_nation_fill_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    sy_nation_fill(nation, plan, number);
    plan->signers[0] = &nation->orgs[0].gateway;
}

void sy_nation_dispense_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin_wide(nation, plan, SY_KIND_unit_dispense);
    struct sy_unit_dispense *p = &plan->payload.unit_dispense;
    p->event_id = sy_nation_id('G', number);
    p->unit = unit_of(0, number, WIDE_UNIT);
    p->has_rx_id = true;
    p->rx_id = sy_nation_id('X', number);
}

void sy_nation_recall_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = begin_wide(nation, plan, SY_KIND_recall_issue);
    struct sy_recall_issue *p = &plan->payload.recall_issue;
    plan->signers[0] = &org->admin;
    p->recall_id = sy_nation_id('H', number / SY_NATION_WIDE);
    p->gtin = gtin_of(0, 0);
    p->class = SY_RECALL_I;
    p->reason = SY_RECALL_POTENCY;
    add_text(nation, &p->lots, wide_lot(number));
}

void sy_nation_notify_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)begin_wide(nation, plan, SY_KIND_recall_notify);
    plan->payload.recall_notify.recall_id = sy_nation_id('H', number / SY_NATION_WIDE);
}
