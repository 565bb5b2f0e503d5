/* claim_line.c: lines of claims and rows of lists, from text; the key of a service. See
 * claim_rules.h. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/ledger/contracts/claim_rules.h"

#define PIECES_MAX 8u
#define ROW_KEY_BYTES_MAX 80u

static bool is(struct sy_slice text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* Splits at a separator; 0: more pieces than there is room for. */
static unsigned split(struct sy_slice *pieces, unsigned room, struct sy_slice text, uint8_t at)
{
    unsigned count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] != at) continue;
        if (count == room) return 0;
        pieces[count++] = sy_slice_of(text.data + start, i - start);
        start = i + 1;
    }
    return count;
}

/* A decimal number in its one form; 19 digits at most, so that it cannot wrap. */
static bool read_number(uint64_t *number, struct sy_slice text)
{
    *number = 0;
    if (text.size == 0 || text.size > 19 || (text.data[0] == '0' && text.size > 1)) return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        *number = *number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

static bool is_code_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool read_code(struct sy_claim_line *line, struct sy_slice text)
{
    struct sy_slice pieces[6];
    unsigned count = split(pieces, 6, text, ':');
    if (count < 2) return false;
    if (!is(pieces[0], "hc") && !is(pieces[0], "n4") && !is(pieces[0], "nu") &&
        !is(pieces[0], "zz")) {
        return false;
    }
    if (pieces[1].size < 1 || pieces[1].size > 16) return false;
    for (size_t i = 0; i < pieces[1].size; i++) {
        uint8_t c = pieces[1].data[i];
        if (!is_code_letter(c) && c != '.' && c != '-') return false;
    }
    for (unsigned i = 2; i < count; i++) {
        bool two = pieces[i].size == 2 && is_code_letter(pieces[i].data[0]) &&
                   is_code_letter(pieces[i].data[1]);
        if (!two) return false;
    }
    line->composite = text;
    line->code = sy_slice_of(text.data, 3 + pieces[1].size);
    size_t used = line->code.size + (count > 2 ? 1 : 0);
    line->modifiers = sy_slice_of(text.data + used, text.size - used);
    return true;
}

bool sy_claim_code_good(struct sy_slice text)
{
    struct sy_claim_line line;
    return read_code(&line, text) && line.modifiers.size == 0 && line.code.size == text.size;
}

static bool read_pointers(struct sy_claim_line *line, struct sy_slice text, unsigned diagnoses)
{
    line->pointers = 0;
    if (text.size == 0) return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c < 'A' || c >= 'A' + diagnoses || (i > 0 && c <= text.data[i - 1])) return false;
        line->pointers |= 1u << (c - 'A');
    }
    return true;
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_id(struct sy_hash *id, struct sy_slice text)
{
    if (text.size != 2 * sizeof id->bytes) return false;
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        int high = digit_of(text.data[2 * i]), low = digit_of(text.data[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        id->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* kind:id or prior:amount, in that order, each once. */
static enum sy_line_verdict read_extra(struct sy_claim_line *line, struct sy_slice text, bool last)
{
    static const char *const kinds[] = {
        [SY_LINK_RECORD] = "record", [SY_LINK_DEVICE] = "device", [SY_LINK_PRESCRIPTION] = "rx"};
    struct sy_slice pieces[2];
    if (split(pieces, 2, text, ':') != 2) return SY_LINE_BAD;
    for (unsigned kind = SY_LINK_RECORD; kind <= SY_LINK_PRESCRIPTION; kind++) {
        if (!is(pieces[0], kinds[kind]) || line->link_kind != SY_LINK_NONE) continue;
        line->link_kind = (uint8_t)kind;
        return read_id(&line->link, pieces[1]) ? SY_LINE_GOOD : SY_LINE_BAD;
    }
    bool good =
        last && is(pieces[0], "prior") && read_number(&line->prior, pieces[1]) && line->prior > 0;
    if (!good) return SY_LINE_BAD;
    return line->prior > SY_MONEY_MAX ? SY_LINE_MONEY : SY_LINE_GOOD;
}

enum sy_line_verdict sy_claim_line_parse(struct sy_claim_line *line, struct sy_slice text,
                                         unsigned number, unsigned diagnoses)
{
    struct sy_slice pieces[PIECES_MAX];
    uint64_t own, units;
    enum sy_line_verdict verdict = SY_LINE_GOOD;
    SY_ASSERT(diagnoses <= SY_CLAIM_DIAGNOSES_MAX);
    memset(line, 0, sizeof *line);
    unsigned count = split(pieces, PIECES_MAX, text, '/');
    if (count < 6) return SY_LINE_BAD;
    if (!read_number(&own, pieces[0]) || own != number) return SY_LINE_BAD;
    if (!read_code(line, pieces[1])) return SY_LINE_BAD;
    if (!read_number(&units, pieces[2]) || units == 0 || units > UINT32_MAX) return SY_LINE_BAD;
    if (!read_number(&line->charge, pieces[3])) return SY_LINE_BAD;
    bool place = pieces[4].size == 2 && pieces[4].data[0] >= '0' && pieces[4].data[0] <= '9' &&
                 pieces[4].data[1] >= '0' && pieces[4].data[1] <= '9';
    if (!place || !read_pointers(line, pieces[5], diagnoses)) return SY_LINE_BAD;
    line->units = (uint32_t)units;
    for (unsigned i = 6; i < count && verdict == SY_LINE_GOOD; i++) {
        verdict = read_extra(line, pieces[i], i + 1 == count);
    }
    if (verdict != SY_LINE_GOOD) return verdict;
    if (line->charge > SY_MONEY_MAX) return SY_LINE_MONEY;
    return line->prior > line->charge ? SY_LINE_BAD : SY_LINE_GOOD;
}

bool sy_row_parse(struct sy_slice *key, struct sy_schedule_row *row, struct sy_slice text)
{
    static const struct {
        const char *word;
        uint8_t flag;
    } flags[] = {{"capitated", SY_ROW_CAPITATED},
                 {"authorised", SY_ROW_AUTHORISED},
                 {"reviewed", SY_ROW_REVIEWED}};
    struct sy_slice sides[2], pieces[4];
    if (split(sides, 2, text, '=') != 2) return false;
    unsigned count = split(pieces, 4, sides[1], '+');
    if (count == 0 || !read_number(&row->value, pieces[0])) return false;
    if (row->value > SY_MONEY_MAX) return false;
    if (sides[0].size == 0 || sides[0].size > ROW_KEY_BYTES_MAX) return false;
    unsigned at = 1;
    row->flags = 0;
    for (unsigned i = 0; i < sizeof flags / sizeof flags[0] && at < count; i++) {
        if (!is(pieces[at], flags[i].word)) continue;
        row->flags |= flags[i].flag;
        at++;
    }
    *key = sides[0];
    return at == count;
}

// --- the key -----------------------------------------------------------------------------------

static int compare(const struct sy_claim_line *a, const struct sy_claim_line *b)
{
    size_t size = a->composite.size < b->composite.size ? a->composite.size : b->composite.size;
    int order = memcmp(a->composite.data, b->composite.data, size);
    if (order != 0) return order;
    if (a->composite.size != b->composite.size)
        return a->composite.size < b->composite.size ? -1 : 1;
    return sy_hash_compare(&a->link, &b->link);
}

static void sort(const struct sy_claim_line **sorted, const struct sy_claim_line *lines,
                 unsigned count)
{
    SY_ASSERT(count <= SY_CLAIM_LINES_MAX);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;
        for (; at > 0 && compare(&lines[i], sorted[at - 1]) < 0; at--) sorted[at] = sorted[at - 1];
        sorted[at] = &lines[i];
    }
}

void sy_claim_places(uint8_t *places, const struct sy_claim_line *lines, unsigned count)
{
    const struct sy_claim_line *sorted[SY_CLAIM_LINES_MAX];
    sort(sorted, lines, count);
    for (unsigned i = 0; i < count; i++) places[sorted[i] - lines] = (uint8_t)(i + 1);
}

void sy_claim_key(struct sy_hash *key, const struct sy_claim_service *service,
                  const struct sy_claim_line *lines, unsigned count)
{
    const struct sy_claim_line *sorted[SY_CLAIM_LINES_MAX];
    uint8_t room[2 * 32 + 2 + 2 * 8 + SY_CLAIM_LINES_MAX * (2 + 40 + 32)];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sort(sorted, lines, count);
    sy_write_hash(&w, &service->patient);
    sy_write_hash(&w, &service->provider);
    sy_write_u16(&w, service->service_class);
    sy_write_i64(&w, service->from_ms);
    sy_write_i64(&w, service->until_ms);
    for (unsigned i = 0; i < count; i++) {
        static const struct sy_hash none;
        bool prescribed = sorted[i]->link_kind == SY_LINK_PRESCRIPTION;
        sy_write_bytes16(&w, sorted[i]->composite);
        sy_write_hash(&w, prescribed ? &sorted[i]->link : &none);
    }
    SY_ASSERT(!w.failed); // a composite has at most 2 + 1 + 16 + 4 x 3 bytes
    sy_hash_leaf(key, sy_writer_slice(&w));
}

enum sy_line_verdict sy_net_parse(struct sy_hash *organisation, int64_t *net, struct sy_slice text)
{
    struct sy_slice pieces[2];
    uint64_t amount;
    *net = 0;
    if (split(pieces, 2, text, '=') != 2 || !read_id(organisation, pieces[0])) return SY_LINE_BAD;
    bool back = pieces[1].size > 0 && pieces[1].data[0] == '-';
    if (back) pieces[1] = sy_slice_of(pieces[1].data + 1, pieces[1].size - 1);
    if (!read_number(&amount, pieces[1]) || (back && amount == 0)) return SY_LINE_BAD;
    if (amount > SY_BALANCE_MAX) return SY_LINE_MONEY;
    *net = back ? -(int64_t)amount : (int64_t)amount;
    return SY_LINE_GOOD;
}
