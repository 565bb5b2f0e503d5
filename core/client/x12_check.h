/* x12_check.h: does an X12 document say the same thing twice where it has to?
 *
 *   envelopes   ISA/IEA, GS/GE and ST/SE stand inside one another, count what is in them and repeat
 *               each other's control numbers (ASC X12.5, X12.6)
 *   837         CLM02, a claim's charge, is the sum of its lines' (SV102, SV203, SV302)
 *   levels      HL segments number a set's levels and name the one that each stands in; claims
 *               stand in them (x12_facts.h)
 *   835         a line's charge less its adjustments (CAS) is what is paid for it; likewise the
 *               claim's, with those of its lines; its lines' charges sum up to its own; BPR02, the
 *               payment, is the sum of all claims' payments less the provider adjustments (PLB)
 *               (005010X221 section 1.10.2, balancing)
 *
 * A set with an issue is not to be acted on; above all no remittance that does not balance is paid.
 * Of what stands in a document, an issue tells segment numbers, ids of segments, control numbers
 * and amounts: no name and no identifier of a person. */
#ifndef SY_CLIENT_X12_CHECK_H
#define SY_CLIENT_X12_CHECK_H

#include "core/client/x12_facts.h"

#define SY_X12_CONTROL_BYTES 16u /* room of a control number, cut if longer */
#define SY_X12_KINDS_MAX 16u     /* of sets, that are counted apart */

enum sy_x12_issue_kind {
    SY_X12_FRAMING = 1, /* the document cannot be read further */
    SY_X12_ENVELOPE,    /* an envelope is missing, open or in the wrong place */
    SY_X12_CONTROL,     /* two control numbers differ */
    SY_X12_COUNT,       /* what is counted is another number */
    SY_X12_AMOUNT,      /* no amount of at most two decimals where one has to be */
    SY_X12_SUM,         /* lines do not sum up to their claim's charge */
    SY_X12_BALANCE,     /* charge, adjustments and payment do not balance */
    SY_X12_PAYMENT,     /* BPR02 is not what the claims come to */
    SY_X12_LEVEL,       /* levels and loops do not stand in one another */
    SY_X12_DATE,        /* no date where one has to be */
    SY_X12_ISSUES
};

struct sy_x12_issue {
    uint8_t kind;                       /* enum sy_x12_issue_kind */
    uint64_t segment;                   /* where, from 1 in the document */
    uint64_t place;                     /* of its set in the document, from 1; 0: in none */
    char set[4];                        /* "837"; "" outside of sets */
    char control[SY_X12_CONTROL_BYTES]; /* ST02, else the group's or interchange's; may be "" */
    char text[SY_X12_TEXT_BYTES];       /* what is wrong */
};

struct sy_x12_kind_count {
    char set[4];
    uint64_t count;
};

struct sy_x12_totals {
    uint64_t segments, interchanges, groups, sets;
    struct sy_x12_kind_count kinds[SY_X12_KINDS_MAX]; /* in order of appearance */
    uint32_t kind_count;
    uint64_t sets_with_issues;
    uint64_t claims;             /* CLM */
    int64_t charged;             /* their CLM02, in cents */
    uint64_t remitted, balanced; /* CLP, and those whose charge, adjustments and payment balance */
    uint64_t issues[SY_X12_ISSUES];
};

/* Is told each issue, in the order of the segments that show it. */
typedef void (*sy_x12_tell)(void *self, const struct sy_x12_issue *issue);

/* sy_x12_check reads a whole document of at most SY_X12_DOCUMENT_BYTES_MAX. Returns true if there
 * is no issue. Takes no memory; any thread. */
bool sy_x12_check(struct sy_x12_totals *totals, struct sy_slice document, sy_x12_tell tell,
                  void *self);

/* sy_x12_issue_word gives a kind's word: "count". */
const char *sy_x12_issue_word(uint8_t kind);

#endif
