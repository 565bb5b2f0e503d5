/* bill.h: a claim as its source has it, on its way to claim.submit: out of an 837 (bill_x12.h) or a
 * FHIR Claim (bill_fhir.h).
 *
 *     source --> struct sy_bill --> lines of claim.submit --> the ledger's own parser and key
 *
 * Who is meant stands as the source names them; ids and keys of the ledger come when it is sent.
 * What the ledger would refuse of the lines is refused here, by the ledger's own code, with a
 * sentence. Amounts are minor units. */
#ifndef SY_CLIENT_BILL_H
#define SY_CLIENT_BILL_H

#include "core/ledger/contracts/claim_rules.h"

#define SY_BILL_TEXT_BYTES 240u
#define SY_BILL_CODE_BYTES 40u
#define SY_BILL_LINE_BYTES 240u

enum sy_bill_type {
    SY_BILL_NONE, /* of no type that is known */
    SY_BILL_837P,
    SY_BILL_837I,
    SY_BILL_837D,
    SY_BILL_INSTITUTIONAL, /* FHIR's */
    SY_BILL_PROFESSIONAL,
    SY_BILL_PHARMACY,
    SY_BILL_ORAL,
    SY_BILL_VISION,
    SY_BILL_TYPES
};

struct sy_bill_line {
    char code[SY_BILL_CODE_BYTES]; /* system:code[:modifiers], as in claim.submit */
    char place[3];                 /* CMS place of service; "": that of the claim's class */
    uint32_t units;
    uint32_t pointers; /* bit n: the diagnosis n, from 0; 0: the first one */
    int64_t charge;
    bool has_charge; /* false: it has what the total leaves over, once, else nothing */
};

/* Slices are the source's bytes, good as long as those. */
struct sy_bill {
    uint8_t type;                      /* enum sy_bill_type */
    uint16_t service_class;            /* enum sy_service_class */
    struct sy_slice id;                /* the source's number of it */
    struct sy_slice patient, provider; /* the source's names of them */
    struct sy_slice member;            /* 837: whose number a dependent is covered by; else empty */
    struct sy_slice prescription;      /* empty: none */
    int64_t from_ms, until_ms;
    struct sy_slice diagnoses[SY_CLAIM_DIAGNOSES_MAX];
    unsigned diagnosis_count;
    struct sy_bill_line lines[SY_CLAIM_LINES_MAX];
    unsigned line_count;
    int64_t total;
};

/* A bill in the ledger's words. */
struct sy_bill_lines {
    char text[SY_CLAIM_LINES_MAX][SY_BILL_LINE_BYTES]; /* as claim.submit has them */
    struct sy_claim_line parsed[SY_CLAIM_LINES_MAX];   /* these, by the ledger's parser */
    unsigned count;
};

/* sy_bill_code writes system:code[:modifier]... in the ledger's form: capital letters, blanks
 * around taken off. False: it has none; too long, or with letters that no code has. A modifier is
 * two letters or digits; empty ones are left out. */
bool sy_bill_code(char out[SY_BILL_CODE_BYTES], const char *system, struct sy_slice code,
                  const struct sy_slice *modifiers, unsigned modifier_count);

/* sy_bill_finish checks a bill and writes its lines: an item without a charge has what the total
 * leaves over, if it is the first such one, else nothing. False: `why` (SY_BILL_TEXT_BYTES) says
 * what keeps it from being billed. It changes charges and places of lines. */
bool sy_bill_finish(struct sy_bill *bill, struct sy_bill_lines *lines, char *why);

/* sy_bill_key names the service as the ledger's own key does (sy_claim_key), over the source's
 * names; prescriptions tell lines apart. sy_bill_charges names what is charged for it, units
 * included: two bills with one key and other charges are one service, billed in two ways. */
void sy_bill_key(struct sy_hash *key, const struct sy_bill *bill,
                 const struct sy_bill_lines *lines);
void sy_bill_charges(struct sy_hash *charges, const struct sy_bill_lines *lines);

/* sy_bill_type_word: "837P", "institutional". */
const char *sy_bill_type_word(uint8_t type);

#endif
