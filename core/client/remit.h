/* remit.h: remittances of the ledger as an X12 835 (005010X221A1).
 *
 *     remittance, its claim, its payment (money.h), each proven --> one set a payer, in one group
 *
 * A claim's adjustments stand at the claim, summed up by group and reason: state has what each line
 * comes to, but not its code. CLP01 is the first 38 digits of the claim's id, CLP07 all of it in
 * base64url; nothing names a person. What a claim paid to other payees of a shared payment is held
 * back (PLB, CS). When more is taken back than is paid, the payment is 0 and the rest is carried
 * forward (PLB, FB). Names and addresses are not on the ledger: names are told to the writer, and
 * N3, N4 and PER, which a trading partner may want, are left out.
 *
 * What is written is read again and held to X12's balancing before it is given out. */
#ifndef SY_CLIENT_REMIT_H
#define SY_CLIENT_REMIT_H

#include "core/base/status.h"
#include "core/wire/money.h"

#define SY_REMITS_MAX 1000u /* of one interchange */

struct sy_remit {
    uint64_t number; /* of the remittance, among its payee's */
    struct sy_remittance remittance;
    struct sy_claim claim;
};

struct sy_remit_to {
    struct sy_hash payee;
    const char *payee_name; /* NULL: the first digits of its id */
    const char *npi;        /* of the payee, ten digits; NULL: its id stands instead */
    const char *sender;     /* ISA06 and ISA08, up to 15 letters and digits */
    const char *receiver;
    uint32_t control; /* of interchange, group and first set; the sets count on from it */
    int64_t now_ms;
    bool test; /* ISA15 is T, not P */
};

/* sy_remit_write makes the text, which the caller frees, of 1 to SY_REMITS_MAX remittances of one
 * payee, in their order. SY_ERR_ARGUMENT: an option has no place in an 835.
 * SY_ERR_CORRUPT: the claims do not balance, or are not those of the remittances. */
sy_status sy_remit_write(char **text, size_t *size, const struct sy_remit *remits, size_t count,
                         const struct sy_remit_to *to, struct sy_error *err);

#endif
