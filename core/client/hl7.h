/* hl7.h: HL7 version 2 messages, one segment after the other.
 *
 * A document has messages, each from MSH on, bare or in batches (FHS, BHS, BTS, FTS). A segment
 * ends with CR, as the standard has it, or with LF or both, as files have it; blank lines, the
 * framing bytes of MLLP and a byte order mark are passed over. MSH tells the separators of its
 * message: MSH-1 is the one of fields, MSH-2 those of components, repetitions, escapes and
 * subcomponents. The reader keeps no copy and bounds everything; what a message means is
 * hl7_check.h's matter. Source: HL7 2.8.2, chapter 2 (2.5 message construction, 2.7 escapes, 2.10
 * batches). */
#ifndef SY_CLIENT_HL7_H
#define SY_CLIENT_HL7_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_HL7_FIELDS_MAX 128u              /* of a segment */
#define SY_HL7_SEGMENT_BYTES_MAX (1u << 20) /* without its end; documents travel in OBX-5 */
#define SY_HL7_DOCUMENT_BYTES_MAX (256u << 20)
#define SY_HL7_TEXT_BYTES 200u /* room of a sentence */

/* One segment, in the document's own bytes. */
struct sy_hl7_segment {
    struct sy_slice id;                            /* "PID" */
    struct sy_slice fields[SY_HL7_FIELDS_MAX + 1]; /* [3] is PID-3, MSH-1 its separator alone */
    uint32_t count;                                /* fields behind the id */
    uint64_t line;                                 /* in the document, from 1 */
};

/* Made zeroed but for document, which it borrows; one thread. */
struct sy_hl7_reader {
    struct sy_slice document;
    size_t offset;
    uint64_t line; /* of the last segment */
    uint8_t field; /* separators; 0 before the first header */
    uint8_t component;
    uint8_t repetition;
    uint8_t escape; /* 0: MSH-2 names none */
    uint8_t subcomponent;
};

enum sy_hl7_step {
    SY_HL7_SEGMENT = 1,
    SY_HL7_END,
    SY_HL7_FAULT /* no segment: the line is passed over by the next call */
};

/* sy_hl7_next gives the next segment, or says in `why` (SY_HL7_TEXT_BYTES) what is wrong with the
 * line reader->line. Never fails otherwise. */
enum sy_hl7_step sy_hl7_next(struct sy_hl7_reader *reader, struct sy_hl7_segment *segment,
                             char *why);

bool sy_hl7_is(const struct sy_hl7_segment *segment, const char *id);

/* sy_hl7_field gives field `index`, from 1; an empty slice if there is none. The others give part
 * `index`, from 1, of what they are given; repetitions stand within a field, components within a
 * repetition, subcomponents within a component. */
struct sy_slice sy_hl7_field(const struct sy_hl7_segment *segment, uint32_t index);
struct sy_slice sy_hl7_repetition(const struct sy_hl7_reader *reader, struct sy_slice field,
                                  uint32_t index);
struct sy_slice sy_hl7_component(const struct sy_hl7_reader *reader, struct sy_slice repetition,
                                 uint32_t index);
struct sy_slice sy_hl7_subcomponent(const struct sy_hl7_reader *reader, struct sy_slice component,
                                    uint32_t index);

/* sy_hl7_next_repetition gives the repetitions of *rest, a field at first, one after the other, in
 * one walk over it. False: there are no more. */
bool sy_hl7_next_repetition(const struct sy_hl7_reader *reader, struct sy_slice *rest,
                            struct sy_slice *one);

/* sy_hl7_escapes_good: every escape sequence of a field ends, and is one of H, N, F, S, T, R, E, P,
 * Xhh.., Z.., .word, Chhhh or Mhhhhhh. */
bool sy_hl7_escapes_good(const struct sy_hl7_reader *reader, struct sy_slice field);

/* sy_hl7_time_good: YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ], a day and a time that are (data
 * type DTM). sy_hl7_number_good: an optional sign, digits, a point, digits (NM). */
bool sy_hl7_time_good(struct sy_slice text);
bool sy_hl7_number_good(struct sy_slice text);

#endif
