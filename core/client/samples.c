/* samples.c: see samples.h. The proof of one is in sample_proof.c. */
#include "core/client/samples.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/samples_internal.h"
#include "core/crypto/hash.h"
#include "core/wire/refusal.h"

#define BATCH_MAGIC "SYSAMPL1"
#define HOUR_MS 3600000ll
#define AHEAD_MS (SY_STREAM_SKEW_MS / 2) /* that a window may end after now: clocks differ */

void sy_samples_free(struct sy_samples *samples)
{
    if (samples->items != NULL) {
        sy_wipe(samples->items, samples->count * sizeof *samples->items);
        free(samples->items);
    }
    *samples = (struct sy_samples){.count = 0};
}

// --- a line ------------------------------------------------------------------------------------

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *text, size_t size)
{
    size_t count = 0;
    while (count < size && is_digit(text[count])) count++;
    return count;
}

size_t sy_json_number_size(const char *text, size_t size)
{
    size_t at = size > 0 && text[0] == '-' ? 1 : 0;
    size_t whole = digits(text + at, size - at);
    if (whole == 0 || (whole > 1 && text[at] == '0')) return 0;
    at += whole;
    if (at < size && text[at] == '.') {
        size_t part = digits(text + at + 1, size - at - 1);
        if (part == 0) return 0;
        at += 1 + part;
    }
    if (at < size && (text[at] == 'e' || text[at] == 'E')) {
        size_t sign = at + 1 < size && (text[at + 1] == '+' || text[at + 1] == '-') ? 1 : 0;
        size_t part = digits(text + at + 1 + sign, size - at - 1 - sign);
        if (part == 0) return 0;
        at += 1 + sign + part;
    }
    return at;
}

/* A line of the input under the eyes. */
struct scan {
    const char *text;
    size_t size, at;
};

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->size && strchr(" \t\r", scan->text[scan->at]) != NULL &&
           scan->text[scan->at] != '\0') {
        scan->at++;
    }
}

/* Is this what comes next? It is then passed over. */
static bool take(struct scan *scan, const char *word)
{
    size_t size = strlen(word);
    skip_blanks(scan);
    if (scan->size - scan->at < size || memcmp(scan->text + scan->at, word, size) != 0)
        return false;
    scan->at += size;
    return true;
}

/* A number, as it is written. */
static bool take_number(struct scan *scan, char out[SY_SAMPLE_VALUE_BYTES_MAX + 1])
{
    skip_blanks(scan);
    size_t size = sy_json_number_size(scan->text + scan->at, scan->size - scan->at);
    if (size == 0 || size > SY_SAMPLE_VALUE_BYTES_MAX) return false;
    memcpy(out, scan->text + scan->at, size);
    out[size] = '\0';
    scan->at += size;
    return true;
}

static bool take_time(struct scan *scan, int64_t *time_ms)
{
    char text[SY_SAMPLE_VALUE_BYTES_MAX + 1];
    if (!take_number(scan, text) || digits(text, strlen(text)) != strlen(text)) return false;
    if (strlen(text) > 15) return false; // SY_TIME_MS_MAX has as many
    *time_ms = strtoll(text, NULL, 10);
    return *time_ms <= SY_TIME_MS_MAX;
}

/* {"time": MS, "value": NUMBER}, the two in either order and nothing else. */
static bool take_line(struct sy_sample *sample, const char *text, size_t size)
{
    struct scan scan = {.text = text, .size = size};
    bool time = false, value = false;
    *sample = (struct sy_sample){.time_ms = 0};
    if (!take(&scan, "{")) return false;
    for (unsigned member = 0; member < 2; member++) {
        if (member == 1 && !take(&scan, ",")) return false;
        if (!time && take(&scan, "\"time\"")) {
            time = take(&scan, ":") && take_time(&scan, &sample->time_ms);
            if (!time) return false;
        } else if (!value && take(&scan, "\"value\"")) {
            value = take(&scan, ":") && take_number(&scan, sample->value);
            if (!value) return false;
        } else {
            return false;
        }
    }
    if (!take(&scan, "}")) return false;
    skip_blanks(&scan);
    return scan.at == scan.size;
}

// --- an input ----------------------------------------------------------------------------------

bool sy_samples_make_room(struct sy_samples *samples, uint32_t *room)
{
    if (samples->count < *room) return true;
    uint32_t more = *room == 0 ? 256 : 2 * *room;
    struct sy_sample *items =
        (struct sy_sample *)realloc(samples->items, more * sizeof *samples->items);
    if (items == NULL) return false;
    samples->items = items;
    *room = more;
    return true;
}

static sy_status add_line(struct sy_samples *samples, uint32_t *room, struct scan line,
                          const char *name, size_t number, struct sy_error *err)
{
    if (samples->count == SY_STREAM_SAMPLES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "%s: there are more than %u samples: send them in parts",
                       name, SY_STREAM_SAMPLES_MAX);
    }
    if (!sy_samples_make_room(samples, room))
        return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", name);
    struct sy_sample *sample = &samples->items[samples->count];
    bool good = line.size <= SY_SAMPLES_LINE_BYTES_MAX && take_line(sample, line.text, line.size);
    if (!good) {
        return sy_fail(err, SY_ERR_FORMAT,
                       "%s, line %zu: this is no {\"time\": MS, \"value\": NUMBER}, time being "
                       "milliseconds since 1970 and the number of at most %u characters",
                       name, number, SY_SAMPLE_VALUE_BYTES_MAX);
    }
    if (samples->count > 0 && sample->time_ms < samples->items[samples->count - 1].time_ms) {
        return sy_fail(err, SY_ERR_FORMAT,
                       "%s, line %zu: its time is before that of the sample above: sort them", name,
                       number);
    }
    samples->count++;
    return SY_OK;
}

sy_status sy_samples_read(struct sy_samples *samples, struct sy_slice text, const char *name,
                          struct sy_error *err)
{
    uint32_t room = 0;
    size_t number = 0;
    sy_status status = SY_OK;
    *samples = (struct sy_samples){.count = 0};
    for (size_t at = 0; status == SY_OK && at < text.size;) {
        const char *start = (const char *)text.data + at;
        const char *end = (const char *)memchr(start, '\n', text.size - at);
        struct scan line = {.text = start, .size = end ? (size_t)(end - start) : text.size - at};
        number++;
        skip_blanks(&line);
        bool blank = line.at == line.size;
        line.at = 0;
        if (!blank) status = add_line(samples, &room, line, name, number, err);
        at += line.size + 1;
    }
    if (status == SY_OK && samples->count == 0) {
        status = sy_fail(err, SY_ERR_FORMAT, "%s: there are no samples in it", name);
    }
    if (status != SY_OK) sy_samples_free(samples);
    return status;
}

void sy_samples_salt(struct sy_samples *samples)
{
    for (uint32_t i = 0; i < samples->count; i++) {
        sy_os_random(samples->items[i].salt, sizeof samples->items[i].salt);
    }
}

bool sy_samples_same(const struct sy_samples *a, const struct sy_samples *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        bool same = a->items[i].time_ms == b->items[i].time_ms &&
                    strcmp(a->items[i].value, b->items[i].value) == 0;
        if (!same) return false;
    }
    return true;
}

// --- the window --------------------------------------------------------------------------------

/* The least length of a window that may have so many. */
static int64_t span_for(uint32_t rate, uint32_t count)
{
    int64_t span_ms = (int64_t)count * 10 * HOUR_MS / ((int64_t)rate * 11);
    while (span_ms <= SY_STREAM_SPAN_MS_MAX && sy_stream_samples_max(rate, span_ms) < count) {
        span_ms++;
    }
    return span_ms;
}

sy_status sy_samples_window(struct sy_samples *samples, const struct sy_stream *stream,
                            int64_t now_ms, struct sy_error *err)
{
    int64_t first = samples->items[0].time_ms, last = samples->items[samples->count - 1].time_ms;
    int64_t span_ms = span_for(stream->rate, samples->count);
    SY_ASSERT(samples->count > 0 && stream->rate > 0);
    if (first < stream->until_ms) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "the stream was committed to up to %lld, and the first sample is from %lld: "
                       "leave out what is before",
                       (long long)stream->until_ms, (long long)first);
    }
    if (last >= now_ms + SY_STREAM_SKEW_MS) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "the last sample is from %lld, which is to come: set the device's clock",
                       (long long)last);
    }
    // What follows the last window without a gap begins where that ended.
    int64_t interval_ms = HOUR_MS / stream->rate, to = last + 1;
    bool near = stream->commits > 0 &&
                first - stream->until_ms <= (int64_t)stream->tolerance_s * 1000 + interval_ms;
    int64_t from = near ? stream->until_ms : first;
    if (to - from < span_ms) from = to - span_ms;
    if (from < stream->until_ms) from = stream->until_ms;
    // The last sample may stand for the time up to the next one, if the rate needs that.
    int64_t latest =
        last + interval_ms < now_ms + AHEAD_MS ? last + interval_ms : now_ms + AHEAD_MS;
    if (to - from < span_ms && latest > to) to = from + span_ms < latest ? from + span_ms : latest;
    if (from < 0) from = 0;
    if (to - from > SY_STREAM_SPAN_MS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the samples are of more than 31 days: send parts");
    }
    if (to - from < span_ms) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%u samples since %lld are more than the stream's rate of %u an hour allows",
                       (unsigned)samples->count, (long long)from, (unsigned)stream->rate);
    }
    samples->from_ms = from;
    samples->to_ms = to;
    // A minute before the bound, since it is block time that counts.
    samples->backfill = to < now_ms - SY_STREAM_SKEW_MS + 60000;
    return SY_OK;
}

bool sy_samples_refused(uint16_t code, bool sent_before)
{
    if (sent_before || code == SY_APPLIED || code == SY_E_DUP_COMMIT) return false;
    return code != SY_E_REPLAY && code != SY_E_EXPIRED;
}

// --- the tree ----------------------------------------------------------------------------------

void sy_sample_write(struct sy_writer *w, const struct sy_sample *sample)
{
    sy_write_raw(w, sample->salt, sizeof sample->salt);
    sy_write_i64(w, sample->time_ms);
    sy_write_bytes16(w, sy_slice_of(sample->value, strlen(sample->value)));
}

void sy_sample_read(struct sy_reader *r, struct sy_sample *sample)
{
    *sample = (struct sy_sample){.time_ms = 0};
    struct sy_slice salt = sy_read_raw(r, sizeof sample->salt, "salt");
    sample->time_ms = sy_read_i64(r, "time");
    struct sy_slice value = sy_read_bytes16(r, SY_SAMPLE_VALUE_BYTES_MAX, "value");
    if (r->failed) return;
    if (sample->time_ms < 0 || sample->time_ms > SY_TIME_MS_MAX) sy_reader_fail(r, "time");
    bool number =
        value.size > 0 && sy_json_number_size((const char *)value.data, value.size) == value.size;
    if (!number) {
        sy_reader_fail(r, "value");
        return;
    }
    memcpy(sample->salt, salt.data, sizeof sample->salt);
    memcpy(sample->value, value.data, value.size);
}

void sy_sample_hash(struct sy_hash *out, const struct sy_sample *sample)
{
    uint8_t leaf[SY_SAMPLE_LEAF_BYTES_MAX];
    struct sy_writer w = sy_writer_of(leaf, sizeof leaf);
    sy_sample_write(&w, sample);
    SY_ASSERT(!w.failed);
    sy_hash_leaf(out, sy_writer_slice(&w));
    sy_wipe(leaf, sizeof leaf);
}

/* The hashes of all leaves; the caller frees them. */
static sy_status hash_all(struct sy_hash **out, const struct sy_samples *samples,
                          struct sy_error *err)
{
    SY_ASSERT(samples->count > 0);
    struct sy_hash *leaves =
        (struct sy_hash *)malloc(((size_t)samples->count + 1) * sizeof *leaves);
    if (leaves == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the samples' hashes");
    for (uint32_t i = 0; i < samples->count; i++) sy_sample_hash(&leaves[i], &samples->items[i]);
    *out = leaves;
    return SY_OK;
}

sy_status sy_samples_root(struct sy_hash *root, const struct sy_samples *samples,
                          struct sy_error *err)
{
    struct sy_hash *leaves = NULL;
    SY_TRY(hash_all(&leaves, samples, err));
    sy_merkle_root(root, leaves, leaves, samples->count);
    free(leaves);
    return SY_OK;
}

sy_status sy_samples_path(struct sy_merkle_path *path, const struct sy_samples *samples,
                          uint32_t index, struct sy_error *err)
{
    struct sy_hash *leaves = NULL;
    SY_TRY(hash_all(&leaves, samples, err));
    sy_merkle_path_make(path, leaves, leaves, samples->count, index);
    free(leaves);
    return SY_OK;
}

// --- batches as files --------------------------------------------------------------------------

void sy_samples_encode(struct sy_writer *w, const struct sy_samples *samples)
{
    struct sy_hash sum;
    size_t start = w->used;
    sy_write_raw(w, BATCH_MAGIC, 8);
    sy_write_raw(w, samples->network, sizeof samples->network);
    sy_write_hash(w, &samples->stream);
    sy_write_u32(w, samples->sequence);
    sy_write_u32(w, samples->release);
    sy_write_i64(w, samples->from_ms);
    sy_write_i64(w, samples->to_ms);
    sy_write_u8(w, samples->backfill ? 1 : 0);
    sy_write_u32(w, samples->count);
    for (uint32_t i = 0; i < samples->count; i++) sy_sample_write(w, &samples->items[i]);
    if (w->failed) return;
    sy_sha256(&sum, w->data + start, w->used - start);
    sy_write_hash(w, &sum);
}

static void read_head(struct sy_reader *r, struct sy_samples *samples)
{
    struct sy_slice magic = sy_read_raw(r, 8, "magic");
    struct sy_slice network = sy_read_raw(r, sizeof samples->network, "network");
    if (r->failed) return;
    if (memcmp(magic.data, BATCH_MAGIC, 8) != 0) sy_reader_fail(r, "magic");
    memcpy(samples->network, network.data, network.size);
    sy_read_hash(r, &samples->stream, "stream");
    samples->sequence = sy_read_u32(r, "sequence");
    samples->release = sy_read_u32(r, "release");
    samples->from_ms = sy_read_i64(r, "from");
    samples->to_ms = sy_read_i64(r, "to");
    samples->backfill = sy_read_bool(r, "backfill");
    bool window = samples->from_ms >= 0 && samples->from_ms < samples->to_ms &&
                  samples->to_ms <= SY_TIME_MS_MAX;
    if (samples->sequence == 0) sy_reader_fail(r, "sequence");
    if (samples->release == 0) sy_reader_fail(r, "release");
    if (!window) sy_reader_fail(r, "to");
}

/* All samples; each is in the window and not before the one above it. */
static void read_items(struct sy_reader *r, struct sy_samples *samples, uint32_t count)
{
    int64_t least = samples->from_ms;
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        sy_sample_read(r, &samples->items[i]);
        samples->count = i + 1;
        int64_t time_ms = samples->items[i].time_ms;
        if (time_ms < least || time_ms >= samples->to_ms) sy_reader_fail(r, "time");
        least = time_ms;
    }
}

sy_status sy_samples_decode(struct sy_samples *samples, struct sy_slice bytes, const char *name,
                            struct sy_error *err)
{
    struct sy_hash sum, told;
    *samples = (struct sy_samples){.count = 0};
    if (bytes.size < sizeof sum.bytes) {
        return sy_fail(err, SY_ERR_FORMAT, "%s is no batch of samples", name);
    }
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes.data, bytes.size - sizeof sum.bytes));
    read_head(&r, samples);
    uint32_t count = sy_read_count(&r, SY_STREAM_SAMPLES_MAX, 16 + 8 + 2 + 1, "samples");
    if (count == 0) sy_reader_fail(&r, "samples");
    if (!r.failed && count > 0) {
        samples->items = (struct sy_sample *)calloc(count, sizeof *samples->items);
        if (samples->items == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", name);
        read_items(&r, samples, count);
    }
    bool good = sy_reader_done(&r);
    sy_sha256(&sum, bytes.data, bytes.size - sizeof sum.bytes);
    memcpy(told.bytes, bytes.data + bytes.size - sizeof told.bytes, sizeof told.bytes);
    if (good && sy_hash_equal(&sum, &told)) return SY_OK;
    sy_samples_free(samples);
    return sy_fail(err, SY_ERR_FORMAT, "%s is no batch of samples, or was changed (%s)", name,
                   good ? "checksum" : r.what);
}
