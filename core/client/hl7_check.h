/* hl7_check.h: do HL7 version 2 messages hold together, before anything is made of them?
 *
 * Of each message: its header, the segments that it must have, who it is about, its times, numbers
 * and escapes, and whether its control id came before from the same sender. Of batches: their
 * counts. What a message becomes on the ledger is told by type (hl7_messages.def). Values are never
 * told. Sources: HL7 2.8.2, chapters 2 (control), 3 (ADT), 4 (orders), 7 (observations). */
#ifndef SY_CLIENT_HL7_CHECK_H
#define SY_CLIENT_HL7_CHECK_H

#include "core/base/table.h"
#include "core/client/hl7.h"

/* What an issue is about. */
enum sy_hl7_issue_kind {
    SY_HL7_FRAMING = 1, /* no segment, or one where none may be */
    SY_HL7_HEADER,      /* MSH tells too little, or wrong */
    SY_HL7_SEGMENTS,    /* one that the type must have is missing */
    SY_HL7_SUBJECT,     /* PID-3 has no identifier */
    SY_HL7_TIME,
    SY_HL7_NUMBER, /* of a value that says to be one */
    SY_HL7_ESCAPE,
    SY_HL7_COUNT,    /* a batch's or a file's */
    SY_HL7_REPEATED, /* a control id that another message had */
    SY_HL7_ISSUES
};
const char *sy_hl7_issue_word(uint8_t kind);

struct sy_hl7_issue {
    enum sy_hl7_issue_kind kind;
    uint64_t line;
    char field[16];   /* "OBX-5", or empty */
    char type[16];    /* "ORU^R01" of the message; empty outside of one */
    char control[32]; /* its control id, what of it is printable */
    char text[SY_HL7_TEXT_BYTES];
};
typedef void (*sy_hl7_tell)(void *self, const struct sy_hl7_issue *issue);

#define SY_HL7_TYPES_MAX 256u

struct sy_hl7_totals {
    uint64_t segments, messages, with_issues, repeated;
    uint64_t issues[SY_HL7_ISSUES];
    uint32_t type_count; /* those beyond SY_HL7_TYPES_MAX are counted as "other" */
    struct {
        char type[16]; /* "ORU^R01" */
        const char *becomes;
        uint64_t count;
    } types[SY_HL7_TYPES_MAX];
};

/* The messages of one run by sender (MSH-3, MSH-4) and control id (MSH-10). */
#define SY_HL7_MESSAGES_MAX (1u << 20)
struct sy_hl7_seen {
    sy_arena arena;
    struct sy_table by_control;
};
/* open makes room, touched as messages come: SY_ERR_NO_MEMORY. close frees it; a zeroed one is
 * fine. */
sy_status sy_hl7_seen_open(struct sy_hl7_seen *seen, struct sy_error *err);
void sy_hl7_seen_close(struct sy_hl7_seen *seen);

/* sy_hl7_check judges a document and adds to totals, zeroed before the first; tell may be called
 * often. False: there was an issue. A message that came before, byte by byte, is counted as
 * repeated and is none; another one under the same control id is SY_HL7_REPEATED. Beyond
 * SY_HL7_MESSAGES_MAX messages are not remembered. */
bool sy_hl7_check(struct sy_hl7_totals *totals, struct sy_hl7_seen *seen, struct sy_slice document,
                  sy_hl7_tell tell, void *self);

#endif
