/* The metrics of telemetry.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/telemetry.h"

/* Upper bounds 2^0 .. 2^25 microseconds (34 s), then everything. */
#define BUCKETS 27

static const struct {
    const char *name;
    enum sy_metric_type type;
    const char *help;
} metrics[SY_METRIC_COUNT] = {
#define SY_METRIC(name, type, help) {#name, type, help},
#include "core/base/metrics.def"
#undef SY_METRIC
};

/* A histogram's value is the number of its observations. */
static atomic_uint_fast64_t values[SY_METRIC_COUNT];
static atomic_uint_fast64_t sums[SY_METRIC_COUNT];
static atomic_uint_fast64_t buckets[SY_METRIC_COUNT][BUCKETS];

static void add_relaxed(atomic_uint_fast64_t *value, uint64_t amount)
{
    atomic_fetch_add_explicit(value, amount, memory_order_relaxed);
}

static uint64_t read_relaxed(atomic_uint_fast64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void sy_metric_add(enum sy_metric metric, uint64_t amount)
{
    SY_ASSERT(metric < SY_METRIC_COUNT);
    SY_ASSERT(metrics[metric].type != SY_HISTOGRAM);
    add_relaxed(&values[metric], amount);
}

void sy_metric_set(enum sy_metric metric, uint64_t value)
{
    SY_ASSERT(metric < SY_METRIC_COUNT);
    SY_ASSERT(metrics[metric].type == SY_GAUGE);
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

void sy_metric_observe_us(enum sy_metric metric, uint64_t us)
{
    SY_ASSERT(metric < SY_METRIC_COUNT);
    SY_ASSERT(metrics[metric].type == SY_HISTOGRAM);
    // The first bucket whose bound 2^b is not below us.
    unsigned bucket = us <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(us - 1);
    if (bucket >= BUCKETS) bucket = BUCKETS - 1;
    add_relaxed(&buckets[metric][bucket], 1);
    add_relaxed(&sums[metric], us);
    add_relaxed(&values[metric], 1);
}

uint64_t sy_metric_get(enum sy_metric metric)
{
    SY_ASSERT(metric < SY_METRIC_COUNT);
    return read_relaxed(&values[metric]);
}

// Text that is counted even where it does not fit.
struct page {
    char *out;
    size_t size;
    size_t needed;
};

SY_PRINTF(2, 3) static void print_page(struct page *page, const char *format, ...)
{
    size_t room = page->needed < page->size ? page->size - page->needed : 0;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(room ? page->out + page->needed : NULL, room, format, args);
    va_end(args);
    SY_ASSERT(length >= 0);
    page->needed += (size_t)length;
}

static void render_histogram(struct page *page, size_t metric)
{
    const char *name = metrics[metric].name;
    // Buckets are cumulative, and the count is taken from them so that the two always agree.
    uint64_t count = 0;
    for (unsigned b = 0; b < BUCKETS; b++) {
        count += read_relaxed(&buckets[metric][b]);
        if (b < BUCKETS - 1) {
            print_page(page, "systole_%s_bucket{le=\"%" PRIu64 "\"} %" PRIu64 "\n", name,
                       (uint64_t)1 << b, count);
        }
    }
    print_page(page, "systole_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
    print_page(page, "systole_%s_sum %" PRIu64 "\n", name, (uint64_t)read_relaxed(&sums[metric]));
    print_page(page, "systole_%s_count %" PRIu64 "\n", name, count);
}

size_t sy_metrics_render(char *out, size_t size)
{
    static const char *const types[] = {
        [SY_COUNTER] = "counter", [SY_GAUGE] = "gauge", [SY_HISTOGRAM] = "histogram"};
    struct page page = {out, size, 0};
    if (size > 0) out[0] = '\0';
    for (size_t i = 0; i < SY_METRIC_COUNT; i++) {
        print_page(&page, "# HELP systole_%s %s\n", metrics[i].name, metrics[i].help);
        print_page(&page, "# TYPE systole_%s %s\n", metrics[i].name, types[metrics[i].type]);
        if (metrics[i].type == SY_HISTOGRAM) {
            render_histogram(&page, i);
        } else {
            print_page(&page, "systole_%s %" PRIu64 "\n", metrics[i].name,
                       (uint64_t)read_relaxed(&values[i]));
        }
    }
    return page.needed;
}
