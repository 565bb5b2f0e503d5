/* x12.h: ASC X12 interchanges (837, 835, 270 and so on), one segment after the other.
 *
 * An interchange begins with ISA, whose 106 bytes are the only part of X12 with fixed places: they
 * tell the separators of all that follows up to IEA. An ISA that misses its places is still read.
 * Between segments, line breaks and blanks are skipped. The reader keeps no copy and bounds
 * everything; what a segment means is x12_check.h's matter. Source: ASC X12.6 (application control
 * structure), 005010 implementation guides. */
#ifndef SY_CLIENT_X12_H
#define SY_CLIENT_X12_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_X12_ELEMENTS_MAX 32u        /* of a segment; the guides use at most 20 */
#define SY_X12_SEGMENT_BYTES_MAX 8192u /* without its terminator */
#define SY_X12_DOCUMENT_BYTES_MAX (256u << 20)
#define SY_X12_TEXT_BYTES 240u /* room of a sentence */

/* One segment, in the document's own bytes. */
struct sy_x12_segment {
    struct sy_slice id;                                /* "CLM" */
    struct sy_slice elements[SY_X12_ELEMENTS_MAX + 1]; /* [1] is CLM01; [0] is the id again */
    uint32_t count;                                    /* elements behind the id */
    uint64_t number;                                   /* in the document, from 1 */
};

/* Made zeroed but for document, which it borrows; one thread. */
struct sy_x12_reader {
    struct sy_slice document;
    size_t offset;
    uint64_t number;    /* of the last segment */
    uint8_t element;    /* separators; 0 before the first ISA */
    uint8_t component;  /* between the parts of an element */
    uint8_t terminator; /* of segments */
    unsigned misplaced; /* the first element of the last ISA that has another length than its
                           fixed place asks for; 0: none */
};

enum sy_x12_step {
    SY_X12_SEGMENT = 1,
    SY_X12_END,
    SY_X12_FAULT /* the framing is lost: nothing behind it can be read */
};

/* sy_x12_next gives the next segment, or says in `why` (SY_X12_TEXT_BYTES) why there is none and
 * what to do; reader->number is then the segment in which that is. Never fails otherwise. */
enum sy_x12_step sy_x12_next(struct sy_x12_reader *reader, struct sy_x12_segment *segment,
                             char *why);

/* sy_x12_is says whether a segment has this id. */
bool sy_x12_is(const struct sy_x12_segment *segment, const char *id);

/* sy_x12_element gives element `index`, from 1; an empty slice if there is none. */
struct sy_slice sy_x12_element(const struct sy_x12_segment *segment, uint32_t index);

/* sy_x12_component gives part `index`, from 1, of an element; an empty slice if there is none. */
struct sy_slice sy_x12_component(const struct sy_x12_reader *reader, struct sy_slice element,
                                 uint32_t index);

/* sy_x12_cents reads an amount (type R): an optional minus, digits, and a point with decimals, of
 * which only the first two may be other than 0. At most 13 digits stand before the point. False,
 * and *cents is 0, for anything else, the empty element included. */
bool sy_x12_cents(int64_t *cents, struct sy_slice element);

/* sy_x12_count reads a number without sign (type N0) of at most ten digits. */
bool sy_x12_count(uint64_t *count, struct sy_slice element);

#endif
