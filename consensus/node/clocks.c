#include "consensus/node/clocks.h"

#include <string.h>

#include "core/base/assert.h"

/* Clocks before 1970 or after the year 280000 would overflow differences; as in consensus/pbft. */
#define TIME_MS_MAX ((int64_t)1 << 53)

static int64_t within(int64_t time_ms)
{
    if (time_ms < 0) return 0;
    return time_ms > TIME_MS_MAX ? TIME_MS_MAX : time_ms;
}

static int64_t monotonic_ms(uint64_t now_ns)
{
    return (int64_t)(now_ns / 1000000);
}

static uint64_t period_of(uint64_t now_ns)
{
    return now_ns / SY_CLOCKS_PERIOD_NS + 1;
}

void sy_clocks_init(struct sy_clocks *clocks, uint16_t n, uint16_t self, int64_t skew_ms)
{
    SY_ASSERT(n <= SY_VALIDATORS_MAX && skew_ms > 0);
    memset(clocks, 0, sizeof *clocks);
    clocks->n = n;
    clocks->self = self;
    clocks->skew_ms = skew_ms;
}

static void take(struct sy_clocks_peer *peer, int64_t base_ms, uint64_t period)
{
    SY_ASSERT(period >= peer->period);
    if (peer->period != period) {
        bool follows = peer->period + 1 == period;
        peer->best_ms[1] = peer->best_ms[0];
        peer->has[1] = follows && peer->has[0];
        peer->has[0] = false;
        peer->period = period;
    }
    if (!peer->has[0] || base_ms > peer->best_ms[0]) peer->best_ms[0] = base_ms;
    peer->has[0] = true;
}

/* Its clock minus the monotonic one; false: it was not heard lately. */
static bool base_of(const struct sy_clocks_peer *peer, int64_t *base_ms, uint64_t period)
{
    bool newest = peer->has[0] && period - peer->period < 2;
    bool before = peer->has[1] && period == peer->period;
    if (newest) *base_ms = peer->best_ms[0];
    if (before && (!newest || peer->best_ms[1] > *base_ms)) *base_ms = peer->best_ms[1];
    return newest || before;
}

/* The clocks heard lately, each minus the own one; a validator's own is among them. */
struct sample {
    unsigned count;
    int64_t offsets_ms[SY_VALIDATORS_MAX]; /* rising */
};

static void insert(struct sample *sample, int64_t offset_ms)
{
    SY_ASSERT(sample->count < SY_VALIDATORS_MAX);
    unsigned at = sample->count++;
    for (; at > 0 && sample->offsets_ms[at - 1] > offset_ms; at--)
        sample->offsets_ms[at] = sample->offsets_ms[at - 1];
    sample->offsets_ms[at] = offset_ms;
}

static void collect(const struct sy_clocks *clocks, struct sample *sample, int64_t now_ms,
                    uint64_t now_ns)
{
    sample->count = 0;
    if (clocks->self < clocks->n) insert(sample, 0);
    for (uint16_t i = 0; i < clocks->n; i++) {
        int64_t base_ms;
        if (i == clocks->self) continue;
        if (!base_of(&clocks->peers[i], &base_ms, period_of(now_ns))) continue;
        insert(sample, base_ms + monotonic_ms(now_ns) - now_ms);
    }
}

/* Of two in the middle the one nearer to the own clock: more than half must be far from it. */
static int64_t median_of(const struct sample *sample)
{
    if (sample->count == 0) return 0;
    int64_t low = sample->offsets_ms[(sample->count - 1) / 2];
    int64_t high = sample->offsets_ms[sample->count / 2];
    if (low > 0) return low;
    return high < 0 ? high : 0;
}

static unsigned count_beyond(const struct sample *sample, int64_t skew_ms, bool ahead)
{
    unsigned count = 0;
    for (unsigned i = 0; i < sample->count; i++) {
        int64_t offset_ms = sample->offsets_ms[i];
        count += ahead ? offset_ms > skew_ms : offset_ms < -skew_ms;
    }
    return count;
}

static bool is_beyond(int64_t difference_ms, int64_t skew_ms)
{
    return difference_ms > skew_ms || difference_ms < -skew_ms;
}

bool sy_clocks_note(struct sy_clocks *clocks, uint16_t peer, int64_t time_ms, int64_t now_ms,
                    uint64_t now_ns)
{
    struct sample sample;
    if (peer >= clocks->n || peer == clocks->self) return false;
    now_ms = within(now_ms);
    take(&clocks->peers[peer], within(time_ms) - monotonic_ms(now_ns), period_of(now_ns));
    collect(clocks, &sample, now_ms, now_ns);
    unsigned weak = sy_weak(clocks->n);
    // Who hears nobody learns nothing, neither way.
    if (sample.count < weak + (clocks->self < clocks->n)) return false;
    int64_t median_ms = median_of(&sample);
    clocks->error_ms = -median_ms;
    bool wrong = is_beyond(median_ms, clocks->skew_ms) &&
                 count_beyond(&sample, clocks->skew_ms, median_ms > 0) >= weak;
    if (!wrong) clocks->wrong_since_ns = 0;
    if (wrong && clocks->wrong_since_ns == 0) clocks->wrong_since_ns = now_ns > 0 ? now_ns : 1;
    bool off = wrong && (clocks->off || now_ns - clocks->wrong_since_ns >= SY_CLOCKS_LASTS_NS);
    bool changed = off != clocks->off;
    clocks->off = off;
    return changed;
}

void sy_clocks_get_info(const struct sy_clocks *clocks, struct sy_clocks_info *info, int64_t now_ms,
                        uint64_t now_ns)
{
    struct sample sample;
    memset(info, 0, sizeof *info);
    now_ms = within(now_ms);
    collect(clocks, &sample, now_ms, now_ns);
    int64_t median_ms = median_of(&sample);
    info->off = clocks->off;
    info->error_ms = clocks->error_ms;
    for (uint16_t i = 0; i < clocks->n; i++) {
        int64_t base_ms;
        if (i == clocks->self) continue;
        if (!base_of(&clocks->peers[i], &base_ms, period_of(now_ns))) continue;
        info->peers[i].heard = true;
        info->peers[i].offset_ms = base_ms + monotonic_ms(now_ns) - now_ms;
        info->peers[i].off = is_beyond(info->peers[i].offset_ms - median_ms, clocks->skew_ms);
        info->peers_off += info->peers[i].off;
    }
}
