/* state_stream.c: encodings of streams of devices, and the table of their kinds; see
 * state_stream.h. */
#include "core/wire/state_stream.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/stream_kinds.def"

enum { STREAM_CLOSED = 1, COMMIT_BACKFILL = 1, COMMIT_GAP = 2, PAIR_PREFIX = 4 };

bool sy_stream_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                      const struct sy_hash *second)
{
    switch (kind) {
    case SY_STATE_STREAM:
    case SY_STATE_FIRMWARE: sy_state_key_id(out, (enum sy_state_kind)kind, id); return true;
    case SY_STATE_STREAM_COMMIT:
    case SY_STATE_STREAM_GAP:
    case SY_STATE_STREAM_ALERT:
    case SY_STATE_STREAM_NEWEST:
        sy_state_key_pair(out, (enum sy_state_kind)kind, id, second);
        return true;
    default: return false;
    }
}

void sy_state_key_stream(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *stream,
                         uint64_t number)
{
    struct sy_hash padded = {{0}};
    SY_ASSERT(kind >= SY_STATE_STREAM_COMMIT && kind <= SY_STATE_STREAM_ALERT);
    sy_store_u64(padded.bytes, number);
    sy_state_key_pair(out, kind, stream, &padded);
}

void sy_state_key_newest(struct sy_hash *out, const struct sy_hash *device,
                         const struct sy_hash *patient, uint16_t system, struct sy_slice kind)
{
    uint8_t room[2 + SY_CODE_BYTES_MAX];
    struct sy_hash what, whose;
    SY_ASSERT(kind.size <= SY_CODE_BYTES_MAX);
    sy_store_u16(room, system);
    memcpy(room + 2, kind.data, kind.size);
    sy_sha256(&what, room, 2 + kind.size);
    sy_hash_prefixed(&whose, PAIR_PREFIX, patient, &what);
    sy_state_key_pair(out, SY_STATE_STREAM_NEWEST, device, &whose);
}

void sy_stream_newest_encode(struct sy_writer *w, const struct sy_stream_newest *newest)
{
    sy_write_hash(w, &newest->stream);
}

bool sy_stream_newest_decode(struct sy_stream_newest *newest, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, &newest->stream, "stream");
    return sy_reader_done(&r);
}

// --- the stream --------------------------------------------------------------------------------

void sy_stream_encode(struct sy_writer *w, const struct sy_stream *stream)
{
    sy_write_hash(w, &stream->device);
    sy_write_hash(w, &stream->patient);
    sy_write_hash(w, &stream->organisation);
    sy_write_u16(w, stream->system);
    sy_write_bytes16(w, stream->kind);
    sy_write_bytes16(w, stream->unit);
    sy_write_u32(w, stream->rate);
    sy_write_u32(w, stream->tolerance_s);
    sy_write_hash(w, &stream->consent);
    sy_write_u16(w, stream->care_team.count);
    sy_write_bytes16(w, stream->care_team.items);
    sy_write_u8(w, stream->closed ? STREAM_CLOSED : 0);
    sy_write_u32(w, stream->commits);
    sy_write_u32(w, stream->gaps);
    sy_write_u32(w, stream->alerts);
    sy_write_i64(w, stream->until_ms);
    sy_write_u64(w, stream->samples);
    sy_write_u64(w, stream->height);
    sy_write_i64(w, stream->time_ms);
    if (!stream->closed) return;
    sy_write_u16(w, stream->close_reason);
    sy_write_u64(w, stream->closed_height);
    sy_write_i64(w, stream->closed_ms);
}

static void read_rules(struct sy_reader *r, struct sy_stream *stream)
{
    stream->system = sy_read_u16(r, "system");
    stream->kind = sy_read_bytes16(r, SY_CODE_BYTES_MAX, "kind");
    stream->unit = sy_read_bytes16(r, SY_CODE_BYTES_MAX, "unit");
    const struct sy_stream_kind *kind = sy_stream_kind_find(stream->system, stream->kind);
    if (kind == NULL) sy_reader_fail(r, "kind");
    if (kind != NULL && !sy_stream_unit_good(kind, stream->unit)) sy_reader_fail(r, "unit");
    stream->rate = sy_read_u32(r, "rate");
    if (stream->rate == 0 || stream->rate > SY_STREAM_RATE_MAX) sy_reader_fail(r, "rate");
    stream->tolerance_s = sy_read_u32(r, "tolerance");
    if (stream->tolerance_s > SY_STREAM_TOLERANCE_S_MAX) sy_reader_fail(r, "tolerance");
}

static void read_care_team(struct sy_reader *r, struct sy_list *team)
{
    team->count = sy_read_u16(r, "care team");
    team->items = sy_read_bytes16(r, SY_STREAM_CARE_TEAM_MAX * 32, "care team");
    if (team->items.size != (size_t)team->count * 32) sy_reader_fail(r, "care team");
    if (r->failed) *team = (struct sy_list){.count = 0};
}

/* What was committed to so far. */
static void read_counts(struct sy_reader *r, struct sy_stream *stream)
{
    stream->commits = sy_read_u32(r, "commits");
    stream->gaps = sy_read_u32(r, "gaps");
    stream->alerts = sy_read_u32(r, "alerts");
    stream->until_ms = sy_read_i64(r, "until");
    stream->samples = sy_read_u64(r, "samples");
    bool none = stream->commits == 0;
    // Each stands before a commitment, which has at least a sample.
    bool gaps = stream->gaps <= stream->commits;
    bool samples = none ? stream->samples == 0 : stream->samples >= stream->commits;
    if (!gaps) sy_reader_fail(r, "gaps");
    if (!samples) sy_reader_fail(r, "samples");
    // Without a commitment it is where the stream before ended, if there was one.
    bool until = stream->until_ms >= 0 && stream->until_ms <= SY_TIME_MS_MAX;
    if (!until || (!none && stream->until_ms == 0)) sy_reader_fail(r, "until");
}

bool sy_stream_decode(struct sy_stream *stream, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *stream = (struct sy_stream){.closed = false};
    sy_read_hash(&r, &stream->device, "device");
    sy_read_hash(&r, &stream->patient, "patient");
    sy_read_hash(&r, &stream->organisation, "organisation");
    read_rules(&r, stream);
    sy_read_hash(&r, &stream->consent, "consent");
    read_care_team(&r, &stream->care_team);
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags > STREAM_CLOSED) sy_reader_fail(&r, "flags");
    stream->closed = flags == STREAM_CLOSED;
    read_counts(&r, stream);
    stream->height = sy_read_u64(&r, "height");
    stream->time_ms = sy_read_i64(&r, "time");
    if (stream->closed) {
        stream->close_reason = sy_read_u16(&r, "reason");
        stream->closed_height = sy_read_u64(&r, "closed");
        stream->closed_ms = sy_read_i64(&r, "closed");
        bool known = sy_enum_word(&sy_enum_stream_close_reason, stream->close_reason) != NULL;
        if (!known) sy_reader_fail(&r, "reason");
    }
    return sy_reader_done(&r);
}

// --- what it has -------------------------------------------------------------------------------

/* A time that a payload may name. */
static int64_t read_time(struct sy_reader *r, const char *what)
{
    int64_t time_ms = sy_read_i64(r, what);
    if (time_ms < 0 || time_ms > SY_TIME_MS_MAX) sy_reader_fail(r, what);
    return time_ms;
}

static void read_window(struct sy_reader *r, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = read_time(r, "from");
    *to_ms = read_time(r, "to");
    if (*from_ms >= *to_ms) sy_reader_fail(r, "to");
}

void sy_stream_commit_encode(struct sy_writer *w, const struct sy_stream_commit_entry *commit)
{
    sy_write_public_key(w, &commit->key);
    sy_write_u32(w, commit->release);
    sy_write_i64(w, commit->from_ms);
    sy_write_i64(w, commit->to_ms);
    sy_write_u32(w, commit->samples);
    sy_write_hash(w, &commit->root);
    sy_write_u8(
        w, (uint8_t)((commit->backfill ? COMMIT_BACKFILL : 0) | (commit->gap ? COMMIT_GAP : 0)));
    sy_write_u64(w, commit->height);
    sy_write_i64(w, commit->time_ms);
}

bool sy_stream_commit_decode(struct sy_stream_commit_entry *commit, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *commit = (struct sy_stream_commit_entry){.gap = false};
    sy_read_public_key(&r, &commit->key, "key");
    commit->release = sy_read_u32(&r, "release");
    if (commit->release == 0) sy_reader_fail(&r, "release");
    read_window(&r, &commit->from_ms, &commit->to_ms);
    commit->samples = sy_read_u32(&r, "samples");
    bool samples = commit->samples > 0 && commit->samples <= SY_STREAM_SAMPLES_MAX;
    if (!samples) sy_reader_fail(&r, "samples");
    sy_read_hash(&r, &commit->root, "root");
    uint8_t flags = sy_read_u8(&r, "flags");
    if (flags >= 2 * COMMIT_GAP) sy_reader_fail(&r, "flags");
    commit->backfill = (flags & COMMIT_BACKFILL) != 0;
    commit->gap = (flags & COMMIT_GAP) != 0;
    commit->height = sy_read_u64(&r, "height");
    commit->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

void sy_stream_gap_encode(struct sy_writer *w, const struct sy_stream_gap *gap)
{
    sy_write_i64(w, gap->from_ms);
    sy_write_i64(w, gap->to_ms);
    sy_write_u32(w, gap->sequence);
}

bool sy_stream_gap_decode(struct sy_stream_gap *gap, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *gap = (struct sy_stream_gap){.sequence = 0};
    read_window(&r, &gap->from_ms, &gap->to_ms);
    gap->sequence = sy_read_u32(&r, "sequence");
    if (gap->sequence == 0) sy_reader_fail(&r, "sequence");
    return sy_reader_done(&r);
}

void sy_stream_alert_encode(struct sy_writer *w, const struct sy_stream_alert_entry *alert)
{
    sy_write_public_key(w, &alert->key);
    sy_write_hash(w, &alert->rule);
    sy_write_u16(w, alert->level);
    sy_write_i64(w, alert->at_ms);
    sy_write_u64(w, alert->height);
    sy_write_i64(w, alert->time_ms);
}

bool sy_stream_alert_decode(struct sy_stream_alert_entry *alert, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *alert = (struct sy_stream_alert_entry){.level = 0};
    sy_read_public_key(&r, &alert->key, "key");
    sy_read_hash(&r, &alert->rule, "rule");
    alert->level = sy_read_u16(&r, "level");
    if (sy_enum_word(&sy_enum_alert_level, alert->level) == NULL) sy_reader_fail(&r, "level");
    alert->at_ms = read_time(&r, "at");
    alert->height = sy_read_u64(&r, "height");
    alert->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

void sy_firmware_encode(struct sy_writer *w, const struct sy_firmware *firmware)
{
    sy_write_u32(w, firmware->release);
    sy_write_hash(w, &firmware->firmware);
    sy_write_hash(w, &firmware->attest);
    sy_write_public_key(w, &firmware->key);
    sy_write_i64(w, firmware->until_ms);
    sy_write_u64(w, firmware->height);
    sy_write_i64(w, firmware->time_ms);
}

bool sy_firmware_decode(struct sy_firmware *firmware, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *firmware = (struct sy_firmware){.release = 0};
    firmware->release = sy_read_u32(&r, "release");
    if (firmware->release == 0) sy_reader_fail(&r, "release");
    sy_read_hash(&r, &firmware->firmware, "firmware");
    sy_read_hash(&r, &firmware->attest, "attest");
    sy_read_public_key(&r, &firmware->key, "key");
    firmware->until_ms = read_time(&r, "until");
    firmware->height = sy_read_u64(&r, "height");
    firmware->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

// --- the table ---------------------------------------------------------------------------------

#define STREAM_ROW(system_, code_, name_, units_) \
    {.system = (system_), .code = (code_), .name = (name_), .units = (units_)},
static const struct sy_stream_kind kinds[] = {SY_STREAM_KINDS(STREAM_ROW)};
#undef STREAM_ROW

const struct sy_stream_kind *sy_stream_kind_at(unsigned position)
{
    return position < sizeof kinds / sizeof kinds[0] ? &kinds[position] : NULL;
}

const struct sy_stream_kind *sy_stream_kind_find(uint16_t system, struct sy_slice code)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct sy_slice own = sy_slice_of(kinds[i].code, strlen(kinds[i].code));
        if (kinds[i].system == system && sy_slice_equal(own, code)) return &kinds[i];
    }
    return NULL;
}

bool sy_stream_unit_good(const struct sy_stream_kind *kind, struct sy_slice unit)
{
    for (const char *at = kind->units; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (sy_slice_equal(sy_slice_of(at, size), unit)) return true;
        at += size;
        at += strspn(at, " ");
    }
    return false;
}

uint64_t sy_stream_samples_max(uint32_t rate, int64_t span_ms)
{
    SY_ASSERT(span_ms >= 0 && span_ms <= SY_STREAM_SPAN_MS_MAX);
    return (uint64_t)rate * (uint64_t)span_ms * 11 / (10 * UINT64_C(3600000));
}

_Static_assert(SY_STREAM_RATE_MAX <= UINT64_MAX / 11 / (uint64_t)SY_STREAM_SPAN_MS_MAX,
               "rate times span cannot wrap");
_Static_assert(5 * 32 + 2 * (2 + SY_CODE_BYTES_MAX) + 128 <= SY_STATE_VALUE_BYTES_MAX,
               "a stream fits a state value");
