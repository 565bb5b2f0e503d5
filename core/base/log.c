/* The logs of telemetry.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/json.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"

#define LINE_BYTES_MAX 4096u
/* What is kept free of fields: ,"cut":true} and the line break. */
#define TAIL_BYTES 16u

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_min_level = SY_LOG_WARN;

// Makes lines go where fd leads. Once there is a descriptor of our own its number stays: were it
// closed, a thread about to write could hit whatever file gets the number next.
static void redirect(int fd)
{
    int own = atomic_load(&log_fd);
    if (own == STDERR_FILENO) {
        atomic_store(&log_fd, fd);
        return;
    }
    int moved = dup3(fd, own, O_CLOEXEC);
    SY_ASSERT(moved == own);
    if (fd != STDERR_FILENO) close(fd);
}

sy_status sy_log_open(const char *path, enum sy_log_level min_level, struct sy_error *err)
{
    int fd = STDERR_FILENO;
    if (path) {
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0) {
            int reason = errno;
            return sy_fail(err, sy_os_status(reason), "cannot open the log %s: %s", path,
                           strerror(reason));
        }
    }
    redirect(fd);
    atomic_store(&log_min_level, (int)min_level);
    return SY_OK;
}

void sy_log_close(void)
{
    redirect(STDERR_FILENO);
    atomic_store(&log_min_level, SY_LOG_WARN);
}

static void put_time(sy_json *json)
{
    int64_t now_ms = sy_os_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    char day[32];
    char text[48];
    gmtime_r(&seconds, &parts);
    size_t length = strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    SY_ASSERT(length > 0);
    snprintf(text, sizeof text, "%s.%03dZ", day, (int)(now_ms % 1000));
    sy_json_put_text(json, "t", text);
}

static void put_field(sy_json *json, const struct sy_log_field *field)
{
    sy_json_key(json, field->name);
    switch (field->type) {
    case SY_LOG_U64: sy_json_u64(json, field->value.u64); return;
    case SY_LOG_I64: sy_json_i64(json, field->value.i64); return;
    case SY_LOG_TEXT: sy_json_text(json, field->value.text); return;
    case SY_LOG_HEX: sy_json_hex(json, field->value.bytes.data, field->value.bytes.size); return;
    case SY_LOG_BOOL: sy_json_bool(json, field->value.flag); return;
    case SY_LOG_END: break;
    }
    SY_UNREACHABLE("a field has one of the types above");
}

void sy_log_fields(enum sy_log_level level, const char *room, const char *event,
                   const struct sy_log_field *fields)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    if ((int)level < atomic_load_explicit(&log_min_level, memory_order_relaxed)) return;
    char line[LINE_BYTES_MAX];
    sy_json json;
    sy_json_init_fixed(&json, line, sizeof line - TAIL_BYTES);
    sy_json_object_begin(&json);
    put_time(&json);
    sy_json_put_text(&json, "level", levels[level]);
    sy_json_put_text(&json, "room", room);
    sy_json_put_text(&json, "event", event);
    SY_ASSERT(!json.cut);
    bool cut = false;
    for (; fields && fields->type != SY_LOG_END; fields++) {
        // A field that does not fit is undone as a whole; shorter ones after it may still fit.
        sy_json before = json;
        put_field(&json, fields);
        if (json.cut) {
            json = before;
            cut = true;
        }
    }
    json.capacity = sizeof line;
    if (cut) sy_json_put_bool(&json, "cut", true);
    sy_json_object_end(&json);
    const char *text = sy_json_finish(&json);
    SY_ASSERT(text);
    line[json.size] = '\n';
    size_t size = json.size + 1;
    ssize_t put = write(atomic_load(&log_fd), line, size);
    sy_metric_add(SY_M_log_lines_total, 1);
    if (put < 0 || (size_t)put != size) sy_metric_add(SY_M_log_lost_total, 1);
}
