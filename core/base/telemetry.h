/* telemetry.h: logs and metrics.
 *
 * A log line is one JSON object {"t","level","room","event", ...}: `t` is ISO 8601 UTC with
 * milliseconds; further members come from typed fields, so that nothing can be pasted in by
 * accident. Never log health data: ids, counts, codes and addresses only. A line is one write.
 *
 * Metrics are declared once, in metrics.def: SY_METRIC(name, type, help). Names follow
 * <room>_<what>_<unit> and are rendered as systole_<name>; counters end in _total. Counters and
 * gauges are relaxed atomics, cheap on any thread; histograms have fixed power-of-two buckets in
 * microseconds. */
#ifndef SY_BASE_TELEMETRY_H
#define SY_BASE_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sy_log_level { SY_LOG_DEBUG, SY_LOG_INFO, SY_LOG_WARN, SY_LOG_ERROR };

enum sy_log_type { SY_LOG_END = 0, SY_LOG_U64, SY_LOG_I64, SY_LOG_TEXT, SY_LOG_HEX, SY_LOG_BOOL };

struct sy_log_field {
    enum sy_log_type type;
    const char *name;
    union {
        uint64_t u64;
        int64_t i64;
        const char *text;
        struct sy_slice bytes;
        bool flag;
    } value;
};

#define SY_F_U64(n, v) ((struct sy_log_field){SY_LOG_U64, (n), {.u64 = (uint64_t)(v)}})
#define SY_F_I64(n, v) ((struct sy_log_field){SY_LOG_I64, (n), {.i64 = (int64_t)(v)}})
#define SY_F_TEXT(n, v) ((struct sy_log_field){SY_LOG_TEXT, (n), {.text = (v)}})
#define SY_F_HEX(n, d, s) ((struct sy_log_field){SY_LOG_HEX, (n), {.bytes = {(d), (s)}}})
#define SY_F_BOOL(n, v) ((struct sy_log_field){SY_LOG_BOOL, (n), {.flag = (v)}})

/* sy_log_open directs lines of at least min_level to path (appended, 0600), or to stderr when
 * path is NULL. Before it is called, warnings and errors go to stderr. Calling it again moves on
 * to another file; open and close are for one thread at a time. */
sy_status sy_log_open(const char *path, enum sy_log_level min_level, struct sy_error *err);
/* sy_log_close returns to warnings and errors on stderr. */
void sy_log_close(void);

/* sy_log_fields writes one line; fields end with an element of type SY_LOG_END (NULL: none).
 * Text is escaped; fields that would make the line longer than 4 KiB are left out and the line
 * says "cut":true. Any thread. Use the SY_LOG macro. */
void sy_log_fields(enum sy_log_level level, const char *room, const char *event,
                   const struct sy_log_field *fields);

/* SY_LOG(SY_LOG_WARN, "net", "frame_refused", SY_F_TEXT("peer", name), SY_F_U64("bytes", n));
 * C17 has no way to drop the comma before an empty list, so an event without fields is
 * SY_LOG0(SY_LOG_INFO, "node", "drained"). */
#define SY_LOG(level, room, event, ...)     \
    sy_log_fields((level), (room), (event), \
                  (const struct sy_log_field[]){__VA_ARGS__, {SY_LOG_END, NULL, {.u64 = 0}}})
#define SY_LOG0(level, room, event) sy_log_fields((level), (room), (event), NULL)

enum sy_metric_type { SY_COUNTER, SY_GAUGE, SY_HISTOGRAM };

enum sy_metric {
#define SY_METRIC(name, type, help) SY_M_##name,
#include "core/base/metrics.def"
#undef SY_METRIC
    SY_METRIC_COUNT
};

void sy_metric_add(enum sy_metric metric, uint64_t amount);
void sy_metric_set(enum sy_metric metric, uint64_t value);
/* sy_metric_observe_us adds one observation, in microseconds, to a histogram. */
void sy_metric_observe_us(enum sy_metric metric, uint64_t us);
uint64_t sy_metric_get(enum sy_metric metric);

/* sy_metrics_render writes all metrics as Prometheus text (exposition format 0.0.4), terminated,
 * and returns the length it needed: more than size means that it was cut. */
size_t sy_metrics_render(char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
