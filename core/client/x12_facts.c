/* x12_facts.c: see x12_facts.h. */
#include "core/client/x12_facts.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

#define DAY_MS (24ll * 3600 * 1000)
#define IN(name) (1u << SY_X12_SET_##name)
#define UNDER(name) (1ull << SY_X12_LOOP_##name)

_Static_assert(SY_X12_LOOPS <= 64, "a loop is a bit of 64");
_Static_assert(SY_X12_SETS <= 32, "a set is a bit of 32");

struct set_row {
    const char *word, *number, *guide;
};
static const struct set_row sets[SY_X12_SETS] = {
    {"", "", ""},
#define SY_X12_SET(name, word, number, guide) {word, number, guide},
#include "core/client/x12_facts.def"
#undef SY_X12_SET
};

struct loop_row {
    const char *word;
    uint32_t sets;
    uint64_t under;
    const char *segment;
    uint32_t element;
    const char *codes;
};
static const struct loop_row loop_rows[SY_X12_LOOPS] = {
    {"", 0, 0, "", 0, ""},
#define SY_X12_LOOP(name, word, in, under, segment, element, codes) \
    {word, in, under, segment, element, codes},
#include "core/client/x12_facts.def"
#undef SY_X12_LOOP
};

struct fact_row {
    const char *name;
    uint32_t sets;
    uint64_t under;
    const char *segment;
    uint32_t tells; /* the element that tells which */
    const char *codes;
    uint32_t element, component;
    uint8_t form;
};
static const struct fact_row fact_rows[] = {
#define SY_X12_FACT(name, in, under, segment, tells, codes, element, component, form) \
    {#name, in, under, segment, tells, codes, element, component, SY_X12_##form},
#include "core/client/x12_facts.def"
#undef SY_X12_FACT
};

/* Whether text is one of the words, which blanks part; "": anything is. */
static bool is_one_of(const char *words, struct sy_slice text)
{
    if (words[0] == '\0') return true;
    for (const char *at = words; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (sy_slice_equal(sy_slice_of(at, size), text)) return true;
        at += size + (at[size] == ' ' ? 1 : 0);
    }
    return false;
}

const char *sy_x12_set_word(uint8_t set)
{
    SY_ASSERT(set < SY_X12_SETS);
    return sets[set].word;
}

const char *sy_x12_loop_word(uint8_t loop)
{
    SY_ASSERT(loop < SY_X12_LOOPS);
    return loop_rows[loop].word;
}

// --- loops -------------------------------------------------------------------------------------

static bool begins_with(struct sy_slice text, const char *word)
{
    size_t size = strlen(word);
    return text.size >= size && (size == 0 || memcmp(text.data, word, size) == 0);
}

void sy_x12_loops_begin(struct sy_x12_loops *loops, const struct sy_x12_segment *st,
                        struct sy_slice guide)
{
    struct sy_slice number = sy_x12_element(st, 1), own = sy_x12_element(st, 3);
    *loops = (struct sy_x12_loops){.depth = 1};
    if (own.size > 0) guide = own;
    for (uint8_t i = 1; i < SY_X12_SETS && loops->set == SY_X12_SET_OTHER; i++) {
        bool is = sy_slice_equal(number, sy_slice_of(sets[i].number, strlen(sets[i].number))) &&
                  begins_with(guide, sets[i].guide);
        if (is) loops->set = i;
    }
}

static bool opens(const struct loop_row *row, const struct sy_x12_loops *loops, uint32_t place,
                  const struct sy_x12_segment *segment)
{
    if ((row->sets >> loops->set & 1) == 0) return false;
    if ((row->under >> loops->open[place].loop & 1) == 0) return false;
    if (!sy_x12_is(segment, row->segment)) return false;
    return row->element == 0 || is_one_of(row->codes, sy_x12_element(segment, row->element));
}

/* The id of a segment that has to open a loop in a set of this kind; NULL: this one has not. */
static const char *has_to_open(const struct sy_x12_loops *loops,
                               const struct sy_x12_segment *segment)
{
    static const char *const strict[] = {"HL", "CLM", "CLP"};
    for (size_t i = 0; i < sizeof strict / sizeof strict[0]; i++) {
        if (!sy_x12_is(segment, strict[i])) continue;
        for (uint8_t row = 1; row < SY_X12_LOOPS; row++) {
            bool has = (loop_rows[row].sets >> loops->set & 1) != 0 &&
                       strcmp(loop_rows[row].segment, strict[i]) == 0;
            if (has) return strict[i];
        }
    }
    return NULL;
}

static bool complain(char *why, const char *text)
{
    (void)snprintf(why, SY_X12_TEXT_BYTES, "%s", text);
    return false;
}

/* HL01 counts from 1, and HL02 is the HL01 of the level that holds this one. */
static bool check_level(const struct sy_x12_loops *loops, char *why, uint32_t place,
                        const struct sy_x12_segment *segment)
{
    uint64_t own = 0, parent = 0, want = 0;
    struct sy_slice above = sy_x12_element(segment, 2);
    for (uint32_t i = 0; i <= place; i++) {
        if (loops->open[i].level != 0) want = loops->open[i].level;
    }
    if (!sy_x12_count(&own, sy_x12_element(segment, 1)) || own != loops->levels) {
        (void)snprintf(why, SY_X12_TEXT_BYTES, "HL01 is not %llu, the number of this level",
                       (unsigned long long)loops->levels);
        return false;
    }
    bool good = above.size == 0 ? want == 0 : sy_x12_count(&parent, above) && parent == want;
    if (good) return true;
    if (want == 0) return complain(why, "HL02 names a level above the highest one");
    (void)snprintf(why, SY_X12_TEXT_BYTES,
                   "HL02 is not %llu, the number of the level that this one stands in",
                   (unsigned long long)want);
    return false;
}

bool sy_x12_loops_take(struct sy_x12_loops *loops, bool *opened, char *why,
                       const struct sy_x12_segment *segment)
{
    bool is_level = sy_x12_is(segment, "HL");
    *opened = false;
    if (is_level) loops->levels++;
    for (uint32_t place = loops->depth; place-- > 0;) {
        for (uint8_t row = 1; row < SY_X12_LOOPS; row++) {
            if (!opens(&loop_rows[row], loops, place, segment)) continue;
            bool good = !is_level || check_level(loops, why, place, segment);
            SY_ASSERT(place + 1 < SY_X12_LOOPS_DEEP_MAX); // no loop of the table holds itself
            loops->depth = place + 2;
            loops->open[place + 1].loop = row;
            loops->open[place + 1].level = is_level ? loops->levels : 0;
            *opened = true;
            return good;
        }
    }
    const char *id = has_to_open(loops, segment);
    if (id == NULL) return true;
    if (is_level) return complain(why, "HL03 is no level that may stand in the one before");
    (void)snprintf(why, SY_X12_TEXT_BYTES, "%s stands in no level or loop that may hold it", id);
    return false;
}

// --- facts -------------------------------------------------------------------------------------

/* Days since 1970 of a day of the Gregorian calendar; false: there is no such day. */
static bool read_day(int64_t *days, const uint8_t *digits)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t part[3] = {0, 0, 0};
    for (unsigned i = 0; i < 8; i++) {
        if (digits[i] < '0' || digits[i] > '9') return false;
        int64_t *at = &part[i < 4 ? 0 : i / 2 - 1];
        *at = *at * 10 + (digits[i] - '0');
    }
    int64_t year = part[0], month = part[1], day = part[2];
    if (year < 1800 || month < 1 || month > 12 || day < 1) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) return false;
    int64_t before = year - 1;
    *days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (int64_t m = 1; m < month; m++) *days += lengths[m - 1] + (m == 2 && leap ? 1 : 0);
    *days += day - 1;
    return true;
}

static bool read_minutes(int64_t *minutes, const uint8_t *digits)
{
    for (unsigned i = 0; i < 4; i++) {
        if (digits[i] < '0' || digits[i] > '9') return false;
    }
    int64_t hour = (digits[0] - '0') * 10 + (digits[1] - '0');
    int64_t minute = (digits[2] - '0') * 10 + (digits[3] - '0');
    *minutes = hour * 60 + minute;
    return hour < 24 && minute < 60;
}

bool sy_x12_dates(int64_t *from_ms, int64_t *until_ms, struct sy_slice text)
{
    int64_t first, last, minutes = 0;
    bool two = text.size == 17 && text.data[8] == '-', timed = text.size == 12;
    *from_ms = *until_ms = 0;
    if (text.size != 8 && !two && !timed) return false;
    if (!read_day(&first, text.data)) return false;
    last = first;
    if (two && (!read_day(&last, text.data + 9) || last < first)) return false;
    if (timed && !read_minutes(&minutes, text.data + 8)) return false;
    *from_ms = first * DAY_MS + minutes * 60000;
    *until_ms = timed ? *from_ms : last * DAY_MS + DAY_MS - 1;
    return true;
}

struct giver {
    sy_x12_take_fact take;
    void *self;
    const struct sy_x12_reader *reader;
    const struct sy_x12_segment *segment;
};

/* From the third element on, in steps: a reason, its amount, and what else belongs to it. */
static void give_amounts(const struct giver *giver, struct sy_x12_fact *fact, uint32_t first,
                         uint32_t step)
{
    for (uint32_t i = first; i <= giver->segment->count; i += step) {
        struct sy_slice amount = sy_x12_element(giver->segment, i);
        fact->reason = sy_x12_element(giver->segment, i - 1);
        fact->element = i;
        if (fact->reason.size == 0 && amount.size == 0) continue;
        fact->good = sy_x12_cents(&fact->cents, amount);
        giver->take(giver->self, fact);
    }
}

static void give_diagnoses(const struct giver *giver, const struct fact_row *row,
                           struct sy_x12_fact *fact)
{
    for (uint32_t i = 1; i <= giver->segment->count && i <= 12; i++) {
        struct sy_slice element = sy_x12_element(giver->segment, i);
        fact->value = sy_x12_component(giver->reader, element, row->component);
        fact->element = i;
        if (fact->value.size == 0) continue;
        if (!is_one_of(row->codes, sy_x12_component(giver->reader, element, 1))) continue;
        giver->take(giver->self, fact);
    }
}

/* The number of somebody's social security, or of a member, tells who it is, whosesoever name it
 * stands under: a provider may be a person, too (NM108 of 34). */
static bool tells_person(const struct giver *giver, const struct fact_row *row)
{
    return row->element == 9 && sy_x12_is(giver->segment, "NM1") &&
           is_one_of("34 MI", sy_x12_element(giver->segment, 8));
}

static void give(const struct giver *giver, const struct fact_row *row)
{
    struct sy_slice element = sy_x12_element(giver->segment, row->element);
    struct sy_x12_fact fact = {.name = row->name,
                               .form = row->form,
                               .element = row->element,
                               .good = true,
                               .value = element};
    if (row->form == SY_X12_DIAGNOSES) {
        give_diagnoses(giver, row, &fact);
        return;
    }
    if (row->form == SY_X12_ADJUSTMENTS) {
        give_amounts(giver, &fact, 3, 3);
        return;
    }
    if (row->form == SY_X12_HELD_BACK) {
        give_amounts(giver, &fact, 4, 2);
        return;
    }
    if (row->component > 0) {
        fact.value = sy_x12_component(giver->reader, element, row->component);
    }
    if (fact.value.size == 0) return;
    if (tells_person(giver, row)) fact.form = SY_X12_PERSON;
    if (row->form == SY_X12_CENTS) fact.good = sy_x12_cents(&fact.cents, fact.value);
    if (row->form == SY_X12_COUNTED) fact.good = sy_x12_count(&fact.count, fact.value);
    if (row->form == SY_X12_DATES) {
        fact.good = sy_x12_dates(&fact.from_ms, &fact.until_ms, fact.value);
    }
    giver->take(giver->self, &fact);
}

void sy_x12_facts(const struct sy_x12_loops *loops, const struct sy_x12_reader *reader,
                  const struct sy_x12_segment *segment, sy_x12_take_fact take, void *self)
{
    struct giver giver = {.take = take, .self = self, .reader = reader, .segment = segment};
    uint8_t loop = loops->open[loops->depth - 1].loop;
    for (size_t i = 0; i < sizeof fact_rows / sizeof fact_rows[0]; i++) {
        const struct fact_row *row = &fact_rows[i];
        if ((row->sets >> loops->set & 1) == 0 || (row->under >> loop & 1) == 0) continue;
        if (!sy_x12_is(segment, row->segment)) continue;
        if (row->tells != 0 && !is_one_of(row->codes, sy_x12_element(segment, row->tells))) {
            continue;
        }
        give(&giver, row);
    }
}
