/* bill_fhir.h: bills out of FHIR R4 Claims.
 *
 * Only a Claim that is active and bills (use "claim") is one. An item's code is its first coding of
 * HCPCS or CPT (hc), NDC (n4) or NUBC revenue (nu), else its first one, agreed between the parties
 * (zz): SNOMED CT's as it stands, CVX's and RxNorm's behind "CVX-" and "RXN-", so that equal
 * numbers of two systems are not one. Who is contained in a Claim is known by identifier. Where a
 * Claim has no period, its items' days are it. Its charge is net, else unitPrice times quantity. A
 * Claim without a diagnosis has one that is "unspecified", since the ledger wants one. Amounts have
 * at most two decimals, in one currency. */
#ifndef SY_CLIENT_BILL_FHIR_H
#define SY_CLIENT_BILL_FHIR_H

#include <jansson.h>

#include "core/client/bill.h"

/* sy_bill_fhir fills a bill from a Claim, whose strings it borrows. class_of says what sort of
 * service an encounter was (enum sy_service_class), by its reference, or 0. False: `why`
 * (SY_BILL_TEXT_BYTES) says what is wrong and path (SY_BILL_PATH_BYTES) where; bill->type is set in
 * either case, as far as it is known. */
#define SY_BILL_PATH_BYTES 64u
typedef uint16_t (*sy_bill_class_of)(void *self, struct sy_slice reference);
bool sy_bill_fhir(struct sy_bill *bill, char *path, char *why, const json_t *claim,
                  sy_bill_class_of class_of, void *self);

/* sy_bill_fhir_class is the sort of service of an Encounter by its class (v3-ActCode); 0: other. */
uint16_t sy_bill_fhir_class(const json_t *encounter);

/* sy_bill_fhir_time reads a dateTime of FHIR; a day, month or year alone begins, or ends if `last`,
 * in UTC. */
bool sy_bill_fhir_time(int64_t *time_ms, const char *text, bool last);

#endif
