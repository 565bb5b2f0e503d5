/* show_streams.c: see show_streams.h. */
#include "core/client/show_streams.h"
#include "core/client/show_fields.h"

#include "core/wire/schema.h"

static void put_slice(sy_json *json, const char *name, struct sy_slice text)
{
    char room[SY_CODE_BYTES_MAX + 1] = "";
    if (text.size >= sizeof room) text.size = sizeof room - 1;
    if (text.size > 0) memcpy(room, text.data, text.size);
    sy_json_put_text(json, name, room);
}

static bool put_stream(sy_json *json, struct sy_slice value)
{
    struct sy_stream s;
    if (!sy_stream_decode(&s, value)) return false;
    sy_show_hash(json, "device", &s.device);
    sy_show_hash(json, "patient", &s.patient);
    sy_show_hash(json, "organisation", &s.organisation);
    sy_json_put_text(json, "system", sy_enum_word(&sy_enum_stream_system, s.system));
    put_slice(json, "kind", s.kind);
    sy_json_put_text(json, "name", sy_stream_kind_find(s.system, s.kind)->name);
    put_slice(json, "unit", s.unit);
    sy_json_put_u64(json, "rate_per_hour", s.rate);
    sy_json_put_u64(json, "tolerance_s", s.tolerance_s);
    sy_show_hash(json, "consent", &s.consent);
    sy_show_ids(json, "care_team", &s.care_team);
    sy_json_put_u64(json, "commits", s.commits);
    sy_json_put_u64(json, "gaps", s.gaps);
    sy_json_put_u64(json, "alerts", s.alerts);
    if (s.until_ms > 0) sy_json_put_i64(json, "until_ms", s.until_ms);
    sy_json_put_u64(json, "samples", s.samples);
    sy_json_put_u64(json, "height", s.height);
    sy_json_put_i64(json, "time_ms", s.time_ms);
    sy_json_put_bool(json, "closed", s.closed);
    if (!s.closed) return true;
    const struct sy_enum *reasons = &sy_enum_stream_close_reason;
    sy_json_put_text(json, "close_reason", sy_enum_word(reasons, s.close_reason));
    sy_json_put_u64(json, "closed_height", s.closed_height);
    sy_json_put_i64(json, "closed_ms", s.closed_ms);
    return true;
}

static bool put_commit(sy_json *json, struct sy_slice value)
{
    struct sy_stream_commit_entry c;
    if (!sy_stream_commit_decode(&c, value)) return false;
    sy_json_put_hex(json, "key", c.key.bytes, sizeof c.key.bytes);
    sy_json_put_u64(json, "release", c.release);
    sy_json_put_i64(json, "from_ms", c.from_ms);
    sy_json_put_i64(json, "to_ms", c.to_ms);
    sy_json_put_u64(json, "samples", c.samples);
    sy_show_hash(json, "root", &c.root);
    sy_json_put_bool(json, "backfill", c.backfill);
    sy_json_put_bool(json, "gap_before", c.gap);
    sy_json_put_u64(json, "height", c.height);
    sy_json_put_i64(json, "time_ms", c.time_ms);
    return true;
}

static bool put_gap(sy_json *json, struct sy_slice value)
{
    struct sy_stream_gap gap;
    if (!sy_stream_gap_decode(&gap, value)) return false;
    sy_json_put_i64(json, "from_ms", gap.from_ms);
    sy_json_put_i64(json, "to_ms", gap.to_ms);
    sy_json_put_u64(json, "sequence", gap.sequence);
    return true;
}

static bool put_alert(sy_json *json, struct sy_slice value)
{
    struct sy_stream_alert_entry alert;
    if (!sy_stream_alert_decode(&alert, value)) return false;
    sy_json_put_hex(json, "key", alert.key.bytes, sizeof alert.key.bytes);
    sy_show_hash(json, "rule", &alert.rule);
    sy_json_put_text(json, "level", sy_enum_word(&sy_enum_alert_level, alert.level));
    sy_json_put_i64(json, "at_ms", alert.at_ms);
    sy_json_put_u64(json, "height", alert.height);
    sy_json_put_i64(json, "time_ms", alert.time_ms);
    return true;
}

static bool put_firmware(sy_json *json, struct sy_slice value)
{
    struct sy_firmware firmware;
    if (!sy_firmware_decode(&firmware, value)) return false;
    sy_json_put_u64(json, "release", firmware.release);
    sy_show_hash(json, "firmware", &firmware.firmware);
    sy_show_hash(json, "attest", &firmware.attest);
    sy_json_put_hex(json, "key", firmware.key.bytes, sizeof firmware.key.bytes);
    sy_json_put_i64(json, "until_ms", firmware.until_ms);
    sy_json_put_u64(json, "height", firmware.height);
    sy_json_put_i64(json, "time_ms", firmware.time_ms);
    return true;
}

bool sy_show_streams(sy_json *json, uint8_t state_kind, struct sy_slice value)
{
    switch (state_kind) {
    case SY_STATE_STREAM: return put_stream(json, value);
    case SY_STATE_STREAM_COMMIT: return put_commit(json, value);
    case SY_STATE_STREAM_GAP: return put_gap(json, value);
    case SY_STATE_STREAM_ALERT: return put_alert(json, value);
    case SY_STATE_FIRMWARE: return put_firmware(json, value);
    default: return false;
    }
}
