/* bill_x12.h: bills out of the 837 sets (P, I and D) of an X12 document.
 *
 * A set that x12_check.h finds an issue in is not acted on: each of its claims is refused, and so
 * is what stands in a document whose framing is lost. Whose claim it is: the member's number, and
 * of a dependent also name and birth date, which tell a family's members apart and go nowhere.
 * Times of service are days in UTC. Dental codes are HCPCS (level II, D); codes of other lists are
 * agreed between the parties (zz), and so a payer reviews them. */
#ifndef SY_CLIENT_BILL_X12_H
#define SY_CLIENT_BILL_X12_H

#include "core/client/bill.h"
#include "core/client/x12_check.h"

/* A claim, or why it is none. */
struct sy_bill_x12_found {
    struct sy_bill *bill;               /* the taker may finish it */
    bool good;                          /* false: why says what is wrong */
    uint64_t segment;                   /* of its CLM */
    char control[SY_X12_CONTROL_BYTES]; /* of its set */
    char why[SY_BILL_TEXT_BYTES];
};
typedef void (*sy_bill_x12_take)(void *self, const struct sy_bill_x12_found *found);

/* sy_bill_x12 gives each claim of a document of at most SY_X12_DOCUMENT_BYTES_MAX, in its order,
 * and each issue of the document before. SY_ERR_NO_MEMORY. */
sy_status sy_bill_x12(struct sy_x12_totals *totals, struct sy_slice document, sy_x12_tell tell,
                      sy_bill_x12_take take, void *self, struct sy_error *err);

#endif
