/* hl7_check.c: see hl7_check.h. */
#include "core/client/hl7_check.h"

#include <stdio.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/hl7_messages.def"
#include "core/crypto/hash.h"

#define NAMES_MAX 64u /* kinds of segments that a message is remembered to have */

static const struct {
    const char *type, *triggers, *segments, *becomes;
} messages[] = {
#define MESSAGE(type, triggers, segments, becomes) {type, triggers, segments, becomes},
    SY_HL7_MESSAGES(MESSAGE)};

/* Fields that are times, besides those of OBX. */
static const struct {
    const char *segment;
    uint8_t field;
} times[] = {{"MSH", 7},  {"EVN", 2}, {"PID", 7}, {"PID", 29}, {"PV1", 44},
             {"PV1", 45}, {"OBR", 7}, {"OBR", 8}, {"OBR", 22}, {"OBX", 14},
             {"ORC", 9},  {"RXA", 3}, {"TXA", 4}, {"BHS", 7},  {"FHS", 7}};

/* One document under the eyes. */
struct check {
    struct sy_hl7_totals *totals;
    struct sy_hl7_seen *seen;
    struct sy_hl7_reader reader;
    struct sy_hl7_segment segment;
    sy_hl7_tell tell;
    void *self;
    bool good;
    /* the message */
    bool inside, issue_told;
    size_t start; /* where it begins */
    uint64_t line;
    char type[16], control[32];
    struct sy_hash key;
    bool has_key;
    size_t row; /* of messages; its end: no row */
    uint32_t names[NAMES_MAX];
    size_t name_count;
    /* batches */
    bool in_batch, in_file;
    uint64_t in_batch_messages, in_file_batches;
};

const char *sy_hl7_issue_word(uint8_t kind)
{
    static const char *const words[] = {"?",    "framing", "header", "segments", "subject",
                                        "time", "number",  "escape", "count",    "repeated"};
    return kind < SY_HL7_ISSUES ? words[kind] : words[0];
}

sy_status sy_hl7_seen_open(struct sy_hl7_seen *seen, struct sy_error *err)
{
    uint64_t seed[2];
    sy_os_random(seed, sizeof seed);
    sy_status status =
        sy_arena_open(&seen->arena, (size_t)SY_HL7_MESSAGES_MAX * 3 * (2 * sizeof(struct sy_hash)));
    if (status == SY_OK) {
        status = sy_table_init(&seen->by_control, &seen->arena, SY_HL7_MESSAGES_MAX,
                               sizeof(struct sy_hash), seed);
    }
    if (status == SY_OK) return SY_OK;
    return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to know messages again");
}

void sy_hl7_seen_close(struct sy_hl7_seen *seen)
{
    sy_arena_close(&seen->arena);
}

// --- telling -----------------------------------------------------------------------------------

/* Copies what is printable of a text, cut. */
static void put(char *out, size_t room, struct sy_slice text)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size && used + 1 < room; i++) {
        if (text.data[i] > ' ' && text.data[i] < 0x7f) out[used++] = (char)text.data[i];
    }
    out[used] = '\0';
}

static void tell(struct check *c, enum sy_hl7_issue_kind kind, uint64_t line, const char *field,
                 const char *text)
{
    struct sy_hl7_issue issue = {.kind = kind, .line = line};
    c->good = false;
    c->totals->issues[kind]++;
    if (c->inside && !c->issue_told) c->totals->with_issues++;
    c->issue_told = c->inside;
    (void)snprintf(issue.field, sizeof issue.field, "%s", field);
    (void)snprintf(issue.text, sizeof issue.text, "%s", text);
    if (c->inside) {
        memcpy(issue.type, c->type, sizeof issue.type);
        memcpy(issue.control, c->control, sizeof issue.control);
    }
    c->tell(c->self, &issue);
}

static void tell_field(struct check *c, enum sy_hl7_issue_kind kind, uint32_t index,
                       const char *text)
{
    char field[16], name[4];
    put(name, sizeof name, c->segment.id);
    (void)snprintf(field, sizeof field, "%s-%u", name, (unsigned)index);
    tell(c, kind, c->segment.line, field, text);
}

// --- a message ---------------------------------------------------------------------------------

static struct sy_slice first_part(const struct check *c, uint32_t field, uint32_t component)
{
    struct sy_slice whole = sy_hl7_field(&c->segment, field);
    return sy_hl7_component(&c->reader, sy_hl7_repetition(&c->reader, whole, 1), component);
}

static uint32_t name_of(const char *id)
{
    return (uint32_t)(uint8_t)id[0] << 16 | (uint32_t)(uint8_t)id[1] << 8 | (uint8_t)id[2];
}

static bool has_segment(const struct check *c, const char *id)
{
    for (size_t i = 0; i < c->name_count; i++) {
        if (c->names[i] == name_of(id)) return true;
    }
    return false;
}

static void remember(struct check *c)
{
    const char *id = (const char *)c->segment.id.data;
    if (!has_segment(c, id) && c->name_count < NAMES_MAX) c->names[c->name_count++] = name_of(id);
}

/* Whether a word stands in a list with blanks between. */
static bool among(const char *list, struct sy_slice word)
{
    for (const char *at = list; word.size > 0 && *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (size == word.size && memcmp(at, word.data, size) == 0) return true;
        at += size + (at[size] == ' ');
    }
    return false;
}

static size_t find_row(struct sy_slice type, struct sy_slice trigger)
{
    size_t count = sizeof messages / sizeof messages[0], row = 0;
    for (; row < count; row++) {
        bool fits = type.size == 3 && memcmp(type.data, messages[row].type, 3) == 0;
        if (fits && (!*messages[row].triggers || among(messages[row].triggers, trigger))) break;
    }
    return row;
}

static void count_type(struct check *c)
{
    struct sy_hl7_totals *totals = c->totals;
    uint32_t at = 0;
    while (at < totals->type_count && strcmp(totals->types[at].type, c->type) != 0) at++;
    if (at == SY_HL7_TYPES_MAX) {
        at = SY_HL7_TYPES_MAX - 1;
        (void)snprintf(totals->types[at].type, sizeof totals->types[at].type, "other");
    }
    if (at == totals->type_count) {
        bool known = c->row < sizeof messages / sizeof messages[0];
        memcpy(totals->types[at].type, c->type, sizeof c->type);
        totals->types[at].becomes = known ? messages[c->row].becomes : "nothing: no kind is of it";
        totals->type_count++;
    }
    totals->types[at].count++;
}

/* Sender and control id, with what stands between them. */
static void make_key(struct check *c, struct sy_slice control)
{
    const uint32_t fields[] = {3, 4};
    c->has_key = control.size > 0;
    sy_sha256_init();
    for (size_t i = 0; i < 2; i++) {
        struct sy_slice field = sy_hl7_field(&c->segment, fields[i]);
        sy_sha256_update(field.data, field.size);
        sy_sha256_update("\r", 1); // in no field
    }
    sy_sha256_update(control.data, control.size);
    sy_sha256_final(&c->key);
}

static void check_header(struct check *c)
{
    struct sy_slice type = first_part(c, 9, 1), trigger = first_part(c, 9, 2);
    struct sy_slice control = sy_hl7_field(&c->segment, 10), version = first_part(c, 12, 1);
    char words[2][8];
    put(words[0], sizeof words[0], type);
    put(words[1], sizeof words[1], trigger);
    (void)snprintf(c->type, sizeof c->type, "%s%s%s", words[0], words[1][0] ? "^" : "", words[1]);
    put(c->control, sizeof c->control, control);
    make_key(c, control);
    c->row = find_row(type, trigger);
    if (type.size != 3) tell_field(c, SY_HL7_HEADER, 9, "it has no type of message, as ORU^R01");
    if (type.size == 3 && trigger.size != 3 && memcmp(type.data, "ACK", 3) != 0) {
        tell_field(c, SY_HL7_HEADER, 9, "it has no trigger event, as ORU^R01");
    }
    if (control.size == 0) {
        tell_field(c, SY_HL7_HEADER, 10, "without a control id nobody knows it again");
    }
    if (version.size < 3 || version.data[0] != '2' || version.data[1] != '.') {
        tell_field(c, SY_HL7_HEADER, 12, "it is not of a version 2.x");
    }
}

static void begin_message(struct check *c, size_t start)
{
    c->inside = true;
    c->issue_told = false;
    c->start = start;
    c->line = c->segment.line;
    c->name_count = 0;
    c->totals->messages++;
    c->in_batch_messages++;
    c->type[0] = c->control[0] = '\0';
    check_header(c);
    count_type(c);
}

static void check_segments(struct check *c)
{
    char text[SY_HL7_TEXT_BYTES], id[4];
    if (c->row == sizeof messages / sizeof messages[0]) return;
    for (const char *at = messages[c->row].segments; *at != '\0'; at += 3 + (at[3] == ' ')) {
        memcpy(id, at, 3);
        id[3] = '\0';
        if (has_segment(c, id)) continue;
        (void)snprintf(text, sizeof text, "a message of this type has a segment %s", id);
        tell(c, SY_HL7_SEGMENTS, c->line, "", text);
    }
}

/* A message is what its bytes are, from MSH up to `end`. */
static void check_again(struct check *c, size_t end)
{
    struct sy_hash content;
    bool is_new;
    if (!c->has_key) return;
    sy_sha256(&content, c->reader.document.data + c->start, end - c->start);
    struct sy_hash *row = (struct sy_hash *)sy_table_put(&c->seen->by_control, &c->key, &is_new);
    if (row == NULL) return;
    if (is_new) {
        *row = content;
    } else if (sy_hash_equal(row, &content)) {
        c->totals->repeated++;
    } else {
        tell(c, SY_HL7_REPEATED, c->line, "MSH-10",
             "another message of this sender has this control id");
    }
}

static void end_message(struct check *c, size_t end)
{
    if (!c->inside) return;
    check_segments(c);
    check_again(c, end);
    c->inside = false;
}

// --- fields ------------------------------------------------------------------------------------

static void check_times(struct check *c)
{
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (!sy_hl7_is(&c->segment, times[i].segment)) continue;
        struct sy_slice time = first_part(c, times[i].field, 1);
        bool none = time.size == 0 || (time.size == 2 && memcmp(time.data, "\"\"", 2) == 0);
        if (none || sy_hl7_time_good(time)) continue;
        tell_field(c, SY_HL7_TIME, times[i].field, "it is no time, as 20261130100000+0100");
    }
}

/* Each repetition of OBX-5 is of the type that OBX-2 names. */
static void check_value(struct check *c)
{
    struct sy_slice type = sy_hl7_field(&c->segment, 2), value = sy_hl7_field(&c->segment, 5);
    if (value.size == 0) return;
    if (type.size == 0) {
        tell_field(c, SY_HL7_NUMBER, 2, "a value has no type");
        return;
    }
    bool number = type.size == 2 && memcmp(type.data, "NM", 2) == 0;
    bool time =
        type.size == 2 && (memcmp(type.data, "TS", 2) == 0 || memcmp(type.data, "DT", 2) == 0);
    if (!number && !time) return;
    for (struct sy_slice one; sy_hl7_next_repetition(&c->reader, &value, &one);) {
        if (one.size == 0) continue;
        if (number && !sy_hl7_number_good(one)) {
            tell_field(c, SY_HL7_NUMBER, 5, "it is no number, and says to be one");
            break;
        }
        if (time && !sy_hl7_time_good(sy_hl7_component(&c->reader, one, 1))) {
            tell_field(c, SY_HL7_TIME, 5, "it is no time, and says to be one");
            break;
        }
    }
}

static void check_fields(struct check *c)
{
    bool header = sy_hl7_is(&c->segment, "MSH") || sy_hl7_is(&c->segment, "BHS") ||
                  sy_hl7_is(&c->segment, "FHS");
    for (uint32_t i = header ? 3 : 1; i <= c->segment.count; i++) {
        if (sy_hl7_escapes_good(&c->reader, c->segment.fields[i])) continue;
        tell_field(c, SY_HL7_ESCAPE, i, "an escape sequence is none, or has no end");
        break;
    }
    check_times(c);
    if (sy_hl7_is(&c->segment, "OBX")) check_value(c);
    if (sy_hl7_is(&c->segment, "PID") && first_part(c, 3, 1).size == 0) {
        tell_field(c, SY_HL7_SUBJECT, 3, "nobody is identified");
    }
}

// --- batches -----------------------------------------------------------------------------------

static bool count_is(struct sy_slice text, uint64_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || number > UINT32_MAX) return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.size == 0 || number == count; // it may be left out
}

static void take_envelope(struct check *c)
{
    if (sy_hl7_is(&c->segment, "FHS")) {
        if (c->in_file) tell_field(c, SY_HL7_COUNT, 0, "the file before has no FTS");
        c->in_file = true;
        c->in_file_batches = 0;
    } else if (sy_hl7_is(&c->segment, "BHS")) {
        if (c->in_batch) tell_field(c, SY_HL7_COUNT, 0, "the batch before has no BTS");
        c->in_batch = true;
        c->in_batch_messages = 0;
        c->in_file_batches++;
    } else if (sy_hl7_is(&c->segment, "BTS")) {
        if (!c->in_batch) tell_field(c, SY_HL7_COUNT, 0, "no batch is open");
        if (!count_is(sy_hl7_field(&c->segment, 1), c->in_batch_messages)) {
            tell_field(c, SY_HL7_COUNT, 1, "the batch has another number of messages");
        }
        c->in_batch = false;
    } else {
        if (!c->in_file) tell_field(c, SY_HL7_COUNT, 0, "no file is open");
        if (!count_is(sy_hl7_field(&c->segment, 1), c->in_file_batches)) {
            tell_field(c, SY_HL7_COUNT, 1, "the file has another number of batches");
        }
        c->in_file = false;
    }
}

static bool is_envelope(const struct sy_hl7_segment *segment)
{
    return sy_hl7_is(segment, "FHS") || sy_hl7_is(segment, "BHS") || sy_hl7_is(segment, "BTS") ||
           sy_hl7_is(segment, "FTS");
}

static void take_segment(struct check *c, size_t start)
{
    c->totals->segments++;
    if (is_envelope(&c->segment)) {
        end_message(c, start);
        take_envelope(c);
    } else if (sy_hl7_is(&c->segment, "MSH")) {
        end_message(c, start);
        begin_message(c, start);
    } else if (!c->inside) {
        tell(c, SY_HL7_FRAMING, c->segment.line, "", "a segment stands outside of any message");
        return;
    }
    if (c->inside) remember(c);
    check_fields(c);
}

bool sy_hl7_check(struct sy_hl7_totals *totals, struct sy_hl7_seen *seen, struct sy_slice document,
                  sy_hl7_tell tell_issue, void *self)
{
    struct check c = {.totals = totals,
                      .seen = seen,
                      .reader = {.document = document},
                      .tell = tell_issue,
                      .self = self,
                      .good = true};
    char why[SY_HL7_TEXT_BYTES];
    enum sy_hl7_step step;
    while ((step = sy_hl7_next(&c.reader, &c.segment, why)) != SY_HL7_END) {
        if (step == SY_HL7_FAULT) {
            tell(&c, SY_HL7_FRAMING, c.reader.line, "", why);
        } else {
            take_segment(&c, (size_t)(c.segment.id.data - document.data));
        }
    }
    end_message(&c, document.size);
    if (c.in_batch) tell(&c, SY_HL7_COUNT, c.reader.line, "", "the last batch has no BTS");
    if (c.in_file) tell(&c, SY_HL7_COUNT, c.reader.line, "", "the file has no FTS");
    return c.good;
}
