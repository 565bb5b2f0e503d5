/* fuzz_bill.c: any bytes as claims, of X12 or FHIR: what may be billed has lines that the ledger's
 * parser takes, which sum up to its total, and is told from others by a key; what may not has a
 * sentence why. */
#include <string.h>

#include "core/base/assert.h"
#include "core/client/bill_fhir.h"
#include "core/client/bill_x12.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sy_bill bill;
static struct sy_bill_lines lines;

static void finish(struct sy_bill *some)
{
    char why[SY_BILL_TEXT_BYTES] = "";
    struct sy_hash key, again, charges;
    int64_t sum = 0;
    if (!sy_bill_finish(some, &lines, why)) {
        SY_ASSERT(why[0] != '\0');
        return;
    }
    SY_ASSERT(lines.count > 0 && lines.count == some->line_count);
    for (unsigned i = 0; i < lines.count; i++) {
        SY_ASSERT(strlen(lines.text[i]) < SY_BILL_LINE_BYTES);
        SY_ASSERT((int64_t)lines.parsed[i].charge == some->lines[i].charge);
        SY_ASSERT(lines.parsed[i].pointers != 0);
        sum += some->lines[i].charge;
    }
    SY_ASSERT(sum == some->total && some->from_ms <= some->until_ms);
    sy_bill_key(&key, some, &lines);
    sy_bill_key(&again, some, &lines);
    SY_ASSERT(sy_hash_equal(&key, &again));
    sy_bill_charges(&charges, &lines);
}

static void take(void *self, const struct sy_bill_x12_found *found)
{
    (void)self;
    SY_ASSERT(found->segment > 0 && found->bill->type != SY_BILL_NONE);
    SY_ASSERT(found->good == (found->why[0] == '\0'));
    if (found->good) finish(found->bill);
}

static void ignore(void *self, const struct sy_x12_issue *issue)
{
    (void)self;
    (void)issue;
}

static uint16_t class_of(void *self, struct sy_slice reference)
{
    (void)self;
    return reference.size % 2 ? SY_SERVICE_EMERGENCY : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_error err;
    struct sy_x12_totals totals;
    char path[SY_BILL_PATH_BYTES], why[SY_BILL_TEXT_BYTES];
    if (size > 3 && memcmp(data, "ISA", 3) == 0) {
        (void)sy_bill_x12(&totals, sy_slice_of(data, size), ignore, take, NULL, &err);
        return 0;
    }
    json_t *claim = json_loadb((const char *)data, size, 0, NULL);
    if (claim == NULL) return 0;
    bool good = sy_bill_fhir(&bill, path, why, claim, class_of, NULL);
    SY_ASSERT(good == (why[0] == '\0') && bill.type < SY_BILL_TYPES);
    if (good) finish(&bill);
    json_decref(claim);
    return 0;
}
