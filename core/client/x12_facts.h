/* x12_facts.h: what stands where in a set of X12: its loops, and facts by name.
 *
 *     segments (x12.h) --> loops: which are open, which opens --> facts: "charge" is 150.50
 *
 * Sets, loops and facts are rows of x12_facts.def. A loop opens inside of the innermost open one
 * that may hold it, and closes all that were deeper. HL segments, which number the levels of a set,
 * are held to what they say. Nothing is kept of a set but the loops that are open. */
#ifndef SY_CLIENT_X12_FACTS_H
#define SY_CLIENT_X12_FACTS_H

#include "core/client/x12.h"

enum sy_x12_set {
    SY_X12_SET_OTHER, /* not one of these; it has no loops */
#define SY_X12_SET(name, word, number, guide) SY_X12_SET_##name,
#include "core/client/x12_facts.def"
#undef SY_X12_SET
    SY_X12_SETS
};

enum sy_x12_loop {
    SY_X12_LOOP_SET, /* the set itself */
#define SY_X12_LOOP(name, word, sets, under, segment, element, codes) SY_X12_LOOP_##name,
#include "core/client/x12_facts.def"
#undef SY_X12_LOOP
    SY_X12_LOOPS
};

enum sy_x12_form {
    SY_X12_WORD,        /* as it stands: a code, or a number that names something but a person */
    SY_X12_PERSON,      /* tells a person: not to be shown */
    SY_X12_CENTS,       /* an amount */
    SY_X12_COUNTED,     /* a number */
    SY_X12_DATES,       /* a day, or two: the first moment of one and the last of the other */
    SY_X12_DIAGNOSES,   /* HI: one each of up to 12 elements; not to be shown */
    SY_X12_ADJUSTMENTS, /* CAS: group, then up to six times reason, amount, quantity */
    SY_X12_HELD_BACK    /* PLB: up to six times reason, amount, from its third element on */
};

#define SY_X12_LOOPS_DEEP_MAX 12u

/* Made by sy_x12_loops_begin at each ST. */
struct sy_x12_loops {
    uint8_t set;    /* enum sy_x12_set */
    uint32_t depth; /* open loops, the set itself included */
    struct {
        uint8_t loop;   /* enum sy_x12_loop */
        uint64_t level; /* HL01, if HL opened it; else 0 */
    } open[SY_X12_LOOPS_DEEP_MAX];
    uint64_t levels; /* HL segments so far */
};

/* sy_x12_loops_begin takes ST, and GS08 for what ST03 may leave out. */
void sy_x12_loops_begin(struct sy_x12_loops *loops, const struct sy_x12_segment *st,
                        struct sy_slice guide);

/* sy_x12_loops_take follows a segment of the set. *opened: it opens the loop that is innermost now.
 * False: `why` (SY_X12_TEXT_BYTES) says what it or its level contradicts; it opens nothing then. */
bool sy_x12_loops_take(struct sy_x12_loops *loops, bool *opened, char *why,
                       const struct sy_x12_segment *segment);

/* A fact of the segment at hand, in the document's own bytes. */
struct sy_x12_fact {
    const char *name;          /* static */
    uint8_t form;              /* enum sy_x12_form */
    bool good;                 /* false: it has not its form, and only value is set */
    uint32_t element;          /* where it stands */
    struct sy_slice value;     /* ADJUSTMENTS: the group */
    struct sy_slice reason;    /* ADJUSTMENTS, HELD_BACK */
    int64_t cents;             /* CENTS, ADJUSTMENTS, HELD_BACK */
    uint64_t count;            /* COUNT */
    int64_t from_ms, until_ms; /* DATES; times are UTC */
};

typedef void (*sy_x12_take_fact)(void *self, const struct sy_x12_fact *fact);

/* sy_x12_facts gives the facts of a segment that loops took, in the order of the table. Elements
 * that are empty or missing are no facts. */
void sy_x12_facts(const struct sy_x12_loops *loops, const struct sy_x12_reader *reader,
                  const struct sy_x12_segment *segment, sy_x12_take_fact take, void *self);

/* sy_x12_set_word and sy_x12_loop_word: "837P", "2010AA"; of a set of another kind "". */
const char *sy_x12_set_word(uint8_t set);
const char *sy_x12_loop_word(uint8_t loop);

/* sy_x12_dates reads CCYYMMDD, CCYYMMDDHHMM, or two of the former with "-" between. */
bool sy_x12_dates(int64_t *from_ms, int64_t *until_ms, struct sy_slice text);

#endif
