/* bill_files.h: all claims of some files, judged one after the other, and the report of it, in the
 * form that the importer of records has (importer.h).
 *
 *     files -> 837 sets, or FHIR Claims -> bills -> lines that the ledger takes -> billed before?
 *
 * A file is X12 if it begins with ISA; else it is FHIR: a Bundle or a Claim, or one a line. A claim
 * for a service that an earlier one of the run bills is a duplicate if its charges are the same,
 * and refused if they are not: the ledger takes neither (C18). What cannot be read is an issue, and
 * the rest goes on. Memory: a document at a time, and 112 bytes a claim. One thread. */
#ifndef SY_CLIENT_BILL_FILES_H
#define SY_CLIENT_BILL_FILES_H

#include "core/base/json.h"
#include "core/client/bill.h"
#include "core/client/importer.h"

#define SY_BILLS_MAX (1u << 20) /* of one run */

struct sy_bill_report {
    uint64_t files, documents, bills, warnings;
    struct sy_import_type types[SY_BILL_TYPES]; /* by enum sy_bill_type; final: it may be billed */
    int64_t charged[SY_BILL_TYPES];             /* by those, in minor units */
    int64_t charged_read[SY_BILL_TYPES];        /* by all, as far as a total could be read */
    struct sy_import_issue *issues;             /* the first SY_IMPORT_ISSUES_KEPT */
    size_t issues_kept;
    uint64_t issues_total;
};

/* Is told each claim that may be billed, in order. Anything but SY_OK ends the run. */
typedef sy_status (*sy_bill_take)(void *self, const struct sy_bill *bill,
                                  const struct sy_bill_lines *lines, struct sy_error *err);

/* sy_bill_report_open prepares an empty report; sy_bill_report_close frees it (a zeroed one is
 * fine). */
sy_status sy_bill_report_open(struct sy_bill_report *report, struct sy_error *err);
void sy_bill_report_close(struct sy_bill_report *report);

/* sy_bill_report_json writes the report's members into an object that is open. */
void sy_bill_report_json(const struct sy_bill_report *report, sy_json *json);

/* sy_bill_files reads the files (names are borrowed as long as the report; "-" is standard input,
 * and FHIR). take may be NULL. Fails when memory ends, there are more than SY_BILLS_MAX claims, or
 * take fails. */
sy_status sy_bill_files(struct sy_bill_report *report, char *const *files, size_t count,
                        sy_bill_take take, void *self, struct sy_error *err);

#endif
