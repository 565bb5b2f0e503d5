#include "consensus/pool/pace.h"

#include "core/base/assert.h"

#define RETRY_MS_MIN 50u
#define RETRY_MS_MAX 1000u
#define NS_A_MS 1000000u

static uint32_t clamp(uint64_t value, uint32_t least, uint32_t most)
{
    if (value > most) value = most;
    return value < least ? least : (uint32_t)value;
}

static uint32_t least(const struct sy_pace *pace)
{
    return pace->most < SY_PACE_LEAST ? pace->most : SY_PACE_LEAST;
}

void sy_pace_init(struct sy_pace *pace, uint64_t goal_ns, uint32_t most)
{
    SY_ASSERT(most > 0);
    *pace = (struct sy_pace){.goal_ns = goal_ns, .most = most, .limit = most};
    if (goal_ns > 0) pace->limit = clamp(SY_PACE_FIRST, least(pace), most);
}

bool sy_pace_takes(struct sy_pace *pace, uint32_t under_way)
{
    bool takes = under_way < pace->limit;
    if (!takes) pace->in_the_way = true;
    return takes;
}

/* So many were under way, and took so long: what is done a second follows, and with it what would
 * be under way for as long as the goal (J. Little, 1961). Batches that stood in one queue are one
 * reason, which shows in full with the last of them; what was under way is told by the first. */
static void slow_down(struct sy_pace *pace, uint32_t under_way, uint64_t since_ns, uint64_t now_ns)
{
    if (since_ns >= pace->cut_ns) {
        pace->cut_ns = now_ns;
        pace->cut_from = under_way < pace->limit ? under_way : pace->limit;
    }
    double part = (double)pace->goal_ns / (double)pace->took_ns;
    pace->limit = clamp((uint64_t)(pace->cut_from * part), least(pace), pace->limit);
}

void sy_pace_note(struct sy_pace *pace, uint32_t txs, uint32_t under_way, uint64_t since_ns,
                  uint64_t now_ns)
{
    SY_ASSERT(txs <= under_way && txs > 0);
    pace->took_ns = now_ns > since_ns ? now_ns - since_ns : 0;
    if (pace->goal_ns == 0) return;
    if (pace->took_ns > pace->goal_ns) {
        slow_down(pace, under_way, since_ns, now_ns);
    } else if (pace->in_the_way) {
        uint64_t step = (uint64_t)SY_PACE_STEP * txs / pace->limit + 1;
        if (pace->took_ns < pace->goal_ns / 2 && step < txs) step = txs;
        pace->limit = clamp(pace->limit + step, least(pace), pace->most);
        pace->in_the_way = false;
    }
}

uint32_t sy_pace_retry_ms(const struct sy_pace *pace)
{
    return clamp(pace->took_ns / NS_A_MS, RETRY_MS_MIN, RETRY_MS_MAX);
}
